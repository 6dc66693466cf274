/* The brake: when it is pulled, what it holds, and how it is released. */
#include "engine/brake.h"

#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"

static void hear(struct brake *brake, enum brake_event event, int times, int64_t at_ms)
{
    for (int i = 0; i < times; i++)
        brake_hear(brake, event, at_ms);
}

TEST(brake, one_in_twenty_that_bounce_is_borne_and_one_more_is_not)
{
    static struct brake brake;
    struct brake_conf   conf = brake_conf_make();
    char                why[BRAKE_WHY_BYTES_MAX + 1];
    brake_reset(&brake);
    hear(&brake, BRAKE_SENT, 400, T0);
    hear(&brake, BRAKE_BOUNCED, 20, T0);
    assert_false(brake_is_due(&brake, &conf, T0, why));
    hear(&brake, BRAKE_BOUNCED, 1, T0 + TIME_HOUR_MS);
    assert_true(brake_is_due(&brake, &conf, T0 + TIME_HOUR_MS, why));
    assert_string_equal(why, "21 of 400 messages of the last 24 hours bounced for good");
    /* A day later it is another window. */
    assert_false(brake_is_due(&brake, &conf, T0 + 26 * TIME_HOUR_MS, why));
}

TEST(brake, a_few_bounces_of_a_small_sender_are_no_spike)
{
    static struct brake brake;
    struct brake_conf   conf = brake_conf_make();
    char                why[BRAKE_WHY_BYTES_MAX + 1];
    brake_reset(&brake);
    hear(&brake, BRAKE_SENT, 30, T0);
    hear(&brake, BRAKE_BOUNCED, 19, T0);
    hear(&brake, BRAKE_COMPLAINED, 4, T0);
    assert_false(brake_is_due(&brake, &conf, T0, why));
    hear(&brake, BRAKE_COMPLAINED, 1, T0);
    assert_true(brake_is_due(&brake, &conf, T0, why));
    assert_string_equal(why, "5 of 30 messages of the last 24 hours were complained of");
}

TEST(brake, more_than_three_complaints_in_a_thousand_stop_a_large_sender)
{
    static struct brake brake;
    struct brake_conf   conf = brake_conf_make();
    char                why[BRAKE_WHY_BYTES_MAX + 1];
    brake_reset(&brake);
    hear(&brake, BRAKE_SENT, 10000, T0);
    hear(&brake, BRAKE_COMPLAINED, 30, T0);
    assert_false(brake_is_due(&brake, &conf, T0, why));
    hear(&brake, BRAKE_COMPLAINED, 1, T0);
    assert_true(brake_is_due(&brake, &conf, T0, why));
}

TEST(brake, what_a_domain_sent_is_taken_out_of_the_whole_hour_by_hour)
{
    static struct brake  whole;
    struct brake_domains domains = { .count = 0 };
    struct brake        *news = brake_of(&domains, STR("news.example"));
    struct brake        *shop = brake_of(&domains, STR("shop.example"));
    brake_reset(&whole);
    assert_ptr_equal(brake_of(&domains, STR("NEWS.example")), news);
    assert_null(brake_of(&domains, STR("")));
    hear(&whole, BRAKE_SENT, 30, T0);
    hear(news, BRAKE_SENT, 20, T0);
    hear(&whole, BRAKE_BOUNCED, 7, T0 + TIME_HOUR_MS);
    hear(news, BRAKE_BOUNCED, 5, T0 + TIME_HOUR_MS);
    assert_false(brake_has_others(&domains, news, 24, T0));
    hear(shop, BRAKE_SENT, 10, T0);
    assert_true(brake_has_others(&domains, news, 24, T0));
    assert_false(brake_has_others(&domains, news, 24, T0 + 30 * TIME_HOUR_MS));
    brake_subtract(&whole, news);
    struct brake_counts left = brake_counts(&whole, 24, T0 + TIME_HOUR_MS);
    assert_int_equal(left.sent, 10);
    assert_int_equal(left.bounced, 2);
    brake_domains_done(&domains);
}

