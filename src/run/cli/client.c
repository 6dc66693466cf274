#include "run/cli/client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { SOCKET_PATH_BYTES = sizeof((struct sockaddr_un *)0)->sun_path };

struct client {
    int        fd;
    struct buf in; /* head and body of the answer being read */
};

enum err client_socket_path(const char *dir, const char *name, char *out, int *folder)
{
    *folder = -1;
    if (snprintf(out, SOCKET_PATH_BYTES, "%s/%s", dir, name) < SOCKET_PATH_BYTES)
        return OK;
    int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? ERR_ABSENT : ERR_IO;
    snprintf(out, SOCKET_PATH_BYTES, "/proc/self/fd/%d/%s", fd, name);
    *folder = fd;
    return OK;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct timeval     wait = { .tv_sec = CLIENT_WAIT_S };
    int                fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    str_to_cstr(str_of(path), address.sun_path, sizeof address.sun_path);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

enum err client_open(struct client **out, const char *dir, const char *socket_name,
                     struct problem *problem)
{
    char path[SOCKET_PATH_BYTES];
    int  folder;
    TRY(client_socket_path(dir, socket_name, path, &folder));
    int fd = connect_to(path), error = errno;
    if (folder >= 0)
        close(folder);
    if (fd < 0 && (error == ENOENT || error == ECONNREFUSED || error == ENOTDIR))
        return ERR_ABSENT;
    if (fd < 0)
        return problem_format(problem, ERR_IO, dir, "Run this as the user who runs the server.",
                              "The server's socket in it cannot be used: %s.", strerror(error));
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        close(fd);
        return ERR_MEMORY;
    }
    *client =
        (struct client){ .fd = fd, .in = buf_make(CLIENT_BODY_BYTES_MAX + CLIENT_HEAD_BYTES_MAX) };
    *out = client;
    return OK;
}

void client_close(struct client *client)
{
    if (client == NULL)
        return;
    close(client->fd);
    buf_done(&client->in);
    free(client);
}

void client_closep(struct client **client)
{
    client_close(*client);
}

/* ---- writing ---- */

static enum err send_all(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return ERR_IO;
        bytes = str_slice(bytes, (size_t)sent, bytes.len);
    }
    return OK;
}

static enum err ask(struct client *client, const char *method, struct str path, struct str body)
{
    SCOPED(buf_donep) struct buf head = buf_make(CLIENT_HEAD_BYTES_MAX);
    buf_format(&head, "%s %.*s HTTP/1.1\r\nHost: localhost\r\n", method, STR_ARG(path));
    if (strcmp(method, "GET") != 0)
        buf_format(&head, "Content-Type: application/json\r\nContent-Length: %zu\r\n", body.len);
    buf_str(&head, STR("\r\n"));
    TRY(buf_err(&head));
    TRY(send_all(client->fd, buf_view(&head)));
    return send_all(client->fd, body);
}

/* ---- reading ---- */

static enum err receive(struct client *client)
{
    enum { PIECE_BYTES = 64 * 1024 };
    char *room = buf_reserve(&client->in, PIECE_BYTES);
    if (room == NULL)
        return buf_err(&client->in);
    ssize_t got;
    do
        got = recv(client->fd, room, PIECE_BYTES, 0);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return ERR_IO;
    buf_added(&client->in, (size_t)got);
    return OK;
}

static struct str header_value(struct str head, struct str name)
{
    struct str line;
    while (str_split(&head, '\n', &line)) {
        size_t colon = str_find_char(line, 0, ':');
        if (colon < line.len && str_eq_nocase(str_slice(line, 0, colon), name))
            return str_trim(str_slice(line, colon + 1, line.len));
    }
    return STR_NONE;
}

/* The head; what came after it lies behind *head_end. */
static enum err answer_head(struct client *client, size_t *head_end, int64_t *status,
                            int64_t *length)
{
    *length = *status = 0;
    while ((*head_end = str_find(buf_view(&client->in), 0, STR("\r\n\r\n"))) == client->in.len) {
        if (client->in.len > CLIENT_HEAD_BYTES_MAX)
            return ERR_CORRUPT;
        TRY(receive(client));
    }
    struct str head = str_slice(buf_view(&client->in), 0, *head_end);
    *head_end += 4;
    if (!str_starts(head, STR("HTTP/1.1 ")) || str_to_int(str_slice(head, 9, 12), status) != OK)
        return ERR_CORRUPT;
    struct str stated = header_value(head, STR("content-length"));
    return !str_is_empty(stated) && (str_to_int(stated, length) != OK || *length < 0) ? ERR_CORRUPT
                                                                                      : OK;
}

