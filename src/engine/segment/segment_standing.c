#include "engine/segment/segment_standing.h"

#include <stdlib.h>
#include <string.h>

#include "engine/segment/segment_scan.h"
#include "engine/segment/segment_values.h"

/* ---- the leaves of live conditions */

uint32_t segment_leaves(const struct segment_program *program, uint16_t event,
                        struct segment_leaf *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < program->ops_count; i++)
        if (program->ops[i].leaf != 0 && program->ops[i].match.event == event)
            out[count++] = (struct segment_leaf){ program->ops[i].leaf, i, program->ops };
    return count;
}

static int compare_leaves(const void *a, const void *b)
{
    return (int)((const struct segment_leaf *)a)->leaf -
           (int)((const struct segment_leaf *)b)->leaf;
}

uint32_t segment_leaves_settle(struct segment_leaf *leaves, uint32_t count)
{
    uint32_t kept = 0;
    if (count > 1)
        qsort(leaves, count, sizeof leaves[0], compare_leaves);
    for (uint32_t i = 0; i < count; i++)
        if (kept == 0 || leaves[kept - 1].leaf != leaves[i].leaf)
            leaves[kept++] = leaves[i];
    return kept;
}

/* ---- keeping */

static uint32_t key_of(uint16_t event, uint16_t leaf)
{
    return (uint32_t)event << 16 | leaf;
}

