/*
 * outlived: what would be gone if events were kept for a shorter time, and who would be in other
 * segments by it.
 *
 *      ada    |x x x|. . x|        three events go; still in "buyers"
 *      bo     |x    |     |        one goes; leaves "buyers", enters "never bought"
 *             kept from here
 *
 * A preview: the people whom it would take events from are asked each condition twice, with all
 * they did and without.
 *
 * Cost          a look at every event; of those concerned a copy of what is left, and two
 *               evaluations of each condition.
 */
#ifndef DULT_ENGINE_REPORT_OUTLIVED_H
#define DULT_ENGINE_REPORT_OUTLIVED_H

#include "engine/behaviour/retention.h"
#include "engine/report/report.h"

struct outlived_question {
    const struct retention       *retention;
    const struct segment_program *programs; /* segments, compiled in place */
    uint32_t                      programs_count;
};

/* What one thread finds; those of all threads add up. */
struct outlived_counts {
    uint64_t  events, people;     /* that go; from whom they go */
    uint64_t *entering, *leaving; /* by program */
};

MUST enum err outlived_count(const struct report *report, const struct outlived_question *question,
                             struct report_range range, struct outlived_counts *counts);

#endif
