/* Days and clocks of zones made by hand; all zones of the system are in run/core/zones_test.c. */
#include "base/zone.h"

#include "base/test.h"
#include "base/zone_file.h"

#include <string.h>

enum { HOUR_S = 3600, TEXT_BYTES_MAX = 1 << 16 };

static int64_t instant(const char *text)
{
    int64_t ms;
    assert_ok(time_parse(str_of(text), &ms));
    return ms;
}

static int64_t day_of(const char *text)
{
    return instant(text) / TIME_DAY_MS;
}

/* The shifts are told as instants in UTC. */
static struct zone_shift shift(const char *at, int hours)
{
    return (struct zone_shift){ instant(at) / 1000, hours * HOUR_S };
}

static void assert_begins(const struct zone *zone, const char *day, const char *expected)
{
    char text[TIME_TEXT_BYTES];
    assert_str(str_of(time_write(zone_day_start_ms(zone, day_of(day)), text)), expected);
}

TEST(zone, without_one_days_are_those_of_utc)
{
    assert_begins(NULL, "2026-03-01", "2026-03-01T00:00:00.000Z");
    assert_int_equal(zone_day_of(NULL, -1), -1);
    assert_int_equal(zone_day_of(NULL, 0), 0);
    assert_int_equal(zone_offset_ms(NULL, 0), 0);
}

TEST(zone, a_day_whose_midnight_is_left_out_begins_at_one)
{
    const struct zone_shift havana[] = { shift("2026-03-08T05:00:00Z", -4),
                                         shift("2026-11-01T05:00:00Z", -5) };
    const struct zone       zone = { STR("Havana"), havana, 2, -5 * HOUR_S };
    assert_begins(&zone, "2026-03-08", "2026-03-08T05:00:00.000Z"); /* 01:00 in Havana */
    assert_begins(&zone, "2026-03-09", "2026-03-09T04:00:00.000Z"); /* 23 hours later */
    /* At 01:00 the clocks go back to midnight: the day begins at the first midnight. */
    assert_begins(&zone, "2026-11-01", "2026-11-01T04:00:00.000Z");
    assert_begins(&zone, "2026-11-02", "2026-11-02T05:00:00.000Z"); /* 25 hours later */
    assert_int_equal(zone_day_of(&zone, instant("2026-03-08T04:59:59.999Z")), day_of("2026-03-07"));
    assert_int_equal(zone_day_of(&zone, instant("2026-03-08T05:00:00Z")), day_of("2026-03-08"));
}

TEST(zone, a_day_that_has_begun_stays_though_the_clocks_go_back_over_midnight)
{
    /* 00:01 on the 2nd becomes 23:01 on the 1st. */
    const struct zone_shift back[] = { shift("2003-11-02T00:01:00Z", -1) };
    const struct zone       zone = { STR("Johns"), back, 1, 0 };
    assert_begins(&zone, "2003-11-02", "2003-11-02T00:00:00.000Z");
    assert_int_equal(zone_day_of(&zone, instant("2003-11-02T00:30:00Z")), day_of("2003-11-02"));
    assert_begins(&zone, "2003-11-03", "2003-11-03T01:00:00.000Z");
}

TEST(zone, a_day_that_has_begun_stays_though_the_clocks_go_forward_a_little_soon_after)
{
    const struct zone_shift both[] = { shift("2028-02-29T00:30:00Z", -9),
                                       shift("2028-02-29T02:00:00Z", -8) };
    const struct zone       zone = { STR("X"), both, 2, 0 };
    assert_int_equal(zone_day_of(&zone, instant("2028-02-29T03:00:00Z")), day_of("2028-02-29"));
}

TEST(zone, a_day_that_was_left_out_is_empty)
{
    const struct zone_shift apia[] = { shift("2011-12-30T10:00:00Z", 14) };
    const struct zone       zone = { STR("Apia"), apia, 1, -10 * HOUR_S };
    assert_begins(&zone, "2011-12-30", "2011-12-30T10:00:00.000Z");
    assert_begins(&zone, "2011-12-31", "2011-12-30T10:00:00.000Z");
    assert_int_equal(zone_day_of(&zone, instant("2011-12-30T09:59:59.999Z")), day_of("2011-12-29"));
    assert_int_equal(zone_day_of(&zone, instant("2011-12-30T10:00:00Z")), day_of("2011-12-31"));
}

TEST(zone, a_time_in_a_gap_is_its_end_and_of_two_the_first_counts)
{
    const struct zone_shift oslo[] = { shift("2026-03-29T01:00:00Z", 2),
                                       shift("2026-10-25T01:00:00Z", 1) };
    const struct zone       zone = { STR("Oslo"), oslo, 2, HOUR_S };
    assert_int_equal(zone_instant_ms(&zone, instant("2026-03-29T02:30:00Z")),
                     instant("2026-03-29T01:00:00Z"));
    assert_int_equal(zone_instant_ms(&zone, instant("2026-10-25T02:30:00Z")),
                     instant("2026-10-25T00:30:00Z"));
}

