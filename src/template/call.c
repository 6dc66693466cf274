#include "template/render.h"

#include <string.h>

/* What reading a snippet with a computed name costs, so that a render does it a hundred times. */
enum { RENDER_LOAD_STEPS = 10000 };

struct frame *frame_open(struct render *r, bool isolated)
{
    struct frame *frame = render_alloc(r, 1, sizeof *frame);
    if (frame == NULL)
        return NULL;
    frame->isolated = isolated;
    frame->cell_count = r->t->symbol_count;
    frame->cells = render_alloc(r, frame->cell_count, sizeof *frame->cells);
    return frame->cells == NULL ? NULL : frame;
}

/* A snippet with a computed name may have brought new symbols since the frame was opened. */
static bool frame_grow(struct render *r, struct frame *frame)
{
    if (frame->cell_count >= r->t->symbol_count)
        return true;
    struct cell *cells = render_alloc(r, r->t->symbol_count, sizeof *cells);
    if (cells == NULL)
        return false;
    memcpy(cells, frame->cells, frame->cell_count * sizeof *cells);
    frame->cells = cells;
    frame->cell_count = r->t->symbol_count;
    return true;
}

static void cell_bind(struct frame *frame, uint32_t symbol, struct value value)
{
    frame->cells[symbol].bound = value;
    frame->cells[symbol].is_bound = true;
}

/* Arguments of render are the snippet's own variables: it may assign to them. */
static void cell_assign(struct frame *frame, uint32_t symbol, struct value value)
{
    frame->cells[symbol].assigned = value;
    frame->cells[symbol].is_assigned = true;
}

/* One rendering of a `render`ed snippet, which sees its arguments and the data, nothing else. */
static void render_one(struct render *r, const struct call *call, const struct value *with,
                       struct loop *loop)
{
    struct frame *outer = r->frame, *inner = frame_open(r, true);
    enum op_code  left_by;
    if (inner == NULL)
        return;
    if (loop != NULL)
        cell_assign(inner, r->op->symbol, (struct value){ .kind = VALUE_LOOP, .loop = loop });
    for (uint32_t i = 0; i < call->argument_count; i++)
        cell_assign(inner, call->arguments[i].symbol, eval_expr(r, call->arguments[i].expr));
    if (with->kind != VALUE_NIL || with->missing != NULL)
        cell_assign(inner, call->with_symbol, *with);
    r->frame = inner;
    unit_run(r, call->unit, &left_by);
    r->frame = outer;
}

static void render_call(struct render *r, const struct call *call)
{
    struct value with = VALUE_NONE;
    if (call->with != NULL)
        with = eval_expr(r, call->with);
    if (!call->each || (!value_is_sequence(&with) && with.kind != VALUE_OBJECT)) {
        render_one(r, call, &with, NULL);
        return;
    }
    struct loop *loop = render_alloc(r, 1, sizeof *loop);
    if (loop == NULL)
        return;
    loop->name = call->unit->name;
    loop->collection = with;
    loop->length = with.kind == VALUE_OBJECT ? (int64_t)with.json->count : value_count(&with);
    for (; loop->index < loop->length && render_charge(r, 1); loop->index++) {
        struct value item = loop_item(r, loop);
        render_one(r, call, &item, loop);
    }
}

static const struct unit *unit_load(struct render *r, const struct call *call, struct str *name)
{
    if (call->name == NULL) {
        *name = call->unit->name;
        return call->unit;
    }
    struct value v = eval_expr(r, call->name);
    if (v.missing != NULL)
        render_missing(r, v.missing);
    if (v.kind != VALUE_STRING) {
        render_fault(r, "the name of a snippet to include is not a text");
        return NULL;
    }
    struct template   *extended = NULL;
    const struct unit *unit = NULL;
    struct problem     problem = { 0 };
    *name = v.string;
    for (unit = r->t->units; unit != NULL && render_charge(r, 1); unit = unit->older)
        if (unit->name.len > 0 && str_eq(unit->name, v.string))
            return unit;
    if (!render_charge(r, RENDER_LOAD_STEPS) ||
        program_extend(r->t, r->arena, v.string, &extended, &unit, &problem) != OK) {
        render_fault(r, "%s%s%s", problem.where, problem.where[0] == '\0' ? "" : ": ",
                     problem.what);
        return NULL;
    }
    r->t = extended;
    return unit;
}

