#include <stdio.h>
#include <string.h>

#include "engine/segment/segment_reader.h"

/* ---- windows */

#define WINDOW_MEMBERS " in_the_last not_in_the_last since since_entry before between during "

static enum err read_between(struct reader *r, const struct json *range, const struct place *at,
                             struct segment_window *w)
{
    struct place from = { .above = at, .index = 0 }, to = { .above = at, .index = 1 };
    if (range->kind != JSON_ARRAY || range->count != 2)
        return reader_fail(r, at, ERR_INPUT, "two dates are wanted here",
                           "Write [\"2026-01-01\", \"2026-01-31\"].");
    TRY(reader_date(r, &range->items[0], &from, &w->from_ms, &w->from_is_day));
    TRY(reader_date(r, &range->items[1], &to, &w->to_ms, &w->to_is_day));
    return reader_refuse(r, at, segment_window_fault(w));
}

static enum err read_during(struct reader *r, const struct json *value, const struct place *at,
                            struct segment_window *w)
{
    if (value->kind != JSON_STRING || !segment_calendar_of(value->string, w))
        return reader_fail(r, at, ERR_INPUT, "a day, week, month or year is wanted here",
                           "Write \"today\", \"yesterday\", \"this week\", \"last month\" and so "
                           "on.");
    return OK;
}

static const struct {
    const char              *member;
    enum segment_window_kind kind;
} windows[] = {
    { "in_the_last", SEGMENT_LAST }, { "not_in_the_last", SEGMENT_NOT_LAST },
    { "since", SEGMENT_SINCE },      { "since_entry", SEGMENT_SINCE_ENTRY },
    { "before", SEGMENT_BEFORE },    { "between", SEGMENT_BETWEEN },
    { "during", SEGMENT_CALENDAR },
};

static enum err read_window(struct reader *r, const struct json *object, const struct place *at,
                            struct segment_window *w)
{
    const struct json *value = NULL;
    struct place       here = { .above = at };
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        const struct json *found = reader_get(object, windows[i].member);
        if (found == NULL)
            continue;
        here.member = windows[i].member;
        if (value != NULL)
            return reader_fail(r, &here, ERR_INPUT, "there is a second window of time",
                               "Leave one out.");
        value = found;
        w->kind = windows[i].kind;
    }
    switch (w->kind) {
    case SEGMENT_LAST:
    case SEGMENT_NOT_LAST:
        return reader_length(r, object, here.member, at, &w->length_ms);
    case SEGMENT_SINCE:
        return reader_date(r, value, &here, &w->from_ms, &w->from_is_day);
    case SEGMENT_BEFORE:
        return reader_date(r, value, &here, &w->to_ms, &w->to_is_day);
    case SEGMENT_BETWEEN:
        return read_between(r, value, &here, w);
    case SEGMENT_SINCE_ENTRY:
        return reader_true(r, object, here.member, at);
    case SEGMENT_CALENDAR:
        return read_during(r, value, &here, w);
    case SEGMENT_EVER:
        return OK;
    }
    return OK;
}

/* ---- what happened */

static enum err read_by(struct reader *r, const struct json *object, const struct place *at,
                        enum segment_hits *out)
{
    const struct json *by = reader_get(object, "by");
    struct place       here = place_under(at, "by");
    if (by == NULL)
        return OK;
    if (by->kind == JSON_STRING && str_eq(by->string, STR("machine")))
        *out = SEGMENT_BY_MACHINES;
    else if (by->kind == JSON_STRING && str_eq(by->string, STR("anyone")))
        *out = SEGMENT_BY_ANYONE;
    else
        return reader_fail(r, &here, ERR_INPUT, "this is neither machine nor anyone",
                           "Write \"machine\" or \"anyone\", or leave it out.");
    return OK;
}

/* "any", {"message":"welcome"}, {"journey":"x"} or {"broadcast":"y"} */
static enum err read_target(struct reader *r, const struct json *value, const struct place *at,
                            struct segment_match *m)
{
    if (value->kind == JSON_STRING && str_eq(value->string, STR("any")))
        return OK;
    if (value->kind != JSON_OBJECT || value->count != 1)
        return reader_fail(r, at, ERR_INPUT, "it is not said which messages",
                           "Write \"any\", {\"message\":\"...\"}, {\"journey\":\"...\"} or "
                           "{\"broadcast\":\"...\"}.");
    TRY(reader_only(r, value, at, " message journey broadcast "));
    for (m->of = SEGMENT_OF_MESSAGE; m->of < SEGMENT_OF_BROADCAST; m->of++)
        if (reader_get(value, segment_of_word(m->of)) != NULL)
            break;
    return reader_name(r, value, segment_of_word(m->of), at, &m->name);
}

