/*
 * retry: when to try again, and when to stop.
 *
 * What was deferred is tried again after 1 minute, then 5, 15, 60 and 180 minutes, then every
 * 6 hours, each with up to a fifth more by chance so that a campaign deferred together does not
 * come back together. It is given up 48 hours after the first try (RFC 5321 asks for four to five
 * days of letters between people; a nudge two days late is not a nudge).
 *
 * `backoff_ms` is the same idea for a host that cannot be reached: doubling, with a bound.
 *
 * Always true   the next try is later than now and not later than first + 48 h.
 * Knows not     the clock or chance: both are handed in.
 */
#ifndef DULT_DELIVERY_RETRY_H
#define DULT_DELIVERY_RETRY_H

#include "delivery/delivery.h"

#define RETRY_WINDOW_MS (INT64_C(48) * 3600 * 1000)

struct retry {
    uint32_t             attempt;  /* how many tries have been made, this one included; 1 and up */
    int64_t              first_ms; /* when the first try was */
    int64_t              now_ms;
    enum delivery_result result;
    uint64_t             seed; /* of this message: the same seed gives the same instants */
};

/* The instant of the next try; TIME_NEVER when there must be none: it is sent, refused, unknown,
 * or its time is over. What was returned was never tried, so it may go at once. */
int64_t retry_at_ms(const struct retry *retry);

struct backoff_conf {
    int64_t first_ms, most_ms;
};

/* How long to leave a host alone after `failures` in a row (1 and up); between half of the
 * doubled time and all of it, by `chance`. */
int64_t backoff_ms(struct backoff_conf conf, uint32_t failures, uint64_t chance);

#endif
