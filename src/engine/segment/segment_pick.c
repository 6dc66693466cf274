#include "engine/segment/segment_distinct.h"
#include "engine/segment/segment_scan.h"
#include "engine/segment/segment_values.h"

/*
 * Aggregates that pick rather than add up: the first or last value, the most frequent one, the
 * first or last time. What they give is tested as a trait's value is. The answer is looked at again
 * whenever an event leaves or enters that could bring another pick.
 */

enum { PICKED_MAX = 64 }; /* values of a list, of the first or last event that has one */

struct picked {
    bool        found;
    struct json value;
    int64_t     at_ms; /* of the event */
    uint32_t    count;
    struct json items[PICKED_MAX];
    char        text[TIME_TEXT_BYTES];
};

/* The values of the event; one is itself, more are a list. */
static bool pick_from(const struct segment_asking *asking, const struct segment_op *op,
                      const struct segment_hit *hit, struct picked *picked)
{
    struct segment_values values;
    segment_values_begin(&values, asking, op, segment_hit_bag(asking, hit));
    picked->count = 0;
    while (picked->count < PICKED_MAX &&
           segment_values_next(&values, &picked->items[picked->count]))
        picked->count++;
    picked->at_ms = hit->at_ms;
    picked->value =
        picked->count == 1
            ? picked->items[0]
            : (struct json){ .kind = JSON_ARRAY, .count = picked->count, .items = picked->items };
    picked->found = picked->count > 0;
    return picked->found;
}

static void pick_end(const struct segment_asking *asking, const struct segment_op *op,
                     struct segment_span span, bool last, struct picked *picked)
{
    struct segment_scan scan;
    struct segment_hit  hit;
    if (last)
        segment_scan_newest(&scan, asking, &op->match, span);
    else
        segment_scan_oldest(&scan, asking, &op->match, span);
    while (last ? segment_scan_take_newest(&scan, &hit) : segment_scan_take_oldest(&scan, &hit))
        if (pick_from(asking, op, &hit, picked))
            return;
}

/* Of those equally frequent the latest. Not inlined: its set is 48 KiB of stack. */
__attribute__((noinline)) static void pick_frequent(const struct segment_asking *asking,
                                                    const struct segment_op     *op,
                                                    struct segment_span span, struct picked *picked)
{
    struct distinct              set;
    struct segment_scan          scan;
    struct segment_hit           hit;
    struct segment_values        values;
    struct json                  value;
    const struct distinct_value *best = NULL;
    bool                         fresh;

    distinct_init(&set);
    segment_scan_newest(&scan, asking, &op->match, span);
    while (segment_scan_take_newest(&scan, &hit)) {
        segment_values_begin(&values, asking, op, segment_hit_bag(asking, &hit));
        while (segment_values_next(&values, &value))
            (void)distinct_add(&set, &value, &fresh);
    }
    for (uint32_t i = 0; i < DISTINCT_SLOTS; i++) {
        const struct distinct_value *v = &set.values[i];
        if (set.hashes[i] != 0 && (best == NULL || v->times > best->times ||
                                   (v->times == best->times && v->place < best->place)))
            best = v;
    }
    picked->found = best != NULL;
    if (picked->found)
        picked->value = best->value;
}

static void pick_time(const struct segment_asking *asking, const struct segment_op *op,
                      struct segment_span span, struct picked *picked)
{
    struct segment_scan scan;
    struct segment_hit  hit;
    bool                last = op->fold == SEGMENT_LAST_TIME;
    if (last)
        segment_scan_newest(&scan, asking, &op->match, span);
    else
        segment_scan_oldest(&scan, asking, &op->match, span);
    picked->found =
        last ? segment_scan_peek_newest(&scan, &hit) : segment_scan_peek_oldest(&scan, &hit);
    if (!picked->found)
        return;
    picked->at_ms = hit.at_ms;
    picked->value =
        (struct json){ .kind = JSON_STRING, .string = str_of(time_write(hit.at_ms, picked->text)) };
}

static void pick(const struct segment_asking *asking, const struct segment_op *op,
                 struct segment_span span, struct picked *picked)
{
    picked->found = false;
    picked->value = (struct json){ .kind = JSON_NULL };
    switch (op->fold) {
    case SEGMENT_FIRST_VALUE:
        pick_end(asking, op, span, false, picked);
        break;
    case SEGMENT_LAST_VALUE:
        pick_end(asking, op, span, true, picked);
        break;
    case SEGMENT_MOST_FREQUENT:
        pick_frequent(asking, op, span, picked);
        break;
    default:
        pick_time(asking, op, span, picked);
        break;
    }
    if (!picked->found)
        picked->value = (struct json){ .kind = JSON_NULL };
}

/* What leaves before the pick itself is no matter, unless how often counts. */
static int64_t changes_ms(const struct segment_asking *asking, const struct segment_op *op,
                          const struct segment_reach *reach, const struct picked *picked)
{
    struct segment_reach entering = *reach;
    bool                 one = picked->found && op->fold != SEGMENT_MOST_FREQUENT;
    int64_t leave_ms = one ? segment_later(picked->at_ms, reach->leave_ms) : TIME_NEVER;
    if (one || !picked->found)
        entering.leave_ms = TIME_NEVER;
    int64_t other_ms = segment_reach_changes(&entering, asking, &op->match);
    return leave_ms < other_ms ? leave_ms : other_ms;
}

struct segment_answer segment_eval_pick(const struct segment_asking *asking,
                                        const struct segment_op     *op)
{
    struct segment_reach reach = segment_reach_of(&op->match.window, asking->facts);
    struct picked        picked;
    pick(asking, op, reach.now, &picked);
    struct verdict verdict = segment_compare_value(asking->facts, &op->compare, &picked.value);
    int64_t        until_ms = changes_ms(asking, op, &reach, &picked);
    verdict.until_ms = verdict.until_ms < until_ms ? verdict.until_ms : until_ms;
    return (struct segment_answer){ verdict, 0, 0 };
}

/* A list or a time is borrowed by the thread that asked, until it asks again. */
static _Thread_local struct picked kept;

bool segment_pick_value(const struct segment_asking *asking, const struct segment_op *op,
                        const struct segment_reach *reach, struct json *out)
{
    pick(asking, op, reach->now, &kept);
    *out = kept.value;
    return kept.found;
}
