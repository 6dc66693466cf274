/*
 * channels: how messages leave that are no e-mail, from a file that the operator keeps:
 *
 *     {"sms":   {"provider": "twilio", "account": "AC...", "token": "...",
 *                "from": {"NO": "Tents", "US": "+15550100", "default": "+4759440000"},
 *                "prices": {"currency": "EUR", "NO": 0.05, "US": 0.01, "default": 0.09},
 *                "secret": "of a gateway that tells us what came in",
 *                "help": {"en": "Tents & Co, help@tents.example. STOP ends these messages."}},
 *      "slack": {"url": "https://hooks.slack.com/services/T/B/X"},
 *      "post":  {"provider": "lob", "key": "live_...", "from": "adr_...", "webhook_secret": "...",
 *                "price": 0.93, "currency": "USD", "monthly_max": 500},
 *      "inside": false}
 *
 * "provider" is the name of a description that is built in (services/), or "description" is one of
 * the operator's own. Whatever else stands there is `settings` of its texts. `inside: true` lets
 * webhooks call addresses within the house; for development.
 *
 * The file has secrets, so others must not be able to read it. Read once, at start.
 * Threads       read only after open: any thread.
 */
#ifndef DULT_RUN_CHANNELS_H
#define DULT_RUN_CHANNELS_H

#include "message/sms.h"
#include "run/send/gateway.h"

enum { CHANNELS_BYTES_MAX = 1 << 20 };

struct channels;

/* `path` NULL: there is nothing but webhooks. ERR_ABSENT, ERR_INPUT, ERR_DENIED (others may read
 * it), with a problem. */
MUST enum err channels_open(struct channels **out, const char *path, struct problem *problem);
void          channels_close(struct channels *channels); /* NULL is nothing */

/* The service for it; NULL: nothing goes by that channel. */
const struct gateway *channels_gateway(const struct channels *channels,
                                       enum consent_channel   channel);
/* A setting of "sms", "post" or "slack"; empty when there is none. */
struct str channels_setting(const struct channels *channels, const char *section, const char *key);
bool       channels_allow_inside(const struct channels *channels);

/* Who a text message to that number is from; empty: nobody is set. */
struct str channels_from(const struct channels *channels, struct str e164);

struct channels_price {
    double     each; /* of a part; of a postcard. 0: no price is known */
    struct str currency;
};
struct channels_price channels_sms_price(const struct channels *channels, struct str e164);
struct channels_price channels_post_price(const struct channels *channels);
uint32_t              channels_post_max(const struct channels *channels); /* a month; 0: no limit */

/* What is answered to STOP, START or HELP, in the language nearest to `language`; empty: nothing.
 */
struct str channels_reply(const struct channels *channels, enum sms_word word, struct str language);

#endif
