/*
 * trend: how often does something happen, and how many people do it?
 *
 *      period          events   people   sum of revenue
 *      2026-01-05        1200      800        96 000
 *      2026-01-12         ...
 *
 * Broken down by a property of the event or by a trait of the person.
 */
#ifndef DULT_ENGINE_REPORT_TREND_H
#define DULT_ENGINE_REPORT_TREND_H

#include "engine/report/groups.h"

/* Whom to collect: those of one row (groups.h) and one period. */
struct trend_pick {
    uint64_t *bits; /* NULL: nobody */
    uint32_t  row, period;
};

struct trend_question {
    const struct segment_program *event; /* see report_event_check */
    struct report_periods         periods;
    struct groups_by              by;
    bool                          sums; /* of the numbers under a property */
    uint16_t                      sum_key;
    struct trend_pick             pick;
};

struct trend_cell {
    uint64_t events, people;
    uint64_t values;    /* numbers summed: all elements of a list */
    __int128 sum_micro; /* millionths; the average is the sum through the values */
};

/* ERR_INPUT, ERR_LIMIT with a problem. */
MUST enum err trend_check(const struct trend_question *question, struct problem *problem);
/* Adds the range to cells[row * periods.count + period], which begin as zero. ERR_MEMORY. */
MUST enum err trend_run(const struct report *report, const struct trend_question *question,
                        struct report_range range, struct trend_cell *cells);
void          trend_add(struct trend_cell *into, const struct trend_cell *from, size_t cells);

#endif
