/* dult segment count, list; cli_convert.c has the rest. */
#include <inttypes.h>
#include <string.h>

#include "run/cli/cli_talk.h"
#include "run/cli/progress.h"

/* A condition is asked about as text; a bare word is the name of a segment. */
static void question_write(struct talk *talk, const char *asked, const char *at)
{
    bool first = true;
    buf_char(&talk->body, '{');
    json_write_key(&talk->body, &first, cli_has(talk->cli, "segment") ? "segment" : "condition");
    json_write_str(&talk->body, str_of(asked));
    if (at != NULL) {
        json_write_key(&talk->body, &first, "at");
        json_write_str(&talk->body, str_of(at));
    }
    buf_char(&talk->body, '}');
    talk_path(talk, "/api/v1/segments/count", NULL, NULL);
}

static void count_print(struct talk *talk)
{
    const struct cli  *cli = talk->cli;
    int64_t            count = 0, people = 0;
    double             share = 0;
    char               number[PROGRESS_NUMBER_BYTES];
    const struct json *sample = json_get(&talk->answer, STR("sample"));
    (void)json_get_int(&talk->answer, STR("count"), &count);
    (void)json_get_int(&talk->answer, STR("people"), &people);
    (void)json_get_real(&talk->answer, STR("share"), &share);
    printf("%" PRId64 "\n", count);
    printf("%sof %s people (%.1f%%), as of %s%s\n", cli_quiet(cli), progress_number(people, number),
           share * 100, talk_text(talk, &talk->answer, "at"), cli_plain(cli));
    for (uint32_t i = 0; sample != NULL && i < sample->count; i++) {
        const struct json *person = &sample->items[i];
        const char        *name = talk_text(talk, person, "userId");
        printf("%s%s", i == 0 ? "such as " : ", ",
               name[0] != '\0' ? name : talk_text(talk, person, "id"));
    }
    if (sample != NULL && sample->count > 0)
        printf("\n");
}

static enum cli_exit count(struct cli *cli)
{
    struct talk talk;
    const char *asked = cli_has(cli, "segment") ? cli_value(cli, "segment") : cli->words[1];
    enum err    err = talk_open(&talk, cli, false);
    if (err == OK) {
        question_write(&talk, asked, cli_value(cli, "at"));
        err = talk_ask(&talk, "POST");
    }
    if (err == OK && cli->is_json)
        talk_print_json(&talk.answer);
    else if (err == OK)
        count_print(&talk);
    return talk_end(&talk, err, CLI_OK);
}

static enum err name_line(void *context, const struct json *item)
{
    struct talk *talk = context;
    printf("%-32s since %s\n", talk_text(talk, item, "name"), talk_text(talk, item, "changed"));
    return OK;
}

static enum err member_line(void *context, const struct json *item)
{
    struct talk *talk = context;
    const char  *name = talk_text(talk, item, "userId");
    printf("%s\n", name[0] != '\0' ? name : talk_text(talk, item, "id"));
    return OK;
}

/* One JSON object a line: a list may have millions. */
static enum err json_line(void *context, const struct json *item)
{
    SCOPED(buf_donep) struct buf line = buf_make(1 << 20);
    (void)context;
    json_write(&line, item);
    printf("%.*s\n", STR_ARG(buf_view(&line)));
    return OK;
}

static enum cli_exit list(struct cli *cli)
{
    struct talk talk;
    const char *name = cli->words_count > 1 ? cli->words[1] : NULL;
    enum err    err = talk_open(&talk, cli, false);
    if (err == OK) {
        if (name == NULL)
            talk_path(&talk, "/api/v1/segments", NULL, NULL);
        else
            talk_path(&talk, "/api/v1/segments/", name, "/members");
        talk_query(&talk, "at", cli_value(cli, "at"));
        talk_query(&talk, "limit", "1000");
        err = talk_all(&talk,
                       cli->is_json   ? json_line
                       : name == NULL ? name_line
                                      : member_line,
                       &talk);
    }
    return talk_end(&talk, err, CLI_OK);
}

enum cli_exit cli_segment(struct cli *cli)
{
    bool has_condition = cli->words_count == 2 || cli_has(cli, "segment");
    if (strcmp(cli->words[0], "count") == 0 && has_condition)
        return count(cli);
    if (strcmp(cli->words[0], "count") == 0)
        return cli_usage(cli, "Which people are to be counted?",
                         "Give one condition in quotes, or --segment NAME.");
    if (strcmp(cli->words[0], "list") == 0)
        return list(cli);
    if (strcmp(cli->words[0], "convert") == 0)
        return cli_segment_convert(cli);
    if (strcmp(cli->words[0], "schema") == 0)
        return cli_segment_schema();
    return cli_usage(cli, "A segment is counted, listed or converted.",
                     "`dult help segment` shows how.");
}
