#include "engine/journey/tangle.h"

#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "engine/engine_world_test.h"

static struct world shop(void)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_WORKSPACE, "",
                                  "{\"name\":\"x\",\"topics\":[{\"id\":\"news\"}]}"));
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "vip", "did \"Bought\""));
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = { "one", "two", "receipt" };
        assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, names[i],
                                      i == 2 ? "subject: s\ntransactional: yes\n--- html\nx\n"
                                             : "subject: s\ntopic: news\n--- html\nx\n"));
    }
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "text",
                                  "channel: sms\ntopic: news\n--- text\nx\n"));
    return w;
}

/* All that is found of the journey, "node: what" a line. */
static void find(struct world *w, const char *text, char *out, size_t room)
{
    static struct tangles tangles;
    struct segment_names  names = program_names(engine_program(w->engine), false);
    struct journey        journey;
    size_t                len = 0;
    if (journey_parse(w->arena, str_of(text), &names, &journey, &w->problem) != OK)
        fail_msg("%s: %s", w->problem.where, w->problem.what);
    assert_ok(tangles_find(engine_program(w->engine), &journey, &tangles));
    out[0] = '\0';
    for (uint32_t i = 0; i < tangles.count; i++) {
        assert_true(tangles.items[i].remedy[0] != '\0');
        len += (size_t)snprintf(out + len, room - len, "%.*s: %s\n", STR_ARG(tangles.items[i].node),
                                tangles.items[i].what);
    }
}

static void assert_found(const char *journey, const char *wanted)
{
    struct world w = shop();
    char         found[4096];
    find(&w, journey, found, sizeof found);
    assert_string_equal(found, wanted);
    engine_world_close(&w);
}

#define BY_EVENT "{\"journey\":\"j\",\"trigger\":{\"event\":\"Signed Up\"},\"nodes\":["

TEST(tangle, a_journey_as_it_should_be_has_none)
{
    assert_found(BY_EVENT
                 "{\"id\":\"r\",\"email\":\"receipt\"},"
                 "{\"id\":\"w\",\"wait\":\"1 day\"},"
                 "{\"id\":\"u\",\"wait_until\":\"10:00\"},"
                 "{\"id\":\"s\",\"split\":\"did \\\"Bought\\\"\",\"yes\":\"e\",\"no\":\"m\"},"
                 "{\"id\":\"m\",\"email\":\"one\"},"
                 "{\"id\":\"t\",\"message\":\"text\"},"
                 "{\"id\":\"f\",\"wait_for\":\"did \\\"Bought\\\" since entry\","
                 "\"within\":\"2 days\",\"yes\":\"e\",\"timeout\":\"l\"},"
                 "{\"id\":\"l\",\"email\":\"two\"},"
                 "{\"id\":\"e\",\"exit\":true}]}",
                 "");
    assert_found(BY_EVENT "{\"id\":\"s\",\"split\":[{\"share\":50,\"next\":\"a\"},{\"share\":50,"
                          "\"next\":\"b\"}]},"
                          "{\"id\":\"a\",\"email\":\"one\",\"next\":\"e\"},"
                          "{\"id\":\"b\",\"email\":\"two\"},{\"id\":\"e\",\"exit\":true}]}",
                 "");
}

TEST(tangle, nodes_that_no_way_leads_to_are_found)
{
    assert_found(BY_EVENT "{\"id\":\"a\",\"email\":\"one\",\"next\":\"e\"},"
                          "{\"id\":\"b\",\"wait\":\"1 day\"},{\"id\":\"e\",\"exit\":true}]}",
                 "b: Nobody can reach this node: no way leads to it.\n");
    /* The node below a split by shares is reached by no one either. */
    assert_found(BY_EVENT "{\"id\":\"s\",\"split\":[{\"share\":40,\"next\":\"e\"},{\"share\":60,"
                          "\"next\":\"f\"}]},"
                          "{\"id\":\"b\",\"wait\":\"1 day\"},{\"id\":\"e\",\"exit\":true},"
                          "{\"id\":\"f\",\"wait\":\"1 day\"}]}",
                 "b: Nobody can reach this node: no way leads to it.\n");
}

