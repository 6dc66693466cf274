/* One person at one instant: all that follows, one thing after the other. */
#include "engine/inside.h"

#include <string.h>

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
    step->queue_count = step->queue_done = 0;
    step->parked = false;
    TRY(checkpoint_before(engine, step->person));
    known_make(&step->known, engine, step->person, at_ms);
    return OK;
}

void step_queue(struct step *step, enum consequence_kind kind, uint32_t number)
{
    if (step->queue_count == CONSEQUENCES_MAX)
        step->parked = true;
    else
        step->queue[step->queue_count++] = (struct consequence){ kind, number };
}

/* Segments that name a segment are asked again when it changes. */
static enum err dependents_ask(struct step *step, uint32_t segment)
{
    const struct program *program = step->engine->program;
    for (uint32_t i = 0; i < program->segments.count; i++)
        if (program->segments.items[i].arena != NULL &&
            segment_needs_segment(&program->segments.items[i].program, segment))
            TRY(membership_ask(step, i));
    return OK;
}

static enum err list_dependents_ask(struct step *step, uint32_t list)
{
    const struct program *program = step->engine->program;
    for (uint32_t i = 0; i < program->segments.count; i++)
        if (program->segments.items[i].arena != NULL &&
            segment_needs_list(&program->segments.items[i].program, list))
            TRY(membership_ask(step, i));
    return OK;
}

static enum err consequence_run(struct step *step, struct consequence what)
{
    if (what.kind == CONSEQUENCE_ENTERED || what.kind == CONSEQUENCE_CHANGED)
        TRY(dependents_ask(step, what.number));
    if (what.kind == CONSEQUENCE_JOINED)
        TRY(list_dependents_ask(step, what.number));
    if (what.kind == CONSEQUENCE_CHANGED)
        return OK;
    return journeys_trigger(step, what);
}

static enum err parked_tell(struct step *step)
{
    step->engine->parked++;
    return decide(step->engine, step->out, (struct decision){
        .kind = DECISION_PARKED, .profile = step->person, .at_ms = step->at_ms,
        .text = STR("more than 64 consequences of one record") });
}

enum err step_run(struct step *step)
{
    while (step->queue_done < step->queue_count)
        TRY(consequence_run(step, step->queue[step->queue_done++]));
    if (step->parked)
        TRY(parked_tell(step));
    return wake_set(step->engine, step->person);
}

enum err wake_set(struct engine *engine, uint32_t person)
{
    const struct state *state = people_state_get(engine->people, person);
    int64_t             wake_ms = TIME_NEVER;
    for (uint32_t i = 0; i < state->memberships.count; i++)
        if (state->memberships.items[i].until_ms < wake_ms)
            wake_ms = state->memberships.items[i].until_ms;
    for (uint32_t i = 0; i < state->enrollments.count; i++) {
        const struct enrollment *enrollment = &state->enrollments.items[i];
        if (enrollment->due_ms < wake_ms)
            wake_ms = enrollment->due_ms;
        if (enrollment->exit_until_ms < wake_ms)
            wake_ms = enrollment->exit_until_ms;
    }
    struct profile *profile = people_get(engine->people, person);
    if (profile->wake_ms == wake_ms)
        return OK;
    profile->wake_ms = wake_ms;
    if (wake_ms == TIME_NEVER)
        return OK;
    return calendar_add(engine->wakes, (struct timer){ wake_ms, person });
}

enum err person_ask_all(struct engine *engine, struct out *out, uint32_t person, bool quiet)
{
    struct step step;
    TRY(step_begin(&step, engine, out, person, engine->now_ms, quiet));
    TRY(membership_ask_all(&step));
    return step_run(&step);
}

/* What is due for the person at one instant: memberships that may change, then waits that end. */
static enum err wake(struct engine *engine, struct out *out, uint32_t person, int64_t at_ms)
{
    struct step     step;
    struct profile *root = people_get(engine->people, person);
    TRY(step_begin(&step, engine, out, person, at_ms, false));
    bool all = root->ask_all;
    root->ask_all = false;
    root->wake_ms = TIME_NEVER; /* so that wake_set makes a new timer */
    TRY(all ? membership_ask_all(&step) : membership_ask_due(&step));
    TRY(journeys_exits(&step, all, 0));
    TRY(journeys_due(&step));
    return step_run(&step);
}

enum err wakes_before(struct engine *engine, struct out *out, uint32_t person, int64_t until_ms)
{
    for (int i = 0; i < WAKES_MAX; i++) {
        uint32_t root = people_root(engine->people, person);
        int64_t  due_ms = people_get(engine->people, root)->wake_ms;
        if (due_ms > until_ms)
            return OK;
        TRY(wake(engine, out, root, due_ms));
    }
    return OK; /* the rest has its timer still, and comes with the next record or clock */
}
