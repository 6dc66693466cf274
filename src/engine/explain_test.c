/* Why somebody is in a segment or not: each kind of condition tells what it rests on. */
#include <string.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/codes.h"
#include "engine/engine_world_test.h"
#include "engine/segment/segment.h"
#include "engine/segment/segment_key.h"

static struct json object_of(struct world *w, const char *text)
{
    struct json object;
    assert_ok(json_parse_once(w->arena, str_of(text), &object, NULL));
    return object;
}

static void tell(struct world *w, enum record_kind kind, const char *name, const char *text)
{
    struct json object = object_of(w, text);
    assert_ok(engine_world_tell(
        w, (struct record){
               .kind = kind, .user_id = STR("ada"), .name = str_of(name), .properties = &object }));
}

static struct world shop(void)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "buyers", "did \"Order Completed\""));
    assert_ok(engine_world_define(&w, DEFINE_TRAIT, "spent",
                                  "sum of amount of \"Order Completed\" in the last 30 days"));
    assert_ok(engine_world_define(
        &w, DEFINE_STAGES, "stages",
        "{\"stages\":[{\"name\":\"visitor\",\"when\":\"everyone\"},{\"name\":\"customer\","
        "\"when\":\"did \\\"Order Completed\\\"\"}]}"));
    assert_ok(engine_world_define(
        &w, DEFINE_SCORE, "lead",
        "{\"score\":\"lead\",\"half_life\":\"14 days\",\"rules\":[{\"event\":\"Order Completed\","
        "\"points\":30,\"most\":90},{\"event\":\"Left\",\"points\":-5},{\"condition\":"
        "\"plan = \\\"pro\\\"\",\"points\":10},{\"condition\":\"plan = \\\"max\\\"\",\"points\":"
        "20}],\"lines\":[{\"name\":\"warm\",\"at\":20}]}"));
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "j",
                                  "{\"journey\":\"j\",\"trigger\":{\"event\":\"Start\"},\"nodes\":["
                                  "{\"id\":\"w\",\"wait\":\"9 days\"},{\"id\":\"e\",\"exit\":"
                                  "true}]}"));
    tell(&w, RECORD_IDENTIFY, NULL, "{\"plan\":\"pro\",\"birthday\":\"1990-01-03\"}");
    tell(&w, RECORD_LIST, "news", "{}");
    tell(&w, RECORD_TRACK, "Start", "{}");
    tell(&w, RECORD_TRACK, "Left", "{}");
    for (int i = 0; i < 8; i++)
        engine_world_order(&w, "ada", 10 + i);
    engine_world_tick(&w, TIME_DAY_MS);
    return w;
}

/* What is asked, and what the reasons have in any case. */
static const struct {
    const char *condition, *has;
} asked[] = {
    { "not did \"Gone\"", "\"count\":0}]" },
    { "plan = \"pro\"", "\"value\":\"pro\",\"seq\":6" },
    { "none exists", "\"value\":null" },
    { "birthday is in the next 7 days", "\"today\":\"2026-01-02\",\"zone\":\"UTC" },
    { "plan has been = \"pro\" for 1 hour", "\"passes\":true,\"passes_since" },
    { "plan has been = \"max\" for 1 hour", "\"passes\":false" },
    { "plan has been = \"pro\" for 9 days", "\"until\":\"2026-01-10T" },
    { "in stage \"customer\"", "\"stage\":\"customer\"}" },
    { "in stage \"visitor\"", "\"stage\":\"customer\"}" },
    { "consent is granted", "\"consent\":\"unknown" },
    { "did \"Order Completed\"", "\"events\":[{\"seq\":19" },
    { "did \"Order Completed\" at least 2 times in the last 7 days", "\"until\":\"2026-01-08T" },
    { "did \"Order Completed\" since 2026-01-01", "\"from\":\"2026-01-01T" },
    { "did \"Order Completed\" between 2025-01-01 and 2026-03-01T00:00:00Z",
      "\"from\":\"2025-01-01T" },
    { "did \"Order Completed\" not in the last 2 hours", "\"so_since\":\"2026-01-01T02" },
    { "did \"Order Completed\" today", "\"from\":\"2026-01-02T" },
    { "never did \"Order Completed\"", "\"holds\":false" },
    { "first did \"Order Completed\" today", "\"first\":\"2026-01-01T" },
    { "first did \"Order Completed\" in the last 7 days", "\"first\":\"2026-01-01T" },
    { "last did \"Order Completed\" in the last 7 days", "\"until\":\"2026-01-08T" },
    { "last did \"Gone\" in the last 7 days", "\"events\":[],\"count\":0" },
    { "sum of amount of \"Order Completed\" > 3", "\"value\":108" },
    { "last of amount of \"Order Completed\" > 3", "\"value\":17" },
    { "last of amount of \"Gone\" exists", "\"events\":[],\"count\":0" },
    { "first time of \"Order Completed\" > 30 days ago", "\"value\":\"2026-01-01T" },
    { "spent > 3", "\"computed\":true,\"value\":108" },
    { "spent > 3000", "\"holds\":false" },
    { "did \"Start\" then \"Order Completed\" within 1 day", "\"then_events\":[{\"seq\":19" },
    { "did \"Start\" then no \"Gone\" within 1 hour with the same x", "\"then_count\":0" },
    { "reached step 2 but not step 3 of (\"Start\", \"Order Completed\", \"Gone\") within 1 day",
      "\"reached\":2" },
    { "reached step 2 of (\"Gone\", \"Order Completed\") within 1 day in the last 7 days",
      "\"reached\":0" },
    { "in segment \"buyers\"", "\"holds\":true" },
    { "in list \"news\"", "\"since\":\"2026-01-01T" },
    { "in journey \"j\"", "\"since\":\"2026-01-01T" },
    { "in journey \"j\" at \"w\"", "\"holds\":true" },
    { "score \"lead\" > 10", "\"most\":90,\"gives\":90" },
    { "in 50% by \"x\"", "\"holds\":true" },
    { "everyone", "\"holds\":true" },
};

