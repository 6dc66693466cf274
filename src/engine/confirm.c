/*
 * Consent at the moment of sending, and the mail that asks to confirm one (double opt-in).
 */
#include "engine/inside.h"
#include "engine/reach.h"

/* A second press of a form's button asks for nothing new. */
#define CONFIRM_PAUSE_MS TIME_MINUTE_MS

enum { ALL_TIMES = 2 }; /* so many times what one topic may: of all of them */

static enum facts_consent_state known_state(const struct engine *engine, uint32_t person,
                                            uint32_t topic, enum consent_channel channel)
{
    struct known known;
    known_make(&known, engine, person, engine->now_ms);
    return known.facts.ops->consent(&known.facts, topic, channel_name(channel)).state;
}

bool confirm_is_due(const struct engine *engine, uint32_t person, uint32_t topic,
                    enum consent_channel channel, enum consent_source source)
{
    struct topic_def def = topics_at(&engine->program->topics, topic);
    if (source >= CONSENT_SOURCES_ASKED || (def.confirm >> source & 1) == 0 ||
        (channel != CHANNEL_ALL && channel != CHANNEL_EMAIL))
        return false;
    /* Who said yes before, and was asked then, is not asked again. */
    return known_state(engine, person, topic, channel) != FACTS_CONSENT_GRANTED;
}

bool confirm_is_mail(const struct program *program, const struct message *message)
{
    return message->journey == JOURNEY_NONE && message->topic != 0 &&
           message->template_id ==
               program_template(program, str_of(program->topics.confirm_template));
}

/* ---- asking ---- */

struct asked {
    uint32_t topic, times, all; /* all: of every topic */
    int64_t  from_ms, last_ms;  /* last_ms: of the time before this one */
    uint32_t seq;               /* this one */
};

static void asked_in(const struct facts *facts, const struct run *run, struct asked *asked)
{
    for (uint32_t i = 0; i < run->count; i++) {
        struct json about, state;
        if (run->name[i] != OWN_CONSENT || run->at_ms[i] < asked->from_ms)
            continue;
        struct bag bag = bag_at(facts->bags, run->bag[i]);
        if (!bag_find(bag, OWN_KEY_TOPIC, &about) || !bag_find(bag, OWN_KEY_STATE, &state) ||
            consent_of_told(state.string) != CONSENT_PENDING)
            continue;
        asked->all++;
        if (about.integer != asked->topic)
            continue;
        asked->times++;
        if (run->seq[i] != asked->seq && run->at_ms[i] > asked->last_ms)
            asked->last_ms = run->at_ms[i];
    }
}

/* Whoever else fills in a form with this address shall not fill its mailbox. */
static bool is_asked_enough(struct step *step, uint32_t topic)
{
    const struct engine     *engine = step->engine;
    const struct topics_def *topics = &engine->program->topics;
    const struct facts      *facts = step_facts(step);
    struct asked             asked = { .topic = topic,
                                       .from_ms = engine->now_ms - topics->days * TIME_DAY_MS,
                                       .last_ms = INT64_MIN,
                                       .seq = (uint32_t)engine->seq };
    for (uint32_t r = 0; r < facts->runs_count; r++)
        asked_in(facts, &facts->runs[r], &asked);
    return asked.times > topics->mails || asked.all > ALL_TIMES * topics->mails ||
           (asked.last_ms != INT64_MIN && asked.last_ms > engine->now_ms - CONFIRM_PAUSE_MS);
}

enum err confirm_ask(struct step *step, uint32_t topic, enum consent_channel channel)
{
    const struct program *program = step->engine->program;
    uint32_t template = program_template(program, str_of(program->topics.confirm_template));
    (void)channel; /* the mail is about the topic: its page confirms what of it is pending */
    if (program_template_at(program, template)->version == 0 || is_asked_enough(step, topic))
        return OK;
    step->out->intents++;
    return decide(step->engine, step->out,
                  (struct decision){ .kind = DECISION_INTENT,
                                     .profile = step->person,
                                     .at_ms = step->engine->now_ms,
                                     .other = template,
                                     .topic = topic,
                                     .journey = JOURNEY_NONE,
                                     .event = (uint32_t)step->engine->seq });
}

/* ---- at the claim ---- */

static bool has_pending(const struct state *state, uint32_t topic)
{
    for (uint32_t i = 0; i < state->rarer->consents.count; i++)
        if (state->rarer->consents.items[i].topic == topic &&
            state->rarer->consents.items[i].state == CONSENT_PENDING)
            return true;
    return false;
}

static struct str topic_why_not(const struct engine *engine, uint32_t person, uint32_t topic,
                                enum consent_channel channel)
{
    const struct state *state = people_state_get(engine->people, person);
    bool                opt_in = topics_at(&engine->program->topics, topic).opt_in;
    if (reach_refuses(state, topic, channel))
        return STR("unsubscribed");
    if (!opt_in && !has_pending(state, topic))
        return STR_NONE;
    enum facts_consent_state known = known_state(engine, person, topic, channel);
    if (known == FACTS_CONSENT_PENDING)
        return STR("not confirmed yet");
    return opt_in && known != FACTS_CONSENT_GRANTED ? STR("never said yes") : STR_NONE;
}

struct str consent_why_not(const struct engine *engine, uint32_t person,
                           const struct message *message, enum consent_channel channel)
{
    const struct program *program = engine->program;
    if (confirm_is_mail(program, message))
        return has_pending(people_state_get(engine->people, person), message->topic)
                   ? STR_NONE
                   : STR("nothing is left to confirm");
    if (program_template_at(program, message->template_id)->transactional ||
        !channel_is_to_person(channel))
        return STR_NONE;
    return topic_why_not(engine, person, message->topic, channel);
}

struct consent_answer engine_consent(const struct engine *engine, uint32_t person, uint32_t topic,
                                     enum consent_channel channel)
{
    struct known known;
    uint32_t     root = people_root(engine->people, person);
    known_make(&known, engine, root, engine->now_ms);
    struct facts_consent said =
        known.facts.ops->consent(&known.facts, topic, channel_name(channel));
    return (struct consent_answer){ said.state, said.since_ms,
                                    topic_why_not(engine, root, topic, channel) };
}
