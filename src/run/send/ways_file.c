#include "run/send/ways_file.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "run/cli/files.h"
#include "run/send/secrets.h"
#include "run/send/sender_url.h"
#include "run/send/ways_inside.h"

enum { ARENA_BYTES_MAX = 8 << 20, PATH_BYTES = 4096, SECRET_BYTES_MAX = 16 << 10 };

struct ways_file {
    struct arena    *arena;
    const char      *dir;
    struct way_conf  ways[WAYS_TOLD_MAX + 1]; /* those told, and one for webhooks */
    struct provider *providers[WAYS_TOLD_MAX + 1];
    uint32_t         count, told;
    struct json      root;
    atomic_uint      holders;
};

enum err entry_fault(struct entry *entry, const char *what, const char *remedy)
{
    return problem_set(entry->problem, ERR_INPUT, entry->where, what, remedy);
}

/* ---- secrets ---- */

static enum err secret_missing(struct entry *entry, struct str name, bool is_variable)
{
    return problem_format(entry->problem, ERR_INPUT, entry->where,
                          "Set the variable, or put the secret into a file of the folder secrets "
                          "of the data folder, with chmod 600.",
                          is_variable ? "The variable %.*s is not set."
                                      : "There is no secret \"%.*s\".",
                          STR_ARG(str_slice(name, 0, 60)));
}

/* {"secret": "name"} or {"env": "NAME"}. */
static enum err secret_read(struct entry *entry, const struct json *value, struct str *out)
{
    SCOPED(buf_donep) struct buf bytes = buf_make(SECRET_BYTES_MAX);
    struct str                   name = json_get_str(value, STR("secret"));
    struct str                   variable = json_get_str(value, STR("env"));
    if (variable.len > 0) {
        const char *text = getenv(str_copy(entry->file->arena, variable).ptr);
        *out = text == NULL ? STR_NONE : str_copy(entry->file->arena, str_of(text));
        return text == NULL ? secret_missing(entry, variable, true) : OK;
    }
    if (name.len == 0)
        return entry_fault(
            entry, "A secret is a text in the file.",
            "Write {\"secret\": \"NAME\"} for the file secrets/NAME of the data folder, or "
            "{\"env\": \"NAME\"}.");
    enum err err = secrets_named(entry->file->dir, name, &bytes, entry->problem);
    if (err == ERR_ABSENT)
        return secret_missing(entry, name, false);
    TRY(err);
    *out = str_copy(entry->file->arena, buf_view(&bytes));
    explicit_bzero(bytes.ptr, bytes.len);
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

/* ---- the kinds ---- */

static enum err provider_find(struct entry *entry, struct str name, struct provider **out)
{
    struct ways_file *file = entry->file;
    char              path[PATH_BYTES];
    struct str        text = STR_NONE;
    bool              is_plain = name.len > 0 && name.len <= WAY_NAME_BYTES_MAX;
    for (size_t i = 0; i < name.len; i++)
        is_plain = is_plain && name.ptr[i] != '/' && name.ptr[i] != '.';
    if (!is_plain)
        return entry_fault(entry, "A provider's name has neither dots nor slashes.",
                           "`dult providers` lists them.");
    snprintf(path, sizeof path, "%s/providers/%.*s.json", file->dir, STR_ARG(name));
    enum err err = files_read_one(file->arena, path, PROVIDER_BYTES_MAX, &text, entry->problem);
    if (err == ERR_ABSENT)
        text = provider_builtin(name);
    else
        TRY(err);
    if (text.len == 0)
        return problem_format(entry->problem, ERR_INPUT, entry->where,
                              "`dult providers` lists those there are; one of your own lies in the "
                              "folder providers of the data folder.",
                              "There is no provider \"%.*s\".", STR_ARG(name));
    return provider_parse(out, text, entry->where, entry->problem);
}

static bool is_secret(const struct provider *provider, struct str name)
{
    for (uint32_t i = 0; i < provider_settings_count(provider); i++)
        if (str_eq(provider_settings(provider)[i].name, name))
            return provider_settings(provider)[i].is_secret;
    return false;
}

static enum err settings_read(struct entry *entry, const struct provider *provider)
{
    const struct json  *given = json_get(entry->json, STR("settings"));
    struct json         read = { .kind = JSON_OBJECT };
    uint32_t            count = given != NULL && given->kind == JSON_OBJECT ? given->count : 0;
    struct json_member *members = ARENA_ARRAY(entry->file->arena, count, struct json_member);
    if (members == NULL)
        return ERR_MEMORY;
    read.members = members;
    for (uint32_t i = 0; i < count; i++) {
        const struct json *value = &given->members[i].value;
        struct str         text = value->string;
        if (value->kind == JSON_OBJECT || is_secret(provider, given->members[i].key))
            TRY(secret_read(entry, value, &text));
        else if (value->kind != JSON_STRING)
            return entry_fault(entry, "A setting is not a text.", "Write it between quotes.");
        members[read.count++] =
            (struct json_member){ given->members[i].key, { .kind = JSON_STRING, .string = text } };
    }
    return provider_settings_fill(provider, entry->file->arena, &read, &entry->way->settings,
                                  entry->where, entry->problem);
}

static enum err http_read(struct entry *entry, struct str name)
{
    struct ways_file *file = entry->file;
    struct provider  *provider = NULL;
    TRY(provider_find(entry, name, &provider));
    file->providers[file->count] = provider;
    entry->way->kind = WAY_HTTP;
    entry->way->provider = provider;
    entry->way->channel = provider_channel(provider);
    entry->way->is_inside = json_get_bool(entry->json, STR("inside"), false);
    return settings_read(entry, provider);
}

/* The password stands apart, escaped as a URL wants it. */
static enum err smtp_read(struct entry *entry, struct str url)
{
    const struct json           *password = json_get(entry->json, STR("password"));
    SCOPED(buf_donep) struct buf whole = buf_make(PATH_BYTES);
    struct str                   secret;
    struct sender_url            parsed;
    entry->way->kind = WAY_SMTP;
    entry->way->smtp_url = str_copy(entry->file->arena, url).ptr;
    TRY(sender_url_parse(url, &parsed, entry->problem));
    if (parsed.password[0] != '\0')
        return entry_fault(entry, "A password stands in the file.",
                           "Write smtp://user@host, and \"password\": {\"secret\": \"NAME\"}.");
    if (password == NULL)
        return OK;
    size_t at = str_find_char(url, 0, '@');
    TRY(secret_read(entry, password, &secret));
    if (at == url.len)
        return entry_fault(entry, "There is a password and no user.", "Write smtp://user@host.");
    buf_str(&whole, str_slice(url, 0, at));
    buf_char(&whole, ':');
    percent_write(&whole, secret);
    buf_str(&whole, str_slice(url, at, url.len));
    TRY(buf_err(&whole));
    entry->way->smtp_url = str_copy(entry->file->arena, buf_view(&whole)).ptr;
    explicit_bzero(whole.ptr, whole.len);
    return entry->way->smtp_url == NULL ? ERR_MEMORY : OK;
}

static enum err tls_read(struct entry *entry)
{
    static const char *const words[] = { [SENDER_TLS_CHOSEN] = "chosen",
                                         [SENDER_TLS_OFF] = "off",
                                         [SENDER_TLS_OFFERED] = "offered",
                                         [SENDER_TLS_REQUIRED] = "required" };
    struct str               word = json_get_str(entry->json, STR("tls"));
    struct str               ca = json_get_str(entry->json, STR("ca"));
    if (ca.len > 0)
        entry->way->tls_ca_file = str_copy(entry->file->arena, ca).ptr;
    if (word.len == 0)
        return OK;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_eq(word, str_of(words[i]))) {
            entry->way->tls = (enum sender_tls)i;
            return OK;
        }
    return entry_fault(entry, "tls is none of chosen, off, offered and required.",
                       "Leave it out, if in doubt.");
}

