/*
 * Retention beside an engine that was never told the older events: whatever happened in whatever
 * order, everyone is in the same segments, once what is announced is in force and before the next
 * day; and an engine that was loaded from stored rows, or from a snapshot, is as true.
 */
#include "engine/retain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/test.h"
#include "base/time.h"
#include "engine/engine_rebase_test.h"
#include "engine/inside.h"

#define T0 INT64_C(1767225600000) /* 2026-01-01 */

enum {
    LIVES = 4,
    RECORDS = 500,
    USERS = 6,
    RULES_DAYS_MAX = 30,
    CHECK_EVERY = 20,
};

static const char *const names[] = { "Visit", "Order", "Other" };
enum { NAMES = sizeof names / sizeof names[0] };

static const char *const segments[][2] = {
    { "ever", "did \"Order\"" },
    { "never", "never did \"Visit\" where n > 3" },
    { "often", "did \"Visit\" at least 9 times" },
    { "exact", "did \"Order\" exactly 4 times" },
    { "rare", "did \"Order\" at most 5 times in the last 40 days" },
    { "short", "did \"Visit\" at least 2 times in the last 3 days" },
    { "sum", "sum of n of \"Order\" > 60" },
    { "sum long", "sum of n of \"Visit\" in the last 25 days < 40" },
    { "average", "average of n of \"Order\" >= 5" },
    { "first", "first did \"Order\" more than 9 days ago" },
    { "last", "last did \"Visit\" more than 6 days ago" },
    { "least", "least of n of \"Order\" < 2" },
    { "then", "did \"Visit\" then \"Order\" within 2 hours" },
    { "then no", "did \"Order\" in the last 12 days then no \"Visit\" within 9 hours" },
    { "funnel", "reached step 2 but not step 3 of (\"Visit\", \"Order\", \"Other\") within 1 day" },
    { "since", "did \"Other\" at least 3 times since 2026-01-05" },
    { "between", "did \"Order\" at least 2 times between 2026-01-03 and 2026-01-20" },
    { "month", "did \"Other\" at least 4 times this month" },
    { "old", "did \"Order\" not in the last 10 days" },
    { "any", "did anything at least 20 times" },
    { "distinct", "distinct count of n of \"Visit\" >= 5" },
    { "time", "first time of \"Visit\" > 12 days ago" },
    { "gap", "days between \"Visit\" < 1" },
    { "frequent", "most frequent of n of \"Order\" = 4" },
    { "trait", "plan = \"pro\" and did \"Order\" where n > 8" },
    { "nested", "in segment \"ever\" and not in segment \"often\"" },
};
enum { SEGMENTS = sizeof segments / sizeof segments[0] };

struct told {
    struct record record;
    uint32_t      profile;
    bool          is_event, gone, purged;
};

/* The rules as the test understands them: days by name, 0 for ever. */
struct rules {
    int days[NAMES];
};

struct life {
    struct engine     *engine;
    struct arena      *arena;
    struct out         out;
    struct told        told[4 * RECORDS];
    uint32_t           told_count;
    uint64_t           seq, random;
    int64_t            now_ms;
    struct rules       rules, coming, in_force;
    int64_t            coming_day, in_force_day;
    bool               is_coming;
    uint32_t           retained, gone, loads;
    char               text[256];
    struct rebase_copy base; /* the last one */
};

static uint32_t draw(struct life *life, uint32_t below)
{
    life->random = hash_u64(life->random, 77);
    return (uint32_t)(life->random >> 20) % below;
}

static bool is_older(const struct rules *rules, int64_t day, const struct record *r)
{
    for (int n = 0; n < NAMES; n++)
        if (str_eq(r->name, str_of(names[n])))
            return rules->days[n] > 0 && r->at_ms < (day - rules->days[n]) * TIME_DAY_MS;
    return false;
}

static enum err apply(struct life *life, struct engine *engine, struct record record,
                      struct out *out)
{
    enum err err = engine_apply(engine, &record, out, NULL);
    (void)life;
    return err;
}

