/* A journey that stands still, and one that is launched for those already inside, by example. */
#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"

#define WAIT "\"nodes\":[{\"id\":\"w\",\"wait\":\"2 days\"},{\"id\":\"v\",\"wait\":\"1 day\"}]}"

static struct world world_of(const char *trigger)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_WORKSPACE, "workspace", "{\"lists\":[\"news\"]}"));
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "buyers", "did \"Order Completed\""));
    assert_ok(engine_world_define(
        &w, DEFINE_STAGES, "stages",
        "{\"stages\":[{\"name\":\"customer\",\"when\":\"did \\\"Order Completed\\\"\"}]}"));
    if (trigger != NULL)
        assert_ok(engine_world_define(
            &w, DEFINE_JOURNEY, "j",
            str_format(w.arena, "{\"journey\":\"j\",\"trigger\":{%s}," WAIT, trigger).ptr));
    engine_world_tick(&w, 0);
    return w;
}

static void say(struct world *w, const char *state)
{
    assert_ok(engine_world_define(
        w, DEFINE_JOURNEY_STATE, "j",
        str_format(w->arena, "{\"state\":\"%s\",\"at\":%lld}", state, (long long)w->now_ms).ptr));
    engine_world_tick(w, 0);
}

static const struct decision *last_of(const struct world *w, enum decision_kind kind)
{
    for (size_t i = w->out.decisions_count; i > 0; i--)
        if (w->out.decisions[i - 1].kind == kind)
            return &w->out.decisions[i - 1];
    return NULL;
}

static uint32_t count_of(const struct world *w, enum decision_kind kind)
{
    uint32_t count = 0;
    for (size_t i = 0; i < w->out.decisions_count; i++)
        count += w->out.decisions[i].kind == kind;
    return count;
}

TEST(standstill, paused_nobody_comes_in_or_goes_on_and_what_ended_meanwhile_goes_on_at_resume)
{
    struct world w = world_of("\"event\":\"Order Completed\"");
    engine_world_order(&w, "ada", 1);
    engine_world_tick(&w, TIME_DAY_MS);
    say(&w, "paused");
    engine_world_order(&w, "bob", 1);
    assert_str(last_of(&w, DECISION_NOT_ENROLLED)->text, "the journey is paused");
    engine_world_tick(&w, 5 * TIME_DAY_MS);
    assert_int_equal(count_of(&w, DECISION_STEP), 1);
    say(&w, "running");
    assert_int_equal(count_of(&w, DECISION_STEP), 2);
    assert_int_equal(last_of(&w, DECISION_STEP)->at_ms, T0 + 6 * TIME_DAY_MS);
    assert_int_equal(last_of(&w, DECISION_STEP)->due_ms, T0 + 7 * TIME_DAY_MS);
    engine_world_tick(&w, TIME_DAY_MS);
    assert_str(last_of(&w, DECISION_ENDED)->text, "finished");
    engine_world_order(&w, "cy", 1);
    assert_int_equal(count_of(&w, DECISION_ENROLLED), 2);
    engine_world_close(&w);
}

TEST(standstill, a_wait_that_is_not_over_at_resume_is_as_long_as_it_was)
{
    struct world w = world_of("\"event\":\"Order Completed\"");
    engine_world_order(&w, "ada", 1);
    say(&w, "paused");
    engine_world_tick(&w, TIME_DAY_MS);
    say(&w, "running");
    assert_int_equal(count_of(&w, DECISION_STEP), 1);
    engine_world_tick(&w, TIME_DAY_MS);
    assert_int_equal(count_of(&w, DECISION_STEP), 2);
    assert_int_equal(last_of(&w, DECISION_STEP)->at_ms, T0 + 2 * TIME_DAY_MS);
    engine_world_close(&w);
}

TEST(standstill, stopped_it_is_left_by_everybody_with_the_reason)
{
    struct world w = world_of("\"event\":\"Order Completed\"");
    engine_world_order(&w, "ada", 1);
    engine_world_order(&w, "bob", 1);
    say(&w, "stopped");
    assert_int_equal(count_of(&w, DECISION_ENDED), 2);
    assert_str(last_of(&w, DECISION_ENDED)->text, "the journey was stopped");
    engine_world_order(&w, "cy", 1);
    assert_str(last_of(&w, DECISION_NOT_ENROLLED)->text, "the journey is stopped");
    assert_int_equal(
        engine_world_define(&w, DEFINE_JOURNEY_STATE, "none", "{\"state\":\"paused\",\"at\":1}"),
        ERR_ABSENT);
    assert_int_equal(engine_world_define(&w, DEFINE_JOURNEY_STATE, "j", "{\"state\":\"gone\"}"),
                     ERR_INPUT);
    engine_world_close(&w);
}

static void launch(struct world *w, const char *trigger)
{
    struct str text = str_format(w->arena,
                                 "{\"journey\":\"j\",\"trigger\":{%s},\"reentry\":\"always\","
                                 "\"nodes\":[{\"id\":\"x\",\"exit\":true}]}",
                                 trigger);
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_DEFINE,
                                                    .flags = RECORD_LAUNCH,
                                                    .definition_kind = DEFINE_JOURNEY,
                                                    .name = STR("j"),
                                                    .body = text }));
}

TEST(standstill, a_launch_lets_in_once_who_is_inside_the_segment_the_stage_or_the_list)
{
    static const char *const triggers[] = { "\"segment\":\"buyers\"", "\"stage\":\"customer\"",
                                            "\"list\":\"news\"" };
    for (size_t i = 0; i < sizeof triggers / sizeof triggers[0]; i++) {
        struct world w = world_of(NULL);
        engine_world_order(&w, "ada", 1);
        assert_ok(engine_world_tell(
            &w,
            (struct record){ .kind = RECORD_LIST, .user_id = STR("ada"), .name = STR("news") }));
        assert_ok(engine_world_tell(
            &w,
            (struct record){ .kind = RECORD_TRACK, .user_id = STR("bob"), .name = STR("Came") }));
        launch(&w, triggers[i]);
        engine_world_order(&w, "ada", 1); /* before the job has come to her */
        engine_world_tick(&w, 0);
        engine_world_tick(&w, TIME_DAY_MS);
        assert_int_equal(count_of(&w, DECISION_ENROLLED), 1);
        assert_str(last_of(&w, DECISION_ENROLLED)->text, "inside at the launch");
        engine_world_close(&w);
    }
}

TEST(standstill, a_launch_waits_while_the_journey_is_paused_and_goes_on_by_what_is_published_since)
{
    for (int paused = 0; paused < 2; paused++) {
        struct world w = world_of(NULL);
        engine_world_order(&w, "ada", 1);
        launch(&w, "\"segment\":\"buyers\"");
        if (paused) {
            say(&w, "paused");
            engine_world_tick(&w, TIME_DAY_MS);
            assert_int_equal(count_of(&w, DECISION_NOT_ENROLLED), 0);
            say(&w, "running");
        } else {
            assert_ok(engine_world_define(
                &w, DEFINE_JOURNEY, "j",
                "{\"journey\":\"j\",\"trigger\":{\"segment\":\"buyers\"}," WAIT));
        }
        engine_world_tick(&w, TIME_DAY_MS);
        assert_int_equal(count_of(&w, DECISION_ENROLLED), 1);
        assert_str(last_of(&w, DECISION_ENROLLED)->text, "inside at the launch");
        engine_world_close(&w);
    }
}
