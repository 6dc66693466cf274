#include "engine/report/spread.h"

#include <string.h>

#include "base/test.h"
#include "engine/report/report_world_test.h"

/* The nearest `then` strictly after event i, or below 0. */
static int64_t took(const struct world *w, const struct spread_question *q, uint32_t i)
{
    const struct world_event *a = &w->list[i];
    for (uint32_t k = w->from[a->root]; k < w->from[a->root + 1]; k++) {
        const struct world_event *b = &w->list[k];
        bool after = b->at_ms != a->at_ms ? b->at_ms > a->at_ms : b->seq > a->seq;
        if (after && world_is(w, q->then, b))
            return b->at_ms - a->at_ms;
    }
    return -1;
}

static void twin(const struct world *w, const struct spread_question *q, struct spread *out)
{
    for (uint32_t p = 0; p < w->view.profiles; p++) {
        bool begun = false;
        if (!world_is_asked(w, p))
            continue;
        for (uint32_t i = w->from[p]; i < w->from[p + 1] && (q->all || !begun); i++) {
            const struct world_event *e = &w->list[i];
            if (!world_is(w, q->first, e) || e->at_ms < q->from_ms || e->at_ms >= q->to_ms)
                continue;
            int64_t  ms = took(w, q, i);
            uint32_t bucket = times_bucket(ms);
            out->people += !begun;
            begun = true;
            out->begun++;
            if (ms >= 0)
                times_put(&out->took, ms);
            if (ms < 0 ? q->pick.never
                       : !q->pick.never && bucket >= q->pick.from && bucket < q->pick.to)
                q->pick.bits[p / 64] |= UINT64_C(1) << (p % 64);
        }
    }
}

static bool play(struct world *w, struct dice *dice, uint64_t *compared)
{
    static uint64_t bits[WORLD_PROFILES_MAX / 64 + 1], wanted_bits[WORLD_PROFILES_MAX / 64 + 1];
    struct segment_program first = world_event(w, dice), then = world_event(w, dice);
    struct spread          sum = { 0 }, wanted = { 0 };
    struct spread_question q = { .first = &first, .then = &then, .all = dice_roll(dice, 2) == 0 };
    q.from_ms = w->base_ms + dice_roll(dice, 12) * TIME_HOUR_MS;
    q.to_ms = q.from_ms + (1 + dice_roll(dice, 25)) * TIME_HOUR_MS;
    q.pick.from = times_bucket(dice_roll(dice, 8) * TIME_HOUR_MS);
    q.pick.to = q.pick.from + dice_roll(dice, 40);
    q.pick.never = dice_roll(dice, 3) == 0;
    assert_ok(spread_check(&q, NULL));
    memset(bits, 0, sizeof bits);
    memset(wanted_bits, 0, sizeof bits);
    q.pick.bits = wanted_bits;
    twin(w, &q, &wanted);
    q.pick.bits = bits;
    for (uint32_t part = world_parts(w, dice); part > 0; part--) {
        struct spread one = { 0 };
        assert_ok(spread_run(&w->report, &q, world_part(w, part - 1), &one));
        spread_add(&sum, &one);
    }
    *compared += wanted.begun + 1;
    return memcmp(&sum, &wanted, sizeof sum) == 0 && memcmp(bits, wanted_bits, sizeof bits) == 0;
}

TEST(spread, times_from_one_event_to_the_next_are_those_that_a_person_by_person_search_finds)
{
    world_play("spread", play, 50000);
}
