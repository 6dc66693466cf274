/*
 * delta: what came since the base: a short sorted run for each profile, and the log of all.
 *
 *      blocks   profile 2 -> | at .. | seq .. | bag .. | name .. |     the engine reads these
 *      log      | 2 | 7 | 2 | ...                                      others read this
 *
 * Always true   every block is ascending by (at_ms, seq), then as they came.
 * Cost          24 bytes an event in the log, 18 to 36 in blocks, and 24 a profile.
 */
#ifndef DULT_ENGINE_DELTA_H
#define DULT_ENGINE_DELTA_H

#include "engine/behaviour/log.h"

struct block;

struct delta {
    struct block **blocks; /* by profile */
    uint32_t       profiles;
    uint32_t       names; /* the highest number of a name, and one */
    uint32_t       marks; /* rows of the log that are no events */
    uint64_t       events;
    uint64_t       bytes; /* of blocks */
    struct log    *log;
};

/* ERR_MEMORY. `first` is the arrival number of its first event. */
MUST enum err delta_open(struct delta *delta, uint64_t first);
void          delta_done(struct delta *delta);

MUST enum err delta_add(struct delta *delta, const struct timeline_event *event);
/* Leaves out what the profile did up to record `seq`. ERR_MEMORY: nothing is left out. */
MUST enum err delta_forget(struct delta *delta, uint32_t profile, uint32_t seq);
/* False when the profile has nothing here. */
bool     delta_run(const struct delta *delta, uint32_t profile, struct run *run);
uint32_t delta_profiles(const struct delta *delta); /* the highest that has a run, and one */
uint64_t delta_bytes(const struct delta *delta);    /* of blocks, tables and log */
void     delta_prefetch(const struct delta *delta, uint32_t profile, uint32_t step);

#endif
