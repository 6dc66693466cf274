#include <math.h>

#include "engine/segment/segment_distinct.h"
#include "engine/segment/segment_scan.h"
#include "engine/segment/segment_values.h"

/*
 * "At least n" is the one question behind counts. Its answer lasts until the n-th newest match
 * leaves the window, or, when there are too few, until enough of what is pending has entered;
 * "at most" and "exactly" are made of it with verdict_and and verdict_not.
 */

/* ---- counting from the newest */

struct tally {
    uint32_t found;
    int64_t  at_ms; /* of the match that made the last one found */
};

static struct tally tally_events(struct segment_scan *scan, uint32_t wanted)
{
    struct tally       tally = { 0 };
    struct segment_hit hit;
    while (tally.found < wanted && segment_scan_take_newest(scan, &hit)) {
        tally.found++;
        tally.at_ms = hit.at_ms;
    }
    return tally;
}

/* Not inlined: its set is 32 KiB of stack, which counting events shall not pay for. */
__attribute__((noinline)) static struct tally
tally_distinct(struct segment_scan *scan, const struct segment_op *op, uint32_t wanted)
{
    struct distinct       set;
    struct tally          tally = { 0 };
    bool                  fresh;
    struct segment_hit    hit;
    struct segment_values values;
    struct json           value;

    distinct_init(&set);
    while (tally.found < wanted && segment_scan_take_newest(scan, &hit)) {
        segment_values_begin(&values, scan->asking, op, segment_hit_bag(scan->asking, &hit));
        while (tally.found < wanted && segment_values_next(&values, &value))
            if (distinct_add(&set, &value, &fresh) != NULL && fresh) {
                tally.found++;
                tally.at_ms = hit.at_ms;
            }
    }
    return tally;
}

static struct tally tally_values(struct segment_scan *scan, const struct segment_op *op,
                                 uint32_t wanted)
{
    struct tally          tally = { 0 };
    struct segment_hit    hit;
    struct segment_values values;
    struct json           value;
    while (tally.found < wanted && segment_scan_take_newest(scan, &hit)) {
        segment_values_begin(&values, scan->asking, op, segment_hit_bag(scan->asking, &hit));
        for (; tally.found < wanted && segment_values_next(&values, &value); tally.found++)
            tally.at_ms = hit.at_ms;
    }
    return tally;
}

static bool counts_values(const struct segment_op *op)
{
    return op->kind == SEGMENT_AGGREGATE && !op->counts_events;
}

static struct tally tally_of(struct segment_scan *scan, const struct segment_op *op,
                             uint32_t wanted)
{
    if (!counts_values(op))
        return tally_events(scan, wanted);
    return op->fold == SEGMENT_DISTINCT ? tally_distinct(scan, op, wanted)
                                        : tally_values(scan, op, wanted);
}

/* The pending ones up to the n-th, and when that one begins to count; TIME_NEVER without it. */
static struct tally tally_pending(const struct segment_asking   *asking,
                                  const struct segment_match_op *match,
                                  const struct segment_reach *reach, uint32_t n)
{
    struct tally        tally = { .at_ms = TIME_NEVER };
    struct segment_scan scan;
    struct segment_hit  hit;
    segment_scan_oldest(&scan, asking, match, reach->pending);
    while (tally.found < n && segment_scan_take_oldest(&scan, &hit))
        if (++tally.found == n)
            tally.at_ms = segment_later(hit.at_ms, reach->enter_ms);
    return tally;
}

/* Too few: more may come until only one is missing. What is pending comes by itself. */
static struct segment_answer too_few(const struct segment_asking *asking,
                                     const struct segment_op *op, const struct segment_reach *reach,
                                     uint32_t missing)
{
    /* One event may bring many values, so any pending one may change how many there are. */
    bool         values = counts_values(op);
    struct tally tally = tally_pending(asking, &op->match, reach, values ? 1 : missing);
    uint32_t     coming = values ? 0 : tally.found;
    return (struct segment_answer){ .verdict = { false, tally.at_ms },
                                    .spare = coming < missing ? missing - coming - 1 : 0 };
}

static struct segment_answer at_least(const struct segment_asking *asking,
                                      const struct segment_op *op, uint32_t wanted)
{
    struct segment_reach reach = segment_reach_of(&op->match.window, asking->facts);
    struct segment_scan  scan;
    struct tally         tally;

    if (wanted == 0)
        return (struct segment_answer){ { true, TIME_NEVER }, SEGMENT_SPARE_ANY, 0 };
    segment_scan_newest(&scan, asking, &op->match, reach.now);
    tally = tally_of(&scan, op, wanted);
    if (tally.found == wanted)
        return (struct segment_answer){ { true, segment_later(tally.at_ms, reach.leave_ms) },
                                        SEGMENT_SPARE_ANY,
                                        0 };
    return too_few(asking, op, &reach, wanted - tally.found);
}

static struct segment_answer answer_not(struct segment_answer a)
{
    a.verdict = verdict_not(a.verdict);
    return a;
}

static struct segment_answer answer_and(struct segment_answer a, struct segment_answer b)
{
    return (struct segment_answer){ .verdict = verdict_and(a.verdict, b.verdict),
                                    .spare = a.spare < b.spare ? a.spare : b.spare };
}

