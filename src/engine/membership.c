/* Whether a person is in a segment: kept with the instant until which that holds. */
#include "engine/inside.h"

enum { SINCE_READS_MAX = 100 * SEGMENT_STEP_READS }; /* of one entering */

struct membership membership_of(const struct step *step, uint32_t segment)
{
    return memberships_of(&people_state_get(step->engine->people, step->person)->memberships,
                          segment);
}

static enum err until_set(struct step *step, uint32_t segment, bool in, int64_t until_ms)
{
    struct membership now = membership_of(step, segment);
    bool              is_new = !now.in && now.until_ms == TIME_NEVER;
    if (until_ms > TIME_MAX_MS)
        until_ms = TIME_NEVER; /* as it is kept */
    if (now.until_ms == until_ms)
        return OK;
    struct state *state = people_state(step->engine->people, step->person);
    if (state == NULL)
        return ERR_MEMORY;
    step->engine->moved++;
    return memberships_set(&state->memberships, slab_of(state),
                           (struct membership){ .segment = segment,
                                                .in = in,
                                                .entered_ms = is_new ? step->at_ms : now.entered_ms,
                                                .until_ms = until_ms });
}

/* ---- what is known ---- */

/* Asked anew rather than looked up, so that any moment and any order of changes give the truth. */
static struct facts_member known_segment(const struct facts *facts, uint32_t segment)
{
    const struct engine  *engine = ((const struct known *)facts->person)->engine;
    const struct program *program = engine->program;
    if (segment >= program->segments.count || program->segments.items[segment].arena == NULL)
        return (struct facts_member){ false, FACTS_SINCE_UNKNOWN, TIME_NEVER };
    struct verdict verdict = segment_eval(&program->segments.items[segment].program, facts);
    return (struct facts_member){ verdict.holds, FACTS_SINCE_UNKNOWN, verdict.until_ms };
}

static uint32_t runs_of_person(const struct engine *engine, uint32_t person, struct run *runs)
{
    uint32_t count = 0, member = person;
    do {
        count += timeline_runs(engine->timeline, member, runs + count);
        member = people_get(engine->people, member)->next;
    } while (member != person && count + TIMELINE_RUNS_MAX <= RUNS_MAX);
    return count;
}

/* The memo, where the question is about the facts that it is of. */
static struct known_memo *memo_of(const struct facts *facts)
{
    const struct known *known = facts->person;
    const struct facts *own = &known->facts;
    bool                same = facts->now_ms == own->now_ms && facts->seq_max == own->seq_max &&
                facts->runs == own->runs && facts->runs_count == own->runs_count;
    return same ? known->memo : NULL;
}

static bool live_trait(const struct facts *facts, uint16_t key, struct facts_trait *out)
{
    struct known_memo *memo = memo_of(facts);
    if (memo == NULL || key == DICT_NONE) /* which marks a place that is free */
        return known_ops.trait(facts, key, out);
    uint32_t place = key % KNOWN_TRAITS;
    if (memo->traits[place].key != key) {
        bool found = known_ops.trait(facts, key, out);
        if (out->value.kind == JSON_ARRAY)
            return found; /* which lives until the next question only */
        memo->traits[place].key = key;
        memo->traits[place].found = found;
        memo->traits[place].trait = *out;
    }
    *out = memo->traits[place].trait;
    return memo->traits[place].found;
}

static const struct zone *live_zone(const struct facts *facts, int64_t *until_ms)
{
    struct known_memo *memo = memo_of(facts);
    if (memo == NULL)
        return known_ops.zone(facts, until_ms);
    if (!memo->has_zone)
        memo->zone = known_ops.zone(facts, &memo->zone_until_ms);
    memo->has_zone = true;
    *until_ms = memo->zone_until_ms;
    return memo->zone;
}

struct facts_ops known_ops_live(void)
{
    struct facts_ops ops = known_ops;
    ops.in_segment = known_segment;
    ops.trait = live_trait;
    ops.zone = live_zone;
    return ops;
}

void known_make(struct known *known, const struct engine *engine, uint32_t person, int64_t at_ms)
{
    uint32_t count = runs_of_person(engine, person, known->runs);
    known->engine = engine;
    known->memo = &known->memo_kept;
    known->memo->has_zone = false;
    for (int i = 0; i < KNOWN_TRAITS; i++)
        known->memo->traits[i].key = DICT_NONE;
    known->facts = known_facts(person, known->runs, count, timeline_bags(engine->timeline));
    known->facts.now_ms = at_ms;
    known->facts.seq_max = (uint32_t)engine->seq;
    known->facts.person = known;
    known->facts.zone = engine->program->zone;
    known->facts.zones = engine->program->zones;
    known->facts.ops = &engine->ops;
}

