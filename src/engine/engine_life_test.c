/*
 * Random lives: whatever happened, and however late, everyone's memberships are what a full
 * evaluation gives at this very instant, and no wake-up was missed on the way. In half of the lives
 * two people do nearly everything, so that their answers stand (segment_standing.h), and now and
 * then some are forgotten.
 */
#include "engine/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/test.h"
#include "base/time.h"

#define T0 INT64_C(1767225600000)

enum { LIVES = 12, RECORDS = 900, USERS = 12, DEVICES = 16, BUSY_USERS = 2 };

static const char *const segments[][2] = {
    { "active", "did \"Visit\" at least 2 times in the last 3 days" },
    { "buyer", "sum of revenue of \"Order\" in the last 10 days > 40" },
    { "dormant", "not did \"Visit\" in the last 5 days" },
    { "exact", "did \"Order\" exactly 2 times where revenue > 10" },
    { "norse", "country in (\"NO\", \"SE\")" },
    { "both", "in segment \"active\" and in segment \"norse\"" },
    { "lost", "in segment \"buyer\" and not in segment \"active\"" },
    { "listed", "in list \"news\" or plan = \"pro\"" },
    { "recent", "last did \"Order\" less than 2 days ago" },
    { "share", "in 30% by \"salt\" and did \"Visit\"" },
    { "spender", "sum of revenue of \"Order\" in the last 90 days > 300" },
    { "big spender", "sum of revenue of \"Order\" >= 900 and did \"Order\" where revenue > 38" },
    { "thrifty", "sum of revenue of \"Order\" in the last 4 days < 55" },
    { "round", "sum of revenue of \"Visit\" in the last 2 days where revenue > 30 = 66" },
    { "average", "average of revenue of \"Visit\" in the last 20 days > 18" },
    { "mean", "average of revenue of \"Order\" in the last 2 days <= 17" },
    { "least", "least of revenue of \"Visit\" in the last 2 days <= 2" },
    { "never less", "least of revenue of \"Order\" in the last 1 day > 4" },
    { "greatest", "greatest of revenue of \"Order\" in the last 3 days >= 39" },
    { "never more", "greatest of revenue of \"Visit\" in the last 12 hours < 30" },
    { "most", "greatest of revenue of \"Visit\" in the last 2 days = 38" },
    { "varied", "distinct count of revenue of \"Visit\" in the last 4 days >= 12" },
    { "monotone", "distinct count of items of \"Order\" in the last 1 day < 4" },
    { "few", "did \"Visit\" at most 3 times in the last 1 day where revenue > 20" },
    { "many", "did \"Visit\" at least 40 times in the last 30 days" },
    { "old", "did \"Order\" at least 9 times not in the last 10 days" },
    { "old sum", "sum of revenue of \"Order\" not in the last 12 days > 250" },
    { "times", "did \"Visit\" exactly 4 times in the last 1 day" },
    { "ever", "did \"Other\" exactly 7 times where revenue > 33" },
    { "January", "did \"Visit\" at least 20 times between 2026-01-03 and 2026-01-09" },
    { "first", "first did \"Order\" more than 3 days ago where revenue > 36" },
    { "last", "last did \"Visit\" less than 1 day ago where revenue > 36" },
    { "gone", "last did \"Order\" more than 2 days ago where revenue > 30" },
    { "then", "did \"Visit\" in the last 2 days then \"Order\" where revenue > 36 within 2 hours" },
    { "then no",
      "did \"Order\" in the last 2 days then no \"Other\" where revenue > 20 within 5 hours" },
    { "items", "sum of items of \"Order\" in the last 5 days > 20" },
    { "items ever", "sum of items of \"Visit\" >= 60" },
    { "few items", "sum of items of \"Visit\" in the last 2 days <= 24 and plan = \"pro\"" },
    { "some items", "sum of items of \"Order\" in the last 3 days where revenue > 10 >= 9" },
    { "items since", "sum of items of \"Other\" since 2026-01-04T00:00:00Z < 40" },
    { "same items", "not sum of items of \"Order\" in the last 5 days > 60 or plan != \"pro\"" },
    { "at most", "did \"Visit\" at most 5 times in the last 2 days and country = \"NO\"" },
    { "since", "did \"Visit\" at least 3 times since 2026-01-05T00:00:00Z where revenue > 5" },
    { "long so", "plan has been = \"pro\" for 2 days and did \"Order\"" },
    { "none told", "plan does not exist or did \"Other\" at least 30 times" },
    { "same leaves",
      "in segment \"spender\" or (sum of revenue of \"Order\" in the last 90 days > 300 "
      "and not did \"Visit\" at least 40 times in the last 30 days)" },
};
enum { SEGMENTS = sizeof segments / sizeof segments[0] };

