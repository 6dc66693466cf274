#include "store/sqlite_store.h"

#include <string.h>

/*
 * A batch is bound row after row without copying (SQLITE_STATIC). SQLITE_ROWS_AT_ONCE rows share
 * one INSERT: in memory, one core, 665,000 events a second instead of 607,000.
 */

/* Binds one row to the parameters from `at` on; SQLite codes or'ed, 0 when all went well. */
typedef int row_bind(sqlite3_stmt *statement, int at, const void *row);

static int bind_str(sqlite3_stmt *statement, int at, struct str s)
{
    if (s.len == 0)
        return sqlite3_bind_null(statement, at);
    return sqlite3_bind_text64(statement, at, s.ptr, s.len, SQLITE_STATIC, SQLITE_UTF8);
}

static int bind_u64(sqlite3_stmt *statement, int at, uint64_t value)
{
    assert(value <= INT64_MAX);
    return sqlite3_bind_int64(statement, at, (int64_t)value);
}

static int bind_event(sqlite3_stmt *statement, int at, const void *row)
{
    const struct store_event *event = row;
    int                       code = bind_u64(statement, at, event->seq);
    code |= sqlite3_bind_int64(statement, at + 1, event->received_ms);
    code |= sqlite3_bind_int64(statement, at + 2, event->at_ms);
    code |= bind_u64(statement, at + 3, event->kind);
    code |= bind_u64(statement, at + 4, event->flags);
    code |= bind_u64(statement, at + 5, event->source);
    code |= bind_u64(statement, at + 6, event->profile);
    code |= bind_u64(statement, at + 7, event->name);
    code |= bind_str(statement, at + 8, event->user_id);
    code |= bind_str(statement, at + 9, event->anonymous_id);
    code |= bind_str(statement, at + 10, event->message_id);
    return code | bind_str(statement, at + 11, event->body);
}

static int bind_decision(sqlite3_stmt *statement, int at, const void *row)
{
    const struct store_decision *decision = row;
    int                          code = bind_u64(statement, at, decision->id);
    code |= bind_u64(statement, at + 1, decision->seq);
    code |= bind_u64(statement, at + 2, decision->profile);
    code |= bind_u64(statement, at + 3, decision->prev);
    code |= sqlite3_bind_int64(statement, at + 4, decision->at_ms);
    code |= bind_u64(statement, at + 5, decision->kind);
    code |= bind_u64(statement, at + 6, decision->subject);
    code |= bind_u64(statement, at + 7, decision->object);
    return code | bind_str(statement, at + 8, decision->detail);
}

static int bind_name(sqlite3_stmt *statement, int at, const void *row)
{
    const struct store_name *name = row;
    assert(name->kind >= 1 && name->kind <= 255 && name->text.len > 0);
    uint64_t key = store_key(name->partition, (uint64_t)name->kind << 32 | name->id);
    return bind_u64(statement, at, key) | bind_str(statement, at + 1, name->text);
}

static int bind_definition(sqlite3_stmt *statement, int at, const void *row)
{
    const struct store_definition *definition = row;
    assert(definition->name.len > 0);
    int code = bind_u64(statement, at, definition->id);
    code |= bind_u64(statement, at + 1, definition->seq);
    code |= sqlite3_bind_int64(statement, at + 2, definition->at_ms);
    code |= bind_u64(statement, at + 3, definition->kind);
    code |= bind_u64(statement, at + 4, definition->version);
    code |= bind_str(statement, at + 5, definition->name);
    code |= bind_str(statement, at + 6, definition->text);
    return code | bind_str(statement, at + 7, definition->author);
}

/* The key is left to SQLite: one more than the largest. Nothing refers to it. */
static int bind_rejected(sqlite3_stmt *statement, int at, const void *row)
{
    const struct store_rejected *rejected = row;
    int                          code = sqlite3_bind_null(statement, at);
    code |= sqlite3_bind_int64(statement, at + 1, rejected->received_ms);
    code |= bind_u64(statement, at + 2, rejected->source);
    code |= bind_u64(statement, at + 3, rejected->kind);
    code |= bind_str(statement, at + 4, rejected->reason);
    code |= bind_str(statement, at + 5, rejected->field);
    code |= bind_str(statement, at + 6, rejected->remedy);
    code |= bind_str(statement, at + 7, rejected->message_id);
    return code | bind_str(statement, at + 8, rejected->body);
}

