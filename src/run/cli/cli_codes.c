/* dult codes: pools of discount codes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/cli/cli_talk.h"
#include "run/cli/files.h"

enum {
    FILE_CODES_BYTES_MAX = 128 << 20,
    LINES_A_REQUEST = 5000, /* of at most 64 signs and what else stands in a line */
    REQUEST_BYTES = 3 << 20,
    REFUSED_SHOWN = 20,
};

static void line_print(struct talk *talk, const struct json *one)
{
    const char *kind = talk_text(talk, one, "codes");
    printf("%-24s %-10s ", talk_text(talk, one, "name"), kind);
    if (strcmp(kind, "fixed") != 0)
        printf("%lld left of %lld, ", talk_number(one, "left"), talk_number(one, "had"));
    printf("%lld given, %lld redeemed, %lld expired", talk_number(one, "given"),
           talk_number(one, "redeemed"), talk_number(one, "expired"));
    if (talk_number(one, "waiting") > 0)
        printf("; %lld messages wait for codes", talk_number(one, "waiting"));
    else if (json_get_bool(one, STR("is_empty"), false))
        printf("; used up");
    else if (json_get_bool(one, STR("is_low"), false))
        printf("; low");
    printf("\n");
}

static enum err list(struct talk *talk)
{
    return talk_list(talk, "/api/v1/codes");
}

static enum err show(struct talk *talk)
{
    talk_path(talk, "/api/v1/codes/", talk->cli->words[1], NULL);
    return talk_one(talk, "GET");
}

static enum err withdraw(struct talk *talk)
{
    talk_path(talk, "/api/v1/codes/", talk->cli->words[1], "/codes");
    TRY(talk_ask(talk, "DELETE"));
    if (talk->cli->is_json)
        talk_print_json(&talk->answer);
    else
        printf("%lld codes are given to nobody\n", talk_number(&talk->answer, "withdrawn"));
    return OK;
}

/* ---- import ---- */

struct importing {
    struct talk *talk;
    long long    added, already, withdrawn, refused, lines_before;
};

static void refused_print(struct importing *importing, const struct json *line)
{
    struct talk *talk = importing->talk;
    fprintf(stderr, "Line %lld was refused (%s): %s\n",
            importing->lines_before + talk_number(line, "line"), talk_text(talk, line, "code"),
            talk_text(talk, line, "why"));
}

static enum err part_send(struct importing *importing, struct str part)
{
    struct talk *talk = importing->talk;
    talk_path(talk, "/api/v1/codes/", talk->cli->words[1], "/codes");
    buf_str(&talk->body, part);
    TRY(talk_ask(talk, "POST"));
    const struct json *lines = json_get(&talk->answer, STR("lines"));
    for (uint32_t i = 0; lines != NULL && i < lines->count; i++)
        if (importing->refused + i < REFUSED_SHOWN)
            refused_print(importing, &lines->items[i]);
    importing->added += talk_number(&talk->answer, "added");
    importing->already += talk_number(&talk->answer, "already");
    importing->withdrawn += talk_number(&talk->answer, "withdrawn");
    importing->refused += talk_number(&talk->answer, "refused");
    return OK;
}

/* So many whole lines as one request takes. */
static struct str part_of(struct str text, uint32_t *lines)
{
    size_t at = 0;
    *lines = 0;
    while (at < text.len && *lines < LINES_A_REQUEST) {
        size_t end = str_find_char(text, at, '\n');
        end += end < text.len;
        if (end > REQUEST_BYTES && *lines > 0)
            break;
        at = end;
        ++*lines;
    }
    return str_slice(text, 0, at);
}

static enum err import(struct talk *talk)
{
    struct importing importing = { .talk = talk };
    struct str       text;
    uint32_t         lines;
    TRY(files_read_one(talk->arena, talk->cli->words[2], FILE_CODES_BYTES_MAX, &text,
                       &talk->problem));
    while (text.len > 0) {
        struct str part = part_of(text, &lines);
        /* A part begins with a line that is no head of columns. */
        TRY(part_send(&importing, part));
        importing.lines_before += lines;
        text = str_slice(text, part.len, text.len);
    }
    if (talk->cli->is_json)
        printf("{\"added\":%lld,\"already\":%lld,\"withdrawn\":%lld,\"refused\":%lld}\n",
               importing.added, importing.already, importing.withdrawn, importing.refused);
    else
        printf("%lld codes added, %lld were there already, %lld lines refused\n", importing.added,
               importing.already, importing.refused);
    if (importing.withdrawn > 0)
        fprintf(stderr, "%lld codes were withdrawn before, and stay so.\n", importing.withdrawn);
    return OK;
}

