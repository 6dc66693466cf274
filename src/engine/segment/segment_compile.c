#include <stdlib.h>

#include "engine/segment/segment_compiler.h"
#include "engine/segment/segment_computed.h"
#include "engine/segment/segment_hear.h"

static enum err emit_known(struct compiler *c, const struct segment_node                    *node,
                           uint32_t (*find)(const void *owner, struct str name), const char *absent,
                           struct segment_op *op)
{
    op->id = find == NULL ? SEGMENT_NO_ID : find(c->names->owner, node->name);
    if (op->id == SEGMENT_NO_ID)
        return compiler_fail(c, node, ERR_ABSENT, "Correct the name, or make it first.", absent,
                             node->name);
    return OK;
}

static enum err emit_journey(struct compiler *c, const struct segment_node *node,
                             struct segment_op *op)
{
    TRY(emit_known(c, node, c->names->journey, "there is no such journey", op));
    op->at = str_copy(c->arena, node->at);
    return op->at.ptr == NULL ? ERR_MEMORY : compiler_note_own(c, node, STR("$journey"));
}

static enum err emit_consent(struct compiler *c, const struct segment_node *node,
                             struct segment_op *op)
{
    if (!str_is_empty(node->name))
        TRY(emit_known(c, node, c->names->topic, "there is no such topic", op));
    op->consent = node->consent;
    op->at = str_copy(c->arena, node->at);
    return op->at.ptr == NULL ? ERR_MEMORY : compiler_note_own(c, node, STR("$consent"));
}

static uint32_t stage_find(const struct segment_names *names, struct str name)
{
    uint32_t at = 0;
    while (at < names->stages_count && !str_eq(names->stages[at].name, name))
        at++;
    return at;
}

/* The rule of the stage and those of all later ones, in place. */
static enum err emit_stage(struct compiler *c, const struct segment_node *node,
                           struct segment_op *op)
{
    uint32_t    at = stage_find(c->names, node->name), count = c->names->stages_count - at;
    struct str *stages = ARENA_ARRAY(c->arena, count, struct str);
    if (c->in_stage)
        return compiler_fail(c, node, ERR_INPUT,
                             "Say in the rule what makes somebody be in that stage.",
                             "the rule of a stage cannot ask for a stage", node->name);
    if (count == 0)
        return compiler_fail(c, node, ERR_ABSENT, "Correct the name, or make it first.",
                             "there is no such stage", node->name);
    if (stages == NULL)
        return ERR_MEMORY;
    c->in_stage = true;
    for (uint32_t i = 0; i < count; i++) {
        const struct segment_op *part = &c->ops[c->count];
        stages[i] = str_copy(c->arena, c->names->stages[at + i].name);
        if (stages[i].ptr == NULL)
            return ERR_MEMORY;
        TRY(compiler_node(c, c->names->stages[at + i].rule, (struct scope){ 0 }));
        op->weight = part->weight > op->weight ? part->weight : op->weight;
    }
    c->in_stage = false;
    op->stages = stages;
    return OK;
}

static enum err emit_element(struct compiler *c, const struct segment_node *node,
                             struct segment_op *op)
{
    op->compare.which = node->compare.which;
    TRY(compiler_property(c, node, STR_NONE, node->compare.key, &op->list));
    return compiler_node(c, node->parts[0], (struct scope){ true, node->compare.key });
}

/* Its condition follows, as the one part of this op. */
static enum err emit_in_place(struct compiler *c, const struct segment_node *node,
                              struct segment_op *op)
{
    const struct segment_op   *part = &c->ops[c->count];
    const struct segment_node *inside = c->names->in_place(c->names->owner, node->name);
    op->id = SEGMENT_NO_ID;
    if (inside == NULL)
        return compiler_fail(c, node, ERR_ABSENT, "Correct the name, or make it first.",
                             "there is no such segment", node->name);
    if (c->nesting == SEGMENT_NESTING_MAX)
        return compiler_fail(c, node, ERR_LIMIT, "Write some of the conditions out.",
                             "segments name segments more than 16 deep", node->name);
    c->nesting++;
    TRY(compiler_node(c, inside, (struct scope){ 0 }));
    c->nesting--;
    op->weight = part->weight;
    return OK;
}

static enum err emit_member(struct compiler *c, const struct segment_node *node,
                            struct segment_op *op)
{
    bool list = node->kind == SEGMENT_IN_LIST;
    if (!list && c->names->in_place != NULL)
        return emit_in_place(c, node, op);
    op->id = list ? c->names->list(c->names->owner, node->name)
                  : c->names->segment(c->names->owner, node->name);
    if (op->id == SEGMENT_NO_ID)
        return compiler_fail(c, node, ERR_ABSENT, "Correct the name, or make it first.",
                             list ? "there is no such list" : "there is no such segment",
                             node->name);
    compiler_note(list ? &c->lists : &c->segments, op->id);
    return OK;
}

