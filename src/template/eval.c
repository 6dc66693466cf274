#include "template/render.h"

#include <stdio.h>
#include <string.h>

#include "template/filters.h"
#include "template/parse.h"

static struct cell *cell_of(struct render *r, const struct frame *frame, uint32_t symbol)
{
    struct cell *cell = &frame->cells[symbol];
    if (!cell->is_searched) {
        cell->is_searched = true;
        cell->data = json_get(r->data, r->t->symbols[symbol]);
    }
    return cell;
}

struct cell *eval_cell(struct render *r, uint32_t symbol)
{
    return cell_of(r, r->frame, symbol);
}

static struct value cell_value(const struct cell *cell)
{
    if (cell->is_bound)
        return cell->bound;
    if (cell->is_assigned)
        return cell->assigned;
    if (cell->is_counter)
        return value_of_int(cell->counter);
    return value_of_json(cell->data);
}

static bool symbol_find(const struct render *r, struct str name, uint32_t *symbol)
{
    for (uint32_t i = 0; i < r->t->symbol_count; i++) {
        if (str_eq(r->t->symbols[i], name)) {
            *symbol = i;
            return true;
        }
    }
    return false;
}

/* The variable of a computed name, which may be one that no tag has numbered. */
static struct value variable_find(struct render *r, const struct frame *frame, struct str name)
{
    uint32_t symbol;
    if (!render_charge(r, 1 + r->t->symbol_count / 8))
        return VALUE_NONE;
    /* A frame opened before its symbol was numbered has nothing under it. */
    if (symbol_find(r, name, &symbol) && symbol < frame->cell_count)
        return cell_value(cell_of(r, frame, symbol));
    return value_of_json(json_get(r->data, name));
}

struct value eval_symbol(struct render *r, uint32_t symbol)
{
    return cell_value(eval_cell(r, symbol));
}

struct value eval_variable(struct render *r, struct str name)
{
    return variable_find(r, r->frame, name);
}

static struct value variable_or_self(struct render *r, struct str name)
{
    struct value v = variable_find(r, r->frame, name);
    if (v.kind == VALUE_NIL && str_eq(name, STR("self")))
        return (struct value){ .kind = VALUE_SELF, .frame = r->frame };
    return v;
}

/* {{ [name] }} */
static struct value root_computed(struct render *r, const struct path *path)
{
    struct value name = eval_expr(r, path->root);
    return name.kind == VALUE_STRING ? variable_or_self(r, name.string) : VALUE_NONE;
}

/* Objects with very many members cost as much as they are searched. */
static const struct json *member_find(struct render *r, const struct json *object, struct str key)
{
    if (object->count > 64 && !render_charge(r, object->count / 64))
        return NULL;
    for (uint32_t i = object->count; i-- > 0;) {
        const struct json_member *member = &object->members[i];
        if (member->key.len == key.len && memcmp(member->key.ptr, key.ptr, key.len) == 0)
            return &member->value;
    }
    return NULL;
}

static struct str character_at(struct str text, bool last)
{
    size_t from = 0, to = text.len;
    if (last) {
        from = text.len - (text.len > 0);
        while (from > 0 && ((unsigned char)text.ptr[from] & 0xC0) == 0x80)
            from--;
    } else {
        to = text.len > 0;
        while (to < text.len && ((unsigned char)text.ptr[to] & 0xC0) == 0x80)
            to++;
    }
    return str_slice(text, from, to);
}

static int64_t characters(struct str text)
{
    int64_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
    return count;
}

/* size, first and last, which lists, strings and objects have by themselves. */
static bool command(struct render *r, const struct value *v, enum known known, struct value *out)
{
    bool sequence = value_is_sequence(v), first = known == KNOWN_FIRST;
    *out = VALUE_NONE;
    if (known == KNOWN_SIZE) {
        if (v->kind == VALUE_INT) /* as Ruby's Integer#size */
            *out = value_of_int(sizeof(int64_t));
        if (!sequence && v->kind != VALUE_OBJECT && v->kind != VALUE_STRING)
            return v->kind == VALUE_INT;
        if (v->kind == VALUE_STRING)
            render_charge_bytes(r, v->string.len);
        *out = value_of_int(sequence                  ? value_count(v)
                            : v->kind == VALUE_OBJECT ? (int64_t)v->json->count
                                                      : characters(v->string));
        return true;
    }
    if (!first && known != KNOWN_LAST)
        return false;
    if (v->kind == VALUE_RANGE)
        *out = value_of_int(first ? v->range.lo : v->range.hi);
    else if (sequence && value_count(v) > 0)
        *out = value_item(v, first ? 0 : value_count(v) - 1);
    else if (v->kind == VALUE_STRING)
        *out = value_of_str(character_at(v->string, !first));
    else if (v->kind == VALUE_OBJECT && first && v->json->count > 0)
        *out = value_pair(r, &v->json->members[0]);
    return sequence || v->kind == VALUE_STRING || (v->kind == VALUE_OBJECT && first);
}

