/*
 * Readers beside the writer: states stay whole, the WAL stays bounded, and threads do not race.
 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/store_fixture.h"

/*
 * SQLite itself is not built with the sanitizer: its reads of the shared WAL index are ordered by
 * locks and barriers that the sanitizer cannot see.
 */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:libsqlite3.so\n"
           "mutex:disk_shm_barrier\n"; /* a tail call out of it shows the unlock, not the lock */
}

enum { WAL_BOUND = 1 << 20 };

static off_t wal_size(const struct fixture *fixture)
{
    char        path[200];
    struct stat about;
    snprintf(path, sizeof path, "%s/dult.db-wal", fixture->dir);
    return stat(path, &about) == 0 ? about.st_size : 0;
}

/* Commits `count` batches from *n on; returns the largest WAL seen, sums up the upkeep. */
static off_t commits(struct store *store, struct fixture *fixture, uint64_t *n, int count,
                     struct store_upkeep *sum)
{
    off_t largest = 0;
    for (int i = 0; i < count; i++) {
        struct store_upkeep upkeep;
        struct store_batch  batch = fixture_batch(fixture, (*n)++);
        assert_ok(store_commit(store, &batch));
        if (wal_size(fixture) > largest)
            largest = wal_size(fixture);
        assert_ok(store_maintain(store, &upkeep));
        sum->over_bound = upkeep.over_bound;
        sum->readers_cancelled += upkeep.readers_cancelled;
        if (upkeep.reader[0] != '\0')
            memcpy(sum->reader, upkeep.reader, sizeof sum->reader);
    }
    return largest;
}

TEST(store_wal, a_state_does_not_change_while_it_is_held)
{
    struct fixture       fixture;
    struct store_reader *reader;
    struct store_upkeep  upkeep = { 0 };
    struct fixture_sum   sum = { 0 };
    uint64_t             n = 1, seq_last = 0;
    fixture_make(&fixture);
    struct store *store = fixture_open(&fixture, 0);
    commits(store, &fixture, &n, 2, &upkeep);
    assert_ok(store_reader_open(store, "report", &reader));
    assert_ok(store_reader_begin(reader, &seq_last));
    assert_int_equal(seq_last, 2 * FIXTURE_EVENTS);
    commits(store, &fixture, &n, 3, &upkeep);
    assert_ok(store_events_read(reader, 0, UINT64_MAX, fixture_event, &sum));
    assert_int_equal(sum.events, 2 * FIXTURE_EVENTS);
    store_reader_end(reader);
    sum = (struct fixture_sum){ 0 };
    assert_ok(store_events_read(reader, 0, UINT64_MAX, fixture_event, &sum));
    assert_int_equal(sum.events, 5 * FIXTURE_EVENTS);
    store_reader_close(reader);
    store_close(store);
    fixture_done(&fixture);
}

TEST(store_wal, the_wal_stays_bounded_while_a_reader_sleeps_and_the_sleeper_is_named)
{
    struct fixture       fixture;
    struct store_reader *reader;
    struct store_upkeep  sum = { 0 };
    struct fixture_sum   seen = { 0 };
    uint64_t             n = 1;
    fixture_make(&fixture);
    struct store *store = fixture_open(&fixture, WAL_BOUND);
    commits(store, &fixture, &n, 1, &sum);
    assert_ok(store_reader_open(store, "sleeping report", &reader));
    assert_ok(store_reader_begin(reader, NULL));
    off_t largest = commits(store, &fixture, &n, 300, &sum);
    assert_in_range(largest, WAL_BOUND / 2, WAL_BOUND + 256 * 1024); /* one batch over it */
    assert_int_equal(sum.readers_cancelled, 1);
    assert_string_equal(sum.reader, "sleeping report");
    assert_int_equal(store_events_read(reader, 0, UINT64_MAX, fixture_event, &seen), ERR_WAIT);
    store_reader_end(reader);
    assert_ok(store_reader_begin(reader, NULL)); /* and may begin again */
    assert_ok(store_events_read(reader, 0, UINT64_MAX, fixture_event, &seen));
    assert_int_equal(seen.events, 301 * FIXTURE_EVENTS);
    assert_false(seen.wrong);
    store_reader_end(reader);
    store_reader_close(reader);
    store_close(store);
    fixture_done(&fixture);
}

