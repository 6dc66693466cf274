#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/encode.h"
#include "base/json.h"
#include "server/http_inside.h"

enum {
    ANSWER_HEAD_BYTES_MAX = 256, /* status line and our own headers, without their long values */
    PROBLEM_BYTES_MAX = 8192,    /* three escaped texts */
};

/* The address sanitizer sees a request used after its answer only if its memory is really freed. */
#if defined(__SANITIZE_ADDRESS__)
#define BLOCKS_ARE_KEPT false
#else
#define BLOCKS_ARE_KEPT true
#endif

/* ---- memory ---- */

/*
 * A loop makes and frees all its requests itself, so it keeps their memory without a lock. Given
 * back to malloc, blocks of a batch's size are trimmed and faulted in again: two page faults and
 * 10 us a request were measured at 35 KB.
 */
static int block_class(size_t bytes)
{
    int    size_class = 0; /* BLOCK_CLASSES: too large to keep */
    size_t room = BLOCK_FIRST_BYTES;
    while (room < bytes && size_class < BLOCK_CLASSES) {
        room *= 2;
        size_class++;
    }
    return size_class;
}

static void *block_take(struct loop *loop, size_t bytes, int size_class)
{
    if (!BLOCKS_ARE_KEPT || size_class == BLOCK_CLASSES)
        return malloc(bytes);
    struct block *block = loop->blocks[size_class];
    if (block == NULL)
        return malloc((size_t)BLOCK_FIRST_BYTES << size_class);
    loop->blocks[size_class] = block->next;
    loop->blocks_kept[size_class]--;
    return block;
}

static void block_give(struct loop *loop, void *memory, int size_class)
{
    struct block *block = memory;
    if (!BLOCKS_ARE_KEPT || size_class == BLOCK_CLASSES ||
        loop->blocks_kept[size_class] >= (uint32_t)BLOCKS_KEPT_MAX >> size_class) {
        free(memory);
        return;
    }
    block->next = loop->blocks[size_class];
    loop->blocks[size_class] = block;
    loop->blocks_kept[size_class]++;
}

void request_blocks_done(struct loop *loop)
{
    for (int size_class = 0; size_class < BLOCK_CLASSES; size_class++) {
        while (loop->blocks[size_class] != NULL) {
            struct block *block = loop->blocks[size_class];
            loop->blocks[size_class] = block->next;
            free(block);
        }
    }
}

/* ---- life ---- */

static void find_peer(struct http_request *request, const struct connection *connection)
{
    request->is_local = connection->is_local;
    request->is_https = connection->ssl != NULL;
    if (!connection->is_trusted) {
        memcpy(request->peer, connection->peer_text, sizeof request->peer);
        return;
    }
    struct proxy_claims claims = {
        .forwarded_for = http_header(request, STR("x-forwarded-for")),
        .forwarded_proto = http_header(request, STR("x-forwarded-proto")),
        .forwarded = http_header(request, STR("forwarded")),
    };
    struct proxy_client client = proxy_client_of(connection->loop->server->conf.trust,
                                                 &connection->peer, request->is_https, &claims);
    request->is_https = client.is_https;
    proxy_address_write(&client.address, request->peer);
}

struct http_request *request_make(struct connection *connection, const struct gate_head *head,
                                  struct str bytes)
{
    int                  size_class = block_class(sizeof(struct http_request) + bytes.len);
    struct http_request *request =
        block_take(connection->loop, sizeof *request + bytes.len, size_class);
    if (request == NULL)
        return NULL;
    memset(request, 0, offsetof(struct http_request, head));
    request->block_class = size_class;
    memcpy(&request->head, head,
           offsetof(struct gate_head, fields) + head->fields_count * sizeof head->fields[0]);
    char *copy = (char *)(request + 1);
    memcpy(copy, bytes.ptr, bytes.len);
    request->loop = connection->loop;
    request->connection = connection;
    request->bytes = (struct str){ copy, head->bytes };
    request->body = (struct str){ copy + head->bytes, bytes.len - head->bytes };
    request->held_bytes = (int64_t)(sizeof *request + bytes.len);
    find_peer(request, connection);

