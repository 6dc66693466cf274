/*
 * Room for the ops of a condition and for the events in them; counted to a little beyond the bound.
 */
#include "engine/segment/segment_compiler.h"
#include "engine/segment/segment_computed.h"
#include "engine/segment/segment_lower.h"

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
    for (uint32_t i = 0; node->score != NULL && i < node->score->count; i++)
        room_add(room, node->score->rules[i].node);
    if (node->with != NULL)
        room_add(room, node->with);
    if (node->kind == SEGMENT_IN_STAGE && !room->in_stage)
        room_add_stages(room);
    if (node->kind == SEGMENT_IN_SEGMENT && room->names->in_place != NULL)
        room_add_inside(room, node->name);
    if (segment_is_about_trait(node) && room->names->computed != NULL && !room->in_computed)
        room_add_computed(room, node->compare.key);
}

uint32_t compiler_room(const struct segment_names *names, const struct segment_node *node)
{
    struct room room = { .names = names };
    room_add(&room, node);
    return room.count;
}
