/*
 * blast: where does a sink end? Ready messages sent without waiting for an answer.
 *
 *     blast HOST PORT [messages [connections [bytes]]]
 *
 * After the greeting and EHLO each connection writes MAIL, RCPT, DATA, content and dot over and
 * over, and reads what comes back only to throw it away. No client may do that (RFC 2920: DATA is
 * the last of its group), so no client is faster: this is the far side's own end. One thread, as
 * few and as large writes as the socket takes. Prints {"rate": messages a second, "accepted": how
 * many} when all connections have heard the answer to QUIT. Of four replies a message the fourth is
 * to its dot: only where that is 250 was it taken. A far side that takes fewer than it is sent is
 * no measure: then the program ends with 1.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 256, LINE_BYTES = 72, AT_ONCE = 16 /* messages in the block written */ };

struct peer {
    int    fd;       /* -1: over */
    size_t left, at; /* bytes to write, and where in the block the next one is */
    bool   quits;
    int    digits, code; /* of the reply's line that is being read; digits: seen, -1: no more */
    bool   is_last;      /* it is the last line of its reply */
    size_t replies, accepted;
};

enum { REPLIES_EACH = 4 }; /* to MAIL, RCPT, DATA and the dot */

static char  *block;
static size_t message_bytes, block_bytes;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void block_make(size_t bytes)
{
    static const char head[] =
        "MAIL FROM:<shop@shop.example>\r\nRCPT TO:<ada@x.example>\r\nDATA\r\n"
        "Subject: bench\r\n\r\n";
    char  *one = malloc(sizeof head + bytes + LINE_BYTES + 8);
    size_t len = sizeof head - 1;
    memcpy(one, head, len);
    for (size_t body = 0; body < bytes; body += LINE_BYTES) {
        memset(one + len, 'x', LINE_BYTES - 2);
        memcpy(one + len + LINE_BYTES - 2, "\r\n", 2);
        len += LINE_BYTES;
    }
    memcpy(one + len, ".\r\n", 3);
    message_bytes = len + 3;
    block_bytes = message_bytes * AT_ONCE;
    block = malloc(block_bytes);
    for (int i = 0; i < AT_ONCE; i++)
        memcpy(block + (size_t)i * message_bytes, one, message_bytes);
    free(one);
}

/* Reads until a line with `code` and a space has come. */
static void expect(int fd, const char *code)
{
    char   heard[4096];
    size_t len = 0;
    for (;;) {
        ssize_t got = recv(fd, heard + len, sizeof heard - 1 - len, 0);
        if (got <= 0)
            fail("recv");
        len += (size_t)got;
        heard[len] = '\0';
        const char *found = strstr(heard, code);
        if (found != NULL && heard[len - 1] == '\n')
            return;
    }
}

static int greet(const struct sockaddr_in *at)
{
    static const char ehlo[] = "EHLO bench.example\r\n";
    int               one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)at, sizeof *at) != 0)
        fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    expect(fd, "220 ");
    if (send(fd, ehlo, sizeof ehlo - 1, MSG_NOSIGNAL) < 0)
        fail("send");
    expect(fd, "250 ");
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void say(struct peer *peer)
{
    while (peer->left > 0) {
        size_t  part = block_bytes - peer->at < peer->left ? block_bytes - peer->at : peer->left;
        ssize_t done = send(peer->fd, block + peer->at, part, MSG_NOSIGNAL);
        if (done < 0 && errno == EAGAIN)
            return;
        if (done <= 0)
            fail("send");
        peer->left -= (size_t)done;
        peer->at = (peer->at + (size_t)done) % block_bytes;
    }
    if (!peer->quits && send(peer->fd, "QUIT\r\n", 6, MSG_NOSIGNAL) == 6)
        peer->quits = true;
}

/* "250-..." goes on, "250 ..." or "250" is the reply's last line. */
static void line_end(struct peer *peer)
{
    if (peer->is_last && ++peer->replies % REPLIES_EACH == 0)
        peer->accepted += peer->code == 250;
    peer->digits = peer->code = 0;
    peer->is_last = true;
}

static void count(struct peer *peer, const char *heard, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (heard[i] == '\n') {
            line_end(peer);
        } else if (peer->digits >= 0 && peer->digits < 3) {
            peer->code = 10 * peer->code + heard[i] - '0';
            peer->digits++;
        } else if (peer->digits == 3) {
            peer->is_last = heard[i] != '-';
            peer->digits = -1;
        }
    }
}

/* 1 when the far side has hung up. */
static int hear(struct peer *peer)
{
    static char heard[1 << 16];
    for (;;) {
        ssize_t got = recv(peer->fd, heard, sizeof heard, 0);
        if (got < 0 && errno == EAGAIN)
            return 0;
        if (got < 0 || (got == 0 && !peer->quits))
            fail("recv");
        if (got == 0) {
            close(peer->fd);
            peer->fd = -1;
            return 1;
        }
        count(peer, heard, (size_t)got);
    }
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    static struct peer   peers[CONNECTIONS_MAX];
    static struct pollfd polled[CONNECTIONS_MAX];
    if (argc < 3) {
        fprintf(stderr, "usage: blast HOST PORT [messages [connections [bytes]]]\n");
        return 2;
    }
    size_t messages = argc > 3 ? (size_t)atoll(argv[3]) : 50000;
    int    connections = argc > 4 ? atoi(argv[4]) : 10, open;
    if (connections < 1 || connections > CONNECTIONS_MAX)
        connections = 10;
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2])) };
    if (inet_pton(AF_INET, argv[1], &at.sin_addr) != 1)
        fail(argv[1]);
    block_make(argc > 5 ? (size_t)atoi(argv[5]) : 10240);
    for (int i = 0; i < connections; i++) {
        size_t mine = messages / (size_t)connections + ((size_t)i < messages % (size_t)connections);
        peers[i] = (struct peer){ .fd = greet(&at), .left = mine * message_bytes, .is_last = true };
    }
    double began = now_s();
    for (open = connections; open > 0;) {
        for (int i = 0; i < connections; i++)
            polled[i] =
                (struct pollfd){ peers[i].fd, peers[i].quits ? POLLIN : POLLIN | POLLOUT, 0 };
        if (poll(polled, (nfds_t)connections, -1) < 0)
            fail("poll");
        for (int i = 0; i < connections; i++) {
            if (polled[i].revents & POLLOUT)
                say(&peers[i]);
            if (polled[i].revents & (POLLIN | POLLHUP))
                open -= hear(&peers[i]);
        }
    }
    size_t accepted = 0;
    double rate = (double)messages / (now_s() - began);
    for (int i = 0; i < connections; i++)
        accepted += peers[i].accepted;
    printf("{\"rate\":%.0f,\"accepted\":%zu}\n", rate, accepted);
    if (accepted == messages)
        return 0;
    fprintf(stderr, "blast: the far side took %zu of %zu messages\n", accepted, messages);
    return 1;
}
