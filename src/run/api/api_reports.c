/*
 * Reports: the six of them, the people behind every number, and those people as a list.
 *
 *      {report}            the numbers
 *      {report}/people     "pick" names one number: who is it?
 *      {report}/list       the same people join a list
 */
#include "run/api/report_kind.h"

#include <unistd.h>

#include "base/zone.h"

enum {
    LIST_PEOPLE_MAX = 1000000,
    LIST_TASK_PEOPLE = 500, /* records of one task: a moment of the engine's time */
    LIST_TRIES_MAX = 600,   /* while the core has no room */
    LIST_TRY_US = 50000,
    LIST_NAME_BYTES_MAX = 200,
};

struct report_asked {
    struct ask                ask;
    const struct report_kind *kind;
    void                     *question;
    struct report_pick        pick;
};

/* Everything up to the numbers. */
static enum err report_run(struct report_asked *asked, const struct json *body, bool is_audience)
{
    struct ask *ask = &asked->ask;
    asked->question = arena_alloc(ask->call->arena, asked->kind->bytes);
    if (asked->question == NULL)
        return ERR_MEMORY;
    TRY(asked->kind->read(ask, body, asked->question));
    if (is_audience)
        TRY(ask_audience_read(ask, body));
    TRY(ask_compile(ask));
    TRY(ask_audience(ask));
    if (asked->pick.body != NULL) {
        asked->pick.bits = ask_bits(ask);
        if (asked->pick.bits == NULL)
            return ERR_MEMORY;
    }
    TRY(asked->kind->ready(ask, asked->question, &asked->pick));
    return ask_share(ask, asked->kind->part, asked->question);
}

static void asked_close(struct report_asked *asked)
{
    if (asked->question != NULL && asked->kind->done != NULL)
        asked->kind->done(asked->question);
    ask_close(&asked->ask);
}

static enum err head_write(struct report_asked *asked, bool *first)
{
    struct ask *ask = &asked->ask;
    struct buf *out = &ask->call->out;
    buf_char(out, '{');
    write_text(out, first, "report", str_of(asked->kind->name));
    ask_write_point(ask, out, first);
    write_text(out, first, "zone", ask->zone == NULL ? STR("UTC") : ask->zone->name);
    write_int(out, first, "audience", (int64_t)ask->people);
    return ask->audience == 0 ? OK
                              : ask_write_condition(ask, ask->audience - 1, "condition", first);
}

static enum err numbers(struct report_asked *asked, const struct json *body)
{
    bool first = true;
    TRY(report_run(asked, body, asked->kind != &report_growth));
    TRY(head_write(asked, &first));
    TRY(asked->kind->write(&asked->ask, asked->question, &first));
    buf_char(&asked->ask.call->out, '}');
    return OK;
}

static enum err report_answer(struct call *call, const struct report_kind *kind)
{
    struct report_asked asked = { .kind = kind };
    struct json         body;
    TRY(call_body(call, &body));
    enum err err = ask_open(&asked.ask, call, &body);
    if (err == OK)
        err = numbers(&asked, &body);
    asked_close(&asked);
    return err;
}

enum err report_trends_post(struct call *call)
{
    return report_answer(call, &report_trends);
}

enum err report_funnel_post(struct call *call)
{
    return report_answer(call, &report_funnel);
}

enum err report_retention_post(struct call *call)
{
    return report_answer(call, &report_retention);
}

enum err report_spread_post(struct call *call)
{
    return report_answer(call, &report_spread);
}

enum err report_growth_post(struct call *call)
{
    return report_answer(call, &report_growth);
}

enum err report_attribution_post(struct call *call)
{
    return report_answer(call, &report_attribution);
}

/* The same words as in a body. */
static enum err query_body(struct call *call, struct json *body)
{
    static const char *const names[] = { "by", "model",     "event", "currency", "from",
                                         "to", "broadcast", "at",    "segment",  "condition" };
    enum { NAMES = sizeof names / sizeof names[0] };
    struct json_member *members = ARENA_ARRAY(call->arena, NAMES, struct json_member);
    uint32_t            count = 0;
    if (members == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < NAMES; i++) {
        struct str value = call_query(call, names[i]);
        if (value.len > 0)
            members[count++] =
                (struct json_member){ str_of(names[i]), { .kind = JSON_STRING, .string = value } };
    }
    *body = (struct json){ .kind = JSON_OBJECT, .count = count, .members = members };
    return OK;
}

