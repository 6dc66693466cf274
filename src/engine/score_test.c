/* Scores: what they are at every instant, against points summed the plain way. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"

static const char LEAD[] =
    "{\"score\":\"lead\",\"half_life\":\"14 days\",\"rules\":["
    "{\"event\":\"Viewed\",\"where\":\"page = \\\"price\\\"\",\"points\":5,"
    "\"most\":20},"
    "{\"event\":\"Order Completed\",\"points\":30},"
    "{\"event\":\"Left\",\"points\":-10},"
    "{\"condition\":\"size > 50\",\"points\":10}],"
    "\"lines\":[{\"name\":\"ready\",\"at\":50},{\"name\":\"warm\",\"at\":20}]}";

static struct world shop(void)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_SCORE, "lead", LEAD));
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "hot", "score \"lead\" >= 40"));
    return w;
}

static void did(struct world *w, const char *user, const char *event, const char *properties,
                int64_t at_ms)
{
    struct json bag;
    assert_ok(json_parse_once(w->arena, str_of(properties), &bag, NULL));
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_TRACK,
                                                    .user_id = str_of(user),
                                                    .name = str_of(event),
                                                    .properties = &bag,
                                                    .at_ms = at_ms }));
}

TEST(score, an_event_s_points_halve_with_every_half_life_and_cross_at_that_very_instant)
{
    struct world w = shop();
    engine_world_order(&w, "ada", 1);
    assert_true(engine_world_holds(&w, "score \"lead\" = 30", "ada", w.now_ms));
    engine_world_tick(&w, 14 * TIME_DAY_MS);
    assert_true(engine_world_holds(&w, "score \"lead\" = 15", "ada", w.now_ms));
    engine_world_order(&w, "ada", 1);
    engine_world_order(&w, "ada", 1);
    assert_true(engine_world_is_in(&w, "hot", "ada"));
    assert_true(engine_world_is_in(&w, "score lead: ready", "ada"));
    /* 75 points come to 50 after 14 days times the logarithm of 1.5 */
    int64_t last_ms = (int64_t)floor(14 * (double)TIME_DAY_MS * log2(1.5));
    engine_world_tick(&w, last_ms - 1);
    assert_true(engine_world_is_in(&w, "score lead: ready", "ada"));
    engine_world_tick(&w, 100); /* a millionth of a point less is told from 50 then */
    assert_false(engine_world_is_in(&w, "score lead: ready", "ada"));
    assert_true(engine_world_is_in(&w, "hot", "ada"));
    engine_world_close(&w);
}

TEST(score, a_rule_gives_no_more_than_its_most_and_a_filter_counts)
{
    struct world w = shop();
    for (int i = 0; i < 8; i++)
        did(&w, "ada", "Viewed", i % 2 == 0 ? "{\"page\":\"price\"}" : "{\"page\":\"blog\"}",
            w.now_ms);
    assert_true(engine_world_holds(&w, "score \"lead\" = 20", "ada", w.now_ms));
    for (int i = 0; i < 4; i++)
        did(&w, "ada", "Viewed", "{\"page\":\"price\"}", w.now_ms);
    assert_true(engine_world_holds(&w, "score \"lead\" = 20", "ada", w.now_ms));
    engine_world_tick(&w, 14 * TIME_DAY_MS); /* 40 have become 20, and 20 is the most */
    assert_true(engine_world_holds(&w, "score \"lead\" = 20", "ada", w.now_ms));
    assert_true(engine_world_is_in(&w, "score lead: warm", "ada"));
    engine_world_tick(&w, 100);
    assert_false(engine_world_is_in(&w, "score lead: warm", "ada"));
    engine_world_close(&w);
}

TEST(score, a_line_that_is_crossed_is_told_once_each_way_and_begins_a_journey)
{
    struct world w = shop();
    assert_ok(engine_world_define(
        &w, DEFINE_JOURNEY, "sales",
        "{\"journey\":\"sales\",\"trigger\":{\"event\":\"Score Crossed\",\"where\":\"line = "
        "\\\"ready\\\" and way = \\\"up\\\"\"},\"nodes\":[{\"id\":\"pause\",\"wait\":\"300 "
        "days\"}]}"));
    engine_world_order(&w, "ada", 1);
    assert_false(
        engine_world_holds(&w, "did \"Score Crossed\" where line = \"ready\"", "ada", w.now_ms));
    engine_world_order(&w, "ada", 1);
    assert_true(engine_world_holds(
        &w, "did \"Score Crossed\" exactly 1 time where (line = \"ready\" and points = 60)", "ada",
        w.now_ms));
    engine_world_tick(&w, 1);
    assert_true(engine_world_holds(&w, "in journey \"sales\"", "ada", w.now_ms));
    engine_world_tick(&w, 60 * TIME_DAY_MS);
    assert_true(engine_world_holds(
        &w, "did \"Score Crossed\" exactly 1 time where (line = \"ready\" and way = \"down\")",
        "ada", w.now_ms));
    assert_true(engine_world_holds(&w, "did \"Score Crossed\" exactly 4 times", "ada", w.now_ms));
    engine_world_close(&w);
}

