#include "engine/segment/segment_parser.h"

/* ---- tests */

static enum err value_add(struct parser *p, struct segment_compare *c)
{
    struct segment_token    at = p->token;
    struct segment_literal *values =
        parser_room(p, c->values, c->values_count, sizeof c->values[0]);
    if (values == NULL)
        return ERR_MEMORY;
    c->values = values;
    TRY(parser_literal(p, &values[c->values_count]));
    TRY(parser_refuse(p, &at, segment_literal_fault(&values[c->values_count])));
    c->values_count++;
    return OK;
}

static enum err list_of_values(struct parser *p, struct segment_compare *c)
{
    TRY(parser_want_sign(p, "(", "Write for example: in (\"NO\", \"SE\")."));
    TRY(value_add(p, c));
    while (parser_is_sign(p, ",")) {
        if (c->values_count == SEGMENT_VALUES_MAX)
            return parser_fail(p, &p->token, ERR_LIMIT, "there are more than 1000 values",
                               "Import the people as a list and ask with: in list \"...\".");
        TRY(parser_advance(p));
        TRY(value_add(p, c));
    }
    return parser_want_sign(p, ")", "Separate the values by commas and close the bracket.");
}

#define TEST_REMEDY                                                                                \
    "Write = != > >= < <= in, contains, starts with, ends with, matches, between or exists."

static enum err test_of_words(struct parser *p, enum segment_test *out)
{
    if (parser_is_word(p, "does")) {
        *out = SEGMENT_NOT_EXISTS;
        TRY(parser_advance(p));
        TRY(parser_want_word(p, "not", "Write: does not exist."));
        return parser_want_word(p, "exist", "Write: does not exist.");
    }
    if (parser_is_word(p, "not")) {
        *out = SEGMENT_NOT_IN;
        TRY(parser_advance(p));
        return parser_want_word(p, "in", "Write: not in (\"NO\", \"SE\").");
    }
    if (parser_is_word(p, "starts") || parser_is_word(p, "ends")) {
        *out = parser_is_word(p, "starts") ? SEGMENT_STARTS : SEGMENT_ENDS;
        TRY(parser_advance(p));
        return parser_want_word(p, "with", "Write: starts with \"...\" or ends with \"...\".");
    }
    if (parser_is_word(p, "in"))
        *out = SEGMENT_IN;
    else if (parser_is_word(p, "contains"))
        *out = SEGMENT_CONTAINS;
    else if (parser_is_word(p, "matches"))
        *out = SEGMENT_MATCHES;
    else if (parser_is_word(p, "between"))
        *out = SEGMENT_BETWEEN_VALUES;
    else if (parser_is_word(p, "exists"))
        *out = SEGMENT_EXISTS;
    else
        return parser_expected(p, "a comparison", TEST_REMEDY);
    return parser_advance(p);
}

static enum err test(struct parser *p, enum segment_test *out)
{
    if (p->token.kind != TOKEN_SIGN)
        return test_of_words(p, out);
    if (!segment_test_of(p->token.text, out))
        return parser_expected(p, "a comparison", TEST_REMEDY);
    return parser_advance(p);
}

static enum err values_of_test(struct parser *p, struct segment_compare *c)
{
    switch (c->test) {
    case SEGMENT_EXISTS:
    case SEGMENT_NOT_EXISTS:
    case SEGMENT_IS_KEY:
        return OK;
    case SEGMENT_IN:
    case SEGMENT_NOT_IN:
        return list_of_values(p, c);
    case SEGMENT_BETWEEN_VALUES:
        TRY(value_add(p, c));
        TRY(parser_want_word(p, "and", "Write for example: between 1 and 10."));
        return value_add(p, c);
    default:
        return value_add(p, c);
    }
}

enum err parser_test(struct parser *p, struct segment_compare *c)
{
    struct segment_token at = p->token;
    TRY(test(p, &c->test));
    TRY(values_of_test(p, c));
    return parser_refuse(p, &at, segment_compare_fault(c));
}

/* ---- days */

#define IS_REMEDY "Write for example: is today, is in 7 days, is 3 days ago, is in the next 7 days."

