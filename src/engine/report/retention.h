/*
 * retention: of those who began in a period, how many came back in each one after?
 *
 *      born      people    +0    +1    +2
 *      week 1      1000   1000   420   310
 *      week 2       800    800   350
 *      week 3       900    900
 *
 * Born is who has a `birth` event in the period: their first one ever, or (any) every period with
 * one counts anew. Back in +k is who has a `back` event in the k-th period after, at any time in
 * it; with the same event for both, +0 is everyone.
 */
#ifndef DULT_ENGINE_REPORT_RETENTION_H
#define DULT_ENGINE_REPORT_RETENTION_H

#include "engine/report/report.h"

/* Whom to collect: those born in one period, who came back in the `later`-th after. */
struct retention_pick {
    uint64_t *bits; /* NULL: nobody */
    uint32_t  period, later;
    bool      all; /* everyone born in it, back or not */
};

struct retention_question {
    const struct segment_program *birth, *back; /* see report_event_check */
    struct report_periods         periods;
    bool                          any; /* not only the first birth event ever */
    struct retention_pick         pick;
};

/* ERR_INPUT, ERR_LIMIT with a problem. */
MUST enum err retention_check(const struct retention_question *question, struct problem *problem);
/*
 * Adds the people of the range to born[count] and to came[count * count], where
 * came[period * count + later] counts; both begin as zero, and add up as they are. ERR_MEMORY.
 */
MUST enum err retention_run(const struct report *report, const struct retention_question *question,
                            struct report_range range, uint64_t *born, uint64_t *came);

#endif
