#include "engine/segment/segment_words.h"

#include <math.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

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

static const struct {
    const char *word, *member;
    bool        takes_property, is_of_events;
} folds[] = {
    [SEGMENT_SUM] = { "sum", "sum", true, false },
    [SEGMENT_AVERAGE] = { "average", "average", true, false },
    [SEGMENT_LEAST] = { "least", "least", true, false },
    [SEGMENT_GREATEST] = { "greatest", "greatest", true, false },
    [SEGMENT_DISTINCT] = { "distinct count", "distinct", true, false },
    [SEGMENT_COUNT] = { "count", "count", true, true },
    [SEGMENT_GAP] = { "days between", "days_between", false, true },
    [SEGMENT_FIRST_VALUE] = { "first", "first", true, false },
    [SEGMENT_LAST_VALUE] = { "last", "last", true, false },
    [SEGMENT_MOST_FREQUENT] = { "most frequent", "most_frequent", true, false },
    [SEGMENT_FIRST_TIME] = { "first time", "first_time", false, true },
    [SEGMENT_LAST_TIME] = { "last time", "last_time", false, true },
};

const char *segment_fold_word(enum segment_fold fold)
{
    return folds[fold].word;
}

const char *segment_fold_member(enum segment_fold fold)
{
    return folds[fold].member;
}

bool segment_fold_takes_property(enum segment_fold fold)
{
    return folds[fold].takes_property;
}

bool segment_fold_is_of_events(enum segment_fold fold)
{
    return folds[fold].is_of_events;
}

bool segment_fold_is_number(enum segment_fold fold)
{
    return fold < SEGMENT_FIRST_VALUE;
}

static const struct {
    const char *word, *member;
} subjects[] = {
    [SEGMENT_EVENT] = { NULL, NULL },
    [SEGMENT_ANYTHING] = { NULL, "anything" },
    [SEGMENT_RECEIVED] = { "received", "received" },
    [SEGMENT_OPENED] = { "opened", "opened" },
    [SEGMENT_CLICKED] = { "clicked", "clicked" },
    [SEGMENT_BOUNCED] = { "bounced", "bounced" },
    [SEGMENT_UNSUBSCRIBED] = { "unsubscribed from", "unsubscribed" },
    [SEGMENT_ENTERED] = { "entered", "entered" },
    [SEGMENT_FINISHED] = { "finished", "finished" },
    [SEGMENT_REACHED_GOAL] = { "reached the goal of", "reached_goal" },
};

const char *segment_subject_word(enum segment_subject subject)
{
    return subjects[subject].word;
}

const char *segment_subject_member(enum segment_subject subject)
{
    return subjects[subject].member;
}

const char *segment_of_word(enum segment_of of)
{
    static const char *const words[SEGMENT_OF_COUNT] = { "any", "message", "journey", "broadcast" };
    return words[of];
}

const char *segment_of_property(enum segment_of of)
{
    return of == SEGMENT_OF_MESSAGE ? "template" : segment_of_word(of);
}

bool segment_subject_is_message(enum segment_subject subject)
{
    return subject >= SEGMENT_RECEIVED && subject <= SEGMENT_UNSUBSCRIBED;
}

bool segment_subject_is_journey(enum segment_subject subject)
{
    return subject >= SEGMENT_ENTERED;
}

bool segment_subject_has_hits(enum segment_subject subject)
{
    return subject == SEGMENT_OPENED || subject == SEGMENT_CLICKED;
}

static const char *const calendar[][2] = {
    [SEGMENT_DAYS] = { "today", "yesterday" },
    [SEGMENT_WEEKS] = { "this week", "last week" },
    [SEGMENT_MONTHS] = { "this month", "last month" },
    [SEGMENT_YEARS] = { "this year", "last year" },
};

const char *segment_calendar_word(enum segment_unit unit, uint32_t back)
{
    return calendar[unit][back > 0];
}

bool segment_calendar_of(struct str words, struct segment_window *out)
{
    for (size_t i = 0; i < 2 * COUNT(calendar); i++)
        if (str_eq(words, str_of(calendar[i / 2][i % 2]))) {
            out->kind = SEGMENT_CALENDAR;
            out->unit = (enum segment_unit)(i / 2);
            out->back = i % 2;
            return true;
        }
    return false;
}

static const char *const consents[] = {
    [SEGMENT_GRANTED] = "granted",
    [SEGMENT_REFUSED] = "refused",
    [SEGMENT_UNKNOWN] = "unknown",
    [SEGMENT_PENDING] = "pending",
};

const char *segment_consent_word(enum segment_consent consent)
{
    return consents[consent];
}

bool segment_consent_of(struct str word, enum segment_consent *out)
{
    for (size_t i = 0; i < COUNT(consents); i++)
        if (str_eq(word, str_of(consents[i]))) {
            *out = (enum segment_consent)i;
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
    [SEGMENT_IS_KEY] = "is the key",
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

bool segment_test_takes_list(enum segment_test test)
{
    return test == SEGMENT_IN || test == SEGMENT_NOT_IN || test == SEGMENT_BETWEEN_VALUES;
}

struct json segment_number(struct json number)
{
    if (number.kind == JSON_REAL && number.real == floor(number.real) && fabs(number.real) < 0x1p53)
        return (struct json){ .kind = JSON_INT, .integer = (int64_t)number.real };
    return number;
}

void segment_write_date(struct buf *out, int64_t at_ms, bool is_day)
{
    char text[TIME_TEXT_BYTES];
    time_write(at_ms, text);
    buf_str(out, str_slice(str_of(text), 0, is_day ? 10 : TIME_TEXT_BYTES));
}

void segment_write_length(struct buf *out, int64_t length_ms)
{
    char text[64];
    buf_str(out, str_of(time_length_write(length_ms, text, sizeof text)));
}
