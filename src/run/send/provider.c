#include "run/send/provider_inside.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_BYTES_MAX = 4 << 20, DEPTH_MAX = 16 };

/* What is being read, and where in it. */
struct reading {
    struct provider *provider;
    const char      *where;
    struct problem  *problem;
    uint32_t         nodes;
};

static enum err fault(struct reading *reading, const char *place, const char *what)
{
    return problem_format(reading->problem, ERR_INPUT, reading->where,
                          "docs/providers.md describes a description.", "%s: %s", place, what);
}

/* ---- Liquid ---- */

static enum err template_read(struct reading *reading, struct str text, const char *place,
                              struct template **out)
{
    struct provider *provider = reading->provider;
    struct problem   problem = { .what = "" };
    struct str       source = str_copy(provider->arena, text);
    if (source.ptr == NULL)
        return ERR_MEMORY;
    if (provider->templates_count == PROVIDER_MEMBERS_MAX)
        return fault(reading, place, "there are too many texts in it");
    enum err err = template_parse(out, source, NULL, &problem);
    if (err == ERR_MEMORY)
        return err;
    if (err != OK)
        return fault(reading, place, problem.what);
    provider->templates[provider->templates_count++] = *out;
    return OK;
}

static enum err member_read(struct reading *reading, const struct json *object, const char *key,
                            bool is_needed, struct template **out)
{
    const struct json *value = json_get(object, str_of(key));
    *out = NULL;
    if (value == NULL)
        return is_needed ? fault(reading, key, "is missing") : OK;
    if (value->kind != JSON_STRING)
        return fault(reading, key, "is not a text");
    return template_read(reading, value->string, key, out);
}

/* ---- settings ---- */

static enum err settings_read(struct reading *reading, const struct json *list)
{
    struct provider *provider = reading->provider;
    if (list == NULL)
        return OK;
    if (list->kind != JSON_ARRAY || list->count > PROVIDER_SETTINGS_MAX)
        return fault(reading, "settings", "is not a list of at most 24 settings");
    for (uint32_t i = 0; i < list->count; i++) {
        const struct json      *item = &list->items[i];
        struct provider_setting setting = { .name = json_get_str(item, STR("name")),
                                            .about = json_get_str(item, STR("about")),
                                            .absent = json_get_str(item, STR("default")),
                                            .is_secret =
                                                json_get_bool(item, STR("secret"), false) };
        setting.is_needed =
            json_get_bool(item, STR("needed"), json_get(item, STR("default")) == NULL);
        if (setting.name.len == 0)
            return fault(reading, "settings", "one of them has no name");
        provider->settings[provider->settings_count++] = setting;
    }
    return OK;
}

/* ---- the request ---- */

static enum err headers_read(struct reading *reading, const struct json *object)
{
    struct provider *provider = reading->provider;
    if (object == NULL)
        return OK;
    if (object->kind != JSON_OBJECT ||
        object->count > sizeof provider->headers / sizeof provider->headers[0])
        return fault(reading, "request.headers", "is not an object of at most 26 headers");
    for (uint32_t i = 0; i < object->count; i++) {
        struct line *line = &provider->headers[provider->headers_count++];
        if (object->members[i].value.kind != JSON_STRING)
            return fault(reading, "request.headers", "a value is not a text");
        line->name = object->members[i].key;
        TRY(template_read(reading, object->members[i].value.string, "request.headers",
                          &line->value));
    }
    return OK;
}

static enum err node_read(struct reading *reading, const struct json *value, int depth,
                          struct node **out);

static enum err children_read(struct reading *reading, const struct json *value, int depth,
                              struct node *node)
{
    struct node **last = &node->first;
    for (uint32_t i = 0; i < value->count; i++) {
        bool is_object = value->kind == JSON_OBJECT;
        TRY(node_read(reading, is_object ? &value->members[i].value : &value->items[i], depth + 1,
                      last));
        if (is_object)
            (*last)->key = value->members[i].key;
        last = &(*last)->next;
    }
    return OK;
}

/* {"$message": ...} and {"$json": ...}, and the name and type of a part of a multipart body. */
static enum err special_read(struct reading *reading, const struct json *value, struct node *node)
{
    struct str         message = json_get_str(value, STR("$message"));
    const struct json *files = json_get(value, STR("$files"));
    if (files != NULL) {
        node->kind = NODE_FILES;
        node->literal = *files;
        if (files->kind != JSON_OBJECT)
            return fault(reading, "$files", "is not an object");
        for (uint32_t i = 0; i < files->count; i++)
            if (files->members[i].value.kind != JSON_STRING)
                return fault(reading, "$files", "a member is not a text");
        return OK;
    }
    node->file = json_get_str(value, STR("file"));
    node->type = json_get_str(value, STR("type"));
    if (str_eq(message, STR("mime")))
        node->kind = NODE_MIME;
    else if (str_eq(message, STR("base64")))
        node->kind = NODE_BASE64;
    else if (message.len > 0)
        return fault(reading, "$message", "is neither mime nor base64");
    else
        node->kind = NODE_JSON;
    return node->kind == NODE_JSON ? member_read(reading, value, "$json", true, &node->template)
                                   : OK;
}

