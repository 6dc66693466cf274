#include "bounce/scan.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

struct str scan_flat(struct arena *arena, struct str text, size_t bytes_max)
{
    size_t len = text.len < bytes_max ? text.len : bytes_max, used = 0;
    char  *flat = arena_alloc(arena, len + 1);
    if (flat == NULL)
        return STR_NONE;
    for (size_t i = 0; i < len; i++)
        if (!is_blank(text.ptr[i]))
            flat[used++] = lower(text.ptr[i]);
        else if (used > 0 && flat[used - 1] != ' ')
            flat[used++] = ' ';
    return (struct str){ flat, used };
}

struct str scan_lower(struct arena *arena, struct str text)
{
    char *copy = arena_alloc(arena, text.len + 1);
    if (copy == NULL)
        return STR_NONE;
    for (size_t i = 0; i < text.len; i++)
        copy[i] = lower(text.ptr[i]);
    return (struct str){ copy, text.len };
}

bool scan_has(struct str flat, const char *phrase)
{
    return flat.len > 0 && memmem(flat.ptr, flat.len, phrase, strlen(phrase)) != NULL;
}

bool scan_has_one(struct str flat, const char *phrases)
{
    struct str rest = str_of(phrases), phrase;
    while (str_split(&rest, '|', &phrase))
        if (str_find(flat, 0, phrase) < flat.len)
            return true;
    return false;
}

bool scan_starts_nocase(struct str text, const char *phrase)
{
    size_t len = strlen(phrase);
    return text.len >= len && strncasecmp(text.ptr, phrase, len) == 0;
}

size_t scan_find_nocase(struct str text, size_t from, const char *phrase)
{
    size_t len = strlen(phrase);
    for (size_t i = from; i + len <= text.len; i++)
        if (lower(text.ptr[i]) == phrase[0] && strncasecmp(text.ptr + i, phrase, len) == 0)
            return i;
    return text.len;
}

bool scan_line(struct str *rest, struct str *line)
{
    if (!str_split(rest, '\n', line))
        return false;
    if (line->len > 0 && line->ptr[line->len - 1] == '\r')
        line->len--;
    return true;
}

/* ---- addresses ---- */

static bool is_local(char c)
{
    return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

/* Where the local part that ends before `at` begins; `at` itself when there is none. */
static size_t local_begin(struct str text, size_t from, size_t at)
{
    size_t begin = at;
    if (at > from && text.ptr[at - 1] == '"') {
        for (size_t i = at - 1; i > from && at - i < 66; i--)
            if (text.ptr[i - 1] == '"')
                return i - 1;
        return at;
    }
    while (begin > from && at - begin < ADDRESS_BYTES_MAX && is_local(text.ptr[begin - 1]))
        begin--;
    while (begin < at && strchr("'`.*|", text.ptr[begin]) != NULL)
        begin++;
    return begin;
}

static size_t domain_end(struct str text, size_t from)
{
    size_t end = from;
    if (end < text.len && text.ptr[end] == '[') {
        while (end < text.len && end - from < 64 && text.ptr[end] != ']' &&
               !is_blank(text.ptr[end]))
            end++;
        return end < text.len && text.ptr[end] == ']' ? end + 1 : from;
    }
    while (end < text.len && end - from < 256 &&
           (is_alnum(text.ptr[end]) || text.ptr[end] == '.' || text.ptr[end] == '-' ||
            text.ptr[end] == '_'))
        end++;
    while (end > from && (text.ptr[end - 1] == '.' || text.ptr[end - 1] == '-'))
        end--;
    return end;
}

size_t scan_address(struct str text, size_t from, struct str *address)
{
    for (size_t at = str_find_char(text, from, '@'); at < text.len;
         at = str_find_char(text, at + 1, '@')) {
        size_t begin = local_begin(text, from, at), end = domain_end(text, at + 1);
        if (begin == at || end == at + 1 || end - begin > ADDRESS_BYTES_MAX)
            continue;
        *address = str_slice(text, begin, end);
        return begin;
    }
    return text.len;
}

bool scan_address_is_full(struct str address)
{
    size_t at = address.len;
    while (at > 0 && address.ptr[at - 1] != '@')
        at--;
    struct str domain = str_slice(address, at, address.len);
    return at > 0 && domain.len > 0 &&
           (domain.ptr[0] == '[' || str_find_char(domain, 0, '.') < domain.len);
}

/* ---- codes ---- */

/* One to three digits at *at, stepped over. */
static bool digits_take(struct str text, size_t *at)
{
    size_t begin = *at;
    while (*at < text.len && *at - begin < 4 && is_digit(text.ptr[*at]))
        (*at)++;
    return *at > begin && *at - begin < 4;
}

bool scan_status_at(struct str text, size_t at, struct str *status)
{
    size_t end = at;
    if (at >= text.len || (text.ptr[at] != '2' && text.ptr[at] != '4' && text.ptr[at] != '5'))
        return false;
    end++;
    for (int part = 0; part < 2; part++) {
        if (end >= text.len || text.ptr[end] != '.')
            return false;
        end++;
        if (!digits_take(text, &end))
            return false;
    }
    /* Not part of a number, a version or an address of a machine. */
    if (end < text.len &&
        (is_alnum(text.ptr[end]) || text.ptr[end] == '-' ||
         (text.ptr[end] == '.' && end + 1 < text.len && is_digit(text.ptr[end + 1]))))
        return false;
    *status = str_slice(text, at, end);
    return true;
}

bool scan_status(struct str text, struct str *status)
{
    for (size_t at = 0; at + 5 <= text.len; at++) {
        char before = at > 0 ? text.ptr[at - 1] : ' ';
        bool is_start = is_blank(before) || strchr("(#<[:-;,'\"=", before) != NULL;
        if (is_start && before != '\0' && text.ptr[at + 1] == '.' &&
            scan_status_at(text, at, status))
            return true;
    }
    return false;
}

size_t scan_reply_at(struct str text, size_t from, int *reply)
{
    for (size_t at = from; at + 3 <= text.len; at++) {
        const char *c = text.ptr + at;
        char        before = at > 0 ? c[-1] : ' ', after = at + 3 < text.len ? c[3] : ' ';
        if ((c[0] != '4' && c[0] != '5') || c[1] < '0' || c[1] > '5' || !is_digit(c[2]))
            continue;
        if (!is_blank(before) && (before == '\0' || strchr(":[(<'\"", before) == NULL))
            continue;
        if (!is_blank(after) && (after == '\0' || strchr("-:_,", after) == NULL))
            continue;
        *reply = (c[0] - '0') * 100 + (c[1] - '0') * 10 + (c[2] - '0');
        return at;
    }
    *reply = 0;
    return text.len;
}

int scan_reply(struct str text)
{
    int reply;
    (void)scan_reply_at(text, 0, &reply);
    return reply;
}
