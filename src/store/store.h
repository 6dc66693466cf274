/*
 * store: the record of truth.
 *
 * Everything that happened, and everything that followed from it, is appended here; what a batch
 * says is on disk together or not at all. Behind this page stands SQLite in one data folder;
 * another engine can stand here later, and nothing above will know.
 *
 *     commit thread --store_commit(batch)--> [ one writing connection ] --WAL--> dult.db
 *                   --store_maintain()-----> checkpoints between commits, trims, names slow readers
 *     other threads --store_reader_*-------> [ read-only connections, one a thread ]
 *
 *     event: every record, in order              decision: what followed, about one person
 *     seq 41  track "Signed Up", profile 7   <----  id 90  seq 41  prev 0   entered segment
 *     seq 42  identify, profile 7            <----  id 93  seq 42  prev 90  entered journey
 *                                                   (follow prev: a person's whole story)
 *
 * Keys          seq and ids are (partition << STORE_PARTITION_SHIFT) | number: one integer is the
 *               pair. Embedded there is partition 0, so a key is just the number. The top bit stays
 *               0, because a row's key is a signed integer.
 * Always true   one writer: who holds the lease on <dir>/lock. The event path only appends: no row
 *               update, no unique index but the key. Keys of a batch ascend, and lie above all
 *               stored ones of their kind; breaking that is the caller's bug (assert).
 * Cost          about 3 us an event of 350 bytes in batches of 1,000, one sync a batch.
 * Threads       a `struct store` serves any thread, one call at a time (a lock inside); meant for
 *               the commit thread. A `struct store_reader` belongs to one thread.
 * Knows not     what bodies mean: JSON goes in and comes out as text. No clock but for file names.
 */
#ifndef DULT_STORE_STORE_H
#define DULT_STORE_STORE_H

#include "base/str.h"

enum {
    STORE_PARTITION_SHIFT = 52, /* 12 bits above: partitions 0..2047 and the sign */
    STORE_PARTITIONS_MAX = 2048,
    STORE_REJECTED_MAX = 10000, /* rejected events kept: enough to debug a client, no landfill */
};
#define STORE_NUMBER_MAX ((UINT64_C(1) << STORE_PARTITION_SHIFT) - 1)

static inline uint64_t store_key(uint32_t partition, uint64_t number)
{
    return (uint64_t)partition << STORE_PARTITION_SHIFT | number;
}
static inline uint32_t store_key_partition(uint64_t key)
{
    return (uint32_t)(key >> STORE_PARTITION_SHIFT);
}
static inline uint64_t store_key_number(uint64_t key)
{
    return key & STORE_NUMBER_MAX;
}

/*
 * The numbers below are stored: append, never renumber. The store itself gives meaning only to
 * those that its views for people show; any other number up to 2^31 may be used and is kept.
 */
enum store_event_kind {
    STORE_EVENT_TRACK = 1, /* `name` is the event's name */
    STORE_EVENT_IDENTIFY = 2,
    STORE_EVENT_PAGE = 3,
    STORE_EVENT_SCREEN = 4,
    STORE_EVENT_GROUP = 5,
    STORE_EVENT_ALIAS = 6,
    /* What came of what we sent. */
    STORE_EVENT_OUTCOME = 16, /* sent, failed, deferred, unknown: delivery's word */
    STORE_EVENT_BOUNCE = 17,
    STORE_EVENT_COMPLAINT = 18,
    STORE_EVENT_OPEN = 19,
    STORE_EVENT_CLICK = 20,
    STORE_EVENT_UNSUBSCRIBE = 21,
    STORE_EVENT_CLAIM = 22,
    /* What we did ourselves. */
    STORE_EVENT_DEFINITION = 32,
    STORE_EVENT_TIMER = 33,
    STORE_EVENT_JOB = 34,     /* a chunk of a broadcast, a changed segment, an import */
    STORE_EVENT_CONSENT = 35, /* topic, list or suppression changed by hand, API or import */
    STORE_EVENT_ERASURE = 36,
    STORE_EVENT_REQUEST = 37, /* a program asked for a message; its key is `message_id` */
    STORE_EVENT_OTHER = 63,
};

/*
 * `subject` is what it is about, a number in the dictionary (the name of a segment, journey,
 * template, topic ...). `object` is the id of the decision that began it: an enrollment or a
 * message is named by the id of its first row, and all later rows about it carry that id.
 */
