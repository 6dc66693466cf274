/*
 * Why? In a segment: the condition with its evidence. In a journey: the rule of entry, and what was
 * decided about this person and it. A message: everything decided about it.
 */
#include "run/api/story.h"

#include <string.h>

#include "base/time.h"
#include "engine/journey/entering.h"
#include "engine/journey/next.h"
#include "engine/trying.h"
#include "run/api/counting.h"

enum { TRYING_BYTES_MAX = 4096 };

/* ---- conditions ---- */

struct why {
    struct call               *call;
    struct buf                 told; /* the tree, its events by number alone */
    struct str                 who, segment;
    const struct segment_node *tree;
    int64_t                    at_ms;
    enum err                   err;
};

static enum err why_write(struct why *why, struct engine *engine, uint32_t person)
{
    struct program        *program = engine_program(engine);
    struct segment_names   names = program_names(program, false);
    struct segment_program compiled;
    struct buf            *out = &why->call->out;
    bool                   first = true;
    if (why->tree == NULL) {
        uint32_t number = program_segment(program, why->segment);
        if (number == SEGMENT_NO_ID || program->segments.items[number].arena == NULL)
            return problem_format(&why->call->problem, ERR_ABSENT, "segment",
                                  "Look at the list of "
                                  "segments.",
                                  "There is no segment \"%.*s\".", STR_ARG(why->segment));
        why->tree = program->segments.items[number].tree;
    }
    TRY(segment_compile(why->call->arena, why->tree, &names, &compiled, &why->call->problem));
    if (why->at_ms == TIME_NEVER)
        why->at_ms = engine_now_ms(engine);
    buf_char(out, '{');
    write_person(out, &first, "profile", person);
    write_text(out, &first, "segment", why->segment);
    write_time(out, &first, "at", why->at_ms);
    json_write_key(out, &first, "why");
    engine_explain(engine, &compiled, why->tree, person, why->at_ms, &why->told);
    return buf_err(&why->told);
}

static bool why_ask(struct engine *engine, struct task *task)
{
    struct why *why = task->context;
    uint32_t    person = call_find(engine, why->who);
    why->err =
        person == PROFILE_NONE ? call_nobody(why->call, why->who) : why_write(why, engine, person);
    return true;
}

/* ---- evidence: an event's number becomes what the store keeps of it ---- */

static void event_tell(struct call *call, const struct json *event)
{
    struct store_event row;
    struct json        body;
    int64_t            seq = 0;
    struct buf        *out = &call->out;
    json_write(out, event);
    if (!json_get_int(event, STR("seq"), &seq) ||
        store_event_get(call->desk->reader, call->arena, (uint64_t)seq, &row) != OK ||
        json_parse(call->desk->parser, call->arena, row.body, &body, NULL) != OK)
        return;
    const struct json *properties = json_get(&body, STR("properties"));
    if (properties == NULL || properties->kind != JSON_OBJECT || properties->count == 0)
        return;
    out->len--; /* the closing brace */
    buf_str(out, STR(",\"properties\":"));
    json_write(out, properties);
    buf_char(out, '}');
}

static void tree_tell(struct call *call, const struct json *why)
{
    bool first = true;
    buf_char(&call->out, '{');
    for (uint32_t i = 0; i < why->count; i++) {
        struct str         key = why->members[i].key;
        const struct json *value = &why->members[i].value;
        bool is_events = str_eq(key, STR("events")) || str_eq(key, STR("then_events"));
        bool is_list = value->kind == JSON_ARRAY &&
                       (is_events || str_eq(key, STR("parts")) || str_eq(key, STR("steps")));
        if (!first)
            buf_char(&call->out, ',');
        first = false;
        json_write_str(&call->out, key);
        buf_char(&call->out, ':');
        if (!is_list) {
            json_write(&call->out, value);
            continue;
        }
        buf_char(&call->out, '[');
        for (uint32_t k = 0; k < value->count; k++) {
            if (k > 0)
                buf_char(&call->out, ',');
            (is_events ? event_tell : tree_tell)(call, &value->items[k]);
        }
        buf_char(&call->out, ']');
    }
    buf_char(&call->out, '}');
}

static enum err why_answer(struct call *call, struct why *why)
{
    struct json tree;
    TRY(call_ask(call, why_ask, why));
    TRY(why->err);
    TRY(json_parse(call->desk->parser, call->arena, buf_view(&why->told), &tree, NULL));
    tree_tell(call, &tree);
    buf_char(&call->out, '}');
    return OK;
}

