/*
 * segment_random: random conditions for the tests of this folder.
 *
 * `wild` names and values are what a parser meets (quotes, keywords, other alphabets, extreme
 * numbers); tame ones are few and small, so that they meet the events of a random history.
 */
#ifndef DULT_ENGINE_SEGMENT_RANDOM_TEST_H
#define DULT_ENGINE_SEGMENT_RANDOM_TEST_H

#include "base/hash.h"
#include "engine/segment/segment.h"

struct dice {
    uint64_t      state;
    struct arena *arena;
    bool          wild;
    int64_t       base_ms; /* tame dates lie in the 24 hours after it */
};

/* 0 .. sides - 1 */
uint32_t                   dice_roll(struct dice *dice, uint32_t sides);
const struct segment_node *dice_condition(struct dice *dice, int depth);
/* DULT_SEED from the environment, or a new one; printed, so that a failure can be replayed. */
uint64_t dice_seed(const char *what);

#endif
