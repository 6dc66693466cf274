/*
 * growth: how many were in a segment or a list at each of some instants, and who came and went.
 *
 *      at_ms          people   entered   left
 *      2026-01-05       1000         -      -
 *      2026-01-12       1090       120     30      since the instant before
 *
 * A list is asked as the segment `in list "x"`.
 */
#ifndef DULT_ENGINE_REPORT_GROWTH_H
#define DULT_ENGINE_REPORT_GROWTH_H

#include "engine/report/report.h"

enum growth_who { GROWTH_IN, GROWTH_ENTERED, GROWTH_LEFT };

struct growth_pick {
    uint64_t       *bits; /* NULL: nobody */
    uint32_t        point;
    enum growth_who who;
};

struct growth_question {
    const struct segment_program *program;
    const int64_t                *at_ms; /* ascending */
    uint32_t                      count; /* 1..REPORT_PERIODS_MAX + 1 */
    struct growth_pick            pick;
};

struct growth_point {
    uint64_t people, entered, left; /* of the first point nobody entered or left */
};

/* ERR_INPUT, ERR_LIMIT with a problem. */
MUST enum err growth_check(const struct growth_question *question, struct problem *problem);
/* Adds the people of the range to points[count], which begin as zero and add up. ERR_MEMORY. */
MUST enum err growth_run(const struct report *report, const struct growth_question *question,
                         struct report_range range, struct growth_point *points);

#endif