TEST(tangle, branches_that_nobody_takes_are_found)
{
    assert_found(BY_EVENT
                 "{\"id\":\"s\",\"split\":[{\"if\":\"plan = \\\"pro\\\"\",\"next\":\"a\",\"name\":"
                 "\"pro\"},{\"if\":\"plan = \\\"pro\\\"\",\"next\":\"e\",\"name\":\"again\"}],"
                 "\"else\":\"e\"},{\"id\":\"a\",\"email\":\"one\"},{\"id\":\"e\",\"exit\":true}]}",
                 "s: Nobody takes the branch \"again\": one before it asks the same.\n");
    assert_found(BY_EVENT "{\"id\":\"s\",\"split\":\"everyone\",\"yes\":\"a\",\"no\":\"e\"},"
                          "{\"id\":\"a\",\"email\":\"one\"},{\"id\":\"e\",\"exit\":true}]}",
                 "s: Nobody goes on by `no`: a branch takes everybody.\n");
    assert_found(BY_EVENT
                 "{\"id\":\"s\",\"split\":\"did \\\"Bought\\\"\",\"yes\":\"a\",\"no\":\"a\"},"
                 "{\"id\":\"a\",\"email\":\"one\"}]}",
                 "s: All ways of this split lead to the same node.\n");
}

TEST(tangle, two_messages_at_the_same_instant_are_found_on_any_way_but_not_on_two_channels)
{
    assert_found(BY_EVENT
                 "{\"id\":\"a\",\"email\":\"one\"},"
                 "{\"id\":\"s\",\"split\":\"did \\\"Bought\\\"\",\"yes\":\"e\",\"no\":\"b\"},"
                 "{\"id\":\"b\",\"email\":\"two\"},{\"id\":\"e\",\"exit\":true}]}",
                 "a: \"a\" and \"b\" can reach somebody at the same instant.\n");
    assert_found(BY_EVENT "{\"id\":\"a\",\"email\":\"one\"},{\"id\":\"b\",\"message\":\"text\"}]}",
                 "");
}

TEST(tangle, a_message_in_the_night_is_found)
{
    assert_found(BY_EVENT
                 "{\"id\":\"w\",\"wait_until\":\"02:30\"},{\"id\":\"a\",\"email\":\"one\"}]}",
                 "w: The wait ends at 02:30, and then \"a\" comes: in the night.\n");
    assert_found(
        BY_EVENT "{\"id\":\"w\",\"wait_until\":\"07:00\"},{\"id\":\"a\",\"email\":\"one\"}]}", "");
}

#define BY(trigger) "{\"journey\":\"j\",\"trigger\":{" trigger "},\"nodes\":["

TEST(tangle, a_journey_that_the_calendar_begins_in_the_night_is_found)
{
    static const char late[] = ": It begins at 22:30, and then \"a\" comes: in the night.\n";
    assert_found(BY("\"schedule\":\"monday 22:30\",\"segment\":\"vip\"") "{\"id\":\"a\",\"email\":"
                                                                         "\"one\"}]}",
                 late);
    assert_found(
        BY("\"date\":\"anniversary of birthday at 22:30\"") "{\"id\":\"s\",\"set\":{\"x\":1}},{"
                                                            "\"id\":\"a\",\"email\":\"one\"}]}",
        late);
    assert_found(
        BY("\"date\":\"anniversary of birthday at 09:30\"") "{\"id\":\"a\",\"email\":\"one\"}]}",
        "");
    assert_found(
        BY("\"schedule\":\"22:30\",\"segment\":\"vip\"") "{\"id\":\"w\",\"wait_until\":\"10:00\"},{"
                                                         "\"id\":\"a\",\"email\":\"one\"}]}",
        "");
}

