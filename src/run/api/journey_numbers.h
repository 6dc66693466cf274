/*
 * journey_numbers: what became of those who came into a journey, counted for whoever tells of it.
 *
 *     journey_numbers_find(call, name, &q);      the nodes, ways and keys of the journey of now
 *     journey_numbers_count(&q, &ask);           one walk over everyone; the sum is q.hands[0]
 */
#ifndef DULT_RUN_JOURNEY_NUMBERS_H
#define DULT_RUN_JOURNEY_NUMBERS_H

#include "engine/report/passage.h"
#include "run/api/ask.h"
#include "run/api/crew.h"

struct winning; /* winning.h */

struct numbers_question {
    struct call            *call;
    struct str              name;
    struct passage_question passage;
    const bool             *is_experiment; /* by node */
    const struct winning   *winners;       /* likewise */
    uint32_t                target;        /* of DEAL_ALL */
    int64_t                 within_ms;
    enum journey_state      state;
    bool                    has_goal, has_exit, is_there, is_full;
    const struct report    *report;
    struct passage         *hands[CREW_THREADS_MAX];
};

/* ERR_ABSENT with a problem: there is no such journey. */
MUST enum err journey_numbers_find(struct call *call, struct str name, struct numbers_question *q);
/* By an ask without conditions. */
MUST enum err journey_numbers_count(struct numbers_question *q, struct ask *ask);

#endif
