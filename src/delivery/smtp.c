#include "delivery/smtp.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/time.h"

enum {
    ADDRESSES_MAX = 8,      /* of one name; further ones are not tried */
    READ_BYTES = 4096,      /* taken from the input at a time */
    FAREWELL_MS_MAX = 5000, /* how long a 221 is waited for */
    BROKEN_MS_MAX = 1000,   /* after a failed write: how long a last word is waited for */
    /* Deferred: no call of ours is ever interrupted by one of the stream's. */
    STREAM_OPTIONS = BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS,
};

struct address {
    struct sockaddr_storage at;
    int                     len;
};

/* Outlives the session if a look-up is cancelled: the resolver calls back later. */
struct lookup {
    struct smtp_session *session;
};

struct smtp_session {
    struct loop             *loop;
    const struct smtp_conf  *conf;
    const struct smtp_calls *calls;
    void                    *ctx;
    struct smtp_wire        *wire;
    struct lookup           *lookup;
    struct address           addresses[ADDRESSES_MAX];
    size_t                   addresses_count, address_next;
    struct bufferevent      *stream;
    bool                     connected, secure; /* secure: the stream is TLS, handshake done */
    bool                     told_ready, busy, broken, ended;
    bool                     awaits;     /* told the loop that an answer is awaited, `asked` */
    bool                     has_spoken; /* since then */
    uint32_t                 asked;
    uint64_t                 handed_total; /* bytes given to the socket or to the stream */
    struct event            *timer, *begin;
    int64_t                  deadline_us, armed_us; /* 0: not armed */
    int64_t                  idle_since_us;
};

static void advance(struct smtp_session *session);
static void note_written(struct smtp_session *session);
static void connect_next(struct smtp_session *session, const char *why);

struct smtp_limits smtp_limits_make(void)
{
    return (struct smtp_limits){ .phase_ms = {
                                     [SMTP_PHASE_CONNECT] = 30 * TIME_SECOND_MS,
                                     [SMTP_PHASE_GREETING] = 5 * TIME_MINUTE_MS,
                                     [SMTP_PHASE_COMMAND] = 5 * TIME_MINUTE_MS,
                                     [SMTP_PHASE_MAIL] = 5 * TIME_MINUTE_MS,
                                     [SMTP_PHASE_RCPT] = 5 * TIME_MINUTE_MS,
                                     [SMTP_PHASE_DATA] = 2 * TIME_MINUTE_MS,
                                     [SMTP_PHASE_BODY] = 3 * TIME_MINUTE_MS,
                                     [SMTP_PHASE_DOT] = 10 * TIME_MINUTE_MS,
                                     [SMTP_PHASE_IDLE] = TIME_MINUTE_MS,
                                 } };
}

/* Counts what was written before anything is settled by it: a dot that left must not be missed. */
static void lose(struct smtp_session *session, const char *why)
{
    note_written(session);
    smtp_wire_lost(session->wire, why);
}

/* --- time limits --- */

static enum smtp_phase phase_of(const struct smtp_session *session)
{
    return session->connected ? smtp_wire_phase(session->wire) : SMTP_PHASE_CONNECT;
}

static int64_t limit_ms(const struct smtp_session *session)
{
    if (session->broken)
        return BROKEN_MS_MAX;
    if (smtp_wire_state(session->wire) == SMTP_QUITTING)
        return FAREWELL_MS_MAX;
    return session->conf->limits.phase_ms[phase_of(session)];
}

static void arm(struct smtp_session *session, int64_t now_us)
{
    int64_t        wait_us = session->deadline_us - now_us;
    struct timeval wait;
    if (wait_us < 1000)
        wait_us = 1000;
    wait.tv_sec = wait_us / 1000000;
    wait.tv_usec = wait_us % 1000000;
    event_add(session->timer, &wait);
    session->armed_us = session->deadline_us;
}

