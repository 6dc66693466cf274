#include "delivery/gather.h"

#include "base/test.h"

enum { CONNECTIONS_MAX = 256 };

/* A far side that takes `each_us` for an answer, one after the other, over `connections`. */
struct far {
    struct gather g;
    int64_t       now_us, free_us;        /* free: the far side, of what it was asked */
    uint32_t      marks[CONNECTIONS_MAX]; /* of those that wait, in a ring */
    uint32_t      first, asked;
    int           rounds, answers;
    int64_t       idle_us, slept_us_max;
};

static void ask(struct far *far)
{
    far->marks[(far->first + far->asked++) % CONNECTIONS_MAX] = gather_ask(&far->g);
}

static void answer(struct far *far)
{
    gather_leave(&far->g, far->marks[far->first++ % CONNECTIONS_MAX]);
    far->asked--;
    far->g.heard++;
}

static void play(struct far *far, int connections, int64_t each_us, int64_t until_us)
{
    far->g.full = 1;
    for (int i = 0; i < connections; i++)
        ask(far);
    for (far->free_us = far->now_us + each_us; far->now_us < until_us;) {
        if (far->free_us > far->now_us)
            far->now_us = far->free_us; /* woken by the first */
        while (far->asked > 0 && far->free_us <= far->now_us) {
            answer(far);
            far->free_us += each_us;
        }
        if (far->asked == 0 && far->free_us - each_us < far->now_us) {
            far->idle_us += far->now_us - (far->free_us - each_us);
            far->free_us = far->now_us + each_us;
        }
        far->answers += far->g.heard;
        for (int i = 0; i < far->g.heard; i++)
            ask(far); /* each anew */
        far->rounds++;
        int64_t sleep_us = gather_round(&far->g, far->now_us);
        far->slept_us_max = sleep_us > far->slept_us_max ? sleep_us : far->slept_us_max;
        far->now_us += sleep_us;
    }
}

TEST(gather, a_crowd_that_speaks_one_by_one_is_heard_several_at_a_time)
{
    struct far far = { .g = gather_make(), .now_us = 1000 };
    play(&far, 10, 60, 1000000);
    assert_true(far.answers > 16000);          /* nothing is lost: 60 us each */
    assert_true(far.rounds * 3 < far.answers); /* without it a round an answer */
    assert_true(far.idle_us < 10000);
}

TEST(gather, a_fast_far_side_is_not_kept_waiting)
{
    struct far far = { .g = gather_make(), .now_us = 1000 };
    play(&far, 10, 10, 1000000);
    assert_true(far.answers > 90000);
    assert_true(far.rounds * 3 < far.answers);
    assert_true(far.idle_us < 100000);
}

TEST(gather, no_sleep_is_longer_than_its_bound)
{
    struct far far = { .g = gather_make(), .now_us = 1000 };
    play(&far, 200, 150, 1000000);
    assert_true(far.slept_us_max > 100);
    assert_true(far.slept_us_max <= GATHER_US_MAX);
}

TEST(gather, who_is_far_away_or_hangs_makes_nobody_wait_for_a_crowd_that_is_not_there)
{
    enum { NEAR = 4, FAR = 20, EACH_US = 10 };
    struct far far = { .g = gather_make(), .now_us = 1000 };
    for (int i = 0; i < FAR; i++)
        (void)gather_ask(&far.g); /* and never an answer */
    play(&far, NEAR, EACH_US, 1000000);
    assert_true(far.idle_us < 200000);
    assert_true(far.answers > 1000000 / EACH_US * 8 / 10);
}

TEST(gather, few_answers_and_answers_at_leisure_are_heard_at_once)
{
    struct far few = { .g = gather_make(), .now_us = 1000 }, slow = few;
    play(&few, GATHER_AWAITED_MIN - 1, 60, 1000000);
    assert_int_equal(few.slept_us_max, 0);
    play(&slow, 10, GATHER_LEISURE_US + 10, 1000000);
    assert_int_equal(slow.slept_us_max, 0);
}

TEST(gather, while_there_is_room_answers_that_come_often_are_heard_several_at_a_time)
{
    struct gather g = gather_make();
    int64_t       now_us = 0, slept_us = 0;
    for (int i = 0; i < 100; i++) { /* each 300 us one, as from a thread that signs */
        g.heard = (int32_t)(slept_us / 300) + 1;
        now_us += 300;
        slept_us = gather_round(&g, now_us);
        now_us += slept_us;
    }
    assert_int_equal(slept_us, GATHER_ROOM_US);
    g.full = 1; /* now somebody waits for a place */
    g.heard = 1;
    assert_int_equal(gather_round(&g, now_us + 300), 0);
    g.full = 0;
    for (int i = 0; i < 100; i++) {
        g.heard = 1;
        now_us += GATHER_ROOM_LEISURE_US + 100;
        slept_us = gather_round(&g, now_us);
    }
    assert_int_equal(slept_us, 0);
}

TEST(gather, a_round_without_an_answer_changes_nothing)
{
    struct gather g = { .asked = { 10 }, .round_us = 5, .each_us = 60, .sleep_us = 100 };
    assert_int_equal(gather_round(&g, 1000000), 0);
    assert_int_equal(g.each_us, 60);
    assert_int_equal(g.sleep_us, 100);
}
