#include "engine/report/stays.h"

#include <stdlib.h>

#include "base/time.h"
#include "engine/report/population.h"
#include "engine/report/someone.h"

enum err stays_check(const struct stays_question *q, struct problem *problem)
{
    if (q->count == 0)
        return problem_set(problem, ERR_INPUT, "stages", "There are no stages.",
                           "Put some there: `dult stages set stages.json`.");
    if (q->count > STAYS_STAGES_MAX)
        return problem_set(problem, ERR_LIMIT, "stages", "There are more than 50 stages.",
                           "Leave some out.");
    if (q->by.of == GROUPS_OF_PROPERTY)
        return problem_set(problem, ERR_INPUT, "by", "People are broken down by a trait.",
                           "Write \"by\":\"trait:NAME\".");
    if (q->from_ms >= q->to_ms)
        return problem_set(problem, ERR_INPUT, "to", "The period does not end after it began.",
                           "Give its ends in order of time.");
    return OK;
}

/* ---- one person ---- */

/* The first instant at which they are somebody: see someone_is_known. */
static int64_t begun_ms(const struct someone *someone)
{
    const struct view *view = someone->view;
    uint32_t           member = someone->person;
    int64_t            at_ms = TIME_NEVER;
    do {
        if (view->arrived_ms != NULL && view->arrived_ms[member] < at_ms)
            at_ms = view->arrived_ms[member];
        member = view->next[member];
    } while (member != someone->person);
    for (uint32_t r = 0; r < someone->facts.runs_count; r++)
        if (someone->runs[r].count > 0 && someone->runs[r].at_ms[0] < at_ms)
            at_ms = someone->runs[r].at_ms[0];
    return at_ms;
}

/* From the last on. It is so until any of those that were asked may turn. */
static uint32_t stage_at(const struct stays_question *q, struct someone *someone, int64_t at_ms,
                         int64_t *until_ms)
{
    *until_ms = TIME_NEVER;
    someone->facts.now_ms = at_ms;
    for (uint32_t i = q->count; i > 0; i--) {
        struct verdict verdict = segment_eval(q->stages[i - 1], &someone->facts);
        if (verdict.until_ms < *until_ms)
            *until_ms = verdict.until_ms;
        if (verdict.holds)
            return i - 1;
    }
    return STAYS_NONE;
}

bool stays_follow(const struct stays_question *q, struct someone *someone, int64_t to_ms,
                  stays_each *each, void *context)
{
    uint32_t last = STAYS_NONE;
    int64_t  at_ms = begun_ms(someone), until_ms;
    for (int looks = 0; at_ms < to_ms; looks++, at_ms = until_ms) {
        uint32_t stage = stage_at(q, someone, at_ms, &until_ms);
        if (looks == STAYS_LOOKS_MAX)
            return false;
        if (stage != last)
            each(context, at_ms, stage);
        last = stage;
    }
    return true;
}

/* What one person's stays come to; sets of stages are bits. */
struct path {
    const struct stays_question *q;
    struct stays_stage          *stages, *all; /* of the person's row, and of all together */
    uint32_t                     stage;
    int64_t                      since_ms;
    uint64_t                     came, on, left, left_to;
};

static void left_put(struct path *path, struct stays_stage *stages, int64_t length_ms,
                     uint32_t next)
{
    struct stays_stage *stage = &stages[path->stage];
    stage->left++;
    times_put(&stage->took, length_ms);
    stage->next[next]++;
}

/* A person's row may be that of all. */
static void change(void *context, int64_t at_ms, uint32_t stage)
{
    struct path                 *path = context;
    const struct stays_question *q = path->q;
    bool                         counts = at_ms >= q->from_ms;
    if (counts && path->stage != STAYS_NONE) {
        left_put(path, path->stages, at_ms - path->since_ms, stage);
        if (path->all != path->stages)
            left_put(path, path->all, at_ms - path->since_ms, stage);
        path->left |= UINT64_C(1) << path->stage;
        if (path->stage == q->pick.stage && stage == q->pick.next)
            path->left_to = 1;
    }
    path->stage = stage;
    path->since_ms = at_ms;
    if (!counts || stage == STAYS_NONE)
        return;
    path->on |= path->came & ((UINT64_C(1) << stage) - 1);
    path->came |= UINT64_C(1) << stage;
    path->stages[stage].comings++;
    if (path->all != path->stages)
        path->all[stage].comings++;
}

