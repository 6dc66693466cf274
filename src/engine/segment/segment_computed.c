#include "engine/segment/segment_computed.h"

#include "engine/segment/segment_program.h"

bool segment_is_about_trait(const struct segment_node *node)
{
    return node->kind == SEGMENT_COMPARE || node->kind == SEGMENT_DAY || node->kind == SEGMENT_BEEN;
}

/* With one number, in an order, and not beyond what is summed. */
static bool is_order(const struct segment_compare *c)
{
    __int128 micro;
    return c->which == SEGMENT_PLAIN && c->test <= SEGMENT_AT_MOST && c->values_count == 1 &&
           c->values[0].kind == SEGMENT_NUMBER && segment_micro(&c->values[0].value, &micro);
}

const struct segment_node *segment_computed_lower(struct arena              *arena,
                                                  const struct segment_node *compare,
                                                  const struct segment_node *value)
{
    const struct segment_compare *c = &compare->compare;
    struct segment_node          *node = ARENA_ARRAY(arena, 1, struct segment_node);
    bool                          picks = value->fold >= SEGMENT_FIRST_VALUE;
    if (node == NULL)
        return NULL;
    *node = *value;
    node->line = compare->line;
    node->column = compare->column;
    node->compare = *c;
    node->compare.key = STR_NONE;
    if (value->kind == SEGMENT_SCORE)
        return node;
    node->is_value = picks ? c->which != SEGMENT_PLAIN : !is_order(c);
    if (!picks && !node->is_value) {
        node->compare = (struct segment_compare){ 0 };
        node->test = c->test;
        node->number = c->values[0].value;
    }
    return node;
}

bool segment_asks_stage(const struct segment_node *node, struct str name)
{
    if (node == NULL)
        return false;
    if (node->kind == SEGMENT_IN_STAGE)
        return str_is_empty(name) || str_eq(node->name, name);
    bool group = node->kind == SEGMENT_AND || node->kind == SEGMENT_OR || node->kind == SEGMENT_NOT;
    for (uint32_t i = 0; group && i < node->parts_count; i++)
        if (segment_asks_stage(node->parts[i], name))
            return true;
    return false;
}

bool segment_asks_trait(const struct segment_node *node, struct str name)
{
    if (node == NULL)
        return false;
    if (segment_is_about_trait(node))
        return str_eq(node->compare.key, name);
    bool group = node->kind == SEGMENT_AND || node->kind == SEGMENT_OR || node->kind == SEGMENT_NOT;
    for (uint32_t i = 0; group && i < node->parts_count; i++)
        if (segment_asks_trait(node->parts[i], name))
            return true;
    return false;
}