TEST(tangle, a_date_is_in_the_night_by_its_own_time_alone)
{
    assert_found(
        BY_EVENT
        "{\"id\":\"w\",\"wait_until\":\"2026-12-24 22:15\"},{\"id\":\"a\",\"email\":\"one\"}]}",
        "w: The wait ends at 22:15, and then \"a\" comes: in the night.\n");
    assert_found(
        BY_EVENT
        "{\"id\":\"w\",\"wait_until\":\"2026-12-24 10:00\"},{\"id\":\"a\",\"email\":\"one\"}]}",
        "");
    assert_found(BY_EVENT "{\"id\":\"w\",\"wait_until\":\"2026-12-24T23:00:00Z\"},{\"id\":\"a\","
                          "\"email\":\"one\"}]}",
                 "");
}

TEST(tangle, a_message_that_asks_for_no_consent_is_found_where_it_is_no_receipt)
{
    assert_found(
        BY_EVENT "{\"id\":\"w\",\"wait\":\"1 day\"},{\"id\":\"a\",\"email\":\"receipt\"}]}",
        "a: \"receipt\" is transactional and goes to those who refused, too, a day or more "
        "after they came in.\n");
    assert_found("{\"journey\":\"j\",\"trigger\":{\"segment\":\"vip\"},\"nodes\":["
                 "{\"id\":\"a\",\"email\":\"receipt\"}]}",
                 "a: \"receipt\" is transactional and goes to those who refused, too, though they "
                 "did not just ask for it.\n");
}

TEST(tangle, an_exit_that_holds_from_the_start_is_found)
{
    assert_found("{\"journey\":\"j\",\"trigger\":{\"segment\":\"vip\"},\"exit_when\":\"in segment "
                 "\\\"vip\\\"\",\"nodes\":[{\"id\":\"a\",\"email\":\"one\"}]}",
                 ": Everybody leaves at once: the exit condition holds for whoever comes in.\n");
    assert_found(
        "{\"journey\":\"j\",\"trigger\":{\"segment\":\"vip\"},\"exit_when\":\"not in segment "
        "\\\"vip\\\"\",\"nodes\":[{\"id\":\"a\",\"email\":\"one\"}]}",
        "");
}

TEST(tangle, journeys_that_begin_by_the_same_and_write_on_the_same_day_are_found)
{
    struct world w = shop();
    char         found[4096];
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "other",
                                  "{\"journey\":\"other\",\"trigger\":{\"event\":\"Signed Up\"},"
                                  "\"nodes\":[{\"id\":\"w\",\"wait\":\"49 hours\"},"
                                  "{\"id\":\"m\",\"email\":\"two\"}]}"));
    find(&w,
         BY_EVENT "{\"id\":\"a\",\"email\":\"one\"},{\"id\":\"w\",\"wait\":\"2 days\"},"
                  "{\"id\":\"b\",\"email\":\"two\"}]}",
         found, sizeof found);
    assert_string_equal(found,
                        "b: The journey \"other\" begins by the same and writes \"m\" on the "
                        "same day.\n");
    find(&w, BY_EVENT "{\"id\":\"a\",\"email\":\"one\"}]}", found, sizeof found);
    assert_string_equal(found, "");
    find(&w,
         "{\"journey\":\"j\",\"trigger\":{\"event\":\"Bought\"},\"nodes\":["
         "{\"id\":\"w\",\"wait\":\"2 days\"},{\"id\":\"b\",\"email\":\"two\"}]}",
         found, sizeof found);
    assert_string_equal(found, "");
    engine_world_close(&w);
}

