#include "store/sqlite_store.h"

#include <stdlib.h>

/*
 * Rows are copied a page at a time under the reader's lock and handed out without it. So a thread
 * that sleeps in `each` holds no lock of SQLite's own, and store_maintain can take its state away.
 *
 *     enter (gate, ticket, lock) -> page -> unlock, each each each, lock -> page -> ... -> leave
 */

enum err store_reader_open(struct store *store, const char *name, struct store_reader **out)
{
    SCOPED(store_reader_closep) struct store_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return ERR_MEMORY;
    pthread_mutex_init(&reader->lock, NULL);
    snprintf(reader->name, sizeof reader->name, "%s", name);
    reader->page = arena_open(READER_ARENA_BYTES);
    if (reader->page == NULL)
        return ERR_MEMORY;
    TRY(sqlite_connect(store->path, SQLITE_OPEN_READONLY, &reader->db, NULL));
    TRY(sqlite_err(sqlite3_exec(reader->db, "PRAGMA query_only=ON", NULL, NULL, NULL)));
    for (int kind = 0; kind < STATEMENT_COUNT; kind++)
        TRY(sqlite_err(sqlite3_prepare_v3(reader->db, sqlite_statement_sql(kind), -1,
                                          SQLITE_PREPARE_PERSISTENT, &reader->statements[kind],
                                          NULL)));
    reader->store = store;
    pthread_mutex_lock(&store->gate);
    reader->next = store->readers;
    store->readers = reader;
    pthread_mutex_unlock(&store->gate);
    *out = reader;
    reader = NULL;
    return OK;
}

static void reader_unlist(struct store_reader *reader)
{
    struct store *store = reader->store;
    if (store == NULL)
        return;
    pthread_mutex_lock(&store->gate);
    struct store_reader **at = &store->readers;
    while (*at != reader)
        at = &(*at)->next;
    *at = reader->next;
    pthread_mutex_unlock(&store->gate);
}

void store_reader_close(struct store_reader *reader)
{
    if (reader == NULL)
        return;
    assert(!reader->reading);
    reader_unlist(reader);
    for (int kind = 0; kind < STATEMENT_COUNT; kind++)
        sqlite3_finalize(reader->statements[kind]);
    sqlite3_close(reader->db);
    arena_close(reader->page);
    pthread_mutex_destroy(&reader->lock);
    free(reader);
}

void store_reader_closep(struct store_reader **reader)
{
    store_reader_close(*reader);
}

/* ---- states ---- */

static void ticket_take(struct store_reader *reader)
{
    pthread_mutex_lock(&reader->store->gate);
    atomic_store(&reader->ticket, ++reader->store->tickets);
    pthread_mutex_unlock(&reader->store->gate);
}

/* Locks the reader for work in SQLite, or ERR_WAIT when its state was taken away. */
static enum err enter(struct store_reader *reader)
{
    if (!reader->chosen && !reader->reading)
        ticket_take(reader);
    pthread_mutex_lock(&reader->lock);
    return reader->cancelled ? ERR_WAIT : OK;
}

/* Undoes enter, whatever it returned. */
static void leave(struct store_reader *reader)
{
    if (!reader->chosen && !reader->reading) {
        atomic_store(&reader->ticket, 0);
        reader->cancelled = false;
    }
    pthread_mutex_unlock(&reader->lock);
}

static enum err begin(struct store_reader *reader, uint64_t *seq_last)
{
    sqlite3_stmt *last = reader->statements[STATEMENT_LAST];
    uint64_t      from = store_key(reader->store->partition, 0);
    TRY(sqlite_err(sqlite3_step(reader->statements[STATEMENT_BEGIN])));
    sqlite3_reset(reader->statements[STATEMENT_BEGIN]);
    sqlite3_bind_int64(last, 1, (int64_t)from);
    sqlite3_bind_int64(last, 2, (int64_t)(from | STORE_NUMBER_MAX));
    enum err err = sqlite_err(sqlite3_step(last)); /* the first look fixes the state */
    uint64_t seq = err == OK ? (uint64_t)sqlite3_column_int64(last, 0) : 0;
    sqlite3_reset(last);
    TRY(err);
    if (seq_last != NULL)
        *seq_last = seq < from ? from : seq;
    return OK;
}

