/* Waits until a clock shows it, minute by minute, as a clock on the wall is watched. */
#include "engine/journey_life_test.h"

static int64_t clock_minutes(const struct zone *zone, int64_t at_ms)
{
    int64_t local_ms = at_ms + zone_offset_ms(zone, at_ms);
    return local_ms / TIME_MINUTE_MS;
}

/* Is there a day of these, with its time, among the minutes after `from` and up to `to`, that the
 * clock comes by in one minute? A day that it leaves out is none. */
static bool comes_by(uint8_t days, int64_t minute, int64_t from, int64_t to)
{
    const int64_t all = 24 * 60;
    for (int64_t day = from / all; day <= to / all; day++) {
        bool is_wanted = (days >> ((day + 3) % 7) & 1) != 0;
        bool is_left_out = day * all > from && (day + 1) * all <= to;
        if (is_wanted && !is_left_out && day * all + minute > from && day * all + minute <= to)
            return true;
    }
    return false;
}

static int64_t naive_time(const struct zone *zone, uint8_t days, int64_t minute, int64_t now_ms,
                          bool later)
{
    int64_t at_ms = (now_ms / TIME_MINUTE_MS - 3 * 24 * 60) * TIME_MINUTE_MS;
    int64_t shown = clock_minutes(zone, at_ms);
    for (;; at_ms += TIME_MINUTE_MS) {
        int64_t shows = clock_minutes(zone, at_ms);
        if (shows <= shown)
            continue;
        if ((later ? at_ms > now_ms : at_ms >= now_ms) && comes_by(days, minute, shown, shows))
            return at_ms;
        shown = shows;
    }
}

/* When the clock first shows that many minutes since 1970, or more. */
static int64_t naive_local(const struct zone *zone, int64_t minutes)
{
    int64_t at_ms = (minutes - 3 * 24 * 60) * TIME_MINUTE_MS;
    while (clock_minutes(zone, at_ms) < minutes)
        at_ms += TIME_MINUTE_MS;
    return at_ms;
}

/* The texts, and what they mean in numbers. */
static const struct {
    const char *text;
    uint8_t     days;             /* 0: a date */
    int64_t     minute;           /* of the day; -1: none is given */
    const char *date;             /* NULL: what the person's trait says */
    int         before, or_after; /* days */
    bool        is_yearly;        /* the next anniversary of it */
} untils[] = {
    { "10:00", 0x7F, 600, NULL, 0, 0 },
    { "02:30", 0x7F, 150, NULL, 0, 0 },
    { "00:00", 0x7F, 0, NULL, 0, 0 },
    { "monday 09:30", 0x01, 570, NULL, 0, 0 },
    { "weekday 23:30", 0x1F, 1410, NULL, 0, 0 },
    { "saturday or wednesday 1:15", 0x24, 75, NULL, 0, 0 },
    { "2026-01-13", 0, -1, "2026-01-13", 0, 0 },
    { "2026-01-25 02:30", 0, 150, "2026-01-25", 0, 0 },
    { "ends", 0, -1, NULL, 0, 0 },
    { "2 days before ends", 0, -1, NULL, 2, 0 },
    { "3 days before ends at 08:00", 0, 480, NULL, 3, 0 },
    { "1 day after ends at 02:30", 0, 150, NULL, 0, 1 },
    { "anniversary of ends at 09:00", 0, 540, NULL, 0, 0, true },
    { "2 days before anniversary of ends at 02:30", 0, 150, NULL, 2, 0, true },
};
const uint32_t twin_untils = sizeof untils / sizeof untils[0];

struct str twin_until_text(uint32_t i)
{
    return str_of(untils[i].text);
}

bool twin_until_is_date(uint32_t i)
{
    return untils[i].days == 0;
}

static bool is_leap(int64_t year)
{
    return year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
}

/* Days since 1970, counted one by one. */
static int64_t day_in(int64_t year, int month, int day)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int64_t          days = day - 1;
    for (int64_t y = 1970; y < year; y++)
        days += is_leap(y) ? 366 : 365;
    for (int m = 1; m < month; m++)
        days += lengths[m - 1] + (m == 2 && is_leap(year));
    return days;
}

/* Year after year; who was born on a leap day has it on the day before March in others. */
static int64_t naive_yearly(const struct zone *zone, int64_t born, int64_t shift, int64_t minute,
                            int64_t now_ms, bool later)
{
    int64_t year = 1970;
    int     month = 1;
    while (day_in(year + 1, 1, 1) <= born)
        year++;
    while (month < 12 && day_in(year, month + 1, 1) <= born)
        month++;
    int day = (int)(born - day_in(year, month, 1)) + 1;
    for (;;) {
        year++;
        int     its = month == 2 && day == 29 && !is_leap(year) ? 28 : day;
        int64_t date = day_in(year, month, its) + shift;
        if ((date + 3) * TIME_DAY_MS < now_ms)
            continue; /* long past, whatever the zone */
        int64_t at_ms = naive_local(zone, date * 24 * 60 + minute);
        if (later ? at_ms > now_ms : at_ms >= now_ms)
            return at_ms;
    }
}

int64_t twin_until_ms(const struct twin_person *p, struct str text, int64_t now_ms, bool later)
{
    size_t i = 0;
    while (!str_eq(text, str_of(untils[i].text)))
        i++;
    if (untils[i].days != 0)
        return naive_time(p->zone, untils[i].days, untils[i].minute, now_ms, later);
    struct str date = untils[i].date != NULL ? str_of(untils[i].date) : p->ends;
    int64_t    at_ms, minute = untils[i].minute, days = untils[i].or_after - untils[i].before;
    if (time_parse(date, &at_ms) != OK)
        return TIME_NEVER;
    if (date.len > 10 && minute < 0)
        return at_ms + days * TIME_DAY_MS;
    int64_t day = date.len > 10 ? clock_minutes(p->zone, at_ms) / (24 * 60) : at_ms / TIME_DAY_MS;
    if (untils[i].is_yearly)
        return naive_yearly(p->zone, day, days, minute, now_ms, later);
    return naive_local(p->zone, (day + days) * 24 * 60 + (minute < 0 ? 0 : minute));
}
