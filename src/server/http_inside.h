/*
 * http_inside: what the files of the HTTP server share; nobody else includes it.
 *
 *     http.c         server, listeners, loops, the mailbox between threads
 *     connection.c   one client: its life, answers written, deadlines
 *     reading.c      bytes in, requests out; large bodies by spill.h
 *     link.c         bytes with or without TLS
 *     request.c      what handlers see; answers made into bytes
 *     tls.c          certificate and key
 *
 *     a connection:  HEAD --> BODY --> OWED --> WRITING --+--> HEAD (keep-alive)
 *                      |       |        (handler has it)  +--> LINGER --> closed
 *                      +-------+--- refused --> WRITING --+
 *
 * Always true   a connection, its loop and `request->connection` are touched by that loop's
 *               thread only; other threads see a request's constant parts, its answer and the
 * mailbox.
 */
#ifndef DULT_SERVER_HTTP_INSIDE_H
#define DULT_SERVER_HTTP_INSIDE_H

#include <event2/event.h>
#include <event2/listener.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "server/http.h"
#include "server/spill.h"

enum {
    SCRATCH_BYTES = 256 << 10,     /* one read takes a whole batch request */
    BODY_FIRST_BYTES = 64 << 10,   /* a body's memory grows by what came, not by what is claimed */
    PIPELINE_BYTES_MAX = 64 << 10, /* read ahead while an answer is owed; then reading stops */
    BYTES_PER_MS_MIN = 64,         /* long bodies and answers earn time at this rate */
    TICK_MS = 250,                 /* how late a deadline may be noticed */
    ADDRESS_SLOTS = 1 << 16,
    BLOCK_CLASSES = 8, /* 2 KB, 4 KB ... 256 KB */
    BLOCK_FIRST_BYTES = 2048,
    BLOCKS_KEPT_MAX = 2048, /* of 2 KB, half as many of 4 KB: 4 MB a class and loop */
};
_Static_assert((int)PIPELINE_BYTES_MAX >= (int)GATE_HEAD_BYTES_MAX,
               "a whole head fits what is read ahead");
_Static_assert(SCRATCH_BYTES >= PIPELINE_BYTES_MAX, "what one read left over fits");

struct loop;
struct connection;

/* An answer as bytes: one block made for it, then perhaps bytes that last. */
struct outbound {
    char      *memory;
    size_t     len, sent;
    struct str tail;
    bool       is_last;               /* the connection ends after it */
    void (*tail_done)(void *context); /* the tail was lent; NULL: it lasts */
    void   *tail_context;
    int64_t write_ms_max; /* 0: as the server has it */
};

struct http_request {
    struct loop         *loop;
    struct connection   *connection; /* NULL when the client has left */
    struct http_request *next;       /* in the mailbox */
    struct str           bytes;      /* the head; behind this struct */
    struct str           body;       /* behind the head, or in body_memory */
    char                *body_memory;
    size_t               body_room;
    struct spill         spill;      /* open: body_memory is its */
    int64_t              held_bytes; /* counted in the server's sum */
    int                  block_class;
    bool                 is_early; /* the body has not come whole */
    bool                 is_https, is_local;
    char                 peer[HTTP_PEER_BYTES];
    atomic_bool          is_answered, is_left;
    _Atomic int64_t      longer_ms; /* on top of answer_ms_max */
    struct outbound      out;
    int                  out_status;
    int64_t              out_not_before_ms;
    alignas(16) char note[HTTP_NOTE_BYTES];
    struct gate_head head; /* its unused fields are not written */
};

enum connection_state {
    CONNECTION_HEAD,
    CONNECTION_BODY,
    CONNECTION_OWED,
    CONNECTION_WRITING,
    CONNECTION_LINGER,
    CONNECTION_DEAD,
};

struct connection {
    struct connection    *next, *previous;
    struct loop          *loop;
    int                   fd;
    SSL                  *ssl;
    struct event         *readable, *writable; /* the second is made when first needed */
    enum connection_state state;
    bool                  is_reading, is_waiting_to_write, has_ended, is_local, is_trusted;
    struct proxy_address  peer;
    char                  peer_text[HTTP_PEER_BYTES];
    uint32_t              address_slot;
    int64_t               deadline_ms;

    char  *in; /* bytes read but not used up; NULL when none */
    size_t in_len, in_room, in_seen;

    struct http_request *request; /* being read, or owed */
    size_t               body_bytes_max;
    struct gate_chunk   *chunk; /* while a chunked body comes */
    struct outbound      out;
};

