#include "engine/segment/segment_fault.h"

#include <math.h>

#include "engine/segment/segment.h"

static const struct segment_fault NO_FAULT = { NULL, NULL };

struct segment_fault segment_name_fault(struct str name)
{
    if (name.len == 0)
        return (struct segment_fault){ "the name is empty", "Write the name between the quotes." };
    if (name.len > SEGMENT_NAME_BYTES_MAX)
        return (struct segment_fault){ "the name is longer than 256 bytes", "Use a shorter name." };
    return NO_FAULT;
}

static bool values_are(const struct segment_compare *c, enum segment_literal_kind kind)
{
    for (uint32_t i = 0; i < c->values_count; i++)
        if (c->values[i].kind != kind)
            return false;
    return true;
}

/* Is the first value of a range after the second, as far as one can tell without a zone? */
static bool is_reversed(const struct segment_literal *a, const struct segment_literal *b)
{
    double x, y;
    if (a->kind != b->kind)
        return false;
    if (a->kind == SEGMENT_TEXT)
        return str_cmp(a->value.string, b->value.string) > 0;
    if (a->value.kind == JSON_INT && b->value.kind == JSON_INT)
        return a->value.integer > b->value.integer;
    return json_to_real(&a->value, &x) && json_to_real(&b->value, &y) && x > y;
}

static bool is_date(const struct segment_literal *literal)
{
    return literal->kind >= SEGMENT_DATE;
}

static struct segment_fault range_fault(const struct segment_compare *c)
{
    bool dates = is_date(&c->values[0]) && is_date(&c->values[1]);
    if (values_are(c, SEGMENT_TRUTH) || (!dates && !values_are(c, c->values[0].kind)))
        return (struct segment_fault){ "the ends of the range are of different kinds",
                                       "Write two numbers, two dates or two texts." };
    if (is_reversed(&c->values[0], &c->values[1]))
        return (struct segment_fault){ "the range ends before it begins",
                                       "Write the lower end first." };
    return NO_FAULT;
}

struct segment_fault segment_literal_fault(const struct segment_literal *literal)
{
    int64_t far = literal->value.integer;
    if (literal->kind == SEGMENT_AGO && far != 0)
        return segment_length_fault(far < 0 ? -far : far);
    if (literal->kind == SEGMENT_TODAY && (far < -SEGMENT_DAYS_MAX || far > SEGMENT_DAYS_MAX))
        return (struct segment_fault){ "the day lies more than 36500 days from today",
                                       "Write a day nearer to today." };
    return NO_FAULT;
}

struct segment_fault segment_compare_fault(const struct segment_compare *c)
{
    switch (c->test) {
    case SEGMENT_MORE:
    case SEGMENT_AT_LEAST:
    case SEGMENT_LESS:
    case SEGMENT_AT_MOST:
        if (values_are(c, SEGMENT_TRUTH))
            return (struct segment_fault){ "yes and no have no order", "Compare with = or !=." };
        return NO_FAULT;
    case SEGMENT_CONTAINS:
    case SEGMENT_STARTS:
    case SEGMENT_ENDS:
    case SEGMENT_MATCHES:
        if (!values_are(c, SEGMENT_TEXT))
            return (struct segment_fault){ "only text is looked for in text",
                                           "Put what is looked for in quotes." };
        return NO_FAULT;
    case SEGMENT_BETWEEN_VALUES:
        return range_fault(c);
    case SEGMENT_EXISTS:
    case SEGMENT_NOT_EXISTS:
        if (c->which != SEGMENT_PLAIN)
            return (struct segment_fault){ "any and all do not go with exists",
                                           "Leave out any or all." };
        return NO_FAULT;
    case SEGMENT_IS_KEY:
        if (c->which != SEGMENT_PLAIN)
            return (struct segment_fault){ "any and all do not go with the key",
                                           "Leave out any or all." };
        return NO_FAULT;
    default:
        return NO_FAULT;
    }
}

struct segment_fault segment_been_fault(const struct segment_compare *c)
{
    if (c->test == SEGMENT_IS_KEY)
        return (struct segment_fault){ "the key is compared with a property of an event",
                                       "Write: did \"...\" where cart_id is the key." };
    if (c->test == SEGMENT_NOT_EXISTS)
        return (struct segment_fault){ "it must have been known all the time",
                                       "Write: not (plan has existed for 14 days)." };
    for (uint32_t i = 0; i < c->values_count; i++)
        if (c->values[i].kind == SEGMENT_AGO || c->values[i].kind == SEGMENT_TODAY)
            return (struct segment_fault){ "a date that moves does not go with a length of time",
                                           "Compare with a date such as 2026-01-31." };
    return NO_FAULT;
}

