#include "template/render.h"

#include <string.h>

static struct value loop_number(struct render *r, const struct expr *expr, bool lenient,
                                int64_t *out)
{
    struct value v = eval_expr(r, expr);
    if (v.missing != NULL)
        render_missing(r, v.missing);
    if (lenient && v.kind == VALUE_STRING)
        *out = value_leading_int(v.string);
    else if (lenient && v.kind == VALUE_REAL && v.real > -9e18 && v.real < 9e18)
        *out = (int64_t)v.real;
    else if (lenient && v.kind == VALUE_NIL)
        *out = 0;
    else if (v.kind == VALUE_NIL)
        return v;
    else if (!value_to_integer(&v, out))
        return render_fault(r, "a loop's limit, offset or cols is not a whole number");
    return value_of_int(*out);
}

static int64_t *continue_place(struct render *r, struct str name)
{
    struct frame *frame = r->frame;
    for (struct continue_state *c = frame->continues; c != NULL; c = c->older) {
        if (!render_charge(r, 1))
            return NULL;
        if (str_eq(c->name, name))
            return &c->at;
    }
    struct continue_state *made = render_alloc(r, 1, sizeof *made);
    if (made == NULL)
        return NULL;
    made->name = name;
    made->older = frame->continues;
    frame->continues = made;
    return &made->at;
}

/* A text is a list of itself, an object one of its pairs; anything else has no items. */
static int64_t collection_count(struct render *r, struct value *collection)
{
    if (collection->kind == VALUE_STRING && collection->string.len > 0) {
        struct value *one = render_values(r, 1);
        if (one == NULL)
            return 0;
        one[0] = *collection;
        *collection = value_of_list(one, 1);
        return 1;
    }
    if (collection->kind == VALUE_OBJECT)
        return collection->json->count;
    return value_count(collection);
}

/* Cuts [from, from + limit) out of the collection; true when something is left. */
static bool loop_cut(struct render *r, const struct each *each, struct loop *loop)
{
    bool     text = loop->collection.kind == VALUE_STRING; /* is shown whole, whatever is cut */
    int64_t  count = collection_count(r, &loop->collection), limit = INT64_MAX, from = 0;
    int64_t *place = each->table ? NULL : continue_place(r, each->name);
    if (!each->table && place == NULL)
        return false;
    if (each->offset_continue)
        from = *place;
    else if (each->offset != NULL)
        loop_number(r, each->offset, each->table, &from);
    if (each->limit != NULL)
        loop_number(r, each->limit, each->table, &limit);
    if (r->faulty)
        return false;
    /* A negative start cuts nothing, but still counts against the limit, as Shopify's does. */
    int64_t end = count;
    if (limit != INT64_MAX && __builtin_add_overflow(from, limit, &end))
        end = limit > 0 ? count : 0;
    if (end > count)
        end = count;
    int64_t begin = from < 0 ? 0 : from;
    if (text) {
        begin = 0;
        end = count;
    }
    loop->from = begin;
    loop->length = end > begin ? end - begin : 0;
    if (place != NULL && __builtin_add_overflow(from, loop->length, place))
        *place = INT64_MAX;
    return loop->length > 0;
}

struct value loop_item(struct render *r, const struct loop *loop)
{
    int64_t index =
        loop->each != NULL && loop->each->reversed ? loop->length - 1 - loop->index : loop->index;
    index += loop->from;
    if (loop->collection.kind == VALUE_OBJECT)
        return value_pair(r, &loop->collection.json->members[index]);
    return value_item(&loop->collection, index);
}

static void bind(struct render *r, uint32_t symbol, struct value value)
{
    struct cell *cell = &r->frame->cells[symbol];
    cell->bound = value;
    cell->is_bound = true;
}

static void bind_save(struct render *r, uint32_t symbol, struct cell *saved)
{
    saved->bound = r->frame->cells[symbol].bound;
    saved->is_bound = r->frame->cells[symbol].is_bound;
}

static void bind_restore(struct render *r, uint32_t symbol, const struct cell *saved)
{
    r->frame->cells[symbol].bound = saved->bound;
    r->frame->cells[symbol].is_bound = saved->is_bound;
}

static void cell_begin(struct render *r, const struct loop *loop)
{
    buf_str(r->out, STR("<td class=\"col"));
    buf_int(r->out, loop->col);
    buf_str(r->out, STR("\">"));
}

