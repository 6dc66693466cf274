/* dult bounce: what returned mail says; with --tell, to the running program, too. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "bounce/bounce.h"
#include "run/cli/cli_talk.h"

enum { LINE_BYTES_MAX = 4 << 20 };

/* A file is read as far as the reader looks; what follows is what we sent ourselves. */
static enum err mail_take(struct arena *arena, FILE *from, struct str *out)
{
    char *bytes = arena_alloc(arena, BOUNCE_MAIL_BYTES_MAX);
    if (bytes == NULL)
        return ERR_MEMORY;
    size_t len = fread(bytes, 1, BOUNCE_MAIL_BYTES_MAX, from);
    if (ferror(from))
        return ERR_IO;
    *out = (struct str){ bytes, len };
    return OK;
}

static enum err mail_open(struct arena *arena, const char *path, struct str *out,
                          struct problem *problem)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (file == NULL)
        return problem_set(problem, errno == ENOENT ? ERR_ABSENT : ERR_IO, path,
                           "This file cannot be opened.", "Name files that hold one mail each.");
    enum err err = mail_take(arena, file, out);
    if (file != stdin)
        (void)fclose(file);
    return err == OK ? OK
                     : problem_set(problem, err, path, "This file cannot be read.",
                                   "Name files that hold one mail each.");
}

static void member(struct buf *line, bool *first, const char *key, struct str value)
{
    json_write_key(line, first, key);
    json_write_str(line, value);
}

static void say_json(struct buf *line, const char *path, const struct bounces *bounces)
{
    buf_str(line, STR("{\"file\":"));
    json_write_str(line, str_of(path));
    buf_str(line, STR(",\"bounces\":["));
    for (size_t i = 0; i < bounces->count; i++) {
        const struct bounce *bounce = &bounces->items[i];
        bool                 first = true;
        buf_str(line, i == 0 ? STR("{") : STR(",{"));
        member(line, &first, "recipient", bounce->recipient);
        member(line, &first, "status", bounce->status);
        member(line, &first, "class", str_of(bounce_class_name(bounce->class)));
        member(line, &first, "reason", bounce->reason);
        member(line, &first, "said", bounce->said);
        buf_char(line, '}');
    }
    buf_str(line, STR("]}\n"));
}

static void say(struct buf *line, const char *path, const struct bounces *bounces)
{
    if (bounces->count == 0)
        buf_format(line, "%s: no bounce and no complaint\n", path);
    for (size_t i = 0; i < bounces->count; i++) {
        const struct bounce *bounce = &bounces->items[i];
        struct str whom = bounce->recipient.len > 0 ? bounce->recipient : STR("(nobody named)");
        buf_format(line, "%s: %.*s  %s  %.*s%s%.*s\n", path, STR_ARG(whom),
                   bounce_class_name(bounce->class), STR_ARG(bounce->reason),
                   bounce->status.len > 0 ? " " : "", STR_ARG(bounce->status));
    }
}

static enum err one(struct cli *cli, struct arena *arena, const char *path, struct problem *problem)
{
    SCOPED(buf_donep) struct buf line = buf_make(LINE_BYTES_MAX);
    struct bounces               bounces;
    struct str                   mail = STR_NONE;
    TRY(mail_open(arena, path, &mail, problem));
    if (bounce_read(arena, mail, &bounces) != OK)
        return problem_set(problem, ERR_MEMORY, path, "There is not enough memory for this mail.",
                           "Try again with more memory.");
    if (cli->is_json)
        say_json(&line, path, &bounces);
    else
        say(&line, path, &bounces);
    TRY(buf_err(&line));
    (void)fwrite(line.ptr, 1, line.len, stdout);
    return OK;
}

/* ---- telling the program ---- */

static void told_print(struct talk *talk, const char *path)
{
    const struct json *bounces = json_get(&talk->answer, STR("bounces"));
    if (bounces == NULL || bounces->count == 0)
        printf("%s: no bounce and no complaint\n", path);
    for (uint32_t i = 0; bounces != NULL && i < bounces->count; i++) {
        const struct json *one = &bounces->items[i];
        const struct json *taken = json_get(one, STR("taken"));
        bool               is_taken = taken != NULL && taken->truth;
        printf("%s: %s  %s  %s%s\n", path, talk_text(talk, one, "recipient"),
               talk_text(talk, one, "class"), talk_text(talk, one, "reason"),
               is_taken ? "" : "  (not of a mail of ours: left out)");
    }
}

static enum err tell_one(struct talk *talk, struct arena *arena, const char *path)
{
    struct str mail = STR_NONE;
    TRY(mail_open(arena, path, &mail, &talk->problem));
    talk_path(talk, "/api/v1/bounces", NULL, NULL);
    buf_str(&talk->body, mail);
    TRY(talk_ask(talk, "POST"));
    if (talk->cli->is_json)
        talk_print_json(&talk->answer);
    else
        told_print(talk, path);
    return OK;
}

static enum cli_exit tell(struct cli *cli, struct arena *arena)
{
    struct talk talk;
    enum err    err = talk_open(&talk, cli, false);
    for (int i = 0; err == OK && i < cli->words_count; i++) {
        arena_reset(arena);
        err = tell_one(&talk, arena, cli->words[i]);
    }
    return talk_end(&talk, err, CLI_OK);
}

enum cli_exit cli_bounce(struct cli *cli)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(BOUNCE_ARENA_BYTES_MAX);
    struct problem                     problem = { .what = "" };
    enum err                           err = arena == NULL ? ERR_MEMORY : OK;
    if (cli->words_count == 0)
        cli->words[cli->words_count++] = "-";
    if (err == OK && cli_has(cli, "tell"))
        return tell(cli, arena);
    for (int i = 0; err == OK && i < cli->words_count; i++) {
        arena_reset(arena);
        err = one(cli, arena, cli->words[i], &problem);
    }
    return err == OK ? CLI_OK : cli_fail(cli, err, &problem);
}
