/* dult preview: a message as one person would get it; nothing is sent. */
#include <stdio.h>
#include <string.h>

#include "run/cli/cli_talk.h"
#include "run/cli/files.h"
#include "run/cli/findings.h"

static enum err body_write(struct talk *talk, const char *text)
{
    const struct cli *cli = talk->cli;
    const char       *event = cli_value(cli, "event");
    bool              first = true;
    buf_char(&talk->body, '{');
    json_write_key(&talk->body, &first, "person");
    json_write_str(&talk->body, str_of(cli_value(cli, "person")));
    if (text != NULL) {
        json_write_key(&talk->body, &first, "text");
        json_write_str(&talk->body, str_of(text));
    }
    if (cli_has(cli, "journey")) {
        json_write_key(&talk->body, &first, "journey");
        json_write_str(&talk->body, str_of(cli_value(cli, "journey")));
    }
    if (event != NULL) {
        json_write_key(&talk->body, &first, "event");
        if (event[0] == '{')
            buf_str(&talk->body, str_of(event));
        else
            json_write_str(&talk->body, str_of(event));
    }
    buf_char(&talk->body, '}');
    return buf_err(&talk->body);
}

static void line(const struct cli *cli, const char *label, const char *text)
{
    if (text[0] != '\0')
        printf("%s%-10s%s %s\n", cli_quiet(cli), label, cli_plain(cli), text);
}

static void gaps_print(struct talk *talk, const char *key, const char *what)
{
    const struct json *list = json_get(&talk->answer, str_of(key));
    for (uint32_t i = 0; list != NULL && i < list->count; i++) {
        int64_t at = 0;
        (void)json_get_int(&list->items[i], STR("line"), &at);
        printf("%s%s%s %s (%s, line %lld)\n", cli_bad(talk->cli), what, cli_plain(talk->cli),
               talk_text(talk, &list->items[i], strcmp(key, "missing") == 0 ? "path" : "what"),
               talk_text(talk, &list->items[i], "part"), (long long)at);
    }
}

static void head_print(struct talk *talk)
{
    const struct json *answer = &talk->answer;
    const struct cli  *cli = talk->cli;
    char               from[800];
    const char        *name = talk_text(talk, answer, "from_name");
    snprintf(from, sizeof from, "%.300s%s<%.300s>", name, name[0] == '\0' ? "" : " ",
             talk_text(talk, answer, "from"));
    line(cli, "to", talk_text(talk, answer, "to"));
    line(cli, "from", from);
    line(cli, "reply to", talk_text(talk, answer, "reply_to"));
    line(cli, "subject", talk_text(talk, answer, "subject"));
    line(cli, "variant", talk_text(talk, answer, "variant"));
    line(cli, "because", talk_text(talk, answer, "variant_why"));
    line(cli, "journey", talk_text(talk, answer, "journey"));
}

static enum cli_exit preview_print(struct talk *talk)
{
    const struct json *missing = json_get(&talk->answer, STR("missing"));
    const struct json *faults = json_get(&talk->answer, STR("faults"));
    const char        *held = talk_text(talk, &talk->answer, "held");
    bool               is_held = held[0] != '\0' || (missing != NULL && missing->count > 0) ||
                   (faults != NULL && faults->count > 0);
    if (talk->cli->is_json)
        talk_print_json(&talk->answer);
    else if (cli_has(talk->cli, "html"))
        printf("%s\n", talk_text(talk, &talk->answer, "html"));
    else {
        struct findings findings = { .cli = talk->cli, .has_notes = false };
        head_print(talk);
        printf("\n%s\n\n", talk_text(talk, &talk->answer, "text"));
        gaps_print(talk, "missing", "missing");
        gaps_print(talk, "faults", "wrong");
        if (held[0] != '\0')
            printf("%sheld back%s %s\n", cli_bad(talk->cli), cli_plain(talk->cli), held);
        fflush(stdout);
        findings_take(&findings, str_of(talk->cli->words[0]), &talk->answer);
    }
    return is_held ? CLI_NO : CLI_OK;
}

/* "templates/welcome.nb.email" is the text of "welcome.nb". */
static struct str name_of(struct arena *arena, const char *word)
{
    struct str path = str_of(word);
    size_t     cut = path.len;
    while (cut > 0 && path.ptr[cut - 1] != '/')
        cut--;
    return str_copy(arena, str_slice(path, cut, path.len - strlen(".email")));
}

enum cli_exit cli_preview(struct cli *cli)
{
    struct talk   talk;
    const char   *name = cli->words[0], *text = NULL;
    enum cli_exit code = CLI_OK;
    if (!cli_has(cli, "person"))
        return cli_usage(cli, "For whom?", "Name one of your people: --person USERID.");
    enum err err = talk_open(&talk, cli, false);
    if (err == OK && str_ends(str_of(name), STR(".email"))) {
        struct str read = STR_NONE;
        err = files_read_one(talk.arena, name, FILE_BYTES_MAX, &read, &talk.problem);
        text = read.ptr;
        name = name_of(talk.arena, name).ptr;
    }
    if (err == OK)
        err = body_write(&talk, text);
    if (err == OK) {
        talk_path(&talk, "/api/v1/templates/", name, "/preview");
        err = talk_ask(&talk, "POST");
    }
    if (err == OK)
        code = preview_print(&talk);
    return talk_end(&talk, err, code);
}
