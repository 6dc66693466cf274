/* Sending on or stopped: shown, stopped and resumed by hand, and when it stops by itself. */
#include "run/api/api_inside.h"

#include <string.h>

#include "base/time.h"

struct sending_question {
    struct brake_conf   conf;
    struct brake_counts counts;
};

static bool sending_ask(struct engine *engine, struct task *task)
{
    struct sending_question *question = task->context;
    question->conf = engine_program(engine)->sending;
    question->counts = engine_brake_counts(engine);
    return true;
}

/* Who changed it last, and when. */
struct last {
    struct arena *arena;
    uint32_t      version;
    int64_t       at_ms;
    struct str    author;
};

static enum err last_each(void *ctx, const struct store_definition *row)
{
    struct last *last = ctx;
    if (row->kind != DEFINE_SENDING || row->version != last->version)
        return OK;
    last->at_ms = row->at_ms;
    last->author = str_copy(last->arena, row->author);
    return OK;
}

enum err sending_write(struct call *call, struct buf *out)
{
    struct sending_question question;
    struct last             last = { .arena = call->arena, .at_ms = TIME_NEVER };
    bool                    first = false;
    TRY(call_ask(call, sending_ask, &question));
    last.version = question.conf.version;
    if (last.version > 0)
        TRY(store_definitions_read(call->desk->reader, 0, last_each, &last));
    brake_write(&question.conf, out);
    out->len--; /* the brace at the end */
    write_time(out, &first, "since", last.at_ms);
    write_text(out, &first, "author", last.author);
    write_int(out, &first, "sent", (int64_t)question.counts.sent);
    write_int(out, &first, "bounced", (int64_t)question.counts.bounced);
    write_int(out, &first, "complained", (int64_t)question.counts.complained);
    buf_char(out, '}');
    return OK;
}

enum err sending_show(struct call *call)
{
    return sending_write(call, &call->out);
}

/* What is left out of the body stays as it is. */
static enum err merged(struct call *call, const struct json *body, struct str *out)
{
    struct sending_question      question;
    SCOPED(buf_donep) struct buf text = buf_make(BRAKE_TEXT_BYTES_MAX);
    struct json                  now;
    bool                         first = true;
    TRY(call_ask(call, sending_ask, &question));
    brake_write(&question.conf, &text);
    TRY(json_parse(call->desk->parser, call->arena, buf_view(&text), &now, NULL));
    buf_reset(&text);
    buf_char(&text, '{');
    for (uint32_t i = 0; i < now.count; i++) {
        struct str         key = now.members[i].key;
        const struct json *value = json_get(body, key);
        bool               is_why = str_eq(key, STR("why"));
        if (value == NULL && is_why && json_get(body, STR("state")) != NULL)
            continue; /* the reason was for the state before */
        if (!first)
            buf_char(&text, ',');
        first = false;
        json_write_str(&text, key);
        buf_char(&text, ':');
        json_write(&text, value != NULL ? value : &now.members[i].value);
    }
    buf_char(&text, '}');
    if (buf_err(&text) == ERR_LIMIT)
        return problem_set(&call->problem, ERR_LIMIT, "why", "This is too long.", "Shorten it.");
    TRY(buf_err(&text));
    *out = str_copy(call->arena, buf_view(&text));
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

enum err sending_put(struct call *call)
{
    static const char *const known[] = { "state",      "why",           "hours",  "bounces",
                                         "complaints", "transactional", "domains" };
    struct brake_conf        conf;
    struct json              body;
    struct str               text;
    TRY(call_body(call, &body));
    for (uint32_t i = 0; i < body.count; i++) {
        size_t k = 0;
        while (k < sizeof known / sizeof known[0] && !str_eq(body.members[i].key, str_of(known[k])))
            k++;
        if (k == sizeof known / sizeof known[0])
            return problem_set(&call->problem, ERR_INPUT, "body", "There is no such setting.",
                               "Use state, why, hours, bounces, complaints, transactional and "
                               "domains.");
    }
    TRY(merged(call, &body, &text));
    TRY(brake_parse(text, &conf, &call->problem));
    struct entry entry = {
        .record = { .kind = RECORD_DEFINE,
                    .definition_kind = DEFINE_SENDING,
                    .name = STR("sending"),
                    .body = text,
                    .at_ms = time_now_ms(),
                    .received_ms = time_now_ms() },
        .author =
            http_is_local(call->request)
                ? STR("command line")
                : str_format(call->arena, "key %llu", (unsigned long long)route_who(call->request)),
        .body = STR("{\"definition\":\"sending\"}"),
    };
    TRY(call_submit(call, &entry, 1, NULL));
    return sending_write(call, &call->out);
}
