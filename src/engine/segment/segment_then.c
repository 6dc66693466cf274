#include "engine/segment/segment_keyed.h"
#include "engine/segment/segment_scan.h"
#include "engine/segment/segment_values.h"

/*
 * "A then B" and "A and then no B" are swept once, from the newest event back, with the nearest
 * following B at hand (that of each value, when both must have the same). Each A that is answered
 * (or not) counts for a stretch of time:
 *
 *      then           from B on                      A at + window's length: leaves
 *      then no        from A at + within on          the same
 *
 * The newest A that counts now also counts longest, so the sweep may end there.
 */
struct stretch {
    int64_t enter_ms, leave_ms;
};

struct sweep {
    const struct segment_asking *asking;
    const struct segment_op     *op;
    struct segment_reach         reach;
    struct segment_scan          firsts, thens;
    int64_t                      next_then_ms; /* KEYED_NONE: none so far */
    struct keyed                *table;        /* NULL: any B answers */
    bool                         full;
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

/* The value by which the event is followed; false when it has none, or one of another class. */
static bool value_of(const struct sweep *s, const struct segment_hit *hit, struct json *out)
{
    return segment_same_value(segment_hit_bag(s->asking, hit), s->op->same, out) &&
           keyed_is_followed(s->table, out);
}

static void note_then(struct sweep *s, const struct segment_hit *then, int64_t first_ms)
{
    struct json value;
    if (s->table == NULL) {
        s->next_then_ms = then->at_ms;
        return;
    }
    if (!value_of(s, then, &value))
        return;
    struct keyed_slot *slot = keyed_put(s->table, &value);
    if (slot == NULL) { /* a B too late for this A is too late for all before it */
        keyed_keep(s->table, INT64_MIN, first_ms + s->op->within_ms);
        slot = keyed_put(s->table, &value);
    }
    s->full = slot == NULL;
    if (slot != NULL)
        slot->at_ms[0] = then->at_ms;
}

/* The next matching A, going back, with its value, and whether a B followed it in time. */
static bool next_first(struct sweep *s, struct segment_hit *out, struct json *value, bool *answered)
{
    struct segment_hit then;
    int64_t            then_ms = KEYED_NONE;
    for (;;) {
        if (!segment_scan_take_newest(&s->firsts, out))
            return false;
        while (!s->full && segment_scan_peek_newest(&s->thens, &then) &&
               segment_hit_is_after(&then, out)) {
            note_then(s, &then, out->at_ms);
            (void)segment_scan_take_newest(&s->thens, &then);
        }
        if (s->table == NULL || s->full || value_of(s, out, value))
            break;
    }
    if (s->full)
        return false;
    if (s->table == NULL) {
        then_ms = s->next_then_ms;
    } else {
        const struct keyed_slot *slot = keyed_find(s->table, value);
        then_ms = slot == NULL ? KEYED_NONE : slot->at_ms[0];
    }
    *answered = then_ms != KEYED_NONE && then_ms - out->at_ms <= s->op->within_ms;
    return true;
}

/* One pass over what may be a first event; false when the table was too small for it. */
static bool sweep(struct sweep *s, int64_t from_ms, struct verdict *out,
                  struct segment_witness *witness)
{
    int64_t             now_ms = s->asking->facts->now_ms, until_ms = TIME_NEVER;
    int64_t             first_ms = later_ms(s->reach.now.from_ms, from_ms);
    struct segment_span past = { first_ms, earlier_ms(now_ms, s->reach.pending.to_ms) };
    struct segment_span thens_past = { first_ms, now_ms };
    struct segment_hit  hit;
    struct json         same = { .kind = JSON_NULL };
    bool                answered;

    segment_scan_newest(&s->firsts, s->asking, &s->op->match, past);
    segment_scan_newest(&s->thens, s->asking, &s->op->then, thens_past);
    while (next_first(s, &hit, &same, &answered)) {
        struct stretch stretch = stretch_of(s->op, &s->reach, hit.at_ms);
        if (answered != (s->op->kind == SEGMENT_THEN) || stretch.enter_ms >= stretch.leave_ms)
            continue;
        if (stretch.enter_ms <= now_ms) {
            *out = (struct verdict){ true, stretch.leave_ms };
            *witness = (struct segment_witness){ hit.at_ms, same };
            return true;
        }
        until_ms = earlier_ms(until_ms, stretch.enter_ms);
    }
    *out = (struct verdict){ false, until_ms };
    return !s->full;
}

static int64_t future_ms(const struct segment_asking *asking, const struct segment_match_op *match)
{
    struct segment_span future = { asking->facts->now_ms + 1, INT64_MAX };
    struct segment_scan scan;
    struct segment_hit  hit;
    segment_scan_oldest(&scan, asking, match, future);
    return segment_scan_peek_oldest(&scan, &hit) ? hit.at_ms : TIME_NEVER;
}

/* Every class by itself; what holds in one holds. */
static bool sweep_classes(struct sweep *s, int64_t from_ms, uint32_t classes, struct verdict *sum,
                          struct segment_witness *witness)
{
    *sum = (struct verdict){ false, TIME_NEVER };
    for (uint32_t class = 0; class < classes; class ++) {
        struct verdict         part;
        struct segment_witness one;
        keyed_init(s->table, classes, class);
        if (!sweep(s, from_ms, &part, &one))
            return false;
        if (part.holds && (!sum->holds || one.at_ms > witness->at_ms))
            *witness = one;
        *sum = verdict_not(verdict_and(verdict_not(*sum), verdict_not(part)));
    }
    return true;
}

__attribute__((noinline)) static struct verdict sweep_keyed(struct sweep *s, int64_t from_ms,
                                                            struct segment_witness *witness)
{
    struct keyed   table;
    struct verdict sum;
    s->table = &table;
    for (uint32_t classes = 1;; classes *= 4) {
        s->full = false;
        if (sweep_classes(s, from_ms, classes, &sum, witness) || classes >= KEYED_CLASSES_MAX)
            break;
    }
    s->table = NULL;
    return sum;
}

struct verdict segment_eval_then(const struct segment_asking *asking, const struct segment_op *op,
                                 int64_t from_ms, struct segment_witness *witness)
{
    struct sweep   s;
    struct verdict verdict;
    s.asking = asking;
    s.op = op;
    s.reach = segment_reach_of(&op->match.window, asking->facts);
    s.next_then_ms = KEYED_NONE;
    s.table = NULL;
    s.full = false;
    if (op->has_same)
        verdict = sweep_keyed(&s, from_ms, witness);
    else
        (void)sweep(&s, from_ms, &verdict, witness);
    if (verdict.holds)
        return verdict;
    verdict.until_ms = earlier_ms(verdict.until_ms, future_ms(asking, &op->match));
    verdict.until_ms = earlier_ms(verdict.until_ms, future_ms(asking, &op->then));
    return verdict;
}
