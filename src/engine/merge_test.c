/* What goes on when two people turn out to be one: their counts, journeys, and what waits. */
#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"

static void track(struct world *w, const char *user, const char *event)
{
    assert_ok(engine_world_tell(
        w,
        (struct record){ .kind = RECORD_TRACK, .user_id = str_of(user), .name = str_of(event) }));
}

static void define(struct world *w, enum definition_kind kind, const char *name, const char *text)
{
    if (engine_world_define(w, kind, name, text) != OK)
        fail_msg("%s: %s", w->problem.where, w->problem.what);
}

/* bob is ada. */
static void join(struct world *w)
{
    assert_ok(engine_world_tell(
        w,
        (struct record){ .kind = RECORD_ALIAS, .user_id = STR("ada"), .previous_id = STR("bob") }));
}

static const struct decision *last(const struct world *w, enum decision_kind kind)
{
    for (size_t i = w->out.decisions_count; i > 0; i--)
        if (w->out.decisions[i - 1].kind == kind)
            return &w->out.decisions[i - 1];
    return NULL;
}

TEST(merge, what_both_spent_is_counted_together_from_the_next_order_on)
{
    struct world w = engine_world_open();
    define(&w, DEFINE_SEGMENT, "s", "sum of amount of \"Order Completed\" > 11");
    engine_world_order(&w, "ada", 2);
    engine_world_order(&w, "ada", 4);
    engine_world_order(&w, "bob", 2);
    engine_world_order(&w, "bob", 3);
    join(&w);
    assert_false(engine_world_is_in(&w, "s", "ada"));
    engine_world_order(&w, "ada", 1);
    assert_true(engine_world_is_in(&w, "s", "ada"));
    engine_world_close(&w);
}

#define MAILS                                                                                      \
    "{\"journey\":\"j\",\"trigger\":{\"event\":\"Start\"},\"nodes\":["                             \
    "{\"id\":\"a\",\"wait\":\"1 day\"},{\"id\":\"b\",\"wait\":\"9 days\"}]}"

/* Whoever of the two stays as a profile. */
TEST(merge, in_one_journey_the_one_who_is_further_goes_on)
{
    for (int i = 0; i < 2; i++) {
        struct world w = engine_world_open();
        define(&w, DEFINE_JOURNEY, "j", MAILS);
        track(&w, "ada", "Visit");
        track(&w, "bob", "Visit");
        track(&w, i == 0 ? "ada" : "bob", "Start");
        uint64_t further = last(&w, DECISION_ENROLLED)->id;
        engine_world_tick(&w, TIME_DAY_MS);
        track(&w, i == 0 ? "bob" : "ada", "Start");
        uint64_t behind = last(&w, DECISION_ENROLLED)->id;
        join(&w);
        assert_int_equal(last(&w, DECISION_ENDED)->subject, behind);
        assert_str(last(&w, DECISION_ENDED)->text, "merged");
        engine_world_tick(&w, 10 * TIME_DAY_MS);
        assert_int_equal(last(&w, DECISION_ENDED)->subject, further);
        assert_str(last(&w, DECISION_ENDED)->text, "finished");
        engine_world_close(&w);
    }
}

/* What the absorbed one was in came first, and lies last. */
TEST(merge, every_journey_of_both_is_looked_at_in_the_order_they_came_in)
{
    struct world w = engine_world_open();
    for (int i = 0; i < 2; i++)
        define(&w, DEFINE_JOURNEY, i == 0 ? "a" : "b",
               str_format(w.arena,
                          "{\"journey\":\"%s\",\"trigger\":{\"event\":\"Start %s\"},\"exit_when\":"
                          "\"did \\\"Left\\\" since entry\",\"nodes\":[{\"id\":\"w\",\"wait\":\"9 "
                          "days\"}]}",
                          i == 0 ? "a" : "b", i == 0 ? "a" : "b")
                   .ptr);
    track(&w, "bob", "Start a");
    uint64_t first = last(&w, DECISION_ENROLLED)->id;
    track(&w, "ada", "Start b");
    uint64_t second = last(&w, DECISION_ENROLLED)->id;
    join(&w);
    size_t before = w.out.decisions_count;
    engine_world_tick(&w, 1);
    track(&w, "ada", "Left");
    uint64_t ended[2] = { 0, 0 };
    uint32_t count = 0;
    for (size_t i = before; i < w.out.decisions_count; i++)
        if (w.out.decisions[i].kind == DECISION_ENDED && count < 2)
            ended[count++] = w.out.decisions[i].subject;
    assert_int_equal(ended[0], first);
    assert_int_equal(ended[1], second);
    engine_world_close(&w);
}