    struct http_server *server = connection->loop->server;
    atomic_fetch_add_explicit(&server->held_bytes, request->held_bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&server->owed, 1, memory_order_relaxed);
    connection->loop->owed++;
    return request;
}

void request_free(struct http_request *request)
{
    struct http_server *server = request->loop->server;
    request->loop->owed--;
    atomic_fetch_sub_explicit(&server->owed, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&server->held_bytes, request->held_bytes, memory_order_relaxed);
    outbound_done(&request->out);
    if (request->spill.bytes == NULL)
        free(request->body_memory);
    atomic_fetch_sub_explicit(&server->spilled_bytes, (int64_t)request->spill.room,
                              memory_order_relaxed);
    spill_done(&request->spill);
    block_give(request->loop, request, request->block_class);
}

/* ---- what handlers see ---- */

enum gate_method http_method(const struct http_request *request)
{
    return request->head.method;
}

struct str http_path(const struct http_request *request)
{
    return gate_text(request->bytes, request->head.path);
}

struct str http_query(const struct http_request *request)
{
    return gate_text(request->bytes, request->head.query);
}

struct str http_header(const struct http_request *request, struct str name)
{
    return gate_field(&request->head, request->bytes, name);
}

struct str http_body(const struct http_request *request)
{
    return request->body;
}

struct str http_host(const struct http_request *request)
{
    return gate_text(request->bytes, request->head.host);
}

struct str http_peer(const struct http_request *request)
{
    return str_of(request->peer);
}

struct str http_scheme(const struct http_request *request)
{
    return request->is_https ? STR("https") : STR("http");
}

bool http_is_local(const struct http_request *request)
{
    return request->is_local;
}

bool http_is_left(const struct http_request *request)
{
    return atomic_load_explicit(&request->is_left, memory_order_relaxed);
}

void http_take_longer(struct http_request *request, int64_t longer_ms)
{
    atomic_store(&request->longer_ms, longer_ms);
}

void *http_note(struct http_request *request)
{
    return request->note;
}

bool http_query_get(const struct http_request *request, struct str name, struct buf *out)
{
    return query_get(http_query(request), name, out);
}

struct str http_cookie(const struct http_request *request, struct str name)
{
    struct str rest = http_header(request, STR("cookie")), pair;
    while (str_split(&rest, ';', &pair)) {
        size_t equal = str_find_char(pair, 0, '=');
        if (equal < pair.len && str_eq(str_trim(str_slice(pair, 0, equal)), name))
            return str_trim(str_slice(pair, equal + 1, pair.len));
    }
    return STR_NONE;
}

/* ---- answers ---- */

static const char *status_text(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 201:
        return "Created";
    case 202:
        return "Accepted";
    case 204:
        return "No Content";
    case 206:
        return "Partial Content";
    case 207:
        return "Multi-Status";
    case 301:
        return "Moved Permanently";
    case 302:
        return "Found";
    case 303:
        return "See Other";
    case 304:
        return "Not Modified";
    case 307:
        return "Temporary Redirect";
    case 308:
        return "Permanent Redirect";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 409:
        return "Conflict";
    case 410:
        return "Gone";
    case 412:
        return "Precondition Failed";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 415:
        return "Unsupported Media Type";
    case 416:
        return "Range Not Satisfiable";
    case 417:
        return "Expectation Failed";
    case 422:
        return "Unprocessable Content";
    case 429:
        return "Too Many Requests";
    case 431:
        return "Request Header Fields Too Large";
    case 500:
        return "Internal Server Error";
    case 501:
        return "Not Implemented";
    case 502:
        return "Bad Gateway";
    case 503:
        return "Service Unavailable";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Status";
    }
}