enum err report_attribution_get(struct call *call)
{
    struct report_asked asked = { .kind = &report_attribution };
    struct json         body;
    TRY(query_body(call, &body));
    enum err err = ask_open(&asked.ask, call, &body);
    if (err == OK)
        err = numbers(&asked, &body);
    asked_close(&asked);
    return err;
}

enum err report_stages_post(struct call *call)
{
    return report_answer(call, &report_stages);
}

/* ---- the people behind a number ---- */

static enum err kind_find(struct call *call, const struct report_kind **out)
{
    static const struct report_kind *const kinds[] = { &report_trends,    &report_funnel,
                                                       &report_retention, &report_spread,
                                                       &report_growth,    &report_attribution,
                                                       &report_stages };
    struct str                             name = call_param(call, "report");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (str_eq(name, str_of(kinds[i]->name))) {
            *out = kinds[i];
            return OK;
        }
    return problem_format(
        &call->problem, ERR_ABSENT, "report",
        "There are trends, funnel, retention, spread, growth, attribution and stages.",
        "There is no report \"%.*s\".", STR_ARG(name));
}

static enum err picked_find(struct report_asked *asked, const struct json *body)
{
    struct call *call = asked->ask.call;
    asked->pick.body = json_get(body, STR("pick"));
    if (asked->pick.body == NULL || asked->pick.body->kind != JSON_OBJECT)
        return problem_set(&call->problem, ERR_INPUT, "pick", "Which number is to be opened?",
                           "Give the report's body and \"pick\", such as {\"step\":2}.");
    return report_run(asked, body, asked->kind != &report_growth);
}

/* The people as a condition, with the audience's; nothing where there is none. */
static enum err pick_condition_write(struct report_asked *asked, bool *first)
{
    struct ask                  *ask = &asked->ask;
    SCOPED(buf_donep) struct buf text = buf_make(CALL_ANSWER_BYTES_MAX);
    const struct segment_node   *node = asked->pick.condition;
    if (node == NULL)
        return OK;
    if (ask->audience != 0)
        node = pick_both(ask, ask->conditions[ask->audience - 1].tree, node);
    if (node == NULL)
        return ERR_MEMORY;
    segment_write(&text, node);
    TRY(buf_err(&text));
    write_text(&ask->call->out, first, "condition", buf_view(&text));
    return OK;
}

static enum err people(struct report_asked *asked, const struct json *body)
{
    struct buf *out = &asked->ask.call->out;
    bool        first = true;
    TRY(picked_find(asked, body));
    buf_char(out, '{');
    write_text(out, &first, "report", str_of(asked->kind->name));
    ask_write_point(&asked->ask, out, &first);
    write_int(out, &first, "count", (int64_t)ask_count(&asked->ask, asked->pick.bits));
    TRY(pick_condition_write(asked, &first));
    buf_char(out, ',');
    return ask_write_page(&asked->ask, asked->pick.bits, body);
}

enum err report_people(struct call *call)
{
    struct report_asked asked = { .kind = NULL };
    struct json         body;
    TRY(kind_find(call, &asked.kind));
    TRY(call_body(call, &body));
    enum err err = ask_open(&asked.ask, call, &body);
    if (err == OK)
        err = people(&asked, &body);
    asked_close(&asked);
    return err;
}

/* ---- those people as a list ---- */

struct joining {
    struct call      *call;
    const struct ask *ask;
    struct str        list, body;
    struct json       properties;
    struct entry      entries[LIST_TASK_PEOPLE];
    uint32_t          count;
    uint64_t          joined, seq;
};

/* Whoever joined until the client left, or the report was stopped, is on the list. */
static enum err joining_flush(struct joining *joining)
{
    struct task task = { .profile = 0 };
    int         tries = 0;
    enum err    err;
    do {
        TRY(ask_go_on(joining->ask));
        err = call_submit(joining->call, joining->entries, joining->count, &task);
    } while (err == ERR_WAIT && tries++ < LIST_TRIES_MAX && usleep(LIST_TRY_US) == 0);
    TRY(err);
    joining->joined += joining->count;
    joining->seq = task.seq;
    joining->count = 0;
    return OK;
}

