/* Broadcasts: who gets one, once; throttled, by each one's clock; paused, cancelled, tried again.
 */
#include "engine/broadcast_world_test.h"

TEST(broadcast, everyone_of_the_audience_gets_it_once_and_then_it_is_finished)
{
    struct world w = world();
    person(&w, "ada");
    person(&w, "bob");
    identify(&w, "eve", "{\"email\":\"eve@shop.example\",\"plan\":\"free\"}");
    assert_null(claim(&w)); /* a draft sends nothing */
    assert_ok(act(&w, "launch"));
    person(&w, "late"); /* who was not known at the launch */
    run(&w);
    assert_int_equal(status(&w).state, BROADCAST_RUNNING);
    const struct claim *a = claim(&w), *b = claim(&w);
    assert_str(a->address, "ada@shop.example");
    assert_str(b->address, "bob@shop.example");
    assert_int_equal(a->broadcast, program_broadcast(engine_program(w.engine), STR("spring")) + 1);
    assert_null(claim(&w));
    outcome(&w, a, OUTCOME_SENT);
    assert_int_equal(status(&w).state, BROADCAST_RUNNING);
    outcome(&w, b, OUTCOME_UNKNOWN);
    assert_int_equal(status(&w).state, BROADCAST_FINISHED);
    assert_int_equal(status(&w).counts[RECIPIENT_SENT], 1);
    assert_int_equal(status(&w).counts[RECIPIENT_UNKNOWN], 1);
    assert_int_equal(act(&w, "launch"), ERR_CONFLICT);
    assert_int_equal(act(&w, "retry-failed"), ERR_CONFLICT); /* what is unknown has not failed */
    run(&w);
    assert_null(claim(&w));
    engine_world_close(&w);
}

TEST(broadcast, who_was_known_at_the_launch_gets_it_also_after_a_first_sign_in_since)
{
    struct world w = world();
    struct json  traits;
    assert_ok(json_parse_once(w.arena, STR("{\"email\":\"ada@shop.example\",\"plan\":\"pro\"}"),
                              &traits, NULL));
    assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_IDENTIFY,
                                                     .anonymous_id = STR("phone"),
                                                     .properties = &traits }));
    assert_ok(act(&w, "launch"));
    struct json none = { .kind = JSON_OBJECT };
    assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_IDENTIFY,
                                                     .user_id = STR("ada"),
                                                     .anonymous_id = STR("phone"),
                                                     .properties = &none }));
    run(&w);
    const struct claim *a = claim(&w);
    assert_non_null(a);
    assert_str(a->address, "ada@shop.example");
    assert_int_equal(a->profile, engine_find(w.engine, STR("ada")));
    assert_null(claim(&w));
    outcome(&w, a, OUTCOME_SENT);
    assert_int_equal(status(&w).state, BROADCAST_FINISHED);
    assert_int_equal(status(&w).counts[RECIPIENT_SENT], 1);
    engine_world_close(&w);
}

TEST(broadcast, who_refuses_or_has_no_address_is_held_back_at_the_claim_with_the_reason)
{
    struct world w = world();
    person(&w, "ada");
    identify(&w, "bob", "{\"plan\":\"pro\"}");
    person(&w, "eve");
    assert_ok(act(&w, "launch"));
    run(&w);
    struct json_member said[] = { { STR("state"),
                                    { .kind = JSON_STRING, .string = STR("refused") } } };
    struct json        word = { .kind = JSON_OBJECT, .count = 1, .members = said };
    assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_CONSENT,
                                                     .name = STR("offers"),
                                                     .profile = engine_find(w.engine, STR("ada")),
                                                     .properties = &word }));
    struct json_member by[] = { { STR("reason"),
                                  { .kind = JSON_STRING, .string = STR("manual") } } };
    struct json        hand = { .kind = JSON_OBJECT, .count = 1, .members = by };
    assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_SUPPRESSION,
                                                     .name = STR("eve@shop.example"),
                                                     .properties = &hand }));
    assert_null(claim(&w));
    struct broadcast_status s = status(&w);
    assert_int_equal(s.state, BROADCAST_FINISHED);
    assert_int_equal(s.counts[RECIPIENT_NO_CONSENT], 1);
    assert_int_equal(s.counts[RECIPIENT_NO_ADDRESS], 1);
    assert_int_equal(s.counts[RECIPIENT_SUPPRESSED], 1);
    engine_world_close(&w);
}