enum err store_reader_begin(struct store_reader *reader, uint64_t *seq_last)
{
    assert(!reader->chosen && !reader->reading);
    ticket_take(reader);
    reader->chosen = true;
    pthread_mutex_lock(&reader->lock);
    enum err err = reader->cancelled ? ERR_WAIT : begin(reader, seq_last);
    pthread_mutex_unlock(&reader->lock);
    if (err != OK)
        store_reader_end(reader);
    return err;
}

void store_reader_end(struct store_reader *reader)
{
    assert(!reader->reading);
    if (!reader->chosen)
        return;
    pthread_mutex_lock(&reader->lock);
    sqlite3_reset(reader->statements[STATEMENT_BEGIN]);
    if (!sqlite3_get_autocommit(reader->db)) {
        sqlite3_step(reader->statements[STATEMENT_END]);
        sqlite3_reset(reader->statements[STATEMENT_END]);
    }
    reader->chosen = false;
    leave(reader);
}

/* ---- readings ---- */

union each {
    store_event_each       *event;
    store_decision_each    *decision;
    store_name_each        *name;
    store_definition_each  *definition;
    store_rejected_each    *rejected;
    store_state_each       *state;
    store_credential_each  *credential;
    store_suppression_each *suppression;
    store_file_each        *file;
    store_code_each        *code;
    store_code_order_each  *order;
};

struct reading {
    struct store_reader *reader;
    sqlite3_stmt        *statement;
    row_decode          *decode;
    enum err (*give)(union each each, void *ctx, const union row *row);
    union each each;
    void      *ctx;
    /* Moves the statement to the next row: SQLITE_ROW, SQLITE_DONE or an error. */
    int (*next)(struct reading *reading);
    int64_t         bounds[3]; /* next_of_table: the statement's parameters */
    int             bounds_count;
    struct str      text; /* behind these; empty: none */
    const uint64_t *keys; /* next_of_keys */
    size_t          keys_left;
    uint64_t        prev; /* next_of_story */
};

#define GIVE(kind)                                                                                 \
    static enum err give_##kind(union each each, void *ctx, const union row *row)                  \
    {                                                                                              \
        return each.kind(ctx, &row->kind);                                                         \
    }
GIVE(event)
GIVE(decision)
GIVE(name)
GIVE(definition)
GIVE(rejected)
GIVE(state)
GIVE(credential)
GIVE(suppression)
GIVE(file)
GIVE(code)
GIVE(order)

static int next_of_table(struct reading *reading)
{
    return sqlite3_step(reading->statement);
}

static int look_up(sqlite3_stmt *statement, uint64_t key)
{
    sqlite3_reset(statement);
    int code = sqlite3_bind_int64(statement, 1, (int64_t)key);
    return code == SQLITE_OK ? sqlite3_step(statement) : code;
}

static int next_of_keys(struct reading *reading)
{
    int code = SQLITE_DONE;
    while (code == SQLITE_DONE && reading->keys_left > 0) {
        code = look_up(reading->statement, *reading->keys++);
        reading->keys_left--;
    }
    return code;
}

static int next_of_story(struct reading *reading)
{
    if (reading->prev == 0 || reading->keys_left == 0)
        return SQLITE_DONE;
    int code = look_up(reading->statement, reading->prev);
    if (code == SQLITE_ROW)
        reading->prev = (uint64_t)sqlite3_column_int64(reading->statement, 3);
    reading->keys_left--;
    return code;
}

/* Fills the reader's page; *more tells whether rows are left. The reader is locked. */
static enum err page_fill(struct reading *reading, size_t *count, bool *more)
{
    struct store_reader *reader = reading->reader;
    arena_reset(reader->page);
    *count = 0;
    *more = true;
    while (*count < READER_PAGE_ROWS && arena_used(reader->page) < READER_PAGE_BYTES) {
        int code = reading->next(reading);
        if (code != SQLITE_ROW) {
            *more = false;
            return sqlite_err(code);
        }
        TRY(reading->decode(reading->statement, reader->page, &reader->rows[*count]));
        (*count)++;
    }
    return OK;
}

