/* dult rehearse: a draft journey run over what people really did; a table by node, or one person.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/time.h"
#include "engine/rehearse/rehearse.h"
#include "run/cli/cli_rehearse.h"
#include "run/cli/cli_report.h"
#include "run/cli/files.h"
#include "run/cli/progress.h"

enum { ID_COLUMNS = 18, KIND_COLUMNS = 10, NUMBER_COLUMNS = 11, DAY_BYTES = 11 };

/* ---- the question ---- */

static void definition_write(struct talk *talk, const struct file *file, bool *first)
{
    struct str text = file->text;
    bool       inner = true;
    if (file->kind == FILE_TEMPLATE)
        text = rehearse_head(talk->arena, text);
    buf_str(&talk->body, *first ? STR("{") : STR(",{"));
    *first = false;
    json_write_key(&talk->body, &inner, "kind");
    json_write_str(&talk->body, str_of(file_kind_name(file->kind)));
    json_write_key(&talk->body, &inner, "name");
    json_write_str(&talk->body, file->name);
    json_write_key(&talk->body, &inner, "text");
    json_write_str(&talk->body, text);
    buf_char(&talk->body, '}');
}

static bool plays_a_part(enum file_kind kind)
{
    return kind == FILE_WORKSPACE || kind == FILE_TOPICS || kind == FILE_RATES ||
           kind == FILE_TRAIT || kind == FILE_SCORE || kind == FILE_STAGES || kind == FILE_LIMITS ||
           kind == FILE_SEGMENT || kind == FILE_TEMPLATE || kind == FILE_JOURNEY;
}

static enum err folder_write(struct talk *talk, const char *folder, bool *first)
{
    struct files files;
    bool         none = true;
    TRY(files_read(talk->arena, folder, &files, &talk->problem));
    json_write_key(&talk->body, first, "definitions");
    buf_char(&talk->body, '[');
    for (uint32_t i = 0; i < files.count; i++)
        if (plays_a_part(files.items[i].kind))
            definition_write(talk, &files.items[i], &none);
    buf_char(&talk->body, ']');
    return OK;
}

static enum err file_write(struct talk *talk, const char *path, bool *first)
{
    struct str text;
    TRY(files_read_one(talk->arena, path, FILE_BYTES_MAX, &text, &talk->problem));
    json_write_key(&talk->body, first, "draft");
    json_write_str(&talk->body, text);
    return OK;
}

/* Names with commas between: none of a journey has one that would be missed. */
static void names_write(struct talk *talk, const char *names, bool *first)
{
    struct str rest = str_of(names), one;
    bool       none = true;
    json_write_key(&talk->body, first, "journeys");
    buf_char(&talk->body, '[');
    while (rest.len > 0 && str_split(&rest, ',', &one)) {
        if (!none)
            buf_char(&talk->body, ',');
        none = false;
        json_write_str(&talk->body, str_trim(one));
    }
    buf_char(&talk->body, ']');
}

static void options_write(struct talk *talk, bool *first)
{
    static const char *const texts[] = { "from", "to", "person" };
    static const char *const numbers[] = { "sample", "threads" };
    int64_t                  number;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (cli_has(talk->cli, texts[i])) {
            json_write_key(&talk->body, first, texts[i]);
            json_write_str(&talk->body, str_of(cli_value(talk->cli, texts[i])));
        }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (cli_has(talk->cli, numbers[i]) &&
            str_to_int(str_of(cli_value(talk->cli, numbers[i])), &number) == OK) {
            json_write_key(&talk->body, first, numbers[i]);
            buf_int(&talk->body, number);
        }
}

static void saved_write(struct talk *talk, const char *name, bool *first)
{
    json_write_key(&talk->body, first, "drafts");
    buf_char(&talk->body, '[');
    json_write_str(&talk->body, str_of(name));
    buf_char(&talk->body, ']');
}

/* A folder, a file, or the name of a published journey, or of a saved draft. */
static enum err question_write(struct talk *talk)
{
    struct cli *cli = talk->cli;
    const char *word = cli->words[0];
    struct stat about;
    bool        first = true, is_saved = cli_has(cli, "draft");
    bool        is_there = !is_saved && stat(word, &about) == 0;
    const char *names = cli_value(cli, "journey");
    buf_char(&talk->body, '{');
    if (is_saved)
        saved_write(talk, word, &first);
    else if (is_there)
        TRY(S_ISDIR(about.st_mode) ? folder_write(talk, word, &first)
                                   : file_write(talk, word, &first));
    else if (names == NULL)
        names = word;
    if (names != NULL)
        names_write(talk, names, &first);
    options_write(talk, &first);
    buf_char(&talk->body, '}');
    return OK;
}

/* ---- the answer, for people ---- */