static void tell(struct life *life, struct record record)
{
    record.seq = ++life->seq;
    record.received_ms = life->now_ms;
    if (record.at_ms == 0)
        record.at_ms = life->now_ms;
    bool is_event = record.kind == RECORD_TRACK;
    bool gone =
        is_event && (is_older(&life->in_force, life->in_force_day, &record) ||
                     (life->is_coming && is_older(&life->coming, life->coming_day, &record)));
    assert_ok(apply(life, life->engine, record, &life->out));
    assert_int_equal(life->out.older, gone);
    if (record.kind == RECORD_RETAIN || record.kind == RECORD_RETAINED)
        return;
    life->gone += gone;
    life->told[life->told_count++] =
        (struct told){ record, life->out.profile, is_event, gone, gone };
}

static void define(struct life *life, enum definition_kind kind, const char *name, struct str text)
{
    tell(life, (struct record){ .kind = RECORD_DEFINE,
                                .definition_kind = kind,
                                .name = str_of(name),
                                .body = str_copy(life->arena, text) });
}

static const struct json *object(struct life *life, struct str text)
{
    struct json *value = ARENA_NEW(life->arena, struct json);
    assert_ok(json_parse_once(life->arena, text, value, NULL));
    return value;
}

static struct str user(struct life *life, uint32_t number)
{
    return str_format(life->arena, "u%u", number);
}

static struct str days_text(struct life *life, int days)
{
    return days == 0 ? STR("for ever") : str_format(life->arena, "%d days", days);
}

/* Other rules; the third name has no length of its own. */
static void rules_change(struct life *life)
{
    for (int n = 0; n < NAMES; n++)
        life->rules.days[n] = draw(life, 5) == 0 ? 0 : 1 + (int)draw(life, RULES_DAYS_MAX);
    struct str each[NAMES];
    for (int n = 0; n < NAMES; n++)
        each[n] = days_text(life, life->rules.days[n]);
    define(life, DEFINE_RETENTION, "retention",
           str_format(life->arena,
                      "{\"events\":\"%.*s\",\"by_event\":{\"Visit\":\"%.*s\",\"Order\":\"%.*s\"}}",
                      STR_ARG(each[2]), STR_ARG(each[0]), STR_ARG(each[1])));
}

static void event_random(struct life *life)
{
    static const char *const plans[] = { "pro", "free" };
    uint32_t                 kind = draw(life, 10);
    struct record            r = { .kind = RECORD_TRACK,
                                   .user_id = user(life, draw(life, USERS)),
                                   .at_ms = life->now_ms };
    if (kind == 0)
        r.at_ms -= (int64_t)draw(life, 40 * 24) * TIME_HOUR_MS; /* late */
    if (kind == 1)
        r.at_ms += (int64_t)draw(life, 48) * TIME_HOUR_MS; /* dated ahead */
    r.name = str_of(names[draw(life, NAMES)]);
    r.properties = object(life, str_format(life->arena, "{\"n\":%u}", draw(life, 11)));
    if (kind == 2) {
        r.kind = RECORD_IDENTIFY;
        r.name = STR_NONE;
        r.properties =
            object(life, str_format(life->arena, "{\"plan\":\"%s\"}", plans[draw(life, 2)]));
    }
    tell(life, r);
}

/* ---- what retention does ---- */

/* A merge; a copy of the base is kept as a file would be. */
static void merge(struct life *life)
{
    size_t bytes;
    bool   coming = engine_retention_is_coming(life->engine);
    rebase_begin(life->engine, life->seq, &bytes);
    if (draw(life, 4) == 0) { /* the disk was full: another time */
        timeline_thaw(engine_timeline(life->engine));
        return;
    }
    event_random(life);
    unsigned char *region = rebase_write(life->engine, &bytes);
    rebase_keep(life->engine, region, bytes, &life->base);
    rebase_end(life->engine, region, bytes);
    if (!coming)
        return;
    tell(life, (struct record){ .kind = RECORD_RETAINED });
    life->in_force = life->coming;
    life->in_force_day = life->coming_day;
    life->is_coming = false;
    life->retained++;
    for (uint32_t i = 0; i < life->told_count; i++) {
        struct told *t = &life->told[i];
        if (!t->is_event || t->gone || !is_older(&life->in_force, life->in_force_day, &t->record))
            continue;
        t->gone = true;
        life->gone++;
    }
}

