/* Broadcasts and people who part again: each keeps the row of their own; and the code of a retry.
 */
#include "engine/broadcast_world_test.h"

#include "engine/broadcasting.h"
#include "engine/codes.h"

/* Two recipients, launched, who then become one: ada, with both messages. */
static struct world joined(void)
{
    struct world w = world();
    person(&w, "ada");
    person(&w, "bob");
    assert_ok(act(&w, "launch"));
    run(&w);
    return w;
}

static uint64_t join(struct world *w)
{
    assert_ok(engine_world_tell(
        w,
        (struct record){ .kind = RECORD_ALIAS, .user_id = STR("ada"), .previous_id = STR("bob") }));
    for (size_t i = w->out.decisions_count; i-- > 0;)
        if (w->out.decisions[i].kind == DECISION_MERGE)
            return w->out.decisions[i].id;
    return 0;
}

static void part(struct world *w, uint64_t merge)
{
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_UNMERGE,
                                                    .profile = engine_find(w->engine, STR("ada")),
                                                    .merge = merge }));
}

static void erase(struct world *w, const char *user)
{
    assert_ok(
        engine_world_tell(w, (struct record){ .kind = RECORD_ERASE,
                                              .profile = engine_find(w->engine, str_of(user)) }));
}

TEST(broadcast, two_who_were_one_and_part_get_it_once_each_where_each_lives)
{
    struct world w = joined();
    part(&w, join(&w));
    const struct claim *a = claim(&w), *b = claim(&w);
    assert_non_null(a);
    assert_non_null(b);
    bool in_turn = str_eq(a->address, STR("ada@shop.example"));
    assert_str(a->address, in_turn ? "ada@shop.example" : "bob@shop.example");
    assert_str(b->address, in_turn ? "bob@shop.example" : "ada@shop.example");
    outcome(&w, a, OUTCOME_SENT);
    outcome(&w, b, OUTCOME_SENT);
    assert_null(claim(&w));
    assert_int_equal(status(&w).counts[RECIPIENT_SENT], 2);
    assert_int_equal(status(&w).state, BROADCAST_FINISHED);
    engine_world_close(&w);
}

TEST(broadcast, a_cancel_finds_those_who_part_before_and_while_it_is_under_way)
{
    for (int i = 0; i < 2; i++) {
        struct world w = joined();
        uint64_t     merge = join(&w);
        if (i == 0)
            part(&w, merge);
        assert_ok(act(&w, "cancel"));
        if (i == 1)
            part(&w, merge);
        run(&w);
        assert_null(claim(&w));
        assert_int_equal(status(&w).counts[RECIPIENT_CANCELLED], 2);
        assert_int_equal(status(&w).state, BROADCAST_CANCELLED);
        engine_world_close(&w);
    }
}

TEST(broadcast, what_was_being_sent_when_they_parted_is_answered_and_if_put_off_goes_over)
{
    static const enum outcome_kind backs[] = { OUTCOME_DEFERRED, OUTCOME_RETURNED };
    for (int cancels = 0; cancels < 2; cancels++)
        for (int i = 0; i < 2; i++) {
            struct world w = joined();
            uint64_t     merge = join(&w);
            /* Of one person one is sent, and the other waits behind it. Their address was bob's,
             * as he said last; so he may count as one whose address has it, but is final. */
            const struct claim *first = claim(&w);
            assert_null(claim(&w));
            part(&w, merge);
            if (cancels)
                assert_ok(act(&w, "cancel"));
            outcome(&w, first, backs[i]);
            run(&w);
            w.now_ms += 20000;
            for (const struct claim *c; (c = claim(&w)) != NULL;)
                outcome(&w, c, OUTCOME_SENT);
            struct broadcast_status now = status(&w);
            const uint64_t         *counts = now.counts;
            if (cancels)
                assert_int_equal(counts[RECIPIENT_CANCELLED], 2);
            else
                assert_int_equal(counts[RECIPIENT_SENT] + counts[RECIPIENT_TWICE], 2);
            assert_int_equal(status(&w).state, cancels ? BROADCAST_CANCELLED : BROADCAST_FINISHED);
            engine_world_close(&w);
        }
}