static int bind_state(sqlite3_stmt *statement, int at, const void *row)
{
    const struct store_state *state = row;
    int                       code = bind_u64(statement, at, state->profile);
    code |= bind_u64(statement, at + 1, state->seq);
    return code | sqlite3_bind_blob64(statement, at + 2, state->state.ptr, state->state.len,
                                      SQLITE_STATIC);
}

static const struct insert_form {
    const char *head;
    int         columns;
    size_t      row_bytes;
    row_bind   *bind;
} forms[INSERT_COUNT] = {
    [INSERT_EVENT] = { "INSERT INTO event VALUES", 12, sizeof(struct store_event), bind_event },
    [INSERT_DECISION] = { "INSERT INTO decision VALUES", 9, sizeof(struct store_decision),
                          bind_decision },
    [INSERT_NAME] = { "INSERT INTO name(key,text) VALUES", 2, sizeof(struct store_name),
                      bind_name },
    [INSERT_DEFINITION] = { "INSERT INTO definition VALUES", 8, sizeof(struct store_definition),
                            bind_definition },
    [INSERT_REJECTED] = { "INSERT INTO rejected VALUES", 9, sizeof(struct store_rejected),
                          bind_rejected },
    [INSERT_STATE] = { "INSERT OR REPLACE INTO profile_state VALUES", 3, sizeof(struct store_state),
                       bind_state },
};

/* ---- statements, kept for the life of the store ---- */

enum err sqlite_prepare_once(struct store *store, const char *sql, sqlite3_stmt **out)
{
    int code = sqlite3_prepare_v2(store->db, sql, -1, out, NULL);
    return sqlite_problem(store->db, code, store->path, &store->problem);
}

static enum err prepare(struct store *store, const char *sql, sqlite3_stmt **out)
{
    int code = sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
    return sqlite_problem(store->db, code, store->path, &store->problem);
}

static enum err insert_prepare(struct store *store, const struct insert_form *form, int rows,
                               sqlite3_stmt **out)
{
    char   sql[1024];
    size_t len = (size_t)snprintf(sql, sizeof sql, "%s", form->head);
    for (int row = 0; row < rows; row++) {
        for (int column = 0; column < form->columns; column++) {
            const char *before = column > 0 ? ",?" : row > 0 ? ",(?" : "(?";
            len += (size_t)snprintf(sql + len, sizeof sql - len, "%s", before);
        }
        len += (size_t)snprintf(sql + len, sizeof sql - len, ")");
    }
    assert(len < sizeof sql);
    return prepare(store, sql, out);
}

enum err sqlite_writer_prepare(struct store *store)
{
    TRY(prepare(store, "BEGIN IMMEDIATE", &store->begin));
    TRY(prepare(store, "COMMIT", &store->commit));
    TRY(prepare(store, "ROLLBACK", &store->rollback));
    TRY(prepare(store, "INSERT OR REPLACE INTO meta VALUES(?,?)", &store->meta_set));
    TRY(prepare(store, "DELETE FROM meta WHERE key=?", &store->meta_unset));
    TRY(prepare(store,
                "INSERT OR REPLACE INTO suppression(address,reason,at,seq,said) VALUES(?,?,?,?,?)",
                &store->suppression_set));
    TRY(prepare(store, "DELETE FROM suppression WHERE address=?", &store->suppression_unset));
    TRY(prepare(store, "DELETE FROM definition WHERE kind=? AND name=? AND id<?",
                &store->definitions_unset));
    TRY(prepare(store, "INSERT INTO file VALUES(?,?,?,?,?)", &store->file_set));
    TRY(prepare(store, "DELETE FROM file WHERE seq=?", &store->files_unset));
    TRY(sqlite_codes_prepare(store));
    for (int kind = 0; kind < INSERT_COUNT; kind++) {
        TRY(insert_prepare(store, &forms[kind], 1, &store->inserts[kind].one));
        TRY(insert_prepare(store, &forms[kind], SQLITE_ROWS_AT_ONCE, &store->inserts[kind].many));
    }
    return OK;
}

