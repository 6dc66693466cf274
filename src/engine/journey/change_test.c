/* Nodes that change something, by example: what they do, what knows of it, and what follows. */
#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"

static void define(struct world *w, enum definition_kind kind, const char *name, const char *text)
{
    if (engine_world_define(w, kind, name, text) != OK)
        fail_msg("%s: %s: %s %s", name, w->problem.where, w->problem.what, w->problem.remedy);
}

static void journey(struct world *w, const char *name, const char *trigger, const char *nodes)
{
    struct str text = str_format(w->arena,
                                 "{\"journey\":\"%s\",\"trigger\":%s,\"reentry\":\"always\","
                                 "\"nodes\":[%s]}",
                                 name, trigger, nodes);
    define(w, DEFINE_JOURNEY, name, text.ptr);
}

static struct world world_of(const char *nodes)
{
    struct world w = engine_world_open();
    define(&w, DEFINE_WORKSPACE, "workspace", "{\"lists\":[\"news\"],\"topics\":[\"news\"]}");
    define(&w, DEFINE_TEMPLATE, "letter", "subject: s\ntopic: news\n--- html\nx");
    define(&w, DEFINE_SEGMENT, "pros", "plan = \"pro\"");
    define(&w, DEFINE_SEGMENT, "winners", "did \"Won\"");
    journey(&w, "other", "{\"event\":\"Never\"}", "{\"id\":\"w\",\"wait\":\"9 days\"}");
    journey(&w, "j", "{\"event\":\"Start\"}", nodes);
    return w;
}

static void track(struct world *w, const char *event, const char *properties)
{
    struct json *value = ARENA_NEW(w->arena, struct json);
    assert_ok(json_parse_once(w->arena, str_of(properties), value, NULL));
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_TRACK,
                                                    .user_id = STR("ada"),
                                                    .name = str_of(event),
                                                    .properties = value }));
}

static void consent(struct world *w, const char *state)
{
    struct json *value = ARENA_NEW(w->arena, struct json);
    struct str   text = str_format(w->arena, "{\"state\":\"%s\"}", state);
    assert_ok(json_parse_once(w->arena, text, value, NULL));
    assert_ok(engine_world_tell(
        w, (struct record){ .kind = RECORD_CONSENT, .name = STR("news"), .properties = value }));
}

static uint32_t count(const struct world *w, enum decision_kind kind)
{
    uint32_t found = 0;
    for (size_t i = 0; i < w->out.decisions_count; i++)
        found += w->out.decisions[i].kind == kind;
    return found;
}

static const struct decision *last(const struct world *w, enum decision_kind kind)
{
    for (size_t i = w->out.decisions_count; i > 0; i--)
        if (w->out.decisions[i - 1].kind == kind)
            return &w->out.decisions[i - 1];
    fail_msg("no such decision");
    return NULL;
}

static uint32_t enrolled(const struct world *w, const char *name)
{
    uint32_t found = 0, number = program_journey(engine_program(w->engine), str_of(name));
    for (size_t i = 0; i < w->out.decisions_count; i++)
        found +=
            w->out.decisions[i].kind == DECISION_ENROLLED && w->out.decisions[i].subject == number;
    return found;
}

/* ---- traits ---- */

TEST(change, what_is_set_is_known_to_the_node_behind_it_and_to_segments)
{
    struct world w = world_of("{\"id\":\"s\",\"set\":{\"plan\":\"pro\",\"tags\":[\"a\",2]}},"
                              "{\"id\":\"q\",\"split\":\"plan = \\\"pro\\\"\",\"yes\":\"m\",\"no\":"
                              "\"x\"},{\"id\":\"m\",\"email\":\"letter\"},"
                              "{\"id\":\"x\",\"wait\":\"1 day\"}");
    journey(&w, "then", "{\"segment\":\"pros\"}", "{\"id\":\"w\",\"wait\":\"9 days\"}");
    track(&w, "Start", "{}");
    assert_int_equal(count(&w, DECISION_INTENT), 1);
    assert_true(engine_world_is_in(&w, "pros", "ada"));
    assert_int_equal(enrolled(&w, "then"), 1);
    assert_true(engine_world_holds(&w, "tags = \"a\" and tags = 2", "ada", w.now_ms));
    assert_int_equal(w.out.told_count, 1);
    assert_true(w.out.told[0].is_traits);
    assert_str(w.out.told[0].body, "{\"traits\":{\"plan\":\"pro\",\"tags\":[\"a\",2]},"
                                   "\"context\":{\"journey\":\"j\",\"node\":\"s\"}}");
    engine_world_close(&w);
}

