#include "store/store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "store/store_fixture.h"

/* ---- a batch comes back as it went in ---- */

struct seen {
    struct store_event       event;
    struct store_decision    decision;
    struct store_name        name;
    struct store_definition  definition;
    struct store_rejected    rejected;
    struct store_state       state;
    struct store_credential  credential;
    struct store_suppression suppression;
    struct arena            *arena;
    int                      count;
};

static struct str kept(struct seen *seen, struct str s)
{
    return s.len == 0 ? s : str_copy(seen->arena, s);
}

static enum err see_name(void *ctx, const struct store_name *row)
{
    struct seen *seen = ctx;
    seen->name = *row;
    seen->name.text = kept(seen, row->text);
    seen->count++;
    return OK;
}

static enum err see_definition(void *ctx, const struct store_definition *row)
{
    struct seen *seen = ctx;
    seen->definition = *row;
    seen->definition.name = kept(seen, row->name);
    seen->definition.text = kept(seen, row->text);
    seen->definition.author = kept(seen, row->author);
    seen->count++;
    return OK;
}

static enum err see_rejected(void *ctx, const struct store_rejected *row)
{
    struct seen *seen = ctx;
    seen->rejected = *row;
    seen->rejected.reason = kept(seen, row->reason);
    seen->rejected.remedy = kept(seen, row->remedy);
    seen->count++;
    return OK;
}

static enum err see_state(void *ctx, const struct store_state *row)
{
    struct seen *seen = ctx;
    seen->state = *row;
    seen->state.state = kept(seen, row->state);
    seen->count++;
    return OK;
}

static enum err see_credential(void *ctx, const struct store_credential *row)
{
    struct seen *seen = ctx;
    seen->credential = *row;
    seen->credential.name = kept(seen, row->name);
    seen->count++;
    return OK;
}

static enum err see_story(void *ctx, const struct store_decision *row)
{
    struct seen *seen = ctx;
    seen->decision = *row;
    seen->decision.detail = kept(seen, row->detail);
    seen->count++;
    return OK;
}

static enum err see_event(void *ctx, const struct store_event *row)
{
    struct seen *seen = ctx;
    seen->event = *row;
    seen->event.body = kept(seen, row->body);
    seen->count++;
    return OK;
}