TEST(score, a_line_that_is_crossed_by_time_alone_is_no_sign_of_life)
{
    struct world w = shop();
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "silent",
                                  "did anything and never did anything in the last 20 days"));
    engine_world_tick(&w, 1);
    engine_world_order(&w, "ada", 1);
    engine_world_order(&w, "ada", 1);
    int64_t silent_ms = w.now_ms + 20 * TIME_DAY_MS;
    engine_world_tick(&w, silent_ms - w.now_ms - 1); /* 50 is crossed on the way */
    assert_true(
        engine_world_holds(&w, "did \"Score Crossed\" where way = \"down\"", "ada", w.now_ms));
    assert_false(engine_world_is_in(&w, "silent", "ada"));
    engine_world_tick(&w, 2);
    assert_true(engine_world_is_in(&w, "silent", "ada"));
    assert_true(engine_world_holds(&w, "did anything exactly 2 times", "ada", w.now_ms));
    engine_world_tick(&w, 60 * TIME_DAY_MS); /* down below 20, while silent */
    assert_true(engine_world_holds(
        &w, "did \"Score Crossed\" exactly 1 time where (line = \"warm\" and way = \"down\")",
        "ada", w.now_ms));
    assert_true(engine_world_is_in(&w, "silent", "ada"));
    assert_true(engine_world_holds(&w, "last did anything more than 79 days ago", "ada", w.now_ms));
    engine_world_close(&w);
}

TEST(score, a_late_event_and_a_merge_count_from_when_it_happened)
{
    struct world w = shop();
    w.now_ms += 14 * TIME_DAY_MS;
    engine_world_order_at(&w, "ada", "{}", T0);
    assert_true(engine_world_holds(&w, "score \"lead\" = 15", "ada", w.now_ms));
    engine_world_order(&w, "bob", 1);
    assert_ok(engine_world_tell(
        &w,
        (struct record){ .kind = RECORD_ALIAS, .user_id = STR("ada"), .previous_id = STR("bob") }));
    assert_true(engine_world_holds(&w, "score \"lead\" = 45", "ada", w.now_ms));
    assert_true(engine_world_is_in(&w, "hot", "ada"));
    engine_world_close(&w);
}

TEST(score, a_new_definition_moves_everyone_quietly_and_what_is_used_stays)
{
    struct world w = shop();
    engine_world_order(&w, "ada", 1);
    assert_int_equal(engine_world_define(&w, DEFINE_SCORE, "lead", ""), ERR_CONFLICT);
    assert_ok(engine_world_define(&w, DEFINE_SCORE, "lead",
                                  "{\"rules\":[{\"event\":\"Order Completed\",\"points\":60}],"
                                  "\"lines\":[{\"name\":\"ready\",\"at\":50}]}"));
    engine_world_tick(&w, 1);
    assert_true(engine_world_is_in(&w, "hot", "ada"));
    assert_true(engine_world_is_in(&w, "score lead: ready", "ada"));
    assert_false(engine_world_is_in(&w, "score lead: warm", "ada"));
    assert_true(engine_world_holds(&w, "never did \"Score Crossed\" where line = \"ready\"", "ada",
                                   w.now_ms));
    assert_int_equal(engine_world_define(&w, DEFINE_SEGMENT, "score lead: ready", ""),
                     ERR_CONFLICT);
    assert_int_equal(engine_world_define(&w, DEFINE_TRAIT, "$score.lead", "count of \"A\""),
                     ERR_INPUT);
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "hot", ""));
    assert_ok(engine_world_define(&w, DEFINE_SCORE, "lead", ""));
    assert_int_equal(engine_world_define(&w, DEFINE_SEGMENT, "hot", "score \"lead\" >= 40"),
                     ERR_ABSENT);
    engine_world_close(&w);
}

TEST(score, what_cannot_be_read_is_refused)
{
    static const char *const wrong[] = {
        "[]",
        "{\"rules\":[]}",
        "{\"score\":\"other\",\"rules\":[{\"event\":\"A\",\"points\":5}]}",
        "{\"rules\":[{\"event\":\"A\"}]}",
        "{\"rules\":[{\"event\":\"A\",\"points\":500000}]}",
        "{\"rules\":[{\"event\":\"A\",\"points\":5,\"most\":-1}]}",
        "{\"rules\":[{\"condition\":\"did did\",\"points\":5}]}",
        "{\"rules\":[{\"condition\":\"score \\\"lead\\\" > 5\",\"points\":5}]}",
        "{\"rules\":[{\"event\":\"A\",\"points\":5}],\"half_life\":\"soon\"}",
        "{\"rules\":[{\"event\":\"A\",\"points\":5}],\"lines\":[{\"name\":\"x\",\"then\":1}]}",
        "{\"rules\":[{\"event\":\"A\",\"points\":5}],\"more\":1}",
    };
    struct world w = shop();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (engine_world_define(&w, DEFINE_SCORE, "lead", wrong[i]) != ERR_INPUT)
            fail_msg("%s was taken", wrong[i]);
    assert_int_equal(engine_world_define(&w, DEFINE_SEGMENT, "x", "score \"lead\" = \"a\""),
                     ERR_INPUT);
    engine_world_close(&w);
}

