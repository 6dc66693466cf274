#include "run/cli/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/send/file_def.h"
#include "run/send/question.h"

enum { PATH_BYTES_MAX = 4096 };

struct shelf {
    const char *folder, *ending, *name;
};

static const struct shelf SHELVES[FILE_KINDS] = {
    [FILE_WORKSPACE] = { "workspace", ".json", "workspace" },
    [FILE_CODES] = { "codes", ".json", "codes" },
    [FILE_SNIPPET] = { "snippets", ".liquid", "snippet" },
    [FILE_QUESTION] = { "questions", ".json", "question" },
    [FILE_HANDOUT] = { "files", "", "file" },
    [FILE_TEMPLATE] = { "templates", ".email", "template" },
    [FILE_TOPICS] = { "topics", ".json", "topics" },
    [FILE_LIMITS] = { "limits", ".json", "limits" },
    [FILE_RATES] = { "rates", ".json", "rates" },
    [FILE_TRAIT] = { "traits", ".txt", "trait" },
    [FILE_SCORE] = { "scores", ".json", "score" },
    [FILE_STAGES] = { "stages", ".json", "stages" },
    [FILE_SEGMENT] = { "segments", ".segment", "segment" },
    [FILE_JOURNEY] = { "journeys", ".json", "journey" },
    [FILE_BROADCAST] = { "broadcasts", ".json", "broadcast" },
    [FILE_TOUCHPOINT] = { "touchpoints", ".json", "touchpoint" },
};

const char *file_kind_name(enum file_kind kind)
{
    return SHELVES[kind].name;
}

const char *file_kind_folder(enum file_kind kind)
{
    return SHELVES[kind].folder;
}

bool file_kind_is_single(enum file_kind kind)
{
    return kind == FILE_WORKSPACE || kind == FILE_TOPICS || kind == FILE_LIMITS ||
           kind == FILE_RATES || kind == FILE_STAGES;
}

static enum err system_problem(const char *path, const char *what, struct problem *problem)
{
    return problem_format(problem, errno == ENOENT || errno == ENOTDIR ? ERR_ABSENT : ERR_IO, path,
                          "Is the path right, and may this user use it?", "%s: %s.", what,
                          strerror(errno));
}

/* ---- one file ---- */

static enum err read_whole(int fd, char *bytes, size_t size, size_t *got)
{
    *got = 0;
    while (*got < size) {
        ssize_t part = read(fd, bytes + *got, size - *got);
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return ERR_IO;
        if (part == 0)
            break;
        *got += (size_t)part;
    }
    return OK;
}

enum err files_read_one(struct arena *arena, const char *path, size_t bytes_max, struct str *out,
                        struct problem *problem)
{
    struct stat stat;
    size_t      got = 0;
    int         fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return system_problem(path, "It cannot be read", problem);
    enum err err = OK;
    char    *bytes = NULL;
    if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode))
        err = problem_set(problem, ERR_INPUT, path, "This is not a plain file.", "Name a file.");
    else if ((size_t)stat.st_size > bytes_max)
        err = problem_format(problem, ERR_LIMIT, path, "Shorten it; is it the right file?",
                             "It is longer than %zu bytes.", bytes_max);
    else if ((bytes = arena_alloc(arena, (size_t)stat.st_size + 1)) == NULL)
        err = problem_set(problem, ERR_MEMORY, path, "There is no memory for it.", "");
    else if (read_whole(fd, bytes, (size_t)stat.st_size, &got) != OK)
        err = system_problem(path, "It cannot be read", problem);
    close(fd);
    if (err == OK)
        *out = (struct str){ bytes, got };
    return err;
}

/* ---- the folder ---- */

struct reading {
    struct arena   *arena;
    const char     *folder;
    struct file    *items;
    uint32_t        count;
    struct problem *problem;
};