enum store_decision_kind {
    STORE_DECISION_PROFILE_CREATED = 1,  /* a new profile */
    STORE_DECISION_PROFILE_MERGED = 2,   /* subject: profile absorbed; this id is the merge */
    STORE_DECISION_PROFILE_UNDONE = 3,   /* a merge undone; object: merge id */
    STORE_DECISION_TRAITS = 4,           /* detail: {"country":"NO"} changed traits */
    STORE_DECISION_PARKED = 5,           /* consequences beyond the bound were parked */
    STORE_DECISION_IDENTITY = 6,         /* an identity was given to the profile */
    STORE_DECISION_SHARED = 7,           /* a device that more than one person has used */
    STORE_DECISION_PROFILE_ERASED = 8,   /* of what was before only bare rows may be left */
    STORE_DECISION_SEGMENT_ENTERED = 16, /* subject: segment */
    STORE_DECISION_SEGMENT_LEFT = 17,
    STORE_DECISION_JOURNEY_ENTERED = 32, /* subject: journey; this id is the enrollment */
    STORE_DECISION_JOURNEY_STEPPED = 33, /* object: enrollment; detail: {"node":"pause",...} */
    STORE_DECISION_JOURNEY_WAITING = 34, /* object: enrollment; detail: {"node":..,"until":ms} */
    STORE_DECISION_JOURNEY_EXITED = 35,  /* object: enrollment; detail: {"reason":"finished"} */
    STORE_DECISION_JOURNEY_REFUSED = 36, /* subject: journey; detail: {"reason"} */
    STORE_DECISION_HELD_OUT = 37,        /* subject: journey, or a broadcast's row */
    STORE_DECISION_JOURNEY_GOAL = 38,    /* object: enrollment; detail: {"event","value"} */
    STORE_DECISION_JOURNEY_MISSED = 39,  /* object: enrollment; the goal's time is over */
    STORE_DECISION_JOURNEY_MOVED = 40,   /* object: enrollment; detail: {"version","node"} */
    STORE_DECISION_MESSAGE_QUEUED = 48,  /* the intent. subject: template; object: enrollment or 0;
                                            this id is the message; detail: {"channel","to",..} */
    STORE_DECISION_MESSAGE_WAITING = 49, /* object: message, from here down */
    STORE_DECISION_MESSAGE_DROPPED = 50, /* detail: {"reason":"consent"} */
    STORE_DECISION_MESSAGE_SENDING = 51, /* claimed; detail: what the template needs, frozen */
    STORE_DECISION_MESSAGE_SENT = 52,
    STORE_DECISION_MESSAGE_FAILED = 53,
    STORE_DECISION_MESSAGE_UNKNOWN = 54,
    STORE_DECISION_MESSAGE_BOUNCED = 55,
    STORE_DECISION_MESSAGE_COMPLAINED = 56,
    STORE_DECISION_MESSAGE_OPENED = 57,
    STORE_DECISION_MESSAGE_CLICKED = 58,
    STORE_DECISION_MESSAGE_UNSUBSCRIBED = 59,
    STORE_DECISION_MESSAGE_RETURNED = 60, /* never begun, queued again */
    STORE_DECISION_MESSAGE_CODE = 61, /* subject: its number in the pool; object: the enrollment, or
                                         the message; detail: {"codes","message",..} */
    STORE_DECISION_MESSAGE_LACKS = 62, /* object: message; nothing is left of a pool */
    STORE_DECISION_CONSENT_GIVEN = 64, /* subject: topic */
    STORE_DECISION_CONSENT_WITHDRAWN = 65,
    STORE_DECISION_LIST_JOINED = 66, /* subject: list */
    STORE_DECISION_LIST_LEFT = 67,
    STORE_DECISION_SUPPRESSED = 68, /* detail: {"address","reason"} */
    STORE_DECISION_UNSUPPRESSED = 69,
    STORE_DECISION_CONTEXT = 70, /* what the network shows; detail: {"country","zone","locale"} */
    STORE_DECISION_CONSENT_PENDING = 71, /* subject: topic; given, and still to be confirmed */
    STORE_DECISION_CONSENT_UNSAID = 72,  /* subject: topic; what was said is taken back */
};

