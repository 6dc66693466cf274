/*
 * sender: claimed messages out into the world, and what became of each back to the engine.
 *
 *      ways --room(n)--> places --core_door_room--> engine --claimed--> [ jobs ] -> render threads
 *      |  ^                                        (durable)                             |
 *      |  +<--- [ line ] <-- the first way that is for it and is open -------------------+
 *      |  +<--- not sent: the next way ---+                                              |
 *      done ------------------------------+-> [ outcomes ] -> report thread              | held
 *                                                              -> RECORD_OUTCOME task <--+ back
 *                                                     as many may be claimed again
 *
 * There are one or more ways out (way.h), each a channel with places of its own. Which lanes of
 * the engine's outbox a way's places are for changes as ways go down and come back; some places
 * of each are for receipts alone. A message that a way certainly did not send, for trouble that is
 * not the recipient's, goes by the next one, as a guest.
 *
 * Claims and outcomes are gathered, so that many are one commit; and where much leaves a way, a
 * little more is claimed than there are places (sender_ways.c), so that no place waits for the
 * disk. What is claimed so and not begun can still come back: when its reader withdraws, before
 * that is answered (sender_recall.c); after a kill, for begun.h knows what was begun. So at most as
 * many messages are in doubt as the ways have places: 2 a connection. Only when the machine itself
 * stops, all that were claimed are: WAY_AHEAD_MAX more a way.
 *
 * Always true   the claim is durable before rendering begins; begun.h has it before its first byte;
 *               every claim gets one outcome, which is handed in again until the engine takes it;
 *               after sender_close no thread or callback of the sender runs.
 * Cost          nothing while idle: every thread waits on a condition, none looks at the clock.
 * Order         sender_open, core_start, sender_start ... sender_close, core_close.
 */
#ifndef DULT_RUN_SENDER_H
#define DULT_RUN_SENDER_H

#include "run/core/core.h"
#include "run/send/render.h"
#include "run/send/secrets.h"
#include "run/send/trial.h"
#include "run/send/way.h"

enum {
    /* In the house at once: as many wait for the disk as are on their way. */
    SENDER_JOBS_MAX = 2 * WAYS_MAX * (WAY_PLACES_MAX + WAY_AHEAD_MAX),
    SENDER_THREADS_MAX = 16, /* rendering */
    SENDER_CONNECTIONS = 4,  /* where the configuration says nothing */
};

/* Makes the mail of a claim: message, envelope and Message-ID; what else lives lies in the arena.
 */
typedef enum err sender_make(const struct claim *claim, struct arena *arena, struct rendered *out);

/* Texts are copied, but the ways'. One of ways, smtp_url and outbox_dir must be given; each of the
 * last two is a way by itself, after the others, of which none may be for e-mail then. */
struct sender_conf {
    const char     *public_url;    /* "https://mail.shop.example" */
    const char     *smtp_url;      /* smtp://user:pass@host:port, smtps://...; NULL */
    const char     *outbox_dir;    /* a Maildir; NULL */
    const char     *ehlo_name;     /* NULL: this machine's name */
    const char     *return_domain; /* where bounces come back; NULL: to the sender's address */
    const char     *tls_ca_file;   /* NULL: the system's */
    enum sender_tls tls;
    uint32_t        connections;         /* 0: SENDER_CONNECTIONS */
    uint32_t        per_second;          /* 0: no limit */
    uint32_t        domain_messages_max; /* under way to one recipient domain; 0: no limit */
    uint32_t        threads;             /* rendering; 0: 2 */
    int64_t         retry_ms;         /* of a test: the pause before every next try; 0: retry.h's */
    int64_t         timeout_ms;       /* of an SMTP server, for any answer; 0: RFC 5321's */
    bool            no_tracking;      /* neither clicks nor opens */
    const struct secrets    *secrets; /* outlives the sender */
    const struct trial      *trial;   /* likewise; NULL: live */
    const struct way_conf   *ways;    /* in order; outlive the sender */
    const struct token_keys *tokens;  /* of receipts; NULL: none can come back */
    const char              *counts_dir; /* where days and months are counted; NULL: not kept */
    uint32_t                 ways_count;
    sender_make             *make; /* in the place of render.h, to measure what is ready; NULL */
};

struct sender;

/* Checks the configuration and sets the core's calls; before core_start, or later where the core
 * had no sender: what was in doubt at its start is unknown then. ERR_INPUT with a problem, among
 * others when real recipients would get links that lead to loopback. */
MUST enum err sender_open(struct sender **out, struct core *core, const struct sender_conf *conf,
                          struct problem *problem);
/* Opens the channel and begins; after core_start. */
MUST enum err sender_start(struct sender *sender, struct problem *problem);
/* Drains: what is in flight is finished, the rest is returned, all of it is durable. Takes at most
 * the time a server may take to answer (30 s). Before core_close. NULL is nothing. */
void sender_close(struct sender *sender);

/*
 * Other ways of the list in the place of those that are, without a restart: what is claimed and not
 * begun goes back to the outbox, what is on its way is finished, and from then on the others count.
 * A way that is told as it was stays open, with its connections, its pauses and its numbers. Takes
 * as long as the slowest answer does. On an error the old ones go on. One caller at a time.
 * `is_taken` false: all are as they were; nothing was stopped, and the list before stays borrowed.
 */
MUST enum err sender_reload(struct sender *sender, const struct way_conf *ways, uint32_t count,
                            bool *is_taken, struct problem *problem);

/*
 * One rendered message out by the ways, at once and beside the ledger: nothing is decided, counted
 * or tried again. Waits until it is known what became of it, SENDER_TRY_MS at most; then it is
 * DELIVERY_UNKNOWN. On trial it goes to the outbox unless its address is allowed.
 */
#define SENDER_TRY_MS INT64_C(60000)
struct sender_try {
    const struct rendered *rendered;
    struct claim           claim; /* channel, transactional, address */
};
MUST enum err sender_try(struct sender *sender, const struct sender_try *tried,
                         struct delivery_outcome *out);

/* Is one of its ways no outbox? */
bool sender_leads_outside(const struct sender *sender);
/* The trial has another state now. */
void sender_look_again(struct sender *sender);
/* All that is claimed and not begun is back in the outbox, or on its way there, when this returns:
 * from then on only what a server is being told already can arrive. It is claimed again at once,
 * and looked at anew. Waits for the commit thread. ERR_WAIT: no room now. */
MUST enum err sender_recall_all(struct sender *sender);

struct sender_stats {
    uint64_t sent, failed, deferred, unknown, returned, held;
    uint32_t queued;              /* claimed, not yet given to the channel */
    uint32_t in_flight;           /* given, no outcome yet */
    uint32_t reporting;           /* with an outcome that is not durable yet */
    uint32_t places, connections; /* of all ways */
    uint64_t connect_failures;
    int64_t  down_ms;    /* how long until the next try; 0: a way is up */
    char     error[256]; /* the last trouble, and when; empty: none so far */
    int64_t  error_ms;
};
struct sender_stats sender_stats(struct sender *sender);
/* Of each way, in order; `out` has WAYS_MAX. How many there are. */
uint32_t sender_ways(struct sender *sender, struct way_stats *out);

#endif
