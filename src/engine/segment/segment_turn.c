#include "engine/segment/segment_scan.h"
#include "engine/segment/segment_values.h"

/*
 * Adding an event to a history moves most conditions one way only, at every instant at once: counts
 * go up, so "at least" can only come to hold and "never" only cease to. Through "not" the way turns
 * round. So whoever is in already need not be asked because of what helps, nor whoever is out
 * because of what hinders: with no ways known the segment is asked.
 */
enum way { DOWN = -1, UNKNOWN = 0, UP = 1 };

static enum way way_of_test(enum segment_test test)
{
    switch (test) {
    case SEGMENT_MORE:
    case SEGMENT_AT_LEAST:
        return UP;
    case SEGMENT_LESS:
    case SEGMENT_AT_MOST:
        return DOWN;
    default:
        return UNKNOWN;
    }
}

/* A sum goes where the values go, if they go one way. */
static enum way way_of_sum(const struct segment_asking *asking, const struct segment_op *op,
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
        return UNKNOWN;
    return down ? -way_of_test(op->test) : way_of_test(op->test);
}

static enum way way_of_fold(const struct segment_asking *asking, const struct segment_op *op,
                            struct bag bag)
{
    enum way way = way_of_test(op->test);
    if (op->is_value)
        return UNKNOWN;
    switch (op->fold) {
    case SEGMENT_COUNT:
    case SEGMENT_DISTINCT:
        return way;
    case SEGMENT_SUM:
        return way_of_sum(asking, op, bag);
    case SEGMENT_GREATEST:
        return way == UP ? UP : UNKNOWN; /* of nothing there is none, so "less" may come to hold */
    case SEGMENT_LEAST:
        return way == DOWN ? UP : UNKNOWN;
    default:
        return UNKNOWN;
    }
}

static bool is_last_to_now(const struct segment_window *window)
{
    return window->kind == SEGMENT_EVER || window->kind == SEGMENT_LAST ||
           window->kind == SEGMENT_SINCE;
}

/* Which way an event that matches `match` (not only `then`) moves the condition. */
static enum way way_of(const struct segment_asking *asking, const struct segment_op *op,
                       struct bag bag)
{
    switch (op->kind) {
    case SEGMENT_DID:
        return op->times == SEGMENT_TIMES_AT_LEAST  ? UP
               : op->times == SEGMENT_TIMES_AT_MOST ? DOWN
                                                    : UNKNOWN;
    case SEGMENT_LAST_DID:
        return is_last_to_now(&op->match.window) ? UP : UNKNOWN;
    case SEGMENT_AGGREGATE:
        return way_of_fold(asking, op, bag);
    case SEGMENT_THEN:
    case SEGMENT_THEN_NOT:
        return UP;
    case SEGMENT_FUNNEL:
        return op->not_step == 0 ? UP : UNKNOWN;
    default:
        return UNKNOWN;
    }
}

static bool is_matched(const struct segment_asking *asking, const struct segment_match_op *match,
                       uint16_t event, struct bag bag)
{
    bool named =
        match->event == event || (match->event == SEGMENT_ANY_EVENT && event >= RUN_OWN_NAMES);
    return named && (match->where == 0 || segment_where(asking, match->where, bag));
}

static bool is_any_step(const struct segment_asking *asking, const struct segment_op *op,
                        uint16_t event, struct bag bag)
{
    for (uint32_t i = 0; i < op->steps_count; i++)
        if (is_matched(asking, &op->steps[i], event, bag))
            return true;
    return false;
}

static bool turns(enum way way, int8_t polarity, bool in)
{
    int effect = (int)way * polarity;
    return effect == 0 || (effect > 0) != in;
}

static bool can_turn_op(const struct segment_asking *asking, const struct segment_op *op,
                        uint16_t event, struct bag bag, bool in)
{
    switch (op->kind) {
    case SEGMENT_DID:
    case SEGMENT_FIRST_DID:
    case SEGMENT_LAST_DID:
    case SEGMENT_AGGREGATE:
        return is_matched(asking, &op->match, event, bag) &&
               turns(way_of(asking, op, bag), op->polarity, in);
    case SEGMENT_THEN:
    case SEGMENT_THEN_NOT:
        if (is_matched(asking, &op->match, event, bag) && turns(UP, op->polarity, in))
            return true;
        return is_matched(asking, &op->then, event, bag) &&
               turns(op->kind == SEGMENT_THEN ? UP : DOWN, op->polarity, in);
    case SEGMENT_FUNNEL:
        return is_any_step(asking, op, event, bag) &&
               turns(way_of(asking, op, bag), op->polarity, in);
    default:
        return false;
    }
}

bool segment_can_turn(const struct segment_program *program, uint16_t event, struct bag bag,
                      bool in)
{
    struct segment_asking asking = { program->ops, NULL };
    if (event < RUN_OWN_NAMES || program->has_zone)
        return true; /* they also say where someone lives, or what was agreed to */
    for (uint32_t i = 0; i < program->ops_count; i++)
        if (can_turn_op(&asking, &program->ops[i], event, bag, in))
            return true;
    return false;
}
