#include "engine/rehearse/rehearse_world_test.h"

#include <string.h>

#include "base/test.h"

#define WELCOME                                                                                    \
    "{\"journey\":\"welcome\",\"trigger\":{\"event\":\"Signed Up\"},"                              \
    "\"exit_when\":\"did \\\"Bought\\\" since entry\",\"nodes\":["                                 \
    "{\"id\":\"hello\",\"email\":\"letter\"},"                                                     \
    "{\"id\":\"pause\",\"wait\":\"3 days\"},"                                                      \
    "{\"id\":\"pro\",\"split\":\"plan = \\\"pro\\\"\",\"yes\":\"end\",\"no\":\"later\"},"          \
    "{\"id\":\"later\",\"email\":\"letter\"},"                                                     \
    "{\"id\":\"end\",\"exit\":true}]}"

static void at(struct rehearse_world *w, int64_t day)
{
    rehearse_world_until(w, T0 + day * TIME_DAY_MS);
}

/* What the shop has; the journey is only a draft: nobody was ever in it. */
static struct rehearse_world *shop(void)
{
    struct rehearse_world *w = rehearse_world_open();
    assert_ok(rehearse_world_define(w, DEFINE_WORKSPACE, "workspace", STR("{\"name\":\"x\"}")));
    assert_ok(rehearse_world_define(w, DEFINE_TEMPLATE, "letter", STR("subject: s\n--- html\nx")));
    rehearse_world_draft(w, DEFINE_JOURNEY, "welcome", STR(WELCOME));
    return w;
}

static void signs_up(struct rehearse_world *w, const char *user, const char *traits)
{
    rehearse_world_traits(w, user, traits);
    rehearse_world_event(w, user, "Signed Up", NULL);
}

/* ada goes all the way, bo is a pro, cy buys, di has no address, ed has only just come. */
static struct rehearse_world *history(void)
{
    struct rehearse_world *w = shop();
    at(w, 1);
    signs_up(w, "ada", "{\"email\":\"ada@x.no\"}");
    signs_up(w, "bo", "{\"email\":\"bo@x.no\",\"plan\":\"pro\"}");
    signs_up(w, "cy", "{\"email\":\"cy@x.no\"}");
    signs_up(w, "di", "{\"name\":\"Di\"}");
    rehearse_world_event(w, "nobody", "Looked", NULL);
    at(w, 2);
    rehearse_world_event(w, "cy", "Bought", NULL);
    at(w, 9);
    signs_up(w, "ed", "{\"email\":\"ed@x.no\"}");
    at(w, 10);
    return w;
}

TEST(rehearse, a_draft_shows_who_would_have_gone_which_way)
{
    struct rehearse_world *w = history();
    assert_ok(rehearse_world_run(w, T0, w->life.now_ms, 2));
    const struct rehearse_journey *j = rehearse_world_journey(w, "welcome");
    assert_int_equal(w->result.people, 5); /* nobody who never signed up is looked at */
    assert_int_equal(j->people, 5);
    assert_int_equal(j->entries, 5);
    assert_int_equal(j->inside, 1);
    assert_int_equal(rehearse_world_node(j, "pause")->arrived, 5);
    assert_int_equal(rehearse_world_node(j, "pause")->waiting, 1);
    assert_int_equal(rehearse_world_count(rehearse_world_node(j, "pro")->took, "yes"), 1);
    assert_int_equal(rehearse_world_count(rehearse_world_node(j, "pro")->took, "no"), 2);
    assert_int_equal(rehearse_world_count(j->ended, "finished"), 3);
    assert_int_equal(rehearse_world_count(j->ended, "exit condition holds"), 1);
    assert_int_equal(rehearse_world_node(j, "hello")->sent, 4);
    assert_int_equal(
        rehearse_world_count(rehearse_world_node(j, "hello")->held, "no e-mail address"), 1);
    assert_int_equal(rehearse_world_node(j, "later")->sent, 1);
    assert_int_equal(j->sent, 5);
    assert_int_equal(j->held, 2);
    rehearse_world_close(w);
}

