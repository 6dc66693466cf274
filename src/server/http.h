/*
 * http: an HTTP/1.1 server whose answers may come later, from another thread.
 *
 *     clients --> loop thread: gate, admit, body --> handle() --> ... engine, commit ...
 *                      ^                                                    |
 *                      +---- one wake for a batch <--- http_reply / http_batch_send
 *
 * N loop threads, each with its own libevent base and its own listening socket (SO_REUSEPORT),
 * never share a connection. A request is handed to `handle` whole: head, and body as one run of
 * bytes. It lives until it is answered, whatever becomes of its client meanwhile; an answer for a
 * client who left is dropped. Requests of one connection are served one after the other.
 *
 * We read requests ourselves (gate.h) rather than through libevent's own HTTP reader: that one
 * cuts a header at NUL, takes a bare LF, folds lines and reads "0x5" as a chunk's size before a
 * gate could look, and it moves a body in pieces of 4 KB with two system calls each (README:
 * figures).
 *
 * Always true   every request handed out is answered exactly once; the accessors' text is borrowed
 *               from the request and ends with its answer.
 *               A request that is refused before its body was read closes the connection.
 * Bounds        below; each has a default when left 0.
 * Knows not     routes, keys, events: `admit` and `handle` are the caller's (router.h is one).
 */
#ifndef DULT_SERVER_HTTP_H
#define DULT_SERVER_HTTP_H

#include "base/buf.h"
#include "server/gate.h"
#include "server/proxy.h"
#include "server/query.h"

enum {
    HTTP_LOOPS_MAX = 64,
    HTTP_CONNECTIONS_MAX = 10000,       /* in all: file descriptors are counted */
    HTTP_ADDRESS_CONNECTIONS_MAX = 256, /* one address: a busy office, not a flood */
    HTTP_BODY_BYTES_MAX = 1 << 20,      /* a route that wants more says so */
    HTTP_HELD_BYTES_MAX = 512 << 20,    /* all bodies in memory, not yet answered, together */
    HTTP_SPILLED_BYTES_MAX = 1 << 30,   /* those of them on disk, together */
    HTTP_REQUEST_MS_MAX = 30000,        /* first byte to last: slow senders are cut */
    HTTP_ANSWER_MS_MAX = 60000,         /* handler's time, then 503 */
    HTTP_WRITE_MS_MAX = 60000,          /* a slow reader's time for one answer */
    HTTP_IDLE_MS_MAX = 75000,           /* keep-alive with nothing on the way */
    HTTP_LINGER_MS_MAX = 2000,          /* after a refusal, so that its text arrives */
    HTTP_NOTE_BYTES = 320,              /* room in a request for who admits and handles it */
    HTTP_PEER_BYTES = 48,               /* an IPv6 address as text */
};

struct http_server;
struct http_request;

struct http_header {
    struct str name, value;
};

struct http_answer {
    int                       status;
    struct str                type; /* Content-Type; empty: none */
    const struct http_header *headers;
    size_t                    headers_count;
    struct str                body;
    bool                      is_body_lasting; /* outlives the server: not copied */
    /* With is_body_lasting: the body ends here, written or dropped; once, on any thread. NULL: it
     * outlives the server. */
    void (*body_done)(void *context);
    void   *body_context;
    bool    is_closing;    /* ends the connection after it */
    int64_t write_ms_max;  /* the client's time for it; 0: write_ms_max and more for many bytes */
    int64_t not_before_ms; /* by time_mono_us() / 1000: it is written at the first tick (250 ms)
                              after, so that its time tells nothing; 0: at once */
};

/* A request that was turned away, for refused.h and the log. Borrowed for the call. */
struct http_refusal {
    struct str peer, method, path;
    int        status;
    struct str what, remedy;
};

struct http_conf {
    const char *address;     /* "127.0.0.1", "::", ... NULL: no TCP listener */
    int         port;        /* 0: any free one, see http_port */
    const char *socket_path; /* a Unix socket for the command line, mode 0600; NULL: none */
    const char *certificate_path, *key_path; /* PEM; both or none: TLS on the TCP listener */
    const char *spill_dir; /* large bodies lie in files there (spill.h); NULL: in memory */
    const struct proxy_trust *trust; /* whose forwarded headers count; NULL: nobody's */

    int     loops; /* 0: one a processor */
    int     connections_max, address_connections_max;
    int64_t held_bytes_max;
    int64_t request_ms_max, answer_ms_max, write_ms_max, idle_ms_max;

