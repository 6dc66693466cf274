/*
 * core: one engine, its store, and the threads between them.
 *
 *      http, delivery, command line
 *            |  core_submit(task)                    full: ERR_WAIT, an honest 503
 *            v
 *      [ queue ] -> engine thread -> [ at most 1 batch ] -> commit thread
 *                   seq, dedupe,                              one transaction, one sync;
 *                   apply, clock, claims                      then task->done, claims go out
 *
 * A task is some records, or a question to the engine, or both. It is answered when the batch it
 * was in is durable, so what an answer says is on disk.
 *
 * The index and the checkpoint are derived: damaged ones are refused and everyone is rebuilt from
 * events and decisions alone.
 *
 * Always true   records are applied in the order of their tasks; a task's done is called exactly
 *               once; after core_close returns no callback runs any more.
 * When the disk fails the same batch is tried again, and submitting gives ERR_WAIT meanwhile. When
 * the outcome of a commit is unknown the process ends, and the next start loads what is there.
 */
#ifndef DULT_RUN_CORE_H
#define DULT_RUN_CORE_H

#include "engine/engine.h"
#include "engine/lane.h"
#include "run/core/purge.h"
#include "run/core/waits.h"
#include "store/store.h"

enum {
    CORE_TASKS_MAX = 4096,         /* waiting; more are refused */
    CORE_BATCH_RECORDS = 4000,     /* of one transaction, about: the last task is taken whole */
    CORE_TASK_RECORDS_MAX = 10000, /* of one task */
    CORE_BATCHES_AHEAD = 1,        /* of the one that is being written */
    CORE_BATCH_BYTES_MAX = 1 << 30,
};

struct core;
struct begun;   /* begun.h */
struct reading; /* reading.h */
struct task;

/* One record with what the store keeps of it. */
struct entry {
    struct record record;     /* seq is given by the core; received_ms may be raised */
    struct str    message_id; /* empty: not deduplicated */
    struct str    body;       /* the JSON that is stored */
    struct str    author;     /* RECORD_DEFINE: who did it */
    bool          leads;      /* seen before, it ends its task: what comes behind it was, too */

    const struct store_file *files; /* RECORD_SEND: what goes with it; seq is given by the core */
    uint32_t                 files_count;
    struct store_code       *codes; /* RECORD_CODES: text and fold; the key is given by the core */
};

/* A question: called on the engine thread until it says true. Long ones do a part each time. */
typedef bool core_ask(struct engine *engine, struct task *task);
/* The answer: on the commit thread. The task and its arena end when this returns. */
typedef void core_done(struct task *task);

struct task {
    struct arena                *arena; /* may be NULL; closed after done */
    struct entry                *entries;
    uint32_t                     entries_count;
    const struct store_rejected *rejected; /* to be kept */
    uint32_t                     rejected_count;
    core_ask                    *ask;  /* after the entries; may be NULL */
    core_done                   *done; /* may be NULL */
    void                        *context;

    /* Filled in before done. */
    uint32_t taken, duplicates, refused;
    uint32_t older;         /* of those taken: older than what is kept, so not kept */
    uint32_t profile;       /* of the last entry taken; PROFILE_NONE */
    uint64_t seq;           /* of the last entry taken; of a RECORD_SEND that was a duplicate, of
                               the one that came first */
    uint64_t       message; /* what the last RECORD_SEND taken became */
    enum err       err;     /* of the last entry refused, with its problem */
    struct problem problem;
    struct core   *core;
    void          *waiter; /* core_run's own */
};

/* Callbacks for delivery; both on the commit thread, after the commit. */
struct core_calls {
    void *context;
    /* These messages are to be sent now; the claims are borrowed for the call. */
    void (*claimed)(void *context, const struct claim *claims, size_t count);
    /* Before whoever said so is answered: what is claimed and not begun is to come back, as far as
     * out's recalls, suppressions and `holds` say. */
    void (*recalled)(void *context, const struct out *out);
    /* Of a message that was being sent when the process ended: is it safe to send it again? NULL:
     * of none it is. Asked in core_start. */
    bool (*may_ask_again)(void *context, uint64_t message);
    /* Of one that was put off then: when it is tried again; TIME_NEVER: it has failed. NULL: at
     * once. Asked in core_start. */
    int64_t (*retry_at_ms)(void *context, const struct claim *claim);
};

struct core_conf {
    const char       *dir;
    const char       *socket; /* told to whoever finds the folder in use */
    struct core_calls calls;
    int64_t           lateness_ms;  /* 0: a day */
    uint64_t          merge_events; /* 0: chosen; a new index base after so many events */
    uint64_t checkpoint_rows;       /* 0: chosen; a checkpoint after so many decisions and events */
    uint32_t removal_each_ms; /* 0: a minute; between two bases made for what is to be forgotten */
    void (*erasing_step)(int step); /* told between the steps of an erasure; for tests */
    bool has_keeper;                /* no erasure is done while none is set: core_keeper_set */
    bool no_snapshot;               /* rebuild the index from the store (for measuring) */
    bool no_checkpoint;             /* and everyone's state from all decisions */
};

