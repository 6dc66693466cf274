/* When waits end: the clocks and calendars of the world, at their nastiest. */
#include "engine/journey/until.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/test.h"

static const struct zone_shift oslo_shifts[] = {
    { 1761440400, 3600 }, /* 2025-10-26T01:00Z */
    { 1774746000, 7200 }, /* 2026-03-29T01:00Z */
    { 1792890000, 3600 }, /* 2026-10-25T01:00Z */
};
static const struct zone_shift apia_shifts[] = { { 1325239200,
                                                   14 * 3600 } }; /* 2011-12-30T10:00Z */
static const struct zone_shift paulo_shifts[] = {
    { 1518919200, -3 * 3600 }, /* 2018-02-18T02:00Z: back over midnight */
    { 1541300400, -2 * 3600 }, /* 2018-11-04T03:00Z: midnight is left out */
};
static const struct zone oslo = { { "Europe/Oslo", 11 }, oslo_shifts, 3, 7200 };
static const struct zone apia = { { "Pacific/Apia", 12 }, apia_shifts, 1, -10 * 3600 };
static const struct zone paulo = { { "America/Sao_Paulo", 17 }, paulo_shifts, 2, -2 * 3600 };

static int64_t at(const char *text)
{
    int64_t ms;
    if (text == NULL)
        return TIME_NEVER;
    assert_ok(time_parse(str_of(text), &ms));
    return ms;
}

static void expect(const struct zone *zone, const char *text, const char *value, const char *from,
                   bool later, const char *wanted)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct until                       until;
    struct problem                     problem;
    struct json                        trait = { .kind = JSON_NULL };
    char                               is[TIME_TEXT_BYTES];
    if (until_parse(str_of(text), &until, &problem) != OK)
        fail_msg("\"%s\": %s %s", text, problem.what, problem.remedy);
    if (value != NULL)
        assert_ok(json_parse_once(arena, str_of(value), &trait, NULL));
    int64_t ms = until_end_ms(&until, zone, &trait, at(from), later);
    if (ms != at(wanted))
        fail_msg("\"%s\" of %s from %s%s: %s, not %s", text, value == NULL ? "-" : value, from,
                 later ? " on" : "", ms == TIME_NEVER ? "never" : time_write(ms, is),
                 wanted == NULL ? "never" : wanted);
}

TEST(until, a_time_of_day_comes_when_the_persons_clock_shows_it)
{
    expect(NULL, "10:00", NULL, "2026-01-05T08:00Z", false, "2026-01-05T10:00Z");
    expect(&oslo, "10:00", NULL, "2026-01-05T08:00Z", false, "2026-01-05T09:00Z");
    expect(&oslo, "10:00", NULL, "2026-01-05T09:00Z", false, "2026-01-05T09:00Z");
    expect(&oslo, "10:00", NULL, "2026-01-05T09:00Z", true, "2026-01-06T09:00Z");
    expect(&oslo, "9:00", NULL, "2026-01-05T08:00:00.001Z", false, "2026-01-06T08:00Z");
    expect(&oslo, "00:00", NULL, "2026-01-05T08:00Z", false, "2026-01-05T23:00Z");
    expect(&oslo, "10:00", NULL, "2026-03-28T09:30Z", false, "2026-03-29T08:00Z");
}

TEST(until, a_day_of_the_week_is_the_persons)
{
    expect(&oslo, "monday 10:00", NULL, "2026-01-05T09:00Z", false, "2026-01-05T09:00Z");
    expect(&oslo, "monday 10:00", NULL, "2026-01-05T09:00Z", true, "2026-01-12T09:00Z");
    expect(&oslo, "Monday 00:30", NULL, "2026-01-04T12:00Z", false, "2026-01-04T23:30Z");
    expect(&oslo, "weekday 09:30", NULL, "2026-01-09T09:00Z", false, "2026-01-12T08:30Z");
    expect(&oslo, "weekend 10:00", NULL, "2026-01-05T09:00Z", false, "2026-01-10T09:00Z");
    expect(&oslo, "saturday OR wednesday 8:00", NULL, "2026-01-05T00:00Z", false,
           "2026-01-07T07:00Z");
    expect(&oslo, "sunday 02:30", NULL, "2026-03-23T00:00Z", false, "2026-03-29T01:00Z");
}

TEST(until, a_time_that_is_left_out_comes_when_clocks_have_gone_forward)
{
    expect(&oslo, "02:30", NULL, "2026-03-28T12:00Z", false, "2026-03-29T01:00Z");
    expect(&oslo, "02:30", NULL, "2026-03-29T01:00Z", true, "2026-03-30T00:30Z");
    expect(&oslo, "2026-03-29 02:30", NULL, "2026-01-01T00:00Z", false, "2026-03-29T01:00Z");
    expect(&paulo, "00:30", NULL, "2018-11-03T12:00Z", false, "2018-11-04T03:00Z");
    expect(&paulo, "2018-11-04", NULL, "2018-01-01T00:00Z", false, "2018-11-04T03:00Z");
}

TEST(until, a_time_that_is_shown_twice_is_the_first_of_them)
{
    expect(&oslo, "02:30", NULL, "2026-10-24T12:00Z", false, "2026-10-25T00:30Z");
    expect(&oslo, "02:30", NULL, "2026-10-25T00:31Z", false, "2026-10-26T01:30Z");
    expect(&paulo, "23:30", NULL, "2018-02-17T12:00Z", false, "2018-02-18T01:30Z");
    expect(&paulo, "23:30", NULL, "2018-02-18T01:31Z", false, "2018-02-19T02:30Z");
}