static enum err page_give(const struct reading *reading, size_t count)
{
    for (size_t i = 0; i < count; i++)
        TRY(reading->give(reading->each, reading->ctx, &reading->reader->rows[i]));
    return OK;
}

static enum err read_rows(struct reading *reading)
{
    struct store_reader *reader = reading->reader;
    enum err             err = enter(reader);
    reader->reading = true;
    for (int i = 0; i < reading->bounds_count; i++)
        sqlite3_bind_int64(reading->statement, i + 1, reading->bounds[i]);
    if (err == OK && reading->text.len > 0)
        err = sqlite_err(sqlite3_bind_text64(reading->statement, reading->bounds_count + 1,
                                             reading->text.ptr, reading->text.len, SQLITE_STATIC,
                                             SQLITE_UTF8));
    for (bool more = true; err == OK && more;) {
        size_t count;
        err = page_fill(reading, &count, &more);
        pthread_mutex_unlock(&reader->lock);
        enum err given = page_give(reading, count); /* what came before a fault is still true */
        pthread_mutex_lock(&reader->lock);
        if (given != OK)
            err = given;
        else if (err == OK && more && reader->cancelled)
            err = ERR_WAIT;
    }
    sqlite3_reset(reading->statement);
    reader->reading = false;
    leave(reader);
    return err;
}

static struct reading reading_make(struct store_reader *reader, enum statement_kind kind)
{
    assert(!reader->reading);
    return (struct reading){ .reader = reader,
                             .statement = reader->statements[kind],
                             .next = next_of_table };
}

/* The largest key a row can have; a caller may well ask up to UINT64_MAX. */
static int64_t clamp(uint64_t key)
{
    return key > INT64_MAX ? INT64_MAX : (int64_t)key;
}

static enum err events_read(struct store_reader *reader, enum statement_kind kind,
                            uint64_t seq_from, uint64_t seq_to, store_event_each *each, void *ctx)
{
    struct reading reading = reading_make(reader, kind);
    reading.decode = row_event;
    reading.give = give_event;
    reading.each.event = each;
    reading.ctx = ctx;
    reading.bounds[reading.bounds_count++] = clamp(seq_from);
    reading.bounds[reading.bounds_count++] = clamp(seq_to);
    return read_rows(&reading);
}

enum err store_events_read(struct store_reader *reader, uint64_t seq_from, uint64_t seq_to,
                           store_event_each *each, void *ctx)
{
    return events_read(reader, STATEMENT_EVENTS, seq_from, seq_to, each, ctx);
}

enum err store_event_heads_read(struct store_reader *reader, uint64_t seq_from, uint64_t seq_to,
                                store_event_each *each, void *ctx)
{
    return events_read(reader, STATEMENT_EVENT_HEADS, seq_from, seq_to, each, ctx);
}

enum err store_decisions_read(struct store_reader *reader, uint64_t id_from, uint64_t id_to,
                              store_decision_each *each, void *ctx)
{
    struct reading reading = reading_make(reader, STATEMENT_DECISIONS);
    reading.decode = row_decision;
    reading.give = give_decision;
    reading.each.decision = each;
    reading.ctx = ctx;
    reading.bounds[reading.bounds_count++] = clamp(id_from);
    reading.bounds[reading.bounds_count++] = clamp(id_to);
    return read_rows(&reading);
}

enum err store_events_by_seqs(struct store_reader *reader, const uint64_t *seqs, size_t count,
                              store_event_each *each, void *ctx)
{
    struct reading reading = reading_make(reader, STATEMENT_EVENT);
    reading.decode = row_event;
    reading.give = give_event;
    reading.each.event = each;
    reading.ctx = ctx;
    reading.next = next_of_keys;
    reading.keys = seqs;
    reading.keys_left = count;
    return read_rows(&reading);
}

enum err store_story_read(struct store_reader *reader, uint64_t id, size_t most,
                          store_decision_each *each, void *ctx)
{
    struct reading reading = reading_make(reader, STATEMENT_DECISION);
    reading.decode = row_decision;
    reading.give = give_decision;
    reading.each.decision = each;
    reading.ctx = ctx;
    reading.next = next_of_story;
    reading.prev = id;
    reading.keys_left = most;
    return read_rows(&reading);
}