TEST(change, a_value_is_taken_from_the_event_or_from_a_trait_and_left_out_where_there_is_none)
{
    struct world w =
        world_of("{\"id\":\"s\",\"set\":{\"size\":{\"from\":\"event.size\"},\"tags\":{\"from\":"
                 "\"event.tags\"},\"gone\":{\"from\":\"event.none\"}}},"
                 "{\"id\":\"r\",\"record\":{\"event\":\"Won\",\"properties\":{\"was\":{\"from\":"
                 "\"trait.size\"},\"n\":1}}},{\"id\":\"n\",\"set\":{\"x\":{\"from\":"
                 "\"trait.nothing\"}}}");
    track(&w, "Start", "{\"size\":7,\"tags\":[\"a\",\"b\"]}");
    assert_int_equal(w.out.told_count, 2);
    assert_str(w.out.told[0].body, "{\"traits\":{\"size\":7,\"tags\":[\"a\",\"b\"]},"
                                   "\"context\":{\"journey\":\"j\",\"node\":\"s\"}}");
    assert_str(w.out.told[1].body, "{\"properties\":{\"was\":7,\"n\":1},"
                                   "\"context\":{\"journey\":\"j\",\"node\":\"r\"}}");
    assert_str(last(&w, DECISION_STEP)->text, "nothing is known to set it to");
    engine_world_close(&w);
}

TEST(change, what_is_set_twice_at_once_is_heard_all_the_same)
{
    struct world w = world_of("{\"id\":\"a\",\"set\":{\"plan\":\"pro\"}},"
                              "{\"id\":\"b\",\"set\":{\"plan\":\"pro\"}}");
    track(&w, "Start", "{}");
    assert_true(engine_world_is_in(&w, "pros", "ada"));
    engine_world_close(&w);
}

/* ---- events ---- */

TEST(change, what_is_recorded_turns_segments_and_begins_journeys_by_its_own_properties)
{
    struct world w = world_of("{\"id\":\"r\",\"record\":{\"event\":\"Won\",\"properties\":{\"how\":"
                              "\"luck\"}}},{\"id\":\"w\",\"wait\":\"1 day\"}");
    journey(&w, "luck", "{\"event\":\"Won\",\"where\":\"how = \\\"luck\\\"\"}",
            "{\"id\":\"m\",\"email\":\"letter\"}");
    journey(&w, "skill", "{\"event\":\"Won\",\"where\":\"how = \\\"skill\\\"\"}",
            "{\"id\":\"m\",\"email\":\"letter\"}");
    track(&w, "Start", "{}");
    assert_true(engine_world_is_in(&w, "winners", "ada"));
    assert_int_equal(enrolled(&w, "luck"), 1);
    assert_int_equal(enrolled(&w, "skill"), 0);
    assert_int_equal(last(&w, DECISION_INTENT)->event, w.out.told[0].seq); /* mails speak of it */
    engine_world_close(&w);
}

TEST(change, who_waits_for_an_event_goes_on_by_one_that_another_journey_records)
{
    struct world w = world_of("{\"id\":\"r\",\"record\":{\"event\":\"Won\"}}");
    journey(&w, "waits", "{\"event\":\"Wait\"}",
            "{\"id\":\"f\",\"wait_for\":{\"event\":\"Won\"},\"within\":\"3 days\",\"yes\":\"m\","
            "\"timeout\":\"x\"},{\"id\":\"m\",\"email\":\"letter\"},{\"id\":\"x\",\"exit\":true}");
    track(&w, "Wait", "{}");
    track(&w, "Start", "{}");
    assert_int_equal(count(&w, DECISION_INTENT), 1);
    engine_world_close(&w);
}

