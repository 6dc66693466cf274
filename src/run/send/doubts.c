#include "run/send/doubts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/time.h"

enum {
    PATH_BYTES = 4096,
    LINE_BYTES = 160,
    DOUBTS_MAX = 4096,        /* more are unknown */
    FILE_BYTES_MAX = 8 << 20, /* then it is written anew */
};

struct doubts {
    pthread_mutex_t lock;
    char            path[PATH_BYTES];
    int             file;  /* -1: none */
    off_t           bytes; /* of it */
    struct doubt   *items; /* in no order */
    uint32_t        count, room;
};

/* ---- in memory ---- */

static struct doubt *find(struct doubts *doubts, uint64_t message)
{
    for (uint32_t i = 0; i < doubts->count; i++)
        if (doubts->items[i].message == message)
            return &doubts->items[i];
    return NULL;
}

static bool add(struct doubts *doubts, const struct doubt *doubt)
{
    if (doubts->count == DOUBTS_MAX)
        return false;
    if (doubts->count == doubts->room) {
        uint32_t      room = doubts->room == 0 ? 64 : doubts->room * 2;
        struct doubt *items = realloc(doubts->items, room * sizeof *items);
        if (items == NULL)
            return false;
        doubts->items = items;
        doubts->room = room;
    }
    doubts->items[doubts->count++] = *doubt;
    return true;
}

static void remove_one(struct doubts *doubts, struct doubt *doubt)
{
    *doubt = doubts->items[--doubts->count];
}

/* ---- the file ---- */

static int line_make(const struct doubt *doubt, char *line)
{
    return snprintf(line, LINE_BYTES, "+ %" PRIu64 " %" PRId64 " %" PRIx64 " %s\n", doubt->message,
                    doubt->first_ms, doubt->account, doubt->way);
}

/* A line that was cut by a crash is none. */
static void line_read(struct doubts *doubts, const char *line)
{
    struct doubt doubt = { .was_here = true };
    int          name = 0;
    uint64_t     message;
    if (sscanf(line, "- %" SCNu64, &message) == 1) {
        struct doubt *found = find(doubts, message);
        if (found != NULL)
            remove_one(doubts, found);
        return;
    }
    if (sscanf(line, "+ %" SCNu64 " %" SCNd64 " %" SCNx64 " %n", &doubt.message, &doubt.first_ms,
               &doubt.account, &name) != 3 ||
        name == 0 || strlen(line + name) > WAY_NAME_BYTES_MAX ||
        find(doubts, doubt.message) != NULL)
        return;
    snprintf(doubt.way, sizeof doubt.way, "%s", line + name);
    (void)add(doubts, &doubt);
}

static enum err file_read(struct doubts *doubts)
{
    char  line[LINE_BYTES];
    FILE *file = fopen(doubts->path, "r");
    if (file == NULL)
        return errno == ENOENT ? OK : ERR_IO;
    while (fgets(line, sizeof line, file) != NULL) {
        size_t len = strlen(line);
        if (len == 0 || line[len - 1] != '\n')
            continue;
        line[len - 1] = '\0';
        line_read(doubts, line);
    }
    (void)fclose(file);
    return OK;
}

static bool line_write(struct doubts *doubts, const char *line, int len)
{
    if (doubts->file < 0 || write(doubts->file, line, (size_t)len) != len)
        return false;
    doubts->bytes += len;
    return true;
}

/* Anew, with what counts; a new file in the place of the old one. */
static void file_rewrite(struct doubts *doubts)
{
    char beside[PATH_BYTES + 8], line[LINE_BYTES];
    snprintf(beside, sizeof beside, "%s.new", doubts->path);
    int  file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    bool is_written = file >= 0;
    for (uint32_t i = 0; i < doubts->count && is_written; i++) {
        int len = line_make(&doubts->items[i], line);
        is_written = write(file, line, (size_t)len) == len;
    }
    if (!is_written || fsync(file) != 0 || rename(beside, doubts->path) != 0) {
        if (file >= 0)
            close(file);
        return; /* the old one still says all of it */
    }
    if (doubts->file >= 0)
        close(doubts->file);
    doubts->file = file;
    doubts->bytes = lseek(file, 0, SEEK_END);
}

