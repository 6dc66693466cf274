/*
 * core_inside: what the core's own files share.
 *
 *      turn.c     the engine thread: tasks -> batch
 *      commit.c   the commit thread: batch -> store -> answers
 *      load.c     from the store to an engine
 *      doubt.c    what the last run had claimed and left without an outcome
 *      index.c    the index's snapshot files and their making
 *      erasing.c  people forgotten for good
 *      rows.c     the engine's words and the store's words
 */
#ifndef DULT_RUN_CORE_INSIDE_H
#define DULT_RUN_CORE_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/queue.h"
#include "engine/checkpoint.h"
#include "run/core/begun.h"
#include "run/core/checkpointing.h"
#include "run/core/core.h"
#include "run/core/dedupe.h"
#include "run/core/erasing.h"
#include "run/core/merging.h"
#include "run/core/purge.h"
#include "run/core/reading.h"
#include "run/core/sweep.h"
#include "run/core/zones.h"
#include "run/log.h"

enum {
    RECENT_IDS = 1 << 16,          /* more records than can be between the engine and the disk */
    JOBS_TEXT_BYTES_MAX = 1 << 20, /* as many jobs as there may be segments, 40 bytes each */
    MINUTES_MAX = 2048,            /* of a day */
};

/* In flight: the batch being filled, those waiting, the one being written; clock records beside. */
_Static_assert((CORE_BATCHES_AHEAD + 2) * (CORE_BATCH_RECORDS + CORE_TASK_RECORDS_MAX + 16) <=
                   RECENT_IDS,
               "a record not on disk yet is remembered");

struct recent {
    uint64_t hash;
    uint32_t seq;
};

struct minute {
    int64_t  received_ms;
    uint32_t seq;
};

/* Events from before this were taken from the timeline; their rows are to follow. */
struct purge_order {
    struct retention in_force; /* handed over */
    uint64_t         seq;
};

/* What one transaction holds, and who waits for it. */
struct batch {
    struct arena                 *arena;
    struct out                    out;
    struct task                 **tasks;
    uint32_t                      tasks_count;
    struct store_event           *events;
    size_t                        events_count, events_room;
    size_t                        told_kept; /* of out's, how many are among them */
    struct store_definition      *definitions;
    size_t                        definitions_count, definitions_room;
    struct checkpoint_row        *states;
    uint32_t                      states_count, states_round;
    uint64_t                      states_seq;
    struct store_meta            *metas;
    size_t                        metas_count, metas_room;
    const struct store_rejected **rejected; /* by task, with counts below */
    struct store_file            *files;
    size_t                        files_count, files_room;
    struct store_code            *codes;
    size_t                        codes_count, codes_room;
    struct store_code_order      *orders;
    size_t                        orders_count, orders_room;
    uint64_t                      seq; /* the last one in it */
    bool                          checkpoint_done;
    uint64_t                      erasure_seq; /* of the last erasure in it; 0 for none */
    uint64_t                      erasing_seq; /* up to here rows may be overwritten then; or 0 */
    uint64_t                      index_seq;   /* of a base that readers see first; 0: none */
    bool                          is_bare;     /* there is nothing to write */
    struct purge_order           *purge;       /* begins with this batch; NULL: none */
    struct edition               *edition;     /* what readers see then; NULL: as before */
};

struct snapshot; /* index.c */

struct core {
    struct core_conf     conf;
    pthread_mutex_t      alarm_lock; /* held while it is told */
    struct core_alarm    alarm;
    char                *dir;
    struct zones        *zones;
    struct store        *store;
    struct store_reader *reader; /* the engine thread's */
    struct begun        *begun;
    struct engine       *engine;
    struct dedupe       *dedupe;
    struct dedupe       *request_keys; /* of RECORD_SEND: all of the last day, however many */
    pthread_t            dedupe_thread;
    bool                 dedupe_loading; /* its thread has not been joined yet */
    uint64_t             ids_from;       /* its own: the next record whose id it reads */
    atomic_bool          ids_known;      /* it is through: the rows of the erased may go */
    atomic_bool          closing;        /* nobody will ask for the rest of them */
    uint64_t             loaded_seq;
    struct recent       *recent;
    struct minute        minutes[MINUTES_MAX];
    uint32_t             minutes_first, minutes_count;
    struct queue        *tasks, *batches;
    pthread_t            engine_thread, commit_thread;
    bool                 started;
    struct task        **asking; /* questions not yet finished */
    uint32_t             asking_count;

