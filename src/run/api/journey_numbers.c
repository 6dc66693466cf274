/*
 * What became of those who came into a journey: GET /api/v1/journeys/NAME/numbers.
 *
 *      engine's thread   the nodes, ways and keys of the journey of now, copied
 *      report threads    one walk over everyone (engine/report/passage.h)
 *      here              rates, which variant is best, and what the journey does: engine/experiment
 */
#include "run/api/journey_numbers.h"

#include "run/api/experimenting.h"
#include "run/api/figures.h"
#include "run/api/winning.h"

/* ---- the journey ---- */

/* A message's templates, and whether there is memory for them. */
static bool templates_copy(struct arena *arena, const struct node *node, struct passage_node *out)
{
    struct str *names = ARENA_ARRAY(arena, node->templates_count + 1, struct str);
    for (uint16_t i = 0; names != NULL && i < node->templates_count; i++) {
        names[i] = str_copy(arena, node->templates[i]);
        if (names[i].ptr == NULL)
            return false;
    }
    out->templates = names;
    out->templates_count = node->templates_count;
    out->template = names != NULL && node->templates_count > 0 ? names[0] : STR_NONE;
    return names != NULL;
}

/* The names that a step may say it took; a wait_for has yes and timeout, a split else or no. */
static bool ways_copy(struct numbers_question *q, const struct program *program, uint32_t number,
                      const struct journey *journey)
{
    struct arena        *arena = q->call->arena;
    uint32_t             most = journey->branches_count + journey->nodes_count, count = 0;
    struct passage_node *nodes = ARENA_ARRAY(arena, journey->nodes_count, struct passage_node);
    struct str          *ways = ARENA_ARRAY(arena, most + 1, struct str);
    bool                *is_experiment = ARENA_ARRAY(arena, journey->nodes_count + 1, bool);
    struct winning      *winners = ARENA_ARRAY(arena, journey->nodes_count + 1, struct winning);
    bool is_good = nodes != NULL && ways != NULL && is_experiment != NULL && winners != NULL;
    for (uint16_t i = 0; is_good && i < journey->nodes_count; i++) {
        const struct node *node = &journey->nodes[i];
        nodes[i] = (struct passage_node){ .id = str_copy(arena, node->id), .ways = count };
        is_experiment[i] = node->is_experiment;
        for (uint16_t b = 0; b < node->branches_count; b++)
            ways[count++] = str_copy(arena, journey->branches[node->branches + b].name);
        if (node->branches_count > 0 && !node->is_experiment && node->otherwise_name.len > 0)
            ways[count++] = str_copy(arena, node->otherwise_name);
        nodes[i].ways_count = count - nodes[i].ways;
        is_good = nodes[i].id.ptr != NULL && templates_copy(arena, node, &nodes[i]) &&
                  (!node->is_experiment || winning_copy(arena, program, number, node, &winners[i]));
    }
    q->passage.nodes = nodes;
    q->passage.nodes_count = journey->nodes_count;
    q->passage.ways = ways;
    q->passage.ways_count = count;
    q->is_experiment = is_experiment;
    q->winners = winners;
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
    q->state = program_journey_state(program, number);
    q->passage.journey = number;
    q->passage.name = q->name;
    q->passage.message = dict_find(properties, STR("message"));
    q->passage.took = dict_find(properties, STR("took"));
    q->passage.chosen = dict_find(properties, STR("chosen"));
    q->passage.back = dict_find(properties, STR("back"));
    q->passage.reason = dict_find(properties, STR("reason"));
    q->passage.value = dict_find(properties, STR("value"));
    q->passage.entry = dict_find(properties, STR("entry"));
    q->has_goal = version->journey.goal.condition.tree != NULL;
    q->has_exit = version->journey.exit_when.tree != NULL;
    q->target = version->journey.goal.target;
    q->within_ms = version->journey.goal.within_ms;
    q->is_full = !ways_copy(q, program, number, &version->journey);
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
    figure_write(out, first, "value", count->value);
}

static void goal_write(const struct numbers_question *q, struct buf *out, bool *first)
{
    const struct passage *all = q->hands[0];
    struct odds_count     count = figures_count(all->all.entered, all->all.reached);
    bool                  inner = true;
    json_write_key(out, first, "goal");
    buf_char(out, '{');
    write_int(out, &inner, "within_ms", q->within_ms);
    write_int(out, &inner, "entered", (int64_t)all->all.entered);
    write_int(out, &inner, "reached", (int64_t)all->all.reached);
    figure_write(out, &inner, "value", all->all.value);
    figures_write(out, &inner, "rate", odds_of(count, FIGURES_SURE));
    if (q->target > 0)
        figure_write(out, &inner, "target", (double)q->target / DEAL_ALL);
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
    figures_write(out, &inner, "rate",
                  odds_of(figures_count(group->people, group->reached), FIGURES_SURE));
    buf_char(out, '}');
}

