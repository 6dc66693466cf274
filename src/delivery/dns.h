/*
 * dns: what the DNS says of a name, asked all at once, and answered by a deadline.
 *
 *     struct dns_question ask[] = { { DNS_TXT, STR("shop.example") }, { DNS_MX, STR("...") } };
 *     dns_ask(dns, ask, 2, arena, 3000);
 *
 * TXT records come as their joined texts, MX as "10 mx.shop.example", A and AAAA as addresses,
 * CNAME as the name.
 *
 * Always true   every question has its answer when dns_ask returns, at the latest `wait_ms` after:
 *               one that nobody answered is DNS_UNKNOWN with the reason. "There is none" is an
 *               answer; silence is not.
 * Bounds        DNS_RECORDS_MAX records of an answer; the rest is left out.
 * Threads       one; each has its own.
 */
#ifndef DULT_DELIVERY_DNS_H
#define DULT_DELIVERY_DNS_H

#include "base/arena.h"
#include "base/str.h"

enum dns_type { DNS_TXT, DNS_MX, DNS_A, DNS_AAAA, DNS_CNAME };
enum dns_found { DNS_FOUND, DNS_NONE, DNS_UNKNOWN };

enum {
    DNS_RECORDS_MAX = 32,
    DNS_NAME_BYTES_MAX = 253,
    DNS_TRY_MS = 1500, /* for one server to answer; then it is asked once more */
};

struct dns_question {
    enum dns_type  type;
    struct str     name;
    enum dns_found found; /* the answer */
    struct str     records[DNS_RECORDS_MAX];
    uint32_t       count;
    char           why[80]; /* of DNS_UNKNOWN */
};

struct dns;

/* `servers`: "127.0.0.1:5353,::1"; NULL or empty: the system's. ERR_INPUT with a problem. */
MUST enum err dns_open(struct dns **out, const char *servers, struct problem *problem);
void          dns_close(struct dns *dns); /* NULL is nothing */
void          dns_closep(struct dns **dns);

/* Fills in each question's answer; texts lie in the arena. */
void dns_ask(struct dns *dns, struct dns_question *questions, uint32_t count, struct arena *arena,
             int64_t wait_ms);

#endif
