#include "run/core/begun.h"

#include <assert.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BOOT_BYTES = 40, PATH_BYTES = 4096 };

/* In a message's word above its number: what was answered. */
#define HEARD_SHIFT 61
#define NUMBER_MASK ((UINT64_C(1) << HEARD_SHIFT) - 1)

static const uint64_t heard_codes[] = {
    [BEGUN_SENT] = 4, [BEGUN_KEPT] = 5, [BEGUN_REFUSED] = 1, [BEGUN_PUT_OFF] = 2
};

/* Which file is it? Made anew it is another one, whatever its name. */
struct identity {
    uint64_t inode;
    int64_t  birth_s; /* 0: its file system does not say */
    uint64_t birth_ns;
};

/* The mapped file, as this machine writes numbers: another would not believe it anyhow. */
struct page {
    char            boot[BOOT_BYTES]; /* written last; empty: not to be believed */
    uint64_t        device, inode;
    struct identity store;                        /* dult.db's */
    atomic_ullong   messages[BEGUN_MESSAGES_MAX]; /* 0: free */
};

struct begun {
    struct page    *page;
    bool            is_believed; /* the run before */
    bool            is_full;     /* more were begun than there is room for */
    uint64_t       *before;      /* of the run before, in their places; 0: free */
    uint32_t        next;        /* where a free place is looked for first */
    pthread_mutex_t lock;
};

/* ---- of which boot, of which file ---- */

/* Empty where the system does not say. */
static void boot_read(char out[BOOT_BYTES])
{
    memset(out, 0, BOOT_BYTES);
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t n = read(fd, out, BOOT_BYTES - 1);
    close(fd);
    if (n < 0)
        out[0] = '\0';
}

/* Where there is no store it is none. */
static struct identity store_identity(const char *dir)
{
    char         path[PATH_BYTES];
    struct statx about;
    snprintf(path, sizeof path, "%.4000s/dult.db", dir);
    if (statx(AT_FDCWD, path, 0, STATX_INO | STATX_BTIME, &about) != 0)
        return (struct identity){ 0 };
    bool has_birth = (about.stx_mask & STATX_BTIME) != 0;
    return (struct identity){ .inode = about.stx_ino,
                              .birth_s = has_birth ? about.stx_btime.tv_sec : 0,
                              .birth_ns = has_birth ? about.stx_btime.tv_nsec : 0 };
}

static bool is_same(const struct identity *a, const struct identity *b)
{
    return a->inode == b->inode && a->birth_s == b->birth_s && a->birth_ns == b->birth_ns;
}

/* Written in this boot, into this file, beside this store? */
static bool is_of_this_boot(const struct page *page, const struct stat *about,
                            const struct identity *store)
{
    char boot[BOOT_BYTES];
    boot_read(boot);
    return boot[0] != '\0' && memcmp(page->boot, boot, BOOT_BYTES) == 0 &&
           page->device == about->st_dev && page->inode == about->st_ino &&
           is_same(&page->store, store);
}

/* ---- opening ---- */

static enum err trouble(const char *path, struct problem *problem)
{
    return problem_set(problem, ERR_IO, path, "The list of messages on their way cannot be kept.",
                       "Look at the folder's permissions and at the room on the disk.");
}

/* A file system that writes each change to another place (btrfs) is asked not to with this one, for
 * that place may be missing. Only an empty file can be changed so; others know no such wish. */
static void in_place_ask(int fd)
{
    struct stat about;
    int         flags;
    if (fstat(fd, &about) == 0 && about.st_size == 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
        flags |= FS_NOCOW_FL;
        (void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
    }
}

/* With its blocks: a full disk must not be met while writing to memory. */
static enum err page_map(const char *path, struct page **out, struct stat *about,
                         struct problem *problem)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        in_place_ask(fd);
    bool good =
        fd >= 0 && posix_fallocate(fd, 0, sizeof(struct page)) == 0 && fstat(fd, about) == 0;
    void *page = good ? mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                      : MAP_FAILED;
    if (fd >= 0)
        close(fd);
    if (page == MAP_FAILED)
        return trouble(path, problem);
    *out = page;
    return OK;
}

static void before_read(struct begun *begun)
{
    for (uint32_t i = 0; i < BEGUN_MESSAGES_MAX; i++)
        begun->before[i] = atomic_load(&begun->page->messages[i]);
}

/* What it said before is not believed: it begins anew, believed from the next start on. Not before
 * begun_settle, though: until then all of the store's are in doubt, also after another kill. */