static enum err read_subject(struct reader *r, const struct json *object, const struct place *at,
                             struct segment_match *m)
{
    const char *member = segment_subject_member(m->subject);
    char        allowed[40];
    snprintf(allowed, sizeof allowed, " %s %s", member,
             segment_subject_has_hits(m->subject) ? "by " : "");
    TRY(reader_only(r, object, at, allowed));
    if (m->subject == SEGMENT_ANYTHING)
        return reader_true(r, object, member, at);
    if (segment_subject_is_journey(m->subject))
        return reader_name(r, object, member, at, &m->name);
    struct place here = place_under(at, member);
    TRY(read_target(r, reader_get(object, member), &here, m));
    return segment_subject_has_hits(m->subject) ? read_by(r, object, at, &m->hits) : OK;
}

/* "Order Completed", {"anything":true}, {"opened":"any","by":"anyone"}, {"entered":"welcome"} */
static enum err read_happening(struct reader *r, const struct json *object, const char *member,
                               const struct place *at, struct segment_match *m)
{
    const struct json *value = reader_get(object, member);
    struct place       here = place_under(at, member);
    if (value == NULL || value->kind != JSON_OBJECT)
        return reader_name(r, object, member, at, &m->event);
    for (int i = SEGMENT_ANYTHING; i <= SEGMENT_REACHED_GOAL; i++)
        if (reader_get(value, segment_subject_member((enum segment_subject)i)) != NULL) {
            m->subject = (enum segment_subject)i;
            return read_subject(r, value, &here, m);
        }
    return reader_fail(r, &here, ERR_INPUT, "this is nothing that happens",
                       "Use anything, received, opened, clicked, bounced, unsubscribed, entered, "
                       "finished or reached_goal.");
}

static enum err read_where(struct reader *r, const struct json *object, const char *member,
                           const struct place *at, const struct segment_node **out)
{
    const struct json *value = reader_get(object, member);
    struct place       here = place_under(at, member);
    return value == NULL ? OK : reader_node_in(r, SCOPE_EVENT, value, &here, out);
}

static enum err read_match(struct reader *r, const struct json *object, const char *event,
                           const struct place *at, struct segment_match *match)
{
    TRY(read_happening(r, object, event, at, match));
    TRY(read_window(r, object, at, &match->window));
    return read_where(r, object, "where", at, &match->where);
}

/* ---- did, first, last, then */

static enum err read_then(struct reader *r, const struct json *object, const struct place *at,
                          struct segment_node *node)
{
    bool no = reader_get(object, "then_no") != NULL;
    node->kind = no ? SEGMENT_THEN_NOT : SEGMENT_THEN;
    TRY(reader_only(r, object, at,
                    no ? " did then_no then_where within same where" WINDOW_MEMBERS
                       : " did then then_where within same where" WINDOW_MEMBERS));
    TRY(read_match(r, object, "did", at, &node->match));
    TRY(read_happening(r, object, no ? "then_no" : "then", at, &node->then));
    TRY(read_where(r, object, "then_where", at, &node->then.where));
    TRY(reader_name_if(r, object, "same", at, &node->same));
    return reader_length(r, object, "within", at, &node->within_ms);
}

static enum err read_times(struct reader *r, const struct json *object, const struct place *at,
                           struct segment_node *node)
{
    static const char *const members[] = { "at_least", "at_most", "exactly" };
    bool                     seen = false;
    node->times = SEGMENT_TIMES_AT_LEAST;
    node->times_count = 1;
    for (int i = 0; i < 3; i++) {
        struct place here = place_under(at, members[i]);
        int32_t      count = 0;
        if (reader_get(object, members[i]) == NULL)
            continue;
        if (seen)
            return reader_fail(r, &here, ERR_INPUT, "there is a second number of times",
                               "Leave one out.");
        TRY(reader_whole(r, object, members[i], at, &count));
        TRY(reader_refuse(r, &here, segment_times_fault(count)));
        seen = true;
        node->times = (enum segment_times)i;
        node->times_count = (uint32_t)count;
    }
    return OK;
}

enum err reader_did(struct reader *r, const struct json *object, const struct place *at,
                    struct segment_node *node)
{
    if (reader_get(object, "then") != NULL || reader_get(object, "then_no") != NULL)
        return read_then(r, object, at, node);
    node->kind = SEGMENT_DID;
    TRY(reader_only(r, object, at, " did at_least at_most exactly where" WINDOW_MEMBERS));
    TRY(read_times(r, object, at, node));
    return read_match(r, object, "did", at, &node->match);
}

enum err reader_first_or_last(struct reader *r, const struct json *object, const struct place *at,
                              struct segment_node *node)
{
    bool first = reader_get(object, "first_did") != NULL;
    node->kind = first ? SEGMENT_FIRST_DID : SEGMENT_LAST_DID;
    TRY(reader_only(r, object, at,
                    first ? " first_did where" WINDOW_MEMBERS : " last_did where" WINDOW_MEMBERS));
    return read_match(r, object, first ? "first_did" : "last_did", at, &node->match);
}

/* ---- steps */

