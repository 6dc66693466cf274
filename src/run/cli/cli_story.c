/*
 * dult test: do the stories beside the journeys come true? Each in an engine of its own.
 *
 *     dult test shop/        one workspace folder: shop/stories/NAME.json
 *     dult test recipes/     a folder of workspace folders: recipes/welcome/stories/NAME.json
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "engine/story/story.h"
#include "run/cli/cli.h"
#include "run/cli/files.h"
#include "run/core/zones.h"

enum {
    ARENA_BYTES_MAX = 1 << 30,
    PATH_BYTES_MAX = 4096,
    STORY_FILES_MAX = 1000,
    FOLDERS_MAX = 1000
};

struct trying {
    struct cli        *cli;
    struct arena      *arena; /* of the folder that is told */
    const char        *folder;
    const char        *inside; /* "welcome/": which folder of several, said before a file's name */
    struct zones      *zones;
    struct story_world world;
    struct buf         json;
    uint32_t           passed, failed;
    struct problem     problem;
};

/* What the engine hears of: questions and snippets are the texts' alone, and are told of too. */
static enum definition_kind kind_of(enum file_kind kind)
{
    switch (kind) {
    case FILE_WORKSPACE:
        return DEFINE_WORKSPACE;
    case FILE_TOPICS:
        return DEFINE_TOPICS;
    case FILE_LIMITS:
        return DEFINE_LIMITS;
    case FILE_RATES:
        return DEFINE_RATES;
    case FILE_TRAIT:
        return DEFINE_TRAIT;
    case FILE_SCORE:
        return DEFINE_SCORE;
    case FILE_STAGES:
        return DEFINE_STAGES;
    case FILE_SEGMENT:
        return DEFINE_SEGMENT;
    case FILE_CODES:
        return DEFINE_CODES;
    case FILE_SNIPPET:
        return DEFINE_SNIPPET;
    case FILE_QUESTION:
        return DEFINE_QUESTION;
    case FILE_HANDOUT:
        return DEFINE_FILE;
    case FILE_TEMPLATE:
        return DEFINE_TEMPLATE;
    case FILE_JOURNEY:
        return DEFINE_JOURNEY;
    case FILE_BROADCAST:
        return DEFINE_BROADCAST;
    case FILE_TOUCHPOINT:
        return DEFINE_TOUCHPOINT;
    }
    return DEFINE_NONE;
}

static enum err world_read(struct trying *trying)
{
    struct files files;
    TRY(files_read(trying->arena, trying->folder, &files, &trying->problem));
    TRY(files_order(trying->arena, &files, &trying->problem));
    struct story_definition *items =
        ARENA_ARRAY(trying->arena, files.count + 1, struct story_definition);
    if (items == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < files.count; i++)
        items[i] = (struct story_definition){ kind_of(files.items[i].kind), files.items[i].name,
                                              files.items[i].text, files.items[i].path.ptr };
    trying->world = (struct story_world){ items, files.count, trying->zones };
    return OK;
}

/* ---- telling ---- */

static void result_say(struct trying *trying, const char *path, const struct story_result *result)
{
    const struct cli *cli = trying->cli;
    bool              first = true;
    if (!cli->is_json) {
        if (!result->passed)
            printf("%sfailed%s  %s: %.*s\n%.*s", cli_bad(cli), cli_plain(cli), path,
                   STR_ARG(result->story), STR_ARG(result->said));
        else if (cli_has(cli, "verbose"))
            printf("%spassed%s  %s: %.*s\n", cli_good(cli), cli_plain(cli), path,
                   STR_ARG(result->story));
        return;
    }
    buf_str(&trying->json, trying->passed + trying->failed > 0 ? STR(",{") : STR("{"));
    json_write_key(&trying->json, &first, "file");
    json_write_str(&trying->json, str_of(path));
    json_write_key(&trying->json, &first, "story");
    json_write_str(&trying->json, result->story);
    json_write_key(&trying->json, &first, "passed");
    buf_str(&trying->json, result->passed ? STR("true") : STR("false"));
    if (!result->passed) {
        json_write_key(&trying->json, &first, "said");
        json_write_str(&trying->json, result->said);
    }
    buf_char(&trying->json, '}');
}

