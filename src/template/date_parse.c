#include "template/date.h"

#include <string.h>

#include "template/lexer.h"

enum { UNSET = INT32_MIN };

struct reading {
    struct str rest;
    int32_t    year, month, day, hour, minute, second, millisecond;
    int32_t    offset_s;
    struct str zone;
    bool       has_zone, has_weekday, afternoon, has_meridian;
};

static const char *const MONTHS[] = { "jan", "feb", "mar", "apr", "may", "jun",
                                      "jul", "aug", "sep", "oct", "nov", "dec" };
static const char *const DAYS[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

static const struct {
    const char *name;
    int32_t     hours;
} ZONES[] = { { "utc", 0 },  { "gmt", 0 },  { "z", 0 },    { "wet", 0 },  { "est", -5 },
              { "edt", -4 }, { "cst", -6 }, { "cdt", -5 }, { "mst", -7 }, { "mdt", -6 },
              { "pst", -8 }, { "pdt", -7 }, { "bst", 1 },  { "cet", 1 },  { "cest", 2 },
              { "eet", 2 },  { "eest", 3 }, { "msk", 3 },  { "jst", 9 } };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char peek(const struct reading *in, size_t at)
{
    return at < in->rest.len ? in->rest.ptr[at] : '\0';
}

static void skip(struct reading *in, size_t bytes)
{
    in->rest = str_slice(in->rest, bytes, in->rest.len);
}

/* Digits as a number (at most 9 of them); *length is how many there were. */
static int32_t digits(struct reading *in, size_t *length)
{
    int32_t value = 0;
    size_t  n = 0;
    for (; is_digit(peek(in, n)); n++)
        value = n < 9 ? value * 10 + (peek(in, n) - '0') : value;
    skip(in, n);
    *length = n;
    return value;
}

static bool fits(struct str word, const char *prefix)
{
    return word.len >= 3 && str_eq_nocase(str_slice(word, 0, 3), str_of(prefix));
}

static bool zone_set(struct reading *in, struct str word)
{
    for (size_t i = 0; i < sizeof ZONES / sizeof ZONES[0]; i++) {
        if (!str_eq_nocase(word, str_of(ZONES[i].name)))
            continue;
        in->zone = ZONES[i].hours == 0 ? STR("UTC") : STR_NONE;
        in->offset_s = ZONES[i].hours * 3600;
        in->has_zone = true;
        return true;
    }
    return false;
}

static bool word_read(struct reading *in)
{
    size_t n = 0;
    while (text_is_word(peek(in, n)) && !is_digit(peek(in, n)))
        n++;
    struct str word = str_slice(in->rest, 0, n);
    skip(in, n);
    for (int32_t i = 0; i < 12; i++) {
        if (fits(word, MONTHS[i])) {
            in->month = i + 1;
            return true;
        }
    }
    for (int i = 0; i < 7; i++) {
        if (fits(word, DAYS[i])) {
            in->has_weekday = true;
            return true;
        }
    }
    if (str_eq_nocase(word, STR("am")) || str_eq_nocase(word, STR("pm"))) {
        in->has_meridian = true;
        in->afternoon = word.ptr[0] == 'p' || word.ptr[0] == 'P';
        return in->hour != UNSET;
    }
    bool noise = str_eq_nocase(word, STR("t")) || str_eq_nocase(word, STR("st")) ||
                 str_eq_nocase(word, STR("nd")) || str_eq_nocase(word, STR("rd")) ||
                 str_eq_nocase(word, STR("th")) || str_eq_nocase(word, STR("of")) ||
                 str_eq_nocase(word, STR("at"));
    return noise || zone_set(in, word);
}

/* 15:04, 15:04:05, 15:04:05.678; the hour has been read. */
static bool clock_read(struct reading *in, int32_t hour)
{
    size_t n;
    in->hour = hour;
    in->second = 0;
    skip(in, 1);
    in->minute = digits(in, &n);
    if (n == 0 || n > 2)
        return false;
    if (peek(in, 0) == ':' && is_digit(peek(in, 1))) {
        skip(in, 1);
        in->second = digits(in, &n);
    }
    if ((peek(in, 0) == '.' || peek(in, 0) == ',') && is_digit(peek(in, 1))) {
        skip(in, 1);
        char fraction[3] = { '0', '0', '0' };
        for (n = 0; is_digit(peek(in, n)); n++)
            if (n < 3)
                fraction[n] = peek(in, n);
        in->millisecond = (fraction[0] - '0') * 100 + (fraction[1] - '0') * 10 + fraction[2] - '0';
        skip(in, n);
    }
    return true;
}

static bool offset_read(struct reading *in)
{
    int32_t sign = peek(in, 0) == '-' ? -1 : 1;
    size_t  n;
    skip(in, 1);
    int32_t value = digits(in, &n), minutes = 0;
    if (n == 0 || n == 3 || n > 4)
        return false;
    if (n == 4) {
        minutes = value % 100;
        value /= 100;
    } else if (peek(in, 0) == ':' && is_digit(peek(in, 1))) {
        skip(in, 1);
        minutes = digits(in, &n);
    }
    in->offset_s = sign * (value * 3600 + minutes * 60);
    in->zone = STR_NONE;
    in->has_zone = true;
    return value < 24 && minutes < 60;
}

/* 2016-03-14, 14/3/2016, 14.3.2016, 2016-03, 14-Mar-2016; the first number has been read. */
static bool numbers_read(struct reading *in, int32_t first, size_t first_len, char separator)
{
    size_t n = 0, m = 0;
    skip(in, 1);
    int32_t second = 0, third = UNSET;
    if (is_digit(peek(in, 0)))
        second = digits(in, &n);
    else if (!word_read(in) || (second = in->month) == UNSET)
        return false;
    if (peek(in, 0) == separator && is_digit(peek(in, 1))) {
        skip(in, 1);
        third = digits(in, &m);
    }
    if (separator == '.' && third == UNSET)
        return false;
    in->month = second;
    if (first_len > 2 || third == UNSET) {
        in->year = first_len > 2 ? first : in->year;
        in->day = first_len > 2 ? third : first;
        return true;
    }
    in->day = first;
    in->year = m > 2 ? third : third + (third < 69 ? 2000 : 1900);
    return true;
}

/* 20160314, 20160314T150405 */
static bool compact_read(struct reading *in, struct str run)
{
    int64_t value = 0;
    if (str_to_int(run, &value) != OK || (run.len != 8 && run.len != 14))
        return false;
    if (run.len == 14) {
        in->second = (int32_t)(value % 100);
        in->minute = (int32_t)(value / 100 % 100);
        in->hour = (int32_t)(value / 10000 % 100);
        value /= 1000000;
    }
    in->day = (int32_t)(value % 100);
    in->month = (int32_t)(value / 100 % 100);
    in->year = (int32_t)(value / 10000);
    return true;
}

static bool number_read(struct reading *in)
{
    const char *start = in->rest.ptr;
    size_t      n;
    int32_t     value = digits(in, &n);
    char        next = peek(in, 0);
    bool        more = is_digit(peek(in, 1)) || (next == '-' && text_is_word(peek(in, 1)));
    if (n == 6 && in->hour == UNSET && in->year != UNSET) { /* 150405 after a compact date */
        in->hour = value / 10000;
        in->minute = value / 100 % 100;
        in->second = value % 100;
        return true;
    }
    if (n > 4)
        return compact_read(in, (struct str){ start, n });
    if (next == ':' && n <= 2)
        return clock_read(in, value);
    if ((next == '-' || next == '/' || next == '.') && more && in->day == UNSET)
        return numbers_read(in, value, n, next);
    size_t space = 0;
    while (peek(in, space) == ' ')
        space++;
    if (n <= 2 && (peek(in, space) | 0x20) != 'm' && (peek(in, space + 1) | 0x20) == 'm' &&
        ((peek(in, space) | 0x20) == 'a' || (peek(in, space) | 0x20) == 'p') &&
        !text_is_word(peek(in, space + 2))) { /* 3pm */
        in->hour = value;
        in->minute = in->second = 0;
        return true;
    }
    if (n > 2 && in->year == UNSET)
        in->year = value;
    else if (n <= 2 && in->day == UNSET)
        in->day = value;
    else if (in->year == UNSET && n <= 2)
        in->year = value + (value < 69 ? 2000 : 1900);
    else
        return false;
    return true;
}

static bool read_all(struct reading *in)
{
    while (in->rest.len > 0) {
        char c = peek(in, 0);
        if (text_is_space(c) || c == ',' || c == '.' || c == '(' || c == ')')
            skip(in, 1);
        else if (is_digit(c)) {
            if (!number_read(in))
                return false;
        } else if ((c == '+' || c == '-') && in->hour != UNSET) {
            if (!offset_read(in))
                return false;
        } else if (!text_is_word(c) || !word_read(in)) {
            return false;
        }
    }
    return true;
}

static int32_t or_else(int32_t value, int32_t otherwise)
{
    return value == UNSET ? otherwise : value;
}

static bool days_valid(int32_t year, int32_t month, int32_t day)
{
    static const int8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool                leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1)
        return false;
    return day <= days[month - 1] + (month == 2 && leap);
}

