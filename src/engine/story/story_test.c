#include "engine/story/story.h"

#include <string.h>

#include "base/test.h"

#define PAPER "subject: hi\ntransactional: yes\n--- html\n<p>hi</p>\n"

#define TEXT(text)                                                                                 \
    {                                                                                              \
        text, sizeof text - 1                                                                      \
    }

static const struct story_definition SHOP[] = {
    { DEFINE_SEGMENT, TEXT("buyers"), TEXT("did \"Bought\""), "segments/buyers.segment" },
    { DEFINE_WORKSPACE, TEXT(""), TEXT("{\"name\":\"x\",\"topics\":[{\"id\":\"news\"}]}"),
      "workspace.json" },
    { DEFINE_CODES, TEXT("spring"), TEXT("{\"kind\":\"fixed\",\"code\":\"SPRING\"}"),
      "codes/spring.json" },
    { DEFINE_TEMPLATE, TEXT("hello"), TEXT(PAPER), "templates/hello.email" },
    { DEFINE_TEMPLATE, TEXT("later"), TEXT(PAPER), "templates/later.email" },
};

static const char JOURNEY[] = "{\"journey\":\"welcome\",\"trigger\":{\"event\":\"Signed Up\"},"
                              "\"exit_when\":\"did \\\"Bought\\\" since entry\",\"nodes\":["
                              "{\"id\":\"hello\",\"email\":\"hello\"},"
                              "{\"id\":\"pause\",\"wait\":\"3 days\"},"
                              "{\"id\":\"later\",\"email\":\"later\"},"
                              "{\"id\":\"end\",\"exit\":true}]}";

struct told {
    struct arena        *arena;
    struct story_results results;
    struct problem       problem;
    enum err             err;
};

static struct told tell_file(const char *text)
{
    struct story_definition items[6];
    struct told             told = { .arena = arena_open(64 << 20) };
    memcpy(items, SHOP, sizeof SHOP);
    items[5] = (struct story_definition){ DEFINE_JOURNEY, STR("welcome"), str_of(JOURNEY),
                                          "journeys/welcome.json" };
    struct story_world world = { items, 6, NULL };
    told.err = story_tell_all(told.arena, str_of(text), &world, &told.results, &told.problem);
    return told;
}

/* One story, from 2026-03-02 10:00: ada, who signs up, and then these steps. */
static struct told tell(const char *steps)
{
    struct arena *arena = arena_open(1 << 20);
    struct str    text =
        str_format(arena,
                   "{\"stories\":[{\"story\":\"one\",\"from\":\"2026-03-02T10:00:00Z\",\"tell\":["
                   "{\"person\":\"ada\",\"traits\":{\"email\":\"ada@x.example\"}},"
                   "{\"person\":\"ada\",\"event\":\"Signed Up\"},"
                   "{\"person\":\"ada\",\"expect\":\"everyone\"},%s]}]}",
                   steps);
    struct told told = tell_file(text.ptr);
    arena_close(arena);
    return told;
}

static void assert_true_story(const char *steps)
{
    struct told told = tell(steps);
    assert_int_equal(told.err, OK);
    assert_int_equal(told.results.count, 1);
    if (!told.results.items[0].passed)
        fail_msg("%.*s", STR_ARG(told.results.items[0].said));
    arena_close(told.arena);
}

static void assert_false_story(const char *steps, const char *why)
{
    struct told told = tell(steps);
    assert_int_equal(told.err, OK);
    assert_int_equal(told.results.failed, 1);
    struct str said = told.results.items[0].said;
    if (str_find(said, 0, str_of(why)) >= said.len)
        fail_msg("\"%s\" is not in:\n%.*s", why, STR_ARG(said));
    arena_close(told.arena);
}

static void assert_no_file(const char *text, const char *what)
{
    struct told told = tell_file(text);
    assert_int_equal(told.err, ERR_INPUT);
    assert_non_null(strstr(told.problem.what, what));
    assert_true(told.problem.remedy[0] != '\0');
    arena_close(told.arena);
}

TEST(story, time_passes_and_each_message_is_named_once_in_order)
{
    assert_true_story("{\"person\":\"ada\",\"gets\":[\"hello\"]},"
                      "{\"after\":\"2 days\",\"person\":\"ada\",\"gets\":[]},"
                      "{\"after\":\"2 days\",\"person\":\"ada\",\"gets\":[{\"message\":\"later\","
                      "\"at\":\"2026-03-05T10:00:00Z\"}]},"
                      "{\"person\":\"ada\",\"expect\":\"finished journey \\\"welcome\\\"\"}");
}

