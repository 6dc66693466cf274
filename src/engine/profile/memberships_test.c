/* Memberships beside a plain array of them. */
#include "engine/profile/memberships.h"

#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "base/time.h"

enum { SEGMENTS = 60, CHANGES = 20000 };

static int64_t instant(uint64_t draw)
{
    static const int64_t some[] = { 0, 1, -1, TIME_MAX_MS, TIME_MAX_MS - 1, 1794787200000 };
    return some[draw % (sizeof some / sizeof some[0])] - (int64_t)(draw >> 40 & 1);
}

static struct membership drawn(uint64_t draw)
{
    return (struct membership){ .segment = (uint32_t)(draw % SEGMENTS),
                                .in = (draw >> 8 & 3) == 0,
                                .until_ms = (draw >> 10 & 1) ? TIME_NEVER : instant(draw >> 11),
                                .entered_ms = instant(draw >> 20) };
}

static void assert_same(struct membership a, struct membership b)
{
    assert_int_equal(a.segment, b.segment);
    assert_int_equal(a.in, b.in);
    assert_int_equal(a.until_ms, b.until_ms);
    assert_int_equal(a.entered_ms, b.entered_ms);
}

TEST(memberships, are_what_an_array_of_them_is)
{
    struct membership  plain[SEGMENTS];
    struct slab       *slab = slab_open();
    struct memberships all = { 0 };
    uint64_t           draw = 7;
    for (uint32_t i = 0; i < SEGMENTS; i++)
        plain[i] = (struct membership){ .segment = i, .until_ms = TIME_NEVER };
    for (int i = 0; i < CHANGES; i++) {
        draw = draw * 6364136223846793005u + 1442695040888963407u;
        struct membership one = drawn(draw >> 13 ^ draw >> 32);
        bool              says = one.in || one.until_ms != TIME_NEVER;
        assert_int_equal(memberships_set(&all, slab, one), OK);
        plain[one.segment] =
            says ? one : (struct membership){ .segment = one.segment, .until_ms = TIME_NEVER };
        uint32_t at = 0;
        for (uint32_t s = 0; s < SEGMENTS; s++) {
            assert_same(memberships_of(&all, s), plain[s]);
            if (!plain[s].in && plain[s].until_ms == TIME_NEVER)
                continue;
            assert_same(memberships_at(&all, at), plain[s]);
            assert_int_equal(memberships_until_ms(&all, at++), plain[s].until_ms);
        }
        assert_int_equal(all.count, at);
    }
    memberships_done(&all);
    assert_null(all.bytes);
    slab_close(slab);
}

TEST(memberships, keep_the_greatest_segment_and_the_ends_of_time)
{
    struct slab       *slab = slab_open();
    struct memberships all = { 0 };
    struct membership  last = { .segment = MEMBERSHIP_SEGMENTS - 1,
                                .in = true,
                                .until_ms = TIME_MAX_MS + 5,
                                .entered_ms = TIME_MIN_MS };
    assert_int_equal(memberships_set(&all, slab, last), OK);
    struct membership kept = memberships_of(&all, MEMBERSHIP_SEGMENTS - 1);
    assert_true(kept.in);
    assert_int_equal(kept.until_ms, TIME_NEVER);
    assert_true(kept.entered_ms < -INT64_C(28000000000000)); /* the year 1080 */
    assert_int_equal(kept.entered_ms, TIME_MAX_MS - (INT64_C(1) << 48) + 1);
    assert_false(memberships_of(&all, 0).in);
    memberships_prefetch(&all);
    memberships_done(&all);
    slab_close(slab);
}
