/* The two faces of a condition: text and JSON. */
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "engine/segment/segment.h"
#include "engine/segment/segment_random_test.h"

enum { ARENA_BYTES = 16 << 20, OUT_BYTES = 1 << 20 };

static struct arena *arena;

static const struct segment_node *parsed(struct str text)
{
    const struct segment_node *node = NULL;
    struct problem             problem = { 0 };
    if (segment_parse(arena, text, &node, &problem) != OK)
        print_error("%s: %s. %s\n  in: %.*s\n", problem.where, problem.what, problem.remedy,
                    STR_ARG(text));
    assert_non_null(node);
    return node;
}

static const struct segment_node *parsed_json(struct str text)
{
    const struct segment_node *node = NULL;
    struct problem             problem = { 0 };
    struct json                json;
    assert_ok(json_parse_once(arena, text, &json, NULL));
    if (segment_parse_json(arena, &json, &node, &problem) != OK)
        print_error("%s: %s. %s\n  in: %.*s\n", problem.where, problem.what, problem.remedy,
                    STR_ARG(text));
    assert_non_null(node);
    return node;
}

/* Text, its canonical form (NULL: the same), and the JSON. */
static const struct {
    const char *text, *canonical, *json;
} faces[] = {
    { "everyone", NULL, "{\"everyone\":true}" },
    { "DID \"A\"  At Least 1 times", "did \"A\"", "{\"did\":\"A\"}" },
    { "did \"Order Completed\" in the last 30d where revenue > 100 at least 3 times",
      "did \"Order Completed\" at least 3 times in the last 30 days where revenue > 100",
      "{\"did\":\"Order Completed\",\"in_the_last\":\"30 "
      "days\",\"where\":{\"property\":\"revenue\","
      "\"op\":\">\",\"value\":100},\"at_least\":3}" },
    { "never did \"A\" since 1998-01-01", NULL,
      "{\"did\":\"A\",\"since\":\"1998-01-01\",\"at_most\":0}" },
    { "did \"A\" at most 0 times", "never did \"A\"", "{\"did\":\"A\",\"at_most\":0}" },
    { "did \"A\" exactly 1 time not in the last 2 hours", NULL,
      "{\"did\":\"A\",\"not_in_the_last\":\"2 hours\",\"exactly\":1}" },
    { "did \"A\" between 2026-01-01 and 2026-01-31T12:00:00Z",
      "did \"A\" between 2026-01-01 and 2026-01-31T12:00:00.000Z",
      "{\"did\":\"A\",\"between\":[\"2026-01-01\",\"2026-01-31T12:00:00.000Z\"]}" },
    { "did \"A\" since entry", NULL, "{\"did\":\"A\",\"since_entry\":true}" },
    { "did \"A\" where (any p.c = \"tent\" and not (n in (1, 2.5) or s exists))", NULL,
      "{\"did\":\"A\",\"where\":{\"and\":[{\"property\":\"p.c\",\"which\":\"any\",\"op\":\"=\","
      "\"value\":\"tent\"},{\"not\":{\"or\":[{\"property\":\"n\",\"op\":\"in\",\"values\":[1,2.5]},"
      "{\"property\":\"s\",\"op\":\"exists\"}]}}]}}" },
    { "did \"A\" where x = 1 and country = \"NO\"", NULL,
      "{\"and\":[{\"did\":\"A\",\"where\":{\"property\":\"x\",\"op\":\"=\",\"value\":1}},"
      "{\"trait\":\"country\",\"op\":\"=\",\"value\":\"NO\"}]}" },
    { "a = 1 or b = 2 and not c = 3", NULL,
      "{\"or\":[{\"trait\":\"a\",\"op\":\"=\",\"value\":1},{\"and\":[{\"trait\":\"b\",\"op\":\"=\","
      "\"value\":2},{\"not\":{\"trait\":\"c\",\"op\":\"=\",\"value\":3}}]}]}" },
    { "(a = yes and (b != no and c does not exist))", "a = yes and (b != no and c does not exist)",
      "{\"and\":[{\"trait\":\"a\",\"op\":\"=\",\"value\":true},{\"and\":[{\"trait\":\"b\",\"op\":"
      "\"!=\",\"value\":false},{\"trait\":\"c\",\"op\":\"does not exist\"}]}]}" },
    { "trait \"first name\" starts with \"\\u00e6\\n\"",
      "trait \"first name\" starts with \"æ\\n\"",
      "{\"trait\":\"first name\",\"op\":\"starts with\",\"value\":\"æ\\n\"}" },
    { "trait \"last\" ends with \"x\" and born between 1990-01-01 and 1999-12-31", NULL,
      "{\"and\":[{\"trait\":\"last\",\"op\":\"ends with\",\"value\":\"x\"},{\"trait\":\"born\","
      "\"op\":\"between\",\"values\":[{\"date\":\"1990-01-01\"},{\"date\":\"1999-12-31\"}]}]}" },
    { "tags contains \"vip\" and country not in (\"NO\",\"SE\")",
      "tags contains \"vip\" and country not in (\"NO\", \"SE\")",
      "{\"and\":[{\"trait\":\"tags\",\"op\":\"contains\",\"value\":\"vip\"},{\"trait\":\"country\","
      "\"op\":\"not in\",\"values\":[\"NO\",\"SE\"]}]}" },
    { "sum of revenue of \"A\" in the last 90 days where x = 1 > 100",
      "sum of revenue of \"A\" in the last 90 days where (x = 1) > 100",
      "{\"sum\":\"revenue\",\"of\":\"A\",\"in_the_last\":\"90 days\",\"where\":{\"property\":\"x\","
      "\"op\":\"=\",\"value\":1},\"op\":\">\",\"value\":100}" },
    { "distinct count of property \"the sku\" of \"A\" <= 3", NULL,
      "{\"distinct\":\"the sku\",\"of\":\"A\",\"op\":\"<=\",\"value\":3}" },
    { "average of n of \"A\" = -1.5", NULL,
      "{\"average\":\"n\",\"of\":\"A\",\"op\":\"=\",\"value\":-1.5}" },
    { "last did \"A\" more than 30 days ago where n exists", NULL,
      "{\"last_did\":\"A\",\"not_in_the_last\":\"30 days\",\"where\":{\"property\":\"n\",\"op\":"
      "\"exists\"}}" },
    { "first did \"A\" in the last 1 day", "first did \"A\" less than 1 day ago",
      "{\"first_did\":\"A\",\"in_the_last\":\"1 day\"}" },
    { "did \"A\" in the last 7 days then \"B\" where x = 1 within 1 hour", NULL,
      "{\"did\":\"A\",\"in_the_last\":\"7 days\",\"then\":\"B\",\"then_where\":{\"property\":\"x\","
      "\"op\":\"=\",\"value\":1},\"within\":\"1 hour\"}" },
    { "did \"A\" and then no \"B\" within 1 hour and vip = yes", NULL,
      "{\"and\":[{\"did\":\"A\",\"then_no\":\"B\",\"within\":\"1 hour\"},{\"trait\":\"vip\",\"op\":"
      "\"=\",\"value\":true}]}" },
    { "not in segment \"x\" and in list \"y\" or in 12.5% by \"s\"", NULL,
      "{\"or\":[{\"and\":[{\"not\":{\"in_segment\":\"x\"}},{\"in_list\":\"y\"}]},{\"share\":12.5,"
      "\"seed\":\"s\"}]}" },
    { "birthday is today and renewal is tomorrow and born is yesterday", NULL,
      "{\"and\":[{\"day_of\":\"birthday\",\"from_days\":0,\"to_days\":0},{\"day_of\":\"renewal\","
      "\"from_days\":1,\"to_days\":1},{\"day_of\":\"born\",\"from_days\":-1,\"to_days\":-1}]}" },
    { "birthday is in 2 weeks or birthday is 3 days ago",
      "birthday is in 14 days or birthday is 3 days ago",
      "{\"or\":[{\"day_of\":\"birthday\",\"from_days\":14,\"to_days\":14},{\"day_of\":"
      "\"birthday\",\"from_days\":-3,\"to_days\":-3}]}" },
    { "anniversary of birthday is in the next 7 days", NULL,
      "{\"anniversary_of\":\"birthday\",\"from_days\":0,\"to_days\":7}" },
    { "trait \"last seen\" is in the last 1 day", NULL,
      "{\"day_of\":\"last seen\",\"from_days\":-1,\"to_days\":0}" },
    { "renewal is between 3 days ago and in 7 days", NULL,
      "{\"day_of\":\"renewal\",\"from_days\":-3,\"to_days\":7}" },
    { "plan has been = \"pro\" for 14 days", NULL,
      "{\"trait\":\"plan\",\"op\":\"=\",\"value\":\"pro\",\"for\":\"14 days\"}" },
    { "phone has existed for 1 hour", NULL,
      "{\"trait\":\"phone\",\"op\":\"exists\",\"for\":\"1 hour\"}" },
    { "email matches \"@example\\\\.com$\"", NULL,
      "{\"trait\":\"email\",\"op\":\"matches\",\"value\":\"@example\\\\.com$\"}" },
    { "renewal < 30 days from now and joined > 2 hours ago and born <= now", NULL,
      "{\"and\":[{\"trait\":\"renewal\",\"op\":\"<\",\"value\":{\"from_now\":\"30 days\"}},"
      "{\"trait\":\"joined\",\"op\":\">\",\"value\":{\"ago\":\"2 hours\"}},{\"trait\":\"born\","
      "\"op\":\"<=\",\"value\":{\"now\":true}}]}" },
    { "renewal between 1 week before today and 5 days after today or renewal = today",
      "renewal between 7 days before today and 5 days after today or renewal = today",
      "{\"or\":[{\"trait\":\"renewal\",\"op\":\"between\",\"values\":[{\"days_from_today\":-7},"
      "{\"days_from_today\":5}]},{\"trait\":\"renewal\",\"op\":\"=\",\"value\":"
      "{\"days_from_today\":0}}]}" },
    { "born < 1990-05-17T00:00:00Z", "born < 1990-05-17T00:00:00.000Z",
      "{\"trait\":\"born\",\"op\":\"<\",\"value\":{\"date\":\"1990-05-17T00:00:00.000Z\"}}" },
    { "did \"A\" today or did \"A\" last month or last did \"A\" this week", NULL,
      "{\"or\":[{\"did\":\"A\",\"during\":\"today\"},{\"did\":\"A\",\"during\":\"last month\"},"
      "{\"last_did\":\"A\",\"during\":\"this week\"}]}" },
    { "did anything in the last 30 days", NULL,
      "{\"did\":{\"anything\":true},\"in_the_last\":\"30 days\"}" },
    { "received any message at least 2 times in the last 30 days", NULL,
      "{\"did\":{\"received\":\"any\"},\"in_the_last\":\"30 days\",\"at_least\":2}" },
    { "never opened any message in the last 90 days", NULL,
      "{\"did\":{\"opened\":\"any\"},\"in_the_last\":\"90 days\",\"at_most\":0}" },
    { "opened message of journey \"x\" by anyone or clicked message \"w\" by a machine",
      "opened any message of journey \"x\" by anyone or clicked message \"w\" by a machine",
      "{\"or\":[{\"did\":{\"opened\":{\"journey\":\"x\"},\"by\":\"anyone\"}},{\"did\":{\"clicked\":"
      "{\"message\":\"w\"},\"by\":\"machine\"}}]}" },
    { "received message of broadcast \"s\" and never opened any message of broadcast \"s\"",
      "received any message of broadcast \"s\" and never opened any message of broadcast \"s\"",
      "{\"and\":[{\"did\":{\"received\":{\"broadcast\":\"s\"}}},{\"did\":{\"opened\":"
      "{\"broadcast\":\"s\"}},\"at_most\":0}]}" },
    { "unsubscribed any message and last bounced any message ever",
      "unsubscribed from any message and last bounced any message ever",
      "{\"and\":[{\"did\":{\"unsubscribed\":\"any\"}},{\"last_did\":{\"bounced\":\"any\"}}]}" },
    { "entered journey \"x\" and never finished journey \"x\" and first reached the goal of "
      "journey "
      "\"x\" today",
      NULL,
      "{\"and\":[{\"did\":{\"entered\":\"x\"}},{\"did\":{\"finished\":\"x\"},\"at_most\":0},"
      "{\"first_did\":{\"reached_goal\":\"x\"},\"during\":\"today\"}]}" },
    { "did \"A\" where any products (category = \"tent\" and price > 100)", NULL,
      "{\"did\":\"A\",\"where\":{\"property\":\"products\",\"which\":\"any\",\"element\":{\"and\":["
      "{\"property\":\"category\",\"op\":\"=\",\"value\":\"tent\"},{\"property\":\"price\",\"op\":"
      "\">\",\"value\":100}]}}}" },
    { "sum of products.price with category = \"tent\" of \"A\" last year >= 200",
      "sum of products.price with (category = \"tent\") of \"A\" last year >= 200",
      "{\"sum\":\"products.price\",\"with\":{\"property\":\"category\",\"op\":\"=\",\"value\":"
      "\"tent\"},\"of\":\"A\",\"during\":\"last year\",\"op\":\">=\",\"value\":200}" },
    { "count of \"A\" > 3 and count of products of \"A\" > 3", NULL,
      "{\"and\":[{\"count\":true,\"of\":\"A\",\"op\":\">\",\"value\":3},{\"count\":\"products\","
      "\"of\":\"A\",\"op\":\">\",\"value\":3}]}" },
    { "count of opened any message > 3 or count of opened of \"A\" > 3", NULL,
      "{\"or\":[{\"count\":true,\"of\":{\"opened\":\"any\"},\"op\":\">\",\"value\":3},{\"count\":"
      "\"opened\",\"of\":\"A\",\"op\":\">\",\"value\":3}]}" },
    { "days between \"A\" < 30 and days between \"A\" and \"B\"", NULL,
      "{\"and\":[{\"days_between\":true,\"of\":\"A\",\"op\":\"<\",\"value\":30},{\"trait\":"
      "\"days\",\"op\":\"between\",\"values\":[\"A\",\"B\"]}]}" },
    { "last of plan of \"A\" in (\"pro\", \"max\") or most frequent of category of \"A\" = "
      "\"tent\"",
      NULL,
      "{\"or\":[{\"last\":\"plan\",\"of\":\"A\",\"op\":\"in\",\"values\":[\"pro\",\"max\"]},"
      "{\"most_frequent\":\"category\",\"of\":\"A\",\"op\":\"=\",\"value\":\"tent\"}]}" },
    { "first time of \"A\" > 30 days ago or last time of \"A\" ever between 2026-01-01 and "
      "2026-01-31",
      NULL,
      "{\"or\":[{\"first_time\":true,\"of\":\"A\",\"op\":\">\",\"value\":{\"ago\":\"30 days\"}},"
      "{\"last_time\":true,\"of\":\"A\",\"op\":\"between\",\"values\":[{\"date\":\"2026-01-01\"},"
      "{\"date\":\"2026-01-31\"}]}]}" },
    { "did \"A\" then \"B\" with the same cart_id within 1 hour",
      "did \"A\" then \"B\" within 1 hour with the same cart_id",
      "{\"did\":\"A\",\"then\":\"B\",\"within\":\"1 hour\",\"same\":\"cart_id\"}" },
    { "received message \"w\" and then never opened message \"w\" within 1 day", NULL,
      "{\"did\":{\"received\":{\"message\":\"w\"}},\"then_no\":{\"opened\":{\"message\":\"w\"}},"
      "\"within\":\"1 day\"}" },
    { "did \"A\" and then no anything within 1 day", "did \"A\" and then nothing within 1 day",
      "{\"did\":\"A\",\"then_no\":{\"anything\":true},\"within\":\"1 day\"}" },
    { "reached step 2 but not step 3 of (\"A\", \"B\" where x = 1, opened any message) in the last "
      "7 "
      "days within 1 hour with the same k",
      "reached step 2 but not step 3 of (\"A\", \"B\" where x = 1, opened any message) within 1 "
      "hour "
      "with the same k in the last 7 days",
      "{\"funnel\":[{\"did\":\"A\"},{\"did\":\"B\",\"where\":{\"property\":\"x\",\"op\":\"=\","
      "\"value\":1}},{\"did\":{\"opened\":\"any\"}}],\"step\":2,\"not_step\":3,\"within\":\"1 "
      "hour\","
      "\"same\":\"k\",\"in_the_last\":\"7 days\"}" },
    { "in stage \"customer\" and in journey \"w\" and in journey \"w\" at \"hello\"", NULL,
      "{\"and\":[{\"in_stage\":\"customer\"},{\"in_journey\":\"w\"},{\"in_journey\":\"w\",\"at\":"
      "\"hello\"}]}" },
    { "consent is granted or consent to \"news\" by \"email\" is refused or consent by \"sms\" is "
      "unknown",
      NULL,
      "{\"or\":[{\"consent\":\"granted\"},{\"consent\":\"refused\",\"to\":\"news\",\"by\":"
      "\"email\"},"
      "{\"consent\":\"unknown\",\"by\":\"sms\"}]}" },
    /* Words that begin a condition are names where a test follows. */
    { "consent = yes and opened = 3 and entered exists and days > 3 and anything in (1) and is < 2",
      NULL,
      "{\"and\":[{\"trait\":\"consent\",\"op\":\"=\",\"value\":true},{\"trait\":\"opened\",\"op\":"
      "\"=\",\"value\":3},{\"trait\":\"entered\",\"op\":\"exists\"},{\"trait\":\"days\",\"op\":\">"
      "\","
      "\"value\":3},{\"trait\":\"anything\",\"op\":\"in\",\"values\":[1]},{\"trait\":\"is\",\"op\":"
      "\"<\",\"value\":2}]}" },
    { "anniversary = 3 and message = 4 and reached = 5 and today = today and consent is today",
      NULL,
      "{\"and\":[{\"trait\":\"anniversary\",\"op\":\"=\",\"value\":3},{\"trait\":\"message\","
      "\"op\":"
      "\"=\",\"value\":4},{\"trait\":\"reached\",\"op\":\"=\",\"value\":5},{\"trait\":\"today\","
      "\"op\":\"=\",\"value\":{\"days_from_today\":0}},{\"day_of\":\"consent\",\"from_days\":0,"
      "\"to_days\":0}]}" },
    /* What people say, and its canonical form. */
    { "birthday in 7 days and renewal in the next 7 days",
      "anniversary of birthday is in 7 days and renewal is in the next 7 days",
      "{\"and\":[{\"anniversary_of\":\"birthday\",\"from_days\":7,\"to_days\":7},{\"day_of\":"
      "\"renewal\",\"from_days\":0,\"to_days\":7}]}" },
    { "20% of people and 5% of people by \"a\" and on list \"l\" and on = 3",
      "in 20% by \"people\" and in 5% by \"a\" and in list \"l\" and on = 3",
      "{\"and\":[{\"share\":20,\"seed\":\"people\"},{\"share\":5,\"seed\":\"a\"},{\"in_list\":"
      "\"l\"},{\"trait\":\"on\",\"op\":\"=\",\"value\":3}]}" },
    { "did \"A\" at least once or did \"A\" more than twice in the last 1 day",
      "did \"A\" or did \"A\" at least 3 times in the last 1 day",
      "{\"or\":[{\"did\":\"A\"},{\"did\":\"A\",\"in_the_last\":\"1 day\",\"at_least\":3}]}" },
    { "did \"A\" more than 3 times more than 30 days ago or did \"A\" fewer than 3 times",
      "did \"A\" at least 4 times not in the last 30 days or did \"A\" at most 2 times",
      "{\"or\":[{\"did\":\"A\",\"not_in_the_last\":\"30 days\",\"at_least\":4},{\"did\":\"A\","
      "\"at_most\":2}]}" },
    { "did not \"A\" today or not did \"A\" exactly once",
      "never did \"A\" today or not did \"A\" exactly 1 time",
      "{\"or\":[{\"did\":\"A\",\"during\":\"today\",\"at_most\":0},{\"not\":{\"did\":\"A\","
      "\"exactly\":1}}]}" },
    { "opened \"w\" by anyone or entered \"x\" or did \"A\" then opened \"w\" within 1h",
      "opened message \"w\" by anyone or entered journey \"x\" or did \"A\" then opened message "
      "\"w\" within 1 hour",
      "{\"or\":[{\"did\":{\"opened\":{\"message\":\"w\"},\"by\":\"anyone\"}},{\"did\":{"
      "\"entered\":\"x\"}},{\"did\":\"A\",\"then\":{\"opened\":{\"message\":\"w\"}},\"within\":"
      "\"1 hour\"}]}" },
    { "plan has been \"pro\" for 14 days and consent to news by email is granted",
      "plan has been = \"pro\" for 14 days and consent to \"news\" by \"email\" is granted",
      "{\"and\":[{\"trait\":\"plan\",\"op\":\"=\",\"value\":\"pro\",\"for\":\"14 days\"},{"
      "\"consent\":\"granted\",\"to\":\"news\",\"by\":\"email\"}]}" },
    { "vip is yes and country is not \"NO\" and country is not in (\"SE\", \"DK\")",
      "vip = yes and country != \"NO\" and country not in (\"SE\", \"DK\")",
      "{\"and\":[{\"trait\":\"vip\",\"op\":\"=\",\"value\":true},{\"trait\":\"country\",\"op\":"
      "\"!=\",\"value\":\"NO\"},{\"trait\":\"country\",\"op\":\"not in\",\"values\":[\"SE\","
      "\"DK\"]}]}" },
    { "phone is set and mail is not set and did \"A\" where state is \"paid\"",
      "phone exists and mail does not exist and did \"A\" where state = \"paid\"",
      "{\"and\":[{\"trait\":\"phone\",\"op\":\"exists\"},{\"trait\":\"mail\",\"op\":\"does not "
      "exist\"},{\"did\":\"A\",\"where\":{\"property\":\"state\",\"op\":\"=\",\"value\":"
      "\"paid\"}}]}" },
    { "# who came\n  # and stayed\neveryone", "everyone", "{\"everyone\":true}" },
};

