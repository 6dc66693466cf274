/* Which instants a window means at one moment, for one person. */
#include "engine/segment/segment_scan.h"

static int64_t day_number(const struct segment_window *w, bool from)
{
    int64_t ms = from ? w->from_ms : w->to_ms;
    return ms / TIME_DAY_MS - (ms % TIME_DAY_MS < 0);
}

/* ---- the calendar ---- */

/* The first day of the month that is `ahead` months after (before) that of the day. */
static int64_t month_begin(int64_t day, int64_t ahead)
{
    struct time_parts parts = time_split(day * TIME_DAY_MS);
    int64_t           months = parts.year * INT64_C(12) + parts.month - 1 + ahead;
    parts = (struct time_parts){ .year = (int32_t)(months / 12),
                                 .month = (int32_t)(months % 12) + 1,
                                 .day = 1 };
    return time_join(&parts) / TIME_DAY_MS;
}

/* The first day of the unit `ahead` of that which holds the day; below 0 behind it. */
static int64_t unit_begin(enum segment_unit unit, int64_t day, int64_t ahead)
{
    switch (unit) {
    case SEGMENT_DAYS:
        return day + ahead;
    case SEGMENT_WEEKS:
        return day - ((day + 3) % 7 + 7) % 7 + 7 * ahead; /* day 0 was a Thursday */
    case SEGMENT_MONTHS:
        return month_begin(day, ahead);
    case SEGMENT_YEARS:
        break;
    }
    return month_begin(day, 12 * ahead - (time_split(day * TIME_DAY_MS).month - 1));
}

static int64_t unit_begin_ms(const struct segment_window *w, const struct facts *facts,
                             int64_t ahead)
{
    int64_t today = zone_day_of(facts->zone, facts->now_ms);
    return zone_day_start_ms(facts->zone, unit_begin(w->unit, today, ahead));
}

int64_t segment_window_turn_ms(const struct segment_window *w, const struct facts *facts)
{
    if (w->kind != SEGMENT_CALENDAR)
        return TIME_NEVER;
    /* A day that the zone left out is empty: it ends as it begins. */
    int64_t ahead = 1, turn_ms;
    while ((turn_ms = unit_begin_ms(w, facts, ahead)) <= facts->now_ms)
        ahead++;
    return turn_ms;
}

/* ---- what lies between two instants ---- */

static int64_t first_of(const struct segment_window *w, const struct facts *facts)
{
    switch (w->kind) {
    case SEGMENT_SINCE_ENTRY:
        return facts->entry_ms;
    case SEGMENT_CALENDAR:
        return unit_begin_ms(w, facts, -(int64_t)w->back);
    case SEGMENT_BEFORE:
        return INT64_MIN;
    default:
        return w->from_is_day ? zone_day_start_ms(facts->zone, day_number(w, true)) : w->from_ms;
    }
}

static int64_t last_of(const struct segment_window *w, const struct facts *facts)
{
    switch (w->kind) {
    case SEGMENT_CALENDAR:
        return unit_begin_ms(w, facts, 1 - (int64_t)w->back) - 1;
    case SEGMENT_BEFORE:
        return (w->to_is_day ? zone_day_start_ms(facts->zone, day_number(w, false)) : w->to_ms) - 1;
    case SEGMENT_BETWEEN:
        return w->to_is_day ? zone_day_start_ms(facts->zone, day_number(w, false) + 1) - 1
                            : w->to_ms;
    default:
        return INT64_MAX;
    }
}

struct segment_reach segment_reach_of(const struct segment_window *w, const struct facts *facts)
{
    int64_t              now = facts->now_ms, from, to;
    struct segment_reach r = { .now = { INT64_MIN, now },
                               .pending = { now + 1, INT64_MAX },
                               .leave_ms = TIME_NEVER };
    switch (w->kind) {
    case SEGMENT_EVER:
        return r;
    case SEGMENT_LAST:
        r.now.from_ms = now - w->length_ms + 1;
        r.leave_ms = w->length_ms;
        return r;
    case SEGMENT_NOT_LAST:
        r.now.to_ms = now - w->length_ms;
        r.pending.from_ms = r.now.to_ms + 1;
        r.enter_ms = w->length_ms;
        return r;
    case SEGMENT_SINCE:
    case SEGMENT_SINCE_ENTRY:
    case SEGMENT_BEFORE:
    case SEGMENT_BETWEEN:
    case SEGMENT_CALENDAR:
        break;
    }
    from = first_of(w, facts);
    to = last_of(w, facts);
    r.now = (struct segment_span){ from, earlier_ms(to, now) };
    r.pending = (struct segment_span){ later_ms(from, now + 1), to };
    return r;
}
