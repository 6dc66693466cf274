/* An experiment's winner: found by itself at its time, or chosen by hand. */
#include "engine/broadcast_world_test.h"

#include "engine/broadcasting.h"

enum { PEOPLE = 300 };

#define ARMS                                                                                       \
    "\"variants\":[{\"name\":\"a\",\"template\":\"news\"},{\"name\":\"b\",\"template\":\"other\"}" \
    "]"
#define RULE(more)                                                                                 \
    "\"experiment\":{" ARMS ",\"winner\":{\"share\":40,\"decide_after\":\"4 hours\"," more "}}"
#define TEXT(more) "{\"broadcast\":\"spring\",\"audience\":\"plan = \\\"pro\\\"\"," more "}"
#define OTHER "subject: s\ntopic: offers\n--- html\ny"

static struct world tested_world(const char *text)
{
    struct world w = world();
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "other", OTHER));
    if (engine_world_define(&w, DEFINE_BROADCAST, "spring", text) != OK)
        fail_msg("%s: %s", w.problem.where, w.problem.what);
    for (int i = 0; i < PEOPLE; i++)
        person(&w, str_format(w.arena, "u%d", i).ptr);
    assert_ok(act(&w, "launch"));
    run(&w);
    return w;
}

static const struct json *said(struct world *w, const char *template)
{
    struct json *object = ARENA_NEW(w->arena, struct json);
    struct str   text =
        str_format(w->arena, "{\"template\":\"%s\",\"broadcast\":\"spring\"}", template);
    assert_ok(json_parse_once(w->arena, text, object, NULL));
    return object;
}

/* All that waits goes; of news one in `news_of` is clicked, of other one in `other_of`. */
static uint32_t deliver(struct world *w, uint32_t news_of, uint32_t other_of, uint32_t *others)
{
    uint32_t news = program_template(engine_program(w->engine), STR("news")), sent[2] = { 0 };
    for (const struct claim *one = claim(w); one != NULL; one = claim(w)) {
        bool               is_news = one->template_id == news;
        const struct json *what = said(w, is_news ? "news" : "other");
        struct record      record = { .kind = RECORD_OUTCOME,
                                      .name = EVENT_MESSAGE_SENT,
                                      .profile = one->profile,
                                      .properties = what,
                                      .outcome = { .message = one->message, .kind = OUTCOME_SENT } };
        uint64_t           message = one->message;
        uint32_t           profile = one->profile;
        assert_ok(engine_world_tell(w, record));
        if (sent[is_news]++ % (is_news ? news_of : other_of) == 0)
            assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_MESSAGE,
                                                            .name = EVENT_MESSAGE_CLICKED,
                                                            .profile = profile,
                                                            .message = message,
                                                            .properties = what }));
    }
    *others = sent[0];
    return sent[1];
}

static enum err choose(struct world *w, const char *variant)
{
    struct json_member members[] = {
        { STR("act"), { .kind = JSON_STRING, .string = STR("choose") } },
        { STR("variant"), { .kind = JSON_STRING, .string = str_of(variant) } }
    };
    struct json object = { .kind = JSON_OBJECT, .count = 2, .members = members };
    return engine_world_tell(
        w,
        (struct record){ .kind = RECORD_BROADCAST, .name = STR("spring"), .properties = &object });
}

static void pass(struct world *w, int64_t ms)
{
    engine_world_tick(w, ms);
    run(w);
}

