#include "base/slab.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/space.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define HIDE(at, bytes) ASAN_POISON_MEMORY_REGION(at, bytes)
#define SHOW(at, bytes) ASAN_UNPOISON_MEMORY_REGION(at, bytes)
#else
#define HIDE(at, bytes) ((void)(at), (void)(bytes))
#define SHOW(at, bytes) ((void)(at), (void)(bytes))
#endif

/* Large enough that its head is nothing, small enough that some become empty. */
#define CHUNK_BYTES ((size_t)256 << 10)

/* Whoever has much gets large pages, several chunks each. */
#define SPAN_BYTES ((size_t)4 << 20)
#define SPAN_FROM_BYTES ((size_t)16 << 20)

enum { STEP = 8, CLASSES = SLAB_BLOCK_BYTES_MAX / STEP };

struct given {
    struct given *next;
};

struct chunk {
    struct slab  *slab;
    struct chunk *next, *before; /* of those of its class that have room */
    struct given *given;         /* blocks that were given back */
    uint32_t      bytes;         /* of a block */
    uint32_t      touched;       /* of the chunk: blocks beyond were never taken */
    uint32_t      taken;         /* blocks */
    struct chunk *older, *newer; /* of all */
};
_Static_assert(sizeof(struct chunk) % STEP == 0, "the first block is aligned");
_Static_assert(sizeof(struct given) <= STEP, "what was given back holds its link");

struct slab {
    struct chunk *with_room[CLASSES];
    struct chunk *chunks; /* the newest */
    size_t        bytes;
    char         *spare; /* of a span: chunks that were never opened */
    size_t        spare_bytes;
};

static uint32_t block_bytes(size_t bytes)
{
    return (uint32_t)((bytes + STEP - 1) / STEP * STEP);
}

static struct chunk **class_of(struct slab *slab, uint32_t bytes)
{
    return &slab->with_room[bytes / STEP - 1];
}

static bool has_room(const struct chunk *chunk)
{
    return chunk->given != NULL || chunk->touched + chunk->bytes <= CHUNK_BYTES;
}

struct slab *slab_open(void)
{
    return calloc(1, sizeof(struct slab));
}

void slab_close(struct slab *slab)
{
    while (slab != NULL && slab->chunks != NULL) {
        struct chunk *chunk = slab->chunks;
        slab->chunks = chunk->older;
        SHOW(chunk, CHUNK_BYTES);
        munmap(chunk, CHUNK_BYTES);
    }
    if (slab != NULL && slab->spare_bytes > 0)
        munmap(slab->spare, slab->spare_bytes);
    free(slab);
}

size_t slab_bytes(const struct slab *slab)
{
    return slab->bytes;
}

struct slab *slab_of(const void *block)
{
    return ((const struct chunk *)((uintptr_t)block & ~(uintptr_t)(CHUNK_BYTES - 1)))->slab;
}

/* ---- chunks ---- */

/* The system aligns to a page: twice as much is asked for, and what is too much given back. */
static void *aligned_map(size_t bytes)
{
    char *at = mmap(NULL, 2 * bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return NULL;
    size_t before = (size_t)(-(uintptr_t)at & (bytes - 1));
    if (before > 0)
        munmap(at, before);
    munmap(at + before + bytes, bytes - before);
    return at + before;
}

static void *chunk_map(struct slab *slab)
{
    if (slab->bytes < SPAN_FROM_BYTES)
        return aligned_map(CHUNK_BYTES);
    if (slab->spare_bytes == 0) {
        slab->spare = aligned_map(SPAN_BYTES);
        if (slab->spare == NULL)
            return NULL;
        slab->spare_bytes = SPAN_BYTES;
        space_large(slab->spare, SPAN_BYTES);
    }
    char *chunk = slab->spare;
    slab->spare += CHUNK_BYTES;
    slab->spare_bytes -= CHUNK_BYTES;
    return chunk;
}

static void room_add(struct chunk *chunk)
{
    struct chunk **first = class_of(chunk->slab, chunk->bytes);
    chunk->before = NULL;
    chunk->next = *first;
    if (*first != NULL)
        (*first)->before = chunk;
    *first = chunk;
}

static void room_remove(struct chunk *chunk)
{
    if (chunk->before != NULL)
        chunk->before->next = chunk->next;
    else
        *class_of(chunk->slab, chunk->bytes) = chunk->next;
    if (chunk->next != NULL)
        chunk->next->before = chunk->before;
}

static struct chunk *chunk_open(struct slab *slab, uint32_t bytes)
{
    struct chunk *chunk = chunk_map(slab);
    if (chunk == NULL)
        return NULL;
    *chunk = (struct chunk){
        .slab = slab, .bytes = bytes, .touched = sizeof *chunk, .older = slab->chunks
    };
    HIDE(chunk + 1, CHUNK_BYTES - sizeof *chunk);
    if (slab->chunks != NULL)
        slab->chunks->newer = chunk;
    slab->chunks = chunk;
    slab->bytes += CHUNK_BYTES;
    room_add(chunk);
    return chunk;
}

static void chunk_close(struct chunk *chunk)
{
    room_remove(chunk);
    if (chunk->older != NULL)
        chunk->older->newer = chunk->newer;
    if (chunk->newer != NULL)
        chunk->newer->older = chunk->older;
    else
        chunk->slab->chunks = chunk->older;
    chunk->slab->bytes -= CHUNK_BYTES;
    SHOW(chunk, CHUNK_BYTES);
    munmap(chunk, CHUNK_BYTES);
}

/* ---- blocks ---- */

void *slab_take(struct slab *slab, size_t bytes)
{
    assert(bytes > 0);
    if (bytes > SLAB_BLOCK_BYTES_MAX)
        return malloc(bytes);
    uint32_t      each = block_bytes(bytes);
    struct chunk *chunk = *class_of(slab, each);
    if (chunk == NULL && (chunk = chunk_open(slab, each)) == NULL)
        return NULL;
    void *block = chunk->given;
    SHOW(block != NULL ? block : (char *)chunk + chunk->touched, each);
    if (block != NULL) {
        chunk->given = chunk->given->next;
    } else {
        block = (char *)chunk + chunk->touched;
        chunk->touched += each;
    }
    chunk->taken++;
    if (!has_room(chunk))
        room_remove(chunk);
    return block;
}

void slab_give(void *block, size_t bytes)
{
    if (bytes > SLAB_BLOCK_BYTES_MAX) {
        free(block);
        return;
    }
    if (block == NULL)
        return;
    struct chunk *chunk = (struct chunk *)((uintptr_t)block & ~(uintptr_t)(CHUNK_BYTES - 1));
    struct given *given = block;
    assert(chunk->bytes == block_bytes(bytes) && chunk->taken > 0);
    if (!has_room(chunk))
        room_add(chunk);
    given->next = chunk->given;
    chunk->given = given;
    chunk->taken--;
    HIDE(block, chunk->bytes);
    /* One with room is kept, or the next to come and go would have the system map it each time. */
    if (chunk->taken == 0 && (chunk->next != NULL || chunk->before != NULL))
        chunk_close(chunk);
}

void *slab_room(struct slab *slab, void *items, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room)
        return items;
    uint32_t more = *room + *room / 4 + 1; /* most stay small, and there are millions */
    void    *grown = slab_take(slab, more * size);
    if (grown == NULL)
        return NULL;
    if (count > 0)
        memcpy(grown, items, count * size);
    if (*room > 0)
        slab_give(items, *room * size);
    *room = more;
    return grown;
}
