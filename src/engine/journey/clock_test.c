/* Journeys that begin by a date of the person, by a schedule, by a stage; and whom they are for. */
#include <stdio.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"
#include "engine/journey/entering.h"

#define END "\"nodes\":[{\"id\":\"x\",\"exit\":true}]}"
#define EAST ",\"timezone\":\"Far/East\"" /* 14:00 when the tests begin, at midnight */

static void journey(struct world *w, const char *members)
{
    struct str text = str_format(w->arena, "{\"journey\":\"j\",%s}", members);
    if (engine_world_define(w, DEFINE_JOURNEY, "j", text.ptr) != OK)
        fail_msg("%s: %s %s", w->problem.where, w->problem.what, w->problem.remedy);
    engine_world_tick(w, 0);
}

static void begins(struct world *w, const char *members)
{
    journey(w, str_format(w->arena, "%s,\"nodes\":[{\"id\":\"x\",\"exit\":true}]", members).ptr);
}

static void refused(struct world *w, const char *members, const char *where)
{
    struct str text = str_format(w->arena, "{\"journey\":\"no\",%s," END, members);
    assert_true(engine_world_define(w, DEFINE_JOURNEY, "no", text.ptr) != OK);
    assert_string_equal(w->problem.where, where);
}

static void person(struct world *w, const char *who, const char *traits)
{
    struct json told;
    assert_ok(json_parse_once(w->arena, str_of(traits), &told, NULL));
    assert_ok(engine_world_tell(
        w,
        (struct record){ .kind = RECORD_IDENTIFY, .user_id = str_of(who), .properties = &told }));
}

/* How often they came in, and (unless 0) when it was last. */
static void expect_in(const struct world *w, const char *who, uint32_t wanted, int64_t wanted_ms)
{
    uint32_t count = 0, profile = engine_find(w->engine, str_of(who));
    int64_t  at_ms = 0;
    for (size_t i = 0; i < w->out.decisions_count; i++)
        if (w->out.decisions[i].kind == DECISION_ENROLLED &&
            w->out.decisions[i].profile == profile) {
            at_ms = w->out.decisions[i].at_ms;
            count++;
        }
    assert_int_equal(count, wanted);
    if (count > 0 && wanted_ms != 0)
        assert_int_equal(at_ms, wanted_ms);
}

static struct str refusal_last(const struct world *w)
{
    for (size_t i = w->out.decisions_count; i > 0; i--)
        if (w->out.decisions[i - 1].kind == DECISION_NOT_ENROLLED)
            return w->out.decisions[i - 1].text;
    return STR_NONE;
}

TEST(clock, a_date_of_the_person_begins_at_the_instant_by_their_clock_and_once)
{
    struct world w = engine_world_open();
    begins(&w, "\"trigger\":{\"date\":\"3 days before trial_ends at 09:00\"}");
    person(&w, "ada", "{\"trial_ends\":\"2026-01-10\"}");
    person(&w, "eve", "{\"trial_ends\":\"2026-01-10\"" EAST "}");
    person(&w, "bob", "{\"trial_ends\":\"2026-01-02\"}"); /* 3 days before is past */
    person(&w, "cy", "{\"plan\":\"pro\"}");
    engine_world_tick(&w, 6 * TIME_DAY_MS - 5 * TIME_HOUR_MS - 1);
    expect_in(&w, "eve", 0, 0);
    engine_world_tick(&w, 1);
    expect_in(&w, "eve", 1, T0 + 6 * TIME_DAY_MS - 5 * TIME_HOUR_MS);
    engine_world_tick(&w, 14 * TIME_HOUR_MS - 1);
    expect_in(&w, "ada", 0, 0);
    engine_world_tick(&w, 20 * TIME_DAY_MS);
    expect_in(&w, "ada", 1, T0 + 6 * TIME_DAY_MS + 9 * TIME_HOUR_MS);
    expect_in(&w, "eve", 1, 0);
    expect_in(&w, "bob", 0, 0);
    expect_in(&w, "cy", 0, 0);
    engine_world_close(&w);
}

