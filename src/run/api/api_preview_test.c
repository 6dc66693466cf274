/* What a preview promises is what the definition then does, whatever has happened to people. */
#include "run/api/api_rig.h"
#include "run/core/core_fixture.h"

enum { USERS = 25, DEVICES = 20, ROUNDS = 12, RECORDS = 40, PEOPLE_MAX = 1000, BODY_BYTES = 600 };

static const char *const drafts[] = {
    "never did \"Visit\"",
    "never did \"Unheard Of\"",
    "everyone",
    "not (did \"Order\" at least 2 times)",
    "did \"Visit\" at least 2 times in the last 7 days",
    "not plan = \"pro\"",
    "not in list \"news\"",
    "consent to \"tips\" is unknown",
    "never received any message",
    "not in segment \"visitors\"",
    "first did \"Order\" in the last 30 days or never did anything",
    "in 50% by \"x\" and never did \"Order\"",
};

enum { DRAFTS = sizeof drafts / sizeof drafts[0] };

/* ---- a life with everything in it ---- */

struct unmerging {
    struct core_fixture *f;
    struct record       *record;
};

static bool merge_pick(struct engine *engine, struct task *task)
{
    struct unmerging    *unmerging = task->context;
    const struct people *people = engine_people(engine);
    if (people_count(people) == 0)
        return true;
    uint32_t            person = fixture_draw(unmerging->f, people_count(people));
    const struct rarer *rarer = people_state_get(people, person)->rarer;
    if (rarer->merges.count == 0)
        return true;
    unmerging->record->profile = person;
    unmerging->record->merge =
        rarer->merges.items[fixture_draw(unmerging->f, rarer->merges.count)].id;
    return true;
}

/* A merge that somebody has to undo; else nothing. */
static struct entry entry_unmerge(struct core *core, struct core_fixture *f)
{
    struct entry     entry = entry_of(RECORD_UNMERGE, STR_NONE, STR_NONE);
    struct unmerging unmerging = { f, &entry.record };
    struct task      task = { .ask = merge_pick, .context = &unmerging };
    assert_ok(core_run(core, &task));
    return entry;
}

/* Late, in order, or dated ahead; never within a second of where a window of days would end. */
static int64_t random_at(struct core_fixture *f, int64_t now_ms)
{
    uint32_t kind = fixture_draw(f, 8);
    int64_t  hours = fixture_draw(f, 20 * 24);
    return kind < 4 ? now_ms : now_ms + (kind == 7 ? hours : -hours) * TIME_HOUR_MS - 777777;
}

static struct entry entry_odd(struct core *core, struct core_fixture *f, struct arena *arena)
{
    struct str   user = str_format(arena, "u%u", fixture_draw(f, USERS));
    struct str   device = str_format(arena, "d%u", fixture_draw(f, DEVICES));
    uint32_t     kind = fixture_draw(f, 20);
    struct entry entry = entry_of(RECORD_TRACK, kind % 3 == 0 ? STR_NONE : user,
                                  fixture_draw(f, 2) ? STR("Visit") : STR("Order"));
    if (kind % 3 < 2 && (kind % 3 == 0 || fixture_draw(f, 3) == 0))
        entry.record.anonymous_id = device;
    entry.record.at_ms = random_at(f, entry.record.at_ms);
    if (kind < 6) {
        entry.record.kind = RECORD_IDENTIFY;
        entry.record.name = STR_NONE;
        if (kind < 3) /* traits or none */
            entry_properties(arena, &entry, "traits", STR("{\"plan\":\"pro\"}"));
    } else if (kind == 6) {
        entry = entry_of(RECORD_ALIAS, user, STR_NONE);
        entry.record.previous_id =
            fixture_draw(f, 2) ? device : str_format(arena, "u%u", fixture_draw(f, USERS));
    } else if (kind == 7) {
        return entry_unmerge(core, f);
    } else if (kind == 8) {
        entry.record.flags = RECORD_HISTORICAL;
    } else if (kind == 9) {
        entry = entry_of(RECORD_LIST, user, STR("news"));
        entry.record.flags = fixture_draw(f, 2) ? RECORD_LEAVE : 0;
    } else if (kind == 10) {
        entry = entry_of(RECORD_CONSENT, STR_NONE, STR("tips"));
        entry.record.profile = fixture_draw(f, 8);
        entry_properties(arena, &entry, "consent", STR("{\"state\":\"subscribed\"}"));
    }
    return entry;
}

