/* What begins a journey, by example: leaving, another journey's end, a mail opened or clicked. */
#include <string.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"

static struct world world_of(const char *trigger)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_WORKSPACE, "workspace", "{\"lists\":[\"news\"]}"));
    assert_ok(
        engine_world_define(&w, DEFINE_SEGMENT, "active", "did \"Visit\" in the last 2 days"));
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "first",
                                  "{\"journey\":\"first\",\"trigger\":{\"event\":\"Start\"},"
                                  "\"reentry\":\"always\",\"exit_when\":\"did \\\"Stop\\\" since "
                                  "entry\",\"nodes\":[{\"id\":\"w\",\"wait\":\"3 days\"}]}"));
    struct str text = str_format(w.arena,
                                 "{\"journey\":\"then\",\"trigger\":%s,\"reentry\":\"always\","
                                 "\"nodes\":[{\"id\":\"x\",\"exit\":true}]}",
                                 trigger);
    if (engine_world_define(&w, DEFINE_JOURNEY, "then", text.ptr) != OK)
        fail_msg("%s: %s %s", w.problem.where, w.problem.what, w.problem.remedy);
    engine_world_tick(&w, 0);
    return w;
}

static void track(struct world *w, const char *event, int64_t at_ms)
{
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_TRACK,
                                                    .at_ms = at_ms,
                                                    .user_id = STR("ada"),
                                                    .name = str_of(event) }));
}

/* How often the journey was begun, and when it was last. */
static void expect_begun(const struct world *w, uint32_t wanted, int64_t wanted_ms)
{
    uint32_t count = 0, number = program_journey(engine_program(w->engine), STR("then"));
    int64_t  at_ms = 0;
    for (size_t i = 0; i < w->out.decisions_count; i++)
        if (w->out.decisions[i].kind == DECISION_ENROLLED &&
            w->out.decisions[i].subject == number) {
            at_ms = w->out.decisions[i].at_ms;
            count++;
        }
    assert_int_equal(count, wanted);
    if (count > 0)
        assert_int_equal(at_ms, wanted_ms);
}

TEST(trigger, a_segment_is_left_at_the_instant_when_time_says_so)
{
    struct world w = world_of("{\"left_segment\":\"active\"}");
    track(&w, "Visit", 0);
    expect_begun(&w, 0, 0);
    engine_world_tick(&w, 5 * TIME_DAY_MS);
    expect_begun(&w, 1, T0 + 2 * TIME_DAY_MS);
    assert_int_equal(engine_world_define(&w, DEFINE_SEGMENT, "active", ""), ERR_CONFLICT);
    engine_world_close(&w);
}

TEST(trigger, who_leaves_by_a_changed_definition_begins_nothing)
{
    struct world w = world_of("{\"left_segment\":\"active\"}");
    track(&w, "Visit", 0);
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "active", "plan = \"pro\""));
    engine_world_tick(&w, TIME_HOUR_MS);
    assert_false(engine_world_is_in(&w, "active", "ada"));
    expect_begun(&w, 0, 0);
    engine_world_close(&w);
}

/* Also where the exit asks a computed trait that is defined anew; the next order does begin it. */
TEST(trigger, who_leaves_a_journey_by_a_changed_trait_begins_nothing)
{
    struct world w = world_of("{\"left_segment\":\"active\"}");
    assert_ok(
        engine_world_define(&w, DEFINE_TRAIT, "spent", "least of amount of \"Order Completed\""));
    assert_ok(
        engine_world_define(&w, DEFINE_JOURNEY, "late",
                            "{\"journey\":\"late\",\"trigger\":{\"event\":\"Order Completed\"},"
                            "\"reentry\":\"always\",\"exit_when\":\"spent > 30\","
                            "\"nodes\":[{\"id\":\"w\",\"wait\":\"9 days\"}]}"));
    assert_ok(
        engine_world_define(&w, DEFINE_JOURNEY, "then",
                            "{\"journey\":\"then\",\"trigger\":{\"left_journey\":\"late\"},"
                            "\"reentry\":\"always\",\"nodes\":[{\"id\":\"x\",\"exit\":true}]}"));
    engine_world_order(&w, "ada", 20);
    engine_world_order(&w, "ada", 50);
    engine_world_tick(&w, TIME_HOUR_MS);
    expect_begun(&w, 0, 0);
    assert_ok(engine_world_define(&w, DEFINE_TRAIT, "spent",
                                  "greatest of amount of \"Order Completed\""));
    engine_world_tick(&w, TIME_HOUR_MS);
    uint32_t            late = program_journey(engine_program(w.engine), STR("late"));
    const struct state *inside =
        people_state_get(engine_people(w.engine), engine_find(w.engine, STR("ada")));
    for (uint32_t i = 0; i < inside->rare->enrollments.count; i++)
        assert_int_not_equal(inside->rare->enrollments.items[i].journey, late); /* she left */
    expect_begun(&w, 0, 0);
    engine_world_close(&w);
}

