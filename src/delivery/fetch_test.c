/* Against a one-thread server that answers by path: /ok, /redirect, /long, /drop, /late. */
#include "delivery/fetch.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/test.h"

struct server {
    int       listener;
    uint16_t  port;
    pthread_t thread;
    char      seen[4096]; /* the last request; read after its answer */
};

static void answer(int fd, const char *text)
{
    ssize_t n = send(fd, text, strlen(text), MSG_NOSIGNAL);
    (void)n;
}

static void answer_long(int fd)
{
    static char kilobyte[1024];
    answer(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1024000\r\n\r\n");
    memset(kilobyte, 'x', sizeof kilobyte);
    for (int i = 0; i < 1000; i++)
        if (send(fd, kilobyte, sizeof kilobyte, MSG_NOSIGNAL) <= 0)
            return;
}

static void serve_one(struct server *server, int fd)
{
    size_t  len = 0;
    ssize_t n;
    while ((n = recv(fd, server->seen + len, sizeof server->seen - 1 - len, 0)) > 0) {
        len += (size_t)n;
        server->seen[len] = '\0';
        const char *end = strstr(server->seen, "\r\n\r\n");
        const char *stated = strstr(server->seen, "Content-Length: ");
        size_t      body = stated == NULL ? 0 : strtoul(stated + 16, NULL, 10);
        if (end != NULL && len >= (size_t)(end + 4 - server->seen) + body)
            break;
    }
    if (strstr(server->seen, " /ok") != NULL)
        answer(fd, "HTTP/1.1 201 Created\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
    else if (strstr(server->seen, " /redirect") != NULL)
        answer(fd, "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n"
                   "Connection: close\r\n\r\n");
    else if (strstr(server->seen, " /busy") != NULL)
        answer(fd, "HTTP/1.1 429 Wait\r\nRetry-After: 7\r\nContent-Length: 0\r\n"
                   "Connection: close\r\n\r\n");
    else if (strstr(server->seen, " /long") != NULL)
        answer_long(fd);
    else if (strstr(server->seen, " /late") != NULL)
        usleep(400000);
}

static void *serve(void *ctx)
{
    struct server *server = ctx;
    int            fd;
    while ((fd = accept(server->listener, NULL, NULL)) >= 0) {
        serve_one(server, fd);
        close(fd);
    }
    return NULL;
}

struct scene {
    struct server         server;
    struct loop          *loop;
    struct fetch         *http;
    pthread_mutex_t       lock;
    pthread_cond_t        called;
    struct fetch_response response;
    char                  body[64];
    int                   calls;
};

static void scene_open(struct scene *s, bool allow_inside)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t          len = sizeof at;
    struct fetch_conf  conf = { .allow_inside = allow_inside };
    *s = (struct scene){ 0 };
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->called, NULL);
    s->server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->server.listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(s->server.listener, 16), 0);
    assert_int_equal(getsockname(s->server.listener, (struct sockaddr *)&at, &len), 0);
    s->server.port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&s->server.thread, NULL, serve, &s->server), 0);
    s->loop = loop_open();
    s->http = fetch_open(s->loop, &conf);
    assert_non_null(s->http);
}

static void scene_close(struct scene *s)
{
    fetch_close(s->http);
    loop_close(s->loop);
    shutdown(s->server.listener, SHUT_RDWR);
    pthread_join(s->server.thread, NULL);
    close(s->server.listener);
}

static void on_call(void *ctx, const struct fetch_response *response)
{
    struct scene *s = ctx;
    pthread_mutex_lock(&s->lock);
    s->response = *response;
    str_to_cstr(response->body, s->body, sizeof s->body);
    s->calls++;
    pthread_cond_signal(&s->called);
    pthread_mutex_unlock(&s->lock);
}

static enum err ask(struct scene *s, const char *method, const char *host, const char *path)
{
    char                 url[256];
    struct fetch_request request = { .method = method,
                                     .url = url,
                                     .headers = { "X-Key: abc" },
                                     .body = strcmp(method, "GET") == 0 ? STR_NONE : STR("{}"),
                                     .timeout_ms = 200,
                                     .response_bytes_max = 10000,
                                     .call = on_call,
                                     .ctx = s };
    snprintf(url, sizeof url, "http://%s:%u%s", host, s->server.port, path);
    if (strcmp(path, "/late") != 0)
        request.timeout_ms = 10000;
    pthread_mutex_lock(&s->lock);
    int before = s->calls;
    pthread_mutex_unlock(&s->lock);
    assert_ok(fetch_send(s->http, &request, NULL));
    pthread_mutex_lock(&s->lock);
    while (s->calls == before)
        pthread_cond_wait(&s->called, &s->lock);
    pthread_mutex_unlock(&s->lock);
    return s->response.err;
}

