#include "engine/report/leaf.h"

#include <string.h>

#include "engine/profile/place.h"
#include "engine/segment/segment_date.h"
#include "engine/segment/segment_scan.h"

void leaf_asking_make(struct leaf_asking *asking, const struct report *report,
                      const struct segment_program *program)
{
    asking->program = program;
    someone_nobody(&asking->nobody, report);
}

/* ---- what kind of question it is */

static bool is_fixed(const struct segment_window *window)
{
    return window->kind != SEGMENT_CALENDAR && !window->from_is_day && !window->to_is_day;
}

/* Does what it is compared with, or the value, lie in days of the person's zone? */
static bool has_zone(const struct segment_op *ops, uint32_t from, uint32_t to)
{
    for (uint32_t at = from; at < to; at++)
        for (uint32_t i = 0; i < ops[at].compare.values_count; i++)
            if (segment_date_is(ops[at].compare.values[i].kind))
                return true;
    return false;
}

static bool is_by_columns(const struct segment_op *ops, uint32_t at)
{
    const struct segment_op *op = &ops[at];
    switch (op->kind) {
    case SEGMENT_EVERYONE:
        return true;
    case SEGMENT_COMPARE:
        return op->key >= PLACE_DERIVED && !has_zone(ops, at, op->next);
    case SEGMENT_DID:
    case SEGMENT_FIRST_DID:
    case SEGMENT_LAST_DID:
        return is_fixed(&op->match.window) && !has_zone(ops, at, op->next);
    default:
        return false;
    }
}

enum leaf_cost leaf_cost(const struct segment_op *ops, uint32_t at)
{
    if (!is_by_columns(ops, at))
        return LEAF_DEAR;
    if (ops[at].kind == SEGMENT_EVERYONE)
        return LEAF_FREE;
    return ops[at].kind == SEGMENT_COMPARE || ops[at].match.where != 0 ? LEAF_BAG : LEAF_NAME;
}

/* ---- did, first did, last did */

/* One question about events of a name, in a window that is the same for everyone. */
struct question {
    const struct segment_op *op;
    struct segment_span      span;
    uint32_t                 need;   /* fewer in all, and the answer is `otherwise` */
    uint32_t                 most;   /* so many need be counted */
    bool                     is_own; /* last_ms says nothing of these events */
    bool                     is_any; /* of any name but the own ones */
    bool                     otherwise;
};

static bool is_wanted(const struct leaf_asking *asking, const struct question *q,
                      const struct slice_level *slice, uint32_t i)
{
    struct segment_asking ask = { asking->program->ops, &asking->nobody.facts };
    uint32_t              place = slice_place(slice, i);
    if (q->is_any && slice->level->name[place] < RUN_DEEDS)
        return false;
    if (q->op->match.where == 0)
        return true;
    uint32_t bag = slice->level->bag[place];
    return segment_where(&ask, q->op->match.where, bag_at(asking->block.view->bags, bag));
}

/* The end of what is dated at or before to_ms. */
static uint32_t end_of(const struct leaf_asking *asking, const struct question *q,
                       const struct slice_level *slice, uint32_t i, int64_t to_ms)
{
    if (!q->is_own && asking->block.last_ms[i] <= to_ms)
        return slice->hi[i];
    return slice_first(slice, slice->lo[i], slice->hi[i], to_ms + 1);
}

static uint32_t count_in(const struct leaf_asking *asking, const struct question *q,
                         const struct slice_level *slice, uint32_t i, uint32_t most)
{
    uint32_t lo = slice->lo[i], hi = end_of(asking, q, slice, i, q->span.to_ms), count = 0;
    int64_t  from_ms = q->span.from_ms;
    if (q->op->match.where == 0 && !(q->is_any && slice_has_own(slice))) {
        if (from_ms == INT64_MIN)
            return hi - lo;
        if (hi - lo >= most && slice_at_ms(slice, hi - most) >= from_ms)
            return most;
        return hi - slice_first(slice, lo, hi, from_ms);
    }
    for (; hi > lo && count < most && slice_at_ms(slice, hi - 1) >= from_ms; hi--)
        count += is_wanted(asking, q, slice, hi - 1);
    return count;
}