static enum err emit_share(struct compiler *c, const struct segment_node *node,
                           struct segment_op *op)
{
    op->chance = node->percent / 100;
    op->seed = str_copy(c->arena, node->name);
    return op->seed.ptr == NULL ? ERR_MEMORY : OK;
}

static enum err emit_parts(struct compiler *c, const struct segment_node *node, struct scope scope,
                           struct segment_op *op)
{
    for (uint32_t i = 0; i < node->parts_count; i++) {
        const struct segment_op *part = &c->ops[c->count];
        TRY(compiler_node(c, node->parts[i], scope));
        op->weight = part->weight > op->weight ? part->weight : op->weight;
    }
    return OK;
}

static enum err emit_kind(struct compiler *c, const struct segment_node *node, struct scope scope,
                          struct segment_op *op)
{
    switch (node->kind) {
    case SEGMENT_EVERYONE:
        return OK;
    case SEGMENT_AND:
    case SEGMENT_OR:
    case SEGMENT_NOT:
        return emit_parts(c, node, scope, op);
    case SEGMENT_COMPARE:
        return compiler_compare(c, node, scope, op);
    case SEGMENT_ELEMENT:
        return emit_element(c, node, op);
    case SEGMENT_DID:
    case SEGMENT_FIRST_DID:
    case SEGMENT_LAST_DID:
        op->weight = 1;
        op->times = node->times;
        op->times_count = node->times_count;
        return compiler_match(c, node, &node->match, &op->match);
    case SEGMENT_AGGREGATE:
        op->weight = 2;
        return compiler_aggregate(c, node, op);
    case SEGMENT_THEN:
    case SEGMENT_THEN_NOT:
        op->weight = 2;
        return compiler_then(c, node, op);
    case SEGMENT_FUNNEL:
        op->weight = 2;
        return compiler_funnel(c, node, op);
    case SEGMENT_IN_SEGMENT:
    case SEGMENT_IN_LIST:
        return emit_member(c, node, op);
    case SEGMENT_SHARE:
        return emit_share(c, node, op);
    case SEGMENT_DAY:
        return compiler_day(c, node, op);
    case SEGMENT_BEEN:
        op->within_ms = node->within_ms;
        return compiler_trait(c, node, op);
    case SEGMENT_IN_STAGE:
        return emit_stage(c, node, op);
    case SEGMENT_IN_JOURNEY:
        return emit_journey(c, node, op);
    case SEGMENT_CONSENT:
        return emit_consent(c, node, op);
    case SEGMENT_SCORE:
        op->weight = 2;
        return compiler_score(c, node, op);
    }
    return ERR_INPUT;
}

/* Equal conditions have one number: that of their text. A very long one goes without. */
static enum err leaf_id(const struct compiler *c, const struct segment_node *node, uint16_t *out)
{
    SCOPED(buf_donep) struct buf text = buf_make(SEGMENT_TEXT_BYTES_MAX * 2);
    uint16_t                     id;
    segment_write(&text, node);
    if (buf_err(&text) != OK)
        return buf_err(&text) == ERR_MEMORY ? ERR_MEMORY : OK;
    TRY(dict_intern(c->names->leaves, buf_view(&text), &id));
    *out = id < DICT_NAMES_MAX ? (uint16_t)(id + 1) : 0;
    return OK;
}

static bool is_behaviour(enum segment_kind kind)
{
    switch (kind) {
    case SEGMENT_DID:
    case SEGMENT_FIRST_DID:
    case SEGMENT_LAST_DID:
    case SEGMENT_AGGREGATE:
    case SEGMENT_THEN:
    case SEGMENT_THEN_NOT:
    case SEGMENT_FUNNEL:
        return true;
    default:
        return false;
    }
}

/* An answer can be kept when events and the clock alone turn it, and the clock as windows do. */
enum err compiler_node(struct compiler *c, const struct segment_node *node, struct scope scope)
{
    const struct segment_node *value =
        scope.in_where || node->kind != SEGMENT_COMPARE ? NULL : compiler_computed(c, node);
    if (!scope.in_where && segment_is_about_trait(node))
        TRY(compiler_score_check(c, node, value));
    if (value != NULL) {
        node = segment_computed_lower(c->arena, node, value);
        if (node == NULL)
            return ERR_MEMORY;
    }
    struct segment_op *op = &c->ops[c->count++];
    op->kind = node->kind;
    if (!scope.in_where)
        c->zoned = c->moves = false;
    TRY(emit_kind(c, node, scope, op));
    op->next = c->count;
    op->moves = c->moves;
    op->zoned = c->zoned;
    if (!is_behaviour(node->kind))
        return OK;
    if (c->names->leaves == NULL || c->names->has_entry || node->is_value)
        return OK;
    TRY(leaf_id(c, node, &op->equal));
    /* Nobody tells a kept answer that the person's days have moved, nor of anything. */
    op->leaf = op->zoned || op->match.event == SEGMENT_ANY_EVENT ? 0 : op->equal;
    if (op->kind != SEGMENT_AGGREGATE || op->equal == 0)
        return OK;
    struct segment_node summed = *node;
    summed.is_value = true;
    return leaf_id(c, &summed, &op->group);
}

