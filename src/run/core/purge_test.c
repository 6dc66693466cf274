/*
 * What is kept no longer goes from the index and from the store, whatever happens on the way, and
 * what is loaded then is what was known.
 */
#include "run/core/purge.h"

#include <signal.h>
#include <sys/wait.h>

#include "engine/retain.h"
#include "run/core/core_fixture.h"

enum {
    PEOPLE = 40,
    TASKS = 12,
    TASK_EVENTS = 1000,
    DAYS = 200,
    WAITS_MAX = 3000,
    KILLS = 10,
    DAYS_KEPT = 90,
};

static void program_tell(struct core *core)
{
    fixture_define(core, DEFINE_SEGMENT, "ever", "did \"Order\"");
    fixture_define(core, DEFINE_SEGMENT, "often", "did \"Visit\" at least 120 times");
    fixture_define(core, DEFINE_SEGMENT, "month", "did \"Visit\" in the last 30 days");
}

/* Every third is an order; u0 did everything long ago, and the last two days are empty. */
static void history_tell(struct core_fixture *f, struct core *core)
{
    for (int t = 0; t < TASKS; t++) {
        struct arena *arena = arena_open(16 << 20);
        struct task  *task = task_of(arena, TASK_EVENTS);
        for (uint32_t i = 0; i < TASK_EVENTS; i++) {
            uint32_t user = fixture_draw(f, PEOPLE);
            int64_t  days = user == 0 ? DAYS_KEPT + 5 : 3 + fixture_draw(f, DAYS);
            task->entries[i] = entry_of(RECORD_TRACK, str_format(arena, "u%u", user),
                                        i % 3 == 0 ? STR("Order") : STR("Visit"));
            entry_properties(arena, &task->entries[i], "properties",
                             str_format(arena, "{\"note\":\"secret %u\"}", i));
            task->entries[i].record.at_ms -= days * TIME_DAY_MS;
        }
        assert_ok(core_run(core, task));
        arena_close(arena);
    }
}

static void keep(struct core *core, const char *text)
{
    fixture_define(core, DEFINE_RETENTION, "retention", text);
}

static bool retention_ask(struct engine *engine, struct task *task)
{
    *(struct engine_retention *)task->context = engine_retention(engine);
    return true;
}

static struct engine_retention retention_now(struct core *core)
{
    struct engine_retention now;
    struct task             task = { .ask = retention_ask, .context = &now };
    assert_ok(core_run(core, &task));
    return now;
}

static void purged_wait(struct core *core, uint64_t after_seq)
{
    for (int i = 0; i < WAITS_MAX; i++) {
        struct purge_progress progress = core_purge(core);
        if (progress.seq > after_seq && progress.is_done && !retention_now(core).is_asking)
            return;
        usleep(10000);
    }
    struct purge_progress   progress = core_purge(core);
    struct engine_retention now = retention_now(core);
    print_error("since %llu: looked at %llu of %llu, %sdone; in force since %llu%s%s\n",
                (unsigned long long)progress.seq, (unsigned long long)progress.looked,
                (unsigned long long)progress.limit, progress.is_done ? "" : "not ",
                (unsigned long long)now.seq, now.is_coming ? ", more is coming" : "",
                now.is_asking ? ", people are asked" : "");
    fail();
}

/* ---- what is stored ---- */

struct rows {
    int64_t  before_ms; /* of visits; orders are kept */
    uint32_t old, orders, all;
    uint32_t visit;
};

static enum err row_count(void *ctx, const struct store_event *row)
{
    struct rows *rows = ctx;
    if (row->kind != STORE_EVENT_TRACK)
        return OK;
    rows->all++;
    rows->orders += row->name != rows->visit;
    rows->old += row->name == rows->visit && row->at_ms < rows->before_ms;
    return OK;
}

static struct rows rows_of(struct core *core, int64_t before_ms)
{
    struct store_reader *reader;
    struct rows          rows = { .before_ms = before_ms };
    rows.visit =
        own_to_store(dict_find(engine_program(core_engine(core))->names[NAME_EVENT], STR("Visit")));
    assert_ok(store_reader_open(core_store(core), "test", &reader));
    assert_ok(store_event_heads_read(reader, 1, UINT32_MAX, row_count, &rows));
    store_reader_close(reader);
    return rows;
}

