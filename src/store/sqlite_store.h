/*
 * sqlite_store: what the sqlite_*.c files share. Nobody else includes this.
 *
 *     sqlite_open.c    lease, pragmas, migrations, snapshots
 *     sqlite_write.c   one transaction a batch
 *     sqlite_upkeep.c  checkpoints, the WAL's bound, checking
 *     sqlite_codes.c   discount codes
 *     sqlite_erase.c   rows whose bytes are gone
 *     sqlite_read.c    readers: states, pages of rows, one-row look-ups
 *     sqlite_rows.c    what each table's statement is and how a row is decoded
 *     sqlite_sql.c     the files of sql/, embedded
 *
 * Locks are taken in this order: store->lock, store->gate, reader->lock.
 */
#ifndef DULT_STORE_SQLITE_STORE_H
#define DULT_STORE_SQLITE_STORE_H

#include <assert.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>

#include "store/store.h"

enum {
    SQLITE_SCHEMA_VERSION = 8,
    SQLITE_APPLICATION_ID = 0x44756c74, /* "Dult" */
    SQLITE_PAGE_BYTES = 8192,           /* 4 KB measured 15 % slower, 16 KB no faster */
    SQLITE_BUSY_WAIT_MS = 2000,         /* for another process's short locks */
    SQLITE_ROWS_AT_ONCE = 16,           /* rows an INSERT takes; see store_bench */
    SQLITE_PATH_BYTES = 4096,
    READER_PAGE_ROWS = 256,         /* rows copied before `each` is called for them */
    READER_PAGE_BYTES = 256 * 1024, /* or fewer, when their text reaches this */
    READER_ARENA_BYTES = 256 << 20, /* no row of ours is near it */
};

/* Keys in `meta`: the largest keys, noted by an erasure. */
#define SQLITE_NOTE_SEQ "store.last_seq"
#define SQLITE_NOTE_DECISION "store.last_decision"
#define SQLITE_NOTE_DEFINITION "store.last_definition"

enum insert_kind {
    INSERT_EVENT,
    INSERT_DECISION,
    INSERT_NAME,
    INSERT_DEFINITION,
    INSERT_REJECTED,
    INSERT_STATE,
    INSERT_COUNT,
};

enum sqlite_codes_statement {
    SQLITE_CODE_ADD,
    SQLITE_CODE_GIVE,
    SQLITE_CODE_ORDER,
    SQLITE_CODE_REDEEM,
    SQLITE_CODES_STATEMENTS,
};

struct insert {
    sqlite3_stmt *one, *many; /* the same for one row and for SQLITE_ROWS_AT_ONCE of them */
};

/* A file's methods with one in the place of xWrite; see sqlite_erase.c. */
struct sqlite_clearing {
    sqlite3_io_methods methods; /* first */
    int (*write)(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at);
};

struct store {
    pthread_mutex_t        lock; /* the writing connection and everything down to `gate` */
    sqlite3               *db;
    sqlite3_stmt          *begin, *commit, *rollback, *meta_set, *meta_unset;
    sqlite3_stmt          *suppression_set, *suppression_unset, *file_set, *files_unset;
    sqlite3_stmt          *definitions_unset;
    sqlite3_stmt          *codes[SQLITE_CODES_STATEMENTS];
    struct insert          inserts[INSERT_COUNT];
    struct store_last      last;
    struct problem         problem; /* of the last failure */
    bool                   read_only, broken;
    uint32_t               partition;
    int                    lease_fd;
    size_t                 wal_bytes_max;
    int                    wal_frames, wal_frames_moved; /* in the WAL; when last checkpointed */
    bool                   wal_stuck; /* truncating past the bound failed: another process reads */
    bool                   rejected_grew;
    struct sqlite_clearing clearing;
    char                   dir[SQLITE_PATH_BYTES - 64], path[SQLITE_PATH_BYTES];

    pthread_mutex_t      gate; /* readers enter a state through it; guards the list */
    struct store_reader *readers;
    uint64_t             tickets; /* given out to readers, in order of beginning */
};

union row {
    struct store_event       event;
    struct store_decision    decision;
    struct store_name        name;
    struct store_definition  definition;
    struct store_rejected    rejected;
    struct store_state       state;
    struct store_credential  credential;
    struct store_suppression suppression;
    struct store_file        file;
    struct store_code        code;
    struct store_code_order  order;
    struct store_codes_count codes;
};

