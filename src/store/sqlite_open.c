#include "store/sqlite_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"

enum err sqlite_err(int code)
{
    if (code == SQLITE_IOERR_NOMEM)
        return ERR_MEMORY;
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return OK;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_INTERRUPT:
        return ERR_WAIT;
    case SQLITE_NOMEM:
        return ERR_MEMORY;
    case SQLITE_CONSTRAINT:
        return ERR_CONFLICT;
    case SQLITE_TOOBIG:
        return ERR_LIMIT;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return ERR_IO;
    default: /* CORRUPT, NOTADB, and what only a broken schema could cause */
        return ERR_CORRUPT;
    }
}

static const char *remedy_for(enum err err)
{
    switch (err) {
    case ERR_WAIT:
        return "another process uses the database; try again when it is done";
    case ERR_MEMORY:
        return "free memory, then try again";
    case ERR_IO:
        return "look for a full disk, wrong owner or failing device, then try again";
    case ERR_CONFLICT:
        return "stop, and start again so that the state is loaded anew";
    case ERR_CORRUPT:
        return "stop, keep a copy of the folder, and restore the newest backup or before-*.db; "
               "`sqlite3 dult.db .recover` saves what can be read";
    default:
        return "make the row smaller";
    }
}

enum err sqlite_problem(sqlite3 *db, int code, const char *where, struct problem *problem)
{
    enum err err = sqlite_err(code);
    if (err == OK)
        return OK;
    return problem_format(problem, err, where, remedy_for(err), "%s (%d)",
                          db == NULL ? sqlite3_errstr(code) : sqlite3_errmsg(db), code);
}

enum err sqlite_connect(const char *path, int flags, sqlite3 **out, struct problem *problem)
{
    sqlite3 *db = NULL;
    int      code =
        sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_busy_timeout(db, SQLITE_BUSY_WAIT_MS);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db,
                            "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"
                            "PRAGMA temp_store=MEMORY;",
                            NULL, NULL, NULL);
    if (code != SQLITE_OK) {
        enum err err = sqlite_problem(db, code, path, problem);
        sqlite3_close(db);
        return err;
    }
    *out = db;
    return OK;
}

/* ---- the lease: whoever holds the lock on <dir>/lock writes ---- */

static enum err lease_taken(int fd, const char *path, struct problem *problem)
{
    char    text[200] = "";
    ssize_t got = pread(fd, text, sizeof text - 1, 0);
    if (got <= 0)
        return problem_set(problem, ERR_CONFLICT, path, "another process holds the data folder",
                           "stop that process, or use another folder");
    text[strcspn(text, "\n")] = '\0';
    return problem_format(problem, ERR_CONFLICT, path,
                          "talk to that process, stop it, or use another folder",
                          "the data folder is held by %s", text);
}

static enum err lease_take(struct store *store, struct str socket, struct problem *problem)
{
    char path[SQLITE_PATH_BYTES];
    char text[200];
    snprintf(path, sizeof path, "%s/lock", store->dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return problem_set(problem, ERR_IO, path, strerror(errno), "give us a folder we may use");
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        enum err err = lease_taken(fd, path, problem);
        close(fd);
        return err;
    }
    int len =
        snprintf(text, sizeof text, "process %d, socket %.*s\n", (int)getpid(),
                 (int)(socket.len < 120 ? socket.len : 120), socket.len == 0 ? "" : socket.ptr);
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len) {
        close(fd);
        return problem_set(problem, ERR_IO, path, strerror(errno), "free some disk space");
    }
    store->lease_fd = fd;
    return OK;
}

/* ---- schema ---- */

static int on_wal(void *ctx, sqlite3 *db, const char *schema, int frames)
{
    (void)db;
    (void)schema;
    struct store *store = ctx;
    store->wal_frames = frames;
    if (frames < store->wal_frames_moved) /* the WAL was begun anew */
        store->wal_frames_moved = 0;
    return SQLITE_OK;
}

/* The number in the first column of the first row; *out is left alone without a row. */
static enum err ask_int(struct store *store, const char *sql, int64_t *out, struct problem *problem)
{
    sqlite3_stmt *statement = NULL;
    int           code = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *out = sqlite3_column_int64(statement, 0);
    enum err err = sqlite_problem(store->db, code, store->path, problem);
    sqlite3_finalize(statement);
    return err;
}

static enum err exec(struct store *store, const char *sql, struct problem *problem)
{
    int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    return sqlite_problem(store->db, code, store->path, problem);
}

static enum err file_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ERR_IO;
    int failed = fsync(fd);
    close(fd);
    return failed == 0 ? OK : ERR_IO;
}

