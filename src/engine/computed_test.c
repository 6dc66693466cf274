/* Computed traits in an engine: in force by their name, from the moment they are defined. */
#include <stdlib.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/engine.h"

#define T0 INT64_C(1767225600000) /* 2026-01-01 */

struct world {
    struct engine *engine;
    struct arena  *arena;
    struct out     out;
    uint64_t       seq;
    int64_t        now_ms;
    struct problem problem;
};

static struct world world_open(void)
{
    struct world w = { .arena = arena_open(64 << 20), .now_ms = T0 };
    w.out.arena = w.arena;
    assert_ok(engine_open(
        &w.engine,
        (struct engine_conf){ .seed = 1, .next_decision = 1, .lateness_ms = LATENESS_MS_DEFAULT }));
    return w;
}

static void world_close(struct world *w)
{
    engine_close(w->engine);
    arena_close(w->arena);
}

static enum err tell(struct world *w, struct record record)
{
    record.seq = ++w->seq;
    record.received_ms = w->now_ms;
    if (record.at_ms == 0)
        record.at_ms = w->now_ms;
    return engine_apply(w->engine, &record, &w->out, &w->problem);
}

static enum err define(struct world *w, enum definition_kind kind, const char *name,
                       const char *text)
{
    return tell(w, (struct record){ .kind = RECORD_DEFINE,
                                    .definition_kind = kind,
                                    .name = str_of(name),
                                    .body = str_of(text) });
}

static void order_at(struct world *w, const char *user, const char *properties, int64_t at_ms)
{
    struct json value;
    assert_ok(json_parse_once(w->arena, str_of(properties), &value, NULL));
    assert_ok(tell(w, (struct record){ .kind = RECORD_TRACK,
                                       .at_ms = at_ms,
                                       .user_id = str_of(user),
                                       .name = STR("Order Completed"),
                                       .properties = &value }));
}

static void order(struct world *w, const char *user, int amount)
{
    struct str text = str_format(w->arena, "{\"amount\":%d}", amount);
    order_at(w, user, text.ptr, w->now_ms);
}

static void tick(struct world *w, int64_t ms)
{
    w->now_ms += ms;
    assert_ok(tell(w, (struct record){ .kind = RECORD_CLOCK }));
}

static bool is_in(struct world *w, const char *segment, const char *user)
{
    uint32_t            number = program_segment(engine_program(w->engine), str_of(segment));
    uint32_t            person = engine_find(w->engine, str_of(user));
    const struct state *state = people_state_get(engine_people(w->engine), person);
    for (uint32_t i = 0; i < state->memberships.count; i++)
        if (state->memberships.items[i].segment == number)
            return state->memberships.items[i].in;
    return false;
}

/* Asked beside the engine, with all that the condition names in place. */
static bool holds(struct world *w, const char *condition, const char *who, int64_t at_ms)
{
    const struct segment_node *tree;
    struct segment_program     program;
    struct segment_names       names = program_names_in_place(engine_program(w->engine));
    assert_ok(segment_parse(w->arena, str_of(condition), &tree, NULL));
    assert_ok(segment_compile(w->arena, tree, &names, &program, NULL));
    return engine_ask(w->engine, &program, engine_find(w->engine, str_of(who)), at_ms).holds;
}

static struct world shop(void)
{
    struct world w = world_open();
    assert_ok(define(&w, DEFINE_TRAIT, "spent",
                     "sum of amount of \"Order Completed\" in the last 30 days"));
    assert_ok(define(&w, DEFINE_SEGMENT, "rich", "spent > 100"));
    return w;
}

TEST(computed, a_segment_turns_at_the_very_order_and_at_the_very_instant_it_has_aged)
{
    struct world w = shop();
    order(&w, "ada", 60);
    assert_false(is_in(&w, "rich", "ada"));
    w.now_ms += TIME_DAY_MS;
    order(&w, "ada", 60);
    assert_true(is_in(&w, "rich", "ada"));
    tick(&w, 29 * TIME_DAY_MS - 1);
    assert_true(is_in(&w, "rich", "ada"));
    tick(&w, 1);
    assert_false(is_in(&w, "rich", "ada"));
    world_close(&w);
}

