/*
 * A message that a program asks for: POST /api/v1/messages.
 *
 *      request --> checked, files decoded --> RECORD_SEND --> durable --> 202 with the message's id
 *      the same key again, the same request  --> 200 with the same id
 *      the same key, another request         --> 409
 *
 * What is compared is what was said, not its spelling: the parsed body, with every file's content.
 */
#include "run/api/api_inside.h"

#include <stdio.h>
#include <string.h>

#include "base/encode.h"
#include "base/hash.h"
#include "base/time.h"
#include "engine/send.h"
#include "message/address.h"
#include "message/attach.h"
#include "run/nearest.h"

enum {
    KEY_BYTES_MAX = 200,
    DATA_BYTES_MAX = 256 << 10, /* what a template needs; a table of a thousand lines fits */
    PRINT_BYTES = 2 * 16,
    BODY_BYTES_MAX = DATA_BYTES_MAX + (64 << 10),
    WRITTEN_BYTES_MAX = 16 << 20, /* the request as JSON again */
};

static const char *const FIELDS[] = { "template", "person",   "to",         "data",
                                      "key",      "reply_to", "attachments" };
enum { FIELDS_COUNT = sizeof FIELDS / sizeof FIELDS[0] };

struct asking {
    struct call *call;
    struct json  body;
    struct str template, person, to, key, reply_to;
    const struct json  *data; /* NULL: none */
    struct attach_file *files;
    uint32_t            files_count;
    char                print[PRINT_BYTES + 1]; /* of the request */
};

/* ---- reading ---- */

static enum err field_unknown(struct call *call, struct str key)
{
    struct nearest nearest = nearest_make(key);
    for (size_t i = 0; i < FIELDS_COUNT; i++)
        nearest_offer(&nearest, FIELDS[i]);
    char where[64];
    if (nearest.best == NULL)
        nearest.best = "template, person, to, data, key, reply_to or attachments";
    return problem_format(&call->problem, ERR_INPUT, str_to_cstr(key, where, sizeof where),
                          "Look at the description of POST /api/v1/messages.",
                          "A message has no such field; did you mean %s?", nearest.best);
}

static enum err fields_check(struct asking *asking)
{
    for (uint32_t i = 0; i < asking->body.count; i++) {
        struct str key = asking->body.members[i].key;
        bool       known = false;
        for (size_t k = 0; k < FIELDS_COUNT; k++)
            known = known || str_eq(key, str_of(FIELDS[k]));
        if (!known)
            return field_unknown(asking->call, key);
    }
    return OK;
}

static enum err text_read(struct asking *asking, const char *name, size_t bytes_max,
                          struct str *out)
{
    const struct json *value = json_get(&asking->body, str_of(name));
    *out = STR_NONE;
    if (value == NULL || value->kind == JSON_NULL)
        return OK;
    if (value->kind != JSON_STRING || value->string.len > bytes_max)
        return problem_format(&asking->call->problem, ERR_INPUT, name,
                              "Look at the description of POST /api/v1/messages.",
                              "This is no text of at most %zu bytes.", bytes_max);
    *out = value->string;
    return OK;
}

/* As a header, as a field, or as both if both say the same. */
static enum err key_read(struct asking *asking)
{
    struct call *call = asking->call;
    struct str   header = http_header(call->request, STR("Idempotency-Key"));
    TRY(text_read(asking, "key", KEY_BYTES_MAX, &asking->key));
    if (header.len > 0 && asking->key.len > 0 && !str_eq(header, asking->key))
        return problem_set(&call->problem, ERR_INPUT, "key",
                           "The header Idempotency-Key and the field `key` differ.",
                           "Give one of them.");
    if (header.len > 0)
        asking->key = header;
    for (size_t i = 0; i < asking->key.len; i++)
        if (asking->key.ptr[i] < ' ' || asking->key.ptr[i] > '~' || asking->key.len > KEY_BYTES_MAX)
            return problem_set(&call->problem, ERR_INPUT, "key",
                               "A key is at most 200 plain characters.",
                               "Use a UUID, or the number of the order it is about.");
    return OK;
}

static enum err data_read(struct asking *asking)
{
    struct call *call = asking->call;
    asking->data = json_get(&asking->body, STR("data"));
    if (asking->data == NULL)
        return OK;
    SCOPED(buf_donep) struct buf written = buf_make(DATA_BYTES_MAX);
    if (asking->data->kind != JSON_OBJECT)
        return problem_set(&call->problem, ERR_INPUT, "data", "This is not a JSON object.",
                           "Give what the template sees as `event`: {\"order\": {...}}.");
    json_write(&written, asking->data);
    if (buf_err(&written) == ERR_LIMIT)
        return problem_set(&call->problem, ERR_LIMIT, "data", "There is more than 256 KiB of it.",
                           "Give what the template shows, and a link to the rest.");
    return buf_err(&written);
}