static enum err snapshot(struct store *store, const char *path, struct problem *problem)
{
    sqlite3_stmt *statement = NULL;
    if (access(path, F_OK) == 0)
        return problem_set(problem, ERR_CONFLICT, path, "there is already a file of that name",
                           "choose another name");
    int code = sqlite3_prepare_v2(store->db, "VACUUM INTO ?1", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(statement, 1, path, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    enum err err = sqlite_problem(store->db, code, path, problem);
    sqlite3_finalize(statement);
    if (err == OK && (chmod(path, 0600) != 0 || file_sync(path) != OK))
        err = problem_set(problem, ERR_IO, path, strerror(errno), remedy_for(ERR_IO));
    if (err != OK)
        unlink(path);
    return err;
}

enum err store_snapshot(struct store *store, const char *path, struct problem *problem)
{
    pthread_mutex_lock(&store->lock);
    enum err err = snapshot(store, path, problem);
    pthread_mutex_unlock(&store->lock);
    return err;
}

static enum err snapshot_before(struct store *store, int version, struct problem *problem)
{
    char path[SQLITE_PATH_BYTES];
    char when[TIME_TEXT_BYTES];
    time_write(time_now_ms(), when);
    for (char *at = when; *at != '\0'; at++)
        if (*at == ':')
            *at = '-';
    snprintf(path, sizeof path, "%s/before-%d-%s.db", store->dir, version + 1, when);
    return snapshot(store, path, problem);
}

/* Each step is one transaction with its version, so a crash leaves a whole version. */
static enum err migrate_step(struct store *store, int version, struct problem *problem)
{
    char set[64];
    snprintf(set, sizeof set, "PRAGMA user_version=%d; COMMIT;", version + 1);
    enum err err = exec(store, "BEGIN IMMEDIATE", problem);
    if (err == OK)
        err = exec(store, sqlite_migration(version + 1), problem);
    if (err == OK)
        err = exec(store, set, problem);
    if (err != OK && !sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return err;
}

static enum err schema_look(struct store *store, int *version, struct problem *problem)
{
    int64_t application = 0, found = 0, tables = 0;
    TRY(ask_int(store, "PRAGMA application_id", &application, problem));
    TRY(ask_int(store, "PRAGMA user_version", &found, problem));
    TRY(ask_int(store, "SELECT count(*) FROM sqlite_schema", &tables, problem));
    if (application != SQLITE_APPLICATION_ID && (application != 0 || tables != 0))
        return problem_set(problem, ERR_CONFLICT, store->path,
                           "this database belongs to another program", "use another folder");
    if (found > SQLITE_SCHEMA_VERSION)
        return problem_format(problem, ERR_CONFLICT, store->path,
                              "start the newer program, or restore the before-*.db it left when it "
                              "changed the data",
                              "the data has version %d; this program knows up to %d", (int)found,
                              SQLITE_SCHEMA_VERSION);
    *version = (int)found;
    return OK;
}

static enum err schema_migrate(struct store *store, int version, struct problem *problem)
{
    char claim[64];
    snprintf(claim, sizeof claim, "PRAGMA application_id=%d", SQLITE_APPLICATION_ID);
    if (version == 0)
        TRY(exec(store, claim, problem));
    bool has_data = version > 0;
    for (; version < SQLITE_SCHEMA_VERSION; version++) {
        if (has_data)
            TRY(snapshot_before(store, version, problem));
        TRY(migrate_step(store, version, problem));
    }
    return OK;
}

/* ---- opening ---- */

static enum err last_key(struct store *store, const char *table, const char *key, uint64_t *out,
                         struct problem *problem)
{
    char     sql[256];
    uint64_t from = store_key(store->partition, 0);
    int64_t  value = (int64_t)from;
    snprintf(sql, sizeof sql,
             "SELECT %s FROM %s WHERE %s BETWEEN %lld AND %lld ORDER BY %s DESC LIMIT 1", key,
             table, key, (long long)from, (long long)(from | STORE_NUMBER_MAX), key);
    TRY(ask_int(store, sql, &value, problem));
    *out = (uint64_t)value;
    return OK;
}

/* Erasing the newest row must not give its key away again: store_erase has noted the keys. */
static enum err last_noted(struct store *store, struct store_last *last, struct problem *problem)
{
    struct {
        const char *sql;
        uint64_t   *key;
    } notes[] = {
        { "SELECT value FROM meta WHERE key='" SQLITE_NOTE_SEQ "'", &last->seq },
        { "SELECT value FROM meta WHERE key='" SQLITE_NOTE_DECISION "'", &last->decision },
        { "SELECT value FROM meta WHERE key='" SQLITE_NOTE_DEFINITION "'", &last->definition },
    };
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
        int64_t value = 0;
        TRY(ask_int(store, notes[i].sql, &value, problem));
        if ((uint64_t)value > *notes[i].key)
            *notes[i].key = (uint64_t)value;
    }
    return OK;
}

static enum err last_load(struct store *store, struct problem *problem)
{
    struct store_last *last = &store->last;
    int64_t            credential = 0;
    TRY(last_key(store, "event", "seq", &last->seq, problem));
    TRY(last_key(store, "decision", "id", &last->decision, problem));
    TRY(last_key(store, "definition", "id", &last->definition, problem));
    TRY(ask_int(store, "SELECT max(id) FROM credential", &credential, problem));
    last->credential = (uint32_t)credential;
    return last_noted(store, last, problem);
}

static enum err open_writer(struct store *store, const struct store_conf *conf,
                            struct problem *problem)
{
    char page[64];
    int  version = 0;
    if (mkdir(store->dir, 0700) != 0 && errno != EEXIST)
        return problem_set(problem, ERR_IO, store->dir, strerror(errno),
                           "make the folder's parent, or give us rights to it");
    TRY(lease_take(store, conf->socket, problem));
    TRY(sqlite_connect(store->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &store->db,
                       problem));
    sqlite_clear_pages(store);
    snprintf(page, sizeof page, "PRAGMA page_size=%d", SQLITE_PAGE_BYTES);
    TRY(exec(store, page, problem));
    TRY(schema_look(store, &version, problem));
    TRY(exec(store,
             "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
             "PRAGMA secure_delete=ON; PRAGMA cache_size=-8192;",
             problem));
    sqlite3_wal_hook(store->db, on_wal, store);
    TRY(schema_migrate(store, version, problem));
    TRY(last_load(store, problem));
    enum err err = sqlite_writer_prepare(store);
    if (err != OK)
        return sqlite_problem(store->db, sqlite3_errcode(store->db), store->path, problem);
    return OK;
}

static enum err open_looker(struct store *store, struct problem *problem)
{
    int version = 0;
    if (access(store->path, F_OK) != 0)
        return problem_set(problem, ERR_ABSENT, store->path, "there is no database here",
                           "name the data folder of a server that has run");
    TRY(sqlite_connect(store->path, SQLITE_OPEN_READONLY, &store->db, problem));
    TRY(schema_look(store, &version, problem));
    if (version != SQLITE_SCHEMA_VERSION)
        return problem_format(problem, ERR_CONFLICT, store->path,
                              "start the server of this version once: it updates the data",
                              "the data has version %d, this program reads %d", version,
                              SQLITE_SCHEMA_VERSION);
    return last_load(store, problem);
}

enum err store_open(struct store **out, const struct store_conf *conf, struct problem *problem)
{
    assert(conf->partition < STORE_PARTITIONS_MAX);
    SCOPED(store_closep) struct store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return problem_set(problem, ERR_MEMORY, "store", "no memory", remedy_for(ERR_MEMORY));
    store->lease_fd = -1;
    pthread_mutex_init(&store->lock, NULL);
    pthread_mutex_init(&store->gate, NULL);
    if (conf->dir.len == 0 || conf->dir.len >= sizeof store->dir)
        return problem_set(problem, ERR_INPUT, "data folder", "its name is empty or too long",
                           "name a folder with fewer than 4,000 bytes");
    str_to_cstr(conf->dir, store->dir, sizeof store->dir);
    snprintf(store->path, sizeof store->path, "%s/dult.db", store->dir);
    store->read_only = conf->read_only;
    store->partition = conf->partition;
    store->wal_bytes_max = conf->wal_bytes_max == 0 ? STORE_WAL_BYTES_MAX : conf->wal_bytes_max;
    if (conf->read_only)
        TRY(open_looker(store, problem));
    else
        TRY(open_writer(store, conf, problem));
    *out = store;
    store = NULL;
    return OK;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    assert(store->readers == NULL);
    sqlite_writer_finish(store);
    int code = sqlite3_close(store->db); /* the last connection also moves and removes the WAL */
    assert(code == SQLITE_OK);
    (void)code;
    if (store->lease_fd >= 0)
        close(store->lease_fd);
    pthread_mutex_destroy(&store->gate);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

void store_closep(struct store **store)
{
    store_close(*store);
}

enum err store_last(struct store *store, struct store_last *out)
{
    pthread_mutex_lock(&store->lock);
    *out = store->last;
    pthread_mutex_unlock(&store->lock);
    return OK;
}

void store_problem(struct store *store, struct problem *out)
{
    pthread_mutex_lock(&store->lock);
    *out = store->problem;
    pthread_mutex_unlock(&store->lock);
}
