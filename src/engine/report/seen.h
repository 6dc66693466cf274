/*
 * seen: how often were these events seen, by how many people, and when last?
 *
 *      touchpoint "checkout"       ever   lately   last
 *        Checkout Started           900       70   2026-11-22T09:12Z
 *        Order Completed            640       51   2026-11-22T09:15Z
 *        all of it                 1540      121   2026-11-22T09:15Z     610 people, 49 lately
 *
 * An event that is two of these counts for both, and once in all.
 */
#ifndef DULT_ENGINE_REPORT_SEEN_H
#define DULT_ENGINE_REPORT_SEEN_H

#include "engine/report/hits.h"

struct seen_question {
    const struct segment_program *const *events; /* see report_event_check */
    uint32_t                             count;  /* 0..HITS_KINDS_MAX */
    int64_t                              since_ms;
};

struct seen_count {
    uint64_t ever, lately; /* lately: since since_ms */
    int64_t  last_ms;      /* says nothing where `ever` is 0 */
};

struct seen {
    struct seen_count each[HITS_KINDS_MAX], all;
    uint64_t          people, people_lately;
};

/* Adds the range to `seen`, which begins as zero. ERR_MEMORY. */
MUST enum err seen_run(const struct report *report, const struct seen_question *question,
                       struct report_range range, struct seen *seen);
void          seen_add(struct seen *into, const struct seen *from);

#endif
