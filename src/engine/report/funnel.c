#include "engine/report/funnel.h"

#include <string.h>

#include "engine/report/hits.h"
#include "engine/report/rows.h"

enum err funnel_check(const struct funnel_question *q, struct problem *problem)
{
    if (q->steps_count < 2)
        return problem_set(problem, ERR_INPUT, "steps", "a funnel has at least two steps",
                           "Add a step, or ask for a trend.");
    if (q->steps_count > REPORT_STEPS_MAX)
        return problem_format(problem, ERR_LIMIT, "steps", "Leave steps out.",
                              "%u steps are more than %d", q->steps_count, REPORT_STEPS_MAX);
    for (uint32_t i = 0; i < q->steps_count; i++)
        TRY(report_event_check(&q->steps[i], "steps", problem));
    if (q->within_ms < 1 || q->within_ms > SEGMENT_LENGTH_MS_MAX)
        return problem_set(problem, ERR_INPUT, "within", "this is no length of time",
                           "Write one such as 7 days.");
    if (q->from_ms >= q->to_ms)
        return problem_set(problem, ERR_INPUT, "to", "the period does not end after it began",
                           "Give its ends in order of time.");
    return OK;
}

/* How far somebody came: the start and the latest event of each level, and when first there. */
struct climb {
    int64_t  start_ms[REPORT_STEPS_MAX], at_ms[REPORT_STEPS_MAX], took_ms[REPORT_STEPS_MAX];
    uint32_t start[REPORT_STEPS_MAX]; /* the start's hit */
    uint32_t level, best_start;
};

/* In order of time, and of one record's hits the later steps first: so none follows itself. */
static void climb(struct climb *c, const struct hits *hits, int64_t within_ms)
{
    uint32_t reached = 0; /* levels that some start has reached */
    c->level = 0;
    for (uint32_t h = 0; h < hits->count; h++) {
        const struct hit *hit = &hits->items[h];
        uint32_t          k = hit->kind;
        if (k > 0 && (reached < k || hit->at_ms - c->start_ms[k - 1] > within_ms))
            continue;
        c->start_ms[k] = k == 0 ? hit->at_ms : c->start_ms[k - 1];
        c->start[k] = k == 0 ? h : c->start[k - 1];
        c->at_ms[k] = hit->at_ms;
        reached = reached > k ? reached : k + 1;
        if (c->level > k)
            continue;
        c->level = k + 1;
        c->best_start = c->start[k];
        c->took_ms[k] = k == 0 ? 0 : hit->at_ms - c->at_ms[k - 1];
    }
}

static void row_put(const struct funnel_question *q, const struct climb *c, uint32_t row,
                    uint32_t person, struct funnel_row *rows)
{
    for (uint32_t k = 0; k < c->level; k++) {
        rows[row].people[k]++;
        if (k > 0)
            times_put(&rows[row].took[k], c->took_ms[k]);
    }
    if (q->pick.bits != NULL && q->pick.row == row &&
        (q->pick.dropped ? c->level == q->pick.step : c->level >= q->pick.step))
        q->pick.bits[person / 64] |= UINT64_C(1) << (person % 64);
}

/* A first step in the period; the others within reach of the first and last of them. */
static enum err gather(struct hits *hits, const struct funnel_question *q, uint32_t i)
{
    TRY(hits_add(hits, i, 0, (struct hits_span){ q->from_ms, q->to_ms }));
    if (hits->count == 0)
        return OK;
    int64_t from_ms = hits->items[0].at_ms, last_ms = from_ms;
    for (uint32_t h = 1; h < hits->count; h++) {
        int64_t at_ms = hits->items[h].at_ms;
        from_ms = at_ms < from_ms ? at_ms : from_ms;
        last_ms = at_ms > last_ms ? at_ms : last_ms;
    }
    for (uint32_t k = 1; k < q->steps_count; k++) {
        uint32_t before = hits->count;
        TRY(hits_add(hits, i, k, (struct hits_span){ from_ms, last_ms + q->within_ms + 1 }));
        if (hits->count == before)
            break;
    }
    hits_sort(hits);
    return OK;
}

/*
 * Whatever somebody of one profile did in one level lies in order of time. So where no filter need
 * be asked, postings are put in order by their places, and an instant is read only of an event that
 * may take a step.
 */
struct lanes {
    const struct level *level;
    const uint32_t     *at[REPORT_STEPS_MAX], *end[REPORT_STEPS_MAX];
};

static bool is_plain(const struct funnel_question *q)
{
    for (uint32_t k = 0; k < q->steps_count; k++)
        if (q->steps[k].ops[0].match.where != 0 || q->steps[k].ops[0].match.event == BLOCK_ANYTHING)
            return false;
    return true;
}

/* The postings of step k that are dated before to_ms; false when they lie in more than one level.
 */
