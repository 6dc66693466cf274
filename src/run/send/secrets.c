#include "run/send/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encode.h"

enum {
    FILE_BYTES_MAX = 16384,
    PATH_BYTES = 4096,
    DOMAIN_BYTES_MAX = 253,
    NAMED_BYTES_MAX = 100
}; /* an RSA-2048 key in PEM takes 1,704 bytes */

struct secrets {
    struct token_keys *tokens;
    struct buf         pems[SECRETS_DKIM_KEYS];
    char               selectors[SECRETS_DKIM_KEYS][DKIM_SELECTOR_BYTES_MAX + 1];
    char               own_domain[DOMAIN_BYTES_MAX + 1]; /* empty: the keys are ours */
};

static const char *const pem_names[SECRETS_DKIM_KEYS] = { "dkim-rsa.pem", "dkim-ed25519.pem" };

static enum err trouble(struct problem *problem, const char *path, const char *what)
{
    return problem_format(problem, ERR_IO, path,
                          "See that the folder exists, is writable and has room.", "%s: %s", what,
                          strerror(errno));
}

/* ---- files ---- */

static enum err bytes_write(int file, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(file, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ERR_IO;
        bytes = str_slice(bytes, (size_t)n, bytes.len);
    }
    return fsync(file) == 0 ? OK : ERR_IO;
}

/* Written beside, synced and linked in: the name has all of it or is not there. */
static enum err file_make(int folder, const char *path, const char *name, struct str bytes,
                          struct problem *problem)
{
    char fresh[64];
    snprintf(fresh, sizeof fresh, ".%s.new", name);
    if (unlinkat(folder, fresh, 0) != 0 && errno != ENOENT)
        return trouble(problem, path, "An old file is in the way");
    int file = openat(folder, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0)
        return trouble(problem, path, "A secret cannot be written");
    enum err err = bytes_write(file, bytes);
    close(file);
    if (err == OK && linkat(folder, fresh, folder, name, 0) != 0)
        err = ERR_IO;
    if (err == OK && (unlinkat(folder, fresh, 0) != 0 || fsync(folder) != 0))
        err = ERR_IO;
    return err == OK ? OK : trouble(problem, path, "A secret cannot be written");
}

static enum err file_is_private(int file, const char *path, const char *name,
                                struct problem *problem)
{
    struct stat stat;
    char        where[160];
    snprintf(where, sizeof where, "%.*s/%s", 100, path, name);
    if (fstat(file, &stat) != 0)
        return trouble(problem, where, "A secret cannot be looked at");
    if ((stat.st_mode & 077) != 0 || !S_ISREG(stat.st_mode))
        return problem_set(
            problem, ERR_DENIED, where, "Others than its owner may read this secret.",
            "Run chmod 600 on the file; if others may have read it, make a new one.");
    return OK;
}

/* ERR_ABSENT when there is no such file. */
static enum err file_read(int folder, const char *path, const char *name, struct buf *out,
                          struct problem *problem)
{
    int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0)
        return errno == ENOENT ? ERR_ABSENT : trouble(problem, path, "A secret cannot be opened");
    enum err err = file_is_private(file, path, name, problem);
    ssize_t  n = 1;
    while (err == OK && n > 0) {
        char *room = buf_reserve(out, 1024);
        n = room == NULL ? -1 : read(file, room, 1024);
        if (n < 0)
            err = trouble(problem, path, "A secret cannot be read");
        else
            buf_added(out, (size_t)n);
    }
    close(file);
    return err;
}

/* ---- what is in them ---- */

static enum err secret_make(struct buf *out)
{
    char bytes[TOKEN_SECRET_BYTES];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return ERR_IO;
    hex_write(out, (struct str){ bytes, sizeof bytes });
    buf_char(out, '\n');
    explicit_bzero(bytes, sizeof bytes);
    return buf_err(out);
}

static enum err selectors_make(struct buf *out)
{
    buf_str(out, STR("dult1\ndult1-ed25519\n"));
    return buf_err(out);
}