TEST(broadcast, a_template_made_one_for_receipts_or_a_webhook_takes_it_to_nobody)
{
    static const char *const texts[] = { "subject: s\ntransactional: yes\n--- html\nx",
                                         "channel: webhook\nurl: https://shop.example/\n"
                                         "--- text\nx" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct world       w = world();
        struct json_member by[] = { { STR("reason"),
                                      { .kind = JSON_STRING, .string = STR("complaint") } } };
        struct json        complaint = { .kind = JSON_OBJECT, .count = 1, .members = by };
        person(&w, "eve"); /* whom a receipt would still reach */
        person(&w, "ada");
        assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_SUPPRESSION,
                                                         .name = STR("eve@shop.example"),
                                                         .properties = &complaint }));
        assert_ok(act(&w, "launch"));
        run(&w);
        assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "news", texts[i]));
        assert_null(claim(&w));
        assert_int_equal(status(&w).counts[RECIPIENT_HELD], 2);
        assert_int_equal(status(&w).state, BROADCAST_FINISHED);
        engine_world_close(&w);
    }
}

TEST(broadcast, what_is_in_doubt_after_a_kill_says_whose_it_is)
{
    struct world w = world();
    struct claim doubts[2];
    person(&w, "ada");
    assert_ok(act(&w, "launch"));
    run(&w);
    const struct claim *a = claim(&w);
    assert_int_equal(engine_in_doubt(w.engine, doubts, 2), 1);
    assert_int_equal(doubts[0].message, a->message);
    assert_int_equal(doubts[0].broadcast, a->broadcast);
    assert_true(a->broadcast > 0);
    engine_world_close(&w);
}

TEST(broadcast, while_it_is_paused_nothing_is_claimed_and_what_was_claimed_ends)
{
    struct world w = world();
    person(&w, "ada");
    person(&w, "bob");
    assert_ok(act(&w, "launch"));
    run(&w);
    const struct claim *a = claim(&w);
    assert_ok(act(&w, "pause"));
    assert_int_equal(act(&w, "pause"), ERR_CONFLICT);
    assert_null(claim(&w));
    outcome(&w, a, OUTCOME_DEFERRED); /* and waits, too */
    assert_null(claim(&w));
    assert_int_equal(status(&w).state, BROADCAST_PAUSED);
    assert_ok(act(&w, "resume"));
    assert_int_equal(act(&w, "resume"), ERR_CONFLICT);
    outcome(&w, claim(&w), OUTCOME_SENT);
    outcome(&w, claim(&w), OUTCOME_SENT);
    assert_null(claim(&w));
    assert_int_equal(status(&w).state, BROADCAST_FINISHED);
    assert_int_equal(status(&w).counts[RECIPIENT_SENT], 2);
    engine_world_close(&w);
}

TEST(broadcast, what_ends_while_it_is_paused_is_over_and_its_retry_goes_at_once)
{
    struct world w = world();
    person(&w, "ada");
    assert_ok(act(&w, "launch"));
    run(&w);
    const struct claim *a = claim(&w);
    assert_ok(act(&w, "pause"));
    outcome(&w, a, OUTCOME_FAILED);
    assert_int_equal(status(&w).state, BROADCAST_FINISHED);
    assert_int_equal(act(&w, "resume"), ERR_CONFLICT);
    assert_ok(act(&w, "retry-failed"));
    assert_int_equal(status(&w).state, BROADCAST_RUNNING);
    run(&w);
    assert_non_null(claim(&w));
    engine_world_close(&w);
}

