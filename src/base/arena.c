#include "base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_ALIGN = 16, ARENA_BLOCK_BYTES_MIN = 4096 };

struct block {
    struct block *older;
    size_t        size; /* usable bytes */
    size_t        used;
    _Alignas(ARENA_ALIGN) unsigned char bytes[];
};

struct deferred {
    struct deferred *older;
    void (*done)(void *what);
    void *what;
};

struct arena {
    struct block    *newest;
    struct deferred *deferred; /* within the blocks */
    size_t           bytes_max;
    size_t           reserved; /* usable bytes over all blocks */
    size_t           used;
};

struct arena *arena_open(size_t bytes_max)
{
    struct arena *arena = calloc(1, sizeof *arena);
    if (arena == NULL)
        return NULL;
    arena->bytes_max = bytes_max;
    return arena;
}

static void blocks_free(struct block *block)
{
    while (block != NULL) {
        struct block *older = block->older;
        free(block);
        block = older;
    }
}

static void deferred_do(struct arena *arena)
{
    for (struct deferred *d = arena->deferred; d != NULL; d = d->older)
        d->done(d->what);
    arena->deferred = NULL;
}

bool arena_defer(struct arena *arena, void (*done)(void *what), void *what)
{
    struct deferred *d = ARENA_NEW(arena, struct deferred);
    if (d == NULL)
        return false;
    *d = (struct deferred){ arena->deferred, done, what };
    arena->deferred = d;
    return true;
}

void arena_close(struct arena *arena)
{
    if (arena == NULL)
        return;
    deferred_do(arena);
    blocks_free(arena->newest);
    free(arena);
}

void arena_closep(struct arena **arena)
{
    arena_close(*arena);
}

void arena_reset(struct arena *arena)
{
    struct block *keep = arena->newest;
    deferred_do(arena);
    arena->used = 0;
    if (keep == NULL)
        return;
    blocks_free(keep->older);
    keep->older = NULL;
    keep->used = 0;
    arena->reserved = keep->size;
}

static struct block *block_add(struct arena *arena, size_t need)
{
    size_t left = arena->bytes_max - arena->reserved;
    if (need > left)
        return NULL;

    size_t size = arena->newest == NULL ? ARENA_BLOCK_BYTES_MIN : arena->newest->size * 2;
    if (size < need)
        size = need;
    if (size > left)
        size = left;
    struct block *block = malloc(sizeof *block + size);
    if (block == NULL)
        return NULL;
    block->older = arena->newest;
    block->size = size;
    block->used = 0;
    arena->newest = block;
    arena->reserved += size;
    return block;
}

static size_t aligned(size_t bytes)
{
    return (bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
}

void *arena_bytes(struct arena *arena, size_t bytes)
{
    assert(arena != NULL);
    if (bytes > SIZE_MAX - ARENA_ALIGN)
        return NULL;

    size_t        need = aligned(bytes);
    struct block *block = arena->newest;
    if (block == NULL || block->size - block->used < need)
        block = block_add(arena, need);
    if (block == NULL)
        return NULL;

    void *at = block->bytes + block->used;
    block->used += need;
    arena->used += need;
    return at;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    void *at = arena_bytes(arena, bytes);
    if (at != NULL)
        memset(at, 0, aligned(bytes));
    return at;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    return arena_alloc(arena, bytes);
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}
