#include <string.h>

#include "engine/segment/segment_keyed.h"
#include "engine/segment/segment_scan.h"
#include "engine/segment/segment_values.h"

/*
 * A funnel is swept once, from the oldest event on. For every step there is kept when the latest
 * first event lay from which it was reached: a chain that began later has more time left, so none
 * before it need be followed.
 *
 *      A1   A2   B    A3   C         step 1: A3    step 2: A2    step 3: A2
 *
 * Steps are advanced from the last to the first, so one event never serves two of them, nor do two
 * of one instant and record follow each other.
 */
struct funnel {
    const struct segment_asking *asking;
    const struct segment_op     *op;
    struct segment_reach         reach;
    uint32_t                     steps; /* as many as are asked about */
    struct segment_scan          scans[SEGMENT_STEPS_MAX];
    struct keyed                *table; /* NULL: events of any value follow each other */
    int64_t                      starts[SEGMENT_STEPS_MAX];
    int64_t                      best[SEGMENT_STEPS_MAX]; /* the latest start that reached it */
    struct json                  same, best_same[SEGMENT_STEPS_MAX]; /* of the event; by which */
};

static void begin(struct funnel *f, int64_t from_ms)
{
    struct segment_span span = { later_ms(f->reach.now.from_ms, from_ms), f->reach.now.to_ms };
    for (uint32_t i = 0; i < f->steps; i++) {
        segment_scan_oldest(&f->scans[i], f->asking, &f->op->steps[i], span);
        span.to_ms = f->asking->facts->now_ms;
    }
}

static void advance(struct funnel *f, int64_t *starts, uint32_t step, int64_t at_ms)
{
    int64_t start_ms = step == 0 ? at_ms : starts[step - 1];
    if (start_ms == KEYED_NONE || at_ms - start_ms > f->op->within_ms)
        return;
    starts[step] = start_ms;
    if (start_ms <= f->best[step])
        return;
    f->best[step] = start_ms;
    if (f->table != NULL)
        f->best_same[step] = f->same;
}

/* The chains of the event's value; NULL when it is followed by none, or there is no room. */
static int64_t *starts_of(struct funnel *f, const struct segment_hit *hit, uint32_t step,
                          bool *full)
{
    if (f->table == NULL)
        return f->starts;
    if (!segment_same_value(segment_hit_bag(f->asking, hit), f->op->same, &f->same) ||
        !keyed_is_followed(f->table, &f->same))
        return NULL;
    struct keyed_slot *slot =
        step > 0 ? keyed_find(f->table, &f->same) : keyed_put(f->table, &f->same);
    if (slot == NULL && step == 0) { /* the chains of a value are no younger than its first event */
        keyed_keep(f->table, hit->at_ms - f->op->within_ms, INT64_MAX);
        slot = keyed_put(f->table, &f->same);
        *full = slot == NULL;
    }
    return slot == NULL ? NULL : slot->at_ms;
}

/* The oldest event that is left in any step's scan. */
static bool oldest(const struct funnel *f, struct segment_hit *out)
{
    struct segment_hit hit;
    bool               found = false;
    for (uint32_t i = 0; i < f->steps; i++)
        if (segment_scan_peek_oldest(&f->scans[i], &hit) &&
            (!found || segment_hit_is_after(out, &hit))) {
            *out = hit;
            found = true;
        }
    return found;
}

/* All steps that events of this place serve, the last step first. */
static bool serve(struct funnel *f, const struct segment_hit *place)
{
    struct segment_hit hit;
    bool               full = false;
    for (uint32_t i = f->steps; i > 0 && !full; i--)
        while (segment_scan_peek_oldest(&f->scans[i - 1], &hit) &&
               !segment_hit_is_after(&hit, place)) {
            int64_t *starts = starts_of(f, &hit, i - 1, &full);
            if (starts != NULL)
                advance(f, starts, i - 1, hit.at_ms);
            (void)segment_scan_take_oldest(&f->scans[i - 1], &hit);
        }
    return !full;
}

/* One pass; false when the table was too small for it. */
static bool pass(struct funnel *f, int64_t from_ms)
{
    struct segment_hit place;
    begin(f, from_ms);
    for (uint32_t i = 0; i < f->steps; i++)
        f->starts[i] = KEYED_NONE;
    while (oldest(f, &place))
        if (!serve(f, &place))
            return false;
    return true;
}

__attribute__((noinline)) static void pass_keyed(struct funnel *f, int64_t from_ms)
{
    struct keyed table;
    f->table = &table;
    for (uint32_t classes = 1; classes <= KEYED_CLASSES_MAX; classes *= 4) {
        bool whole = true;
        for (uint32_t class = 0; class < classes && whole; class ++) {
            keyed_init(&table, classes, class);
            whole = pass(f, from_ms);
        }
        if (whole)
            break;
    }
    f->table = NULL;
}

/* The first instant at which an event of the first `steps` comes to count. */
static int64_t more_ms(const struct funnel *f, uint32_t steps)
{
    struct segment_span  future = { f->asking->facts->now_ms + 1, INT64_MAX };
    struct segment_reach entering = f->reach;
    struct segment_scan  scan;
    struct segment_hit   hit;
    int64_t              at_ms = TIME_NEVER;
    for (uint32_t i = 0; i < steps; i++) {
        segment_scan_oldest(&scan, f->asking, &f->op->steps[i], future);
        if (segment_scan_peek_oldest(&scan, &hit))
            at_ms = earlier_ms(at_ms, hit.at_ms);
    }
    entering.leave_ms = TIME_NEVER;
    return earlier_ms(at_ms, segment_reach_changes(&entering, f->asking, &f->op->steps[0]));
}

static struct verdict verdict_of(const struct funnel *f, uint32_t step)
{
    if (step == 0)
        return (struct verdict){ false, TIME_NEVER };
    int64_t best_ms = f->best[step - 1];
    return best_ms == KEYED_NONE
               ? (struct verdict){ false, more_ms(f, step) }
               : (struct verdict){ true, segment_later(best_ms, f->reach.leave_ms) };
}

struct segment_levels segment_eval_funnel(const struct segment_asking *asking,
                                          const struct segment_op *op, int64_t from_ms)
{
    struct funnel f;
    f.asking = asking;
    f.op = op;
    f.reach = segment_reach_of(&op->match.window, asking->facts);
    f.steps = op->not_step > 0 ? op->not_step : op->step;
    f.table = NULL;
    for (uint32_t i = 0; i < SEGMENT_STEPS_MAX; i++)
        f.best[i] = KEYED_NONE;
    if (op->has_same)
        pass_keyed(&f, from_ms);
    else
        (void)pass(&f, from_ms);
    struct segment_levels levels = { verdict_of(&f, op->step),
                                     verdict_of(&f, op->not_step),
                                     { .kind = JSON_NULL } };
    if (op->has_same && levels.step.holds)
        levels.same = f.best_same[op->step - 1];
    return levels;
}

struct verdict segment_levels_verdict(struct segment_levels levels)
{
    return verdict_and(levels.step, verdict_not(levels.not_step));
}