    void *context;
    /*
     * The head has come. Returns the bound for the body in bytes, or -1 having answered already.
     * NULL: everything is admitted with HTTP_BODY_BYTES_MAX. Runs on a loop thread: no waiting.
     */
    int64_t (*admit)(void *context, struct http_request *request);
    /* The request has come whole. Answer now or later, from any thread. */
    void (*handle)(void *context, struct http_request *request);
    /* Somebody was turned away (any thread). NULL: nobody listens. */
    void (*refused)(void *refused_context, const struct http_refusal *refusal);
    void *refused_context;
};

/* Listens and starts its threads. `conf` is copied; `trust` and `context` must outlive the server.
 */
MUST enum err http_open(const struct http_conf *conf, struct http_server **out,
                        struct problem *problem);
/* No new connections, keep-alive ends with the next answer. Requests under way go on. */
void http_stop(struct http_server *server);
/* Stops, waits for answers still owed to be written, joins. Every request must get its answer. */
void http_close(struct http_server *server);
void http_closep(struct http_server **server);

int http_port(const struct http_server *server);
/* Reads certificate and key again (SIGHUP); on failure the old ones stay in use. */
MUST enum err http_reload(struct http_server *server, struct problem *problem);

/* ---- the request ---- */

enum gate_method http_method(const struct http_request *request);
struct str       http_path(const struct http_request *request);  /* as sent, still escaped */
struct str       http_query(const struct http_request *request); /* as sent, without '?' */
struct str       http_header(const struct http_request *request, struct str name); /* or STR_NONE */
struct str       http_body(const struct http_request *request);
struct str       http_host(const struct http_request *request);
struct str http_peer(const struct http_request *request);   /* the client, proxies seen through */
struct str http_scheme(const struct http_request *request); /* "http" or "https" */
/* True for the Unix socket: whoever may open the data folder is the owner. */
bool http_is_local(const struct http_request *request);
/* Decoded value of the first such parameter into *out; false when absent or badly escaped. */
bool http_query_get(const struct http_request *request, struct str name, struct buf *out);
/* The cookie's value as sent, or STR_NONE. */
struct str http_cookie(const struct http_request *request, struct str name);
/*
 * True once nobody may be waiting for the answer any more: the connection is gone, the time for an
 * answer is over, or the client has closed its half. Any thread; for work that may be given up.
 */
bool http_is_left(const struct http_request *request);
/* The answer will take as much longer than answer_ms_max. Any thread, before it is given. */
void http_take_longer(struct http_request *request, int64_t longer_ms);
/* HTTP_NOTE_BYTES, zeroed at the start, 16-aligned. */
void *http_note(struct http_request *request);

/* ---- the answer; any thread, exactly once ---- */

void http_reply(struct http_request *request, const struct http_answer *answer);
void http_reply_json(struct http_request *request, int status, struct str json);
/* {"error":{"code","where","what","remedy"}}, and told to `refused`. `headers` may be NULL. */
void http_reply_problem(struct http_request *request, int status, const char *code,
                        const struct problem *problem, const struct http_header *headers,
                        size_t headers_count);
/* Writes that object; for those who build their own answers. */
void http_problem_write(struct buf *out, const char *code, const struct problem *problem);

/*
 * Many answers at once: added by one thread, sent with one wake a loop.
 *
 *     struct http_batch batch = http_batch_make(server);
 *     for (...) http_batch_add(&batch, request, &answer);
 *     http_batch_send(&batch);
 */
struct http_batch {
    struct http_server  *server;
    struct http_request *first[HTTP_LOOPS_MAX], *last[HTTP_LOOPS_MAX];
};

struct http_batch http_batch_make(struct http_server *server);
void              http_batch_add(struct http_batch *batch, struct http_request *request,
                                 const struct http_answer *answer);
/* The batch is empty again. Not for an empty batch whose server may be closed by now. */
void http_batch_send(struct http_batch *batch);

struct http_stats {
    uint64_t accepted, turned_away;      /* connections; the second by a bound */
    uint64_t requests, refused, dropped; /* dropped: answers for clients who had left */
    uint64_t bytes_in, bytes_out, wakes;
    uint64_t status[6];                                    /* [2]: how many 2xx, and so on */
    int64_t  connections, owed, held_bytes, spilled_bytes; /* now */
};

struct http_stats http_stats(const struct http_server *server);

#endif