static struct str last_part(struct str name)
{
    const char *slash = name.len == 0 ? NULL : memrchr(name.ptr, '/', name.len);
    return slash == NULL ? name : str_slice(name, (size_t)(slash - name.ptr) + 1, name.len);
}

/* The symbol that the snippet's subject is bound to; false when no tag ever names it. */
static bool with_symbol(struct render *r, const struct call *call, struct str name,
                        uint32_t *symbol)
{
    *symbol = call->with_symbol;
    if (*symbol != SYMBOL_NONE)
        return true;
    struct str part = last_part(name);
    if (!render_charge(r, r->t->symbol_count / 8))
        return false;
    for (uint32_t i = 0; i < r->t->symbol_count; i++) {
        if (str_eq(r->t->symbols[i], part)) {
            *symbol = i;
            return true;
        }
    }
    return false;
}

/* What `with` gives, or else the variable that is called as the snippet is. */
static struct value include_subject(struct render *r, const struct call *call, struct str name)
{
    if (call->with != NULL)
        return eval_expr(r, call->with);
    return call->name_symbol == SYMBOL_NONE ? eval_variable(r, name)
                                            : eval_symbol(r, call->name_symbol);
}

/* A list is shown item by item, as Shopify's include does even without `for`. */
static void include_run(struct render *r, const struct unit *unit, const struct value *subject,
                        const uint32_t *symbol, enum op_code *left_by)
{
    bool    list = subject->kind == VALUE_LIST || subject->kind == VALUE_ARRAY;
    int64_t count = list ? value_count(subject) : 1;
    for (int64_t i = 0; i < count && r->err == OK; i++) {
        if (symbol != NULL)
            cell_bind(r->frame, *symbol, list ? value_item(subject, i) : *subject);
        unit_run(r, unit, left_by);
        if (*left_by != OP_END)
            return;
    }
}

static void include_call(struct render *r, const struct call *call, enum op_code *left_by)
{
    struct str         name = STR_NONE;
    uint32_t           symbol = SYMBOL_NONE;
    const struct unit *unit = unit_load(r, call, &name);
    if (unit == NULL || !frame_grow(r, r->frame))
        return;
    struct value subject = include_subject(r, call, name);
    bool         binds = with_symbol(r, call, name, &symbol); /* to nil, too, as Shopify does */
    struct cell *saved = render_alloc(r, call->argument_count + 1, sizeof *saved);
    if (saved == NULL)
        return;
    if (binds)
        saved[call->argument_count] = r->frame->cells[symbol];
    for (uint32_t i = 0; i < call->argument_count; i++) {
        struct value value = eval_expr(r, call->arguments[i].expr);
        saved[i] = r->frame->cells[call->arguments[i].symbol];
        cell_bind(r->frame, call->arguments[i].symbol, value);
    }
    include_run(r, unit, &subject, binds ? &symbol : NULL, left_by);
    for (uint32_t i = call->argument_count + 1; i-- > 0;) {
        bool is_subject = i == call->argument_count;
        if (is_subject && !binds)
            continue;
        struct cell *cell = &r->frame->cells[is_subject ? symbol : call->arguments[i].symbol];
        cell->bound = saved[i].bound;
        cell->is_bound = saved[i].is_bound;
    }
}

void call_run(struct render *r, const struct call *call, enum op_code *left_by)
{
    *left_by = OP_NOP;
    if (r->depth >= TEMPLATE_SNIPPET_DEPTH_MAX) {
        render_stop(r, ERR_LIMIT, "snippets call each other too deep",
                    "See whether a snippet calls itself.");
        return;
    }
    if (!call->isolated && r->frame->isolated) {
        render_fault(r, "include cannot be used inside a rendered snippet; use render");
        return;
    }
    r->depth++;
    if (call->isolated)
        render_call(r, call);
    else
        include_call(r, call, left_by);
    r->depth--;
}
