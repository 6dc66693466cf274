#include "engine/report/seen.h"

#include "base/time.h"

static void count(struct seen_count *into, int64_t at_ms, bool is_late)
{
    if (into->ever == 0 || at_ms > into->last_ms)
        into->last_ms = at_ms;
    into->ever++;
    into->lately += is_late;
}

/* Is it one of those before, too? Then it was counted in all. */
static bool is_counted(const struct hits *hits, const struct hit *hit)
{
    const struct run *run = &hits->runs[hit->run];
    for (uint32_t kind = 0; kind < hit->kind; kind++)
        if (hits_is(hits, kind, run->name[hit->place], hit_bag(hits, hit)))
            return true;
    return false;
}

static enum err person(struct hits *hits, const struct seen_question *q, uint32_t i,
                       struct seen *seen)
{
    bool lately = false;
    hits_begin(hits, i);
    for (uint32_t kind = 0; kind < q->count; kind++)
        TRY(hits_add(hits, i, kind, (struct hits_span){ TIME_MIN_MS, TIME_MAX_MS }));
    for (uint32_t h = 0; h < hits->count; h++) {
        const struct hit *hit = &hits->items[h];
        bool              is_late = hit->at_ms >= q->since_ms;
        count(&seen->each[hit->kind], hit->at_ms, is_late);
        if (!is_counted(hits, hit))
            count(&seen->all, hit->at_ms, is_late);
        lately = lately || is_late;
    }
    seen->people += hits->count > 0;
    seen->people_lately += lately;
    return OK;
}

/* Those of the block who may have done any of them. */
static void block_people(const struct hits *hits, uint32_t kinds, uint64_t *out)
{
    uint64_t one[BLOCK_WORDS];
    memset(out, 0, BLOCK_WORDS * sizeof out[0]);
    for (uint32_t kind = 0; kind < kinds; kind++) {
        hits_people(hits, kind, one);
        for (uint32_t word = 0; word < BLOCK_WORDS; word++)
            out[word] |= one[word];
    }
}

enum err seen_run(const struct report *report, const struct seen_question *q,
                  struct report_range range, struct seen *seen)
{
    SCOPED(hits_closep) struct hits *hits = NULL;
    uint64_t                         people[BLOCK_WORDS];
    if (q->count == 0)
        return OK;
    TRY(hits_open(&hits, report, q->events, q->count));
    for (uint32_t first = range.from; first < range.to; first += BLOCK_PROFILES) {
        hits_block(hits, first, range.to);
        block_people(hits, q->count, people);
        for (uint32_t word = 0; word < BLOCK_WORDS; word++)
            for (uint64_t left = people[word]; left != 0; left &= left - 1)
                TRY(person(hits, q, word * 64 + BLOCK_BIT(left), seen));
    }
    return OK;
}

static void add(struct seen_count *into, const struct seen_count *from)
{
    if (from->ever > 0 && (into->ever == 0 || from->last_ms > into->last_ms))
        into->last_ms = from->last_ms;
    into->ever += from->ever;
    into->lately += from->lately;
}

void seen_add(struct seen *into, const struct seen *from)
{
    for (uint32_t kind = 0; kind < HITS_KINDS_MAX; kind++)
        add(&into->each[kind], &from->each[kind]);
    add(&into->all, &from->all);
    into->people += from->people;
    into->people_lately += from->people_lately;
}
