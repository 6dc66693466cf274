/*
 * Moving: a journey was published anew, and those inside go on by the new version where they stand
 * at a node that it has: the same id, and the same kind. Others finish the version they came in by.
 *
 *      wait, wait_for, answer_within   began when it began, and is as long as the new one says;
 * what would be over by that ends at once wait_until                      by the new words, from
 * now on
 *
 * The exits and the goal of the new version are asked at once. Who leaves by that, or goes on since
 * a condition holds already, begins nothing: a changed definition fires nothing.
 *
 * Where it is asked for (RECORD_BACKFILL) they get what is new before where they stand: filling.h.
 *
 * Always true   who is held out, or is outside and watched for the goal, stays with the version of
 *               their time; a person is moved once, also after a load, for the enrollment says so.
 */
#include "engine/inside.h"
#include "engine/journey/filling.h"

/* Of the counting beforehand. */
enum { LOOKS_A_TIMELINE = 100, EVENTS_A_LOOK = 10 };

/* The node of `to` that answers to where the enrollment stands; JOURNEY_END: none. */
static uint16_t place_in(const struct journey *from, const struct enrollment *e,
                         const struct journey *to)
{
    /* By another key they would be inside for nothing that they did. */
    bool is_same_key =
        str_is_empty(to->trigger.key_name) || str_eq(to->trigger.key_name, from->trigger.key_name);
    if (!enrollment_is_inside(e) || e->visit == 0 || e->node >= from->nodes_count || !is_same_key)
        return JOURNEY_END;
    uint16_t node = journey_node(to, from->nodes[e->node].id);
    return node != JOURNEY_END && to->nodes[node].kind == from->nodes[e->node].kind ? node
                                                                                    : JOURNEY_END;
}

static int64_t due_of(const struct node *from, const struct node *to, int64_t due_ms,
                      int64_t now_ms)
{
    if (from->kind == NODE_WAIT_UNTIL || due_ms == TIME_NEVER)
        return due_ms; /* who waits by other words arrives anew */
    due_ms += to->wait_ms - from->wait_ms;
    return due_ms < now_ms ? now_ms : due_ms;
}

static bool is_same_until(const struct until *a, const struct until *b)
{
    return a->kind == b->kind && a->is_yearly == b->is_yearly && a->is_entry == b->is_entry &&
           a->is_best == b->is_best && a->days == b->days && a->time_ms == b->time_ms &&
           a->at_ms == b->at_ms && a->shift_ms == b->shift_ms && str_eq(a->trait, b->trait);
}

/* Where the enrollment goes on by `version`; JOURNEY_END: it stays as it is. */
static uint16_t place_of(const struct program *program, const struct enrollment *e,
                         uint32_t journey, const struct journey_version *version)
{
    const struct journey_version *from = program_journey_version(program, e->journey, e->version);
    if (e->journey != journey || e->version >= version->version || from == NULL)
        return JOURNEY_END;
    return place_in(&from->journey, e, &version->journey);
}

static enum err move(struct step *step, const struct enrollment *e,
                     const struct journey_version *version, uint16_t number)
{
    const struct journey_version *from = journey_version_of(step, e);
    const struct node            *node = &version->journey.nodes[number];
    return decide(step->engine, step->out,
                  (struct decision){ .kind = DECISION_MOVED,
                                     .profile = step->person,
                                     .at_ms = step->at_ms,
                                     .subject = e->id,
                                     .object = number,
                                     .other = version->version,
                                     .journey = e->journey,
                                     .node = node->id,
                                     .due_ms = due_of(&from->journey.nodes[e->node], node,
                                                      e->due_ms, step->at_ms) });
}

/* The first that is to move, and where to; NULL: none is left. */
static const struct enrollment *next_of(const struct engine *engine, uint32_t person,
                                        uint32_t journey, const struct journey_version *version,
                                        uint16_t *place)
{
    const struct state *state = people_state_get(engine->people, person);
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++) {
        const struct enrollment *e = &state->rare->enrollments.items[i];
        *place = place_of(engine->program, e, journey, version);
        if (*place != JOURNEY_END)
            return e;
    }
    return NULL;
}

/* What is new before where they stand is found while it is known by which version they came. */
static enum err filling_of(struct step *step, const struct enrollment *e,
                           const struct journey_version *version, uint16_t place, bool fills,
                           struct filling *out)
{
    bool runs = program_journey_state(step->engine->program, e->journey) == JOURNEY_RUNS;
    out->count = 0;
    return fills && runs && !step->machine
               ? filling_find(step_facts(step), step->engine->program, e,
                              &journey_version_of(step, e)->journey, &version->journey, place, out)
               : OK;
}

