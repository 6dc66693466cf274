/*
 * returned: mail that came back, told to the engine when it is about a mail of ours.
 *
 *      the mail --bounce/--> recipients, classes
 *      whose?   the token of the return path it was sent to, or the X-Dult-Message field of the
 * mail that came back with it: only we can have written either then     Message Bounced, Email
 * Complained on the person's timeline, once for each message and class, however often it is told
 *
 *      a reply  written to u-{token}@..., or that asks to be left alone: no more of the message's
 * topic any other: Message Replied
 *
 * Anything else changes nothing: anyone can write a bounce.
 */
#ifndef DULT_RUN_RETURNED_H
#define DULT_RUN_RETURNED_H

#include "run/returned/trail.h"

enum { RETURNED_ARENA_BYTES_MAX = BOUNCE_ARENA_BYTES_MAX + (8 << 20) };

enum returned_reply {
    RETURNED_NO_REPLY, /* it is about nothing of ours, or written by a program */
    RETURNED_REPLIED,
    RETURNED_UNSUBSCRIBED,
};

struct returned {
    struct bounces      bounces;
    enum returned_reply reply;
    bool                is_taken[BOUNCE_RECIPIENTS_MAX]; /* of each */
};

/*
 * `token` is that of the return path, what stands between b- and @, or with its "u-" that of the
 * address that takes people off; empty: it is looked for in the mail's header. Without `keys`
 * nothing is ours. Returns when all that was taken is on disk. Errors: those of the core; the mail
 * may be told again.
 */
MUST enum err returned_take(const struct trail_desk *desk, struct core *core,
                            const struct token_keys *keys, struct str token, struct str mail,
                            struct returned *out);

/*
 * A bounce that a service vouches for: `token` is that of our Message-ID, or empty. Where no mail
 * of ours is named, a hard one or a complaint still suppresses its recipient. `id`: the service's
 * own; told again it changes nothing. *is_taken: something was kept.
 */
MUST enum err returned_vouched(const struct trail_desk *desk, struct core *core,
                               const struct token_keys *keys, struct str token, struct str id,
                               struct bounce *bounce, bool *is_taken);

/* It arrived, says a service that is proven. */
MUST enum err returned_delivered(const struct trail_desk *desk, struct core *core,
                                 const struct token_keys *keys, struct str token, struct str id,
                                 bool *is_taken);

#endif
