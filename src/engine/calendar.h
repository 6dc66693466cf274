/*
 * calendar: who is to be looked at, and when.
 *
 * Waits, wake-ups of segments and retries are one kind of thing: (due, profile). Days ahead lie
 * unsorted in buckets of one hour; when an hour opens its bucket is sorted, and what comes for it
 * later stands in a heap beside. Nothing is cancelled here: whoever takes a timer asks the profile
 * whether it still means it.
 *
 *      open hour: sorted, and a heap  | +1h | +2h | ... 2^14 hours (682 days) ... | beyond
 *
 * Always true   timers come out in the order of (due_ms, profile), never before their time.
 * Cost          12 bytes a timer, and 12 more of an hour's while it is sorted; insert O(1) ahead of
 *               the open hour, O(log n) of the heap within it. An hour of a million is sorted in
 *               some 50 ms, at its first take.
 * Knows not     the clock: time is handed in, and need not move in hours.
 */
#ifndef DULT_ENGINE_CALENDAR_H
#define DULT_ENGINE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Packed: there are as many as people, and more. */
struct timer {
    int64_t  due_ms;
    uint32_t profile;
} __attribute__((packed, aligned(4)));

struct calendar;

struct calendar *calendar_open(void); /* NULL without memory */
void             calendar_close(struct calendar *calendar);

/* Adds a timer; one already due is given out by the next take. ERR_MEMORY. */
MUST enum err calendar_add(struct calendar *calendar, struct timer timer);

/* Opens the hours up to now: calendar_next_ms is then exact for what is due. Taking does it, too.
 */
void calendar_advance(struct calendar *calendar, int64_t now_ms);

/* Takes the earliest timer with due_ms <= now_ms. False when there is none. */
bool calendar_take(struct calendar *calendar, int64_t now_ms, struct timer *out);

/* The timer `n` places behind the next of the open hour, to fetch ahead what it is about; NULL when
 * none stands there. Another may yet come before it. */
const struct timer *calendar_coming(const struct calendar *calendar, uint32_t n);

/*
 * When the next timer may be due: exact within the open hour, the start of its hour beyond, and
 * TIME_NEVER when there is none. For deciding how long to sleep.
 */
int64_t  calendar_next_ms(const struct calendar *calendar);
uint64_t calendar_count(const struct calendar *calendar);

#endif
