#include "run/send/gateway.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/json.h"
#include "template/template.h"

enum { TIMEOUT_MS = 30000, ARENA_BYTES_MAX = 2 << 20 };

struct gateway {
    struct arena        *arena;
    struct json          description, settings;
    enum consent_channel channel;
    struct str           name;
};

/* ---- what is built in ---- */

#define EMBED(symbol, file)                                                                        \
    __asm__(".section .rodata\n"                                                                   \
            ".global " #symbol "\n" #symbol ":\n"                                                  \
            ".incbin \"" DULT_SERVICES "/" file "\"\n"                                             \
            ".byte 0\n"                                                                            \
            ".previous\n");                                                                        \
    extern const char symbol[]

EMBED(dult_gateway_twilio, "twilio.json");
EMBED(dult_gateway_vonage, "vonage.json");
EMBED(dult_gateway_gateway, "gateway.json");
EMBED(dult_gateway_slack, "slack.json");
EMBED(dult_gateway_webhook, "webhook.json");
EMBED(dult_gateway_lob, "lob.json");

const char *gateway_built_in(struct str name)
{
    static const struct {
        const char *name, *text;
    } all[] = {
        { "twilio", dult_gateway_twilio },   { "vonage", dult_gateway_vonage },
        { "gateway", dult_gateway_gateway }, { "slack", dult_gateway_slack },
        { "webhook", dult_gateway_webhook }, { "lob", dult_gateway_lob },
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (str_eq(name, str_of(all[i].name)))
            return all[i].text;
    return NULL;
}

/* ---- opening ---- */

static enum err fault(const struct gateway *gateway, const char *field, const char *what,
                      const char *remedy, struct problem *problem)
{
    char where[160];
    snprintf(where, sizeof where, "%.*s:%s", STR_ARG(str_slice(gateway->name, 0, 40)), field);
    return problem_set(problem, ERR_INPUT, where, what, remedy);
}

static enum err texts_check(const struct gateway *gateway, const struct json *value,
                            struct problem *problem)
{
    SCOPED(template_closep) struct template *made = NULL;
    if (value->kind == JSON_STRING && template_parse(&made, value->string, NULL, problem) != OK)
        return ERR_INPUT;
    for (uint32_t i = 0; value->kind == JSON_OBJECT && i < value->count; i++)
        TRY(texts_check(gateway, &value->members[i].value, problem));
    for (uint32_t i = 0; value->kind == JSON_ARRAY && i < value->count; i++)
        TRY(texts_check(gateway, &value->items[i], problem));
    return OK;
}

static enum err description_check(struct gateway *gateway, struct problem *problem)
{
    const struct json *request = json_get(&gateway->description, STR("request"));
    const struct json *needs = json_get(&gateway->description, STR("needs"));
    struct str         channel = json_get_str(&gateway->description, STR("channel"));
    gateway->name = json_get_str(&gateway->description, STR("name"));
    if (!channel_of_template(channel, &gateway->channel) || gateway->channel == CHANNEL_EMAIL)
        return fault(gateway, "channel", "This is no channel that goes by HTTP.",
                     "Use sms, webhook, staff or post.", problem);
    if (request == NULL || request->kind != JSON_OBJECT ||
        str_is_empty(json_get_str(request, STR("url"))))
        return fault(gateway, "request.url", "The description says nowhere to send to.",
                     "Write \"request\": {\"url\": ...}.", problem);
    for (uint32_t i = 0; needs != NULL && needs->kind == JSON_ARRAY && i < needs->count; i++)
        if (str_is_empty(json_get_str(&gateway->settings, needs->items[i].string)))
            return problem_format(problem, ERR_INPUT, "channels", "Set it beside \"provider\".",
                                  "%.*s needs \"%.*s\".", STR_ARG(gateway->name),
                                  STR_ARG(needs->items[i].string));
    return texts_check(gateway, request, problem);
}

static enum err gateway_fill(struct gateway *gateway, struct str description,
                             const struct json *settings, struct problem *problem)
{
    SCOPED(buf_donep) struct buf text = buf_make(GATEWAY_TEXT_BYTES_MAX);
    struct str                   kept = str_copy(gateway->arena, description);
    if (kept.ptr == NULL || description.len > GATEWAY_TEXT_BYTES_MAX)
        return ERR_LIMIT;
    TRY(json_parse_once(gateway->arena, kept, &gateway->description, problem));
    json_write(&text, settings);
    TRY(buf_err(&text));
    kept = str_copy(gateway->arena, buf_view(&text));
    if (kept.ptr == NULL)
        return ERR_MEMORY;
    TRY(json_parse_once(gateway->arena, kept, &gateway->settings, problem));
    return description_check(gateway, problem);
}

enum err gateway_open(struct gateway **out, struct str description, const struct json *settings,
                      struct problem *problem)
{
    struct gateway *gateway = calloc(1, sizeof *gateway);
    enum err        err = gateway == NULL ? ERR_MEMORY : OK;
    if (err == OK && (gateway->arena = arena_open(ARENA_BYTES_MAX)) == NULL)
        err = ERR_MEMORY;
    if (err == OK)
        err = gateway_fill(gateway, description, settings, problem);
    if (err == OK)
        *out = gateway;
    else
        gateway_close(gateway);
    return err;
}

void gateway_close(struct gateway *gateway)
{
    if (gateway == NULL)
        return;
    arena_close(gateway->arena);
    free(gateway);
}

enum consent_channel gateway_channel(const struct gateway *gateway)
{
    return gateway->channel;
}

struct str gateway_name(const struct gateway *gateway)
{
    return gateway->name;
}

/* ---- the request ---- */

struct writing {
    const struct gateway *gateway;
    struct json           data; /* settings, message */
    struct arena         *arena;
    struct problem       *problem;
};

/* A missing setting is an empty text: what needs one says so in "needs". */
static enum err text_make(struct writing *w, struct str source, struct str *out)
{
    SCOPED(template_closep) struct template *made = NULL;
    SCOPED(buf_donep) struct buf             text = buf_make(GATEWAY_BODY_BYTES_MAX);
    struct template_render_conf              conf = { .escape_html = false };
    struct template_report                   report;
    TRY(template_parse(&made, source, NULL, w->problem));
    TRY(template_render(made, w->arena, &w->data, &conf, &text, &report));
    TRY(buf_err(&text));
    *out = str_copy(w->arena, buf_view(&text));
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

/* The value with its texts rendered, without members that came out empty. */
static enum err value_make(struct writing *w, const struct json *value, struct json *out)
{
    *out = *value;
    if (value->kind == JSON_STRING)
        return text_make(w, value->string, &out->string);
    if (value->kind != JSON_OBJECT)
        return OK;
    out->members = ARENA_ARRAY(w->arena, value->count + 1, struct json_member);
    out->count = 0;
    if (out->members == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < value->count; i++) {
        struct json_member *member = (struct json_member *)&out->members[out->count];
        member->key = value->members[i].key;
        TRY(value_make(w, &value->members[i].value, &member->value));
        out->count += member->value.kind != JSON_STRING || member->value.string.len > 0;
    }
    return OK;
}

static void form_add(struct buf *out, struct str prefix, const struct json *object)
{
    for (uint32_t i = 0; i < object->count; i++) {
        const struct json_member *member = &object->members[i];
        char                      key[200];
        snprintf(key, sizeof key, prefix.len > 0 ? "%.*s[%.*s]" : "%.*s%.*s", STR_ARG(prefix),
                 STR_ARG(member->key));
        if (member->value.kind == JSON_OBJECT) {
            form_add(out, str_of(key), &member->value);
            continue;
        }
        if (member->value.kind != JSON_STRING)
            continue;
        if (out->len > 0)
            buf_char(out, '&');
        percent_write(out, str_of(key));
        buf_char(out, '=');
        percent_write(out, member->value.string);
    }
}

static enum err header_add(struct writing *w, struct fetch_request *out, struct str name,
                           struct str value)
{
    int i = 0;
    while (i < FETCH_HEADERS_MAX && out->headers[i] != NULL)
        i++;
    if (i == FETCH_HEADERS_MAX)
        return ERR_LIMIT;
    out->headers[i] = str_format(w->arena, "%.*s: %.*s", STR_ARG(name), STR_ARG(value)).ptr;
    return out->headers[i] == NULL ? ERR_MEMORY : OK;
}

static enum err basic_add(struct writing *w, struct fetch_request *out, const struct json *basic)
{
    SCOPED(buf_donep) struct buf plain = buf_make(4096), coded = buf_make(8192);
    struct str                   words[2];
    if (basic == NULL || basic->kind != JSON_ARRAY || basic->count != 2)
        return OK;
    for (int i = 0; i < 2; i++)
        TRY(text_make(w, basic->items[i].string, &words[i]));
    buf_format(&plain, "%.*s:%.*s", STR_ARG(words[0]), STR_ARG(words[1]));
    buf_str(&coded, STR("Basic "));
    base64_write(&coded, buf_view(&plain));
    TRY(buf_err(&plain));
    TRY(buf_err(&coded));
    return header_add(w, out, STR("Authorization"), buf_view(&coded));
}

static enum err headers_make(struct writing *w, const struct json *request,
                             struct fetch_request *out)
{
    const struct json *headers = json_get(request, STR("headers"));
    struct json        made;
    TRY(basic_add(w, out, json_get(request, STR("basic"))));
    if (headers == NULL || headers->kind != JSON_OBJECT)
        return OK;
    TRY(value_make(w, headers, &made));
    for (uint32_t i = 0; i < made.count; i++)
        TRY(header_add(w, out, made.members[i].key, made.members[i].value.string));
    return OK;
}

static enum err body_make(struct writing *w, const struct json *request, struct fetch_request *out)
{
    SCOPED(buf_donep) struct buf body = buf_make(GATEWAY_BODY_BYTES_MAX);
    const struct json           *form = json_get(request, STR("form"));
    const struct json           *json = json_get(request, STR("json"));
    const struct json           *text = json_get(request, STR("body"));
    struct json                  made;
    if (form != NULL && form->kind == JSON_OBJECT) {
        TRY(value_make(w, form, &made));
        form_add(&body, STR_NONE, &made);
        TRY(header_add(w, out, STR("Content-Type"), STR("application/x-www-form-urlencoded")));
    } else if (json != NULL) {
        TRY(value_make(w, json, &made));
        json_write(&body, &made);
        TRY(header_add(w, out, STR("Content-Type"), STR("application/json")));
    } else if (text != NULL && text->kind == JSON_STRING) {
        TRY(text_make(w, text->string, &out->body));
        return OK;
    }
    TRY(buf_err(&body));
    out->body = str_copy(w->arena, buf_view(&body));
    return out->body.ptr == NULL && body.len > 0 ? ERR_MEMORY : OK;
}

enum err gateway_request(const struct gateway *gateway, const struct json *message,
                         struct arena *arena, struct fetch_request *out, struct problem *problem)
{
    const struct json *request = json_get(&gateway->description, STR("request"));
    const struct json *repeatable = json_get(&gateway->description, STR("repeatable"));
    struct json_member members[] = { { STR("settings"), gateway->settings },
                                     { STR("message"), *message } };
    struct writing     w = { .gateway = gateway,
                             .data = { .kind = JSON_OBJECT, .count = 2, .members = members },
                             .arena = arena,
                             .problem = problem };
    struct str         method = json_get_str(request, STR("method")), url;
    *out = (struct fetch_request){ .timeout_ms = TIMEOUT_MS,
                                   .response_bytes_max = GATEWAY_ANSWER_BYTES_MAX,
                                   .repeatable = repeatable != NULL && repeatable->truth };
    TRY(text_make(&w, method.len > 0 ? method : STR("POST"), &method));
    TRY(text_make(&w, json_get_str(request, STR("url")), &url));
    url = str_trim(url);
    out->method = str_format(arena, "%.*s", STR_ARG(method.len > 0 ? method : STR("POST"))).ptr;
    out->url = str_format(arena, "%.*s", STR_ARG(url)).ptr;
    if (out->method == NULL || out->url == NULL)
        return ERR_MEMORY;
    if (url.len == 0 || url.len > GATEWAY_URL_BYTES_MAX)
        return fault(gateway, "request.url", "The address is empty, or longer than 4 KB.",
                     "Look at what Liquid makes of it.", problem);
    TRY(headers_make(&w, request, out));
    return body_make(&w, request, out);
}

/* ---- the answer ---- */

/* "messages.0.status" */
static const struct json *path_follow(const struct json *root, struct str path)
{
    struct str part;
    while (root != NULL && path.len > 0 && str_split(&path, '.', &part)) {
        int64_t place;
        if (root->kind == JSON_ARRAY && str_to_int(part, &place) == OK)
            root = place >= 0 && place < root->count ? &root->items[place] : NULL;
        else
            root = json_get(root, part);
    }
    return root;
}

static struct str text_at(const struct json *root, struct str path, char *bytes, size_t room)
{
    const struct json *value = path.len == 0 ? NULL : path_follow(root, path);
    if (value == NULL)
        return STR_NONE;
    if (value->kind == JSON_STRING)
        return value->string;
    if (value->kind != JSON_INT)
        return STR_NONE;
    snprintf(bytes, room, "%lld", (long long)value->integer);
    return str_of(bytes);
}

static bool has_code(const struct json *answer, const char *key, struct str code)
{
    const struct json *codes = json_get(answer, str_of(key));
    for (uint32_t i = 0; codes != NULL && codes->kind == JSON_ARRAY && i < codes->count; i++)
        if (str_eq(codes->items[i].string, code))
            return true;
    return false;
}

static bool is_later(int status)
{
    return status == 408 || status == 425 || status == 429 || status >= 500;
}

static void text_clean(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = ' ';
}

static void no_answer(const struct fetch_response *response, bool repeatable,
                      struct gateway_answer *out)
{
    bool                 for_good = response->err == ERR_DENIED || response->err == ERR_INPUT;
    enum delivery_result result = for_good                            ? DELIVERY_FAILED
                                  : response->in_doubt && !repeatable ? DELIVERY_UNKNOWN
                                                                      : DELIVERY_DEFERRED;
    out->outcome =
        delivery_outcome_make(result, for_good ? BLAME_POLICY : BLAME_CONNECTION, response->text);
}

static void answer_judge(const struct json *answer, int status, struct str code,
                         struct gateway_answer *out)
{
    bool told = has_code(answer, "good", code), must = json_get(answer, STR("good")) != NULL;
    bool good = must ? told : status >= 200 && status < 300;
    out->is_hard = !good && has_code(answer, "hard", code);
    out->is_stop = !good && has_code(answer, "stop", code);
    bool later = !good && !out->is_hard && !out->is_stop &&
                 (has_code(answer, "later", code) || is_later(status));
    out->outcome = delivery_outcome_make(good    ? DELIVERY_SENT
                                         : later ? DELIVERY_DEFERRED
                                                 : DELIVERY_FAILED,
                                         good                           ? BLAME_NONE
                                         : out->is_hard || out->is_stop ? BLAME_RECIPIENT
                                         : later                        ? BLAME_CONNECTION
                                                                        : BLAME_POLICY,
                                         "");
}

void gateway_answer(const struct gateway *gateway, const struct fetch_response *response,
                    struct arena *arena, struct gateway_answer *out)
{
    const struct json *repeatable = json_get(&gateway->description, STR("repeatable"));
    const struct json *answer = json_get(&gateway->description, STR("answer"));
    struct json        root = { .kind = JSON_NULL };
    char               bytes[2][32];
    *out = (struct gateway_answer){ .is_hard = false };
    if (response->err != OK) {
        no_answer(response, repeatable != NULL && repeatable->truth, out);
        return;
    }
    if (json_parse_once(arena, response->body, &root, NULL) != OK)
        root = (struct json){ .kind = JSON_NULL };
    struct str code = text_at(&root, json_get_str(answer, STR("code")), bytes[0], sizeof bytes[0]);
    struct str text = text_at(&root, json_get_str(answer, STR("text")), bytes[1], sizeof bytes[1]);
    struct str id = text_at(&root, json_get_str(answer, STR("id")), bytes[1], sizeof bytes[1]);
    answer_judge(answer, response->status, code, out);
    out->outcome.code = response->status;
    snprintf(out->id, sizeof out->id, "%.*s", STR_ARG(str_slice(id, 0, GATEWAY_ID_BYTES_MAX - 1)));
    bool sent = out->outcome.result == DELIVERY_SENT;
    if (text.len == 0 && (!sent || id.len == 0))
        text = str_slice(response->body, 0, sizeof out->outcome.text / 2);
    snprintf(out->outcome.text, sizeof out->outcome.text, "%.*s%s%.*s%s%.*s",
             STR_ARG(str_slice(gateway->name, 0, 40)), code.len > 0 ? " " : "", STR_ARG(code),
             sent && id.len > 0 ? " " : ": ", STR_ARG(sent && id.len > 0 ? id : text));
    text_clean(out->outcome.text);
}
