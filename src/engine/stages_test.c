/* Stages in an engine: the last whose rule holds, in force from the moment they are defined. */
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

static const char STAGES[] =
    "{\"stages\":[{\"name\":\"visitor\",\"when\":\"everyone\"},"
    "{\"name\":\"customer\",\"when\":\"did \\\"Order Completed\\\" in the last 30 days\"},"
    "{\"name\":\"fan\",\"when\":\"did \\\"Order Completed\\\" at least 3 times in the last 30 "
    "days\"}"
    "]}";

static struct world shop(void)
{
    struct world w = world_open();
    assert_ok(define(&w, DEFINE_STAGES, "stages", STAGES));
    assert_ok(define(&w, DEFINE_SEGMENT, "visitors", "in stage \"visitor\""));
    assert_ok(define(&w, DEFINE_SEGMENT, "customers", "in stage \"customer\""));
    assert_ok(define(&w, DEFINE_SEGMENT, "fans", "in stage \"fan\""));
    return w;
}

static void assert_stage(struct world *w, const char *user, const char *segment)
{
    static const char *const all[] = { "visitors", "customers", "fans" };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        assert_int_equal(is_in(w, all[i], user), strcmp(all[i], segment) == 0);
}

TEST(stages, a_person_moves_on_at_the_very_event_and_falls_back_at_the_very_instant)
{
    struct world w = shop();
    assert_ok(tell(
        &w, (struct record){ .kind = RECORD_TRACK, .user_id = STR("ada"), .name = STR("Came") }));
    assert_stage(&w, "ada", "visitors");
    order(&w, "ada", 1);
    assert_stage(&w, "ada", "customers");
    w.now_ms += TIME_DAY_MS;
    order(&w, "ada", 1);
    order(&w, "ada", 1);
    assert_stage(&w, "ada", "fans");
    tick(&w, 29 * TIME_DAY_MS - 1);
    assert_stage(&w, "ada", "fans");
    tick(&w, 1);
    assert_stage(&w, "ada", "customers");
    tick(&w, TIME_DAY_MS);
    assert_stage(&w, "ada", "visitors");
    world_close(&w);
}

TEST(stages, a_new_document_moves_everyone_quietly)
{
    struct world w = shop();
    order(&w, "ada", 1);
    assert_ok(define(&w, DEFINE_STAGES, "stages",
                     "{\"stages\":[{\"name\":\"visitor\",\"when\":\"everyone\"},"
                     "{\"name\":\"fan\",\"when\":\"did \\\"Order Completed\\\"\"},"
                     "{\"name\":\"customer\",\"when\":\"did \\\"Order Completed\\\" at least 2 "
                     "times\"}]}"));
    tick(&w, 1);
    assert_stage(&w, "ada", "fans");
    order(&w, "ada", 1);
    assert_stage(&w, "ada", "customers");
    assert_true(holds(&w, "in stage \"customer\"", "ada", w.now_ms));
    assert_false(holds(&w, "in stage \"fan\"", "ada", w.now_ms));
    world_close(&w);
}

TEST(stages, one_that_is_used_cannot_go_and_the_users_are_named)
{
    static const char journey[] = "{\"journey\":\"thanks\",\"trigger\":{\"event\":\"Came\"},"
                                  "\"exit_when\":\"in stage \\\"fan\\\"\","
                                  "\"nodes\":[{\"id\":\"pause\",\"wait\":\"300 days\"}]}";
    struct world      w = shop();
    const char       *renamed = "{\"stages\":[{\"name\":\"visitor\",\"when\":\"everyone\"},"
                                "{\"name\":\"customer\",\"when\":\"did \\\"A\\\"\"}]}";
    assert_ok(define(&w, DEFINE_JOURNEY, "thanks", journey));
    assert_int_equal(define(&w, DEFINE_STAGES, "stages", renamed), ERR_CONFLICT);
    assert_non_null(strstr(w.problem.what, "segment \"fans\", journey \"thanks\""));
    assert_int_equal(define(&w, DEFINE_STAGES, "stages", ""), ERR_CONFLICT);
    assert_ok(define(&w, DEFINE_SEGMENT, "fans", ""));
    assert_ok(define(&w, DEFINE_JOURNEY, "thanks", ""));
    assert_ok(define(&w, DEFINE_STAGES, "stages", renamed));
    world_close(&w);
}

TEST(stages, a_computed_trait_in_a_rule_moves_the_stage_and_is_kept_for_it)
{
    struct world w = world_open();
    assert_ok(define(&w, DEFINE_TRAIT, "spent", "sum of amount of \"Order Completed\""));
    assert_ok(define(&w, DEFINE_STAGES, "stages",
                     "{\"stages\":[{\"name\":\"rich\",\"when\":\"spent > 100\"}]}"));
    assert_int_equal(define(&w, DEFINE_TRAIT, "spent", ""), ERR_CONFLICT);
    assert_non_null(strstr(w.problem.what, "stage \"rich\""));
    assert_ok(define(&w, DEFINE_SEGMENT, "rich", "in stage \"rich\""));
    order(&w, "ada", 60);
    order(&w, "ada", 60);
    assert_true(is_in(&w, "rich", "ada"));
    assert_ok(define(&w, DEFINE_TRAIT, "spent", "greatest of amount of \"Order Completed\""));
    tick(&w, 1);
    assert_false(is_in(&w, "rich", "ada"));
    world_close(&w);
}

TEST(stages, a_document_that_is_wrong_changes_nothing)
{
    static const char *const wrong[] = {
        "[]",
        "{\"stages\":7}",
        "{\"stages\":[{\"name\":\"\",\"when\":\"everyone\"}]}",
        "{\"stages\":[{\"name\":\"a\"}]}",
        "{\"stages\":[{\"name\":\"a\",\"when\":\"did did\"}]}",
        "{\"stages\":[{\"name\":\"a\",\"when\":\"x = 1\"},{\"name\":\"a\",\"when\":\"x = 2\"}]}",
        "{\"stages\":[{\"name\":\"a\",\"when\":\"in stage \\\"fan\\\"\"}]}",
        "{\"stages\":[{\"name\":\"a\",\"when\":\"in segment \\\"fans\\\"\"}]}",
    };
    struct world w = shop();
    order(&w, "ada", 1);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (define(&w, DEFINE_STAGES, "stages", wrong[i]) != ERR_INPUT)
            fail_msg("%s was taken", wrong[i]);
    tick(&w, 1);
    assert_stage(&w, "ada", "customers");
    world_close(&w);
}

TEST(stages, every_version_loaded_in_turn_leaves_the_last_in_force)
{
    struct world w = world_open();
    assert_ok(engine_load_definition(w.engine, DEFINE_STAGES, STR("stages"), str_of(STAGES), 1));
    assert_ok(
        engine_load_definition(w.engine, DEFINE_SEGMENT, STR("fans"), STR("in stage \"fan\""), 2));
    assert_ok(engine_load_definition(
        w.engine, DEFINE_STAGES, STR("stages"),
        STR("{\"stages\":[{\"name\":\"fan\",\"when\":\"did \\\"Order Completed\\\"\"}]}"), 3));
    w.seq = 3;
    order(&w, "ada", 1);
    assert_true(is_in(&w, "fans", "ada"));
    world_close(&w);
}
