/*
 * collect: one request of the Segment HTTP API, from bytes to records.
 *
 * The server has inflated the body (inflate.h) and knows route, socket address and time; this
 * module reads the JSON, merges the outer context under each item's own, corrects clocks, and
 * gives what is good as records and what is not as a list of refusals with reason and remedy.
 *
 *     body --json--> items --settle--> event --validate--> records[]   (in the caller's arena)
 *                                             \--refuse---> refused[]
 *     broken or too large a body ------------------------> ERR_INPUT (400), ERR_LIMIT (413)
 *
 * Time          at = received - (sentAt - timestamp); sentAt of the item before that of the batch.
 *               `timestamp` is the client's word, else `originalTimestamp`; both may be ISO 8601 or
 *               a number (below 10^11 seconds, else ms). Without either or without sentAt: the
 *               client's time, else received. More than 24 h ahead: received, marked CLAMPED. An
 *               unreadable timestamp refuses its event; an unreadable sentAt is as if absent.
 *               What is historical (/v1/import, or "historical":true on batch or item) is never
 *               shifted.
 * Merging       a key of the item's context or integrations replaces the outer's key whole.
 * Traits        an identify with no or empty `traits` takes `context.traits` (as RudderStack's
 *               mobile clients send them).
 * Page, screen  top-level name and category go into properties where those have none.
 * Dropped       an alias of an id to itself (analytics.js sends them), _metadata, unknown members.
 * Always true   records + refused + dropped + unlisted = items; order is kept; equal bytes, time
 *               and name_seed give equal results.
 * Cost          about a microsecond an event of 350 bytes.
 * Knows not     threads, sockets, keys that are valid, and what was seen before (dedupe is the
 *               engine's).
 */
#ifndef DULT_INTAKE_COLLECT_H
#define DULT_INTAKE_COLLECT_H

#include "intake/arrival.h"

enum {
    REQUEST_BYTES_MAX = 4 * 1024 * 1024, /* inflated; Segment says 500 KB, RudderStack 4 MB */
    MESSAGE_BYTES_MAX = 32 * 1024,       /* one event as compact JSON; both say so */
    BATCH_EVENTS_MAX = 2500,             /* Segment's; the surplus is refused one by one ... */
    SURPLUS_LISTED_MAX = 2500,           /* ... and listed up to this many, then only counted */
    REQUEST_ARENA_BYTES_MAX = 256 * 1024 * 1024, /* no body of REQUEST_BYTES_MAX needs more */
};

enum collect_route {
    COLLECT_TRACK,
    COLLECT_IDENTIFY,
    COLLECT_PAGE,
    COLLECT_SCREEN,
    COLLECT_GROUP,
    COLLECT_ALIAS,
    COLLECT_BATCH,
    COLLECT_IMPORT,  /* a batch of historical events */
    COLLECT_METRICS, /* analytics.js about itself: answer 200 and drop; not for collect_parse */
};

/* The route of "/v1/track", "/v1/t" ... (no query string). ERR_ABSENT when it is none of ours. */
MUST enum err collect_route_parse(struct str path, enum collect_route *out);

struct collect_request {
    enum collect_route route;
    struct str         body; /* inflated */
    int64_t            received_ms;
    uint32_t           source;       /* copied into each record */
    struct str         client_ip;    /* the socket's; empty where unknown */
    bool               client_side;  /* a browser or app source: context.ip is the socket's */
    uint64_t           name_seed[2]; /* random for each request: names messages that have no id */
};

/* An event that was not taken. `reason` is a code for programs, the rest is for people. */
struct arrival_refused {
    uint32_t   index;      /* in the batch; 0 for a single message */
    struct str field;      /* "userId", "properties" ... static storage */
    struct str reason;     /* "no_user_anon_id", "too_large" ... static storage */
    struct str remedy;     /* a sentence; static storage */
    struct str message_id; /* empty when it had none that can be read */
    struct str event;      /* its JSON text, at most MESSAGE_BYTES_MAX, empty when longer */
};

struct collect_result {
    struct arrival         *records;
    struct arrival_refused *refused;
    uint32_t                records_count, refused_count;
    uint32_t                dropped_count;  /* taken, but say nothing: an alias to itself */
    uint32_t                unlisted_count; /* surplus beyond SURPLUS_LISTED_MAX */
    uint32_t                items_count;
    struct str              write_key; /* of the body; empty when it has none */
};

/* Keeps a JSON parser and scratch between calls; one thread at a time. NULL without memory. */
struct collect_parser *collect_parser_open(void);
void                   collect_parser_close(struct collect_parser *parser); /* NULL is nothing */
void                   collect_parser_closep(struct collect_parser **parser);

/*
 * Reads one request. OK also when every event was refused. ERR_INPUT: not JSON, or not the shape of
 * the route. ERR_LIMIT: larger, longer or deeper than the bounds. ERR_MEMORY: too small an arena.
 */
MUST enum err collect_parse(struct collect_parser *parser, struct arena *arena,
                            const struct collect_request *request, struct collect_result *out,
                            struct problem *problem);

/* The answer to a 200: {"success":true,"accepted":2,"rejected":[{"index":..,"field":..,...}]}. */
void collect_answer_write(struct buf *out, const struct collect_result *result);

/*
 * The answer to GET /v1/projects/{writeKey}/settings, which analytics.js wants before it sends:
 * api_host is host[:port]/v1 without a scheme, protocol "http" or "https".
 */
struct collect_host {
    struct str api_host, protocol;
};
void collect_settings_write(struct buf *out, struct str write_key, struct collect_host host);

/*
 * The key in an Authorization header: `Basic base64(key:)` (a missing colon is tolerated).
 * ERR_ABSENT for a Bearer token or no header (then the body's key counts), ERR_INPUT for anything
 * unreadable.
 */
MUST enum err collect_key_of_header(struct arena *arena, struct str authorization, struct str *out);

#endif
