/* What became of a broadcast is there again after an end, with everyone's state or without. */
#include <time.h>

#include "engine/broadcast.h"
#include "run/core/core_fixture.h"

enum { CROWD = 1500, PATIENCE_MS = 60000 };

struct question {
    struct broadcast_status status;
    bool                    is_there;
};

static void look(struct engine *engine, struct question *question)
{
    uint32_t number = program_broadcast(engine_program(engine), STR("spring"));
    question->is_there = engine_broadcast(engine, number, &question->status);
}

static bool look_ask(struct engine *engine, struct task *task)
{
    look(engine, task->context);
    return true;
}

static struct broadcast_status status(struct core *core)
{
    struct question question = { .is_there = false };
    struct task     task = { .ask = look_ask, .context = &question };
    assert_ok(core_run(core, &task));
    assert_true(question.is_there);
    return question.status;
}

static void crowd(struct core *core)
{
    struct arena *arena = arena_open(16 << 20);
    struct task  *task = task_of(arena, CROWD);
    for (uint32_t i = 0; i < CROWD; i++) {
        task->entries[i] = entry_of(RECORD_IDENTIFY, str_format(arena, "c%u", i), STR_NONE);
        entry_properties(arena, &task->entries[i], "traits",
                         str_format(arena, "{\"email\":\"c%u@shop.example\"}", i));
    }
    assert_ok(core_run(core, task));
    assert_int_equal(task->taken, CROWD);
    arena_close(arena);
}

static void act(struct core *core, const char *word)
{
    struct arena *arena = arena_open(1 << 20);
    struct task  *task = task_of(arena, 1);
    task->entries[0] = entry_of(RECORD_BROADCAST, STR_NONE, STR("spring"));
    entry_properties(arena, &task->entries[0], "properties",
                     str_format(arena, "{\"act\":\"%s\"}", word));
    assert_ok(core_run(core, task));
    assert_int_equal(task->taken, 1);
    arena_close(arena);
}

static void until(struct core *core, enum recipient_state state)
{
    int64_t until_ms = time_now_ms() + PATIENCE_MS;
    while (status(core).counts[state] < CROWD) {
        assert_true(time_now_ms() < until_ms);
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
}

/* Ends as it should, and opens again. */
static struct core *again(struct core_fixture *f, struct core *core,
                          const struct broadcast_status *before)
{
    struct question question;
    core_close(core);
    core = core_fixture_open(f);
    look(core_engine(core), &question);
    assert_true(question.is_there);
    assert_memory_equal(question.status.counts, before->counts, sizeof before->counts);
    assert_int_equal(question.status.state, before->state);
    assert_int_equal(question.status.looked, before->looked);
    assert_ok(core_start(core));
    return core;
}

TEST(core_broadcasts, recipients_are_there_again_after_an_end_with_and_without_a_checkpoint)
{
    struct core_fixture f;
    core_fixture_make(&f, 41);
    struct core *core = core_fixture_open(&f);
    assert_ok(core_start(core));
    fixture_program(core);
    fixture_define(core, DEFINE_BROADCAST, "spring",
                   "{\"broadcast\":\"spring\",\"template\":\"hello\",\"audience\":\"everyone\"}");
    crowd(core);
    act(core, "launch");
    until(core, RECIPIENT_WAITING);
    act(core, "pause");
    struct broadcast_status before = status(core);
    core = again(&f, core, &before);
    act(core, "cancel");
    until(core, RECIPIENT_CANCELLED);
    before = status(core);
    assert_int_equal(before.state, BROADCAST_CANCELLED);
    core = again(&f, core, &before);
    f.conf.no_checkpoint = true;
    core = again(&f, core, &before);
    core_close(core);
    folder_empty(f.dir);
}
