/*
 * text_hook: what services tell of text messages and postcards, believed by a proof.
 *
 *      secret       ours: Authorization: Bearer SECRET, or ?secret= in the URL
 *      url          base64 of HMAC-SHA1 over the URL and the sorted parameters (Twilio)
 *      timed_body   hex of HMAC-SHA256 over "timestamp.body", milliseconds (Lob)
 *      body         hex of HMAC-SHA256 over the body (Pingen)
 *
 * What is told is JSON, or a form, which becomes an object of texts; what it means a description
 * says (run/send/provider_receipt.c).
 *
 * Always true   nothing is read before it is proven.
 * Source        twilio.com/docs/usage/security, docs.lob.com (webhooks).
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

enum text_proof { TEXT_PROOF_SECRET, TEXT_PROOF_URL, TEXT_PROOF_TIMED_BODY, TEXT_PROOF_BODY };

struct text_request {
    struct str body, url;            /* the whole URL as the sender saw it */
    struct str signature, timestamp; /* of the headers that the service uses */
    struct str authorization;
    struct str secret_told; /* of the URL */
    bool       is_form;
    int64_t    now_ms;
};

/* ERR_DENIED: it is not proven; ERR_INPUT: it cannot be read. All of `told` lives in `arena`. */
MUST enum err text_hook_read(enum text_proof proof, struct str secret,
                             const struct text_request *request, struct arena *arena,
                             struct json *told, struct problem *problem);

#endif