enum store_name_kind { /* which dictionary; at most 255 of them */
                       STORE_NAME_EVENT = 1,
                       STORE_NAME_PROPERTY = 2,
                       STORE_NAME_TRAIT = 3,
                       STORE_NAME_SEGMENT = 4,
                       STORE_NAME_JOURNEY = 5,
                       STORE_NAME_TEMPLATE = 6,
                       STORE_NAME_TOPIC = 7,
                       STORE_NAME_LIST = 8,
                       STORE_NAME_CODES = 9,
                       STORE_NAME_BROADCAST = 10,
                       STORE_NAME_SOURCE = 11,
};

enum store_definition_kind {
    STORE_DEFINITION_WORKSPACE = 1,
    STORE_DEFINITION_SEGMENT = 2,
    STORE_DEFINITION_JOURNEY = 3,
    STORE_DEFINITION_TEMPLATE = 4,
    STORE_DEFINITION_TOPIC = 5,
    STORE_DEFINITION_LIST = 6,
    STORE_DEFINITION_SENDER = 7,
    STORE_DEFINITION_BROADCAST = 8,
    STORE_DEFINITION_SOURCE = 9,
    STORE_DEFINITION_DESTINATION = 10,
    STORE_DEFINITION_TRAIT = 11,
    STORE_DEFINITION_STAGES = 12,
    STORE_DEFINITION_RETENTION = 13,
    STORE_DEFINITION_SNIPPET = 14,
    STORE_DEFINITION_TOPIC_TEXTS = 18,
    STORE_DEFINITION_CODES = 20,
    STORE_DEFINITION_QUESTION = 21,
    STORE_DEFINITION_FILE = 22,
    STORE_DEFINITION_OTHER = 63,
};

/* ---- rows. Text that is empty is stored as NULL and read back as {NULL, 0}. ---- */

struct store_event {
    uint64_t   seq;
    int64_t    received_ms, at_ms;
    uint32_t   kind, flags; /* flags: the caller's bits */
    uint32_t   source;      /* a credential's id; 0 is Dult itself */
    uint32_t   name;        /* dictionary EVENT; 0 none */
    uint64_t   profile;     /* 0 none */
    struct str user_id, anonymous_id, message_id;
    struct str body; /* JSON */
};

struct store_decision {
    uint64_t   id, seq;       /* seq: the record it followed from */
    uint64_t   profile, prev; /* prev: the decision before about the same profile; 0 none */
    int64_t    at_ms;
    uint32_t   kind;
    uint64_t   subject, object;
    struct str detail; /* JSON */
};

struct store_name {
    uint32_t   partition;
    uint32_t   kind; /* enum store_name_kind, 1..255 */
    uint32_t   id;
    struct str text;
};

struct store_definition {
    uint64_t   id, seq;
    int64_t    at_ms;
    uint32_t   kind, version;
    struct str name, text, author; /* text empty: deleted from here on */
    bool       replaces;           /* earlier ones of that kind and name go; false as it is read */
};

struct store_rejected {
    uint64_t   id; /* given by the store, in order; ignored when written */
    int64_t    received_ms;
    uint32_t   source, kind;
    struct str reason, field, remedy, message_id, body;
};

struct store_state {
    uint64_t   profile; /* a key: rows are kept and read in its order */
    uint64_t   seq;     /* the state is true after this record */
    struct str state;   /* bytes the engine understands */
};

struct store_meta {
    struct str key, value; /* an empty value removes the key */
};

struct store_suppression {
    uint64_t   id;        /* given by the store, the newest change last; ignored when written */
    struct str address;   /* in lower case; one row each */
    uint32_t   reason;    /* the engine's number */
    bool       is_erased; /* written: no row is left */
    int64_t    at_ms;
    uint64_t   seq;
    struct str said;
};

/* What goes with a message that a program asked for. Its rows go when the message is final. */
struct store_file {
    uint64_t   seq;    /* the request's record */
    uint32_t   number; /* from 1 */
    struct str name, type, content;
};

/* A discount code. Journey and template are dictionary numbers + 1, 0 none; instants 0 never. */
struct store_code {
    uint64_t   key;        /* store_code_key */
    struct str text, fold; /* fold: in lower case; empty of a fixed code */
    uint64_t   profile, message, enrollment;
    uint32_t   journey, template_id;
    int64_t    given_ms, expires_ms, redeemed_ms;
    uint32_t   orders;
};