/* What the journey does: those let in beside those held out, each person by their first time. */
static void lift_write(const struct numbers_question *q, struct buf *out, bool *first)
{
    const struct passage *all = q->hands[0];
    struct odds_count     in = figures_count(all->in.people, all->in.reached);
    struct odds_count     held = figures_count(all->out.people, all->out.reached);
    bool                  inner = true;
    json_write_key(out, first, "lift");
    buf_char(out, '{');
    group_write(out, &inner, "let_in", &all->in);
    group_write(out, &inner, "held_out", &all->out);
    figures_write(out, &inner, "difference", odds_difference(in, held, FIGURES_SURE));
    figures_write(out, &inner, "relative", odds_lift(in, held, FIGURES_SURE));
    figure_write(out, &inner, "better", odds_above(in, held));
    figure_write(out, &inner, "sure", FIGURES_SURE);
    buf_char(out, '}');
}

/* Of an experiment with a goal: how likely each variant is the best. */
static void best_of(const struct numbers_question *q, const struct passage_node *node, double *best)
{
    struct odds_count counts[DEAL_ARMS_MAX];
    for (uint32_t i = 0; i < node->ways_count; i++) {
        const struct passage_count *way = &q->hands[0]->ways[node->ways + i];
        counts[i] = figures_count(way->people, way->people_reached);
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
        if (q->is_experiment[n])
            write_int(out, &inner, "people", (int64_t)way->people);
        if (is_measured) {
            write_int(out, &inner, "people_reached", (int64_t)way->people_reached);
            figures_write(out, &inner, "rate",
                          odds_of(figures_count(way->people, way->people_reached), FIGURES_SURE));
            figure_write(out, &inner, "best", best[i]);
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
        if (q->is_experiment[n])
            winning_write(&q->winners[n], out, &inner);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void reasons_write(struct buf *out, bool *first, const char *key,
                          const struct passage_reason *reasons, uint32_t count)
{
    json_write_key(out, first, key);
    buf_char(out, '{');
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(out, ',');
        json_write_str(out, reasons[i].text);
        buf_char(out, ':');
        buf_int(out, (int64_t)reasons[i].count);
    }
    buf_char(out, '}');
}

static void answer_write(const struct numbers_question *q, const struct ask *ask, struct buf *out)
{
    const struct passage *all = q->hands[0];
    bool                  first = true;
    buf_char(out, '{');
    write_text(out, &first, "journey", q->name);
    if (q->state != JOURNEY_RUNS)
        write_text(out, &first, "state", str_of(journey_state_word(q->state)));
    ask_write_point(ask, out, &first);
    counts_write(out, &first, &all->all, false);
    write_int(out, &first, "people", (int64_t)all->in.people);
    write_int(out, &first, "held_out", (int64_t)all->held_out);
    if (q->has_goal)
        goal_write(q, out, &first);
    if (q->has_goal && all->out.people > 0)
        lift_write(q, out, &first);
    if (all->causes_count > 0)
        reasons_write(out, &first, "let_in", all->causes, all->causes_count);
    reasons_write(out, &first, "exits", all->exits, all->exits_count);
    nodes_write(q, out, &first);
    buf_char(out, '}');
}

enum err journey_numbers_count(struct numbers_question *q, struct ask *ask)
{
    TRY(hands_make(q, ask_hands(ask)));
    q->report = &ask->report;
    TRY(ask_share(ask, part, q));
    for (uint32_t i = 1; i < ask_hands(ask); i++)
        passage_add(&q->passage, q->hands[0], q->hands[i]);
    return OK;
}

static enum err numbers_ask(struct numbers_question *q, struct ask *ask)
{
    TRY(journey_numbers_count(q, ask));
    answer_write(q, ask, &q->call->out);
    return buf_err(&q->call->out);
}

enum err journey_numbers_find(struct call *call, struct str name, struct numbers_question *q)
{
    *q = (struct numbers_question){ .call = call, .name = name };
    TRY(call_ask(call, journey_ask, q));
    if (!q->is_there)
        return problem_format(&call->problem, ERR_ABSENT, "name",
                              "Look at the list, or put one there with `dult apply`.",
                              "There is no journey \"%.*s\".", STR_ARG(str_slice(name, 0, 128)));
    return q->is_full ? ERR_MEMORY : OK;
}

enum err journey_numbers_of(struct call *call, struct str name)
{
    struct numbers_question q;
    struct ask              ask;
    TRY(journey_numbers_find(call, name, &q));
    enum err err = ask_open(&ask, call, NULL);
    if (err == OK)
        err = numbers_ask(&q, &ask);
    ask_close(&ask);
    return err;
}

enum err journey_numbers(struct call *call)
{
    return journey_numbers_of(call, call_param(call, "name"));
}
