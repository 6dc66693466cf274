#include "engine/keep.h"

#include "base/test.h"
#include "base/time.h"

static int64_t at(const char *text)
{
    int64_t ms;
    assert_ok(time_parse(str_of(text), &ms));
    return ms;
}

static int64_t from(const char *length, const char *now)
{
    struct keep keep;
    assert_ok(keep_parse(str_of(length), &keep));
    return keep_from_ms(keep, at(now));
}

TEST(keep, what_is_kept_begins_with_a_day)
{
    assert_int_equal(from("90 days", "2026-11-22T15:00:00Z"), at("2026-08-24"));
    assert_int_equal(from("1 day", "2026-11-22T00:00:00Z"), at("2026-11-21"));
    assert_int_equal(from("4 weeks", "2026-11-22T23:59:59Z"), at("2026-10-25"));
    assert_int_equal(from("2 years", "2026-11-22T15:00:00Z"), at("2024-11-22"));
    assert_int_equal(from("for ever", "2026-11-22T15:00:00Z"), TIME_MIN_MS);
}

TEST(keep, a_month_ago_is_the_same_day_or_the_last_of_a_shorter_month)
{
    assert_int_equal(from("1 month", "2026-03-31T15:00:00Z"), at("2026-02-28"));
    assert_int_equal(from("1 month", "2024-03-31T15:00:00Z"), at("2024-02-29"));
    assert_int_equal(from("2 months", "2026-01-15T15:00:00Z"), at("2025-11-15"));
    assert_int_equal(from("1 year", "2024-02-29T15:00:00Z"), at("2023-02-28"));
}

TEST(keep, from_one_day_to_the_next_it_never_moves_back)
{
    static const char *const lengths[] = { "1 month", "6 months", "1 year", "30 days" };
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct keep keep;
        assert_ok(keep_parse(str_of(lengths[i]), &keep));
        int64_t last_ms = TIME_MIN_MS;
        for (int64_t now_ms = at("2023-01-01"); now_ms < at("2029-01-01"); now_ms += TIME_DAY_MS) {
            assert_true(keep_from_ms(keep, now_ms) >= last_ms);
            last_ms = keep_from_ms(keep, now_ms);
        }
    }
}

TEST(keep, what_is_no_length_of_at_least_a_day_is_refused)
{
    static const char *const wrong[] = { "",        "90",        "days",    "0 days",    "-1 days",
                                         "2 hours", "1.5 years", "90days ", "101 years", "never" };
    struct keep              keep;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(keep_parse(str_of(wrong[i]), &keep), ERR_INPUT);
}

TEST(keep, a_document_names_each_event_and_a_mistake_by_its_place)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct keep_rules                  rules;
    struct problem                     problem;
    assert_ok(keep_read(arena,
                        STR("{\"events\":\"2 years\",\"by_event\":{\"Page Viewed\":\"90 days\","
                            "\"Order Completed\":\"for ever\"}}"),
                        &rules, &problem));
    assert_int_equal(rules.rest.unit, KEEP_MONTHS);
    assert_int_equal(rules.rest.count, 24);
    assert_int_equal(rules.events_count, 2);
    assert_int_equal(rules.events[1].keep.unit, KEEP_FOR_EVER);
    assert_ok(keep_read(arena, STR("{}"), &rules, &problem));
    assert_int_equal(rules.rest.unit, KEEP_FOR_EVER);
    assert_int_equal(keep_read(arena, STR("{\"by_event\":{\"Page\":\"90\"}}"), &rules, &problem),
                     ERR_INPUT);
    assert_string_equal(problem.where, "by_event.Page");
    assert_int_equal(keep_read(arena, STR("{\"event\":\"1 year\"}"), &rules, &problem), ERR_INPUT);
    assert_int_equal(keep_read(arena, STR("[]"), &rules, &problem), ERR_INPUT);
}
