/* Conditions that differ in one place are not the same; each mistake of a text or of JSON is told.
 */
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "engine/segment/segment.h"

enum { ARENA_BYTES = 64 << 20 };

static const struct segment_node *parsed(struct arena *arena, const char *text)
{
    const struct segment_node *node = NULL;
    struct problem             problem = { 0 };
    if (segment_parse(arena, str_of(text), &node, &problem) != OK)
        print_error("%s: %s: %s\n", text, problem.where, problem.what);
    assert_non_null(node);
    return node;
}

/* No two of these say the same. Those of one kind differ in one place each. */
static const char *const alike[] = {
    "everyone",
    "a = 1 and b = 2",
    "a = 1 and b = 3",
    "a = 1 and b = 2 and c = 3",
    "a = 1 or b = 2",
    "not a = 1",
    "a = 1",
    "a = 2",
    "a = 1.5",
    "a = \"1\"",
    "a = 2026-01-01",
    "a != 1",
    "a in (1)",
    "a in (1, 2)",
    "b = 1",
    "any a = 1",
    "all a = 1",
    "did \"A\" where any p (x = 1)",
    "did \"A\" where any p (x = 2)",
    "did \"A\" where any q (x = 1)",
    "d is today",
    "e is today",
    "anniversary of d is today",
    "d is between yesterday and today",
    "d is between today and tomorrow",
    "a has been = 1 for 1 day",
    "a has been = 2 for 1 day",
    "a has been = 1 for 2 days",
    "did \"A\"",
    "did \"B\"",
    "did anything",
    "did \"A\" at most 1 time",
    "did \"A\" at least 2 times",
    "did \"A\" where x = 1",
    "did \"A\" where x = 2",
    "did \"A\" in the last 1 day",
    "did \"A\" in the last 2 days",
    "did \"A\" since 2026-01-01",
    "did \"A\" since 2026-01-01T00:00:00Z",
    "did \"A\" since 2026-01-02",
    "did \"A\" between 2026-01-01 and 2026-01-02",
    "did \"A\" between 2026-01-01 and 2026-01-03",
    "did \"A\" between 2026-01-01 and 2026-01-02T23:59:59.999Z",
    "did \"A\" this week",
    "did \"A\" this month",
    "did \"A\" last week",
    "opened any message",
    "opened message \"A\"",
    "opened message \"B\"",
    "opened any message of journey \"A\"",
    "opened any message of broadcast \"A\"",
    "opened any message by anyone",
    "first did \"A\" today",
    "first did \"B\" today",
    "last did \"A\" today",
    "sum of n of \"A\" > 1",
    "sum of n of \"B\" > 1",
    "average of n of \"A\" > 1",
    "sum of n of \"A\" < 1",
    "sum of m of \"A\" > 1",
    "sum of n of \"A\" > 2",
    "sum of n with x = 1 of \"A\" > 1",
    "sum of n with x = 2 of \"A\" > 1",
    "last of n of \"A\" = 1",
    "last of n of \"A\" = 2",
    "did \"A\" then \"B\" within 1 hour",
    "did \"C\" then \"B\" within 1 hour",
    "did \"A\" then \"C\" within 1 hour",
    "did \"A\" then \"B\" within 2 hours",
    "did \"A\" then \"B\" within 1 hour with the same x",
    "did \"A\" then no \"B\" within 1 hour",
    "reached step 1 of (\"A\", \"B\", \"C\") within 1 hour",
    "reached step 1 of (\"A\", \"B\", \"C\") within 1 hour in the last 1 day",
    "reached step 1 of (\"A\", \"B\", \"D\") within 1 hour",
    "reached step 1 of (\"A\", \"B\") within 1 hour",
    "reached step 2 of (\"A\", \"B\", \"C\") within 1 hour",
    "reached step 1 but not step 2 of (\"A\", \"B\", \"C\") within 1 hour",
    "reached step 1 but not step 3 of (\"A\", \"B\", \"C\") within 1 hour",
    "reached step 1 of (\"A\", \"B\", \"C\") within 2 hours",
    "reached step 1 of (\"A\", \"B\", \"C\") within 1 hour with the same x",
    "in segment \"A\"",
    "in segment \"B\"",
    "in list \"A\"",
    "in stage \"A\"",
    "in journey \"A\"",
    "in journey \"A\" at \"x\"",
    "in journey \"A\" at \"y\"",
    "consent is granted",
    "consent is refused",
    "consent to \"A\" is granted",
    "consent to \"B\" is granted",
    "consent by \"sms\" is granted",
    "in 10% by \"A\"",
    "in 20% by \"A\"",
    "in 10% by \"B\"",
};
enum { ALIKE = sizeof alike / sizeof alike[0] };

