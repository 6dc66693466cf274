#include "intake/date_format.h"

#include "base/time.h"

#include <string.h>

struct cursor {
    struct str text;
    size_t     at;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads up to `most` digits, at least `least`. */
static bool digits(struct cursor *c, int least, int most, int32_t *out)
{
    int32_t value = 0;
    int     count = 0;
    while (count < most && c->at < c->text.len && is_digit(c->text.ptr[c->at])) {
        value = value * 10 + (c->text.ptr[c->at++] - '0');
        count++;
    }
    *out = value;
    return count >= least;
}

static bool month_name(struct cursor *c, int32_t *out)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct str        name = str_slice(c->text, c->at, c->at + 3);
    for (int month = 0; month < 12; month++)
        if (str_eq_nocase(name, (struct str){ names + 3 * month, 3 })) {
            c->at += 3;
            *out = month + 1;
            return true;
        }
    return false;
}

static bool zone(struct cursor *c, int64_t *shift_ms)
{
    int32_t hours, minutes;
    if (c->at == c->text.len)
        return false;
    char sign = c->text.ptr[c->at++];
    if (sign == 'Z' || sign == 'z')
        return true;
    if ((sign != '+' && sign != '-') || !digits(c, 2, 2, &hours))
        return false;
    if (c->at < c->text.len && c->text.ptr[c->at] == ':')
        c->at++;
    if (!digits(c, 2, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *shift_ms = (sign == '-' ? -1 : 1) * (hours * TIME_HOUR_MS + minutes * TIME_MINUTE_MS);
    return true;
}

static bool two_digit_year(struct cursor *c, int32_t *out)
{
    if (!digits(c, 2, 2, out))
        return false;
    *out += *out < 69 ? 2000 : 1900;
    return true;
}

/* One of the letters behind %. `least` is how many digits must stand there. */
static bool part_read(struct cursor *c, char letter, int least, struct time_parts *p,
                      int64_t *shift_ms)
{
    switch (letter) {
    case 'Y':
        return digits(c, 4, 4, &p->year);
    case 'y':
        return two_digit_year(c, &p->year);
    case 'm':
        return digits(c, least, 2, &p->month);
    case 'd':
        return digits(c, least, 2, &p->day);
    case 'H':
        return digits(c, least, 2, &p->hour);
    case 'M':
        return digits(c, least, 2, &p->minute);
    case 'S':
        return digits(c, least, 2, &p->second);
    case 'b':
        return month_name(c, &p->month);
    case 'z':
        return zone(c, shift_ms);
    default:
        return false;
    }
}

/* A number may be short where something follows that is no number. */
static int digits_least(struct str format, size_t next)
{
    bool packed = next < format.len && format.ptr[next] == '%' && next + 1 < format.len &&
                  strchr("YymdHMS", format.ptr[next + 1]) != NULL;
    return packed ? 2 : 1;
}

static bool pattern_read(struct str format, struct cursor *c, struct time_parts *p,
                         int64_t *shift_ms)
{
    bool packed = false; /* %Y%m%d: every number has its full length */
    for (size_t i = 0; i < format.len; i++) {
        char letter = format.ptr[i];
        if (letter != '%' || format.ptr[i + 1] == '%') {
            if (c->at == c->text.len || c->text.ptr[c->at++] != letter)
                return false;
            i += letter == '%';
            packed = false;
            continue;
        }
        letter = format.ptr[++i];
        int least = packed ? 2 : digits_least(format, i + 1);
        packed = true;
        if (!part_read(c, letter, least, p, shift_ms))
            return false;
    }
    return c->at == c->text.len;
}

bool date_format_is(struct str format)
{
    bool has_year = false;
    if (str_eq(format, STR("iso")) || str_eq(format, STR("epoch")) ||
        str_eq(format, STR("epoch_ms")))
        return true;
    for (size_t i = 0; i < format.len; i++) {
        if (format.ptr[i] != '%')
            continue;
        i++;
        if (i == format.len || format.ptr[i] == '\0' || strchr("YymdHMSbz%", format.ptr[i]) == NULL)
            return false;
        has_year = has_year || format.ptr[i] == 'Y' || format.ptr[i] == 'y';
    }
    return has_year;
}

static enum err epoch_read(struct str text, int64_t unit_ms, int64_t *out_ms)
{
    int64_t whole;
    double  real;
    if (str_to_int(text, &whole) == OK) {
        if (__builtin_mul_overflow(whole, unit_ms, &whole) || whole < TIME_MIN_MS ||
            whole > TIME_MAX_MS)
            return ERR_INPUT;
        *out_ms = whole;
        return OK;
    }
    TRY(str_to_real(text, &real));
    real *= (double)unit_ms;
    if (!(real >= (double)TIME_MIN_MS && real <= (double)TIME_MAX_MS))
        return ERR_INPUT;
    *out_ms = (int64_t)(real < 0 ? real - 0.5 : real + 0.5);
    return OK;
}

/* 31 February is joined to a day in March: then the parts do not come back. */
static bool is_real_day(const struct time_parts *p)
{
    if (p->year < 1 || p->month < 1 || p->month > 12 || p->day < 1 || p->day > 31 || p->hour > 23 ||
        p->minute > 59 || p->second > 59)
        return false;
    struct time_parts back = time_split(time_join(p));
    return back.month == p->month && back.day == p->day;
}

enum err date_format_read(struct str format, struct str text, int64_t *out_ms)
{
    struct cursor     cursor = { .text = str_trim(text) };
    struct time_parts parts = { .month = 1, .day = 1 };
    int64_t           shift_ms = 0;
    if (str_eq(format, STR("iso")))
        return time_parse(cursor.text, out_ms);
    if (str_eq(format, STR("epoch")))
        return epoch_read(cursor.text, TIME_SECOND_MS, out_ms);
    if (str_eq(format, STR("epoch_ms")))
        return epoch_read(cursor.text, 1, out_ms);
    if (!pattern_read(format, &cursor, &parts, &shift_ms) || !is_real_day(&parts))
        return ERR_INPUT;
    int64_t at_ms = time_join(&parts) - shift_ms;
    if (at_ms < TIME_MIN_MS || at_ms > TIME_MAX_MS)
        return ERR_INPUT;
    *out_ms = at_ms;
    return OK;
}