TEST(rehearse, people_are_named_and_each_ones_way_is_told_with_its_times)
{
    struct rehearse_world *w = history();
    assert_ok(rehearse_world_run(w, T0, w->life.now_ms, 1));
    const struct rehearse_journey *j = rehearse_world_journey(w, "welcome");
    assert_int_equal(j->sample_count, 3); /* as many as were asked for */
    uint32_t ada = engine_find(w->life.engine, STR("ada"));
    assert_int_equal(j->sample[0].person, ada);
    assert_true(j->sample[0].entered_ms == T0 + TIME_DAY_MS);
    assert_str(j->sample[0].ended, "finished");
    assert_int_equal(j->sample[0].sent, 2);
    assert_str(rehearse_world_path(w, ada), "86400000 enrolled welcome\n"
                                            "86400000 step welcome.hello\n"
                                            "86400000 queued welcome.hello letter\n"
                                            "86400000 step welcome.pause until 345600000\n"
                                            "86400000 sent welcome.hello letter\n"
                                            "345600000 step welcome.pro (no)\n"
                                            "345600000 step welcome.later\n"
                                            "345600000 queued welcome.later letter\n"
                                            "345600000 step welcome.end\n"
                                            "345600000 ended welcome.end (finished)\n"
                                            "345600000 sent welcome.later letter\n");
    assert_int_equal(rehearse_world_path(w, engine_find(w->life.engine, STR("nobody"))).len, 0);
    rehearse_world_close(w);
}

TEST(rehearse, journeys_begin_in_the_window_and_what_was_before_is_known)
{
    struct rehearse_world *w = history();
    rehearse_world_draft(w, DEFINE_JOURNEY, "again",
                         STR("{\"journey\":\"again\",\"trigger\":{\"event\":\"Bought\"},\"nodes\":["
                             "{\"id\":\"s\",\"split\":\"did \\\"Signed Up\\\"\",\"yes\":\"e\","
                             "\"no\":\"e\"},{\"id\":\"e\",\"exit\":true}]}"));
    assert_ok(rehearse_world_run(w, T0 + 2 * TIME_DAY_MS, T0 + 8 * TIME_DAY_MS, 1));
    assert_int_equal(rehearse_world_journey(w, "welcome")->entries, 0);
    const struct rehearse_journey *j = rehearse_world_journey(w, "again");
    assert_int_equal(j->entries, 1);
    assert_int_equal(rehearse_world_count(rehearse_world_node(j, "s")->took, "yes"), 1);
    assert_int_equal(w->result.days, 7);
    assert_int_equal(j->entered_on[0], 1);
    rehearse_world_close(w);
}

TEST(rehearse, who_was_in_the_segment_before_the_window_does_not_enter_it)
{
    struct rehearse_world *w = shop();
    rehearse_world_draft(w, DEFINE_SEGMENT, "buyers", STR("did \"Bought\" in the last 5 days"));
    rehearse_world_draft(w, DEFINE_JOURNEY, "welcome",
                         STR("{\"journey\":\"welcome\",\"trigger\":{\"segment\":\"buyers\"},"
                             "\"nodes\":[{\"id\":\"e\",\"exit\":true}]}"));
    at(w, 1);
    rehearse_world_event(w, "ada", "Bought", NULL);
    at(w, 3);
    rehearse_world_event(w, "bo", "Bought", NULL);
    at(w, 9);
    rehearse_world_event(w, "ada", "Bought", NULL); /* she left it on the 6th */
    at(w, 10);
    assert_ok(rehearse_world_run(w, T0 + 2 * TIME_DAY_MS, w->life.now_ms, 1));
    const struct rehearse_journey *j = rehearse_world_journey(w, "welcome");
    assert_int_equal(j->entries, 2);
    assert_int_equal(j->entered_on[1], 1); /* bo */
    assert_int_equal(j->entered_on[7], 1); /* ada, by time and deed */
    rehearse_world_close(w);
}

/* What a published journey did in life is done anew, and not seen as done already. */
TEST(rehearse, a_published_journey_is_not_told_what_it_did_itself)
{
    struct rehearse_world *w = shop();
    static const char      text[] =
        "{\"journey\":\"welcome\",\"trigger\":{\"event\":\"Signed Up\"},\"nodes\":["
        "{\"id\":\"a\",\"email\":\"letter\"},"
        "{\"id\":\"s\",\"split\":\"did \\\"Message Sent\\\" at least 2 times\",\"yes\":\"e\","
        "\"no\":\"e\"},{\"id\":\"e\",\"exit\":true}]}";
    assert_ok(rehearse_world_define(w, DEFINE_JOURNEY, "welcome", str_of(text)));
    at(w, 1);
    signs_up(w, "ada", "{\"email\":\"ada@x.no\"}");
    at(w, 2);
    assert_ok(rehearse_world_run(w, T0, w->life.now_ms, 1));
    const struct rehearse_journey *j = rehearse_world_journey(w, "welcome");
    assert_int_equal(j->entries, 1);
    assert_int_equal(j->sent, 1);
    assert_int_equal(rehearse_world_count(rehearse_world_node(j, "s")->took, "no"), 1);
    rehearse_world_close(w);
}

