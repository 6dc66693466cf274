/* A message as one person would get it, and which variables are missing for how many. */
#include "run/api/drafting.h"

#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "message/html.h"
#include "message/plain.h"
#include "run/api/judging.h"
#include "run/send/email_check.h"

enum { PEOPLE_DEFAULT = 50, PEOPLE_WAIT_MS = 20000 };

/* ---- preview ---- */

struct preview {
    struct call       *call;
    struct drafting    drafting;
    struct drafted     person;
    struct rendered    out;
    struct render_gaps gaps;
};

static void variant_write(struct preview *preview, bool *first)
{
    struct json variant;
    if (preview->person.variant.len == 0 ||
        json_parse(preview->call->desk->parser, preview->call->arena, preview->person.variant,
                   &variant, NULL) != OK)
        return;
    write_text(&preview->call->out, first, "variant", json_get_str(&variant, STR("name")));
    write_text(&preview->call->out, first, "variant_why", json_get_str(&variant, STR("why")));
}

static enum err text_write(struct preview *preview, bool *first)
{
    SCOPED(html_closep) struct html *html = NULL;
    SCOPED(buf_donep) struct buf     plain = buf_make(COMPOSE_BYTES_MAX);
    struct str                       text = preview->out.text;
    if (text.len == 0 && preview->out.html.len > 0 && preview->out.person == NULL) {
        TRY(html_parse(&html, preview->out.html, &preview->call->problem));
        plain_write(html, &plain);
        TRY(buf_err(&plain));
        text = buf_view(&plain);
    }
    write_text(&preview->call->out, first, "text", text);
    return OK;
}

/* The fields of the mail, unfolded, in their order. */
static void headers_write(struct buf *out, bool *first, struct str mail)
{
    struct str rest = mail, line;
    bool       is_open = false, any = false;
    json_write_key(out, first, "headers");
    buf_char(out, '[');
    SCOPED(buf_donep) struct buf value = buf_make(64 << 10);
    while (str_split(&rest, '\n', &line)) {
        bool goes_on = line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t');
        line = str_trim(line);
        if (goes_on) {
            buf_char(&value, ' ');
            buf_str(&value, line);
            continue;
        }
        if (is_open) {
            json_write_str(out, buf_view(&value));
            buf_char(out, '}');
        }
        size_t colon = str_find_char(line, 0, ':');
        is_open = line.len > 0 && colon < line.len;
        if (!is_open)
            break;
        buf_str(out, any ? STR(",{\"name\":") : STR("{\"name\":"));
        any = true;
        json_write_str(out, str_slice(line, 0, colon));
        buf_str(out, STR(",\"value\":"));
        buf_reset(&value);
        buf_str(&value, str_trim(str_slice(line, colon + 1, line.len)));
    }
    buf_char(out, ']');
}

