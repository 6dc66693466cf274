#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "server/http_inside.h"

enum {
    IN_FIRST_BYTES = 4096,
    TLS_ROUNDS_MAX = 64, /* records read in a row before others have their turn */
};

static bool body_reserve(struct connection *connection, struct http_request *request, size_t room)
{
    struct http_server *server = connection->loop->server;
    int64_t             more = (int64_t)(room - request->body_room);
    if (atomic_fetch_add(&server->held_bytes, more) + more > server->conf.held_bytes_max) {
        atomic_fetch_sub(&server->held_bytes, more);
        return false;
    }
    char *grown = realloc(request->body_memory, room);
    if (grown == NULL) {
        atomic_fetch_sub(&server->held_bytes, more);
        return false;
    }
    request->held_bytes += more;
    request->body_memory = grown;
    request->body_room = room;
    request->body.ptr = grown;
    return true;
}

/* ---- large ones, on disk ---- */

/* What came so far goes from memory into the file. */
static enum err spill_begin(struct http_server *server, struct http_request *request, size_t room)
{
    TRY(spill_open(&request->spill, server->spill_dir, room));
    if (request->body.len > 0)
        memcpy(request->spill.bytes, request->body_memory, request->body.len);
    free(request->body_memory);
    atomic_fetch_sub(&server->held_bytes, (int64_t)request->body_room);
    request->held_bytes -= (int64_t)request->body_room;
    return OK;
}

static bool body_spill(struct connection *connection, struct http_request *request, size_t room)
{
    struct http_server *server = connection->loop->server;
    bool                is_open = request->spill.bytes != NULL;
    int64_t             more = (int64_t)(room - request->spill.room);
    enum err            err = ERR_LIMIT;
    if (atomic_fetch_add(&server->spilled_bytes, more) + more <= HTTP_SPILLED_BYTES_MAX)
        err = is_open ? spill_grow(&request->spill, room) : spill_begin(server, request, room);
    if (err != OK) {
        atomic_fetch_sub(&server->spilled_bytes, more);
        return false;
    }
    request->body_memory = request->spill.bytes;
    request->body_room = room;
    request->body.ptr = request->spill.bytes;
    return true;
}

/* Room for `bytes` more of the body, growing by doubling up to `most` in all. */
static bool body_room(struct connection *connection, size_t bytes, size_t most)
{
    struct http_request *request = connection->request;
    size_t               room = request->body_room;
    if (room - request->body.len >= bytes)
        return true;
    room = room * 2 > BODY_FIRST_BYTES ? room * 2 : BODY_FIRST_BYTES;
    if (room < request->body.len + bytes)
        room = request->body.len + bytes;
    if (room > most)
        room = most;
    assert(room >= request->body.len + bytes);
    bool is_large = room > SPILL_BYTES && connection->loop->server->spill_dir[0] != '\0';
    if (is_large && body_spill(connection, request, room))
        return true;
    if (request->spill.bytes == NULL && body_reserve(connection, request, room))
        return true; /* also where there is no room on disk */
    connection_turn_away(connection, 503, "wait", "too many bytes are being held for others",
                         "send it again in a few seconds");
    return false;
}

static void body_added(struct http_request *request, size_t bytes)
{
    request->body.len += bytes;
    if (request->spill.bytes != NULL)
        spill_leave(&request->spill, request->body.len);
}

static bool body_add(struct connection *connection, struct str data, size_t most)
{
    struct http_request *request = connection->request;
    if (data.len == 0)
        return true;
    if (!body_room(connection, data.len, most))
        return false;
    memcpy(request->body_memory + request->body.len, data.ptr, data.len);
    body_added(request, data.len);
    return true;
}

static void hand_over(struct connection *connection)
{
    struct http_request *request = connection->request;
    struct http_conf    *conf = &connection->loop->server->conf;
    free(connection->chunk);
    connection->chunk = NULL;
    request->is_early = false;
    connection->state = CONNECTION_OWED;
    connection->deadline_ms = connection->loop->now_ms + conf->answer_ms_max;
    conf->handle(conf->context, request);
}

static void too_large(struct connection *connection)
{
    connection_turn_away(connection, 413, "limit", "the request's body is too large",
                         "send it in smaller pieces");
}

