#include "run/send/cap.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MONTH_BYTES = 8 };

struct cap {
    pthread_mutex_t lock;
    char            path[4096], beside[4104];
    uint32_t        most; /* 0: no limit */
    char            month[MONTH_BYTES];
    uint32_t        count;
};

static void month_of(int64_t now_ms, char out[MONTH_BYTES])
{
    time_t    seconds = (time_t)(now_ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    (void)strftime(out, MONTH_BYTES, "%Y-%m", &parts);
}

static void month_look(struct cap *cap, int64_t now_ms)
{
    char month[MONTH_BYTES];
    month_of(now_ms, month);
    if (strcmp(month, cap->month) == 0)
        return;
    memcpy(cap->month, month, sizeof month);
    cap->count = 0;
}

/* A new file in the place of the old one, so that a power cut leaves one of the two. */
static enum err count_write(const struct cap *cap, uint32_t count)
{
    char line[32];
    int  len = snprintf(line, sizeof line, "%s %u\n", cap->month, count);
    int  fd = open(cap->beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return ERR_IO;
    bool written = write(fd, line, (size_t)len) == len && fsync(fd) == 0;
    written = close(fd) == 0 && written;
    return written && rename(cap->beside, cap->path) == 0 ? OK : ERR_IO;
}

enum err cap_open(struct cap **out, const char *dir, uint32_t monthly_max)
{
    struct cap *cap = calloc(1, sizeof *cap);
    if (cap == NULL)
        return ERR_MEMORY;
    cap->most = monthly_max;
    pthread_mutex_init(&cap->lock, NULL);
    snprintf(cap->path, sizeof cap->path, "%.4000s/post-count", dir);
    snprintf(cap->beside, sizeof cap->beside, "%s.new", cap->path);
    FILE *file = fopen(cap->path, "r");
    if (file != NULL) {
        if (fscanf(file, "%7s %u", cap->month, &cap->count) != 2)
            cap->month[0] = '\0';
        (void)fclose(file);
    }
    *out = cap;
    return OK;
}

void cap_close(struct cap *cap)
{
    if (cap == NULL)
        return;
    pthread_mutex_destroy(&cap->lock);
    free(cap);
}

enum err cap_take(struct cap *cap, int64_t now_ms)
{
    enum err err = OK;
    pthread_mutex_lock(&cap->lock);
    month_look(cap, now_ms);
    if (cap->most > 0 && cap->count >= cap->most)
        err = ERR_LIMIT;
    else
        err = count_write(cap, cap->count + 1);
    cap->count += err == OK;
    pthread_mutex_unlock(&cap->lock);
    return err;
}

void cap_give_back(struct cap *cap, int64_t now_ms)
{
    pthread_mutex_lock(&cap->lock);
    month_look(cap, now_ms);
    if (cap->count > 0 && count_write(cap, cap->count - 1) == OK)
        cap->count--;
    pthread_mutex_unlock(&cap->lock);
}

uint32_t cap_count(struct cap *cap, int64_t now_ms)
{
    pthread_mutex_lock(&cap->lock);
    month_look(cap, now_ms);
    uint32_t count = cap->count;
    pthread_mutex_unlock(&cap->lock);
    return count;
}
