/*
 * arena: memory with one lifetime.
 *
 * One arena per request, per batch, per rendered message: what is born there ends there, and
 * nobody frees piece by piece. Blocks grow by doubling up to the bound given at the start.
 *
 * Always true   every allocation is zeroed and aligned to 16 bytes.
 * Cost          a bump of a pointer; reset keeps the first block.
 * Errors        NULL when the bound or memory is reached; the arena stays usable.
 * Not for       sharing between threads without handing the whole arena over.
 */
#ifndef DULT_BASE_ARENA_H
#define DULT_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

/* Opens an arena that will hold at most `bytes_max` bytes (over all blocks). NULL without memory.
 */
struct arena *arena_open(size_t bytes_max);

/* Frees everything. Closing NULL is nothing. */
void arena_close(struct arena *arena);
void arena_closep(struct arena **arena); /* for SCOPED */

/* Forgets everything, keeps one block to use again. */
void arena_reset(struct arena *arena);

/* `bytes` zeroed bytes (0 gives a valid pointer), or NULL. */
void *arena_alloc(struct arena *arena, size_t bytes) __attribute__((malloc));
void *arena_bytes(struct arena *arena, size_t bytes) __attribute__((malloc)); /* not zeroed */

/* `count` zeroed things of `size` bytes; NULL also when the product overflows. */
void *arena_array(struct arena *arena, size_t count, size_t size) __attribute__((malloc));

/*
 * What is not memory of the arena but is to end with it: done(what) is called at close and at
 * reset, the latest first. False without memory: then nothing was taken, and it is the caller's.
 */
bool arena_defer(struct arena *arena, void (*done)(void *what), void *what)
    __attribute__((warn_unused_result));

/* How many bytes have been handed out since open or reset. */
size_t arena_used(const struct arena *arena);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, count, type) ((type *)arena_array((arena), (count), sizeof(type)))

#endif
