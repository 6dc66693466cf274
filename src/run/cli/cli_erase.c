/* dult erase PERSON: says whom, asks, and waits until nothing is left. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "run/cli/cli_talk.h"

enum { LOOK_EACH_MS = 200, ANSWER_BYTES = 16 };

static int64_t number_of(const struct talk *talk, const char *key)
{
    int64_t number = 0;
    (void)json_get_int(&talk->answer, str_of(key), &number);
    return number;
}

static bool is_confirmed(void)
{
    char line[ANSWER_BYTES];
    fprintf(stderr, "This cannot be undone. Erase? [y/N] ");
    return fgets(line, sizeof line, stdin) != NULL && (line[0] == 'y' || line[0] == 'Y');
}

/* CLI_OK: go on. What goes cannot come back, so it is said, and asked, first. */
static enum cli_exit whom_ask(struct talk *talk, const char *person, enum err *err)
{
    struct cli *cli = talk->cli;
    talk_path(talk, "/api/v1/profiles/", person, "?dry=1");
    *err = talk_ask(talk, "DELETE");
    if (*err != OK)
        return CLI_OK;
    int64_t profiles = number_of(talk, "profiles");
    fprintf(stderr, "%s is %s: %lld profile%s, %lld events, %lld messages.\n", person,
            talk_text(talk, &talk->answer, "profile"), (long long)profiles,
            profiles == 1 ? "" : "s", (long long)number_of(talk, "events"),
            (long long)number_of(talk, "messages"));
    if (cli_has(cli, "yes"))
        return CLI_OK;
    if (!isatty(STDIN_FILENO))
        return cli_usage(cli, "Nobody is there to ask, so nobody was erased.", "Add --yes.");
    if (is_confirmed())
        return CLI_OK;
    fprintf(stderr, "Nobody was erased.\n");
    return CLI_NO;
}

static void state_tell(const struct talk *talk, const char *state, const char *waiting)
{
    static const char *const told[][2] = {
        { "rows", "overwriting what is stored" },
        { "index", "making the index anew; at most once a minute" },
        { "files", "cutting the log" },
    };
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        if (strcmp(state, told[i][0]) == 0)
            fprintf(stderr, "%s%s%s%s%s\n", cli_quiet(talk->cli), told[i][1],
                    waiting[0] == '\0' ? "" : ": waiting for ", waiting, cli_plain(talk->cli));
}

static enum err done_wait(struct talk *talk, int64_t erasure)
{
    char number[24], last[16] = "";
    snprintf(number, sizeof number, "%lld", (long long)erasure);
    for (;;) {
        talk_path(talk, "/api/v1/erasures/", number, NULL);
        TRY(talk_ask(talk, "GET"));
        const char *state = talk_text(talk, &talk->answer, "state");
        if (strcmp(state, "done") == 0)
            return OK;
        if (strcmp(state, last) != 0)
            state_tell(talk, state, talk_text(talk, &talk->answer, "waitingFor"));
        snprintf(last, sizeof last, "%s", state);
        nanosleep(&(struct timespec){ .tv_nsec = LOOK_EACH_MS * 1000000L }, NULL);
    }
}

enum cli_exit cli_erase(struct cli *cli)
{
    struct talk   talk;
    enum cli_exit code = CLI_OK;
    enum err      err = talk_open(&talk, cli, false);
    if (err == OK)
        code = whom_ask(&talk, cli->words[0], &err);
    if (err != OK || code != CLI_OK)
        return talk_end(&talk, err, code);
    talk_path(&talk, "/api/v1/profiles/", cli->words[0], NULL);
    err = talk_ask(&talk, "DELETE");
    int64_t erasure = err == OK ? number_of(&talk, "erasure") : 0;
    if (err == OK)
        err = done_wait(&talk, erasure);
    if (err == OK && cli->is_json)
        talk_print_json(&talk.answer);
    else if (err == OK)
        printf("Nothing of %s is left.\n", cli->words[0]);
    return talk_end(&talk, err, CLI_OK);
}