/* Another journey's mails are what they were, and its end may begin a draft. */
TEST(rehearse, what_other_journeys_did_is_told_as_it_was)
{
    struct rehearse_world *w = shop();
    static const char      lived[] =
        "{\"journey\":\"old\",\"trigger\":{\"event\":\"Signed Up\"},\"nodes\":["
        "{\"id\":\"a\",\"email\":\"letter\"},{\"id\":\"w\",\"wait\":\"1 day\"}]}";
    static const char draft[] =
        "{\"journey\":\"welcome\",\"trigger\":{\"finished_journey\":\"old\"},\"nodes\":["
        "{\"id\":\"s\",\"split\":\"did \\\"Message Sent\\\"\",\"yes\":\"e\",\"no\":\"e\"},"
        "{\"id\":\"e\",\"exit\":true}]}";
    assert_ok(rehearse_world_define(w, DEFINE_JOURNEY, "old", str_of(lived)));
    w->definitions[w->definitions_count - 1].is_rehearsed = false;
    rehearse_world_draft(w, DEFINE_JOURNEY, "welcome", str_of(draft));
    at(w, 1);
    signs_up(w, "ada", "{\"email\":\"ada@x.no\"}");
    at(w, 5);
    assert_ok(rehearse_world_run(w, T0, w->life.now_ms, 1));
    assert_int_equal(w->result.journeys_count, 1);
    const struct rehearse_journey *j = rehearse_world_journey(w, "welcome");
    assert_int_equal(j->entries, 1);
    assert_int_equal(j->entered_on[2], 1);
    assert_int_equal(rehearse_world_count(rehearse_world_node(j, "s")->took, "yes"), 1);
    rehearse_world_close(w);
}

TEST(rehearse, an_address_is_not_written_to_from_the_day_it_was_suppressed)
{
    struct rehearse_world *w = history();
    assert_ok(
        suppressions_put(w->suppressed, &(struct suppression){ .reason = SUPPRESSION_HARD,
                                                               .address = STR("ada@x.no"),
                                                               .at_ms = T0 + 2 * TIME_DAY_MS }));
    assert_ok(rehearse_world_run(w, T0, w->life.now_ms, 1));
    const struct rehearse_journey *j = rehearse_world_journey(w, "welcome");
    assert_int_equal(rehearse_world_node(j, "hello")->sent, 4);
    assert_int_equal(rehearse_world_node(j, "later")->sent, 0);
    assert_int_equal(j->held, 3);
    rehearse_world_close(w);
}

TEST(rehearse, a_refusal_of_the_time_holds_the_message_back)
{
    struct rehearse_world *w = shop();
    struct json            how;
    at(w, 1);
    signs_up(w, "ada", "{\"email\":\"ada@x.no\"}");
    signs_up(w, "bo", "{\"email\":\"bo@x.no\"}");
    at(w, 2);
    assert_ok(json_parse_once(w->arena, STR("{\"state\":\"unsubscribed\"}"), &how, NULL));
    rehearse_world_tell(w, (struct record){ .kind = RECORD_CONSENT,
                                            .profile = engine_find(w->life.engine, STR("ada")),
                                            .properties = &how });
    at(w, 9);
    assert_ok(rehearse_world_run(w, T0, w->life.now_ms, 1));
    const struct rehearse_journey *j = rehearse_world_journey(w, "welcome");
    assert_int_equal(rehearse_world_count(j->ended, "unsubscribed"), 1);
    assert_int_equal(j->sent, 3);
    rehearse_world_close(w);
}

TEST(rehearse, a_draft_that_names_what_is_not_there_is_refused_with_its_place)
{
    struct rehearse_world *w = history();
    rehearse_world_draft(w, DEFINE_JOURNEY, "welcome",
                         STR("{\"journey\":\"welcome\",\"trigger\":{\"event\":\"A\"},\"nodes\":["
                             "{\"id\":\"a\",\"email\":\"none\"}]}"));
    assert_int_equal(rehearse_world_run(w, T0, w->life.now_ms, 1), ERR_ABSENT);
    assert_string_equal(w->problem.where, "journeys/welcome: nodes[0].email");
    assert_non_null(strstr(w->problem.what, "none"));
    w->definitions[w->definitions_count - 1].is_rehearsed = false;
    assert_int_equal(rehearse_world_run(w, T0, w->life.now_ms, 1), ERR_ABSENT);
    assert_string_equal(w->problem.where, "journey"); /* nothing to rehearse */
    assert_int_equal(rehearse_world_run(w, T0 + 1, T0, 1), ERR_INPUT);
    assert_string_equal(w->problem.where, "from");
    rehearse_world_close(w);
}

