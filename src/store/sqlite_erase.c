/*
 * Erasure: rows whose bytes are gone, from the file and from the log before it.
 *
 * SQLite's secure_delete overwrites what is freed, with one gap: a page that is rebuilt when cells
 * move to its neighbour (rebuildPage) keeps their old bytes between its pointers and its cells, and
 * when the row is erased at its new place the copy stays. So each page is cleared there on its way
 * into the database. (In the log it may still be found; that is what truncating is for.)
 *
 *      page   | header | pointers ->       <- cells |
 *                                    ^^^^^ nothing lies here that anybody reads
 */
#include "store/sqlite_store.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- pages ---- */

enum {
    PAGE_FIRST_HEAD = 100, /* the first page begins with the file's own header */
    PAGE_LEAF_HEAD = 8,
    PAGE_BRANCH_HEAD = 12,
};

/* Pages of other kinds begin with a page's number, whose first byte is 0 up to here: 128 GB. */
#define PAGES_MAX (INT64_C(1) << 24)

static size_t two_bytes(const unsigned char *at)
{
    return (size_t)at[0] << 8 | at[1];
}

/* The stretch of a page that nobody reads; false for a page that is not of a tree. */
static bool page_gap(const unsigned char *page, size_t head, size_t *from, size_t *to)
{
    bool is_leaf = page[head] == 0x0d || page[head] == 0x0a;
    if (!is_leaf && page[head] != 0x05 && page[head] != 0x02)
        return false;
    *from = head + (is_leaf ? PAGE_LEAF_HEAD : PAGE_BRANCH_HEAD) + 2 * two_bytes(page + head + 3);
    *to = two_bytes(page + head + 5);
    return *from < *to && *to <= SQLITE_PAGE_BYTES;
}

static int page_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
{
    const struct sqlite_clearing *clearing = (const struct sqlite_clearing *)file->pMethods;
    unsigned char                 page[SQLITE_PAGE_BYTES];
    sqlite3_int64                 file_bytes = 0;
    size_t                        from, to;
    bool                          whole = count == SQLITE_PAGE_BYTES && at % SQLITE_PAGE_BYTES == 0;
    if (!whole || !page_gap(bytes, at == 0 ? PAGE_FIRST_HEAD : 0, &from, &to) ||
        clearing->methods.xFileSize(file, &file_bytes) != SQLITE_OK ||
        file_bytes / SQLITE_PAGE_BYTES >= PAGES_MAX)
        return clearing->write(file, bytes, count, at);
    memcpy(page, bytes, sizeof page);
    memset(page + from, 0, to - from);
    return clearing->write(file, page, count, at);
}

/* A database that shrinks by itself has pages that list others, and begin as a tree's may. */
static bool has_lists_of_pages(struct store *store)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite_prepare_once(store, "PRAGMA auto_vacuum", &statement) != OK)
        return true;
    bool has = sqlite3_step(statement) != SQLITE_ROW || sqlite3_column_int(statement, 0) != 0;
    sqlite3_finalize(statement);
    return has;
}

