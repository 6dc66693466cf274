/* Holdouts, goals and experiments of journeys by example. */
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"

#define GOAL                                                                                       \
    "\"goal\":{\"condition\":\"did \\\"Order Completed\\\" since entry\",\"within\":\"14 days\","  \
    "\"value\":\"revenue\"},"
#define WAITS "\"nodes\":[{\"id\":\"m\",\"email\":\"letter\"},{\"id\":\"w\",\"wait\":\"5 days\"}]"
#define PAIR "\"nodes\":[{\"id\":\"x\",\"variants\":[{\"name\":\"a\"},{\"name\":\"b\"}]}]"

static enum err define(struct world *w, const char *more)
{
    char text[2000];
    snprintf(text, sizeof text, "{\"journey\":\"j\",\"trigger\":{\"event\":\"Start\"},%s}", more);
    return engine_world_define(w, DEFINE_JOURNEY, "j", str_copy(w->arena, str_of(text)).ptr);
}

static struct world world_of(const char *more)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "letter", "subject: s\n--- html\nx"));
    if (define(&w, more) != OK)
        fail_msg("%s: %s %s", w.problem.where, w.problem.what, w.problem.remedy);
    return w;
}

static void track(struct world *w, const char *user, const char *event, const char *properties)
{
    struct json *value = ARENA_NEW(w->arena, struct json);
    assert_ok(json_parse_once(w->arena, str_of(properties), value, NULL));
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_TRACK,
                                                    .user_id = str_of(user),
                                                    .name = str_of(event),
                                                    .properties = value }));
}

static uint32_t decided(const struct world *w, enum decision_kind kind)
{
    uint32_t count = 0;
    for (size_t i = 0; i < w->out.decisions_count; i++)
        count += w->out.decisions[i].kind == kind;
    return count;
}

static const struct decision *last(const struct world *w, enum decision_kind kind)
{
    const struct decision *found = NULL;
    for (size_t i = 0; i < w->out.decisions_count; i++)
        if (w->out.decisions[i].kind == kind)
            found = &w->out.decisions[i];
    assert_non_null(found);
    return found;
}

static const struct state *state_of(struct world *w, const char *user)
{
    return people_state_get(engine_people(w->engine), engine_find(w->engine, str_of(user)));
}

/* Days pass, an hour at a time. */
static void days(struct world *w, int count)
{
    for (int i = 0; i < 24 * count; i++)
        engine_world_tick(w, TIME_HOUR_MS);
}

static void users_start(struct world *w, int count)
{
    for (int i = 0; i < count; i++)
        track(w, str_format(w->arena, "u%d", i).ptr, "Start", "{}");
}

TEST(goal, reached_it_is_told_with_the_event_and_its_worth_and_the_journey_is_left)
{
    struct world w = world_of(GOAL WAITS);
    track(&w, "ada", "Start", "{}");
    days(&w, 1);
    track(&w, "ada", "Order Completed", "{\"revenue\":\"49.90\"}");
    const struct decision *goal = last(&w, DECISION_GOAL);
    assert_true(str_eq(goal->text, STR("49.9")));
    assert_int_equal(goal->event, w.seq);
    assert_true(str_find(goal->detail, 0, STR("\"value\":\"49.9\"")) < goal->detail.len);
    assert_true(str_eq(last(&w, DECISION_ENDED)->text, STR("reached its goal")));
    assert_int_equal(state_of(&w, "ada")->rare->enrollments.count, 0);
    assert_int_equal(decided(&w, DECISION_DROPPED), 1); /* the letter had not left */
    assert_true(engine_world_holds(&w, "reached the goal of journey \"j\"", "ada", w.now_ms));
    assert_false(engine_world_holds(&w, "in journey \"j\"", "ada", w.now_ms));
    engine_world_close(&w);
}

TEST(goal, who_stays_goes_on_and_reaches_it_once)
{
    struct world w = world_of(GOAL "\"exit_on_goal\":false," WAITS);
    track(&w, "ada", "Start", "{}");
    track(&w, "ada", "Order Completed", "{}");
    track(&w, "ada", "Order Completed", "{}");
    assert_int_equal(decided(&w, DECISION_GOAL), 1);
    assert_int_equal(decided(&w, DECISION_ENDED), 0);
    assert_true(engine_world_holds(&w, "in journey \"j\"", "ada", w.now_ms));
    days(&w, 6);
    assert_true(str_eq(last(&w, DECISION_ENDED)->text, STR("finished")));
    assert_int_equal(state_of(&w, "ada")->rare->enrollments.count, 0);
    engine_world_close(&w);
}

