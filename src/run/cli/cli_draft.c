/* dult journey draft: journeys kept beside the published ones, without effect. */
#include <stdio.h>
#include <string.h>

#include "run/cli/cli_enroll.h"
#include "run/cli/cli_talk.h"
#include "run/cli/cli_versions.h"
#include "run/cli/files.h"

enum { DRAFT_BYTES_MAX = 512 << 10 };

static void problem_print(struct talk *talk, const struct json *one)
{
    const struct json *problem = json_get(one, STR("problem"));
    if (problem != NULL)
        printf("As it is it would be refused: %s: %s %s\n", talk_text(talk, problem, "where"),
               talk_text(talk, problem, "what"), talk_text(talk, problem, "remedy"));
}

static void line_print(struct talk *talk, const struct json *one)
{
    printf("%-28s saved %.16s by %s%s%s\n", talk_text(talk, one, "journey"),
           talk_text(talk, one, "saved"), talk_text(talk, one, "author"),
           json_get_bool(one, STR("is_new"), false) ? ", never published" : "",
           json_get_bool(one, STR("published_since"), false)
               ? ", another version was published since"
               : "");
}

static void show_print(struct talk *talk, const struct json *one)
{
    printf("%s", talk_text(talk, one, "text"));
    fflush(stdout);
}

static void put_print(struct talk *talk, const struct json *one)
{
    printf("The draft of %s is saved; nothing else changed.\n", talk_text(talk, one, "journey"));
    problem_print(talk, one);
}

static void delete_print(struct talk *talk, const struct json *one)
{
    printf("The draft of %s is thrown away.\n", talk_text(talk, one, "journey"));
}

static void publish_print(struct talk *talk, const struct json *one)
{
    if (json_get_bool(one, STR("changed"), false))
        printf("%s is published as it was drafted.\n", talk_text(talk, one, "name"));
    else
        printf("Nothing differs: %s is so already. The draft is gone.\n",
               talk_text(talk, one, "name"));
}

static void path_of(struct talk *talk, const char *end)
{
    talk_path(talk, "/api/v1/journeys/", talk->cli->words[2], "/draft");
    buf_str(&talk->path, str_of(end));
}

static void publish_path(struct talk *talk, bool is_dry)
{
    path_of(talk, "/publish");
    talk_query(talk, "inside", cli_value(talk->cli, "inside"));
    talk_query(talk, "dry", is_dry ? "1" : NULL);
}

static enum err put(struct talk *talk)
{
    struct str text;
    TRY(files_read_one(talk->arena, talk->cli->words[3], DRAFT_BYTES_MAX, &text, &talk->problem));
    buf_str(&talk->body, text);
    talk->line = put_print;
    path_of(talk, "");
    return talk_one(talk, "PUT");
}

static enum err show(struct talk *talk)
{
    talk->line = show_print;
    path_of(talk, "");
    return talk_one(talk, "GET");
}

static enum err diff(struct talk *talk)
{
    talk->line = versions_diff_print;
    path_of(talk, "/changes");
    return talk_one(talk, "GET");
}

static enum err throw_away(struct talk *talk)
{
    talk->line = delete_print;
    path_of(talk, "");
    return talk_one(talk, "DELETE");
}

static const struct {
    const char *word;
    enum err (*run)(struct talk *talk);
    int words;
} ACTS[] = {
    { "put", put, 4 }, { "show", show, 3 }, { "diff", diff, 3 }, { "delete", throw_away, 3 }
};

enum cli_exit cli_draft(struct cli *cli)
{
    struct talk talk;
    const char *word = cli->words[1];
    size_t      i = 0, count = sizeof ACTS / sizeof ACTS[0];
    while (i < count && strcmp(word, ACTS[i].word) != 0)
        i++;
    bool is_list = strcmp(word, "list") == 0, is_publish = strcmp(word, "publish") == 0;
    int  words = is_list ? 2 : is_publish || i == count ? 3 : ACTS[i].words;
    if ((!is_list && !is_publish && i == count) || cli->words_count != words)
        return cli_usage(cli, "What is to become of a draft?",
                         "`dult journey draft list`, `put NAME FILE`, or `show|diff|publish|delete "
                         "NAME`.");
    enum err      err = talk_open(&talk, cli, false);
    enum cli_exit code = CLI_OK;
    if (err == OK && is_list) {
        talk.line = line_print;
        err = talk_list(&talk, "/api/v1/drafts");
    } else if (err == OK && is_publish) {
        code = versions_publish(&talk, publish_path, publish_print, &err);
    } else if (err == OK) {
        err = ACTS[i].run(&talk);
    }
    return talk_end(&talk, err, code);
}
