/* What goes into one batch. */
#include <stdatomic.h>

#include "run/core/core_fixture.h"

struct slow {
    atomic_bool entered, may_go;
    atomic_uint done;
};

static void slow_done(struct task *task)
{
    struct slow *slow = task->context;
    atomic_store(&slow->entered, true);
    while (!atomic_load(&slow->may_go))
        usleep(1000);
}

static void quick_done(struct task *task)
{
    struct slow *slow = task->context;
    atomic_fetch_add(&slow->done, 1);
}

static void visit_submit(struct core *core, struct slow *slow, core_done *done)
{
    struct arena *arena = arena_open(1 << 16);
    struct task  *task = task_of(arena, 1);
    task->entries[0] = entry_of(RECORD_TRACK, STR("ada"), STR("Visit"));
    task->context = slow;
    task->done = done;
    assert_ok(core_submit(core, task));
}

static void taken_wait(struct core *core)
{
    while (core_stats(core).waiting > 0)
        usleep(1000);
}

TEST(turn, what_comes_while_the_disk_is_busy_goes_into_one_batch)
{
    enum { LATER = 5 };
    struct core_fixture f;
    struct slow         slow = { 0 };
    core_fixture_make(&f, 11);
    struct core *core = core_fixture_open(&f);
    assert_ok(core_start(core));
    visit_submit(core, &slow, slow_done); /* holds the commit thread as a slow disk does */
    while (!atomic_load(&slow.entered))
        usleep(1000);
    uint64_t commits = core_stats(core).commits;
    visit_submit(core, &slow, quick_done); /* the one batch that may be ready */
    taken_wait(core);
    for (int i = 0; i < LATER; i++) {
        visit_submit(core, &slow, quick_done);
        usleep(5000); /* for an engine that would take them one by one */
    }
    atomic_store(&slow.may_go, true);
    while (atomic_load(&slow.done) < 1 + LATER)
        usleep(1000);
    assert_int_equal(core_stats(core).commits - commits, 2);
    core_close(core);
    folder_empty(f.dir);
}
