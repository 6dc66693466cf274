/*
 * load: what a fleet of clients sends, as fast as one Dult takes it.
 *
 *     load warm   --port P --key K --people N                     makes N people known
 *     load batch  --port P --key K --seconds S --connections C    batches of 100 events
 *     load single --port P --key K --seconds S --connections C    one event a request
 *
 * Each kept connection has one request under way. With --rate N (events a second) a request is made
 * only when it is due, and its time counts from then, waiting for a connection included. With
 * --names A,B,C the events are as bench/history.c makes them (events.h). Prints one JSON line:
 * events answered 200 a second, how many requests were answered otherwise, and the 50th, 99th and
 * 99.9th percentile and the longest of the times from the first byte sent to the answer read.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/time.h"
#include "events.h"

enum {
    CONNECTIONS_MAX = 1024,
    BODIES = 4, /* a connection takes turns among so many pre-built bodies */
    BATCH_EVENTS = 100,
    BODY_BYTES_MAX = 1 << 20,
    ANSWER_BYTES_MAX = 64 << 10,
    SAMPLES_MAX = 4 << 20, /* latencies kept: 20,000 a second for three minutes */
    CLOCK_EVERY_US = 1000, /* how often the events' time is renewed */
};

struct conf {
    const char *mode, *key, *names;
    uint16_t    port;
    int         seconds, connections;
    uint32_t    people, batch;
    uint64_t    seed;
    uint32_t    rate; /* events a second; 0: as fast as can be */
};

struct connection {
    int                fd;
    struct buf         head[BODIES];
    struct events_body body[BODIES];
    int                turn;
    bool               is_idle; /* waits until a request is due */
    size_t             sent;    /* of head and body together */
    bool               is_full; /* the socket took no more: wait until it does */
    char               answer[ANSWER_BYTES_MAX];
    size_t             answer_len;
    int64_t            began_us;
};

struct load {
    struct conf        conf;
    struct events      events;
    struct connection *connections;
    int                epoll;
    uint32_t           warmed; /* people made known so far, in mode "warm" */
    bool               is_ending;
    int64_t            due_us; /* when the next request is, with a rate */
    int                under_way;
    uint64_t           events_taken, requests, refused;
    uint32_t          *samples_us;
    size_t             samples_count;
};

static void fail(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static bool is_mode(const struct load *load, const char *mode)
{
    return strcmp(load->conf.mode, mode) == 0;
}

/* ---- requests ---- */

static void head_write(const struct load *load, struct buf *head, size_t body_bytes)
{
    SCOPED(buf_donep) struct buf user = buf_make(1024);
    buf_format(&user, "%s:", load->conf.key);

    buf_reset(head);
    buf_format(head,
               "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Type: application/json\r\n"
               "Content-Length: %zu\r\nAuthorization: Basic ",
               is_mode(load, "single") ? "/v1/track" : "/v1/batch", load->conf.port, body_bytes);
    base64_write(head, buf_view(&user));
    buf_str(head, STR("\r\n\r\n"));
    if (buf_err(head) != OK)
        fail("a request's head");
}

static void body_write(struct load *load, struct events_body *body)
{
    uint32_t count = is_mode(load, "single") ? 1 : load->conf.batch;

    body->count = 0;
    buf_reset(&body->bytes);
    if (!is_mode(load, "single"))
        buf_str(&body->bytes, STR("{\"batch\":["));
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(&body->bytes, ',');
        if (is_mode(load, "warm"))
            events_append_person(&load->events, body, load->warmed++);
        else
            events_append(&load->events, body);
    }
    if (!is_mode(load, "single"))
        buf_str(&body->bytes, STR("]}"));
    if (buf_err(&body->bytes) != OK)
        fail("a request's body");
}

static void request_make(struct load *load, struct connection *c)
{
    c->turn = (c->turn + 1) % BODIES;
    struct events_body *body = &c->body[c->turn];

    if (is_mode(load, "warm")) {
        body_write(load, body);
        head_write(load, &c->head[c->turn], body->bytes.len);
    } else {
        events_patch(&load->events, body);
    }
    c->sent = 0;
    c->answer_len = 0;
    c->began_us = time_mono_us();
    load->under_way++;
}

/* ---- sockets ---- */

static void watch(struct load *load, struct connection *c, bool is_full)
{
    struct epoll_event event = { .events = EPOLLIN | (is_full ? EPOLLOUT : 0), .data.ptr = c };
    c->is_full = is_full;
    if (epoll_ctl(load->epoll, EPOLL_CTL_MOD, c->fd, &event) != 0)
        fail("epoll_ctl");
}

static void send_on(struct load *load, struct connection *c)
{
    struct str parts[2] = { buf_view(&c->head[c->turn]), buf_view(&c->body[c->turn].bytes) };

    while (c->sent < parts[0].len + parts[1].len) {
        bool       in_head = c->sent < parts[0].len;
        struct str part = parts[in_head ? 0 : 1];
        size_t     from = in_head ? c->sent : c->sent - parts[0].len;
        ssize_t    n =
            send(c->fd, part.ptr + from, part.len - from, MSG_NOSIGNAL | (in_head ? MSG_MORE : 0));
        if (n < 0 && errno == EAGAIN) {
            if (!c->is_full)
                watch(load, c, true);
            return;
        }
        if (n < 0)
            fail("send");
        c->sent += (size_t)n;
    }
    if (c->is_full)
        watch(load, c, false);
}

