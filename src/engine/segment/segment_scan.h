/*
 * segment_scan: a person's matching events, newest or oldest first, over runs that are not merged.
 *
 *      run 0   . . A . A | A . A . |        each cursor stands at its run's next match;
 *      run 1   . A . . . | . . . A |        taking one moves that cursor alone
 *                        from      to
 *
 * Cost          a search by halves for each run, then one pass over the names between; the bag is
 *               read only when the match has a filter. On the stack, about 4 KiB.
 */
#ifndef DULT_ENGINE_SEGMENT_SCAN_H
#define DULT_ENGINE_SEGMENT_SCAN_H

#include "engine/segment/segment_program.h"

/* Instants, both ends included; from_ms > to_ms is empty. */
struct segment_span {
    int64_t from_ms, to_ms;
};

/* A window at one instant: what counts now, and what may come to count by time alone. */
struct segment_reach {
    struct segment_span now, pending;
    int64_t             enter_ms; /* an event counts from at + enter_ms */
    int64_t             leave_ms; /* to at + leave_ms; TIME_NEVER: it stays */
};

/* segment_window.c */
struct segment_reach segment_reach_of(const struct segment_window *window,
                                      const struct facts          *facts);

/* When a window of the calendar moves on, and all in it with it; TIME_NEVER for other windows. */
int64_t segment_window_turn_ms(const struct segment_window *window, const struct facts *facts);

/* The first instant at which time alone lets an event of the match in or out; TIME_NEVER. */
int64_t segment_reach_changes(const struct segment_reach    *reach,
                              const struct segment_asking   *asking,
                              const struct segment_match_op *match);

struct segment_hit {
    int64_t           at_ms;
    uint32_t          seq;
    const struct run *run;
    uint32_t          index;
};

struct segment_cursor {
    const struct run *run;
    uint32_t          from, to; /* what is left */
};

struct segment_scan {
    const struct segment_asking   *asking;
    const struct segment_match_op *match;
    uint32_t                       count;
    struct segment_cursor          cursors[FACTS_RUNS_MAX];
};

/* A scan is read in one direction only, the one it is begun with. */
void segment_scan_newest(struct segment_scan *scan, const struct segment_asking *asking,
                         const struct segment_match_op *match, struct segment_span span);
void segment_scan_oldest(struct segment_scan *scan, const struct segment_asking *asking,
                         const struct segment_match_op *match, struct segment_span span);

/* The next match, which stays; false at the end. */
bool segment_scan_peek_newest(const struct segment_scan *scan, struct segment_hit *out);
bool segment_scan_peek_oldest(const struct segment_scan *scan, struct segment_hit *out);
/* The next match, which is then behind. */
bool segment_scan_take_newest(struct segment_scan *scan, struct segment_hit *out);
bool segment_scan_take_oldest(struct segment_scan *scan, struct segment_hit *out);

/* Later than the other? By time, then by order of arrival. */
bool segment_hit_is_after(const struct segment_hit *a, const struct segment_hit *b);

struct bag segment_hit_bag(const struct segment_asking *asking, const struct segment_hit *hit);

/* at + length, TIME_NEVER when the length is. */
int64_t segment_later(int64_t at_ms, int64_t length_ms);

#endif
