#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/time.h"
#include "server/http_inside.h"

enum { LISTEN_BACKLOG = 1024 };

static _Thread_local struct loop *here;

struct loop *loop_here(void)
{
    return here;
}

/* ---- the mailbox ---- */

static void loop_wake(struct loop *loop)
{
    uint64_t one = 1;
    COUNT(loop, wakes, 1);
    ssize_t wrote = write(loop->wake_fd, &one, sizeof one);
    (void)wrote; /* full means that it is being woken already */
}

void http_loop_post(struct loop *loop, struct http_request *first, struct http_request *last)
{
    struct http_request *old = atomic_load(&loop->mailbox);
    do
        last->next = old;
    while (!atomic_compare_exchange_weak(&loop->mailbox, &old, first));
    /* Whoever found it empty wakes; the loop's own thread looks before it sleeps. */
    if (old == NULL && here != loop)
        loop_wake(loop);
}

static void loop_deliver(struct loop *loop)
{
    struct http_request *newest, *oldest = NULL;
    while ((newest = atomic_exchange(&loop->mailbox, NULL)) != NULL) {
        while (newest != NULL) { /* first answered, first written */
            struct http_request *next = newest->next;
            newest->next = oldest;
            oldest = newest;
            newest = next;
        }
        while (oldest != NULL) {
            struct http_request *request = oldest;
            oldest = oldest->next;
            if (request->out_not_before_ms > 0) {
                request->next = loop->held;
                loop->held = request;
            } else {
                connection_answer(request);
            }
        }
    }
}

/* At a tick, whenever each was answered: so many ms earlier or later are not seen. */
static void loop_release(struct loop *loop, bool is_all)
{
    struct http_request **place = &loop->held;
    while (*place != NULL) {
        struct http_request *request = *place;
        if (!is_all && loop->now_ms < request->out_not_before_ms) {
            place = &request->next;
            continue;
        }
        *place = request->next;
        connection_answer(request);
    }
}

/* ---- one loop ---- */

static void loop_stop(struct loop *loop, bool is_closing)
{
    bool is_busy = false;
    for (int i = 0; i < 2; i++) {
        if (loop->listeners[i] != NULL)
            evconnlistener_free(loop->listeners[i]);
        loop->listeners[i] = NULL;
    }
    for (struct connection *connection = loop->connections, *next; connection != NULL;
         connection = next) {
        next = connection->next;
        connection_stop(connection, is_closing);
        is_busy = is_busy || connection_is_busy(connection);
    }
    if (is_closing && !is_busy && loop->owed == 0)
        event_base_loopbreak(loop->base);
}

/* Every callback ends here: answers out, the dead buried, a wish to stop heard. */
static void loop_settle(struct loop *loop)
{
    loop_deliver(loop);
    int phase = atomic_load(&loop->server->phase);
    if (phase != SERVER_OPEN) {
        loop_release(loop, true);
        loop_stop(loop, phase == SERVER_CLOSING);
        loop_deliver(loop);
    }
    while (loop->dead != NULL) {
        struct connection *connection = loop->dead;
        loop->dead = connection->next;
        free(connection);
    }
}

void http_loop_begin(struct loop *loop)
{
    loop->now_ms = time_mono_us() / 1000;
}

void http_loop_end(struct loop *loop)
{
    loop_settle(loop);
}

static void on_wake(evutil_socket_t fd, short what, void *context)
{
    struct loop *loop = context;
    uint64_t     count;
    (void)what;
    ssize_t got = read(fd, &count, sizeof count);
    (void)got;
    http_loop_begin(loop);
    http_loop_end(loop);
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    struct loop *loop = context;
    (void)fd, (void)what;
    http_loop_begin(loop);
    for (struct connection *connection = loop->connections, *next; connection != NULL;
         connection = next) {
        next = connection->next;
        connection_tick(connection);
    }
    loop_release(loop, false);
    for (int i = 0; i < 2 && !loop->is_listening; i++)
        if (loop->listeners[i] != NULL)
            evconnlistener_enable(loop->listeners[i]);
    loop->is_listening = true;
    http_loop_end(loop);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                      int len, void *context)
{
    struct loop         *loop = context;
    struct proxy_address peer = { .bytes = { [10] = 0xff, [11] = 0xff } };
    bool                 is_local = listener == loop->listeners[1];
    int                  one = 1;

    (void)len;
    if (address->sa_family == AF_INET6)
        memcpy(peer.bytes, &((struct sockaddr_in6 *)(void *)address)->sin6_addr, 16);
    else if (address->sa_family == AF_INET)
        memcpy(peer.bytes + 12, &((struct sockaddr_in *)(void *)address)->sin_addr, 4);
    if (!is_local)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    http_loop_begin(loop);
    connection_open(loop, fd, &peer, is_local);
    http_loop_end(loop);
}

