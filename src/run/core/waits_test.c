#include "run/core/waits.h"

#include "base/test.h"

TEST(waits, a_percentile_is_right_to_an_eighth)
{
    static struct waits waits;
    for (int64_t i = 1; i <= 100000; i++)
        waits_add(&waits, i * 10);
    for (double share = 0.001; share <= 1.0; share += 0.001) {
        double exact = share * 1e6, told = (double)waits_percentile(&waits, share);
        assert_true(told >= exact * 0.999 && told <= exact * 1.13 + 10);
    }
}

TEST(waits, one_long_wait_in_a_thousand_shows_beyond_the_999_only)
{
    static struct waits waits;
    for (int i = 0; i < 9999; i++)
        waits_add(&waits, 1000);
    waits_add(&waits, 5000000);
    assert_true(waits_percentile(&waits, 0.999) < 1200);
    assert_true(waits_percentile(&waits, 1.0) >= 5000000);
}

TEST(waits, nothing_measured_is_zero_and_the_longest_wait_has_a_class)
{
    static struct waits waits;
    assert_int_equal(waits_percentile(&waits, 0.999), 0);
    waits_add(&waits, INT64_MAX);
    waits_add(&waits, -1);
    assert_true(waits_percentile(&waits, 1.0) > 1000000);
    assert_int_equal(waits_percentile(&waits, 0.4), 0);
}
