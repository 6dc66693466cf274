#include "engine/report/funnel.h"

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
    hits_begin(hits, i);
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

static enum err person(struct hits *hits, const struct funnel_question *q, struct rows *by,
                       uint32_t i, struct funnel_row *rows)
{
    struct climb c;
    TRY(gather(hits, q, i));
    climb(&c, hits, q->within_ms);
    if (c.level == 0)
        return OK;
    uint32_t all = groups_rows(q->by) - 1;
    uint32_t root = hits->block.first + i;
    row_put(q, &c, all, root, rows);
    if (q->by.of != GROUPS_OF_NOTHING)
        row_put(q, &c, rows_of(by, hits, i, hit_bag(hits, &hits->items[c.best_start])), root, rows);
    return OK;
}

enum err funnel_run(const struct report *report, const struct funnel_question *q,
                    struct report_range range, struct funnel_row *rows)
{
    SCOPED(hits_closep) struct hits *hits = NULL;
    SCOPED(rows_closep) struct rows *by = NULL;
    const struct segment_program    *programs[REPORT_STEPS_MAX];
    uint64_t                         people[BLOCK_WORDS];

    for (uint32_t k = 0; k < q->steps_count; k++)
        programs[k] = &q->steps[k];
    TRY(hits_open(&hits, report, programs, q->steps_count));
    TRY(rows_open(&by, q->by));
    for (uint32_t first = range.from; first < range.to; first += BLOCK_PROFILES) {
        hits_block(hits, first, range.to);
        rows_block(by, &hits->block);
        hits_people(hits, 0, people);
        hits_prefetch(hits, people, 0);
        for (uint32_t word = 0; word < BLOCK_WORDS; word++) {
            hits_prefetch(hits, people, word + 1);
            for (uint64_t left = people[word]; left != 0; left &= left - 1)
                TRY(person(hits, q, by, word * 64 + BLOCK_BIT(left), rows));
        }
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