TEST(computed, a_late_order_counts_from_when_it_happened)
{
    struct world w = shop();
    w.now_ms += 10 * TIME_DAY_MS;
    order(&w, "ada", 60);
    order_at(&w, "ada", "{\"amount\":60}", T0 + TIME_DAY_MS);
    assert_true(is_in(&w, "rich", "ada"));
    tick(&w, 21 * TIME_DAY_MS - 1);
    assert_true(is_in(&w, "rich", "ada"));
    tick(&w, 1);
    assert_false(is_in(&w, "rich", "ada"));
    world_close(&w);
}

TEST(computed, two_who_are_one_have_spent_the_sum_of_both)
{
    struct world w = shop();
    order(&w, "ada", 60);
    order(&w, "bob", 60);
    assert_ok(tell(
        &w,
        (struct record){ .kind = RECORD_ALIAS, .user_id = STR("ada"), .previous_id = STR("bob") }));
    assert_true(is_in(&w, "rich", "ada"));
    world_close(&w);
}

TEST(computed, what_was_told_under_its_name_does_not_count)
{
    struct world w = shop();
    struct json  traits;
    assert_ok(json_parse_once(w.arena, STR("{\"spent\":5000}"), &traits, NULL));
    assert_ok(tell(
        &w,
        (struct record){ .kind = RECORD_IDENTIFY, .user_id = STR("ada"), .properties = &traits }));
    assert_false(is_in(&w, "rich", "ada"));
    assert_true(holds(&w, "spent = 0", "ada", w.now_ms));
    world_close(&w);
}

TEST(computed, a_trait_that_was_told_is_reckoned_once_it_is_defined)
{
    struct world w = world_open();
    struct json  traits;
    assert_ok(json_parse_once(w.arena, STR("{\"spent\":5000}"), &traits, NULL));
    assert_ok(tell(
        &w,
        (struct record){ .kind = RECORD_IDENTIFY, .user_id = STR("ada"), .properties = &traits }));
    assert_ok(define(&w, DEFINE_SEGMENT, "rich", "spent > 100"));
    tick(&w, 1);
    assert_true(is_in(&w, "rich", "ada"));
    assert_ok(define(&w, DEFINE_TRAIT, "spent", "sum of amount of \"Order Completed\""));
    tick(&w, 1);
    assert_false(is_in(&w, "rich", "ada"));
    world_close(&w);
}

TEST(computed, a_new_definition_moves_the_members_of_what_names_it_also_far_off)
{
    struct world w = shop();
    assert_ok(define(&w, DEFINE_SEGMENT, "guests", "in segment \"rich\""));
    order(&w, "ada", 60);
    order(&w, "ada", 60);
    order(&w, "bob", 60);
    assert_true(is_in(&w, "guests", "ada"));
    assert_ok(define(&w, DEFINE_TRAIT, "spent", "least of amount of \"Order Completed\""));
    tick(&w, 1);
    assert_false(is_in(&w, "rich", "ada"));
    assert_false(is_in(&w, "guests", "ada"));
    order(&w, "bob", 200);
    assert_false(is_in(&w, "rich", "bob"));
    assert_ok(define(&w, DEFINE_TRAIT, "spent", "greatest of amount of \"Order Completed\""));
    tick(&w, 1);
    assert_false(is_in(&w, "rich", "ada"));
    assert_true(is_in(&w, "rich", "bob"));
    assert_true(is_in(&w, "guests", "bob"));
    world_close(&w);
}

static const char journey[] = "{\"journey\":\"thanks\",\"trigger\":{\"event\":\"Signed Up\"},"
                              "\"exit_when\":\"spent > 100\","
                              "\"nodes\":[{\"id\":\"pause\",\"wait\":\"300 days\"}]}";