struct life {
    struct engine *engine;
    struct arena  *arena;
    struct out     out;
    uint64_t       seq, random, standing;
    int64_t        now_ms;
    bool           busy; /* two people do nearly everything */
};

static uint32_t draw(struct life *life, uint32_t below)
{
    life->random = hash_u64(life->random, 77);
    return (uint32_t)(life->random >> 20) % below;
}

static enum err tell(struct life *life, struct record record)
{
    record.seq = ++life->seq;
    record.received_ms = life->now_ms;
    if (record.at_ms == 0)
        record.at_ms = life->now_ms;
    return engine_apply(life->engine, &record, &life->out, NULL);
}

static const struct json *object(struct life *life, struct str text)
{
    struct json *value = ARENA_NEW(life->arena, struct json);
    assert_ok(json_parse_once(life->arena, text, value, NULL));
    return value;
}

static struct str who(struct life *life, const char *letter, uint32_t below)
{
    if (life->busy && draw(life, 40) > 0)
        below = BUSY_USERS;
    return str_format(life->arena, "%s%u", letter, draw(life, below));
}

/* Mostly now, sometimes late, sometimes dated ahead. */
static int64_t when(struct life *life)
{
    uint32_t kind = draw(life, 10);
    if (kind < 7)
        return life->now_ms;
    int64_t shift = (int64_t)draw(life, 8 * 24) * TIME_HOUR_MS;
    return kind == 7 ? life->now_ms + shift / 8 : life->now_ms - shift;
}

static void record_random(struct life *life)
{
    static const char *const events[] = { "Visit", "Order", "Other" };
    static const char *const countries[] = { "NO", "SE", "DE" };
    struct record            r = { .kind = RECORD_TRACK, .at_ms = when(life) };
    uint32_t                 kind = draw(life, life->busy ? 60 : 20);
    int                      revenue = (int)draw(life, 40) - (draw(life, 20) == 0 ? 40 : 0);
    bool                     known = draw(life, 3) > 0;
    if (known)
        r.user_id = who(life, "u", USERS);
    if (!known || draw(life, 3) == 0)
        r.anonymous_id = who(life, "d", DEVICES);
    r.name = str_of(events[draw(life, 3)]);
    r.properties = object(life, str_format(life->arena, "{\"revenue\":%d,\"items\":[%u,\"a\",%u]}",
                                           revenue, draw(life, 5), draw(life, 9)));
    if (kind < 4) {
        r.kind = RECORD_IDENTIFY;
        r.properties =
            object(life, str_format(life->arena, "{\"country\":\"%s\",\"plan\":\"%s\"}",
                                    countries[draw(life, 3)], draw(life, 2) ? "pro" : "free"));
        r.name = STR_NONE;
    } else if (kind == 4) {
        r = (struct record){ .kind = RECORD_ALIAS,
                             .user_id = who(life, "u", USERS),
                             .previous_id =
                                 draw(life, 2) ? who(life, "u", USERS) : who(life, "d", DEVICES) };
        if (str_eq(r.user_id, r.previous_id))
            return;
    } else if (kind == 5) {
        r = (struct record){ .kind = RECORD_LIST,
                             .user_id = who(life, "u", USERS),
                             .name = STR("news"),
                             .flags = draw(life, 2) ? RECORD_LEAVE : 0 };
    } else if (kind == 6 && people_count(engine_people(life->engine)) > 0) {
        uint32_t            p = draw(life, people_count(engine_people(life->engine)));
        const struct state *state = people_state_get(engine_people(life->engine), p);
        if (state->rare->merges.count == 0)
            return;
        r = (struct record){
            .kind = RECORD_UNMERGE,
            .profile = p,
            .merge = state->rare->merges.items[draw(life, state->rare->merges.count)].id
        };
    } else if (kind == 7) {
        r.flags = RECORD_HISTORICAL;
    }
    enum err err = tell(life, r);
    assert_true(err == OK || err == ERR_CONFLICT || err == ERR_ABSENT);
}