TEST(brake, a_definition_is_read_as_it_was_written_and_a_wrong_one_is_refused)
{
    static const char *const wrong[] = { "[]",
                                         "{\"state\":\"off\"}",
                                         "{\"hours\":0}",
                                         "{\"bounces\":{\"percent\":0}}",
                                         "{\"complaints\":{\"percent\":\"1\"}}",
                                         "{\"complaints\":{\"least\":0}}",
                                         "{\"domains\":\"a.example\"}",
                                         "{\"domains\":[{\"why\":\"x\"}]}",
                                         "{\"domains\":[1,2,3,4,5,6,7,8,9]}" };
    struct brake_conf        conf, again;
    struct problem           problem;
    struct buf               text = buf_make(BRAKE_TEXT_BYTES_MAX);
    assert_ok(
        brake_parse(STR("{\"state\":\"stopped\",\"why\":\"a \\\"list\\\"\",\"hours\":6,"
                        "\"bounces\":{\"percent\":2.5},\"complaints\":{\"percent\":0.1,"
                        "\"least\":3},\"transactional\":true,\"domains\":[{\"domain\":"
                        "\"a.example\",\"why\":\"a \\\"list\\\"\"},{\"domain\":\"b.example\"}]}"),
                    &conf, &problem));
    brake_write(&conf, &text);
    assert_ok(brake_parse(buf_view(&text), &again, &problem));
    assert_memory_equal(&conf, &again, sizeof conf);
    assert_int_equal(conf.bounces.permyriad, 250);
    assert_true(brake_has_stopped(&conf, STR("B.example")));
    assert_false(brake_has_stopped(&conf, STR("c.example")) || brake_has_stopped(&conf, STR("")));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(brake_parse(str_of(wrong[i]), &again, &problem), ERR_INPUT);
    buf_done(&text);
}

/* ---- in the engine ---- */

static void told(struct world *w, const char *user, const char *event)
{
    assert_ok(engine_world_tell(
        w,
        (struct record){ .kind = RECORD_TRACK, .user_id = str_of(user), .name = str_of(event) }));
}

static uint64_t claimed(struct world *w)
{
    size_t before = w->out.claims_count;
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_CLAIM, .count = 1 }));
    return w->out.claims_count > before ? w->out.claims[before].message : 0;
}

static void complain(struct world *w)
{
    struct json none = { .kind = JSON_OBJECT };
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_MESSAGE,
                                                    .name = EVENT_MESSAGE_COMPLAINED,
                                                    .properties = &none }));
}

static struct world mailing(void)
{
    struct world w = engine_world_open();
    struct json  traits;
    assert_ok(json_parse_once(w.arena, STR("{\"email\":\"ada@example.com\"}"), &traits, NULL));
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "paper", "subject: x\n--- html\nhi"));
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "receipt",
                                  "subject: x\ntransactional: yes\n--- html\nhi"));
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "paper",
                                  "{\"journey\":\"paper\",\"trigger\":{\"event\":\"Paper\"},"
                                  "\"reentry\":\"always\",\"nodes\":[{\"id\":\"m\",\"email\":"
                                  "\"paper\"}]}"));
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "receipt",
                                  "{\"journey\":\"receipt\",\"trigger\":{\"event\":\"Bought\"},"
                                  "\"reentry\":\"always\",\"nodes\":[{\"id\":\"m\",\"email\":"
                                  "\"receipt\"}]}"));
    assert_ok(engine_world_tell(
        &w,
        (struct record){ .kind = RECORD_IDENTIFY, .user_id = STR("ada"), .properties = &traits }));
    return w;
}

TEST(brake, sending_stops_with_the_complaint_that_was_too_much_and_receipts_go_on)
{
    struct world w = mailing();
    told(&w, "ada", "Paper");
    for (int i = 0; i < 4; i++)
        complain(&w);
    assert_int_equal(w.out.stopped.len, 0);
    complain(&w);
    assert_true(str_starts(w.out.stopped, STR("{\"state\":\"stopped\",\"why\":\"5 of 0")));
    assert_int_equal(claimed(&w), 0);
    told(&w, "ada", "Bought");
    assert_true(claimed(&w) != 0);
    assert_int_equal(claimed(&w), 0);
    complain(&w);
    assert_int_equal(w.out.stopped.len, 0); /* it says so once */
    engine_world_close(&w);
}

TEST(brake, what_waited_goes_when_sending_is_resumed_and_the_count_begins_anew)
{
    struct world w = mailing();
    assert_ok(engine_world_define(&w, DEFINE_SENDING, "sending", "{\"state\":\"stopped\"}"));
    told(&w, "ada", "Paper");
    told(&w, "ada", "Paper");
    assert_int_equal(claimed(&w), 0);
    assert_int_equal(claimed(&w), 0);
    for (int i = 0; i < 9; i++)
        complain(&w);
    assert_ok(engine_world_define(&w, DEFINE_SENDING, "sending", "{\"state\":\"on\"}"));
    assert_true(claimed(&w) != 0);
    assert_true(claimed(&w) != 0);
    assert_int_equal(claimed(&w), 0);
    complain(&w);
    assert_int_equal(w.out.stopped.len, 0);
    engine_world_close(&w);
}

