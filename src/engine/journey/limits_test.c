/* Quiet hours and limits: what a document may say, and when people are left in peace. */
#include "engine/journey/limits.h"

#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "base/time.h"

static enum err parse(const char *text, struct limits_def *def, struct problem *problem)
{
    *def = (struct limits_def){ .version = 7 };
    return limits_parse(str_of(text), NULL, def, problem);
}

TEST(limits, a_document_says_all_or_is_refused_at_its_place)
{
    static const struct {
        const char *text, *where;
    } bad[] = {
        { "[]", "limits" },
        { "{\"quite\":[]}", "quite" },
        { "{\"quiet\":{}}", "quiet" },
        { "{\"quiet\":[1]}", "quiet[0]" },
        { "{\"quiet\":[{\"from\":\"21:00\"}]}", "quiet[0].to" },
        { "{\"quiet\":[{\"to\":\"21:00\"}]}", "quiet[0].from" },
        { "{\"quiet\":[{\"from\":\"25:00\",\"to\":\"08:00\"}]}", "quiet[0].from" },
        { "{\"quiet\":[{\"from\":\"21:00\",\"to\":\"monday 08:00\"}]}", "quiet[0].to" },
        { "{\"quiet\":[{\"from\":\"birthday\",\"to\":\"08:00\"}]}", "quiet[0].from" },
        { "{\"quiet\":[{\"from\":\"21:00\",\"to\":\"08:00\",\"channels\":[]}]}",
          "quiet[0].channels" },
        { "{\"quiet\":[{\"from\":\"21:00\",\"to\":\"08:00\",\"channels\":[\"pigeon\"]}]}",
          "quiet[0].channels" },
        { "{\"quiet\":[{\"from\":\"21:00\",\"to\":\"08:00\",\"zone\":\"UTC\"}]}", "quiet[0]" },
        { "{\"limits\":[{\"in\":\"1 day\"}]}", "limits[0].most" },
        { "{\"limits\":[{\"most\":0,\"in\":\"1 day\"}]}", "limits[0].most" },
        { "{\"limits\":[{\"most\":101,\"in\":\"1 day\"}]}", "limits[0].most" },
        { "{\"limits\":[{\"most\":1}]}", "limits[0].in" },
        { "{\"limits\":[{\"most\":1,\"in\":\"10s\"}]}", "limits[0].in" },
        { "{\"limits\":[{\"most\":1,\"in\":\"367 days\"}]}", "limits[0].in" },
        { "{\"limits\":[{\"most\":1,\"in\":\"1 day\"},{\"most\":1,\"in\":\"1 day\",\"channel\":"
          "\"webhook\"}]}",
          "limits[1].channel" },
        { "{\"limits\":[{\"most\":1,\"in\":\"1 day\",\"topic\":\"\"}]}", "limits[0].topic" },
        { "{\"limits\":[{\"most\":1,\"in\":\"1 day\",\"wait\":\"31 days\"}]}", "limits[0].wait" },
        { "{\"limits\":[{\"most\":1,\"in\":\"1 day\",\"each\":true}]}", "limits[0]" },
    };
    struct limits_def def;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct problem problem;
        assert_int_equal(parse(bad[i].text, &def, &problem), ERR_INPUT);
        assert_string_equal(problem.where, bad[i].where);
        assert_int_equal(def.version, 7); /* as it was */
    }
    struct problem problem;
    assert_ok(parse("{\"note\":\"Be kind.\",\"quiet\":[{\"from\":\"21:00\",\"to\":\"08:00\"}],"
                    "\"limits\":[{\"most\":3,\"in\":\"7 days\",\"channel\":\"email\",\"topic\":"
                    "\"news\",\"wait\":\"12 hours\"}]}",
                    &def, &problem));
    assert_int_equal(def.quiet_count, 1);
    assert_int_equal(def.most_count, 1);
    assert_int_equal(def.version, 7);
    assert_true(def.most[0].wait_ms == 12 * TIME_HOUR_MS && def.most[0].in_ms == 7 * TIME_DAY_MS);
}

