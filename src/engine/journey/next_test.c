/* What comes next for somebody inside a journey, by example. */
#include "engine/journey/next.h"

#include <string.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"

static struct world world_of(const char *more)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "letter", "subject: s\n--- html\nx"));
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "text", "channel: sms\n--- text\nx"));
    struct str text =
        str_format(w.arena, "{\"journey\":\"j\",\"trigger\":{\"event\":\"Start\"},%s}", more);
    if (engine_world_define(&w, DEFINE_JOURNEY, "j", text.ptr) != OK)
        fail_msg("%s: %s %s", w.problem.where, w.problem.what, w.problem.remedy);
    return w;
}

static void track(struct world *w, const char *event)
{
    assert_ok(engine_world_tell(
        w, (struct record){ .kind = RECORD_TRACK, .user_id = STR("ada"), .name = str_of(event) }));
}

static void trait(struct world *w, const char *name, const char *value)
{
    struct json_member member = { str_of(name), { .kind = JSON_STRING, .string = str_of(value) } };
    struct json        object = { .kind = JSON_OBJECT, .count = 1, .members = &member };
    assert_ok(engine_world_tell(
        w,
        (struct record){ .kind = RECORD_IDENTIFY, .user_id = STR("ada"), .properties = &object }));
}

/* The answer is JSON, has all the texts in this order, and asking decided nothing. */
static void expect(struct world *w, const char *const *texts)
{
    SCOPED(buf_donep) struct buf out = buf_make(1 << 20);
    struct json                  value;
    size_t                       decisions = w->out.decisions_count, at = 0;
    next_write(w->engine, engine_find(w->engine, STR("ada")),
               program_journey(engine_program(w->engine), STR("j")), &out);
    assert_ok(buf_err(&out));
    assert_ok(json_parse_once(w->arena, buf_view(&out), &value, NULL));
    assert_int_equal(value.kind, JSON_ARRAY);
    assert_int_equal(w->out.decisions_count, decisions);
    for (; *texts != NULL; texts++) {
        at = str_find(buf_view(&out), at, str_of(*texts));
        if (at >= out.len)
            fail_msg("not \"%s\" (in this order) in %.*s", *texts, STR_ARG(buf_view(&out)));
    }
}
#define EXPECT(w, ...) expect(w, (const char *const[]){ __VA_ARGS__, NULL })

TEST(next, who_is_not_inside_has_none)
{
    struct world w = world_of("\"nodes\":[{\"id\":\"w\",\"wait\":\"3 days\"}]");
    trait(&w, "plan", "pro");
    EXPECT(&w, "[]");
    track(&w, "Start");
    EXPECT(&w, "\"node\":\"w\"");
    engine_world_tick(&w, 4 * TIME_DAY_MS);
    EXPECT(&w, "[]");
    engine_world_close(&w);
}

TEST(next, a_wait_ends_at_an_instant_and_by_the_persons_clock_and_then_the_mail_goes_or_not)
{
    struct world w = world_of("\"exit_when\":\"did \\\"Bought\\\" since entry\",\"nodes\":["
                              "{\"id\":\"w\",\"wait\":\"3 days\"},{\"id\":\"m\",\"email\":"
                              "\"letter\"},{\"id\":\"v\",\"wait\":\"1 hour\"}]");
    trait(&w, "timezone", "Far/East");
    track(&w, "Start");
    EXPECT(&w, "\"node\":\"w\"", "\"until\":\"2026-01-04T00:00:00",
           "\"until_local\":\"2026-01-04 14:00\"", "\"when\":\"the time is over\"",
           "\"template\":\"letter\"", "\"goes\":false", "\"why_not\":\"no e-mail address\"",
           "\"node\":\"v\"", "\"left_when\":\"did");
    trait(&w, "email", "ada@shop.example");
    EXPECT(&w, "\"template\":\"letter\"", "\"goes\":true", "\"node\":\"v\"");
    engine_world_close(&w);
}