/* The first answer not before (event, leaf). */
static uint32_t place_of(const struct standings *standings, uint16_t event, uint16_t leaf)
{
    uint32_t low = 0, high = standings->count, key = key_of(event, leaf);
    while (low < high) {
        uint32_t               middle = low + (high - low) / 2;
        const struct standing *s = &standings->items[middle];
        if (key_of(s->event, s->leaf) < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct standings *standings, uint32_t i, uint16_t event, uint16_t leaf)
{
    return i < standings->count && standings->items[i].event == event &&
           standings->items[i].leaf == leaf;
}

static void remove_at(struct standings *standings, uint32_t i)
{
    standings->count--;
    memmove(&standings->items[i], &standings->items[i + 1],
            (standings->count - i) * sizeof standings->items[0]);
}

/* False when there is no room: the answer is then not kept, and read again when asked again. */
static bool make_room(struct standings *standings)
{
    if (standings->count >= standings->most)
        return false;
    if (standings->count < standings->room)
        return true;
    uint32_t         room = standings->room == 0 ? 8 : standings->room * 2;
    struct standing *items = realloc(standings->items, room * sizeof items[0]);
    if (items == NULL)
        return false;
    standings->items = items;
    standings->room = room;
    return true;
}

static void keep(struct standings *standings, uint32_t i, struct standing answer)
{
    if (is_at(standings, i, answer.event, answer.leaf)) {
        standings->items[i] = answer;
        return;
    }
    if (!make_room(standings))
        return;
    memmove(&standings->items[i + 1], &standings->items[i],
            (standings->count - i) * sizeof standings->items[0]);
    standings->items[i] = answer;
    standings->count++;
}

void standings_forget(struct standings *standings)
{
    free(standings->items);
    *standings = (struct standings){ 0 };
}

/* ---- asking */

static struct segment_answer answer_of(const struct segment_asking *asking,
                                       const struct segment_op *op, bool loose)
{
    struct segment_answer  then = { .spare = SEGMENT_SPARE_NONE };
    struct segment_witness witness;
    switch (op->kind) {
    case SEGMENT_DID:
        return segment_eval_did(asking, op);
    case SEGMENT_FIRST_DID:
    case SEGMENT_LAST_DID:
        return segment_eval_instant(asking, op);
    case SEGMENT_AGGREGATE:
        return segment_eval_fold(asking, op, loose);
    case SEGMENT_FUNNEL:
        then.verdict = segment_levels_verdict(segment_eval_funnel(asking, op, INT64_MIN));
        return then;
    default:
        /* More of either event only helps a "then"; what may turn the others is not told to them.
         */
        then.verdict = segment_eval_then(asking, op, INT64_MIN, &witness);
        if (then.verdict.holds && op->kind == SEGMENT_THEN)
            then.spare = SEGMENT_SPARE_ANY;
        return then;
    }
}

/* ---- windows of the calendar, that empty at once ---- */

enum { TURNS_MAX = 8 }; /* looked ahead; then the answer is asked for early */

static struct verdict until_turn(const struct segment_asking *asking, const struct segment_op *op)
{
    struct verdict v = answer_of(asking, op, false).verdict;
    int64_t        turn_ms = segment_window_turn_ms(&op->match.window, asking->facts);
    v.until_ms = turn_ms < v.until_ms ? turn_ms : v.until_ms;
    return v;
}

/* May anything that is known lie in the window, now or later? */
static bool has_left(const struct segment_asking *asking, const struct segment_op *op)
{
    struct segment_reach reach = segment_reach_of(&op->match.window, asking->facts);
    struct segment_span  rest = { reach.now.from_ms, INT64_MAX };
    struct segment_scan  scan;
    struct segment_hit   hit;
    segment_scan_oldest(&scan, asking, &op->match, rest);
    return segment_scan_peek_oldest(&scan, &hit);
}

/* Asked again at each turn, until the answer is another or nothing is left that could turn it. */
static struct verdict eval_calendar(const struct segment_asking *asking,
                                    const struct segment_op     *op)
{
    struct facts          ahead = *asking->facts;
    struct segment_asking later = { asking->ops, &ahead };
    struct verdict        v = until_turn(asking, op);
    if (op->moves)
        return v;
    for (int i = 0; i < TURNS_MAX; i++) {
        if (!has_left(&later, op))
            return (struct verdict){ v.holds, TIME_NEVER };
        ahead.now_ms = v.until_ms;
        struct verdict w = until_turn(&later, op);
        if (w.holds != v.holds)
            return v;
        v.until_ms = w.until_ms;
    }
    return v;
}

struct verdict segment_eval_leaf(const struct segment_asking *asking, const struct segment_op *op)
{
    struct standings *standings = asking->facts->standings;
    int64_t           now_ms = asking->facts->now_ms;
    if (op->match.window.kind == SEGMENT_CALENDAR)
        return eval_calendar(asking, op);
    if (standings == NULL || op->leaf == 0 || now_ms < standings->asked_ms)
        return answer_of(asking, op, false).verdict;

    uint32_t i = place_of(standings, op->match.event, op->leaf);
    bool     there = is_at(standings, i, op->match.event, op->leaf);
    if (there && standings->items[i].until_ms > now_ms)
        return (struct verdict){ standings->items[i].holds, standings->items[i].until_ms };
    struct segment_answer answer = answer_of(asking, op, true);
    standings->asked_ms = now_ms;
    if (answer.spare != SEGMENT_SPARE_NONE)
        keep(standings, i,
             (struct standing){ answer.verdict.until_ms, answer.spare, op->match.event, op->leaf,
                                answer.side, answer.verdict.holds });
    else if (there)
        remove_at(standings, i);
    return answer.verdict;
}

/* ---- telling */

static bool take(struct standing *s, int64_t brought)
{
    if (s->spare == SEGMENT_SPARE_ANY)
        return true;
    if (brought > s->spare)
        return false;
    s->spare -= brought;
    return true;
}

static bool stands_count(const struct segment_asking *asking, const struct segment_op *op,
                         struct bag bag, struct standing *s)
{
    struct segment_values values;
    struct json           value;
    int64_t               brought = 0;
    if (op->counts_events)
        return take(s, 1);
    segment_values_begin(&values, asking, op, bag);
    while (segment_values_next(&values, &value))
        brought++;
    return take(s, brought);
}

/* Of a sum or average what counts is how far the values are on their way to the other side. */
static bool stands_total(const struct segment_asking *asking, const struct segment_op *op,
                         struct bag bag, struct standing *s)
{
    struct segment_values values;
    struct json           value;
    __int128              micro, brought = 0;
    segment_values_begin(&values, asking, op, bag);
    while (segment_values_next(&values, &value))
        if (segment_micro(&value, &micro))
            brought += op->fold == SEGMENT_AVERAGE ? micro - op->number_micro : micro;
    brought *= -s->side;
    return brought <= 0 || (brought <= s->spare && take(s, (int64_t)brought));
}

static bool stands_extreme(const struct segment_asking *asking, const struct segment_op *op,
                           struct bag bag, const struct standing *s)
{
    struct segment_values values;
    struct json           value;
    __int128              micro;
    segment_values_begin(&values, asking, op, bag);
    while (segment_values_next(&values, &value)) {
        if (!segment_micro(&value, &micro))
            continue;
        int side = (micro > op->number_micro) - (micro < op->number_micro);
        if (s->side == SEGMENT_SIDE_NONE ||
            (op->fold == SEGMENT_GREATEST ? side > s->side : side < s->side))
            return false;
    }
    return true;
}

static bool stands(const struct segment_leaf *leaf, struct bag bag, struct standing *s)
{
    struct segment_asking    asking = { leaf->ops, NULL };
    const struct segment_op *op = &leaf->ops[leaf->at];
    if (s->spare == SEGMENT_SPARE_ANY)
        return true;
    if (op->match.where != 0 && !segment_where(&asking, op->match.where, bag))
        return true;
    if (op->kind != SEGMENT_AGGREGATE)
        return take(s, 1);
    switch (op->fold) {
    case SEGMENT_DISTINCT:
    case SEGMENT_COUNT:
        return stands_count(&asking, op, bag, s);
    case SEGMENT_SUM:
    case SEGMENT_AVERAGE:
        return stands_total(&asking, op, bag, s);
    case SEGMENT_LEAST:
    case SEGMENT_GREATEST:
        return stands_extreme(&asking, op, bag, s);
    default:
        return take(s, 1);
    }
}

/* Both are in order of leaf. An answer to what is no live condition's leaf is forgotten too. */
void standings_tell(struct standings *standings, uint16_t event, struct bag bag,
                    const struct segment_leaf *leaves, uint32_t leaves_count)
{
    uint32_t from = place_of(standings, event, 0), to = from, kept = from, k = 0;
    for (; to < standings->count && standings->items[to].event == event; to++) {
        struct standing *s = &standings->items[to];
        while (k < leaves_count && leaves[k].leaf < s->leaf)
            k++;
        if (k < leaves_count && leaves[k].leaf == s->leaf && stands(&leaves[k], bag, s))
            standings->items[kept++] = *s;
    }
    if (kept == to)
        return;
    memmove(&standings->items[kept], &standings->items[to],
            (standings->count - to) * sizeof standings->items[0]);
    standings->count -= to - kept;
}
