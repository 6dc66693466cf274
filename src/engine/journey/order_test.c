/* A message with templates in order: the first that can reach the person, and may. */
#include <string.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"

static struct world world_of(void)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "text",
                                  "channel: sms\ntopic: news\n--- text\nhi"));
    assert_ok(
        engine_world_define(&w, DEFINE_TEMPLATE, "mail", "subject: s\ntopic: news\n--- text\nhi"));
    assert_ok(engine_world_define(
        &w, DEFINE_JOURNEY, "j",
        "{\"journey\":\"j\",\"trigger\":{\"event\":\"Start\"},\"reentry\":\"always\","
        "\"nodes\":[{\"id\":\"m\",\"message\":[\"text\",\"mail\"]},{\"id\":\"w\",\"wait\":\"1 "
        "hour\"}]}"));
    return w;
}

static void trait(struct world *w, const char *name, const char *value)
{
    struct json_member member = { str_of(name), { .kind = JSON_STRING, .string = str_of(value) } };
    struct json        object = { .kind = JSON_OBJECT, .count = 1, .members = &member };
    assert_ok(engine_world_tell(
        w,
        (struct record){ .kind = RECORD_IDENTIFY, .user_id = STR("ada"), .properties = &object }));
}

static void refuse(struct world *w, const char *channel)
{
    struct json_member members[] = {
        { STR("state"), { .kind = JSON_STRING, .string = STR("unsubscribed") } },
        { STR("how"), { .kind = JSON_STRING, .string = STR("test") } },
        { STR("channel"), { .kind = JSON_STRING, .string = str_of(channel) } },
    };
    struct json object = { .kind = JSON_OBJECT, .count = 3, .members = members };
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_CONSENT,
                                                    .user_id = STR("ada"),
                                                    .name = STR("news"),
                                                    .properties = &object }));
}

/* Comes in (again), and what is queued is claimed: where it goes, or why it does not. */
static void expect(struct world *w, const char *template, const char *wanted)
{
    assert_ok(engine_world_tell(
        w, (struct record){ .kind = RECORD_TRACK, .user_id = STR("ada"), .name = STR("Start") }));
    const struct decision *intent = NULL;
    for (size_t i = 0; i < w->out.decisions_count; i++)
        if (w->out.decisions[i].kind == DECISION_INTENT)
            intent = &w->out.decisions[i];
    assert_non_null(intent);
    assert_int_equal(intent->other, program_template(engine_program(w->engine), str_of(template)));
    size_t claims = w->out.claims_count;
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_CLAIM, .count = 1 }));
    struct str said = w->out.claims_count > claims
                          ? w->out.claims[w->out.claims_count - 1].address
                          : w->out.decisions[w->out.decisions_count - 1].text;
    if (!str_eq(said, str_of(wanted)))
        fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(said), wanted);
    engine_world_tick(w, 2 * TIME_HOUR_MS); /* and out again */
}

TEST(order, the_first_that_can_reach_the_person_and_may_goes)
{
    struct world w = world_of();
    expect(&w, "text", "no telephone number"); /* none can: the first says why */
    trait(&w, "email", "ada@shop.example");
    expect(&w, "mail", "ada@shop.example");
    trait(&w, "phone", "+4791234567");
    expect(&w, "text", "+4791234567");
    refuse(&w, "sms");
    expect(&w, "mail", "ada@shop.example");
    engine_world_close(&w);
}

TEST(order, a_list_that_means_nothing_is_refused_with_its_place)
{
    static const struct {
        const char *list, *what;
    } cases[] = {
        { "[]", "1 to 4" },
        { "[\"text\",\"text\"]", "twice" },
        { "[\"text\",5]", "needs a template" },
        { "[\"text\",\"mail\",\"a\",\"b\",\"c\"]", "1 to 4" },
        { "[\"text\",\"none\"]", "no template" },
        { "[\"hook\",\"mail\"]", "does not go to the person" },
    };
    struct world w = world_of();
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "hook",
                                  "channel: webhook\nurl: https://x.example\n--- body\nhi"));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str text = str_format(w.arena,
                                     "{\"journey\":\"k\",\"trigger\":{\"event\":\"Start\"},"
                                     "\"nodes\":[{\"id\":\"m\",\"message\":%s}]}",
                                     cases[i].list);
        assert_int_not_equal(engine_world_define(&w, DEFINE_JOURNEY, "k", text.ptr), OK);
        assert_string_equal(w.problem.where, "nodes[0].message");
        if (strstr(w.problem.what, cases[i].what) == NULL)
            fail_msg("%s: %s", cases[i].list, w.problem.what);
    }
    engine_world_close(&w);
}

TEST(order, who_refuses_one_channel_is_left_in_the_journey_that_has_another)
{
    struct world w = world_of();
    trait(&w, "email", "ada@shop.example");
    assert_ok(engine_world_tell(
        &w, (struct record){ .kind = RECORD_TRACK, .user_id = STR("ada"), .name = STR("Start") }));
    refuse(&w, "sms");
    for (size_t i = 0; i < w.out.decisions_count; i++)
        assert_int_not_equal(w.out.decisions[i].kind, DECISION_ENDED);
    refuse(&w, "");
    uint32_t ended = 0;
    for (size_t i = 0; i < w.out.decisions_count; i++)
        ended += w.out.decisions[i].kind == DECISION_ENDED;
    assert_int_equal(ended, 1);
    engine_world_close(&w);
}