/* Also after the two are parted again: it stays with the one who was kept. */
TEST(merge, a_message_that_waits_for_its_next_try_is_found_when_it_is_due)
{
    struct json_member mail = { STR("email"), { .kind = JSON_STRING } };
    struct json        traits = { .kind = JSON_OBJECT, .count = 1, .members = &mail };
    mail.value.string = STR("b@x.no");
    for (int is_parted = 0; is_parted < 2; is_parted++) {
        struct world w = engine_world_open();
        define(&w, DEFINE_TEMPLATE, "letter", "subject: s\n--- html\nx");
        define(&w, DEFINE_JOURNEY, "j",
               "{\"journey\":\"j\",\"trigger\":{\"event\":\"Start\"},\"nodes\":[{\"id\":\"m\","
               "\"email\":\"letter\"},{\"id\":\"w\",\"wait\":\"9 days\"}]}");
        for (int i = 0; i < 2; i++)
            assert_ok(
                engine_world_tell(&w, (struct record){ .kind = RECORD_IDENTIFY,
                                                       .user_id = i == 0 ? STR("ada") : STR("bob"),
                                                       .properties = &traits }));
        track(&w, "bob", "Start");
        assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_CLAIM, .count = 1 }));
        assert_int_equal(w.out.claims_count, 1);
        uint64_t message = w.out.claims[0].message;
        assert_ok(engine_world_tell(
            &w, (struct record){ .kind = RECORD_OUTCOME,
                                 .profile = w.out.claims[0].profile,
                                 .outcome = { .message = message,
                                              .kind = OUTCOME_DEFERRED,
                                              .retry_at_ms = w.now_ms + TIME_HOUR_MS,
                                              .text = STR("later") } }));
        join(&w);
        if (is_parted)
            assert_ok(
                engine_world_tell(&w, (struct record){ .kind = RECORD_UNMERGE,
                                                       .profile = 0,
                                                       .merge = last(&w, DECISION_MERGE)->id }));
        assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_CLAIM, .count = 1 }));
        assert_int_equal(w.out.claims_count, 1);
        engine_world_tick(&w, TIME_HOUR_MS);
        assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_CLAIM, .count = 1 }));
        assert_int_equal(w.out.claims_count, 2);
        assert_int_equal(w.out.claims[1].message, message);
        engine_world_close(&w);
    }
}

/* The word may have been either's: whoever of them said it. */
TEST(merge, a_refusal_of_either_is_both_s_after_they_are_parted_again)
{
    struct json_member no = { STR("state"), { .kind = JSON_STRING } };
    struct json        how = { .kind = JSON_OBJECT, .count = 1, .members = &no };
    no.value.string = STR("unsubscribed");
    for (uint32_t who = 0; who < 2; who++) {
        struct world w = engine_world_open();
        track(&w, "ada", "Visit");
        track(&w, "bob", "Visit");
        assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_CONSENT,
                                                         .profile = who,
                                                         .name = STR("news"),
                                                         .properties = &how }));
        join(&w);
        assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_UNMERGE,
                                                         .profile = 0,
                                                         .merge = last(&w, DECISION_MERGE)->id }));
        for (uint32_t p = 0; p < 2; p++) {
            const struct state *known = people_state_get(engine_people(w.engine), p);
            assert_int_equal(known->rarer->consents.count, 1);
            assert_int_equal(known->rarer->consents.items[0].state, CONSENT_REFUSED);
        }
        engine_world_close(&w);
    }
}
