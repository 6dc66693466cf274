/* How many are in each stage, who came, how long they stayed, and where they went on to? */
#include "base/time.h"
#include "engine/report/stays.h"
#include "run/api/report_kind.h"

struct stages_report {
    struct ask                   *ask;
    struct grouping               grouping;
    struct str                    names[STAYS_STAGES_MAX];
    uint32_t                      conditions[STAYS_STAGES_MAX], anything;
    const struct segment_program *programs[STAYS_STAGES_MAX];
    int64_t                       from_ms, to_ms;
    struct stays_question         question;
    struct stays                  hands[CREW_THREADS_MAX];
    enum err                      err;
};

static bool names_ask(struct engine *engine, struct task *task)
{
    struct stages_report    *report = task->context;
    const struct stages_def *stages = &engine_program(engine)->stages;
    for (uint32_t i = 0; i < stages->count && i < STAYS_STAGES_MAX; i++) {
        report->names[i] = str_copy(report->ask->call->arena, stages->items[i].name);
        if (report->names[i].ptr == NULL)
            report->err = ERR_MEMORY;
    }
    report->question.count = stages->count;
    return true;
}

static enum err stages_read(struct ask *ask, const struct json *body, void *question)
{
    struct stages_report *report = question;
    struct json           anything = { .kind = JSON_STRING, .string = STR("anything") };
    report->ask = ask;
    TRY(call_ask(ask->call, names_ask, report));
    TRY(report->err);
    if (report->question.count == 0)
        return problem_set(&ask->call->problem, ERR_ABSENT, "stages", "There are no stages.",
                           "Put some there: `dult stages set stages.json`.");
    for (uint32_t i = 0; i < report->question.count; i++) {
        struct segment_node *in = ARENA_NEW(ask->call->arena, struct segment_node);
        if (in == NULL)
            return ERR_MEMORY;
        *in = (struct segment_node){ .kind = SEGMENT_IN_STAGE, .name = report->names[i] };
        TRY(ask_condition(ask, (struct ask_condition){ .where = "stages", .tree = in },
                          &report->conditions[i]));
    }
    TRY(grouping_read(ask, body, &report->grouping));
    if (report->grouping.words.of == GROUPS_OF_PROPERTY)
        return problem_set(&ask->call->problem, ERR_INPUT, "by",
                           "People are broken down by a trait.", "Write \"by\":\"trait:NAME\".");
    return words_event(ask, body, &anything, "anything", &report->anything);
}

/* ---- a pick: {"stage":"customer","who":"left","next":"visitor"} ---- */

static enum err stage_named(struct stages_report *report, struct str name, bool or_none,
                            uint32_t *out)
{
    for (uint32_t i = 0; i < report->question.count; i++)
        if (str_eq(report->names[i], name)) {
            *out = i;
            return OK;
        }
    *out = STAYS_NONE;
    if (or_none && str_eq(name, STR("none")))
        return OK;
    return problem_format(&report->ask->call->problem, ERR_INPUT, "pick",
                          "Name one of the report's stages.", "There is no stage \"%.*s\".",
                          STR_ARG(name));
}

static enum err stages_pick_read(struct stages_report *report, struct report_pick *pick)
{
    static const char *const words[] = { "in", "came", "on", "left" };
    struct stays_pick       *out = &report->question.pick;
    struct call             *call = report->ask->call;
    struct str               who = json_get_str(pick->body, STR("who"));
    struct str               next = json_get_str(pick->body, STR("next"));
    uint32_t                 number = 0;
    TRY(stage_named(report, json_get_str(pick->body, STR("stage")), false, &out->stage));
    while (who.len > 0 && number < 4 && !str_eq(who, str_of(words[number])))
        number++;
    if (number == 4 || (next.len > 0 && number != STAYS_LEFT))
        return problem_set(&call->problem, ERR_INPUT, "pick", "Who is to be shown?",
                           "Give {\"stage\":\"...\",\"who\":\"in\"}, came, on or left; with left "
                           "perhaps \"next\", a stage or none.");
    out->bits = pick->bits;
    out->who = (enum stays_who)number;
    out->has_next = next.len > 0;
    if (out->has_next)
        TRY(stage_named(report, next, true, &out->next));
    return grouping_row(call, &report->grouping, pick->body, &out->row);
}