/* The order that redeemed a code. */
struct store_code_order {
    uint64_t   key;
    struct str order_id;
    int64_t    at_ms;
    uint64_t   profile; /* who ordered */
};

struct store_codes_count {
    uint64_t given, redeemed, expired; /* expired: given, and never redeemed */
    uint64_t orders;
};

/* Of one partition; number 0 is that of no code of theirs. */
static inline uint64_t store_code_key(uint32_t pool, uint32_t number)
{
    return (uint64_t)(pool & 0xffff) << 32 | number;
}

struct store_credential {
    uint32_t   id;
    struct str kind; /* "write", "api", "owner" */
    struct str name, hash, scopes;
    int64_t    created_ms, revoked_ms; /* revoked 0: valid */
};

/* ---- the writer ---- */

struct store;

struct store_conf {
    struct str dir;           /* made with mode 0700 when absent */
    struct str socket;        /* told to whoever finds the lease taken; may be empty */
    bool       read_only;     /* no lease, no writes: to look while another process serves */
    uint32_t   partition;     /* 0 embedded */
    size_t     wal_bytes_max; /* 0: STORE_WAL_BYTES_MAX */
};

/* Beyond this a reader who pins the WAL is cancelled: half a GB is what a small disk can spare. */
#define STORE_WAL_BYTES_MAX ((size_t)512 << 20)
/* A checkpoint is due each time this much has been appended: about 10 ms of work at a time. */
#define STORE_WAL_STEP_BYTES ((size_t)4 << 20)

/*
 * Takes the lease, opens or makes the database, brings an older schema up to date (first writing
 * <dir>/before-<version>-<time>.db). *problem says what to do on
 *   ERR_CONFLICT  another process holds the lease (named), or the schema is newer than this program
 *   ERR_CORRUPT   the file is damaged
 *   ERR_ABSENT    read_only, and there is no database
 *   ERR_IO        folder or disk
 */
MUST enum err store_open(struct store **out, const struct store_conf *conf,
                         struct problem *problem);
void          store_close(struct store *store); /* NULL is nothing; close the readers first */
void          store_closep(struct store **store);

/* The largest keys ever stored in our partition, erased ones too; the next row is one more. */
struct store_last {
    uint64_t seq, decision, definition; /* store_key(partition, 0) when there is none yet */
    uint32_t credential;
};
MUST enum err store_last(struct store *store, struct store_last *out);

struct store_batch {
    const struct store_event       *events;
    size_t                          events_count;
    const struct store_decision    *decisions;
    size_t                          decisions_count;
    const struct store_name        *names;
    size_t                          names_count;
    const struct store_definition  *definitions;
    size_t                          definitions_count;
    const struct store_rejected    *rejected;
    size_t                          rejected_count;
    const struct store_state       *states; /* checkpoint slices: replace the row of that profile */
    size_t                          states_count;
    const struct store_meta        *metas;
    size_t                          metas_count;
    const struct store_suppression *suppressions; /* in order: replace the row of that address */
    size_t                          suppressions_count;
    const struct store_file        *files;
    size_t                          files_count;
    const uint64_t                 *files_done; /* requests whose files go */
    size_t                          files_done_count;
    const struct store_code        *codes; /* new: key, text and fold */
    size_t                          codes_count;
    const struct store_code        *given; /* to whom; a row is made where there is none */
    size_t                          given_count;
    const struct store_code_order  *orders;
    size_t                          orders_count;
};

/*
 * Writes all of the batch in one transaction and syncs it. Borrows the batch during the call.
 *   OK            durable
 *   ERR_WAIT      another process was writing: nothing written, the same batch can be tried again
 *   ERR_IO        disk full or failing, or
 *   ERR_MEMORY    no memory: nothing written, the same batch can be tried again
 *   ERR_DENIED    opened read_only
 *   ERR_CORRUPT   the outcome is unknown or the file is damaged: the store refuses every later
 *                 write; close it, drop the engine, open again and load what is there. The batch is
 *                 then found whole or not at all.
 *   ERR_CONFLICT  a key was already there: engine and store disagree. Nothing written; reload
 *                 likewise.
 *   ERR_LIMIT     a row beyond the engine's own bound (1 GB): nothing written.
 */