/* It went over to ada with bob, and its answer says that it was claimed for bob. */
TEST(broadcast, what_was_claimed_before_two_became_one_is_answered_after_they_parted)
{
    static const enum outcome_kind kinds[] = { OUTCOME_SENT, OUTCOME_FAILED, OUTCOME_DEFERRED };
    for (int i = 0; i < 6; i++) {
        struct world        w = joined();
        const struct claim *first = claim(&w), *second = claim(&w);
        uint64_t            merge = join(&w);
        part(&w, merge);
        if (i >= 3)
            erase(&w, "bob");
        for (int k = 0; k < 2; k++) {
            const struct claim *of = k == 0 ? first : second;
            bool                is_bobs = of->profile != engine_find(w.engine, STR("ada"));
            assert_int_equal(
                engine_world_tell(&w, (struct record){ .kind = RECORD_OUTCOME,
                                                       .profile = of->profile,
                                                       .outcome = { .message = of->message,
                                                                    .kind = kinds[i % 3] } }),
                is_bobs && i >= 3 ? ERR_ABSENT : OK);
        }
        assert_int_equal(status(&w).counts[RECIPIENT_SENDING], 0);
        assert_int_equal(status(&w).counts[RECIPIENT_SENT], i % 3 == 0 ? 2 : 0);
        if (kinds[i % 3] == OUTCOME_DEFERRED)
            for (const struct claim *c; (c = claim(&w)) != NULL;)
                outcome(&w, c, OUTCOME_SENT);
        assert_int_equal(status(&w).state, BROADCAST_FINISHED);
        engine_world_close(&w);
    }
}

TEST(broadcast, what_comes_back_of_somebody_who_parted_and_was_erased_goes_to_nobody)
{
    static const char *const users[] = { "ada", "bob" };
    for (int i = 0; i < 2; i++) {
        struct world        w = joined();
        uint64_t            merge = join(&w);
        const struct claim *first = claim(&w);
        part(&w, merge);
        erase(&w, users[i]);
        /* Of ada, who carries it, nothing is kept. */
        enum err err = engine_world_tell(
            &w,
            (struct record){ .kind = RECORD_OUTCOME,
                             .profile = first->profile,
                             .outcome = { .message = first->message, .kind = OUTCOME_DEFERRED } });
        assert_int_equal(err, i == 0 ? ERR_ABSENT : OK);
        w.now_ms += 20000;
        int sent = 0;
        for (const struct claim *c; (c = claim(&w)) != NULL; sent++)
            outcome(&w, c, OUTCOME_SENT);
        assert_true(sent <= 1);
        assert_int_equal(status(&w).state, BROADCAST_FINISHED);
        engine_world_close(&w);
    }
}

TEST(broadcast, a_load_has_each_message_with_whom_it_went)
{
    const char *texts[][3] = {
        { "template", "news", "subject: s\ntopic: offers\n--- html\nx" },
        { "broadcast", "spring",
          "{\"broadcast\":\"spring\",\"template\":\"news\",\"audience\":\"everyone\"}" },
    };
    struct world w = joined();
    uint64_t     merge = join(&w);
    outcome(&w, claim(&w), OUTCOME_DEFERRED);
    part(&w, merge);
    reload(&w, texts, 2);
    assert_ok(act(&w, "cancel"));
    run(&w);
    assert_int_equal(status(&w).counts[RECIPIENT_CANCELLED], 2);
    assert_int_equal(status(&w).state, BROADCAST_CANCELLED);
    engine_world_close(&w);
}

/* As a start does. Of those who came to have one address since it was claimed, she who is being
 * sent it has it, and not who was put off. */
