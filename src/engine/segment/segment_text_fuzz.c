/*
 * Any bytes taken as a condition in text are refused with a place and a remedy, or are a tree that
 * comes back, equal, from its own text and from its own JSON, whose text is then the same.
 */
#include <stdlib.h>

#include "engine/segment/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 64 << 20, OUT_BYTES = 8 << 20 };

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void round_trip(struct arena *arena, const struct segment_node *node)
{
    SCOPED(buf_donep)
    struct buf text = buf_make(OUT_BYTES), json = buf_make(OUT_BYTES), again = buf_make(OUT_BYTES);
    const struct segment_node *from_text, *from_json;
    struct json                value;

    segment_write(&text, node);
    must(segment_parse(arena, buf_view(&text), &from_text, NULL) == OK);
    must(segment_eq(node, from_text));
    segment_write(&again, from_text);
    must(str_eq(buf_view(&text), buf_view(&again)));
    segment_write_json(&json, node);
    must(json_parse_once(arena, buf_view(&json), &value, NULL) == OK);
    must(segment_parse_json(arena, &value, &from_json, NULL) == OK);
    must(segment_eq(node, from_json));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(ARENA_BYTES);
    const struct segment_node         *node;
    struct problem                     problem = { 0 };
    enum err err = segment_parse(arena, (struct str){ (const char *)data, size }, &node, &problem);

    if (err == OK)
        round_trip(arena, node);
    else
        must(problem.where[0] != 0 && problem.what[0] != 0 && problem.remedy[0] != 0);
    return 0;
}
