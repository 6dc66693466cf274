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

TEST(brake, a_definition_is_read_as_it_was_written_and_a_wrong_one_is_refused)
{
    static const char *const wrong[] = { "[]",
                                         "{\"state\":\"off\"}",
                                         "{\"hours\":0}",
                                         "{\"bounces\":{\"percent\":0}}",
                                         "{\"complaints\":{\"percent\":\"1\"}}",
                                         "{\"complaints\":{\"least\":0}}" };
    struct brake_conf        conf, again;
    struct problem           problem;
    struct buf               text = buf_make(BRAKE_TEXT_BYTES_MAX);
    assert_ok(brake_parse(STR("{\"state\":\"stopped\",\"why\":\"a \\\"list\\\"\",\"hours\":6,"
                              "\"bounces\":{\"percent\":2.5},\"complaints\":{\"percent\":0.1,"
                              "\"least\":3},\"transactional\":true}"),
                          &conf, &problem));
    brake_write(&conf, &text);
    assert_ok(brake_parse(buf_view(&text), &again, &problem));
    assert_memory_equal(&conf, &again, sizeof conf);
    assert_int_equal(conf.bounces.permyriad, 250);
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
