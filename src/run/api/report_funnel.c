/* How far do people come? */
#include "base/time.h"
#include "engine/report/funnel.h"
#include "run/api/report_kind.h"

#include <stdio.h>

enum { STEP_FIELD_BYTES = 24 };

struct funnel {
    struct ask             *ask;
    struct grouping         by;
    uint32_t                steps[REPORT_STEPS_MAX], steps_count;
    char                    fields[REPORT_STEPS_MAX][STEP_FIELD_BYTES];
    int64_t                 within_ms, from_ms, to_ms;
    struct segment_program *programs;
    struct funnel_question  question;
    struct funnel_row      *rows[CREW_THREADS_MAX];
    uint32_t                rows_count;
};

static enum err funnel_read(struct ask *ask, const struct json *body, void *question)
{
    struct funnel     *funnel = question;
    const struct json *steps = json_get(body, STR("steps"));
    funnel->ask = ask;
    if (steps == NULL || steps->kind != JSON_ARRAY || steps->count < 2 ||
        steps->count > REPORT_STEPS_MAX)
        return problem_format(&ask->call->problem, ERR_INPUT, "steps",
                              "Give {\"steps\":[\"Signed Up\",\"Order Completed\"]}.",
                              "A funnel has 2 to %d steps.", REPORT_STEPS_MAX);
    funnel->steps_count = steps->count;
    for (uint32_t i = 0; i < steps->count; i++) {
        snprintf(funnel->fields[i], STEP_FIELD_BYTES, "steps[%u]", i);
        TRY(words_event(ask, body, &steps->items[i], funnel->fields[i], &funnel->steps[i]));
    }
    TRY(words_length(ask->call, body, "within", 7 * TIME_DAY_MS, &funnel->within_ms));
    return grouping_read(ask, body, &funnel->by);
}

/* `reached step 2 but not step 3 of (...)`; with a value, the start of the funnel has it. */
static const struct segment_node *funnel_condition(struct funnel *funnel, uint32_t row,
                                                   uint32_t step, bool dropped)
{
    struct ask           *ask = funnel->ask;
    struct segment_node  *node = ARENA_NEW(ask->call->arena, struct segment_node);
    struct segment_match *steps =
        ARENA_ARRAY(ask->call->arena, funnel->steps_count, struct segment_match);
    bool is_all = row + 1 == groups_rows(funnel->by.by);
    if (node == NULL || steps == NULL || !is_all)
        return NULL; /* of a value it is the best start that counts, which no condition says */
    for (uint32_t i = 0; i < funnel->steps_count; i++)
        steps[i] = ask->conditions[funnel->steps[i]].tree->match;
    *node =
        (struct segment_node){ .kind = SEGMENT_FUNNEL,
                               .match = { .window = pick_window(funnel->from_ms, funnel->to_ms) },
                               .steps = steps,
                               .steps_count = funnel->steps_count,
                               .within_ms = funnel->within_ms,
                               .step = step,
                               .not_step = dropped && step < funnel->steps_count ? step + 1 : 0 };
    return node;
}

static enum err funnel_pick_read(struct funnel *funnel, struct report_pick *pick)
{
    struct call *call = funnel->ask->call;
    uint32_t     row, step;
    bool         dropped = json_get_bool(pick->body, STR("dropped"), false);
    TRY(grouping_row(call, &funnel->by, pick->body, &row));
    TRY(pick_number(call, pick->body, "step", 1, funnel->steps_count, &step));
    funnel->question.pick = (struct funnel_pick){ pick->bits, row, step, dropped };
    pick->condition = funnel_condition(funnel, row, step, dropped);
    return OK;
}

