#include "engine/report/population.h"

#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "engine/report/report_world_test.h"

enum { ARENA_BYTES = 32 << 20, COMPARED_AT_LEAST = 300000 };

struct tally {
    uint64_t compared, held;
};

static bool agrees(struct world *w, const struct segment_node *node,
                   const struct segment_program *program, struct dice *dice, struct tally *tally)
{
    static struct world_facts facts;
    static uint64_t           bits[WORLD_PROFILES_MAX / 64 + 1];
    uint32_t                  parts = 1 + dice_roll(dice, 4);
    memset(bits, 0xff, sizeof bits);
    for (uint32_t part = parts; part > 0; part--)
        assert_ok(
            population_match(&w->report, program, report_part(&w->report, part - 1, parts), bits));
    for (uint32_t p = 0; p < w->view.profiles; p++) {
        bool wanted = world_is_asked(w, p);
        if (wanted && program != NULL) {
            world_facts(&facts, w, p, w->report.at_ms);
            wanted = segment_eval(program, &facts.facts).holds;
        }
        tally->compared++;
        tally->held += wanted;
        if (report_bit(bits, p) == wanted)
            continue;
        struct buf text = buf_make(SEGMENT_TEXT_BYTES_MAX);
        segment_write(&text, node);
        print_error("profile %u of %u: wanted %d\n  %.*s\n", p, w->view.profiles, wanted,
                    STR_ARG(buf_view(&text)));
        buf_done(&text);
        return false;
    }
    return true;
}

TEST(population, a_condition_asked_of_everyone_at_once_holds_for_those_for_whom_it_holds_alone)
{
    static struct world w;
    uint64_t            seed = dice_seed("population");
    struct tally        tally = { 0 };
    struct arena       *arena = arena_open(ARENA_BYTES);
    bool                ok = true;

    world_open(&w);
    for (uint64_t round = 0; ok && tally.compared < COMPARED_AT_LEAST; round++) {
        struct dice          dice = { hash_u64(round, seed), arena, false, w.base_ms, WORLD_ASKS };
        struct segment_names names = world_names(&w);
        world_roll(&w, &dice);
        ok = agrees(&w, NULL, NULL, &dice, &tally);
        for (int i = 0; ok && i < 12; i++) {
            struct segment_program     program;
            const struct segment_node *node = dice_condition(&dice, (int)dice_roll(&dice, 4));
            assert_ok(segment_compile(arena, node, &names, &program, NULL));
            ok = agrees(&w, node, &program, &dice, &tally);
            if (!ok)
                print_error("  round %llu\n", (unsigned long long)round);
        }
        arena_reset(arena);
    }
    printf("  %llu compared, %llu held\n", (unsigned long long)tally.compared,
           (unsigned long long)tally.held);
    arena_close(arena);
    world_done(&w);
    assert_true(ok);
    assert_true(tally.held > tally.compared / 20 && tally.held < tally.compared);
}