TEST(until, a_day_that_is_left_out_is_passed_over_and_a_date_begins_the_next)
{
    expect(&apia, "10:00", NULL, "2011-12-29T21:00Z", false, "2011-12-30T20:00Z");
    expect(&apia, "friday 10:00", NULL, "2011-12-29T21:00Z", false, "2012-01-05T20:00Z");
    expect(&apia, "2011-12-30 10:00", NULL, "2011-12-01T00:00Z", false, "2011-12-30T10:00Z");
}

TEST(until, a_date_is_by_the_persons_clock_unless_it_says_its_zone)
{
    expect(&oslo, "2026-12-24", NULL, "2026-01-01T00:00Z", false, "2026-12-23T23:00Z");
    expect(&oslo, "2026-12-24 10:00", NULL, "2027-01-01T00:00Z", true, "2026-12-24T09:00Z");
    expect(&oslo, "2026-07-01T10:00", NULL, "2026-01-01T00:00Z", false, "2026-07-01T08:00Z");
    expect(&oslo, "2026-07-01T10:00:00Z", NULL, "2026-01-01T00:00Z", false, "2026-07-01T10:00Z");
    expect(&oslo, "2026-07-01T10:00-05:00", NULL, "2026-01-01T00:00Z", false, "2026-07-01T15:00Z");
}

TEST(until, a_trait_is_moved_by_hours_or_by_days_of_the_calendar)
{
    const char *instant = "\"2026-03-31T10:00:00Z\"", *day = "\"2026-03-31\"", *from = "2026-01-01";
    expect(&oslo, "trial_ends", instant, from, false, "2026-03-31T10:00Z");
    expect(&oslo, "trial_ends", "1774951200", from, false, "2026-03-31T10:00Z");
    expect(&oslo, "3 days before trial_ends", instant, from, false, "2026-03-28T10:00Z");
    expect(&oslo, "3 days before trial_ends at 10:00", instant, from, false, "2026-03-28T09:00Z");
    expect(&oslo, "trial_ends", day, from, false, "2026-03-30T22:00Z");
    expect(&oslo, "3 days before trial_ends", day, from, false, "2026-03-27T23:00Z");
    expect(&oslo, "36 hours before trait \"Trial ends\"", day, from, false, "2026-03-29T10:00Z");
    expect(&oslo, "1 week after trial_ends at 09:00", day, from, false, "2026-04-07T07:00Z");
    expect(&oslo, "trial_ends", "\"soon\"", from, false, NULL);
    expect(&oslo, "trial_ends", NULL, from, false, NULL);
    expect(&oslo, "trial_ends", "[\"2026-03-31\"]", from, false, NULL);
}

TEST(until, an_anniversary_comes_each_year_and_that_of_a_leap_day_too)
{
    const char *leap = "\"1992-02-29\"", *birthday = "anniversary of birthday at 09:00";
    expect(&oslo, birthday, leap, "2026-01-01", false, "2026-02-28T08:00Z");
    expect(&oslo, birthday, leap, "2026-02-28T08:00Z", true, "2027-02-28T08:00Z");
    expect(&oslo, birthday, leap, "2027-06-01", false, "2028-02-29T08:00Z");
    expect(&oslo, birthday, "\"2026-06-01\"", "2026-01-01", false, "2027-06-01T08:00Z");
    expect(&oslo, "7 days before anniversary of birthday at 09:00", "\"1990-01-03\"", "2026-12-20",
           false, "2026-12-27T08:00Z");
    expect(&oslo, "7 days before anniversary of birthday at 09:00", "\"1990-01-03\"", "2026-12-28",
           false, "2027-12-27T08:00Z");
    expect(NULL, "anniversary of joined", "\"2025-05-01T15:30:00Z\"", "2026-01-01", false,
           "2026-05-01T15:30Z");
}

TEST(until, what_says_no_time_is_refused_with_a_remedy)
{
    static const char *const texts[] = {
        "",
        "25:00",
        "10:60",
        "10:0",
        "monday",
        "monday or 10:00",
        "monday 10:00 sharp",
        "2026-13-01",
        "3 days",
        "3 days trial_ends",
        "before trial_ends",
        "3 days before",
        "trial_ends at",
        "trial_ends at 25:00",
        "trial_ends 10:00",
        "36 hours before trial_ends at 10:00",
        "trial ends",
        "5000 days before trial_ends",
        "trait \"\"",
        "trait \"x",
        "10 o'clock",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct problem problem = { .where = "" };
        struct until   until;
        if (until_parse(str_of(texts[i]), &until, &problem) != ERR_INPUT)
            fail_msg("\"%s\" is taken", texts[i]);
        assert_true(problem.what[0] != '\0' && problem.remedy[0] != '\0');
    }
}

/* As a trait it would not be known, and what waits behind it would go at once. */
TEST(until, a_misspelt_word_of_time_is_no_trait_unless_it_is_said_to_be_one)
{
    static const char *const wrong[] = { "tomorow",   "Tomorrow", "noon",  "teusday",
                                         "wendesday", "thurday",  "today", "3 days after tomorrow",
                                         "midnihgt" };
    static const char *const right[] = { "birthday", "trait \"noon\"", "payday",
                                         "due",      "renewal",        "3 days before trial_ends" };
    struct until             until;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct problem problem = { .where = "" };
        if (until_parse(str_of(wrong[i]), &until, &problem) == OK || problem.remedy[0] == '\0')
            fail_msg("%s is taken", wrong[i]);
        assert_ok(until_parse(str_of(wrong[i]), &until, NULL)); /* what is stored still loads */
    }
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        struct problem problem = { .where = "" };
        if (until_parse(str_of(right[i]), &until, &problem) != OK)
            fail_msg("%s: %s", right[i], problem.what);
    }
}
