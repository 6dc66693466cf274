/*
 * segment_parser: what the files that read the text form share.
 *
 *      segment_parse.c         and, or, not, brackets; what a condition begins with
 *      segment_parse_name.c    what begins with a name: comparisons, days, "has been"
 *      segment_parse_value.c   names, lengths, literals
 *      segment_parse_event.c   what happened: did, then, steps
 *      segment_parse_window.c  ... how often, when, and where
 *      segment_parse_fold.c    aggregates
 *
 * Recursive descent, one token ahead. `lexer` stands behind `token`, so that a copy of the parser
 * is enough to look further ("and then").
 *
 * Errors   as segment_parse; every function that takes a token sets the problem at its place.
 */
#ifndef DULT_ENGINE_SEGMENT_PARSER_H
#define DULT_ENGINE_SEGMENT_PARSER_H

#include "engine/segment/segment_fault.h"
#include "engine/segment/segment_lex.h"
#include "engine/segment/segment_words.h"

struct parser {
    struct arena        *arena;
    struct segment_lexer lexer;
    struct segment_token token;
    struct problem      *problem;
    uint32_t             nodes, depth;
    enum segment_scope   scope;
    bool                *is_short; /* memory was, for what was only looked at ahead */
};

/* ---- tokens */

enum err parser_fail(const struct parser *p, const struct segment_token *at, enum err code,
                     const char *what, const char *remedy);
/* "expected <what>, found <token>" at the present token. */
enum err parser_expected(const struct parser *p, const char *what, const char *remedy);
/* OK when there is no fault. */
enum err      parser_refuse(const struct parser *p, const struct segment_token *at,
                            struct segment_fault fault);
MUST enum err parser_advance(struct parser *p);
bool          parser_is_word(const struct parser *p, const char *word);
bool          parser_is_sign(const struct parser *p, const char *sign);
/* The token after the present one, without going there: the end when it cannot be read. */
struct parser parser_ahead(const struct parser *p);
/* The word after the present one. */
bool          parser_next_is_word(const struct parser *p, const char *word);
MUST enum err parser_want_word(struct parser *p, const char *word, const char *remedy);
MUST enum err parser_want_sign(struct parser *p, const char *sign, const char *remedy);
MUST enum err parser_node(struct parser *p, enum segment_kind kind, struct segment_node **out);
/* One level down, or ERR_LIMIT; the caller comes up again by `depth--`. */
MUST enum err parser_deeper(struct parser *p);
/* `list` of `count` items with room for one more, grown in powers of two; NULL without memory. */
void *parser_room(struct parser *p, const void *list, uint32_t count, size_t item_bytes);

/* ---- segment_parse_value.c */

MUST enum err parser_quoted(struct parser *p, const char *what, const char *remedy,
                            struct str *out);
/* A trait or property: a plain name, or one in quotes after its word. */
MUST enum err parser_key(struct parser *p, struct str *out);
/* 30 days */
MUST enum err parser_length(struct parser *p, int64_t *out_ms);
MUST enum err parser_date(struct parser *p, int64_t *out_ms, bool *out_is_day);
/* A length of whole days. */
MUST enum err parser_days(struct parser *p, int64_t *out_days);
/* A value to compare with. */
MUST enum err parser_literal(struct parser *p, struct segment_literal *out);
/* yes, no, true, false: written small only, for country = NO is a country without its quotes. */
bool parser_is_truth(const struct parser *p, const char *word);
/* A number, and behind it a unit of time. */
bool parser_is_length(const struct parser *p);
/* yesterday, today, tomorrow, now */
bool parser_day_word(const struct parser *p, struct segment_literal *out);

/* ---- segment_parse_name.c */

/* A test and its values, after a name. */
MUST enum err parser_test(struct parser *p, struct segment_compare *c);
/* A condition that begins with a name: a comparison, a day, "has been", elements of a list. */
MUST enum err parser_about_name(struct parser *p, const struct segment_node **out);
/* anniversary of birthday is in 7 days */
bool          parser_is_anniversary(const struct parser *p);
MUST enum err parser_anniversary(struct parser *p, const struct segment_node **out);

/* ---- segment_parse_window.c */

/* What may follow a happening, in any order and each at most once. */
struct clauses {
    bool window, where, times;
    bool tests_follow; /* `in (`, `not in (` and a second `between` belong to a test */
};

/* `counted`: the DID that takes a number of times, or NULL. */
MUST enum err parser_clauses(struct parser *p, struct segment_match *match,
                             struct segment_node *counted, struct clauses *seen);
/* Does a window of time begin here? */
bool          parser_is_window(const struct parser *p, const struct clauses *seen);
MUST enum err parser_window(struct parser *p, struct segment_window *w);
MUST enum err parser_whole_number(struct parser *p, const char *remedy, int64_t *out);
/* Fails: there is a second `what`. */
enum err parser_twice(const struct parser *p, const char *what);

/* ---- segment_parse_event.c */

/* Does what happened begin here: "received any message", "anything", a text? */
bool          parser_is_happening(const struct parser *p);
MUST enum err parser_happening(struct parser *p, struct segment_match *match);
/* did, never, first, last, a verb, reached step */
bool          parser_is_behaviour(const struct parser *p);
MUST enum err parser_behaviour(struct parser *p, const struct segment_node **out);

/* ---- segment_parse_fold.c */

bool          parser_is_fold(const struct parser *p);
MUST enum err parser_fold(struct parser *p, bool is_value, const struct segment_node **out);

/* ---- segment_parse.c */

/* A part ("not x", one in brackets, or one condition) in which names mean those of `scope`. */
MUST enum err parser_part_in(struct parser *p, enum segment_scope scope,
                             const struct segment_node **out);

#endif
