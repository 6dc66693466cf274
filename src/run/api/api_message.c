/*
 * One message, with every step of its way: GET /api/v1/messages/{id}.
 *
 *      decisions of its person about it:  queued, sending, sent, ...
 *      events of its person about it:     opened, clicked, bounced, complained, unsubscribed
 */
#include "run/api/story.h"
#include "run/send/teller.h"

#include <stdlib.h>
#include <string.h>

enum { STEP_EVENTS_MAX = 1000 };

struct step_row {
    int64_t                at_ms;
    uint64_t               seq;
    const struct decision *decision; /* or */
    struct store_event     event;
};

struct one {
    struct call     *call;
    uint64_t         id;
    struct decision  intent;
    struct str       intent_detail;
    struct story     story;
    struct step_row *steps;
    uint32_t         steps_count, steps_room;
    uint64_t         seqs[STEP_EVENTS_MAX];
    uint32_t         seqs_count;
};

/* ---- finding ---- */

static enum err nothing(struct call *call)
{
    return problem_set(&call->problem, ERR_ABSENT, "id", "There is no such message.",
                       "Take the id of POST /api/v1/messages or of the list of messages.");
}

static enum err intent_get(struct one *one)
{
    struct store_decision row;
    enum err err = store_decision_get(one->call->desk->reader, one->call->arena, one->id, &row);
    if (err == ERR_ABSENT || (err == OK && row.kind != STORE_DECISION_MESSAGE_QUEUED))
        return nothing(one->call);
    TRY(err);
    decision_of_row(&row, &one->intent);
    one->intent_detail = row.detail;
    return OK;
}

static bool heads_ask(struct engine *engine, struct task *task)
{
    struct one          *one = task->context;
    const struct people *people = engine_people(engine);
    one->story.person = PROFILE_NONE;
    if (people_is_nobody(people, one->intent.profile))
        return true;
    uint32_t person = people_root(people, one->intent.profile);
    story_heads(engine, person, &one->story);
    one->seqs_count =
        engine_message_events(engine, person, one->intent.seq, one->seqs, STEP_EVENTS_MAX);
    return true;
}

static bool about_it(const void *context, const struct decision *d)
{
    const struct one *one = context;
    if (d->kind == DECISION_INTENT)
        return d->id == one->id;
    return message_state_name(d->kind) != NULL && d->subject == one->id;
}

static struct step_row *step_add(struct one *one)
{
    if (one->steps_count == one->steps_room) {
        uint32_t         room = one->steps_room == 0 ? 32 : one->steps_room * 2;
        struct step_row *grown = ARENA_ARRAY(one->call->arena, room, struct step_row);
        if (grown == NULL)
            return NULL;
        if (one->steps_count > 0)
            memcpy(grown, one->steps, one->steps_count * sizeof *grown);
        one->steps = grown;
        one->steps_room = room;
    }
    struct step_row *step = &one->steps[one->steps_count++];
    *step = (struct step_row){ .at_ms = 0 };
    return step;
}

/* Links say it as a number, outcomes as a text. */
static bool is_of(const struct json *properties, uint64_t message)
{
    int64_t number;
    if (json_get_int(properties, STR("message"), &number))
        return (uint64_t)number == message;
    return str_to_int(json_get_str(properties, STR("message")), &number) == OK &&
           (uint64_t)number == message;
}

static enum err event_each(void *ctx, const struct store_event *row)
{
    struct one *one = ctx;
    struct json body;
    if (message_event_word(row->name) == NULL)
        return OK;
    TRY(json_parse(one->call->desk->parser, one->call->arena, row->body, &body, NULL));
    if (!is_of(json_get(&body, STR("properties")), one->id))
        return OK;
    struct step_row *step = step_add(one);
    if (step == NULL)
        return ERR_MEMORY;
    step->at_ms = row->at_ms;
    step->seq = row->seq;
    step->event = *row;
    step->event.body = str_copy(one->call->arena, row->body);
    return step->event.body.ptr == NULL ? ERR_MEMORY : OK;
}

static int in_order(const void *a, const void *b)
{
    const struct step_row *x = a, *y = b;
    if (x->seq != y->seq)
        return x->seq < y->seq ? -1 : 1;
    uint64_t i = x->decision == NULL ? UINT64_MAX : x->decision->id;
    uint64_t k = y->decision == NULL ? UINT64_MAX : y->decision->id;
    return i < k ? -1 : i > k;
}

