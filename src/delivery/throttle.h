/*
 * throttle: how fast may we speak to one mail host?
 *
 * A mailbox provider forgives a slow sender and never a fast one, so every destination has a
 * throttle. It keeps one number, the instant at which the host is owed nothing more; each message
 * pushes that instant one interval on.
 *
 *      now        due - slack       due
 *   ----+--------------+-------------+----> time
 *       |<--- wait --->|<-- burst -->|
 *
 * Always true   interval_us > 0 or the throttle is open, and due_us never moves back.
 * Cost          24 bytes, O(1), no allocation.
 * Knows not     the clock: time is handed in, so a test owns it.
 */
#ifndef DULT_DELIVERY_THROTTLE_H
#define DULT_DELIVERY_THROTTLE_H

#include <stdint.h>

struct throttle {
    int64_t interval_us, slack_us, due_us;
};

struct throttle_conf {
    int32_t per_s; /* 0: no limit */
    int32_t burst; /* how many at once after a rest; less than 1 is 1 */
};

enum { THROTTLE_PER_S_MAX = 1000000 }; /* one a microsecond, the clock's grain */

struct throttle throttle_make(struct throttle_conf conf);

/* Takes one slot and returns 0, or takes none and returns the microseconds to wait. */
int64_t throttle_take(struct throttle *t, int64_t now_us);

#endif
