/*
 * What became of those who came into a journey: GET /api/v1/journeys/NAME/numbers.
 *
 *      engine's thread   the nodes, ways and keys of the journey of now, copied
 *      report threads    one walk over everyone (engine/report/passage.h)
 *      here              rates, which variant is best, and what the journey does: engine/experiment
 */
#include "engine/experiment/odds.h"
#include "engine/report/passage.h"
#include "run/api/ask.h"
#include "run/api/crew.h"

#define SURE 0.95

struct numbers_question {
    struct call            *call;
    struct str              name;
    struct passage_question passage;
    const bool             *is_experiment; /* by node */
    uint32_t                target;        /* of DEAL_ALL */
    int64_t                 within_ms;
    bool                    has_goal, is_there, is_full;
    const struct report    *report;
    struct passage         *hands[CREW_THREADS_MAX];
};

/* ---- the journey ---- */

/* The names that a step may say it took; a wait_for has yes and timeout, a split else or no. */
static bool ways_copy(struct numbers_question *q, const struct journey *journey)
{
    struct arena        *arena = q->call->arena;
    uint32_t             most = journey->branches_count + journey->nodes_count, count = 0;
    struct passage_node *nodes = ARENA_ARRAY(arena, journey->nodes_count, struct passage_node);
    struct str          *ways = ARENA_ARRAY(arena, most + 1, struct str);
    bool                *is_experiment = ARENA_ARRAY(arena, journey->nodes_count + 1, bool);
    bool                 is_good = nodes != NULL && ways != NULL && is_experiment != NULL;
    for (uint16_t i = 0; is_good && i < journey->nodes_count; i++) {
        const struct node *node = &journey->nodes[i];
        nodes[i] = (struct passage_node){ str_copy(arena, node->id),
                                          str_copy(arena, node->template), count, 0 };
        is_experiment[i] = node->is_experiment;
        for (uint16_t b = 0; b < node->branches_count; b++)
            ways[count++] = str_copy(arena, journey->branches[node->branches + b].name);
        if (node->branches_count > 0 && !node->is_experiment && node->otherwise_name.len > 0)
            ways[count++] = str_copy(arena, node->otherwise_name);
        nodes[i].ways_count = count - nodes[i].ways;
        is_good = nodes[i].id.ptr != NULL;
    }
    q->passage.nodes = nodes;
    q->passage.nodes_count = journey->nodes_count;
    q->passage.ways = ways;
    q->passage.ways_count = count;
    q->is_experiment = is_experiment;
    return is_good;
}

static bool journey_ask(struct engine *engine, struct task *task)
{
    struct numbers_question      *q = task->context;
    const struct program         *program = engine_program(engine);
    uint32_t                      number = program_journey(program, q->name);
    const struct journey_version *version =
        number == SEGMENT_NO_ID ? NULL : program_journey_live(program, number);
    const struct dict *properties = program->names[NAME_PROPERTY];
    q->is_there = version != NULL;
    if (version == NULL)
        return true;
    q->passage.journey = number;
    q->passage.name = q->name;
    q->passage.message = dict_find(properties, STR("message"));
    q->passage.took = dict_find(properties, STR("took"));
    q->passage.reason = dict_find(properties, STR("reason"));
    q->passage.value = dict_find(properties, STR("value"));
    q->has_goal = version->journey.goal.condition.tree != NULL;
    q->target = version->journey.goal.target;
    q->within_ms = version->journey.goal.within_ms;
    q->is_full = !ways_copy(q, &version->journey);
    return true;
}

static enum err hands_make(struct numbers_question *q, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        q->hands[i] = ARENA_NEW(q->call->arena, struct passage);
        if (q->hands[i] == NULL)
            return ERR_MEMORY;
        q->hands[i]->nodes =
            ARENA_ARRAY(q->call->arena, q->passage.nodes_count + 1, struct passage_count);
        q->hands[i]->ways =
            ARENA_ARRAY(q->call->arena, q->passage.ways_count + 1, struct passage_count);
        if (q->hands[i]->nodes == NULL || q->hands[i]->ways == NULL)
            return ERR_MEMORY;
    }
    return OK;
}