void sqlite_writer_finish(struct store *store)
{
    sqlite3_finalize(store->begin);
    sqlite3_finalize(store->definitions_unset);
    sqlite3_finalize(store->commit);
    sqlite3_finalize(store->rollback);
    sqlite3_finalize(store->meta_set);
    sqlite3_finalize(store->meta_unset);
    sqlite3_finalize(store->suppression_set);
    sqlite3_finalize(store->suppression_unset);
    sqlite3_finalize(store->file_set);
    sqlite3_finalize(store->files_unset);
    sqlite_codes_finish(store);
    for (int kind = 0; kind < INSERT_COUNT; kind++) {
        sqlite3_finalize(store->inserts[kind].one);
        sqlite3_finalize(store->inserts[kind].many);
    }
}

/* ---- transactions ---- */

enum err sqlite_writable(struct store *store)
{
    if (store->read_only)
        return problem_set(&store->problem, ERR_DENIED, store->path, "opened for reading only",
                           "write through the process that holds the data folder");
    if (store->broken)
        return ERR_CORRUPT;
    return OK;
}

enum err sqlite_run(struct store *store, sqlite3_stmt *statement)
{
    int      code = sqlite3_step(statement);
    enum err err = sqlite_problem(store->db, code, store->path, &store->problem);
    sqlite3_reset(statement);
    return err;
}

void sqlite_undo(struct store *store)
{
    if (sqlite3_get_autocommit(store->db)) /* SQLite has rolled back by itself */
        return;
    sqlite3_step(store->rollback);
    sqlite3_reset(store->rollback);
    if (!sqlite3_get_autocommit(store->db))
        store->broken = true;
}

/*
 * Before the commit's frames are in the WAL's index, no one sees them and the next attempt writes
 * over them: nothing was written. But when the sync itself failed, the system may have dropped
 * pages while saying they are clean; what a crash would leave is unknown, and we say so.
 */
enum err sqlite_finish(struct store *store)
{
    int      code = sqlite3_step(store->commit);
    enum err err = sqlite_problem(store->db, code, store->path, &store->problem);
    sqlite3_reset(store->commit);
    if (err == OK)
        return OK;
    sqlite_undo(store);
    if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC) {
        store->broken = true;
        return ERR_CORRUPT;
    }
    return err;
}

/* A text above SQLite's bound, or no memory for a parameter. */
static enum err bind_problem(struct store *store)
{
    int code = sqlite3_errcode(store->db);
    return sqlite_problem(store->db, code == SQLITE_TOOBIG ? code : SQLITE_NOMEM, store->path,
                          &store->problem);
}

/* ---- a batch ---- */

static enum err insert_rows(struct store *store, enum insert_kind kind, const void *rows,
                            size_t count)
{
    const struct insert_form *form = &forms[kind];
    const char               *row = rows;
    while (count > 0) {
        bool          many = count >= SQLITE_ROWS_AT_ONCE;
        int           taken = many ? SQLITE_ROWS_AT_ONCE : 1;
        sqlite3_stmt *statement = many ? store->inserts[kind].many : store->inserts[kind].one;
        int           code = 0;
        for (int i = 0; i < taken; i++, row += form->row_bytes)
            code |= form->bind(statement, 1 + i * form->columns, row);
        if (code != SQLITE_OK)
            return bind_problem(store);
        TRY(sqlite_run(store, statement));
        count -= (size_t)taken;
    }
    return OK;
}

enum err sqlite_metas_write(struct store *store, const struct store_meta *metas, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool          set = metas[i].value.len > 0;
        sqlite3_stmt *statement = set ? store->meta_set : store->meta_unset;
        int           code = bind_str(statement, 1, metas[i].key);
        assert(metas[i].key.len > 0);
        if (set)
            code |= bind_str(statement, 2, metas[i].value);
        if (code != SQLITE_OK)
            return bind_problem(store);
        TRY(sqlite_run(store, statement));
    }
    return OK;
}