static struct segment_answer at_most(const struct segment_asking *asking,
                                     const struct segment_op *op, uint32_t most)
{
    return answer_not(at_least(asking, op, most + 1));
}

struct segment_answer segment_eval_did(const struct segment_asking *asking,
                                       const struct segment_op     *op)
{
    switch (op->times) {
    case SEGMENT_TIMES_AT_LEAST:
        return at_least(asking, op, op->times_count);
    case SEGMENT_TIMES_AT_MOST:
        return at_most(asking, op, op->times_count);
    case SEGMENT_TIMES_EXACTLY:
        break;
    }
    return answer_and(at_least(asking, op, op->times_count), at_most(asking, op, op->times_count));
}

static uint32_t whole(double x)
{
    return x <= 0 ? 0 : x >= UINT32_MAX ? UINT32_MAX : (uint32_t)x;
}

/* As many, or fewer than none; a count beyond 32 bits nobody has. */
static struct segment_answer as_many(const struct segment_asking *asking,
                                     const struct segment_op *op, double number)
{
    return at_least(asking, op, whole(ceil(number)));
}

static struct segment_answer more(const struct segment_asking *asking, const struct segment_op *op,
                                  double number)
{
    return number < 0 ? at_least(asking, op, 0) : at_least(asking, op, whole(floor(number) + 1));
}

struct segment_answer segment_eval_count(const struct segment_asking *asking,
                                         const struct segment_op     *op)
{
    double                number = op->number;
    struct segment_answer equal = { { false, TIME_NEVER }, SEGMENT_SPARE_ANY, 0 };

    switch (op->test) {
    case SEGMENT_MORE:
        return more(asking, op, number);
    case SEGMENT_AT_LEAST:
        return as_many(asking, op, number);
    case SEGMENT_LESS:
        return answer_not(as_many(asking, op, number));
    case SEGMENT_AT_MOST:
        return answer_not(more(asking, op, number));
    default:
        if (number >= 0 && floor(number) == number)
            equal = answer_and(as_many(asking, op, number), answer_not(more(asking, op, number)));
        return op->test == SEGMENT_EQUAL ? equal : answer_not(equal);
    }
}

struct json segment_count_value(const struct segment_asking *asking, const struct segment_op *op,
                                const struct segment_reach *reach)
{
    struct segment_scan scan;
    segment_scan_newest(&scan, asking, &op->match, reach->now);
    return (struct json){ .kind = JSON_INT, .integer = tally_of(&scan, op, UINT32_MAX).found };
}

/* ---- the first and the last */

/* How the one event at `at_ms` stands to the window, by time alone. */
static struct verdict instant_in(const struct segment_reach *reach, int64_t at_ms, int64_t now_ms)
{
    if (at_ms < reach->now.from_ms)
        return (struct verdict){ false, TIME_NEVER };
    if (at_ms <= reach->now.to_ms)
        return (struct verdict){ true, segment_later(at_ms, reach->leave_ms) };
    int64_t enter_ms = at_ms <= reach->pending.to_ms ? at_ms + reach->enter_ms : TIME_NEVER;
    return (struct verdict){ false, enter_ms > now_ms ? enter_ms : TIME_NEVER };
}

/* What comes later is the last one too, in a window that reaches to now. */
static bool reaches_now(const struct segment_window *window)
{
    return window->kind == SEGMENT_EVER || window->kind == SEGMENT_LAST ||
           window->kind == SEGMENT_SINCE || window->kind == SEGMENT_SINCE_ENTRY;
}

static struct verdict instant_verdict(const struct segment_asking *asking,
                                      const struct segment_op     *op)
{
    int64_t              now_ms = asking->facts->now_ms;
    struct segment_reach reach = segment_reach_of(&op->match.window, asking->facts);
    struct segment_span  past = { INT64_MIN, now_ms }, future = { now_ms + 1, INT64_MAX };
    struct segment_scan  scan;
    struct segment_hit   hit, next;
    struct verdict       verdict = { false, TIME_NEVER };
    bool                 last = op->kind == SEGMENT_LAST_DID, found;

    if (last)
        segment_scan_newest(&scan, asking, &op->match, past);
    else
        segment_scan_oldest(&scan, asking, &op->match, past);
    found = last ? segment_scan_peek_newest(&scan, &hit) : segment_scan_peek_oldest(&scan, &hit);
    if (found)
        verdict = instant_in(&reach, hit.at_ms, now_ms);
    if (found && !last)
        return verdict; /* nothing dated later can be the first any more */
    segment_scan_oldest(&scan, asking, &op->match, future);
    if (segment_scan_peek_oldest(&scan, &next) && next.at_ms < verdict.until_ms)
        verdict.until_ms = next.at_ms;
    return verdict;
}

struct segment_answer segment_eval_instant(const struct segment_asking *asking,
                                           const struct segment_op     *op)
{
    struct verdict verdict = instant_verdict(asking, op);
    bool stays = op->kind == SEGMENT_LAST_DID && verdict.holds && reaches_now(&op->match.window);
    return (struct segment_answer){ verdict, stays ? SEGMENT_SPARE_ANY : 0, 0 };
}
