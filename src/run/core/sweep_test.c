#include "run/core/sweep.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/test.h"

struct ended {
    atomic_int *gate; /* held up until it is 1; NULL: not at all */
    atomic_int  times;
    pthread_t   by;
};

static void end(void *what)
{
    struct ended *ended = what;
    while (ended->gate != NULL && atomic_load(ended->gate) == 0)
        usleep(100);
    ended->by = pthread_self();
    atomic_fetch_add(&ended->times, 1);
}

TEST(sweep, what_was_put_is_ended_once_and_by_another_thread)
{
    struct ended  ended[8] = { 0 };
    struct sweep *sweep = sweep_open();
    assert_non_null(sweep);
    for (int i = 0; i < 8; i++)
        sweep_put(sweep, end, &ended[i]);
    sweep_close(sweep);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(atomic_load(&ended[i].times), 1);
        assert_false(pthread_equal(ended[i].by, pthread_self()));
    }
}

/* One is held up, SWEEP_WAITING_MAX wait behind it. */
TEST(sweep, a_full_one_keeps_nobody_waiting)
{
    atomic_int    gate = 0;
    struct ended  held = { .gate = &gate }, waiting[SWEEP_WAITING_MAX + 1] = { 0 }, last = { 0 };
    struct sweep *sweep = sweep_open();
    assert_non_null(sweep);
    sweep_put(sweep, end, &held);
    for (int i = 0; i < SWEEP_WAITING_MAX + 1; i++)
        sweep_put(sweep, end, &waiting[i]);
    sweep_put(sweep, end, &last);
    assert_int_equal(atomic_load(&last.times), 1);
    assert_true(pthread_equal(last.by, pthread_self()));
    atomic_store(&gate, 1);
    sweep_close(sweep);
    for (int i = 0; i < SWEEP_WAITING_MAX + 1; i++)
        assert_int_equal(atomic_load(&waiting[i].times), 1);
}
