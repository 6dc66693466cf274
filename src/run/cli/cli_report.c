/* dult report: how often, how far, who comes back, how long, how many, by stage. */
#include "run/cli/cli_report.h"

#include <string.h>

static const struct report_command REPORTS[] = {
    { "trend", "trends", 1, 1, report_show_trends, report_csv_trends },
    { "funnel", "funnel", 2, 12, report_show_funnel, report_csv_funnel },
    { "retention", "retention", 1, 2, report_show_retention, report_csv_retention },
    { "spread", "spread", 2, 2, report_show_spread, report_csv_spread },
    { "growth", "growth", 0, 0, report_show_growth, report_csv_growth },
    { "attribution", "attribution", 0, 1, report_show_attribution, report_csv_attribution },
    { "stages", "stages", 0, 0, report_show_stages, report_csv_stages },
};

/* ---- the question ---- */

static void text_add(struct buf *body, bool *first, const char *key, const char *value)
{
    if (value == NULL)
        return;
    json_write_key(body, first, key);
    json_write_str(body, str_of(value));
}

/* What stands for itself in the body; the rest is written below. */
static void options_add(const struct cli *cli, struct buf *body, bool *first)
{
    static const char *const names[] = { "where",  "segment",  "condition", "by",       "sum",
                                         "within", "from",     "to",        "interval", "at",
                                         "model",  "currency", "broadcast" };
    int64_t                  groups;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        text_add(body, first, names[i], cli_value(cli, names[i]));
    if (cli_has(cli, "groups") && str_to_int(str_of(cli_value(cli, "groups")), &groups) == OK) {
        json_write_key(body, first, "groups");
        buf_int(body, groups);
    }
}

static void events_add(const struct cli *cli, const struct report_command *report, struct buf *body,
                       bool *first)
{
    const char *const *events = cli->words + 1;
    int                count = cli->words_count - 1;
    if (strcmp(report->name, "funnel") == 0) {
        json_write_key(body, first, "steps");
        for (int i = 0; i < count; i++) {
            buf_char(body, i == 0 ? '[' : ',');
            json_write_str(body, str_of(events[i]));
        }
        buf_char(body, ']');
        return;
    }
    if (count > 0)
        text_add(body, first, "event", events[0]);
    if (count > 1)
        text_add(body, first, strcmp(report->name, "spread") == 0 ? "then" : "back", events[1]);
    if (cli_has(cli, "any"))
        text_add(body, first, "born", "any");
    if (cli_has(cli, "all"))
        text_add(body, first, "count", "all");
    if (strcmp(report->name, "growth") == 0)
        text_add(body, first, "list", cli_value(cli, "list"));
}

/* Up to the next comma that stands in no quotes; false at the end. */
static bool pick_piece(struct str *rest, struct str *piece)
{
    bool   is_quoted = false;
    size_t at = 0;
    if (rest->len == 0)
        return false;
    for (; at < rest->len && (is_quoted || rest->ptr[at] != ','); at++)
        if (rest->ptr[at] == '"')
            is_quoted = !is_quoted;
        else if (is_quoted && rest->ptr[at] == '\\')
            at++;
    *piece = str_slice(*rest, 0, at);
    *rest = str_slice(*rest, at + 1, rest->len);
    return true;
}

/* "as it stands", with \" and \\ for these two: always a text, though it be a number. */
static void quoted_write(struct str value, struct buf *body)
{
    SCOPED(buf_donep) struct buf text = buf_make(value.len + 1);
    for (size_t i = 1; i < value.len && value.ptr[i] != '"'; i++) {
        if (value.ptr[i] == '\\' && i + 1 < value.len)
            i++;
        buf_char(&text, value.ptr[i]);
    }
    json_write_str(body, buf_view(&text));
}

static void pick_value_write(struct str value, struct buf *body)
{
    int64_t number;
    if (str_starts(value, STR("\"")))
        quoted_write(value, body);
    else if (str_to_int(value, &number) == OK)
        buf_int(body, number);
    else
        json_write_str(body, value);
}

void report_pick_write(const char *text, struct buf *body)
{
    struct str rest = str_of(text), piece;
    bool       is_first = true;
    buf_char(body, '{');
    while (pick_piece(&rest, &piece)) {
        size_t     split = str_find_char(piece, 0, '=');
        struct str key = str_trim(str_slice(piece, 0, split));
        if (key.len == 0)
            continue;
        if (!is_first)
            buf_char(body, ',');
        is_first = false;
        json_write_str(body, key);
        buf_char(body, ':');
        if (split >= piece.len)
            buf_str(body, STR("true"));
        else
            pick_value_write(str_trim(str_slice(piece, split + 1, piece.len)), body);
    }
    buf_char(body, '}');
}

