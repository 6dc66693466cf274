/* People: who they are by now, and what can be changed about them by hand. */
#include "run/api/api_inside.h"

#include "base/time.h"

enum { NOTE_BYTES_MAX = 200 };

struct profile_question {
    struct call *call;
    struct str   who;
    uint32_t     person;
};

/* ---- showing: all of it on the engine thread, into the answer ---- */

static void comma(struct buf *out, bool *any)
{
    if (*any)
        buf_char(out, ',');
    *any = true;
    buf_char(out, '{');
}

static const char *kind_name(enum identity_kind kind)
{
    return kind == IDENTITY_USER ? "user" : kind == IDENTITY_ANONYMOUS ? "anonymous" : "external";
}

static void identities_write(const struct people *people, uint32_t person, struct buf *out)
{
    uint32_t member = person;
    bool     any = false;
    do {
        uint32_t           at = PROFILE_NONE;
        enum identity_kind kind;
        struct str         text;
        while (people_identity(people, member, &at, &kind, &text)) {
            bool first = true;
            comma(out, &any);
            write_text(out, &first, "kind", str_of(kind_name(kind)));
            write_text(out, &first, "id", text);
            write_person(out, &first, "profile", member);
            buf_char(out, '}');
        }
        member = people_get(people, member)->next;
    } while (member != person);
}

static void since_write(const struct engine *engine, uint32_t person,
                        const struct membership *membership, int64_t *reads, struct buf *out,
                        bool *first)
{
    struct segment_since since = engine_since(engine, person, membership->segment, reads);
    bool                 is_known = since.since_ms != FACTS_SINCE_UNKNOWN;
    write_time(out, first, "since", is_known ? since.since_ms : membership->entered_ms);
    if (!since.or_earlier)
        return;
    json_write_key(out, first, "orEarlier");
    buf_str(out, STR("true"));
}

static void segments_write(struct engine *engine, uint32_t person, const struct state *state,
                           struct buf *out)
{
    const struct program *program = engine_program(engine);
    bool                  any = false;
    int64_t               reads = SEGMENT_READS_MAX;
    for (uint32_t i = 0; i < state->memberships.count; i++) {
        struct membership membership = memberships_at(&state->memberships, i);
        bool              first = true;
        if (!membership.in || program->segments.items[membership.segment].is_beginning)
            continue;
        comma(out, &any);
        write_text(out, &first, "segment", program_name(program, NAME_SEGMENT, membership.segment));
        since_write(engine, person, &membership, &reads, out, &first);
        write_time(out, &first, "entered", membership.entered_ms);
        write_time(out, &first, "until", membership.until_ms);
        buf_char(out, '}');
    }
}

static void journeys_write(const struct program *program, const struct state *state,
                           struct buf *out)
{
    bool any = false;
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++) {
        const struct enrollment      *e = &state->rare->enrollments.items[i];
        const struct journey_version *version =
            program_journey_version(program, e->journey, e->version);
        bool first = true;
        if (!enrollment_is_inside(e))
            continue; /* only the time for its goal runs */
        comma(out, &any);
        write_text(out, &first, "journey", program_name(program, NAME_JOURNEY, e->journey));
        write_int(out, &first, "enrollment", (int64_t)e->id);
        write_int(out, &first, "version", e->version);
        if (version != NULL && e->node < version->journey.nodes_count)
            write_text(out, &first, "node", version->journey.nodes[e->node].id);
        write_time(out, &first, "entered", e->entered_ms);
        write_time(out, &first, "due", e->due_ms);
        buf_char(out, '}');
    }
}

static void pasts_write(const struct program *program, const struct state *state, struct buf *out)
{
    bool any = false;
    for (uint32_t i = 0; i < state->rare->pasts.count; i++) {
        bool first = true;
        comma(out, &any);
        write_text(out, &first, "journey",
                   program_name(program, NAME_JOURNEY, state->rare->pasts.items[i].journey));
        write_int(out, &first, "times", state->rare->pasts.items[i].times);
        write_time(out, &first, "entered", state->rare->pasts.items[i].entered_ms);
        buf_char(out, '}');
    }
}

