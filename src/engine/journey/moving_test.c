/* Moving by example: what becomes of those inside when a journey is published anew. */
#include "base/test.h"
#include "base/time.h"
#include "engine/checkpoint.h"
#include "engine/engine_world_test.h"
#include "engine/inside.h"

static struct str text_of(struct world *w, const char *rest)
{
    return str_format(w->arena,
                      "{\"journey\":\"j\",\"trigger\":{\"event\":\"Start\"},"
                      "\"reentry\":\"always\",%s}",
                      rest);
}

static void publish(struct world *w, const char *rest, uint8_t flags)
{
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_DEFINE,
                                                    .flags = flags,
                                                    .definition_kind = DEFINE_JOURNEY,
                                                    .name = STR("j"),
                                                    .body = text_of(w, rest) }));
}

static struct world world_of(const char *rest)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "letter", "subject: s\n--- html\nx"));
    publish(&w, rest, 0);
    assert_ok(engine_world_tell(
        &w, (struct record){ .kind = RECORD_TRACK, .user_id = STR("ada"), .name = STR("Start") }));
    return w;
}

static uint32_t count_of(const struct world *w, enum decision_kind kind)
{
    uint32_t count = 0;
    for (size_t i = 0; i < w->out.decisions_count; i++)
        count += w->out.decisions[i].kind == kind;
    return count;
}

static int64_t last_at(const struct world *w, enum decision_kind kind)
{
    int64_t at_ms = 0;
    for (size_t i = 0; i < w->out.decisions_count; i++)
        if (w->out.decisions[i].kind == kind)
            at_ms = w->out.decisions[i].at_ms;
    return at_ms;
}

static struct inside_count counted(const struct world *w, const struct journey *to)
{
    struct inside_count count = { 0 };
    uint32_t            cursor = 0, turns = 0;
    while (!engine_inside_count(w->engine, 0, to, &cursor, 1, &count))
        assert_true(++turns < 1000);
    return count;
}

#define OLD                                                                                        \
    "\"nodes\":[{\"id\":\"pause\",\"wait\":\"5 days\"},{\"id\":\"mail\",\"email\":\"letter\"}]"

TEST(moving, unless_it_is_asked_for_those_inside_finish_the_old)
{
    struct world w = world_of(OLD);
    engine_world_tick(&w, TIME_DAY_MS);
    publish(&w, "\"nodes\":[{\"id\":\"pause\",\"wait\":\"2 days\"}]", 0);
    engine_world_tick(&w, 3 * TIME_DAY_MS);
    assert_int_equal(count_of(&w, DECISION_MOVED), 0);
    assert_int_equal(count_of(&w, DECISION_ENDED), 0);
    engine_world_tick(&w, TIME_DAY_MS);
    assert_int_equal(count_of(&w, DECISION_INTENT), 1);
    engine_world_close(&w);
}

TEST(moving, a_wait_began_when_it_began_and_is_as_long_as_the_new_one)
{
    struct world w = world_of(OLD);
    engine_world_tick(&w, TIME_DAY_MS);
    publish(&w,
            "\"nodes\":[{\"id\":\"first\",\"email\":\"letter\"},"
            "{\"id\":\"pause\",\"wait\":\"2 days\"},{\"id\":\"end\",\"exit\":true}]",
            RECORD_MOVE);
    assert_true(engine_has_job(w.engine));
    engine_world_tick(&w, TIME_HOUR_MS);
    assert_false(engine_has_job(w.engine));
    assert_int_equal(count_of(&w, DECISION_MOVED), 1);
    assert_int_equal(count_of(&w, DECISION_ENDED), 0);
    engine_world_tick(&w, 2 * TIME_DAY_MS);
    assert_int_equal(last_at(&w, DECISION_ENDED), T0 + 2 * TIME_DAY_MS);
    assert_int_equal(count_of(&w, DECISION_INTENT), 0);
    engine_world_close(&w);
}

TEST(moving, a_wait_that_would_be_over_ends_at_once)
{
    struct world w = world_of(OLD);
    engine_world_tick(&w, 3 * TIME_DAY_MS);
    publish(&w, "\"nodes\":[{\"id\":\"pause\",\"wait\":\"2 days\"}]", RECORD_MOVE);
    engine_world_tick(&w, 0);
    engine_world_tick(&w, 0);
    assert_int_equal(last_at(&w, DECISION_ENDED), T0 + 3 * TIME_DAY_MS);
    engine_world_close(&w);
}

