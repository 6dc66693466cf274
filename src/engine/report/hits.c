#include "engine/report/hits.h"

#include <stdlib.h>

#include "engine/segment/segment_program.h"

enum {
    SMALL = 24,        /* put in order by insertion */
    LINE_INSTANTS = 8, /* of 64 bytes */
};

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
    hits->items = NULL;
    hits->count = hits->room = 0;
    for (uint32_t kind = 0; kind < kinds; kind++)
        hits->programs[kind] = programs[kind];
    someone_nobody(&hits->someone, report);
    for (uint32_t l = 0; l < report->view->levels_count; l++) {
        const struct level *level = &report->view->levels[l];
        hits->levels[l] =
            (struct run){ level->name, level->at_ms, level->seq, level->bag, level->events };
    }
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

void hits_block_begin(struct hits *hits, uint32_t first, uint32_t to)
{
    block_make(&hits->block, hits->report, first, to);
}

void hits_block_kind(struct hits *hits, uint32_t kind, const uint64_t *asked)
{
    slices_make_of(&hits->slices[kind], &hits->block, name_of(hits, kind), asked);
}

void hits_people(const struct hits *hits, uint32_t kind, uint64_t *out)
{
    uint32_t totals[BLOCK_PROFILES];
    slices_totals(&hits->slices[kind], hits->block.count, totals);
    block_enough(&hits->block, totals, 1, INT64_MIN, out);
    for (uint32_t word = 0; word < BLOCK_WORDS; word++)
        out[word] = (out[word] & hits->block.alone[word]) | hits->block.ringed[word];
}

void hits_prefetch(const struct hits *hits, uint32_t kind, uint32_t word, uint64_t people,
                   uint32_t most)
{
    for (uint32_t l = 0; l < hits->slices[kind].levels_count; l++) {
        const struct slice_level *slice = &hits->slices[kind].levels[l];
        uint32_t                  step = slice->places == NULL ? LINE_INSTANTS : 1;
        for (uint64_t left = people; left != 0; left &= left - 1) {
            uint32_t i = word * 64 + BLOCK_BIT(left), hi = slice->hi[i];
            for (uint32_t k = slice->lo[i]; k < hi && k < slice->lo[i] + most * step; k += step)
                __builtin_prefetch(&slice->level->at_ms[slice_place(slice, k)]);
        }
    }
}

void hits_begin(struct hits *hits, uint32_t i)
{
    hits->count = 0;
    hits->runs = hits_is_ringed(hits, i) ? hits->someone.runs : hits->levels;
    if (hits_is_ringed(hits, i))
        someone_make(&hits->someone, hits->report, hits->block.first + i);
}

bool hits_is(const struct hits *hits, uint32_t kind, uint16_t name, uint32_t bag)
{
    const struct segment_match_op *match = match_of(hits, kind);
    struct segment_asking          asking = { hits->programs[kind]->ops, &hits->someone.facts };
    bool is_named = match->event == BLOCK_ANYTHING ? name >= RUN_DEEDS : name == match->event;
    return is_named && (match->where == 0 || segment_where(&asking, match->where,
                                                           bag_at(hits->report->view->bags, bag)));
}

static enum err hits_room(struct hits *hits, uint32_t more)
{
    uint32_t room = hits->room == 0 ? 64 : hits->room;
    while (room - hits->count < more)
        room *= 2;
    if (room == hits->room)
        return OK;
    struct hit *items = realloc(hits->items, (size_t)room * sizeof *items);
    if (items == NULL)
        return ERR_MEMORY;
    hits->items = items;
    hits->room = room;
    return OK;
}

/* Whether the event at a place is of the kind, beyond having a posting. */
static bool is_hit(const struct hits *hits, const struct slice_level *slice, uint32_t kind,
                   uint32_t place)
{
    if (match_of(hits, kind)->where == 0 &&
        !(name_of(hits, kind) == BLOCK_ANYTHING && slice_has_own(slice)))
        return true;
    return hits_is(hits, kind, slice->level->name[place], slice->level->bag[place]);
}

