/*
 * spread: how long does it take from one event to the next other one?
 *
 *      "Signed Up" -> "Order Completed"      half within 3 days, nine in ten within 20
 *
 *      A . . A . B . . . A . A       first: from the first A of the period to the B after it
 *      |-------->|                   all: from each A of the period; the last two have no B
 *            |-->|
 */
#ifndef DULT_ENGINE_REPORT_SPREAD_H
#define DULT_ENGINE_REPORT_SPREAD_H

#include "engine/report/report.h"
#include "engine/report/times.h"

/* Whom to collect: those who took a length of buckets from..to - 1, or had no second event. */
struct spread_pick {
    uint64_t *bits; /* NULL: nobody */
    uint32_t  from, to;
    bool      never;
};

struct spread_question {
    const struct segment_program *first, *then;   /* see report_event_check */
    int64_t                       from_ms, to_ms; /* of the first event; to_ms is outside */
    bool                          all;
    struct spread_pick            pick;
};

struct spread {
    uint64_t     people; /* with a first event in the period */
    uint64_t     begun;  /* first events that count: as many as people unless `all` */
    struct times took;   /* of those that were followed */
};

/* ERR_INPUT with a problem. */
MUST enum err spread_check(const struct spread_question *question, struct problem *problem);
/* Adds the people of the range to *out, which begins as zero. ERR_MEMORY. */
MUST enum err spread_run(const struct report *report, const struct spread_question *question,
                         struct report_range range, struct spread *out);
void          spread_add(struct spread *into, const struct spread *from);

#endif