static void purge(struct life *life)
{
    for (uint32_t i = 0; i < life->told_count; i++)
        life->told[i].purged = life->told[i].gone;
}

static void retention_go_on(struct life *life)
{
    if (draw(life, 10) == 0)
        purge(life);
    bool is_purged = true;
    for (uint32_t i = 0; i < life->told_count; i++)
        is_purged = is_purged && (life->told[i].purged || !life->told[i].gone);
    if (engine_retention_is_due(life->engine, is_purged)) {
        tell(life, (struct record){ .kind = RECORD_RETAIN });
        life->coming = life->rules;
        life->coming_day = life->now_ms / TIME_DAY_MS;
        life->is_coming = true;
    }
    if (draw(life, 12) == 0 || (life->is_coming && draw(life, 3) == 0))
        merge(life);
}

/* ---- who is compared ---- */

static struct engine *fresh(struct life *life)
{
    struct engine     *engine;
    struct engine_conf conf = { .seed = 1,
                                .next_decision = life->out.decisions_count + 1,
                                .lateness_ms = LATENESS_MS_DEFAULT };
    assert_ok(engine_open(&engine, conf));
    return engine;
}

static void finish(struct life *life, struct engine *engine, struct out *out)
{
    do
        assert_ok(apply(life, engine,
                        (struct record){ .kind = RECORD_CLOCK,
                                         .seq = ++life->seq,
                                         .received_ms = life->now_ms,
                                         .at_ms = life->now_ms },
                        out));
    while (engine_has_job(engine));
}

static bool member(const struct engine *engine, uint32_t person, const char *segment)
{
    uint32_t number = program_segment(engine->program, str_of(segment));
    return memberships_of(&people_state_get(engine->people, person)->memberships, number).in;
}

static void compare(struct life *life, struct engine *other, const char *what, uint64_t seed)
{
    for (uint32_t u = 0; u < USERS; u++)
        for (int s = 0; s < SEGMENTS; s++) {
            uint32_t a = engine_find(life->engine, user(life, u));
            uint32_t b = engine_find(other, user(life, u));
            bool     in = member(life->engine, a, segments[s][0]);
            if (in == member(other, b, segments[s][0]))
                continue;
            print_error("seed %llu, told %u: u%u is%s in \"%s\", %s not so\n",
                        (unsigned long long)seed, life->told_count, u, in ? "" : " not",
                        segments[s][0], what);
            fail();
        }
}

/* One that was never told what is gone, and knows no retention. */
static void innocent_compare(struct life *life, uint64_t seed)
{
    struct engine *innocent = fresh(life);
    struct out     out = { .arena = life->arena };
    for (uint32_t i = 0; i < life->told_count; i++) {
        const struct told *t = &life->told[i];
        if (!t->gone && t->record.definition_kind != DEFINE_RETENTION)
            assert_ok(apply(life, innocent, t->record, &out));
    }
    finish(life, innocent, &out);
    compare(life, innocent, "who was never told the older events is", seed);
    engine_close(innocent);
}

static void rows_in(struct life *life, struct engine *engine)
{
    struct json_parser *parser = json_parser_open();
    uint32_t            base_seq = timeline_base_seq(engine->timeline);
    for (uint32_t i = 0; i < life->told_count; i++) {
        const struct told *t = &life->told[i];
        bool is_row = t->record.kind == RECORD_TRACK || t->record.kind == RECORD_IDENTIFY;
        if (is_row && !t->purged && t->record.seq > base_seq)
            assert_ok(engine_load_event(engine, t->record.kind, t->profile, (uint32_t)t->record.seq,
                                        t->record.at_ms, t->record.name, t->record.properties));
    }
    for (uint32_t i = 0; i < life->out.decisions_count; i++) {
        struct decision d = life->out.decisions[i];
        assert_ok(engine_load_decision(engine, parser, life->arena, &d));
    }
    json_parser_close(parser);
}

