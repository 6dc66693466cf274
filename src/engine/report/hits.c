#include "engine/report/hits.h"

#include <stdlib.h>

#include "engine/segment/segment_program.h"

enum { SMALL = 24 }; /* put in order by insertion */

static const struct segment_match_op *match_of(const struct hits *hits, uint32_t kind)
{
    return &hits->programs[kind]->ops[0].match;
}

static uint16_t name_of(const struct hits *hits, uint32_t kind)
{
    return match_of(hits, kind)->event;
}

enum err hits_open(struct hits **out, const struct report *report,
                   const struct segment_program *const *programs, uint32_t kinds)
{
    struct hits *hits = malloc(sizeof *hits);
    if (hits == NULL)
        return ERR_MEMORY;
    hits->report = report;
    hits->kinds = kinds;
    hits->bags = false;
    hits->items = NULL;
    hits->count = hits->room = 0;
    for (uint32_t kind = 0; kind < kinds; kind++)
        hits->programs[kind] = programs[kind];
    someone_nobody(&hits->someone, report);
    hits->slices = malloc(kinds * sizeof hits->slices[0]);
    if (hits->slices == NULL) {
        hits_close(hits);
        return ERR_MEMORY;
    }
    *out = hits;
    return OK;
}

void hits_close(struct hits *hits)
{
    if (hits == NULL)
        return;
    free(hits->slices);
    free(hits->items);
    free(hits);
}

void hits_closep(struct hits **hits)
{
    hits_close(*hits);
}

void hits_block(struct hits *hits, uint32_t first, uint32_t to)
{
    block_make(&hits->block, hits->report, first, to);
    for (uint32_t kind = 0; kind < hits->kinds; kind++)
        slices_make(&hits->slices[kind], &hits->block, name_of(hits, kind));
}

void hits_people(const struct hits *hits, uint32_t kind, uint64_t *out)
{
    uint32_t totals[BLOCK_PROFILES];
    slices_totals(&hits->slices[kind], hits->block.count, totals);
    block_enough(&hits->block, totals, 1, INT64_MIN, out);
    for (uint32_t word = 0; word < BLOCK_WORDS; word++)
        out[word] = (out[word] & hits->block.alone[word]) | hits->block.ringed[word];
}

void hits_prefetch(const struct hits *hits, uint32_t i)
{
    for (uint32_t kind = 0; kind < hits->kinds; kind++)
        for (uint32_t l = 0; l < hits->slices[kind].levels_count; l++) {
            const struct slice_level *slice = &hits->slices[kind].levels[l];
            uint32_t                  lo = slice->lo[i], hi = slice->hi[i];
            for (uint32_t k = lo; k < hi && k < lo + 4; k++)
                __builtin_prefetch(&slice->level->at_ms[slice_place(slice, k)]);
        }
}

static bool is_ringed(const struct hits *hits, uint32_t i)
{
    return (hits->block.ringed[i / 64] >> (i % 64) & 1) != 0;
}

void hits_begin(struct hits *hits, uint32_t i)
{
    hits->count = 0;
    if (is_ringed(hits, i))
        someone_make(&hits->someone, hits->report, hits->block.first + i);
}

bool hits_is(const struct hits *hits, uint32_t kind, uint16_t name, uint32_t bag)
{
    const struct segment_match_op *match = match_of(hits, kind);
    struct segment_asking          asking = { hits->programs[kind]->ops, &hits->someone.facts };
    return name == match->event &&
           (match->where == 0 ||
            segment_where(&asking, match->where, bag_at(hits->report->view->bags, bag)));
}

static enum err hit_put(struct hits *hits, struct hit hit)
{
    if (hits->count == hits->room) {
        uint32_t    room = hits->room == 0 ? 64 : hits->room * 2;
        struct hit *items = realloc(hits->items, (size_t)room * sizeof *items);
        if (items == NULL)
            return ERR_MEMORY;
        hits->items = items;
        hits->room = room;
    }
    hits->items[hits->count++] = hit;
    return OK;
}

static enum err add_slice(struct hits *hits, const struct slice_level *slice, uint32_t i,
                          uint32_t kind, struct hits_span span)
{
    const struct level *level = slice->level;
    bool                reads_bag = hits->bags || match_of(hits, kind)->where != 0;
    for (uint32_t k = slice->lo[i]; k < slice->hi[i]; k++) {
        uint32_t   place = slice_place(slice, k);
        struct hit hit = { .at_ms = level->at_ms[place], .kind = (uint16_t)kind };
        if (hit.at_ms < span.from_ms)
            continue;
        if (hit.at_ms >= span.to_ms)
            return OK;
        hit.bag = reads_bag ? level->bag[place] : 0;
        if (reads_bag && !hits_is(hits, kind, name_of(hits, kind), hit.bag))
            continue;
        hit.seq = level->seq[place];
        TRY(hit_put(hits, hit));
    }
    return OK;
}

static enum err add_run(struct hits *hits, const struct run *run, uint32_t kind,
                        struct hits_span span)
{
    for (uint32_t k = 0; k < run->count && run->at_ms[k] < span.to_ms; k++)
        if (run->at_ms[k] >= span.from_ms && hits_is(hits, kind, run->name[k], run->bag[k]))
            TRY(hit_put(hits,
                        (struct hit){ run->at_ms[k], run->seq[k], run->bag[k], (uint16_t)kind }));
    return OK;
}

enum err hits_add(struct hits *hits, uint32_t i, uint32_t kind, struct hits_span span)
{
    if (span.to_ms > hits->report->at_ms)
        span.to_ms = hits->report->at_ms + 1;
    if (is_ringed(hits, i)) {
        for (uint32_t r = 0; r < hits->someone.facts.runs_count; r++)
            TRY(add_run(hits, &hits->someone.runs[r], kind, span));
        return OK;
    }
    for (uint32_t l = 0; l < hits->slices[kind].levels_count; l++)
        TRY(add_slice(hits, &hits->slices[kind].levels[l], i, kind, span));
    return OK;
}

static int order(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;
    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    if (x->seq != y->seq)
        return x->seq < y->seq ? -1 : 1;
    return (int)y->kind - (int)x->kind;
}

void hits_sort(struct hits *hits)
{
    if (hits->count > SMALL) {
        qsort(hits->items, hits->count, sizeof hits->items[0], order);
        return;
    }
    for (uint32_t i = 1; i < hits->count; i++) {
        struct hit hit = hits->items[i];
        uint32_t   k = i;
        for (; k > 0 && order(&hits->items[k - 1], &hit) > 0; k--)
            hits->items[k] = hits->items[k - 1];
        hits->items[k] = hit;
    }
}
