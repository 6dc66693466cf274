/* What is asked of an engine beside its records, and changes nothing. */
#include <stdio.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"
#include "engine/segment/segment.h"

static void identify(struct world *w, const char *user, const char *anonymous, const char *traits)
{
    struct json object;
    assert_ok(json_parse_once(w->arena, str_of(traits), &object, NULL));
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_IDENTIFY,
                                                    .user_id = str_of(user),
                                                    .anonymous_id = str_of(anonymous),
                                                    .properties = &object }));
}

TEST(question, people_are_found_by_every_name_that_they_have)
{
    struct world w = engine_world_open();
    char         much[IDENTITY_BYTES_MAX + 1];
    memset(much, 'x', sizeof much);
    identify(&w, "ada", "7f3", "{}");
    identify(&w, "bo", NULL, "{}");
    const struct engine *e = w.engine;
    uint32_t             ada = engine_find(e, STR("ada"));
    assert_int_not_equal(ada, PROFILE_NONE);
    assert_int_equal(engine_find(e, STR("anonymous:7f3")), ada);
    assert_int_equal(engine_find(e, STR("7f3")), ada);
    assert_int_equal(engine_find(e, STR("p1")), 0);
    static const char *const nobody[] = { "",  "p0", "p-1",          "p99", "px",
                                          "p", "ad", "anonymous:xx", "q1",  "p4294967296" };
    for (size_t i = 0; i < sizeof nobody / sizeof nobody[0]; i++)
        assert_int_equal(engine_find(e, str_of(nobody[i])), PROFILE_NONE);
    assert_int_equal(engine_find(e, (struct str){ much, sizeof much }), PROFILE_NONE);
    engine_world_close(&w);
}

static const struct segment_program *compiled(struct world *w, const char *condition,
                                              struct segment_program *out)
{
    const struct segment_node *tree;
    struct segment_names       names = program_names_in_place(engine_program(w->engine));
    assert_ok(segment_parse(w->arena, str_of(condition), &tree, NULL));
    assert_ok(segment_compile(w->arena, tree, &names, out, NULL));
    return out;
}

TEST(question, people_are_counted_in_parts_each_once_and_only_who_was_known_by_then)
{
    struct world           w = engine_world_open();
    struct segment_program program;
    char                   user[8];
    identify(&w, "ada", NULL, "{\"plan\":\"pro\"}");
    identify(&w, "ada", "d1", "{}"); /* d1 is the same person */
    identify(&w, "gone", NULL, "{\"plan\":\"pro\"}");
    assert_ok(
        engine_world_tell(&w, (struct record){ .kind = RECORD_ERASE,
                                               .profile = engine_find(w.engine, STR("gone")) }));
    for (int i = 0; i < 5; i++) {
        snprintf(user, sizeof user, "u%d", i);
        identify(&w, user, NULL, i < 2 ? "{\"plan\":\"pro\"}" : "{\"plan\":\"free\"}");
    }
    engine_world_tick(&w, TIME_DAY_MS);
    identify(&w, "late", NULL, "{\"plan\":\"pro\"}");
    engine_world_order_at(&w, "early", "{}", T0 - TIME_DAY_MS); /* told late, of before */

    uint32_t     sample[2], cursor = 0, parts = 1;
    struct count count = { .sample = sample, .sample_room = 2 };
    compiled(&w, "plan = \"pro\"", &program);
    while (!engine_count(w.engine, &program, w.now_ms, &cursor, 3, &count))
        parts++;
    assert_true(parts >= 3);
    assert_int_equal(count.people, 8);
    assert_int_equal(count.matching, 4);
    assert_int_equal(count.sample_count, 2);
    count = (struct count){ .sample_room = 0 };
    cursor = 0;
    assert_true(engine_count(w.engine, &program, T0 + 1, &cursor, UINT32_MAX, &count));
    assert_int_equal(count.people, 7); /* not who came a day after, but whose order was before */
    assert_int_equal(count.matching, 3);
    assert_true(engine_trait_is_told(w.engine, STR("plan")));
    assert_false(engine_trait_is_told(w.engine, STR("colour")));
    engine_world_close(&w);
}

TEST(question, a_trait_that_only_erased_people_had_is_told_of_nobody)
{
    struct world w = engine_world_open();
    identify(&w, "ada", "d1", "{\"plan\":\"pro\"}");
    assert_ok(engine_world_tell(
        &w, (struct record){ .kind = RECORD_ERASE, .profile = engine_find(w.engine, STR("ada")) }));
    identify(&w, "bo", "d2", "{\"size\":1}");
    assert_false(engine_trait_is_told(w.engine, STR("plan")));
    assert_true(engine_trait_is_told(w.engine, STR("size")));
    engine_world_close(&w);
}

static struct str computed(struct world *w, const char *user, size_t most)
{
    struct buf out = buf_make(1 << 16);
    engine_computed_write(w->engine, engine_find(w->engine, str_of(user)), most, &out);
    struct str kept = str_copy(w->arena, buf_view(&out));
    buf_done(&out);
    return kept;
}

