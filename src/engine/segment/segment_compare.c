#include <math.h>

#include "engine/segment/segment_date.h"
#include "engine/segment/segment_key.h"
#include "engine/segment/segment_pattern.h"
#include "engine/segment/segment_program.h"

/* ---- one value against one literal */

static int order(double a, double b)
{
    return (a > b) - (a < b);
}

static int order_int(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* The order of value and literal; false when they are of different kinds and have none. */
static bool compare_value(const struct facts *facts, const struct json *value,
                          const struct segment_literal *literal, int *out)
{
    double a, b;
    switch (literal->kind) {
    case SEGMENT_TEXT:
        if (value->kind != JSON_STRING)
            return false;
        *out = str_cmp(value->string, literal->value.string);
        return true;
    case SEGMENT_NUMBER:
        if (value->kind == JSON_INT && literal->value.kind == JSON_INT) {
            *out = order_int(value->integer, literal->value.integer);
            return true;
        }
        if (!json_to_real(value, &a) || !json_to_real(&literal->value, &b))
            return false;
        *out = order(a, b);
        return true;
    case SEGMENT_TRUTH:
        if (value->kind != JSON_BOOL)
            return false;
        *out = (int)value->truth - (int)literal->value.truth;
        return true;
    default:
        return segment_date_order(facts, value, literal, out);
    }
}

static bool is_one_of(const struct facts *facts, const struct segment_compare *c,
                      const struct json *value)
{
    int difference;
    for (uint32_t i = 0; i < c->values_count; i++)
        if (compare_value(facts, value, &c->values[i], &difference) && difference == 0)
            return true;
    return false;
}

static bool is_ordered(const struct facts *facts, const struct segment_compare *c,
                       const struct json *value)
{
    int difference;
    return compare_value(facts, value, &c->values[0], &difference) &&
           segment_order_holds(c->test, difference);
}

static bool is_within_text(struct str text, struct str part)
{
    return part.len == 0 || str_find(text, 0, part) < text.len;
}

static bool is_text_like(const struct segment_compare *c, const struct json *value, bool listed)
{
    struct str wanted = c->values[0].value.string;
    if (value->kind != JSON_STRING)
        return false;
    if (c->test == SEGMENT_STARTS)
        return str_starts(value->string, wanted);
    if (c->test == SEGMENT_ENDS)
        return str_ends(value->string, wanted);
    /* A list contains its elements; a text contains its parts. */
    return listed && c->which == SEGMENT_PLAIN ? str_eq(value->string, wanted)
                                               : is_within_text(value->string, wanted);
}

static bool test_value(const struct facts *facts, const struct segment_compare *c,
                       const struct json *value, bool listed)
{
    int low, high;
    switch (c->test) {
    case SEGMENT_EQUAL:
    case SEGMENT_IN:
        return is_one_of(facts, c, value);
    case SEGMENT_NOT_EQUAL:
    case SEGMENT_NOT_IN:
        return !is_one_of(facts, c, value);
    case SEGMENT_MORE:
    case SEGMENT_AT_LEAST:
    case SEGMENT_LESS:
    case SEGMENT_AT_MOST:
        return is_ordered(facts, c, value);
    case SEGMENT_CONTAINS:
    case SEGMENT_STARTS:
    case SEGMENT_ENDS:
        return is_text_like(c, value, listed);
    case SEGMENT_MATCHES:
        return value->kind == JSON_STRING && segment_pattern_matches(c->pattern, value->string);
    case SEGMENT_BETWEEN_VALUES:
        return compare_value(facts, value, &c->values[0], &low) && low >= 0 &&
               compare_value(facts, value, &c->values[1], &high) && high <= 0;
    case SEGMENT_IS_KEY:
        return facts->entry_key != 0 && segment_key(value) == facts->entry_key;
    case SEGMENT_EXISTS:
    case SEGMENT_NOT_EXISTS:
        break; /* that there is a value is all that is asked */
    }
    return true;
}

/* ---- several values under one key */

enum { TURNS_MAX = 16 }; /* looked ahead; then the answer is asked for early */

struct tested {
    uint32_t values, passed;
};

static void test_one(const struct facts *facts, const struct segment_compare *c,
                     const struct json *value, bool listed, struct tested *sum)
{
    if (value->kind == JSON_NULL)
        return;
    sum->values++;
    sum->passed += test_value(facts, c, value, listed);
}

static bool is_passed(const struct segment_compare *c, struct tested sum)
{
    bool denies = c->test == SEGMENT_NOT_EQUAL || c->test == SEGMENT_NOT_IN;
    if (c->test == SEGMENT_NOT_EXISTS)
        return sum.values == 0;
    if (c->which == SEGMENT_ALL || (c->which == SEGMENT_PLAIN && denies))
        return sum.values > 0 && sum.passed == sum.values;
    return sum.passed > 0;
}

static bool compare(const struct facts *facts, const struct segment_compare *c,
                    const struct json *value)
{
    struct tested sum = { 0 };
    if (value->kind != JSON_ARRAY)
        test_one(facts, c, value, false, &sum);
    else
        for (uint32_t i = 0; i < value->count; i++)
            test_one(facts, c, &value->items[i], true, &sum);
    return is_passed(c, sum);
}

static bool moves(const struct segment_compare *c)
{
    for (uint32_t i = 0; i < c->values_count; i++)
        if (segment_date_moves(c->values[i].kind))
            return true;
    return false;
}

/* When any of the values may come to lie otherwise against any of the literals. */
static int64_t next_turn(const struct facts *facts, const struct segment_compare *c,
                         const struct json *value)
{
    const struct json *items = value->kind == JSON_ARRAY ? value->items : value;
    uint32_t           count = value->kind == JSON_ARRAY ? value->count : 1;
    int64_t            first_ms = TIME_NEVER;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < c->values_count; k++) {
            int64_t turn_ms = segment_date_turn(facts, &items[i], &c->values[k]);
            first_ms = turn_ms < first_ms ? turn_ms : first_ms;
        }
    return first_ms;
}

