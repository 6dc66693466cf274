/* dult segment convert, schema: the two forms of a condition, without a server. */
#include <string.h>

#include "base/arena.h"
#include "engine/segment/segment.h"
#include "run/cli/cli.h"

enum { CONDITION_BYTES_MAX = 1 << 20, CONVERT_ARENA_BYTES = 64 << 20, OUT_BYTES = 8 << 20 };

enum cli_exit cli_segment_schema(void)
{
    printf("%.*s", STR_ARG(segment_schema()));
    return CLI_OK;
}

static enum err given(struct arena *arena, const char *word, struct str *out,
                      struct problem *problem)
{
    if (strcmp(word, "-") != 0) {
        *out = str_of(word);
        return OK;
    }
    char *text = arena_alloc(arena, CONDITION_BYTES_MAX);
    if (text == NULL)
        return ERR_MEMORY;
    size_t len = fread(text, 1, CONDITION_BYTES_MAX, stdin);
    if (ferror(stdin))
        return problem_set(problem, ERR_IO, "standard input", "It could not be read.",
                           "Give the condition in quotes.");
    if (len == CONDITION_BYTES_MAX)
        return problem_set(problem, ERR_LIMIT, "standard input", "It is longer than a condition.",
                           "Give one condition.");
    *out = (struct str){ text, len };
    return OK;
}

static enum err parse(struct arena *arena, struct str text, bool computed,
                      const struct segment_node **out, struct problem *problem)
{
    struct json json;
    if (!str_starts(str_trim(text), STR("{")))
        return computed ? segment_parse_value(arena, text, out, problem)
                        : segment_parse(arena, text, out, problem);
    TRY(json_parse_once(arena, text, &json, problem));
    return computed ? segment_parse_value_json(arena, &json, out, problem)
                    : segment_parse_json(arena, &json, out, problem);
}

/* The form asked for, else the other one. False when it is neither. */
static bool wants_json(const struct cli *cli, struct str text, bool *out)
{
    const char *to = cli_value(cli, "to");
    *out = to == NULL ? cli->is_json || !str_starts(str_trim(text), STR("{"))
                      : strcmp(to, "json") == 0;
    return to == NULL || *out || strcmp(to, "text") == 0;
}

enum cli_exit cli_segment_convert(const struct cli *cli)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(CONVERT_ARENA_BYTES);
    SCOPED(buf_donep) struct buf       out = buf_make(OUT_BYTES);
    struct problem                     problem = { .where = "" };
    const struct segment_node         *node;
    struct str                         text = STR_NONE;
    bool                               json = false;

    if (cli->words_count < 2)
        return cli_usage(cli, "Which condition is to be converted?",
                         "Give one condition in quotes, or - for standard input.");
    if (arena == NULL)
        return CLI_IO;
    enum err err = given(arena, cli->words[1], &text, &problem);
    if (err == OK && !wants_json(cli, text, &json))
        return cli_usage(cli, "A condition is converted to text or json.",
                         "Write --to text, or --to json.");
    if (err == OK)
        err = parse(arena, text, cli_has(cli, "computed"), &node, &problem);
    if (err != OK)
        return cli_fail(cli, err, &problem);
    if (json)
        segment_write_json(&out, node);
    else
        segment_write(&out, node);
    printf("%.*s\n", STR_ARG(buf_view(&out)));
    return CLI_OK;
}
