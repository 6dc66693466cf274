#include "intake/arrival.h"

#include <assert.h>

static const char *const kind_names[ARRIVAL_KINDS] = {
    [ARRIVAL_TRACK] = "track",   [ARRIVAL_IDENTIFY] = "identify", [ARRIVAL_PAGE] = "page",
    [ARRIVAL_SCREEN] = "screen", [ARRIVAL_GROUP] = "group",       [ARRIVAL_ALIAS] = "alias",
};

struct str arrival_kind_name(enum arrival_kind kind)
{
    assert((unsigned)kind < ARRIVAL_KINDS);
    return str_of(kind_names[kind]);
}

enum err arrival_kind_parse(struct str name, enum arrival_kind *out)
{
    for (int kind = 0; kind < ARRIVAL_KINDS; kind++)
        if (str_eq(name, str_of(kind_names[kind]))) {
            *out = (enum arrival_kind)kind;
            return OK;
        }
    return ERR_ABSENT;
}

static const struct json *object_or_empty(const struct json *body, struct str key)
{
    static const struct json empty = { .kind = JSON_OBJECT };
    const struct json       *value = json_get(body, key);
    return value != NULL && value->kind == JSON_OBJECT ? value : &empty;
}

enum err arrival_body_read(struct arrival *record, struct json_parser *parser, struct arena *arena)
{
    struct json *body = ARENA_NEW(arena, struct json);
    if (body == NULL)
        return ERR_MEMORY;
    enum err err = json_parse(parser, arena, record->body, body, NULL);
    if (err == ERR_MEMORY)
        return err;
    if (err != OK || body->kind != JSON_OBJECT)
        return ERR_CORRUPT;

    record->properties = object_or_empty(body, STR("properties"));
    record->traits = object_or_empty(body, STR("traits"));
    record->context = object_or_empty(body, STR("context"));
    return OK;
}
