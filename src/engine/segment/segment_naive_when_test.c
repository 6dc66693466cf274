/*
 * Days, dates, patterns and states by brute force, in random zones whose clocks are set at random:
 * see segment_naive_test.h. Local time is counted up shift by shift, the calendar day by day; the
 * patterns are read by the C library.
 */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/segment/segment_naive_test.h"

enum {
    HALF_HOURS = 2 * 24 * 8, /* around the world's day: later than any day that is asked about */
    SPOT_CHECKS = 30,
    COMPARED_AT_LEAST = 300000,
};

#define HALF_HOUR_MS (TIME_HOUR_MS / 2)

/* ---- clocks and days */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static const struct zone *home_of(const struct world *w, int64_t now)
{
    const struct zone *zone = &w->zones[0];
    for (int i = 0; i < HOMES_MAX; i++) /* ascending */
        if (w->homes[i].at_ms <= now && w->homes[i].seq <= w->seq_max)
            zone = &w->zones[w->homes[i].zone];
    return zone;
}

/* The latest day that the clocks had shown by then: a day once begun stays. */
static int64_t day_on_clocks(const struct zone *zone, int64_t at_ms)
{
    int64_t offset_ms = zone->offset_s * TIME_SECOND_MS, day = INT64_MIN;
    for (uint32_t i = 0; i < zone->shifts_count; i++) {
        int64_t shift_ms = zone->shifts[i].at_s * TIME_SECOND_MS;
        if (shift_ms > at_ms)
            break;
        int64_t just_before = floor_div(shift_ms - 1 + offset_ms, TIME_DAY_MS);
        day = just_before > day ? just_before : day;
        offset_ms = zone->shifts[i].offset_s * TIME_SECOND_MS;
    }
    int64_t shown = floor_div(at_ms + offset_ms, TIME_DAY_MS);
    return shown > day ? shown : day;
}

