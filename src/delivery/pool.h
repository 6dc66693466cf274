/*
 * pool: up to so many kept SMTP connections to one host, as a channel.
 *
 *      give --> | waiting | --throttle, per-domain limit--> | connection: 1 in flight + 1 behind |
 *                                                           | connection: ...                    |
 *
 * It offers two places a connection and opens connections only when messages want them. When a
 * kept connection turns out to be dead, the message it had not yet delivered moves to another,
 * twice at most. When the host is down, what was given is deferred, nothing is offered until a
 * connection made for trying succeeds, and the tries grow rarer.
 *
 * Always true   at most SMTP_SLOTS messages a connection are the pool's; at most so many are in
 *               doubt after a crash.
 * Knows not     which message is due, or whether it may be sent.
 * Threads       see delivery.h. Do not recall or stop while holding a lock that `done` takes.
 */
#ifndef DULT_DELIVERY_POOL_H
#define DULT_DELIVERY_POOL_H

#include "delivery/retry.h"
#include "delivery/smtp.h"
#include "delivery/throttle.h"

enum {
    POOL_CONNECTIONS_MAX = 128, /* a relay that wants more wants several relays */
    POOL_MOVES_MAX = 2,         /* how often a message may lose its connection without fault */
};

struct pool_conf {
    const char          *host;
    uint16_t             port;
    const char          *ehlo_name;       /* NULL: this machine's name */
    const char          *user, *password; /* NULL: no AUTH */
    enum smtp_tls        tls;
    struct tls_conf      trust;
    bool                 password_in_clear, no_pipelining;
    uint32_t             connections_max;             /* 1..POOL_CONNECTIONS_MAX; 0: 4 */
    uint32_t             messages_per_connection_max; /* 0: no bound */
    uint32_t             domain_messages_max; /* at once to one recipient domain; 0: no bound */
    struct throttle_conf throttle;            /* messages a second */
    struct backoff_conf  backoff;             /* zero: 1 s doubling to 5 minutes */
    struct smtp_limits   limits;              /* zero: smtp_limits_make() */
    int64_t              stop_ms;             /* how long stop waits for replies; 0: 30 s */
    uint64_t             seed;                /* for the backoff's chance */
};

/* Copies what it needs of conf. ERR_INPUT or ERR_IO with *problem; ERR_MEMORY. The first room call
 * comes from the loop's thread, soon. */
MUST enum err pool_open(struct loop *loop, const struct pool_conf *conf,
                        const struct channel_calls *calls, struct channel **out,
                        struct problem *problem);

#endif
