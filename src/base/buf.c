#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct buf buf_make(size_t bytes_max)
{
    return (struct buf){ .bytes_max = bytes_max };
}

void buf_done(struct buf *buf)
{
    free(buf->ptr);
    *buf = (struct buf){ .bytes_max = buf->bytes_max };
}

void buf_donep(struct buf *buf)
{
    buf_done(buf);
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
    buf->err = OK;
}

char *buf_reserve(struct buf *buf, size_t bytes)
{
    if (buf->err != OK)
        return NULL;
    if (bytes > buf->bytes_max - buf->len) {
        buf->err = ERR_LIMIT;
        return NULL;
    }
    if (buf->ptr != NULL && buf->room - buf->len >= bytes)
        return buf->ptr + buf->len;

    size_t room = buf->room < 128 ? 256 : buf->room * 2;
    while (room - buf->len < bytes)
        room *= 2;
    if (room > buf->bytes_max)
        room = buf->bytes_max > 0 ? buf->bytes_max : 1;
    char *grown = realloc(buf->ptr, room);
    if (grown == NULL) {
        buf->err = ERR_MEMORY;
        return NULL;
    }
    buf->ptr = grown;
    buf->room = room;
    return buf->ptr + buf->len;
}

void buf_added(struct buf *buf, size_t bytes)
{
    assert(bytes <= buf->room - buf->len);
    buf->len += bytes;
}

void buf_char(struct buf *buf, char c)
{
    char *at = buf->len < buf->room && buf->err == OK ? buf->ptr + buf->len : buf_reserve(buf, 1);
    if (at == NULL)
        return;
    *at = c;
    buf->len++;
}

void buf_str(struct buf *buf, struct str s)
{
    char *at = buf_reserve(buf, s.len);
    if (at == NULL || s.len == 0)
        return;
    memcpy(at, s.ptr, s.len);
    buf->len += s.len;
}

void buf_int(struct buf *buf, int64_t value)
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
    buf_str(buf, (struct str){ digits + n, sizeof digits - n });
}

void buf_format(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int   len = vsnprintf(NULL, 0, format, args);
    char *at = len < 0 ? NULL : buf_reserve(buf, (size_t)len + 1);
    if (at != NULL) {
        vsnprintf(at, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
    }
    va_end(again);
    va_end(args);
}

enum err buf_err(const struct buf *buf)
{
    return buf->err;
}

struct str buf_view(const struct buf *buf)
{
    return (struct str){ buf->ptr, buf->len };
}
