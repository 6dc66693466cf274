/* What was seen of a few events, beside a search of everyone. */
#include "engine/report/seen.h"

#include <string.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/report/report_world_test.h"

enum { KINDS_MAX = 4 };

static void put(struct seen_count *into, int64_t at_ms, int64_t since_ms)
{
    into->last_ms = into->ever == 0 || at_ms > into->last_ms ? at_ms : into->last_ms;
    into->ever++;
    into->lately += at_ms >= since_ms;
}

static struct seen twin(const struct world *w, const struct seen_question *q)
{
    struct seen seen = { .people = 0 };
    for (uint32_t p = 0; p < w->view.profiles; p++) {
        bool ever = false, lately = false;
        if (!world_is_asked(w, p))
            continue;
        for (uint32_t i = w->from[p]; i < w->from[p + 1]; i++) {
            const struct world_event *e = &w->list[i];
            bool                      any = false;
            for (uint32_t k = 0; k < q->count && e->at_ms <= w->report.at_ms; k++) {
                if (!world_is(w, q->events[k], e))
                    continue;
                put(&seen.each[k], e->at_ms, q->since_ms);
                any = true;
            }
            if (any)
                put(&seen.all, e->at_ms, q->since_ms);
            ever = ever || any;
            lately = lately || (any && e->at_ms >= q->since_ms);
        }
        seen.people += ever;
        seen.people_lately += lately;
    }
    return seen;
}

static bool is_same(const struct seen_count *a, const struct seen_count *b)
{
    return a->ever == b->ever && a->lately == b->lately &&
           (a->ever == 0 || a->last_ms == b->last_ms);
}

static bool play(struct world *w, struct dice *dice, uint64_t *compared)
{
    struct segment_program        events[KINDS_MAX];
    const struct segment_program *each[KINDS_MAX];
    struct seen_question          q = { .events = each, .count = 1 + dice_roll(dice, KINDS_MAX) };
    uint32_t                      parts = world_parts(w, dice);
    struct seen                   seen = { .people = 0 };
    q.since_ms = w->report.at_ms - dice_roll(dice, 40) * TIME_HOUR_MS;
    for (uint32_t k = 0; k < q.count; k++) {
        events[k] = world_event(w, dice);
        each[k] = &events[k];
    }
    for (uint32_t part = parts; part > 0; part--) {
        struct seen one = { .people = 0 };
        assert_ok(seen_run(&w->report, &q, world_part(w, part - 1), &one));
        seen_add(&seen, &one);
    }
    struct seen wanted = twin(w, &q);
    bool        good = is_same(&seen.all, &wanted.all) && seen.people == wanted.people &&
                seen.people_lately == wanted.people_lately;
    for (uint32_t k = 0; k < q.count; k++)
        good = good && is_same(&seen.each[k], &wanted.each[k]);
    *compared += 3 + q.count;
    return good;
}

TEST(seen, counts_what_a_search_of_everyone_counts)
{
    world_play("seen", play, 2000);
}
