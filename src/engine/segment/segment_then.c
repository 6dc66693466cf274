#include "engine/segment/segment_scan.h"

/*
 * "A then B" and "A and then no B" are swept once, from the newest event back, with the nearest
 * following B at hand. Each A that is answered (or not) counts for a stretch of time:
 *
 *      then           from B on                      A at + window's length: leaves
 *      then no        from A at + within on          the same
 *
 * The newest A that counts now also counts longest, so the sweep may end there.
 */
struct stretch {
    int64_t enter_ms, leave_ms;
};

/* When the answered or unanswered A counts. `enter` of an answered one is past: B has happened. */
static struct stretch stretch_of(const struct segment_op *op, const struct segment_reach *reach,
                                 int64_t at_ms)
{
    int64_t enter_ms = at_ms + reach->enter_ms;
    if (op->kind == SEGMENT_THEN_NOT && op->within_ms > reach->enter_ms)
        enter_ms = at_ms + op->within_ms;
    return (struct stretch){ enter_ms, segment_later(at_ms, reach->leave_ms) };
}

static bool is_after(const struct segment_hit *a, const struct segment_hit *b)
{
    return a->at_ms != b->at_ms ? a->at_ms > b->at_ms : a->seq > b->seq;
}

/* The next matching A, going back, and whether a B followed it in time. */
static bool sweep(struct segment_scan *firsts, struct segment_scan *thens, int64_t within_ms,
                  int64_t *next_then_ms, struct segment_hit *out, bool *answered)
{
    struct segment_hit then;
    if (!segment_scan_take_newest(firsts, out))
        return false;
    while (segment_scan_peek_newest(thens, &then) && is_after(&then, out)) {
        *next_then_ms = then.at_ms;
        (void)segment_scan_take_newest(thens, &then);
    }
    *answered = *next_then_ms != TIME_NEVER && *next_then_ms - out->at_ms <= within_ms;
    return true;
}

static int64_t future_ms(const struct segment_asking *asking, const struct segment_match_op *match)
{
    struct segment_span future = { asking->facts->now_ms + 1, INT64_MAX };
    struct segment_scan scan;
    struct segment_hit  hit;
    segment_scan_oldest(&scan, asking, match, future);
    return segment_scan_peek_oldest(&scan, &hit) ? hit.at_ms : TIME_NEVER;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

struct verdict segment_eval_then(const struct segment_asking *asking, const struct segment_op *op)
{
    int64_t              now_ms = asking->facts->now_ms, until_ms = TIME_NEVER;
    int64_t              next_then_ms = TIME_NEVER;
    struct segment_reach reach = segment_reach_of(&op->match.window, asking->facts);
    struct segment_span  past = { reach.now.from_ms, smaller(now_ms, reach.pending.to_ms) };
    struct segment_span  thens_past = { reach.now.from_ms, now_ms };
    struct segment_scan  firsts, thens;
    struct segment_hit   hit;
    bool                 answered;

    segment_scan_newest(&firsts, asking, &op->match, past);
    segment_scan_newest(&thens, asking, &op->then, thens_past);
    while (sweep(&firsts, &thens, op->within_ms, &next_then_ms, &hit, &answered)) {
        struct stretch s = stretch_of(op, &reach, hit.at_ms);
        if (answered != (op->kind == SEGMENT_THEN) || s.enter_ms >= s.leave_ms)
            continue;
        if (s.enter_ms <= now_ms)
            return (struct verdict){ true, s.leave_ms };
        until_ms = smaller(until_ms, s.enter_ms);
    }
    until_ms = smaller(until_ms, future_ms(asking, &op->match));
    return (struct verdict){ false, smaller(until_ms, future_ms(asking, &op->then)) };
}