static struct store *example_store(struct fixture *fixture)
{
    static const struct store_event events[] = {
        { .seq = 1,
          .received_ms = 1767323045678,
          .at_ms = 1767323045000,
          .kind = STORE_EVENT_IDENTIFY,
          .flags = 5,
          .profile = 7,
          .user_id = STR("ada"),
          .message_id = STR("m1"),
          .body = STR("{\"traits\":{\"country\":\"NO\"}}") },
        { .seq = 2,
          .received_ms = 1767323046000,
          .at_ms = -5,
          .kind = STORE_EVENT_TRACK,
          .source = 1,
          .profile = 7,
          .name = 1,
          .anonymous_id = STR("anon"),
          .body = STR("{}") },
        { .seq = 3, .received_ms = 1767323047000, .at_ms = 0, .kind = STORE_EVENT_TIMER },
    };
    static const struct store_decision decisions[] = {
        { .id = 1, .seq = 1, .profile = 7, .kind = STORE_DECISION_SEGMENT_ENTERED, .subject = 3 },
        { .id = 2,
          .seq = 1,
          .profile = 7,
          .prev = 1,
          .kind = STORE_DECISION_JOURNEY_ENTERED,
          .subject = 4 },
        { .id = 3, .seq = 1, .profile = 8, .kind = STORE_DECISION_SEGMENT_ENTERED, .subject = 3 },
        { .id = 4,
          .seq = 2,
          .profile = 7,
          .prev = 2,
          .kind = STORE_DECISION_MESSAGE_QUEUED,
          .subject = 6,
          .object = 2,
          .detail = STR("{\"to\":\"ada@example.com\"}") },
        { .id = 5,
          .seq = 2,
          .profile = 7,
          .prev = 4,
          .kind = STORE_DECISION_SEGMENT_LEFT,
          .subject = 3 },
        { .id = 6,
          .seq = 2,
          .profile = 7,
          .prev = 5,
          .kind = STORE_DECISION_MESSAGE_SENT,
          .object = 4 },
        { .id = 7,
          .seq = 2,
          .profile = 7,
          .prev = 6,
          .kind = STORE_DECISION_MESSAGE_OPENED,
          .object = 4 },
        { .id = 8,
          .seq = 3,
          .profile = 7,
          .prev = 7,
          .kind = STORE_DECISION_JOURNEY_WAITING,
          .object = 2,
          .detail = STR("{\"node\":\"pause\"}") },
    };
    static const struct store_name names[] = {
        { .kind = STORE_NAME_EVENT, .id = 1, .text = STR("Signed Up") },
        { .kind = STORE_NAME_SEGMENT, .id = 3, .text = STR("vip") },
        { .kind = STORE_NAME_JOURNEY, .id = 4, .text = STR("welcome") },
        { .kind = STORE_NAME_TEMPLATE, .id = 6, .text = STR("hello") },
    };
    static const struct store_definition definitions[] = {
        { .id = 1,
          .seq = 1,
          .kind = STORE_DEFINITION_SEGMENT,
          .version = 1,
          .name = STR("vip"),
          .text = STR("revenue > 1"),
          .author = STR("kari") },
        { .id = 2,
          .seq = 2,
          .kind = STORE_DEFINITION_SEGMENT,
          .version = 2,
          .name = STR("vip"),
          .text = STR("revenue > 2"),
          .author = STR("kari") },
        { .id = 3,
          .seq = 2,
          .kind = STORE_DEFINITION_JOURNEY,
          .version = 1,
          .name = STR("old"),
          .text = STR("{}") },
        { .id = 4, .seq = 3, .kind = STORE_DEFINITION_JOURNEY, .version = 2, .name = STR("old") },
    };
    static const struct store_rejected rejected[] = {
        { .received_ms = 5, .reason = STR("no userId"), .remedy = STR("send one") },
    };
    static const struct store_state states[] = {
        { .profile = 7, .seq = 2, .state = { "\0\1\2", 3 } },
        { .profile = 8, .seq = 2, .state = STR("eight") },
    };
    struct store_batch batch = {
        .events = events,
        .events_count = 3,
        .decisions = decisions,
        .decisions_count = 8,
        .names = names,
        .names_count = 4,
        .definitions = definitions,
        .definitions_count = 4,
        .rejected = rejected,
        .rejected_count = 1,
        .states = states,
        .states_count = 2,
    };
    struct store *store = fixture_open(fixture, 0);
    assert_ok(store_commit(store, &batch));
    return store;
}

TEST(store, a_batch_is_read_back_as_it_was_written)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store *store = example_store(&fixture);
    store_close(store);
    store = fixture_open(&fixture, 0);

    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct store_reader               *reader;
    struct seen                        seen = { .arena = arena };
    struct store_event                 event;
    struct store_decision              decision;
    assert_ok(store_reader_open(store, "test", &reader));
    assert_ok(store_event_get(reader, arena, 1, &event));
    assert_int_equal(event.received_ms, 1767323045678);
    assert_int_equal(event.flags, 5);
    assert_str(event.user_id, "ada");
    assert_null(event.anonymous_id.ptr);
    assert_str(event.body, "{\"traits\":{\"country\":\"NO\"}}");
    assert_int_equal(store_event_get(reader, arena, 4, &event), ERR_ABSENT);
    assert_ok(store_decision_get(reader, arena, 4, &decision));
    assert_int_equal(decision.object, 2);
    assert_str(decision.detail, "{\"to\":\"ada@example.com\"}");
    assert_ok(store_names_read(reader, see_name, &seen));
    assert_int_equal(seen.count, 4);
    assert_int_equal(seen.name.kind, STORE_NAME_TEMPLATE);
    assert_str(seen.name.text, "hello");
    assert_ok(store_definitions_read(reader, 2, see_definition, &seen));
    assert_int_equal(seen.count, 4 + 3);
    assert_int_equal(seen.definition.version, 2);
    assert_null(seen.definition.text.ptr);
    assert_ok(store_rejected_read(reader, 5, see_rejected, &seen));
    assert_int_equal(seen.rejected.id, 1);
    assert_str(seen.rejected.reason, "no userId");
    assert_ok(store_states_read(reader, 7, see_state, &seen));
    assert_str(seen.state.state, "eight");
    assert_int_equal(seen.count, 7 + 1 + 2);
    store_reader_close(reader);
    store_close(store);
    fixture_done(&fixture);
}

