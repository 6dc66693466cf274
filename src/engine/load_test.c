/* Whatever was defined anew after the checkpoint, a loaded engine wakes up when it should. */
#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/checkpoint.h"
#include "engine/engine.h"

#define T0 INT64_C(1767225600000) /* 2026-01-01 */

enum { DEFINITIONS_MAX = 16, EVENTS_MAX = 16, ROWS_MAX = 8, CLOCKS_MAX = 100 };

struct world {
    struct engine *engine;
    struct zones  *zones, *newer;
    struct arena  *arena;
    struct out     out;
    uint64_t       seq;
    int64_t        now_ms;
    struct record  definitions[DEFINITIONS_MAX], events[EVENTS_MAX];
    uint32_t       definitions_count, events_count;

    struct checkpoint_row *rows;
    uint32_t               rows_count;
    uint32_t               rules; /* that the folder is by */
    uint64_t               checkpoint_seq;
    size_t                 checkpoint_decisions;
};

/* A place of which the later rules say that it lies 14 hours east. */
static struct zones *zones_of(const char *version, int32_t offset_s)
{
    const struct zone list[] = { { STR("Far/East"), NULL, 0, 14 * 3600 },
                                 { STR("Near/Here"), NULL, 0, offset_s } };
    struct zones     *zones = NULL;
    assert_ok(zones_make(&zones, str_of(version), list, 2));
    return zones;
}

static struct engine *engine_of(const struct world *w, const struct zones *zones)
{
    struct engine *engine;
    assert_ok(
        engine_open(&engine, (struct engine_conf){ .seed = 1,
                                                   .next_decision = w->out.decisions_count + 1,
                                                   .lateness_ms = LATENESS_MS_DEFAULT,
                                                   .zones = zones }));
    return engine;
}

static struct world *world_open(void)
{
    struct world *w = calloc(1, sizeof *w);
    w->arena = arena_open(64 << 20);
    w->out.arena = w->arena;
    w->now_ms = T0;
    w->rules = ENGINE_RULES;
    w->zones = zones_of("2026a", 0);
    w->newer = zones_of("2026b", 14 * 3600);
    w->engine = engine_of(w, w->zones);
    return w;
}

static void world_close(struct world *w)
{
    engine_close(w->engine);
    zones_close(w->zones);
    zones_close(w->newer);
    arena_close(w->arena);
    free(w);
}

static struct record tell(struct world *w, struct record record)
{
    record.seq = ++w->seq;
    record.received_ms = record.at_ms = w->now_ms;
    assert_ok(engine_apply(w->engine, &record, &w->out, NULL));
    if (engine_seq(w->engine) > w->seq) /* what is told of a stage has a number, too */
        w->seq = engine_seq(w->engine);
    return record;
}

/* At an instant so long after T0; everything that is due by then is applied. */
static void clock_at(struct world *w, int64_t after_ms)
{
    w->now_ms = T0 + after_ms;
    for (int i = 0; i < CLOCKS_MAX && engine_next_ms(w->engine) <= w->now_ms; i++)
        tell(w, (struct record){ .kind = RECORD_CLOCK });
    assert_true(engine_next_ms(w->engine) > w->now_ms);
}

static void define(struct world *w, enum definition_kind kind, const char *name, const char *text)
{
    w->definitions[w->definitions_count++] = tell(w, (struct record){ .kind = RECORD_DEFINE,
                                                                      .definition_kind = kind,
                                                                      .name = str_of(name),
                                                                      .body = str_of(text) });
    clock_at(w, w->now_ms - T0);
}

static void order_by(struct world *w, const char *who)
{
    struct record *event = &w->events[w->events_count++];
    *event = tell(
        w, (struct record){ .kind = RECORD_TRACK, .user_id = str_of(who), .name = STR("Order") });
    event->profile = w->out.profile;
}

static void order(struct world *w)
{
    order_by(w, "ada");
}

static void checkpoint(struct world *w)
{
    uint32_t round;
    bool     done;
    assert_ok(checkpoint_begin(w->engine, &round));
    w->checkpoint_seq = w->seq;
    w->checkpoint_decisions = w->out.decisions_count;
    assert_ok(checkpoint_take(w->engine, w->arena, ROWS_MAX, &w->rows, &w->rows_count, &done));
    assert_true(done);
    checkpoint_end(w->engine);
}

