#include "template/date.h"

#include "base/test.h"

static void assert_date(const char *text, const char *format, const char *expected)
{
    struct date date;
    struct buf  out = buf_make(4096);
    /* 2026-03-14T15:04:05.678Z, a Saturday */
    int64_t now_ms = INT64_C(1773500645678);
    if (date_parse(str_of(text), now_ms, &date))
        date_write(&out, &date, str_of(format));
    else
        buf_str(&out, STR("no date"));
    assert_str(buf_view(&out), expected);
    buf_done(&out);
}

TEST(date, people_write_dates_in_many_ways)
{
    assert_date("2016-03-14", "%F %T", "2016-03-14 00:00:00");
    assert_date("2016-03-14T15:04:05.25+02:00", "%F %T.%L %z", "2016-03-14 15:04:05.250 +0200");
    assert_date("2016-03-14T15:04:05Z", "%c %Z", "Mon Mar 14 15:04:05 2016 UTC");
    assert_date("March 14, 2016", "%F", "2016-03-14");
    assert_date("14 Mar 2016 3:30 pm", "%F %R", "2016-03-14 15:30");
    assert_date("Mon, 14 Mar 2016 15:04:05 -0500", "%F %T %:z", "2016-03-14 15:04:05 -05:00");
    assert_date("14/3/2016", "%F", "2016-03-14");
    assert_date("14.3.2016", "%F", "2016-03-14");
    assert_date("20160314T150405", "%F %T", "2016-03-14 15:04:05");
    assert_date("14-Mar-2016", "%F", "2016-03-14");
    assert_date("3pm", "%F %R", "2026-03-14 15:00");
    assert_date("1152098955", "%F %T", "2006-07-05 11:29:15");
    assert_date("now", "%F %T", "2026-03-14 15:04:05");
}

TEST(date, what_is_no_date_is_refused)
{
    static const char *const texts[] = {
        "",      "hello", "2016-13-01",           "2016-02-30", "3/14/2016",
        "12:99", "25:00", "99999999999999999999", "14 14 14 14"
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_date(texts[i], "%F", "no date");
}

TEST(date, directives_take_flags_and_widths)
{
    assert_date("2016-03-04T05:06:07Z", "%-d %e %_m %-I %l %k %j %3d", "4  4  3 5  5  5 064 004");
    assert_date("2016-03-04", "%^a %^B %#p %10A %010Y", "FRI MARCH am     Friday 0000002016");
    assert_date("2016-01-01", "%G-W%V %U %W %u %w %y %C", "2015-W53 00 00 5 5 16 20");
    assert_date("2024-12-30", "%G-W%V %s", "2025-W01 1735516800");
    assert_date("2016-03-04T13:06:07Z", "%D %r %x %X %v %%",
                "03/04/16 01:06:07 PM 03/04/16 "
                "13:06:07  4-MAR-2016 %");
    assert_date("2016-03-04", "%Q %", "%Q %");
    assert_date("2016-03-04T13:06:07.25Z", "%3N %6N %N", "250 250000 250000000");
}
