#include "message/html_entity.h"

#include <stdlib.h>
#include <string.h>

#include "message/html_entity_names.h"

enum { REPLACEMENT = 0xFFFD, CODE_POINT_MAX = 0x10FFFF };

/* Text being decoded. */
struct decoder {
    struct str         raw;
    enum html_decoding decoding;
    char              *out;
    size_t             at, len;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void put(struct decoder *d, const char *text, size_t bytes)
{
    memcpy(d->out + d->len, text, bytes);
    d->len += bytes;
}

static void put_code_point(struct decoder *d, uint32_t c)
{
    unsigned char made[4];
    size_t        bytes = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    if (bytes == 1) {
        made[0] = (unsigned char)c;
    } else {
        for (size_t i = bytes - 1; i > 0; i--, c >>= 6)
            made[i] = (unsigned char)(0x80 | (c & 0x3F));
        made[0] = (unsigned char)((0xF00 >> bytes & 0xFF) | c);
    }
    put(d, (const char *)made, bytes);
}

/* What old pages meant by the numbers of Windows-1252; 0: themselves. */
static uint32_t windows_1252(uint32_t c)
{
    static const uint16_t meant[32] = { 0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020,
                                        0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,
                                        0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D,
                                        0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
                                        0x0153, 0,      0x017E, 0x0178 };
    return c >= 0x80 && c < 0xA0 && meant[c - 0x80] != 0 ? meant[c - 0x80] : c;
}

/* "&#233;" or "&#xE9;" at d->at; false where it is neither. */
static bool number_take(struct decoder *d)
{
    size_t   i = d->at + 2;
    bool     is_hex = i < d->raw.len && (d->raw.ptr[i] | 32) == 'x';
    uint32_t value = 0;
    i += is_hex;
    size_t first = i;
    for (; i < d->raw.len; i++) {
        int digit = hex_digit(d->raw.ptr[i]);
        if (digit < 0 || (!is_hex && digit > 9))
            break;
        if (value <= CODE_POINT_MAX)
            value = value * (is_hex ? 16 : 10) + (uint32_t)digit;
    }
    if (i == first)
        return false;
    if (value == 0 || value > CODE_POINT_MAX || (value >= 0xD800 && value < 0xE000))
        value = REPLACEMENT;
    put_code_point(d, windows_1252(value));
    d->at = i + (i < d->raw.len && d->raw.ptr[i] == ';');
    return true;
}

static int name_cmp(const void *key, const void *row)
{
    return str_cmp(*(const struct str *)key, str_of(((const struct html_entity *)row)->name));
}

static const struct html_entity *name_find(struct str name)
{
    return bsearch(&name, HTML_ENTITIES, HTML_ENTITIES_COUNT, sizeof HTML_ENTITIES[0], name_cmp);
}

static void entity_put(struct decoder *d, const struct html_entity *entity, size_t bytes)
{
    put(d, entity->text, strlen(entity->text));
    d->at += bytes;
}

/* "&eacute;" at d->at; false where it is no name. */
static bool name_take(struct decoder *d)
{
    struct str rest = str_slice(d->raw, d->at + 1, d->raw.len);
    size_t     bytes = 0;
    while (bytes < rest.len && bytes <= HTML_ENTITY_NAME_BYTES_MAX && is_alnum(rest.ptr[bytes]))
        bytes++;
    const struct html_entity *found = NULL;
    if (bytes < rest.len && rest.ptr[bytes] == ';')
        found = name_find(str_slice(rest, 0, bytes));
    if (found != NULL) {
        entity_put(d, found, bytes + 2);
        return true;
    }
    if (bytes > HTML_ENTITY_OPEN_BYTES_MAX)
        bytes = HTML_ENTITY_OPEN_BYTES_MAX;
    for (; bytes >= 2; bytes--) {
        found = name_find(str_slice(rest, 0, bytes));
        if (found == NULL || !found->is_open)
            continue;
        char next = bytes < rest.len ? rest.ptr[bytes] : ' ';
        if (d->decoding == HTML_DECODE_ATTRIBUTE && (next == '=' || is_alnum(next)))
            return false;
        entity_put(d, found, bytes + 1);
        return true;
    }
    return false;
}

static bool reference_take(struct decoder *d)
{
    if (d->decoding == HTML_DECODE_RAW || d->at + 1 >= d->raw.len)
        return false;
    return d->raw.ptr[d->at + 1] == '#' ? number_take(d) : name_take(d);
}

static void decode(struct decoder *d)
{
    while (d->at < d->raw.len) {
        char c = d->raw.ptr[d->at];
        if (c == '&' && reference_take(d))
            continue;
        d->at++;
        if (c == '\0') {
            if (d->decoding != HTML_DECODE_TEXT)
                put_code_point(d, REPLACEMENT);
        } else if (c == '\r') {
            d->out[d->len++] = '\n';
            d->at += d->at < d->raw.len && d->raw.ptr[d->at] == '\n';
        } else {
            d->out[d->len++] = c;
        }
    }
}

struct str html_decode(struct arena *arena, struct str raw, enum html_decoding decoding)
{
    if (raw.len == 0)
        return raw;
    bool has_nul = memchr(raw.ptr, '\0', raw.len) != NULL;
    if (!has_nul && memchr(raw.ptr, '\r', raw.len) == NULL &&
        (decoding == HTML_DECODE_RAW || memchr(raw.ptr, '&', raw.len) == NULL))
        return raw;
    struct decoder d = { .raw = raw, .decoding = decoding };
    /* Only "&nGt;" and "&nLt;" (5 bytes) stand for more bytes (6) than they are written with. */
    d.out = arena_alloc(arena, has_nul ? 3 * raw.len : raw.len + raw.len / 5);
    if (d.out == NULL)
        return STR_NONE;
    decode(&d);
    return (struct str){ d.out, d.len };
}
