/*
 * sender_url: the mail server and the public address, as a person writes them.
 *
 *     smtp://user:p%40ss@mail.example:587     STARTTLS
 *     smtps://user:pass@[2001:db8::1]         TLS from the first byte, port 465
 *     smtp://127.0.0.1:2525                   a relay on this machine
 *
 * Without a port: 465 for smtps, 587 with a user, otherwise 25.
 */
#ifndef DULT_RUN_SENDER_URL_H
#define DULT_RUN_SENDER_URL_H

#include "base/str.h"

enum { SENDER_HOST_BYTES = 256, SENDER_USER_BYTES = 256, SENDER_PASSWORD_BYTES = 1024 };

struct sender_url {
    bool     tls_at_once;
    char     host[SENDER_HOST_BYTES], user[SENDER_USER_BYTES], password[SENDER_PASSWORD_BYTES];
    uint16_t port;
};

/* ERR_INPUT with the remedy; a password is never in the problem. */
MUST enum err sender_url_parse(struct str url, struct sender_url *out, struct problem *problem);

/* True when a name or address can only mean the machine it is used on. */
bool sender_host_is_loopback(struct str host);
/* The host of an http or https URL, without brackets. */
struct str sender_host_of(struct str url);

#endif
