/* dult import: a file and a mapping become history. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "intake/import.h"
#include "run/cli/cli_talk.h"
#include "run/cli/files.h"
#include "run/cli/progress.h"

enum {
    RECORDS_MAX = 5000,    /* of one request: a second's work */
    REQUEST_MAX = 8 << 20, /* bytes; the API takes twice that */
    REFUSED_SHOWN = 10,
};

struct importing {
    struct cli     *cli;
    struct talk     talk;
    struct arena   *mapping_arena, *rows_arena;
    struct mapping *mapping;
    struct import  *import;
    struct progress progress;
    FILE           *refused_file;
    uint32_t        waiting; /* records in the body being written */
    bool            is_live;
    int64_t         rows, accepted, duplicates, dropped, skipped, refused;
    char            mapping_path[PATH_MAX];
};

/* ---- the mapping ---- */

static bool try_path(struct importing *importing, const char *folder, const char *between)
{
    const char *name = cli_value(importing->cli, "mapping");
    int length = snprintf(importing->mapping_path, sizeof importing->mapping_path, "%s%s%s", folder,
                          between, name);
    return length < (int)sizeof importing->mapping_path &&
           access(importing->mapping_path, R_OK) == 0;
}

/* The folder a path stands in, "." for a bare name. */
static const char *folder_of(const char *path, char *out, size_t out_bytes)
{
    const char *slash = strrchr(path, '/');
    str_to_cstr(slash == NULL ? STR(".") : (struct str){ path, (size_t)(slash - path) }, out,
                out_bytes);
    return out;
}

static bool beside_the_program(struct importing *importing)
{
    char    path[PATH_MAX], folder[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0)
        return false;
    path[length] = '\0';
    folder_of(path, folder, sizeof folder);
    return try_path(importing, folder, "/../connectors/") ||
           try_path(importing, folder, "/../share/dult/connectors/");
}

static bool mapping_find(struct importing *importing, const char *file)
{
    char folder[PATH_MAX];
    return try_path(importing, "", "") || try_path(importing, importing->cli->data, "/") ||
           try_path(importing, folder_of(file, folder, sizeof folder), "/") ||
           try_path(importing, "connectors", "/") || beside_the_program(importing);
}

static enum err mapping_load(struct importing *importing, const char *file)
{
    struct problem *problem = &importing->talk.problem;
    struct str      text;
    const char     *name = cli_value(importing->cli, "mapping");
    if (!mapping_find(importing, file))
        return problem_format(problem, ERR_ABSENT, name,
                              "Name a mapping file; connectors/ has examples.",
                              "It is not here, nor in %s, nor beside the file, nor among the "
                              "connectors.",
                              importing->cli->data);
    importing->mapping_arena = arena_open(MAPPING_BYTES_MAX * 64);
    if (importing->mapping_arena == NULL)
        return ERR_MEMORY;
    TRY(files_read_one(importing->mapping_arena, importing->mapping_path, MAPPING_BYTES_MAX, &text,
                       problem));
    enum err err = mapping_parse(importing->mapping_arena, text, &importing->mapping, problem);
    if (err != OK) {
        struct problem told = *problem;
        snprintf(problem->where, sizeof problem->where, "%.80s: %.70s", importing->mapping_path,
                 told.where);
    }
    return err;
}

/* ---- what would happen ---- */

static void on_progress(void *context, enum import_pass pass, uint64_t done, uint64_t total)
{
    struct importing *importing = context;
    importing->progress.label = pass == IMPORT_DIGEST ? "Reading  " : "Importing";
    progress_show(&importing->progress, done, total, NULL);
}

static void refused_print(struct importing *importing, const struct import_refused *refused)
{
    if (importing->refused_file != NULL)
        fprintf(importing->refused_file, "%" PRIu64 "\t%.*s\t%.*s\t%.*s\t%.*s\n", refused->line,
                STR_ARG(refused->field), STR_ARG(refused->reason), STR_ARG(refused->remedy),
                STR_ARG(refused->text));
    if (importing->refused > REFUSED_SHOWN || importing->cli->is_json)
        return;
    progress_end(&importing->progress);
    fprintf(stderr, "Line %" PRIu64 " was refused: %.*s: %.*s. %.*s\n", refused->line,
            STR_ARG(refused->field), STR_ARG(refused->reason), STR_ARG(refused->remedy));
}