    uint64_t      seq, next_definition;
    uint64_t      checkpoint_seq, checkpoint_decision; /* of the round under way */
    uint64_t      since_checkpoint;                    /* decisions and events */
    uint32_t      checkpoint_round;
    bool          rules_due;   /* the folder is new, and all in it will be by ENGINE_RULES */
    bool          rules_older; /* its rounds are by others: one by ours is wanted */
    uint64_t      erasure_seq; /* of the last one that waits for the round's end; 0 for none */
    char         *jobs_text, *retention_text, *codes_text; /* as the store has them; NULL: none */
    uint64_t      minted_seq;                              /* of the last codes that were drawn */
    bool          is_minting;      /* some are wanted, and those are not on disk yet */
    int64_t       minting_next_ms; /* drawing failed: not before; 0: it did not */
    int64_t       retention_day;   /* the last one that was looked at; 0 at the start */
    bool          retention_waits; /* for a merge that is under way, or for rows to be gone */
    bool          is_retained;     /* the base is without what is older, and nobody was asked yet */
    atomic_bool   purge_handed;    /* an order is on its way to the commit thread */
    struct purge *purge;           /* the commit thread's; its progress everyone's */
    uint64_t      handed_seq;      /* of the last batch given to the commit thread */
    bool          ending;          /* a last checkpoint was begun, or is not worth it */
    struct snapshot *snapshot;
    int64_t          snapshot_us;    /* when the last one was begun */
    uint64_t         snapshot_bytes; /* of its base */
    bool             is_rebased;     /* readers do not see the last base yet */
    bool             merge_failed;   /* the last one */
    size_t           bags_kept; /* how much of the bags file is right; the rest is written anew */

    struct core_door {
        atomic_uint room, lanes;
    } doors[CORE_DOORS];
    atomic_uint_fast64_t committed_seq;
    atomic_bool          failing;
    struct reading      *reading;
    struct sweep        *sweep;
    struct erasing      *erasing;
    struct waits         waits; /* the engine thread's, for readers */
    pthread_mutex_t      lock;  /* stats */
    struct core_stats    stats;
};

/* doubt.c: what was claimed when the last run ended gets its outcome; the first task there is. */
MUST enum err doubt_settle(struct core *core);
/* turn.c */
void *turn_thread(void *core);
/* Keeps in mind that the message id was here; both live and at the start. */
void remember(struct core *core, struct dedupe *dedupe, struct dedupe_id id, uint32_t seq,
              int64_t received_ms);
/* coding.c: what a turn has to do with discount codes. */
/* New codes that the record brought, with their numbers. */
void codes_keep(struct core *core, struct batch *batch, const struct entry *entry);
/* Codes are drawn where there are few; true: some are wanted that cannot be drawn yet. */
bool codes_mint(struct core *core, struct batch *batch, int64_t now_ms);
/* Pools that have run low or out. */
void codes_tell(struct core *core);
/* What was redeemed by an order, which the engine has taken: a record of its own, and a row that
 * is kept when the engine has taken the record, too. */
struct redeemed {
    struct entry            entry;
    struct store_code_order order;
};
uint32_t codes_redeemed(struct core *core, struct batch *batch, const struct entry *order,
                        struct redeemed **out);
void codes_order_keep(struct core *core, struct batch *batch, const struct store_code_order *order);
void *grown(struct arena *arena, void *items, size_t count, size_t *room, size_t size);
/* One record of our own, of which no row is kept. */
void own_record(struct core *core, struct batch *batch, struct record record);

/* commit.c */
void *commit_thread(void *core);
/* core.c: an empty engine, in the place of the one there was. */
MUST enum err engine_make(struct core *core);
/* load.c */
MUST enum err load(struct core *core, struct problem *problem);
void         *dedupe_thread(void *core);
void          dedupe_ready(struct core *core); /* waits until the ids of the last day are known */
/* index.c */
MUST enum err index_load(struct core *core, bool *loaded);
/* Starts, or takes in, a new base; `durable_seq` is or will be on disk. */
void index_turn(struct core *core, uint64_t durable_seq);
void index_finish(struct core *core); /* at the end: a last base */
/* How long the engine's thread may sleep until the index wants it. */
int64_t index_sleep_us(const struct core *core);
void    snapshot_close(struct snapshot *snapshot);

/* turn.c: what the batch writes under a key; text in its arena. */
void meta_add(struct core *core, struct batch *batch, struct str key, struct str value);

/* broadcasts.c: what is new of them goes with the batch; and back, after all decisions. */
void          broadcasts_keep(struct core *core, struct batch *batch);
MUST enum err broadcasts_read(struct core *core, struct arena *scratch);

/* rows.c */
void event_to_row(const struct entry *entry, uint64_t seq, uint32_t profile, uint32_t name,
                  struct store_event *row);
void decision_to_row(const struct decision *decision, struct store_decision *row);
void decision_of_row(const struct store_decision *row, struct decision *decision);
/* The kind of record a stored event goes onto the timeline as; RECORD_NONE: not at all. */
enum record_kind kind_of_row(const struct store_event *row);

/* Ends the process: the store and the engine no longer agree, and only a fresh start is honest. */
_Noreturn void core_fatal(struct core *core, const char *what);

/* Into the log, and to whoever is to be told. */
void core_tell(struct core *core, enum log_level level, const struct problem *problem);

#endif
