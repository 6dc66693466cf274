/* Somebody is let into a journey by hand, or taken out of it, by example. */
#include "engine/journey/enrolling.h"

#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"

#define PAUSE "\"nodes\":[{\"id\":\"w\",\"wait\":\"3 days\"}]}"

static struct world world_of(const char *journey)
{
    struct world w = engine_world_open();
    if (engine_world_define(&w, DEFINE_JOURNEY, "j", journey) != OK)
        fail_msg("%s: %s %s", w.problem.where, w.problem.what, w.problem.remedy);
    assert_ok(engine_world_tell(
        &w, (struct record){ .kind = RECORD_TRACK, .user_id = STR("ada"), .name = STR("Visit") }));
    return w;
}

static enum err by_hand(struct world *w, const char *properties, bool leaves)
{
    struct json given = { .kind = JSON_NULL }, told;
    if (properties != NULL)
        assert_ok(json_parse_once(w->arena, str_of(properties), &given, NULL));
    TRY(enrolling_properties(w->arena, properties == NULL ? NULL : &given, STR("j"), &told,
                             &w->problem));
    return engine_world_tell(
        w, (struct record){ .kind = RECORD_ENROLL,
                            .flags = leaves ? RECORD_LEAVE : 0,
                            .name = leaves ? EVENT_JOURNEY_EXIT : EVENT_JOURNEY_ENTRY,
                            .body = STR("j"),
                            .profile = engine_find(w->engine, STR("ada")),
                            .properties = &told });
}

static const struct decision *decided(const struct world *w)
{
    for (size_t i = w->out.decisions_count; i > 0; i--)
        if (w->out.decisions[i - 1].id == w->out.message)
            return &w->out.decisions[i - 1];
    return NULL;
}

static void expect_decided(const struct world *w, enum decision_kind kind, const char *text)
{
    const struct decision *d = decided(w);
    assert_non_null(d);
    assert_int_equal(d->kind, kind);
    assert_str(d->text, text);
}

TEST(enrolling, whoever_is_let_in_by_hand_is_inside_whatever_begins_the_journey)
{
    struct world w = world_of("{\"journey\":\"j\",\"trigger\":{\"event\":\"Signed Up\",\"where\":"
                              "\"plan = \\\"free\\\"\"}," PAUSE);
    assert_ok(by_hand(&w, NULL, false));
    expect_decided(&w, DECISION_ENROLLED, "let in by hand");
    assert_true(decided(&w)->event > 0);
    assert_true(engine_world_holds(&w, "in journey \"j\"", "ada", w.now_ms));
    assert_true(engine_world_holds(&w, "did \"Journey Entry Requested\" where journey = \"j\"",
                                   "ada", w.now_ms));
    assert_ok(by_hand(&w, NULL, false));
    expect_decided(&w, DECISION_NOT_ENROLLED, "already inside");
    engine_world_close(&w);
}

TEST(enrolling, whoever_is_taken_out_leaves_with_the_reason_and_is_not_let_in_again_where_once)
{
    struct world w = world_of("{\"journey\":\"j\",\"trigger\":{\"api\":true}," PAUSE);
    assert_int_equal(by_hand(&w, NULL, true), ERR_ABSENT); /* not inside */
    assert_ok(by_hand(&w, NULL, false));
    assert_ok(by_hand(&w, NULL, true));
    expect_decided(&w, DECISION_ENDED, "taken out by hand");
    assert_false(engine_world_holds(&w, "in journey \"j\"", "ada", w.now_ms));
    assert_ok(by_hand(&w, NULL, false));
    expect_decided(&w, DECISION_NOT_ENROLLED, "was inside before, and comes in once");
    assert_int_equal(by_hand(&w, NULL, true), ERR_ABSENT);
    engine_world_close(&w);
}

