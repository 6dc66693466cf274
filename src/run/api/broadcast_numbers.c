/*
 * What became of a broadcast, in all and by variant: GET /api/v1/broadcasts/NAME/numbers.
 *
 *      engine's thread   its variants and the keys, copied
 *      report threads    one walk over everyone's messages (engine/report/results.h)
 *      here              rates with their intervals, and how likely each variant is the best
 */
#include "engine/report/results.h"
#include "run/api/api_broadcasts.h"
#include "run/api/ask.h"
#include "run/api/attributing.h"
#include "run/api/crew.h"
#include "run/api/experimenting.h"
#include "run/api/figures.h"
#include "run/api/results_write.h"

struct broadcast_question {
    struct call            *call;
    struct str              name;
    struct results_question results;
    struct attributing      asked;
    struct results_arm      arms[DEAL_ARMS_MAX]; /* as it deals */
    uint32_t                arms_count, chosen;
    int64_t                 launched_ms;
    enum broadcast_state    state;
    bool                    is_there, is_full;
    const struct report    *report;
    struct results          hands[CREW_THREADS_MAX];
};

static bool broadcast_ask(struct engine *engine, struct task *task)
{
    struct broadcast_question *q = task->context;
    const struct program      *program = engine_program(engine);
    struct broadcast_status    status;
    uint32_t                   number = program_broadcast(program, q->name);
    q->is_there = number != SEGMENT_NO_ID && engine_broadcast(engine, number, &status);
    if (!q->is_there)
        return true;
    q->state = status.state;
    q->launched_ms = status.launched_ms;
    q->chosen = status.test.chosen;
    q->arms_count = status.def->arms_count;
    for (uint32_t i = 0; i < q->arms_count; i++) {
        const struct broadcast_arm *arm = &status.def->arms[i];
        q->arms[i] = (struct results_arm){ .broadcast = q->name,
                                           .template = str_copy(q->call->arena, arm->template),
                                           .variant = str_copy(q->call->arena, arm->name) };
        q->is_full =
            q->is_full || q->arms[i].template.ptr == NULL || q->arms[i].variant.ptr == NULL;
    }
    return true;
}

static enum err part(void *context, uint32_t hand, struct report_range range)
{
    struct broadcast_question *q = context;
    return results_run(q->report, &q->results, range, &q->hands[hand]);
}

/* ---- written ---- */

static struct results_row row_of(const struct broadcast_question *q, uint32_t arm)
{
    struct results_key        key = { .of = RESULTS_BROADCAST,
                                      .whole = q->name,
                                      .variant = q->arms[arm].variant };
    const struct results_row *row = results_find(&q->hands[0], &key);
    return row == NULL ? (struct results_row){ .last = 0 } : *row;
}

/* How likely each is the one that is opened, and clicked, most of those delivered. */
static void best_write(const struct broadcast_question *q, uint32_t arm, struct buf *out,
                       bool *first)
{
    struct odds_count opened[DEAL_ARMS_MAX], clicked[DEAL_ARMS_MAX];
    double            best[DEAL_ARMS_MAX];
    bool              inner = true;
    for (uint32_t i = 0; i < q->arms_count; i++) {
        struct results_count count = row_of(q, i).count;
        opened[i] = figures_count(count.delivered, count.opened);
        clicked[i] = figures_count(count.delivered, count.clicked);
    }
    json_write_key(out, first, "best");
    buf_char(out, '{');
    odds_best(opened, q->arms_count, best);
    figure_write(out, &inner, "opened", best[arm]);
    odds_best(clicked, q->arms_count, best);
    figure_write(out, &inner, "clicked", best[arm]);
    buf_char(out, '}');
}

