/*
 * A person with marks in every place of the store, erased: the marks are in no file of the folder,
 * and what is loaded of what is left is what was; also when the process dies at any step.
 */
#include <ftw.h>
#include <signal.h>
#include <sys/wait.h>

#include "engine/checkpoint.h"
#include "run/core/core_fixture.h"

enum { OTHERS = 600, WAIT_MS = 20000, STEPS_MAX = 40, DIED = 7 };

#define MARK "MARK"

/* ---- looking ---- */

static char found_in[300];

static int file_search(const char *path, const struct stat *stat, int kind, struct FTW *ftw)
{
    (void)ftw;
    if (kind != FTW_F || stat->st_size == 0 || strstr(path, "-shm") != NULL)
        return 0;
    size_t len = (size_t)stat->st_size;
    char  *bytes = malloc(len);
    FILE  *file = fopen(path, "r");
    assert_non_null(bytes);
    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, len, file), len);
    const char *mark = memmem(bytes, len, MARK, strlen(MARK));
    if (mark != NULL)
        snprintf(found_in, sizeof found_in, "%s at %zu: %.24s", path, (size_t)(mark - bytes), mark);
    fclose(file);
    free(bytes);
    return 0;
}

/* Which file has a mark, and where; NULL for none. */
static const char *mark_find(const struct core_fixture *f)
{
    found_in[0] = '\0';
    assert_int_equal(nftw(f->dir, file_search, 16, FTW_PHYS), 0);
    return found_in[0] == '\0' ? NULL : found_in;
}

static void done_wait(struct core *core, uint64_t seq)
{
    for (int i = 0; i < WAIT_MS / 10; i++) {
        if (core_erasure(core, seq).step == CORE_ERASURE_DONE)
            return;
        usleep(10000);
    }
    fail_msg("still at step %d", core_erasure(core, seq).step);
}

/* ---- telling ---- */

static struct entry marked(struct arena *arena, enum record_kind kind, const char *user,
                           const char *device)
{
    struct entry entry = entry_of(kind, str_of(user), STR_NONE);
    if (kind == RECORD_TRACK)
        entry.record.name = STR("Order");
    entry.record.anonymous_id = str_of(device);
    entry_properties(arena, &entry, kind == RECORD_IDENTIFY ? "traits" : "properties",
                     STR("{\"email\":\"MARK5@example.com\",\"plan\":\"pro\",\"note\":\"MARK6\"}"));
    entry.message_id = str_format(arena, "MARK7-%d-%s-%s", kind, user, device);
    return entry;
}

static void told(struct core *core, struct task *task)
{
    assert_ok(core_run(core, task));
    arena_close(task->arena);
}

/* One person of two profiles and a device that was somebody else's before. */
static void person_tell(struct core *core)
{
    struct arena *arena = arena_open(1 << 20);
    struct task  *task = task_of(arena, 8);
    task->entries[0] = marked(arena, RECORD_TRACK, "", "MARK1");
    task->entries[1] = marked(arena, RECORD_IDENTIFY, "MARK2", "MARK1");
    task->entries[2] = marked(arena, RECORD_TRACK, "MARK2", "");
    task->entries[3] = entry_of(RECORD_ALIAS, STR("MARK2"), STR_NONE);
    task->entries[3].record.previous_id = STR("MARK3");
    task->entries[4] = marked(arena, RECORD_TRACK, "", "MARK3");
    task->entries[5] = entry_of(RECORD_LIST, STR("MARK2"), STR("news"));
    task->entries[6] = marked(arena, RECORD_IDENTIFY, "MARK2", "MARK4");
    task->entries[7] = marked(arena, RECORD_TRACK, "MARK2", "MARK4");
    told(core, task);
    struct store_rejected rejected = { .body = STR("{\"userId\":\"mark2\",\"x\":\"MARK8\"}"),
                                       .reason = STR("no event") };
    struct arena         *other = arena_open(1 << 16);
    task = task_of(other, 0);
    task->rejected = &rejected;
    task->rejected_count = 1;
    told(core, task);
}

static void others_tell(struct core_fixture *f, struct core *core, uint32_t count)
{
    struct arena *arena = arena_open(16 << 20);
    struct task  *task = task_of(arena, count);
    for (uint32_t i = 0; i < count; i++)
        do
            task->entries[i] = entry_random(f, arena);
        while (task->entries[i].record.kind == RECORD_CONSENT); /* of a profile that may be ours */
    told(core, task);
}

