#include "bounce/mail_decode.h"

#include <string.h>

#include "bounce/scan.h"

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

struct str mail_decode_base64(struct arena *arena, struct str text)
{
    char    *out = arena_alloc(arena, text.len + 1);
    size_t   used = 0;
    uint32_t bits = 0;
    int      held = 0;
    if (out == NULL)
        return STR_NONE;
    for (size_t i = 0; i < text.len; i++) {
        int digit = base64_digit(text.ptr[i]);
        if (digit < 0)
            continue;
        bits = bits << 6 | (uint32_t)digit;
        held += 6;
        if (held >= 8) {
            held -= 8;
            char c = (char)(bits >> held & 0xFF);
            if (c != '\r')
                out[used++] = c;
        }
    }
    return (struct str){ out, used };
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct str mail_decode_quoted(struct arena *arena, struct str text)
{
    char  *out = arena_alloc(arena, text.len + 1);
    size_t used = 0;
    if (out == NULL)
        return STR_NONE;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c != '=') {
            out[used++] = c;
            continue;
        }
        size_t next = i + 1;
        while (next < text.len && (text.ptr[next] == ' ' || text.ptr[next] == '\t'))
            next++;
        int high = i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
        int low = i + 2 < text.len ? hex_digit(text.ptr[i + 2]) : -1;
        if (next < text.len && text.ptr[next] == '\n')
            i = next;
        else if (high >= 0 && low >= 0) {
            c = (char)(high << 4 | low);
            if (c != '\r')
                out[used++] = c;
            i += 2;
        } else
            out[used++] = c;
    }
    return (struct str){ out, used };
}

/* ---- HTML ---- */

static bool is_break(struct str tag)
{
    static const char *const breaks[] = {
        "br",  "p", "/p", "div",   "/div",   "tr",  "/tr",  "li",
        "/li", "h", "/h", "table", "/table", "pre", "/pre", "td"
    };
    size_t len = 0;
    while (len < tag.len && tag.ptr[len] != ' ' && tag.ptr[len] != '\n' &&
           !(tag.ptr[len] >= '0' && tag.ptr[len] <= '9') && (len == 0 || tag.ptr[len] != '/'))
        len++;
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++)
        if (str_eq_nocase(str_slice(tag, 0, len), str_of(breaks[i])))
            return true;
    return false;
}

/* The character that the entity at `at` stands for; *behind is set. 0: none. */
static char entity_at(struct str text, size_t at, size_t *behind)
{
    static const struct {
        const char *name;
        char        c;
    } entities[] = {
        { "&lt;", '<' },   { "&gt;", '>' },  { "&amp;", '&' },  { "&nbsp;", ' ' },
        { "&quot;", '"' }, { "&#64;", '@' }, { "&#39;", '\'' },
    };
    for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++)
        if (scan_starts_nocase(str_slice(text, at, text.len), entities[i].name)) {
            *behind = at + strlen(entities[i].name);
            return entities[i].c;
        }
    return 0;
}

/* Behind the tag at `at`, and behind all of a style or script. */
static size_t tag_skip(struct str text, size_t at, struct str *tag)
{
    size_t end = str_find_char(text, at, '>');
    *tag = str_slice(text, at + 1, end);
    if (scan_starts_nocase(*tag, "style"))
        end = str_find_char(text, scan_find_nocase(text, end, "</style"), '>');
    else if (scan_starts_nocase(*tag, "script"))
        end = str_find_char(text, scan_find_nocase(text, end, "</script"), '>');
    return end < text.len ? end + 1 : text.len;
}

struct str mail_decode_html(struct arena *arena, struct str text)
{
    char  *out = arena_alloc(arena, text.len + 1);
    size_t used = 0;
    if (out == NULL)
        return STR_NONE;
    for (size_t i = 0; i < text.len;) {
        struct str tag;
        size_t     behind;
        char       c = text.ptr[i];
        if (c == '<') {
            i = tag_skip(text, i, &tag);
            if (is_break(tag))
                out[used++] = '\n';
            continue;
        }
        behind = i + 1;
        if (c == '&' && (c = entity_at(text, i, &behind)) == 0)
            c = '&';
        out[used++] = c == '\n' ? ' ' : c;
        i = behind;
    }
    return (struct str){ out, used };
}

/* ---- RFC 2047 ---- */

/* The encoded word at `at`: its text and encoding. False where it is none. */
static bool word_at(struct str value, size_t at, char *encoding, struct str *text, size_t *behind)
{
    size_t charset_end = str_find_char(value, at + 2, '?');
    if (charset_end + 2 >= value.len || value.ptr[charset_end + 2] != '?')
        return false;
    size_t end = str_find(value, charset_end + 3, STR("?="));
    if (end >= value.len)
        return false;
    *encoding = (char)(value.ptr[charset_end + 1] | 32);
    *text = str_slice(value, charset_end + 3, end);
    *behind = end + 2;
    return true;
}

struct str mail_decode_words(struct arena *arena, struct str value)
{
    char  *out = arena_alloc(arena, value.len + 1);
    size_t used = 0;
    if (out == NULL)
        return STR_NONE;
    for (size_t i = 0; i < value.len;) {
        struct str text;
        char       encoding;
        size_t     behind;
        if (value.ptr[i] != '=' || i + 1 >= value.len || value.ptr[i + 1] != '?' ||
            !word_at(value, i, &encoding, &text, &behind)) {
            out[used++] = value.ptr[i++];
            continue;
        }
        struct str plain =
            encoding == 'b' ? mail_decode_base64(arena, text) : mail_decode_quoted(arena, text);
        for (size_t k = 0; k < plain.len; k++)
            out[used++] = encoding == 'q' && plain.ptr[k] == '_' ? ' ' : plain.ptr[k];
        i = behind;
    }
    return (struct str){ out, used };
}
