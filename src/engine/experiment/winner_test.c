#include "engine/experiment/winner.h"

#include "base/test.h"
#include "base/time.h"
#include "engine/experiment/hypothesis.h"

static enum err read(const char *text, struct winner_rule *rule, struct problem *problem)
{
    static struct arena *arena;
    struct json          value;
    arena_close(arena);
    arena = arena_open(1 << 20); /* the rule's texts are borrowed until the next */
    assert_ok(json_parse_once(arena, str_of(text), &value, NULL));
    enum err err = winner_read(&value, "w", rule, problem);
    if (err != OK) {
        arena_close(arena);
        arena = NULL;
    }
    return err;
}

#define RULE(more) "{\"share\":20,\"decide_after\":\"4 hours\"" more "}"

TEST(winner, what_is_no_rule_is_refused_by_its_place)
{
    static const struct {
        const char *text, *where;
    } table[] = {
        { "5", "w" },
        { "{\"decide_after\":\"4 hours\"}", "w" },
        { RULE(",\"other\":1"), "w" },
        { "{\"share\":91,\"decide_after\":\"4 hours\"}", "w.share" },
        { "{\"share\":20}", "w.decide_after" },
        { "{\"share\":20,\"decide_after\":\"59 seconds\"}", "w.decide_after" },
        { "{\"share\":20,\"decide_after\":\"31 days\"}", "w.decide_after" },
        { RULE(",\"by\":7"), "w.by" },
        { RULE(",\"by\":[\"clicked\"]"), "w.by" },
        { RULE(",\"by\":\"luck\""), "w.by" },
        { RULE(",\"by\":\"goal\""), "w.goal" },
        { RULE(",\"by\":\"opened\",\"goal\":\"did \\\"X\\\"\""), "w.goal" },
        { RULE(",\"people\":\"many\""), "w.people" },
        { RULE(",\"people\":0"), "w.people" },
        { RULE(",\"people\":10000001"), "w.people" },
        { RULE(",\"sure\":\"very\""), "w.sure" },
        { RULE(",\"sure\":49"), "w.sure" },
        { RULE(",\"sure\":100"), "w.sure" },
        { RULE(",\"otherwise\":[]"), "w.otherwise" },
        { RULE(",\"otherwise\":\"never\""), "w.otherwise" },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct winner_rule rule;
        struct problem     problem = { .where = "" };
        assert_int_equal(read(table[i].text, &rule, &problem), ERR_INPUT);
        assert_string_equal(problem.where, table[i].where);
        assert_true(problem.remedy[0] != '\0');
    }
}

TEST(winner, a_rule_says_by_what_after_when_and_what_else)
{
    struct winner_rule rule;
    assert_ok(winner_read(NULL, "w", &rule, NULL));
    assert_int_equal(rule.share, 0);
    assert_ok(read(RULE(""), &rule, NULL));
    assert_int_equal(rule.share, DEAL_ALL / 5);
    assert_int_equal(rule.after_ms, 4 * TIME_HOUR_MS);
    assert_int_equal(rule.by, WINNER_CLICKED);
    assert_int_equal(rule.people, WINNER_PEOPLE);
    assert_false(rule.waits);
    assert_ok(read(RULE(",\"goal\":\"did \\\"X\\\"\",\"people\":7,\"sure\":99.9,\"otherwise\":"
                        "\"wait\""),
                   &rule, NULL));
    assert_int_equal(rule.by, WINNER_GOAL);
    assert_int_equal(rule.people, 7);
    assert_true(rule.waits && rule.sure > 0.998);
    assert_ok(read(RULE(",\"by\":\"opened\",\"otherwise\":\"ahead\""), &rule, NULL));
    assert_int_equal(rule.by, WINNER_OPENED);
}

static uint32_t pick(bool waits, uint64_t first, uint64_t second, uint64_t of, enum winner_how *how)
{
    struct winner_rule rule = { .people = 100, .sure = 0.95, .waits = waits };
    struct odds_count  counts[2] = { { of, first }, { of, second } };
    double             best[2];
    return winner_pick(&rule, counts, 2, best, how);
}

TEST(winner, nobody_wins_without_a_success_and_without_being_sure_only_who_may_be_ahead)
{
    enum winner_how how;
    assert_int_equal(pick(false, 90, 10, 200, &how), 0);
    assert_int_equal(how, WINNER_SURE);
    assert_int_equal(pick(false, 10, 11, 200, &how), 1);
    assert_int_equal(how, WINNER_AHEAD);
    assert_int_equal(pick(true, 10, 11, 200, &how), WINNER_NONE);
    assert_int_equal(how, WINNER_NOT_YET);
    assert_int_equal(pick(false, 20, 1, 50, &how), 0); /* too few people to be sure */
    assert_int_equal(how, WINNER_AHEAD);
    assert_int_equal(pick(false, 0, 0, 200, &how), WINNER_NONE);
    assert_int_equal(how, WINNER_NOT_YET);
}

TEST(winner, a_hypothesis_is_a_text_that_one_can_read)
{
    char               much[HYPOTHESIS_BYTES_MAX + 1] = { 0 };
    const struct json  number = { .kind = JSON_INT, .integer = 5 };
    const struct json  empty = { .kind = JSON_STRING, .string = STR("") };
    const struct json  text = { .kind = JSON_STRING, .string = STR("shorter is read more") };
    const struct json  longer = { .kind = JSON_STRING, .string = { much, sizeof much } };
    const struct json *none = NULL;
    assert_true(hypothesis_is_good(none) && hypothesis_is_good(&text));
    assert_false(hypothesis_is_good(&number) || hypothesis_is_good(&empty));
    assert_false(hypothesis_is_good(&longer));
}
