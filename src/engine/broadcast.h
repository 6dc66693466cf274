/*
 * broadcast: one message to everyone of an audience, once.
 *
 *      {"broadcast": "spring",                      as the file is called
 *       "audience": "in segment \"customers\"",      or its JSON form
 *       "template": "spring",                       its channel says by which
 *       "topic": "offers",                          the template's, unless given
 *       "priority": 7,                              1 .. 9, limits.h; 5 unless given
 *       "when": "now",                              {"at": "2026-12-01T08:00:00Z"}, or
 *                                                   {"local": "2026-12-01T09:00"}: by each one's
 *                                                   clock; {"local": "2026-12-01 best hour"}:
 *                                                   at the hour at which they click
 *       "throttle": 20000,                          at most so many an hour; as fast as it goes
 *       "holdout": {"share": 5, "name"?: NAME},     so many percent get nothing
 *       "experiment": {"name"?: NAME, "variants":   in the place of "template": 2 to 8, by one
 *         [{"name": "short", "template": "spring-short", "share"?: 50}, ...]}}       channel
 *
 * A launch is an act (RECORD_BROADCAST), and what was launched is never changed. A job then goes
 * over all people who were known at the launch, in the order of their numbers, a few thousand with
 * each record of the clock; whoever the audience holds for when their turn comes is a recipient,
 * with a message that is claimed, looked at and sent like every other.
 *
 *      launched --> looking --> queued --> claimed --> sent | failed | unknown
 *                     |            |          `------> held back: consent, suppression, address
 *                     cursor       at most BROADCAST_WAITING_MAX, or a minute of the throttle
 *
 * The ledger's key is (broadcast, person): it stands in the message's `enrollment`. A local time
 * makes several rounds, one for each instant at which it is that time somewhere.
 *
 * An experiment may have a "winner" (experiment/winner.h): a share of the audience gets the
 * variants first, and at the time that was settled before a second job over the recipients asks
 * whom each variant reached, and with how many it did what it is for. Or somebody chooses one, at
 * any time.
 *
 *      testing --> tested: the time is waited for, then counted --> chosen: the rest get it
 *         |                                     `--> asked: "wait" -----^
 *         `---------------- chosen by hand -----------------------------'
 *
 * Always true   somebody is a recipient at most once; of two who become one, or who have one
 *               address, one gets it; it is finished when no round is left and all are final.
 * Pause         nothing is claimed any more; what was claimed ends. Resume goes on where it was.
 * Cancel        who is still in the queue is held back, and nobody is added.
 * Retry failed  who failed, and nobody else, is queued again, under the same key.
 * Bounds        BROADCASTS_MAX broadcasts; a byte a person for each (recipients.h), and while one
 *               is under way about 20 bytes for each address.
 */
#ifndef DULT_ENGINE_BROADCAST_H
#define DULT_ENGINE_BROADCAST_H

#include "engine/channel.h"
#include "engine/experiment/winner.h"
#include "engine/journey/definition.h"
#include "engine/recipients.h"
#include "engine/record.h"

enum {
    BROADCASTS_MAX = 1 << 15, /* numbers, which are given once; they fit a key */
    BROADCAST_TEXT_BYTES_MAX = 256 << 10,
    BROADCAST_WAITING_MAX = 50000, /* in the queue at a time; more people wait unqueued */
    BROADCAST_THROTTLE_MAX = 100000000,
};

enum broadcast_when { BROADCAST_NOW, BROADCAST_AT, BROADCAST_LOCAL };

/* One of an experiment's variants; a "variant" of a template is its text in another language. */
struct broadcast_arm {
    struct str name, template;
    uint32_t   template_id;
    uint32_t   share; /* of DEAL_ALL: those below it, and not below the one before */
};

struct broadcast_def {
    struct arena        *arena;              /* NULL: not defined (any more) */
    struct str           name, template;     /* of an experiment: the first one's */
    uint32_t             template_id, topic; /* the first template's, unless has_topic */
    bool                 has_topic;
    struct condition     audience;
    enum broadcast_when  when;
    int64_t              at_ms;      /* AT; LOCAL: what clocks show, as if they were UTC */
    bool                 is_best;    /* LOCAL: on that day, at each one's best hour (best_hour.h) */
    int32_t              best_or_ms; /* of the day, for who clicked too seldom */
    uint32_t             throttle;   /* an hour; 0: none */
    uint8_t              priority;   /* limits.h */
    uint32_t             version;    /* the defining record's seq */
    struct holdout       holdout;
    struct str           experiment; /* its name: the broadcast's, unless given */
    struct broadcast_arm arms[DEAL_ARMS_MAX];
    uint32_t             arms_count; /* 0: there is no experiment */
    struct winner_rule   winner;     /* share 0: none is found by itself */
};

/* A round that begins so long after the first passes over nobody for the night (limits.h). */
#define BROADCAST_NIGHTS_MS (3 * TIME_DAY_MS)

/* ---- the ledger's key ---- */

/* No decision's id comes so far, and a message has 48 bits for it. */
#define BROADCAST_KEY (UINT64_C(1) << 47)

