/* Conditions by example: when they hold, until when, what they depend on, the explanation. */
#include "engine/segment/segment.h"

#include <string.h>

#include "base/hash.h"
#include "base/test.h"

enum { ARENA_BYTES = 4 << 20, OUT_BYTES = 1 << 16, EVENTS_MAX = 64 };

/* One person whose events are told in order, an hour apart from 2026-01-01T00:00Z. */
struct person {
    struct arena *arena;
    struct dict  *events, *properties, *traits;
    struct buf    bags;
    uint16_t      name[EVENTS_MAX];
    int64_t       at_ms[EVENTS_MAX];
    uint32_t      seq[EVENTS_MAX], bag[EVENTS_MAX];
    struct run    run;
    int64_t       start_ms;
};

static bool trait_of(const struct facts *facts, uint16_t key, struct facts_trait *out)
{
    const struct person *p = facts->person;
    *out = (struct facts_trait){ .value = { .kind = JSON_STRING, .string = STR("NO") },
                                 .seq = 3,
                                 .since_ms = p->start_ms,
                                 .until_ms = TIME_NEVER };
    return str_eq(dict_text(p->traits, key), STR("country"));
}

static struct facts_member member_of(const struct facts *facts, uint32_t id)
{
    (void)facts;
    return (struct facts_member){ id == 1, FACTS_SINCE_UNKNOWN, TIME_NEVER };
}

static struct str id_of(const struct facts *facts)
{
    (void)facts;
    return STR("p1");
}

static const struct facts_ops ops = { trait_of, member_of, member_of, id_of };

static struct person person_make(void)
{
    struct person p = { .arena = arena_open(ARENA_BYTES),
                        .events = dict_open(),
                        .properties = dict_open(),
                        .traits = dict_open(),
                        .bags = buf_make(OUT_BYTES) };
    assert_ok(time_parse(STR("2026-01-01"), &p.start_ms));
    buf_str(&p.bags, STR("--------"));
    return p;
}

static void person_donep(struct person *p)
{
    dict_close(p->events);
    dict_close(p->properties);
    dict_close(p->traits);
    buf_done(&p->bags);
    arena_close(p->arena);
}

static void did(struct person *p, const char *name, int hour, const char *properties)
{
    uint32_t    at = p->run.count++;
    struct json json;
    assert_ok(json_parse_once(p->arena, str_of(properties), &json, NULL));
    assert_ok(dict_intern(p->events, str_of(name), &p->name[at]));
    p->at_ms[at] = p->start_ms + hour * TIME_HOUR_MS;
    p->seq[at] = at + 1;
    size_t before = p->bags.len;
    assert_ok(bag_write(&p->bags, p->properties, &json, NULL));
    p->bag[at] = p->bags.len > before ? (uint32_t)(before / BAG_UNIT_BYTES) : 0;
}

static uint32_t number_of(const void *owner, struct str name)
{
    (void)owner;
    return str_eq(name, STR("vip")) ? 1 : str_eq(name, STR("other")) ? 2 : SEGMENT_NO_ID;
}

static struct segment_names names_of(struct person *p)
{
    return (struct segment_names){ .events = p->events,
                                   .properties = p->properties,
                                   .traits = p->traits,
                                   .grow = true,
                                   .has_entry = true,
                                   .segment = number_of,
                                   .list = number_of };
}

static struct facts facts_at(struct person *p, int64_t now_ms)
{
    p->run = (struct run){ p->name, p->at_ms, p->seq, p->bag, p->run.count };
    return (struct facts){ .now_ms = now_ms,
                           .seq_max = UINT32_MAX,
                           .runs = &p->run,
                           .runs_count = 1,
                           .bags = { (const unsigned char *)p->bags.ptr, p->bags.len },
                           .entry_ms = p->start_ms + 5 * TIME_HOUR_MS,
                           .person = p,
                           .ops = &ops };
}

static struct segment_program compiled(struct person *p, const char *text,
                                       const struct segment_node **node)
{
    struct segment_program program = { 0 };
    struct segment_names   names = names_of(p);
    struct problem         problem = { 0 };
    if (segment_parse(p->arena, str_of(text), node, &problem) != OK ||
        segment_compile(p->arena, *node, &names, &program, &problem) != OK)
        fail_msg("%s: %s: %s", text, problem.where, problem.what);
    return program;
}

