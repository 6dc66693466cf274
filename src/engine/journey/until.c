#include "engine/journey/until.h"

#include <string.h>

#include "engine/segment/segment_date.h"

#define SHIFT_MS_MAX (3660 * TIME_DAY_MS)

enum { EVERY_DAY = 0x7F, DAYS_AHEAD = 24, YEARS_AHEAD = 3, DATE_BYTES = 10 };

#define BEST_UNKNOWN_MS (10 * TIME_HOUR_MS) /* of who clicked too seldom, unless said */

/* ---- reading ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "9:00", "09:00", "23:59". */
static bool time_read(struct str text, int32_t *out)
{
    int64_t hour, minute;
    size_t  colon = str_find(text, 0, STR(":"));
    if (colon == 0 || colon > 2 || text.len != colon + 3)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (i != colon && !is_digit(text.ptr[i]))
            return false;
    if (str_to_int(str_slice(text, 0, colon), &hour) != OK ||
        str_to_int(str_slice(text, colon + 1, text.len), &minute) != OK || hour > 23 || minute > 59)
        return false;
    *out = (int32_t)(hour * TIME_HOUR_MS + minute * TIME_MINUTE_MS);
    return true;
}

/* The next word of *rest, which goes on behind it. */
static struct str word_take(struct str *rest)
{
    struct str text = str_trim(*rest);
    size_t     len = 0;
    while (len < text.len && text.ptr[len] != ' ')
        len++;
    *rest = str_trim(str_slice(text, len, text.len));
    return str_slice(text, 0, len);
}

static uint8_t days_of(struct str word)
{
    static const struct {
        const char *name;
        uint8_t     days;
    } names[] = {
        { "monday", 0x01 },   { "tuesday", 0x02 }, { "wednesday", 0x04 },
        { "thursday", 0x08 }, { "friday", 0x10 },  { "saturday", 0x20 },
        { "sunday", 0x40 },   { "weekday", 0x1F }, { "weekend", 0x60 },
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq_nocase(word, str_of(names[i].name)))
            return names[i].days;
    return 0;
}

static enum err wrong(struct problem *problem, const char *what, const char *remedy)
{
    return problem_set(problem, ERR_INPUT, "", what, remedy);
}

/* Behind "best": "hour", "hour or 08:00". */
static enum err best_read(struct str text, struct until *out, struct problem *problem)
{
    bool is_hour = str_eq_nocase(word_take(&text), STR("hour"));
    out->is_best = true;
    out->time_ms = BEST_UNKNOWN_MS;
    if (is_hour && text.len == 0)
        return OK;
    if (!is_hour || !str_eq_nocase(word_take(&text), STR("or")) || !time_read(text, &out->time_ms))
        return wrong(problem, "This is no hour to wait until.",
                     "Write \"best hour\", or \"best hour or 08:00\" with a time for those who "
                     "clicked too seldom.");
    return OK;
}

/* "monday or friday 10:00" */
static enum err days_read(struct str text, struct until *out, struct problem *problem)
{
    *out = (struct until){ .kind = UNTIL_TIME };
    for (;;) {
        struct str word = word_take(&text);
        uint8_t    days = days_of(word);
        if (days == 0)
            return wrong(problem, "After \"or\" a day of the week is wanted.",
                         "Write such as \"monday or friday 10:00\".");
        out->days |= days;
        word = word_take(&text);
        if (str_eq_nocase(word, STR("or")))
            continue;
        if (str_eq_nocase(word, STR("best")))
            return best_read(text, out, problem);
        if (text.len > 0 || !time_read(word, &out->time_ms))
            return wrong(problem, "A day of the week wants a time of day.",
                         "Write such as \"monday 10:00\" or \"weekday 09:30\".");
        return OK;
    }
}

static bool has_zone(struct str text)
{
    if (text.len > 0 && (text.ptr[text.len - 1] | 32) == 'z')
        return true;
    return text.len > DATE_BYTES && (str_find(text, DATE_BYTES, STR("+")) < text.len ||
                                     str_find(text, DATE_BYTES, STR("-")) < text.len);
}

static enum err date_read(struct str text, struct until *out, struct problem *problem)
{
    *out = (struct until){ .kind = has_zone(text) ? UNTIL_INSTANT : UNTIL_LOCAL };
    return time_parse(text, &out->at_ms) == OK
               ? OK
               : wrong(problem, "This is no date.",
                       "Write such as \"2026-12-24 10:00\" by the person's clock, or "
                       "\"2026-12-24T10:00:00Z\".");
}

static bool is_name(struct str word)
{
    if (word.len == 0 || is_digit(word.ptr[0]))
        return false;
    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];
        if (!is_digit(c) && !((c | 32) >= 'a' && (c | 32) <= 'z') && c != '_' && c != '.')
            return false;
    }
    return true;
}