TEST(computed, a_new_definition_ends_the_journeys_whose_exit_holds_by_it)
{
    struct world w = shop();
    assert_ok(define(&w, DEFINE_JOURNEY, "thanks", journey));
    order(&w, "ada", 60);
    order(&w, "ada", 30);
    assert_ok(tell(
        &w,
        (struct record){ .kind = RECORD_TRACK, .user_id = STR("ada"), .name = STR("Signed Up") }));
    assert_true(holds(&w, "in journey \"thanks\"", "ada", w.now_ms));
    tick(&w, TIME_HOUR_MS);
    assert_true(holds(&w, "in journey \"thanks\"", "ada", w.now_ms));
    assert_ok(
        define(&w, DEFINE_TRAIT, "spent", "count of \"Order Completed\" where amount > 1000000"));
    tick(&w, TIME_HOUR_MS);
    assert_true(holds(&w, "in journey \"thanks\"", "ada", w.now_ms));
    assert_ok(define(&w, DEFINE_TRAIT, "spent", "greatest of amount of \"Order Completed\""));
    order(&w, "ada", 90);
    tick(&w, TIME_HOUR_MS);
    assert_true(holds(&w, "in journey \"thanks\"", "ada", w.now_ms));
    assert_ok(define(&w, DEFINE_TRAIT, "spent", "sum of amount of \"Order Completed\""));
    tick(&w, TIME_HOUR_MS);
    assert_false(holds(&w, "in journey \"thanks\"", "ada", w.now_ms));
    world_close(&w);
}

TEST(computed, one_that_is_used_cannot_be_deleted_and_the_users_are_named)
{
    struct world w = shop();
    assert_ok(define(&w, DEFINE_JOURNEY, "thanks", journey));
    assert_int_equal(define(&w, DEFINE_TRAIT, "spent", ""), ERR_CONFLICT);
    assert_non_null(strstr(w.problem.what, "segment \"rich\", journey \"thanks\""));
    assert_ok(define(&w, DEFINE_SEGMENT, "rich", ""));
    assert_ok(define(&w, DEFINE_JOURNEY, "thanks", ""));
    assert_ok(define(&w, DEFINE_TRAIT, "spent", ""));
    assert_int_equal(define(&w, DEFINE_TRAIT, "spent", ""), ERR_ABSENT);
    world_close(&w);
}

TEST(computed, a_definition_that_cannot_be_read_changes_nothing)
{
    struct world w = shop();
    order(&w, "ada", 160);
    assert_int_equal(define(&w, DEFINE_TRAIT, "spent", "spent > 100"), ERR_INPUT);
    assert_int_equal(define(&w, DEFINE_TRAIT, "spent", "count of \"Order Completed\" since entry"),
                     ERR_INPUT);
    assert_true(is_in(&w, "rich", "ada"));
    assert_true(holds(&w, "spent between 160 and 161", "ada", w.now_ms));
    world_close(&w);
}

TEST(computed, any_test_of_a_trait_may_be_asked_of_it)
{
    struct world w = world_open();
    assert_ok(define(&w, DEFINE_TRAIT, "spent", "sum of amount of \"Order Completed\""));
    assert_ok(define(&w, DEFINE_TRAIT, "began", "first time of \"Order Completed\""));
    assert_ok(define(&w, DEFINE_TRAIT, "likes", "most frequent of kind of \"Order Completed\""));
    assert_ok(define(&w, DEFINE_TRAIT, "usual", "average of amount of \"Order Completed\""));
    order_at(&w, "ada", "{\"amount\":40,\"kind\":\"tent\"}", T0);
    w.now_ms += 7 * TIME_DAY_MS;
    order_at(&w, "ada", "{\"amount\":60,\"kind\":\"tent\"}", w.now_ms);
    order_at(&w, "bob", "{}", w.now_ms);
    static const char *const yes[] = {
        "spent = 100",
        "spent in (1, 100)",
        "not spent between 0 and 99",
        "spent != 7",
        "usual exists",
        "likes = \"tent\"",
        "likes starts with \"te\"",
        "any likes = \"tent\"",
        "began < 3 days ago",
        "began is 7 days ago",
        "anniversary of began is in 358 days",
        "spent has been >= 40 for 7 days",
        "spent has been = 40 for 1 day or spent = 100",
        "began between 2025-12-31 and 2026-01-01",
    };
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        if (!holds(&w, yes[i], "ada", w.now_ms))
            fail_msg("%s does not hold", yes[i]);
    static const char *const no[] = {
        "spent > 100",      "spent = \"100\"", "spent has been > 40 for 1 hour",
        "likes = \"Tent\"", "began is today",  "spent has been >= 40 for 8 days",
    };
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        if (holds(&w, no[i], "ada", w.now_ms))
            fail_msg("%s holds", no[i]);
    assert_true(holds(&w, "usual does not exist and spent = 0", "bob", w.now_ms));
    assert_true(holds(&w, "spent has been = 40 for 6 days", "ada", T0 + 7 * TIME_DAY_MS - 1));
    world_close(&w);
}