static void gaps_write(struct buf *out, bool *first, const char *key,
                       const struct render_gaps *gaps, bool faults)
{
    bool any = false;
    json_write_key(out, first, key);
    buf_char(out, '[');
    for (uint32_t i = 0; i < gaps->count; i++) {
        const struct render_gap *gap = &gaps->items[i];
        bool                     inner = true;
        if (gap->is_fault != faults)
            continue;
        buf_str(out, any ? STR(",{") : STR("{"));
        any = true;
        write_text(out, &inner, faults ? "what" : "path", gap->path);
        write_text(out, &inner, "part", str_of(gap->part));
        write_int(out, &inner, "line", gap->line);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static enum err preview_write(struct preview *preview)
{
    struct buf            *out = &preview->call->out;
    const struct rendered *made = &preview->out;
    bool                   first = true;
    buf_char(out, '{');
    write_text(out, &first, "template", preview->drafting.name);
    variant_write(preview, &first);
    write_text(out, &first, "person", str_of(preview->person.id));
    write_text(out, &first, "journey", preview->drafting.journey);
    write_text(out, &first, "to", preview->person.claim.address);
    write_text(out, &first, "from_name", made->from_name);
    write_text(out, &first, "from", made->from);
    write_text(out, &first, "reply_to", made->reply_to);
    write_text(out, &first, "subject", made->subject);
    if (made->person != NULL)
        channels_notice_write(preview->call, &preview->person.claim, made, &first);
    else
        write_text(out, &first, "html", made->html);
    TRY(text_write(preview, &first));
    headers_write(out, &first, buf_view(&made->mail.message));
    write_int(out, &first, "bytes", (int64_t)made->mail.message.len);
    gaps_write(out, &first, "missing", &preview->gaps, false);
    gaps_write(out, &first, "faults", &preview->gaps, true);
    write_text(out, &first, "held", str_of(made->reason));
    if (made->mail.message.len > 0) { /* an e-mail */
        buf_char(out, ',');
        TRY(mail_findings_write(
            &(struct mail_findings){ .subject = made->subject,
                                     .html = made->html,
                                     .text = made->text,
                                     .unsubscribe = STR("/u/"),
                                     .is_transactional = preview->person.claim.transactional },
            out, &preview->call->problem));
    }
    buf_char(out, '}');
    return OK;
}

static enum err preview_make(struct preview *preview, struct str who)
{
    struct drafting *drafting = &preview->drafting;
    struct render   *render;
    TRY(call_render(preview->call, &render));
    TRY(drafting_person(drafting, who, &preview->person));
    struct render_draft wanted = { .claim = &preview->person.claim,
                                   .name = drafting->name,
                                   .text = drafting->text,
                                   .event = drafting->event,
                                   .journey = drafting->journey };
    enum err            err = render_preview(render, &wanted, time_now_ms(), preview->call->arena,
                                             &preview->out, &preview->gaps);
    return err == ERR_INPUT ? OK : err; /* `held` says why */
}

enum err template_preview(struct call *call)
{
    struct preview *preview = ARENA_NEW(call->arena, struct preview);
    struct json     body;
    if (preview == NULL)
        return ERR_MEMORY;
    preview->call = call;
    TRY(call_body(call, &body));
    struct str who = json_get_str(&body, STR("person"));
    if (who.len == 0)
        return problem_set(&call->problem, ERR_INPUT, "person", "Nobody is named.",
                           "Give {\"person\": \"a userId\"}.");
    TRY(drafting_read(&preview->drafting, call, &body));
    preview->out.mail.message = buf_make(COMPOSE_BYTES_MAX);
    enum err err = preview_make(preview, who);
    if (err == OK)
        err = preview_write(preview);
    buf_done(&preview->out.mail.message);
    return err;
}

/* ---- many people ---- */

static enum err people_named(struct drafting *drafting, const struct json *list,
                             struct drafted *out, uint32_t *count)
{
    if (list->kind != JSON_ARRAY || list->count > DRAFT_NAMED_MAX)
        return problem_set(&drafting->call->problem, ERR_INPUT, "people",
                           "This is not a list of at most 100.", "Give [\"u1\", \"u2\"].");
    for (uint32_t i = 0; i < list->count; i++)
        TRY(drafting_person(drafting,
                            list->items[i].kind == JSON_STRING ? list->items[i].string : STR_NONE,
                            &out[(*count)++]));
    return OK;
}

static enum err sample_find(struct drafting *drafting, const struct json *body, int64_t until_us,
                            struct drafted **out, uint32_t *count)
{
    const struct json *named = json_get(body, STR("people"));
    int64_t            most = PEOPLE_DEFAULT;
    if (json_get(body, STR("sample")) != NULL &&
        (!json_get_int(body, STR("sample"), &most) || most < 1 || most > DRAFT_PEOPLE_MAX))
        return problem_set(&drafting->call->problem, ERR_INPUT, "sample",
                           "This is no number from 1 to 1000.", "Ask for 50.");
    *count = 0;
    *out = ARENA_ARRAY(drafting->call->arena, (size_t)most + DRAFT_NAMED_MAX, struct drafted);
    if (*out == NULL)
        return ERR_MEMORY;
    return named != NULL ? people_named(drafting, named, *out, count)
                         : drafting_people(drafting, (uint32_t)most, until_us, *out, count);
}

static void sample_write(struct buf *out, bool *first, struct str ids)
{
    struct str id;
    bool       any = false;
    json_write_key(out, first, "sample");
    buf_char(out, '[');
    while (ids.len > 0 && str_split(&ids, ',', &id)) {
        if (any)
            buf_char(out, ',');
        any = true;
        json_write_str(out, id);
    }
    buf_char(out, ']');
}

static void missing_write(struct buf *out, const struct missing *missing)
{
    bool first = false;
    write_int(out, &first, "looked", missing->looked);
    write_int(out, &first, "complete", (int64_t)missing->looked - missing->held);
    write_int(out, &first, "held", missing->held);
    json_write_key(out, &first, "missing");
    buf_char(out, '[');
    for (uint32_t i = 0; i < missing->count; i++) {
        const struct missing_row *row = &missing->rows[i];
        bool                      inner = true;
        buf_str(out, i == 0 ? STR("{") : STR(",{"));
        write_text(out, &inner, row->is_fault ? "what" : "path", row->path);
        write_text(out, &inner, "part", str_of(row->part));
        write_int(out, &inner, "line", row->line);
        write_int(out, &inner, "people", row->people);
        sample_write(out, &inner, row->sample);
        buf_char(out, '}');
    }
    buf_str(out, STR("]}"));
}

enum err template_people(struct call *call)
{
    int64_t         until_us = time_mono_us() + (int64_t)PEOPLE_WAIT_MS * 1000;
    struct missing *missing = ARENA_NEW(call->arena, struct missing);
    struct drafting drafting;
    struct drafted *people = NULL;
    struct json     body;
    uint32_t        count = 0;
    bool            first = true;
    if (missing == NULL)
        return ERR_MEMORY;
    TRY(call_body(call, &body));
    TRY(drafting_read(&drafting, call, &body));
    TRY(sample_find(&drafting, &body, until_us / 2 + time_mono_us() / 2, &people, &count));
    TRY(drafting_missing(&drafting, people, count, until_us, missing));
    buf_char(&call->out, '{');
    write_text(&call->out, &first, "template", drafting.name);
    write_text(&call->out, &first, "journey", drafting.journey);
    write_text(&call->out, &first, "trigger",
               str_of(drafting.trigger == NULL ? "" : drafting.trigger));
    write_text(&call->out, &first, "trigger_name", drafting.trigger_name);
    missing_write(&call->out, missing);
    return OK;
}
