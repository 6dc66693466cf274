/*
 * level: many people's events in order, with an index by name; it never changes.
 *
 *      profile |4|7|9|                         whose: an entry each; or no column, and 0, 1, 2 ...
 *      offsets |0|3|5|6|                       entry -> first event
 *      name    |a|b|a|c|..  at |..   seq |..   bag |..
 *      posts   a: |0|2|..   b: |1|..           name -> places of its events, ascending: so by
 *                                              profile, then time
 *      last_ms |t|t|t|                         entry -> the latest thing the person did
 *      first_day |d|d|d|                       entry -> the day of the first one, or no column
 *
 * "Did" is every name from RUN_DEEDS on. Days are counted from 1970 on, in UTC; what lies
 * outside the column's numbers has the nearest one, and so has the latest who did nothing.
 */
#ifndef DULT_ENGINE_LEVEL_H
#define DULT_ENGINE_LEVEL_H

#include <string.h>

#include "base/time.h"
#include "engine/behaviour/run.h"

#define LAST_NEVER_MS (TIME_MIN_MS - 1) /* before everything: the person did nothing */

struct level {
    uint32_t        profiles; /* entries of `offsets`, less one */
    const uint32_t *profile;  /* ascending numbers of the profiles; NULL: 0, 1, 2, ... */
    const uint32_t *offsets;  /* profiles + 1: first event of each */
    uint32_t        events;
    const int64_t  *at_ms; /* the columns, as in run.h */
    const uint32_t *seq, *bag;
    const uint16_t *name;
    uint32_t        names;        /* names that have postings; the rest has no events here */
    const uint32_t *post_offsets; /* names + 1 */
    const uint32_t *posts;        /* places of events, ascending within a name */
    const int64_t  *last_ms;      /* by entry; LAST_NEVER_MS for none */
    const uint16_t *first_day;    /* by entry; NULL: not known */
};

/* The run of one entry. */
static inline struct run level_run(const struct level *level, uint32_t entry)
{
    uint32_t from = level->offsets[entry];
    return (struct run){ .name = level->name + from,
                         .at_ms = level->at_ms + from,
                         .seq = level->seq + from,
                         .bag = level->bag + from,
                         .count = level->offsets[entry + 1] - from };
}

/* Of a level without a column of profiles: asks the processor to have at hand soon where the
 * entry's events are (0), or them (1): the latest names and instants, a few lines of each, and the
 * last seq and bag. */
void level_prefetch(const struct level *level, uint32_t entry, uint32_t step);

/* The entry of a profile, or UINT32_MAX: by halving where there is a column of profiles. */
uint32_t level_find(const struct level *level, uint32_t profile);

/* ---- for those who make one ---- */

/* The columns while they are being filled. */
struct level_columns {
    uint32_t *profile; /* NULL: 0, 1, 2, ... */
    uint32_t *offsets;
    int64_t  *at_ms;
    uint32_t *seq, *bag;
    uint16_t *name;
    uint32_t *post_offsets, *posts;
    int64_t  *last_ms;
};

/* How much there is room for. */
struct level_room {
    uint64_t profiles, events, names;
    bool     numbered; /* no column of profiles */
};

/* Lays the columns out from `region` on, each at a multiple of 64; gives the bytes they take. With
 * region NULL only that. */
size_t level_lay(unsigned char *region, struct level_room room, struct level_columns *columns);

static inline void level_copy(const struct level_columns *to, uint64_t at, const struct run *from,
                              uint32_t i, uint32_t count)
{
    if (count == 0) /* an empty level has no columns */
        return;
    memcpy(to->at_ms + at, from->at_ms + i, count * sizeof *to->at_ms);
    memcpy(to->seq + at, from->seq + i, count * sizeof *to->seq);
    memcpy(to->bag + at, from->bag + i, count * sizeof *to->bag);
    memcpy(to->name + at, from->name + i, count * sizeof *to->name);
}

/* Puts two runs of one profile together from place `at` on, `older` first where they tie; gives
 * the place after. */
uint64_t level_merge(const struct level_columns *to, uint64_t at, const struct run *older,
                     const struct run *newer);

/* When events and offsets stand: fills last_ms, post_offsets and posts, and gives the level. */
struct level level_finish(const struct level_columns *columns, uint32_t profiles, uint32_t names);

/* Fills a column of first_day: `days` has room for level->profiles. */
void level_days(const struct level *level, uint16_t *days);

/* The day an instant lies in, as first_day has it. */
uint16_t level_day(int64_t at_ms);

#endif
