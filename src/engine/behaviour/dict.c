#include "engine/behaviour/dict.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/map.h"

enum { DICT_BYTES_MAX = 2 * DICT_NAMES_MAX * DICT_NAME_BYTES_MAX }; /* names and block slack */

struct dict {
    struct arena *arena;
    struct map    ids;
    struct str   *names;
    uint32_t      count, room;
    uint64_t      seed, other_count;
};

struct dict *dict_open(void)
{
    struct dict *dict = calloc(1, sizeof *dict);
    if (dict == NULL)
        return NULL;
    dict->arena = arena_open(DICT_BYTES_MAX);
    if (dict->arena == NULL) {
        free(dict);
        return NULL;
    }
    dict->ids = map_make();
    /* An address is hard to guess, so nobody aims names at one bucket; no answer depends on it. */
    dict->seed = (uint64_t)(uintptr_t)dict->arena;
    return dict;
}

void dict_close(struct dict *dict)
{
    if (dict == NULL)
        return;
    map_done(&dict->ids);
    arena_close(dict->arena);
    free(dict->names);
    free(dict);
}

void dict_closep(struct dict **dict)
{
    dict_close(*dict);
}

static bool dict_is(const void *owner, uint32_t value, const void *key)
{
    const struct dict *dict = owner;
    const struct str  *name = key;
    return str_eq(dict->names[value], *name);
}

uint16_t dict_find(const struct dict *dict, struct str name)
{
    uint32_t id = map_find(&dict->ids, hash_str(name, dict->seed), dict_is, dict, &name);
    return id == MAP_NONE ? (uint16_t)DICT_NONE : (uint16_t)id;
}

static enum err names_room(struct dict *dict)
{
    if (dict->count < dict->room)
        return OK;
    uint32_t    room = dict->room == 0 ? 64 : dict->room * 2;
    struct str *names = realloc(dict->names, room * sizeof names[0]);
    if (names == NULL)
        return ERR_MEMORY;
    dict->names = names;
    dict->room = room;
    return OK;
}

/* In the place of the next id. */
static enum err name_keep(struct dict *dict, struct str name)
{
    TRY(names_room(dict));
    dict->names[dict->count] = str_copy(dict->arena, name);
    return name.len > 0 && dict->names[dict->count].ptr == NULL ? ERR_MEMORY : OK;
}

enum err dict_intern(struct dict *dict, struct str name, uint16_t *out)
{
    uint16_t id = dict_find(dict, name);
    if (id != DICT_NONE) {
        *out = id;
        return OK;
    }
    if (dict->count == DICT_NAMES_MAX || name.len > DICT_NAME_BYTES_MAX) {
        dict->other_count++;
        *out = DICT_OTHER;
        return OK;
    }
    TRY(name_keep(dict, name));
    TRY(map_add(&dict->ids, hash_str(name, dict->seed), dict->count));
    *out = (uint16_t)dict->count++;
    return OK;
}

enum err dict_bury(struct dict *dict, struct str text, uint16_t *out)
{
    *out = DICT_OTHER;
    if (dict->count == DICT_NAMES_MAX)
        return OK;
    TRY(name_keep(dict, text));
    *out = (uint16_t)dict->count++;
    return OK;
}

struct str dict_text(const struct dict *dict, uint16_t id)
{
    if (id == DICT_OTHER)
        return STR("other");
    return id < dict->count ? dict->names[id] : STR_NONE;
}

uint32_t dict_count(const struct dict *dict)
{
    return dict->count;
}

uint64_t dict_other_count(const struct dict *dict)
{
    return dict->other_count;
}