TEST(story, what_people_do_and_what_comes_of_messages_is_heard)
{
    assert_true_story("{\"after\":\"1 hour\",\"person\":\"ada\",\"opens\":\"hello\"},"
                      "{\"person\":\"ada\",\"clicks\":\"hello\"},"
                      "{\"person\":\"ada\",\"joins\":\"friends\"},"
                      "{\"person\":\"ada\",\"expect\":\"opened message \\\"hello\\\" and clicked "
                      "message \\\"hello\\\" and in list \\\"friends\\\"\"},"
                      "{\"person\":\"ada\",\"leaves\":\"friends\"},"
                      "{\"person\":\"ada\",\"expect\":\"not in list \\\"friends\\\"\"},"
                      "{\"person\":\"ada\",\"bounces\":\"hello\"},"
                      "{\"after\":\"9 days\",\"person\":\"ada\",\"gets\":[\"hello\"]}");
    assert_true_story("{\"after\":\"1 hour\",\"person\":\"ada\",\"event\":\"Bought\"},"
                      "{\"person\":\"ada\",\"expect\":\"in segment \\\"buyers\\\"\"},"
                      "{\"after\":\"9 days\",\"person\":\"ada\",\"gets\":[\"hello\"]}");
}

TEST(story, what_did_not_come_true_is_told_with_what_happened_instead)
{
    assert_false_story("{\"after\":\"9 days\",\"person\":\"ada\",\"gets\":[\"hello\"]}",
                       "got \"hello\" at 2026-03-02T10:00, \"later\" at 2026-03-05T10:00.");
    assert_false_story("{\"after\":\"1 day\",\"person\":\"ada\",\"gets\":[\"hello\",\"later\"]}",
                       "journey welcome: pause until 2026-03-05T10:00");
    assert_false_story(
        "{\"person\":\"ada\",\"gets\":[{\"message\":\"hello\",\"at\":\"2026-03-02\"}]}",
        "should get \"hello\" at 2026-03-02T00:00");
    assert_false_story("{\"person\":\"ada\",\"gets\":[]}", "should get nothing");
    assert_false_story(
        "{\"person\":\"ada\",\"note\":\"she did not\",\"expect\":\"did \\\"Bought\\\"\"}",
        "step 4, 2026-03-02T10:00 (she did not): this does not hold for ada:\n"
        "        did \"Bought\"");
    assert_false_story("{\"person\":\"ada\",\"event\":\"Bought\"},"
                       "{\"person\":\"ada\",\"expect\":\"in journey \\\"welcome\\\"\"}",
                       "leaves journey welcome: exit condition holds");
}

TEST(story, a_step_that_cannot_be_told_fails_its_story_and_says_what_to_write)
{
    assert_false_story("{\"person\":\"bob\",\"expect\":\"did \\\"Bought\\\"\"}",
                       "Nobody is called \"bob\"");
    assert_false_story("{\"person\":\"ada\",\"opens\":\"later\"}", "was sent no \"later\" yet");
    assert_false_story("{\"person\":\"ada\",\"gets\":[\"gone\"]}", "There is no template \"gone\"");
    assert_false_story("{\"person\":\"ada\",\"gets\":\"hello\"}", "gets: This is no list");
    assert_false_story("{\"person\":\"ada\",\"evnt\":\"Bought\"}",
                       "\"evnt\" is nothing that this step says");
    assert_false_story("{\"person\":\"ada\"}", "does not say what they do");
    assert_false_story("{\"event\":\"Bought\"}", "person: This is no text");
    assert_false_story("{\"person\":\"ada\",\"event\":\"Bought\",\"gets\":[]}", "one thing");
    assert_false_story("{\"after\":\"soon\"}", "after: This is no length of time");
    assert_false_story("{\"at\":\"2026-03-01\"}", "at: Time does not go back");
    assert_false_story("{\"person\":\"ada\",\"expect\":\"did\"}", "1:");
    assert_false_story("{\"person\":\"ada\",\"expect\":\"in segment \\\"none\\\"\"}", "none");
    assert_false_story("7", "This is no step");
}

