/* dult send: one message, or a test of one. */
#include <stdio.h>
#include <string.h>

#include "run/cli/cli_talk.h"
#include "run/cli/files.h"

enum { EVENT_FILE_BYTES_MAX = 256 << 10 };

static void member(struct talk *talk, bool *first, const char *key, const char *value)
{
    if (value == NULL)
        return;
    json_write_key(&talk->body, first, key);
    json_write_str(&talk->body, str_of(value));
}

static enum err event_put(struct talk *talk, bool *first, const char *path)
{
    struct str  text;
    struct json event;
    if (path == NULL)
        return OK;
    TRY(files_read_one(talk->arena, path, EVENT_FILE_BYTES_MAX, &text, &talk->problem));
    TRY(json_parse_once(talk->arena, text, &event, &talk->problem));
    json_write_key(&talk->body, first, "data");
    json_write(&talk->body, &event);
    return OK;
}

static enum err ask(struct talk *talk, bool is_test)
{
    const struct cli *cli = talk->cli;
    const char *template = cli_value(cli, "template");
    bool first = true;
    if (is_test)
        talk_path(talk, "/api/v1/templates/", template, "/test");
    else
        talk_path(talk, "/api/v1/messages", NULL, NULL);
    buf_char(&talk->body, '{');
    if (!is_test) {
        member(talk, &first, "template", template);
        member(talk, &first, "key", cli_value(cli, "key"));
    }
    member(talk, &first, "to", cli_value(cli, "to"));
    member(talk, &first, "person", cli_value(cli, "person"));
    TRY(event_put(talk, &first, cli_value(cli, "event")));
    buf_char(&talk->body, '}');
    return talk_ask(talk, "POST");
}

static void answer_print(struct talk *talk, bool is_test)
{
    int64_t id;
    if (talk->cli->is_json)
        talk_print_json(&talk->answer);
    else if (is_test)
        printf("%s: %s\n", talk_text(talk, &talk->answer, "result"),
               talk_text(talk, &talk->answer, "said"));
    else if (json_get_int(&talk->answer, STR("id"), &id))
        printf("message %lld is queued\n", (long long)id);
}

enum cli_exit cli_send(struct cli *cli)
{
    struct talk talk;
    bool        is_test = cli_has(cli, "test");
    if (cli_value(cli, "template") == NULL)
        return cli_usage(cli, "Which template is to be sent?", "Give --template NAME.");
    enum err err = talk_open(&talk, cli, false);
    if (err == OK)
        err = ask(&talk, is_test);
    if (err == OK)
        answer_print(&talk, is_test);
    bool is_sent =
        err == OK && (!is_test || strcmp(talk_text(&talk, &talk.answer, "result"), "sent") == 0);
    return talk_end(&talk, err, is_sent ? CLI_OK : CLI_NO);
}
