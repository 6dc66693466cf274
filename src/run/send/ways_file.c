#include "run/send/ways_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/time.h"
#include "run/cli/files.h"
#include "run/send/secrets.h"
#include "run/send/sender_url.h"

enum { ARENA_BYTES_MAX = 8 << 20, PATH_BYTES = 4096, SECRET_BYTES_MAX = 16 << 10 };

struct ways_file {
    struct arena    *arena;
    const char      *dir;
    struct way_conf  ways[WAYS_TOLD_MAX];
    struct provider *providers[WAYS_TOLD_MAX];
    uint32_t         count;
};

/* One way, and where it stands. */
struct entry {
    struct ways_file  *file;
    const struct json *json;
    struct way_conf   *way;
    char               where[80];
    struct problem    *problem;
};

static enum err fault(struct entry *entry, const char *what, const char *remedy)
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
        return fault(
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

/* ---- numbers and words ---- */

static enum err number_read(struct entry *entry, const char *key, int64_t most, uint32_t *out)
{
    const struct json *value = json_get(entry->json, str_of(key));
    if (value == NULL)
        return OK;
    if (value->kind != JSON_INT || value->integer < 0 || value->integer > most)
        return problem_format(entry->problem, ERR_INPUT, entry->where,
                              "Write a whole number that is not larger.",
                              "%s is not a number from 0 to %lld.", key, (long long)most);
    *out = (uint32_t)value->integer;
    return OK;
}

static enum err words_read(struct entry *entry, const char *key, const struct str **out,
                           uint32_t *count)
{
    const struct json *list = json_get(entry->json, str_of(key));
    if (list == NULL)
        return OK;
    struct str *words = ARENA_ARRAY(entry->file->arena, WAY_WORDS_MAX, struct str);
    if (words == NULL)
        return ERR_MEMORY;
    if (list->kind != JSON_ARRAY || list->count == 0 || list->count > WAY_WORDS_MAX)
        return fault(entry, "topics and domains are lists of 1 to 64 words.",
                     "Write [\"news\"], or leave it out for all.");
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i].kind != JSON_STRING)
            return fault(entry, "topics and domains are lists of words.", "Write [\"news\"].");
        words[i] = list->items[i].string;
    }
    *out = words;
    *count = list->count;
    return OK;
}

static enum err plan_read(struct entry *entry, struct way_plan *plan)
{
    const struct json *warm_up = json_get(entry->json, STR("warm_up"));
    int64_t            from_ms, first = 0;
    TRY(number_read(entry, "per_day", UINT32_MAX - 1, &plan->per_day));
    if (warm_up == NULL)
        return OK;
    struct str from = json_get_str(warm_up, STR("from"));
    plan->grow = 1.5;
    (void)json_get_real(warm_up, STR("grow"), &plan->grow);
    if (from.len != 10 || time_parse(from, &from_ms) != OK ||
        !json_get_int(warm_up, STR("first_day"), &first) || first < 1 || first > 1000000 ||
        !(plan->grow >= 1 && plan->grow <= 10))
        return fault(entry, "The warm-up cannot be read.",
                     "Write {\"from\": \"2026-12-01\", \"first_day\": 50, \"grow\": 1.5}.");
    plan->from_day = from_ms / TIME_DAY_MS;
    plan->first_day = (uint32_t)first;
    return OK;
}