struct finding {
    const char *who;
    uint32_t    profile;
};

static bool find_ask(struct engine *engine, struct task *task)
{
    struct finding *finding = task->context;
    finding->profile = engine_find(engine, str_of(finding->who));
    return true;
}

static uint32_t find(struct core *core, const char *who)
{
    struct finding finding = { who, PROFILE_NONE };
    struct task    task = { .ask = find_ask, .context = &finding };
    assert_ok(core_run(core, &task));
    return finding.profile;
}

static uint64_t erase(struct core *core, const char *who)
{
    struct arena *arena = arena_open(1 << 16);
    struct task  *task = task_of(arena, 1);
    task->entries[0] = entry_of(RECORD_ERASE, STR_NONE, STR_NONE);
    task->entries[0].record.profile = find(core, who);
    assert_ok(core_run(core, task));
    assert_int_equal(task->taken, 1);
    uint64_t seq = task->seq;
    arena_close(arena);
    return seq;
}

static void marks_are_gone(const struct core_fixture *f)
{
    if (mark_find(f) != NULL)
        fail_msg("a mark is still there: %s", found_in);
}

/* All that is known is what the decisions that are left say. */
static void rebuilt_is_same(struct core_fixture *f)
{
    struct core *core = core_fixture_open(f);
    struct buf   was = fixture_describe(core, false);
    core_close(core);
    f->conf.no_checkpoint = f->conf.no_snapshot = true;
    core = core_fixture_open(f);
    struct buf is = fixture_describe(core, false);
    assert_same(&is, &was);
    assert_true_segments(core);
    core_close(core);
    f->conf.no_checkpoint = f->conf.no_snapshot = false;
    buf_done(&is);
    buf_done(&was);
}

static void fixture_lived_in(struct core_fixture *f)
{
    core_fixture_make(f, 5);
    f->conf.removal_each_ms = 1;
    struct core *core = core_fixture_open(f);
    assert_ok(core_start(core));
    fixture_program(core);
    others_tell(f, core, OTHERS);
    person_tell(core);
    others_tell(f, core, OTHERS);
    core_close(core); /* leaves a checkpoint and a base */
    assert_non_null(mark_find(f));
}

TEST(erasing, an_erased_person_is_in_no_file_and_nobody_else_changes)
{
    struct core_fixture f;
    fixture_lived_in(&f);
    struct core *core = core_fixture_open(&f);
    assert_ok(core_start(core));
    person_tell(core); /* the same message ids: nothing new; the list is told again */
    others_tell(&f, core, OTHERS);
    uint64_t seq = erase(core, "MARK2");
    assert_int_equal(find(core, "MARK2"), PROFILE_NONE);
    assert_int_equal(find(core, "anonymous:MARK3"), PROFILE_NONE);
    done_wait(core, seq);
    marks_are_gone(&f);
    others_tell(&f, core, OTHERS);
    marks_are_gone(&f); /* and does not come back with what is written later */
    core_close(core);
    marks_are_gone(&f);
    rebuilt_is_same(&f);
    folder_empty(f.dir);
}

TEST(erasing, who_comes_back_is_new_and_what_is_sent_again_is_not_taken)
{
    struct core_fixture f;
    fixture_lived_in(&f);
    struct core *core = core_fixture_open(&f);
    assert_ok(core_start(core));
    uint32_t was = find(core, "MARK2");
    done_wait(core, erase(core, "MARK2"));

    struct arena *arena = arena_open(1 << 20);
    struct task  *task = task_of(arena, 1);
    task->entries[0] = marked(arena, RECORD_TRACK, "MARK2", "");
    assert_ok(core_run(core, task));
    assert_int_equal(task->duplicates, 1);
    assert_int_equal(find(core, "MARK2"), PROFILE_NONE);

    task->entries[0] = marked(arena, RECORD_TRACK, "MARK2", "");
    task->entries[0].message_id = STR("another");
    task->duplicates = task->taken = 0;
    assert_ok(core_run(core, task));
    assert_int_equal(task->taken, 1);
    uint32_t is = find(core, "MARK2");
    assert_true(is != PROFILE_NONE && is != was);
    arena_close(arena);
    core_close(core);
    rebuilt_is_same(&f);
    folder_empty(f.dir);
}

