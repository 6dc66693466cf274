#include "base/time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t time_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t time_mono_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar. */
static int64_t days_of(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static int days_in_month(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool             leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

int64_t time_join(const struct time_parts *p)
{
    return days_of(p->year, p->month, p->day) * TIME_DAY_MS + p->hour * TIME_HOUR_MS +
           p->minute * TIME_MINUTE_MS + p->second * TIME_SECOND_MS + p->millisecond;
}

struct time_parts time_split(int64_t at_ms)
{
    int64_t days = at_ms / TIME_DAY_MS, rest = at_ms % TIME_DAY_MS;
    if (rest < 0) {
        rest += TIME_DAY_MS;
        days--;
    }
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153; /* months from March */

    struct time_parts p = { 0 };
    p.day = (int32_t)(day_of_year - (153 * shifted + 2) / 5 + 1);
    p.month = (int32_t)(shifted < 10 ? shifted + 3 : shifted - 9);
    p.year = (int32_t)(year_of_era + era * 400 + (p.month <= 2));
    p.hour = (int32_t)(rest / TIME_HOUR_MS);
    p.minute = (int32_t)(rest / TIME_MINUTE_MS % 60);
    p.second = (int32_t)(rest / TIME_SECOND_MS % 60);
    p.millisecond = (int32_t)(rest % 1000);
    p.weekday = (int32_t)(((days % 7) + 10) % 7 + 1);
    return p;
}

/* Reads exactly `count` digits at *at and moves on. */
static bool digits(struct str text, size_t *at, int count, int *out)
{
    int value = 0;
    if (text.len - *at < (size_t)count)
        return false;
    for (int i = 0; i < count; i++) {
        char c = text.ptr[*at + (size_t)i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *at += (size_t)count;
    *out = value;
    return true;
}

static bool skip(struct str text, size_t *at, char c)
{
    if (*at >= text.len || text.ptr[*at] != c)
        return false;
    ++*at;
    return true;
}

static bool fraction(struct str text, size_t *at, int *out_ms)
{
    int    ms = 0, seen = 0;
    size_t i = *at;
    for (; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++, seen++)
        if (seen < 3)
            ms = ms * 10 + (text.ptr[i] - '0');
    for (int k = seen; k < 3; k++)
        ms *= 10;
    *at = i;
    *out_ms = ms;
    return seen > 0 && seen <= 12;
}

static bool offset(struct str text, size_t *at, int64_t *out_ms)
{
    int hour, minute = 0, sign;
    *out_ms = 0;
    if (*at == text.len)
        return true;
    char c = text.ptr[(*at)++];
    if (c == 'Z' || c == 'z')
        return *at == text.len;
    if (c != '+' && c != '-')
        return false;
    sign = c == '-' ? -1 : 1;
    if (!digits(text, at, 2, &hour))
        return false;
    skip(text, at, ':');
    if (*at < text.len && !digits(text, at, 2, &minute))
        return false;
    if (*at != text.len || hour > 23 || minute > 59)
        return false;
    *out_ms = sign * (hour * TIME_HOUR_MS + minute * TIME_MINUTE_MS);
    return true;
}

enum err time_parse(struct str text, int64_t *out_ms)
{
    struct time_parts p = { 0 };
    size_t            at = 0;
    int64_t           shift_ms = 0;

    if (!digits(text, &at, 4, &p.year) || !skip(text, &at, '-') ||
        !digits(text, &at, 2, &p.month) || !skip(text, &at, '-') || !digits(text, &at, 2, &p.day))
        return ERR_INPUT;
    if (at < text.len) {
        char c = text.ptr[at++];
        if (c != 'T' && c != 't' && c != ' ')
            return ERR_INPUT;
        if (!digits(text, &at, 2, &p.hour) || !skip(text, &at, ':') ||
            !digits(text, &at, 2, &p.minute))
            return ERR_INPUT;
        if (skip(text, &at, ':') && !digits(text, &at, 2, &p.second))
            return ERR_INPUT;
        if ((skip(text, &at, '.') || skip(text, &at, ',')) && !fraction(text, &at, &p.millisecond))
            return ERR_INPUT;
        if (!offset(text, &at, &shift_ms))
            return ERR_INPUT;
    }
    if (p.year < 1 || p.month < 1 || p.month > 12 || p.day < 1 ||
        p.day > days_in_month(p.year, p.month) || p.hour > 23 || p.minute > 59 || p.second > 60)
        return ERR_INPUT;

    int64_t ms = time_join(&p) - shift_ms;
    if (ms < TIME_MIN_MS || ms > TIME_MAX_MS)
        return ERR_INPUT;
    *out_ms = ms;
    return OK;
}

char *time_write(int64_t at_ms, char *out)
{
    if (at_ms < TIME_MIN_MS || at_ms > TIME_MAX_MS)
        return strcpy(out, "never");
    struct time_parts p = time_split(at_ms);
    snprintf(out, TIME_TEXT_BYTES, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)p.year % 10000,
             (unsigned)p.month % 100, (unsigned)p.day % 100, (unsigned)p.hour % 100,
             (unsigned)p.minute % 100, (unsigned)p.second % 100, (unsigned)p.millisecond % 1000);
    return out;
}

static const struct unit {
    const char *name, *letter;
    int64_t     ms;
} units[] = {
    { "week", "w", 7 * TIME_DAY_MS },  { "day", "d", TIME_DAY_MS },
    { "hour", "h", TIME_HOUR_MS },     { "minute", "m", TIME_MINUTE_MS },
    { "second", "s", TIME_SECOND_MS }, { "millisecond", "ms", 1 },
};

static const struct unit *unit_find(struct str name)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        struct str whole = str_of(units[i].name);
        bool       plural = name.len == whole.len + 1 && name.ptr[whole.len] == 's';
        if (str_eq(name, str_of(units[i].letter)) ||
            str_eq(str_slice(name, 0, name.len - plural), whole))
            return &units[i];
    }
    return NULL;
}

enum err time_length_parse(struct str text, int64_t *out_ms)
{
    size_t n = 0;
    while (n < text.len && text.ptr[n] >= '0' && text.ptr[n] <= '9')
        n++;
    int64_t            count, ms;
    const struct unit *unit = unit_find(str_trim(str_slice(text, n, text.len)));
    if (unit == NULL || str_to_int(str_slice(text, 0, n), &count) != OK)
        return ERR_INPUT;
    if (__builtin_mul_overflow(count, unit->ms, &ms) || ms > TIME_MAX_MS)
        return ERR_INPUT;
    *out_ms = ms;
    return OK;
}

char *time_length_write(int64_t length_ms, char *out, size_t out_bytes)
{
    size_t i = 1; /* weeks are written as days: people count mails in days */
    while (length_ms % units[i].ms != 0)
        i++;
    long long count = length_ms / units[i].ms;
    snprintf(out, out_bytes, "%lld %s%s", count, units[i].name, count == 1 ? "" : "s");
    return out;
}
