#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/time.h"
#include "server/http_inside.h"

enum {
    IN_FIRST_BYTES = 4096,
    TLS_ROUNDS_MAX = 64,              /* records read in a row before others have their turn */
    BYTES_PER_MS_MIN = 64,            /* long bodies and answers earn time at this rate */
    TURNED_AWAY_BYTES_MAX = 4096,
    NO_SLOT = ADDRESS_SLOTS,
};

enum { LINK_ENDED = 0, LINK_WAIT = -1, LINK_BROKEN = -2 };

static void connection_flush(struct connection *connection);
static void on_ready(evutil_socket_t fd, short what, void *context);

/* ---- the link: bytes, with or without TLS ---- */

static ssize_t link_result(struct connection *connection, int got)
{
    switch (SSL_get_error(connection->ssl, got)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return LINK_WAIT;
    case SSL_ERROR_ZERO_RETURN: return LINK_ENDED;
    default: ERR_clear_error(); return LINK_BROKEN;
    }
}

static ssize_t link_read(struct connection *connection, char *to, size_t room)
{
    if (connection->ssl != NULL) {
        ERR_clear_error();
        int got = SSL_read(connection->ssl, to, room > INT32_MAX ? INT32_MAX : (int)room);
        return got > 0 ? got : link_result(connection, got);
    }
    ssize_t got = recv(connection->fd, to, room, 0);
    if (got >= 0)
        return got;
    return errno == EAGAIN || errno == EINTR ? LINK_WAIT : LINK_BROKEN;
}

static ssize_t link_write(struct connection *connection, struct str a, struct str b)
{
    if (connection->ssl != NULL) {
        struct str first = a.len > 0 ? a : b;
        ERR_clear_error();
        int sent = SSL_write(connection->ssl, first.ptr,
                             first.len > INT32_MAX ? INT32_MAX : (int)first.len);
        return sent > 0 ? sent : link_result(connection, sent);
    }
    struct iovec  parts[2] = { { (void *)(uintptr_t)a.ptr, a.len },
                               { (void *)(uintptr_t)b.ptr, b.len } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = b.len > 0 ? 2 : 1 };
    ssize_t       sent = sendmsg(connection->fd, &message, MSG_NOSIGNAL);
    if (sent >= 0)
        return sent;
    return errno == EAGAIN || errno == EINTR ? LINK_WAIT : LINK_BROKEN;
}

static void want_read(struct connection *connection, bool wanted)
{
    if (connection->is_reading == wanted)
        return;
    connection->is_reading = wanted;
    if (wanted)
        event_add(connection->readable, NULL);
    else
        event_del(connection->readable);
}

static void want_write(struct connection *connection, bool wanted)
{
    if (connection->is_waiting_to_write == wanted)
        return;
    if (connection->writable == NULL)
        connection->writable = event_new(connection->loop->base, connection->fd,
                                         EV_WRITE | EV_PERSIST, on_ready, connection);
    if (connection->writable == NULL)
        return; /* the deadline will end it */
    connection->is_waiting_to_write = wanted;
    if (wanted)
        event_add(connection->writable, NULL);
    else
        event_del(connection->writable);
}

/* ---- life ---- */

static uint32_t slot_of(const struct http_server *server, const struct proxy_address *peer)
{
    /* One IPv6 customer holds a /64; an IPv4 address is the last four bytes. */
    bool       is_v4 = peer->bytes[10] == 0xff && peer->bytes[11] == 0xff && peer->bytes[0] == 0;
    struct str key = { (const char *)peer->bytes, is_v4 ? 16 : 8 };
    return (uint32_t)hash_str(key, server->address_seed) & (ADDRESS_SLOTS - 1);
}

/* Counts the connection, or says that a bound is reached. */
static bool bounds_take(struct http_server *server, uint32_t slot)
{
    if (atomic_fetch_add(&server->connections, 1) >= server->conf.connections_max) {
        atomic_fetch_sub(&server->connections, 1);
        return false;
    }
    if (slot == NO_SLOT)
        return true;
    if (atomic_fetch_add(&server->address_counts[slot], 1) <
        server->conf.address_connections_max)
        return true;
    atomic_fetch_sub(&server->address_counts[slot], 1);
    atomic_fetch_sub(&server->connections, 1);
    return false;
}

