/*
 * peer: a mail server that does what a test tells it: answers, stalls, drops, refuses, splits.
 * One thread a connection, blocking, on 127.0.0.1. It counts what it took by recipient, so that a
 * test can ask whether anyone was mailed twice.
 */
#ifndef DULT_DELIVERY_PEER_TEST_H
#define DULT_DELIVERY_PEER_TEST_H

#include <openssl/ssl.h>

#include "base/str.h"

enum peer_stage {
    PEER_GREETING,
    PEER_EHLO,
    PEER_STARTTLS,
    PEER_AUTH,
    PEER_MAIL,
    PEER_RCPT,
    PEER_DATA,
    PEER_BODY,  /* in the middle of the content */
    PEER_DOT,   /* the dot was read, no reply yet */
    PEER_AFTER, /* the reply to the dot was sent */
    PEER_STAGES,
};

enum peer_fault { PEER_FINE, PEER_DROPS, PEER_STALLS, PEER_SAYS };

struct peer_conf {
    const char     *offers; /* the whole answer to EHLO; NULL: PIPELINING */
    enum peer_fault fault;
    enum peer_stage stage;
    const char     *says;   /* with PEER_SAYS: instead of the usual reply at that stage */
    int             faults; /* how many times; 0: every time */
    const char     *victim; /* the fault meets only recipients that hold this; NULL: anyone */
    bool            bytewise, tls_at_once, inject;
    SSL_CTX        *tls;
    const char     *auth; /* the base64 of AUTH PLAIN that is welcome */
};

enum { PEER_RECIPIENTS_MAX = 20000 };

struct peer_counts {
    int connections, messages, doubles, in_tls, authenticated, stalled, noops;
};

struct peer;

struct peer       *peer_open(const struct peer_conf *conf); /* asserts */
uint16_t           peer_port(const struct peer *peer);
struct peer_counts peer_counts(struct peer *peer);
/* Waits until so many messages came, or so many connections stall. */
bool       peer_wait(struct peer *peer, int messages, int stalled);
int        peer_mailed(struct peer *peer, int recipient); /* how often m<recipient>@... */
struct str peer_last(struct peer *peer); /* the last message's lines, unstuffed; copied */
void       peer_close(struct peer *peer);

/* A certificate made on the spot for localhost and 127.0.0.1; its PEM is written to `pem_path`. */
SSL_CTX *peer_tls(const char *pem_path);

#endif
