/* The winner of an experiment in a journey: chosen by hand, taken back, and found by itself. */
#include <stdio.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"
#include "engine/journey/choosing.h"

enum { PEOPLE = 40 };

#define GOAL "\"goal\":{\"condition\":\"did \\\"Bought\\\" since entry\",\"within\":\"14 days\"},"
#define NODES(more)                                                                                \
    "\"nodes\":[{\"id\":\"x\",\"variants\":[{\"name\":\"a\",\"next\":\"m\"},{\"name\":\"b\","      \
    "\"next\":\"w\"}]" more                                                                        \
    "},{\"id\":\"m\",\"email\":\"letter\"},{\"id\":\"w\",\"wait\":\"1 day\"}]"
#define RULE(more) GOAL NODES(",\"winner\":{\"people\":10,\"decide_after\":\"3 days\"" more "}")

static enum err publish(struct world *w, const char *more)
{
    const char *text = str_format(w->arena,
                                  "{\"journey\":\"j\",\"trigger\":{\"event\":\"Start\"},"
                                  "\"reentry\":\"always\",%s}",
                                  more)
                           .ptr;
    return engine_world_define(w, DEFINE_JOURNEY, "j", text);
}

static struct world world_of(const char *more)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "letter", "subject: s\n--- html\nx"));
    if (publish(&w, more) != OK)
        fail_msg("%s: %s %s", w.problem.where, w.problem.what, w.problem.remedy);
    engine_world_tick(&w, 0);
    return w;
}

static void does(struct world *w, int user, const char *event)
{
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_TRACK,
                                                    .user_id = str_format(w->arena, "u%d", user),
                                                    .name = str_of(event) }));
}

/* NULL: what was chosen is taken back. */
static enum err choose(struct world *w, const char *node, const char *variant)
{
    SCOPED(buf_donep) struct buf text = buf_make(JOURNEY_CHOICE_BYTES_MAX);
    struct journey_choice        choice = { .node = str_of(node),
                                            .experiment = str_format(w->arena, "j/%s", node),
                                            .variant = variant == NULL ? STR_NONE : str_of(variant),
                                            .how = WINNER_BY_HAND,
                                            .at_ms = w->now_ms };
    journey_choice_write(STR("j"), &choice, &text);
    return engine_world_define(w, DEFINE_JOURNEY_CHOICE, "j/x",
                               str_copy(w->arena, buf_view(&text)).ptr);
}

/* The last way that the user took at x. */
static const struct decision *took(struct world *w, int user)
{
    uint32_t p = engine_find(w->engine, str_format(w->arena, "u%d", user));
    for (size_t i = w->out.decisions_count; i > 0; i--) {
        const struct decision *d = &w->out.decisions[i - 1];
        if (d->profile == p && d->kind == DECISION_STEP && str_eq(d->node, STR("x")))
            return d;
    }
    return NULL;
}

static uint32_t took_count(struct world *w, int from, int to, const char *name)
{
    uint32_t count = 0;
    for (int u = from; u < to; u++)
        count += str_eq(took(w, u)->text, str_of(name));
    return count;
}

static void start(struct world *w, int from, int to)
{
    for (int u = from; u < to; u++)
        does(w, u, "Start");
}

static const struct journey_choice *choice_of(const struct world *w)
{
    const struct program *program = engine_program(w->engine);
    return program_journey_choice(program, 0, &program_journey_live(program, 0)->journey.nodes[0],
                                  TIME_NEVER);
}

/* Days pass, an hour at a time; all that is counted is counted. */
static void days(struct world *w, int count)
{
    for (int i = 0; i < 24 * count; i++) {
        engine_world_tick(w, TIME_HOUR_MS);
        while (engine_next_ms(w->engine) <= w->now_ms)
            engine_world_tick(w, 0);
    }
}