TEST(broadcast, after_a_start_an_address_is_whose_message_is_on_its_way_to_it)
{
    struct world w = joined();
    person(&w, "cid"); /* after the launch, and of no account */
    const struct claim *a = claim(&w), *b = claim(&w);
    (void)b; /* is being sent to bob */
    assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_OUTCOME,
                                                     .profile = a->profile,
                                                     .outcome = { .message = a->message,
                                                                  .kind = OUTCOME_DEFERRED,
                                                                  .retry_at_ms = w.now_ms } }));
    identify(&w, "ada", "{\"email\":\"bob@shop.example\"}");
    assert_ok(broadcast_addresses_make(w.engine,
                                       program_broadcast(engine_program(w.engine), STR("spring"))));
    assert_null(claim(&w)); /* ada waits behind bob */
    engine_world_close(&w);
}

/* ---- codes ---- */

static uint32_t given(struct world *w)
{
    struct codes_state state;
    assert_true(engine_codes_state(w->engine, program_codes(engine_program(w->engine), STR("gift")),
                                   &state));
    return state.given;
}

static bool has_number(const struct claim *claim, uint32_t number)
{
    char wanted[40];
    snprintf(wanted, sizeof wanted, "\"number\":%u", number);
    return str_find(claim->computed, 0, str_of(wanted)) < claim->computed.len;
}

/* "spring" with a code of the pool "gift" for each. */
static struct world gifts(const char *pool)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_CODES, "gift", pool));
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "news",
                                  "subject: s\ntopic: offers\n--- html\n{{ codes.gift.code }}"));
    assert_ok(define(&w, ""));
    assert_ok(engine_world_tell(
        &w, (struct record){ .kind = RECORD_CODES, .name = STR("gift"), .count = 10 }));
    return w;
}

static uint32_t kept(const struct world *w, const char *user)
{
    return people_state_get(engine_people(w->engine), engine_find(w->engine, str_of(user)))
        ->rarer->codes.count;
}

TEST(broadcast, a_retry_gives_the_code_that_was_given_at_the_first_try)
{
    struct world w = gifts("{\"kind\":\"pool\"}");
    person(&w, "ada");
    person(&w, "bob");
    assert_ok(act(&w, "launch"));
    run(&w);
    const struct claim *a = claim(&w), *b = claim(&w);
    assert_true(has_number(a, 1) && has_number(b, 2));
    outcome(&w, b, OUTCOME_SENT);
    for (int i = 0; i < 3; i++) {
        outcome(&w, a, OUTCOME_FAILED);
        assert_ok(act(&w, "retry-failed"));
        run(&w);
        a = claim(&w);
        assert_true(has_number(a, 1));
    }
    outcome(&w, a, OUTCOME_SENT);
    assert_int_equal(given(&w), 2);
    engine_world_close(&w);
}

TEST(broadcast, a_retry_gives_another_code_where_that_of_the_first_try_has_expired)
{
    struct world w = gifts("{\"kind\":\"pool\",\"expires\":\"2 days\"}");
    person(&w, "ada");
    assert_ok(act(&w, "launch"));
    run(&w);
    const struct claim *a = claim(&w);
    assert_true(has_number(a, 1));
    for (uint32_t number = 1; number <= 2; number++) {
        outcome(&w, a, OUTCOME_FAILED);
        engine_world_tick(&w, TIME_DAY_MS); /* good to the end of the second day */
        assert_ok(act(&w, "retry-failed"));
        run(&w);
        a = claim(&w);
        assert_true(has_number(a, number));
        outcome(&w, a, OUTCOME_FAILED);
        engine_world_tick(&w, 3 * TIME_DAY_MS);
        assert_ok(act(&w, "retry-failed"));
        run(&w);
        a = claim(&w);
        assert_true(has_number(a, number + 1));
        assert_int_equal(kept(&w, "ada"), 1);
    }
    assert_int_equal(given(&w), 3);
    engine_world_close(&w);
}

/* Bob is the recipient, and is one with ada while it is being sent. */
static const struct claim *sent_as_one(struct world *w, uint64_t *merge)
{
    identify(w, "ada", "{\"email\":\"ada@shop.example\",\"plan\":\"free\"}");
    person(w, "bob");
    assert_ok(act(w, "launch"));
    run(w);
    *merge = join(w);
    const struct claim *only = claim(w);
    assert_int_equal(only->profile, engine_find(w->engine, STR("ada")));
    return only;
}

