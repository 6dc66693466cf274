/*
 * log: events as they came, for readers beside the engine.
 *
 *      rows   | 0 | 1 | 2 | ... | k-1 | k | k+1 |          only added to, never moved
 *             |<--- an edition of k --->|  the engine writes on, beyond
 *
 * Each row has an arrival number, counted through all logs of a timeline: row i of a log has
 * first + i. A row whose name is DICT_NONE is no event but a mark: what its profile did up to the
 * mark's record is forgotten.
 *
 * Always true   what lies before a count once given does not change. One thread adds; whoever was
 *               given a count (under a lock or otherwise in order) may read so far.
 * Cost          24 bytes a row. The last to let go frees it, on any thread.
 */
#ifndef DULT_ENGINE_LOG_H
#define DULT_ENGINE_LOG_H

#include <stdatomic.h>

#include "base/space.h"
#include "engine/behaviour/run.h"

struct log {
    atomic_uint  holds;
    struct space rows;
    uint64_t     first; /* arrival number of row 0 */
};

struct log *log_open(uint64_t first); /* held once; NULL without memory */
struct log *log_hold(struct log *log);
void        log_drop(struct log *log); /* NULL is nothing */

MUST enum err log_add(struct log *log, const struct timeline_event *row);
uint32_t      log_count(const struct log *log); /* the adding thread's to ask */

static inline const struct timeline_event *log_row(const struct log *log, uint64_t i)
{
    return (const struct timeline_event *)log->rows.bytes + i;
}

/* Counting who holds something: true when the last one let go, and sees all the others did. */
static inline void holds_add(atomic_uint *holds)
{
    atomic_fetch_add_explicit(holds, 1, memory_order_relaxed);
}

static inline bool holds_end(atomic_uint *holds)
{
    return atomic_fetch_sub_explicit(holds, 1, memory_order_acq_rel) == 1;
}

#endif