static bool table_begin(struct render *r, const struct each *each, struct loop *loop)
{
    loop->cols = loop->length;
    if (each->cols != NULL)
        loop_number(r, each->cols, true, &loop->cols);
    if (r->faulty)
        return false;
    loop->row = loop->col = 1;
    buf_str(r->out, STR("<tr class=\"row1\">\n"));
    if (loop->length > 0)
        cell_begin(r, loop);
    else
        buf_str(r->out, STR("</tr>\n"));
    return loop->length > 0;
}

bool loop_begin(struct render *r, const struct each *each, struct loop **running)
{
    struct loop *loop = render_alloc(r, 1, sizeof *loop);
    if (loop == NULL)
        return false;
    loop->each = each;
    loop->name = each->name;
    loop->collection = eval_expr(r, each->collection);
    if (loop->collection.missing != NULL)
        render_missing(r, loop->collection.missing);
    if (each->table && !value_is_true(&loop->collection))
        return false;
    bool some = loop_cut(r, each, loop);
    if (r->faulty || r->err != OK)
        return false;
    if (each->table && !table_begin(r, each, loop))
        return false;
    if (!some)
        return false;
    bind_save(r, each->symbol, &loop->saved_item);
    bind_save(r, each->loop_symbol, &loop->saved_loop);
    loop->outer = *running;
    *running = loop;
    if (!each->table) {
        loop->parent = r->frame->loop;
        r->frame->loop = loop;
    }
    bind(r, each->loop_symbol, (struct value){ .kind = VALUE_LOOP, .loop = loop });
    bind(r, each->symbol, loop_item(r, loop));
    return true;
}

bool loop_next(struct render *r, struct loop *loop)
{
    loop->index++;
    if (loop->each->table) {
        loop->row += loop->col == loop->cols;
        loop->col = loop->col == loop->cols ? 1 : loop->col + 1;
    }
    if (loop->index >= loop->length)
        return false;
    if (loop->each->table)
        cell_begin(r, loop);
    bind(r, loop->each->symbol, loop_item(r, loop));
    return true;
}

void loop_cell_end(struct render *r, const struct loop *loop)
{
    buf_str(r->out, STR("</td>"));
    if (r->op->delta < 0 || loop->col != loop->cols || loop->index == loop->length - 1)
        return;
    buf_str(r->out, STR("</tr>\n<tr class=\"row"));
    buf_int(r->out, loop->row + 1);
    buf_str(r->out, STR("\">"));
}

void loop_end(struct render *r, struct loop **running)
{
    struct loop *loop = *running;
    *running = loop->outer;
    /* Restored in this order, so that a variable called forloop finds its own again. */
    bind_restore(r, loop->each->symbol, &loop->saved_item);
    bind_restore(r, loop->each->loop_symbol, &loop->saved_loop);
    if (loop->each->table)
        buf_str(r->out, STR("</tr>\n"));
    else
        r->frame->loop = loop->parent;
}

static struct value table_member(const struct loop *loop, enum known known)
{
    switch (known) {
    case KNOWN_COL:
        return value_of_int(loop->col);
    case KNOWN_COL0:
        return value_of_int(loop->col - 1);
    case KNOWN_COL_FIRST:
        return value_of_bool(loop->col == 1);
    case KNOWN_COL_LAST:
        return value_of_bool(loop->col == loop->cols);
    case KNOWN_ROW:
        return value_of_int(loop->row);
    default:
        return VALUE_NONE;
    }
}

struct value loop_member(struct render *r __attribute__((unused)), const struct loop *loop,
                         enum known known)
{
    bool table = loop->each != NULL && loop->each->table;
    switch (known) {
    case KNOWN_INDEX:
        return value_of_int(loop->index + 1);
    case KNOWN_INDEX0:
        return value_of_int(loop->index);
    case KNOWN_RINDEX:
        return value_of_int(loop->length - loop->index);
    case KNOWN_RINDEX0:
        return value_of_int(loop->length - loop->index - 1);
    case KNOWN_FIRST:
        return value_of_bool(loop->index == 0);
    case KNOWN_LAST:
        return value_of_bool(loop->index == loop->length - 1);
    case KNOWN_LENGTH:
        return value_of_int(loop->length);
    case KNOWN_NAME:
        return table ? VALUE_NONE : value_of_str(loop->name);
    case KNOWN_PARENTLOOP:
        if (table || loop->parent == NULL)
            return VALUE_NONE;
        return (struct value){ .kind = VALUE_LOOP, .loop = loop->parent };
    default:
        return table ? table_member(loop, known) : VALUE_NONE;
    }
}