TEST(segment_face, text_and_json_say_the_same_and_each_has_one_canonical_form)
{
    for (size_t i = 0; i < sizeof faces / sizeof faces[0]; i++) {
        arena = arena_open(ARENA_BYTES);
        SCOPED(buf_donep) struct buf text = buf_make(OUT_BYTES), json = buf_make(OUT_BYTES);
        const struct segment_node   *node = parsed(str_of(faces[i].text));
        segment_write(&text, node);
        segment_write_json(&json, node);
        assert_str(buf_view(&text), faces[i].canonical ? faces[i].canonical : faces[i].text);
        assert_str(buf_view(&json), faces[i].json);
        assert_true(segment_eq(node, parsed(buf_view(&text))));
        assert_true(segment_eq(node, parsed_json(buf_view(&json))));
        arena_close(arena);
    }
}

/* A wrong text, the place of the mistake, and words of the fault and of the remedy. */
static const struct {
    const char *text, *where, *what, *remedy;
} wrong[] = {
    { "", "1:1", "expected a condition, found the end", "did \"Signed Up\"" },
    { "did Order", "1:5", "expected the name of an event in quotes, found Order", "did \"Order" },
    { "did \"A", "1:5", "the quotes are not closed", "End the text with \"" },
    { "did \"A\\x\"", "1:7", "this is no escape", "\\u and four hex digits" },
    { "did \"\"", "1:5", "the name is empty", "between the quotes" },
    { "did \"A\" at least three times", "1:18", "expected a whole number, found three", "3 times" },
    { "did not A", "1:9", "expected the name of an event in quotes, found A", "did \"Order" },
    { "did \"A\" at least 3", "1:19", "expected times, found the end", "3 times" },
    { "did \"A\" at least 2000000 times", "1:18", "between 0 and 1000000", "such as 3" },
    { "did \"A\" in the last month", "1:21", "expected a length of time, found month", "30 days" },
    { "did \"A\" in the last 3 moons", "1:21", "this is no length of time", "30 days" },
    { "did \"A\" in the last 0 days", "1:21", "not between 1 millisecond", "30 days" },
    { "did \"A\" since yesterday", "1:15", "expected a date, found yesterday", "2026-01-31" },
    { "did \"A\" since 2026-02-30", "1:15", "this is no date", "2026-01-31" },
    { "did \"A\" between 2026-02-01 and 2026-01-01", "1:9", "ends before it begins", "earlier" },
    { "did \"A\" ever since 2026-01-01", "1:14", "there is a second window of time", "and" },
    { "did \"A\" where x = 1 where y = 2", "1:21", "there is a second where", "where (... and" },
    { "did \"A\" where did \"B\"", "1:15", "expected a property, found did", "where filters" },
    { "did \"A\" exactly 2 times then \"B\" within 1h", "1:25", "begins with one event",
      "Leave out" },
    { "never did \"A\" then \"B\" within 1h", "1:15", "never does not go", "not did" },
    { "did \"A\" then \"B\"", "1:17", "expected within, found the end", "within 1 hour" },
    { "country", "1:8", "expected a comparison, found the end", "= != >" },
    { "country is NO", "1:12", "expected a day, found NO", "is in 7 days" },
    { "country is not today", "1:16", "expected a value, in or set, found today", "is not set" },
    { "did \"A\" 3 times", "1:9", "expected at least, at most or exactly", "exactly 3 times" },
    { "did \"A\" once", "1:9", "expected at least, at most or exactly", "at least 3 times" },
    { "did \"A\" fewer than 0 times", "1:20", "not between 0 and 1000000", "such as 3" },
    { "20% of folk", "1:8", "expected people, found folk", "20% of people" },
    { "120% of people", "1:1", "not between 0% and 100%", "20%" },
    { "renewal in 7 hours", "1:12", "whole days are wanted", "7 days" },
    { "country = NO", "1:11", "expected a value, found NO", "text in quotes" },
    { "times = 3", "1:1", "expected a name, found times", "trait \"" },
    { "vip > yes", "1:5", "yes and no have no order", "= or !=" },
    { "age contains 3", "1:5", "only text is looked for in text", "in quotes" },
    { "age between 1 and \"x\"", "1:5", "of different kinds", "two numbers" },
    { "age between 3 and 1", "1:5", "ends before it begins", "lower end" },
    { "any age exists", "1:9", "do not go with exists", "Leave out" },
    { "country in (\"NO\" \"SE\")", "1:18", "expected ), found \"SE\"", "commas" },
    { "(a = 1\n  and b = 2", "2:12", "expected ), found the end", "close the bracket" },
    { "a = 1 b = 2", "1:7", "expected and, or or the end, found b", "Join" },
    { "a = 1 and", "1:10", "expected a condition, found the end", "country" },
    { "sum of n of \"A\"", "1:16", "expected one of = != > >= < <=", "sum of revenue" },
    { "sum n", "1:5", "expected of, found n", "sum of revenue" },
    { "distinct of n", "1:10", "expected count, found of", "distinct count of" },
    { "distinct count of n of \"A\" > 501", "1:30", "compared with 0 to 500", "0 to 500" },
    { "sum of n of \"A\" > 1e16", "1:19", "beyond 1e15", "smaller" },
    { "last did \"A\"", "1:13", "expected a time, found the end", "more than 30 days ago" },
    { "last did \"A\" more than 3 days", "1:30", "expected ago", "30 days ago" },
    { "birthday is in 7 hours", "1:16", "whole days are wanted", "7 days" },
    { "birthday is in the month", "1:20", "expected next or last, found month", "in the next" },
    { "birthday is in 40000 days", "1:16", "not between 1 millisecond and 100 years", "30 days" },
    { "anniversary of birthday is in 400 days", "1:28", "never that far from today", "366" },
    { "birthday is between in 3 days and today", "1:13", "ends before it begins", "earlier day" },
    { "plan has = 3", "1:10", "expected been, found =", "has been = \"pro\" for 14 days" },
    { "plan has been = 3", "1:18", "expected for, found the end", "for 14 days" },
    { "plan has been does not exist for 1 day", "1:15", "must have been known", "has existed" },
    { "renewal has been < now for 1 day", "1:18", "a date that moves", "2026-01-31" },
    { "renewal < 3 days", "1:17", "expected ago, from now, after today", "30 days ago" },
    { "renewal < 3 hours after today", "1:11", "whole days are wanted", "7 days" },
    { "email matches 3", "1:7", "only text is looked for in text", "in quotes" },
    { "age between today and 3", "1:5", "of different kinds", "two dates" },
    { "did \"A\" last 30 days", "1:14", "expected week, month or year", "in the last 30 days" },
    { "received message welcome", "1:18", "expected the name of a message in quotes",
      "message \"" },
    { "opened any message by him", "1:23", "expected a machine or anyone", "by a machine" },
    { "received any message by anyone", "1:22", "expected and, or or the end, found by", "Join" },
    { "products (a = 1)", "1:10", "expected a comparison, found (", "after where" },
    { "did \"A\" where products (a = 1)", "1:24", "expected a comparison, found (",
      "any products" },
    { "did \"A\" where any p (any q (a = 1))", "1:28", "expected a comparison, found (", "where" },
    { "first of n of \"A\"", "1:18", "expected a comparison, found the end", "= != >" },
    { "most of n of \"A\" > 1", "1:6", "expected frequent, found of", "most frequent of" },
    { "sum of n with x = 1 > 3", "1:21", "expected of, found >", "sum of revenue" },
    { "count of \"A\" at least 3 times", "1:14",
      "expected one of = != > >= < <=", "sum of revenue" },
    { "did \"A\" then \"B\" within 1h within 2h", "1:28", "there is a second within", "and" },
    { "did \"A\" then \"B\" within 1h with cart", "1:33", "expected the, found cart", "the same" },
    { "reached step 0 of (\"A\", \"B\") within 1h", "1:14", "there is no such step", "from 1" },
    { "reached step 3 of (\"A\", \"B\") within 1h", "1:1", "there is no such step", "from 1" },
    { "reached step 2 but not step 1 of (\"A\", \"B\") within 1h", "1:1", "reached all before it",
      "later step" },
    { "reached step 1 of (\"A\") within 1h", "1:1", "two steps or more", "Add a step" },
    { "reached step 1 of (\"A\", \"B\")", "1:29", "expected within, found the end",
      "within 1 hour" },
    { "in journey \"x\" at hello", "1:19", "expected the name of a node in quotes",
      "at \"hello\"" },
    { "consent to \"news\" is given", "1:22", "expected granted, refused, pending or unknown",
      "granted" },
    { "in 120% by \"x\"", "1:4", "not between 0% and 100%", "20%" },
    { "in club \"x\"", "1:4", "expected segment, list or a share, found club", "in list" },
    { "æ = 1", "1:1", "this character means nothing here", "quotes" },
    { "trait \"æøå\" ? 1", "1:13", "this character means nothing here", "quotes" },
    { "a = 1e999", "1:5", "too large", "smaller" },
    { "\xff", "1:1", "the text is not UTF-8", "UTF-8" },
    { "not not not not not not not not not not not not not not not not not not not not not not not "
      "not not everyone",
      "1:97", "more than 24 deep", "in segment" },
};

