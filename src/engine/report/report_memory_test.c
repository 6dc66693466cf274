/*
 * Questions to everyone for which memory is short, wherever they ask for some: they say so, or
 * answer what they would have answered. A small random population is asked every one of them.
 */
#include <string.h>

#include "base/test.h"
#include "engine/behaviour/view.h"
#include "engine/report/funnel.h"
#include "engine/report/growth.h"
#include "engine/report/population.h"
#include "engine/report/report_world_test.h"
#include "engine/report/retention.h"
#include "engine/report/seen.h"
#include "engine/report/spread.h"
#include "engine/report/stays.h"
#include "engine/report/trend.h"
#include "engine/short_memory_test.h"

enum { PERIODS = 4, STEPS = 3, STAGES = 3, KEPT = 4, ROWS = KEPT + 3, ROUNDS = 8 };

/* What is asked, compiled beforehand. */
struct asking {
    struct world          *world;
    struct segment_program event[STEPS], stage[STAGES];
    int64_t                at_ms[PERIODS + 1];
    struct groups_by       by;
    bool                   any;
};

static uint64_t tell(uint64_t told, const void *bytes, size_t len)
{
    return short_memory_tell(told, (struct str){ bytes, len });
}

static struct report_range all(const struct asking *a)
{
    return (struct report_range){ 0, a->world->view.profiles };
}

/* By a trait or a property: what values there are is gathered in two parts, and the most frequent
 * are kept. */
static enum err groups_find(const struct asking *a, struct groups *groups)
{
    struct groups_question q = {
        .event = &a->event[0], .from_ms = a->at_ms[0], .to_ms = a->at_ms[PERIODS], .by = a->by
    };
    for (uint32_t i = 0; i < 2; i++) {
        struct groups *part = groups_open();
        enum err       err = part == NULL ? ERR_MEMORY : OK;
        if (err == OK)
            err = groups_gather(part, &a->world->report, &q, report_part(&a->world->report, i, 2));
        if (err == OK)
            err = groups_add(groups, part);
        groups_close(part);
        TRY(err);
    }
    return groups_keep(groups, KEPT);
}

static enum err trend_ask(const struct asking *a, const struct groups *groups, uint64_t *told)
{
    struct trend_cell     cells[ROWS * PERIODS] = { { 0 } };
    struct trend_question q = { .event = &a->event[0],
                                .periods = { a->at_ms, PERIODS },
                                .by = { a->by.of, a->by.key, groups } };
    TRY(trend_run(&a->world->report, &q, all(a), cells));
    for (uint32_t i = 0; i < ROWS * PERIODS; i++)
        *told = tell(tell(*told, &cells[i].events, sizeof cells[i].events), &cells[i].people,
                     sizeof cells[i].people);
    return OK;
}

static enum err funnel_ask(const struct asking *a, const struct groups *groups, uint64_t *told)
{
    static struct funnel_row rows[ROWS];
    struct funnel_question   q = { .steps = a->event,
                                   .steps_count = STEPS,
                                   .within_ms = 9 * TIME_HOUR_MS,
                                   .from_ms = a->at_ms[0],
                                   .to_ms = a->at_ms[PERIODS],
                                   .by = { a->by.of, a->by.key, groups } };
    memset(rows, 0, sizeof rows);
    TRY(funnel_run(&a->world->report, &q, all(a), rows));
    for (uint32_t i = 0; i < ROWS; i++)
        *told = tell(*told, rows[i].people, sizeof rows[i].people);
    return OK;
}

static enum err grouped_ask(const struct asking *a, uint64_t *told)
{
    struct groups *groups = groups_open();
    enum err       err = groups == NULL ? ERR_MEMORY : OK;
    if (err == OK && a->by.of != GROUPS_OF_NOTHING)
        err = groups_find(a, groups);
    const struct groups *by = a->by.of == GROUPS_OF_NOTHING ? NULL : groups;
    if (err == OK)
        err = trend_ask(a, by, told);
    if (err == OK)
        err = funnel_ask(a, by, told);
    groups_close(groups);
    return err;
}

static enum err retention_ask(const struct asking *a, uint64_t *told)
{
    uint64_t                  born[PERIODS] = { 0 }, came[PERIODS * PERIODS] = { 0 };
    struct retention_question q = {
        .birth = &a->event[0], .back = &a->event[1], .periods = { a->at_ms, PERIODS }, .any = a->any
    };
    TRY(retention_run(&a->world->report, &q, all(a), born, came));
    *told = tell(tell(*told, born, sizeof born), came, sizeof came);
    return OK;
}

