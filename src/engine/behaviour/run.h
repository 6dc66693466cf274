/*
 * run: some events of one person, in order.
 *
 * What is asked of behaviour is "which of these names, in this stretch of time": so names lie side
 * by side and are scanned 16 at a time, and instants lie side by side and are searched by halves.
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

#ifdef __SSE2__
#include <immintrin.h>
#endif

/*
 * The lowest numbers of names are Dult's own (own.h): kept about a person, not done by them. Those
 * before RUN_OWN_NAMES are told by nobody else, and kept for ever. What people do, and so
 * "anything", is every name from RUN_DEEDS on.
 */
enum { RUN_OWN_NAMES = 16, RUN_DEEDS = 32 };

struct run {
    const uint16_t *name;  /* id in the dictionary of event names */
    const int64_t  *at_ms; /* within TIME_MIN_MS..TIME_MAX_MS */
    const uint32_t *seq;   /* record number within the partition */
    const uint32_t *bag;   /* in units of BAG_UNIT_BYTES; see bag_at */
    uint32_t        count;
};

enum { RUN_BLOCK = 16 }; /* names looked at together */

/* Bit i: name[i] is that name, for the eight names from there on. */
static inline uint32_t run_eight(const uint16_t *name, uint16_t wanted)
{
#ifdef __SSE2__
    __m128i eight = _mm_loadu_si128((const __m128i *)(const void *)name);
    __m128i same = _mm_cmpeq_epi16(eight, _mm_set1_epi16((short)wanted));
    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(same, _mm_setzero_si128()));
#else
    uint32_t bits = 0;
    for (int i = 0; i < 8; i++)
        bits |= (uint32_t)(name[i] == wanted) << i;
    return bits;
#endif
}

/*
 * Which of the names before `to` (1 or more) are that one: bit 15 for the last, bit 0 for the 16th
 * from there; 0 where there is none.
 */
static inline uint32_t run_name_bits(const struct run *run, uint32_t to, uint16_t wanted)
{
    const uint16_t *end = run->name + to;
    uint32_t        bits = 0;
    if (to >= RUN_BLOCK)
        return run_eight(end - 16, wanted) | run_eight(end - 8, wanted) << 8;
    if (to >= 8) /* the two overlap */
        return run_eight(end - 8, wanted) << 8 | run_eight(run->name, wanted) << (RUN_BLOCK - to);
    for (uint32_t i = 1; i <= to; i++)
        bits |= (uint32_t)(*(end - i) == wanted) << (RUN_BLOCK - i);
    return bits;
}

/* The last of them, counted from the end: 1 for bit 15. `bits` is not 0. */
static inline uint32_t run_bits_last(uint32_t bits)
{
    return (uint32_t)__builtin_clz(bits) - (32 - RUN_BLOCK) + 1;
}

/* One past the last of that name among the first `to`, or 0. */
static inline uint32_t run_name_last(const struct run *run, uint32_t to, uint16_t name)
{
    for (; to > 0; to = to > RUN_BLOCK ? to - RUN_BLOCK : 0) {
        uint32_t bits = run_name_bits(run, to, name);
        if (bits != 0)
            return to + 1 - run_bits_last(bits);
    }
    return 0;
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
