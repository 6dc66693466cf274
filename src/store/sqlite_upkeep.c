#include "store/sqlite_store.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    WAL_FRAME_HEAD_BYTES = 24,
    REJECTED_TRIM_MAX = 1000, /* rows a call, so that a commit never waits long behind it */
};

static size_t wal_bytes(const struct store *store)
{
    return (size_t)store->wal_frames * (SQLITE_PAGE_BYTES + WAL_FRAME_HEAD_BYTES);
}

/* ---- checkpoints ---- */

enum err sqlite_checkpoint(struct store *store, int mode)
{
    int frames = 0, moved = 0;
    sqlite3_busy_timeout(store->db, 0); /* we never wait for a reader */
    int code = sqlite3_wal_checkpoint_v2(store->db, "main", mode, &frames, &moved);
    sqlite3_busy_timeout(store->db, SQLITE_BUSY_WAIT_MS);
    if (code == SQLITE_OK && mode == SQLITE_CHECKPOINT_TRUNCATE)
        store->wal_frames = 0;
    if (code == SQLITE_OK || code == SQLITE_BUSY)
        store->wal_frames_moved = store->wal_frames;
    enum err err = sqlite_problem(store->db, code, store->path, &store->problem);
    if (err == ERR_CORRUPT)
        store->broken = true;
    return err;
}

struct store_reader *sqlite_reader_oldest(struct store *store)
{
    struct store_reader *oldest = NULL;
    uint64_t             ticket = UINT64_MAX;
    for (struct store_reader *reader = store->readers; reader != NULL; reader = reader->next) {
        uint64_t own = atomic_load(&reader->ticket);
        if (own != 0 && own < ticket) {
            ticket = own;
            oldest = reader;
        }
    }
    return oldest;
}

/*
 * Takes a reader's state away, also while its thread sleeps or runs `each`: SQLite is interrupted
 * if it is at work, then its statements are reset from here. The thread learns of it at its next
 * call.
 */
static void reader_cancel(struct store_reader *reader)
{
    sqlite3_interrupt(reader->db);
    pthread_mutex_lock(&reader->lock);
    if (atomic_load(&reader->ticket) != 0) {
        sqlite3_stmt *statement = NULL;
        while ((statement = sqlite3_next_stmt(reader->db, statement)) != NULL)
            sqlite3_reset(statement);
        if (!sqlite3_get_autocommit(reader->db))
            sqlite3_exec(reader->db, "ROLLBACK", NULL, NULL, NULL);
        reader->cancelled = true;
        atomic_store(&reader->ticket, 0);
    }
    pthread_mutex_unlock(&reader->lock);
}

/* The id of another process that has a lock on the WAL's index, or 0. */
static int stranger_find(const struct store *store)
{
    char        path[SQLITE_PATH_BYTES + 8], line[256];
    struct stat shm;
    int         found = 0;
    snprintf(path, sizeof path, "%s-shm", store->path);
    FILE *locks = fopen("/proc/locks", "re");
    if (locks == NULL)
        return 0;
    if (stat(path, &shm) != 0)
        shm.st_ino = 0;
    while (found == 0 && fgets(line, sizeof line, locks) != NULL) {
        int           pid = 0;
        unsigned      major = 0, minor = 0;
        unsigned long inode = 0;
        if (sscanf(line, "%*d: POSIX %*s %*s %d %x:%x:%lu", &pid, &major, &minor, &inode) == 4 &&
            inode == shm.st_ino && pid != (int)getpid() && pid > 0)
            found = pid;
    }
    fclose(locks);
    return found;
}

void sqlite_holder_name(struct store *store, const struct store_reader *reader, char *out,
                        size_t out_bytes)
{
    int pid;
    if (reader != NULL)
        snprintf(out, out_bytes, "%s", reader->name);
    else if ((pid = stranger_find(store)) != 0)
        snprintf(out, out_bytes, "process %d", pid);
    else
        snprintf(out, out_bytes, "another process");
}

