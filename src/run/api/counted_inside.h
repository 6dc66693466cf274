/*
 * counted_inside: what the files of counted share. Each tells its findings in the order of names.
 */
#ifndef DULT_RUN_COUNTED_INSIDE_H
#define DULT_RUN_COUNTED_INSIDE_H

#include "run/api/counted.h"

enum { COUNTED_TEXT_BYTES = 600, COUNTED_NAME_SHOWN = 200 };

struct counted {
    struct ask           *ask;
    struct call          *call;
    struct counted_names *names;
    struct buf           *out;
    bool                 *any;
    uint64_t             *pool[COUNTED_GROUPS_MAX]; /* bitmaps, of segments and then of journeys */
    uint32_t              pool_count;
};

/* `what` is said of `name`; of two, `mirrored` is the same said of `other`. */
struct finding {
    const char *kind, *about, *what, *remedy;
    struct str  name, other;
    uint64_t    people;
    const char *mirrored;
};

/* Written with a comma before all but the first. ERR_LIMIT, ERR_MEMORY. */
MUST enum err counted_tell(struct counted *counted, struct finding finding);
/* As much of a name as a sentence has. */
struct str counted_shown(struct str name);

/* counted_days.c, counted_ways.c (one journey), counted_unused.c */
MUST enum err counted_days(struct counted *counted);
MUST enum err counted_ways(struct counted *counted, struct str journey);
MUST enum err counted_unused(struct counted *counted);

#endif
