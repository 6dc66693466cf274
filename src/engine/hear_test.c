/* An event is told to the segments that it may turn, and to no others: what must not be missed. */
#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"

static void did(struct world *w, const char *name, int64_t at_ms)
{
    struct record record = {
        .kind = RECORD_TRACK, .user_id = STR("ada"), .name = str_of(name), .at_ms = at_ms
    };
    assert_ok(engine_world_tell(w, record));
}

static void identify(struct world *w, const char *traits)
{
    struct arena *arena = arena_open(4096);
    struct json   value;
    assert_ok(json_parse_once(arena, str_of(traits), &value, NULL));
    assert_ok(engine_world_tell(
        w,
        (struct record){ .kind = RECORD_IDENTIFY, .user_id = STR("ada"), .properties = &value }));
    arena_close(arena);
}

static struct world world_with(const char *condition)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "it", condition));
    did(&w, "Came", 0);
    return w;
}

TEST(hear, who_is_kept_out_by_another_condition_enters_at_the_instant_at_which_that_ends)
{
    struct world w = world_with("did \"A\" and never did \"B\" in the last 3 days");
    did(&w, "B", 0);
    engine_world_tick(&w, TIME_DAY_MS);
    did(&w, "A", 0);
    engine_world_tick(&w, 2 * TIME_DAY_MS - 1);
    assert_false(engine_world_is_in(&w, "it", "ada"));
    engine_world_tick(&w, 1);
    assert_true(engine_world_is_in(&w, "it", "ada"));
    engine_world_close(&w);
}

TEST(hear, two_conditions_that_one_event_turns_do_not_vouch_for_each_other)
{
    struct world w = world_with("never did \"A\" and never did \"A\" in the last 3 days");
    assert_true(engine_world_is_in(&w, "it", "ada"));
    did(&w, "A", 0);
    assert_false(engine_world_is_in(&w, "it", "ada"));
    engine_world_close(&w);
}

TEST(hear, what_waits_for_no_answer_holds_when_its_time_is_over)
{
    struct world w = world_with("did \"A\" then no \"B\" within 1 hour");
    did(&w, "A", 0);
    did(&w, "B", 0);
    engine_world_tick(&w, TIME_HOUR_MS / 2);
    did(&w, "A", 0);
    engine_world_tick(&w, TIME_HOUR_MS - 1);
    assert_false(engine_world_is_in(&w, "it", "ada"));
    engine_world_tick(&w, 1);
    assert_true(engine_world_is_in(&w, "it", "ada"));
    engine_world_close(&w);
}

TEST(hear, a_sum_that_nobody_waited_for_is_right_when_somebody_does)
{
    struct world w =
        world_with("did \"A\" and sum of amount of \"Order Completed\" in the last 10 days > 50");
    engine_world_order(&w, "ada", 20);
    engine_world_tick(&w, TIME_DAY_MS);
    did(&w, "A", 0);
    engine_world_order(&w, "ada", 20); /* the first that is added up */
    engine_world_tick(&w, 9 * TIME_DAY_MS);
    engine_world_order(&w, "ada", 30); /* the 20 of the first day have left */
    assert_false(engine_world_is_in(&w, "it", "ada"));
    engine_world_order(&w, "ada", 1);
    assert_true(engine_world_is_in(&w, "it", "ada"));
    engine_world_order(&w, "ada", -5);
    assert_false(engine_world_is_in(&w, "it", "ada"));
    engine_world_close(&w);
}

TEST(hear, two_traits_told_at_once_do_not_vouch_for_each_other)
{
    struct world w = world_with("plan = \"pro\" and city = \"Oslo\"");
    identify(&w, "{\"plan\":\"pro\",\"city\":\"Oslo\"}");
    assert_true(engine_world_is_in(&w, "it", "ada"));
    identify(&w, "{\"plan\":\"free\",\"city\":\"Bergen\"}");
    assert_false(engine_world_is_in(&w, "it", "ada"));
    engine_world_close(&w);
}

TEST(hear, a_changed_trait_is_kept_out_only_as_long_as_something_else_keeps_it_out)
{
    struct world w = world_with("plan = \"pro\" and never did \"B\" in the last 3 days");
    did(&w, "B", 0);
    engine_world_tick(&w, TIME_DAY_MS);
    identify(&w, "{\"plan\":\"pro\"}");
    engine_world_tick(&w, 2 * TIME_DAY_MS - 1);
    assert_false(engine_world_is_in(&w, "it", "ada"));
    engine_world_tick(&w, 1);
    assert_true(engine_world_is_in(&w, "it", "ada"));
    engine_world_close(&w);
}

TEST(hear, who_never_did_a_thing_is_kept_out_by_it_until_they_do)
{
    struct world w = world_with("did \"A\" and not (plan = \"pro\" or not reached step 2 of "
                                "(\"Order Completed\", \"B\") within 1 day)");
    did(&w, "A", 0);
    assert_false(engine_world_is_in(&w, "it", "ada"));
    engine_world_order(&w, "ada", 20);
    did(&w, "B", 0);
    assert_true(engine_world_is_in(&w, "it", "ada"));
    engine_world_close(&w);
}
