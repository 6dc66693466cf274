#include <stdio.h>

#include "engine/segment/segment_parser.h"

/* ---- small pieces */

enum err parser_quoted(struct parser *p, const char *what, const char *remedy, struct str *out)
{
    if (p->token.kind != TOKEN_TEXT)
        return parser_expected(p, what, remedy);
    TRY(parser_refuse(p, &p->token, segment_name_fault(p->token.text)));
    *out = p->token.text;
    return parser_advance(p);
}

enum err parser_key(struct parser *p, struct str *out)
{
    if (parser_is_word(p, "trait") || parser_is_word(p, "property")) {
        TRY(parser_advance(p));
        return parser_quoted(p, "a name in quotes", "Write for example: trait \"first name\".",
                             out);
    }
    if (p->token.kind != TOKEN_WORD)
        return parser_expected(p, "a name",
                               "Write a name such as country, or trait \"first name\".");
    if (segment_is_keyword(p->token.text))
        return parser_expected(p, "a name",
                               "Put a name that is a keyword in quotes: trait \"last\".");
    TRY(parser_refuse(p, &p->token, segment_name_fault(p->token.text)));
    *out = p->token.text;
    return parser_advance(p);
}

#define LENGTH_REMEDY "Write a length of time such as 30 days, 1 hour or 15m."

enum err parser_length(struct parser *p, int64_t *out_ms)
{
    struct segment_token first = p->token;
    if (first.kind != TOKEN_NUMBER)
        return parser_expected(p, "a length of time", LENGTH_REMEDY);
    TRY(parser_advance(p));
    if (p->token.kind != TOKEN_WORD)
        return parser_expected(p, "a unit of time", LENGTH_REMEDY);
    /* Number and unit by themselves: between them there may be anything that is space. */
    char       text[64];
    struct str number = str_slice(p->lexer.source, first.from, first.to);
    snprintf(text, sizeof text, "%.*s %.*s", STR_ARG(str_slice(number, 0, 24)),
             STR_ARG(str_slice(p->token.text, 0, 24)));
    if (time_length_parse(str_of(text), out_ms) != OK)
        return parser_fail(p, &first, ERR_INPUT, "this is no length of time", LENGTH_REMEDY);
    TRY(parser_refuse(p, &first, segment_length_fault(*out_ms)));
    return parser_advance(p);
}

enum err parser_date(struct parser *p, int64_t *out_ms, bool *out_is_day)
{
    if (p->token.kind != TOKEN_DATE)
        return parser_expected(p, "a date", "Write a date without quotes, such as 2026-01-31.");
    *out_ms = p->token.at_ms;
    *out_is_day = p->token.is_day;
    return parser_advance(p);
}

/* A length of whole days. */
enum err parser_days(struct parser *p, int64_t *out_days)
{
    struct segment_token first = p->token;
    int64_t              length_ms = 0;
    TRY(parser_length(p, &length_ms));
    if (length_ms % TIME_DAY_MS != 0)
        return parser_fail(p, &first, ERR_INPUT, "whole days are wanted here",
                           "Write a number of days or weeks, such as 7 days.");
    *out_days = length_ms / TIME_DAY_MS;
    return OK;
}

/* ---- literals */

/* Written small only: country = NO is a country without its quotes, and must not mean "no". */
bool parser_is_truth(const struct parser *p, const char *word)
{
    return p->token.kind == TOKEN_WORD && str_eq(p->token.text, str_of(word));
}

static struct segment_literal literal_int(enum segment_literal_kind kind, int64_t value)
{
    return (struct segment_literal){ kind, { .kind = JSON_INT, .integer = value } };
}

/* 30 days ago, 30 days from now, 5 days after today, 3 days before today */
static enum err literal_length(struct parser *p, struct segment_literal *out)
{
    static const char remedy[] =
        "Write for example: 30 days ago, 30 days from now, 5 days after today.";
    struct segment_token first = p->token;
    int64_t              length_ms = 0;

    TRY(parser_length(p, &length_ms));
    if (parser_is_word(p, "ago")) {
        *out = literal_int(SEGMENT_AGO, -length_ms);
        return parser_advance(p);
    }
    if (parser_is_word(p, "from")) {
        *out = literal_int(SEGMENT_AGO, length_ms);
        TRY(parser_advance(p));
        return parser_want_word(p, "now", remedy);
    }
    if (!parser_is_word(p, "after") && !parser_is_word(p, "before"))
        return parser_expected(p, "ago, from now, after today or before today", remedy);
    if (length_ms % TIME_DAY_MS != 0)
        return parser_fail(p, &first, ERR_INPUT, "whole days are wanted here",
                           "Write a number of days or weeks, such as 7 days.");
    length_ms /= parser_is_word(p, "after") ? TIME_DAY_MS : -TIME_DAY_MS;
    *out = literal_int(SEGMENT_TODAY, length_ms);
    TRY(parser_advance(p));
    return parser_want_word(p, "today", remedy);
}

/* Does a unit of time follow the number? */
bool parser_is_length(const struct parser *p)
{
    struct parser ahead = parser_ahead(p);
    char          text[32];
    int64_t       length_ms;
    if (p->token.kind != TOKEN_NUMBER || ahead.token.kind != TOKEN_WORD)
        return false;
    snprintf(text, sizeof text, "1 %.*s", STR_ARG(str_slice(ahead.token.text, 0, 24)));
    return time_length_parse(str_of(text), &length_ms) == OK;
}

/* yesterday, today, tomorrow, now */
bool parser_day_word(const struct parser *p, struct segment_literal *out)
{
    static const char *const words[] = { "yesterday", "today", "tomorrow" };
    for (int i = 0; i < 3; i++)
        if (parser_is_word(p, words[i])) {
            *out = literal_int(SEGMENT_TODAY, i - 1);
            return true;
        }
    *out = literal_int(SEGMENT_AGO, 0);
    return parser_is_word(p, "now");
}

enum err parser_literal(struct parser *p, struct segment_literal *out)
{
    const struct segment_token *t = &p->token;
    bool                        yes = parser_is_truth(p, "yes") || parser_is_truth(p, "true");

    if (parser_is_length(p))
        return literal_length(p, out);
    if (parser_day_word(p, out))
        return parser_advance(p);
    if (t->kind == TOKEN_TEXT)
        *out = (struct segment_literal){ SEGMENT_TEXT, { .kind = JSON_STRING, .string = t->text } };
    else if (t->kind == TOKEN_NUMBER)
        *out = (struct segment_literal){ SEGMENT_NUMBER, segment_number(t->number) };
    else if (t->kind == TOKEN_DATE)
        *out = literal_int(t->is_day ? SEGMENT_A_DAY : SEGMENT_DATE, t->at_ms);
    else if (yes || parser_is_truth(p, "no") || parser_is_truth(p, "false"))
        *out = (struct segment_literal){ SEGMENT_TRUTH, { .kind = JSON_BOOL, .truth = yes } };
    else
        return parser_expected(p, "a value",
                               "Write a text in quotes, a number, a date, yes or no.");
    return parser_advance(p);
}
