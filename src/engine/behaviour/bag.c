#include "engine/behaviour/bag.h"

#include <math.h>
#include <string.h>

enum { BAG_HEAD_BYTES = 4 };

/* The low bits of an item's first byte. */
enum {
    BAG_NULL,
    BAG_FALSE,
    BAG_TRUE,
    BAG_INT8, /* then 1, 2, 4, 8 bytes, two's complement, little end first */
    BAG_INT16,
    BAG_INT32,
    BAG_INT64,
    BAG_REAL,   /* 8 bytes, IEEE 754 */
    BAG_STRING, /* a length of 1 to 3 bytes, 7 bits each, low first; then the text */
    BAG_LIST,   /* no item: a list with objects begins here; 2 bytes, how many entries it has */
    BAG_KINDS,
    BAG_WIDE = 0x40,   /* the key has two bytes: it is none of the first 256 */
    BAG_LISTED = 0x80, /* an element number follows the key */
    BAG_KIND_MASK = 0x3F,
};

_Static_assert((int)BAG_KINDS <= (int)BAG_WIDE, "a kind leaves the two marks free");

enum { BAG_LENGTH_BYTES_MAX = 3, BAG_KEY_BYTES_MAX = DICT_NAME_BYTES_MAX };

_Static_assert(BAG_BYTES_MAX < 1 << (7 * BAG_LENGTH_BYTES_MAX), "a text's length has its bytes");
_Static_assert(BAG_ITEMS_MAX < 65536, "an element's number is 16 bits");

/* ---- writing */

struct writer {
    struct buf  *out;
    struct dict *keys;
    size_t       from; /* where the bag began in out */
    uint32_t     items, lists, left_out;
    uint16_t     element;
    bool         listed;
    size_t       key_len;
    char         key[BAG_KEY_BYTES_MAX];
};

static void put_little(struct buf *out, uint64_t value, size_t bytes)
{
    char little[8];
    for (size_t i = 0; i < bytes; i++)
        little[i] = (char)(value >> (8 * i));
    buf_str(out, (struct str){ little, bytes });
}

static size_t int_bytes(int64_t value)
{
    if (value == (int8_t)value)
        return 1;
    if (value == (int16_t)value)
        return 2;
    return value == (int32_t)value ? 4 : 8;
}

static int kind_of(const struct json *value)
{
    switch (value->kind) {
    case JSON_BOOL:
        return value->truth ? BAG_TRUE : BAG_FALSE;
    case JSON_INT:
        switch (int_bytes(value->integer)) {
        case 1:
            return BAG_INT8;
        case 2:
            return BAG_INT16;
        case 4:
            return BAG_INT32;
        default:
            return BAG_INT64;
        }
    case JSON_REAL:
        return BAG_REAL;
    case JSON_STRING:
        return BAG_STRING;
    default:
        return BAG_NULL;
    }
}

/* An item's kind and its key. */
static void put_head(struct buf *out, int kind, uint16_t key)
{
    bool is_wide = key > UINT8_MAX;
    buf_char(out, (char)(kind | (is_wide ? BAG_WIDE : 0)));
    put_little(out, key, is_wide ? 2 : 1);
}

static size_t payload_bytes_max(const struct json *value)
{
    return value->kind == JSON_STRING ? BAG_LENGTH_BYTES_MAX + value->string.len : 8;
}

static void put_payload(struct buf *out, const struct json *value)
{
    uint64_t bits;
    if (value->kind == JSON_INT) {
        put_little(out, (uint64_t)value->integer, int_bytes(value->integer));
    } else if (value->kind == JSON_REAL) {
        memcpy(&bits, &value->real, sizeof bits);
        put_little(out, bits, 8);
    } else if (value->kind == JSON_STRING) {
        size_t len = value->string.len;
        for (; len >= 0x80; len >>= 7)
            buf_char(out, (char)(len | 0x80));
        buf_char(out, (char)len);
        buf_str(out, value->string);
    }
}

