/* Computed traits in an engine: in force by their name, from the moment they are defined. */
#include <stdlib.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"

static struct world shop(void)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_TRAIT, "spent",
                                  "sum of amount of \"Order Completed\" in the last 30 days"));
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "rich", "spent > 100"));
    return w;
}

TEST(computed, a_segment_turns_at_the_very_order_and_at_the_very_instant_it_has_aged)
{
    struct world w = shop();
    engine_world_order(&w, "ada", 60);
    assert_false(engine_world_is_in(&w, "rich", "ada"));
    w.now_ms += TIME_DAY_MS;
    engine_world_order(&w, "ada", 60);
    assert_true(engine_world_is_in(&w, "rich", "ada"));
    engine_world_tick(&w, 29 * TIME_DAY_MS - 1);
    assert_true(engine_world_is_in(&w, "rich", "ada"));
    engine_world_tick(&w, 1);
    assert_false(engine_world_is_in(&w, "rich", "ada"));
    engine_world_close(&w);
}

TEST(computed, a_late_order_counts_from_when_it_happened)
{
    struct world w = shop();
    w.now_ms += 10 * TIME_DAY_MS;
    engine_world_order(&w, "ada", 60);
    engine_world_order_at(&w, "ada", "{\"amount\":60}", T0 + TIME_DAY_MS);
    assert_true(engine_world_is_in(&w, "rich", "ada"));
    engine_world_tick(&w, 21 * TIME_DAY_MS - 1);
    assert_true(engine_world_is_in(&w, "rich", "ada"));
    engine_world_tick(&w, 1);
    assert_false(engine_world_is_in(&w, "rich", "ada"));
    engine_world_close(&w);
}

TEST(computed, two_who_are_one_have_spent_the_sum_of_both)
{
    struct world w = shop();
    engine_world_order(&w, "ada", 60);
    engine_world_order(&w, "bob", 60);
    assert_ok(engine_world_tell(
        &w,
        (struct record){ .kind = RECORD_ALIAS, .user_id = STR("ada"), .previous_id = STR("bob") }));
    assert_true(engine_world_is_in(&w, "rich", "ada"));
    engine_world_close(&w);
}

TEST(computed, what_was_told_under_its_name_does_not_count)
{
    struct world w = shop();
    struct json  traits;
    assert_ok(json_parse_once(w.arena, STR("{\"spent\":5000}"), &traits, NULL));
    assert_ok(engine_world_tell(
        &w,
        (struct record){ .kind = RECORD_IDENTIFY, .user_id = STR("ada"), .properties = &traits }));
    assert_false(engine_world_is_in(&w, "rich", "ada"));
    assert_true(engine_world_holds(&w, "spent = 0", "ada", w.now_ms));
    engine_world_close(&w);
}

TEST(computed, a_trait_that_was_told_is_reckoned_once_it_is_defined)
{
    struct world w = engine_world_open();
    struct json  traits;
    assert_ok(json_parse_once(w.arena, STR("{\"spent\":5000}"), &traits, NULL));
    assert_ok(engine_world_tell(
        &w,
        (struct record){ .kind = RECORD_IDENTIFY, .user_id = STR("ada"), .properties = &traits }));
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "rich", "spent > 100"));
    engine_world_tick(&w, 1);
    assert_true(engine_world_is_in(&w, "rich", "ada"));
    assert_ok(
        engine_world_define(&w, DEFINE_TRAIT, "spent", "sum of amount of \"Order Completed\""));
    engine_world_tick(&w, 1);
    assert_false(engine_world_is_in(&w, "rich", "ada"));
    engine_world_close(&w);
}