static void file_trim(struct doubts *doubts)
{
    if (doubts->file < 0)
        return;
    if (doubts->count == 0 && doubts->bytes > 0 && ftruncate(doubts->file, 0) == 0)
        doubts->bytes = 0;
    else if (doubts->bytes > FILE_BYTES_MAX)
        file_rewrite(doubts);
}

/* ---- its life ---- */

enum err doubts_open(struct doubts **out, const char *dir, struct problem *problem)
{
    struct doubts *doubts = calloc(1, sizeof *doubts);
    if (doubts == NULL)
        return ERR_MEMORY;
    pthread_mutex_init(&doubts->lock, NULL);
    doubts->file = -1;
    enum err err = OK;
    if (dir != NULL && dir[0] != '\0') {
        snprintf(doubts->path, sizeof doubts->path, "%.4000s/in-doubt", dir);
        err = file_read(doubts);
        if (err == OK)
            file_rewrite(doubts);
        if (doubts->file < 0)
            err = ERR_IO;
    }
    if (err == OK) {
        *out = doubts;
        return OK;
    }
    doubts_close(doubts);
    return problem_set(problem, err, "in-doubt", "What is in doubt cannot be kept on disk.",
                       "Look at the data folder, and at its disk.");
}

void doubts_close(struct doubts *doubts)
{
    if (doubts == NULL)
        return;
    if (doubts->file >= 0)
        close(doubts->file);
    pthread_mutex_destroy(&doubts->lock);
    free(doubts->items);
    free(doubts);
}

/* ---- what is asked ---- */

void doubts_note(struct doubts *doubts, const struct doubt *doubt)
{
    char line[LINE_BYTES];
    pthread_mutex_lock(&doubts->lock);
    bool is_new = find(doubts, doubt->message) == NULL && doubts->count < DOUBTS_MAX;
    if (is_new && (doubts->file < 0 || line_write(doubts, line, line_make(doubt, line))))
        (void)add(doubts, doubt);
    pthread_mutex_unlock(&doubts->lock);
}

bool doubts_find(struct doubts *doubts, uint64_t message, struct doubt *out)
{
    pthread_mutex_lock(&doubts->lock);
    const struct doubt *found = find(doubts, message);
    if (found != NULL)
        *out = *found;
    pthread_mutex_unlock(&doubts->lock);
    return found != NULL;
}

void doubts_forget(struct doubts *doubts, uint64_t message)
{
    pthread_mutex_lock(&doubts->lock);
    struct doubt *found = find(doubts, message);
    if (found != NULL)
        remove_one(doubts, found);
    file_trim(doubts);
    pthread_mutex_unlock(&doubts->lock);
}

bool doubts_lift(struct doubts *doubts, uint64_t message)
{
    char line[LINE_BYTES];
    bool done = true;
    pthread_mutex_lock(&doubts->lock);
    struct doubt *found = find(doubts, message);
    if (found != NULL) {
        int len = snprintf(line, sizeof line, "- %" PRIu64 "\n", message);
        done = doubts->file < 0 || (line_write(doubts, line, len) && fdatasync(doubts->file) == 0);
        remove_one(doubts, found);
    }
    pthread_mutex_unlock(&doubts->lock);
    return done;
}

uint64_t doubts_account(const struct way_conf *way)
{
    uint64_t account = hash_str(provider_name(way->provider), 21);
    for (uint32_t i = 0; i < way->settings.count; i++) {
        account = hash_u64(account, hash_str(way->settings.members[i].key, 22));
        account = hash_u64(account, hash_str(way->settings.members[i].value.string, 23));
    }
    return account;
}

int64_t doubts_end_ms(const struct way_conf *way, int64_t first_ms)
{
    int64_t lifetime_ms = way->kind == WAY_HTTP ? provider_key_ms(way->provider) : 0;
    return lifetime_ms == 0 ? 0 : first_ms + lifetime_ms;
}
