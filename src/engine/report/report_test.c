/* What is refused before a report runs, and what sums up behind it. */
#include "engine/report/report.h"

#include <string.h>

#include "base/test.h"
#include "engine/behaviour/dict.h"
#include "engine/behaviour/view.h"
#include "engine/report/funnel.h"
#include "engine/report/growth.h"
#include "engine/report/retention.h"
#include "engine/report/spread.h"
#include "engine/report/stays.h"
#include "engine/report/trend.h"
#include "engine/segment/segment_program.h"

struct asker {
    struct arena *arena;
    struct dict  *events, *properties, *traits;
};

static struct asker asker_open(void)
{
    return (struct asker){ arena_open(1 << 20), dict_open(), dict_open(), dict_open() };
}

static void asker_close(struct asker *a)
{
    dict_close(a->events);
    dict_close(a->properties);
    dict_close(a->traits);
    arena_close(a->arena);
}

static struct segment_program compiled(struct asker *a, const char *text)
{
    struct segment_names names = {
        .events = a->events, .properties = a->properties, .traits = a->traits, .grow = true
    };
    const struct segment_node *tree;
    struct segment_program     program;
    assert_ok(segment_parse(a->arena, str_of(text), &tree, NULL));
    assert_ok(segment_compile(a->arena, tree, &names, &program, NULL));
    return program;
}

TEST(report, what_is_no_plain_event_is_refused_wherever_one_is_asked_for)
{
    static const char *const wrong[] = {
        "plan = \"pro\"",
        "did \"A\" and did \"B\"",
        "did \"A\" at least 2 times",
        "did \"A\" in the last 1 day",
        "did \"A\" exactly 1 times",
    };
    struct asker           a = asker_open();
    struct segment_program good = compiled(&a, "did \"A\" where n = 1"), none = { .ops_count = 0 };
    struct problem         problem;
    int64_t                at_ms[] = { 0, 1 };
    struct report_periods  periods = { at_ms, 1 };
    assert_ok(report_event_check(&good, "event", &problem));
    assert_int_equal(report_event_check(&none, "event", &problem), ERR_INPUT);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct segment_program bad = compiled(&a, wrong[i]), steps[] = { good, bad };
        assert_int_equal(
            retention_check(
                &(struct retention_question){ .birth = &bad, .back = &good, .periods = periods },
                &problem),
            ERR_INPUT);
        assert_string_equal(problem.where, "birth");
        assert_int_equal(
            retention_check(
                &(struct retention_question){ .birth = &good, .back = &bad, .periods = periods },
                &problem),
            ERR_INPUT);
        assert_string_equal(problem.where, "back");
        assert_int_equal(
            trend_check(&(struct trend_question){ .event = &bad, .periods = periods }, &problem),
            ERR_INPUT);
        assert_string_equal(problem.where, "event");
        assert_int_equal(
            spread_check(&(struct spread_question){ .first = &bad, .then = &good, .to_ms = 1 },
                         &problem),
            ERR_INPUT);
        assert_string_equal(problem.where, "first");
        assert_int_equal(
            spread_check(&(struct spread_question){ .first = &good, .then = &bad, .to_ms = 1 },
                         &problem),
            ERR_INPUT);
        assert_string_equal(problem.where, "then");
        assert_int_equal(funnel_check(
                             &(struct funnel_question){
                                 .steps = steps, .steps_count = 2, .within_ms = 1, .to_ms = 1 },
                             &problem),
                         ERR_INPUT);
        assert_string_equal(problem.where, "steps");
    }
    asker_close(&a);
}

