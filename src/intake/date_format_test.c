#include "intake/date_format.h"

#include "base/test.h"
#include "base/time.h"

TEST(date_format, the_ways_files_write_a_day)
{
    static const struct {
        const char *format, *text, *at;
    } good[] = {
        { "%Y%m%d", "19970112", "1997-01-12T00:00:00.000Z" },
        { "%d.%m.%Y", "2.1.2026", "2026-01-02T00:00:00.000Z" },
        { "%m/%d/%y %H:%M", "01/02/26 3:04", "2026-01-02T03:04:00.000Z" },
        { "%m/%d/%y", "01/02/99", "1999-01-02T00:00:00.000Z" },
        { "%d %b %Y", "02 jan 2026", "2026-01-02T00:00:00.000Z" },
        { "%Y-%m-%dT%H:%M:%S%z", "2026-01-02T03:04:05+0100", "2026-01-02T02:04:05.000Z" },
        { "%Y", "2024", "2024-01-01T00:00:00.000Z" },
        { "%Y%m%d", " 20240229 ", "2024-02-29T00:00:00.000Z" },
        { "100%% %Y", "100% 2024", "2024-01-01T00:00:00.000Z" },
        { "iso", "2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678Z" },
        { "epoch", "1767323045", "2026-01-02T03:04:05.000Z" },
        { "epoch", "1767323045.5", "2026-01-02T03:04:05.500Z" },
        { "epoch_ms", "1767323045678", "2026-01-02T03:04:05.678Z" },
    };
    static const struct {
        const char *format, *text;
    } bad[] = {
        { "%Y%m%d", "1997011" },
        { "%Y%m%d", "199701123" },
        { "%Y%m%d", "19971301" },
        { "%Y%m%d", "20250229" },
        { "%Y%m%d", "" },
        { "%d.%m.%Y", "2.1.26" },
        { "%H:%M %Y", "24:00 2024" },
        { "%d %b %Y", "02 foo 2026" },
        { "iso", "2026" },
        { "epoch", "soon" },
        { "epoch", "1e300" },
        { "%Y%z", "2024+9" },
    };
    char    text[TIME_TEXT_BYTES];
    int64_t at_ms;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(date_format_is(str_of(good[i].format)));
        assert_ok(date_format_read(str_of(good[i].format), str_of(good[i].text), &at_ms));
        assert_string_equal(time_write(at_ms, text), good[i].at);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(date_format_read(str_of(bad[i].format), str_of(bad[i].text), &at_ms),
                         ERR_INPUT);
}

TEST(date_format, a_format_without_a_year_or_with_an_unknown_letter_is_none)
{
    static const char *const bad[] = { "", "%d.%m.", "%Y %Q", "%Y%", "unix" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(date_format_is(str_of(bad[i])));
}
