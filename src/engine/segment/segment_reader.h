/*
 * segment_reader: what the files that read the JSON form share.
 *
 *      segment_json.c         and, or, not; what a person belongs to
 *      segment_json_value.c   literals, comparisons, days
 *      segment_json_event.c   what happened
 *
 * The member that names a condition says what it is ("did", "trait", "and"); the others qualify
 * it; a member that belongs to none is refused, since a misspelt "wher" that is ignored would
 * silently ask another question.
 *
 * Errors   as segment_parse_json; every function sets the problem at the path of the mistake.
 */
#ifndef DULT_ENGINE_SEGMENT_READER_H
#define DULT_ENGINE_SEGMENT_READER_H

#include "engine/segment/segment_fault.h"
#include "engine/segment/segment_words.h"

/* The way from the root to a value, for telling where a mistake is. */
struct place {
    const struct place *above;
    const char         *member; /* NULL: an index */
    uint32_t            index;
};

struct reader {
    struct arena      *arena;
    struct problem    *problem;
    uint32_t           nodes, depth;
    enum segment_scope scope;
};

/* ---- segment_reader.c */

enum err reader_fail(const struct reader *r, const struct place *place, enum err code,
                     const char *what, const char *remedy);
/* OK when there is no fault. */
enum err           reader_refuse(const struct reader *r, const struct place *place,
                                 struct segment_fault fault);
struct place       place_under(const struct place *above, const char *member);
const struct json *reader_get(const struct json *object, const char *member);

/* `allowed` is a list of members with a space before and after each. */
MUST enum err reader_only(const struct reader *r, const struct json *object, const struct place *at,
                          const char *allowed);
MUST enum err reader_text(struct reader *r, const struct json *object, const char *member,
                          const struct place *at, struct str *out);
MUST enum err reader_name(struct reader *r, const struct json *object, const char *member,
                          const struct place *at, struct str *out);
/* The same, or nothing when the member is not there. */
MUST enum err reader_name_if(struct reader *r, const struct json *object, const char *member,
                             const struct place *at, struct str *out);
MUST enum err reader_length(struct reader *r, const struct json *object, const char *member,
                            const struct place *at, int64_t *out_ms);
MUST enum err reader_date(struct reader *r, const struct json *value, const struct place *at,
                          int64_t *out_ms, bool *out_is_day);
/* A whole number of 32 bits; what lies beyond them comes back as the nearest. */
MUST enum err reader_whole(struct reader *r, const struct json *object, const char *member,
                           const struct place *at, int32_t *out);
/* true, and nothing else */
MUST enum err reader_true(struct reader *r, const struct json *object, const char *member,
                          const struct place *at);

/* ---- segment_json_value.c */

/* "op" and "value" or "values", for what has them beside other members. */
MUST enum err reader_test(struct reader *r, const struct json *object, const struct place *at,
                          struct segment_compare *c);
MUST enum err reader_op(struct reader *r, const struct json *object, const struct place *at,
                        enum segment_test *out);
/* "value" or "values": the member that the test takes; "" when it takes none. */
const char   *reader_value_member(enum segment_test test);
MUST enum err reader_about_name(struct reader *r, const struct json *object, const struct place *at,
                                struct segment_node *node);
MUST enum err reader_score(struct reader *r, const struct json *object, const struct place *at,
                           struct segment_node *node);
MUST enum err reader_day(struct reader *r, const struct json *object, const struct place *at,
                         struct segment_node *node);

/* ---- segment_json_event.c */

MUST enum err reader_did(struct reader *r, const struct json *object, const struct place *at,
                         struct segment_node *node);
MUST enum err reader_first_or_last(struct reader *r, const struct json *object,
                                   const struct place *at, struct segment_node *node);
MUST enum err reader_funnel(struct reader *r, const struct json *object, const struct place *at,
                            struct segment_node *node);
/* An aggregate; without its test where node->is_value. */
MUST enum err reader_fold(struct reader *r, const struct json *object, const struct place *at,
                          struct segment_node *node);

/* ---- segment_json.c */

MUST enum err reader_node_in(struct reader *r, enum segment_scope scope, const struct json *value,
                             const struct place *at, const struct segment_node **out);

#endif