static enum err take(struct reading *reading, enum file_kind kind, struct str path, struct str name)
{
    char        full[PATH_BYTES_MAX];
    struct file file = { .kind = kind,
                         .path = str_copy(reading->arena, path),
                         .name = str_copy(reading->arena, name) };
    snprintf(full, sizeof full, "%s/%.*s", reading->folder, STR_ARG(path));
    if (file.path.ptr == NULL)
        return ERR_MEMORY;
    if (reading->count == FILES_MAX)
        return problem_format(reading->problem, ERR_LIMIT, reading->folder,
                              "Is this the right folder?", "It holds more than %d files.",
                              FILES_MAX);
    TRY(files_read_one(reading->arena, full, FILE_BYTES_MAX, &file.text, reading->problem));
    if (!str_is_utf8(file.text))
        return problem_set(reading->problem, ERR_INPUT, file.path.ptr, "This is not UTF-8.",
                           "Save it as UTF-8.");
    reading->items[reading->count++] = file;
    return OK;
}

static enum err stray(struct reading *reading, enum file_kind kind, const char *path)
{
    char remedy[160];
    snprintf(remedy, sizeof remedy, "Files in %s/ end in %s. Rename it, or move it elsewhere.",
             SHELVES[kind].folder, SHELVES[kind].ending);
    return problem_set(reading->problem, ERR_INPUT, path, "This file fits nowhere.", remedy);
}

