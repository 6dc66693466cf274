/* dult retention show, set: how long events are kept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/cli/cli_talk.h"

enum { TEXT_BYTES_MAX = 1 << 20 };

static long long number(const struct json *object, const char *key)
{
    int64_t value = 0;
    (void)json_get_int(object, str_of(key), &value);
    return (long long)value;
}

/* ---- showing ---- */

static void kept_print(struct talk *talk, const struct json *kept)
{
    const struct json *by_event = json_get(kept, STR("by_event"));
    const char        *from = talk_text(talk, kept, "events");
    printf("events are kept %s%s\n", from[0] == '\0' ? "for ever" : "from ", from);
    for (uint32_t i = 0; by_event != NULL && i < by_event->count; i++) {
        const struct json *one = &by_event->items[i];
        from = talk_text(talk, one, "from");
        printf("  %-30s %s%s\n", talk_text(talk, one, "event"),
               from[0] == '\0' ? "for ever" : "from ", from);
    }
}

static void state_print(struct talk *talk)
{
    const struct json *stored = json_get(&talk->answer, STR("stored"));
    const char        *state = talk_text(talk, &talk->answer, "state");
    const char        *text = talk_text(talk, &talk->answer, "text");
    if (text[0] != '\0')
        printf("%s\n", text);
    kept_print(talk, json_get(&talk->answer, STR("kept_from")));
    if (strcmp(state, "waiting") == 0)
        printf("what is older goes with the next index\n");
    if (strcmp(state, "asking") == 0)
        printf("segments are being asked anew\n");
    if (strcmp(state, "removing") == 0)
        printf("stored records: %lld of %lld looked at\n", number(stored, "looked_at"),
               number(stored, "of"));
    printf("%lld stored events removed; %lld came since the start that were older\n",
           number(stored, "removed"), number(&talk->answer, "older_events"));
}

static enum err show(struct talk *talk)
{
    talk_path(talk, "/api/v1/retention", NULL, NULL);
    TRY(talk_ask(talk, "GET"));
    if (talk->cli->is_json)
        talk_print_json(&talk->answer);
    else
        state_print(talk);
    return OK;
}

/* ---- setting ---- */

static enum err file_read(FILE *file, struct buf *out)
{
    char   bytes[4096];
    size_t count;
    while ((count = fread(bytes, 1, sizeof bytes, file)) > 0)
        buf_str(out, (struct str){ bytes, count });
    return ferror(file) ? ERR_IO : buf_err(out);
}

/* A file's text, or a length for all events. */
static enum err text_read(struct talk *talk, const char *word, struct buf *out)
{
    bool  is_input = strcmp(word, "-") == 0;
    FILE *file = is_input ? stdin : fopen(word, "re");
    if (file == NULL) {
        buf_str(out, STR("{\"events\":"));
        json_write_str(out, str_of(word));
        buf_char(out, '}');
        return buf_err(out);
    }
    enum err err = file_read(file, out);
    if (!is_input)
        fclose(file);
    return err == OK ? OK
                     : problem_format(&talk->problem, err, word, "Look at the file.",
                                      "It could not be read, or is larger than 1 MB.");
}

static enum err put(struct talk *talk, struct str text, bool is_dry)
{
    talk_path(talk, "/api/v1/retention", NULL, NULL);
    if (is_dry)
        talk_query(talk, "dry", "1");
    buf_str(&talk->body, text);
    return talk_ask(talk, "PUT");
}

static void goes_print(struct talk *talk, FILE *out)
{
    const struct json *goes = json_get(&talk->answer, STR("goes"));
    const struct json *segments = json_get(goes, STR("segments"));
    fprintf(out, "%lld events of %lld people go; by that %lld memberships end and %lld begin\n",
            number(goes, "events"), number(goes, "people"), number(goes, "leaving"),
            number(goes, "entering"));
    for (uint32_t i = 0; segments != NULL && i < segments->count; i++)
        fprintf(out, "  %-30s %lld leave, %lld enter\n",
                talk_text(talk, &segments->items[i], "segment"),
                number(&segments->items[i], "leaving"), number(&segments->items[i], "entering"));
}

static bool is_confirmed(void)
{
    char answer[8] = "";
    fprintf(stderr, "They cannot be brought back. Go on? [y/N] ");
    return fgets(answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

/* What goes is gone for good, so it is said, and asked, first. */
static enum err ask_first(struct talk *talk, struct str text, enum cli_exit *code)
{
    TRY(put(talk, text, true));
    *code = CLI_OK;
    if (number(json_get(&talk->answer, STR("goes")), "events") == 0)
        return OK;
    goes_print(talk, stderr);
    if (!isatty(STDIN_FILENO))
        *code = cli_usage(talk->cli, "Nobody is there to ask, so nothing was changed.",
                          "Add --yes, or --dry-run to look only.");
    else if (!is_confirmed()) {
        fprintf(stderr, "Nothing was changed.\n");
        *code = CLI_NO;
    }
    return OK;
}

static enum err set(struct talk *talk, const char *word, enum cli_exit *code)
{
    SCOPED(buf_donep) struct buf text = buf_make(TEXT_BYTES_MAX);
    bool                         is_dry = cli_has(talk->cli, "dry-run");
    *code = CLI_OK;
    TRY(text_read(talk, word, &text));
    if (!is_dry && !cli_has(talk->cli, "yes"))
        TRY(ask_first(talk, buf_view(&text), code));
    if (*code != CLI_OK)
        return OK;
    TRY(put(talk, buf_view(&text), is_dry));
    if (talk->cli->is_json)
        talk_print_json(&talk->answer);
    else
        goes_print(talk, stdout);
    return OK;
}

enum cli_exit cli_retention(struct cli *cli)
{
    struct talk   talk;
    enum cli_exit code = CLI_OK;
    bool          sets = cli->words_count == 2 && strcmp(cli->words[0], "set") == 0;
    bool          shows =
        cli->words_count == 0 || (cli->words_count == 1 && strcmp(cli->words[0], "show") == 0);
    if (!sets && !shows)
        return cli_usage(cli, "How long events are kept is shown, or set.",
                         "`dult help retention` shows how.");
    enum err err = talk_open(&talk, cli, false);
    if (err == OK)
        err = sets ? set(&talk, cli->words[1], &code) : show(&talk);
    return talk_end(&talk, err, code);
}