static enum err node_read(struct reading *reading, const struct json *value, int depth,
                          struct node **out)
{
    struct node *node = ARENA_NEW(reading->provider->arena, struct node);
    if (node == NULL)
        return ERR_MEMORY;
    if (depth > DEPTH_MAX || ++reading->nodes > PROVIDER_MEMBERS_MAX)
        return fault(reading, "request", "the body is too large or too deep");
    *out = node;
    bool is_special = json_get(value, STR("$message")) != NULL ||
                      json_get(value, STR("$json")) != NULL ||
                      json_get(value, STR("$files")) != NULL;
    if (is_special)
        return special_read(reading, value, node);
    if (value->kind == JSON_OBJECT || value->kind == JSON_ARRAY) {
        node->kind = value->kind == JSON_OBJECT ? NODE_OBJECT : NODE_ARRAY;
        return children_read(reading, value, depth, node);
    }
    if (value->kind == JSON_STRING) {
        node->kind = NODE_TEXT;
        node->is_plain = str_find(value->string, 0, STR("{{")) == value->string.len &&
                         str_find(value->string, 0, STR("{%")) == value->string.len;
        return template_read(reading, value->string, "request", &node->template);
    }
    node->kind = NODE_LITERAL;
    node->literal = *value;
    return OK;
}

static enum err body_read(struct reading *reading, const struct json *request)
{
    static const struct {
        const char    *key;
        enum body_kind kind;
    } kinds[] = { { "json", BODY_JSON },
                  { "form", BODY_FORM },
                  { "multipart", BODY_MULTIPART },
                  { "body", BODY_RAW } };
    struct provider *provider = reading->provider;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct json *value = json_get(request, str_of(kinds[i].key));
        if (value == NULL)
            continue;
        if (provider->body_kind != BODY_NONE)
            return fault(reading, "request", "has more than one body");
        provider->body_kind = kinds[i].kind;
        TRY(node_read(reading, value, 0, &provider->body));
        bool is_list = kinds[i].kind == BODY_FORM || kinds[i].kind == BODY_MULTIPART;
        if (is_list && provider->body->kind != NODE_OBJECT)
            return fault(reading, kinds[i].key, "is not an object");
    }
    provider->body_type = json_get_str(request, STR("type"));
    return OK;
}

static enum err auth_read(struct reading *reading, const struct json *auth)
{
    static const char *const basic[] = { "user", "password" };
    static const char *const aws4[] = { "key", "secret", "token", "region", "service" };
    struct provider         *provider = reading->provider;
    const struct json       *value;
    if (auth == NULL)
        return OK;
    if (json_get(auth, STR("bearer")) != NULL) {
        provider->auth = AUTH_BEARER;
        return member_read(reading, auth, "bearer", true, &provider->auth_parts[0]);
    }
    bool is_basic = (value = json_get(auth, STR("basic"))) != NULL;
    if (!is_basic && (value = json_get(auth, STR("aws4"))) == NULL)
        return fault(reading, "request.auth", "is none of basic, bearer and aws4");
    provider->auth = is_basic ? AUTH_BASIC : AUTH_AWS4;
    for (int i = 0; i < (is_basic ? 2 : 5); i++)
        TRY(member_read(reading, value, is_basic ? basic[i] : aws4[i], is_basic || i != 2,
                        &provider->auth_parts[i]));
    return OK;
}

static enum err request_read(struct reading *reading, const struct json *root)
{
    struct provider   *provider = reading->provider;
    const struct json *request = json_get(root, STR("request"));
    const struct json *key = json_get(root, STR("idempotency"));
    if (request == NULL || request->kind != JSON_OBJECT)
        return fault(reading, "request", "is missing");
    provider->method = json_get_str(request, STR("method"));
    if (provider->method.len == 0)
        provider->method = STR("POST");
    provider->method = str_copy(provider->arena, provider->method);
    TRY(member_read(reading, request, "url", true, &provider->url));
    TRY(headers_read(reading, json_get(request, STR("headers"))));
    TRY(body_read(reading, request));
    TRY(auth_read(reading, json_get(request, STR("auth"))));
    if (key == NULL)
        return OK;
    provider->idempotency.name = json_get_str(key, STR("header"));
    if (provider->idempotency.name.len == 0)
        return fault(reading, "idempotency", "has no header");
    return member_read(reading, key, "value", true, &provider->idempotency.value);
}

