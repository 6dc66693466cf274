/*
 * drill: a mail server that fails in every way one can, and writes down what it took.
 *
 *     drill PORT SEED JOURNAL
 *
 * Messages go to u<N>@anything, one recipient each. What happens to N's message is drawn from
 * (SEED, N, how often N was tried), so the same seed gives everybody the same fate, whoever comes
 * when:
 *
 *     taken | put off at RCPT, DATA or the end, once or always | refused for good at any of them |
 *     answered late | the connection cut before, within or after the content, taken or not |
 *     silence before or after the end
 *
 * What happens at MAIL and to a new connection, when nobody knows whom it is about, is drawn in the
 * order of coming. Each refusal ends in (#SERIAL), so that the client's words lead back to it.
 *
 * The journal has one line an event, written before anything is answered:
 *
 *     MS CODE N SERIAL TEXT          N is -1 where it is not known
 *     T  tried: RCPT was heard
 *     A  taken, and told so          S  taken, and nothing said     L  its end read, not taken,
 *     4  put off                     5  refused for good               and nothing said
 *     C  cut within the content      X  cut, or silence, before it
 *
 * TEXT is the Message-ID of A, S and L, else the phase. One thread, epoll, PIPELINING. Ends at
 * SIGTERM.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    PEERS_MAX = 512,
    PEOPLE_MAX = 4000000,
    IN_BYTES = 256 << 10, /* a whole message */
    OUT_BYTES = 4096,
    ID_BYTES = 160,
    LISTENER = PEERS_MAX,
    TEN_THOUSAND = 10000,
};

enum fate {
    FINE,
    PUT_OFF_RCPT,
    PUT_OFF_RCPT_AND_LEAVE,
    PUT_OFF_ALWAYS,
    PUT_OFF_DATA,
    PUT_OFF_END,
    REFUSE_RCPT,
    REFUSE_DATA,
    REFUSE_END,
    LATE_END,
    CUT_RCPT,
    CUT_BODY,
    CUT_END,       /* not taken */
    CUT_END_TAKEN, /* taken */
    HANG_RCPT,
    HANG_END,
    HANG_END_TAKEN,
    FATES,
};

/* Of 10,000 messages at their first try; what is missing is fine. */
static const uint32_t FIRST[FATES] = {
    [PUT_OFF_RCPT] = 500,  [PUT_OFF_RCPT_AND_LEAVE] = 40,
    [PUT_OFF_ALWAYS] = 15, [PUT_OFF_DATA] = 60,
    [PUT_OFF_END] = 150,   [REFUSE_RCPT] = 200,
    [REFUSE_DATA] = 50,    [REFUSE_END] = 100,
    [LATE_END] = 200,      [CUT_RCPT] = 60,
    [CUT_BODY] = 40,       [CUT_END] = 50,
    [CUT_END_TAKEN] = 50,  [HANG_RCPT] = 8,
    [HANG_END] = 8,        [HANG_END_TAKEN] = 8,
};
/* At every later one. */
static const uint32_t LATER[FATES] = {
    [PUT_OFF_RCPT] = 800, [PUT_OFF_END] = 300, [REFUSE_RCPT] = 200, [LATE_END] = 300,
    [CUT_RCPT] = 200,     [CUT_END] = 50,      [CUT_END_TAKEN] = 50
};

/* Where nobody is known yet, of 10,000. */
enum { MAIL_PUT_OFF = 60, MAIL_REFUSED = 20, MAIL_CUT = 30, MAIL_HANG = 3 };
enum { GREETING_CUT = 60, GREETING_BUSY = 60 };
enum { LATE_MS_MAX = 250 };

enum expecting { EXPECTING_COMMAND, EXPECTING_CONTENT, EXPECTING_NOTHING };

struct peer {
    int            fd; /* -1: free */
    enum expecting expecting;
    enum fate      fate;
    bool           has_mail, mail_refused, leaves;
    int32_t        who; /* -1: not known */
    uint32_t       mail_serial;
    int64_t        due_ms; /* replies wait until then; 0: they do not */
    size_t         in_len, scanned, out_len;
    char          *in;
    char           out[OUT_BYTES];
};

static struct peer           peers[PEERS_MAX];
static uint8_t               tries[PEOPLE_MAX];
static uint64_t              seed, mails, connections;
static uint32_t              serial;
static int                   epoll;
static FILE                 *journal;
static volatile sig_atomic_t is_over;

static void on_term(int signal)
{
    (void)signal;
    is_over = 1;
}

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- chance ---- */

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint32_t draw(uint64_t kind, uint64_t number, uint32_t below)
{
    return (uint32_t)(mix(mix(seed + kind * UINT64_C(0x9e3779b97f4a7c15)) + number) % below);
}

