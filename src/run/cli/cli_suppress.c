/* dult suppress: addresses that nothing is sent to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/cli/cli_talk.h"

enum { LINES_DEFAULT = 100 };

static void line_print(struct talk *talk, const struct json *one)
{
    printf("%-40s %-10s %s  %s\n", talk_text(talk, one, "address"), talk_text(talk, one, "reason"),
           talk_text(talk, one, "since"), talk_text(talk, one, "said"));
}

struct listing {
    struct talk *talk;
    uint32_t     left;
};

static enum err item(void *context, const struct json *one)
{
    struct listing *listing = context;
    if (listing->left-- == 0)
        return ERR_LIMIT; /* enough was asked for */
    if (listing->talk->cli->is_json)
        talk_print_json(one);
    else
        line_print(listing->talk, one);
    return OK;
}

static enum err list(struct talk *talk)
{
    const char    *limit = cli_value(talk->cli, "limit");
    struct listing listing = { talk,
                               limit == NULL ? LINES_DEFAULT : (uint32_t)strtoul(limit, NULL, 10) };
    talk_path(talk, "/api/v1/suppressions", NULL, NULL);
    talk_query(talk, "reason", cli_value(talk->cli, "reason"));
    enum err err = talk_all(talk, item, &listing);
    return err == ERR_LIMIT ? OK : err;
}

static enum err show(struct talk *talk, const char *address)
{
    talk_path(talk, "/api/v1/suppressions/", address, NULL);
    TRY(talk_ask(talk, "GET"));
    if (talk->cli->is_json)
        talk_print_json(&talk->answer);
    else
        line_print(talk, &talk->answer);
    return OK;
}

static enum err add(struct talk *talk, const char *address)
{
    const char *why = cli_value(talk->cli, "why");
    talk_path(talk, "/api/v1/suppressions", NULL, NULL);
    buf_str(&talk->body, STR("{\"address\":"));
    json_write_str(&talk->body, str_of(address));
    if (why != NULL) {
        buf_str(&talk->body, STR(",\"reason\":"));
        json_write_str(&talk->body, str_of(why));
    }
    buf_char(&talk->body, '}');
    TRY(talk_ask(talk, "POST"));
    if (talk->cli->is_json)
        talk_print_json(&talk->answer);
    else
        printf("%s is suppressed\n", talk_text(talk, &talk->answer, "address"));
    return OK;
}

static enum err lift(struct talk *talk, const char *address)
{
    talk_path(talk, "/api/v1/suppressions/", address, NULL);
    talk_query(talk, "reason", cli_value(talk->cli, "why"));
    TRY(talk_ask(talk, "DELETE"));
    if (talk->cli->is_json)
        talk_print_json(&talk->answer);
    else
        printf("%s may be sent to again (it was: %s)\n", talk_text(talk, &talk->answer, "address"),
               talk_text(talk, &talk->answer, "lifted"));
    return OK;
}

typedef enum err one_address(struct talk *talk, const char *address);

static one_address *one_of(const char *word)
{
    static const struct {
        const char  *word;
        one_address *run;
    } words[] = { { "show", show }, { "add", add }, { "lift", lift } };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(word, words[i].word) == 0)
            return words[i].run;
    return NULL;
}

enum cli_exit cli_suppress(struct cli *cli)
{
    struct talk talk;
    bool        lists =
        cli->words_count == 0 || (cli->words_count == 1 && strcmp(cli->words[0], "list") == 0);
    one_address *run = lists ? NULL : one_of(cli->words[0]);
    if (!lists && (run == NULL || cli->words_count < 2))
        return cli_usage(cli, "Addresses are listed, shown, added or lifted.",
                         "`dult help suppress` shows how.");
    enum err err = talk_open(&talk, cli, false);
    if (err == OK && lists)
        err = list(&talk);
    for (int i = 1; err == OK && i < cli->words_count && !lists; i++)
        err = run(&talk, cli->words[i]);
    return talk_end(&talk, err, CLI_OK);
}
