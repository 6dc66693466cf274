#include "engine/segment/segment_keyed.h"

#include <string.h>

#include "engine/segment/segment_distinct.h"

void keyed_init(struct keyed *table, uint32_t classes, uint32_t class)
{
    table->count = 0;
    table->classes = classes;
    table->class = class;
    for (uint32_t i = 0; i < KEYED_SLOTS; i++)
        table->slots[i].hash = 0;
}

bool keyed_is_followed(const struct keyed *table, const struct json *value)
{
    return table->classes == 1 || (segment_value_hash(value) >> 8) % table->classes == table->class;
}

static struct keyed_slot *slot_of(struct keyed *table, uint64_t hash, const struct json *value)
{
    uint32_t i = (uint32_t)(hash >> 40) % KEYED_SLOTS;
    for (; table->slots[i].hash != 0; i = (i + 1) % KEYED_SLOTS)
        if (table->slots[i].hash == hash && json_eq(&table->slots[i].value, value))
            break;
    return &table->slots[i];
}

struct keyed_slot *keyed_find(struct keyed *table, const struct json *value)
{
    struct keyed_slot *slot = slot_of(table, segment_value_hash(value), value);
    return slot->hash == 0 ? NULL : slot;
}

struct keyed_slot *keyed_put(struct keyed *table, const struct json *value)
{
    uint64_t           hash = segment_value_hash(value);
    struct keyed_slot *slot = slot_of(table, hash, value);
    if (slot->hash != 0)
        return slot;
    if (table->count == KEYED_MAX)
        return NULL;
    table->count++;
    slot->hash = hash;
    slot->value = *value;
    for (uint32_t i = 0; i < SEGMENT_STEPS_MAX; i++)
        slot->at_ms[i] = KEYED_NONE;
    return slot;
}

/* Not inlined: it takes a second table for a moment. */
__attribute__((noinline)) void keyed_keep(struct keyed *table, int64_t from_ms, int64_t to_ms)
{
    struct keyed_slot kept[KEYED_MAX];
    uint32_t          count = 0;
    for (uint32_t i = 0; i < KEYED_SLOTS; i++) {
        const struct keyed_slot *slot = &table->slots[i];
        if (slot->hash != 0 && slot->at_ms[0] >= from_ms && slot->at_ms[0] <= to_ms)
            kept[count++] = *slot;
    }
    keyed_init(table, table->classes, table->class);
    for (uint32_t i = 0; i < count; i++)
        *slot_of(table, kept[i].hash, &kept[i].value) = kept[i];
    table->count = count;
}
