/* Every example of the manual, read with too little memory, by both faces, and compiled. */
#include <stdio.h>

#include "base/buf.h"
#include "base/test.h"
#include "engine/behaviour/dict.h"
#include "engine/segment/segment.h"
#include "engine/segment/segment_program.h"
#include "engine/short_memory_test.h"

enum { BYTES_MAX = 1 << 20 };

/* Everything that is asked for is there, under one number. */
static uint32_t there(const void *owner __attribute__((unused)),
                      struct str  name __attribute__((unused)))
{
    return 1;
}

static enum err compiled(struct arena *arena, const struct segment_node *node,
                         struct segment_names names, uint64_t *told)
{
    struct segment_program program;
    enum err               err = segment_compile(arena, node, &names, &program, NULL);
    *told = short_memory_tell(*told, str_of(err_name(err)));
    return err == ERR_MEMORY ? err : OK;
}

/* Text, to JSON, to text; each face says the same. What is no condition alone is said so. */
static enum err example(struct arena *arena, struct str text, bool is_value,
                        struct segment_names names, uint64_t *told)
{
    SCOPED(buf_donep) struct buf json = buf_make(BYTES_MAX), again = buf_make(BYTES_MAX);
    const struct segment_node   *node, *read;
    struct json                  value;
    TRY(is_value ? segment_parse_value(arena, text, &node, NULL)
                 : segment_parse(arena, text, &node, NULL));
    segment_write_json(&json, node);
    TRY(buf_err(&json));
    TRY(json_parse_once(arena, buf_view(&json), &value, NULL));
    TRY(is_value ? segment_parse_value_json(arena, &value, &read, NULL)
                 : segment_parse_json(arena, &value, &read, NULL));
    segment_write(&again, read);
    TRY(buf_err(&again));
    *told = short_memory_tell(*told, buf_view(&again));
    return compiled(arena, node, names, told);
}

struct manual {
    struct str text, fence;
    bool       is_values;
};

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

static enum err examples(const struct manual *m, struct segment_names names, uint64_t *told)
{
    for (size_t at = 0; (at = str_find(m->text, at, m->fence)) < m->text.len;) {
        size_t     from = at + m->fence.len, to = str_find(m->text, from, STR("\n```"));
        struct str block = str_slice(m->text, from, to), one;
        while (next_example(&block, &one)) {
            SCOPED(arena_closep) struct arena *arena = arena_open(16 << 20);
            if (arena == NULL)
                return ERR_MEMORY;
            TRY(example(arena, one, m->is_values, names, told));
        }
        at = to;
    }
    return OK;
}

static enum err live(const void *context, uint64_t *told)
{
    SCOPED(dict_closep) struct dict *events = dict_open();
    SCOPED(dict_closep) struct dict *properties = dict_open();
    SCOPED(dict_closep) struct dict *traits = dict_open();
    struct segment_names             names = { .events = events,
                                               .properties = properties,
                                               .traits = traits,
                                               .grow = true,
                                               .has_entry = true,
                                               .has_key = true,
                                               .segment = there,
                                               .list = there,
                                               .journey = there,
                                               .topic = there };
    if (events == NULL || properties == NULL || traits == NULL)
        return ERR_MEMORY;
    return examples(context, names, told);
}

TEST(segment_memory, every_example_of_the_manual_is_read_and_compiled_or_memory_was_short)
{
    static char text[BYTES_MAX];
    FILE       *file = fopen(DULT_SOURCE_DIR "/docs/segments.md", "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    struct manual conditions = { { text, len }, STR("```segment\n"), false };
    struct manual values = { { text, len }, STR("```computed\n"), true };
    assert_true(short_memory_everywhere(live, &conditions) > 100);
    assert_true(short_memory_everywhere(live, &values) > 20);
}