TEST(store, a_persons_story_is_read_by_following_the_chain)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store                      *store = example_store(&fixture);
    struct store_reader               *reader;
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct seen                        seen = { .arena = arena };
    assert_ok(store_reader_open(store, "test", &reader));
    assert_ok(store_story_read(reader, 8, 100, see_story, &seen));
    assert_int_equal(seen.count, 7); /* all but the other person's */
    assert_int_equal(seen.decision.id, 1);
    seen.count = 0;
    assert_ok(store_story_read(reader, 8, 2, see_story, &seen));
    assert_int_equal(seen.decision.id, 7);
    seen.count = 0;
    assert_ok(store_events_by_seqs(reader, (uint64_t[]){ 3, 9, 1 }, 3, see_event, &seen));
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.event.seq, 1);
    store_reader_close(reader);
    store_close(store);
    fixture_done(&fixture);
}

TEST(store, a_state_replaces_the_one_before_and_a_meta_can_be_removed)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store                      *store = example_store(&fixture);
    struct store_reader               *reader;
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct seen                        seen = { .arena = arena };
    struct str                         value;
    assert_ok(store_reader_open(store, "test", &reader));
    assert_ok(store_commit(
        store, &(struct store_batch){
                   .states = &(struct store_state){ .profile = 8, .seq = 3, .state = STR("later") },
                   .states_count = 1,
                   .metas = &(struct store_meta){ STR("k"), STR("v") },
                   .metas_count = 1 }));
    assert_ok(store_states_read(reader, 0, see_state, &seen));
    assert_int_equal(seen.count, 2);
    assert_str(seen.state.state, "later");
    assert_int_equal(seen.state.seq, 3);
    assert_ok(store_meta_get(reader, arena, STR("k"), &value));
    assert_str(value, "v");
    assert_ok(store_commit(
        store, &(struct store_batch){ .metas = &(struct store_meta){ STR("k"), STR_NONE },
                                      .metas_count = 1 }));
    assert_int_equal(store_meta_get(reader, arena, STR("k"), &value), ERR_ABSENT);
    store_reader_close(reader);
    store_close(store);
    fixture_done(&fixture);
}

TEST(store, a_credential_is_added_listed_and_revoked_once)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store                      *store = fixture_open(&fixture, 0);
    struct store_reader               *reader;
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct seen                        seen = { .arena = arena };
    uint32_t                           id = 0;
    struct store_credential            shop = {
                   .kind = STR("write"), .name = STR("shop"), .hash = STR("h"), .created_ms = 5
    };
    assert_ok(store_credential_add(store, &shop, &id));
    assert_int_equal(id, 1);
    assert_ok(store_credential_add(store, &shop, &id));
    assert_int_equal(id, 2);
    assert_ok(store_credential_revoke(store, 2, 77));
    assert_int_equal(store_credential_revoke(store, 2, 78), ERR_ABSENT);
    assert_ok(store_reader_open(store, "test", &reader));
    assert_ok(store_credentials_read(reader, see_credential, &seen));
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.credential.revoked_ms, 77);
    assert_str(seen.credential.name, "shop");
    store_reader_close(reader);
    store_close(store);
    fixture_done(&fixture);
}

TEST(store, the_rejected_list_keeps_its_newest_rows_only)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store *store = fixture_open(&fixture, 0);
    enum { EXTRA = 1500, EACH = 500 };
    static struct store_rejected rows[EACH];
    struct store_upkeep          upkeep;
    for (int i = 0; i < EACH; i++)
        rows[i] = (struct store_rejected){ .received_ms = i, .reason = STR("r") };
    for (int i = 0; i < (STORE_REJECTED_MAX + EXTRA) / EACH; i++)
        assert_ok(
            store_commit(store, &(struct store_batch){ .rejected = rows, .rejected_count = EACH }));
    for (int i = 0; i < 3; i++)
        assert_ok(store_maintain(store, &upkeep));
    struct store_reader               *reader;
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 24);
    struct seen                        seen = { .arena = arena };
    assert_ok(store_reader_open(store, "test", &reader));
    assert_ok(store_rejected_read(reader, SIZE_MAX, see_rejected, &seen));
    assert_int_equal(seen.count, STORE_REJECTED_MAX);
    assert_int_equal(seen.rejected.id, EXTRA + 1);
    store_reader_close(reader);
    store_close(store);
    fixture_done(&fixture);
}

/* ---- what people see in plain SQL ---- */