static enum err part(void *context, uint32_t hand, struct report_range range)
{
    struct numbers_question *q = context;
    return passage_run(q->report, &q->passage, range, q->hands[hand]);
}

/* ---- written ---- */

static void real_write(struct buf *out, bool *first, const char *key, double value)
{
    json_write_key(out, first, key);
    json_write_real(out, value);
}

static void range_write(struct buf *out, bool *first, const char *key, struct odds_range range)
{
    bool inner = true;
    json_write_key(out, first, key);
    buf_char(out, '{');
    real_write(out, &inner, "low", range.low);
    real_write(out, &inner, "middle", range.middle);
    real_write(out, &inner, "high", range.high);
    buf_char(out, '}');
}

static struct odds_count count_of(uint64_t of, uint64_t successes)
{
    const uint64_t most = UINT64_C(1) << 30;
    of = of < most ? of : most;
    return (struct odds_count){ of, successes < of ? successes : of };
}

static void counts_write(struct buf *out, bool *first, const struct passage_count *count,
                         bool has_goal)
{
    write_int(out, first, "entered", (int64_t)count->entered);
    write_int(out, first, "sent", (int64_t)count->sent);
    write_int(out, first, "opened", (int64_t)count->opened);
    write_int(out, first, "clicked", (int64_t)count->clicked);
    if (!has_goal)
        return;
    write_int(out, first, "reached", (int64_t)count->reached);
    real_write(out, first, "value", count->value);
}

static void goal_write(const struct numbers_question *q, struct buf *out, bool *first)
{
    const struct passage *all = q->hands[0];
    struct odds_count     count = count_of(all->all.entered, all->all.reached);
    bool                  inner = true;
    json_write_key(out, first, "goal");
    buf_char(out, '{');
    write_int(out, &inner, "within_ms", q->within_ms);
    write_int(out, &inner, "entered", (int64_t)all->all.entered);
    write_int(out, &inner, "reached", (int64_t)all->all.reached);
    real_write(out, &inner, "value", all->all.value);
    range_write(out, &inner, "rate", odds_of(count, SURE));
    if (q->target > 0)
        real_write(out, &inner, "target", (double)q->target / DEAL_ALL);
    buf_char(out, '}');
}

static void group_write(struct buf *out, bool *first, const char *key,
                        const struct passage_group *group)
{
    bool inner = true;
    json_write_key(out, first, key);
    buf_char(out, '{');
    write_int(out, &inner, "people", (int64_t)group->people);
    write_int(out, &inner, "reached", (int64_t)group->reached);
    range_write(out, &inner, "rate", odds_of(count_of(group->people, group->reached), SURE));
    buf_char(out, '}');
}

/* What the journey does: those let in beside those held out, each person by their first time. */
static void lift_write(const struct numbers_question *q, struct buf *out, bool *first)
{
    const struct passage *all = q->hands[0];
    struct odds_count     in = count_of(all->in.people, all->in.reached);
    struct odds_count     held = count_of(all->out.people, all->out.reached);
    bool                  inner = true;
    json_write_key(out, first, "lift");
    buf_char(out, '{');
    group_write(out, &inner, "let_in", &all->in);
    group_write(out, &inner, "held_out", &all->out);
    range_write(out, &inner, "difference", odds_difference(in, held, SURE));
    range_write(out, &inner, "relative", odds_lift(in, held, SURE));
    real_write(out, &inner, "better", odds_above(in, held));
    real_write(out, &inner, "sure", SURE);
    buf_char(out, '}');
}

/* Of an experiment with a goal: how likely each variant is the best. */
static void best_of(const struct numbers_question *q, const struct passage_node *node, double *best)
{
    struct odds_count counts[DEAL_ARMS_MAX];
    for (uint32_t i = 0; i < node->ways_count; i++) {
        const struct passage_count *way = &q->hands[0]->ways[node->ways + i];
        counts[i] = count_of(way->entered, way->reached);
    }
    odds_best(counts, node->ways_count, best);
}

