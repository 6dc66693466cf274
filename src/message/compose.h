/*
 * compose: from what was rendered to what is sent, in one call.
 *
 *     compose_links ---> links.unsubscribe, view ... ---> (template renders) ---+
 *                                                                                 v
 *     html --+-- links_track --> html with tracked links and pixel --+          compose
 *            +-- plain_write --> text, if none was written ----------+--> mime --> dkim --> bytes
 *
 * Because tokens are a function of the secret and the ids, the URLs that compose_links gives before
 * rendering are those compose puts into List-Unsubscribe afterwards; nothing is stored between.
 *
 * The Message-ID is a token too, and so is the return path (VERP: "b-{token}@{return_domain}"), so
 * a bounce or a complaint names its message by what it returns, and cannot name another.
 *
 * Always true   the same input gives the same bytes (RSA and Ed25519 signatures are fixed, too);
 *               no state is shared but the keys, which are read only: any thread may compose.
 * Cost          0.2 ms for 24 KB of HTML, and the signature.
 */
#ifndef DULT_MESSAGE_COMPOSE_H
#define DULT_MESSAGE_COMPOSE_H

#include "base/buf.h"
#include "message/dkim.h"
#include "message/links.h"
#include "message/mime.h"
#include "message/token.h"

enum {
    COMPOSE_BYTES_MAX = 10 << 20, /* hosts refuse more; 25 MB is the most any takes */
    COMPOSE_FEEDBACK_TAGS = 3,    /* Feedback-ID has three tags and a sender */
};

struct compose_keys {
    const struct token_keys      *token;
    const struct dkim_key *const *dkim;
    size_t                        dkim_count; /* 0: not signed; 2: RSA and Ed25519 */
};

/* Whose copy of which message: what every link says. */
struct compose_who {
    uint32_t   profile;
    uint64_t   message;
    struct str public_url; /* as links_public_url_check wants it */
};

struct compose_urls {
    struct str unsubscribe; /* a page on GET, one-click on POST */
    struct str view;        /* the mail in a browser */
    struct str preferences; /* a page of all that the person may say yes or no to */
    struct str confirm;     /* a page that confirms what the message asks about */
};

/* The URLs of a message, for its template; they lie in the arena. */
MUST enum err compose_links(const struct compose_keys *keys, struct compose_who who,
                            struct arena *arena, struct compose_urls *out, struct problem *problem);

/* "?" may be empty. */
struct compose_in {
    struct mime_mailbox from, to, reply_to; /* ? reply_to */
    struct str          subject;
    struct str          html, text;  /* text is made from the HTML where it is empty */
    struct compose_who  who;         /* ? public_url, where unsubscribe and tracking are off */
    bool                unsubscribe; /* off only for transactional messages */
    bool                tracking;
    int64_t             date_ms;
    struct str          message_id;          /* ? as the ledger has it; otherwise a token */
    struct str          message_id_domain;   /* ? otherwise the domain of from */
    struct str          return_domain;       /* ? otherwise bounces go to from */
    struct str          unsubscribe_address; /* ? otherwise u-{token}@{return_domain}, if any */
    struct str          list_id;             /* ? */
    struct str          feedback[COMPOSE_FEEDBACK_TAGS]; /* ? such as journey, template, topic */
    struct str          feedback_sender;                 /* ? without it there is no Feedback-ID */
    const struct attach_file *files;                     /* ? */
    size_t                    files_count;
};

/* The strings lie in the arena. The buf is the caller's, made with COMPOSE_BYTES_MAX. */
struct compose_out {
    struct buf          message; /* what was in it is replaced */
    struct str          envelope_from, envelope_to;
    struct str          message_id;           /* without angle brackets */
    struct str          subject, html, text;  /* as they are in the message */
    struct compose_urls urls;                 /* empty without a public_url */
    bool                has_unsubscribe_link; /* a reader sees the way out in the body */
};

MUST enum err compose(const struct compose_keys *keys, const struct compose_in *in,
                      struct arena *arena, struct compose_out *out, struct problem *problem);

/* Which message a bounce is about: from its return path, or a Message-ID with or without <>. */
MUST enum err compose_return_path_read(const struct token_keys *keys, struct str address,
                                       struct token *out);
MUST enum err compose_message_id_read(const struct token_keys *keys, struct str message_id,
                                      struct token *out);

#endif
