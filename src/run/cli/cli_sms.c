/* dult sms: how many parts a text is, what it says to us, and what number is dialled. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "engine/profile/phone.h"
#include "message/sms.h"
#include "run/cli/cli.h"

enum { LINE_ARENA_BYTES_MAX = 1 << 20, OUT_BYTES_MAX = 64 << 10 };

struct asked {
    struct str text, to, country;
};

static void say_json(struct buf *out, const struct asked *asked, const struct sms_measure *is,
                     const char *number)
{
    buf_format(out,
               "{\"parts\":%u,\"encoding\":\"%s\",\"units\":%u,\"characters\":%u,\"left\":%u,"
               "\"word\":\"%s\"",
               is->parts, sms_encoding_name(is->encoding), is->units, is->characters, is->left,
               sms_word_name(sms_word_of(asked->text)));
    if (is->culprit.len > 0) {
        buf_str(out, STR(",\"culprit\":"));
        json_write_str(out, is->culprit);
    }
    if (asked->to.len > 0) {
        buf_str(out, STR(",\"to\":"));
        if (number == NULL)
            buf_str(out, STR("null"));
        else
            json_write_str(out, str_of(number));
    }
    buf_str(out, STR("}\n"));
}

static void say(struct buf *out, const struct asked *asked, const struct sms_measure *is,
                const char *number)
{
    buf_format(out, "%u part%s, %s, %u characters; %u more until the next\n", is->parts,
               is->parts == 1 ? "" : "s", sms_encoding_name(is->encoding), is->characters,
               is->left);
    if (is->culprit.len > 0)
        buf_format(out,
                   "\"%.*s\" is not in the alphabet of GSM: without it and its like a part "
                   "has 160 characters\n",
                   STR_ARG(is->culprit));
    if (sms_word_of(asked->text) != SMS_WORD_NONE)
        buf_format(out, "as an answer it means %s\n", sms_word_name(sms_word_of(asked->text)));
    if (asked->to.len > 0)
        buf_format(out, "to %s\n", number == NULL ? "no number that can be dialled" : number);
}

static enum err one(const struct cli *cli, const struct asked *asked, struct problem *problem)
{
    SCOPED(buf_donep) struct buf out = buf_make(OUT_BYTES_MAX);
    char                         number[PHONE_BYTES_MAX];
    if (!str_is_utf8(asked->text))
        return problem_set(problem, ERR_INPUT, "text", "The text is not UTF-8.", "Save it so.");
    struct sms_measure is = sms_measure(asked->text);
    bool dials = asked->to.len > 0 && phone_e164(asked->to, asked->country, number) == OK;
    if (cli->is_json || cli_has(cli, "lines"))
        say_json(&out, asked, &is, dials ? number : NULL);
    else
        say(&out, asked, &is, dials ? number : NULL);
    TRY(buf_err(&out));
    (void)fwrite(out.ptr, 1, out.len, stdout);
    return OK;
}

static enum err line_take(const struct cli *cli, struct arena *arena, struct str line,
                          struct problem *problem)
{
    struct json root;
    TRY(json_parse_once(arena, line, &root, problem));
    return one(cli,
               &(struct asked){ json_get_str(&root, STR("text")), json_get_str(&root, STR("to")),
                                json_get_str(&root, STR("country")) },
               problem);
}

static enum err lines(const struct cli *cli, struct problem *problem)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(LINE_ARENA_BYTES_MAX);
    char                              *line = NULL;
    size_t                             room = 0;
    ssize_t                            len;
    enum err                           err = arena == NULL ? ERR_MEMORY : OK;
    while (err == OK && (len = getline(&line, &room, stdin)) > 0) {
        arena_reset(arena);
        err = line_take(cli, arena, str_trim((struct str){ line, (size_t)len }), problem);
    }
    free(line);
    return err;
}

static enum err whole_input(const struct cli *cli, struct asked *asked, struct problem *problem)
{
    char   bytes[SMS_TEXT_BYTES_MAX];
    size_t len = fread(bytes, 1, sizeof bytes, stdin);
    while (len > 0 && (bytes[len - 1] == '\n' || bytes[len - 1] == '\r'))
        len--;
    asked->text = (struct str){ bytes, len };
    return one(cli, asked, problem);
}

enum cli_exit cli_sms(struct cli *cli)
{
    struct problem problem = { .what = "" };
    struct asked   asked = { .to = str_of(cli_has(cli, "to") ? cli_value(cli, "to") : ""),
                             .country =
                                 str_of(cli_has(cli, "country") ? cli_value(cli, "country") : "") };
    enum err       err = OK;
    if (cli_has(cli, "lines"))
        err = lines(cli, &problem);
    else if (cli->words_count == 0)
        err = whole_input(cli, &asked, &problem);
    for (int i = 0; err == OK && i < cli->words_count; i++) {
        asked.text = str_of(cli->words[i]);
        err = one(cli, &asked, &problem);
    }
    return err == OK ? CLI_OK : cli_fail(cli, err, &problem);
}
