#include "engine/behaviour/block.h"

#include <assert.h>
#include <string.h>

enum {
    UNIT_BYTES = 8,
    HEAD_BYTES = 4, /* a block begins so far before a unit's end: at_ms is aligned behind it */
    EVENT_BYTES = 8 + 4 + 4 + 2,
    COUNT_BITS = 26,
};

#define COUNT_MAX ((UINT32_C(1) << COUNT_BITS) - 1)
#define REGION_BYTES_MAX ((size_t)UINT32_MAX * UNIT_BYTES)
#define PLACES_BYTES_MAX ((size_t)UINT32_MAX * sizeof(uint32_t))

struct head {
    uint32_t size : 32 - COUNT_BITS; /* of its room */
    uint32_t count : COUNT_BITS;
};

_Static_assert(sizeof(struct head) == HEAD_BYTES, "one event takes 24 bytes with it");

/* One block as it is read and written; at, seq, bag, name follow each other. */
struct block {
    struct head *head;
    int64_t     *at_ms;
    uint32_t    *seq, *bag;
    uint16_t    *name;
    uint32_t     room;
};

/* 1, 2, 4, 6, 8, 12, 16, 24 ... */
static uint32_t room_of(uint32_t size)
{
    return size < 2 ? size + 1 : (4 + 2 * (size & 1)) << ((size - 2) / 2);
}

static struct block block_at(const struct blocks *blocks, uint32_t place)
{
    unsigned char *unit = blocks->region.bytes + (size_t)place * UNIT_BYTES;
    struct block   b = { .head = (struct head *)(unit + UNIT_BYTES - HEAD_BYTES) };
    b.room = room_of(b.head->size);
    b.at_ms = (int64_t *)(unit + UNIT_BYTES);
    b.seq = (uint32_t *)(b.at_ms + b.room);
    b.bag = b.seq + b.room;
    b.name = (uint16_t *)(b.bag + b.room);
    return b;
}

static uint32_t *place_of(const struct blocks *blocks, uint32_t profile)
{
    return (uint32_t *)blocks->places.bytes + profile;
}

enum err blocks_open(struct blocks *blocks)
{
    size_t   first; /* place 0 means nothing */
    enum err err = OK;
    *blocks = (struct blocks){ 0 };
    if (space_open(&blocks->places, PLACES_BYTES_MAX) != OK ||
        space_open(&blocks->region, REGION_BYTES_MAX) != OK)
        err = ERR_MEMORY;
    if (err == OK)
        err = space_add(&blocks->region, UNIT_BYTES + UNIT_BYTES - HEAD_BYTES, UNIT_BYTES, &first);
    if (err != OK)
        blocks_close(blocks);
    return err;
}

void blocks_close(struct blocks *blocks)
{
    space_close(&blocks->places);
    space_close(&blocks->region);
    *blocks = (struct blocks){ 0 };
}

/* ---- growing ---- */

static enum err places_reach(struct blocks *blocks, uint32_t profile)
{
    size_t end = ((size_t)profile + 1) * sizeof(uint32_t), at;
    if (end <= blocks->places.len)
        return OK;
    return space_add(&blocks->places, end - blocks->places.len, sizeof(uint32_t), &at);
}

/* A block without events, an outgrown one if there is one of that size. */
static enum err block_new(struct blocks *blocks, uint32_t size, uint32_t *place)
{
    size_t   bytes = HEAD_BYTES + (size_t)room_of(size) * EVENT_BYTES, at;
    uint32_t spare = blocks->spare[size];
    if (spare != 0) {
        struct block b = block_at(blocks, spare);
        blocks->spare[size] = *b.seq;
        b.head->count = 0;
        *place = spare;
        return OK;
    }
    bytes = (bytes + UNIT_BYTES - 1) / UNIT_BYTES * UNIT_BYTES;
    TRY(space_add(&blocks->region, bytes, HEAD_BYTES, &at));
    assert(at % UNIT_BYTES == UNIT_BYTES - HEAD_BYTES);
    *place = (uint32_t)(at / UNIT_BYTES);
    block_at(blocks, *place).head->size = size & (BLOCK_SIZES - 1);
    return OK;
}

static void block_copy(struct block *to, const struct block *from)
{
    uint32_t count = from->head->count;
    to->head->count = count;
    memcpy(to->at_ms, from->at_ms, count * sizeof *to->at_ms);
    memcpy(to->seq, from->seq, count * sizeof *to->seq);
    memcpy(to->bag, from->bag, count * sizeof *to->bag);
    memcpy(to->name, from->name, count * sizeof *to->name);
}