/* The process ends, and the next one knows what the store has. */
static void load(struct world *w, const struct zones *zones)
{
    struct json_parser *parser = json_parser_open();
    struct engine      *engine = engine_of(w, zones);
    for (size_t i = 0; i < w->out.names_count; i++)
        assert_ok(engine_load_name(engine, (enum name_kind)w->out.names[i].kind, w->out.names[i].id,
                                   w->out.names[i].text));
    for (uint32_t i = 0; i < w->definitions_count; i++)
        assert_ok(engine_load_definition(engine, w->definitions[i].definition_kind,
                                         w->definitions[i].name, w->definitions[i].body,
                                         (uint32_t)w->definitions[i].seq));
    engine_load_round(engine, 1, w->checkpoint_seq);
    engine_load_zones(engine, zones_version(w->zones));
    engine_load_rules(engine, w->rules);
    for (uint32_t i = 0; i < w->rows_count; i++)
        assert_ok(checkpoint_load(engine, i, w->rows[i].state));
    for (uint32_t i = 0; i < w->events_count; i++)
        assert_ok(engine_load_event(engine, RECORD_TRACK, w->events[i].profile,
                                    (uint32_t)w->events[i].seq, w->events[i].at_ms,
                                    w->events[i].name, NULL));
    for (size_t i = 0; i < w->out.decisions_count; i++) {
        struct decision d = w->out.decisions[i];
        if (i >= w->checkpoint_decisions)
            assert_ok(engine_load_decision(engine, parser, w->arena, &d));
        else
            assert_ok(engine_load_told(engine, parser, w->arena, &d));
    }
    engine_load_behind(engine, engine_behind_ms(w->engine));
    assert_ok(engine_load_end(engine, w->seq, w->now_ms));
    json_parser_close(parser);
    engine_close(w->engine);
    w->engine = engine;
}

static bool is_member(const struct world *w)
{
    const struct state *state = people_state_get(engine_people(w->engine), 0);
    return state->memberships.count > 0 && memberships_at(&state->memberships, 0).in;
}

/* In until one instant, and at that instant not any more. */
static void leaves_at(struct world *w, int64_t after_ms)
{
    clock_at(w, after_ms - 1);
    assert_true(is_member(w));
    clock_at(w, after_ms);
    assert_false(is_member(w));
}

TEST(load, a_computed_trait_defined_anew_after_the_checkpoint_ends_a_membership_at_its_new_instant)
{
    struct world *w = world_open();
    define(w, DEFINE_TRAIT, "recent", "count of \"Order\" in the last 10 days");
    define(w, DEFINE_SEGMENT, "fan", "recent >= 1");
    order(w);
    checkpoint(w);
    clock_at(w, TIME_DAY_MS);
    define(w, DEFINE_TRAIT, "recent", "count of \"Order\" in the last 4 days");
    load(w, w->zones);
    leaves_at(w, 4 * TIME_DAY_MS);
    world_close(w);
}

TEST(load, stages_written_anew_after_the_checkpoint_end_a_membership_at_their_new_instant)
{
    struct world *w = world_open();
    define(w, DEFINE_STAGES, "stages",
           "{\"stages\":[{\"name\":\"fan\",\"when\":\"did \\\"Order\\\" in the last 10 days\"}]}");
    define(w, DEFINE_SEGMENT, "fan", "in stage \"fan\"");
    order(w);
    checkpoint(w);
    clock_at(w, TIME_DAY_MS);
    define(w, DEFINE_STAGES, "stages",
           "{\"stages\":[{\"name\":\"fan\",\"when\":\"did \\\"Order\\\" in the last 4 days\"}]}");
    load(w, w->zones);
    leaves_at(w, 4 * TIME_DAY_MS);
    world_close(w);
}