static bool did(const struct leaf_asking *asking, const struct question *q, uint32_t i)
{
    uint32_t count = 0, wanted = q->op->times_count;
    for (uint32_t l = 0; l < asking->slices.levels_count && count < q->most; l++)
        count += count_in(asking, q, &asking->slices.levels[l], i, q->most - count);
    return q->op->times == SEGMENT_TIMES_AT_LEAST  ? count >= wanted
           : q->op->times == SEGMENT_TIMES_AT_MOST ? count <= wanted
                                                   : count == wanted;
}

/* The first or last match ever, as far as it has happened, lies in the span. */
static bool instant(const struct leaf_asking *asking, const struct question *q, uint32_t i)
{
    bool    last = q->op->kind == SEGMENT_LAST_DID, found = false;
    int64_t best_ms = 0;
    for (uint32_t l = 0; l < asking->slices.levels_count; l++) {
        const struct slice_level *slice = &asking->slices.levels[l];
        uint32_t                  lo = slice->lo[i];
        uint32_t                  hi = end_of(asking, q, slice, i, asking->block.report->at_ms);
        while (lo < hi && !is_wanted(asking, q, slice, last ? hi - 1 : lo)) {
            lo += !last;
            hi -= last;
        }
        if (lo == hi)
            continue;
        int64_t at_ms = slice_at_ms(slice, last ? hi - 1 : lo);
        if (!found || (last ? at_ms > best_ms : at_ms < best_ms))
            best_ms = at_ms;
        found = true;
    }
    return found && best_ms >= q->span.from_ms && best_ms <= q->span.to_ms;
}

static struct question question_of(const struct leaf_asking *asking, const struct segment_op *op)
{
    struct question q = { .op = op,
                          .need = 1,
                          .is_own = op->match.event < RUN_DEEDS,
                          .is_any = op->match.event == BLOCK_ANYTHING };
    q.span = segment_reach_of(&op->match.window, &asking->nobody.facts).now;
    if (op->kind != SEGMENT_DID)
        return q;
    q.otherwise = op->times == SEGMENT_TIMES_AT_MOST || op->times_count == 0;
    q.most = op->times_count + (op->times != SEGMENT_TIMES_AT_LEAST);
    q.need = op->times == SEGMENT_TIMES_EXACTLY && op->times_count > 0 ? op->times_count : q.most;
    return q;
}

static void prefetch(const struct slices *slices, uint32_t first, uint64_t word, uint32_t back)
{
    for (uint64_t left = word; left != 0; left &= left - 1)
        for (uint32_t l = 0; l < slices->levels_count; l++) {
            const struct slice_level *slice = &slices->levels[l];
            uint32_t                  i = first + BLOCK_BIT(left);
            if (slice->hi[i] - slice->lo[i] >= back)
                __builtin_prefetch(&slice->level->at_ms[slice_place(slice, slice->hi[i] - back)]);
        }
}

/* Did they do anything at all in the window? The last deed says it, unless it is after the end. */
static void eval_anything(struct leaf_asking *asking, const struct question *q,
                          const uint64_t *asked, uint64_t *out)
{
    uint64_t after[BLOCK_WORDS];
    bool     sliced = false;
    block_last(&asking->block, q->span.from_ms > LAST_NEVER_MS ? q->span.from_ms : TIME_MIN_MS,
               q->span.to_ms, out, after);
    for (uint32_t word = 0; word < BLOCK_WORDS; word++) {
        out[word] = (q->otherwise ? ~(out[word] | after[word]) : out[word]) & asked[word];
        for (uint64_t left = after[word] & asked[word]; left != 0; left &= left - 1) {
            if (!sliced)
                slices_make(&asking->slices, &asking->block, BLOCK_ANYTHING);
            sliced = true;
            if (did(asking, q, word * 64 + BLOCK_BIT(left)))
                out[word] |= left & -left;
        }
    }
}

