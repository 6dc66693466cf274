/*
 * bag: the properties of one event, flat and compact.
 *
 * An event's properties are JSON of any shape; what is asked about them is "revenue > 100" or "any
 * products.category is tent". So the tree is flattened to (key, element, value), once, on intake:
 *
 *      {"revenue":9.5,"products":[{"sku":"a"},{"sku":"b"}],"to":{"city":"Oslo"}}
 *
 *      revenue        -        9.5
 *      products.sku   [0]      "a"
 *      products.sku   [1]      "b"
 *      to.city        -        "Oslo"
 *
 * and laid out behind its own length:
 *
 *      | bytes u32 | kind u8, key u8 or u16, [element u16], payload | kind ... |      padded to 8
 *
 * In arrays within arrays the element is that of the outermost. Empty objects and arrays leave
 * nothing; but before the items of a list with objects stands how many entries it has, so that its
 * elements can be walked one by one. Of two members of one name the last counts, as in json_get. A
 * value is a scalar `struct json`: traits, literals and property values are then compared and
 * written by one code.
 *
 * Always true   reading stays inside the length, which stays inside the region, also on damaged
 *               bytes: a damaged bag ends early. Text in a damaged bag may be no UTF-8.
 * Cost          2 bytes an item (3 where its key is none of the dictionary's first 256) and its
 *               payload (1 to 8 bytes a number, the text and 1 to 3).
 */
#ifndef DULT_ENGINE_BAG_H
#define DULT_ENGINE_BAG_H

#include "base/buf.h"
#include "base/json.h"
#include "engine/behaviour/dict.h"

enum {
    BAG_UNIT_BYTES = 8,       /* bags begin at multiples of this, so 32 bits address 32 GiB */
    BAG_BYTES_MAX = 64 << 10, /* one bag; an event's body is bounded lower on intake */
    BAG_ITEMS_MAX = 4096,     /* an order of 500 lines with 8 properties each */
    BAG_MEMBERS_MAX = 512,    /* of one object: each is compared with the later ones */
    BAG_DEPTH_MAX = 8,        /* deeper than anyone's tracking plan */
};

/* A region of bags. The unit at offset 0 is never a bag: 0 says "no properties". */
struct bags {
    const unsigned char *bytes;
    size_t               len;
};

/* One bag's items, already inside its region. {NULL, 0} is the empty bag. */
struct bag {
    const unsigned char *bytes;
    uint32_t             len;
};

struct bag_item {
    uint16_t    key, element;
    bool        listed; /* came from an array, at `element` */
    struct json value;  /* a scalar; its text is borrowed from the bag */
};

/*
 * Appends the bag of `object` to `out`, padded; nothing at all when it has no scalar. Names new to
 * `keys` are interned. Items beyond a bound, or whose key finds no place, are left out and counted
 * in *left_out (which may be NULL). ERR_INPUT when `object` is no object; ERR_MEMORY; ERR_LIMIT
 * when `out` is full: then `out` is as before, with its err set.
 */
MUST enum err bag_write(struct buf *out, struct dict *keys, const struct json *object,
                        uint32_t *left_out);

/* The bag at `offset` units; the empty bag for 0 and for an offset or length that lies. */
struct bag bag_at(struct bags bags, uint32_t offset);

/* The first value under `key`. */
bool bag_find(struct bag bag, uint16_t key, struct json *out);
/* The same where it is a text; else, and for DICT_NONE, the empty one. Borrowed from the bag. */
struct str bag_text(struct bag bag, uint16_t key);
/* The same where it is an integer; else false, and *out as it was. */
bool bag_int(struct bag bag, uint16_t key, int64_t *out);

/* What is under `key`, at most `most` values, made in `elements`: a list (of scalars) is an array.
 */
bool bag_value(struct bag bag, uint16_t key, struct json *elements, uint32_t most,
               struct json *out);

/* Walks all items: uint32_t at = 0; while (bag_next(bag, &at, &item)) ... */
bool bag_next(struct bag bag, uint32_t *at, struct bag_item *out);
/* Walks the items of one key only. */
bool bag_next_of(struct bag bag, uint32_t *at, uint16_t key, struct bag_item *out);

/* The elements of a list with objects, in order: each is a bag of its own. */
struct bag_list {
    struct bag bag;
    uint32_t   at, next, count; /* count: entries, also those that left nothing */
};

/* The first list with objects under `key`, not itself within a list. */
bool bag_list_find(struct bag bag, uint16_t key, struct bag_list *out);
bool bag_list_next(struct bag_list *list, struct bag *element);

#endif