TEST(rehearse, a_published_journey_whose_template_is_gone_is_refused_with_its_place)
{
    struct rehearse_world *w = shop();
    assert_ok(rehearse_world_define(w, DEFINE_JOURNEY, "welcome", STR(WELCOME)));
    w->definitions[w->definitions_count - 1].is_draft = false;
    rehearse_world_draft(w, DEFINE_JOURNEY, "other",
                         STR("{\"journey\":\"other\",\"trigger\":{\"event\":\"A\"},\"nodes\":["
                             "{\"id\":\"e\",\"exit\":true}]}"));
    for (uint32_t i = 0; i < w->definitions_count; i++)
        if (w->definitions[i].kind == DEFINE_TEMPLATE)
            w->definitions[i].text = STR_NONE;
    assert_int_equal(rehearse_world_run(w, T0, w->life.now_ms, 1), ERR_ABSENT);
    assert_string_equal(w->problem.where, "journeys/welcome: nodes[0].email");
    rehearse_world_close(w);
}

/* A template's head is all that decides; its conditions are asked of no reader. */
TEST(rehearse, of_a_template_the_head_is_read)
{
    struct arena *arena = arena_open(1 << 16);
    struct str    head = rehearse_head(arena, STR("subject: s\nWhen vip: in segment \"x\"\n"
                                                     "topic: news\n--- html\n{{ codes.a.code }}\n"));
    assert_str(head, "subject: s\ntopic: news\n--- text\nx\n");
    arena_close(arena);
}

/* Segments that no draft names are not asked, and their events are not told. */
TEST(rehearse, only_what_matters_to_the_draft_is_told)
{
    struct rehearse_world *w = history();
    rehearse_world_draft(w, DEFINE_SEGMENT, "lookers", STR("did \"Looked\""));
    assert_ok(rehearse_world_run(w, T0, w->life.now_ms, 1));
    uint64_t events = w->result.events;
    for (int i = 0; i < 5; i++)
        rehearse_world_event(w, "ada", "Looked", NULL);
    assert_ok(rehearse_world_run(w, T0, w->life.now_ms, 1));
    assert_int_equal(w->result.events, events);
    rehearse_world_draft(w, DEFINE_JOURNEY, "b",
                         STR("{\"journey\":\"b\",\"trigger\":{\"event\":\"Bought\"},"
                             "\"exit_when\":\"in segment \\\"lookers\\\"\",\"nodes\":["
                             "{\"id\":\"e\",\"wait\":\"1 day\"}]}"));
    assert_ok(rehearse_world_run(w, T0, w->life.now_ms, 1));
    assert_int_equal(w->result.events, events + 5);
    rehearse_world_close(w);
}

/* By ada's clock it is UTC: what is due at nine in the evening waits for the morning. */
TEST(rehearse, quiet_hours_and_limits_hold_back_as_in_life_and_are_told)
{
    struct rehearse_world *w = shop();
    rehearse_world_draft(w, DEFINE_LIMITS, "limits",
                         STR("{\"quiet\":[{\"from\":\"21:00\",\"to\":\"08:00\"}],"
                             "\"limits\":[{\"most\":1,\"in\":\"30 days\"}]}"));
    rehearse_world_until(w, T0 + 21 * TIME_HOUR_MS);
    signs_up(w, "ada", "{\"email\":\"ada@x.no\"}");
    at(w, 9);
    assert_ok(rehearse_world_run(w, T0, w->life.now_ms, 1));
    const struct rehearse_journey *j = rehearse_world_journey(w, "welcome");
    const struct rehearse_node    *hello = rehearse_world_node(j, "hello");
    assert_int_equal(hello->sent, 1);
    assert_int_equal(rehearse_world_count(hello->delayed, "quiet hours by the person's clock"), 1);
    assert_int_equal(j->sent_on[1], 1);
    assert_int_equal(
        rehearse_world_count(rehearse_world_node(j, "later")->held, "at most 1 in 30 days"), 1);
    rehearse_world_close(w);
}

TEST(rehearse, goals_are_counted_and_who_is_held_out_does_not_enter)
{
    struct rehearse_world *w = history();
    rehearse_world_draft(w, DEFINE_JOURNEY, "welcome",
                         STR("{\"journey\":\"welcome\",\"trigger\":{\"event\":\"Signed Up\"},"
                             "\"holdout\":{\"share\":50},"
                             "\"goal\":{\"condition\":\"did \\\"Bought\\\" since entry\","
                             "\"within\":\"5 days\"},"
                             "\"nodes\":[{\"id\":\"w\",\"wait\":\"3 days\"}]}"));
    assert_ok(rehearse_world_run(w, T0, w->life.now_ms, 1));
    const struct rehearse_journey *j = rehearse_world_journey(w, "welcome");
    assert_int_equal(j->entries + rehearse_world_count(j->refused, "held out"), 5);
    assert_int_equal(j->goals + j->goals_held_out, 1); /* cy */
    rehearse_world_close(w);
}

