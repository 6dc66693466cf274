/*
 * serve: the parts of a running Dult, put together and taken apart in order.
 *
 *      secrets -> core -> api -> http -> listener -> sender          open
 *      http -> listener -> sender -> core -> api -> secrets          close
 *
 * There is one way to do things, whether a server runs or not: a command speaks to the API on a
 * Unix socket in the data folder. Where no server holds the folder, it opens one of these for
 * itself, private: no TCP, nothing is sent.
 *
 * Always true   after serve_close every answer given is on disk and no thread of it runs.
 */
#ifndef DULT_RUN_SERVE_H
#define DULT_RUN_SERVE_H

#include "run/config.h"

#define SERVE_SOCKET_NAME "dult.sock"

enum { SERVE_PATH_BYTES_MAX = 108 }; /* the system's bound for a socket's path */

struct serve;

struct serve_conf {
    const char          *dir;
    const struct config *config;
    const char          *socket_path;
    bool                 is_private; /* for one command: no TCP, no delivery */
};

MUST enum err serve_open(struct serve **out, const struct serve_conf *conf,
                         struct problem *problem);
void          serve_close(struct serve *serve); /* NULL is nothing */

/* Takes the certificate and its key anew. On failure the old ones stay. */
MUST enum err serve_reload(struct serve *serve, struct problem *problem);
/* The ways out of ways.json, their descriptions and secrets: sender_reload. The same. */
MUST enum err serve_reload_ways(struct serve *serve, struct problem *problem);

/* "http://127.0.0.1:8080": where it listens, not where people reach it. */
const char *serve_origin(const struct serve *serve);
/* The token for the first owner; empty when there is an owner already. */
const char *serve_owner_token(const struct serve *serve);

#endif
