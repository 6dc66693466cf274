/* Why a message has not gone, when it is tried next, and how often it was. */
#include "engine/trying.h"

#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"

static struct world shop(void)
{
    struct world w = engine_world_open();
    struct json  traits;
    assert_ok(json_parse_once(w.arena, STR("{\"email\":\"ada@example.com\"}"), &traits, NULL));
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "news", "subject: s\n--- html\nhi"));
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "j",
                                  "{\"journey\":\"j\",\"trigger\":{\"event\":\"Start\"},"
                                  "\"nodes\":[{\"id\":\"m\",\"message\":\"news\"}]}"));
    assert_ok(engine_world_tell(
        &w,
        (struct record){ .kind = RECORD_IDENTIFY, .user_id = STR("ada"), .properties = &traits }));
    assert_ok(engine_world_tell(
        &w, (struct record){ .kind = RECORD_TRACK, .user_id = STR("ada"), .name = STR("Start") }));
    return w;
}

static uint64_t intent(const struct world *w)
{
    for (size_t i = 0; i < w->out.decisions_count; i++)
        if (w->out.decisions[i].kind == DECISION_INTENT)
            return w->out.decisions[i].id;
    return 0;
}

static void claim(struct world *w)
{
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_CLAIM, .count = 1 }));
}

static void answer(struct world *w, enum outcome_kind kind, int64_t retry_ms)
{
    assert_ok(engine_world_tell(
        w, (struct record){ .kind = RECORD_OUTCOME,
                            .profile = w->out.claims[w->out.claims_count - 1].profile,
                            .outcome = { .message = intent(w),
                                         .kind = kind,
                                         .retry_at_ms = retry_ms,
                                         .text = STR("451 later") } }));
}

#define assert_trying(w, text)                                                                     \
    do {                                                                                           \
        SCOPED(buf_donep) struct buf told = buf_make(4096);                                        \
        trying_write((w)->engine, 0, intent(w), &told);                                            \
        assert_str(buf_view(&told), text);                                                         \
    } while (0)

#define NEXT "\"why\":\"it is its turn: delivery takes it next\"}"

TEST(trying, of_one_that_was_put_off_it_says_when_next_and_how_often_it_was_tried)
{
    struct world w = shop();
    assert_trying(&w,
                  "{\"state\":\"queued\",\"attempts\":0,\"at\":\"2026-01-01T00:00:00.000Z\"," NEXT);
    claim(&w);
    assert_trying(&w, "{\"state\":\"sending\",\"attempts\":1,"
                      "\"why\":\"delivery has it in its hands\"}");
    answer(&w, OUTCOME_DEFERRED, T0 + TIME_HOUR_MS);
    assert_trying(&w, "{\"state\":\"queued\",\"attempts\":1,\"at\":\"2026-01-01T01:00:00.000Z\","
                      "\"why\":\"it was tried, and waits until then\"}");
    engine_world_tick(&w, 2 * TIME_HOUR_MS);
    assert_trying(&w,
                  "{\"state\":\"queued\",\"attempts\":1,\"at\":\"2026-01-01T02:00:00.000Z\"," NEXT);
    claim(&w);
    answer(&w, OUTCOME_SENT, 0);
    assert_trying(&w, "null");
    engine_world_close(&w);
}

TEST(trying, what_keeps_it_is_said_and_whether_it_will_go_at_all)
{
    struct world w = shop();
    assert_ok(engine_world_define(&w, DEFINE_LIMITS, "limits",
                                  "{\"quiet\":[{\"from\":\"21:00\",\"to\":\"08:00\"}]}"));
    assert_trying(&w, "{\"state\":\"queued\",\"attempts\":0,\"at\":\"2026-01-01T08:00:00.000Z\","
                      "\"why\":\"quiet hours by the person's clock\"}");
    claim(&w);
    assert_trying(&w, "{\"state\":\"queued\",\"attempts\":0,\"at\":\"2026-01-01T08:00:00.000Z\","
                      "\"why\":\"it waits until then\"}");
    assert_ok(engine_world_define(&w, DEFINE_SENDING, "sending", "{\"state\":\"stopped\"}"));
    assert_trying(&w, "{\"state\":\"queued\",\"attempts\":0,\"why\":\"sending is stopped\"}");
    assert_ok(engine_world_define(&w, DEFINE_SENDING, "sending", "{\"state\":\"on\"}"));
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "j", ""));
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "news", ""));
    engine_world_tick(&w, 9 * TIME_HOUR_MS);
    assert_trying(&w, "{\"state\":\"queued\",\"attempts\":0,\"at\":\"2026-01-01T09:00:00.000Z\","
                      "\"why\":\"the template was deleted\",\"drops\":true}");
    claim(&w);
    assert_trying(&w, "null");
    engine_world_close(&w);
}
