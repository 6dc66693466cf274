/*
 * patterns: the older grammar of Liquid, which Shopify's program reads by regular expressions.
 *
 * Lax mode reads everything so, and strict mode still case, when, cycle, tablerow, include,
 * render, assign and capture: what a pattern does not find is skipped without a word. Each
 * function is one of the reference's patterns, searched from the front of *rest; what was matched,
 * and what stood before it, is cut off.
 *
 *     fragment     "[^"]*"|'[^']*'|(?:[^\s,\|'"]|"[^"]*"|'[^']*')+
 *     fragments    (?:fragment)+
 *     attribute    (\w[\w-]*)\s*:\s*(fragment)
 *     target       (?:\(?[\w\-\.\[\]]\)?)+
 *
 * Cost          linear in the text.
 */
#ifndef DULT_TEMPLATE_PATTERNS_H
#define DULT_TEMPLATE_PATTERNS_H

#include "base/str.h"

/* Bytes of a fragment (or of fragments in a row) at the front of the text; 0 when there is none. */
size_t pattern_fragment_length(struct str text);
size_t pattern_fragments_length(struct str text);
/* Bytes of white space at the front. */
size_t pattern_space_length(struct str text);
/* Bytes of a word in front, with hyphens or without. */
size_t pattern_word_length(struct str text, bool hyphens);

bool pattern_fragment(struct str *rest, struct str *out);
bool pattern_quoted(struct str *rest, struct str *out); /* "..." or '...', with its quotes */
bool pattern_attribute(struct str *rest, struct str *key, struct str *value);
bool pattern_target(struct str *rest, struct str *out);
/* `word` between white space at the front: \s+word\s+ */
bool pattern_keyword(struct str *rest, struct str word);
/* The next condition, or the next `and` or `or` between two. */
bool pattern_condition(struct str *rest, struct str *out, bool *is_operator);

#endif
