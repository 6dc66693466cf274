/*
 * buf: bytes that grow up to a bound.
 *
 * For building text: JSON, a message, an SQL row. The first failure (bound or memory) sticks, so
 * a writer appends without asking and looks once at the end.
 *
 *     struct buf out = buf_make(MESSAGE_BYTES_MAX);
 *     buf_str(&out, STR("Hello, "));
 *     buf_format(&out, "%d", 7);
 *     TRY(buf_err(&out));
 *     use(buf_view(&out));       // borrowed until the next append
 *     buf_done(&out);
 */
#ifndef DULT_BASE_BUF_H
#define DULT_BASE_BUF_H

#include <assert.h>

#include "base/str.h"

struct buf {
    char    *ptr;
    size_t   len, room, bytes_max;
    enum err err; /* OK, ERR_LIMIT or ERR_MEMORY */
};

struct buf buf_make(size_t bytes_max);
void       buf_done(struct buf *buf);  /* frees; the buf may be made anew */
void       buf_donep(struct buf *buf); /* for SCOPED */
void       buf_reset(struct buf *buf); /* empty again, memory and bound kept */

static inline void buf_char(struct buf *buf, char c);
static inline void buf_str(struct buf *buf, struct str s);
void               buf_int(struct buf *buf, int64_t value);
void buf_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Room for `bytes` more at the end, or NULL (then err is set). Fill it, then buf_added. */
static inline char *buf_reserve(struct buf *buf, size_t bytes);
void                buf_expect(struct buf *buf, size_t bytes); /* a guess: no more than room */
static inline void  buf_added(struct buf *buf, size_t bytes);

MUST static inline enum err buf_err(const struct buf *buf);
static inline struct str    buf_view(const struct buf *buf); /* borrowed until the next append */

/* --- the short ones ----------------------------------------------------------------------- */

char *buf_grow(struct buf *buf, size_t bytes); /* buf_reserve where there is no room yet */

static inline char *buf_reserve(struct buf *buf, size_t bytes)
{
    if (buf->err == OK && buf->ptr != NULL && buf->room - buf->len >= bytes)
        return buf->ptr + buf->len;
    return buf_grow(buf, bytes);
}

static inline void buf_added(struct buf *buf, size_t bytes)
{
    assert(bytes <= buf->room - buf->len);
    buf->len += bytes;
}

static inline void buf_char(struct buf *buf, char c)
{
    char *at = buf_reserve(buf, 1);
    if (at == NULL)
        return;
    *at = c;
    buf->len++;
}

static inline void buf_str(struct buf *buf, struct str s)
{
    char *at = buf_reserve(buf, s.len);
    if (at == NULL || s.len == 0)
        return;
    memcpy(at, s.ptr, s.len);
    buf->len += s.len;
}

static inline enum err buf_err(const struct buf *buf)
{
    return buf->err;
}

static inline struct str buf_view(const struct buf *buf)
{
    return (struct str){ buf->ptr, buf->len };
}

#endif