static void assert_sql(const char *dir, const char *sql, const char *expected)
{
    char          path[200], text[1000] = "";
    sqlite3      *db;
    sqlite3_stmt *statement;
    snprintf(path, sizeof path, "%s/dult.db", dir);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    while (sqlite3_step(statement) == SQLITE_ROW)
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            const char *column = (const char *)sqlite3_column_text(statement, i);
            size_t      len = strlen(text);
            snprintf(text + len, sizeof text - len, "%s|", column == NULL ? "-" : column);
        }
    sqlite3_finalize(statement);
    sqlite3_close(db);
    assert_string_equal(text, expected);
}

TEST(store, views_show_the_latest_of_each_thing)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store           *store = example_store(&fixture);
    uint32_t                id;
    struct store_credential shop = { .kind = STR("write"), .name = STR("shop") };
    assert_ok(store_credential_add(store, &shop, &id));
    assert_sql(fixture.dir, "SELECT seq,received,at,kind,name,profile,source FROM events",
               "1|2026-01-02T03:04:05.678Z|2026-01-02T03:04:05.000Z|identify|-|7|dult|"
               "2|2026-01-02T03:04:06.000Z|1969-12-31T23:59:59.995Z|track|Signed Up|7|shop|"
               "3|2026-01-02T03:04:07.000Z|1970-01-01T00:00:00.000Z|timer|-|-|dult|");
    assert_sql(fixture.dir, "SELECT profile,segment,decision,since=entered FROM memberships",
               "8|vip|3|1|");
    assert_sql(fixture.dir, "SELECT enrollment,profile,journey,state,detail FROM enrollments",
               "2|7|welcome|waiting|{\"node\":\"pause\"}|");
    assert_sql(fixture.dir, "SELECT message,enrollment,template,state,opens,clicks FROM messages",
               "4|2|hello|sent|1|0|");
    assert_sql(fixture.dir, "SELECT profile,user_id,events,merged_into FROM profiles",
               "7|ada|2|-|");
    assert_sql(fixture.dir, "SELECT kind,name,version,author,text FROM definitions",
               "segment|vip|2|kari|revenue > 2|");
    store_close(store);
    fixture_done(&fixture);
}

/* ---- opening ---- */

TEST(store, the_second_writer_is_refused_and_told_who_is_first)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store     *store = fixture_open(&fixture, 0), *second = NULL;
    struct problem    problem;
    struct store_conf conf = { .dir = str_of(fixture.dir) };
    char              pid[32];
    snprintf(pid, sizeof pid, "process %d,", (int)getpid());
    assert_int_equal(store_open(&second, &conf, &problem), ERR_CONFLICT);
    assert_non_null(strstr(problem.what, pid));
    assert_non_null(strstr(problem.what, "/run/dult.sock"));
    conf.read_only = true;
    assert_ok(store_open(&second, &conf, &problem)); /* but looking is allowed */
    assert_int_equal(store_commit(second, &(struct store_batch){ 0 }), ERR_DENIED);
    store_close(second);
    store_close(store);
    store = fixture_open(&fixture, 0);
    store_close(store);
    fixture_done(&fixture);
}

TEST(store, a_folder_is_made_for_its_owner_alone_and_looking_makes_none)
{
    struct fixture fixture;
    fixture_make(&fixture);
    char           path[80];
    struct stat    about;
    struct store  *store = NULL;
    struct problem problem;
    snprintf(path, sizeof path, "%.60s/data", fixture.dir);
    struct store_conf conf = { .dir = str_of(path), .read_only = true };
    assert_int_equal(store_open(&store, &conf, &problem), ERR_ABSENT);
    assert_int_not_equal(stat(path, &about), 0);
    conf.read_only = false;
    assert_ok(store_open(&store, &conf, &problem));
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0700);
    store_close(store);
    struct fixture inner = { 0 };
    snprintf(inner.dir, sizeof inner.dir, "%s", path);
    fixture_done(&inner);
    fixture_done(&fixture);
}