/* Hours after the start; NEVER for never. */
enum { NEVER = -1 };

static void assert_verdict(struct person *p, int hour, const char *text, bool holds, int until)
{
    const struct segment_node *node;
    struct segment_program     program = compiled(p, text, &node);
    struct facts               facts = facts_at(p, p->start_ms + hour * TIME_HOUR_MS);
    struct verdict             v = segment_eval(&program, &facts);
    int64_t until_ms = until == NEVER ? TIME_NEVER : p->start_ms + until * TIME_HOUR_MS;
    if (v.holds != holds || v.until_ms != until_ms)
        fail_msg("%s: at hour %d it is %d until %lld, not %d until %lld", text, hour, v.holds,
                 (long long)v.until_ms, holds, (long long)until_ms);
}

TEST(segment, an_answer_tells_the_hour_at_which_time_alone_turns_it)
{
    SCOPED(person_donep) struct person p = person_make();
    did(&p, "Buy", 1, "{\"revenue\":10,\"sku\":\"a\"}");
    did(&p, "Buy", 4,
        "{\"revenue\":2.5,\"sku\":\"b\",\"lines\":[{\"c\":\"tent\"},{\"c\":\"pan\"}]}");
    did(&p, "View", 6, "{}");
    did(&p, "Buy", 8, "{\"revenue\":5,\"sku\":\"a\"}");

    static const struct {
        const char *text;
        int         hour;
        bool        holds;
        int         until;
    } table[] = {
        { "did \"Buy\"", 10, true, NEVER },
        { "did \"Buy\"", 0, false, 1 },
        { "never did \"Sell\"", 10, true, NEVER },
        { "did \"Buy\" at least 2 times in the last 10 hours", 10, true, 14 },
        { "did \"Buy\" at least 3 times in the last 10 hours", 10, true, 11 },
        { "did \"Buy\" at least 3 times in the last 10 hours", 11, false, NEVER },
        { "did \"Buy\" exactly 2 times in the last 10 hours", 11, true, 14 },
        { "did \"Buy\" at most 1 time in the last 10 hours", 11, false, 14 },
        { "did \"Buy\" at least 2 times not in the last 10 hours", 12, false, 14 },
        { "did \"Buy\" since 2026-01-01T04:00:00Z where sku = \"a\"", 10, true, NEVER },
        { "did \"Buy\" before 2026-01-01T04:00:00Z where sku = \"b\"", 10, false, NEVER },
        { "did \"Buy\" since entry", 10, true, NEVER },
        { "did \"Buy\" where any lines.c = \"tent\"", 10, true, NEVER },
        { "did \"Buy\" where all lines.c = \"tent\"", 10, false, NEVER },
        { "last did \"Buy\" more than 30 hours ago", 10, false, 38 },
        { "last did \"Buy\" more than 30 hours ago", 38, true, NEVER },
        { "last did \"Buy\" less than 3 hours ago", 10, true, 11 },
        { "first did \"Buy\" less than 12 hours ago", 10, true, 13 },
        { "sum of revenue of \"Buy\" in the last 10 hours > 6", 10, true, 14 },
        { "sum of revenue of \"Buy\" in the last 10 hours = 17.5", 10, true, 11 },
        { "average of revenue of \"Buy\" in the last 10 hours < 4", 10, false, 11 },
        { "greatest of revenue of \"Buy\" in the last 10 hours < 6", 10, false, 11 },
        { "least of revenue of \"Buy\" in the last 10 hours >= 3", 10, false, 14 },
        { "distinct count of sku of \"Buy\" in the last 10 hours >= 2", 10, true, 14 },
        { "did \"View\" then \"Buy\" within 2 hours", 10, true, NEVER },
        { "did \"View\" then \"Buy\" within 1 hour", 10, false, NEVER },
        { "did \"Buy\" and then no \"Buy\" within 4 hours", 9, false, 12 },
        { "did \"Buy\" and then no \"View\" within 3 hours", 4, true, NEVER },
        { "did \"Buy\" in the last 5 hours and then no \"View\" within 3 hours", 11, true, 13 },
        { "country = \"NO\" and in list \"vip\"", 0, true, NEVER },
        { "in 100% by \"x\" and not in 0% by \"x\"", 0, true, NEVER },
        /* Two false parts: the AND is false for as long as the longer of them. */
        { "last did \"Buy\" more than 30 hours ago and last did \"View\" more than 9 hours ago", 10,
          false, 38 },
        { "last did \"Buy\" more than 30 hours ago or last did \"View\" more than 9 hours ago", 10,
          false, 15 },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        assert_verdict(&p, table[i].hour, table[i].text, table[i].holds, table[i].until);
}

TEST(segment, what_is_not_yet_known_does_not_count)
{
    SCOPED(person_donep) struct person p = person_make();
    const struct segment_node         *node;
    did(&p, "Buy", 1, "{}");
    did(&p, "Buy", 2, "{}");
    struct segment_program program = compiled(&p, "did \"Buy\" at least 2 times", &node);
    struct facts           facts = facts_at(&p, p.start_ms + 9 * TIME_HOUR_MS);
    assert_true(segment_eval(&program, &facts).holds);
    facts.seq_max = 1;
    assert_false(segment_eval(&program, &facts).holds);
}

TEST(segment, tenths_add_up_exactly_in_whatever_order)
{
    SCOPED(person_donep) struct person p = person_make();
    did(&p, "Buy", 1, "{\"n\":0.1}");
    did(&p, "Buy", 2, "{\"n\":0.2}");
    assert_verdict(&p, 5, "sum of n of \"Buy\" = 0.3", true, NEVER);
}

TEST(segment, a_block_of_names_is_scanned_as_one_name_at_a_time_would_be)
{
    for (int place = 0; place < EVENTS_MAX; place++) {
        SCOPED(person_donep) struct person p = person_make();
        for (int i = 0; i < EVENTS_MAX; i++)
            did(&p, i == place ? "Rare" : "Common", i, "{}");
        assert_verdict(&p, 99, "last did \"Rare\" more than 1 hour ago", true, NEVER);
        assert_verdict(&p, 99, "did \"Rare\" exactly 1 time", true, NEVER);
        assert_verdict(&p, 99, "did \"Common\" exactly 63 times", true, NEVER);
    }
}

TEST(segment, a_program_names_all_it_depends_on_and_nothing_else)
{
    SCOPED(person_donep) struct person p = person_make();
    const struct segment_node         *node;
    struct segment_program             program =
        compiled(&p,
                 "did \"B\" then \"A\" within 1h and (country = \"x\" or did \"B\" where sku = "
                 "\"1\") and in segment \"vip\" and not in list \"other\"",
                 &node);
    assert_int_equal(program.events_count, 2);
    assert_true(segment_needs_event(&program, dict_find(p.events, STR("A"))));
    assert_true(segment_needs_event(&program, dict_find(p.events, STR("B"))));
    assert_false(segment_needs_event(&program, 2));
    assert_int_equal(program.traits_count, 1);
    assert_true(segment_needs_trait(&program, dict_find(p.traits, STR("country"))));
    assert_int_equal(dict_find(p.traits, STR("sku")), DICT_NONE);
    assert_true(program.segments_count == 1 && segment_needs_segment(&program, 1));
    assert_true(program.lists_count == 1 && segment_needs_list(&program, 2));
}

TEST(segment, names_that_do_not_exist_are_told_and_entry_wants_a_journey)
{
    static const struct {
        const char *text, *where, *what;
        enum err    err;
    } table[] = {
        { "everyone and in segment \"vop\"", "1:14", "no such segment: \"vop\"", ERR_ABSENT },
        { "in list \"vop\"", "1:1", "no such list: \"vop\"", ERR_ABSENT },
        { "not did \"A\" since entry", "1:5", "outside a journey", ERR_INPUT },
    };
    SCOPED(person_donep) struct person p = person_make();
    struct segment_names               names = names_of(&p);
    names.has_entry = false;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const struct segment_node *node;
        struct segment_program     program;
        struct problem             problem = { 0 };
        assert_ok(segment_parse(p.arena, str_of(table[i].text), &node, NULL));
        assert_int_equal(segment_compile(p.arena, node, &names, &program, &problem), table[i].err);
        assert_str(str_of(problem.where), table[i].where);
        assert_non_null(strstr(problem.what, table[i].what));
    }
}

