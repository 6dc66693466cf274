/*
 * What the sender's own files share: sender.c (its life), sender_claims.c (places, rendering,
 * outcomes), sender_report.c.
 */
#ifndef DULT_RUN_SENDER_INSIDE_H
#define DULT_RUN_SENDER_INSIDE_H

#include <pthread.h>

#include "base/queue.h"
#include "delivery/delivery.h"
#include "delivery/loop.h"
#include "message/address.h"
#include "run/send/render.h"
#include "run/send/sender.h"
#include "run/send/sender_url.h"

enum { JOB_TRAIT_SEQS = 256, REPORT_JOBS = 128 };

/* A claim on its way; its memory is there before it, so that taking one cannot fail. */
struct job {
    struct job             *next;
    struct claim            claim;
    char                    address[ADDRESS_BYTES_MAX + 2]; /* one more shows what was too long */
    uint32_t                trait_seqs[JOB_TRAIT_SEQS];
    char                    computed[CLAIM_COMPUTED_BYTES_MAX + 1];
    struct arena           *arena;
    struct rendered         rendered;
    struct delivery_message mail;
    bool                    given;      /* the channel had it, and offers its place itself */
    bool                    bounced;    /* the recipient's host refused it for good */
    bool                    is_to_rcpt; /* the address, not the content */
    struct record_outcome   outcome;    /* its text is `text` */
    char                    text[RENDER_REASON_BYTES_MAX];
    int64_t                 at_ms;
};

struct job_line {
    struct job  *first;
    struct job **last;
};

struct sender {
    struct core       *core;
    struct sender_conf conf; /* its texts are the copies below */
    char public_url[512], outbox_dir[4096], ehlo_name[256], return_domain[256], tls_ca_file[4096];
    struct sender_url url;
    struct loop      *loop;
    struct channel   *channel;
    struct queue     *queue; /* of jobs to render */
    pthread_t         threads[SENDER_THREADS_MAX], reporter;
    uint32_t          threads_count;
    struct render    *renders[SENDER_THREADS_MAX];
    bool              started;

    pthread_mutex_t     lock;
    pthread_cond_t      moved;   /* an outcome is there, or the last task was applied */
    pthread_cond_t      drained; /* no job is in use */
    struct job         *jobs, *free;
    struct job_line     outcomes;
    bool                ready, stopping, ended;
    bool                reporting; /* a task of outcomes is with the engine */
    uint32_t            places;    /* the channel's */
    uint32_t            untold;    /* offered by the channel, not told to the core */
    uint32_t            promised;  /* told to the core, not claimed */
    uint32_t            sending;   /* claimed, outcome not applied */
    uint32_t            in_use;    /* jobs: claimed, outcome not durable */
    struct sender_stats stats;
};

/* What one rendering thread has; freed by it. */
struct worker {
    struct sender *sender;
    struct render *render;
};

static inline uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* ---- sender_claims.c */

/* Of the channel: that many places more; what became of a message. Any thread. */
void sender_room(void *sender, uint32_t places);
void sender_done(void *sender, struct delivery_message *message,
                 const struct delivery_outcome *outcome);
/* Of the core, on its commit thread: the claims are durable. */
void sender_claimed(void *sender, const struct claim *claims, size_t count);
/* The thread that renders: takes a struct worker. */
void *sender_render(void *worker);

/* With the lock held: tells the core what room there is. */
void sender_tell(struct sender *sender);
/* The job has its outcome, with `text` filled in. */
void sender_finish(struct sender *sender, struct job *job, enum outcome_kind kind,
                   int64_t retry_at_ms);
/* When what was deferred goes again: its 48 hours count from the first try, not from when it was
 * decided, for it may have queued through a long outage. TIME_NEVER: its time is over. */
int64_t sender_retry_at_ms(const struct claim *claim, int64_t now_ms);
/* sender_report.c: the thread that hands outcomes to the core. */
void *sender_report(void *sender);

#endif