TEST(choosing, who_comes_takes_the_chosen_one_and_who_has_one_keeps_it)
{
    struct world w = world_of(NODES(""));
    start(&w, 0, PEOPLE);
    uint32_t were = took_count(&w, 0, PEOPLE, "a");
    assert_in_range(were, 5, PEOPLE - 5);
    days(&w, 2);
    assert_ok(choose(&w, "x", "b"));
    start(&w, 0, 2 * PEOPLE);
    assert_int_equal(took_count(&w, 0, PEOPLE, "a"), were);
    assert_int_equal(took_count(&w, PEOPLE, 2 * PEOPLE, "b"), PEOPLE);
    assert_int_equal(took(&w, PEOPLE)->event, choice_of(&w)->version);
    assert_int_equal(took(&w, 0)->event, 0);
    /* What they took by it they keep, too. */
    days(&w, 2);
    assert_ok(choose(&w, "x", NULL));
    start(&w, PEOPLE, 4 * PEOPLE);
    assert_int_equal(took_count(&w, PEOPLE, 2 * PEOPLE, "b"), PEOPLE);
    assert_in_range(took_count(&w, 2 * PEOPLE, 4 * PEOPLE, "a"), 20, 2 * PEOPLE - 20);
    engine_world_close(&w);
}

TEST(choosing, a_choice_is_of_that_experiment_alone_and_outlives_versions)
{
    struct world w = world_of(NODES(""));
    assert_ok(choose(&w, "x", "b"));
    assert_ok(publish(&w, GOAL NODES("")));
    start(&w, 0, PEOPLE);
    assert_int_equal(took_count(&w, 0, PEOPLE, "b"), PEOPLE);
    assert_ok(publish(&w, NODES(",\"experiment\":\"another\"")));
    start(&w, PEOPLE, 2 * PEOPLE);
    assert_in_range(took_count(&w, PEOPLE, 2 * PEOPLE, "a"), 5, PEOPLE - 5);
    engine_world_close(&w);
}

TEST(choosing, what_is_not_there_is_refused_with_what_it_is)
{
    struct world w = world_of(NODES(""));
    assert_int_equal(choose(&w, "w", "a"), ERR_ABSENT);
    assert_string_equal(w.problem.where, "node");
    assert_int_equal(choose(&w, "x", "c"), ERR_ABSENT);
    assert_string_equal(w.problem.where, "variant");
    assert_int_equal(engine_world_define(&w, DEFINE_JOURNEY_CHOICE, "k/x",
                                         "{\"journey\":\"k\",\"node\":\"x\",\"at\":1}"),
                     ERR_ABSENT);
    assert_int_equal(engine_world_define(&w, DEFINE_JOURNEY_CHOICE, "j/x", "{}"), ERR_INPUT);
    assert_int_equal(
        publish(&w, NODES(",\"winner\":{\"decide_after\":\"3 days\",\"by\":\"goal\"}")), ERR_INPUT);
    assert_string_equal(w.problem.where, "nodes[0].winner.by");
    assert_int_equal(publish(&w, NODES(",\"winner\":{\"share\":20,\"decide_after\":\"3 days\"}")),
                     ERR_INPUT);
    assert_int_equal(publish(&w, NODES(",\"winner\":{\"decide_after\":\"366 days\"}")), ERR_INPUT);
    assert_string_equal(w.problem.where, "nodes[0].winner.decide_after");
    engine_world_close(&w);
}

/* Who took b buys, of those who took a nobody. */
static struct world rated_world(const char *more, bool buys)
{
    struct world w = world_of(more);
    start(&w, 0, PEOPLE);
    for (int u = 0; u < PEOPLE && buys; u++)
        if (str_eq(took(&w, u)->text, STR("b")))
            does(&w, u, "Bought");
    return w;
}

TEST(choosing, the_winner_is_found_by_itself_once_enough_came_and_had_their_time)
{
    struct world w = rated_world(RULE(""), true);
    days(&w, 2);
    assert_null(choice_of(&w));
    start(&w, PEOPLE, PEOPLE + 4); /* too late to be counted */
    days(&w, 2);
    assert_non_null(choice_of(&w));
    assert_str(choice_of(&w)->variant, "b");
    assert_int_equal(choice_of(&w)->how, WINNER_SURE);
    assert_int_equal(choice_of(&w)->counts[0].of + choice_of(&w)->counts[1].of, PEOPLE);
    assert_int_equal(choice_of(&w)->counts[0].successes, 0);
    assert_int_equal(choice_of(&w)->counts[1].successes, choice_of(&w)->counts[1].of);
    assert_int_equal(choice_of(&w)->at_ms, T0 + 3 * TIME_DAY_MS);
    start(&w, 100, 120);
    assert_int_equal(took_count(&w, 100, 120, "b"), 20);
    /* What is taken back is not looked for again. */
    assert_ok(choose(&w, "x", NULL));
    days(&w, 5);
    assert_true(str_is_empty(choice_of(&w)->variant));
    engine_world_close(&w);
}

