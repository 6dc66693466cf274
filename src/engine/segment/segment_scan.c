#include "engine/segment/segment_scan.h"

#include <assert.h>

enum { BLOCK = 32, SMALL_BLOCK = 8 }; /* names looked at together: a cache line, a register */

int64_t segment_later(int64_t at_ms, int64_t length_ms)
{
    return length_ms == TIME_NEVER ? TIME_NEVER : at_ms + length_ms;
}

/* How many of the run's events lie before `at_ms`. */
static uint32_t count_before(const struct run *run, int64_t at_ms)
{
    uint32_t low = 0, high = run->count;
    if (high == 0 || run->at_ms[high - 1] < at_ms)
        return high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (run->at_ms[middle] < at_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Names that match: `low` itself, or from `low` on ("anything"). */
struct wanted {
    uint16_t low, span;
};

static struct wanted wanted_of(uint16_t event)
{
    if (event == SEGMENT_ANY_EVENT)
        return (struct wanted){ RUN_DEEDS, UINT16_MAX - RUN_DEEDS };
    return (struct wanted){ event, 0 };
}

static inline bool is_named(uint16_t name, struct wanted wanted)
{
    return (uint16_t)(name - wanted.low) <= wanted.span;
}

/* Inlined with a constant length, so that the loop becomes a few wide comparisons. */
static inline bool block_has(const uint16_t *name, struct wanted wanted, int length)
{
    uint16_t any = 0;
    for (int i = 0; i < length; i++)
        any |= (uint16_t)is_named(name[i], wanted);
    return any != 0;
}

/* One past the last that matches in [from, to), or `from`. */
static uint32_t name_last(const uint16_t *name, uint32_t from, uint32_t to, uint16_t event)
{
    struct wanted wanted = wanted_of(event);
    while (to - from >= BLOCK && !block_has(name + to - BLOCK, wanted, BLOCK))
        to -= BLOCK;
    while (to - from >= SMALL_BLOCK && !block_has(name + to - SMALL_BLOCK, wanted, SMALL_BLOCK))
        to -= SMALL_BLOCK;
    while (to > from && !is_named(name[to - 1], wanted))
        to--;
    return to;
}

/* The first that matches in [from, to), or `to`. */
static uint32_t name_first(const uint16_t *name, uint32_t from, uint32_t to, uint16_t event)
{
    struct wanted wanted = wanted_of(event);
    while (to - from >= BLOCK && !block_has(name + from, wanted, BLOCK))
        from += BLOCK;
    while (to - from >= SMALL_BLOCK && !block_has(name + from, wanted, SMALL_BLOCK))
        from += SMALL_BLOCK;
    while (from < to && !is_named(name[from], wanted))
        from++;
    return from;
}

static bool is_wanted(const struct segment_scan *scan, const struct run *run, uint32_t index)
{
    const struct facts *facts = scan->asking->facts;
    if (run->seq[index] > facts->seq_max)
        return false;
    return scan->match->where == 0 ||
           segment_where(scan->asking, scan->match->where, bag_at(facts->bags, run->bag[index]));
}

/* Leaves the cursor with its newest match at to - 1, or empty. */
static void settle_newest(const struct segment_scan *scan, struct segment_cursor *c)
{
    for (;;) {
        c->to = name_last(c->run->name, c->from, c->to, scan->match->event);
        if (c->to == c->from || is_wanted(scan, c->run, c->to - 1))
            return;
        c->to--;
    }
}

static void settle_oldest(const struct segment_scan *scan, struct segment_cursor *c)
{
    for (;;) {
        c->from = name_first(c->run->name, c->from, c->to, scan->match->event);
        if (c->to == c->from || is_wanted(scan, c->run, c->from))
            return;
        c->from++;
    }
}

typedef void settle(const struct segment_scan *scan, struct segment_cursor *c);

static void scan_begin(struct segment_scan *scan, const struct segment_asking *asking,
                       const struct segment_match_op *match, struct segment_span span,
                       settle *first)
{
    const struct facts *facts = asking->facts;
    assert(facts->runs_count <= FACTS_RUNS_MAX);

    scan->asking = asking;
    scan->match = match;
    scan->count = 0;
    if (span.from_ms > span.to_ms)
        return;
    for (uint32_t i = 0; i < facts->runs_count; i++) {
        const struct run     *run = &facts->runs[i];
        struct segment_cursor c = { .run = run, .to = run->count };
        if (span.to_ms != INT64_MAX)
            c.to = count_before(run, span.to_ms + 1);
        if (span.from_ms != INT64_MIN)
            c.from = count_before(run, span.from_ms);
        if (c.from < c.to)
            first(scan, &c);
        if (c.from < c.to)
            scan->cursors[scan->count++] = c;
    }
}

void segment_scan_newest(struct segment_scan *scan, const struct segment_asking *asking,
                         const struct segment_match_op *match, struct segment_span span)
{
    scan_begin(scan, asking, match, span, settle_newest);
}

void segment_scan_oldest(struct segment_scan *scan, const struct segment_asking *asking,
                         const struct segment_match_op *match, struct segment_span span)
{
    scan_begin(scan, asking, match, span, settle_oldest);
}

static bool is_before(const struct run *a, uint32_t i, const struct run *b, uint32_t k)
{
    return a->at_ms[i] != b->at_ms[k] ? a->at_ms[i] < b->at_ms[k] : a->seq[i] < b->seq[k];
}

static struct segment_hit hit_at(const struct run *run, uint32_t index)
{
    return (struct segment_hit){ run->at_ms[index], run->seq[index], run, index };
}

static uint32_t newest_cursor(const struct segment_scan *scan)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < scan->count; i++) {
        const struct segment_cursor *a = &scan->cursors[best], *b = &scan->cursors[i];
        if (is_before(a->run, a->to - 1, b->run, b->to - 1))
            best = i;
    }
    return best;
}