static char *number_of(const struct json *object, const char *key, char *out)
{
    return progress_number(report_int(object, key), out);
}

/* "8,200 yes, 100 no" */
static void ways_print(struct talk *talk, const struct json *list, const char *key)
{
    char number[PROGRESS_NUMBER_BYTES];
    for (uint32_t i = 0; i < list->count; i++)
        printf("%s%s %s", i > 0 ? ", " : "", number_of(&list->items[i], "count", number),
               talk_text(talk, &list->items[i], key));
}

static void node_print(struct talk *talk, const struct json *node)
{
    char number[PROGRESS_NUMBER_BYTES];
    const char *template = talk_text(talk, node, "template");
    printf("  %-*s %-*s %*s", ID_COLUMNS, talk_text(talk, node, "id"), KIND_COLUMNS,
           talk_text(talk, node, "kind"), NUMBER_COLUMNS, number_of(node, "arrived", number));
    printf(" %*s  ", NUMBER_COLUMNS, number_of(node, "waiting", number));
    if (template[0] != '\0') {
        int64_t            held = 0;
        const struct json *reasons = report_list(node, "held");
        for (uint32_t i = 0; i < reasons->count; i++)
            held += report_int(&reasons->items[i], "count");
        printf("%s sent", number_of(node, "sent", number));
        if (held > 0)
            printf(", %s held back", progress_number(held, number));
        if (report_int(node, "queued") > 0)
            printf(", %s not gone yet", number_of(node, "queued", number));
    }
    const struct json *took = report_list(node, "took");
    if (took->count > 0 && template[0] != '\0')
        printf("; ");
    ways_print(talk, took, "way");
    printf("\n");
}

static void held_print(struct talk *talk, const struct json *nodes, const char *key,
                       const char *heading)
{
    char number[PROGRESS_NUMBER_BYTES];
    bool any = false;
    for (uint32_t i = 0; i < nodes->count; i++) {
        const struct json *held = report_list(&nodes->items[i], key);
        for (uint32_t k = 0; k < held->count; k++) {
            printf("%s", any ? "" : heading);
            any = true;
            printf("  %*s  %s: %s\n", NUMBER_COLUMNS, number_of(&held->items[k], "count", number),
                   talk_text(talk, &nodes->items[i], "id"),
                   talk_text(talk, &held->items[k], "reason"));
        }
    }
}

static void reasons_print(struct talk *talk, const struct json *journey, const char *key,
                          const char *heading)
{
    char               number[PROGRESS_NUMBER_BYTES];
    const struct json *list = report_list(journey, key);
    if (list->count > 0)
        printf("%s\n", heading);
    for (uint32_t i = 0; i < list->count; i++)
        printf("  %*s  %s\n", NUMBER_COLUMNS, number_of(&list->items[i], "count", number),
               talk_text(talk, &list->items[i], "reason"));
}

static void busiest_print(struct talk *talk, const struct json *journey)
{
    char               number[PROGRESS_NUMBER_BYTES];
    const struct json *days = report_list(journey, "days"), *most = NULL;
    for (uint32_t i = 0; i < days->count; i++)
        if (most == NULL || report_int(&days->items[i], "sent") > report_int(most, "sent"))
            most = &days->items[i];
    if (most != NULL && report_int(most, "sent") > 0)
        printf("The busiest day: %s messages on %s\n", number_of(most, "sent", number),
               talk_text(talk, most, "day"));
}

static const char *name_of(struct talk *talk, const struct json *person)
{
    const char *user = talk_text(talk, person, "userId");
    return user[0] != '\0' ? user : talk_text(talk, person, "id");
}

static void samples_print(struct talk *talk, const struct json *journey)
{
    const struct json *list = report_list(journey, "sample");
    if (list->count > 0)
        printf("Such as\n");
    for (uint32_t i = 0; i < list->count; i++) {
        const struct json *one = &list->items[i];
        const char        *ended = talk_text(talk, one, "ended");
        const char        *node = talk_text(talk, one, "node");
        printf("  %-24s entered %.16s, %s%s, %" PRId64 " sent\n", name_of(talk, one),
               talk_text(talk, one, "entered"), ended[0] != '\0' ? ended : "now at ",
               ended[0] != '\0' ? "" : node, report_int(one, "sent"));
    }
}

