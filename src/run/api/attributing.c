#include "run/api/attributing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "run/api/figures.h"

/* ---- on the engine's thread ---- */

static struct str copy(struct attributing *a, struct str text)
{
    struct str made = str_copy(a->call->arena, text);
    if (made.ptr == NULL && text.len > 0)
        a->err = ERR_MEMORY;
    return made;
}

static void node_copy(struct attributing *a, const struct node *node, struct stood_node *out)
{
    struct str *names = ARENA_ARRAY(a->call->arena, node->templates_count + 1, struct str);
    *out = (struct stood_node){ .id = copy(a, node->id), .is_experiment = node->is_experiment };
    if (names == NULL) {
        a->err = ERR_MEMORY;
        return;
    }
    for (uint16_t i = 0; i < node->templates_count; i++)
        names[i] = copy(a, node->templates[i]);
    out->templates = names;
    out->templates_count = node->templates_count;
}

static void journeys_copy(struct attributing *a, const struct program *program)
{
    uint32_t count = program->journeys.count, nodes_count = 0, at = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct journey_version *version = program_journey_live(program, i);
        nodes_count += version == NULL ? 0 : version->journey.nodes_count;
    }
    struct stood_journey *journeys = ARENA_ARRAY(a->call->arena, count + 1, struct stood_journey);
    struct stood_node    *nodes = ARENA_ARRAY(a->call->arena, nodes_count + 1, struct stood_node);
    if (journeys == NULL || nodes == NULL) {
        a->err = ERR_MEMORY;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct journey_version *version = program_journey_live(program, i);
        journeys[i] = (struct stood_journey){ copy(a, program_name(program, NAME_JOURNEY, i)), at,
                                              version == NULL ? 0 : version->journey.nodes_count };
        for (uint32_t n = 0; n < journeys[i].count; n++)
            node_copy(a, &version->journey.nodes[n], &nodes[at++]);
    }
    a->stood.journeys = journeys;
    a->stood.journeys_count = count;
    a->stood.nodes = nodes;
}

static void arms_copy(struct attributing *a, struct engine *engine)
{
    const struct program *program = engine_program(engine);
    uint32_t              count = 0;
    for (uint32_t n = 0; n < engine_broadcasts(engine); n++)
        count += program_broadcast_at(program, n)->arms_count;
    a->arms = ARENA_ARRAY(a->call->arena, count + 1, struct results_arm);
    if (a->arms == NULL) {
        a->err = ERR_MEMORY;
        return;
    }
    for (uint32_t n = 0; n < engine_broadcasts(engine); n++) {
        const struct broadcast_def *def = program_broadcast_at(program, n);
        for (uint32_t i = 0; def->arena != NULL && i < def->arms_count; i++)
            a->arms[a->arms_count++] =
                (struct results_arm){ copy(a, def->name), copy(a, def->arms[i].template),
                                      copy(a, def->arms[i].name) };
    }
    if (a->arms_count > 1)
        qsort(a->arms, a->arms_count, sizeof a->arms[0], results_arm_cmp);
}

static void rates_copy(struct attributing *a, const struct rates *rates)
{
    struct rate *items = ARENA_ARRAY(a->call->arena, rates->count + 1, struct rate);
    if (items == NULL) {
        a->err = ERR_MEMORY;
        return;
    }
    if (rates->count > 0)
        memcpy(items, rates->items, rates->count * sizeof items[0]);
    a->orders.rates = *rates;
    a->orders.rates.items = items;
}

static uint16_t event_of(const struct program *program, struct str name)
{
    return str_is_empty(name) ? DICT_NONE : dict_find(program->names[NAME_EVENT], name);
}