static enum err joining_add(struct joining *joining, uint32_t person)
{
    int64_t now_ms = time_now_ms();
    joining->entries[joining->count++] =
        (struct entry){ .record = { .kind = RECORD_LIST,
                                    .name = joining->list,
                                    .profile = person,
                                    .at_ms = now_ms,
                                    .received_ms = now_ms,
                                    .properties = &joining->properties },
                        .body = joining->body };
    return joining->count == LIST_TASK_PEOPLE ? joining_flush(joining) : OK;
}

static enum err joining_make(const struct ask *ask, const struct report_kind *kind, struct str list,
                             struct joining **out)
{
    struct call                 *call = ask->call;
    SCOPED(buf_donep) struct buf name = buf_make(4 * LIST_NAME_BYTES_MAX);
    struct joining              *joining = ARENA_NEW(call->arena, struct joining);
    json_write_str(&name, list);
    if (joining == NULL || buf_err(&name) != OK)
        return ERR_MEMORY;
    struct str said = str_format(call->arena, "{\"list\":%.*s,\"report\":\"%s\"}",
                                 STR_ARG(buf_view(&name)), kind->name);
    joining->call = call;
    joining->ask = ask;
    joining->list = list;
    joining->body = str_format(call->arena, "{\"properties\":%.*s}", STR_ARG(said));
    *out = joining;
    return json_parse(call->desk->parser, call->arena, said, &joining->properties, NULL);
}

static enum err list_make(struct report_asked *asked, const struct json *body)
{
    struct ask     *ask = &asked->ask;
    struct str      list = json_get_str(body, STR("list"));
    struct joining *joining;
    bool            first = true;
    if (list.len == 0 || list.len > LIST_NAME_BYTES_MAX)
        return problem_set(&ask->call->problem, ERR_INPUT, "list", "Which list are they to join?",
                           "Send {\"list\":\"autumn\"} of at most 200 bytes.");
    TRY(picked_find(asked, body));
    uint64_t count = ask_count(ask, asked->pick.bits);
    if (count > LIST_PEOPLE_MAX)
        return problem_format(&ask->call->problem, ERR_LIMIT, "pick",
                              "Use the condition of these people as a segment instead.",
                              "A list takes at most %d people at once.", LIST_PEOPLE_MAX);
    TRY(joining_make(ask, asked->kind, list, &joining));
    for (uint32_t p = 0; p < ask->view->profiles; p++)
        if (report_bit(asked->pick.bits, p))
            TRY(joining_add(joining, p));
    if (joining->count > 0)
        TRY(joining_flush(joining));
    TRY(ask_go_on(ask));
    buf_char(&ask->call->out, '{');
    write_text(&ask->call->out, &first, "list", list);
    write_int(&ask->call->out, &first, "people", (int64_t)joining->joined);
    write_int(&ask->call->out, &first, "seq", (int64_t)joining->seq);
    buf_char(&ask->call->out, '}');
    return OK;
}

enum err report_list_post(struct call *call)
{
    struct report_asked asked = { .kind = NULL };
    struct json         body;
    TRY(kind_find(call, &asked.kind));
    TRY(call_body(call, &body));
    enum err err = ask_open(&asked.ask, call, &body);
    if (err == OK)
        err = list_make(&asked, &body);
    asked_close(&asked);
    return err;
}

/* ---- those being answered right now ---- */

enum err reports_running(struct call *call)
{
    buf_str(&call->out, STR("{\"items\":["));
    running_write(&call->api->running, &call->out);
    write_next(&call->out, STR_NONE);
    return OK;
}

enum err report_stop(struct call *call)
{
    int64_t number;
    if (str_to_int(call_param(call, "id"), &number) != OK ||
        !running_stop(&call->api->running, (uint64_t)number))
        return problem_set(&call->problem, ERR_ABSENT, "id", "No such report is running.",
                           "It may have ended; look at the list.");
    buf_str(&call->out, STR("{\"stopped\":true}"));
    return OK;
}
