/*
 * A definition has changed: who is to be asked anew, and the jobs that ask them, a few thousand
 * with each record of the clock.
 */
#include "engine/inside.h"

#include "engine/vec.h"

enum {
    JOB_ASKS = 4000, /* of changed segments, of one clock record */
    JOB_FILLS = 500, /* people, where their timelines are read for what is new */
};

/* In the place of the one before about the same. */
static enum err job_put(struct engine *engine, struct job job)
{
    for (uint32_t i = 0; i < engine->jobs.count; i++)
        if (engine->jobs.items[i].segment == job.segment &&
            engine->jobs.items[i].moves == job.moves &&
            engine->jobs.items[i].launches == job.launches &&
            engine->jobs.items[i].stops == job.stops) {
            engine->jobs.items[i] = job;
            return OK;
        }
    return VEC_ADD(&engine->jobs, job);
}

/* Everyone is asked about the segment anew. */
static enum err job_begin(struct engine *engine, uint32_t segment, bool fire)
{
    return job_put(
        engine, (struct job){ .segment = segment, .version = (uint32_t)engine->seq, .fire = fire });
}

/* What is given is of the version that is in force: whom the job has not come to gets nothing by
 * it, and goes on as the publishing of now says. */
static void fills_end(struct engine *engine, uint32_t journey)
{
    for (uint32_t i = engine->jobs.count; i > 0; i--)
        if (engine->jobs.items[i - 1].fills && engine->jobs.items[i - 1].segment == journey)
            VEC_REMOVE(&engine->jobs, i - 1);
}

/* Who was merged while it waited may stand before where it was: those moved are passed. */
static void fills_again(struct engine *engine, uint32_t journey)
{
    for (uint32_t i = 0; i < engine->jobs.count; i++)
        if (engine->jobs.items[i].fills && engine->jobs.items[i].segment == journey)
            engine->jobs.items[i].cursor = 0;
}

/* Those inside the journey go on by the version that was just published. */
static enum err move_begin(struct engine *engine, const struct record *record, uint32_t journey)
{
    bool fills = (record->flags & RECORD_BACKFILL) != 0;
    fills_end(engine, journey);
    if (((record->flags & RECORD_MOVE) == 0 && !fills) || record->body.len == 0)
        return OK;
    return job_put(engine, (struct job){ .segment = journey,
                                         .version = (uint32_t)engine->seq,
                                         .moves = true,
                                         .fills = fills });
}

/* Those already inside what begins the journey come in, too. */
static enum err launch_begin(struct engine *engine, const struct record *record, uint32_t journey)
{
    if ((record->flags & RECORD_LAUNCH) == 0 || record->body.len == 0)
        return OK;
    return job_put(engine, (struct job){ .segment = journey,
                                         .version = (uint32_t)engine->seq,
                                         .launches = true,
                                         .since_ms = engine->now_ms });
}

/* Paused, stopped or resumed. */
static enum err state_begin(struct engine *engine, uint32_t journey)
{
    if (program_journey_state(engine->program, journey) == JOURNEY_STOPPED) {
        fills_end(engine, journey);
        TRY(job_put(
            engine,
            (struct job){ .segment = journey, .version = (uint32_t)engine->seq, .stops = true }));
    }
    fills_again(engine, journey);
    return standstill_defined(engine, journey);
}

/* The same, not because it was itself defined anew: what is under way begins again, as loud or
 * quiet as it was. */
static enum err job_again(struct engine *engine, uint32_t segment)
{
    for (uint32_t i = 0; i < engine->jobs.count; i++)
        if (engine->jobs.items[i].segment == segment && !engine->jobs.items[i].moves &&
            !engine->jobs.items[i].launches && !engine->jobs.items[i].stops) {
            engine->jobs.items[i].cursor = 0;
            return OK;
        }
    return job_begin(engine, segment, false);
}

/* What moved under the conditions that ask about it. */
struct moved {
    bool       rules; /* what any of them means (ENGINE_RULES); else: */
    bool       zone;  /* where days begin; else: */
    struct str trait; /* a computed trait; empty: a stage */
};

static bool is_moved(const struct program *program, const struct condition *condition,
                     const struct moved *moved)
{
    if (moved->rules)
        return condition->tree != NULL;
    return moved->zone ? condition->tree != NULL && condition->program.has_zone
                       : program_asks(program, condition->tree, moved->trait);
}

/* What a wait rests on: the conditions that it waits for, or a clock and a date. */
static bool is_wait_moved(const struct program *program, const struct journey *journey,
                          const struct node *node, const struct moved *moved)
{
    if (node->kind == NODE_WAIT_UNTIL)
        return moved->zone || moved->rules ? node->until.kind != UNTIL_INSTANT
                                           : journey_node_awaits(node, moved->trait);
    return node->kind == NODE_WAIT_FOR &&
           is_moved(program, &journey->branches[node->branches].when, moved);
}

