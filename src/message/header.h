/*
 * header: one header field of a message, so that no value can become a second field.
 *
 * Values are checked before anything is written: a line break, a NUL or another control character
 * is refused with a problem naming the field, never dropped. What is not plain ASCII is written in
 * encoded words (RFC 2047, utf-8, Q or B, whichever is shorter); lines are folded at 78.
 *
 * Always true   every CRLF written is followed by a space, except the one that ends the field.
 */
#ifndef DULT_MESSAGE_HEADER_H
#define DULT_MESSAGE_HEADER_H

#include "base/buf.h"

enum {
    HEADER_LINE_BYTES = 78,       /* folded to where possible (RFC 5322, 2.1.1) */
    HEADER_TEXT_BYTES_MAX = 2000, /* a subject beyond this is a template gone wrong */
    HEADER_TOKEN_BYTES_MAX = 900, /* with its name under the hard bound of 998 for a line */
};

/* For people's words: UTF-8 without control characters (a tab is allowed), of bounded length. */
MUST enum err header_text_check(struct str value, const char *where, struct problem *problem);
/* For machines' words: printable ASCII without spaces and without '<' and '>'. */
MUST enum err header_token_check(struct str value, const char *where, struct problem *problem);

/* "Subject: ..." */
void header_text(struct buf *out, struct str name, struct str value);
/* "From: ...", with the display name as atoms, quoted or encoded; it may be empty. */
void header_mailbox(struct buf *out, struct str name, struct str display, struct str address);
/* "Name: value", not folded. */
void header_token(struct buf *out, struct str name, struct str value);

#endif