static void raw_sql(const char *dir, const char *sql)
{
    char     path[200];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/dult.db", dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

/* Those made before a version, "before-3-"; the path of one. */
static int snapshots(const char *dir, const char *before, char *path, size_t path_bytes)
{
    int  count = 0;
    DIR *folder = opendir(dir);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (strncmp(entry->d_name, before, strlen(before)) == 0) {
            snprintf(path, path_bytes, "%s/%s", dir, entry->d_name);
            count++;
        }
    closedir(folder);
    return count;
}

static void version_1_make(const char *dir)
{
    static char text[16384];
    FILE       *file = fopen(DULT_SOURCE_DIR "/src/store/sql/001_tables.sql", "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    raw_sql(dir, text);
    raw_sql(dir, "PRAGMA application_id=0x44756c74; PRAGMA user_version=1;"
                 "INSERT INTO event VALUES(41,1,1,1,0,0,0,0,'ada',NULL,NULL,NULL);"
                 "INSERT INTO name(key,text) VALUES(1 << 32 | 11, '$11'), (1 << 32 | 12, '$12'),"
                 "(1 << 32 | 5, 'Email Sent'), (1 << 32 | 16, 'Message Sent');"
                 "INSERT INTO definition VALUES(1,40,0,2,1,'seen','did \"Email Opened\"',NULL),"
                 "(2,40,0,4,1,'post','subject: Email Opened',NULL)");
}

static enum err see_suppression(void *ctx, const struct store_suppression *row)
{
    struct seen *seen = ctx;
    seen->suppression = *row; /* the last: the oldest */
    seen->suppression.address = kept(seen, row->address);
    seen->count++;
    return OK;
}

TEST(store, a_suppression_replaces_the_one_of_its_address_and_is_listed_as_the_newest)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store                      *store = fixture_open(&fixture, 0);
    struct store_reader               *reader;
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct seen                        seen = { .arena = arena };
    const struct store_suppression     rows[] = {
            { .address = STR("a@x"), .reason = 1, .at_ms = 5, .seq = 1, .said = STR("no such user") },
            { .address = STR("b@x"), .reason = 4, .at_ms = 6, .seq = 2 },
            { .address = STR("c@x"), .reason = 4, .at_ms = 6, .seq = 2 },
            { .address = STR("a@x"), .reason = 0, .at_ms = 7, .seq = 3 },
            { .address = STR("c@x"), .is_erased = true },
    };
    assert_ok(store_reader_open(store, "test", &reader));
    assert_ok(store_commit(store,
                           &(struct store_batch){ .suppressions = rows, .suppressions_count = 5 }));
    assert_ok(store_suppressions_read(reader, INT64_MAX, see_suppression, &seen));
    assert_int_equal(seen.count, 2);
    assert_str(seen.suppression.address, "b@x");
    assert_ok(store_suppressions_read(reader, seen.suppression.id + 1, see_suppression, &seen));
    assert_int_equal(seen.count, 3);
    assert_sql(fixture.dir, "SELECT address,reason,said FROM suppressions", "b@x|manual|-|");
    store_reader_close(reader);
    store_close(store);
    fixture_done(&fixture);
}

static enum err see_file(void *ctx, const struct store_file *row)
{
    struct seen *seen = ctx;
    assert_int_equal(row->number, seen->count + 1);
    assert_str(row->type, "text/plain");
    seen->count++;
    return row->content.len == row->number ? OK : ERR_CORRUPT;
}

TEST(store, the_files_of_a_request_are_read_in_order_and_go_with_it)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store           *store = fixture_open(&fixture, 0);
    struct store_reader    *reader;
    struct seen             seen = { 0 };
    const struct store_file rows[] = {
        { 7, 2, STR("b"), STR("text/plain"), { "\0\1", 2 } },
        { 7, 1, STR("a"), STR("text/plain"), STR("x") },
        { 8, 1, STR("c"), STR("text/plain"), STR("y") },
    };
    assert_ok(store_reader_open(store, "test", &reader));
    assert_ok(store_commit(store, &(struct store_batch){ .files = rows, .files_count = 3 }));
    assert_ok(store_files_read(reader, 7, see_file, &seen));
    assert_int_equal(seen.count, 2);
    assert_ok(store_commit(
        store, &(struct store_batch){ .files_done = (uint64_t[]){ 7, 9 }, .files_done_count = 2 }));
    assert_sql(fixture.dir, "SELECT seq,name FROM file", "8|c|");
    store_reader_close(reader);
    store_close(store);
    fixture_done(&fixture);
}

