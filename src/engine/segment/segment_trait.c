/*
 * What is asked of a trait: how it compares, where its day lies, how long it has been so.
 *
 *      plan  ... free |  pro         | pro (told again) | pro        "has been pro for 14 days"
 *      ---------------+--------------+------------------+-----> now   needs all of [now - 14 d,
 * now] since
 */
#include "engine/segment/segment_date.h"
#include "engine/segment/segment_program.h"

enum { LEAP_YEAR_DAYS = 366, YEARS_AHEAD_MAX = 10 /* over a year without a leap day: 2100 */ };

static bool computed_at(const struct segment_asking *asking, const struct segment_op *value,
                        struct facts_trait *trait)
{
    int64_t               turn_ms = TIME_NEVER;
    struct segment_asking noting = { asking->ops, asking->facts, &turn_ms };
    bool known = segment_fold_value(&noting, value, &trait->value, &trait->until_ms);
    trait->until_ms = earlier_ms(trait->until_ms, turn_ms);
    return known;
}

/* What was told, or what a computed trait is at that instant. */
static struct facts_trait trait_at(const struct segment_asking *asking, const struct segment_op *op)
{
    const struct facts *facts = asking->facts;
    struct facts_trait  trait = { .value = { .kind = JSON_NULL }, .until_ms = TIME_NEVER };
    bool known = op->computed != 0 ? computed_at(asking, &asking->ops[op->computed], &trait)
                                   : facts->ops->trait(facts, op->key, &trait);
    if (!known)
        trait.value = (struct json){ .kind = JSON_NULL };
    return trait;
}

static struct verdict compare_at(const struct segment_asking *asking, const struct segment_op *op)
{
    struct facts_trait trait = trait_at(asking, op);
    struct verdict     v = segment_compare_value(asking->facts, &op->compare, &trait.value);
    v.until_ms = earlier_ms(v.until_ms, trait.until_ms);
    return v;
}

/* ---- the day of a trait, in days from today ---- */

static bool is_leap(int32_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* The day's anniversary in that year: February 29 falls on the 28th in other years. */
static int64_t day_in_year(const struct time_parts *date, int32_t year)
{
    struct time_parts parts = { .year = year, .month = date->month, .day = date->day };
    if (date->month == 2 && date->day == 29 && !is_leap(year))
        parts.day = 28;
    return time_join(&parts) / TIME_DAY_MS;
}

/* The first anniversary on `from` or later. The day itself is none: it was the beginning. */
static int64_t anniversary(int64_t day, int64_t from)
{
    struct time_parts date = time_split(day * TIME_DAY_MS);
    int32_t           year = time_split(from * TIME_DAY_MS).year;
    if (year <= date.year)
        year = date.year + 1;
    int64_t found = day_in_year(&date, year);
    return found >= from ? found : day_in_year(&date, year + 1);
}

static struct verdict until_day(const struct facts *facts, bool holds, int64_t day)
{
    return (struct verdict){ holds, zone_day_start_ms(facts->zone, day) };
}

static struct verdict once_verdict(const struct facts *facts, const struct segment_op *op,
                                   int64_t day, int64_t today)
{
    if (day - today > op->to_days)
        return until_day(facts, false, day - op->to_days);
    if (day - today >= op->from_days)
        return until_day(facts, true, day - op->from_days + 1);
    return (struct verdict){ false, TIME_NEVER };
}

static struct verdict yearly_verdict(const struct facts *facts, const struct segment_op *op,
                                     int64_t day, int64_t today)
{
    int64_t next = anniversary(day, today + op->from_days);
    if (next - today > op->to_days)
        return until_day(facts, false, next - op->to_days);
    /* The next one may come into reach before this one leaves it. */
    for (int i = 0; i < YEARS_AHEAD_MAX; i++) {
        int64_t left = next - op->from_days + 1, after = anniversary(day, next + 1);
        if (after - left > op->to_days)
            return until_day(facts, true, left);
        next = after;
    }
    return op->to_days - op->from_days >= LEAP_YEAR_DAYS - 1
               ? (struct verdict){ true, TIME_NEVER }
               : until_day(facts, true, next - op->from_days + 1);
}

static struct verdict day_verdict(const struct facts *facts, const struct segment_op *op,
                                  const struct json *value)
{
    int64_t day, today = zone_day_of(facts->zone, facts->now_ms);
    if (!segment_date_day(facts, value, &day))
        return (struct verdict){ false, TIME_NEVER };
    return op->yearly ? yearly_verdict(facts, op, day, today) : once_verdict(facts, op, day, today);
}

/* Of several dates, any. */
static struct verdict eval_day(const struct segment_asking *asking, const struct segment_op *op)
{
    const struct facts *facts = asking->facts;
    struct facts_trait  trait = trait_at(asking, op);
    bool                listed = trait.value.kind == JSON_ARRAY;
    const struct json  *items = listed ? trait.value.items : &trait.value;
    struct verdict      none = { true, TIME_NEVER };
    for (uint32_t i = 0; i < (listed ? trait.value.count : 1); i++)
        none = verdict_and(none, verdict_not(day_verdict(facts, op, &items[i])));
    none.until_ms = earlier_ms(none.until_ms, trait.until_ms);
    return verdict_not(none);
}

/* ---- for how long ---- */

struct segment_been segment_been_since(const struct segment_asking *asking,
                                       const struct segment_op *op, int64_t from_ms)
{
    struct segment_been   been = { compare_at(asking, op), FACTS_SINCE_UNKNOWN };
    struct facts          then = *asking->facts;
    struct segment_asking earlier = { asking->ops, &then };
    int64_t               now_ms = then.now_ms;
    struct verdict        v;
    if (!been.now.holds)
        return been;
    /* Forward from the beginning: each answer says where the next one is to be looked for. */
    for (then.now_ms = from_ms; then.now_ms < now_ms; then.now_ms = v.until_ms) {
        v = compare_at(&earlier, op);
        if (!v.holds)
            been.since_ms = v.until_ms;
        if (v.until_ms > now_ms)
            break;
    }
    return been;
}

static struct verdict eval_been(const struct segment_asking *asking, const struct segment_op *op)
{
    int64_t             now_ms = asking->facts->now_ms;
    struct segment_been been = segment_been_since(asking, op, now_ms - op->within_ms);
    /* What begins to hold then must go on for as long. */
    int64_t begin_ms = been.now.holds ? been.since_ms : been.now.until_ms;
    if (been.now.holds && been.since_ms == FACTS_SINCE_UNKNOWN)
        return (struct verdict){ true, been.now.until_ms };
    return (struct verdict){ false,
                             begin_ms == TIME_NEVER ? TIME_NEVER : begin_ms + op->within_ms };
}

struct verdict segment_eval_trait(const struct segment_asking *asking, const struct segment_op *op)
{
    if (op->kind == SEGMENT_DAY)
        return eval_day(asking, op);
    return op->kind == SEGMENT_BEEN ? eval_been(asking, op) : compare_at(asking, op);
}