enum err store_names_read(struct store_reader *reader, store_name_each *each, void *ctx)
{
    struct reading reading = reading_make(reader, STATEMENT_NAMES);
    reading.decode = row_name;
    reading.give = give_name;
    reading.each.name = each;
    reading.ctx = ctx;
    return read_rows(&reading);
}

enum err store_definitions_read(struct store_reader *reader, uint64_t id_from,
                                store_definition_each *each, void *ctx)
{
    struct reading reading = reading_make(reader, STATEMENT_DEFINITIONS);
    reading.decode = row_definition;
    reading.give = give_definition;
    reading.each.definition = each;
    reading.ctx = ctx;
    reading.bounds[reading.bounds_count++] = clamp(id_from);
    return read_rows(&reading);
}

enum err store_states_read(struct store_reader *reader, uint64_t profile_from,
                           store_state_each *each, void *ctx)
{
    struct reading reading = reading_make(reader, STATEMENT_STATES);
    reading.decode = row_state;
    reading.give = give_state;
    reading.each.state = each;
    reading.ctx = ctx;
    reading.bounds[reading.bounds_count++] = clamp(profile_from);
    return read_rows(&reading);
}

enum err store_rejected_read(struct store_reader *reader, size_t most, store_rejected_each *each,
                             void *ctx)
{
    struct reading reading = reading_make(reader, STATEMENT_REJECTED);
    reading.decode = row_rejected;
    reading.give = give_rejected;
    reading.each.rejected = each;
    reading.ctx = ctx;
    reading.bounds[reading.bounds_count++] = clamp(most);
    return read_rows(&reading);
}

enum err store_suppressions_read(struct store_reader *reader, uint64_t before,
                                 store_suppression_each *each, void *ctx)
{
    struct reading reading = reading_make(reader, STATEMENT_SUPPRESSIONS);
    reading.decode = row_suppression;
    reading.give = give_suppression;
    reading.each.suppression = each;
    reading.ctx = ctx;
    reading.bounds[reading.bounds_count++] = clamp(before);
    return read_rows(&reading);
}

enum err store_files_read(struct store_reader *reader, uint64_t seq, store_file_each *each,
                          void *ctx)
{
    struct reading reading = reading_make(reader, STATEMENT_FILES);
    reading.decode = row_file;
    reading.give = give_file;
    reading.each.file = each;
    reading.ctx = ctx;
    reading.bounds[reading.bounds_count++] = clamp(seq);
    return read_rows(&reading);
}

enum err store_credentials_read(struct store_reader *reader, store_credential_each *each, void *ctx)
{
    struct reading reading = reading_make(reader, STATEMENT_CREDENTIALS);
    reading.decode = row_credential;
    reading.give = give_credential;
    reading.each.credential = each;
    reading.ctx = ctx;
    return read_rows(&reading);
}

/* ---- discount codes ---- */

static struct reading codes_reading(struct store_reader *reader, enum statement_kind kind,
                                    store_code_each *each, void *ctx)
{
    struct reading reading = reading_make(reader, kind);
    reading.decode = row_code;
    reading.give = give_code;
    reading.each.code = each;
    reading.ctx = ctx;
    return reading;
}

enum err store_codes_read(struct store_reader *reader, uint64_t key_from, uint64_t key_to,
                          store_code_each *each, void *ctx)
{
    struct reading reading = codes_reading(reader, STATEMENT_CODES, each, ctx);
    reading.bounds[reading.bounds_count++] = clamp(key_from);
    reading.bounds[reading.bounds_count++] = clamp(key_to);
    return read_rows(&reading);
}

enum err store_codes_named(struct store_reader *reader, struct str fold, store_code_each *each,
                           void *ctx)
{
    struct reading reading = codes_reading(reader, STATEMENT_CODES_NAMED, each, ctx);
    assert(fold.len > 0);
    reading.text = fold;
    return read_rows(&reading);
}

enum err store_codes_of(struct store_reader *reader, uint64_t profile, uint64_t key_from,
                        uint64_t key_to, store_code_each *each, void *ctx)
{
    struct reading reading = codes_reading(reader, STATEMENT_CODES_OF, each, ctx);
    reading.bounds[reading.bounds_count++] = clamp(profile);
    reading.bounds[reading.bounds_count++] = clamp(key_from);
    reading.bounds[reading.bounds_count++] = clamp(key_to);
    return read_rows(&reading);
}

