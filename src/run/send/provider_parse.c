/* A description, from its JSON. */
#include <stdio.h>
#include <string.h>

#include "run/send/provider_inside.h"

enum { DEPTH_MAX = 16 };

static enum err fault(struct reading *reading, const char *place, const char *what)
{
    return reading_fault(reading, place, what);
}

enum err reading_refuse(struct reading *reading, const char *place, const char *what,
                        const char *remedy)
{
    return problem_format(reading->problem, ERR_INPUT, reading->where, remedy, "%s: %s", place,
                          what);
}

enum err reading_fault(struct reading *reading, const char *place, const char *what)
{
    return reading_refuse(reading, place, what, "docs/providers.md describes a description.");
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

enum err reading_text(struct reading *reading, const struct json *object, const char *key,
                      struct template **out)
{
    return member_read(reading, object, key, false, out);
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
                                            .is_secret = json_get_bool(item, STR("secret"), false),
                                            .is_account =
                                                json_get_bool(item, STR("account"), false) };
        setting.is_needed =
            json_get_bool(item, STR("needed"), json_get(item, STR("default")) == NULL);
        if (setting.name.len == 0)
            return fault(reading, "settings", "one of them has no name");
        if (setting.is_account && setting.is_secret)
            return fault(reading, "settings", "one that names the account is no secret");
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

/* The file is bytes, for which a JSON or a form has no place. */
static enum err pdf_node(struct reading *reading, struct node *node)
{
    enum body_kind body = reading->provider->body_kind;
    node->kind = NODE_PDF;
    reading->provider->has_pdf = true;
    return body == BODY_RAW || body == BODY_MULTIPART
               ? OK
               : reading_refuse(reading, body == BODY_JSON ? "json" : "form",
                                "a file cannot stand in it",
                                "Let {\"$message\": \"pdf\"} be the `body`, or a part of "
                                "`multipart`; what takes a JSON alone often takes the file in a "
                                "step before it.");
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
    else if (str_eq(message, STR("pdf")))
        return pdf_node(reading, node);
    else if (message.len > 0)
        return fault(reading, "$message", "is none of mime, base64 and pdf");
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
    TRY(member_read(reading, request, "method", false, &provider->method));
    TRY(member_read(reading, request, "url", true, &provider->url));
    TRY(headers_read(reading, json_get(request, STR("headers"))));
    TRY(body_read(reading, request));
    TRY(auth_read(reading, json_get(request, STR("auth"))));
    if (key == NULL)
        return OK;
    provider->idempotency.name = json_get_str(key, STR("header"));
    if (provider->idempotency.name.len == 0)
        return fault(reading, "idempotency", "has no header");
    if (json_get(key, STR("hours")) != NULL &&
        (!json_get_real(key, STR("hours"), &provider->key_hours) || provider->key_hours <= 0 ||
         provider->key_hours > 24 * 31))
        return fault(reading, "idempotency", "`hours` is no number above 0 and at most 744");
    return member_read(reading, key, "value", true, &provider->idempotency.value);
}

/* ---- the answer ---- */

const char *const provider_verdict_words[] = {
    [PROVIDER_SENT] = "sent",       [PROVIDER_DEFERRED] = "deferred",
    [PROVIDER_QUOTA] = "quota",     [PROVIDER_ACCOUNT] = "account",
    [PROVIDER_REFUSED] = "refused", [PROVIDER_RECIPIENT] = "recipient",
    [PROVIDER_STOP] = "stop",       [PROVIDER_UNKNOWN] = "unknown",
    [PROVIDER_UNKNOWN + 1] = NULL,
};

int word_find(const char *const *words, struct str word)
{
    for (int i = 0; words[i] != NULL; i++)
        if (str_eq(word, str_of(words[i])))
            return i;
    return -1;
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

static enum err rule_read(struct reading *reading, const struct json *item,
                          const char *const *words, const char *place, struct rule *rule)
{
    rule->when = json_get(item, STR("when"));
    rule->is = word_find(words, json_get_str(item, STR("is")));
    if (rule->when != NULL && rule->when->kind != JSON_OBJECT)
        return fault(reading, place, "`when` is not an object");
    if (!status_read(json_get(item, STR("status")), rule))
        return fault(reading, place, "a status is neither a number nor like \"4xx\"");
    if (rule->is >= 0)
        return OK;
    char   what[200] = "`is` is none of";
    size_t len = strlen(what);
    for (int i = 0; words[i] != NULL; i++)
        len += (size_t)snprintf(what + len, sizeof what - len, "%s %s", i > 0 ? "," : "", words[i]);
    return fault(reading, place, what);
}

enum err reading_rules(struct reading *reading, const struct json *rules, const char *const *words,
                       const char *place, struct rule *out, uint32_t *count)
{
    *count = 0;
    if (rules == NULL)
        return OK;
    if (rules->kind != JSON_ARRAY || rules->count > PROVIDER_RULES_MAX)
        return fault(reading, place, "is not a list of at most 32 rules");
    for (uint32_t i = 0; i < rules->count; i++)
        TRY(rule_read(reading, &rules->items[i], words, place, &out[(*count)++]));
    return OK;
}

enum err reading_paths(struct reading *reading, const struct json *value, struct paths *out)
{
    out->count = 0;
    if (value == NULL)
        return OK;
    bool     is_list = value->kind == JSON_ARRAY;
    uint32_t most = is_list ? value->count : 1;
    if (most > PROVIDER_PATHS_MAX)
        return fault(reading, "paths", "there are more than four");
    for (uint32_t i = 0; i < most; i++) {
        const struct json *item = is_list ? &value->items[i] : value;
        if (item->kind != JSON_STRING)
            return fault(reading, "paths", "one is not a text");
        out->items[out->count++] = item->string;
    }
    return OK;
}

static enum err answer_read(struct reading *reading, const struct json *answer)
{
    struct provider *provider = reading->provider;
    if (answer == NULL)
        return OK;
    TRY(reading_rules(reading, json_get(answer, STR("rules")), provider_verdict_words,
                      "answer.rules", provider->rules, &provider->rules_count));
    TRY(reading_paths(reading, json_get(answer, STR("id")), &provider->id));
    TRY(reading_paths(reading, json_get(answer, STR("code")), &provider->code));
    provider->price = json_get_str(answer, STR("price"));
    provider->currency = json_get_str(answer, STR("currency"));
    return reading_paths(reading, json_get(answer, STR("error")), &provider->error);
}

enum err reading_exchange(struct reading *reading, const struct json *root)
{
    TRY(request_read(reading, root));
    return answer_read(reading, json_get(root, STR("answer")));
}

/* ---- all of it ---- */

/* What was a description of channels.json before. */
static bool is_old(const struct json *root)
{
    return json_get(root, STR("provider")) == NULL && json_get(root, STR("name")) != NULL &&
           json_get(root, STR("request")) != NULL;
}

static enum err unknown_members(struct reading *reading, const struct json *root)
{
    static const char *const known[] = { "provider", "title",    "about",    "channel",
                                         "settings", "request",  "answer",   "idempotency",
                                         "rate",     "receipts", "examples", "$schema",
                                         "dns",      "check",    "token",    "steps",
                                         "pdf",      NULL };
    if (is_old(root))
        return problem_set(reading->problem, ERR_INPUT, reading->where,
                           "This is written as descriptions of services were before.",
                           "\"name\" is \"provider\" now, \"needs\" are \"settings\", codes are "
                           "\"answer.rules\": docs/providers.md.");
    for (uint32_t i = 0; i < root->count; i++)
        if (word_find(known, root->members[i].key) < 0)
            return problem_format(reading->problem, ERR_INPUT, reading->where,
                                  "docs/providers.md lists them.", "\"%.*s\" is unknown",
                                  STR_ARG(str_slice(root->members[i].key, 0, 60)));
    return OK;
}

static uint32_t rate_read(const struct json *rate, struct str key, int64_t most)
{
    int64_t number = 0;
    bool    is_told = json_get_int(rate, key, &number) && number > 0 && number <= most;
    return is_told ? (uint32_t)number : 0;
}

/* Who prints it has to say where its address stands. */
static enum err pdf_check(struct reading *reading)
{
    const struct provider *provider = reading->provider;
    bool                   has_pdf = provider->has_pdf;
    for (uint32_t i = 0; i < provider->steps_count; i++)
        has_pdf = has_pdf || provider->steps[i]->has_pdf;
    has_pdf = has_pdf || (provider->check != NULL && provider->check->has_pdf) ||
              (provider->token != NULL && provider->token->has_pdf);
    return !has_pdf || provider_takes_pdf(provider)
               ? OK
               : reading_refuse(reading, "pdf",
                                "is missing, and {\"$message\": \"pdf\"} is asked for",
                                "Add `pdf` with x, y, width and height of the envelope's window, "
                                "and \"channel\": \"post\".");
}

enum err provider_description_read(struct provider *provider, struct str text, const char *where,
                                   struct problem *problem)
{
    struct reading reading = { .provider = provider, .where = where, .problem = problem };
    struct json   *root = ARENA_NEW(provider->arena, struct json);
    struct str     own = str_copy(provider->arena, text);
    if (root == NULL || own.ptr == NULL)
        return ERR_MEMORY;
    provider->source = own;
    enum err err = json_parse_once(provider->arena, own, root, problem);
    if (err == ERR_MEMORY)
        return err;
    if (err != OK || root->kind != JSON_OBJECT)
        return fault(&reading, "the text", "is not a JSON object");
    TRY(unknown_members(&reading, root));
    provider->name = json_get_str(root, STR("provider"));
    provider->title = json_get_str(root, STR("title"));
    provider->examples = json_get(root, STR("examples"));
    if (provider->name.len == 0)
        return fault(&reading, "provider", "has no name");
    if (!channel_of_template(json_get_str(root, STR("channel")), &provider->channel))
        return fault(&reading, "channel", "is none of email, sms, webhook, staff, post");
    const struct json *rate = json_get(root, STR("rate"));
    provider->rate = (struct provider_rate){
        .per_second = rate_read(rate, STR("per_second"), 1000000),
        .connections = rate_read(rate, STR("connections"), 64),
        .per_destination = rate_read(rate, STR("per_destination"), 64),
    };
    TRY(settings_read(&reading, json_get(root, STR("settings"))));
    TRY(reading_exchange(&reading, root));
    TRY(check_read(&reading, json_get(root, STR("check"))));
    TRY(steps_read(&reading, json_get(root, STR("steps"))));
    TRY(pdf_read(&reading, json_get(root, STR("pdf"))));
    TRY(access_read(&reading, json_get(root, STR("token"))));
    TRY(pdf_check(&reading));
    TRY(provider_dns_read(&reading, json_get(root, STR("dns"))));
    return receipts_read(&reading, json_get(root, STR("receipts")));
}
