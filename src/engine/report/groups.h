/*
 * groups: the values by which a report is broken down.
 *
 *      1. each thread gathers the values of its stretch      "NO" 412, "SE" 98, 7, true, ...
 *      2. groups_add makes one of them, groups_keep the most frequent
 *      3. the report is run with them; its rows are
 *
 *      0 .. count - 1   the values kept, the most frequent first
 *      count            other values
 *      count + 1        without a value
 *      count + 2        all together
 *
 * A trait is the person's at the report's instant. Of a list the first element counts. Texts are
 * borrowed from the view, which is to be held as long as the groups are.
 *
 * Bounds        GROUPS_SEEN_MAX values are told apart by a thread; what else comes is left out of
 *               the choice (and so is "other").
 */
#ifndef DULT_ENGINE_REPORT_GROUPS_H
#define DULT_ENGINE_REPORT_GROUPS_H

#include "engine/report/report.h"

enum { GROUPS_SEEN_MAX = 20000 };

enum groups_of { GROUPS_OF_NOTHING, GROUPS_OF_TRAIT, GROUPS_OF_PROPERTY };

struct groups;

struct groups *groups_open(void); /* NULL without memory */
void           groups_close(struct groups *groups);

/* By what a report is broken down; all zero: by nothing. */
struct groups_by {
    enum groups_of       of;
    uint16_t             key;    /* of a trait or property */
    const struct groups *groups; /* when the report is run; not looked at when gathering */
};

/* Whose values: those of events like `event` in [from_ms, to_ms), one count each; of a trait,
 * those of the people who have such an event. */
struct groups_question {
    const struct segment_program *event; /* see report_event_check */
    int64_t                       from_ms, to_ms;
    struct groups_by              by;
};

/* ERR_MEMORY. */
MUST enum err groups_gather(struct groups *groups, const struct report *report,
                            const struct groups_question *question, struct report_range range);
MUST enum err groups_add(struct groups *into, const struct groups *from);
/* Keeps the `most` most frequent (at most REPORT_GROUPS_MAX), in order; equal ones by value. */
MUST enum err groups_keep(struct groups *groups, uint32_t most); /* ERR_MEMORY */

uint32_t    groups_count(const struct groups *groups); /* NULL: 0 */
struct json groups_value(const struct groups *groups, uint32_t group);
/* The row of a value; null is "without". */
uint32_t groups_row(const struct groups *groups, const struct json *value);
/* Rows of a report: the values, other, without, and all. By nothing: all alone. */
uint32_t groups_rows(struct groups_by by);

#endif
