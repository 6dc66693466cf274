/*
 * A journey is launched for those already inside what begins it: a segment, a stage or a list. A
 * job goes over people beside everything else, in order of their numbers; whoever is inside as it
 * comes to them comes in, by reentry, key, audience and holdout as always. Who came in since the
 * launch by themselves is not let in a second time.
 */
#include "engine/inside.h"

static bool is_inside_source(struct step *step, const struct journey_version *version)
{
    const struct facts           *facts = step_facts(step);
    const struct journey_trigger *trigger = &version->journey.trigger;
    if (trigger->kind == TRIGGER_SEGMENT)
        return facts->ops->in_segment(facts, version->source).holds;
    return trigger->kind == TRIGGER_LIST && facts->ops->in_list(facts, version->source).holds;
}

/* Since that instant, whatever became of it. */
static bool has_come(const struct step *step, uint32_t journey, int64_t since_ms)
{
    const struct rare *rare = people_state_get(step->engine->people, step->person)->rare;
    for (uint32_t i = 0; i < rare->pasts.count; i++)
        if (rare->pasts.items[i].journey == journey && rare->pasts.items[i].entered_ms >= since_ms)
            return true;
    return false;
}

enum err launch_ask(struct engine *engine, struct out *out, uint32_t person, struct job job)
{
    const struct journey_version *version = program_journey_live(engine->program, job.segment);
    struct step                   step;
    if (version == NULL || version->version < job.version)
        return OK; /* the journey is gone; one that was published since goes on with the launch */
    TRY(step_begin(&step, engine, out, person, engine->now_ms, false));
    if (!step.machine && is_inside_source(&step, version) &&
        !has_come(&step, job.segment, job.since_ms))
        TRY(journey_let_in(&step, job.segment, STR("inside at the launch")));
    return step_run(&step);
}