TEST(segment_alike, conditions_that_differ_in_one_place_are_two)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(ARENA_BYTES);
    const struct segment_node         *nodes[ALIKE];
    for (size_t i = 0; i < ALIKE; i++)
        nodes[i] = parsed(arena, alike[i]);
    for (size_t i = 0; i < ALIKE; i++)
        for (size_t k = 0; k < ALIKE; k++) {
            if (segment_eq(nodes[i], nodes[k]) != (i == k))
                print_error("%s | %s\n", alike[i], alike[k]);
            assert_true(segment_eq(nodes[i], nodes[k]) == (i == k));
        }
}

/* ---- texts */

static const char *const wrong[] = {
    "a = \"x",
    "a = \"x\\",
    "a = \"x\n\"",
    "a = \"\x01\"",
    "a = \"\\q\"",
    "a = \"\\u12\"",
    "a = \"\\u12g4\"",
    "a = \"\\u12@4\"",
    "a = \"\\uDC00\"",
    "a = \"\\uD800\"",
    "a = \"\\uD800\\n\"",
    "a = \"\\uD800x\"",
    "a = \"\\uD800\\u0041\"",
    "a = \"\\uD800\\uE000\"",
    "a = 2026-13-01",
    "a = 2026-01-01T00:00:00+99",
    "a = 1.",
    "a = 1e",
    "a = 1e+",
    "a = 1.x",
    "a ! 1",
    "a - 1",
    "a # 1",
    "a = 1 b = 2",
    "did",
    "did A",
    "did \"A\" at",
    "did \"A\" at all",
    "did \"A\" at least",
    "did \"A\" at least 1.5 times",
    "did \"A\" at least 2 times exactly 3 times",
    "did \"A\" more",
    "did \"A\" more than x",
    "did \"A\" in",
    "did \"A\" in the",
    "did \"A\" in the last",
    "did \"A\" in the last 3",
    "did \"A\" in the last x days",
    "did \"A\" in the last 3 moons",
    "did \"A\" today in the last 3 days",
    "did \"A\" between 2026-01-02 and 2026-01-01",
    "did \"A\" between 3 and 4",
    "did \"A\" since x",
    "did \"A\" then \"B\"",
    "did \"A\" then \"B\" within 1h with the same x with the same y",
    "reached step 1 of (\"A\", \"B\") within 1h today this week",
    "reached step 99 of (\"A\", \"B\") within 1h",
    "reached step x of (\"A\", \"B\") within 1h",
    "opened any letter",
    "opened any message of club \"x\"",
    "opened any message by them",
    "sum of n of \"A\"",
    "sum of n of \"A\" contains 3",
    "sum of n of \"A\" > x",
    "sum of n of \"A\" in 3",
    "most n of \"A\" > 3",
    "days between \"A\"",
    "in",
    "in segment",
    "in segment x",
    "in x%",
    "in 10%",
    "in 10% by",
    "a is",
    "a is in",
    "a is between today",
    "a is between today and",
    "a is between tomorrow and today",
    "a is in 99999 days",
    "a is 99999 days ago",
    "anniversary of a is in 999 days",
    "anniversary of a is 999 days ago",
    "a has",
    "a has been",
    "a has been = 1",
    "a has been = 1 for",
    "a has been is the key for 1 day",
    "a between 3",
    "a between 3 and",
    "a between 9 and 3",
    "a between 3 and \"x\"",
    "a in",
    "a in (",
    "a in (1",
    "a in (1 2)",
    "a matches 3",
    "a does",
    "a does not",
    "a not",
    "a not in",
    "a starts",
    "a starts with",
    "a contains 3",
    "and",
    "or a = 1",
    "not",
    "(a = 1",
    "a = 1)",
    "consent",
    "consent to",
    "consent to \"news\" by",
    "consent is",
    "trait",
    "trait 3 = 4",
    "trait \"\" = 4",
    "a = 1 days",
    "a = 3 days",
    "a = 3 days before",
    "a < 3 days from",
};

