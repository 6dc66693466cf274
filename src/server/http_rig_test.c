#include "server/http_rig_test.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PLACES = 1024, BATCH = 64, CLIENT_WAIT_S = 10 };

void rig_handle(void *context, struct http_request *request)
{
    struct rig *rig = context;
    if (str_eq(http_path(request), STR("/hidden")))
        atomic_fetch_add(&rig->hidden, 1);
    bool is_held = str_eq(http_path(request), STR("/hold"));
    assert_ok(queue_put(is_held ? rig->held : rig->line, request));
    if (is_held)
        atomic_fetch_add(&rig->held_count, 1);
}

static int64_t rig_admit(void *context, struct http_request *request)
{
    struct rig *rig = context;
    if (!str_eq(http_path(request), STR("/denied")))
        return rig->body_bytes_max;
    http_reply_json(request, 401, STR("{}"));
    return -1;
}

static void rig_refused(void *context, const struct http_refusal *refusal)
{
    struct rig *rig = context;
    assert_true(refusal->what.len > 0 && refusal->remedy.len > 0);
    atomic_fetch_add(&rig->refused, 1);
}

void rig_answer(struct http_batch *batch, struct http_request *request)
{
    struct buf out = buf_make(8 << 20);
    buf_format(&out, "%.*s %.*s?%.*s %.*s %.*s %zu ",
               STR_ARG(gate_method_name(http_method(request))), STR_ARG(http_path(request)),
               STR_ARG(http_query(request)), STR_ARG(http_peer(request)),
               STR_ARG(http_scheme(request)), http_body(request).len);
    buf_str(&out, http_body(request));
    assert_ok(buf_err(&out));
    struct http_answer answer = { .status = 200,
                                  .type = STR("text/plain"),
                                  .body = buf_view(&out) };
    http_batch_add(batch, request, &answer);
    buf_done(&out);
}

static void *rig_run(void *context)
{
    struct rig *rig = context;
    void       *items[BATCH];
    size_t      count;
    while ((count = queue_take(rig->line, items, BATCH, -1)) > 0) {
        struct http_batch batch = http_batch_make(rig->server);
        for (size_t i = 0; i < count; i++)
            rig_answer(&batch, items[i]);
        http_batch_send(&batch);
    }
    return NULL;
}

struct rig *rig_open(struct http_conf conf)
{
    struct rig    *rig = calloc(1, sizeof *rig);
    struct problem problem = { 0 };
    assert_non_null(rig);
    rig->line = queue_open(PLACES);
    rig->held = queue_open(PLACES);
    rig->body_bytes_max = HTTP_BODY_BYTES_MAX;
    rig->conf = conf;
    rig->conf.address = conf.address == NULL ? "127.0.0.1" : conf.address;
    rig->conf.loops = conf.loops == 0 ? 2 : conf.loops;
    rig->conf.context = rig;
    rig->conf.handle = rig_handle;
    rig->conf.admit = rig_admit;
    rig->conf.refused = rig_refused;
    rig->conf.refused_context = rig;
    if (http_open(&rig->conf, &rig->server, &problem) != OK)
        fail_msg("%s: %s", problem.where, problem.what);
    assert_int_equal(pthread_create(&rig->thread, NULL, rig_run, rig), 0);
    return rig;
}

void rig_let_go(struct rig *rig)
{
    void *item;
    while (queue_take(rig->held, &item, 1, 0) == 1)
        assert_ok(queue_put(rig->line, item));
}

void rig_close(struct rig *rig)
{
    rig_let_go(rig);
    http_stop(rig->server);
    http_close(rig->server);
    queue_stop(rig->line);
    pthread_join(rig->thread, NULL);
    queue_close(rig->line);
    queue_close(rig->held);
    free(rig);
}

int rig_dial(const struct rig *rig)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)http_port(rig->server)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval     wait = { CLIENT_WAIT_S, 0 };
    int                fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

void rig_say(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* the server hung up: what it answered will tell */
        bytes = str_slice(bytes, (size_t)sent, bytes.len);
    }
}

bool rig_hear_all(int fd, char *out, size_t room)
{
    size_t len = 0;
    for (;;) {
        ssize_t got = recv(fd, out + len, room - 1 - len, 0);
        if (got > 0)
            len += (size_t)got;
        out[len] = '\0';
        if (got <= 0)
            return got == 0;
    }
}

bool rig_hear_one(int fd, char *out, size_t room, struct str *body)
{
    size_t len = 0;
    for (;;) {
        out[len] = '\0';
        const char *end = strstr(out, "\r\n\r\n");
        const char *length = strstr(out, "Content-Length: ");
        if (end != NULL && length != NULL) {
            size_t at = (size_t)(end - out) + 4, wanted = (size_t)atol(length + 16);
            if (len >= at + wanted) {
                assert_int_equal(len, at + wanted);
                *body = (struct str){ out + at, wanted };
                return true;
            }
        }
        ssize_t got = recv(fd, out + len, room - 1 - len, 0);
        if (got <= 0)
            return false;
        len += (size_t)got;
    }
}

int rig_ask(const struct rig *rig, struct str bytes, char *out)
{
    int fd = rig_dial(rig);
    rig_say(fd, bytes);
    if (!rig_hear_all(fd, out, TEXT_BYTES))
        fail_msg("not closed after: %.*s", STR_ARG(bytes));
    close(fd);
    return strncmp(out, "HTTP/1.1 ", 9) == 0 ? atoi(out + 9) : 0;
}

int rig_count_of(const char *text, const char *part)
{
    int count = 0;
    while ((text = strstr(text, part)) != NULL) {
        count++;
        text++;
    }
    return count;
}