MUST enum err store_commit(struct store *store, const struct store_batch *batch);
/* What the last failure was, for the log; empty `what` when there was none. */
void store_problem(struct store *store, struct problem *out);

/*
 * To be called between commits and when idle. Each STORE_WAL_STEP_BYTES it moves the WAL into the
 * database (passive: waits for nobody), which also lets the next commit begin the WAL anew unless a
 * reader pins it. Past half the bound it truncates if no reader is in the way; past the bound it
 * cancels every reader of this process that pins the WAL, names the oldest, and truncates. Also
 * trims the rejected list. Never waits for a reader. ERR_IO and ERR_MEMORY: try again later.
 */
struct store_upkeep {
    size_t wal_bytes;    /* size of the WAL afterwards */
    bool   checkpointed; /* some work was done */
    bool   over_bound;   /* the WAL is beyond its bound: another process pins it */
    int    readers_cancelled;
    char   reader[64]; /* who pinned the WAL longest: a reader, or "process 123" */
};
MUST enum err store_maintain(struct store *store, struct store_upkeep *out);

/* A consistent copy, compacted, while the store is in use. `path` must not exist. */
MUST enum err store_snapshot(struct store *store, const char *path, struct problem *problem);
/* Removes <dir>/before-*.db last changed before that instant: no copy outlives an erasure. */
MUST enum err store_snapshots_expire(struct store *store, int64_t before_ms, int *removed);

/*
 * Erasure: removes the rows named and overwrites their bytes in the file, all or none in one
 * transaction. Old bytes remain in the WAL until store_scrub has returned OK: ERR_WAIT names in
 * *problem the reader that is in the way. Errors of store_erase as of store_commit.
 */
struct store_erasure {
    const uint64_t *events, *decisions, *profiles, *rejected; /* profiles: their profile_state */
    size_t          events_count, decisions_count, profiles_count, rejected_count;
    const struct store_decision *bare; /* of them only id and detail: it replaces the stored one */
    size_t                       bare_count;
    const struct store_state    *states; /* replace the rows of that profile and seq */
    size_t                       states_count;
    const struct store_meta     *metas;
    size_t                       metas_count;
    const struct str            *addresses; /* of suppressions, in lower case */
    size_t                       addresses_count;
    const uint64_t              *owners; /* their codes stay spent, and are nobody's */
    size_t                       owners_count;
};
MUST enum err store_erase(struct store *store, const struct store_erasure *erasure);
MUST enum err store_scrub(struct store *store, struct problem *problem);

/* Reads every page and checks the structure. Slow: for a person, not for the loop. */
MUST enum err store_check(struct store *store, struct problem *problem);

/* The small tables that are not on the event path. */
MUST enum err store_credential_add(struct store *store, const struct store_credential *credential,
                                   uint32_t *id);
/* ERR_ABSENT when there is no such credential or it is revoked already. */
MUST enum err store_credential_revoke(struct store *store, uint32_t id, int64_t revoked_ms);

/* ---- readers: one a thread; read-only. ---- */

struct store_reader;

/* `name` says in reports who it is ("report: funnel"). Close all readers before the store. */
MUST enum err store_reader_open(struct store *store, const char *name, struct store_reader **out);
void          store_reader_close(struct store_reader *reader);
void          store_reader_closep(struct store_reader **reader);

/*
 * Between begin and end every call sees one state, that of *seq_last (may be NULL). Without it each
 * call sees the latest. A reader who holds a state too long may be cancelled by store_maintain:
 * calls then give ERR_WAIT until store_reader_end; begin again and go on from the last row.
 */
MUST enum err store_reader_begin(struct store_reader *reader, uint64_t *seq_last);
void          store_reader_end(struct store_reader *reader);

/*
 * Rows are handed to `each` in the order of their key; text is borrowed until it returns. What
 * `each` returns other than OK stops the reading and is returned. `each` may take its time, and may
 * use this reader for one-row calls (store_event_get ...), but not for another reading.
 * Errors: ERR_WAIT cancelled; ERR_IO; ERR_CORRUPT damaged file; ERR_MEMORY.
 */