enum err store_code_orders(struct store_reader *reader, uint64_t key, struct str order_id,
                           store_code_order_each *each, void *ctx)
{
    struct reading reading =
        reading_make(reader, order_id.len > 0 ? STATEMENT_CODE_ORDER : STATEMENT_CODE_ORDERS);
    reading.decode = row_code_order;
    reading.give = give_order;
    reading.each.order = each;
    reading.ctx = ctx;
    reading.bounds[reading.bounds_count++] = clamp(key);
    reading.text = order_id;
    return read_rows(&reading);
}

/* ---- one row ---- */

/* What a look-up gave: the row the statement stands on, decoded; ERR_ABSENT without one. */
static enum err row_take(sqlite3_stmt *statement, int code, struct arena *arena, row_decode *decode,
                         union row *out)
{
    if (code == SQLITE_DONE)
        return ERR_ABSENT;
    TRY(sqlite_err(code));
    return decode(statement, arena, out);
}

static enum err row_get(struct store_reader *reader, enum statement_kind kind, uint64_t key,
                        struct arena *arena, union row *out)
{
    sqlite3_stmt *statement = reader->statements[kind];
    row_decode   *decode = kind == STATEMENT_EVENT   ? row_event
                           : kind == STATEMENT_CODES ? row_code
                                                     : row_decision;
    enum err      err = enter(reader);
    if (err == OK) {
        err = row_take(statement, look_up(statement, key), arena, decode, out);
        sqlite3_reset(statement);
    }
    leave(reader);
    return err;
}

enum err store_event_get(struct store_reader *reader, struct arena *arena, uint64_t seq,
                         struct store_event *out)
{
    union row row;
    TRY(row_get(reader, STATEMENT_EVENT, seq, arena, &row));
    *out = row.event;
    return OK;
}

enum err store_decision_get(struct store_reader *reader, struct arena *arena, uint64_t id,
                            struct store_decision *out)
{
    union row row;
    TRY(row_get(reader, STATEMENT_DECISION, id, arena, &row));
    *out = row.decision;
    return OK;
}

enum err store_meta_get(struct store_reader *reader, struct arena *arena, struct str key,
                        struct str *out)
{
    sqlite3_stmt *statement = reader->statements[STATEMENT_META];
    struct str    value = STR_NONE;
    enum err      err = enter(reader);
    if (err == OK) {
        int code = sqlite3_bind_text64(statement, 1, key.ptr, key.len, SQLITE_STATIC, SQLITE_UTF8);
        if (code == SQLITE_OK)
            code = sqlite3_step(statement);
        err = code == SQLITE_DONE ? ERR_ABSENT : sqlite_err(code);
        if (err == OK)
            err = sqlite_column_str(statement, 0, arena, &value);
        sqlite3_reset(statement);
    }
    leave(reader);
    TRY(err);
    *out = value;
    return OK;
}

enum err store_code_get(struct store_reader *reader, struct arena *arena, uint64_t key,
                        struct store_code *out)
{
    union row row;
    /* Of the two bounds the other one, which look_up leaves as it is. */
    sqlite3_bind_int64(reader->statements[STATEMENT_CODES], 2, clamp(key));
    TRY(row_get(reader, STATEMENT_CODES, key, arena, &row));
    *out = row.code;
    return OK;
}

enum err store_codes_count(struct store_reader *reader, uint64_t key_from, uint64_t key_to,
                           int64_t now_ms, struct store_codes_count *out)
{
    sqlite3_stmt *statement = reader->statements[STATEMENT_CODES_COUNT];
    union row     row;
    enum err      err = enter(reader);
    if (err == OK) {
        sqlite3_bind_int64(statement, 2, clamp(key_to));
        sqlite3_bind_int64(statement, 3, now_ms);
        err = row_take(statement, look_up(statement, key_from), NULL, row_codes_count, &row);
        sqlite3_reset(statement);
    }
    leave(reader);
    TRY(err);
    *out = row.codes;
    return OK;
}
