#include "run/returned/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"
#include "intake/postbox.h"
#include "run/returned/returned.h"

enum {
    READ_BYTES = 64 << 10,
    PLACES = LISTENER_CONNECTIONS_MAX + 2, /* and the port, and the pipe that ends it */
    AT_END = LISTENER_CONNECTIONS_MAX,
    AT_PORT,
};

struct connection {
    int             fd; /* -1: free */
    struct postbox *postbox;
    struct buf      out;
    size_t          written;
    bool            is_over; /* closed once `out` is written */
    int64_t         heard_ms;
};

struct listener {
    struct listener_conf conf;
    int                  fd, end[2], port;
    pthread_t            thread;
    bool                 started;
    struct trail_desk    desk;
    struct connection    connections[LISTENER_CONNECTIONS_MAX];
};

/* ---- mailboxes ---- */

/* The token in b-{token}@..., or with its "u-" in u-{token}@...; empty: it is no address of ours.
 */
static struct str path_of(struct str address)
{
    size_t     at = str_find_char(address, 0, '@');
    struct str prefix = str_slice(address, 0, 2);
    if (at == address.len)
        return STR_NONE;
    if (str_eq_nocase(prefix, STR("b-")))
        return str_slice(address, 2, at);
    return str_eq_nocase(prefix, STR("u-")) ? str_slice(address, 0, at) : STR_NONE;
}

static struct str token_of(struct str address)
{
    struct str path = path_of(address);
    bool       leaves = str_eq_nocase(str_slice(path, 0, 2), STR("u-"));
    return leaves ? str_slice(path, 2, path.len) : path;
}

static bool knows(void *context, struct str address)
{
    struct listener *listener = context;
    struct token     token;
    struct str       text = token_of(address);
    return text.len > 0 && text.len <= TOKEN_TEXT_BYTES_MAX &&
           token_read_caseless(listener->conf.keys, TOKEN_MESSAGE, text, &token) == OK;
}

static enum err take(void *context, struct str address, struct str mail)
{
    struct listener *listener = context;
    struct returned *returned = calloc(1, sizeof *returned);
    enum err         err = ERR_MEMORY;
    if (returned != NULL)
        err = returned_take(&listener->desk, listener->conf.core, listener->conf.keys,
                            path_of(address), mail, returned);
    free(returned);
    arena_reset(listener->desk.arena);
    return err;
}

/* ---- connections ---- */

static void connection_close(struct connection *connection)
{
    close(connection->fd);
    postbox_close(connection->postbox);
    buf_done(&connection->out);
    *connection = (struct connection){ .fd = -1 };
}

static void connection_write(struct connection *connection)
{
    struct str rest = buf_view(&connection->out);
    rest = str_slice(rest, connection->written, rest.len);
    ssize_t count =
        rest.len == 0 ? 0 : send(connection->fd, rest.ptr, rest.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count < 0) {
        connection_close(connection);
        return;
    }
    connection->written += (size_t)count;
    if (connection->written < connection->out.len)
        return;
    buf_reset(&connection->out);
    connection->written = 0;
    if (connection->is_over)
        connection_close(connection);
}

static void connection_read(struct connection *connection)
{
    char    bytes[READ_BYTES];
    ssize_t count = recv(connection->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count <= 0) {
        connection_close(connection);
        return;
    }
    connection->heard_ms = time_mono_us() / 1000;
    connection->is_over = !postbox_read(connection->postbox, (struct str){ bytes, (size_t)count },
                                        &connection->out) ||
                          buf_err(&connection->out) != OK;
    connection_write(connection);
}