/* ---- export, find ---- */

/* A page after the other; the number that begins a line is where the next one goes on. */
static enum err export(struct talk *talk) {
    char cursor[24] = ""; for (bool is_first = true;; is_first = false){
        struct client_answer answer;
        talk_path(talk, "/api/v1/codes/", talk->cli->words[1], "/codes");
        talk_query(talk, "format", "csv"); talk_query(talk, "limit", "1000");
        talk_query(talk, "state", cli_value(talk->cli, "state"));
        talk_query(talk, "cursor", cursor[0] == '\0' ? NULL : cursor);
        enum err err = client_call(talk->reach.client, "GET", buf_view(&talk->path), STR_NONE,
                                   &answer, &talk->problem);
        buf_reset(&talk->path); TRY(err); struct str rest = answer.body, line, last = STR_NONE;
        for (bool is_head = true; rest.len > 0 && str_split(&rest, '\n', &line); is_head = false){
            if (line.len > 0 && (is_first || !is_head)) printf("%.*s\n", STR_ARG(line));
            if (!is_head && line.len > 0) last = line; }
if (last.len == 0) return OK;
str_to_cstr(str_slice(last, 0, str_find_char(last, 0, ',')), cursor, sizeof cursor);
}
}

static void found_print(struct talk *talk, const struct json *one)
{
    const struct json *by = json_get(one, STR("by"));
    printf("%s of %s: %s\n", talk_text(talk, one, "code"), talk_text(talk, one, "pool"),
           talk_text(talk, one, "state"));
    if (json_get(one, STR("given")) != NULL)
        printf("  given %.16s to %s with %s%s%s\n", talk_text(talk, one, "given"),
               json_get(one, STR("profile")) != NULL ? talk_text(talk, one, "profile")
                                                     : "somebody who was erased",
               talk_text(talk, one, "template"),
               json_get(one, STR("journey")) != NULL ? " of journey " : "",
               talk_text(talk, one, "journey"));
    if (json_get(one, STR("expires_at")) != NULL)
        printf("  good until %.16s\n", talk_text(talk, one, "expires_at"));
    for (uint32_t i = 0; by != NULL && i < by->count; i++)
        printf("  redeemed %.16s by order %s\n", talk_text(talk, &by->items[i], "at"),
               talk_text(talk, &by->items[i], "order_id"));
}

static enum err find(struct talk *talk)
{
    talk_path(talk, "/api/v1/code/", talk->cli->words[1], NULL);
    TRY(talk_ask(talk, "GET"));
    const struct json *items = json_get(&talk->answer, STR("items"));
    if (talk->cli->is_json)
        talk_print_json(&talk->answer);
    for (uint32_t i = 0; !talk->cli->is_json && items != NULL && i < items->count; i++)
        found_print(talk, &items->items[i]);
    return OK;
}

static const struct {
    const char *word;
    enum err (*run)(struct talk *talk);
    int words;
} RUNS[] = { { "list", list, 1 },     { "show", show, 2 },     { "withdraw", withdraw, 2 },
             { "import", import, 3 }, { "export", export, 2 }, { "find", find, 2 } };

enum cli_exit cli_codes(struct cli *cli)
{
    struct talk talk;
    const char *word = cli->words_count == 0 ? "list" : cli->words[0];
    size_t      i = 0, count = sizeof RUNS / sizeof RUNS[0];
    while (i < count && strcmp(word, RUNS[i].word) != 0)
        i++;
    if (i == count || (cli->words_count > 0 && cli->words_count != RUNS[i].words))
        return cli_usage(cli, "Codes are listed, shown, imported, exported, found or withdrawn.",
                         "`dult help codes` shows how.");
    enum err err = talk_open(&talk, cli, false);
    talk.line = line_print;
    if (err == OK)
        err = RUNS[i].run(&talk);
    return talk_end(&talk, err, CLI_OK);
}