static void body_write(struct talk *talk, const struct report_command *report, const char *cursor)
{
    struct cli *cli = talk->cli;
    bool        first = true;
    buf_reset(&talk->body);
    buf_char(&talk->body, '{');
    events_add(cli, report, &talk->body, &first);
    options_add(cli, &talk->body, &first);
    if (cli_has(cli, "people")) {
        json_write_key(&talk->body, &first, "pick");
        report_pick_write(cli_value(cli, "people"), &talk->body);
    }
    if (cli_has(cli, "join"))
        text_add(&talk->body, &first, "list", cli_value(cli, "join"));
    text_add(&talk->body, &first, "cursor", cursor);
    if (cli_has(cli, "people") && !cli_has(cli, "join"))
        buf_str(&talk->body, STR(",\"limit\":1000"));
    buf_char(&talk->body, '}');
}

/* ---- the people behind a number ---- */

static void person_line(struct talk *talk, const struct json *person)
{
    const char *name = talk_text(talk, person, "userId");
    if (talk->cli->is_json) {
        SCOPED(buf_donep) struct buf line = buf_make(1 << 20);
        json_write(&line, person);
        printf("%.*s\n", STR_ARG(buf_view(&line)));
        return;
    }
    printf("%s\n", name[0] != '\0' ? name : talk_text(talk, person, "id"));
}

static enum err people_ask(struct talk *talk, const struct report_command *report)
{
    char cursor[64] = "";
    do {
        body_write(talk, report, cursor[0] != '\0' ? cursor : NULL);
        talk_path(talk, "/api/v1/reports/", report->name, "/people");
        TRY(talk_ask(talk, "POST"));
        const struct json *items = report_list(&talk->answer, "items");
        for (uint32_t i = 0; i < items->count; i++)
            person_line(talk, &items->items[i]);
        snprintf(cursor, sizeof cursor, "%s", talk_text(talk, &talk->answer, "next"));
        arena_reset(talk->arena);
    } while (cursor[0] != '\0');
    return OK;
}

static enum err join_ask(struct talk *talk, const struct report_command *report)
{
    body_write(talk, report, NULL);
    talk_path(talk, "/api/v1/reports/", report->name, "/list");
    TRY(talk_ask(talk, "POST"));
    if (talk->cli->is_json)
        talk_print_json(&talk->answer);
    else
        printf("%lld people joined the list \"%s\".\n",
               (long long)report_int(&talk->answer, "people"),
               talk_text(talk, &talk->answer, "list"));
    return OK;
}

static enum err numbers_ask(struct talk *talk, const struct report_command *report)
{
    body_write(talk, report, NULL);
    talk_path(talk, "/api/v1/reports/", report->name, NULL);
    TRY(talk_ask(talk, "POST"));
    if (talk->cli->is_json)
        talk_print_json(&talk->answer);
    else if (cli_has(talk->cli, "csv"))
        report->csv(talk);
    else
        report->show(talk);
    return OK;
}

enum cli_exit cli_report(struct cli *cli)
{
    struct talk                  talk;
    const struct report_command *report = NULL;
    for (size_t i = 0; i < sizeof REPORTS / sizeof REPORTS[0]; i++)
        if (strcmp(cli->words[0], REPORTS[i].word) == 0 ||
            strcmp(cli->words[0], REPORTS[i].name) == 0)
            report = &REPORTS[i];
    if (report == NULL)
        return cli_usage(
            cli, "Which report?",
            "There are trend, funnel, retention, spread, growth, attribution and stages.");
    int count = cli->words_count - 1;
    if (count < report->words_least || count > report->words_most)
        return cli_usage(cli, "Which events?", "`dult help report` shows how many each takes.");
    int64_t groups;
    if (cli_has(cli, "groups") && str_to_int(str_of(cli_value(cli, "groups")), &groups) != OK)
        return cli_usage(cli, "How many values are to be told apart?",
                         "Give --groups a number from 1 to 100.");
    if (cli_has(cli, "join") && !cli_has(cli, "people"))
        return cli_usage(cli, "Who is to join the list?", "Name one number: --people step=2.");
    enum err err = talk_open(&talk, cli, false);
    if (err == OK)
        err = cli_has(cli, "join")     ? join_ask(&talk, report)
              : cli_has(cli, "people") ? people_ask(&talk, report)
                                       : numbers_ask(&talk, report);
    return talk_end(&talk, err, CLI_OK);
}

/* ---- members of an answer ---- */

int64_t report_int(const struct json *object, const char *key)
{
    int64_t value = 0;
    (void)json_get_int(object, str_of(key), &value);
    return value;
}

double report_real(const struct json *object, const char *key)
{
    double value = 0;
    (void)json_get_real(object, str_of(key), &value);
    return value;
}

const struct json *report_list(const struct json *object, const char *key)
{
    static const struct json empty = { .kind = JSON_ARRAY };
    const struct json       *list = json_get(object, str_of(key));
    return list != NULL && list->kind == JSON_ARRAY ? list : &empty;
}

int64_t report_at(const struct json *list, uint32_t i)
{
    return i < list->count && list->items[i].kind == JSON_INT ? list->items[i].integer : 0;
}