/* Length of a whole answer at the front of the bytes, or 0 while it is not whole. */
static size_t answer_bytes(struct str bytes, int *status)
{
    size_t end = str_find(bytes, 0, STR("\r\n\r\n"));
    if (end == bytes.len)
        return 0;

    struct str rest = str_slice(bytes, 0, end), line;
    int64_t    body_bytes = 0, code = 0;
    if (bytes.len < 12 || str_to_int(str_slice(bytes, 9, 12), &code) != OK)
        fail("an answer that is not HTTP");
    while (str_split(&rest, '\n', &line)) {
        size_t colon = str_find_char(line, 0, ':');
        if (str_eq_nocase(str_slice(line, 0, colon), STR("content-length")) &&
            str_to_int(str_trim(str_slice(line, colon + 1, line.len)), &body_bytes) != OK)
            fail("an answer without a length");
    }
    *status = (int)code;
    size_t total = end + 4 + (size_t)body_bytes;
    return total <= bytes.len ? total : 0;
}

static void answer_count(struct load *load, struct connection *c, int status)
{
    load->requests++;
    load->under_way--;
    if (status == 200)
        load->events_taken += c->body[c->turn].count;
    else if (load->refused++ == 0)
        fprintf(stderr, "load: answered %d: %.*s\n", status, (int)c->answer_len, c->answer);
    if (load->samples_count < SAMPLES_MAX)
        load->samples_us[load->samples_count++] = (uint32_t)(time_mono_us() - c->began_us);
}

static bool is_done(const struct load *load)
{
    return load->is_ending || (is_mode(load, "warm") && load->warmed >= load->conf.people);
}

static void connection_open(struct load *load, struct connection *c)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(load->conf.port) };
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
    int                on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address) != 0)
        fail("connect");
    if (setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        fail("setsockopt");
    if (fcntl(c->fd, F_SETFL, O_NONBLOCK) != 0) /* only from here on: connect may wait */
        fail("fcntl");
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
        fail("epoll_ctl");
}

static void bodies_make(struct load *load, struct connection *c)
{
    for (int i = 0; i < BODIES; i++) {
        c->head[i] = buf_make(4096);
        c->body[i].bytes = buf_make(BODY_BYTES_MAX);
        if (!is_mode(load, "warm")) {
            body_write(load, &c->body[i]);
            head_write(load, &c->head[i], c->body[i].bytes.len);
        }
    }
}

/* One that waits for its turn longer than the server keeps it is opened anew. */
static void closed_by_server(struct load *load, struct connection *c)
{
    if (!c->is_idle)
        fail("the server closed a connection");
    close(c->fd);
    connection_open(load, c);
}

static void receive(struct load *load, struct connection *c)
{
    ssize_t n = recv(c->fd, c->answer + c->answer_len, sizeof c->answer - c->answer_len, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        closed_by_server(load, c);
        return;
    }
    c->answer_len += (size_t)n;

    int status = 0;
    if (answer_bytes((struct str){ c->answer, c->answer_len }, &status) == 0)
        return;
    answer_count(load, c, status);
    c->is_idle = load->conf.rate > 0;
    if (!is_done(load) && !c->is_idle) {
        request_make(load, c);
        send_on(load, c);
    }
}

/* ---- the run ---- */

/* Requests that are due, on connections that are free. */
static void due_send(struct load *load)
{
    uint32_t events = is_mode(load, "single") ? 1 : load->conf.batch;
    int64_t  now_us = time_mono_us();
    for (int i = 0; i < load->conf.connections && load->due_us <= now_us; i++) {
        struct connection *c = &load->connections[i];
        if (!c->is_idle)
            continue;
        c->is_idle = false;
        request_make(load, c);
        c->began_us = load->due_us;
        load->due_us += (int64_t)events * 1000000 / load->conf.rate;
        send_on(load, c);
    }
}

static void run(struct load *load, int64_t until_us)
{
    struct epoll_event ready[CONNECTIONS_MAX];
    int64_t            clock_us = 0;

    while (load->under_way > 0 || (load->conf.rate > 0 && !load->is_ending)) {
        bool    is_paced = load->conf.rate > 0;
        int     count = epoll_wait(load->epoll, ready, CONNECTIONS_MAX, is_paced ? 1 : 10000);
        int64_t now_us = time_mono_us();
        if (count < 0 || (count == 0 && !is_paced)) {
            errno = ETIMEDOUT;
            fail("no answer in 10 seconds");
        }
        if (now_us > clock_us + CLOCK_EVERY_US) {
            events_clock(&load->events, time_now_ms());
            clock_us = now_us;
        }
        load->is_ending = now_us >= until_us;
        for (int i = 0; i < count; i++) {
            struct connection *c = ready[i].data.ptr;
            if (ready[i].events & EPOLLOUT)
                send_on(load, c);
            if (ready[i].events & ~(uint32_t)EPOLLOUT)
                receive(load, c);
        }
        if (is_paced && !load->is_ending) /* after those that the server closed are open again */
            due_send(load);
    }
}

