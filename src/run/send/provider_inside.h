/*
 * What the files of provider share: provider.c (its life, what it says of itself),
 * provider_parse.c (reading a description), provider_ask.c, provider_read.c, provider_receipt.c.
 */
#ifndef DULT_RUN_PROVIDER_INSIDE_H
#define DULT_RUN_PROVIDER_INSIDE_H

#include "run/send/provider.h"
#include "template/template.h"

enum body_kind { BODY_NONE, BODY_JSON, BODY_FORM, BODY_MULTIPART, BODY_RAW };

enum node_kind {
    NODE_TEXT,    /* Liquid; a string */
    NODE_JSON,    /* Liquid that gives JSON */
    NODE_LITERAL, /* a number, true, false, null */
    NODE_MIME,    /* the message's bytes */
    NODE_BASE64,  /* the same in base64 */
    NODE_PDF,     /* the letter on paper */
    NODE_FILES,   /* a list of the message's files; `literal` says what of each */
    NODE_OBJECT,
    NODE_ARRAY,
};

/* A part of the body; its children follow each other by `next`. */
struct node {
    enum node_kind kind;
    struct str     key, file, type; /* file and type: of a part of a multipart body */
    struct template *template;
    bool         is_plain; /* no Liquid in it: kept also when it is empty */
    struct json  literal;
    struct node *first, *next;
};

struct line {
    struct str       name;
    struct template *value;
};

struct rule {
    int                status_least, status_most; /* 0: any */
    const struct json *when;                      /* path: value or values; NULL: nothing */
    int                is; /* enum provider_verdict; of receipts enum text_kind */
};

/* A few, of which the first that leads to something counts. */
struct paths {
    struct str items[PROVIDER_PATHS_MAX];
    uint32_t   count;
};

/* What a service tells of itself, later. */
struct receipts {
    bool                  is_there;
    struct provider_proof proof;
    struct rule           rules[PROVIDER_RULES_MAX];
    uint32_t              rules_count;
    struct paths          id, status, code, from, to, text, token;
};

enum auth_kind { AUTH_NONE, AUTH_BASIC, AUTH_BEARER, AUTH_AWS4 };

/* A record of the DNS that it wants, its name and value in Liquid over `domain` and `settings`. */
struct wanted_record {
    struct str       about, type, ask;
    struct template *name, *value;
};

enum { PDF_PARTS = 7 };

struct provider {
    struct arena           *arena;
    struct str              source; /* its text */
    struct str              name, title;
    enum consent_channel    channel;
    struct provider_setting settings[PROVIDER_SETTINGS_MAX];
    uint32_t                settings_count;

    struct template *method; /* NULL: POST */
    struct template *url;
    struct line      headers[FETCH_HEADERS_MAX - 6]; /* type, auth (3), key, the end */
    uint32_t         headers_count;
    enum body_kind   body_kind;
    struct str       body_type; /* of a raw body or JSON; empty: as usual */
    struct node     *body;
    enum auth_kind   auth;
    struct template
               *auth_parts[5]; /* user, password | token | key, secret, token, region, service */
    struct line idempotency;   /* a header; no value: they know no keys */
    double      key_hours;     /* how long they remember it; 0: they do not say */

    struct rule  rules[PROVIDER_RULES_MAX];
    uint32_t     rules_count;
    struct paths id, code, error;
    struct str   price, currency; /* paths to what it costs */

    struct receipts  receipts;
    struct provider *check;                     /* what is asked before; NULL: nothing */
    struct provider *steps[PROVIDER_STEPS_MAX]; /* after it; their titles are their names */
    uint32_t         steps_count;
    struct paths     needs;                      /* of a step: what its answer has to have */
    bool             has_pdf;                    /* its body is, or has, the letter on paper */
    struct provider *token;                      /* by which they let us in; NULL: none */
    struct str       token_value, token_seconds; /* of a token: paths in its answer */
    struct template *when;                       /* of a check: whether; NULL: always */
    struct template *pdf[PDF_PARTS]; /* x, y, width, height, font, language, country; NULL: none */
    struct wanted_record dns[PROVIDER_RECORDS_MAX];
    uint32_t             dns_count;
    const struct json   *examples; /* NULL: none */
    struct provider_rate rate;

    struct template *templates[PROVIDER_MEMBERS_MAX]; /* all of them, to be closed */
    uint32_t         templates_count;
};

/* Whether the rule's paths lead to its values; its status is not looked at. */
bool rule_fits(const struct rule *rule, const struct json *root);
/* provider_parse.c: all of a description. */
MUST enum err provider_description_read(struct provider *provider, struct str text,
                                        const char *where, struct problem *problem);

/* What is being read, and where in it. */
struct reading {
    struct provider *provider;
    const char      *where;
    struct problem  *problem;
    uint32_t         nodes;
};

MUST enum err reading_fault(struct reading *reading, const char *place, const char *what);
/* The same with what to do about it. */
MUST enum err reading_refuse(struct reading *reading, const char *place, const char *what,
                             const char *remedy);
/* A member in Liquid; NULL where there is none. */
MUST enum err reading_text(struct reading *reading, const struct json *object, const char *key,
                           struct template **out);
/* A path, or a few of them; NULL is none. */
MUST enum err reading_paths(struct reading *reading, const struct json *value, struct paths *out);
/* The word's place in a list that NULL ends; -1: it is in none. */
int word_find(const char *const *words, struct str word);
/* `words`: what `is` may say. */
MUST enum err            reading_rules(struct reading *reading, const struct json *rules,
                                       const char *const *words, const char *place, struct rule *out,
                                       uint32_t *count);
extern const char *const provider_verdict_words[];
/* provider_dns.c: the member `dns`; NULL is none. */
MUST enum err provider_dns_read(struct reading *reading, const struct json *list);
/* `idempotency`, `request` and `answer` of an object. */
MUST enum err reading_exchange(struct reading *reading, const struct json *root);
/* provider_check.c: the members `check`, `steps` and `token`; NULL is none. */
MUST enum err check_read(struct reading *reading, const struct json *check);
MUST enum err steps_read(struct reading *reading, const struct json *steps);
MUST enum err access_read(struct reading *reading, const struct json *token);
/* provider_ask.c: a text over the message and the settings. */
MUST enum err provider_text(const struct provider *provider, const struct json *settings,
                            const struct provider_message *message, int64_t now_ms,
                            struct arena *arena, const struct template *template, struct str *out);
/* provider_pdf.c: the member `pdf`; NULL is none. */
MUST enum err pdf_read(struct reading *reading, const struct json *pdf);
/* provider_receipt.c: the member `receipts`; NULL is none. */
MUST enum err receipts_read(struct reading *reading, const struct json *receipts);

#endif
