#include "engine/report/retention.h"

#include <stdlib.h>
#include <string.h>

#include "engine/report/hits.h"
#include "engine/segment/segment_program.h"

enum { MASK_WORDS = (REPORT_PERIODS_MAX + 63) / 64 };

enum err retention_check(const struct retention_question *q, struct problem *problem)
{
    TRY(report_event_check(q->birth, "birth", problem));
    TRY(report_event_check(q->back, "back", problem));
    return report_periods_check(q->periods, problem);
}

/* Bit i: something in period i. */
struct mask {
    uint64_t words[MASK_WORDS];
};

static void mask_set(struct mask *mask, uint32_t period)
{
    mask->words[period / 64] |= UINT64_C(1) << (period % 64);
}

static bool mask_has(const struct mask *mask, uint32_t period)
{
    return (mask->words[period / 64] >> (period % 64) & 1) != 0;
}

static uint32_t period_of(struct report_periods periods, int64_t at_ms)
{
    uint32_t low = 0, high = periods.count;
    while (low + 1 < high) {
        uint32_t middle = low + (high - low) / 2;
        if (periods.at_ms[middle] <= at_ms)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* The periods in which there is a hit of the kind. */
static enum err periods_of(struct hits *hits, const struct retention_question *q, uint32_t i,
                           uint32_t kind, struct mask *out)
{
    const int64_t *at_ms = q->periods.at_ms;
    hits->count = 0;
    TRY(hits_add(hits, i, kind, (struct hits_span){ at_ms[0], at_ms[q->periods.count] }));
    for (uint32_t h = 0; h < hits->count; h++)
        mask_set(out, period_of(q->periods, hits->items[h].at_ms));
    return OK;
}

/* The period of the first one ever, if it lies in any. */
static enum err first_of(struct hits *hits, const struct retention_question *q, uint32_t i,
                         struct mask *out)
{
    int64_t first_ms = INT64_MAX;
    hits->count = 0;
    TRY(hits_add(hits, i, 0, (struct hits_span){ INT64_MIN, INT64_MAX }));
    for (uint32_t h = 0; h < hits->count; h++)
        if (hits->items[h].at_ms < first_ms)
            first_ms = hits->items[h].at_ms;
    if (first_ms >= q->periods.at_ms[0] && first_ms < q->periods.at_ms[q->periods.count])
        mask_set(out, period_of(q->periods, first_ms));
    return OK;
}

static void count_put(const struct retention_question *q, const struct mask *birth,
                      const struct mask *back, uint32_t person, uint64_t *born, uint64_t *came)
{
    uint32_t count = q->periods.count;
    for (uint32_t period = 0; period < count; period++) {
        if (!mask_has(birth, period))
            continue;
        born[period]++;
        for (uint32_t later = 0; period + later < count; later++)
            came[period * count + later] += mask_has(back, period + later);
    }
    if (q->pick.bits != NULL && mask_has(birth, q->pick.period) &&
        (q->pick.all || (q->pick.period + q->pick.later < count &&
                         mask_has(back, q->pick.period + q->pick.later))))
        q->pick.bits[person / 64] |= UINT64_C(1) << (person % 64);
}

static enum err person(struct hits *hits, const struct retention_question *q, uint32_t i,
                       uint64_t *born, uint64_t *came)
{
    struct mask birth = { { 0 } }, back = { { 0 } };
    hits_begin(hits, i);
    if (q->any)
        TRY(periods_of(hits, q, i, 0, &birth));
    else
        TRY(first_of(hits, q, i, &birth));
    TRY(periods_of(hits, q, i, 1, &back));
    count_put(q, &birth, &back, hits->block.first + i, born, came);
    return OK;
}

enum err retention_run(const struct report *report, const struct retention_question *q,
                       struct report_range range, uint64_t *born, uint64_t *came)
{
    SCOPED(hits_closep) struct hits    *hits = NULL;
    const struct segment_program *const programs[] = { q->birth, q->back };
    uint64_t                            people[BLOCK_WORDS];

    TRY(hits_open(&hits, report, programs, 2));
    for (uint32_t first = range.from; first < range.to; first += BLOCK_PROFILES) {
        hits_block(hits, first, range.to);
        hits_people(hits, 0, people);
        for (uint32_t word = 0; word < BLOCK_WORDS; word++)
            for (uint64_t left = people[word]; left != 0; left &= left - 1)
                TRY(person(hits, q, word * 64 + BLOCK_BIT(left), born, came));
    }
    return OK;
}