static enum err read_shelf(struct reading *reading, enum file_kind kind)
{
    char folder[PATH_BYTES_MAX], path[PATH_BYTES_MAX];
    snprintf(folder, sizeof folder, "%s/%s", reading->folder, SHELVES[kind].folder);
    DIR *dir = opendir(folder);
    if (dir == NULL && errno == ENOENT)
        return OK; /* a shop without segments */
    if (dir == NULL)
        return system_problem(folder, "The folder cannot be read", reading->problem);
    enum err err = OK;
    for (struct dirent *entry; err == OK && (entry = readdir(dir)) != NULL;) {
        struct str name = str_of(entry->d_name), ending = str_of(SHELVES[kind].ending);
        if (name.ptr[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", SHELVES[kind].folder, entry->d_name);
        if (!str_ends(name, ending) || name.len == ending.len)
            err = stray(reading, kind, path);
        else
            err = take(reading, kind, str_of(path), str_slice(name, 0, name.len - ending.len));
    }
    closedir(dir);
    return err;
}

/* ---- what mails hand out ---- */

enum err files_map(const char *path, struct str *out, struct problem *problem)
{
    struct stat stat_;
    int         fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return system_problem(path, "It cannot be read", problem);
    enum err err = OK;
    void    *at = NULL;
    if (fstat(fd, &stat_) != 0 || !S_ISREG(stat_.st_mode) || stat_.st_size == 0)
        err = problem_set(problem, ERR_INPUT, path, "This is no file, or an empty one.",
                          "Put the file there that mails are to hand out.");
    else if (stat_.st_size > FILE_CONTENT_BYTES_MAX)
        err = problem_set(problem, ERR_LIMIT, path, "The file is larger than 50 MB.",
                          "Make it smaller, or keep it where large files are kept.");
    else if ((at = mmap(NULL, (size_t)stat_.st_size, PROT_READ, MAP_PRIVATE, fd, 0)) == MAP_FAILED)
        err = system_problem(path, "It cannot be read", problem);
    close(fd);
    if (err == OK)
        *out = (struct str){ at, (size_t)stat_.st_size };
    return err;
}

void files_unmap(struct str bytes)
{
    if (bytes.len > 0)
        munmap((void *)(uintptr_t)bytes.ptr, bytes.len);
}

static bool sha_of(struct str bytes, char out[FILE_SHA_BYTES + 1])
{
    unsigned char digest[FILE_SHA_BYTES / 2];
    if (EVP_Digest(bytes.ptr, bytes.len, digest, NULL, EVP_sha256(), NULL) != 1)
        return false;
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
    return true;
}

/* What files/guide.json says of files/guide.pdf; without it, what is so unless said. */
static enum err settings_read(struct reading *reading, struct str name, struct file_def *def)
{
    static const char *const known[] = { "filename", "type", "days", "downloads" };
    char                     path[PATH_BYTES_MAX], full[PATH_BYTES_MAX + 64];
    struct str               text;
    struct json              root;
    int64_t                  days = FILE_DAYS, downloads = 0;
    snprintf(path, sizeof path, "%s/%.*s.json", SHELVES[FILE_HANDOUT].folder, STR_ARG(name));
    snprintf(full, sizeof full, "%.4000s/%.100s", reading->folder, path);
    if (access(full, F_OK) != 0)
        return OK;
    TRY(files_read_one(reading->arena, full, FILE_BYTES_MAX, &text, reading->problem));
    TRY(json_parse_once(reading->arena, text, &root, reading->problem));
    for (uint32_t i = 0; i < root.count && root.kind == JSON_OBJECT; i++) {
        size_t k = 0;
        while (k < 4 && !str_eq(root.members[i].key, str_of(known[k])))
            k++;
        if (k == 4)
            return problem_set(reading->problem, ERR_INPUT, path, "There is no such setting.",
                               "Use filename, type, days and downloads.");
    }
    (void)json_get_int(&root, STR("days"), &days);
    (void)json_get_int(&root, STR("downloads"), &downloads);
    if (json_get_str(&root, STR("filename")).len > 0)
        def->filename = json_get_str(&root, STR("filename"));
    if (json_get_str(&root, STR("type")).len > 0)
        def->type = json_get_str(&root, STR("type"));
    TRY(file_number_check(path, days, 1, FILE_DAYS_MAX, reading->problem));
    TRY(file_number_check(path, downloads, 0, FILE_DOWNLOADS_MAX, reading->problem));
    def->days = (uint32_t)days;
    def->downloads = (uint32_t)downloads;
    return OK;
}

static enum err handout_def(struct reading *reading, struct file *file, struct file_def *def)
{
    struct str bytes = STR_NONE;
    char       sha[FILE_SHA_BYTES + 1] = "";
    struct buf text = buf_make(FILE_BYTES_MAX);
    TRY(files_map(file->content.ptr, &bytes, reading->problem));
    def->bytes = (int64_t)bytes.len;
    enum err err = sha_of(bytes, sha) ? OK : ERR_MEMORY;
    files_unmap(bytes);
    def->sha256 = str_of(sha);
    if (err == OK)
        err = settings_read(reading, file->name, def);
    file_def_write(def, &text);
    file->text = str_copy(reading->arena, buf_view(&text));
    buf_done(&text);
    return err == OK && file->text.ptr == NULL ? ERR_MEMORY : err;
}

static enum err take_handout(struct reading *reading, struct str filename)
{
    size_t dot = filename.len;
    while (dot > 0 && filename.ptr[dot - 1] != '.')
        dot--;
    struct arena *arena = reading->arena;
    struct file   file = {
          .kind = FILE_HANDOUT,
          .name = str_copy(arena, str_slice(filename, 0, dot > 1 ? dot - 1 : filename.len)),
          .path = str_format(arena, "files/%.*s", STR_ARG(filename)),
          .content = str_format(arena, "%s/files/%.*s", reading->folder, STR_ARG(filename))
    };
    struct file_def def = { .filename = str_copy(arena, filename),
                            .type = file_type_of(filename),
                            .days = FILE_DAYS };
    if (file.name.ptr == NULL || file.path.ptr == NULL || file.content.ptr == NULL)
        return ERR_MEMORY;
    if (!question_is_name(file.name))
        return problem_set(reading->problem, ERR_INPUT, file.path.ptr,
                           "Templates could not name this file.",
                           "Name it with letters, digits, '_' and '-', and say in files/NAME.json "
                           "what it is called where it is saved.");
    for (uint32_t i = 0; i < reading->count; i++)
        if (reading->items[i].kind == FILE_HANDOUT && str_eq(reading->items[i].name, file.name))
            return problem_set(reading->problem, ERR_INPUT, file.path.ptr,
                               "Two files have one name.", "Name one of them otherwise.");
    if (reading->count == FILES_MAX)
        return ERR_LIMIT;
    TRY(handout_def(reading, &file, &def));
    reading->items[reading->count++] = file;
    return OK;
}

/* Settings without a file are a lost file. */
static enum err settings_check(struct reading *reading, struct str filename)
{
    struct str name = str_slice(filename, 0, filename.len - strlen(".json"));
    char       path[PATH_BYTES_MAX];
    for (uint32_t i = 0; i < reading->count; i++)
        if (reading->items[i].kind == FILE_HANDOUT && str_eq(reading->items[i].name, name))
            return OK;
    snprintf(path, sizeof path, "files/%.*s", STR_ARG(filename));
    return problem_set(reading->problem, ERR_INPUT, path, "There is no file beside these settings.",
                       "Put files/NAME.pdf beside files/NAME.json.");
}

static enum err read_handouts(struct reading *reading, bool is_settings)
{
    char folder[PATH_BYTES_MAX];
    snprintf(folder, sizeof folder, "%.4000s/files", reading->folder);
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return errno == ENOENT
                   ? OK
                   : system_problem(folder, "The folder cannot be read", reading->problem);
    enum err err = OK;
    for (struct dirent *entry; err == OK && (entry = readdir(dir)) != NULL;) {
        struct str name = str_of(entry->d_name);
        if (name.ptr[0] == '.' || str_ends(name, STR(".json")) != is_settings)
            continue;
        err = is_settings ? settings_check(reading, name) : take_handout(reading, name);
    }
    closedir(dir);
    return err;
}

/* What is one file and has no folder. */
static enum err read_single(struct reading *reading, enum file_kind kind)
{
    char path[PATH_BYTES_MAX], name[64];
    snprintf(name, sizeof name, "%s%s", SHELVES[kind].name, SHELVES[kind].ending);
    snprintf(path, sizeof path, "%s/%s", reading->folder, name);
    return access(path, F_OK) != 0 ? OK : take(reading, kind, str_of(name), STR_NONE);
}

static int by_kind_and_name(const void *a, const void *b)
{
    const struct file *left = a, *right = b;
    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    return str_cmp(left->name, right->name);
}

enum err files_read(struct arena *arena, const char *folder, struct files *out,
                    struct problem *problem)
{
    struct stat    stat_;
    struct reading reading = { .arena = arena, .folder = folder, .problem = problem };
    if (stat(folder, &stat_) != 0 || !S_ISDIR(stat_.st_mode))
        return problem_set(problem, ERR_ABSENT, folder, "There is no such folder.",
                           "Name the folder that holds workspace.json.");
    reading.items = ARENA_ARRAY(arena, FILES_MAX, struct file);
    if (reading.items == NULL)
        return ERR_MEMORY;
    for (int kind = FILE_WORKSPACE; kind < FILE_KINDS; kind++) {
        if (kind == FILE_HANDOUT)
            continue;
        TRY(file_kind_is_single((enum file_kind)kind) ? read_single(&reading, (enum file_kind)kind)
                                                      : read_shelf(&reading, (enum file_kind)kind));
    }
    TRY(read_handouts(&reading, false));
    TRY(read_handouts(&reading, true));
    if (reading.count == 0)
        return problem_set(
            problem, ERR_INPUT, folder, "Nothing of a workspace is in this folder.",
            "It should hold workspace.json, topics.json, limits.json, rates.json, stages.json, "
            "traits/, "
            "scores/, segments/, codes/, snippets/, questions/, files/, templates/, journeys/, "
            "broadcasts/, touchpoints/.");
    /* A folder lists its files in no order; ours is the same on every machine. */
    qsort(reading.items, reading.count, sizeof *reading.items, by_kind_and_name);
    *out = (struct files){ reading.items, reading.count };
    return OK;
}

/* ---- the order ---- */

/* Does the condition name this segment: in segment "x"? What stands after '#' is a comment. */
static bool names_segment(struct str text, struct str name)
{
    struct str line, word = STR("segment");
    while (str_split(&text, '\n', &line)) {
        struct str trimmed = str_trim(line);
        if (trimmed.len > 0 && trimmed.ptr[0] == '#')
            continue;
        for (size_t at = 0; (at = str_find(line, at, word)) < line.len; at += word.len) {
            struct str rest = str_trim(str_slice(line, at + word.len, line.len));
            bool       is_quoted =
                rest.len >= name.len + 2 && rest.ptr[0] == '"' && rest.ptr[name.len + 1] == '"';
            if (is_quoted && str_eq(str_slice(rest, 1, name.len + 1), name))
                return true;
        }
    }
    return false;
}

/* Does the journey name this one: "left_journey": "x", or in journey \"x\"? */
static bool names_journey(struct str text, struct str name)
{
    struct str word = STR("journey");
    for (size_t at = 0; (at = str_find(text, at, word)) < text.len; at += word.len) {
        size_t from = at + word.len, end;
        while (from < text.len && strchr("\"\\: \t\r\n", text.ptr[from]) != NULL)
            from++;
        end = from + name.len;
        if (end < text.len && (text.ptr[end] == '"' || text.ptr[end] == '\\') &&
            str_eq(str_slice(text, from, end), name))
            return true;
    }
    return false;
}

struct ordering {
    const struct file *from;
    struct file       *to;
    uint8_t           *state; /* 0 not seen, 1 on the way, 2 placed */
    uint32_t           count, placed;
    enum file_kind     kind;
    struct problem    *problem;
};

static bool names_other(const struct ordering *ordering, uint32_t index, uint32_t other)
{
    const struct file *file = &ordering->from[index];
    struct str         name = ordering->from[other].name;
    if (ordering->kind == FILE_SEGMENT)
        return names_segment(file->text, name);
    return other != index && names_journey(file->text, name);
}

static enum err place(struct ordering *ordering, uint32_t index)
{
    const struct file *file = &ordering->from[index];
    if (ordering->state[index] == 2)
        return OK;
    if (ordering->state[index] == 1 && ordering->kind == FILE_JOURNEY)
        return OK; /* one of them has to be made first, without the other */
    if (ordering->state[index] == 1)
        return problem_format(ordering->problem, ERR_INPUT, file->path.ptr,
                              "Write the condition out in one of them.",
                              "The segment \"%.*s\" names itself, by way of another or directly.",
                              STR_ARG(file->name));
    ordering->state[index] = 1;
    for (uint32_t other = 0; other < ordering->count; other++)
        if (names_other(ordering, index, other))
            TRY(place(ordering, other));
    ordering->state[index] = 2;
    ordering->to[ordering->placed++] = *file;
    return OK;
}

/* Those of one kind stand together. */
static enum err kind_order(struct arena *arena, struct files *files, enum file_kind kind,
                           struct problem *problem)
{
    uint32_t first = 0, last;
    while (first < files->count && files->items[first].kind < kind)
        first++;
    for (last = first; last < files->count && files->items[last].kind == kind;)
        last++;
    struct ordering ordering = { .from = files->items + first,
                                 .to = ARENA_ARRAY(arena, last - first, struct file),
                                 .state = arena_alloc(arena, last - first),
                                 .count = last - first,
                                 .kind = kind,
                                 .problem = problem };
    if (ordering.to == NULL || ordering.state == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < ordering.count; i++)
        TRY(place(&ordering, i));
    if (ordering.count > 0)
        memcpy(files->items + first, ordering.to, ordering.count * sizeof *ordering.to);
    return OK;
}

enum err files_order(struct arena *arena, struct files *files, struct problem *problem)
{
    TRY(kind_order(arena, files, FILE_SEGMENT, problem));
    return kind_order(arena, files, FILE_JOURNEY, problem);
}

/* ---- a folder of our own ---- */

enum err files_folder_make(const char *path, struct problem *problem)
{
    char        part[PATH_BYTES_MAX];
    struct stat stat_;
    size_t      length = strlen(path);
    if (length == 0 || length >= sizeof part)
        return problem_set(problem, ERR_INPUT, "--data", "This is no path of a folder.",
                           "Name a folder, such as ./data.");
    for (size_t end = 1; end <= length; end++) {
        if (path[end] != '/' && path[end] != '\0')
            continue;
        str_to_cstr((struct str){ path, end }, part, sizeof part);
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return problem_format(problem, ERR_IO, part, "May this user write there?",
                                  "The folder cannot be made: %s.", strerror(errno));
    }
    if (stat(path, &stat_) != 0 || !S_ISDIR(stat_.st_mode))
        return problem_set(problem, ERR_IO, path, "This is not a folder.", "Name another.");
    return OK;
}
