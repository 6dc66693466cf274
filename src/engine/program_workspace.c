/*
 * The workspace: its lists and topics have numbers before anyone is on them; its time zone.
 */
#include "engine/program_inside.h"

static struct str item_name(const struct json *item)
{
    return item->kind == JSON_STRING ? item->string : json_get_str(item, STR("id"));
}

static enum err names_check(const struct json *root, const char *key, struct problem *problem)
{
    const struct json *list = json_get(root, str_of(key));
    for (uint32_t i = 0; list != NULL && list->kind == JSON_ARRAY && i < list->count; i++) {
        struct str name = item_name(&list->items[i]);
        if (str_is_empty(name) || name.len > DICT_NAME_BYTES_MAX)
            return problem_set(problem, ERR_INPUT, key,
                               "An item has no name, or one of more than 512 bytes.",
                               "Write a text, or an object with an \"id\".");
    }
    return OK;
}

static enum err names_take(struct program *program, const struct json *root, const char *key,
                           enum name_kind kind)
{
    const struct json *list = json_get(root, str_of(key));
    uint32_t           number;
    for (uint32_t i = 0; list != NULL && list->kind == JSON_ARRAY && i < list->count; i++)
        TRY(program_intern(program, kind, item_name(&list->items[i]), &number));
    return OK;
}

static enum err root_read(struct arena *arena, struct str text, struct json *root,
                          struct problem *problem)
{
    TRY(json_parse_once(arena, text, root, problem));
    if (root->kind != JSON_OBJECT)
        return problem_set(problem, ERR_INPUT, "workspace", "A workspace is a JSON object.",
                           "Begin with {\"name\": ...}.");
    TRY(names_check(root, "lists", problem));
    return names_check(root, "topics", problem);
}

/* A code, or nothing where there is none that fits. */
static void code_keep(const struct json *root, const char *key, char *out, size_t room)
{
    struct str value = json_get_str(root, str_of(key));
    out[0] = '\0';
    if (value.len < room)
        str_to_cstr(value, out, room);
}

enum err workspace_define(struct program *program, struct str text, uint32_t version,
                          struct problem *problem)
{
    const struct zone                 *before = program->zone;
    SCOPED(arena_closep) struct arena *scratch = arena_open(PROGRAM_ARENA_BYTES_MAX);
    struct json                        root;
    if (scratch == NULL)
        return ERR_MEMORY;
    TRY(root_read(scratch, text, &root, problem));
    TRY(names_take(program, &root, "lists", NAME_LIST));
    TRY(names_take(program, &root, "topics", NAME_TOPIC));
    code_keep(&root, "language", program->language, sizeof program->language);
    code_keep(&root, "currency", program->currency, sizeof program->currency);
    /* A zone that the system's rules no longer name shall not keep a stored workspace out. */
    program->zone = zone_find(program->zones, json_get_str(&root, STR("timezone")));
    str_to_cstr(json_get_str(&root, STR("name")), program->house.name, sizeof program->house.name);
    str_to_cstr(json_get_str(&root, STR("language")), program->house.language,
                sizeof program->house.language);
    if (program->zone != before)
        program->zone_version = version;
    return OK;
}

enum err workspace_check(const struct program *program, struct str text, struct problem *problem)
{
    SCOPED(arena_closep) struct arena *scratch = arena_open(PROGRAM_ARENA_BYTES_MAX);
    struct json                        root;
    if (scratch == NULL)
        return ERR_MEMORY;
    TRY(root_read(scratch, text, &root, problem));
    const struct json *zone = json_get(&root, STR("timezone"));
    if (zone == NULL || program->zones == NULL ||
        (zone->kind == JSON_STRING && zone_find(program->zones, zone->string) != NULL))
        return OK;
    return problem_set(problem, ERR_INPUT, "timezone", "There is no such time zone.",
                       "Write the name of a place, such as \"Europe/Oslo\", or \"UTC\".");
}
