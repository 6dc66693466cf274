#include "run/core/zones.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/zone_file.h"

enum {
    DEPTH_MAX = 3,        /* America/Argentina/Buenos_Aires */
    PATH_BYTES_MAX = 512, /* the folder and a name */
    FILE_BYTES_MAX = 64 << 10,
    SCRATCH_BYTES_MAX = 128 << 20, /* ZONES_MAX times the room of a zone */
};

struct reading {
    struct arena *scratch;
    const char   *folder;
    struct zone   list[ZONES_MAX];
    uint32_t      count;
    uint64_t      digest; /* of all files: the version of rules that do not tell theirs */
    char          bytes[FILE_BYTES_MAX];
};

/* Other ways to count, and files that are no place on earth. */
static bool is_passed_over(const char *name)
{
    static const char *const others[] = { "posix", "right", "posixrules", "localtime" };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (str_eq(str_of(name), str_of(others[i])))
            return true;
    return name[0] == '.';
}

static struct str file_read(const char *path, char *bytes, size_t room)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return STR_NONE;
    struct str read = { bytes, fread(bytes, 1, room, file) };
    (void)fclose(file);
    return read;
}

static enum err zone_add(struct reading *r, const char *path, const char *name)
{
    struct str bytes = file_read(path, r->bytes, sizeof r->bytes);
    struct str kept = str_copy(r->scratch, str_of(name));
    if (kept.ptr == NULL)
        return ERR_MEMORY;
    if (r->count == ZONES_MAX || kept.len > ZONE_NAME_BYTES_MAX)
        return OK;
    enum err err = zone_file_read(r->scratch, kept, bytes, &r->list[r->count]);
    if (err == ERR_MEMORY)
        return err;
    r->count += err == OK;
    r->digest ^= err == OK ? hash_str(bytes, hash_str(kept, 0)) : 0;
    return OK;
}

/* `below` is "" or a name with a slash behind it. */
static enum err folder_add(struct reading *r, const char *below, int depth)
{
    char path[PATH_BYTES_MAX], name[PATH_BYTES_MAX];
    if (snprintf(path, sizeof path, "%s/%s", r->folder, below) >= (int)sizeof path)
        return OK;
    DIR     *dir = opendir(path);
    enum err err = OK;
    for (struct dirent *entry; dir != NULL && err == OK && (entry = readdir(dir)) != NULL;) {
        struct stat status;
        if (is_passed_over(entry->d_name) ||
            snprintf(name, sizeof name, "%s%s", below, entry->d_name) >= (int)sizeof name - 1 ||
            snprintf(path, sizeof path, "%s/%s", r->folder, name) >= (int)sizeof path ||
            stat(path, &status) != 0)
            continue;
        if (S_ISREG(status.st_mode))
            err = zone_add(r, path, name);
        else if (S_ISDIR(status.st_mode) && depth < DEPTH_MAX)
            err = folder_add(r, strcat(name, "/"), depth + 1);
    }
    if (dir != NULL)
        (void)closedir(dir);
    return err;
}

/* "2025b", as the rules' own text says in its first line; else what is in the files. */
static struct str version_of(struct reading *r)
{
    static const struct str begin = { "# version ", 10 };
    char                    path[PATH_BYTES_MAX];
    struct str              line = STR_NONE, text;
    if (snprintf(path, sizeof path, "%s/tzdata.zi", r->folder) < (int)sizeof path)
        line = file_read(path, r->bytes, 100);
    if (str_split(&line, '\n', &text) && str_starts(text, begin))
        return str_copy(r->scratch, str_slice(text, begin.len, text.len));
    return str_format(r->scratch, "%016llx", (unsigned long long)r->digest);
}

static enum err zones_collect(struct reading *r, struct zones **out, struct problem *problem)
{
    TRY(folder_add(r, "", 1));
    if (r->count == 0)
        return problem_format(problem, ERR_ABSENT, r->folder, "Install the package tzdata.",
                              "There are no time zones here.");
    struct str version = version_of(r);
    return version.ptr == NULL ? ERR_MEMORY : zones_make(out, version, r->list, r->count);
}

enum err zones_of_system(struct zones **out, const char *folder, struct problem *problem)
{
    SCOPED(arena_closep) struct arena *scratch = arena_open(SCRATCH_BYTES_MAX);
    struct reading                    *r = calloc(1, sizeof *r);
    enum err                           err = ERR_MEMORY;
    if (folder == NULL)
        folder = getenv("TZDIR");
    if (scratch != NULL && r != NULL) {
        r->scratch = scratch;
        r->folder = folder == NULL ? "/usr/share/zoneinfo" : folder;
        err = zones_collect(r, out, problem);
    }
    free(r);
    return err;
}
