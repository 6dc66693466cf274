/*
 * stage: an engine by itself, with a clock that is told what time it is and a post that delivers at
 * once. Nothing is stored, and nothing leaves it.
 *
 *      stage_until(10:00)  ->  wake-ups, waits and messages due by then, each at its own instant
 *      stage_tell(record)  ->  what is due first, then the record, then the messages it queued
 *
 * Always true   the same calls give the same decisions, as life would with a mail server that takes
 *               everything and never waits.
 * Cost          an engine, and all that it ever decided; at most STAGE_TURNS_MAX instants.
 */
#ifndef DULT_ENGINE_STAGE_H
#define DULT_ENGINE_STAGE_H

#include "engine/engine.h"

enum {
    STAGE_TURNS_MAX = 100000,  /* instants at which time alone did something */
    STAGE_BYTES_MAX = 1 << 30, /* so many turns take a tenth, with ten decisions each */
    STAGE_CODES = 1000,        /* numbers that each pool of codes has */
};

/* A message that went out. */
struct stage_sent {
    int64_t  at_ms;
    uint64_t message;
    uint32_t profile, template_id, journey; /* JOURNEY_NONE: no journey's */
};

struct stage {
    struct engine *engine;
    struct arena  *arena; /* what `out` and the texts of `sent` lie in */
    struct out     out;   /* everything decided, in order */
    uint64_t       seq;
    int64_t        now_ms;
    uint32_t       turns;
    struct {
        struct stage_sent *items;
        uint32_t           count, room;
    } sent;
};

/* It begins at that instant. `zones` is borrowed. ERR_MEMORY; the stage is then closed. */
MUST enum err stage_open(struct stage *stage, int64_t at_ms, const struct zones *zones);
void          stage_close(struct stage *stage); /* also one that never opened */

/* One record, now; its seq and instants are set. Errors as of engine_apply; ERR_LIMIT: see above.
 */
MUST enum err stage_tell(struct stage *stage, struct record record, struct problem *problem);

/* Time passes until that instant, which is not before now. */
MUST enum err stage_until(struct stage *stage, int64_t at_ms, struct problem *problem);

#endif
