/*
 * dult recipe: journeys that are ready, listed, told, and copied into a workspace folder.
 *
 *     dult recipe [list]
 *     dult recipe show welcome
 *     dult recipe copy welcome shop/
 *
 * A copy overwrites nothing: all is looked at first, and one file of the same name that says
 * something else means that nothing is copied. Documents of which a workspace has one (its name,
 * its topics), and snippets, which its other templates share, stay as they are. recipe.json is
 * about the recipe, not the workspace, and is not copied.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "run/cli/cli.h"
#include "run/cli/files.h"

enum {
    PATH_BYTES_MAX = 4096,
    RECIPES_MAX = 1000,
    RECIPE_FILES_MAX = 1000, /* of one recipe */
    RECIPE_BYTES_MAX = 64 << 20,
};

struct recipes {
    struct cli    *cli;
    struct arena  *arena;
    char           folder[PATH_BYTES_MAX]; /* that holds them all */
    const char   **names;                  /* of recipes, or of one's files */
    uint32_t       count;
    struct problem problem;
};

/* ---- where they are ---- */

static bool try_folder(struct recipes *recipes, const char *path)
{
    struct stat stat_;
    snprintf(recipes->folder, sizeof recipes->folder, "%.4000s", path);
    return stat(path, &stat_) == 0 && S_ISDIR(stat_.st_mode);
}

static bool beside_the_program(struct recipes *recipes)
{
    char    program[PATH_MAX], path[PATH_MAX + 64];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0)
        return false;
    program[length] = '\0';
    *strrchr(program, '/') = '\0';
    snprintf(path, sizeof path, "%s/../recipes", program);
    if (try_folder(recipes, path))
        return true;
    snprintf(path, sizeof path, "%s/../share/dult/recipes", program);
    return try_folder(recipes, path);
}