static int64_t kept_from_ms(void)
{
    int64_t now_ms = time_now_ms();
    return now_ms - now_ms % TIME_DAY_MS - DAYS_KEPT * TIME_DAY_MS;
}

static bool says_secret(const char *dir, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "rb");
    bool  found = false;
    char  bytes[4096 + 16];
    if (file == NULL)
        return false;
    size_t kept = 0, count;
    while (!found && (count = fread(bytes + kept, 1, 4096, file)) > 0) {
        size_t len = kept + count;
        found = memmem(bytes, len, "secret ", 7) != NULL;
        kept = len < 16 ? len : 16;
        memmove(bytes, bytes + len - kept, kept);
    }
    fclose(file);
    return found;
}

/* ---- loading ---- */

/* Loaded without index and checkpoint, and with them, all is as it was. */
static void loads_same(struct core_fixture *f, struct buf *was)
{
    for (int derived = 0; derived < 2; derived++) {
        f->conf.no_snapshot = f->conf.no_checkpoint = derived == 0;
        struct core                 *core = core_fixture_open(f);
        SCOPED(buf_donep) struct buf is = fixture_describe(core, false);
        assert_same(&is, was);
        assert_int_equal(rows_of(core, kept_from_ms()).old, 0);
        core_close(core);
    }
    f->conf.no_snapshot = f->conf.no_checkpoint = false;
}

TEST(purge, what_is_kept_no_longer_goes_from_index_and_store_and_a_load_knows_the_same)
{
    struct core_fixture f;
    core_fixture_make(&f, 11);
    struct core *core = core_fixture_open(&f);
    assert_ok(core_start(core));
    program_tell(core);
    history_tell(&f, core);
    struct rows before = rows_of(core, kept_from_ms());
    assert_true(before.old > 2000);
    keep(core, "{\"events\":\"for ever\",\"by_event\":{\"Visit\":\"90 days\"}}");
    purged_wait(core, 0);
    struct rows after = rows_of(core, kept_from_ms());
    assert_int_equal(after.old, 0);
    assert_int_equal(after.orders, before.orders);
    assert_int_equal(after.all, before.all - before.old);
    assert_int_equal(core_purge(core).removed, before.old);
    assert_int_equal(retention_now(core).removed, before.old);
    SCOPED(buf_donep) struct buf was = fixture_describe(core, true);
    core_close(core);
    loads_same(&f, &was);
    core = core_fixture_open(&f);
    assert_true_segments(core);
    core_close(core);
    folder_empty(f.dir);
}

TEST(purge, of_what_was_removed_no_file_of_the_data_folder_says_a_word)
{
    struct core_fixture f;
    core_fixture_make(&f, 12);
    struct core *core = core_fixture_open(&f);
    assert_ok(core_start(core));
    program_tell(core);
    history_tell(&f, core);
    assert_true(says_secret(f.dir, "dult.db") || says_secret(f.dir, "dult.db-wal"));
    keep(core, "{\"events\":\"1 day\"}");
    purged_wait(core, 0);
    assert_int_equal(rows_of(core, 0).all, 0);
    assert_false(says_secret(f.dir, "dult.db"));
    assert_false(says_secret(f.dir, "dult.db-wal"));
    core_close(core);
    assert_false(says_secret(f.dir, "index/bags.dult"));
    folder_empty(f.dir);
}

TEST(purge, an_older_event_is_accepted_and_stored_nowhere)
{
    struct core_fixture f;
    core_fixture_make(&f, 13);
    struct core *core = core_fixture_open(&f);
    assert_ok(core_start(core));
    keep(core, "{\"events\":\"90 days\"}");
    purged_wait(core, 0);
    struct arena *arena = arena_open(1 << 20);
    struct task  *task = task_of(arena, 2);
    for (int i = 0; i < 2; i++)
        task->entries[i] = entry_of(RECORD_TRACK, STR("ada"), STR("Visit"));
    task->entries[0].record.at_ms -= 100 * TIME_DAY_MS;
    assert_ok(core_run(core, task));
    assert_int_equal(task->taken, 2);
    assert_int_equal(task->older, 1);
    arena_close(arena);
    assert_int_equal(rows_of(core, 0).all, 1);
    assert_int_equal(retention_now(core).older, 1);
    core_close(core);
    folder_empty(f.dir);
}

