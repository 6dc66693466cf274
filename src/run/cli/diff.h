/*
 * diff: what would change, as people read it: unified, three lines around each change.
 *
 * Always true   applying what is written to `before` gives `after`; nothing is written for equals.
 * Cost          a byte a pair of lines, at most DIFF_PAIRS_MAX; longer texts are shown as replaced
 *               whole between their equal ends.
 */
#ifndef DULT_RUN_DIFF_H
#define DULT_RUN_DIFF_H

#include "base/buf.h"

enum { DIFF_PAIRS_MAX = 16 << 20 }; /* 4,000 lines against 4,000 */

struct diff_side {
    const char *label; /* "a/segments/vip.segment" */
    struct str  text;
};

/* Appends to `out`. ERR_MEMORY. */
MUST enum err diff_write(struct diff_side before, struct diff_side after, struct buf *out);

#endif
