/*
 * smtp_reply: what a mail server says, line by line (RFC 5321 4.2).
 *
 *      "250-mx.example greets you" LF     code 250, more to come
 *      "250 PIPELINING" CR LF             code 250, complete
 *
 * Lines may arrive in any pieces. A bare LF ends a line as well; everything else that is not a
 * reply (no code, two codes in one, too long) is an error, after which the reader is of no use.
 *
 * Always true   `text` is printable UTF-8 in one line, cut at its bound.
 * Cost          one copy of each line; no allocation.
 */
#ifndef DULT_DELIVERY_SMTP_REPLY_H
#define DULT_DELIVERY_SMTP_REPLY_H

#include "delivery/delivery.h"

enum {
    SMTP_LINE_BYTES_MAX = 2048, /* RFC: 512; long policy texts are seen at four times that */
    SMTP_REPLY_LINES_MAX = 128, /* the longest EHLO known has about 20 */
};

struct smtp_reply {
    int  code;                                  /* 200..599 */
    char enhanced[DELIVERY_ENHANCED_BYTES_MAX]; /* of the first line that has one, or "" */
    char text[DELIVERY_TEXT_BYTES_MAX];         /* all lines, joined by spaces */
};

struct smtp_reader {
    struct smtp_reply reply; /* being built */
    size_t            text_len;
    size_t            lines;
    size_t            line_len;
    char              line[SMTP_LINE_BYTES_MAX];
};

/* The text of each line, as it is completed; for EHLO. `index` counts from 0 within the reply. */
typedef void smtp_reply_line(void *ctx, size_t index, struct str text);

void smtp_reader_reset(struct smtp_reader *reader);

/*
 * Takes bytes off the front of *bytes up to the end of one reply. OK: *out is that reply.
 * ERR_WAIT: all bytes are taken, the reply is not complete. ERR_INPUT, ERR_LIMIT: not a reply.
 */
MUST enum err smtp_reader_take(struct smtp_reader *reader, struct str *bytes, smtp_reply_line *line,
                               void *ctx, struct smtp_reply *out);

/* Copies printable text into `out` from `*len` on, cut and terminated; the rest becomes '?'. */
void smtp_text_append(char *out, size_t out_bytes, size_t *len, struct str text);

#endif
