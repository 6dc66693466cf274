/* Stages in an engine: the last whose rule holds, in force from the moment they are defined. */
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
