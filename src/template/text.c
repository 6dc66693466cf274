#include "template/text.h"

#include <unicode/stringoptions.h>
#include <unicode/ucasemap.h>

static bool continues(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

size_t text_characters(struct str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += !continues(text.ptr[i]);
    return count;
}

size_t text_first(struct str text)
{
    size_t n = text.len > 0;
    while (n < text.len && continues(text.ptr[n]))
        n++;
    return n;
}

size_t text_offset(struct str text, size_t index)
{
    size_t at = 0;
    for (; index > 0 && at < text.len; index--)
        at += text_first(str_slice(text, at, text.len));
    return at;
}

typedef int32_t case_map(const UCaseMap *map, char *to, int32_t room, const char *text,
                         int32_t bytes, UErrorCode *status);

/* ICU says first how long it will be. */
static bool case_fill(struct buf *out, struct str text, const UCaseMap *map, case_map *run)
{
    UErrorCode status = U_ZERO_ERROR;
    int32_t    len = run(map, NULL, 0, text.ptr, (int32_t)text.len, &status);
    char      *made = len > 0 ? buf_reserve(out, (size_t)len) : NULL;
    status = U_ZERO_ERROR;
    if (made == NULL)
        return false;
    run(map, made, len, text.ptr, (int32_t)text.len, &status);
    if (U_FAILURE(status))
        return false;
    buf_added(out, (size_t)len);
    return true;
}

static int32_t title(const UCaseMap *map, char *to, int32_t room, const char *text, int32_t bytes,
                     UErrorCode *status)
{
    /* With the whole string as one word ICU makes no iterator, and so changes nothing in the map.
     */
    return ucasemap_utf8ToTitle((UCaseMap *)(uintptr_t)map, to, room, text, bytes, status);
}

/* Every script, and what becomes more than one character: STRASSE. No language is asked. */
static bool case_write(struct buf *out, struct str text, enum text_case to)
{
    static case_map *const maps[] = {
        [TEXT_UP] = ucasemap_utf8ToUpper, [TEXT_DOWN] = ucasemap_utf8ToLower, [TEXT_TITLE] = title
    };
    UErrorCode status = U_ZERO_ERROR;
    UCaseMap  *map = ucasemap_open("", U_TITLECASE_WHOLE_STRING, &status);
    bool       done =
        U_SUCCESS(status) && text.len <= INT32_MAX / 4 && case_fill(out, text, map, maps[to]);
    if (map != NULL)
        ucasemap_close(map);
    return done;
}

static bool is_ascii(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80)
            return false;
    return true;
}

void text_write_case(struct buf *out, struct str text, enum text_case to)
{
    if (!is_ascii(text) && case_write(out, text, to))
        return;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (to != TEXT_DOWN)
            buf_char(out, c >= 'a' && c <= 'z' ? (char)(c - 32) : c);
        else
            buf_char(out, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
    }
}