TEST(explain, each_kind_of_condition_tells_what_it_rests_on)
{
    struct world w = shop();
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        SCOPED(buf_donep) struct buf out = buf_make(1 << 20);
        const struct segment_node   *tree;
        struct segment_program       program;
        struct segment_names         names = program_names_in_place(engine_program(w.engine));
        struct json                  told;
        assert_ok(segment_parse(w.arena, str_of(asked[i].condition), &tree, NULL));
        struct problem problem = { 0 };
        if (segment_compile(w.arena, tree, &names, &program, &problem) != OK)
            fail_msg("%s: %s", asked[i].condition, problem.what);
        engine_explain(w.engine, &program, tree, engine_find(w.engine, STR("ada")), w.now_ms, &out);
        if (buf_err(&out) != OK || json_parse_once(w.arena, buf_view(&out), &told, NULL) != OK ||
            str_find(buf_view(&out), 0, str_of(asked[i].has)) == out.len)
            fail_msg("%s: %.*s", asked[i].condition, STR_ARG(buf_view(&out)));
    }
    engine_world_close(&w);
}

TEST(explain, a_key_is_what_people_would_read)
{
    static const struct {
        const char *json, *key;
    } keys[] = { { "\"a\"", "a" },     { "7", "7" },   { "1.5", "1.5" }, { "true", "true" },
                 { "false", "false" }, { "null", "" }, { "[1]", "" },    { "{\"a\":1}", "" } };
    struct world w = engine_world_open();
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char        bytes[32];
        struct json value = object_of(&w, keys[i].json);
        assert_str(segment_key_text(&value, bytes), keys[i].key);
        assert_true((segment_key(&value) == 0) == (keys[i].key[0] == 0));
    }
    engine_world_close(&w);
}

TEST(explain, every_kind_of_decision_has_a_word_of_its_own)
{
    for (int i = 1; i <= DECISION_WAITING; i++)
        for (int k = 1; k < i; k++) {
            const char *a = decision_name((enum decision_kind)i);
            assert_true(strcmp(a, decision_name((enum decision_kind)k)) != 0 ||
                        strcmp(a, "decision") == 0);
        }
    assert_string_equal(decision_name(DECISION_NONE), "decision");
    assert_string_equal(decision_name(DECISION_PARKED), "parked");
}

TEST(explain, codes_that_are_made_are_wanted_until_there_are_enough)
{
    struct world       w = engine_world_open();
    struct codes_state left;
    assert_false(engine_codes_wanted(w.engine, 5, &left));
    assert_ok(engine_world_define(&w, DEFINE_CODES, "pool", "{\"kind\":\"pool\"}"));
    assert_false(engine_codes_wanted(w.engine, 5, &left));
    assert_ok(engine_world_define(&w, DEFINE_CODES, "made", "{\"kind\":\"generated\"}"));
    assert_true(engine_codes_wanted(w.engine, 5, &left));
    assert_str(left.name, "made");
    assert_ok(engine_world_tell(
        &w, (struct record){ .kind = RECORD_CODES, .name = STR("made"), .count = 5 }));
    assert_false(engine_codes_wanted(w.engine, 5, &left));
    assert_true(engine_codes_wanted(w.engine, 6, &left));
    engine_world_close(&w);
}
