#include "delivery/peer_test.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/test.h"

enum { CONNECTIONS_MAX = 512, LINE_MAX_BYTES = 4096, LAST_BYTES = 65536 };

struct peer {
    struct peer_conf   conf;
    int                listener;
    uint16_t           port;
    pthread_t          accepter;
    pthread_mutex_t    lock;
    struct peer_counts counts;
    int                faults_left;
    bool               closing;
    int                fds[CONNECTIONS_MAX];
    pthread_t          threads[CONNECTIONS_MAX];
    int                threads_count;
    uint8_t            mailed[PEER_RECIPIENTS_MAX];
    char               last[LAST_BYTES];
    size_t             last_len;
};

struct caller {
    struct peer *peer;
    int          index, fd;
    SSL         *ssl;
    char         in[LINE_MAX_BYTES];
    size_t       in_from, in_len;
    int          recipient;
    bool         spared; /* not whom the fault is for */
};

static bool put_bytes(struct caller *c, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = c->ssl != NULL ? SSL_write(c->ssl, bytes, (int)len)
                                   : send(c->fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static bool put(struct caller *c, const char *text)
{
    if (!c->peer->conf.bytewise)
        return put_bytes(c, text, strlen(text));
    for (; *text != '\0'; text++) {
        if (!put_bytes(c, text, 1))
            return false;
        usleep(50);
    }
    return true;
}

static bool get_line(struct caller *c, char *line)
{
    size_t len = 0;
    for (;;) {
        if (c->in_from == c->in_len) {
            ssize_t n = c->ssl != NULL ? SSL_read(c->ssl, c->in, sizeof c->in)
                                       : recv(c->fd, c->in, sizeof c->in, 0);
            if (n <= 0)
                return false;
            c->in_from = 0;
            c->in_len = (size_t)n;
        }
        char b = c->in[c->in_from++];
        if (len + 1 == LINE_MAX_BYTES)
            return false;
        line[len++] = b;
        if (b == '\n') {
            line[len] = '\0';
            return true;
        }
    }
}

static bool fault_now(const struct caller *c, enum peer_stage stage)
{
    struct peer *peer = c->peer;
    if (peer->conf.fault == PEER_FINE || peer->conf.stage != stage || c->spared)
        return false;
    if (peer->conf.faults == 0)
        return true;
    pthread_mutex_lock(&peer->lock);
    bool now = peer->faults_left > 0;
    peer->faults_left -= now;
    pthread_mutex_unlock(&peer->lock);
    return now;
}

static void sleep_until_gone(struct caller *c)
{
    char byte[256];
    pthread_mutex_lock(&c->peer->lock);
    c->peer->counts.stalled++;
    pthread_mutex_unlock(&c->peer->lock);
    while (recv(c->fd, byte, sizeof byte, 0) > 0)
        ;
}

/* False: the connection ends here. */
static bool answer(struct caller *c, enum peer_stage stage, const char *usual)
{
    if (!fault_now(c, stage))
        return put(c, usual);
    if (c->peer->conf.fault == PEER_DROPS)
        return false;
    if (c->peer->conf.fault == PEER_SAYS)
        return put(c, c->peer->conf.says);
    sleep_until_gone(c);
    return false;
}

static bool accept_tls(struct caller *c)
{
    c->ssl = SSL_new(c->peer->conf.tls);
    c->in_from = c->in_len = 0;
    SSL_set_fd(c->ssl, c->fd);
    if (SSL_accept(c->ssl) != 1)
        return false;
    pthread_mutex_lock(&c->peer->lock);
    c->peer->counts.in_tls++;
    pthread_mutex_unlock(&c->peer->lock);
    return true;
}

static void count_message(struct caller *c, const char *body, size_t len)
{
    struct peer *peer = c->peer;
    pthread_mutex_lock(&peer->lock);
    peer->counts.messages++;
    if (c->recipient >= 0 && c->recipient < PEER_RECIPIENTS_MAX)
        peer->counts.doubles += peer->mailed[c->recipient]++ > 0;
    memcpy(peer->last, body, len);
    peer->last_len = len;
    pthread_mutex_unlock(&peer->lock);
}

static bool take_content(struct caller *c)
{
    char   line[LINE_MAX_BYTES], *body = malloc(LAST_BYTES);
    size_t len = 0;
    bool   ok = false;
    int    lines = 0;
    assert_non_null(body);
    while (get_line(c, line)) {
        if (lines++ == 0 && fault_now(c, PEER_BODY)) {
            if (c->peer->conf.fault == PEER_STALLS)
                sleep_until_gone(c);
            if (c->peer->conf.fault == PEER_SAYS)
                put(c, c->peer->conf.says);
            break;
        }
        if (strcmp(line, ".\r\n") == 0) {
            ok = true;
            break;
        }
        const char *text = line[0] == '.' ? line + 1 : line;
        size_t      n = strlen(text);
        if (len + n <= LAST_BYTES) {
            memcpy(body + len, text, n);
            len += n;
        }
    }
    /* A server that dropped the message at the dot may still have taken it: that is the doubt. */
    if (ok)
        count_message(c, body, len);
    free(body);
    return ok && answer(c, PEER_DOT, "250 2.0.0 Ok: queued as PEER\r\n") &&
           !fault_now(c, PEER_AFTER);
}

static bool starttls(struct caller *c)
{
    if (!answer(c, PEER_STARTTLS,
                c->peer->conf.inject ? "220 go\r\n250 injected\r\n" : "220 go\r\n"))
        return false;
    return c->peer->conf.fault == PEER_SAYS || accept_tls(c);
}

static bool auth(struct caller *c, const char *line)
{
    bool welcome = c->peer->conf.auth != NULL && strstr(line, c->peer->conf.auth) != NULL;
    pthread_mutex_lock(&c->peer->lock);
    c->peer->counts.authenticated += welcome;
    pthread_mutex_unlock(&c->peer->lock);
    return answer(c, PEER_AUTH, welcome ? "235 ok\r\n" : "535 5.7.8 wrong\r\n");
}

static bool serve_line(struct caller *c, const char *line)
{
    const char *offers = c->peer->conf.offers;
    if (strncmp(line, "EHLO", 4) == 0)
        return answer(c, PEER_EHLO,
                      offers != NULL ? offers : "250-peer\r\n250-PIPELINING\r\n250 8BITMIME\r\n");
    if (strncmp(line, "STARTTLS", 8) == 0)
        return starttls(c);
    if (strncmp(line, "AUTH", 4) == 0)
        return auth(c, line);
    if (strncmp(line, "MAIL", 4) == 0)
        return answer(c, PEER_MAIL, "250 ok\r\n");
    if (strncmp(line, "RCPT", 4) == 0) {
        c->recipient = -1;
        sscanf(line, "RCPT TO:<m%d@", &c->recipient);
        c->spared = c->peer->conf.victim != NULL && strstr(line, c->peer->conf.victim) == NULL;
        return answer(c, PEER_RCPT, "250 ok\r\n");
    }
    if (strncmp(line, "DATA", 4) == 0) {
        bool says = c->peer->conf.fault == PEER_SAYS && c->peer->conf.stage == PEER_DATA;
        return answer(c, PEER_DATA, "354 go\r\n") && (says || take_content(c));
    }
    if (strncmp(line, "QUIT", 4) == 0) {
        put(c, "221 bye\r\n");
        return false;
    }
    pthread_mutex_lock(&c->peer->lock);
    c->peer->counts.noops += strncmp(line, "NOOP", 4) == 0;
    pthread_mutex_unlock(&c->peer->lock);
    return put(c, "250 ok\r\n");
}

static void *serve(void *ctx)
{
    struct caller *c = ctx;
    struct peer   *peer = c->peer;
    char           line[LINE_MAX_BYTES];
    int            on = 1;
    sigset_t       pipe_only;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_only, NULL);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    bool alive = !peer->conf.tls_at_once || accept_tls(c);
    alive = alive && answer(c, PEER_GREETING, "220 peer.example ESMTP\r\n");
    while (alive && get_line(c, line))
        alive = serve_line(c, line);
    SSL_free(c->ssl);
    pthread_mutex_lock(&peer->lock);
    peer->fds[c->index] = -1;
    pthread_mutex_unlock(&peer->lock);
    close(c->fd);
    free(c);
    return NULL;
}

static void welcome(struct peer *peer, int fd)
{
    struct caller *c = calloc(1, sizeof *c);
    assert_non_null(c);
    pthread_mutex_lock(&peer->lock);
    assert_true(peer->threads_count < CONNECTIONS_MAX);
    *c = (struct caller){ .peer = peer, .fd = fd, .index = peer->threads_count, .recipient = -1 };
    peer->fds[c->index] = fd;
    peer->counts.connections++;
    assert_int_equal(pthread_create(&peer->threads[c->index], NULL, serve, c), 0);
    peer->threads_count++;
    pthread_mutex_unlock(&peer->lock);
}

static void *accept_all(void *ctx)
{
    struct peer *peer = ctx;
    for (;;) {
        struct pollfd p = { .fd = peer->listener, .events = POLLIN };
        poll(&p, 1, 20);
        pthread_mutex_lock(&peer->lock);
        bool closing = peer->closing;
        pthread_mutex_unlock(&peer->lock);
        if (closing)
            return NULL;
        int fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            welcome(peer, fd);
    }
}

struct peer *peer_open(const struct peer_conf *conf)
{
    struct peer       *peer = calloc(1, sizeof *peer);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t          len = sizeof at;
    assert_non_null(peer);
    peer->conf = *conf;
    peer->faults_left = conf->faults;
    pthread_mutex_init(&peer->lock, NULL);
    peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(peer->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(peer->listener, 128), 0);
    assert_int_equal(getsockname(peer->listener, (struct sockaddr *)&at, &len), 0);
    peer->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&peer->accepter, NULL, accept_all, peer), 0);
    return peer;
}

