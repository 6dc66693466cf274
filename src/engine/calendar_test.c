#include "engine/calendar.h"

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
