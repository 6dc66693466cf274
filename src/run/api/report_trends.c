/* How often does something happen, and how many people do it? */
#include "engine/report/trend.h"
#include "run/api/report_kind.h"

struct trends {
    struct ask           *ask;
    struct words_periods  periods;
    struct grouping       by;
    uint32_t              event, sum_key;
    struct str            sum; /* a property; empty: none */
    struct trend_question each, whole;
    int64_t               borders[2];
    struct trend_cell    *cells[CREW_THREADS_MAX], *totals[CREW_THREADS_MAX];
    uint32_t              rows;
};

static enum err trends_read(struct ask *ask, const struct json *body, void *question)
{
    struct trends *trends = question;
    trends->ask = ask;
    TRY(words_event(ask, body, json_get(body, STR("event")), "event", &trends->event));
    TRY(grouping_read(ask, body, &trends->by));
    trends->sum = json_get_str(body, STR("sum"));
    if (trends->sum.len > 0)
        TRY(ask_key(ask, NAME_PROPERTY, trends->sum, &trends->sum_key));
    return OK;
}

static enum err trends_pick(struct ask *ask, struct trends *trends, struct report_pick *pick)
{
    const struct segment_node *event = ask->conditions[trends->event].tree;
    struct trend_pick         *picked = &trends->whole.pick;
    uint32_t                   row, period = 0;
    int64_t                    from_ms = trends->periods.from_ms, to_ms = trends->periods.to_ms;
    TRY(grouping_row(ask->call, &trends->by, pick->body, &row));
    if (json_get(pick->body, STR("period")) != NULL) {
        TRY(pick_period(ask, pick->body, &trends->periods, &period));
        picked = &trends->each.pick;
        from_ms = trends->periods.periods.at_ms[period];
        to_ms = trends->periods.periods.at_ms[period + 1];
    }
    *picked = (struct trend_pick){ pick->bits, row, period };
    pick->condition = pick_value(ask, &trends->by, row, pick_event(ask, event, from_ms, to_ms));
    return OK;
}

static enum err trends_room(struct ask *ask, struct trends *trends)
{
    trends->rows = groups_rows(trends->by.by);
    for (uint32_t i = 0; i < ask_hands(ask); i++) {
        trends->cells[i] =
            ARENA_ARRAY(ask->call->arena, (size_t)trends->rows * trends->periods.periods.count,
                        struct trend_cell);
        trends->totals[i] = ARENA_ARRAY(ask->call->arena, trends->rows, struct trend_cell);
        if (trends->cells[i] == NULL || trends->totals[i] == NULL)
            return ERR_MEMORY;
    }
    return OK;
}

static enum err trends_ready(struct ask *ask, void *question, struct report_pick *pick)
{
    struct trends *trends = question;
    TRY(words_periods(ask, &trends->periods));
    trends->borders[0] = trends->periods.from_ms;
    trends->borders[1] = trends->periods.to_ms;
    trends->each = (struct trend_question){
        .event = &ask->conditions[trends->event].program,
        .periods = trends->periods.periods,
        .sums = trends->sum.len > 0,
        .sum_key = trends->sum.len > 0 ? ask->keys[trends->sum_key].number : 0,
    };
    TRY(grouping_gather(ask, &trends->by,
                        (struct groups_question){ .event = trends->each.event,
                                                  .from_ms = trends->periods.from_ms,
                                                  .to_ms = trends->periods.to_ms }));
    trends->each.by = trends->by.by;
    trends->whole = trends->each;
    trends->whole.periods = (struct report_periods){ trends->borders, 1 };
    TRY(trend_check(&trends->each, &ask->call->problem));
    if (pick->bits != NULL)
        TRY(trends_pick(ask, trends, pick));
    return trends_room(ask, trends);
}