TEST(load, a_workspace_that_moved_after_the_checkpoint_ends_the_day_where_it_is_now)
{
    struct world *w = world_open();
    define(w, DEFINE_WORKSPACE, "workspace", "{\"timezone\":\"Near/Here\"}");
    define(w, DEFINE_SEGMENT, "today", "did \"Order\" today");
    order(w);
    checkpoint(w);
    clock_at(w, TIME_HOUR_MS);
    define(w, DEFINE_WORKSPACE, "workspace", "{\"timezone\":\"Far/East\"}");
    load(w, w->zones);
    leaves_at(w, 10 * TIME_HOUR_MS);
    world_close(w);
}

TEST(load, new_rules_of_time_zones_end_the_day_where_it_ends_by_them)
{
    struct world *w = world_open();
    define(w, DEFINE_WORKSPACE, "workspace", "{\"timezone\":\"Near/Here\"}");
    define(w, DEFINE_SEGMENT, "today", "did \"Order\" today");
    order(w);
    checkpoint(w);
    clock_at(w, TIME_HOUR_MS);
    load(w, w->newer);
    leaves_at(w, 10 * TIME_HOUR_MS);
    world_close(w);
}

/* What was kept is of a program that took the words of the definition otherwise. */
static void meant(struct world *w, uint32_t definition, const char *text)
{
    w->definitions[definition].body = str_of(text);
    w->rules = ENGINE_RULES - 1;
}

TEST(load, a_program_that_understands_a_segment_otherwise_asks_everyone_anew)
{
    struct world *w = world_open();
    define(w, DEFINE_SEGMENT, "fan", "did \"Order\" in the last 10 days");
    order(w);
    checkpoint(w);
    clock_at(w, TIME_DAY_MS);
    meant(w, 0, "did \"Order\" in the last 4 days");
    load(w, w->zones);
    leaves_at(w, 4 * TIME_DAY_MS);
    world_close(w);
}

TEST(load, what_time_does_while_everyone_is_asked_by_new_rules_still_begins_a_journey)
{
    struct world *w = world_open();
    define(w, DEFINE_SEGMENT, "gone", "did \"Order\" and not did \"Order\" in the last 10 days");
    define(w, DEFINE_JOURNEY, "back",
           "{\"journey\":\"back\",\"trigger\":{\"segment\":\"gone\"},"
           "\"nodes\":[{\"id\":\"w\",\"wait\":\"90 days\"}]}");
    order(w);
    checkpoint(w);
    w->rules = ENGINE_RULES - 1;
    load(w, w->zones);
    clock_at(w, 11 * TIME_DAY_MS); /* nothing ran meanwhile */
    assert_int_equal(people_state_get(engine_people(w->engine), 0)->rare->enrollments.count, 1);
    world_close(w);
}

static uint32_t inside(const struct world *w)
{
    return people_state_get(engine_people(w->engine), 0)->rare->enrollments.count;
}

/* Someone is in a journey with this exit when the checkpoint is taken. */
static struct world *in_journey(const char *exit_when)
{
    struct world *w = world_open();
    define(w, DEFINE_WORKSPACE, "workspace", "{\"timezone\":\"Near/Here\"}");
    define(w, DEFINE_TRAIT, "recent", "count of \"Order\" in the last 10 days");
    struct str journey =
        str_format(w->arena,
                   "{\"journey\":\"j\",\"trigger\":{\"event\":\"Order\"},\"exit_when\":\"%s\","
                   "\"nodes\":[{\"id\":\"w\",\"wait\":\"90 days\"}]}%c",
                   exit_when, '\0');
    define(w, DEFINE_JOURNEY, "j", journey.ptr);
    order(w);
    checkpoint(w);
    clock_at(w, TIME_HOUR_MS);
    assert_int_equal(inside(w), 1);
    return w;
}

static void exits_at(struct world *w, int64_t after_ms)
{
    clock_at(w, after_ms - 1);
    assert_int_equal(inside(w), 1);
    clock_at(w, after_ms);
    assert_int_equal(inside(w), 0);
}

/* The condition held before the time was over: that it is asked anew does not turn the two round.
 */