void sqlite_clear_pages(struct store *store)
{
    sqlite3_file *file = NULL;
    if (has_lists_of_pages(store))
        return;
    if (sqlite3_file_control(store->db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
        file == NULL || file->pMethods == NULL)
        return; /* a file layer that does not tell: secure_delete alone */
    store->clearing = (struct sqlite_clearing){ *file->pMethods, file->pMethods->xWrite };
    store->clearing.methods.xWrite = page_write;
    file->pMethods = &store->clearing.methods;
}

/* ---- rows ---- */

static enum err rows_delete(struct store *store, const char *sql, const uint64_t *keys,
                            size_t count)
{
    sqlite3_stmt *statement = NULL;
    if (count == 0)
        return OK;
    TRY(sqlite_prepare_once(store, sql, &statement));
    enum err err = OK;
    for (size_t i = 0; err == OK && i < count; i++) {
        sqlite3_bind_int64(statement, 1, (int64_t)keys[i]); /* a number needs no memory */
        err = sqlite_run(store, statement);
    }
    sqlite3_finalize(statement);
    return err;
}

/* Nothing is written for an id that is not there. */
static enum err details_set(struct store *store, const struct store_decision *rows, size_t count)
{
    sqlite3_stmt *statement = NULL;
    if (count == 0)
        return OK;
    TRY(sqlite_prepare_once(store, "UPDATE decision SET detail=? WHERE id=?", &statement));
    enum err err = OK;
    for (size_t i = 0; err == OK && i < count; i++) {
        int code = sqlite3_bind_text64(statement, 1, rows[i].detail.ptr, rows[i].detail.len,
                                       SQLITE_STATIC, SQLITE_UTF8);
        code |= sqlite3_bind_int64(statement, 2, (int64_t)rows[i].id);
        err = code == SQLITE_OK ? sqlite_run(store, statement) : ERR_MEMORY;
    }
    sqlite3_finalize(statement);
    return err;
}

/* Only the row that was looked at: a checkpoint may have put a newer one in its place. */
static enum err states_set(struct store *store, const struct store_state *rows, size_t count)
{
    sqlite3_stmt *statement = NULL;
    if (count == 0)
        return OK;
    TRY(sqlite_prepare_once(store, "UPDATE profile_state SET state=? WHERE profile=? AND seq=?",
                            &statement));
    enum err err = OK;
    for (size_t i = 0; err == OK && i < count; i++) {
        int code =
            sqlite3_bind_blob64(statement, 1, rows[i].state.ptr, rows[i].state.len, SQLITE_STATIC);
        code |= sqlite3_bind_int64(statement, 2, (int64_t)rows[i].profile);
        code |= sqlite3_bind_int64(statement, 3, (int64_t)rows[i].seq);
        err = code == SQLITE_OK ? sqlite_run(store, statement) : ERR_MEMORY;
    }
    sqlite3_finalize(statement);
    return err;
}

static enum err erase(struct store *store, const struct store_erasure *erasure)
{
    const struct store_last *last = &store->last;
    TRY(sqlite_note(store, SQLITE_NOTE_SEQ, last->seq));
    TRY(sqlite_note(store, SQLITE_NOTE_DECISION, last->decision));
    TRY(sqlite_note(store, SQLITE_NOTE_DEFINITION, last->definition));
    TRY(rows_delete(store, "DELETE FROM event WHERE seq=?", erasure->events,
                    erasure->events_count));
    TRY(rows_delete(store, "DELETE FROM file WHERE seq=?", erasure->events, erasure->events_count));
    TRY(rows_delete(store, "DELETE FROM decision WHERE id=?", erasure->decisions,
                    erasure->decisions_count));
    TRY(rows_delete(store, "DELETE FROM profile_state WHERE profile=?", erasure->profiles,
                    erasure->profiles_count));
    TRY(rows_delete(store, "DELETE FROM rejected WHERE id=?", erasure->rejected,
                    erasure->rejected_count));
    TRY(sqlite_codes_forget(store, erasure->owners, erasure->owners_count));
    for (size_t i = 0; i < erasure->addresses_count; i++)
        TRY(sqlite_suppression_write(
            store,
            &(struct store_suppression){ .address = erasure->addresses[i], .is_erased = true }));
    TRY(details_set(store, erasure->bare, erasure->bare_count));
    TRY(states_set(store, erasure->states, erasure->states_count));
    return sqlite_metas_write(store, erasure->metas, erasure->metas_count);
}

enum err store_erase(struct store *store, const struct store_erasure *erasure)
{
    pthread_mutex_lock(&store->lock);
    enum err err = sqlite_writable(store);
    if (err == OK)
        err = sqlite_run(store, store->begin);
    if (err == OK) {
        err = erase(store, erasure);
        if (err == OK)
            err = sqlite_finish(store);
        else
            sqlite_undo(store);
    }
    pthread_mutex_unlock(&store->lock);
    return err;
}

enum err store_scrub(struct store *store, struct problem *problem)
{
    char name[64];
    pthread_mutex_lock(&store->lock);
    enum err err = sqlite_writable(store);
    if (err == OK) {
        pthread_mutex_lock(&store->gate);
        err = sqlite_checkpoint(store, SQLITE_CHECKPOINT_TRUNCATE);
        if (err == OK)
            sqlite3_db_release_memory(store->db); /* pages in memory have the old bytes, too */
        if (err == ERR_WAIT)
            sqlite_holder_name(store, sqlite_reader_oldest(store), name, sizeof name);
        pthread_mutex_unlock(&store->gate);
    }
    if (err == ERR_WAIT)
        problem_format(problem, ERR_WAIT, store->path, "try again when it has finished",
                       "old bytes stay in the WAL while a reader holds it: %s", name);
    else if (err != OK && problem != NULL)
        *problem = store->problem;
    pthread_mutex_unlock(&store->lock);
    return err;
}

static bool is_snapshot(const char *name)
{
    struct str s = str_of(name);
    return str_starts(s, STR("before-")) && str_ends(s, STR(".db"));
}

enum err store_snapshots_expire(struct store *store, int64_t before_ms, int *removed)
{
    int  count = 0, failed = 0;
    DIR *folder = opendir(store->dir);
    if (folder == NULL)
        return ERR_IO;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        struct stat about;
        if (!is_snapshot(entry->d_name) || fstatat(dirfd(folder), entry->d_name, &about, 0) != 0)
            continue;
        if ((int64_t)about.st_mtim.tv_sec * 1000 + about.st_mtim.tv_nsec / 1000000 >= before_ms)
            continue;
        if (unlinkat(dirfd(folder), entry->d_name, 0) == 0)
            count++;
        else
            failed++;
    }
    closedir(folder);
    if (removed != NULL)
        *removed = count;
    return failed == 0 ? OK : ERR_IO;
}
