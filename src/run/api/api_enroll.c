/*
 * Somebody is let into a journey, or taken out of it: by hand, or by a program.
 *
 *      POST    /api/v1/journeys/NAME/enrollments        {"person", "properties"?} --> RECORD_ENROLL
 *      DELETE  /api/v1/journeys/NAME/enrollments/WHO    the same, to leave
 *
 * The answer says what was decided, as the record's decision tells it.
 */
#include "engine/journey/enrolling.h"

#include <string.h>

#include "base/time.h"
#include "run/api/api_inside.h"
#include "run/api/by_address.h"
#include "run/core/reading.h"

enum { BODY_BYTES_MAX = ENROLLING_BYTES_MAX + 1024, KEY_BYTES_MAX = 200 };

/* ---- who ---- */

struct whom {
    struct str who;
    uint32_t   may_be[BY_ADDRESS_MOST], may_be_count;
    uint16_t   trait;
    uint32_t   person, holders;
};

static bool find_ask(struct engine *engine, struct task *task)
{
    struct whom *whom = task->context;
    whom->person = call_find(engine, whom->who);
    whom->trait = dict_find(engine_program(engine)->names[NAME_TRAIT], STR("email"));
    return true;
}

/* Those whose mail goes to the address. */
static bool holders_ask(struct engine *engine, struct task *task)
{
    struct whom *whom = task->context;
    for (uint32_t i = 0; i < whom->may_be_count && i < BY_ADDRESS_MOST; i++) {
        uint32_t person = people_root(engine_people(engine), whom->may_be[i]);
        if (!str_eq_nocase(engine_address(engine, whom->may_be[i]), whom->who) ||
            person == whom->person)
            continue;
        whom->person = person;
        whom->holders++;
    }
    return true;
}

static enum err address_find(struct call *call, struct whom *whom)
{
    struct view *view = NULL;
    enum err     err = reading_view(core_reading(call->api->conf.core), &view);
    if (err == ERR_WAIT)
        return OK; /* nothing is known yet */
    TRY(err);
    err = by_address_find(call->api->by_address, view, whom->trait, whom->who, whom->may_be,
                          &whom->may_be_count);
    view_drop(view);
    TRY(err);
    TRY(call_ask(call, holders_ask, whom));
    if (whom->holders <= 1 && whom->may_be_count <= BY_ADDRESS_MOST)
        return OK;
    return problem_format(&call->problem, ERR_CONFLICT, "person",
                          "Name the one that is meant by userId, or a profile such as \"p12\".",
                          "Several people have the address \"%.*s\".", STR_ARG(whom->who));
}

/* A name as everywhere; else whose e-mail address it is. */
static enum err person_find(struct call *call, struct str who, uint32_t *out)
{
    struct whom whom = { .who = who };
    TRY(call_ask(call, find_ask, &whom));
    if (whom.person == PROFILE_NONE && str_find_char(who, 0, '@') < who.len)
        TRY(address_find(call, &whom));
    if (whom.person == PROFILE_NONE)
        return call_nobody(call, who);
    *out = whom.person;
    return OK;
}

/* ---- the record ---- */

