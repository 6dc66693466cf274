/*
 * client: one question after the other, over the Unix socket in a data folder.
 *
 * A blocking HTTP/1.1 client that keeps its connection. It speaks to our own server alone, so it
 * reads only what that writes: a status, headers, Content-Length, a body.
 *
 * Always true   an answer of 400 or more is an error with the server's own words in *problem.
 * Bounds        below; a socket's path that is longer than the system takes is reached by way of
 *               an open folder.
 */
#ifndef DULT_RUN_CLIENT_H
#define DULT_RUN_CLIENT_H

#include <stdio.h>

#include "base/json.h"

enum {
    CLIENT_HEAD_BYTES_MAX = 16 * 1024,
    CLIENT_BODY_BYTES_MAX = 128 << 20, /* the server's own bound for one answer is half of it */
    CLIENT_LONG_WAIT_S = 1800,         /* for an answer that is written to a file first */
    CLIENT_WAIT_S = 120,               /* for an answer; the server gives up after 60 */
};

struct client;

/* ERR_ABSENT: there is no such socket, or nobody listens behind it; ERR_IO. */
MUST enum err client_open(struct client **out, const char *dir, const char *socket_name,
                          struct problem *problem);
void          client_close(struct client *client); /* NULL is nothing */
void          client_closep(struct client **client);

/* What a status of 400 or more means. */
enum err client_err(int status);

struct client_answer {
    int        status;
    struct str body; /* borrowed until the next call */
};

/*
 * Asks and waits. `path` with its query, escaped. ERR_ABSENT (404), ERR_CONFLICT (409), ERR_WAIT
 * (429, 503), ERR_DENIED (401, 403), ERR_INPUT (other 4xx), ERR_IO.
 */
MUST enum err client_call(struct client *client, const char *method, struct str path,
                          struct str body, struct client_answer *out, struct problem *problem);

/* The same, and the answer's JSON in the arena. `out` may be NULL. */
MUST enum err client_json(struct client *client, struct arena *arena, const char *method,
                          struct str path, struct str body, struct json *out,
                          struct problem *problem);

/*
 * Asks by GET, waits up to CLIENT_LONG_WAIT_S for the first byte, and writes the body, however
 * long, to `to` as it comes. ERR_IO also where that cannot be written.
 */
MUST enum err client_save(struct client *client, struct str path, FILE *to,
                          struct problem *problem);

/*
 * A path for `dir`/`name` that fits a socket's address, in `out` (108 bytes). A folder is opened
 * for one that is too long: *folder is its descriptor, or -1; it must stay open as long as the path
 * is used. ERR_ABSENT, ERR_IO.
 */
MUST enum err client_socket_path(const char *dir, const char *name, char *out, int *folder);

#endif