TEST(goal, it_counts_after_the_end_too_until_its_time_is_over)
{
    struct world w = world_of(GOAL WAITS);
    track(&w, "ada", "Start", "{}");
    track(&w, "bob", "Start", "{}");
    days(&w, 6);
    assert_int_equal(decided(&w, DECISION_ENDED), 2);
    assert_false(engine_world_holds(&w, "in journey \"j\"", "ada", w.now_ms));
    track(&w, "ada", "Order Completed", "{}");
    assert_int_equal(decided(&w, DECISION_GOAL), 1);
    assert_int_equal(decided(&w, DECISION_ENDED), 2);
    days(&w, 8);
    assert_int_equal(decided(&w, DECISION_UNREACHED), 1);
    assert_int_equal(last(&w, DECISION_UNREACHED)->at_ms - T0, 14 * TIME_DAY_MS);
    track(&w, "bob", "Order Completed", "{}");
    assert_int_equal(decided(&w, DECISION_GOAL), 1);
    assert_int_equal(state_of(&w, "bob")->rare->enrollments.count, 0);
    engine_world_close(&w);
}

TEST(goal, who_is_held_out_gets_nothing_and_is_watched_as_long)
{
    struct world w = world_of("\"holdout\":{\"share\":50}," GOAL WAITS);
    users_start(&w, 200);
    uint32_t held = decided(&w, DECISION_HELD_OUT);
    assert_in_range(held, 70, 130);
    assert_int_equal(decided(&w, DECISION_ENROLLED), 200 - held);
    assert_int_equal(decided(&w, DECISION_INTENT), 200 - held);
    for (int i = 0; i < 200; i++)
        track(&w, str_format(w.arena, "u%d", i).ptr, "Order Completed", "{}");
    assert_int_equal(decided(&w, DECISION_GOAL), 200);
    uint32_t of_held = 0;
    for (size_t i = 0; i < w.out.decisions_count; i++)
        of_held += w.out.decisions[i].kind == DECISION_GOAL && w.out.decisions[i].is_held;
    assert_int_equal(of_held, held);
    assert_int_equal(decided(&w, DECISION_ENDED), 200 - held); /* nobody leaves who was not in */
    track(&w, "u0", "Start", "{}");
    assert_int_equal(decided(&w, DECISION_NOT_ENROLLED), 1);
    engine_world_close(&w);
}

TEST(goal, who_is_held_out_has_not_entered_and_begins_no_journey_by_leaving)
{
    struct world w = world_of("\"holdout\":{\"share\":50}," GOAL WAITS);
    assert_ok(engine_world_define(
        &w, DEFINE_JOURNEY, "after",
        "{\"journey\":\"after\",\"trigger\":{\"left_journey\":\"j\"},\"nodes\":[{\"id\":\"e\","
        "\"exit\":true}]}"));
    users_start(&w, 20);
    const struct decision *held = last(&w, DECISION_HELD_OUT);
    const char            *who = NULL;
    for (int i = 0; i < 20; i++) {
        const char *user = str_format(w.arena, "u%d", i).ptr;
        if (engine_find(w.engine, str_of(user)) == held->profile)
            who = user;
    }
    uint32_t enrolled = decided(&w, DECISION_ENROLLED);
    assert_false(engine_world_holds(&w, "in journey \"j\"", who, w.now_ms));
    assert_false(engine_world_holds(&w, "entered journey \"j\"", who, w.now_ms));
    track(&w, who, "Order Completed", "{}");
    assert_true(engine_world_holds(&w, "reached the goal of journey \"j\"", who, w.now_ms));
    assert_int_equal(decided(&w, DECISION_ENROLLED), enrolled);
    engine_world_close(&w);
}

TEST(goal, a_shared_name_holds_out_the_same_people_everywhere)
{
    struct world w = world_of("\"holdout\":{\"share\":30,\"name\":\"all\"}," WAITS);
    assert_ok(engine_world_define(
        &w, DEFINE_JOURNEY, "k",
        "{\"journey\":\"k\",\"trigger\":{\"event\":\"Start\"},\"holdout\":{\"share\":20,\"name\":"
        "\"all\"},\"nodes\":[{\"id\":\"e\",\"exit\":true}]}"));
    users_start(&w, 300);
    uint32_t counts[2] = { 0, 0 };
    uint32_t first = UINT32_MAX; /* profile held out of j last */
    for (size_t i = 0; i < w.out.decisions_count; i++) {
        const struct decision *d = &w.out.decisions[i];
        if (d->kind != DECISION_HELD_OUT)
            continue;
        counts[d->subject]++;
        if (d->subject == 0)
            first = d->profile;
        else
            assert_int_equal(d->profile, first); /* the fewer are among the more */
    }
    assert_true(counts[0] > counts[1] && counts[1] > 30);
    engine_world_close(&w);
}