static enum err read_or_make(int folder, const char *path, const char *name,
                             enum err (*make)(struct buf *out), struct buf *out,
                             struct problem *problem)
{
    enum err err = file_read(folder, path, name, out, problem);
    if (err != ERR_ABSENT)
        return err;
    buf_reset(out);
    if (make(out) != OK)
        return problem_set(problem, ERR_IO, name, "A secret could not be made.",
                           "The system gives no random numbers; try again.");
    return file_make(folder, path, name, buf_view(out), problem);
}

static enum err secret_take(struct secrets *secrets, struct str text, struct problem *problem)
{
    SCOPED(buf_donep) struct buf bytes = buf_make(TOKEN_SECRET_BYTES);
    if (hex_read(&bytes, str_trim(text)) != OK || bytes.len != TOKEN_SECRET_BYTES)
        return problem_set(problem, ERR_CORRUPT, "secrets/workspace.secret",
                           "This is not a secret of 32 bytes in hex.", "Restore it from a backup.");
    return token_keys_open(&secrets->tokens, buf_view(&bytes), STR_NONE);
}

static enum err selectors_take(struct secrets *secrets, struct str text, struct problem *problem)
{
    for (int i = 0; i < SECRETS_DKIM_KEYS; i++) {
        struct str line = STR_NONE;
        if (!str_split(&text, '\n', &line) || str_is_empty(str_trim(line)) ||
            str_trim(line).len > DKIM_SELECTOR_BYTES_MAX)
            return problem_set(problem, ERR_INPUT, "secrets/dkim-selectors",
                               "This file does not hold two selectors.",
                               "Write one a line: that of the RSA key, that of the Ed25519 key.");
        str_to_cstr(str_trim(line), secrets->selectors[i], sizeof secrets->selectors[i]);
    }
    return OK;
}

static enum err parts_open(struct secrets *secrets, int folder, const char *path,
                           struct problem *problem)
{
    SCOPED(buf_donep) struct buf secret = buf_make(FILE_BYTES_MAX);
    SCOPED(buf_donep) struct buf selectors = buf_make(FILE_BYTES_MAX);
    TRY(read_or_make(folder, path, "workspace.secret", secret_make, &secret, problem));
    TRY(secret_take(secrets, buf_view(&secret), problem));
    explicit_bzero(secret.ptr, secret.len);
    TRY(read_or_make(folder, path, pem_names[0], dkim_key_generate, &secrets->pems[0], problem));
    TRY(read_or_make(folder, path, pem_names[1], dkim_key_generate_ed25519, &secrets->pems[1],
                     problem));
    TRY(read_or_make(folder, path, "dkim-selectors", selectors_make, &selectors, problem));
    return selectors_take(secrets, buf_view(&selectors), problem);
}

enum err secrets_open(struct secrets **out, const char *dir, struct problem *problem)
{
    char path[PATH_BYTES];
    if (snprintf(path, sizeof path, "%s/secrets", dir) >= (int)sizeof path)
        return problem_set(problem, ERR_INPUT, "data folder", "The path is too long.",
                           "Use a shorter one.");
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return trouble(problem, path, "The folder cannot be made");
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 || fchmod(folder, 0700) != 0) {
        enum err err = trouble(problem, path, "The folder cannot be opened");
        if (folder >= 0)
            close(folder);
        return err;
    }
    struct secrets *secrets = calloc(1, sizeof *secrets);
    enum err        err = ERR_MEMORY;
    if (secrets != NULL) {
        for (int i = 0; i < SECRETS_DKIM_KEYS; i++)
            secrets->pems[i] = buf_make(FILE_BYTES_MAX);
        err = parts_open(secrets, folder, path, problem);
    }
    close(folder);
    if (err == OK)
        *out = secrets;
    else
        secrets_close(secrets);
    return err;
}

