#include "run/api/crew.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/test.h"

enum { PROFILES = 20 * CREW_PART_PROFILES + 77 };

struct asking {
    struct crew     *crew;
    struct crew_work work;
    unsigned char   *seen;
    atomic_uint      parts, hands_seen, done;
    uint32_t         over_after;
    bool             is_whole;
    atomic_int       niceness;
};

static void part(void *context, uint32_t hand, uint32_t from, uint32_t to)
{
    struct asking *asking = context;
    for (uint32_t p = from; p < to; p++)
        asking->seen[p]++;
    atomic_fetch_or(&asking->hands_seen, 1u << hand);
    atomic_fetch_add(&asking->parts, 1);
    usleep(500);
}

static bool is_over(void *context)
{
    struct asking *asking = context;
    return asking->over_after > 0 && atomic_load(&asking->parts) >= asking->over_after;
}

static void serve(void *context, uint32_t thread, void *item)
{
    struct asking *asking = item;
    (void)context, (void)thread;
    asking->work.context = asking;
    asking->work.part = part;
    asking->work.is_over = is_over;
    asking->work.profiles = PROFILES;
    atomic_store(&asking->niceness, getpriority(PRIO_PROCESS, (id_t)gettid()));
    asking->is_whole = crew_share(asking->crew, &asking->work);
    atomic_store(&asking->done, 1);
}

static void ask(struct asking *asking, uint32_t threads, uint32_t hands)
{
    struct crew_conf conf = { .threads = threads, .waiting_max = 4, .serve = serve };
    *asking = (struct asking){ .over_after = asking->over_after, .seen = calloc(PROFILES, 1) };
    asking->work.hands = hands;
    assert_ok(crew_open(&asking->crew, &conf));
    assert_ok(crew_put(asking->crew, asking));
    while (atomic_load(&asking->done) == 0)
        usleep(1000);
    crew_close(asking->crew);
}

/* On a machine that is busy otherwise one of them may have done all before the other is awake. */
TEST(crew, every_profile_is_asked_once_and_both_threads_help)
{
    enum { TRIES = 100, BOTH = 3 };
    unsigned hands = 0;
    for (int i = 0; i < TRIES && hands != BOTH; i++) {
        struct asking asking = { 0 };
        ask(&asking, 2, 0);
        assert_true(asking.is_whole);
        for (uint32_t p = 0; p < PROFILES; p++)
            assert_int_equal(asking.seen[p], 1);
        hands = atomic_load(&asking.hands_seen);
        free(asking.seen);
    }
    assert_int_equal(hands, BOTH);
}

TEST(crew, whoever_asks_for_one_thread_gets_one)
{
    struct asking asking = { 0 };
    ask(&asking, 2, 1);
    assert_true(asking.is_whole);
    assert_int_equal(atomic_load(&asking.hands_seen), 1);
    free(asking.seen);
}

TEST(crew, work_that_nobody_waits_for_ends_early_and_says_so)
{
    struct asking asking = { .over_after = 3 };
    ask(&asking, 2, 0);
    assert_false(asking.is_whole);
    assert_true(atomic_load(&asking.parts) < 6);
    free(asking.seen);
}

TEST(crew, its_threads_are_politer_than_the_rest)
{
    struct asking asking = { 0 };
    ask(&asking, 1, 0);
    assert_int_equal(atomic_load(&asking.niceness),
                     getpriority(PRIO_PROCESS, 0) + CREW_NICENESS > 19
                         ? 19
                         : getpriority(PRIO_PROCESS, 0) + CREW_NICENESS);
    free(asking.seen);
}

static void hold(void *context, uint32_t thread, void *item)
{
    atomic_int *gate = context;
    (void)thread, (void)item;
    while (atomic_load(gate) == 0)
        usleep(1000);
}

TEST(crew, more_than_may_wait_are_told_to_come_again)
{
    atomic_int       gate = 0;
    struct crew     *crew;
    struct crew_conf conf = { .threads = 1, .waiting_max = 2, .serve = hold, .context = &gate };
    int              taken = 0;
    assert_ok(crew_open(&crew, &conf));
    assert_ok(crew_put(crew, &gate));
    while (crew_waiting(crew) > 0)
        usleep(1000);
    for (int i = 0; i < 5; i++)
        taken += crew_put(crew, &gate) == OK;
    assert_int_equal(taken, 2);
    assert_int_equal(crew_put(crew, &gate), ERR_WAIT);
    atomic_store(&gate, 1);
    crew_close(crew);
}