static void assert_has(const char *text, const char *part, size_t row)
{
    if (strstr(text, part) == NULL)
        fail_msg("row %zu: \"%s\" does not contain \"%s\"", row, text, part);
}

TEST(segment_face, a_wrong_text_is_told_by_its_place_its_fault_and_a_remedy)
{
    int missed = 0;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const struct segment_node *node = NULL;
        struct problem             problem = { 0 };
        arena = arena_open(ARENA_BYTES);
        enum err err = segment_parse(arena, str_of(wrong[i].text), &node, &problem);
        if (err == OK || node != NULL || strcmp(problem.where, wrong[i].where) != 0 ||
            strstr(problem.what, wrong[i].what) == NULL ||
            strstr(problem.remedy, wrong[i].remedy) == NULL) {
            print_error("%s\n  is told as %s: %s. %s\n", wrong[i].text, problem.where, problem.what,
                        problem.remedy);
            missed++;
        }
        arena_close(arena);
    }
    assert_int_equal(missed, 0);
}

static const struct {
    const char *json, *where, *what;
} wrong_json[] = {
    { "[]", "condition", "this is no condition" },
    { "{}", "condition", "this is no condition" },
    { "{\"and\":[{\"everyone\":true}]}", "and", "two or more" },
    { "{\"and\":[{\"everyone\":true},{\"did\":1}]}", "and[1].did", "a text is wanted" },
    { "{\"did\":\"A\",\"wher\":{}}", "wher", "has no meaning here" },
    { "{\"did\":\"A\",\"where\":{\"trait\":\"x\"}}", "where", "this is no condition" },
    { "{\"not\":{\"did\":\"A\",\"where\":{\"property\":\"x\",\"op\":\"~\"}}}", "not.where.op",
      "no comparison" },
    { "{\"did\":\"A\",\"since\":\"2026\"}", "since", "a date is wanted" },
    { "{\"did\":\"A\",\"since\":\"2026-01-01\",\"in_the_last\":\"1 day\"}", "since",
      "second window" },
    { "{\"did\":\"A\",\"between\":[\"2026-01-01\"]}", "between", "two dates" },
    { "{\"did\":\"A\",\"at_least\":1,\"exactly\":2}", "exactly", "second number of times" },
    { "{\"did\":\"A\",\"at_least\":-1}", "at_least", "between 0 and 1000000" },
    { "{\"trait\":\"\",\"op\":\"exists\"}", "trait", "empty" },
    { "{\"trait\":\"x\",\"op\":\"in\",\"values\":[1,null]}", "values[1]", "a value is wanted" },
    { "{\"trait\":\"x\",\"op\":\"=\",\"value\":{\"date\":5}}", "value.date", "a date is wanted" },
    { "{\"trait\":\"x\",\"op\":\"contains\",\"value\":5}", "op", "only text" },
    { "{\"sum\":\"n\",\"of\":\"A\",\"op\":\"in\",\"value\":1}", "op", "not compared like this" },
    { "{\"trait\":\"x\",\"op\":\"=\",\"value\":{}}", "value", "one member is wanted" },
    { "{\"trait\":\"x\",\"op\":\"=\",\"value\":{\"ago\":\"soon\"}}", "value.ago",
      "a length of time" },
    { "{\"trait\":\"x\",\"op\":\"=\",\"value\":{\"days_from_today\":99999}}", "value",
      "36500 days" },
    { "{\"trait\":\"x\",\"op\":\"=\",\"value\":{\"now\":true},\"for\":\"1 day\"}", "op",
      "a date that moves" },
    { "{\"day_of\":\"x\",\"from_days\":2,\"to_days\":1}", "to_days", "ends before it begins" },
    { "{\"day_of\":\"x\",\"from_days\":2}", "to_days", "a whole number" },
    { "{\"did\":{\"opened\":\"all\"}}", "did.opened", "not said which messages" },
    { "{\"did\":{\"received\":\"any\",\"by\":\"anyone\"}}", "did.by", "no meaning here" },
    { "{\"did\":{\"baked\":\"any\"}}", "did", "nothing that happens" },
    { "{\"did\":\"A\",\"during\":\"next week\"}", "during", "a day, week, month or year" },
    { "{\"did\":\"A\",\"where\":{\"property\":\"p\",\"element\":{}}}", "where.which",
      "of how many" },
    { "{\"count\":true,\"of\":\"A\"}", "op", "a text is wanted" },
    { "{\"sum\":true,\"of\":\"A\",\"op\":\"=\",\"value\":1}", "sum", "a text is wanted" },
    { "{\"count\":true,\"with\":{},\"of\":\"A\",\"op\":\"=\",\"value\":1}", "with", "no list" },
    { "{\"first\":\"x\",\"of\":\"A\",\"op\":\"exists\",\"value\":1}", "value", "no meaning here" },
    { "{\"funnel\":[{\"did\":\"A\"},{\"event\":\"B\"}],\"step\":1,\"within\":\"1 day\"}",
      "funnel[1].event", "no meaning here" },
    { "{\"funnel\":[{\"did\":\"A\"}],\"step\":1,\"within\":\"1 day\"}", "funnel",
      "two steps or more" },
    { "{\"in_list\":\"x\",\"at\":\"y\"}", "at", "no meaning here" },
    { "{\"consent\":\"maybe\"}", "consent", "no consent" },
    { "{\"share\":101,\"seed\":\"s\"}", "share", "0% and 100%" },
    { "{\"did\":\"A\",\"then\":\"B\",\"within\":\"soon\"}", "within", "a length of time" },
};