static void bounds_give(struct http_server *server, uint32_t slot)
{
    atomic_fetch_sub(&server->connections, 1);
    if (slot != NO_SLOT)
        atomic_fetch_sub(&server->address_counts[slot], 1);
}

static SSL *tls_open(struct http_server *server, int fd)
{
    pthread_mutex_lock(&server->tls_lock);
    SSL *ssl = SSL_new(server->tls);
    pthread_mutex_unlock(&server->tls_lock);
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        return NULL;
    }
    SSL_set_accept_state(ssl);
    return ssl;
}

static struct connection *connection_make(struct loop *loop, int fd,
                                          const struct proxy_address *peer, bool is_local)
{
    struct http_server *server = loop->server;
    struct connection  *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        return NULL;
    connection->loop = loop;
    connection->fd = fd;
    connection->peer = *peer;
    connection->is_local = is_local;
    connection->is_trusted = !is_local && proxy_trust_has(server->conf.trust, peer);
    if (is_local)
        str_to_cstr(STR("local"), connection->peer_text, sizeof connection->peer_text);
    else
        proxy_address_write(peer, connection->peer_text);
    if (server->tls != NULL && !is_local)
        connection->ssl = tls_open(server, fd);
    connection->readable =
        event_new(loop->base, fd, EV_READ | EV_PERSIST, on_ready, connection);
    if (connection->readable == NULL || (server->certificate_path != NULL && !is_local &&
                                         connection->ssl == NULL)) {
        if (connection->readable != NULL)
            event_free(connection->readable);
        SSL_free(connection->ssl);
        free(connection);
        return NULL;
    }
    return connection;
}

void connection_open(struct loop *loop, int fd, const struct proxy_address *peer, bool is_local)
{
    struct http_server *server = loop->server;
    bool     is_bounded = !is_local && !proxy_trust_has(server->conf.trust, peer);
    uint32_t slot = is_bounded ? slot_of(server, peer) : NO_SLOT;

    if (!bounds_take(server, slot)) {
        COUNT(loop, turned_away, 1);
        close(fd);
        return;
    }
    struct connection *connection = connection_make(loop, fd, peer, is_local);
    if (connection == NULL) {
        bounds_give(server, slot);
        close(fd);
        return;
    }
    COUNT(loop, accepted, 1);
    connection->address_slot = slot;
    connection->deadline_ms = loop->now_ms + (server->conf.request_ms_max < server->conf.idle_ms_max
                                                  ? server->conf.request_ms_max
                                                  : server->conf.idle_ms_max);
    connection->next = loop->connections;
    if (loop->connections != NULL)
        loop->connections->previous = connection;
    loop->connections = connection;
    want_read(connection, true);
}

/* The request a closing connection leaves: a handler's lives on, one half read does not. */
static void leave_request(struct connection *connection)
{
    struct http_request *request = connection->request;
    connection->request = NULL;
    if (request == NULL)
        return;
    request->connection = NULL;
    if (connection->state == CONNECTION_BODY)
        request_free(request);
}

void connection_close(struct connection *connection)
{
    struct loop *loop = connection->loop;
    if (connection->state == CONNECTION_DEAD)
        return;
    leave_request(connection);
    connection->state = CONNECTION_DEAD;
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        loop->connections = connection->next;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    event_free(connection->readable);
    if (connection->writable != NULL)
        event_free(connection->writable);
    SSL_free(connection->ssl);
    close(connection->fd);
    free(connection->in);
    free(connection->chunk);
    outbound_done(&connection->out);
    bounds_give(loop->server, connection->address_slot);
    /* Somebody further up the stack may still hold it: buried when the callback ends. */
    connection->next = loop->dead;
    loop->dead = connection;
}

/* ---- turning away ---- */

