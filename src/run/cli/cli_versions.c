#include "run/cli/cli_versions.h"

#include <stdio.h>
#include <unistd.h>

#include "run/cli/cli_inside.h"

/* ---- history ---- */

static void history_print(struct talk *talk, const struct json *one)
{
    const struct json *items = json_get(one, STR("items"));
    for (uint32_t i = 0; items != NULL && i < items->count; i++) {
        const struct json *row = &items->items[i];
        printf("%4lld  %.16s  %-16s", talk_number(row, "number"), talk_text(talk, row, "changed"),
               talk_text(talk, row, "author"));
        if (json_get(row, STR("deleted")) != NULL)
            printf("  deleted");
        else
            printf("  %lld inside", talk_number(row, "inside"));
        printf("\n");
    }
}

enum cli_exit cli_versions_history(struct cli *cli)
{
    struct talk talk;
    enum err    err = talk_open(&talk, cli, false);
    talk.line = history_print;
    if (err == OK) {
        talk_path(&talk, "/api/v1/journeys/", cli->words[1], "/versions");
        err = talk_one(&talk, "GET");
    }
    return talk_end(&talk, err, CLI_OK);
}

/* ---- diff ---- */

static void side_print(char mark, const struct json *value)
{
    if (value == NULL)
        return;
    printf("  %c ", mark);
    talk_print_json(value);
}

static void changes_print(struct talk *talk, const struct json *list, const char *what,
                          const char *key)
{
    for (uint32_t i = 0; list != NULL && i < list->count; i++) {
        const struct json *one = &list->items[i];
        printf("%-8s %s %s\n", talk_text(talk, one, "change"), what, talk_text(talk, one, key));
        side_print('-', json_get(one, STR("before")));
        side_print('+', json_get(one, STR("after")));
    }
}

void versions_diff_print(struct talk *talk, const struct json *one)
{
    const struct json *rules = json_get(one, STR("rules")), *nodes = json_get(one, STR("nodes"));
    changes_print(talk, rules, "rule", "name");
    changes_print(talk, nodes, "node", "id");
    if (rules != NULL && nodes != NULL && rules->count + nodes->count == 0)
        printf("Nothing differs.\n");
}

enum cli_exit cli_versions_diff(struct cli *cli)
{
    struct talk talk;
    char        end[64];
    if (cli->words_count != 4)
        return cli_usage(cli, "Two versions are compared.",
                         "`dult journey diff NAME 1 2`; `dult journey history NAME` lists them.");
    snprintf(end, sizeof end, "/versions/%.20s/changes", cli->words[3]);
    enum err err = talk_open(&talk, cli, false);
    talk.line = versions_diff_print;
    if (err == OK) {
        talk_path(&talk, "/api/v1/journeys/", cli->words[1], end);
        talk_query(&talk, "from", cli->words[2]);
        err = talk_one(&talk, "GET");
    }
    return talk_end(&talk, err, CLI_OK);
}

/* ---- roll back ---- */

static void rollback_path(struct talk *talk, bool is_dry)
{
    talk_path(talk, "/api/v1/journeys/", talk->cli->words[1], "/rollback");
    talk_query(talk, "to", talk->cli->words[2]);
    talk_query(talk, "inside", cli_value(talk->cli, "inside"));
    talk_query(talk, "dry", is_dry ? "1" : NULL);
}

static void published_print(struct talk *talk, const struct json *one)
{
    struct json changed = { .kind = JSON_NULL };
    if (json_get(one, STR("changed")) != NULL)
        changed = *json_get(one, STR("changed"));
    if (changed.kind == JSON_BOOL && changed.truth)
        printf("%s is as it was in version %s, as a new version.\n", talk_text(talk, one, "name"),
               talk->cli->words[2]);
    else
        printf("Nothing differs: %s is so already.\n", talk_text(talk, one, "name"));
}

/* Who was moved is not moved back, so it is said, and asked, first. */
static enum cli_exit publish_ask(struct talk *talk, versions_path *path, bool moves, enum err *err)
{
    char answer[8] = "";
    path(talk, true);
    *err = talk_ask(talk, "POST");
    if (*err != OK)
        return CLI_OK;
    if (inside_say(&talk->answer, moves, stderr) == 0)
        return CLI_OK;
    fprintf(stderr, "\n");
    if (!moves || cli_has(talk->cli, "yes"))
        return CLI_OK;
    if (!isatty(STDIN_FILENO))
        return cli_usage(talk->cli, "Nobody is there to ask, so nothing was changed.",
                         "Add --yes, or leave --inside away: all finish the old version.");
    fprintf(stderr, "Go on? [y/N] ");
    if (fgets(answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y'))
        return CLI_OK;
    fprintf(stderr, "Nothing was changed.\n");
    return CLI_NO;
}

enum cli_exit versions_publish(struct talk *talk, versions_path *path,
                               void (*line)(struct talk *talk, const struct json *one),
                               enum err *err)
{
    bool          moves = false;
    enum cli_exit code = CLI_OK;
    talk->line = line;
    *err = inside_moves(talk->cli, &moves, &talk->problem);
    if (*err == OK)
        code = publish_ask(talk, path, moves, err);
    if (*err == OK && code == CLI_OK) {
        path(talk, false);
        *err = talk_one(talk, "POST");
    }
    return code;
}

enum cli_exit cli_versions_rollback(struct cli *cli)
{
    struct talk   talk;
    enum cli_exit code = CLI_OK;
    if (cli->words_count != 3)
        return cli_usage(cli, "An older version is named by its number.",
                         "`dult journey rollback NAME 1`; `dult journey history NAME` lists them.");
    enum err err = talk_open(&talk, cli, false);
    if (err == OK)
        code = versions_publish(&talk, rollback_path, published_print, &err);
    return talk_end(&talk, err, code);
}
