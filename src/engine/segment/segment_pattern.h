/*
 * segment_pattern: Perl-compatible regular expressions, that cannot hang.
 *
 * A pattern is compiled once, when a condition is, and lives in that condition's arena. It is run
 * with a bound on its steps: a text that needs more does not match.
 *
 * Always true   evaluation is bounded, whatever a stranger wrote as pattern or as text.
 * Cost          some hundred nanoseconds for a usual pattern and text; at worst about a
 *               millisecond (SEGMENT_PATTERN_STEPS_MAX).
 */
#ifndef DULT_ENGINE_SEGMENT_PATTERN_H
#define DULT_ENGINE_SEGMENT_PATTERN_H

#include "base/str.h"

enum {
    SEGMENT_PATTERN_BYTES_MAX = 1000,
    SEGMENT_PATTERN_STEPS_MAX = 50000,         /* a few a character, for all but wild patterns */
    SEGMENT_PATTERN_TEXT_BYTES_MAX = 16 << 10, /* a longer text does not match */
};

struct segment_pattern;

/*
 * ERR_INPUT with `problem` for what is no pattern: `where` as given, the place within it and what
 * is wrong there; ERR_MEMORY.
 */
MUST enum err segment_pattern_make(struct arena *arena, struct str text, const char *where,
                                   const struct segment_pattern **out, struct problem *problem);

/* Is there a match anywhere in the text? What is no UTF-8 matches nothing. */
bool segment_pattern_matches(const struct segment_pattern *pattern, struct str text);

#endif