TEST(segment, a_draft_asks_about_unseen_names_without_leaving_them_behind)
{
    SCOPED(person_donep) struct person p = person_make();
    struct segment_names               names = names_of(&p);
    const struct segment_node         *node;
    struct segment_program             program;
    names.grow = false;
    struct str text = STR("never did \"X\" and colour does not exist");
    assert_ok(segment_parse(p.arena, text, &node, NULL));
    assert_ok(segment_compile(p.arena, node, &names, &program, NULL));
    struct facts facts = facts_at(&p, p.start_ms);
    assert_true(segment_eval(&program, &facts).holds);
    assert_int_equal(dict_count(p.events) + dict_count(p.traits), 0);
}

TEST(segment, a_share_is_stable_and_about_as_large_as_it_says)
{
    int within = 0;
    for (uint64_t i = 0; i < 10000; i++) {
        uint64_t who = i;
        within += hash_chance((struct str){ (const char *)&who, sizeof who }, STR("seed")) < 0.2;
    }
    assert_true(within > 1850 && within < 2150);
}

TEST(segment, an_explanation_gives_each_condition_with_its_evidence)
{
    SCOPED(person_donep) struct person p = person_make();
    SCOPED(buf_donep) struct buf       out = buf_make(OUT_BYTES);
    const struct segment_node         *node;
    did(&p, "Buy", 1, "{\"n\":2}");
    did(&p, "Buy", 2, "{\"n\":3}");
    struct segment_program program =
        compiled(&p,
                 "did \"Buy\" in the last 4 hours and (country = \"SE\" or sum of n of \"Buy\" > "
                 "4)",
                 &node);
    struct facts facts = facts_at(&p, p.start_ms + 3 * TIME_HOUR_MS);
    segment_explain(&program, node, &facts, &out);
    assert_str(
        buf_view(&out),
        "{\"condition\":\"did \\\"Buy\\\" in the last 4 hours and (country = \\\"SE\\\" or sum "
        "of n of \\\"Buy\\\" > 4)\",\"holds\":true,\"until\":\"2026-01-01T06:00:00.000Z\","
        "\"so_since\":\"2026-01-01T02:00:00.000Z\",\"parts\":[{\"condition\":\"did \\\"Buy\\\" in "
        "the last 4 hours\",\"holds\":true,"
        "\"until\":\"2026-01-01T06:00:00.000Z\","
        "\"so_since\":\"2026-01-01T01:00:00.000Z\",\"events\":[{\"seq\":2,\"at\":"
        "\"2026-01-01T02:00:00.000Z\"},{\"seq\":1,\"at\":\"2026-01-01T01:00:00.000Z\"}],"
        "\"count\":2},{\"condition\":\"country = \\\"SE\\\" or sum of n of \\\"Buy\\\" > 4\","
        "\"holds\":true,\"so_since\":\"2026-01-01T02:00:00.000Z\",\"parts\":[{\"condition\":"
        "\"country = \\\"SE\\\"\",\"holds\":false,"
        "\"so_since\":\"2026-01-01T01:00:00.000Z\",\"value\":\"NO\",\"seq\":3,\"since\":\"2026-01-"
        "01T00:00:00.000Z\"},{\"condition\":"
        "\"sum of n of \\\"Buy\\\" > "
        "4\",\"holds\":true,\"so_since\":\"2026-01-01T02:00:00.000Z\",\"value\":5,\"events\":[{"
        "\"seq\":2,"
        "\"at\":\"2026-01-01T02:00:00.000Z\"},{\"seq\":1,\"at\":\"2026-01-01T01:00:00.000Z\"}],"
        "\"count\":2}]}]}");
}