static enum err members_check(struct entry *entry)
{
    static const char *const known[] = { "name",    "provider",    "settings",   "inside",
                                         "smtp",    "password",    "tls",        "ca",
                                         "outbox",  "connections", "per_second", "domain_max",
                                         "timeout", "topics",      "domains",    "messages",
                                         "per_day", "per_month",   "warm_up",    "from",
                                         "price",   "countries",   "about" };
    for (uint32_t i = 0; i < entry->json->count; i++) {
        bool is_known = false;
        for (size_t j = 0; j < sizeof known / sizeof known[0]; j++)
            is_known = is_known || str_eq(entry->json->members[i].key, str_of(known[j]));
        if (!is_known)
            return problem_format(entry->problem, ERR_INPUT, entry->where,
                                  "docs/providers.md lists them.", "\"%.*s\" is unknown.",
                                  STR_ARG(str_slice(entry->json->members[i].key, 0, 60)));
    }
    return OK;
}

static enum err way_read(struct ways_file *file, const struct json *json, struct problem *problem)
{
    struct entry entry = {
        file, file->arena, json, &file->ways[file->count], "ways.json", problem
    };
    if (json->kind != JSON_OBJECT)
        return entry_fault(&entry, "A way out is not an object.",
                           "Write {\"name\": \"...\", ...}.");
    struct str name = json_get_str(json, STR("name")), url = json_get_str(json, STR("smtp"));
    struct str provider = json_get_str(json, STR("provider")),
               outbox = json_get_str(json, STR("outbox"));
    if (name.len == 0 || name.len > WAY_NAME_BYTES_MAX)
        return entry_fault(&entry, "A way out has no name of 1 to 40 bytes.", "Give it one.");
    snprintf(entry.where, sizeof entry.where, "ways.json: %.*s", STR_ARG(name));
    for (uint32_t i = 0; i < file->count; i++)
        if (str_eq(str_of(file->ways[i].name), name))
            return entry_fault(&entry, "Two ways have this name.", "Name one of them otherwise.");
    entry.way->name = str_copy(file->arena, name).ptr;
    if ((url.len > 0) + (provider.len > 0) + (outbox.len > 0) != 1)
        return entry_fault(&entry, "A way is one of smtp, provider and outbox.",
                           "Write one of them.");
    TRY(members_check(&entry));
    TRY(entry_limits_read(&entry));
    TRY(tls_read(&entry));
    if (provider.len > 0)
        TRY(http_read(&entry, provider));
    else if (url.len > 0)
        TRY(smtp_read(&entry, url));
    entry.way->outbox_dir = str_copy(file->arena, outbox).ptr;
    if (outbox.len > 0)
        entry.way->kind = WAY_OUTBOX;
    file->count++;
    return OK;
}

