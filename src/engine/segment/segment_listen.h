/*
 * segment_listen: one event as segment_hear tells it to the conditions about it.
 *
 * Internal to segment/.
 */
#ifndef DULT_ENGINE_SEGMENT_LISTEN_H
#define DULT_ENGINE_SEGMENT_LISTEN_H

#include "engine/segment/segment_hear.h"
#include "engine/segment/segment_program.h"

enum {
    GATE_NAMES = 32, /* remembered of one event */
    GATE_TRAITS = 4,
    GATE_EVENTS_MAX = 1024, /* of the person; whoever did more has answers that stand */
};

/* What gates looked up of the person, who is the same for all of them. */
struct gate_memo {
    uint32_t events; /* of the person; 0: not counted yet */
    uint16_t names[GATE_NAMES];
    uint16_t found[GATE_NAMES]; /* of each, up to HEAR_TIMES_MAX */
    struct {
        uint16_t key;
        bool     is_list;
        uint32_t mark;
        int64_t  until_ms;
    } traits[GATE_TRAITS];
};

struct listen {
    const struct hearing     *hearing; /* this and `event`: of an event only */
    const struct facts       *facts;
    const struct heard_event *event;
    struct heard_cause        cause;
    const struct heard_told  *told; /* of traits only; else NULL */
    struct heard_gate        *gates;
    struct hear_sums         *sums;
    struct heard_turned      *out;
    struct gate_memo          memo;
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

/* The segment, unless its gates keep it as it is. */
void listen_ask(struct listen *listen, struct heard_user user, struct heard_member member);

/* Would anything follow if it did? Worth knowing before much is read. */
bool listen_is_wanted(struct listen *listen, const struct heard *heard, enum segment_way way);

/* segment_gate.c */
void gate_memo_init(struct gate_memo *memo);
/* Until when a gate keeps the segment as it is; now_ms: none does. Beyond `wanted_ms` is as good.
 */
int64_t listen_settled_ms(struct listen *listen, struct heard_user user, int64_t wanted_ms);

/* segment_hear_sum.c: all conditions about one sum, from `at` on; the place behind them. */
uint32_t listen_sums(struct listen *listen, uint32_t at);

#endif
