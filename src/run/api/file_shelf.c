#include "run/api/file_shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, WRITE_BYTES = 1 << 20 };

struct file_shelf {
    char            dir[PATH_BYTES];
    pthread_mutex_t lock;
};

enum err file_shelf_open(struct file_shelf **out, const char *dir)
{
    struct file_shelf *shelf = calloc(1, sizeof *shelf);
    if (shelf == NULL)
        return ERR_MEMORY;
    int len = snprintf(shelf->dir, sizeof shelf->dir, "%s/files", dir);
    if (len >= PATH_BYTES - 2 * FILE_SHA_BYTES ||
        (mkdir(shelf->dir, 0700) != 0 && errno != EEXIST)) {
        free(shelf);
        return ERR_IO;
    }
    pthread_mutex_init(&shelf->lock, NULL);
    *out = shelf;
    return OK;
}

void file_shelf_close(struct file_shelf *shelf)
{
    if (shelf == NULL)
        return;
    pthread_mutex_destroy(&shelf->lock);
    free(shelf);
}

void file_shelf_lock(struct file_shelf *shelf)
{
    pthread_mutex_lock(&shelf->lock);
}

void file_shelf_unlock(struct file_shelf *shelf)
{
    pthread_mutex_unlock(&shelf->lock);
}

static void path_of(const struct file_shelf *shelf, const char *name, char out[PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "%.*s/%.100s", PATH_BYTES - 2 * FILE_SHA_BYTES, shelf->dir, name);
}

/* ---- writing ---- */

static bool sha_of(struct str bytes, char sha[FILE_SHA_BYTES + 1])
{
    unsigned char digest[FILE_SHA_BYTES / 2];
    unsigned int  len = 0;
    if (EVP_Digest(bytes.ptr, bytes.len, digest, &len, EVP_sha256(), NULL) != 1 ||
        len != sizeof digest)
        return false;
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(sha + 2 * i, 3, "%02x", digest[i]);
    return true;
}

static bool write_all(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t wrote = write(fd, bytes.ptr, bytes.len < WRITE_BYTES ? bytes.len : WRITE_BYTES);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        bytes = str_slice(bytes, (size_t)wrote, bytes.len);
    }
    return true;
}

static bool dir_sync(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool done = fsync(fd) == 0;
    close(fd);
    return done;
}

static bool write_new(const struct file_shelf *shelf, struct str bytes, const char *sha)
{
    char fresh[PATH_BYTES], path[PATH_BYTES];
    path_of(shelf, ".new-XXXXXX", fresh);
    path_of(shelf, sha, path);
    int fd = mkostemp(fresh, O_CLOEXEC);
    if (fd < 0)
        return false;
    bool done = write_all(fd, bytes) && fsync(fd) == 0;
    done = close(fd) == 0 && done;
    done = done && rename(fresh, path) == 0;
    if (!done)
        unlink(fresh);
    return done && dir_sync(shelf->dir);
}

/* All that is there, in bytes. */
static int64_t shelf_bytes(const struct file_shelf *shelf)
{
    int64_t sum = 0;
    DIR    *dir = opendir(shelf->dir);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        struct stat stat_;
        if (fstatat(dirfd(dir), entry->d_name, &stat_, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(stat_.st_mode))
            sum += stat_.st_size;
    }
    if (dir != NULL)
        closedir(dir);
    return sum;
}

static bool is_there(const struct file_shelf *shelf, const char *sha, size_t bytes)
{
    char        path[PATH_BYTES];
    struct stat stat_;
    path_of(shelf, sha, path);
    return stat(path, &stat_) == 0 && (size_t)stat_.st_size == bytes;
}

enum err file_shelf_put(struct file_shelf *shelf, struct str bytes, char sha[FILE_SHA_BYTES + 1],
                        struct problem *problem)
{
    if (bytes.len == 0)
        return problem_set(problem, ERR_INPUT, "body", "The file is empty.", "Send its bytes.");
    if (bytes.len > FILE_CONTENT_BYTES_MAX)
        return problem_set(problem, ERR_LIMIT, "body", "The file is larger than 50 MB.",
                           "Make it smaller, or keep it where large files are kept.");
    if (!sha_of(bytes, sha))
        return ERR_MEMORY;
    if (is_there(shelf, sha, bytes.len))
        return OK;
    if (shelf_bytes(shelf) + (int64_t)bytes.len > FILE_SHELF_BYTES_MAX)
        return problem_set(problem, ERR_LIMIT, "files", "All files together would exceed 4 GB.",
                           "Delete those that no mail leads to any more.");
    return write_new(shelf, bytes, sha)
               ? OK
               : problem_format(problem, ERR_IO, "files", "Make room on the disk, and try again.",
                                "The file could not be written: %s.", strerror(errno));
}

void file_shelf_sweep(struct file_shelf *shelf, bool (*is_wanted)(void *context, struct str sha),
                      void              *context)
{
    DIR *dir = opendir(shelf->dir);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        struct str name = str_of(entry->d_name);
        bool       is_half = str_starts(name, STR(".new-"));
        if (is_half || (name.len == FILE_SHA_BYTES && !is_wanted(context, name)))
            unlinkat(dirfd(dir), entry->d_name, 0);
    }
    if (dir != NULL)
        closedir(dir);
}

/* ---- reading ---- */

static enum err map(int fd, const struct file_def *def, struct file_bytes *out)
{
    struct stat stat_;
    if (fstat(fd, &stat_) != 0)
        return ERR_IO;
    if (stat_.st_size != def->bytes)
        return ERR_CORRUPT;
    void *at = mmap(NULL, (size_t)def->bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED)
        return ERR_MEMORY;
    (void)madvise(at, (size_t)def->bytes, MADV_SEQUENTIAL);
    out->bytes = (struct str){ at, (size_t)def->bytes };
    return OK;
}

enum err file_shelf_take(struct file_shelf *shelf, const struct file_def *def,
                         struct file_bytes **out)
{
    char               path[PATH_BYTES], sha[FILE_SHA_BYTES + 1];
    struct file_bytes *bytes = calloc(1, sizeof *bytes);
    if (bytes == NULL)
        return ERR_MEMORY;
    path_of(shelf, str_to_cstr(def->sha256, sha, sizeof sha), path);
    int      fd = open(path, O_RDONLY | O_CLOEXEC);
    enum err err = fd >= 0 ? map(fd, def, bytes) : errno == ENOENT ? ERR_ABSENT : ERR_IO;
    if (fd >= 0)
        close(fd);
    if (err == OK)
        *out = bytes;
    else
        free(bytes);
    return err;
}

void file_shelf_expect(const struct file_bytes *file, size_t from, size_t to)
{
    size_t start = from - from % (size_t)sysconf(_SC_PAGESIZE);
    (void)madvise((char *)(uintptr_t)file->bytes.ptr + start, to - start, MADV_WILLNEED);
}

void file_shelf_give(void *context)
{
    struct file_bytes *bytes = context;
    munmap((void *)(uintptr_t)bytes->bytes.ptr, bytes->bytes.len);
    free(bytes);
}