TEST(segment_face, a_wrong_json_is_told_by_its_path)
{
    for (size_t i = 0; i < sizeof wrong_json / sizeof wrong_json[0]; i++) {
        const struct segment_node *node = NULL;
        struct problem             problem = { 0 };
        struct json                json;
        arena = arena_open(ARENA_BYTES);
        assert_ok(json_parse_once(arena, str_of(wrong_json[i].json), &json, NULL));
        assert_int_equal(segment_parse_json(arena, &json, &node, &problem), ERR_INPUT);
        assert_str(str_of(problem.where), wrong_json[i].where);
        assert_has(problem.what, wrong_json[i].what, i);
        assert_true(problem.remedy[0] != 0);
        arena_close(arena);
    }
}

TEST(segment_face, any_tree_comes_back_from_its_text_and_from_its_json)
{
    uint64_t seed = dice_seed("segment_face");
    arena = arena_open(ARENA_BYTES);
    for (uint64_t round = 0; round < 4000; round++) {
        SCOPED(buf_donep) struct buf text = buf_make(OUT_BYTES), json = buf_make(OUT_BYTES);
        struct dice                  dice = {
                             .state = hash_u64(round, seed), .arena = arena, .wild = true, .more = DICE_ALL
        };
        const struct segment_node *node = dice_condition(&dice, 4);
        segment_write(&text, node);
        segment_write_json(&json, node);
        bool same = segment_eq(node, parsed(buf_view(&text))) &&
                    segment_eq(node, parsed_json(buf_view(&json)));
        if (!same)
            fail_msg("round %d: %.*s", (int)round, STR_ARG(buf_view(&text)));
        arena_reset(arena);
    }
    arena_close(arena);
}

