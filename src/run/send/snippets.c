#include "run/send/snippets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

enum { NAMES_BYTES_MAX = SNIPPETS_VERSIONS_MAX * 160 };

struct version {
    struct str name;
    uint64_t   id; /* of its row */
    int64_t    at_ms;
    bool       is_deleted;
};

struct snippets {
    struct store_reader *reader;
    struct arena        *arena;
    struct version      *versions;
    uint32_t             count, room;
};

enum err snippets_open(struct snippets **out, struct store_reader *reader)
{
    struct snippets *snippets = calloc(1, sizeof *snippets);
    if (snippets == NULL)
        return ERR_MEMORY;
    snippets->reader = reader;
    snippets->arena = arena_open(NAMES_BYTES_MAX);
    if (snippets->arena == NULL) {
        free(snippets);
        return ERR_MEMORY;
    }
    *out = snippets;
    return OK;
}

void snippets_close(struct snippets *snippets)
{
    if (snippets == NULL)
        return;
    arena_close(snippets->arena);
    free(snippets->versions);
    free(snippets);
}

void snippets_closep(struct snippets **snippets)
{
    snippets_close(*snippets);
}

enum err snippets_take(struct snippets *snippets, const struct store_definition *row)
{
    if (row->kind != STORE_DEFINITION_SNIPPET)
        return OK;
    if (snippets->count == SNIPPETS_VERSIONS_MAX)
        return ERR_LIMIT;
    if (snippets->count == snippets->room) {
        uint32_t        room = snippets->room == 0 ? 64 : snippets->room * 2;
        struct version *grown = realloc(snippets->versions, room * sizeof *grown);
        if (grown == NULL)
            return ERR_MEMORY;
        snippets->versions = grown;
        snippets->room = room;
    }
    struct version version = { .name = str_copy(snippets->arena, row->name),
                               .id = row->id,
                               .at_ms = row->at_ms,
                               .is_deleted = row->text.len == 0 };
    if (version.name.ptr == NULL)
        return ERR_MEMORY;
    snippets->versions[snippets->count++] = version;
    return OK;
}

uint64_t snippets_edition(const struct snippets *snippets, int64_t at_ms)
{
    for (uint32_t i = snippets->count; i-- > 0;)
        if (snippets->versions[i].at_ms <= at_ms)
            return snippets->versions[i].id;
    return 0;
}

struct wanted {
    struct arena *arena;
    struct str    text;
    bool          found;
};

static enum err wanted_each(void *ctx, const struct store_definition *row)
{
    struct wanted *wanted = ctx;
    wanted->text = str_copy(wanted->arena, row->text);
    wanted->found = true;
    return wanted->text.ptr == NULL ? ERR_MEMORY : ERR_LIMIT; /* ERR_LIMIT: the first is enough */
}

static enum err text_read(const struct snippets *snippets, uint64_t id, struct arena *arena,
                          struct str *source)
{
    struct wanted wanted = { .arena = arena };
    enum err      err = store_definitions_read(snippets->reader, id, wanted_each, &wanted);
    if (err != OK && !(err == ERR_LIMIT && wanted.found))
        return err;
    *source = wanted.text;
    return wanted.found ? OK : ERR_ABSENT;
}

enum err snippets_find(void *owner, struct str name, struct arena *arena, struct str *source)
{
    const struct snippets_view *view = owner;
    const struct snippets      *snippets = view->snippets;
    if (view->hidden.len > 0 && str_eq(view->hidden, name))
        return ERR_ABSENT;
    for (uint32_t i = snippets->count; i-- > 0;) {
        const struct version *version = &snippets->versions[i];
        if (version->at_ms > view->at_ms || !str_eq(version->name, name))
            continue;
        return version->is_deleted ? ERR_ABSENT : text_read(snippets, version->id, arena, source);
    }
    return ERR_ABSENT;
}

void snippets_place(struct problem *problem)
{
    char   place[sizeof problem->where];
    size_t name = strcspn(problem->where, ":");
    if (name == 0 || (problem->where[0] >= '0' && problem->where[0] <= '9'))
        return;
    snprintf(place, sizeof place, "snippets/%.*s.liquid%.60s", (int)(name < 80 ? name : 80),
             problem->where, problem->where + name);
    memcpy(problem->where, place, sizeof place);
}

static enum err any_snippet(void *owner, struct str name, struct arena *arena, struct str *source)
{
    (void)owner, (void)name;
    *source = str_copy(arena, STR(" "));
    return source->ptr == NULL ? ERR_MEMORY : OK;
}

enum err snippets_check(struct str name, struct str text, struct problem *problem)
{
    struct template_conf                     conf = { .snippet = any_snippet };
    struct problem                           inside = { .where = "" };
    SCOPED(template_closep) struct template *made = NULL;
    enum err                                 err = template_parse(&made, text, &conf, &inside);
    if (err == OK || problem == NULL)
        return err;
    snprintf(problem->where, sizeof problem->where, "snippets/%.*s.liquid:%.60s",
             STR_ARG(str_slice(name, 0, 80)), inside.where);
    memcpy(problem->what, inside.what, sizeof problem->what);
    memcpy(problem->remedy, inside.remedy, sizeof problem->remedy);
    return err;
}
