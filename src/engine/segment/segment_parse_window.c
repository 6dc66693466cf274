#include <stdio.h>

#include "engine/segment/segment_parser.h"

/* ---- windows and filters */

#define IN_LAST_REMEDY "Write for example: in the last 30 days."
#define AGO_REMEDY "Write for example: more than 30 days ago."

/* `in ("x")` and `not in ("x")` test a value. */
static bool is_list_test(const struct parser *p)
{
    struct parser next = parser_ahead(p);
    if (parser_is_word(p, "not"))
        next = parser_ahead(&next);
    return parser_is_sign(&next, "(");
}

bool parser_is_window(const struct parser *p, const struct clauses *seen)
{
    static const char *const words[] = {
        "ever", "since", "before", "more", "less", "today", "yesterday", "this", "last",
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (parser_is_word(p, words[i]))
            return true;
    if (parser_is_word(p, "in") || parser_is_word(p, "not"))
        return !seen->tests_follow || !is_list_test(p);
    return parser_is_word(p, "between") && !(seen->tests_follow && seen->window);
}

static enum err window_of_length(struct parser *p, struct segment_window *w)
{
    bool ago = parser_is_word(p, "more") || parser_is_word(p, "less");
    w->kind =
        parser_is_word(p, "more") || parser_is_word(p, "not") ? SEGMENT_NOT_LAST : SEGMENT_LAST;
    if (ago) {
        TRY(parser_advance(p));
        TRY(parser_want_word(p, "than", AGO_REMEDY));
        TRY(parser_length(p, &w->length_ms));
        return parser_want_word(p, "ago", AGO_REMEDY);
    }
    if (w->kind == SEGMENT_NOT_LAST)
        TRY(parser_advance(p));
    TRY(parser_want_word(p, "in", IN_LAST_REMEDY));
    TRY(parser_want_word(p, "the", IN_LAST_REMEDY));
    TRY(parser_want_word(p, "last", IN_LAST_REMEDY));
    return parser_length(p, &w->length_ms);
}

static enum err window_since(struct parser *p, struct segment_window *w)
{
    TRY(parser_advance(p));
    if (parser_is_word(p, "entry")) {
        w->kind = SEGMENT_SINCE_ENTRY;
        return parser_advance(p);
    }
    w->kind = SEGMENT_SINCE;
    return parser_date(p, &w->from_ms, &w->from_is_day);
}

static enum err window_between(struct parser *p, struct segment_window *w)
{
    w->kind = SEGMENT_BETWEEN;
    TRY(parser_advance(p));
    TRY(parser_date(p, &w->from_ms, &w->from_is_day));
    TRY(parser_want_word(p, "and", "Write for example: between 2026-01-01 and 2026-01-31."));
    return parser_date(p, &w->to_ms, &w->to_is_day);
}

/* today, yesterday, this week, last month */
static enum err window_calendar(struct parser *p, struct segment_window *w)
{
    bool last = parser_is_word(p, "last") || parser_is_word(p, "yesterday");
    bool day = parser_is_word(p, "today") || parser_is_word(p, "yesterday");
    w->kind = SEGMENT_CALENDAR;
    w->back = last ? 1 : 0;
    TRY(parser_advance(p));
    if (day)
        return OK;
    if (parser_is_word(p, "week"))
        w->unit = SEGMENT_WEEKS;
    else if (parser_is_word(p, "month"))
        w->unit = SEGMENT_MONTHS;
    else if (parser_is_word(p, "year"))
        w->unit = SEGMENT_YEARS;
    else
        return parser_expected(p, "week, month or year",
                               "Write for example: last month, this week, or in the last 30 days.");
    return parser_advance(p);
}

enum err parser_window(struct parser *p, struct segment_window *w)
{
    struct segment_token at = p->token;
    if (parser_is_word(p, "ever")) {
        w->kind = SEGMENT_EVER;
        return parser_advance(p);
    }
    if (parser_is_word(p, "since"))
        return window_since(p, w);
    if (parser_is_word(p, "before")) {
        w->kind = SEGMENT_BEFORE;
        TRY(parser_advance(p));
        return parser_date(p, &w->to_ms, &w->to_is_day);
    }
    if (parser_is_word(p, "today") || parser_is_word(p, "yesterday") || parser_is_word(p, "this") ||
        parser_is_word(p, "last"))
        return window_calendar(p, w);
    if (parser_is_word(p, "between"))
        TRY(window_between(p, w));
    else
        TRY(window_of_length(p, w));
    return parser_refuse(p, &at, segment_window_fault(w));
}

enum err parser_twice(const struct parser *p, const char *what)
{
    char text[80];
    snprintf(text, sizeof text, "there is a second %s", what);
    return parser_fail(p, &p->token, ERR_INPUT, text,
                       "Join conditions with and; join filters in one: where (... and ...).");
}

enum err parser_whole_number(struct parser *p, const char *remedy, int64_t *out)
{
    if (p->token.kind != TOKEN_NUMBER || p->token.number.kind != JSON_INT)
        return parser_expected(p, "a whole number", remedy);
    *out = p->token.number.integer;
    return parser_advance(p);
}

#define TIMES_REMEDY "Write for example: at least 3 times."

/* once, twice, 3 times */
static enum err how_often(struct parser *p, int64_t *out)
{
    *out = parser_is_word(p, "once") ? 1 : 2;
    if (parser_is_word(p, "once") || parser_is_word(p, "twice"))
        return parser_advance(p);
    TRY(parser_whole_number(p, TIMES_REMEDY, out));
    if (parser_is_word(p, "time"))
        return parser_advance(p);
    return parser_want_word(p, "times", TIMES_REMEDY);
}

/* `more than 3 times`, and not `more than 30 days ago`. */
static bool is_more_times(const struct parser *p)
{
    if (!parser_is_word(p, "more") && !parser_is_word(p, "less") && !parser_is_word(p, "fewer"))
        return false;
    struct parser than = parser_ahead(p), number = parser_ahead(&than);
    struct parser unit = parser_ahead(&number);
    return parser_is_word(&than, "than") &&
           (parser_is_word(&number, "once") || parser_is_word(&number, "twice") ||
            parser_is_word(&unit, "times") || parser_is_word(&unit, "time"));
}

static bool is_times_ahead(const struct parser *p)
{
    return parser_is_word(p, "at") || parser_is_word(p, "exactly") || is_more_times(p);
}

/* at least 3 times, at most twice, exactly once, more than once, fewer than 3 times */
static enum err times(struct parser *p, struct segment_node *node)
{
    bool                 more = parser_is_word(p, "more"), exactly = parser_is_word(p, "exactly");
    bool                 than = is_more_times(p);
    int64_t              count = 0;
    struct segment_token at;

    TRY(parser_advance(p));
    if (!exactly) {
        if (!than && !parser_is_word(p, "least") && !parser_is_word(p, "most"))
            return parser_expected(p, "least or most", TIMES_REMEDY);
        more = than ? more : parser_is_word(p, "least");
        TRY(parser_advance(p));
    }
    node->times = exactly ? SEGMENT_TIMES_EXACTLY
                  : more  ? SEGMENT_TIMES_AT_LEAST
                          : SEGMENT_TIMES_AT_MOST;
    at = p->token;
    TRY(how_often(p, &count));
    if (than)
        count += more ? 1 : -1;
    TRY(parser_refuse(p, &at, segment_times_fault(count)));
    node->times_count = (uint32_t)count;
    return OK;
}

/* `did "A" 3 times`: of these exactly three, or three and more? */
static bool is_bare_times(const struct parser *p)
{
    return parser_is_word(p, "once") || parser_is_word(p, "twice") ||
           (p->token.kind == TOKEN_NUMBER &&
            (parser_next_is_word(p, "times") || parser_next_is_word(p, "time")));
}

enum err parser_clauses(struct parser *p, struct segment_match *match, struct segment_node *counted,
                        struct clauses *seen)
{
    for (;;) {
        if (parser_is_window(p, seen) && !(counted != NULL && is_more_times(p))) {
            if (seen->window)
                return parser_twice(p, "window of time");
            seen->window = true;
            TRY(parser_window(p, &match->window));
        } else if (parser_is_word(p, "where")) {
            if (seen->where)
                return parser_twice(p, "where");
            seen->where = true;
            TRY(parser_advance(p));
            TRY(parser_part_in(p, SCOPE_EVENT, &match->where));
        } else if (counted != NULL && is_times_ahead(p)) {
            if (seen->times)
                return parser_twice(p, "number of times");
            seen->times = true;
            TRY(times(p, counted));
        } else if (counted != NULL && is_bare_times(p)) {
            return parser_expected(p, "at least, at most or exactly",
                                   "Say which: at least 3 times, or exactly 3 times.");
        } else {
            return OK;
        }
    }
}