TEST(computed, a_new_definition_moves_the_members_of_what_names_it_also_far_off)
{
    struct world w = shop();
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "guests", "in segment \"rich\""));
    engine_world_order(&w, "ada", 60);
    engine_world_order(&w, "ada", 60);
    engine_world_order(&w, "bob", 60);
    assert_true(engine_world_is_in(&w, "guests", "ada"));
    assert_ok(
        engine_world_define(&w, DEFINE_TRAIT, "spent", "least of amount of \"Order Completed\""));
    engine_world_tick(&w, 1);
    assert_false(engine_world_is_in(&w, "rich", "ada"));
    assert_false(engine_world_is_in(&w, "guests", "ada"));
    engine_world_order(&w, "bob", 200);
    assert_false(engine_world_is_in(&w, "rich", "bob"));
    assert_ok(engine_world_define(&w, DEFINE_TRAIT, "spent",
                                  "greatest of amount of \"Order Completed\""));
    engine_world_tick(&w, 1);
    assert_false(engine_world_is_in(&w, "rich", "ada"));
    assert_true(engine_world_is_in(&w, "rich", "bob"));
    assert_true(engine_world_is_in(&w, "guests", "bob"));
    engine_world_close(&w);
}

static const char journey[] = "{\"journey\":\"thanks\",\"trigger\":{\"event\":\"Signed Up\"},"
                              "\"exit_when\":\"spent > 100\","
                              "\"nodes\":[{\"id\":\"pause\",\"wait\":\"300 days\"}]}";

TEST(computed, a_new_definition_ends_the_journeys_whose_exit_holds_by_it)
{
    struct world w = shop();
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "thanks", journey));
    engine_world_order(&w, "ada", 60);
    engine_world_order(&w, "ada", 30);
    assert_ok(engine_world_tell(
        &w,
        (struct record){ .kind = RECORD_TRACK, .user_id = STR("ada"), .name = STR("Signed Up") }));
    assert_true(engine_world_holds(&w, "in journey \"thanks\"", "ada", w.now_ms));
    engine_world_tick(&w, TIME_HOUR_MS);
    assert_true(engine_world_holds(&w, "in journey \"thanks\"", "ada", w.now_ms));
    assert_ok(engine_world_define(&w, DEFINE_TRAIT, "spent",
                                  "count of \"Order Completed\" where amount > 1000000"));
    engine_world_tick(&w, TIME_HOUR_MS);
    assert_true(engine_world_holds(&w, "in journey \"thanks\"", "ada", w.now_ms));
    assert_ok(engine_world_define(&w, DEFINE_TRAIT, "spent",
                                  "greatest of amount of \"Order Completed\""));
    engine_world_order(&w, "ada", 90);
    engine_world_tick(&w, TIME_HOUR_MS);
    assert_true(engine_world_holds(&w, "in journey \"thanks\"", "ada", w.now_ms));
    assert_ok(
        engine_world_define(&w, DEFINE_TRAIT, "spent", "sum of amount of \"Order Completed\""));
    engine_world_tick(&w, TIME_HOUR_MS);
    assert_false(engine_world_holds(&w, "in journey \"thanks\"", "ada", w.now_ms));
    engine_world_close(&w);
}

TEST(computed, one_that_is_used_cannot_be_deleted_and_the_users_are_named)
{
    struct world w = shop();
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "thanks", journey));
    assert_int_equal(engine_world_define(&w, DEFINE_TRAIT, "spent", ""), ERR_CONFLICT);
    assert_non_null(strstr(w.problem.what, "segment \"rich\", journey \"thanks\""));
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "rich", ""));
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "thanks", ""));
    assert_ok(engine_world_define(&w, DEFINE_TRAIT, "spent", ""));
    assert_int_equal(engine_world_define(&w, DEFINE_TRAIT, "spent", ""), ERR_ABSENT);
    engine_world_close(&w);
}

TEST(computed, a_definition_that_cannot_be_read_changes_nothing)
{
    struct world w = shop();
    engine_world_order(&w, "ada", 160);
    assert_int_equal(engine_world_define(&w, DEFINE_TRAIT, "spent", "spent > 100"), ERR_INPUT);
    assert_int_equal(
        engine_world_define(&w, DEFINE_TRAIT, "spent", "count of \"Order Completed\" since entry"),
        ERR_INPUT);
    assert_true(engine_world_is_in(&w, "rich", "ada"));
    assert_true(engine_world_holds(&w, "spent between 160 and 161", "ada", w.now_ms));
    engine_world_close(&w);
}

