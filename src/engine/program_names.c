/*
 * Names and their numbers: for those who ask, for conditions being compiled, and for the store.
 */
#include "engine/program_inside.h"

#include <string.h>

#include "engine/profile/place.h"

uint32_t program_number(const struct program *program, enum name_kind kind, struct str name)
{
    uint16_t id = dict_find(program->names[kind], name);
    return id == DICT_NONE || id == DICT_OTHER ? SEGMENT_NO_ID : id;
}

uint32_t program_segment(const struct program *program, struct str name)
{
    uint32_t number = program_number(program, NAME_SEGMENT, name);
    bool     defined =
        number < program->segments.count && program->segments.items[number].arena != NULL;
    return defined ? number : SEGMENT_NO_ID;
}

uint32_t program_journey(const struct program *program, struct str name)
{
    uint32_t number = program_number(program, NAME_JOURNEY, name);
    return number < program->journeys.count && program->journeys.items[number].count > 0
               ? number
               : SEGMENT_NO_ID;
}

uint32_t program_template(const struct program *program, struct str name)
{
    uint32_t number = program_number(program, NAME_TEMPLATE, name);
    return number < program->templates.count && program->templates.items[number].version > 0
               ? number
               : SEGMENT_NO_ID;
}

const struct template_def *program_template_at(const struct program *program, uint32_t number)
{
    static const struct template_def none;
    return number < program->templates.count ? &program->templates.items[number] : &none;
}

uint32_t program_list(const struct program *program, struct str name)
{
    return program_number(program, NAME_LIST, name);
}

uint32_t program_topic(const struct program *program, struct str name)
{
    return program_number(program, NAME_TOPIC, name);
}

struct str program_name(const struct program *program, enum name_kind kind, uint32_t number)
{
    return number < dict_count(program->names[kind])
               ? dict_text(program->names[kind], (uint16_t)number)
               : STR_NONE;
}

enum err program_intern(struct program *program, enum name_kind kind, struct str name,
                        uint32_t *number)
{
    uint16_t id;
    TRY(dict_intern(program->names[kind], name, &id));
    if (id == DICT_OTHER)
        return ERR_LIMIT;
    *number = id;
    return OK;
}

static uint32_t segment_resolve(const void *owner, struct str name)
{
    return program_segment(owner, name);
}

static uint32_t list_resolve(const void *owner, struct str name)
{
    return program_list(owner, name);
}

static uint32_t journey_resolve(const void *owner, struct str name)
{
    return program_journey(owner, name);
}

static uint32_t topic_resolve(const void *owner, struct str name)
{
    return program_topic(owner, name);
}

static const struct segment_node *segment_in_place(const void *owner, struct str name)
{
    const struct program *program = owner;
    uint32_t              number = program_segment(program, name);
    return number == SEGMENT_NO_ID ? NULL : program->segments.items[number].tree;
}

static uint32_t sources_of(const void *owner, uint16_t trait, uint16_t *out)
{
    _Static_assert((int)PLACE_TRAITS <= (int)SEGMENT_SOURCES_MAX, "all its sources have room");
    (void)owner;
    return trait < PLACE_DERIVED ? place_comes_from((enum place_trait)trait, out) : 0;
}

struct segment_names program_names(struct program *program, bool grow)
{
    return (struct segment_names){
        .events = program->names[NAME_EVENT],
        .properties = program->names[NAME_PROPERTY],
        .traits = program->names[NAME_TRAIT],
        .grow = grow,
        .owner = program,
        .computed = program_computed_tree,
        .segment = segment_resolve,
        .list = list_resolve,
        .journey = journey_resolve,
        .topic = topic_resolve,
        .sources = sources_of,
        .stages = program->stages.items,
        .stages_count = program->stages.count,
    };
}

struct segment_names program_names_in_place(struct program *program)
{
    struct segment_names names = program_names(program, false);
    names.in_place = segment_in_place;
    return names;
}

static enum err name_out(struct program *program, struct out *out, int kind, uint32_t id)
{
    if (out->names_count == out->names_room) {
        size_t           room = out->names_room == 0 ? 16 : out->names_room * 2;
        struct name_row *rows = ARENA_ARRAY(out->arena, room, struct name_row);
        if (rows == NULL)
            return ERR_MEMORY;
        if (out->names_count > 0)
            memcpy(rows, out->names, out->names_count * sizeof *rows);
        out->names = rows;
        out->names_room = room;
    }
    out->names[out->names_count++] =
        (struct name_row){ (uint32_t)kind, kind == NAME_EVENT ? own_to_store(id) : id,
                           dict_text(program->names[kind], (uint16_t)id) };
    return OK;
}

static bool is_told(int kind, uint32_t id)
{
    return kind == NAME_EVENT && id >= RUN_OWN_NAMES && id < RUN_DEEDS;
}

/* A folder may be older than they are. */
static enum err told_names_out(struct program *program, struct out *out)
{
    enum { ALL = (1 << (OWN_TOLD_END - RUN_OWN_NAMES)) - 1 };
    if (program->told_stored == ALL)
        return OK;
    for (uint32_t id = RUN_OWN_NAMES; id < OWN_TOLD_END; id++)
        if ((program->told_stored >> (id - RUN_OWN_NAMES) & 1) == 0)
            TRY(name_out(program, out, NAME_EVENT, id));
    program->told_stored = ALL;
    return OK;
}

enum err program_names_out(struct program *program, struct out *out)
{
    TRY(told_names_out(program, out));
    for (int kind = 1; kind < NAME_KINDS; kind++)
        for (; program->stored[kind] < dict_count(program->names[kind]); program->stored[kind]++)
            if (!is_told(kind, program->stored[kind]))
                TRY(name_out(program, out, kind, program->stored[kind]));
    return OK;
}

bool program_name_is_older(const struct program *program, uint32_t number)
{
    bool is = false;
    for (uint32_t i = 0; i < RUN_DEEDS - RUN_OWN_NAMES; i++)
        is = is || (program->told_older[i] != 0 && program->told_older[i] == number);
    return is;
}

/* Yesterday it had a number as any name has; nothing is found under that one now. */
static enum err told_older_load(struct program *program, uint32_t told, struct str text,
                                uint16_t *number)
{
    TRY(dict_bury(program->names[NAME_EVENT], text, number));
    program->told_older[told - RUN_OWN_NAMES] = *number;
    return OK;
}

enum err program_name_load(struct program *program, enum name_kind kind, uint32_t id,
                           struct str text)
{
    uint16_t number;
    if (kind < 1 || kind >= NAME_KINDS)
        return ERR_CORRUPT;
    id = kind == NAME_EVENT ? own_of_store(id) : id;
    TRY(dict_intern(program->names[kind], text, &number));
    if (is_told(kind, number) && number != id)
        TRY(told_older_load(program, number, text, &number));
    if (number != id)
        return ERR_CORRUPT;
    if (is_told(kind, id))
        program->told_stored |= UINT32_C(1) << (id - RUN_OWN_NAMES);
    else if (program->stored[kind] <= id)
        program->stored[kind] = id + 1;
    return OK;
}