TEST(broadcast, a_pause_before_its_job_began_adds_nobody)
{
    struct world w = world();
    person(&w, "ada");
    assert_ok(act(&w, "launch"));
    assert_ok(act(&w, "pause"));
    assert_true(engine_next_ms(w.engine) > w.now_ms);
    engine_world_tick(&w, TIME_DAY_MS);
    assert_null(claim(&w));
    assert_int_equal(status(&w).counts[RECIPIENT_WAITING], 0);
    assert_ok(act(&w, "resume"));
    run(&w);
    assert_non_null(claim(&w));
    engine_world_close(&w);
}

TEST(broadcast, cancelled_it_holds_back_who_waits_also_who_comes_back_to_the_queue_later)
{
    struct world w = world();
    person(&w, "ada");
    person(&w, "bob");
    assert_ok(act(&w, "launch"));
    run(&w);
    const struct claim *a = claim(&w);
    assert_ok(act(&w, "cancel"));
    run(&w);
    assert_int_equal(status(&w).counts[RECIPIENT_CANCELLED], 1);
    assert_int_equal(status(&w).state, BROADCAST_CANCELLING);
    outcome(&w, a, OUTCOME_DEFERRED);
    run(&w);
    assert_null(claim(&w));
    assert_int_equal(status(&w).counts[RECIPIENT_CANCELLED], 2);
    assert_int_equal(status(&w).state, BROADCAST_CANCELLED);
    assert_int_equal(act(&w, "retry-failed"), ERR_CONFLICT);
    engine_world_close(&w);
}

TEST(broadcast, only_those_for_whom_it_failed_get_it_again_however_often_it_is_retried)
{
    struct world w = world();
    const char  *users[] = { "ada", "bob", "cid", "dan" };
    for (int i = 0; i < 4; i++)
        person(&w, users[i]);
    assert_ok(act(&w, "launch"));
    run(&w);
    enum outcome_kind kinds[] = { OUTCOME_SENT, OUTCOME_FAILED, OUTCOME_UNKNOWN, OUTCOME_FAILED };
    for (int i = 0; i < 4; i++)
        outcome(&w, claim(&w), kinds[i]);
    assert_int_equal(status(&w).state, BROADCAST_FINISHED);
    assert_ok(act(&w, "retry-failed"));
    assert_int_equal(status(&w).state, BROADCAST_RUNNING);
    run(&w);
    const struct claim *b = claim(&w), *d = claim(&w);
    assert_str(b->address, "bob@shop.example");
    assert_str(d->address, "dan@shop.example");
    assert_null(claim(&w));
    outcome(&w, b, OUTCOME_SENT);
    outcome(&w, d, OUTCOME_FAILED);
    assert_ok(act(&w, "retry-failed"));
    run(&w);
    d = claim(&w);
    assert_str(d->address, "dan@shop.example");
    assert_null(claim(&w));
    outcome(&w, d, OUTCOME_SENT);
    struct broadcast_status s = status(&w);
    assert_int_equal(s.state, BROADCAST_FINISHED);
    assert_int_equal(s.counts[RECIPIENT_SENT], 3);
    assert_int_equal(s.counts[RECIPIENT_UNKNOWN], 1);
    assert_int_equal(s.counts[RECIPIENT_FAILED], 0);
    engine_world_close(&w);
}

TEST(broadcast, tried_again_after_its_end_it_goes_to_no_address_that_got_it)
{
    struct world w = world();
    person(&w, "ada");
    person(&w, "bob");
    assert_ok(act(&w, "launch"));
    run(&w);
    const struct claim *a = claim(&w), *b = claim(&w);
    outcome(&w, a, OUTCOME_FAILED);
    outcome(&w, b, OUTCOME_SENT);
    assert_int_equal(status(&w).state, BROADCAST_FINISHED);
    identify(&w, "ada", "{\"email\":\"bob@shop.example\"}");
    assert_ok(act(&w, "retry-failed"));
    run(&w);
    assert_null(claim(&w));
    assert_int_equal(status(&w).counts[RECIPIENT_TWICE], 1);
    assert_int_equal(status(&w).state, BROADCAST_FINISHED);
    engine_world_close(&w);
}

