#include "engine/behaviour/delta.h"

#include <stdlib.h>
#include <string.h>

enum { DELTA_PROFILES_MIN = 1024 };

/* One profile's new events: at, seq, bag, name as four arrays of `room` in one block. */
struct block {
    uint32_t count, room;
    int64_t  at_ms[];
};

static uint32_t *block_seq(struct block *b)
{
    return (uint32_t *)(b->at_ms + b->room);
}

static uint32_t *block_bag(struct block *b)
{
    return block_seq(b) + b->room;
}

static uint16_t *block_name(struct block *b)
{
    return (uint16_t *)(block_bag(b) + b->room);
}

static size_t block_bytes(uint32_t room)
{
    return sizeof(struct block) + (size_t)room * (8 + 4 + 4 + 2);
}

enum err delta_open(struct delta *delta, uint64_t first)
{
    *delta = (struct delta){ .log = log_open(first) };
    return delta->log == NULL ? ERR_MEMORY : OK;
}

void delta_done(struct delta *delta)
{
    for (uint32_t i = 0; i < delta->profiles; i++)
        free(delta->blocks[i]);
    free(delta->blocks);
    log_drop(delta->log);
    *delta = (struct delta){ 0 };
}

static enum err delta_reach(struct delta *delta, uint32_t profile)
{
    if (profile < delta->profiles)
        return OK;
    uint64_t wanted = delta->profiles == 0 ? DELTA_PROFILES_MIN : (uint64_t)delta->profiles * 2;
    if (wanted <= profile)
        wanted = (uint64_t)profile + 1;
    struct block **grown = realloc(delta->blocks, wanted * sizeof(struct block *));
    if (grown == NULL)
        return ERR_MEMORY;
    memset(grown + delta->profiles, 0, (wanted - delta->profiles) * sizeof(struct block *));
    delta->blocks = grown;
    delta->profiles = (uint32_t)wanted;
    return OK;
}

static struct block *block_grow(struct delta *delta, struct block *old)
{
    uint32_t count = old == NULL ? 0 : old->count;
    uint32_t room = old == NULL ? 2 : old->room < 16 ? old->room * 2 : old->room + old->room / 2;
    struct block *grown = malloc(block_bytes(room));
    if (grown == NULL)
        return NULL;
    grown->count = count;
    grown->room = room;
    if (old != NULL) {
        memcpy(grown->at_ms, old->at_ms, count * sizeof(int64_t));
        memcpy(block_seq(grown), block_seq(old), count * sizeof(uint32_t));
        memcpy(block_bag(grown), block_bag(old), count * sizeof(uint32_t));
        memcpy(block_name(grown), block_name(old), count * sizeof(uint16_t));
        delta->bytes -= block_bytes(old->room);
        free(old);
    }
    delta->bytes += block_bytes(room);
    return grown;
}

/* Opens a place at i; late events are rare, so their cost is the move. */
static void block_open(struct block *b, uint32_t i)
{
    uint32_t after = b->count - i;
    memmove(b->at_ms + i + 1, b->at_ms + i, after * sizeof(int64_t));
    memmove(block_seq(b) + i + 1, block_seq(b) + i, after * sizeof(uint32_t));
    memmove(block_bag(b) + i + 1, block_bag(b) + i, after * sizeof(uint32_t));
    memmove(block_name(b) + i + 1, block_name(b) + i, after * sizeof(uint16_t));
}

/* Is what stands at i not later than (at_ms, seq)? Of equals the one that came first stays first.
 */
static bool block_before(struct block *b, uint32_t i, int64_t at_ms, uint32_t seq)
{
    return b->at_ms[i] < at_ms || (b->at_ms[i] == at_ms && block_seq(b)[i] <= seq);
}

/* Where an event belongs: nearly always at the end, else found by halving. */
static uint32_t block_place(struct block *b, int64_t at_ms, uint32_t seq)
{
    uint32_t low = 0, high = b->count;
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

static void block_put(struct block *b, const struct timeline_event *event)
{
    uint32_t i = block_place(b, event->at_ms, event->seq);
    if (i < b->count)
        block_open(b, i);
    b->at_ms[i] = event->at_ms;
    block_seq(b)[i] = event->seq;
    block_bag(b)[i] = event->bag;
    block_name(b)[i] = event->name;
    b->count++;
}

enum err delta_add(struct delta *delta, const struct timeline_event *event)
{
    TRY(delta_reach(delta, event->profile));
    struct block *b = delta->blocks[event->profile];
    if (b == NULL || b->count == b->room) {
        b = block_grow(delta, b);
        if (b == NULL)
            return ERR_MEMORY;
        delta->blocks[event->profile] = b;
    }
    TRY(log_add(delta->log, event));
    block_put(b, event);
    delta->events++;
    if (event->name >= delta->names)
        delta->names = (uint32_t)event->name + 1;
    return OK;
}

static uint32_t block_forget(struct block *b, uint32_t seq)
{
    uint32_t kept = 0, before = b->count;
    for (uint32_t i = 0; i < before; i++) {
        if (block_seq(b)[i] <= seq)
            continue;
        b->at_ms[kept] = b->at_ms[i];
        block_seq(b)[kept] = block_seq(b)[i];
        block_bag(b)[kept] = block_bag(b)[i];
        block_name(b)[kept++] = block_name(b)[i];
    }
    b->count = kept;
    return before - kept;
}

enum err delta_forget(struct delta *delta, uint32_t profile, uint32_t seq)
{
    struct timeline_event mark = { .profile = profile, .name = DICT_NONE, .seq = seq };
    TRY(log_add(delta->log, &mark));
    delta->marks++;
    if (profile < delta->profiles && delta->blocks[profile] != NULL)
        delta->events -= block_forget(delta->blocks[profile], seq);
    return OK;
}

bool delta_run(const struct delta *delta, uint32_t profile, struct run *run)
{
    struct block *b = profile < delta->profiles ? delta->blocks[profile] : NULL;
    if (b == NULL || b->count == 0)
        return false;
    *run = (struct run){ .name = block_name(b),
                         .at_ms = b->at_ms,
                         .seq = block_seq(b),
                         .bag = block_bag(b),
                         .count = b->count };
    return true;
}

uint32_t delta_profiles(const struct delta *delta)
{
    uint32_t profiles = delta->profiles;
    while (profiles > 0 && delta->blocks[profiles - 1] == NULL)
        profiles--;
    return profiles;
}

uint64_t delta_bytes(const struct delta *delta)
{
    uint64_t logged = delta->log == NULL ? 0 : delta->log->rows.len;
    return delta->bytes + (uint64_t)delta->profiles * sizeof(struct block *) + logged;
}

static void block_end_prefetch(struct block *b)
{
    __builtin_prefetch(b->at_ms + b->count);
    __builtin_prefetch(block_seq(b) + b->count);
    __builtin_prefetch(block_bag(b) + b->count);
    __builtin_prefetch(block_name(b) + b->count);
}

void delta_prefetch(const struct delta *delta, uint32_t profile, uint32_t step)
{
    if (profile >= delta->profiles)
        return;
    if (step == 0)
        __builtin_prefetch(&delta->blocks[profile]);
    else if (delta->blocks[profile] == NULL)
        return;
    else if (step == 1)
        __builtin_prefetch(delta->blocks[profile]);
    else
        block_end_prefetch(delta->blocks[profile]);
}