TEST(change, journeys_that_begin_each_other_by_events_stop_and_segments_are_true_all_the_same)
{
    struct world w = world_of("{\"id\":\"r\",\"record\":{\"event\":\"Back\"}}");
    journey(&w, "back", "{\"event\":\"Back\"}",
            "{\"id\":\"s\",\"set\":{\"plan\":\"pro\"}},{\"id\":\"r\",\"record\":{\"event\":"
            "\"Start\"}}");
    define(&w, DEFINE_SEGMENT, "many", "did \"Back\" at least 10 times");
    track(&w, "Start", "{}");
    assert_int_equal(count(&w, DECISION_PARKED), 1);
    assert_true(w.out.told_count > 20 && w.out.told_count < 64);
    assert_true(engine_world_is_in(&w, "many", "ada"));
    assert_true(engine_world_is_in(&w, "pros", "ada"));
    size_t told = w.out.told_count;
    engine_world_tick(&w, TIME_DAY_MS);
    assert_int_equal(w.out.told_count, told); /* and it is over */
    engine_world_close(&w);
}

/* More than 64 events are told at once; the last one finds no place, and is known all the same. */
TEST(change, what_found_no_place_among_the_consequences_begins_no_journey)
{
    struct buf nodes = buf_make(1 << 16);
    for (int i = 0; i < CONSEQUENCES_MAX + 4; i++)
        buf_format(&nodes, "{\"id\":\"n%d\",\"record\":{\"event\":\"More\"}},", i);
    buf_str(&nodes, STR("{\"id\":\"last\",\"record\":{\"event\":\"Last\"}}"));
    buf_char(&nodes, '\0');
    struct world w = world_of(nodes.ptr);
    define(&w, DEFINE_SEGMENT, "last", "did \"Last\"");
    journey(&w, "then", "{\"segment\":\"last\"}", "{\"id\":\"w\",\"wait\":\"1 day\"}");
    engine_world_tick(&w, 1); /* nobody is still to be asked by the definitions */
    track(&w, "Start", "{}");
    assert_int_equal(count(&w, DECISION_PARKED), 1);
    assert_int_equal(w.out.told_count, CONSEQUENCES_MAX + 5);
    assert_true(engine_world_is_in(&w, "last", "ada"));
    assert_int_equal(last(&w, DECISION_ENTERED)->object, 1); /* quietly */
    assert_int_equal(enrolled(&w, "then"), 0);
    engine_world_close(&w);
    buf_done(&nodes);
}

/* The second stands on the timeline when the first is heard. */
TEST(change, two_events_told_at_once_make_a_segment_true_for_as_long_as_one_would)
{
    struct world w = world_of("{\"id\":\"r\",\"record\":{\"event\":\"Won\"}}");
    journey(&w, "also", "{\"event\":\"Start\"}", "{\"id\":\"r\",\"record\":{\"event\":\"Won\"}}");
    define(&w, DEFINE_SEGMENT, "lately", "did \"Won\" in the last 2 days");
    journey(&w, "then", "{\"left_segment\":\"lately\"}", "{\"id\":\"x\",\"exit\":true}");
    engine_world_tick(&w, 0);
    track(&w, "Won", "{}");
    engine_world_tick(&w, 3 * TIME_DAY_MS);
    assert_int_equal(enrolled(&w, "then"), 1);
    track(&w, "Start", "{}");
    assert_true(engine_world_is_in(&w, "lately", "ada"));
    engine_world_tick(&w, 3 * TIME_DAY_MS);
    assert_false(engine_world_is_in(&w, "lately", "ada"));
    assert_int_equal(enrolled(&w, "then"), 2);
    engine_world_close(&w);
}