/* One day: today, yesterday, tomorrow, in 7 days, 3 days ago. */
static enum err one_day(struct parser *p, int64_t *out_days)
{
    struct segment_literal word;
    if (!parser_is_word(p, "now") && parser_day_word(p, &word)) {
        *out_days = word.value.integer;
        return parser_advance(p);
    }
    if (parser_is_word(p, "in")) {
        TRY(parser_advance(p));
        return parser_days(p, out_days);
    }
    if (p->token.kind == TOKEN_TEXT || parser_is_truth(p, "yes") || parser_is_truth(p, "no"))
        return parser_expected(p, "a day", "Compare a value with =: country = \"NO\".");
    if (p->token.kind != TOKEN_NUMBER)
        return parser_expected(p, "a day", IS_REMEDY);
    TRY(parser_days(p, out_days));
    *out_days = -*out_days;
    return parser_want_word(p, "ago", IS_REMEDY);
}

/* After "in the": next 7 days, last 7 days. */
static enum err days_around(struct parser *p, int64_t *from, int64_t *to)
{
    bool next = parser_is_word(p, "next");
    if (!next && !parser_is_word(p, "last"))
        return parser_expected(p, "next or last", IS_REMEDY);
    TRY(parser_advance(p));
    TRY(parser_days(p, next ? to : from));
    *from = -*from;
    return OK;
}

static enum err day_range(struct parser *p, int64_t *from, int64_t *to)
{
    if (parser_is_word(p, "in") && parser_next_is_word(p, "the")) {
        TRY(parser_advance(p));
        TRY(parser_advance(p));
        return days_around(p, from, to);
    }
    if (parser_is_word(p, "between")) {
        TRY(parser_advance(p));
        TRY(one_day(p, from));
        TRY(parser_want_word(p, "and", "Write for example: is between today and in 7 days."));
        return one_day(p, to);
    }
    TRY(one_day(p, from));
    *to = *from;
    return OK;
}

/* After the name and "is". */
static enum err day(struct parser *p, struct segment_node *node)
{
    struct segment_token at = p->token;
    int64_t              from = 0, to = 0; /* of a length, so at most 36500 days */
    node->kind = SEGMENT_DAY;
    TRY(day_range(p, &from, &to));
    node->from_days = (int32_t)from;
    node->to_days = (int32_t)to;
    return parser_refuse(p, &at, segment_days_fault(node));
}

bool parser_is_anniversary(const struct parser *p)
{
    return parser_is_word(p, "anniversary") && parser_next_is_word(p, "of");
}

enum err parser_anniversary(struct parser *p, const struct segment_node **out)
{
    struct segment_node *node;
    TRY(parser_node(p, SEGMENT_DAY, &node));
    node->yearly = true;
    TRY(parser_advance(p));
    TRY(parser_advance(p));
    TRY(parser_key(p, &node->compare.key));
    TRY(parser_want_word(p, "is", IS_REMEDY));
    TRY(day(p, node));
    *out = node;
    return OK;
}

/* `in 7 days`, `in the next 7 days`; and not `in ("NO", "SE")`. */
static bool is_in_days(const struct parser *p)
{
    struct parser next = parser_ahead(p);
    return parser_is_word(p, "in") &&
           (next.token.kind == TOKEN_NUMBER || parser_is_word(&next, "the"));
}

/* As people say it: "birthday in 7 days" is about the day that comes back each year. */
static enum err spoken_day(struct parser *p, struct segment_node *node)
{
    node->yearly = str_eq(node->compare.key, STR("birthday"));
    return day(p, node);
}

/* ---- what begins with a name */

/* A value that nobody takes for a day: "pro", 3, yes. */
static bool is_plain_value(const struct parser *p)
{
    return p->token.kind == TOKEN_TEXT || parser_is_truth(p, "yes") || parser_is_truth(p, "no") ||
           parser_is_truth(p, "true") || parser_is_truth(p, "false") ||
           (p->token.kind == TOKEN_NUMBER && !parser_is_length(p));
}

static enum err equal_value(struct parser *p, struct segment_compare *c)
{
    c->test = SEGMENT_EQUAL;
    return value_add(p, c);
}

/*
 * After "is", what people say and what has a sign of its own: country is "NO", country is not "NO",
 * country is not in ("NO"), phone is set, phone is not set.
 */