TEST(segment_face, any_computed_trait_comes_back_from_its_text_and_from_its_json)
{
    uint64_t seed = dice_seed("segment_face");
    arena = arena_open(ARENA_BYTES);
    for (uint64_t round = 0; round < 2000; round++) {
        SCOPED(buf_donep) struct buf text = buf_make(OUT_BYTES), json = buf_make(OUT_BYTES);
        struct dice                  dice = {
                             .state = hash_u64(round, seed), .arena = arena, .wild = true, .more = DICE_ALL
        };
        const struct segment_node *node = dice_value(&dice, 3), *from_text, *from_json;
        struct json                value;
        segment_write(&text, node);
        segment_write_json(&json, node);
        assert_ok(segment_parse_value(arena, buf_view(&text), &from_text, NULL));
        assert_ok(json_parse_once(arena, buf_view(&json), &value, NULL));
        assert_ok(segment_parse_value_json(arena, &value, &from_json, NULL));
        assert_true(segment_eq(node, from_text) && segment_eq(node, from_json));
        assert_int_equal(segment_parse(arena, buf_view(&text), &from_text, NULL), ERR_INPUT);
        arena_reset(arena);
    }
    arena_close(arena);
}

TEST(segment_face, a_computed_trait_has_no_test)
{
    static const struct {
        const char *text, *where, *what;
    } refused[] = {
        { "sum of revenue of \"A\" > 3", "1:23", "expected the end, found >" },
        { "did \"A\"", "1:1", "expected an aggregate, found did" },
        { "last of plan of \"A\" = \"pro\"", "1:21", "expected the end, found =" },
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const struct segment_node *node;
        struct problem             problem = { 0 };
        arena = arena_open(ARENA_BYTES);
        assert_int_equal(segment_parse_value(arena, str_of(refused[i].text), &node, &problem),
                         ERR_INPUT);
        assert_str(str_of(problem.where), refused[i].where);
        assert_has(problem.what, refused[i].what, i);
        arena_close(arena);
    }
}

TEST(segment_face, running_out_of_memory_anywhere_is_an_error_and_nothing_else)
{
    struct str text =
        STR("did \"A\" where (x in (1, 2, \"three\") and y exists) or sum of n of \"B\" "
            "> 3 and not in segment \"s\"");
    bool done = false;
    for (size_t bytes = 64; !done; bytes += 64) {
        struct arena              *small = arena_open(bytes);
        const struct segment_node *node = NULL;
        enum err                   err = segment_parse(small, text, &node, NULL);
        assert_true(err == ERR_MEMORY || err == OK);
        assert_true((err == OK) == (node != NULL));
        done = err == OK;
        arena_close(small);
    }
}