/* Out of file descriptors: rest until the next tick instead of spinning. */
static void on_accept_error(struct evconnlistener *listener, void *context)
{
    struct loop *loop = context;
    evconnlistener_disable(listener);
    loop->is_listening = false;
}

static void *loop_run(void *context)
{
    struct loop *loop = context;
    here = loop;
    http_loop_begin(loop);
    event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
    while (loop->connections != NULL)
        connection_close(loop->connections);
    loop_settle(loop);
    here = NULL;
    return NULL;
}

static enum err loop_open(struct loop *loop, struct http_server *server, int index)
{
    struct event_config *config = event_config_new();
    struct timeval       tick = { 0, TICK_MS * 1000 };

    loop->server = server;
    loop->index = index;
    loop->is_listening = true;
    if (config != NULL) {
        event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
        loop->base = event_base_new_with_config(config);
        event_config_free(config);
    }
    loop->scratch = malloc(SCRATCH_BYTES);
    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->base == NULL || loop->scratch == NULL || loop->wake_fd < 0)
        return ERR_MEMORY;
    loop->wake_event = event_new(loop->base, loop->wake_fd, EV_READ | EV_PERSIST, on_wake, loop);
    loop->tick_event = event_new(loop->base, -1, EV_PERSIST, on_tick, loop);
    if (loop->wake_event == NULL || loop->tick_event == NULL ||
        event_add(loop->wake_event, NULL) != 0 || event_add(loop->tick_event, &tick) != 0)
        return ERR_MEMORY;
    return OK;
}

static void loop_done(struct loop *loop)
{
    for (int i = 0; i < 2; i++)
        if (loop->listeners[i] != NULL)
            evconnlistener_free(loop->listeners[i]);
    if (loop->wake_event != NULL)
        event_free(loop->wake_event);
    if (loop->tick_event != NULL)
        event_free(loop->tick_event);
    if (loop->base != NULL)
        event_base_free(loop->base);
    if (loop->wake_fd > 0)
        close(loop->wake_fd);
    request_blocks_done(loop);
    free(loop->scratch);
}

/* ---- listening ---- */

static enum err loop_listen(struct loop *loop, int which, int fd)
{
    struct evconnlistener *listener =
        evconnlistener_new(loop->base, on_accept, loop,
                           LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, LISTEN_BACKLOG, fd);
    if (listener == NULL) {
        close(fd);
        return ERR_IO;
    }
    evconnlistener_set_error_cb(listener, on_accept_error);
    loop->listeners[which] = listener;
    return OK;
}

static int tcp_socket(const struct addrinfo *address)
{
    int one = 1, zero = 0;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    if (address->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static int port_of(int fd)
{
    struct sockaddr_storage address = { 0 };
    socklen_t               len = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return 0;
    return address.ss_family == AF_INET6
               ? ntohs(((struct sockaddr_in6 *)(void *)&address)->sin6_port)
               : ntohs(((struct sockaddr_in *)(void *)&address)->sin_port);
}

/* SO_REUSEPORT would also let a second server of the same user share our port unseen. */
static bool is_port_taken(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0)
        return false;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    bool is_taken = bind(fd, address->ai_addr, address->ai_addrlen) != 0 && errno == EADDRINUSE;
    close(fd);
    return is_taken;
}

static enum err listen_tcp_at(struct http_server *server, const struct addrinfo *first,
                              struct problem *problem)
{
    const char *where = server->conf.address;
    if (server->port != 0 && is_port_taken(first))
        return problem_format(problem, ERR_CONFLICT, where,
                              "stop the other program, or choose "
                              "another port",
                              "port %d is in use", server->port);
    for (int i = 0; i < server->conf.loops; i++) {
        struct sockaddr *socket_address = first->ai_addr;
        if (socket_address->sa_family == AF_INET6)
            ((struct sockaddr_in6 *)(void *)socket_address)->sin6_port =
                htons((uint16_t)server->port);
        else
            ((struct sockaddr_in *)(void *)socket_address)->sin_port =
                htons((uint16_t)server->port);
        int fd = tcp_socket(first);
        if (fd < 0)
            return problem_format(problem, ERR_IO, where,
                                  "use an address of this machine and a "
                                  "port this user may open (above 1023 without privileges)",
                                  "cannot listen on port %d: %s", server->port, strerror(errno));
        server->port = port_of(fd);
        TRY(loop_listen(&server->loops[i], 0, fd));
    }
    return OK;
}

static enum err listen_tcp(struct http_server *server, struct problem *problem)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_PASSIVE };
    struct addrinfo *found = NULL;
    char             port[16];

    snprintf(port, sizeof port, "%d", server->conf.port);
    server->port = server->conf.port;
    if (getaddrinfo(server->conf.address, port, &hints, &found) != 0)
        return problem_set(problem, ERR_INPUT, server->conf.address, "not an IP address",
                           "write 127.0.0.1, 0.0.0.0, ::1 or ::");
    enum err err = listen_tcp_at(server, found, problem);
    freeaddrinfo(found);
    return err;
}