TEST(store, an_older_database_is_brought_up_to_date_after_a_snapshot)
{
    struct fixture fixture;
    fixture_make(&fixture);
    char              copy[400] = "";
    struct store_last last;
    version_1_make(fixture.dir);
    struct store *store = fixture_open(&fixture, 0);
    assert_ok(store_last(store, &last));
    assert_int_equal(last.seq, 41);
    assert_sql(fixture.dir, "SELECT seq,user_id FROM events", "41|ada|");
    assert_sql(fixture.dir, "SELECT text FROM name ORDER BY id",
               "Message Sent|Message Complained|Message Replied|Message Sent (before)|");
    assert_sql(fixture.dir, "SELECT text FROM definition",
               "did \"Message Opened\"|subject: Email Opened|");
    assert_sql(fixture.dir, "PRAGMA user_version", "7|");
    assert_int_equal(snapshots(fixture.dir, "before-2-", copy, sizeof copy), 1);
    sqlite3      *db;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open_v2(copy, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT user_id,(SELECT user_version FROM "
                                        "pragma_user_version) FROM event",
                                        -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(statement, 0), "ada");
    assert_int_equal(sqlite3_column_int(statement, 1), 1);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    int removed = 0;
    assert_ok(store_snapshots_expire(store, 1, &removed));
    assert_int_equal(removed, 0);
    assert_ok(store_snapshots_expire(store, INT64_MAX, &removed));
    assert_int_equal(removed, 6); /* one before each step */
    store_close(store);
    fixture_done(&fixture);
}

TEST(store, a_newer_or_foreign_database_is_refused_with_a_remedy)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store     *store = NULL;
    struct problem    problem;
    struct store_conf conf = { .dir = str_of(fixture.dir) };
    raw_sql(fixture.dir, "CREATE TABLE theirs(x)");
    assert_int_equal(store_open(&store, &conf, &problem), ERR_CONFLICT);
    assert_non_null(strstr(problem.what, "another program"));
    raw_sql(fixture.dir, "PRAGMA application_id=0x44756c74; PRAGMA user_version=77");
    assert_int_equal(store_open(&store, &conf, &problem), ERR_CONFLICT);
    assert_non_null(strstr(problem.what, "77"));
    assert_non_null(strstr(problem.remedy, "before-"));
    fixture_done(&fixture);
}

TEST(store, a_key_that_is_there_already_is_refused_and_ends_all_writing_until_a_reload)
{
    struct fixture fixture;
    struct problem problem;
    fixture_make(&fixture);
    struct store      *store = fixture_open(&fixture, 0);
    struct store_batch batch = fixture_batch(&fixture, 1);
    raw_sql(fixture.dir, "INSERT INTO decision(id) VALUES(9)"); /* a second writer */
    assert_int_equal(store_commit(store, &batch), ERR_CONFLICT);
    store_problem(store, &problem);
    assert_non_null(strstr(problem.what, "decision.id"));
    assert_sql(fixture.dir, "SELECT count(*) FROM event", "0|");
    batch = (struct store_batch){ .events = fixture.events, .events_count = 1 };
    assert_int_equal(store_commit(store, &batch), ERR_CORRUPT);
    store_close(store);
    store = fixture_open(&fixture, 0);
    assert_ok(store_commit(store, &batch));
    store_close(store);
    fixture_done(&fixture);
}

/* ---- damage ---- */

static void damage(const char *dir, off_t at, size_t bytes, off_t cut_to)
{
    char path[200], noise[4096];
    snprintf(path, sizeof path, "%s/dult.db", dir);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    memset(noise, 0xA5, sizeof noise);
    assert_true(bytes <= sizeof noise && pwrite(fd, noise, bytes, at) == (ssize_t)bytes);
    if (cut_to > 0)
        assert_int_equal(ftruncate(fd, cut_to), 0);
    close(fd);
}

/* Opens and reads everything; the first error met. */
static enum err read_all(const char *dir, struct problem *problem)
{
    SCOPED(store_closep) struct store               *store = NULL;
    SCOPED(store_reader_closep) struct store_reader *reader = NULL;
    struct store_conf                                conf = { .dir = str_of(dir) };
    struct fixture_sum                               sum = { 0 };
    TRY(store_open(&store, &conf, problem));
    TRY(store_check(store, problem));
    TRY(store_reader_open(store, "all", &reader));
    TRY(store_events_read(reader, 0, UINT64_MAX, fixture_event, &sum));
    return store_decisions_read(reader, 0, UINT64_MAX, fixture_decision, &sum);
}

