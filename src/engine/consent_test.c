/* Consent by example: topics that ask to confirm, words taken back, what a proof keeps. */
#include "engine/engine_world_test.h"

#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "base/time.h"

static const char TOPICS[] =
    "{\"topics\":[{\"id\":\"news\",\"confirm\":[\"form\",\"import\"]},"
    "{\"id\":\"offers\",\"opt_in\":true}],\"confirm\":{\"days\":7,\"mails\":3}}";

static void say(struct world *w, const char *topic, const char *json)
{
    struct json value;
    assert_ok(json_parse_once(w->arena, str_of(json), &value, NULL));
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_CONSENT,
                                                    .profile = engine_find(w->engine, STR("ada")),
                                                    .name = str_of(topic),
                                                    .properties = &value }));
}

static struct world shop(void)
{
    struct world w = engine_world_open();
    struct json  traits;
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "confirm",
                                  "subject: Is it you?\ntransactional: yes\n--- html\nhi"));
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "paper",
                                  "subject: News\ntopic: news\n--- html\nhi"));
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "deal",
                                  "subject: Offer\ntopic: offers\n--- html\nhi"));
    assert_ok(engine_world_define(&w, DEFINE_TOPICS, "topics", TOPICS));
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "paper",
                                  "{\"journey\":\"paper\",\"trigger\":{\"event\":\"Paper\"},"
                                  "\"reentry\":\"always\",\"nodes\":[{\"id\":\"m\",\"email\":"
                                  "\"paper\"}]}"));
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "deal",
                                  "{\"journey\":\"deal\",\"trigger\":{\"event\":\"Deal\"},"
                                  "\"reentry\":\"always\",\"nodes\":[{\"id\":\"m\",\"email\":"
                                  "\"deal\"}]}"));
    assert_ok(json_parse_once(w.arena, STR("{\"email\":\"ada@example.com\"}"), &traits, NULL));
    assert_ok(engine_world_tell(
        &w,
        (struct record){ .kind = RECORD_IDENTIFY, .user_id = STR("ada"), .properties = &traits }));
    return w;
}

/* The template of the next message that may go; empty when none may. */
static struct str next(struct world *w)
{
    size_t before = w->out.claims_count;
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_CLAIM, .count = 1 }));
    if (w->out.claims_count == before)
        return STR_NONE;
    return program_name(engine_program(w->engine), NAME_TEMPLATE,
                        w->out.claims[before].template_id);
}

static struct str next_after(struct world *w, const char *event)
{
    assert_ok(engine_world_tell(
        w, (struct record){ .kind = RECORD_TRACK, .user_id = STR("ada"), .name = str_of(event) }));
    return next(w);
}

static struct str reason_of_last(struct world *w)
{
    struct str detail = w->out.decisions[w->out.decisions_count - 1].detail;
    return detail;
}

TEST(consent, a_yes_by_a_form_waits_for_the_link_of_a_mail_and_only_then_counts)
{
    struct world w = shop();
    say(&w, "news", "{\"state\":\"subscribed\",\"source\":\"form\"}");
    assert_true(engine_world_holds(&w, "consent to \"news\" is pending", "ada", w.now_ms));
    assert_str(next(&w), "confirm");
    assert_int_equal(next_after(&w, "Paper").len, 0);
    assert_str(reason_of_last(&w), "{\"reason\":\"not confirmed yet\"}");
    say(&w, "news", "{\"state\":\"subscribed\",\"source\":\"confirmation\"}");
    assert_true(engine_world_holds(&w, "consent to \"news\" is granted", "ada", w.now_ms));
    assert_str(next_after(&w, "Paper"), "paper");
    engine_world_close(&w);
}

TEST(consent, a_yes_by_a_way_that_the_topic_does_not_ask_to_confirm_counts_at_once)
{
    struct world w = shop();
    say(&w, "news", "{\"state\":\"subscribed\"}");
    assert_true(engine_world_holds(&w, "consent to \"news\" is granted", "ada", w.now_ms));
    /* Who has said yes is not asked again because of a form. */
    say(&w, "news", "{\"state\":\"subscribed\",\"source\":\"form\"}");
    assert_true(engine_world_holds(&w, "consent to \"news\" is granted", "ada", w.now_ms));
    assert_int_equal(next(&w).len, 0);
    engine_world_close(&w);
}

TEST(consent, a_form_cannot_say_yes_to_every_topic_where_one_asks_to_confirm)
{
    struct world w = shop();
    struct json  value;
    assert_ok(json_parse_once(w.arena, STR("{\"state\":\"subscribed\",\"source\":\"form\"}"),
                              &value, NULL));
    assert_int_equal(
        engine_world_tell(&w, (struct record){ .kind = RECORD_CONSENT, .properties = &value }),
        ERR_INPUT);
    engine_world_close(&w);
}

TEST(consent, whoever_fills_in_the_form_again_and_again_fills_no_mailbox)
{
    struct world w = shop();
    int          mails = 0;
    for (int i = 0; i < 20; i++) {
        say(&w, "news", "{\"state\":\"subscribed\",\"source\":\"form\"}");
        mails += next(&w).len > 0;
        if (i == 0) { /* a button pressed twice */
            say(&w, "news", "{\"state\":\"subscribed\",\"source\":\"form\"}");
            assert_int_equal(next(&w).len, 0);
        }
        engine_world_tick(&w, 2 * TIME_MINUTE_MS);
    }
    assert_true(mails >= 2 && mails <= 3);
    engine_world_tick(&w, 8 * TIME_DAY_MS);
    say(&w, "news", "{\"state\":\"subscribed\",\"source\":\"form\"}");
    assert_str(next(&w), "confirm");
    engine_world_close(&w);
}

