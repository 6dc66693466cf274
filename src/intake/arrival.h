/*
 * arrival: what the engine is given, whoever sent it.
 *
 * An HTTP client, an import file or a connector may say it in many ways; behind this header there
 * is one. Everything in a record was validated, is bounded, and lives in the arena it was made in.
 *
 *     kind       name             who                          says
 *     TRACK      the event        user_id and/or anonymous_id  properties
 *     PAGE       "Page"           the same                     properties (name, category inside)
 *     SCREEN     "Screen"         the same                     properties (name, category inside)
 *     IDENTIFY   (empty)          the same                     traits
 *     GROUP      (empty)          the same, and group_id       traits (of the group; and groupId)
 *     ALIAS      (empty)          previous_id is user_id       -
 *
 * `body` is what the store keeps: compact JSON written by us from what was validated, without what
 * has columns of its own (kind, name, ids, at, received). Its members, each only where not empty:
 *     properties | traits, context, integrations, originalTimestamp, sentAt, channel, version
 *
 * Always true   ids are trimmed UTF-8 of at most ID_BYTES_MAX without control characters; TRACK has
 *               a name; all but ALIAS have user_id or anonymous_id, ALIAS has two different ids;
 *               message_id is never empty; properties, traits and context are objects, never NULL,
 *               in which no key is repeated (the last one won).
 * Knows not     profile ids and seq: the engine gives them.
 */
#ifndef DULT_INTAKE_ARRIVAL_H
#define DULT_INTAKE_ARRIVAL_H

#include "base/json.h"
#include "base/str.h"

enum arrival_kind {
    ARRIVAL_TRACK,
    ARRIVAL_IDENTIFY,
    ARRIVAL_PAGE,
    ARRIVAL_SCREEN,
    ARRIVAL_GROUP,
    ARRIVAL_ALIAS,
};
enum { ARRIVAL_KINDS = 6 };

enum arrival_flag {
    ARRIVAL_HISTORICAL = 1, /* an import: updates people and segments, starts and sends nothing */
    ARRIVAL_SHIFTED = 2,    /* at_ms is the client's time corrected by its clock's skew */
    ARRIVAL_CLAMPED = 4,    /* the client's time was more than 24 h ahead: at_ms = received_ms */
    ARRIVAL_NAMED = 8,      /* message_id is ours: the sender gave none */
};

enum {
    ARRIVAL_BODY_BYTES_MAX = 64 * 1024, /* a message of 32 KB and what the batch adds to it */
    NAME_BYTES_MAX = 200,               /* an event name; longer ones are data by mistake */
    ID_BYTES_MAX = 256,                 /* fits an e-mail address (254) */
    MESSAGE_ID_CHARS_MAX = 100,         /* Segment's bound */
};

struct arrival {
    enum arrival_kind  kind;
    uint32_t           flags;  /* of enum arrival_flag */
    uint32_t           source; /* which write key or import; the caller's number, copied through */
    int64_t            at_ms;  /* when it happened: the client's word, corrected for skew */
    int64_t            received_ms;
    struct str         name;
    struct str         user_id, anonymous_id; /* absent is empty */
    struct str         previous_id;           /* ALIAS only */
    struct str         group_id;              /* GROUP only */
    struct str         message_id;
    const struct json *properties, *traits, *context;
    struct str         body;
};

/* "track", "identify" ... Static storage. */
struct str arrival_kind_name(enum arrival_kind kind);
/* ERR_ABSENT when it is none of them. */
MUST enum err arrival_kind_parse(struct str name, enum arrival_kind *out);

/*
 * Fills properties, traits and context of a record from its `body` as the store gives it back.
 * ERR_CORRUPT when the body is not what we write. The tree lives in `arena`.
 */
MUST enum err arrival_body_read(struct arrival *record, struct json_parser *parser,
                                struct arena *arena);

#endif
