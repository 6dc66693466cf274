/*
 * A definition has changed: who is to be asked anew, and the jobs that ask them, a few thousand
 * with each record of the clock.
 */
#include "engine/inside.h"

#include "engine/vec.h"

enum { JOB_ASKS = 4000 }; /* of changed segments, of one clock record */

/* Everyone is asked about the segment anew. */
static enum err job_begin(struct engine *engine, uint32_t segment, bool fire)
{
    for (uint32_t i = 0; i < engine->jobs.count; i++)
        if (engine->jobs.items[i].segment == segment) {
            engine->jobs.items[i] = (struct job){ segment, (uint32_t)engine->seq, 0, fire };
            return OK;
        }
    return VEC_ADD(&engine->jobs, (struct job){ segment, (uint32_t)engine->seq, 0, fire });
}

/* The same, not because it was itself defined anew: what is under way begins again, as loud or
 * quiet as it was. */
static enum err job_again(struct engine *engine, uint32_t segment)
{
    for (uint32_t i = 0; i < engine->jobs.count; i++)
        if (engine->jobs.items[i].segment == segment) {
            engine->jobs.items[i].cursor = 0;
            return OK;
        }
    return job_begin(engine, segment, false);
}

/* What moved under the conditions that ask about it. */
struct moved {
    bool       zone;  /* where days begin; else: */
    struct str trait; /* a computed trait; empty: a stage */
};

static bool is_moved(const struct program *program, const struct condition *condition,
                     const struct moved *moved)
{
    return moved->zone ? condition->tree != NULL && condition->program.has_zone
                       : program_asks(program, condition->tree, moved->trait);
}

/* What a wait rests on: the conditions that it waits for, or a clock and a date. */
static bool is_wait_moved(const struct program *program, const struct journey *journey,
                          const struct node *node, const struct moved *moved)
{
    if (node->kind == NODE_WAIT_UNTIL)
        return moved->zone ? node->until.kind != UNTIL_INSTANT
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
        if (!is_enrollment_moved(engine->program, &state->rare->enrollments.items[i], moved))
            continue;
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
        if (program->segments.items[i].arena != NULL && program->segments.items[i].program.has_zone)
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
    if (record->definition_kind == DEFINE_STAGES)
        return trait_moved(engine, STR_NONE);
    /* A deleted segment is left by everyone, in the same quiet way. */
    return record->definition_kind == DEFINE_SEGMENT
               ? job_begin(engine, number, (record->flags & RECORD_FIRE) != 0)
               : OK;
}

/*
 * A state keeps until when an answer lasts, and that was by the definitions of its time: whoever a
 * change left as they were has no decision that says so, and is asked anew.
 */
enum err changed_ask(struct engine *engine)
{
    const struct program *program = engine->program;
    uint64_t              seq = engine->loaded_seq;
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
    if (program->stages.version > seq)
        TRY(inside_moved(engine, (struct moved){ .trait = STR_NONE }));
    if (engine->zones_moved)
        return zone_moved(engine);
    return program->zone_version > seq ? inside_moved(engine, (struct moved){ .zone = true }) : OK;
}

/* One pass serves all jobs: wakes_before asks whom a job has not reached. */
enum err jobs_run(struct engine *engine, struct out *out)
{
    uint32_t all = people_count(engine->people), from = all;
    uint32_t most = JOB_ASKS / engine->jobs.count + 1;
    for (uint32_t i = 0; i < engine->jobs.count; i++)
        if (engine->jobs.items[i].cursor < from)
            from = engine->jobs.items[i].cursor;
    uint32_t end = all - from > most ? from + most : all;
    for (uint32_t p = from; p < end; p++)
        if (people_root(engine->people, p) == p)
            TRY(wakes_before(engine, out, p, engine->now_ms));
    for (uint32_t i = engine->jobs.count; i > 0; i--) {
        struct job *job = &engine->jobs.items[i - 1];
        if (job->cursor < end)
            job->cursor = end;
        if (job->cursor == all)
            VEC_REMOVE(&engine->jobs, i - 1);
    }
    return OK;
}