static bool lane_of(struct lanes *lanes, const struct hits *hits, uint32_t k, uint32_t i,
                    int64_t to_ms)
{
    bool is_own = hits->programs[k]->ops[0].match.event < RUN_DEEDS;
    lanes->at[k] = lanes->end[k] = NULL;
    for (uint32_t l = 0; l < hits->slices[k].levels_count; l++) {
        const struct slice_level *slice = &hits->slices[k].levels[l];
        uint32_t                  lo = slice->lo[i], hi = slice->hi[i];
        if (lo == hi)
            continue;
        if (lanes->level != NULL && lanes->level != slice->level)
            return false;
        if (is_own || hits->block.last_ms[i] >= to_ms)
            hi = slice_first(slice, lo, hi, to_ms);
        lanes->level = slice->level;
        lanes->at[k] = slice->places + lo;
        lanes->end[k] = slice->places + hi;
    }
    return true;
}

static bool lanes_of(struct lanes *lanes, const struct hits *hits, const struct funnel_question *q,
                     uint32_t i, bool is_within)
{
    int64_t end_ms = hits->report->at_ms + 1;
    lanes->level = NULL;
    for (uint32_t k = 0; k < q->steps_count; k++)
        if (!lane_of(lanes, hits, k, i, k == 0 && q->to_ms < end_ms ? q->to_ms : end_ms))
            return false;
    if (lanes->level == NULL || is_within)
        return true;
    const int64_t *at_ms = lanes->level->at_ms;
    while (lanes->at[0] < lanes->end[0] && at_ms[lanes->at[0][0]] < q->from_ms)
        lanes->at[0]++;
    return true;
}

/* The step whose next event comes first, of those that can follow; of one event the later step. */
static uint32_t next_step(const struct lanes *lanes, uint32_t steps)
{
    uint32_t best = steps, least = UINT32_MAX;
    for (uint32_t k = 0; k < steps; k++)
        if (lanes->at[k] < lanes->end[k] && lanes->at[k][0] <= least) {
            best = k;
            least = lanes->at[k][0];
        }
    return best;
}

/* As climb() does; best_start is a place. False where two steps tie, which places do not tell. */
static bool climb_lanes(struct climb *c, struct lanes *lanes, const struct funnel_question *q)
{
    uint32_t start[REPORT_STEPS_MAX], last[REPORT_STEPS_MAX], active = 2, k;
    c->level = 0;
    if (lanes->at[0] == lanes->end[0])
        return true;
    const struct level *level = lanes->level;
    start[0] = last[0] = c->best_start = *lanes->at[0]++;
    c->level = 1;
    c->took_ms[0] = 0;
    while (c->level < q->steps_count && (k = next_step(lanes, active)) < active) {
        uint32_t place = *lanes->at[k]++;
        if (k == 0) {
            start[0] = last[0] = place;
            continue;
        }
        if (k == 1 && place <= last[0])
            continue; /* before the first start */
        int64_t at_ms = level->at_ms[place];
        int64_t length_ms = at_ms - level->at_ms[start[k - 1]];
        int64_t took_ms = at_ms - level->at_ms[last[k - 1]];
        if (took_ms == 0 && level->seq[place] == level->seq[last[k - 1]])
            return false;
        if (length_ms > q->within_ms)
            continue;
        start[k] = start[k - 1];
        last[k] = place;
        if (c->level > k)
            continue;
        c->level = k + 1;
        c->best_start = start[k];
        c->took_ms[k] = took_ms;
        if (k + 1 < q->steps_count) { /* from now on the next step counts */
            while (lanes->at[k + 1] < lanes->end[k + 1] && lanes->at[k + 1][0] <= place)
                lanes->at[k + 1]++;
            active = k + 2;
        }
    }
    return true;
}

/* Those of a block of whom steps are asked. */
struct crowd {
    uint64_t people[BLOCK_WORDS]; /* may have a first step */
    uint64_t second[BLOCK_WORDS]; /* and a second one */
    uint64_t within[BLOCK_WORDS]; /* did everything in the period, by their first and last deed */
    bool     is_plain;
};

static bool crowd_has(const uint64_t *bits, uint32_t i)
{
    return (bits[i / 64] >> (i % 64) & 1) != 0;
}

/* How far somebody came, and the bag of the event from which; quickly where it can be. */
static enum err climb_of(struct climb *c, struct hits *hits, const struct funnel_question *q,
                         const struct crowd *crowd, uint32_t i, uint32_t *bag)
{
    struct lanes lanes = { .level = NULL };
    hits_begin(hits, i);
    if (crowd->is_plain && !hits_is_ringed(hits, i) &&
        lanes_of(&lanes, hits, q, i, crowd_has(crowd->within, i)) && climb_lanes(c, &lanes, q)) {
        *bag = c->level > 0 && q->by.of == GROUPS_OF_PROPERTY ? lanes.level->bag[c->best_start] : 0;
        return OK;
    }
    TRY(gather(hits, q, i));
    climb(c, hits, q->within_ms);
    *bag = c->level > 0 ? hit_bag(hits, &hits->items[c->best_start]) : 0;
    return OK;
}

