/*
 * space: one contiguous region that grows without moving.
 *
 * Address space is reserved once, memory is taken as it fills, so offsets and pointers stay good
 * for ever. For append-only stores of millions of small things.
 *
 *      bytes          len            committed                       bytes_max
 *        |------------|-----------------|- - - - - - - - - - - - - - - -|
 *
 * Always true   what lies before len never moves; new bytes are zero.
 * Cost          a system call for each 16 MB, which lie in large pages from the second on.
 */
#ifndef DULT_BASE_SPACE_H
#define DULT_BASE_SPACE_H

#include "base/str.h"

struct space {
    unsigned char *bytes;
    size_t         len, committed, bytes_max;
};

/* Reserves address space. ERR_MEMORY when the system refuses. */
MUST enum err space_open(struct space *space, size_t bytes_max);
void          space_close(struct space *space); /* an all-zero space is closed already */

/*
 * Adds `bytes` zeroed bytes at the end, at an offset that is a multiple of `align` (a power of
 * two), and gives that offset. ERR_LIMIT beyond bytes_max, ERR_MEMORY.
 */
MUST enum err space_add(struct space *space, size_t bytes, size_t align, size_t *offset);

/*
 * Takes the first `bytes` of an open file as the beginning of an empty space, copied on write.
 * ERR_IO when mapping fails, ERR_LIMIT when the file is larger than the space.
 */
MUST enum err space_map(struct space *space, int file, size_t bytes);

/*
 * Asks the system to back what lies there in large pages, 2 MB each, where it can: memory that is
 * looked up at random costs a walk of page tables less. Nothing for less than 4 MB, which would
 * only grow by it. What was mapped already stays as it is.
 */
void space_large(void *at, size_t bytes);

/* Gives back a region that somebody mapped (mmap) and handed over. NULL is nothing. */
void space_release(unsigned char *region, size_t bytes);

#endif
