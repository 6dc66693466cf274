/*
 * segment_words: what the two faces of a condition have in common: the words, and the rules that
 * hold whichever way a tree was written.
 */
#ifndef DULT_ENGINE_SEGMENT_WORDS_H
#define DULT_ENGINE_SEGMENT_WORDS_H

#include "base/buf.h"
#include "base/err.h"
#include "engine/segment/segment_tree.h"

/* A rule that was broken; `what` is NULL when none was. */
struct segment_fault {
    const char *what, *remedy;
};

/* Words that mean something in the text form, and so are no names there unless quoted. */
bool segment_is_keyword(struct str word);
/* May the name stand in the text without quotes? */
bool segment_is_plain_name(struct str name);

/* "sum", "average", "least", "greatest", "distinct". */
const char *segment_fold_word(enum segment_fold fold);
bool        segment_fold_of(struct str word, enum segment_fold *out);

/* "=", "!=", ..., "starts with", "does not exist"; as the text form and "op" of JSON write it. */
const char *segment_test_word(enum segment_test test);
bool        segment_test_of(struct str word, enum segment_test *out);
bool        segment_test_is_order(enum segment_test test); /* = != > >= < <= */

/* A whole number as JSON_INT, so that 1 and 1.0 are written alike. */
struct json segment_number(struct json number);

struct segment_fault segment_name_fault(struct str name);
struct segment_fault segment_compare_fault(const struct segment_compare *compare);
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

/* A date as a day when it is midnight UTC, else with its time. */
void segment_write_date(struct buf *out, int64_t at_ms);
void segment_write_length(struct buf *out, int64_t length_ms);

#endif
