/*
 * counting: for how many people does a condition hold, and who would come and go?
 *
 *      draft     1 1 . . 1          holds now
 *      segment   1 . . 1 1          as it is defined
 *      entering    1                leaving      1
 *
 * Asked of a view (ask.h): of one record and one instant, beside the engine.
 */
#ifndef DULT_RUN_COUNTING_H
#define DULT_RUN_COUNTING_H

#include "run/api/ask.h"

struct counting {
    uint32_t condition;    /* of the ask */
    bool     is_comparing; /* with the segment called `segment`, as it is defined */
    uint32_t segment;      /* a condition of the ask, too */

    uint64_t     *matching, *entering, *leaving; /* bitmaps; the last two when comparing */
    uint64_t      count, people, entering_count, leaving_count;
    struct unseen unseen; /* of the ask, after it ran */
};

/* Adds the condition, by its tree, or as that of the segment `name`. */
MUST enum err counting_of(struct ask *ask, struct counting *counting,
                          const struct segment_node *tree, struct str name);
/* Adds the segment to compare with; one that is not defined has nobody. */
MUST enum err counting_compare(struct ask *ask, struct counting *counting, struct str name);

/* Compiles and counts. */
MUST enum err counting_run(struct ask *ask, struct counting *counting);

/* "count", "people", "share", and when comparing "entering", "leaving" as numbers. */
void counting_write(const struct counting *counting, struct buf *out, bool *first);

/* The condition of a call: text, or the JSON form when `json` is an object. */
MUST enum err condition_read(struct call *call, struct str text, const struct json *json,
                             const struct segment_node **out);

#endif