static void take_chunks(struct connection *connection, struct str *view)
{
    struct gate_refusal why;
    struct str          data;
    size_t              most = connection->body_bytes_max;

    while (connection->state == CONNECTION_BODY) {
        enum gate_verdict verdict = gate_chunk_read(connection->chunk, view, &data, &why);
        if (verdict == GATE_REFUSE) {
            connection_turn_away(connection, why.status, "input", why.what, why.remedy);
        } else if (data.len > most - connection->request->body.len) {
            too_large(connection);
        } else if (!body_add(connection, data, most)) {
            return;
        } else if (verdict == GATE_PASS) {
            hand_over(connection);
        } else if (view->len == 0) {
            return;
        }
    }
}

static void take_body(struct connection *connection, struct str *view)
{
    struct http_request *request = connection->request;
    if (request->head.is_chunked) {
        take_chunks(connection, view);
        return;
    }
    size_t     whole = (size_t)request->head.body_bytes;
    struct str data = str_slice(*view, 0, whole - request->body.len);
    *view = str_slice(*view, data.len, view->len);
    if (body_add(connection, data, whole) && request->body.len == whole)
        hand_over(connection);
}

static void say_continue(struct connection *connection)
{
    /* Twenty-five bytes into an empty socket: if they do not fit, the client sends anyway. */
    (void)!link_write(connection, STR("HTTP/1.1 100 Continue\r\n\r\n"), STR_NONE);
}

static void begin_body(struct connection *connection, struct str rest)
{
    struct http_request *request = connection->request;
    connection->state = CONNECTION_BODY;
    if (request->head.is_chunked) {
        connection->chunk = calloc(1, sizeof *connection->chunk);
        if (connection->chunk == NULL) {
            connection_turn_away(connection, 503, "wait", "memory is short", "send it again later");
            return;
        }
    } else {
        connection->deadline_ms += (int64_t)(request->head.body_bytes / BYTES_PER_MS_MIN);
    }
    if (request->head.wants_continue && rest.len == 0)
        say_continue(connection);
}

/* The request's head is known: may it come in, and how large may its body be? */
static void admit(struct connection *connection, bool is_whole, struct str rest)
{
    struct http_request *request = connection->request;
    struct http_conf    *conf = &connection->loop->server->conf;
    int64_t              most = HTTP_BODY_BYTES_MAX;

    connection->state = CONNECTION_OWED;
    if (conf->admit != NULL)
        most = conf->admit(conf->context, request);
    if (most < 0) {
        assert(atomic_load(&request->is_answered));
        return;
    }
    connection->body_bytes_max = (size_t)most;
    if (request->head.body_bytes > (uint64_t)most)
        too_large(connection);
    else if (is_whole)
        hand_over(connection);
    else
        begin_body(connection, rest);
}

static void take_head(struct connection *connection, struct str *view)
{
    struct gate_head    head;
    struct gate_refusal why;
    struct http_server *server = connection->loop->server;

    switch (gate_read(*view, connection->in_seen, &head, &why)) {
    case GATE_MORE:
        connection->in_seen = view->len;
        return;
    case GATE_REFUSE:
        connection_turn_away(connection, why.status, "input", why.what, why.remedy);
        return;
    case GATE_PASS:
        break;
    }
    connection->in_seen = 0;
    size_t after = view->len - head.bytes;
    bool   is_whole = !head.is_chunked && head.body_bytes <= after;
    size_t used = head.bytes + (is_whole ? (size_t)head.body_bytes : 0);
    bool   is_full = atomic_load_explicit(&server->held_bytes, memory_order_relaxed) >
                   server->conf.held_bytes_max;
    struct http_request *request =
        is_full ? NULL : request_make(connection, &head, str_slice(*view, 0, used));
    if (request == NULL) {
        connection_turn_away(connection, 503, "wait", "too many bytes are being held for others",
                             "send it again in a few seconds");
        return;
    }
    *view = str_slice(*view, used, view->len);
    connection->request = request;
    request->is_early = !is_whole;
    admit(connection, is_whole, *view);
}

/* Uses up what it can from the front of *view. */
static void take(struct connection *connection, struct str *view)
{
    while (view->len > 0) {
        size_t before = view->len;
        if (connection->state == CONNECTION_HEAD)
            take_head(connection, view);
        else if (connection->state == CONNECTION_BODY)
            take_body(connection, view);
        else
            return;
        if (view->len == before)
            return;
    }
}

static bool in_reserve(struct connection *connection, size_t bytes)
{
    if (connection->in_room - connection->in_len >= bytes)
        return true;
    size_t room =
        connection->in_room * 2 > IN_FIRST_BYTES ? connection->in_room * 2 : IN_FIRST_BYTES;
    if (room < connection->in_len + bytes)
        room = connection->in_len + bytes;
    char *grown = realloc(connection->in, room);
    if (grown == NULL)
        return false;
    connection->in = grown;
    connection->in_room = room;
    return true;
}

