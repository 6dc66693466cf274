/*
 * Consent by hand or by a program; what somebody has said, with the proof of each word; and what
 * may be sent to them because of it.
 */
#include "run/api/saying.h"
#include "run/api/story.h"

#include "base/time.h"

enum { PROOF_TEXT_BYTES_MAX = 2000 };

/* ---- saying ---- */

struct who_question {
    struct str who;
    uint32_t   person;
};

static bool who_ask(struct engine *engine, struct task *task)
{
    struct who_question *question = task->context;
    question->person = call_find(engine, question->who);
    return true;
}

static enum err text_get(struct call *call, const struct json *object, const char *key,
                         size_t bytes_max, struct str *out)
{
    const struct json *value = json_get(object, str_of(key));
    *out = STR_NONE;
    if (value == NULL)
        return OK;
    if (value->kind != JSON_STRING || value->string.len > bytes_max)
        return problem_format(&call->problem, ERR_LIMIT, key, "Shorten it, or leave it out.",
                              "This is no text of at most %zu bytes.", bytes_max);
    *out = value->string;
    return OK;
}

/* "text": what they had before them, as words, or {"version", "language"} of the topics. */
static enum err shown_read(struct call *call, const struct json *body, struct saying *saying)
{
    const struct json *text = json_get(body, STR("text"));
    int64_t            version = 0;
    if (text == NULL || text->kind == JSON_STRING)
        return text_get(call, body, "text", PROOF_TEXT_BYTES_MAX, &saying->text);
    if (json_get_int(text, STR("version"), &version) && version > 0 && version <= UINT32_MAX)
        saying->text_version = (uint32_t)version;
    return text_get(call, text, "language", SAYING_NOTE_BYTES_MAX, &saying->text_language);
}

static enum err state_read(struct call *call, const struct json *body, struct saying *saying)
{
    if (consent_of(json_get_str(body, STR("state")), &saying->state) &&
        saying->state != CONSENT_PENDING)
        return OK;
    return problem_set(&call->problem, ERR_INPUT, "state", "This is no state of a consent.",
                       "Use subscribed, unsubscribed, or unknown to take back what was said.");
}

static enum err channel_read(struct call *call, const struct json *body, struct saying *saying)
{
    const struct json *given = json_get(body, STR("channel"));
    if (given == NULL ||
        (given->kind == JSON_STRING && channel_of(given->string, &saying->channel)))
        return OK;
    return problem_set(&call->problem, ERR_INPUT, "channel", "This is no channel.",
                       "Use email, sms, push or post, or leave it out for all.");
}

static enum err source_read(struct call *call, const struct json *body, struct saying *saying)
{
    TRY(text_get(call, body, "source", SAYING_NOTE_BYTES_MAX, &saying->source));
    if (str_is_empty(saying->source))
        saying->source = STR("api");
    if (consent_source_of(saying->source) < CONSENT_SOURCES_ASKED)
        return OK;
    return problem_set(&call->problem, ERR_INPUT, "source",
                       "This is no way by which people say it.", "Use form, import or api.");
}

/* Who vouches for the word: the key, or who sits at the machine. */
static struct str by_of(struct call *call)
{
    return http_is_local(call->request)
               ? STR("command line")
               : str_format(call->arena, "key %llu", (unsigned long long)route_who(call->request));
}

static enum err saying_read(struct call *call, const struct json *body, struct saying *saying)
{
    struct str at = json_get_str(body, STR("at"));
    TRY(state_read(call, body, saying));
    TRY(channel_read(call, body, saying));
    TRY(source_read(call, body, saying));
    TRY(text_get(call, body, "topic", SAYING_NOTE_BYTES_MAX, &saying->topic));
    TRY(text_get(call, body, "how", SAYING_NOTE_BYTES_MAX, &saying->how));
    TRY(text_get(call, body, "ip", SAYING_NOTE_BYTES_MAX, &saying->ip));
    TRY(text_get(call, body, "agent", SAYING_AGENT_BYTES_MAX, &saying->agent));
    TRY(shown_read(call, body, saying));
    saying->by = by_of(call);
    if (str_eq(saying->topic, STR("*")))
        saying->topic = STR_NONE;
    if (json_get(body, STR("at")) == NULL ||
        (time_parse(at, &saying->at_ms) == OK && saying->at_ms <= time_now_ms()))
        return OK;
    return problem_format(&call->problem, ERR_INPUT, "at",
                          "Write it as 2026-01-31T12:00:00Z, or leave it out for now.",
                          "\"%.*s\" is no instant in the past.", STR_ARG(at));
}

enum err profile_consent(struct call *call)
{
    struct json         body;
    struct saying       saying = { .topic = STR_NONE };
    struct entry        entry;
    struct task         task;
    struct who_question question = { .who = call_param(call, "who") };
    bool                first = true;
    TRY(call_body(call, &body));
    TRY(saying_read(call, &body, &saying));
    TRY(call_ask(call, who_ask, &question));
    if (question.person == PROFILE_NONE)
        return call_nobody(call, question.who);
    saying.profile = question.person;
    TRY(saying_entry(call->arena, &saying, &entry));
    enum err err = call_submit(call, &entry, 1, &task);
    if (err == ERR_INPUT && str_is_empty(saying.topic))
        return problem_set(&call->problem, ERR_INPUT, "topic",
                           "Some topic asks those who come this way to confirm.",
                           "Say yes to each topic by its name.");
    TRY(err);
    buf_char(&call->out, '{');
    write_person(&call->out, &first, "profile", question.person);
    write_int(&call->out, &first, "seq", (int64_t)task.seq);
    buf_char(&call->out, '}');
    return OK;
}

/* ---- what was said, and what follows from it ---- */

