/*
 * domain_look: does the DNS let our mail be believed? For one domain that mail comes from.
 *
 *      spf      one record on the domain that bounces go to, at most 10 look-ups, that names the
 *               ways out
 *      dkim     each key of ours under its selector
 *      dmarc    a policy on the From domain, or on the one above it
 *      mx       a host that takes what comes back to the return domain
 *      and what each service in use wants for itself (its description's `dns`): its SPF on the
 *      domain that its bounces go to, its keys, its return path ("return")
 *
 *     domain_look(dns, &what, arena, wait_ms, &report)
 *
 * Each row has what stands there, and the exact record to publish where something else should.
 *
 * Always true   what could not be asked is LOOK_UNKNOWN, and never "missing"; it ends within
 *               wait_ms; what only a service's own page shows is a hint, and proves nothing;
 *               what the settings of a way say of one domain is missed in no other.
 * Knows not     from which addresses a mail server that is not ours sends: an SPF record is right
 *               when it names the way out as we know it (its host, or its service's include).
 */
#ifndef DULT_RUN_DOMAIN_LOOK_H
#define DULT_RUN_DOMAIN_LOOK_H

#include "delivery/dns.h"
#include "run/send/secrets.h"
#include "run/send/way.h"

enum look_state { LOOK_GOOD, LOOK_NOTE, LOOK_MISSING, LOOK_WRONG, LOOK_UNKNOWN };

enum {
    DOMAIN_ROWS_MAX = 40, /* those of ours, and one for each that a service wants */
    DOMAIN_WANTS_MAX = 32,
    DOMAIN_HOSTS_MAX = 7, /* mail servers beside the first */
    DOMAIN_WHAT_BYTES = 240,
    SPF_LOOKUPS_MAX = 10, /* RFC 7208, 4.6.4: beyond it receivers give up, and the record is none */
};

struct look_row {
    const char     *about; /* "spf", "dkim", "dmarc", "mx", "return" */
    enum look_state state;
    struct str      name, type; /* where: "dult1._domainkey.shop.example", "TXT" */
    struct str      publish;    /* the record's value; empty: nothing is to be done */
    struct str      found[4];   /* what stands there, the first few */
    uint32_t        found_count;
    bool            is_hint; /* nothing was looked up */
    char            what[DOMAIN_WHAT_BYTES];
};

struct domain_report {
    struct look_row rows[DOMAIN_ROWS_MAX];
    uint32_t        count;
    bool            is_authenticated; /* DKIM or SPF is good, as far as is known */
    bool            is_known;         /* every question was answered */
};

struct domain_what {
    struct str        domain;        /* of From */
    struct str        return_domain; /* empty: bounces go to the From domain */
    struct str        smtp_host;     /* the way out; empty: not known */
    const struct str *more_hosts;    /* further mail servers */
    uint32_t          more_hosts_count;
    bool              no_smtp;    /* all goes by services, and comes back to them */
    bool              no_keys;    /* no way carries our signature */
    bool              has_others; /* mail comes from other domains, too */

    const struct provider_record *wants; /* of services, at most DOMAIN_WANTS_MAX */
    uint32_t                      wants_count;

    const struct secrets *secrets;
};

/* Adds what the e-mail ways to mail from what->domain want, beside the mail server that is there;
 * all lies in the arena. */
MUST enum err domain_what_fill(struct domain_what *what, const struct way_conf *ways,
                               uint32_t count, struct arena *arena);

MUST enum err domain_look(struct dns *dns, const struct domain_what *what, struct arena *arena,
                          int64_t wait_ms, struct domain_report *out);

const char *look_state_name(enum look_state state); /* "good", "note", "missing" ... */

#endif
