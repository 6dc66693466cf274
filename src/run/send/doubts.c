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

/* No provider's key is remembered for longer: provider.schema.json. */
#define KEY_MS_MAX (31 * TIME_DAY_MS)

struct item {
    struct doubt doubt;
    uint64_t     line; /* of the file: on disk when so many are synced */
};

struct doubts {
    pthread_mutex_t lock;
    char            dir[PATH_BYTES], path[PATH_BYTES];
    int             file;            /* -1: none */
    off_t           bytes;           /* of it */
    bool            is_broken;       /* it may say what is not so: it is written anew first */
    uint64_t        written, synced; /* lines, since it was opened */
    struct item    *items;           /* in no order */
    uint32_t        count, room;
};

/* ---- in memory ---- */

static struct item *find(struct doubts *doubts, uint64_t message)
{
    for (uint32_t i = 0; i < doubts->count; i++)
        if (doubts->items[i].doubt.message == message)
            return &doubts->items[i];
    return NULL;
}

static bool room_make(struct doubts *doubts)
{
    if (doubts->count < doubts->room)
        return true;
    uint32_t     room = doubts->room == 0 ? 64 : doubts->room * 2;
    struct item *items = realloc(doubts->items, room * sizeof *items);
    if (items == NULL)
        return false;
    doubts->items = items;
    doubts->room = room;
    return true;
}

/* There is room. */
static void add(struct doubts *doubts, const struct doubt *doubt)
{
    doubts->items[doubts->count++] = (struct item){ *doubt, doubts->written };
}

static void remove_one(struct doubts *doubts, struct item *item)
{
    *item = doubts->items[--doubts->count];
}

static struct item *oldest_of(struct doubts *doubts)
{
    struct item *oldest = &doubts->items[0];
    for (uint32_t i = 1; i < doubts->count; i++)
        if (doubts->items[i].doubt.first_ms < oldest->doubt.first_ms)
            oldest = &doubts->items[i];
    return oldest;
}

/* Lines whose end was lost with a kill are settled in the store, and nobody forgets them. While
 * there is room they stay: one of them may wait since before a long halt. */
static void remove_aged(struct doubts *doubts, int64_t now_ms)
{
    while (doubts->count > DOUBTS_MAX / 2 &&
           oldest_of(doubts)->doubt.first_ms < now_ms - KEY_MS_MAX)
        remove_one(doubts, oldest_of(doubts));
}

/* ---- the file ---- */

static int line_make(const struct doubt *doubt, char *line)
{
    return snprintf(line, LINE_BYTES, "+ %" PRIu64 " %" PRId64 " %" PRIx64 " %s\n", doubt->message,
                    doubt->first_ms, doubt->account, doubt->way);
}

/* A line that was cut by a crash is none. Of too many the newest are kept: those that wait. */
static enum err line_read(struct doubts *doubts, const char *line)
{
    struct doubt doubt = { .was_here = true };
    int          name = 0;
    uint64_t     message;
    if (sscanf(line, "- %" SCNu64, &message) == 1) {
        struct item *found = find(doubts, message);
        if (found != NULL)
            remove_one(doubts, found);
        return OK;
    }
    if (sscanf(line, "+ %" SCNu64 " %" SCNd64 " %" SCNx64 " %n", &doubt.message, &doubt.first_ms,
               &doubt.account, &name) != 3 ||
        name == 0 || strlen(line + name) > WAY_NAME_BYTES_MAX ||
        find(doubts, doubt.message) != NULL)
        return OK;
    snprintf(doubt.way, sizeof doubt.way, "%s", line + name);
    if (!room_make(doubts))
        return ERR_MEMORY;
    if (doubts->count == DOUBTS_MAX)
        remove_one(doubts, oldest_of(doubts));
    add(doubts, &doubt);
    return OK;
}

static enum err lines_read(struct doubts *doubts, FILE *file)
{
    char line[LINE_BYTES];
    while (fgets(line, sizeof line, file) != NULL) {
        size_t len = strlen(line);
        if (len == 0 || line[len - 1] != '\n')
            continue;
        line[len - 1] = '\0';
        TRY(line_read(doubts, line));
    }
    return ferror(file) ? ERR_IO : OK;
}

static enum err file_read(struct doubts *doubts)
{
    FILE *file = fopen(doubts->path, "r");
    if (file == NULL)
        return errno == ENOENT ? OK : ERR_IO;
    enum err err = lines_read(doubts, file);
    (void)fclose(file);
    return err;
}

/* The name of a new file is on disk. */
static bool dir_sync(const char *dir)
{
    int  folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = folder >= 0 && fsync(folder) == 0;
    if (folder >= 0)
        close(folder);
    return done;
}

static bool all_write(const struct doubts *doubts, int file)
{
    char line[LINE_BYTES];
    for (uint32_t i = 0; i < doubts->count; i++) {
        int len = line_make(&doubts->items[i].doubt, line);
        if (write(file, line, (size_t)len) != len)
            return false;
    }
    return fsync(file) == 0;
}

/* Anew, with what counts, on disk; a new file in the place of the old one. */
static bool file_rewrite(struct doubts *doubts)
{
    char beside[PATH_BYTES + 8];
    snprintf(beside, sizeof beside, "%s.new", doubts->path);
    int file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0 || !all_write(doubts, file) || rename(beside, doubts->path) != 0) {
        if (file >= 0)
            close(file);
        return false; /* the old one still says what it said */
    }
    if (doubts->file >= 0)
        close(doubts->file);
    doubts->file = file;
    doubts->bytes = lseek(file, 0, SEEK_END);
    doubts->is_broken = !dir_sync(doubts->dir);
    if (!doubts->is_broken)
        doubts->synced = doubts->written;
    return !doubts->is_broken;
}