static enum err folder_find(struct recipes *recipes)
{
    const char *named = cli_value(recipes->cli, "from");
    if (named != NULL ? try_folder(recipes, named)
                      : try_folder(recipes, "recipes") || beside_the_program(recipes))
        return OK;
    return problem_set(&recipes->problem, ERR_ABSENT, named == NULL ? "recipes" : named,
                       "There is no such folder here, nor beside the program.",
                       "Name the folder that holds the recipes: --from DIR.");
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum err name_take(struct recipes *recipes, uint32_t most, struct str name)
{
    if (recipes->count == most)
        return problem_format(&recipes->problem, ERR_LIMIT, recipes->folder,
                              "Is this the right folder?", "It holds more than %u files.", most);
    struct str kept = str_copy(recipes->arena, name);
    if (kept.ptr == NULL)
        return ERR_MEMORY;
    recipes->names[recipes->count++] = kept.ptr;
    return OK;
}

static enum err names_begin(struct recipes *recipes, uint32_t most)
{
    recipes->count = 0;
    recipes->names = ARENA_ARRAY(recipes->arena, most, const char *);
    return recipes->names == NULL ? ERR_MEMORY : OK;
}

static enum err names_read(struct recipes *recipes)
{
    char path[PATH_BYTES_MAX];
    TRY(names_begin(recipes, RECIPES_MAX));
    DIR     *dir = opendir(recipes->folder);
    enum err err = dir == NULL ? ERR_IO : OK;
    for (struct dirent *entry; err == OK && (entry = readdir(dir)) != NULL;) {
        snprintf(path, sizeof path, "%.3600s/%.260s/recipe.json", recipes->folder, entry->d_name);
        if (entry->d_name[0] != '.' && access(path, F_OK) == 0)
            err = name_take(recipes, RECIPES_MAX, str_of(entry->d_name));
    }
    if (dir != NULL)
        closedir(dir);
    qsort(recipes->names, recipes->count, sizeof recipes->names[0], by_text);
    if (err == ERR_IO || (err == OK && recipes->count == 0))
        return problem_set(&recipes->problem, ERR_ABSENT, recipes->folder,
                           "There is no recipe in this folder, or it cannot be read.",
                           "Name the folder that holds the recipes: --from DIR.");
    return err;
}

static enum err recipe_read(struct recipes *recipes, const char *name, struct json *out)
{
    char       path[PATH_BYTES_MAX];
    struct str text;
    snprintf(path, sizeof path, "%.3600s/%.260s/recipe.json", recipes->folder, name);
    if (strchr(name, '/') != NULL || access(path, F_OK) != 0)
        return problem_set(&recipes->problem, ERR_ABSENT, name, "There is no such recipe.",
                           "`dult recipe list` names them.");
    TRY(files_read_one(recipes->arena, path, FILE_BYTES_MAX, &text, &recipes->problem));
    return json_parse_once(recipes->arena, text, out, &recipes->problem);
}

/* ---- telling ---- */

static void json_line(const struct json *value)
{
    struct buf out = buf_make(1 << 20);
    json_write(&out, value);
    printf("%.*s\n", STR_ARG(buf_view(&out)));
    buf_done(&out);
}

static enum err list(struct recipes *recipes)
{
    const struct cli *cli = recipes->cli;
    TRY(names_read(recipes));
    for (uint32_t i = 0; i < recipes->count; i++) {
        struct json recipe;
        TRY(recipe_read(recipes, recipes->names[i], &recipe));
        if (cli->is_json)
            json_line(&recipe);
        else
            printf("%s%s%s\n  %.*s\n", cli_bold(cli), recipes->names[i], cli_plain(cli),
                   STR_ARG(json_get_str(&recipe, STR("for"))));
    }
    return OK;
}

static void pairs_print(const struct json *recipe, const char *key, const char *label)
{
    const struct json *pairs = json_get(recipe, str_of(key));
    if (pairs == NULL || pairs->kind != JSON_OBJECT || pairs->count == 0)
        return;
    printf("\n%s\n", label);
    for (uint32_t i = 0; i < pairs->count; i++)
        printf("  %.*s: %.*s\n", STR_ARG(pairs->members[i].key),
               STR_ARG(pairs->members[i].value.string));
}

static void changes_print(const struct json *recipe)
{
    const struct json *list = json_get(recipe, STR("change_first"));
    printf("\nChange first\n");
    for (uint32_t i = 0; list != NULL && list->kind == JSON_ARRAY && i < list->count; i++)
        printf("  %u. %.*s\n", i + 1, STR_ARG(list->items[i].string));
}

static enum err show(struct recipes *recipes)
{
    struct json recipe;
    TRY(recipe_read(recipes, recipes->cli->words[1], &recipe));
    if (recipes->cli->is_json) {
        json_line(&recipe);
        return OK;
    }
    printf("%.*s\n", STR_ARG(json_get_str(&recipe, STR("for"))));
    pairs_print(&recipe, "events", "Events");
    pairs_print(&recipe, "traits", "Traits");
    changes_print(&recipe);
    return OK;
}

/* ---- copying ---- */

/* One of a kind, or a piece that templates share: what the workspace has already is its own. */
static bool is_about_the_workspace(const char *path)
{
    return strchr(path, '/') == NULL || str_starts(str_of(path), STR("snippets/"));
}

/* The recipe's files below its folder, those in folders first: "journeys/welcome.json". */
static enum err shelf_read(struct recipes *recipes, const char *root, const char *shelf)
{
    char path[PATH_BYTES_MAX], name[600];
    snprintf(path, sizeof path, "%.3600s/%.260s", root, shelf);
    DIR *dir = opendir(path);
    if (dir == NULL && errno == ENOTDIR)
        return strcmp(shelf, "recipe.json") == 0
                   ? OK
                   : name_take(recipes, RECIPE_FILES_MAX, str_of(shelf));
    enum err err = dir == NULL
                       ? problem_format(&recipes->problem, ERR_IO, path, "May this user read it?",
                                        "It cannot be read: %s.", strerror(errno))
                       : OK;
    for (struct dirent *entry; err == OK && (entry = readdir(dir)) != NULL;) {
        snprintf(name, sizeof name, "%.260s/%.260s", shelf, entry->d_name);
        if (entry->d_name[0] != '.')
            err = name_take(recipes, RECIPE_FILES_MAX, str_of(name));
    }
    if (dir != NULL)
        closedir(dir);
    return err;
}

static enum err recipe_files_read(struct recipes *recipes, const char *root)
{
    TRY(names_begin(recipes, RECIPE_FILES_MAX));
    DIR     *dir = opendir(root);
    enum err err = dir == NULL ? ERR_IO : OK;
    for (struct dirent *entry; err == OK && (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.')
            err = shelf_read(recipes, root, entry->d_name);
    if (dir != NULL)
        closedir(dir);
    qsort(recipes->names, recipes->count, sizeof recipes->names[0], by_text);
    return err;
}

static enum err bytes_read(struct recipes *recipes, const char *root, const char *name,
                           struct str *out)
{
    char path[PATH_BYTES_MAX];
    snprintf(path, sizeof path, "%.3400s/%.600s", root, name);
    return files_read_one(recipes->arena, path, RECIPE_BYTES_MAX, out, &recipes->problem);
}

/* Also a link that leads nowhere: nothing is written through it. */
static bool is_anything(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

/* Is it there already? Another file of its name is refused, unless the workspace has but one. */
static enum err place_look(struct recipes *recipes, const char *from, const char *to,
                           const char *name, bool *is_there)
{
    char       path[PATH_BYTES_MAX];
    struct str ours, theirs;
    snprintf(path, sizeof path, "%.3400s/%.600s", to, name);
    *is_there = is_anything(path);
    if (!*is_there || is_about_the_workspace(name))
        return OK;
    TRY(bytes_read(recipes, from, name, &ours));
    TRY(bytes_read(recipes, to, name, &theirs));
    return str_eq(ours, theirs)
               ? OK
               : problem_set(&recipes->problem, ERR_INPUT, path,
                             "There is another file of this name. Nothing was copied.",
                             "Rename yours, or copy into a folder of its own and move over "
                             "what you want.");
}

static enum err system_problem(struct recipes *recipes, const char *path)
{
    return problem_format(&recipes->problem, errno == ENOENT ? ERR_ABSENT : ERR_IO, path,
                          "Is the path right, and may this user write there?",
                          "It cannot be written: %s.", strerror(errno));
}

static enum err folder_make(struct recipes *recipes, const char *path)
{
    return mkdir(path, 0777) == 0 || errno == EEXIST ? OK : system_problem(recipes, path);
}

static enum err file_write(struct recipes *recipes, const char *path, struct str bytes)
{
    int  fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    bool good = fd >= 0;
    for (size_t done = 0; good && done < bytes.len;) {
        ssize_t part = write(fd, bytes.ptr + done, bytes.len - done);
        good = part > 0 || (part < 0 && errno == EINTR);
        done += part > 0 ? (size_t)part : 0;
    }
    enum err err = good ? OK : system_problem(recipes, path);
    if (fd >= 0)
        close(fd);
    return err;
}

static enum err file_copy(struct recipes *recipes, const char *from, const char *to,
                          const char *name)
{
    char        path[PATH_BYTES_MAX];
    const char *slash = strchr(name, '/');
    struct str  bytes;
    TRY(bytes_read(recipes, from, name, &bytes));
    if (slash != NULL) {
        snprintf(path, sizeof path, "%.3400s/%.*s", to, (int)(slash - name), name);
        TRY(folder_make(recipes, path));
    }
    snprintf(path, sizeof path, "%.3400s/%.600s", to, name);
    return file_write(recipes, path, bytes);
}

/* Says it, and what is next. */
static void copied_print(struct recipes *recipes, const char *to, const bool *is_there,
                         const struct json *recipe)
{
    uint32_t copied = 0;
    for (uint32_t i = 0; i < recipes->count; i++) {
        const char *name = recipes->names[i];
        copied += !is_there[i];
        if (!is_there[i] || is_about_the_workspace(name))
            printf("%s  %s\n", is_there[i] ? "stays " : "copied", name);
        if (is_there[i] && strcmp(name, "topics.json") == 0)
            printf("        The mails are about the topics news and offers: add them to it.\n");
    }
    printf("%u files copied to %s\n", copied, to);
    changes_print(recipe);
    printf("\nThen: dult test %s && dult check %s && dult apply %s\n", to, to, to);
}

static void copied_print_json(struct recipes *recipes, const bool *is_there)
{
    struct buf out = buf_make(4 << 20);
    for (int stays = 0; stays < 2; stays++) {
        bool any = false;
        buf_str(&out, stays ? STR("],\"stays\":[") : STR("{\"copied\":["));
        for (uint32_t i = 0; i < recipes->count; i++) {
            if (is_there[i] != (stays == 1))
                continue;
            if (any)
                buf_char(&out, ',');
            any = true;
            json_write_str(&out, str_of(recipes->names[i]));
        }
    }
    printf("%.*s]}\n", STR_ARG(buf_view(&out)));
    buf_done(&out);
}

static enum err copy(struct recipes *recipes)
{
    const char *name = recipes->cli->words[1], *to = recipes->cli->words[2];
    char        from[PATH_BYTES_MAX];
    struct json recipe;
    TRY(recipe_read(recipes, name, &recipe));
    snprintf(from, sizeof from, "%.3400s/%.260s", recipes->folder, name);
    TRY(recipe_files_read(recipes, from));
    bool *is_there = ARENA_ARRAY(recipes->arena, RECIPE_FILES_MAX, bool);
    if (is_there == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < recipes->count; i++)
        TRY(place_look(recipes, from, to, recipes->names[i], &is_there[i]));
    TRY(folder_make(recipes, to));
    for (uint32_t i = 0; i < recipes->count; i++)
        if (!is_there[i])
            TRY(file_copy(recipes, from, to, recipes->names[i]));
    if (recipes->cli->is_json)
        copied_print_json(recipes, is_there);
    else
        copied_print(recipes, to, is_there, &recipe);
    return OK;
}

enum cli_exit cli_recipe(struct cli *cli)
{
    static const struct {
        const char *word;
        enum err (*run)(struct recipes *recipes);
        int words;
    } runs[] = {
        { "list", list, 1 },
        { "show", show, 2 },
        { "copy", copy, 3 },
    };
    SCOPED(arena_closep) struct arena *arena = arena_open(4 * RECIPE_BYTES_MAX);
    struct recipes                     recipes = { .cli = cli, .arena = arena };
    const char                        *word = cli->words_count == 0 ? "list" : cli->words[0];
    size_t                             i = 0, count = sizeof runs / sizeof runs[0];
    while (i < count && strcmp(word, runs[i].word) != 0)
        i++;
    if (i == count || (cli->words_count > 0 && cli->words_count != runs[i].words))
        return cli_usage(cli, "Recipes are listed, shown or copied.",
                         "`dult help recipe` shows how.");
    enum err err = arena == NULL ? ERR_MEMORY : folder_find(&recipes);
    if (err == OK)
        err = runs[i].run(&recipes);
    return err == OK ? CLI_OK : cli_fail(cli, err, &recipes.problem);
}
