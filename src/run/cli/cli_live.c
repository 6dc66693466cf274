/* dult live: may this folder's mail reach people? */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "run/cli/cli_talk.h"

static int64_t number(const struct json *answer, const char *key)
{
    int64_t value = 0;
    return json_get_int(answer, str_of(key), &value) ? value : 0;
}

static void counts_print(struct talk *talk, bool is_live)
{
    const struct json *answer = &talk->answer;
    printf("  %" PRId64 " messages are queued%s\n", number(answer, "queued"),
           is_live ? "" : "; live, they go out at once");
    printf("  %" PRId64 " people could be written to by e-mail\n", number(answer, "reachable"));
    if (number(answer, "kept") > 0)
        printf("  %" PRId64 " messages of the trial lie in %s; they are not sent later\n",
               number(answer, "kept"), talk_text(talk, answer, "outbox"));
}

static void answer_print(struct talk *talk)
{
    const char *state = talk_text(talk, &talk->answer, "state");
    bool        is_live = strcmp(state, "live") == 0;
    if (is_live)
        printf("live: mail goes to people\n");
    else if (strcmp(state, "copy") == 0)
        printf("a copy: nothing is sent, for another folder went live and may have sent what is "
               "queued here\n");
    else
        printf("on trial: mail goes to the allow list, the rest to the outbox\n");
    counts_print(talk, is_live);
    if (!is_live)
        printf("`dult live --yes` goes live.%s\n",
               strcmp(state, "copy") == 0 ? " `dult live off` makes it a trial." : "");
}

static void body_write(struct talk *talk, bool off)
{
    buf_str(&talk->body,
            off ? STR("{\"state\":\"trial\"}") : STR("{\"state\":\"live\",\"sure\":true}"));
}

enum cli_exit cli_live(struct cli *cli)
{
    struct talk talk;
    bool        off = cli->words_count == 1 && strcmp(cli->words[0], "off") == 0;
    bool        yes = cli_has(cli, "yes");
    if ((cli->words_count == 1 && !off) || (off && yes))
        return cli_usage(cli, "It is shown, switched on (--yes) or off.",
                         "`dult help live` shows how.");
    enum err err = talk_open(&talk, cli, true);
    if (err == OK) {
        talk_path(&talk, "/api/v1/live", NULL, NULL);
        if (off || yes)
            body_write(&talk, off);
        err = talk_ask(&talk, off || yes ? "POST" : "GET");
    }
    if (err == OK && cli->is_json)
        talk_print_json(&talk.answer);
    else if (err == OK)
        answer_print(&talk);
    bool is_live = err == OK && strcmp(talk_text(&talk, &talk.answer, "state"), "live") == 0;
    return talk_end(&talk, err, is_live || off ? CLI_OK : CLI_NO);
}
