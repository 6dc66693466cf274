#include "engine/calendar.h"

#include <assert.h>

#include "base/time.h"
#include "engine/vec.h"

enum { CALENDAR_HOURS = 1 << 14 };

struct timers {
    struct timer *items;
    uint32_t      count, room;
};

struct calendar {
    struct timers heap;   /* hours up to and with `open` */
    struct timers beyond; /* later than the ring reaches */
    int64_t       open;   /* the hour whose timers are in the heap */
    uint64_t      ahead;  /* timers in the ring */
    bool          started;
    struct timers ring[CALENDAR_HOURS];
};

struct calendar *calendar_open(void)
{
    return calloc(1, sizeof(struct calendar));
}

void calendar_close(struct calendar *calendar)
{
    if (calendar == NULL)
        return;
    for (size_t i = 0; i < CALENDAR_HOURS; i++)
        VEC_DONE(&calendar->ring[i]);
    VEC_DONE(&calendar->heap);
    VEC_DONE(&calendar->beyond);
    free(calendar);
}

static bool before(struct timer a, struct timer b)
{
    return a.due_ms != b.due_ms ? a.due_ms < b.due_ms : a.profile < b.profile;
}

static void sift_up(struct timers *heap, uint32_t i)
{
    struct timer timer = heap->items[i];
    while (i > 0 && before(timer, heap->items[(i - 1) / 2])) {
        heap->items[i] = heap->items[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap->items[i] = timer;
}

static void sift_down(struct timers *heap, uint32_t i)
{
    struct timer timer = heap->items[i];
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && before(heap->items[child + 1], heap->items[child]))
            child++;
        if (!before(heap->items[child], timer))
            break;
        heap->items[i] = heap->items[child];
        i = child;
    }
    heap->items[i] = timer;
}

static enum err heap_add(struct timers *heap, struct timer timer)
{
    TRY(VEC_ADD(heap, timer));
    sift_up(heap, heap->count - 1);
    return OK;
}

static int64_t hour_of(int64_t ms)
{
    int64_t hour = ms / TIME_HOUR_MS;
    return ms < 0 && ms % TIME_HOUR_MS != 0 ? hour - 1 : hour;
}

enum err calendar_add(struct calendar *calendar, struct timer timer)
{
    int64_t hour = hour_of(timer.due_ms);
    if (!calendar->started || hour <= calendar->open)
        return heap_add(&calendar->heap, timer);
    if (hour - calendar->open >= CALENDAR_HOURS)
        return VEC_ADD(&calendar->beyond, timer);
    TRY(VEC_ADD(&calendar->ring[hour & (CALENDAR_HOURS - 1)], timer));
    calendar->ahead++;
    return OK;
}

/* Brings back from `beyond` what the ring now reaches. Timers are only moved, so room exists. */
static void beyond_recall(struct calendar *calendar)
{
    struct timers waiting = calendar->beyond;
    calendar->beyond = (struct timers){ 0 };
    for (uint32_t i = 0; i < waiting.count; i++)
        if (calendar_add(calendar, waiting.items[i]) != OK)
            abort(); /* a timer must not be lost, and no caller could be told */
    VEC_DONE(&waiting);
}

static void hour_open(struct calendar *calendar, int64_t hour)
{
    calendar->open = hour;
    struct timers *bucket = &calendar->ring[hour & (CALENDAR_HOURS - 1)];
    calendar->ahead -= bucket->count;
    if (calendar->heap.count == 0 && bucket->count > 0) {
        VEC_DONE(&calendar->heap);
        calendar->heap = *bucket;
        *bucket = (struct timers){ 0 };
        for (uint32_t i = calendar->heap.count / 2; i > 0; i--)
            sift_down(&calendar->heap, i - 1);
    }
    for (uint32_t i = 0; i < bucket->count; i++)
        if (heap_add(&calendar->heap, bucket->items[i]) != OK)
            abort();
    VEC_DONE(bucket);
    if (hour % (CALENDAR_HOURS / 2) == 0 && calendar->beyond.count > 0)
        beyond_recall(calendar);
}

/* The first hour after the open one that holds a timer, no later than `last`. */
static int64_t hour_next(const struct calendar *calendar, int64_t last)
{
    if (calendar->ahead == 0)
        return last;
    int64_t hour = calendar->open + 1;
    while (hour < last && calendar->ring[hour & (CALENDAR_HOURS - 1)].count == 0 &&
           hour % (CALENDAR_HOURS / 2) != 0)
        hour++;
    return hour;
}

static void hours_advance(struct calendar *calendar, int64_t now_ms)
{
    int64_t now = hour_of(now_ms);
    if (!calendar->started) {
        calendar->started = true;
        calendar->open = now;
        return;
    }
    while (calendar->open < now && calendar->heap.count == 0) {
        if (calendar->ahead == 0 && calendar->beyond.count == 0) {
            calendar->open = now;
            return;
        }
        int64_t half = (calendar->open / (CALENDAR_HOURS / 2) + 1) * (CALENDAR_HOURS / 2);
        int64_t last = now < half ? now : half;
        hour_open(calendar, hour_next(calendar, last));
    }
}

bool calendar_take(struct calendar *calendar, int64_t now_ms, struct timer *out)
{
    if (calendar->heap.count == 0)
        hours_advance(calendar, now_ms);
    struct timers *heap = &calendar->heap;
    if (heap->count == 0 || heap->items[0].due_ms > now_ms)
        return false;
    *out = heap->items[0];
    heap->items[0] = heap->items[--heap->count];
    if (heap->count > 0)
        sift_down(heap, 0);
    return true;
}

int64_t calendar_next_ms(const struct calendar *calendar)
{
    if (calendar->heap.count > 0)
        return calendar->heap.items[0].due_ms;
    if (calendar->ahead == 0 && calendar->beyond.count == 0)
        return TIME_NEVER;
    int64_t hour = calendar->open + 1;
    while (calendar->ahead > 0 && calendar->ring[hour & (CALENDAR_HOURS - 1)].count == 0)
        hour++;
    return hour * TIME_HOUR_MS;
}

uint64_t calendar_count(const struct calendar *calendar)
{
    return calendar->heap.count + calendar->ahead + calendar->beyond.count;
}
