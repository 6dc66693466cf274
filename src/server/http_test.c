#include "server/http.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/queue.h"
#include "base/test.h"
#include "base/time.h"

/*
 * The rig: a server whose requests are answered by another thread, in batches. The answer tells
 * what was understood: "METHOD path?query peer scheme body-length body". "/hold" waits until
 * the test lets go; "/hidden" is what smuggled requests ask for.
 */
enum { PLACES = 1024, BATCH = 64, TEXT_BYTES = 8192, CLIENT_WAIT_S = 10 };

struct rig {
    struct http_conf    conf;
    struct http_server *server;
    struct queue       *line, *held;
    pthread_t           thread;
    atomic_int          hidden, refused, held_count;
    int64_t             body_bytes_max;
};

static void rig_handle(void *context, struct http_request *request)
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

static void rig_answer(struct http_batch *batch, struct http_request *request)
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

static struct rig *rig_open(struct http_conf conf)
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

static void rig_let_go(struct rig *rig)
{
    void *item;
    while (queue_take(rig->held, &item, 1, 0) == 1)
        assert_ok(queue_put(rig->line, item));
}

static void rig_close(struct rig *rig)
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

/* ---- a client ---- */

static int dial(const struct rig *rig)
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

static void say(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* the server hung up: what it answered will tell */
        bytes = str_slice(bytes, (size_t)sent, bytes.len);
    }
}

/* Reads until the server closes (true) or CLIENT_WAIT_S pass (false). */
static bool hear_all(int fd, char *out, size_t room)
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

/* Reads one answer by its Content-Length; the body in *body. False when the line ends before. */
static bool hear_one(int fd, char *out, size_t room, struct str *body)
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

/* Says it all on a new connection and reads until the end. */
static int ask(const struct rig *rig, struct str bytes, char *out)
{
    int fd = dial(rig);
    say(fd, bytes);
    if (!hear_all(fd, out, TEXT_BYTES))
        fail_msg("not closed after: %.*s", STR_ARG(bytes));
    close(fd);
    return strncmp(out, "HTTP/1.1 ", 9) == 0 ? atoi(out + 9) : 0;
}

static int count_of(const char *text, const char *part)
{
    int count = 0;
    while ((text = strstr(text, part)) != NULL) {
        count++;
        text++;
    }
    return count;
}

/* ---- tests ---- */