static enum err explain_condition(struct call *call, struct str segment, struct str condition)
{
    struct why why = { .call = call,
                       .told = buf_make(CALL_ANSWER_BYTES_MAX),
                       .who = call_param(call, "who"),
                       .segment = segment };
    enum err   err = call_time(call, "at", TIME_NEVER, &why.at_ms);
    if (err == OK && segment.len == 0)
        err = condition_read(call, condition, NULL, &why.tree);
    if (err == OK)
        err = why_answer(call, &why);
    buf_done(&why.told);
    return err;
}

/* ---- decisions about one thing ---- */

static void decisions_write(struct buf *out, const struct story *story, const bool *wanted)
{
    bool any = false;
    buf_char(out, '[');
    for (uint32_t i = story->count; i > 0; i--) { /* as it went: oldest first */
        if (!wanted[i - 1])
            continue;
        if (any)
            buf_char(out, ',');
        any = true;
        story_write(out, &story->decisions[i - 1]);
    }
    buf_char(out, ']');
}

static bool is_of_message(const struct decision *d, uint64_t message)
{
    if (d->kind == DECISION_INTENT)
        return d->id == message;
    return message_state_name(d->kind) != NULL && d->subject == message;
}

struct trying_question {
    uint32_t   person;
    uint64_t   message;
    struct buf out;
};

static bool trying_ask(struct engine *engine, struct task *task)
{
    struct trying_question *question = task->context;
    trying_write(engine, people_root(engine_people(engine), question->person), question->message,
                 &question->out);
    return true;
}

/* What came of it last: nothing while it was only queued and claimed. */
static enum err last_write(struct call *call, const struct story *story, const bool *wanted,
                           bool *first)
{
    uint32_t i = 0;
    while (i < story->count && (!wanted[i] || story->decisions[i].kind == DECISION_INTENT ||
                                story->decisions[i].kind == DECISION_CLAIMED))
        i++;
    if (i == story->count)
        return OK;
    const struct decision *d = &story->decisions[i];
    struct json            detail = { 0 };
    bool                   inner = true;
    if (d->detail.len > 0)
        TRY(json_parse(call->desk->parser, call->arena, d->detail, &detail, NULL));
    json_write_key(&call->out, first, "last");
    buf_char(&call->out, '{');
    write_time(&call->out, &inner, "at", d->at_ms);
    write_text(&call->out, &inner, "state", str_of(message_state_name(d->kind)));
    write_text(&call->out, &inner, "reason", json_get_str(&detail, STR("reason")));
    write_text(&call->out, &inner, "reason", json_get_str(&detail, STR("text")));
    buf_char(&call->out, '}');
    return OK;
}

/* "trying": of one that has not gone, when it is tried next, and why not yet. */
static enum err message_trying_write(struct call *call, uint32_t person, uint64_t message,
                                     bool *first)
{
    struct trying_question question = { person, message, buf_make(TRYING_BYTES_MAX) };
    enum err               err = call_ask(call, trying_ask, &question);
    if (err == OK)
        err = buf_err(&question.out);
    if (err == OK) {
        json_write_key(&call->out, first, "trying");
        buf_str(&call->out, buf_view(&question.out));
    }
    buf_done(&question.out);
    return err;
}

static enum err explain_message(struct call *call, struct str text)
{
    struct story story = { 0 };
    int64_t      message;
    bool         first = true, found = false;
    if (str_to_int(text, &message) != OK || message < 1)
        return problem_set(&call->problem, ERR_INPUT, "message", "This is no message's number.",
                           "Take it from the list of messages.");
    TRY(story_find(call, call_param(call, "who"), &story));
    TRY(story_read(call, &story, NULL, NULL));
    bool *wanted = ARENA_ARRAY(call->arena, story.count, bool);
    if (wanted == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < story.count; i++) {
        wanted[i] = is_of_message(&story.decisions[i], (uint64_t)message);
        found = found || wanted[i];
    }
    if (!found)
        return problem_set(&call->problem, ERR_ABSENT, "message",
                           "This person has no such message.",
                           "Look at the list of this person's messages.");
    buf_char(&call->out, '{');
    write_person(&call->out, &first, "profile", story.person);
    write_int(&call->out, &first, "message", message);
    TRY(message_trying_write(call, story.person, (uint64_t)message, &first));
    TRY(last_write(call, &story, wanted, &first));
    json_write_key(&call->out, &first, "decisions");
    decisions_write(&call->out, &story, wanted);
    buf_char(&call->out, '}');
    return OK;
}

/* ---- a journey ---- */

