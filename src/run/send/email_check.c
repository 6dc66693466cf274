#include "run/send/email_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static const struct email_part *part_of(const struct email_file *file, enum check_part part)
{
    return part == CHECK_SUBJECT     ? &file->subject
           : part == CHECK_PREHEADER ? &file->preheader
           : part == CHECK_TEXT      ? &file->text
                                     : &file->html;
}

static void text_write(struct buf *out, const char *key, const char *text)
{
    buf_format(out, ",\"%s\":", key);
    json_write_str(out, str_of(text));
}

struct telling {
    const struct email_file *file; /* NULL: lines are those of the parts */
    struct buf              *out;
    uint32_t                 errors;
    bool                     any;
};

static void findings_write(struct telling *telling, const struct check_findings *findings)
{
    struct buf *out = telling->out;
    for (uint32_t i = 0; i < findings->count; i++) {
        const struct check_finding *one = &findings->at[i];
        uint32_t                    line = one->line;
        if (telling->file != NULL && part_of(telling->file, one->part)->line > 0)
            line += part_of(telling->file, one->part)->line - 1;
        telling->errors += one->severity == CHECK_ERROR;
        buf_format(out, "%s{\"severity\":\"%s\",\"part\":\"%s\",\"line\":%u",
                   telling->any ? "," : "", check_severity_name(one->severity),
                   check_part_name(one->part), line);
        telling->any = true;
        text_write(out, "about", one->about);
        text_write(out, "what", one->what);
        text_write(out, "remedy", one->remedy);
        buf_char(out, '}');
    }
}

static enum err judged_write(const struct check_in *in, struct telling *telling,
                             const struct check_findings *more, struct problem *problem)
{
    struct check_findings *findings = calloc(1, sizeof *findings);
    if (findings == NULL)
        return ERR_MEMORY;
    enum err err = check_mail(in, findings, problem);
    if (err == OK) {
        buf_str(telling->out, STR("\"findings\":["));
        if (more != NULL)
            findings_write(telling, more);
        findings_write(telling, findings);
        buf_format(telling->out, "],\"errors\":%u", telling->errors);
    }
    free(findings);
    return err == OK ? buf_err(telling->out) : err;
}

enum err email_findings_write(const struct email_file *file, const struct workspace *workspace,
                              const struct check_findings *more, struct buf *out,
                              struct problem *problem)
{
    struct telling telling = { .file = file, .out = out };
    if (file->channel != CHANNEL_EMAIL)
        return notice_findings_write(file, out);
    struct check_in in = { .subject = file->subject.text,
                           .preheader = file->preheader.text,
                           .html = file->html.text,
                           .text = file->text.text,
                           .unsubscribe = STR("links.unsubscribe"),
                           .address = workspace == NULL ? STR_NONE : workspace->address,
                           .is_template = true,
                           .is_transactional = file->transactional,
                           .knows_address = workspace != NULL };
    return judged_write(&in, &telling, more, problem);
}

enum err mail_findings_write(const struct mail_findings *mail, struct buf *out,
                             struct problem *problem)
{
    struct telling  telling = { .out = out };
    struct check_in in = { .subject = mail->subject,
                           .html = mail->html,
                           .text = mail->text,
                           .unsubscribe = mail->unsubscribe,
                           .is_transactional = mail->is_transactional };
    return judged_write(&in, &telling, NULL, problem);
}

void findings_only_write(const struct check_findings *findings, struct str rows, struct buf *out)
{
    struct telling telling = { .out = out, .any = rows.len > 0 };
    buf_str(out, STR("\"findings\":["));
    buf_str(out, rows);
    findings_write(&telling, findings);
    buf_format(out, "],\"errors\":%u", telling.errors);
}

void finding_add(struct check_findings *out, struct check_finding finding)
{
    if (out->count < CHECK_FINDINGS_MAX)
        out->at[out->count++] = finding;
    else
        out->left_out++;
}

/* ---- what the text says ---- */

static uint32_t line_of(struct str text, size_t at)
{
    uint32_t line = 1;
    for (size_t i = 0; i < at; i++)
        line += text.ptr[i] == '\n';
    return line;
}

/* Only `contains "name"` is answered at the claim: the engine looks for just this form. */
static void segments_judge(struct str text, enum check_part part, struct check_findings *out)
{
    struct str wanted = STR("person.segments");
    for (size_t at = str_find(text, 0, wanted); at < text.len; at = str_find(text, at, wanted)) {
        at += wanted.len;
        struct str rest = str_trim(str_slice(text, at, text.len));
        struct str name = str_trim(str_slice(rest, strlen("contains"), rest.len));
        if (str_starts(rest, STR("contains")) &&
            (str_starts(name, STR("\"")) || str_starts(name, STR("'"))))
            continue;
        finding_add(out, (struct check_finding){
                             .severity = CHECK_ERROR,
                             .part = part,
                             .line = line_of(text, at),
                             .about = "segments",
                             .what = "person.segments is asked in a way that is always empty.",
                             .remedy = "Write {% if person.segments contains \"name\" %}, or a "
                                       "condition in the head: when NAME: in segment \"name\"." });
    }
}

void email_text_judge(const struct email_file *file, const struct workspace *workspace,
                      struct check_findings *out)
{
    segments_judge(file->subject.text, CHECK_SUBJECT, out);
    segments_judge(file->html.text, CHECK_HTML, out);
    segments_judge(file->text.text, CHECK_TEXT, out);
    codes_judge(file, out);
    if (file->sender.len == 0 || workspace == NULL ||
        sender_profile_find(&workspace->senders, file->sender) != NULL)
        return;
    struct check_finding finding = { .severity = CHECK_ERROR,
                                     .part = CHECK_SUBJECT,
                                     .line = 1,
                                     .about = "sender",
                                     .remedy = "Put it among the senders of workspace.json." };
    snprintf(finding.what, sizeof finding.what, "There is no sender \"%.*s\".",
             STR_ARG(str_slice(file->sender, 0, 100)));
    finding_add(out, finding);
}
