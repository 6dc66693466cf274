/*
 * trail: from a token back to the message it is of, and to a record of what came of it.
 */
#ifndef DULT_RUN_TRAIL_H
#define DULT_RUN_TRAIL_H

#include "bounce/bounce.h"
#include "message/token.h"
#include "run/api/api_inside.h"

/* The message a token is of, as far as the store knows it. */
struct trail {
    struct http_request *request;
    struct token         token;
    struct str           url, template, journey;
    uint32_t             topic;
    bool                 machine; /* opened or clicked by a program */
    const struct bounce *bounce;  /* what came back; NULL: nothing */
};

/* Fills in what the store has of trail->token. ERR_DENIED: the token is of no message. */
MUST enum err trail_read(struct call *call, struct trail *trail);

/* The record of one of EVENT_EMAIL_*, now. All that it holds lives in `arena`. ERR_MEMORY. */
MUST enum err trail_entry(struct arena *arena, const struct trail *trail, struct str name,
                          struct entry *out);

#endif