/* Two sets that undo each other, for ever if nobody counted. */
TEST(change, journeys_that_undo_each_others_traits_stop)
{
    struct world w = world_of("{\"id\":\"s\",\"set\":{\"plan\":\"pro\"}}");
    journey(&w, "down", "{\"segment\":\"pros\"}", "{\"id\":\"s\",\"set\":{\"plan\":\"free\"}}");
    journey(&w, "up", "{\"left_segment\":\"pros\"}", "{\"id\":\"s\",\"set\":{\"plan\":\"pro\"}}");
    track(&w, "Start", "{}");
    assert_int_equal(count(&w, DECISION_PARKED), 1);
    assert_int_equal(engine_world_is_in(&w, "pros", "ada"),
                     engine_world_holds(&w, "plan = \"pro\"", "ada", w.now_ms));
    engine_world_tick(&w, TIME_DAY_MS);
    assert_int_equal(count(&w, DECISION_PARKED), 1);
    engine_world_close(&w);
}

TEST(change, what_a_timer_tells_stands_before_the_record_that_brought_the_time)
{
    struct world w = world_of("{\"id\":\"w\",\"wait\":\"1 day\"},{\"id\":\"r\",\"record\":{"
                              "\"event\":\"Won\"}}");
    track(&w, "Start", "{}");
    assert_int_equal(w.out.seq, w.seq);
    w.now_ms += 2 * TIME_DAY_MS;
    track(&w, "Visit", "{}");
    assert_int_equal(w.out.told_count, 1);
    assert_int_equal(w.out.told[0].at_ms, T0 + TIME_DAY_MS);
    assert_true(w.out.told[0].seq > w.seq && w.out.seq > w.out.told[0].seq);
    assert_int_equal(w.out.seq, engine_seq(w.engine));
    assert_true(engine_world_holds(&w, "did \"Won\" then \"Visit\" within 1 day", "ada", w.now_ms));
    engine_world_close(&w);
}

/* ---- lists, consent, other journeys ---- */

/* Each begins the other where a time of day has come, or a date: what begins so waits for the next.
 */
TEST(change, journeys_that_begin_each_other_at_one_instant_come_to_an_end)
{
    static const char *const waits[] = { "12:00", "2026-01-01 12:00", "12 hours after entry",
                                         "0 days after entry at 12:00" };
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        struct world w = world_of("{\"id\":\"x\",\"exit\":true}");
        struct str   nodes = str_format(w.arena,
                                        "{\"id\":\"u\",\"wait_until\":\"%s\"},"
                                          "{\"id\":\"r\",\"record\":{\"event\":\"Round\"}}",
                                        waits[i]);
        journey(&w, "round", "{\"event\":\"Round\"}", nodes.ptr);
        track(&w, "Round", "{}");
        engine_world_tick(&w, 12 * TIME_HOUR_MS);
        for (int turn = 0; turn < 10 && engine_next_ms(w.engine) <= w.now_ms; turn++)
            engine_world_tick(&w, 0);
        assert_true(engine_next_ms(w.engine) > w.now_ms);
        assert_true(count(&w, DECISION_ENROLLED) <= 1 + CONSEQUENCES_MAX);
        engine_world_close(&w);
    }
}

TEST(change, a_list_is_joined_and_left_once_and_journeys_begin_by_it)
{
    struct world w = world_of("{\"id\":\"a\",\"join_list\":\"news\"},{\"id\":\"b\",\"join_list\":"
                              "\"news\"},{\"id\":\"q\",\"split\":\"in list \\\"news\\\"\",\"yes\":"
                              "\"c\",\"no\":\"x\"},{\"id\":\"c\",\"leave_list\":\"news\"},"
                              "{\"id\":\"x\",\"exit\":true}");
    journey(&w, "joined", "{\"list\":\"news\"}", "{\"id\":\"x\",\"exit\":true}");
    journey(&w, "left", "{\"left_list\":\"news\"}", "{\"id\":\"x\",\"exit\":true}");
    track(&w, "Start", "{}");
    assert_int_equal(count(&w, DECISION_JOINED), 1);
    assert_int_equal(count(&w, DECISION_DEPARTED), 1);
    assert_int_equal(enrolled(&w, "joined"), 1);
    assert_int_equal(enrolled(&w, "left"), 1);
    engine_world_close(&w);
}

