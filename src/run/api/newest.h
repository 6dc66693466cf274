/*
 * newest: what workspace.json says now, as text.
 *
 * Definitions are versions, oldest first, with those of everything else between: what was read once
 * is not read again, only what came since.
 *
 * Cost          the text, 1 MB at most; for each question one read of the rows that are new.
 */
#ifndef DULT_RUN_NEWEST_H
#define DULT_RUN_NEWEST_H

#include <pthread.h>

#include "base/buf.h"

struct call;

struct newest_text {
    pthread_mutex_t lock;
    uint64_t        from; /* the first row that was not read */
    struct buf      text;
};

void newest_init(struct newest_text *newest);
void newest_done(struct newest_text *newest);

/* In the call's arena; empty: nobody has described it. ERR_IO, ERR_MEMORY. */
MUST enum err newest_workspace(struct call *call, struct str *text);

#endif
