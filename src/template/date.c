#include "template/date.h"

#include <stdio.h>
#include <string.h>

static const char *const MONTHS[] = { "January",   "February", "March",    "April",
                                      "May",       "June",     "July",     "August",
                                      "September", "October",  "November", "December" };
static const char *const DAYS[] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
                                    "Thursday", "Friday", "Saturday" };

/* Wider than any date; a bound on what a format can ask for. */
enum { WIDTH_MAX = 64, PIECE_BYTES = 96, FORMAT_DEPTH_MAX = 2 };

struct directive {
    char code;
    int  width; /* -1: as usual */
    char pad;   /* '0', ' ', '-' for none, '\0' for as usual */
    bool upper, swap;
    int  colons;
};

struct moment {
    struct time_parts  parts;
    const struct date *date;
    int                weekday;     /* 0 Sunday */
    int                day_of_year; /* 1.. */
};

static int day_of_year(const struct time_parts *parts)
{
    struct time_parts first = { .year = parts->year, .month = 1, .day = 1 }, day = *parts;
    day.hour = day.minute = day.second = day.millisecond = 0;
    return (int)((time_join(&day) - time_join(&first)) / TIME_DAY_MS) + 1;
}

static void number(struct buf *out, const struct directive *d, int64_t value, int width, char pad)
{
    char digits[24];
    if (d->pad != '\0')
        pad = d->pad;
    if (d->width >= 0)
        width = d->width;
    int len = snprintf(digits, sizeof digits, "%lld", (long long)(value < 0 ? -value : value));
    if (value < 0 && pad != ' ')
        buf_char(out, '-');
    for (int i = len + (value < 0); pad != '-' && i < width; i++)
        buf_char(out, pad);
    if (value < 0 && pad == ' ')
        buf_char(out, '-');
    buf_str(out, (struct str){ digits, (size_t)len });
}

static char cased(const struct directive *d, char c, bool all_upper)
{
    bool lower = c >= 'a' && c <= 'z', upper = c >= 'A' && c <= 'Z';
    if ((d->upper || (d->swap && !all_upper)) && lower)
        return (char)(c - 32);
    return d->swap && all_upper && upper ? (char)(c + 32) : c;
}

static void text(struct buf *out, const struct directive *d, struct str value, bool all_upper)
{
    for (int i = (int)value.len; d->pad != '-' && i < d->width; i++)
        buf_char(out, d->pad == '0' ? '0' : ' ');
    for (size_t i = 0; i < value.len; i++)
        buf_char(out, cased(d, value.ptr[i], all_upper));
}

/* Year and week by ISO 8601: week 1 has the year's first Thursday. */
static void iso_week(const struct moment *m, int *year, int *week)
{
    int monday_based = (m->weekday + 6) % 7;
    int thursday = m->day_of_year - monday_based + 3;
    *year = m->parts.year;
    if (thursday < 1) {
        struct time_parts last = { .year = --*year, .month = 12, .day = 31 };
        thursday += day_of_year(&last);
    } else {
        struct time_parts last = { .year = *year, .month = 12, .day = 31 };
        int               days = day_of_year(&last);
        if (thursday > days) {
            thursday -= days;
            ++*year;
        }
    }
    *week = (thursday - 1) / 7 + 1;
}

static void offset(struct buf *out, const struct directive *d, int32_t seconds)
{
    int  sign = seconds < 0 ? -1 : 1, left = seconds * sign;
    char value[24];
    if (d->colons == 0)
        snprintf(value, sizeof value, "%c%02d%02d", sign < 0 ? '-' : '+', left / 3600,
                 left / 60 % 60);
    else if (d->colons == 1)
        snprintf(value, sizeof value, "%c%02d:%02d", sign < 0 ? '-' : '+', left / 3600,
                 left / 60 % 60);
    else
        snprintf(value, sizeof value, "%c%02d:%02d:%02d", sign < 0 ? '-' : '+', left / 3600,
                 left / 60 % 60, left % 60);
    buf_str(out, str_of(value));
}

