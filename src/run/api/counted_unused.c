/* Segments that no other definition names. */
#include "run/api/counted_inside.h"

#include <string.h>

#include "base/hash.h"
#include "base/map.h"
#include "run/named.h"

struct version {
    struct str name;
    uint32_t   kind;
    int64_t    version;
};

/* The newest version of each definition is known after a first reading; a second looks into it. */
struct texts {
    struct counted *counted;
    struct map      map;
    struct version *items;
    uint32_t        count, room;
    bool            named[COUNTED_GROUPS_MAX];
};

static bool is_version(const void *owner, uint32_t value, const void *key)
{
    const struct texts            *texts = owner;
    const struct store_definition *row = key;
    return texts->items[value].kind == row->kind && str_eq(texts->items[value].name, row->name);
}

static enum err texts_room(struct texts *texts)
{
    uint32_t        room = texts->room == 0 ? 256 : texts->room * 2;
    struct version *items;
    if (texts->count < texts->room)
        return OK;
    items = ARENA_ARRAY(texts->counted->call->arena, room, struct version);
    if (items == NULL)
        return ERR_MEMORY;
    if (texts->count > 0)
        memcpy(items, texts->items, texts->count * sizeof items[0]);
    texts->items = items;
    texts->room = room;
    return OK;
}

static enum err newest_each(void *ctx, const struct store_definition *row)
{
    struct texts *texts = ctx;
    uint64_t      hash = hash_str(row->name, row->kind);
    uint32_t      at = map_find(&texts->map, hash, is_version, texts, row);
    if (at != MAP_NONE) {
        texts->items[at].version = row->version;
        return OK;
    }
    TRY(texts_room(texts));
    texts->items[texts->count] = (struct version){ str_copy(texts->counted->call->arena, row->name),
                                                   row->kind, row->version };
    return texts->items[texts->count].name.ptr == NULL ? ERR_MEMORY
                                                       : map_add(&texts->map, hash, texts->count++);
}

static enum err named_each(void *ctx, const struct store_definition *row)
{
    struct texts               *texts = ctx;
    const struct counted_names *names = texts->counted->names;
    uint32_t at = map_find(&texts->map, hash_str(row->name, row->kind), is_version, texts, row);
    if (at == MAP_NONE || texts->items[at].version != row->version)
        return OK;
    for (uint32_t i = 0; i < names->segments_count; i++)
        if (!texts->named[i] &&
            (row->kind != DEFINE_SEGMENT || !str_eq(row->name, names->segments[i].name)))
            texts->named[i] = named_in(row->text, names->segments[i].name);
    return OK;
}

enum err counted_unused(struct counted *counted)
{
    SCOPED(store_reader_closep) struct store_reader *reader = NULL;
    struct texts *texts = ARENA_NEW(counted->call->arena, struct texts);
    if (texts == NULL)
        return ERR_MEMORY;
    TRY(store_reader_open(core_store(counted->call->api->conf.core), "check", &reader));
    texts->counted = counted;
    texts->map = map_make();
    enum err err = store_definitions_read(reader, 0, newest_each, texts);
    if (err == OK)
        err = store_definitions_read(reader, 0, named_each, texts);
    map_done(&texts->map);
    for (uint32_t i = 0; i < counted->names->segments_count && err == OK; i++)
        if (!texts->named[i])
            err = counted_tell(
                counted,
                (struct finding){ "segment", "unused", "No other definition asks for this segment.",
                                  "Delete it, unless it is looked at by hand or by a program.",
                                  counted->names->segments[i].name });
    return err;
}