struct segment_fault segment_days_fault(const struct segment_node *day)
{
    int32_t most = day->yearly ? SEGMENT_YEARLY_DAYS_MAX : SEGMENT_DAYS_MAX;
    if (day->from_days < -most || day->from_days > most || day->to_days < -most ||
        day->to_days > most)
        return day->yearly ? (struct segment_fault){ "an anniversary is never that far from today",
                                                     "Write at most 366 days." }
                           : (struct segment_fault){ "the day lies more than 36500 days from today",
                                                     "Write a day nearer to today." };
    if (day->from_days > day->to_days)
        return (struct segment_fault){ "the range ends before it begins",
                                       "Write the earlier day first." };
    return NO_FAULT;
}

struct segment_fault segment_steps_fault(const struct segment_node *funnel)
{
    if (funnel->steps_count < 2)
        return (struct segment_fault){ "a funnel has two steps or more",
                                       "Add a step, or ask with: did \"...\"." };
    if (funnel->step < 1 || funnel->step > funnel->steps_count ||
        funnel->not_step > funnel->steps_count)
        return (struct segment_fault){ "there is no such step",
                                       "Count the steps in the brackets from 1." };
    if (funnel->not_step != 0 && funnel->not_step <= funnel->step)
        return (struct segment_fault){ "who reached a step has reached all before it",
                                       "Name a later step after but not." };
    return NO_FAULT;
}

struct segment_fault segment_length_fault(int64_t length_ms)
{
    if (length_ms < 1 || length_ms > SEGMENT_LENGTH_MS_MAX)
        return (struct segment_fault){
            "the length of time is not between 1 millisecond and 100 years",
            "Write a length such as 30 days.",
        };
    return NO_FAULT;
}

struct segment_fault segment_window_fault(const struct segment_window *w)
{
    if (w->kind == SEGMENT_LAST || w->kind == SEGMENT_NOT_LAST)
        return segment_length_fault(w->length_ms);
    /* A day and an instant are not compared: the zone is the person's. */
    if (w->kind == SEGMENT_BETWEEN && w->from_is_day == w->to_is_day && w->from_ms > w->to_ms)
        return (struct segment_fault){ "the range ends before it begins",
                                       "Write the earlier date first." };
    return NO_FAULT;
}

struct segment_fault segment_times_fault(int64_t count)
{
    if (count < 0 || count > SEGMENT_TIMES_MAX)
        return (struct segment_fault){ "the number of times is not between 0 and 1000000",
                                       "Write a whole number such as 3." };
    return NO_FAULT;
}

struct segment_fault segment_aggregate_fault(enum segment_fold fold, const struct json *number)
{
    double value;
    if (!json_to_real(number, &value) || fabs(value) > SEGMENT_NUMBER_MAX)
        return (struct segment_fault){ "the number is beyond 1e15", "Write a smaller number." };
    if (fold == SEGMENT_DISTINCT && (value < 0 || value > SEGMENT_DISTINCT_MAX))
        return (struct segment_fault){ "a distinct count is compared with 0 to 500",
                                       "Write a number from 0 to 500." };
    return NO_FAULT;
}

struct segment_fault segment_share_fault(double percent)
{
    if (!(percent >= 0 && percent <= 100))
        return (struct segment_fault){ "the share is not between 0% and 100%",
                                       "Write a share such as 20%." };
    return NO_FAULT;
}

/* ---- bounds that both faces share */

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint32_t depth_of(const struct segment_node *node)
{
    uint32_t below = 0;
    if (node == NULL)
        return 0;
    for (uint32_t i = 0; i < node->parts_count; i++)
        below = larger(below, depth_of(node->parts[i]));
    for (uint32_t i = 0; i < node->steps_count; i++)
        below = larger(below, depth_of(node->steps[i].where));
    below = larger(below, depth_of(node->match.where));
    below = larger(below, depth_of(node->then.where));
    return larger(below, depth_of(node->with)) + 1;
}

enum err segment_bounds(const struct segment_node *node, struct problem *problem, const char *where)
{
    static const char remedy[] = "Split this into segments and ask with: in segment \"...\".";
    SCOPED(buf_donep) struct buf text = buf_make(SEGMENT_TEXT_BYTES_MAX);

    if (depth_of(node) > SEGMENT_DEPTH_MAX)
        return problem_set(problem, ERR_LIMIT, where, "groups lie more than 24 deep", remedy);
    segment_write(&text, node);
    if (buf_err(&text) == ERR_LIMIT)
        return problem_set(problem, ERR_LIMIT, where, "the condition is longer than 65536 bytes",
                           remedy);
    return buf_err(&text);
}
