#include "run/api/hit_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PARTS = 2, PATH_BYTES_MAX = 4096 };

struct hit_file {
    int      fds[PARTS];
    uint32_t waiting[PARTS];
    off_t    bytes[PARTS];
    uint64_t first[PARTS]; /* where it is not empty: the number of its oldest line */
    uint64_t added;        /* the next line's number; those found at the start have 0 */
    int      current;
};

/* All that is in the file; the caller frees it. */
static enum err all_read(int fd, char **out, size_t *len)
{
    struct stat about;
    if (fstat(fd, &about) != 0)
        return ERR_IO;
    size_t size = (size_t)about.st_size;
    *out = malloc(size + 1);
    if (*out == NULL)
        return ERR_MEMORY;
    for (*len = 0; *len < size;) {
        ssize_t got = pread(fd, *out + *len, size - *len, (off_t)*len);
        if (got <= 0)
            break;
        *len += (size_t)got;
    }
    return *len == size ? OK : ERR_IO;
}

/* What ends without a line feed was being written when the process ended: nobody relies on it. */
static enum err lines_read(struct hit_file *file, int part, hit_line *each, void *context)
{
    char      *all = NULL;
    size_t     len = 0;
    enum err   err = all_read(file->fds[part], &all, &len);
    struct str rest = { all, len };
    while (err == OK && rest.len > 0) {
        size_t end = str_find_char(rest, 0, '\n');
        if (end == rest.len)
            break;
        if (each(context, str_slice(rest, 0, end), part))
            file->waiting[part]++;
        rest = str_slice(rest, end + 1, rest.len);
    }
    free(all);
    file->bytes[part] = (off_t)(len - rest.len);
    if (err == OK &&
        ftruncate(file->fds[part], file->waiting[part] == 0 ? 0 : file->bytes[part]) != 0)
        err = ERR_IO;
    if (file->waiting[part] == 0)
        file->bytes[part] = 0;
    return err;
}

static enum err part_open(struct hit_file *file, const char *dir, int part)
{
    char path[PATH_BYTES_MAX];
    if (snprintf(path, sizeof path, "%s/hits.%d", dir, part) >= (int)sizeof path)
        return ERR_LIMIT;
    file->fds[part] = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return file->fds[part] < 0 ? ERR_IO : OK;
}

static enum err parts_open(struct hit_file *file, const char *dir, hit_line *each, void *context)
{
    struct stat about[PARTS];
    for (int part = 0; part < PARTS; part++) {
        TRY(part_open(file, dir, part));
        if (fstat(file->fds[part], &about[part]) != 0)
            return ERR_IO;
    }
    bool turned = about[1].st_mtim.tv_sec < about[0].st_mtim.tv_sec;
    file->current = turned ? 0 : 1; /* the one written last */
    TRY(lines_read(file, !file->current, each, context));
    return lines_read(file, file->current, each, context);
}

enum err hit_file_open(struct hit_file **out, const char *dir, hit_line *each, void *context)
{
    struct hit_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        return ERR_MEMORY;
    file->added = 1;
    for (int part = 0; part < PARTS; part++)
        file->fds[part] = -1;
    enum err err = parts_open(file, dir, each, context);
    if (err != OK) {
        hit_file_close(file);
        return err;
    }
    *out = file;
    return OK;
}

void hit_file_close(struct hit_file *file)
{
    if (file == NULL)
        return;
    for (int part = 0; part < PARTS; part++)
        if (file->fds[part] >= 0)
            close(file->fds[part]);
    free(file);
}

enum err hit_file_add(struct hit_file *file, struct str line, int *part)
{
    struct iovec pieces[] = { { (char *)line.ptr, line.len }, { "\n", 1 } };
    int          other = !file->current;
    if (line.len > HIT_LINE_BYTES_MAX)
        return ERR_LIMIT;
    if (file->bytes[file->current] >= HIT_FILE_BYTES && file->waiting[other] == 0)
        file->current = other;
    int     now = file->current;
    ssize_t written = writev(file->fds[now], pieces, 2);
    if (written != (ssize_t)(line.len + 1)) {
        (void)!ftruncate(file->fds[now], file->bytes[now]); /* half a line is none */
        return ERR_IO;
    }
    if (file->bytes[now] == 0)
        file->first[now] = file->added;
    file->added++;
    file->bytes[now] += written;
    file->waiting[now]++;
    *part = now;
    return OK;
}

static void part_empty(struct hit_file *file, int part)
{
    if (ftruncate(file->fds[part], 0) == 0)
        file->bytes[part] = 0;
}

void hit_file_done(struct hit_file *file, int part)
{
    if (--file->waiting[part] == 0)
        part_empty(file, part);
}

uint64_t hit_file_mark(const struct hit_file *file)
{
    return file->added;
}

bool hit_file_is_clear(struct hit_file *file, uint64_t mark)
{
    bool is_clear = true;
    for (int part = 0; part < PARTS; part++) {
        if (file->waiting[part] == 0 && file->bytes[part] > 0)
            part_empty(file, part);
        if (file->bytes[part] == 0 || file->first[part] >= mark)
            continue;
        is_clear = false;
        if (part == file->current && file->waiting[!part] == 0)
            file->current = !part;
    }
    return is_clear;
}