static void eval_behaviour(struct leaf_asking *asking, const struct segment_op *op,
                           const uint64_t *asked, uint64_t *out)
{
    struct question q = question_of(asking, op);
    uint32_t        totals[BLOCK_PROFILES];
    uint64_t        some[BLOCK_WORDS];

    if (q.is_any && op->kind == SEGMENT_DID && q.most == 1 && op->match.where == 0) {
        eval_anything(asking, &q, asked, out);
        return;
    }
    slices_make_of(&asking->slices, &asking->block, op->match.event, asked);
    slices_totals(&asking->slices, asking->block.count, totals);
    block_enough(&asking->block, totals, q.need, q.is_own ? INT64_MIN : q.span.from_ms, some);
    for (uint32_t word = 0; word < BLOCK_WORDS; word++) {
        some[word] &= asked[word];
        out[word] = q.otherwise ? asked[word] & ~some[word] : 0;
    }
    uint32_t back = op->kind == SEGMENT_DID && op->match.where == 0 ? q.most : 1;
    prefetch(&asking->slices, 0, some[0], back);
    for (uint32_t word = 0; word < BLOCK_WORDS; word++) {
        if (word + 1 < BLOCK_WORDS)
            prefetch(&asking->slices, (word + 1) * 64, some[word + 1], back);
        for (uint64_t left = some[word]; left != 0; left &= left - 1) {
            uint32_t i = word * 64 + BLOCK_BIT(left);
            bool     holds = op->kind == SEGMENT_DID ? did(asking, &q, i) : instant(asking, &q, i);
            out[word] |= holds ? left & -left : 0;
        }
    }
}

/* ---- traits */

static bool trait_holds(struct leaf_asking *asking, const struct segment_op *op, uint32_t i)
{
    struct json value = { .kind = JSON_NULL };
    uint32_t    bag = slices_trait_bag(&asking->slices, &asking->block, op->key, i);
    if (bag != 0)
        (void)bag_value(bag_at(asking->block.view->bags, bag), op->key, asking->someone.elements,
                        SOMEONE_ELEMENTS_MAX, &value);
    return segment_compare_value(&asking->nobody.facts, &op->compare, &value).holds;
}

static void eval_trait(struct leaf_asking *asking, const struct segment_op *op,
                       const uint64_t *asked, uint64_t *out)
{
    struct json nothing = { .kind = JSON_NULL };
    bool     otherwise = segment_compare_value(&asking->nobody.facts, &op->compare, &nothing).holds;
    uint32_t totals[BLOCK_PROFILES];
    uint64_t some[BLOCK_WORDS];

    slices_make_of(&asking->slices, &asking->block, BLOCK_IDENTIFY, asked);
    slices_totals(&asking->slices, asking->block.count, totals);
    block_enough(&asking->block, totals, 1, INT64_MIN, some);
    for (uint32_t word = 0; word < BLOCK_WORDS; word++) {
        out[word] = otherwise ? asked[word] & ~some[word] : 0;
        for (uint64_t left = some[word] & asked[word]; left != 0; left &= left - 1)
            if (trait_holds(asking, op, word * 64 + BLOCK_BIT(left)))
                out[word] |= left & -left;
    }
}

/* ---- one by one */