TEST(trigger, a_list_is_left_by_who_was_on_it)
{
    struct world  w = world_of("{\"left_list\":\"news\"}");
    struct record leave = {
        .kind = RECORD_LIST, .user_id = STR("ada"), .name = STR("news"), .flags = RECORD_LEAVE
    };
    struct record join = leave;
    join.flags = 0;
    assert_ok(engine_world_tell(&w, leave));
    expect_begun(&w, 0, 0);
    assert_ok(engine_world_tell(&w, join));
    assert_ok(engine_world_tell(&w, leave));
    expect_begun(&w, 1, T0);
    engine_world_close(&w);
}

TEST(trigger, a_journey_that_came_to_its_end_begins_another_and_one_that_was_left_does_not)
{
    struct world w = world_of("{\"finished_journey\":\"first\"}");
    track(&w, "Start", 0);
    engine_world_tick(&w, 4 * TIME_DAY_MS);
    expect_begun(&w, 1, T0 + 3 * TIME_DAY_MS);
    track(&w, "Start", 0);
    track(&w, "Stop", 0);
    engine_world_tick(&w, 9 * TIME_DAY_MS);
    expect_begun(&w, 1, T0 + 3 * TIME_DAY_MS);
    engine_world_close(&w);
}

TEST(trigger, a_journey_that_was_left_before_its_end_begins_another_with_the_record_that_ends_it)
{
    struct world w = world_of("{\"left_journey\":\"first\"}");
    track(&w, "Start", 0);
    track(&w, "Stop", T0 - 2 * TIME_DAY_MS); /* old news, of before they came in */
    expect_begun(&w, 0, 0);
    track(&w, "Stop", 0);
    expect_begun(&w, 1, T0);
    engine_world_close(&w);
}

/* A begins B and B begins A; an event that A began by once is how the first one got in. */
TEST(trigger, journeys_that_begin_each_other_for_ever_are_parked)
{
    static const char body[] =
        "{\"journey\":\"%s\",\"trigger\":{\"%s\":\"%s\"},\"reentry\":\"always\","
        "\"nodes\":[{\"id\":\"w\",\"wait_for\":\"did \\\"Go\\\"\",\"within\":\"9 days\"}]}";
    struct world w = world_of("{\"event\":\"Start\"}");
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "a",
                                  str_format(w.arena, body, "a", "event", "Start").ptr));
    track(&w, "Start", 0); /* inside of a's first version */
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "b",
                                  str_format(w.arena, body, "b", "finished_journey", "a").ptr));
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "a",
                                  str_format(w.arena, body, "a", "finished_journey", "b").ptr));
    track(&w, "Go", 0);
    assert_int_equal(engine_stats(w.engine).parked, 1);
    assert_true(engine_stats(w.engine).enrolled > 32);
    assert_true(engine_stats(w.engine).enrolled < 80);
    engine_world_close(&w);
}

/* A mail's event, by a person or by a scanner. */
static void mailed(struct world *w, struct str event, const char *properties)
{
    struct json *value = ARENA_NEW(w->arena, struct json);
    assert_ok(json_parse_once(w->arena, str_of(properties), value, NULL));
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_MESSAGE,
                                                    .profile = engine_find(w->engine, STR("ada")),
                                                    .name = event,
                                                    .properties = value }));
}

TEST(trigger, a_click_is_a_persons_and_of_that_mail_unless_it_says_otherwise)
{
    static const struct {
        const char *trigger;
        uint32_t    begun;
    } table[] = {
        { "{\"clicked\":{\"message\":\"a\"}}", 1 },
        { "{\"clicked\":\"any\"}", 2 },
        { "{\"clicked\":{\"message\":\"a\"},\"by\":\"anyone\"}", 2 },
        { "{\"clicked\":{\"message\":\"a\"},\"by\":\"machine\"}", 1 },
        { "{\"opened\":{\"message\":\"a\"}}", 1 },
        { "{\"opened\":{\"journey\":\"first\"},\"by\":\"anyone\"}", 1 },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct world w = world_of(table[i].trigger);
        track(&w, "Visit", 0);
        mailed(&w, EVENT_MESSAGE_CLICKED, "{\"template\":\"a\",\"machine\":false}");
        mailed(&w, EVENT_MESSAGE_CLICKED, "{\"template\":\"a\",\"machine\":true}");
        mailed(&w, EVENT_MESSAGE_CLICKED, "{\"template\":\"b\",\"machine\":false}");
        mailed(&w, EVENT_MESSAGE_OPENED, "{\"template\":\"a\",\"machine\":false}");
        mailed(&w, EVENT_MESSAGE_OPENED,
               "{\"template\":\"c\",\"machine\":true,\"journey\":\"first\"}");
        expect_begun(&w, table[i].begun, T0);
        engine_world_close(&w);
    }
}

