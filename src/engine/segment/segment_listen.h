/*
 * segment_listen: one event as segment_hear tells it to the conditions about it.
 *
 * Internal to segment/.
 */
#ifndef DULT_ENGINE_SEGMENT_LISTEN_H
#define DULT_ENGINE_SEGMENT_LISTEN_H

#include "engine/segment/segment_hear.h"
#include "engine/segment/segment_program.h"

struct listen {
    const struct hearing     *hearing;
    const struct facts       *facts;
    const struct heard_event *event;
    struct hear_sums         *sums;
    uint32_t                 *out, count;
    uint32_t                  times_count;
    int64_t                   times[HEAR_TIMES_MAX]; /* the newest first */
};

/* From when on events count; only of windows that reach to now. */
static inline int64_t listen_from_ms(const struct heard *heard, const struct facts *facts)
{
    return heard->moves ? heard->from_ms + facts->now_ms : heard->from_ms;
}

/* The event moves the condition that way: its segments, but for those already there. */
void listen_turned(struct listen *listen, const struct heard *heard, enum segment_way way);

/* segment_hear_sum.c: all conditions about one sum, from `at` on; the place behind them. */
uint32_t listen_sums(struct listen *listen, uint32_t at);

#endif