static inline uint64_t broadcast_key(uint32_t broadcast, uint32_t profile)
{
    return BROADCAST_KEY | (uint64_t)broadcast << 32 | profile;
}
static inline bool broadcast_is_key(uint64_t enrollment)
{
    return (enrollment & BROADCAST_KEY) != 0;
}
static inline uint32_t broadcast_of_key(uint64_t enrollment)
{
    return (uint32_t)(enrollment >> 32) & (BROADCASTS_MAX - 1);
}
static inline uint32_t broadcast_profile_of_key(uint64_t enrollment)
{
    return (uint32_t)enrollment;
}

/* ---- acts: RECORD_BROADCAST, its properties {"act": a word, "expected"?: people, "variant"?:
 * name}
 * ---- */

enum broadcast_act {
    BROADCAST_LAUNCH,
    BROADCAST_PAUSE,
    BROADCAST_RESUME,
    BROADCAST_CANCEL,
    BROADCAST_RETRY,
    BROADCAST_CHOOSE, /* the variant that all who are queued from now on get */
    BROADCAST_ACTS,
};
/* "launch", "pause", "resume", "cancel", "retry-failed", "choose"; BROADCAST_ACTS for none. */
enum broadcast_act broadcast_act_of(struct str word);

/* ---- questions; they change nothing ---- */

struct engine;

enum broadcast_state {
    BROADCAST_DRAFT,
    BROADCAST_SCHEDULED, /* launched, and its time has not come */
    BROADCAST_RUNNING,
    BROADCAST_PAUSED,
    BROADCAST_CANCELLING,
    BROADCAST_CANCELLED,
    BROADCAST_FINISHED,
};
const char *broadcast_state_word(enum broadcast_state state);

/* How far an experiment is. */
enum broadcast_phase {
    BROADCAST_PLAIN,   /* everyone gets what they are dealt */
    BROADCAST_TESTING, /* those of the share are looked for */
    BROADCAST_TESTED,  /* its time is waited for; then it is counted */
    BROADCAST_ASKED,   /* nobody was sure: somebody is to choose */
    BROADCAST_CHOSEN,  /* whoever is queued gets the winner */
    BROADCAST_PHASES,
};
/* "dealt", "testing", "tested", "asked", "chosen" */
const char *broadcast_phase_word(enum broadcast_phase phase);

struct broadcast_test {
    enum broadcast_phase phase;
    uint32_t             chosen; /* the variant's place + 1; 0: none is */
    enum winner_how      how;
    int64_t              chosen_ms;
    struct odds_count    counts[DEAL_ARMS_MAX]; /* as they were when the winner was looked for */
};

struct broadcast_status {
    const struct broadcast_def *def;
    enum broadcast_state        state;
    int64_t                     launched_ms, start_ms, finished_ms; /* 0: not */
    int64_t                     next_ms;                            /* of its job; TIME_NEVER */
    uint64_t                    expected;    /* as counted at the launch; 0: nobody said */
    uint32_t                    looked, all; /* profiles, of the round under way */
    bool                        is_looking;  /* a round is left */
    bool                        is_lost;     /* paused, for what its audience names is gone */
    uint32_t                    retries;
    uint64_t                    counts[RECIPIENT_STATES];
    struct broadcast_test       test;
    int64_t                     decides_ms; /* TESTED; 0: not */
};

uint32_t engine_broadcasts(const struct engine *engine); /* numbers below it may be defined */
bool engine_broadcast(const struct engine *engine, uint32_t number, struct broadcast_status *out);
/* The people (roots) behind a set of states, from profile *from on; *from: where to go on, or
 * UINT32_MAX. `states` may be NULL. */
uint32_t engine_broadcast_people(const struct engine *engine, uint32_t number, uint32_t bits,
                                 uint32_t *from, uint32_t *people, enum recipient_state *states,
                                 uint32_t room);

/* Who would get it if it were launched and sent now, `most` profiles at a time; true at the end.
 * Of several with one address the first would. Ended by broadcast_preview_done. */
struct broadcast_preview {
    uint32_t               number, cursor;
    uint64_t               audience;
    uint64_t               counts[RECIPIENT_STATES]; /* WAITING: would get it */
    uint64_t               passed;            /* of these, local: whose time has passed already */
    int64_t                first_ms, last_ms; /* local: of the instants to come; TIME_NEVER */
    struct broadcast_seen *seen;
};
MUST enum err broadcast_preview_step(const struct engine *engine, struct broadcast_preview *preview,
                                     uint32_t most, bool *done);
void          broadcast_preview_done(struct broadcast_preview *preview);

/* May it be defined so (text empty: deleted), with what was launched? ERR_CONFLICT with a problem.
 */
MUST enum err engine_broadcast_allows(const struct engine *engine, enum definition_kind kind,
                                      struct str name, struct str text, struct problem *problem);

/* ---- kept with each batch ---- */

/* Where the jobs are, as text and back; true: it is another than when it was asked last. */
bool          engine_broadcasts_moved(struct engine *engine);
void          engine_broadcasts_write(const struct engine *engine, struct buf *out);
MUST enum err engine_broadcasts_load(struct engine *engine, struct str text);
/* A changed page of somebody's recipients; false: none is left. */
bool engine_broadcast_page(struct engine *engine, uint32_t *number, uint32_t *page,
                           struct str *text);
/* After engine_broadcasts_load: for each launched one all pages up to engine_broadcast_pages. */
uint32_t      engine_broadcast_pages(const struct engine *engine, uint32_t number);
MUST enum err engine_broadcast_page_load(struct engine *engine, uint32_t number, uint32_t page,
                                         struct str text);

#endif
