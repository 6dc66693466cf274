/* From a message to the request that its provider wants. */
#include <stdio.h>
#include <string.h>

#include "base/encode.h"
#include "base/hash.h"
#include "delivery/sigv4.h"
#include "run/send/provider_inside.h"

enum {
    SMALL_BYTES_MAX = 8 << 10, /* a URL, a header */
    BODY_BYTES_MAX = 40 << 20, /* 10 MB in base64, and its JSON */
    MESSAGE_MEMBERS = 32,
    LETTER_HEADERS_MAX = 64,
    BOUNDARY_BYTES = 48,
};

struct asking {
    const struct provider         *provider;
    const struct provider_message *message;
    struct arena                  *arena;
    struct json                    data;
    int64_t                        now_ms;
    struct problem                *problem;
    char                           boundary[BOUNDARY_BYTES];
};

/* ---- what templates see ---- */

static void member_add(struct json *object, struct json_member *members, const char *key,
                       struct str text)
{
    members[object->count++] =
        (struct json_member){ str_of(key), { .kind = JSON_STRING, .string = text } };
}

static void truth_add(struct json *object, struct json_member *members, const char *key, bool truth)
{
    members[object->count++] =
        (struct json_member){ str_of(key), { .kind = JSON_BOOL, .truth = truth } };
}

/* What a service makes itself, or is told apart. */
static bool is_own_header(struct str name)
{
    static const char *const known[] = {
        "From",          "To",           "Subject",
        "Reply-To",      "Message-ID",   "Date",
        "MIME-Version",  "Content-Type", "Content-Transfer-Encoding",
        "DKIM-Signature"
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_eq_nocase(name, str_of(known[i])))
            return true;
    return false;
}

/* A field's value in one line. */
static struct str unfolded(struct arena *arena, struct str value)
{
    struct buf out = buf_make(value.len + 1);
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] != '\r' && value.ptr[i] != '\n')
            buf_char(&out, value.ptr[i]);
    struct str copy = str_copy(arena, str_trim(buf_view(&out)));
    buf_done(&out);
    return copy;
}

/* The field at the start of *rest, with its folded lines; empty at the end of the head. */
static struct str field_take(struct str *rest)
{
    size_t end = 0;
    do {
        size_t lf = str_find_char(*rest, end, '\n');
        end = lf < rest->len ? lf + 1 : rest->len;
    } while (end < rest->len && (rest->ptr[end] == ' ' || rest->ptr[end] == '\t'));
    struct str field = str_slice(*rest, 0, end);
    *rest = str_slice(*rest, end, rest->len);
    return str_trim(field);
}

/* The message's own fields, for services that make the message from its parts. */
static enum err headers_make(struct asking *asking, struct json *out)
{
    struct json *items = ARENA_ARRAY(asking->arena, LETTER_HEADERS_MAX, struct json);
    struct str   rest = asking->message->mime, field;
    if (items == NULL)
        return ERR_MEMORY;
    *out = (struct json){ .kind = JSON_ARRAY, .items = items };
    while (rest.len > 0 && out->count < LETTER_HEADERS_MAX && (field = field_take(&rest)).len > 0) {
        size_t     colon = str_find_char(field, 0, ':');
        struct str name = str_slice(field, 0, colon);
        if (is_own_header(name))
            continue;
        struct json_member *members = ARENA_ARRAY(asking->arena, 2, struct json_member);
        struct json         pair = { .kind = JSON_OBJECT, .members = members };
        if (members == NULL)
            return ERR_MEMORY;
        member_add(&pair, members, "name", str_copy(asking->arena, name));
        member_add(&pair, members, "value",
                   unfolded(asking->arena, str_slice(field, colon + 1, field.len)));
        items[out->count++] = pair;
    }
    return OK;
}

/* "Ada of Tents" <ada@tents.example>, in Unicode as services take it. */
static struct str mailbox_make(struct arena *arena, struct str name, struct str address)
{
    if (name.len == 0)
        return address;
    SCOPED(buf_donep) struct buf out = buf_make(SMALL_BYTES_MAX);
    buf_char(&out, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '"' || name.ptr[i] == '\\')
            buf_char(&out, '\\');
        buf_char(&out, name.ptr[i]);
    }
    buf_str(&out, STR("\" <"));
    buf_str(&out, address);
    buf_char(&out, '>');
    return str_copy(arena, buf_view(&out));
}

