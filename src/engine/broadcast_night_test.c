/* Broadcasts and quiet hours: who sleeps is come back to; and what a variant is about. */
#include "engine/broadcast_world_test.h"

#define NIGHT "{\"quiet\":[{\"from\":\"21:00\",\"to\":\"08:00\"}]}"
#define EAST ",\"timezone\":\"Far/East\"}" /* 14:00 when the tests begin, at midnight */

TEST(broadcast_night, who_sleeps_gets_it_in_the_morning_and_then_it_is_finished)
{
    struct world w = world();
    assert_ok(engine_world_define(&w, DEFINE_LIMITS, "limits", NIGHT));
    person(&w, "ada");
    identify(&w, "bob", "{\"email\":\"bob@shop.example\",\"plan\":\"pro\"" EAST);
    assert_ok(act(&w, "launch"));
    run(&w);
    const struct claim *bob = claim(&w);
    assert_str(bob->address, "bob@shop.example");
    assert_null(claim(&w));
    outcome(&w, bob, OUTCOME_SENT);
    assert_int_equal(status(&w).state, BROADCAST_RUNNING);
    assert_int_equal(status(&w).counts[RECIPIENT_WAITING], 0); /* not even queued */
    engine_world_tick(&w, 8 * TIME_HOUR_MS - 1);
    run(&w);
    assert_null(claim(&w));
    engine_world_tick(&w, 1);
    run(&w);
    const struct claim *ada = claim(&w);
    assert_str(ada->address, "ada@shop.example");
    outcome(&w, ada, OUTCOME_SENT);
    assert_int_equal(status(&w).state, BROADCAST_FINISHED);
    engine_world_close(&w);
}

TEST(broadcast_night, strangers_who_sleep_keep_nothing_going)
{
    struct world w = world();
    assert_ok(engine_world_define(&w, DEFINE_LIMITS, "limits", NIGHT));
    identify(&w, "eve", "{\"email\":\"eve@shop.example\",\"plan\":\"free\"}");
    identify(&w, "bob", "{\"email\":\"bob@shop.example\",\"plan\":\"pro\"" EAST);
    assert_ok(act(&w, "launch"));
    run(&w);
    outcome(&w, claim(&w), OUTCOME_SENT);
    assert_int_equal(status(&w).state, BROADCAST_FINISHED);
    engine_world_close(&w);
}

/* Each night somebody who slept has come into the audience since. */
TEST(broadcast_night, an_audience_that_grows_each_night_comes_to_an_end)
{
    struct world w = world();
    assert_ok(engine_world_define(&w, DEFINE_LIMITS, "limits", NIGHT));
    for (int i = 0; i < 12; i++)
        identify(&w, str_format(w.arena, "u%d", i).ptr,
                 i % 2 ? "{\"email\":\"e@shop.example\",\"plan\":\"free\"}"
                       : "{\"email\":\"f@shop.example\",\"plan\":\"free\"" EAST);
    person(&w, "ada");
    assert_ok(act(&w, "launch"));
    run(&w);
    int turns = 0;
    while (status(&w).state == BROADCAST_RUNNING && turns++ < 60) {
        if (turns <= 12) /* those of one place while it is night there */
            identify(&w, str_format(w.arena, "u%d", turns - 1).ptr, "{\"plan\":\"pro\"}");
        engine_world_tick(&w, 11 * TIME_HOUR_MS);
        run(&w);
        for (const struct claim *one; (one = claim(&w)) != NULL;)
            outcome(&w, one, OUTCOME_SENT);
    }
    assert_int_equal(status(&w).state, BROADCAST_FINISHED);
    assert_true(w.now_ms < T0 + 6 * TIME_DAY_MS);
    engine_world_close(&w);
}

TEST(broadcast_night, each_variant_is_about_its_own_topic_unless_the_broadcast_says_one)
{
    static const char *const mores[] = {
        ",\"experiment\":{\"variants\":[{\"name\":\"a\",\"template\":\"news\"},"
        "{\"name\":\"b\",\"template\":\"tips\"}]}",
        ",\"topic\":\"all\",\"experiment\":{\"variants\":[{\"name\":\"a\","
        "\"template\":\"news\"},{\"name\":\"b\",\"template\":\"tips\"}]}",
    };
    for (int says = 0; says < 2; says++) {
        struct world          w = world();
        const struct program *program = engine_program(w.engine);
        bool                  seen[2] = { false, false };
        assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "tips",
                                      "subject: s\ntopic: tips\n--- html\nx"));
        struct str text =
            str_format(w.arena, "{\"broadcast\":\"spring\",\"audience\":\"plan = \\\"pro\\\"\"%s}",
                       mores[says]);
        if (engine_world_define(&w, DEFINE_BROADCAST, "spring", text.ptr) != OK)
            fail_msg("%s: %s", w.problem.where, w.problem.what);
        for (int i = 0; i < 12; i++)
            person(&w, str_format(w.arena, "u%d", i).ptr);
        assert_ok(act(&w, "launch"));
        run(&w);
        for (size_t i = 0; i < w.out.decisions_count; i++) {
            const struct decision *d = &w.out.decisions[i];
            if (d->kind != DECISION_INTENT)
                continue;
            const struct template_def *template = program_template_at(program, d->other);
            struct str about = program_name(program, NAME_TOPIC, d->topic);
            seen[str_eq(about, STR("tips"))] = true;
            if (says)
                assert_str(about, "all");
            else
                assert_int_equal(d->topic, template->topic);
        }
        assert_true(says || (seen[0] && seen[1]));
        engine_world_close(&w);
    }
}
