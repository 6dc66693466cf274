/*
 * What somebody is, compiled: comparisons with their literals, days, and for how long.
 */
#include "engine/segment/segment_compiler.h"
#include "engine/segment/segment_computed.h"
#include "engine/segment/segment_date.h"
#include "engine/segment/segment_pattern.h"

static enum err keep_literal(struct compiler *c, struct segment_literal *literal)
{
    if (segment_date_is(literal->kind))
        c->zoned = c->has_zone = true;
    c->moves = c->moves || segment_date_moves(literal->kind);
    if (literal->kind != SEGMENT_TEXT)
        return OK;
    literal->value.string = str_copy(c->arena, literal->value.string);
    return literal->value.string.ptr == NULL ? ERR_MEMORY : OK;
}

enum err compiler_values(struct compiler *c, const struct segment_node *node,
                         struct segment_compare *kept)
{
    struct segment_literal *values;
    char                    where[32];

    *kept = node->compare;
    kept->key = STR_NONE;
    values = ARENA_ARRAY(c->arena, kept->values_count, struct segment_literal);
    if (values == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < kept->values_count; i++) {
        values[i] = node->compare.values[i];
        TRY(keep_literal(c, &values[i]));
    }
    kept->values = values;
    compiler_where(node, where, sizeof where);
    return kept->test != SEGMENT_MATCHES ? OK
                                         : segment_pattern_make(c->arena, values[0].value.string,
                                                                where, &kept->pattern, c->problem);
}

enum err compiler_compare(struct compiler *c, const struct segment_node *node, struct scope scope,
                          struct segment_op *op)
{
    op->in_element = !str_is_empty(scope.list);
    if (node->compare.test == SEGMENT_IS_KEY && !scope.in_where)
        return compiler_fail(c, node, ERR_INPUT, "Write: did \"...\" where cart_id is the key.",
                             "the key is compared with a property of an event", node->compare.key);
    if (node->compare.test == SEGMENT_IS_KEY && !c->names->has_key)
        return compiler_fail(c, node, ERR_INPUT, "Use it in a journey whose trigger has a \"key\".",
                             "there is no key here", node->compare.key);
    if (scope.in_where)
        TRY(compiler_property(c, node, scope.list, node->compare.key, &op->key));
    else
        TRY(compiler_name(c, node, c->names->traits, node->compare.key, &op->key));
    if (!scope.in_where && op->key != DICT_NONE)
        TRY(compiler_note_trait(c, node, op->key));
    return compiler_values(c, node, &op->compare);
}

const struct segment_node *compiler_computed(const struct compiler     *c,
                                             const struct segment_node *node)
{
    if (c->names->computed == NULL || !segment_is_about_trait(node))
        return NULL;
    return c->names->computed(c->names->owner, node->compare.key);
}

enum err compiler_score_check(const struct compiler *c, const struct segment_node *node,
                              const struct segment_node *value)
{
    const struct segment_compare *asked = &node->compare;
    if (!str_starts(asked->key, SEGMENT_SCORE_PREFIX))
        return OK;
    struct str name = str_slice(asked->key, SEGMENT_SCORE_PREFIX.len, asked->key.len);
    bool       is_number = node->kind == SEGMENT_COMPARE && asked->which == SEGMENT_PLAIN &&
                     (asked->test <= SEGMENT_AT_MOST || asked->test == SEGMENT_BETWEEN_VALUES ||
                      asked->test == SEGMENT_EXISTS);
    for (uint32_t i = 0; i < asked->values_count; i++)
        is_number = is_number && asked->values[i].kind == SEGMENT_NUMBER;
    if (!is_number)
        return compiler_fail(c, node, ERR_INPUT, "Write for example: score \"lead\" >= 50.",
                             "a score is compared with a number, as it is now", name);
    if (value == NULL && compiler_computed(c, node) == NULL)
        return compiler_fail(c, node, ERR_ABSENT, "Correct the name, or make it first.",
                             "there is no such score", name);
    return OK;
}

enum err compiler_score(struct compiler *c, const struct segment_node *node, struct segment_op *op)
{
    struct segment_score      *score = ARENA_NEW(c->arena, struct segment_score);
    struct segment_score_rule *rules =
        ARENA_ARRAY(c->arena, node->score->count + 1, struct segment_score_rule);
    if (score == NULL || rules == NULL)
        return ERR_MEMORY;
    *score = *node->score;
    score->rules = rules;
    TRY(compiler_values(c, node, &op->compare));
    for (uint32_t i = 0; i < score->count; i++) {
        const struct segment_score_rule *rule = &node->score->rules[i];
        rules[i] = *rule;
        rules[i].node = NULL;
        rules[i].text = str_copy(c->arena, rule->text);
        if (rules[i].text.ptr == NULL)
            return ERR_MEMORY;
        TRY(compiler_node(c, rule->node, (struct scope){ 0 }));
    }
    op->score = score;
    return OK;
}

/* A day, or for how long: of a trait that was told, or of a computed one, which is the one part. */
enum err compiler_trait(struct compiler *c, const struct segment_node *node, struct segment_op *op)
{
    const struct segment_node *value = compiler_computed(c, node);
    if (value == NULL)
        return compiler_compare(c, node, (struct scope){ 0 }, op);
    op->weight = 2;
    op->computed = c->count;
    TRY(compiler_node(c, value, (struct scope){ 0 }));
    return compiler_values(c, node, &op->compare);
}

enum err compiler_day(struct compiler *c, const struct segment_node *node, struct segment_op *op)
{
    op->yearly = node->yearly;
    op->from_days = node->from_days;
    op->to_days = node->to_days;
    c->has_zone = true;
    return compiler_trait(c, node, op);
}
