/*
 * edition: what the timeline and the rings had at one record. See view.h for what it is good for.
 *
 *      base | rows of the frozen log | rows of the delta's log | turns of the rings | bags
 *
 * The engine's thread makes it; it is then anybody's. Inside src/engine/ only.
 */
#ifndef DULT_ENGINE_EDITION_H
#define DULT_ENGINE_EDITION_H

#include "engine/behaviour/arrivals.h"
#include "engine/behaviour/base.h"
#include "engine/behaviour/rings.h"
#include "engine/behaviour/timeline.h"

enum { EDITION_LOGS = 2 };

/* The time between two removals; who holds an edition of an era may read what its end removes. */
struct era {
    atomic_uint holds;
};
struct era *era_open(void); /* held once; NULL without memory */
struct era *era_hold(struct era *era);
void        era_drop(struct era *era); /* NULL is nothing */

struct edition {
    atomic_uint       holds;
    uint32_t          seq, profiles;
    int64_t           now_ms;
    struct era       *era;
    struct base      *base;
    struct log       *logs[EDITION_LOGS]; /* as they came; NULL: none */
    uint32_t          counts[EDITION_LOGS];
    uint32_t          names; /* the highest number of a name in the logs, and one */
    uint32_t          marks; /* among the logs' rows, see log.h */
    struct bag_space *bags;
    size_t            bags_bytes;
    struct rings     *rings;
    uint32_t          turns;
    struct arrivals  *arrivals; /* NULL: of nobody */
};

/* The moment an edition is of. */
struct moment {
    uint32_t         seq, profiles;
    int64_t          now_ms;
    struct arrivals *arrivals; /* of that many profiles; NULL: of nobody */
};

/* NULL without memory. */
struct edition *edition_make(struct timeline *timeline, struct rings *rings, struct moment moment);

/* timeline.c: fills in what is the timeline's, each held. */
void timeline_publish(const struct timeline *timeline, struct edition *edition);
/* Overwrites the bags of what was removed, when nobody is left who may read them. False while there
 * is somebody. */
bool timeline_settle(struct timeline *timeline);

/* Where bags lie, for as long as anyone reads them. */
struct bag_space {
    atomic_uint  holds;
    struct space space;
};
struct bag_space *bag_space_open(void); /* held once, with place 0; NULL without memory */
struct bag_space *bag_space_hold(struct bag_space *bags);
void              bag_space_drop(struct bag_space *bags); /* NULL is nothing */

#endif
