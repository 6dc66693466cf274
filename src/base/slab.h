/*
 * slab: small blocks without a header each, for state of which there are millions.
 *
 * A general allocator keeps 8 bytes before each block and rounds it up to 16; of a block of 24 or
 * 56 bytes that is a third. Here blocks of one size lie side by side in a chunk, and whoever gives
 * one back says how large it was. A chunk that is empty goes back to the system.
 *
 *      chunk (aligned): | head | block | block | free | block | ... | not touched yet |
 *                          ^______ slab_of: the address without its low bits
 *
 * Always true   a block is aligned to 8 bytes, and stays where it is.
 * Cost          the bytes asked for, rounded up to 8; take and give O(1). From 16 MB on the chunks
 *               lie in large pages, up to 4 MB of which wait for them. Blocks above
 *               SLAB_BLOCK_BYTES_MAX come from malloc.
 * Threads       one at a time, as with everything of its owner.
 */
#ifndef DULT_BASE_SLAB_H
#define DULT_BASE_SLAB_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { SLAB_BLOCK_BYTES_MAX = 512 };

struct slab;

struct slab *slab_open(void); /* NULL without memory */
/* All small blocks with it; larger ones are given back before. NULL is nothing. */
void slab_close(struct slab *slab);

/* A block of `bytes` (1 or more), not cleared. NULL without memory. */
void *slab_take(struct slab *slab, size_t bytes);
/* Gives back what was taken with the same `bytes`. NULL is nothing. */
void slab_give(void *block, size_t bytes);
/* The slab of a block of at most SLAB_BLOCK_BYTES_MAX. */
struct slab *slab_of(const void *block);

/* What is held of the system for small blocks. */
size_t slab_bytes(const struct slab *slab);

/* Makes room for one more in an array of the slab's; returns the items, moved perhaps, or NULL. */
void *slab_room(struct slab *slab, void *items, uint32_t count, uint32_t *room, size_t size);

/* Gives such an array { items, count, room } back; it is empty then. */
#define SLAB_DONE(array)                                                                           \
    do {                                                                                           \
        slab_give((array)->items, (array)->room * sizeof *(array)->items);                         \
        memset((array), 0, sizeof *(array));                                                       \
    } while (0)

#endif
