#include "run/api/report_words.h"

#include <stdio.h>
#include <string.h>

#include "base/zone.h"
#include "engine/segment/segment_said.h"

enum { DAY_TEXT_BYTES = 10, GROUPS_DEFAULT = 10, GROUPS_MOST = 100 };

/* ---- events ---- */

enum err words_event(struct ask *ask, const struct json *body, const struct json *value,
                     const char *field, uint32_t *number)
{
    struct call         *call = ask->call;
    struct ask_condition condition = { .where = field, .is_event = true };
    TRY(segment_said(call->arena, value, field, &condition.tree, &call->problem));
    TRY(segment_said_where(call->arena, json_get(body, STR("where")), &condition.tree,
                           &call->problem));
    return ask_condition(ask, condition, number);
}

/* ---- by, within ---- */

static enum err by_read(struct call *call, const struct json *by, struct words_by *out)
{
    struct str trait = json_get_str(by, STR("trait")), property = json_get_str(by, STR("property"));
    struct str text = by != NULL && by->kind == JSON_STRING ? by->string : STR_NONE;
    if (str_starts(text, STR("trait:")))
        trait = str_slice(text, 6, text.len);
    else if (str_starts(text, STR("property:")))
        property = str_slice(text, 9, text.len);
    else if (text.len > 0)
        property = text;
    if ((trait.len > 0) == (property.len > 0))
        return problem_set(&call->problem, ERR_INPUT, "by", "By what is this to be broken down?",
                           "Give {\"property\":\"category\"} of the event or {\"trait\":\"plan\"} "
                           "of the person.");
    out->of = trait.len > 0 ? GROUPS_OF_TRAIT : GROUPS_OF_PROPERTY;
    out->name = trait.len > 0 ? trait : property;
    return OK;
}

enum err words_by(struct ask *ask, const struct json *body, struct words_by *out)
{
    const struct json *by = json_get(body, STR("by"));
    int64_t            most = GROUPS_DEFAULT;
    *out = (struct words_by){ .of = GROUPS_OF_NOTHING };
    if (by == NULL || by->kind == JSON_NULL)
        return OK;
    (void)json_get_int(body, STR("groups"), &most);
    if (most < 1 || most > GROUPS_MOST)
        return problem_set(&ask->call->problem, ERR_INPUT, "groups",
                           "This is no number from 1 to 100.",
                           "The most frequent values are shown; the rest is \"other\".");
    out->most = (uint32_t)most;
    return by_read(ask->call, by, out);
}

enum err words_length(struct call *call, const struct json *body, const char *field,
                      int64_t absent_ms, int64_t *out_ms)
{
    struct str text = json_get_str(body, str_of(field));
    *out_ms = absent_ms;
    if (text.len == 0)
        return OK;
    if (time_length_parse(text, out_ms) == OK && *out_ms > 0)
        return OK;
    return problem_format(&call->problem, ERR_INPUT, field, "Write it as 7 days, 1 hour or 90m.",
                          "\"%.*s\" is no length of time.", STR_ARG(text));
}

/* ---- days of the calendar ---- */

static int64_t day_of(const struct ask *ask, int64_t at_ms)
{
    return zone_day_of(ask->zone, at_ms);
}

static int64_t day_start_ms(const struct ask *ask, int64_t day)
{
    return zone_day_start_ms(ask->zone, day);
}

/* The first day of the unit that `day` lies in, moved on by `units`. */
static int64_t unit_day(enum words_interval interval, int64_t day, int64_t units)
{
    if (interval == WORDS_DAY)
        return day + units;
    if (interval == WORDS_WEEK)
        return day - ((day + 3) % 7 + 7) % 7 + 7 * units; /* 1970 began on a Thursday */
    struct time_parts parts = time_split(day * TIME_DAY_MS);
    int64_t           months = (int64_t)parts.year * 12 + parts.month - 1 + units;
    struct time_parts first = { .year = (int32_t)(months / 12),
                                .month = (int32_t)(months % 12) + 1,
                                .day = 1 };
    return time_join(&first) / TIME_DAY_MS;
}

/* ---- from, to ---- */

static enum err edge_read(struct ask *ask, const char *field, int64_t absent_ms, int64_t *out_ms)
{
    struct str text = json_get_str(ask->body, str_of(field));
    bool       is_end = strcmp(field, "to") == 0;
    *out_ms = absent_ms;
    if (text.len == 0)
        return OK;
    if (time_parse(text, out_ms) != OK)
        return problem_format(&ask->call->problem, ERR_INPUT, field,
                              "Write it as 2026-01-31 or 2026-01-31T12:00:00Z.",
                              "\"%.*s\" is no date.", STR_ARG(text));
    if (text.len == DAY_TEXT_BYTES)
        *out_ms = day_start_ms(ask, *out_ms / TIME_DAY_MS + (is_end ? 1 : 0));
    return OK;
}

