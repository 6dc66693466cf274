#include "run/cli/cli_talk.h"

#include <string.h>
#include <unistd.h>

#include "base/encode.h"

enum err talk_open(struct talk *talk, struct cli *cli, bool is_making)
{
    *talk = (struct talk){ .cli = cli,
                           .reach = { .folder = -1 },
                           .arena = arena_open(TALK_ARENA_BYTES_MAX),
                           .path = buf_make(TALK_PATH_BYTES_MAX),
                           .body = buf_make(TALK_BODY_BYTES_MAX) };
    if (talk->arena == NULL)
        return ERR_MEMORY;
    return reach_open(&talk->reach, cli, is_making, &talk->problem);
}

void talk_close(struct talk *talk)
{
    reach_close(&talk->reach);
    arena_close(talk->arena);
    buf_done(&talk->path);
    buf_done(&talk->body);
    *talk = (struct talk){ .reach = { .folder = -1 } };
}

void talk_path(struct talk *talk, const char *start, const char *value, const char *end)
{
    buf_reset(&talk->path);
    buf_str(&talk->path, str_of(start));
    if (value != NULL)
        percent_write(&talk->path, str_of(value));
    buf_str(&talk->path, str_of(end));
}

void talk_path_more(struct talk *talk, const char *value)
{
    percent_write(&talk->path, str_of(value));
}

void talk_query(struct talk *talk, const char *name, const char *value)
{
    struct str path = buf_view(&talk->path);
    if (value == NULL)
        return;
    buf_char(&talk->path, str_find_char(path, 0, '?') < path.len ? '&' : '?');
    buf_str(&talk->path, str_of(name));
    buf_char(&talk->path, '=');
    percent_write(&talk->path, str_of(value));
}

enum err talk_ask(struct talk *talk, const char *method)
{
    enum err err = buf_err(&talk->path);
    if (err == OK)
        err = buf_err(&talk->body);
    if (err != OK)
        return problem_set(&talk->problem, err, "", "This is too long to be asked.", "Shorten it.");
    err = client_json(talk->reach.client, talk->arena, method, buf_view(&talk->path),
                      buf_view(&talk->body), &talk->answer, &talk->problem);
    buf_reset(&talk->body);
    return err;
}

enum err talk_all(struct talk *talk, talk_each *each, void *context)
{
    size_t length = talk->path.len;
    for (;;) {
        TRY(talk_ask(talk, "GET"));
        const struct json *items = json_get(&talk->answer, STR("items"));
        for (uint32_t i = 0; items != NULL && items->kind == JSON_ARRAY && i < items->count; i++)
            TRY(each(context, &items->items[i]));
        const char *next = talk_text(talk, &talk->answer, "next");
        if (next[0] == '\0')
            return OK;
        talk->path.len = length;
        talk_query(talk, "cursor", next);
        arena_reset(talk->arena); /* `next` has been copied into the path */
    }
}

enum cli_exit talk_end(struct talk *talk, enum err err, enum cli_exit code)
{
    if (err != OK)
        code = cli_fail(talk->cli, err, &talk->problem);
    talk_close(talk);
    return code;
}

void talk_print_json(const struct json *value)
{
    SCOPED(buf_donep) struct buf text = buf_make(TALK_ARENA_BYTES_MAX);
    if (isatty(STDOUT_FILENO))
        json_write_pretty(&text, value);
    else
        json_write(&text, value);
    printf("%.*s\n", STR_ARG(buf_view(&text)));
}

const char *talk_text(struct talk *talk, const struct json *object, const char *key)
{
    struct str copy = str_copy(talk->arena, json_get_str(object, str_of(key)));
    return copy.ptr == NULL ? "" : copy.ptr;
}

enum err talk_item(void *context, const struct json *one)
{
    struct talk *talk = context;
    if (talk->cli->is_json)
        talk_print_json(one);
    else
        talk->line(talk, one);
    return OK;
}

enum err talk_list(struct talk *talk, const char *path)
{
    talk_path(talk, path, NULL, NULL);
    return talk_all(talk, talk_item, talk);
}

enum err talk_one(struct talk *talk, const char *method)
{
    TRY(talk_ask(talk, method));
    return talk_item(talk, &talk->answer);
}

long long talk_number(const struct json *object, const char *key)
{
    int64_t value = 0;
    (void)json_get_int(object, str_of(key), &value);
    return value;
}

void talk_print_unseen(struct talk *talk)
{
    const struct json *unseen = json_get(&talk->answer, STR("unseen"));
    for (uint32_t i = 0; unseen != NULL && i < unseen->count; i++) {
        const struct json *item = &unseen->items[i];
        const char        *event = talk_text(talk, item, "event");
        const char        *near = talk_text(talk, item, "near");
        const char        *where_of = talk_text(talk, item, "where_of");
        fprintf(stderr, "Note: no %s \"%s\" has arrived yet", event[0] ? "event" : "trait",
                event[0] ? event : talk_text(talk, item, "trait"));
        fprintf(stderr, near[0] ? "; did you mean \"%s\"?\n" : ".\n", near);
        if (where_of[0])
            fprintf(stderr,
                    "      It is a property of events: where all is asked of \"%s\", write "
                    "parentheses: where (... and ...).\n",
                    where_of);
    }
}