/* The events of which one each must be there for the answer to differ from nobody's. */
static uint32_t decisive_events(const struct segment_op *op, uint16_t *events)
{
    events[0] = op->match.event;
    switch (op->kind) {
    case SEGMENT_COMPARE:
    case SEGMENT_DAY:
    case SEGMENT_BEEN:
        events[0] = BLOCK_IDENTIFY;
        return op->computed == 0 && op->key >= PLACE_DERIVED;
    case SEGMENT_DID:
    case SEGMENT_FIRST_DID:
    case SEGMENT_LAST_DID:
    case SEGMENT_AGGREGATE:
    case SEGMENT_THEN_NOT:
        return 1;
    case SEGMENT_THEN:
        events[1] = op->then.event;
        return 2;
    case SEGMENT_FUNNEL:
        for (uint32_t k = 0; k < op->step; k++)
            events[k] = op->steps[k].event;
        return op->step;
    case SEGMENT_IN_LIST:
        events[0] = BLOCK_LIST;
        return 1;
    case SEGMENT_CONSENT:
        events[0] = BLOCK_CONSENT;
        return 1;
    case SEGMENT_IN_JOURNEY:
        events[0] = BLOCK_JOURNEY;
        return 1;
    default:
        return 0;
    }
}

/* Of those asked, who has all the events without which the answer is nobody's? */
static void decided_by_events(struct leaf_asking *asking, const struct segment_op *op,
                              const uint64_t *asked, uint64_t *some)
{
    uint16_t events[SEGMENT_STEPS_MAX];
    uint32_t totals[BLOCK_PROFILES], count = decisive_events(op, events);
    uint64_t have[BLOCK_WORDS];

    memcpy(some, asked, BLOCK_WORDS * sizeof *some);
    for (uint32_t k = 0; k < count; k++) {
        slices_make_of(&asking->slices, &asking->block, events[k], some);
        slices_totals(&asking->slices, asking->block.count, totals);
        block_enough(&asking->block, totals, 1, INT64_MIN, have);
        for (uint32_t word = 0; word < BLOCK_WORDS; word++)
            some[word] &= have[word];
    }
}

/* As someone_make, of one profile: the block knows about where in the levels it is. */
static void someone_alone(struct leaf_asking *asking, uint32_t i)
{
    const struct block *block = &asking->block;
    struct someone     *someone = &asking->someone;
    someone_nobody(someone, block->report);
    someone->person = someone->facts.profile = block->first + i;
    for (uint32_t l = 0; l < block->view->levels_count; l++) {
        uint32_t entry = block_entry(block, l, i);
        if (entry != BLOCK_NO_ENTRY)
            someone->runs[someone->facts.runs_count++] = level_run(&block->view->levels[l], entry);
    }
}

static void eval_one_by_one(struct leaf_asking *asking, uint32_t at, const uint64_t *asked,
                            uint64_t *out)
{
    struct segment_local  local;
    struct segment_asking ask = { asking->program->ops, &asking->nobody.facts };
    bool                  otherwise = segment_eval_op(&ask, at).holds;
    uint64_t              some[BLOCK_WORDS];

    decided_by_events(asking, &asking->program->ops[at], asked, some);
    for (uint32_t word = 0; word < BLOCK_WORDS; word++) {
        out[word] = otherwise ? asked[word] & ~some[word] : 0;
        for (uint64_t left = some[word]; left != 0; left &= left - 1) {
            someone_alone(asking, word * 64 + BLOCK_BIT(left));
            ask.facts = segment_localize(asking->program, &asking->someone.facts, &local);
            if (segment_eval_op(&ask, at).holds)
                out[word] |= left & -left;
        }
    }
}

void leaf_eval(struct leaf_asking *asking, uint32_t at, const uint64_t *asked, uint64_t *out)
{
    const struct segment_op *op = &asking->program->ops[at];
    if (!is_by_columns(asking->program->ops, at))
        eval_one_by_one(asking, at, asked, out);
    else if (op->kind == SEGMENT_EVERYONE)
        memcpy(out, asked, BLOCK_WORDS * sizeof *out);
    else if (op->kind == SEGMENT_COMPARE)
        eval_trait(asking, op, asked, out);
    else
        eval_behaviour(asking, op, asked, out);
}