static int compare_samples(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void report(struct load *load, int64_t took_us)
{
    qsort(load->samples_us, load->samples_count, sizeof *load->samples_us, compare_samples);
    size_t n = load->samples_count;
    printf("{\"mode\":\"%s\",\"seconds\":%.3f,\"events\":%llu,\"rate\":%.0f,\"requests\":%llu,"
           "\"refused\":%llu,\"p50_us\":%u,\"p99_us\":%u,\"p999_us\":%u,\"most_us\":%u,"
           "\"body_bytes\":%zu}\n",
           load->conf.mode, (double)took_us / 1e6, (unsigned long long)load->events_taken,
           (double)load->events_taken * 1e6 / (double)took_us, (unsigned long long)load->requests,
           (unsigned long long)load->refused, n ? load->samples_us[n / 2] : 0,
           n ? load->samples_us[n * 99 / 100] : 0, n ? load->samples_us[n * 999 / 1000] : 0,
           n ? load->samples_us[n - 1] : 0, load->connections[0].body[0].bytes.len);
}

static struct conf conf_read(int argc, char **argv)
{
    static const struct option options[] = {
        { "port", required_argument, NULL, 'p' },
        { "key", required_argument, NULL, 'k' },
        { "seconds", required_argument, NULL, 's' },
        { "connections", required_argument, NULL, 'c' },
        { "people", required_argument, NULL, 'n' },
        { "seed", required_argument, NULL, 'r' },
        { "rate", required_argument, NULL, 'e' },
        { "names", required_argument, NULL, 'a' },
        { NULL, 0, NULL, 0 },
    };
    struct conf conf = {
        .seconds = 10, .connections = 8, .people = 100000, .batch = BATCH_EVENTS, .seed = 1
    };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        int64_t number = 0;
        if (option == 'k')
            conf.key = optarg;
        else if (option == 'a')
            conf.names = optarg;
        else if (option == '?' || str_to_int(str_of(optarg), &number) != OK || number < 1)
            exit(2);
        if (option == 'p')
            conf.port = (uint16_t)number;
        if (option == 's')
            conf.seconds = (int)number;
        if (option == 'c')
            conf.connections = number < CONNECTIONS_MAX ? (int)number : CONNECTIONS_MAX;
        if (option == 'n')
            conf.people = (uint32_t)number;
        if (option == 'r')
            conf.seed = (uint64_t)number;
        if (option == 'e')
            conf.rate = (uint32_t)number;
    }
    conf.mode = optind < argc ? argv[optind] : "";
    bool is_known =
        !strcmp(conf.mode, "warm") || !strcmp(conf.mode, "batch") || !strcmp(conf.mode, "single");
    if (!is_known || conf.key == NULL || conf.port == 0) {
        fprintf(stderr, "usage: load warm|batch|single --port P --key K [--seconds S] "
                        "[--connections C] [--people N] [--seed R] [--rate N] [--names A,B,...]\n");
        exit(2);
    }
    return conf;
}

int main(int argc, char **argv)
{
    struct load load = { .conf = conf_read(argc, argv), .epoll = epoll_create1(0) };

    load.events = events_make(load.conf.people, load.conf.seed);
    if (load.conf.names != NULL && !events_names(&load.events, load.conf.names)) {
        fprintf(stderr, "load: --names takes up to 64 names of up to 63 bytes\n");
        exit(2);
    }
    events_clock(&load.events, time_now_ms());
    load.connections = calloc((size_t)load.conf.connections, sizeof *load.connections);
    load.samples_us = malloc(SAMPLES_MAX * sizeof *load.samples_us);
    if (load.connections == NULL || load.samples_us == NULL || load.epoll < 0)
        fail("memory");

    for (int i = 0; i < load.conf.connections; i++) {
        connection_open(&load, &load.connections[i]);
        bodies_make(&load, &load.connections[i]);
    }
    int64_t began_us = time_mono_us();
    int64_t limit_us = is_mode(&load, "warm") ? INT64_MAX : load.conf.seconds * INT64_C(1000000);
    int64_t until_us = limit_us == INT64_MAX ? INT64_MAX : began_us + limit_us;
    load.due_us = began_us;
    for (int i = 0; i < load.conf.connections && !is_done(&load); i++) {
        load.connections[i].is_idle = load.conf.rate > 0;
        if (load.connections[i].is_idle)
            continue;
        request_make(&load, &load.connections[i]);
        send_on(&load, &load.connections[i]);
    }
    run(&load, until_us);
    report(&load, time_mono_us() - began_us);
    free(load.connections);
    free(load.samples_us);
    return load.refused > 0 ? 3 : 0;
}
