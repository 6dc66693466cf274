/* Any journey either has no sequence, is refused with a place and a remedy, or has nodes after
 * that. */
#include <stdlib.h>

#include "base/arena.h"
#include "engine/journey/sequence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 22);
    struct sequence_map                map;
    struct problem                     problem = { .where = "" };
    struct json                        journey;
    must(arena != NULL);
    if (json_parse_once(arena, (struct str){ (const char *)data, size }, &journey, NULL) != OK)
        return 0;
    bool     is_sequence = json_get(&journey, STR("sequence")) != NULL;
    enum err err = sequence_expand(arena, &journey, &map, &problem);
    must(err != ERR_INPUT || (problem.where[0] != '\0' && problem.remedy[0] != '\0'));
    if (err != OK)
        return 0;
    const struct json *nodes = json_get(&journey, STR("nodes"));
    must(is_sequence == (map.count > 0));
    must(!is_sequence || (nodes != NULL && nodes->kind == JSON_ARRAY && nodes->count == map.count &&
                          json_get(&journey, STR("sequence")) == NULL));
    for (uint32_t i = 0; i < map.count; i++)
        must(json_get_str(&nodes->items[i], STR("id")).len > 0);
    return 0;
}