TEST(load, a_wait_that_ended_while_nothing_ran_ends_as_it_would_have)
{
    struct world *w = world_open();
    define(w, DEFINE_SEGMENT, "got", "did \"Got\"");
    define(w, DEFINE_JOURNEY, "j",
           "{\"journey\":\"j\",\"trigger\":{\"event\":\"Order\"},\"nodes\":["
           "{\"id\":\"f\",\"wait_for\":\"not did \\\"Order\\\" in the last 4 days\","
           "\"within\":\"6 days\",\"yes\":\"y\",\"timeout\":\"t\"},"
           "{\"id\":\"y\",\"wait\":\"90 days\"},{\"id\":\"t\",\"exit\":true}]}");
    order(w);
    checkpoint(w);
    w->now_ms = T0 + 7 * TIME_DAY_MS;
    w->rules = ENGINE_RULES - 1;
    load(w, w->zones);
    clock_at(w, 7 * TIME_DAY_MS + 1);
    assert_int_equal(people_state_get(engine_people(w->engine), 0)->rare->enrollments.count, 1);
    world_close(w);
}

TEST(load, a_program_that_understands_an_exit_otherwise_looks_at_who_is_inside)
{
    struct world *w = in_journey("not did \\\"Order\\\" in the last 10 days");
    struct str    text = w->definitions[w->definitions_count - 1].body;
    char         *days = strstr(text.ptr, "last 10");
    assert_non_null(days);
    memcpy(days, "last  4", strlen("last  4"));
    w->rules = ENGINE_RULES - 1;
    load(w, w->zones);
    exits_at(w, 4 * TIME_DAY_MS);
    world_close(w);
}

TEST(load, a_journey_is_left_by_its_exit_as_it_was_defined_anew)
{
    struct world *w = in_journey("recent < 1");
    define(w, DEFINE_TRAIT, "recent", "count of \"Order\" in the last 4 days");
    load(w, w->zones);
    exits_at(w, 4 * TIME_DAY_MS);
    world_close(w);
}

TEST(load, a_journey_is_left_where_the_day_ends_now_also_without_a_new_start)
{
    for (int restart = 0; restart < 3; restart++) {
        struct world *w = in_journey("not did \\\"Order\\\" today");
        if (restart < 2)
            define(w, DEFINE_WORKSPACE, "workspace", "{\"timezone\":\"Far/East\"}");
        if (restart > 0)
            load(w, restart == 1 ? w->zones : w->newer);
        exits_at(w, 10 * TIME_HOUR_MS);
        world_close(w);
    }
}

TEST(load, no_checkpoint_begins_while_a_change_is_still_being_applied_to_everyone)
{
    struct world *w = world_open();
    uint32_t      round;
    order(w);
    tell(w, (struct record){ .kind = RECORD_DEFINE,
                             .definition_kind = DEFINE_SEGMENT,
                             .name = STR("s"),
                             .body = STR("did \"Order\" in the last 4 days") });
    assert_true(engine_has_job(w->engine));
    assert_int_equal(checkpoint_begin(w->engine, &round), ERR_WAIT);
    clock_at(w, 0);
    checkpoint(w);
    world_close(w);
}

TEST(load, a_journey_that_was_paused_at_the_checkpoint_and_resumed_since_goes_on_when_its_wait_ends)
{
    struct world *w = world_open();
    define(w, DEFINE_JOURNEY, "j",
           "{\"journey\":\"j\",\"trigger\":{\"event\":\"Order\"},"
           "\"nodes\":[{\"id\":\"w\",\"wait\":\"10 days\"}]}");
    order(w);
    clock_at(w, TIME_DAY_MS);
    define(w, DEFINE_JOURNEY_STATE, "j", "{\"state\":\"paused\",\"at\":1767312000000}");
    clock_at(w, 2 * TIME_DAY_MS);
    order(w); /* with it the timer is reckoned anew: there is none while the journey stands */
    checkpoint(w);
    clock_at(w, 3 * TIME_DAY_MS);
    define(w, DEFINE_JOURNEY_STATE, "j", "{\"state\":\"running\",\"at\":1767484800000}");
    load(w, w->zones);
    exits_at(w, 10 * TIME_DAY_MS);
    world_close(w);
}

