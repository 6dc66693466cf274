/*
 * What a person says about being written to: consent to topics, joining and leaving lists.
 */
#include "engine/inside.h"

/*
 * Journeys that speak of nothing else are left. Topic 0 is every topic; a journey that speaks by
 * another channel, too, goes on, and what is queued by the refused one is held back.
 */
static bool speaks_about(const struct program *program, const struct enrollment *e, uint32_t topic,
                         enum consent_channel channel)
{
    bool                          about = false, otherwise = false;
    const struct journey_version *version =
        program_journey_version(program, e->journey, e->version);
    if (version == NULL)
        return false;
    for (uint16_t i = 0; i < version->journey.nodes_count; i++) {
        const struct node *node = &version->journey.nodes[i];
        for (uint16_t k = 0; k < node->templates_count; k++) {
            uint32_t id = program_template(program, node->templates[k]);
            if (id == SEGMENT_NO_ID)
                continue;
            const struct template_def *template = &program->templates.items[id];
            if (!channel_is_to_person(template->channel))
                continue;
            bool refused = channel == CHANNEL_ALL || template->channel == channel;
            otherwise = otherwise || !refused;
            about = about || (refused && !template->transactional &&
                              (topic == 0 || template->topic == topic));
        }
    }
    return about && !otherwise;
}

static enum err withdrawn(struct step *step, uint32_t topic, enum consent_channel channel)
{
    for (uint32_t i = 0;; i++) {
        const struct state *state = people_state_get(step->engine->people, step->person);
        if (i >= state->rare->enrollments.count)
            break;
        if (enrollment_is_inside(&state->rare->enrollments.items[i]) &&
            speaks_about(step->engine->program, &state->rare->enrollments.items[i], topic,
                         channel)) {
            TRY(enrollment_end(step, i, STR("unsubscribed")));
            i = (uint32_t)-1; /* it may stay, outside */
        }
    }
    return outbox_withdraw(step, topic, channel, STR("unsubscribed"));
}

/* A word about a list or of consent counts from when it was said; never from what is to come. */
static int64_t said_ms(const struct engine *engine, const struct record *record)
{
    return record->at_ms < engine->now_ms ? record->at_ms : engine->now_ms;
}

enum consent_state consent_state_of(const struct engine *engine, uint32_t person, uint32_t topic,
                                    enum consent_channel channel)
{
    const struct state *state = people_state_get(engine->people, person);
    for (uint32_t i = 0; i < state->rarer->consents.count; i++)
        if (state->rarer->consents.items[i].topic == topic &&
            state->rarer->consents.items[i].channel == (uint8_t)channel)
            return (enum consent_state)state->rarer->consents.items[i].state;
    return CONSENT_UNKNOWN;
}

/* What the record says, with its proof; in the scratch of the batch. */
static enum err said_make(struct step *step, const struct record *record, struct decision *out)
{
    const struct json           *proof = json_get(record->properties, STR("proof"));
    SCOPED(buf_donep) struct buf text = buf_make(CONSENT_PROOF_BYTES_MAX);
    *out = (struct decision){ .kind = DECISION_CONSENT,
                              .profile = step->person,
                              .at_ms = said_ms(step->engine, record),
                              .text = json_get_str(record->properties, STR("how")) };
    if (proof == NULL || proof->kind != JSON_OBJECT)
        return OK;
    json_write(&text, proof);
    if (buf_err(&text) == ERR_LIMIT)
        return OK; /* who hears a word bounds its proof: a longer one says nothing */
    TRY(buf_err(&text));
    out->proof = str_copy(step->out->arena, buf_view(&text));
    return out->proof.ptr == NULL ? ERR_MEMORY : OK;
}

/* A yes to all topics by a way that some topic asks to confirm would go round that topic. */
static bool goes_round(const struct engine *engine, enum consent_source source)
{
    const struct topics_def *topics = &engine->program->topics;
    for (uint32_t i = 0; i < topics->count; i++)
        if (source < CONSENT_SOURCES_ASKED && (topics->items[i].confirm >> source & 1) != 0)
            return true;
    return false;
}

enum err consent_say(struct step *step, struct decision said)
{
    uint32_t topic = (uint32_t)said.subject;
    TRY(decide(step->engine, step->out, said));
    /* One that came late may have been taken back since. */
    if (consent_state_of(step->engine, step->person, topic, said.channel) !=
        (enum consent_state)said.object)
        return OK;
    if (said.object == CONSENT_REFUSED)
        TRY(withdrawn(step, topic, said.channel));
    return said.object == CONSENT_PENDING ? confirm_ask(step, topic, said.channel) : OK;
}