static enum err limits_read(struct entry *entry)
{
    struct way_conf *way = entry->way;
    struct str       only = json_get_str(entry->json, STR("messages"));
    uint32_t         timeout_s = 0;
    TRY(number_read(entry, "connections", 64, &way->connections));
    TRY(number_read(entry, "per_second", 1000000, &way->per_second));
    TRY(number_read(entry, "domain_max", 64, &way->domain_messages_max));
    TRY(number_read(entry, "timeout", 120, &timeout_s));
    way->timeout_ms = (int64_t)timeout_s * TIME_SECOND_MS;
    TRY(words_read(entry, "topics", &way->topics, &way->topics_count));
    TRY(words_read(entry, "domains", &way->domains, &way->domains_count));
    way->only_receipts = str_eq(only, STR("receipts"));
    way->no_receipts = str_eq(only, STR("letters"));
    if (only.len > 0 && !way->only_receipts && !way->no_receipts && !str_eq(only, STR("all")))
        return fault(entry, "messages is none of all, receipts and letters.",
                     "receipts are transactional messages, letters all others.");
    return plan_read(entry, &way->plan);
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
        return fault(entry, "A provider's name has neither dots nor slashes.",
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
            return fault(entry, "A setting is not a text.", "Write it between quotes.");
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
        return fault(entry, "A password stands in the file.",
                     "Write smtp://user@host, and \"password\": {\"secret\": \"NAME\"}.");
    if (password == NULL)
        return OK;
    size_t at = str_find_char(url, 0, '@');
    TRY(secret_read(entry, password, &secret));
    if (at == url.len)
        return fault(entry, "There is a password and no user.", "Write smtp://user@host.");
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
    return fault(entry, "tls is none of chosen, off, offered and required.",
                 "Leave it out, if in doubt.");
}

static enum err members_check(struct entry *entry)
{
    static const char *const known[] = { "name",    "provider",    "settings",   "inside",
                                         "smtp",    "password",    "tls",        "ca",
                                         "outbox",  "connections", "per_second", "domain_max",
                                         "timeout", "topics",      "domains",    "messages",
                                         "per_day", "warm_up" };
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
    struct entry entry = { file, json, &file->ways[file->count], "ways.json", problem };
    if (json->kind != JSON_OBJECT)
        return fault(&entry, "A way out is not an object.", "Write {\"name\": \"...\", ...}.");
    struct str name = json_get_str(json, STR("name")), url = json_get_str(json, STR("smtp"));
    struct str provider = json_get_str(json, STR("provider")),
               outbox = json_get_str(json, STR("outbox"));
    if (name.len == 0 || name.len > WAY_NAME_BYTES_MAX)
        return fault(&entry, "A way out has no name of 1 to 40 bytes.", "Give it one.");
    snprintf(entry.where, sizeof entry.where, "ways.json: %.*s", STR_ARG(name));
    for (uint32_t i = 0; i < file->count; i++)
        if (str_eq(str_of(file->ways[i].name), name))
            return fault(&entry, "Two ways have this name.", "Name one of them otherwise.");
    entry.way->name = str_copy(file->arena, name).ptr;
    if ((url.len > 0) + (provider.len > 0) + (outbox.len > 0) != 1)
        return fault(&entry, "A way is one of smtp, provider and outbox.", "Write one of them.");
    TRY(members_check(&entry));
    TRY(limits_read(&entry));
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

static enum err ways_read(struct ways_file *file, const char *path, struct problem *problem)
{
    char        usual[PATH_BYTES];
    struct json root;
    struct str  text;
    snprintf(usual, sizeof usual, "%s/ways.json", file->dir);
    TRY(files_read_one(file->arena, path == NULL ? usual : path, WAYS_FILE_BYTES_MAX, &text,
                       problem));
    enum err err = json_parse_once(file->arena, text, &root, problem);
    if (err != OK)
        return err;
    const struct json *list = json_get(&root, STR("ways"));
    if (list == NULL || list->kind != JSON_ARRAY || list->count == 0 || list->count > WAYS_TOLD_MAX)
        return problem_set(problem, ERR_INPUT, "ways.json", "There is no list of 1 to 8 ways.",
                           "Write {\"ways\": [{\"name\": ...}]}.");
    for (uint32_t i = 0; i < list->count; i++)
        TRY(way_read(file, &list->items[i], problem));
    return OK;
}

enum err ways_file_read(struct ways_file **out, const char *dir, const char *path,
                        struct problem *problem)
{
    struct ways_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        return ERR_MEMORY;
    file->arena = arena_open(ARENA_BYTES_MAX);
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
    if (file == NULL)
        return;
    for (uint32_t i = 0; i < WAYS_TOLD_MAX; i++)
        provider_close(file->providers[i]);
    arena_close(file->arena);
    free(file);
}

const struct way_conf *ways_file_ways(const struct ways_file *file, uint32_t *count)
{
    *count = file->count;
    return file->ways;
}
