/*
 * counting: for how many people does a condition hold, without holding up the engine?
 *
 * A question to the engine thread, asked in slices of about a millisecond; between two slices
 * events are taken as always. So a count over a million people is not one instant's: who comes in
 * meanwhile may or may not be counted.
 */
#ifndef DULT_RUN_COUNTING_H
#define DULT_RUN_COUNTING_H

#include "run/api/api_inside.h"

struct counting {
    struct call               *call;
    const struct segment_node *tree;         /* NULL: that of `segment` */
    struct str                 segment;      /* by name, when there is no tree */
    int64_t                    at_ms;        /* TIME_NEVER: the engine's now */
    bool                       is_comparing; /* with who is in `segment` now */
    bool                       is_listing;   /* end when the sample is full */

    struct count count;
    uint32_t     cursor;            /* the next profile to look at */
    uint64_t     entering, leaving; /* when comparing */
    bool         is_done;           /* everybody was looked at */

    struct segment_program program;
    bool                   is_compiled;
    uint32_t               number; /* of `segment` */
    enum err               err;
};

/* ERR_INPUT, ERR_ABSENT with the call's problem: what the condition names is not there. */
MUST enum err counting_run(struct counting *counting);

/* The condition of a call: text, or the JSON form when `json` is an object. */
MUST enum err condition_read(struct call *call, struct str text, const struct json *json,
                             const struct segment_node **out);

#endif