struct journey_question {
    struct call       *call;
    struct story       story;
    struct str         who, name, definition;
    struct buf         next; /* what comes next, where the person is inside */
    struct buf         entering;
    uint32_t           number;
    bool               is_live;
    enum journey_state state;
    struct buf         choices;               /* of winners at its nodes: all that was ever said */
    uint64_t           inside[API_LIMIT_MAX]; /* enrollments under way */
    uint32_t           inside_count;
};

static bool journey_ask(struct engine *engine, struct task *task)
{
    struct journey_question *question = task->context;
    uint32_t                 person = call_find(engine, question->who);
    question->number = program_journey(engine_program(engine), question->name);
    question->story.person = PROFILE_NONE;
    if (person == PROFILE_NONE || question->number == SEGMENT_NO_ID)
        return true;
    question->is_live = program_journey_live(engine_program(engine), question->number) != NULL;
    question->state = program_journey_state(engine_program(engine), question->number);
    story_heads(engine, person, &question->story);
    const struct state *state = people_state_get(engine_people(engine), person);
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++)
        if (state->rare->enrollments.items[i].journey == question->number &&
            enrollment_is_inside(&state->rare->enrollments.items[i]) &&
            question->inside_count < API_LIMIT_MAX)
            question->inside[question->inside_count++] = state->rare->enrollments.items[i].id;
    next_write(engine, person, question->number, &question->next);
    entering_write(engine, person, question->number, &question->entering);
    return true;
}

/* {"version", "node", "variant"?, "how"?, "at", "author"}: "chosen" of a decision names it. */
static enum err choice_add(struct journey_question *question, const struct store_definition *row)
{
    struct json root;
    bool        first = true;
    struct buf *out = &question->choices;
    if (json_parse_once(question->call->arena, str_copy(question->call->arena, row->text), &root,
                        NULL) != OK ||
        !str_eq(json_get_str(&root, STR("journey")), question->name))
        return OK;
    buf_str(out, out->len == 0 ? STR("{") : STR(",{"));
    write_int(out, &first, "version", row->version);
    write_text(out, &first, "node", json_get_str(&root, STR("node")));
    if (json_get(&root, STR("variant")) != NULL)
        write_text(out, &first, "variant", json_get_str(&root, STR("variant")));
    if (json_get(&root, STR("how")) != NULL)
        write_text(out, &first, "how", json_get_str(&root, STR("how")));
    write_time(out, &first, "at", row->at_ms);
    write_text(out, &first, "author", row->author);
    buf_char(out, '}');
    return buf_err(out);
}

static enum err journey_text_each(void *ctx, const struct store_definition *row)
{
    struct journey_question *question = ctx;
    if (row->kind == DEFINE_JOURNEY_CHOICE)
        return choice_add(question, row);
    if (row->kind != DEFINE_JOURNEY || row->text.len == 0 || !str_eq(row->name, question->name))
        return OK;
    question->definition = str_copy(question->call->arena, row->text);
    return question->definition.ptr == NULL ? ERR_MEMORY : OK;
}

/* Decisions name the journey where they begin, and its enrollment from there on. */
static bool *journey_decisions(struct journey_question *question)
{
    struct story *story = &question->story;
    bool         *wanted = ARENA_ARRAY(question->call->arena, story->count, bool);
    uint64_t     *enrollments = ARENA_ARRAY(question->call->arena, story->count, uint64_t);
    uint32_t      count = 0;
    if (wanted == NULL || enrollments == NULL)
        return NULL;
    for (uint32_t i = story->count; i > 0; i--) {
        const struct decision *d = &story->decisions[i - 1];
        bool is_entry = d->kind == DECISION_ENROLLED || d->kind == DECISION_HELD_OUT;
        bool goes = d->kind == DECISION_STEP || d->kind == DECISION_ENDED ||
                    d->kind == DECISION_INTENT || d->kind == DECISION_GOAL ||
                    d->kind == DECISION_UNREACHED || d->kind == DECISION_MOVED;
        if (is_entry || d->kind == DECISION_NOT_ENROLLED)
            wanted[i - 1] = d->subject == question->number;
        if (is_entry && wanted[i - 1])
            enrollments[count++] = d->id;
        for (uint32_t k = 0; goes && k < count; k++)
            wanted[i - 1] = wanted[i - 1] || enrollments[k] == d->subject;
    }
    return wanted;
}