static void turn_away(int fd)
{
    static const char reply[] = "421 4.3.2 Too many connections; come again\r\n";
    (void)!send(fd, reply, sizeof reply - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(fd);
}

static void connection_take(struct listener *listener)
{
    int                fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct connection *free_one = NULL;
    if (fd < 0)
        return;
    for (int i = 0; i < LISTENER_CONNECTIONS_MAX && free_one == NULL; i++)
        if (listener->connections[i].fd < 0)
            free_one = &listener->connections[i];
    struct postbox *postbox =
        free_one == NULL
            ? NULL
            : postbox_open(listener->conf.name, (struct postbox_calls){ listener, knows, take });
    if (postbox == NULL) {
        turn_away(fd);
        return;
    }
    *free_one = (struct connection){ .fd = fd,
                                     .postbox = postbox,
                                     .out = buf_make(2 * POSTBOX_REPLY_BYTES_MAX),
                                     .heard_ms = time_mono_us() / 1000 };
    (void)!postbox_read(postbox, STR_NONE, &free_one->out);
    connection_write(free_one);
}

static void idle_close(struct listener *listener)
{
    int64_t now_ms = time_mono_us() / 1000;
    for (int i = 0; i < LISTENER_CONNECTIONS_MAX; i++)
        if (listener->connections[i].fd >= 0 &&
            now_ms - listener->connections[i].heard_ms > LISTENER_IDLE_MS)
            connection_close(&listener->connections[i]);
}

/* Who does not take our replies is not listened to. */
static void polls_fill(const struct listener *listener, struct pollfd *polls)
{
    for (int i = 0; i < LISTENER_CONNECTIONS_MAX; i++) {
        const struct connection *connection = &listener->connections[i];
        bool                     is_waiting = connection->out.len > connection->written;
        polls[i] = (struct pollfd){ .fd = connection->fd, .events = is_waiting ? POLLOUT : POLLIN };
    }
    polls[AT_END] = (struct pollfd){ .fd = listener->end[0], .events = POLLIN };
    polls[AT_PORT] = (struct pollfd){ .fd = listener->fd, .events = POLLIN };
}

static void *listen_thread(void *context)
{
    struct listener *listener = context;
    struct pollfd    polls[PLACES];
    pthread_setname_np(pthread_self(), "returned");
    for (;;) {
        polls_fill(listener, polls);
        if (poll(polls, PLACES, LISTENER_IDLE_MS / 4) < 0 && errno != EINTR)
            return NULL;
        if (polls[AT_END].revents != 0)
            return NULL;
        for (int i = 0; i < LISTENER_CONNECTIONS_MAX; i++) {
            if (polls[i].fd < 0 || polls[i].revents == 0)
                continue;
            if ((polls[i].events & POLLOUT) != 0)
                connection_write(&listener->connections[i]);
            else
                connection_read(&listener->connections[i]);
        }
        if (polls[AT_PORT].revents != 0)
            connection_take(listener);
        idle_close(listener);
    }
}

/* ---- life ---- */

static enum err port_bind(struct listener *listener, const struct addrinfo *where)
{
    struct sockaddr_storage address;
    socklen_t               len = sizeof address;
    char                    port[NI_MAXSERV];
    int                     yes = 1;
    listener->fd = socket(where->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener->fd < 0)
        return ERR_IO;
    (void)setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener->fd, where->ai_addr, where->ai_addrlen) != 0 ||
        listen(listener->fd, SOMAXCONN) != 0 ||
        getsockname(listener->fd, (struct sockaddr *)&address, &len) != 0 ||
        getnameinfo((struct sockaddr *)&address, len, NULL, 0, port, sizeof port, NI_NUMERICSERV) !=
            0)
        return ERR_IO;
    listener->port = atoi(port);
    return OK;
}

static enum err port_open(struct listener *listener, struct problem *problem)
{
    struct addrinfo  hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
    struct addrinfo *where = NULL;
    char             port[16];
    snprintf(port, sizeof port, "%d", listener->conf.port);
    if (getaddrinfo(listener->conf.host, port, &hints, &where) != 0)
        return problem_set(problem, ERR_INPUT, "bounce_listen", "There is no such host.",
                           "Give host:port of this machine, such as 127.0.0.1:2525.");
    errno = 0;
    enum err err = port_bind(listener, where);
    freeaddrinfo(where);
    if (err == OK)
        return OK;
    return problem_format(problem, ERR_IO, "bounce_listen",
                          "Give another port, or end the program that has it.",
                          "It cannot be listened to (%s).", strerror(errno));
}

static enum err desk_open(struct listener *listener)
{
    TRY(store_reader_open(core_store(listener->conf.core), "returned mail",
                          &listener->desk.reader));
    listener->desk.parser = json_parser_open();
    listener->desk.arena = arena_open(RETURNED_ARENA_BYTES_MAX);
    return listener->desk.parser == NULL || listener->desk.arena == NULL ? ERR_MEMORY : OK;
}

static enum err begin(struct listener *listener, struct problem *problem)
{
    TRY(desk_open(listener));
    TRY(port_open(listener, problem));
    if (pipe2(listener->end, O_CLOEXEC) != 0)
        return ERR_IO;
    listener->started = pthread_create(&listener->thread, NULL, listen_thread, listener) == 0;
    return listener->started ? OK : ERR_MEMORY;
}

enum err listener_open(struct listener **out, const struct listener_conf *conf,
                       struct problem *problem)
{
    struct listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL)
        return ERR_MEMORY;
    listener->conf = *conf;
    listener->fd = listener->end[0] = listener->end[1] = -1;
    for (int i = 0; i < LISTENER_CONNECTIONS_MAX; i++)
        listener->connections[i].fd = -1;
    enum err err = begin(listener, problem);
    if (err != OK) {
        listener_close(listener);
        return err;
    }
    *out = listener;
    return OK;
}

static void fd_close(int fd)
{
    if (fd >= 0)
        close(fd);
}

void listener_close(struct listener *listener)
{
    if (listener == NULL)
        return;
    if (listener->started) {
        fd_close(listener->end[1]);
        listener->end[1] = -1;
        pthread_join(listener->thread, NULL);
    }
    for (int i = 0; i < LISTENER_CONNECTIONS_MAX; i++)
        if (listener->connections[i].fd >= 0)
            connection_close(&listener->connections[i]);
    fd_close(listener->fd);
    fd_close(listener->end[0]);
    fd_close(listener->end[1]);
    store_reader_close(listener->desk.reader);
    json_parser_close(listener->desk.parser);
    arena_close(listener->desk.arena);
    free(listener);
}

int listener_port(const struct listener *listener)
{
    return listener->port;
}
