#include "engine/segment/segment_scan.h"
#include "engine/segment/segment_values.h"

/*
 * Sums are kept in millionths in 128 bits: they are exact, so the answer does not depend on how
 * the events lie in runs, and taking one away leaves what was before it came. Least and greatest
 * are answered by how many values lie above, at and below the number compared with, which can be
 * added and taken away too. So the window is slid forward, event by event, to the instant at which
 * the answer turns.
 */
struct totals {
    __int128 sum;
    int64_t  above, equal, below;
};

static void totals_add(const struct segment_asking *asking, const struct segment_op *op,
                       const struct segment_hit *hit, int sign, struct totals *totals)
{
    struct segment_values values;
    struct json           value;
    __int128              micro;
    segment_values_begin(&values, asking, op, segment_hit_bag(asking, hit));
    while (segment_values_next(&values, &value)) {
        if (!segment_micro(&value, &micro))
            continue;
        totals->sum += sign * micro;
        totals->above += micro > op->number_micro ? sign : 0;
        totals->equal += micro == op->number_micro ? sign : 0;
        totals->below += micro < op->number_micro ? sign : 0;
    }
}

bool segment_order_holds(enum segment_test test, int difference)
{
    switch (test) {
    case SEGMENT_EQUAL:
        return difference == 0;
    case SEGMENT_NOT_EQUAL:
        return difference != 0;
    case SEGMENT_MORE:
        return difference > 0;
    case SEGMENT_AT_LEAST:
        return difference >= 0;
    case SEGMENT_LESS:
        return difference < 0;
    default:
        return difference <= 0;
    }
}

static int order(__int128 a, __int128 b)
{
    return (a > b) - (a < b);
}

static int sign_of_extreme(const struct totals *t, enum segment_fold fold)
{
    if (fold == SEGMENT_GREATEST)
        return t->above > 0 ? 1 : t->equal > 0 ? 0 : -1;
    return t->below > 0 ? -1 : t->equal > 0 ? 0 : 1;
}

static bool totals_hold(const struct segment_op *op, const struct totals *t)
{
    int64_t count = t->above + t->equal + t->below;
    if (op->fold == SEGMENT_SUM)
        return segment_order_holds(op->test, order(t->sum, op->number_micro));
    if (count == 0)
        return false; /* of nothing there is no average, least or greatest */
    if (op->fold == SEGMENT_AVERAGE)
        return segment_order_holds(op->test, order(t->sum, op->number_micro * count));
    return segment_order_holds(op->test, sign_of_extreme(t, op->fold));
}

/*
 * How long does the answer stay? Exactly: until it turns. Loosely: while it stays on its side of
 * the number and has not come twice as near, so that something is left to spare for what events
 * will bring. The next look is then earlier than need be, but as rare: each halves the distance.
 */
struct stay {
    bool     loose, holds;
    int      side;
    __int128 first, least; /* distance to the number, in millionths: at first, and since */
};

static bool is_total(const struct segment_op *op)
{
    return op->fold == SEGMENT_SUM || op->fold == SEGMENT_AVERAGE;
}

static __int128 difference(const struct segment_op *op, const struct totals *t)
{
    int64_t count = t->above + t->equal + t->below;
    return t->sum - (op->fold == SEGMENT_AVERAGE ? op->number_micro * count : op->number_micro);
}

static int side_of(const struct segment_op *op, const struct totals *t)
{
    if (op->fold != SEGMENT_SUM && t->above + t->equal + t->below == 0)
        return SEGMENT_SIDE_NONE;
    return is_total(op) ? order(difference(op, t), 0) : sign_of_extreme(t, op->fold);
}

static struct stay stay_begin(const struct segment_op *op, const struct totals *t, bool loose)
{
    __int128 away = difference(op, t);
    away = away < 0 ? -away : away;
    return (struct stay){ loose, totals_hold(op, t), side_of(op, t), away, away };
}

