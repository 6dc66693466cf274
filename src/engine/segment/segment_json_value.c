#include <stdio.h>

#include "engine/segment/segment_reader.h"

/* ---- literals */

static struct segment_literal literal_int(enum segment_literal_kind kind, int64_t value)
{
    return (struct segment_literal){ kind, { .kind = JSON_INT, .integer = value } };
}

/* {"date":"2026-01-31"} {"ago":"30 days"} {"from_now":"30 days"} {"now":true}, and
 * {"days_from_today":5}: an object of one member. */
static enum err read_date_literal(struct reader *r, const struct json *object,
                                  const struct place *at, struct segment_literal *out)
{
    struct place date = place_under(at, "date");
    int64_t      ms = 0;
    int32_t      days = 0;
    bool         is_day = false;

    TRY(reader_only(r, object, at, " date ago from_now now days_from_today "));
    if (object->count != 1)
        return reader_fail(r, at, ERR_INPUT, "one member is wanted here",
                           "Write for example {\"date\":\"2026-01-31\"} or {\"ago\":\"30 days\"}.");
    if (reader_get(object, "date") != NULL) {
        TRY(reader_date(r, reader_get(object, "date"), &date, &ms, &is_day));
        *out = literal_int(is_day ? SEGMENT_A_DAY : SEGMENT_DATE, ms);
        return OK;
    }
    if (reader_get(object, "days_from_today") != NULL) {
        TRY(reader_whole(r, object, "days_from_today", at, &days));
        *out = literal_int(SEGMENT_TODAY, days);
        return OK;
    }
    bool ago = reader_get(object, "ago") != NULL;
    if (reader_get(object, "now") != NULL)
        TRY(reader_true(r, object, "now", at));
    else
        TRY(reader_length(r, object, ago ? "ago" : "from_now", at, &ms));
    *out = literal_int(SEGMENT_AGO, ago ? -ms : ms);
    return OK;
}

static enum err read_literal(struct reader *r, const struct json *value, const struct place *at,
                             struct segment_literal *out)
{
    switch (value->kind) {
    case JSON_STRING:
        *out = (struct segment_literal){ SEGMENT_TEXT, { .kind = JSON_STRING } };
        out->value.string = str_copy(r->arena, value->string);
        return out->value.string.ptr == NULL ? ERR_MEMORY : OK;
    case JSON_INT:
    case JSON_REAL:
        *out = (struct segment_literal){ SEGMENT_NUMBER, segment_number(*value) };
        return OK;
    case JSON_BOOL:
        *out = (struct segment_literal){ SEGMENT_TRUTH, *value };
        return OK;
    case JSON_OBJECT:
        TRY(read_date_literal(r, value, at, out));
        return reader_refuse(r, at, segment_literal_fault(out));
    default:
        return reader_fail(r, at, ERR_INPUT, "a value is wanted here",
                           "Write a text, a number, true, false or {\"date\":\"2026-01-31\"}.");
    }
}

/* ---- tests */

static enum err read_values(struct reader *r, const struct json *values, const struct place *at,
                            struct segment_compare *c)
{
    bool is_range = c->test == SEGMENT_BETWEEN_VALUES;
    if (values == NULL || values->kind != JSON_ARRAY || values->count == 0 ||
        (is_range && values->count != 2))
        return reader_fail(r, at, ERR_INPUT,
                           is_range ? "two values are wanted" : "values are wanted",
                           "Write an array such as [1, 10].");
    if (values->count > SEGMENT_VALUES_MAX)
        return reader_fail(r, at, ERR_LIMIT, "there are more than 1000 values",
                           "Import the people as a list and ask with: in list \"...\".");
    struct segment_literal *list = ARENA_ARRAY(r->arena, values->count, struct segment_literal);
    if (list == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < values->count; i++) {
        struct place here = { .above = at, .index = i };
        TRY(read_literal(r, &values->items[i], &here, &list[i]));
    }
    c->values = list;
    c->values_count = values->count;
    return OK;
}

static enum err read_value(struct reader *r, const struct json *value, const struct place *at,
                           struct segment_compare *c)
{
    struct segment_literal *literal = ARENA_NEW(r->arena, struct segment_literal);
    if (literal == NULL)
        return ERR_MEMORY;
    if (value == NULL)
        return reader_fail(r, at, ERR_INPUT, "the value is missing", "Add \"value\".");
    c->values = literal;
    c->values_count = 1;
    return read_literal(r, value, at, literal);
}

enum err reader_op(struct reader *r, const struct json *object, const struct place *at,
                   enum segment_test *out)
{
    struct place here = place_under(at, "op");
    struct str   word;
    TRY(reader_text(r, object, "op", at, &word));
    if (!segment_test_of(word, out))
        return reader_fail(r, &here, ERR_INPUT, "this is no comparison",
                           "Use = != > >= < <= in, not in, contains, starts with, ends with, "
                           "matches, between, exists, does not exist or is the key.");
    return OK;
}

const char *reader_value_member(enum segment_test test)
{
    if (test == SEGMENT_EXISTS || test == SEGMENT_NOT_EXISTS || test == SEGMENT_IS_KEY)
        return "";
    return segment_test_takes_list(test) ? "values" : "value";
}