/* One that is loaded from what a store has: rows that are gone may not have been removed yet. */
static struct engine *loaded_open(struct life *life, bool with_base)
{
    struct engine               *loaded = fresh(life);
    struct out                   out = { .arena = life->arena };
    SCOPED(buf_donep) struct buf kept = buf_make(1 << 16);
    for (size_t i = 0; i < life->out.names_count; i++)
        assert_ok(engine_load_name(loaded, (enum name_kind)life->out.names[i].kind,
                                   life->out.names[i].id, life->out.names[i].text));
    for (uint32_t i = 0; i < life->told_count; i++) {
        const struct record *r = &life->told[i].record;
        if (r->kind == RECORD_DEFINE)
            assert_ok(engine_load_definition(loaded, r->definition_kind, r->name, r->body,
                                             (uint32_t)r->seq));
    }
    engine_retention_write(life->engine, &kept);
    assert_ok(engine_retention_load(loaded, buf_view(&kept)));
    if (with_base)
        rebase_load(loaded, &life->base);
    rows_in(life, loaded);
    assert_ok(engine_load_end(loaded, life->seq, life->now_ms));
    finish(life, loaded, &out);
    return loaded;
}

static void loaded_compare(struct life *life, uint64_t seed)
{
    bool           with_base = life->base.bags_file >= 0 && draw(life, 2) == 0;
    struct engine *loaded = loaded_open(life, with_base);
    compare(life, loaded, with_base ? "after a load with the base" : "after a load from rows",
            seed);
    life->loads++;
    engine_close(loaded);
}

static void live(uint64_t seed)
{
    struct life *life = calloc(1, sizeof *life);
    assert_non_null(life);
    life->arena = arena_open(512 << 20);
    life->random = seed;
    life->now_ms = T0;
    life->out.arena = life->arena;
    life->base = rebase_none();
    life->engine = fresh(life);
    for (int i = 0; i < SEGMENTS; i++)
        define(life, DEFINE_SEGMENT, segments[i][0], str_of(segments[i][1]));
    for (uint32_t u = 0; u < USERS; u++)
        tell(life, (struct record){ .kind = RECORD_IDENTIFY,
                                    .user_id = user(life, u),
                                    .properties = object(life, STR("{\"plan\":\"free\"}")) });
    for (int i = 0; i < RECORDS; i++) {
        if (draw(life, 60) == 0)
            rules_change(life);
        event_random(life);
        life->now_ms += (int64_t)draw(life, 6) * TIME_HOUR_MS;
        retention_go_on(life);
        finish(life, life->engine, &life->out);
        if (life->is_coming || i % CHECK_EVERY != 0)
            continue;
        innocent_compare(life, seed);
        loaded_compare(life, seed);
    }
    assert_true(life->retained > 10 && life->gone > 50 && life->loads > 5);
    rebase_drop(&life->base);
    engine_close(life->engine);
    arena_close(life->arena);
    free(life);
}

TEST(retain, memberships_are_those_of_an_engine_that_was_never_told_the_older_events)
{
    const char *given = getenv("DULT_SEED");
    uint64_t    seed = given != NULL ? strtoull(given, NULL, 0) : hash_random_seed() >> 16;
    printf("retain: DULT_SEED=%llu replays\n", (unsigned long long)seed);
    for (int i = 0; i < LIVES; i++)
        live(seed + (uint64_t)i);
}

/* ---- by example ---- */

static unsigned char *retain_write(struct life *life, size_t *bytes)
{
    assert_true(engine_retention_is_due(life->engine, true));
    tell(life, (struct record){ .kind = RECORD_RETAIN });
    rebase_begin(life->engine, life->seq, bytes);
    return rebase_write(life->engine, bytes);
}

