/* One person at one instant: all that follows, one thing after the other. */
#include "engine/inside.h"

#include <string.h>

enum { EVENTS_EVALUATED_MAX = 1000000 }; /* beyond that a person is a machine */

/* Whoever did much has answers that stand. */
static enum err standings_use(struct step *step, uint32_t events)
{
    struct state *state = people_state(step->engine->people, step->person);
    struct rarer *rarer = state == NULL ? NULL : state_rarer_own(state);
    if (rarer == NULL)
        return ERR_MEMORY;
    rarer->standings.most = events / STANDING_EVENTS_EACH;
    step->known.facts.standings = &rarer->standings;
    return OK;
}

/* Answers that rest on events which are gone. */
static enum err standings_drop(struct engine *engine, uint32_t person)
{
    struct state *state = people_state(engine->people, person);
    if (state == NULL)
        return ERR_MEMORY;
    if (state->rarer->standings.count > 0)
        standings_forget(&state_rarer_own(state)->standings);
    return OK;
}

static uint64_t events_of(const struct facts *facts)
{
    uint64_t events = 0;
    for (uint32_t i = 0; i < facts->runs_count; i++)
        events += facts->runs[i].count;
    return events;
}

bool step_is_machine(const struct facts *facts)
{
    return events_of(facts) > EVENTS_EVALUATED_MAX;
}

enum err step_begin(struct step *step, struct engine *engine, struct out *out, uint32_t person,
                    int64_t at_ms, bool quiet)
{
    /* The runs are large and filled by known_make: not cleared. */
    step->engine = engine;
    step->out = out;
    step->person = people_root(engine->people, person);
    step->at_ms = at_ms;
    step->quiet = quiet;
    step->event_seq = 0;
    step->behind_ms = TIME_NEVER;
    step->moved = STEP_MOVED;
    step->queue_count = step->queue_done = 0;
    step->parked = step->later = step->is_lost = step->has_told = step->machine = step->in_order =
        step->hears = step->gives = false;
    step->event = (struct timeline_event){ 0 };
    step->own_heard = engine->own_count;
    engine->own_added = 0;
    TRY(checkpoint_before(engine, step->person));
    known_make(&step->known, engine, step->person, at_ms);
    if (retain_concerns(engine, step->person))
        TRY(standings_drop(engine, step->person));
    uint64_t events = events_of(&step->known.facts);
    step->machine = events > EVENTS_EVALUATED_MAX;
    return events < STANDING_EVENTS_MIN ? OK : standings_use(step, (uint32_t)events);
}

struct facts *step_facts(struct step *step)
{
    if (step->own_heard == step->engine->own_count)
        return &step->known.facts;
    struct standings *standings = step->known.facts.standings;
    int64_t           entry_ms = step->known.facts.entry_ms;
    uint32_t          entry_key = step->known.facts.entry_key;
    step->own_heard = step->engine->own_count;
    known_make(&step->known, step->engine, step->person, step->at_ms);
    step->known.facts.standings = standings;
    step->known.facts.entry_ms = entry_ms;
    step->known.facts.entry_key = entry_key;
    return &step->known.facts;
}

void step_because(struct step *step, const struct timeline_event *event)
{
    step->event = *event;
    step->event_seq = event->seq;
    step->event_at = event->at_ms;
    step->event_run = (struct run){ &step->event.name, &step->event.at_ms, &step->event.seq,
                                    &step->event.bag, 1 };
}

void step_queue_of(struct step *step, struct consequence what)
{
    if (step->queue_count < CONSEQUENCES_MAX) {
        step->queue[step->queue_count++] = what;
        return;
    }
    step->parked = true;
    step->is_lost = step->is_lost || what.kind == CONSEQUENCE_TOLD;
}

void step_queue(struct step *step, enum consequence_kind kind, uint32_t number)
{
    step_queue_of(step, (struct consequence){ kind, number, step->event });
}

static enum err numbers_ask(struct step *step, const struct numbers *segments)
{
    for (uint32_t i = 0; i < segments->count; i++)
        TRY(membership_ask(step, segments->items[i]));
    return OK;
}

