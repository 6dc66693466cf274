/*
 * The stage of one person: which it is, and by whose word; set by hand, and cleared.
 *
 *      PUT {"stage":"customer","until":"2027-01-31T00:00:00Z","why":"signed on paper"}
 *
 * The word is an identify of Dult's own: "$stage", "$stage_until", "$stage_by" and "$stage_why" are
 * told by one record, which stays as the proof. A word that takes back tells them all as null.
 */
#include "run/api/api_inside.h"

#include "base/time.h"

enum { WHY_BYTES_MAX = 200, WORDS = 4 };

struct stage_question {
    struct call *call;
    struct str   who, stage;
    uint32_t     person;
    bool         is_known; /* there is such a stage */
};

static void hand_write(const struct stage_answer *answer, struct buf *out, bool *first)
{
    bool is_first = true;
    json_write_key(out, first, "by_hand");
    if (str_is_empty(answer->hand)) {
        buf_str(out, STR("null"));
        return;
    }
    buf_char(out, '{');
    write_text(out, &is_first, "stage", answer->hand);
    write_time(out, &is_first, "at", answer->hand_ms);
    write_time(out, &is_first, "until", answer->until_ms);
    write_text(out, &is_first, "by", answer->by);
    write_text(out, &is_first, "why", answer->why);
    json_write_key(out, &is_first, "in_force");
    buf_str(out, answer->is_in_force ? STR("true") : STR("false"));
    buf_char(out, '}');
}

static bool show_ask(struct engine *engine, struct task *task)
{
    struct stage_question *question = task->context;
    struct buf            *out = &question->call->out;
    struct stage_answer    answer;
    bool                   first = true;
    question->person = call_find(engine, question->who);
    if (question->person == PROFILE_NONE)
        return true;
    engine_stage(engine, people_root(engine_people(engine), question->person), &answer);
    buf_char(out, '{');
    write_person(out, &first, "profile", question->person);
    json_write_key(out, &first, "stage");
    if (str_is_empty(answer.stage)) {
        buf_str(out, STR("null"));
    } else {
        bool is_hand = answer.is_in_force && str_eq(answer.stage, answer.hand);
        json_write_str(out, answer.stage);
        if (answer.since.since_ms != FACTS_SINCE_UNKNOWN)
            write_time(out, &first, "since", answer.since.since_ms);
        write_text(out, &first, "by", is_hand ? STR("hand") : STR("rule"));
    }
    hand_write(&answer, out, &first);
    buf_char(out, '}');
    return true;
}

enum err profile_stage(struct call *call)
{
    struct stage_question question = { .call = call, .who = call_param(call, "who") };
    TRY(call_ask(call, show_ask, &question));
    return question.person == PROFILE_NONE ? call_nobody(call, question.who) : OK;
}

/* ---- setting and clearing ---- */

static bool find_ask(struct engine *engine, struct task *task)
{
    struct stage_question   *question = task->context;
    const struct stages_def *stages = &engine_program(engine)->stages;
    question->person = call_find(engine, question->who);
    for (uint32_t i = 0; i < stages->count; i++)
        question->is_known = question->is_known || str_eq(stages->items[i].name, question->stage);
    return true;
}

/* Who vouches for the word: the key, or who sits at the machine. */
static struct str by_of(struct call *call)
{
    return http_is_local(call->request)
               ? STR("command line")
               : str_format(call->arena, "key %llu", (unsigned long long)route_who(call->request));
}

static struct json text_json(struct str text)
{
    return (struct json){ .kind = str_is_empty(text) ? JSON_NULL : JSON_STRING, .string = text };
}

/* Tells the four words; the empty stage takes back what was said. */
static enum err word_submit(struct call *call, const struct stage_question *question,
                            struct str until, struct str why)
{
    SCOPED(buf_donep) struct buf body = buf_make(HTTP_BODY_BYTES_MAX);
    struct json_member           members[WORDS] = {
                  { STAGE_TRAIT, text_json(question->stage) },
                  { STAGE_TRAIT_UNTIL, text_json(until) },
                  { STAGE_TRAIT_BY, text_json(by_of(call)) },
                  { STAGE_TRAIT_WHY, text_json(why) },
    };
    struct json  traits = { .kind = JSON_OBJECT, .count = WORDS, .members = members };
    struct entry entry = { .record = { .kind = RECORD_IDENTIFY,
                                       .flags = RECORD_NUMBERED,
                                       .profile = question->person,
                                       .at_ms = time_now_ms(),
                                       .properties = &traits } };
    struct task  task;
    bool         first = true;
    entry.record.received_ms = entry.record.at_ms;
    buf_str(&body, STR("{\"traits\":"));
    json_write(&body, &traits);
    buf_char(&body, '}');
    TRY(buf_err(&body));
    entry.body = buf_view(&body);
    TRY(call_submit(call, &entry, 1, &task));
    buf_char(&call->out, '{');
    write_person(&call->out, &first, "profile", question->person);
    write_int(&call->out, &first, "seq", (int64_t)task.seq);
    buf_char(&call->out, '}');
    return OK;
}

static enum err until_read(struct call *call, const struct json *body, struct str *out)
{
    const struct json *given = json_get(body, STR("until"));
    int64_t            until_ms;
    char               text[TIME_TEXT_BYTES];
    *out = STR_NONE;
    if (given == NULL || given->kind == JSON_NULL)
        return OK;
    if (given->kind != JSON_STRING || time_parse(given->string, &until_ms) != OK ||
        until_ms <= time_now_ms())
        return problem_set(&call->problem, ERR_INPUT, "until", "This is no instant to come.",
                           "Write it as 2027-01-31T12:00:00Z, or leave it out: until it is "
                           "cleared.");
    *out = str_copy(call->arena, str_of(time_write(until_ms, text)));
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

static enum err why_read(struct call *call, const struct json *given, struct str *out)
{
    *out = STR_NONE;
    if (given == NULL || given->kind == JSON_NULL)
        return OK;
    if (given->kind != JSON_STRING || given->string.len > WHY_BYTES_MAX)
        return problem_set(&call->problem, ERR_INPUT, "why",
                           "This is no text of at most 200 bytes.", "Shorten it, or leave it out.");
    *out = given->string;
    return OK;
}

enum err profile_stage_set(struct call *call)
{
    struct json           body;
    struct str            until, why;
    struct stage_question question = { .call = call, .who = call_param(call, "who") };
    TRY(call_body(call, &body));
    question.stage = json_get_str(&body, STR("stage"));
    TRY(until_read(call, &body, &until));
    TRY(why_read(call, json_get(&body, STR("why")), &why));
    TRY(call_ask(call, find_ask, &question));
    if (question.person == PROFILE_NONE)
        return call_nobody(call, question.who);
    if (!question.is_known)
        return problem_format(&call->problem, ERR_INPUT, "stage",
                              "GET /api/v1/stages (`dult stages show`) lists them.",
                              "There is no stage \"%.*s\".", STR_ARG(question.stage));
    return word_submit(call, &question, until, why);
}

enum err profile_stage_clear(struct call *call)
{
    struct str            why;
    struct stage_question question = { .call = call, .who = call_param(call, "who") };
    struct json           given = text_json(call_query(call, "why"));
    TRY(why_read(call, &given, &why));
    TRY(call_ask(call, find_ask, &question));
    if (question.person == PROFILE_NONE)
        return call_nobody(call, question.who);
    return word_submit(call, &question, STR_NONE, why);
}