/* Something moved: the limit of the present phase begins anew. The timer is only touched when it
 * would fire too late; fired too early, it looks at the deadline and sleeps on. */
static void moved(struct smtp_session *session)
{
    int64_t now_us = time_mono_us();
    int64_t noop_ms = session->conf->limits.noop_ms;
    session->deadline_us = now_us + limit_ms(session) * 1000;
    if (phase_of(session) == SMTP_PHASE_IDLE) {
        session->deadline_us = session->idle_since_us + limit_ms(session) * 1000;
        if (noop_ms > 0 && now_us + noop_ms * 1000 < session->deadline_us)
            session->deadline_us = now_us + noop_ms * 1000;
    } else if (smtp_wire_state(session->wire) != SMTP_READY || smtp_held(session) > 0) {
        session->idle_since_us = now_us; /* a NOOP is not work */
    }
    if (session->armed_us == 0 || session->deadline_us < session->armed_us)
        arm(session, now_us);
}

static const char *phase_name(enum smtp_phase phase)
{
    static const char *const names[] = {
        [SMTP_PHASE_CONNECT] = "connection",
        [SMTP_PHASE_GREETING] = "greeting",
        [SMTP_PHASE_COMMAND] = "reply",
        [SMTP_PHASE_MAIL] = "reply to MAIL",
        [SMTP_PHASE_RCPT] = "reply to RCPT",
        [SMTP_PHASE_DATA] = "reply to DATA",
        [SMTP_PHASE_BODY] = "progress in the content",
        [SMTP_PHASE_DOT] = "reply to the final dot",
        [SMTP_PHASE_IDLE] = "work",
    };
    return names[phase];
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct smtp_session *session = ctx;
    int64_t              now_us = time_mono_us();
    (void)fd;
    (void)what;
    session->armed_us = 0;
    if (now_us < session->deadline_us) {
        arm(session, now_us);
        return;
    }
    if (phase_of(session) == SMTP_PHASE_IDLE && smtp_wire_state(session->wire) == SMTP_READY) {
        if (now_us - session->idle_since_us >= limit_ms(session) * 1000)
            smtp_wire_quit(session->wire);
        else
            smtp_wire_noop(session->wire);
        advance(session);
        return;
    }
    char why[128];
    snprintf(why, sizeof why, "no %s within %lld ms", phase_name(phase_of(session)),
             (long long)limit_ms(session));
    if (!session->connected)
        connect_next(session, why);
    else
        lose(session, why);
    advance(session);
}

/* --- writing --- */

static bool in_handshake(const struct smtp_session *session)
{
    return session->connected && bufferevent_openssl_get_ssl(session->stream) != NULL &&
           !session->secure;
}

static void note_written(struct smtp_session *session)
{
    size_t kept = 0;
    if (session->stream != NULL && !session->secure)
        kept = evbuffer_get_length(bufferevent_get_output(session->stream));
    smtp_wire_written(session->wire, session->handed_total - kept);
}

/* False when the socket takes no more for now. */
static bool write_directly(struct smtp_session *session, struct str out)
{
    ssize_t n =
        send(bufferevent_getfd(session->stream), out.ptr, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        /* The server may have said why before it hung up: read on, write no more. */
        session->broken = true;
        return false;
    }
    size_t done = n < 0 ? 0 : (size_t)n;
    smtp_wire_took(session->wire, done);
    session->handed_total += done;
    return done == out.len;
}

static void hand_over(struct smtp_session *session, struct str out)
{
    size_t bytes = out.len;
    if (bufferevent_write(session->stream, out.ptr, bytes) != 0) {
        lose(session, "no memory for the output");
        return;
    }
    smtp_wire_took(session->wire, bytes);
    session->handed_total += bytes;
    note_written(session);
}

static bool may_write(const struct smtp_session *session)
{
    return session->stream != NULL && session->connected && !session->broken &&
           !in_handshake(session) && smtp_wire_state(session->wire) != SMTP_CLOSED;
}

