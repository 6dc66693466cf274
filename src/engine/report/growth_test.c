#include "engine/report/growth.h"

#include <string.h>

#include "base/test.h"
#include "engine/report/report_world_test.h"

static bool is_in(const struct world *w, const struct segment_program *program, uint32_t person,
                  int64_t at_ms)
{
    static struct world_facts facts;
    if (w->root[person] != person || !world_is_there(w, person, at_ms) ||
        (w->report.among != NULL && !report_bit(w->report.among, person)))
        return false;
    world_facts(&facts, w, person, at_ms);
    return segment_eval(program, &facts.facts).holds;
}

static bool play(struct world *w, struct dice *dice, uint64_t *compared)
{
    static uint64_t        bits[WORLD_PROFILES_MAX / 64 + 1];
    struct segment_names   names = world_names(w);
    struct segment_program program;
    struct growth_point    points[6] = { { 0 } }, wanted[6] = { { 0 } };
    int64_t                at_ms[6];
    struct growth_question q = { .program = &program,
                                 .at_ms = at_ms,
                                 .count = 1 + dice_roll(dice, 6) };
    for (uint32_t i = 0; i < q.count; i++)
        at_ms[i] = (i == 0 ? w->base_ms : at_ms[i - 1]) + (1 + dice_roll(dice, 8)) * TIME_HOUR_MS;
    assert_ok(segment_compile(dice->arena, dice_condition(dice, 2), &names, &program, NULL));
    assert_ok(growth_check(&q, NULL));
    memset(bits, 0, sizeof bits);
    q.pick =
        (struct growth_pick){ bits, dice_roll(dice, q.count), (enum growth_who)dice_roll(dice, 3) };
    for (uint32_t part = world_parts(w, dice); part > 0; part--)
        assert_ok(growth_run(&w->report, &q, world_part(w, part - 1), points));
    for (uint32_t p = 0; p < w->view.profiles; p++) {
        bool before = false;
        for (uint32_t i = 0; i < q.count; i++) {
            bool now = is_in(w, &program, p, at_ms[i]);
            bool entered = i > 0 && now && !before, left = i > 0 && before && !now;
            bool picked = q.pick.who == GROWTH_IN        ? now
                          : q.pick.who == GROWTH_ENTERED ? entered
                                                         : left;
            wanted[i].people += now;
            wanted[i].entered += entered;
            wanted[i].left += left;
            before = now;
            *compared += 1;
            if (i == q.pick.point && report_bit(bits, p) != picked)
                return false;
        }
    }
    return memcmp(points, wanted, sizeof points) == 0;
}

TEST(growth, who_came_and_went_is_the_difference_between_who_was_in_before_and_after)
{
    world_play("growth", play, 100000);
}
