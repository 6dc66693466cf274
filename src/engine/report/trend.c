#include "engine/report/trend.h"

#include <stdlib.h>

#include "engine/report/rows.h"
#include "engine/segment/segment_program.h"

enum err trend_check(const struct trend_question *q, struct problem *problem)
{
    TRY(report_event_check(q->event, "event", problem));
    return report_periods_check(q->periods, problem);
}

/* One stretch of people being looked at; `last` says whom a cell has counted already. */
struct trend_asking {
    const struct trend_question *q;
    struct hits                 *hits;
    struct rows                 *rows;
    uint32_t                    *last; /* by cell: the person's root, plus 1 */
    struct trend_cell           *cells;
};

static void sum_put(const struct trend_asking *asking, uint32_t bag_place, struct trend_cell *cell)
{
    struct bag      bag = bag_at(asking->hits->report->view->bags, bag_place);
    struct bag_item item;
    uint32_t        at = 0;
    __int128        micro;
    while (bag_next_of(bag, &at, asking->q->sum_key, &item))
        if (segment_micro(&item.value, &micro)) {
            cell->sum_micro += micro;
            cell->values++;
        }
}

static void cell_put(const struct trend_asking *asking, uint32_t row, uint32_t period,
                     uint32_t person, uint32_t bag)
{
    const struct trend_question *q = asking->q;
    uint32_t                     at = row * q->periods.count + period;
    struct trend_cell           *cell = &asking->cells[at];
    cell->events++;
    if (q->sums)
        sum_put(asking, bag, cell);
    if (asking->last[at] == person + 1)
        return;
    asking->last[at] = person + 1;
    cell->people++;
    if (q->pick.bits != NULL && q->pick.row == row && q->pick.period == period)
        q->pick.bits[person / 64] |= UINT64_C(1) << (person % 64);
}

/* Hits come in stretches that ascend, so the period is mostly that of the hit before. */
static enum err person(const struct trend_asking *asking, uint32_t i)
{
    const struct trend_question *q = asking->q;
    const int64_t               *at_ms = q->periods.at_ms;
    struct hits                 *hits = asking->hits;
    uint32_t                     period = 0, all = groups_rows(q->by) - 1, row = 0;

    bool reads = q->sums || q->by.of == GROUPS_OF_PROPERTY;
    hits_begin(hits, i);
    TRY(hits_add(hits, i, 0, (struct hits_span){ at_ms[0], at_ms[q->periods.count] }));
    for (uint32_t h = 0; h < hits->count; h++) {
        const struct hit *hit = &hits->items[h];
        if (hit->at_ms < at_ms[period])
            period = 0;
        while (hit->at_ms >= at_ms[period + 1])
            period++;
        uint32_t bag = reads ? hit_bag(hits, hit) : 0;
        cell_put(asking, all, period, hits->block.first + i, bag);
        if (q->by.of == GROUPS_OF_NOTHING)
            continue;
        if (h == 0 || q->by.of == GROUPS_OF_PROPERTY)
            row = rows_of(asking->rows, hits, i, bag);
        cell_put(asking, row, period, hits->block.first + i, bag);
    }
    return OK;
}

static enum err blocks(const struct trend_asking *asking, struct report_range range)
{
    uint64_t people[BLOCK_WORDS];
    for (uint32_t first = range.from; first < range.to; first += BLOCK_PROFILES) {
        hits_block(asking->hits, first, range.to);
        rows_block(asking->rows, &asking->hits->block);
        hits_people(asking->hits, 0, people);
        for (uint32_t word = 0; word < BLOCK_WORDS; word++)
            for (uint64_t left = people[word]; left != 0; left &= left - 1)
                TRY(person(asking, word * 64 + BLOCK_BIT(left)));
    }
    return OK;
}

enum err trend_run(const struct report *report, const struct trend_question *q,
                   struct report_range range, struct trend_cell *cells)
{
    SCOPED(hits_closep) struct hits *hits = NULL;
    SCOPED(rows_closep) struct rows *rows = NULL;
    size_t                           count = (size_t)groups_rows(q->by) * q->periods.count;

    TRY(hits_open(&hits, report, &q->event, 1));
    TRY(rows_open(&rows, q->by));
    struct trend_asking asking = { q, hits, rows, calloc(count, sizeof(uint32_t)), cells };
    if (asking.last == NULL)
        return ERR_MEMORY;
    enum err err = blocks(&asking, range);
    free(asking.last);
    return err;
}

void trend_add(struct trend_cell *into, const struct trend_cell *from, size_t cells)
{
    for (size_t i = 0; i < cells; i++) {
        into[i].events += from[i].events;
        into[i].people += from[i].people;
        into[i].values += from[i].values;
        into[i].sum_micro += from[i].sum_micro;
    }
}