static void arrival_write(struct buf *out, const struct arrival *arrival)
{
    char at[TIME_TEXT_BYTES];
    bool first = true;
    const struct {
        const char *key;
        struct str  value;
    } members[] = {
        { "type", arrival_kind_name(arrival->kind) },
        { "event", arrival->kind == ARRIVAL_TRACK ? arrival->name : STR_NONE },
        { "userId", arrival->user_id },
        { "anonymousId", arrival->anonymous_id },
        { "previousId", arrival->previous_id },
        { "groupId", arrival->group_id },
        { "messageId", arrival->message_id },
        { "timestamp", str_of(time_write(arrival->at_ms, at)) },
    };
    buf_char(out, '{');
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (str_is_empty(members[i].value))
            continue;
        json_write_key(out, &first, members[i].key);
        json_write_str(out, members[i].value);
    }
    /* The body is an object of the remaining members; they go on in ours. */
    struct str rest = str_slice(arrival->body, 1, arrival->body.len);
    if (rest.len > 1)
        buf_char(out, ',');
    buf_str(out, rest.len == 0 ? STR("}") : rest);
}

static void span_write(const struct import_preview *preview, char *first, char *last)
{
    time_write(preview->first_ms, first)[10] = '\0'; /* the day alone */
    time_write(preview->last_ms, last)[10] = '\0';
}

static void preview_print(const struct import_preview *preview, FILE *out)
{
    char first[TIME_TEXT_BYTES], last[TIME_TEXT_BYTES], a[PROGRESS_NUMBER_BYTES],
        b[PROGRESS_NUMBER_BYTES], c[PROGRESS_NUMBER_BYTES];
    span_write(preview, first, last);
    fprintf(out, "%s rows become %s events of %s people",
            progress_number((int64_t)preview->rows, a),
            progress_number((int64_t)preview->records, b),
            progress_number((int64_t)preview->people, c));
    if (preview->records > 0)
        fprintf(out, ", from %s to %s", first, last);
    fprintf(out, ".\n");
    if (preview->refused + preview->skipped > 0)
        fprintf(out, "%s would be refused, %s are left out by the mapping.\n",
                progress_number((int64_t)preview->refused, a),
                progress_number((int64_t)preview->skipped, b));
}

static void preview_json(const struct import_preview *preview)
{
    SCOPED(buf_donep) struct buf out = buf_make(TALK_BODY_BYTES_MAX);
    buf_format(&out,
               "{\"rows\":%" PRIu64 ",\"records\":%" PRIu64 ",\"people\":%" PRIu64
               ",\"refused\":%" PRIu64 ",\"skipped\":%" PRIu64 ",\"first\":[",
               preview->rows, preview->records, preview->people, preview->refused,
               preview->skipped);
    for (uint32_t i = 0; i < preview->first_count; i++) {
        buf_str(&out, i == 0 ? STR_NONE : STR(","));
        arrival_write(&out, &preview->first[i]);
    }
    buf_str(&out, STR("],\"refusedRows\":["));
    for (uint32_t i = 0; i < preview->refused_rows_count; i++) {
        const struct import_refused *row = &preview->refused_rows[i];
        buf_format(&out, "%s{\"line\":%" PRIu64 ",\"field\":", i == 0 ? "" : ",", row->line);
        json_write_str(&out, row->field);
        buf_str(&out, STR(",\"reason\":"));
        json_write_str(&out, row->reason);
        buf_str(&out, STR(",\"remedy\":"));
        json_write_str(&out, row->remedy);
        buf_char(&out, '}');
    }
    buf_str(&out, STR("]}"));
    printf("%.*s\n", STR_ARG(buf_view(&out)));
}

static enum err preview_read(struct importing *importing, const char *file,
                             struct import_preview *preview)
{
    struct import_file what = {
        .path = file, .received_ms = time_now_ms(), .progress = on_progress, .context = importing
    };
    arena_close(importing->rows_arena);
    importing->rows_arena = arena_open(IMPORT_ARENA_BYTES_MAX);
    if (importing->rows_arena == NULL)
        return ERR_MEMORY;
    enum err err = import_preview(&what, importing->mapping, importing->rows_arena, preview,
                                  &importing->talk.problem);
    progress_end(&importing->progress);
    return err;
}

