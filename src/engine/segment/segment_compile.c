#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/segment/segment_computed.h"
#include "engine/segment/segment_date.h"
#include "engine/segment/segment_lower.h"
#include "engine/segment/segment_pattern.h"
#include "engine/segment/segment_program.h"
#include "engine/segment/segment_words.h"

/* Ids as they are met; sorted and made unique at the end. Every op brings at most two. */
struct ids {
    uint32_t *list;
    uint32_t  count;
};

struct compiler {
    struct arena               *arena;
    const struct segment_names *names;
    struct problem             *problem;
    struct segment_op          *ops;
    uint32_t                    count, nesting;
    struct ids                  events, traits, segments, lists;
    bool                        has_zone;
    bool                        zoned;    /* the leaf at hand asks about days */
    bool                        moves;    /* and its filter compares with a date relative to now */
    bool                        in_stage; /* within the rule of one */
    bool                        needs_anything;
};

/* What a key is: a trait, or below `where` a property, perhaps of one element of a list. */
struct scope {
    bool       in_where;
    struct str list; /* empty: not of an element */
};

/* Room for ops, and for the events in them; counted to a little beyond the bound. */
struct room {
    const struct segment_names *names;
    uint32_t                    nesting, count;
    bool                        in_stage, in_computed;
};

static void room_add(struct room *room, const struct segment_node *node);

static void room_add_match(struct room *room, const struct segment_match *match)
{
    room->count += SEGMENT_LOWERED_NODES_MAX;
    if (match->where != NULL)
        room_add(room, match->where);
}

/* A condition about a stage is replaced by rules of stages, at most all; no rule asks a stage. */
static void room_add_stages(struct room *room)
{
    room->in_stage = true;
    for (uint32_t i = 0; i < room->names->stages_count; i++)
        room_add(room, room->names->stages[i].rule);
    room->in_stage = false;
}

/* A segment in place may name others. */
static void room_add_inside(struct room *room, struct str name)
{
    const struct segment_node *inside = room->names->in_place(room->names->owner, name);
    if (inside == NULL || room->nesting == SEGMENT_NESTING_MAX)
        return;
    room->nesting++;
    room_add(room, inside);
    room->nesting--;
}

/* A property of that name counts too, which is too much by little. */
static void room_add_computed(struct room *room, struct str name)
{
    const struct segment_node *value = room->names->computed(room->names->owner, name);
    if (value == NULL)
        return;
    room->in_computed = true;
    room_add(room, value);
    room->in_computed = false;
}

static void room_add(struct room *room, const struct segment_node *node)
{
    if (++room->count > SEGMENT_OPS_MAX)
        return;
    room_add_match(room, &node->match);
    room_add_match(room, &node->then);
    for (uint32_t i = 0; i < node->parts_count; i++)
        room_add(room, node->parts[i]);
    for (uint32_t i = 0; i < node->steps_count; i++)
        room_add_match(room, &node->steps[i]);
    if (node->with != NULL)
        room_add(room, node->with);
    if (node->kind == SEGMENT_IN_STAGE && !room->in_stage)
        room_add_stages(room);
    if (node->kind == SEGMENT_IN_SEGMENT && room->names->in_place != NULL)
        room_add_inside(room, node->name);
    if (segment_is_about_trait(node) && room->names->computed != NULL && !room->in_computed)
        room_add_computed(room, node->compare.key);
}

static void where_of(const struct segment_node *node, char *out, size_t room)
{
    snprintf(out, room, "condition");
    if (node->line > 0)
        snprintf(out, room, "%u:%u", node->line, node->column);
}

static enum err fail(const struct compiler *c, const struct segment_node *node, enum err code,
                     const char *remedy, const char *what, struct str name)
{
    char where[32], shown[100];
    where_of(node, where, sizeof where);
    return problem_format(c->problem, code, where, remedy, "%s: \"%s\"", what,
                          str_to_cstr(name, shown, sizeof shown));
}