uint16_t peer_port(const struct peer *peer)
{
    return peer->port;
}

struct peer_counts peer_counts(struct peer *peer)
{
    pthread_mutex_lock(&peer->lock);
    struct peer_counts counts = peer->counts;
    pthread_mutex_unlock(&peer->lock);
    return counts;
}

bool peer_wait(struct peer *peer, int messages, int stalled)
{
    for (int i = 0; i < 2000; i++) {
        struct peer_counts counts = peer_counts(peer);
        if (counts.messages >= messages && counts.stalled >= stalled)
            return true;
        usleep(5000);
    }
    return false;
}

int peer_mailed(struct peer *peer, int recipient)
{
    pthread_mutex_lock(&peer->lock);
    int times = peer->mailed[recipient];
    pthread_mutex_unlock(&peer->lock);
    return times;
}

struct str peer_last(struct peer *peer)
{
    return (struct str){ peer->last, peer->last_len };
}

void peer_close(struct peer *peer)
{
    pthread_mutex_lock(&peer->lock);
    peer->closing = true;
    pthread_mutex_unlock(&peer->lock);
    pthread_join(peer->accepter, NULL);
    close(peer->listener);
    pthread_mutex_lock(&peer->lock);
    for (int i = 0; i < peer->threads_count; i++)
        if (peer->fds[i] >= 0)
            shutdown(peer->fds[i], SHUT_RDWR);
    pthread_mutex_unlock(&peer->lock);
    for (int i = 0; i < peer->threads_count; i++)
        pthread_join(peer->threads[i], NULL);
    pthread_mutex_destroy(&peer->lock);
    free(peer);
}

static X509 *make_certificate(EVP_PKEY *key)
{
    X509      *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1,
                               0);
    X509_set_issuer_name(cert, name);
    X509_set_pubkey(cert, key);
    X509_EXTENSION *names =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    X509_add_ext(cert, names, -1);
    X509_EXTENSION_free(names);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    return cert;
}

SSL_CTX *peer_tls(const char *pem_path)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509     *cert = make_certificate(key);
    SSL_CTX  *tls = SSL_CTX_new(TLS_server_method());
    assert_int_equal(SSL_CTX_use_certificate(tls, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(tls, key), 1);
    FILE *file = fopen(pem_path, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, cert), 1);
    fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
    return tls;
}
