#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct str str_of(const char *terminated)
{
    return (struct str){ terminated, terminated == NULL ? 0 : strlen(terminated) };
}

bool str_is_empty(struct str s)
{
    return s.len == 0;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool str_eq_nocase_rest(struct str a, struct str b)
{
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

int str_cmp(struct str a, struct str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int    order = shorter == 0 ? 0 : memcmp(a.ptr, b.ptr, shorter);
    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
    size_t from = 0, to = s.len;
    while (from < to && is_space(s.ptr[from]))
        from++;
    while (to > from && is_space(s.ptr[to - 1]))
        to--;
    return str_slice(s, from, to);
}

size_t str_find(struct str s, size_t from, struct str needle)
{
    if (needle.len == 0)
        return from <= s.len ? from : s.len;
    if (from >= s.len)
        return s.len;
    const char *hit = memmem(s.ptr + from, s.len - from, needle.ptr, needle.len);
    return hit == NULL ? s.len : (size_t)(hit - s.ptr);
}

bool str_split(struct str *rest, char separator, struct str *piece)
{
    if (rest->ptr == NULL)
        return false;
    size_t cut = str_find_char(*rest, 0, separator);
    *piece = str_slice(*rest, 0, cut);
    *rest = cut == rest->len ? STR_NONE : str_slice(*rest, cut + 1, rest->len);
    return true;
}

struct str str_copy(struct arena *arena, struct str s)
{
    char *copy = arena_bytes(arena, s.len + 1);
    if (copy == NULL)
        return STR_NONE;
    if (s.len > 0)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return (struct str){ copy, s.len };
}

struct str str_format(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int   len = vsnprintf(NULL, 0, format, args);
    char *text = len < 0 ? NULL : arena_alloc(arena, (size_t)len + 1);
    if (text != NULL)
        vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    va_end(args);
    return text == NULL ? STR_NONE : (struct str){ text, (size_t)len };
}

char *str_to_cstr(struct str s, char *out, size_t out_bytes)
{
    size_t len = s.len < out_bytes - 1 ? s.len : out_bytes - 1;
    if (len > 0)
        memcpy(out, s.ptr, len);
    out[len] = '\0';
    return out;
}

enum err str_to_int(struct str s, int64_t *out)
{
    size_t i = 0;
    bool   negative = s.len > 0 && s.ptr[0] == '-';
    if (s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+'))
        i = 1;
    if (i == s.len)
        return ERR_INPUT;

    int64_t value = 0;
    for (; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return ERR_INPUT;
        int digit = s.ptr[i] - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, negative ? -digit : digit, &value))
            return ERR_INPUT;
    }
    *out = value;
    return OK;
}

enum err str_to_real(struct str s, double *out)
{
    char text[64];
    if (s.len == 0 || s.len >= sizeof text)
        return ERR_INPUT;
    for (size_t i = 0; i < s.len; i++)
        if (memchr("0123456789+-.eE", s.ptr[i], 15) == NULL)
            return ERR_INPUT;

    char *end;
    str_to_cstr(s, text, sizeof text);
    double value = strtod(text, &end);
    if (*end != '\0' || value - value != 0) /* not wholly read, or infinite */
        return ERR_INPUT;
    *out = value;
    return OK;
}

/* How much of the text is plainly ASCII, in steps of 32 bytes: most of it is. */
static size_t ascii_bytes(const unsigned char *at, size_t bytes)
{
    size_t   passed = 0;
    uint64_t four[4];
    for (; bytes - passed >= sizeof four; passed += sizeof four) {
        memcpy(four, at + passed, sizeof four);
        if (((four[0] | four[1] | four[2] | four[3]) & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    return passed;
}

size_t str_utf8_at(struct str s, size_t at)
{
    const unsigned char *p = (const unsigned char *)s.ptr + at;
    unsigned char        c = p[0];
    size_t               more = c < 0x80                ? 0
                                : c >= 0xC2 && c < 0xE0 ? 1
                                : (c & 0xF0) == 0xE0    ? 2
                                : c >= 0xF0 && c < 0xF5 ? 3
                                                        : 4;
    if (more == 4 || s.len - at <= more)
        return 0;
    for (size_t k = 1; k <= more; k++)
        if ((p[k] & 0xC0) != 0x80)
            return 0;
    if ((c == 0xE0 && p[1] < 0xA0) || (c == 0xED && p[1] > 0x9F) || (c == 0xF0 && p[1] < 0x90) ||
        (c == 0xF4 && p[1] > 0x8F))
        return 0;
    return more + 1;
}

bool str_is_utf8(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    size_t               i = 0;
    while (i < s.len) {
        i += ascii_bytes(p + i, s.len - i);
        if (i == s.len)
            break;
        size_t bytes = str_utf8_at(s, i);
        if (bytes == 0)
            return false;
        i += bytes;
    }
    return true;
}