static enum err stages_ready(struct ask *ask, void *question, struct report_pick *pick)
{
    struct stages_report  *report = question;
    struct stays_question *q = &report->question;
    TRY(words_span(ask, 30 * TIME_DAY_MS, &report->from_ms, &report->to_ms));
    for (uint32_t i = 0; i < q->count; i++)
        report->programs[i] = &ask->conditions[report->conditions[i]].program;
    q->stages = report->programs;
    q->from_ms = report->from_ms;
    q->to_ms = report->to_ms;
    TRY(grouping_gather(
        ask, &report->grouping,
        (struct groups_question){ .event = &ask->conditions[report->anything].program,
                                  .from_ms = TIME_MIN_MS,
                                  .to_ms = q->to_ms }));
    q->by = report->grouping.by;
    TRY(stays_check(q, &ask->call->problem));
    if (pick->bits != NULL)
        TRY(stages_pick_read(report, pick));
    uint32_t rows = groups_rows(q->by);
    for (uint32_t i = 0; i < ask_hands(ask); i++) {
        report->hands[i].stages =
            ARENA_ARRAY(ask->call->arena, rows * q->count, struct stays_stage);
        report->hands[i].none = ARENA_ARRAY(ask->call->arena, rows, uint64_t);
        if (report->hands[i].stages == NULL || report->hands[i].none == NULL)
            return ERR_MEMORY;
    }
    return OK;
}

static enum err stages_part(void *question, uint32_t hand, struct report_range range)
{
    struct stages_report *report = question;
    return stays_run(&report->ask->report, &report->question, range, &report->hands[hand]);
}

/* ---- the answer ---- */

static void next_write(const struct stages_report *report, const struct stays_stage *stage,
                       struct buf *out)
{
    bool is_any = false;
    buf_char(out, '[');
    for (uint32_t n = 0; n <= STAYS_NONE; n++) {
        bool first = true;
        if (stage->next[n] == 0)
            continue;
        buf_str(out, is_any ? STR(",{") : STR("{"));
        is_any = true;
        json_write_key(out, &first, "stage");
        if (n == STAYS_NONE)
            buf_str(out, STR("null"));
        else
            json_write_str(out, report->names[n]);
        write_int(out, &first, "count", (int64_t)stage->next[n]);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void stage_write(const struct stages_report *report, uint32_t i,
                        const struct stays_stage *stage, struct buf *out)
{
    static const struct {
        const char *name;
        double      share;
    } shares[] = { { "p25_ms", 0.25 }, { "median_ms", 0.5 }, { "p75_ms", 0.75 } };
    bool first = true;
    buf_str(out, i == 0 ? STR("{") : STR(",{"));
    write_text(out, &first, "stage", report->names[i]);
    write_int(out, &first, "people", (int64_t)stage->people);
    write_int(out, &first, "came", (int64_t)stage->came);
    write_int(out, &first, "comings", (int64_t)stage->comings);
    write_int(out, &first, "on", (int64_t)stage->on);
    if (stage->came > 0) {
        json_write_key(out, &first, "conversion");
        json_write_real(out, (double)stage->on / (double)stage->came);
    }
    write_int(out, &first, "left", (int64_t)stage->left);
    for (size_t k = 0; stage->took.count > 0 && k < sizeof shares / sizeof shares[0]; k++)
        write_int(out, &first, shares[k].name, times_share_ms(&stage->took, shares[k].share));
    json_write_key(out, &first, "next");
    next_write(report, stage, out);
    buf_char(out, '}');
}

static enum err stages_write(struct ask *ask, void *question, bool *first)
{
    struct stages_report *report = question;
    struct buf           *out = &ask->call->out;
    struct stays         *all = &report->hands[0];
    uint32_t              rows = groups_rows(report->question.by);
    for (uint32_t i = 1; i < ask_hands(ask); i++)
        stays_add(&report->question, all, &report->hands[i]);
    words_span_write(out, first, report->from_ms, report->to_ms);
    if (all->unsure > 0)
        write_int(out, first, "unsure", (int64_t)all->unsure);
    json_write_key(out, first, "rows");
    for (uint32_t r = 0; r < rows; r++) {
        bool is_first = true;
        buf_str(out, r == 0 ? STR("[{") : STR(",{"));
        grouping_write(&report->grouping, r, out, &is_first);
        json_write_key(out, &is_first, "stages");
        buf_char(out, '[');
        for (uint32_t i = 0; i < report->question.count; i++)
            stage_write(report, i, &all->stages[(size_t)r * report->question.count + i], out);
        buf_char(out, ']');
        write_int(out, &is_first, "none", (int64_t)all->none[r]);
        buf_char(out, '}');
    }
    buf_char(out, ']');
    return OK;
}

static void stages_done(void *question)
{
    grouping_done(&((struct stages_report *)question)->grouping);
}

const struct report_kind report_stages = {
    "stages",    sizeof(struct stages_report), stages_read, stages_ready, stages_part, stages_write,
    stages_done,
};