TEST(tangle, a_journey_that_comes_round_to_itself_is_found)
{
    static const char *const round =
        "{\"journey\":\"j\",\"reentry\":\"always\",\"trigger\":{\"left_list\":\"news\"},"
        "\"nodes\":[{\"id\":\"r\",\"record\":{\"event\":\"Won\"}},{\"id\":\"w\",\"wait\":"
        "\"1 day\"}]}";
    struct world w = shop();
    char         found[4096];
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "two",
                                  "{\"journey\":\"two\",\"reentry\":\"always\",\"trigger\":{"
                                  "\"event\":\"Three\"},\"nodes\":[{\"id\":\"l\",\"leave_list\":"
                                  "\"news\"}]}"));
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "won",
                                  "{\"journey\":\"won\",\"reentry\":\"always\",\"trigger\":{"
                                  "\"event\":\"Won\"},\"nodes\":[{\"id\":\"s\","
                                  "\"start_journey\":\"two\"}]}"));
    find(&w, round, found, sizeof found);
    assert_string_equal(found, ": The journey comes round to itself, by way of \"won\": whoever is "
                               "in it comes in again and again.\n");
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "two",
                                  "{\"journey\":\"two\",\"trigger\":{\"event\":\"Three\"},"
                                  "\"nodes\":[{\"id\":\"l\",\"leave_list\":\"news\"}]}"));
    find(&w, round, found, sizeof found); /* who was in it comes in no more */
    assert_string_equal(found, "");
    engine_world_close(&w);
}

TEST(tangle, a_journey_that_tells_what_it_begins_by_is_found)
{
    assert_found("{\"journey\":\"j\",\"reentry\":\"after 1 day\",\"trigger\":{\"event\":\"Won\"},"
                 "\"nodes\":[{\"id\":\"w\",\"wait\":\"1 day\"},{\"id\":\"r\",\"record\":{"
                 "\"event\":\"Won\"}}]}",
                 ": The journey comes round to itself: whoever is in it comes in again and "
                 "again.\n");
}

#define BY_KEY(more)                                                                               \
    "{\"journey\":\"j\",\"trigger\":{\"event\":\"Cart\",\"key\":\"cart_id\"}," more                \
    "\"nodes\":[{\"id\":\"w\",\"wait\":\"1 day\"},"
#define OF_ALL "One event ends it for every \"cart_id\" at once: "

TEST(tangle, what_ends_a_journey_with_a_key_asks_for_the_key)
{
    assert_found(
        BY_KEY("\"exit_when\":\"did \\\"Paid\\\" where cart_id is the key since entry\","
               "\"goal\":{\"condition\":\"plan = 1 or did \\\"Paid\\\" where cart_id is the "
               "key since entry\",\"within\":\"2 days\"},") "{\"id\":\"f\",\"wait_for\":{\"event\":"
                                                            "\"Opened\",\"where\":\"cart_id is the "
                                                            "key\"},\"within\":\"1 "
                                                            "day\"},{\"id\":\"e\",\"exit\":true}]}",
        "");
    assert_found(
        BY_KEY("\"exit_when\":\"plan = 1 or did \\\"Paid\\\" since entry\","
               "\"goal\":{\"condition\":\"did \\\"Paid\\\" since entry\",\"within\":\"2 "
               "days\"},") "{\"id\":\"f\",\"wait_for\":{\"event\":\"Opened\",\"where\":\"n = 1\"},"
                           "\"within\":\"1 day\"},{\"id\":\"e\",\"exit\":true}]}",
        ": " OF_ALL "exit_when does not ask for the key.\n"
        ": " OF_ALL "the goal does not ask for the key.\n"
        "f: An event about another \"cart_id\" goes on from here, too: it does not ask for "
        "the key.\n");
}

TEST(tangle, who_begins_by_a_segment_and_leaves_by_it_leaves_at_once)
{
    static const char at_once[] =
        ": Everybody leaves at once: the exit condition holds for whoever comes in.\n";
#define LEAVES(trigger, exit)                                                                      \
    "{\"journey\":\"j\",\"trigger\":{" trigger "},\"exit_when\":\"" exit                           \
    "\",\"nodes\":[{\"id\":\"w\","                                                                 \
    "\"wait\":\"1 day\"}]}"
    assert_found(LEAVES("\"segment\":\"vip\"", "in segment \\\"vip\\\""), at_once);
    assert_found(LEAVES("\"segment\":\"vip\"", "everyone"), at_once);
    assert_found(LEAVES("\"event\":\"vip\"", "in segment \\\"vip\\\""), "");
    assert_found(LEAVES("\"segment\":\"vip\"", "not in segment \\\"vip\\\""), "");
}
