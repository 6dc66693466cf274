#include "engine/segment/segment_scan.h"

/*
 * "Days between": the average from one event to the next is the stretch from the first to the last
 * over one less than their number, so it can be slid as a sum is: what leaves is the first, what
 * enters is the last.
 */
struct gaps {
    int64_t count, first_ms, last_ms;
};

/* Of fewer than two events there is nothing between. In millionths of milliseconds it is exact. */
static bool gaps_hold(const struct segment_op *op, const struct gaps *gaps)
{
    if (gaps->count < 2)
        return false;
    __int128 have = (__int128)(gaps->last_ms - gaps->first_ms) * 1000000;
    __int128 want = op->number_micro * TIME_DAY_MS * (gaps->count - 1);
    return segment_order_holds(op->test, (have > want) - (have < want));
}

static struct gaps gaps_now(const struct segment_asking *asking, const struct segment_op *op,
                            const struct segment_reach *reach)
{
    struct gaps         gaps = { 0 };
    struct segment_scan scan;
    struct segment_hit  hit;
    segment_scan_newest(&scan, asking, &op->match, reach->now);
    while (segment_scan_take_newest(&scan, &hit)) {
        gaps.last_ms = gaps.count == 0 ? hit.at_ms : gaps.last_ms;
        gaps.first_ms = hit.at_ms;
        gaps.count++;
    }
    return gaps;
}

struct sliding {
    struct segment_scan leaving, entering;
    int64_t             entered_ms; /* the first that entered */
};

static int64_t next_ms(const struct segment_scan *scan, int64_t shift_ms)
{
    struct segment_hit hit;
    return segment_scan_peek_oldest(scan, &hit) ? segment_later(hit.at_ms, shift_ms) : TIME_NEVER;
}

static void leave(struct sliding *s, struct gaps *gaps)
{
    struct segment_hit hit;
    (void)segment_scan_take_oldest(&s->leaving, &hit);
    gaps->count--;
    gaps->first_ms = segment_scan_peek_oldest(&s->leaving, &hit) ? hit.at_ms : s->entered_ms;
}

static void enter(struct sliding *s, struct gaps *gaps)
{
    struct segment_hit hit;
    (void)segment_scan_take_oldest(&s->entering, &hit);
    if (s->entered_ms == TIME_NEVER)
        s->entered_ms = hit.at_ms;
    gaps->last_ms = hit.at_ms;
    if (gaps->count++ == 0)
        gaps->first_ms = hit.at_ms;
}

/* As turns_ms of the sums: no further than where what has entered would leave again. */
static int64_t turns_ms(const struct segment_asking *asking, const struct segment_op *op,
                        const struct segment_reach *reach, struct gaps gaps)
{
    struct segment_span none = { 1, 0 };
    struct sliding      s = { .entered_ms = TIME_NEVER };
    bool                was = gaps_hold(op, &gaps);

    segment_scan_oldest(&s.leaving, asking, &op->match,
                        reach->leave_ms == TIME_NEVER ? none : reach->now);
    segment_scan_oldest(&s.entering, asking, &op->match, reach->pending);
    int64_t horizon_ms = next_ms(&s.entering, 0);
    if (horizon_ms != TIME_NEVER)
        horizon_ms = segment_later(horizon_ms, reach->leave_ms);
    for (;;) {
        int64_t leave_ms = next_ms(&s.leaving, reach->leave_ms);
        int64_t enter_ms = next_ms(&s.entering, reach->enter_ms);
        int64_t at_ms = leave_ms < enter_ms ? leave_ms : enter_ms;
        if (at_ms == TIME_NEVER || at_ms >= horizon_ms)
            return horizon_ms;
        while (next_ms(&s.leaving, reach->leave_ms) == at_ms)
            leave(&s, &gaps);
        while (next_ms(&s.entering, reach->enter_ms) == at_ms)
            enter(&s, &gaps);
        if (gaps_hold(op, &gaps) != was)
            return at_ms;
    }
}

struct segment_answer segment_eval_gap(const struct segment_asking *asking,
                                       const struct segment_op     *op)
{
    struct segment_reach reach = segment_reach_of(&op->match.window, asking->facts);
    struct gaps          gaps = gaps_now(asking, op, &reach);
    struct verdict       verdict = { gaps_hold(op, &gaps), turns_ms(asking, op, &reach, gaps) };
    return (struct segment_answer){ verdict, 0, 0 };
}

bool segment_gap_value(const struct segment_asking *asking, const struct segment_op *op,
                       const struct segment_reach *reach, struct json *out)
{
    struct gaps gaps = gaps_now(asking, op, reach);
    if (gaps.count < 2)
        return false;
    double days = (double)(gaps.last_ms - gaps.first_ms) / (double)TIME_DAY_MS;
    *out = (struct json){ .kind = JSON_REAL, .real = days / (double)(gaps.count - 1) };
    return true;
}