TEST(brake, receipts_stop_too_where_that_is_asked_for)
{
    struct world w = mailing();
    assert_ok(engine_world_define(&w, DEFINE_SENDING, "sending",
                                  "{\"state\":\"stopped\",\"transactional\":true}"));
    told(&w, "ada", "Bought");
    assert_int_equal(claimed(&w), 0);
    engine_world_close(&w);
}

/* ---- by domain ---- */

static void outcome(struct world *w, uint64_t message, enum outcome_kind kind, const char *from,
                    const char *stopped)
{
    struct json properties;
    struct str  text = str_format(w->arena, "{\"message\":\"%llu\",\"from\":\"%s\"}",
                                  (unsigned long long)message, from);
    assert_ok(json_parse_once(w->arena, text, &properties, NULL));
    assert_ok(engine_world_tell(
        w,
        (struct record){
            .kind = RECORD_OUTCOME,
            .profile = 0,
            .message = message,
            .name = kind == OUTCOME_SENT ? EVENT_MESSAGE_SENT : STR_NONE,
            .properties = &properties,
            .outcome = { .message = message, .kind = kind, .stopped_domain = str_of(stopped) } }));
}

static uint64_t sent(struct world *w, const char *from)
{
    told(w, "ada", "Paper");
    uint64_t message = claimed(w);
    assert_true(message != 0);
    outcome(w, message, OUTCOME_SENT, from, "");
    return message;
}

static void complain_of(struct world *w, uint64_t message)
{
    struct json none = { .kind = JSON_OBJECT };
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_MESSAGE,
                                                    .name = EVENT_MESSAGE_COMPLAINED,
                                                    .profile = 0,
                                                    .message = message,
                                                    .properties = &none }));
}

TEST(brake, the_spike_of_one_domain_stops_that_one_and_the_others_go_on)
{
    struct world w = mailing();
    uint64_t     news[12], shop = sent(&w, "shop.example");
    for (int i = 0; i < 12; i++)
        news[i] = sent(&w, "news.example");
    for (int i = 0; i < 4; i++)
        complain_of(&w, news[i]);
    assert_int_equal(w.out.stopped.len, 0);
    complain_of(&w, news[4]);
    assert_true(str_starts(w.out.stopped, STR("{\"state\":\"on\"")));
    assert_true(str_find(w.out.stopped, 0, STR("\"domain\":\"news.example\",\"why\":\"5 of 12")) <
                w.out.stopped.len);
    /* What comes back of it later is no reason to stop the others. */
    for (int i = 5; i < 12; i++)
        complain_of(&w, news[i]);
    assert_int_equal(w.out.stopped.len, 0);
    complain_of(&w, shop);
    assert_int_equal(w.out.stopped.len, 0);
    assert_true(sent(&w, "shop.example") != 0);
    engine_world_close(&w);
}

TEST(brake, where_one_domain_is_all_there_is_everything_stops)
{
    struct world w = mailing();
    uint64_t     news[5];
    for (int i = 0; i < 5; i++)
        news[i] = sent(&w, "news.example");
    for (int i = 0; i < 5; i++)
        complain_of(&w, news[i]);
    assert_true(str_starts(w.out.stopped, STR("{\"state\":\"stopped\"")));
    engine_world_close(&w);
}

TEST(brake, what_came_back_for_its_domain_waits_until_that_goes_on)
{
    struct world w = mailing();
    assert_ok(engine_world_define(&w, DEFINE_SENDING, "sending",
                                  "{\"domains\":[{\"domain\":\"news.example\"}]}"));
    told(&w, "ada", "Paper");
    uint64_t message = claimed(&w);
    outcome(&w, message, OUTCOME_RETURNED, "news.example", "news.example");
    assert_int_equal(claimed(&w), 0);
    told(&w, "ada", "Paper");
    uint64_t other = claimed(&w);
    assert_true(other != 0 && other != message);
    outcome(&w, other, OUTCOME_SENT, "shop.example", "");
    assert_ok(engine_world_define(&w, DEFINE_SENDING, "sending", "{\"domains\":[]}"));
    assert_int_equal(claimed(&w), message);
    /* It was let go meanwhile: what comes back late goes again at once. */
    outcome(&w, message, OUTCOME_RETURNED, "news.example", "news.example");
    assert_int_equal(claimed(&w), message);
    assert_int_equal(claimed(&w), 0);
    engine_world_close(&w);
}