/* Where nobody wrote a way for webhooks they go all the same: a template says where to. */
static enum err webhook_add(struct ways_file *file, struct problem *problem)
{
    static const struct json none = { .kind = JSON_OBJECT };
    struct entry             entry = {
                    file, file->arena, &none, &file->ways[file->count], "ways.json", problem
    };
    for (uint32_t i = 0; i < file->count; i++)
        if (file->ways[i].channel == CHANNEL_WEBHOOK)
            return OK;
    *entry.way = (struct way_conf){ .name = "webhooks", .is_usual = true };
    TRY(http_read(&entry, STR("webhook")));
    file->count++;
    return OK;
}

static enum err text_read(struct ways_file *file, const char *path, struct problem *problem)
{
    char       usual[PATH_BYTES];
    struct str text;
    snprintf(usual, sizeof usual, "%s/ways.json", file->dir);
    enum err err = files_read_one(file->arena, path == NULL ? usual : path, WAYS_FILE_BYTES_MAX,
                                  &text, problem);
    file->root = (struct json){ .kind = JSON_NULL };
    if (err == ERR_ABSENT && path == NULL)
        return OK;
    TRY(err);
    return json_parse_once(file->arena, text, &file->root, problem);
}

static enum err ways_read(struct ways_file *file, const char *path, struct problem *problem)
{
    TRY(text_read(file, path, problem));
    const struct json *list = json_get(&file->root, STR("ways"));
    if (file->root.kind == JSON_NULL)
        return webhook_add(file, problem);
    if (list == NULL || list->kind != JSON_ARRAY || list->count == 0 || list->count > WAYS_TOLD_MAX)
        return problem_set(problem, ERR_INPUT, "ways.json", "There is no list of 1 to 12 ways.",
                           "Write {\"ways\": [{\"name\": ...}]}.");
    for (uint32_t i = 0; i < list->count; i++)
        TRY(way_read(file, &list->items[i], problem));
    file->told = file->count;
    return webhook_add(file, problem);
}

enum err ways_file_read(struct ways_file **out, const char *dir, const char *path,
                        struct problem *problem)
{
    struct ways_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        return ERR_MEMORY;
    file->arena = arena_open(ARENA_BYTES_MAX);
    atomic_init(&file->holders, 1);
    enum err err = ERR_MEMORY;
    if (file->arena != NULL) {
        file->dir = str_copy(file->arena, str_of(dir)).ptr;
        err = file->dir == NULL ? ERR_MEMORY : ways_read(file, path, problem);
    }
    if (err == OK)
        *out = file;
    else
        ways_file_close(file);
    return err;
}

void ways_file_close(struct ways_file *file)
{
    if (file == NULL || atomic_fetch_sub(&file->holders, 1) > 1)
        return;
    for (uint32_t i = 0; i < WAYS_TOLD_MAX + 1; i++)
        provider_close(file->providers[i]);
    arena_close(file->arena);
    free(file);
}

const struct way_conf *ways_file_ways(const struct ways_file *file, uint32_t *count)
{
    *count = file->count;
    return file->ways;
}

bool ways_file_is_told(const struct ways_file *file)
{
    return file->told > 0;
}

const struct json *ways_file_answers(const struct ways_file *file)
{
    return json_get(&file->root, STR("answers"));
}

const struct way_conf *ways_file_first(const struct ways_file *file, enum consent_channel channel,
                                       struct str address)
{
    const struct way_conf *first = NULL;
    for (uint32_t i = 0; i < file->count && first == NULL; i++)
        if (way_channel(&file->ways[i]) == channel && way_is_for_place(&file->ways[i], address))
            first = &file->ways[i];
    return first;
}

/* ---- the shelf ---- */

struct ways_file *ways_file_hold(struct ways_file *file)
{
    if (file != NULL)
        atomic_fetch_add(&file->holders, 1);
    return file;
}

struct ways_file *ways_shelf_take(struct ways_shelf *shelf)
{
    pthread_mutex_lock(&shelf->lock);
    struct ways_file *file = ways_file_hold(shelf->file);
    pthread_mutex_unlock(&shelf->lock);
    return file;
}

void ways_shelf_put(struct ways_shelf *shelf, struct ways_file *file)
{
    pthread_mutex_lock(&shelf->lock);
    struct ways_file *before = shelf->file;
    shelf->file = file;
    pthread_mutex_unlock(&shelf->lock);
    ways_file_close(before);
}