static void page_distrust(struct begun *begun, const struct stat *about,
                          const struct identity *store)
{
    memset(begun->page->boot, 0, BOOT_BYTES);
    begun->page->device = about->st_dev;
    begun->page->inode = about->st_ino;
    begun->page->store = *store;
    for (uint32_t i = 0; i < BEGUN_MESSAGES_MAX; i++)
        atomic_store(&begun->page->messages[i], 0);
}

enum err begun_open(struct begun **out, const char *dir, struct problem *problem)
{
    char          path[PATH_BYTES];
    struct stat   about;
    struct begun *begun = calloc(1, sizeof *begun);
    if (begun == NULL)
        return ERR_MEMORY;
    pthread_mutex_init(&begun->lock, NULL);
    snprintf(path, sizeof path, "%.4000s/begun", dir);
    begun->before = calloc(BEGUN_MESSAGES_MAX, sizeof *begun->before);
    enum err err =
        begun->before == NULL ? ERR_MEMORY : page_map(path, &begun->page, &about, problem);
    if (err != OK) {
        begun_close(begun);
        return err;
    }
    struct identity store = store_identity(dir);
    begun->is_believed = is_of_this_boot(begun->page, &about, &store);
    if (begun->is_believed)
        before_read(begun);
    else
        page_distrust(begun, &about, &store);
    *out = begun;
    return OK;
}

void begun_close(struct begun *begun)
{
    if (begun == NULL)
        return;
    if (begun->page != NULL)
        munmap(begun->page, sizeof *begun->page);
    pthread_mutex_destroy(&begun->lock);
    free(begun->before);
    free(begun);
}

/* ---- the run before ---- */

static enum begun_state heard_of(uint64_t word)
{
    for (enum begun_state state = BEGUN_SENT; state <= BEGUN_PUT_OFF; state++)
        if (heard_codes[state] == word >> HEARD_SHIFT)
            return state;
    return BEGUN_MAY; /* of a version to come */
}

enum begun_state begun_look(const struct begun *begun, uint64_t message)
{
    enum begun_state state = begun->is_believed ? BEGUN_NOT : BEGUN_MAY;
    for (uint32_t i = 0; i < BEGUN_MESSAGES_MAX && begun->is_believed; i++) {
        if (begun->before[i] == message)
            return BEGUN_MAY; /* it was claimed again after what else is said of it */
        if ((begun->before[i] & NUMBER_MASK) == message)
            state = heard_of(begun->before[i]);
    }
    return state;
}

void begun_settle(struct begun *begun)
{
    pthread_mutex_lock(&begun->lock);
    for (uint32_t i = 0; i < BEGUN_MESSAGES_MAX; i++)
        if (begun->before[i] != 0) {
            atomic_store(&begun->page->messages[i], 0);
            begun->before[i] = 0;
        }
    if (!begun->is_full)
        boot_read(begun->page->boot);
    pthread_mutex_unlock(&begun->lock);
}

/* ---- this run ---- */

uint32_t begun_add(struct begun *begun, uint64_t message)
{
    pthread_mutex_lock(&begun->lock);
    uint32_t place = begun->next, looked = 0;
    while (looked < BEGUN_MESSAGES_MAX && atomic_load(&begun->page->messages[place]) != 0) {
        place = (place + 1) % BEGUN_MESSAGES_MAX;
        looked++;
    }
    if (looked < BEGUN_MESSAGES_MAX) {
        atomic_store(&begun->page->messages[place], message);
        begun->next = (place + 1) % BEGUN_MESSAGES_MAX;
    } else {
        place = BEGUN_MESSAGES_MAX;
        begun->is_full = true;
        memset(begun->page->boot, 0, BOOT_BYTES);
    }
    pthread_mutex_unlock(&begun->lock);
    return place;
}

void begun_heard(struct begun *begun, uint32_t place, enum begun_state what)
{
    assert(what >= BEGUN_SENT && what <= BEGUN_PUT_OFF);
    if (place < BEGUN_MESSAGES_MAX)
        atomic_store(&begun->page->messages[place],
                     (atomic_load(&begun->page->messages[place]) & NUMBER_MASK) |
                         heard_codes[what] << HEARD_SHIFT);
}

void begun_remove(struct begun *begun, uint32_t place)
{
    if (place < BEGUN_MESSAGES_MAX)
        atomic_store(&begun->page->messages[place], 0);
}
