/*
 * segment_distinct: telling values apart, up to SEGMENT_DISTINCT_MAX and one more.
 *
 * Internal to segment/. 40 KiB, on the stack.
 */
#ifndef DULT_ENGINE_SEGMENT_DISTINCT_H
#define DULT_ENGINE_SEGMENT_DISTINCT_H

#include "engine/segment/segment_tree.h"

enum { DISTINCT_SLOTS = 1024 }; /* a power of two, at most half full */

_Static_assert(SEGMENT_DISTINCT_MAX + 1 <= DISTINCT_SLOTS / 2, "the set stays half empty");

struct distinct_value {
    struct json value;        /* borrowed */
    uint32_t    times, place; /* how often it was added; in which turn it first was */
};

struct distinct {
    uint32_t              count;
    uint64_t              hashes[DISTINCT_SLOTS]; /* 0: free */
    struct distinct_value values[DISTINCT_SLOTS];
};

/* 1 and 1.0 are one value; never 0. */
uint64_t segment_value_hash(const struct json *value);

void distinct_init(struct distinct *set);
/* NULL when the value is new and there is no room for more. */
struct distinct_value *distinct_add(struct distinct *set, const struct json *value, bool *fresh);

#endif
