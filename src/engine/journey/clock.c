#include "engine/journey/clock.h"

#include "engine/inside.h"

const struct clock *clock_copy(struct arena *arena, const struct clock *clock)
{
    struct clock *copy = ARENA_NEW(arena, struct clock);
    if (copy == NULL)
        return NULL;
    *copy = *clock;
    if (clock->until.kind != UNTIL_TRAIT)
        return copy;
    copy->until.trait = str_copy(arena, clock->until.trait);
    return copy->until.trait.ptr == NULL ? NULL : copy;
}

/* The first instant not before from_ms, or (later) after it; one that does not come again may lie
 * before. */
static int64_t next_of(struct step *step, const struct clock *clock, int64_t from_ms, bool later,
                       int64_t *look_ms)
{
    if (clock->is_workspace && clock->until.kind != UNTIL_TRAIT) {
        *look_ms = TIME_NEVER;
        return until_end_ms(&clock->until, step->engine->program->zone, NULL, from_ms, later);
    }
    return waiting_end_ms(step, &clock->until, 0, from_ms, later, look_ms);
}

int64_t clock_next_ms(struct step *step, const struct clock *clock)
{
    int64_t look_ms, next_ms = next_of(step, clock, step->at_ms, true, &look_ms);
    return next_ms > step->at_ms ? next_ms : TIME_NEVER;
}

enum err clock_ask(struct step *step, uint32_t segment, const struct clock *clock, int64_t was_ms,
                   bool is_due, int64_t *until_ms)
{
    int64_t look_ms;
    *until_ms = TIME_NEVER;
    if (step->machine)
        return OK;
    if (!is_due && was_ms <= step->at_ms) {
        *until_ms = was_ms; /* what is due stays due: the wake itself asks if it still is */
        return OK;
    }
    if (is_due && !step->quiet && next_of(step, clock, was_ms, false, &look_ms) == was_ms)
        step_queue(step, CONSEQUENCE_CLOCK, segment);
    /* What was due as the process before ended comes now. */
    int64_t from_ms = step->behind_ms <= step->at_ms ? step->behind_ms - 1 : step->at_ms;
    int64_t next_ms = next_of(step, clock, from_ms, true, &look_ms);
    if (next_ms > from_ms)
        *until_ms = next_ms;
    if (look_ms > step->at_ms && look_ms < *until_ms)
        *until_ms = look_ms;
    return OK;
}