enum err sqlite_suppression_write(struct store *store, const struct store_suppression *row)
{
    sqlite3_stmt *statement = row->is_erased ? store->suppression_unset : store->suppression_set;
    int           code = bind_str(statement, 1, row->address);
    assert(row->address.len > 0);
    if (!row->is_erased) {
        code |= bind_u64(statement, 2, row->reason);
        code |= sqlite3_bind_int64(statement, 3, row->at_ms);
        code |= bind_u64(statement, 4, row->seq);
        code |= bind_str(statement, 5, row->said);
    }
    return code == SQLITE_OK ? sqlite_run(store, statement) : bind_problem(store);
}

static enum err file_write(struct store *store, const struct store_file *row)
{
    int code = bind_u64(store->file_set, 1, row->seq);
    code |= bind_u64(store->file_set, 2, row->number);
    code |= sqlite3_bind_text64(store->file_set, 3, row->name.ptr, row->name.len, SQLITE_STATIC,
                                SQLITE_UTF8);
    code |= sqlite3_bind_text64(store->file_set, 4, row->type.ptr, row->type.len, SQLITE_STATIC,
                                SQLITE_UTF8);
    code |=
        sqlite3_bind_blob64(store->file_set, 5, row->content.ptr, row->content.len, SQLITE_STATIC);
    return code == SQLITE_OK ? sqlite_run(store, store->file_set) : bind_problem(store);
}

static enum err files_write(struct store *store, const struct store_batch *batch)
{
    for (size_t i = 0; i < batch->files_count; i++)
        TRY(file_write(store, &batch->files[i]));
    for (size_t i = 0; i < batch->files_done_count; i++) {
        sqlite3_bind_int64(store->files_unset, 1, (int64_t)batch->files_done[i]);
        TRY(sqlite_run(store, store->files_unset));
    }
    return OK;
}

/* A walk over the table without its texts, which lie on pages of their own. */
static enum err definitions_drop(struct store *store, const struct store_batch *batch)
{
    for (size_t i = 0; i < batch->definitions_count; i++) {
        const struct store_definition *row = &batch->definitions[i];
        if (!row->replaces)
            continue;
        int code = bind_u64(store->definitions_unset, 1, row->kind);
        code |= bind_str(store->definitions_unset, 2, row->name);
        code |= bind_u64(store->definitions_unset, 3, row->id);
        TRY(code == SQLITE_OK ? sqlite_run(store, store->definitions_unset) : bind_problem(store));
    }
    return OK;
}

enum err sqlite_note(struct store *store, const char *key, uint64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    struct store_meta meta = { .key = str_of(key), .value = str_of(text) };
    return sqlite_metas_write(store, &meta, 1);
}

static enum err batch_write(struct store *store, const struct store_batch *batch)
{
    TRY(insert_rows(store, INSERT_NAME, batch->names, batch->names_count));
    TRY(insert_rows(store, INSERT_DEFINITION, batch->definitions, batch->definitions_count));
    TRY(definitions_drop(store, batch));
    TRY(insert_rows(store, INSERT_EVENT, batch->events, batch->events_count));
    TRY(insert_rows(store, INSERT_DECISION, batch->decisions, batch->decisions_count));
    TRY(insert_rows(store, INSERT_REJECTED, batch->rejected, batch->rejected_count));
    TRY(insert_rows(store, INSERT_STATE, batch->states, batch->states_count));
    for (size_t i = 0; i < batch->suppressions_count; i++)
        TRY(sqlite_suppression_write(store, &batch->suppressions[i]));
    TRY(files_write(store, batch));
    TRY(sqlite_codes_write(store, batch));
    return sqlite_metas_write(store, batch->metas, batch->metas_count);
}

