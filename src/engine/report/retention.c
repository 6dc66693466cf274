#include "engine/report/retention.h"

#include <stdlib.h>
#include <string.h>

#include "engine/report/hits.h"
#include "engine/segment/segment_program.h"

enum { MASK_WORDS = (REPORT_PERIODS_MAX + 63) / 64, RULER_CELLS = 4096, LINES = 4 };

enum err retention_check(const struct retention_question *q, struct problem *problem)
{
    TRY(report_event_check(q->birth, "birth", problem));
    TRY(report_event_check(q->back, "back", problem));
    return report_periods_check(q->periods, problem);
}

/* Bit i: something in period i. */
struct mask {
    uint64_t words[MASK_WORDS];
};

static void mask_set(struct mask *mask, uint32_t period)
{
    mask->words[period / 64] |= UINT64_C(1) << (period % 64);
}

static bool mask_has(const struct mask *mask, uint32_t period)
{
    return (mask->words[period / 64] >> (period % 64) & 1) != 0;
}

static bool mask_is_empty(const struct mask *mask)
{
    uint64_t any = 0;
    for (uint32_t word = 0; word < MASK_WORDS; word++)
        any |= mask->words[word];
    return any == 0;
}

static uint32_t period_of(struct report_periods periods, int64_t at_ms)
{
    uint32_t low = 0, high = periods.count;
    while (low + 1 < high) {
        uint32_t middle = low + (high - low) / 2;
        if (periods.at_ms[middle] <= at_ms)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/*
 * Periods straight from the postings, for people of one profile: a table over time guesses the
 * period, which is that or the next one.
 */
struct ruler {
    struct report_periods periods;
    uint32_t              shift; /* a cell of the table is 2^shift ms, no longer than any period */
    bool                  fits;
    uint16_t              guess[RULER_CELLS];
};

static void ruler_make(struct ruler *ruler, struct report_periods periods)
{
    const int64_t *at_ms = periods.at_ms;
    int64_t        least_ms = INT64_MAX, from_ms = at_ms[0];
    uint32_t       period = 0;
    for (uint32_t i = 0; i < periods.count; i++)
        least_ms = at_ms[i + 1] - at_ms[i] < least_ms ? at_ms[i + 1] - at_ms[i] : least_ms;
    ruler->periods = periods;
    ruler->shift = 63 - (uint32_t)__builtin_clzll((uint64_t)least_ms);
    int64_t cells = ((at_ms[periods.count] - from_ms) >> ruler->shift) + 1;
    ruler->fits = cells <= RULER_CELLS;
    for (int64_t cell = 0; ruler->fits && cell < cells; cell++) {
        int64_t cell_ms = from_ms + (cell << ruler->shift);
        while (period + 1 < periods.count && at_ms[period + 1] <= cell_ms)
            period++;
        ruler->guess[cell] = (uint16_t)period;
    }
}

static void ruler_mark(const struct ruler *ruler, const struct slice_level *slice, uint32_t lo,
                       uint32_t hi, struct mask *out)
{
    const int64_t *at_ms = slice->level->at_ms, *borders = ruler->periods.at_ms;
    for (uint32_t k = hi; k > lo; k--) {
        int64_t now_ms = at_ms[slice_place(slice, k - 1)];
        if (now_ms < borders[0])
            return;
        uint32_t period = ruler->guess[(now_ms - borders[0]) >> ruler->shift];
        period += now_ms >= borders[period + 1];
        out->words[period / 64] |= UINT64_C(1) << (period % 64);
    }
}

static inline uint32_t ruler_period(const struct ruler *ruler, int64_t at_ms)
{
    const int64_t *borders = ruler->periods.at_ms;
    uint32_t       period = ruler->guess[(at_ms - borders[0]) >> ruler->shift];
    return period + (at_ms >= borders[period + 1]);
}

/* The same of at most 64 periods, of events at places: none of them lies before the periods. */
BLOCK_WIDE static uint64_t ruler_word(const struct ruler *ruler, const int64_t *at_ms,
                                      uint32_t count)
{
    const int64_t *borders = ruler->periods.at_ms;
    int64_t        from_ms = borders[0];
    uint32_t       shift = ruler->shift;
    uint64_t       word = 0;
    for (uint32_t k = 0; k < count; k++) {
        uint32_t period = ruler->guess[(at_ms[k] - from_ms) >> shift];
        word |= UINT64_C(1) << (period + (at_ms[k] >= borders[period + 1]));
    }
    return word;
}

/* Own events among them do not count. */
static uint64_t ruler_word_of(const struct ruler *ruler, const struct level *level, uint32_t lo,
                              uint32_t hi)
{
    uint64_t word = 0;
    for (uint32_t k = lo; k < hi; k++)
        word |= (uint64_t)(level->name[k] >= RUN_DEEDS) << ruler_period(ruler, level->at_ms[k]);
    return word;
}

static bool marks_of(const struct hits *hits, const struct ruler *ruler, uint32_t i, uint32_t kind,
                     struct mask *out)
{
    int64_t to_ms = ruler->periods.at_ms[ruler->periods.count];
    bool    is_own = hits->programs[kind]->ops[0].match.event < RUN_DEEDS;
    if (to_ms > hits->report->at_ms)
        to_ms = hits->report->at_ms + 1;
    if (!ruler->fits || !hits_is_plain(hits, i, kind))
        return false;
    for (uint32_t l = 0; l < hits->slices[kind].levels_count; l++) {
        const struct slice_level *slice = &hits->slices[kind].levels[l];
        uint32_t                  lo = slice->lo[i], hi = slice->hi[i];
        if (lo < hi && (is_own || hits->block.last_ms[i] >= to_ms))
            hi = slice_first(slice, lo, hi, to_ms);
        ruler_mark(ruler, slice, lo, hi, out);
    }
    return true;
}

/* The periods in which there is a hit of the kind. */
static enum err periods_of(struct hits *hits, const struct retention_question *q, uint32_t i,
                           const struct ruler *ruler, uint32_t kind, struct mask *out)
{
    if (marks_of(hits, ruler, i, kind, out))
        return OK;
    const int64_t   *at_ms = q->periods.at_ms;
    struct hits_span span = { at_ms[0], at_ms[q->periods.count] };
    uint32_t         period = 0;
    hits->count = 0;
    TRY(hits_add(hits, i, kind, span));
    for (uint32_t h = 0; h < hits->count; h++) {
        int64_t now_ms = hits->items[h].at_ms;
        if (now_ms < at_ms[period] || now_ms >= at_ms[period + 1])
            period = period_of(q->periods, now_ms);
        mask_set(out, period);
    }
    return OK;
}

/* The period of the first one ever, if it lies in any. */
static void first_of(struct hits *hits, const struct retention_question *q, uint32_t i,
                     struct mask *out)
{
    int64_t first_ms = hits_first_ms(hits, i, 0);
    if (first_ms >= q->periods.at_ms[0] && first_ms < q->periods.at_ms[q->periods.count])
        mask_set(out, period_of(q->periods, first_ms));
}

/*
 * People are counted 64 at a time. Of at most 64 periods what they did is turned round: for each
 * period a word that says who, so that a number of the table is how many bits two words share.
 */
struct table {
    const struct retention_question *q;
    uint64_t                        *born, *came;
    uint32_t                         people;    /* whom the words have */
    uint32_t                         whose[64]; /* their profiles */
    uint64_t                         birth[64]; /* by period: who */
    uint64_t                         back[64];  /* by person: when; by period once turned */
};

static void pick(const struct retention_question *q, uint32_t person)
{
    q->pick.bits[person / 64] |= UINT64_C(1) << (person % 64);
}

static void put_one(struct table *t, const struct mask *birth, const struct mask *back,
                    uint32_t person)
{
    const struct retention_question *q = t->q;
    uint32_t                         count = q->periods.count;
    for (uint32_t period = 0; period < count; period++) {
        if (!mask_has(birth, period))
            continue;
        t->born[period]++;
        for (uint32_t word = period / 64; word * 64 < count; word++)
            for (uint64_t left = back->words[word]; left != 0; left &= left - 1) {
                uint32_t other = word * 64 + BLOCK_BIT(left);
                if (other >= period)
                    t->came[period * count + other - period]++;
            }
    }
    if (q->pick.bits != NULL && mask_has(birth, q->pick.period) &&
        (q->pick.all || (q->pick.period + q->pick.later < count &&
                         mask_has(back, q->pick.period + q->pick.later))))
        pick(q, person);
}

/* Bit k of word i becomes bit i of word k: halves change places, then their halves, and so on. */
static inline void turn_round(uint64_t *words)
{
    uint64_t low = UINT32_MAX;
    for (uint32_t half = 32; half > 0; half /= 2, low ^= low << half)
        for (uint32_t from = 0; from < 64; from += 2 * half)
            for (uint32_t k = from; k < from + half; k++) {
                uint64_t other = (words[k] >> half ^ words[k + half]) & low;
                words[k] ^= other << half;
                words[k + half] ^= other;
            }
}

BLOCK_WIDE static void flush(struct table *t)
{
    const struct retention_question *q = t->q;
    uint32_t                         count = q->periods.count, picked = q->pick.period;
    turn_round(t->back);
    for (uint32_t period = 0; period < count; period++) {
        uint64_t birth = t->birth[period];
        if (birth == 0)
            continue;
        t->born[period] += (uint64_t)__builtin_popcountll(birth);
        for (uint32_t other = period; other < count; other++)
            t->came[period * count + other - period] +=
                (uint64_t)__builtin_popcountll(birth & t->back[other]);
    }
    if (q->pick.bits != NULL && (q->pick.all || picked + q->pick.later < count)) {
        uint64_t who =
            t->birth[picked] & (q->pick.all ? UINT64_MAX : t->back[picked + q->pick.later]);
        for (; who != 0; who &= who - 1)
            pick(q, t->whose[BLOCK_BIT(who)]);
    }
    memset(t->birth, 0, sizeof t->birth);
    memset(t->back, 0, sizeof t->back);
    t->people = 0;
}

static inline void put(struct table *t, uint64_t birth, uint64_t back, uint32_t person)
{
    uint64_t bit = UINT64_C(1) << t->people;
    for (uint64_t left = birth; left != 0; left &= left - 1)
        t->birth[BLOCK_BIT(left)] |= bit;
    t->back[t->people] = back;
    t->whose[t->people++] = person;
    if (t->people == 64)
        flush(t);
}

/* One and the same event, with no filter. */
static bool is_same(const struct retention_question *q)
{
    const struct segment_match_op *a = &q->birth->ops[0].match, *b = &q->back->ops[0].match;
    return a->event == b->event && a->where == 0 && b->where == 0;
}

static enum err person(struct hits *hits, const struct retention_question *q,
                       const struct ruler *ruler, uint32_t i, struct table *table)
{
    struct mask birth = { { 0 } }, back = { { 0 } };
    hits_begin(hits, i);
    if (q->any)
        TRY(periods_of(hits, q, i, ruler, 0, &birth));
    else
        first_of(hits, q, i, &birth);
    if (mask_is_empty(&birth))
        return OK;
    if (q->any && hits->kinds == 1)
        back = birth;
    else
        TRY(periods_of(hits, q, i, ruler, hits->kinds - 1, &back));
    if (q->periods.count > 64)
        put_one(table, &birth, &back, hits->block.first + i);
    else
        put(table, birth.words[0], back.words[0], hits->block.first + i);
    return OK;
}

/*
 * The commonest question, of one's first deed ever and of all that came after: each of a person's
 * instants is read once, from the first on.
 */
static bool is_quick(const struct retention_question *q, const struct ruler *ruler)
{
    return is_same(q) && !q->any && q->birth->ops[0].match.event == BLOCK_ANYTHING &&
           q->periods.count <= 64 && ruler->fits;
}

static inline void person_quick(const struct hits *hits, const struct ruler *ruler, int64_t to_ms,
                                uint32_t i, struct table *table)
{
    const struct slices *slices = &hits->slices[0];
    int64_t              first_ms = INT64_MAX;
    uint64_t             back = 0;
    for (uint32_t l = 0; l < slices->levels_count; l++) {
        const struct slice_level *slice = &slices->levels[l];
        uint32_t                  lo = slice->lo[i], hi = slice->hi[i];
        bool                      has_own = slice_has_own(slice);
        while (has_own && lo < hi && slice->level->name[lo] < RUN_DEEDS)
            lo++;
        if (lo == hi)
            continue;
        if (hits->block.last_ms[i] >= to_ms || has_own)
            hi = slice_first(slice, lo, hi, to_ms);
        if (lo == hi)
            continue;
        int64_t at_ms = slice->level->at_ms[lo];
        if (at_ms < ruler->periods.at_ms[0])
            return;
        first_ms = at_ms < first_ms ? at_ms : first_ms;
        back |= has_own ? ruler_word_of(ruler, slice->level, lo, hi)
                        : ruler_word(ruler, slice->level->at_ms + lo, hi - lo);
    }
    if (back != 0)
        put(table, UINT64_C(1) << ruler_period(ruler, first_ms), back, hits->block.first + i);
}

/* Who surely was not born in any period: who did nothing since the first began, or did something
 * before. */
static void drop_surely(const struct hits *hits, const struct retention_question *q,
                        uint64_t *people)
{
    uint64_t within[BLOCK_WORDS], after[BLOCK_WORDS], before[BLOCK_WORDS];
    int64_t  from_ms = q->periods.at_ms[0];
    uint16_t event = q->birth->ops[0].match.event;
    bool     ever = !q->any && event == BLOCK_ANYTHING && q->birth->ops[0].match.where == 0;
    if (event < RUN_DEEDS)
        return;
    block_last(&hits->block, from_ms, INT64_MAX, within, after);
    if (ever)
        block_first(&hits->block, from_ms, before, after);
    for (uint32_t word = 0; word < BLOCK_WORDS; word++) {
        uint64_t in = ever ? within[word] & ~before[word] : within[word];
        people[word] &= in | hits->block.ringed[word];
    }
}

static void prefetch(const struct hits *hits, const uint64_t *people, uint32_t word)
{
    for (uint32_t kind = 0; word < BLOCK_WORDS && kind < hits->kinds; kind++)
        hits_prefetch(hits, kind, word, people[word], LINES);
}

/* One block's people. */
static enum err block(struct hits *hits, const struct retention_question *q,
                      const struct ruler *ruler, struct table *table)
{
    uint64_t people[BLOCK_WORDS];
    bool     quick = is_quick(q, ruler);
    int64_t  to_ms = q->periods.at_ms[q->periods.count];
    if (to_ms > hits->report->at_ms)
        to_ms = hits->report->at_ms + 1;
    hits_people(hits, 0, people);
    drop_surely(hits, q, people);
    prefetch(hits, people, 0);
    for (uint32_t word = 0; word < BLOCK_WORDS; word++) {
        prefetch(hits, people, word + 1);
        for (uint64_t left = people[word]; left != 0; left &= left - 1) {
            uint32_t i = word * 64 + BLOCK_BIT(left);
            if (quick && !hits_is_ringed(hits, i))
                person_quick(hits, ruler, to_ms, i, table);
            else
                TRY(person(hits, q, ruler, i, table));
        }
    }
    return OK;
}

enum err retention_run(const struct report *report, const struct retention_question *q,
                       struct report_range range, uint64_t *born, uint64_t *came)
{
    SCOPED(hits_closep) struct hits    *hits = NULL;
    const struct segment_program *const programs[] = { q->birth, q->back };
    struct table                        table = { .q = q, .born = born, .came = came };
    struct ruler                        ruler;

    ruler_make(&ruler, q->periods);
    TRY(hits_open(&hits, report, programs, is_same(q) ? 1 : 2));
    for (uint32_t first = range.from; first < range.to; first += BLOCK_PROFILES) {
        hits_block(hits, first, range.to);
        TRY(block(hits, q, &ruler, &table));
    }
    if (table.people > 0)
        flush(&table);
    return OK;
}