TEST(store, a_damaged_file_is_refused_and_the_remedy_told)
{
    static const struct {
        off_t  at;
        size_t bytes;
        off_t  cut_to;
    } cases[] = {
        { 0, 100, 0 },         /* no database at all */
        { 0, 0, 8192 * 3 },    /* cut off */
        { 100, 40, 0 },        /* the schema's page */
        { 8192 * 8, 4096, 0 }, /* a page of events */
        { 8192 * 20, 100, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture fixture;
        struct problem problem = { .what = "" };
        fixture_make(&fixture);
        struct store *store = fixture_open(&fixture, 0);
        for (uint64_t n = 1; n <= 30; n++) {
            struct store_batch batch = fixture_batch(&fixture, n);
            assert_ok(store_commit(store, &batch));
        }
        store_close(store);
        assert_ok(read_all(fixture.dir, &problem));
        damage(fixture.dir, cases[i].at, cases[i].bytes, cases[i].cut_to);
        assert_int_equal(read_all(fixture.dir, &problem), ERR_CORRUPT);
        assert_non_null(strstr(problem.remedy, "backup"));
        fixture_done(&fixture);
    }
}

/* ---- erasure ---- */

static bool folder_contains(const char *dir, const char *needle)
{
    static char bytes[8 << 20];
    bool        found = false;
    DIR        *folder = opendir(dir);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        FILE *file = fopen(path, "r");
        if (file == NULL)
            continue;
        size_t len = fread(bytes, 1, sizeof bytes, file);
        found |= memmem(bytes, len, needle, strlen(needle)) != NULL;
        fclose(file);
    }
    closedir(folder);
    return found;
}

TEST(store, what_is_erased_is_in_no_file_of_the_folder)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store *store = fixture_open(&fixture, 0);
    static char   long_body[40000];
    memset(long_body, 'y', sizeof long_body);
    memcpy(long_body + 30000, "SECRET-ada", 10); /* on a page of its own */
    struct store_event events[] = {
        { .seq = 1, .user_id = STR("SECRET-ada"), .body = STR("{}"), .profile = 3 },
        { .seq = 2, .body = { long_body, sizeof long_body }, .profile = 3 },
        { .seq = 3, .user_id = STR("KEPT-bob"), .profile = 4 },
        { .seq = 4, .message_id = STR("SECRET-ada"), .profile = 3 },
    };
    struct store_decision    decision = { .id = 1, .profile = 3, .detail = STR("SECRET-ada") };
    struct store_state       checkpoint = { .profile = 3, .state = STR("SECRET-ada") };
    struct store_rejected    rejected = { .body = STR("SECRET-ada") };
    struct store_suppression suppression = { .address = STR("SECRET-ada") };
    struct store_file        file = {
               .seq = 4, .number = 1, .name = STR("a"), .type = STR("a/b"), .content = STR("SECRET-ada")
    };
    assert_ok(store_commit(store, &(struct store_batch){ .events = events,
                                                         .events_count = 4,
                                                         .decisions = &decision,
                                                         .decisions_count = 1,
                                                         .states = &checkpoint,
                                                         .states_count = 1,
                                                         .rejected = &rejected,
                                                         .rejected_count = 1,
                                                         .suppressions = &suppression,
                                                         .suppressions_count = 1,
                                                         .files = &file,
                                                         .files_count = 1 }));
    assert_ok(store_scrub(store, NULL)); /* so that it is in the database, not only in the WAL */
    assert_true(folder_contains(fixture.dir, "SECRET-ada"));
    assert_ok(store_erase(store, &(struct store_erasure){ .events = (uint64_t[]){ 1, 2, 4 },
                                                          .events_count = 3,
                                                          .decisions = (uint64_t[]){ 1 },
                                                          .decisions_count = 1,
                                                          .profiles = (uint64_t[]){ 3 },
                                                          .profiles_count = 1,
                                                          .rejected = (uint64_t[]){ 1 },
                                                          .rejected_count = 1,
                                                          .addresses = &suppression.address,
                                                          .addresses_count = 1 }));
    assert_ok(store_scrub(store, NULL));
    assert_false(folder_contains(fixture.dir, "SECRET-ada"));
    assert_true(folder_contains(fixture.dir, "KEPT-bob"));
    store_close(store);
    store = fixture_open(&fixture, 0);
    struct store_last last;
    assert_ok(store_last(store, &last)); /* keys of erased rows are not given away again */
    assert_int_equal(last.seq, 4);
    assert_int_equal(last.decision, 1);
    store_close(store);
    fixture_done(&fixture);
}