static enum err data_make(struct asking *asking, const struct json *settings)
{
    const struct provider_message *message = asking->message;
    struct json_member *members = ARENA_ARRAY(asking->arena, MESSAGE_MEMBERS, struct json_member);
    struct json_member *roots = ARENA_ARRAY(asking->arena, 4, struct json_member);
    struct json         object = { .kind = JSON_OBJECT, .members = members };
    if (members == NULL || roots == NULL)
        return ERR_MEMORY;
    member_add(&object, members, "id", message->id);
    member_add(&object, members, "message_id", message->message_id);
    member_add(&object, members, "subject", message->subject);
    member_add(&object, members, "html", message->html);
    member_add(&object, members, "text", message->text);
    member_add(&object, members, "from", message->from);
    member_add(&object, members, "from_name", message->from_name);
    member_add(&object, members, "from_mailbox",
               mailbox_make(asking->arena, message->from_name, message->from));
    member_add(&object, members, "to", message->to);
    member_add(&object, members, "reply_to", message->reply_to);
    member_add(&object, members, "envelope_from", message->envelope_from);
    member_add(&object, members, "topic", message->topic);
    member_add(&object, members, "template", message->template);
    member_add(&object, members, "journey", message->journey);
    member_add(&object, members, "front", message->html);
    member_add(&object, members, "back", message->back);
    member_add(&object, members, "size", message->size);
    member_add(&object, members, "url", message->url);
    member_add(&object, members, "method", message->method);
    member_add(&object, members, "token", message->token);
    member_add(&object, members, "callback", message->callback);
    truth_add(&object, members, "transactional", message->transactional);
    truth_add(&object, members, "unicode", message->unicode);
    if (message->address != NULL)
        members[object.count++] = (struct json_member){ STR("address"), *message->address };
    members[object.count].key = STR("headers");
    TRY(headers_make(asking, &members[object.count].value));
    object.count++;
    roots[0] = (struct json_member){ STR("message"), object };
    roots[1] = (struct json_member){ STR("settings"), *settings };
    roots[2] =
        (struct json_member){ STR("token"), { .kind = JSON_STRING, .string = message->access } };
    roots[3] = (struct json_member){ STR("steps"), message->steps != NULL
                                                       ? *message->steps
                                                       : (struct json){ .kind = JSON_NULL } };
    asking->data = (struct json){ .kind = JSON_OBJECT, .count = 4, .members = roots };
    return OK;
}

/* ---- Liquid ---- */