/* Nothing that could be read as a request: the answer is made without one. */
static void turn_away_raw(struct connection *connection, int status, const char *code,
                          const struct problem *problem)
{
    SCOPED(buf_donep) struct buf json = buf_make(TURNED_AWAY_BYTES_MAX);
    struct http_refusal          refusal = { .peer = str_of(connection->peer_text),
                                             .status = status,
                                             .what = str_of(problem->what),
                                             .remedy = str_of(problem->remedy) };
    http_problem_write(&json, code, problem);
    COUNT(connection->loop, refused, 1);
    COUNT(connection->loop, status[status / 100], 1);
    request_report(connection->loop->server, &refusal);
    struct http_answer answer = { .status = status,
                                  .type = STR("application/json"),
                                  .body = buf_view(&json) };
    outbound_done(&connection->out);
    connection->out = outbound_make(NULL, &answer, false);
    connection->state = CONNECTION_WRITING;
    connection->deadline_ms = connection->loop->now_ms + connection->loop->server->conf.write_ms_max;
    connection_flush(connection);
}

static void turn_away(struct connection *connection, int status, const char *code, const char *what,
                      const char *remedy)
{
    struct problem problem = { 0 };
    (void)!problem_set(&problem, ERR_INPUT, "request", what, remedy);
    if (connection->request == NULL) {
        turn_away_raw(connection, status, code, &problem);
        return;
    }
    connection->state = CONNECTION_OWED;
    connection->request->is_early = true;
    http_reply_problem(connection->request, status, code, &problem, NULL, 0);
}

/* ---- reading ---- */

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
    if (body_reserve(connection, request, room))
        return true;
    turn_away(connection, 503, "wait", "too many bytes are being held for others",
              "send it again in a few seconds");
    return false;
}

static bool body_add(struct connection *connection, struct str data, size_t most)
{
    struct http_request *request = connection->request;
    if (data.len == 0)
        return true;
    if (!body_room(connection, data.len, most))
        return false;
    memcpy(request->body_memory + request->body.len, data.ptr, data.len);
    request->body.len += data.len;
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
    turn_away(connection, 413, "limit", "the request's body is too large",
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
            turn_away(connection, why.status, "input", why.what, why.remedy);
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
            turn_away(connection, 503, "wait", "memory is short", "send it again later");
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
        turn_away(connection, why.status, "input", why.what, why.remedy);
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
        turn_away(connection, 503, "wait", "too many bytes are being held for others",
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
    size_t room = connection->in_room * 2 > IN_FIRST_BYTES ? connection->in_room * 2
                                                           : IN_FIRST_BYTES;
    if (room < connection->in_len + bytes)
        room = connection->in_len + bytes;
    char *grown = realloc(connection->in, room);
    if (grown == NULL)
        return false;
    connection->in = grown;
    connection->in_room = room;
    return true;
}

static void in_forget(struct connection *connection)
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
static void take_own(struct connection *connection)
{
    struct str view = { connection->in, connection->in_len };
    take(connection, &view);
    if (connection->state == CONNECTION_DEAD)
        return;
    if (view.len == 0 || !wants_more(connection)) {
        in_forget(connection);
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
        take_own(connection);
        break;
    case INTO_BODY:
        request->body.len += got;
        if (request->body.len == request->head.body_bytes)
            hand_over(connection);
        break;
    }
}

static void read_ended(struct connection *connection)
{
    connection->has_ended = true;
    want_read(connection, false);
    /* Half closed: a client who said all it has to say still gets its answers. */
    if (connection->state != CONNECTION_OWED && connection->state != CONNECTION_WRITING)
        connection_close(connection);
}

static void connection_read(struct connection *connection)
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
            want_read(connection, false);
        /* A short read has emptied a plain socket; TLS may hold a record back, so it asks on. */
        if (connection->ssl == NULL && (size_t)got < span.room)
            return;
    }
}

/* ---- writing ---- */

/* The last answer is out. Until the client has read it, our closing must not reset the line. */
static void linger(struct connection *connection)
{
    if (connection->has_ended) {
        connection_close(connection);
        return;
    }
    in_forget(connection);
    if (connection->ssl != NULL)
        SSL_shutdown(connection->ssl);
    shutdown(connection->fd, SHUT_WR);
    connection->state = CONNECTION_LINGER;
    connection->deadline_ms = connection->loop->now_ms + HTTP_LINGER_MS_MAX;
    want_read(connection, true);
}

