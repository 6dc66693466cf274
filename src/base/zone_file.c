#include "base/zone_file.h"

#include <stdlib.h>
#include <string.h>

enum {
    HEAD_BYTES = 44,
    SHORT_TIME_BYTES = 4, /* of the first block, which is skipped */
    TIME_BYTES = 8,
    TYPE_BYTES = 6,
    HOURS_MAX = 167,
};

static int64_t big_endian(const char *at, int bytes)
{
    uint64_t value = (at[0] & 0x80) != 0 ? UINT64_MAX : 0;
    for (int i = 0; i < bytes; i++)
        value = value << 8 | (unsigned char)at[i];
    return (int64_t)value;
}

/* ---- the rule for later years ---- */

enum day_kind { MONTH_WEEK_DAY, DAY_WITHOUT_LEAP, DAY_OF_YEAR };

struct change_rule {
    enum day_kind kind;
    int64_t       month, week, day;
    int64_t       at_s; /* of that day, on the clocks before the change */
};

struct year_rule {
    int64_t            offset_s, summer_offset_s;
    bool               has_summer;
    struct change_rule start, end;
};

static bool skip(struct str *rest, char c)
{
    if (rest->len == 0 || rest->ptr[0] != c)
        return false;
    *rest = str_slice(*rest, 1, rest->len);
    return true;
}

static bool number(struct str *rest, int64_t most, int64_t *out)
{
    size_t n = 0;
    *out = 0;
    while (n < rest->len && n < 4 && rest->ptr[n] >= '0' && rest->ptr[n] <= '9')
        *out = *out * 10 + (rest->ptr[n++] - '0');
    *rest = str_slice(*rest, n, rest->len);
    return n > 0 && *out <= most;
}

/* [+-]hh[:mm[:ss]] in seconds */
static bool clock(struct str *rest, int64_t *out_s)
{
    int64_t hours, minutes = 0, seconds = 0;
    bool    below = skip(rest, '-');
    if (!below)
        (void)skip(rest, '+');
    if (!number(rest, HOURS_MAX, &hours))
        return false;
    if (skip(rest, ':') && !number(rest, 59, &minutes))
        return false;
    if (skip(rest, ':') && !number(rest, 59, &seconds))
        return false;
    *out_s = (hours * 60 + minutes) * 60 + seconds;
    if (below)
        *out_s = -*out_s;
    return true;
}

/* A name is letters, or anything in angle brackets; nobody needs it here. */
static bool skip_name(struct str *rest)
{
    size_t n = 0;
    if (skip(rest, '<')) {
        n = str_find_char(*rest, 0, '>');
        if (n == rest->len)
            return false;
        *rest = str_slice(*rest, n + 1, rest->len);
        return true;
    }
    while (n < rest->len && ((rest->ptr[n] | 0x20) >= 'a' && (rest->ptr[n] | 0x20) <= 'z'))
        n++;
    *rest = str_slice(*rest, n, rest->len);
    return n > 0;
}

static bool read_change(struct str *rest, struct change_rule *out)
{
    *out = (struct change_rule){ .kind = DAY_OF_YEAR, .at_s = 2 * 3600 };
    if (!skip(rest, ','))
        return false;
    if (skip(rest, 'M')) {
        out->kind = MONTH_WEEK_DAY;
        if (!number(rest, 12, &out->month) || out->month < 1 || !skip(rest, '.') ||
            !number(rest, 5, &out->week) || out->week < 1 || !skip(rest, '.') ||
            !number(rest, 6, &out->day))
            return false;
    } else {
        out->kind = skip(rest, 'J') ? DAY_WITHOUT_LEAP : DAY_OF_YEAR;
        if (!number(rest, 365, &out->day) || (out->kind == DAY_WITHOUT_LEAP && out->day < 1))
            return false;
    }
    return !skip(rest, '/') || clock(rest, &out->at_s);
}

/* POSIX counts offsets west of Greenwich; we count east. */
static bool read_rule(struct str rest, struct year_rule *out)
{
    int64_t west_s;
    *out = (struct year_rule){ .has_summer = false };
    if (!skip_name(&rest) || !clock(&rest, &west_s))
        return false;
    out->offset_s = -west_s;
    if (rest.len == 0)
        return true;
    out->has_summer = true;
    out->summer_offset_s = out->offset_s + 3600;
    if (!skip_name(&rest))
        return false;
    if (rest.len > 0 && rest.ptr[0] != ',') {
        if (!clock(&rest, &west_s))
            return false;
        out->summer_offset_s = -west_s;
    }
    return read_change(&rest, &out->start) && read_change(&rest, &out->end) && rest.len == 0;
}

static int64_t day_number(int32_t year, int32_t month, int32_t day)
{
    struct time_parts parts = { .year = year, .month = month, .day = day };
    return time_join(&parts) / TIME_DAY_MS;
}

