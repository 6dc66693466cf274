/*
 * gateway: a service that takes messages by HTTP, as a JSON description says (services/).
 *
 *      description + settings + message  --Liquid-->  one request
 *      the answer  --paths, codes-->  sent, later, failed; a dead address; a recipient who said
 * stop
 *
 *     {"name": "twilio", "channel": "sms", "needs": ["account", "token"], "repeatable": false,
 *      "request": {"method": "POST", "url": "https://.../{{ settings.account }}/...",
 *                  "basic": ["user", "password"], "headers": {"Name": "value"},
 *                  "form": {...} | "json": {...} | "body": "..."},
 *      "answer": {"id": "sid", "code": "code", "text": "message", "good": [], "hard": [],
 *                 "stop": [], "later": []}}
 *
 * Every text of `request` is Liquid with `settings` and `message`. What comes out empty is left out
 * of form, json and headers. "answer" has paths ("messages.0.status") into the JSON that comes
 * back, and which codes mean what; without a code the status of HTTP says it: 2xx sent, 408, 425,
 * 429 and 5xx later, the rest failed. `good`: only these codes are sent, whatever the status.
 * `repeatable`: the request has an idempotency key and may be written twice.
 *
 * Always true   a gateway is never changed after it was opened: any thread may use it.
 * Errors        ERR_INPUT with where = "twilio:request.url".
 */
#ifndef DULT_RUN_GATEWAY_H
#define DULT_RUN_GATEWAY_H

#include "base/json.h"
#include "delivery/delivery.h"
#include "delivery/fetch.h"
#include "engine/channel.h"

enum {
    GATEWAY_TEXT_BYTES_MAX = 256 << 10, /* a description */
    GATEWAY_URL_BYTES_MAX = 4096,
    GATEWAY_BODY_BYTES_MAX = 4 << 20,
    GATEWAY_ANSWER_BYTES_MAX = 64 << 10, /* more of an answer is not read */
    GATEWAY_ID_BYTES_MAX = 80,
};

struct gateway;

/* `settings` is an object; both are copied. */
MUST enum err        gateway_open(struct gateway **out, struct str description,
                                  const struct json *settings, struct problem *problem);
void                 gateway_close(struct gateway *gateway); /* NULL is nothing */
enum consent_channel gateway_channel(const struct gateway *gateway);
struct str           gateway_name(const struct gateway *gateway);

/* Fills in all of *out but call and ctx; it lives in `arena`. `message` is an object. */
MUST enum err gateway_request(const struct gateway *gateway, const struct json *message,
                              struct arena *arena, struct fetch_request *out,
                              struct problem *problem);

struct gateway_answer {
    struct delivery_outcome outcome;
    bool                    is_hard; /* the address will never work */
    bool                    is_stop; /* the recipient had told the carrier to stop */
    char                    id[GATEWAY_ID_BYTES_MAX]; /* the service's own, of the message */
};

void gateway_answer(const struct gateway *gateway, const struct fetch_response *response,
                    struct arena *arena, struct gateway_answer *out);

/* The description that is built in under that name; NULL: there is none. */
const char *gateway_built_in(struct str name);

#endif