static enum fate fate_of(const uint32_t *table, uint32_t drawn)
{
    uint32_t sum = 0;
    for (int fate = FINE; fate < FATES; fate++)
        if ((sum += table[fate]) > drawn)
            return (enum fate)fate;
    return FINE;
}

static enum fate fate_draw(int32_t who, uint32_t try)
{
    enum fate first = fate_of(FIRST, draw(1, (uint64_t)who, TEN_THOUSAND));
    if (try <= 1 || first == PUT_OFF_ALWAYS)
        return first;
    return fate_of(LATER, draw(2, (uint64_t)who << 8 | try, TEN_THOUSAND));
}

/* ---- telling ---- */

static void note(char code, int32_t who, uint32_t number, const char *text)
{
    fprintf(journal, "%" PRId64 " %c %d %u %s\n", now_ms(), code, who, number, text);
}

static void reply(struct peer *peer, const char *text)
{
    size_t len = strlen(text);
    if (peer->out_len + len > OUT_BYTES) {
        fprintf(stderr, "drill: more commands at once than replies have room for\n");
        exit(1);
    }
    memcpy(peer->out + peer->out_len, text, len);
    peer->out_len += len;
}

static void refuse(struct peer *peer, const char *code, const char *phase)
{
    char text[128];
    serial++;
    note(code[0], peer->who, serial, phase);
    snprintf(text, sizeof text, "%s at %s (#%u)\r\n", code, phase, serial);
    reply(peer, text);
}

static void watch(struct peer *peer)
{
    bool               hears = peer->due_ms == 0 && peer->in_len < IN_BYTES;
    struct epoll_event event = { .events = hears ? EPOLLIN : 0,
                                 .data.u32 = (uint32_t)(peer - peers) };
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, peer->fd, &event) != 0)
        fail("epoll_ctl");
}

static void hang_up(struct peer *peer)
{
    close(peer->fd);
    free(peer->in);
    *peer = (struct peer){ .fd = -1 };
}

/* What a socket does not take at once is a broken peer: replies are short. */
static void flush(struct peer *peer)
{
    ssize_t len = (ssize_t)peer->out_len;
    peer->due_ms = 0;
    peer->out_len = 0;
    if ((len > 0 && send(peer->fd, peer->out, (size_t)len, MSG_NOSIGNAL) != len) || peer->leaves)
        hang_up(peer);
}

/* What was said before is still told, and then nothing more. */
static void cut(struct peer *peer)
{
    peer->leaves = true;
    peer->expecting = EXPECTING_NOTHING;
}

static void hang(struct peer *peer)
{
    peer->expecting = EXPECTING_NOTHING;
}

/* ---- the commands ---- */

static void on_mail(struct peer *peer)
{
    uint32_t drawn = draw(3, mails++, TEN_THOUSAND);
    peer->has_mail = true;
    peer->mail_refused = false;
    peer->who = -1;
    peer->fate = FINE;
    if (drawn < MAIL_PUT_OFF + MAIL_REFUSED) {
        peer->mail_refused = true;
        refuse(peer, drawn < MAIL_PUT_OFF ? "451 4.3.0 not now" : "550 5.7.1 not from you", "MAIL");
        peer->mail_serial = serial;
    } else if (drawn < MAIL_PUT_OFF + MAIL_REFUSED + MAIL_CUT + MAIL_HANG) {
        note('X', -1, 0, "MAIL");
        (drawn < MAIL_PUT_OFF + MAIL_REFUSED + MAIL_CUT ? cut : hang)(peer);
    } else {
        reply(peer, "250 2.1.0 ok\r\n");
    }
}

static void on_rcpt(struct peer *peer, const char *line)
{
    const char *at = strstr(line, "<u");
    int32_t     who = at == NULL ? -1 : atoi(at + 2);
    if (who < 0 || who >= PEOPLE_MAX || !peer->has_mail) {
        reply(peer, "501 5.1.3 I know nobody but u<N>@\r\n");
        return;
    }
    if (peer->mail_refused) { /* said at once with MAIL: now it is known whose that was */
        note('M', who, peer->mail_serial, "MAIL");
        reply(peer, "503 5.5.1 there is no MAIL\r\n");
        return;
    }
    if (tries[who] < UINT8_MAX)
        tries[who]++;
    peer->who = who;
    peer->fate = fate_draw(who, tries[who]);
    note('T', who, tries[who], "RCPT");
    switch (peer->fate) {
    case PUT_OFF_RCPT:
        refuse(peer, "451 4.7.1 greylisted, come again", "RCPT");
        return;
    case PUT_OFF_ALWAYS:
        refuse(peer, "450 4.2.1 busy", "RCPT");
        return;
    case PUT_OFF_RCPT_AND_LEAVE:
        refuse(peer, "421 4.3.2 shutting down", "RCPT");
        cut(peer);
        return;
    case REFUSE_RCPT:
        refuse(peer, "550 5.1.1 nobody of that name", "RCPT");
        return;
    case CUT_RCPT:
    case HANG_RCPT:
        note('X', who, 0, "RCPT");
        (peer->fate == CUT_RCPT ? cut : hang)(peer);
        return;
    default:
        reply(peer, "250 2.1.5 ok\r\n");
    }
}

