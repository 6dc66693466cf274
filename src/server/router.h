/*
 * router: which function answers this path, and who may ask?
 *
 * The table is data: what is served, how large a body may be and which right it needs can be read
 * by a test, by the API's description, and by a person.
 *
 *     static const struct route ROUTES[] = {
 *         { "POST", "/v1/batch", batch, .need = ROUTE_WRITE_KEY, .cors = ROUTE_CORS_EVENTS,
 *           .body_bytes_max = 4 << 20 },
 *         { "GET", "/api/profiles/{id}", profile_show, .need = ROUTE_SCOPE,
 *           .scope = "api:profiles:read" },
 *         { "GET", "/{rest...}", page, .need = ROUTE_OPEN },      everything else
 *     };
 *
 * A literal piece beats a {param}, which beats a {rest...}. HEAD is served by GET's function. A
 * path without route is 404, one without that method 405 with Allow, both with a JSON error.
 *
 * Always true   a route's function runs only after `authorize` said OK (ROUTE_OPEN and the Unix
 *               socket need nobody's word).
 * Cost          look-up walks the routes with the same count of pieces; no allocation.
 * Knows not     keys and sessions: `authorize` is the caller's.
 */
#ifndef DULT_SERVER_ROUTER_H
#define DULT_SERVER_ROUTER_H

#include "server/http.h"

enum {
    ROUTER_ROUTES_MAX = 512,
    ROUTER_PARAMS_MAX = 4,
    ROUTER_PIECES_MAX = 16,
    ROUTER_CORS_MAX_AGE_S = 86400,
};

enum route_need {
    ROUTE_OPEN,      /* anybody: sign-in pages, health, unsubscribe links */
    ROUTE_WRITE_KEY, /* a source's write key; it may also stand in the body, so `authorize` may
                        let a request without a header pass to the handler, who then looks */
    ROUTE_SCOPE,     /* a key or session with `scope` */
};

enum route_cors {
    ROUTE_CORS_NONE,
    ROUTE_CORS_EVENTS, /* any web page may send events: Origin is echoed, credentials allowed */
};

typedef void route_run(void *context, struct http_request *request);

struct route {
    const char     *method, *pattern;
    route_run      *run;
    enum route_need need;
    const char     *scope; /* for ROUTE_SCOPE */
    enum route_cors cors;
    size_t          body_bytes_max; /* 0: HTTP_BODY_BYTES_MAX */
    const char     *summary;        /* one line for the API's description */
};

/*
 * May this request use this route? OK, or ERR_DENIED (403), ERR_WAIT (429), anything else (401),
 * with *problem filled. May note who it is in *who, which route_who gives back.
 */
typedef enum err router_authorize(void *context, struct http_request *request,
                                  const struct route *route, uint64_t *who,
                                  struct problem *problem);

struct router_conf {
    const struct route *routes;
    size_t              routes_count;
    router_authorize   *authorize; /* NULL: only ROUTE_OPEN and the Unix socket are served */
    void               *context;   /* for authorize and every run */
};

struct router;

/* Checks the table (patterns, methods, doubles). The table is borrowed. */
MUST enum err router_open(const struct router_conf *conf, struct router **out,
                          struct problem *problem);
void          router_close(struct router *router);

/* For struct http_conf: .context = router, .admit = router_admit, .handle = router_handle. */
int64_t router_admit(void *router, struct http_request *request);
void    router_handle(void *router, struct http_request *request);

const struct route *router_routes(const struct router *router, size_t *count);

/* ---- for a route's function ---- */

/* The route that was found; NULL when it was none of ours. */
const struct route *route_of(struct http_request *request);
/* The {param} as sent, still escaped; STR_NONE when the pattern has none of that name. */
struct str route_param_raw(struct http_request *request, const char *name);
/* Decoded into *out; false when absent or badly escaped. */
bool     route_param(struct http_request *request, const char *name, struct buf *out);
uint64_t route_who(struct http_request *request);
/*
 * http_reply with the route's CORS headers added. Every answer of a route with CORS must go this
 * way, or a browser hides it from the page.
 */
void route_reply(struct http_request *request, const struct http_answer *answer);
void route_reply_problem(struct http_request *request, int status, const char *code,
                         const struct problem *problem);
/* The CORS headers of this request's route; `out` has ROUTE_CORS_HEADERS. Returns how many. */
enum { ROUTE_CORS_HEADERS = 3 };
size_t route_cors_headers(struct http_request *request, struct http_header *out);

#endif
