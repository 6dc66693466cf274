/* A real core, its threads and its store in a folder: what it knew is what it knows again. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "engine/behaviour/base_version_test.h"
#include "run/core/core_fixture.h"
#include "run/core/reading.h"

static uint64_t seed_of(const char *test)
{
    const char *given = getenv("DULT_SEED");
    uint64_t    seed = given != NULL ? strtoull(given, NULL, 0) : hash_random_seed() >> 16;
    printf("%s: DULT_SEED=%llu replays\n", test, (unsigned long long)seed);
    return seed;
}

/* ---- what is to be sent ---- */

struct desk {
    pthread_mutex_t lock;
    struct {
        uint64_t message;
        uint32_t profile;
    } items[20000];
    uint32_t count;
};

static void desk_claimed(void *context, const struct claim *claims, size_t count)
{
    struct desk *desk = context;
    pthread_mutex_lock(&desk->lock);
    for (size_t i = 0; i < count; i++) {
        desk->items[desk->count].message = claims[i].message;
        desk->items[desk->count++].profile = claims[i].profile;
    }
    pthread_mutex_unlock(&desk->lock);
}

static struct desk *desk_open(struct core *core)
{
    struct desk *desk = calloc(1, sizeof *desk);
    pthread_mutex_init(&desk->lock, NULL);
    core_calls_set(core, (struct core_calls){ desk, desk_claimed });
    return desk;
}

static uint32_t desk_count(struct desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    uint32_t count = desk->count;
    pthread_mutex_unlock(&desk->lock);
    return count;
}

static struct task *outcome_task(struct desk *desk, uint32_t i, enum outcome_kind kind)
{
    struct arena *arena = arena_open(1 << 16);
    struct task  *task = task_of(arena, 1);
    pthread_mutex_lock(&desk->lock);
    task->entries[0] = entry_of(RECORD_OUTCOME, STR_NONE, EVENT_MESSAGE_SENT);
    task->entries[0].record.profile = desk->items[i].profile;
    task->entries[0].record.outcome = (struct record_outcome){ .message = desk->items[i].message,
                                                               .kind = kind,
                                                               .retry_at_ms = time_now_ms() + 50,
                                                               .text = STR("250 ok") };
    pthread_mutex_unlock(&desk->lock);
    return task;
}

/* ---- a life ---- */

static void live(struct core_fixture *f, struct core *core, struct desk *desk, int tasks)
{
    uint32_t told = 0;
    for (int i = 0; i < tasks; i++) {
        struct arena *arena = arena_open(4 << 20);
        struct task  *task = task_of(arena, 1 + fixture_draw(f, 20));
        for (uint32_t k = 0; k < task->entries_count; k++)
            task->entries[k] = entry_random(f, arena);
        assert_ok(core_run(core, task));
        arena_close(arena);
        if (i % 4 == 0)
            core_room(core, 2);
        /* Of each three messages one is never answered. */
        for (; told < desk_count(desk); told++) {
            if (told % 3 == 2)
                continue;
            struct task *outcome =
                outcome_task(desk, told, told % 7 == 1 ? OUTCOME_DEFERRED : OUTCOME_SENT);
            assert_ok(core_submit(core, outcome));
        }
    }
}

/* The short waits of its journeys end, on a busy machine too; the long one does not. */
static struct buf describe_at_rest(struct core *core)
{
    enum { LOOKS_MAX = 60 };
    struct buf was = fixture_describe(core, true);
    for (int i = 0; i < LOOKS_MAX; i++) {
        usleep(500000);
        struct buf is = fixture_describe(core, true);
        bool       rests = str_eq(buf_view(&is), buf_view(&was));
        buf_done(&was);
        was = is;
        if (rests)
            break;
    }
    return was;
}

static struct core_stats run_life(struct core_fixture *f, struct buf *was, int tasks)
{
    struct core *core = core_fixture_open(f);
    struct desk *desk = desk_open(core);
    assert_ok(core_start(core));
    fixture_program(core);
    live(f, core, desk, tasks);
    *was = describe_at_rest(core);
    struct core_stats stats = core_stats(core);
    core_close(core);
    assert_true(desk->count > 3);
    free(desk);
    return stats;
}