static enum err write_scalar(struct writer *w, const struct json *value)
{
    uint16_t key;
    size_t   used = w->out->len - w->from;
    if (w->items == BAG_ITEMS_MAX || used + 5 + payload_bytes_max(value) > BAG_BYTES_MAX) {
        w->left_out++;
        return OK;
    }
    TRY(dict_intern(w->keys, (struct str){ w->key, w->key_len }, &key));
    if (key == DICT_OTHER) {
        w->left_out++;
        return OK;
    }
    put_head(w->out, kind_of(value) | (w->listed ? BAG_LISTED : 0), key);
    if (w->listed)
        put_little(w->out, w->element, 2);
    put_payload(w->out, value);
    w->items++;
    return buf_err(w->out);
}

static enum err write_value(struct writer *w, const struct json *value, int depth);

static bool has_object(const struct json *array)
{
    for (uint32_t i = 0; i < array->count; i++)
        if (array->items[i].kind == JSON_OBJECT)
            return true;
    return false;
}

/* Objects without scalars leave no items, so how many there are is told apart. */
static enum err write_list(struct writer *w, const struct json *array)
{
    uint32_t count = array->count < BAG_ITEMS_MAX ? array->count : BAG_ITEMS_MAX;
    uint16_t key;
    if (w->out->len - w->from + 5 > BAG_BYTES_MAX || w->lists == BAG_ITEMS_MAX)
        return OK;
    TRY(dict_intern(w->keys, (struct str){ w->key, w->key_len }, &key));
    if (key == DICT_OTHER)
        return OK;
    put_head(w->out, BAG_LIST, key);
    put_little(w->out, count, 2);
    w->lists++;
    return buf_err(w->out);
}

static enum err write_array(struct writer *w, const struct json *array, int depth)
{
    bool outermost = !w->listed;
    if (outermost && has_object(array))
        TRY(write_list(w, array));
    for (uint32_t i = 0; i < array->count; i++) {
        if (outermost) {
            if (i >= BAG_ITEMS_MAX) {
                w->left_out += array->count - i;
                break;
            }
            w->element = (uint16_t)i;
        }
        w->listed = true;
        TRY(write_value(w, &array->items[i], depth + 1));
    }
    if (outermost)
        w->listed = false;
    return OK;
}

static bool is_repeated_later(const struct json *object, uint32_t at)
{
    for (uint32_t i = at + 1; i < object->count; i++)
        if (str_eq(object->members[i].key, object->members[at].key))
            return true;
    return false;
}

/* Appends ".name" to the key; false when it does not fit. */
static bool key_push(struct writer *w, struct str name, bool first)
{
    size_t dot = first ? 0 : 1;
    if (name.len + dot > BAG_KEY_BYTES_MAX - w->key_len)
        return false;
    if (!first)
        w->key[w->key_len++] = '.';
    if (name.len > 0)
        memcpy(w->key + w->key_len, name.ptr, name.len);
    w->key_len += name.len;
    return true;
}

static enum err write_object(struct writer *w, const struct json *object, int depth)
{
    uint32_t count = object->count < BAG_MEMBERS_MAX ? object->count : BAG_MEMBERS_MAX;
    size_t   key_len = w->key_len;

    w->left_out += object->count - count;
    for (uint32_t i = 0; i < count; i++) {
        if (is_repeated_later(object, i))
            continue;
        if (key_push(w, object->members[i].key, depth == 0))
            TRY(write_value(w, &object->members[i].value, depth + 1));
        else
            w->left_out++;
        w->key_len = key_len;
    }
    return OK;
}

static enum err write_value(struct writer *w, const struct json *value, int depth)
{
    if (value->kind != JSON_ARRAY && value->kind != JSON_OBJECT)
        return write_scalar(w, value);
    if (depth > BAG_DEPTH_MAX) {
        w->left_out++;
        return OK;
    }
    return value->kind == JSON_ARRAY ? write_array(w, value, depth) : write_object(w, value, depth);
}