/* Moves one, and looks at that one alone: what is due of others comes in its own turn. */
static enum err go_on(struct step *step, const struct enrollment *e,
                      const struct journey_version *version, uint16_t place, bool fills)
{
    struct filling                filling;
    const struct journey_version *from = journey_version_of(step, e);
    const struct node *old = &from->journey.nodes[e->node], *now = &version->journey.nodes[place];
    uint64_t           id = e->id;
    bool is_anew = now->kind == NODE_WAIT_UNTIL && !is_same_until(&old->until, &now->until);
    TRY(filling_of(step, e, version, place, fills, &filling));
    TRY(move(step, e, version, place));
    if (filling.count > 0) { /* before they go on, and not to who leaves */
        TRY(journeys_end_one(step, id));
        TRY(filling_give(step, id, &filling));
    }
    TRY(journeys_look_one(step, id));
    e = journey_enrollment(step, id);
    bool is_there = e != NULL && enrollment_is_inside(e) && e->node == place;
    bool stands =
        is_there && program_journey_state(step->engine->program, e->journey) == JOURNEY_PAUSED;
    return is_anew && is_there && !stands ? journey_walk(step, id, place, false) : OK;
}

enum err moving_ask(struct engine *engine, struct out *out, uint32_t person, struct job job)
{
    uint32_t                      journey = job.segment;
    const struct journey_version *version =
        program_journey_version(engine->program, journey, job.version);
    struct step step;
    uint16_t    place;
    if (version == NULL || next_of(engine, person, journey, version, &place) == NULL)
        return OK;
    int64_t wake_ms = people_get(engine->people, person)->wake_ms;
    TRY(step_begin(&step, engine, out, person, wake_ms < engine->now_ms ? wake_ms : engine->now_ms,
                   true));
    const struct enrollment *e;
    while ((e = next_of(engine, person, journey, version, &place)) != NULL)
        TRY(go_on(&step, e, version, place, job.fills));
    return step_run(&step);
}

/* ---- counted before ---- */

static void node_count(struct inside_count *out, struct str id, bool moves)
{
    uint32_t i = 0;
    while (i < out->nodes_count && !str_eq(out->nodes[i].id, id))
        i++;
    if (i == INSIDE_NODES_MAX)
        return;
    if (i == out->nodes_count)
        out->nodes[out->nodes_count++] = (struct inside_node){ .id = id };
    out->nodes[i].people++;
    out->nodes[i].moves += moves;
}

static void fill_count(struct inside_count *out, struct str id)
{
    uint32_t i = 0;
    while (i < out->fills_count && !str_eq(out->fills[i].id, id))
        i++;
    if (i == INSIDE_NODES_MAX)
        return;
    if (i == out->fills_count)
        out->fills[out->fills_count++] = (struct inside_node){ .id = id };
    out->fills[i].people++;
}

/* How long it takes, in people whose state alone is looked at: measured, moving_test.c. */
static uint32_t looks_of(const struct facts *facts)
{
    uint64_t events = 0;
    for (uint32_t r = 0; r < facts->runs_count; r++)
        events += facts->runs[r].count;
    return LOOKS_A_TIMELINE + (uint32_t)(events / EVENTS_A_LOOK);
}

/* Those who would move, by name of what is new. */
static uint32_t filled_count(const struct engine *engine, uint32_t person,
                             const struct enrollment *e, const struct journey *from,
                             const struct journey *to, struct inside_count *out)
{
    struct filling filling = { .count = 0 };
    struct known   known;
    uint16_t       place = place_in(from, e, to);
    if (place == JOURNEY_END || !filling_is_any(from, to) ||
        program_journey_state(engine->program, e->journey) != JOURNEY_RUNS)
        return 0;
    known_make(&known, engine, person, engine->now_ms);
    /* Without memory nothing is counted. */
    if (journey_keeps(to, &known.facts) &&
        filling_find(&known.facts, engine->program, e, from, to, place, &filling) == OK)
        out->filled += filling.count > 0;
    for (uint32_t i = 0; i < filling.count; i++)
        fill_count(out, to->nodes[filling.nodes[i]].id);
    return looks_of(&known.facts);
}

static uint32_t enrollment_count(const struct engine *engine, uint32_t person,
                                 const struct enrollment *e, const struct journey *to,
                                 struct inside_count *out)
{
    const struct program         *program = engine->program;
    const struct journey_version *from = program_journey_version(program, e->journey, e->version);
    const struct journey_version *live = program_journey_live(program, e->journey);
    if (from == NULL || !enrollment_is_inside(e) || e->node >= from->journey.nodes_count)
        return 0;
    bool moves = to != NULL && place_in(&from->journey, e, to) != JOURNEY_END;
    out->people++;
    out->moves += moves;
    out->older += live == NULL || live->version != e->version;
    node_count(out, from->journey.nodes[e->node].id, moves);
    return moves ? filled_count(engine, person, e, &from->journey, to, out) : 0;
}

bool engine_inside_count(const struct engine *engine, uint32_t journey, const struct journey *to,
                         uint32_t *cursor, uint32_t most, struct inside_count *out)
{
    uint32_t all = people_count(engine->people), looks = 0, p = *cursor;
    for (; p < all && looks < most; p++, looks++) {
        if (people_root(engine->people, p) != p)
            continue;
        const struct state *state = people_state_get(engine->people, p);
        for (uint32_t i = 0; i < state->rare->enrollments.count; i++)
            if (state->rare->enrollments.items[i].journey == journey)
                looks += enrollment_count(engine, p, &state->rare->enrollments.items[i], to, out);
    }
    *cursor = p;
    return p == all;
}
