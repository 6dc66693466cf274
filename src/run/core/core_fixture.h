/*
 * core_fixture: a real core in a folder of its own, and a random life to fill it. For tests.
 */
#ifndef DULT_RUN_CORE_FIXTURE_H
#define DULT_RUN_CORE_FIXTURE_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/test.h"
#include "base/time.h"
#include "engine/describe.h"
#include "run/core/core.h"

enum { FIXTURE_USERS = 60, DESCRIPTION_BYTES_MAX = 64 << 20 };

struct core_fixture {
    char             dir[64];
    struct core_conf conf;
    uint64_t         random;
};

static inline void core_fixture_make(struct core_fixture *f, uint64_t seed)
{
    *f = (struct core_fixture){ .dir = "/tmp/core_test.XXXXXX", .random = seed };
    assert_non_null(mkdtemp(f->dir));
    f->conf = (struct core_conf){ .dir = f->dir, .merge_events = 300, .checkpoint_rows = 400 };
}

static inline void folder_empty(const char *dir)
{
    DIR *folder = opendir(dir);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        char *path = NULL;
        assert_true(asprintf(&path, "%s/%s", dir, entry->d_name) > 0);
        if (unlink(path) != 0)
            folder_empty(path);
        free(path);
    }
    if (folder != NULL)
        closedir(folder);
    rmdir(dir);
}

static inline struct core *core_fixture_open(struct core_fixture *f)
{
    struct core   *core = NULL;
    struct problem problem = { .what = "" };
    enum err       err = core_open(&core, &f->conf, &problem);
    if (err != OK)
        print_error("%s: %s\n", problem.where, problem.what);
    assert_int_equal(err, OK);
    return core;
}

static inline uint32_t fixture_draw(struct core_fixture *f, uint32_t below)
{
    f->random = hash_u64(f->random, 3);
    return (uint32_t)(f->random >> 24) % below;
}

/* The same text twice: as the record reads it and as the store keeps it. */
static inline void entry_properties(struct arena *arena, struct entry *entry, const char *key,
                                    struct str object)
{
    struct json *value = ARENA_NEW(arena, struct json);
    assert_ok(json_parse_once(arena, object, value, NULL));
    entry->record.properties = value;
    entry->body = str_format(arena, "{\"%s\":%.*s}", key, STR_ARG(object));
}

static inline struct entry entry_of(enum record_kind kind, struct str user, struct str name)
{
    int64_t now_ms = time_now_ms();
    return (struct entry){ .record = { .kind = kind,
                                       .at_ms = now_ms,
                                       .received_ms = now_ms,
                                       .source = 1,
                                       .user_id = user,
                                       .name = name },
                           .body = STR("{}") };
}

static inline struct task *task_of(struct arena *arena, uint32_t count)
{
    struct task *task = ARENA_NEW(arena, struct task);
    *task = (struct task){ .arena = arena,
                           .entries_count = count,
                           .entries = ARENA_ARRAY(arena, count, struct entry) };
    return task;
}

static inline void fixture_define(struct core *core, enum definition_kind kind, const char *name,
                                  const char *text)
{
    struct arena *arena = arena_open(1 << 20);
    struct task  *task = task_of(arena, 1);
    task->entries[0] = entry_of(RECORD_DEFINE, STR_NONE, str_of(name));
    task->entries[0].record.definition_kind = kind;
    task->entries[0].record.body = str_of(text);
    assert_ok(core_run(core, task));
    if (task->refused > 0)
        print_error("%s: %s: %s\n", name, task->problem.where, task->problem.what);
    assert_int_equal(task->refused, 0);
    arena_close(arena);
}

static inline void fixture_program(struct core *core)
{
    fixture_define(core, DEFINE_WORKSPACE, "workspace",
                   "{\"lists\":[\"news\"],\"topics\":[\"tips\"]}");
    fixture_define(core, DEFINE_TEMPLATE, "hello", "subject: Hello\ntopic: tips\n--- html\nhi");
    fixture_define(core, DEFINE_SEGMENT, "active",
                   "did \"Visit\" at least 3 times in the last 7 days");
    fixture_define(core, DEFINE_SEGMENT, "rich",
                   "sum of revenue of \"Order\" in the last 90 days > 60");
    fixture_define(core, DEFINE_SEGMENT, "both", "in segment \"active\" and in segment \"rich\"");
    fixture_define(core, DEFINE_SEGMENT, "pro", "plan = \"pro\" or in list \"news\"");
    fixture_define(
        core, DEFINE_JOURNEY, "welcome",
        "{\"journey\":\"welcome\",\"trigger\":{\"event\":\"Order\"},\"reentry\":\"always\","
        "\"exit_when\":\"in segment \\\"both\\\"\",\"nodes\":["
        "{\"id\":\"hello\",\"email\":\"hello\"},{\"id\":\"pause\",\"wait\":\"200ms\"},"
        "{\"id\":\"told\",\"record\":{\"event\":\"Search\",\"properties\":{\"revenue\":{\"from\":"
        "\"event.revenue\"}}}},{\"id\":\"set\",\"set\":{\"plan\":\"new\",\"welcomed\":true}},"
        "{\"id\":\"again\",\"email\":\"hello\"},{\"id\":\"long\",\"wait\":\"3 days\"}]}");
    fixture_define(core, DEFINE_JOURNEY, "club",
                   "{\"journey\":\"club\",\"trigger\":{\"segment\":\"pro\"},\"nodes\":["
                   "{\"id\":\"w\",\"wait\":\"100ms\"},{\"id\":\"m\",\"email\":\"hello\"}]}");
}

