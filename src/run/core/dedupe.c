#include "run/core/dedupe.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "run/core/dedupe_rows.h"

enum { SHARD_BITS = 12, SHARDS = 1 << SHARD_BITS, SHARD_SLOTS_MIN = 64 };

struct shard {
    uint64_t *slots; /* tag << 32 | seq; 0 is empty: seq is never 0 */
    uint32_t  mask, count;
};

struct dedupe {
    uint64_t           seed;
    uint32_t           horizon, ids_max;
    struct shard       shards[SHARDS];
    struct dedupe_rows rows;
};

struct dedupe *dedupe_open(uint64_t seed, uint32_t ids_max)
{
    struct dedupe *dedupe = calloc(1, sizeof *dedupe);
    if (dedupe != NULL) {
        dedupe->seed = seed;
        dedupe->ids_max = ids_max;
    }
    return dedupe;
}

void dedupe_close(struct dedupe *dedupe)
{
    if (dedupe == NULL)
        return;
    for (int i = 0; i < SHARDS; i++)
        free(dedupe->shards[i].slots);
    dedupe_rows_close(&dedupe->rows);
    free(dedupe);
}

static uint64_t id_hash(const struct dedupe *dedupe, uint32_t source, struct str message_id)
{
    return hash_str(message_id, dedupe->seed ^ hash_u64(source, 0));
}

struct dedupe_id dedupe_id(const struct dedupe *dedupe, uint32_t source, struct str message_id)
{
    struct dedupe_id id = { .hash = id_hash(dedupe, source, message_id), .source = source };
    (void)import_row_read(message_id, &id.row);
    return id;
}

/* The upper half is the tag; the lowest bits pick the shard; a spread of the tag the slot. */
static uint32_t home(const struct shard *shard, uint64_t slot)
{
    return (uint32_t)(((slot >> 32) * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & shard->mask;
}

uint32_t dedupe_next(const struct dedupe *dedupe, struct dedupe_id id, uint32_t *place)
{
    uint32_t seq = 0;
    if (*place == 0 && id.row.row != 0)
        seq = dedupe_rows_get(&dedupe->rows, id.source, id.row);
    *place += *place == 0; /* 1 and on: the shard's slots */
    if (seq != 0 && seq >= dedupe->horizon)
        return seq;
    const struct shard *shard = &dedupe->shards[id.hash & (SHARDS - 1)];
    if (shard->slots == NULL)
        return 0;
    uint64_t tag = id.hash >> 32;
    for (;;) {
        uint64_t slot = shard->slots[(home(shard, id.hash) + *place - 1) & shard->mask];
        ++*place;
        if (slot == 0)
            return 0;
        if (slot >> 32 == tag && (uint32_t)slot >= dedupe->horizon)
            return (uint32_t)slot;
    }
}

void dedupe_prefetch(const struct dedupe *dedupe, uint32_t source, struct str message_id)
{
    uint64_t            hash = id_hash(dedupe, source, message_id);
    const struct shard *shard = &dedupe->shards[hash & (SHARDS - 1)];
    if (shard->slots != NULL)
        __builtin_prefetch(&shard->slots[home(shard, hash)]);
}

static void put(struct shard *shard, uint64_t slot)
{
    uint32_t i = home(shard, slot);
    while (shard->slots[i] != 0)
        i = (i + 1) & shard->mask;
    shard->slots[i] = slot;
    shard->count++;
}

/*
 * All shards fill alike, and if they were full alike, too, all would be made anew within a moment.
 * So one is full at five eighths, another at seven, the others between.
 */
static uint32_t slots_max(const struct dedupe *dedupe, const struct shard *shard)
{
    uint64_t number = (uint64_t)(shard - dedupe->shards), slots = (uint64_t)shard->mask + 1;
    return (uint32_t)(slots * 5 / 8 + slots * number / (4 * SHARDS));
}

static enum err rebuild(struct dedupe *dedupe, struct shard *shard)
{
    uint32_t alive = 0;
    for (uint32_t i = 0; shard->slots != NULL && i <= shard->mask; i++)
        alive += shard->slots[i] != 0 && (uint32_t)shard->slots[i] >= dedupe->horizon;
    uint32_t slots = SHARD_SLOTS_MIN;
    while (slots < alive * 2)
        slots *= 2;
    struct shard fresh = { calloc(slots, sizeof(uint64_t)), slots - 1, 0 };
    if (fresh.slots == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; shard->slots != NULL && i <= shard->mask; i++)
        if (shard->slots[i] != 0 && (uint32_t)shard->slots[i] >= dedupe->horizon)
            put(&fresh, shard->slots[i]);
    free(shard->slots);
    *shard = fresh;
    return OK;
}

static enum err slot_add(struct dedupe *dedupe, uint64_t hash, uint32_t seq)
{
    struct shard *shard = &dedupe->shards[hash & (SHARDS - 1)];
    if (shard->slots == NULL || shard->count >= slots_max(dedupe, shard))
        TRY(rebuild(dedupe, shard));
    put(shard, (hash & UINT64_C(0xFFFFFFFF00000000)) | seq);
    return OK;
}

enum err dedupe_add(struct dedupe *dedupe, struct dedupe_id id, uint32_t seq)
{
    if (id.row.row == 0 || !dedupe_rows_add(&dedupe->rows, id.source, id.row, seq, dedupe->horizon))
        TRY(slot_add(dedupe, id.hash, seq));
    if (seq > dedupe->ids_max)
        dedupe_horizon(dedupe, seq - dedupe->ids_max);
    return OK;
}

void dedupe_horizon(struct dedupe *dedupe, uint32_t seq)
{
    if (seq > dedupe->horizon)
        dedupe->horizon = seq;
}

uint64_t dedupe_bytes(const struct dedupe *dedupe)
{
    uint64_t bytes = dedupe_rows_bytes(&dedupe->rows);
    for (int i = 0; i < SHARDS; i++)
        if (dedupe->shards[i].slots != NULL)
            bytes += ((uint64_t)dedupe->shards[i].mask + 1) * sizeof(uint64_t);
    return bytes;
}

uint64_t dedupe_count(const struct dedupe *dedupe)
{
    uint64_t count = dedupe_rows_spans(&dedupe->rows);
    for (int i = 0; i < SHARDS; i++)
        count += dedupe->shards[i].count;
    return count;
}
