#include "delivery/gather.h"

#include "base/test.h"

/* A far side that takes `each_us` for an answer, one after the other, over `connections`. */
struct far {
    struct gather g;
    int64_t       now_us, free_us; /* free: the far side, of what it was asked */
    int           asked;
    int           rounds, answers;
    int64_t       idle_us, slept_us_max;
};

static void play(struct far *far, int connections, int64_t each_us, int64_t until_us)
{
    far->asked = far->g.awaited = connections;
    for (far->free_us = far->now_us + each_us; far->now_us < until_us;) {
        if (far->free_us > far->now_us)
            far->now_us = far->free_us; /* woken by the first */
        while (far->asked > 0 && far->free_us <= far->now_us) {
            far->asked--;
            far->g.heard++;
            far->free_us += each_us;
        }
        if (far->asked == 0 && far->free_us - each_us < far->now_us) {
            far->idle_us += far->now_us - (far->free_us - each_us);
            far->free_us = far->now_us + each_us;
        }
        far->answers += far->g.heard;
        far->asked += far->g.heard; /* each is asked anew */
        far->rounds++;
        int64_t sleep_us = gather_round(&far->g, far->now_us);
        far->slept_us_max = sleep_us > far->slept_us_max ? sleep_us : far->slept_us_max;
        far->now_us += sleep_us;
    }
}

TEST(gather, a_crowd_that_speaks_one_by_one_is_heard_several_at_a_time)
{
    struct far far = { .now_us = 1000 };
    play(&far, 10, 60, 1000000);
    assert_true(far.answers > 16000);          /* nothing is lost: 60 us each */
    assert_true(far.rounds * 3 < far.answers); /* without it a round an answer */
    assert_true(far.idle_us < 10000);
}

TEST(gather, a_fast_far_side_is_not_kept_waiting)
{
    struct far far = { .now_us = 1000 };
    play(&far, 10, 10, 1000000);
    assert_true(far.answers > 90000);
    assert_true(far.rounds * 3 < far.answers);
    assert_true(far.idle_us < 100000);
}

TEST(gather, no_sleep_is_longer_than_its_bound)
{
    struct far far = { .now_us = 1000 };
    play(&far, 200, 150, 1000000);
    assert_true(far.slept_us_max > 100);
    assert_true(far.slept_us_max <= GATHER_US_MAX);
}

TEST(gather, few_answers_and_answers_at_leisure_are_heard_at_once)
{
    struct far few = { .now_us = 1000 }, slow = { .now_us = 1000 };
    play(&few, GATHER_AWAITED_MIN - 1, 60, 1000000);
    assert_int_equal(few.slept_us_max, 0);
    slow.g.each_us = 4 * GATHER_LEISURE_US;
    play(&slow, 10, GATHER_LEISURE_US + 10, 1000000);
    assert_int_equal(slow.slept_us_max, 0);
}

TEST(gather, a_round_without_an_answer_changes_nothing)
{
    struct gather g = { .awaited = 10, .round_us = 5, .each_us = 60, .sleep_us = 100 };
    assert_int_equal(gather_round(&g, 1000000), 0);
    assert_int_equal(g.each_us, 60);
    assert_int_equal(g.sleep_us, 100);
}
