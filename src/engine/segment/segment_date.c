#include "engine/segment/segment_date.h"

#include <math.h>

/*
 * Instants reach us as text, as seconds or as milliseconds. Below this a number is seconds: read
 * as milliseconds it would lie in 1966..1973.
 */
#define SECONDS_BELOW 1e11

enum { DAY_TEXT_BYTES = 10 }; /* 1990-05-17 */

bool segment_date_is(enum segment_literal_kind kind)
{
    return kind == SEGMENT_DATE || kind == SEGMENT_A_DAY || segment_date_moves(kind);
}

bool segment_date_moves(enum segment_literal_kind kind)
{
    return kind == SEGMENT_AGO || kind == SEGMENT_TODAY;
}

static int64_t floor_day(int64_t ms)
{
    return ms / TIME_DAY_MS - (ms % TIME_DAY_MS < 0);
}

static struct segment_date day_of(int64_t day)
{
    return (struct segment_date){ .is_day = true, .day = day };
}

bool segment_date_of(const struct json *value, struct segment_date *out)
{
    double x;
    *out = (struct segment_date){ .is_day = false };
    if (value->kind == JSON_STRING) {
        if (time_parse(value->string, &out->at_ms) != OK)
            return false;
        if (value->string.len == DAY_TEXT_BYTES)
            *out = day_of(floor_day(out->at_ms));
        return true;
    }
    if (!json_to_real(value, &x))
        return false;
    if (fabs(x) < SECONDS_BELOW)
        x *= 1000;
    if (x < (double)TIME_MIN_MS || x > (double)TIME_MAX_MS)
        return false;
    out->at_ms = (int64_t)floor(x);
    return true;
}

static int64_t begin_of(const struct facts *facts, struct segment_date date)
{
    return date.is_day ? zone_day_start_ms(facts->zone, date.day) : date.at_ms;
}

/* One past its last instant. */
static int64_t end_of(const struct facts *facts, struct segment_date date)
{
    return date.is_day ? zone_day_start_ms(facts->zone, date.day + 1) : date.at_ms + 1;
}

static int64_t day_in(const struct facts *facts, struct segment_date date)
{
    return date.is_day ? date.day : zone_day_of(facts->zone, date.at_ms);
}

static int64_t today_of(const struct facts *facts)
{
    return zone_day_of(facts->zone, facts->now_ms);
}

static struct segment_date literal_date(const struct facts           *facts,
                                        const struct segment_literal *literal)
{
    int64_t number = literal->value.integer;
    switch (literal->kind) {
    case SEGMENT_A_DAY:
        return day_of(floor_day(number));
    case SEGMENT_TODAY:
        return day_of(today_of(facts) + number);
    case SEGMENT_AGO:
        return (struct segment_date){ .at_ms = facts->now_ms + number };
    default:
        return (struct segment_date){ .at_ms = number };
    }
}

static int order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

bool segment_date_order(const struct facts *facts, const struct json *value,
                        const struct segment_literal *literal, int *out)
{
    struct segment_date a, b = literal_date(facts, literal);
    if (!segment_date_of(value, &a))
        return false;
    if (a.is_day && b.is_day)
        *out = order(a.day, b.day);
    else if (end_of(facts, a) <= begin_of(facts, b))
        *out = -1;
    else
        *out = begin_of(facts, a) >= end_of(facts, b);
    return true;
}

/* The first of two ascending instants that is after now. */
static int64_t next_of(int64_t now_ms, int64_t first_ms, int64_t second_ms)
{
    if (first_ms > now_ms)
        return first_ms;
    return second_ms > now_ms ? second_ms : TIME_NEVER;
}

int64_t segment_date_turn(const struct facts *facts, const struct json *value,
                          const struct segment_literal *literal)
{
    int64_t             ahead = literal->value.integer;
    struct segment_date date;
    if (!segment_date_moves(literal->kind) || !segment_date_of(value, &date))
        return TIME_NEVER;
    if (literal->kind == SEGMENT_AGO)
        return next_of(facts->now_ms, begin_of(facts, date) - ahead, end_of(facts, date) - ahead);
    int64_t day = day_in(facts, date) - ahead; /* on which the literal is the value's day */
    return next_of(facts->now_ms, zone_day_start_ms(facts->zone, day),
                   zone_day_start_ms(facts->zone, day + 1));
}

bool segment_date_day(const struct facts *facts, const struct json *value, int64_t *out)
{
    struct segment_date date;
    if (!segment_date_of(value, &date))
        return false;
    *out = day_in(facts, date);
    return true;
}