TEST(store_wal, without_readers_the_wal_is_begun_anew_long_before_its_bound)
{
    struct fixture      fixture;
    struct store_upkeep sum = { 0 };
    uint64_t            n = 1;
    fixture_make(&fixture);
    struct store *store = fixture_open(&fixture, WAL_BOUND);
    off_t         largest = commits(store, &fixture, &n, 300, &sum);
    assert_true(largest < WAL_BOUND / 2);
    assert_int_equal(sum.readers_cancelled, 0);
    store_close(store);
    fixture_done(&fixture);
}

/* ---- a reader asleep inside `each` ---- */

struct sleeper {
    struct store *store;
    sem_t         asleep, wake;
    int           rows;
    enum err      err;
};

static enum err sleep_in_each(void *ctx, const struct store_event *row)
{
    struct sleeper *sleeper = ctx;
    if (sleeper->rows++ == 10) {
        sem_post(&sleeper->asleep);
        sem_wait(&sleeper->wake);
    }
    return row->seq == (uint64_t)sleeper->rows ? OK : ERR_CORRUPT; /* the text is still ours */
}

static void *sleeper_run(void *ctx)
{
    struct sleeper      *sleeper = ctx;
    struct store_reader *reader = NULL;
    sleeper->err = store_reader_open(sleeper->store, "asleep in each", &reader);
    if (sleeper->err == OK)
        sleeper->err = store_events_read(reader, 0, UINT64_MAX, sleep_in_each, sleeper);
    store_reader_close(reader);
    return NULL;
}

TEST(store_wal, a_reader_asleep_between_two_rows_is_cancelled_too)
{
    struct fixture      fixture;
    struct store_upkeep sum = { 0 };
    struct sleeper      sleeper = { .rows = 0 };
    pthread_t           thread;
    uint64_t            n = 1;
    fixture_make(&fixture);
    struct store *store = sleeper.store = fixture_open(&fixture, WAL_BOUND);
    commits(store, &fixture, &n, 50, &sum);
    sem_init(&sleeper.asleep, 0, 0);
    sem_init(&sleeper.wake, 0, 0);
    pthread_create(&thread, NULL, sleeper_run, &sleeper);
    sem_wait(&sleeper.asleep);
    off_t largest = commits(store, &fixture, &n, 200, &sum);
    assert_true(largest < WAL_BOUND + 256 * 1024);
    assert_string_equal(sum.reader, "asleep in each");
    sem_post(&sleeper.wake);
    pthread_join(thread, NULL);
    assert_int_equal(sleeper.err, ERR_WAIT);
    assert_true(sleeper.rows >= 11 && sleeper.rows < 50 * FIXTURE_EVENTS);
    sem_destroy(&sleeper.asleep);
    sem_destroy(&sleeper.wake);
    store_close(store);
    fixture_done(&fixture);
}

TEST(store_wal, scrubbing_names_the_reader_in_its_way_and_does_not_wait)
{
    struct fixture       fixture;
    struct store_reader *reader;
    struct store_upkeep  sum = { 0 };
    struct problem       problem;
    uint64_t             n = 1;
    fixture_make(&fixture);
    struct store *store = fixture_open(&fixture, 0);
    commits(store, &fixture, &n, 1, &sum);
    assert_ok(store_reader_open(store, "long export", &reader));
    assert_ok(store_reader_begin(reader, NULL));
    commits(store, &fixture, &n, 1, &sum);
    assert_int_equal(store_scrub(store, &problem), ERR_WAIT);
    assert_non_null(strstr(problem.what, "long export"));
    store_reader_end(reader);
    assert_ok(store_scrub(store, &problem));
    assert_int_equal(wal_size(&fixture), 0);
    store_reader_close(reader);
    store_close(store);
    fixture_done(&fixture);
}

