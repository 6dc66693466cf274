/*
 * nearest: did you mean this?
 *
 * Knows not     what the words are: a caller brings them one at a time.
 */
#ifndef DULT_RUN_NEAREST_H
#define DULT_RUN_NEAREST_H

#include "base/str.h"

enum { NEAREST_BYTES_MAX = 64 }; /* longer words are not compared */

struct nearest {
    struct str  wanted;
    const char *best; /* NULL: nothing near yet */
    size_t      best_steps;
};

/* A word counts as near when at most a third of it, and at least one letter, was mistyped. */
struct nearest nearest_make(struct str wanted);
void           nearest_offer(struct nearest *nearest, const char *word);

/* How many letters must be added, removed, changed or swapped with a neighbour. */
size_t nearest_steps(struct str a, struct str b);

#endif