/* A word, or trait "any name". */
static bool name_take(struct str *rest, struct str *out)
{
    struct str word = word_take(rest);
    if (str_eq_nocase(word, STR("trait")) && rest->len > 1 && rest->ptr[0] == '"') {
        size_t end = str_find(*rest, 1, STR("\""));
        if (end >= rest->len || end == 1)
            return false;
        *out = str_slice(*rest, 1, end);
        *rest = str_trim(str_slice(*rest, end + 1, rest->len));
        return true;
    }
    *out = word;
    return is_name(word);
}

/* "3 days before": the length, and on behind it; without one nothing is taken. */
static enum err shift_take(struct str *rest, struct until *out, struct problem *problem)
{
    struct str whole = *rest, text = *rest;
    if (text.len == 0 || !is_digit(text.ptr[0]))
        return OK;
    while (text.len > 0) {
        size_t     at = (size_t)(text.ptr - whole.ptr);
        struct str word = word_take(&text);
        bool       before = str_eq_nocase(word, STR("before"));
        if (!before && !str_eq_nocase(word, STR("after")))
            continue;
        if (time_length_parse(str_trim(str_slice(whole, 0, at)), &out->shift_ms) != OK ||
            out->shift_ms > SHIFT_MS_MAX)
            break;
        if (before)
            out->shift_ms = -out->shift_ms;
        *rest = text;
        return OK;
    }
    return wrong(problem, "This is no time to wait until.",
                 "Write \"10:00\", \"monday 10:00\", \"2026-12-24 10:00\" or \"3 days before "
                 "trial_ends\". For a length of time use \"wait\".");
}

/* Words that mean a time, and those like them, are hardly names: what is misspelt would be a trait
 * that nobody has, and not be waited for. trait "noon" names one all the same. */
static bool is_like(struct str word, struct str time)
{
    size_t same = 0, off = word.len > time.len ? word.len - time.len : time.len - word.len;
    size_t least = word.len < time.len ? word.len : time.len, end = 0;
    while (same < least && (word.ptr[same] | 32) == time.ptr[same])
        same++;
    while (end < least - same &&
           (word.ptr[word.len - 1 - end] | 32) == time.ptr[time.len - 1 - end])
        end++;
    if (same == least && off == 0)
        return true;
    size_t rest = (word.len > time.len ? word.len : time.len) - same - end;
    bool   is_swapped = off == 0 && rest == 2 && (word.ptr[same] | 32) == time.ptr[same + 1] &&
                      (word.ptr[same + 1] | 32) == time.ptr[same];
    return time.len >= 6 && off <= 1 && (rest <= 1 || is_swapped);
}

