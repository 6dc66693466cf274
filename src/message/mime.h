/*
 * mime: a message as bytes, ready for DATA.
 *
 *     From, To, Reply-To?, Subject, Date, Message-ID, MIME-Version,
 *     List-Id?, List-Unsubscribe?, List-Unsubscribe-Post?, Feedback-ID?, X-Dult-Message?,
 *     Auto-Submitted: auto-generated        (asks holiday notices to stay at home, RFC 3834)
 *     Content-Type: multipart/alternative   (or one part alone, where only one was given)
 *         text/plain; charset=utf-8         7bit where it is ASCII with short lines,
 *         text/html; charset=utf-8          otherwise quoted-printable
 *     With files, that is the first part of a multipart/mixed, and each file another (attach.h).
 *
 * Always true   every line ends in CRLF and has at most 998 bytes; no byte is over 0x7E; the
 *               boundary is fixed by the Message-ID and appears in no part; the same input gives
 *               the same bytes.
 * Errors        ERR_INPUT, and a problem whose `where` names the field.
 * Knows not     signatures (dkim) and links (links).
 */
#ifndef DULT_MESSAGE_MIME_H
#define DULT_MESSAGE_MIME_H

#include "message/attach.h"

struct mime_mailbox {
    struct str name; /* what people see; may be empty */
    struct str address;
};

/* What is marked "?" may be empty and is then left out; one of text and html must be given. */
struct mime_message {
    struct mime_mailbox from, to, reply_to; /* ? reply_to */
    struct str          subject;
    int64_t             date_ms;
    struct str          message_id; /* left@right, without angle brackets */
    struct str          text, html; /* UTF-8, lines end as they like */

    struct str unsubscribe_url;     /* ? http(s), answers the POST of RFC 8058 */
    struct str unsubscribe_address; /* ? a mailbox that reads "unsubscribe" */
    struct str list_id;             /* ? a domain-like name, such as news.shop.example */
    struct str feedback_id;         /* ? "a:b:c:sender", for the mail host's reports */
    struct str dult_message;        /* ? our own handle, returned in bounces and complaints */

    const struct attach_file *files; /* ? checked by attach_check */
    size_t                    files_count;
};

/* Appends the message. On error nothing useful is in `out`. */
MUST enum err mime_write(const struct mime_message *message, struct buf *out,
                         struct problem *problem);

/* "Sat, 21 Nov 2026 22:45:48 +0000" (RFC 5322). */
void mime_date_write(int64_t at_ms, struct buf *out);

#endif
