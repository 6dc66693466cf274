/*
 * event: one message of a stranger, judged.
 *
 * Requests and imports differ in how they come to a message; from there on there is one judge. It
 * is given the message as a settled JSON object in Segment's shape and the desk it lies on (what
 * all messages of this request share), and makes it a record, refuses it, or drops it.
 *
 * Always true   a refusal names field, reason and remedy; a record keeps every promise of
 * arrival.h. Cost          one pass over the message's members, one writing of its body.
 */
#ifndef DULT_INTAKE_EVENT_H
#define DULT_INTAKE_EVENT_H

#include "intake/collect.h"

enum {
    /* Outer context and integrations, each: they are stored again with every event of the batch,
       and 2,500 times 4 KB is as much as a stranger may make of a small request. */
    OUTER_BYTES_MAX = 4 * 1024,
    OUTER_KEYS_MAX = 64,                     /* each is looked for in every item */
    TIME_AHEAD_MS_MAX = 24 * 60 * 60 * 1000, /* a clock wrong by more is no clock */
};

struct event_desk {
    struct arena      *arena;
    struct buf        *scratch; /* for writing bodies; empty between events */
    uint64_t           name_seed[2];
    int64_t            received_ms;
    uint32_t           source;
    bool               historical;
    bool               has_sent; /* the batch has a sentAt that can be read */
    int64_t            sent_ms;
    bool               client_side;
    struct str         client_ip;
    const struct json *context, *integrations; /* of the batch; NULL or settled objects */
};

enum event_verdict { EVENT_TAKEN, EVENT_REFUSED, EVENT_DROPPED };

/* A message and where it lay. */
struct event_item {
    struct json      *message; /* the caller's own tree: it is settled here */
    uint32_t          index;
    bool              has_kind; /* the route said it; otherwise `type` must */
    enum arrival_kind kind;
};

/* Fills *record when taken, *refused when refused. ERR_MEMORY is the only error. */
MUST enum err event_judge(const struct event_desk *desk, const struct event_item *item,
                          struct arrival *record, struct arrival_refused *refused,
                          enum event_verdict *verdict);

/* Fills *refused for a message that is refused unread (surplus). ERR_MEMORY is the only error. */
MUST enum err event_refuse_surplus(const struct event_desk *desk, const struct event_item *item,
                                   struct arrival_refused *refused);

/* Text (ISO 8601) or a number (below 10^11 seconds, else ms) as an instant; false on all else. */
bool event_time(const struct json *value, int64_t *out_ms);

#endif