/* ---- memberships ---- */

/* Nobody is in a segment that was deleted; a machine stays where it is. */
static struct verdict verdict_of(struct step *step, const struct segment_def *def, bool in)
{
    if (step->machine)
        return (struct verdict){ in, TIME_NEVER };
    return def->arena == NULL ? (struct verdict){ false, TIME_NEVER }
                              : segment_eval(&def->program, step_facts(step));
}

/* A change that nothing listens to has no consequence. */
static bool is_heard(const struct step *step, uint32_t segment)
{
    const struct program *program = step->engine->program;
    return program->segments_of_segment[segment].count > 0 ||
           program->journeys_of[TRIGGER_SEGMENT][segment].count > 0 ||
           program->journeys_of[TRIGGER_LEFT_SEGMENT][segment].count > 0 ||
           people_state_get(step->engine->people, step->person)->rare->enrollments.count > 0;
}

/*
 * Who enters by something that comes in order does so at this instant. By what came late, by a
 * merge or a new definition they may have been in it for long: the past is asked, a little of it.
 */
static struct segment_since since_of(struct step *step, const struct segment_program *program)
{
    int64_t              reads = SINCE_READS_MAX;
    struct segment_since now = { step->at_ms, false };
    if (step->in_order)
        return now;
    struct segment_since since = segment_since_op(program, 0, true, step_facts(step), &reads);
    return since.since_ms == FACTS_SINCE_UNKNOWN ? now : since;
}

static enum err entered(struct step *step, uint32_t segment)
{
    const struct segment_def *def = &step->engine->program->segments.items[segment];
    struct segment_since      since = since_of(step, &def->program);
    return decide(step->engine, step->out,
                  (struct decision){ .kind = DECISION_ENTERED,
                                     .profile = step->person,
                                     .at_ms = step->at_ms,
                                     .subject = segment,
                                     .object = step->quiet,
                                     .since_ms = since.since_ms,
                                     .or_earlier = since.or_earlier });
}

static enum err left(struct step *step, uint32_t segment)
{
    return decide(step->engine, step->out,
                  (struct decision){ .kind = DECISION_LEFT,
                                     .profile = step->person,
                                     .at_ms = step->at_ms,
                                     .subject = segment,
                                     .object = step->quiet });
}

/* Scores' lines and stages: who crosses, or changes, is told by a record. */
static bool is_told(const struct step *step, uint32_t segment)
{
    const struct segment_def *def = &step->engine->program->segments.items[segment];
    return def->is_line || def->is_stage;
}

static enum err ask(struct step *step, uint32_t segment, bool is_due)
{
    struct membership         have = membership_of(step, segment);
    const struct segment_def *def = &step->engine->program->segments.items[segment];
    int64_t                   until_ms;
    if (def->clock != NULL) {
        TRY(clock_ask(step, segment, def->clock, have.until_ms, is_due, &until_ms));
        return until_set(step, segment, false, until_ms);
    }
    struct verdict verdict = verdict_of(step, def, have.in);
    if (have.in != verdict.holds) {
        TRY(verdict.holds ? entered(step, segment) : left(step, segment));
        step->engine->memberships_changed++;
        if (!step->quiet && is_told(step, segment))
            step_queue(step, CONSEQUENCE_CROSSED, segment);
        if (is_heard(step, segment))
            step_queue(step, verdict.holds ? CONSEQUENCE_ENTERED : CONSEQUENCE_CHANGED, segment);
    }
    return until_set(step, segment, verdict.holds, verdict.until_ms);
}

enum err membership_ask(struct step *step, uint32_t segment)
{
    return ask(step, segment, false);
}

enum err membership_by(struct step *step, uint32_t segment, int64_t until_ms)
{
    struct membership have = membership_of(step, segment);
    return have.until_ms <= until_ms ? OK : until_set(step, segment, have.in, until_ms);
}

enum err membership_ask_all(struct step *step)
{
    for (uint32_t i = 0; i < step->engine->program->segments.count; i++)
        TRY(membership_ask(step, i));
    return OK;
}

enum err membership_ask_due(struct step *step)
{
    const struct state *state = people_state_get(step->engine->people, step->person);
    for (uint32_t i = 0; i < state->memberships.count; i++) {
        if (memberships_until_ms(&state->memberships, i) > step->at_ms)
            continue;
        uint32_t before = state->memberships.count;
        uint32_t segment = memberships_at(&state->memberships, i).segment;
        TRY(ask(step, segment, true));
        state = people_state_get(step->engine->people, step->person);
        if (state->memberships.count < before)
            i--; /* this one is gone, the next has its place */
    }
    return OK;
}
