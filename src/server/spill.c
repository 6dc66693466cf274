#include "server/spill.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

/* Some file systems know no file without a name: there it loses the one it was made with. */
static int file_make(const char *dir)
{
    char path[PATH_BYTES];
    int  fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    int len = snprintf(path, sizeof path, "%s/.body-XXXXXX", dir);
    fd = len < PATH_BYTES ? mkostemp(path, O_CLOEXEC) : -1;
    if (fd >= 0)
        unlink(path);
    return fd;
}

enum err spill_open(struct spill *spill, const char *dir, size_t room)
{
    struct spill made = { .fd = file_make(dir), .room = room };
    if (made.fd < 0)
        return ERR_IO;
    if (posix_fallocate(made.fd, 0, (off_t)room) != 0) {
        close(made.fd);
        return ERR_IO;
    }
    void *at = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED, made.fd, 0);
    if (at == MAP_FAILED) {
        close(made.fd);
        return ERR_MEMORY;
    }
    made.bytes = at;
    *spill = made;
    return OK;
}

enum err spill_grow(struct spill *spill, size_t room)
{
    if (posix_fallocate(spill->fd, 0, (off_t)room) != 0)
        return ERR_IO;
    void *at = mremap(spill->bytes, spill->room, room, MREMAP_MAYMOVE);
    if (at == MAP_FAILED)
        return ERR_MEMORY;
    spill->bytes = at;
    spill->room = room;
    return OK;
}

void spill_leave(struct spill *spill, size_t len)
{
    size_t whole = len - len % SPILL_WINDOW_BYTES;
    if (whole <= spill->left)
        return;
    (void)madvise(spill->bytes + spill->left, whole - spill->left, MADV_DONTNEED);
    spill->left = whole;
}

void spill_done(struct spill *spill)
{
    if (spill->bytes == NULL)
        return;
    munmap(spill->bytes, spill->room);
    close(spill->fd);
    *spill = (struct spill){ .bytes = NULL };
}
