/*
 * dult apply, diff, check: a folder of files becomes what Dult does.
 *
 * Whether a file is right can depend on the others (a journey names its template), so the folder
 * is tried whole in a scratch workspace first, together with what is defined already and is not in
 * the folder. Only when all of it is accepted there is anything changed.
 */
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/cli/checking.h"
#include "run/cli/cli_inside.h"
#include "run/cli/cli_talk.h"
#include "run/cli/diff.h"
#include "run/cli/files.h"
#include "run/cli/findings.h"
#include "run/send/file_def.h"

enum { FILES_ARENA_BYTES_MAX = FILES_BYTES_MAX * 2, FAULTS_SHOWN = 50 };

enum change { CHANGE_NONE, CHANGE_NEW, CHANGE_TEXT };

struct applying {
    struct cli     *cli;
    struct talk     talk; /* with the workspace itself */
    struct arena   *arena;
    const char     *folder;
    struct files    files;   /* the folder's, in order */
    struct files    all;     /* these, and what is defined and not among them */
    struct str     *current; /* of each of `files`: what is defined now; no ptr: nothing */
    enum change    *changes;
    uint32_t        faults;
    struct findings findings; /* in the templates that can be taken */
    bool            moves;    /* those inside changed journeys go on by the new version */
};

/* ---- one file and the API ---- */

static void path_of(struct talk *talk, const struct file *file, const char *end)
{
    char start[64];
    bool is_single = file_kind_is_single(file->kind);
    snprintf(start, sizeof start, is_single ? "/api/v1/%s" : "/api/v1/%s/",
             file_kind_folder(file->kind));
    if (is_single) {
        talk_path(talk, start, NULL, end);
        return;
    }
    talk_path(talk, start, file->name.ptr, end); /* a name ends with NUL: str_copy made it */
}

