/* What webhooks answered: who waits for it, and whose claim is told of it. */
#include "engine/answers.h"

#include <stdio.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"

static const char crm[] = "{\"journey\":\"lead\",\"trigger\":{\"event\":\"Order Completed\"},"
                          "\"reentry\":\"always\",\"nodes\":["
                          "{\"id\":\"crm\",\"message\":\"hook\",\"answer_within\":\"10 minutes\"},"
                          "{\"id\":\"mail\",\"email\":\"mail\"}]}";

static struct world house(void)
{
    struct world       w = engine_world_open();
    struct json_member member = { STR("email"),
                                  { .kind = JSON_STRING, .string = STR("ada@x.example") } };
    struct json        traits = { .kind = JSON_OBJECT, .count = 1, .members = &member };
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "hook",
                                  "channel: webhook\nurl: https://crm.example/\n--- body\nx"));
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "mail",
                                  "subject: s\ntransactional: yes\n--- html\nx"));
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "lead", crm));
    assert_ok(engine_world_tell(
        &w,
        (struct record){ .kind = RECORD_IDENTIFY, .user_id = STR("ada"), .properties = &traits }));
    return w;
}

/* The next claim, of the channel; NULL: nothing is queued. */
static const struct claim *claim(struct world *w)
{
    size_t before = w->out.claims_count;
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_CLAIM, .count = 1 }));
    return w->out.claims_count == before ? NULL : &w->out.claims[before];
}

/* What delivery tells of a webhook. */
static void answer(struct world *w, const struct claim *claim, enum outcome_kind kind)
{
    char message[32];
    snprintf(message, sizeof message, "%llu", (unsigned long long)claim->message);
    struct json_member members[] = {
        { STR("message"), { .kind = JSON_STRING, .string = str_of(message) } },
        { STR("channel"), { .kind = JSON_STRING, .string = STR("webhook") } },
        { STR("journey"), { .kind = JSON_STRING, .string = STR("lead") } },
        { STR("status"), { .kind = JSON_INT, .integer = 200 } },
    };
    struct json   properties = { .kind = JSON_OBJECT, .count = 4, .members = members };
    struct record record = { .kind = RECORD_OUTCOME,
                             .profile = claim->profile,
                             .message = claim->message,
                             .properties = &properties,
                             .outcome = { .message = claim->message,
                                          .kind = kind,
                                          .retry_at_ms = w->now_ms + TIME_HOUR_MS } };
    if (kind == OUTCOME_SENT)
        record.name = EVENT_NOTICE_SENT;
    if (kind == OUTCOME_FAILED)
        record.name = EVENT_MESSAGE_FAILED;
    assert_ok(engine_world_tell(w, record));
}

static bool names(const struct claim *claim, const char *text)
{
    return str_find(claim->computed, 0, str_of(text)) < claim->computed.len;
}

TEST(answers, a_node_that_waits_for_its_answer_goes_on_when_it_is_there_and_the_claim_has_it)
{
    static const enum outcome_kind ends[] = { OUTCOME_SENT, OUTCOME_FAILED };
    for (int i = 0; i < 2; i++) {
        struct world w = house();
        char         wanted[64];
        engine_world_order(&w, "ada", 1);
        const struct claim *hook = claim(&w);
        assert_non_null(hook);
        assert_int_equal(hook->channel, CHANNEL_WEBHOOK);
        assert_false(names(hook, "$answers"));
        engine_world_tick(&w, TIME_MINUTE_MS);
        assert_null(claim(&w)); /* nothing is queued before it is known */

        answer(&w, hook, ends[i]);
        snprintf(wanted, sizeof wanted, "\"seqs\":[%llu]}", (unsigned long long)w.seq);
        const struct claim *mail = claim(&w);
        assert_non_null(mail);
        assert_int_equal(mail->channel, CHANNEL_EMAIL);
        assert_true(names(mail, wanted));
        assert_null(claim(&w));
        engine_world_close(&w);
    }
}

TEST(answers, no_answer_holds_a_journey_up_for_longer_than_it_says_nor_is_a_late_one_waited_for)
{
    struct world w = house();
    engine_world_order(&w, "ada", 1);
    const struct claim *hook = claim(&w);
    answer(&w, hook, OUTCOME_DEFERRED); /* tried again in an hour: this is no end */
    assert_null(claim(&w));
    engine_world_tick(&w, 10 * TIME_MINUTE_MS);
    const struct claim *mail = claim(&w);
    assert_non_null(mail);
    assert_int_equal(mail->channel, CHANNEL_EMAIL);
    assert_false(names(mail, "$answers"));
    engine_world_tick(&w, TIME_HOUR_MS);
    hook = claim(&w);
    assert_int_equal(hook->channel, CHANNEL_WEBHOOK);
    answer(&w, hook, OUTCOME_SENT);
    assert_null(claim(&w)); /* the journey was over: no second mail */
    engine_world_close(&w);
}