static enum err funnel_ready(struct ask *ask, void *question, struct report_pick *pick)
{
    struct funnel *funnel = question;
    TRY(words_span(ask, 30 * TIME_DAY_MS, &funnel->from_ms, &funnel->to_ms));
    funnel->programs = ARENA_ARRAY(ask->call->arena, funnel->steps_count, struct segment_program);
    if (funnel->programs == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < funnel->steps_count; i++)
        funnel->programs[i] = ask->conditions[funnel->steps[i]].program;
    TRY(grouping_gather(ask, &funnel->by,
                        (struct groups_question){ .event = &funnel->programs[0],
                                                  .from_ms = funnel->from_ms,
                                                  .to_ms = funnel->to_ms }));
    funnel->question = (struct funnel_question){ .steps = funnel->programs,
                                                 .steps_count = funnel->steps_count,
                                                 .within_ms = funnel->within_ms,
                                                 .from_ms = funnel->from_ms,
                                                 .to_ms = funnel->to_ms,
                                                 .by = funnel->by.by };
    TRY(funnel_check(&funnel->question, &ask->call->problem));
    if (pick->bits != NULL)
        TRY(funnel_pick_read(funnel, pick));
    funnel->rows_count = groups_rows(funnel->by.by);
    for (uint32_t i = 0; i < ask_hands(ask); i++) {
        funnel->rows[i] = ARENA_ARRAY(ask->call->arena, funnel->rows_count, struct funnel_row);
        if (funnel->rows[i] == NULL)
            return ERR_MEMORY;
    }
    return OK;
}

static enum err funnel_part(void *question, uint32_t hand, struct report_range range)
{
    struct funnel *funnel = question;
    return funnel_run(&funnel->ask->report, &funnel->question, range, funnel->rows[hand]);
}

static double share(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0.0 : (double)part / (double)whole;
}

static void step_write(const struct funnel_row *row, uint32_t i, struct buf *out)
{
    bool first = true;
    buf_str(out, i == 0 ? STR("{") : STR(",{"));
    write_int(out, &first, "people", (int64_t)row->people[i]);
    json_write_key(out, &first, "of_first");
    json_write_real(out, share(row->people[i], row->people[0]));
    json_write_key(out, &first, "of_before");
    json_write_real(out, share(row->people[i], row->people[i == 0 ? 0 : i - 1]));
    if (i > 0 && row->took[i].count > 0) {
        write_int(out, &first, "median_ms", times_share_ms(&row->took[i], 0.5));
        write_int(out, &first, "p90_ms", times_share_ms(&row->took[i], 0.9));
    }
    buf_char(out, '}');
}

static enum err steps_write(struct funnel *funnel, bool *first)
{
    struct buf *out = &funnel->ask->call->out;
    json_write_key(out, first, "steps");
    buf_char(out, '[');
    for (uint32_t i = 0; i < funnel->steps_count; i++) {
        bool is_first = true;
        buf_str(out, i == 0 ? STR("{") : STR(",{"));
        write_int(out, &is_first, "step", i + 1);
        TRY(ask_write_condition(funnel->ask, funnel->steps[i], "event", &is_first));
        buf_char(out, '}');
    }
    buf_char(out, ']');
    return OK;
}

static enum err funnel_write(struct ask *ask, void *question, bool *first)
{
    struct funnel *funnel = question;
    struct buf    *out = &ask->call->out;
    char           within[64];
    bool           any = false;
    for (uint32_t i = 1; i < ask_hands(ask); i++)
        funnel_add(funnel->rows[0], funnel->rows[i], funnel->rows_count);
    words_span_write(out, first, funnel->from_ms, funnel->to_ms);
    write_text(out, first, "within",
               str_of(time_length_write(funnel->within_ms, within, sizeof within)));
    TRY(steps_write(funnel, first));
    json_write_key(out, first, "rows");
    buf_char(out, '[');
    for (uint32_t i = 0; i < funnel->rows_count; i++) {
        const struct funnel_row *row = &funnel->rows[0][i];
        bool                     is_first = true;
        if (!grouping_is_said(&funnel->by, i) && row->people[0] == 0)
            continue;
        buf_str(out, any ? STR(",{") : STR("{"));
        any = true;
        grouping_write(&funnel->by, i, out, &is_first);
        json_write_key(out, &is_first, "steps");
        buf_char(out, '[');
        for (uint32_t s = 0; s < funnel->steps_count; s++)
            step_write(row, s, out);
        buf_str(out, STR("]}"));
    }
    buf_char(out, ']');
    return OK;
}

static void funnel_done(void *question)
{
    grouping_done(&((struct funnel *)question)->by);
}

const struct report_kind report_funnel = { "funnel",     sizeof(struct funnel), funnel_read,
                                           funnel_ready, funnel_part,           funnel_write,
                                           funnel_done };