static enum err current_read(struct applying *applying, const struct file *file, struct str *out)
{
    struct talk         *talk = &applying->talk;
    struct client_answer answer;
    path_of(talk, file, "?raw=1");
    *out = STR_NONE;
    enum err err = client_call(talk->reach.client, "GET", buf_view(&talk->path), STR_NONE, &answer,
                               &talk->problem);
    if (err == ERR_ABSENT) {
        talk->problem.what[0] = '\0';
        return OK;
    }
    TRY(err);
    if (answer.body.len == 0)
        return OK; /* a workspace that nobody has described yet */
    *out = str_copy(applying->arena, answer.body);
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

/* A file with its settings; where it is only tried, one byte stands for all of it. */
static enum err handout_put(struct talk *talk, const struct file *file, const char *end)
{
    struct file_def def;
    struct str      bytes = STR_NONE;
    char            number[16];
    TRY(file_def_parse(talk->arena, file->text, &def, &talk->problem));
    path_of(talk, file, end);
    talk_query(talk, "filename", str_copy(talk->arena, def.filename).ptr);
    talk_query(talk, "type", str_copy(talk->arena, def.type).ptr);
    snprintf(number, sizeof number, "%u", def.days);
    talk_query(talk, "days", number);
    snprintf(number, sizeof number, "%u", def.downloads);
    talk_query(talk, "downloads", number);
    if (file->content.len > 0)
        TRY(files_map(file->content.ptr, &bytes, &talk->problem));
    enum err err = client_json(talk->reach.client, talk->arena, "PUT", buf_view(&talk->path),
                               bytes.len > 0 ? bytes : STR("x"), &talk->answer, &talk->problem);
    files_unmap(bytes);
    return err;
}

static enum err define(struct talk *talk, const struct file *file, const char *end)
{
    if (file->kind == FILE_HANDOUT)
        return handout_put(talk, file, end);
    path_of(talk, file, end);
    buf_reset(&talk->body);
    buf_str(&talk->body, file->text);
    return talk_ask(talk, "PUT");
}

/* "segments/vip.segment:2:14": the file's path instead of what the API calls the text. */
static void place_in_file(struct problem *problem, const struct file *file)
{
    char        where[sizeof problem->where];
    const char *rest = problem->where;
    size_t      skip = strcspn(rest, "0123456789");
    bool        has_line = rest[skip] != '\0' && (skip == 0 || rest[skip - 1] == ':');
    if (has_line)
        snprintf(where, sizeof where, "%.100s:%.50s", file->path.ptr, rest + skip);
    else
        snprintf(where, sizeof where, "%.100s%s%.50s", file->path.ptr, rest[0] ? ": " : "", rest);
    memcpy(problem->where, where, sizeof where);
}

/* ---- trying it ---- */

static bool is_ours(const struct applying *applying, const struct file *file)
{
    for (uint32_t i = 0; i < applying->files.count; i++)
        if (applying->files.items[i].kind == file->kind &&
            str_eq(applying->files.items[i].name, file->name))
            return true;
    return false;
}

static enum err fault(struct applying *applying, enum err err, struct problem *problem,
                      const struct file *file)
{
    if (err != ERR_INPUT && err != ERR_ABSENT && err != ERR_LIMIT && err != ERR_CONFLICT)
        return err; /* no fault of the file */
    place_in_file(problem, file);
    applying->faults++;
    if (applying->faults <= FAULTS_SHOWN)
        cli_fail(applying->cli, err, problem);
    return OK;
}

/* A template that would only fail later is a fault, too; what a journey's drawing hides is told. */
static void judge(struct applying *applying, const struct talk *scratch, const struct file *file)
{
    uint32_t before = applying->findings.errors;
    if (file->kind != FILE_TEMPLATE && file->kind != FILE_JOURNEY)
        return;
    findings_take(&applying->findings, file->path, &scratch->answer);
    applying->faults += applying->findings.errors > before;
}

static enum err try_files(struct applying *applying, struct talk *scratch)
{
    for (uint32_t i = 0; i < applying->all.count; i++) {
        const struct file *file = &applying->all.items[i];
        struct file        tried = *file;
        tried.content = STR_NONE;
        enum err err = define(scratch, &tried, NULL);
        if (err != OK && is_ours(applying, file))
            err = fault(applying, err, &scratch->problem, file);
        else if (err == ERR_INPUT || err == ERR_ABSENT)
            err = OK; /* defined by an older Dult, and none of this folder's business */
        else if (err == OK && is_ours(applying, file))
            judge(applying, scratch, file);
        TRY(err);
        arena_reset(scratch->arena);
    }
    return OK;
}

static int remove_each(const char *path, const struct stat *stat_, int type, struct FTW *place)
{
    (void)stat_;
    (void)type;
    (void)place;
    return remove(path);
}

static enum err try_all(struct applying *applying, struct problem *problem)
{
    char        folder[] = "/tmp/dult-check-XXXXXX";
    struct talk scratch;
    struct cli *cli = calloc(1, sizeof *cli);
    if (cli == NULL)
        return ERR_MEMORY;
    *cli = *applying->cli;
    if (mkdtemp(folder) == NULL) {
        free(cli);
        return problem_set(problem, ERR_IO, "/tmp", "No folder for trying can be made.",
                           "Make room in /tmp.");
    }
    cli->data = folder;
    enum err err = talk_open(&scratch, cli, true);
    if (err == OK)
        err = try_files(applying, &scratch);
    if (err != OK)
        *problem = scratch.problem;
    talk_close(&scratch);
    nftw(folder, remove_each, 16, FTW_DEPTH | FTW_PHYS);
    free(cli);
    return err;
}

/* ---- what is defined and not in the folder ---- */

struct collecting {
    struct applying *applying;
    enum file_kind   kind;
};

static enum err collect_each(void *context, const struct json *item)
{
    struct collecting *collecting = context;
    struct applying   *applying = collecting->applying;
    struct file        file = { .kind = collecting->kind,
                                .name = str_copy(applying->arena, json_get_str(item, STR("name"))) };
    if (file.name.ptr == NULL)
        return ERR_MEMORY;
    file.path = str_format(applying->arena, "%s \"%s\"", file_kind_name(file.kind), file.name.ptr);
    if (!is_ours(applying, &file) && applying->all.count < 2 * FILES_MAX)
        applying->all.items[applying->all.count++] = file;
    return OK;
}

static int by_kind(const void *a, const void *b)
{
    const struct file *left = a, *right = b;
    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    return str_cmp(left->name, right->name);
}

static enum err all_collect(struct applying *applying)
{
    struct talk *talk = &applying->talk;
    applying->all.items = ARENA_ARRAY(applying->arena, 2 * FILES_MAX, struct file);
    if (applying->all.items == NULL)
        return ERR_MEMORY;
    memcpy(applying->all.items, applying->files.items,
           applying->files.count * sizeof *applying->files.items);
    applying->all.count = applying->files.count;
    for (int kind = FILE_WORKSPACE + 1; talk->reach.client != NULL && kind < FILE_KINDS; kind++) {
        struct collecting collecting = { applying, (enum file_kind)kind };
        char              path[64];
        if (file_kind_is_single((enum file_kind)kind)) {
            struct file single = { .kind = (enum file_kind)kind };
            single.path =
                str_format(applying->arena, "%s.json", file_kind_name((enum file_kind)kind));
            if (single.path.ptr == NULL)
                return ERR_MEMORY;
            if (!is_ours(applying, &single) && applying->all.count < 2 * FILES_MAX)
                applying->all.items[applying->all.count++] = single;
            continue;
        }
        snprintf(path, sizeof path, "/api/v1/%s", file_kind_folder((enum file_kind)kind));
        talk_path(talk, path, NULL, NULL);
        TRY(talk_all(talk, collect_each, &collecting));
    }
    for (uint32_t i = applying->files.count; i < applying->all.count; i++)
        TRY(current_read(applying, &applying->all.items[i], &applying->all.items[i].text));
    qsort(applying->all.items, applying->all.count, sizeof *applying->all.items, by_kind);
    return files_order(applying->arena, &applying->all, &talk->problem);
}

/* ---- what would change ---- */

static enum err changes_find(struct applying *applying)
{
    applying->current = ARENA_ARRAY(applying->arena, applying->files.count, struct str);
    applying->changes = ARENA_ARRAY(applying->arena, applying->files.count, enum change);
    if (applying->current == NULL || applying->changes == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < applying->files.count; i++) {
        struct str *current = &applying->current[i];
        TRY(current_read(applying, &applying->files.items[i], current));
        applying->changes[i] = current->ptr == NULL                              ? CHANGE_NEW
                               : str_eq(*current, applying->files.items[i].text) ? CHANGE_NONE
                                                                                 : CHANGE_TEXT;
    }
    return OK;
}

static const char *change_name(enum change change)
{
    return change == CHANGE_NEW ? "new" : change == CHANGE_TEXT ? "changed" : "same";
}

static uint32_t changes_count(const struct applying *applying)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < applying->files.count; i++)
        count += applying->changes[i] != CHANGE_NONE;
    return count;
}

