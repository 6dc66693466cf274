/*
 * progress: how far is it? A line on standard error that is written over, where a person looks on.
 *
 *     Importing  [#########-----------]  45%  31,200 rows
 *
 * Cost          a look at the clock a call; a line at most ten times a second.
 */
#ifndef DULT_RUN_PROGRESS_H
#define DULT_RUN_PROGRESS_H

#include "base/str.h"

struct progress {
    const char *label;
    bool        is_on;
    int64_t     last_us;
};

struct progress progress_make(const char *label); /* on when standard error is a tty */
/* `note` ("31,200 rows") may be NULL. */
void progress_show(struct progress *progress, uint64_t done, uint64_t total, const char *note);
void progress_end(struct progress *progress); /* wipes the line */

/* "31,200". `out` has PROGRESS_NUMBER_BYTES. Returns out. */
enum { PROGRESS_NUMBER_BYTES = 32 };
char *progress_number(int64_t value, char *out);

#endif
