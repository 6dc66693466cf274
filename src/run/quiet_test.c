#include "run/quiet.h"

#include "base/test.h"

TEST(quiet, the_first_is_said_and_the_next_line_tells_how_many_were_not)
{
    struct quiet quiet = { 0 };
    uint64_t     unsaid = 99;
    assert_true(quiet_ask(&quiet, 7, 1000, &unsaid));
    assert_int_equal(unsaid, 0);
    for (int i = 0; i < 180; i++)
        assert_false(quiet_ask(&quiet, 7, 1000 + i * 333, &unsaid));
    assert_false(quiet_ask(&quiet, 7, 1000 + QUIET_MS - 1, &unsaid));
    assert_true(quiet_ask(&quiet, 7, 1000 + QUIET_MS, &unsaid));
    assert_int_equal(unsaid, 181);
    assert_false(quiet_ask(&quiet, 7, 1000 + QUIET_MS, &unsaid));
    assert_true(quiet_ask(&quiet, 7, 1000 + 9 * QUIET_MS, &unsaid));
    assert_int_equal(unsaid, 1);
}

TEST(quiet, one_kind_does_not_silence_another)
{
    struct quiet quiet = { 0 };
    uint64_t     unsaid;
    assert_true(quiet_ask(&quiet, 0, 0, &unsaid));
    assert_true(quiet_ask(&quiet, 1, 0, &unsaid));
    assert_false(quiet_ask(&quiet, 0, 1, &unsaid));
    assert_false(quiet_ask(&quiet, 1, 1, &unsaid));
}

TEST(quiet, however_many_kinds_there_are_a_minute_has_a_bounded_number_of_lines)
{
    struct quiet quiet = { 0 };
    uint64_t     unsaid = 0, said = 0;
    for (uint64_t kind = 0; kind < 10000; kind++)
        said += quiet_ask(&quiet, kind, 5, &unsaid);
    assert_int_equal(said, QUIET_KINDS_MAX + 1);
    assert_true(quiet_ask(&quiet, 20000, 5 + QUIET_MS, &unsaid)); /* a place is free again */
    assert_int_equal(unsaid, 0);
}
