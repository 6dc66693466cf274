/* By what rules of conditions a folder's answers are: said once all are by them, and not before. */
#include "run/core/core_fixture.h"
#include "store/store.h"

static struct store *folder_store(const struct core_fixture *f)
{
    struct store     *store = NULL;
    struct store_conf conf = { .dir = str_of(f->dir) };
    assert_ok(store_open(&store, &conf, NULL));
    return store;
}

/* -1: nothing is said. */
static int64_t rules_said(const struct core_fixture *f)
{
    struct store        *store = folder_store(f);
    struct store_reader *reader = NULL;
    struct arena        *arena = arena_open(1 << 16);
    struct str           text = STR_NONE;
    int64_t              rules = -1;
    assert_ok(store_reader_open(store, "test", &reader));
    if (store_meta_get(reader, arena, STR("rules"), &text) == OK)
        assert_ok(str_to_int(str_slice(text, 0, str_find_char(text, 0, ':')), &rules));
    store_reader_close(reader);
    store_close(store);
    arena_close(arena);
    return rules;
}

static void rules_say(const struct core_fixture *f, const char *text)
{
    struct store     *store = folder_store(f);
    struct store_meta meta = { STR("rules"), str_of(text) };
    assert_ok(store_commit(store, &(struct store_batch){ .metas = &meta, .metas_count = 1 }));
    store_close(store);
}

static struct core *started(struct core_fixture *f)
{
    struct core *core = core_fixture_open(f);
    assert_ok(core_start(core));
    return core;
}

/* As a process that is killed now would leave it. */
static void folder_as_killed(const struct core_fixture *f, struct core_fixture *killed)
{
    char command[200];
    core_fixture_make(killed, 1);
    snprintf(command, sizeof command, "cp -r %s/. %s", f->dir, killed->dir);
    assert_int_equal(system(command), 0);
}

static void checkpoint_await(struct core_fixture *f, struct core *core)
{
    while (core_stats(core).checkpoints == 0) {
        struct arena *arena = arena_open(1 << 20);
        struct task  *task = task_of(arena, 20);
        for (uint32_t i = 0; i < task->entries_count; i++)
            task->entries[i] =
                entry_of(RECORD_TRACK, str_format(arena, "u%u", fixture_draw(f, 9)), STR("Visit"));
        assert_ok(core_run(core, task));
        arena_close(arena);
    }
}

static uint64_t jobs_left(struct core_fixture *f)
{
    struct core *core = core_fixture_open(f);
    uint64_t     left = engine_stats(core_engine(core)).jobs_left;
    core_close(core);
    return left;
}

TEST(rules, a_new_folder_is_by_ours_from_its_first_record)
{
    struct core_fixture f, killed;
    core_fixture_make(&f, 1);
    struct core *core = started(&f);
    fixture_program(core);
    folder_as_killed(&f, &killed);
    core_close(core);
    assert_int_equal(rules_said(&killed), ENGINE_RULES);
    assert_int_equal(jobs_left(&f), 0);
    folder_empty(f.dir);
    folder_empty(killed.dir);
}

TEST(rules, an_older_folder_is_asked_until_a_whole_round_is_by_ours)
{
    struct core_fixture f, killed;
    core_fixture_make(&f, 1);
    struct core *core = started(&f);
    fixture_program(core);
    core_close(core);
    rules_say(&f, "1:0");
    folder_as_killed(&f, &killed); /* of one that ended before a whole round was */
    core = started(&f);
    checkpoint_await(&f, core);
    core_close(core);
    assert_int_equal(rules_said(&killed), 1);
    assert_true(jobs_left(&killed) > 0);
    assert_int_equal(rules_said(&f), ENGINE_RULES);
    assert_int_equal(jobs_left(&f), 0);
    folder_empty(f.dir);
    folder_empty(killed.dir);
}
