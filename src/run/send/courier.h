/*
 * courier: messages that are no e-mail, by HTTP to a service, a webhook or a chat.
 *
 *      rendered message --letter--> gateway_request --http--> the service
 *      done(outcome)   <----------- gateway_answer  <--------
 *
 * A letter is given once and comes back once, as what it became. What cannot be sent at all (no
 * service is set, a text of too many parts) is failed before anything is written; a postcard over
 * the month's number comes back as deferred, with when to look again.
 *
 * Always true   done is called once for each letter, from the courier's own thread or from
 *               courier_send; nothing of the letter is kept after.
 * Threads       courier_send may be called from any thread.
 */
#ifndef DULT_RUN_COURIER_H
#define DULT_RUN_COURIER_H

#include "message/token.h"
#include "run/send/channels.h"
#include "run/send/render.h"

struct courier_conf {
    const struct channels   *channels;   /* outlives the courier */
    const char              *public_url; /* where receipts come back */
    const char              *dir;        /* the data folder */
    const struct token_keys *tokens;
};

enum { COURIER_ANSWER_BYTES_MAX = 4096 }; /* of a webhook's answer, kept with the message */

struct letter_outcome {
    struct gateway_answer answer;
    bool                  is_capped; /* over the month's number; nothing was tried */
    bool                  is_held;   /* it can never be sent so */
    int                   status;    /* of HTTP; 0: none */
    char                  body[COURIER_ANSWER_BYTES_MAX]; /* of a webhook; else empty */
    uint32_t              parts;                          /* of a text message */
    double                price;                          /* of all of it; 0: not known */
    char                  currency[8];
};

/* One message on its way; the caller's memory. claim and rendered live until done. */
struct letter {
    const struct claim    *claim;
    const struct rendered *rendered;
    struct arena          *arena; /* nobody else uses it until done */
    void (*done)(void *ctx, const struct letter_outcome *outcome);
    void *ctx;

    struct courier       *courier; /* the courier's own */
    const struct gateway *gateway;
    struct letter_outcome outcome;
};

struct courier;

MUST enum err courier_open(struct courier **out, const struct courier_conf *conf);
/* Every letter under way is done when this returns. NULL is nothing. */
void courier_close(struct courier *courier);

void courier_send(struct courier *courier, struct letter *letter);

/* Postcards that went to print this month. */
uint32_t courier_post_count(struct courier *courier, int64_t now_ms);

#endif