/* A request's memory when it is free: kept for the next one of its size. */
struct block {
    struct block *next;
};

struct loop_counts {
    _Atomic uint64_t accepted, turned_away, requests, refused, dropped, bytes_in, bytes_out, wakes;
    _Atomic uint64_t status[6];
};

struct loop {
    struct http_server            *server;
    int                            index;
    pthread_t                      thread;
    bool                           is_started, is_listening;
    struct event_base             *base;
    struct evconnlistener         *listeners[2]; /* TCP, Unix */
    struct event                  *wake_event, *tick_event;
    int                            wake_fd;
    _Atomic(struct http_request *) mailbox; /* newest first */
    struct http_request           *held;    /* answered, and not to be written yet */
    struct connection             *connections, *dead;
    int64_t                        owed; /* requests alive */
    int64_t                        now_ms;
    char                          *scratch;
    struct block                  *blocks[BLOCK_CLASSES];
    uint32_t                       blocks_kept[BLOCK_CLASSES];
    struct loop_counts             counts;
};

enum { SERVER_OPEN, SERVER_STOPPING, SERVER_CLOSING };

struct http_server {
    struct http_conf conf;
    int              port;
    bool             has_socket; /* the socket's file is ours to remove */
    char             socket_path[108];
    char             spill_dir[4096]; /* empty: none */
    char            *certificate_path, *key_path;
    pthread_mutex_t  tls_lock;
    SSL_CTX         *tls; /* under tls_lock */
    atomic_int       phase;
    atomic_int       posting; /* threads between making an answer and having woken its loop */
    _Atomic int64_t  connections, held_bytes, spilled_bytes, owed;
    uint64_t         address_seed;
    _Atomic uint16_t
                address_counts[ADDRESS_SLOTS]; /* by hash: who shares a slot shares its bound */
    struct loop loops[HTTP_LOOPS_MAX];
};

#define COUNT(loop, what, by)                                                                      \
    atomic_fetch_add_explicit(&(loop)->counts.what, (uint64_t)(by), memory_order_relaxed)

/* The loop whose thread we are on, or NULL. */
struct loop *loop_here(void);
/* Every callback of libevent's begins and ends so: the clock is read; answers go out, the dead go.
 */
void http_loop_begin(struct loop *loop);
void http_loop_end(struct loop *loop);
/* Hands answered requests, linked newest to oldest, to their loop. */
void http_loop_post(struct loop *loop, struct http_request *newest, struct http_request *oldest);

void connection_open(struct loop *loop, int fd, const struct proxy_address *peer, bool is_local);
void connection_close(struct connection *connection);
void connection_answer(struct http_request *request);                 /* its answer is made */
void connection_ready(evutil_socket_t fd, short what, void *context); /* libevent's callback */
void connection_flush(struct connection *connection);
/* Refuses what has come so far, request or not, and ends the connection. */
void connection_turn_away(struct connection *connection, int status, const char *code,
                          const char *what, const char *remedy);
void connection_read(struct connection *connection);
void connection_take(struct connection *connection);   /* from its own bytes; keeps the rest */
void connection_forget(struct connection *connection); /* bytes read but not used up */
void connection_want_read(struct connection *connection, bool wanted);
void connection_want_write(struct connection *connection, bool wanted);

enum { LINK_ENDED = 0, LINK_WAIT = -1, LINK_BROKEN = -2 };
/* How many bytes, or one of the three above. */
ssize_t link_read(struct connection *connection, char *to, size_t room);
ssize_t link_write(struct connection *connection, struct str a, struct str b);

void connection_tick(struct connection *connection);
void connection_stop(struct connection *connection, bool is_closing);
bool connection_is_busy(const struct connection *connection);

/* A request of `bytes` (head and perhaps body), read by the gate as `head`. NULL without memory. */
struct http_request *request_make(struct connection *connection, const struct gate_head *head,
                                  struct str bytes);
void                 request_free(struct http_request *request);
void                 request_blocks_done(struct loop *loop);
/* Makes the bytes of an answer. `request` is NULL when nothing could be read as one. */
struct outbound outbound_make(const struct http_request *request, const struct http_answer *answer,
                              bool is_stopping);
void            outbound_done(struct outbound *out);
void request_report(const struct http_server *server, const struct http_refusal *refusal);

MUST enum err tls_load(const char *certificate_path, const char *key_path, SSL_CTX **out,
                       struct problem *problem);

#endif