TEST(change, a_refusal_by_a_node_ends_what_mails_about_it)
{
    struct world w = world_of("{\"id\":\"m\",\"email\":\"letter\"},{\"id\":\"c\",\"consent\":{"
                              "\"topic\":\"news\",\"state\":\"unsubscribed\"}},{\"id\":\"w\","
                              "\"wait\":\"1 day\"}");
    track(&w, "Start", "{}");
    assert_str(last(&w, DECISION_ENDED)->text, "unsubscribed");
    assert_str(last(&w, DECISION_DROPPED)->text, "unsubscribed");
    assert_int_equal(last(&w, DECISION_CONSENT)->object, CONSENT_REFUSED);
    assert_str(last(&w, DECISION_CONSENT)->proof,
               "{\"by\":\"journey\",\"journey\":\"j\",\"node\":\"c\"}");
    engine_world_close(&w);
}

TEST(change, a_yes_never_goes_over_a_no)
{
    struct world w =
        world_of("{\"id\":\"c\",\"consent\":{\"topic\":\"news\",\"state\":\"subscribed\"}}");
    track(&w, "Visit", "{}");
    consent(&w, "unsubscribed");
    engine_world_tick(&w, TIME_HOUR_MS);
    track(&w, "Start", "{}"); /* what they do is no word about mail */
    assert_int_equal(last(&w, DECISION_CONSENT)->object, CONSENT_REFUSED);
    assert_str(last(&w, DECISION_STEP)->text, "they refused it");
    consent(&w, "unknown"); /* the no is taken back */
    engine_world_tick(&w, TIME_HOUR_MS);
    track(&w, "Start", "{}");
    assert_int_equal(last(&w, DECISION_CONSENT)->object, CONSENT_GRANTED);
    engine_world_close(&w);
}

TEST(change, what_is_too_long_to_be_told_is_left_out_and_the_journey_goes_on)
{
    struct world w =
        world_of("{\"id\":\"r\",\"record\":{\"event\":\"Won\",\"properties\":{\"a\":{\"from\":"
                 "\"event.t\"},\"b\":{\"from\":\"event.t\"},\"c\":{\"from\":\"event.t\"}}}},"
                 "{\"id\":\"m\",\"email\":\"letter\"}");
    char *long_text = calloc(1, 23000);
    memset(long_text, 'x', 22000);
    track(&w, "Start", str_format(w.arena, "{\"t\":\"%s\"}", long_text).ptr);
    free(long_text);
    assert_int_equal(count(&w, DECISION_INTENT), 1);
    assert_int_equal(w.out.told_count, 0);
    track(&w, "Start", "{\"t\":\"x\"}");
    assert_int_equal(w.out.told_count, 1);
    engine_world_close(&w);
}

TEST(change, a_yes_to_a_topic_that_asks_is_only_asked_to_be_confirmed)
{
    struct world w = world_of("{\"id\":\"c\",\"consent\":{\"topic\":\"news\",\"channel\":\"email\","
                              "\"state\":\"granted\"}}");
    define(&w, DEFINE_TOPICS, "topics",
           "{\"topics\":[{\"id\":\"news\",\"confirm\":[\"api\"],\"texts\":{\"en\":{\"name\":\"N\"}}"
           "}]}");
    track(&w, "Start", "{}");
    assert_int_equal(last(&w, DECISION_CONSENT)->object, CONSENT_PENDING);
    engine_world_close(&w);
}

TEST(change, another_journey_is_started_with_the_same_event_by_its_own_rules)
{
    struct world w = world_of("{\"id\":\"s\",\"start_journey\":\"other\"},{\"id\":\"w\",\"wait\":"
                              "\"1 day\"}");
    track(&w, "Start", "{}");
    assert_int_equal(enrolled(&w, "other"), 1);
    assert_int_equal(last(&w, DECISION_ENROLLED)->event, w.seq);
    engine_world_tick(&w, 2 * TIME_DAY_MS);
    track(&w, "Start", "{}");
    assert_int_equal(enrolled(&w, "other"), 1);
    assert_str(last(&w, DECISION_NOT_ENROLLED)->text, "already inside");
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "other", ""));
    engine_world_tick(&w, 2 * TIME_DAY_MS);
    track(&w, "Start", "{}");
    assert_int_equal(enrolled(&w, "other"), 1);
    engine_world_close(&w);
}

