/*
 * sink: a far side of SMTP that is faster than any sender, so that senders are measured and not it.
 *
 *     sink PORT [DELAY_MS]
 *
 * One thread, epoll, PIPELINING; takes every message and keeps none. With DELAY_MS each reply waits
 * that long, as over a distance. At SIGTERM it prints {"messages": N, "connections": N, "cpu_us":
 * N} a line, its own processor time.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 1024, REPLIES_BYTES = 4096, READ_BYTES = 1 << 18, LINE_BYTES = 512 };

struct peer {
    int      fd; /* -1: free */
    bool     in_data, quits, waits;
    unsigned ends;    /* how many bytes after the lone dot that ends the data were the last ones */
    char     last[2]; /* of the data */
    char     line[LINE_BYTES];
    size_t   line_len;
    char     replies[REPLIES_BYTES];
    size_t   replies_len;
    int64_t  due_us; /* of the replies, where they wait */
};

static struct peer           peers[CONNECTIONS_MAX];
static uint32_t              waiting[CONNECTIONS_MAX]; /* in the order of their due_us */
static uint32_t              waiting_first, waiting_count;
static uint64_t              messages, connections;
static int64_t               delay_us;
static volatile sig_atomic_t is_over;

static void on_term(int signal)
{
    (void)signal;
    is_over = 1;
}

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void reply(struct peer *peer, const char *text)
{
    size_t len = strlen(text);
    if (peer->replies_len + len > REPLIES_BYTES) {
        fprintf(stderr, "sink: more commands at once than replies have room for\n");
        exit(1);
    }
    memcpy(peer->replies + peer->replies_len, text, len);
    peer->replies_len += len;
}

static void end(struct peer *peer)
{
    close(peer->fd);
    peer->fd = -1;
}

/* Replies are short: what a socket does not take at once is a broken peer. */
static void flush(struct peer *peer)
{
    peer->waits = false;
    if (peer->fd < 0)
        return;
    if (send(peer->fd, peer->replies, peer->replies_len, MSG_NOSIGNAL) !=
            (ssize_t)peer->replies_len ||
        peer->quits)
        end(peer);
    peer->replies_len = 0;
}

static void flush_or_wait(struct peer *peer)
{
    if (peer->replies_len == 0 || peer->waits)
        return;
    if (delay_us == 0) {
        flush(peer);
        return;
    }
    peer->waits = true;
    peer->due_us = now_us() + delay_us;
    waiting[(waiting_first + waiting_count++) % CONNECTIONS_MAX] = (uint32_t)(peer - peers);
}

static void command(struct peer *peer)
{
    const char *line = peer->line;
    if (strncasecmp(line, "EHLO", 4) == 0)
        reply(peer, "250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 50000000\r\n");
    else if (strncasecmp(line, "DATA", 4) == 0) {
        reply(peer, "354 go on\r\n");
        peer->in_data = true;
        memcpy(peer->last, "\r\n", 2); /* the line of DATA ended so */
    } else if (strncasecmp(line, "QUIT", 4) == 0) {
        reply(peer, "221 bye\r\n");
        peer->quits = true;
    } else
        reply(peer, "250 ok\r\n");
}

/* What lies before the dot at `dot`, which may have come earlier. */
static bool begins_line(const struct peer *peer, const char *bytes, size_t dot)
{
    char before = dot >= 2 ? bytes[dot - 2] : peer->last[dot];
    return before == '\r' && (dot >= 1 ? bytes[dot - 1] : peer->last[1]) == '\n';
}

