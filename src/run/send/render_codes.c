#include "run/send/render_codes.h"

static enum err code_read(struct store_reader *reader, struct arena *arena,
                          const struct json *claimed, struct str *out)
{
    int64_t           pool, number;
    struct store_code row;
    if (!json_get_int(claimed, STR("pool"), &pool) ||
        !json_get_int(claimed, STR("number"), &number))
        return ERR_CORRUPT;
    enum err err =
        store_code_get(reader, arena, store_code_key((uint32_t)pool, (uint32_t)number), &row);
    TRY(err == ERR_ABSENT ? ERR_CORRUPT : err);
    *out = row.text;
    return OK;
}

static enum err code_see(struct store_reader *reader, struct arena *arena,
                         const struct json *claimed, struct json *out)
{
    const struct json  *expires = json_get(claimed, STR("expires_at"));
    const struct json  *example = json_get(claimed, STR("example"));
    struct str          code = json_get_str(claimed, STR("code"));
    struct json_member *members = ARENA_ARRAY(arena, 3, struct json_member);
    if (members == NULL)
        return ERR_MEMORY;
    if (code.len == 0)
        TRY(code_read(reader, arena, claimed, &code));
    *out = (struct json){ .kind = JSON_OBJECT, .count = 1, .members = members };
    members[0] = (struct json_member){ STR("code"), { .kind = JSON_STRING, .string = code } };
    if (expires != NULL)
        members[out->count++] = (struct json_member){ STR("expires_at"), *expires };
    if (example != NULL)
        members[out->count++] = (struct json_member){ STR("example"), *example };
    return OK;
}

enum err render_codes(struct store_reader *reader, struct arena *arena, const struct json *claimed,
                      struct json *out)
{
    uint32_t            count = claimed == NULL ? 0 : claimed->count;
    struct json_member *members = ARENA_ARRAY(arena, count, struct json_member);
    if (members == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        members[i].key = claimed->members[i].key;
        TRY(code_see(reader, arena, &claimed->members[i].value, &members[i].value));
    }
    *out = (struct json){ .kind = JSON_OBJECT, .count = count, .members = members };
    return OK;
}
