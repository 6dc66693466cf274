#include "engine/report/population.h"

#include <stdlib.h>
#include <string.h>

#include "engine/report/leaf.h"

/* Groups ask their cheap parts first, and each part only of those whom none before decided. */

static enum leaf_cost cost_of(const struct segment_op *ops, uint32_t at)
{
    enum leaf_cost most = LEAF_FREE;
    if (ops[at].kind != SEGMENT_AND && ops[at].kind != SEGMENT_OR && ops[at].kind != SEGMENT_NOT)
        return leaf_cost(ops, at);
    for (uint32_t part = at + 1; part < ops[at].next; part = ops[part].next) {
        enum leaf_cost cost = cost_of(ops, part);
        most = cost > most ? cost : most;
    }
    return most;
}

static bool is_empty(const uint64_t *bits)
{
    uint64_t any = 0;
    for (uint32_t word = 0; word < BLOCK_WORDS; word++)
        any |= bits[word];
    return any == 0;
}

static void eval(struct leaf_asking *asking, uint32_t at, const uint64_t *asked, uint64_t *out);

/* Whom a part decides is asked no more: in an AND those it refuses, in an OR those it takes. */
static void eval_group(struct leaf_asking *asking, uint32_t at, const uint64_t *asked,
                       uint64_t *out)
{
    const struct segment_op *ops = asking->program->ops;
    bool                     is_or = ops[at].kind == SEGMENT_OR;
    uint64_t                 left[BLOCK_WORDS], held[BLOCK_WORDS];

    memcpy(left, asked, sizeof left);
    for (int cost = LEAF_FREE; cost <= LEAF_DEAR; cost++)
        for (uint32_t part = at + 1; part < ops[at].next; part = ops[part].next) {
            if ((int)cost_of(ops, part) != cost || is_empty(left))
                continue;
            eval(asking, part, left, held);
            for (uint32_t word = 0; word < BLOCK_WORDS; word++)
                left[word] &= is_or ? ~held[word] : held[word];
        }
    for (uint32_t word = 0; word < BLOCK_WORDS; word++)
        out[word] = is_or ? asked[word] & ~left[word] : left[word];
}

static void eval(struct leaf_asking *asking, uint32_t at, const uint64_t *asked, uint64_t *out)
{
    switch (asking->program->ops[at].kind) {
    case SEGMENT_AND:
    case SEGMENT_OR:
        eval_group(asking, at, asked, out);
        return;
    case SEGMENT_NOT:
        eval(asking, at + 1, asked, out);
        for (uint32_t word = 0; word < BLOCK_WORDS; word++)
            out[word] = asked[word] & ~out[word];
        return;
    default:
        leaf_eval(asking, at, asked, out);
    }
}

/* People of several profiles are asked everything one by one. */
static void eval_ringed(struct leaf_asking *asking, uint64_t *out)
{
    const struct block *block = &asking->block;
    for (uint32_t word = 0; word < BLOCK_WORDS; word++)
        for (uint64_t left = block->ringed[word]; left != 0; left &= left - 1) {
            someone_make(&asking->someone, block->report,
                         block->first + word * 64 + BLOCK_BIT(left));
            if (someone_is_known(&asking->someone) &&
                segment_eval(asking->program, &asking->someone.facts).holds)
                out[word] |= left & -left;
        }
}

/* Those numbered below `there` had come by then; of others something may be dated by then, as after
 * an import. */
static void drop_unknown(const struct block *block, uint32_t there, uint64_t *out)
{
    uint64_t known[BLOCK_WORDS], after[BLOCK_WORDS];
    if (there >= block->first + block->count)
        return;
    block_last(block, TIME_MIN_MS, block->report->at_ms, known, after);
    for (uint32_t word = 0; word < BLOCK_WORDS; word++)
        for (uint64_t left = out[word] & ~known[word]; left != 0; left &= left - 1)
            if (block->first + word * 64 + BLOCK_BIT(left) >= there &&
                !block_is_known(block, word * 64 + BLOCK_BIT(left), block->report->at_ms))
                out[word] &= ~(left & -left);
}