TEST(segment_alike, every_wrong_text_has_a_place_a_fault_and_a_remedy)
{
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        SCOPED(arena_closep) struct arena *arena = arena_open(ARENA_BYTES);
        const struct segment_node         *node = NULL;
        struct problem                     problem = { 0 };
        enum err err = segment_parse(arena, str_of(wrong[i]), &node, &problem);
        if (err != ERR_INPUT || node != NULL || problem.where[0] == 0 || problem.remedy[0] == 0)
            print_error("%s: %s, %s: %s\n", wrong[i], err_name(err), problem.where, problem.what);
        assert_int_equal(err, ERR_INPUT);
        assert_true(node == NULL && problem.where[0] != 0 && problem.remedy[0] != 0);
    }
}

TEST(segment_alike, escapes_stand_for_every_character)
{
    static const struct {
        const char *text, *is;
    } same[] = {
        { "a = \"\\u0041\"", "a = \"A\"" },
        { "a = \"\\u00e6\"", "a = \"æ\"" },
        { "a = \"\\u20AC\"", "a = \"€\"" },
        { "a = \"\\ud83d\\uDE00\"", "a = \"😀\"" },
        { "a = \"\\/\\t\\b\\f\\n\\r\"", "a = \"/\\t\\u0008\\u000c\\n\\r\"" },
        { "\ta =\r\n1", "a = 1" },
        { "a = 1e+3", "a = 1000.0" },
        { "a = 1e-3", "a = 0.001" },
        { "a = 2026-01-01T00:00:00+01:00", "a = 2025-12-31T23:00:00Z" },
    };
    SCOPED(arena_closep) struct arena *arena = arena_open(ARENA_BYTES);
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        assert_true(segment_eq(parsed(arena, same[i].text), parsed(arena, same[i].is)));
    const struct segment_node *node;
    assert_int_equal(segment_parse(arena, (struct str){ "a = 1 \0", 7 }, &node, NULL), ERR_INPUT);
    assert_int_equal(segment_parse(arena, (struct str){ "\xE2\x82", 2 }, &node, NULL), ERR_INPUT);
}

/* ---- bounds */

static enum err parse_many(const char *before, const char *one, const char *between,
                           const char *after, size_t count, struct problem *problem)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(ARENA_BYTES);
    SCOPED(buf_donep) struct buf       text = buf_make(1 << 20);
    const struct segment_node         *node;
    buf_format(&text, "%s", before);
    for (size_t i = 0; i < count; i++)
        buf_format(&text, "%s%s", i == 0 ? "" : between, one);
    buf_format(&text, "%s", after);
    assert_ok(buf_err(&text));
    return segment_parse(arena, buf_view(&text), &node, problem);
}