/* Past the bound: with the gate shut nobody can begin, so that truncating has its chance. */
static enum err wal_force(struct store *store, struct store_upkeep *upkeep)
{
    pthread_mutex_lock(&store->gate);
    struct store_reader *oldest = sqlite_reader_oldest(store);
    if (oldest != NULL)
        sqlite_holder_name(store, oldest, upkeep->reader, sizeof upkeep->reader);
    for (struct store_reader *reader = store->readers; reader != NULL; reader = reader->next) {
        if (atomic_load(&reader->ticket) == 0)
            continue;
        reader_cancel(reader);
        upkeep->readers_cancelled++;
    }
    enum err err = sqlite_checkpoint(store, SQLITE_CHECKPOINT_TRUNCATE);
    if (err == ERR_WAIT && upkeep->reader[0] == '\0')
        sqlite_holder_name(store, NULL, upkeep->reader, sizeof upkeep->reader);
    pthread_mutex_unlock(&store->gate);
    return err;
}

static enum err wal_keep_bounded(struct store *store, struct store_upkeep *upkeep)
{
    size_t   bytes = wal_bytes(store), bound = store->wal_bytes_max;
    size_t   step = STORE_WAL_STEP_BYTES < bound / 4 ? STORE_WAL_STEP_BYTES : bound / 4;
    size_t   frame = SQLITE_PAGE_BYTES + WAL_FRAME_HEAD_BYTES;
    size_t   grown = (size_t)(store->wal_frames - store->wal_frames_moved) * frame;
    enum err err;
    /* Where a stranger pins the WAL, our own readers are not cancelled in vain at every commit. */
    bool force = bytes > bound && (grown >= step || !store->wal_stuck);
    if (grown < step && !force)
        return OK;
    if (force)
        err = wal_force(store, upkeep);
    else if (bytes > bound / 2)
        err = sqlite_checkpoint(store, SQLITE_CHECKPOINT_TRUNCATE);
    else
        err = sqlite_checkpoint(store, SQLITE_CHECKPOINT_PASSIVE);
    upkeep->checkpointed = true;
    store->wal_stuck = force && err == ERR_WAIT;
    return err == ERR_WAIT ? OK : err;
}

/* ---- the rejected list ---- */

static enum err rejected_trim(struct store *store)
{
    char          sql[256];
    sqlite3_stmt *statement = NULL;
    if (!store->rejected_grew)
        return OK;
    snprintf(sql, sizeof sql,
             "DELETE FROM rejected WHERE id IN (SELECT id FROM rejected WHERE id <="
             " (SELECT max(id) FROM rejected) - %d ORDER BY id LIMIT %d)",
             STORE_REJECTED_MAX, REJECTED_TRIM_MAX);
    TRY(sqlite_prepare_once(store, sql, &statement));
    enum err err = sqlite_run(store, statement);
    sqlite3_finalize(statement);
    TRY(err);
    store->rejected_grew = sqlite3_changes(store->db) == REJECTED_TRIM_MAX;
    return OK;
}

enum err store_maintain(struct store *store, struct store_upkeep *out)
{
    struct store_upkeep upkeep = { 0 };
    pthread_mutex_lock(&store->lock);
    enum err err = sqlite_writable(store);
    if (err == OK)
        err = rejected_trim(store);
    if (err == OK)
        err = wal_keep_bounded(store, &upkeep);
    upkeep.wal_bytes = wal_bytes(store);
    upkeep.over_bound = upkeep.wal_bytes > store->wal_bytes_max;
    pthread_mutex_unlock(&store->lock);
    TRY(err);
    *out = upkeep;
    return OK;
}

/* ---- checking ---- */

enum err store_check(struct store *store, struct problem *problem)
{
    sqlite3_stmt *statement = NULL;
    pthread_mutex_lock(&store->lock);
    int code = sqlite3_prepare_v2(store->db, "PRAGMA integrity_check(1)", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    enum err    err = sqlite_problem(store->db, code, store->path, problem);
    const char *said = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : "";
    if (err == OK && (said == NULL || strcmp(said, "ok") != 0))
        err = problem_set(problem, ERR_CORRUPT, store->path, said == NULL ? "damaged" : said,
                          "restore the newest backup or before-*.db; `sqlite3 dult.db .recover` "
                          "saves what can be read");
    sqlite3_finalize(statement);
    pthread_mutex_unlock(&store->lock);
    return err;
}
