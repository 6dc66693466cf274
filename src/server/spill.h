/*
 * spill: a large body's bytes, in a file that has no name.
 *
 *      bytes come --> memory ... SPILL_BYTES --> the file, mapped --> handler reads it as memory
 *
 * What was written is the system's to keep or to put on disk, so that an upload of 50 MB costs the
 * program a window of SPILL_WINDOW_BYTES. Without a name nothing is left behind, however the upload
 * or the process ends.
 *
 * Always true   the file's blocks are taken before they are written to: a full disk is an answer,
 *               not a signal.
 * Threads       one at a time.
 */
#ifndef DULT_SERVER_SPILL_H
#define DULT_SERVER_SPILL_H

#include "base/err.h"
#include "base/str.h"

enum {
    SPILL_BYTES = 4 << 20, /* a body above it; batches of events are below */
    SPILL_WINDOW_BYTES = 1 << 20,
};

struct spill {
    char  *bytes; /* NULL: not open */
    size_t room;
    size_t left; /* before it nothing is kept in the program's memory */
    int    fd;
};

/* In the folder. ERR_IO: it cannot be made, or the disk is full; ERR_MEMORY. */
MUST enum err spill_open(struct spill *spill, const char *dir, size_t room);
/* More room; `bytes` may move. The same errors: it is as before. */
MUST enum err spill_grow(struct spill *spill, size_t room);
/* All before `len` is written: whole windows of it leave the program's memory. */
void spill_leave(struct spill *spill, size_t len);
void spill_done(struct spill *spill); /* one that is not open is nothing */

#endif
