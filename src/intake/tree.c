#include "intake/tree.h"

#include "base/hash.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Up to here keys are compared with each other, beyond it a table is worth its making. */
enum { KEYS_COMPARED_MAX = 32 };

/* Text: every byte may become \u00XX, and there are two quotes. */
#define TEXT_BYTES(len) (6 * (len) + 2)

/* ---- settling ---- */

static uint32_t key_find(const struct json_member *members, uint32_t count, struct str key)
{
    for (uint32_t i = 0; i < count; i++)
        if (members[i].key.len == key.len && str_eq(members[i].key, key))
            return i;
    return count;
}

/* One bit of 64 for each key: most objects show by it alone that nothing is repeated. */
static uint64_t key_bit(struct str key)
{
    if (key.len == 0)
        return 1;
    unsigned mixed = (unsigned)key.len * 7u + (unsigned char)key.ptr[0] * 3u +
                     (unsigned char)key.ptr[key.len - 1] * 11u;
    return UINT64_C(1) << (mixed & 63);
}

static void few_settle(struct json_member *members, uint32_t *count)
{
    uint64_t seen = 0;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < *count; i++) {
        uint64_t bit = key_bit(members[i].key);
        uint32_t at = (seen & bit) == 0 ? kept : key_find(members, kept, members[i].key);
        seen |= bit;
        if (at == kept)
            members[kept++] = members[i];
        else
            members[at].value = members[i].value;
    }
    *count = kept;
}

/* Slots hold the index of a kept member plus one; 0 is empty. */
static enum err many_settle(struct arena *arena, uint64_t seed, struct json_member *members,
                            uint32_t *count)
{
    size_t slots_count = 64;
    while (slots_count < (size_t)*count * 2)
        slots_count *= 2;
    uint32_t *slots = ARENA_ARRAY(arena, slots_count, uint32_t);
    if (slots == NULL)
        return ERR_MEMORY;

    uint32_t kept = 0;
    for (uint32_t i = 0; i < *count; i++) {
        size_t slot = hash_str(members[i].key, seed) & (slots_count - 1);
        while (slots[slot] != 0 && !str_eq(members[slots[slot] - 1].key, members[i].key))
            slot = (slot + 1) & (slots_count - 1);
        if (slots[slot] != 0) {
            members[slots[slot] - 1].value = members[i].value;
            continue;
        }
        members[kept++] = members[i];
        slots[slot] = kept;
    }
    *count = kept;
    return OK;
}

static enum err object_settle(struct arena *arena, uint64_t seed, struct json *object,
                              size_t *text_bytes)
{
    /* Const for readers; the tree is ours and nobody has read it yet. */
    struct json_member *members = (struct json_member *)(uintptr_t)object->members;
    if (object->count <= KEYS_COMPARED_MAX)
        few_settle(members, &object->count);
    else
        TRY(many_settle(arena, seed, members, &object->count));

    size_t sum = 2;
    for (uint32_t i = 0; i < object->count; i++) {
        size_t bytes = 0;
        TRY(tree_settle(arena, seed, &members[i].value, &bytes));
        sum += bytes + TEXT_BYTES(members[i].key.len) + 2;
    }
    *text_bytes = sum;
    return OK;
}

static enum err array_settle(struct arena *arena, uint64_t seed, struct json *array,
                             size_t *text_bytes)
{
    struct json *items = (struct json *)(uintptr_t)array->items;
    size_t       sum = 2;
    for (uint32_t i = 0; i < array->count; i++) {
        size_t bytes = 0;
        TRY(tree_settle(arena, seed, &items[i], &bytes));
        sum += bytes + 1;
    }
    *text_bytes = sum;
    return OK;
}

static size_t int_bytes(int64_t value)
{
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    size_t   bits = 64 - (size_t)__builtin_clzll(size | 1);
    return bits * 1233 / 4096 + 2; /* 1233/4096 is a little more than log10(2); and a sign */
}

enum err tree_settle(struct arena *arena, uint64_t seed, struct json *value, size_t *text_bytes)
{
    switch (value->kind) {
    case JSON_OBJECT:
        return object_settle(arena, seed, value, text_bytes);
    case JSON_ARRAY:
        return array_settle(arena, seed, value, text_bytes);
    case JSON_STRING:
        *text_bytes = TEXT_BYTES(value->string.len);
        return OK;
    case JSON_INT:
        *text_bytes = int_bytes(value->integer);
        return OK;
    case JSON_REAL:
        *text_bytes = TREE_NUMBER_BYTES_MAX;
        return OK;
    default:
        *text_bytes = sizeof "false" - 1;
        return OK;
    }
}

/* ---- writing ---- */

