/* Stays beside a twin that asks at instants drawn anew, and adds up what it is told by hand. */
#include "engine/report/stays.h"

#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "engine/report/report_world_test.h"
#include "engine/report/someone.h"

enum { STAGES = 4, CHANGES_MAX = 4096, PROBES = 6 };

struct changes {
    int64_t  at_ms[CHANGES_MAX];
    uint32_t stage[CHANGES_MAX], count;
};

static void change_keep(void *context, int64_t at_ms, uint32_t stage)
{
    struct changes *changes = context;
    assert_true(changes->count < CHANGES_MAX);
    changes->at_ms[changes->count] = at_ms;
    changes->stage[changes->count++] = stage;
}

/* By the list alone: the last condition that holds. */
static uint32_t stage_told(const struct world *w, const struct stays_question *q, uint32_t person,
                           int64_t at_ms)
{
    static struct world_facts facts;
    if (!world_is_there(w, person, at_ms))
        return STAYS_NONE;
    for (uint32_t i = q->count; i > 0; i--) {
        world_facts(&facts, w, person, at_ms);
        if (segment_eval(q->stages[i - 1], &facts.facts).holds)
            return i - 1;
    }
    return STAYS_NONE;
}

static uint32_t stage_walked(const struct changes *changes, int64_t at_ms)
{
    uint32_t stage = STAYS_NONE;
    for (uint32_t i = 0; i < changes->count && changes->at_ms[i] <= at_ms; i++)
        stage = changes->stage[i];
    return stage;
}

/* Around each change, and anywhere. */
static bool probe(struct world *w, struct dice *dice, const struct stays_question *q,
                  uint32_t person, const struct changes *changes)
{
    for (int i = 0; i < PROBES; i++) {
        bool    near = changes->count > 0 && dice_roll(dice, 2) == 0;
        int64_t at_ms = w->base_ms + (int64_t)dice_roll(dice, 100 * 3600) * 1000;
        if (near)
            at_ms = changes->at_ms[dice_roll(dice, changes->count)] - dice_roll(dice, 2);
        if (at_ms < q->to_ms && stage_walked(changes, at_ms) != stage_told(w, q, person, at_ms))
            return false;
    }
    return true;
}

/* The numbers of one person, one after the other and without sets. */
static void wanted_add(const struct stays_question *q, const struct changes *changes,
                       struct stays_stage *wanted, uint64_t *none)
{
    uint32_t last = stage_walked(changes, q->to_ms - 1);
    if (last == STAYS_NONE)
        ++*none;
    else
        wanted[last].people++;
    for (uint32_t s = 0; s < q->count; s++) {
        bool came = false, on = false;
        for (uint32_t i = 0; i < changes->count; i++) {
            if (changes->at_ms[i] < q->from_ms)
                continue;
            bool is_it = changes->stage[i] == s;
            on = on || (came && changes->stage[i] != STAYS_NONE && changes->stage[i] > s);
            came = came || is_it;
            wanted[s].comings += is_it;
            if (i > 0 && changes->stage[i - 1] == s) {
                wanted[s].left++;
                wanted[s].next[changes->stage[i]]++;
                times_put(&wanted[s].took, changes->at_ms[i] - changes->at_ms[i - 1]);
            }
        }
        wanted[s].came += came;
        wanted[s].on += on;
    }
}

static bool is_wanted(const struct stays_question *q, const struct changes *changes)
{
    const struct stays_pick *pick = &q->pick;
    bool                     came = false;
    if (pick->who == STAYS_IN)
        return stage_walked(changes, q->to_ms - 1) == pick->stage;
    for (uint32_t i = 0; i < changes->count; i++) {
        if (changes->at_ms[i] < q->from_ms)
            continue;
        bool is_it = changes->stage[i] == pick->stage;
        bool left = i > 0 && changes->stage[i - 1] == pick->stage;
        if (pick->who == STAYS_CAME && is_it)
            return true;
        if (pick->who == STAYS_LEFT && left && (!pick->has_next || changes->stage[i] == pick->next))
            return true;
        if (pick->who == STAYS_ON && came && changes->stage[i] != STAYS_NONE &&
            changes->stage[i] > pick->stage)
            return true;
        came = came || is_it;
    }
    return false;
}

static bool play(struct world *w, struct dice *dice, uint64_t *compared)
{
    static uint64_t               bits[WORLD_PROFILES_MAX / 64 + 1];
    static struct someone         someone;
    static struct changes         changes;
    static struct stays_stage     counts[STAGES], wanted[STAGES];
    struct segment_names          names = world_names(w);
    struct segment_program        programs[STAGES];
    const struct segment_program *stages[STAGES];
    uint64_t                      none = 0, none_wanted = 0;
    struct stays                  out = { .stages = counts, .none = &none };
    struct stays_question         q = { .stages = stages, .count = 1 + dice_roll(dice, STAGES) };
    memset(bits, 0, sizeof bits);
    memset(counts, 0, sizeof counts);
    memset(wanted, 0, sizeof wanted);
    for (uint32_t i = 0; i < q.count; i++) {
        stages[i] = &programs[i];
        assert_ok(
            segment_compile(dice->arena, dice_condition(dice, 2), &names, &programs[i], NULL));
    }
    q.from_ms = w->base_ms + (int64_t)dice_roll(dice, 50) * TIME_HOUR_MS;
    q.to_ms = q.from_ms + (1 + (int64_t)dice_roll(dice, 50)) * TIME_HOUR_MS;
    if (q.to_ms > w->report.at_ms)
        q.to_ms = w->report.at_ms + 1;
    if (q.from_ms >= q.to_ms)
        return true;
    q.pick = (struct stays_pick){ bits,
                                  0,
                                  dice_roll(dice, q.count),
                                  (enum stays_who)dice_roll(dice, 4),
                                  dice_roll(dice, 2) == 0,
                                  0 };
    q.pick.next = dice_roll(dice, q.count + 1);
    q.pick.next = q.pick.next == q.count ? STAYS_NONE : q.pick.next;
    assert_ok(stays_check(&q, NULL));
    for (uint32_t part = world_parts(w, dice); part > 0; part--)
        assert_ok(stays_run(&w->report, &q, world_part(w, part - 1), &out));
    for (uint32_t p = 0; p < w->view.profiles; p++) {
        changes.count = 0;
        if (!world_is_asked(w, p) || !world_is_there(w, p, q.to_ms - 1)) {
            if (report_bit(bits, p))
                return false;
            continue;
        }
        someone_make(&someone, &w->report, p);
        assert_true(stays_follow(&q, &someone, q.to_ms, change_keep, &changes));
        wanted_add(&q, &changes, wanted, &none_wanted);
        *compared += PROBES;
        if (!probe(w, dice, &q, p, &changes) || report_bit(bits, p) != is_wanted(&q, &changes))
            return false;
    }
    return none == none_wanted && out.unsure == 0 && memcmp(counts, wanted, sizeof counts) == 0;
}

TEST(stays, a_person_is_followed_through_the_stages_as_asking_at_any_instant_would_have_it)
{
    world_play("stays", play, 60000);
}
