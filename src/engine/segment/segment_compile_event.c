/*
 * What happened, compiled: subjects, windows and filters; aggregates, sequences and funnels.
 */
#include "engine/segment/segment_compiler.h"
#include "engine/segment/segment_lower.h"
#include "engine/segment/segment_words.h"

static enum err emit_where(struct compiler *c, const struct segment_node *where, struct str list,
                           uint32_t *out)
{
    if (where == NULL)
        return OK;
    *out = c->count;
    return compiler_node(c, where, (struct scope){ true, list });
}

static enum err subject_event(struct compiler *c, const struct segment_node *node,
                              const struct segment_match *match, uint16_t *out)
{
    struct str name = match->event;
    if (match->subject == SEGMENT_ANYTHING) {
        *out = SEGMENT_ANY_EVENT;
        c->needs_anything = true;
        return OK;
    }
    if (match->subject != SEGMENT_EVENT)
        name = segment_subject_event(match->subject);
    TRY(compiler_name(c, node, c->names->events, name, out));
    if (*out != DICT_NONE)
        compiler_note(&c->events, *out);
    return OK;
}

static enum err subject_journey(struct compiler *c, const struct segment_node *node,
                                const struct segment_match *match, uint32_t *out)
{
    *out = 0;
    if (!segment_subject_is_journey(match->subject))
        return OK;
    *out =
        c->names->journey == NULL ? SEGMENT_NO_ID : c->names->journey(c->names->owner, match->name);
    if (*out == SEGMENT_NO_ID)
        return compiler_fail(c, node, ERR_ABSENT, "Correct the name, or make it first.",
                             "there is no such journey", match->name);
    return OK;
}

static enum err emit_window(struct compiler *c, const struct segment_node *node,
                            const struct segment_match *match, struct segment_match_op *out)
{
    out->window = match->window;
    if (match->window.kind == SEGMENT_SINCE_ENTRY && !c->names->has_entry)
        return compiler_fail(c, node, ERR_INPUT,
                             "Use since entry in the conditions of a journey only.",
                             "outside a journey there is no entry", match->event);
    if (match->window.kind == SEGMENT_CALENDAR || match->window.from_is_day ||
        match->window.to_is_day)
        c->zoned = c->has_zone = true;
    return OK;
}

enum err compiler_match(struct compiler *c, const struct segment_node *node,
                        const struct segment_match *match, struct segment_match_op *out)
{
    const struct segment_node *where;
    uint32_t                   journey;
    TRY(subject_event(c, node, match, &out->event));
    TRY(subject_journey(c, node, match, &journey));
    TRY(emit_window(c, node, match, out));
    TRY(segment_lower(c->arena, match, journey, &where));
    return emit_where(c, where, STR_NONE, &out->where);
}

/* The list of "products.price" is "products"; what has no dot is the list itself. */
static struct str list_of(struct str property)
{
    for (size_t i = property.len; i > 0; i--)
        if (property.ptr[i - 1] == '.')
            return str_slice(property, 0, i - 1);
    return property;
}

static bool folds_values(enum segment_fold fold)
{
    return fold >= SEGMENT_FIRST_VALUE;
}

static enum err emit_property(struct compiler *c, const struct segment_node *node,
                              struct segment_op *op)
{
    struct str list = node->with != NULL ? list_of(node->property) : node->property;
    op->key = op->list = DICT_NONE;
    if (str_is_empty(node->property))
        return OK;
    op->of_elements = node->fold == SEGMENT_COUNT && str_eq(list, node->property);
    TRY(compiler_property(c, node, STR_NONE, node->property, &op->key));
    TRY(compiler_property(c, node, STR_NONE, list, &op->list));
    return emit_where(c, node->with, list, &op->with);
}

enum err compiler_aggregate(struct compiler *c, const struct segment_node *node,
                            struct segment_op *op)
{
    op->fold = node->fold;
    op->test = node->test;
    op->is_value = node->is_value;
    op->counts_events = node->fold == SEGMENT_COUNT && str_is_empty(node->property);
    if (node->is_value || folds_values(node->fold))
        TRY(compiler_values(c, node, &op->compare));
    if (!node->is_value && !folds_values(node->fold)) {
        (void)json_to_real(&node->number, &op->number);
        if (!segment_micro(&node->number, &op->number_micro))
            return compiler_fail(c, node, ERR_INPUT, "Write a smaller number.",
                                 "the number is beyond 1e15", node->property);
    }
    TRY(emit_property(c, node, op));
    return compiler_match(c, node, &node->match, &op->match);
}

static enum err emit_same(struct compiler *c, const struct segment_node *node,
                          struct segment_op *op)
{
    op->within_ms = node->within_ms;
    op->has_same = !str_is_empty(node->same);
    return op->has_same ? compiler_property(c, node, STR_NONE, node->same, &op->same) : OK;
}

enum err compiler_then(struct compiler *c, const struct segment_node *node, struct segment_op *op)
{
    TRY(emit_same(c, node, op));
    TRY(compiler_match(c, node, &node->match, &op->match));
    return compiler_match(c, node, &node->then, &op->then);
}

enum err compiler_funnel(struct compiler *c, const struct segment_node *node, struct segment_op *op)
{
    struct segment_match_op *steps =
        ARENA_ARRAY(c->arena, node->steps_count, struct segment_match_op);
    if (steps == NULL)
        return ERR_MEMORY;
    TRY(emit_same(c, node, op));
    TRY(emit_window(c, node, &node->match, &op->match));
    for (uint32_t i = 0; i < node->steps_count; i++) {
        steps[i] = (struct segment_match_op){ 0 };
        TRY(compiler_match(c, node, &node->steps[i], &steps[i]));
    }
    op->steps = steps;
    op->steps_count = node->steps_count;
    op->step = node->step;
    op->not_step = node->not_step;
    return OK;
}
