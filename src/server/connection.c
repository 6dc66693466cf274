#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/hash.h"
#include "server/http_inside.h"

enum {
    TURNED_AWAY_BYTES_MAX = 4096,
    NO_SLOT = ADDRESS_SLOTS,
};

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
    if (atomic_fetch_add(&server->address_counts[slot], 1) < server->conf.address_connections_max)
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
        event_new(loop->base, fd, EV_READ | EV_PERSIST, connection_ready, connection);
    if (connection->readable == NULL ||
        (server->certificate_path != NULL && !is_local && connection->ssl == NULL)) {
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
    bool                is_bounded = !is_local && !proxy_trust_has(server->conf.trust, peer);
    uint32_t            slot = is_bounded ? slot_of(server, peer) : NO_SLOT;

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
    connection_want_read(connection, true);
}

/* The request a closing connection leaves: a handler's lives on, one half read does not. */
static void leave_request(struct connection *connection)
{
    struct http_request *request = connection->request;
    connection->request = NULL;
    if (request == NULL)
        return;
    request->connection = NULL;
    atomic_store_explicit(&request->is_left, true, memory_order_relaxed);
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
    connection->deadline_ms =
        connection->loop->now_ms + connection->loop->server->conf.write_ms_max;
    connection_flush(connection);
}

void connection_turn_away(struct connection *connection, int status, const char *code,
                          const char *what, const char *remedy)
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

/* ---- writing ---- */

/* The last answer is out. Until the client has read it, our closing must not reset the line. */
static void linger(struct connection *connection)
{
    if (connection->has_ended) {
        connection_close(connection);
        return;
    }
    connection_forget(connection);
    if (connection->ssl != NULL)
        SSL_shutdown(connection->ssl);
    shutdown(connection->fd, SHUT_WR);
    connection->state = CONNECTION_LINGER;
    connection->deadline_ms = connection->loop->now_ms + HTTP_LINGER_MS_MAX;
    connection_want_read(connection, true);
}

static void written(struct connection *connection)
{
    bool is_last = connection->out.is_last;
    outbound_done(&connection->out);
    connection_want_write(connection, false);
    if (is_last) {
        linger(connection);
        return;
    }
    connection->state = CONNECTION_HEAD;
    connection->deadline_ms = connection->loop->now_ms + connection->loop->server->conf.idle_ms_max;
    if (connection->in_len > 0) {
        connection->deadline_ms =
            connection->loop->now_ms + connection->loop->server->conf.request_ms_max;
        connection_take(connection);
    }
    if (connection->state == CONNECTION_DEAD)
        return;
    if (!connection->has_ended)
        connection_want_read(connection, connection->in_len < PIPELINE_BYTES_MAX ||
                                             connection->state == CONNECTION_HEAD);
    else if (connection->state == CONNECTION_HEAD || connection->state == CONNECTION_BODY)
        connection_close(connection);
}

void connection_flush(struct connection *connection)
{
    struct outbound *out = &connection->out;
    while (out->sent < out->len + out->tail.len) {
        size_t     past = out->sent > out->len ? out->sent - out->len : 0;
        struct str head = { out->memory + (out->sent < out->len ? out->sent : out->len),
                            out->sent < out->len ? out->len - out->sent : 0 };
        ssize_t    sent = link_write(connection, head, str_slice(out->tail, past, out->tail.len));
        if (sent == LINK_WAIT) {
            connection_want_write(connection, true);
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

static int64_t write_ms_of(const struct connection *connection)
{
    const struct outbound *out = &connection->out;
    return out->write_ms_max > 0 ? out->write_ms_max
                                 : connection->loop->server->conf.write_ms_max +
                                       (int64_t)((out->len + out->tail.len) / BYTES_PER_MS_MIN);
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
    connection->deadline_ms = loop->now_ms + write_ms_of(connection);
    connection_flush(connection);
}

/* ---- events ---- */

void connection_ready(evutil_socket_t fd, short what, void *context)
{
    struct connection *connection = context;
    struct loop       *loop = connection->loop;
    (void)fd;
    http_loop_begin(loop);
    if (connection->state == CONNECTION_WRITING && connection->is_waiting_to_write)
        connection_flush(connection);
    if (connection->state != CONNECTION_DEAD && ((what & EV_READ) != 0 || connection->ssl != NULL))
        connection_read(connection);
    http_loop_end(loop);
}

static int64_t deadline_of(const struct connection *connection)
{
    return connection->state == CONNECTION_OWED
               ? connection->deadline_ms + atomic_load(&connection->request->longer_ms)
               : connection->deadline_ms;
}

void connection_tick(struct connection *connection)
{
    if (connection->loop->now_ms < deadline_of(connection))
        return;
    switch (connection->state) {
    case CONNECTION_HEAD:
        if (connection->in_len == 0) {
            connection_close(connection);
            return;
        }
        connection_turn_away(connection, 408, "wait", "the request did not come whole in time",
                             "send the whole request at once");
        return;
    case CONNECTION_BODY:
        connection_turn_away(connection, 408, "wait",
                             "the request's body did not come whole in time",
                             "send smaller bodies or use a faster line");
        return;
    case CONNECTION_OWED:
        leave_request(connection);
        connection_turn_away(connection, 503, "wait", "no answer was ready in time",
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