/* ---- the naive twin: every event, its age, a power of two ---- */

enum { TOLD_MAX = 400 };

struct told {
    int64_t at_ms;
    int     kind; /* 0 a view of prices, 1 an order, 2 left */
};

static long double naive(const struct told *told, int count, int64_t now_ms)
{
    static const long double points[] = { 5, 30, -10 };
    long double              sums[3] = { 0 };
    for (int i = 0; i < count; i++)
        if (told[i].at_ms <= now_ms)
            sums[told[i].kind] +=
                points[told[i].kind] *
                exp2l(-(long double)(now_ms - told[i].at_ms) / (14.0L * (long double)TIME_DAY_MS));
    return (sums[0] > 20 ? 20 : sums[0]) + sums[1] + sums[2];
}

static void assert_side(struct world *w, const char *segment, long double score, long double line)
{
    if (fabsl(score - line) < 1e-5L)
        return;
    if (engine_world_is_in(w, segment, "ada") != (score > line))
        fail_msg("%s at %.9Lf", segment, score);
}

/* Asked only of what the engine keeps: a membership that no timer turned would show. */
TEST(score, at_every_instant_it_is_what_summing_all_of_it_gives)
{
    static const char *const events[] = { "Viewed", "Order Completed", "Left" };
    for (unsigned seed = 1; seed <= 12; seed++) {
        struct world w = shop();
        struct told  told[TOLD_MAX];
        int          count = 0;
        srand(seed);
        for (int step = 0; step < 160; step++) {
            int64_t late_ms = rand() % 5 == 0 ? (int64_t)(rand() % 30) * TIME_DAY_MS : 0;
            engine_world_tick(&w, 1 + (int64_t)rand() % (2 * TIME_DAY_MS));
            if (rand() % 3 != 0) {
                told[count] = (struct told){ w.now_ms - late_ms, rand() % 7 % 3 };
                did(&w, "ada", events[told[count].kind], "{\"page\":\"price\"}", told[count].at_ms);
                count++;
            }
            if (count == 0)
                continue;
            long double score = naive(told, count, w.now_ms);
            assert_side(&w, "hot", score, 40);
            assert_side(&w, "score lead: ready", score, 50);
            assert_side(&w, "score lead: warm", score, 20);
        }
        engine_world_close(&w);
    }
}

/* A refused change changes nothing: its lines are there, and count as before. */
TEST(score, what_is_refused_leaves_the_score_and_its_lines_as_they_were)
{
    struct world w = shop();
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "sales",
                                  "{\"journey\":\"sales\",\"trigger\":{\"segment\":\"score lead: "
                                  "warm\"},\"nodes\":[{\"id\":\"x\",\"exit\":true}]}"));
    assert_int_equal(engine_world_define(&w, DEFINE_SCORE, "lead", ""), ERR_CONFLICT);
    assert_int_equal(engine_world_define(&w, DEFINE_SCORE, "lead",
                                         "{\"score\":\"lead\",\"rules\":[{\"event\":\"Order "
                                         "Completed\",\"points\":90}],\"lines\":[{\"name\":"
                                         "\"ready\",\"at\":50}]}"),
                     ERR_CONFLICT);
    engine_world_order(&w, "ada", 1);
    assert_true(engine_world_holds(&w, "score \"lead\" = 30", "ada", w.now_ms));
    assert_true(engine_world_is_in(&w, "score lead: warm", "ada"));
    assert_false(engine_world_is_in(&w, "score lead: ready", "ada"));
    engine_world_close(&w);
}

TEST(score, a_line_that_is_come_to_in_the_limit_is_looked_at_a_few_times)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_SCORE, "lead",
                                  "{\"score\":\"lead\",\"half_life\":\"1 day\",\"rules\":[{"
                                  "\"event\":\"Order Completed\",\"points\":5}]}"));
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "some", "score \"lead\" > 0"));
    for (int i = 0; i < 50; i++)
        engine_world_order(&w, "ada", 1);
    uint32_t clocks = 0;
    for (int64_t end_ms = w.now_ms + 60 * TIME_DAY_MS; w.now_ms < end_ms; clocks++) {
        int64_t next_ms = engine_next_ms(w.engine);
        engine_world_tick(&w, next_ms < end_ms && next_ms > w.now_ms ? next_ms - w.now_ms
                                                                     : end_ms - w.now_ms);
    }
    assert_false(engine_world_is_in(&w, "some", "ada"));
    assert_true(clocks < 200);
    engine_world_close(&w);
}