/* The next size takes its place. */
static enum err block_widen(struct blocks *blocks, uint32_t *place, const struct block *full)
{
    uint32_t size = full->head->size, wider;
    if (size + 1 == BLOCK_SIZES || full->head->count == COUNT_MAX)
        return ERR_LIMIT;
    TRY(block_new(blocks, size + 1, &wider));
    struct block grown = block_at(blocks, wider);
    block_copy(&grown, full);
    *full->seq = blocks->spare[size];
    blocks->spare[size] = *place;
    *place = wider;
    return OK;
}

enum err blocks_room(struct blocks *blocks, uint32_t profile)
{
    TRY(places_reach(blocks, profile));
    uint32_t *place = place_of(blocks, profile);
    if (*place == 0)
        return block_new(blocks, 0, place);
    struct block b = block_at(blocks, *place);
    return b.head->count < b.room ? OK : block_widen(blocks, place, &b);
}

/* ---- events ---- */

/* Is what stands at i not later than (at_ms, seq)? Of equals the one that came first stays first.
 */
static bool block_before(const struct block *b, uint32_t i, int64_t at_ms, uint32_t seq)
{
    return b->at_ms[i] < at_ms || (b->at_ms[i] == at_ms && b->seq[i] <= seq);
}

/* Where an event belongs: nearly always at the end, else found by halving. */
static uint32_t block_find(const struct block *b, int64_t at_ms, uint32_t seq)
{
    uint32_t low = 0, high = b->head->count;
    if (high == 0 || block_before(b, high - 1, at_ms, seq))
        return high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (block_before(b, middle, at_ms, seq))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Opens a gap at i; late events are rare, so their cost is the move. */
static void block_part(struct block *b, uint32_t i)
{
    uint32_t after = b->head->count - i;
    memmove(b->at_ms + i + 1, b->at_ms + i, after * sizeof *b->at_ms);
    memmove(b->seq + i + 1, b->seq + i, after * sizeof *b->seq);
    memmove(b->bag + i + 1, b->bag + i, after * sizeof *b->bag);
    memmove(b->name + i + 1, b->name + i, after * sizeof *b->name);
}

void blocks_put(struct blocks *blocks, const struct timeline_event *event)
{
    struct block b = block_at(blocks, *place_of(blocks, event->profile));
    assert(b.head->count < b.room);
    uint32_t i = block_find(&b, event->at_ms, event->seq);
    if (i < b.head->count)
        block_part(&b, i);
    b.at_ms[i] = event->at_ms;
    b.seq[i] = event->seq;
    b.bag[i] = event->bag;
    b.name[i] = event->name;
    b.head->count++;
}

uint32_t blocks_forget(struct blocks *blocks, uint32_t profile, uint32_t seq)
{
    uint32_t kept = 0;
    if (profile >= blocks_profiles(blocks) || *place_of(blocks, profile) == 0)
        return 0;
    struct block b = block_at(blocks, *place_of(blocks, profile));
    uint32_t     before = b.head->count;
    for (uint32_t i = 0; i < before; i++) {
        if (b.seq[i] <= seq)
            continue;
        b.at_ms[kept] = b.at_ms[i];
        b.seq[kept] = b.seq[i];
        b.bag[kept] = b.bag[i];
        b.name[kept++] = b.name[i];
    }
    b.head->count = kept & COUNT_MAX;
    return before - kept;
}

/* ---- asking ---- */

bool blocks_run(const struct blocks *blocks, uint32_t profile, struct run *run)
{
    if (profile >= blocks_profiles(blocks) || *place_of(blocks, profile) == 0)
        return false;
    struct block b = block_at(blocks, *place_of(blocks, profile));
    if (b.head->count == 0)
        return false;
    *run = (struct run){
        .name = b.name, .at_ms = b.at_ms, .seq = b.seq, .bag = b.bag, .count = b.head->count
    };
    return true;
}

uint32_t blocks_profiles(const struct blocks *blocks)
{
    return (uint32_t)(blocks->places.len / sizeof(uint32_t));
}

uint64_t blocks_bytes(const struct blocks *blocks)
{
    return blocks->places.len + blocks->region.len;
}

void blocks_prefetch(const struct blocks *blocks, uint32_t profile, uint32_t step)
{
    if (profile >= blocks_profiles(blocks))
        return;
    const uint32_t *place = place_of(blocks, profile);
    if (step == 0)
        __builtin_prefetch(place);
    else if (*place == 0)
        return;
    else if (step == 1)
        __builtin_prefetch(blocks->region.bytes + (size_t)*place * UNIT_BYTES + UNIT_BYTES - 1);
    else {
        struct block b = block_at(blocks, *place);
        __builtin_prefetch(b.at_ms + b.head->count);
        __builtin_prefetch(b.seq + b.head->count);
        __builtin_prefetch(b.bag + b.head->count);
        __builtin_prefetch(b.name + b.head->count);
    }
}