/* ---- opening and ending ---- */

static bool is_template_file(const char *word)
{
    return str_ends(str_of(word), STR(".email"));
}

/* What the files named may need of the folder that they lie in. */
static enum err around_read(struct applying *applying, struct str first)
{
    struct files around = { .count = 0 };
    size_t       cut = first.len;
    while (cut > 0 && first.ptr[cut - 1] != '/')
        cut--;
    struct str  dir = cut > 0 ? str_slice(first, 0, cut - 1) : STR(".");
    const char *path = str_copy(applying->arena, dir).ptr;
    char       *real = path == NULL ? NULL : realpath(path, NULL);
    bool        is_there = real != NULL && str_ends(str_of(real), STR("/templates"));
    enum err    err = OK;
    if (is_there) {
        real[strlen(real) - strlen("/templates")] = '\0';
        err = files_read(applying->arena, real, &around, &applying->talk.problem);
    }
    free(real);
    for (uint32_t i = 0; err == OK && i < around.count; i++)
        if (around.items[i].kind != FILE_TEMPLATE && around.items[i].kind != FILE_JOURNEY &&
            around.items[i].kind != FILE_BROADCAST && around.items[i].kind != FILE_TOUCHPOINT)
            applying->files.items[applying->files.count++] = around.items[i];
    return err;
}

