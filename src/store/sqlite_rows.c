#include "store/sqlite_store.h"

#include <string.h>

/* What each reading asks; the order of the columns is that of the decoders below. */
const char *sqlite_statement_sql(enum statement_kind kind)
{
    static const char *const texts[STATEMENT_COUNT] = {
        [STATEMENT_BEGIN] = "BEGIN",
        [STATEMENT_END] = "COMMIT",
        [STATEMENT_LAST] = "SELECT max(seq) FROM event WHERE seq BETWEEN ? AND ?",
        [STATEMENT_EVENTS] = "SELECT * FROM event WHERE seq BETWEEN ? AND ? ORDER BY seq",
        [STATEMENT_EVENT_HEADS] =
            ("SELECT seq,received,at,kind,flags,source,profile,name,NULL,NULL,message_id,NULL "
             "FROM event WHERE seq BETWEEN ? AND ? ORDER BY seq"),
        [STATEMENT_EVENT] = "SELECT * FROM event WHERE seq=?",
        [STATEMENT_DECISIONS] = "SELECT * FROM decision WHERE id BETWEEN ? AND ? ORDER BY id",
        [STATEMENT_DECISION] = "SELECT * FROM decision WHERE id=?",
        [STATEMENT_NAMES] = "SELECT key,text FROM name ORDER BY key",
        [STATEMENT_DEFINITIONS] = "SELECT * FROM definition WHERE id>=? ORDER BY id",
        [STATEMENT_REJECTED] = "SELECT * FROM rejected ORDER BY id DESC LIMIT ?",
        [STATEMENT_STATES] = "SELECT * FROM profile_state WHERE profile>=? ORDER BY profile",
        [STATEMENT_CREDENTIALS] = "SELECT * FROM credential ORDER BY id",
        [STATEMENT_META] = "SELECT value FROM meta WHERE key=?",
        [STATEMENT_FILES] = "SELECT * FROM file WHERE seq=? ORDER BY number",
        [STATEMENT_CODES] = "SELECT * FROM code WHERE key BETWEEN ? AND ? ORDER BY key",
        [STATEMENT_CODES_NAMED] = "SELECT * FROM code WHERE fold=? ORDER BY key",
        [STATEMENT_CODES_OF] =
            "SELECT * FROM code WHERE profile=? AND key BETWEEN ? AND ? ORDER BY key DESC",
        [STATEMENT_CODE_ORDERS] = "SELECT * FROM code_order WHERE key=? ORDER BY at",
        [STATEMENT_CODE_ORDER] = "SELECT * FROM code_order WHERE key=? AND order_id=?",
        [STATEMENT_CODES_COUNT] =
            ("SELECT count(*) FILTER (WHERE given>0),count(*) FILTER (WHERE redeemed>0),"
             "count(*) FILTER (WHERE given>0 AND redeemed=0 AND expires>0 AND expires<?3),"
             "(SELECT count(*) FROM code_order WHERE key BETWEEN ?1 AND ?2) "
             "FROM code WHERE key BETWEEN ?1 AND ?2"),
        [STATEMENT_SUPPRESSIONS] = "SELECT * FROM suppression WHERE id<? ORDER BY id DESC",
    };
    return texts[kind];
}

