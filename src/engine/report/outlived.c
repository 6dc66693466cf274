#include "engine/report/outlived.h"

#include <stdlib.h>

#include "engine/behaviour/level.h"
#include "engine/report/someone.h"

/* Room for what is left of one person, as columns. */
struct scratch {
    struct level_columns columns;
    uint64_t             room;
    struct someone       before, after;
};

static uint64_t hidden_count(const struct retention *retention, const struct run *run)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < run->count; i++)
        count += retention_hides(retention, run->name[i], run->at_ms[i]);
    return count;
}

static void scratch_done(struct scratch *scratch)
{
    free(scratch->columns.at_ms);
    free(scratch->columns.seq);
    free(scratch->columns.bag);
    free(scratch->columns.name);
}

static enum err scratch_reach(struct scratch *scratch, uint64_t events)
{
    struct level_columns *c = &scratch->columns;
    if (events <= scratch->room)
        return OK;
    scratch_done(scratch);
    scratch->room = events + events / 2;
    c->at_ms = malloc(scratch->room * sizeof *c->at_ms);
    c->seq = malloc(scratch->room * sizeof *c->seq);
    c->bag = malloc(scratch->room * sizeof *c->bag);
    c->name = malloc(scratch->room * sizeof *c->name);
    if (c->at_ms != NULL && c->seq != NULL && c->bag != NULL && c->name != NULL)
        return OK;
    scratch_done(scratch);
    scratch->columns = (struct level_columns){ 0 };
    scratch->room = 0;
    return ERR_MEMORY;
}

/* The person as before, with runs that leave out what is hidden. */
static enum err after_make(struct scratch *scratch, const struct report *report,
                           const struct retention *retention)
{
    struct someone *before = &scratch->before, *after = &scratch->after;
    uint64_t        events = 0, at = 0;
    for (uint32_t r = 0; r < before->facts.runs_count; r++)
        events += before->runs[r].count;
    TRY(scratch_reach(scratch, events));
    someone_make(after, report, before->person);
    for (uint32_t r = 0; r < before->facts.runs_count; r++) {
        const struct level_columns *c = &scratch->columns;
        const struct run           *run = &before->runs[r];
        uint64_t                    from = at;
        for (uint32_t i = 0; i < run->count; i++)
            if (!retention_hides(retention, run->name[i], run->at_ms[i]))
                level_copy(c, at++, run, i, 1);
        after->runs[r] = (struct run){ .name = c->name + from,
                                       .at_ms = c->at_ms + from,
                                       .seq = c->seq + from,
                                       .bag = c->bag + from,
                                       .count = (uint32_t)(at - from) };
    }
    return OK;
}

static bool holds(const struct someone *someone, const struct segment_program *program)
{
    return someone_is_known(someone) && segment_eval(program, &someone->facts).holds;
}

static enum err person_count(struct scratch *scratch, const struct report *report,
                             const struct outlived_question *question, uint32_t person,
                             struct outlived_counts *counts)
{
    uint64_t hidden = 0;
    someone_make(&scratch->before, report, person);
    for (uint32_t r = 0; r < scratch->before.facts.runs_count; r++)
        hidden += hidden_count(question->retention, &scratch->before.runs[r]);
    if (hidden == 0)
        return OK;
    counts->events += hidden;
    counts->people++;
    TRY(after_make(scratch, report, question->retention));
    for (uint32_t i = 0; i < question->programs_count; i++) {
        bool was = holds(&scratch->before, &question->programs[i]);
        bool is = holds(&scratch->after, &question->programs[i]);
        counts->entering[i] += is && !was;
        counts->leaving[i] += was && !is;
    }
    return OK;
}

enum err outlived_count(const struct report *report, const struct outlived_question *question,
                        struct report_range range, struct outlived_counts *counts)
{
    struct scratch *scratch = calloc(1, sizeof *scratch);
    enum err        err = scratch == NULL ? ERR_MEMORY : OK;
    for (uint32_t p = range.from; p < range.to && err == OK; p++)
        if (report->view->root[p] == p)
            err = person_count(scratch, report, question, p, counts);
    if (scratch != NULL)
        scratch_done(scratch);
    free(scratch);
    return err;
}
