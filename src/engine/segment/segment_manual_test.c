/* The manual cannot lie: what docs/segments.md shows is what the parser reads. */
#include <stdio.h>

#include "base/test.h"
#include "engine/segment/segment.h"

enum { ARENA_BYTES = 16 << 20, MANUAL_BYTES_MAX = 1 << 20 };

static struct str manual(struct arena *arena)
{
    char *text = arena_alloc(arena, MANUAL_BYTES_MAX);
    FILE *file = fopen(DULT_SOURCE_DIR "/docs/segments.md", "r");
    assert_non_null(text);
    assert_non_null(file);
    size_t len = fread(text, 1, MANUAL_BYTES_MAX, file);
    fclose(file);
    assert_true(len < MANUAL_BYTES_MAX);
    return (struct str){ text, len };
}

/* A line, and those after it that begin with a space. */
static bool next_example(struct str *block, struct str *out)
{
    struct str line;
    if (!str_split(block, '\n', &line))
        return false;
    *out = line;
    while (str_starts(*block, STR(" ")) && str_split(block, '\n', &line))
        out->len = (size_t)(line.ptr + line.len - out->ptr);
    return true;
}

static bool is_read(struct arena *arena, struct str example, bool computed)
{
    const struct segment_node *node;
    struct problem             problem = { .where = "" };
    enum err                   err = computed ? segment_parse_value(arena, example, &node, &problem)
                                              : segment_parse(arena, example, &node, &problem);
    if (err != OK)
        print_error("%.*s\n  %s: %s. %s\n", STR_ARG(example), problem.where, problem.what,
                    problem.remedy);
    return err == OK;
}

/* The examples of all blocks that begin with the fence. */
static int examples(struct arena *arena, struct str text, struct str fence, bool computed)
{
    int    count = 0, refused = 0;
    size_t at = 0;
    for (;;) {
        struct str example;
        at = str_find(text, at, fence);
        if (at >= text.len)
            break;
        size_t     from = at + fence.len, to = str_find(text, from, STR("\n```"));
        struct str block = str_slice(text, from, to);
        while (next_example(&block, &example)) {
            refused += !is_read(arena, example, computed);
            count++;
        }
        at = to;
    }
    assert_int_equal(refused, 0);
    return count;
}

TEST(segment_manual, every_example_is_a_condition_or_a_computed_trait)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(ARENA_BYTES);
    struct str                         text = manual(arena);
    assert_true(examples(arena, text, STR("```segment\n"), false) > 100);
    assert_true(examples(arena, text, STR("```computed\n"), true) > 5);
}