static int compare_ids(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void ids_settle(struct ids *ids)
{
    uint32_t count = 0;
    qsort(ids->list, ids->count, sizeof ids->list[0], compare_ids);
    for (uint32_t i = 0; i < ids->count; i++)
        if (count == 0 || ids->list[count - 1] != ids->list[i])
            ids->list[count++] = ids->list[i];
    ids->count = count;
}

static enum err narrow(struct arena *arena, const struct ids *ids, const uint16_t **out)
{
    uint16_t *list = ARENA_ARRAY(arena, ids->count, uint16_t);
    if (list == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < ids->count; i++)
        list[i] = (uint16_t)ids->list[i];
    *out = list;
    return OK;
}

/* Which way the whole goes when a condition comes to hold: a "not" turns it round. */
static void polarities(struct segment_op *ops, uint32_t at, int8_t polarity)
{
    ops[at].polarity = polarity;
    bool group = ops[at].kind == SEGMENT_AND || ops[at].kind == SEGMENT_OR;
    if (ops[at].kind == SEGMENT_NOT)
        polarities(ops, at + 1, (int8_t)-polarity);
    for (uint32_t part = at + 1; group && part < ops[at].next; part = ops[part].next)
        polarities(ops, part, polarity);
}

#define MUCH_LATER_MS INT64_C(4000000000000) /* the year 2096 */

/* What the condition is of somebody without events, where no instant makes a difference. */
static int8_t of_none(const struct segment_op *ops, uint32_t at)
{
    struct facts          nothing = { .now_ms = 0 }, later = { .now_ms = MUCH_LATER_MS };
    struct segment_asking then = { ops, &nothing, NULL }, now = { ops, &later, NULL };
    struct verdict        a = segment_eval_op(&then, at), b = segment_eval_op(&now, at);
    bool lasts = a.until_ms == TIME_NEVER && b.until_ms == TIME_NEVER && a.holds == b.holds;
    return (int8_t)(!lasts ? 0 : a.holds ? 1 : -1);
}

static void marks(struct segment_op *ops, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        ops[i].mark = segment_wanted_mark(&ops[i]);
        if (ops[i].equal != 0)
            ops[i].none = of_none(ops, i);
    }
}

static enum err finish(struct compiler *c, struct segment_program *out)
{
    struct segment_program p = { .ops = c->ops, .ops_count = c->count, .has_zone = c->has_zone };
    polarities(c->ops, 0, 1);
    marks(c->ops, c->count);
    ids_settle(&c->events);
    ids_settle(&c->traits);
    ids_settle(&c->segments);
    ids_settle(&c->lists);
    TRY(narrow(c->arena, &c->events, &p.events));
    TRY(narrow(c->arena, &c->traits, &p.traits));
    p.events_count = c->events.count;
    p.traits_count = c->traits.count;
    p.segments = c->segments.list;
    p.segments_count = c->segments.count;
    p.lists = c->lists.list;
    p.lists_count = c->lists.count;
    for (uint32_t i = 0; i < p.events_count; i++)
        p.events_mask |= UINT64_C(1) << (p.events[i] % 64);
    p.needs_anything = c->needs_anything;
    *out = p;
    return OK;
}

enum err segment_compile(struct arena *arena, const struct segment_node *node,
                         const struct segment_names *names, struct segment_program *out,
                         struct problem *problem)
{
    struct compiler c = { .arena = arena, .names = names, .problem = problem };
    uint32_t        room = compiler_room(names, node);
    struct ids     *sets[] = { &c.events, &c.traits, &c.segments, &c.lists };

    if (room > SEGMENT_OPS_MAX)
        return problem_set(problem, ERR_LIMIT, "condition",
                           "With the segments and stages it names it is too large.",
                           "Name fewer segments.");
    c.ops = ARENA_ARRAY(arena, room, struct segment_op);
    if (c.ops == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        uint32_t most =
            (room + COMPILER_ZONE_TRAITS) * (sets[i] == &c.traits ? SEGMENT_SOURCES_MAX + 1 : 3);
        sets[i]->list = ARENA_ARRAY(arena, most, uint32_t);
        if (sets[i]->list == NULL)
            return ERR_MEMORY;
    }
    TRY(compiler_node(&c, node, (struct scope){ 0 }));
    if (c.has_zone)
        TRY(compiler_note_zone(&c, node));
    return finish(&c, out);
}
