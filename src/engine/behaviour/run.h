/*
 * run: some events of one person, in order.
 *
 * What is asked of behaviour is "which of these names, in this stretch of time": so names lie side
 * by side and are scanned 32 at a time, and instants lie side by side and are searched by halves.
 *
 *      name    | 7 | 7 | 2 | 7 | 1 | ...
 *      at_ms   | t0| t1| t2| ...            ascending by (at_ms, seq), then as they came
 *      seq     | 3 | 4 | 9 | ...            the record that brought the event
 *      bag     | 0 | 6 | 0 | ...            where its properties lie, 0 for none
 *
 * A person's behaviour is several runs (the base's slice and the delta, for each identity), each
 * in order and not merged with the others.
 */
#ifndef DULT_ENGINE_RUN_H
#define DULT_ENGINE_RUN_H

#include "engine/behaviour/bag.h"

/*
 * The lowest numbers of names are Dult's own (own.h): kept about a person, not done by them, so
 * that "anything" is every name from here on.
 */
enum { RUN_OWN_NAMES = 16 };

struct run {
    const uint16_t *name;  /* id in the dictionary of event names */
    const int64_t  *at_ms; /* within TIME_MIN_MS..TIME_MAX_MS */
    const uint32_t *seq;   /* record number within the partition */
    const uint32_t *bag;   /* in units of BAG_UNIT_BYTES; see bag_at */
    uint32_t        count;
};

/* One past the last of that name among the first `to`, or 0. */
static inline uint32_t run_name_last(const struct run *run, uint32_t to, uint16_t name)
{
    enum { BLOCK = 16 }; /* a constant, so that the loop becomes a wide comparison */
    for (; to >= BLOCK; to -= BLOCK) {
        uint16_t any = 0;
        for (int i = 0; i < BLOCK; i++)
            any |= (uint16_t)(run->name[to - BLOCK + i] == name);
        if (any != 0)
            break;
    }
    while (to > 0 && run->name[to - 1] != name)
        to--;
    return to;
}

/* One event by itself, with whose it is. */
struct timeline_event {
    uint32_t profile;
    uint16_t name;
    uint32_t seq;
    uint32_t bag;
    int64_t  at_ms;
};

_Static_assert(sizeof(struct timeline_event) == 24, "what a log takes for an event");

#endif