TEST(segment_alike, what_is_too_long_is_refused_and_what_is_just_not_is_taken)
{
    struct problem problem = { 0 };
    assert_ok(parse_many("a in (", "1", ", ", ")", SEGMENT_VALUES_MAX, &problem));
    assert_int_equal(parse_many("a in (", "1", ", ", ")", SEGMENT_VALUES_MAX + 1, &problem),
                     ERR_LIMIT);
    assert_ok(parse_many("", "a = 1", " or ", "", SEGMENT_NODES_MAX / 2, &problem));
    assert_int_equal(parse_many("", "a = 1", " or ", "", SEGMENT_NODES_MAX, &problem), ERR_LIMIT);
    assert_ok(parse_many("did \"", "x", "", "\"", SEGMENT_NAME_BYTES_MAX, &problem));
    assert_int_equal(parse_many("did \"", "x", "", "\"", SEGMENT_NAME_BYTES_MAX + 1, &problem),
                     ERR_INPUT);
    assert_int_equal(parse_many("a = \"", "x", "", "\"", SEGMENT_TEXT_BYTES_MAX, &problem),
                     ERR_LIMIT);
    assert_int_equal(parse_many("reached step 1 of (", "\"A\"", ", ", ") within 1h",
                                SEGMENT_STEPS_MAX + 1, &problem),
                     ERR_LIMIT);
    assert_int_equal(parse_many("", "a = 1", " ", "", 9, &problem), ERR_INPUT);
    assert_int_equal(parse_many("a ", "æ", "", "", 200, &problem), ERR_INPUT);
    assert_int_equal(parse_many("a = 1 \"", "æ", "", "\"", 200, &problem), ERR_INPUT);
}

/* ---- JSON */