enum err apply_consent(struct engine *engine, const struct record *record, struct out *out)
{
    uint32_t             topic = 0;
    struct step          step;
    struct decision      said;
    enum consent_channel channel;
    enum consent_state   state = CONSENT_REFUSED;
    struct str           word = json_get_str(record->properties, STR("source"));
    enum consent_source  source = str_is_empty(word) ? CONSENT_BY_API : consent_source_of(word);
    (void)consent_of(json_get_str(record->properties, STR("state")), &state);
    if (!channel_of(json_get_str(record->properties, STR("channel")), &channel) ||
        (state == CONSENT_GRANTED && str_is_empty(record->name) && goes_round(engine, source)))
        return ERR_INPUT;
    if (people_is_nobody(engine->people, record->profile))
        return ERR_ABSENT;
    if (!str_is_empty(record->name))
        TRY(program_intern(engine->program, NAME_TOPIC, record->name, &topic));
    out->profile = record->profile;
    TRY(wakes_before(engine, out, record->profile, record->received_ms));
    TRY(step_begin(&step, engine, out, record->profile, engine->now_ms,
                   record_is_old(engine, record)));
    if (state == CONSENT_GRANTED && confirm_is_due(engine, step.person, topic, channel, source))
        state = CONSENT_PENDING;
    TRY(said_make(&step, record, &said));
    said.subject = topic;
    said.object = state;
    said.channel = channel;
    TRY(consent_say(&step, said));
    return step_run(&step);
}

enum err consent_hear(struct engine *engine, struct out *out, const struct decision *said)
{
    struct step step;
    TRY(wakes_before(engine, out, said->profile, engine->now_ms));
    TRY(step_begin(&step, engine, out, said->profile, engine->now_ms, false));
    TRY(decide(engine, out, *said));
    if (said->object == CONSENT_REFUSED &&
        consent_state_of(engine, step.person, (uint32_t)said->subject, said->channel) ==
            CONSENT_REFUSED)
        TRY(withdrawn(&step, (uint32_t)said->subject, said->channel));
    return step_run(&step);
}

/* The signal comes with every request; it is a word once, and again after a later yes. */
enum err consent_gpc(struct step *step, const struct record *record)
{
    struct engine *engine = step->engine;
    uint32_t       topic;
    TRY(program_intern(engine->program, NAME_TOPIC, CONSENT_TOPIC_SALE, &topic));
    if (consent_state_of(engine, step->person, topic, CHANNEL_ALL) == CONSENT_REFUSED)
        return OK;
    return decide(engine, step->out,
                  (struct decision){ .kind = DECISION_CONSENT,
                                     .profile = step->person,
                                     .at_ms = said_ms(engine, record),
                                     .subject = topic,
                                     .object = CONSENT_REFUSED,
                                     .text = STR("Global Privacy Control"),
                                     .proof = STR("{\"by\":\"browser\"}") });
}

static bool is_listed(const struct engine *engine, uint32_t person, uint32_t list)
{
    const struct state *state = people_state_get(engine->people, person);
    for (uint32_t i = 0; i < state->rarer->lists.count; i++)
        if (state->rarer->lists.items[i].list == list)
            return true;
    return false;
}

/* By what is known now: was the person on the list at that instant? */
static bool was_listed(const struct engine *engine, uint32_t person, uint32_t list, int64_t at_ms)
{
    struct known known;
    known_make(&known, engine, person, at_ms);
    return known.facts.ops->in_list(&known.facts, list).holds;
}

enum err list_say(struct step *step, uint32_t list, bool leave, int64_t at_ms)
{
    struct engine *engine = step->engine;
    bool           before = is_listed(engine, step->person, list);
    if (was_listed(engine, step->person, list, at_ms) != leave)
        return OK; /* nothing new */
    TRY(decide(engine, step->out,
               (struct decision){ .kind = leave ? DECISION_DEPARTED : DECISION_JOINED,
                                  .profile = step->person,
                                  .at_ms = at_ms,
                                  .subject = list }));
    if (is_listed(engine, step->person, list) != before)
        step_queue(step, leave ? CONSEQUENCE_DEPARTED : CONSEQUENCE_JOINED, list);
    return OK;
}

enum err list_hear(struct engine *engine, struct out *out, const struct record *record,
                   uint32_t profile, bool fresh)
{
    uint32_t    list;
    struct step step;
    TRY(program_intern(engine->program, NAME_LIST, record->name, &list));
    TRY(wakes_before(engine, out, profile, record->received_ms));
    TRY(step_begin(&step, engine, out, profile, engine->now_ms, record_is_old(engine, record)));
    if (fresh) {
        TRY(journeys_look(&step, LOOK_ALL, 0));
        TRY(membership_ask_all(&step));
    }
    TRY(list_say(&step, list, (record->flags & RECORD_LEAVE) != 0, said_ms(engine, record)));
    return step_run(&step);
}

enum err apply_list(struct engine *engine, const struct record *record, struct out *out)
{
    struct who who = { .profile = record->profile, .also = PROFILE_NONE };
    uint32_t   list;
    bool       named = !str_is_empty(record->user_id) || !str_is_empty(record->anonymous_id);
    if (!named && people_is_nobody(engine->people, record->profile))
        return ERR_ABSENT;
    TRY(program_intern(engine->program, NAME_LIST, record->name, &list));
    if (named)
        TRY(who_resolve(engine, record, out, &who));
    out->profile = who.profile;
    if (who.also != PROFILE_NONE)
        TRY(person_ask_all(engine, out, who.also, true));
    return list_hear(engine, out, record, who.profile, who.fresh);
}