static void dry_print(struct importing *importing, const struct import_preview *preview)
{
    SCOPED(buf_donep) struct buf line = buf_make(ARRIVAL_BODY_BYTES_MAX * 2);
    if (importing->cli->is_json) {
        preview_json(preview);
        return;
    }
    preview_print(preview, stdout);
    if (preview->first_count > 0)
        printf("\nThe first of them:\n");
    for (uint32_t i = 0; i < preview->first_count; i++) {
        buf_reset(&line);
        arrival_write(&line, &preview->first[i]);
        printf("  %.*s\n", STR_ARG(buf_view(&line)));
    }
    for (uint32_t i = 0; i < preview->refused_rows_count; i++) {
        importing->refused++;
        refused_print(importing, &preview->refused_rows[i]);
    }
    printf("\nNothing was imported.\n");
}

/* ---- doing it ---- */

static enum err flush(struct importing *importing)
{
    struct talk *talk = &importing->talk;
    int64_t      accepted = 0, duplicates = 0, dropped = 0, rejected = 0;
    if (importing->waiting == 0)
        return OK;
    buf_str(&talk->body, STR("]}"));
    talk_path(talk, "/api/v1/import", NULL, importing->is_live ? "?live=1" : NULL);
    TRY(talk_ask(talk, "POST"));
    (void)json_get_int(&talk->answer, STR("accepted"), &accepted);
    (void)json_get_int(&talk->answer, STR("duplicates"), &duplicates);
    (void)json_get_int(&talk->answer, STR("dropped"), &dropped);
    (void)json_get_int(&talk->answer, STR("rejectedCount"), &rejected);
    importing->accepted += accepted;
    importing->duplicates += duplicates;
    importing->dropped += dropped;
    importing->refused += rejected;
    importing->waiting = 0;
    arena_reset(talk->arena);
    return OK;
}

static enum err add(struct importing *importing, const struct arrival *arrival)
{
    struct buf *body = &importing->talk.body;
    if (importing->waiting == RECORDS_MAX || body->len > REQUEST_MAX)
        TRY(flush(importing));
    buf_str(body, importing->waiting == 0 ? STR("{\"records\":[") : STR(","));
    arrival_write(body, arrival);
    importing->waiting++;
    return OK;
}

static enum err rows(struct importing *importing)
{
    char                note[64], number[PROGRESS_NUMBER_BYTES];
    struct import_batch batch;
    for (;;) {
        arena_reset(importing->rows_arena);
        enum err err =
            import_next(importing->import, importing->rows_arena, &batch, &importing->talk.problem);
        if (err == ERR_ABSENT)
            return flush(importing);
        TRY(err);
        for (uint32_t i = 0; i < batch.records_count; i++)
            TRY(add(importing, &batch.records[i]));
        for (uint32_t i = 0; i < batch.refused_count; i++) {
            importing->refused++;
            refused_print(importing, &batch.refused[i]);
        }
        importing->rows += batch.rows;
        importing->skipped += batch.skipped;
        snprintf(note, sizeof note, "%s rows", progress_number(importing->rows, number));
        progress_show(&importing->progress, batch.bytes_done, batch.bytes_total, note);
    }
}

static void summary_print(const struct importing *importing)
{
    char a[PROGRESS_NUMBER_BYTES], b[PROGRESS_NUMBER_BYTES], c[PROGRESS_NUMBER_BYTES];
    if (importing->cli->is_json) {
        printf("{\"rows\":%" PRId64 ",\"accepted\":%" PRId64 ",\"duplicates\":%" PRId64
               ",\"dropped\":%" PRId64 ",\"skipped\":%" PRId64 ",\"refused\":%" PRId64 "}\n",
               importing->rows, importing->accepted, importing->duplicates, importing->dropped,
               importing->skipped, importing->refused);
        return;
    }
    printf("%s rows: %s events taken, %s known already", progress_number(importing->rows, a),
           progress_number(importing->accepted, b), progress_number(importing->duplicates, c));
    if (importing->skipped + importing->dropped > 0)
        printf(", %s left out", progress_number(importing->skipped + importing->dropped, a));
    printf(", %s refused.\n", progress_number(importing->refused, a));
    if (importing->refused > REFUSED_SHOWN)
        printf("Only the first %d refusals were shown; --refused FILE writes all.\n",
               REFUSED_SHOWN);
    if (!importing->is_live)
        printf(
            "People and segments are up to date. No journey was started and nothing was sent.\n");
}

