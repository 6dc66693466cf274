/*
 * text_hook: what services tell of text messages and postcards: delivered, not delivered, answered,
 * come back.
 *
 *      twilio    form; X-Twilio-Signature: base64 HMAC-SHA1 over the URL and the sorted parameters
 *      lob       JSON; Lob-Signature: hex HMAC-SHA256 over "timestamp.body"
 *      others    JSON or form with our secret: Authorization: Bearer SECRET, or ?secret= in the URL
 *                  an answer   {"from", "to", "text", "id"}
 *                  a receipt   {"status": "delivered" | "undelivered" | "failed" ..., "code", "id"}
 *
 * Always true   nothing is read before it is proven.
 * Source        twilio.com/docs/usage/security, twilio.com/docs/messaging/guides/
 *               track-outbound-message-status, docs.lob.com (webhooks).
 */
#ifndef DULT_INTAKE_TEXT_HOOK_H
#define DULT_INTAKE_TEXT_HOOK_H

#include "base/arena.h"
#include "base/json.h"

enum { TEXT_HOOK_BODY_BYTES_MAX = 256 << 10, TEXT_HOOK_PARAMETERS_MAX = 100 };

enum text_kind {
    TEXT_OTHER,     /* queued, sent: nothing that we did not know */
    TEXT_DELIVERED, /* to the phone; to the mailbox */
    TEXT_FAILED,    /* not delivered, for now or by the content */
    TEXT_DEAD,      /* and it never will be: no such number, no such address */
    TEXT_STOPPED,   /* the recipient had told the carrier to stop */
    TEXT_ANSWER,    /* somebody wrote to us */
};

struct text_event {
    enum text_kind kind;
    struct str     id, code, status; /* the service's own */
    struct str     from, to, text;
    struct str     token; /* of our message, where the body has it */
};

struct text_request {
    struct str body, url; /* the whole URL as the sender saw it */
    struct str signature, timestamp, authorization;
    struct str secret_told; /* of the URL */
    bool       is_form;
    int64_t    now_ms;
};

/* ERR_DENIED: it is not proven; ERR_INPUT: it cannot be read. All of `out` lives in `arena`. */
MUST enum err text_hook_read(struct str service, struct str secret,
                             const struct text_request *request, struct arena *arena,
                             struct text_event *out, struct problem *problem);

#endif