TEST(clock, a_changed_date_or_zone_is_heard_and_one_that_is_taken_away_begins_nothing)
{
    struct world w = engine_world_open();
    begins(&w, "\"trigger\":{\"date\":\"trial_ends\"},\"reentry\":\"always\"");
    person(&w, "ada", "{\"trial_ends\":\"2026-01-03\"}");
    person(&w, "bob", "{\"trial_ends\":\"2026-01-03\"}");
    person(&w, "eve", "{\"trial_ends\":\"2026-01-03\"}");
    engine_world_tick(&w, TIME_DAY_MS);
    person(&w, "ada", "{\"trial_ends\":\"2026-01-05T12:00:00Z\"}");
    person(&w, "bob", "{\"trial_ends\":null}");
    person(&w, "eve", "{\"timezone\":\"Far/East\"}"); /* the day begins 14 hours before */
    engine_world_tick(&w, 10 * TIME_DAY_MS);
    expect_in(&w, "ada", 1, T0 + 4 * TIME_DAY_MS + 12 * TIME_HOUR_MS);
    expect_in(&w, "bob", 0, 0);
    expect_in(&w, "eve", 1, T0 + 2 * TIME_DAY_MS - 14 * TIME_HOUR_MS);
    person(&w, "ada", "{\"trial_ends\":\"2026-01-20\"}");
    engine_world_tick(&w, 20 * TIME_DAY_MS);
    expect_in(&w, "ada", 2, T0 + 19 * TIME_DAY_MS);
    engine_world_close(&w);
}

TEST(clock, an_anniversary_comes_each_year_and_of_a_leap_day_on_the_28th)
{
    struct world w = engine_world_open();
    begins(&w, "\"trigger\":{\"date\":\"anniversary of birthday at 09:00\"}");
    person(&w, "ada", "{\"birthday\":\"1990-02-10\"}");
    person(&w, "bob", "{\"birthday\":\"2000-02-29\"}");
    engine_world_tick(&w, 90 * TIME_DAY_MS);
    expect_in(&w, "ada", 1, T0 + 40 * TIME_DAY_MS + 9 * TIME_HOUR_MS);
    expect_in(&w, "bob", 1, T0 + 58 * TIME_DAY_MS + 9 * TIME_HOUR_MS);
    engine_world_tick(&w, 3 * 366 * TIME_DAY_MS);
    expect_in(&w, "ada", 4, 0);
    engine_world_close(&w);
}

TEST(clock, old_dates_begin_nothing_at_the_launch_and_coming_ones_do)
{
    struct world w = engine_world_open();
    person(&w, "ada", "{\"trial_ends\":\"2025-12-30\"}");
    person(&w, "bob", "{\"trial_ends\":\"2026-01-04\"}");
    engine_world_tick(&w, TIME_DAY_MS);
    begins(&w, "\"trigger\":{\"date\":\"trial_ends\"}");
    engine_world_tick(&w, 5 * TIME_DAY_MS);
    expect_in(&w, "ada", 0, 0);
    expect_in(&w, "bob", 1, T0 + 3 * TIME_DAY_MS);
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "j", ""));
    person(&w, "ada", "{\"trial_ends\":\"2026-01-20\"}");
    engine_world_tick(&w, 20 * TIME_DAY_MS);
    expect_in(&w, "ada", 0, 0);
    engine_world_close(&w);
}

TEST(clock, a_schedule_lets_in_those_of_the_segment_each_time_by_their_clock)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "leads", "plan = \"free\""));
    person(&w, "ada", "{\"plan\":\"free\"}");
    begins(&w, "\"trigger\":{\"schedule\":\"monday 10:00\",\"segment\":\"leads\"}");
    person(&w, "eve", "{\"plan\":\"free\"" EAST "}");
    person(&w, "cy", "{\"plan\":\"pro\"}");
    assert_ok(engine_world_tell(
        &w, (struct record){ .kind = RECORD_TRACK, .user_id = STR("dee"), .name = STR("Came") }));
    engine_world_tick(&w, 5 * TIME_DAY_MS); /* from a Thursday: Monday is the 5th */
    expect_in(&w, "ada", 1, T0 + 4 * TIME_DAY_MS + 10 * TIME_HOUR_MS);
    expect_in(&w, "eve", 1, T0 + 4 * TIME_DAY_MS - 4 * TIME_HOUR_MS);
    person(&w, "ada", "{\"plan\":\"pro\"}");
    person(&w, "dee", "{\"plan\":\"free\"}");
    engine_world_tick(&w, 14 * TIME_DAY_MS);
    expect_in(&w, "ada", 1, 0);
    expect_in(&w, "eve", 3, 0);
    expect_in(&w, "dee", 2, 0);
    expect_in(&w, "cy", 0, 0);
    assert_str(refusal_last(&w), ""); /* nothing is said of whom it is not for */
    assert_int_equal(engine_world_define(&w, DEFINE_SEGMENT, "leads", ""), ERR_CONFLICT);
    engine_world_close(&w);
}

