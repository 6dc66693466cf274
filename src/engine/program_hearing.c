/*
 * Who must hear of what: tables by event, trait, segment and list, kept with each definition.
 */
#include "engine/program_inside.h"

#include <stdlib.h>

#include "engine/profile/place.h"
#include "engine/vec.h"

static enum err index_add(struct numbers *tables, uint32_t id, uint32_t who)
{
    return id < DICT_NAMES_MAX ? VEC_ADD(&tables[id], who) : OK;
}

static void index_drop(struct numbers *tables, uint32_t id, uint32_t who)
{
    if (id >= DICT_NAMES_MAX)
        return;
    for (uint32_t i = tables[id].count; i > 0; i--)
        if (tables[id].items[i - 1] == who)
            VEC_REMOVE(&tables[id], i - 1);
}

void journey_unindex(struct program *program, uint32_t number)
{
    const struct journey_version *live = program_journey_live(program, number);
    if (live != NULL)
        index_drop(program->journeys_of[live->journey.trigger.kind], live->source, number);
}

enum err journey_index(struct program *program, uint32_t number)
{
    const struct journey_version *live = program_journey_live(program, number);
    return index_add(program->journeys_of[live->journey.trigger.kind], live->source, number);
}

/* Its leaves point into programs: they are looked for again when next they are wanted. */
static void leaves_outdate(struct program *program, const struct segment_program *p)
{
    for (uint32_t i = 0; i < p->events_count; i++)
        if (p->events[i] < DICT_NAMES_MAX)
            program->leaves_of_event[p->events[i]].known = false;
}

enum err program_leaves(struct program *program, uint16_t event, const struct leaves **out)
{
    struct leaves        *leaves = &program->leaves_of_event[event];
    const struct numbers *users = &program->segments_of_event[event];
    uint32_t              room = 0;
    *out = leaves;
    if (leaves->known)
        return OK;
    for (uint32_t i = 0; i < users->count; i++)
        room += program->segments.items[users->items[i]].program.ops_count;
    struct segment_leaf *items = malloc((room + 1) * sizeof items[0]);
    if (items == NULL)
        return ERR_MEMORY;
    uint32_t count = 0;
    for (uint32_t i = 0; i < users->count; i++)
        count +=
            segment_leaves(&program->segments.items[users->items[i]].program, event, items + count);
    free(leaves->items);
    leaves->items = items;
    leaves->count = segment_leaves_settle(items, count);
    leaves->known = true;
    return OK;
}

static void hearing_add(const struct program *program, uint32_t number,
                        struct hearing_segment *segments, uint32_t *count)
{
    segments[(*count)++] =
        (struct hearing_segment){ number, &program->segments.items[number].program };
}

/* Those that hear of anything hear of what they name, too: once. */
enum err program_hearing(struct program *program, uint16_t event, const struct hearing **out)
{
    struct leaves        *leaves = &program->leaves_of_event[event];
    const struct numbers *users = &program->segments_of_event[event];
    const struct numbers *any = &program->segments_of_anything;
    uint32_t              count = 0;
    *out = &leaves->hearing;
    if (leaves->heard_round == program->round)
        return OK;
    struct hearing_segment *segments = malloc((users->count + any->count + 1) * sizeof segments[0]);
    if (segments == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < users->count; i++)
        if (!program->segments.items[users->items[i]].program.needs_anything)
            hearing_add(program, users->items[i], segments, &count);
    for (uint32_t i = 0; i < any->count && event >= RUN_DEEDS; i++)
        hearing_add(program, any->items[i], segments, &count);
    segment_hearing_done(&leaves->hearing);
    enum err err = segment_hearing_make(&leaves->hearing, event, segments, count);
    leaves->heard_round = err == OK ? program->round : 0;
    free(segments);
    return err;
}

struct heard_places program_places(void)
{
    return (struct heard_places){ PLACE_DERIVED, OWN_TRAIT_ZONE + 1 };
}

static enum err heard_room(struct heard_traits *heard, uint32_t room)
{
    free(heard->items);
    free(heard->gates);
    *heard = (struct heard_traits){
        .items = malloc(room * sizeof heard->items[0]),
        .gates = malloc((size_t)room * HEAR_GATES_MAX * sizeof heard->gates[0]),
    };
    return heard->items == NULL || heard->gates == NULL ? ERR_MEMORY : OK;
}

enum err program_trait_hearing(struct program *program, uint16_t trait,
                               const struct trait_hearing **out)
{
    struct trait_hearing *hearing = &program->traits[trait];
    const struct numbers *users = &program->segments_of_trait[trait];
    struct heard_places   places = program_places();
    uint32_t              room = 1;
    *out = hearing;
    if (hearing->round == program->round)
        return OK;
    for (uint32_t i = 0; i < users->count; i++)
        room += program->segments.items[users->items[i]].program.ops_count;
    TRY(heard_room(&hearing->heard, room));
    hearing->others.count = 0;
    for (uint32_t i = 0; i < users->count; i++) {
        uint32_t               number = users->items[i];
        struct hearing_segment segment = { number, &program->segments.items[number].program };
        if (program->segments.items[number].clock != NULL ||
            !segment_heard_traits(&segment, trait, places, &hearing->heard))
            TRY(VEC_ADD(&hearing->others, number));
    }
    hearing->round = program->round;
    return OK;
}

enum err program_open_segments(struct program *program, const struct facts *nothing,
                               const struct numbers **out)
{
    *out = &program->open;
    if (program->open_round == program->round)
        return OK;
    program->open.count = 0;
    for (uint32_t i = 0; i < program->segments.count; i++) {
        const struct segment_def *def = &program->segments.items[i];
        if (def->arena != NULL && (def->clock != NULL || !segment_is_shut(&def->program, nothing)))
            TRY(VEC_ADD(&program->open, i));
    }
    program->open_round = program->round;
    return OK;
}

void segment_unindex(struct program *program, uint32_t number, const struct segment_program *p)
{
    leaves_outdate(program, p);
    for (uint32_t i = 0; i < p->events_count; i++)
        index_drop(program->segments_of_event, p->events[i], number);
    for (uint32_t i = program->segments_of_anything.count; i > 0; i--)
        if (program->segments_of_anything.items[i - 1] == number)
            VEC_REMOVE(&program->segments_of_anything, i - 1);
    for (uint32_t i = 0; i < p->traits_count; i++)
        index_drop(program->segments_of_trait, p->traits[i], number);
    for (uint32_t i = 0; i < p->segments_count; i++)
        index_drop(program->segments_of_segment, p->segments[i], number);
    for (uint32_t i = 0; i < p->lists_count; i++)
        index_drop(program->segments_of_list, p->lists[i], number);
}

enum err segment_index(struct program *program, uint32_t number, const struct segment_program *p)
{
    leaves_outdate(program, p);
    for (uint32_t i = 0; i < p->events_count; i++)
        TRY(index_add(program->segments_of_event, p->events[i], number));
    if (p->needs_anything)
        TRY(VEC_ADD(&program->segments_of_anything, number));
    for (uint32_t i = 0; i < p->traits_count; i++)
        TRY(index_add(program->segments_of_trait, p->traits[i], number));
    for (uint32_t i = 0; i < p->segments_count; i++)
        TRY(index_add(program->segments_of_segment, p->segments[i], number));
    for (uint32_t i = 0; i < p->lists_count; i++)
        TRY(index_add(program->segments_of_list, p->lists[i], number));
    return OK;
}
