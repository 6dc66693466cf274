#include "template/render.h"

#include <stdio.h>
#include <string.h>

#include "base/encode.h"
#include "template/filters.h"

/* What one run of a unit keeps for its captures and cases. */
struct temp {
    size_t   place; /* where a capture began */
    uint32_t next;  /* of a when's values */
    bool     matched;
};

struct run {
    struct temp *temps;
    struct loop *loop;    /* innermost running loop of this unit */
    enum op_code left_by; /* OP_LEAVE_BREAK or OP_LEAVE_CONTINUE that came out of a call */
};

static void place_write(const struct render *r, char *out, size_t bytes)
{
    struct str name = r->unit == NULL ? STR_NONE : r->unit->name;
    unsigned   line = r->op == NULL ? 1 : r->op->line;
    if (name.len == 0)
        snprintf(out, bytes, "%u", line);
    else
        snprintf(out, bytes, "%.*s:%u", STR_ARG(str_slice(name, 0, 100)), line);
}

void render_stop(struct render *r, enum err code, const char *what, const char *remedy)
{
    if (r->err != OK)
        return;
    char where[sizeof r->report->problem.where];
    place_write(r, where, sizeof where);
    r->err = problem_set(&r->report->problem, code, where, what, remedy);
}

bool render_charge(struct render *r, int64_t steps)
{
    if (r->err != OK)
        return false;
    if (steps > r->steps_left) {
        render_stop(r, ERR_LIMIT, "the template does too much work",
                    "Loop over fewer items, or prepare the data before rendering.");
        return false;
    }
    r->steps_left -= steps;
    return true;
}

bool render_charge_bytes(struct render *r, size_t bytes)
{
    return render_charge(r, (int64_t)(bytes / 64));
}

struct value render_fault(struct render *r, const char *format, ...)
{
    struct template_report *report = r->report;
    struct template_fault   fault = { .snippet = r->unit->name, .line = r->op->line };
    va_list                 args;
    va_start(args, format);
    vsnprintf(fault.what, sizeof fault.what, format, args);
    va_end(args);
    if (r->conf->show_errors && !r->faulty && r->op->code != OP_ASSIGN) {
        buf_str(r->out, STR("Liquid error: "));
        buf_str(r->out, str_of(fault.what));
    }
    if (r->conf->stop_at_error)
        render_stop(r, ERR_INPUT, fault.what, "Mend the template or the data.");
    if (report->fault_count < TEMPLATE_FAULTS_MAX)
        report->faults[report->fault_count++] = fault;
    report->fault_total++;
    r->faulty = true;
    return VALUE_NONE;
}

void render_missing(struct render *r, const struct path *path)
{
    struct template_report *report = r->report;
    for (uint32_t i = 0; i < report->missing_count; i++)
        if (str_eq(report->missing[i].path, path->text))
            return;
    if (report->missing_count < TEMPLATE_MISSING_MAX)
        report->missing[report->missing_count++] =
            (struct template_missing){ path->text, path->snippet, path->line };
    if (r->conf->stop_at_missing) {
        char what[200];
        snprintf(what, sizeof what, "there is no value for %.*s",
                 STR_ARG(str_slice(path->text, 0, 120)));
        render_stop(r, ERR_ABSENT, what, "Give it a `default`, or see that the data has it.");
    }
}

void *render_alloc(struct render *r, size_t count, size_t size)
{
    if (size > 0 && count > TEMPLATE_VALUE_BYTES_MAX / size) {
        render_stop(r, ERR_LIMIT, "a value of the template grows too large",
                    "Loop over fewer items, or cut the text first.");
        return NULL;
    }
    if (!render_charge_bytes(r, count * size))
        return NULL;
    void *made = arena_array(r->arena, count, size);
    if (made == NULL)
        render_stop(r, ERR_MEMORY, "the template needs too much memory",
                    "Loop over fewer items, or build shorter texts.");
    return made;
}

struct value *render_values(struct render *r, size_t count)
{
    return render_alloc(r, count, sizeof(struct value));
}

struct buf render_buf(void)
{
    return buf_make(TEMPLATE_VALUE_BYTES_MAX);
}

struct value render_text(struct render *r, struct buf *text)
{
    struct value made = VALUE_NONE;
    if (buf_err(text) == ERR_MEMORY)
        render_stop(r, ERR_MEMORY, "the template needs too much memory", "Build shorter texts.");
    else if (buf_err(text) != OK)
        render_stop(r, ERR_LIMIT, "a value of the template grows too large", "Cut the text first.");
    char *copy = r->err == OK ? render_alloc(r, text->len + 1, 1) : NULL;
    if (copy != NULL) {
        if (text->len > 0)
            memcpy(copy, text->ptr, text->len);
        made = value_of_str((struct str){ copy, text->len });
    }
    buf_done(text);
    return made;
}

