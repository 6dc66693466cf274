#include "intake/inflate.h"

#include <assert.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

enum { PIECE_BYTES = 32 * 1024, HEAD_BYTES = 2 };

enum state { AT_HEAD, PLAIN, COMPRESSED, ENDED };

struct inflate {
    enum inflate_coding coding;
    enum state          state;
    z_stream            zlib;
    unsigned char       head[HEAD_BYTES]; /* what decides between the forms of a coding */
    size_t              head_bytes;
    uint64_t            bytes_in, bytes_out;
};

enum err inflate_coding_parse(struct str content_encoding, enum inflate_coding *out)
{
    struct str name = str_trim(content_encoding);
    if (name.len == 0 || str_eq_nocase(name, STR("identity")))
        *out = INFLATE_IDENTITY;
    else if (str_eq_nocase(name, STR("gzip")) || str_eq_nocase(name, STR("x-gzip")))
        *out = INFLATE_GZIP;
    else if (str_eq_nocase(name, STR("deflate")))
        *out = INFLATE_DEFLATE;
    else
        return ERR_INPUT;
    return OK;
}

struct inflate *inflate_open(enum inflate_coding coding)
{
    struct inflate *stream = calloc(1, sizeof *stream);
    if (stream != NULL)
        stream->coding = coding;
    return stream;
}

static bool is_running(const struct inflate *stream)
{
    return stream->state == COMPRESSED || stream->state == ENDED;
}

void inflate_close(struct inflate *stream)
{
    if (stream == NULL)
        return;
    if (is_running(stream))
        inflateEnd(&stream->zlib);
    free(stream);
}

void inflate_closep(struct inflate **stream)
{
    inflate_close(*stream);
}

static enum err broken(struct problem *problem, const char *what)
{
    return problem_set(problem, ERR_INPUT, "body", what,
                       "Send a whole gzip or deflate stream with the Content-Encoding it has.");
}

static enum err too_large(struct problem *problem, const struct buf *out)
{
    return problem_format(problem, ERR_LIMIT, "body", "Send smaller batches.",
                          "The body inflates to more than %zu bytes, or more than %d times itself.",
                          out->bytes_max, (int)INFLATE_RATIO_MAX);
}

static enum err plain_feed(struct inflate *stream, struct str bytes, struct buf *out,
                           struct problem *problem)
{
    buf_str(out, bytes);
    stream->bytes_out += bytes.len;
    return out->err == ERR_LIMIT ? too_large(problem, out) : buf_err(out);
}

static enum err ratio_check(const struct inflate *stream, const struct buf *out,
                            struct problem *problem)
{
    if (stream->bytes_out <= INFLATE_FREE_BYTES ||
        stream->bytes_out / INFLATE_RATIO_MAX <= stream->bytes_in)
        return OK;
    return too_large(problem, out);
}

/* One call of zlib: as much as fits in one piece. */
static enum err piece(struct inflate *stream, struct buf *out, struct problem *problem)
{
    size_t room = out->bytes_max - out->len < PIECE_BYTES ? out->bytes_max - out->len : PIECE_BYTES;
    unsigned char beyond; /* where the bound is reached, one more byte is one too many */
    char         *at = room == 0 ? (char *)&beyond : buf_reserve(out, room);
    uInt          want = room == 0 ? 1 : (uInt)room, before_in = stream->zlib.avail_in;
    if (at == NULL)
        return ERR_MEMORY;
    stream->zlib.next_out = (Bytef *)at;
    stream->zlib.avail_out = want;
    int    code = inflate(&stream->zlib, Z_NO_FLUSH);
    size_t made = want - stream->zlib.avail_out;
    stream->bytes_in += before_in - stream->zlib.avail_in;
    stream->bytes_out += made;
    if (code == Z_MEM_ERROR)
        return ERR_MEMORY;
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        return broken(problem, "The compressed body is broken.");
    if (room == 0 && made > 0)
        return too_large(problem, out);
    buf_added(out, room == 0 ? 0 : made);
    if (code == Z_STREAM_END)
        stream->state = ENDED;
    return ratio_check(stream, out, problem);
}