/* Segments and exit conditions that name a segment or list are asked again when it changes. */
static enum err consequence_run(struct step *step, struct consequence what)
{
    const struct program *program = step->engine->program;
    step_because(step, &what.event);
    switch (what.kind) {
    case CONSEQUENCE_CROSSED:
        return program_is_stage(program, what.number) ? stage_changed(step, what.number)
                                                      : score_crossed(step, what.number);
    case CONSEQUENCE_TOLD:
        return told_follow(step, &what.event);
    case CONSEQUENCE_EVENT:
        break;
    case CONSEQUENCE_ENTERED:
    case CONSEQUENCE_CHANGED:
        TRY(numbers_ask(step, &program->segments_of_segment[what.number]));
        TRY(journeys_look(step, LOOK_SEGMENT, what.number));
        break;
    case CONSEQUENCE_JOINED:
    case CONSEQUENCE_DEPARTED:
        TRY(numbers_ask(step, &program->segments_of_list[what.number]));
        TRY(journeys_look(step, LOOK_LIST, what.number));
        break;
    case CONSEQUENCE_CLOCK:
    case CONSEQUENCE_FINISHED:
    case CONSEQUENCE_LEFT:
    case CONSEQUENCE_STARTED:
        break; /* what asks about journeys hears of their events */
    }
    return journeys_trigger(step, what);
}

/* What was decided is on the timeline: whatever asks about it is asked. */
static enum err own_ask(struct step *step)
{
    const struct program *program = step->engine->program;
    uint32_t              names = step->engine->own_added;
    step->engine->own_added = 0;
    for (uint32_t name = 0; name < RUN_OWN_NAMES; name++) {
        if ((names >> name & 1) == 0)
            continue;
        TRY(numbers_ask(step, &program->segments_of_event[name]));
        TRY(journeys_look(step, LOOK_EVENT, name));
    }
    return OK;
}

static enum err parked_tell(struct step *step)
{
    step->engine->parked++;
    return decide(step->engine, step->out,
                  (struct decision){ .kind = DECISION_PARKED,
                                     .profile = step->person,
                                     .at_ms = step->at_ms,
                                     .text = STR("more than 64 consequences of one record") });
}

/* Of somebody who stands in a journey, or was due, it is always looked for. */
static bool is_wake_known(const struct step *step)
{
    const struct engine *engine = step->engine;
    return step->moved == engine->moved &&
           people_get(engine->people, step->person)->wake_ms > step->at_ms &&
           people_state_get(engine->people, step->person)->rare->enrollments.count == 0;
}

static enum err queue_run(struct step *step)
{
    while (step->queue_done < step->queue_count || step->engine->own_added != 0) {
        if (step->engine->own_added != 0)
            TRY(own_ask(step));
        else
            TRY(consequence_run(step, step->queue[step->queue_done++]));
    }
    return OK;
}

/*
 * What nodes told found no place in the queue: it is on the timeline, and begins nothing; but
 * segments, exits and waits are to be true. Quietly nobody comes in anywhere, and no circle of
 * nodes is without time, so that this ends.
 */
static enum err lost_ask(struct step *step)
{
    step->is_lost = false;
    step->quiet = true;
    step->queue_count = step->queue_done = 0;
    TRY(journeys_look(step, LOOK_ALL, 0));
    TRY(membership_ask_all(step));
    return queue_run(step);
}

enum err step_run(struct step *step)
{
    TRY(queue_run(step));
    while (step->is_lost)
        TRY(lost_ask(step));
    if (step->parked)
        TRY(parked_tell(step));
    return is_wake_known(step) ? OK : wake_set(step->engine, step->person);
}

/* A timer that comes too early looks and is set anew, so that a person has one, not one a record.
 */
enum err wake_at(struct engine *engine, uint32_t person, int64_t wake_ms)
{
    struct profile *profile = people_get(engine->people, person);
    profile->wake_ms = wake_ms;
    if (wake_ms >= profile->timer_ms)
        return OK;
    profile->timer_ms = wake_ms;
    return calendar_add(engine->wakes, (struct timer){ wake_ms, person });
}

enum err wake_set(struct engine *engine, uint32_t person)
{
    const struct state *state = people_state_get(engine->people, person);
    int64_t             wake_ms = TIME_NEVER;
    /* Who is still to be asked everything has that to wake up for, and nothing that was due
     * before: a loaded state's instants may be past. */
    if (people_get(engine->people, person)->ask_all)
        return OK;
    for (uint32_t i = 0; i < state->memberships.count; i++) {
        int64_t until_ms = memberships_until_ms(&state->memberships, i);
        if (until_ms < wake_ms)
            wake_ms = until_ms;
    }
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++) {
        const struct enrollment *enrollment = &state->rare->enrollments.items[i];
        int64_t                  due_ms = enrollment_due_ms(engine->program, enrollment);
        if (due_ms < wake_ms)
            wake_ms = due_ms;
        if (enrollment->look_ms < wake_ms)
            wake_ms = enrollment->look_ms;
    }
    return wake_at(engine, person, wake_ms);
}