static bool stays(struct stay *stay, const struct segment_op *op, const struct totals *t)
{
    if (!stay->loose)
        return totals_hold(op, t) == stay->holds;
    if (side_of(op, t) != stay->side)
        return false;
    if (!is_total(op))
        return true;
    __int128 away = difference(op, t) * stay->side;
    if (2 * away < stay->first)
        return false;
    stay->least = away < stay->least ? away : stay->least;
    return true;
}

static int64_t spare_of(const struct stay *stay, const struct segment_op *op)
{
    if (!is_total(op))
        return 0; /* what may come is told by the side */
    if (!stay->loose || stay->side == SEGMENT_SIDE_NONE || stay->least == 0)
        return SEGMENT_SPARE_NONE;
    __int128 most = SEGMENT_SPARE_ANY - 1;
    return (int64_t)(stay->least - 1 < most ? stay->least - 1 : most);
}

static struct totals totals_now(const struct segment_asking *asking, const struct segment_op *op,
                                const struct segment_reach *reach)
{
    struct totals       totals = { 0 };
    struct segment_scan scan;
    struct segment_hit  hit;
    segment_scan_newest(&scan, asking, &op->match, reach->now);
    while (segment_scan_take_newest(&scan, &hit))
        totals_add(asking, op, &hit, 1, &totals);
    return totals;
}

/* Adds (or takes) all events that enter (or leave) at `at_ms`. */
static void slide(const struct segment_asking *asking, const struct segment_op *op,
                  struct segment_scan *scan, int64_t shift_ms, int64_t at_ms, int sign,
                  struct totals *totals)
{
    struct segment_hit hit;
    while (segment_scan_peek_oldest(scan, &hit) && segment_later(hit.at_ms, shift_ms) == at_ms) {
        totals_add(asking, op, &hit, sign, totals);
        (void)segment_scan_take_oldest(scan, &hit);
    }
}

static int64_t next_ms(const struct segment_scan *scan, int64_t shift_ms)
{
    struct segment_hit hit;
    return segment_scan_peek_oldest(scan, &hit) ? segment_later(hit.at_ms, shift_ms) : TIME_NEVER;
}

static int64_t turns_ms(const struct segment_asking *asking, const struct segment_op *op,
                        const struct segment_reach *reach, struct totals totals, struct stay *stay)
{
    struct segment_span none = { 1, 0 };
    struct segment_scan leaving, entering;

    segment_scan_oldest(&leaving, asking, &op->match,
                        reach->leave_ms == TIME_NEVER ? none : reach->now);
    segment_scan_oldest(&entering, asking, &op->match, reach->pending);
    /* What enters later will leave too, from here on; so far it is certain that nothing turns. */
    int64_t horizon_ms = next_ms(&entering, 0);
    if (horizon_ms != TIME_NEVER)
        horizon_ms = segment_later(horizon_ms, reach->leave_ms);
    for (;;) {
        int64_t leave_ms = next_ms(&leaving, reach->leave_ms);
        int64_t enter_ms = next_ms(&entering, reach->enter_ms);
        int64_t at_ms = leave_ms < enter_ms ? leave_ms : enter_ms;
        if (at_ms == TIME_NEVER || at_ms >= horizon_ms)
            return horizon_ms;
        slide(asking, op, &leaving, reach->leave_ms, at_ms, -1, &totals);
        slide(asking, op, &entering, reach->enter_ms, at_ms, 1, &totals);
        if (!stays(stay, op, &totals))
            return at_ms;
    }
}

/* What a trait is asked, of the value: looked at again whenever that may be another. */
static struct segment_answer eval_value(const struct segment_asking *asking,
                                        const struct segment_op     *op)
{
    struct json value;
    int64_t     until_ms;
    (void)segment_fold_value(asking, op, &value, &until_ms);
    struct verdict v = segment_compare_value(asking->facts, &op->compare, &value);
    v.until_ms = until_ms < v.until_ms ? until_ms : v.until_ms;
    return (struct segment_answer){ v, SEGMENT_SPARE_NONE, 0 };
}

