/*
 * dult stages: the stages of the customer journey with how many are in each; a document that is not
 * yet in force, counted beside them; and putting it in force.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/program.h"
#include "run/cli/cli_talk.h"

enum { DOCUMENT_BYTES_MAX = 1 << 20, NAME_WIDTH = 24 };

static enum err document_read(struct talk *talk, const char *path, struct str *text,
                              struct json *document)
{
    char *bytes = arena_alloc(talk->arena, DOCUMENT_BYTES_MAX);
    FILE *file = fopen(path, "re");
    if (bytes == NULL || file == NULL) {
        if (file != NULL)
            (void)fclose(file);
        return bytes == NULL ? ERR_MEMORY
                             : problem_format(&talk->problem, ERR_ABSENT, path,
                                              "Give the path of a stages.json.",
                                              "It could not be opened: %s.", strerror(errno));
    }
    *text = (struct str){ bytes, fread(bytes, 1, DOCUMENT_BYTES_MAX, file) };
    (void)fclose(file);
    if (text->len == DOCUMENT_BYTES_MAX)
        return problem_set(&talk->problem, ERR_LIMIT, path, "It is longer than 1 MB.",
                           "At most 50 stages can be there.");
    struct json root;
    TRY(json_parse_once(talk->arena, *text, &root, &talk->problem));
    const struct json *list = json_get(&root, STR("stages"));
    if (list == NULL || list->kind != JSON_ARRAY)
        return problem_set(&talk->problem, ERR_INPUT, path, "There is no list of stages.",
                           "Write {\"stages\":[{\"name\":\"visitor\",\"when\":\"everyone\"}]}.");
    *document = root;
    return OK;
}

/* The document as the server sees it, without taking it: refused with the stage that is wrong. */
static enum err document_put(struct talk *talk, struct str text, const char *query)
{
    talk_path(talk, "/api/v1/stages", NULL, query);
    buf_str(&talk->body, text);
    return talk_ask(talk, "PUT");
}

/* ---- as they are ---- */

static void stage_print(struct talk *talk, const struct json *stage)
{
    int64_t count = 0;
    (void)json_get_int(stage, STR("count"), &count);
    printf("%-*s %10" PRId64 "   %s%s%s\n", NAME_WIDTH, talk_text(talk, stage, "name"), count,
           cli_quiet(talk->cli), talk_text(talk, stage, "when"), cli_plain(talk->cli));
}

static enum cli_exit show(struct cli *cli)
{
    struct talk talk;
    enum err    err = talk_open(&talk, cli, false);
    if (err == OK)
        talk_path(&talk, "/api/v1/stages", NULL, NULL);
    if (err == OK)
        err = talk_ask(&talk, "GET");
    const struct json *list = err == OK ? json_get(&talk.answer, STR("stages")) : NULL;
    if (err == OK && cli->is_json)
        talk_print_json(&talk.answer);
    else if (list != NULL && list->count == 0)
        printf("There are no stages. `dult stages set stages.json` puts some there.\n");
    else
        for (uint32_t i = 0; list != NULL && i < list->count; i++)
            stage_print(&talk, &list->items[i]);
    return talk_end(&talk, err, CLI_OK);
}

/* ---- as they would be ---- */

/* Somebody is in the last stage whose rule holds: this one's, and none of those after. */
static void rule_write(const struct json *document, uint32_t at, struct buf *out)
{
    const struct json *stages = json_get(document, STR("stages"));
    for (uint32_t i = at; i < stages->count; i++) {
        buf_str(out, i == at ? STR("(") : STR(" and not ("));
        program_stage_rule_write(document, i, out);
        buf_char(out, ')');
    }
}

static enum err would_count(struct talk *talk, const struct json *document, uint32_t at,
                            int64_t *count)
{
    SCOPED(buf_donep) struct buf rule = buf_make(TALK_BODY_BYTES_MAX);
    rule_write(document, at, &rule);
    TRY(buf_err(&rule));
    buf_str(&talk->body, STR("{\"sample\":0,\"condition\":"));
    json_write_str(&talk->body, buf_view(&rule));
    buf_char(&talk->body, '}');
    talk_path(talk, "/api/v1/segments/count", NULL, NULL);
    TRY(talk_ask(talk, "POST"));
    return json_get_int(&talk->answer, STR("count"), count) ? OK : ERR_CORRUPT;
}

/* How many are in the stage of that name now; -1 where there is none. */
static int64_t count_now(const struct json *now, struct str name)
{
    const struct json *list = json_get(now, STR("stages"));
    int64_t            count = -1;
    for (uint32_t i = 0; list != NULL && i < list->count; i++)
        if (str_eq(json_get_str(&list->items[i], STR("name")), name))
            (void)json_get_int(&list->items[i], STR("count"), &count);
    return count;
}

static void would_print(const struct talk *talk, struct str name, int64_t now, int64_t then)
{
    char text[24] = "-";
    if (now >= 0)
        snprintf(text, sizeof text, "%" PRId64, now);
    if (!talk->cli->is_json) {
        printf("%-*.*s %10s %10" PRId64 "\n", NAME_WIDTH, STR_ARG(name), text, then);
        return;
    }
    SCOPED(buf_donep) struct buf line = buf_make(DOCUMENT_BYTES_MAX);
    json_write_str(&line, name);
    printf("{\"name\":%.*s,\"now\":%s,\"then\":%" PRId64 "}\n", STR_ARG(buf_view(&line)),
           now < 0 ? "null" : text, then);
}

static enum err preview(struct talk *talk, const struct json *document)
{
    const struct json *stages = json_get(document, STR("stages"));
    int64_t            then;
    talk_path(talk, "/api/v1/stages", NULL, NULL);
    TRY(talk_ask(talk, "GET"));
    struct json now = talk->answer;
    if (!talk->cli->is_json)
        printf("%-*s %10s %10s\n", NAME_WIDTH, "", "now", "then");
    for (uint32_t i = 0; i < stages->count; i++) {
        struct str name = json_get_str(&stages->items[i], STR("name"));
        TRY(would_count(talk, document, i, &then));
        would_print(talk, name, count_now(&now, name), then);
    }
    return OK;
}

/* Counted before it is put in force, or without that. */
static enum cli_exit document(struct cli *cli, bool sets)
{
    struct talk talk;
    struct str  text = STR_NONE;
    struct json stages = { .kind = JSON_NULL };
    enum err    err = talk_open(&talk, cli, false);
    if (err == OK)
        err = document_read(&talk, cli->words[1], &text, &stages);
    if (err == OK)
        err = document_put(&talk, text, "?dry=1");
    if (err == OK)
        err = preview(&talk, &stages);
    if (err == OK && sets)
        err = document_put(&talk, text, "");
    if (err == OK && sets && !cli->is_json)
        printf("These are the stages from now on.\n");
    return talk_end(&talk, err, CLI_OK);
}

enum cli_exit cli_stages(struct cli *cli)
{
    bool is_one = cli->words_count == 1, is_two = cli->words_count == 2;
    if (is_one && strcmp(cli->words[0], "show") == 0)
        return show(cli);
    if (is_two && strcmp(cli->words[0], "count") == 0)
        return document(cli, false);
    if (is_two && strcmp(cli->words[0], "set") == 0)
        return document(cli, true);
    return cli_usage(cli, "Stages are shown, or those of a file are counted or set.",
                     "`dult help stages` shows how.");
}
