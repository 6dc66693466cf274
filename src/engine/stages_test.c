/* Stages in an engine: the last whose rule holds, in force from the moment they are defined. */
#include <stdio.h>
#include <stdlib.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"

static const char STAGES[] =
    "{\"stages\":[{\"name\":\"visitor\",\"when\":\"everyone\"},"
    "{\"name\":\"customer\",\"when\":\"did \\\"Order Completed\\\" in the last 30 days\"},"
    "{\"name\":\"fan\",\"when\":\"did \\\"Order Completed\\\" at least 3 times in the last 30 "
    "days\"}"
    "]}";

static struct world shop(void)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_STAGES, "stages", STAGES));
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "visitors", "in stage \"visitor\""));
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "customers", "in stage \"customer\""));
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "fans", "in stage \"fan\""));
    engine_world_tick(&w, 1); /* nobody is left to be asked quietly */
    return w;
}

static void assert_stage(struct world *w, const char *user, const char *segment)
{
    static const char *const all[] = { "visitors", "customers", "fans" };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        assert_int_equal(engine_world_is_in(w, all[i], user), strcmp(all[i], segment) == 0);
}

TEST(stages, a_person_moves_on_at_the_very_event_and_falls_back_at_the_very_instant)
{
    struct world w = shop();
    assert_ok(engine_world_tell(
        &w, (struct record){ .kind = RECORD_TRACK, .user_id = STR("ada"), .name = STR("Came") }));
    assert_stage(&w, "ada", "visitors");
    engine_world_order(&w, "ada", 1);
    assert_stage(&w, "ada", "customers");
    w.now_ms += TIME_DAY_MS;
    engine_world_order(&w, "ada", 1);
    engine_world_order(&w, "ada", 1);
    assert_stage(&w, "ada", "fans");
    engine_world_tick(&w, 29 * TIME_DAY_MS - 1);
    assert_stage(&w, "ada", "fans");
    engine_world_tick(&w, 1);
    assert_stage(&w, "ada", "customers");
    engine_world_tick(&w, TIME_DAY_MS);
    assert_stage(&w, "ada", "visitors");
    engine_world_close(&w);
}

TEST(stages, a_new_document_moves_everyone_quietly)
{
    struct world w = shop();
    engine_world_order(&w, "ada", 1);
    assert_ok(engine_world_define(
        &w, DEFINE_STAGES, "stages",
        "{\"stages\":[{\"name\":\"visitor\",\"when\":\"everyone\"},"
        "{\"name\":\"fan\",\"when\":\"did \\\"Order Completed\\\"\"},"
        "{\"name\":\"customer\",\"when\":\"did \\\"Order Completed\\\" at least 2 "
        "times\"}]}"));
    engine_world_tick(&w, 1);
    assert_stage(&w, "ada", "fans");
    engine_world_order(&w, "ada", 1);
    assert_stage(&w, "ada", "customers");
    assert_true(engine_world_holds(&w, "in stage \"customer\"", "ada", w.now_ms));
    assert_false(engine_world_holds(&w, "in stage \"fan\"", "ada", w.now_ms));
    engine_world_close(&w);
}

TEST(stages, one_that_is_used_cannot_go_and_the_users_are_named)
{
    static const char journey[] = "{\"journey\":\"thanks\",\"trigger\":{\"event\":\"Came\"},"
                                  "\"exit_when\":\"in stage \\\"fan\\\"\","
                                  "\"nodes\":[{\"id\":\"pause\",\"wait\":\"300 days\"}]}";
    struct world      w = shop();
    const char       *renamed = "{\"stages\":[{\"name\":\"visitor\",\"when\":\"everyone\"},"
                                "{\"name\":\"customer\",\"when\":\"did \\\"A\\\"\"}]}";
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "thanks", journey));
    assert_int_equal(engine_world_define(&w, DEFINE_STAGES, "stages", renamed), ERR_CONFLICT);
    assert_non_null(strstr(w.problem.what, "segment \"fans\", journey \"thanks\""));
    assert_int_equal(engine_world_define(&w, DEFINE_STAGES, "stages", ""), ERR_CONFLICT);
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "fans", ""));
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "thanks", ""));
    assert_ok(engine_world_define(&w, DEFINE_STAGES, "stages", renamed));
    engine_world_close(&w);
}