static void compare_loaded(struct core_fixture *f, struct buf *was, bool snapshot)
{
    struct core *core = core_fixture_open(f);
    struct buf   is = fixture_describe(core, false);
    assert_int_equal(core_stats(core).snapshot_loaded, snapshot);
    assert_same(&is, was);
    assert_true_segments(core);
    buf_done(&is);
    core_close(core);
}

static void byte_flip(const struct core_fixture *f, const char *name, double part)
{
    char        path[256];
    struct stat stat_;
    snprintf(path, sizeof path, "%s/index/%s", f->dir, name);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &stat_), 0);
    long at = (long)((double)stat_.st_size * part);
    fseek(file, at, SEEK_SET);
    int byte = fgetc(file);
    fseek(file, at, SEEK_SET);
    fputc(byte ^ 0x10, file);
    fclose(file);
}

TEST(core, what_was_known_is_known_after_a_restart_whatever_helps_to_load_it)
{
    struct core_fixture f;
    struct buf          was;
    core_fixture_make(&f, seed_of("core restart"));
    struct core_stats stats = run_life(&f, &was, 120);
    assert_true(stats.merges > 0 && stats.checkpoints > 0);
    compare_loaded(&f, &was, true);
    f.conf.no_snapshot = true;
    compare_loaded(&f, &was, false);
    f.conf.no_checkpoint = true;
    compare_loaded(&f, &was, false);
    f.conf.no_snapshot = false;
    compare_loaded(&f, &was, true);
    buf_done(&was);
    folder_empty(f.dir);
}

TEST(core, a_flipped_byte_of_the_index_is_seen_and_costs_only_time)
{
    static const struct {
        const char *file;
        double      part;
    } faults[] = {
        { "base.dult", 0.0 },  { "base.dult", 0.00005 }, { "base.dult", 0.5 },
        { "base.dult", 0.99 }, { "bags.dult", 0.1 },     { "bags.dult", 0.9 },
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct core_fixture f;
        struct buf          was;
        core_fixture_make(&f, 77 + i);
        run_life(&f, &was, 60);
        byte_flip(&f, faults[i].file, faults[i].part);
        compare_loaded(&f, &was, false);
        buf_done(&was);
        folder_empty(f.dir);
    }
}

