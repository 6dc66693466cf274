/* Messages whose answer was lost: what settles them, and what does not. */
#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"

/* Ada's message to the shop's news, with this outcome; its number. */
static uint64_t message(struct world *w, enum outcome_kind kind)
{
    engine_world_order(w, "ada", 1);
    size_t before = w->out.claims_count;
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_CLAIM, .count = 1 }));
    assert_int_equal(w->out.claims_count, before + 1);
    uint64_t id = w->out.claims[before].message;
    assert_ok(engine_world_tell(
        w, (struct record){ .kind = RECORD_OUTCOME,
                            .profile = w->out.claims[before].profile,
                            .outcome = { .message = id, .kind = kind, .text = STR("lost") } }));
    return id;
}

static struct world shop(void)
{
    struct world       w = engine_world_open();
    struct json_member member = { STR("email"), { .kind = JSON_STRING, .string = STR("a@x.no") } };
    struct json        object = { .kind = JSON_OBJECT, .count = 1, .members = &member };
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "news", "subject: s\n--- html\nx"));
    assert_ok(engine_world_define(
        &w, DEFINE_JOURNEY, "greet",
        "{\"journey\":\"greet\",\"trigger\":{\"event\":\"Order Completed\"},"
        "\"reentry\":\"always\",\"nodes\":[{\"id\":\"m\",\"email\":\"news\"}]}"));
    assert_ok(engine_world_tell(
        &w,
        (struct record){ .kind = RECORD_IDENTIFY, .user_id = STR("ada"), .properties = &object }));
    return w;
}

/* An event of ours about the message; `key` may be NULL. */
static enum err heard(struct world *w, uint64_t id, struct str name, const char *key,
                      const char *text)
{
    struct json_member member = { str_of(key == NULL ? "" : key),
                                  { .kind = JSON_STRING, .string = str_of(text) } };
    struct json        object = { .kind = JSON_OBJECT, .count = key != NULL, .members = &member };
    return engine_world_tell(w, (struct record){ .kind = RECORD_MESSAGE,
                                                 .flags = str_eq(name, EVENT_MESSAGE_SENT) ||
                                                                  str_eq(name, EVENT_MESSAGE_FAILED)
                                                              ? RECORD_SETTLE
                                                              : 0,
                                                 .name = name,
                                                 .message = id,
                                                 .properties = &object });
}

/* The last decision, where it is about the message; else NULL. */
static const struct decision *last(const struct world *w, uint64_t id)
{
    const struct decision *d = &w->out.decisions[w->out.decisions_count - 1];
    return d->subject == id && d->kind >= DECISION_INTENT ? d : NULL;
}

TEST(doubt, what_comes_back_shows_that_it_arrived)
{
    const struct str names[] = { EVENT_MESSAGE_DELIVERED,    EVENT_MESSAGE_OPENED,
                                 EVENT_MESSAGE_CLICKED,      EVENT_MESSAGE_REPLIED,
                                 EVENT_MESSAGE_UNSUBSCRIBED, EVENT_MESSAGE_COMPLAINED };
    struct world     w = shop();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint64_t id = message(&w, OUTCOME_UNKNOWN);
        assert_int_equal(last(&w, id)->kind, DECISION_UNKNOWN);
        assert_ok(heard(&w, id, names[i], NULL, ""));
        assert_non_null(last(&w, id));
        assert_int_equal(last(&w, id)->kind, DECISION_SENT);
    }
    engine_world_close(&w);
}

TEST(doubt, a_hard_bounce_settles_it_as_failed_with_its_words_and_a_soft_one_as_sent)
{
    struct world w = shop();
    uint64_t     id = message(&w, OUTCOME_UNKNOWN);
    assert_ok(heard(&w, id, EVENT_MESSAGE_BOUNCED, "class", "soft"));
    assert_int_equal(last(&w, id)->kind, DECISION_SENT);
    id = message(&w, OUTCOME_UNKNOWN);
    assert_ok(heard(&w, id, EVENT_MESSAGE_BOUNCED, "class", "hard"));
    assert_int_equal(last(&w, id)->kind, DECISION_FAILED);
    assert_str(last(&w, id)->text, "settled later: it came back");
    engine_world_close(&w);
}

