/*
 * segment_computed: a comparison with a computed trait, as the aggregate with that test.
 *
 *      total_spent > 1000      with total_spent = sum of revenue of "Order Completed"
 *      sum of revenue of "Order Completed" > 1000
 *
 * What an aggregate cannot be tested for in the text form ("between", "exists" of a number) is an
 * aggregate with `is_value` and the comparison: its value is found and compared as a trait's is.
 *
 * Internal to segment/, but for segment_asks_trait and segment_asks_stage (segment.h).
 */
#ifndef DULT_ENGINE_SEGMENT_COMPUTED_H
#define DULT_ENGINE_SEGMENT_COMPUTED_H

#include "base/arena.h"
#include "engine/segment/segment_tree.h"

/* May the condition be about a computed trait: COMPARE, DAY, BEEN? */
bool segment_is_about_trait(const struct segment_node *node);

/* `value`: the computed trait's aggregate. Borrows from both; NULL without memory. */
const struct segment_node *segment_computed_lower(struct arena              *arena,
                                                  const struct segment_node *compare,
                                                  const struct segment_node *value);

#endif