/* ---- reading ---- */

TEST(change, what_means_nothing_is_refused_with_its_place)
{
    static const struct {
        const char *node, *where;
    } cases[] = {
        { "\"set\":{}", "nodes[0].set" },
        { "\"set\":\"pro\"", "nodes[0].set" },
        { "\"set\":{\"plan\":null}", "nodes[0].set.plan" },
        { "\"set\":{\"plan\":{\"a\":1}}", "nodes[0].set.plan" },
        { "\"set\":{\"plan\":[[1]]}", "nodes[0].set.plan" },
        { "\"set\":{\"plan\":{\"from\":\"profile.x\"}}", "nodes[0].set.plan" },
        { "\"set\":{\"plan\":{\"from\":\"event.\"}}", "nodes[0].set.plan" },
        { "\"set\":{\"spent\":3}", "nodes[0]" },
        { "\"set\":{\"plan\":1},\"wait\":\"1 day\"", "nodes[0]" },
        { "\"record\":\"Won\"", "nodes[0].record" },
        { "\"record\":{\"name\":\"Won\"}", "nodes[0].record" },
        { "\"record\":{\"event\":\"Message Opened\"}", "nodes[0].record" },
        { "\"record\":{\"event\":\"Won\",\"properties\":[]}", "nodes[0].record.properties" },
        { "\"join_list\":\"\"", "nodes[0].join_list" },
        { "\"leave_list\":7", "nodes[0].leave_list" },
        { "\"consent\":{\"state\":\"subscribed\"}", "nodes[0].consent" },
        { "\"consent\":{\"topic\":\"news\",\"state\":\"pending\"}", "nodes[0].consent" },
        { "\"consent\":{\"topic\":\"news\"}", "nodes[0].consent" },
        { "\"consent\":{\"topic\":\"news\",\"state\":\"granted\",\"by\":1}", "nodes[0].consent" },
        { "\"consent\":{\"topic\":\"n\",\"channel\":\"fax\",\"state\":\"granted\"}",
          "nodes[0].consent" },
        { "\"start_journey\":\"none\"", "nodes[0]" },
        { "\"start_journey\":\"j\"", "nodes[0]" },
    };
    struct world w = world_of("{\"id\":\"x\",\"exit\":true}");
    define(&w, DEFINE_TRAIT, "spent", "sum of amount of \"Order Completed\"");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str text = str_format(w.arena,
                                     "{\"journey\":\"j\",\"trigger\":{\"event\":\"Start\"},"
                                     "\"nodes\":[{\"id\":\"n\",%s}]}",
                                     cases[i].node);
        if (engine_world_define(&w, DEFINE_JOURNEY, "j", text.ptr) == OK)
            fail_msg("%s is taken", cases[i].node);
        if (strcmp(w.problem.where, cases[i].where) != 0 || w.problem.remedy[0] == '\0')
            fail_msg("%s: %s: %s %s", cases[i].node, w.problem.where, w.problem.what,
                     w.problem.remedy);
    }
    engine_world_close(&w);
}

/* The circle has no time in it, whatever its nodes change. */
TEST(change, a_circle_of_changes_without_a_wait_is_refused)
{
    struct world w = world_of("{\"id\":\"x\",\"exit\":true}");
    assert_int_equal(
        engine_world_define(&w, DEFINE_JOURNEY, "j",
                            "{\"journey\":\"j\",\"trigger\":{\"event\":\"Start\"},\"nodes\":[{"
                            "\"id\":\"a\",\"set\":{\"x\":1}},{\"id\":\"b\",\"record\":{\"event\":"
                            "\"E\"},\"next\":\"a\"}]}"),
        ERR_INPUT);
    engine_world_close(&w);
}
