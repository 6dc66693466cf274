/* Who is who beside a list of edges walked from the start each time. */
#include "engine/profile/people.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/test.h"

enum { PROFILES = 60, STEPS = 3000, EDGES_MAX = 4000 };

struct twin {
    struct people *people;
    struct {
        uint32_t a, b;
        uint64_t id;
    } edges[EDGES_MAX]; /* id 0: undone */
    uint32_t edges_count;
    uint64_t random, ids;
};

static uint32_t draw(struct twin *t, uint32_t below)
{
    t->random = hash_u64(t->random, 8);
    return (uint32_t)(t->random >> 24) % below;
}

/* Everyone reached from `from` by edges that stand. */
static uint32_t reach(const struct twin *t, uint32_t from, bool seen[PROFILES])
{
    uint32_t count = 1;
    for (uint32_t i = 0; i < PROFILES; i++)
        seen[i] = i == from;
    for (bool grew = true; grew;) {
        grew = false;
        for (uint32_t e = 0; e < t->edges_count; e++)
            if (t->edges[e].id != 0 && seen[t->edges[e].a] != seen[t->edges[e].b]) {
                seen[t->edges[e].a] = seen[t->edges[e].b] = grew = true;
                count++;
            }
    }
    return count;
}

static void compare(const struct twin *t)
{
    for (uint32_t p = 0; p < PROFILES; p++) {
        bool     seen[PROFILES];
        uint32_t count = reach(t, p, seen), root = people_root(t->people, p), member = p;
        assert_true(seen[root]);
        assert_int_equal(people_root(t->people, root), root);
        assert_int_equal(people_ring_count(t->people, p), count);
        do {
            assert_true(seen[member]);
            assert_int_equal(people_root(t->people, member), root);
            member = people_get(t->people, member)->next;
        } while (member != p);
    }
}

/* What a MERGE decision does: the merges of both go on with the root that stays. */
static void join(struct twin *t, uint32_t into, uint32_t from)
{
    struct state *kept = people_state(t->people, into), *lost = people_state(t->people, from);
    uint64_t      id = ++t->ids;
    for (uint32_t i = 0; i <= lost->rarer->merges.count; i++) {
        struct merge merge = i < lost->rarer->merges.count ? lost->rarer->merges.items[i]
                                                           : (struct merge){ id, from, into };
        assert_ok(STATE_ADD_RARER(kept, merges, merge));
    }
    state_free(lost);
    people_get(t->people, from)->state = NULL;
    assert_ok(people_join(t->people, into, from));
    t->edges[t->edges_count].a = into;
    t->edges[t->edges_count].b = from;
    t->edges[t->edges_count++].id = id;
}

static void part(struct twin *t)
{
    uint32_t e = draw(t, t->edges_count), profile = t->edges[e].b;
    if (t->edges[e].id == 0)
        return;
    assert_ok(people_part(t->people, t->edges[e].id, &profile));
    assert_int_equal(people_root(t->people, profile), profile);
    t->edges[e].id = 0;
    profile = t->edges[e].b;
    assert_int_equal(people_part(t->people, t->ids + 1, &profile), ERR_ABSENT);
}

TEST(people, joining_and_parting_in_any_order_leaves_what_the_merges_that_stand_tie)
{
    const char *given = getenv("DULT_SEED");
    struct twin t = { .people = people_open(1),
                      .random =
                          given != NULL ? strtoull(given, NULL, 0) : hash_random_seed() >> 16 };
    uint32_t    number, parted = 0;
    printf("people: DULT_SEED=%llu replays\n", (unsigned long long)t.random);
    for (uint32_t i = 0; i < PROFILES; i++)
        assert_ok(people_add(t.people, i + 1, &number));
    for (int i = 0; i < STEPS; i++) {
        uint32_t a = people_root(t.people, draw(&t, PROFILES)),
                 b = people_root(t.people, draw(&t, PROFILES));
        if (draw(&t, 3) == 0 && t.edges_count > 0) {
            part(&t);
            parted++;
        } else if (a != b) {
            join(&t, a, b);
        }
        compare(&t);
    }
    assert_true(parted > STEPS / 10);
    people_close(t.people);
}

TEST(people, nobody_has_come_before_those_who_are_numbered_below_also_when_time_seems_to_go_back)
{
    static const int64_t told_ms[] = { 5, 5, 9, 7, 12 }, come_ms[] = { 5, 5, 9, 9, 12 };
    struct people       *people = people_open(7);
    uint32_t             number;
    for (uint32_t i = 0; i < 5; i++)
        assert_ok(people_add(people, told_ms[i], &number));
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(people_arrived_ms(people, i), come_ms[i]);
    people_close(people);
}

TEST(people, an_identity_belongs_to_one_profile_and_can_be_taken_away)
{
    struct people     *people = people_open(7);
    uint32_t           a, b, at = PROFILE_NONE, seen = 0;
    enum identity_kind kind;
    struct str         text;
    assert_ok(people_add(people, 1, &a));
    assert_ok(people_add(people, 2, &b));
    for (int i = 0; i < 2000; i++) {
        char id[16];
        snprintf(id, sizeof id, "id%d", i);
        assert_ok(people_link(people, i % 2 ? a : b, i % 3 ? IDENTITY_ANONYMOUS : IDENTITY_USER,
                              str_of(id)));
    }
    assert_int_equal(people_find(people, IDENTITY_USER, STR("id3")), a);
    assert_int_equal(people_find(people, IDENTITY_ANONYMOUS, STR("id3")), PROFILE_NONE);
    people_unlink(people, b, IDENTITY_USER, STR("id3")); /* not its own: nothing */
    assert_int_equal(people_find(people, IDENTITY_USER, STR("id3")), a);
    people_unlink(people, a, IDENTITY_USER, STR("id3"));
    assert_int_equal(people_find(people, IDENTITY_USER, STR("id3")), PROFILE_NONE);
    while (people_identity(people, a, &at, &kind, &text))
        seen++;
    assert_int_equal(seen, 999);
    people_close(people);
}