TEST(purge, kept_longer_again_begins_when_the_rows_are_gone_and_brings_nothing_back)
{
    struct core_fixture f;
    core_fixture_make(&f, 14);
    struct core *core = core_fixture_open(&f);
    assert_ok(core_start(core));
    program_tell(core);
    history_tell(&f, core);
    keep(core, "{\"events\":\"90 days\"}");
    purged_wait(core, 0);
    uint64_t seq = retention_now(core).seq;
    uint32_t left = rows_of(core, 0).all;
    keep(core, "{\"events\":\"1 year\"}");
    purged_wait(core, seq);
    struct arena *arena = arena_open(1 << 20);
    struct task  *task = task_of(arena, 1);
    task->entries[0] = entry_of(RECORD_TRACK, STR("u1"), STR("Visit"));
    task->entries[0].record.at_ms -= 100 * TIME_DAY_MS;
    assert_ok(core_run(core, task));
    assert_int_equal(task->older, 0);
    arena_close(arena);
    assert_int_equal(rows_of(core, 0).all, left + 1);
    SCOPED(buf_donep) struct buf was = fixture_describe(core, true);
    core_close(core);
    f.conf.no_snapshot = f.conf.no_checkpoint = true;
    core = core_fixture_open(&f);
    SCOPED(buf_donep) struct buf is = fixture_describe(core, false);
    assert_same(&is, &was);
    core_close(core);
    folder_empty(f.dir);
}

/* ---- day by day ---- */

enum { STRETCH = 8192, MOVES = 40 };

/* Older rows came first, by and large; every third is an order. */
static void years_tell(struct core_fixture *f, struct core *core, int tasks)
{
    for (int t = 0; t < tasks; t++) {
        struct arena *arena = arena_open(16 << 20);
        struct task  *task = task_of(arena, TASK_EVENTS);
        for (uint32_t i = 0; i < TASK_EVENTS; i++) {
            int64_t days = 20 * (tasks - t) + fixture_draw(f, 30);
            task->entries[i] =
                entry_of(RECORD_TRACK, STR("ada"), i % 3 ? STR("Visit") : STR("Order"));
            task->entries[i].record.at_ms -=
                days * TIME_DAY_MS + fixture_draw(f, 24) * TIME_HOUR_MS;
        }
        assert_ok(core_run(core, task));
        arena_close(arena);
    }
}

struct border {
    uint32_t visit, order;
    int64_t  visits_ms, orders_ms;
    uint32_t old, all;
};

static enum err border_look(void *ctx, const struct store_event *row)
{
    struct border *border = ctx;
    if (row->kind != STORE_EVENT_TRACK)
        return OK;
    border->all++;
    border->old += row->at_ms < (own_of_store(row->name) == border->visit ? border->visits_ms
                                                                          : border->orders_ms);
    return OK;
}

static void border_see(struct core *core, struct border *border)
{
    struct store_reader *reader;
    border->old = border->all = 0;
    assert_ok(store_reader_open(core_store(core), "test", &reader));
    assert_ok(store_event_heads_read(reader, 1, UINT32_MAX, border_look, border));
    store_reader_close(reader);
}

static uint64_t border_move(struct core *core, struct purge *purge, struct border *border,
                            uint64_t limit, uint32_t rows)
{
    uint32_t         names = (border->visit > border->order ? border->visit : border->order) + 1;
    int64_t          before_ms[256];
    struct retention table = { before_ms, names, TIME_MIN_MS }, mine;
    uint64_t         read = purge_progress(purge).read, removed = purge_progress(purge).removed;
    for (uint32_t n = 0; n < names; n++)
        before_ms[n] = n == border->visit   ? border->visits_ms
                       : n == border->order ? border->orders_ms
                                            : TIME_MIN_MS;
    border_see(core, border);
    uint32_t old = border->old, all = border->all;
    assert_ok(retention_copy(&table, &mine));
    purge_begin(purge, mine, limit);
    while (purge_is_under_way(purge))
        assert_int_equal(purge_step(purge, rows), 0);
    border_see(core, border);
    assert_int_equal(border->old, 0);
    assert_int_equal(border->all, all - old);
    assert_int_equal(purge_progress(purge).removed - removed, old);
    return purge_progress(purge).read - read;
}

