/* How many are in a segment or a list over time, and who came and went? */
#include "engine/report/growth.h"
#include "run/api/counting.h"
#include "run/api/report_kind.h"

struct growth {
    struct ask            *ask;
    struct words_periods   periods;
    uint32_t               condition;
    int64_t               *at_ms;
    uint32_t               count;
    struct growth_question question;
    struct growth_point   *points[CREW_THREADS_MAX];
};

/* What grows: a `segment`, a `list`, or a `condition`, one of them. */
static enum err growth_subject(struct ask *ask, const struct json *body,
                               struct ask_condition *condition)
{
    struct str           segment = json_get_str(body, STR("segment"));
    struct str           list = json_get_str(body, STR("list"));
    const struct json   *given = json_get(body, STR("condition"));
    struct segment_node *in = ARENA_NEW(ask->call->arena, struct segment_node);
    if (in == NULL)
        return ERR_MEMORY;
    *condition = (struct ask_condition){ .where = "segment", .name = segment };
    if ((segment.len > 0) + (list.len > 0) + (given != NULL) != 1)
        return problem_set(&ask->call->problem, ERR_INPUT, "segment", "What is to be counted?",
                           "Give one of segment, list and condition.");
    if (list.len > 0) {
        *in = (struct segment_node){ .kind = SEGMENT_IN_LIST, .name = list };
        condition->tree = in;
        condition->where = "list";
    }
    if (given != NULL) {
        condition->where = "condition";
        TRY(condition_read(ask->call, STR_NONE, given, &condition->tree));
    }
    return OK;
}

static enum err growth_read(struct ask *ask, const struct json *body, void *question)
{
    struct growth       *growth = question;
    struct ask_condition condition;
    growth->ask = ask;
    TRY(growth_subject(ask, body, &condition));
    return ask_condition(ask, condition, &growth->condition);
}

/* Points: the beginning of the first period, and the end of each, none after the instant asked. */
static enum err points_make(struct ask *ask, struct growth *growth)
{
    const struct report_periods *periods = &growth->periods.periods;
    growth->at_ms = ARENA_ARRAY(ask->call->arena, periods->count + 1, int64_t);
    if (growth->at_ms == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i <= periods->count; i++) {
        int64_t at_ms = i == 0 ? periods->at_ms[0] : periods->at_ms[i];
        if (at_ms > ask->report.at_ms)
            at_ms = ask->report.at_ms;
        if (growth->count == 0 || at_ms > growth->at_ms[growth->count - 1])
            growth->at_ms[growth->count++] = at_ms;
    }
    return OK;
}

static enum err growth_pick_read(struct growth *growth, struct report_pick *pick)
{
    static const char *const words[] = { "in", "entered", "left" };
    struct call             *call = growth->ask->call;
    struct str               who = json_get_str(pick->body, STR("who"));
    uint32_t                 point, number = 0;
    TRY(pick_number(call, pick->body, "point", 0, growth->count - 1, &point));
    while (who.len > 0 && number < 3 && !str_eq(who, str_of(words[number])))
        number++;
    if (number == 3)
        return problem_set(&call->problem, ERR_INPUT, "pick", "Who is to be shown?",
                           "Give {\"who\":\"in\"}, entered or left.");
    growth->question.pick = (struct growth_pick){ pick->bits, point, (enum growth_who)number };
    return OK;
}

static enum err growth_ready(struct ask *ask, void *question, struct report_pick *pick)
{
    struct growth *growth = question;
    TRY(words_periods(ask, &growth->periods));
    TRY(points_make(ask, growth));
    growth->question.program = &ask->conditions[growth->condition].program;
    growth->question.at_ms = growth->at_ms;
    growth->question.count = growth->count;
    TRY(growth_check(&growth->question, &ask->call->problem));
    if (pick->bits != NULL)
        TRY(growth_pick_read(growth, pick));
    for (uint32_t i = 0; i < ask_hands(ask); i++) {
        growth->points[i] = ARENA_ARRAY(ask->call->arena, growth->count, struct growth_point);
        if (growth->points[i] == NULL)
            return ERR_MEMORY;
    }
    return OK;
}

static enum err growth_part(void *question, uint32_t hand, struct report_range range)
{
    struct growth *growth = question;
    return growth_run(&growth->ask->report, &growth->question, range, growth->points[hand]);
}

static enum err growth_write(struct ask *ask, void *question, bool *first)
{
    struct growth       *growth = question;
    struct buf          *out = &ask->call->out;
    struct growth_point *points = growth->points[0];
    for (uint32_t i = 1; i < ask_hands(ask); i++)
        for (uint32_t p = 0; p < growth->count; p++) {
            points[p].people += growth->points[i][p].people;
            points[p].entered += growth->points[i][p].entered;
            points[p].left += growth->points[i][p].left;
        }
    TRY(ask_write_condition(ask, growth->condition, "condition", first));
    words_span_write(out, first, growth->periods.from_ms, growth->periods.to_ms);
    json_write_key(out, first, "points");
    buf_char(out, '[');
    for (uint32_t p = 0; p < growth->count; p++) {
        bool is_first = true;
        buf_str(out, p == 0 ? STR("{") : STR(",{"));
        write_int(out, &is_first, "point", p);
        write_time(out, &is_first, "at", growth->at_ms[p]);
        write_int(out, &is_first, "people", (int64_t)points[p].people);
        if (p > 0) {
            write_int(out, &is_first, "entered", (int64_t)points[p].entered);
            write_int(out, &is_first, "left", (int64_t)points[p].left);
        }
        buf_char(out, '}');
    }
    buf_char(out, ']');
    return OK;
}

const struct report_kind report_growth = { "growth",     sizeof(struct growth), growth_read,
                                           growth_ready, growth_part,           growth_write,
                                           NULL };