TEST(doubt, it_is_settled_once_and_only_what_is_in_doubt_is)
{
    struct world w = shop();
    uint64_t     id = message(&w, OUTCOME_UNKNOWN), sent = message(&w, OUTCOME_SENT);
    size_t       before = w.out.decisions_count;
    assert_ok(heard(&w, sent, EVENT_MESSAGE_OPENED, NULL, ""));
    assert_int_equal(w.out.decisions_count, before);
    assert_ok(heard(&w, id, EVENT_MESSAGE_OPENED, NULL, ""));
    assert_ok(heard(&w, id, EVENT_MESSAGE_CLICKED, NULL, ""));
    assert_int_equal(w.out.decisions_count, before + 1);
    assert_int_equal(engine_stats(w.engine).sending, 0);
    engine_world_close(&w);
}

TEST(doubt, by_hand_it_is_sent_or_failed_and_what_is_known_is_not_said_again)
{
    struct world w = shop();
    uint64_t     id = message(&w, OUTCOME_UNKNOWN), sent = message(&w, OUTCOME_SENT);
    assert_int_equal(heard(&w, sent, EVENT_MESSAGE_FAILED, NULL, ""), ERR_ABSENT);
    assert_ok(heard(&w, id, EVENT_MESSAGE_FAILED, "reason", "they called"));
    assert_int_equal(last(&w, id)->kind, DECISION_FAILED);
    assert_str(last(&w, id)->text, "settled by hand: they called");
    assert_int_equal(heard(&w, id, EVENT_MESSAGE_SENT, NULL, ""), ERR_ABSENT);
    engine_world_close(&w);
}

/* The kind of the last decision, after the waiting message was claimed and its answer lost. */
static enum decision_kind lost_again(struct world *w, uint64_t id)
{
    engine_world_tick(w, 10 * TIME_SECOND_MS);
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_CLAIM, .count = 1 }));
    assert_int_equal(w->out.claims[w->out.claims_count - 1].message, id);
    assert_ok(engine_world_tell(
        w, (struct record){ .kind = RECORD_OUTCOME,
                            .outcome = { .message = id, .kind = OUTCOME_UNKNOWN } }));
    return last(w, id)->kind;
}

TEST(doubt, where_its_template_says_so_it_is_sent_again_twice)
{
    struct world w = shop();
    assert_ok(
        engine_world_define(&w, DEFINE_TEMPLATE, "news",
                            "subject: s\ntransactional: yes\nin_doubt: send again\n--- html\nx"));
    uint64_t id = message(&w, OUTCOME_UNKNOWN);
    assert_int_equal(last(&w, id)->kind, DECISION_DEFERRED);
    assert_int_equal(lost_again(&w, id), DECISION_DEFERRED);
    assert_int_equal(lost_again(&w, id), DECISION_UNKNOWN);
    engine_world_close(&w);
}

TEST(doubt, of_one_person_the_sixteen_newest_can_be_settled)
{
    struct world w = shop();
    uint64_t     first = message(&w, OUTCOME_UNKNOWN), second = message(&w, OUTCOME_UNKNOWN);
    for (int i = 0; i < 15; i++)
        (void)message(&w, OUTCOME_UNKNOWN);
    assert_int_equal(heard(&w, first, EVENT_MESSAGE_SENT, NULL, ""), ERR_ABSENT);
    assert_ok(heard(&w, second, EVENT_MESSAGE_SENT, NULL, ""));
    assert_int_equal(last(&w, second)->kind, DECISION_SENT);
    engine_world_close(&w);
}
