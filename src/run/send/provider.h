/*
 * provider: a service that takes messages by HTTP, of whatever channel, described in one JSON text
 * (docs/providers.md, docs/provider.schema.json).
 *
 *      description --provider_parse--> provider --provider_ask(settings, message)--> request
 *                                               <--provider_read(answer)---------- what became of
 * it
 *                                               <--provider_receipt(told)--------- and what later
 *
 * What is asked is Liquid over `message` and `settings`; a member of a JSON body, form or multipart
 * body that renders to nothing is left out. An object in a form is `to[name]=`. Strings in a JSON
 * body are escaped as JSON, values of a form as such; `{"$json": "..."}` is Liquid that gives JSON,
 * `{"$message": "mime" | "base64"}` is the message's own bytes, `{"$files": {"Name": "name", ...}}`
 * a list of its files, `{"$message": "pdf"}` the letter on paper.
 *
 * An answer is judged by the first rule that fits (words without regard to case, numbers also where
 * they are told as text); without one 2xx is sent, 429 is a quota, 401 and
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
#include "intake/text_hook.h"
#include "message/attach.h"
#include "message/pdf.h"

enum {
    PROVIDER_BYTES_MAX = 64 << 10, /* a description is written by a person */
    PROVIDER_SETTINGS_MAX = 24,
    PROVIDER_RULES_MAX = 32,
    PROVIDER_PATHS_MAX = 4,
    PROVIDER_ID_BYTES_MAX = 80,
    PROVIDER_CODE_BYTES_MAX = 60,
    PROVIDER_MEMBERS_MAX = 256, /* of the body, all of it */
    PROVIDER_RECORDS_MAX = 8,   /* of the DNS, for one domain */
    PROVIDER_STEPS_MAX = 4,     /* before a message */
    PROVIDER_CURRENCY_BYTES = 8,
    PROVIDER_LACK_BYTES = 160,
};

struct provider_setting {
    struct str name, about, absent; /* absent: its value when none is given; may be empty */
    bool       is_secret, is_needed;
    bool       is_account; /* it names the account, whatever its secrets are by now */
};

/* What the rules of `answer` may say. */
enum provider_verdict {
    PROVIDER_SENT,
    PROVIDER_DEFERRED,  /* not now, this message */
    PROVIDER_QUOTA,     /* not now, none of ours: wait, or go by another way */
    PROVIDER_ACCOUNT,   /* they do not let us in: wait, or go by another way */
    PROVIDER_REFUSED,   /* never, this message */
    PROVIDER_RECIPIENT, /* never, this address */
    PROVIDER_STOP,      /* never: the recipient had told the carrier to stop */
    PROVIDER_UNKNOWN,
};

struct provider_answer {
    struct delivery_outcome outcome; /* its text: the id of what was sent, or why it was not */
    enum provider_verdict   verdict;
    char                    id[PROVIDER_ID_BYTES_MAX]; /* the service's own; may be empty */
    double                  price; /* of the message, as they tell it; 0: they do not */
    char                    currency[PROVIDER_CURRENCY_BYTES];
};

struct provider_proof {
    enum text_proof kind;
    struct str      header, time_header; /* where the signature lies, and when it was made */
    struct str      secret;              /* the name of the setting */
    bool            is_twiml;            /* they read an answer in Twilio's XML */
};

/* One message, whatever its channel; what it has not is empty. */
struct provider_message {
    struct str                id; /* ours, of this message alone: idempotency keys are made of it */
    struct str                message_id, subject, html, text;
    struct str                from, from_name, reply_to, envelope_from, to;
    struct str                topic, template, journey;
    struct str                mime;            /* all of it, signed */
    struct str                back, size;      /* of a postcard, whose front is `html` */
    struct str                pdf;             /* the same as a letter, where they take one */
    struct str                url, method;     /* of a webhook */
    struct str                token, callback; /* of it, and where receipts come back */
    const struct json        *address;         /* where post goes: name, street, city...; NULL */
    bool                      unicode;         /* of a text message */
    const struct attach_file *files;
    size_t                    files_count;
    bool                      transactional;
    struct str                access; /* the token by which they let us in; not the message's */
    const struct json        *steps;  /* what the steps before it were answered; NULL */
};

/* What lets us in for a while; a secret. */
enum { PROVIDER_ACCESS_BYTES_MAX = 8 << 10 };
struct provider_access {
    char    value[PROVIDER_ACCESS_BYTES_MAX]; /* empty: none */
    int64_t until_ms;                         /* from then on it is to be renewed */
};