TEST(broadcast, it_goes_once_to_an_address_whoever_has_it)
{
    struct world w = world();
    identify(&w, "ada", "{\"email\":\"Family@shop.example\",\"plan\":\"pro\"}");
    identify(&w, "bob", "{\"email\":\"family@shop.example\",\"plan\":\"pro\"}");
    assert_ok(act(&w, "launch"));
    run(&w);
    const struct claim *a = claim(&w);
    assert_null(claim(&w));
    outcome(&w, a, OUTCOME_FAILED);
    w.now_ms += 2000;
    assert_null(claim(&w));
    assert_int_equal(status(&w).counts[RECIPIENT_TWICE], 1);
    assert_ok(act(&w, "retry-failed"));
    run(&w);
    assert_int_equal(claim(&w)->profile, a->profile);
    assert_null(claim(&w));
    engine_world_close(&w);
}

TEST(broadcast, of_two_with_one_address_the_second_gets_it_where_the_first_is_held_back)
{
    struct world w = world();
    identify(&w, "ada", "{\"email\":\"family@shop.example\",\"plan\":\"pro\"}");
    identify(&w, "bob", "{\"email\":\"family@shop.example\",\"plan\":\"pro\"}");
    assert_ok(act(&w, "launch"));
    run(&w);
    const struct claim *a = claim(&w);
    assert_null(claim(&w));
    assert_int_equal(status(&w).counts[RECIPIENT_WAITING], 1);
    assert_int_equal(engine_outbox_next_ms(w.engine, LANES_ALL), w.now_ms + 2000);
    outcome(&w, a, OUTCOME_DEFERRED);
    w.now_ms += 1500;
    a = claim(&w);
    assert_non_null(a);
    outcome(&w, a, OUTCOME_HELD); /* it could not be composed */
    w.now_ms += 500;
    const struct claim *b = claim(&w);
    assert_non_null(b);
    assert_int_not_equal(b->profile, a->profile);
    outcome(&w, b, OUTCOME_SENT);
    assert_int_equal(status(&w).counts[RECIPIENT_HELD], 1);
    assert_int_equal(status(&w).counts[RECIPIENT_SENT], 1);
    assert_int_equal(status(&w).state, BROADCAST_FINISHED);
    engine_world_close(&w);
}

TEST(broadcast, of_two_who_were_put_off_and_have_each_others_addresses_neither_waits_for_ever)
{
    struct world w = world();
    person(&w, "ada");
    person(&w, "bob");
    assert_ok(act(&w, "launch"));
    run(&w);
    const struct claim *a = claim(&w), *b = claim(&w);
    outcome(&w, a, OUTCOME_DEFERRED);
    outcome(&w, b, OUTCOME_DEFERRED);
    identify(&w, "ada", "{\"email\":\"bob@shop.example\"}");
    identify(&w, "bob", "{\"email\":\"ada@shop.example\"}");
    for (int i = 0; i < 4; i++, w.now_ms += 20000)
        for (const struct claim *c; (c = claim(&w)) != NULL;)
            outcome(&w, c, OUTCOME_SENT);
    assert_int_equal(status(&w).state, BROADCAST_FINISHED);
    assert_true(status(&w).counts[RECIPIENT_SENT] >= 1);
    engine_world_close(&w);
}

TEST(broadcast, of_two_recipients_who_become_one_person_one_gets_it)
{
    struct world w = world();
    person(&w, "ada");
    person(&w, "bob");
    assert_ok(act(&w, "launch"));
    run(&w);
    assert_int_equal(status(&w).counts[RECIPIENT_WAITING], 2);
    assert_ok(engine_world_tell(
        &w,
        (struct record){ .kind = RECORD_ALIAS, .user_id = STR("ada"), .previous_id = STR("bob") }));
    outcome(&w, claim(&w), OUTCOME_SENT);
    identify(&w, "ada", "{\"email\":\"new@shop.example\"}"); /* nor by another address */
    assert_null(claim(&w));
    assert_int_equal(status(&w).state, BROADCAST_FINISHED);
    assert_int_equal(status(&w).counts[RECIPIENT_SENT], 1);
    assert_int_equal(status(&w).counts[RECIPIENT_TWICE], 1);
    engine_world_close(&w);
}