TEST(enrolling, a_key_is_taken_from_what_was_given_and_all_of_them_are_left)
{
    struct world w =
        world_of("{\"journey\":\"j\",\"trigger\":{\"api\":true,\"key\":\"cart\"}," PAUSE);
    assert_ok(by_hand(&w, NULL, false));
    expect_decided(&w, DECISION_NOT_ENROLLED,
                   "the event does not say the key, or says one of more than 200 bytes");
    assert_ok(by_hand(&w, "{\"cart\":1}", false));
    expect_decided(&w, DECISION_ENROLLED, "let in by hand");
    assert_str(decided(&w)->key, "1");
    assert_ok(by_hand(&w, "{\"cart\":2}", false));
    assert_ok(by_hand(&w, "{\"cart\":2}", false));
    expect_decided(&w, DECISION_NOT_ENROLLED, "already inside");
    assert_ok(by_hand(&w, NULL, true));
    const struct state *now =
        people_state_get(engine_people(w.engine), engine_find(w.engine, STR("ada")));
    assert_int_equal(now->rare->enrollments.count, 0);
    engine_world_close(&w);
}

TEST(enrolling, whoever_is_let_in_and_taken_out_by_hand_did_nothing)
{
    struct world w = world_of("{\"journey\":\"j\",\"trigger\":{\"api\":true}," PAUSE);
    assert_ok(
        engine_world_define(&w, DEFINE_SEGMENT, "silent", "never did anything in the last 1 day"));
    engine_world_tick(&w, 2 * TIME_DAY_MS);
    assert_true(engine_world_is_in(&w, "silent", "ada"));
    assert_ok(by_hand(&w, NULL, false));
    assert_ok(by_hand(&w, NULL, true));
    assert_true(engine_world_is_in(&w, "silent", "ada"));
    assert_true(engine_world_holds(&w, "did anything exactly 1 time", "ada", w.now_ms));
    engine_world_close(&w);
}

TEST(enrolling, a_strangers_event_of_the_name_lets_nobody_in_and_is_none_of_ours)
{
    struct world w = world_of("{\"journey\":\"j\",\"trigger\":{\"api\":true}," PAUSE);
    assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_TRACK,
                                                     .user_id = STR("ada"),
                                                     .name = EVENT_JOURNEY_ENTRY }));
    assert_false(engine_world_holds(&w, "in journey \"j\"", "ada", w.now_ms));
    assert_false(engine_world_holds(&w, "did \"Journey Entry Requested\"", "ada", w.now_ms));
    engine_world_close(&w);
}

TEST(enrolling, what_cannot_be_is_refused_with_the_place_and_a_remedy)
{
    struct world  w = world_of("{\"journey\":\"j\",\"trigger\":{\"api\":true}," PAUSE);
    struct record absent = { .kind = RECORD_ENROLL,
                             .name = EVENT_JOURNEY_ENTRY,
                             .body = STR("none"),
                             .profile = engine_find(w.engine, STR("ada")) };
    assert_int_equal(engine_world_tell(&w, absent), ERR_ABSENT);
    assert_string_equal(w.problem.where, "journey");
    assert_int_equal(by_hand(&w, "{\"journey\":\"k\"}", false), ERR_INPUT);
    assert_string_equal(w.problem.where, "properties.journey");
    assert_int_equal(by_hand(&w, "[1]", false), ERR_INPUT);
    assert_string_equal(w.problem.where, "properties");
    assert_int_equal(engine_world_define(&w, DEFINE_JOURNEY, "k",
                                         "{\"journey\":\"k\",\"trigger\":{\"api\":\"yes\"}," PAUSE),
                     ERR_INPUT);
    assert_string_equal(w.problem.where, "trigger.api");
    assert_int_equal(
        engine_world_define(
            &w, DEFINE_JOURNEY, "k",
            "{\"journey\":\"k\",\"trigger\":{\"api\":true,\"where\":\"a = 1\"}," PAUSE),
        ERR_INPUT);
    engine_world_close(&w);
}