/* Some answers of anyone are no longer known, as after a start. */
static void forget(struct life *life)
{
    struct people   *people = life->engine->people;
    struct profile  *profile = people_get(people, draw(life, people_count(people)));
    struct standing *items = profile->state == NULL ? NULL : profile->state->rare->standings.items;
    if (items == NULL)
        return;
    uint32_t kept = 0, one_in = 1 + draw(life, 3);
    for (uint32_t i = 0; i < profile->state->rare->standings.count; i++)
        if (draw(life, one_in) > 0)
            items[kept++] = items[i];
    state_rare_own(profile->state)->standings.count = kept;
}

static bool member(const struct engine *engine, uint32_t person, uint32_t segment)
{
    const struct state *state = people_state_get(engine_people(engine), person);
    for (uint32_t i = 0; i < state->memberships.count; i++)
        if (state->memberships.items[i].segment == segment)
            return state->memberships.items[i].in;
    return false;
}

static void compare(struct life *life, uint64_t seed, int step)
{
    struct program *program = engine_program(life->engine);
    for (uint32_t p = 0; p < people_count(engine_people(life->engine)); p++) {
        if (people_root(engine_people(life->engine), p) != p)
            continue;
        for (uint32_t s = 0; s < SEGMENTS; s++) {
            bool truth =
                engine_ask(life->engine, &program->segments.items[s].program, p, life->now_ms)
                    .holds;
            if (member(life->engine, p, s) == truth)
                continue;
            print_error("seed %llu step %d: profile %u segment %s is %d, the truth %d\n",
                        (unsigned long long)seed, step, p, segments[s][0], !truth, truth);
            fail();
        }
    }
}

static uint64_t standing_count(const struct life *life)
{
    uint64_t count = 0;
    for (uint32_t p = 0; p < people_count(life->engine->people); p++)
        count += people_state_get(life->engine->people, p)->rare->standings.count;
    return count;
}

static void live(uint64_t seed, bool busy)
{
    struct life life = {
        .arena = arena_open(512 << 20), .random = seed, .now_ms = T0, .busy = busy
    };
    life.out.arena = life.arena;
    assert_ok(engine_open(
        &life.engine, (struct engine_conf){
                          .seed = seed, .next_decision = 1, .lateness_ms = LATENESS_MS_DEFAULT }));
    assert_ok(tell(&life, (struct record){ .kind = RECORD_DEFINE,
                                           .definition_kind = DEFINE_WORKSPACE,
                                           .name = STR("workspace"),
                                           .body = STR("{\"lists\":[\"news\"]}") }));
    for (int i = 0; i < SEGMENTS; i++)
        assert_ok(tell(&life, (struct record){ .kind = RECORD_DEFINE,
                                               .definition_kind = DEFINE_SEGMENT,
                                               .name = str_of(segments[i][0]),
                                               .body = str_of(segments[i][1]) }));
    while (engine_has_job(life.engine))
        assert_ok(tell(&life, (struct record){ .kind = RECORD_CLOCK }));
    for (int i = 0; i < RECORDS; i++) {
        record_random(&life);
        life.standing += standing_count(&life);
        if (draw(&life, 8) == 0)
            forget(&life);
        life.now_ms += draw(&life, 3) == 0 ? (int64_t)draw(&life, 20) * TIME_HOUR_MS
                                           : (int64_t)draw(&life, 5000);
        assert_ok(tell(&life, (struct record){ .kind = RECORD_CLOCK }));
        compare(&life, seed, i);
    }
    assert_true(engine_stats(life.engine).memberships_changed > 300);
    assert_true(!busy || life.standing > 1000);
    engine_close(life.engine);
    arena_close(life.arena);
}

TEST(engine_life, memberships_are_the_truth_after_every_record_and_at_every_wake_up)
{
    const char *given = getenv("DULT_SEED");
    uint64_t    seed = given != NULL ? strtoull(given, NULL, 0) : hash_random_seed() >> 16;
    printf("engine_life: DULT_SEED=%llu replays\n", (unsigned long long)seed);
    for (int i = 0; i < LIVES; i++)
        live(seed + (uint64_t)i, i % 2 == 1);
}
