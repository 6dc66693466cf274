/* dult files: what mails hand out. */
#include <stdio.h>
#include <string.h>

#include "run/cli/cli_talk.h"
#include "run/cli/files.h"

static void line_print(struct talk *talk, const struct json *one)
{
    printf("%-24s %-32s %12lld bytes  %lld days", talk_text(talk, one, "name"),
           talk_text(talk, one, "filename"), talk_number(one, "bytes"), talk_number(one, "days"));
    if (talk_number(one, "downloads") > 0)
        printf("  %lld downloads", talk_number(one, "downloads"));
    printf("\n");
}

static enum err put(struct talk *talk, const char *name, const char *path)
{
    const struct cli *cli = talk->cli;
    struct str        bytes;
    const char       *filename = cli_value(cli, "filename"), *slash = strrchr(path, '/');
    talk_path(talk, "/api/v1/files/", name, NULL);
    talk_query(talk, "filename", filename != NULL ? filename : slash != NULL ? slash + 1 : path);
    talk_query(talk, "type", cli_value(cli, "type"));
    talk_query(talk, "days", cli_value(cli, "days"));
    talk_query(talk, "downloads", cli_value(cli, "downloads"));
    TRY(files_map(path, &bytes, &talk->problem));
    enum err err = client_json(talk->reach.client, talk->arena, "PUT", buf_view(&talk->path), bytes,
                               &talk->answer, &talk->problem);
    files_unmap(bytes);
    return err == OK ? talk_item(talk, &talk->answer) : err;
}

/* What is kept of it is the text of its definition. */
static enum err show(struct talk *talk, const char *name)
{
    struct json text;
    talk_path(talk, "/api/v1/files/", name, NULL);
    TRY(talk_ask(talk, "GET"));
    if (talk->cli->is_json) {
        talk_print_json(&talk->answer);
        return OK;
    }
    TRY(json_parse_once(talk->arena, json_get_str(&talk->answer, STR("text")), &text,
                        &talk->problem));
    printf("%s  changed %s by %s\n", name, talk_text(talk, &talk->answer, "changed"),
           talk_text(talk, &talk->answer, "author"));
    talk_print_json(&text);
    return OK;
}

static enum err drop(struct talk *talk, const char *name)
{
    talk_path(talk, "/api/v1/files/", name, NULL);
    TRY(talk_ask(talk, "DELETE"));
    if (talk->cli->is_json)
        talk_print_json(&talk->answer);
    else
        printf("%s is deleted\n", name);
    return OK;
}

enum cli_exit cli_files(struct cli *cli)
{
    struct talk talk;
    const char *word = cli->words_count == 0 ? "list" : cli->words[0];
    bool        lists = strcmp(word, "list") == 0 && cli->words_count <= 1;
    bool        puts_ = strcmp(word, "put") == 0 && cli->words_count == 3;
    bool        shows = strcmp(word, "show") == 0 && cli->words_count == 2;
    bool        deletes = strcmp(word, "delete") == 0 && cli->words_count == 2;
    if (!lists && !puts_ && !shows && !deletes)
        return cli_usage(cli, "Files are listed, put, shown or deleted.",
                         "`dult help files` shows how.");
    enum err err = talk_open(&talk, cli, true);
    talk.line = line_print;
    if (err == OK)
        err = lists   ? talk_list(&talk, "/api/v1/files")
              : puts_ ? put(&talk, cli->words[1], cli->words[2])
              : shows ? show(&talk, cli->words[1])
                      : drop(&talk, cli->words[1]);
    return talk_end(&talk, err, CLI_OK);
}