TEST(stages, a_computed_trait_in_a_rule_moves_the_stage_and_is_kept_for_it)
{
    struct world w = engine_world_open();
    assert_ok(
        engine_world_define(&w, DEFINE_TRAIT, "spent", "sum of amount of \"Order Completed\""));
    assert_ok(engine_world_define(&w, DEFINE_STAGES, "stages",
                                  "{\"stages\":[{\"name\":\"rich\",\"when\":\"spent > 100\"}]}"));
    assert_int_equal(engine_world_define(&w, DEFINE_TRAIT, "spent", ""), ERR_CONFLICT);
    assert_non_null(strstr(w.problem.what, "stage \"rich\""));
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "rich", "in stage \"rich\""));
    engine_world_order(&w, "ada", 60);
    engine_world_order(&w, "ada", 60);
    assert_true(engine_world_is_in(&w, "rich", "ada"));
    assert_ok(engine_world_define(&w, DEFINE_TRAIT, "spent",
                                  "greatest of amount of \"Order Completed\""));
    engine_world_tick(&w, 1);
    assert_false(engine_world_is_in(&w, "rich", "ada"));
    engine_world_close(&w);
}

TEST(stages, a_document_that_is_wrong_changes_nothing)
{
    static const char *const wrong[] = {
        "[]",
        "{\"stages\":7}",
        "{\"stages\":[{\"name\":\"\",\"when\":\"everyone\"}]}",
        "{\"stages\":[{\"name\":\"a\"}]}",
        "{\"stages\":[{\"name\":\"a\",\"when\":\"did did\"}]}",
        "{\"stages\":[{\"name\":\"a\",\"when\":\"x = 1\"},{\"name\":\"a\",\"when\":\"x = 2\"}]}",
        "{\"stages\":[{\"name\":\"a\",\"when\":\"in stage \\\"fan\\\"\"}]}",
        "{\"stages\":[{\"name\":\"a\",\"when\":\"in segment \\\"fans\\\"\"}]}",
        "{\"stages\":[{\"name\":\"a\",\"when\":\"trait \\\"$stage_to\\\" = \\\"b\\\"\"}]}",
    };
    struct world w = shop();
    engine_world_order(&w, "ada", 1);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (engine_world_define(&w, DEFINE_STAGES, "stages", wrong[i]) != ERR_INPUT)
            fail_msg("%s was taken", wrong[i]);
    engine_world_tick(&w, 1);
    assert_stage(&w, "ada", "customers");
    engine_world_close(&w);
}

TEST(stages, every_version_loaded_in_turn_leaves_the_last_in_force)
{
    struct world w = engine_world_open();
    assert_ok(engine_load_definition(w.engine, DEFINE_STAGES, STR("stages"), str_of(STAGES), 1));
    assert_ok(
        engine_load_definition(w.engine, DEFINE_SEGMENT, STR("fans"), STR("in stage \"fan\""), 2));
    assert_ok(engine_load_definition(
        w.engine, DEFINE_STAGES, STR("stages"),
        STR("{\"stages\":[{\"name\":\"fan\",\"when\":\"did \\\"Order Completed\\\"\"}]}"), 3));
    w.seq = 3;
    engine_world_order(&w, "ada", 1);
    assert_true(engine_world_is_in(&w, "fans", "ada"));
    engine_world_close(&w);
}

/* ---- set by hand ---- */

/* As the API tells it; an empty stage takes it back. */
static void hand(struct world *w, const char *user, const char *stage, const char *until)
{
    char        text[300];
    struct json traits;
    const char *quote = stage[0] == '\0' ? "" : "\"", *quote2 = until[0] == '\0' ? "" : "\"";
    snprintf(text, sizeof text,
             "{\"$stage\":%s%s%s,\"$stage_until\":%s%s%s,\"$stage_by\":\"key 1\",\"$stage_why\":"
             "\"on paper\"}",
             quote, stage[0] == '\0' ? "null" : stage, quote, quote2,
             until[0] == '\0' ? "null" : until, quote2);
    assert_ok(json_parse_once(w->arena, str_of(text), &traits, NULL));
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_IDENTIFY,
                                                    .user_id = str_of(user),
                                                    .properties = &traits }));
}

TEST(stages, a_stage_set_by_hand_stands_until_it_is_cleared_whatever_the_rules_say)
{
    struct world w = shop();
    engine_world_order(&w, "ada", 1);
    hand(&w, "ada", "fan", "");
    assert_stage(&w, "ada", "fans");
    engine_world_tick(&w, 100 * TIME_DAY_MS);
    assert_stage(&w, "ada", "fans");
    hand(&w, "ada", "visitor", "");
    engine_world_order(&w, "ada", 1);
    assert_stage(&w, "ada", "visitors");
    hand(&w, "ada", "", "");
    assert_stage(&w, "ada", "customers");
    hand(&w, "ada", "gone", ""); /* a stage that is not there (any more) says nothing */
    assert_stage(&w, "ada", "customers");
    engine_world_close(&w);
}

