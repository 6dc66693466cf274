/*
 * trees: conditions for test/segment_schema_test.mjs, a line of JSON each.
 *
 *     trees make SEED COUNT     random conditions; half of them wild, half tame
 *     trees values SEED COUNT   random computed traits
 *     trees read                for each line: "ok" and its canonical JSON, or "no" and why not
 *     trees read-values
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "engine/segment/segment_random_test.h"

enum { ARENA_BYTES = 64 << 20, OUT_BYTES = 8 << 20 };

static void make(struct arena *arena, uint64_t seed, uint64_t count, bool values)
{
    for (uint64_t i = 0; i < count; i++) {
        SCOPED(buf_donep) struct buf out = buf_make(OUT_BYTES);
        struct dice                  dice = { .state = hash_u64(i, seed), .more = DICE_ALL };
        dice.arena = arena;
        dice.wild = i % 2 == 0;
        segment_write_json(&out, values ? dice_value(&dice, 2) : dice_condition(&dice, 3));
        printf("%.*s\n", STR_ARG(buf_view(&out)));
        arena_reset(arena);
    }
}

static void read_line(struct arena *arena, struct str line, bool values)
{
    SCOPED(buf_donep) struct buf out = buf_make(OUT_BYTES);
    const struct segment_node   *node;
    struct problem               problem = { .where = "" };
    struct json                  json;
    enum err                     err = json_parse_once(arena, line, &json, &problem);
    if (err == OK)
        err = values ? segment_parse_value_json(arena, &json, &node, &problem)
                     : segment_parse_json(arena, &json, &node, &problem);
    if (err == OK) {
        segment_write_json(&out, node);
        printf("ok %.*s\n", STR_ARG(buf_view(&out)));
    } else {
        printf("no %s: %s\n", problem.where, problem.what);
    }
}

int main(int argc, char **argv)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(ARENA_BYTES);
    char                              *line = NULL;
    size_t                             room = 0;
    ssize_t                            len;
    if (argc == 4) {
        make(arena, strtoull(argv[2], NULL, 0), strtoull(argv[3], NULL, 0),
             strcmp(argv[1], "values") == 0);
        return 0;
    }
    if (argc != 2)
        return 2;
    while ((len = getline(&line, &room, stdin)) > 0) {
        read_line(arena, (struct str){ line, (size_t)len }, strcmp(argv[1], "read-values") == 0);
        arena_reset(arena);
    }
    free(line);
    return 0;
}