static enum err add_slice(struct hits *hits, const struct slice_level *slice, uint32_t i,
                          uint32_t kind, struct hits_span span)
{
    const struct level *level = slice->level;
    uint16_t            run = (uint16_t)(level - hits->report->view->levels);
    uint32_t            lo = slice->lo[i], hi = slice->hi[i];
    bool                last = hits->block.last_ms[i] < span.to_ms;
    if (lo == hi)
        return OK;
    if (!last || name_of(hits, kind) < RUN_DEEDS)
        hi = slice_first(slice, lo, hi, span.to_ms);
    if (lo < hi && slice_at_ms(slice, lo) < span.from_ms)
        lo = slice_first(slice, lo, hi, span.from_ms);
    TRY(hits_room(hits, hi - lo));
    struct hit *out = hits->items + hits->count;
    for (uint32_t k = lo; k < hi; k++) {
        uint32_t place = slice_place(slice, k);
        if (!is_hit(hits, slice, kind, place))
            continue;
        *out++ = (struct hit){ level->at_ms[place], place, run, (uint16_t)kind };
    }
    hits->count = (uint32_t)(out - hits->items);
    return OK;
}

bool hits_is_plain(const struct hits *hits, uint32_t i, uint32_t kind)
{
    if (match_of(hits, kind)->where != 0 || hits_is_ringed(hits, i))
        return false;
    for (uint32_t l = 0; l < hits->slices[kind].levels_count; l++)
        if (name_of(hits, kind) == BLOCK_ANYTHING && slice_has_own(&hits->slices[kind].levels[l]))
            return false;
    return true;
}

int64_t hits_first_ms(const struct hits *hits, uint32_t i, uint32_t kind)
{
    int64_t first_ms = INT64_MAX;
    if (hits_is_ringed(hits, i)) {
        for (uint32_t r = 0; r < hits->someone.facts.runs_count; r++) {
            const struct run *run = &hits->someone.runs[r];
            uint32_t          k = 0;
            while (k < run->count && !hits_is(hits, kind, run->name[k], run->bag[k]))
                k++;
            if (k < run->count && run->at_ms[k] < first_ms)
                first_ms = run->at_ms[k];
        }
    } else {
        for (uint32_t l = 0; l < hits->slices[kind].levels_count; l++) {
            const struct slice_level *slice = &hits->slices[kind].levels[l];
            uint32_t                  k = slice->lo[i];
            while (k < slice->hi[i] && !is_hit(hits, slice, kind, slice_place(slice, k)))
                k++;
            if (k < slice->hi[i] && slice_at_ms(slice, k) < first_ms)
                first_ms = slice_at_ms(slice, k);
        }
    }
    return first_ms <= hits->report->at_ms ? first_ms : INT64_MAX;
}

static enum err add_run(struct hits *hits, uint32_t r, uint32_t kind, struct hits_span span)
{
    const struct run *run = &hits->someone.runs[r];
    TRY(hits_room(hits, run->count));
    for (uint32_t k = 0; k < run->count && run->at_ms[k] < span.to_ms; k++)
        if (run->at_ms[k] >= span.from_ms && hits_is(hits, kind, run->name[k], run->bag[k]))
            hits->items[hits->count++] =
                (struct hit){ run->at_ms[k], k, (uint16_t)r, (uint16_t)kind };
    return OK;
}

enum err hits_add(struct hits *hits, uint32_t i, uint32_t kind, struct hits_span span)
{
    if (span.to_ms > hits->report->at_ms)
        span.to_ms = hits->report->at_ms + 1;
    if (hits_is_ringed(hits, i)) {
        for (uint32_t r = 0; r < hits->someone.facts.runs_count; r++)
            TRY(add_run(hits, r, kind, span));
        return OK;
    }
    for (uint32_t l = 0; l < hits->slices[kind].levels_count; l++)
        TRY(add_slice(hits, &hits->slices[kind].levels[l], i, kind, span));
    return OK;
}

static int order(const void *a, const void *b, void *context)
{
    const struct hits *hits = context;
    const struct hit  *x = a, *y = b;
    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    uint32_t x_seq = hit_seq(hits, x), y_seq = hit_seq(hits, y);
    if (x_seq != y_seq)
        return x_seq < y_seq ? -1 : 1;
    return (int)y->kind - (int)x->kind;
}

void hits_sort(struct hits *hits)
{
    if (hits->count > SMALL) {
        qsort_r(hits->items, hits->count, sizeof hits->items[0], order, hits);
        return;
    }
    for (uint32_t i = 1; i < hits->count; i++) {
        struct hit hit = hits->items[i];
        uint32_t   k = i;
        for (; k > 0 && order(&hits->items[k - 1], &hit, hits) > 0; k--)
            hits->items[k] = hits->items[k - 1];
        hits->items[k] = hit;
    }
}
