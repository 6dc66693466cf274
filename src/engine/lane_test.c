/* Lines of the outbox: who has room for what. */
#include "engine/lane.h"

#include <stdio.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"

static void journey_of(struct world *w, const char *name, const char *head)
{
    char text[400];
    snprintf(text, sizeof text, "subject: Hello\n%s\n--- html\nhi", head);
    assert_ok(engine_world_define(w, DEFINE_TEMPLATE, name, text));
    snprintf(text, sizeof text,
             "{\"journey\":\"%s\",\"trigger\":{\"event\":\"%s\"},\"reentry\":\"always\",\"nodes\":"
             "[{\"id\":\"a\",\"email\":\"%s\"},{\"id\":\"done\",\"exit\":true}]}",
             name, name, name);
    assert_ok(engine_world_define(w, DEFINE_JOURNEY, name, text));
}

static void happens(struct world *w, const char *user, const char *event)
{
    assert_ok(engine_world_tell(
        w,
        (struct record){ .kind = RECORD_TRACK, .user_id = str_of(user), .name = str_of(event) }));
}

static struct world shop(void)
{
    struct world w = engine_world_open();
    struct json *traits = ARENA_NEW(w.arena, struct json);
    journey_of(&w, "receipt", "transactional: yes");
    journey_of(&w, "news", "topic: news");
    journey_of(&w, "plain", "from: Ada");
    assert_ok(json_parse_once(w.arena, STR("{\"email\":\"ada@example.com\"}"), traits, NULL));
    assert_ok(engine_world_tell(
        &w,
        (struct record){ .kind = RECORD_IDENTIFY, .user_id = STR("ada"), .properties = traits }));
    return w;
}

/* How many of at most `count` messages of the lanes were claimed; whether the first is a receipt.
 */
static uint32_t claim(struct world *w, uint32_t count, uint32_t lanes, bool *is_receipt)
{
    size_t before = w->out.claims_count;
    assert_ok(engine_world_tell(
        w, (struct record){ .kind = RECORD_CLAIM, .count = count, .lanes = lanes }));
    if (w->out.claims_count > before)
        *is_receipt = w->out.claims[before].transactional;
    return (uint32_t)(w->out.claims_count - before);
}

TEST(lane, a_receipt_is_claimed_before_all_that_waited_longer)
{
    struct world w = shop();
    bool         is_receipt = false;
    for (int i = 0; i < 5; i++)
        happens(&w, "ada", "news");
    engine_world_tick(&w, TIME_HOUR_MS);
    happens(&w, "ada", "receipt");
    assert_int_equal(claim(&w, 1, LANES_ALL, &is_receipt), 1);
    assert_true(is_receipt);
    assert_int_equal(claim(&w, 9, 0, &is_receipt), 5); /* no lanes said: all */
    assert_false(is_receipt);
    engine_world_close(&w);
}

TEST(lane, only_messages_of_the_lanes_there_is_room_for_are_claimed)
{
    struct world w = shop();
    bool         is_receipt = false;
    uint32_t     news = 1u << lane_of((struct lane_of){ CHANNEL_EMAIL, false, STR("news") });
    uint32_t     plain = 1u << lane_of((struct lane_of){ CHANNEL_EMAIL, false, STR_NONE });
    happens(&w, "ada", "news");
    happens(&w, "ada", "plain");
    assert_int_equal(claim(&w, 9, LANES_URGENT, &is_receipt), 0);
    assert_true(news != plain);
    assert_true(engine_outbox_next_ms(w.engine, LANES_URGENT) == TIME_NEVER);
    assert_true(engine_outbox_next_ms(w.engine, news) <= w.now_ms);
    assert_int_equal(claim(&w, 9, news, &is_receipt), 1);
    assert_int_equal(claim(&w, 9, news, &is_receipt), 0);
    assert_int_equal(claim(&w, 9, plain, &is_receipt), 1);
    engine_world_close(&w);
}

TEST(lane, what_waits_when_its_template_becomes_a_receipt_is_found_there)
{
    struct world w = shop();
    bool         is_receipt = false;
    happens(&w, "ada", "news");
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "news",
                                  "subject: News\ntransactional: yes\n--- html\nhi"));
    uint32_t claimed = claim(&w, 9, LANES_ALL & ~LANES_URGENT, &is_receipt);
    assert_int_equal(claimed, 0);
    assert_int_equal(claim(&w, 9, LANES_URGENT, &is_receipt), 1);
    assert_int_equal(claim(&w, 9, LANES_ALL, &is_receipt), 0);
    engine_world_close(&w);
}

TEST(lane, a_message_given_back_until_an_instant_waits_for_it_and_has_had_no_try)
{
    struct world w = shop();
    bool         is_receipt = false;
    happens(&w, "ada", "news");
    assert_int_equal(claim(&w, 1, LANES_ALL, &is_receipt), 1);
    struct record back = { .kind = RECORD_OUTCOME,
                           .profile = 0,
                           .outcome = { w.out.claims[0].message, OUTCOME_RETURNED,
                                        w.now_ms + TIME_DAY_MS, STR("closed") } };
    assert_ok(engine_world_tell(&w, back));
    engine_world_tick(&w, TIME_DAY_MS - 1);
    assert_int_equal(claim(&w, 1, LANES_ALL, &is_receipt), 0);
    engine_world_tick(&w, 1);
    assert_int_equal(claim(&w, 1, LANES_ALL, &is_receipt), 1);
    assert_int_equal(w.out.claims[1].attempt, 1);
    engine_world_close(&w);
}
