#include "engine/calendar.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/test.h"
#include "base/time.h"

TEST(calendar, timers_come_out_in_order_however_time_jumps)
{
    enum { COUNT = 20000 };
    struct calendar *calendar = calendar_open();
    uint64_t         random = 3;
    int64_t          now = INT64_C(1767323045678), last = 0;
    struct timer     timer;
    uint32_t         added = 0, taken = 0;

    assert_false(calendar_take(calendar, now, &timer));
    while (taken < COUNT) {
        for (int i = 0; i < 50 && added < COUNT; i++, added++) {
            random = hash_u64(random, 1);
            int64_t ahead = (int64_t)(random % 5) == 0
                                ? (int64_t)(random % (900 * (uint64_t)TIME_DAY_MS))
                                : (int64_t)(random % (uint64_t)(3 * TIME_HOUR_MS));
            assert_ok(calendar_add(calendar, (struct timer){ now + ahead, added }));
        }
        random = hash_u64(random, 2);
        now += (int64_t)(random % (uint64_t)(added < COUNT ? TIME_HOUR_MS : 40 * TIME_DAY_MS));
        last = 0;
        while (calendar_take(calendar, now, &timer)) {
            assert_true(timer.due_ms <= now && timer.due_ms >= last);
            last = timer.due_ms;
            taken++;
        }
        assert_true(calendar_next_ms(calendar) > now || calendar_count(calendar) > 0);
        assert_int_equal(calendar_count(calendar), added - taken);
    }
    assert_int_equal(calendar_next_ms(calendar), TIME_NEVER);
    calendar_close(calendar);
}

TEST(calendar, nothing_due_is_left_behind_at_any_instant)
{
    struct calendar *calendar = calendar_open();
    struct timer     timer;
    for (uint32_t day = 0; day < 2000; day++)
        assert_ok(calendar_add(calendar, (struct timer){ day * TIME_DAY_MS + 1, day }));
    assert_false(calendar_take(calendar, 0, &timer));
    for (uint32_t day = 0; day < 2000; day++) {
        assert_ok(calendar_add(calendar, (struct timer){ day * TIME_DAY_MS, 5000 + day }));
        assert_false(calendar_take(calendar, day * TIME_DAY_MS - 1, &timer));
        assert_true(calendar_take(calendar, day * TIME_DAY_MS + 1, &timer));
        assert_int_equal(timer.profile, 5000 + day);
        assert_true(calendar_take(calendar, day * TIME_DAY_MS + 1, &timer));
        assert_int_equal(timer.profile, day);
    }
    calendar_close(calendar);
}

static int compare(const void *a, const void *b)
{
    const struct timer *x = a, *y = b;
    if (x->due_ms != y->due_ms)
        return x->due_ms < y->due_ms ? -1 : 1;
    return (x->profile > y->profile) - (x->profile < y->profile);
}

/* Of many in one hour, many at one instant, some that come while it is open. */
TEST(calendar, an_hour_comes_out_by_instant_and_then_by_profile)
{
    enum { SORTED = 3000, LATE = 500, ALL = SORTED + LATE };
    struct calendar *calendar = calendar_open();
    uint64_t         random = 7;
    const int64_t    hour = INT64_C(490000) * TIME_HOUR_MS;
    struct timer     all[ALL], timer;
    assert_false(calendar_take(calendar, hour - TIME_HOUR_MS, &timer));
    for (uint32_t i = 0; i < ALL; i++) {
        random = hash_u64(random, i);
        int64_t instant = i % 3 == 0   ? 1000
                          : i % 3 == 1 ? 1000 + (int64_t)(random % 50)
                                       : (int64_t)(random % (uint64_t)(TIME_HOUR_MS - 1));
        all[i] = (struct timer){ hour + instant, (uint32_t)(random >> 32) };
    }
    for (uint32_t i = 0; i < SORTED; i++)
        assert_ok(calendar_add(calendar, all[i]));
    assert_null(calendar_coming(calendar, 0)); /* the hour is not open */
    assert_false(calendar_take(calendar, hour - 1, &timer));
    assert_false(calendar_take(calendar, hour, &timer) && timer.due_ms > hour);
    qsort(all, SORTED, sizeof all[0], compare);
    uint32_t gone = all[0].due_ms == hour;
    assert_int_equal(calendar_coming(calendar, 0)->profile, all[gone].profile);
    assert_int_equal(calendar_coming(calendar, 100)->due_ms, all[gone + 100].due_ms);
    assert_null(calendar_coming(calendar, SORTED - gone));
    for (uint32_t i = SORTED; i < ALL; i++)
        assert_ok(calendar_add(calendar, all[i]));
    qsort(all + gone, ALL - gone, sizeof all[0], compare);
    assert_int_equal(calendar_next_ms(calendar), all[gone].due_ms);
    for (uint32_t i = gone; i < ALL; i++) {
        assert_true(calendar_take(calendar, hour + TIME_HOUR_MS, &timer));
        assert_true(timer.due_ms == all[i].due_ms && timer.profile == all[i].profile);
    }
    assert_int_equal(calendar_next_ms(calendar), TIME_NEVER);
    calendar_close(calendar);
}

/* As after a load: everybody's timer is there before the first is taken. */
TEST(calendar, what_was_there_before_the_first_is_taken_goes_to_its_hour)
{
    struct calendar *calendar = calendar_open();
    const int64_t    t0 = INT64_C(490000) * TIME_HOUR_MS;
    struct timer     timer;
    static const int hours[] = { 100, 2, 1, 20000, 2, -3 };
    static const int wanted[] = { -3, 1, 2, 2, 100, 20000 };
    for (uint32_t i = 0; i < 6; i++)
        assert_ok(calendar_add(calendar, (struct timer){ t0 + hours[i] * TIME_HOUR_MS, i }));
    assert_int_equal(calendar_next_ms(calendar), t0 - 3 * TIME_HOUR_MS);
    for (int i = 0; i < 6; i++) {
        int64_t due_ms = t0 + wanted[i] * TIME_HOUR_MS;
        assert_false(calendar_take(calendar, due_ms - 1, &timer));
        if (wanted[i] == 2 && wanted[i - 1] != 2) {
            assert_true(calendar_take(calendar, due_ms, &timer));
            assert_int_equal(timer.profile, 1);
            assert_non_null(calendar_coming(calendar, 0)); /* sorted, not in the heap */
            continue;
        }
        assert_true(calendar_take(calendar, due_ms, &timer));
        assert_int_equal(timer.due_ms, due_ms);
    }
    assert_int_equal(calendar_count(calendar), 0);
    calendar_close(calendar);
}
