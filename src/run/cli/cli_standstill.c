/* dult journey pause, resume, stop. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "run/cli/cli_enroll.h"
#include "run/cli/cli_talk.h"

static void state_print(struct talk *talk, const struct json *one)
{
    printf("%s is %s.\n", talk_text(talk, one, "journey"), talk_text(talk, one, "state"));
}

static enum err version_each(void *context, const struct json *version)
{
    *(long long *)context += talk_number(version, "inside");
    return OK;
}

/* Who left is not let in again, so it is said, and asked, first. */
static enum cli_exit stop_ask(struct talk *talk, enum err *err)
{
    long long inside = 0;
    char      answer[8] = "";
    talk_path(talk, "/api/v1/journeys/", talk->cli->words[1], "/versions");
    *err = talk_all(talk, version_each, &inside);
    if (*err != OK || inside == 0 || cli_has(talk->cli, "yes"))
        return CLI_OK;
    fprintf(stderr, "%lld inside leave it at once.\n", inside);
    if (!isatty(STDIN_FILENO))
        return cli_usage(talk->cli, "Nobody is there to ask, so nothing was changed.",
                         "Add --yes, or pause it: then they stay where they are.");
    fprintf(stderr, "Go on? [y/N] ");
    if (fgets(answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y'))
        return CLI_OK;
    fprintf(stderr, "Nothing was changed.\n");
    return CLI_NO;
}

enum cli_exit cli_standstill(struct cli *cli)
{
    struct talk   talk;
    char          end[16];
    enum cli_exit code = CLI_OK;
    if (cli->words_count != 2)
        return cli_usage(cli, "Which journey?", "`dult journey pause|resume|stop NAME`.");
    snprintf(end, sizeof end, "/%.8s", cli->words[0]);
    enum err err = talk_open(&talk, cli, false);
    talk.line = state_print;
    if (err == OK && strcmp(cli->words[0], "stop") == 0)
        code = stop_ask(&talk, &err);
    if (err == OK && code == CLI_OK) {
        talk_path(&talk, "/api/v1/journeys/", cli->words[1], end);
        err = talk_one(&talk, "POST");
    }
    return talk_end(&talk, err, code);
}
