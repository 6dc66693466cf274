/*
 * hit_file: lines that wait, on disk, so that a crash loses none of them.
 *
 *      hits.0   line line line      the current one
 *      hits.1                       the other: written once the current one is large, emptied when
 *                                   none of its lines waits any more
 *
 * A line is handed to the system at once and not forced to the disk: it outlives the process, not
 * the machine's power.
 *
 * Always true   a line that was added and not done is read again by the next hit_file_open.
 * Threads       the caller's lock.
 */
#ifndef DULT_RUN_API_HIT_FILE_H
#define DULT_RUN_API_HIT_FILE_H

#include "base/str.h"

enum { HIT_FILE_BYTES = 1 << 20, HIT_LINE_BYTES_MAX = 1 << 16 };

struct hit_file;

/* Of a line that is there already: it counts as added to `part` when this gives true. */
typedef bool hit_line(void *context, struct str line, int part);

/* Opens or makes both files in `dir`, and hands out their lines, the older first. ERR_IO,
 * ERR_MEMORY.
 */
MUST enum err hit_file_open(struct hit_file **out, const char *dir, hit_line *each, void *context);
void          hit_file_close(struct hit_file *file); /* NULL is nothing */

/* `line` is without its line feed, of at most HIT_LINE_BYTES_MAX. ERR_LIMIT; ERR_IO: it was not
 * added. */
MUST enum err hit_file_add(struct hit_file *file, struct str line, int *part);
/* One line of the part waits no more. */
void hit_file_done(struct hit_file *file, int part);

/* How many lines were ever added. */
uint64_t hit_file_mark(const struct hit_file *file);
/* Is none of the lines added before the mark in the files any more? Where one is, lines go to the
 * other file from now on (or from when that is empty), so that this one is emptied when the last of
 * its lines waits no more. To be asked again. */
bool hit_file_is_clear(struct hit_file *file, uint64_t mark);

#endif
