/*
 * api: what can be asked of Dult over HTTP, and who may ask it.
 *
 *      loop threads: event API --parse--> core_submit ------------------------> done: the answer
 *                    the rest  --> [ queue ] --> desks: ask the engine, read the store, answer
 *                    reports   --> [ queue ] --> crew: ask everyone, beside the engine (crew.h)
 *
 * The same routes stand behind the TCP listener and behind the Unix socket in the data folder;
 * whoever may open that socket is the owner. Event requests never leave their loop thread until
 * they are handed to the core; all else is answered at a desk, one of a few threads with a reader
 * of the store of its own, which may wait.
 *
 *     struct router_conf routes = api_router(api);
 *     router_open(&routes, &router, &problem);
 *     http_conf: .context = router, .refused = api_refused, .refused_context = api
 *
 * Always true   what was answered with 2xx is on disk; every request taken is answered; a key's
 *               text is never kept, and shown once.
 * Closing       http_close first (it waits for the answers that are owed), then api_close, then
 *               core_close.
 * Bounds        below; every list has at most API_LIMIT_MAX items and says where to go on.
 */
#ifndef DULT_RUN_API_H
#define DULT_RUN_API_H

#include "intake/hook.h"
#include "message/token.h"
#include "run/core/core.h"
#include "server/metrics.h"
#include "server/refused.h"
#include "server/router.h"

enum {
    API_LIMIT_MAX = 1000,          /* items of one page */
    API_KEYS_MAX = 1000,           /* valid keys; each request looks at all of them */
    API_DESKS = 4,                 /* the first serves tracking alone */
    API_WAITING_MAX = 1024,        /* requests before a desk; more are told to come again */
    API_REPORTS_WAITING_MAX = 64,  /* the same before the crew: each may take a second */
    API_REPORT_THREADS = 2,        /* unless said */
    API_IMPORT_EVENTS_MAX = 20000, /* of one POST /api/v1/import */
    API_IMPORT_BYTES_MAX = 16 << 20,
};

struct api;
struct secrets;
struct sender;
struct trial;
struct geo;
struct ways_shelf;
struct sns_desk;

struct api_conf {
    struct core                   *core;
    struct str                     public_url;    /* of links; empty: that of each request */
    struct str                     name;          /* the workspace's, on the unsubscribe page */
    const struct token_keys       *tokens;        /* of links; NULL: tracking answers 404 */
    const struct secrets          *secrets;       /* of mails looked at in a browser; NULL: 404 */
    struct str                     smtp_host;     /* the way out; empty: there is none to people */
    struct str                     return_domain; /* where bounces come back; may be empty */
    const char                    *dns_servers;   /* NULL: the system's */
    struct trial                  *trial;         /* NULL: always live */
    struct sender                 *sender;  /* NULL: nothing is sent from here: api_sender_set */
    struct metrics                *metrics; /* may be NULL; core's numbers are registered in it */
    struct refused                *refused; /* may be NULL */
    const struct geo              *geo; /* countries of addresses; NULL: the network tells none */
    const struct machine_networks *networks; /* of scanners; NULL: none is known */
    const struct route            *pages;    /* served beside ours, their context is the api */
    size_t                         pages_count;
    struct ways_shelf             *ways;           /* the ways out; NULL: there are none */
    uint32_t                       report_threads; /* 0: API_REPORT_THREADS */
    int64_t                        hit_wait_ms, hit_soon_ms; /* see sieve.h; 0: they do not wait */
    const char                    *dir;           /* where hits wait; NULL: they do not */
    const char      *hook_secrets[HOOK_SERVICES]; /* see hook.h; NULL: nothing is taken from it */
    struct sns_desk *sns;                         /* needed where SES's is given */
};

/* After core_open; everything in `conf` must outlive the api. */
MUST enum err api_open(struct api **out, const struct api_conf *conf, struct problem *problem);
void          api_close(struct api *api);
/* There is one from now on, which is there as long as requests are. */
void api_sender_set(struct api *api, struct sender *sender);

/* The table, and who may use it. Lives as long as the api. */
struct router_conf api_router(struct api *api);
/* For struct http_conf. */
void api_refused(void *api, const struct http_refusal *refusal);

/*
 * A token that makes the first owner's key, once and within an hour, by POST /api/v1/owner: its
 * text in `out` (AUTH_KEY_TEXT_BYTES). ERR_CONFLICT when there is an owner already.
 */
MUST enum err api_owner_token(struct api *api, char *out);
/* Is there any valid key? Without one nobody can send or ask but by the socket. */
bool api_has_keys(struct api *api);

#endif