static enum err texts_read(struct asking *asking)
{
    struct problem *problem = &asking->call->problem;
    TRY(text_read(asking, "template", 512, &asking->template));
    TRY(text_read(asking, "person", IDENTITY_BYTES_MAX, &asking->person));
    TRY(text_read(asking, "to", ADDRESS_BYTES_MAX, &asking->to));
    TRY(text_read(asking, "reply_to", ADDRESS_BYTES_MAX, &asking->reply_to));
    if (asking->template.len == 0)
        return problem_set(problem, ERR_INPUT, "template", "The message has no template.",
                           "Give the name of one; `dult show templates` lists them.");
    if (str_find_char(asking->to, 0, '@') < asking->to.len)
        TRY(address_check(asking->to, "to", problem));
    if (asking->reply_to.len > 0)
        TRY(address_check(asking->reply_to, "reply_to", problem));
    return data_read(asking);
}

/* ---- files ---- */

static enum err file_read(struct asking *asking, uint32_t number, const struct json *item,
                          size_t *left)
{
    struct call *call = asking->call;
    char         where[32];
    snprintf(where, sizeof where, "attachments[%u]", number);
    struct attach_file          *file = &asking->files[number];
    struct str                   content = json_get_str(item, STR("content"));
    SCOPED(buf_donep) struct buf bytes = buf_make(*left + 1);
    if (base64_read(&bytes, content) != OK)
        return buf_err(&bytes) == ERR_LIMIT
                   ? problem_set(&call->problem, ERR_LIMIT, where,
                                 "The files are larger than 7 MiB together.",
                                 "Send a link to what is large.")
                   : problem_set(&call->problem, ERR_INPUT, where, "The content is not base64.",
                                 "Give `content` in base64, in one line and with padding.");
    *file = (struct attach_file){ .name = json_get_str(item, STR("name")),
                                  .type = json_get_str(item, STR("type")),
                                  .content = str_copy(call->arena, buf_view(&bytes)) };
    TRY(buf_err(&bytes));
    if (file->content.len > *left)
        return problem_set(&call->problem, ERR_LIMIT, where,
                           "The files are larger than 7 MiB together.",
                           "Send a link to what is large.");
    *left -= file->content.len;
    return attach_check(file, where, &call->problem);
}

static enum err files_read(struct asking *asking)
{
    struct call       *call = asking->call;
    const struct json *list = json_get(&asking->body, STR("attachments"));
    size_t             left = ATTACH_BYTES_MAX;
    if (list == NULL)
        return OK;
    if (list->kind != JSON_ARRAY || list->count > ATTACH_FILES_MAX)
        return problem_set(&call->problem, ERR_INPUT, "attachments",
                           "This is no list of at most 10 files.",
                           "Give [{\"name\": .., \"type\": .., \"content\": base64}].");
    asking->files = ARENA_ARRAY(call->arena, list->count, struct attach_file);
    if (asking->files == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < list->count; i++)
        TRY(file_read(asking, i, &list->items[i], &left));
    asking->files_count = list->count;
    return OK;
}

/* ---- the record ---- */

/* The key is no part of it: it may have come as a header. */
static enum err print_make(struct asking *asking)
{
    SCOPED(buf_donep) struct buf text = buf_make(WRITTEN_BYTES_MAX);
    for (size_t i = 0; i < FIELDS_COUNT; i++) {
        const struct json *value = json_get(&asking->body, str_of(FIELDS[i]));
        if (value == NULL || strcmp(FIELDS[i], "key") == 0)
            continue;
        buf_format(&text, "%s=", FIELDS[i]);
        json_write(&text, value);
    }
    TRY(buf_err(&text));
    snprintf(asking->print, sizeof asking->print, "%016llx%016llx",
             (unsigned long long)hash_str(buf_view(&text), 1),
             (unsigned long long)hash_str(buf_view(&text), 2));
    return OK;
}

