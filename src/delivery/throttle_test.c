#include "base/test.h"
#include "delivery/throttle.h"

TEST(throttle, a_fresh_throttle_gives_one_burst_and_then_makes_wait)
{
    struct throttle t = throttle_make((struct throttle_conf){ .per_s = 10, .burst = 3 });
    for (int i = 0; i < 3; i++)
        assert_int_equal(throttle_take(&t, 1000), 0);
    assert_int_equal(throttle_take(&t, 1000), 100000);
    assert_int_equal(throttle_take(&t, 101000), 0);
}

TEST(throttle, a_long_sleep_earns_one_burst_and_no_more)
{
    struct throttle t = throttle_make((struct throttle_conf){ .per_s = 100, .burst = 5 });
    int64_t         night_us = INT64_C(8) * 3600 * 1000000;
    int             taken = 0;
    assert_int_equal(throttle_take(&t, 0), 0);
    while (throttle_take(&t, night_us) == 0)
        taken++;
    assert_int_equal(taken, 5);
}

TEST(throttle, a_refused_take_costs_nothing)
{
    struct throttle t = throttle_make((struct throttle_conf){ .per_s = 1 });
    assert_int_equal(throttle_take(&t, 5), 0);
    int64_t wait_us = throttle_take(&t, 5);
    assert_int_equal(throttle_take(&t, 5), wait_us);
    assert_int_equal(throttle_take(&t, 5 + wait_us), 0);
}

TEST(throttle, no_minute_holds_more_than_the_rate_and_one_burst)
{
    struct throttle t = throttle_make((struct throttle_conf){ .per_s = 7, .burst = 4 });
    int             taken = 0;
    for (int64_t now_us = 0; now_us < 60000000; now_us += 997)
        taken += throttle_take(&t, now_us) == 0;
    assert_true(taken <= 60 * 7 + 4);
    assert_true(taken >= 60 * 7 - 1);
}

TEST(throttle, a_rate_of_zero_is_no_limit)
{
    struct throttle t = throttle_make((struct throttle_conf){ 0 });
    for (int i = 0; i < 1000; i++)
        assert_int_equal(throttle_take(&t, 1), 0);
}
