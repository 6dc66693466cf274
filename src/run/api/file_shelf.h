/*
 * file_shelf: the bytes of the files that mails hand out, on disk by their hash.
 *
 *      data/files/9f86d081...      64 hex digits: what is in it never changes
 *      data/files/.new-XXXXXX      being written; synced, then renamed to its hash
 *
 * Replacing a file writes another one beside it, and only then is the definition changed: whoever
 * reads meanwhile reads the old one whole, and a kill leaves one of the two, never a piece.
 *
 * Always true   a name in the folder has all its bytes on disk; they go when no definition names
 *               them any more (file_shelf_sweep), but stay readable for who has them open.
 * Reading       by a mapping: the pages are the system's, not the program's memory.
 * Threads       file_shelf_lock around put, define and sweep, so that no sweep takes what was just
 *               put; the others need none.
 */
#ifndef DULT_RUN_API_FILE_SHELF_H
#define DULT_RUN_API_FILE_SHELF_H

#include "base/str.h"
#include "run/send/file_def.h"

/* All versions together; more is refused. */
#define FILE_SHELF_BYTES_MAX ((int64_t)4 << 30)

struct file_shelf;

/* Makes "files" in `dir` when it is not there. ERR_IO, ERR_MEMORY. */
MUST enum err file_shelf_open(struct file_shelf **out, const char *dir);
void          file_shelf_close(struct file_shelf *shelf); /* NULL is nothing */

void file_shelf_lock(struct file_shelf *shelf);
void file_shelf_unlock(struct file_shelf *shelf);

/* Writes the bytes, if they are not there; `sha` gets their hash. ERR_LIMIT, ERR_IO with a problem.
 */
MUST enum err file_shelf_put(struct file_shelf *shelf, struct str bytes,
                             char sha[FILE_SHA_BYTES + 1], struct problem *problem);

/* Takes away what `is_wanted` does not want, and what a crash left half written. */
void file_shelf_sweep(struct file_shelf *shelf, bool (*is_wanted)(void *context, struct str sha),
                      void              *context);

/* The bytes, until file_shelf_give (any thread, also after the sweep). ERR_ABSENT, ERR_IO,
 * ERR_MEMORY; ERR_CORRUPT: it has not the size it should have. */
struct file_bytes {
    struct str bytes;
};
MUST enum err file_shelf_take(struct file_shelf *shelf, const struct file_def *def,
                              struct file_bytes **out);
/* These will be read soon, and the others perhaps never. */
void file_shelf_expect(const struct file_bytes *file, size_t from, size_t to);
void file_shelf_give(void *bytes); /* as the body_done of http.h wants it */

#endif
