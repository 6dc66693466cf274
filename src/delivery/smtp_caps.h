/*
 * smtp_caps: what a server offers in its answer to EHLO (RFC 5321 4.1.1.1).
 *
 * Always true   what is not understood is not offered.
 */
#ifndef DULT_DELIVERY_SMTP_CAPS_H
#define DULT_DELIVERY_SMTP_CAPS_H

#include "base/str.h"

struct smtp_caps {
    bool     pipelining, starttls, eightbitmime, smtputf8, dsn;
    bool     auth_plain, auth_login;
    uint64_t size_bytes_max; /* 0: no bound stated */
};

/* Adds what one line of the answer offers, such as "SIZE 10240000" or "AUTH PLAIN LOGIN". */
void smtp_caps_add(struct smtp_caps *caps, struct str line);

#endif