TEST(computed, any_test_of_a_trait_may_be_asked_of_it)
{
    struct world w = engine_world_open();
    assert_ok(
        engine_world_define(&w, DEFINE_TRAIT, "spent", "sum of amount of \"Order Completed\""));
    assert_ok(engine_world_define(&w, DEFINE_TRAIT, "began", "first time of \"Order Completed\""));
    assert_ok(engine_world_define(&w, DEFINE_TRAIT, "likes",
                                  "most frequent of kind of \"Order Completed\""));
    assert_ok(
        engine_world_define(&w, DEFINE_TRAIT, "usual", "average of amount of \"Order Completed\""));
    engine_world_order_at(&w, "ada", "{\"amount\":40,\"kind\":\"tent\"}", T0);
    w.now_ms += 7 * TIME_DAY_MS;
    engine_world_order_at(&w, "ada", "{\"amount\":60,\"kind\":\"tent\"}", w.now_ms);
    engine_world_order_at(&w, "bob", "{}", w.now_ms);
    static const char *const yes[] = {
        "spent = 100",
        "spent in (1, 100)",
        "not spent between 0 and 99",
        "spent != 7",
        "usual exists",
        "likes = \"tent\"",
        "likes starts with \"te\"",
        "any likes = \"tent\"",
        "began < 3 days ago",
        "began is 7 days ago",
        "anniversary of began is in 358 days",
        "spent has been >= 40 for 7 days",
        "spent has been = 40 for 1 day or spent = 100",
        "began between 2025-12-31 and 2026-01-01",
    };
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        if (!engine_world_holds(&w, yes[i], "ada", w.now_ms))
            fail_msg("%s does not hold", yes[i]);
    static const char *const no[] = {
        "spent > 100",      "spent = \"100\"", "spent has been > 40 for 1 hour",
        "likes = \"Tent\"", "began is today",  "spent has been >= 40 for 8 days",
    };
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        if (engine_world_holds(&w, no[i], "ada", w.now_ms))
            fail_msg("%s holds", no[i]);
    assert_true(engine_world_holds(&w, "usual does not exist and spent = 0", "bob", w.now_ms));
    assert_true(
        engine_world_holds(&w, "spent has been = 40 for 6 days", "ada", T0 + 7 * TIME_DAY_MS - 1));
    engine_world_close(&w);
}

TEST(computed, the_segments_and_journeys_that_name_a_trait_are_counted_and_the_first_told)
{
    struct world          w = shop();
    struct computed_users users;
    const struct program *program = engine_program(w.engine);
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "other", "did \"Order Completed\""));
    program_computed_users(program, STR("weight"), &users);
    assert_int_equal(users.segments + users.journeys, 0);
    program_computed_users(program, STR("spent"), &users);
    assert_int_equal(users.segments, 1);
    assert_int_equal(users.journeys, 0);
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "poor", "not spent > 1"));
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = { "none", "j", "k" };
        assert_ok(engine_world_define(
            &w, DEFINE_JOURNEY, names[i],
            str_format(w.arena,
                       "{\"journey\":\"%s\",\"trigger\":{\"event\":\"A\"},\"nodes\":[{\"id\":\"s\","
                       "\"split\":\"%s > 5\",\"yes\":\"e\",\"no\":\"e\"},{\"id\":\"e\",\"exit\":"
                       "true}]}",
                       names[i], i == 0 ? "weight" : "spent")
                .ptr));
    }
    program_computed_users(program, STR("spent"), &users);
    assert_int_equal(users.segments, 2);
    assert_str(users.segment, "rich");
    assert_int_equal(users.journeys, 2);
    assert_str(users.journey, "j");
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "j", ""));
    program_computed_users(program, STR("spent"), &users);
    assert_int_equal(users.journeys, 1);
    assert_str(users.journey, "k");
    engine_world_close(&w);
}