static void consents_write(const struct program *program, const struct state *state,
                           struct buf *out)
{
    bool any = false;
    for (uint32_t i = 0; i < state->rarer->consents.count; i++) {
        const struct consent *consent = &state->rarer->consents.items[i];
        bool                  first = true;
        comma(out, &any);
        write_text(out, &first, "topic",
                   consent->topic == 0 ? STR("*")
                                       : program_name(program, NAME_TOPIC, consent->topic));
        if (consent->channel != CHANNEL_ALL)
            write_text(out, &first, "channel",
                       channel_name((enum consent_channel)consent->channel));
        write_text(out, &first, "state", consent_word((enum consent_state)consent->state));
        write_time(out, &first, "at", consent->at_ms);
        buf_char(out, '}');
    }
}

static void lists_write(const struct program *program, const struct state *state, struct buf *out)
{
    bool any = false;
    for (uint32_t i = 0; i < state->rarer->lists.count; i++) {
        bool first = true;
        comma(out, &any);
        write_text(out, &first, "list",
                   program_name(program, NAME_LIST, state->rarer->lists.items[i].list));
        write_time(out, &first, "since", state->rarer->lists.items[i].since_ms);
        buf_char(out, '}');
    }
}

static void merges_write(const struct state *state, struct buf *out)
{
    bool any = false;
    for (uint32_t i = 0; i < state->rarer->merges.count; i++) {
        bool first = true;
        comma(out, &any);
        write_int(out, &first, "merge", (int64_t)state->rarer->merges.items[i].id);
        write_person(out, &first, "from", state->rarer->merges.items[i].from);
        write_person(out, &first, "into", state->rarer->merges.items[i].into);
        buf_char(out, '}');
    }
}

static void array_write(struct buf *out, bool *first, const char *key)
{
    json_write_key(out, first, key);
    buf_char(out, '[');
}

static void state_write(struct engine *engine, uint32_t person, struct buf *out)
{
    const struct program *program = engine_program(engine);
    const struct state   *state = people_state_get(engine_people(engine), person);
    bool                  first = false;
    array_write(out, &first, "segments");
    segments_write(engine, person, state, out);
    buf_char(out, ']');
    array_write(out, &first, "journeys");
    journeys_write(program, state, out);
    buf_char(out, ']');
    array_write(out, &first, "journeysEntered");
    pasts_write(program, state, out);
    buf_char(out, ']');
    array_write(out, &first, "consents");
    consents_write(program, state, out);
    buf_char(out, ']');
    array_write(out, &first, "lists");
    lists_write(program, state, out);
    buf_char(out, ']');
    array_write(out, &first, "merges");
    merges_write(state, out);
    buf_char(out, ']');
    write_int(out, &first, "messagesPending", state->rare->messages.count);
}

enum { PROFILE_COMPUTED_BYTES_MAX = 1 << 20 };

void profile_write(struct engine *engine, uint32_t person, struct buf *out)
{
    const struct people *people = engine_people(engine);
    bool                 first = true;
    buf_char(out, '{');
    write_person(out, &first, "id", person);
    write_int(out, &first, "profiles", people_ring_count(people, person));
    array_write(out, &first, "identities");
    identities_write(people, person, out);
    buf_char(out, ']');
    json_write_key(out, &first, "traits");
    engine_traits_write(engine, person, out);
    json_write_key(out, &first, "computed");
    engine_computed_write(engine, person, PROFILE_COMPUTED_BYTES_MAX, out);
    json_write_key(out, &first, "derived");
    engine_derived_write(engine, person, out);
    state_write(engine, person, out);
    if (people_get(people, person)->shared)
        buf_str(out, STR(",\"shared\":true"));
    buf_char(out, '}');
}

