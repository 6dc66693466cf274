/*
 * Random lives: whatever happened, and however late, everyone's memberships are what a full
 * evaluation gives at this very instant, and no wake-up was missed on the way. In half of the lives
 * two people do nearly everything, so that their answers stand (segment_standing.h), and now and
 * then some are forgotten.
 *
 * For whatever the naive twin of conditions can be asked it says the same, given nothing but the
 * records as they were told (engine_naive_test.h): of the living engine and of a loaded one. Time
 * goes on in leaps, and now and then from one wake-up to the next, with a look just before each.
 *
 * Now and then a second engine is loaded from what a store would have (names, definitions, events,
 * decisions; perhaps a checkpoint and a snapshot of the timeline, each of another moment; perhaps
 * with newer rules of time zones). Told the same for a while, it is as true. Now and then somebody
 * is erased; what is loaded is then in half of the cases only what erasure.h leaves.
 *
 * Broadcasts are launched, paused, resumed, cancelled and tried again meanwhile, claims answered in
 * every way; each recipient is judged by claims and answers alone (engine_life_cast_test.h), and in
 * the end each broadcast comes to its end.
 *
 * In the last lives events are kept for some days only, and rules and border move (retain.h): who
 * judges is not told what is gone.
 */
#include "engine/engine_life_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"

enum {
    LIVES = 6,
    LIVES_RETAINING = 3, /* the last of them */
    WAKES_STEPPED = 6,   /* looked at one by one */
    CLOCKS_MAX = 20,     /* of one pause */
};

/* Some answers of anyone are no longer known, as after a start. */
static void forget(struct life *life)
{
    struct people *people = life->engine->people;
    if (people_count(people) == 0)
        return;
    struct profile  *profile = people_get(people, life_draw(life, people_count(people)));
    struct standing *items = profile->state == NULL ? NULL : profile->state->rarer->standings.items;
    if (items == NULL)
        return;
    uint32_t kept = 0, one_in = 1 + life_draw(life, 3);
    for (uint32_t i = 0; i < profile->state->rarer->standings.count; i++)
        if (life_draw(life, one_in) > 0)
            items[kept++] = items[i];
    state_rarer_own(profile->state)->standings.count = kept;
}

static uint64_t standing_count(const struct life *life)
{
    uint64_t count = 0;
    for (uint32_t p = 0; p < people_count(life->engine->people); p++)
        count += people_state_get(life->engine->people, p)->rarer->standings.count;
    return count;
}

static int64_t pause_of(struct life *life)
{
    uint32_t kind = life_draw(life, 300);
    if (kind == 0)
        return (int64_t)life_draw(life, 40) * TIME_DAY_MS; /* nothing was heard for weeks */
    return kind % 3 == 0 ? (int64_t)life_draw(life, 20) * TIME_HOUR_MS
                         : (int64_t)life_draw(life, 5000);
}

/* Clocks are put forward by an hour on the tenth day; by the later rules two days before. */
static struct zones *zones_of(const char *version, int64_t days)
{
    const struct zone_shift summer = { LIFE_T0 / 1000 + days * 24 * 3600, 7200 };
    const struct zone       list[] = { { STR("Far/East"), NULL, 0, 14 * 3600 },
                                       { STR("Far/West"), NULL, 0, -11 * 3600 },
                                       { STR("Half/Past"), NULL, 0, 5 * 3600 + 1800 },
                                       { STR("Sum/Mer"), &summer, 1, 3600 } };
    struct zones           *zones = NULL;
    assert_ok(zones_make(&zones, str_of(version), list, 4));
    return zones;
}

/* From one wake-up to the next, and a look just before each. */
static void wakes_step(struct life *life, int64_t until_ms)
{
    for (int i = 0; i < WAKES_STEPPED; i++) {
        int64_t next_ms = engine_next_ms(life->engine);
        if (life->twin != NULL && engine_next_ms(life->twin) < next_ms)
            next_ms = engine_next_ms(life->twin);
        if (next_ms > until_ms || next_ms <= life->now_ms + 1)
            return;
        for (int64_t before = 1; before >= 0; before--) {
            life->now_ms = next_ms - before;
            assert_ok(life_tell(life, (struct record){ .kind = RECORD_CLOCK }));
            life_judge(life);
        }
    }
}

/* As many clocks as it takes: of one person a record does WAKES_MAX wakes, and a long pause may
 * hold more. */
static void clocks_step(struct life *life)
{
    for (int i = 0; i < CLOCKS_MAX; i++) {
        assert_ok(life_tell(life, (struct record){ .kind = RECORD_CLOCK }));
        if (engine_next_ms(life->engine) > life->now_ms &&
            (life->twin == NULL || engine_next_ms(life->twin) > life->now_ms))
            return;
    }
}

static void live(uint64_t seed, int kind, bool retains)
{
    bool         busy = kind == 1;
    struct life *life = calloc(1, sizeof *life);
    assert_non_null(life);
    *life = (struct life){ .arena = arena_open(512 << 20),
                           .seed = seed,
                           .random = seed,
                           .now_ms = LIFE_T0,
                           .busy = busy,
                           .crowd = kind == 2,
                           .retains = retains,
                           .zones = zones_of("2026a", 10),
                           .newer = zones_of("2026b", 8) };
    life->out.arena = life->arena;
    life->kept.base = rebase_none();
    assert_ok(engine_open(&life->engine, (struct engine_conf){ .seed = seed,
                                                               .next_decision = 1,
                                                               .lateness_ms = LATENESS_MS_DEFAULT,
                                                               .zones = life->zones }));
    life_definitions_tell(life);
    life_cast_begin(life);
    life_settle(life);
    for (life->step = 0; life->step < LIFE_RECORDS; life->step++) {
        life_record_random(life);
        life_cast_go_on(life);
        life_twin_go_on(life);
        life_checkpoint_go_on(life);
        if (life_draw(life, 60) == 0)
            life_snapshot(life);
        life->standing += standing_count(life);
        if (life_draw(life, 8) == 0)
            forget(life);
        int64_t until_ms = life->now_ms + pause_of(life);
        if (life_draw(life, 8) == 0)
            wakes_step(life, until_ms);
        life->now_ms = until_ms;
        clocks_step(life);
        life_judge(life);
        life_retention_go_on(life);
    }
    assert_true(engine_stats(life->engine).memberships_changed > 300);
    assert_true(engine_stats(life->engine).enrolled > 20);
    assert_true(!busy || life->standing > 1000);
    assert_true(life->naive > (busy ? 1000 : 10000));
    assert_true(life->loads > 3 && life->erased > 2);
    assert_true(!retains || (life->retained > 20 && life->gone > 100));
    life_cast_end(life);
    life_cast_done(life);
    rebase_drop(&life->kept.base);
    engine_close(life->engine);
    zones_close(life->zones);
    zones_close(life->newer);
    arena_close(life->arena);
    free(life);
}

TEST(engine_life, memberships_are_the_truth_after_every_record_and_a_loaded_engine_lives_on_alike)
{
    const char *given = getenv("DULT_SEED");
    uint64_t    seed = given != NULL ? strtoull(given, NULL, 0) : hash_random_seed() >> 16;
    printf("engine_life: DULT_SEED=%llu replays\n", (unsigned long long)seed);
    for (int i = 0; i < LIVES; i++)
        live(seed + (uint64_t)i, i % 3, i >= LIVES - LIVES_RETAINING);
}
