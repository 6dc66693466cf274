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

char *buf_grow(struct buf *buf, size_t bytes)
{
    if (buf->err != OK)
        return NULL;
    if (bytes > buf->bytes_max - buf->len) {
        buf->err = ERR_LIMIT;
        return NULL;
    }

    size_t room = buf->room < 128 ? 256 : buf->room * 2;
    while (room - buf->len < bytes)
        room *= 2;
    if (room > buf->bytes_max)
        room = buf->bytes_max;
    char *grown = realloc(buf->ptr, room > 0 ? room : 1);
    if (grown == NULL) {
        buf->err = ERR_MEMORY;
        return NULL;
    }
    buf->ptr = grown;
    buf->room = room;
    return buf->ptr + buf->len;
}

void buf_expect(struct buf *buf, size_t bytes)
{
    size_t   left = buf->bytes_max - buf->len;
    enum err err = buf->err;
    (void)buf_reserve(buf, bytes < left ? bytes : left);
    buf->err = err; /* what comes may be less, and find room */
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
    size_t  left = buf->err == OK ? buf->room - buf->len : 0;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(left > 0 ? buf->ptr + buf->len : NULL, left, format, args);
    if (len >= 0 && (size_t)len < left) { /* most often there is room already */
        buf->len += (size_t)len;
    } else {
        char *at = len < 0 ? NULL : buf_reserve(buf, (size_t)len + 1);
        if (at != NULL) {
            vsnprintf(at, (size_t)len + 1, format, again);
            buf->len += (size_t)len;
        }
    }
    va_end(again);
    va_end(args);
}
