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

void buf_char(struct buf *buf, char c);
void buf_str(struct buf *buf, struct str s);
void buf_int(struct buf *buf, int64_t value);
void buf_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Room for `bytes` more at the end, or NULL (then err is set). Fill it, then buf_added. */
char *buf_reserve(struct buf *buf, size_t bytes);
void  buf_added(struct buf *buf, size_t bytes);

MUST enum err buf_err(const struct buf *buf);
struct str    buf_view(const struct buf *buf); /* borrowed until the next append */

#endif
