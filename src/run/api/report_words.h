/*
 * report_words: what a report's body says, read.
 *
 *     "Order Completed"                       an event by its name
 *     Order Completed where revenue > 100     with a condition on its properties
 *     opened message "welcome"                anything that `did` may be said of, in the language
 *     {"event": "...", "where": "..."}        the same in parts; or the JSON form of a condition
 *
 * Days are those of the workspace's zone. `from` and `to` are instants or days; a day as `to`
 * counts whole. Without them a report ends at its instant and begins a few periods before. They are
 * read after ask_compile, which knows the zone.
 */
#ifndef DULT_RUN_REPORT_WORDS_H
#define DULT_RUN_REPORT_WORDS_H

#include "engine/report/groups.h"
#include "run/api/ask.h"

enum words_interval { WORDS_DAY, WORDS_WEEK, WORDS_MONTH };

struct words_periods {
    struct report_periods periods; /* borders in the call's arena */
    int64_t               from_ms, to_ms;
    enum words_interval   interval;
    int64_t              *starts_ms; /* where each period's whole unit begins: its label */
    int64_t               end_ms;    /* where the last one's whole unit ends */
};

/* What a report is broken down by. */
struct words_by {
    enum groups_of of;
    struct str     name;
    uint32_t       most; /* values told apart */
};

/* Reads one event, with the body's own `where` beside its own, and adds it to the ask. */
MUST enum err words_event(struct ask *ask, const struct json *body, const struct json *value,
                          const char *field, uint32_t *number);
MUST enum err words_by(struct ask *ask, const struct json *body, struct words_by *out);
/* A length such as "7 days". */
MUST enum err words_length(struct call *call, const struct json *body, const char *field,
                           int64_t absent_ms, int64_t *out_ms);
/* [from_ms, to_ms) of `from` and `to`; without `from` it is `absent_ms` before the end. */
MUST enum err words_span(struct ask *ask, int64_t absent_ms, int64_t *from_ms, int64_t *to_ms);
/* The same cut into days, weeks or months; without `from` there are `absent` of them. */
MUST enum err words_periods(struct ask *ask, struct words_periods *out);

/* "2026-01-05", "2026-01"; `out` has TIME_TEXT_BYTES. */
void words_label(const struct ask *ask, const struct words_periods *periods, uint32_t i, char *out);
/* "from", "to". */
void words_span_write(struct buf *out, bool *first, int64_t from_ms, int64_t to_ms);
/* "interval" and "periods":[{"label","from","to","partial"?}]. */
void words_periods_write(const struct ask *ask, const struct words_periods *periods,
                         struct buf *out, bool *first);

#endif