enum err secrets_named(const char *dir, struct str name, struct buf *out, struct problem *problem)
{
    char path[PATH_BYTES], file[NAMED_BYTES_MAX];
    if (name.len == 0 || name.len >= sizeof file || name.ptr[0] == '.' ||
        str_find_char(name, 0, '/') < name.len)
        return problem_set(problem, ERR_INPUT, "secret", "A secret is named by a plain file name.",
                           "Put it into the secrets folder of the data folder.");
    str_to_cstr(name, file, sizeof file);
    snprintf(path, sizeof path, "%s/secrets", dir);
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 && errno == ENOENT)
        return ERR_ABSENT;
    if (folder < 0)
        return trouble(problem, path, "The folder cannot be opened");
    enum err err = file_read(folder, path, file, out, problem);
    close(folder);
    if (err != OK)
        return err;
    struct str text = str_trim(buf_view(out));
    memmove(out->ptr, text.ptr, text.len);
    out->len = text.len;
    return buf_err(out);
}

void secrets_close(struct secrets *secrets)
{
    if (secrets == NULL)
        return;
    token_keys_close(secrets->tokens);
    for (int i = 0; i < SECRETS_DKIM_KEYS; i++) {
        if (secrets->pems[i].ptr != NULL)
            explicit_bzero(secrets->pems[i].ptr, secrets->pems[i].len);
        buf_done(&secrets->pems[i]);
    }
    free(secrets);
}

void secrets_closep(struct secrets **secrets)
{
    secrets_close(*secrets);
}

const struct token_keys *secrets_token_keys(const struct secrets *secrets)
{
    return secrets->tokens;
}

enum err secrets_dkim_own(struct secrets *secrets, const struct secrets_own *own,
                          struct problem *problem)
{
    struct dkim_key *key = NULL;
    if (own->domain.len == 0 || own->domain.len > DOMAIN_BYTES_MAX ||
        own->selector.len > DKIM_SELECTOR_BYTES_MAX || own->pem.len > FILE_BYTES_MAX)
        return problem_set(problem, ERR_INPUT, "dkim", "The domain, selector or key is too long.",
                           "Give a domain, one of its selectors, and a PEM key.");
    TRY(dkim_key_open(&key, own->pem, own->domain, own->selector, problem));
    dkim_key_close(key);
    buf_reset(&secrets->pems[0]);
    buf_str(&secrets->pems[0], own->pem);
    TRY(buf_err(&secrets->pems[0]));
    str_to_cstr(own->selector, secrets->selectors[0], sizeof secrets->selectors[0]);
    str_to_cstr(own->domain, secrets->own_domain, sizeof secrets->own_domain);
    return OK;
}

size_t secrets_dkim_count(const struct secrets *secrets)
{
    return secrets->own_domain[0] != '\0' ? 1 : SECRETS_DKIM_KEYS;
}

enum err secrets_dkim_open(const struct secrets *secrets, struct str domain, struct dkim_key **keys,
                           struct problem *problem)
{
    size_t count = secrets_dkim_count(secrets);
    if (count == 1)
        domain = str_of(secrets->own_domain);
    for (size_t i = 0; i < SECRETS_DKIM_KEYS; i++)
        keys[i] = NULL;
    for (size_t i = 0; i < count; i++) {
        enum err err = dkim_key_open(&keys[i], buf_view(&secrets->pems[i]), domain,
                                     str_of(secrets->selectors[i]), problem);
        if (err != OK) {
            while (i > 0)
                dkim_key_close(keys[--i]);
            return err;
        }
    }
    return OK;
}

enum err secrets_dns_write(const struct secrets *secrets, struct str domain, struct buf *out)
{
    struct dkim_key *keys[SECRETS_DKIM_KEYS];
    enum err         err = OK;
    TRY(secrets_dkim_open(secrets, domain, keys, NULL));
    for (size_t i = 0; i < secrets_dkim_count(secrets); i++) {
        dkim_record_name(keys[i], out);
        buf_str(out, STR(". IN TXT ( "));
        if (err == OK)
            err = dkim_record_zone_write(keys[i], out);
        buf_str(out, STR(" )\n"));
        dkim_key_close(keys[i]);
    }
    return err == OK ? buf_err(out) : err;
}
