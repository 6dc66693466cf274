#include "run/core/checkpointing.h"

#include "base/test.h"

enum { RECORDS_A_TURN = 300 };

/* Records and rows until everyone is written. */
static void round_run(uint64_t people, uint64_t *records, uint64_t *rows_most)
{
    struct checkpointing turn = { .people = people, .fresh = RECORDS_A_TURN };
    *records = *rows_most = 0;
    for (uint64_t rows = 0; rows < people; *records += RECORDS_A_TURN) {
        uint32_t more = checkpointing_rows(&turn);
        rows += more;
        *rows_most = more > *rows_most ? more : *rows_most;
    }
}

TEST(checkpointing, a_record_never_brings_more_than_two_rows_however_many_people_there_are)
{
    static const uint64_t people[] = { 10, 1000000, 1000001, 50000000 };
    for (size_t i = 0; i < sizeof people / sizeof people[0]; i++) {
        uint64_t records, rows_most;
        round_run(people[i], &records, &rows_most);
        assert_in_range(rows_most, 1, 2 * RECORDS_A_TURN + 1);
    }
}

TEST(checkpointing, a_round_is_over_before_half_as_many_records_came_as_lie_between_two)
{
    static const uint64_t people[] = { 10, 1000000, 50000000 };
    for (size_t i = 0; i < sizeof people / sizeof people[0]; i++) {
        uint64_t records, rows_most;
        uint64_t every =
            people[i] < CHECKPOINTING_RECORDS_MIN ? CHECKPOINTING_RECORDS_MIN : people[i];
        round_run(people[i], &records, &rows_most);
        assert_in_range(records, 1, every / 2 + RECORDS_A_TURN);
    }
}

TEST(checkpointing, more_people_than_a_million_have_as_many_records_between_two_rounds)
{
    struct checkpointing now = { .people = 3000000, .since = 2999999 };
    assert_false(checkpointing_is_due(&now));
    now.since++;
    assert_true(checkpointing_is_due(&now));
    now = (struct checkpointing){ .people = 3, .since = CHECKPOINTING_RECORDS_MIN - 1 };
    assert_false(checkpointing_is_due(&now));
    now.since++;
    assert_true(checkpointing_is_due(&now));
}

TEST(checkpointing, a_round_begins_earlier_when_nobody_waits_and_at_the_end)
{
    struct checkpointing now = { .since = CHECKPOINTING_RECORDS_MIN / 4 };
    assert_false(checkpointing_is_due(&now));
    now.is_idle = true;
    assert_true(checkpointing_is_due(&now));
    now.since = CHECKPOINTING_RECORDS_MIN / 16;
    assert_false(checkpointing_is_due(&now));
    now.is_closing = true;
    assert_true(checkpointing_is_due(&now));
}

TEST(checkpointing, a_turn_without_records_goes_on_with_the_round)
{
    struct checkpointing now = { .people = 10 };
    assert_true(checkpointing_rows(&now) >= 1);
    now.is_idle = true;
    assert_int_equal(checkpointing_rows(&now), CHECKPOINTING_ROWS_IDLE);
}