static enum err steps_find(struct one *one)
{
    TRY(call_ask(one->call, heads_ask, one));
    if (one->story.person == PROFILE_NONE)
        return nothing(one->call); /* erased */
    TRY(story_read(one->call, &one->story, about_it, one));
    for (uint32_t i = 0; i < one->story.count; i++) {
        struct step_row *step = step_add(one);
        if (step == NULL)
            return ERR_MEMORY;
        step->decision = &one->story.decisions[i];
        step->at_ms = step->decision->at_ms;
        step->seq = step->decision->seq;
    }
    TRY(store_events_by_seqs(one->call->desk->reader, one->seqs, one->seqs_count, event_each, one));
    if (one->steps_count > 1)
        qsort(one->steps, one->steps_count, sizeof *one->steps, in_order);
    return OK;
}

/* ---- writing ---- */

static void members_write(struct buf *out, bool *first, const struct json *object,
                          const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct json *value = json_get(object, str_of(keys[i]));
        if (value == NULL)
            continue;
        json_write_key(out, first, keys[i]);
        json_write(out, value);
    }
}

static enum err decision_write(struct one *one, const struct decision *d)
{
    static const char *const keys[] = { "to", "reason", "text" };
    struct buf              *out = &one->call->out;
    struct json              detail;
    bool                     first = false;
    int64_t                  retry_ms;
    TRY(json_parse(one->call->desk->parser, one->call->arena, d->detail, &detail, NULL));
    members_write(out, &first, &detail, keys, sizeof keys / sizeof keys[0]);
    if (json_get_int(&detail, STR("retry_at"), &retry_ms))
        write_time(out, &first, "next", retry_ms);
    return OK;
}

static enum err event_write(struct one *one, const struct store_event *event)
{
    static const char *const keys[] = { "url",    "machine", "class", "recipient",
                                        "status", "reason",  "said" };
    struct json              body;
    bool                     first = false;
    TRY(json_parse(one->call->desk->parser, one->call->arena, event->body, &body, NULL));
    members_write(&one->call->out, &first, json_get(&body, STR("properties")), keys,
                  sizeof keys / sizeof keys[0]);
    return OK;
}

static enum err step_write(struct one *one, const struct step_row *step, bool is_first)
{
    struct buf *out = &one->call->out;
    bool        first = true;
    buf_str(out, is_first ? STR("{") : STR(",{"));
    write_text(out, &first, "step",
               str_of(step->decision != NULL ? message_state_name(step->decision->kind)
                                             : message_event_word(step->event.name)));
    write_time(out, &first, "at", step->at_ms);
    if (step->decision != NULL)
        TRY(decision_write(one, step->decision));
    else
        TRY(event_write(one, &step->event));
    buf_char(out, '}');
    return OK;
}

/* The steps are in order, so the last decision is its state. */
static const char *state_of(const struct one *one)
{
    const char *state = "queued";
    for (uint32_t i = 0; i < one->steps_count; i++)
        if (one->steps[i].decision != NULL)
            state = message_state_name(one->steps[i].decision->kind);
    return state;
}

static enum err asked_write(struct one *one, const struct json *detail, bool *first)
{
    static const char *const keys[] = { "reply_to", "files" };
    struct buf              *out = &one->call->out;
    int64_t                  seq = 0;
    struct store_event       row;
    struct json              body;
    if (one->intent.subject != 0 || !json_get_int(detail, STR("event"), &seq) ||
        store_event_get(one->call->desk->reader, one->call->arena, (uint64_t)seq, &row) != OK)
        return OK;
    TRY(json_parse(one->call->desk->parser, one->call->arena, row.body, &body, NULL));
    write_text(out, first, "key", row.message_id);
    write_text(out, first, "to", json_get_str(json_get(&body, STR("properties")), STR("to")));
    members_write(out, first, &body, keys, sizeof keys / sizeof keys[0]);
    return OK;
}

enum err message_show(struct call *call)
{
    static const char *const keys[] = { "template", "journey", "broadcast", "node" };
    struct one              *one = ARENA_NEW(call->arena, struct one);
    struct buf              *out = &call->out;
    struct json              detail;
    int64_t                  id;
    bool                     first = true;
    if (one == NULL)
        return ERR_MEMORY;
    if (str_to_int(call_param(call, "id"), &id) != OK || id < 1)
        return nothing(call);
    one->call = call;
    one->id = (uint64_t)id;
    TRY(intent_get(one));
    TRY(steps_find(one));
    TRY(json_parse(call->desk->parser, call->arena, one->intent_detail, &detail, NULL));
    buf_char(out, '{');
    write_int(out, &first, "id", id);
    write_text(out, &first, "state", str_of(state_of(one)));
    write_person(out, &first, "profile", one->story.person);
    members_write(out, &first, &detail, keys, sizeof keys / sizeof keys[0]);
    TRY(asked_write(one, &detail, &first));
    write_time(out, &first, "due", one->intent.at_ms);
    json_write_key(out, &first, "steps");
    buf_char(out, '[');
    for (uint32_t i = 0; i < one->steps_count; i++)
        TRY(step_write(one, &one->steps[i], i == 0));
    buf_str(out, STR("]}"));
    return OK;
}