TEST(moving, who_stands_at_a_node_that_is_gone_or_another_finishes_the_old)
{
    struct world w = world_of(OLD);
    publish(&w, "\"nodes\":[{\"id\":\"other\",\"wait\":\"2 days\"}]", RECORD_MOVE);
    engine_world_tick(&w, TIME_HOUR_MS);
    publish(&w,
            "\"nodes\":[{\"id\":\"pause\",\"wait_for\":{\"event\":\"X\"},\"within\":\"1 day\"}]",
            RECORD_MOVE);
    engine_world_tick(&w, TIME_HOUR_MS);
    assert_int_equal(count_of(&w, DECISION_MOVED), 0);
    engine_world_tick(&w, 5 * TIME_DAY_MS);
    assert_int_equal(count_of(&w, DECISION_INTENT), 1);
    engine_world_close(&w);
}

TEST(moving, the_exit_of_the_new_version_is_asked_at_once)
{
    struct world w = world_of(OLD);
    publish(&w,
            "\"exit_when\":\"did \\\"Start\\\"\","
            "\"nodes\":[{\"id\":\"pause\",\"wait\":\"5 days\"}]",
            RECORD_MOVE);
    engine_world_tick(&w, TIME_HOUR_MS);
    assert_int_equal(count_of(&w, DECISION_ENDED), 1);
    engine_world_close(&w);
}

TEST(moving, whoever_acts_before_the_job_comes_to_them_is_moved_first)
{
    struct world w = world_of(OLD);
    publish(&w, "\"nodes\":[{\"id\":\"pause\",\"wait\":\"9 days\"},{\"id\":\"end\",\"exit\":true}]",
            RECORD_MOVE);
    assert_ok(engine_world_tell(
        &w, (struct record){ .kind = RECORD_TRACK, .user_id = STR("ada"), .name = STR("Other") }));
    assert_int_equal(count_of(&w, DECISION_MOVED), 1);
    engine_world_tick(&w, TIME_HOUR_MS);
    assert_int_equal(count_of(&w, DECISION_MOVED), 1);
    engine_world_close(&w);
}

TEST(moving, counts_say_beforehand_who_would_move)
{
    struct world         w = world_of(OLD);
    struct segment_names names = program_names(engine_program(w.engine), false);
    struct journey       to;
    struct inside_count  count = counted(&w, NULL);
    assert_int_equal(count.people, 1);
    assert_int_equal(count.moves, 0);
    assert_ok(journey_parse(w.arena,
                            text_of(&w, "\"nodes\":[{\"id\":\"pause\",\"wait\":\"2 days\"}]"),
                            &names, &to, NULL));
    count = counted(&w, &to);
    assert_int_equal(count.moves, 1);
    assert_int_equal(count.nodes_count, 1);
    assert_true(str_eq(count.nodes[0].id, STR("pause")));
    engine_world_close(&w);
}

TEST(moving, a_job_under_way_is_read_back_also_of_an_older_program)
{
    struct world                 w = world_of(OLD);
    SCOPED(buf_donep) struct buf text = buf_make(1000), again = buf_make(1000);
    publish(&w, "\"nodes\":[{\"id\":\"pause\",\"wait\":\"2 days\"}]", RECORD_MOVE);
    engine_jobs_write(w.engine, &text);
    w.engine->jobs.count = 0;
    assert_ok(engine_jobs_load(w.engine, buf_view(&text)));
    engine_jobs_write(w.engine, &again);
    assert_true(w.engine->jobs.items[0].moves);
    assert_true(str_eq(buf_view(&text), buf_view(&again)));
    w.engine->jobs.count = 0;
    assert_ok(engine_jobs_load(w.engine, STR("3:7:100:1;")));
    assert_true(w.engine->jobs.items[0].fire && !w.engine->jobs.items[0].moves);
    w.engine->jobs.count = 0;
    engine_world_close(&w);
}

/* The message's place by the old version would be the wait's by the new one. */
TEST(moving, a_message_that_was_left_behind_ends_no_wait_of_the_new_version)
{
    struct world w = world_of("\"nodes\":[{\"id\":\"first\",\"wait\":\"1 hour\"},"
                              "{\"id\":\"mail\",\"email\":\"letter\"},"
                              "{\"id\":\"pause\",\"wait\":\"5 days\"},"
                              "{\"id\":\"last\",\"email\":\"letter\"}]");
    engine_world_tick(&w, 2 * TIME_HOUR_MS);
    assert_int_equal(count_of(&w, DECISION_INTENT), 1);
    publish(&w,
            "\"nodes\":[{\"id\":\"mail\",\"email\":\"letter\"},"
            "{\"id\":\"pause\",\"wait\":\"5 days\"},{\"id\":\"last\",\"email\":\"letter\"}]",
            RECORD_MOVE);
    engine_world_tick(&w, TIME_HOUR_MS);
    assert_int_equal(count_of(&w, DECISION_MOVED), 1);
    assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_CLAIM, .count = 1 }));
    assert_int_equal(count_of(&w, DECISION_DROPPED), 1); /* she has no address */
    engine_world_tick(&w, TIME_HOUR_MS);
    assert_int_equal(count_of(&w, DECISION_INTENT), 1);
    engine_world_tick(&w, 5 * TIME_DAY_MS);
    assert_int_equal(count_of(&w, DECISION_INTENT), 2);
    engine_world_close(&w);
}

