#include "engine/report/times.h"

#include "base/test.h"

TEST(times, every_length_lies_in_the_bucket_that_begins_at_or_before_it_and_no_later_one)
{
    for (int64_t length = 0; length < INT64_C(1) << 45; length += 1 + length / 5) {
        uint32_t bucket = times_bucket(length);
        assert_true(times_from_ms(bucket) <= length && length < times_from_ms(bucket + 1));
        if (length > 0)
            assert_true(times_bucket(length - 1) == bucket ||
                        times_bucket(length - 1) + 1 == bucket || times_from_ms(bucket) <= length);
    }
    assert_int_equal(times_bucket(INT64_MAX), TIMES_BUCKETS - 1);
}

TEST(times, a_median_is_off_by_a_sixteenth_at_most)
{
    static struct times times;
    for (int64_t i = 1; i <= 1001; i++)
        times_put(&times, i * 3600000);
    int64_t median = times_share_ms(&times, 0.5), exact = 501 * INT64_C(3600000);
    assert_true(median > exact - exact / 16 && median < exact + exact / 16);
    int64_t most = times_share_ms(&times, 0.9);
    exact = 901 * INT64_C(3600000);
    assert_true(most > exact - exact / 16 && most < exact + exact / 16);
}

TEST(times, what_two_threads_counted_adds_up)
{
    static struct times a, b, none;
    times_put(&a, 5);
    times_put(&b, 5);
    times_put(&b, 7000);
    times_add(&a, &b);
    assert_int_equal(a.count, 3);
    assert_int_equal(a.buckets[times_bucket(5)], 2);
    assert_int_equal(times_share_ms(&none, 0.5), -1);
}
