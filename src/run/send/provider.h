/*
 * provider: a service that sends by HTTP, described in one JSON text (docs/providers.md).
 *
 *      description --provider_parse--> provider --provider_ask(settings, message)--> request
 *                                               <--provider_read(answer)---------- outcome
 *
 * What is asked is Liquid over `message` and `settings`; a member of a JSON body, form or multipart
 * body that renders to nothing is left out. Strings in a JSON body are escaped as JSON, values of a
 * form as such; `{"$json": "..."}` is Liquid that gives JSON, `{"$message": "mime" | "base64"}` is
 * the message's own bytes, `{"$files": {"Name": "name", ...}}` a list of its files.
 *
 * An answer is judged by the first rule that fits; without one 2xx is sent, 429 is a quota, 401 and
 * 403 close the account, 502 and 504 are unknown, 408, 425 and the rest of 5xx are deferred, and
 * all else is refused.
 *
 * Always true   a description that was parsed asks only with settings it names; a secret is in no
 *               problem and no outcome.
 * Threads       never changed once parsed: any thread.
 */
#ifndef DULT_RUN_PROVIDER_H
#define DULT_RUN_PROVIDER_H

#include "base/arena.h"
#include "base/json.h"
#include "delivery/delivery.h"
#include "delivery/fetch.h"
#include "engine/channel.h"
#include "message/attach.h"

enum {
    PROVIDER_BYTES_MAX = 64 << 10, /* a description is written by a person */
    PROVIDER_SETTINGS_MAX = 24,
    PROVIDER_RULES_MAX = 32,
    PROVIDER_PATHS_MAX = 4,
    PROVIDER_MEMBERS_MAX = 256, /* of the body, all of it */
};

struct provider_setting {
    struct str name, about, absent; /* absent: its value when none is given; may be empty */
    bool       is_secret, is_needed;
};

/* What the rules of `answer` may say. */
enum provider_verdict {
    PROVIDER_SENT,
    PROVIDER_DEFERRED,  /* not now, this message */
    PROVIDER_QUOTA,     /* not now, none of ours: wait, or go by another way */
    PROVIDER_ACCOUNT,   /* they do not let us in: wait, or go by another way */
    PROVIDER_REFUSED,   /* never, this message */
    PROVIDER_RECIPIENT, /* never, this address */
    PROVIDER_UNKNOWN,
};

/* One message, whatever its channel; what it has not is empty. */
struct provider_message {
    struct str                id; /* ours, of this message alone: idempotency keys are made of it */
    struct str                message_id, subject, html, text;
    struct str                from, from_name, reply_to, envelope_from, to;
    struct str                topic, template, journey;
    struct str                mime; /* all of it, signed */
    const struct attach_file *files;
    size_t                    files_count;
    bool                      transactional;
};

struct provider;

MUST enum err provider_parse(struct provider **out, struct str text, const char *where,
                             struct problem *problem);
void          provider_close(struct provider *provider); /* NULL is nothing */

/* One that is built in; NULL: there is none. The description's text. */
struct str provider_builtin(struct str name);
/* The names of those built in, in order, each once; NULL beyond the last. */
const char *provider_builtin_name(uint32_t index);

struct str                     provider_name(const struct provider *provider);
struct str                     provider_title(const struct provider *provider);
enum consent_channel           provider_channel(const struct provider *provider);
uint32_t                       provider_settings_count(const struct provider *provider);
const struct provider_setting *provider_settings(const struct provider *provider);
/* What they say they take: 0 where they say nothing. */
uint32_t provider_per_second(const struct provider *provider);
uint32_t provider_connections(const struct provider *provider);

/* The values by name, as an object in the arena: those given, and the absent ones' own. ERR_INPUT:
 * an unknown name, a needed one missing. */
MUST enum err provider_settings_fill(const struct provider *provider, struct arena *arena,
                                     const struct json *given, struct json *out, const char *where,
                                     struct problem *problem);

/* What to send; it lies in the arena. `call`, `ctx` and limits are left alone. ERR_INPUT: this
 * message cannot be asked for; ERR_MEMORY. */
MUST enum err provider_ask(const struct provider *provider, const struct json *settings,
                           const struct provider_message *message, int64_t now_ms,
                           struct arena *arena, struct fetch_request *out, struct problem *problem);

/* What the answer means. */
void provider_read(const struct provider *provider, const struct fetch_response *response,
                   struct delivery_outcome *out);

#endif
