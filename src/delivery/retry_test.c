#include "delivery/retry.h"

#include "base/test.h"
#include "base/time.h"

static struct retry deferred(uint32_t attempt, int64_t first_ms, int64_t now_ms)
{
    return (struct retry){ .attempt = attempt,
                           .first_ms = first_ms,
                           .now_ms = now_ms,
                           .result = DELIVERY_DEFERRED,
                           .seed = 7719 };
}

TEST(retry, the_first_pauses_are_a_minute_five_fifteen_an_hour_and_three)
{
    const int64_t minutes[] = { 1, 5, 15, 60, 180, 360, 360 };
    for (uint32_t i = 0; i < 7; i++) {
        struct retry r = deferred(i + 1, 0, 1000);
        int64_t      pause = retry_at_ms(&r) - 1000;
        assert_true(pause >= minutes[i] * TIME_MINUTE_MS);
        assert_true(pause < minutes[i] * TIME_MINUTE_MS * 6 / 5);
    }
}

TEST(retry, every_run_of_deferrals_ends_within_48_hours)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct retry r = deferred(1, 5000, 5000);
        r.seed = seed;
        uint32_t tries = 0;
        for (;;) {
            int64_t at_ms = retry_at_ms(&r);
            if (at_ms == TIME_NEVER)
                break;
            assert_true(at_ms > r.now_ms);
            assert_true(at_ms <= 5000 + RETRY_WINDOW_MS);
            r.now_ms = at_ms;
            r.attempt++;
            tries++;
        }
        assert_in_range(tries, 8, 14);
    }
}

TEST(retry, what_is_unknown_is_never_tried_again)
{
    struct retry r = deferred(1, 0, 0);
    r.result = DELIVERY_UNKNOWN;
    assert_true(retry_at_ms(&r) == TIME_NEVER);
    r.result = DELIVERY_FAILED;
    assert_true(retry_at_ms(&r) == TIME_NEVER);
    r.result = DELIVERY_SENT;
    assert_true(retry_at_ms(&r) == TIME_NEVER);
}

TEST(retry, what_was_returned_may_go_at_once)
{
    struct retry r = deferred(1, 0, 99);
    r.result = DELIVERY_RETURNED;
    assert_int_equal(retry_at_ms(&r), 99);
}

TEST(retry, messages_deferred_together_come_back_apart)
{
    struct retry a = deferred(2, 0, 0), b = deferred(2, 0, 0);
    b.seed = 7720;
    assert_int_not_equal(retry_at_ms(&a), retry_at_ms(&b));
    assert_int_equal(retry_at_ms(&a), retry_at_ms(&a));
}

TEST(retry, a_hosts_backoff_doubles_up_to_its_bound)
{
    struct backoff_conf conf = { .first_ms = 1000, .most_ms = 60000 };
    assert_int_equal(backoff_ms(conf, 1, 0), 1000);
    assert_int_equal(backoff_ms(conf, 3, 0), 4000);
    assert_int_equal(backoff_ms(conf, 40, 0), 60000);
    for (uint64_t chance = 0; chance < 5000; chance += 13) {
        int64_t ms = backoff_ms(conf, 3, chance * 7919);
        assert_true(ms >= 2000 && ms <= 4000);
    }
}
