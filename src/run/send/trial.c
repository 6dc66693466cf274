#include "run/send/trial.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MARK_BYTES = 160, PATH_BYTES = 4096, ALLOW_BYTES_MAX = 1024, MACHINE_BYTES = 33 };

#define META_KEY STR("live")
#define META_ADOPT STR("adopt") /* of a folder that sent before there were trials */
#define META_TRIAL STR("trial")

struct trial {
    struct store *store;
    atomic_int    state;
    char          mark[MARK_BYTES], outbox[PATH_BYTES], allow_text[ALLOW_BYTES_MAX + 1];
    struct str    allowed[TRIAL_ALLOWED_MAX];
    uint32_t      allowed_count;
};

/* ---- which folder is it? ---- */

static void machine_read(char out[MACHINE_BYTES])
{
    snprintf(out, MACHINE_BYTES, "-");
    int fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    char    text[MACHINE_BYTES] = "";
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[strcspn(text, "\r\n ")] = '\0';
    if (n > 0 && text[0] != '\0')
        memcpy(out, text, sizeof text);
}

static enum err mark_make(const char *dir, char out[MARK_BYTES], struct problem *problem)
{
    char         path[PATH_BYTES], machine[MACHINE_BYTES];
    struct statx about;
    snprintf(path, sizeof path, "%.4000s/dult.db", dir);
    if (statx(AT_FDCWD, path, 0, STATX_INO | STATX_BTIME, &about) != 0)
        return problem_set(problem, ERR_IO, path, "The database cannot be looked at.",
                           "Look at the folder's permissions.");
    bool has_birth = (about.stx_mask & STATX_BTIME) != 0;
    machine_read(machine);
    snprintf(out, MARK_BYTES, "%llu.%lld.%u.%s", (unsigned long long)about.stx_ino,
             has_birth ? (long long)about.stx_btime.tv_sec : 0,
             has_birth ? (unsigned)about.stx_btime.tv_nsec : 0, machine);
    return OK;
}

/* ---- opening ---- */

static enum err allow_read(struct trial *trial, const char *allow, struct problem *problem)
{
    snprintf(trial->allow_text, sizeof trial->allow_text, "%s", allow);
    for (char *rest = trial->allow_text, *word; (word = strtok_r(rest, ", \t", &rest)) != NULL;) {
        if (trial->allowed_count == TRIAL_ALLOWED_MAX)
            return problem_set(problem, ERR_INPUT, "trial_allow", "There are more than 100.",
                               "Allow a @domain in the place of its addresses.");
        if ((strchr(word, '@') == NULL && word[0] != '+') || word[strlen(word) - 1] == '@')
            return problem_format(problem, ERR_INPUT, "trial_allow",
                                  "Write ada@shop.example, @shop.example or +4791234567.",
                                  "\"%s\" is no address.", word);
        trial->allowed[trial->allowed_count++] = str_of(word);
    }
    return OK;
}

static enum err meta_write(struct trial *trial, struct str value)
{
    struct store_meta meta = { META_KEY, value };
    return store_commit(trial->store, &(struct store_batch){ .metas = &meta, .metas_count = 1 });
}

static enum err state_read(struct trial *trial)
{
    SCOPED(store_reader_closep) struct store_reader *reader = NULL;
    SCOPED(arena_closep) struct arena               *arena = arena_open(65536);
    struct str                                       value = STR_NONE;
    TRY(arena == NULL ? ERR_MEMORY : store_reader_open(trial->store, "trial", &reader));
    enum err err = store_meta_get(reader, arena, META_KEY, &value);
    if (err == ERR_ABSENT || (err == OK && str_eq(value, META_TRIAL)))
        return OK; /* as it was made: on trial */
    TRY(err);
    if (str_eq(value, META_ADOPT)) {
        TRY(meta_write(trial, str_of(trial->mark)));
        value = str_of(trial->mark);
    }
    atomic_store(&trial->state, str_eq(value, str_of(trial->mark)) ? TRIAL_LIVE : TRIAL_COPY);
    return OK;
}

enum err trial_open(struct trial **out, struct store *store, const char *dir, const char *allow,
                    struct problem *problem)
{
    struct trial *trial = calloc(1, sizeof *trial);
    if (trial == NULL)
        return ERR_MEMORY;
    trial->store = store;
    atomic_init(&trial->state, TRIAL_TRIAL);
    snprintf(trial->outbox, sizeof trial->outbox, "%.4000s/outbox", dir);
    enum err err = allow_read(trial, allow, problem);
    if (err == OK)
        err = mark_make(dir, trial->mark, problem);
    if (err == OK)
        err = state_read(trial);
    if (err != OK) {
        trial_close(trial);
        return err;
    }
    *out = trial;
    return OK;
}

void trial_close(struct trial *trial)
{
    free(trial);
}

/* ---- asking and switching ---- */

enum trial_state trial_state(const struct trial *trial)
{
    return trial == NULL ? TRIAL_LIVE : (enum trial_state)atomic_load(&trial->state);
}

const char *trial_word(enum trial_state state)
{
    return state == TRIAL_LIVE ? "live" : state == TRIAL_COPY ? "copy" : "trial";
}

bool trial_allows(const struct trial *trial, struct str address)
{
    if (trial_state(trial) == TRIAL_LIVE)
        return true;
    struct str domain = str_slice(address, str_find_char(address, 0, '@'), address.len);
    for (uint32_t i = 0; i < trial->allowed_count; i++) {
        struct str one = trial->allowed[i];
        if (str_eq_nocase(one, one.ptr[0] == '@' ? domain : address))
            return true;
    }
    return false;
}

enum err trial_set(struct trial *trial, bool live, struct problem *problem)
{
    enum err err = meta_write(trial, live ? str_of(trial->mark) : META_TRIAL);
    if (err != OK)
        return problem_set(problem, err, "live", "It could not be written down.",
                           "Nothing has changed; try again.");
    atomic_store(&trial->state, live ? TRIAL_LIVE : TRIAL_TRIAL);
    return OK;
}

const char *trial_outbox(const struct trial *trial)
{
    return trial->outbox;
}

static uint32_t files_count(const char *outbox, const char *part)
{
    char     path[PATH_BYTES + 8];
    uint32_t count = 0;
    snprintf(path, sizeof path, "%s/%s", outbox, part);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

uint32_t trial_kept(const struct trial *trial)
{
    return files_count(trial->outbox, "new") + files_count(trial->outbox, "cur");
}

uint32_t trial_allowed(const struct trial *trial, const struct str **out)
{
    *out = trial->allowed;
    return trial->allowed_count;
}