static void flush(struct smtp_session *session)
{
    while (may_write(session)) {
        if (evbuffer_get_length(bufferevent_get_output(session->stream)) > 0)
            return; /* on_writable comes back here */
        struct str out = smtp_wire_output(session->wire, session->secure);
        if (out.len == 0)
            return;
        if (session->secure) {
            hand_over(session, out);
        } else if (!write_directly(session, out)) {
            out = smtp_wire_output(session->wire, false);
            if (!session->broken && out.len > 0)
                hand_over(session, out);
        }
        note_written(session);
    }
}

/* --- the stream's events --- */

static void on_readable(struct bufferevent *stream, void *ctx)
{
    struct smtp_session *session = ctx;
    struct evbuffer     *input = bufferevent_get_input(stream);
    char                 bytes[READ_BYTES];
    loop_heard(session->loop);
    session->has_spoken = true;
    note_written(session);
    for (;;) {
        int n = evbuffer_remove(input, bytes, sizeof bytes);
        if (n <= 0)
            break;
        if (smtp_wire_state(session->wire) == SMTP_STARTTLS)
            lose(session, "bytes in the clear followed the reply to STARTTLS");
        smtp_wire_input(session->wire, (struct str){ bytes, (size_t)n });
    }
    advance(session);
}

static void on_writable(struct bufferevent *stream, void *ctx)
{
    (void)stream;
    struct smtp_session *session = ctx;
    note_written(session);
    advance(session);
}