static int64_t at(const char *text)
{
    int64_t ms;
    assert_ok(time_parse(str_of(text), &ms));
    return ms;
}

/* As the clocks of a zone with summer time: forward on 2026-03-29 01:00 UTC, back on 10-25. */
static struct zone summer_zone(struct zone_shift shifts[2])
{
    shifts[0] = (struct zone_shift){ at("2026-03-29T01:00:00Z") / 1000, 2 * 3600 };
    shifts[1] = (struct zone_shift){ at("2026-10-25T01:00:00Z") / 1000, 1 * 3600 };
    return (struct zone){ STR("Test/Summer"), shifts, 2, 3600 };
}

TEST(limits, quiet_hours_are_those_of_the_clock_on_the_wall)
{
    static const struct {
        const char *text, *now, *until; /* until NULL: it is not quiet */
    } cases[] = {
        /* every night; in January the clock is an hour ahead of UTC */
        { "{\"quiet\":[{\"from\":\"21:00\",\"to\":\"08:00\"}]}", "2026-01-05T19:59:59Z", NULL },
        { "{\"quiet\":[{\"from\":\"21:00\",\"to\":\"08:00\"}]}", "2026-01-05T20:00:00Z",
          "2026-01-06T07:00:00Z" },
        { "{\"quiet\":[{\"from\":\"21:00\",\"to\":\"08:00\"}]}", "2026-01-06T06:59:59Z",
          "2026-01-06T07:00:00Z" },
        { "{\"quiet\":[{\"from\":\"21:00\",\"to\":\"08:00\"}]}", "2026-01-06T07:00:00Z", NULL },
        /* the night in which the clocks go forward is an hour shorter, the other an hour longer */
        { "{\"quiet\":[{\"from\":\"21:00\",\"to\":\"08:00\"}]}", "2026-03-28T20:00:00Z",
          "2026-03-29T06:00:00Z" },
        { "{\"quiet\":[{\"from\":\"21:00\",\"to\":\"08:00\"}]}", "2026-10-24T19:00:00Z",
          "2026-10-25T07:00:00Z" },
        /* it ends at a time that the clocks leave out, and begins in the hour that comes twice */
        { "{\"quiet\":[{\"from\":\"21:00\",\"to\":\"02:30\"}]}", "2026-03-29T00:30:00Z",
          "2026-03-29T01:00:00Z" },
        { "{\"quiet\":[{\"from\":\"02:15\",\"to\":\"02:45\"}]}", "2026-10-25T00:30:00Z",
          "2026-10-25T00:45:00Z" },
        /* a whole day, and the night before and behind it */
        { "{\"quiet\":[{\"from\":\"sunday 00:00\",\"to\":\"00:00\"}]}", "2026-01-04T10:00:00Z",
          "2026-01-04T23:00:00Z" },
        { "{\"quiet\":[{\"from\":\"sunday 00:00\",\"to\":\"00:00\"}]}", "2026-01-03T10:00:00Z",
          NULL },
        { "{\"quiet\":[{\"from\":\"saturday or sunday 00:00\",\"to\":\"00:00\"},"
          "{\"from\":\"22:00\",\"to\":\"07:00\"}]}",
          "2026-01-02T21:30:00Z", "2026-01-05T06:00:00Z" },
        /* the day is that on which it begins */
        { "{\"quiet\":[{\"from\":\"friday 22:00\",\"to\":\"09:00\"}]}", "2026-01-03T07:30:00Z",
          "2026-01-03T08:00:00Z" },
        { "{\"quiet\":[{\"from\":\"friday 22:00\",\"to\":\"09:00\"}]}", "2026-01-02T07:30:00Z",
          NULL },
        /* another channel's */
        { "{\"quiet\":[{\"from\":\"weekend 00:00\",\"to\":\"00:00\",\"channels\":[\"sms\"]}]}",
          "2026-01-03T07:30:00Z", NULL },
    };
    struct zone_shift shifts[2];
    struct zone       zone = summer_zone(shifts);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct limits_def def;
        struct problem    problem;
        char              want[TIME_TEXT_BYTES], got[TIME_TEXT_BYTES];
        assert_ok(parse(cases[i].text, &def, &problem));
        int64_t now_ms = at(cases[i].now);
        time_write(at(cases[i].until == NULL ? cases[i].now : cases[i].until), want);
        time_write(limits_quiet_until_ms(&def, CHANNEL_EMAIL, &zone, now_ms), got);
        assert_string_equal(got, want);
    }
}