static enum err file_tell(struct trying *trying, const char *name)
{
    char                               full[PATH_BYTES_MAX], path[600];
    SCOPED(arena_closep) struct arena *arena = arena_open(ARENA_BYTES_MAX);
    struct story_results               results;
    struct str                         text;
    struct problem                     why = { .where = "" };
    if (arena == NULL)
        return ERR_MEMORY;
    snprintf(full, sizeof full, "%.3600s/stories/%.260s", trying->folder, name);
    snprintf(path, sizeof path, "%.260sstories/%.260s", trying->inside, name);
    TRY(files_read_one(arena, full, FILE_BYTES_MAX, &text, &trying->problem));
    enum err err = story_tell_all(arena, text, &trying->world, &results, &why);
    if (err != OK && why.what[0] != '\0')
        return problem_format(&trying->problem, err, path, why.remedy, "%s%s%s", why.where,
                              why.where[0] == '\0' ? "" : ": ", why.what);
    TRY(err);
    for (uint32_t i = 0; i < results.count; i++) {
        result_say(trying, path, &results.items[i]);
        trying->passed += results.items[i].passed;
        trying->failed += !results.items[i].passed;
    }
    return OK;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum err names_read(struct trying *trying, char ***out, uint32_t *count)
{
    char path[PATH_BYTES_MAX];
    snprintf(path, sizeof path, "%.4000s/stories", trying->folder);
    DIR   *dir = opendir(path);
    char **names = ARENA_ARRAY(trying->arena, STORY_FILES_MAX, char *);
    *count = 0;
    *out = names;
    if (dir == NULL)
        return problem_format(&trying->problem, errno == ENOENT ? ERR_ABSENT : ERR_IO, path,
                              "Write stories/NAME.json beside journeys/; docs/stories.md says how.",
                              "There are no stories: %s.", strerror(errno));
    enum err err = names == NULL ? ERR_MEMORY : OK;
    for (struct dirent *entry; err == OK && (entry = readdir(dir)) != NULL;) {
        struct str name = str_of(entry->d_name);
        if (name.ptr[0] == '.')
            continue;
        if (!str_ends(name, STR(".json")))
            err = problem_set(&trying->problem, ERR_INPUT, entry->d_name, "This file fits nowhere.",
                              "Files in stories/ end in .json.");
        else if (*count == STORY_FILES_MAX)
            err = problem_format(&trying->problem, ERR_LIMIT, path, "Is this the right folder?",
                                 "It holds more than %d files.", STORY_FILES_MAX);
        else if ((names[*count] = (char *)(uintptr_t)str_copy(trying->arena, name).ptr) == NULL)
            err = ERR_MEMORY;
        else
            ++*count;
    }
    closedir(dir);
    if (err == OK)
        qsort(names, *count, sizeof names[0], by_text);
    return err;
}

static enum err tell_one(struct trying *trying)
{
    char   **names;
    uint32_t count;
    TRY(world_read(trying));
    TRY(names_read(trying, &names, &count));
    for (uint32_t i = 0; i < count; i++)
        TRY(file_tell(trying, names[i]));
    return OK;
}

/* ---- a folder of folders ---- */

/* Is it a workspace, with or without stories? */
static bool is_workspace(const char *folder)
{
    static const char *const signs[] = { "workspace.json", "stories", "journeys" };
    char                     path[PATH_BYTES_MAX];
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        snprintf(path, sizeof path, "%.4000s/%s", folder, signs[i]);
        if (access(path, F_OK) == 0)
            return true;
    }
    return false;
}

