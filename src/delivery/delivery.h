/*
 * delivery: the words that cross this room's border: a message, its outcome, a channel.
 *
 * A channel pulls. It says how many messages it could begin, the run room claims that many, and
 * each message given comes back exactly once with an outcome:
 *
 *      channel               run room
 *         |--- room(n) --------->|      n more may be given, now or later
 *         |<-- channel_give -----|      a claimed, rendered message
 *         |--- done(outcome) --->|      exactly once; the place it held is offered anew by room
 *
 * Always true   offered + given and not done <= the channel's places; a message is the channel's
 *               from give until done, and not a byte of it is changed or kept after.
 * Threads       give, recall, stats and stop may be called from any thread but stop not from a
 *               callback; room and done are called from the channel's own thread (a recall may
 *               call them from the thread that recalls), and may give.
 * Knows not     consent, caps or the ledger: what is given has been claimed.
 */
#ifndef DULT_DELIVERY_DELIVERY_H
#define DULT_DELIVERY_DELIVERY_H

#include "base/str.h"

enum {
    DELIVERY_ADDRESS_BYTES_MAX = 254,     /* RFC 5321 4.5.3.1.3: a path is 256 with its brackets */
    DELIVERY_TEXT_BYTES_MAX = 256,        /* what a server says, as much as a person will read */
    DELIVERY_ENHANCED_BYTES_MAX = 12,     /* "5.123.123" and its end */
    DELIVERY_ENVELOPE_ID_BYTES_MAX = 100, /* RFC 3461 4.4 */
};

/* One message to one recipient. Everything pointed at lives until done. */
struct delivery_message {
    uint64_t   id;          /* the caller's name for it; no two outstanding ones are the same */
    struct str message_id;  /* without the angle brackets; the outbox names its file by it */
    struct str envelope_id; /* asked back in bounces where the server can (DSN); may be empty */
    struct str from, to;    /* envelope addresses; an empty `from` is the null sender */
    struct str destination; /* what limits count by; empty: the domain of `to` */
    struct str data;        /* headers and body, lines ended by CRLF, not dot-stuffed */
    void      *tag;         /* the caller's */
    bool       is_urgent;   /* goes before those that are not, of what waits in the channel */

    struct delivery_message *next;        /* the channel's, while it has the message */
    uint32_t                 moves;       /* the channel's: how often a stale connection lost it */
    uint64_t                 domain_hash; /* the channel's */
};

enum delivery_result {
    DELIVERY_SENT,     /* taken by the server; `text` holds its queue id */
    DELIVERY_DEFERRED, /* not taken, and certainly not: try again later */
    DELIVERY_FAILED,   /* refused for good */
    DELIVERY_UNKNOWN,  /* the final dot was written and no reply came: never send it again */
    DELIVERY_RETURNED, /* recalled or stopped before the first byte: no attempt was made */
};

/* Whose trouble it is: a bad address is suppressed, a policy is shown to the operator. */
enum delivery_blame {
    BLAME_NONE,
    BLAME_RECIPIENT,  /* this address: unknown user, full, refused at RCPT */
    BLAME_POLICY,     /* this message or sender: content, size, sender, authentication */
    BLAME_CONNECTION, /* neither: the network, the server's health, a time limit */
};

struct delivery_outcome {
    enum delivery_result result;
    enum delivery_blame  blame;
    int                  code; /* the reply's, 0 where there was none */
    int64_t wait_ms; /* DEFERRED: the far side takes nothing from us for so long; 0: unsaid */
    char    enhanced[DELIVERY_ENHANCED_BYTES_MAX]; /* "5.1.1", or "" */
    char    text[DELIVERY_TEXT_BYTES_MAX];         /* printable, in one line */
};

const char *delivery_result_name(enum delivery_result result); /* "sent", "deferred" ... */
const char *delivery_blame_name(enum delivery_blame blame);

struct delivery_outcome delivery_outcome_make(enum delivery_result result,
                                              enum delivery_blame blame, const char *text);

/* ERR_INPUT with the fault in *problem when a server must never see this message: an address with
 * CR, LF, a control, a space or a bracket, an address too long, a bare CR or LF in the data. */
MUST enum err delivery_message_check(const struct delivery_message *message,
                                     struct problem                *problem);

/* What a channel calls. Both are called from the channel's thread. */
struct channel_calls {
    void (*room)(void *ctx, uint32_t places);
    void (*done)(void *ctx, struct delivery_message *message,
                 const struct delivery_outcome *outcome);
    void *ctx;
};

struct channel_stats {
    uint32_t places;            /* how many messages it can hold at all */
    uint32_t offered;           /* places told by room and not used yet */
    uint32_t waiting;           /* given, not begun */
    uint32_t in_flight;         /* begun, not done */
    uint32_t connections;       /* open or being opened */
    uint32_t connections_ready; /* greeted, secured, authenticated */
    uint64_t connects, connect_failures;
    uint64_t results[DELIVERY_RETURNED + 1]; /* by enum delivery_result */
    int64_t  down_ms; /* how long until the next try, 0 when the host is up */
    bool     stopped; /* every message it had is done */
};

/* What every channel is behind its own type; embed it first. */
struct channel {
    const struct channel_ops *ops;
};

struct channel_ops {
    enum err (*give)(struct channel *channel, struct delivery_message *message);
    void (*recall)(struct channel *channel, const uint64_t *ids, size_t count);
    void (*end)(struct channel *channel, bool in_time);
    void (*stop)(struct channel *channel);
    void (*stats)(struct channel *channel, struct channel_stats *out);
    void (*close)(struct channel *channel);
};

/* Gives a message. ERR_WAIT when stopping, ERR_LIMIT beyond what room offered: then it was not
 * taken and done will not be called. */
MUST enum err channel_give(struct channel *channel, struct delivery_message *message);

/* Asks for messages back, all of them by one word to the channel's thread, which is waited for:
 * what is not begun has come as "returned" by then; the rest comes as what it becomes. */
void channel_recall(struct channel *channel, const uint64_t *ids, size_t count);

/* Begins to stop: hands back what is not begun, finishes what is in flight; the stats say when that
 * is done. In time: what is not done within the channel's time to stop is given up, and unknown;
 * else each has as long as its server may take. May be called again, to be in time after all. */
void channel_end(struct channel *channel, bool in_time);

/* Ends in time, and returns when all is done. */
void channel_stop(struct channel *channel);

void channel_stats_read(struct channel *channel, struct channel_stats *out);

/* Stops and frees. NULL is nothing. */
void channel_close(struct channel *channel);

#endif