/* Who asks again under the same key asks once. */
static enum err key_read(struct call *call, struct str *out)
{
    struct str key = http_header(call->request, STR("Idempotency-Key"));
    *out = STR_NONE;
    if (key.len == 0)
        return OK;
    for (size_t i = 0; i < key.len; i++)
        if (key.ptr[i] < ' ' || key.ptr[i] > '~' || key.len > KEY_BYTES_MAX)
            return problem_set(&call->problem, ERR_INPUT, "Idempotency-Key",
                               "A key is at most 200 plain characters.", "Use a UUID.");
    *out = str_format(call->arena, "enroll:%.*s", STR_ARG(key));
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

static enum err record_submit(struct call *call, struct str journey, uint32_t person,
                              const struct json *given, bool leaves, struct task *task)
{
    struct str key;
    TRY(key_read(call, &key));
    SCOPED(buf_donep) struct buf body = buf_make(BODY_BYTES_MAX);
    struct json                  properties;
    bool                         first = true;
    int64_t                      now_ms = time_now_ms();
    TRY(enrolling_properties(call->arena, given, journey, &properties, &call->problem));
    buf_char(&body, '{');
    json_write_key(&body, &first, "properties");
    json_write(&body, &properties);
    buf_char(&body, '}');
    TRY(buf_err(&body));
    struct entry entry = { .record = { .kind = RECORD_ENROLL,
                                       .flags = leaves ? RECORD_LEAVE : 0,
                                       .name = leaves ? EVENT_JOURNEY_EXIT : EVENT_JOURNEY_ENTRY,
                                       .body = journey,
                                       .profile = person,
                                       .at_ms = now_ms,
                                       .received_ms = now_ms,
                                       .properties = &properties },
                           .message_id = key,
                           .body = buf_view(&body) };
    return call_submit(call, &entry, 1, task);
}

/* ---- the answer ---- */

struct told {
    struct call *call;
    uint32_t     kind;
    struct str   detail;
};

static enum err told_each(void *ctx, const struct store_decision *row)
{
    struct told *told = ctx;
    told->kind = row->kind;
    told->detail = str_copy(told->call->arena, row->detail);
    return told->detail.ptr == NULL ? ERR_MEMORY : OK;
}

static enum err answer_write(struct call *call, struct str journey, uint32_t person,
                             const struct task *task)
{
    struct told told = { .call = call };
    struct json detail = { .kind = JSON_NULL };
    bool        first = true;
    if (task->duplicates == 0)
        TRY(store_decisions_read(call->desk->reader, task->message, task->message, told_each,
                                 &told));
    if (told.detail.len > 0)
        TRY(json_parse(call->desk->parser, call->arena, told.detail, &detail, NULL));
    struct str reason =
        detail.kind == JSON_OBJECT ? json_get_str(&detail, STR("reason")) : STR_NONE;
    buf_char(&call->out, '{');
    write_person(&call->out, &first, "profile", person);
    write_text(&call->out, &first, "journey", journey);
    write_text(&call->out, &first, "result",
               task->duplicates > 0                          ? STR("done before")
               : told.kind == STORE_DECISION_JOURNEY_ENTERED ? STR("entered")
               : told.kind == STORE_DECISION_JOURNEY_REFUSED ? STR("turned away")
               : told.kind == STORE_DECISION_HELD_OUT        ? STR("held out")
                                                             : STR("left"));
    if (told.kind == STORE_DECISION_JOURNEY_REFUSED)
        write_text(&call->out, &first, "reason", reason);
    if (told.kind == STORE_DECISION_JOURNEY_ENTERED)
        write_int(&call->out, &first, "enrollment", (int64_t)task->message);
    write_int(&call->out, &first, "seq", (int64_t)task->seq);
    buf_char(&call->out, '}');
    return OK;
}

static enum err members_check(struct call *call, const struct json *body)
{
    char where[64];
    for (uint32_t i = 0; i < body->count; i++)
        if (!str_eq(body->members[i].key, STR("person")) &&
            !str_eq(body->members[i].key, STR("properties")))
            return problem_set(&call->problem, ERR_INPUT,
                               str_to_cstr(body->members[i].key, where, sizeof where),
                               "Nothing of that name is taken.",
                               "Send {\"person\":\"ada\",\"properties\":{...}}.");
    return OK;
}

enum err enrollment_post(struct call *call)
{
    struct json body;
    struct task task;
    uint32_t    person;
    struct str  journey = call_param(call, "name");
    TRY(call_body(call, &body));
    TRY(members_check(call, &body));
    struct str who = json_get_str(&body, STR("person"));
    if (who.len == 0)
        return problem_set(&call->problem, ERR_INPUT, "person", "Who is let in?",
                           "Send {\"person\":\"ada\"}: a userId, an e-mail address, or \"p12\".");
    TRY(person_find(call, who, &person));
    TRY(record_submit(call, journey, person, json_get(&body, STR("properties")), false, &task));
    return answer_write(call, journey, person, &task);
}

enum err enrollment_delete(struct call *call)
{
    struct task task;
    uint32_t    person;
    struct str  journey = call_param(call, "name");
    TRY(person_find(call, call_param(call, "who"), &person));
    TRY(record_submit(call, journey, person, NULL, true, &task));
    return answer_write(call, journey, person, &task);
}