static void variants_write(const struct broadcast_question *q, struct buf *out, bool *first)
{
    json_write_key(out, first, "variants");
    for (uint32_t i = 0; i < q->arms_count; i++) {
        struct results_row row = row_of(q, i);
        bool               inner = true;
        buf_str(out, i == 0 ? STR("[{") : STR(",{"));
        write_text(out, &inner, "name", q->arms[i].variant);
        write_text(out, &inner, "template", q->arms[i].template);
        if (q->chosen == i + 1)
            buf_str(out, STR(",\"winner\":true"));
        results_count_write(out, &inner, &row.count);
        results_rates_write(out, &inner, &row.count);
        attributing_worth_write(out, &inner, &row.worth);
        attributing_mean_write(out, &inner, &row.worth, row.count.sent);
        best_write(q, i, out, &inner);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void answer_write(const struct broadcast_question *q, const struct ask *ask, struct buf *out)
{
    bool first = true;
    buf_char(out, '{');
    write_text(out, &first, "broadcast", q->name);
    ask_write_point(ask, out, &first);
    write_text(out, &first, "state", str_of(broadcast_state_word(q->state)));
    if (q->launched_ms > 0)
        write_time(out, &first, "launched", q->launched_ms);
    results_count_write(out, &first, &q->hands[0].all);
    results_rates_write(out, &first, &q->hands[0].all);
    attributing_rule_write(&q->asked, &q->hands[0], out, &first);
    attributing_worth_write(out, &first, &q->hands[0].put);
    attributing_mean_write(out, &first, &q->hands[0].put, q->hands[0].all.sent);
    if (q->arms_count > 0)
        variants_write(q, out, &first);
    buf_char(out, '}');
}

static enum err walk(struct broadcast_question *q, struct ask *ask)
{
    for (uint32_t i = 0; i < ask_hands(ask); i++) {
        results_done(&q->hands[i]);
        q->hands[i] = results_make();
    }
    TRY(ask_share(ask, part, q));
    for (uint32_t i = 1; i < ask_hands(ask); i++)
        TRY(results_add(&q->hands[0], &q->hands[i]));
    return OK;
}

static enum err numbers_ask(struct broadcast_question *q, struct ask *ask)
{
    uint32_t number;
    TRY(ask_key(ask, NAME_PROPERTY, STR("message"), &number)); /* the zone comes with it */
    TRY(ask_compile(ask));
    q->report = &ask->report;
    for (uint32_t i = 0; i < ask_hands(ask); i++)
        q->hands[i] = results_make();
    enum err err = walk(q, ask);
    if (err == OK && attributing_retry(&q->asked, &q->hands[0]))
        err = walk(q, ask);
    if (err == OK)
        answer_write(q, ask, &q->call->out);
    for (uint32_t i = 0; i < ask_hands(ask); i++)
        results_done(&q->hands[i]);
    return err == OK ? buf_err(&q->call->out) : err;
}

static void question_make(struct broadcast_question *q)
{
    q->results.by = RESULTS_VARIANT;
    q->results.from_ms = INT64_MIN;
    q->results.to_ms = INT64_MAX;
    q->results.broadcast = q->name;
    attributing_put(&q->asked, &q->results);
    q->results.stood = NULL; /* variants of journeys are not asked about */
}

enum err broadcast_numbers_of(struct call *call, struct str name)
{
    struct broadcast_question *q = ARENA_NEW(call->arena, struct broadcast_question);
    struct ask                 ask;
    if (q == NULL)
        return ERR_MEMORY;
    q->call = call;
    q->name = name;
    TRY(call_ask(call, broadcast_ask, q));
    if (!q->is_there)
        return problem_format(&call->problem, ERR_ABSENT, "name",
                              "Look at the list, or put one there with `dult apply`.",
                              "There is no broadcast \"%.*s\".",
                              STR_ARG(str_slice(q->name, 0, 128)));
    if (q->is_full)
        return ERR_MEMORY;
    TRY(attributing_load(call, NULL, &q->asked));
    question_make(q);
    enum err err = ask_open(&ask, call, NULL);
    if (err == OK)
        err = numbers_ask(q, &ask);
    ask_close(&ask);
    return err;
}

enum err broadcast_numbers(struct call *call)
{
    return broadcast_numbers_of(call, call_param(call, "name"));
}