static void note(struct ids *ids, uint32_t id)
{
    ids->list[ids->count++] = id;
}

static enum err name_id(struct compiler *c, const struct segment_node *node, struct dict *dict,
                        struct str name, uint16_t *out)
{
    *out = DICT_NONE;
    if (!c->names->grow) {
        *out = dict_find(dict, name);
        return OK;
    }
    TRY(dict_intern(dict, name, out));
    if (*out == DICT_OTHER)
        return fail(c, node, ERR_LIMIT, "Use a name that has arrived before.",
                    "the workspace has 60000 names already, and this is none of them", name);
    return OK;
}

static enum err emit(struct compiler *c, const struct segment_node *node, struct scope scope);

static enum err emit_where(struct compiler *c, const struct segment_node *where, struct str list,
                           uint32_t *out)
{
    if (where == NULL)
        return OK;
    *out = c->count;
    return emit(c, where, (struct scope){ true, list });
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
    TRY(name_id(c, node, c->names->events, name, out));
    if (*out != DICT_NONE)
        note(&c->events, *out);
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
        return fail(c, node, ERR_ABSENT, "Correct the name, or make it first.",
                    "there is no such journey", match->name);
    return OK;
}

static enum err emit_window(struct compiler *c, const struct segment_node *node,
                            const struct segment_match *match, struct segment_match_op *out)
{
    out->window = match->window;
    if (match->window.kind == SEGMENT_SINCE_ENTRY && !c->names->has_entry)
        return fail(c, node, ERR_INPUT, "Use since entry in the conditions of a journey only.",
                    "outside a journey there is no entry", match->event);
    if (match->window.kind == SEGMENT_CALENDAR || match->window.from_is_day ||
        match->window.to_is_day)
        c->zoned = c->has_zone = true;
    return OK;
}