static void retain_now(struct life *life)
{
    size_t         bytes;
    unsigned char *region = retain_write(life, &bytes);
    rebase_end(life->engine, region, bytes);
    tell(life, (struct record){ .kind = RECORD_RETAINED });
}

static void example_begin(struct life *life, struct arena *arena)
{
    *life = (struct life){ .arena = arena, .now_ms = T0, .base = rebase_none() };
    life->out.arena = arena;
    life->engine = fresh(life);
}

static void happened(struct life *life, const char *who, const char *name, int64_t days_ago)
{
    tell(life, (struct record){ .kind = RECORD_TRACK,
                                .user_id = str_of(who),
                                .name = str_of(name),
                                .at_ms = life->now_ms - days_ago * TIME_DAY_MS });
}

TEST(retain, who_enters_by_what_is_gone_sets_off_nothing)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(16 << 20);
    struct life                        life;
    example_begin(&life, arena);
    define(&life, DEFINE_SEGMENT, "never bought", STR("never did \"Order\" and did \"Visit\""));
    define(&life, DEFINE_JOURNEY, "welcome",
           STR("{\"journey\":\"welcome\",\"trigger\":{\"segment\":\"never bought\"},"
               "\"nodes\":[{\"id\":\"end\",\"exit\":true}]}"));
    happened(&life, "ada", "Order", 100);
    happened(&life, "ada", "Visit", 1);
    finish(&life, life.engine, &life.out);
    uint32_t ada = engine_find(life.engine, STR("ada"));
    assert_false(member(life.engine, ada, "never bought"));
    define(&life, DEFINE_RETENTION, "retention", STR("{\"events\":\"90 days\"}"));
    retain_now(&life);
    finish(&life, life.engine, &life.out);
    assert_true(member(life.engine, ada, "never bought"));
    assert_int_equal(engine_stats(life.engine).enrolled, 0);
    assert_int_equal(engine_retention(life.engine).entered, 1);
    assert_int_equal(engine_retention(life.engine).removed, 1);
    happened(&life, "bo", "Visit", 3); /* late, as ever */
    happened(&life, "cy", "Visit", 0);
    assert_int_equal(engine_stats(life.engine).enrolled, 1);
    engine_close(life.engine);
}

/* The process ended between the two: the base knows no more of what nobody was asked about. */
TEST(retain, a_base_that_was_made_before_it_is_in_force_is_loaded_with_everyone_asked)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(16 << 20);
    struct life                        life;
    size_t                             bytes;
    example_begin(&life, arena);
    define(&life, DEFINE_SEGMENT, "ever", STR("did \"Order\""));
    happened(&life, "ada", "Order", 100);
    happened(&life, "ada", "Visit", 1);
    finish(&life, life.engine, &life.out);
    define(&life, DEFINE_RETENTION, "retention", STR("{\"events\":\"90 days\"}"));
    unsigned char *region = retain_write(&life, &bytes);
    rebase_keep(life.engine, region, bytes, &life.base);
    struct engine *loaded = loaded_open(&life, true);
    uint32_t       ada = engine_find(loaded, STR("ada"));
    assert_true(member(life.engine, ada, "ever"));
    assert_false(member(loaded, ada, "ever"));
    assert_int_equal(engine_retention(loaded).left, 1);
    rebase_end(life.engine, region, bytes);
    rebase_drop(&life.base);
    engine_close(loaded);
    engine_close(life.engine);
}

