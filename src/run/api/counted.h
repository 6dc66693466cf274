/*
 * counted: what drawings hide, with people counted from what really happened.
 *
 *      overlap      two segments that hold nearly the same people    |both| / |either| >= 95%
 *      together     two journeys that write, and held the same       20 people in the last 90 days
 *                   people
 *      same day     two journeys that wrote to the same people on    20 people in the last 90 days,
 *                   the same day, by the messages on record          days of the workspace's zone
 *      way          a way that almost nobody takes                   below 1% of 200 passes or more
 *      exit         an exit condition by which nobody ever left      of 200 entries or more
 *      unused       a segment that no other definition names         in quotes
 *
 * All of it is of what is in force, and the first three of one record and one instant.
 *
 * Cost          a count for each segment and each journey that writes, a walk over everyone's
 *               messages, and one over everyone for each journey.
 * Bounds        200 segments and 200 journeys by name, and COUNTED_BITS_BYTES_MAX of who is in
 * them; what is over is left out, and said.
 */
#ifndef DULT_RUN_COUNTED_H
#define DULT_RUN_COUNTED_H

#include "run/api/ask.h"

enum {
    COUNTED_GROUPS_MAX = 200,
    COUNTED_BITS_BYTES_MAX = 96 << 20, /* 200 bitmaps of 4 million profiles */
    COUNTED_PEOPLE_LEAST = 20,
    COUNTED_PASSES_LEAST = 200,
    COUNTED_ALIKE_PERCENT = 95,
    COUNTED_DAYS = 90,
};

struct counted_group {
    struct str name;
    uint64_t  *bits;   /* who is in it; NULL: not counted */
    uint64_t   people; /* 0: it is not compared */
    bool       writes; /* a journey that sends messages to people */
};

/* Of what is in force, by name, ascending. */
struct counted_names {
    struct counted_group *segments, *journeys;
    uint32_t              segments_count, journeys_count, left_out;
};

/* ERR_MEMORY. */
MUST enum err counted_names(struct call *call, struct counted_names *out);
/*
 * Appends the findings, as objects {"kind","name","other"?,"severity","part","about","line","what",
 * "mirrored"?,"remedy","people"?} with commas before all but the first; counts what is left out.
 */
MUST enum err counted_write(struct ask *ask, struct counted_names *names, struct buf *out,
                            bool *any);

#endif