static bool step_by_index(const struct value *v, int64_t index, struct value *out)
{
    int64_t count = value_count(v);
    if (v->kind != VALUE_LIST && v->kind != VALUE_ARRAY)
        return false;
    if (index < 0)
        index += count;
    if (index < 0 || index >= count)
        return false;
    *out = value_item(v, index);
    return true;
}

static bool step_by_key(struct render *r, const struct value *v, const struct step *step,
                        struct value *out)
{
    if (v->kind == VALUE_LOOP) {
        *out = loop_member(r, v->loop, step->known);
        return out->kind != VALUE_NIL || step->known == KNOWN_PARENTLOOP;
    }
    if (v->kind == VALUE_SELF) {
        *out = variable_find(r, v->frame, step->key);
        return out->kind != VALUE_NIL;
    }
    if (v->kind == VALUE_OBJECT) {
        const struct json *member = member_find(r, v->json, step->key);
        if (member != NULL) {
            *out = value_of_json(member);
            return out->kind != VALUE_NIL;
        }
    }
    return step->dotted && step->known != KNOWN_NONE && command(r, v, step->known, out) &&
           out->kind != VALUE_NIL;
}

/* False when the step leads to nothing, or to null. */
static bool step_take(struct render *r, const struct value *v, const struct step *step,
                      struct value *out)
{
    *out = VALUE_NONE;
    if (step->expr == NULL)
        return step_by_key(r, v, step, out);
    struct value key = eval_expr(r, step->expr);
    if (key.missing != NULL)
        render_missing(r, key.missing);
    if (key.kind == VALUE_INT)
        return step_by_index(v, key.integer, out);
    if (key.kind != VALUE_STRING)
        return false;
    struct step named = parse_named_step(key.string, false);
    return step_by_key(r, v, &named, out);
}

struct value eval_path(struct render *r, const struct path *path)
{
    const struct cell *cell = NULL;
    struct value       v, next;
    bool               own = false; /* a nil that the author has written himself */
    if (path->symbol != SYMBOL_NONE) {
        cell = eval_cell(r, path->symbol);
        v = cell_value(cell);
        own = cell->is_bound || cell->is_assigned;
    } else {
        v = root_computed(r, path);
    }
    if (path->is_self && v.kind == VALUE_NIL && !own)
        v = (struct value){ .kind = VALUE_SELF, .frame = r->frame };
    bool found = v.kind != VALUE_NIL || own;
    for (uint32_t i = 0; i < path->step_count; i++) {
        found = step_take(r, &v, &path->steps[i], &next);
        v = next;
        if (!found)
            break;
    }
    if (!found && v.missing == NULL)
        v.missing = path;
    return v;
}

/* An end that is not written out has to be whole; a missing one is used, and so reported. */
static int64_t range_end(struct render *r, const struct expr *expr)
{
    struct value v = eval_expr(r, expr);
    if (v.missing != NULL)
        render_missing(r, v.missing);
    if (v.kind == VALUE_INT)
        return v.integer;
    if (v.kind == VALUE_STRING)
        return value_leading_int(v.string);
    if (v.kind != VALUE_NIL)
        render_fault(r, "invalid integer");
    return 0;
}

static struct value eval_range(struct render *r, const struct expr *expr)
{
    struct value range = { .kind = VALUE_RANGE };
    range.range.lo = range_end(r, expr->range.lo);
    range.range.hi = range_end(r, expr->range.hi);
    return range;
}

static struct value filter_apply(struct render *r, const struct filter_call *call,
                                 const struct value *input)
{
    struct value args[FILTER_ARGS_MAX + 1] = { 0 };
    bool         settles = call->filter->settles_missing;
    for (uint32_t i = 0; i < call->arg_count; i++) {
        args[i] = eval_expr(r, call->args[i]);
        if (args[i].missing != NULL && !settles)
            render_missing(r, args[i].missing);
    }
    if (call->named != NULL)
        args[FILTER_ARGS_MAX] = eval_expr(r, call->named);
    if (!render_charge(r, 1))
        return VALUE_NONE;
    struct value made = call->filter->run(r, input, args, call->arg_count);
    if (made.missing == NULL && !settles)
        made.missing = input->missing;
    return made;
}