static void ways_write(const struct numbers_question *q, uint32_t n, struct buf *out, bool *first)
{
    const struct passage_node *node = &q->passage.nodes[n];
    bool   is_measured = q->is_experiment[n] && q->has_goal && node->ways_count <= DEAL_ARMS_MAX;
    double best[DEAL_ARMS_MAX] = { 0 };
    if (is_measured)
        best_of(q, node, best);
    json_write_key(out, first, q->is_experiment[n] ? "variants" : "ways");
    for (uint32_t i = 0; i < node->ways_count; i++) {
        const struct passage_count *way = &q->hands[0]->ways[node->ways + i];
        bool                        inner = true;
        buf_str(out, i == 0 ? STR("[{") : STR(",{"));
        write_text(out, &inner, "name", q->passage.ways[node->ways + i]);
        counts_write(out, &inner, way, q->has_goal);
        if (is_measured) {
            range_write(out, &inner, "rate", odds_of(count_of(way->entered, way->reached), SURE));
            real_write(out, &inner, "best", best[i]);
        }
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void nodes_write(const struct numbers_question *q, struct buf *out, bool *first)
{
    json_write_key(out, first, "nodes");
    for (uint32_t n = 0; n < q->passage.nodes_count; n++) {
        const struct passage_node  *node = &q->passage.nodes[n];
        const struct passage_count *count = &q->hands[0]->nodes[n];
        bool                        inner = true;
        buf_str(out, n == 0 ? STR("[{") : STR(",{"));
        write_text(out, &inner, "id", node->id);
        if (node->template.len > 0)
            write_text(out, &inner, "template", node->template);
        write_int(out, &inner, "entered", (int64_t)count->entered);
        if (node->template.len > 0) {
            write_int(out, &inner, "sent", (int64_t)count->sent);
            write_int(out, &inner, "opened", (int64_t)count->opened);
            write_int(out, &inner, "clicked", (int64_t)count->clicked);
        }
        if (node->ways_count > 0)
            ways_write(q, n, out, &inner);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void answer_write(const struct numbers_question *q, const struct ask *ask, struct buf *out)
{
    const struct passage *all = q->hands[0];
    bool                  first = true;
    buf_char(out, '{');
    write_text(out, &first, "journey", q->name);
    ask_write_point(ask, out, &first);
    counts_write(out, &first, &all->all, false);
    write_int(out, &first, "people", (int64_t)all->in.people);
    write_int(out, &first, "held_out", (int64_t)all->held_out);
    if (q->has_goal)
        goal_write(q, out, &first);
    if (q->has_goal && all->out.people > 0)
        lift_write(q, out, &first);
    json_write_key(out, &first, "exits");
    buf_char(out, '{');
    for (uint32_t i = 0; i < all->exits_count; i++) {
        if (i > 0)
            buf_char(out, ',');
        json_write_str(out, all->exits[i].text);
        buf_char(out, ':');
        buf_int(out, (int64_t)all->exits[i].count);
    }
    buf_char(out, '}');
    nodes_write(q, out, &first);
    buf_char(out, '}');
}

static enum err numbers_ask(struct numbers_question *q, struct ask *ask)
{
    TRY(ask_compile(ask));
    TRY(hands_make(q, ask_hands(ask)));
    q->report = &ask->report;
    TRY(ask_share(ask, part, q));
    for (uint32_t i = 1; i < ask_hands(ask); i++)
        passage_add(&q->passage, q->hands[0], q->hands[i]);
    answer_write(q, ask, &q->call->out);
    return buf_err(&q->call->out);
}

enum err journey_numbers(struct call *call)
{
    struct numbers_question q = { .call = call, .name = call_param(call, "name") };
    struct ask              ask;
    TRY(call_ask(call, journey_ask, &q));
    if (!q.is_there)
        return problem_format(&call->problem, ERR_ABSENT, "name",
                              "Look at the list, or put one there with `dult apply`.",
                              "There is no journey \"%.*s\".", STR_ARG(str_slice(q.name, 0, 128)));
    if (q.is_full)
        return ERR_MEMORY;
    enum err err = ask_open(&ask, call, NULL);
    if (err == OK)
        err = numbers_ask(&q, &ask);
    ask_close(&ask);
    return err;
}
