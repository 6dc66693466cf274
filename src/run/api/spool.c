#include "run/api/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PATH_BYTES_MAX = 4096 };

struct mapping {
    atomic_uint *readers;
    void        *bytes;
    size_t       len;
};

static enum err failed(struct spool *spool, const char *what)
{
    return problem_format(&spool->problem, ERR_IO, "dir", "Make room on the disk, and ask again.",
                          "%s: %s.", what, strerror(errno));
}

/* Where a file cannot be without a name from the start, it loses it at once. */
static int file_open(const char *dir)
{
    char path[PATH_BYTES_MAX];
    int  fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || snprintf(path, sizeof path, "%s/spool.XXXXXX", dir) >= (int)sizeof path)
        return fd;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

enum err spool_open(struct spool *spool, const char *dir)
{
    *spool = (struct spool){ .fd = file_open(dir), .out = buf_make(SPOOL_ITEM_BYTES_MAX) };
    return spool->fd < 0 ? failed(spool, "No file could be opened for the answer") : OK;
}

void spool_close(struct spool *spool)
{
    if (spool->fd >= 0)
        close(spool->fd);
    buf_done(&spool->out);
    spool->fd = -1;
}

static enum err write_out(struct spool *spool)
{
    struct str left = buf_view(&spool->out);
    while (left.len > 0) {
        ssize_t written = write(spool->fd, left.ptr, left.len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return failed(spool, "The answer could not be written");
        left = str_slice(left, (size_t)written, left.len);
    }
    spool->bytes += (int64_t)spool->out.len;
    buf_reset(&spool->out);
    return OK;
}

enum err spool_flush(struct spool *spool)
{
    TRY(buf_err(&spool->out));
    if (spool->bytes > SPOOL_BYTES_MAX)
        return problem_set(&spool->problem, ERR_LIMIT, "", "The answer is beyond 16 GB.",
                           "Ask for the parts of it: the timeline, the messages.");
    return spool->out.len < SPOOL_PIECE_BYTES ? OK : write_out(spool);
}

static void mapping_end(void *context)
{
    struct mapping *mapping = context;
    if (mapping->readers != NULL)
        atomic_fetch_sub(mapping->readers, 1);
    munmap(mapping->bytes, mapping->len);
    free(mapping);
}

enum err spool_reply(struct spool *spool, struct http_request *request, struct http_answer *answer)
{
    TRY(buf_err(&spool->out));
    TRY(write_out(spool));
    struct mapping *mapping = malloc(sizeof *mapping);
    if (mapping == NULL)
        return ERR_MEMORY;
    mapping->len = (size_t)spool->bytes;
    mapping->bytes = mmap(NULL, mapping->len, PROT_READ, MAP_SHARED, spool->fd, 0);
    if (mapping->bytes == MAP_FAILED) {
        free(mapping);
        return failed(spool, "The answer could not be read again");
    }
    (void)madvise(mapping->bytes, mapping->len, MADV_SEQUENTIAL);
    answer->body = (struct str){ mapping->bytes, mapping->len };
    answer->is_body_lasting = true;
    answer->body_done = mapping_end;
    answer->body_context = mapping;
    answer->write_ms_max = SPOOL_READ_MS(spool->bytes);
    mapping->readers = spool->readers;
    if (mapping->readers != NULL)
        atomic_fetch_add(mapping->readers, 1);
    http_reply(request, answer);
    return OK;
}
