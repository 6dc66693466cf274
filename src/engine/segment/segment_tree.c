#include "engine/segment/segment_tree.h"

static bool window_eq(const struct segment_window *a, const struct segment_window *b)
{
    return a->kind == b->kind && a->length_ms == b->length_ms && a->from_ms == b->from_ms &&
           a->to_ms == b->to_ms && a->from_is_day == b->from_is_day &&
           a->to_is_day == b->to_is_day && a->unit == b->unit && a->back == b->back;
}

static bool where_eq(const struct segment_node *a, const struct segment_node *b)
{
    return a == NULL || b == NULL ? a == b : segment_eq(a, b);
}

static bool match_eq(const struct segment_match *a, const struct segment_match *b)
{
    return a->subject == b->subject && str_eq(a->event, b->event) && a->of == b->of &&
           str_eq(a->name, b->name) && a->hits == b->hits && window_eq(&a->window, &b->window) &&
           where_eq(a->where, b->where);
}

static bool compare_eq(const struct segment_compare *a, const struct segment_compare *b)
{
    if (!str_eq(a->key, b->key) || a->which != b->which || a->test != b->test ||
        a->values_count != b->values_count)
        return false;
    for (uint32_t i = 0; i < a->values_count; i++)
        if (a->values[i].kind != b->values[i].kind ||
            !json_eq(&a->values[i].value, &b->values[i].value))
            return false;
    return true;
}

static bool parts_eq(const struct segment_node *a, const struct segment_node *b)
{
    if (a->parts_count != b->parts_count)
        return false;
    for (uint32_t i = 0; i < a->parts_count; i++)
        if (!segment_eq(a->parts[i], b->parts[i]))
            return false;
    return true;
}

static bool steps_eq(const struct segment_node *a, const struct segment_node *b)
{
    if (a->steps_count != b->steps_count || a->step != b->step || a->not_step != b->not_step)
        return false;
    for (uint32_t i = 0; i < a->steps_count; i++)
        if (!match_eq(&a->steps[i], &b->steps[i]))
            return false;
    return true;
}

static bool aggregate_eq(const struct segment_node *a, const struct segment_node *b)
{
    return match_eq(&a->match, &b->match) && a->fold == b->fold && a->test == b->test &&
           str_eq(a->property, b->property) && json_eq(&a->number, &b->number) &&
           where_eq(a->with, b->with) && a->is_value == b->is_value &&
           compare_eq(&a->compare, &b->compare);
}

bool segment_eq(const struct segment_node *a, const struct segment_node *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case SEGMENT_EVERYONE:
        return true;
    case SEGMENT_AND:
    case SEGMENT_OR:
    case SEGMENT_NOT:
        return parts_eq(a, b);
    case SEGMENT_COMPARE:
        return compare_eq(&a->compare, &b->compare);
    case SEGMENT_ELEMENT:
        return compare_eq(&a->compare, &b->compare) && parts_eq(a, b);
    case SEGMENT_DAY:
        return compare_eq(&a->compare, &b->compare) && a->yearly == b->yearly &&
               a->from_days == b->from_days && a->to_days == b->to_days;
    case SEGMENT_BEEN:
        return compare_eq(&a->compare, &b->compare) && a->within_ms == b->within_ms;
    case SEGMENT_DID:
        return match_eq(&a->match, &b->match) && a->times == b->times &&
               a->times_count == b->times_count;
    case SEGMENT_FIRST_DID:
    case SEGMENT_LAST_DID:
        return match_eq(&a->match, &b->match);
    case SEGMENT_AGGREGATE:
        return aggregate_eq(a, b);
    case SEGMENT_THEN:
    case SEGMENT_THEN_NOT:
        return match_eq(&a->match, &b->match) && match_eq(&a->then, &b->then) &&
               a->within_ms == b->within_ms && str_eq(a->same, b->same);
    case SEGMENT_FUNNEL:
        return window_eq(&a->match.window, &b->match.window) && steps_eq(a, b) &&
               a->within_ms == b->within_ms && str_eq(a->same, b->same);
    case SEGMENT_IN_SEGMENT:
    case SEGMENT_IN_LIST:
    case SEGMENT_IN_STAGE:
    case SEGMENT_IN_JOURNEY:
        return str_eq(a->name, b->name) && str_eq(a->at, b->at);
    case SEGMENT_CONSENT:
        return str_eq(a->name, b->name) && str_eq(a->at, b->at) && a->consent == b->consent;
    case SEGMENT_SHARE:
        return str_eq(a->name, b->name) && a->percent == b->percent;
    case SEGMENT_SCORE:
        return a->score == b->score && compare_eq(&a->compare, &b->compare);
    }
    return false;
}