/* Everything about the person is looked at again: memberships, then exits. */
enum err person_ask_all(struct engine *engine, struct out *out, uint32_t person, bool quiet)
{
    struct step step;
    TRY(step_begin(&step, engine, out, person, engine->now_ms, quiet));
    TRY(membership_ask_all(&step));
    TRY(journeys_look(&step, LOOK_ALL, 0));
    people_get(engine->people, step.person)->ask_all = false;
    return step_run(&step);
}

/* A definition moved what journeys ask: who leaves by that, or goes on, begins no other. */
static enum err quietly_look(struct engine *engine, struct out *out, uint32_t person, int64_t at_ms)
{
    struct step step;
    bool        more = false; /* what was due before that is looked at first */
    TRY(step_begin(&step, engine, out, person, at_ms, true));
    TRY(journeys_look(&step, LOOK_DUE, 0));
    TRY(step_run(&step));
    const struct state *state = people_state_get(engine->people, person);
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++)
        more = more || state->rare->enrollments.items[i].look_ms <= engine->now_ms;
    people_get(engine->people, person)->quietly = more;
    return OK;
}

/* What is due for the person at one instant: memberships that may change, then waits that end. */
static enum err wake(struct engine *engine, struct out *out, uint32_t person, int64_t at_ms)
{
    struct step     step;
    struct profile *root = people_get(engine->people, person);
    if (root->quietly)
        TRY(quietly_look(engine, out, person, at_ms));
    TRY(step_begin(&step, engine, out, person, at_ms, false));
    bool all = root->ask_all;
    root->ask_all = false;
    step.in_order = !all;
    if (all && engine->behind_ms > 0 && at_ms == engine->loaded_ms)
        step.behind_ms = engine->behind_ms;
    TRY(all ? membership_ask_all(&step) : membership_ask_due(&step));
    TRY(journeys_look(&step, all ? LOOK_ALL : LOOK_DUE, 0));
    TRY(journeys_due(&step));
    return step_run(&step);
}

/* No later than what is due for the person; before it, where nothing but the rules has changed:
 * what time alone does is no less loud for that. */
static int64_t job_ms(const struct engine *engine, const struct profile *root)
{
    if (root->wake_ms > engine->now_ms)
        return engine->now_ms;
    return engine->rules_moved && !root->ask_all ? root->wake_ms - 1 : root->wake_ms;
}

static enum err jobs_ask(struct engine *engine, struct out *out, uint32_t root, bool fire)
{
    struct step step;
    bool        begun = false;
    int64_t     at_ms = job_ms(engine, people_get(engine->people, root));
    for (uint32_t i = 0; i < engine->jobs.count; i++) {
        if (engine->jobs.items[i].cursor > root || engine->jobs.items[i].fire != fire ||
            engine->jobs.items[i].moves || engine->jobs.items[i].launches ||
            engine->jobs.items[i].stops)
            continue;
        if (!begun)
            TRY(step_begin(&step, engine, out, root, at_ms, !fire));
        begun = true;
        TRY(membership_ask(&step, engine->jobs.items[i].segment));
    }
    return begun ? step_run(&step) : OK;
}

/*
 * A changed definition fires nothing, unless that was asked for: whom it has not reached yet is
 * asked quietly first, before anything that may fire looks at the same segment.
 */
static enum err jobs_before(struct engine *engine, struct out *out, uint32_t root)
{
    for (uint32_t i = 0; i < engine->jobs.count; i++) {
        struct job job = engine->jobs.items[i];
        if (job.moves && job.cursor <= root && !job_waits(engine, &job))
            TRY(moving_ask(engine, out, root, job));
        if (job.stops && job.cursor <= root)
            TRY(standstill_ask(engine, out, root, job.segment));
    }
    TRY(jobs_ask(engine, out, root, false));
    return jobs_ask(engine, out, root, true);
}

static enum err wakes_run(struct engine *engine, struct out *out, uint32_t root, int64_t until_ms)
{
    if (retain_concerns(engine, root))
        TRY(retain_ask(engine, out, root));
    TRY(jobs_before(engine, out, root));
    for (int i = 0; i < WAKES_MAX; i++) {
        int64_t due_ms = people_get(engine->people, root)->wake_ms;
        if (due_ms > until_ms)
            return OK;
        TRY(wake(engine, out, root, due_ms));
    }
    return OK; /* the rest has its timer still, and comes with the next record or clock */
}

enum err wakes_before(struct engine *engine, struct out *out, uint32_t person, int64_t until_ms)
{
    uint32_t root = people_root(engine->people, person);
    uint64_t seq = engine->seq;
    if (people_is_nobody(engine->people, root))
        return OK;
    TRY(wakes_run(engine, out, root, until_ms));
    if (engine->seq != seq)
        engine->number = ++engine->seq;
    return OK;
}