TEST(limits, quiet_for_ever_is_refused)
{
    static const char *const bad[] = {
        "{\"quiet\":[{\"from\":\"00:00\",\"to\":\"00:00\"}]}",
        "{\"quiet\":[{\"from\":\"08:00\",\"to\":\"20:00\"},"
        "{\"from\":\"20:00\",\"to\":\"09:00\",\"channels\":[\"sms\"]}]}",
        "{\"quiet\":[{\"from\":\"weekday 00:00\",\"to\":\"00:00\"},"
        "{\"from\":\"weekend 00:00\",\"to\":\"00:00\"}]}",
    };
    struct limits_def def;
    struct problem    problem;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(parse(bad[i], &def, &problem), ERR_INPUT);
    assert_non_null(strstr(problem.what, "email"));
    /* By different channels each may be. */
    assert_ok(parse("{\"quiet\":[{\"from\":\"08:00\",\"to\":\"20:00\",\"channels\":[\"email\"]},"
                    "{\"from\":\"20:00\",\"to\":\"09:00\",\"channels\":[\"sms\"]}]}",
                    &def, &problem));
}

/* Every minute of two months, by asking a clock on the wall. */
TEST(limits, random_quiet_hours_agree_with_a_clock_that_is_looked_at_each_minute)
{
    struct zone_shift shifts[2];
    struct zone       zone = summer_zone(shifts);
    srand(11);
    for (int round = 0; round < 40; round++) {
        struct limits_def def = { .quiet_count = 1 + (uint32_t)(rand() % 2) };
        for (uint32_t i = 0; i < def.quiet_count; i++)
            def.quiet[i] = (struct limits_quiet){
                .channels = 1U << CHANNEL_EMAIL,
                .days = (uint8_t)(1 + rand() % 127),
                .from_ms = (int32_t)(rand() % 48 * 30 * TIME_MINUTE_MS),
                .to_ms = (int32_t)(rand() % 48 * 30 * TIME_MINUTE_MS),
            };
        /* No clock is set in these days: then both are plain arithmetic. */
        int64_t from_ms = at("2026-05-01T00:00:00Z"), until_ms = INT64_MIN;
        for (int64_t ms = from_ms + 12 * TIME_DAY_MS; ms > from_ms; ms -= 30 * TIME_MINUTE_MS) {
            int64_t local = ms + zone_offset_ms(&zone, ms), day = local / TIME_DAY_MS;
            int64_t of_day = local % TIME_DAY_MS;
            bool    quiet = false;
            for (uint32_t i = 0; i < def.quiet_count; i++) {
                struct limits_quiet *q = &def.quiet[i];
                bool                 over = q->to_ms <= q->from_ms;
                bool                 today = (q->days >> ((day + 3) % 7) & 1) != 0;
                bool                 before = (q->days >> ((day + 2) % 7) & 1) != 0;
                quiet = quiet || (today && of_day >= q->from_ms && (over || of_day < q->to_ms)) ||
                        (before && over && of_day < q->to_ms);
            }
            if (!quiet)
                until_ms = ms;
            else if (until_ms == INT64_MIN)
                continue; /* its end lies behind what was looked at */
            if (until_ms - ms > 7 * TIME_DAY_MS)
                break;
            assert_true(limits_quiet_until_ms(&def, CHANNEL_EMAIL, &zone, ms) == until_ms);
        }
    }
}