static enum err person(struct hits *hits, const struct funnel_question *q,
                       const struct crowd *crowd, struct rows *by, uint32_t i,
                       struct funnel_row *rows)
{
    struct climb c;
    uint32_t     bag;
    TRY(climb_of(&c, hits, q, crowd, i, &bag));
    if (c.level == 0)
        return OK;
    uint32_t all = groups_rows(q->by) - 1;
    uint32_t root = hits->block.first + i;
    row_put(q, &c, all, root, rows);
    if (q->by.of != GROUPS_OF_NOTHING)
        row_put(q, &c, rows_of(by, hits, i, bag), root, rows);
    return OK;
}

/* Each further step is looked for among those who have the ones before. */
static void crowd_make(struct crowd *crowd, struct hits *hits, const struct funnel_question *q)
{
    uint64_t left[BLOCK_WORDS], some[BLOCK_WORDS], before[BLOCK_WORDS], since[BLOCK_WORDS];
    int64_t  to_ms = q->to_ms <= hits->report->at_ms ? q->to_ms : hits->report->at_ms + 1;
    hits_block_kind(hits, 0, NULL);
    hits_people(hits, 0, crowd->people);
    memcpy(left, crowd->people, sizeof left);
    for (uint32_t k = 1; k < q->steps_count; k++) {
        hits_block_kind(hits, k, left);
        hits_people(hits, k, some);
        for (uint32_t word = 0; word < BLOCK_WORDS; word++)
            left[word] &= some[word];
        if (k == 1)
            memcpy(crowd->second, left, sizeof left);
    }
    block_last(&hits->block, TIME_MIN_MS, to_ms - 1, crowd->within, some);
    block_first(&hits->block, q->from_ms, before, since);
    bool is_own = q->steps[0].ops[0].match.event < RUN_DEEDS;
    for (uint32_t word = 0; word < BLOCK_WORDS; word++)
        crowd->within[word] &= is_own ? 0 : since[word];
}

/* Who has no second step came as far as the first, if all they did lies in the period: so nothing
 * is looked at. They are counted, and taken out of the people. */
static void firsts_put(struct crowd *crowd, const struct hits *hits,
                       const struct funnel_question *q, struct funnel_row *rows)
{
    bool is_picked = q->pick.bits != NULL && q->pick.row == 0 && q->pick.step == 1;
    if (!crowd->is_plain || q->by.of != GROUPS_OF_NOTHING)
        return;
    for (uint32_t word = 0; word * 64 < hits->block.count; word++) {
        uint64_t firsts = crowd->people[word] & ~crowd->second[word] & crowd->within[word] &
                          hits->block.alone[word];
        rows[0].people[0] += (uint64_t)__builtin_popcountll(firsts);
        crowd->people[word] &= ~firsts;
        if (is_picked)
            q->pick.bits[hits->block.first / 64 + word] |= firsts;
    }
}

/* Of those who cannot take a second step only the first instant is looked at. */
static void prefetch(const struct hits *hits, const struct crowd *crowd, uint32_t word)
{
    if (word >= BLOCK_WORDS)
        return;
    uint64_t people = crowd->people[word], second = crowd->second[word];
    hits_prefetch(hits, 0, word, people & ~second, 1);
    hits_prefetch(hits, 0, word, people & second, 3);
    hits_prefetch(hits, 1, word, people & second, 3);
}

static enum err block(struct hits *hits, const struct funnel_question *q, struct rows *by,
                      bool is_plain, struct funnel_row *rows)
{
    struct crowd crowd = { .is_plain = is_plain };
    crowd_make(&crowd, hits, q);
    firsts_put(&crowd, hits, q, rows);
    prefetch(hits, &crowd, 0);
    for (uint32_t word = 0; word < BLOCK_WORDS; word++) {
        prefetch(hits, &crowd, word + 1);
        for (uint64_t left = crowd.people[word]; left != 0; left &= left - 1)
            TRY(person(hits, q, &crowd, by, word * 64 + BLOCK_BIT(left), rows));
    }
    return OK;
}

enum err funnel_run(const struct report *report, const struct funnel_question *q,
                    struct report_range range, struct funnel_row *rows)
{
    SCOPED(hits_closep) struct hits *hits = NULL;
    SCOPED(rows_closep) struct rows *by = NULL;
    const struct segment_program    *programs[REPORT_STEPS_MAX];

    for (uint32_t k = 0; k < q->steps_count; k++)
        programs[k] = &q->steps[k];
    TRY(hits_open(&hits, report, programs, q->steps_count));
    TRY(rows_open(&by, q->by));
    for (uint32_t first = range.from; first < range.to; first += BLOCK_PROFILES) {
        hits_block_begin(hits, first, range.to);
        rows_block(by, &hits->block);
        TRY(block(hits, q, by, is_plain(q), rows));
    }
    return OK;
}

void funnel_add(struct funnel_row *into, const struct funnel_row *from, uint32_t rows)
{
    for (uint32_t row = 0; row < rows; row++)
        for (uint32_t k = 0; k < REPORT_STEPS_MAX; k++) {
            into[row].people[k] += from[row].people[k];
            times_add(&into[row].took[k], &from[row].took[k]);
        }
}
