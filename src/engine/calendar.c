#include "engine/calendar.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "engine/vec.h"

enum {
    CALENDAR_HOURS = 1 << 14,
    FEW = 32, /* put in order one by one */
};

struct timers {
    struct timer *items;
    uint32_t      count, room;
};

struct calendar {
    struct timers hour;   /* of `open`, in order, as it was opened */
    uint32_t      taken;  /* so many of `hour` */
    struct timers heap;   /* what came later for hours up to and with `open` */
    struct timers beyond; /* later than the ring reaches */
    int64_t       open;   /* the hour whose timers are no longer in the ring */
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
    VEC_DONE(&calendar->hour);
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

/* ---- an hour in order ---- */

static void few_sort(struct timers *timers)
{
    for (uint32_t i = 1; i < timers->count; i++) {
        struct timer timer = timers->items[i];
        uint32_t     k = i;
        for (; k > 0 && before(timer, timers->items[k - 1]); k--)
            timers->items[k] = timers->items[k - 1];
        timers->items[k] = timer;
    }
}

/* Of (instant within the hour, profile): 22 bits and 32, in digits of 11. */
enum { DIGIT_BITS = 11, DIGIT_VALUES = 1 << DIGIT_BITS, DIGITS = 5 };

static uint32_t digit_of(struct timer timer, int64_t from_ms, int digit)
{
    uint64_t key = (uint64_t)(timer.due_ms - from_ms) << 32 | timer.profile;
    return (uint32_t)(key >> digit * DIGIT_BITS) & (DIGIT_VALUES - 1);
}

static void digits_count(const struct timers *timers, int64_t from_ms,
                         uint32_t counts[static DIGITS][DIGIT_VALUES])
{
    memset(counts, 0, DIGITS * sizeof counts[0]);
    for (uint32_t i = 0; i < timers->count; i++)
        for (int digit = 0; digit < DIGITS; digit++)
            counts[digit][digit_of(timers->items[i], from_ms, digit)]++;
}

/* Counts become places; false where all have one value, and nothing is to be moved. */
static bool places_of(uint32_t *counts, uint32_t all)
{
    uint32_t place = 0;
    for (uint32_t value = 0; value < DIGIT_VALUES; value++) {
        uint32_t count = counts[value];
        if (count == all)
            return false;
        counts[value] = place;
        place += count;
    }
    return true;
}

/* By digits, the least first (Knuth, The Art of Computer Programming 3, 5.2.5). ERR_MEMORY. */
static enum err hour_sort(struct timers *timers, int64_t from_ms)
{
    if (timers->count <= FEW) {
        few_sort(timers);
        return OK;
    }
    uint32_t(*counts)[DIGIT_VALUES] = malloc(DIGITS * sizeof counts[0]);
    struct timer *from = timers->items, *to = malloc(timers->count * sizeof *to);
    if (counts == NULL || to == NULL) {
        free(counts);
        free(to);
        return ERR_MEMORY;
    }
    digits_count(timers, from_ms, counts);
    for (int digit = 0; digit < DIGITS; digit++) {
        if (!places_of(counts[digit], timers->count))
            continue;
        for (uint32_t i = 0; i < timers->count; i++)
            to[counts[digit][digit_of(from[i], from_ms, digit)]++] = from[i];
        struct timer *free_now = from;
        from = to;
        to = free_now;
    }
    if (from != timers->items)
        timers->room = timers->count;
    timers->items = from;
    free(to);
    free(counts);
    return OK;
}

static int64_t hour_of(int64_t ms)
{
    int64_t hour = ms / TIME_HOUR_MS;
    return ms < 0 && ms % TIME_HOUR_MS != 0 ? hour - 1 : hour;
}

/* For an hour that is not open yet. */
static enum err ahead_add(struct calendar *calendar, struct timer timer, int64_t hour)
{
    if (hour - calendar->open >= CALENDAR_HOURS)
        return VEC_ADD(&calendar->beyond, timer);
    TRY(VEC_ADD(&calendar->ring[hour & (CALENDAR_HOURS - 1)], timer));
    calendar->ahead++;
    return OK;
}

enum err calendar_add(struct calendar *calendar, struct timer timer)
{
    int64_t hour = hour_of(timer.due_ms);
    return !calendar->started || hour <= calendar->open ? heap_add(&calendar->heap, timer)
                                                        : ahead_add(calendar, timer, hour);
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

static void heap_make(struct timers *heap)
{
    for (uint32_t i = heap->count / 2; i > 0; i--)
        sift_down(heap, i - 1);
}

/* Where memory is short: in order in its own place, and slower to take. */
static void hour_heap(struct calendar *calendar)
{
    VEC_DONE(&calendar->heap);
    calendar->heap = calendar->hour;
    calendar->hour = (struct timers){ 0 };
    heap_make(&calendar->heap);
}

/* All of the hour before are taken. */
static void hour_open(struct calendar *calendar, int64_t hour)
{
    struct timers *bucket = &calendar->ring[hour & (CALENDAR_HOURS - 1)];
    VEC_DONE(&calendar->hour);
    calendar->hour = *bucket;
    *bucket = (struct timers){ 0 };
    calendar->open = hour;
    calendar->taken = 0;
    calendar->ahead -= calendar->hour.count;
    if (hour_sort(&calendar->hour, hour * TIME_HOUR_MS) != OK)
        hour_heap(calendar);
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

static bool is_open_done(const struct calendar *calendar)
{
    return calendar->heap.count == 0 && calendar->taken == calendar->hour.count;
}

static void hours_advance(struct calendar *calendar, int64_t now_ms)
{
    int64_t now = hour_of(now_ms);
    while (calendar->open < now && is_open_done(calendar)) {
        if (calendar->ahead == 0 && calendar->beyond.count == 0) {
            calendar->open = now;
            return;
        }
        int64_t half = (calendar->open / (CALENDAR_HOURS / 2) + 1) * (CALENDAR_HOURS / 2);
        int64_t last = now < half ? now : half;
        hour_open(calendar, hour_next(calendar, last));
    }
}

static void ahead_forget(struct calendar *calendar)
{
    for (size_t i = 0; calendar->ahead > 0 && i < CALENDAR_HOURS; i++) {
        calendar->ahead -= calendar->ring[i].count;
        VEC_DONE(&calendar->ring[i]);
    }
    VEC_DONE(&calendar->beyond);
}

/* What was added before anything was taken waited in the heap for its hour to be known; there it
 * stays while memory is short, and is tried again. */
static void hours_begin(struct calendar *calendar, int64_t now_ms)
{
    struct timers *heap = &calendar->heap;
    uint32_t       kept = 0;
    calendar->open = hour_of(now_ms);
    for (uint32_t i = 0; i < heap->count; i++) {
        int64_t hour = hour_of(heap->items[i].due_ms);
        if (hour > calendar->open && ahead_add(calendar, heap->items[i], hour) != OK) {
            ahead_forget(calendar);
            return;
        }
    }
    calendar->started = true;
    for (uint32_t i = 0; i < heap->count; i++)
        if (hour_of(heap->items[i].due_ms) <= calendar->open)
            heap->items[kept++] = heap->items[i];
    heap->count = kept;
    heap_make(heap);
}

void calendar_advance(struct calendar *calendar, int64_t now_ms)
{
    if (!calendar->started)
        hours_begin(calendar, now_ms);
    if (calendar->started && is_open_done(calendar))
        hours_advance(calendar, now_ms);
}

/* The earliest that is known by its instant; NULL: there is none. */
static const struct timer *first_of(const struct calendar *calendar)
{
    const struct timer *sorted = calendar_coming(calendar, 0), *late = calendar->heap.items;
    if (calendar->heap.count == 0)
        return sorted;
    return sorted != NULL && before(*sorted, *late) ? sorted : late;
}

static void heap_drop(struct timers *heap)
{
    heap->items[0] = heap->items[--heap->count];
    if (heap->count > 0)
        sift_down(heap, 0);
}

bool calendar_take(struct calendar *calendar, int64_t now_ms, struct timer *out)
{
    calendar_advance(calendar, now_ms);
    const struct timer *first = first_of(calendar);
    if (first == NULL || first->due_ms > now_ms)
        return false;
    *out = *first;
    if (first == calendar->heap.items)
        heap_drop(&calendar->heap);
    else
        calendar->taken++;
    return true;
}

const struct timer *calendar_coming(const struct calendar *calendar, uint32_t n)
{
    return n < calendar->hour.count - calendar->taken ? &calendar->hour.items[calendar->taken + n]
                                                      : NULL;
}

int64_t calendar_next_ms(const struct calendar *calendar)
{
    const struct timer *first = first_of(calendar);
    if (first != NULL)
        return first->due_ms;
    if (calendar->ahead == 0 && calendar->beyond.count == 0)
        return TIME_NEVER;
    int64_t hour = calendar->open + 1;
    while (calendar->ahead > 0 && calendar->ring[hour & (CALENDAR_HOURS - 1)].count == 0)
        hour++;
    return hour * TIME_HOUR_MS;
}

uint64_t calendar_count(const struct calendar *calendar)
{
    return calendar->hour.count - calendar->taken + calendar->heap.count + calendar->ahead +
           calendar->beyond.count;
}