/* %L and %N: the first `width` digits of the fraction. */
static void fraction(struct buf *out, const struct directive *d, int millisecond, int width)
{
    if (d->width > 0)
        width = d->width;
    char digits[4];
    snprintf(digits, sizeof digits, "%03d", millisecond);
    for (int i = 0; i < width; i++)
        buf_char(out, i < 3 ? digits[i] : '0');
}

static void format_write(struct buf *out, const struct moment *m, struct str format, int depth);

static bool name_write(struct buf *out, const struct moment *m, const struct directive *d)
{
    struct str day = str_of(DAYS[m->weekday]), month = str_of(MONTHS[m->parts.month - 1]);
    switch (d->code) {
    case 'A':
        text(out, d, day, false);
        return true;
    case 'a':
        text(out, d, str_slice(day, 0, 3), false);
        return true;
    case 'B':
        text(out, d, month, false);
        return true;
    case 'b':
    case 'h':
        text(out, d, str_slice(month, 0, 3), false);
        return true;
    case 'p':
        text(out, d, m->parts.hour < 12 ? STR("AM") : STR("PM"), true);
        return true;
    case 'P':
        text(out, d, m->parts.hour < 12 ? STR("am") : STR("pm"), false);
        return true;
    case 'Z':
        text(out, d, m->date->zone, true);
        return true;
    case 'n':
        text(out, d, STR("\n"), false);
        return true;
    case 't':
        text(out, d, STR("\t"), false);
        return true;
    case '%':
        text(out, d, STR("%"), false);
        return true;
    default:
        return false;
    }
}

static bool date_number_write(struct buf *out, const struct moment *m, const struct directive *d)
{
    int iso_year, week;
    iso_week(m, &iso_year, &week);
    switch (d->code) {
    case 'Y':
        number(out, d, m->parts.year, 4, '0');
        return true;
    case 'C':
        number(out, d, m->parts.year / 100, 2, '0');
        return true;
    case 'y':
        number(out, d, m->parts.year % 100, 2, '0');
        return true;
    case 'm':
        number(out, d, m->parts.month, 2, '0');
        return true;
    case 'd':
        number(out, d, m->parts.day, 2, '0');
        return true;
    case 'e':
        number(out, d, m->parts.day, 2, ' ');
        return true;
    case 'j':
        number(out, d, m->day_of_year, 3, '0');
        return true;
    case 'u':
        number(out, d, m->weekday == 0 ? 7 : m->weekday, 1, '0');
        return true;
    case 'w':
        number(out, d, m->weekday, 1, '0');
        return true;
    case 'G':
        number(out, d, iso_year, 4, '0');
        return true;
    case 'g':
        number(out, d, iso_year % 100, 2, '0');
        return true;
    case 'V':
        number(out, d, week, 2, '0');
        return true;
    case 'U':
        number(out, d, (m->day_of_year + 6 - m->weekday) / 7, 2, '0');
        return true;
    case 'W':
        number(out, d, (m->day_of_year + 6 - (m->weekday + 6) % 7) / 7, 2, '0');
        return true;
    default:
        return false;
    }
}

static bool clock_write(struct buf *out, const struct moment *m, const struct directive *d)
{
    int twelve = m->parts.hour % 12 == 0 ? 12 : m->parts.hour % 12;
    switch (d->code) {
    case 'H':
        number(out, d, m->parts.hour, 2, '0');
        return true;
    case 'k':
        number(out, d, m->parts.hour, 2, ' ');
        return true;
    case 'I':
        number(out, d, twelve, 2, '0');
        return true;
    case 'l':
        number(out, d, twelve, 2, ' ');
        return true;
    case 'M':
        number(out, d, m->parts.minute, 2, '0');
        return true;
    case 'S':
        number(out, d, m->parts.second, 2, '0');
        return true;
    case 'L':
        fraction(out, d, m->parts.millisecond, 3);
        return true;
    case 'N':
        fraction(out, d, m->parts.millisecond, 9);
        return true;
    case 'z':
        offset(out, d, m->date->offset_s);
        return true;
    case 's': {
        int64_t at = m->date->at_ms;
        number(out, d, at / 1000 - (at % 1000 < 0), 1, '0');
        return true;
    }
    default:
        return false;
    }
}