static enum err import_rows(struct importing *importing, const char *file)
{
    struct import_file what = {
        .path = file, .received_ms = time_now_ms(), .progress = on_progress, .context = importing
    };
    arena_close(importing->rows_arena);
    importing->rows_arena = arena_open(IMPORT_ARENA_BYTES_MAX);
    if (importing->rows_arena == NULL)
        return ERR_MEMORY;
    enum err err =
        import_open(&importing->import, &what, importing->mapping, &importing->talk.problem);
    if (err == OK)
        err = rows(importing);
    progress_end(&importing->progress);
    import_close(importing->import);
    return err;
}

/* ---- asking first ---- */

static bool is_confirmed(const struct import_preview *preview)
{
    char answer[16];
    preview_print(preview, stderr);
    fprintf(stderr, "As live events they may start journeys and send mail to these people, where "
                    "they are recent enough.\nImport them so? [y/N] ");
    return fgets(answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

static enum cli_exit live_ask(struct importing *importing, const char *file, bool *go_on)
{
    struct import_preview preview = { .rows = 0 };
    *go_on = cli_has(importing->cli, "yes");
    if (*go_on)
        return CLI_OK;
    if (!isatty(STDIN_FILENO))
        return cli_usage(importing->cli,
                         "Live events may start journeys and send mail, so this "
                         "asks first, and there is nobody to ask.",
                         "Look with --dry-run, then add --yes.");
    enum err err = preview_read(importing, file, &preview);
    if (err != OK)
        return cli_fail(importing->cli, err, &importing->talk.problem);
    *go_on = is_confirmed(&preview);
    if (!*go_on)
        fprintf(stderr, "Nothing was imported.\n");
    return *go_on ? CLI_OK : CLI_NO;
}

static enum cli_exit dry_run(struct importing *importing, const char *file)
{
    struct import_preview preview = { .rows = 0 };
    enum err              err = preview_read(importing, file, &preview);
    if (err != OK)
        return cli_fail(importing->cli, err, &importing->talk.problem);
    dry_print(importing, &preview);
    return preview.refused == 0 ? CLI_OK : CLI_NO;
}

static enum err refused_open(struct importing *importing)
{
    const char *path = cli_value(importing->cli, "refused");
    if (path == NULL)
        return OK;
    importing->refused_file = fopen(path, "we");
    if (importing->refused_file == NULL)
        return problem_format(&importing->talk.problem, ERR_IO, path, "Name another file.",
                              "It cannot be written: %s.", strerror(errno));
    fprintf(importing->refused_file, "line\tfield\treason\tremedy\ttext\n");
    return OK;
}

static enum cli_exit run(struct importing *importing, const char *file)
{
    struct cli *cli = importing->cli;
    bool        go_on = true;
    enum err    err = mapping_load(importing, file);
    if (err == OK)
        err = refused_open(importing);
    if (err != OK)
        return cli_fail(cli, err, &importing->talk.problem);
    if (cli_has(cli, "dry-run"))
        return dry_run(importing, file);
    if (importing->is_live) {
        enum cli_exit code = live_ask(importing, file, &go_on);
        if (!go_on)
            return code;
    }
    err = talk_open(&importing->talk, cli, true);
    if (err == OK)
        err = import_rows(importing, file);
    if (err != OK)
        return talk_end(&importing->talk, err, CLI_OK);
    summary_print(importing);
    return talk_end(&importing->talk, OK, importing->refused == 0 ? CLI_OK : CLI_NO);
}

enum cli_exit cli_import(struct cli *cli)
{
    if (!cli_has(cli, "mapping"))
        return cli_usage(cli, "What do the rows mean?",
                         "Say it with --mapping FILE; connectors/ has examples.");
    struct importing *importing = calloc(1, sizeof *importing);
    if (importing == NULL)
        return CLI_IO;
    *importing = (struct importing){ .cli = cli,
                                     .is_live = cli_has(cli, "live"),
                                     .progress = progress_make("Reading  ") };
    importing->talk = (struct talk){ .cli = cli, .reach = { .folder = -1 } };
    enum cli_exit code = run(importing, cli->words[0]);
    arena_close(importing->rows_arena);
    arena_close(importing->mapping_arena);
    if (importing->refused_file != NULL && fclose(importing->refused_file) != 0 && code == CLI_OK)
        code = CLI_IO;
    free(importing);
    return code;
}