/* The workspaces within the folder, by name; none when it cannot be read. */
static enum err folders_read(struct trying *trying, char **out, uint32_t *count)
{
    char     path[PATH_BYTES_MAX];
    DIR     *dir = opendir(trying->folder);
    enum err err = OK;
    *count = 0;
    if (dir == NULL)
        return OK;
    for (struct dirent *entry; err == OK && (entry = readdir(dir)) != NULL;) {
        snprintf(path, sizeof path, "%.3600s/%.260s", trying->folder, entry->d_name);
        if (entry->d_name[0] == '.' || !is_workspace(path))
            continue;
        if (*count == FOLDERS_MAX)
            err = problem_format(&trying->problem, ERR_LIMIT, trying->folder,
                                 "Is this the right folder?", "It holds more than %d workspaces.",
                                 FOLDERS_MAX);
        else if ((out[*count] = strdup(entry->d_name)) == NULL)
            err = ERR_MEMORY;
        else
            ++*count;
    }
    closedir(dir);
    qsort(out, *count, sizeof out[0], by_text);
    return err;
}

/* One of several, in memory of its own; then how many of its stories came true. */
static enum err tell_inside(struct trying *trying, const char *name)
{
    char                               folder[PATH_BYTES_MAX], inside[300];
    SCOPED(arena_closep) struct arena *arena = arena_open(ARENA_BYTES_MAX);
    struct trying                      one = *trying;
    snprintf(folder, sizeof folder, "%.3600s/%.260s", trying->folder, name);
    snprintf(inside, sizeof inside, "%.260s/", name);
    one.arena = arena;
    one.folder = folder;
    one.inside = inside;
    enum err err = arena == NULL ? ERR_MEMORY : tell_one(&one);
    if (err == OK && !one.cli->is_json)
        printf("%s: %u passed, %u failed\n", name, one.passed - trying->passed,
               one.failed - trying->failed);
    trying->json = one.json;
    trying->passed = one.passed;
    trying->failed = one.failed;
    trying->problem = one.problem;
    if (err != OK) /* which of the folders, before which of its files */
        snprintf(trying->problem.where, sizeof trying->problem.where, "%.60s/%.90s", name,
                 one.problem.where);
    return err;
}

static enum err tell_all(struct trying *trying)
{
    char   **folders = calloc(FOLDERS_MAX, sizeof *folders);
    uint32_t count = 0;
    enum err err = folders == NULL ? ERR_MEMORY : OK;
    if (err == OK)
        err = zones_of_system(&trying->zones, NULL, &trying->problem);
    if (err == OK && !is_workspace(trying->folder))
        err = folders_read(trying, folders, &count);
    if (err == OK && count == 0)
        err = tell_one(trying);
    for (uint32_t i = 0; i < count && err == OK; i++)
        err = tell_inside(trying, folders[i]);
    for (uint32_t i = 0; i < count; i++)
        free(folders[i]);
    free(folders);
    return err;
}

enum cli_exit cli_story(struct cli *cli)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(ARENA_BYTES_MAX);
    struct trying                      trying = { .cli = cli,
                                                  .arena = arena,
                                                  .folder = cli->words[0],
                                                  .inside = "",
                                                  .json = buf_make(64 << 20) };
    int64_t                            begun_us = time_mono_us();
    enum err                           err = arena == NULL ? ERR_MEMORY : tell_all(&trying);
    if (err == OK && cli->is_json)
        printf("{\"passed\":%u,\"failed\":%u,\"stories\":[%.*s]}\n", trying.passed, trying.failed,
               STR_ARG(buf_view(&trying.json)));
    if (err == OK && !cli->is_json) {
        fprintf(stderr, "%lld ms\n", (long long)(time_mono_us() - begun_us) / 1000);
        printf("%u passed, %u failed\n", trying.passed, trying.failed);
    }
    buf_done(&trying.json);
    if (trying.zones != NULL)
        zones_close(trying.zones);
    if (err != OK)
        return cli_fail(cli, err, &trying.problem);
    return trying.failed == 0 ? CLI_OK : CLI_NO;
}
