/*
 * delta: what came since the base: a short sorted run for each profile, and the log of all.
 *
 *      blocks   profile 2 -> | at .. | seq .. | bag .. | name .. |     the engine reads these
 *      log      | 2 | 7 | 2 | ...                                      others read this
 *
 * Always true   every run is ascending by (at_ms, seq), then as they came.
 * Cost          24 bytes an event in the log, 18 to 27 in blocks, and 4 a profile; see block.h.
 *               Freeing it is a few calls of the system, a millisecond for each 10 MB.
 */
#ifndef DULT_ENGINE_DELTA_H
#define DULT_ENGINE_DELTA_H

#include "engine/behaviour/block.h"
#include "engine/behaviour/log.h"

struct delta {
    struct blocks blocks;
    uint32_t      names; /* the highest number of a name, and one */
    uint32_t      marks; /* rows of the log that are no events */
    uint64_t      events;
    struct log   *log;
};

/* ERR_MEMORY. `first` is the arrival number of its first event. */
MUST enum err delta_open(struct delta *delta, uint64_t first);
void          delta_done(struct delta *delta); /* on any thread; all zero is done already */

MUST enum err delta_add(struct delta *delta, const struct timeline_event *event);
/* Leaves out what the profile did up to record `seq`. ERR_MEMORY: nothing is left out. */
MUST enum err delta_forget(struct delta *delta, uint32_t profile, uint32_t seq);

uint64_t delta_bytes(const struct delta *delta); /* of blocks, places and log */

#endif
