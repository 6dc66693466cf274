/*
 * Killed at any moment: what was answered is there, once, and what is known is what all the
 * decisions say, without a checkpoint or an index to lean on.
 */
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "run/core/core_fixture.h"

enum { KILLS = 32, IDS_MAX = 400000, ANSWER_MS = 60000 };

struct told {
    int      pipe;
    uint32_t first, count;
};

static void told_done(struct task *task)
{
    struct told *told = task->context;
    if (task->refused == 0)
        for (uint32_t i = 0; i < told->count; i++) {
            uint32_t id = told->first + i;
            if (write(told->pipe, &id, sizeof id) != sizeof id)
                _exit(3);
        }
}

static void claimed(void *context, const struct claim *claims, size_t count)
{
    (void)context;
    (void)claims;
    (void)count;
}

/* Runs until it is killed. */
static _Noreturn void child(struct core_fixture *f, uint32_t id, int out, bool fresh)
{
    struct core *core = core_fixture_open(f);
    core_calls_set(core, (struct core_calls){ NULL, claimed });
    assert_ok(core_start(core));
    if (fresh)
        fixture_program(core);
    for (uint32_t round = 0;; round++) {
        struct arena *arena = arena_open(4 << 20);
        struct told  *told = ARENA_NEW(arena, struct told);
        struct task  *task = task_of(arena, 1 + fixture_draw(f, 12));
        *told = (struct told){ out, id, task->entries_count };
        for (uint32_t k = 0; k < task->entries_count; k++, id++) {
            do
                task->entries[k] = entry_random(f, arena);
            while (task->entries[k].record.kind == RECORD_CONSENT);
            task->entries[k].message_id = str_format(arena, "k%u", id);
        }
        task->context = told;
        task->done = told_done;
        while (core_submit(core, task) != OK)
            usleep(500);
        if (round % 5 == 0)
            core_room(core, 3);
        if (round % 3 == 0)
            usleep(fixture_draw(f, 3000));
    }
}

struct found {
    unsigned char *count;
    uint32_t       highest;
};

static enum err found_each(void *context, const struct store_event *row)
{
    struct found *found = context;
    int64_t       id;
    if (row->message_id.len < 2)
        return OK;
    assert_ok(str_to_int(str_slice(row->message_id, 1, row->message_id.len), &id));
    assert_in_range(id, 0, IDS_MAX - 1);
    found->count[id]++;
    if ((uint32_t)id >= found->highest)
        found->highest = (uint32_t)id + 1;
    return OK;
}

static void once_check(struct core *core, const unsigned char *told, uint32_t *next)
{
    struct store_reader *reader = NULL;
    struct found         found = { calloc(IDS_MAX, 1), 0 };
    assert_ok(store_reader_open(core_store(core), "test", &reader));
    assert_ok(store_events_read(reader, 0, INT64_MAX, found_each, &found));
    for (uint32_t i = 0; i < IDS_MAX; i++) {
        if (found.count[i] > 1 || found.count[i] < told[i])
            print_error("message k%u: told %u, there %u\n", i, told[i], found.count[i]);
        assert_true(found.count[i] <= 1 && found.count[i] >= told[i]);
    }
    *next = found.highest > *next ? found.highest : *next;
    store_reader_close(reader);
    free(found.count);
}

static void rebuilt_check(struct core_fixture *f, unsigned char *told, uint32_t *next)
{
    struct core *core = core_fixture_open(f);
    once_check(core, told, next);
    struct buf with = fixture_describe(core, false);
    assert_true_segments(core);
    core_close(core);
    f->conf.no_snapshot = f->conf.no_checkpoint = true;
    core = core_fixture_open(f);
    struct buf without = fixture_describe(core, false);
    core_close(core);
    f->conf.no_snapshot = f->conf.no_checkpoint = false;
    assert_same(&with, &without);
    buf_done(&with);
    buf_done(&without);
}

/* Most are killed at work, whatever the machine has to do beside it; the others while they load. */
static void answer_wait(int answers)
{
    struct pollfd wait = { .fd = answers, .events = POLLIN };
    assert_int_equal(poll(&wait, 1, ANSWER_MS), 1);
}

static void kill_once(struct core_fixture *f, unsigned char *told, uint32_t *next, bool fresh)
{
    int      ends[2];
    uint32_t ids[512];
    ssize_t  bytes;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        child(f, *next, ends[1], fresh);
    }
    close(ends[1]);
    if (fresh || fixture_draw(f, 4) > 0)
        answer_wait(ends[0]);
    usleep(fixture_draw(f, 250000));
    kill(pid, SIGKILL);
    while ((bytes = read(ends[0], ids, sizeof ids)) > 0)
        for (size_t i = 0; i < (size_t)bytes / sizeof ids[0]; i++) {
            told[ids[i]] = 1;
            *next = ids[i] >= *next ? ids[i] + 1 : *next;
        }
    close(ends[0]);
    int status;
    waitpid(pid, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    fixture_draw(f, 2);
    rebuilt_check(f, told, next);
}

TEST(core_kill, what_was_answered_is_there_once_after_every_kill)
{
    struct core_fixture f;
    const char         *given = getenv("DULT_SEED");
    uint64_t            seed = given != NULL ? strtoull(given, NULL, 0) : hash_random_seed() >> 16;
    unsigned char      *told = calloc(IDS_MAX, 1);
    uint32_t            next = 0, answered = 0;
    printf("core_kill: DULT_SEED=%llu draws the same life (the moments of the kills are the "
           "machine's)\n",
           (unsigned long long)seed);
    fflush(stdout);
    core_fixture_make(&f, seed);
    for (int i = 0; i < KILLS; i++)
        kill_once(&f, told, &next, i == 0);
    for (uint32_t i = 0; i < IDS_MAX; i++)
        answered += told[i];
    printf("  %u answered, %d kills\n", answered, KILLS);
    assert_true(answered > KILLS * 2);
    free(told);
    folder_empty(f.dir);
}
