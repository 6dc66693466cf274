#include "base/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/space.h"

#define SLOT_EMPTY UINT64_MAX

/*
 * The slot is found by the tag alone (a multiplicative spread of its 32 bits), so that an entry
 * can be moved when the table grows without knowing its whole hash.
 */
static uint32_t home(const struct map *map, uint64_t slot)
{
    uint64_t tag = slot >> 32;
    return (uint32_t)((tag * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & map->mask;
}

static uint64_t slot_of(uint64_t hash, uint32_t value)
{
    return (hash & UINT64_C(0xFFFFFFFF00000000)) | value;
}

struct map map_make(void)
{
    return (struct map){ 0 };
}

void map_done(struct map *map)
{
    free(map->slots);
    *map = map_make();
}

uint32_t map_find(const struct map *map, uint64_t hash, map_is *is, const void *owner,
                  const void *key)
{
    if (map->slots == NULL)
        return MAP_NONE;
    uint64_t tag = hash >> 32;
    for (uint32_t i = home(map, hash); map->slots[i] != SLOT_EMPTY; i = (i + 1) & map->mask)
        if (map->slots[i] >> 32 == tag && is(owner, (uint32_t)map->slots[i], key))
            return (uint32_t)map->slots[i];
    return MAP_NONE;
}

void map_prefetch(const struct map *map, uint64_t hash)
{
    if (map->slots != NULL)
        __builtin_prefetch(&map->slots[home(map, hash)]);
}

static bool any_is(const void *owner, uint32_t value, const void *key)
{
    (void)owner, (void)value, (void)key;
    return true;
}

uint32_t map_guess(const struct map *map, uint64_t hash)
{
    return map_find(map, hash, any_is, NULL, NULL);
}

static void slot_put(struct map *map, uint64_t slot)
{
    uint32_t i = home(map, slot);
    while (map->slots[i] != SLOT_EMPTY)
        i = (i + 1) & map->mask;
    map->slots[i] = slot;
}

static enum err map_grow(struct map *map)
{
    uint64_t size = map->slots == NULL ? 16 : ((uint64_t)map->mask + 1) * 2;
    if (size > UINT64_C(1) << 31)
        return ERR_LIMIT;
    struct map grown = { .mask = (uint32_t)(size - 1), .count = map->count };
    grown.slots = malloc(size * sizeof *grown.slots);
    if (grown.slots == NULL)
        return ERR_MEMORY;
    space_large(grown.slots, size * sizeof *grown.slots);
    memset(grown.slots, 0xFF, size * sizeof *grown.slots);
    if (map->slots != NULL)
        for (uint64_t i = 0; i <= map->mask; i++)
            if (map->slots[i] != SLOT_EMPTY)
                slot_put(&grown, map->slots[i]);
    free(map->slots);
    *map = grown;
    return OK;
}

enum err map_add(struct map *map, uint64_t hash, uint32_t value)
{
    assert(value != MAP_NONE);
    if (map->slots == NULL || (uint64_t)map->count + 1 > ((uint64_t)map->mask + 1) * 3 / 4)
        TRY(map_grow(map));
    slot_put(map, slot_of(hash, value));
    map->count++;
    return OK;
}

bool map_remove(struct map *map, uint64_t hash, uint32_t value)
{
    if (map->slots == NULL)
        return false;
    uint64_t wanted = slot_of(hash, value);
    uint32_t hole = home(map, wanted);
    while (map->slots[hole] != wanted) {
        if (map->slots[hole] == SLOT_EMPTY)
            return false;
        hole = (hole + 1) & map->mask;
    }
    /* Followers whose home lies at or before the hole move back into it. */
    for (uint32_t i = (hole + 1) & map->mask; map->slots[i] != SLOT_EMPTY;
         i = (i + 1) & map->mask) {
        uint32_t from_home = (i - home(map, map->slots[i])) & map->mask;
        if (from_home >= ((i - hole) & map->mask)) {
            map->slots[hole] = map->slots[i];
            hole = i;
        }
    }
    map->slots[hole] = SLOT_EMPTY;
    map->count--;
    return true;
}