TEST(broadcast, what_fails_after_they_parted_leaves_its_code_to_the_retry_with_whom_it_went)
{
    for (int i = 0; i < 2; i++) {
        struct world        w = gifts("{\"kind\":\"pool\"}");
        uint64_t            merge;
        const struct claim *only = sent_as_one(&w, &merge);
        part(&w, merge);
        assert_int_equal(kept(&w, "ada"), 1);
        outcome(&w, only, i == 0 ? OUTCOME_FAILED : OUTCOME_UNKNOWN);
        if (i == 1) { /* and somebody knows later that it did not arrive */
            assert_int_equal(kept(&w, "ada"), 1);
            struct json none = { .kind = JSON_OBJECT };
            assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_MESSAGE,
                                                             .flags = RECORD_SETTLE,
                                                             .name = EVENT_MESSAGE_FAILED,
                                                             .profile = only->profile,
                                                             .message = only->message,
                                                             .properties = &none }));
        }
        assert_int_equal(kept(&w, "ada"), 0);
        assert_int_equal(kept(&w, "bob"), 1);
        assert_ok(act(&w, "retry-failed"));
        run(&w);
        const struct claim *again = claim(&w);
        assert_int_equal(again->profile, engine_find(w.engine, STR("bob")));
        assert_true(has_number(again, 1));
        outcome(&w, again, OUTCOME_SENT);
        assert_int_equal(given(&w), 1);
        assert_int_equal(kept(&w, "bob"), 0);
        engine_world_close(&w);
    }
}

TEST(broadcast, cancelled_it_keeps_no_code_of_those_for_whom_it_failed_before_or_after)
{
    struct world w = gifts("{\"kind\":\"pool\"}");
    person(&w, "ada");
    person(&w, "bob");
    person(&w, "cid");
    person(&w, "dan"); /* waits */
    assert_ok(act(&w, "launch"));
    run(&w);
    const struct claim *a = claim(&w), *b = claim(&w), *c = claim(&w);
    outcome(&w, a, OUTCOME_FAILED);
    outcome(&w, b, OUTCOME_UNKNOWN);
    assert_int_equal(kept(&w, "ada") + kept(&w, "bob") + kept(&w, "cid"), 3);
    assert_ok(act(&w, "cancel"));
    run(&w);
    assert_int_equal(kept(&w, "ada") + kept(&w, "bob"), 0);
    assert_int_equal(kept(&w, "cid"), 1);
    outcome(&w, c, OUTCOME_FAILED);
    assert_int_equal(kept(&w, "cid"), 0);
    assert_int_equal(status(&w).state, BROADCAST_CANCELLED);
    engine_world_close(&w);
}

/* It was tried for a domain that is stopped: with whom it went it waits, too, and is not claimed
 * once more to find that out again. */
TEST(broadcast, what_comes_back_for_its_stopped_domain_waits_with_whom_it_went)
{
    struct world        w = world();
    uint64_t            merge;
    const struct claim *only = sent_as_one(&w, &merge);
    part(&w, merge);
    assert_ok(engine_world_define(&w, DEFINE_SENDING, "sending",
                                  "{\"domains\":[{\"domain\":\"news.example\"}]}"));
    assert_ok(engine_world_tell(
        &w, (struct record){ .kind = RECORD_OUTCOME,
                             .profile = only->profile,
                             .outcome = { .message = only->message,
                                          .kind = OUTCOME_RETURNED,
                                          .stopped_domain = STR("news.example") } }));
    assert_null(claim(&w));
    assert_ok(engine_world_define(&w, DEFINE_SENDING, "sending", "{\"domains\":[]}"));
    only = claim(&w);
    assert_non_null(only);
    assert_int_equal(only->profile, engine_find(w.engine, STR("bob")));
    engine_world_close(&w);
}
