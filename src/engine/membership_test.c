/* Memberships that end by time alone. */
#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"

/* The first of them is gone by the time the next is asked, which then has its place. */
TEST(membership, all_that_end_at_one_instant_are_left_before_a_wait_that_ends_then)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "a", "did \"Start\" in the last 1 day"));
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "b", "did \"Start\" in the last 24 hours"));
    assert_ok(engine_world_define(
        &w, DEFINE_JOURNEY, "j",
        "{\"journey\":\"j\",\"trigger\":{\"event\":\"Start\"},\"nodes\":["
        "{\"id\":\"a\",\"wait\":\"1 day\"},{\"id\":\"b\",\"wait\":\"9 days\"}]}"));
    engine_world_tick(&w, 1); /* nobody is still to be asked by the definitions */
    assert_ok(engine_world_tell(
        &w, (struct record){ .kind = RECORD_TRACK, .user_id = STR("ada"), .name = STR("Start") }));
    assert_true(engine_world_is_in(&w, "a", "ada") && engine_world_is_in(&w, "b", "ada"));
    size_t at = w.out.decisions_count;
    engine_world_tick(&w, TIME_DAY_MS);
    const struct decision *d = &w.out.decisions[at];
    assert_int_equal(w.out.decisions_count, at + 3);
    assert_int_equal(d[0].kind, DECISION_LEFT);
    assert_int_equal(d[1].kind, DECISION_LEFT);
    assert_int_equal(d[2].kind, DECISION_STEP);
    assert_true(d[0].at_ms == d[2].at_ms);
    engine_world_close(&w);
}