static void on_connected(struct smtp_session *session)
{
    int on = 1;
    session->connected = true;
    setsockopt(bufferevent_getfd(session->stream), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(bufferevent_getfd(session->stream), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

static void drop_stream(struct smtp_session *session)
{
    if (session->stream != NULL)
        bufferevent_free(session->stream);
    session->stream = NULL;
}

static void on_lost(struct smtp_session *session, short what)
{
    char why[DELIVERY_TEXT_BYTES_MAX];
    if (in_handshake(session)) {
        tls_why(bufferevent_openssl_get_ssl(session->stream),
                bufferevent_get_openssl_error(session->stream), why, sizeof why);
    } else if (what & BEV_EVENT_EOF) {
        snprintf(why, sizeof why, "the server closed the connection");
    } else {
        int code = EVUTIL_SOCKET_ERROR();
        snprintf(why, sizeof why, "the connection was lost: %s",
                 code == 0 ? "broken" : evutil_socket_error_to_string(code));
    }
    if (!session->connected)
        connect_next(session, why);
    else
        lose(session, why);
}

static void begin_tls(struct smtp_session *session);

static void on_event(struct bufferevent *stream, short what, void *ctx)
{
    struct smtp_session *session = ctx;
    (void)stream;
    note_written(session);
    if (!(what & BEV_EVENT_CONNECTED))
        on_lost(session, what);
    else if (session->connected) { /* the second one is TLS's */
        session->secure = true;
        if (smtp_wire_state(session->wire) == SMTP_STARTTLS)
            smtp_wire_secured(session->wire);
    } else {
        on_connected(session);
        if (session->conf->wire.tls == SMTP_TLS_IMPLICIT)
            begin_tls(session);
    }
    advance(session);
}

static void watch(struct smtp_session *session)
{
    bufferevent_setcb(session->stream, on_readable, on_writable, on_event, session);
    bufferevent_enable(session->stream, EV_READ | EV_WRITE);
}

/* The plain stream gives its descriptor to a TLS one. Nothing waits in either direction: the wire
 * allows it only when its output is empty, and treats further input as an attack. */
static void begin_tls(struct smtp_session *session)
{
    evutil_socket_t fd = bufferevent_getfd(session->stream);
    SSL            *ssl = tls_client_to(session->conf->tls, session->conf->host);
    bufferevent_setfd(session->stream, -1);
    drop_stream(session);
    if (ssl != NULL)
        session->stream = bufferevent_openssl_socket_new(
            loop_base(session->loop), fd, ssl, BUFFEREVENT_SSL_CONNECTING, STREAM_OPTIONS);
    if (session->stream == NULL) {
        SSL_free(ssl);
        evutil_closesocket(fd);
        lose(session, "no memory for TLS");
        return;
    }
    bufferevent_openssl_set_allow_dirty_shutdown(session->stream, 1);
    watch(session);
}

/* --- connecting --- */

static void connect_next(struct smtp_session *session, const char *why)
{
    drop_stream(session);
    while (session->address_next < session->addresses_count) {
        struct address *address = &session->addresses[session->address_next++];
        session->stream = bufferevent_socket_new(loop_base(session->loop), -1, STREAM_OPTIONS);
        if (session->stream == NULL)
            break;
        watch(session);
        if (bufferevent_socket_connect(session->stream, (struct sockaddr *)&address->at,
                                       address->len) == 0) {
            moved(session);
            return;
        }
        drop_stream(session);
    }
    lose(session, why);
}

static void keep_addresses(struct smtp_session *session, const struct evutil_addrinfo *found)
{
    for (; found != NULL && session->addresses_count < ADDRESSES_MAX; found = found->ai_next) {
        struct address *address = &session->addresses[session->addresses_count];
        if (found->ai_addrlen > sizeof address->at)
            continue;
        memcpy(&address->at, found->ai_addr, found->ai_addrlen);
        address->len = (int)found->ai_addrlen;
        session->addresses_count++;
    }
}

static void on_resolved(int code, struct evutil_addrinfo *found, void *ctx)
{
    struct lookup       *lookup = ctx;
    struct smtp_session *session = lookup->session;
    free(lookup);
    if (session != NULL) {
        char why[DELIVERY_TEXT_BYTES_MAX];
        session->lookup = NULL;
        snprintf(why, sizeof why, "the name %.100s has no address: %s", session->conf->host,
                 evutil_gai_strerror(code));
        if (code == 0)
            keep_addresses(session, found);
        connect_next(session, why);
        advance(session);
    }
    if (found != NULL)
        evutil_freeaddrinfo(found);
}

static void on_begin(evutil_socket_t fd, short what, void *ctx)
{
    struct smtp_session   *session = ctx;
    struct evutil_addrinfo hints = { .ai_family = AF_UNSPEC,
                                     .ai_socktype = SOCK_STREAM,
                                     .ai_protocol = IPPROTO_TCP,
                                     .ai_flags = EVUTIL_AI_ADDRCONFIG };
    char                   port[8];
    (void)fd;
    (void)what;
    struct lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL) {
        lose(session, "no memory for a look-up");
        advance(session);
        return;
    }
    lookup->session = session;
    session->lookup = lookup;
    snprintf(port, sizeof port, "%u", session->conf->port);
    moved(session);
    evdns_getaddrinfo(loop_dns(session->loop), session->conf->host, port, &hints, on_resolved,
                      lookup);
}

/* --- the turning wheel --- */

static bool report_done(struct smtp_session *session)
{
    struct delivery_outcome  outcome;
    struct delivery_message *message;
    bool                     any = false;
    while ((message = smtp_wire_next_done(session->wire, &outcome)) != NULL) {
        session->calls->done(session->ctx, session, message, &outcome);
        any = true;
    }
    return any;
}

/* A kept connection with messages waits for answers that may come in a crowd with others'. */
static void note_awaits(struct smtp_session *session)
{
    bool awaits = !session->ended && session->told_ready && smtp_wire_begun(session->wire) > 0;
    if (session->awaits && (!awaits || session->has_spoken)) {
        loop_asks_no_more(session->loop, session->asked);
        session->awaits = false;
    }
    if (awaits && !session->awaits)
        session->asked = loop_asks(session->loop);
    session->awaits = awaits;
    session->has_spoken = false;
}

static void end(struct smtp_session *session)
{
    struct smtp_trouble trouble = *smtp_wire_trouble(session->wire);
    session->ended = true;
    note_awaits(session);
    event_del(session->timer);
    drop_stream(session);
    session->calls->closed(session->ctx, session, &trouble); /* the session may be gone now */
}

/* Tells what is done, which may bring new messages, and only then writes: so the next envelope
 * rides in the same write as the content before it. */
static void advance(struct smtp_session *session)
{
    if (session->busy || session->ended)
        return;
    session->busy = true;
    report_done(session);
    if (smtp_wire_state(session->wire) == SMTP_READY && !session->told_ready) {
        session->told_ready = true;
        session->calls->ready(session->ctx, session);
    }
    do
        flush(session);
    while (report_done(session));
    if (smtp_wire_state(session->wire) == SMTP_STARTTLS && session->stream != NULL &&
        bufferevent_openssl_get_ssl(session->stream) == NULL)
        begin_tls(session);
    report_done(session);
    session->busy = false;
    if (smtp_wire_state(session->wire) == SMTP_CLOSED)
        end(session);
    else {
        note_awaits(session);
        moved(session);
    }
}

/* --- from outside --- */

struct smtp_session *smtp_open(struct loop *loop, const struct smtp_conf *conf,
                               const struct smtp_calls *calls, void *ctx)
{
    assert(loop_is_inside(loop));
    assert(conf->tls != NULL || conf->wire.tls == SMTP_TLS_OFF);
    struct smtp_session *session = calloc(1, sizeof *session);
    if (session == NULL)
        return NULL;
    session->loop = loop;
    session->conf = conf;
    session->calls = calls;
    session->ctx = ctx;
    session->idle_since_us = time_mono_us();
    session->wire = smtp_wire_open(&conf->wire);
    session->timer = evtimer_new(loop_base(loop), on_timer, session);
    session->begin = evtimer_new(loop_base(loop), on_begin, session);
    if (session->wire == NULL || session->timer == NULL || session->begin == NULL) {
        smtp_close(session);
        return NULL;
    }
    event_active(session->begin, EV_TIMEOUT, 1);
    return session;
}

void smtp_close(struct smtp_session *session)
{
    if (session == NULL)
        return;
    assert(!session->busy);
    session->ended = true;
    if (session->wire != NULL)
        note_awaits(session);
    if (session->lookup != NULL)
        session->lookup->session = NULL;
    drop_stream(session);
    if (session->timer != NULL)
        event_free(session->timer);
    if (session->begin != NULL)
        event_free(session->begin);
    smtp_wire_close(session->wire);
    free(session);
}

bool smtp_has_place(const struct smtp_session *session)
{
    return !session->ended && !session->broken && smtp_wire_has_place(session->wire);
}

uint32_t smtp_held(const struct smtp_session *session)
{
    return smtp_wire_held(session->wire);
}

uint32_t smtp_begun(const struct smtp_session *session)
{
    return smtp_wire_begun(session->wire);
}

bool smtp_was_ready(const struct smtp_session *session)
{
    return session->told_ready;
}

void smtp_send(struct smtp_session *session, struct delivery_message *message)
{
    smtp_wire_give(session->wire, message);
    advance(session);
}

struct delivery_message *smtp_recall(struct smtp_session *session, uint64_t id)
{
    return smtp_wire_recall(session->wire, id);
}

const struct delivery_message *smtp_message(const struct smtp_session *session, uint32_t index)
{
    return smtp_wire_message(session->wire, index);
}

void smtp_quit(struct smtp_session *session)
{
    note_written(session);
    smtp_wire_quit(session->wire);
    advance(session);
}

void smtp_lose(struct smtp_session *session, const char *why)
{
    if (session->ended)
        return;
    lose(session, why);
    advance(session);
}
