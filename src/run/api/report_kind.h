/*
 * report_kind: what the six reports have in common, and each one's own part of it.
 *
 *      read      words -> conditions and keys of the ask           on a report thread
 *      ready     checks; the values it is broken down by; room
 *      part      a stretch of profiles, on any hand
 *      write     the answer's own members
 *
 * A report that picks collects, beside its numbers, the people behind one of them.
 */
#ifndef DULT_RUN_REPORT_KIND_H
#define DULT_RUN_REPORT_KIND_H

#include "run/api/report_words.h"

/* Which number is opened: `body` is the call's "pick"; bits NULL: none is. */
struct report_pick {
    const struct json         *body;
    uint64_t                  *bits;
    const struct segment_node *condition; /* the same people as a condition; NULL: there is none */
};

struct report_kind {
    const char *name;
    size_t      bytes; /* of its question, zeroed */
    enum err (*read)(struct ask *ask, const struct json *body, void *question);
    enum err (*ready)(struct ask *ask, void *question, struct report_pick *pick);
    ask_part *part; /* its context is the question */
    enum err (*write)(struct ask *ask, void *question, bool *first);
    void (*done)(void *question); /* may be NULL */
};

extern const struct report_kind report_trends, report_funnel, report_retention, report_spread,
    report_growth, report_attribution, report_stages;

/* ---- broken down by values ---- */

struct grouping {
    struct words_by  words;
    uint32_t         key; /* of the ask */
    struct groups_by by;
    struct groups   *groups;
};

MUST enum err grouping_read(struct ask *ask, const struct json *body, struct grouping *grouping);
/* Gathers the values of that event's occurrences. */
MUST enum err grouping_gather(struct ask *ask, struct grouping *grouping,
                              struct groups_question question);
void          grouping_done(struct grouping *grouping);
/* The row that a pick names by "value", or by "group": "other", "without", "all" (unless said). */
MUST enum err grouping_row(struct call *call, const struct grouping *grouping,
                           const struct json *pick, uint32_t *row);
/* "group", and "value" where it is one. */
void grouping_write(const struct grouping *grouping, uint32_t row, struct buf *out, bool *first);
/* Is the row one of all that always are there: a value, or all together? */
bool grouping_is_said(const struct grouping *grouping, uint32_t row);

/* ---- conditions about the people picked ---- */

/* `event` in [from_ms, to_ms). NULL without memory, or without an event. */
const struct segment_node *pick_event(struct ask *ask, const struct segment_node *event,
                                      int64_t from_ms, int64_t to_ms);
/* The same narrowed to one row's value; NULL when the row is none that can be said. */
const struct segment_node *pick_value(struct ask *ask, const struct grouping *grouping,
                                      uint32_t row, const struct segment_node *event);
const struct segment_node *pick_both(struct ask *ask, const struct segment_node *a,
                                     const struct segment_node *b);
struct segment_window      pick_window(int64_t from_ms, int64_t to_ms);

/* A number of a pick, least..most. */
MUST enum err pick_number(struct call *call, const struct json *pick, const char *field,
                          uint32_t least, uint32_t most, uint32_t *out);
/* A period of a pick, by its place from 0 or by its label. */
MUST enum err pick_period(struct ask *ask, const struct json *pick,
                          const struct words_periods *periods, uint32_t *out);

#endif
