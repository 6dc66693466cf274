/*
 * tls: what a client needs to know before it trusts a server.
 *
 * Always true   TLS 1.2 or later; unless told not to, the certificate must lead to a known
 *               authority and carry the name that we meant to call.
 */
#ifndef DULT_DELIVERY_TLS_H
#define DULT_DELIVERY_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/err.h"

struct tls_conf {
    const char *ca_file;   /* NULL: the system's authorities */
    bool        no_verify; /* anybody may answer; for tests and for relays on a private wire */
};

SSL_CTX *tls_client_open(const struct tls_conf *conf, struct problem *problem);

/* One connection to `host` (a name or an address); NULL without memory. */
SSL *tls_client_to(SSL_CTX *context, const char *host);

/* Why a handshake failed, in words. */
void tls_why(const SSL *ssl, unsigned long code, char *out, size_t out_bytes);

#endif