/* Templates by themselves instead of a folder. */
static enum err files_pick(struct applying *applying)
{
    const struct cli *cli = applying->cli;
    struct problem   *problem = &applying->talk.problem;
    applying->files.items = ARENA_ARRAY(applying->arena, FILES_MAX, struct file);
    if (applying->files.items == NULL)
        return ERR_MEMORY;
    TRY(around_read(applying, str_of(cli->words[0])));
    for (int i = 0; i < cli->words_count; i++) {
        struct str path = str_of(cli->words[i]), name = path;
        if (!is_template_file(cli->words[i]) || applying->files.count == FILES_MAX)
            return problem_set(problem, ERR_INPUT, cli->words[i],
                               "This is not one of a few .email files.",
                               "Name a folder alone, or templates of one folder.");
        for (size_t at = str_find_char(name, 0, '/'); at < name.len;
             at = str_find_char(name, 0, '/'))
            name = str_slice(name, at + 1, name.len);
        struct file *file = &applying->files.items[applying->files.count++];
        *file = (struct file){ .kind = FILE_TEMPLATE, .path = path };
        file->name = str_copy(applying->arena, str_slice(name, 0, name.len - strlen(".email")));
        if (file->name.ptr == NULL)
            return ERR_MEMORY;
        TRY(files_read_one(applying->arena, cli->words[i], FILE_BYTES_MAX, &file->text, problem));
    }
    return OK;
}

static enum err applying_open(struct applying *applying, struct cli *cli, bool is_alone)
{
    *applying = (struct applying){
        .cli = cli,
        .folder = cli->words_count > 0 ? cli->words[0] : ".",
        .arena = arena_open(FILES_ARENA_BYTES_MAX),
        .findings = { .cli = cli, .has_notes = is_alone, .json = buf_make(FILES_BYTES_MAX) }
    };
    struct problem *problem = &applying->talk.problem;
    applying->talk = (struct talk){ .cli = cli, .reach = { .folder = -1 } };
    if (applying->arena == NULL)
        return ERR_MEMORY;
    if (is_alone && is_template_file(applying->folder))
        TRY(files_pick(applying));
    else
        TRY(files_read(applying->arena, applying->folder, &applying->files, problem));
    TRY(files_order(applying->arena, &applying->files, problem));
    if (!is_alone)
        TRY(talk_open(&applying->talk, cli, true));
    TRY(all_collect(applying));
    TRY(try_all(applying, problem));
    return applying->faults > 0 || is_alone ? OK : changes_find(applying);
}

static enum cli_exit applying_end(struct applying *applying, enum err err, enum cli_exit code)
{
    code = talk_end(&applying->talk, err, code);
    buf_done(&applying->findings.json);
    arena_close(applying->arena);
    return code;
}

static enum cli_exit faults_end(struct applying *applying, const char *what)
{
    if (!applying->cli->is_json)
        fprintf(stderr, "%u of %u files cannot be taken. %s\n", applying->faults,
                applying->files.count, what);
    else if (applying->findings.json.len > 0)
        fprintf(stderr, "{\"findings\":[%.*s]}\n", STR_ARG(buf_view(&applying->findings.json)));
    return applying_end(applying, OK, CLI_REFUSED);
}

/* ---- the commands ---- */

static void applied_line(struct applying *applying, uint32_t i)
{
    const struct cli  *cli = applying->cli;
    const struct file *file = &applying->files.items[i];
    const struct json *answer = &applying->talk.answer;
    int64_t            entering = 0, leaving = 0, count = 0;
    printf("%s%-8s%s %.*s", applying->changes[i] == CHANGE_NEW ? cli_good(cli) : cli_bold(cli),
           change_name(applying->changes[i]), cli_plain(cli), STR_ARG(file->path));
    bool is_counted = file->kind == FILE_SEGMENT && json_get_int(answer, STR("count"), &count) &&
                      json_get_int(answer, STR("entering"), &entering) &&
                      json_get_int(answer, STR("leaving"), &leaving);
    if (is_counted)
        printf("   %lld people now, %lld come in, %lld leave", (long long)count,
               (long long)entering, (long long)leaving);
    if (file->kind == FILE_JOURNEY && json_get(answer, STR("inside")) != NULL) {
        printf("   ");
        inside_say(answer, applying->moves, stdout);
    }
    printf("\n");
}