TEST(broadcast, of_two_who_become_one_while_both_are_put_off_one_is_tried_again)
{
    struct world w = world();
    person(&w, "ada");
    person(&w, "bob");
    assert_ok(act(&w, "launch"));
    run(&w);
    const struct claim *a = claim(&w), *b = claim(&w);
    outcome(&w, a, OUTCOME_DEFERRED);
    outcome(&w, b, OUTCOME_DEFERRED);
    assert_ok(engine_world_tell(
        &w,
        (struct record){ .kind = RECORD_ALIAS, .user_id = STR("ada"), .previous_id = STR("bob") }));
    identify(&w, "ada", "{\"email\":\"new@shop.example\"}");
    outcome(&w, claim(&w), OUTCOME_SENT);
    assert_null(claim(&w));
    assert_int_equal(status(&w).state, BROADCAST_FINISHED);
    assert_int_equal(status(&w).counts[RECIPIENT_SENT], 1);
    assert_int_equal(status(&w).counts[RECIPIENT_TWICE], 1);
    engine_world_close(&w);
}

TEST(broadcast, who_is_erased_while_waiting_is_counted_and_is_nobody)
{
    struct world w = world();
    person(&w, "ada");
    assert_ok(act(&w, "launch"));
    run(&w);
    assert_ok(engine_world_tell(
        &w, (struct record){ .kind = RECORD_ERASE, .profile = engine_find(w.engine, STR("ada")) }));
    assert_null(claim(&w));
    uint32_t from = 0, people[4];
    assert_int_equal(status(&w).counts[RECIPIENT_ERASED], 1);
    assert_int_equal(status(&w).state, BROADCAST_FINISHED);
    assert_int_equal(engine_broadcast_people(
                         w.engine, program_broadcast(engine_program(w.engine), STR("spring")),
                         RECIPIENT_BIT(RECIPIENT_ERASED), &from, people, NULL, 4),
                     0);
    engine_world_close(&w);
}

TEST(broadcast, a_throttle_lets_so_many_an_hour_go_and_a_pause_earns_no_more)
{
    struct world w = world();
    char         user[16];
    assert_ok(define(&w, ",\"throttle\":60"));
    for (int i = 0; i < 200; i++) {
        snprintf(user, sizeof user, "u%d", i);
        person(&w, user);
    }
    assert_ok(act(&w, "launch"));
    int sent = 0;
    for (int minute = 0; minute < 60; minute++) {
        for (int s = 0; s < 60; s++) {
            if (engine_next_ms(w.engine) <= w.now_ms)
                engine_world_tick(&w, 0);
            w.now_ms += 1000;
        }
        for (const struct claim *c; (c = claim(&w)) != NULL; sent++)
            outcome(&w, c, OUTCOME_SENT);
    }
    assert_in_range(sent, 58, 62);
    assert_ok(act(&w, "pause"));
    w.now_ms += 5 * TIME_HOUR_MS;
    assert_ok(act(&w, "resume"));
    run(&w);
    int at_once = 0;
    for (const struct claim *c; (c = claim(&w)) != NULL; at_once++)
        outcome(&w, c, OUTCOME_SENT);
    assert_in_range(at_once, 1, 3);
    engine_world_close(&w);
}