TEST(fetch, a_post_carries_its_headers_and_body_and_brings_the_answer)
{
    struct scene s;
    scene_open(&s, true);
    assert_ok(ask(&s, "POST", "127.0.0.1", "/ok"));
    assert_int_equal(s.response.status, 201);
    assert_string_equal(s.body, "hello");
    assert_non_null(strstr(s.server.seen, "POST /ok HTTP/1.1\r\n"));
    assert_non_null(strstr(s.server.seen, "X-Key: abc\r\n"));
    assert_non_null(strstr(s.server.seen, "\r\n\r\n{}"));
    assert_ok(ask(&s, "PUT", "127.0.0.1", "/ok"));
    assert_non_null(strstr(s.server.seen, "PUT /ok"));
    assert_ok(ask(&s, "GET", "localhost", "/ok"));
    assert_non_null(strstr(s.server.seen, "GET /ok"));
    scene_close(&s);
}

TEST(fetch, a_redirect_is_an_answer_and_is_not_followed)
{
    struct scene s;
    scene_open(&s, true);
    assert_ok(ask(&s, "POST", "127.0.0.1", "/redirect"));
    assert_int_equal(s.response.status, 302);
    assert_ok(ask(&s, "POST", "127.0.0.1", "/busy"));
    assert_int_equal(s.response.status, 429);
    assert_int_equal(s.response.retry_after_s, 7);
    scene_close(&s);
}

TEST(fetch, an_endless_answer_is_cut_off)
{
    struct scene s;
    scene_open(&s, true);
    assert_int_equal(ask(&s, "POST", "127.0.0.1", "/long"), ERR_LIMIT);
    assert_true(s.response.in_doubt);
    scene_close(&s);
}

TEST(fetch, no_answer_to_a_whole_request_is_in_doubt)
{
    struct scene s;
    scene_open(&s, true);
    assert_int_equal(ask(&s, "POST", "127.0.0.1", "/drop"), ERR_IO);
    assert_true(s.response.in_doubt);
    assert_int_equal(ask(&s, "POST", "127.0.0.1", "/late"), ERR_IO);
    assert_true(s.response.in_doubt);
    scene_close(&s);
}

TEST(fetch, an_inside_address_is_refused_before_a_byte_is_sent)
{
    struct scene s;
    scene_open(&s, false);
    assert_int_equal(ask(&s, "POST", "127.0.0.1", "/ok"), ERR_DENIED);
    assert_false(s.response.in_doubt);
    assert_int_equal(ask(&s, "POST", "localhost", "/ok"), ERR_DENIED);
    assert_int_equal(ask(&s, "POST", "[::ffff:127.0.0.1]", "/ok"), ERR_DENIED);
    assert_int_equal(ask(&s, "POST", "2130706433", "/ok"), ERR_DENIED);
    assert_string_equal(s.server.seen, "");
    scene_close(&s);
}

TEST(fetch, only_http_is_spoken_and_lines_cannot_be_smuggled)
{
    struct scene s;
    scene_open(&s, true);
    struct fetch_request request = { .method = "POST",
                                     .url = "http://127.0.0.1/\r\nX: y",
                                     .timeout_ms = 100,
                                     .response_bytes_max = 10,
                                     .call = on_call,
                                     .ctx = &s };
    struct problem       problem;
    assert_int_equal(fetch_send(s.http, &request, &problem), ERR_INPUT);
    request.url = "http://127.0.0.1/";
    request.headers[0] = "A: b\r\nC: d";
    assert_int_equal(fetch_send(s.http, &request, &problem), ERR_INPUT);
    request.headers[0] = NULL;
    request.method = "POST / HTTP/1.1\r\n";
    assert_int_equal(fetch_send(s.http, &request, &problem), ERR_INPUT);
    request.method = "GET";
    request.url = "file:///etc/passwd";
    assert_ok(fetch_send(s.http, &request, &problem));
    pthread_mutex_lock(&s.lock);
    while (s.calls == 0)
        pthread_cond_wait(&s.called, &s.lock);
    pthread_mutex_unlock(&s.lock);
    assert_int_equal(s.response.err, ERR_INPUT);
    scene_close(&s);
}