static void live(struct core *core, struct core_fixture *f)
{
    for (int i = 0; i < RECORDS; i++) {
        struct arena *arena = arena_open(1 << 20);
        struct task  *task = task_of(arena, 1);
        task->entries[0] = entry_odd(core, f, arena);
        assert_ok(core_run(core, task));
        arena_close(arena);
    }
}

/* ---- who is in it ---- */

struct members {
    const struct segment_program *program; /* NULL: those whom the engine has in `segment` */
    const char                   *segment;
    int64_t                       at_ms;
    bool                          in[PEOPLE_MAX];
    uint32_t                      count, people;
};

static bool is_member(const struct engine *engine, uint32_t person, uint32_t segment)
{
    const struct state *state = people_state_get(engine_people(engine), person);
    return memberships_of(&state->memberships, segment).in;
}

/* Had anybody told of the person, or did anything happen to them, by then? */
static bool was_there(struct engine *engine, uint32_t person, int64_t at_ms)
{
    const struct people *people = engine_people(engine);
    uint32_t             member = person;
    struct run           runs[TIMELINE_RUNS_MAX];
    do {
        uint32_t count = timeline_runs(engine_timeline(engine), member, runs);
        for (uint32_t r = 0; r < count; r++)
            for (uint32_t i = 0; i < runs[r].count; i++)
                if (runs[r].at_ms[i] <= at_ms)
                    return true;
        if (people_arrived_ms(people, member) <= at_ms)
            return true;
    } while ((member = people_get(people, member)->next) != person);
    return false;
}

static bool members_ask(struct engine *engine, struct task *task)
{
    struct members      *members = task->context;
    const struct people *people = engine_people(engine);
    struct program      *program = engine_program(engine);
    uint32_t             number = program_segment(program, str_of(members->segment));
    if (engine_has_job(engine))
        return false;
    assert_true(people_count(people) < PEOPLE_MAX);
    for (uint32_t p = 0; p < people_count(people); p++) {
        if (people_root(people, p) != p || number == SEGMENT_NO_ID)
            continue;
        if (members->at_ms == 0)
            members->in[p] = is_member(engine, p, number);
        else
            members->in[p] =
                was_there(engine, p, members->at_ms) &&
                engine_ask(engine, &program->segments.items[number].program, p, members->at_ms)
                    .holds;
        members->count += members->in[p];
    }
    return true;
}

/* Those whom the engine has in it; at an instant, whoever was there then and for whom it held. */
static struct members members_of(struct core *core, const char *segment, int64_t at_ms)
{
    struct members members = { .segment = segment, .at_ms = at_ms };
    struct task    task = { .ask = members_ask, .context = &members };
    assert_ok(core_run(core, &task));
    return members;
}

static uint32_t named(const struct rig *rig, const char *key, bool *is_named)
{
    const struct json *sample = json_get(&rig->json, str_of(key));
    int64_t            number;
    assert_non_null(sample);
    memset(is_named, 0, PEOPLE_MAX);
    for (uint32_t i = 0; i < sample->count; i++) {
        struct str id = json_get_str(&sample->items[i], STR("id"));
        assert_ok(str_to_int(str_slice(id, 1, id.len), &number));
        is_named[number - 1] = true;
    }
    return sample->count;
}