static bool profile_ask(struct engine *engine, struct task *task)
{
    struct profile_question *question = task->context;
    question->person = call_find(engine, question->who);
    if (question->person != PROFILE_NONE)
        profile_write(engine, question->person, &question->call->out);
    return true;
}

enum err profile_show(struct call *call)
{
    struct profile_question question = { .call = call, .who = call_param(call, "who") };
    TRY(call_ask(call, profile_ask, &question));
    return question.person == PROFILE_NONE ? call_nobody(call, question.who) : OK;
}

/* ---- changing ---- */

static bool find_ask(struct engine *engine, struct task *task)
{
    struct profile_question *question = task->context;
    question->person = call_find(engine, question->who);
    return true;
}

static enum err person_find(struct call *call, uint32_t *out)
{
    struct profile_question question = { .call = call, .who = call_param(call, "who") };
    TRY(call_ask(call, find_ask, &question));
    if (question.person == PROFILE_NONE)
        return call_nobody(call, question.who);
    *out = question.person;
    return OK;
}

/* When it was said: `at`, or now. Nothing is said in the future. */
static enum err said_read(struct call *call, const struct json *body, struct record *record)
{
    struct str at = json_get_str(body, STR("at"));
    record->at_ms = record->received_ms = time_now_ms();
    if (json_get(body, STR("at")) == NULL ||
        (time_parse(at, &record->at_ms) == OK && record->at_ms <= record->received_ms))
        return OK;
    return problem_format(&call->problem, ERR_INPUT, "at",
                          "Write it as 2026-01-31T12:00:00Z, or leave it out for now.",
                          "\"%.*s\" is no instant in the past.", STR_ARG(at));
}

/* Submits one record and answers with what it is. `body` is stored with it. */
static enum err change_submit(struct call *call, struct record record, const struct json *body)
{
    SCOPED(buf_donep) struct buf text = buf_make(HTTP_BODY_BYTES_MAX);
    struct task                  task;
    bool                         first = true;
    buf_str(&text, STR("{\"properties\":"));
    json_write(&text, body);
    buf_char(&text, '}');
    TRY(buf_err(&text));
    TRY(said_read(call, body, &record));
    record.properties = body;
    struct entry entry = { .record = record, .body = buf_view(&text) };
    TRY(call_submit(call, &entry, 1, &task));
    buf_char(&call->out, '{');
    write_person(&call->out, &first, "profile", record.profile);
    write_int(&call->out, &first, "seq", (int64_t)task.seq);
    buf_char(&call->out, '}');
    return OK;
}

enum err profile_unmerge(struct call *call)
{
    struct json   body;
    struct record record = { .kind = RECORD_UNMERGE };
    int64_t       merge;
    TRY(call_body(call, &body));
    if (!json_get_int(&body, STR("merge"), &merge) || merge < 1)
        return problem_set(&call->problem, ERR_INPUT, "merge", "Which merge is to be undone?",
                           "Send {\"merge\":NUMBER} with a number of the person's `merges`.");
    TRY(person_find(call, &record.profile));
    record.merge = (uint64_t)merge;
    return change_submit(call, record, &body);
}

enum err profile_lists(struct call *call)
{
    struct json   body;
    struct record record = { .kind = RECORD_LIST };
    TRY(call_body(call, &body));
    record.name = json_get_str(&body, STR("list"));
    if (record.name.len == 0 || record.name.len > NOTE_BYTES_MAX)
        return problem_set(&call->problem, ERR_INPUT, "list", "Which list?",
                           "Send {\"list\":\"newsletter\"}, with \"leave\":true to leave it.");
    if (json_get_bool(&body, STR("leave"), false))
        record.flags = RECORD_LEAVE;
    TRY(person_find(call, &record.profile));
    return change_submit(call, record, &body);
}