/* A socket file that nobody serves any more is left over from a crash. */
static enum err remove_stale(const struct sockaddr_un *address, struct problem *problem)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return ERR_IO;
    bool is_served = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;
    bool is_stale = !is_served && errno == ECONNREFUSED;
    close(fd);
    if (is_served)
        return problem_set(problem, ERR_CONFLICT, address->sun_path,
                           "another server runs on this data folder", "stop it first");
    if (is_stale)
        unlink(address->sun_path);
    return OK;
}

static enum err listen_unix(struct http_server *server, struct problem *problem)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(server->socket_path) >= sizeof address.sun_path)
        return problem_set(problem, ERR_INPUT, server->conf.socket_path,
                           "the socket's path is too long",
                           "use a shorter data folder (100 bytes)");
    memcpy(address.sun_path, server->socket_path, sizeof address.sun_path);
    TRY(remove_stale(&address, problem));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    /* The mode is set before the name exists, so nobody can slip in between. */
    if (fd < 0 || fchmod(fd, 0600) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        chmod(address.sun_path, 0600) != 0) {
        enum err err = problem_format(problem, ERR_IO, address.sun_path,
                                      "make the folder writable for this user", "cannot listen: %s",
                                      strerror(errno));
        if (fd >= 0)
            close(fd);
        return err;
    }
    server->has_socket = true;
    return loop_listen(&server->loops[0], 1, fd);
}

/* ---- the server ---- */

static void conf_default(struct http_conf *conf)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (conf->loops <= 0)
        conf->loops = processors > 0 ? (int)processors : 1;
    if (conf->loops > HTTP_LOOPS_MAX)
        conf->loops = HTTP_LOOPS_MAX;
    if (conf->connections_max <= 0)
        conf->connections_max = HTTP_CONNECTIONS_MAX;
    if (conf->address_connections_max <= 0)
        conf->address_connections_max = HTTP_ADDRESS_CONNECTIONS_MAX;
    if (conf->held_bytes_max <= 0)
        conf->held_bytes_max = HTTP_HELD_BYTES_MAX;
    if (conf->request_ms_max <= 0)
        conf->request_ms_max = HTTP_REQUEST_MS_MAX;
    if (conf->answer_ms_max <= 0)
        conf->answer_ms_max = HTTP_ANSWER_MS_MAX;
    if (conf->write_ms_max <= 0)
        conf->write_ms_max = HTTP_WRITE_MS_MAX;
    if (conf->idle_ms_max <= 0)
        conf->idle_ms_max = HTTP_IDLE_MS_MAX;
}