static uint32_t oldest_cursor(const struct segment_scan *scan)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < scan->count; i++) {
        const struct segment_cursor *a = &scan->cursors[best], *b = &scan->cursors[i];
        if (is_before(b->run, b->from, a->run, a->from))
            best = i;
    }
    return best;
}

static void drop_if_empty(struct segment_scan *scan, uint32_t at)
{
    if (scan->cursors[at].from == scan->cursors[at].to)
        scan->cursors[at] = scan->cursors[--scan->count];
}

bool segment_scan_peek_newest(const struct segment_scan *scan, struct segment_hit *out)
{
    if (scan->count == 0)
        return false;
    const struct segment_cursor *c = &scan->cursors[newest_cursor(scan)];
    *out = hit_at(c->run, c->to - 1);
    return true;
}

bool segment_scan_peek_oldest(const struct segment_scan *scan, struct segment_hit *out)
{
    if (scan->count == 0)
        return false;
    const struct segment_cursor *c = &scan->cursors[oldest_cursor(scan)];
    *out = hit_at(c->run, c->from);
    return true;
}

bool segment_scan_take_newest(struct segment_scan *scan, struct segment_hit *out)
{
    if (scan->count == 0)
        return false;
    uint32_t               at = newest_cursor(scan);
    struct segment_cursor *c = &scan->cursors[at];
    *out = hit_at(c->run, --c->to);
    settle_newest(scan, c);
    drop_if_empty(scan, at);
    return true;
}

bool segment_scan_take_oldest(struct segment_scan *scan, struct segment_hit *out)
{
    if (scan->count == 0)
        return false;
    uint32_t               at = oldest_cursor(scan);
    struct segment_cursor *c = &scan->cursors[at];
    *out = hit_at(c->run, c->from++);
    settle_oldest(scan, c);
    drop_if_empty(scan, at);
    return true;
}

struct bag segment_hit_bag(const struct segment_asking *asking, const struct segment_hit *hit)
{
    return bag_at(asking->facts->bags, hit->run->bag[hit->index]);
}

bool segment_hit_is_after(const struct segment_hit *a, const struct segment_hit *b)
{
    return a->at_ms != b->at_ms ? a->at_ms > b->at_ms : a->seq > b->seq;
}

int64_t segment_reach_changes(const struct segment_reach    *reach,
                              const struct segment_asking   *asking,
                              const struct segment_match_op *match)
{
    struct segment_scan scan;
    struct segment_hit  hit;
    int64_t             leave_ms = TIME_NEVER, enter_ms = TIME_NEVER;
    if (reach->leave_ms != TIME_NEVER) {
        segment_scan_oldest(&scan, asking, match, reach->now);
        if (segment_scan_peek_oldest(&scan, &hit))
            leave_ms = segment_later(hit.at_ms, reach->leave_ms);
    }
    segment_scan_oldest(&scan, asking, match, reach->pending);
    if (segment_scan_peek_oldest(&scan, &hit))
        enter_ms = segment_later(hit.at_ms, reach->enter_ms);
    return leave_ms < enter_ms ? leave_ms : enter_ms;
}
