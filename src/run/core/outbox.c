#include "run/core/outbox.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { PATH_BYTES_MAX = 4200 };

struct str outbox_name(struct str status)
{
    if (!str_starts(status, STR(OUTBOX_KEPT)))
        return STR_NONE;
    struct str name = str_trim(str_slice(status, sizeof OUTBOX_KEPT - 1, status.len));
    bool is_name = str_find_char(name, 0, '/') == name.len && name.len > 0 && name.ptr[0] != '.';
    return is_name ? name : STR_NONE;
}

/* A mail reader adds flags: NAME:2,S */
static bool is_named(struct str entry, struct str name)
{
    return str_starts(entry, name) && (entry.len == name.len || entry.ptr[name.len] == ':');
}

static void folder_forget(const char *dir, const char *part, struct str name)
{
    char path[PATH_BYTES_MAX];
    if (snprintf(path, sizeof path, "%s/outbox/%s", dir, part) >= (int)sizeof path)
        return;
    DIR *folder = opendir(path);
    if (folder == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (is_named(str_of(entry->d_name), name))
            unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
}

void outbox_forget(const char *dir, struct str name)
{
    folder_forget(dir, "new", name);
    folder_forget(dir, "cur", name);
}