TEST(report, periods_ascend_and_are_neither_none_nor_too_many)
{
    static int64_t at_ms[REPORT_PERIODS_MAX + 3];
    struct problem problem;
    for (int i = 0; i < REPORT_PERIODS_MAX + 3; i++)
        at_ms[i] = i;
    assert_ok(report_periods_check((struct report_periods){ at_ms, REPORT_PERIODS_MAX }, &problem));
    assert_int_equal(report_periods_check((struct report_periods){ at_ms, 0 }, &problem),
                     ERR_INPUT);
    assert_int_equal(
        report_periods_check((struct report_periods){ at_ms, REPORT_PERIODS_MAX + 1 }, &problem),
        ERR_LIMIT);
    struct growth_question growth = { .at_ms = at_ms, .count = REPORT_PERIODS_MAX + 1 };
    assert_ok(growth_check(&growth, &problem));
    growth.count++;
    assert_int_equal(growth_check(&growth, &problem), ERR_LIMIT);
    growth.count = 0;
    assert_int_equal(growth_check(&growth, &problem), ERR_INPUT);
    at_ms[2] = at_ms[1];
    growth.count = 4;
    assert_int_equal(growth_check(&growth, &problem), ERR_INPUT);
    assert_int_equal(report_periods_check((struct report_periods){ at_ms, 4 }, &problem),
                     ERR_INPUT);
    assert_non_null(strstr(problem.what, "period 2"));
}

TEST(report, a_question_that_cannot_be_answered_is_refused_with_its_place)
{
    struct asker                  a = asker_open();
    struct segment_program        good = compiled(&a, "did \"A\""), steps[] = { good, good };
    const struct segment_program *stages[] = { &good };
    struct problem                problem;
    struct funnel_question        funnel = {
               .steps = steps, .steps_count = 2, .within_ms = 1, .from_ms = 0, .to_ms = 1
    };
    struct stays_question  stays = { .stages = stages, .count = 1, .from_ms = 0, .to_ms = 1 };
    struct spread_question spread = { .first = &good, .then = &good, .from_ms = 1, .to_ms = 1 };
    assert_ok(funnel_check(&funnel, &problem));
    funnel.to_ms = 0;
    assert_int_equal(funnel_check(&funnel, &problem), ERR_INPUT);
    assert_string_equal(problem.where, "to");
    funnel.within_ms = 0;
    assert_int_equal(funnel_check(&funnel, &problem), ERR_INPUT);
    assert_string_equal(problem.where, "within");
    funnel.within_ms = SEGMENT_LENGTH_MS_MAX + 1;
    assert_int_equal(funnel_check(&funnel, &problem), ERR_INPUT);
    funnel.steps_count = 1;
    assert_int_equal(funnel_check(&funnel, &problem), ERR_INPUT);
    funnel.steps_count = REPORT_STEPS_MAX + 1;
    assert_int_equal(funnel_check(&funnel, &problem), ERR_LIMIT);
    assert_int_equal(spread_check(&spread, &problem), ERR_INPUT);
    assert_ok(stays_check(&stays, &problem));
    stays.to_ms = 0;
    assert_int_equal(stays_check(&stays, &problem), ERR_INPUT);
    stays.by.of = GROUPS_OF_PROPERTY;
    assert_int_equal(stays_check(&stays, &problem), ERR_INPUT);
    assert_string_equal(problem.where, "by");
    stays.count = STAYS_STAGES_MAX + 1;
    assert_int_equal(stays_check(&stays, &problem), ERR_LIMIT);
    stays.count = 0;
    assert_int_equal(stays_check(&stays, &problem), ERR_INPUT);
    asker_close(&a);
}

TEST(report, the_parts_of_any_number_of_profiles_are_all_of_them_once)
{
    uint64_t bits[4] = { ~UINT64_C(0), 0, 1, 1 };
    for (uint32_t profiles = 0; profiles < 300; profiles++) {
        struct view   view = { .profiles = profiles };
        struct report report = { .view = &view };
        for (uint32_t parts = 1; parts < 6; parts++) {
            uint32_t at = 0;
            for (uint32_t i = 0; i < parts; i++) {
                struct report_range part = report_part(&report, i, parts);
                assert_true(part.from == at && part.to >= part.from);
                at = part.to;
            }
            assert_int_equal(at, profiles);
        }
    }
    assert_int_equal(report_bits_count(bits, (struct report_range){ 0, 256 }), 66);
    assert_int_equal(report_bits_count(bits, (struct report_range){ 64, 192 }), 1);
    assert_int_equal(report_bits_count(bits, (struct report_range){ 64, 64 }), 0);
}
