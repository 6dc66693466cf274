#include "engine/report/spread.h"

#include "engine/report/hits.h"

enum err spread_check(const struct spread_question *q, struct problem *problem)
{
    TRY(report_event_check(q->first, "first", problem));
    TRY(report_event_check(q->then, "then", problem));
    if (q->from_ms >= q->to_ms)
        return problem_set(problem, ERR_INPUT, "to", "the period does not end after it began",
                           "Give its ends in order of time.");
    return OK;
}

/* One first event, followed after took_ms, or below 0 never. */
static void put(const struct spread_question *q, int64_t took_ms, uint32_t person,
                struct spread *out)
{
    bool never = took_ms < 0;
    out->begun++;
    if (!never)
        times_put(&out->took, took_ms);
    if (q->pick.bits == NULL || never != q->pick.never)
        return;
    uint32_t bucket = never ? 0 : times_bucket(took_ms);
    if (never || (bucket >= q->pick.from && bucket < q->pick.to))
        q->pick.bits[person / 64] |= UINT64_C(1) << (person % 64);
}

/* Kind 0 is the first event, 1 the other: the nearest one strictly after it counts. */
static void person(const struct hits *hits, const struct spread_question *q, uint32_t i,
                   struct spread *out)
{
    uint32_t then = 0;
    for (uint32_t h = 0; h < hits->count; h++) {
        const struct hit *hit = &hits->items[h];
        if (hit->kind != 0)
            continue;
        while (then < hits->count && (then <= h || hits->items[then].kind != 1 ||
                                      (hits->items[then].at_ms == hit->at_ms &&
                                       hit_seq(hits, &hits->items[then]) == hit_seq(hits, hit))))
            then++;
        put(q, then < hits->count ? hits->items[then].at_ms - hit->at_ms : -1,
            hits->block.first + i, out);
        if (!q->all)
            return;
    }
}

static enum err gather(struct hits *hits, const struct spread_question *q, uint32_t i,
                       struct spread *out)
{
    hits_begin(hits, i);
    TRY(hits_add(hits, i, 0, (struct hits_span){ q->from_ms, q->to_ms }));
    if (hits->count == 0)
        return OK;
    int64_t from_ms = hits->items[0].at_ms;
    for (uint32_t h = 1; h < hits->count; h++)
        from_ms = hits->items[h].at_ms < from_ms ? hits->items[h].at_ms : from_ms;
    TRY(hits_add(hits, i, 1, (struct hits_span){ from_ms, INT64_MAX }));
    hits_sort(hits);
    out->people++;
    person(hits, q, i, out);
    return OK;
}

enum err spread_run(const struct report *report, const struct spread_question *q,
                    struct report_range range, struct spread *out)
{
    SCOPED(hits_closep) struct hits    *hits = NULL;
    const struct segment_program *const programs[] = { q->first, q->then };
    uint64_t                            people[BLOCK_WORDS];

    TRY(hits_open(&hits, report, programs, 2));
    for (uint32_t first = range.from; first < range.to; first += BLOCK_PROFILES) {
        hits_block(hits, first, range.to);
        hits_people(hits, 0, people);
        for (uint32_t word = 0; word < BLOCK_WORDS; word++)
            for (uint64_t left = people[word]; left != 0; left &= left - 1)
                TRY(gather(hits, q, word * 64 + BLOCK_BIT(left), out));
    }
    return OK;
}

void spread_add(struct spread *into, const struct spread *from)
{
    into->people += from->people;
    into->begun += from->begun;
    times_add(&into->took, &from->took);
}
