#include "run/core/outbox.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "delivery/maildir.h"

enum { PATH_BYTES_MAX = 4200, HEAD_BYTES = 2048 };

_Static_assert(HEAD_BYTES > 2 * DELIVERY_ADDRESS_BYTES_MAX + 256, "the number is among them");

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

typedef bool entry_judge(void *context, int folder, const char *entry);

static void folder_sift(const char *outbox, const char *part, entry_judge *is_to_go, void *context)
{
    char path[PATH_BYTES_MAX];
    if (snprintf(path, sizeof path, "%s/%s", outbox, part) >= (int)sizeof path)
        return;
    DIR *folder = opendir(path);
    if (folder == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.' && is_to_go(context, dirfd(folder), entry->d_name))
            unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
}

/* ---- one by its name ---- */

static bool is_the_named(void *context, int folder, const char *entry)
{
    (void)folder;
    return is_named(str_of(entry), *(const struct str *)context);
}

void outbox_forget(const char *outbox, struct str name)
{
    if (str_is_empty(name))
        return;
    folder_sift(outbox, "new", is_the_named, &name);
    folder_sift(outbox, "cur", is_the_named, &name);
}

/* ---- all of some messages ---- */

struct sweeping {
    bool (*is_gone)(void *context, uint64_t message);
    void *context;
};

/* 0: it says none in its first lines. */
static uint64_t number_of(struct str head)
{
    struct str mark = STR("\n" MAILDIR_NUMBER);
    size_t     at = str_find(head, 0, mark);
    size_t     body = str_find(head, 0, STR("\r\n\r\n"));
    uint64_t   number = 0;
    if (at >= head.len || body < at)
        return 0;
    for (at += mark.len; at < head.len && head.ptr[at] >= '0' && head.ptr[at] <= '9'; at++)
        number = number * 10 + (uint64_t)(head.ptr[at] - '0');
    return number;
}

static bool is_of_one_gone(void *context, int folder, const char *entry)
{
    const struct sweeping *sweeping = context;
    char                   head[HEAD_BYTES];
    int                    file = openat(folder, entry, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t                len = file < 0 ? -1 : read(file, head, sizeof head);
    if (file >= 0)
        close(file);
    uint64_t number = len <= 0 ? 0 : number_of((struct str){ head, (size_t)len });
    return number != 0 && sweeping->is_gone(sweeping->context, number);
}

void outbox_sweep(const char *outbox, bool (*is_gone)(void *context, uint64_t message),
                  void       *context)
{
    static const char *const parts[] = { "tmp", "new", "cur" };
    struct sweeping          sweeping = { is_gone, context };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        folder_sift(outbox, parts[i], is_of_one_gone, &sweeping);
}