static enum err journey_rule_write(struct journey_question *question, bool *first)
{
    struct buf *out = &question->call->out;
    struct json definition;
    if (question->definition.len == 0)
        return OK;
    TRY(json_parse(question->call->desk->parser, question->call->arena, question->definition,
                   &definition, NULL));
    json_write_key(out, first, "trigger");
    const struct json *trigger = json_get(&definition, STR("trigger"));
    if (trigger == NULL)
        buf_str(out, STR("null"));
    else
        json_write(out, trigger);
    struct str reentry = json_get_str(&definition, STR("reentry"));
    write_text(out, first, "reentry", reentry.len == 0 ? STR("once") : reentry);
    json_write_key(out, first, "definition");
    json_write(out, &definition);
    return OK;
}

static enum err journey_answer(struct call *call, struct journey_question *question)
{
    struct str name = question->name;
    bool       first = true;
    TRY(call_ask(call, journey_ask, question));
    if (question->number == SEGMENT_NO_ID)
        return problem_format(&call->problem, ERR_ABSENT, "journey",
                              "Look at the list of journeys.", "There is no journey \"%.*s\".",
                              STR_ARG(name));
    if (question->story.person == PROFILE_NONE)
        return call_nobody(call, question->who);
    TRY(buf_err(&question->next));
    TRY(buf_err(&question->entering));
    TRY(store_definitions_read(call->desk->reader, 0, journey_text_each, question));
    TRY(story_read(call, &question->story, NULL, NULL));
    bool *wanted = journey_decisions(question);
    if (wanted == NULL)
        return ERR_MEMORY;
    buf_char(&call->out, '{');
    write_person(&call->out, &first, "profile", question->story.person);
    write_text(&call->out, &first, "journey", name);
    json_write_key(&call->out, &first, "live");
    buf_str(&call->out, question->is_live ? STR("true") : STR("false"));
    if (question->state != JOURNEY_RUNS)
        write_text(&call->out, &first, "state", str_of(journey_state_word(question->state)));
    TRY(journey_rule_write(question, &first));
    json_write_key(&call->out, &first, "inside");
    buf_char(&call->out, '[');
    for (uint32_t i = 0; i < question->inside_count; i++)
        buf_format(&call->out, "%s%llu", i == 0 ? "" : ",",
                   (unsigned long long)question->inside[i]);
    buf_char(&call->out, ']');
    json_write_key(&call->out, &first, "next");
    buf_str(&call->out, buf_view(&question->next));
    json_write_key(&call->out, &first, "entering");
    buf_str(&call->out, buf_view(&question->entering));
    json_write_key(&call->out, &first, "decisions");
    decisions_write(&call->out, &question->story, wanted);
    if (question->choices.len > 0)
        buf_format(&call->out, ",\"choices\":[%.*s]", STR_ARG(buf_view(&question->choices)));
    buf_char(&call->out, '}');
    return OK;
}

static enum err explain_journey(struct call *call, struct str name)
{
    struct journey_question *question = ARENA_NEW(call->arena, struct journey_question);
    if (question == NULL)
        return ERR_MEMORY;
    question->call = call;
    question->who = call_param(call, "who");
    question->name = name;
    question->next = buf_make(CALL_ANSWER_BYTES_MAX);
    question->entering = buf_make(CALL_ANSWER_BYTES_MAX);
    question->choices = buf_make(CALL_ANSWER_BYTES_MAX);
    enum err err = journey_answer(call, question);
    buf_done(&question->next);
    buf_done(&question->entering);
    buf_done(&question->choices);
    return err;
}

/* A score is explained as the condition that it is there. */
static enum err explain_score(struct call *call, struct str name)
{
    SCOPED(buf_donep) struct buf text = buf_make(SEGMENT_TEXT_BYTES_MAX);
    buf_str(&text, STR("score "));
    json_write_str(&text, name);
    buf_str(&text, STR(" exists"));
    TRY(buf_err(&text));
    return explain_condition(call, STR_NONE, buf_view(&text));
}

enum err profile_explain(struct call *call)
{
    struct str segment = call_query(call, "segment"), condition = call_query(call, "condition");
    struct str journey = call_query(call, "journey"), message = call_query(call, "message");
    struct str topic = call_query(call, "topic"), score = call_query(call, "score");
    int asked = (segment.len > 0) + (condition.len > 0) + (journey.len > 0) + (message.len > 0) +
                (topic.len > 0) + (score.len > 0);
    if (asked != 1)
        return problem_set(&call->problem, ERR_INPUT, "segment",
                           "One thing is explained at a time.",
                           "Give one of segment, condition, score, journey, message or topic.");
    if (score.len > 0)
        return explain_score(call, score);
    if (topic.len > 0)
        return consent_explain(call, topic);
    if (journey.len > 0)
        return explain_journey(call, journey);
    if (message.len > 0)
        return explain_message(call, message);
    return explain_condition(call, segment, condition);
}
