/*
 * What the sender's own files share: sender.c (its life), sender_claims.c (claims, rendering,
 * outcomes), sender_ways.c (which way out, and whose place), sender_report.c, sender_reload.c.
 */
#ifndef DULT_RUN_SENDER_INSIDE_H
#define DULT_RUN_SENDER_INSIDE_H

#include <pthread.h>

#include "base/time.h"
#include "delivery/delivery.h"
#include "delivery/loop.h"
#include "message/address.h"
#include "run/core/begun.h"
#include "run/send/doubts.h"
#include "run/send/post.h"
#include "run/send/render.h"
#include "run/send/sender.h"
#include "run/send/sender_url.h"

enum { JOB_TRAIT_SEQS = 256, REPORT_JOBS = 512, RECALLS_MAX = WAYS_MAX * WAY_PLACES_MAX };

/* What is said of a message that is no e-mail, on its event. */
struct letter {
    enum provider_verdict verdict;
    int                   status; /* of HTTP; 0: nobody answered */
    struct str            body;   /* of a webhook's answer; lies in the job's arena */
    char                  id[PROVIDER_ID_BYTES_MAX]; /* the service's */
    uint32_t              parts;                     /* of a text message */
    struct way_price      told;                      /* what the service says that it costs */
    struct way_price      price;                     /* of all of it */
};

enum { LETTER_ANSWER_BYTES_MAX = 4096 }; /* of a webhook's answer, kept with the message */

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
    struct way             *home;       /* whose place it was claimed for */
    bool                    is_reserve; /* that place is one for receipts */
    bool                    is_placed;  /* a channel has or had it: it waits for no place */
    bool                    is_begun;   /* begun.h knows it, at begun_at */
    uint32_t                begun_at;
    bool                    is_recalled; /* it is not to be begun */
    struct str              from;        /* its From domain, once it is made; with the lock */
    bool                    is_stopped;  /* it came back because nothing is sent from there */
    bool                    is_open;     /* claimed, and its outcome is not known yet */
    struct way             *way;         /* that it goes by, or went by last; NULL: none yet */
    uint32_t                tried;       /* a bit a way that did not send it */
    bool                    in_flight;   /* a channel has it */
    bool                    is_kept;     /* on trial: in the outbox */
    struct trying          *trying;      /* NULL: it was claimed */
    bool                    bounced;     /* the recipient's host refused it for good */
    bool                    is_to_rcpt;  /* the address, not the content */
    struct record_outcome   outcome;     /* its text is `text` */
    char                    text[RENDER_REASON_BYTES_MAX];
    int64_t                 at_ms;
    struct delivery_outcome said; /* what the first of those tried said */
    struct letter           letter;
    const struct provider  *checking;   /* it is being asked; NULL: the message itself is */
    bool                    is_renewed; /* the token was refused, and another one asked for */
    const struct way       *checked_by; /* who found nothing against it */
    const struct way       *steps_by;   /* who was asked `steps_done` of the steps before it */
    uint32_t                steps_done, steps_rounds; /* how often they were begun */
    int64_t                 steps_ms;                 /* since then */
    struct json             steps; /* what they were answered; in the job's arena */
    struct post_paper       paper; /* the letter, as `printed_for` wants it */
    const struct way       *printed_for;
    const struct problem   *unprinted; /* why that cannot be; NULL: it is there */
    bool                    is_made;   /* it is with the renderers only to be printed anew */
    struct doubt            doubt;     /* of is_doubt */
    bool                    is_doubt;  /* it may have been sent before it was claimed */
    bool                    is_noted;  /* to be forgotten when its outcome is durable */
};

/* How many left a way of late, counted by PACE_MS. */
struct pace {
    int64_t  from_ms;
    uint32_t count, before; /* in this time, in the one before */
};

/* sender_try.c: a job without a claim. */
struct trying;

struct job_line {
    struct job  *first;
    struct job **last;
};

enum door { DOOR_ANY, DOOR_RECEIPTS, DOORS };