static void path_put(const struct path *path, struct stays_stage *stages)
{
    if (path->stage != STAYS_NONE)
        stages[path->stage].people++;
    for (uint32_t i = 0; i < path->q->count; i++) {
        stages[i].came += path->came >> i & 1;
        stages[i].on += path->on >> i & 1;
    }
}

static bool is_picked(const struct path *path, uint32_t row, uint32_t all)
{
    const struct stays_pick *pick = &path->q->pick;
    if (pick->bits == NULL || (pick->row != row && pick->row != all))
        return false;
    return pick->who == STAYS_IN     ? path->stage == pick->stage
           : pick->who == STAYS_CAME ? (path->came >> pick->stage & 1) != 0
           : pick->who == STAYS_ON   ? (path->on >> pick->stage & 1) != 0
           : pick->has_next          ? path->left_to != 0
                                     : (path->left >> pick->stage & 1) != 0;
}

/* The value at the report's instant; of a list the first element counts. */
static uint32_t row_of(const struct report *report, const struct stays_question *q,
                       struct someone *someone)
{
    struct facts_trait trait;
    struct json        value = { .kind = JSON_NULL };
    if (q->by.of == GROUPS_OF_NOTHING)
        return 0;
    someone->facts.now_ms = report->at_ms;
    if (q->by.key != DICT_NONE && someone->facts.ops->trait(&someone->facts, q->by.key, &trait))
        value = trait.value.kind == JSON_ARRAY && trait.value.count > 0 ? trait.value.items[0]
                                                                        : trait.value;
    return groups_row(q->by.groups, &value);
}

static void person(const struct report *report, const struct stays_question *q,
                   struct someone *someone, uint32_t root, struct stays *out)
{
    uint32_t all = groups_rows(q->by) - 1;
    int64_t  to_ms = q->to_ms <= report->at_ms ? q->to_ms : report->at_ms + 1;
    someone_make(someone, report, root);
    uint32_t    row = row_of(report, q, someone);
    struct path path = { .q = q,
                         .stages = out->stages + (size_t)row * q->count,
                         .all = out->stages + (size_t)all * q->count,
                         .stage = STAYS_NONE };
    if (begun_ms(someone) >= to_ms)
        return;
    out->unsure += !stays_follow(q, someone, to_ms, change, &path);
    path_put(&path, path.stages);
    if (path.all != path.stages)
        path_put(&path, path.all);
    out->none[row] += path.stage == STAYS_NONE;
    if (row != all)
        out->none[all] += path.stage == STAYS_NONE;
    if (is_picked(&path, row, all))
        q->pick.bits[root / 64] |= UINT64_C(1) << (root % 64);
}

enum err stays_run(const struct report *report, const struct stays_question *q,
                   struct report_range range, struct stays *out)
{
    uint64_t       *known = calloc(report_words(report) + 1, sizeof *known);
    struct someone *someone = malloc(sizeof *someone);
    enum err        err = known == NULL || someone == NULL ? ERR_MEMORY : OK;
    if (err == OK)
        population_known(report, range, known);
    for (uint32_t p = range.from; err == OK && p < range.to; p++)
        if (report_bit(known, p))
            person(report, q, someone, p, out);
    free(someone);
    free(known);
    return err;
}

void stays_add(const struct stays_question *q, struct stays *into, const struct stays *from)
{
    uint32_t rows = groups_rows(q->by);
    into->unsure += from->unsure;
    for (uint32_t r = 0; r < rows; r++)
        into->none[r] += from->none[r];
    for (uint32_t i = 0; i < rows * q->count; i++) {
        struct stays_stage       *a = &into->stages[i];
        const struct stays_stage *b = &from->stages[i];
        a->people += b->people;
        a->came += b->came;
        a->comings += b->comings;
        a->on += b->on;
        a->left += b->left;
        times_add(&a->took, &b->took);
        for (uint32_t n = 0; n <= STAYS_STAGES_MAX; n++)
            a->next[n] += b->next[n];
    }
}