struct standing_question {
    struct call *call;
    struct story story;
    struct str   who, topic, channel; /* topic: of explain; empty: every one that has a name */
    bool         is_unknown;          /* there is no such topic or channel */
};

static void standing_write(const struct engine *engine, struct buf *out, uint32_t person,
                           uint32_t topic, struct str name, enum consent_channel channel)
{
    static const struct str states[] = { [FACTS_CONSENT_UNKNOWN] = { "unknown", 7 },
                                         [FACTS_CONSENT_GRANTED] = { "subscribed", 10 },
                                         [FACTS_CONSENT_REFUSED] = { "unsubscribed", 12 },
                                         [FACTS_CONSENT_PENDING] = { "pending", 7 } };
    struct consent_answer   answer = engine_consent(engine, person, topic, channel);
    bool                    first = true;
    buf_char(out, '{');
    write_text(out, &first, "topic", name);
    write_text(out, &first, "channel", channel_name(channel));
    write_text(out, &first, "state", states[answer.state]);
    if (answer.since_ms != FACTS_SINCE_UNKNOWN)
        write_time(out, &first, "since", answer.since_ms);
    json_write_key(out, &first, "mayBeSent");
    buf_str(out, str_is_empty(answer.why_not) ? STR("true") : STR("false"));
    write_text(out, &first, "because", answer.why_not);
    buf_char(out, '}');
}

void consent_standings_write(struct engine *engine, uint32_t person, struct buf *out)
{
    const struct program *program = engine_program(engine);
    uint32_t              count = dict_count(program->names[NAME_TOPIC]);
    for (uint32_t topic = 1; topic < count; topic++)
        for (int channel = CHANNEL_EMAIL; channel <= CHANNEL_SMS; channel++) {
            if (topic > 1 || channel > CHANNEL_EMAIL)
                buf_char(out, ',');
            standing_write(engine, out, person, topic, program_name(program, NAME_TOPIC, topic),
                           (enum consent_channel)channel);
        }
}

static bool standings_ask(struct engine *engine, struct task *task)
{
    struct standing_question *question = task->context;
    struct buf               *out = &question->call->out;
    uint32_t                  person = call_find(engine, question->who);
    bool                      first = true;
    question->story.person = PROFILE_NONE;
    if (person == PROFILE_NONE)
        return true;
    story_heads(engine, person, &question->story);
    buf_char(out, '{');
    write_person(out, &first, "profile", person);
    buf_str(out, STR(",\"topics\":["));
    consent_standings_write(engine, person, out);
    buf_str(out, STR("],\"said\":["));
    return true;
}

static bool is_consent(const void *context, const struct decision *decision)
{
    (void)context;
    return decision->kind == DECISION_CONSENT;
}

static enum err said_write(struct call *call, struct story *story, struct str topic)
{
    bool any = false;
    TRY(story_read(call, story, is_consent, NULL));
    for (uint32_t i = 0; i < story->count; i++) {
        struct json detail;
        TRY(json_parse(call->desk->parser, call->arena, story->decisions[i].detail, &detail, NULL));
        struct str about = json_get_str(&detail, STR("topic"));
        bool       speaks = str_is_empty(topic) || str_eq(about, topic) ||
                      str_eq(about, STR("every topic")) || str_is_empty(about);
        if (!speaks)
            continue;
        if (any)
            buf_char(&call->out, ',');
        any = true;
        story_write(&call->out, &story->decisions[i]);
    }
    buf_str(&call->out, STR("]}"));
    return OK;
}

enum err profile_consents(struct call *call)
{
    struct standing_question *question = ARENA_NEW(call->arena, struct standing_question);
    if (question == NULL)
        return ERR_MEMORY;
    *question = (struct standing_question){ .call = call, .who = call_param(call, "who") };
    TRY(call_ask(call, standings_ask, question));
    if (question->story.person == PROFILE_NONE)
        return call_nobody(call, question->who);
    return said_write(call, &question->story, STR_NONE);
}

/* ---- why may they (not) be written to about it? ---- */

static bool standing_ask(struct engine *engine, struct task *task)
{
    struct standing_question *question = task->context;
    struct buf               *out = &question->call->out;
    uint32_t                  topic = program_topic(engine_program(engine), question->topic);
    enum consent_channel      channel;
    uint32_t                  person = call_find(engine, question->who);
    question->story.person = PROFILE_NONE;
    question->is_unknown = topic == SEGMENT_NO_ID || !channel_of(question->channel, &channel);
    if (person == PROFILE_NONE || question->is_unknown)
        return true;
    story_heads(engine, person, &question->story);
    bool first = true;
    buf_char(out, '{');
    write_person(out, &first, "profile", person);
    json_write_key(out, &first, "consent");
    standing_write(engine, out, person, topic, question->topic, channel);
    buf_str(out, STR(",\"said\":["));
    return true;
}

enum err consent_explain(struct call *call, struct str topic)
{
    struct standing_question *question = ARENA_NEW(call->arena, struct standing_question);
    if (question == NULL)
        return ERR_MEMORY;
    *question = (struct standing_question){ .call = call,
                                            .who = call_param(call, "who"),
                                            .topic = topic,
                                            .channel = call_query(call, "channel") };
    if (str_is_empty(question->channel))
        question->channel = STR("email");
    TRY(call_ask(call, standing_ask, question));
    if (question->is_unknown)
        return problem_set(&call->problem, ERR_ABSENT, "topic",
                           "There is no such topic, or no such channel.",
                           "Name a topic, and one of email, sms, push and post.");
    if (question->story.person == PROFILE_NONE)
        return call_nobody(call, question->who);
    return said_write(call, &question->story, topic);
}
