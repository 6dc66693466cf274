#include "engine/report/retention.h"

#include <string.h>

#include "base/test.h"
#include "engine/report/block.h"
#include "engine/report/report_world_test.h"
#include "engine/segment/segment_program.h"

enum { PERIODS_MAX = 70 };

static bool is_within(const struct world *w, const struct retention_question *q, bool birth,
                      uint32_t person, uint32_t period)
{
    const struct segment_program *program = birth ? q->birth : q->back;
    for (uint32_t i = w->from[person]; i < w->from[person + 1]; i++) {
        const struct world_event *e = &w->list[i];
        if (!world_is(w, program, e))
            continue;
        if (e->at_ms >= q->periods.at_ms[period] && e->at_ms < q->periods.at_ms[period + 1])
            return true;
        if (birth && !q->any)
            return false; /* the first one is elsewhere */
    }
    return false;
}

static bool is_picked(const struct world *w, const struct retention_question *q, uint32_t person)
{
    const struct retention_pick *pick = &q->pick;
    return world_is_asked(w, person) && is_within(w, q, true, person, pick->period) &&
           (pick->all || (pick->period + pick->later < q->periods.count &&
                          is_within(w, q, false, person, pick->period + pick->later)));
}

static void twin(const struct world *w, const struct retention_question *q, uint32_t person,
                 uint64_t *born, uint64_t *came)
{
    uint32_t count = q->periods.count;
    for (uint32_t i = 0; i < count; i++) {
        if (!is_within(w, q, true, person, i))
            continue;
        born[i]++;
        for (uint32_t k = i; k < count; k++)
            came[i * count + k - i] += is_within(w, q, false, person, k);
    }
}

static bool play(struct world *w, struct dice *dice, uint64_t *compared)
{
    static uint64_t           bits[WORLD_PROFILES_MAX / 64 + 1];
    static uint64_t           born[2][PERIODS_MAX], came[2][PERIODS_MAX * PERIODS_MAX];
    struct segment_program    birth = world_event(w, dice), back = world_event(w, dice);
    int64_t                   at_ms[PERIODS_MAX + 1];
    bool                      many = dice_roll(dice, 10) == 0;
    struct retention_question q = { .birth = &birth,
                                    .back = dice_roll(dice, 4) == 0 ? &birth : &back,
                                    .periods = { at_ms,
                                                 1 + dice_roll(dice, many ? PERIODS_MAX : 6) },
                                    .any = dice_roll(dice, 2) == 0 };
    if (dice_roll(dice, 3) == 0) { /* the commonest question, which has a way of its own */
        struct segment_op *op = (struct segment_op *)birth.ops;
        op->match.event = BLOCK_ANYTHING;
        op->match.where = 0;
        q.back = &birth;
        q.any = false;
    }
    int64_t from_ms = w->base_ms + ((int64_t)dice_roll(dice, 16) - 2) * TIME_HOUR_MS;
    for (uint32_t i = 0; i <= q.periods.count; i++)
        at_ms[i] = (i == 0 ? from_ms : at_ms[i - 1]) +
                   (1 + dice_roll(dice, 6)) * TIME_HOUR_MS / (many ? 9 : 1);
    q.pick = (struct retention_pick){ bits, dice_roll(dice, q.periods.count),
                                      dice_roll(dice, q.periods.count), dice_roll(dice, 4) == 0 };
    assert_ok(retention_check(&q, NULL));
    memset(bits, 0, sizeof bits);
    memset(born, 0, sizeof born);
    memset(came, 0, sizeof came);
    for (uint32_t part = world_parts(w, dice); part > 0; part--)
        assert_ok(retention_run(&w->report, &q, world_part(w, part - 1), born[0], came[0]));
    for (uint32_t p = 0; p < w->view.profiles; p++) {
        if (world_is_asked(w, p))
            twin(w, &q, p, born[1], came[1]);
        if (report_bit(bits, p) != is_picked(w, &q, p))
            return false;
        *compared += 1;
    }
    return memcmp(born[0], born[1], sizeof born[0]) == 0 &&
           memcmp(came[0], came[1], sizeof came[0]) == 0;
}

TEST(retention, every_cell_counts_those_whom_a_search_of_each_person_finds)
{
    world_play("retention", play, 30000);
}