static enum err write_bag(struct writer *w, const struct json *object)
{
    put_little(w->out, 0, BAG_HEAD_BYTES);
    TRY(buf_err(w->out));
    TRY(write_object(w, object, 0));
    size_t len = w->out->len - w->from;
    if (w->items + w->lists == 0) {
        w->out->len = w->from;
        return OK;
    }
    for (size_t i = 0; i < BAG_HEAD_BYTES; i++)
        w->out->ptr[w->from + i] = (char)(len >> (8 * i));
    while ((w->out->len - w->from) % BAG_UNIT_BYTES != 0)
        buf_char(w->out, 0);
    return buf_err(w->out);
}

enum err bag_write(struct buf *out, struct dict *keys, const struct json *object,
                   uint32_t *left_out)
{
    struct writer w = { .out = out, .keys = keys, .from = out->len };

    if (object->kind != JSON_OBJECT)
        return ERR_INPUT;
    enum err err = write_bag(&w, object);
    if (err != OK)
        out->len = w.from;
    else if (left_out != NULL)
        *left_out = w.left_out;
    return err;
}

/* ---- reading */

static uint64_t get_little(const unsigned char *bytes, size_t count)
{
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

struct bag bag_at(struct bags bags, uint32_t offset)
{
    uint64_t from = (uint64_t)offset * BAG_UNIT_BYTES;
    if (offset == 0 || from + BAG_HEAD_BYTES > bags.len)
        return (struct bag){ NULL, 0 };
    uint64_t len = get_little(bags.bytes + from, BAG_HEAD_BYTES);
    if (len < BAG_HEAD_BYTES || len > BAG_BYTES_MAX || len > bags.len - from)
        return (struct bag){ NULL, 0 };
    return (struct bag){ bags.bytes + from + BAG_HEAD_BYTES, (uint32_t)len - BAG_HEAD_BYTES };
}

/* Where an item begins, what it is, and where its payload lies: the cheap half of reading. */
struct place {
    uint32_t kind, payload, len; /* len: of the payload; the next item follows it */
    uint16_t key, element;
    bool     listed;
};

static bool string_place(struct bag bag, struct place *p)
{
    uint32_t len = 0;
    for (uint32_t i = 0; i < BAG_LENGTH_BYTES_MAX; i++) {
        if (p->payload == bag.len)
            return false;
        unsigned char byte = bag.bytes[p->payload++];
        len |= (uint32_t)(byte & 0x7F) << (7 * i);
        if (byte < 0x80) {
            p->len = len;
            return len <= bag.len - p->payload;
        }
    }
    return false;
}

static bool place_at(struct bag bag, uint32_t at, struct place *p)
{
    static const unsigned char lengths[BAG_KINDS] = {
        [BAG_INT8] = 1,  [BAG_INT16] = 2, [BAG_INT32] = 4,
        [BAG_INT64] = 8, [BAG_REAL] = 8,  [BAG_LIST] = 2
    };
    if (at >= bag.len)
        return false;
    uint32_t head = bag.bytes[at], key_bytes = (head & BAG_WIDE) != 0 ? 2 : 1;
    p->kind = head & BAG_KIND_MASK;
    p->listed = (head & BAG_LISTED) != 0;
    p->payload = at + 1 + key_bytes + (p->listed ? 2 : 0);
    if (p->kind >= BAG_KINDS || p->payload > bag.len)
        return false;
    p->key = (uint16_t)(bag.bytes[at + 1] | (key_bytes == 2 ? bag.bytes[at + 2] << 8 : 0));
    p->element = p->listed ? (uint16_t)get_little(bag.bytes + p->payload - 2, 2) : 0;
    if (p->kind == BAG_STRING)
        return string_place(bag, p);
    p->len = lengths[p->kind];
    return p->len <= bag.len - p->payload;
}

static struct json value_at(struct bag bag, const struct place *p)
{
    const unsigned char *bytes = bag.bytes + p->payload;
    uint64_t             bits = p->kind == BAG_STRING ? 0 : get_little(bytes, p->len);
    double               real;

    switch (p->kind) {
    case BAG_FALSE:
    case BAG_TRUE:
        return (struct json){ .kind = JSON_BOOL, .truth = p->kind == BAG_TRUE };
    case BAG_INT8:
        return (struct json){ .kind = JSON_INT, .integer = (int8_t)bits };
    case BAG_INT16:
        return (struct json){ .kind = JSON_INT, .integer = (int16_t)bits };
    case BAG_INT32:
        return (struct json){ .kind = JSON_INT, .integer = (int32_t)bits };
    case BAG_INT64:
        return (struct json){ .kind = JSON_INT, .integer = (int64_t)bits };
    case BAG_REAL:
        memcpy(&real, &bits, sizeof real);
        if (!isfinite(real)) /* damaged: JSON knows no such number */
            return (struct json){ .kind = JSON_NULL };
        return (struct json){ .kind = JSON_REAL, .real = real };
    case BAG_STRING:
        return (struct json){ .kind = JSON_STRING, .string = { (const char *)bytes, p->len } };
    default:
        return (struct json){ .kind = JSON_NULL };
    }
}

static struct bag_item item_at(struct bag bag, const struct place *p)
{
    return (struct bag_item){
        .key = p->key, .element = p->element, .listed = p->listed, .value = value_at(bag, p)
    };
}

bool bag_next(struct bag bag, uint32_t *at, struct bag_item *out)
{
    struct place p;
    while (place_at(bag, *at, &p)) {
        *at = p.payload + p.len;
        if (p.kind != BAG_LIST) {
            *out = item_at(bag, &p);
            return true;
        }
    }
    return false;
}

bool bag_next_of(struct bag bag, uint32_t *at, uint16_t key, struct bag_item *out)
{
    struct place p;
    while (place_at(bag, *at, &p)) {
        *at = p.payload + p.len;
        if (p.key == key && p.kind != BAG_LIST) {
            *out = item_at(bag, &p);
            return true;
        }
    }
    return false;
}

bool bag_find(struct bag bag, uint16_t key, struct json *out)
{
    uint32_t        at = 0;
    struct bag_item item;
    if (!bag_next_of(bag, &at, key, &item))
        return false;
    *out = item.value;
    return true;
}

struct str bag_text(struct bag bag, uint16_t key)
{
    struct json value;
    return bag_find(bag, key, &value) && value.kind == JSON_STRING ? value.string : STR_NONE;
}

bool bag_int(struct bag bag, uint16_t key, int64_t *out)
{
    struct json value;
    if (!bag_find(bag, key, &value) || value.kind != JSON_INT)
        return false;
    *out = value.integer;
    return true;
}

bool bag_value(struct bag bag, uint16_t key, struct json *elements, uint32_t most, struct json *out)
{
    uint32_t        at = 0, count = 0;
    struct bag_item item;
    bool            listed = false;
    while (count < most && bag_next_of(bag, &at, key, &item)) {
        elements[count++] = item.value;
        listed = listed || item.listed;
    }
    if (count == 0)
        return false;
    *out = listed ? (struct json){ .kind = JSON_ARRAY, .count = count, .items = elements }
                  : elements[0];
    return true;
}

bool bag_list_find(struct bag bag, uint16_t key, struct bag_list *out)
{
    struct place p;
    for (uint32_t at = 0; place_at(bag, at, &p); at = p.payload + p.len)
        if (p.key == key && p.kind == BAG_LIST) {
            uint32_t count = (uint32_t)get_little(bag.bytes + p.payload, p.len);
            *out = (struct bag_list){ .bag = bag, .at = p.payload + p.len, .count = count };
            return true;
        }
    return false;
}

bool bag_list_next(struct bag_list *list, struct bag *element)
{
    struct place p;
    uint32_t     from = list->at;
    if (list->next == list->count)
        return false;
    while (place_at(list->bag, list->at, &p) && p.listed && p.element == list->next)
        list->at = p.payload + p.len;
    *element = (struct bag){ list->bag.bytes + from, list->at - from };
    list->next++;
    return true;
}
