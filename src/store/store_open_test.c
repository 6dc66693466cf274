/* A folder opened: by one writer, of an older version, of a newer, of somebody else, damaged. */
#include "store/store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "store/store_fixture.h"

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
    assert_sql(fixture.dir, "PRAGMA user_version", "8|");
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
    assert_int_equal(removed, 7); /* one before each step */
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