/* Keys ascend and lie above all stored ones: what lets every insert be an append. */
static void batch_believe(const struct store *store, const struct store_batch *batch,
                          struct store_last *last)
{
    *last = store->last;
    for (size_t i = 0; i < batch->events_count; i++) {
        assert(batch->events[i].seq > last->seq);
        last->seq = batch->events[i].seq;
    }
    for (size_t i = 0; i < batch->decisions_count; i++) {
        assert(batch->decisions[i].id > last->decision);
        last->decision = batch->decisions[i].id;
    }
    for (size_t i = 0; i < batch->definitions_count; i++) {
        assert(batch->definitions[i].id > last->definition);
        last->definition = batch->definitions[i].id;
    }
}

static enum err commit(struct store *store, const struct store_batch *batch)
{
    struct store_last last;
    TRY(sqlite_writable(store));
    batch_believe(store, batch, &last);
    TRY(sqlite_run(store, store->begin));
    enum err err = batch_write(store, batch);
    if (err == OK)
        err = sqlite_finish(store);
    else
        sqlite_undo(store);
    if (err == ERR_CORRUPT || err == ERR_CONFLICT)
        store->broken = true; /* engine and store may disagree from here on */
    if (store->broken && err != ERR_CONFLICT)
        return ERR_CORRUPT;
    TRY(err);
    store->last = last;
    store->rejected_grew |= batch->rejected_count > 0;
    return OK;
}

enum err store_commit(struct store *store, const struct store_batch *batch)
{
    pthread_mutex_lock(&store->lock);
    enum err err = commit(store, batch);
    pthread_mutex_unlock(&store->lock);
    return err;
}

/* ---- credentials ---- */

static enum err credential_insert(struct store *store, const struct store_credential *credential,
                                  uint32_t id)
{
    sqlite3_stmt *statement = NULL;
    TRY(sqlite_prepare_once(store, "INSERT INTO credential VALUES(?,?,?,?,?,?,?)", &statement));
    int code = bind_u64(statement, 1, id);
    code |= bind_str(statement, 2, credential->kind);
    code |= bind_str(statement, 3, credential->name);
    code |= bind_str(statement, 4, credential->hash);
    code |= bind_str(statement, 5, credential->scopes);
    code |= sqlite3_bind_int64(statement, 6, credential->created_ms);
    code |= sqlite3_bind_int64(statement, 7, credential->revoked_ms);
    enum err err = code == SQLITE_OK ? sqlite_run(store, statement) : bind_problem(store);
    sqlite3_finalize(statement);
    return err;
}

static enum err credential_revoke(struct store *store, uint32_t id, int64_t revoked_ms)
{
    sqlite3_stmt *statement = NULL;
    TRY(sqlite_prepare_once(store, "UPDATE credential SET revoked=? WHERE id=? AND revoked=0",
                            &statement));
    int code = sqlite3_bind_int64(statement, 1, revoked_ms);
    code |= bind_u64(statement, 2, id);
    enum err err = code == SQLITE_OK ? sqlite_run(store, statement) : bind_problem(store);
    sqlite3_finalize(statement);
    if (err == OK && sqlite3_changes(store->db) == 0)
        err = ERR_ABSENT;
    return err;
}

enum err store_credential_add(struct store *store, const struct store_credential *credential,
                              uint32_t *id)
{
    assert(credential->kind.len > 0);
    pthread_mutex_lock(&store->lock);
    enum err err = sqlite_writable(store);
    if (err == OK)
        err = sqlite_run(store, store->begin);
    if (err == OK) {
        err = credential_insert(store, credential, store->last.credential + 1);
        if (err == OK)
            err = sqlite_finish(store);
        else
            sqlite_undo(store);
    }
    if (err == OK)
        *id = ++store->last.credential;
    pthread_mutex_unlock(&store->lock);
    return err;
}

enum err store_credential_revoke(struct store *store, uint32_t id, int64_t revoked_ms)
{
    assert(revoked_ms != 0);
    pthread_mutex_lock(&store->lock);
    enum err err = sqlite_writable(store);
    if (err == OK)
        err = sqlite_run(store, store->begin);
    if (err == OK) {
        err = credential_revoke(store, id, revoked_ms);
        if (err == OK)
            err = sqlite_finish(store);
        else
            sqlite_undo(store);
    }
    pthread_mutex_unlock(&store->lock);
    return err;
}