TEST(broadcast_winner, the_rest_get_the_variant_that_was_clicked_more)
{
    struct world w = tested_world(TEXT(RULE("\"people\":30")));
    uint32_t     others, news = deliver(&w, 10, 2, &others);
    assert_in_range(news + others, 90, 150);
    assert_int_equal(status(&w).state, BROADCAST_RUNNING);
    assert_int_equal(status(&w).test.phase, BROADCAST_TESTED);
    pass(&w, 4 * TIME_HOUR_MS - 2);
    assert_int_equal(status(&w).counts[RECIPIENT_WAITING], 0);
    pass(&w, 1000);
    struct broadcast_status s = status(&w);
    assert_int_equal(s.test.phase, BROADCAST_CHOSEN);
    assert_int_equal(s.test.how, WINNER_SURE);
    assert_int_equal(s.test.chosen, 2);
    assert_int_equal(s.test.counts[0].of, news);
    assert_int_equal(s.test.counts[1].of, others);
    assert_int_equal(s.test.counts[0].successes, (news + 9) / 10);
    assert_int_equal(s.test.counts[1].successes, (others + 1) / 2);
    uint32_t more, none = deliver(&w, 10, 2, &more);
    assert_int_equal(none, 0);
    assert_int_equal(more, PEOPLE - news - others);
    assert_int_equal(status(&w).state, BROADCAST_FINISHED);
    engine_world_close(&w);
}

TEST(broadcast_winner, too_few_people_make_nobody_sure_and_the_one_ahead_goes_out)
{
    struct world w = tested_world(TEXT(RULE("\"people\":5000")));
    uint32_t     others;
    (void)deliver(&w, 10, 2, &others);
    pass(&w, 5 * TIME_HOUR_MS);
    assert_int_equal(status(&w).test.how, WINNER_AHEAD);
    assert_int_equal(status(&w).test.chosen, 2);
    engine_world_close(&w);
}

TEST(broadcast_winner, who_is_to_wait_waits_until_one_is_chosen_and_is_not_finished)
{
    struct world w = tested_world(TEXT(RULE("\"people\":5000,\"otherwise\":\"wait\"")));
    uint32_t     others, news = deliver(&w, 10, 2, &others);
    pass(&w, 30 * TIME_DAY_MS);
    assert_int_equal(status(&w).test.phase, BROADCAST_ASKED);
    assert_int_equal(status(&w).state, BROADCAST_RUNNING);
    assert_int_equal(choose(&w, "c"), ERR_ABSENT);
    assert_ok(act(&w, "pause"));
    assert_ok(choose(&w, "a"));
    run(&w);
    assert_int_equal(status(&w).counts[RECIPIENT_WAITING], 0);
    assert_ok(act(&w, "resume"));
    run(&w);
    uint32_t none, more = deliver(&w, 10, 2, &none);
    assert_int_equal(none, 0);
    assert_int_equal(more, PEOPLE - news - others);
    assert_int_equal(status(&w).state, BROADCAST_FINISHED);
    assert_int_equal(choose(&w, "b"), ERR_CONFLICT);
    engine_world_close(&w);
}

TEST(broadcast_winner, one_that_waits_can_be_cancelled)
{
    struct world w = tested_world(TEXT(RULE("\"people\":5000,\"otherwise\":\"wait\"")));
    uint32_t     others;
    (void)deliver(&w, 10, 2, &others);
    pass(&w, 5 * TIME_HOUR_MS);
    assert_ok(act(&w, "cancel"));
    run(&w);
    assert_int_equal(status(&w).state, BROADCAST_CANCELLED);
    assert_int_equal(choose(&w, "a"), ERR_CONFLICT);
    engine_world_close(&w);
}

TEST(broadcast_winner, a_choice_before_the_time_is_for_all_who_were_not_come_by)
{
    struct world w = tested_world(TEXT(RULE("\"people\":30")));
    uint32_t     others, none, news = deliver(&w, 10, 2, &others);
    assert_ok(choose(&w, "a"));
    run(&w);
    assert_int_equal(deliver(&w, 10, 2, &none), PEOPLE - news - others);
    assert_int_equal(none, 0);
    assert_int_equal(status(&w).test.how, WINNER_BY_HAND);
    engine_world_close(&w);
}

