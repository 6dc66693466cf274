#include "engine/report/trend.h"

#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "engine/report/report_world_test.h"
#include "engine/segment/segment_program.h"

enum { PERIODS_MAX = 6, ROWS_MAX = 8 };

static void sum(const struct world *w, uint16_t key, uint32_t bag_place, struct trend_cell *cell)
{
    struct bag_item item;
    uint32_t        at = 0;
    __int128        micro;
    while (bag_next_of(bag_at(w->view.bags, bag_place), &at, key, &item))
        if (segment_micro(&item.value, &micro)) {
            cell->sum_micro += micro;
            cell->values++;
        }
}

/* One cell by a search of everyone. */
static struct trend_cell twin(const struct world *w, const struct trend_question *q, uint32_t row,
                              uint32_t period)
{
    struct trend_cell cell = { 0 };
    for (uint32_t p = 0; p < w->view.profiles; p++) {
        bool found = false;
        if (!world_is_asked(w, p))
            continue;
        for (uint32_t i = w->from[p]; i < w->from[p + 1]; i++) {
            const struct world_event *e = &w->list[i];
            if (!world_is(w, q->event, e) || e->at_ms < q->periods.at_ms[period] ||
                e->at_ms >= q->periods.at_ms[period + 1])
                continue;
            struct json value = world_value(w, q->by, p, e->bag);
            if (row + 1 < groups_rows(q->by) && groups_row(q->by.groups, &value) != row)
                continue;
            found = true;
            cell.events++;
            if (q->sums)
                sum(w, q->sum_key, e->bag, &cell);
        }
        cell.people += found;
        if (q->pick.row == row && q->pick.period == period && report_bit(q->pick.bits, p) != found)
            cell.events = UINT64_MAX; /* equal to nothing */
    }
    return cell;
}

/* Field by field: the bytes between them say nothing. */
static bool is_same(const struct trend_cell *a, const struct trend_cell *b)
{
    return a->events == b->events && a->people == b->people && a->values == b->values &&
           a->sum_micro == b->sum_micro;
}

static bool play(struct world *w, struct dice *dice, uint64_t *compared)
{
    static uint64_t        bits[WORLD_PROFILES_MAX / 64 + 1];
    struct segment_program event = world_event(w, dice);
    int64_t                at_ms[PERIODS_MAX + 1];
    struct trend_cell      cells[ROWS_MAX * PERIODS_MAX] = { { 0 } };
    struct trend_question  q = { .event = &event,
                                 .periods = { at_ms, 1 + dice_roll(dice, PERIODS_MAX) } };
    uint32_t               parts = world_parts(w, dice);

    for (uint32_t i = 0; i <= q.periods.count; i++)
        at_ms[i] = (i == 0 ? w->base_ms - 2 * TIME_HOUR_MS : at_ms[i - 1]) +
                   (1 + dice_roll(dice, 6)) * TIME_HOUR_MS;
    q.by = world_by(w, dice, &event, at_ms[0], at_ms[q.periods.count]);
    q.sums = dice_roll(dice, 2) == 0;
    assert_ok(dict_intern(w->properties, STR("n"), &q.sum_key));
    q.pick = (struct trend_pick){ bits, dice_roll(dice, groups_rows(q.by)),
                                  dice_roll(dice, q.periods.count) };
    assert_ok(trend_check(&q, NULL));
    memset(bits, 0, sizeof bits);
    for (uint32_t part = parts; part > 0; part--) {
        struct trend_cell one[ROWS_MAX * PERIODS_MAX] = { { 0 } };
        assert_ok(trend_run(&w->report, &q, world_part(w, part - 1), one));
        trend_add(cells, one, ROWS_MAX * PERIODS_MAX);
    }
    bool ok = true;
    for (uint32_t row = 0; row < groups_rows(q.by); row++)
        for (uint32_t i = 0; i < q.periods.count; i++) {
            struct trend_cell wanted = twin(w, &q, row, i);
            ok = ok && is_same(&wanted, &cells[row * q.periods.count + i]);
            *compared += 1;
        }
    world_by_done(q.by);
    return ok;
}

TEST(trend, every_cell_counts_the_events_and_people_that_a_search_of_everyone_finds)
{
    world_play("trend", play, 20000);
}
