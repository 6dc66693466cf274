/*
 * What the files of provider share: provider.c (reading a description), provider_ask.c,
 * provider_read.c.
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
    int                   status_least, status_most; /* 0: any */
    const struct json    *when;                      /* path: value or values; NULL: nothing */
    enum provider_verdict is;
};

enum auth_kind { AUTH_NONE, AUTH_BASIC, AUTH_BEARER, AUTH_AWS4 };

struct provider {
    struct arena           *arena;
    struct str              name, title;
    enum consent_channel    channel;
    struct provider_setting settings[PROVIDER_SETTINGS_MAX];
    uint32_t                settings_count;

    struct str       method;
    struct template *url;
    struct line      headers[FETCH_HEADERS_MAX - 6]; /* type, auth (3), key, the end */
    uint32_t         headers_count;
    enum body_kind   body_kind;
    struct str       body_type; /* of a raw body */
    struct node     *body;
    enum auth_kind   auth;
    struct template
               *auth_parts[5]; /* user, password | token | key, secret, token, region, service */
    struct line idempotency;   /* a header; no value: they know no keys */

    struct rule rules[PROVIDER_RULES_MAX];
    uint32_t    rules_count;
    struct str  ids[PROVIDER_PATHS_MAX], errors[PROVIDER_PATHS_MAX];
    uint32_t    ids_count, errors_count;
    uint32_t    per_second, connections;

    struct template *templates[PROVIDER_MEMBERS_MAX]; /* all of them, to be closed */
    uint32_t         templates_count;
};

#endif
