/* Discount codes: written with a batch, looked up, forgotten. */
#include "store/sqlite_store.h"

static int bind_text(sqlite3_stmt *statement, int at, struct str s)
{
    return s.len == 0
               ? sqlite3_bind_null(statement, at)
               : sqlite3_bind_text64(statement, at, s.ptr, s.len, SQLITE_STATIC, SQLITE_UTF8);
}

static int bind(sqlite3_stmt *statement, int at, uint64_t value)
{
    assert(value <= INT64_MAX);
    return sqlite3_bind_int64(statement, at, (int64_t)value);
}

static const char *const TEXTS[SQLITE_CODES_STATEMENTS] = {
    [SQLITE_CODE_ADD] = "INSERT INTO code(key,text,fold) VALUES(?,?,?)",
    [SQLITE_CODE_GIVE] =
        ("INSERT INTO code(key,text,profile,message,enrollment,journey,template,given,expires) "
         "VALUES(?,?,?,?,?,?,?,?,?) ON CONFLICT(key) DO UPDATE SET profile=excluded.profile,"
         "message=excluded.message,enrollment=excluded.enrollment,journey=excluded.journey,"
         "template=excluded.template,given=excluded.given,expires=excluded.expires"),
    [SQLITE_CODE_ORDER] = "INSERT OR IGNORE INTO code_order VALUES(?,?,?,?)",
    [SQLITE_CODE_REDEEM] =
        ("UPDATE code SET redeemed=iif(redeemed=0,?,min(redeemed,?)),orders=orders+1 WHERE key=?"),
};

enum err sqlite_codes_prepare(struct store *store)
{
    for (int i = 0; i < SQLITE_CODES_STATEMENTS; i++) {
        int code = sqlite3_prepare_v3(store->db, TEXTS[i], -1, SQLITE_PREPARE_PERSISTENT,
                                      &store->codes[i], NULL);
        TRY(sqlite_problem(store->db, code, store->path, &store->problem));
    }
    return OK;
}

void sqlite_codes_finish(struct store *store)
{
    for (int i = 0; i < SQLITE_CODES_STATEMENTS; i++)
        sqlite3_finalize(store->codes[i]);
}

static enum err run(struct store *store, sqlite3_stmt *statement, int code)
{
    return code == SQLITE_OK
               ? sqlite_run(store, statement)
               : sqlite_problem(store->db, SQLITE_NOMEM, store->path, &store->problem);
}

static enum err add(struct store *store, const struct store_code *row)
{
    sqlite3_stmt *statement = store->codes[SQLITE_CODE_ADD];
    int           code = bind(statement, 1, row->key);
    code |= bind_text(statement, 2, row->text);
    code |= bind_text(statement, 3, row->fold);
    return run(store, statement, code);
}

static enum err give(struct store *store, const struct store_code *row)
{
    sqlite3_stmt *statement = store->codes[SQLITE_CODE_GIVE];
    int           code = bind(statement, 1, row->key);
    code |= bind_text(statement, 2, row->text);
    code |= bind(statement, 3, row->profile);
    code |= bind(statement, 4, row->message);
    code |= bind(statement, 5, row->enrollment);
    code |= bind(statement, 6, row->journey);
    code |= bind(statement, 7, row->template_id);
    code |= sqlite3_bind_int64(statement, 8, row->given_ms);
    code |= sqlite3_bind_int64(statement, 9, row->expires_ms);
    return run(store, statement, code);
}

static enum err redeem(struct store *store, const struct store_code_order *row)
{
    sqlite3_stmt *order = store->codes[SQLITE_CODE_ORDER];
    sqlite3_stmt *redeemed = store->codes[SQLITE_CODE_REDEEM];
    int           code = bind(order, 1, row->key);
    code |= bind_text(order, 2, row->order_id);
    code |= sqlite3_bind_int64(order, 3, row->at_ms);
    code |= bind(order, 4, row->profile);
    TRY(run(store, order, code));
    if (sqlite3_changes(store->db) == 0)
        return OK; /* it was told before */
    code = sqlite3_bind_int64(redeemed, 1, row->at_ms);
    code |= sqlite3_bind_int64(redeemed, 2, row->at_ms);
    code |= bind(redeemed, 3, row->key);
    return run(store, redeemed, code);
}

enum err sqlite_codes_write(struct store *store, const struct store_batch *batch)
{
    for (size_t i = 0; i < batch->codes_count; i++)
        TRY(add(store, &batch->codes[i]));
    for (size_t i = 0; i < batch->given_count; i++)
        TRY(give(store, &batch->given[i]));
    for (size_t i = 0; i < batch->orders_count; i++)
        TRY(redeem(store, &batch->orders[i]));
    return OK;
}

/* ---- who was erased ---- */

static enum err forget(struct store *store, const char *sql, uint64_t profile)
{
    sqlite3_stmt *statement = NULL;
    TRY(sqlite_prepare_once(store, sql, &statement));
    enum err err = run(store, statement, bind(statement, 1, profile));
    sqlite3_finalize(statement);
    return err;
}

enum err sqlite_codes_forget(struct store *store, const uint64_t *profiles, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        /* The order stays, nobody's: told once more it would count again. */
        TRY(forget(store, "UPDATE code_order SET profile=0 WHERE profile=?", profiles[i]));
        TRY(forget(store, "UPDATE code SET profile=0,message=0,enrollment=0 WHERE profile=?",
                   profiles[i]));
    }
    return OK;
}

/* ---- reading ---- */

enum err row_code(sqlite3_stmt *statement, struct arena *arena, union row *out)
{
    struct store_code *row = &out->code;
    *row = (struct store_code){
        .key = (uint64_t)sqlite3_column_int64(statement, 0),
        .profile = (uint64_t)sqlite3_column_int64(statement, 3),
        .message = (uint64_t)sqlite3_column_int64(statement, 4),
        .enrollment = (uint64_t)sqlite3_column_int64(statement, 5),
        .journey = (uint32_t)sqlite3_column_int64(statement, 6),
        .template_id = (uint32_t)sqlite3_column_int64(statement, 7),
        .given_ms = sqlite3_column_int64(statement, 8),
        .expires_ms = sqlite3_column_int64(statement, 9),
        .redeemed_ms = sqlite3_column_int64(statement, 10),
        .orders = (uint32_t)sqlite3_column_int64(statement, 11),
    };
    TRY(sqlite_column_str(statement, 1, arena, &row->text));
    return sqlite_column_str(statement, 2, arena, &row->fold);
}

enum err row_code_order(sqlite3_stmt *statement, struct arena *arena, union row *out)
{
    out->order = (struct store_code_order){
        .key = (uint64_t)sqlite3_column_int64(statement, 0),
        .at_ms = sqlite3_column_int64(statement, 2),
        .profile = (uint64_t)sqlite3_column_int64(statement, 3),
    };
    return sqlite_column_str(statement, 1, arena, &out->order.order_id);
}

enum err row_codes_count(sqlite3_stmt *statement, struct arena *arena, union row *out)
{
    (void)arena;
    out->codes = (struct store_codes_count){
        .given = (uint64_t)sqlite3_column_int64(statement, 0),
        .redeemed = (uint64_t)sqlite3_column_int64(statement, 1),
        .expired = (uint64_t)sqlite3_column_int64(statement, 2),
        .orders = (uint64_t)sqlite3_column_int64(statement, 3),
    };
    return OK;
}