/* ---- everyone */

/* Are 64 profiles in a row all of one's own? Nearly always. */
BLOCK_WIDE static bool all_alone(const uint32_t *next, uint32_t first)
{
    uint32_t other = 0;
    for (uint32_t k = 0; k < 64; k++)
        other |= next[k] ^ (first + k);
    return other == 0;
}

/* Did all of them do something in the base, last by then? A difference below 0 says no. */
BLOCK_WIDE static bool all_did(const int64_t *last_ms, int64_t at_ms)
{
    int64_t outside = 0;
    for (uint32_t k = 0; k < 64; k++)
        outside |= (at_ms - last_ms[k]) | (last_ms[k] - TIME_MIN_MS);
    return outside >= 0;
}

/* Is anything of this profile dated by the instant? */
static bool is_dated(const struct report *report, uint32_t profile)
{
    const struct level *base = &report->view->levels[0];
    if (base->profile == NULL && profile < base->profiles &&
        base->last_ms[profile] >= TIME_MIN_MS && base->last_ms[profile] <= report->at_ms)
        return true;
    struct run runs[VIEW_LEVELS_MAX];
    uint32_t   count = view_runs(report->view, profile, runs);
    for (uint32_t r = 0; r < count; r++)
        if (runs[r].at_ms[0] <= report->at_ms)
            return true;
    return false;
}

/* Is it a root, and any of its profiles there? */
static bool is_person(const struct report *report, uint32_t there, uint32_t person)
{
    const struct view *view = report->view;
    uint32_t           member = person;
    if (view->root[person] != person)
        return false;
    do {
        if (member < there || is_dated(report, member))
            return true;
        member = view->next[member];
    } while (member != person);
    return false;
}

static uint64_t known_word(const struct report *report, uint32_t there, uint32_t first,
                           uint32_t count)
{
    const struct level *base = &report->view->levels[0];
    uint64_t            asked = count < 64 ? (UINT64_C(1) << count) - 1 : UINT64_MAX;
    uint64_t            known = 0;
    if (report->among != NULL)
        asked &= report->among[first / 64];
    if (count == 64 && all_alone(report->view->next + first, first) &&
        (first + 64 <= there || (base->profile == NULL && first + 64 <= base->profiles &&
                                 all_did(base->last_ms + first, report->at_ms))))
        return asked;
    for (uint64_t left = asked; left != 0; left &= left - 1)
        if (is_person(report, there, first + BLOCK_BIT(left)))
            known |= left & -left;
    return known;
}

void population_known(const struct report *report, struct report_range range, uint64_t *bits)
{
    uint32_t there = view_profiles_by(report->view, report->at_ms);
    for (uint32_t first = range.from; first < range.to; first += 64)
        bits[first / 64] =
            known_word(report, there, first, range.to - first < 64 ? range.to - first : 64);
}

enum err population_match(const struct report *report, const struct segment_program *program,
                          struct report_range range, uint64_t *bits)
{
    if (program == NULL) {
        population_known(report, range, bits);
        return OK;
    }
    struct leaf_asking *asking = malloc(sizeof *asking);
    uint64_t            out[BLOCK_WORDS];
    uint32_t            there = view_profiles_by(report->view, report->at_ms);
    if (asking == NULL)
        return ERR_MEMORY;
    leaf_asking_make(asking, report, program);
    for (uint32_t first = range.from; first < range.to; first += BLOCK_PROFILES) {
        block_make(&asking->block, report, first, range.to);
        eval(asking, 0, asking->block.alone, out);
        drop_unknown(&asking->block, there, out);
        eval_ringed(asking, out);
        memcpy(bits + first / 64, out, (asking->block.count + 63) / 64 * sizeof out[0]);
    }
    free(asking);
    return OK;
}