TEST(broadcast, at_a_local_time_everyone_gets_it_when_their_clocks_show_it)
{
    struct world w = world();
    assert_ok(define(&w, ",\"when\":{\"local\":\"2026-01-02T09:00\"}"));
    person(&w, "utc");
    identify(&w, "east",
             "{\"email\":\"east@shop.example\",\"plan\":\"pro\",\"timezone\":\"Far/East\"}");
    assert_ok(act(&w, "launch"));
    run(&w);
    assert_int_equal(status(&w).state, BROADCAST_SCHEDULED);
    assert_null(claim(&w));
    w.now_ms = T0 + TIME_DAY_MS - 5 * TIME_HOUR_MS; /* 09:00, 14 hours east */
    run(&w);
    assert_str(claim(&w)->address, "east@shop.example");
    assert_null(claim(&w));
    assert_int_equal(engine_next_ms(w.engine), T0 + TIME_DAY_MS + 9 * TIME_HOUR_MS);
    w.now_ms = T0 + TIME_DAY_MS + 9 * TIME_HOUR_MS;
    run(&w);
    assert_str(claim(&w)->address, "utc@shop.example");
    assert_null(claim(&w));
    assert_false(status(&w).is_looking);
    engine_world_close(&w);
}

static void click(struct world *w, const char *who, int hour)
{
    assert_ok(engine_world_tell(
        w, (struct record){ .kind = RECORD_MESSAGE,
                            .at_ms = T0 - TIME_DAY_MS + hour * TIME_HOUR_MS + TIME_MINUTE_MS,
                            .profile = engine_find(w->engine, str_of(who)),
                            .name = EVENT_MESSAGE_CLICKED }));
}

TEST(broadcast, at_the_best_hour_of_a_day_each_gets_it_when_they_click_and_else_at_the_time_given)
{
    struct world w = world();
    assert_ok(define(&w, ",\"when\":{\"local\":\"2026-01-02 best hour or 11:00\"}"));
    person(&w, "early");
    person(&w, "seldom");
    identify(&w, "east",
             "{\"email\":\"east@shop.example\",\"plan\":\"pro\",\"timezone\":\"Far/East\"}");
    for (int i = 0; i < 3; i++) {
        click(&w, "early", 7);
        click(&w, "east", 5); /* 19:00, 14 hours east */
    }
    click(&w, "seldom", 3);
    assert_ok(act(&w, "launch"));
    run(&w);
    assert_null(claim(&w));
    static const struct {
        int         hour;
        const char *address;
    } rows[] = { { 24 + 5, "east@shop.example" },
                 { 24 + 7, "early@shop.example" },
                 { 24 + 11, "seldom@shop.example" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        w.now_ms = T0 + rows[i].hour * TIME_HOUR_MS - 1;
        run(&w);
        assert_null(claim(&w));
        w.now_ms++;
        run(&w);
        assert_str(claim(&w)->address, rows[i].address);
    }
    assert_null(claim(&w));
    assert_false(status(&w).is_looking);
    engine_world_close(&w);
}

TEST(broadcast, later_it_begins_at_its_instant_and_an_instant_that_has_passed_is_refused)
{
    struct world w = world();
    assert_ok(define(&w, ",\"when\":{\"at\":\"2026-01-01T06:00:00Z\"}"));
    person(&w, "ada");
    assert_ok(act(&w, "launch"));
    run(&w);
    assert_null(claim(&w));
    assert_int_equal(engine_next_ms(w.engine), T0 + 6 * TIME_HOUR_MS);
    w.now_ms = T0 + 6 * TIME_HOUR_MS;
    run(&w);
    assert_non_null(claim(&w));
    engine_world_close(&w);

    w = world();
    assert_ok(define(&w, ",\"when\":{\"at\":\"2025-12-31T06:00:00Z\"}"));
    assert_int_equal(act(&w, "launch"), ERR_CONFLICT);
    assert_ok(define(&w, ",\"when\":{\"local\":\"2025-12-31T06:00\"}"));
    assert_int_equal(act(&w, "launch"), ERR_CONFLICT);
    engine_world_close(&w);
}

TEST(broadcast, what_was_launched_is_changed_no_more_and_what_it_uses_stays_until_it_is_over)
{
    struct world w = world();
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "pro", "plan = \"pro\""));
    assert_ok(engine_world_define(&w, DEFINE_BROADCAST, "spring",
                                  "{\"broadcast\":\"spring\",\"template\":\"news\","
                                  "\"audience\":\"in segment \\\"pro\\\"\"}"));
    person(&w, "ada");
    assert_int_equal(engine_world_define(&w, DEFINE_SEGMENT, "pro", ""), ERR_CONFLICT);
    assert_int_equal(engine_world_define(&w, DEFINE_TEMPLATE, "news", ""), ERR_CONFLICT);
    assert_ok(act(&w, "launch"));
    assert_int_equal(define(&w, ""), ERR_CONFLICT);
    assert_int_equal(engine_world_define(&w, DEFINE_BROADCAST, "spring", ""), ERR_CONFLICT);
    run(&w);
    outcome(&w, claim(&w), OUTCOME_SENT);
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "pro", ""));
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "news", ""));
    engine_world_close(&w);
}

