#include "run/core/merging.h"

#include "base/test.h"

#define BASE_BYTES (UINT64_C(20000000) * 22)

TEST(merging, a_base_is_made_when_one_event_in_32_is_new)
{
    struct merging merging = { .all = 20000000, .fresh = 20000000 / 32 };
    assert_true(merging_is_due(&merging));
    merging.fresh--;
    assert_false(merging_is_due(&merging));
}

TEST(merging, few_events_make_none_however_few_there_are_in_all)
{
    struct merging merging = { .all = 200000, .fresh = MERGING_EVENTS_MIN - 1 };
    assert_false(merging_is_due(&merging));
    merging.fresh++;
    assert_true(merging_is_due(&merging));
}

TEST(merging, events_in_a_rush_are_not_written_again_and_again)
{
    struct merging merging = { .all = 20000000, .fresh = 5000000, .last_bytes = BASE_BYTES };
    uint64_t       written = 0;
    for (int64_t now_us = 0; now_us < 600 * INT64_C(1000000); now_us += 100000) {
        merging.since_us += 100000;
        if (!merging_is_due(&merging))
            continue;
        written += BASE_BYTES;
        merging.since_us = 0;
    }
    assert_in_range(written, BASE_BYTES, UINT64_C(600) * MERGING_BYTES_A_S);
}
