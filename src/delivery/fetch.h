/*
 * fetch: calls to other people's servers: webhooks, providers. libcurl on the loop.
 *
 *      any thread: fetch_send --> loop: curl multi --> the world --> call(response), loop's thread
 *
 * Always true   each request sent is called back once; no redirect is followed, no proxy or
 *               netrc of the environment is used, only http and https are spoken; an inside
 *               address (guard.h) is refused at the moment of connecting unless conf allows it.
 *               A request is written at most once: of one that is not `repeatable` the body cannot
 *               be read a second time, so that curl cannot quietly send it again when a kept
 *               connection proves dead; one without a body gets a connection of its own.
 * Cost          one curl handle a request; kept connections belong to the client.
 */
#ifndef DULT_DELIVERY_FETCH_H
#define DULT_DELIVERY_FETCH_H

#include "delivery/loop.h"

enum {
    FETCH_HEADERS_MAX = 32,
    FETCH_HEAD_BYTES_MAX = 16 << 10, /* of an answer; what is beyond is left out */
    FETCH_TIMEOUT_MS_MAX = 120000,
    FETCH_RESPONSE_BYTES_MAX = 16 * 1024 * 1024, /* asked for less by response_bytes_max */
    FETCH_REQUESTS_MAX = 256,                    /* at once; further ones are refused */
};

struct fetch_conf {
    bool        allow_inside; /* may call 127.0.0.1 and the like; for development */
    const char *ca_file;      /* NULL: the system's authorities */
    const char *agent;        /* NULL: "Dult" */
};

struct fetch_response {
    enum err err; /* OK: there is a status. ERR_DENIED: inside address. ERR_LIMIT: the answer
                     is too long. ERR_IO: no answer. ERR_INPUT: not a URL to call */
    int        status;
    struct str body;          /* borrowed until the call returns */
    struct str headers;       /* the last answer's lines, at most FETCH_HEAD_BYTES_MAX; borrowed */
    int64_t    retry_after_s; /* what the server asked for, 0 when nothing */
    bool       in_doubt;      /* not OK, and the whole request may have been written */
    bool       was_stale;     /* not OK nor in doubt, on a connection kept from before: a new one
                               * may do */
    char text[256];           /* why, when err is not OK */
};

struct fetch_request {
    const char *method; /* "GET", "POST", "PUT", "DELETE"; terminated, as are URL and headers */
    const char *url;
    const char *headers[FETCH_HEADERS_MAX]; /* "Name: value"; the first NULL ends them */
    struct str  body;
    int64_t     timeout_ms;         /* 1..FETCH_TIMEOUT_MS_MAX */
    size_t      response_bytes_max; /* 1..FETCH_RESPONSE_BYTES_MAX */
    bool        repeatable;         /* it carries an idempotency key, or only reads */
    bool        is_question;        /* it only reads, so that without an answer nothing was done */
    void (*call)(void *ctx, const struct fetch_response *response);
    void *ctx;
};

struct fetch;

/* The value of the answer's header of that name, or the empty text. */
struct str fetch_response_header(const struct fetch_response *response, struct str name);

struct fetch *fetch_open(struct loop             *loop,
                         const struct fetch_conf *conf); /* NULL without memory */

/* Ends every request under way (each is called back, ERR_IO) and frees. NULL is nothing. */
void fetch_close(struct fetch *fetch);

/* Copies what the request points at. ERR_INPUT: a field out of bounds, a CR or LF in a header or
 * the URL. ERR_WAIT: FETCH_REQUESTS_MAX are under way. Then there is no call. */
MUST enum err fetch_send(struct fetch *fetch, const struct fetch_request *request,
                         struct problem *problem);

#endif
