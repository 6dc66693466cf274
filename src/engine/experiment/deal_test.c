#include "engine/experiment/deal.h"

#include <math.h>
#include <stdio.h>

#include "base/test.h"
#include "engine/profile/people.h"

enum { MANY = 40000 };

static uint32_t chance_of(enum deal_kind kind, const char *name, int i)
{
    char who[16];
    snprintf(who, sizeof who, "p%d", i);
    return deal_chance(kind, str_of(name), str_of(who));
}

TEST(deal, the_same_people_always_have_the_same_chance)
{
    /* Kept for ever: who is in an experiment must not change by a new version of Dult. */
    assert_int_equal(deal_chance(DEAL_EXPERIMENT, STR("subject"), STR("p1")),
                     deal_chance(DEAL_EXPERIMENT, STR("subject"), STR("p1")));
    assert_int_equal(deal_chance(DEAL_EXPERIMENT, STR("subject"), STR("p1")), 0x91b27);
    assert_int_equal(deal_chance(DEAL_HOLDOUT, STR("welcome"), STR("p1")), 0x5b339);
}

TEST(deal, a_share_of_the_chances_is_that_share_of_the_people)
{
    uint32_t below[10] = { 0 };
    for (int i = 0; i < MANY; i++)
        below[chance_of(DEAL_EXPERIMENT, "subject", i) / (DEAL_ALL / 10)]++;
    for (int i = 0; i < 10; i++) /* five deviations of a tenth of MANY are 300 */
        assert_in_range(below[i], MANY / 10 - 300, MANY / 10 + 300);
}

TEST(deal, who_is_held_out_says_nothing_about_the_variant)
{
    uint32_t both = 0, held = 0;
    for (int i = 0; i < MANY; i++) {
        bool out = chance_of(DEAL_HOLDOUT, "x", i) < DEAL_ALL / 10;
        held += out;
        both += out && chance_of(DEAL_EXPERIMENT, "x", i) < DEAL_ALL / 2;
    }
    assert_in_range(both, held / 2 - 160, held / 2 + 160); /* five deviations of 4000 halves */
}

TEST(deal, two_experiments_are_dealt_apart)
{
    uint32_t both = 0;
    for (int i = 0; i < MANY; i++)
        both += chance_of(DEAL_EXPERIMENT, "a", i) < DEAL_ALL / 2 &&
                chance_of(DEAL_EXPERIMENT, "b", i) < DEAL_ALL / 2;
    assert_in_range(both, MANY / 4 - 440, MANY / 4 + 440);
}

TEST(deal, a_person_is_who_they_were_first_known_as)
{
    struct people *people = people_open(1);
    uint32_t       profile;
    char           bytes[16];
    for (int i = 0; i < 4; i++)
        assert_ok(people_add(people, 0, &profile));
    assert_true(str_eq(deal_who(people, 3, bytes), STR("p4")));
    assert_ok(people_join(people, 3, 1)); /* the known one is the root, and came later */
    assert_true(str_eq(deal_who(people, 3, bytes), STR("p2")));
    assert_true(str_eq(deal_who(people, 1, bytes), STR("p2")));
    assert_ok(people_join(people, 2, 3)); /* in whatever order they become one */
    assert_true(str_eq(deal_who(people, 2, bytes), STR("p2")));
    assert_true(str_eq(deal_who(people, 0, bytes), STR("p1")));
    people_close(people);
}

static enum err read(struct arena *arena, const char *text, struct holdout *out,
                     struct problem *problem)
{
    struct json *value = ARENA_NEW(arena, struct json);
    assert_ok(json_parse_once(arena, str_of(text), value, NULL));
    return holdout_read(value, STR("welcome"), out, problem);
}

TEST(deal, a_holdout_is_read_or_refused_with_its_place)
{
    struct arena  *arena = arena_open(1 << 20);
    struct holdout holdout;
    struct problem problem = { 0 };
    assert_ok(read(arena, "{\"share\":10}", &holdout, &problem));
    assert_int_equal(holdout.share, DEAL_ALL / 10);
    assert_true(str_eq(holdout.name, STR("welcome")));
    assert_ok(read(arena, "{\"share\":0.5,\"name\":\"all\"}", &holdout, &problem));
    assert_int_equal(holdout.share, 5000);
    assert_true(str_eq(holdout.name, STR("all")));
    assert_ok(holdout_read(NULL, STR("welcome"), &holdout, &problem));
    assert_false(holdout_has(&holdout, STR("p1")));
    static const char *const wrong[] = { "10",
                                         "{}",
                                         "{\"share\":60}",
                                         "{\"share\":0}",
                                         "{\"share\":\"ten\"}",
                                         "{\"share\":10,\"name\":\"\"}",
                                         "{\"share\":10,\"name\":7}",
                                         "{\"share\":10,\"of\":1}" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(read(arena, wrong[i], &holdout, &problem), ERR_INPUT);
        assert_true(str_starts(str_of(problem.where), STR("holdout")));
    }
    char text[200];
    snprintf(text, sizeof text, "{\"share\":10,\"name\":\"%0*d\"}", DEAL_NAME_BYTES_MAX + 1, 0);
    assert_int_equal(read(arena, text, &holdout, &problem), ERR_INPUT);
    assert_string_equal(problem.where, "holdout.name");
    arena_close(arena);
}
