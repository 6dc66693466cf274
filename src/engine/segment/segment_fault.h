/*
 * segment_fault: the rules that hold whichever way a tree was written, in text or in JSON.
 */
#ifndef DULT_ENGINE_SEGMENT_FAULT_H
#define DULT_ENGINE_SEGMENT_FAULT_H

#include "base/err.h"
#include "engine/segment/segment_tree.h"

/* A rule that was broken; `what` is NULL when none was. */
struct segment_fault {
    const char *what, *remedy;
};

struct segment_fault segment_name_fault(struct str name);
struct segment_fault segment_literal_fault(const struct segment_literal *literal);
struct segment_fault segment_compare_fault(const struct segment_compare *compare);
struct segment_fault segment_been_fault(const struct segment_compare *compare);
struct segment_fault segment_days_fault(const struct segment_node *day);
struct segment_fault segment_steps_fault(const struct segment_node *funnel);
struct segment_fault segment_window_fault(const struct segment_window *window);
struct segment_fault segment_length_fault(int64_t length_ms);
struct segment_fault segment_times_fault(int64_t count);
struct segment_fault segment_aggregate_fault(enum segment_fold fold, const struct json *number);
struct segment_fault segment_share_fault(double percent);

/*
 * What both faces must be able to hold: at most SEGMENT_DEPTH_MAX levels, a `where` being one, and
 * at most SEGMENT_TEXT_BYTES_MAX of canonical text. ERR_LIMIT with the problem at `where`.
 */
MUST enum err segment_bounds(const struct segment_node *node, struct problem *problem,
                             const char *where);

#endif