/* What goes is counted by plain reading of all rows, before and after. */
TEST(purge, however_the_border_moves_all_that_is_older_goes_and_what_is_far_from_it_is_not_read)
{
    const char         *given = getenv("DULT_SEED");
    struct core_fixture f;
    core_fixture_make(&f, given != NULL ? strtoull(given, NULL, 0) : hash_random_seed() >> 16);
    printf("purge: DULT_SEED=%llu replays\n", (unsigned long long)f.random);
    struct core *core = core_fixture_open(&f);
    assert_ok(core_start(core));
    years_tell(&f, core, 40);
    const struct dict *names = engine_program(core_engine(core))->names[NAME_EVENT];
    struct border      border = { .visit = dict_find(names, STR("Visit")),
                                  .order = dict_find(names, STR("Order")),
                                  .visits_ms = time_now_ms() - 780 * TIME_DAY_MS,
                                  .orders_ms = TIME_MIN_MS };
    core_close(core);
    core = core_fixture_open(&f); /* nothing runs in it */
    struct purge *purge = purge_open(core_store(core));
    uint64_t      limit = 40 * TASK_EVENTS;
    assert_int_equal(border_move(core, purge, &border, limit, 1000), limit);
    border.visits_ms += TIME_DAY_MS; /* a day more comes only to the first stretch, and the end */
    assert_int_equal(border_move(core, purge, &border, limit, 1000), STRETCH + limit % STRETCH);
    assert_int_equal(border_move(core, purge, &border, 4 * STRETCH, 100), 0);
    border.orders_ms =
        border.visits_ms - 100 * TIME_DAY_MS; /* no more for ever: all is looked at */
    assert_int_equal(border_move(core, purge, &border, limit, 3000), limit);
    for (int i = 0; i < MOVES; i++) {
        border.visits_ms += fixture_draw(&f, 30) * TIME_DAY_MS - 5 * TIME_DAY_MS;
        border.orders_ms += fixture_draw(&f, 40) * TIME_DAY_MS - 5 * TIME_DAY_MS;
        border_move(core, purge, &border, limit, 1 + fixture_draw(&f, 9000));
    }
    assert_true(border.all < limit * 3 / 4);
    purge_close(purge);
    core_close(core);
    folder_empty(f.dir);
}

/* ---- killed ---- */

static _Noreturn void child(struct core_fixture *f, bool fresh, int ready)
{
    struct core *core = core_fixture_open(f);
    assert_ok(core_start(core));
    if (fresh) {
        program_tell(core);
        history_tell(f, core);
        keep(core, "{\"events\":\"for ever\",\"by_event\":{\"Visit\":\"90 days\"}}");
    }
    if (write(ready, "x", 1) != 1)
        _exit(3);
    for (;;)
        pause();
}

static void kill_one(struct core_fixture *f, bool fresh)
{
    int   ends[2];
    char  byte;
    pid_t pid;
    assert_int_equal(pipe(ends), 0);
    pid = fork();
    if (pid == 0)
        child(f, fresh, ends[1]);
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    usleep(fixture_draw(f, 40000));
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(ends[0]);
}

TEST(purge, killed_at_any_moment_it_goes_on_and_ends_alike)
{
    const char         *given = getenv("DULT_SEED");
    struct core_fixture f;
    core_fixture_make(&f, given != NULL ? strtoull(given, NULL, 0) : hash_random_seed() >> 16);
    printf("purge: DULT_SEED=%llu replays\n", (unsigned long long)f.random);
    for (int i = 0; i < KILLS; i++)
        kill_one(&f, i == 0);
    struct core *core = core_fixture_open(&f);
    assert_ok(core_start(core));
    purged_wait(core, 0);
    struct rows after = rows_of(core, kept_from_ms());
    assert_int_equal(after.old, 0);
    assert_int_equal(after.orders, TASKS * ((TASK_EVENTS + 2) / 3));
    SCOPED(buf_donep) struct buf was = fixture_describe(core, true);
    core_close(core);
    loads_same(&f, &was);
    core = core_fixture_open(&f);
    assert_true_segments(core);
    core_close(core);
    folder_empty(f.dir);
}