static void json_line(struct applying *applying, uint32_t i, struct buf *out)
{
    const struct file *file = &applying->files.items[i];
    buf_str(out, i == 0 ? STR("{\"files\":[{\"path\":") : STR(",{\"path\":"));
    json_write_str(out, file->path);
    buf_format(out, ",\"kind\":\"%s\",\"name\":", file_kind_name(file->kind));
    json_write_str(out, file->name);
    buf_format(out, ",\"change\":\"%s\"}", change_name(applying->changes[i]));
}

static void json_end(struct applying *applying, const struct buf *files)
{
    printf("%.*s],\"changed\":%u,\"findings\":[%.*s]}\n", STR_ARG(buf_view(files)),
           changes_count(applying), STR_ARG(buf_view(&applying->findings.json)));
}

/* How many enter the segments that change; one that names a new one cannot be counted yet. */
static enum err entering_count(struct applying *applying, int64_t *people, bool *or_more)
{
    struct talk *talk = &applying->talk;
    for (uint32_t i = 0; i < applying->files.count; i++) {
        const struct file *file = &applying->files.items[i];
        int64_t            entering = 0;
        if (file->kind != FILE_SEGMENT || applying->changes[i] == CHANGE_NONE)
            continue;
        enum err err = define(talk, file, "?dry=1");
        if (err == ERR_ABSENT || err == ERR_INPUT) {
            *or_more = true;
            talk->problem.what[0] = '\0';
            continue;
        }
        TRY(err);
        if (json_get_int(&talk->answer, STR("entering"), &entering))
            *people += entering;
    }
    return OK;
}

static bool fills(const struct applying *applying)
{
    return applying->moves && strcmp(cli_value(applying->cli, "inside"), "backfill") == 0;
}

/* Who is inside the journeys that change, in words. One that names what is new cannot be counted
 * yet: everybody in it would be told of as it is applied. */
static enum err inside_tell(struct applying *applying, const char *before, FILE *out,
                            int64_t *people)
{
    struct talk *talk = &applying->talk;
    /* What would be refused half-way is refused before anything is published. */
    const char *dry = fills(applying) ? "?dry=1&inside=backfill" : "?dry=1";
    for (uint32_t i = 0; i < applying->files.count; i++) {
        const struct file *file = &applying->files.items[i];
        if (file->kind != FILE_JOURNEY || applying->changes[i] != CHANGE_TEXT)
            continue;
        enum err err = define(talk, file, dry);
        if (err == ERR_ABSENT || err == ERR_INPUT) {
            talk->problem.what[0] = '\0';
            fprintf(out,
                    "%s%.*s: who is inside cannot be counted before what it names is applied\n",
                    before, STR_ARG(file->path));
            *people += applying->moves;
            continue;
        }
        TRY(err);
        int64_t moves = 0;
        if (!json_get_int(json_get(&talk->answer, STR("inside")), STR("people"), &moves) ||
            moves == 0)
            continue;
        fprintf(out, "%s%.*s: ", before, STR_ARG(file->path));
        *people += inside_say(&talk->answer, applying->moves, out);
        fprintf(out, "\n");
    }
    return OK;
}