TEST(question, computed_traits_are_one_object_in_which_scores_are_another)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_TRAIT, "orders", "count of \"Order Completed\""));
    assert_ok(
        engine_world_define(&w, DEFINE_TRAIT, "last", "last of amount of \"Order Completed\""));
    assert_ok(engine_world_define(&w, DEFINE_TRAIT, "gone", "count of \"X\""));
    assert_ok(engine_world_define(&w, DEFINE_TRAIT, "gone", ""));
    identify(&w, "bo", NULL, "{}");
    engine_world_order(&w, "ada", 7);
    assert_str(computed(&w, "ada", 4096), "{\"orders\":1,\"last\":7}");
    assert_str(computed(&w, "bo", 4096), "{\"orders\":0}");
    for (int i = 0; i < 2; i++)
        assert_ok(
            engine_world_define(&w, DEFINE_SCORE, i == 0 ? "lead" : "heat",
                                "{\"rules\":[{\"event\":\"Order Completed\",\"points\":30}]}"));
    assert_str(computed(&w, "ada", 4096),
               "{\"scores\":{\"lead\":30,\"heat\":30},\"orders\":1,\"last\":7}");
    assert_str(computed(&w, "ada", 20), "{\"orders\":1}"); /* what does not fit is left out */
    engine_world_close(&w);
}

static struct str derived(struct world *w, const char *user)
{
    struct buf out = buf_make(1 << 16);
    engine_derived_write(w->engine, engine_find(w->engine, str_of(user)), &out);
    struct str kept = str_copy(w->arena, buf_view(&out));
    buf_done(&out);
    return kept;
}

TEST(question, what_is_derived_says_from_what_and_what_was_told_is_not_said_again)
{
    struct world w = engine_world_open();
    identify(&w, "ada", NULL, "{\"phone\":\"+4790000000\"}");
    identify(&w, "bo", NULL, "{\"country\":\"NO\",\"language\":\"nb\"}");
    identify(&w, "cy", NULL, "{\"language\":5}");
    struct str ada = derived(&w, "ada"), bo = derived(&w, "bo");
    assert_true(str_find(ada, 0, STR("\"country\":{\"value\":\"NO\"")) < ada.len);
    assert_true(str_find(bo, 0, STR("\"country\":{")) == bo.len);
    assert_str(engine_language(w.engine, engine_find(w.engine, STR("bo"))), "nb");
    assert_int_equal(engine_language(w.engine, engine_find(w.engine, STR("cy"))).len, 0);
    engine_world_close(&w);
}

/* "ada" gets a mail by her order; its number. */
static uint64_t claimed(struct world *w)
{
    assert_ok(engine_world_define(w, DEFINE_TEMPLATE, "hi",
                                  "subject: s\ntransactional: yes\n--- html\nx"));
    assert_ok(engine_world_define(
        w, DEFINE_JOURNEY, "j",
        "{\"journey\":\"j\",\"trigger\":{\"event\":\"Order Completed\"},\"reentry\":\"always\","
        "\"nodes\":[{\"id\":\"m\",\"email\":\"hi\"}]}"));
    identify(w, "ada", NULL, "{\"email\":\"ada@x.example\"}");
    engine_world_order(w, "ada", 1);
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_CLAIM, .count = 1 }));
    assert_int_equal(w->out.claims_count, 1);
    return w->out.claims[0].message;
}

TEST(question, a_message_is_being_sent_until_it_was_and_then_has_its_instant_and_its_events)
{
    struct world w = engine_world_open();
    uint64_t     message = claimed(&w), seqs[2] = { 0 };
    uint32_t     ada = engine_find(w.engine, STR("ada"));
    assert_true(engine_message_sent_ms(w.engine, ada, message) == INT64_MAX);
    assert_true(engine_message_sent_ms(w.engine, ada, message + 1) == INT64_MIN);
    assert_true(engine_message_sent_ms(w.engine, 77, message) == INT64_MIN);
    w.now_ms += TIME_HOUR_MS;
    assert_ok(engine_world_tell(
        &w, (struct record){ .kind = RECORD_OUTCOME,
                             .outcome = { .message = message, .kind = OUTCOME_SENT } }));
    struct json_member number = { STR("message"), { .kind = JSON_INT } };
    struct json        properties = { .kind = JSON_OBJECT, .count = 1, .members = &number };
    number.value.integer = (int64_t)message;
    assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_MESSAGE,
                                                     .name = EVENT_MESSAGE_SENT,
                                                     .profile = ada,
                                                     .properties = &properties,
                                                     .message = message }));
    assert_true(engine_message_sent_ms(w.engine, ada, message) == w.now_ms);
    assert_true(engine_message_sent_ms(w.engine, ada, message + 1) == INT64_MIN);
    assert_int_equal(engine_message_events(w.engine, ada, 0, seqs, 2), 0);
    for (int i = 0; i < 3; i++) {
        engine_world_tick(&w, TIME_HOUR_MS);
        assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_MESSAGE,
                                                         .name = EVENT_MESSAGE_OPENED,
                                                         .profile = ada,
                                                         .message = message }));
    }
    assert_int_equal(engine_message_events(w.engine, ada, 0, seqs, 2), 2);
    assert_int_equal(seqs[0], w.seq);
    assert_int_equal(engine_message_events(w.engine, ada, seqs[1], seqs, 2), 1);
    struct event_ref refs[3];
    assert_int_equal(engine_events(w.engine, ada, 0, refs, 3), 3); /* of five and a mail's */
    assert_int_equal(engine_events(w.engine, ada, 1, refs, 1), 1);
    assert_true(refs[0].seq < w.seq);
    engine_world_close(&w);
}
