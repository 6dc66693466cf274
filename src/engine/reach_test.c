/* One person, several channels: where a message goes, and who may be spoken to by which. */
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"

static struct json_member text(const char *key, const char *value)
{
    return (struct json_member){ str_of(key), { .kind = JSON_STRING, .string = str_of(value) } };
}

static void identify(struct world *w, struct json_member *members, uint32_t count)
{
    struct json object = { .kind = JSON_OBJECT, .count = count, .members = members };
    assert_ok(engine_world_tell(
        w,
        (struct record){ .kind = RECORD_IDENTIFY, .user_id = STR("ada"), .properties = &object }));
}

static void identify_one(struct world *w, const char *key, const char *value)
{
    struct json_member member = text(key, value);
    identify(w, &member, 1);
}

static void live_at(struct world *w, const char *street, const char *code, const char *country)
{
    struct json_member parts[4] = { text("city", "Bergen"), text("country", country) };
    uint32_t           count = 2;
    if (street != NULL)
        parts[count++] = text("street", street);
    if (code != NULL)
        parts[count++] = text("postal_code", code);
    struct json_member member = { STR("address"),
                                  { .kind = JSON_OBJECT, .count = count, .members = parts } };
    identify(w, &member, 1);
}

static void consent(struct world *w, const char *topic, const char *channel, const char *state)
{
    struct json_member members[] = { text("state", state), text("how", "test"),
                                     text("channel", channel) };
    struct json        object = { .kind = JSON_OBJECT, .count = 3, .members = members };
    assert_ok(engine_world_tell(
        w,
        (struct record){ .kind = RECORD_CONSENT, .name = str_of(topic), .properties = &object }));
}

/* Each order queues one message of the template `m`. */
static struct world with(const char *head)
{
    struct world w = engine_world_open();
    char         file[256];
    snprintf(file, sizeof file, "%s\n--- text\nhello", head);
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "m", file));
    assert_ok(engine_world_define(
        &w, DEFINE_JOURNEY, "greet",
        "{\"journey\":\"greet\",\"trigger\":{\"event\":\"Order Completed\"},"
        "\"reentry\":\"always\",\"nodes\":[{\"id\":\"n\",\"message\":\"m\"}]}"));
    return w;
}

/* Orders; where the message goes, or why it does not. */
static struct str claimed(struct world *w)
{
    size_t claims = w->out.claims_count;
    engine_world_order(w, "ada", 1);
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_CLAIM, .count = 1 }));
    if (w->out.claims_count > claims)
        return w->out.claims[w->out.claims_count - 1].address;
    const struct decision *last = &w->out.decisions[w->out.decisions_count - 1];
    assert_int_equal(last->kind, DECISION_DROPPED);
    return last->text;
}

static void assert_text(struct str is, const char *wanted)
{
    if (!str_eq(is, str_of(wanted)))
        fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(is), wanted);
}

TEST(reach, a_text_message_goes_to_the_number_as_it_is_dialled_from_anywhere)
{
    struct world w = with("channel: sms");
    identify_one(&w, "email", "ada@shop.example");
    assert_text(claimed(&w), "no telephone number");
    identify_one(&w, "phone", "912 34 567");
    assert_text(claimed(&w),
                "the telephone number has no country code, and the country is not known");
    identify_one(&w, "country", "NO");
    assert_text(claimed(&w), "+4791234567");
    assert_int_equal(w.out.claims[w.out.claims_count - 1].channel, CHANNEL_SMS);
    identify_one(&w, "phone", "0044 7911 123456");
    assert_text(claimed(&w), "+447911123456");
    identify_one(&w, "phone", "12");
    assert_text(claimed(&w), "the telephone number is none of its country");
    engine_world_close(&w);
}

TEST(reach, a_postcard_goes_to_an_address_that_is_complete_for_its_country)
{
    struct world w = with("channel: post");
    identify_one(&w, "country", "NO");
    assert_text(claimed(&w), "no postal address");
    live_at(&w, NULL, NULL, "Norway");
    assert_text(claimed(&w), "the postal address has no street");
    live_at(&w, "1 Harbour Road", NULL, "Norway");
    assert_text(claimed(&w), "the postal address has no postal code");
    live_at(&w, "1 Harbour Road", "5003", "Norway");
    assert_text(claimed(&w), "1 Harbour Road, 5003 Bergen, NO");
    live_at(&w, "1 Harbour Road", "5003", "US");
    assert_text(claimed(&w), "the postal address has no state");
    engine_world_close(&w);
}

TEST(reach, where_no_codes_of_post_are_used_none_is_asked_for)
{
    struct world w = with("channel: post");
    live_at(&w, "1 Harbour Road", NULL, "AE");
    assert_text(claimed(&w), "1 Harbour Road, Bergen, AE");
    engine_world_close(&w);
}

TEST(reach, a_webhook_asks_nothing_of_the_person)
{
    struct world w = with("channel: webhook\ntopic: news");
    identify_one(&w, "name", "Ada");
    consent(&w, "", "", "unsubscribed");
    assert_text(claimed(&w), "");
    assert_int_equal(w.out.claims[w.out.claims_count - 1].channel, CHANNEL_WEBHOOK);
    engine_world_close(&w);
}

