#include "engine/report/funnel.h"

#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "engine/report/report_world_test.h"

enum { STEPS_MAX = 4, ROWS_MAX = 8, NOWHERE = UINT32_MAX };

static bool is_after(const struct world_event *a, const struct world_event *b)
{
    return a->at_ms != b->at_ms ? a->at_ms > b->at_ms : a->seq > b->seq;
}

static bool is_start(const struct world *w, const struct funnel_question *q, uint32_t i)
{
    return world_is(w, &q->steps[0], &w->list[i]) && w->list[i].at_ms >= q->from_ms &&
           w->list[i].at_ms < q->to_ms;
}

/* Where the start at event s reaches level `level` (from 1), taking the next fitting event always.
 */
static uint32_t finish(const struct world *w, const struct funnel_question *q, uint32_t s,
                       uint32_t level)
{
    uint32_t at = s, end = w->from[w->list[s].root + 1];
    for (uint32_t k = 1; k < level; k++) {
        uint32_t next = at + 1;
        while (next < end && !(is_after(&w->list[next], &w->list[at]) &&
                               w->list[next].at_ms - w->list[s].at_ms <= q->within_ms &&
                               world_is(w, &q->steps[k], &w->list[next])))
            next++;
        if (next == end)
            return NOWHERE;
        at = next;
    }
    return at;
}

/* The first event at which any start reaches the level; *start: the latest of those that do there.
 */
static uint32_t first_finish(const struct world *w, const struct funnel_question *q,
                             uint32_t person, uint32_t level, uint32_t *start)
{
    uint32_t best = NOWHERE;
    for (uint32_t s = w->from[person]; s < w->from[person + 1]; s++) {
        uint32_t at = is_start(w, q, s) ? finish(w, q, s, level) : NOWHERE;
        if (at == NOWHERE || (best != NOWHERE && at > best))
            continue;
        best = at;
        *start = s;
    }
    return best;
}

/* Does event i complete `level` levels of any start? */
static bool completes(const struct world *w, const struct funnel_question *q, uint32_t i,
                      uint32_t level)
{
    if (level == 1)
        return is_start(w, q, i);
    if (!world_is(w, &q->steps[level - 1], &w->list[i]))
        return false;
    for (uint32_t s = w->from[w->list[i].root]; s < i; s++) {
        uint32_t at = is_start(w, q, s) ? finish(w, q, s, level - 1) : NOWHERE;
        if (at != NOWHERE && is_after(&w->list[i], &w->list[at]) &&
            w->list[i].at_ms - w->list[s].at_ms <= q->within_ms)
            return true;
    }
    return false;
}

static int64_t took(const struct world *w, const struct funnel_question *q, uint32_t at,
                    uint32_t level)
{
    for (uint32_t i = at; i > w->from[w->list[at].root]; i--)
        if (is_after(&w->list[at], &w->list[i - 1]) && completes(w, q, i - 1, level - 1))
            return w->list[at].at_ms - w->list[i - 1].at_ms;
    return -1;
}

static bool twin(const struct world *w, const struct funnel_question *q, uint32_t person,
                 struct funnel_row *rows)
{
    uint32_t level = 0, start = 0, all = groups_rows(q->by) - 1, at[STEPS_MAX];
    while (level < q->steps_count &&
           (at[level] = first_finish(w, q, person, level + 1, &start)) != NOWHERE)
        level++;
    if (level == 0)
        return false;
    (void)first_finish(w, q, person, level, &start);
    struct json value = world_value(w, q->by, person, w->list[start].bag);
    uint32_t    row = q->by.of == GROUPS_OF_NOTHING ? all : groups_row(q->by.groups, &value);
    for (uint32_t k = 0; k < level; k++) {
        int64_t ms = k == 0 ? 0 : took(w, q, at[k], k + 1);
        for (int twice = 0; twice < (row == all ? 1 : 2); twice++) {
            struct funnel_row *r = &rows[twice == 0 ? all : row];
            r->people[k]++;
            if (k > 0)
                times_put(&r->took[k], ms);
        }
    }
    return (q->pick.row == all || q->pick.row == row) &&
           (q->pick.dropped ? level == q->pick.step : level >= q->pick.step);
}

static bool play(struct world *w, struct dice *dice, uint64_t *compared)
{
    static uint64_t          bits[WORLD_PROFILES_MAX / 64 + 1];
    static struct funnel_row sum[ROWS_MAX], one[ROWS_MAX], wanted[ROWS_MAX];
    struct segment_program   steps[STEPS_MAX];
    struct funnel_question   q = { .steps = steps,
                                   .steps_count = 2 + dice_roll(dice, STEPS_MAX - 1) };
    uint32_t                 parts = world_parts(w, dice);

    for (uint32_t k = 0; k < q.steps_count; k++)
        steps[k] = world_event(w, dice);
    q.within_ms = (1 + dice_roll(dice, 16)) * TIME_HOUR_MS / 2;
    q.from_ms = w->base_ms + dice_roll(dice, 12) * TIME_HOUR_MS;
    q.to_ms = q.from_ms + (1 + dice_roll(dice, 25)) * TIME_HOUR_MS;
    if (dice_roll(dice, 3) == 0) /* from long before anything was done */
        q.from_ms -= 2 * TIME_DAY_MS;
    q.by = world_by(w, dice, &steps[0], q.from_ms, q.to_ms);
    q.pick = (struct funnel_pick){ bits, dice_roll(dice, groups_rows(q.by)),
                                   1 + dice_roll(dice, q.steps_count), dice_roll(dice, 2) == 0 };
    assert_ok(funnel_check(&q, NULL));
    memset(bits, 0, sizeof bits);
    memset(sum, 0, sizeof sum);
    memset(wanted, 0, sizeof wanted);
    for (uint32_t part = parts; part > 0; part--) {
        memset(one, 0, sizeof one);
        assert_ok(funnel_run(&w->report, &q, world_part(w, part - 1), one));
        funnel_add(sum, one, groups_rows(q.by));
    }
    bool ok = true;
    for (uint32_t p = 0; p < w->view.profiles; p++) {
        bool picked = world_is_asked(w, p) && twin(w, &q, p, wanted);
        ok = ok && report_bit(bits, p) == picked;
        *compared += 1;
    }
    ok = ok && memcmp(sum, wanted, sizeof sum) == 0;
    world_by_done(q.by);
    return ok;
}

TEST(funnel, everyone_comes_as_far_as_the_best_of_all_their_starts_and_no_further)
{
    world_play("funnel", play, 40000);
}