static void on_data(struct peer *peer)
{
    bool is_refused = peer->mail_refused || peer->who < 0 || peer->fate == PUT_OFF_RCPT ||
                      peer->fate == PUT_OFF_ALWAYS || peer->fate == REFUSE_RCPT;
    if (is_refused)
        reply(peer, "503 5.5.1 there is nobody to send to\r\n");
    else if (peer->fate == PUT_OFF_DATA)
        refuse(peer, "451 4.3.1 no room now", "DATA");
    else if (peer->fate == REFUSE_DATA)
        refuse(peer, "554 5.7.1 not wanted", "DATA");
    else {
        reply(peer, "354 go on\r\n");
        peer->expecting = EXPECTING_CONTENT;
        peer->scanned = 0;
    }
}

static void on_command(struct peer *peer, const char *line)
{
    if (strncasecmp(line, "EHLO", 4) == 0)
        reply(peer, "250-drill.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
                    "250-ENHANCEDSTATUSCODES\r\n250 SIZE 200000\r\n");
    else if (strncasecmp(line, "MAIL", 4) == 0)
        on_mail(peer);
    else if (strncasecmp(line, "RCPT", 4) == 0)
        on_rcpt(peer, line);
    else if (strncasecmp(line, "DATA", 4) == 0)
        on_data(peer);
    else if (strncasecmp(line, "QUIT", 4) == 0) {
        reply(peer, "221 2.0.0 bye\r\n");
        cut(peer);
    } else {
        peer->has_mail = strncasecmp(line, "RSET", 4) == 0 ? false : peer->has_mail;
        reply(peer, "250 2.0.0 ok\r\n");
    }
}

/* ---- the content ---- */

static void message_id_find(const char *content, size_t len, char id[ID_BYTES])
{
    static const char name[] = "Message-ID: <";
    const char       *at = memmem(content, len, name, sizeof name - 1);
    size_t            i = 0;
    if (at != NULL)
        for (at += sizeof name - 1; at < content + len && *at != '>' && i < ID_BYTES - 1; at++)
            id[i++] = *at;
    id[i] = '\0';
}

static void take(struct peer *peer, const char *id)
{
    char text[64];
    bool is_silent = peer->fate == CUT_END_TAKEN || peer->fate == HANG_END_TAKEN;
    serial++;
    note(is_silent ? 'S' : 'A', peer->who, serial, id);
    if (is_silent) {
        (peer->fate == CUT_END_TAKEN ? cut : hang)(peer);
        return;
    }
    snprintf(text, sizeof text, "250 2.0.0 taken (#%u)\r\n", serial);
    reply(peer, text);
    if (peer->fate == LATE_END)
        peer->due_ms = now_ms() + 1 + draw(4, (uint64_t)peer->who, LATE_MS_MAX);
}

static void on_end(struct peer *peer, const char *content, size_t len)
{
    char id[ID_BYTES];
    message_id_find(content, len, id);
    peer->expecting = EXPECTING_COMMAND;
    peer->has_mail = false;
    switch (peer->fate) {
    case PUT_OFF_END:
        refuse(peer, "451 4.3.0 could not keep it", "end");
        break;
    case REFUSE_END:
        refuse(peer, "554 5.6.0 not with these words", "end");
        break;
    case CUT_END:
    case HANG_END:
        note('L', peer->who, 0, id);
        (peer->fate == CUT_END ? cut : hang)(peer);
        break;
    default:
        take(peer, id);
    }
}

