/*
 * addresses: who of a broadcast has an address, by its hash alone.
 *
 * A map compares the upper half of a hash and asks its owner for the rest. Nobody keeps the
 * addresses here, so the lower half stands beside it, a number a profile: with 32 bits alone a
 * hundred of a million would be taken for others.
 *
 *      hash  | upper half -> map -> profile |   rests[profile] | lower half |
 *
 * Always true   a profile has one address, the one it took last; an address has one profile.
 * Cost          8 to 16 bytes an address, and 4 a profile up to the highest that took one.
 */
#ifndef DULT_ENGINE_ADDRESSES_H
#define DULT_ENGINE_ADDRESSES_H

#include "base/map.h"

struct addresses {
    struct map map;
    uint32_t  *rests; /* by profile */
    uint32_t   room;
};

void addresses_done(struct addresses *addresses); /* it is empty, and may be used again */

/* The profile, or MAP_NONE. */
uint32_t addresses_find(const struct addresses *addresses, uint64_t hash);

/* The profile takes it, whoever had it. ERR_MEMORY. */
MUST enum err addresses_put(struct addresses *addresses, uint64_t hash, uint32_t profile);

#endif