/* A part of a line would swallow the next one. */
static bool line_write(struct doubts *doubts, const char *line, int len)
{
    if (doubts->is_broken && !file_rewrite(doubts))
        return false;
    if (write(doubts->file, line, (size_t)len) != len) {
        doubts->is_broken = ftruncate(doubts->file, doubts->bytes) != 0;
        return false;
    }
    doubts->bytes += len;
    doubts->written++;
    return true;
}

/* After a sync that failed nobody knows what of it is on disk. */
static bool file_sync(struct doubts *doubts)
{
    if (doubts->is_broken)
        return file_rewrite(doubts);
    if (fdatasync(doubts->file) != 0) {
        doubts->is_broken = true;
        return false;
    }
    doubts->synced = doubts->written;
    return true;
}

/* Not synced, but for one new file in some 100,000 messages: what it says no more is settled. */
static void file_trim(struct doubts *doubts)
{
    if (doubts->count == 0 && doubts->bytes > 0 && ftruncate(doubts->file, 0) == 0)
        doubts->bytes = 0;
    else if (doubts->bytes > FILE_BYTES_MAX)
        (void)file_rewrite(doubts);
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
        snprintf(doubts->dir, sizeof doubts->dir, "%.4000s", dir);
        snprintf(doubts->path, sizeof doubts->path, "%.4000s/in-doubt", dir);
        err = file_read(doubts);
        remove_aged(doubts, time_now_ms());
        if (err == OK && !file_rewrite(doubts))
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
    if (is_new && room_make(doubts) &&
        (doubts->file < 0 || line_write(doubts, line, line_make(doubt, line))))
        add(doubts, doubt);
    pthread_mutex_unlock(&doubts->lock);
}

bool doubts_find(struct doubts *doubts, uint64_t message, struct doubt *out)
{
    pthread_mutex_lock(&doubts->lock);
    const struct item *found = find(doubts, message);
    if (found != NULL)
        *out = found->doubt;
    pthread_mutex_unlock(&doubts->lock);
    return found != NULL;
}

bool doubts_keep(struct doubts *doubts, uint64_t message)
{
    pthread_mutex_lock(&doubts->lock);
    const struct item *found = find(doubts, message);
    bool               done = found != NULL;
    if (done && doubts->file >= 0 && (doubts->is_broken || found->line > doubts->synced))
        done = file_sync(doubts);
    pthread_mutex_unlock(&doubts->lock);
    return done;
}

static int end_make(uint64_t message, char *line)
{
    return snprintf(line, LINE_BYTES, "- %" PRIu64 "\n", message);
}

void doubts_forget(struct doubts *doubts, uint64_t message)
{
    char line[LINE_BYTES];
    pthread_mutex_lock(&doubts->lock);
    struct item *found = find(doubts, message);
    if (found != NULL)
        remove_one(doubts, found);
    if (found != NULL && doubts->file >= 0) {
        if (doubts->count > 0)
            (void)line_write(doubts, line, end_make(message, line));
        file_trim(doubts);
    }
    pthread_mutex_unlock(&doubts->lock);
}

bool doubts_lift(struct doubts *doubts, uint64_t message)
{
    char line[LINE_BYTES];
    bool done = true;
    pthread_mutex_lock(&doubts->lock);
    struct item *found = find(doubts, message);
    if (found != NULL) {
        done = doubts->file < 0 ||
               (line_write(doubts, line, end_make(message, line)) && file_sync(doubts));
        if (done)
            remove_one(doubts, found);
    }
    pthread_mutex_unlock(&doubts->lock);
    return done;
}

static const struct provider_setting *setting_named(const struct provider *provider,
                                                    struct str             name)
{
    for (uint32_t i = 0; i < provider_settings_count(provider); i++)
        if (str_eq(provider_settings(provider)[i].name, name))
            return &provider_settings(provider)[i];
    return NULL;
}

static bool is_account(const struct provider *provider, const struct json_member *member)
{
    const struct provider_setting *setting = setting_named(provider, member->key);
    return setting != NULL && setting->is_account && member->value.string.len > 0;
}

static bool is_secret(const struct provider *provider, const struct json_member *member)
{
    const struct provider_setting *setting = setting_named(provider, member->key);
    return setting != NULL && setting->is_secret;
}

uint64_t doubts_account(const struct way_conf *way)
{
    uint64_t account = hash_str(provider_name(way->provider), 21);
    bool     is_named = false;
    for (uint32_t i = 0; i < way->settings.count; i++)
        is_named = is_named || is_account(way->provider, &way->settings.members[i]);
    for (uint32_t i = 0; i < way->settings.count; i++) {
        const struct json_member *member = &way->settings.members[i];
        if (is_named && is_secret(way->provider, member))
            continue;
        account = hash_u64(account, hash_str(member->key, 22));
        account = hash_u64(account, hash_str(member->value.string, 23));
    }
    return account;
}

int64_t doubts_end_ms(const struct way_conf *way, int64_t first_ms)
{
    int64_t lifetime_ms = way->kind == WAY_HTTP ? provider_key_ms(way->provider) : 0;
    return lifetime_ms == 0 ? 0 : first_ms + lifetime_ms;
}
