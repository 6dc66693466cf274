#include "engine/segment/segment_key.h"

#include <stdio.h>

#include "base/hash.h"

enum { KEY_SEED = 0x6b6579 }; /* for ever: the numbers are stored */

struct str segment_key_text(const struct json *value, char bytes[static 32])
{
    int len = 0;
    switch (value->kind) {
    case JSON_STRING:
        return value->string.len <= SEGMENT_KEY_BYTES_MAX ? value->string : STR_NONE;
    case JSON_INT:
        len = snprintf(bytes, 32, "%lld", (long long)value->integer);
        break;
    case JSON_REAL:
        len = snprintf(bytes, 32, "%.17g", value->real);
        break;
    case JSON_BOOL:
        return value->truth ? STR("true") : STR("false");
    default:
        return STR_NONE;
    }
    return (struct str){ bytes, (size_t)len };
}

uint32_t segment_key_of(struct str text)
{
    if (str_is_empty(text))
        return 0;
    uint64_t hash = hash_str(text, KEY_SEED);
    uint32_t key = (uint32_t)(hash ^ hash >> 32);
    return key == 0 ? 1 : key;
}

uint32_t segment_key(const struct json *value)
{
    char bytes[32];
    return segment_key_of(segment_key_text(value, bytes));
}