TEST(stages, a_hand_s_word_ends_at_the_very_instant_that_it_names)
{
    struct world w = shop();
    char         until[40];
    engine_world_order(&w, "ada", 1);
    time_write(w.now_ms + 3 * TIME_DAY_MS, until);
    hand(&w, "ada", "fan", until);
    engine_world_tick(&w, 3 * TIME_DAY_MS - 1);
    assert_stage(&w, "ada", "fans");
    engine_world_tick(&w, 1);
    assert_stage(&w, "ada", "customers");
    assert_true(engine_world_holds(&w, "in stage \"fan\"", "ada", w.now_ms - 1));
    engine_world_close(&w);
}

TEST(stages, a_journey_that_sets_one_says_all_of_it)
{
    struct world w = shop();
    char         until[40];
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "up",
                                  "{\"journey\":\"up\",\"trigger\":{\"event\":\"Order Completed\"},"
                                  "\"nodes\":[{\"id\":\"s\",\"set\":{\"$stage\":\"fan\"}}]}"));
    time_write(w.now_ms + TIME_DAY_MS, until);
    hand(&w, "ada", "customer", until);
    engine_world_tick(&w, 2 * TIME_DAY_MS); /* what the hand said is over, also for the journey */
    engine_world_order(&w, "ada", 1);
    assert_stage(&w, "ada", "fans");
    assert_true(engine_world_holds(&w, "trait \"$stage_by\" = \"up\"", "ada", w.now_ms));
    engine_world_close(&w);
}

TEST(stages, a_segment_of_that_name_that_was_there_before_is_loaded_as_it_was)
{
    struct world w = engine_world_open();
    assert_ok(engine_load_definition(w.engine, DEFINE_STAGES, STR("stages"), str_of(STAGES), 1));
    assert_ok(engine_load_definition(w.engine, DEFINE_SEGMENT, STR("stage: fan"),
                                     STR("in stage \"customer\""), 2));
    assert_ok(engine_load_definition(w.engine, DEFINE_STAGES, STR("stages"), str_of(STAGES), 3));
    w.seq = 3;
    engine_world_order(&w, "ada", 1);
    assert_true(engine_world_is_in(&w, "stage: fan", "ada"));
    engine_world_close(&w);
}

TEST(stages, where_the_document_says_at_least_the_rules_put_somebody_further)
{
    struct world w = shop();
    char         text[sizeof STAGES + 40];
    snprintf(text, sizeof text, "{\"by_hand\":\"at least\",%s", STAGES + 1);
    assert_ok(engine_world_define(&w, DEFINE_STAGES, "stages", text));
    assert_ok(engine_world_tell(
        &w, (struct record){ .kind = RECORD_TRACK, .user_id = STR("ada"), .name = STR("Came") }));
    hand(&w, "ada", "customer", "");
    assert_stage(&w, "ada", "customers");
    for (int i = 0; i < 3; i++)
        engine_world_order(&w, "ada", 1);
    assert_stage(&w, "ada", "fans");
    engine_world_tick(&w, 30 * TIME_DAY_MS);
    assert_stage(&w, "ada", "customers");
    hand(&w, "ada", "", "");
    assert_stage(&w, "ada", "visitors");
    assert_int_equal(
        engine_world_define(&w, DEFINE_STAGES, "stages", "{\"by_hand\":\"maybe\",\"stages\":[]}"),
        ERR_INPUT);
    engine_world_close(&w);
}

TEST(stages, of_two_who_become_one_the_last_word_of_a_hand_counts)
{
    struct world w = shop();
    assert_ok(engine_world_tell(
        &w,
        (struct record){ .kind = RECORD_TRACK, .anonymous_id = STR("anon"), .name = STR("Came") }));
    hand(&w, "ada", "fan", "");
    w.now_ms += 1000;
    struct json traits;
    assert_ok(json_parse_once(w.arena, STR("{\"$stage\":\"customer\",\"$stage_until\":null}"),
                              &traits, NULL));
    assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_IDENTIFY,
                                                     .anonymous_id = STR("anon"),
                                                     .properties = &traits }));
    w.now_ms += 1000;
    assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_IDENTIFY,
                                                     .user_id = STR("ada"),
                                                     .anonymous_id = STR("anon") }));
    assert_stage(&w, "ada", "customers");
    engine_world_close(&w);
}

/* ---- a change is told ---- */

static void assert_told(struct world *w, const char *condition)
{
    if (!engine_world_holds(w, condition, "ada", w->now_ms))
        fail_msg("not so: %s", condition);
}

/* How it changed last, and how many changes were told by now. */
static void assert_changed(struct world *w, const char *from, const char *to, const char *cause,
                           const char *event, size_t times)
{
    const char *const values[] = { from, to, cause, event };
    const char *const names[] = { "from", "to", "cause", "event" };
    char              text[200];
    for (int i = 0; i < 4; i++) {
        snprintf(text, sizeof text,
                 values[i] == NULL ? "not trait \"$stage_%s\" exists"
                                   : "trait \"$stage_%s\" = \"%s\"",
                 names[i], values[i]);
        assert_told(w, text);
    }
    assert_int_equal(w->out.told_count, times);
}

