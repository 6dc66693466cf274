#include "engine/segment/segment_since.h"

#include <assert.h>

#include "engine/segment/segment_program.h"

enum { FURTHER = 8 };

struct question {
    const struct segment_program *program;
    uint32_t                      at;
    bool                          holds; /* at the end */
    struct facts                  facts;
    int64_t                       step_reads, *reads;
};

static struct verdict ask(struct question *question, int64_t at_ms)
{
    struct segment_local  local;
    struct segment_asking asking = { .ops = question->program->ops };
    question->facts.now_ms = at_ms;
    asking.facts = segment_localize(question->program, &question->facts, &local);
    struct verdict verdict = segment_eval_op(&asking, question->at);
    if (local.until_ms < verdict.until_ms)
        verdict.until_ms = local.until_ms;
    return verdict;
}

/*
 * Where on [from, to) the stretch begins that lasts to `to`; TIME_NEVER when there is none. False
 * when the effort ended before.
 */
static bool stretch_of(struct question *question, int64_t from_ms, int64_t to_ms,
                       int64_t *begins_ms)
{
    *begins_ms = TIME_NEVER;
    for (int64_t at_ms = from_ms; at_ms < to_ms;) {
        if (*question->reads < question->step_reads)
            return false;
        *question->reads -= question->step_reads;
        struct verdict verdict = ask(question, at_ms);
        if (verdict.holds != question->holds)
            *begins_ms = TIME_NEVER;
        else if (*begins_ms == TIME_NEVER)
            *begins_ms = at_ms;
        assert(verdict.until_ms > at_ms);
        at_ms = verdict.until_ms;
    }
    return true;
}

/* Before the first record nothing was true of the person, for nobody was there. */
static int64_t first_of(const struct facts *facts, int64_t *events)
{
    int64_t first_ms = TIME_NEVER;
    *events = 0;
    for (uint32_t r = 0; r < facts->runs_count; r++) {
        const struct run *run = &facts->runs[r];
        uint32_t          i = 0;
        while (i < run->count && run->seq[i] > facts->seq_max)
            i++;
        if (i < run->count && run->at_ms[i] < first_ms)
            first_ms = run->at_ms[i];
        *events += run->count;
    }
    return first_ms;
}

struct segment_since segment_since_op(const struct segment_program *program, uint32_t at,
                                      bool holds, const struct facts *facts, int64_t *reads)
{
    struct question question = { program, at, holds, *facts, SEGMENT_STEP_READS, reads };
    int64_t         events, first_ms = first_of(facts, &events), since_ms = facts->now_ms;
    if (first_ms > since_ms)
        return (struct segment_since){ FACTS_SINCE_UNKNOWN, false };
    if (question.step_reads < events)
        question.step_reads = events;
    question.facts.standings = NULL; /* they are answers for now */
    for (int64_t span_ms = TIME_SECOND_MS; since_ms > first_ms; span_ms *= FURTHER) {
        int64_t begins_ms;
        int64_t from_ms = since_ms - first_ms < span_ms ? first_ms : since_ms - span_ms;
        if (!stretch_of(&question, from_ms, since_ms, &begins_ms))
            return (struct segment_since){ since_ms, true };
        if (begins_ms == TIME_NEVER)
            break;
        since_ms = begins_ms;
        if (begins_ms > from_ms)
            break;
    }
    return (struct segment_since){ since_ms, false };
}

struct segment_since segment_since(const struct segment_program *program, const struct facts *facts,
                                   int64_t *reads)
{
    return segment_since_op(program, 0, segment_eval(program, facts).holds, facts, reads);
}