/* Parts above the largest one given come from now, parts below the smallest are the first. */
static bool reading_join(const struct reading *in, int64_t now_ms, struct date *out)
{
    struct time_parts now = time_split(now_ms);
    struct time_parts parts = { .hour = or_else(in->hour, 0),
                                .minute = or_else(in->minute, 0),
                                .second = or_else(in->second, 0),
                                .millisecond = in->millisecond };
    bool              dated = in->year != UNSET || in->month != UNSET || in->day != UNSET;
    if (!dated && in->hour == UNSET)
        return false;
    parts.year = or_else(in->year, now.year);
    parts.month = or_else(in->month, in->year != UNSET ? 1 : now.month);
    parts.day = or_else(in->day, dated ? 1 : now.day);
    if (in->has_meridian) {
        if (parts.hour < 1 || parts.hour > 12)
            return false;
        parts.hour = parts.hour % 12 + (in->afternoon ? 12 : 0);
    }
    if (!days_valid(parts.year, parts.month, parts.day) || parts.hour > 24 || parts.minute > 59 ||
        parts.second > 60)
        return false;
    out->at_ms = time_join(&parts) - (int64_t)in->offset_s * TIME_SECOND_MS;
    out->offset_s = in->offset_s;
    out->zone = in->has_zone ? in->zone : STR("UTC");
    out->is_instant = in->has_zone;
    return true;
}

bool date_parse(struct str text, int64_t now_ms, struct date *out)
{
    struct str trimmed = text_trim_right(text_trim_left(text));
    int64_t    seconds;
    *out = (struct date){ .at_ms = now_ms, .zone = STR("UTC"), .is_instant = true };
    if (trimmed.len == 0 || trimmed.len > 128)
        return false;
    if (str_eq_nocase(trimmed, STR("now")) || str_eq_nocase(trimmed, STR("today")))
        return true;
    bool all_digits = true;
    for (size_t i = 0; i < trimmed.len; i++)
        all_digits = all_digits && is_digit(trimmed.ptr[i]);
    if (all_digits) {
        if (str_to_int(trimmed, &seconds) != OK || seconds > TIME_MAX_MS / TIME_SECOND_MS)
            return false;
        out->at_ms = seconds * TIME_SECOND_MS;
        return true;
    }
    struct reading in = { .rest = trimmed,
                          .year = UNSET,
                          .month = UNSET,
                          .day = UNSET,
                          .hour = UNSET,
                          .minute = UNSET,
                          .second = UNSET };
    return read_all(&in) && reading_join(&in, now_ms, out) && out->at_ms >= TIME_MIN_MS &&
           out->at_ms <= TIME_MAX_MS;
}