static enum err span_check(struct ask *ask, int64_t from_ms, int64_t to_ms)
{
    if (from_ms < to_ms)
        return OK;
    return problem_set(&ask->call->problem, ERR_INPUT, "from", "`from` is not before `to`.",
                       "Give a `from` that comes first; `to` ends at the report's instant unless "
                       "said.");
}

enum err words_span(struct ask *ask, int64_t absent_ms, int64_t *from_ms, int64_t *to_ms)
{
    TRY(edge_read(ask, "to", ask->report.at_ms + 1, to_ms));
    TRY(edge_read(ask, "from", *to_ms - absent_ms, from_ms));
    return span_check(ask, *from_ms, *to_ms);
}

static enum err interval_read(struct call *call, const struct json *body, enum words_interval *out)
{
    static const char *const words[] = { "day", "week", "month" };
    struct str               text = json_get_str(body, STR("interval"));
    *out = WORDS_WEEK;
    if (text.len == 0)
        return OK;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_eq(text, str_of(words[i]))) {
            *out = (enum words_interval)i;
            return OK;
        }
    return problem_format(&call->problem, ERR_INPUT, "interval", "Give day, week or month.",
                          "\"%.*s\" is no interval.", STR_ARG(text));
}

/* How many units [from_ms, to_ms) touches; more than there may be: one more than that. */
static uint32_t units_count(const struct ask *ask, const struct words_periods *out)
{
    int64_t  day = unit_day(out->interval, day_of(ask, out->from_ms), 0);
    uint32_t count = 0;
    while (count <= REPORT_PERIODS_MAX && day_start_ms(ask, day) < out->to_ms) {
        day = unit_day(out->interval, day, 1);
        count++;
    }
    return count;
}

enum err words_periods(struct ask *ask, struct words_periods *out)
{
    static const int64_t absent[] = { 30, 12, 12 };
    *out = (struct words_periods){ .interval = WORDS_WEEK };
    TRY(interval_read(ask->call, ask->body, &out->interval));
    TRY(edge_read(ask, "to", ask->report.at_ms + 1, &out->to_ms));
    int64_t first = unit_day(out->interval, day_of(ask, out->to_ms - 1), 1 - absent[out->interval]);
    TRY(edge_read(ask, "from", day_start_ms(ask, first), &out->from_ms));
    TRY(span_check(ask, out->from_ms, out->to_ms));
    uint32_t count = units_count(ask, out);
    if (count > REPORT_PERIODS_MAX)
        return problem_format(&ask->call->problem, ERR_LIMIT, "interval",
                              "Ask for a shorter time or a longer interval.",
                              "These are more than %d periods.", REPORT_PERIODS_MAX);
    int64_t *borders = ARENA_ARRAY(ask->call->arena, count + 1, int64_t);
    out->starts_ms = ARENA_ARRAY(ask->call->arena, count, int64_t);
    if (borders == NULL || out->starts_ms == NULL)
        return ERR_MEMORY;
    int64_t day = unit_day(out->interval, day_of(ask, out->from_ms), 0);
    for (uint32_t i = 0; i < count; i++, day = unit_day(out->interval, day, 1))
        borders[i] = out->starts_ms[i] = day_start_ms(ask, day);
    borders[0] = out->from_ms;
    borders[count] = out->to_ms;
    out->end_ms = day_start_ms(ask, day);
    out->periods = (struct report_periods){ borders, count };
    return OK;
}

/* ---- writing ---- */

void words_span_write(struct buf *out, bool *first, int64_t from_ms, int64_t to_ms)
{
    write_time(out, first, "from", from_ms);
    write_time(out, first, "to", to_ms);
}

void words_label(const struct ask *ask, const struct words_periods *periods, uint32_t i, char *out)
{
    time_write(day_of(ask, periods->starts_ms[i]) * TIME_DAY_MS, out);
    out[periods->interval == WORDS_MONTH ? 7 : DAY_TEXT_BYTES] = '\0';
}

void words_periods_write(const struct ask *ask, const struct words_periods *periods,
                         struct buf *out, bool *first)
{
    static const char *const words[] = { "day", "week", "month" };
    const int64_t           *borders = periods->periods.at_ms;
    uint32_t                 count = periods->periods.count;
    write_text(out, first, "interval", str_of(words[periods->interval]));
    json_write_key(out, first, "periods");
    for (uint32_t i = 0; i < count; i++) {
        char    label[TIME_TEXT_BYTES];
        bool    is_first = true;
        int64_t unit_end = i + 1 < count ? periods->starts_ms[i + 1] : periods->end_ms;
        words_label(ask, periods, i, label);
        buf_str(out, i == 0 ? STR("[{") : STR(",{"));
        write_text(out, &is_first, "label", str_of(label));
        words_span_write(out, &is_first, borders[i], borders[i + 1]);
        if (borders[i] != periods->starts_ms[i] || borders[i + 1] != unit_end ||
            borders[i + 1] > ask->report.at_ms + 1)
            buf_str(out, STR(",\"partial\":true"));
        buf_char(out, '}');
    }
    buf_char(out, ']');
}