TEST(rehearse, a_fault_in_any_draft_is_said_with_its_folder_and_place)
{
    static const struct {
        enum definition_kind kind;
        const char          *name, *text, *where;
    } cases[] = {
        { DEFINE_SEGMENT, "buyers", "did", "segments/buyers" },
        { DEFINE_TRAIT, "spent", "sum of", "traits/spent" },
        { DEFINE_SCORE, "lead", "{\"score\":\"lead\"}", "scores/lead" },
        { DEFINE_TEMPLATE, "other", "channel: pigeon\n--- text\nx", "templates/other" },
        { DEFINE_JOURNEY, "other", "{}", "journeys/other" },
        { DEFINE_LIMITS, "limits", "[]", "limits" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rehearse_world *w = history();
        rehearse_world_draft(w, cases[i].kind, cases[i].name, str_of(cases[i].text));
        assert_int_not_equal(rehearse_world_run(w, T0, w->life.now_ms, 1), OK);
        if (strncmp(w->problem.where, cases[i].where, strlen(cases[i].where)) != 0)
            fail_msg("%s is not at %s", w->problem.where, cases[i].where);
        rehearse_world_close(w);
    }
}

TEST(rehearse, a_window_of_more_than_ten_years_is_refused_and_nobody_has_no_way)
{
    struct rehearse_world *w = history();
    assert_int_not_equal(
        rehearse_world_run(w, T0 - REHEARSE_DAYS_MAX * TIME_DAY_MS, w->life.now_ms, 1), OK);
    assert_ok(rehearse_world_run(w, T0, w->life.now_ms, 1));
    assert_int_equal(rehearse_world_path(w, 9999).len, 0); /* there is no such person */
    rehearse_world_close(w);
}

/* Whatever is done matters where "anything" is asked, and what a score counts where it is asked. */
TEST(rehearse, what_asks_for_anything_a_score_or_an_hour_is_told_all_it_needs)
{
    struct rehearse_world *w = history();
    rehearse_world_draft(w, DEFINE_SCORE, "lead",
                         STR("{\"score\":\"lead\",\"rules\":[{\"event\":\"Bought\",\"points\":30}],"
                             "\"lines\":[{\"name\":\"warm\",\"at\":20}]}"));
    rehearse_world_draft(w, DEFINE_JOURNEY, "scored",
                         STR("{\"journey\":\"scored\",\"trigger\":{\"segment\":\"score lead: "
                             "warm\"},\"nodes\":[{\"id\":\"e\",\"exit\":true}]}"));
    rehearse_world_draft(
        w, DEFINE_JOURNEY, "idle",
        STR("{\"journey\":\"idle\",\"trigger\":{\"event\":\"Signed Up\"},"
            "\"nodes\":[{\"id\":\"f\",\"wait_for\":\"did anything at least 2 times since entry\","
            "\"within\":\"2 days\"}]}"));
    rehearse_world_draft(w, DEFINE_JOURNEY, "daily",
                         STR("{\"journey\":\"daily\",\"trigger\":{\"schedule\":\"10:00\"},"
                             "\"audience\":\"everyone\","
                             "\"nodes\":[{\"id\":\"e\",\"exit\":true}]}"));
    rehearse_world_draft(w, DEFINE_JOURNEY, "asked",
                         STR("{\"journey\":\"asked\",\"trigger\":{\"api\":true},\"nodes\":[{"
                             "\"id\":\"e\",\"exit\":true}]}"));
    rehearse_world_event(w, "nobody", "Looked", NULL);
    if (rehearse_world_run(w, T0, w->life.now_ms, 2) != OK)
        fail_msg("%s: %s", w->problem.where, w->problem.what);
    assert_int_equal(rehearse_world_journey(w, "scored")->entries, 1); /* cy */
    const struct rehearse_journey *idle = rehearse_world_journey(w, "idle");
    assert_int_equal(idle->entries, 5);
    assert_int_equal(rehearse_world_count(rehearse_world_node(idle, "f")->took, "yes"), 1);
    assert_true(rehearse_world_journey(w, "daily")->entries > 30);
    assert_int_equal(rehearse_world_journey(w, "asked")->entries, 0);
    rehearse_world_close(w);
}
