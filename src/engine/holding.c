/*
 * What may go, and not yet: quiet hours, and how much one person gets (limits.h).
 */
#include <string.h>

#include "engine/broadcasting.h"

/* One that gives way looks again then; one that nothing lets go holds nobody up for longer. */
#define BEHIND_MS (30 * TIME_SECOND_MS)
#define AHEAD_MS_MAX TIME_HOUR_MS

/* ---- of one message ---- */

static bool is_limited(const struct engine *engine, const struct message *message)
{
    const struct template_def *template =
        program_template_at(engine->program, message->template_id);
    return !template->transactional && channel_is_to_person(template->channel) &&
           !confirm_is_mail(engine->program, message);
}

static uint32_t priority_of(const struct engine *engine, const struct message *message)
{
    const struct program *program = engine->program;
    if (broadcast_is_key(message->enrollment)) {
        uint32_t number = broadcast_of_key(message->enrollment);
        return number < program->broadcasts.count ? program->broadcasts.items[number].priority
                                                  : PRIORITY_DEFAULT;
    }
    if (message->journey >= program->journeys.count)
        return PRIORITY_DEFAULT;
    const struct journey_def *journey = &program->journeys.items[message->journey];
    return journey->count == 0 ? PRIORITY_DEFAULT
                               : journey->versions[journey->count - 1]->journey.priority;
}

static bool is_counted(const struct engine *engine, const struct message *message,
                       const struct limits_most *most)
{
    return is_limited(engine, message) &&
           limits_counts(most, program_template_at(engine->program, message->template_id)->channel,
                         message->topic);
}

/* ---- what the person got ---- */

/* The newest that a limit counts, the latest first. */
struct got {
    const struct limits_most *most;
    int64_t                   at_ms[LIMITS_MOST_MAX];
    uint32_t                  count; /* at most most->most */
};

static void got_add(struct got *got, int64_t at_ms)
{
    uint32_t at = got->count;
    while (at > 0 && got->at_ms[at - 1] < at_ms)
        at--;
    if (at == got->most->most)
        return;
    uint32_t last = got->count < got->most->most ? got->count : got->most->most - 1;
    memmove(&got->at_ms[at + 1], &got->at_ms[at], (last - at) * sizeof got->at_ms[0]);
    got->at_ms[at] = at_ms;
    got->count = last + 1;
}

static struct str text_in(struct bag bag, uint16_t key)
{
    struct json value;
    return bag_find(bag, key, &value) && value.kind == JSON_STRING ? value.string : STR_NONE;
}

static uint32_t topic_of(const struct engine *engine, struct bag bag,
                         const struct template_def *template)
{
    const struct program *program = engine->program;
    uint16_t              key = dict_find(program->names[NAME_PROPERTY], STR("broadcast"));
    struct str            name = key == DICT_NONE ? STR_NONE : text_in(bag, key);
    uint32_t broadcast = str_is_empty(name) ? SEGMENT_NO_ID : program_broadcast(program, name);
    return broadcast != SEGMENT_NO_ID ? program->broadcasts.items[broadcast].topic
           : template != NULL         ? template->topic
                                      : 0;
}

static bool event_counts(const struct engine *engine, const struct limits_most *most,
                         struct bag bag)
{
    const struct program *program = engine->program;
    uint32_t template = program_template(program, text_in(bag, OWN_KEY_TEMPLATE));
    enum consent_channel channel;
    if (!channel_of(text_in(bag, OWN_KEY_CHANNEL), &channel))
        return false;
    const struct template_def *def =
        template == SEGMENT_NO_ID ? NULL : program_template_at(program, template);
    return (def == NULL || !def->transactional) &&
           limits_counts(most, channel, topic_of(engine, bag, def));
}

static void got_of_past(const struct engine *engine, const struct known *known, struct got *got)
{
    int64_t from_ms = engine->now_ms - got->most->in_ms;
    for (uint32_t r = 0; r < known->facts.runs_count; r++) {
        const struct run *run = &known->runs[r];
        for (uint32_t i = run->count; (i = run_name_last(run, i, OWN_MESSAGE_SENT)) > 0; i--) {
            if (run->at_ms[i - 1] <= from_ms ||
                (got->count == got->most->most && run->at_ms[i - 1] <= got->at_ms[got->count - 1]))
                break;
            if (event_counts(engine, got->most, bag_at(known->facts.bags, run->bag[i - 1])))
                got_add(got, run->at_ms[i - 1]);
        }
    }
}

