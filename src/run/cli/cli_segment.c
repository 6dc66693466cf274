/* dult segment count, list; cli_convert.c has the rest. */
#include <inttypes.h>
#include <string.h>

#include "run/cli/cli_talk.h"
#include "run/cli/progress.h"

/*
 * What is asked about is a segment's name or a condition. Names are tried first: a condition is no
 * name, unless somebody named a segment so.
 */
enum asked_as { AS_SEGMENT, AS_CONDITION };

static void question_write(struct talk *talk, const char *asked, enum asked_as as,
                           const char *cursor)
{
    static const char *const options[] = { "at", "compare" };
    bool                     first = true;
    buf_reset(&talk->body);
    buf_char(&talk->body, '{');
    json_write_key(&talk->body, &first, as == AS_SEGMENT ? "segment" : "condition");
    json_write_str(&talk->body, str_of(asked));
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (cli_has(talk->cli, options[i])) {
            json_write_key(&talk->body, &first, options[i]);
            json_write_str(&talk->body, str_of(cli_value(talk->cli, options[i])));
        }
    if (cursor != NULL) {
        buf_str(&talk->body, STR(",\"limit\":1000"));
        if (cursor[0] != '\0') {
            json_write_key(&talk->body, &first, "cursor");
            json_write_str(&talk->body, str_of(cursor));
        }
    }
    buf_char(&talk->body, '}');
}

/* A word alone that is no segment is a slip of the pen, not a condition. */
static bool is_word(const char *text)
{
    return strpbrk(text, " \"=<>(") == NULL && strcmp(text, "everyone") != 0;
}

/* Asks `path` as a segment, and where there is none as a condition; *as says which it was. */
static enum err either_ask(struct talk *talk, const char *path, const char *asked,
                           const char *cursor, enum asked_as *as)
{
    bool     is_named = cli_has(talk->cli, "segment");
    enum err err = ERR_ABSENT;
    if (*as == AS_SEGMENT) {
        question_write(talk, asked, AS_SEGMENT, cursor);
        talk_path(talk, path, NULL, NULL);
        err = talk_ask(talk, "POST");
        if (err != ERR_ABSENT || is_named || is_word(asked))
            return err;
    }
    *as = AS_CONDITION;
    question_write(talk, asked, AS_CONDITION, cursor);
    talk_path(talk, path, NULL, NULL);
    return talk_ask(talk, "POST");
}

static void sample_print(struct talk *talk, const char *label, const char *key)
{
    const struct json *sample = json_get(&talk->answer, str_of(key));
    for (uint32_t i = 0; sample != NULL && i < sample->count; i++) {
        const char *name = talk_text(talk, &sample->items[i], "userId");
        printf("%s%s", i == 0 ? label : ", ",
               name[0] != '\0' ? name : talk_text(talk, &sample->items[i], "id"));
    }
    if (sample != NULL && sample->count > 0)
        printf("\n");
}

static void count_print(struct talk *talk)
{
    const struct cli *cli = talk->cli;
    int64_t           count = 0, people = 0;
    double            share = 0;
    char              number[PROGRESS_NUMBER_BYTES];
    (void)json_get_int(&talk->answer, STR("count"), &count);
    (void)json_get_int(&talk->answer, STR("people"), &people);
    (void)json_get_real(&talk->answer, STR("share"), &share);
    printf("%" PRId64 "\n", count);
    printf("%sof %s people (%.1f%%), as of %s%s\n", cli_quiet(cli), progress_number(people, number),
           share * 100, talk_text(talk, &talk->answer, "at"), cli_plain(cli));
    sample_print(talk, "such as ", "sample");
    talk_print_unseen(talk);
    if (json_get(&talk->answer, STR("entering")) == NULL)
        return;
    (void)json_get_int(&talk->answer, STR("entering"), &count);
    printf("%s would enter \"%s\"\n", progress_number(count, number), cli_value(cli, "compare"));
    sample_print(talk, "  ", "entering_sample");
    (void)json_get_int(&talk->answer, STR("leaving"), &count);
    printf("%s would leave\n", progress_number(count, number));
    sample_print(talk, "  ", "leaving_sample");
}

static enum cli_exit count(struct cli *cli)
{
    struct talk   talk;
    const char   *asked = cli_has(cli, "segment") ? cli_value(cli, "segment") : cli->words[1];
    enum err      err = talk_open(&talk, cli, false);
    enum asked_as as = AS_SEGMENT;
    if (err == OK)
        err = either_ask(&talk, "/api/v1/segments/count", asked, NULL, &as);
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

/* Page after page: all are of the first one's moment. */
static enum err people_ask(struct talk *talk, const char *asked)
{
    enum asked_as as = AS_SEGMENT;
    char          cursor[64] = "";
    do {
        TRY(either_ask(talk, "/api/v1/segments/people", asked, cursor, &as));
        const struct json *items = json_get(&talk->answer, STR("items"));
        for (uint32_t i = 0; items != NULL && i < items->count; i++)
            TRY((talk->cli->is_json ? json_line : member_line)(talk, &items->items[i]));
        snprintf(cursor, sizeof cursor, "%s", talk_text(talk, &talk->answer, "next"));
        arena_reset(talk->arena);
    } while (cursor[0] != '\0');
    return OK;
}

static enum cli_exit list(struct cli *cli)
{
    struct talk talk;
    const char *asked = cli_has(cli, "segment") ? cli_value(cli, "segment")
                        : cli->words_count > 1  ? cli->words[1]
                                                : NULL;
    enum err    err = talk_open(&talk, cli, false);
    if (err == OK && asked != NULL)
        err = people_ask(&talk, asked);
    else if (err == OK) {
        talk_path(&talk, "/api/v1/segments", NULL, NULL);
        talk_query(&talk, "limit", "1000");
        err = talk_all(&talk, cli->is_json ? json_line : name_line, &talk);
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
                         "Give one condition in quotes, or a segment's name.");
    if (strcmp(cli->words[0], "list") == 0)
        return list(cli);
    if (strcmp(cli->words[0], "convert") == 0)
        return cli_segment_convert(cli);
    if (strcmp(cli->words[0], "schema") == 0)
        return cli_segment_schema();
    return cli_usage(cli, "A segment is counted, listed or converted.",
                     "`dult help segment` shows how.");
}