/* Nothing but the timer in the row says when it is tried again. */
TEST(load, what_waits_for_its_next_try_at_the_checkpoint_is_found_when_it_is_due)
{
    struct world *w = world_open();
    define(w, DEFINE_TEMPLATE, "hook", "channel: webhook\nurl: https://x.no\n--- body\nhi");
    define(w, DEFINE_JOURNEY, "j",
           "{\"journey\":\"j\",\"trigger\":{\"event\":\"Order\"},\"nodes\":[{\"id\":\"m\","
           "\"message\":\"hook\"},{\"id\":\"w\",\"wait\":\"10 days\"}]}");
    order(w);
    tell(w, (struct record){ .kind = RECORD_CLAIM, .count = 1 });
    assert_int_equal(w->out.claims_count, 1);
    tell(w, (struct record){ .kind = RECORD_OUTCOME,
                             .outcome = { .message = w->out.claims[0].message,
                                          .kind = OUTCOME_DEFERRED,
                                          .retry_at_ms = T0 + TIME_HOUR_MS,
                                          .text = STR("later") } });
    checkpoint(w);
    load(w, w->zones);
    tell(w, (struct record){ .kind = RECORD_CLAIM, .count = 1 });
    assert_int_equal(w->out.claims_count, 1);
    clock_at(w, TIME_HOUR_MS);
    tell(w, (struct record){ .kind = RECORD_CLAIM, .count = 1 });
    assert_int_equal(w->out.claims_count, 2);
    world_close(w);
}

static uint32_t entered(const struct world *w, uint32_t profile)
{
    uint32_t count = 0;
    for (size_t i = 0; i < w->out.decisions_count; i++)
        count +=
            w->out.decisions[i].kind == DECISION_ENROLLED && w->out.decisions[i].profile == profile;
    return count;
}

TEST(load, a_process_that_ends_in_the_middle_of_an_hour_begins_a_schedule_for_the_rest_and_once)
{
    for (int late_ms = 0; late_ms < 2; late_ms++) {
        struct world *w = world_open();
        order_by(w, "ada");
        order_by(w, "bob");
        define(w, DEFINE_JOURNEY, "j",
               "{\"journey\":\"j\",\"trigger\":{\"schedule\":\"10:00\"},\"audience\":\"did "
               "\\\"Order\\\"\","
               "\"nodes\":[{\"id\":\"x\",\"exit\":true}]}");
        clock_at(w, 10 * TIME_HOUR_MS - 1);
        w->now_ms = T0 + 10 * TIME_HOUR_MS + late_ms;
        order_by(w, "ada"); /* her record brings her time, and nobody else's */
        assert_true(entered(w, 0) == 1 && entered(w, 1) == 0);
        load(w, w->zones);
        order_by(w, "ada"); /* bob is still to be asked: as far behind, were it to end again */
        assert_int_equal(engine_behind_ms(w->engine), T0 + 10 * TIME_HOUR_MS);
        clock_at(w, 10 * TIME_HOUR_MS + 1000);
        assert_int_equal(engine_behind_ms(w->engine), w->now_ms + 1);
        assert_int_equal(entered(w, 0), 1);
        assert_int_equal(entered(w, 1), 1);
        clock_at(w, 34 * TIME_HOUR_MS);
        assert_true(entered(w, 0) == 2 && entered(w, 1) == 2);
        world_close(w);
    }
}

TEST(load, a_schedule_that_is_published_again_as_its_hour_comes_begins_for_the_rest)
{
    static const char journey[] = "{\"journey\":\"j\",\"trigger\":{\"schedule\":\"10:00\"},"
                                  "\"audience\":\"everyone\","
                                  "\"nodes\":[{\"id\":\"x\",\"exit\":true}]}";
    struct world     *w = world_open();
    order_by(w, "ada");
    order_by(w, "bob");
    define(w, DEFINE_JOURNEY, "j", journey);
    clock_at(w, 10 * TIME_HOUR_MS - 1);
    w->now_ms = T0 + 10 * TIME_HOUR_MS;
    order_by(w, "ada");
    define(w, DEFINE_JOURNEY, "j", journey);
    assert_true(entered(w, 0) == 1 && entered(w, 1) == 1);
    clock_at(w, 34 * TIME_HOUR_MS);
    assert_true(entered(w, 0) == 2 && entered(w, 1) == 2);
    world_close(w);
}
