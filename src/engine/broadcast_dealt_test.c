/* A broadcast dealt: an experiment's variants, and people who are held out. */
#include "engine/broadcast_world_test.h"

enum { PEOPLE = 200 };

#define PAIR                                                                                       \
    "\"experiment\":{\"variants\":[{\"name\":\"a\",\"template\":\"news\",\"share\":30},"           \
    "{\"name\":\"b\",\"template\":\"other\",\"share\":70}]}"

static enum err dealt(struct world *w, const char *more)
{
    struct str text = str_format(
        w->arena, "{\"broadcast\":\"spring\",\"audience\":\"plan = \\\"pro\\\"\",%s}", more);
    return engine_world_define(w, DEFINE_BROADCAST, "spring", text.ptr);
}

static struct world dealt_world(const char *more)
{
    struct world w = world();
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "other",
                                  "subject: s\ntopic: offers\n--- html\ny"));
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "text", "channel: sms\n--- text\ny"));
    if (dealt(&w, more) != OK)
        fail_msg("%s: %s", w.problem.where, w.problem.what);
    for (int i = 0; i < PEOPLE; i++)
        person(&w, str_format(w.arena, "u%d", i).ptr);
    return w;
}

TEST(broadcast_dealt, who_is_held_out_gets_nothing_and_is_a_row_of_its_own)
{
    struct world             w = dealt_world("\"template\":\"news\",\"holdout\":{\"share\":20}");
    struct broadcast_preview preview = { .number = 0 };
    bool                     done = false;
    preview.number = program_broadcast(engine_program(w.engine), STR("spring"));
    assert_ok(broadcast_preview_step(w.engine, &preview, UINT32_MAX, &done));
    uint64_t held = preview.counts[RECIPIENT_HELD_OUT];
    assert_in_range(held, 20, 60);
    assert_int_equal(preview.counts[RECIPIENT_WAITING], PEOPLE - held);
    broadcast_preview_done(&preview);
    assert_ok(act(&w, "launch"));
    run(&w);
    assert_int_equal(status(&w).counts[RECIPIENT_HELD_OUT], held);
    assert_int_equal(status(&w).counts[RECIPIENT_WAITING], PEOPLE - held);
    for (const struct claim *one = claim(&w); one != NULL; one = claim(&w))
        outcome(&w, one, OUTCOME_SENT);
    assert_int_equal(status(&w).state, BROADCAST_FINISHED);
    assert_int_equal(status(&w).counts[RECIPIENT_SENT], PEOPLE - held);
    engine_world_close(&w);
}

TEST(broadcast_dealt, each_gets_the_variant_of_their_share_also_when_it_is_tried_again)
{
    struct world w = dealt_world(PAIR);
    uint32_t     news = program_template(engine_program(w.engine), STR("news"));
    uint32_t     first[PEOPLE] = { 0 }, of_news = 0, again = 0;
    assert_ok(act(&w, "launch"));
    run(&w);
    for (const struct claim *one = claim(&w); one != NULL; one = claim(&w)) {
        first[one->profile] = one->template_id + 1;
        of_news += one->template_id == news;
        outcome(&w, one, OUTCOME_FAILED);
    }
    assert_in_range(of_news, 35, 85);
    assert_ok(act(&w, "retry-failed"));
    run(&w);
    for (const struct claim *one = claim(&w); one != NULL; one = claim(&w), again++) {
        assert_int_equal(one->template_id + 1, first[one->profile]);
        outcome(&w, one, OUTCOME_SENT);
    }
    assert_int_equal(again, PEOPLE);
    engine_world_close(&w);
}

TEST(broadcast_dealt, what_makes_no_sense_is_refused_by_place)
{
    static const struct {
        const char *more, *where;
    } wrong[] = {
        { "\"template\":\"news\"," PAIR, "template" },
        { "\"experiment\":{\"variants\":[]}", "experiment" },
        { "\"experiment\":{\"variants\":[{\"name\":\"a\",\"template\":\"news\"}]}", "experiment" },
        { "\"experiment\":{\"variants\":[{\"name\":\"a\",\"template\":\"news\"},{\"name\":\"a\","
          "\"template\":\"other\"}]}",
          "experiment.variants[1]" },
        { "\"experiment\":{\"variants\":[{\"name\":\"a\",\"template\":\"news\"},{\"name\":\"b\","
          "\"template\":\"news\"}]}",
          "experiment.variants[1]" },
        { "\"experiment\":{\"variants\":[{\"name\":\"a\",\"template\":\"news\"},{\"name\":\"b\","
          "\"template\":\"text\"}]}",
          "experiment.variants[1]" },
        { "\"experiment\":{\"variants\":[{\"name\":\"a\",\"template\":\"news\",\"share\":10},"
          "{\"name\":\"b\",\"template\":\"other\",\"share\":80}]}",
          "experiment.variants" },
        { "\"template\":\"news\",\"holdout\":{\"share\":90}", "holdout.share" },
    };
    struct world w = dealt_world(PAIR);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_not_equal(dealt(&w, wrong[i].more), OK);
        assert_string_equal(w.problem.where, wrong[i].where);
    }
    /* The draft needs it. */
    assert_int_equal(engine_world_define(&w, DEFINE_TEMPLATE, "other", ""), ERR_CONFLICT);
    engine_world_close(&w);
}