static struct value eval_filtered(struct render *r, const struct expr *expr)
{
    struct value v = eval_expr(r, expr->base);
    for (uint32_t i = 0; i < expr->filter_count && !r->faulty && r->err == OK; i++)
        v = filter_apply(r, &expr->filters[i], &v);
    return r->faulty ? VALUE_NONE : v;
}

struct value eval_expr(struct render *r, const struct expr *expr)
{
    switch (expr->kind) {
    case EXPR_LITERAL:
        return expr->literal;
    case EXPR_PATH:
        return eval_path(r, expr->path);
    case EXPR_RANGE:
        return eval_range(r, expr);
    case EXPR_FILTERED:
        return eval_filtered(r, expr);
    }
    return VALUE_NONE;
}

static bool sequence_contains(struct render *r, const struct value *list, const struct value *item)
{
    if (list->kind == VALUE_RANGE && item->kind == VALUE_REAL)
        return item->real >= (double)list->range.lo && item->real <= (double)list->range.hi;
    if (list->kind == VALUE_RANGE)
        return item->kind == VALUE_INT && item->integer >= list->range.lo &&
               item->integer <= list->range.hi;
    int64_t count = value_count(list);
    for (int64_t i = 0; i < count && render_charge(r, 1); i++) {
        struct value candidate = value_item(list, i);
        if (value_eq(r, &candidate, item))
            return true;
    }
    return false;
}

static bool contains(struct render *r, const struct value *left, const struct value *right)
{
    if (!value_is_true(left) || !value_is_true(right))
        return false;
    if (value_is_sequence(left))
        return sequence_contains(r, left, right);
    if (left->kind == VALUE_OBJECT)
        return right->kind == VALUE_STRING && member_find(r, left->json, right->string) != NULL;
    if (left->kind != VALUE_STRING)
        return false;
    struct str needle = value_text(r, right);
    /* memmem may take time in proportion to the product only for tiny needles; charge the sum. */
    if (!render_charge_bytes(r, left->string.len + needle.len))
        return false;
    return needle.len == 0 || str_find(left->string, 0, needle) < left->string.len;
}

/* What Ruby calls it when it cannot be compared: the class, and of what is no object the value. */
static struct str class_name(const struct value *v)
{
    switch (v->kind) {
    case VALUE_INT:
        return STR("Integer");
    case VALUE_REAL:
        return STR("Float");
    case VALUE_STRING:
        return STR("String");
    case VALUE_LIST:
    case VALUE_ARRAY:
        return STR("Array");
    case VALUE_OBJECT:
        return STR("Hash");
    case VALUE_BOOL:
        return v->truth ? STR("true") : STR("false");
    case VALUE_NIL:
        return STR("nil");
    default:
        return STR("something else");
    }
}

static void compare_fault(struct render *r, const struct value *left, const struct value *right)
{
    bool       number = right->kind == VALUE_INT || right->kind == VALUE_REAL;
    struct str against = number ? value_text(r, right) : class_name(right);
    render_fault(r, "comparison of %.*s with %.*s failed", STR_ARG(class_name(left)),
                 STR_ARG(against));
}

/* Text with a number is a mistake; what has no order at all (nil, lists) is simply not so. */
static bool ordered(struct render *r, const struct test *test, const struct value *left,
                    const struct value *right)
{
    if (left->kind == VALUE_STRING)
        render_charge_bytes(r, left->string.len);
    int  order = value_order(left, right);
    bool left_orders = left->kind >= VALUE_INT && left->kind <= VALUE_STRING;
    bool right_orders = right->kind >= VALUE_INT && right->kind <= VALUE_STRING;
    if (order == VALUE_UNORDERED) {
        if (left_orders && right_orders && left->kind != right->kind)
            compare_fault(r, left, right);
        return false;
    }
    switch (test->compare) {
    case COMPARE_LT:
        return order < 0;
    case COMPARE_GT:
        return order > 0;
    case COMPARE_LE:
        return order <= 0;
    default:
        return order >= 0;
    }
}

bool eval_test(struct render *r, const struct test *test)
{
    struct value left = eval_expr(r, test->left), right;
    if (test->compare == COMPARE_NONE)
        return value_is_true(&left) && !r->faulty;
    right = eval_expr(r, test->right);
    switch (test->compare) {
    case COMPARE_EQ:
        return value_eq(r, &left, &right);
    case COMPARE_NE:
        return !value_eq(r, &left, &right);
    case COMPARE_CONTAINS:
        return contains(r, &left, &right);
    case COMPARE_UNKNOWN:
        render_fault(r, "Unknown operator %.*s", STR_ARG(str_slice(test->word, 0, 60)));
        return false;
    default:
        return ordered(r, test, &left, &right);
    }
}