/* As the store has it. */
static uint64_t erasure_seq(struct core *core)
{
    struct store_reader *reader = NULL;
    struct arena        *arena = arena_open(1 << 16);
    struct str           text;
    int64_t              seq;
    assert_ok(store_reader_open(core_store(core), "test", &reader));
    assert_ok(store_meta_get(reader, arena, STR("erasure"), &text));
    assert_ok(str_to_int(text, &seq));
    store_reader_close(reader);
    arena_close(arena);
    return (uint64_t)seq;
}

/* ---- during a checkpoint ---- */

enum { CROWD = 6000 }; /* some turns of an idle checkpoint */

/* Hands the context over as soon as a checkpoint is under way. */
static bool checkpoint_ask(struct engine *engine, struct task *task)
{
    if (!checkpoint_is_open(engine))
        return false;
    assert_ok(core_submit(task->core, task->context));
    return true;
}

/* The last, whose row is written last, has a device that another will use. */
static void crowd_tell(struct core *core, struct task *then)
{
    struct arena *arena = arena_open(64 << 20);
    struct task  *task = task_of(arena, CROWD);
    for (uint32_t i = 0; i < CROWD; i++)
        task->entries[i] = entry_of(RECORD_IDENTIFY, str_format(arena, "c%u", i), STR_NONE);
    task->entries[CROWD - 1].record.anonymous_id = STR("shared");
    task->ask = checkpoint_ask;
    task->context = then;
    told(core, task);
}

TEST(erasing, a_row_copied_for_a_checkpoint_before_the_erasure_does_not_bring_an_identity_back)
{
    struct core_fixture f;
    core_fixture_make(&f, 7);
    f.conf.removal_each_ms = 1;
    f.conf.checkpoint_rows = 2 * CROWD;
    struct core *core = core_fixture_open(&f);
    assert_ok(core_start(core));
    struct arena *arena = arena_open(1 << 16);
    struct task  *then = task_of(arena, 2);
    then->entries[0] = entry_of(RECORD_IDENTIFY, STR("c0"), STR_NONE);
    then->entries[0].record.anonymous_id = STR("shared"); /* whose it is is a new profile's */
    then->entries[1] = entry_of(RECORD_ERASE, STR_NONE, STR_NONE);
    then->entries[1].record.profile = CROWD;
    then->arena = arena;
    crowd_tell(core, then);
    while (find(core, "anonymous:shared") != PROFILE_NONE)
        usleep(1000);
    done_wait(core, erasure_seq(core));
    core_close(core);
    core = core_fixture_open(&f);
    assert_ok(core_start(core));
    assert_int_equal(find(core, "anonymous:shared"), PROFILE_NONE);
    core_close(core);
    rebuilt_is_same(&f);
    folder_empty(f.dir);
}

/* ---- dying ---- */

static int die_at, steps;

static void die(int step)
{
    (void)step;
    if (steps++ == die_at)
        _exit(DIED);
}

/* Erases, or goes on erasing, and dies at a step; ends with 0 when it came to the end. */
static _Noreturn void child(struct core_fixture *f, bool erases)
{
    f->conf.erasing_step = die;
    struct core *core = core_fixture_open(f);
    assert_ok(core_start(core));
    if (erases)
        done_wait(core, erase(core, "MARK2"));
    _exit(0);
}

static int child_run(struct core_fixture *f, int step, bool erases)
{
    int status = 0;
    die_at = step;
    steps = 0;
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        child(f, erases);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

TEST(erasing, goes_on_where_it_stood_when_the_process_dies_at_any_step)
{
    int ended = DIED, step = 0;
    for (; ended == DIED && step < STEPS_MAX; step++) {
        struct core_fixture f;
        fixture_lived_in(&f);
        ended = child_run(&f, step, true);
        assert_true(ended == DIED || ended == 0);
        if (step % 2 == 0)
            rebuilt_is_same(&f); /* half erased, it is loaded as erased */
        struct core *core = core_fixture_open(&f);
        assert_ok(core_start(core));
        assert_int_equal(find(core, "MARK2"), PROFILE_NONE);
        done_wait(core, erasure_seq(core));
        marks_are_gone(&f);
        core_close(core);
        rebuilt_is_same(&f);
        folder_empty(f.dir);
    }
    assert_int_equal(ended, 0);
    assert_true(step > 5); /* gathered, rejected, events, decisions, index, files */
}