/* A page that is rebuilt keeps, where nothing lies, what moved to its neighbour: SQLite's own
 * overwriting leaves one of these people in about two hundred. */
TEST(store, what_pages_kept_of_rows_that_moved_is_erased_with_the_rows)
{
    enum { PEOPLE = 400, ROUNDS = 5, ERASED = 240, STATE_BYTES_MAX = 720 };
    struct fixture fixture;
    uint64_t       random = 7;
    char           mark[16], text[STATE_BYTES_MAX];
    fixture_make(&fixture);
    struct store *store = fixture_open(&fixture, 0);
    for (uint64_t round = 0; round < ROUNDS; round++)
        for (uint64_t p = 0; p < PEOPLE; p++) {
            size_t len = 0;
            snprintf(mark, sizeof mark, "MARK%05d.", (int)p);
            random = hash_u64(random, 1);
            for (uint64_t i = random % 60 + 1; i > 0; i--)
                len += (size_t)snprintf(text + len, sizeof text - len, "%s", mark);
            struct store_state row = { .profile = p + 1, .seq = round, .state = { text, len } };
            assert_ok(
                store_commit(store, &(struct store_batch){ .states = &row, .states_count = 1 }));
        }
    for (uint64_t p = 0; p < ERASED; p++) {
        random = hash_u64(random, 1);
        uint64_t           profile = (p * 7 + 3) % PEOPLE + 1; /* 7 and 400 have no common factor */
        struct store_state bare = { .profile = profile,
                                    .seq = ROUNDS - 1,
                                    .state = { text, random % 60 + 1 } };
        memset(text, 'x', 61);
        assert_ok(
            store_erase(store, &(struct store_erasure){ .states = &bare, .states_count = 1 }));
        assert_ok(store_scrub(store, NULL));
    }
    for (uint64_t p = 0; p < ERASED; p++) {
        snprintf(mark, sizeof mark, "MARK%05d.", (int)((p * 7 + 3) % PEOPLE));
        if (folder_contains(fixture.dir, mark))
            fail_msg("%s is still there", mark);
    }
    snprintf(mark, sizeof mark, "MARK%05d.", (ERASED * 7 + 3) % PEOPLE);
    assert_true(folder_contains(fixture.dir, mark)); /* the first of those that stay */
    store_close(store);
    fixture_done(&fixture);
}

TEST(store, what_is_left_of_rows_takes_their_place_in_the_same_transaction)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store         *store = fixture_open(&fixture, 0);
    struct store_decision decisions[] = {
        { .id = 1, .seq = 1, .profile = 3, .kind = 1, .detail = STR("{\"id\":\"SECRET-ada\"}") },
        { .id = 2, .seq = 1, .profile = 3, .kind = 4, .detail = STR("SECRET-ada") },
    };
    struct store_state checkpoint = { .profile = 3, .seq = 1, .state = STR("SECRET-ada") };
    assert_ok(store_commit(store, &(struct store_batch){ .decisions = decisions,
                                                         .decisions_count = 2,
                                                         .states = &checkpoint,
                                                         .states_count = 1 }));
    decisions[0].detail = STR("{}");
    checkpoint.state = STR("bare");
    struct store_meta meta = { STR("erased"), STR("1") };
    assert_ok(store_erase(store, &(struct store_erasure){ .decisions = (uint64_t[]){ 2 },
                                                          .decisions_count = 1,
                                                          .bare = decisions,
                                                          .bare_count = 1,
                                                          .states = &checkpoint,
                                                          .states_count = 1,
                                                          .metas = &meta,
                                                          .metas_count = 1 }));
    assert_ok(store_scrub(store, NULL));
    assert_false(folder_contains(fixture.dir, "SECRET-ada"));
    struct store_reader  *reader = NULL;
    struct arena         *arena = arena_open(1 << 16);
    struct store_decision row;
    struct str            value;
    assert_ok(store_reader_open(store, "test", &reader));
    assert_ok(store_decision_get(reader, arena, 1, &row));
    assert_true(str_eq(row.detail, STR("{}")) && row.kind == 1 && row.profile == 3);
    assert_int_equal(store_decision_get(reader, arena, 2, &row), ERR_ABSENT);
    assert_ok(store_meta_get(reader, arena, STR("erased"), &value));
    assert_true(str_eq(value, STR("1")));
    arena_close(arena);
    store_reader_close(reader);
    store_close(store);
    fixture_done(&fixture);
}
