/*
 * segment_keyed: what is under way, apart for each value of a property.
 *
 * A sequence "with the same cart_id" is followed for each cart by itself. How many are under way at
 * once is not bounded, but what a thread's stack holds is: so values are dealt to classes by their
 * hash, and a pass over the events follows one class. One class is enough for all but the busiest;
 * whoever finds the table full begins again with four times as many.
 *
 *      KEYED_EACH(classes, class): one pass; on overflow classes *= 4
 *
 * Cost          one pass for every KEYED_MAX values that are under way at the same time.
 * Internal to segment/. 68 KiB, on the stack.
 */
#ifndef DULT_ENGINE_SEGMENT_KEYED_H
#define DULT_ENGINE_SEGMENT_KEYED_H

#include "engine/segment/segment_tree.h"

enum { KEYED_SLOTS = 512, KEYED_MAX = KEYED_SLOTS / 2, KEYED_CLASSES_MAX = 1 << 20 };

#define KEYED_NONE INT64_MIN /* an instant that is not known */

struct keyed_slot {
    uint64_t    hash; /* 0: free */
    struct json value;
    int64_t     at_ms[SEGMENT_STEPS_MAX];
};

struct keyed {
    uint32_t          count, classes, class; /* values of other classes are not followed */
    struct keyed_slot slots[KEYED_SLOTS];
};

void keyed_init(struct keyed *table, uint32_t classes, uint32_t class);
bool keyed_is_followed(const struct keyed *table, const struct json *value);
/* The value's slot, or NULL. */
struct keyed_slot *keyed_find(struct keyed *table, const struct json *value);
/* The value's slot, made when it is not there; NULL when there is no room. */
struct keyed_slot *keyed_put(struct keyed *table, const struct json *value);
/* Keeps only what has its first instant in [from_ms, to_ms]. */
void keyed_keep(struct keyed *table, int64_t from_ms, int64_t to_ms);

#endif