/* What is on its way or was put off is as if it went now; what may have arrived did so when its
 * answer was lost. */
static void got_of_begun(const struct engine *engine, uint32_t person,
                         const struct message *message, struct got *got)
{
    const struct state *state = people_state_get(engine->people, person);
    for (uint32_t i = 0; i < state->rare->messages.count; i++) {
        const struct message *one = &state->rare->messages.items[i];
        bool                  is_begun = one->state != MESSAGE_QUEUED || one->attempt > 0;
        if (!is_begun || one->id == message->id || !is_counted(engine, one, got->most))
            continue;
        int64_t at_ms = one->state == MESSAGE_UNKNOWN ? one->due_ms : engine->now_ms;
        if (at_ms > engine->now_ms - got->most->in_ms)
            got_add(got, at_ms);
    }
}

/* How many of higher priority are to go before this one, of those that nothing has kept for long.
 */
static uint32_t ahead_of(struct engine *engine, uint32_t person, const struct message *message,
                         const struct limits_most *most)
{
    const struct state *state = people_state_get(engine->people, person);
    uint32_t            count = 0;
    for (uint32_t i = 0; i < state->rare->messages.count; i++) {
        const struct message *one = &state->rare->messages.items[i];
        count += one->id != message->id && one->attempt == 0 && outbox_is_due(engine, one) &&
                 one->due_ms > engine->now_ms - AHEAD_MS_MAX && is_counted(engine, one, most) &&
                 priority_of(engine, one) > priority_of(engine, message) &&
                 outbox_would_go(engine, person, one);
    }
    return count;
}

/* ---- the answer ---- */

static struct hold limit_hold(struct engine *engine, uint32_t person, const struct known *known,
                              const struct message *message, const struct limits_most *most,
                              char bytes[LIMITS_WHY_BYTES_MAX])
{
    struct got  got = { .most = most };
    struct hold hold = { .until_ms = engine->now_ms };
    got_of_past(engine, known, &got);
    got_of_begun(engine, person, message, &got);
    if (got.count < most->most) {
        hold.is_behind = got.count + ahead_of(engine, person, message, most) >= most->most;
        hold.until_ms += hold.is_behind ? BEHIND_MS : 0;
        return hold;
    }
    /* The oldest of the newest leaves the stretch then. */
    hold.until_ms = got.at_ms[most->most - 1] + most->in_ms;
    int64_t since_ms = message->first_try_ms == 0 ? engine->now_ms : message->first_try_ms;
    hold.is_over = hold.until_ms > since_ms + most->wait_ms;
    hold.why = limits_say(most, program_name(engine->program, NAME_TOPIC, most->topic), bytes);
    return hold;
}

struct hold holding_look(struct engine *engine, uint32_t person, const struct message *message,
                         char bytes[LIMITS_WHY_BYTES_MAX])
{
    const struct limits_def *def = &engine->program->limits;
    struct hold              hold = { .until_ms = engine->now_ms };
    struct known             known;
    int64_t                  zone_until_ms;
    if (def->quiet_count + def->most_count == 0 || !is_limited(engine, message))
        return hold;
    enum consent_channel channel =
        program_template_at(engine->program, message->template_id)->channel;
    known_make(&known, engine, person, engine->now_ms);
    const struct zone *zone = known.facts.ops->zone == NULL
                                  ? known.facts.zone
                                  : known.facts.ops->zone(&known.facts, &zone_until_ms);
    hold.until_ms = limits_quiet_until_ms(def, channel, zone, engine->now_ms);
    hold.why = HOLDING_WHY_QUIET;
    /* What goes in the morning is counted in the morning; one that was tried has had its turn. */
    if (hold.until_ms > engine->now_ms || message->attempt > 0)
        return hold;
    for (uint32_t i = 0; i < def->most_count && hold.until_ms <= engine->now_ms; i++)
        if (limits_counts(&def->most[i], channel, message->topic))
            hold = limit_hold(engine, person, &known, message, &def->most[i], bytes);
    return hold;
}

int64_t holding_quiet_until_ms(const struct engine *engine, uint32_t person, uint32_t template)
{
    const struct limits_def *def = &engine->program->limits;
    if (def->quiet_count == 0)
        return engine->now_ms;
    return limits_quiet_until_ms(def, program_template_at(engine->program, template)->channel,
                                 person_zone(engine, person), engine->now_ms);
}
