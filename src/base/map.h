/*
 * map: from a 64-bit hash to a 32-bit number.
 *
 * The map keeps no keys. It stores (tag, value) in open addressing and asks the owner, who has
 * the keys anyway, whether a candidate is the one meant. A million identities cost 8 bytes each.
 *
 *      hash  ->  slot = low bits, tag = high bits
 *      | tag value | tag value | . | tag value |      linear probing, at most 3/4 full
 *
 * Always true   value != MAP_NONE; a removed slot is closed by moving its followers back.
 * Cost          8 bytes a slot, about one cache miss a look-up.
 */
#ifndef DULT_BASE_MAP_H
#define DULT_BASE_MAP_H

#include "base/str.h"

#define MAP_NONE UINT32_MAX

struct map {
    uint64_t *slots; /* tag in the upper half, value in the lower; empty is all ones */
    uint32_t  mask;  /* slots - 1, a power of two */
    uint32_t  count;
};

/* Is `value` the key that the caller means? `key` is what was handed to map_find. */
typedef bool map_is(const void *owner, uint32_t value, const void *key);

struct map map_make(void);
void       map_done(struct map *map);

/* The value whose key `is` the one meant, or MAP_NONE. */
uint32_t map_find(const struct map *map, uint64_t hash, map_is *is, const void *owner,
                  const void *key);

/* Asks the processor to have at hand soon what map_find will look at first. */
void map_prefetch(const struct map *map, uint64_t hash);

/* A value that may be the one meant, by the hash alone, or MAP_NONE: for what to have at hand. */
uint32_t map_guess(const struct map *map, uint64_t hash);

/* Adds without looking for an equal one: find first. ERR_MEMORY; ERR_LIMIT beyond 2^31 entries. */
MUST enum err map_add(struct map *map, uint64_t hash, uint32_t value);

/* Removes the entry (hash, value). False when it is not there. */
bool map_remove(struct map *map, uint64_t hash, uint32_t value);

#endif
