/*
 * The start of an answer's present stretch beside brute force: the twin is asked at every half hour
 * of a random history and a millisecond to each side, where alone anything happens or ends.
 */
#include "engine/segment/segment_since.h"

#include <stdio.h>

#include "engine/segment/segment_naive_test.h"

enum { CASES = 24000, STEP_MS = 1800000 };

struct tally {
    uint32_t cases, now, first, between;
};

static int64_t first_of(const struct world *w)
{
    int64_t first_ms = TIME_NEVER;
    for (uint32_t r = 0; r < RUNS_MAX; r++)
        for (uint32_t i = 0; i < w->runs[r].count; i++)
            if (w->run_seq[r][i] <= w->seq_max && w->run_at_ms[r][i] < first_ms)
                first_ms = w->run_at_ms[r][i];
    return first_ms;
}

/* Backwards through every instant at which the twin may change its mind. */
static int64_t brute_since(const struct world *w, const struct segment_node *node, int64_t now_ms,
                           int64_t first_ms)
{
    bool    holds = naive(w, now_ms, node);
    int64_t since_ms = now_ms;
    int64_t slot_ms = now_ms - (now_ms - w->base_ms) % STEP_MS + STEP_MS;
    for (; since_ms > first_ms; slot_ms -= STEP_MS)
        for (int side = 1; side >= -1; side--) {
            int64_t at_ms = slot_ms + side;
            if (at_ms >= now_ms || at_ms < first_ms)
                continue;
            if (naive(w, at_ms, node) != holds)
                return since_ms;
            since_ms = at_ms;
        }
    return since_ms;
}

static bool agrees(const struct world *w, const struct segment_node *node,
                   const struct segment_program *program, int64_t now_ms, struct tally *tally)
{
    struct facts         facts = naive_facts(w, now_ms);
    int64_t              reads = SEGMENT_READS_MAX, first_ms = first_of(w);
    struct segment_since since = segment_since(program, &facts, &reads);
    int64_t              truth =
        first_ms > now_ms ? FACTS_SINCE_UNKNOWN : brute_since(w, node, now_ms, first_ms);
    tally->cases++;
    tally->now += since.since_ms == now_ms;
    tally->first += since.since_ms == first_ms;
    tally->between += since.since_ms > first_ms && since.since_ms < now_ms;
    if (since.since_ms == truth && !since.or_earlier)
        return true;
    SCOPED(buf_donep) struct buf text = buf_make(1 << 16);
    segment_write(&text, node);
    print_error("%.*s\n  at %lld since %lld, in truth %lld\n", STR_ARG(buf_view(&text)),
                (long long)now_ms, (long long)since.since_ms, (long long)truth);
    return false;
}

static bool play(struct world *w, struct dice *dice, struct tally *tally)
{
    struct segment_names   names = naive_names(w);
    struct segment_program program;
    naive_world(dice, w);
    for (int p = 0; p < 6; p++) {
        const struct segment_node *node =
            p < 3 ? dice_deed(dice) : dice_condition(dice, (int)dice_roll(dice, 3));
        if (segment_compile(dice->arena, node, &names, &program, NULL) != OK)
            continue;
        w->seq_max = dice_roll(dice, 3) > 0 ? EVENTS_MAX : dice_roll(dice, EVENTS_MAX);
        int64_t now_ms = w->base_ms + (int64_t)dice_roll(dice, 60) * STEP_MS + dice_roll(dice, 2);
        if (!agrees(w, node, &program, now_ms, tally))
            return false;
    }
    return true;
}

TEST(segment_since, a_stretch_begins_where_brute_force_finds_that_it_begins)
{
    static struct world w;
    uint64_t            seed = dice_seed("segment_since");
    struct tally        tally = { 0 };
    bool                ok = true;
    struct arena       *arena = arena_open(ARENA_BYTES);
    naive_open(&w);
    for (uint64_t round = 0; ok && tally.cases < CASES; round++) {
        struct dice dice = {
            .state = hash_u64(round, seed), .arena = arena, .base_ms = w.base_ms, .more = DICE_DEEDS
        };
        ok = play(&w, &dice, &tally);
        arena_reset(arena);
    }
    printf("  %u cases: %u turned at their instant, %u between, %u with the first record\n",
           tally.cases, tally.now, tally.between, tally.first);
    arena_close(arena);
    naive_close(&w);
    assert_true(ok);
    assert_true(tally.between > CASES / 10 && tally.first > CASES / 20);
}

/* 3,000 events, each of which turns the answer. */
TEST(segment_since, an_effort_that_ends_says_that_it_may_have_been_earlier)
{
    enum { EVENTS = 3000 };
    static uint16_t        name[EVENTS];
    static uint32_t        seq[EVENTS], bag[EVENTS];
    static int64_t         at_ms[EVENTS];
    static struct world    w;
    struct run             run = { name, at_ms, seq, bag, EVENTS };
    struct segment_program program;
    struct arena          *arena = arena_open(ARENA_BYTES);
    naive_open(&w);
    struct segment_names       names = naive_names(&w);
    const struct segment_node *node;
    assert_ok(segment_parse(arena, STR("did \"A\" in the last 1 hour"), &node, NULL));
    assert_ok(segment_compile(arena, node, &names, &program, NULL));
    for (uint32_t i = 0; i < EVENTS; i++) {
        name[i] = program.events[0];
        seq[i] = i + 1;
        at_ms[i] = i * (TIME_HOUR_MS / 2);
    }
    struct facts facts = naive_facts(&w, at_ms[EVENTS - 1]);
    facts.runs = &run;
    facts.runs_count = 1;
    facts.seq_max = EVENTS;
    int64_t              reads = INT64_C(100) * EVENTS, enough = INT64_C(1000000) * EVENTS;
    struct segment_since since = segment_since(&program, &facts, &reads);
    assert_true(since.or_earlier && since.since_ms > 0 && reads < EVENTS);
    since = segment_since(&program, &facts, &enough);
    assert_true(!since.or_earlier);
    assert_int_equal(since.since_ms, 0);
    arena_close(arena);
    naive_close(&w);
}
