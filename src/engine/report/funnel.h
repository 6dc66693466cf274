/*
 * funnel: how far do people come?
 *
 *      step 1 "Signed Up"    1000 people
 *      step 2 "Invited"       400           median 2 hours from step 1
 *      step 3 "Paid"           90           median 3 days from step 2
 *
 * A person's level is the best over all starts: a start is a first step in [from_ms, to_ms), the
 * steps follow strictly in the order of (at, seq), all within `within_ms` of the start, other
 * events between them do not matter. Steps after the first may lie after to_ms.
 *
 * Broken down by a property it is that of the start from which the person first came that far (of
 * several, the latest). The time to a step is from the latest event that reached the step before.
 */
#ifndef DULT_ENGINE_REPORT_FUNNEL_H
#define DULT_ENGINE_REPORT_FUNNEL_H

#include "engine/report/groups.h"
#include "engine/report/times.h"

/* Whom to collect: those of one row (groups.h) who reached `step` (from 1), or went no further. */
struct funnel_pick {
    uint64_t *bits; /* NULL: nobody */
    uint32_t  row, step;
    bool      dropped;
};

struct funnel_question {
    const struct segment_program *steps;       /* see report_event_check */
    uint32_t                      steps_count; /* 2..REPORT_STEPS_MAX */
    int64_t                       within_ms, from_ms, to_ms;
    struct groups_by              by;
    struct funnel_pick            pick;
};

struct funnel_row {
    uint64_t     people[REPORT_STEPS_MAX]; /* who reached step i + 1 */
    struct times took[REPORT_STEPS_MAX];   /* to step i + 1 from the one before; 0 is empty */
};

/* ERR_INPUT, ERR_LIMIT with a problem. */
MUST enum err funnel_check(const struct funnel_question *question, struct problem *problem);
/* Adds the people of the range to rows[groups_rows(question->by)], which begin as zero. ERR_MEMORY.
 */
MUST enum err funnel_run(const struct report *report, const struct funnel_question *question,
                         struct report_range range, struct funnel_row *rows);
void          funnel_add(struct funnel_row *into, const struct funnel_row *from, uint32_t rows);

#endif