static enum err read_steps(struct reader *r, const struct json *list, const struct place *at,
                           struct segment_node *node)
{
    if (list->kind != JSON_ARRAY)
        return reader_fail(r, at, ERR_INPUT, "the steps are wanted here",
                           "Write [{\"did\":\"Viewed\"}, {\"did\":\"Ordered\"}].");
    if (list->count > SEGMENT_STEPS_MAX)
        return reader_fail(r, at, ERR_LIMIT, "there are more than 12 steps",
                           "Leave out steps in the middle.");
    struct segment_match *steps = ARENA_ARRAY(r->arena, list->count, struct segment_match);
    if (steps == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < list->count; i++) {
        struct place       here = { .above = at, .index = i };
        const struct json *step = &list->items[i];
        if (step->kind != JSON_OBJECT)
            return reader_fail(r, &here, ERR_INPUT, "this is no step",
                               "Write for example {\"did\":\"Ordered\"}.");
        TRY(reader_only(r, step, &here, " did where "));
        TRY(read_happening(r, step, "did", &here, &steps[i]));
        TRY(read_where(r, step, "where", &here, &steps[i].where));
    }
    node->steps = steps;
    node->steps_count = list->count;
    return OK;
}

enum err reader_funnel(struct reader *r, const struct json *object, const struct place *at,
                       struct segment_node *node)
{
    struct place funnel = place_under(at, "funnel"), not_step = place_under(at, "not_step");
    int32_t      step = 0, without = 0;

    node->kind = SEGMENT_FUNNEL;
    TRY(reader_only(r, object, at, " funnel step not_step within same" WINDOW_MEMBERS));
    TRY(read_steps(r, reader_get(object, "funnel"), &funnel, node));
    TRY(reader_whole(r, object, "step", at, &step));
    if (reader_get(object, "not_step") != NULL) {
        TRY(reader_whole(r, object, "not_step", at, &without));
        if (without < 1)
            return reader_fail(r, &not_step, ERR_INPUT, "there is no such step",
                               "Count the steps from 1.");
    }
    node->step = step < 0 ? 0 : (uint32_t)step;
    node->not_step = (uint32_t)without;
    TRY(reader_refuse(r, &funnel, segment_steps_fault(node)));
    TRY(read_window(r, object, at, &node->match.window));
    TRY(reader_name_if(r, object, "same", at, &node->same));
    return reader_length(r, object, "within", at, &node->within_ms);
}

/* ---- aggregates */

/* The property and its `with`, or true where there is none. */
static enum err read_property(struct reader *r, const struct json *object, const struct place *at,
                              struct segment_node *node)
{
    const char        *member = segment_fold_member(node->fold);
    const struct json *value = reader_get(object, member);
    struct place       with = place_under(at, "with");
    bool               of_events = segment_fold_is_of_events(node->fold) &&
                     (value->kind == JSON_BOOL || !segment_fold_takes_property(node->fold));
    if (of_events)
        TRY(reader_true(r, object, member, at));
    else
        TRY(reader_name(r, object, member, at, &node->property));
    if (reader_get(object, "with") == NULL)
        return OK;
    if (of_events)
        return reader_fail(r, &with, ERR_INPUT, "there is no list to choose elements of",
                           "Name a property of the elements, or use where.");
    return reader_node_in(r, SCOPE_ELEMENT, reader_get(object, "with"), &with, &node->with);
}

static enum err read_number_test(struct reader *r, const struct json *object,
                                 const struct place *at, struct segment_node *node)
{
    const struct json *number = reader_get(object, "value");
    struct place       op = place_under(at, "op"), value = place_under(at, "value");

    TRY(reader_op(r, object, at, &node->test));
    if (!segment_test_is_order(node->test))
        return reader_fail(r, &op, ERR_INPUT, "numbers are not compared like this",
                           "Use one of = != > >= < <=.");
    if (number == NULL || (number->kind != JSON_INT && number->kind != JSON_REAL))
        return reader_fail(r, &value, ERR_INPUT, "a number is wanted here",
                           "Write for example 100.");
    node->number = segment_number(*number);
    return reader_refuse(r, &value, segment_aggregate_fault(node->fold, &node->number));
}

static enum err read_fold_test(struct reader *r, const struct json *object, const struct place *at,
                               struct segment_node *node)
{
    return segment_fold_is_number(node->fold) ? read_number_test(r, object, at, node)
                                              : reader_test(r, object, at, &node->compare);
}

/* The members of the test: none, op, op and value, op and values. */
static const char *test_members(const struct segment_node *node)
{
    if (node->is_value)
        return " ";
    const char *value =
        segment_fold_is_number(node->fold) ? "value" : reader_value_member(node->compare.test);
    return value[0] == 0 ? " op " : strcmp(value, "value") == 0 ? " op value " : " op values ";
}

enum err reader_fold(struct reader *r, const struct json *object, const struct place *at,
                     struct segment_node *node)
{
    char allowed[200];
    node->kind = SEGMENT_AGGREGATE;
    if (!node->is_value)
        TRY(read_fold_test(r, object, at, node));
    snprintf(allowed, sizeof allowed, " %s with of where%s" WINDOW_MEMBERS,
             segment_fold_member(node->fold), test_members(node));
    TRY(reader_only(r, object, at, allowed));
    TRY(read_property(r, object, at, node));
    return read_match(r, object, "of", at, &node->match);
}