static enum err compressed_feed(struct inflate *stream, struct str bytes, struct buf *out,
                                struct problem *problem)
{
    assert(bytes.len <= UINT32_MAX);
    stream->zlib.next_in = (const Bytef *)bytes.ptr;
    stream->zlib.avail_in = (uInt)bytes.len;
    bool full = false; /* zlib may hold more than there was room for */
    while (stream->state == COMPRESSED && (stream->zlib.avail_in > 0 || full)) {
        TRY(piece(stream, out, problem));
        full = stream->zlib.avail_out == 0;
    }
    if (stream->zlib.avail_in > 0)
        return broken(problem, "There is something behind the end of the compressed body.");
    return OK;
}

/* zlib's header: method 8, and both bytes a multiple of 31. Bare deflate hardly ever looks so. */
static bool is_zlib(const unsigned char *head)
{
    return (head[0] & 0x0f) == 8 && (head[0] * 256 + head[1]) % 31 == 0;
}

static enum err start(struct inflate *stream, struct problem *problem)
{
    enum { GZIP_BITS = 15 + 16, ZLIB_BITS = 15, BARE_BITS = -15 };
    bool is_gzip =
        stream->head_bytes == HEAD_BYTES && stream->head[0] == 0x1f && stream->head[1] == 0x8b;
    int bits = GZIP_BITS;
    if (stream->coding == INFLATE_IDENTITY && !is_gzip) {
        stream->state = PLAIN;
        return OK;
    }
    if (stream->coding == INFLATE_GZIP && !is_gzip)
        return broken(problem, "The body is not gzip, as its Content-Encoding says.");
    if (stream->coding == INFLATE_DEFLATE)
        bits = stream->head_bytes == HEAD_BYTES && is_zlib(stream->head) ? ZLIB_BITS : BARE_BITS;
    if (inflateInit2(&stream->zlib, bits) != Z_OK)
        return ERR_MEMORY;
    stream->state = COMPRESSED;
    return OK;
}

static enum err body_feed(struct inflate *stream, struct str bytes, struct buf *out,
                          struct problem *problem)
{
    if (bytes.len == 0)
        return OK;
    if (stream->state == PLAIN)
        return plain_feed(stream, bytes, out, problem);
    return compressed_feed(stream, bytes, out, problem);
}

static enum err head_feed(struct inflate *stream, struct buf *out, struct problem *problem)
{
    struct str head = { (const char *)stream->head, stream->head_bytes };
    TRY(start(stream, problem));
    return body_feed(stream, head, out, problem);
}

enum err inflate_feed(struct inflate *stream, struct str bytes, struct buf *out,
                      struct problem *problem)
{
    if (stream->state == AT_HEAD) {
        while (stream->head_bytes < HEAD_BYTES && bytes.len > 0) {
            stream->head[stream->head_bytes++] = (unsigned char)bytes.ptr[0];
            bytes = str_slice(bytes, 1, bytes.len);
        }
        if (stream->head_bytes < HEAD_BYTES)
            return OK;
        TRY(head_feed(stream, out, problem));
    }
    return body_feed(stream, bytes, out, problem);
}

enum err inflate_end(struct inflate *stream, struct buf *out, struct problem *problem)
{
    if (stream->state == AT_HEAD) /* a body shorter than a head is plain or nothing */
        TRY(head_feed(stream, out, problem));
    if (stream->state == ENDED || stream->state == PLAIN)
        return OK;
    return broken(problem, "The compressed body is cut short.");
}

enum err inflate_body(enum inflate_coding coding, struct str body, struct buf *out,
                      struct problem *problem)
{
    SCOPED(inflate_closep) struct inflate *stream = inflate_open(coding);
    if (stream == NULL)
        return ERR_MEMORY;
    TRY(inflate_feed(stream, body, out, problem));
    return inflate_end(stream, out, problem);
}
