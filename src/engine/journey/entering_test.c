/* What would let somebody into a journey, by example. */
#include "engine/journey/entering.h"

#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"

static struct world world_of(const char *more)
{
    struct world       w = engine_world_open();
    struct json_member member = { STR("timezone"),
                                  { .kind = JSON_STRING, .string = STR("Far/East") } };
    struct json        object = { .kind = JSON_OBJECT, .count = 1, .members = &member };
    struct str         text = str_format(w.arena,
                                         "{\"journey\":\"j\",\"trigger\":{\"event\":\"Start\"},%s"
                                                 "\"nodes\":[{\"id\":\"w\",\"wait\":\"1 day\"}]}",
                                         more);
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "j", text.ptr));
    assert_ok(engine_world_tell(
        &w,
        (struct record){ .kind = RECORD_IDENTIFY, .user_id = STR("ada"), .properties = &object }));
    return w;
}

static void start(struct world *w)
{
    assert_ok(engine_world_tell(
        w, (struct record){ .kind = RECORD_TRACK, .user_id = STR("ada"), .name = STR("Start") }));
}

static void expect(struct world *w, const char *wanted)
{
    SCOPED(buf_donep) struct buf out = buf_make(1 << 20);
    struct json                  value;
    entering_write(w->engine, engine_find(w->engine, STR("ada")),
                   program_journey(engine_program(w->engine), STR("j")), &out);
    assert_ok(buf_err(&out));
    assert_ok(json_parse_once(w->arena, buf_view(&out), &value, NULL));
    if (str_find(buf_view(&out), 0, str_of(wanted)) >= out.len)
        fail_msg("no %s in %.*s", wanted, STR_ARG(buf_view(&out)));
}

TEST(entering, who_was_never_inside_comes_in_and_once_is_once)
{
    struct world w = world_of("");
    expect(&w, "\"begins\":\"the event \\\"Start\\\"\",\"reentry\":\"once\",\"enters\":true");
    start(&w);
    expect(&w, "\"enters\":false,\"why_not\":\"already inside\"");
    engine_world_tick(&w, 2 * TIME_DAY_MS);
    expect(&w, "\"enters\":false,\"why_not\":\"was inside before, and comes in once\"");
    engine_world_close(&w);
}

TEST(entering, the_date_from_which_on_they_come_in_again_is_the_one_on_which_they_do)
{
    struct world w = world_of("\"reentry\":\"after 30 days\",");
    start(&w);
    engine_world_tick(&w, 30 * TIME_DAY_MS - 1);
    expect(&w, "\"from\":\"2026-01-31T00:00:00");
    expect(&w, "\"from_local\":\"2026-01-31 14:00\"");
    engine_world_tick(&w, 1);
    expect(&w, "\"enters\":true");
    uint32_t times = 0;
    start(&w);
    for (size_t i = 0; i < w.out.decisions_count; i++)
        times += w.out.decisions[i].kind == DECISION_ENROLLED;
    assert_int_equal(times, 2);
    engine_world_close(&w);
}

/* Each is asked before it happens: the answer is what is decided then. */
TEST(entering, who_will_be_held_out_is_told_so_and_nobody_else)
{
    struct world w = world_of("\"holdout\":{\"share\":50},");
    uint32_t     out_count = 0;
    for (int i = 0; i < 20; i++) {
        struct str                   user = str_format(w.arena, "u%d", i);
        SCOPED(buf_donep) struct buf out = buf_make(1 << 20);
        struct record                visit = { .kind = RECORD_TRACK, .user_id = user };
        visit.name = STR("Visit");
        assert_ok(engine_world_tell(&w, visit));
        entering_write(w.engine, engine_find(w.engine, user),
                       program_journey(engine_program(w.engine), STR("j")), &out);
        bool   is_out = str_find(buf_view(&out), 0, STR("is one of those held out")) < out.len;
        size_t from = w.out.decisions_count;
        bool   was_held = false;
        visit.name = STR("Start");
        assert_ok(engine_world_tell(&w, visit));
        for (size_t k = from; k < w.out.decisions_count; k++)
            was_held = was_held || w.out.decisions[k].kind == DECISION_HELD_OUT;
        assert_int_equal(is_out, was_held);
        out_count += is_out;
    }
    assert_in_range(out_count, 1, 19);
    engine_world_close(&w);
}

TEST(entering, with_a_key_another_value_lets_in_at_once)
{
    struct world       w = engine_world_open();
    struct json_member member = { STR("cart"), { .kind = JSON_STRING, .string = STR("c1") } };
    struct json        bag = { .kind = JSON_OBJECT, .count = 1, .members = &member };
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "j",
                                  "{\"journey\":\"j\",\"trigger\":{\"event\":\"Start\",\"key\":"
                                  "\"cart\"},\"nodes\":[{\"id\":\"x\",\"exit\":true}]}"));
    assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_TRACK,
                                                     .user_id = STR("ada"),
                                                     .name = STR("Start"),
                                                     .properties = &bag }));
    expect(&w, "\"enters\":true");
    expect(&w, "\"key\":\"cart\"");
    engine_world_close(&w);
}

TEST(entering, who_is_held_out_is_told_so_and_no_date)
{
    struct world w = world_of("\"reentry\":\"after 3 days\",\"holdout\":{\"share\":50},");
    for (int i = 0; i < 40; i++) {
        struct str user = str_format(w.arena, "u%d", i);
        assert_ok(engine_world_tell(
            &w, (struct record){ .kind = RECORD_TRACK, .user_id = user, .name = STR("Start") }));
        SCOPED(buf_donep) struct buf out = buf_make(1 << 20);
        bool is_out = w.out.decisions[w.out.decisions_count - 1].kind == DECISION_HELD_OUT;
        entering_write(w.engine, engine_find(w.engine, user), 0, &out);
        size_t at = str_find(buf_view(&out), 0, STR("held out"));
        assert_int_equal(at < out.len, is_out);
    }
    engine_world_close(&w);
}