static enum err trends_part(void *question, uint32_t hand, struct report_range range)
{
    struct trends *trends = question;
    TRY(trend_run(&trends->ask->report, &trends->each, range, trends->cells[hand]));
    return trend_run(&trends->ask->report, &trends->whole, range, trends->totals[hand]);
}

static double sum_of(const struct trend_cell *cell)
{
    return (double)cell->sum_micro / 1e6;
}

/* Of the numbers summed; null: there are none. */
static void average_write(const struct trend_cell *cell, struct buf *out)
{
    if (cell->values == 0)
        buf_str(out, STR("null"));
    else
        json_write_real(out, sum_of(cell) / (double)cell->values);
}

static void total_write(const struct trends *trends, const struct trend_cell *cell, struct buf *out)
{
    bool first = true;
    buf_char(out, '{');
    write_int(out, &first, "events", (int64_t)cell->events);
    write_int(out, &first, "people", (int64_t)cell->people);
    if (trends->sum.len > 0) {
        json_write_key(out, &first, "sum");
        json_write_real(out, sum_of(cell));
        json_write_key(out, &first, "average");
        average_write(cell, out);
    }
    buf_char(out, '}');
}

static void row_write(const struct trends *trends, uint32_t row, struct buf *out)
{
    uint32_t                 count = trends->periods.periods.count;
    const struct trend_cell *cells = &trends->cells[0][(size_t)row * count];
    bool                     first = true;
    buf_char(out, '{');
    grouping_write(&trends->by, row, out, &first);
    json_write_key(out, &first, "events");
    for (uint32_t i = 0; i < count; i++)
        buf_format(out, "%c%llu", i == 0 ? '[' : ',', (unsigned long long)cells[i].events);
    buf_char(out, ']');
    json_write_key(out, &first, "people");
    for (uint32_t i = 0; i < count; i++)
        buf_format(out, "%c%llu", i == 0 ? '[' : ',', (unsigned long long)cells[i].people);
    buf_char(out, ']');
    if (trends->sum.len > 0) {
        json_write_key(out, &first, "sum");
        for (uint32_t i = 0; i < count; i++) {
            buf_char(out, i == 0 ? '[' : ',');
            json_write_real(out, sum_of(&cells[i]));
        }
        buf_char(out, ']');
        json_write_key(out, &first, "average");
        for (uint32_t i = 0; i < count; i++) {
            buf_char(out, i == 0 ? '[' : ',');
            average_write(&cells[i], out);
        }
        buf_char(out, ']');
    }
    json_write_key(out, &first, "total");
    total_write(trends, &trends->totals[0][row], out);
    buf_char(out, '}');
}

static enum err trends_write(struct ask *ask, void *question, bool *first)
{
    struct trends *trends = question;
    struct buf    *out = &ask->call->out;
    bool           any = false;
    for (uint32_t i = 1; i < ask_hands(ask); i++) {
        trend_add(trends->cells[0], trends->cells[i],
                  (size_t)trends->rows * trends->periods.periods.count);
        trend_add(trends->totals[0], trends->totals[i], trends->rows);
    }
    TRY(ask_write_condition(ask, trends->event, "event", first));
    if (trends->sum.len > 0)
        write_text(out, first, "sum_of", trends->sum);
    words_span_write(out, first, trends->periods.from_ms, trends->periods.to_ms);
    words_periods_write(ask, &trends->periods, out, first);
    json_write_key(out, first, "rows");
    buf_char(out, '[');
    for (uint32_t row = 0; row < trends->rows; row++) {
        if (!grouping_is_said(&trends->by, row) && trends->totals[0][row].events == 0)
            continue;
        if (any)
            buf_char(out, ',');
        any = true;
        row_write(trends, row, out);
    }
    buf_char(out, ']');
    return OK;
}

static void trends_done(void *question)
{
    grouping_done(&((struct trends *)question)->by);
}

const struct report_kind report_trends = { "trends",     sizeof(struct trends), trends_read,
                                           trends_ready, trends_part,           trends_write,
                                           trends_done };
