/* What is left of the decisions about an erased profile: enough for those it was one with. */
#include "base/test.h"
#include "engine/broadcast.h"
#include "engine/erasure.h"

enum { LIVING = 0, ERASED = 1 };

/* Decisions as they are stored, by id from 1. */
static const struct decision story[] = {
    { .kind = DECISION_ENROLLED, .id = 1, .profile = LIVING },
    { .kind = DECISION_MERGE, .id = 2, .profile = ERASED, .subject = LIVING },
    { .kind = DECISION_UNMERGE, .id = 3, .profile = ERASED },
    { .kind = DECISION_STEP, .id = 4, .profile = ERASED, .subject = 1 },
    { .kind = DECISION_ENROLLED, .id = 5, .profile = ERASED },
    { .kind = DECISION_STEP, .id = 6, .profile = ERASED, .subject = 5 },
    { .kind = DECISION_ENROLLED, .id = 7, .profile = ERASED },
    { .kind = DECISION_ENDED, .id = 8, .profile = ERASED, .subject = 7 },
    { .kind = DECISION_INTENT, .id = 9, .profile = ERASED, .subject = 5 },
    { .kind = DECISION_INTENT, .id = 10, .profile = ERASED, .subject = 5 },
    { .kind = DECISION_SENT, .id = 11, .profile = ERASED, .subject = 10 },
    { .kind = DECISION_ENTERED, .id = 12, .profile = ERASED, .subject = 3 },
    { .kind = DECISION_MERGE, .id = 13, .profile = LIVING, .subject = ERASED },
    { .kind = DECISION_UNMERGE, .id = 14, .profile = LIVING },
    { .kind = DECISION_ENROLLED, .id = 15, .profile = ERASED },
    { .kind = DECISION_ERASED, .id = 16, .profile = ERASED },
    { .kind = DECISION_STEP, .id = 17, .profile = LIVING, .subject = 5 },
};

enum { DECISIONS = sizeof story / sizeof story[0] };

/* Of the first `count` decisions; nobody looks ahead. */
static struct erasure *seen(size_t count)
{
    struct erasure *erasure = erasure_open();
    assert_non_null(erasure);
    assert_ok(erasure_add(erasure, ERASED));
    for (size_t i = 0; i < count; i++)
        assert_ok(erasure_see(erasure, &story[i]));
    return erasure;
}

static enum erasure_rest rest(const struct erasure *erasure, uint64_t id)
{
    return erasure_rest(erasure, &story[id - 1]);
}

TEST(erasure, an_enrollment_that_went_over_to_the_living_by_a_merge_stays_bare)
{
    struct erasure *erasure = seen(DECISIONS);
    assert_int_equal(rest(erasure, 5), ERASURE_BARE);
    assert_int_equal(rest(erasure, 6), ERASURE_BARE);
    assert_int_equal(rest(erasure, 9), ERASURE_BARE); /* a message that waits goes over, too */
    assert_true(erasure_was_absorbed(erasure, ERASED));
    erasure_close(erasure);
}

/* Else its next step, with the living one, would be of nothing after a start. */
TEST(erasure, an_enrollment_that_waits_with_the_living_stays_though_they_did_not_go_on_yet)
{
    struct erasure *erasure = seen(16);
    assert_int_equal(rest(erasure, 5), ERASURE_BARE);
    assert_false(erasure_drops(erasure, 5));
    erasure_close(erasure);
}

TEST(erasure, an_enrollment_that_had_ended_before_the_merge_stays_for_it_counts_for_entering_again)
{
    struct erasure *erasure = seen(DECISIONS);
    assert_int_equal(rest(erasure, 7), ERASURE_BARE);
    assert_int_equal(rest(erasure, 8), ERASURE_BARE);
    erasure_close(erasure);
}

TEST(erasure, nothing_is_left_of_what_was_sent_or_known_or_begun_when_they_were_parted)
{
    struct erasure *erasure = seen(DECISIONS);
    assert_int_equal(rest(erasure, 10), ERASURE_NOTHING);
    assert_int_equal(rest(erasure, 11), ERASURE_NOTHING);
    assert_int_equal(rest(erasure, 12), ERASURE_NOTHING);
    assert_int_equal(rest(erasure, 15), ERASURE_NOTHING);
    assert_true(erasure_drops(erasure, 15));
    erasure_close(erasure);
}

TEST(erasure, nothing_is_left_of_enrollments_that_nobody_took_over)
{
    struct erasure *erasure = seen(12);
    assert_int_equal(rest(erasure, 5), ERASURE_NOTHING);
    assert_int_equal(rest(erasure, 6), ERASURE_NOTHING);
    assert_int_equal(rest(erasure, 9), ERASURE_NOTHING);
    assert_false(erasure_was_absorbed(erasure, ERASED));
    erasure_close(erasure);
}

TEST(erasure, a_step_in_what_the_living_had_begun_stays_bare)
{
    struct erasure *erasure = seen(DECISIONS);
    assert_int_equal(rest(erasure, 1), ERASURE_WHOLE);
    assert_int_equal(rest(erasure, 4), ERASURE_BARE);
    assert_int_equal(rest(erasure, 17), ERASURE_WHOLE);
    erasure_close(erasure);
}

static struct erasure *of(const struct decision *decisions, size_t count)
{
    struct erasure *erasure = erasure_open();
    assert_non_null(erasure);
    assert_ok(erasure_add(erasure, ERASED));
    for (size_t i = 0; i < count; i++)
        assert_ok(erasure_see(erasure, &decisions[i]));
    return erasure;
}