TEST(answers, one_that_comes_when_the_node_is_left_does_not_end_the_next_wait)
{
    struct world w = house();
    assert_ok(engine_world_define(
        &w, DEFINE_JOURNEY, "lead",
        "{\"journey\":\"lead\",\"trigger\":{\"event\":\"Order Completed\"},"
        "\"nodes\":["
        "{\"id\":\"crm\",\"message\":\"hook\",\"answer_within\":\"10 seconds\"},"
        "{\"id\":\"pause\",\"wait\":\"3 days\"},"
        "{\"id\":\"mail\",\"email\":\"mail\"}]}"));
    engine_world_order(&w, "ada", 1);
    const struct claim *hook = claim(&w);
    assert_non_null(hook);
    w.now_ms += 10 * TIME_SECOND_MS + 1; /* and no clock in between */
    answer(&w, hook, OUTCOME_SENT);
    assert_null(claim(&w));
    engine_world_tick(&w, 3 * TIME_DAY_MS - TIME_MINUTE_MS);
    assert_null(claim(&w));
    engine_world_tick(&w, TIME_HOUR_MS);
    assert_non_null(claim(&w));
    engine_world_close(&w);
}

TEST(answers, a_node_whose_message_is_dropped_at_its_claim_goes_on_at_once)
{
    struct world w = house();
    assert_ok(
        engine_world_define(&w, DEFINE_JOURNEY, "lead",
                            "{\"journey\":\"lead\",\"trigger\":{\"event\":\"Order Completed\"},"
                            "\"nodes\":[{\"id\":\"mail\",\"message\":\"mail\","
                            "\"answer_within\":\"10 minutes\"},"
                            "{\"id\":\"crm\",\"message\":\"hook\"}]}"));
    engine_world_order(&w, "bob", 1); /* of whom no address is known */
    const struct claim *hook = claim(&w);
    assert_non_null(hook);
    assert_int_equal(hook->channel, CHANNEL_WEBHOOK);
    assert_null(claim(&w));
    engine_world_close(&w);
}

TEST(answers, a_node_whose_message_is_withdrawn_goes_on_at_once)
{
    struct world w = house();
    assert_ok(
        engine_world_define(&w, DEFINE_TEMPLATE, "mail", "subject: s\ntopic: offers\n--- html\nx"));
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "note",
                                  "channel: sms\ntopic: offers\n--- text\nx"));
    assert_ok(
        engine_world_define(&w, DEFINE_JOURNEY, "lead",
                            "{\"journey\":\"lead\",\"trigger\":{\"event\":\"Order Completed\"},"
                            "\"nodes\":[{\"id\":\"mail\",\"message\":\"mail\","
                            "\"answer_within\":\"10 minutes\"},"
                            "{\"id\":\"crm\",\"message\":\"hook\",\"answer_within\":\"1 hour\"},"
                            "{\"id\":\"note\",\"message\":\"note\"}]}"));
    engine_world_order(&w, "ada", 1); /* the mail waits in the queue */
    struct json_member said[] = {
        { STR("state"), { .kind = JSON_STRING, .string = STR("refused") } },
        { STR("channel"), { .kind = JSON_STRING, .string = STR("email") } },
    };
    struct json word = { .kind = JSON_OBJECT, .count = 2, .members = said };
    assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_CONSENT,
                                                     .name = STR("offers"),
                                                     .profile = engine_find(w.engine, STR("ada")),
                                                     .properties = &word }));
    const struct claim *hook = claim(&w);
    assert_non_null(hook);
    assert_int_equal(hook->channel, CHANNEL_WEBHOOK);
    assert_null(claim(&w));
    engine_world_close(&w);
}

TEST(answers, only_those_of_the_same_time_through_the_journey_are_told)
{
    struct world w = house();
    char         wanted[64];
    for (int i = 0; i < 2; i++) {
        engine_world_order(&w, "ada", 1);
        answer(&w, claim(&w), OUTCOME_SENT);
        snprintf(wanted, sizeof wanted, "\"seqs\":[%llu]}", (unsigned long long)w.seq);
        const struct claim *mail = claim(&w);
        assert_true(names(mail, wanted));
        answer(&w, mail, OUTCOME_UNKNOWN);
        engine_world_tick(&w, TIME_HOUR_MS);
    }
    engine_world_close(&w);
}

TEST(answers, answer_within_is_a_time_and_of_messages_alone)
{
    struct world       w = engine_world_open();
    static const char *bad[] = {
        "{\"id\":\"a\",\"message\":\"m\",\"answer_within\":\"soon\"}",
        "{\"id\":\"a\",\"message\":\"m\",\"answer_within\":10}",
        "{\"id\":\"a\",\"wait\":\"1 day\",\"answer_within\":\"1 day\"}",
        "{\"id\":\"a\",\"exit\":true,\"answer_within\":\"1 day\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[300];
        snprintf(text, sizeof text,
                 "{\"journey\":\"j\",\"trigger\":{\"event\":\"Order Completed\"},\"nodes\":[%s]}",
                 bad[i]);
        assert_int_equal(engine_world_define(&w, DEFINE_JOURNEY, "j", text), ERR_INPUT);
        assert_string_equal(w.problem.where, "nodes[0].answer_within");
    }
    engine_world_close(&w);
}