static enum err render(struct asking *asking, const struct template *template, struct str *out)
{
    struct template_render_conf  conf = { .now_ms = asking->now_ms };
    struct template_report       report;
    SCOPED(buf_donep) struct buf text = buf_make(TEMPLATE_OUTPUT_BYTES_MAX);
    *out = STR("");
    if (template == NULL)
        return OK;
    enum err err = template_render(template, asking->arena, &asking->data, &conf, &text, &report);
    if (err == ERR_LIMIT)
        return problem_set(asking->problem, ERR_INPUT, "provider",
                           "the message is too long for this provider", "Make it shorter.");
    TRY(err);
    TRY(buf_err(&text));
    *out = str_copy(asking->arena, buf_view(&text));
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

enum err provider_text(const struct provider *provider, const struct json *settings,
                       const struct provider_message *message, int64_t now_ms, struct arena *arena,
                       const struct template *template, struct str *out)
{
    struct asking asking = {
        .provider = provider, .message = message, .arena = arena, .now_ms = now_ms
    };
    TRY(data_make(&asking, settings));
    return render(&asking, template, out);
}

/* ---- bodies ---- */

static bool is_left_out(const struct node *node, struct str text)
{
    return text.len == 0 && !node->is_plain &&
           (node->kind == NODE_TEXT || node->kind == NODE_JSON || node->kind == NODE_FILES);
}

/* {"Name": "name", "Content": "content", "kind": "=attachment"}: what follows '=' as it is. */
static struct str file_word(const struct attach_file *file, struct str what)
{
    if (str_eq(what, STR("name")))
        return file->name;
    if (str_eq(what, STR("type")))
        return file->type;
    return str_starts(what, STR("=")) ? str_slice(what, 1, what.len) : STR("");
}

static void file_write(const struct node *node, const struct attach_file *file, struct buf *out)
{
    bool first = true;
    buf_char(out, '{');
    for (uint32_t i = 0; i < node->literal.count; i++) {
        struct str what = node->literal.members[i].value.string;
        if (!first)
            buf_char(out, ',');
        first = false;
        json_write_str(out, node->literal.members[i].key);
        buf_char(out, ':');
        if (!str_eq(what, STR("content"))) {
            json_write_str(out, file_word(file, what));
            continue;
        }
        buf_char(out, '"');
        base64_write(out, file->content);
        buf_char(out, '"');
    }
    buf_char(out, '}');
}

static void files_write(const struct asking *asking, const struct node *node, struct buf *out)
{
    for (size_t i = 0; i < asking->message->files_count; i++) {
        buf_char(out, i == 0 ? '[' : ',');
        file_write(node, &asking->message->files[i], out);
    }
    if (asking->message->files_count > 0)
        buf_char(out, ']');
}

/* What a leaf is, not escaped; literals are written as JSON has them. */
static enum err leaf_text(struct asking *asking, const struct node *node, struct str *out)
{
    SCOPED(buf_donep) struct buf made = buf_make(BODY_BYTES_MAX);
    *out = STR("");
    if (node->kind == NODE_TEXT || node->kind == NODE_JSON)
        return render(asking, node->template, out);
    if (node->kind == NODE_MIME || node->kind == NODE_PDF) {
        *out = node->kind == NODE_MIME ? asking->message->mime : asking->message->pdf;
        return OK;
    }
    if (node->kind == NODE_BASE64)
        base64_write(&made, asking->message->mime);
    else if (node->kind == NODE_FILES)
        files_write(asking, node, &made);
    else
        json_write(&made, &node->literal);
    TRY(buf_err(&made));
    *out = str_copy(asking->arena, buf_view(&made));
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

static enum err json_node(struct asking *asking, const struct node *node, bool *first,
                          struct buf *out);

static enum err json_children(struct asking *asking, const struct node *node, struct buf *out)
{
    bool first = true;
    buf_char(out, node->kind == NODE_OBJECT ? '{' : '[');
    for (const struct node *child = node->first; child != NULL; child = child->next)
        TRY(json_node(asking, child, &first, out));
    buf_char(out, node->kind == NODE_OBJECT ? '}' : ']');
    return OK;
}

static enum err json_node(struct asking *asking, const struct node *node, bool *first,
                          struct buf *out)
{
    bool       is_leaf = node->kind != NODE_OBJECT && node->kind != NODE_ARRAY;
    struct str text = STR("");
    if (is_leaf)
        TRY(leaf_text(asking, node, &text));
    if (is_leaf && is_left_out(node, text))
        return OK;
    if (!*first)
        buf_char(out, ',');
    *first = false;
    if (node->key.ptr != NULL) {
        json_write_str(out, node->key);
        buf_char(out, ':');
    }
    if (!is_leaf)
        return json_children(asking, node, out);
    bool is_text = node->kind == NODE_TEXT || node->kind == NODE_MIME || node->kind == NODE_BASE64;
    if (is_text)
        json_write_str(out, text);
    else
        buf_str(out, text);
    return OK;
}

/* A field of a form, `name` being "to" or "to[name]". */
static void form_add(struct str name, struct str text, struct buf *out)
{
    if (out->len > 0)
        buf_char(out, '&');
    percent_write(out, name);
    buf_char(out, '=');
    percent_write(out, text);
}

static void part_add(const struct asking *asking, const struct node *value, struct str name,
                     struct str text, struct buf *out)
{
    buf_format(out, "--%s\r\nContent-Disposition: form-data; name=\"%.*s\"", asking->boundary,
               STR_ARG(name));
    if (value->file.len > 0)
        buf_format(out, "; filename=\"%.*s\"", STR_ARG(value->file));
    buf_str(out, STR("\r\n"));
    if (value->type.len > 0)
        buf_format(out, "Content-Type: %.*s\r\n", STR_ARG(value->type));
    buf_str(out, STR("\r\n"));
    buf_str(out, text);
    buf_str(out, STR("\r\n"));
}

/* A list stands under its name several times, an object's members as name[key]. */
static enum err form_values(struct asking *asking, const struct node *value, struct str name,
                            struct buf *out)
{
    struct str text;
    if (value->kind == NODE_ARRAY || value->kind == NODE_OBJECT) {
        for (const struct node *at = value->first; at != NULL; at = at->next) {
            struct str inner =
                value->kind == NODE_ARRAY
                    ? name
                    : str_format(asking->arena, "%.*s[%.*s]", STR_ARG(name), STR_ARG(at->key));
            TRY(form_values(asking, at, inner, out));
        }
        return OK;
    }
    TRY(leaf_text(asking, value, &text));
    if (is_left_out(value, text))
        return OK;
    if (asking->provider->body_kind == BODY_FORM)
        form_add(name, text, out);
    else
        part_add(asking, value, name, text, out);
    return OK;
}

/* Of the message's bytes, so that it stands in none of them but by malice that would have to know
 * a hash of itself. */
static void boundary_make(struct asking *asking)
{
    const struct provider_message *m = asking->message;
    snprintf(asking->boundary, sizeof asking->boundary, "dult-%016llx%016llx",
             (unsigned long long)hash_str(m->mime.len > 0 ? m->mime : m->text, 11),
             (unsigned long long)hash_str(m->mime.len > 0 ? m->mime : m->text, 12));
}

static enum err body_make(struct asking *asking, struct str *out)
{
    const struct provider       *provider = asking->provider;
    SCOPED(buf_donep) struct buf made = buf_make(BODY_BYTES_MAX);
    struct str                   text = STR("");
    bool                         first = true;
    switch (provider->body_kind) {
    case BODY_NONE:
        break;
    case BODY_RAW:
        TRY(leaf_text(asking, provider->body, &text));
        buf_str(&made, text);
        break;
    case BODY_JSON:
        TRY(json_node(asking, provider->body, &first, &made));
        break;
    case BODY_FORM:
    case BODY_MULTIPART:
        boundary_make(asking);
        for (const struct node *at = provider->body->first; at != NULL; at = at->next)
            TRY(form_values(asking, at, at->key, &made));
        if (provider->body_kind == BODY_MULTIPART)
            buf_format(&made, "--%s--\r\n", asking->boundary);
        break;
    }
    TRY(buf_err(&made));
    *out = str_copy(asking->arena, buf_view(&made));
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

/* ---- headers ---- */

struct lines {
    const char **items;
    uint32_t     count;
};

static enum err line_put(struct asking *asking, struct lines *lines, struct str name,
                         struct str value)
{
    struct str line =
        str_format(asking->arena, "%.*s: %.*s", STR_ARG(name), STR_ARG(str_trim(value)));
    if (line.ptr == NULL)
        return ERR_MEMORY;
    if (lines->count == FETCH_HEADERS_MAX - 1)
        return problem_set(asking->problem, ERR_INPUT, "provider", "there are too many headers",
                           "Leave some away.");
    lines->items[lines->count++] = line.ptr;
    return OK;
}

static enum err type_put(struct asking *asking, struct str body, struct lines *lines)
{
    const struct provider *provider = asking->provider;
    struct str             type = STR_NONE;
    if (body.len == 0)
        return OK;
    switch (provider->body_kind) {
    case BODY_NONE:
        return OK;
    case BODY_JSON:
        type = provider->body_type.len > 0 ? provider->body_type : STR("application/json");
        break;
    case BODY_FORM:
        type = STR("application/x-www-form-urlencoded");
        break;
    case BODY_MULTIPART:
        type = str_format(asking->arena, "multipart/form-data; boundary=%s", asking->boundary);
        break;
    case BODY_RAW:
        type = provider->body_type.len > 0 ? provider->body_type : STR("text/plain; charset=utf-8");
        break;
    }
    return line_put(asking, lines, STR("Content-Type"), type);
}

static enum err aws4_put(struct asking *asking, struct lines *lines,
                         const struct fetch_request *request)
{
    struct str           parts[5];
    struct sigv4_headers made;
    for (int i = 0; i < 5; i++)
        TRY(render(asking, asking->provider->auth_parts[i], &parts[i]));
    struct sigv4_keys    keys = { parts[0], parts[1], parts[2], parts[3], parts[4] };
    struct sigv4_request asked = { .method = str_of(request->method),
                                   .url = str_of(request->url),
                                   .headers = lines->items,
                                   .body = request->body,
                                   .at_ms = asking->now_ms };
    enum err             err = sigv4_sign(asking->arena, &keys, &asked, &made);
    if (err == ERR_INPUT)
        return problem_set(asking->problem, err, "provider", "the request cannot be signed",
                           "Look at its URL.");
    TRY(err);
    lines->items[lines->count++] = made.date.ptr;
    if (made.token.len > 0)
        lines->items[lines->count++] = made.token.ptr;
    lines->items[lines->count++] = made.authorization.ptr;
    return OK;
}

static enum err auth_put(struct asking *asking, struct lines *lines,
                         const struct fetch_request *request)
{
    const struct provider       *provider = asking->provider;
    SCOPED(buf_donep) struct buf made = buf_make(SMALL_BYTES_MAX);
    struct str                   first, second;
    if (provider->auth == AUTH_NONE)
        return OK;
    if (provider->auth == AUTH_AWS4)
        return aws4_put(asking, lines, request);
    TRY(render(asking, provider->auth_parts[0], &first));
    TRY(render(asking, provider->auth_parts[1], &second));
    if (provider->auth == AUTH_BEARER) {
        buf_format(&made, "Bearer %.*s", STR_ARG(first));
    } else {
        struct str pair = str_format(asking->arena, "%.*s:%.*s", STR_ARG(first), STR_ARG(second));
        buf_str(&made, STR("Basic "));
        base64_write(&made, pair);
    }
    TRY(buf_err(&made));
    return line_put(asking, lines, STR("Authorization"), buf_view(&made));
}

static enum err headers_put(struct asking *asking, struct str body, struct lines *lines)
{
    const struct provider *provider = asking->provider;
    struct str             value;
    TRY(type_put(asking, body, lines));
    for (uint32_t i = 0; i < provider->headers_count; i++) {
        TRY(render(asking, provider->headers[i].value, &value));
        if (value.len > 0)
            TRY(line_put(asking, lines, provider->headers[i].name, value));
    }
    if (provider->idempotency.value == NULL)
        return OK;
    TRY(render(asking, provider->idempotency.value, &value));
    return line_put(asking, lines, provider->idempotency.name, value);
}

/* ---- all of it ---- */

enum err provider_ask(const struct provider *provider, const struct json *settings,
                      const struct provider_message *message, int64_t now_ms, struct arena *arena,
                      struct fetch_request *out, struct problem *problem)
{
    struct asking asking = { .provider = provider,
                             .message = message,
                             .arena = arena,
                             .now_ms = now_ms,
                             .problem = problem };
    struct lines  lines = { .items = out->headers };
    struct str    url, method;
    TRY(data_make(&asking, settings));
    TRY(render(&asking, provider->url, &url));
    TRY(render(&asking, provider->method, &method));
    method = str_trim(method);
    out->method = method.len == 0 ? "POST" : str_copy(arena, method).ptr;
    out->url = str_copy(arena, str_trim(url)).ptr;
    out->repeatable = provider->idempotency.value != NULL;
    if (out->url == NULL || out->method == NULL)
        return ERR_MEMORY;
    if (out->url[0] == '\0')
        return problem_set(problem, ERR_INPUT, "provider", "the address to ask is empty",
                           "Look at its url.");
    TRY(body_make(&asking, &out->body));
    TRY(headers_put(&asking, out->body, &lines));
    return auth_put(&asking, &lines, out);
}