static bool is_journey_moved(const struct program *program, const struct journey *journey,
                             const struct moved *moved)
{
    bool is = is_moved(program, &journey->exit_when, moved) ||
              is_moved(program, &journey->goal.condition, moved);
    for (uint16_t n = 0; n < journey->nodes_count; n++)
        is = is || is_wait_moved(program, journey, &journey->nodes[n], moved);
    return is;
}

static bool is_enrollment_moved(const struct program *program, const struct enrollment *e,
                                const struct moved *moved)
{
    const struct journey_version *version =
        program_journey_version(program, e->journey, e->version);
    if (version == NULL)
        return false;
    const struct journey *journey = &version->journey;
    return is_moved(program, &journey->goal.condition, moved) ||
           is_moved(program, &journey->exit_when, moved) ||
           (e->node < journey->nodes_count &&
            is_wait_moved(program, journey, &journey->nodes[e->node], moved));
}

/* Those in a journey whose exit asks about it, or who wait for it, are looked at at once. */
static enum err inside_of_moved(struct engine *engine, uint32_t person, const struct moved *moved)
{
    const struct state *state = people_state_get(engine->people, person);
    bool                asked = false;
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++) {
        const struct enrollment *e = &state->rare->enrollments.items[i];
        if (e->look_ms <= engine->now_ms || !is_enrollment_moved(engine->program, e, moved))
            continue; /* what is due already is looked at in its turn */
        if (!asked)
            TRY(checkpoint_before(engine, person));
        asked = true;
        people_state(engine->people, person)->rare->enrollments.items[i].look_ms = engine->now_ms;
    }
    if (!asked)
        return OK;
    people_get(engine->people, person)->quietly = true;
    return wake_set(engine, person);
}

static enum err inside_moved(struct engine *engine, struct moved moved)
{
    const struct program *program = engine->program;
    bool                  asked = false;
    for (uint32_t i = 0; i < program->journeys.count; i++)
        for (uint32_t k = 0; k < program->journeys.items[i].count; k++)
            asked = asked || is_journey_moved(
                                 program, &program->journeys.items[i].versions[k]->journey, &moved);
    for (uint32_t p = 0; asked && p < people_count(engine->people); p++)
        if (people_root(engine->people, p) == p)
            TRY(inside_of_moved(engine, p, &moved));
    return OK;
}

/* Days begin at other instants now. */
static enum err zone_moved(struct engine *engine)
{
    const struct program *program = engine->program;
    for (uint32_t i = 0; i < program->segments.count; i++)
        if (program->segments.items[i].arena != NULL &&
            (program->segments.items[i].program.has_zone ||
             program->segments.items[i].clock != NULL))
            TRY(job_again(engine, i));
    return inside_moved(engine, (struct moved){ .zone = true });
}

/* What names the trait (empty: a stage) has it anew; segments are asked of everyone, quietly. */
static enum err trait_moved(struct engine *engine, struct str name)
{
    const struct program *program = engine->program;
    for (uint32_t i = 0; i < program->segments.count; i++)
        if (program_segment_asks(program, i, name))
            TRY(job_again(engine, i));
    return inside_moved(engine, (struct moved){ .trait = name });
}

/* Each is a segment; one that is gone is left by everyone. */
static enum err stages_moved(struct engine *engine)
{
    const struct program *program = engine->program;
    for (uint32_t i = 0; i < program->segments.count; i++)
        if (program_is_stage(program, i))
            TRY(job_again(engine, i));
    return trait_moved(engine, STR_NONE);
}

/* Its lines are segments; one that is gone is left by everyone. */
static enum err score_moved(struct engine *engine, struct str name, uint32_t number)
{
    const struct program *program = engine->program;
    for (uint32_t i = 0; i < program->segments.count; i++)
        if (program_is_line(program, i, name))
            TRY(job_again(engine, i));
    return trait_moved(engine, program_name(program, NAME_TRAIT, number));
}

/* What the journey begins by stands anew, or is gone: everyone is asked, and nothing begins. */
static enum err beginnings_moved(struct engine *engine)
{
    const struct program *program = engine->program;
    for (uint32_t i = 0; i < program->segments.count; i++)
        if (program->segments.items[i].is_beginning &&
            program->segments.items[i].version == (uint32_t)engine->seq)
            TRY(job_begin(engine, i, false));
    return OK;
}

enum err apply_definition(struct engine *engine, const struct record *record,
                          struct problem *problem)
{
    uint32_t           number;
    const struct zone *zone = engine->program->zone;
    TRY(engine_broadcast_allows(engine, record->definition_kind, record->name, record->body,
                                problem));
    if (record->definition_kind == DEFINE_WORKSPACE)
        TRY(program_check(engine->program, DEFINE_WORKSPACE, record->name, record->body, problem));
    TRY(program_define(engine->program, record->definition_kind, record->name, record->body,
                       (uint32_t)engine->seq, &number, problem));
    if (record->definition_kind == DEFINE_SENDING && !engine->program->sending.is_stopped)
        return braking_release(engine);
    if (record->definition_kind == DEFINE_CODES)
        return giving_release(engine, false); /* who waits may be served now */
    if (record->definition_kind == DEFINE_TEMPLATE)
        return giving_release(engine, true); /* or wants no code any more */
    if (engine->program->zone != zone)
        return zone_moved(engine);
    if (record->definition_kind == DEFINE_TRAIT)
        return trait_moved(engine, program_name(engine->program, NAME_TRAIT, number));
    if (record->definition_kind == DEFINE_SCORE)
        return score_moved(engine, record->name, number);
    if (record->definition_kind == DEFINE_STAGES)
        return stages_moved(engine);
    if (record->definition_kind == DEFINE_JOURNEY) {
        TRY(beginnings_moved(engine));
        TRY(launch_begin(engine, record, number));
        return move_begin(engine, record, number);
    }
    if (record->definition_kind == DEFINE_JOURNEY_STATE)
        return state_begin(engine, number);
    /* A deleted segment is left by everyone, in the same quiet way. */
    return record->definition_kind == DEFINE_SEGMENT
               ? job_begin(engine, number, (record->flags & RECORD_FIRE) != 0)
               : OK;
}