static void version_move(const struct core_fixture *f, int32_t by)
{
    char        path[256];
    struct stat stat_;
    snprintf(path, sizeof path, "%s/index/base.dult", f->dir);
    int file = open(path, O_RDWR | O_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(fstat(file, &stat_), 0);
    size_t         bytes = (size_t)stat_.st_size;
    unsigned char *region = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    assert_true(region != MAP_FAILED);
    base_version_move(region, bytes, by);
    munmap(region, bytes);
    close(file);
}

TEST(core, an_index_of_another_version_is_made_anew_from_the_store_once)
{
    for (int by = -1; by <= 1; by += 2) {
        struct core_fixture f;
        struct buf          was;
        core_fixture_make(&f, 177 + (uint64_t)by);
        run_life(&f, &was, 60);
        version_move(&f, by);
        compare_loaded(&f, &was, false);
        struct core *core = core_fixture_open(&f); /* lives on, and leaves one of its own */
        assert_ok(core_start(core));
        core_close(core);
        core = core_fixture_open(&f);
        assert_true(core_stats(core).snapshot_loaded);
        core_close(core);
        buf_done(&was);
        folder_empty(f.dir);
    }
}

static void states_spoil(struct core_fixture *f, struct str state)
{
    struct store        *store = NULL;
    struct store_conf    conf = { .dir = str_of(f->dir) };
    struct store_state   row = { .seq = 0, .state = state };
    struct store_reader *reader = NULL;
    struct str           text;
    struct arena        *arena = arena_open(1 << 16);
    unsigned long long   round, seq;
    char                 value[96];
    assert_ok(store_open(&store, &conf, NULL));
    assert_ok(store_reader_open(store, "test", &reader));
    assert_ok(store_meta_get(reader, arena, STR("checkpoint"), &text));
    assert_int_equal(sscanf(str_to_cstr(text, value, sizeof value), "%llu:%llu:", &round, &seq), 2);
    row.seq = seq;
    row.profile = ((uint64_t)(round & 1) << 40) + 3;
    assert_ok(store_commit(store, &(struct store_batch){ .states = &row, .states_count = 1 }));
    store_reader_close(reader);
    store_close(store);
    arena_close(arena);
}

TEST(core, a_damaged_checkpoint_is_refused_and_everyone_rebuilt)
{
    struct core_fixture f;
    struct buf          was;
    core_fixture_make(&f, seed_of("core checkpoint"));
    run_life(&f, &was, 60);
    states_spoil(&f, STR("not a state"));
    compare_loaded(&f, &was, true); /* the index is none the worse */
    buf_done(&was);
    folder_empty(f.dir);
}

TEST(core, a_folder_of_a_version_that_had_other_names_of_its_own_is_refused_with_what_to_do)
{
    struct core_fixture f;
    struct store       *store = NULL;
    struct core        *core = NULL;
    struct problem      problem = { .what = "" };
    struct store_name   name = { .kind = NAME_EVENT, .id = 0, .text = STR("Visit") };
    core_fixture_make(&f, 5);
    struct store_conf conf = { .dir = str_of(f.dir) };
    assert_ok(store_open(&store, &conf, NULL));
    assert_ok(store_commit(store, &(struct store_batch){ .names = &name, .names_count = 1 }));
    store_close(store);
    assert_int_equal(core_open(&core, &f.conf, &problem), ERR_CONFLICT);
    assert_non_null(strstr(problem.what, "older version"));
    assert_non_null(strstr(problem.remedy, "new folder"));
    folder_empty(f.dir);
}

TEST(core, an_index_of_a_store_that_had_gone_further_is_refused)
{
    struct core_fixture f, old;
    struct buf          was, older;
    char                command[400];
    core_fixture_make(&f, 5);
    core_fixture_make(&old, 6);
    run_life(&old, &older, 30);
    run_life(&f, &was, 90);
    snprintf(command, sizeof command, "rm -rf %s/index && cp -r %s/index %s/index", old.dir, f.dir,
             old.dir);
    assert_int_equal(system(command), 0);
    compare_loaded(&old, &older, false);
    buf_done(&was);
    buf_done(&older);
    folder_empty(f.dir);
    folder_empty(old.dir);
}

TEST(core, what_was_being_sent_becomes_unknown_once_and_never_again)
{
    struct core_fixture f;
    struct buf          was;
    core_fixture_make(&f, seed_of("core doubt"));
    run_life(&f, &was, 60);
    struct core *core = core_fixture_open(&f);
    uint64_t     doubt = engine_stats(core_engine(core)).sending;
    assert_true(doubt > 3);
    assert_ok(core_start(core));
    struct buf after = fixture_describe(core, true);
    core_close(core);
    core = core_fixture_open(&f);
    assert_int_equal(engine_stats(core_engine(core)).sending, 0);
    struct buf again = fixture_describe(core, false);
    assert_same(&again, &after);
    core_close(core);
    buf_done(&was);
    buf_done(&after);
    buf_done(&again);
    folder_empty(f.dir);
}

TEST(core, room_that_was_not_used_is_taken_back_once)
{
    struct core_fixture f;
    core_fixture_make(&f, 1);
    struct core *core = core_fixture_open(&f);
    core_room(core, 3);
    core_room(core, 2);
    assert_int_equal(core_door_take_back(core, 0), 5);
    assert_int_equal(core_door_take_back(core, 0), 0);
    core_close(core);
    folder_empty(f.dir);
}

/* ---- the same message id ---- */

static struct task visit_task(struct arena *arena, const char *user, const char *id)
{
    struct entry *entry = ARENA_NEW(arena, struct entry);
    *entry = entry_of(RECORD_TRACK, str_copy(arena, str_of(user)), STR("Visit"));
    entry->message_id = str_copy(arena, str_of(id));
    return (struct task){ .entries = entry, .entries_count = 1 };
}

TEST(core, a_message_id_is_taken_once_also_across_a_restart)
{
    struct core_fixture f;
    struct arena       *arena = arena_open(16 << 20);
    core_fixture_make(&f, 1);
    for (int round = 0; round < 3; round++) {
        struct core *core = core_fixture_open(&f);
        assert_ok(core_start(core));
        for (int i = 0; i < 200; i++) {
            char id[32];
            snprintf(id, sizeof id, "m%d", i + round * 100);
            struct task task = visit_task(arena, "ada", id);
            assert_ok(core_run(core, &task));
            assert_int_equal(task.taken, round == 0 || i >= 100);
            assert_int_equal(task.duplicates, task.taken == 0);
        }
        core_close(core);
    }
    struct core *core = core_fixture_open(&f);
    assert_int_equal(engine_stats(core_engine(core)).events, 400);
    core_close(core);
    arena_close(arena);
    folder_empty(f.dir);
}

/* ---- several threads, and the index made anew meanwhile ---- */

enum { THREADS = 4, VISITS = 400 };

struct visitor {
    struct core *core;
    pthread_t    thread;
    int          number;
    uint32_t     taken, duplicates;
};

static void *visit(void *arg)
{
    struct visitor *visitor = arg;
    struct arena   *arena = arena_open(64 << 20);
    for (int i = 0; i < VISITS; i++) {
        char user[32], id[32];
        snprintf(user, sizeof user, "v%d-%d", visitor->number, i);
        snprintf(id, sizeof id, i % 2 ? "shared-%d" : "own-%d-%d", i, visitor->number);
        struct task task = visit_task(arena, user, id);
        while (core_run(visitor->core, &task) == ERR_WAIT)
            usleep(100);
        visitor->taken += task.taken;
        visitor->duplicates += task.duplicates;
    }
    arena_close(arena);
    return NULL;
}

TEST(core, of_several_threads_with_the_same_ids_one_wins_each)
{
    struct core_fixture f;
    struct visitor      visitors[THREADS];
    uint32_t            taken = 0, duplicates = 0;
    core_fixture_make(&f, 1);
    struct core *core = core_fixture_open(&f);
    assert_ok(core_start(core));
    for (int i = 0; i < THREADS; i++) {
        visitors[i] = (struct visitor){ .core = core, .number = i };
        pthread_create(&visitors[i].thread, NULL, visit, &visitors[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(visitors[i].thread, NULL);
        taken += visitors[i].taken;
        duplicates += visitors[i].duplicates;
    }
    assert_int_equal(taken, THREADS * VISITS / 2 + VISITS / 2);
    assert_int_equal(taken + duplicates, THREADS * VISITS);
    assert_int_equal(core_stats(core).records, taken);
    core_close(core);
    folder_empty(f.dir);
}

struct counting {
    const struct segment_program *program;
    struct count                  count;
    uint32_t                      cursor;
};

static bool ask_count(struct engine *engine, struct task *task)
{
    struct counting *c = task->context;
    struct program  *program = engine_program(engine);
    c->program = &program->segments.items[program_segment(program, STR("twice"))].program;
    return engine_count(engine, c->program, engine_now_ms(engine), &c->cursor, 7, &c->count);
}

TEST(core, questions_asked_while_the_index_is_made_anew_give_what_is_so)
{
    struct core_fixture f;
    core_fixture_make(&f, 1);
    f.conf.merge_events = 64;
    struct core *core = core_fixture_open(&f);
    assert_ok(core_start(core));
    fixture_define(core, DEFINE_SEGMENT, "twice", "did \"Visit\" at least 2 times");
    for (int i = 0; i < 3000; i++) {
        struct arena *arena = arena_open(1 << 16);
        char          user[16], id[16];
        snprintf(user, sizeof user, "u%d", i % 1000);
        snprintf(id, sizeof id, "q%d", i);
        struct task     task = visit_task(arena, user, id);
        struct counting counting = { .cursor = 0 };
        task.ask = i % 50 == 49 ? ask_count : NULL;
        task.context = &counting;
        assert_ok(core_run(core, &task));
        if (task.ask != NULL) {
            assert_int_equal(counting.count.people, i < 1000 ? i + 1 : 1000);
            assert_int_equal(counting.count.matching, i < 1000 ? 0 : i < 2000 ? i - 999 : 1000);
        }
        arena_close(arena);
    }
    assert_true(core_stats(core).merges >= 5);
    core_close(core);
    folder_empty(f.dir);
}

static bool ask_nothing(struct engine *engine, struct task *task)
{
    (void)engine, (void)task;
    return true;
}

TEST(core, questions_alone_and_what_was_here_before_write_nothing)
{
    struct core_fixture f;
    struct arena       *arena = arena_open(1 << 20);
    core_fixture_make(&f, 1);
    struct core *core = core_fixture_open(&f);
    assert_ok(core_start(core));
    struct task first = visit_task(arena, "ada", "once");
    assert_ok(core_run(core, &first));
    uint64_t commits = core_stats(core).commits;
    for (int i = 0; i < 5; i++) {
        struct task again = visit_task(arena, "ada", "once"), question = { .ask = ask_nothing };
        assert_ok(core_run(core, &again));
        assert_ok(core_run(core, &question));
        assert_int_equal(again.duplicates, 1);
    }
    assert_int_equal(core_stats(core).commits, commits);
    assert_int_equal(core_stats(core).duplicates, 5);
    struct task second = visit_task(arena, "ada", "twice");
    assert_ok(core_run(core, &second));
    assert_int_equal(core_stats(core).commits, commits + 1);
    core_close(core);
    arena_close(arena);
    folder_empty(f.dir);
}

static uint32_t base_events(struct core *core)
{
    struct view *view;
    assert_ok(reading_view(core_reading(core), &view));
    uint32_t events = view->levels[0].events;
    view_drop(view);
    return events;
}

TEST(core, readers_see_a_new_base_though_nothing_comes_after_it)
{
    struct core_fixture f;
    struct arena       *arena = arena_open(16 << 20);
    char                id[16];
    core_fixture_make(&f, 1);
    f.conf.merge_events = VISITS;
    struct core *core = core_fixture_open(&f);
    assert_ok(core_start(core));
    for (int i = 0; i < VISITS; i++) {
        snprintf(id, sizeof id, "v%d", i);
        struct task task = visit_task(arena, "ada", id);
        assert_ok(core_run(core, &task));
    }
    for (int i = 0; i < 10000 && base_events(core) < VISITS; i++)
        usleep(1000);
    assert_in_range(base_events(core), VISITS, VISITS + 16); /* and what is Dult's own */
    core_close(core);
    arena_close(arena);
    folder_empty(f.dir);
}

/* ---- jobs ---- */

enum { CROWD = 40000, CROWD_TASK = 4000 };

static void crowd(struct core *core)
{
    for (int i = 0; i < CROWD; i += CROWD_TASK) {
        struct arena *arena = arena_open(64 << 20);
        struct task  *task = task_of(arena, CROWD_TASK);
        for (int k = 0; k < CROWD_TASK; k++)
            task->entries[k] = entry_of(RECORD_TRACK, str_format(arena, "c%d", i + k),
                                        k % 3 ? STR("Visit") : STR("Search"));
        assert_ok(core_run(core, task));
        arena_close(arena);
    }
}

/* Not waited for: the end comes while it is still being applied. */
static void define_submit(struct core *core, const char *name, const char *text)
{
    struct arena *arena = arena_open(1 << 16);
    struct task  *task = task_of(arena, 1);
    task->entries[0] = entry_of(RECORD_DEFINE, STR_NONE, str_of(name));
    task->entries[0].record.definition_kind = DEFINE_SEGMENT;
    task->entries[0].record.body = str_of(text);
    assert_ok(core_submit(core, task));
}

TEST(core, a_changed_segment_goes_on_being_applied_after_a_restart)
{
    struct core_fixture f;
    int                 restarts = 0;
    core_fixture_make(&f, 9);
    f.conf.merge_events = f.conf.checkpoint_rows = 0;
    struct core *core = core_fixture_open(&f);
    assert_ok(core_start(core));
    crowd(core);
    /* How far the job has come when the end comes is chance, so several are begun. */
    for (int i = 0; i < 20 && restarts < 1; i++) {
        define_submit(core, "seeker", i % 2 ? "did \"Search\"" : "did \"Visit\"");
        define_submit(core, "rest", "not in segment \"seeker\"");
        core_close(core);
        core = core_fixture_open(&f);
        restarts += engine_has_job(core_engine(core));
        assert_ok(core_start(core));
    }
    for (bool done = false; !done;) {
        core_close(core);
        core = core_fixture_open(&f);
        done = !engine_has_job(core_engine(core));
        struct task task = { 0 };
        if (!done)
            assert_ok(core_start(core));
        if (!done)
            assert_ok(core_run(core, &task));
    }
    assert_true(restarts > 0);
    assert_true_segments(core);
    core_close(core);
    folder_empty(f.dir);
}

/* ---- a full queue, a failing disk ---- */

static atomic_bool gate_open;
static atomic_uint answered;

static bool ask_gate(struct engine *engine, struct task *task)
{
    (void)engine;
    (void)task;
    while (!atomic_load(&gate_open))
        usleep(100);
    return true;
}

static void count_done(struct task *task)
{
    (void)task;
    atomic_fetch_add(&answered, 1);
}

static struct task *slow_task(void)
{
    struct arena *arena = arena_open(4096);
    struct task  *task = ARENA_NEW(arena, struct task);
    *task = (struct task){ .arena = arena, .ask = ask_gate, .done = count_done };
    return task;
}

TEST(core, a_full_queue_says_wait_and_everything_taken_is_answered_once)
{
    struct core_fixture f;
    unsigned            taken = 0;
    enum err            err = OK;
    core_fixture_make(&f, 1);
    struct core *core = core_fixture_open(&f);
    assert_ok(core_start(core));
    atomic_store(&gate_open, false);
    atomic_store(&answered, 0);
    while (err == OK) {
        struct task *task = slow_task();
        err = core_submit(core, task);
        if (err != OK)
            arena_close(task->arena);
        taken += err == OK;
    }
    assert_int_equal(err, ERR_WAIT);
    assert_in_range(taken, CORE_TASKS_MAX, CORE_TASKS_MAX + 600);
    assert_int_equal(atomic_load(&answered), 0);
    atomic_store(&gate_open, true);
    core_close(core);
    assert_int_equal(atomic_load(&answered), taken);
    folder_empty(f.dir);
}

TEST(core, a_failing_disk_says_wait_and_loses_and_doubles_nothing)
{
    struct core_fixture f;
    struct rlimit       before, narrow;
    struct arena       *arena = arena_open(64 << 20);
    char                id[32];
    unsigned            given = 0;
    core_fixture_make(&f, 1);
    f.conf.merge_events = 0;
    struct core *core = core_fixture_open(&f);
    assert_ok(core_start(core));
    for (; given < 20; given++) {
        snprintf(id, sizeof id, "f%u", given);
        struct task task = visit_task(arena, "ada", id);
        assert_ok(core_run(core, &task));
    }
    atomic_store(&answered, 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    narrow = (struct rlimit){ 4096, before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &narrow), 0);
    unsigned waiting = 0;
    for (int i = 0; i < 200 && !core_stats(core).failing; i++, waiting++) {
        struct arena *own = arena_open(1 << 16);
        struct task  *task = ARENA_NEW(own, struct task);
        snprintf(id, sizeof id, "f%u", given + waiting);
        *task = visit_task(own, "ada", id);
        task->arena = own;
        task->done = count_done;
        assert_ok(core_submit(core, task));
        usleep(20000);
    }
    assert_true(core_stats(core).failing);
    struct task refused = visit_task(arena, "ada", "refused");
    assert_int_equal(core_run(core, &refused), ERR_WAIT);
    assert_int_equal(atomic_load(&answered), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    while (core_stats(core).failing)
        usleep(1000);
    assert_ok(core_run(core, &refused));
    assert_int_equal(refused.taken, 1);
    assert_int_equal(atomic_load(&answered), waiting);
    core_close(core);
    core = core_fixture_open(&f);
    assert_int_equal(engine_stats(core_engine(core)).events, given + waiting + 1);
    core_close(core);
    arena_close(arena);
    folder_empty(f.dir);
}