static void files_write(const struct asking *asking, struct buf *out, bool *first)
{
    if (asking->files_count == 0)
        return;
    json_write_key(out, first, "files");
    for (uint32_t i = 0; i < asking->files_count; i++) {
        bool                      inner = true;
        const struct attach_file *file = &asking->files[i];
        buf_str(out, i == 0 ? STR("[{") : STR(",{"));
        write_text(out, &inner, "name", file->name);
        write_text(out, &inner, "type", file->type);
        write_int(out, &inner, "bytes", (int64_t)file->content.len);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

/* What is stored of the request; the files' contents have rows of their own. */
static enum err body_write(const struct asking *asking, struct str *out)
{
    SCOPED(buf_donep) struct buf body = buf_make(BODY_BYTES_MAX);
    bool                         first = true, inner = true;
    buf_str(&body, STR("{"));
    json_write_key(&body, &first, "properties");
    buf_char(&body, '{');
    write_text(&body, &inner, "template", asking->template);
    write_text(&body, &inner, "to", asking->to);
    buf_char(&body, '}');
    if (asking->data != NULL) {
        json_write_key(&body, &first, "data");
        json_write(&body, asking->data);
    }
    write_text(&body, &first, "reply_to", asking->reply_to);
    write_text(&body, &first, "print", str_of(asking->print));
    files_write(asking, &body, &first);
    buf_char(&body, '}');
    TRY(buf_err(&body));
    *out = str_copy(asking->call->arena, buf_view(&body));
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

static const struct store_file *rows_of(const struct asking *asking)
{
    struct store_file *rows =
        ARENA_ARRAY(asking->call->arena, asking->files_count, struct store_file);
    for (uint32_t i = 0; rows != NULL && i < asking->files_count; i++)
        rows[i] = (struct store_file){ .number = i + 1,
                                       .name = asking->files[i].name,
                                       .type = asking->files[i].type,
                                       .content = asking->files[i].content };
    return rows;
}

static enum err send_submit(struct asking *asking, struct task *task)
{
    struct json_member members[2] = {
        { STR("template"), { .kind = JSON_STRING, .string = asking->template } },
        { STR("to"), { .kind = JSON_STRING, .string = asking->to } },
    };
    struct json  properties = { .kind = JSON_OBJECT,
                                .count = asking->to.len > 0 ? 2 : 1,
                                .members = members };
    int64_t      now_ms = time_now_ms();
    struct entry entry = { .record = { .kind = RECORD_SEND,
                                       .name = EVENT_MESSAGE_REQUESTED,
                                       .body = asking->template,
                                       .user_id = asking->person,
                                       .at_ms = now_ms,
                                       .received_ms = now_ms,
                                       .properties = &properties },
                           .message_id = asking->key,
                           .files = rows_of(asking),
                           .files_count = asking->files_count };
    if (entry.files_count > 0 && entry.files == NULL)
        return ERR_MEMORY;
    TRY(body_write(asking, &entry.body));
    return call_submit(asking->call, &entry, 1, task);
}

/* ---- the answer ---- */

/* The intent among the decisions of a record: ids and records ascend together. */
struct intent_search {
    uint64_t seq, first_seq, first_id, found;
};

static enum err first_each(void *ctx, const struct store_decision *row)
{
    struct intent_search *search = ctx;
    search->first_id = row->id;
    search->first_seq = row->seq;
    return ERR_LIMIT;
}

static enum err intent_each(void *ctx, const struct store_decision *row)
{
    struct intent_search *search = ctx;
    if (row->seq > search->seq)
        return ERR_LIMIT;
    if (row->kind == STORE_DECISION_MESSAGE_QUEUED && row->object == 0)
        search->found = row->id;
    return OK;
}

static enum err intent_find(struct call *call, uint64_t seq, uint64_t *message)
{
    struct store_last    last;
    struct intent_search search = { .seq = seq };
    TRY(store_last(core_store(call->api->conf.core), &last));
    uint64_t low = 1, high = last.decision + 1;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        search.first_seq = search.first_id = UINT64_MAX;
        enum err err =
            store_decisions_read(call->desk->reader, middle, last.decision, first_each, &search);
        if (err != OK && err != ERR_LIMIT)
            return err;
        if (search.first_seq < seq)
            low = search.first_id + 1;
        else
            high = middle;
    }
    enum err err =
        store_decisions_read(call->desk->reader, low, last.decision, intent_each, &search);
    if (err != OK && err != ERR_LIMIT)
        return err;
    *message = search.found;
    return search.found == 0 ? ERR_ABSENT : OK;
}

static enum err repeated_check(struct asking *asking, uint64_t seq)
{
    struct call       *call = asking->call;
    struct store_event row;
    struct json        body;
    enum err           err = store_event_get(call->desk->reader, call->arena, seq, &row);
    if (err == ERR_ABSENT)
        return problem_set(&call->problem, ERR_CONFLICT, "key",
                           "This key was used for somebody who was erased since.",
                           "Nothing was sent now. Use a new key if it is to be sent.");
    TRY(err);
    TRY(json_parse(call->desk->parser, call->arena, row.body, &body, NULL));
    if (str_eq(json_get_str(&body, STR("print")), str_of(asking->print)) &&
        str_eq(row.user_id, asking->person))
        return OK;
    return problem_set(&call->problem, ERR_CONFLICT, "key",
                       "This key was used for another message; nothing was sent now.",
                       "Send the very same again, or use a new key for a new message.");
}

static void answer_write(struct call *call, uint64_t message, bool repeated)
{
    bool first = true;
    char path[64];
    snprintf(path, sizeof path, "/api/v1/messages/%llu", (unsigned long long)message);
    buf_char(&call->out, '{');
    write_int(&call->out, &first, "id", (int64_t)message);
    write_text(&call->out, &first, "status", str_of(path));
    json_write_key(&call->out, &first, "repeated");
    buf_str(&call->out, repeated ? STR("true") : STR("false"));
    buf_char(&call->out, '}');
    call->status = repeated ? 200 : 202;
}

enum err message_post(struct call *call)
{
    struct asking asking = { .call = call };
    struct task   task;
    TRY(call_body(call, &asking.body));
    TRY(fields_check(&asking));
    TRY(key_read(&asking));
    TRY(texts_read(&asking));
    TRY(files_read(&asking));
    TRY(print_make(&asking));
    TRY(send_submit(&asking, &task));
    uint64_t message = task.message;
    if (task.duplicates > 0) {
        TRY(repeated_check(&asking, task.seq));
        TRY(intent_find(call, task.seq, &message));
    }
    answer_write(call, message, task.duplicates > 0);
    return OK;
}