/* How many bytes of `bytes` belong to the message; in_data is false when it has ended. */
static size_t data_take(struct peer *peer, const char *bytes, size_t len)
{
    static const char end[] = ".\r\n";
    size_t            i = 0;
    while (i < len) {
        if (peer->ends == 0) {
            const char *dot = memchr(bytes + i, '.', len - i);
            i = dot == NULL ? len : (size_t)(dot - bytes);
            peer->ends = dot != NULL && begins_line(peer, bytes, i);
            i += dot != NULL;
            continue;
        }
        peer->ends = bytes[i] == end[peer->ends] ? peer->ends + 1 : 0;
        i += peer->ends > 0; /* another byte may be a dot itself */
        if (peer->ends == 3) {
            peer->in_data = false;
            peer->ends = 0;
            messages++;
            reply(peer, "250 ok: queued\r\n");
            return i;
        }
    }
    for (int k = 0; k < 2; k++)
        peer->last[k] = len + (size_t)k >= 2 ? bytes[len - 2 + (size_t)k] : peer->last[1];
    return i;
}

static size_t line_take(struct peer *peer, const char *bytes, size_t len)
{
    const char *feed = memchr(bytes, '\n', len);
    size_t      taken = feed == NULL ? len : (size_t)(feed - bytes) + 1;
    size_t      room = LINE_BYTES - 1 - peer->line_len;
    size_t      kept = taken < room ? taken : room;
    memcpy(peer->line + peer->line_len, bytes, kept);
    peer->line_len += kept;
    peer->line[peer->line_len] = '\0';
    if (feed != NULL) {
        command(peer);
        peer->line_len = 0;
    }
    return taken;
}

static void hear(struct peer *peer)
{
    static char bytes[READ_BYTES];
    ssize_t     got = recv(peer->fd, bytes, sizeof bytes, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            end(peer);
        return;
    }
    for (size_t at = 0; at < (size_t)got;)
        at += peer->in_data ? data_take(peer, bytes + at, (size_t)got - at)
                            : line_take(peer, bytes + at, (size_t)got - at);
    flush_or_wait(peer);
}

static void greet(int epoll, int listener)
{
    int one = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    uint32_t i = 0;
    while (i < CONNECTIONS_MAX && (peers[i].fd >= 0 || peers[i].waits))
        i++;
    if (i == CONNECTIONS_MAX) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    peers[i] = (struct peer){ .fd = fd };
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        fail("epoll_ctl");
    connections++;
    reply(&peers[i], "220 sink.example ESMTP\r\n");
    flush_or_wait(&peers[i]);
}

/* Milliseconds until the next reply is due; -1: none waits. */
static int waiting_flush(void)
{
    while (waiting_count > 0) {
        struct peer *peer = &peers[waiting[waiting_first]];
        int64_t      left_us = peer->due_us - now_us();
        if (left_us > 0)
            return (int)((left_us + 999) / 1000);
        waiting_first = (waiting_first + 1) % CONNECTIONS_MAX;
        waiting_count--;
        flush(peer);
    }
    return -1;
}

static int listen_at(uint16_t port)
{
    int                one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons(port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 1024) != 0)
        fail("listen");
    return fd;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: sink PORT [DELAY_MS]\n");
        return 2;
    }
    struct sigaction term = { .sa_handler = on_term };
    sigaction(SIGTERM, &term, NULL);
    delay_us = argc > 2 ? atoll(argv[2]) * 1000 : 0;
    for (int i = 0; i < CONNECTIONS_MAX; i++)
        peers[i].fd = -1;
    int                listener = listen_at((uint16_t)atoi(argv[1])), epoll = epoll_create1(0);
    struct epoll_event events[256], event = { .events = EPOLLIN, .data.u32 = CONNECTIONS_MAX };
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0)
        fail("epoll");
    while (!is_over) {
        int count = epoll_wait(epoll, events, 256, waiting_flush());
        for (int i = 0; i < count; i++) {
            uint32_t who = events[i].data.u32;
            if (who == CONNECTIONS_MAX)
                greet(epoll, listener);
            else if (peers[who].fd >= 0)
                hear(&peers[who]);
        }
    }
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    int64_t cpu_us = (int64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
                     used.ru_utime.tv_usec + used.ru_stime.tv_usec;
    printf("{\"messages\":%llu,\"connections\":%llu,\"cpu_us\":%lld}\n",
           (unsigned long long)messages, (unsigned long long)connections, (long long)cpu_us);
    return 0;
}
