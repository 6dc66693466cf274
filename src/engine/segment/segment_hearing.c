/* Which conditions hear of an event's name, and how each is to be told of one. */
#include <math.h>
#include <stdlib.h>

#include "engine/segment/segment_hear.h"
#include "engine/segment/segment_scan.h"

/* One condition of one segment, before equal ones are joined. */
struct use {
    struct heard                  heard;
    struct heard_user             user;
    const struct segment_program *program; /* the segment's own */
};

static bool is_of(const struct segment_match_op *match, uint16_t event)
{
    return match->event == event || (match->event == SEGMENT_ANY_EVENT && event >= RUN_DEEDS);
}

static bool is_about(const struct segment_op *op, uint16_t event)
{
    switch (op->kind) {
    case SEGMENT_DID:
    case SEGMENT_FIRST_DID:
    case SEGMENT_LAST_DID:
    case SEGMENT_AGGREGATE:
        return is_of(&op->match, event);
    case SEGMENT_THEN:
    case SEGMENT_THEN_NOT:
        return is_of(&op->match, event) || is_of(&op->then, event);
    case SEGMENT_FUNNEL:
        break;
    default:
        return false;
    }
    for (uint32_t i = 0; i < op->steps_count; i++)
        if (is_of(&op->steps[i], event))
            return true;
    return false;
}

/* What happens now counts now, and time only takes it away. */
static bool reaches_now(const struct segment_window *window)
{
    return window->kind == SEGMENT_EVER || window->kind == SEGMENT_LAST ||
           window->kind == SEGMENT_SINCE || (window->kind == SEGMENT_CALENDAR && window->back == 0);
}

/* ---- how each kind is told ---- */

static void count_use(struct heard *heard, double times, int way)
{
    heard->kind = times < HEAR_TIMES_MAX - 1 ? HEARD_COUNT : HEARD_READ;
    heard->times = times < 0 ? 0 : times < HEAR_TIMES_MAX ? (uint32_t)times : HEAR_TIMES_MAX;
    heard->way = (int8_t)way;
}

/* "Exactly" turns twice: as the number is reached, and as it is passed. */
static uint32_t count_uses(struct use *uses, double times, int way, double passed)
{
    uses[1] = uses[0];
    count_use(&uses[0].heard, times, way);
    count_use(&uses[1].heard, passed, -way);
    if (uses[0].heard.kind == HEARD_COUNT && uses[1].heard.kind == HEARD_COUNT)
        return 2;
    uses[0].heard.kind = HEARD_EACH;
    return 1;
}

static uint32_t did_uses(const struct segment_op *op, struct use *uses)
{
    uint32_t n = op->times_count;
    if (!reaches_now(&op->match.window))
        return 1;
    if (op->times == SEGMENT_TIMES_EXACTLY)
        return count_uses(uses, n, 1, n + 1.0);
    if (op->times == SEGMENT_TIMES_AT_LEAST)
        count_use(&uses->heard, n, 1);
    else
        count_use(&uses->heard, n + 1.0, -1);
    return 1;
}

/* "Less than d ago" is once in the last d. */
static void last_use(const struct segment_op *op, struct heard *heard)
{
    if (reaches_now(&op->match.window))
        count_use(heard, 1, 1);
    else if (op->match.window.kind == SEGMENT_NOT_LAST)
        heard->kind = HEARD_LAPSE;
}

static int way_of_test(enum segment_test test)
{
    return test == SEGMENT_MORE || test == SEGMENT_AT_LEAST  ? 1
           : test == SEGMENT_LESS || test == SEGMENT_AT_MOST ? -1
                                                             : 0;
}

/* The first number that is over what "at least" (or "less") compares with. */
static double over(const struct segment_op *op)
{
    bool beyond = op->test == SEGMENT_MORE || op->test == SEGMENT_AT_MOST;
    return beyond ? floor(op->number) + 1 : ceil(op->number);
}

static void sum_use(const struct segment_op *op, struct heard *heard)
{
    bool     beyond = op->test == SEGMENT_MORE || op->test == SEGMENT_AT_MOST;
    __int128 least = op->number_micro + beyond;
    if (op->group == 0 || op->zoned || least > INT64_MAX / 2 || least < INT64_MIN / 2)
        return;
    heard->kind = HEARD_SUM;
    heard->least_micro = (int64_t)least;
    heard->group = op->group;
}

static void fold_use(const struct segment_op *op, struct heard *heard)
{
    int way = way_of_test(op->test);
    heard->way = (int8_t)way;
    if (op->is_value || !reaches_now(&op->match.window))
        return;
    if (op->fold == SEGMENT_LAST_VALUE && op->compare.test != SEGMENT_NOT_EXISTS)
        heard->kind = HEARD_LATEST;
    else if (op->fold == SEGMENT_COUNT && op->counts_events && way != 0)
        count_use(heard, over(op), way);
    else if ((op->fold == SEGMENT_COUNT || op->fold == SEGMENT_DISTINCT) && way != 0)
        heard->kind = HEARD_READ;
    else if (op->fold == SEGMENT_SUM && way != 0)
        sum_use(op, heard);
    else if ((op->fold == SEGMENT_GREATEST && way > 0) || (op->fold == SEGMENT_LEAST && way < 0))
        heard->kind = HEARD_VALUE;
}

/* What no kind fits is told of each event that matches. A filter that moves with time may come to
 * let an event pass later. */
