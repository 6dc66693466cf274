/* Addresses that nothing is sent to: what puts them on the list, and that the claim looks there. */
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"

static void identify(struct world *w, const char *user, const char *email)
{
    struct json_member member = { STR("email"), { .kind = JSON_STRING, .string = str_of(email) } };
    struct json        object = { .kind = JSON_OBJECT, .count = 1, .members = &member };
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_IDENTIFY,
                                                    .user_id = str_of(user),
                                                    .properties = &object }));
}

/* Each visit queues one mail; the receipt goes to people who complained, too. */
static struct world mailing(const char *template)
{
    struct world w = engine_world_open();
    char         journey[512];
    snprintf(journey, sizeof journey,
             "{\"journey\":\"greet\",\"trigger\":{\"event\":\"Order Completed\"},"
             "\"reentry\":\"always\",\"nodes\":[{\"id\":\"m\",\"email\":\"%s\"}]}",
             template);
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "news", "subject: s\n--- html\nx"));
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "receipt",
                                  "subject: s\ntransactional: yes\n--- html\nx"));
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "greet", journey));
    identify(&w, "ada", "Ada@Shop.example");
    return w;
}

static void came(struct world *w, struct str name, uint64_t message, const char *class,
                 const char *recipient)
{
    char               id[24];
    struct json_member members[] = {
        { STR("message"), { .kind = JSON_STRING } },
        { STR("class"), { .kind = JSON_STRING, .string = str_of(class) } },
        { STR("recipient"), { .kind = JSON_STRING, .string = str_of(recipient) } },
    };
    struct json object = { .kind = JSON_OBJECT, .count = 3, .members = members };
    snprintf(id, sizeof id, "%llu", (unsigned long long)message);
    members[0].value.string = str_of(id);
    assert_ok(engine_world_tell(
        w, (struct record){ .kind = RECORD_MESSAGE, .name = name, .properties = &object }));
}

static enum err by_hand(struct world *w, const char *address, bool lift)
{
    return engine_world_tell(w, (struct record){ .kind = RECORD_SUPPRESSION,
                                                 .flags = lift ? RECORD_LEAVE : 0,
                                                 .name = str_of(address) });
}

static enum suppression_reason reason(const struct world *w)
{
    const struct suppression *entry = engine_suppression(w->engine, STR("ada@shop.EXAMPLE"));
    return entry == NULL ? SUPPRESSION_LIFTED : entry->reason;
}

/* Orders, and what the claim says: empty when the mail may go. */
static struct str claimed(struct world *w)
{
    size_t claims = w->out.claims_count;
    engine_world_order(w, "ada", 1);
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_CLAIM, .count = 1 }));
    const struct decision *last = &w->out.decisions[w->out.decisions_count - 1];
    if (w->out.claims_count > claims)
        return STR_NONE;
    assert_int_equal(last->kind, DECISION_DROPPED);
    return last->text;
}

static void assert_text(struct str is, const char *wanted)
{
    assert_int_equal(is.len, strlen(wanted));
    assert_memory_equal(is.ptr, wanted, is.len);
}

TEST(suppression, a_hard_bounce_ends_the_mail_to_an_address_however_it_is_written)
{
    struct world w = mailing("news");
    assert_text(claimed(&w), "");
    came(&w, EVENT_MESSAGE_BOUNCED, 1, "hard", "ADA@shop.example");
    assert_int_equal(reason(&w), SUPPRESSION_HARD);
    assert_text(claimed(&w), "suppressed: the address does not exist (hard bounce)");
    assert_int_equal(engine_suppressions(w.engine), 1);
    assert_int_equal(w.out.suppressions_count, 1);
    assert_text(w.out.suppressions[0].address, "ada@shop.example");
    engine_world_close(&w);
}

TEST(suppression, somebody_else_with_the_address_is_not_written_to_either)
{
    struct world w = mailing("news");
    identify(&w, "bob", "bob@shop.example");
    came(&w, EVENT_MESSAGE_BOUNCED, 1, "hard", "bob@shop.example"); /* told of ada's mail */
    assert_text(claimed(&w), "");
    identify(&w, "ada", "bob@shop.example");
    assert_text(claimed(&w), "suppressed: the address does not exist (hard bounce)");
    engine_world_close(&w);
}

TEST(suppression, a_complaint_ends_newsletters_and_not_receipts)
{
    struct world w = mailing("receipt"), n = mailing("news");
    came(&w, EVENT_MESSAGE_COMPLAINED, 1, "", "ada@shop.example");
    came(&n, EVENT_MESSAGE_COMPLAINED, 1, "", "ada@shop.example");
    assert_text(claimed(&w), "");
    assert_text(claimed(&n), "suppressed: the recipient complained");
    engine_world_close(&w);
    engine_world_close(&n);
}