/* How many of what a day or a month allows. */
struct tally {
    int64_t  number; /* of the day or month since 1970 */
    uint32_t used;
    uint32_t kept; /* as many as are counted on disk: as many or more */
};

/* A way out, its places and who has them. */
struct way {
    struct sender         *sender;
    uint32_t               number;
    const struct way_conf *conf;
    struct sender_url      url;
    struct channel        *channel;
    uint32_t               places;
    uint32_t               free;            /* places offered by the channel, not taken */
    uint32_t               receipts;        /* of those taken: by receipts */
    uint32_t               promised[DOORS]; /* told to the core, not claimed */
    uint32_t               sending[DOORS];  /* claimed, outcome not applied */
    uint32_t               unplaced;        /* of those at DOOR_ANY: no channel had them yet */
    struct pace            pace;
    uint32_t               lanes;           /* of the outbox that it is for now */
    bool                   is_down;         /* until it offers a place */
    int64_t                down_ms;         /* since when; 0: since the start */
    int64_t                paused_until_ms; /* as it asked for */
    struct tally           day, month;
    struct provider_access access;  /* of one that gives tokens; on the loop's thread */
    uint64_t               account; /* of a provider that knows keys; 0: of none */
    struct job_line        line[2]; /* wait for a place: others, receipts */
    struct way_stats       stats;
};

struct sender {
    struct core       *core;
    struct sender_conf conf; /* its texts are the copies below */
    char public_url[512], outbox_dir[4096], ehlo_name[256], return_domain[256], tls_ca_file[4096],
        counts_dir[4096];
    struct doubts    *doubts;
    struct brake_conf sending;         /* as the engine last told it; with the lock */
    struct way_conf   only;            /* the way that smtp_url or outbox_dir is */
    struct way        slots[WAYS_MAX]; /* where they lie; channels and doors know them by it */
    struct way       *ways[WAYS_MAX];  /* in order */
    uint32_t          ways_count;
    struct loop      *loop;
    pthread_t         threads[SENDER_THREADS_MAX], reporter;
    uint32_t          threads_count;
    struct render    *renders[SENDER_THREADS_MAX];
    bool              started;
    bool              leads_outside; /* one of the ways is no outbox */

