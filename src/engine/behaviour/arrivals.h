/*
 * arrivals: when each profile came to be, for the engine and for readers beside it.
 *
 *      profile     0    1    2    3 ...
 *      arrived   t0 <= t1 <= t2 <= t3      when its first record was received
 *
 * Profiles are numbered as they come, so who was there at an instant are those below a number.
 *
 * Always true   what was added does not change or move; one thread adds, and whoever was handed a
 *               count may read so many.
 * Cost          8 bytes a profile. The last to let go frees it, on any thread.
 */
#ifndef DULT_ENGINE_ARRIVALS_H
#define DULT_ENGINE_ARRIVALS_H

#include <stdatomic.h>

#include "base/space.h"

struct arrivals {
    atomic_uint  holds;
    struct space space; /* int64_t[] */
};

struct arrivals *arrivals_open(size_t profiles_max); /* held once; NULL without memory */
struct arrivals *arrivals_hold(struct arrivals *arrivals);
void             arrivals_drop(struct arrivals *arrivals); /* NULL is nothing */

/* One more; an instant before the last one's counts as that one. ERR_LIMIT, ERR_MEMORY. */
MUST enum err  arrivals_add(struct arrivals *arrivals, int64_t at_ms);
const int64_t *arrivals_ms(const struct arrivals *arrivals);

/* How many of the first `count` had come by the instant. */
uint32_t arrivals_by(const int64_t *arrived_ms, uint32_t count, int64_t at_ms);

#endif