/* The Date line changes once a second; making it costs more than the rest of a head. */
static struct str date_line(void)
{
    static _Thread_local char   line[48];
    static _Thread_local size_t len;
    static _Thread_local time_t made;
    time_t                      now = time(NULL);
    if (now != made || len == 0) {
        struct tm parts;
        gmtime_r(&now, &parts);
        len = strftime(line, sizeof line, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
        made = now;
    }
    return (struct str){ line, len };
}

/* A value that came from a stranger must not end a line. */
static bool is_line(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((uint8_t)s.ptr[i] < 0x20 && s.ptr[i] != '\t')
            return false;
    return true;
}

static char *put(char *at, struct str s)
{
    if (s.len > 0)
        memcpy(at, s.ptr, s.len);
    return at + s.len;
}

static char *put_header(char *at, struct str name, struct str value)
{
    if (!is_line(name) || !is_line(value))
        return at;
    at = put(at, name);
    at = put(at, STR(": "));
    at = put(at, value);
    return put(at, STR("\r\n"));
}

static char *put_head(char *at, const struct http_answer *answer, const struct outbound *out,
                      bool has_length, bool is_1_0)
{
    char line[ANSWER_HEAD_BYTES_MAX];
    int  len = snprintf(line, sizeof line, "HTTP/1.1 %d %s\r\n", answer->status,
                        status_text(answer->status));
    at = put(at, (struct str){ line, (size_t)len });
    at = put(at, date_line());
    if (answer->type.len > 0)
        at = put_header(at, STR("Content-Type"), answer->type);
    if (has_length) {
        len = snprintf(line, sizeof line, "Content-Length: %zu\r\n", answer->body.len);
        at = put(at, (struct str){ line, (size_t)len });
    }
    if (out->is_last)
        at = put(at, STR("Connection: close\r\n"));
    else if (is_1_0)
        at = put(at, STR("Connection: keep-alive\r\n"));
    for (size_t i = 0; i < answer->headers_count; i++)
        at = put_header(at, answer->headers[i].name, answer->headers[i].value);
    return put(at, STR("\r\n"));
}

static size_t answer_bytes(const struct http_answer *answer, bool has_body)
{
    size_t bytes = ANSWER_HEAD_BYTES_MAX + answer->type.len;
    for (size_t i = 0; i < answer->headers_count; i++)
        bytes += answer->headers[i].name.len + answer->headers[i].value.len + 4;
    return bytes + (has_body && !answer->is_body_lasting ? answer->body.len : 0);
}

struct outbound outbound_make(const struct http_request *request, const struct http_answer *answer,
                              bool is_stopping)
{
    struct outbound out = { 0 };
    bool has_length = answer->status >= 200 && answer->status != 204 && answer->status != 304;
    bool has_body = has_length && (request == NULL || request->head.method != GATE_HEAD);
    bool is_1_0 = request != NULL &&
                  request->bytes.ptr[request->head.target.at + request->head.target.len + 8] == '0';
    out.is_last = answer->is_closing || is_stopping || request == NULL || request->is_early ||
                  !request->head.is_keep_alive;
    out.tail_done = answer->body_done;
    out.tail_context = answer->body_context;
    out.write_ms_max = answer->write_ms_max;
    out.memory = malloc(answer_bytes(answer, has_body));
    if (out.memory == NULL) {
        out.is_last = true;
        out.tail = STR("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
                       "Retry-After: 1\r\nConnection: close\r\n\r\n");
        return out;
    }
    char *at = put_head(out.memory, answer, &out, has_length, is_1_0);
    if (has_body && answer->is_body_lasting)
        out.tail = answer->body;
    else if (has_body)
        at = put(at, answer->body);
    out.len = (size_t)(at - out.memory);
    return out;
}

void outbound_done(struct outbound *out)
{
    free(out->memory);
    if (out->tail_done != NULL)
        out->tail_done(out->tail_context);
    *out = (struct outbound){ 0 };
}

static void answer_make(struct http_request *request, const struct http_answer *answer)
{
    bool was_answered = atomic_exchange(&request->is_answered, true);
    assert(!was_answered);
    (void)was_answered; /* a build without assertions reads it nowhere */
    assert(answer->status >= 200 && answer->status <= 599);
    bool is_stopping = atomic_load(&request->loop->server->phase) != SERVER_OPEN;
    request->out = outbound_make(request, answer, is_stopping);
    request->out_status = answer->status;
    request->out_not_before_ms = answer->not_before_ms;
}

/*
 * Once the last answer is in the mailbox the server may be closed and freed, while the thread that
 * posted it is still about to wake the loop. So http_close waits for those who are posting.
 */
static void posting_begin(struct http_server *server)
{
    atomic_fetch_add(&server->posting, 1);
}

static void posting_end(struct http_server *server)
{
    atomic_fetch_sub(&server->posting, 1);
}

void http_reply(struct http_request *request, const struct http_answer *answer)
{
    struct http_server *server = request->loop->server;
    posting_begin(server);
    answer_make(request, answer);
    http_loop_post(request->loop, request, request);
    posting_end(server);
}

void http_reply_json(struct http_request *request, int status, struct str json)
{
    struct http_answer answer = { .status = status, .type = STR("application/json"), .body = json };
    http_reply(request, &answer);
}

void http_problem_write(struct buf *out, const char *code, const struct problem *problem)
{
    buf_str(out, STR("{\"error\":{\"code\":"));
    json_write_str(out, str_of(code));
    buf_str(out, STR(",\"where\":"));
    json_write_str(out, str_of(problem->where));
    buf_str(out, STR(",\"what\":"));
    json_write_str(out, str_of(problem->what));
    buf_str(out, STR(",\"remedy\":"));
    json_write_str(out, str_of(problem->remedy));
    buf_str(out, STR("}}"));
}

void request_report(const struct http_server *server, const struct http_refusal *refusal)
{
    if (server->conf.refused != NULL)
        server->conf.refused(server->conf.refused_context, refusal);
}

void http_reply_problem(struct http_request *request, int status, const char *code,
                        const struct problem *problem, const struct http_header *headers,
                        size_t headers_count)
{
    SCOPED(buf_donep) struct buf json = buf_make(PROBLEM_BYTES_MAX);
    struct http_refusal          refusal = {
                 .peer = http_peer(request),
                 .method = gate_method_name(http_method(request)),
                 .path = http_path(request),
                 .status = status,
                 .what = str_of(problem->what),
                 .remedy = str_of(problem->remedy),
    };
    http_problem_write(&json, code, problem);
    COUNT(request->loop, refused, 1);
    request_report(request->loop->server, &refusal);
    struct http_answer answer = {
        .status = status,
        .type = STR("application/json"),
        .headers = headers,
        .headers_count = headers_count,
        .body = buf_err(&json) == OK ? buf_view(&json) : STR("{\"error\":{\"code\":\"limit\"}}"),
    };
    http_reply(request, &answer);
}

struct http_batch http_batch_make(struct http_server *server)
{
    return (struct http_batch){ .server = server };
}

void http_batch_add(struct http_batch *batch, struct http_request *request,
                    const struct http_answer *answer)
{
    int loop = request->loop->index;
    assert(request->loop->server == batch->server);
    answer_make(request, answer);
    /* Linked as the mailbox is: newest first. */
    request->next = batch->first[loop];
    batch->first[loop] = request;
    if (batch->last[loop] == NULL)
        batch->last[loop] = request;
}

void http_batch_send(struct http_batch *batch)
{
    struct http_server *server = batch->server;
    posting_begin(server);
    for (int i = 0; i < server->conf.loops; i++) {
        if (batch->first[i] != NULL)
            http_loop_post(&server->loops[i], batch->first[i], batch->last[i]);
        batch->first[i] = batch->last[i] = NULL;
    }
    posting_end(server);
}
