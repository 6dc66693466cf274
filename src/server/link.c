#include "server/http_inside.h"

#include <errno.h>
#include <openssl/err.h>
#include <sys/socket.h>

static ssize_t link_result(struct connection *connection, int got)
{
    switch (SSL_get_error(connection->ssl, got)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return LINK_WAIT;
    case SSL_ERROR_ZERO_RETURN:
        return LINK_ENDED;
    default:
        ERR_clear_error();
        return LINK_BROKEN;
    }
}

ssize_t link_read(struct connection *connection, char *to, size_t room)
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

ssize_t link_write(struct connection *connection, struct str a, struct str b)
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

void connection_want_read(struct connection *connection, bool wanted)
{
    if (connection->is_reading == wanted)
        return;
    connection->is_reading = wanted;
    if (wanted)
        event_add(connection->readable, NULL);
    else
        event_del(connection->readable);
}

void connection_want_write(struct connection *connection, bool wanted)
{
    if (connection->is_waiting_to_write == wanted)
        return;
    if (connection->writable == NULL)
        connection->writable = event_new(connection->loop->base, connection->fd,
                                         EV_WRITE | EV_PERSIST, connection_ready, connection);
    if (connection->writable == NULL)
        return; /* the deadline will end it */
    connection->is_waiting_to_write = wanted;
    if (wanted)
        event_add(connection->writable, NULL);
    else
        event_del(connection->writable);
}
