/*
 * engine_world: an engine, a clock, and what a test tells it. Shared by the tests that need no
 * more.
 */
#ifndef DULT_ENGINE_ENGINE_WORLD_TEST_H
#define DULT_ENGINE_ENGINE_WORLD_TEST_H

#include "engine/engine.h"

#define T0 INT64_C(1767225600000) /* 2026-01-01 */

struct world {
    struct engine *engine;
    struct zones  *zones;
    struct arena  *arena;
    struct out     out;
    uint64_t       seq;
    int64_t        now_ms;
    struct problem problem; /* of what was refused last */
};

struct world engine_world_open(void); /* at T0; there is one place besides UTC: Far/East, +14 h */
void         engine_world_close(struct world *w);

/* Received now; also what happened, unless it says when. */
enum err engine_world_tell(struct world *w, struct record record);
enum err engine_world_define(struct world *w, enum definition_kind kind, const char *name,
                             const char *text);
/* "Order Completed" with the properties, or with {"amount": ...}. */
void engine_world_order_at(struct world *w, const char *user, const char *properties,
                           int64_t at_ms);
void engine_world_order(struct world *w, const char *user, int amount);
/* Lets `ms` pass. */
void engine_world_tick(struct world *w, int64_t ms);

/* Is the user in the segment, as the engine keeps it? */
bool engine_world_is_in(struct world *w, const char *segment, const char *user);
/* Asked beside the engine, with all that the condition names in place. */
bool engine_world_holds(struct world *w, const char *condition, const char *who, int64_t at_ms);

#endif
