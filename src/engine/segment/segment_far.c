/* How far back a condition looks: what retention takes away may turn only those that see it. */
#include "engine/behaviour/retention.h"
#include "engine/segment/segment_program.h"

enum {
    SLACK_DAYS = 2, /* of zones: a day somewhere begins at most so much before a day in UTC */
    WEEK_DAYS = 7,
    MONTH_DAYS_MAX = 31,
    YEAR_DAYS_MAX = 366,
};

static int64_t unit_days(enum segment_unit unit)
{
    switch (unit) {
    case SEGMENT_DAYS:
        return 1;
    case SEGMENT_WEEKS:
        return WEEK_DAYS;
    case SEGMENT_MONTHS:
        return MONTH_DAYS_MAX;
    case SEGMENT_YEARS:
        break;
    }
    return YEAR_DAYS_MAX;
}

/* No instant of the window lies before this one, whoever's zone it is. */
static int64_t window_from_ms(const struct segment_window *w, int64_t now_ms)
{
    switch (w->kind) {
    case SEGMENT_LAST:
        return now_ms - w->length_ms + 1;
    case SEGMENT_SINCE:
    case SEGMENT_BETWEEN:
        return w->from_ms - (w->from_is_day ? SLACK_DAYS * TIME_DAY_MS : 0);
    case SEGMENT_CALENDAR:
        return now_ms - ((int64_t)(w->back + 1) * unit_days(w->unit) + SLACK_DAYS) * TIME_DAY_MS;
    case SEGMENT_EVER:
    case SEGMENT_NOT_LAST:
    case SEGMENT_BEFORE:
    case SEGMENT_SINCE_ENTRY:
        break;
    }
    return TIME_MIN_MS;
}

/* The latest instant before which the event, or any, is kept no longer. */
static int64_t kept_from_ms(const struct retention *retention, uint16_t event)
{
    int64_t latest_ms = retention->rest_ms;
    if (event != SEGMENT_ANY_EVENT)
        return retention_before_ms(retention, event);
    for (uint32_t n = 0; n < retention->names; n++)
        if (retention->before_ms[n] > latest_ms)
            latest_ms = retention->before_ms[n];
    return latest_ms;
}

static bool op_sees(const struct segment_op *op, const struct retention *retention, int64_t now_ms)
{
    int64_t from_ms = window_from_ms(&op->match.window, now_ms);
    switch (op->kind) {
    case SEGMENT_FIRST_DID: /* of all there ever were, the first is looked for */
    case SEGMENT_LAST_DID:
        from_ms = TIME_MIN_MS;
        break;
    case SEGMENT_DID:
    case SEGMENT_AGGREGATE:
    case SEGMENT_THEN:
    case SEGMENT_THEN_NOT:
    case SEGMENT_FUNNEL:
        break;
    case SEGMENT_BEEN: /* of a computed trait: what it was all the while */
        return op->computed != 0;
    default:
        return false;
    }
    bool sees = op->kind != SEGMENT_FUNNEL && kept_from_ms(retention, op->match.event) > from_ms;
    if (op->kind == SEGMENT_THEN || op->kind == SEGMENT_THEN_NOT)
        sees = sees || kept_from_ms(retention, op->then.event) > from_ms;
    for (uint32_t i = 0; i < op->steps_count; i++)
        sees = sees || kept_from_ms(retention, op->steps[i].event) > from_ms;
    return sees;
}

bool segment_sees(const struct segment_program *program, const struct retention *retention,
                  int64_t now_ms)
{
    for (uint32_t i = 0; i < program->ops_count; i++)
        if (op_sees(&program->ops[i], retention, now_ms))
            return true;
    return false;
}