static bool names_ask(struct engine *engine, struct task *task)
{
    struct attributing   *a = task->context;
    const struct program *program = engine_program(engine);
    const struct dict    *keys = program->names[NAME_PROPERTY];
    a->orders.event = event_of(program, a->conf.event);
    a->orders.refund = event_of(program, a->conf.refund);
    a->orders.cancel = event_of(program, a->conf.cancel);
    a->orders.id = dict_find(keys, a->conf.id);
    a->orders.currency = dict_find(keys, a->conf.currency);
    a->orders.values_count = a->conf.values_count;
    for (uint32_t i = 0; i < a->conf.values_count; i++)
        a->orders.values[i] = dict_find(keys, a->conf.values[i]);
    a->keys = (struct letters_keys){ .message = dict_find(keys, STR("message")),
                                     .entry = dict_find(keys, STR("entry")),
                                     .class = dict_find(keys, STR("class")),
                                     .broadcast = dict_find(keys, STR("broadcast")) };
    a->stood.took = dict_find(keys, STR("took"));
    journeys_copy(a, program);
    arms_copy(a, engine);
    rates_copy(a, &program->rates);
    return true;
}

/* ---- settings ---- */

/* A stored workspace of an older program may hold what is refused now: then the defaults count. */
static enum err settings_read(struct attributing *a)
{
    struct json    root = { .kind = JSON_NULL };
    struct str     text;
    struct problem ignored;
    TRY(newest_workspace(a->call, &text));
    if (str_trim(text).len > 0)
        TRY(json_parse_once(a->call->arena, text, &root, &a->call->problem));
    if (attribution_parse(&root, &a->conf, &ignored) != OK)
        TRY(attribution_parse(NULL, &a->conf, &a->call->problem));
    if (!rates_code(json_get_str(&root, STR("currency")), a->workspace))
        a->workspace[0] = '\0';
    return OK;
}

static enum err body_read(struct attributing *a, const struct json *body)
{
    static const char *const others[] = { "where", "within", "sum", "interval" };
    struct str               event = json_get_str(body, STR("event"));
    struct str               currency = json_get_str(body, STR("currency"));
    TRY(attribution_model(json_get_str(body, STR("model")), "model", &a->conf.rule.model,
                          &a->call->problem));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (json_get(body, str_of(others[i])) != NULL)
            return problem_set(&a->call->problem, ERR_INPUT, others[i],
                               "Attribution does not take this.",
                               "It counts all events of one name; windows and what an order is "
                               "stand in workspace.json under \"attribution\".");
    if (event.len > 0)
        a->conf.event = event;
    a->is_event_asked = event.len > 0;
    if (currency.len > 0 && !rates_code(currency, a->orders.report))
        return problem_set(&a->call->problem, ERR_INPUT, "currency", "This is no currency.",
                           "Write its three letters, such as \"NOK\".");
    return OK;
}

/* An amount without a currency is in the workspace's, or what it says reports are in, or rates:
 * what is asked for is the last, so that a question does not change what an order is worth. */
static void currency_settle(struct attributing *a)
{
    memcpy(a->orders.home, a->workspace, sizeof a->workspace);
    if (a->orders.home[0] == '\0')
        (void)rates_code(a->conf.report, a->orders.home);
    if (a->orders.home[0] == '\0')
        memcpy(a->orders.home, a->orders.rates.base, sizeof a->workspace);
    if (a->orders.report[0] == '\0')
        (void)rates_code(a->conf.report, a->orders.report);
    if (a->orders.report[0] == '\0')
        memcpy(a->orders.report, a->workspace, sizeof a->workspace);
    if (a->orders.report[0] == '\0')
        memcpy(a->orders.report, a->orders.rates.base, sizeof a->workspace);
    if (a->orders.home[0] == '\0')
        memcpy(a->orders.home, a->orders.report, sizeof a->workspace);
}

