#include "run/api/judging.h"

#include <stdio.h>

#include "base/time.h"
#include "run/api/domains.h"
#include "run/api/drafting.h"
#include "run/api/linked_judge.h"
#include "run/api/tangling.h"
#include "run/send/email_check.h"

enum { PEOPLE_LOOKED = 50, PEOPLE_WAIT_US = 700000, DNS_WAIT_MS = 1500 };

/* ---- against real people ---- */

/* What is missing for some of those who would get it; nothing where it cannot be told soon. */
static void people_judge(struct call *call, struct str name, struct str text,
                         struct check_findings *out)
{
    struct missing *missing = ARENA_NEW(call->arena, struct missing);
    struct drafted *people = ARENA_ARRAY(call->arena, PEOPLE_LOOKED, struct drafted);
    int64_t         begun_us = time_mono_us();
    struct problem  kept = call->problem;
    struct drafting drafting;
    uint32_t        count = 0;
    bool            good =
        missing != NULL && people != NULL && call->api->conf.secrets != NULL &&
        drafting_text(&drafting, call, name, text) == OK &&
        drafting_people(&drafting, PEOPLE_LOOKED, begun_us + PEOPLE_WAIT_US / 2, people, &count) ==
            OK &&
        count > 0 &&
        drafting_missing(&drafting, people, count, begun_us + PEOPLE_WAIT_US, missing) == OK;
    call->problem = kept; /* a look that failed is no fault of the text */
    for (uint32_t i = 0; good && i < missing->count; i++) {
        const struct missing_row *row = &missing->rows[i];
        struct check_finding      finding = { .severity = CHECK_WARNING,
                                              .part = CHECK_SUBJECT,
                                              .line = 1,
                                              .about = "person",
                                              .remedy = "Give a `default`, or ask with {% if %}: "
                                                             "their message is held back." };
        snprintf(finding.what, sizeof finding.what, "%s %.*s (line %u) for %u of %u people.",
                 row->is_fault ? "Wrong:" : "Missing", STR_ARG(str_slice(row->path, 0, 80)),
                 row->line, row->people, missing->looked);
        finding_add(out, finding);
    }
}

/* ---- is the sender believed? ---- */

static void sender_judge(struct call *call, struct str address, struct check_findings *out)
{
    struct check_finding finding = { .severity = CHECK_WARNING,
                                     .part = CHECK_SUBJECT,
                                     .line = 1,
                                     .about = "authentication",
                                     .remedy = "Publish the records that `dult domains` prints." };
    if (!domains_lack(call, address, DNS_WAIT_MS))
        return;
    snprintf(
        finding.what, sizeof finding.what,
        "No sender authentication for the From domain: %.*s has neither our DKIM keys nor SPF.",
        STR_ARG(str_slice(address, str_find_char(address, 0, '@') + 1, 80)));
    finding_add(out, finding);
}

static struct str from_of(const struct workspace *workspace, const struct email_file *file)
{
    const struct sender_profile *named = sender_profile_find(&workspace->senders, file->sender);
    if (named == NULL)
        named = sender_profile_choose(&workspace->senders, file->topic, workspace->language);
    return named != NULL ? named->email : workspace->sender_email;
}

static enum err workspace_now(struct call *call, struct workspace *out, bool *is_known)
{
    struct str text;
    TRY(newest_workspace(call, &text));
    *is_known = text.len > 0 && workspace_parse(call->arena, text, out, NULL) == OK;
    return OK;
}

enum err judging_launch_write(struct call *call, struct str journey, struct buf *out, bool *first)
{
    struct check_findings       *more = ARENA_NEW(call->arena, struct check_findings);
    SCOPED(buf_donep) struct buf rows = buf_make(CALL_ANSWER_BYTES_MAX);
    struct workspace             workspace;
    bool                         is_known, any = false;
    if (more == NULL)
        return ERR_MEMORY;
    if (journey.len > 0)
        TRY(tangling_write(call, journey, &rows, &any));
    TRY(workspace_now(call, &workspace, &is_known));
    if (is_known)
        sender_judge(call, workspace.sender_email, more);
    if (more->count == 0 && !any)
        return OK;
    if (!*first)
        buf_char(out, ',');
    *first = false;
    findings_only_write(more, buf_view(&rows), out);
    return buf_err(out);
}

enum err judging_write(struct call *call, struct str name, struct str text, struct buf *out,
                       bool *first)
{
    struct check_findings *more = ARENA_NEW(call->arena, struct check_findings);
    struct workspace       workspace;
    struct email_file      file;
    bool                   is_known;
    if (more == NULL)
        return ERR_MEMORY;
    TRY(email_file_parse(name, text, &file, &call->problem));
    TRY(workspace_now(call, &workspace, &is_known));
    email_text_judge(&file, is_known ? &workspace : NULL, more);
    TRY(linked_judge(call, name, &file, more));
    if (is_known)
        sender_judge(call, from_of(&workspace, &file), more);
    people_judge(call, name, text, more);
    if (!*first)
        buf_char(out, ',');
    *first = false;
    return email_findings_write(&file, is_known ? &workspace : NULL, more, out, &call->problem);
}