TEST(broadcast_winner, what_is_tried_again_after_the_choice_is_the_winner)
{
    struct world w = tested_world(TEXT("\"experiment\":{" ARMS "}"));
    uint32_t     other, again = 0;
    for (const struct claim *one = claim(&w); one != NULL; one = claim(&w))
        outcome(&w, one, OUTCOME_FAILED);
    assert_int_equal(choose(&w, "b"), ERR_CONFLICT); /* it is over */
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "other", ""));
    assert_int_equal(act(&w, "retry-failed"), ERR_CONFLICT);
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "other", OTHER));
    assert_ok(act(&w, "retry-failed"));
    assert_ok(choose(&w, "b"));
    run(&w);
    other = program_template(engine_program(w.engine), STR("other"));
    for (const struct claim *one = claim(&w); one != NULL; one = claim(&w), again++) {
        assert_int_equal(one->template_id, other);
        outcome(&w, one, OUTCOME_SENT);
    }
    assert_int_equal(again, PEOPLE);
    engine_world_close(&w);
}

TEST(broadcast_winner, a_start_while_its_time_is_waited_for_changes_nothing)
{
    const char  *text = TEXT(RULE("\"people\":5000"));
    const char  *texts[][3] = { { "t", "news", "subject: s\ntopic: offers\n--- html\nx" },
                                { "t", "other", OTHER },
                                { "b", "spring", text } };
    struct world w = tested_world(text);
    uint32_t     others;
    (void)deliver(&w, 10, 2, &others);
    int64_t decides_ms = status(&w).decides_ms;
    reload(&w, texts, 3);
    assert_int_equal(status(&w).test.phase, BROADCAST_TESTED);
    assert_int_equal(status(&w).decides_ms, decides_ms);
    assert_ok(choose(&w, "a"));
    run(&w);
    assert_int_equal(status(&w).test.chosen, 1);
    assert_int_equal(status(&w).test.how, WINNER_BY_HAND);
    engine_world_close(&w);
}

TEST(broadcast_winner, what_was_kept_before_there_were_winners_still_loads)
{
    struct world w = tested_world(TEXT(RULE("\"people\":30")));
    assert_ok(engine_broadcasts_load(w.engine, STR("0:0:0:5:5:0:0:9:7:9:0:0:0:0:0:0:0;")));
    assert_int_equal(broadcast_run_get(w.engine, 0)->test.phase, BROADCAST_PLAIN);
    assert_int_equal(engine_broadcasts_load(w.engine, STR("0:0:0:5:5:0:0:9:7:9:0:0:0:0:0:0:0:1;")),
                     ERR_CORRUPT);
    engine_world_close(&w);
}

TEST(broadcast_winner, a_rule_that_makes_no_sense_is_refused_by_place)
{
    static const struct {
        const char *text, *where;
    } wrong[] = {
        { TEXT(RULE("\"people\":0")), "experiment.winner.people" },
        { TEXT(RULE("\"sure\":10")), "experiment.winner.sure" },
        { TEXT(RULE("\"otherwise\":\"hope\"")), "experiment.winner.otherwise" },
        { TEXT(RULE("\"by\":\"luck\"")), "experiment.winner.by" },
        { TEXT(RULE("\"by\":\"goal\"")), "experiment.winner.goal" },
        { TEXT(RULE("\"goal\":\"\\\"A\\\" within 1 hour or everyone\"")),
          "experiment.winner.goal" },
        { TEXT(RULE("\"luck\":1")), "experiment.winner" },
        { TEXT("\"when\":{\"local\":\"2046-01-01T09:00\"}," RULE("\"people\":30")),
          "experiment.winner" },
        { TEXT("\"experiment\":{" ARMS ",\"winner\":{\"share\":40}}"),
          "experiment.winner.decide_after" },
        { TEXT("\"experiment\":{" ARMS ",\"winner\":{\"share\":95,\"decide_after\":\"1 hour\"}}"),
          "experiment.winner.share" },
    };
    struct world w = world();
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "other", OTHER));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_not_equal(engine_world_define(&w, DEFINE_BROADCAST, "spring", wrong[i].text),
                             OK);
        assert_string_equal(w.problem.where, wrong[i].where);
    }
    assert_ok(engine_world_define(&w, DEFINE_BROADCAST, "spring",
                                  TEXT(RULE("\"goal\":\"did \\\"Order\\\" where revenue > 5\""))));
    engine_world_close(&w);
}