static enum err emit_match(struct compiler *c, const struct segment_node *node,
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

/* The property's id; of an element's property that of "list.property". */
static enum err property_id(struct compiler *c, const struct segment_node *node, struct str list,
                            struct str key, uint16_t *out)
{
    if (!str_is_empty(list))
        key = str_format(c->arena, "%.*s.%.*s", STR_ARG(list), STR_ARG(key));
    return key.ptr == NULL ? ERR_MEMORY : name_id(c, node, c->names->properties, key, out);
}

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

static enum err keep_values(struct compiler *c, const struct segment_node *node,
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
    where_of(node, where, sizeof where);
    return kept->test != SEGMENT_MATCHES ? OK
                                         : segment_pattern_make(c->arena, values[0].value.string,
                                                                where, &kept->pattern, c->problem);
}

/* Events of Dult's own that turn an answer which is asked from the facts. */
static enum err note_own(struct compiler *c, const struct segment_node *node, struct str name)
{
    uint16_t id;
    TRY(name_id(c, node, c->names->events, name, &id));
    if (id != DICT_NONE)
        note(&c->events, id);
    return OK;
}

/* What a trait is derived from turns it as well. */
static enum err note_trait(struct compiler *c, const struct segment_node *node, uint16_t trait)
{
    uint16_t sources[SEGMENT_SOURCES_MAX];
    uint32_t count =
        c->names->sources == NULL ? 0 : c->names->sources(c->names->owner, trait, sources);
    note(&c->traits, trait);
    for (uint32_t i = 0; i < count; i++)
        note(&c->traits, sources[i]);
    return count == 0 ? OK : note_own(c, node, STR("$context"));
}

static enum err emit_compare(struct compiler *c, const struct segment_node *node,
                             struct scope scope, struct segment_op *op)
{
    op->in_element = !str_is_empty(scope.list);
    if (scope.in_where)
        TRY(property_id(c, node, scope.list, node->compare.key, &op->key));
    else
        TRY(name_id(c, node, c->names->traits, node->compare.key, &op->key));
    if (!scope.in_where && op->key != DICT_NONE)
        TRY(note_trait(c, node, op->key));
    return keep_values(c, node, &op->compare);
}

static const struct segment_node *computed_of(const struct compiler     *c,
                                              const struct segment_node *node)
{
    if (c->names->computed == NULL || !segment_is_about_trait(node))
        return NULL;
    return c->names->computed(c->names->owner, node->compare.key);
}

/* A day, or for how long: of a trait that was told, or of a computed one, which is the one part. */
static enum err emit_trait(struct compiler *c, const struct segment_node *node,
                           struct segment_op *op)
{
    const struct segment_node *value = computed_of(c, node);
    if (value == NULL)
        return emit_compare(c, node, (struct scope){ 0 }, op);
    op->weight = 2;
    op->computed = c->count;
    TRY(emit(c, value, (struct scope){ 0 }));
    return keep_values(c, node, &op->compare);
}

static enum err emit_day(struct compiler *c, const struct segment_node *node, struct segment_op *op)
{
    op->yearly = node->yearly;
    op->from_days = node->from_days;
    op->to_days = node->to_days;
    c->has_zone = true;
    return emit_trait(c, node, op);
}

static enum err emit_known(struct compiler *c, const struct segment_node                    *node,
                           uint32_t (*find)(const void *owner, struct str name), const char *absent,
                           struct segment_op *op)
{
    op->id = find == NULL ? SEGMENT_NO_ID : find(c->names->owner, node->name);
    if (op->id == SEGMENT_NO_ID)
        return fail(c, node, ERR_ABSENT, "Correct the name, or make it first.", absent, node->name);
    return OK;
}

static enum err emit_journey(struct compiler *c, const struct segment_node *node,
                             struct segment_op *op)
{
    TRY(emit_known(c, node, c->names->journey, "there is no such journey", op));
    op->at = str_copy(c->arena, node->at);
    return op->at.ptr == NULL ? ERR_MEMORY : note_own(c, node, STR("$journey"));
}

static enum err emit_consent(struct compiler *c, const struct segment_node *node,
                             struct segment_op *op)
{
    if (!str_is_empty(node->name))
        TRY(emit_known(c, node, c->names->topic, "there is no such topic", op));
    op->consent = node->consent;
    op->at = str_copy(c->arena, node->at);
    return op->at.ptr == NULL ? ERR_MEMORY : note_own(c, node, STR("$consent"));
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
        return fail(c, node, ERR_INPUT, "Say in the rule what makes somebody be in that stage.",
                    "the rule of a stage cannot ask for a stage", node->name);
    if (count == 0)
        return fail(c, node, ERR_ABSENT, "Correct the name, or make it first.",
                    "there is no such stage", node->name);
    if (stages == NULL)
        return ERR_MEMORY;
    c->in_stage = true;
    for (uint32_t i = 0; i < count; i++) {
        const struct segment_op *part = &c->ops[c->count];
        stages[i] = str_copy(c->arena, c->names->stages[at + i].name);
        if (stages[i].ptr == NULL)
            return ERR_MEMORY;
        TRY(emit(c, c->names->stages[at + i].rule, (struct scope){ 0 }));
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
    TRY(property_id(c, node, STR_NONE, node->compare.key, &op->list));
    return emit(c, node->parts[0], (struct scope){ true, node->compare.key });
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
    TRY(property_id(c, node, STR_NONE, node->property, &op->key));
    TRY(property_id(c, node, STR_NONE, list, &op->list));
    return emit_where(c, node->with, list, &op->with);
}

static enum err emit_aggregate(struct compiler *c, const struct segment_node *node,
                               struct segment_op *op)
{
    op->fold = node->fold;
    op->test = node->test;
    op->is_value = node->is_value;
    op->counts_events = node->fold == SEGMENT_COUNT && str_is_empty(node->property);
    if (node->is_value || folds_values(node->fold))
        TRY(keep_values(c, node, &op->compare));
    if (!node->is_value && !folds_values(node->fold)) {
        (void)json_to_real(&node->number, &op->number);
        if (!segment_micro(&node->number, &op->number_micro))
            return fail(c, node, ERR_INPUT, "Write a smaller number.", "the number is beyond 1e15",
                        node->property);
    }
    TRY(emit_property(c, node, op));
    return emit_match(c, node, &node->match, &op->match);
}

static enum err emit_same(struct compiler *c, const struct segment_node *node,
                          struct segment_op *op)
{
    op->within_ms = node->within_ms;
    op->has_same = !str_is_empty(node->same);
    return op->has_same ? property_id(c, node, STR_NONE, node->same, &op->same) : OK;
}

static enum err emit_then(struct compiler *c, const struct segment_node *node,
                          struct segment_op *op)
{
    TRY(emit_same(c, node, op));
    TRY(emit_match(c, node, &node->match, &op->match));
    return emit_match(c, node, &node->then, &op->then);
}

static enum err emit_funnel(struct compiler *c, const struct segment_node *node,
                            struct segment_op *op)
{
    struct segment_match_op *steps =
        ARENA_ARRAY(c->arena, node->steps_count, struct segment_match_op);
    if (steps == NULL)
        return ERR_MEMORY;
    TRY(emit_same(c, node, op));
    TRY(emit_window(c, node, &node->match, &op->match));
    for (uint32_t i = 0; i < node->steps_count; i++) {
        steps[i] = (struct segment_match_op){ 0 };
        TRY(emit_match(c, node, &node->steps[i], &steps[i]));
    }
    op->steps = steps;
    op->steps_count = node->steps_count;
    op->step = node->step;
    op->not_step = node->not_step;
    return OK;
}

/* Its condition follows, as the one part of this op. */
static enum err emit_in_place(struct compiler *c, const struct segment_node *node,
                              struct segment_op *op)
{
    const struct segment_op   *part = &c->ops[c->count];
    const struct segment_node *inside = c->names->in_place(c->names->owner, node->name);
    op->id = SEGMENT_NO_ID;
    if (inside == NULL)
        return fail(c, node, ERR_ABSENT, "Correct the name, or make it first.",
                    "there is no such segment", node->name);
    if (c->nesting == SEGMENT_NESTING_MAX)
        return fail(c, node, ERR_LIMIT, "Write some of the conditions out.",
                    "segments name segments more than 16 deep", node->name);
    c->nesting++;
    TRY(emit(c, inside, (struct scope){ 0 }));
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
        return fail(c, node, ERR_ABSENT, "Correct the name, or make it first.",
                    list ? "there is no such list" : "there is no such segment", node->name);
    note(list ? &c->lists : &c->segments, op->id);
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
        TRY(emit(c, node->parts[i], scope));
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
        return emit_compare(c, node, scope, op);
    case SEGMENT_ELEMENT:
        return emit_element(c, node, op);
    case SEGMENT_DID:
    case SEGMENT_FIRST_DID:
    case SEGMENT_LAST_DID:
        op->weight = 1;
        op->times = node->times;
        op->times_count = node->times_count;
        return emit_match(c, node, &node->match, &op->match);
    case SEGMENT_AGGREGATE:
        op->weight = 2;
        return emit_aggregate(c, node, op);
    case SEGMENT_THEN:
    case SEGMENT_THEN_NOT:
        op->weight = 2;
        return emit_then(c, node, op);
    case SEGMENT_FUNNEL:
        op->weight = 2;
        return emit_funnel(c, node, op);
    case SEGMENT_IN_SEGMENT:
    case SEGMENT_IN_LIST:
        return emit_member(c, node, op);
    case SEGMENT_SHARE:
        return emit_share(c, node, op);
    case SEGMENT_DAY:
        return emit_day(c, node, op);
    case SEGMENT_BEEN:
        op->within_ms = node->within_ms;
        return emit_trait(c, node, op);
    case SEGMENT_IN_STAGE:
        return emit_stage(c, node, op);
    case SEGMENT_IN_JOURNEY:
        return emit_journey(c, node, op);
    case SEGMENT_CONSENT:
        return emit_consent(c, node, op);
    default:
        break; /* not there yet */
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
static enum err emit(struct compiler *c, const struct segment_node *node, struct scope scope)
{
    const struct segment_node *value =
        scope.in_where || node->kind != SEGMENT_COMPARE ? NULL : computed_of(c, node);
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
    if (!is_behaviour(node->kind))
        return OK;
    op->moves = c->moves;
    /* Nobody tells a kept answer that the person's days have moved. */
    bool kept = c->names->leaves != NULL && !c->names->has_entry && !c->zoned && !node->is_value &&
                op->match.event != SEGMENT_ANY_EVENT;
    if (!kept)
        return OK;
    TRY(leaf_id(c, node, &op->leaf));
    if (op->kind != SEGMENT_AGGREGATE || op->leaf == 0)
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

/* What may move a person to another zone: see facts_ops.zone. */
enum { ZONE_NAMES = 2 };

static enum err note_zone(struct compiler *c, const struct segment_node *node)
{
    static const struct str keys[ZONE_NAMES] = { { "timezone", 8 }, { "zone", 4 } };
    for (size_t i = 0; i < ZONE_NAMES; i++) {
        uint16_t id;
        TRY(name_id(c, node, c->names->traits, keys[i], &id));
        if (id != DICT_NONE)
            TRY(note_trait(c, node, id));
    }
    return note_own(c, node, STR("$context"));
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

static enum err finish(struct compiler *c, struct segment_program *out)
{
    struct segment_program p = { .ops = c->ops, .ops_count = c->count, .has_zone = c->has_zone };
    polarities(c->ops, 0, 1);
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
    struct room     room = { .names = names };
    struct ids     *sets[] = { &c.events, &c.traits, &c.segments, &c.lists };

    room_add(&room, node);
    if (room.count > SEGMENT_OPS_MAX)
        return problem_set(problem, ERR_LIMIT, "condition",
                           "With the segments and stages it names it is too large.",
                           "Name fewer segments.");
    c.ops = ARENA_ARRAY(arena, room.count, struct segment_op);
    if (c.ops == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        uint32_t most =
            (room.count + ZONE_NAMES) * (sets[i] == &c.traits ? SEGMENT_SOURCES_MAX + 1 : 3);
        sets[i]->list = ARENA_ARRAY(arena, most, uint32_t);
        if (sets[i]->list == NULL)
            return ERR_MEMORY;
    }
    TRY(emit(&c, node, (struct scope){ 0 }));
    if (c.has_zone)
        TRY(note_zone(&c, node));
    return finish(&c, out);
}

static bool has_narrow(const uint16_t *list, uint32_t count, uint16_t id)
{
    for (uint32_t i = 0; i < count; i++)
        if (list[i] == id)
            return true;
    return false;
}

static bool has_wide(const uint32_t *list, uint32_t count, uint32_t id)
{
    for (uint32_t i = 0; i < count; i++)
        if (list[i] == id)
            return true;
    return false;
}

bool segment_needs_event(const struct segment_program *program, uint16_t event)
{
    return (program->needs_anything && event >= SEGMENT_OWN_EVENTS) ||
           ((program->events_mask >> (event % 64) & 1) != 0 &&
            has_narrow(program->events, program->events_count, event));
}

bool segment_needs_trait(const struct segment_program *program, uint16_t trait)
{
    return has_narrow(program->traits, program->traits_count, trait);
}

bool segment_needs_segment(const struct segment_program *program, uint32_t segment)
{
    return has_wide(program->segments, program->segments_count, segment);
}

bool segment_needs_list(const struct segment_program *program, uint32_t list)
{
    return has_wide(program->lists, program->lists_count, list);
}