TEST(stages, each_change_is_told_once_with_where_from_where_to_and_what_made_it)
{
    struct world w = shop();
    assert_ok(engine_world_tell(
        &w, (struct record){ .kind = RECORD_TRACK, .user_id = STR("ada"), .name = STR("Came") }));
    assert_changed(&w, NULL, "visitor", "rule", "Came", 1);
    engine_world_tick(&w, 1000);
    engine_world_order(&w, "ada", 1);
    assert_changed(&w, "visitor", "customer", "rule", "Order Completed", 2);
    engine_world_order(&w, "ada", 1);
    assert_changed(&w, "visitor", "customer", "rule", "Order Completed", 2);
    engine_world_tick(&w, 1000);
    hand(&w, "ada", "fan", "");
    assert_changed(&w, "customer", "fan", "hand", NULL, 3);
    engine_world_tick(&w, 1000);
    hand(&w, "ada", "", "");
    assert_changed(&w, "fan", "customer", "hand", NULL, 4);
    engine_world_tick(&w, 31 * TIME_DAY_MS);
    assert_changed(&w, "customer", "visitor", "rule", NULL, 5);
    engine_world_close(&w);
}

/* The record of the change is nothing that somebody did: else they would be active by it again. */
TEST(stages, who_falls_silent_is_told_to_and_stays_silent)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_STAGES, "stages",
                                  "{\"stages\":[{\"name\":\"silent\",\"when\":\"everyone\"},{"
                                  "\"name\":\"active\",\"when\":\"did anything in the last 30 "
                                  "days\"}]}"));
    engine_world_tick(&w, 1);
    engine_world_order(&w, "ada", 1);
    assert_changed(&w, NULL, "active", "rule", "Order Completed", 1);
    engine_world_tick(&w, 30 * TIME_DAY_MS);
    assert_changed(&w, "active", "silent", "rule", NULL, 2);
    engine_world_tick(&w, 30 * TIME_DAY_MS);
    assert_changed(&w, "active", "silent", "rule", NULL, 2);
    assert_true(engine_world_is_in(&w, "stage: silent", "ada"));
    engine_world_close(&w);
}

TEST(stages, a_new_document_and_old_news_tell_nobody_to_have_changed)
{
    struct world w = shop();
    assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_TRACK,
                                                     .flags = RECORD_HISTORICAL,
                                                     .user_id = STR("ada"),
                                                     .at_ms = w.now_ms - TIME_DAY_MS,
                                                     .name = STR("Order Completed") }));
    assert_true(engine_world_is_in(&w, "stage: customer", "ada"));
    assert_told(&w, "not trait \"$stage_to\" exists");
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "fans", "did \"Other\""));
    assert_ok(
        engine_world_define(&w, DEFINE_STAGES, "stages",
                            "{\"stages\":[{\"name\":\"customer\",\"when\":\"did \\\"Other\\\"\"},"
                            "{\"name\":\"visitor\",\"when\":\"everyone\"}]}"));
    engine_world_tick(&w, 1);
    assert_false(engine_world_is_in(&w, "stage: customer", "ada"));
    assert_true(engine_world_is_in(&w, "stage: visitor", "ada"));
    assert_told(&w, "not trait \"$stage_to\" exists");
    engine_world_close(&w);
}

TEST(stages, a_stage_s_own_segment_begins_a_journey_and_is_changed_by_the_stages_alone)
{
    static const char journey[] = "{\"journey\":\"thanks\",\"trigger\":{\"segment\":\"stage: "
                                  "customer\"},\"nodes\":[{\"id\":\"pause\",\"wait\":\"3 days\"}]}";
    struct world      w = shop();
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "thanks", journey));
    engine_world_order(&w, "ada", 1);
    assert_told(&w, "in journey \"thanks\"");
    assert_int_equal(engine_world_define(&w, DEFINE_SEGMENT, "stage: customer", "everyone"),
                     ERR_CONFLICT);
    assert_int_equal(engine_world_define(&w, DEFINE_SEGMENT, "stage: customer", ""), ERR_CONFLICT);
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "customers", "everyone"));
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "fans", "everyone"));
    assert_int_equal(
        engine_world_define(&w, DEFINE_STAGES, "stages",
                            "{\"stages\":[{\"name\":\"visitor\",\"when\":\"everyone\"}]}"),
        ERR_CONFLICT); /* the journey begins with it */
    engine_world_close(&w);
}