TEST(erasure, nothing_is_left_of_a_code_of_a_broadcast_unless_a_living_one_took_its_message_over)
{
    const uint64_t        key = broadcast_key(3, ERASED);
    const struct decision decisions[] = {
        { .kind = DECISION_INTENT, .id = 1, .profile = ERASED, .subject = key },
        { .kind = DECISION_CODE, .id = 2, .profile = ERASED, .subject = key },
        { .kind = DECISION_MERGE, .id = 3, .profile = LIVING, .subject = ERASED },
    };
    struct erasure *alone = of(decisions, 2), *carried = of(decisions, 3);
    assert_int_equal(erasure_rest(alone, &decisions[1]), ERASURE_NOTHING);
    assert_true(erasure_drops(alone, key));
    assert_int_equal(erasure_rest(carried, &decisions[1]), ERASURE_BARE);
    assert_false(erasure_drops(carried, key));
    assert_false(erasure_drops(alone, broadcast_key(4, ERASED)));
    erasure_close(alone);
    erasure_close(carried);
}

/* The message goes back with the profile, and on to whoever absorbs that one. */
TEST(erasure, a_broadcasts_message_that_parted_stays_bare_for_it_is_not_followed)
{
    const uint64_t        key = broadcast_key(3, ERASED);
    const struct decision decisions[] = {
        { .kind = DECISION_INTENT, .id = 1, .profile = ERASED, .subject = key },
        { .kind = DECISION_UNMERGE, .id = 2, .profile = ERASED },
        { .kind = DECISION_INTENT, .id = 3, .profile = ERASED, .subject = key },
    };
    struct erasure *erasure = of(decisions, 3);
    assert_int_equal(erasure_rest(erasure, &decisions[0]), ERASURE_BARE);
    assert_int_equal(erasure_rest(erasure, &decisions[2]), ERASURE_NOTHING);
    erasure_close(erasure);
}

/* Else it has another when its message, which had failed, is tried again after the next start. */
TEST(erasure, the_code_of_one_who_parted_stays_though_it_was_given_under_the_erased_ones_number)
{
    const uint64_t        key = broadcast_key(3, LIVING);
    const struct decision decisions[] = {
        { .kind = DECISION_MERGE, .id = 1, .profile = ERASED, .subject = LIVING },
        { .kind = DECISION_INTENT, .id = 2, .profile = ERASED, .subject = key },
        { .kind = DECISION_CODE, .id = 3, .profile = ERASED, .subject = key },
        { .kind = DECISION_FAILED, .id = 4, .profile = ERASED, .subject = 2 },
        { .kind = DECISION_UNMERGE, .id = 5, .profile = ERASED },
    };
    struct erasure *erasure = of(decisions, 5);
    assert_int_equal(erasure_rest(erasure, &decisions[1]), ERASURE_NOTHING);
    assert_int_equal(erasure_rest(erasure, &decisions[2]), ERASURE_BARE);
    assert_int_equal(erasure_rest(erasure, &decisions[3]), ERASURE_NOTHING);
    assert_false(erasure_drops(erasure, key));
    erasure_close(erasure);
}

TEST(erasure, of_many_keys_each_is_judged_by_what_was_queued_under_it)
{
    enum { KEYS = 3000 };
    struct erasure *erasure = of(NULL, 0);
    for (uint32_t i = 0; i < KEYS; i++) {
        struct decision intent = { .kind = DECISION_INTENT,
                                   .id = i + 1,
                                   .profile = ERASED,
                                   .subject = broadcast_key(i, ERASED) };
        struct decision sent = {
            .kind = DECISION_SENT, .id = KEYS + 1 + i, .profile = ERASED, .subject = i + 1
        };
        assert_ok(erasure_see(erasure, &intent));
        if (i % 3 == 0)
            assert_ok(erasure_see(erasure, &sent));
    }
    assert_ok(erasure_see(erasure, &(struct decision){ .kind = DECISION_MERGE,
                                                       .id = 3 * KEYS,
                                                       .profile = LIVING,
                                                       .subject = ERASED }));
    for (uint32_t i = 0; i < KEYS; i++)
        assert_int_equal(erasure_drops(erasure, broadcast_key(i, ERASED)), i % 3 == 0);
    erasure_close(erasure);
}

/* The living one's decision is about it, and would be about nothing after a start. */
TEST(erasure, what_is_in_doubt_goes_over_to_the_living_who_settles_it)
{
    const struct decision decisions[] = {
        { .kind = DECISION_INTENT, .id = 1, .profile = ERASED, .subject = 77 },
        { .kind = DECISION_CLAIMED, .id = 2, .profile = ERASED, .subject = 1 },
        { .kind = DECISION_UNKNOWN, .id = 3, .profile = ERASED, .subject = 1 },
        { .kind = DECISION_MERGE, .id = 4, .profile = LIVING, .subject = ERASED },
        { .kind = DECISION_SENT, .id = 5, .profile = LIVING, .subject = 1 },
    };
    struct erasure *alone = of(decisions, 3), *carried = of(decisions, 5);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(erasure_rest(alone, &decisions[i]), ERASURE_NOTHING);
        assert_int_equal(erasure_rest(carried, &decisions[i]), ERASURE_BARE);
    }
    assert_int_equal(erasure_rest(carried, &decisions[4]), ERASURE_WHOLE);
    erasure_close(alone);
    erasure_close(carried);
}
