/*
 * sigv4: a request to Amazon's services, signed (AWS Signature Version 4).
 *
 *      method, URL, headers, body --> canonical request --> SHA-256 --+
 *      secret, day, region, service --> HMAC chain -----------------> signature
 *
 * Signed are host, content-type and every x-amz-* header; the body by its SHA-256.
 *
 * Always true   the same request at the same second has the same signature.
 * Knows not     the clock: time is handed in.
 * Source        docs.aws.amazon.com: "Create a signed AWS API request"; checked with the vectors
 *               of Amazon's test suite (sigv4_test.c).
 */
#ifndef DULT_DELIVERY_SIGV4_H
#define DULT_DELIVERY_SIGV4_H

#include "base/buf.h"

enum { SIGV4_HEADERS_MAX = 16, SIGV4_URL_BYTES_MAX = 2048 };

struct sigv4_keys {
    struct str key, secret, token; /* token: of temporary keys; may be empty */
    struct str region, service;
};

struct sigv4_request {
    struct str         method, url;
    const char *const *headers; /* "Name: value", NULL at the end; date and token are added here */
    struct str         body;
    int64_t            at_ms;
};

/* What is to be sent besides; each "Name: value". */
struct sigv4_headers {
    struct str date, token, authorization; /* no token: empty */
};

/* The texts lie in the arena. ERR_INPUT: not an http URL, or more headers than there may be. */
MUST enum err sigv4_sign(struct arena *arena, const struct sigv4_keys *keys,
                         const struct sigv4_request *request, struct sigv4_headers *out);

#endif