static void journey_print(struct talk *talk, const struct json *journey)
{
    const struct cli  *cli = talk->cli;
    const struct json *nodes = report_list(journey, "nodes");
    char               number[4][PROGRESS_NUMBER_BYTES];
    printf("%s%s%s: %s people would have entered (%s times), %s messages sent, %s held back\n",
           cli_bold(cli), talk_text(talk, journey, "journey"), cli_plain(cli),
           number_of(journey, "people", number[0]), number_of(journey, "entries", number[1]),
           number_of(journey, "sent", number[2]), number_of(journey, "held", number[3]));
    printf("%s  %-*s %-*s %*s %*s  went on%s\n", cli_quiet(cli), ID_COLUMNS, "node", KIND_COLUMNS,
           "kind", NUMBER_COLUMNS, "arrived", NUMBER_COLUMNS, "waiting", cli_plain(cli));
    for (uint32_t i = 0; i < nodes->count; i++)
        node_print(talk, &nodes->items[i]);
    held_print(talk, nodes, "held", "Held back:\n");
    held_print(talk, nodes, "delayed", "Kept waiting:\n");
    reasons_print(talk, journey, "ended", "Left the journey:");
    if (report_int(journey, "inside") > 0)
        printf("  %*s  inside at the end\n", NUMBER_COLUMNS,
               number_of(journey, "inside", number[0]));
    if (report_int(journey, "goals") > 0)
        printf("  %*s  reached the goal\n", NUMBER_COLUMNS, number_of(journey, "goals", number[0]));
    reasons_print(talk, journey, "not_entered", "Did not enter:");
    busiest_print(talk, journey);
    samples_print(talk, journey);
}

static void path_print(struct talk *talk, const struct json *person)
{
    const struct json *path = report_list(person, "path");
    printf("%s\n", name_of(talk, person));
    if (path->count == 0)
        printf("  nothing would have begun\n");
    for (uint32_t i = 0; i < path->count; i++) {
        const struct json *line = &path->items[i];
        const char *node = talk_text(talk, line, "node"), *why = talk_text(talk, line, "reason"),
                   *took = talk_text(talk, line, "took"), *due = talk_text(talk, line, "until"),
                   *template = talk_text(talk, line, "template");
        printf("  %.16s  %-10s %s%s%s", talk_text(talk, line, "at"), talk_text(talk, line, "what"),
               talk_text(talk, line, "journey"), node[0] ? ": " : "", node);
        printf("%s%s%s%s", template[0] ? ", " : "", template, took[0] ? ", " : "", took);
        printf("%s%s%s%.16s\n", why[0] ? ": " : "", why, due[0] ? ", until " : "", due);
    }
}

static void answer_print(struct talk *talk)
{
    const struct cli  *cli = talk->cli;
    const struct json *person = json_get(&talk->answer, STR("person"));
    const struct json *journeys = report_list(&talk->answer, "journeys");
    const struct json *assumes = report_list(&talk->answer, "assumes");
    char               number[PROGRESS_NUMBER_BYTES];
    printf("%s%.10s to %.10s%s\n", cli_quiet(cli), talk_text(talk, &talk->answer, "from"),
           talk_text(talk, &talk->answer, "to"), cli_plain(cli));
    if (person != NULL)
        path_print(talk, person);
    for (uint32_t i = 0; i < journeys->count; i++)
        journey_print(talk, &journeys->items[i]);
    if (report_int(&talk->answer, "given_up") > 0)
        printf(
            "%s people did more than a rehearsal looks at; they are counted as far as it went.\n",
            number_of(&talk->answer, "given_up", number));
    for (uint32_t i = 0; i < assumes->count; i++)
        fprintf(stderr, "%s%.*s\n", i == 0 ? "Assumed: " : "         ",
                STR_ARG(assumes->items[i].string));
}

/* One person's way is told at once; whatever is about everyone may take a while. */
static enum err answer_get(struct talk *talk, bool *is_stopped)
{
    if (!cli_has(talk->cli, "person"))
        return rehearsal_run(talk, is_stopped);
    talk_path(talk, "/api/v1/journeys/rehearse", NULL, NULL);
    return talk_ask(talk, "POST");
}

enum cli_exit cli_rehearse(struct cli *cli)
{
    static const char *const numbers[] = { "sample", "threads" };
    struct talk              talk;
    int64_t                  number;
    bool                     is_stopped = false;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (cli_has(cli, numbers[i]) &&
            str_to_int(str_of(cli_value(cli, numbers[i])), &number) != OK)
            return cli_usage(cli, "This is no number.", "Write --sample 5, --threads 2.");
    if (cli_has(cli, "stop"))
        return rehearsal_stop(cli);
    if (cli->words_count == 0)
        return cli_usage(cli, "What is to be rehearsed?",
                         "Name a folder, a journey's file, or a published journey.");
    enum err err = talk_open(&talk, cli, false);
    if (err == OK)
        err = question_write(&talk);
    if (err == OK)
        err = answer_get(&talk, &is_stopped);
    if (err == OK && is_stopped)
        return talk_end(&talk, OK, CLI_NO);
    if (err == OK && cli->is_json)
        talk_print_json(&talk.answer);
    else if (err == OK)
        answer_print(&talk);
    return talk_end(&talk, err, CLI_OK);
}