/* One a day, or one every two days. */
static void soft_bounces(struct world *w, int count, int64_t apart_ms)
{
    for (int i = 0; i < count; i++) {
        came(w, EVENT_MESSAGE_SENT, (uint64_t)i + 1, "", "");
        engine_world_tick(w, TIME_HOUR_MS);
        came(w, EVENT_MESSAGE_BOUNCED, (uint64_t)i + 1, "soft", "ada@shop.example");
        engine_world_tick(w, apart_ms);
    }
}

TEST(suppression, five_soft_bounces_in_a_row_end_it_when_they_took_a_week)
{
    struct world w = mailing("news"), quick = mailing("news");
    soft_bounces(&w, 4, 2 * TIME_DAY_MS);
    assert_int_equal(reason(&w), SUPPRESSION_LIFTED);
    came(&w, EVENT_MESSAGE_BOUNCED, 5, "soft", "ada@shop.example");
    assert_int_equal(reason(&w), SUPPRESSION_SOFT);
    soft_bounces(&quick, 6, TIME_DAY_MS); /* a mailbox that was full for some days */
    assert_int_equal(reason(&quick), SUPPRESSION_LIFTED);
    engine_world_close(&w);
    engine_world_close(&quick);
}

TEST(suppression, a_message_that_did_not_come_back_ends_the_row)
{
    struct world w = mailing("news");
    soft_bounces(&w, 3, 2 * TIME_DAY_MS);
    came(&w, EVENT_MESSAGE_SENT, 100, "", "");
    engine_world_tick(&w, 6 * TIME_DAY_MS);
    for (uint64_t i = 0; i < 2; i++) {
        came(&w, EVENT_MESSAGE_BOUNCED, 200 + i, "soft", "ada@shop.example");
        engine_world_tick(&w, 2 * TIME_DAY_MS);
    }
    assert_int_equal(reason(&w), SUPPRESSION_LIFTED);
    engine_world_close(&w);
}

TEST(suppression, who_clicks_is_alive_whatever_bounced_before)
{
    struct world w = mailing("news");
    soft_bounces(&w, 4, 2 * TIME_DAY_MS);
    came(&w, EVENT_MESSAGE_CLICKED, 4, "", "");
    engine_world_tick(&w, TIME_HOUR_MS);
    came(&w, EVENT_MESSAGE_BOUNCED, 5, "soft", "ada@shop.example");
    assert_int_equal(reason(&w), SUPPRESSION_LIFTED);
    engine_world_close(&w);
}

TEST(suppression, by_hand_it_is_put_on_and_lifted_and_what_bounced_before_is_forgiven)
{
    struct world w = mailing("news");
    soft_bounces(&w, 5, 2 * TIME_DAY_MS);
    assert_int_equal(reason(&w), SUPPRESSION_SOFT);
    assert_ok(by_hand(&w, "ada@shop.example", true));
    assert_text(claimed(&w), "");
    came(&w, EVENT_MESSAGE_BOUNCED, 6, "soft", "ada@shop.example");
    assert_int_equal(reason(&w), SUPPRESSION_LIFTED);
    assert_ok(by_hand(&w, " Ada@shop.example ", false));
    assert_text(claimed(&w), "suppressed by hand");
    engine_world_close(&w);
}

TEST(suppression, what_is_no_address_or_not_on_the_list_is_refused_with_the_reason)
{
    struct world w = mailing("news");
    assert_int_equal(by_hand(&w, "ada", false), ERR_INPUT);
    assert_string_equal(w.problem.where, "address");
    assert_int_equal(by_hand(&w, "ada@shop.example, bob@shop.example", false), ERR_INPUT);
    assert_int_equal(by_hand(&w, "ada@shop.example", true), ERR_ABSENT);
    assert_int_equal(w.out.suppressions_count, 0);
    engine_world_close(&w);
}

TEST(suppression, nothing_is_left_of_the_address_of_somebody_who_was_erased)
{
    struct world w = mailing("news");
    came(&w, EVENT_MESSAGE_BOUNCED, 1, "hard", "ada@shop.example");
    assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_ERASE, .profile = 0 }));
    assert_null(engine_suppression(w.engine, STR("ada@shop.example")));
    assert_true(w.out.suppressions[w.out.suppressions_count - 1].is_erased);
    engine_world_close(&w);
}

TEST(suppression, a_dead_number_and_a_place_from_which_letters_return_are_addresses_as_well)
{
    struct world w = mailing("news");
    assert_ok(by_hand(&w, "+4791234567", false));
    assert_ok(by_hand(&w, "1 Harbour Road, 5003 BERGEN, NO", false));
    assert_non_null(engine_suppression(w.engine, STR("+4791234567")));
    assert_non_null(engine_suppression(w.engine, STR("1 harbour road, 5003 Bergen, no")));
    assert_int_equal(by_hand(&w, "91234567", false), ERR_INPUT);
    assert_int_equal(by_hand(&w, "+47", false), ERR_INPUT);
    assert_int_equal(by_hand(&w, "Bergen, NO", false), ERR_INPUT);
    engine_world_close(&w);
}