typedef enum err store_event_each(void *ctx, const struct store_event *row);
typedef enum err store_decision_each(void *ctx, const struct store_decision *row);
typedef enum err store_name_each(void *ctx, const struct store_name *row);
typedef enum err store_definition_each(void *ctx, const struct store_definition *row);
typedef enum err store_rejected_each(void *ctx, const struct store_rejected *row);
typedef enum err store_state_each(void *ctx, const struct store_state *row);
typedef enum err store_credential_each(void *ctx, const struct store_credential *row);
typedef enum err store_suppression_each(void *ctx, const struct store_suppression *row);

/* Both ends included. */
MUST enum err store_events_read(struct store_reader *reader, uint64_t seq_from, uint64_t seq_to,
                                store_event_each *each, void *ctx);
/* The same without ids and body, but with message_id: to go over many quickly. */
MUST enum err store_event_heads_read(struct store_reader *reader, uint64_t seq_from,
                                     uint64_t seq_to, store_event_each *each, void *ctx);
MUST enum err store_decisions_read(struct store_reader *reader, uint64_t id_from, uint64_t id_to,
                                   store_decision_each *each, void *ctx);
/* Those of the named ones that exist, in the order named; ascending is fastest. */
MUST enum err store_events_by_seqs(struct store_reader *reader, const uint64_t *seqs, size_t count,
                                   store_event_each *each, void *ctx);
/* A person's decisions from `id` backwards along prev, newest first, at most `most`. */
MUST enum err store_story_read(struct store_reader *reader, uint64_t id, size_t most,
                               store_decision_each *each, void *ctx);
MUST enum err store_names_read(struct store_reader *reader, store_name_each *each, void *ctx);
/* Every version, oldest first; the last of a (kind, name) counts. */
MUST enum err store_definitions_read(struct store_reader *reader, uint64_t id_from,
                                     store_definition_each *each, void *ctx);
MUST enum err store_states_read(struct store_reader *reader, uint64_t profile_from,
                                store_state_each *each, void *ctx);
/* The newest `most`, newest first. */
MUST enum err store_rejected_read(struct store_reader *reader, size_t most,
                                  store_rejected_each *each, void *ctx);
MUST enum err store_credentials_read(struct store_reader *reader, store_credential_each *each,
                                     void *ctx);

/* The files of one request, in order. */
typedef enum err store_file_each(void *ctx, const struct store_file *row);
MUST enum err    store_files_read(struct store_reader *reader, uint64_t seq, store_file_each *each,
                                  void *ctx);

/* Those with an id below `before`, the newest first. */
MUST enum err store_suppressions_read(struct store_reader *reader, uint64_t before,
                                      store_suppression_each *each, void *ctx);

/* One row, its text copied into the arena. ERR_ABSENT. */
MUST enum err store_event_get(struct store_reader *reader, struct arena *arena, uint64_t seq,
                              struct store_event *out);
MUST enum err store_decision_get(struct store_reader *reader, struct arena *arena, uint64_t id,
                                 struct store_decision *out);
MUST enum err store_meta_get(struct store_reader *reader, struct arena *arena, struct str key,
                             struct str *out);

/* Codes by key, both ends included; those of that spelling in lower case; those given to a profile
 * with keys between these, the last first. */
typedef enum err store_code_each(void *ctx, const struct store_code *row);
MUST enum err    store_codes_read(struct store_reader *reader, uint64_t key_from, uint64_t key_to,
                                  store_code_each *each, void *ctx);
MUST enum err store_codes_named(struct store_reader *reader, struct str fold, store_code_each *each,
                                void *ctx);
MUST enum err store_codes_of(struct store_reader *reader, uint64_t profile, uint64_t key_from,
                             uint64_t key_to, store_code_each *each, void *ctx);
/* The orders that redeemed a code, or that one alone. */
typedef enum err store_code_order_each(void *ctx, const struct store_code_order *row);
MUST enum err    store_code_orders(struct store_reader *reader, uint64_t key, struct str order_id,
                                   store_code_order_each *each, void *ctx);
/* ERR_ABSENT. */
MUST enum err store_code_get(struct store_reader *reader, struct arena *arena, uint64_t key,
                             struct store_code *out);
/* Reads all of them: some 60 ms a million. */
MUST enum err store_codes_count(struct store_reader *reader, uint64_t key_from, uint64_t key_to,
                                int64_t now_ms, struct store_codes_count *out);

#endif