/*
 * The folder's answers are of an earlier program, which understood a condition otherwise: everyone
 * is asked everything anew, quietly, so that nobody is told to have changed who did not.
 */
static enum err rules_moved(struct engine *engine)
{
    const struct program *program = engine->program;
    for (uint32_t i = 0; i < program->segments.count; i++)
        if (program->segments.items[i].arena != NULL)
            TRY(job_again(engine, i));
    return inside_moved(engine, (struct moved){ .rules = true });
}

/*
 * A state keeps until when an answer lasts, and that was by the definitions of its time: whoever a
 * change left as they were has no decision that says so, and is asked anew.
 */
enum err changed_ask(struct engine *engine)
{
    const struct program *program = engine->program;
    uint64_t              seq = engine->loaded_seq;
    if (engine->rules_moved)
        TRY(rules_moved(engine));
    if (seq == 0)
        return OK;
    for (uint32_t i = 0; i < program->segments.count; i++)
        if (program_segment_is_newer(program, i, seq))
            TRY(job_again(engine, i));
    for (uint32_t i = 0; i < program->computed.count; i++)
        if (program->computed.items[i].arena != NULL && program->computed.items[i].version > seq)
            TRY(inside_moved(
                engine, (struct moved){ .trait = program_name(program, NAME_TRAIT,
                                                              program->computed.items[i].trait) }));
    /* Who stands in a journey that was resumed since has no timer in a row of before. */
    for (uint32_t i = 0; i < program->journeys.count; i++)
        if (program->journeys.items[i].state_version > seq)
            TRY(standstill_defined(engine, i));
    if (program->stages.version > seq)
        TRY(inside_moved(engine, (struct moved){ .trait = STR_NONE }));
    if (engine->zones_moved)
        return zone_moved(engine);
    return program->zone_version > seq ? inside_moved(engine, (struct moved){ .zone = true }) : OK;
}

/* A launch waits while its journey stands still: it would find the door closed for everybody; and
 * what is new would be given to nobody. */
bool job_waits(const struct engine *engine, const struct job *job)
{
    return (job->launches || job->fills) &&
           program_journey_state(engine->program, job->segment) == JOURNEY_PAUSED;
}

bool jobs_are_due(const struct engine *engine)
{
    for (uint32_t i = 0; i < engine->jobs.count; i++)
        if (!job_waits(engine, &engine->jobs.items[i]))
            return true;
    return false;
}

/* A launch lets nobody in twice: it comes to each person here alone. */
static enum err job_come(struct engine *engine, struct out *out, uint32_t person)
{
    TRY(wakes_before(engine, out, person, engine->now_ms));
    for (uint32_t i = 0; i < engine->jobs.count; i++) {
        struct job job = engine->jobs.items[i];
        if (job.launches && !job_waits(engine, &job) && job.cursor <= person &&
            !people_is_nobody(engine->people, person))
            TRY(launch_ask(engine, out, person, job));
    }
    return OK;
}

/* One pass serves all jobs: wakes_before asks whom a job has not reached. */
enum err jobs_run(struct engine *engine, struct out *out)
{
    uint32_t all = people_count(engine->people), from = all;
    uint32_t most = JOB_ASKS / engine->jobs.count + 1;
    for (uint32_t i = 0; i < engine->jobs.count; i++) {
        const struct job *job = &engine->jobs.items[i];
        if (job_waits(engine, job))
            continue;
        if (job->cursor < from)
            from = job->cursor;
        if (job->fills && most > JOB_FILLS)
            most = JOB_FILLS;
    }
    uint32_t end = all - from > most ? from + most : all;
    for (uint32_t p = from; p < end; p++)
        if (people_root(engine->people, p) == p)
            TRY(job_come(engine, out, p));
    for (uint32_t i = engine->jobs.count; i > 0; i--) {
        struct job *job = &engine->jobs.items[i - 1];
        bool        waits = job_waits(engine, job);
        if (job->cursor < end && !waits)
            job->cursor = end;
        if (job->cursor == all && !waits)
            VEC_REMOVE(&engine->jobs, i - 1);
    }
    engine->rules_moved = engine->rules_moved && engine->jobs.count > 0;
    return OK;
}