static enum err spread_ask(const struct asking *a, uint64_t *told)
{
    static struct spread   out;
    struct spread_question q = { .first = &a->event[0],
                                 .then = &a->event[1],
                                 .from_ms = a->at_ms[0],
                                 .to_ms = a->at_ms[PERIODS],
                                 .all = a->any };
    memset(&out, 0, sizeof out);
    TRY(spread_run(&a->world->report, &q, all(a), &out));
    *told = tell(*told, &out.begun, sizeof out.begun);
    return OK;
}

static enum err seen_ask(const struct asking *a, uint64_t *told)
{
    const struct segment_program *events[STEPS] = { &a->event[0], &a->event[1], &a->event[2] };
    struct seen                   seen = { .people = 0 };
    struct seen_question          q = { events, STEPS, a->at_ms[1] };
    TRY(seen_run(&a->world->report, &q, all(a), &seen));
    *told = tell(*told, &seen.people, sizeof seen.people);
    return OK;
}

static enum err stays_ask(const struct asking *a, uint64_t *told)
{
    static struct stays_stage     counts[STAGES];
    const struct segment_program *stages[STAGES] = { &a->stage[0], &a->stage[1], &a->stage[2] };
    uint64_t                      none = 0;
    struct stays                  out = { .stages = counts, .none = &none };
    struct stays_question         q = {
                .stages = stages, .count = STAGES, .from_ms = a->at_ms[0], .to_ms = a->at_ms[PERIODS]
    };
    memset(counts, 0, sizeof counts);
    TRY(stays_run(&a->world->report, &q, all(a), &out));
    *told = tell(tell(*told, &none, sizeof none), &counts[0].comings, sizeof counts[0].comings);
    return OK;
}

static enum err people_ask(const struct asking *a, uint64_t *told)
{
    static uint64_t        bits[WORLD_PROFILES_MAX / 64 + 1];
    struct growth_point    points[PERIODS + 1] = { { 0 } };
    struct growth_question q = { .program = &a->stage[0], .at_ms = a->at_ms, .count = PERIODS + 1 };
    memset(bits, 0, sizeof bits);
    TRY(population_match(&a->world->report, &a->stage[1], all(a), bits));
    *told = tell(*told, bits, sizeof bits);
    TRY(growth_run(&a->world->report, &q, all(a), points));
    *told = tell(*told, points, sizeof points);
    return OK;
}

static enum err live(const void *context, uint64_t *told)
{
    const struct asking *a = context;
    TRY(grouped_ask(a, told));
    TRY(retention_ask(a, told));
    TRY(spread_ask(a, told));
    TRY(seen_ask(a, told));
    TRY(stays_ask(a, told));
    return people_ask(a, told);
}

static void question_roll(struct asking *a, struct dice *dice, uint32_t round)
{
    struct segment_names names = world_names(a->world);
    for (int i = 0; i < STEPS; i++)
        a->event[i] = world_event(a->world, dice);
    for (int i = 0; i < STAGES; i++)
        assert_ok(
            segment_compile(dice->arena, dice_condition(dice, 3), &names, &a->stage[i], NULL));
    for (int i = 0; i <= PERIODS; i++)
        a->at_ms[i] = a->world->base_ms + 6 * i * TIME_HOUR_MS;
    a->by = (struct groups_by){ .of = (enum groups_of)(round % 3) };
    a->any = round % 2 == 0;
    assert_ok(a->by.of == GROUPS_OF_TRAIT
                  ? dict_intern(a->world->traits, STR("country"), &a->by.key)
                  : dict_intern(a->world->properties, STR("n"), &a->by.key));
}

TEST(report_memory, every_question_is_answered_as_ever_or_memory_was_short)
{
    static struct world w;
    uint64_t            seed = dice_seed("report_memory");
    struct arena       *arena = arena_open((size_t)64 << 20);
    int                 ways = 0;
    world_open(&w);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct dice   dice = { hash_u64(round, seed), arena, false, w.base_ms, WORLD_ASKS };
        struct asking asking = { .world = &w };
        do
            world_roll(&w, &dice);
        while (w.view.profiles > 200);
        question_roll(&asking, &dice, round);
        ways += short_memory_everywhere(live, &asking);
        arena_reset(arena);
    }
    assert_true(ways > 10 * ROUNDS);
    arena_close(arena);
    world_done(&w);
}
