#include "engine/segment/segment_scan.h"
#include "engine/segment/segment_values.h"

/*
 * Adding an event to a history moves most conditions one way only, at every instant at once: counts
 * go up, so "at least" can only come to hold and "never" only cease to. Through "not" the way turns
 * round. So whoever is in already need not be asked because of what helps, nor whoever is out
 * because of what hinders: with no ways known the segment is asked.
 */
static enum segment_way way_of_test(enum segment_test test)
{
    switch (test) {
    case SEGMENT_MORE:
    case SEGMENT_AT_LEAST:
        return SEGMENT_WAY_UP;
    case SEGMENT_LESS:
    case SEGMENT_AT_MOST:
        return SEGMENT_WAY_DOWN;
    default:
        return SEGMENT_WAY_UNKNOWN;
    }
}

/* A sum goes where the values go, if they go one way. */
static enum segment_way way_of_sum(const struct segment_asking *asking, const struct segment_op *op,
                                   struct bag bag)
{
    struct segment_values values;
    struct json           value;
    __int128              micro;
    bool                  up = false, down = false;
    segment_values_begin(&values, asking, op, bag);
    while (segment_values_next(&values, &value))
        if (segment_micro(&value, &micro)) {
            up = up || micro > 0;
            down = down || micro < 0;
        }
    if (up && down)
        return SEGMENT_WAY_UNKNOWN;
    return down ? (enum segment_way) - way_of_test(op->test) : way_of_test(op->test);
}

static enum segment_way way_of_fold(const struct segment_asking *asking,
                                    const struct segment_op *op, struct bag bag)
{
    enum segment_way way = way_of_test(op->test);
    if (op->is_value)
        return SEGMENT_WAY_UNKNOWN;
    switch (op->fold) {
    case SEGMENT_COUNT:
    case SEGMENT_DISTINCT:
        return way;
    case SEGMENT_SUM:
        return way_of_sum(asking, op, bag);
    case SEGMENT_GREATEST:
        return way == SEGMENT_WAY_UP
                   ? SEGMENT_WAY_UP
                   : SEGMENT_WAY_UNKNOWN; /* of nothing there is none, so "less" may come to hold */
    case SEGMENT_LEAST:
        return way == SEGMENT_WAY_DOWN ? SEGMENT_WAY_UP : SEGMENT_WAY_UNKNOWN;
    default:
        return SEGMENT_WAY_UNKNOWN;
    }
}

static bool is_last_to_now(const struct segment_window *window)
{
    return window->kind == SEGMENT_EVER || window->kind == SEGMENT_LAST ||
           window->kind == SEGMENT_SINCE;
}

/* Which way an event that matches `match` (not only `then`) moves the condition. */
static enum segment_way way_of(const struct segment_asking *asking, const struct segment_op *op,
                               struct bag bag)
{
    if (op->moves)
        return SEGMENT_WAY_UNKNOWN;
    switch (op->kind) {
    case SEGMENT_DID:
        return op->times == SEGMENT_TIMES_AT_LEAST  ? SEGMENT_WAY_UP
               : op->times == SEGMENT_TIMES_AT_MOST ? SEGMENT_WAY_DOWN
                                                    : SEGMENT_WAY_UNKNOWN;
    case SEGMENT_LAST_DID:
        return is_last_to_now(&op->match.window) ? SEGMENT_WAY_UP : SEGMENT_WAY_UNKNOWN;
    case SEGMENT_AGGREGATE:
        return way_of_fold(asking, op, bag);
    case SEGMENT_THEN:
    case SEGMENT_THEN_NOT:
        return SEGMENT_WAY_UP;
    case SEGMENT_FUNNEL:
        return op->not_step == 0 ? SEGMENT_WAY_UP : SEGMENT_WAY_UNKNOWN;
    default:
        return SEGMENT_WAY_UNKNOWN;
    }
}

/* A filter that moves with time may let the event pass later. */
static bool is_matched(const struct segment_asking *asking, const struct segment_op *op,
                       const struct segment_match_op *match, uint16_t event, struct bag bag)
{
    bool named = match->event == event || (match->event == SEGMENT_ANY_EVENT && event >= RUN_DEEDS);
    return named && (match->where == 0 || op->moves || segment_where(asking, match->where, bag));
}

static bool is_any_step(const struct segment_asking *asking, const struct segment_op *op,
                        uint16_t event, struct bag bag)
{
    for (uint32_t i = 0; i < op->steps_count; i++)
        if (is_matched(asking, op, &op->steps[i], event, bag))
            return true;
    return false;
}

static enum segment_way way_of_sequence(bool first, bool then, bool then_not)
{
    if (!first && !then)
        return SEGMENT_WAY_NONE;
    if (!then || !then_not)
        return SEGMENT_WAY_UP;
    return first ? SEGMENT_WAY_UNKNOWN : SEGMENT_WAY_DOWN;
}

enum segment_way segment_way(const struct segment_asking *asking, const struct segment_op *op,
                             uint16_t event, struct bag bag)
{
    switch (op->kind) {
    case SEGMENT_DID:
    case SEGMENT_FIRST_DID:
    case SEGMENT_LAST_DID:
    case SEGMENT_AGGREGATE:
        return is_matched(asking, op, &op->match, event, bag) ? way_of(asking, op, bag)
                                                              : SEGMENT_WAY_NONE;
    case SEGMENT_THEN:
    case SEGMENT_THEN_NOT:
        return way_of_sequence(is_matched(asking, op, &op->match, event, bag),
                               is_matched(asking, op, &op->then, event, bag),
                               op->kind == SEGMENT_THEN_NOT);
    case SEGMENT_FUNNEL:
        return is_any_step(asking, op, event, bag) ? way_of(asking, op, bag) : SEGMENT_WAY_NONE;
    default:
        return SEGMENT_WAY_NONE;
    }
}

bool segment_can_turn(const struct segment_program *program, uint16_t event, struct bag bag,
                      bool in)
{
    struct segment_asking asking = { program->ops, NULL, NULL };
    if (event < RUN_OWN_NAMES || program->has_zone)
        return true; /* they also say where someone lives, or what was agreed to */
    for (uint32_t i = 0; i < program->ops_count; i++) {
        enum segment_way way = segment_way(&asking, &program->ops[i], event, bag);
        int              effect = (int)way * program->ops[i].polarity;
        if (way != SEGMENT_WAY_NONE && (effect == 0 || (effect > 0) != in))
            return true;
    }
    return false;
}