static void identify_both(struct world *w, const char *user, const char *device)
{
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_IDENTIFY,
                                                    .user_id = str_of(user),
                                                    .anonymous_id = str_of(device) }));
}

/* The variant that the last pass took; circles are by reentry. */
static struct str took(const struct world *w)
{
    struct str is = STR_NONE;
    for (size_t i = 0; i < w->out.decisions_count; i++)
        if (w->out.decisions[i].kind == DECISION_STEP && w->out.decisions[i].text.len > 0)
            is = w->out.decisions[i].text;
    return is;
}

TEST(goal, a_variant_stays_when_the_visitor_signs_up)
{
    struct world w = world_of("\"reentry\":\"always\"," PAIR);
    uint32_t     as = 0;
    for (int i = 0; i < 40; i++) {
        const char *device = str_format(w.arena, "d%d", i).ptr;
        const char *user = str_format(w.arena, "u%d", i).ptr;
        assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_TRACK,
                                                         .anonymous_id = str_of(device),
                                                         .name = STR("Start") }));
        struct str before = took(&w);
        as += str_eq(before, STR("a"));
        track(&w, user, "Visit", "{}"); /* a profile of their own, which becomes the root */
        identify_both(&w, user, device);
        track(&w, user, "Start", "{}");
        assert_true(str_eq(took(&w), before));
    }
    assert_in_range(as, 10, 30);
    engine_world_close(&w);
}

TEST(goal, an_experiments_name_deals_alike_in_every_journey)
{
    struct world w = world_of(
        "\"nodes\":[{\"id\":\"x\",\"experiment\":\"tone\",\"variants\":[{\"name\":\"a\"},"
        "{\"name\":\"b\"}]},{\"id\":\"y\",\"experiment\":\"tone\",\"variants\":[{\"name\":\"a\"},"
        "{\"name\":\"b\"}]},{\"id\":\"z\",\"variants\":[{\"name\":\"a\"},{\"name\":\"b\"}]}]");
    users_start(&w, 100);
    struct str took_of[3];
    uint32_t   others = 0;
    for (size_t i = 0; i < w.out.decisions_count; i++) {
        const struct decision *d = &w.out.decisions[i];
        if (d->kind != DECISION_STEP)
            continue;
        took_of[d->object] = d->text;
        if (d->object == 1)
            assert_true(str_eq(took_of[0], took_of[1]));
        if (d->object == 2)
            others += !str_eq(took_of[0], took_of[2]);
    }
    assert_in_range(others, 25, 75);
    engine_world_close(&w);
}

TEST(goal, of_two_who_become_one_the_one_let_in_counts_and_not_the_one_held_out)
{
    struct world w = world_of("\"holdout\":{\"share\":50}," GOAL WAITS);
    const char  *held = NULL, *let_in = NULL;
    for (int i = 0; held == NULL || let_in == NULL; i++) {
        const char *user = str_format(w.arena, "u%d", i).ptr;
        uint32_t    before = decided(&w, DECISION_HELD_OUT);
        track(&w, user, "Start", "{}");
        if (decided(&w, DECISION_HELD_OUT) > before)
            held = user;
        else
            let_in = user;
    }
    assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_ALIAS,
                                                     .user_id = str_of(held),
                                                     .previous_id = str_of(let_in) }));
    const struct state *both = state_of(&w, held);
    assert_int_equal(both->rare->enrollments.count, 1);
    assert_false(both->rare->enrollments.items[0].is_held);
    assert_true(str_eq(last(&w, DECISION_UNREACHED)->text, STR("merged")));
    track(&w, held, "Order Completed", "{}");
    assert_int_equal(decided(&w, DECISION_GOAL), 1);
    assert_false(last(&w, DECISION_GOAL)->is_held);
    engine_world_close(&w);
}