TEST(trigger, what_begins_nothing_is_refused_with_a_remedy)
{
    static const struct {
        const char *trigger, *where, *what;
    } table[] = {
        { "{}", "trigger", "A journey begins in exactly one way." },
        { "{\"segment\":\"active\",\"event\":\"A\"}", "trigger",
          "A journey begins in exactly one way." },
        { "{\"event\":7}", "trigger", "The \"event\" of the trigger has no name." },
        { "{\"left_segment\":\"none\"}", "trigger.segment", "There is no segment \"none\"." },
        { "{\"left_journey\":\"none\"}", "trigger", "There is no journey \"none\"." },
        { "{\"finished_journey\":\"then\"}", "trigger", "A journey cannot begin by its own end." },
        { "{\"left_list\":\"news\",\"where\":\"a = 1\"}", "trigger.where",
          "Only an event has properties." },
        { "{\"event\":\"A\",\"by\":\"anyone\"}", "trigger",
          "A trigger by \"event\" has no member \"by\"." },
        { "{\"clicked\":{\"mail\":\"a\"}}", "trigger:did.clicked", NULL },
        { "{\"clicked\":\"any\",\"by\":\"cat\"}", "trigger:did", NULL },
    };
    struct world w = world_of("{\"event\":\"A\"}");
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct str text = str_format(w.arena,
                                     "{\"journey\":\"then\",\"trigger\":%s,\"nodes\":["
                                     "{\"id\":\"x\",\"exit\":true}]}",
                                     table[i].trigger);
        if (engine_world_define(&w, DEFINE_JOURNEY, "then", text.ptr) == OK)
            fail_msg("%s is taken", table[i].trigger);
        if (strncmp(w.problem.where, table[i].where, strlen(table[i].where)) != 0 ||
            w.problem.remedy[0] == '\0' ||
            (table[i].what != NULL && strcmp(w.problem.what, table[i].what) != 0))
            fail_msg("%s\n  %s: %s %s", table[i].trigger, w.problem.where, w.problem.what,
                     w.problem.remedy);
    }
    engine_world_close(&w);
}

static void told_of(struct world *w, const char *event, const char *properties)
{
    struct json bag;
    assert_ok(json_parse_once(w->arena, str_of(properties), &bag, NULL));
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_TRACK,
                                                    .user_id = STR("ada"),
                                                    .name = str_of(event),
                                                    .properties = &bag }));
}

TEST(trigger, a_form_is_known_by_its_name_or_number_and_its_fields_may_be_asked)
{
    struct world w =
        world_of("{\"form\":\"con\\\"tact\",\"where\":\"budget > 100 or vip = true\"}");
    told_of(&w, "Form Submitted", "{\"form\":\"footer\",\"vip\":true}");
    told_of(&w, "Form Submitted", "{\"vip\":true}");
    told_of(&w, "Form Submitted", "{\"form\":\"con\\\"tact\",\"budget\":50}");
    told_of(&w, "Webhook Received", "{\"form\":\"con\\\"tact\",\"budget\":500}");
    expect_begun(&w, 0, 0);
    told_of(&w, "Form Submitted", "{\"form\":\"con\\\"tact\",\"budget\":500}");
    expect_begun(&w, 1, w.now_ms);
    told_of(&w, "Form Submitted", "{\"form_id\":\"con\\\"tact\",\"vip\":true}");
    told_of(&w, "Form Submitted", "{\"form_name\":\"con\\\"tact\",\"vip\":true}");
    expect_begun(&w, 3, w.now_ms);
    engine_world_close(&w);
}

TEST(trigger, a_webhook_is_that_of_one_receiver)
{
    struct world w = world_of("{\"webhook\":\"crm\"}");
    told_of(&w, "Webhook Received", "{\"webhook\":\"shop\"}");
    told_of(&w, "Form Submitted", "{\"webhook\":\"crm\"}");
    expect_begun(&w, 0, 0);
    told_of(&w, "Webhook Received", "{\"webhook\":\"crm\",\"deal\":7}");
    expect_begun(&w, 1, w.now_ms);
    engine_world_close(&w);
}

TEST(trigger, a_form_without_a_name_or_with_a_condition_of_no_text_is_refused)
{
    static const struct {
        const char *trigger, *where;
    } table[] = {
        { "{\"form\":\"\"}", "trigger" },
        { "{\"form\":7}", "trigger" },
        { "{\"form\":\"a\",\"where\":{\"x\":1}}", "trigger.where" },
        { "{\"webhook\":\"a\",\"where\":\"x >\"}", "trigger.where" },
        { "{\"form\":\"a\",\"where\":\"x > 1) or (y = 2\"}", "trigger.where" },
        { "{\"webhook\":\"a\",\"by\":\"anyone\"}", "trigger" },
        { "{\"webhook\":\"a\",\"form\":\"b\"}", "trigger" },
    };
    struct world w = engine_world_open();
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct str text = str_format(w.arena,
                                     "{\"journey\":\"j\",\"trigger\":%s,"
                                     "\"nodes\":[{\"id\":\"x\",\"exit\":true}]}",
                                     table[i].trigger);
        assert_int_equal(engine_world_define(&w, DEFINE_JOURNEY, "j", text.ptr), ERR_INPUT);
        assert_true(str_starts(str_of(w.problem.where), str_of(table[i].where)));
    }
    engine_world_close(&w);
}
