/*
 * bounce: who could not be reached, or complained, out of the mail that says so.
 *
 *     a mail ----> complaint?   message/feedback-report (RFC 5965)            complaint
 *             \--> notification of a service in JSON (Amazon SES)             as it says
 *              \-> a delivery status (RFC 3464), with the letter beside it    hard, soft, none
 *               \> a letter alone: qmail, Exim, Exchange ... in prose         hard, soft
 *                \ anything else, automatic answers among them                nothing
 *
 * The verdict is about the address: hard means that no later mail will arrive either (no such
 * mailbox, no such domain), soft that it may. When in doubt it is soft: a mail too many is cheaper
 * than a person lost.
 *
 * Always true   hard is never said of a temporary failure; recipients are in lower case, without
 *               repetition, at most BOUNCE_RECIPIENTS_MAX; equal bytes give equal answers.
 * Cost          a mail of 4 KB 0.15 ms; the worst made by hand, 512 KB, 0.3 s and 6 MB.
 * Knows not     whether the mail is genuine: anyone can write one. Believe it only together with
 *               the signed return path or the message token (`token`).
 * Source        RFC 3463, 3464, 3834, 5965, 6522, 7505.
 */
#ifndef DULT_BOUNCE_BOUNCE_H
#define DULT_BOUNCE_BOUNCE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum {
    BOUNCE_MAIL_BYTES_MAX = 512 << 10, /* what lies beyond is not looked at */
    BOUNCE_RECIPIENTS_MAX = 256,
    BOUNCE_ARENA_BYTES_MAX = 16 << 20,
};

enum bounce_class {
    BOUNCE_NONE, /* delivered, or a report that is about no wish and no failure */
    BOUNCE_SOFT,
    BOUNCE_HARD,
    BOUNCE_COMPLAINT,
};

struct bounce {
    struct str recipient; /* in lower case; empty when nothing names it: ask `token` */
    struct str status;    /* "5.1.1": told, or else derived from the reason */
    enum bounce_class class;
    struct str reason; /* "userunknown": see reason.h */
    struct str said;   /* the far side's words: one line in lower case, at most 1,000 bytes */
};

struct bounces {
    struct bounce *items;
    size_t         count;
    struct str     token; /* X-Dult-Message of the returned message; empty where there is none */
    struct str     path;  /* the token of the return path, b-{path}@...: whom the bounce was for */
};

const char *bounce_class_name(enum bounce_class class); /* "none", "soft", "hard", "complaint" */

/*
 * The same of a server's own reply to our mail: "5.1.1 User unknown", given to RCPT or to the
 * content. The recipient is not named by it. ERR_MEMORY.
 */
MUST enum err bounce_reply(struct arena *arena, struct str reply, bool is_to_rcpt,
                           struct bounce *out);

/* Everything lies in `arena` (BOUNCE_ARENA_BYTES_MAX is enough). ERR_MEMORY; any bytes are fine. */
MUST enum err bounce_read(struct arena *arena, struct str mail, struct bounces *out);

#endif