/* Loop threads take no signals: the main thread does, and a client's hang-up is a result. */
static enum err start_threads(struct http_server *server)
{
    sigset_t all, before;
    enum err err = OK;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (int i = 0; i < server->conf.loops && err == OK; i++) {
        struct loop *loop = &server->loops[i];
        loop->is_started = pthread_create(&loop->thread, NULL, loop_run, loop) == 0;
        if (!loop->is_started)
            err = ERR_MEMORY;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return err;
}

static enum err server_start(struct http_server *server, struct problem *problem)
{
    if (server->certificate_path != NULL && server->key_path != NULL)
        TRY(tls_load(server->certificate_path, server->key_path, &server->tls, problem));
    for (int i = 0; i < server->conf.loops; i++)
        TRY(loop_open(&server->loops[i], server, i));
    if (server->conf.address != NULL)
        TRY(listen_tcp(server, problem));
    if (server->conf.socket_path != NULL)
        TRY(listen_unix(server, problem));
    return start_threads(server);
}

enum err http_open(const struct http_conf *conf, struct http_server **out, struct problem *problem)
{
    assert(conf->handle != NULL);
    struct http_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return ERR_MEMORY;
    server->conf = *conf;
    conf_default(&server->conf);
    server->address_seed = hash_random_seed();
    pthread_mutex_init(&server->tls_lock, NULL);
    if (conf->socket_path != NULL)
        str_to_cstr(str_of(conf->socket_path), server->socket_path, sizeof server->socket_path);
    if (conf->spill_dir != NULL)
        str_to_cstr(str_of(conf->spill_dir), server->spill_dir, sizeof server->spill_dir);
    if (conf->certificate_path != NULL)
        server->certificate_path = strdup(conf->certificate_path);
    if (conf->key_path != NULL)
        server->key_path = strdup(conf->key_path);

    enum err err = server_start(server, problem);
    if (err != OK) {
        http_close(server);
        return err;
    }
    *out = server;
    return OK;
}

static void set_phase(struct http_server *server, int phase)
{
    if (atomic_load(&server->phase) < phase)
        atomic_store(&server->phase, phase);
    for (int i = 0; i < server->conf.loops; i++)
        if (server->loops[i].is_started)
            loop_wake(&server->loops[i]);
}

void http_stop(struct http_server *server)
{
    set_phase(server, SERVER_STOPPING);
}

void http_close(struct http_server *server)
{
    if (server == NULL)
        return;
    set_phase(server, SERVER_CLOSING);
    for (int i = 0; i < server->conf.loops; i++)
        if (server->loops[i].is_started)
            pthread_join(server->loops[i].thread, NULL);
    while (atomic_load(&server->posting) > 0)
        sched_yield();
    assert(atomic_load(&server->owed) == 0);
    for (int i = 0; i < server->conf.loops; i++)
        loop_done(&server->loops[i]);
    if (server->has_socket)
        unlink(server->socket_path);
    SSL_CTX_free(server->tls);
    pthread_mutex_destroy(&server->tls_lock);
    free(server->certificate_path);
    free(server->key_path);
    free(server);
}

void http_closep(struct http_server **server)
{
    http_close(*server);
    *server = NULL;
}

int http_port(const struct http_server *server)
{
    return server->port;
}

enum err http_reload(struct http_server *server, struct problem *problem)
{
    SSL_CTX *fresh = NULL, *old;
    if (server->certificate_path == NULL || server->key_path == NULL)
        return OK;
    TRY(tls_load(server->certificate_path, server->key_path, &fresh, problem));
    pthread_mutex_lock(&server->tls_lock);
    old = server->tls;
    server->tls = fresh;
    pthread_mutex_unlock(&server->tls_lock);
    SSL_CTX_free(old); /* connections under way hold it until they end */
    return OK;
}

struct http_stats http_stats(const struct http_server *server)
{
    struct http_stats stats = {
        .connections = atomic_load(&server->connections),
        .owed = atomic_load(&server->owed),
        .held_bytes = atomic_load(&server->held_bytes),
        .spilled_bytes = atomic_load(&server->spilled_bytes),
    };
    for (int i = 0; i < server->conf.loops; i++) {
        const struct loop_counts *counts = &server->loops[i].counts;
        stats.accepted += atomic_load(&counts->accepted);
        stats.turned_away += atomic_load(&counts->turned_away);
        stats.requests += atomic_load(&counts->requests);
        stats.refused += atomic_load(&counts->refused);
        stats.dropped += atomic_load(&counts->dropped);
        stats.bytes_in += atomic_load(&counts->bytes_in);
        stats.bytes_out += atomic_load(&counts->bytes_out);
        stats.wakes += atomic_load(&counts->wakes);
        for (int k = 0; k < 6; k++)
            stats.status[k] += atomic_load(&counts->status[k]);
    }
    return stats;
}