/* ---- the answer ---- */

static bool verdict_find(struct str word, enum provider_verdict *out)
{
    static const char *const words[] = {
        [PROVIDER_SENT] = "sent",       [PROVIDER_DEFERRED] = "deferred",
        [PROVIDER_QUOTA] = "quota",     [PROVIDER_ACCOUNT] = "account",
        [PROVIDER_REFUSED] = "refused", [PROVIDER_RECIPIENT] = "recipient",
        [PROVIDER_UNKNOWN] = "unknown",
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_eq(word, str_of(words[i]))) {
            *out = (enum provider_verdict)i;
            return true;
        }
    return false;
}

/* 429, or "4xx" for all of them. */
static bool status_read(const struct json *status, struct rule *rule)
{
    if (status == NULL)
        return true;
    if (status->kind == JSON_INT && status->integer >= 100 && status->integer <= 599) {
        rule->status_least = rule->status_most = (int)status->integer;
        return true;
    }
    if (status->kind != JSON_STRING || status->string.len != 3 ||
        !str_ends(status->string, STR("xx")) || status->string.ptr[0] < '1' ||
        status->string.ptr[0] > '5')
        return false;
    rule->status_least = (status->string.ptr[0] - '0') * 100;
    rule->status_most = rule->status_least + 99;
    return true;
}

static enum err rules_read(struct reading *reading, const struct json *rules)
{
    struct provider *provider = reading->provider;
    if (rules == NULL)
        return OK;
    if (rules->kind != JSON_ARRAY || rules->count > PROVIDER_RULES_MAX)
        return fault(reading, "answer.rules", "is not a list of at most 32 rules");
    for (uint32_t i = 0; i < rules->count; i++) {
        struct rule *rule = &provider->rules[provider->rules_count++];
        rule->when = json_get(&rules->items[i], STR("when"));
        if (rule->when != NULL && rule->when->kind != JSON_OBJECT)
            return fault(reading, "answer.rules", "`when` is not an object");
        if (!status_read(json_get(&rules->items[i], STR("status")), rule))
            return fault(reading, "answer.rules", "a status is neither a number nor like \"4xx\"");
        if (!verdict_find(json_get_str(&rules->items[i], STR("is")), &rule->is))
            return fault(reading, "answer.rules",
                         "`is` is none of sent, deferred, quota, account, refused, recipient, "
                         "unknown");
    }
    return OK;
}

/* A path, or a few of which the first that leads to something counts. */
static enum err paths_read(struct reading *reading, const struct json *value, struct str *paths,
                           uint32_t *count)
{
    if (value == NULL)
        return OK;
    bool     is_list = value->kind == JSON_ARRAY;
    uint32_t most = is_list ? value->count : 1;
    if (most > PROVIDER_PATHS_MAX)
        return fault(reading, "answer", "there are more than four paths");
    for (uint32_t i = 0; i < most; i++) {
        const struct json *item = is_list ? &value->items[i] : value;
        if (item->kind != JSON_STRING)
            return fault(reading, "answer", "a path is not a text");
        paths[(*count)++] = item->string;
    }
    return OK;
}

static enum err answer_read(struct reading *reading, const struct json *answer)
{
    struct provider *provider = reading->provider;
    if (answer == NULL)
        return OK;
    TRY(rules_read(reading, json_get(answer, STR("rules"))));
    TRY(paths_read(reading, json_get(answer, STR("id")), provider->ids, &provider->ids_count));
    return paths_read(reading, json_get(answer, STR("error")), provider->errors,
                      &provider->errors_count);
}

/* ---- all of it ---- */

static enum err unknown_members(struct reading *reading, const struct json *root)
{
    static const char *const known[] = { "provider",    "title",   "channel",
                                         "settings",    "request", "answer",
                                         "idempotency", "rate",    "about" };
    for (uint32_t i = 0; i < root->count; i++) {
        bool is_known = false;
        for (size_t j = 0; j < sizeof known / sizeof known[0]; j++)
            is_known = is_known || str_eq(root->members[i].key, str_of(known[j]));
        if (!is_known)
            return problem_format(reading->problem, ERR_INPUT, reading->where,
                                  "docs/providers.md lists them.", "\"%.*s\" is unknown",
                                  STR_ARG(str_slice(root->members[i].key, 0, 60)));
    }
    return OK;
}

