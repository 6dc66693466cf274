/* Of those who began in a period, how many came back in each one after? */
#include "engine/report/retention.h"
#include "run/api/report_kind.h"

struct returning {
    struct ask               *ask;
    struct words_periods      periods;
    uint32_t                  birth, back;
    struct retention_question question;
    uint64_t                 *born[CREW_THREADS_MAX], *returned[CREW_THREADS_MAX];
};

static enum err retention_read(struct ask *ask, const struct json *body, void *question)
{
    struct returning  *retention = question;
    const struct json *birth = json_get(body, STR("event")), *back = json_get(body, STR("back"));
    struct str         born = json_get_str(body, STR("born"));
    retention->ask = ask;
    TRY(words_event(ask, body, birth, "event", &retention->birth));
    TRY(words_event(ask, body, back == NULL ? birth : back, back == NULL ? "event" : "back",
                    &retention->back));
    if (born.len > 0 && !str_eq(born, STR("first")) && !str_eq(born, STR("any")))
        return problem_set(&ask->call->problem, ERR_INPUT, "born", "This is neither first nor any.",
                           "first: people begin with their first event ever; any: in every period "
                           "that has one.");
    retention->question.any = str_eq(born, STR("any"));
    return OK;
}

static const struct segment_node *retention_condition(struct returning *retention, uint32_t period,
                                                      uint32_t later, bool all)
{
    struct ask                *ask = retention->ask;
    const int64_t             *borders = retention->periods.periods.at_ms;
    const struct segment_node *birth = pick_event(ask, ask->conditions[retention->birth].tree,
                                                  borders[period], borders[period + 1]);
    struct segment_node       *first = ARENA_NEW(ask->call->arena, struct segment_node);
    if (birth == NULL || first == NULL)
        return NULL;
    *first = *birth;
    if (!retention->question.any)
        first->kind = SEGMENT_FIRST_DID;
    if (all)
        return first;
    return pick_both(ask, first,
                     pick_event(ask, ask->conditions[retention->back].tree, borders[period + later],
                                borders[period + later + 1]));
}

static enum err retention_pick(struct returning *retention, struct report_pick *pick)
{
    uint32_t period, later = 0;
    bool     all = json_get(pick->body, STR("later")) == NULL;
    TRY(pick_period(retention->ask, pick->body, &retention->periods, &period));
    if (!all)
        TRY(pick_number(retention->ask->call, pick->body, "later", 0,
                        retention->periods.periods.count - 1 - period, &later));
    retention->question.pick = (struct retention_pick){ pick->bits, period, later, all };
    pick->condition = retention_condition(retention, period, later, all);
    return OK;
}

static enum err retention_ready(struct ask *ask, void *question, struct report_pick *pick)
{
    struct returning *retention = question;
    TRY(words_periods(ask, &retention->periods));
    size_t count = retention->periods.periods.count;
    retention->question.birth = &ask->conditions[retention->birth].program;
    retention->question.back = &ask->conditions[retention->back].program;
    retention->question.periods = retention->periods.periods;
    TRY(retention_check(&retention->question, &ask->call->problem));
    if (pick->bits != NULL)
        TRY(retention_pick(retention, pick));
    for (uint32_t i = 0; i < ask_hands(ask); i++) {
        retention->born[i] = ARENA_ARRAY(ask->call->arena, count, uint64_t);
        retention->returned[i] = ARENA_ARRAY(ask->call->arena, count * count, uint64_t);
        if (retention->born[i] == NULL || retention->returned[i] == NULL)
            return ERR_MEMORY;
    }
    return OK;
}

static enum err retention_part(void *question, uint32_t hand, struct report_range range)
{
    struct returning *retention = question;
    return retention_run(&retention->ask->report, &retention->question, range,
                         retention->born[hand], retention->returned[hand]);
}

static void row_write(const struct returning *retention, uint32_t period, struct buf *out)
{
    uint32_t        count = retention->periods.periods.count;
    const uint64_t *back = &retention->returned[0][(size_t)period * count];
    bool            first = true;
    buf_str(out, period == 0 ? STR("{") : STR(",{"));
    write_int(out, &first, "period", period);
    write_int(out, &first, "born", (int64_t)retention->born[0][period]);
    json_write_key(out, &first, "back");
    for (uint32_t later = 0; period + later < count; later++)
        buf_format(out, "%c%llu", later == 0 ? '[' : ',', (unsigned long long)back[later]);
    buf_str(out, STR("]}"));
}

/* Of all who have had so long: whole periods alone, so that the last, still open one does not
 * make it look worse. */
static void totals_write(const struct returning *retention, struct buf *out)
{
    uint32_t count = retention->periods.periods.count;
    bool     is_open = retention->periods.end_ms > retention->periods.to_ms ||
                   retention->periods.to_ms > retention->ask->report.at_ms;
    buf_char(out, '[');
    for (uint32_t later = 0; later < count; later++) {
        uint64_t born = 0, back = 0;
        uint32_t last = count - later - (is_open && later > 0 ? 1 : 0);
        for (uint32_t period = 0; period < last && last <= count; period++) {
            born += retention->born[0][period];
            back += retention->returned[0][(size_t)period * count + later];
        }
        buf_format(out, "%s{\"born\":%llu,\"back\":%llu}", later == 0 ? "" : ",",
                   (unsigned long long)born, (unsigned long long)back);
    }
    buf_char(out, ']');
}

static enum err retention_write(struct ask *ask, void *question, bool *first)
{
    struct returning *retention = question;
    struct buf       *out = &ask->call->out;
    size_t            count = retention->periods.periods.count;
    for (uint32_t i = 1; i < ask_hands(ask); i++) {
        for (size_t k = 0; k < count; k++)
            retention->born[0][k] += retention->born[i][k];
        for (size_t k = 0; k < count * count; k++)
            retention->returned[0][k] += retention->returned[i][k];
    }
    TRY(ask_write_condition(ask, retention->birth, "event", first));
    TRY(ask_write_condition(ask, retention->back, "back", first));
    write_text(out, first, "born", retention->question.any ? STR("any") : STR("first"));
    words_span_write(out, first, retention->periods.from_ms, retention->periods.to_ms);
    words_periods_write(ask, &retention->periods, out, first);
    json_write_key(out, first, "rows");
    buf_char(out, '[');
    for (uint32_t i = 0; i < count; i++)
        row_write(retention, i, out);
    buf_char(out, ']');
    json_write_key(out, first, "totals");
    totals_write(retention, out);
    return OK;
}

const struct report_kind report_retention = { "retention",
                                              sizeof(struct returning),
                                              retention_read,
                                              retention_ready,
                                              retention_part,
                                              retention_write,
                                              NULL };
