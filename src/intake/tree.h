/*
 * tree: what is done to a stranger's JSON before anything believes it, and how it is written down.
 *
 * Settling makes a freshly parsed tree unambiguous: in every object a repeated key is left once, at
 * the place of its first and with the value of its last (as every browser reads it; SQL would find
 * the first). The same walk bounds the length of its text, so that writing needs no checks.
 *
 * Always true   after settling, no object repeats a key; tree_put writes at most `text_bytes`.
 * Cost          one walk; linear also where a stranger sends ten thousand keys.
 */
#ifndef DULT_INTAKE_TREE_H
#define DULT_INTAKE_TREE_H

#include "base/json.h"

/*
 * Settles `value` in place: the tree must be the caller's own, just parsed. `seed` keeps strangers
 * from aiming at one bucket. *text_bytes is an upper bound of what tree_put will write.
 */
MUST enum err tree_settle(struct arena *arena, uint64_t seed, struct json *value,
                          size_t *text_bytes);

/* Writes compact JSON at `at`, where there is room for it; returns the end. */
char *tree_put(char *at, const struct json *value);
char *tree_put_str(char *at, struct str text); /* quoted; at most 6 * len + 2 bytes */
char *tree_put_real(char *at, double value);   /* at most TREE_NUMBER_BYTES_MAX */

enum {
    TREE_NUMBER_BYTES_MAX = 26, /* "-1.7976931348623157e+308" and two to spare */
    /* The bound is at most this many times the text: an array of 1.0 is the worst, 27 for 4. */
    TREE_BOUND_FACTOR = 8,
};

#endif
