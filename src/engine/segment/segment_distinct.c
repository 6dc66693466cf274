#include "engine/segment/segment_distinct.h"

#include <string.h>

#include "base/hash.h"

uint64_t segment_value_hash(const struct json *value)
{
    double   x;
    uint64_t bits;
    if (value->kind == JSON_STRING)
        return hash_str(value->string, 1) | 1;
    if (!json_to_real(value, &x))
        return hash_u64(value->truth, 2) | 1;
    x += 0.0; /* one zero */
    memcpy(&bits, &x, sizeof bits);
    return hash_u64(bits, 3) | 1;
}

void distinct_init(struct distinct *set)
{
    set->count = 0;
    memset(set->hashes, 0, sizeof set->hashes);
}

struct distinct_value *distinct_add(struct distinct *set, const struct json *value, bool *fresh)
{
    uint64_t hash = segment_value_hash(value);
    uint32_t slot = (uint32_t)(hash >> 32) % DISTINCT_SLOTS;
    *fresh = false;
    for (; set->hashes[slot] != 0; slot = (slot + 1) % DISTINCT_SLOTS)
        if (set->hashes[slot] == hash && json_eq(&set->values[slot].value, value)) {
            set->values[slot].times++;
            return &set->values[slot];
        }
    if (set->count > SEGMENT_DISTINCT_MAX)
        return NULL;
    *fresh = true;
    set->hashes[slot] = hash;
    set->values[slot] = (struct distinct_value){ *value, 1, set->count++ };
    return &set->values[slot];
}
