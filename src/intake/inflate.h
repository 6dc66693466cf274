/*
 * inflate: a compressed body as plain bytes, never more than was agreed.
 *
 * Fed piece by piece as it arrives, so that a bomb is refused when it goes off and not when it has
 * filled the memory. Which coding it is says Content-Encoding; a body without one that begins with
 * gzip's magic is gzip all the same (JSON cannot begin so). Content-Type is never asked:
 * RudderStack labels gzip as a form.
 *
 * Always true   `out` never grows beyond its bound; nothing behind the stream is accepted.
 * Errors        ERR_LIMIT: larger than the bound, or a ratio that no data has (413).
 *               ERR_INPUT: broken, cut short, followed by more, or a coding we do not speak (400).
 */
#ifndef DULT_INTAKE_INFLATE_H
#define DULT_INTAKE_INFLATE_H

#include "base/buf.h"

enum inflate_coding {
    INFLATE_IDENTITY,
    INFLATE_GZIP,
    INFLATE_DEFLATE, /* RFC 1950 as the RFC says, or bare RFC 1951 as some clients send */
};

enum {
    /* Deflate reaches 1032:1 on zeros; batches of look-alike events were seen below 120:1. */
    INFLATE_RATIO_MAX = 300,
    INFLATE_FREE_BYTES = 1024 * 1024, /* up to here no ratio is asked: it is no burden */
};

/* ERR_INPUT for a coding we do not speak, or several. An empty header is IDENTITY. */
MUST enum err inflate_coding_parse(struct str content_encoding, enum inflate_coding *out);

/* NULL without memory. */
struct inflate *inflate_open(enum inflate_coding coding);
void            inflate_close(struct inflate *inflate); /* NULL is nothing */
void            inflate_closep(struct inflate **inflate);

/* Appends what `bytes` inflate to. After an error the stream is of no more use. */
MUST enum err inflate_feed(struct inflate *inflate, struct str bytes, struct buf *out,
                           struct problem *problem);
/* No more bytes come: ERR_INPUT when the stream was cut short. */
MUST enum err inflate_end(struct inflate *inflate, struct buf *out, struct problem *problem);

/* A whole body at once. */
MUST enum err inflate_body(enum inflate_coding coding, struct str body, struct buf *out,
                           struct problem *problem);

#endif