struct provider;

MUST enum err provider_parse(struct provider **out, struct str text, const char *where,
                             struct problem *problem);
void          provider_close(struct provider *provider); /* NULL is nothing */

/* Are they described by the same text? */
bool provider_same(const struct provider *a, const struct provider *b);

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
struct provider_rate {
    uint32_t per_second, connections, per_destination;
};
struct provider_rate provider_rate(const struct provider *provider);
/* How long they remember an idempotency key; 0: they know none, or do not say. */
int64_t provider_key_ms(const struct provider *provider);

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

/*
 * What is asked before this message, and changes nothing there: another provider, to be asked and
 * read as this one, whose "sent" says that the message may go. NULL: nothing is.
 */
const struct provider *provider_check(const struct provider *provider, const struct json *settings,
                                      const struct provider_message *message, int64_t now_ms,
                                      struct arena *arena);

/*
 * What is asked before each message in this order, and makes nothing there that anybody would get:
 * where a file is to be put, and the putting of it. Each is a provider likewise, and may be asked
 * again at will. NULL: there are no more.
 */
const struct provider *provider_step(const struct provider *provider, uint32_t number);
/* Keeps what one that is "sent" was answered (its JSON, or null) under the step's name, for the
 * texts of what is asked next; `steps` is an object in the arena, or null before the first.
 * ERR_ABSENT: it has not what the step needs of it, which `lack` (PROVIDER_LACK_BYTES) says. */
MUST enum err provider_step_take(const struct provider *step, const struct fetch_response *response,
                                 struct arena *arena, struct json *steps, char *lack);

/* Where they let us in by a token (client credentials of OAuth): what asks for it, likewise. NULL:
 * there is none. */
const struct provider *provider_token(const struct provider *provider);
/* From an answer that is "sent". False: there is none in it. */
bool provider_token_take(const struct provider *token, const struct fetch_response *response,
                         int64_t now_ms, struct provider_access *out);

/* What the answer means. */
void provider_read(const struct provider *provider, const struct fetch_response *response,
                   struct provider_answer *out);

/* ---- post that it takes as a PDF: provider_pdf.c */

bool provider_takes_pdf(const struct provider *provider);
/* Of the sender's country: its post wants the other ones' names in that language. */
struct provider_origin {
    struct str language, country; /* as `locale_country_write` takes it; two letters; or empty */
};
/* In the arena. */
MUST enum err provider_pdf_origin(const struct provider *provider, const struct json *settings,
                                  struct arena *arena, struct provider_origin *out);
/* Where the address lies on it, and its font; the text lies in the arena. ERR_INPUT: not within
 * A4. */
MUST enum err provider_pdf_form(const struct provider *provider, const struct json *settings,
                                struct arena *arena, struct pdf_form *out, struct problem *problem);

/* ---- what it wants of the DNS: provider_dns.c */

/* A record for a domain that mail comes from. */
struct provider_record {
    struct str who;       /* the service's title */
    struct str about;     /* "spf", "dkim", "return" (where its bounces go) */
    struct str type;      /* "TXT", "CNAME", "MX" */
    struct str name;      /* empty: not known before the service is asked */
    struct str value;     /* of spf a mechanism, such as include:mailgun.org, or some with blanks
                           * between: any of them, the first at best; empty: whatever is there */
    struct str ask;       /* where the service shows it; may be empty */
    bool       is_of_one; /* by what the settings say of one domain, which may be another */
};

/* `out` has PROVIDER_RECORDS_MAX; texts lie in the arena. ERR_MEMORY, or what its Liquid says. */
MUST enum err provider_records(const struct provider *provider, const struct json *settings,
                               struct str domain, struct arena *arena, struct provider_record *out,
                               uint32_t *count);
/* Does a message go as it is, with our own signature? */
bool provider_keeps_letter(const struct provider *provider);

/* ---- receipts: provider_receipt.c */

/* How they prove that it is they who tell (intake/text_hook.h), and by which setting. */
bool                         provider_has_receipts(const struct provider *provider);
const struct provider_proof *provider_proof(const struct provider *provider);

/* What was told, `told` being its JSON or its form as an object; texts lie in `arena`. */
void provider_receipt(const struct provider *provider, const struct json *told, struct arena *arena,
                      struct text_event *out);

/*
 * The description's own examples, judged by its own rules. ERR_INPUT: one of them comes out
 * otherwise; which one is said.
 */
MUST enum err provider_examples(const struct provider *provider, const char *where,
                                struct problem *problem);

#endif