static const char *const wrong_json[] = {
    "5",
    "{\"and\":5}",
    "{\"and\":[]}",
    "{\"not\":5}",
    "{\"everyone\":false}",
    "{\"everyone\":1}",
    "{\"share\":\"x\",\"seed\":\"s\"}",
    "{\"share\":-1,\"seed\":\"s\"}",
    "{\"share\":5}",
    "{\"did\":\"A\",\"at_least\":1.5}",
    "{\"did\":\"A\",\"at_least\":9999999999}",
    "{\"did\":\"A\",\"at_least\":-9999999999}",
    "{\"did\":\"A\",\"between\":5}",
    "{\"did\":\"A\",\"between\":[\"2026-01-02\",\"2026-01-01\"]}",
    "{\"did\":\"A\",\"during\":5}",
    "{\"did\":\"A\",\"in_the_last\":5}",
    "{\"did\":\"A\",\"in_the_last\":\"0 days\"}",
    "{\"did\":\"A\",\"since_entry\":false}",
    "{\"did\":\"A\",\"since_entry\":1}",
    "{\"did\":{}}",
    "{\"did\":[]}",
    "{\"did\":{\"opened\":\"any\",\"by\":5}}",
    "{\"did\":{\"opened\":\"any\",\"by\":\"them\"}}",
    "{\"did\":{\"opened\":{\"message\":\"x\",\"journey\":\"y\"}}}",
    "{\"did\":{\"opened\":{\"club\":\"x\"}}}",
    "{\"did\":\"A\",\"then\":\"B\"}",
    "{\"did\":\"A\",\"then\":\"B\",\"within\":5}",
    "{\"did\":\"A\",\"then\":5,\"within\":\"1 day\"}",
    "{\"funnel\":5,\"step\":1,\"within\":\"1 day\"}",
    "{\"funnel\":[5,6],\"step\":1,\"within\":\"1 day\"}",
    "{\"funnel\":[{\"did\":\"A\"},{\"did\":\"B\"}],\"step\":-1,\"within\":\"1 day\"}",
    "{\"funnel\":[{\"did\":\"A\"},{\"did\":\"B\"}],\"step\":1,\"not_step\":0,\"within\":\"1d\"}",
    "{\"funnel\":[{\"did\":\"A\"},{\"did\":\"B\"}],\"step\":1,\"not_step\":9,\"within\":\"1d\"}",
    "{\"funnel\":[{\"did\":\"A\"},{\"did\":\"B\"}],\"step\":1}",
    "{\"sum\":\"n\",\"of\":\"A\",\"op\":\">\"}",
    "{\"sum\":\"n\",\"of\":\"A\",\"op\":\">\",\"value\":\"x\"}",
    "{\"sum\":\"n\",\"of\":\"A\",\"op\":\"~\",\"value\":1}",
    "{\"sum\":\"n\",\"op\":\">\",\"value\":1}",
    "{\"days_between\":\"n\",\"of\":\"A\",\"op\":\">\",\"value\":1}",
    "{\"trait\":5,\"op\":\"exists\"}",
    "{\"trait\":\"a\"}",
    "{\"trait\":\"a\",\"op\":\"=\"}",
    "{\"trait\":\"a\",\"op\":\"=\",\"value\":null}",
    "{\"trait\":\"a\",\"op\":\"=\",\"value\":[]}",
    "{\"trait\":\"a\",\"op\":\"in\"}",
    "{\"trait\":\"a\",\"op\":\"in\",\"values\":5}",
    "{\"trait\":\"a\",\"op\":\"in\",\"values\":[]}",
    "{\"trait\":\"a\",\"op\":\"between\",\"values\":[1]}",
    "{\"trait\":\"a\",\"op\":\"between\",\"values\":[1,2,3]}",
    "{\"trait\":\"a\",\"op\":\"between\",\"values\":[3,1]}",
    "{\"trait\":\"a\",\"op\":\"=\",\"value\":{\"now\":false}}",
    "{\"trait\":\"a\",\"op\":\"=\",\"value\":{\"club\":1}}",
    "{\"trait\":\"a\",\"op\":\"=\",\"value\":{\"days_from_today\":-99999}}",
    "{\"trait\":\"a\",\"op\":\"=\",\"value\":{\"days_from_today\":1.5}}",
    "{\"trait\":\"a\",\"op\":\"=\",\"value\":1,\"for\":5}",
    "{\"property\":\"a\",\"op\":\"=\",\"value\":1}",
    "{\"day_of\":\"x\",\"from_days\":-99999,\"to_days\":1}",
    "{\"day_of\":\"x\",\"from_days\":-99999,\"to_days\":-99998}",
    "{\"day_of\":\"x\",\"from_days\":1,\"to_days\":99999}",
    "{\"anniversary_of\":\"x\",\"from_days\":1,\"to_days\":999}",
    "{\"anniversary_of\":\"x\",\"from_days\":-999,\"to_days\":-998}",
    "{\"did\":\"A\",\"where\":{\"property\":\"p\",\"which\":5,\"op\":\"=\",\"value\":1}}",
    "{\"did\":\"A\",\"where\":{\"property\":\"p\",\"which\":\"none\",\"op\":\"=\",\"value\":1}}",
    "{\"did\":\"A\",\"where\":{\"property\":\"p\",\"which\":\"any\",\"element\":5}}",
    "{\"did\":\"A\",\"where\":5}",
    "{\"consent\":5}",
    "{\"consent\":\"granted\",\"to\":5}",
    "{\"in_segment\":5}",
    "{\"in_segment\":\"\"}",
    "{\"in_journey\":\"x\",\"at\":5}",
    "{\"score\":5}",
    "{\"score\":{},\"op\":\">\",\"value\":1}",
    "{\"first_time\":true,\"of\":\"A\",\"op\":\"=\",\"value\":{}}",
};

TEST(segment_alike, every_wrong_json_has_a_place_a_fault_and_a_remedy)
{
    for (size_t i = 0; i < sizeof wrong_json / sizeof wrong_json[0]; i++) {
        SCOPED(arena_closep) struct arena *arena = arena_open(ARENA_BYTES);
        const struct segment_node         *node = NULL;
        struct problem                     problem = { 0 };
        struct json                        json;
        assert_ok(json_parse_once(arena, str_of(wrong_json[i]), &json, NULL));
        enum err err = segment_parse_json(arena, &json, &node, &problem);
        if (err != ERR_INPUT)
            print_error("%s: %s\n", wrong_json[i], err_name(err));
        assert_int_equal(err, ERR_INPUT);
        assert_true(node == NULL && problem.where[0] != 0 && problem.remedy[0] != 0);
        err = segment_parse_value_json(arena, &json, &node, &problem);
        assert_int_equal(err, ERR_INPUT);
    }
}
