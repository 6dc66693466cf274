/*
 * The engine beside its twin: random conditions, random histories, random instants; the answers
 * must be equal, and must stay so until the instant the engine names.
 */
#include "engine/segment/segment_naive_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- every instant at which time alone may change an answer */

struct instants {
    int64_t list[CANDIDATES_MAX];
    int     count;
};

static void add_instant(struct instants *c, int64_t at_ms)
{
    assert_true(c->count < CANDIDATES_MAX);
    c->list[c->count++] = at_ms;
}

static void add_lengths(struct instants *lengths, const struct segment_node *node)
{
    for (uint32_t i = 0; i < node->parts_count; i++)
        add_lengths(lengths, node->parts[i]);
    if (node->match.window.length_ms > 0)
        add_instant(lengths, node->match.window.length_ms);
    if (node->within_ms > 0)
        add_instant(lengths, node->within_ms);
}

static int instant_order(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void all_instants(const struct world *w, const struct segment_node *node,
                         struct instants *out)
{
    struct instants lengths = { .count = 0 };
    out->count = 0;
    add_lengths(&lengths, node);
    if (w->computed != NULL)
        add_lengths(&lengths, w->computed);
    for (uint32_t i = 0; i < w->events_count; i++) {
        add_instant(out, w->events[i].at_ms);
        for (int k = 0; k < lengths.count; k++)
            add_instant(out, w->events[i].at_ms + lengths.list[k]);
    }
    for (uint32_t i = 0; i < w->traits_count; i++)
        add_instant(out, w->traits[i].at_ms);
    for (int i = 0; i < 3; i++) {
        add_instant(out, w->stays[i].from_ms);
        add_instant(out, w->stays[i].to_ms);
    }
    qsort(out->list, (size_t)out->count, sizeof out->list[0], instant_order);
}

/* With nothing dated later, these leave no gap between `until` and the change. */
static bool is_tight(const struct world *w, const struct segment_node *node, int64_t now)
{
    for (uint32_t i = 0; i < w->events_count; i++)
        if (w->events[i].at_ms > now)
            return false;
    while (node->kind == SEGMENT_NOT)
        node = node->parts[0];
    switch (node->kind) {
    case SEGMENT_DID:
        return node->times != SEGMENT_TIMES_EXACTLY;
    case SEGMENT_AGGREGATE:
        if (node->fold == SEGMENT_COUNT)
            return node->property.len == 0 && node->test != SEGMENT_EQUAL &&
                   node->test != SEGMENT_NOT_EQUAL;
        return node->fold <= SEGMENT_GAP && node->fold != SEGMENT_DISTINCT;
    case SEGMENT_FIRST_DID:
    case SEGMENT_LAST_DID:
    case SEGMENT_THEN:
        return true;
    case SEGMENT_THEN_NOT: /* in a sliding window, a younger A may take over from the oldest */
        return node->match.window.kind != SEGMENT_LAST;
    case SEGMENT_FUNNEL:
        return node->not_step == 0 && node->match.window.kind != SEGMENT_NOT_LAST;
    default:
        return false;
    }
}

/* ---- the comparison */

struct tally {
    uint64_t cases, compared, held, expired, tight;
};

static void report(const struct world *w, const struct segment_node *node, int64_t now,
                   struct verdict v, int64_t at, uint64_t round)
{
    SCOPED(buf_donep) struct buf text = buf_make(1 << 16);
    char                         a[TIME_TEXT_BYTES], b[TIME_TEXT_BYTES], c[TIME_TEXT_BYTES];
    segment_write(&text, node);
    if (w->computed != NULL) {
        buf_str(&text, STR(" with "));
        segment_write(&text, w->computed);
    }
    print_error("round %llu: %.*s\n  at %s the engine says %d until %s; at %s it is %d\n",
                (unsigned long long)round, STR_ARG(buf_view(&text)), time_write(now, a), v.holds,
                time_write(v.until_ms, b), time_write(at, c), naive(w, at, node));
    for (uint32_t i = 0; i < w->events_count; i++)
        if (w->events[i].seq <= w->seq_max)
            print_error("  %u %.*s %s\n", w->events[i].seq, STR_ARG(w->events[i].name),
                        time_write(w->events[i].at_ms, a));
}

static bool agrees(const struct world *w, const struct segment_node *node,
                   const struct segment_program *program, int64_t now, uint64_t round,
                   struct tally *tally)
{
    static struct instants candidates;
    struct facts           facts = naive_facts(w, now);
    struct verdict         v = segment_eval(program, &facts);
    bool                   was = naive(w, now, node), ok = was == v.holds && v.until_ms > now;

    tally->cases++;
    tally->compared++;
    tally->held += v.holds;
    if (!ok)
        report(w, node, now, v, now, round);
    all_instants(w, node, &candidates);
    for (int i = 0; i < candidates.count && ok; i++) {
        int64_t at = candidates.list[i];
        if (at <= now || at >= v.until_ms || (uint64_t)i % w->stride != round % w->stride ||
            (i > 0 && candidates.list[i - 1] == at))
            continue;
        tally->compared++;
        ok = naive(w, at, node) == v.holds;
        if (!ok)
            report(w, node, now, v, at, round);
    }
    if (!ok || v.until_ms == TIME_NEVER)
        return ok;
    tally->expired++;
    if (w->standings != NULL || !is_tight(w, node, now))
        return ok;
    tally->tight++;
    ok = naive(w, v.until_ms, node) != v.holds;
    if (!ok)
        report(w, node, now, v, v.until_ms, round);
    return ok;
}

/* Outside a journey. */
static struct segment_names names_of(const struct world *w)
{
    struct segment_names names = naive_names(w);
    names.has_entry = false;
    return names;
}

/* Many conditions about what people did, each at few instants. */
static bool play_deeds(struct world *w, struct dice *dice, uint64_t round, struct tally *tally)
{
    struct segment_program program;
    struct segment_names   names = names_of(w);
    naive_world(dice, w);
    w->stride = 16;
    for (int p = 0; p < 8; p++) {
        const struct segment_node *node = dice_deed(dice);
        assert_ok(segment_compile(dice->arena, node, &names, &program, NULL));
        for (int i = 0; i < 2; i++) {
            w->seq_max = dice_roll(dice, 3) > 0 ? EVENTS_MAX : dice_roll(dice, EVENTS_MAX);
            int64_t now = naive_at(dice, w) + (i == 0 ? 24 * TIME_HOUR_MS : 0);
            if (!agrees(w, node, &program, now, round, tally))
                return false;
        }
    }
    return true;
}

static const struct segment_node *computed_tree(const void *owner, struct str name)
{
    return str_eq(name, NAIVE_COMPUTED) ? ((const struct world *)owner)->computed : NULL;
}

/* A random comparison, but with the computed trait. */
static const struct segment_node *about_computed(struct dice *dice)
{
    const struct segment_node *node = dice_condition(dice, 0);
    while (node->kind != SEGMENT_COMPARE)
        node = dice_condition(dice, 0);
    struct segment_node *other = ARENA_ARRAY(dice->arena, 1, struct segment_node);
    *other = *node;
    other->compare.key = NAIVE_COMPUTED;
    return other;
}

static bool play_computed(struct world *w, struct dice *dice, uint64_t round, struct tally *tally)
{
    struct segment_names names = names_of(w);
    bool                 ok = true;
    names.has_entry = true;
    names.owner = w;
    names.computed = computed_tree;
    naive_world(dice, w);
    w->stride = 4;
    for (int p = 0; p < 8 && ok; p++) {
        struct segment_program     program;
        const struct segment_node *node = about_computed(dice);
        w->computed = dice_value(dice, 1);
        assert_ok(segment_compile(dice->arena, node, &names, &program, NULL));
        for (int i = 0; i < 2 && ok; i++) {
            w->seq_max = dice_roll(dice, 3) > 0 ? EVENTS_MAX : dice_roll(dice, EVENTS_MAX);
            int64_t now = naive_at(dice, w) + (i == 0 ? 24 * TIME_HOUR_MS : 0);
            ok = agrees(w, node, &program, now, round, tally);
        }
    }
    w->computed = NULL;
    return ok;
}

static bool play(struct world *w, struct dice *dice, uint64_t round, struct tally *tally)
{
    struct segment_program program;
    struct segment_names   names = names_of(w);
    names.has_entry = true;
    naive_world(dice, w);
    for (int p = 0; p < 4; p++) {
        int                        depth = p % 2 == 0 ? 0 : (int)dice_roll(dice, 4);
        const struct segment_node *node = dice_condition(dice, depth);
        assert_ok(segment_compile(dice->arena, node, &names, &program, NULL));
        for (int i = 0; i < 3; i++) {
            w->seq_max = dice_roll(dice, 3) > 0 ? EVENTS_MAX : dice_roll(dice, EVENTS_MAX);
            int64_t now = naive_at(dice, w);
            if (i == 0) /* soon after the last event: nothing is dated later */
                now = w->base_ms + (25 + dice_roll(dice, 12)) * TIME_HOUR_MS;
            if (!agrees(w, node, &program, now, round, tally))
                return false;
        }
    }
    return true;
}

/* ---- answers that stand */

static void tell(struct world *w, const struct segment_program *program, uint32_t seq)
{
    struct segment_leaf leaves[SEGMENT_NODES_MAX];
    for (uint32_t r = 0; r < RUNS_MAX; r++)
        for (uint32_t i = 0; i < w->runs[r].count; i++) {
            if (w->run_seq[r][i] != seq)
                continue;
            uint16_t    event = w->run_name[r][i];
            struct bags bags = { (const unsigned char *)w->bags.ptr, w->bags.len };
            uint32_t    count = segment_leaves(program, event, leaves);
            standings_tell(w->standings, event, bag_at(bags, w->run_bag[r][i]), leaves,
                           segment_leaves_settle(leaves, count));
        }
}

/* One event after the other comes to be known; now and then somebody asks, perhaps about earlier.
 */
static bool play_standing(struct world *w, struct dice *dice, uint64_t round,
                          const struct segment_node *node, const struct segment_program *program,
                          struct tally *tally)
{
    int64_t now = naive_at(dice, w);
    bool    ok = true;
    w->seq_max = 0;
    for (uint32_t seq = 1; ok && seq <= w->events_count; seq++) {
        w->seq_max = seq;
        tell(w, program, seq);
        if (dice_roll(dice, 3) == 0)
            now += dice_roll(dice, 4) * TIME_HOUR_MS / 2;
        int64_t earlier = naive_at(dice, w);
        bool    back = dice_roll(dice, 10) == 0 && earlier < now;
        if (dice_roll(dice, 3) > 0)
            ok = agrees(w, node, program, back ? earlier : now, round, tally);
    }
    return ok;
}

static bool play_live(struct world *w, struct dice *dice, uint64_t round, struct tally *tally)
{
    struct segment_names names = names_of(w);
    bool                 ok = true;
    names.leaves = w->leaves;
    naive_world(dice, w);
    for (int p = 0; p < 4 && ok; p++) {
        struct standings           standings = { .most = SEGMENT_NODES_MAX };
        struct segment_program     program;
        const struct segment_node *node = dice_condition(dice, p % 2 == 0 ? 0 : 2);
        if (segment_compile(dice->arena, node, &names, &program, NULL) != OK)
            continue; /* since entry, which is for journeys */
        w->standings = &standings;
        ok = play_standing(w, dice, round, node, &program, tally);
        w->standings = NULL;
        standings_forget(&standings);
    }
    return ok;
}

enum { COMPARED_AT_LEAST = 500000 };

static struct tally play_all(const char *what,
                             bool (*play_one)(struct world *w, struct dice *dice, uint64_t round,
                                              struct tally *tally))
{
    static struct world w;
    uint64_t            seed = dice_seed(what);
    struct tally        tally = { 0 };
    bool                ok = true;

    struct arena *arena = arena_open(ARENA_BYTES);
    naive_open(&w);
    for (uint64_t round = 0; ok && tally.compared < COMPARED_AT_LEAST; round++) {
        struct dice dice = {
            .state = hash_u64(round, seed), .arena = arena, .base_ms = w.base_ms, .more = DICE_DEEDS
        };
        ok = play_one(&w, &dice, round, &tally);
        arena_reset(arena);
    }
    printf("  %llu cases, %llu compared, %llu held at their instant, %llu expire, %llu of them to "
           "the ms\n",
           (unsigned long long)tally.cases, (unsigned long long)tally.compared,
           (unsigned long long)tally.held, (unsigned long long)tally.expired,
           (unsigned long long)tally.tight);
    arena_close(arena);
    naive_close(&w);
    assert_true(ok);
    return tally;
}

/* What one more event cannot turn, it does not, now or before `until`. */
static bool play_turn(struct world *w, struct dice *dice, uint64_t round, struct tally *tally)
{
    static struct instants candidates;
    struct segment_names   names = naive_names(w);
    struct segment_program program;
    naive_world(dice, w);
    for (int p = 0; p < 8 && w->events_count > 0; p++) {
        const struct segment_node *node = dice_deed(dice);
        uint32_t                   r = dice_roll(dice, RUNS_MAX);
        if (segment_compile(dice->arena, node, &names, &program, NULL) != OK ||
            w->runs[r].count == 0)
            continue;
        uint32_t     at = dice_roll(dice, w->runs[r].count);
        int64_t      now = naive_at(dice, w);
        struct facts facts;
        struct bags  bags = { (const unsigned char *)w->bags.ptr, w->bags.len };
        w->seq_max = w->run_seq[r][at] - 1;
        facts = naive_facts(w, now);
        struct verdict v = segment_eval(&program, &facts);
        w->seq_max++;
        tally->compared++;
        if (segment_can_turn(&program, w->run_name[r][at], bag_at(bags, w->run_bag[r][at]),
                             v.holds))
            continue;
        tally->cases++;
        all_instants(w, node, &candidates);
        add_instant(&candidates, now);
        for (int i = 0; i < candidates.count; i++)
            if (candidates.list[i] >= now && candidates.list[i] < v.until_ms &&
                naive(w, candidates.list[i], node) != v.holds) {
                report(w, node, now, v, candidates.list[i], round);
                return false;
            }
    }
    return true;
}

TEST(segment_naive, an_event_that_cannot_turn_an_answer_leaves_it_at_every_instant)
{
    struct tally tally = play_all("segment_turn", play_turn);
    assert_true(tally.cases > 50000);
}

/* The harness is worth something only if it meets both answers and both kinds of end. */
TEST(segment_naive, the_engine_and_its_twin_agree_at_every_instant_and_on_how_long)
{
    struct tally tally = play_all("segment_naive", play);
    assert_true(tally.held > 2000 && tally.expired > 2000 && tally.tight > 100);
}

TEST(segment_naive, what_people_did_is_asked_alike_of_lists_messages_folds_and_sequences)
{
    struct tally tally = play_all("segment_deeds", play_deeds);
    assert_true(tally.held > 10000 && tally.expired > 5000 && tally.tight > 1000);
}

TEST(segment_naive, an_answer_that_stands_is_the_one_that_reading_everything_gives)
{
    struct tally tally = play_all("segment_standing", play_live);
    assert_true(tally.held > 2000 && tally.expired > 1000);
}

TEST(segment_naive, a_computed_trait_compares_as_its_brute_value_does)
{
    struct tally tally = play_all("segment_computed", play_computed);
    assert_true(tally.held > 5000 && tally.expired > 2000);
}