/* Opens the store and loads the engine. Nothing runs yet. ERR_* as store_open, with a problem. */
MUST enum err core_open(struct core **out, const struct core_conf *conf, struct problem *problem);
/* Starts the threads; messages in doubt become unknown, or wait to
 * be asked for again (may_ask_again). Set callbacks before (core_calls_set). */
MUST enum err core_start(struct core *core);
void          core_calls_set(struct core *core, struct core_calls calls);
bool          core_is_running(const struct core *core); /* on the thread that starts it */
/* Ends: takes no more tasks, finishes those taken, writes a checkpoint, closes. NULL is nothing. */
void core_close(struct core *core);

/* Hands a task over. ERR_WAIT: no room now; ERR_LIMIT: too many entries; the task is still the
 * caller's. */
MUST enum err core_submit(struct core *core, struct task *task);
/* Submits and waits for the answer; the caller keeps task and arena (done is not called). */
MUST enum err core_run(struct core *core, struct task *task);

/*
 * Doors: each way out tells its room at a door of its own, with the lanes (engine/lane.h) that may
 * use it. Doors are looked at by their numbers. Door 0 is for all lanes until told otherwise, the
 * others are for none.
 */
enum { CORE_DOORS = 32 };
/* So many messages more can go out by the door; they come by calls.claimed when there are any. */
void core_door_room(struct core *core, uint32_t door, uint32_t count);
void core_door_lanes(struct core *core, uint32_t door, uint32_t lanes);
/* Takes back all room not used yet; how much it was. Any thread; but only after a question to the
 * engine's thread, which alone uses room up, is no claim under way that uses some of it. */
uint32_t core_door_take_back(struct core *core, uint32_t door);
void     core_room(struct core *core, uint32_t count); /* of door 0 */

/* How far the erasure of record `seq` is; see erasing.h. */
enum core_erasure_step {
    CORE_ERASURE_ROWS,  /* the store still has rows of the person */
    CORE_ERASURE_INDEX, /* so has the index */
    CORE_ERASURE_FILES, /* so may the store's log and copies made before a change of the schema */
    CORE_ERASURE_DONE,
};
struct core_erasure {
    enum core_erasure_step step;
    char                   reader[64]; /* FILES: who reads what is to be cut; or empty */
};
struct core_erasure core_erasure(struct core *core, uint64_t seq);

/*
 * Who keeps other files in the folder that may name people: an erasure is not done before its
 * keeper says that nothing of before is in them. Asked again and again, on a thread of the core's.
 */
struct core_keeper {
    void *context;
    bool (*is_clear)(void *context, uint64_t erasure);
};
/* NULL: there is none now. When this returns the one before is not asked any more. */
void core_keeper_set(struct core *core, const struct core_keeper *keeper);

/* Who is told, beside the log, what somebody has to do something about: sending has stopped, codes
 * run out. On the engine's thread, so it must not wait. */
struct core_alarm {
    void *context;
    void (*tell)(void *context, const struct problem *problem);
};
/* NULL: there is nobody now. When this returns the one before is not told any more. */
void core_alarm_set(struct core *core, const struct core_alarm *alarm);

/* What readers see, without the engine's thread. */
struct reading *core_reading(struct core *core);

/* How far the removal of stored events is that are no longer kept. */
struct purge_progress core_purge(const struct core *core);

struct store *core_store(struct core *core);
/* Whoever sends says in it what is begun. */
struct begun *core_begun(struct core *core);
/* The system's time zones; never changed while the core lives. */
const struct zones *core_zones(const struct core *core);
/* Only for questions on the engine thread, or before core_start. */
struct engine *core_engine(struct core *core);

struct core_stats {
    uint64_t records, duplicates, refused, commits, commit_failures, merges, checkpoints;
    uint64_t commit_us_last, load_ms, loaded_events, loaded_decisions;
    uint64_t seq, waiting;
    uint64_t erased_seq;                   /* of erasures up to here no row is left */
    uint64_t engine_cpu_us, commit_cpu_us; /* processor time of these two threads since the start */
    bool     failing;                      /* commits fail: 503 */
    bool     snapshot_loaded;              /* the index came from its snapshot */
};
struct core_stats core_stats(struct core *core);
/* How long questions held the engine's thread, one entry a turn of each; see waits.h. */
const struct waits *core_waits(const struct core *core);

#endif