/* How many bytes of the input are done with. */
static size_t content_hear(struct peer *peer)
{
    static const char end[] = "\r\n.\r\n";
    size_t            from = peer->scanned < sizeof end - 2 ? 0 : peer->scanned - (sizeof end - 2);
    const char       *dot = memmem(peer->in + from, peer->in_len - from, end, sizeof end - 1);
    if (peer->fate == CUT_BODY && peer->in_len > 0) {
        note('C', peer->who, 0, "content");
        cut(peer);
        return peer->in_len;
    }
    peer->scanned = peer->in_len;
    if (dot == NULL && peer->in_len == IN_BYTES) {
        fprintf(stderr, "drill: a message is longer than %d bytes\n", IN_BYTES);
        exit(1);
    }
    if (dot == NULL)
        return 0;
    size_t len = (size_t)(dot - peer->in);
    on_end(peer, peer->in, len);
    return len + sizeof end - 1;
}

static size_t line_hear(struct peer *peer)
{
    char  *feed = memchr(peer->in, '\n', peer->in_len);
    size_t len = feed == NULL ? 0 : (size_t)(feed - peer->in) + 1;
    if (feed == NULL)
        return 0;
    *feed = '\0';
    on_command(peer, peer->in);
    return len;
}

/* Until more is needed, or nothing may be said now. */
static void think(struct peer *peer)
{
    while (peer->in_len > 0 && peer->due_ms == 0) {
        size_t done = peer->expecting == EXPECTING_NOTHING   ? peer->in_len
                      : peer->expecting == EXPECTING_CONTENT ? content_hear(peer)
                                                             : line_hear(peer);
        if (done == 0)
            break;
        peer->in_len -= done;
        memmove(peer->in, peer->in + done, peer->in_len);
    }
    if (peer->due_ms == 0)
        flush(peer);
    if (peer->fd >= 0)
        watch(peer);
}

static void hear(struct peer *peer)
{
    ssize_t got = recv(peer->fd, peer->in + peer->in_len, IN_BYTES - peer->in_len, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            hang_up(peer);
        return;
    }
    peer->in_len += (size_t)got;
    think(peer);
}

static void greet(int listener)
{
    int one = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    uint32_t i = 0, drawn = draw(5, connections++, TEN_THOUSAND);
    while (i < PEERS_MAX && peers[i].fd >= 0)
        i++;
    if (i == PEERS_MAX || drawn < GREETING_CUT) {
        note('X', -1, 0, "greeting");
        close(fd);
        return;
    }
    struct peer       *peer = &peers[i];
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    *peer = (struct peer){ .fd = fd, .who = -1, .in = malloc(IN_BYTES) };
    if (peer->in == NULL || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        fail("a connection");
    if (drawn < GREETING_CUT + GREETING_BUSY) {
        refuse(peer, "421 4.3.2 too busy", "greeting");
        cut(peer);
    } else {
        reply(peer, "220 drill.example ESMTP\r\n");
    }
    flush(peer);
}

/* Milliseconds until the next late answer; -1: there is none. */
static int late_answers(void)
{
    int64_t now = now_ms(), next = INT64_MAX;
    for (struct peer *peer = peers; peer < peers + PEERS_MAX; peer++) {
        if (peer->fd >= 0 && peer->due_ms != 0 && peer->due_ms <= now) {
            flush(peer);
            if (peer->fd >= 0)
                think(peer);
        }
        if (peer->fd >= 0 && peer->due_ms != 0 && peer->due_ms < next)
            next = peer->due_ms;
    }
    return next == INT64_MAX ? -1 : (int)(next > now ? next - now : 1);
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

static void attend(int listener, const struct epoll_event *event)
{
    struct peer *peer = event->data.u32 == LISTENER ? NULL : &peers[event->data.u32];
    if (peer == NULL)
        greet(listener);
    else if (peer->fd >= 0 && (event->events & EPOLLIN) != 0)
        hear(peer);
    else if (peer->fd >= 0 && (event->events & (EPOLLHUP | EPOLLERR)) != 0)
        hang_up(peer);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: drill PORT SEED JOURNAL\n");
        return 2;
    }
    struct sigaction term = { .sa_handler = on_term };
    sigaction(SIGTERM, &term, NULL);
    seed = strtoull(argv[2], NULL, 10);
    journal = fopen(argv[3], "w");
    if (journal == NULL)
        fail(argv[3]);
    setvbuf(journal, NULL, _IOLBF, 1 << 12);
    for (int i = 0; i < PEERS_MAX; i++)
        peers[i].fd = -1;
    int                listener = listen_at((uint16_t)atoi(argv[1]));
    struct epoll_event events[256], event = { .events = EPOLLIN, .data.u32 = LISTENER };
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0)
        fail("epoll");
    while (!is_over) {
        int count = epoll_wait(epoll, events, 256, late_answers());
        for (int i = 0; i < count; i++)
            attend(listener, &events[i]);
    }
    fclose(journal);
    return 0;
}
