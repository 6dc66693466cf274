#include "base/space.h"

#include <assert.h>
#include <sys/mman.h>

enum { SPACE_STEP_BYTES = 16 << 20, SPACE_SMALL_BYTES = 4096, LARGE_FROM_BYTES = 4 << 20 };

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) & ~(to - 1);
}

enum err space_open(struct space *space, size_t bytes_max)
{
    size_t room = round_up(bytes_max, SPACE_STEP_BYTES);
    void  *at = mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return ERR_MEMORY;
    *space = (struct space){ .bytes = at, .bytes_max = room };
    return OK;
}

/* Advice: a system that has no large pages goes on with small ones. */
void space_large(void *at, size_t bytes)
{
    size_t before = (size_t)(-(uintptr_t)at & (SPACE_SMALL_BYTES - 1));
    if (bytes >= LARGE_FROM_BYTES)
        (void)madvise((char *)at + before, bytes - before, MADV_HUGEPAGE);
}

/* While pages are given back nothing else of the process can be mapped: so step by step. */
void space_release(unsigned char *region, size_t bytes)
{
    for (size_t at = 0; region != NULL && at < bytes; at += SPACE_STEP_BYTES)
        munmap(region + at, bytes - at < SPACE_STEP_BYTES ? bytes - at : SPACE_STEP_BYTES);
}

void space_close(struct space *space)
{
    space_release(space->bytes, space->committed);
    if (space->bytes != NULL && space->committed < space->bytes_max)
        munmap(space->bytes + space->committed, space->bytes_max - space->committed);
    *space = (struct space){ 0 };
}

static enum err commit(struct space *space, size_t end)
{
    size_t wanted = round_up(end, SPACE_STEP_BYTES);
    if (wanted > space->bytes_max)
        wanted = space->bytes_max;
    if (mprotect(space->bytes + space->committed, wanted - space->committed,
                 PROT_READ | PROT_WRITE) != 0)
        return ERR_MEMORY;
    if (space->committed > 0) /* what is small stays so */
        space_large(space->bytes + space->committed, wanted - space->committed);
    space->committed = wanted;
    return OK;
}

enum err space_add(struct space *space, size_t bytes, size_t align, size_t *offset)
{
    assert(align > 0 && (align & (align - 1)) == 0);
    size_t at = round_up(space->len, align);
    if (at > space->bytes_max || bytes > space->bytes_max - at)
        return ERR_LIMIT;
    if (at + bytes > space->committed)
        TRY(commit(space, at + bytes));
    space->len = at + bytes;
    *offset = at;
    return OK;
}

enum err space_map(struct space *space, int file, size_t bytes)
{
    assert(space->len == 0);
    if (bytes > space->bytes_max)
        return ERR_LIMIT;
    if (bytes == 0)
        return OK;
    TRY(commit(space, bytes));
    void *at = mmap(space->bytes, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file, 0);
    if (at == MAP_FAILED)
        return ERR_IO;
    space->len = bytes;
    return OK;
}
