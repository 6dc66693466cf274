#include "run/cli/cli_inside.h"

#include <string.h>

enum { NODES_SHOWN = 8 };

enum err inside_moves(const struct cli *cli, bool *moves, struct problem *problem)
{
    const char *word = cli_value(cli, "inside");
    *moves = word != NULL && (strcmp(word, "move") == 0 || strcmp(word, "backfill") == 0);
    if (word == NULL || *moves || strcmp(word, "finish") == 0)
        return OK;
    return problem_format(problem, ERR_INPUT, "--inside",
                          "Say --inside finish (the version they came in by), --inside move or "
                          "--inside backfill.",
                          "\"%.40s\" is nothing that those inside a journey could do.", word);
}

int64_t inside_say(const struct json *answer, bool moves, FILE *out)
{
    const struct json *inside = json_get(answer, STR("inside"));
    const struct json *nodes = json_get(inside, STR("nodes"));
    int64_t            people = 0, moved = 0;
    if (!json_get_int(inside, STR("people"), &people) || people == 0 ||
        !json_get_int(inside, STR("moves"), &moved))
        return 0;
    fprintf(out, "%lld inside", (long long)people);
    for (uint32_t i = 0; nodes != NULL && i < nodes->count && i < NODES_SHOWN; i++) {
        struct str id = json_get_str(&nodes->items[i], STR("id"));
        int64_t    here = 0;
        (void)json_get_int(&nodes->items[i], STR("people"), &here);
        fprintf(out, "%s %lld at %.*s", i == 0 ? ":" : ",", (long long)here, STR_ARG(id));
    }
    if (nodes != NULL && nodes->count > NODES_SHOWN)
        fprintf(out, ", ...");
    if (moves)
        fprintf(out, "; %lld go on by the new version, %lld finish the old", (long long)moved,
                (long long)(people - moved));
    else
        fprintf(out, "; all finish the old version (--inside move: %lld would go on by the new)",
                (long long)moved);
    int64_t filled = 0;
    if (!json_get_int(inside, STR("filled"), &filled) || filled == 0)
        return people;
    const struct json *fills = json_get(inside, STR("fills"));
    fprintf(out, "; %lld are past what is new (--inside backfill gives it to them)",
            (long long)filled);
    for (uint32_t i = 0; fills != NULL && i < fills->count && i < NODES_SHOWN; i++) {
        struct str id = json_get_str(&fills->items[i], STR("id"));
        int64_t    here = 0;
        (void)json_get_int(&fills->items[i], STR("people"), &here);
        fprintf(out, "%s %lld %.*s", i == 0 ? ":" : ",", (long long)here, STR_ARG(id));
    }
    return people;
}