enum err sqlite_column_str(sqlite3_stmt *statement, int column, struct arena *arena,
                           struct str *out)
{
    *out = STR_NONE;
    if (sqlite3_column_type(statement, column) == SQLITE_NULL)
        return OK;
    const char *bytes = sqlite3_column_blob(statement, column);
    size_t      len = (size_t)sqlite3_column_bytes(statement, column);
    if (len == 0)
        return OK;
    *out = bytes == NULL ? STR_NONE : str_copy(arena, (struct str){ bytes, len });
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

static uint64_t column_u64(sqlite3_stmt *statement, int column)
{
    return (uint64_t)sqlite3_column_int64(statement, column);
}

static uint32_t column_u32(sqlite3_stmt *statement, int column)
{
    return (uint32_t)sqlite3_column_int64(statement, column);
}

enum err row_event(sqlite3_stmt *statement, struct arena *arena, union row *out)
{
    struct store_event *event = &out->event;
    *event = (struct store_event){
        .seq = column_u64(statement, 0),
        .received_ms = sqlite3_column_int64(statement, 1),
        .at_ms = sqlite3_column_int64(statement, 2),
        .kind = column_u32(statement, 3),
        .flags = column_u32(statement, 4),
        .source = column_u32(statement, 5),
        .profile = column_u64(statement, 6),
        .name = column_u32(statement, 7),
    };
    TRY(sqlite_column_str(statement, 8, arena, &event->user_id));
    TRY(sqlite_column_str(statement, 9, arena, &event->anonymous_id));
    TRY(sqlite_column_str(statement, 10, arena, &event->message_id));
    return sqlite_column_str(statement, 11, arena, &event->body);
}

enum err row_decision(sqlite3_stmt *statement, struct arena *arena, union row *out)
{
    struct store_decision *decision = &out->decision;
    *decision = (struct store_decision){
        .id = column_u64(statement, 0),
        .seq = column_u64(statement, 1),
        .profile = column_u64(statement, 2),
        .prev = column_u64(statement, 3),
        .at_ms = sqlite3_column_int64(statement, 4),
        .kind = column_u32(statement, 5),
        .subject = column_u64(statement, 6),
        .object = column_u64(statement, 7),
    };
    return sqlite_column_str(statement, 8, arena, &decision->detail);
}

enum err row_name(sqlite3_stmt *statement, struct arena *arena, union row *out)
{
    uint64_t key = column_u64(statement, 0);
    out->name = (struct store_name){
        .partition = store_key_partition(key),
        .kind = (uint32_t)(key >> 32 & 255),
        .id = (uint32_t)key,
    };
    return sqlite_column_str(statement, 1, arena, &out->name.text);
}

enum err row_definition(sqlite3_stmt *statement, struct arena *arena, union row *out)
{
    struct store_definition *definition = &out->definition;
    *definition = (struct store_definition){
        .id = column_u64(statement, 0),
        .seq = column_u64(statement, 1),
        .at_ms = sqlite3_column_int64(statement, 2),
        .kind = column_u32(statement, 3),
        .version = column_u32(statement, 4),
    };
    TRY(sqlite_column_str(statement, 5, arena, &definition->name));
    TRY(sqlite_column_str(statement, 6, arena, &definition->text));
    return sqlite_column_str(statement, 7, arena, &definition->author);
}

enum err row_rejected(sqlite3_stmt *statement, struct arena *arena, union row *out)
{
    struct store_rejected *rejected = &out->rejected;
    *rejected = (struct store_rejected){
        .id = column_u64(statement, 0),
        .received_ms = sqlite3_column_int64(statement, 1),
        .source = column_u32(statement, 2),
        .kind = column_u32(statement, 3),
    };
    TRY(sqlite_column_str(statement, 4, arena, &rejected->reason));
    TRY(sqlite_column_str(statement, 5, arena, &rejected->field));
    TRY(sqlite_column_str(statement, 6, arena, &rejected->remedy));
    TRY(sqlite_column_str(statement, 7, arena, &rejected->message_id));
    return sqlite_column_str(statement, 8, arena, &rejected->body);
}

enum err row_state(sqlite3_stmt *statement, struct arena *arena, union row *out)
{
    out->state = (struct store_state){
        .profile = column_u64(statement, 0),
        .seq = column_u64(statement, 1),
    };
    return sqlite_column_str(statement, 2, arena, &out->state.state);
}

enum err row_credential(sqlite3_stmt *statement, struct arena *arena, union row *out)
{
    struct store_credential *credential = &out->credential;
    *credential = (struct store_credential){
        .id = column_u32(statement, 0),
        .created_ms = sqlite3_column_int64(statement, 5),
        .revoked_ms = sqlite3_column_int64(statement, 6),
    };
    TRY(sqlite_column_str(statement, 1, arena, &credential->kind));
    TRY(sqlite_column_str(statement, 2, arena, &credential->name));
    TRY(sqlite_column_str(statement, 3, arena, &credential->hash));
    return sqlite_column_str(statement, 4, arena, &credential->scopes);
}

enum err row_suppression(sqlite3_stmt *statement, struct arena *arena, union row *out)
{
    out->suppression = (struct store_suppression){
        .id = column_u64(statement, 0),
        .reason = column_u32(statement, 2),
        .at_ms = sqlite3_column_int64(statement, 3),
        .seq = column_u64(statement, 4),
    };
    TRY(sqlite_column_str(statement, 1, arena, &out->suppression.address));
    return sqlite_column_str(statement, 5, arena, &out->suppression.said);
}

enum err row_file(sqlite3_stmt *statement, struct arena *arena, union row *out)
{
    out->file =
        (struct store_file){ .seq = column_u64(statement, 0), .number = column_u32(statement, 1) };
    TRY(sqlite_column_str(statement, 2, arena, &out->file.name));
    TRY(sqlite_column_str(statement, 3, arena, &out->file.type));
    return sqlite_column_str(statement, 4, arena, &out->file.content);
}