TEST(choosing, it_is_handed_out_to_be_stored_and_read_back_it_is_the_same)
{
    struct world w = rated_world(RULE(""), true);
    struct str   text = STR_NONE, name = STR_NONE;
    for (int i = 0; i < 24 * 4 && text.len == 0; i++) {
        engine_world_tick(&w, TIME_HOUR_MS);
        text = w.out.chosen;
        name = w.out.chosen_name;
    }
    assert_str(name, "j/x");
    struct world again = world_of(RULE(""));
    assert_ok(engine_load_definition(again.engine, DEFINE_JOURNEY_CHOICE, name, text, 99));
    assert_str(choice_of(&again)->variant, "b");
    assert_int_equal(choice_of(&again)->how, WINNER_SURE);
    assert_int_equal(choice_of(&again)->at_ms, choice_of(&w)->at_ms);
    assert_int_equal(choice_of(&again)->counts[1].successes, choice_of(&w)->counts[1].successes);
    assert_int_equal(engine_program(again.engine)->contests, 0);
    engine_world_close(&again);
    engine_world_close(&w);
}

TEST(choosing, where_nobody_is_sure_it_waits_for_a_word_or_takes_the_one_ahead)
{
    struct world w = rated_world(RULE(",\"otherwise\":\"wait\""), false);
    does(&w, 1, "Bought");
    days(&w, 4);
    assert_non_null(choice_of(&w));
    assert_true(str_is_empty(choice_of(&w)->variant));
    assert_int_equal(choice_of(&w)->how, WINNER_NOT_YET);
    start(&w, PEOPLE, 3 * PEOPLE);
    assert_in_range(took_count(&w, PEOPLE, 3 * PEOPLE, "a"), 20, 2 * PEOPLE - 20);
    assert_ok(choose(&w, "x", "a"));
    start(&w, 200, 210);
    assert_int_equal(took_count(&w, 200, 210, "a"), 10);
    engine_world_close(&w);
    w = rated_world(RULE(""), false);
    does(&w, 1, "Bought");
    days(&w, 4);
    assert_int_equal(choice_of(&w)->how, WINNER_AHEAD);
    assert_str(choice_of(&w)->variant, took(&w, 1)->text.ptr[0] == 'a' ? "a" : "b");
    engine_world_close(&w);
}

TEST(choosing, one_variant_with_too_few_keeps_it_open)
{
    struct world w =
        world_of(GOAL NODES(",\"winner\":{\"people\":100,\"decide_after\":\"1 hour\"}"));
    start(&w, 0, PEOPLE);
    days(&w, 3);
    assert_null(choice_of(&w));
    assert_int_equal(engine_program(w.engine)->contests, 1);
    engine_world_close(&w);
}

static void message_told(struct world *w, const struct decision *intent, struct str event,
                         int64_t machine)
{
    struct json *what = ARENA_NEW(w->arena, struct json);
    struct str   text = str_format(w->arena,
                                   "{\"message\":\"%llu\",\"template\":\"letter\",\"journey\":\"j\","
                                     "\"machine\":%s}",
                                   (unsigned long long)intent->id, machine ? "true" : "false");
    assert_ok(json_parse_once(w->arena, text, what, NULL));
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_MESSAGE,
                                                    .name = event,
                                                    .profile = intent->profile,
                                                    .message = intent->id,
                                                    .properties = what }));
}

TEST(choosing, clicks_count_by_people_and_on_what_was_sent_after_the_variant)
{
    struct world w = world_of(
        NODES(",\"winner\":{\"people\":10,\"decide_after\":\"3 days\",\"by\":\"clicked\"}"));
    start(&w, 0, PEOPLE);
    size_t   all = w.out.decisions_count;
    uint32_t sent = 0;
    for (size_t i = 0; i < all; i++) {
        struct decision d = w.out.decisions[i];
        if (d.kind != DECISION_INTENT)
            continue;
        message_told(&w, &d, EVENT_MESSAGE_SENT, false);
        message_told(&w, &d, EVENT_MESSAGE_CLICKED, sent++ % 2 == 0);
    }
    days(&w, 4);
    assert_int_equal(choice_of(&w)->counts[0].of, sent);
    assert_int_equal(choice_of(&w)->counts[0].successes, sent / 2);
    assert_int_equal(choice_of(&w)->counts[1].successes, 0);
    assert_str(choice_of(&w)->variant, "a");
    engine_world_close(&w);
}
