/*
 * Two properties. An object's bag holds exactly the scalars that a naive flattening finds, in
 * order. And any bytes, taken as a region of bags, are read without leaving it, and to an end.
 */
#include "engine/behaviour/bag.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 16 << 20, KEY_BYTES = 4096 };

struct flat {
    struct dict *keys;
    struct bag   bag;
    uint32_t     at;
    char         key[KEY_BYTES];
};

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* Expects `value` next in the bag, under the path in flat->key. */
static void expect(struct flat *flat, const struct json *value, size_t key_len, int element)
{
    struct bag_item item;

    if (value->kind == JSON_OBJECT) {
        for (uint32_t i = 0; i < value->count; i++) {
            const struct json_member *m = &value->members[i];
            if (json_get(value, m->key) != &m->value)
                continue;
            size_t len = key_len;
            if (len != SIZE_MAX)
                flat->key[len++] = '.';
            else
                len = 0;
            if (m->key.len > 0)
                memcpy(flat->key + len, m->key.ptr, m->key.len);
            expect(flat, &m->value, len + m->key.len, element);
        }
        return;
    }
    if (value->kind == JSON_ARRAY) {
        for (uint32_t i = 0; i < value->count; i++)
            expect(flat, &value->items[i], key_len, element >= 0 ? element : (int)i);
        return;
    }
    must(bag_next(flat->bag, &flat->at, &item));
    must(str_eq(dict_text(flat->keys, item.key), (struct str){ flat->key, key_len }));
    must(item.listed == (element >= 0) && (!item.listed || item.element == element));
    must(item.value.kind == value->kind && json_eq(&item.value, value));
}

static void round_trip(struct str text)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(ARENA_BYTES);
    SCOPED(dict_closep) struct dict   *keys = dict_open();
    SCOPED(buf_donep) struct buf       out = buf_make(BAG_BYTES_MAX * 2);
    struct json                        json;
    uint32_t                           left_out;
    struct bag_item                    item;

    if (text.len > KEY_BYTES / 2 || json_parse_once(arena, text, &json, NULL) != OK)
        return;
    buf_str(&out, STR("--------"));
    if (bag_write(&out, keys, &json, &left_out) != OK) {
        must(json.kind != JSON_OBJECT);
        return;
    }
    if (left_out > 0)
        return;
    struct bags  region = { (const unsigned char *)out.ptr, out.len };
    struct flat *flat = ARENA_NEW(arena, struct flat);
    flat->keys = keys;
    flat->bag = bag_at(region, 1);
    expect(flat, &json, SIZE_MAX, -1);
    must(!bag_next(flat->bag, &flat->at, &item));
}

static void damaged(const uint8_t *data, size_t size)
{
    struct bags region = { data, size };
    for (uint32_t offset = 0; offset <= size / BAG_UNIT_BYTES + 1; offset++) {
        struct bag      bag = bag_at(region, offset);
        struct bag_item item;
        uint32_t        at = 0, before = 0;
        for (; bag_next(bag, &at, &item); before = at) {
            must(at > before && at <= bag.len);
            if (item.value.kind == JSON_STRING)
                must((const uint8_t *)item.value.string.ptr + item.value.string.len <= data + size);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    round_trip((struct str){ (const char *)data, size });
    uint8_t *fenced = malloc(size + 1);
    if (fenced == NULL)
        return 0;
    memcpy(fenced, data, size);
    damaged(fenced, size);
    free(fenced);
    return 0;
}