static enum err answer_body(struct client *client, size_t head_end, int64_t length,
                            struct client_answer *out)
{
    if (length > CLIENT_BODY_BYTES_MAX)
        return ERR_LIMIT;
    while (client->in.len < head_end + (size_t)length)
        TRY(receive(client));
    out->body = str_slice(buf_view(&client->in), head_end, head_end + (size_t)length);
    return OK;
}

static enum err answer(struct client *client, struct client_answer *out)
{
    size_t  head_end;
    int64_t length, status;
    TRY(answer_head(client, &head_end, &status, &length));
    out->status = (int)status;
    return answer_body(client, head_end, length, out);
}

/* A refusal is kept; anything else goes to the file piece by piece. */
static enum err answer_save(struct client *client, FILE *to, struct client_answer *out)
{
    size_t  head_end;
    int64_t length, status;
    TRY(answer_head(client, &head_end, &status, &length));
    out->status = (int)status;
    if (status >= 400)
        return answer_body(client, head_end, length, out);
    struct str piece = str_slice(buf_view(&client->in), head_end, client->in.len);
    for (;;) {
        if (fwrite(piece.ptr, 1, piece.len, to) != piece.len)
            return ERR_IO;
        length -= (int64_t)piece.len;
        if (length <= 0)
            return fflush(to) == 0 ? OK : ERR_IO;
        buf_reset(&client->in);
        TRY(receive(client));
        piece = buf_view(&client->in);
    }
}

/* ---- what a status means ---- */

enum err client_err(int status)
{
    switch (status) {
    case 404:
        return ERR_ABSENT;
    case 409:
        return ERR_CONFLICT;
    case 429:
    case 503:
        return ERR_WAIT;
    case 401:
    case 403:
        return ERR_DENIED;
    case 413:
        return ERR_LIMIT;
    default:
        return status >= 500 ? ERR_IO : ERR_INPUT;
    }
}

static void problem_copy(struct problem *problem, const struct json *error)
{
    str_to_cstr(json_get_str(error, STR("where")), problem->where, sizeof problem->where);
    str_to_cstr(json_get_str(error, STR("what")), problem->what, sizeof problem->what);
    str_to_cstr(json_get_str(error, STR("remedy")), problem->remedy, sizeof problem->remedy);
}

static enum err refusal(const struct client_answer *got, struct problem *problem)
{
    enum err      err = client_err(got->status);
    struct json   body;
    struct arena *arena = arena_open(1 << 20);
    bool          is_told = arena != NULL && json_parse_once(arena, got->body, &body, NULL) == OK &&
                   json_get(&body, STR("error")) != NULL;
    if (is_told)
        problem_copy(problem, json_get(&body, STR("error")));
    else
        (void)problem_format(problem, err, "", "", "The server answered %d.", got->status);
    arena_close(arena);
    return err;
}

enum err client_call(struct client *client, const char *method, struct str path, struct str body,
                     struct client_answer *out, struct problem *problem)
{
    struct client_answer got;
    buf_reset(&client->in);
    enum err err = ask(client, method, path, body);
    if (err == OK)
        err = answer(client, &got);
    if (err != OK)
        return problem_format(problem, err, "", "Did the server end? Its log tells why.",
                              "The server did not answer to the end (%s).", err_name(err));
    if (got.status >= 400)
        return refusal(&got, problem);
    *out = got;
    return OK;
}

enum err client_save(struct client *client, struct str path, FILE *to, struct problem *problem)
{
    struct client_answer got;
    struct timeval       wait = { .tv_sec = CLIENT_LONG_WAIT_S };
    setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    buf_reset(&client->in);
    enum err err = ask(client, "GET", path, STR_NONE);
    if (err == OK)
        err = answer_save(client, to, &got);
    if (err != OK)
        return problem_format(problem, err, "", "Is there room on the disk? The log tells more.",
                              "The answer did not come to its end (%s).", err_name(err));
    return got.status >= 400 ? refusal(&got, problem) : OK;
}

enum err client_json(struct client *client, struct arena *arena, const char *method,
                     struct str path, struct str body, struct json *out, struct problem *problem)
{
    struct client_answer got;
    struct json          ignored;
    TRY(client_call(client, method, path, body, &got, problem));
    if (out == NULL && str_is_empty(got.body))
        return OK;
    return json_parse_once(arena, got.body, out == NULL ? &ignored : out, problem);
}