TEST(consent, nor_by_a_topic_after_the_other)
{
    struct world w = shop();
    char         topics[1024] = "{\"topics\":[";
    int          mails = 0;
    for (int i = 0; i < 12; i++)
        snprintf(topics + strlen(topics), sizeof topics - strlen(topics),
                 "%s{\"id\":\"t%d\",\"confirm\":[\"form\"]}", i == 0 ? "" : ",", i);
    strcat(topics, "],\"confirm\":{\"days\":7,\"mails\":3}}");
    assert_ok(engine_world_define(&w, DEFINE_TOPICS, "topics", topics));
    for (int i = 0; i < 12; i++) {
        char topic[8];
        snprintf(topic, sizeof topic, "t%d", i);
        say(&w, topic, "{\"state\":\"subscribed\",\"source\":\"form\"}");
        mails += next(&w).len > 0;
    }
    assert_int_equal(mails, 6);
    engine_world_close(&w);
}

TEST(consent, a_mail_that_asks_to_confirm_what_was_refused_since_does_not_go)
{
    struct world w = shop();
    say(&w, "news", "{\"state\":\"subscribed\",\"source\":\"form\"}");
    say(&w, "news", "{\"state\":\"unsubscribed\"}");
    assert_int_equal(next(&w).len, 0);
    assert_str(reason_of_last(&w), "{\"reason\":\"nothing is left to confirm\"}");
    engine_world_close(&w);
}

TEST(consent, a_topic_of_opt_in_takes_silence_for_a_no)
{
    struct world w = shop();
    assert_int_equal(next_after(&w, "Deal").len, 0);
    assert_str(reason_of_last(&w), "{\"reason\":\"never said yes\"}");
    say(&w, "offers", "{\"state\":\"subscribed\",\"channel\":\"sms\"}");
    assert_int_equal(next_after(&w, "Deal").len, 0);
    say(&w, "offers", "{\"state\":\"subscribed\",\"channel\":\"email\"}");
    assert_str(next_after(&w, "Deal"), "deal");
    engine_world_close(&w);
}

TEST(consent, a_refusal_taken_back_leaves_what_was_said_before_it_about_other_topics)
{
    struct world w = shop();
    say(&w, "offers", "{\"state\":\"subscribed\"}");
    say(&w, "", "{\"state\":\"unsubscribed\"}");
    assert_true(engine_world_holds(&w, "consent to \"offers\" is refused", "ada", w.now_ms));
    assert_int_equal(next_after(&w, "Deal").len, 0);
    say(&w, "", "{\"state\":\"unknown\"}");
    assert_true(engine_world_holds(&w, "consent to \"offers\" is granted", "ada", w.now_ms));
    assert_true(engine_world_holds(&w, "consent to \"news\" is unknown", "ada", w.now_ms));
    assert_str(next_after(&w, "Deal"), "deal");
    engine_world_close(&w);
}

TEST(consent, a_proof_is_kept_with_the_word_as_it_was_given)
{
    struct world w = shop();
    say(&w, "offers",
        "{\"state\":\"unsubscribed\",\"how\":\"one-click\",\"proof\":{\"ip\":\"192.0.2.7\","
        "\"text\":{\"version\":4}}}");
    for (size_t i = 0; i < w.out.decisions_count; i++)
        if (w.out.decisions[i].kind == DECISION_CONSENT)
            assert_str(w.out.decisions[i].detail,
                       "{\"topic\":\"offers\",\"state\":\"unsubscribed\",\"how\":\"one-click\","
                       "\"proof\":{\"ip\":\"192.0.2.7\",\"text\":{\"version\":4}}}");
    engine_world_close(&w);
}

TEST(consent, a_document_of_topics_is_refused_with_its_place_and_changes_nothing)
{
    static const struct {
        const char *text, *where;
    } cases[] = {
        { "[]", "topics" },
        { "{\"topics\":[{\"id\":\"\"}]}", "topics[0].id" },
        { "{\"topics\":[{\"id\":\"a\"},{\"id\":\"a\"}]}", "topics[1].id" },
        { "{\"topics\":[{\"id\":\"a\",\"channels\":[\"fax\"]}]}", "topics[0].channels" },
        { "{\"topics\":[{\"id\":\"a\",\"confirm\":[\"phone\"]}]}", "topics[0].confirm" },
        { "{\"topics\":[{\"id\":\"a\",\"texts\":{\"en\":{}}}]}", "topics[0].texts" },
        { "{\"topics\":[{\"id\":\"a\",\"texts\":{\"e/n\":{\"name\":\"A\"}}}]}", "topics[0].texts" },
        { "{\"topics\":[{\"id\":\"a\",\"optin\":true}]}", "topics[0]." },
        { "{\"topics\":[],\"confirm\":{\"days\":0}}", "days" },
    };
    struct world w = shop();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(engine_world_define(&w, DEFINE_TOPICS, "topics", cases[i].text),
                         ERR_INPUT);
        assert_string_equal(w.problem.where, cases[i].where);
    }
    assert_true(topics_confirm_any(&engine_program(w.engine)->topics));
    assert_int_equal(engine_world_define(&w, DEFINE_TEMPLATE, "confirm", ""), ERR_CONFLICT);
    engine_world_close(&w);
}