TEST(zone, names_are_found_as_people_write_them_and_what_is_no_table_is_refused)
{
    const struct zone_shift back[] = { shift("2003-11-02T00:01:00Z", -1),
                                       shift("2003-11-02T00:01:00Z", 0) };
    const struct zone       good[] = { { STR("Europe/Oslo"), NULL, 0, HOUR_S },
                                       { STR("UTC"), NULL, 0, 0 } };
    const struct zone       twice[] = { { STR("UTC"), NULL, 0, 0 }, { STR("utc"), NULL, 0, 0 } };
    const struct zone       unordered = { STR("X"), back, 2, 0 };
    const struct zone       far = { STR("X"), NULL, 0, 30 * HOUR_S };
    SCOPED(zones_closep) struct zones *zones = NULL;
    assert_ok(zones_make(&zones, STR("1"), good, 2));
    assert_ptr_equal(zone_find(zones, STR("europe/OSLO")), zones_at(zones, 0));
    assert_null(zone_find(zones, STR("Europe/Bergen")));
    assert_null(zone_find(NULL, STR("UTC")));
    struct zones *none;
    assert_int_equal(zones_make(&none, STR("1"), twice, 2), ERR_INPUT);
    assert_int_equal(zones_make(&none, STR("1"), &unordered, 1), ERR_INPUT);
    assert_int_equal(zones_make(&none, STR("1"), &far, 1), ERR_INPUT);
}

TEST(zone, a_written_table_cut_anywhere_is_refused)
{
    const struct zone_shift            oslo[] = { shift("2026-03-29T01:00:00Z", 2),
                                                  shift("2026-10-25T01:00:00Z", 1) };
    const struct zone                  list[] = { { STR("Europe/Oslo"), oslo, 2, HOUR_S },
                                                  { STR("Europe/Rome"), oslo, 2, HOUR_S } };
    SCOPED(zones_closep) struct zones *zones = NULL, *back = NULL;
    SCOPED(buf_donep) struct buf       bytes = buf_make(TEXT_BYTES_MAX);
    assert_ok(zones_make(&zones, STR("2026a"), list, 2));
    zones_write(zones, &bytes);
    assert_ok(zones_read(&back, buf_view(&bytes)));
    assert_str(zones_version(back), "2026a");
    assert_ptr_equal(zones_at(back, 0)->shifts, zones_at(back, 1)->shifts);
    assert_int_equal(zones_at(back, 1)->shifts[1].at_s, oslo[1].at_s);
    for (size_t cut = 0; cut < bytes.len; cut++) {
        struct zones *none;
        assert_int_equal(zones_read(&none, str_slice(buf_view(&bytes), 0, cut)), ERR_CORRUPT);
    }
}

/* Version 2 without listed shifts: the rule alone. */
static struct str file_of(struct arena *arena, const char *rule)
{
    static const char head[] = "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                               "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\1";
    static const char block[] = "\0\0\0\0\0\0\0"; /* one type, one letter */
    struct str        text = str_format(arena, "\n%s\n", rule);
    size_t            one = sizeof head - 1 + sizeof block - 1;
    char             *bytes = arena_alloc(arena, 2 * one + text.len);
    for (int i = 0; i < 2; i++) {
        memcpy(bytes + (size_t)i * one, head, sizeof head - 1);
        memcpy(bytes + (size_t)i * one + sizeof head - 1, block, sizeof block - 1);
    }
    memcpy(bytes + 2 * one, text.ptr, text.len);
    return (struct str){ bytes, 2 * one + text.len };
}

TEST(zone_file, the_rule_for_later_years_is_read_in_all_its_forms)
{
    static const struct {
        const char *rule, *year, *first; /* the first shift after that day */
        int         hours;
    } table[] = {
        { "CET-1CEST,M3.5.0,M10.5.0/3", "2099-01-01", "2099-03-29T01:00:00.000Z", 2 },
        { "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2090-01-01", "2090-03-26T01:00:00.000Z", -1 },
        { "IST-1GMT0,M10.5.0,M3.5.0/1", "2050-01-01", "2050-03-27T01:00:00.000Z", 1 },
        { "XXX5YYY,J60,300/0", "2024-01-01", "2024-03-01T07:00:00.000Z", -4 },
        { "XXX5YYY,59,300/0", "2024-01-01", "2024-02-29T07:00:00.000Z", -4 },
    };
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct zone zone;
        char        text[TIME_TEXT_BYTES];
        uint32_t    at = 0;
        assert_ok(zone_file_read(arena, STR("X"), file_of(arena, table[i].rule), &zone));
        while (zone.shifts[at].at_s < instant(table[i].year) / 1000)
            at++;
        assert_str(str_of(time_write(zone.shifts[at].at_s * 1000, text)), table[i].first);
        assert_int_equal(zone.shifts[at].offset_s, table[i].hours * HOUR_S);
    }
}

TEST(zone_file, bytes_that_are_no_zone_are_refused)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(4 << 20);
    struct str                         good = file_of(arena, "CET-1CEST,M3.5.0,M10.5.0/3");
    struct zone                        zone;
    for (size_t cut = 0; cut < good.len; cut++) {
        assert_int_equal(zone_file_read(arena, STR("X"), str_slice(good, 0, cut), &zone),
                         ERR_INPUT);
        arena_reset(arena);
        good = file_of(arena, "CET-1CEST,M3.5.0,M10.5.0/3");
    }
    static const char *const rules[] = { "CET", "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.5.0",
                                         "<CET-1", "CET-200" };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        assert_int_equal(zone_file_read(arena, STR("X"), file_of(arena, rules[i]), &zone),
                         ERR_INPUT);
}