TEST(moving, who_waits_until_a_time_waits_by_the_new_words_from_now_on)
{
    struct world w = world_of("\"nodes\":[{\"id\":\"pause\",\"wait_until\":\"monday 10:00\"},"
                              "{\"id\":\"mail\",\"email\":\"letter\"}]"); /* T0 is a Thursday */
    engine_world_tick(&w, TIME_HOUR_MS);
    publish(&w,
            "\"nodes\":[{\"id\":\"pause\",\"wait_until\":\"10:00\"},"
            "{\"id\":\"mail\",\"email\":\"letter\"}]",
            RECORD_MOVE);
    engine_world_tick(&w, TIME_HOUR_MS);
    engine_world_tick(&w, TIME_DAY_MS);
    assert_int_equal(count_of(&w, DECISION_INTENT), 1);
    assert_int_equal(last_at(&w, DECISION_INTENT), T0 + 10 * TIME_HOUR_MS);
    engine_world_close(&w);
}

/* Whose key is not known would be inside for no cart at all. */
TEST(moving, nobody_moves_into_a_version_with_another_key)
{
    struct world w = world_of(OLD);
    engine_world_tick(&w, TIME_DAY_MS);
    struct str text = STR("{\"journey\":\"j\",\"trigger\":{\"event\":\"Start\",\"key\":\"cart\"},"
                          "\"reentry\":\"always\"," OLD "}");
    assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_DEFINE,
                                                     .flags = RECORD_MOVE,
                                                     .definition_kind = DEFINE_JOURNEY,
                                                     .name = STR("j"),
                                                     .body = text }));
    engine_world_tick(&w, TIME_HOUR_MS);
    assert_int_equal(count_of(&w, DECISION_MOVED), 0);
    engine_world_tick(&w, 5 * TIME_DAY_MS);
    assert_int_equal(count_of(&w, DECISION_INTENT), 1);
    engine_world_close(&w);
}

/* Past a wait, ada gets what was put before it, once, and stands where she stood. */
TEST(moving, asked_for_they_get_what_is_new_before_where_they_stand_once_and_stay_there)
{
    static const char *const NEW =
        "\"nodes\":[{\"id\":\"first\",\"email\":\"letter\"},{\"id\":\"short\",\"wait\":\"1 hour\"},"
        "{\"id\":\"tell\",\"set\":{\"plan\":\"pro\"}},{\"id\":\"pause\",\"wait\":\"5 days\"},"
        "{\"id\":\"behind\",\"email\":\"letter\"},{\"id\":\"mail\",\"email\":\"letter\"}]";
    struct world w = world_of(OLD);
    engine_world_tick(&w, TIME_DAY_MS);
    publish(&w, NEW, RECORD_BACKFILL);
    engine_world_tick(&w, 0);
    assert_int_equal(count_of(&w, DECISION_MOVED), 1);
    assert_int_equal(count_of(&w, DECISION_INTENT), 1);
    assert_int_equal(w.out.told_count, 1);
    publish(&w, OLD, RECORD_MOVE);
    engine_world_tick(&w, 0);
    publish(&w, NEW, RECORD_BACKFILL);
    engine_world_tick(&w, 0);
    assert_int_equal(count_of(&w, DECISION_MOVED), 3);
    assert_int_equal(count_of(&w, DECISION_INTENT), 1);
    engine_world_tick(&w, 4 * TIME_DAY_MS);
    assert_int_equal(last_at(&w, DECISION_ENDED), T0 + 5 * TIME_DAY_MS);
    assert_int_equal(count_of(&w, DECISION_INTENT), 3);
    engine_world_close(&w);
}

TEST(moving, nothing_is_given_where_the_new_way_is_not_known_or_it_was_not_asked_for)
{
    static const char *const SPLIT =
        "\"nodes\":[{\"id\":\"which\",\"split\":\"plan = "
        "\\\"pro\\\"\",\"yes\":\"first\",\"no\":\"first\"},"
        "{\"id\":\"first\",\"email\":\"letter\"},{\"id\":\"pause\",\"wait\":\"5 days\"}]";
    struct world w = world_of(OLD);
    engine_world_tick(&w, TIME_DAY_MS);
    publish(&w, SPLIT, RECORD_BACKFILL);
    engine_world_tick(&w, 0);
    assert_int_equal(count_of(&w, DECISION_MOVED), 1);
    assert_int_equal(count_of(&w, DECISION_INTENT), 0);
    engine_world_close(&w);
}