void connection_forget(struct connection *connection)
{
    free(connection->in);
    connection->in = NULL;
    connection->in_len = connection->in_room = 0;
}

static bool wants_more(const struct connection *connection)
{
    return connection->state != CONNECTION_DEAD && connection->state != CONNECTION_LINGER;
}

/* Takes from the connection's own bytes and keeps the rest. */
void connection_take(struct connection *connection)
{
    struct str view = { connection->in, connection->in_len };
    take(connection, &view);
    if (connection->state == CONNECTION_DEAD)
        return;
    if (view.len == 0 || !wants_more(connection)) {
        connection_forget(connection);
        return;
    }
    memmove(connection->in, view.ptr, view.len);
    connection->in_len = view.len;
}

static void take_scratch(struct connection *connection, size_t len)
{
    struct str view = { connection->loop->scratch, len };
    take(connection, &view);
    if (view.len == 0 || !wants_more(connection))
        return;
    if (!in_reserve(connection, view.len)) {
        connection_close(connection);
        return;
    }
    memcpy(connection->in, view.ptr, view.len);
    connection->in_len = view.len;
}

/* What a read went into. */
struct span {
    char  *ptr;
    size_t room;
    enum { INTO_SCRATCH, INTO_OWN, INTO_BODY } into;
};

static bool span_of(struct connection *connection, struct span *out)
{
    struct http_request *request = connection->request;
    if (connection->state == CONNECTION_BODY && connection->chunk == NULL) {
        size_t whole = (size_t)request->head.body_bytes;
        if (!body_room(connection, 1, whole))
            return false;
        *out = (struct span){ request->body_memory + request->body.len,
                              request->body_room - request->body.len, INTO_BODY };
        return true;
    }
    bool is_ahead = connection->state == CONNECTION_OWED || connection->state == CONNECTION_WRITING;
    if (connection->in_len > 0 || is_ahead) {
        if (!in_reserve(connection, IN_FIRST_BYTES / 2)) {
            connection_close(connection);
            return false;
        }
        *out = (struct span){ connection->in + connection->in_len,
                              connection->in_room - connection->in_len, INTO_OWN };
        return true;
    }
    *out = (struct span){ connection->loop->scratch, SCRATCH_BYTES, INTO_SCRATCH };
    return true;
}

static void took(struct connection *connection, const struct span *span, size_t got)
{
    struct http_request *request = connection->request;
    COUNT(connection->loop, bytes_in, got);
    if (connection->state == CONNECTION_HEAD && connection->in_len == 0)
        connection->deadline_ms =
            connection->loop->now_ms + connection->loop->server->conf.request_ms_max;
    switch (span->into) {
    case INTO_SCRATCH:
        if (connection->state != CONNECTION_LINGER)
            take_scratch(connection, got);
        break;
    case INTO_OWN:
        connection->in_len += got;
        connection_take(connection);
        break;
    case INTO_BODY:
        body_added(request, got);
        if (request->body.len == request->head.body_bytes)
            hand_over(connection);
        break;
    }
}

static void read_ended(struct connection *connection)
{
    connection->has_ended = true;
    connection_want_read(connection, false);
    if (connection->request != NULL)
        atomic_store_explicit(&connection->request->is_left, true, memory_order_relaxed);
    /* Half closed: a client who said all it has to say still gets its answers. */
    if (connection->state != CONNECTION_OWED && connection->state != CONNECTION_WRITING)
        connection_close(connection);
}

void connection_read(struct connection *connection)
{
    for (int round = 0; round < TLS_ROUNDS_MAX && connection->is_reading; round++) {
        struct span span;
        if (!span_of(connection, &span))
            return;
        ssize_t got = link_read(connection, span.ptr, span.room);
        if (got == LINK_WAIT)
            return;
        if (got == LINK_BROKEN) {
            connection_close(connection);
            return;
        }
        if (got == LINK_ENDED) {
            read_ended(connection);
            return;
        }
        took(connection, &span, (size_t)got);
        if (connection->state == CONNECTION_DEAD)
            return;
        if (connection->in_len >= PIPELINE_BYTES_MAX && connection->state != CONNECTION_HEAD)
            connection_want_read(connection, false);
        /* A short read has emptied a plain socket; TLS may hold a record back, so it asks on. */
        if (connection->ssl == NULL && (size_t)got < span.room)
            return;
    }
}