static uint32_t kind_uses(const struct segment_op *op, struct use *uses)
{
    uses->heard.kind = HEARD_EACH;
    if (op->moves)
        return 1;
    switch (op->kind) {
    case SEGMENT_DID:
        return did_uses(op, uses);
    case SEGMENT_FIRST_DID:
        uses->heard.kind = HEARD_FIRST;
        break;
    case SEGMENT_LAST_DID:
        last_use(op, &uses->heard);
        break;
    case SEGMENT_AGGREGATE:
        fold_use(op, &uses->heard);
        break;
    case SEGMENT_FUNNEL:
        uses->heard.kind = HEARD_FUNNEL;
        break;
    default:
        uses->heard.kind = HEARD_THEN;
    }
    return 1;
}

static uint32_t uses_of_op(const struct hearing_segment *segment, uint32_t at, struct use *uses)
{
    const struct segment_op     *op = &segment->program->ops[at];
    const struct segment_window *window = &op->match.window;
    struct facts                 none = { .now_ms = 0 };
    *uses = (struct use){ .heard = { .ops = segment->program->ops,
                                     .at = at,
                                     .any = op->match.event == SEGMENT_ANY_EVENT,
                                     .moves = window->kind == SEGMENT_LAST,
                                     .zoned = op->zoned,
                                     .equal = op->equal },
                          .user = { segment->number, op->polarity },
                          .program = segment->program };
    if (window->kind == SEGMENT_NOT_LAST) {
        uses->heard.moves = true;
        uses->heard.from_ms = 1 - window->length_ms;
    } else if (!op->zoned && window->kind != SEGMENT_SINCE_ENTRY) {
        uses->heard.from_ms = segment_reach_of(window, &none).now.from_ms;
    }
    return kind_uses(op, uses);
}

static uint32_t uses_of(const struct hearing_segment *segment, uint16_t event, struct use *out)
{
    const struct segment_program *program = segment->program;
    uint32_t                      count = 0;
    for (uint32_t i = 0; i < program->ops_count; i++)
        if (is_about(&program->ops[i], event))
            count += uses_of_op(segment, i, out + count);
    return count;
}

/* ---- all of them ---- */

static int compare_uses(const void *a, const void *b)
{
    const struct heard *x = &((const struct use *)a)->heard, *y = &((const struct use *)b)->heard;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->any != y->any)
        return x->any - y->any;
    if (x->group != y->group)
        return x->group - y->group;
    if (x->times != y->times)
        return x->times < y->times ? -1 : 1;
    return x->equal - y->equal;
}

static bool is_same(const struct use *a, const struct use *b)
{
    return a->heard.equal != 0 && compare_uses(a, b) == 0 && a->heard.way == b->heard.way;
}

static void gates_add(struct hearing *hearing, const struct use *use, uint16_t event,
                      uint32_t *count, struct heard_user *user)
{
    *user = use->user;
    user->gates = *count;
    user->gates_count =
        (uint8_t)segment_gates(use->program, use->heard.at,
                               (struct heard_cause){ event, DICT_NONE }, &hearing->gates[*count]);
    *count += user->gates_count;
}

static void count_join(struct hearing *hearing, const struct heard *heard)
{
    int64_t span_ms = heard->moves && !heard->zoned ? -heard->from_ms : TIME_NEVER;
    if (heard->times > hearing->times_max[heard->any])
        hearing->times_max[heard->any] = heard->times;
    if (span_ms > hearing->times_span_ms[heard->any])
        hearing->times_span_ms[heard->any] = span_ms;
}

static void uses_join(struct hearing *hearing, struct use *uses, uint32_t count, uint16_t event)
{
    uint32_t gates = 0;
    if (count > 1)
        qsort(uses, count, sizeof uses[0], compare_uses);
    for (uint32_t i = 0; i < count; i++) {
        if (i == 0 || !is_same(&uses[i - 1], &uses[i])) {
            hearing->items[hearing->count] = uses[i].heard;
            hearing->items[hearing->count++].users = i;
        }
        struct heard *last = &hearing->items[hearing->count - 1];
        gates_add(hearing, &uses[i], event, &gates, &hearing->users[i]);
        last->users_count++;
        if (last->kind == HEARD_COUNT)
            count_join(hearing, last);
    }
    hearing->users_count = count;
}

enum err segment_hearing_make(struct hearing *hearing, uint16_t event,
                              const struct hearing_segment *segments, uint32_t count)
{
    uint32_t room = 1, used = 0;
    *hearing = (struct hearing){ 0 };
    for (uint32_t i = 0; i < count; i++)
        room += 2 * segments[i].program->ops_count;
    struct use *uses = malloc(room * sizeof uses[0]);
    hearing->items = malloc(room * sizeof hearing->items[0]);
    hearing->users = malloc(room * sizeof hearing->users[0]);
    bool got = uses != NULL && hearing->items != NULL && hearing->users != NULL;
    for (uint32_t i = 0; got && i < count; i++)
        used += uses_of(&segments[i], event, uses + used);
    hearing->gates = got ? malloc((used + 1) * HEAR_GATES_MAX * sizeof hearing->gates[0]) : NULL;
    got = hearing->gates != NULL;
    if (got)
        uses_join(hearing, uses, used, event);
    else
        segment_hearing_done(hearing);
    free(uses);
    return got ? OK : ERR_MEMORY;
}

void segment_hearing_done(struct hearing *hearing)
{
    free(hearing->items);
    free(hearing->users);
    free(hearing->gates);
    *hearing = (struct hearing){ 0 };
}
