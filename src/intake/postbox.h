/*
 * postbox: our side of SMTP (RFC 5321) and LMTP (RFC 2033), for mail that comes to us: bounces,
 * complaints. A machine without sockets: bytes in, replies out.
 *
 *      S 220 name                              | LHLO instead of EHLO: LMTP, one reply for each
 *      C EHLO mx      S 250-name, PIPELINING   | recipient after the dot
 *      C MAIL FROM:<>
 *      C RCPT TO:<b-4x..@bounce.shop>          calls.knows: 250, or 550 there is no such mailbox
 *      C DATA ... .                            calls.take: 250, or 451 try again later
 *
 * What a caller was answered with 250 after the dot is kept for good: calls.take says OK only then.
 *
 * Bounds   a line POSTBOX_LINE_BYTES_MAX, recipients of one mail POSTBOX_RECIPIENTS_MAX (then 452),
 * a mail POSTBOX_MAIL_BYTES_MAX kept, POSTBOX_MAIL_BYTES_READ_MAX read (then 552), errors
 *          POSTBOX_ERRORS_MAX (then 421 and the end).
 * Knows not  STARTTLS, authentication, relaying: it stands behind a mail server, or takes mail for
 * its own mailboxes only.
 */
#ifndef DULT_INTAKE_POSTBOX_H
#define DULT_INTAKE_POSTBOX_H

#include "base/buf.h"

enum {
    POSTBOX_LINE_BYTES_MAX = 2048,
    POSTBOX_RECIPIENTS_MAX = 16,
    POSTBOX_ADDRESS_BYTES_MAX = 320,
    POSTBOX_MAIL_BYTES_MAX = 512 << 10, /* what lies beyond says nothing more */
    POSTBOX_MAIL_BYTES_READ_MAX = 32 << 20,
    POSTBOX_ERRORS_MAX = 20,
    POSTBOX_REPLY_BYTES_MAX = 64 << 10, /* not yet written: then no more is read */
};

struct postbox_calls {
    void *context;
    /* Is there such a mailbox? */
    bool (*knows)(void *context, struct str address);
    /* OK: it is kept. Anything else: the sender shall try again later. */
    enum err (*take)(void *context, struct str address, struct str mail);
};

struct postbox;

/* `name` greets, and is borrowed. NULL without memory. The greeting is in `out` after the first
 * read. */
struct postbox *postbox_open(const char *name, struct postbox_calls calls);
void            postbox_close(struct postbox *postbox);

/* Takes what came (nothing: the greeting) and appends the replies to `out`, whose bound is at least
 * POSTBOX_REPLY_BYTES_MAX. False: the conversation is over once `out` is written. */
bool postbox_read(struct postbox *postbox, struct str bytes, struct buf *out);

#endif