enum err attributing_load(struct call *call, const struct json *body, struct attributing *out)
{
    *out = (struct attributing){ .call = call };
    TRY(settings_read(out));
    if (body != NULL)
        TRY(body_read(out, body));
    TRY(call_ask(call, names_ask, out));
    TRY(out->err);
    if (out->is_event_asked && out->orders.event == DICT_NONE)
        return problem_format(&call->problem, ERR_ABSENT, "event",
                              "Write the name alone, as it is told; the rest of a condition is not "
                              "taken here.",
                              "No event \"%.*s\" was ever told.", STR_ARG(out->conf.event));
    currency_settle(out);
    return OK;
}

void attributing_put(const struct attributing *from, struct results_question *question)
{
    question->keys = from->keys;
    question->arms = from->arms;
    question->arms_count = from->arms_count;
    question->orders = &from->orders;
    question->credit = from->conf.rule;
    question->stood =
        question->by == RESULTS_NODE || question->by == RESULTS_VARIANT ? &from->stood : NULL;
}

bool attributing_retry(struct attributing *attributing, const struct results *results)
{
    if (attributing->orders.report[0] != '\0' || results->missing_count != 1 ||
        results->untold == 0)
        return false;
    if (results->missing[0].currency[0] < 'A')
        return false;
    memcpy(attributing->orders.report, results->missing[0].currency,
           sizeof attributing->orders.report);
    if (attributing->orders.home[0] == '\0')
        memcpy(attributing->orders.home, attributing->orders.report,
               sizeof attributing->orders.home);
    return true;
}

/* ---- written ---- */

static void money_write(struct buf *out, bool *first, const char *key, int64_t money)
{
    figure_write(out, first, key, (double)money / MONEY_UNIT);
}

void attributing_worth_write(struct buf *out, bool *first, const struct results_worth *worth)
{
    figure_write(out, first, "orders", round(worth->orders * 1e6) / 1e6);
    write_int(out, first, "people", (int64_t)worth->people);
    money_write(out, first, "revenue", worth->revenue);
}

void attributing_mean_write(struct buf *out, bool *first, const struct results_worth *worth,
                            uint64_t sent)
{
    double            n = (double)sent, sum = (double)worth->revenue / MONEY_UNIT;
    struct odds_range mean = { .middle = sent == 0 ? 0 : sum / n };
    if (sent < 2)
        return;
    double spread = (worth->squares - sum * mean.middle) / (n - 1) / n;
    double half = 1.959964 * sqrt(spread > 0 ? spread : 0);
    mean.low = mean.middle > half ? mean.middle - half : 0;
    mean.high = mean.middle + half;
    figures_write(out, first, "per_message", mean);
}

static void missing_write(const struct results *results, struct buf *out, bool *first)
{
    json_write_key(out, first, "missing_rates");
    buf_char(out, '[');
    for (uint32_t i = 0; i < results->missing_count; i++) {
        const struct orders_missing *one = &results->missing[i];
        bool                         inner = true;
        buf_str(out, i == 0 ? STR("{") : STR(",{"));
        write_text(out, &inner, "currency", str_of(one->currency));
        write_int(out, &inner, "orders", (int64_t)one->orders);
        money_write(out, &inner, "amount", one->amount);
        write_time(out, &inner, "first", one->first_ms);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

void attributing_rule_write(const struct attributing *attributing, const struct results *results,
                            struct buf *out, bool *first)
{
    bool inner = true;
    write_text(out, first, "event", attributing->conf.event);
    write_text(out, first, "model", str_of(credit_model_word(attributing->conf.rule.model)));
    json_write_key(out, first, "within_ms");
    buf_char(out, '{');
    for (int i = 0; i < CREDIT_TOUCHES; i++)
        write_int(out, &inner, credit_touch_word((enum credit_touch)i),
                  attributing->conf.rule.within_ms[i]);
    buf_char(out, '}');
    write_text(out, first, "currency", str_of(attributing->orders.report));
    if (results->missing_count > 0)
        missing_write(results, out, first);
    if (results->strays > 0)
        write_int(out, first, "unmatched_returns", (int64_t)results->strays);
    if (results->unreadable > 0)
        write_int(out, first, "unreadable", (int64_t)results->unreadable);
}
