#include "engine/answers.h"

struct answers {
    uint32_t seqs[ANSWERS_MAX];
    uint32_t count;
};

struct wanted {
    struct str journey;
    uint64_t   enrollment;
    uint16_t   channel, journey_key, message, entry;
};

static bool is_text(struct bag bag, uint16_t key, struct str text)
{
    struct json value;
    return bag_find(bag, key, &value) && value.kind == JSON_STRING && str_eq(value.string, text);
}

/* Who may be in a journey several times at once is told which time it was; else a message is
 * numbered after its enrollment. */
static bool is_wanted(struct bag bag, const struct wanted *wanted)
{
    struct json value;
    int64_t     message = 0, entry = 0;
    if (!is_text(bag, wanted->channel, channel_name(CHANNEL_WEBHOOK)) ||
        !is_text(bag, wanted->journey_key, wanted->journey))
        return false;
    if (wanted->entry != DICT_NONE && bag_find(bag, wanted->entry, &value) &&
        value.kind == JSON_STRING && str_to_int(value.string, &entry) == OK &&
        (uint64_t)entry != wanted->enrollment)
        return false;
    return bag_find(bag, wanted->message, &value) && value.kind == JSON_STRING &&
           str_to_int(value.string, &message) == OK && message > 0 &&
           (uint64_t)message > wanted->enrollment;
}

/* Keeps the newest, the oldest of them first. */
static void seq_add(struct answers *answers, uint32_t seq)
{
    uint32_t place = answers->count;
    while (place > 0 && answers->seqs[place - 1] > seq)
        place--;
    if (answers->count == ANSWERS_MAX) {
        if (place == 0)
            return;
        place--;
        for (uint32_t i = 0; i < place; i++)
            answers->seqs[i] = answers->seqs[i + 1];
    } else {
        for (uint32_t i = answers->count++; i > place; i--)
            answers->seqs[i] = answers->seqs[i - 1];
    }
    answers->seqs[place] = seq;
}

static void run_look(struct bags bags, const struct run *run, uint16_t name,
                     const struct wanted *wanted, struct answers *out)
{
    for (uint32_t i = run->count; (i = run_name_last(run, i, name)) > 0; i--)
        if (is_wanted(bag_at(bags, run->bag[i - 1]), wanted))
            seq_add(out, run->seq[i - 1]);
}

static void answers_find(const struct engine *engine, const struct claim *claim,
                         uint64_t enrollment, struct answers *out)
{
    const struct program *program = engine->program;
    const struct dict    *keys = program->names[NAME_PROPERTY];
    struct known          known;
    struct wanted         wanted = { .journey = program_name(program, NAME_JOURNEY, claim->journey),
                                     .enrollment = enrollment,
                                     .channel = OWN_KEY_CHANNEL,
                                     .journey_key = OWN_KEY_JOURNEY,
                                     .message = dict_find(keys, STR("message")),
                                     .entry = dict_find(keys, STR("entry")) };
    known_make(&known, engine, people_root(engine->people, claim->profile), engine->now_ms);
    for (uint32_t r = 0; r < known.facts.runs_count; r++) {
        run_look(known.facts.bags, &known.runs[r], OWN_NOTICE_SENT, &wanted, out);
        run_look(known.facts.bags, &known.runs[r], OWN_MESSAGE_FAILED, &wanted, out);
    }
}

void answers_write(const struct engine *engine, const struct claim *claim, uint64_t enrollment,
                   struct buf *out, bool *first)
{
    struct answers answers = { .count = 0 };
    if (claim->journey == JOURNEY_NONE)
        return;
    answers_find(engine, claim, enrollment, &answers);
    if (answers.count == 0)
        return;
    json_write_key(out, first, "$answers");
    buf_format(out, "{\"of\":%llu,\"seqs\":[", (unsigned long long)enrollment);
    for (uint32_t i = 0; i < answers.count; i++)
        buf_format(out, i == 0 ? "%u" : ",%u", answers.seqs[i]);
    buf_str(out, STR("]}"));
}

/* ---- a node that waits for its own ---- */

static const struct message *message_of(const struct state *state, uint64_t id)
{
    for (uint32_t i = 0; i < state->rare->messages.count; i++)
        if (state->rare->messages.items[i].id == id)
            return &state->rare->messages.items[i];
    return NULL;
}

static const struct enrollment *enrollment_of(const struct state *state, uint64_t id)
{
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++)
        if (state->rare->enrollments.items[i].id == id)
            return &state->rare->enrollments.items[i];
    return NULL;
}

uint64_t answers_awaited(const struct engine *engine, uint32_t profile, uint64_t message)
{
    if (people_is_nobody(engine->people, profile))
        return 0;
    const struct state *state =
        people_state_get(engine->people, people_root(engine->people, profile));
    const struct message    *sent = message_of(state, message);
    const struct enrollment *at = sent == NULL ? NULL : enrollment_of(state, sent->enrollment);
    bool waits = at != NULL && enrollment_is_inside(at) && at->node == sent->node &&
                 at->due_ms != TIME_NEVER;
    return waits ? at->id : 0;
}

static bool is_open(const struct state *state, const struct enrollment *at)
{
    for (uint32_t i = 0; i < state->rare->messages.count; i++) {
        const struct message *message = &state->rare->messages.items[i];
        if (message->enrollment == at->id && message->node == at->node &&
            message->state != MESSAGE_UNKNOWN)
            return true;
    }
    return false;
}

/* Is it there still, with no other message of its node to wait for? */
static bool may_go_on(const struct engine *engine, uint32_t profile, uint64_t enrollment)
{
    const struct state *state =
        people_state_get(engine->people, people_root(engine->people, profile));
    const struct enrollment *at = enrollment_of(state, enrollment);
    return at != NULL && enrollment_is_inside(at) && !is_open(state, at);
}

enum err answers_go_on(struct step *step, uint64_t enrollment)
{
    return may_go_on(step->engine, step->person, enrollment) ? journeys_go_on(step, enrollment)
                                                             : OK;
}

enum err answers_heard(struct engine *engine, struct out *out, uint32_t profile,
                       uint64_t enrollment)
{
    struct step step;
    if (enrollment == 0 || !may_go_on(engine, profile, enrollment))
        return OK;
    TRY(step_begin(&step, engine, out, profile, engine->now_ms, false));
    TRY(journeys_go_on(&step, enrollment));
    return step_run(&step);
}