TEST(goal, a_trait_is_not_what_it_is_worth)
{
    struct world          w = world_of("\"goal\":{\"condition\":\"plan = \\\"paid\\\"\",\"within\":"
                                                "\"14 days\",\"value\":\"revenue\"}," WAITS);
    const struct program *program = engine_program(w.engine);
    uint16_t              value = dict_find(program->names[NAME_PROPERTY], STR("revenue"));
    SCOPED(buf_donep) struct buf traits = buf_make(4000);
    struct json                  object;
    assert_int_not_equal(value, DICT_NONE);
    track(&w, "ada", "Start", "{}");
    buf_format(&traits, "{\"plan\":\"paid\"");
    for (uint32_t i = 0; i <= value; i++) /* one of them has the property's number */
        buf_format(&traits, ",\"t%u\":42", i);
    buf_char(&traits, '}');
    assert_ok(json_parse_once(w.arena, str_copy(w.arena, buf_view(&traits)), &object, NULL));
    assert_ok(engine_world_tell(
        &w,
        (struct record){ .kind = RECORD_IDENTIFY, .user_id = STR("ada"), .properties = &object }));
    assert_true(dict_count(program->names[NAME_TRAIT]) > value);
    assert_int_equal(last(&w, DECISION_GOAL)->text.len, 0);
    engine_world_close(&w);
}

TEST(goal, who_comes_in_again_and_again_is_watched_for_eight_times)
{
    struct world w =
        world_of("\"reentry\":\"always\"," GOAL "\"nodes\":[{\"id\":\"e\",\"exit\":true}]");
    for (int i = 0; i < 20; i++)
        track(&w, "ada", "Start", "{}");
    assert_int_equal(state_of(&w, "ada")->rare->enrollments.count, 8);
    assert_int_equal(decided(&w, DECISION_UNREACHED), 12);
    track(&w, "ada", "Order Completed", "{}");
    assert_int_equal(decided(&w, DECISION_GOAL), 8);
    uint64_t first = 0;
    bool     has_first = false; /* it is by the first time that people are compared */
    for (size_t i = 0; i < w.out.decisions_count; i++) {
        if (w.out.decisions[i].kind == DECISION_ENROLLED && first == 0)
            first = w.out.decisions[i].id;
        has_first = has_first || (w.out.decisions[i].kind == DECISION_GOAL &&
                                  w.out.decisions[i].subject == first);
    }
    assert_true(has_first);
    engine_world_close(&w);
}

TEST(goal, who_is_held_out_is_so_once_as_long_as_they_are_watched)
{
    struct world w = world_of("\"reentry\":\"always\",\"holdout\":{\"share\":50}," GOAL WAITS);
    const char  *held = NULL;
    for (int i = 0; held == NULL; i++) {
        const char *user = str_format(w.arena, "u%d", i).ptr;
        track(&w, user, "Start", "{}");
        held = decided(&w, DECISION_HELD_OUT) > 0 ? user : NULL;
    }
    uint64_t first = last(&w, DECISION_HELD_OUT)->id;
    for (int i = 0; i < 19; i++)
        track(&w, held, "Start", "{}");
    assert_int_equal(decided(&w, DECISION_HELD_OUT), 1);
    assert_int_equal(decided(&w, DECISION_NOT_ENROLLED), 19);
    assert_true(str_eq(last(&w, DECISION_NOT_ENROLLED)->text, STR("held out already")));
    track(&w, held, "Order Completed", "{}");
    assert_int_equal(decided(&w, DECISION_GOAL), 1);
    assert_int_equal(last(&w, DECISION_GOAL)->subject, first);
    track(&w, held, "Start", "{}"); /* their time is over: once more */
    assert_int_equal(decided(&w, DECISION_HELD_OUT), 2);
    engine_world_close(&w);
}

TEST(goal, who_is_held_out_no_longer_comes_in)
{
    struct world w = world_of("\"reentry\":\"always\",\"holdout\":{\"share\":50}," GOAL WAITS);
    users_start(&w, 20);
    uint32_t held = decided(&w, DECISION_HELD_OUT), in = decided(&w, DECISION_ENROLLED);
    assert_ok(define(&w, "\"reentry\":\"always\"," GOAL WAITS));
    users_start(&w, 20);
    assert_int_equal(decided(&w, DECISION_HELD_OUT), held);
    assert_int_equal(decided(&w, DECISION_ENROLLED), in + held);
    engine_world_close(&w);
}