/* Does the text lie where HTML lies that our own hand made? */
static bool is_made(const struct render *r, struct str text)
{
    struct str made = r->conf->safe_html;
    return made.len > 0 && (uintptr_t)text.ptr >= (uintptr_t)made.ptr &&
           (uintptr_t)text.ptr + text.len <= (uintptr_t)made.ptr + made.len;
}

void out_value(struct render *r, struct value *v)
{
    if (r->faulty)
        return;
    if (v->missing != NULL)
        render_missing(r, v->missing);
    struct value text = *v;
    if (v->kind > VALUE_STRING) { /* a list may be long, so it is bounded as any value is */
        struct buf list = render_buf();
        value_print(r, &list, v);
        text = render_text(r, &list);
    }
    if (!r->conf->escape_html || v->safe || text.kind != VALUE_STRING || is_made(r, text.string))
        value_print(r, r->out, &text);
    else if (render_charge_bytes(r, text.string.len))
        html_escape(r->out, text.string);
}

/* What was written since `place`, taken back out of the output. */
static struct value output_take(struct render *r, size_t place)
{
    size_t len = r->out->len > place ? r->out->len - place : 0;
    char  *copy = render_alloc(r, len + 1, 1);
    if (copy == NULL)
        return VALUE_NONE;
    if (len > 0)
        memcpy(copy, r->out->ptr + place, len);
    r->out->len = place;
    struct value taken = value_of_str((struct str){ copy, len });
    taken.safe = true;
    return taken;
}

static void capture_end(struct render *r, uint32_t symbol, size_t place)
{
    struct cell *cell = &r->frame->cells[symbol];
    cell->assigned = output_take(r, place);
    cell->is_assigned = true;
}

static void changed_end(struct render *r, size_t place)
{
    struct value now = output_take(r, place);
    if (now.kind != VALUE_STRING || str_eq(now.string, r->changed))
        return;
    r->changed = now.string;
    buf_str(r->out, now.string);
}

static void assign(struct render *r, const struct op *op)
{
    struct value value = eval_expr(r, op->expr);
    if (r->faulty)
        return;
    struct cell *cell = &r->frame->cells[op->symbol];
    cell->assigned = value;
    cell->is_assigned = true;
}

/* increment shows and then counts, decrement counts and then shows; data may give the start. */
static void count(struct render *r, const struct op *op)
{
    struct cell *cell = eval_cell(r, op->symbol);
    if (!cell->is_counter && cell->data != NULL && cell->data->kind == JSON_INT)
        cell->counter = cell->data->integer;
    cell->is_counter = true;
    int64_t before = cell->counter;
    if (__builtin_add_overflow(before, op->delta, &cell->counter))
        cell->counter = before;
    buf_int(r->out, op->delta > 0 ? before : cell->counter);
}

/* The subject is asked here only for its faults, and for its gap to be a test. */
static void case_begin(struct render *r, const struct op *op, struct temp *temp)
{
    (void)eval_expr(r, op->expr);
    temp->matched = false;
}

/* Whether one of the values from temp->next on matches. */
static bool when(struct render *r, const struct op *op, struct temp *temp)
{
    while (temp->next < op->when->count && render_charge(r, 1)) {
        struct value subject = eval_expr(r, op->when->subject);
        struct value value = eval_expr(r, op->when->values[temp->next++]);
        if (value_eq(r, &subject, &value)) {
            temp->matched = true;
            return true;
        }
    }
    return false;
}

/* Operations that write or bind; true when it was one of them. */
static void op_simple(struct render *r, struct run *run, const struct op *op)
{
    struct value v;
    switch (op->code) {
    case OP_TEXT:
        buf_str(r->out, op->text);
        break;
    case OP_OUT:
        v = eval_expr(r, op->expr);
        out_value(r, &v);
        break;
    case OP_OUT_PATH:
        v = eval_path(r, op->path);
        out_value(r, &v);
        break;
    case OP_ASSIGN:
        assign(r, op);
        break;
    case OP_CAPTURE:
        run->temps[op->target].place = r->out->len;
        break;
    case OP_CAPTURE_END:
        capture_end(r, op->symbol, run->temps[op->target].place);
        break;
    case OP_CHANGED:
        run->temps[op->symbol].place = r->out->len;
        break;
    case OP_CHANGED_END:
        changed_end(r, run->temps[op->symbol].place);
        break;
    case OP_COUNT:
        count(r, op);
        break;
    case OP_CYCLE:
        cycle_run(r, op->cycle);
        break;
    case OP_CASE:
        case_begin(r, op, &run->temps[op->symbol]);
        break;
    case OP_FOR_END:
        loop_end(r, &run->loop);
        break;
    case OP_CELL_END:
        loop_cell_end(r, run->loop);
        break;
    case OP_CALL:
        call_run(r, op->call, &run->left_by);
        break;
    default:
        break;
    }
}

/* Where a fault in an operation that chooses goes on: behind its tag, of which nothing is shown. */
static void op_leave(const struct op *op, uint32_t *at)
{
    if (op->code == OP_TEST_AND || op->code == OP_TEST_OR)
        *at = op->test->end;
    else if (op->code == OP_FOR)
        *at = op->each->end;
    else if (op->code == OP_CASE)
        *at = op->target;
}

