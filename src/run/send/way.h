/*
 * way: one way out of the house, as the operator wrote it down.
 *
 * There may be several, in order. A message goes by the first that is for it and is open; when
 * that one is down or refuses, what it certainly did not send goes by the next (sender_ways.c).
 */
#ifndef DULT_RUN_WAY_H
#define DULT_RUN_WAY_H

#include "base/str.h"
#include "run/send/provider.h"

enum {
    WAYS_TOLD_MAX = 12, /* by the operator */
    WAYS_MAX = 14,      /* with one for webhooks, and that of the setting smtp or outbox */
    WAY_NAME_BYTES_MAX = 40,
    WAY_CURRENCY_BYTES = 8,
    WAY_WORDS_MAX = 64,   /* topics; domains */
    WAY_PLACES_MAX = 128, /* messages it holds at once: two a connection, 64 connections */
    WAY_AHEAD_MAX = 256,  /* claimed and waiting for a place */
};

enum way_kind {
    WAY_SMTP,
    WAY_OUTBOX, /* a Maildir */
    WAY_HTTP,   /* a provider's */
};

enum sender_tls {
    SENDER_TLS_CHOSEN, /* by the URL: required with a password, otherwise taken when offered */
    SENDER_TLS_OFF,
    SENDER_TLS_OFFERED,
    SENDER_TLS_REQUIRED,
};

/* So many messages a day and a month (UTC) at most: `per_day`, or a beginning that grows. */
struct way_plan {
    uint32_t per_month; /* 0: no bound */
    uint32_t per_day;   /* 0: no bound, but for what follows */
    uint32_t first_day; /* 0: no warm-up */
    int64_t  from_day;  /* days since 1970; before it nothing goes */
    double   grow;      /* each day so many times the day before: 1.5 */
};

/* Of that day; UINT32_MAX: no bound. */
uint32_t way_plan_limit(const struct way_plan *plan, int64_t day);

/* What a message costs by it: a part of a text, a postcard. */
struct way_price {
    double each; /* 0: not known */
    char   currency[WAY_CURRENCY_BYTES];
};

/* Borrowed until the sender is closed. A member more is one more in way_same. */
struct way_conf {
    const char            *name;
    enum way_kind          kind;
    enum consent_channel   channel;      /* CHANNEL_ALL: e-mail */
    bool                   is_usual;     /* nobody wrote it down: webhooks go by themselves */
    const struct json     *from, *price; /* as told; by country or not; NULL */
    const char            *smtp_url;     /* WAY_SMTP: smtp://user:pass@host:port, smtps://... */
    const char            *outbox_dir;   /* WAY_OUTBOX */
    const struct provider *provider;     /* WAY_HTTP */
    struct json            settings;     /* of the provider, all of them: provider_settings_fill */
    bool                   is_inside;    /* WAY_HTTP: it may lie in our own network */
    int64_t                timeout_ms;   /* WAY_HTTP: for an answer; 0: a minute */
    const char            *tls_ca_file;  /* NULL: the system's */
    enum sender_tls        tls;
    uint32_t               connections;         /* 0: SENDER_CONNECTIONS */
    uint32_t               per_second;          /* 0: no limit */
    uint32_t               domain_messages_max; /* under way to one recipient domain, country or
                                                 * host; 0: no limit */
    const struct str *topics;                   /* only these; none: every message */
    uint32_t          topics_count;
    const struct str *domains; /* only mail from these */
    uint32_t          domains_count;
    const struct str *countries; /* only to numbers and addresses of these: "NO" */
    uint32_t          countries_count;
    bool              no_receipts, only_receipts;
    struct way_plan   plan;
};

enum consent_channel way_channel(const struct way_conf *way); /* never CHANNEL_ALL */

/* Where an address of the channel lies: "NO" of a number or of a place, a domain of a mailbox, a
 * webhook's host. Limits to a destination count by it. May be empty. */
struct str way_destination(enum consent_channel channel, struct str address);

/* Is a way told as it was, so that an open one may stay? Never where a file besides is read (`ca`),
 * which may say something else by now. */
bool way_same(const struct way_conf *a, const struct way_conf *b);

/* May messages to that address go by it? An empty address: to some. */
bool way_is_for_place(const struct way_conf *way, struct str address);

/* Who a message to that address is from; empty: nobody is set. */
struct str       way_from(const struct way_conf *way, struct str address);
struct way_price way_price(const struct way_conf *way, struct str address);

/* How a way is, for people. */
struct way_stats {
    char                 name[WAY_NAME_BYTES_MAX + 1];
    enum consent_channel for_channel;
    bool                 is_open;         /* takes messages now */
    int64_t              opens_ms;        /* when it is tried again, where that is known; else 0 */
    uint64_t             sent, passed_on; /* by it; from it to another way */
    uint32_t             in_flight, waiting; /* given to it; for a place of it */
    uint32_t             today, today_most;  /* by it; at most, UINT32_MAX: no bound */
    uint32_t             month, month_most;  /* the same; 0: no bound */
    struct channel_stats channel;
    char                 error[DELIVERY_TEXT_BYTES_MAX]; /* the last trouble */
    int64_t              error_ms;
};

#endif