TEST(broadcast, it_is_paused_while_what_its_audience_names_is_gone_and_goes_on_when_that_is_back)
{
    static const char pros[] = "{\"stages\":[{\"name\":\"pro\",\"when\":\"plan = \\\"pro\\\"\"}]}";
    struct world      w = world();
    assert_ok(engine_world_define(&w, DEFINE_STAGES, "stages", pros));
    assert_ok(engine_world_define(&w, DEFINE_BROADCAST, "spring",
                                  "{\"broadcast\":\"spring\",\"template\":\"news\","
                                  "\"audience\":\"in stage \\\"pro\\\"\"}"));
    person(&w, "ada");
    assert_ok(act(&w, "launch"));
    assert_ok(engine_world_define(&w, DEFINE_STAGES, "stages", ""));
    run(&w);
    assert_int_equal(status(&w).state, BROADCAST_PAUSED);
    assert_true(status(&w).is_lost);
    assert_ok(act(&w, "resume"));
    run(&w);
    assert_int_equal(status(&w).state, BROADCAST_PAUSED);
    assert_ok(engine_world_define(&w, DEFINE_STAGES, "stages", pros));
    assert_false(status(&w).is_lost);
    assert_ok(act(&w, "resume"));
    run(&w);
    outcome(&w, claim(&w), OUTCOME_SENT);
    assert_int_equal(status(&w).state, BROADCAST_FINISHED);
    engine_world_close(&w);
}

TEST(broadcast, a_definition_that_could_not_be_sent_is_refused_where_it_is_wrong)
{
    static const struct {
        const char *text, *where;
    } rows[] = {
        { "{\"broadcast\":\"x\",\"template\":\"news\",\"audience\":\"everyone\"}", "broadcast" },
        { "{\"broadcast\":\"spring\",\"template\":\"gone\",\"audience\":\"everyone\"}",
          "template" },
        { "{\"broadcast\":\"spring\",\"template\":\"receipt\",\"audience\":\"everyone\"}",
          "template" },
        { "{\"broadcast\":\"spring\",\"template\":\"hook\",\"audience\":\"everyone\"}",
          "template" },
        { "{\"broadcast\":\"spring\",\"template\":\"news\"}", "audience" },
        { "{\"broadcast\":\"spring\",\"template\":\"news\",\"audience\":\"in segment \\\"no\\\"\"}",
          "audience:1:1" },
        { "{\"broadcast\":\"spring\",\"template\":\"news\",\"audience\":\"plan is is\"}",
          "audience:1:9" },
        { "{\"broadcast\":\"spring\",\"template\":\"news\",\"audience\":\"everyone\","
          "\"when\":\"soon\"}",
          "when" },
        { "{\"broadcast\":\"spring\",\"template\":\"news\",\"audience\":\"everyone\","
          "\"when\":{\"at\":\"2026-12-01T09:00\"}}",
          "when.at" },
        { "{\"broadcast\":\"spring\",\"template\":\"news\",\"audience\":\"everyone\","
          "\"when\":{\"local\":\"2026-12-01T09:00Z\"}}",
          "when.local" },
        { "{\"broadcast\":\"spring\",\"template\":\"news\",\"audience\":\"everyone\","
          "\"when\":{\"local\":\"2026-12-01 best hour or noon\"}}",
          "when.local" },
        { "{\"broadcast\":\"spring\",\"template\":\"news\",\"audience\":\"everyone\","
          "\"when\":{\"local\":\"2026-13-01 best hour\"}}",
          "when.local" },
        { "{\"broadcast\":\"spring\",\"template\":\"news\",\"audience\":\"everyone\","
          "\"throttle\":0}",
          "throttle" },
        { "{\"broadcast\":\"spring\",\"template\":\"news\",\"audience\":\"everyone\","
          "\"thottle\":5}",
          "broadcast" },
    };
    struct world w = world();
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "receipt",
                                  "subject: s\ntransactional: yes\n--- html\nx"));
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "hook",
                                  "channel: webhook\nurl: https://shop.example/\n--- text\nx"));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum err checked = program_check(engine_program(w.engine), DEFINE_BROADCAST, STR("spring"),
                                         str_of(rows[i].text), &w.problem);
        assert_int_not_equal(checked, OK);
        assert_string_equal(w.problem.where, rows[i].where);
        assert_int_equal(engine_world_define(&w, DEFINE_BROADCAST, "spring", rows[i].text),
                         checked);
    }
    assert_true(status(&w).def->throttle == 0); /* the one before stands */
    engine_world_close(&w);
}