TEST(retain, an_event_older_than_what_is_kept_makes_nobody_and_is_counted)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(16 << 20);
    struct life                        life;
    example_begin(&life, arena);
    define(&life, DEFINE_RETENTION, "retention",
           STR("{\"events\":\"90 days\",\"by_event\":{\"Order\":\"for ever\"}}"));
    life.in_force = life.coming = (struct rules){ { 0, 0, 0 } };
    retain_now(&life);
    struct record old = { .kind = RECORD_TRACK,
                          .seq = ++life.seq,
                          .user_id = STR("ada"),
                          .name = STR("Visit"),
                          .received_ms = life.now_ms,
                          .at_ms = life.now_ms - 91 * TIME_DAY_MS };
    assert_ok(engine_apply(life.engine, &old, &life.out, NULL));
    assert_true(life.out.older);
    assert_int_equal(life.out.profile, PROFILE_NONE);
    assert_int_equal(engine_retention(life.engine).older, 1);
    assert_int_equal(people_count(life.engine->people), 0);
    happened(&life, "ada", "Visit", 90);
    happened(&life, "ada", "Order", 900);
    assert_int_equal(engine_stats(life.engine).events, 2);
    engine_close(life.engine);
}

TEST(retain, whom_nothing_was_taken_from_is_not_asked_nor_are_segments_that_see_less_far)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(16 << 20);
    struct life                        life;
    example_begin(&life, arena);
    define(&life, DEFINE_SEGMENT, "month", STR("did \"Visit\" in the last 30 days"));
    define(&life, DEFINE_SEGMENT, "ever", STR("did \"Visit\""));
    define(&life, DEFINE_SEGMENT, "orders", STR("did \"Order\""));
    happened(&life, "ada", "Visit", 100);
    happened(&life, "bo", "Visit", 2);
    finish(&life, life.engine, &life.out);
    define(&life, DEFINE_RETENTION, "retention", STR("{\"by_event\":{\"Visit\":\"90 days\"}}"));
    retain_now(&life);
    assert_int_equal(life.engine->retaining.segments.count, 1);
    assert_int_equal(life.engine->retaining.segments.items[0],
                     program_segment(life.engine->program, STR("ever")));
    assert_true(retain_concerns(life.engine, engine_find(life.engine, STR("ada"))));
    assert_false(retain_concerns(life.engine, engine_find(life.engine, STR("bo"))));
    finish(&life, life.engine, &life.out);
    assert_int_equal(engine_retention(life.engine).left, 1);
    assert_false(engine_retention_is_due(life.engine, true));
    life.now_ms += TIME_DAY_MS;
    finish(&life, life.engine, &life.out);
    assert_true(engine_retention_is_due(life.engine, false));
    engine_close(life.engine);
}

TEST(retain, to_keep_longer_waits_until_no_older_row_is_left)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(16 << 20);
    struct life                        life;
    example_begin(&life, arena);
    define(&life, DEFINE_RETENTION, "retention", STR("{\"events\":\"90 days\"}"));
    retain_now(&life);
    define(&life, DEFINE_RETENTION, "retention", STR("{\"events\":\"1 year\"}"));
    assert_false(engine_retention_is_due(life.engine, false));
    assert_true(engine_retention_is_due(life.engine, true));
    engine_close(life.engine);
}

TEST(retain, what_is_in_force_is_written_and_read_back)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(16 << 20);
    SCOPED(buf_donep) struct buf       text = buf_make(1 << 16), again = buf_make(1 << 16);
    struct life                        life;
    example_begin(&life, arena);
    define(&life, DEFINE_RETENTION, "retention",
           STR("{\"events\":\"90 days\",\"by_event\":{\"Order\":\"1 year\"}}"));
    retain_now(&life);
    engine_retention_write(life.engine, &text);
    struct engine *other = fresh(&life);
    assert_ok(engine_retention_load(other, buf_view(&text)));
    engine_retention_write(other, &again);
    assert_str(buf_view(&again), str_to_cstr(buf_view(&text), (char[2000]){ 0 }, 2000));
    struct retention a = engine_retention(life.engine).in_force;
    struct retention b = engine_retention(other).in_force;
    assert_true(retention_eq(&a, &b));
    assert_int_equal(engine_retention_load(other, STR("1:2|3:4")), ERR_CORRUPT);
    assert_int_equal(engine_retention_load(other, STR("1:2:0:0|x:")), ERR_CORRUPT);
    engine_close(other);
    engine_close(life.engine);
}