static bool is_said(const struct parser *p)
{
    struct parser next = parser_ahead(p);
    return is_plain_value(p) || parser_is_word(p, "set") || parser_is_word(p, "not") ||
           parser_is_word(p, "the") || (parser_is_word(p, "in") && parser_is_sign(&next, "("));
}

static enum err said(struct parser *p, struct segment_compare *c)
{
    struct segment_token at = p->token;
    bool not = parser_is_word(p, "not");
    if (not )
        TRY(parser_advance(p));
    if (parser_is_word(p, "set")) {
        c->test = not ? SEGMENT_NOT_EXISTS : SEGMENT_EXISTS;
        TRY(parser_advance(p));
    } else if (!not &&parser_is_word(p, "the")) {
        c->test = SEGMENT_IS_KEY;
        TRY(parser_advance(p));
        TRY(parser_want_word(p, "key", "Write for example: where cart_id is the key."));
    } else if (parser_is_word(p, "in")) {
        c->test = not ? SEGMENT_NOT_IN : SEGMENT_IN;
        TRY(parser_advance(p));
        TRY(list_of_values(p, c));
    } else if (is_plain_value(p)) {
        TRY(equal_value(p, c));
        c->test = not ? SEGMENT_NOT_EQUAL : SEGMENT_EQUAL;
    } else {
        return parser_expected(p, "a value, in or set", "Write: is not \"NO\", or is not set.");
    }
    return parser_refuse(p, &at, segment_compare_fault(c));
}

/* has been = "pro" for 14 days, has existed for 14 days */
static enum err has_been(struct parser *p, struct segment_node *node)
{
    static const char remedy[] = "Write for example: plan has been = \"pro\" for 14 days.";
    node->kind = SEGMENT_BEEN;
    TRY(parser_advance(p));
    struct segment_token at = p->token;
    if (parser_is_word(p, "existed")) {
        node->compare.test = SEGMENT_EXISTS;
        TRY(parser_advance(p));
        TRY(parser_refuse(p, &at, segment_compare_fault(&node->compare)));
    } else {
        TRY(parser_want_word(p, "been", remedy));
        at = p->token;
        TRY(is_plain_value(p) ? equal_value(p, &node->compare) : parser_test(p, &node->compare));
    }
    TRY(parser_refuse(p, &at, segment_been_fault(&node->compare)));
    TRY(parser_want_word(p, "for", remedy));
    return parser_length(p, &node->within_ms);
}

/* any products (category = "tent" and price > 100) */
static enum err element(struct parser *p, struct segment_node *node)
{
    const struct segment_node **part = ARENA_ARRAY(p->arena, 1, const struct segment_node *);
    if (part == NULL)
        return ERR_MEMORY;
    node->kind = SEGMENT_ELEMENT;
    if (p->scope != SCOPE_EVENT)
        return parser_expected(p, "a comparison",
                               "Elements are chosen after where: where any products (...).");
    if (node->compare.which == SEGMENT_PLAIN)
        return parser_expected(p, "a comparison",
                               "Say of how many it must hold: any products (...), or all.");
    TRY(parser_part_in(p, SCOPE_ELEMENT, part));
    node->parts = part;
    node->parts_count = 1;
    return OK;
}

enum err parser_about_name(struct parser *p, const struct segment_node **out)
{
    struct segment_node *node;
    TRY(parser_node(p, SEGMENT_COMPARE, &node));
    *out = node;
    struct segment_compare *c = &node->compare;
    if (parser_is_word(p, "any") || parser_is_word(p, "all")) {
        c->which = parser_is_word(p, "any") ? SEGMENT_ANY : SEGMENT_ALL;
        TRY(parser_advance(p));
    }
    TRY(parser_key(p, &c->key));
    if (parser_is_sign(p, "("))
        return element(p, node);
    if (p->scope == SCOPE_PERSON && parser_is_word(p, "has"))
        return has_been(p, node);
    bool is_day = p->scope == SCOPE_PERSON && c->which == SEGMENT_PLAIN;
    if (is_day && is_in_days(p))
        return spoken_day(p, node);
    if (!parser_is_word(p, "is"))
        return parser_test(p, c);
    TRY(parser_advance(p));
    return is_day && !is_said(p) ? day(p, node) : said(p, c);
}