static bool is_leap(int32_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t change_day(const struct change_rule *rule, int32_t year)
{
    int64_t first = day_number(year, 1, 1);
    if (rule->kind == DAY_OF_YEAR)
        return first + rule->day;
    if (rule->kind == DAY_WITHOUT_LEAP)
        return first + rule->day - 1 + (is_leap(year) && rule->day >= 60);
    int32_t month = (int32_t)rule->month;
    first = day_number(year, month, 1);
    int64_t end = month == 12 ? day_number(year + 1, 1, 1) : day_number(year, month + 1, 1);
    int64_t weekday = ((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday; 0 is Sunday */
    int64_t day = first + (rule->day - weekday + 7) % 7 + (rule->week - 1) * 7;
    while (day >= end)
        day -= 7;
    return day;
}

/* When the clocks that are `offset_s` from UTC are set. */
static int64_t change_s(const struct change_rule *rule, int32_t year, int64_t offset_s)
{
    return change_day(rule, year) * (TIME_DAY_MS / TIME_SECOND_MS) + rule->at_s - offset_s;
}

/* ---- the whole zone ---- */

struct shifts {
    struct zone_shift *items;
    uint32_t           count;
    int32_t            offset_s; /* before the first that is kept */
};

static enum err add_shift(struct shifts *shifts, int64_t at_s, int64_t offset_s)
{
    int32_t now_s =
        shifts->count == 0 ? shifts->offset_s : shifts->items[shifts->count - 1].offset_s;
    if (offset_s < -ZONE_OFFSET_S_MAX || offset_s > ZONE_OFFSET_S_MAX)
        return ERR_INPUT;
    if (at_s >= ZONE_TO_S || offset_s == now_s)
        return OK;
    if (at_s <= ZONE_FROM_S) {
        shifts->offset_s = (int32_t)offset_s;
        return OK;
    }
    if (shifts->count > 0 && shifts->items[shifts->count - 1].at_s >= at_s)
        return ERR_INPUT;
    if (shifts->count == ZONE_SHIFTS_MAX)
        return ERR_LIMIT;
    shifts->items[shifts->count++] = (struct zone_shift){ at_s, (int32_t)offset_s };
    return OK;
}

static enum err add_year(struct shifts *shifts, const struct year_rule *rule, int32_t year,
                         int64_t after_s)
{
    struct zone_shift summer = { change_s(&rule->start, year, rule->offset_s),
                                 (int32_t)rule->summer_offset_s };
    struct zone_shift winter = { change_s(&rule->end, year, rule->summer_offset_s),
                                 (int32_t)rule->offset_s };
    bool              south = winter.at_s < summer.at_s;
    struct zone_shift both[] = { south ? winter : summer, south ? summer : winter };
    for (int i = 0; i < 2; i++)
        if (both[i].at_s > after_s)
            TRY(add_shift(shifts, both[i].at_s, both[i].offset_s));
    return OK;
}

static enum err add_rule(struct shifts *shifts, struct str text, int64_t after_s)
{
    struct year_rule rule;
    if (text.len == 0)
        return OK;
    if (!read_rule(text, &rule))
        return ERR_INPUT;
    if (!rule.has_summer)
        return after_s > ZONE_FROM_S ? OK : add_shift(shifts, ZONE_FROM_S, rule.offset_s);
    int32_t year = after_s > ZONE_FROM_S ? time_split(after_s * TIME_SECOND_MS).year : 1900;
    for (; year <= 2100; year++)
        TRY(add_year(shifts, &rule, year, after_s));
    return OK;
}

struct head {
    size_t isut, isstd, leaps, times, types, chars;
};

static bool read_head(struct str bytes, struct head *out)
{
    size_t counts[6];
    if (bytes.len < HEAD_BYTES || !str_starts(bytes, STR("TZif")) || bytes.ptr[4] < '2')
        return false;
    for (int i = 0; i < 6; i++) {
        int64_t count = big_endian(bytes.ptr + 20 + 4 * i, 4);
        if (count < 0 || count > 100000)
            return false;
        counts[i] = (size_t)count;
    }
    *out = (struct head){ counts[0], counts[1], counts[2], counts[3], counts[4], counts[5] };
    return true;
}

static size_t block_bytes(const struct head *h, size_t time_bytes)
{
    return h->times * (time_bytes + 1) + h->types * TYPE_BYTES + h->chars +
           h->leaps * (time_bytes + 4) + h->isstd + h->isut;
}

static enum err add_listed(struct shifts *shifts, const struct head *head, const char *block,
                           int64_t *last_s)
{
    const char *types = block + head->times * (TIME_BYTES + 1);
    *last_s = INT64_MIN;
    shifts->offset_s = (int32_t)big_endian(types, 4);
    for (size_t i = 0; i < head->times; i++) {
        unsigned char type = (unsigned char)block[head->times * TIME_BYTES + i];
        int64_t       at_s = big_endian(block + i * TIME_BYTES, TIME_BYTES);
        if (type >= head->types || at_s <= *last_s)
            return ERR_INPUT;
        *last_s = at_s;
        TRY(add_shift(shifts, at_s, big_endian(types + type * TYPE_BYTES, 4)));
    }
    return OK;
}

enum err zone_file_read(struct arena *arena, struct str name, struct str bytes, struct zone *out)
{
    struct head   head;
    struct shifts shifts = { .items = ARENA_ARRAY(arena, ZONE_SHIFTS_MAX, struct zone_shift) };
    int64_t       last_s;

    if (shifts.items == NULL)
        return ERR_MEMORY;
    if (!read_head(bytes, &head))
        return ERR_INPUT;
    bytes = str_slice(bytes, HEAD_BYTES + block_bytes(&head, SHORT_TIME_BYTES), bytes.len);
    if (!read_head(bytes, &head) || head.types == 0)
        return ERR_INPUT;
    bytes = str_slice(bytes, HEAD_BYTES, bytes.len);
    size_t block = block_bytes(&head, TIME_BYTES);
    if (bytes.len < block + 2 || bytes.ptr[block] != '\n' || bytes.ptr[bytes.len - 1] != '\n')
        return ERR_INPUT;
    TRY(add_listed(&shifts, &head, bytes.ptr, &last_s));
    TRY(add_rule(&shifts, str_slice(bytes, block + 1, bytes.len - 1), last_s));
    *out = (struct zone){ name, shifts.items, shifts.count, shifts.offset_s };
    return OK;
}
