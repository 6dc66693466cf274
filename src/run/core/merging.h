/*
 * merging: is it time for a new base of the index?
 *
 * What came since the base takes 42 to 51 bytes an event there instead of 22 (timeline.h), and a
 * new base is written whole, however little is new. So one is made when what is new has grown to
 * 1/MERGING_PART of all: at most 32 x 22 bytes are then written for an event. However fast events
 * come, bases are written at no more than MERGING_BYTES_A_S on average: faster than 22,000 events a
 * second for long, more waits beside the base.
 */
#ifndef DULT_RUN_MERGING_H
#define DULT_RUN_MERGING_H

#include <stdbool.h>
#include <stdint.h>

enum {
    MERGING_EVENTS_MIN = 100000, /* fewer are not worth it */
    MERGING_PART = 32,           /* of all events */
    MERGING_BYTES_A_S = 16 << 20,
};

struct merging {
    uint64_t fresh, all; /* events beside the base, and in all */
    uint64_t events_min; /* 0: MERGING_EVENTS_MIN */
    uint64_t last_bytes; /* what the last one wrote; 0: there was none */
    int64_t  since_us;   /* since it was begun */
};

bool merging_is_due(const struct merging *merging);

#endif