static bool compound_write(struct buf *out, const struct moment *m, const struct directive *d,
                           int depth)
{
    static const struct {
        char        code;
        const char *format;
    } compounds[] = { { 'c', "%a %b %e %H:%M:%S %Y" },
                      { 'D', "%m/%d/%y" },
                      { 'F', "%Y-%m-%d" },
                      { 'v', "%e-%^b-%Y" },
                      { 'x', "%m/%d/%y" },
                      { 'X', "%H:%M:%S" },
                      { 'r', "%I:%M:%S %p" },
                      { 'R', "%H:%M" },
                      { 'T', "%H:%M:%S" },
                      { '+', "%a %b %e %H:%M:%S %Z %Y" } };
    for (size_t i = 0; i < sizeof compounds / sizeof compounds[0]; i++) {
        if (compounds[i].code != d->code || depth >= FORMAT_DEPTH_MAX)
            continue;
        struct buf piece = buf_make(PIECE_BYTES);
        format_write(&piece, m, str_of(compounds[i].format), depth + 1);
        text(out, d, buf_view(&piece), false);
        buf_done(&piece);
        return true;
    }
    return false;
}

/* Flags, width and code after a '%'; gives how many bytes they take, 0 if it is none. */
static size_t directive_read(struct str rest, struct directive *d)
{
    size_t n = 0;
    *d = (struct directive){ .width = -1 };
    for (; n < rest.len; n++) {
        char c = rest.ptr[n];
        if (c == '-' || c == '0')
            d->pad = c;
        else if (c == '_')
            d->pad = ' ';
        else if (c == '^')
            d->upper = true;
        else if (c == '#')
            d->swap = true;
        else if (c == ':')
            d->colons++;
        else
            break;
    }
    for (; n < rest.len && rest.ptr[n] >= '0' && rest.ptr[n] <= '9'; n++) {
        d->width = (d->width < 0 ? 0 : d->width) * 10 + (rest.ptr[n] - '0');
        if (d->width > WIDTH_MAX)
            d->width = WIDTH_MAX;
    }
    if (n >= rest.len)
        return 0;
    d->code = rest.ptr[n];
    return n + 1;
}

static void format_write(struct buf *out, const struct moment *m, struct str format, int depth)
{
    for (size_t i = 0; i < format.len;) {
        size_t at = str_find_char(format, i, '%');
        buf_str(out, str_slice(format, i, at));
        if (at >= format.len)
            return;
        struct directive d;
        size_t           n = directive_read(str_slice(format, at + 1, format.len), &d);
        bool known = n > 0 && (name_write(out, m, &d) || date_number_write(out, m, &d) ||
                               clock_write(out, m, &d) || compound_write(out, m, &d, depth));
        if (!known)
            buf_str(out, str_slice(format, at, at + 1 + n));
        i = at + 1 + n;
    }
}

void date_write(struct buf *out, const struct date *date, struct str format)
{
    int64_t local_ms = date->at_ms + (int64_t)date->offset_s * TIME_SECOND_MS;
    if (local_ms < TIME_MIN_MS || local_ms > TIME_MAX_MS)
        local_ms = date->at_ms;
    struct moment m = { .parts = time_split(local_ms), .date = date };
    m.weekday = m.parts.weekday % 7;
    m.day_of_year = day_of_year(&m.parts);
    format_write(out, &m, format, 0);
}