enum err reader_test(struct reader *r, const struct json *object, const struct place *at,
                     struct segment_compare *c)
{
    struct place op = place_under(at, "op"), value = place_under(at, "value"),
                 values = place_under(at, "values");
    TRY(reader_op(r, object, at, &c->test));
    if (segment_test_takes_list(c->test))
        TRY(read_values(r, reader_get(object, "values"), &values, c));
    else if (reader_value_member(c->test)[0] != '\0')
        TRY(read_value(r, reader_get(object, "value"), &value, c));
    return reader_refuse(r, &op, segment_compare_fault(c));
}

/* ---- about a name */

static enum err read_which(struct reader *r, const struct json *object, const struct place *at,
                           enum segment_which *out)
{
    const struct json *which = reader_get(object, "which");
    struct place       here = place_under(at, "which");
    if (which == NULL)
        return OK;
    if (which->kind == JSON_STRING && str_eq(which->string, STR("any")))
        *out = SEGMENT_ANY;
    else if (which->kind == JSON_STRING && str_eq(which->string, STR("all")))
        *out = SEGMENT_ALL;
    else
        return reader_fail(r, &here, ERR_INPUT, "this is neither any nor all",
                           "Write \"any\" or \"all\".");
    return OK;
}

/* {"property":"products","which":"any","element":p} */
static enum err read_element(struct reader *r, const struct json *object, const struct place *at,
                             struct segment_node *node)
{
    struct place                here = place_under(at, "element"), which = place_under(at, "which");
    const struct segment_node **part = ARENA_ARRAY(r->arena, 1, const struct segment_node *);
    if (part == NULL)
        return ERR_MEMORY;
    node->kind = SEGMENT_ELEMENT;
    TRY(reader_only(r, object, at, " property which element "));
    if (node->compare.which == SEGMENT_PLAIN)
        return reader_fail(r, &which, ERR_INPUT, "it is not said of how many it must hold",
                           "Write \"any\" or \"all\".");
    TRY(reader_node_in(r, SCOPE_ELEMENT, reader_get(object, "element"), &here, part));
    node->parts = part;
    node->parts_count = 1;
    return OK;
}

/* "for":"14 days" beside a comparison of a trait */
static enum err read_been(struct reader *r, const struct json *object, const struct place *at,
                          struct segment_node *node)
{
    struct place op = place_under(at, "op");
    node->kind = SEGMENT_BEEN;
    TRY(reader_refuse(r, &op, segment_been_fault(&node->compare)));
    return reader_length(r, object, "for", at, &node->within_ms);
}

enum err reader_about_name(struct reader *r, const struct json *object, const struct place *at,
                           struct segment_node *node)
{
    struct segment_compare *c = &node->compare;
    bool                    person = r->scope == SCOPE_PERSON;
    const char             *key = person ? "trait" : "property";
    char                    allowed[64];

    node->kind = SEGMENT_COMPARE;
    TRY(reader_name(r, object, key, at, &c->key));
    TRY(read_which(r, object, at, &c->which));
    if (r->scope == SCOPE_EVENT && reader_get(object, "element") != NULL)
        return read_element(r, object, at, node);
    TRY(reader_op(r, object, at, &c->test));
    snprintf(allowed, sizeof allowed, " %s which op %s %s", key, reader_value_member(c->test),
             person ? "for " : "");
    TRY(reader_only(r, object, at, allowed));
    TRY(reader_test(r, object, at, c));
    if (person && reader_get(object, "for") != NULL)
        return read_been(r, object, at, node);
    return OK;
}

/* {"score":"lead","op":">=","value":50} */
enum err reader_score(struct reader *r, const struct json *object, const struct place *at,
                      struct segment_node *node)
{
    struct segment_compare *c = &node->compare;
    struct str              name;
    char                    allowed[64];
    node->kind = SEGMENT_COMPARE;
    TRY(reader_name(r, object, "score", at, &name));
    c->key = str_format(r->arena, "%.*s%.*s", STR_ARG(SEGMENT_SCORE_PREFIX), STR_ARG(name));
    if (c->key.ptr == NULL)
        return ERR_MEMORY;
    TRY(reader_op(r, object, at, &c->test));
    snprintf(allowed, sizeof allowed, " score op %s ", reader_value_member(c->test));
    TRY(reader_only(r, object, at, allowed));
    return reader_test(r, object, at, c);
}

/* {"day_of":"birthday","from_days":0,"to_days":7}, or anniversary_of */
enum err reader_day(struct reader *r, const struct json *object, const struct place *at,
                    struct segment_node *node)
{
    struct place to = place_under(at, "to_days");
    node->kind = SEGMENT_DAY;
    node->yearly = reader_get(object, "anniversary_of") != NULL;
    const char *key = node->yearly ? "anniversary_of" : "day_of";
    TRY(reader_only(r, object, at,
                    node->yearly ? " anniversary_of from_days to_days "
                                 : " day_of from_days to_days "));
    TRY(reader_name(r, object, key, at, &node->compare.key));
    TRY(reader_whole(r, object, "from_days", at, &node->from_days));
    TRY(reader_whole(r, object, "to_days", at, &node->to_days));
    return reader_refuse(r, &to, segment_days_fault(node));
}