TEST(http, a_request_is_handed_over_whole_and_answered_from_another_thread)
{
    char        text[TEXT_BYTES];
    struct rig *rig = rig_open((struct http_conf){ 0 });
    assert_int_equal(ask(rig,
                         STR("POST /v1/track?a=b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                             "Content-Length: 5\r\n\r\nhello"),
                         text),
                     200);
    assert_non_null(strstr(text, "\r\n\r\nPOST /v1/track?a=b 127.0.0.1 http 5 hello"));
    assert_non_null(strstr(text, "Connection: close\r\n"));
    assert_non_null(strstr(text, "Date: "));
    rig_close(rig);
}

TEST(http, a_body_in_chunks_is_one_run_of_bytes)
{
    char        text[TEXT_BYTES];
    struct rig *rig = rig_open((struct http_conf){ 0 });
    assert_int_equal(ask(rig,
                         STR("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n"
                             "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: 1\r\n\r\n"),
                         text),
                     200);
    assert_non_null(strstr(text, " 5 hello"));
    rig_close(rig);
}

TEST(http, requests_sent_in_one_go_are_answered_in_order)
{
    char        text[TEXT_BYTES];
    struct rig *rig = rig_open((struct http_conf){ 0 });
    assert_int_equal(ask(rig,
                         STR("POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\naGET /2 "
                             "HTTP/1.1\r\nHost: x\r\n\r\nPOST /3 HTTP/1.1\r\nHost: x\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\n\r\n"
                             "GET /hidden HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
                         text),
                     200);
    const char *one = strstr(text, "POST /1? 127.0.0.1 http 1 a"), *two = strstr(text, "GET /2?");
    const char *three = strstr(text, "POST /3? 127.0.0.1 http 1 b");
    assert_true(one != NULL && one < two && two < three);
    assert_int_equal(atomic_load(&rig->hidden), 1); /* so the counter of the next test does count */
    rig_close(rig);
}

#define HIDDEN "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"

/* Each hides a request where some reader might begin anew. None may be served. */
TEST(http, no_request_hidden_in_another_is_ever_served)
{
    static const struct str table[] = {
#define RAW(text) { text, sizeof(text) - 1 }
#define WITH(lines, body) RAW("POST / HTTP/1.1\r\nHost: x\r\n" lines "\r\n\r\n" body)
        WITH("Content-Length: 0\r\nContent-Length: 33", HIDDEN),
        WITH("Content-Length: 33\r\nContent-Length: 0", HIDDEN),
        WITH("Content-Length: 0\r\nContent-Length: 0", HIDDEN),
        WITH("Content-Length: 33, 0", HIDDEN),
        WITH("Content-Length: +0", HIDDEN),
        WITH("Content-Length: -0", HIDDEN),
        WITH("Content-Length: 0x0", HIDDEN),
        WITH("Content-Length: 0 33", HIDDEN),
        WITH("Content-Length:", HIDDEN),
        WITH("Content-Length: 18446744073709551616", HIDDEN),
        WITH("Content-Length: 33\r\nTransfer-Encoding: chunked", "0\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding: identity, chunked", "0\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding: xchunked", "0\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding: chunked, identity", "0\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding : chunked", "0\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding\t: chunked", "0\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding: \x0b"
             "chunked",
             "0\r\n\r\n" HIDDEN),
        WITH("X: y\r\n Transfer-Encoding: chunked", "0\r\n\r\n" HIDDEN),
        WITH("X: y\r\n\tContent-Length: 33", HIDDEN),
        WITH("X: y\nContent-Length: 33", HIDDEN),
        WITH("X: y\rContent-Length: 33", HIDDEN),
        WITH("Content-Length: 33\nX: y", HIDDEN),
        WITH("Content_Length: 33", HIDDEN),
        WITH("X: a\0Content-Length: 33", HIDDEN),
        WITH("Content-Length\0: 33", HIDDEN),
        WITH("Content-Length: 33\0", HIDDEN),
        WITH("Host: y", HIDDEN),
        WITH(": 33", HIDDEN),
        WITH("Transfer-Encoding: chunked", "0x0\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding: chunked", "0\n\n" HIDDEN),
        WITH("Transfer-Encoding: chunked", "1\r\naX\r\n0\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding: chunked", "1\r\na\n0\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding: chunked", "0 \r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding: chunked", "-0\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding: chunked", "0;a\n\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding: chunked", "100000000\r\n" HIDDEN),
        WITH("Transfer-Encoding: chunked", "00000000000000000\r\n\r\n" HIDDEN),
        WITH("Expect: 100-continue, x", HIDDEN),
        RAW("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" HIDDEN),
        RAW("POST http://y/ HTTP/1.1\r\nHost: x\r\n\r\n" HIDDEN),
        RAW("POST /a b HTTP/1.1\r\nHost: x\r\n\r\n" HIDDEN),
        RAW("POST / HTTP/1.1\nHost: x\n\n" HIDDEN),
        RAW("POST /\r\n\r\n" HIDDEN),
        RAW("\r\n\r\n" HIDDEN),
        RAW("FETCH / HTTP/1.1\r\nHost: x\r\n\r\n" HIDDEN),
#undef WITH
#undef RAW
    };
    char        text[TEXT_BYTES];
    struct rig *rig = rig_open((struct http_conf){ 0 });
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        int status = ask(rig, table[i], text);
        if (status < 400 || status > 499 || count_of(text, "Date: ") != 1)
            fail_msg("row %zu: %s", i, text);
        assert_non_null(strstr(text, "{\"error\":{\"code\":"));
    }
    assert_int_equal(atomic_load(&rig->hidden), 0);
    assert_int_equal(atomic_load(&rig->refused), sizeof table / sizeof table[0]);
    rig_close(rig);
}

/* The same for bodies that are well framed: what lies inside them is a body. */
TEST(http, a_request_inside_a_well_framed_body_is_body)
{
    char        text[TEXT_BYTES];
    struct rig *rig = rig_open((struct http_conf){ 0 });
    assert_int_equal(ask(rig,
                         STR("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                             "Content-Length: 33\r\n\r\n" HIDDEN),
                         text),
                     200);
    assert_int_equal(ask(rig,
                         STR("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n21\r\n" HIDDEN "\r\n0\r\n\r\n"),
                         text),
                     200);
    assert_int_equal(
        ask(rig, STR("POST /denied HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n" HIDDEN),
            text),
        401);
    assert_int_equal(atomic_load(&rig->hidden), 0);
    rig_close(rig);
}

TEST(http, a_body_beyond_its_bound_is_413_whether_it_says_so_or_not)
{
    char        text[TEXT_BYTES];
    struct rig *rig = rig_open((struct http_conf){ 0 });
    rig->body_bytes_max = 8;
    assert_int_equal(
        ask(rig, STR("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n123456789"), text),
        413);
    assert_int_equal(
        ask(rig, STR("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"), text), 413);
    assert_int_equal(ask(rig,
                         STR("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "5\r\nhello\r\n4\r\nmore\r\n0\r\n\r\n"),
                         text),
                     413);
    assert_int_equal(ask(rig,
                         STR("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                             "Connection: close\r\n\r\n8\r\n12345678\r\n0\r\n\r\n"),
                         text),
                     200);
    rig_close(rig);
}

TEST(http, a_large_body_comes_through_unchanged)
{
    enum { LARGE = 3 << 20 };
    struct rig *rig = rig_open((struct http_conf){ 0 });
    char       *sent = malloc(LARGE + 200), *heard = malloc(LARGE + 1000);
    struct str  body;
    rig->body_bytes_max = LARGE;
    for (int chunked = 0; chunked < 2; chunked++) {
        int head = sprintf(sent, "PUT / HTTP/1.1\r\nHost: x\r\n%s: ",
                           chunked ? "Transfer-Encoding" : "Content-Length");
        head += chunked ? sprintf(sent + head, "chunked\r\n\r\n%x\r\n", LARGE)
                        : sprintf(sent + head, "%d\r\n\r\n", LARGE);
        for (int i = 0; i < LARGE; i++)
            sent[head + i] = (char)('a' + i % 23);
        memcpy(sent + head + LARGE, "\r\n0\r\n\r\n", 7);
        int fd = dial(rig);
        say(fd, (struct str){ sent, (size_t)(head + LARGE + (chunked ? 7 : 0)) });
        assert_true(hear_one(fd, heard, LARGE + 1000, &body));
        assert_true(str_ends(body, (struct str){ sent + head, LARGE }));
        close(fd);
    }
    free(sent);
    free(heard);
    rig_close(rig);
}

TEST(http, who_expects_a_word_before_the_body_gets_it)
{
    char        text[TEXT_BYTES];
    struct str  body;
    struct rig *rig = rig_open((struct http_conf){ 0 });
    int         fd = dial(rig);
    say(fd, STR("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
    assert_int_equal(recv(fd, text, sizeof text, 0), 25);
    assert_memory_equal(text, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    say(fd, STR("ok"));
    assert_true(hear_one(fd, text, sizeof text, &body));
    assert_str(body, "POST /? 127.0.0.1 http 2 ok");
    close(fd);
    rig_close(rig);
}

TEST(http, a_slow_sender_is_cut_however_busily_it_drips)
{
    static const char *const table[] = {
        "POST / HTTP/1.1\r\nHost: "
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };
    struct rig *rig = rig_open((struct http_conf){ .request_ms_max = 300 });
    for (size_t row = 0; row < 2; row++) {
        char    text[TEXT_BYTES];
        int     fd = dial(rig);
        int64_t start_us = time_mono_us();
        size_t  cut = row == 0 ? 20 : 50, len = strlen(table[row]);
        say(fd, (struct str){ table[row], cut });
        for (size_t i = cut; i < len; i++) {
            say(fd, (struct str){ table[row] + i, 1 });
            if (recv(fd, text, 1, MSG_PEEK | MSG_DONTWAIT) == 1)
                break;
            usleep(50000);
        }
        assert_true(hear_all(fd, text, sizeof text));
        assert_int_equal(atoi(text + 9), 408);
        assert_in_range(time_mono_us() - start_us, 250000, 5000000);
        close(fd);
    }
    rig_close(rig);
}

TEST(http, an_idle_connection_is_closed_without_a_word)
{
    char        text[TEXT_BYTES];
    struct rig *rig = rig_open((struct http_conf){ .idle_ms_max = 200 });
    int         fd = dial(rig);
    struct str  body;
    assert_true(hear_all(fd, text, sizeof text));
    assert_str(str_of(text), "");
    close(fd);
    fd = dial(rig);
    say(fd, STR("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_true(hear_one(fd, text, sizeof text, &body));
    assert_true(hear_all(fd, text, sizeof text));
    assert_str(str_of(text), "");
    close(fd);
    rig_close(rig);
}

TEST(http, a_client_who_closed_its_half_still_gets_its_answer)
{
    char        text[TEXT_BYTES];
    struct rig *rig = rig_open((struct http_conf){ 0 });
    int         fd = dial(rig);
    say(fd, STR("GET /hold HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n"));
    shutdown(fd, SHUT_WR);
    while (atomic_load(&rig->held_count) == 0)
        usleep(1000);
    usleep(50000);
    rig_let_go(rig);
    assert_true(hear_all(fd, text, sizeof text));
    assert_int_equal(count_of(text, "HTTP/1.1 200"), 2);
    close(fd);
    rig_close(rig);
}

TEST(http, an_answer_for_a_client_who_left_is_dropped)
{
    struct rig   *rig = rig_open((struct http_conf){ 0 });
    struct linger abrupt = { 1, 0 };
    int           fd = dial(rig);
    say(fd, STR("POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"));
    while (atomic_load(&rig->held_count) == 0)
        usleep(1000);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &abrupt, sizeof abrupt);
    close(fd);
    while (http_stats(rig->server).connections > 0)
        usleep(1000);
    assert_int_equal(http_stats(rig->server).owed, 1);
    rig_let_go(rig);
    while (http_stats(rig->server).owed > 0)
        usleep(1000);
    assert_int_equal(http_stats(rig->server).dropped, 1);
    assert_int_equal(http_stats(rig->server).held_bytes, 0);
    rig_close(rig);
}

TEST(http, whoever_works_for_a_client_can_see_that_it_left)
{
    struct rig *rig = rig_open((struct http_conf){ 0 });
    void       *request = NULL;
    int         fd = dial(rig), waited_ms = 0;
    say(fd, STR("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_int_equal(queue_take(rig->held, &request, 1, -1), 1);
    assert_false(http_is_left(request));
    close(fd);
    while (!http_is_left(request) && waited_ms++ < 5000)
        usleep(1000);
    assert_true(http_is_left(request));
    assert_ok(queue_put(rig->line, request));
    rig_close(rig);
}

TEST(http, who_waits_too_long_for_an_answer_is_told_503)
{
    char        text[TEXT_BYTES];
    struct rig *rig = rig_open((struct http_conf){ .answer_ms_max = 200 });
    assert_int_equal(ask(rig, STR("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"), text), 503);
    rig_let_go(rig);
    while (http_stats(rig->server).dropped == 0)
        usleep(1000);
    rig_close(rig);
}

TEST(http, connections_beyond_an_address_s_bound_are_turned_away)
{
    char        text[TEXT_BYTES];
    struct str  body;
    int         fds[6];
    struct rig *rig = rig_open((struct http_conf){ .address_connections_max = 4, .loops = 1 });
    for (int i = 0; i < 6; i++) {
        fds[i] = dial(rig);
        say(fds[i], STR("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_int_equal(hear_one(fds[i], text, sizeof text, &body), i < 4);
    }
    assert_int_equal(http_stats(rig->server).turned_away, 2);
    for (int i = 0; i < 6; i++)
        close(fds[i]);
    while (http_stats(rig->server).connections > 0)
        usleep(1000);
    assert_int_equal(ask(rig, STR("GET / HTTP/1.0\r\n\r\n"), text), 200);
    rig_close(rig);
}

TEST(http, only_a_trusted_proxy_is_believed)
{
    char               text[TEXT_BYTES];
    struct proxy_trust trust = { .count = 0 };
    struct str         bytes = STR("GET / HTTP/1.0\r\nX-Forwarded-For: 203.0.113.9\r\n"
                                           "X-Forwarded-Proto: https\r\n\r\n");
    struct rig        *rig = rig_open((struct http_conf){ .trust = &trust });
    assert_int_equal(ask(rig, bytes, text), 200);
    assert_non_null(strstr(text, "GET /? 127.0.0.1 http 0"));
    rig_close(rig);
    assert_ok(proxy_trust_parse(&trust, STR("127.0.0.0/8"), NULL));
    rig = rig_open((struct http_conf){ .trust = &trust });
    assert_int_equal(ask(rig, bytes, text), 200);
    assert_non_null(strstr(text, "GET /? 203.0.113.9 https 0"));
    rig_close(rig);
}

TEST(http, head_has_a_length_and_no_body)
{
    char        text[TEXT_BYTES];
    struct rig *rig = rig_open((struct http_conf){ 0 });
    assert_int_equal(ask(rig, STR("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), text),
                     200);
    assert_non_null(strstr(text, "Content-Length: 25\r\n"));
    assert_true(str_ends(str_of(text), STR("\r\n\r\n")));
    rig_close(rig);
}

/* ---- many at once ---- */

enum { CLIENT_THREADS = 4, CLIENT_CONNECTIONS = 50, CLIENT_ROUNDS = 20 };

struct crowd {
    struct rig *rig;
    int         index;
    int         right;
};

static void *crowd_run(void *context)
{
    struct crowd *crowd = context;
    int           fds[CLIENT_CONNECTIONS];
    for (int i = 0; i < CLIENT_CONNECTIONS; i++)
        fds[i] = dial(crowd->rig);
    for (int round = 0; round < CLIENT_ROUNDS; round++) {
        char       text[TEXT_BYTES];
        struct str body;
        for (int i = 0; i < CLIENT_CONNECTIONS; i++) {
            int len =
                sprintf(text, "POST /%d/%d/%d HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
                        crowd->index, i, round);
            say(fds[i], (struct str){ text, (size_t)len });
        }
        for (int i = 0; i < CLIENT_CONNECTIONS; i++) {
            char wanted[128];
            sprintf(wanted, "POST /%d/%d/%d? 127.0.0.1 http 3 abc", crowd->index, i, round);
            crowd->right +=
                hear_one(fds[i], text, sizeof text, &body) && str_eq(body, str_of(wanted));
        }
    }
    for (int i = 0; i < CLIENT_CONNECTIONS; i++)
        close(fds[i]);
    return NULL;
}

TEST(http, two_hundred_connections_each_get_their_own_answers)
{
    struct rig  *rig = rig_open((struct http_conf){ 0 });
    struct crowd crowds[CLIENT_THREADS];
    pthread_t    threads[CLIENT_THREADS];
    int          all = CLIENT_THREADS * CLIENT_CONNECTIONS * CLIENT_ROUNDS, right = 0;
    for (int i = 0; i < CLIENT_THREADS; i++) {
        crowds[i] = (struct crowd){ rig, i, 0 };
        assert_int_equal(pthread_create(&threads[i], NULL, crowd_run, &crowds[i]), 0);
    }
    for (int i = 0; i < CLIENT_THREADS; i++) {
        pthread_join(threads[i], NULL);
        right += crowds[i].right;
    }
    assert_int_equal(right, all);
    assert_int_equal(http_stats(rig->server).requests, all);
    assert_int_equal(http_stats(rig->server).status[2], all);
    rig_close(rig);
}

TEST(http, a_batch_of_answers_costs_one_wake_a_loop)
{
    enum { MANY = 100 };
    int         fds[MANY];
    struct rig *rig = rig_open((struct http_conf){ .loops = 1 });
    for (int i = 0; i < MANY; i++) {
        fds[i] = dial(rig);
        say(fds[i], STR("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"));
    }
    while (atomic_load(&rig->held_count) < MANY)
        usleep(1000);
    uint64_t          before = http_stats(rig->server).wakes;
    struct http_batch batch = http_batch_make(rig->server);
    void             *item;
    while (queue_take(rig->held, &item, 1, 0) == 1)
        rig_answer(&batch, item);
    http_batch_send(&batch);
    for (int i = 0; i < MANY; i++) {
        char       text[TEXT_BYTES];
        struct str body;
        assert_true(hear_one(fds[i], text, sizeof text, &body));
        close(fds[i]);
    }
    assert_int_equal(http_stats(rig->server).wakes - before, 1);
    rig_close(rig);
}

/* ---- the Unix socket ---- */

TEST(http, the_data_folder_s_socket_is_the_owner_s_alone)
{
    char               folder[] = "/tmp/dult-http-XXXXXX", text[TEXT_BYTES];
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct stat        facts;
    assert_non_null(mkdtemp(folder));
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", folder);

    int left_over = socket(AF_UNIX, SOCK_STREAM, 0); /* as a crashed server leaves it */
    assert_int_equal(bind(left_over, (struct sockaddr *)&address, sizeof address), 0);
    close(left_over);

    struct rig *rig = rig_open((struct http_conf){ .socket_path = address.sun_path });
    assert_int_equal(stat(address.sun_path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);

    struct http_server *second = NULL;
    struct http_conf conf = { .socket_path = address.sun_path, .loops = 1, .handle = rig_handle };
    assert_int_equal(http_open(&conf, &second, NULL), ERR_CONFLICT);

    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    say(fd, STR("GET / HTTP/1.0\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n"));
    assert_true(hear_all(fd, text, sizeof text));
    assert_non_null(strstr(text, "GET /? local http 0"));
    close(fd);
    rig_close(rig);
    assert_int_equal(stat(address.sun_path, &facts), -1);
    rmdir(folder);
}

TEST(http, a_taken_port_is_said_so)
{
    struct rig         *rig = rig_open((struct http_conf){ 0 });
    struct http_server *second = NULL;
    struct problem      problem = { 0 };
    struct http_conf    conf = {
           .address = "127.0.0.1", .port = http_port(rig->server), .loops = 1, .handle = rig_handle
    };
    assert_int_equal(http_open(&conf, &second, &problem), ERR_CONFLICT);
    assert_non_null(strstr(problem.what, "in use"));
    rig_close(rig);
}

/* ---- TLS ---- */

static void write_certificate(const char *certificate_path, const char *key_path, long serial)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509     *certificate = X509_new();
    assert_true(key != NULL && certificate != NULL);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)"x", -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    X509_set_pubkey(certificate, key);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    FILE *file = fopen(certificate_path, "w");
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    fclose(file);
    file = fopen(key_path, "w");
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

/* Sends over TLS, reads until the end; gives the certificate's serial number. */
static long ask_tls(const struct rig *rig, struct str bytes, char *out)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL     *ssl = SSL_new(context);
    int      fd = dial(rig), len = 0, got;
    SSL_set_fd(ssl, fd);
    assert_int_equal(SSL_connect(ssl), 1);
    for (size_t sent = 0; sent < bytes.len;) {
        int wrote = SSL_write(ssl, bytes.ptr + sent, (int)(bytes.len - sent));
        assert_true(wrote > 0);
        sent += (size_t)wrote;
    }
    while ((got = SSL_read(ssl, out + len, TEXT_BYTES - 1 - len)) > 0)
        len += got;
    out[len] = '\0';
    X509 *certificate = SSL_get1_peer_certificate(ssl);
    long  serial = ASN1_INTEGER_get(X509_get_serialNumber(certificate));
    X509_free(certificate);
    SSL_free(ssl);
    SSL_CTX_free(context);
    close(fd);
    return serial;
}

TEST(http, tls_serves_and_takes_a_new_certificate_without_a_restart)
{
    enum { BODY = 200000 };
    char  folder[] = "/tmp/dult-http-XXXXXX", certificate[64], key[64], text[TEXT_BYTES];
    char *large = malloc(BODY + 200);
    assert_non_null(mkdtemp(folder));
    snprintf(certificate, sizeof certificate, "%s/c.pem", folder);
    snprintf(key, sizeof key, "%s/k.pem", folder);
    write_certificate(certificate, key, 1);
    struct rig *rig =
        rig_open((struct http_conf){ .certificate_path = certificate, .key_path = key });
    struct str bytes = STR("GET /t HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_int_equal(ask_tls(rig, bytes, text), 1);
    assert_non_null(strstr(text, "GET /t? 127.0.0.1 https 0"));

    int head = sprintf(large, "POST /denied HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                              "Content-Length: 1\r\n\r\na");
    assert_int_equal(ask_tls(rig, (struct str){ large, (size_t)head }, text), 1);
    assert_non_null(strstr(text, "401"));
    rig->body_bytes_max = BODY;
    head = sprintf(large,
                   "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                   "Content-Length: %d\r\n\r\n",
                   BODY);
    memset(large + head, 'a', BODY);
    assert_int_equal(ask_tls(rig, (struct str){ large, (size_t)(head + BODY) }, text), 1);
    assert_non_null(strstr(text, "Content-Length: 200031\r\n"));

    write_certificate(certificate, key, 2);
    assert_ok(http_reload(rig->server, NULL));
    assert_int_equal(ask_tls(rig, bytes, text), 2);

    struct problem problem = { 0 };
    assert_int_equal(truncate(certificate, 10), 0);
    assert_int_equal(http_reload(rig->server, &problem), ERR_INPUT);
    assert_true(problem.remedy[0] != '\0');
    assert_int_equal(ask_tls(rig, bytes, text), 2);

    int fd = dial(rig); /* plain HTTP to a TLS port ends, it does not hang */
    say(fd, bytes);
    (void)!hear_all(fd, text, sizeof text);
    assert_null(strstr(text, "200 OK"));
    close(fd);
    rig_close(rig);
    unlink(certificate);
    unlink(key);
    rmdir(folder);
    free(large);
}