TEST(broadcast, the_preview_says_who_would_get_it_and_why_the_others_would_not)
{
    struct world             w = world();
    struct broadcast_preview preview = { .number = program_broadcast(engine_program(w.engine),
                                                                     STR("spring")) };
    bool                     done = false;
    person(&w, "ada");
    identify(&w, "bob", "{\"plan\":\"pro\"}");
    identify(&w, "twin", "{\"email\":\"ADA@shop.example\",\"plan\":\"pro\"}");
    identify(&w, "eve", "{\"email\":\"eve@shop.example\"}");
    while (!done)
        assert_ok(broadcast_preview_step(w.engine, &preview, 1, &done));
    assert_int_equal(preview.audience, 3);
    assert_int_equal(preview.counts[RECIPIENT_WAITING], 1);
    assert_int_equal(preview.counts[RECIPIENT_NO_ADDRESS], 1);
    assert_int_equal(preview.counts[RECIPIENT_TWICE], 1);
    broadcast_preview_done(&preview);
    engine_world_close(&w);
}

/* ---- kept and loaded ---- */

TEST(broadcast, a_load_goes_on_where_the_job_and_each_recipient_were)
{
    const char *texts[][3] = {
        { "template", "news", "subject: s\ntopic: offers\n--- html\nx" },
        { "broadcast", "spring",
          "{\"broadcast\":\"spring\",\"template\":\"news\",\"audience\":\"everyone\","
          "\"throttle\":7200}" },
    };
    struct world w = world();
    char         user[16];
    assert_ok(engine_world_define(&w, DEFINE_BROADCAST, "spring", texts[1][2]));
    for (int i = 0; i < 1500; i++) {
        snprintf(user, sizeof user, "u%d", i);
        person(&w, user);
    }
    assert_ok(act(&w, "launch"));
    run(&w);
    const struct claim *a = claim(&w), *b = claim(&w), *c = claim(&w);
    outcome(&w, a, OUTCOME_SENT);
    outcome(&w, b, OUTCOME_FAILED);
    struct broadcast_status before = status(&w);
    reload(&w, texts, 2);
    struct broadcast_status after = status(&w);
    assert_int_equal(after.state, BROADCAST_RUNNING);
    assert_int_equal(after.looked, before.looked);
    assert_int_equal(after.all, 1500);
    assert_memory_equal(after.counts, before.counts, sizeof after.counts);
    outcome(&w, c, OUTCOME_SENT);
    assert_int_equal(status(&w).counts[RECIPIENT_SENT], 2);
    assert_ok(act(&w, "retry-failed"));
    assert_int_equal(act(&w, "launch"), ERR_CONFLICT);
    engine_world_close(&w);
}