TEST(clock, a_schedule_by_the_workspaces_clock_is_one_instant_for_all_of_the_audience)
{
    struct world w = engine_world_open();
    begins(&w, "\"trigger\":{\"schedule\":\"10:00\",\"zone\":\"workspace\"},"
               "\"audience\":\"plan = \\\"free\\\"\"");
    person(&w, "ada", "{\"plan\":\"free\"}");
    person(&w, "eve", "{\"plan\":\"free\"" EAST "}");
    person(&w, "cy", "{\"plan\":\"pro\"}");
    engine_world_tick(&w, TIME_DAY_MS);
    expect_in(&w, "ada", 1, T0 + 10 * TIME_HOUR_MS);
    expect_in(&w, "eve", 1, T0 + 10 * TIME_HOUR_MS);
    expect_in(&w, "cy", 0, 0);
    engine_world_close(&w);
}

#define STAGES(days)                                                                               \
    "{\"stages\":[{\"name\":\"visitor\",\"when\":\"everyone\"},{\"name\":\"customer\","            \
    "\"when\":\"did \\\"Order Completed\\\" in the last " days "\"}]}"

TEST(clock, a_stage_is_come_into_and_left_like_a_segment)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_STAGES, "stages", STAGES("30 days")));
    engine_world_order(&w, "old", 1);
    begins(&w, "\"trigger\":{\"stage\":\"customer\"},\"reentry\":\"always\"");
    engine_world_tick(&w, 0);
    expect_in(&w, "old", 0, 0); /* inside before the launch */
    engine_world_order(&w, "ada", 1);
    expect_in(&w, "ada", 1, T0);
    begins(&w, "\"trigger\":{\"left_stage\":\"customer\"},\"reentry\":\"always\"");
    engine_world_tick(&w, 29 * TIME_DAY_MS);
    expect_in(&w, "ada", 1, T0);
    engine_world_tick(&w, 2 * TIME_DAY_MS);
    expect_in(&w, "ada", 2, T0 + 30 * TIME_DAY_MS);
    assert_int_equal(engine_world_define(&w, DEFINE_STAGES, "stages",
                                         "{\"stages\":[{\"name\":\"a\",\"when\":\"everyone\"}]}"),
                     ERR_CONFLICT);
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "j", ""));
    assert_ok(engine_world_define(&w, DEFINE_STAGES, "stages",
                                  "{\"stages\":[{\"name\":\"a\",\"when\":\"everyone\"}]}"));
    engine_world_close(&w);
}

TEST(clock, a_new_rule_of_a_stage_lets_nobody_in_and_what_follows_by_it_does)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_STAGES, "stages", STAGES("1 day")));
    begins(&w, "\"trigger\":{\"stage\":\"customer\"},\"reentry\":\"always\"");
    engine_world_order(&w, "ada", 1);
    engine_world_tick(&w, 2 * TIME_DAY_MS);
    assert_ok(engine_world_define(&w, DEFINE_STAGES, "stages", STAGES("30 days")));
    engine_world_tick(&w, 0);
    expect_in(&w, "ada", 1, T0);
    engine_world_order(&w, "bob", 1);
    expect_in(&w, "bob", 1, T0 + 2 * TIME_DAY_MS);
    engine_world_close(&w);
}

TEST(clock, who_is_not_in_the_audience_is_turned_away_with_the_reason)
{
    struct world w = engine_world_open();
    begins(&w, "\"trigger\":{\"event\":\"Order Completed\"},\"reentry\":\"always\","
               "\"audience\":\"plan = \\\"free\\\"\"");
    engine_world_order(&w, "ada", 1);
    assert_str(refusal_last(&w), "is not in the audience");
    person(&w, "ada", "{\"plan\":\"free\"}");
    engine_world_order(&w, "ada", 1);
    expect_in(&w, "ada", 1, T0);
    engine_world_close(&w);
}