static bool is_time_word(struct str word)
{
    static const char *const words[] = {
        "now",     "today",    "tonight", "tomorrow", "noon",    "midday",    "midnight",
        "morning", "evening",  "night",   "monday",   "tuesday", "wednesday", "thursday",
        "friday",  "saturday", "sunday",  "weekday",  "weekend", "afternoon", "week",
        "month",   "year",     "later",   "day",      "hour",
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (is_like(word, str_of(words[i])))
            return true;
    return false;
}

static enum err trait_read(struct str text, struct until *out, struct problem *problem)
{
    struct str whole = text;
    *out = (struct until){ .kind = UNTIL_TRAIT, .time_ms = UNTIL_NO_TIME };
    TRY(shift_take(&text, out, problem));
    struct str ahead = text;
    if (str_eq_nocase(word_take(&ahead), STR("anniversary")) &&
        str_eq_nocase(word_take(&ahead), STR("of"))) {
        out->is_yearly = true;
        text = ahead;
    }
    struct str word = text;
    out->is_entry = str_eq_nocase(word_take(&word), STR("entry"));
    if (!name_take(&text, &out->trait))
        return wrong(problem, "A trait that is a date is wanted here.",
                     "Name it, such as \"3 days before trial_ends\"; a name with other characters "
                     "as trait \"Trial ends\".");
    bool is_quoted = out->trait.ptr > whole.ptr && out->trait.ptr[-1] == '"';
    if (problem != NULL && !is_quoted && is_time_word(out->trait))
        return wrong(problem, "This is no time to wait until.",
                     "Write \"10:00\", \"monday 10:00\" or \"2026-12-24 10:00\"; a trait of such "
                     "a name as trait \"noon\".");
    if (text.len == 0)
        return OK;
    if (!str_eq_nocase(word_take(&text), STR("at")) || !time_read(text, &out->time_ms))
        return wrong(problem, "Behind the date only a time of day may stand.",
                     "Write such as \"3 days before trial_ends at 10:00\".");
    if (out->shift_ms % TIME_DAY_MS != 0)
        return wrong(problem, "With a time of day the length must be whole days.",
                     "Write \"3 days before trial_ends at 10:00\", or leave the time out.");
    return OK;
}

enum err until_parse(struct str text, struct until *out, struct problem *problem)
{
    struct until until = { .kind = UNTIL_TIME, .days = EVERY_DAY };
    enum err     err = OK;
    text = str_trim(text);
    struct str rest = text, first = word_take(&rest);
    if (time_read(text, &until.time_ms))
        err = OK;
    else if (str_eq_nocase(first, STR("best")) && str_starts(rest, STR("hour")))
        err = best_read(rest, &until, problem);
    else if (days_of(first) != 0)
        err = days_read(text, &until, problem);
    else if (text.len > 4 && is_digit(text.ptr[0]) && text.ptr[4] == '-')
        err = date_read(text, &until, problem);
    else
        err = trait_read(text, &until, problem);
    if (err == OK)
        *out = until;
    return err;
}

/* ---- when ---- */

static bool is_early(int64_t at_ms, int64_t now_ms, bool later)
{
    return later ? at_ms <= now_ms : at_ms < now_ms;
}

static int weekday_of(int64_t day)
{
    return (int)(((day + 3) % 7 + 7) % 7); /* day 0 was a Thursday */
}

static bool is_left_out(const struct zone *zone, int64_t day)
{
    return zone_day_start_ms(zone, day) == zone_day_start_ms(zone, day + 1);
}

/* From the day before on: its last hour may be a gap that ends today. */
static int64_t time_next(const struct until *until, const struct zone *zone, int64_t now_ms,
                         bool later)
{
    int64_t today = zone_day_of(zone, now_ms);
    for (int64_t day = today - 1; day <= today + DAYS_AHEAD; day++) {
        int64_t at_ms = zone_instant_ms(zone, day * TIME_DAY_MS + until->time_ms);
        if ((until->days >> weekday_of(day) & 1) != 0 && !is_left_out(zone, day) &&
            !is_early(at_ms, now_ms, later))
            return at_ms;
    }
    return TIME_NEVER; /* no zone leaves out so many days */
}

/* The day moved, at its time; a day alone may be moved by hours. */
static int64_t day_ms(const struct until *until, const struct zone *zone, int64_t day)
{
    int64_t days = until->shift_ms / TIME_DAY_MS, rest_ms = until->shift_ms % TIME_DAY_MS;
    int64_t time_ms = until->time_ms == UNTIL_NO_TIME ? 0 : until->time_ms;
    return zone_instant_ms(zone, (day + days) * TIME_DAY_MS + time_ms) + rest_ms;
}

static bool is_leap(int32_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t anniversary_of(int64_t day, int32_t year)
{
    struct time_parts parts = time_split(day * TIME_DAY_MS);
    if (parts.month == 2 && parts.day == 29 && !is_leap(year))
        parts.day = 28;
    parts.year = year;
    return time_join(&parts) / TIME_DAY_MS;
}

/* The time of day of an instant is kept by the clock, where `at` gives no other. */
static int64_t yearly_next(const struct until *until, const struct zone *zone, int64_t day,
                           int32_t clock_ms, int64_t now_ms, bool later)
{
    struct until moved = *until;
    int32_t      born = time_split(day * TIME_DAY_MS).year;
    int32_t      year = time_split(now_ms - until->shift_ms).year - 1;
    if (until->time_ms == UNTIL_NO_TIME)
        moved.time_ms = clock_ms;
    if (year <= born)
        year = born + 1;
    for (int32_t last = year + YEARS_AHEAD; year <= last; year++) {
        int64_t at_ms = day_ms(&moved, zone, anniversary_of(day, year));
        if (!is_early(at_ms, now_ms, later))
            return at_ms;
    }
    return TIME_NEVER;
}

static int64_t trait_ms(const struct until *until, const struct zone *zone,
                        const struct json *value, int64_t now_ms, bool later)
{
    struct segment_date date;
    if (value == NULL || !segment_date_of(value, &date))
        return TIME_NEVER;
    int64_t local_ms = date.at_ms + (date.is_day ? 0 : zone_offset_ms(zone, date.at_ms));
    int64_t day = date.is_day ? date.day : zone_day_of(zone, date.at_ms);
    int64_t clock_ms = date.is_day ? 0 : local_ms - day * TIME_DAY_MS;
    if (clock_ms < 0 || clock_ms >= TIME_DAY_MS)
        clock_ms = 0; /* clocks were set back over midnight */
    if (until->is_yearly)
        return yearly_next(until, zone, day, (int32_t)clock_ms, now_ms, later);
    return date.is_day || until->time_ms != UNTIL_NO_TIME ? day_ms(until, zone, day)
                                                          : date.at_ms + until->shift_ms;
}

int64_t until_end_ms(const struct until *until, const struct zone *zone, const struct json *value,
                     int64_t now_ms, bool later)
{
    switch (until->kind) {
    case UNTIL_TIME:
        return time_next(until, zone, now_ms, later);
    case UNTIL_LOCAL:
        return zone_instant_ms(zone, until->at_ms);
    case UNTIL_INSTANT:
        return until->at_ms;
    case UNTIL_TRAIT:
        break;
    }
    return trait_ms(until, zone, value, now_ms, later);
}
