/*
 * domain_look: does the DNS let our mail be believed? For one domain that mail comes from.
 *
 *      spf     one record on the domain that bounces go to, at most 10 look-ups, that names the way
 * out dkim    each key of ours under its selector dmarc   a policy on the From domain, or on the
 * one above it mx      a host that takes what comes back to the return domain
 *
 *     domain_look(dns, &what, arena, wait_ms, &report)
 *
 * Each row has what stands there, and the exact record to publish where something else should.
 *
 * Always true   what could not be asked is LOOK_UNKNOWN, and never "missing"; it ends within
 * wait_ms. Knows not     from which addresses a mail server that is not ours sends: an SPF record
 * is right when it names the way out as we know it (its host, or its service's include).
 */
#ifndef DULT_RUN_DOMAIN_LOOK_H
#define DULT_RUN_DOMAIN_LOOK_H

#include "delivery/dns.h"
#include "run/send/secrets.h"

enum look_state { LOOK_GOOD, LOOK_NOTE, LOOK_MISSING, LOOK_WRONG, LOOK_UNKNOWN };

enum {
    DOMAIN_ROWS_MAX = 8,
    DOMAIN_WHAT_BYTES = 240,
    SPF_LOOKUPS_MAX = 10, /* RFC 7208, 4.6.4: beyond it receivers give up, and the record is none */
};

struct look_row {
    const char     *about; /* "spf", "dkim", "dmarc", "mx" */
    enum look_state state;
    struct str      name, type; /* where: "dult1._domainkey.shop.example", "TXT" */
    struct str      publish;    /* the record's value; empty: nothing is to be done */
    struct str      found[4];   /* what stands there, the first few */
    uint32_t        found_count;
    char            what[DOMAIN_WHAT_BYTES];
};

struct domain_report {
    struct look_row rows[DOMAIN_ROWS_MAX];
    uint32_t        count;
    bool            is_authenticated; /* DKIM or SPF is good, as far as is known */
    bool            is_known;         /* every question was answered */
};

struct domain_what {
    struct str            domain;        /* of From */
    struct str            return_domain; /* empty: bounces go to the From domain */
    struct str            smtp_host;     /* the way out; empty: not known */
    const struct secrets *secrets;
};

MUST enum err domain_look(struct dns *dns, const struct domain_what *what, struct arena *arena,
                          int64_t wait_ms, struct domain_report *out);

const char *look_state_name(enum look_state state); /* "good", "note", "missing" ... */

#endif
