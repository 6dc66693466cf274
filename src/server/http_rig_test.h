/*
 * http_rig: a server whose requests are answered by another thread, in batches, and a client of it.
 *
 * The answer tells what was understood: "METHOD path?query peer scheme body-length body". "/hold"
 * waits until the test lets go; "/hidden" is what smuggled requests ask for; "/denied" is not
 * admitted.
 */
#ifndef DULT_SERVER_HTTP_RIG_TEST_H
#define DULT_SERVER_HTTP_RIG_TEST_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/queue.h"
#include "base/test.h"
#include "server/http.h"

enum { TEXT_BYTES = 8192 };

struct rig {
    struct http_conf    conf;
    struct http_server *server;
    struct queue       *line, *held;
    pthread_t           thread;
    atomic_int          hidden, refused, held_count;
    int64_t             body_bytes_max;
};

/* What `conf` leaves open is chosen: 127.0.0.1, any port, two loops. */
struct rig *rig_open(struct http_conf conf);
void        rig_let_go(struct rig *rig);
void        rig_close(struct rig *rig);
/* The rig's own handler, for a second server. */
void rig_handle(void *rig, struct http_request *request);
/* What the rig answers. */
void rig_answer(struct http_batch *batch, struct http_request *request);

int  rig_dial(const struct rig *rig);
void rig_say(int fd, struct str bytes);
/* Reads until the server closes (true) or 10 seconds pass (false). */
bool rig_hear_all(int fd, char *out, size_t room);
/* Reads one answer by its Content-Length; the body in *body. False when the line ends before. */
bool rig_hear_one(int fd, char *out, size_t room, struct str *body);
/* Says it all on a new connection and reads TEXT_BYTES until the end; the status, or 0. */
int rig_ask(const struct rig *rig, struct str bytes, char *out);
/* How often the part is in the text. */
int rig_count_of(const char *text, const char *part);

#endif