TEST(next, the_quiet_hours_are_those_of_when_the_wait_ends)
{
    struct world w = world_of("\"nodes\":[{\"id\":\"w\",\"wait\":\"3 days\"},{\"id\":\"m\","
                              "\"email\":\"letter\"}]");
    assert_ok(engine_world_define(&w, DEFINE_LIMITS, "limits",
                                  "{\"quiet\":[{\"from\":\"21:00\",\"to\":\"08:00\"}]}"));
    trait(&w, "email", "ada@shop.example");
    engine_world_tick(&w, 12 * TIME_HOUR_MS);
    track(&w, "Start"); /* at noon, and so it ends */
    EXPECT(&w, "\"goes\":true}");
    engine_world_close(&w);

    w = world_of("\"nodes\":[{\"id\":\"w\",\"wait\":\"11 hours\"},{\"id\":\"m\",\"email\":"
                 "\"letter\"}]");
    assert_ok(engine_world_define(&w, DEFINE_LIMITS, "limits",
                                  "{\"quiet\":[{\"from\":\"21:00\",\"to\":\"08:00\"}]}"));
    trait(&w, "email", "ada@shop.example");
    engine_world_tick(&w, 12 * TIME_HOUR_MS);
    track(&w, "Start");
    EXPECT(&w, "\"at\":\"2026-01-01T23:00", "\"goes\":true", "\"not_before\":\"2026-01-02T08:00",
           "quiet hours");
    engine_world_close(&w);
}

TEST(next, what_is_waited_for_has_two_ways_and_a_split_is_told_as_of_now)
{
    struct world w = world_of(
        "\"nodes\":[{\"id\":\"f\",\"wait_for\":{\"event\":\"Paid\"},\"within\":\"2 days\",\"yes\":"
        "\"s\",\"timeout\":\"m\"},{\"id\":\"s\",\"split\":\"plan = \\\"pro\\\"\",\"yes\":\"x\","
        "\"no\":\"m\"},{\"id\":\"m\",\"message\":[\"text\",\"letter\"]},{\"id\":\"x\",\"exit\":"
        "true}]");
    trait(&w, "email", "ada@shop.example");
    track(&w, "Start");
    EXPECT(&w, "\"waits_for\":\"an event\"", "\"way\":\"yes\"", "Paid", "\"takes\":\"no\"",
           "\"template\":\"letter\"", "\"way\":\"timeout\"", "\"at\":\"2026-01-03T00:00",
           "\"template\":\"letter\"", "\"does\":\"exit\"");
    trait(&w, "plan", "pro");
    EXPECT(&w, "\"way\":\"yes\"", "\"takes\":\"yes\"", "\"does\":\"exit\"", "\"way\":\"timeout\"");
    trait(&w, "phone", "+4791234567");
    EXPECT(&w, "\"way\":\"timeout\"", "\"template\":\"text\"");
    engine_world_close(&w);
}

TEST(next, what_is_foretold_comes)
{
    struct world w =
        world_of("\"nodes\":[{\"id\":\"w\",\"wait\":\"3 days\"},{\"id\":\"m\",\"email\":"
                 "\"letter\"},{\"id\":\"v\",\"wait\":\"1 hour\"}]");
    track(&w, "Start");
    EXPECT(&w, "\"until\":\"2026-01-04T00:00");
    engine_world_tick(&w, 3 * TIME_DAY_MS - 1);
    EXPECT(&w, "\"node\":\"w\",\"waits_for\"");
    engine_world_tick(&w, 1);
    EXPECT(&w, "\"node\":\"v\",\"waits_for\"", "\"does\":\"end\"");
    engine_world_close(&w);
}

TEST(next, who_is_inside_twice_is_told_apart_by_the_key)
{
    struct world       w = engine_world_open();
    struct json_member member = { STR("cart"), { .kind = JSON_STRING } };
    struct json        bag = { .kind = JSON_OBJECT, .count = 1, .members = &member };
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "j",
                                  "{\"journey\":\"j\",\"trigger\":{\"event\":\"Start\",\"key\":"
                                  "\"cart\"},\"nodes\":[{\"id\":\"w\",\"wait\":\"3 days\"}]}"));
    for (int i = 0; i < 2; i++) {
        member.value.string = i == 0 ? STR("c1") : STR("c2");
        assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_TRACK,
                                                         .user_id = STR("ada"),
                                                         .name = STR("Start"),
                                                         .properties = &bag }));
    }
    EXPECT(&w, "\"key\":\"c1\"", "\"node\":\"w\"", "\"key\":\"c2\"", "\"node\":\"w\"");
    engine_world_close(&w);
}