static void assert_told(struct person *p, const char *condition, const char *from,
                        const char *wanted)
{
    SCOPED(buf_donep) struct buf out = buf_make(OUT_BYTES);
    const struct segment_node   *node;
    struct segment_program       program = compiled(p, condition, &node);
    struct facts                 facts = facts_at(p, p->start_ms + 9 * TIME_HOUR_MS);
    segment_explain(&program, node, &facts, &out);
    size_t at = str_find(buf_view(&out), 0, str_of(from));
    assert_str(str_slice(buf_view(&out), at, out.len), wanted);
}

/* Cart 8 was bought, cart 7 was left; one look was at no cart, and cart 9 was only told of. */
TEST(segment, what_goes_by_the_same_value_is_explained_with_the_value)
{
    SCOPED(person_donep) struct person p = person_make();
    did(&p, "See", 1, "{\"cart\":7}");
    did(&p, "See", 2, "{\"cart\":8}");
    did(&p, "See", 3, "{}");
    did(&p, "Buy", 4, "{\"cart\":8}");
    did(&p, "Tell", 5, "{\"cart\":9}");
    assert_told(&p, "did \"See\" then \"Buy\" within 5 hours with the same cart", "\"same\"",
                "\"same\":8,\"events\":[{\"seq\":3,\"at\":\"2026-01-01T03:00:00.000Z\"},"
                "{\"seq\":2,\"at\":\"2026-01-01T02:00:00.000Z\",\"same\":8},"
                "{\"seq\":1,\"at\":\"2026-01-01T01:00:00.000Z\",\"same\":7}],\"count\":3,"
                "\"then_events\":[{\"seq\":4,\"at\":\"2026-01-01T04:00:00.000Z\",\"same\":8}],"
                "\"then_count\":1}");
    assert_told(&p, "did \"See\" then no \"Buy\" within 5 hours with the same cart", "\"same\"",
                "\"same\":7,\"events\":[{\"seq\":3,\"at\":\"2026-01-01T03:00:00.000Z\"},"
                "{\"seq\":2,\"at\":\"2026-01-01T02:00:00.000Z\",\"same\":8},"
                "{\"seq\":1,\"at\":\"2026-01-01T01:00:00.000Z\",\"same\":7}],\"count\":3,"
                "\"then_events\":[{\"seq\":4,\"at\":\"2026-01-01T04:00:00.000Z\",\"same\":8}],"
                "\"then_count\":1}");
    assert_told(&p, "did \"Tell\" then \"Buy\" within 5 hours with the same cart", "\"events\"",
                "\"events\":[{\"seq\":5,\"at\":\"2026-01-01T05:00:00.000Z\",\"same\":9}],"
                "\"count\":1,\"then_events\":[{\"seq\":4,\"at\":\"2026-01-01T04:00:00.000Z\","
                "\"same\":8}],\"then_count\":1}");
    assert_told(&p,
                "reached step 2 of (\"See\", \"Buy\", \"Tell\") within 5 hours with the same cart",
                "\"reached\"",
                "\"reached\":2,\"same\":8,\"steps\":["
                "{\"events\":[{\"seq\":3,\"at\":\"2026-01-01T03:00:00.000Z\"},"
                "{\"seq\":2,\"at\":\"2026-01-01T02:00:00.000Z\",\"same\":8},"
                "{\"seq\":1,\"at\":\"2026-01-01T01:00:00.000Z\",\"same\":7}],\"count\":3},"
                "{\"events\":[{\"seq\":4,\"at\":\"2026-01-01T04:00:00.000Z\",\"same\":8}],"
                "\"count\":1},"
                "{\"events\":[{\"seq\":5,\"at\":\"2026-01-01T05:00:00.000Z\",\"same\":9}],"
                "\"count\":1}]}");
}

TEST(segment, a_funnel_is_explained_by_the_farthest_step_and_the_events_of_each)
{
    SCOPED(person_donep) struct person p = person_make();
    SCOPED(buf_donep) struct buf       out = buf_make(OUT_BYTES);
    const struct segment_node         *node;
    did(&p, "See", 1, "{}");
    did(&p, "Buy", 2, "{}");
    struct segment_program program =
        compiled(&p, "reached step 1 of (\"See\", \"Buy\", \"Tell\") within 3 hours", &node);
    struct facts facts = facts_at(&p, p.start_ms + 3 * TIME_HOUR_MS);
    segment_explain(&program, node, &facts, &out);
    size_t at = str_find(buf_view(&out), 0, STR("\"reached\""));
    assert_str(str_slice(buf_view(&out), at, out.len),
               "\"reached\":2,\"steps\":["
               "{\"events\":[{\"seq\":1,\"at\":\"2026-01-01T01:00:00.000Z\"}],\"count\":1},"
               "{\"events\":[{\"seq\":2,\"at\":\"2026-01-01T02:00:00.000Z\"}],\"count\":1},"
               "{\"events\":[],\"count\":0}]}");
}