TEST(reach, a_refusal_by_one_channel_leaves_the_others_open)
{
    struct world  sms = with("channel: sms\ntopic: news");
    struct world  email = with("subject: s\ntopic: news");
    struct world *both[] = { &sms, &email };
    for (int i = 0; i < 2; i++) {
        identify_one(both[i], "email", "ada@shop.example");
        identify_one(both[i], "phone", "+4791234567");
        consent(both[i], "news", "email", "unsubscribed");
    }
    assert_text(claimed(&sms), "+4791234567");
    assert_text(claimed(&email), "unsubscribed");
    consent(&sms, "", "sms", "unsubscribed");
    assert_text(claimed(&sms), "unsubscribed");
    consent(&sms, "", "sms", "subscribed");
    assert_text(claimed(&sms), "+4791234567");
    engine_world_close(&sms);
    engine_world_close(&email);
}

TEST(reach, a_refusal_takes_back_what_waits_by_that_channel_and_no_more)
{
    struct world w = with("channel: sms\ntopic: news");
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "mail",
                                  "subject: s\ntopic: news\n--- text\nhello"));
    assert_ok(engine_world_define(
        &w, DEFINE_JOURNEY, "greet",
        "{\"journey\":\"greet\",\"trigger\":{\"event\":\"Order Completed\"},\"reentry\":"
        "\"always\",\"nodes\":[{\"id\":\"a\",\"message\":\"m\"},{\"id\":\"w\",\"wait\":\"1 day\"},"
        "{\"id\":\"b\",\"email\":\"mail\"}]}"));
    identify_one(&w, "email", "ada@shop.example");
    identify_one(&w, "phone", "+4791234567");
    engine_world_order(&w, "ada", 1);
    consent(&w, "", "sms", "unsubscribed");
    const struct decision *last = &w.out.decisions[w.out.decisions_count - 1];
    assert_int_equal(last->kind, DECISION_DROPPED); /* and the journey goes on: */
    engine_world_tick(&w, 2 * TIME_DAY_MS);
    assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_CLAIM, .count = 9 }));
    assert_int_equal(w.out.claims_count, 1);
    assert_text(w.out.claims[0].address, "ada@shop.example");
    engine_world_close(&w);
}

TEST(reach, a_dead_number_is_not_written_to_whoever_has_it)
{
    struct world w = with("channel: sms");
    identify_one(&w, "phone", "+4791234567");
    assert_ok(engine_world_tell(
        &w, (struct record){ .kind = RECORD_SUPPRESSION, .name = STR("+4791234567") }));
    assert_text(claimed(&w), "suppressed by hand");
    engine_world_close(&w);
}

TEST(reach, a_template_has_a_known_channel_and_only_an_email_needs_a_subject)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "t", "channel: sms\n--- text\nhi"));
    assert_int_equal(engine_world_define(&w, DEFINE_TEMPLATE, "t", "channel: pigeon\n--- text\nhi"),
                     ERR_INPUT);
    assert_string_equal(w.problem.where, "channel");
    assert_int_equal(engine_world_define(&w, DEFINE_TEMPLATE, "t", "channel: email\n--- text\nhi"),
                     ERR_INPUT);
    assert_int_equal(
        engine_world_define(&w, DEFINE_JOURNEY, "j",
                            "{\"journey\":\"j\",\"trigger\":{\"event\":\"A\"},\"nodes\":[{\"id\":"
                            "\"n\",\"email\":\"t\"}]}"),
        ERR_INPUT);
    assert_string_equal(w.problem.where, "nodes[0].email");
    engine_world_close(&w);
}

static void phone(struct world *w, const char *user, const char *number)
{
    struct json_member member = text("phone", number);
    struct json        object = { .kind = JSON_OBJECT, .count = 1, .members = &member };
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_IDENTIFY,
                                                    .user_id = str_of(user),
                                                    .properties = &object }));
}

/* Looked at a few at a time; of two who are one there is one. */
TEST(reach, whoever_has_a_number_is_found_by_it_and_counted_as_to_be_reached)
{
    struct world w = engine_world_open();
    uint32_t     found[8], count = 0, from = 0, at = 0;
    uint64_t     people = 0;
    char         bytes[REACH_BYTES_MAX];
    struct str   address;
    phone(&w, "ada", "+4791234567");
    phone(&w, "bob", "+4791234568");
    phone(&w, "cy", "+47 912 34 567");
    phone(&w, "di", "+4791234567");
    assert_ok(engine_world_tell(
        &w,
        (struct record){ .kind = RECORD_ALIAS, .user_id = STR("ada"), .previous_id = STR("di") }));
    assert_ok(engine_world_tell(
        &w, (struct record){ .kind = RECORD_TRACK, .user_id = STR("ed"), .name = STR("Visit") }));
    while (from < people_count(engine_people(w.engine)))
        from = engine_by_phone(w.engine, STR("+4791234567"), from, 2, found, 8, &count);
    assert_int_equal(count, 2);
    assert_int_equal(found[0], engine_find(w.engine, STR("ada")));
    assert_int_equal(found[1], engine_find(w.engine, STR("cy")));
    count = 0;
    assert_int_equal(engine_by_phone(w.engine, STR("+4791234567"), 0, 99, found, 1, &count), 1);
    assert_int_equal(count, 1); /* there is no room for more */
    assert_true(engine_reach(w.engine, found[0], CHANNEL_SMS, bytes, &address));
    assert_str(address, "+4791234567");
    assert_false(engine_reach(w.engine, found[0], CHANNEL_EMAIL, bytes, &address));
    while (!reach_all(w.engine, CHANNEL_SMS, &at, 2, &people))
        assert_true(at < people_count(engine_people(w.engine)));
    assert_int_equal(people, 3);
    engine_world_close(&w);
}
