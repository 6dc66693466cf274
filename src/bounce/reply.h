/*
 * reply: a mail that a person wrote back, and whether it asks to be left alone.
 *
 *      automatic?      Auto-Submitted, Precedence, X-Autoreply ..., an absence in the subject:
 * nobody has said anything what they said  the text above what it answers: no line with ">",
 * nothing from "On ... wrote:" on unsubscribes    the subject is such a word, or so is what they
 * said: at most REPLY_WORDS_MAX words with "unsubscribe" among them, in English, Norwegian,
 * Swedish, Dutch, German or French; "stop" alone
 *
 * When in doubt it is a reply for people to read: who asks in a long letter wants an answer, too.
 *
 * Knows not     whether the mail is genuine, or whose it is: `about` only names the message.
 * Source        RFC 3834, 5322 (In-Reply-To).
 */
#ifndef DULT_BOUNCE_REPLY_H
#define DULT_BOUNCE_REPLY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum { REPLY_WORDS_MAX = 12, REPLY_TEXT_BYTES_MAX = 1000 };

struct reply {
    bool       is_automatic, unsubscribes;
    struct str about;   /* what stands before the @ of the Message-ID it answers; may be empty */
    struct str id;      /* its own Message-ID; may be empty */
    struct str subject; /* at most REPLY_TEXT_BYTES_MAX; may be no UTF-8 */
};

/* Everything lies in `arena`. ERR_MEMORY; any bytes are fine. */
MUST enum err reply_read(struct arena *arena, struct str mail, struct reply *out);

#endif