static char *put(char *at, const char *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}

static char *put_int(char *at, int64_t value)
{
    char     digits[24];
    size_t   n = sizeof digits;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--n] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0)
        digits[--n] = '-';
    return put(at, digits + n, sizeof digits - n);
}

/* `whole` / 10^decimals as text, such as 1250 and 2: "12.50" is never asked for, 125 and 1 is. */
static char *put_decimal(char *at, int64_t whole, int64_t power, int decimals)
{
    if (whole < 0) {
        *at++ = '-';
        whole = -whole;
    }
    at = put_int(at, whole / power);
    *at++ = '.';
    if (decimals == 0)
        *at++ = '0'; /* so that it is read back as the same kind */
    int64_t fraction = whole % power;
    for (int i = decimals - 1; i >= 0; i--, fraction /= 10)
        at[i] = (char)('0' + fraction % 10);
    return at + decimals;
}

/*
 * Prices and coordinates have few decimals. Where a whole number below 2^53 divided by a power of
 * ten gives the very same double, its digits are exact: both are exact as doubles and division
 * rounds as reading does. (printf, tried with 15 to 17 digits, costs twenty times as much.)
 */
char *tree_put_real(char *at, double value)
{
    enum { DECIMALS_MAX = 7 };
    int64_t power = 1;
    for (int decimals = 0; decimals <= DECIMALS_MAX; decimals++, power *= 10) {
        double scaled = value * (double)power;
        if (!(fabs(scaled) < 9007199254740992.0) || (value == 0 && signbit(value)))
            break;
        int64_t whole = (int64_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
        if ((double)whole / (double)power == value)
            return put_decimal(at, whole, power, decimals);
    }
    char text[TREE_NUMBER_BYTES_MAX];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    at = put(at, text, strlen(text));
    return strpbrk(text, ".e") == NULL ? put(at, ".0", 2) : at;
}

static char *put_escaped(char *at, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
    };
    if (c >= 0x20 && c != '"' && c != '\\') {
        *at++ = (char)c;
        return at;
    }
    *at++ = '\\';
    if (c >= 0x20 || letters[c] != 0) {
        *at++ = c >= 0x20 ? (char)c : letters[c];
        return at;
    }
    at = put(at, "u00", 3);
    *at++ = hex[c >> 4];
    *at++ = hex[c & 15];
    return at;
}

/* Does any of eight bytes need an escape: below 0x20, a quote, a backslash? May say yes wrongly. */
static bool eight_need_escape(uint64_t eight)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
    uint64_t       quote = eight ^ ones * '"', slash = eight ^ ones * '\\';
    uint64_t       low = (eight - ones * 0x20) & ~eight;
    quote = (quote - ones) & ~quote;
    slash = (slash - ones) & ~slash;
    return ((low | quote | slash) & tops) != 0;
}

char *tree_put_str(char *at, struct str text)
{
    size_t i = 0;
    *at++ = '"';
    while (text.len - i >= 8) {
        uint64_t eight;
        memcpy(&eight, text.ptr + i, 8);
        if (!eight_need_escape(eight))
            at = put(at, text.ptr + i, 8);
        else
            for (size_t k = 0; k < 8; k++)
                at = put_escaped(at, (unsigned char)text.ptr[i + k]);
        i += 8;
    }
    for (; i < text.len; i++)
        at = put_escaped(at, (unsigned char)text.ptr[i]);
    *at++ = '"';
    return at;
}

static char *put_object(char *at, const struct json *object)
{
    *at++ = '{';
    for (uint32_t i = 0; i < object->count; i++) {
        if (i > 0)
            *at++ = ',';
        at = tree_put_str(at, object->members[i].key);
        *at++ = ':';
        at = tree_put(at, &object->members[i].value);
    }
    *at++ = '}';
    return at;
}

static char *put_array(char *at, const struct json *array)
{
    *at++ = '[';
    for (uint32_t i = 0; i < array->count; i++) {
        if (i > 0)
            *at++ = ',';
        at = tree_put(at, &array->items[i]);
    }
    *at++ = ']';
    return at;
}

char *tree_put(char *at, const struct json *value)
{
    switch (value->kind) {
    case JSON_NULL:
        return put(at, "null", 4);
    case JSON_BOOL:
        return value->truth ? put(at, "true", 4) : put(at, "false", 5);
    case JSON_INT:
        return put_int(at, value->integer);
    case JSON_REAL:
        return tree_put_real(at, value->real);
    case JSON_STRING:
        return tree_put_str(at, value->string);
    case JSON_ARRAY:
        return put_array(at, value);
    case JSON_OBJECT:
        return put_object(at, value);
    }
    return at;
}