/* ---- a reader we cannot cancel ---- */

static void hold_for_ever(const char *dir, int ready)
{
    char     path[200];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/dult.db", dir);
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_exec(db, "BEGIN; SELECT * FROM event LIMIT 1", NULL, NULL, NULL) != SQLITE_OK ||
        write(ready, "x", 1) != 1)
        _exit(3);
    for (;;)
        pause();
}

TEST(store_wal, another_process_that_pins_the_wal_is_named_and_holds_up_no_commit)
{
    struct fixture      fixture;
    struct store_upkeep sum = { 0 };
    uint64_t            n = 1;
    int                 ready[2];
    char                byte, name[64];
    fixture_make(&fixture);
    assert_int_equal(pipe(ready), 0);
    struct store *store = fixture_open(&fixture, WAL_BOUND);
    commits(store, &fixture, &n, 5, &sum);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        hold_for_ever(fixture.dir, ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    snprintf(name, sizeof name, "process %d", (int)child);
    off_t largest = commits(store, &fixture, &n, 200, &sum);
    assert_true(largest > WAL_BOUND); /* the one case in which the bound cannot hold */
    assert_string_equal(sum.reader, name);
    assert_true(sum.over_bound);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    commits(store, &fixture, &n, 20, &sum); /* tried again at each further quarter of the bound */
    assert_false(sum.over_bound);
    assert_true(wal_size(&fixture) < WAL_BOUND);
    close(ready[0]);
    close(ready[1]);
    store_close(store);
    fixture_done(&fixture);
}

/* ---- many at once ---- */

struct crowd {
    struct store *store;
    atomic_bool  *stop;
    int           readings, cancelled;
    bool          wrong;
};

static void *crowd_run(void *ctx)
{
    struct crowd                      *crowd = ctx;
    struct store_reader               *reader = NULL;
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    crowd->wrong = store_reader_open(crowd->store, "crowd", &reader) != OK;
    while (!crowd->wrong && !atomic_load(crowd->stop)) {
        struct fixture_sum sum = { 0 };
        struct store_event event;
        uint64_t           last = 0;
        enum err           err = store_reader_begin(reader, &last);
        if (err == OK)
            err = store_events_read(reader, 0, UINT64_MAX, fixture_event, &sum);
        if (err == OK)
            err = store_event_get(reader, arena, last, &event);
        store_reader_end(reader);
        arena_reset(arena);
        crowd->readings += err == OK;
        crowd->cancelled += err == ERR_WAIT;
        crowd->wrong = sum.wrong || (err != OK && err != ERR_WAIT) ||
                       (err == OK && (sum.events != last || event.seq != last));
    }
    store_reader_close(reader);
    return NULL;
}

TEST(store_wal, readers_see_whole_batches_while_one_writes_and_cancels_them)
{
    enum { THREADS = 3 };
    struct fixture      fixture;
    struct store_upkeep sum = { 0 };
    struct crowd        crowd[THREADS];
    pthread_t           threads[THREADS];
    atomic_bool         stop = false;
    uint64_t            n = 1;
    fixture_make(&fixture);
    struct store *store = fixture_open(&fixture, 256 << 10);
    commits(store, &fixture, &n, 5, &sum);
    for (int i = 0; i < THREADS; i++) {
        crowd[i] = (struct crowd){ .store = store, .stop = &stop };
        pthread_create(&threads[i], NULL, crowd_run, &crowd[i]);
    }
    commits(store, &fixture, &n, 400, &sum);
    atomic_store(&stop, true);
    int readings = 0;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_false(crowd[i].wrong);
        readings += crowd[i].readings;
    }
    print_message("%d readings, %d cancelled\n", readings, sum.readers_cancelled);
    assert_true(readings > 0);
    store_close(store);
    fixture_done(&fixture);
}