static enum err description_read(struct reading *reading, struct str text)
{
    struct provider *provider = reading->provider;
    struct json     *root = ARENA_NEW(provider->arena, struct json);
    struct str       own = str_copy(provider->arena, text);
    int64_t          number = 0;
    if (root == NULL || own.ptr == NULL)
        return ERR_MEMORY;
    enum err err = json_parse_once(provider->arena, own, root, reading->problem);
    if (err == ERR_MEMORY)
        return err;
    if (err != OK || root->kind != JSON_OBJECT)
        return fault(reading, "the text", "is not a JSON object");
    TRY(unknown_members(reading, root));
    provider->name = json_get_str(root, STR("provider"));
    provider->title = json_get_str(root, STR("title"));
    if (provider->name.len == 0)
        return fault(reading, "provider", "has no name");
    if (!channel_of_template(json_get_str(root, STR("channel")), &provider->channel))
        return fault(reading, "channel", "is none of email, sms, webhook, staff, post");
    const struct json *rate = json_get(root, STR("rate"));
    if (json_get_int(rate, STR("per_second"), &number) && number > 0 && number < 1000000)
        provider->per_second = (uint32_t)number;
    if (json_get_int(rate, STR("connections"), &number) && number > 0 && number <= 64)
        provider->connections = (uint32_t)number;
    TRY(settings_read(reading, json_get(root, STR("settings"))));
    TRY(request_read(reading, root));
    return answer_read(reading, json_get(root, STR("answer")));
}

enum err provider_parse(struct provider **out, struct str text, const char *where,
                        struct problem *problem)
{
    struct provider *provider = calloc(1, sizeof *provider);
    struct reading   reading = { .provider = provider, .where = where, .problem = problem };
    if (provider == NULL)
        return ERR_MEMORY;
    provider->arena = arena_open(ARENA_BYTES_MAX);
    enum err err = provider->arena == NULL ? ERR_MEMORY : OK;
    if (err == OK && text.len > PROVIDER_BYTES_MAX)
        err = fault(&reading, "the text", "is longer than 64 KB");
    if (err == OK)
        err = description_read(&reading, text);
    if (err == OK)
        *out = provider;
    else
        provider_close(provider);
    return err;
}

void provider_close(struct provider *provider)
{
    if (provider == NULL)
        return;
    for (uint32_t i = 0; i < provider->templates_count; i++)
        template_close(provider->templates[i]);
    arena_close(provider->arena);
    free(provider);
}

/* ---- what it says of itself ---- */

struct str provider_name(const struct provider *provider)
{
    return provider->name;
}

struct str provider_title(const struct provider *provider)
{
    return provider->title.len > 0 ? provider->title : provider->name;
}

enum consent_channel provider_channel(const struct provider *provider)
{
    return provider->channel;
}

uint32_t provider_settings_count(const struct provider *provider)
{
    return provider->settings_count;
}

const struct provider_setting *provider_settings(const struct provider *provider)
{
    return provider->settings;
}

uint32_t provider_per_second(const struct provider *provider)
{
    return provider->per_second;
}

uint32_t provider_connections(const struct provider *provider)
{
    return provider->connections;
}

static bool has_setting(const struct provider *provider, struct str name)
{
    for (uint32_t i = 0; i < provider->settings_count; i++)
        if (str_eq(provider->settings[i].name, name))
            return true;
    return false;
}

enum err provider_settings_fill(const struct provider *provider, struct arena *arena,
                                const struct json *given, struct json *out, const char *where,
                                struct problem *problem)
{
    struct json_member *members = ARENA_ARRAY(arena, PROVIDER_SETTINGS_MAX, struct json_member);
    if (members == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; given != NULL && i < given->count; i++)
        if (!has_setting(provider, given->members[i].key))
            return problem_format(problem, ERR_INPUT, where,
                                  "`dult providers` lists the settings of each.",
                                  "%.*s has no setting \"%.*s\".", STR_ARG(provider->name),
                                  STR_ARG(str_slice(given->members[i].key, 0, 60)));
    for (uint32_t i = 0; i < provider->settings_count; i++) {
        const struct provider_setting *setting = &provider->settings[i];
        struct str                     value = json_get_str(given, setting->name);
        if (value.len == 0 && setting->is_needed)
            return problem_format(problem, ERR_INPUT, where,
                                  "`dult providers` lists the settings of each.",
                                  "%.*s needs the setting \"%.*s\".", STR_ARG(provider->name),
                                  STR_ARG(setting->name));
        members[i].key = setting->name;
        members[i].value =
            (struct json){ .kind = JSON_STRING, .string = value.len > 0 ? value : setting->absent };
    }
    *out =
        (struct json){ .kind = JSON_OBJECT, .count = provider->settings_count, .members = members };
    return OK;
}
