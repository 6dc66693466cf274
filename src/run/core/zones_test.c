/* Every zone of the system against the C library, which reads the same files in its own way. */
#include "run/core/zones.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/hash.h"
#include "base/test.h"

enum { ROUNDS = 60, BYTES_MAX = 8 << 20, START_MS_MAX = 300 };

struct wall {
    int64_t offset_s, day;
};

static struct wall wall_at(int64_t at_s)
{
    time_t    at = at_s;
    struct tm tm;
    assert_non_null(localtime_r(&at, &tm));
    struct time_parts date = { .year = tm.tm_year + 1900,
                               .month = tm.tm_mon + 1,
                               .day = tm.tm_mday };
    return (struct wall){ tm.tm_gmtoff, time_join(&date) / TIME_DAY_MS };
}

/* The clock's date, unless clocks set back show a date that was over already. */
static int64_t expected_day(int64_t at_s)
{
    int64_t day = wall_at(at_s).day;
    for (int64_t before_s = at_s - 26 * 3600; before_s < at_s; before_s += 60) {
        int64_t earlier = wall_at(before_s).day;
        day = earlier > day ? earlier : day;
    }
    return day;
}

static void assert_agrees(const struct zone *zone, int64_t at_s, bool day_too)
{
    struct wall wall = wall_at(at_s);
    int64_t     offset_s = zone_offset_ms(zone, at_s * 1000) / 1000;
    int64_t     day = zone_day_of(zone, at_s * 1000);
    if (offset_s != wall.offset_s)
        fail_msg("%.*s at %lld: offset %lld, not %lld", STR_ARG(zone->name), (long long)at_s,
                 (long long)offset_s, (long long)wall.offset_s);
    if (day_too && day != expected_day(at_s))
        fail_msg("%.*s at %lld: day %lld, not %lld", STR_ARG(zone->name), (long long)at_s,
                 (long long)day, (long long)expected_day(at_s));
    int64_t start_ms = zone_day_start_ms(zone, day);
    if (start_ms > at_s * 1000 || zone_day_start_ms(zone, day + 1) <= at_s * 1000)
        fail_msg("%.*s at %lld: not within its day", STR_ARG(zone->name), (long long)at_s);
}

/* Before 1902 and without a listed change there the C library and the files are not of one mind. */
static const int64_t first_s = INT64_C(-2145916800);

static void zone_compare(const struct zone *zone)
{
    char name[100], buf[ZONE_NAME_BYTES_MAX + 1];
    snprintf(name, sizeof name, ":%s", str_to_cstr(zone->name, buf, sizeof buf));
    setenv("TZ", name, 1);
    tzset();
    for (uint32_t i = 0; i < ROUNDS; i++) {
        uint64_t roll = hash_u64(i, hash_str(zone->name, 0));
        int64_t  at_s = first_s + (int64_t)(roll % (uint64_t)(ZONE_TO_S - first_s));
        assert_agrees(zone, at_s, i % 20 == 0);
    }
    for (uint32_t i = 0; i < zone->shifts_count; i++)
        for (int64_t d = -1; d <= 1; d++)
            if (zone->shifts[i].at_s > first_s)
                assert_agrees(zone, zone->shifts[i].at_s + d, false);
}

/* Of this thread: the disk may be slow, and others may be on the processor. */
static int64_t worked_us(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now), 0);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

TEST(zones, each_zone_of_the_system_shows_what_the_c_library_shows_until_2100)
{
    SCOPED(zones_closep) struct zones *zones = NULL;
    struct problem                     problem = { 0 };
    int64_t                            begin_us = worked_us();
    assert_ok(zones_of_system(&zones, NULL, &problem));
    int64_t spent_us = worked_us() - begin_us;
    printf("  %u zones of version %.*s in %lld us of work\n", zones_count(zones),
           STR_ARG(zones_version(zones)), (long long)spent_us);
    assert_true(spent_us < START_MS_MAX * 1000);
    assert_true(zones_count(zones) > 300);
    for (uint32_t i = 0; i < zones_count(zones); i++)
        zone_compare(zones_at(zones, i));
    unsetenv("TZ");
    tzset();
}

TEST(zones, days_that_begin_at_one_and_days_of_23_and_25_hours_are_as_the_places_had_them)
{
    static const struct {
        const char *zone, *day, *start;
        int         minutes;
    } table[] = {
        { "Europe/Oslo", "2026-03-29", "2026-03-28T23:00:00.000Z", 23 * 60 },
        { "Europe/Oslo", "2026-10-25", "2026-10-24T22:00:00.000Z", 25 * 60 },
        { "America/New_York", "2026-03-08", "2026-03-08T05:00:00.000Z", 23 * 60 },
        { "America/New_York", "2026-11-01", "2026-11-01T04:00:00.000Z", 25 * 60 },
        { "America/Havana", "2024-03-10", "2024-03-10T05:00:00.000Z", 23 * 60 },
        { "America/Havana", "2024-11-03", "2024-11-03T04:00:00.000Z", 25 * 60 },
        { "Africa/Cairo", "2024-04-26", "2024-04-25T22:00:00.000Z", 23 * 60 },
        { "Asia/Beirut", "2024-03-31", "2024-03-30T22:00:00.000Z", 23 * 60 },
        { "Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00.000Z", 24 * 60 + 30 },
        { "Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30:00.000Z", 23 * 60 + 30 },
        { "Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00.000Z", 0 },
    };
    SCOPED(zones_closep) struct zones *zones = NULL;
    assert_ok(zones_of_system(&zones, NULL, NULL));
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const struct zone *zone = zone_find(zones, str_of(table[i].zone));
        char               text[TIME_TEXT_BYTES];
        int64_t            ms;
        assert_non_null(zone);
        assert_ok(time_parse(str_of(table[i].day), &ms));
        int64_t start_ms = zone_day_start_ms(zone, ms / TIME_DAY_MS);
        assert_str(str_of(time_write(start_ms, text)), table[i].start);
        assert_int_equal(zone_day_start_ms(zone, ms / TIME_DAY_MS + 1) - start_ms,
                         table[i].minutes * TIME_MINUTE_MS);
    }
}

TEST(zones, a_table_written_and_read_is_the_same_table)
{
    SCOPED(zones_closep) struct zones *zones = NULL, *back = NULL;
    SCOPED(buf_donep) struct buf       bytes = buf_make(BYTES_MAX), again = buf_make(BYTES_MAX);
    assert_ok(zones_of_system(&zones, NULL, NULL));
    zones_write(zones, &bytes);
    assert_ok(buf_err(&bytes));
    assert_ok(zones_read(&back, buf_view(&bytes)));
    zones_write(back, &again);
    assert_true(str_eq(buf_view(&bytes), buf_view(&again)));
    printf("  %zu bytes\n", bytes.len);
}

TEST(zones, a_machine_without_zones_is_told_what_to_install)
{
    struct zones  *zones;
    struct problem problem = { 0 };
    assert_int_equal(zones_of_system(&zones, "/proc/self/fd", &problem), ERR_ABSENT);
    assert_str(str_of(problem.remedy), "Install the package tzdata.");
}