/* Operations that may jump: whether this one does. */
static bool op_jumps(struct render *r, struct run *run, const struct op *op)
{
    bool left;
    switch (op->code) {
    case OP_JUMP:
        return true;
    case OP_TEST_AND:
        return !eval_test(r, op->test);
    case OP_TEST_OR:
        return eval_test(r, op->test);
    case OP_WHEN:
        run->temps[op->symbol].next = 0;
        return !when(r, op, &run->temps[op->symbol]);
    case OP_WHEN_AGAIN:
        return when(r, op, &run->temps[op->symbol]);
    case OP_CASE_ELSE:
        return run->temps[op->symbol].matched;
    case OP_FOR:
        return !loop_begin(r, op->each, &run->loop);
    case OP_FOR_NEXT:
        return loop_next(r, run->loop);
    case OP_UNLESS_BREAK:
    case OP_UNLESS_CONTINUE:
        left = run->left_by == (op->code == OP_UNLESS_BREAK ? OP_LEAVE_BREAK : OP_LEAVE_CONTINUE);
        if (left)
            run->left_by = OP_NOP;
        return !left;
    default:
        return false;
    }
}

static void output_check(struct render *r)
{
    if (r->out->err == ERR_MEMORY)
        render_stop(r, ERR_MEMORY, "no memory for the output", "Render less at a time.");
    else if (r->out->err != OK || r->out->len - r->out_start > r->out_max)
        render_stop(r, ERR_LIMIT, "the output is larger than its bound",
                    "Show fewer items or shorter texts.");
}

static enum op_code ops_run(struct render *r, const struct unit *unit, struct run *run)
{
    for (uint32_t at = 0; r->err == OK;) {
        const struct op *op = &unit->ops[at++];
        if (op->code == OP_NOP)
            continue;
        if (op->code == OP_END || op->code == OP_LEAVE_BREAK || op->code == OP_LEAVE_CONTINUE)
            return (enum op_code)op->code;
        if (!render_charge(r, 1))
            break;
        r->op = op;
        r->faulty = false;
        if (op_jumps(r, run, op))
            at = op->target;
        else
            op_simple(r, run, op);
        if (r->faulty)
            op_leave(op, &at);
        output_check(r);
    }
    return OP_END;
}

void unit_run(struct render *r, const struct unit *unit, enum op_code *left_by)
{
    const struct unit *unit_before = r->unit;
    const struct op   *op_before = r->op;
    struct run         run = { 0 };
    if (unit->temp_count > 0) {
        run.temps = render_alloc(r, unit->temp_count, sizeof *run.temps);
        if (run.temps == NULL)
            return;
    }
    r->unit = unit;
    *left_by = ops_run(r, unit, &run);
    r->unit = unit_before;
    r->op = op_before;
}

static struct cycle_state *cycle_state(struct render *r, const struct cycle *cycle)
{
    struct value key = cycle->name == NULL ? value_of_str(cycle->key) : eval_expr(r, cycle->name);
    for (struct cycle_state *c = r->frame->cycles; c != NULL && render_charge(r, 1); c = c->older)
        if (c->named == (cycle->name != NULL) && value_eq(r, &c->key, &key))
            return c;
    struct cycle_state *made = render_alloc(r, 1, sizeof *made);
    if (made == NULL)
        return NULL;
    *made =
        (struct cycle_state){ .key = key, .named = cycle->name != NULL, .older = r->frame->cycles };
    r->frame->cycles = made;
    return made;
}

void cycle_run(struct render *r, const struct cycle *cycle)
{
    struct cycle_state *state = cycle_state(r, cycle);
    if (state == NULL)
        return;
    if (state->next < cycle->count) {
        struct value v = eval_expr(r, cycle->items[state->next]);
        out_value(r, &v);
    }
    state->next = state->next + 1 >= cycle->count ? 0 : state->next + 1;
}

enum err template_render(const struct template *t, struct arena *scratch, const struct json *data,
                         const struct template_render_conf *conf, struct buf *out,
                         struct template_report *report)
{
    static const struct template_render_conf plain = { 0 };
    enum op_code                             left_by;
    if (conf == NULL)
        conf = &plain;
    struct render r = { .t = t,
                        .arena = scratch,
                        .data = data,
                        .conf = conf,
                        .out = out,
                        .out_start = out->len,
                        .report = report };
    r.steps_left = conf->steps_max > 0 ? conf->steps_max : TEMPLATE_STEPS_MAX;
    r.out_max = conf->output_bytes_max > 0 ? conf->output_bytes_max : TEMPLATE_OUTPUT_BYTES_MAX;
    report->missing_count = report->fault_count = report->fault_total = 0;
    report->problem.where[0] = report->problem.what[0] = report->problem.remedy[0] = '\0';
    r.frame = frame_open(&r, false);
    if (r.frame != NULL)
        unit_run(&r, t->main, &left_by);
    return r.err;
}