enum statement_kind {
    STATEMENT_BEGIN,
    STATEMENT_END,
    STATEMENT_LAST,
    STATEMENT_EVENTS,
    STATEMENT_EVENT_HEADS,
    STATEMENT_EVENT,
    STATEMENT_DECISIONS,
    STATEMENT_DECISION,
    STATEMENT_NAMES,
    STATEMENT_DEFINITIONS,
    STATEMENT_REJECTED,
    STATEMENT_STATES,
    STATEMENT_CREDENTIALS,
    STATEMENT_META,
    STATEMENT_SUPPRESSIONS,
    STATEMENT_FILES,
    STATEMENT_CODES,
    STATEMENT_CODES_NAMED,
    STATEMENT_CODES_OF,
    STATEMENT_CODE_ORDERS,
    STATEMENT_CODE_ORDER,
    STATEMENT_CODES_COUNT,
    STATEMENT_COUNT,
};

struct store_reader {
    struct store        *store;
    struct store_reader *next;
    pthread_mutex_t      lock; /* held while SQLite works, never while `each` runs */
    sqlite3             *db;
    sqlite3_stmt        *statements[STATEMENT_COUNT];
    struct arena        *page;    /* the text of one page of rows */
    _Atomic uint64_t     ticket;  /* 0: holds no state */
    bool                 chosen;  /* between begin and end */
    bool                 reading; /* inside a reading, `each` may be running */
    bool                 cancelled;
    char                 name[64];
    union row            rows[READER_PAGE_ROWS];
};

/* Decodes the row `statement` stands on, text copied into the arena. ERR_MEMORY. */
typedef enum err row_decode(sqlite3_stmt *statement, struct arena *arena, union row *out);
row_decode       row_event, row_decision, row_name, row_definition, row_rejected, row_state,
    row_credential, row_suppression, row_file, row_code, row_code_order, row_codes_count;

const char *sqlite_statement_sql(enum statement_kind kind);
/* A column's text or bytes in the arena; NULL and empty give STR_NONE. */
MUST enum err sqlite_column_str(sqlite3_stmt *statement, int column, struct arena *arena,
                                struct str *out);

/* The text of sql/<version>_*.sql. */
const char *sqlite_migration(int version);

/* What to do about an SQLite result code. */
enum err sqlite_err(int code);
/* The same with db's message kept in *problem. */
enum err sqlite_problem(sqlite3 *db, int code, const char *where, struct problem *problem);

/* Opens a connection with what all of them share. */
MUST enum err sqlite_connect(const char *path, int flags, sqlite3 **out, struct problem *problem);
MUST enum err sqlite_writer_prepare(struct store *store);
void          sqlite_writer_finish(struct store *store);

/* Undoes an open transaction; when even that fails the store is broken. */
void sqlite_undo(struct store *store);
/* OK when the store takes writes; the lock is held. */
MUST enum err sqlite_writable(struct store *store);
/* COMMIT: OK, or rolled back, or broken. */
MUST enum err sqlite_finish(struct store *store);
/* "store.*" = value, inside a transaction. */
MUST enum err sqlite_note(struct store *store, const char *key, uint64_t value);
/* Inside a transaction. */
MUST enum err sqlite_metas_write(struct store *store, const struct store_meta *metas, size_t count);
/* Sets or removes one row. */
MUST enum err sqlite_suppression_write(struct store *store, const struct store_suppression *row);
/* The same of codes. */
MUST enum err sqlite_codes_prepare(struct store *store);
void          sqlite_codes_finish(struct store *store);
MUST enum err sqlite_codes_write(struct store *store, const struct store_batch *batch);
MUST enum err sqlite_codes_forget(struct store *store, const uint64_t *profiles, size_t count);
/* From here on pages are written into the database without what they have no use for. */
void sqlite_clear_pages(struct store *store);
/* OK, or ERR_WAIT when a reader (passive: never) is in the way of truncating. */
MUST enum err sqlite_checkpoint(struct store *store, int mode);
/* The open reader that began first, or NULL; the gate is held. */
struct store_reader *sqlite_reader_oldest(struct store *store);
/* Who holds the WAL: that reader, or another process. */
void sqlite_holder_name(struct store *store, const struct store_reader *reader, char *out,
                        size_t out_bytes);
/* Prepares a statement that is used once. */
MUST enum err sqlite_prepare_once(struct store *store, const char *sql, sqlite3_stmt **out);
/* One statement without results, kept in store->problem on failure. */
MUST enum err sqlite_run(struct store *store, sqlite3_stmt *statement);

#endif