    pthread_rwlock_t    ways_lock; /* before `lock`: held to read by who has no message here */
    pthread_mutex_t     lock;
    pthread_cond_t      work;      /* a job is to be rendered */
    pthread_cond_t      moved;     /* an outcome is there, or the last task was applied */
    pthread_cond_t      drained;   /* no job is in use */
    pthread_cond_t      all_given; /* giving is 0, or all are recalled */
    struct job         *jobs, *free;
    uint32_t            jobs_used; /* those from here on were never in use */
    struct job_line     outcomes;
    struct job_line     rendering[2]; /* others, receipts */
    bool                ready, stopping, ended, no_more_work;
    bool                calls_begun, calls_ended;
    bool                is_late;    /* the core was running already */
    bool                reporting;  /* a task of outcomes is with the engine */
    uint32_t            in_use;     /* jobs: claimed, outcome not durable */
    uint32_t            giving;     /* jobs with a place that no channel was given yet */
    bool                has_lanes;  /* of the ways as they are; false: they are to be found */
    uint32_t            lanes_open; /* a bit a way that was open then */
    bool                recalling;  /* until there are none: no other gets a place */
    uint32_t            outcomes_count;
    int64_t             report_at_us;  /* until then more outcomes are waited for */
    int64_t             look_again_ms; /* a way opens then by time alone; TIME_NEVER */
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

/* ---- sender.c: its ways, for sender_reload.c */

/* What the configuration says, checked; `ways` has room for WAYS_MAX. ERR_INPUT. */
MUST enum err sender_ways_make(struct sender *sender, const struct sender_conf *conf,
                               struct way *ways, uint32_t *count, struct problem *problem);
/* In a slot that is nobody's. */
struct way   *sender_way_init(struct sender *sender, uint32_t slot, const struct way *from);
MUST enum err sender_way_start(struct sender *sender, struct way *way, struct problem *problem);
bool          sender_has_outside(const struct sender *sender);
/* Nothing more is claimed, and every claim ever made has been handed over. */
void sender_claims_end(struct sender *sender);
/* All begin to stop at once: the slowest alone is waited for. */
void sender_channels_end(struct sender *sender, bool in_time);

/* ---- sender_claims.c */

/* Of the core, on its commit thread: the claims are durable. */
void sender_claimed(void *sender, const struct claim *claims, size_t count);
/* The thread that renders: takes a struct worker. */
void *sender_render(void *worker);

/* What a channel said of a message, when no other way is to try it. */
void sender_settle(struct sender *sender, struct job *job, const struct delivery_outcome *outcome);
/* The job has its outcome, with `text` filled in. */
void sender_finish(struct sender *sender, struct job *job, enum outcome_kind kind,
                   int64_t retry_at_ms);
/* When what was deferred goes again: its 48 hours count from the first try, not from when it was
 * decided, for it may have queued through a long outage. TIME_NEVER: its time is over. */
int64_t sender_retry_at_ms(const struct claim *claim, int64_t now_ms);
/* The same from now on, or what is set for all. The context is the sender. */
int64_t sender_next_try_ms(void *sender, const struct claim *claim);

/* sender_try.c: what became of it; with the lock. */
void sender_tried(struct job *job);
/* On trial: into the outbox. */
struct delivery_outcome sender_keep(struct sender *sender, struct job *job);
bool                    sender_is_to_keep(const struct sender *sender, const struct job *job);

/* ---- sender_ways.c; those called ways_ with the lock held */

struct channel_calls way_calls(struct way *way);
/* The message is rendered: it goes out by a way, or waits for a place, or is finished. */
void sender_route(struct sender *sender, struct job *job);
/* The way that it would go by now; NULL: none. */
struct way *sender_way_now(struct sender *sender, const struct job *job);
/* Time has passed, or a way has changed: which lanes each is for, told to the core with the room
 * there is. */
void ways_look(struct sender *sender);
/* The job's outcome is applied: its place is free. */
void ways_free(struct job *job);
/* The way that door is of. */
struct way *ways_of_door(struct sender *sender, uint32_t door);
/* Tells no more, and takes back what was told; on the engine's thread. */
void ways_withdraw(struct sender *sender);
/* The same, and who waits for a place that is there now goes on. With the lock, given up meanwhile.
 */
void sender_look(struct sender *sender);
/* Jobs that wait for a place are returned; when stopping, without the lock. */
void sender_lines_return(struct sender *sender);
/* Its first byte may leave from here on: after a kill it is in doubt. False: it was recalled, and
 * must not. With the lock. */
bool sender_begin(struct sender *sender, struct job *job);

/* ---- sender_stops.c: domains that nothing is sent from */

/* Reads what the engine knows; before anything is claimed. ERR_WAIT, ERR_MEMORY. */
MUST enum err sender_stops_open(struct sender *sender);
/* Is it to wait for its domain? What is not made yet has none. With the lock. */
bool sender_stops_have(struct sender *sender, struct job *job);
/* It was made; false: it has gone back, for nothing is sent from its domain. */
bool sender_stops_pass(struct sender *sender, struct job *job);

/* sender_recall.c: of the core, on its commit thread: somebody wants no more, or sending stopped.
 */
void sender_recalled(void *sender, const struct out *out);
/* A recalled job comes back to the outbox, where it is looked at anew. */
void sender_come_back(struct sender *sender, struct job *job);

/* Is it one of several for its channel? */
bool sender_has_several(const struct sender *sender, const struct way *way);

void line_add(struct job_line *line, struct job *job);
/* NULL when it is empty. */
struct job *line_take(struct job_line *line);

/* ---- sender_letters.c: what is no e-mail */
static inline bool job_is_letter(const struct job *job)
{
    return job->rendered.person != NULL;
}
/* Why it can never be sent as it is; NULL: it can. */
const char *sender_letter_gap(const struct job *job);
/* Members of the message that its provider sees, beside those of an e-mail. */
MUST enum err sender_letter_fill(const struct way *way, const struct job *job, struct arena *arena,
                                 struct provider_message *out);
/* The letter on paper as the way wants it, once, whether it can be or not; other messages need
 * none. ERR_INPUT, ERR_MEMORY. */
MUST enum err sender_letter_print(const struct way *way, struct job *job, struct problem *problem);
/* Would the way have to print it now? That is a renderer's to do. */
bool sender_letter_is_to_print(const struct way *way, const struct job *job);
/* The template's own header lines, of a webhook. ERR_INPUT. */
MUST enum err sender_letter_headers(const struct job *job, struct arena *arena,
                                    struct fetch_request *request, struct problem *problem);
/* Parts and price, by the way that it went. */
void sender_letter_price(struct job *job);
/* What became of a message, as an event; empty: none yet. */
struct str sender_event_name(const struct job *job);
/* What is known of it; `members` has room for SENDER_LETTER_MEMBERS. */
enum { SENDER_LETTER_MEMBERS = 9 };
void sender_letter_put(struct arena *arena, const struct job *job, struct json *object,
                       struct json_member *members);
/* How long what is for ways that are down waits for its next claim: half of the time that they have
 * been down, a second at least and a minute at most. */
int64_t closed_pause_ms(int64_t down_for_ms);

/* ---- sender_steps.c: what is asked before a message; on the loop's thread */

/* How long what the steps were answered is good: an address to put a file to ends. */
#define STEPS_GOOD_MS (5 * TIME_MINUTE_MS)
enum { STEPS_ROUNDS_MAX = 2 };
/* The next step before the message; NULL: all are done. ERR_IO: they come to no end now. */
MUST enum err steps_next(const struct way *way, struct job *job, int64_t now_ms,
                         const struct provider **out, struct problem *problem);
/* Whose fault it is that something cannot be asked for: what is made of steps' answers may be with
 * their next ones, for these had not what was to be in it. ERR_IO in the place of ERR_INPUT. */
MUST enum err steps_blame(struct job *job, enum err err);
/* The step that was asked is answered. True: the next one, or the message, may be asked for. */
bool steps_answered(struct job *job, const struct fetch_response *response,
                    struct delivery_outcome *out);

/* ---- sender_doubts.c: what may be asked for again, with its key */
/* Of the core, before its threads run. */
bool sender_may_ask_again(void *sender, uint64_t message);
/* A claim of what is in doubt is told so. */
void doubt_claimed(struct sender *sender, struct job *job);
/* Before a request with a key. */
void doubt_note(const struct way *way, const struct job *job);
/* Is the way the one that it was asked of? True for what is in no doubt. */
bool doubt_fits(const struct way *way, const struct job *job);
/* Its key is remembered no more. */
bool doubt_is_over(const struct sender *sender, const struct job *job, int64_t now_ms);
/* What a way says: true: the job is finished by it. */
bool doubt_done(struct way *way, struct job *job, const struct delivery_outcome *outcome);

/* ---- sender_counts.c: how many of what a day and a month allow; with the lock */
/* What was counted before. ERR_INPUT, ERR_IO. */
MUST enum err counts_read(struct sender *sender, struct problem *problem);
/* May one more go today? */
bool counts_has_one(const struct way *way, int64_t now_ms);
/* One more goes. False: it could not be counted on disk, so it must not. */
bool counts_take(struct way *way, int64_t now_ms);
/* It was certainly not sent. */
void     counts_give_back(struct way *way, int64_t now_ms);
uint32_t counts_today(const struct way *way, int64_t now_ms);
uint32_t counts_month(const struct way *way, int64_t now_ms);
/* When the next day or month begins that has one more; 0: this one has. */
int64_t counts_opens_ms(const struct way *way, int64_t now_ms);

/* ---- sender_http.c */
MUST enum err sender_http_start(struct sender *sender, struct way *way, struct problem *problem);

/* sender_report.c: the thread that hands outcomes to the core, and one more for it; with the lock
 */
void *sender_report(void *sender);
void  sender_report_add(struct sender *sender, struct job *job);

#endif
