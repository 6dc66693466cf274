/*
 * segment_values: the values that an aggregate takes from one event.
 *
 *      sum of products.price with (category = "tent")
 *
 *      products   { price 100, category "tent" }   100
 *                 { price  20, category "food" }        -
 *                 { price 300, category "tent" }   300
 *
 * Without `with` they are all values under the key, through lists. A COUNT of a list with objects
 * takes its elements, each as one value. Null is no value.
 *
 * Internal to segment/.
 */
#ifndef DULT_ENGINE_SEGMENT_VALUES_H
#define DULT_ENGINE_SEGMENT_VALUES_H

#include "engine/segment/segment_program.h"

struct segment_values {
    const struct segment_asking *asking;
    const struct segment_op     *op;
    struct bag                   bag; /* what is walked now: the event's, or one element's */
    struct bag_list              list;
    uint32_t                     at;
    bool                         in_list, of_elements;
};

void segment_values_begin(struct segment_values *values, const struct segment_asking *asking,
                          const struct segment_op *op, struct bag bag);
bool segment_values_next(struct segment_values *values, struct json *out);

/* The first value under `key`, as what a sequence has in common; false for none. */
bool segment_same_value(struct bag bag, uint16_t key, struct json *out);

#endif