struct civil {
    int year, month, day;
};

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_days(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Counted up from 1900. */
static struct civil civil_of(int64_t day)
{
    struct civil c = { 1900, 1, 1 };
    int64_t      left = day + 25567;
    assert_true(left >= 0);
    for (; left >= 365 + is_leap(c.year); c.year++)
        left -= 365 + is_leap(c.year);
    for (; left >= month_days(c.year, c.month); c.month++)
        left -= month_days(c.year, c.month);
    c.day += (int)left;
    return c;
}

/* What two days have in common if they are of one unit. */
static int64_t unit_of(enum segment_unit unit, int64_t day)
{
    struct civil c = civil_of(day);
    switch (unit) {
    case SEGMENT_DAYS:
        return day;
    case SEGMENT_WEEKS:
        return floor_div(day - 4, 7); /* 1970-01-05 was a Monday */
    case SEGMENT_MONTHS:
        return c.year * 12 + c.month;
    default:
        return c.year;
    }
}

/* ---- dates */

/* A day, or an instant. */
static bool date_of(const struct json *value, bool *is_day, int64_t *out)
{
    *is_day = value->kind == JSON_STRING && value->string.len == 10;
    if (value->kind == JSON_INT)
        *out = llabs(value->integer) < 100000000000 ? value->integer * 1000 : value->integer;
    else if (value->kind == JSON_REAL)
        *out = (int64_t)(value->real * 1000 - (value->real < 0 ? 0.5 : 0)); /* all small */
    else if (value->kind != JSON_STRING || time_parse(value->string, out) != OK)
        return false;
    if (*is_day)
        *out = floor_div(*out, TIME_DAY_MS);
    return true;
}

static int order(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

int naive_date_order(const struct world *w, int64_t now, const struct json *value,
                     const struct segment_literal *literal)
{
    const struct zone *zone = home_of(w, now);
    int64_t            date, number = literal->value.integer;
    bool               is_day;
    if (!date_of(value, &is_day, &date))
        return 2;
    int64_t day = is_day ? date : day_on_clocks(zone, date);
    if (literal->kind == SEGMENT_A_DAY)
        return order(day, number / TIME_DAY_MS);
    if (literal->kind == SEGMENT_TODAY)
        return order(day, day_on_clocks(zone, now) + number);
    int64_t at_ms = literal->kind == SEGMENT_AGO ? now + number : number;
    return is_day ? order(day, day_on_clocks(zone, at_ms)) : order(date, at_ms);
}

bool naive_is_in_days(const struct world *w, int64_t now, const struct segment_window *window,
                      int64_t at_ms)
{
    const struct zone *zone = home_of(w, now);
    int64_t            day = day_on_clocks(zone, at_ms), today = day_on_clocks(zone, now);
    switch (window->kind) {
    case SEGMENT_CALENDAR:
        return unit_of(window->unit, day) == unit_of(window->unit, today) - (int64_t)window->back;
    case SEGMENT_SINCE:
        return day >= window->from_ms / TIME_DAY_MS;
    case SEGMENT_BEFORE:
        return day < window->to_ms / TIME_DAY_MS;
    default:
        return day >= window->from_ms / TIME_DAY_MS && day <= window->to_ms / TIME_DAY_MS;
    }
}

/* One that February 29 begins is held on the 28th where there is no 29th. */
static bool is_anniversary(int64_t day, int64_t of)
{
    struct civil a = civil_of(day), b = civil_of(of);
    bool leap_day = b.month == 2 && b.day == 29 && !is_leap(a.year) && a.month == 2 && a.day == 28;
    return a.year > b.year && ((a.month == b.month && a.day == b.day) || leap_day);
}

static bool naive_day(const struct world *w, int64_t now, const struct segment_node *node)
{
    const struct zone *zone = home_of(w, now);
    struct values      v = { .count = 0 };
    int64_t            today = day_on_clocks(zone, now), date;
    bool               is_day;
    naive_trait_values(w, now, node->compare.key, &v);
    for (int i = 0; i < v.count; i++) {
        if (!date_of(&v.list[i], &is_day, &date))
            continue;
        int64_t of = is_day ? date : day_on_clocks(zone, date);
        for (int64_t day = today + node->from_days; day <= today + node->to_days; day++)
            if (node->yearly ? is_anniversary(day, of) : day == of)
                return true;
    }
    return false;
}

/*
 * Between two changes of a trait nothing changes, so it is asked at each of them; with the days of
 * the zone that the person lives in now.
 */
static bool naive_been(const struct world *w, int64_t now, const struct segment_node *node)
{
    static struct world then;
    struct segment_node test = *node;
    int64_t             from_ms = now - node->within_ms;
    test.kind = SEGMENT_COMPARE;
    then = *w;
    then.zones[0] = *home_of(w, now);
    memset(then.homes, 0, sizeof then.homes);
    if (!naive(&then, from_ms, &test))
        return false;
    for (uint32_t i = 0; i < w->traits_count; i++)
        if (w->traits[i].at_ms >= from_ms && w->traits[i].at_ms <= now &&
            !naive(&then, w->traits[i].at_ms, &test))
            return false;
    return true;
}

/* ---- patterns */

bool naive_matches(struct str pattern, struct str text)
{
    char    expression[64], subject[64];
    bool    nocase = str_starts(pattern, STR("(?i)"));
    regex_t regex;
    str_to_cstr(nocase ? str_slice(pattern, 4, pattern.len) : pattern, expression,
                sizeof expression);
    str_to_cstr(text, subject, sizeof subject);
    assert_int_equal(
        regcomp(&regex, expression, REG_EXTENDED | REG_NOSUB | (nocase ? REG_ICASE : 0)), 0);
    bool found = regexec(&regex, subject, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}

/* ---- stages, journeys, consent: all follow the stays */

static bool is_there(const struct world *w, int64_t now, struct str name)
{
    struct stay s = w->stays[name.ptr[1] - '0'];
    return s.from_ms <= now && now < s.to_ms;
}

static enum segment_consent consent_of(const struct world *w, int64_t now, struct str topic,
                                       struct str channel)
{
    if (is_there(w, now, topic.len > 0 ? topic : STR("l0")))
        return SEGMENT_GRANTED;
    return channel.len > 0 && is_there(w, now, channel) ? SEGMENT_REFUSED : SEGMENT_UNKNOWN;
}

bool naive_when(const struct world *w, int64_t now, const struct segment_node *node)
{
    switch (node->kind) {
    case SEGMENT_DAY:
        return naive_day(w, now, node);
    case SEGMENT_BEEN:
        return naive_been(w, now, node);
    case SEGMENT_SCORE: /* asked by segment_score_test */
    case SEGMENT_IN_STAGE:
        for (char later = (char)(node->name.ptr[1] + 1); later <= '2'; later++)
            if (is_there(w, now, (struct str){ (char[]){ 'l', later }, 2 }))
                return false;
        return is_there(w, now, node->name);
    case SEGMENT_IN_JOURNEY:
        return is_there(w, now, node->name) && (node->at.len == 0 || is_there(w, now, node->at));
    case SEGMENT_CONSENT:
        return consent_of(w, now, node->name, node->at) == node->consent;
    default:
        fail_msg("kind %d has no naive answer", (int)node->kind);
        return false;
    }
}

/* ---- the same as facts, and as names */

static int64_t stays_turn(const struct world *w, int64_t now)
{
    int64_t first_ms = TIME_NEVER;
    for (int i = 0; i < 3; i++) {
        int64_t ends[] = { w->stays[i].from_ms, w->stays[i].to_ms };
        for (int k = 0; k < 2; k++)
            if (ends[k] > now && ends[k] < first_ms)
                first_ms = ends[k];
    }
    return first_ms;
}

const struct zone *naive_zone_fact(const struct facts *facts, int64_t *until_ms)
{
    const struct world *w = facts->person;
    *until_ms = TIME_NEVER;
    for (int i = HOMES_MAX; i > 0; i--)
        if (w->homes[i - 1].seq <= facts->seq_max && w->homes[i - 1].at_ms > facts->now_ms)
            *until_ms = w->homes[i - 1].at_ms;
    return home_of(w, facts->now_ms);
}

struct facts_member naive_journey_fact(const struct facts *facts, uint32_t journey, struct str node)
{
    const struct world *w = facts->person;
    struct str          name = { (char[]){ 'l', (char)('0' + journey) }, 2 };
    bool                in =
        is_there(w, facts->now_ms, name) && (node.len == 0 || is_there(w, facts->now_ms, node));
    return (struct facts_member){ in, FACTS_SINCE_UNKNOWN, stays_turn(w, facts->now_ms) };
}

struct facts_consent naive_consent_fact(const struct facts *facts, uint32_t topic,
                                        struct str channel)
{
    const struct world  *w = facts->person;
    struct str           name = { (char[]){ 'l', (char)('0' + topic) }, 2 };
    enum segment_consent said = consent_of(w, facts->now_ms, name, channel);
    return (struct facts_consent){ said == SEGMENT_GRANTED   ? FACTS_CONSENT_GRANTED
                                   : said == SEGMENT_REFUSED ? FACTS_CONSENT_REFUSED
                                                             : FACTS_CONSENT_UNKNOWN,
                                   FACTS_SINCE_UNKNOWN, stays_turn(w, facts->now_ms) };
}

/* In stage n: in list n, and not in a later one. */
static const struct segment_stage *stages(void)
{
    static const struct segment_node rules[] = {
        { .kind = SEGMENT_IN_LIST, .name = { "l0", 2 } },
        { .kind = SEGMENT_IN_LIST, .name = { "l1", 2 } },
        { .kind = SEGMENT_IN_LIST, .name = { "l2", 2 } },
    };
    static const struct segment_stage list[] = { { { "l0", 2 }, &rules[0] },
                                                 { { "l1", 2 }, &rules[1] },
                                                 { { "l2", 2 }, &rules[2] } };
    return list;
}

/* ---- a random place in time and space */

/* Around ends of months, years and weeks, and of February in a leap year. */
static void random_base(struct dice *dice, struct world *w)
{
    static const char *const bases[] = { "2025-12-31T12:00:00Z", "2026-02-28T12:00:00Z",
                                         "2028-02-28T12:00:00Z", "2028-02-29T06:00:00Z",
                                         "2026-03-01T18:00:00Z", "2026-06-10T00:00:00Z" };
    assert_ok(time_parse(str_of(bases[dice_roll(dice, 6)]), &w->base_ms));
    dice->base_ms = w->base_ms;
}

static int32_t random_offset_s(struct dice *dice)
{
    return ((int32_t)dice_roll(dice, 53) - 26) * 1800;
}

/* Clocks are set by up to two hours, now and then by a day; close to each other, too. */
static void random_zone(struct dice *dice, struct zone *zone, struct zone_shift *shifts,
                        int64_t base_ms)
{
    int32_t offset_s = random_offset_s(dice);
    int64_t at_s = base_ms / 1000 - 24 * 3600;
    *zone = (struct zone){ .name = STR("Test/Zone"), .shifts = shifts, .offset_s = offset_s };
    zone->shifts_count = dice_roll(dice, ZONE_SHIFTS_EACH + 1);
    for (uint32_t i = 0; i < zone->shifts_count; i++) {
        at_s += (1 + dice_roll(dice, 48)) * 1800;
        offset_s += ((int32_t)dice_roll(dice, 9) - 4) * 1800;
        if (dice_roll(dice, 16) == 0)
            offset_s += offset_s > 0 ? -24 * 3600 : 24 * 3600;
        if (offset_s > 15 * 3600 || offset_s < -15 * 3600)
            offset_s = 0;
        shifts[i] = (struct zone_shift){ at_s, offset_s };
    }
}

static struct json random_date(struct dice *dice, const struct world *w)
{
    static const char *const days[] = { "2024-02-29", "2025-12-31", "2026-01-01", "2026-02-28",
                                        "2026-03-01", "2025-02-28", "2028-02-29", "2026-06-10" };
    int64_t at_ms = w->base_ms + ((int64_t)dice_roll(dice, 240) - 96) * HALF_HOUR_MS;
    char   *text = arena_alloc(dice->arena, TIME_TEXT_BYTES);
    assert_non_null(text);
    switch (dice_roll(dice, 4)) {
    case 0:
        return (struct json){ .kind = JSON_STRING, .string = str_of(days[dice_roll(dice, 8)]) };
    case 1:
        return (struct json){ .kind = JSON_INT, .integer = at_ms };
    case 2:
        return (struct json){ .kind = JSON_STRING,
                              .string = str_slice(str_of(time_write(at_ms, text)), 0, 10) };
    default:
        return (struct json){ .kind = JSON_STRING, .string = str_of(time_write(at_ms, text)) };
    }
}

static void random_place(struct dice *dice, struct world *w)
{
    for (int i = 0; i < ZONES_EACH; i++)
        random_zone(dice, &w->zones[i], w->zone_shifts[i], w->base_ms);
    for (int i = 0; i < HOMES_MAX; i++) {
        int64_t after_ms = i == 0 ? w->base_ms - TIME_DAY_MS : w->homes[i - 1].at_ms;
        w->homes[i] = (struct home){ after_ms + (int64_t)dice_roll(dice, 96) * HALF_HOUR_MS,
                                     dice_roll(dice, 2 * EVENTS_MAX), dice_roll(dice, ZONES_EACH) };
    }
    for (uint32_t i = 0; i < w->traits_count; i++)
        if (dice_roll(dice, 3) > 0)
            w->traits[i].value = random_date(dice, w);
}

/* ---- the comparison */

struct tally {
    uint64_t compared, held, expired, tight;
};

static bool is_alike(const struct world *w, const struct segment_node *node, int64_t now,
                     struct verdict v, int64_t at_ms, bool holds, uint64_t round)
{
    SCOPED(buf_donep) struct buf text = buf_make(1 << 16);
    char                         a[TIME_TEXT_BYTES], b[TIME_TEXT_BYTES], c[TIME_TEXT_BYTES];
    if (naive(w, at_ms, node) == holds)
        return true;
    segment_write(&text, node);
    print_error("round %llu: %.*s\n  at %s the engine says %d until %s; at %s it is not %d\n",
                (unsigned long long)round, STR_ARG(buf_view(&text)), time_write(now, a), v.holds,
                time_write(v.until_ms, b), time_write(at_ms, c), holds);
    return false;
}

/* Random instants on the half hour, and just before: every change lies on one, or at its end. */
static bool stays_until(const struct world *w, struct dice *dice, const struct segment_node *node,
                        int64_t now, struct verdict v, uint64_t round, struct tally *tally)
{
    for (int i = 0; i < SPOT_CHECKS; i++) {
        int64_t at_ms =
            w->base_ms + dice_roll(dice, HALF_HOURS) * HALF_HOUR_MS - dice_roll(dice, 2);
        if (i == 0 && v.until_ms != TIME_NEVER)
            at_ms = v.until_ms - 1;
        if (at_ms <= now || at_ms >= v.until_ms)
            continue;
        tally->compared++;
        if (!is_alike(w, node, now, v, at_ms, v.holds, round))
            return false;
    }
    return true;
}

/* Alone, with nothing dated later than now, these tell the very instant. */
static bool is_tight(const struct world *w, const struct segment_node *node, int64_t now)
{
    for (uint32_t i = 0; i < w->traits_count; i++)
        if (w->traits[i].at_ms > now && w->traits[i].seq <= w->seq_max)
            return false;
    for (uint32_t i = 0; i < w->events_count; i++)
        if (w->events[i].at_ms > now && w->events[i].seq <= w->seq_max)
            return false;
    for (int i = 0; i < HOMES_MAX; i++)
        if (w->homes[i].at_ms > now && w->homes[i].seq <= w->seq_max)
            return false;
    while (node->kind == SEGMENT_NOT)
        node = node->parts[0];
    /* A filter may compare with dates relative to now: any that turns is a reason to ask again. */
    bool calendar = node->kind == SEGMENT_DID && node->match.window.kind == SEGMENT_CALENDAR &&
                    node->match.where == NULL;
    return node->kind == SEGMENT_COMPARE || node->kind == SEGMENT_DAY ||
           node->kind == SEGMENT_BEEN || calendar;
}

static bool agrees(const struct world *w, struct dice *dice, const struct segment_node *node,
                   const struct segment_program *program, int64_t now, uint64_t round,
                   struct tally *tally)
{
    struct facts   facts = naive_facts(w, now);
    struct verdict v = segment_eval(program, &facts);
    tally->compared++;
    tally->held += v.holds;
    if (v.until_ms <= now || !is_alike(w, node, now, v, now, v.holds, round) ||
        !stays_until(w, dice, node, now, v, round, tally))
        return false;
    if (v.until_ms == TIME_NEVER)
        return true;
    tally->expired++;
    if (!is_tight(w, node, now))
        return true;
    tally->tight++;
    return is_alike(w, node, now, v, v.until_ms, !v.holds, round);
}

static bool play(struct world *w, struct dice *dice, uint64_t round, struct tally *tally)
{
    struct segment_names names = naive_names(w);
    names.stages = stages();
    names.stages_count = 3;
    random_base(dice, w);
    naive_world(dice, w);
    random_place(dice, w);
    for (int p = 0; p < 6; p++) {
        const struct segment_node *node = p % 3 == 0 ? dice_condition(dice, 2) : dice_when(dice);
        struct segment_program     program;
        if (segment_compile(dice->arena, node, &names, &program, NULL) != OK)
            continue; /* a date relative to now below where */
        for (int i = 0; i < 4; i++) {
            int64_t now = w->base_ms + dice_roll(dice, 140) * HALF_HOUR_MS - dice_roll(dice, 2);
            w->seq_max = dice_roll(dice, 3) > 0 ? 2 * EVENTS_MAX : dice_roll(dice, EVENTS_MAX);
            if (!agrees(w, dice, node, &program, now, round, tally))
                return false;
        }
    }
    return true;
}

TEST(segment_naive_when, days_and_dates_in_random_zones_turn_when_the_twin_says_so)
{
    static struct world w;
    uint64_t            seed = dice_seed("segment_naive_when");
    struct arena       *arena = arena_open(ARENA_BYTES);
    struct tally        tally = { 0 };
    bool                ok = true;
    naive_open(&w);
    for (uint64_t round = 0; ok && tally.compared < COMPARED_AT_LEAST; round++) {
        struct dice dice = { .state = hash_u64(round, seed),
                             .arena = arena,
                             .more = DICE_DATES | DICE_CALENDAR | DICE_DAY | DICE_BEEN |
                                     DICE_MATCHES | DICE_MEMBER | DICE_CONSENT };
        ok = play(&w, &dice, round, &tally);
        arena_reset(arena);
    }
    printf("  %llu compared, %llu held at their instant, %llu expire, %llu of them to the ms\n",
           (unsigned long long)tally.compared, (unsigned long long)tally.held,
           (unsigned long long)tally.expired, (unsigned long long)tally.tight);
    naive_close(&w);
    arena_close(arena);
    assert_true(ok);
    assert_true(tally.held > 2000 && tally.expired > 2000 && tally.tight > 200);
}