struct verdict segment_compare_value(const struct facts *facts, const struct segment_compare *c,
                                     const struct json *value)
{
    struct verdict v = { compare(facts, c, value), TIME_NEVER };
    if (!moves(c))
        return v;
    /* Not every turn of an order turns the answer: "before" stays as it is from within to after. */
    struct facts ahead = *facts;
    for (int i = 0; i < TURNS_MAX; i++) {
        v.until_ms = ahead.now_ms = next_turn(&ahead, c, value);
        if (v.until_ms == TIME_NEVER || compare(&ahead, c, value) != v.holds)
            break;
    }
    return v;
}

static void turn_note(const struct segment_asking *asking, const struct segment_op *op,
                      const struct json *value)
{
    int64_t turn_ms = next_turn(asking->facts, &op->compare, value);
    if (turn_ms < *asking->turn_ms)
        *asking->turn_ms = turn_ms;
}

static bool compare_property(const struct segment_asking *asking, const struct segment_op *op,
                             struct bag bag)
{
    struct tested   sum = { 0 };
    struct bag_item item;
    uint32_t        at = 0;
    while (bag_next_of(bag, &at, op->key, &item)) {
        bool listed = item.listed && !op->in_element;
        test_one(asking->facts, &op->compare, &item.value, listed, &sum);
        if (asking->turn_ms != NULL)
            turn_note(asking, op, &item.value);
    }
    return is_passed(&op->compare, sum);
}

/* Correlated: all of the condition is asked of one element, then of the next. */
static bool has_element(const struct segment_asking *asking, uint32_t where, struct bag bag)
{
    const struct segment_op *op = &asking->ops[where];
    bool                     all = op->compare.which == SEGMENT_ALL;
    struct bag_list          list;
    struct bag               element;
    if (!bag_list_find(bag, op->list, &list))
        return false;
    while (bag_list_next(&list, &element))
        if (segment_where(asking, where + 1, element) != all)
            return !all;
    return all && list.count > 0;
}

bool segment_where(const struct segment_asking *asking, uint32_t where, struct bag bag)
{
    const struct segment_op *op = &asking->ops[where];
    bool                     wants = op->kind == SEGMENT_OR; /* the part's answer that decides */

    if (op->kind == SEGMENT_COMPARE)
        return compare_property(asking, op, bag);
    if (op->kind == SEGMENT_ELEMENT)
        return has_element(asking, where, bag);
    if (op->kind == SEGMENT_NOT)
        return !segment_where(asking, where + 1, bag);
    for (uint32_t part = where + 1; part < op->next; part = asking->ops[part].next)
        if (segment_where(asking, part, bag) == wants)
            return wants;
    return !wants;
}

bool segment_micro(const struct json *value, __int128 *out)
{
    double x;
    if (!json_to_real(value, &x) || !(fabs(x) <= SEGMENT_NUMBER_MAX))
        return false;
    double micro = rint(x * 1e6);
    if (value->kind == JSON_INT)
        *out = (__int128)value->integer * 1000000;
    else if (fabs(micro) < 9e18) /* most: the wider conversion is many times as slow */
        *out = (int64_t)micro;
    else
        *out = (__int128)micro;
    return true;
}
