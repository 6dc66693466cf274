/*
 * What the calendar costs with many timers pending, beside a plain heap of the same timers: each
 * step takes the earliest and adds one for the same person at a random instant of the next DAYS.
 *
 *     calendar_bench [timers [steps [days]]]
 *
 * One in TEN timers is cancelled as the engine does it: the person means another instant since, so
 * that the old timer is taken, is not meant any more, and is left: that look at the person is a
 * miss of the cache and costs more than the rest, so it is also run without, as the heap is. Prints
 * steps a second (a step is a pop and an insert), and bytes of memory a timer.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/time.h"
#include "engine/calendar.h"

#define T0 INT64_C(1767225600000)

enum { TIMERS = 10000000, STEPS = 20000000, DAYS = 30, TEN = 10, HEAP_SHARE = 8, AHEAD = 64 };

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Cheap, so that it is not what is measured: a step of splitmix. */
static uint64_t drawn;
static int64_t  ahead(int64_t days)
{
    drawn += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = (drawn ^ drawn >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    return 1 + (int64_t)(((z ^ z >> 27) >> 32) * (uint64_t)(days * TIME_DAY_MS) >> 32);
}

static bool before(struct timer a, struct timer b)
{
    return a.due_ms != b.due_ms ? a.due_ms < b.due_ms : a.profile < b.profile;
}

/* The twin: a heap of all timers, whose first is taken and replaced in one go. */
static void heap_replace(struct timer *heap, uint32_t count, struct timer timer)
{
    uint32_t i = 0;
    for (uint32_t child; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && before(heap[child + 1], heap[child]))
            child++;
        if (!before(heap[child], timer))
            break;
        heap[i] = heap[child];
    }
    heap[i] = timer;
}

static int compare(const void *a, const void *b)
{
    return before(*(const struct timer *)a, *(const struct timer *)b) ? -1 : 1;
}

static size_t used(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void check(bool ok)
{
    if (!ok) {
        fprintf(stderr, "calendar_bench: out of memory, or out of order\n");
        exit(1);
    }
}

/* Steps a second; *left: timers that were not meant any more. */
static double calendar_run(struct calendar *calendar, int64_t *meant, uint64_t steps, int64_t days,
                           uint64_t *left)
{
    int64_t last_ms = 0;
    double  began = seconds();
    for (uint64_t i = 0; i < steps; i++) {
        struct timer timer;
        check(calendar_take(calendar, INT64_MAX / 2, &timer) && timer.due_ms >= last_ms);
        last_ms = timer.due_ms;
        const struct timer *coming = calendar_coming(calendar, AHEAD);
        if (coming != NULL) /* as the engine does with whom it is about */
            __builtin_prefetch(&meant[coming->profile]);
        if (meant[timer.profile] != timer.due_ms) {
            ++*left; /* cancelled: another one stands for this person */
            continue;
        }
        meant[timer.profile] = last_ms + ahead(days);
        check(calendar_add(calendar, (struct timer){ meant[timer.profile], timer.profile }) == OK);
        if (i % TEN == 0) { /* and is to be looked at at another time after all */
            meant[timer.profile] = last_ms + ahead(days);
            check(calendar_add(calendar, (struct timer){ meant[timer.profile], timer.profile }) ==
                  OK);
        }
    }
    return (double)steps / (seconds() - began);
}

/* Taking and adding alone, as the heap does it. */
static double calendar_bare(struct calendar *calendar, uint64_t steps, int64_t days)
{
    double began = seconds();
    for (uint64_t i = 0; i < steps; i++) {
        struct timer timer;
        check(calendar_take(calendar, INT64_MAX / 2, &timer));
        timer.due_ms += ahead(days);
        check(calendar_add(calendar, timer) == OK);
    }
    return (double)steps / (seconds() - began);
}

int main(int argc, char **argv)
{
    uint32_t         timers = argc > 1 ? (uint32_t)atol(argv[1]) : TIMERS;
    uint64_t         steps = argc > 2 ? (uint64_t)atoll(argv[2]) : STEPS, left = 0;
    int64_t          days = argc > 3 ? atoll(argv[3]) : DAYS;
    struct timer    *heap = malloc(timers * sizeof *heap);
    int64_t         *meant = malloc(timers * sizeof *meant);
    size_t           other = used();
    struct calendar *calendar = calendar_open();
    struct timer     none;
    check(heap != NULL && meant != NULL && calendar != NULL);
    check(!calendar_take(calendar, T0, &none));
    for (uint32_t p = 0; p < timers; p++) {
        heap[p] = (struct timer){ meant[p] = T0 + ahead(days), p };
        check(calendar_add(calendar, heap[p]) == OK);
    }
    double bytes = (double)(used() - other) / timers;
    double by_calendar = calendar_run(calendar, meant, steps, days, &left);
    double after = (double)(used() - other) / (double)calendar_count(calendar);
    double by_bare = calendar_bare(calendar, steps, days);
    calendar_close(calendar);

    qsort(heap, timers, sizeof *heap, compare); /* which is a heap, too */
    double began = seconds();
    for (uint64_t i = 0; i < steps / HEAP_SHARE; i++)
        heap_replace(heap, timers, (struct timer){ heap[0].due_ms + ahead(days), heap[0].profile });
    double by_heap = (double)steps / HEAP_SHARE / (seconds() - began);
    printf("%u timers over %lld days: calendar %.1f million steps/s, %.1f with who "
           "it is about looked at (%.1f%% were cancelled); heap %.1f, %.1f times; %.1f bytes a "
           "timer at first, %.1f after %llu steps\n",
           timers, (long long)days, by_bare / 1e6, by_calendar / 1e6,
           100 * (double)left / (double)steps, by_heap / 1e6, by_bare / by_heap, bytes, after,
           (unsigned long long)steps);
    free(heap);
    free(meant);
    return 0;
}