TEST(clock, an_audience_at_each_step_is_left_at_the_next_one)
{
    struct world           w = engine_world_open();
    const struct decision *last = NULL;
    journey(&w, "\"trigger\":{\"event\":\"Order Completed\"},\"audience\":\"plan = \\\"free\\\"\","
                "\"audience_at\":\"each step\",\"nodes\":[{\"id\":\"a\",\"wait\":\"1 day\"},"
                "{\"id\":\"b\",\"wait\":\"1 day\"}]");
    person(&w, "ada", "{\"plan\":\"free\"}");
    engine_world_order(&w, "ada", 1);
    person(&w, "ada", "{\"plan\":\"pro\"}");
    assert_true(engine_world_holds(&w, "in journey \"j\"", "ada", w.now_ms));
    engine_world_tick(&w, TIME_DAY_MS);
    assert_false(engine_world_holds(&w, "in journey \"j\"", "ada", w.now_ms));
    for (size_t i = 0; i < w.out.decisions_count; i++)
        if (w.out.decisions[i].kind == DECISION_ENDED)
            last = &w.out.decisions[i];
    assert_non_null(last);
    assert_str(last->text, "is no longer in the audience");
    engine_world_close(&w);
}

static void expect_told(struct world *w, const char *who, const char *wanted)
{
    SCOPED(buf_donep) struct buf text = buf_make(1 << 16);
    entering_write(w->engine, engine_find(w->engine, str_of(who)),
                   program_journey(engine_program(w->engine), STR("j")), &text);
    if (str_find(buf_view(&text), 0, str_of(wanted)) == text.len)
        fail_msg("%.*s", STR_ARG(buf_view(&text)));
}

TEST(clock, it_is_told_when_the_calendar_comes_next_and_for_whom_it_does_not)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "leads", "plan = \"free\""));
    person(&w, "ada", "{\"plan\":\"free\",\"trial_ends\":\"2026-01-05\"}");
    person(&w, "eve", "{\"plan\":\"free\"" EAST "}");
    person(&w, "cy", "{\"plan\":\"pro\",\"trial_ends\":\"2025-01-05\"}");
    begins(&w, "\"trigger\":{\"schedule\":\"monday 10:00\",\"segment\":\"leads\"}");
    expect_told(&w, "ada", "\"next\":\"2026-01-05T10:00:00.000Z\"");
    expect_told(&w, "ada", "\"enters\":true");
    expect_told(&w, "eve", "\"next_local\":\"2026-01-05 10:00\"");
    expect_told(&w, "cy", "\"why_not\":\"is not in the segment that it is for\"");
    begins(&w, "\"trigger\":{\"date\":\"trial_ends\"}");
    expect_told(&w, "ada", "\"next\":\"2026-01-05T00:00:00.000Z\"");
    expect_told(&w, "eve", "\"why_not\":\"has no such date to come\"");
    expect_told(&w, "cy", "\"why_not\":\"has no such date to come\"");
    engine_world_close(&w);
}

TEST(clock, what_means_nothing_is_refused_with_its_place)
{
    struct world w = engine_world_open();
    refused(&w, "\"trigger\":{\"date\":\"monday 10:00\"}", "trigger.date");
    refused(&w, "\"trigger\":{\"date\":\"3 days after entry\"}", "trigger.date");
    refused(&w, "\"trigger\":{\"date\":\"3 daze before trial_ends\"}", "trigger.date");
    refused(&w, "\"trigger\":{\"schedule\":\"trial_ends\"}", "trigger.schedule");
    refused(&w, "\"trigger\":{\"schedule\":\"best hour\",\"segment\":\"x\"}", "trigger.schedule");
    refused(&w, "\"trigger\":{\"schedule\":\"10:00\"}", "trigger");
    refused(&w, "\"trigger\":{\"schedule\":\"10:00\",\"zone\":\"Oslo\"}", "trigger.zone");
    refused(&w, "\"trigger\":{\"date\":\"trial_ends\",\"segment\":\"x\"}", "trigger");
    refused(&w, "\"trigger\":{\"stage\":\"none\"}", "trigger");
    refused(&w, "\"trigger\":{\"event\":\"A\"},\"audience_at\":\"each step\"", "audience_at");
    refused(&w, "\"trigger\":{\"event\":\"A\"},\"audience\":\"everyone\",\"audience_at\":\"x\"",
            "audience_at");
    assert_int_equal(engine_world_define(&w, DEFINE_SEGMENT, "$clock.j", "everyone"), ERR_INPUT);
    engine_world_close(&w);
}