static inline struct entry entry_random(struct core_fixture *f, struct arena *arena)
{
    static const char *const names[] = { "Visit", "Order", "Search", "Video" };
    struct entry entry = entry_of(RECORD_TRACK, STR_NONE, str_of(names[fixture_draw(f, 4)]));
    uint32_t     kind = fixture_draw(f, 20);
    bool         known = fixture_draw(f, 4) > 0;
    if (known)
        entry.record.user_id = str_format(arena, "u%u", fixture_draw(f, FIXTURE_USERS));
    if (!known || kind % 5 == 0)
        entry.record.anonymous_id = str_format(arena, "d%u", fixture_draw(f, 90));
    if (fixture_draw(f, 6) == 0)
        entry.record.at_ms -= (int64_t)fixture_draw(f, 200) * TIME_HOUR_MS;
    if (kind < 4) {
        entry.record.kind = RECORD_IDENTIFY;
        entry.record.name = STR_NONE;
        entry_properties(arena, &entry, "traits",
                         str_format(arena, "{\"email\":\"u%u@example.com\",\"plan\":\"%s\"}",
                                    fixture_draw(f, 50), fixture_draw(f, 2) ? "pro" : "free"));
    } else if (kind == 4) {
        entry = entry_of(RECORD_LIST, str_format(arena, "u%u", fixture_draw(f, FIXTURE_USERS)),
                         STR("news"));
        entry.record.flags = fixture_draw(f, 2) ? RECORD_LEAVE : 0;
    } else if (kind == 5) {
        entry = entry_of(RECORD_CONSENT, STR_NONE, fixture_draw(f, 2) ? STR("tips") : STR_NONE);
        entry.record.profile = fixture_draw(f, 8);
        entry_properties(arena, &entry, "consent", STR("{\"state\":\"unsubscribed\"}"));
    } else if (kind == 6) {
        entry = entry_of(RECORD_ALIAS, str_format(arena, "u%u", fixture_draw(f, FIXTURE_USERS)),
                         STR_NONE);
        entry.record.previous_id = str_format(arena, "old%u", fixture_draw(f, 30));
    } else {
        entry_properties(arena, &entry, "properties",
                         str_format(arena, "{\"revenue\":%u,\"sku\":\"s%u\"}", fixture_draw(f, 40),
                                    fixture_draw(f, 1000)));
    }
    return entry;
}

/* ---- looking ---- */

static inline bool ask_describe(struct engine *engine, struct task *task)
{
    describe(engine, task->context);
    return true;
}

static inline struct buf fixture_describe(struct core *core, bool running)
{
    struct buf  out = buf_make(DESCRIPTION_BYTES_MAX);
    struct task task = { .ask = ask_describe, .context = &out };
    if (running)
        assert_ok(core_run(core, &task));
    else
        describe(core_engine(core), &out);
    assert_ok(buf_err(&out));
    return out;
}

static inline void assert_same(struct buf *is, struct buf *was)
{
    struct str a = buf_view(is), b = buf_view(was), x, y;
    while (str_split(&a, '\n', &x) && str_split(&b, '\n', &y))
        if (!str_eq(x, y)) {
            print_error("is  %.*s\nwas %.*s\n", STR_ARG(x), STR_ARG(y));
            fail();
        }
    assert_int_equal(is->len, was->len);
}

/* Everyone's memberships are what a full evaluation gives now. Only when nothing runs. */
static inline void assert_true_segments(struct core *core)
{
    struct engine  *engine = core_engine(core);
    struct program *program = engine_program(engine);
    for (uint32_t p = 0; p < people_count(engine_people(engine)); p++) {
        const struct state *state = people_state_get(engine_people(engine), p);
        if (people_root(engine_people(engine), p) != p)
            continue;
        for (uint32_t s = 0; s < program->segments.count; s++) {
            bool in = memberships_of(&state->memberships, s).in;
            assert_int_equal(in, engine_ask(engine, &program->segments.items[s].program, p,
                                            engine_now_ms(engine))
                                     .holds);
        }
    }
}

#endif
