#include "engine/segment/segment_words.h"

#include <math.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct segment_fault NO_FAULT = { NULL, NULL };

static const char *const keywords[] = {
    "ago",      "all",      "and",   "any",      "at",       "average", "before",   "between",
    "by",       "contains", "count", "did",      "distinct", "does",    "ends",     "ever",
    "everyone", "exactly",  "exist", "exists",   "false",    "first",   "greatest", "in",
    "last",     "least",    "less",  "list",     "more",     "most",    "never",    "no",
    "not",      "of",       "or",    "property", "segment",  "since",   "starts",   "sum",
    "than",     "the",      "then",  "times",    "trait",    "true",    "where",    "with",
    "within",   "yes",
};

bool segment_is_keyword(struct str word)
{
    for (size_t i = 0; i < COUNT(keywords); i++)
        if (str_eq_nocase(word, str_of(keywords[i])))
            return true;
    return false;
}

static bool is_name_char(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!first && ((c >= '0' && c <= '9') || c == '.'));
}

bool segment_is_plain_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!is_name_char(name.ptr[i], i == 0))
            return false;
    return name.len > 0 && !segment_is_keyword(name);
}

static const char *const folds[] = {
    [SEGMENT_SUM] = "sum",           [SEGMENT_AVERAGE] = "average",   [SEGMENT_LEAST] = "least",
    [SEGMENT_GREATEST] = "greatest", [SEGMENT_DISTINCT] = "distinct",
};

const char *segment_fold_word(enum segment_fold fold)
{
    return folds[fold];
}

bool segment_fold_of(struct str word, enum segment_fold *out)
{
    for (size_t i = 0; i < COUNT(folds); i++)
        if (str_eq_nocase(word, str_of(folds[i]))) {
            *out = (enum segment_fold)i;
            return true;
        }
    return false;
}

static const char *const tests[] = {
    [SEGMENT_EQUAL] = "=",
    [SEGMENT_NOT_EQUAL] = "!=",
    [SEGMENT_MORE] = ">",
    [SEGMENT_AT_LEAST] = ">=",
    [SEGMENT_LESS] = "<",
    [SEGMENT_AT_MOST] = "<=",
    [SEGMENT_IN] = "in",
    [SEGMENT_NOT_IN] = "not in",
    [SEGMENT_CONTAINS] = "contains",
    [SEGMENT_STARTS] = "starts with",
    [SEGMENT_ENDS] = "ends with",
    [SEGMENT_MATCHES] = "matches",
    [SEGMENT_BETWEEN_VALUES] = "between",
    [SEGMENT_EXISTS] = "exists",
    [SEGMENT_NOT_EXISTS] = "does not exist",
};

const char *segment_test_word(enum segment_test test)
{
    return tests[test];
}

bool segment_test_of(struct str word, enum segment_test *out)
{
    for (size_t i = 0; i < COUNT(tests); i++)
        if (str_eq(word, str_of(tests[i]))) {
            *out = (enum segment_test)i;
            return true;
        }
    return false;
}

bool segment_test_is_order(enum segment_test test)
{
    return test <= SEGMENT_AT_MOST;
}

struct json segment_number(struct json number)
{
    if (number.kind == JSON_REAL && number.real == floor(number.real) && fabs(number.real) < 0x1p53)
        return (struct json){ .kind = JSON_INT, .integer = (int64_t)number.real };
    return number;
}

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

/* Is the first value of a range after the second? */
static bool is_reversed(const struct segment_literal *a, const struct segment_literal *b)
{
    double x, y;
    if (a->kind == SEGMENT_TEXT)
        return str_cmp(a->value.string, b->value.string) > 0;
    if (a->value.kind == JSON_INT && b->value.kind == JSON_INT)
        return a->value.integer > b->value.integer;
    return json_to_real(&a->value, &x) && json_to_real(&b->value, &y) && x > y;
}

static struct segment_fault range_fault(const struct segment_compare *c)
{
    if (values_are(c, SEGMENT_TRUTH) || !values_are(c, c->values[0].kind))
        return (struct segment_fault){ "the ends of the range are of different kinds",
                                       "Write two numbers, two dates or two texts." };
    if (is_reversed(&c->values[0], &c->values[1]))
        return (struct segment_fault){ "the range ends before it begins",
                                       "Write the lower end first." };
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
    default:
        return NO_FAULT;
    }
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
    if (w->kind == SEGMENT_BETWEEN && w->from_ms > w->to_ms)
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

void segment_write_date(struct buf *out, int64_t at_ms)
{
    char text[TIME_TEXT_BYTES];
    time_write(at_ms, text);
    buf_str(out, str_slice(str_of(text), 0, at_ms % TIME_DAY_MS == 0 ? 10 : TIME_TEXT_BYTES));
}

void segment_write_length(struct buf *out, int64_t length_ms)
{
    char text[64];
    buf_str(out, str_of(time_length_write(length_ms, text, sizeof text)));
}