static bool is_confirmed(void)
{
    char answer[8] = "";
    fprintf(stderr, "Go on? [y/N] ");
    return fgets(answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

static enum cli_exit confirm(struct applying *applying, const char *remedy)
{
    if (cli_has(applying->cli, "yes"))
        return CLI_OK;
    if (!isatty(STDIN_FILENO))
        return cli_usage(applying->cli, "Nobody is there to ask, so nothing was changed.", remedy);
    if (is_confirmed())
        return CLI_OK;
    fprintf(stderr, "Nothing was changed.\n");
    return CLI_NO;
}

/* Who was moved is not moved back, so it is said, and asked, first. */
static enum cli_exit inside_ask(struct applying *applying, enum err *err)
{
    int64_t people = 0;
    *err = inside_tell(applying, "", stderr, &people);
    return *err != OK || people == 0
               ? CLI_OK
               : confirm(applying,
                         "Add --yes, or leave --inside away: all finish the old version.");
}

/* Is it published, and does it begin by what somebody may be inside of already? */
static bool is_launched(struct applying *applying, uint32_t i)
{
    const struct file *file = &applying->files.items[i];
    struct json        root;
    if (file->kind != FILE_JOURNEY || applying->changes[i] == CHANGE_NONE ||
        !cli_has(applying->cli, "also-inside") ||
        json_parse_once(applying->arena, file->text, &root, NULL) != OK)
        return false;
    const struct json *trigger = json_get(&root, STR("trigger"));
    return trigger != NULL && json_get(trigger, STR("schedule")) == NULL &&
           (json_get(trigger, STR("segment")) != NULL || json_get(trigger, STR("stage")) != NULL ||
            json_get(trigger, STR("list")) != NULL);
}

/* Who is in what begins the journeys; one that names what is new cannot be counted yet. */
static enum err already_count(struct applying *applying, int64_t *people, bool *or_more)
{
    struct talk *talk = &applying->talk;
    for (uint32_t i = 0; i < applying->files.count; i++) {
        int64_t already = 0;
        if (!is_launched(applying, i))
            continue;
        enum err err = define(talk, &applying->files.items[i], "?dry=1");
        if (err == ERR_ABSENT || err == ERR_INPUT) {
            *or_more = true;
            talk->problem.what[0] = '\0';
            continue;
        }
        TRY(err);
        if (json_get_int(&talk->answer, STR("already_inside"), &already) && already > 0)
            fprintf(stderr, "%.*s: %lld are in what begins it, and come in\n",
                    STR_ARG(applying->files.items[i].path), (long long)already);
        *people += already;
    }
    return OK;
}

/* What they get cannot be taken back, so it is said, and asked, first. */
static enum cli_exit launch_ask(struct applying *applying, enum err *err)
{
    int64_t people = 0;
    bool    or_more = false;
    *err = already_count(applying, &people, &or_more);
    if (*err != OK || (people == 0 && !or_more))
        return CLI_OK;
    if (or_more)
        fprintf(stderr, "A journey names what is not applied yet, and cannot be counted before.\n");
    return confirm(applying, "Add --yes, or leave --also-inside away: all begin from now on.");
}

/* What is fired cannot be taken back, so it is said, and asked, first. */
static enum cli_exit fire_ask(struct applying *applying, enum err *err)
{
    int64_t people = 0;
    bool    or_more = false;
    *err = entering_count(applying, &people, &or_more);
    if (*err != OK || (people == 0 && !or_more))
        return CLI_OK;
    fprintf(stderr,
            "Warning: %s%lld people enter segments that change; journeys begun by these segments "
            "may start for them.\n",
            or_more ? "at least " : "", (long long)people);
    return confirm(applying, "Add --yes, or leave --fire away: the change then sets off nothing.");
}

static enum err apply_all(struct applying *applying)
{
    SCOPED(buf_donep) struct buf out = buf_make(TALK_BODY_BYTES_MAX);
    const char                  *end = cli_has(applying->cli, "fire") ? "?fire=1" : NULL;
    struct talk                 *talk = &applying->talk;
    for (uint32_t i = 0; i < applying->files.count; i++) {
        if (applying->changes[i] != CHANGE_NONE) {
            const struct file *file = &applying->files.items[i];
            bool               moves = file->kind == FILE_JOURNEY && applying->moves;
            bool               is_launch = is_launched(applying, i);
            bool               gives = moves && fills(applying);
            const char        *how = gives && is_launch   ? "?inside=backfill&also_inside=1"
                                     : gives              ? "?inside=backfill"
                                     : moves && is_launch ? "?inside=move&also_inside=1"
                                     : is_launch          ? "?also_inside=1"
                                     : moves              ? "?inside=move"
                                                          : end;
            enum err           err = define(talk, file, how);
            if (err != OK) {
                place_in_file(&talk->problem, file);
                return err;
            }
            TRY(checking_brackets(&applying->findings, talk->arena, file, &talk->answer));
        }
        if (applying->cli->is_json)
            json_line(applying, i, &out);
        else if (applying->changes[i] != CHANGE_NONE)
            applied_line(applying, i);
    }
    if (applying->cli->is_json)
        json_end(applying, &out);
    else if (changes_count(applying) == 0)
        printf("Nothing differs: %u files are as they were applied before.\n",
               applying->files.count);
    return OK;
}

enum cli_exit cli_apply(struct cli *cli)
{
    struct applying applying;
    enum err        err = applying_open(&applying, cli, false);
    if (err == OK && applying.faults > 0)
        return faults_end(&applying, "Nothing was changed.");
    enum cli_exit code = CLI_OK;
    if (err == OK)
        err = inside_moves(cli, &applying.moves, &applying.talk.problem);
    if (err == OK && applying.moves)
        code = inside_ask(&applying, &err);
    if (err == OK && code == CLI_OK && cli_has(cli, "also-inside"))
        code = launch_ask(&applying, &err);
    if (err == OK && code == CLI_OK && cli_has(cli, "fire"))
        code = fire_ask(&applying, &err);
    if (err == OK && code == CLI_OK)
        err = apply_all(&applying);
    return applying_end(&applying, err, code);
}

static enum err diff_all(struct applying *applying)
{
    SCOPED(buf_donep) struct buf out = buf_make(FILES_BYTES_MAX);
    char                         before[300], after[300];
    for (uint32_t i = 0; i < applying->files.count; i++) {
        const struct file *file = &applying->files.items[i];
        if (applying->cli->is_json) {
            json_line(applying, i, &out);
            continue;
        }
        snprintf(before, sizeof before, "applied/%.*s", STR_ARG(file->path));
        snprintf(after, sizeof after, "%s/%.*s", "folder", STR_ARG(file->path));
        TRY(diff_write(
            (struct diff_side){ applying->changes[i] == CHANGE_NEW ? "/dev/null" : before,
                                applying->current[i] },
            (struct diff_side){ after, file->text }, &out));
    }
    if (applying->cli->is_json)
        json_end(applying, &out);
    else
        printf("%.*s", STR_ARG(buf_view(&out)));
    return OK;
}

enum cli_exit cli_diff(struct cli *cli)
{
    struct applying applying;
    enum err        err = applying_open(&applying, cli, false);
    if (err == OK && applying.faults > 0)
        return faults_end(&applying, "They would change nothing.");
    int64_t inside = 0;
    if (err == OK)
        err = diff_all(&applying);
    if (err == OK && !cli->is_json)
        err = inside_tell(&applying, "# ", stdout, &inside);
    return applying_end(&applying, err,
                        err == OK && changes_count(&applying) > 0 ? CLI_NO : CLI_OK);
}

/* What is asked of others, when the rest is in order. */
static enum err others_ask(struct applying *applying)
{
    struct cli *cli = applying->cli;
    if (cli_has(cli, "people") || cli_has(cli, "person"))
        TRY(checking_people(cli, &applying->files, &applying->findings, &applying->talk.problem));
    if (cli_has(cli, "counts"))
        TRY(checking_counts(cli, &applying->files, &applying->findings, &applying->talk.problem));
    if (cli_has(cli, "links"))
        TRY(checking_links(&applying->files, &applying->findings, &applying->talk.problem));
    return OK;
}

enum cli_exit cli_check(struct cli *cli)
{
    struct applying applying;
    enum err        err = applying_open(&applying, cli, true);
    if (err == OK && applying.faults > 0)
        return faults_end(&applying, "The rest is in order.");
    uint32_t before = applying.findings.errors + applying.findings.warnings;
    if (err == OK)
        err = others_ask(&applying);
    bool is_worse = applying.findings.errors + applying.findings.warnings > before;
    if (err == OK && cli->is_json)
        printf("{\"files\":%u,\"faults\":0,\"findings\":[%.*s]}\n", applying.files.count,
               STR_ARG(buf_view(&applying.findings.json)));
    else if (err == OK)
        printf("%u file%s in order%s.\n", applying.files.count,
               applying.files.count == 1 ? " is" : "s are",
               applying.findings.warnings > 0 ? ", with warnings" : "");
    return applying_end(&applying, err, is_worse ? CLI_NO : CLI_OK);
}