TEST(story, a_misspelt_word_never_makes_a_story_true)
{
    assert_false_story("{\"person\":\"ada\",\"consent\":\"newz\",\"state\":\"unsubscribed\"},"
                       "{\"person\":\"ada\",\"gets\":[\"hello\"]}",
                       "consent: There is no topic \"newz\".");
    assert_false_story("{\"person\":\"ada\",\"consent\":\"news\",\"state\":\"subscribe\"},"
                       "{\"person\":\"ada\",\"gets\":[\"hello\"]}",
                       "state: This is no state of consent.");
    assert_false_story("{\"person\":\"ada\",\"consent\":\"news\",\"state\":\"subscribed\","
                       "\"channel\":\"mail\"},{\"person\":\"ada\",\"gets\":[\"hello\"]}",
                       "channel: This is no channel.");
    assert_false_story("{\"person\":\"ada\",\"traits\":{},\"properties\":{}},"
                       "{\"person\":\"ada\",\"gets\":[\"hello\"]}",
                       "\"properties\" is nothing that this step says");
    assert_no_file(
        "{\"stories\":[{\"story\":\"one\",\"tell\":[{\"person\":\"ada\",\"event\":\"Bought\"}]}]}",
        "expects nothing");
    assert_true_story("{\"person\":\"ada\",\"consent\":\"news\",\"state\":\"unsubscribed\"},"
                      "{\"person\":\"ada\",\"gets\":[\"hello\"]}");
}

TEST(story, a_circle_by_the_hour_takes_its_time_though_everything_is_answered_at_once)
{
    struct story_definition items[] = {
        { DEFINE_TEMPLATE, STR("crm"),
          STR("channel: webhook\nurl: https://x.example/\n--- text\nx\n"), "crm" },
        { DEFINE_JOURNEY, STR("daily"),
          STR("{\"journey\":\"daily\",\"trigger\":{\"event\":\"A\"},\"nodes\":["
              "{\"id\":\"t\",\"wait_until\":\"10:00\"},"
              "{\"id\":\"crm\",\"message\":\"crm\",\"answer_within\":\"10 "
              "minutes\",\"next\":\"t\"}]}"),
          "daily" },
    };
    struct story_world   world = { items, 2, NULL };
    struct story_results results;
    struct problem       problem = { .where = "" };
    struct arena        *arena = arena_open(16 << 20);
    enum err             err = story_tell_all(
                    arena,
                    STR("{\"stories\":[{\"story\":\"one\",\"from\":\"2026-03-02T09:00:00Z\",\"tell\":["
                                    "{\"person\":\"ada\",\"event\":\"A\"},"
                                    "{\"after\":\"49 hours\",\"person\":\"ada\",\"gets\":[\"crm\",\"crm\",\"crm\"]}]}]}"),
                    &world, &results, &problem);
    if (err != OK || results.failed > 0)
        fail_msg("%s %s %.*s", problem.where, problem.what,
                 STR_ARG(results.count > 0 ? results.items[0].said : STR_NONE));
    arena_close(arena);
}

TEST(story, a_file_that_is_none_is_refused)
{
    assert_no_file("[]", "no file of stories");
    assert_no_file("{\"stories\":[]}", "no file of stories");
    assert_no_file("{\"stories\":[{\"tell\":[{\"gets\":[]}]}]}", "has a title");
    assert_no_file("{\"stories\":[{\"story\":\"one\"}]}", "tells nothing");
    assert_no_file("{\"stories\":[{\"story\":\"one\",\"form\":1,\"tell\":[{\"gets\":[]}]}]}",
                   "\"form\"");
    assert_no_file("{\"stories\":[{\"story\":\"one\",\"from\":\"then\",\"tell\":[{\"gets\":[]}]}]}",
                   "no instant");
}

TEST(story, a_definition_that_is_refused_is_named_with_its_file)
{
    struct story_definition bad = { DEFINE_SEGMENT, STR("bad"), STR("did"),
                                    "segments/bad.segment" };
    struct story_world      world = { &bad, 1, NULL };
    struct story_results    results;
    struct problem          problem = { .where = "" };
    struct arena           *arena = arena_open(16 << 20);
    assert_int_equal(
        story_tell_all(arena, STR("{\"stories\":[{\"story\":\"one\",\"tell\":[{\"gets\":[]}]}]}"),
                       &world, &results, &problem),
        ERR_INPUT);
    assert_string_equal(problem.where, "segments/bad.segment");
    arena_close(arena);
}

/* Each story has people of its own. */
TEST(story, stories_know_nothing_of_each_other)
{
    struct told told = tell_file(
        "{\"stories\":["
        "{\"story\":\"one\",\"tell\":[{\"person\":\"ada\",\"event\":\"Bought\"},{\"person\":"
        "\"ada\",\"gets\":[]}]},"
        "{\"story\":\"two\",\"tell\":[{\"person\":\"ada\",\"expect\":\"did \\\"Bought\\\"\"}]}]}");
    assert_int_equal(told.err, OK);
    assert_int_equal(told.results.count, 2);
    assert_true(told.results.items[0].passed);
    assert_false(told.results.items[1].passed);
    arena_close(told.arena);
}
