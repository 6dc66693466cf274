/*
 * trail: from a token back to the message it is of, and to a record of what came of it.
 */
#ifndef DULT_RUN_TRAIL_H
#define DULT_RUN_TRAIL_H

#include "bounce/bounce.h"
#include "message/token.h"
#include "run/core/core.h"
#include "store/store.h"

/* What is needed to look a message up; one a thread. */
struct trail_desk {
    struct store_reader *reader;
    struct json_parser  *parser;
    struct arena        *arena; /* what is read lives there */
};

struct http_request;

/* The message a token is of, as far as the store knows it. */
struct trail {
    struct http_request *request; /* of a link that was followed; NULL: none was */
    struct token         token;
    struct str           url, template, journey, broadcast;
    uint32_t             topic;
    enum consent_channel channel;
    bool                 machine; /* opened or clicked by a program */
    const char          *sign;    /* what showed that; NULL: nothing */
    const struct bounce *bounce;  /* what came back; NULL: nothing */
    struct str           subject; /* of a reply; empty: it is none */
    bool                 is_gone; /* the store has no such message: its person was erased */
    struct str           reason;  /* of who settles it by hand; may be empty */

    const struct json_member *more; /* what else its record says; borrowed */
    uint32_t                  more_count;
};

/* Fills in what the store has of trail->token. ERR_DENIED: the token is of no message. */
MUST enum err trail_read(const struct trail_desk *desk, struct trail *trail);

enum { TRAIL_MORE_MAX = 8 };

/* The record of one of EVENT_*, now. All that it holds lives in `arena`. ERR_MEMORY. */
MUST enum err trail_entry(struct arena *arena, const struct trail *trail, struct str name,
                          struct entry *out);

#endif