TEST(goal, a_refusal_ends_the_journey_and_not_the_watching)
{
    struct world w = world_of(GOAL WAITS);
    struct json  how;
    track(&w, "ada", "Start", "{}");
    assert_ok(json_parse_once(w.arena, STR("{\"state\":\"unsubscribed\"}"), &how, NULL));
    for (int i = 0; i < 2; i++)
        assert_ok(engine_world_tell(
            &w, (struct record){ .kind = RECORD_CONSENT, .profile = 0, .properties = &how }));
    assert_int_equal(decided(&w, DECISION_ENDED), 1);
    track(&w, "ada", "Order Completed", "{}");
    assert_int_equal(decided(&w, DECISION_GOAL), 1);
    engine_world_close(&w);
}

TEST(goal, what_makes_no_sense_is_refused_by_place)
{
    static const struct {
        const char *more, *where;
    } wrong[] = {
        { "\"goal\":7," WAITS, "goal" },
        { "\"goal\":{\"within\":\"1 day\"}," WAITS, "goal" },
        { "\"goal\":{\"condition\":\"did\",\"within\":\"1 day\"}," WAITS, "goal.condition:1:4" },
        { "\"goal\":{\"condition\":\"everyone\"}," WAITS, "goal.within" },
        { "\"goal\":{\"condition\":\"everyone\",\"within\":\"soon\"}," WAITS, "goal.within" },
        { "\"goal\":{\"condition\":\"everyone\",\"within\":\"1 day\",\"target\":101}," WAITS,
          "goal.target" },
        { "\"goal\":{\"condition\":\"everyone\",\"within\":\"1 day\",\"value\":1}," WAITS,
          "goal.value" },
        { "\"goal\":{\"condition\":\"everyone\",\"within\":\"1 day\",\"aim\":1}," WAITS, "goal" },
        { "\"exit_on_goal\":true," WAITS, "exit_on_goal" },
        { "\"holdout\":{\"share\":51}," WAITS, "holdout.share" },
        { "\"nodes\":[{\"id\":\"x\",\"variants\":[{\"name\":\"a\"}]}]", "nodes[0].variants" },
        { "\"nodes\":[{\"id\":\"x\",\"variants\":[{\"name\":\"a\"},{\"name\":\"a\"}]}]",
          "nodes[0].variants[1]" },
        { "\"nodes\":[{\"id\":\"x\",\"variants\":[{\"name\":\"a\"},{}]}]", "nodes[0].variants[1]" },
        { "\"nodes\":[{\"id\":\"x\",\"variants\":[{\"name\":\"a\",\"next\":\"q\"},{\"name\":"
          "\"b\"}]}]",
          "nodes[0].variants[0].next" },
        { "\"nodes\":[{\"id\":\"x\",\"variants\":[{\"name\":\"a\",\"share\":50},{\"name\":"
          "\"b\"}]}]",
          "nodes[0].variants" },
        { "\"nodes\":[{\"id\":\"x\",\"variants\":[{\"name\":\"a\",\"share\":50},{\"name\":"
          "\"b\",\"share\":40}]}]",
          "nodes[0].variants" },
        { "\"nodes\":[{\"id\":\"x\",\"variants\":[{\"name\":\"a\",\"of\":50},{\"name\":"
          "\"b\",\"share\":40}]}]",
          "nodes[0].variants[0]" },
        { "\"nodes\":[{\"id\":\"x\",\"experiment\":7,\"variants\":[{\"name\":\"a\"},{\"name\":"
          "\"b\"}]}]",
          "nodes[0]" },
        { "\"nodes\":[{\"id\":\"x\",\"experiment\":\"y\"}]", "nodes[0]" },
    };
    struct world w = world_of(WAITS);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_not_equal(define(&w, wrong[i].more), OK);
        if (strcmp(w.problem.where, wrong[i].where) != 0)
            fail_msg("%s: %s, not %s", wrong[i].more, w.problem.where, wrong[i].where);
        assert_true(w.problem.remedy[0] != '\0');
    }
    engine_world_close(&w);
}

/* Rows of checkpoints written before these flags were have a count of visits in their place. */
TEST(goal, an_enrollment_of_yesterday_has_no_flags)
{
    struct old {
        uint64_t id;
        uint32_t journey, version;
        uint16_t node;
        uint32_t visit;
        int64_t  due_ms, entered_ms, look_ms;
        uint32_t trigger_seq;
    } old = { 7, 1, 2, 3, 500000, 9, 10, 11, 12 };
    struct enrollment is;
    assert_int_equal(sizeof old, sizeof is);
    memcpy(&is, &old, sizeof is);
    assert_int_equal(is.visit, 500000);
    assert_int_equal(is.node, 3);
    assert_int_equal(is.due_ms, 9);
    assert_false(is.has_goal || is.is_held || is.is_over);
}
