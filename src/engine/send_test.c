/* Messages that programs ask for: whose they are, where they go, and in which order. */
#include "engine/send.h"

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

static enum err ask(struct world *w, const char *template, const char *person, const char *to)
{
    struct json_member members[] = {
        { STR("template"), { .kind = JSON_STRING, .string = str_of(template) } },
        { STR("to"), { .kind = JSON_STRING, .string = str_of(to) } },
    };
    struct json object = { .kind = JSON_OBJECT,
                           .count = to[0] == '\0' ? 1 : 2,
                           .members = members };
    return engine_world_tell(w, (struct record){ .kind = RECORD_SEND,
                                                 .name = EVENT_MESSAGE_REQUESTED,
                                                 .body = str_of(template),
                                                 .user_id = str_of(person),
                                                 .properties = &object });
}

static struct world asking(void)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "news", "subject: s\n--- html\nx"));
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "receipt",
                                  "subject: s\ntransactional: yes\n--- html\nx"));
    assert_ok(engine_world_define(
        &w, DEFINE_JOURNEY, "greet",
        "{\"journey\":\"greet\",\"trigger\":{\"event\":\"Order Completed\"},"
        "\"reentry\":\"always\",\"nodes\":[{\"id\":\"m\",\"email\":\"news\"}]}"));
    identify(&w, "ada", "ada@shop.example");
    return w;
}

/* What the next claim is about; NULL when nothing is. */
static const struct claim *claim(struct world *w)
{
    size_t before = w->out.claims_count;
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_CLAIM, .count = 1 }));
    return w->out.claims_count > before ? &w->out.claims[before] : NULL;
}

TEST(send, a_receipt_asked_for_last_is_claimed_first_and_a_newsletter_is_not)
{
    struct world w = asking();
    engine_world_order(&w, "ada", 1);
    assert_ok(ask(&w, "news", "ada", ""));
    assert_ok(ask(&w, "receipt", "ada", ""));
    uint64_t receipt = w.out.message;
    assert_true(claim(&w)->message == receipt);
    assert_false(claim(&w)->transactional);
    assert_false(claim(&w)->transactional);
    assert_null(claim(&w));
    engine_world_close(&w);
}

TEST(send, a_deferred_receipt_keeps_its_lane)
{
    struct world w = asking();
    assert_ok(ask(&w, "receipt", "ada", ""));
    const struct claim *first = claim(&w);
    assert_ok(engine_world_tell(
        &w, (struct record){ .kind = RECORD_OUTCOME,
                             .profile = first->profile,
                             .outcome = { .message = first->message,
                                          .kind = OUTCOME_DEFERRED,
                                          .retry_at_ms = w.now_ms + TIME_MINUTE_MS } }));
    engine_world_order(&w, "ada", 1);
    engine_world_tick(&w, TIME_MINUTE_MS);
    assert_true(claim(&w)->transactional);
    assert_false(claim(&w)->transactional);
    engine_world_close(&w);
}

TEST(send, it_goes_to_the_address_it_was_asked_for_and_else_to_the_persons_own)
{
    struct world w = asking();
    assert_ok(ask(&w, "receipt", "ada", ""));
    assert_str(claim(&w)->address, "ada@shop.example");
    assert_ok(ask(&w, "receipt", "ada", "Other@shop.example"));
    assert_str(claim(&w)->address, "Other@shop.example");
    identify(&w, "ada", "new@shop.example");
    assert_ok(ask(&w, "receipt", "ada", ""));
    identify(&w, "ada", "newer@shop.example"); /* the last word before the claim counts */
    assert_str(claim(&w)->address, "newer@shop.example");
    engine_world_close(&w);
}

TEST(send, a_bare_address_is_a_person_of_its_own_in_whatever_letters_and_nobody_else_is_it)
{
    struct world w = asking();
    assert_ok(ask(&w, "receipt", "", "Ada@Shop.example"));
    uint32_t person = w.out.profile;
    assert_true(person != engine_find(w.engine, STR("ada")));
    assert_true(person == engine_find(w.engine, STR("email:ada@shop.example")));
    assert_ok(ask(&w, "receipt", "", "ada@shop.example"));
    assert_int_equal(w.out.profile, person);
    assert_str(claim(&w)->address, "Ada@Shop.example");
    assert_str(claim(&w)->address, "ada@shop.example");
    assert_int_equal(ask(&w, "news", "", "ada@shop.example"), ERR_INPUT);
    assert_null(claim(&w));
    engine_world_close(&w);
}

TEST(send, what_is_refused_makes_nobody_and_queues_nothing)
{
    struct world w = asking();
    uint64_t     people = engine_stats(w.engine).profiles;
    assert_int_equal(ask(&w, "none", "ada", ""), ERR_ABSENT);
    assert_int_equal(ask(&w, "receipt", "", ""), ERR_INPUT);
    assert_int_equal(ask(&w, "receipt", "eve", ""), ERR_ABSENT);
    assert_int_equal(ask(&w, "none", "", "eve@shop.example"), ERR_ABSENT);
    assert_int_equal(engine_stats(w.engine).profiles, people);
    assert_int_equal(engine_stats(w.engine).queued, 0);
    assert_ok(ask(&w, "receipt", "eve", "eve@shop.example")); /* as an event would make her */
    assert_int_equal(engine_stats(w.engine).profiles, people + 1);
    engine_world_close(&w);
}