static void written(struct connection *connection)
{
    bool is_last = connection->out.is_last;
    outbound_done(&connection->out);
    want_write(connection, false);
    if (is_last) {
        linger(connection);
        return;
    }
    connection->state = CONNECTION_HEAD;
    connection->deadline_ms = connection->loop->now_ms + connection->loop->server->conf.idle_ms_max;
    if (connection->in_len > 0) {
        connection->deadline_ms =
            connection->loop->now_ms + connection->loop->server->conf.request_ms_max;
        take_own(connection);
    }
    if (connection->state == CONNECTION_DEAD)
        return;
    if (!connection->has_ended)
        want_read(connection, connection->in_len < PIPELINE_BYTES_MAX ||
                                  connection->state == CONNECTION_HEAD);
    else if (connection->state == CONNECTION_HEAD || connection->state == CONNECTION_BODY)
        connection_close(connection);
}

static void connection_flush(struct connection *connection)
{
    struct outbound *out = &connection->out;
    while (out->sent < out->len + out->tail.len) {
        size_t     past = out->sent > out->len ? out->sent - out->len : 0;
        struct str head = { out->memory + (out->sent < out->len ? out->sent : out->len),
                            out->sent < out->len ? out->len - out->sent : 0 };
        ssize_t    sent = link_write(connection, head, str_slice(out->tail, past, out->tail.len));
        if (sent == LINK_WAIT) {
            want_write(connection, true);
            return;
        }
        if (sent <= 0) {
            connection_close(connection);
            return;
        }
        COUNT(connection->loop, bytes_out, sent);
        out->sent += (size_t)sent;
    }
    written(connection);
}

void connection_answer(struct http_request *request)
{
    struct connection *connection = request->connection;
    struct loop       *loop = request->loop;

    COUNT(loop, requests, 1);
    COUNT(loop, status[request->out_status / 100], 1);
    if (connection == NULL) {
        COUNT(loop, dropped, 1);
        request_free(request);
        return;
    }
    assert(connection->request == request);
    connection->request = NULL;
    free(connection->chunk);
    connection->chunk = NULL;
    connection->out = request->out;
    request->out = (struct outbound){ 0 };
    request_free(request);
    connection->state = CONNECTION_WRITING;
    connection->deadline_ms =
        loop->now_ms + loop->server->conf.write_ms_max +
        (int64_t)((connection->out.len + connection->out.tail.len) / BYTES_PER_MS_MIN);
    connection_flush(connection);
}

/* ---- events ---- */

static void on_ready(evutil_socket_t fd, short what, void *context)
{
    struct connection *connection = context;
    struct loop       *loop = connection->loop;
    (void)fd;
    loop_begin(loop);
    if (connection->state == CONNECTION_WRITING && connection->is_waiting_to_write)
        connection_flush(connection);
    if (connection->state != CONNECTION_DEAD && ((what & EV_READ) != 0 || connection->ssl != NULL))
        connection_read(connection);
    loop_end(loop);
}

void connection_tick(struct connection *connection)
{
    if (connection->loop->now_ms < connection->deadline_ms)
        return;
    switch (connection->state) {
    case CONNECTION_HEAD:
        if (connection->in_len == 0) {
            connection_close(connection);
            return;
        }
        turn_away(connection, 408, "wait", "the request did not come whole in time",
                  "send the whole request at once");
        return;
    case CONNECTION_BODY:
        turn_away(connection, 408, "wait", "the request's body did not come whole in time",
                  "send smaller bodies or use a faster line");
        return;
    case CONNECTION_OWED:
        leave_request(connection);
        turn_away(connection, 503, "wait", "no answer was ready in time",
                  "send it again: what was done already is recognised by its messageId");
        return;
    default:
        connection_close(connection);
    }
}

bool connection_is_busy(const struct connection *connection)
{
    return connection->state == CONNECTION_OWED || connection->state == CONNECTION_WRITING;
}

void connection_stop(struct connection *connection, bool is_closing)
{
    bool is_idle = connection->state == CONNECTION_HEAD && connection->in_len == 0;
    if (is_idle || (is_closing && !connection_is_busy(connection)))
        connection_close(connection);
}
