#include "engine/segment/segment_compiler.h"

#include <stdio.h>

void compiler_where(const struct segment_node *node, char *out, size_t room)
{
    snprintf(out, room, "condition");
    if (node->line > 0)
        snprintf(out, room, "%u:%u", node->line, node->column);
}

enum err compiler_fail(const struct compiler *c, const struct segment_node *node, enum err code,
                       const char *remedy, const char *what, struct str name)
{
    char where[32], shown[100];
    compiler_where(node, where, sizeof where);
    return problem_format(c->problem, code, where, remedy, "%s: \"%s\"", what,
                          str_to_cstr(name, shown, sizeof shown));
}

void compiler_note(struct ids *ids, uint32_t id)
{
    ids->list[ids->count++] = id;
}

enum err compiler_name(struct compiler *c, const struct segment_node *node, struct dict *dict,
                       struct str name, uint16_t *out)
{
    *out = DICT_NONE;
    if (!c->names->grow) {
        *out = dict_find(dict, name);
        return OK;
    }
    TRY(dict_intern(dict, name, out));
    if (*out == DICT_OTHER)
        return compiler_fail(c, node, ERR_LIMIT, "Use a name that has arrived before.",
                             "the workspace has 60000 names already, and this is none of them",
                             name);
    return OK;
}

/* The property's id; of an element's property that of "list.property". */
enum err compiler_property(struct compiler *c, const struct segment_node *node, struct str list,
                           struct str key, uint16_t *out)
{
    if (!str_is_empty(list))
        key = str_format(c->arena, "%.*s.%.*s", STR_ARG(list), STR_ARG(key));
    return key.ptr == NULL ? ERR_MEMORY : compiler_name(c, node, c->names->properties, key, out);
}

/* Events of Dult's own that turn an answer which is asked from the facts. */
enum err compiler_note_own(struct compiler *c, const struct segment_node *node, struct str name)
{
    uint16_t id;
    TRY(compiler_name(c, node, c->names->events, name, &id));
    if (id != DICT_NONE)
        compiler_note(&c->events, id);
    return OK;
}

/* What a trait is derived from turns it as well. */
enum err compiler_note_trait(struct compiler *c, const struct segment_node *node, uint16_t trait)
{
    uint16_t sources[SEGMENT_SOURCES_MAX];
    uint32_t count =
        c->names->sources == NULL ? 0 : c->names->sources(c->names->owner, trait, sources);
    compiler_note(&c->traits, trait);
    for (uint32_t i = 0; i < count; i++)
        compiler_note(&c->traits, sources[i]);
    return count == 0 ? OK : compiler_note_own(c, node, STR("$context"));
}

enum err compiler_note_zone(struct compiler *c, const struct segment_node *node)
{
    static const struct str keys[COMPILER_ZONE_TRAITS] = { { "timezone", 8 }, { "zone", 4 } };
    for (size_t i = 0; i < COMPILER_ZONE_TRAITS; i++) {
        uint16_t id;
        TRY(compiler_name(c, node, c->names->traits, keys[i], &id));
        if (id != DICT_NONE)
            TRY(compiler_note_trait(c, node, id));
    }
    return compiler_note_own(c, node, STR("$context"));
}