static void preview(struct rig *rig, const char *draft, bool *entering, bool *leaving)
{
    SCOPED(buf_donep) struct buf body = buf_make(BODY_BYTES);
    buf_str(&body, STR("{\"compare\":\"it\",\"sample\":100,\"condition\":"));
    json_write_str(&body, str_of(draft));
    buf_str(&body, STR("}"));
    buf_char(&body, '\0');
    assert_int_equal(rig_call(rig, "POST", "/api/v1/segments/count", body.ptr), 200);
    assert_int_equal(rig_int(rig, "entering"), named(rig, "entering_sample", entering));
    assert_int_equal(rig_int(rig, "leaving"), named(rig, "leaving_sample", leaving));
}

static void apply(struct rig *rig, const char *draft)
{
    static bool    entering[PEOPLE_MAX], leaving[PEOPLE_MAX];
    struct members was = members_of(rig->core, "it", 0);
    preview(rig, draft, entering, leaving);
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/segments/it", draft), 200);
    struct members is = members_of(rig->core, "it", 0);
    for (uint32_t p = 0; p < PEOPLE_MAX; p++) {
        if (entering[p] == (is.in[p] && !was.in[p]) && leaving[p] == (was.in[p] && !is.in[p]))
            continue;
        print_error("%s: p%u was %d, is %d; told to enter %d, to leave %d\n", draft, p + 1,
                    was.in[p], is.in[p], entering[p], leaving[p]);
        fail();
    }
}

/* The same of a moment in the past. */
static void look_back(struct rig *rig, int64_t at_ms)
{
    char           body[BODY_BYTES], at[40];
    struct members was = members_of(rig->core, "it", at_ms);
    time_write(at_ms, at);
    snprintf(body, sizeof body, "{\"segment\":\"it\",\"at\":\"%s\"}", at);
    assert_int_equal(rig_call(rig, "POST", "/api/v1/segments/count", body), 200);
    assert_int_equal(rig_int(rig, "count"), was.count);
}

static uint64_t seed_of(const char *test)
{
    const char *given = getenv("DULT_SEED");
    uint64_t    seed = given != NULL ? strtoull(given, NULL, 0) : hash_random_seed() >> 16;
    printf("%s: DULT_SEED=%llu replays\n", test, (unsigned long long)seed);
    return seed;
}

TEST(api_preview, whoever_a_preview_lets_enter_or_leave_does_and_nobody_else)
{
    struct core_fixture f = { .random = seed_of("api_preview") };
    struct rig         *rig = rig_open();
    fixture_define(rig->core, DEFINE_WORKSPACE, "workspace",
                   "{\"lists\":[\"news\"],\"topics\":[\"tips\"]}");
    fixture_define(rig->core, DEFINE_SEGMENT, "visitors", "did \"Visit\"");
    int64_t begun_ms = time_now_ms();
    for (int i = 0; i < ROUNDS; i++) {
        live(rig->core, &f);
        apply(rig, drafts[fixture_draw(&f, DRAFTS)]);
        look_back(rig, begun_ms - (int64_t)fixture_draw(&f, 25) * TIME_DAY_MS);
        look_back(rig, begun_ms + fixture_draw(&f, (uint32_t)(time_now_ms() - begun_ms) + 1));
    }
    rig_close(rig);
}

TEST(api_preview,
     somebody_who_was_only_named_is_counted_where_a_condition_is_about_what_is_not_there)
{
    struct rig *rig = rig_open();
    assert_int_equal(rig_post(rig, "/v1/identify", "{\"userId\":\"ada\"}"), 200);
    assert_int_equal(rig_call(rig, "POST", "/api/v1/segments/count",
                              "{\"condition\":\"never did \\\"Visit\\\"\",\"compare\":\"new\"}"),
                     200);
    assert_int_equal(rig_int(rig, "people"), 1);
    assert_int_equal(rig_int(rig, "entering"), 1);
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/segments/new", "never did \"Visit\""), 200);
    assert_int_equal(members_of(rig->core, "new", 0).count, 1);
    assert_int_equal(rig_call(rig, "POST", "/api/v1/segments/count",
                              "{\"segment\":\"new\",\"at\":\"2026-01-01\"}"),
                     200);
    assert_int_equal(rig_int(rig, "count"), 0);
    rig_close(rig);
}
