/*
 * hook: what mail services tell by webhook of mail that went out through them, each believed by its
 * own proof.
 *
 *      sendgrid   X-Twilio-Email-Event-Webhook-Signature: ECDSA P-256 over timestamp and body
 *      mailgun    in the body: HMAC-SHA256 over timestamp and token
 *      postmark   no signature: a name and password in the URL (HTTP Basic)
 *      ses        by Amazon SNS, whose envelope is proven before (sns.h): its Message is read here
 *
 * Read are bounces, complaints and what arrived. Ours is a mail by its Message-ID, which all of
 * them hand back (Postmark in the metadata that our description of it gives each mail; SES among
 * the original headers, where it is told to include them); else an address is told and no more.
 * Everything else they tell (opened, clicked) is passed over: opens and clicks have links of ours.
 *
 * Always true   nothing is read before it is proven; a proof older than HOOK_AGE_MS is none.
 * Source        docs.sendgrid.com (event webhook security), documentation.mailgun.com (webhooks),
 *               postmarkapp.com/developer/webhooks.
 */
#ifndef DULT_INTAKE_HOOK_H
#define DULT_INTAKE_HOOK_H

#include "base/arena.h"
#include "base/json.h"

enum {
    HOOK_BODY_BYTES_MAX = 4 << 20,
    HOOK_EVENTS_MAX = 5000, /* of one request; more are refused */
    HOOK_AGE_MS = 600000,   /* of a signature; services sign anew when they try again */
};

enum hook_service { HOOK_SENDGRID, HOOK_MAILGUN, HOOK_POSTMARK, HOOK_SES, HOOK_SERVICES };

/* False: we know no such service. */
bool        hook_service_of(struct str name, enum hook_service *out);
const char *hook_service_name(enum hook_service service);

struct hook_request {
    struct str body;
    struct str signature, timestamp; /* SendGrid's fields */
    struct str authorization;        /* the field of that name */
    int64_t    now_ms;
};

enum hook_kind {
    HOOK_BOUNCE_HARD, /* the service calls it permanent */
    HOOK_BOUNCE_SOFT,
    HOOK_COMPLAINT,
    HOOK_DELIVERED, /* the recipient's server took it */
};

struct hook_event {
    enum hook_kind kind;
    struct str     id;         /* the service's own; equal for one that is told again */
    struct str     recipient;  /* as told */
    struct str     message_id; /* of our mail, without brackets; empty: not told */
    struct str     status, said;
};

struct hook_events {
    struct hook_event *items;
    uint32_t           count;
};

/*
 * `secret`: of SendGrid the public key it shows (base64), of Mailgun the signing key, of Postmark
 * name:password. Texts live in `arena`. ERR_DENIED: it is not proven to be the service; ERR_INPUT:
 * not JSON, or not of its shape; ERR_LIMIT: too many; ERR_MEMORY.
 */
MUST enum err hook_read(enum hook_service service, struct str secret,
                        const struct hook_request *request, struct json_parser *parser,
                        struct arena *arena, struct hook_events *out, struct problem *problem);

/* Of SES, the Message of a notification that is proven. What is no event (SNS's own greetings) is
 * none. */
MUST enum err hook_ses_read(struct str message, struct json_parser *parser, struct arena *arena,
                            struct hook_events *out);

#endif