struct segment_answer segment_eval_fold(const struct segment_asking *asking,
                                        const struct segment_op *op, bool loose)
{
    if (op->is_value)
        return eval_value(asking, op);
    switch (op->fold) {
    case SEGMENT_DISTINCT:
    case SEGMENT_COUNT:
        return segment_eval_count(asking, op);
    case SEGMENT_GAP:
        return segment_eval_gap(asking, op);
    case SEGMENT_FIRST_VALUE:
    case SEGMENT_LAST_VALUE:
    case SEGMENT_MOST_FREQUENT:
    case SEGMENT_FIRST_TIME:
    case SEGMENT_LAST_TIME:
        return segment_eval_pick(asking, op);
    default:
        break;
    }
    struct segment_reach reach = segment_reach_of(&op->match.window, asking->facts);
    struct totals        totals = totals_now(asking, op, &reach);
    struct stay          stay = stay_begin(op, &totals, loose);
    int64_t              until_ms = turns_ms(asking, op, &reach, totals, &stay);
    return (
        struct segment_answer){ { stay.holds, until_ms }, spare_of(&stay, op), (int8_t)stay.side };
}

static bool extreme(const struct segment_asking *asking, const struct segment_op *op,
                    struct segment_scan *scan, __int128 *best)
{
    struct segment_hit    hit;
    struct segment_values values;
    struct json           value;
    bool                  found = false;
    __int128              micro;
    while (segment_scan_take_newest(scan, &hit)) {
        segment_values_begin(&values, asking, op, segment_hit_bag(asking, &hit));
        while (segment_values_next(&values, &value))
            if (segment_micro(&value, &micro) &&
                (!found || (op->fold == SEGMENT_LEAST ? micro < *best : micro > *best))) {
                *best = micro;
                found = true;
            }
    }
    return found;
}

/* A whole number as one. */
static struct json number_of(__int128 micro, int64_t count)
{
    __int128 unit = (__int128)1000000 * count;
    if (micro % unit == 0 && micro / unit == (int64_t)(micro / unit))
        return (struct json){ .kind = JSON_INT, .integer = (int64_t)(micro / unit) };
    return (struct json){ .kind = JSON_REAL, .real = (double)micro / 1e6 / (double)count };
}

static bool total_value(const struct segment_asking *asking, const struct segment_op *op,
                        const struct segment_reach *reach, struct json *out)
{
    struct segment_scan scan;
    __int128            best = 0;
    if (op->fold == SEGMENT_LEAST || op->fold == SEGMENT_GREATEST) {
        segment_scan_newest(&scan, asking, &op->match, reach->now);
        if (!extreme(asking, op, &scan, &best))
            return false;
        *out = number_of(best, 1);
        return true;
    }
    struct totals totals = totals_now(asking, op, reach);
    int64_t       count = totals.above + totals.equal + totals.below;
    if (op->fold == SEGMENT_AVERAGE && count == 0)
        return false;
    *out = number_of(totals.sum, op->fold == SEGMENT_AVERAGE ? count : 1);
    return true;
}

bool segment_fold_value(const struct segment_asking *asking, const struct segment_op *op,
                        struct json *out, int64_t *until_ms)
{
    struct segment_reach reach = segment_reach_of(&op->match.window, asking->facts);
    int64_t              turn_ms = segment_window_turn_ms(&op->match.window, asking->facts);
    *until_ms = segment_reach_changes(&reach, asking, &op->match);
    *until_ms = turn_ms < *until_ms ? turn_ms : *until_ms;
    *out = (struct json){ .kind = JSON_NULL };
    switch (op->fold) {
    case SEGMENT_SUM:
    case SEGMENT_AVERAGE:
    case SEGMENT_LEAST:
    case SEGMENT_GREATEST:
        return total_value(asking, op, &reach, out);
    case SEGMENT_DISTINCT:
    case SEGMENT_COUNT:
        *out = segment_count_value(asking, op, &reach);
        return true;
    case SEGMENT_GAP:
        return segment_gap_value(asking, op, &reach, out);
    default:
        return segment_pick_value(asking, op, &reach, out);
    }
}
