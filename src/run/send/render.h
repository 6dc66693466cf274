/*
 * render: from a claim to the bytes of an e-mail.
 *
 *      claim -- trait seqs, event seq --> store --> data --+
 *                                                          +--> Liquid --> compose --> message
 *      claim -- template, version -----> store --> parts --+     (html, text, subject)
 *
 * What a template sees:
 *     person     the traits that held when the message was claimed, and id (the userId)
 *     event      name, properties; each property also by itself: event.plan
 *     when       what the conditions of its head say of the person
 *     codes      by pool: code, expires_at (engine/codes.h); in a preview also example: true
 *     journey    name; answers: by node status and body, of its webhooks (render_answers.h)
 *     template   name, topic
 *     links      unsubscribe, preferences, view; confirm, in a mail that asks to confirm
 *     topic      id, name, description in the person's language; language, one that pages have
 *     workspace  name, address
 *
 * A message with a gap is held back, not sent: a variable that is missing, a filter that failed, a
 * workspace without a sender. A message that is not transactional and shows no way out gets a
 * plain footer with the unsubscribe link and the postal address, in html and text.
 *
 * Always true   the same claim at the same instant gives the same bytes.
 * Cost          about 0.2 ms for 24 KB of html, and the signatures.
 *               Templates are read once for each version; at most RENDER_TEMPLATES_MAX are kept.
 * Threads       a struct render belongs to one thread; as many as there are threads may be open.
 */
#ifndef DULT_RUN_RENDER_H
#define DULT_RUN_RENDER_H

#include "engine/decision.h"
#include "message/compose.h"
#include "run/send/secrets.h"
#include "store/store.h"

enum {
    RENDER_TEMPLATES_MAX = 64,         /* kept, parsed; the one used longest ago goes */
    RENDER_ARENA_BYTES_MAX = 64 << 20, /* one message, everything */
    RENDER_REASON_BYTES_MAX = 400,
};

struct render_conf {
    struct store         *store;
    const struct secrets *secrets;
    struct str            public_url;    /* borrowed as long as the render lives */
    struct str            return_domain; /* may be empty */
    bool                  no_tracking;
    const struct zones   *zones; /* NULL: there is only UTC */
};

struct render;

MUST enum err render_open(struct render **out, const struct render_conf *conf);
void          render_close(struct render *render); /* NULL is nothing; before the store */

/* What came of it; texts lie in the arena handed in, but the message, which is the buf's. */
struct rendered {
    struct compose_out mail;
    struct str         subject, html, text;
    struct str template, journey, broadcast, topic; /* names */
    struct str                variant; /* whose text it is, where it is not the template's */
    struct str                from_name, from, reply_to; /* who writes */
    const struct attach_file *files;                     /* that go with it */
    size_t                    files_count;
    enum consent_channel      channel;                 /* its file's */
    struct str                back, url, headers;      /* of others than e-mail: notice_file.h */
    struct str                method, size, from_head; /* the same: what its head says */
    const struct json        *person;                  /* what the template saw of them */
    char reason[RENDER_REASON_BYTES_MAX];              /* of ERR_INPUT: why it is held back */
};

/*
 * `out->mail.message` is the caller's buf. OK; ERR_INPUT: held back, for out->reason; ERR_WAIT,
 * ERR_IO, ERR_MEMORY: try later. `out` has names and reason in every case.
 */
MUST enum err render_message(struct render *render, const struct claim *claim, int64_t now_ms,
                             struct arena *arena, struct rendered *out);
/*
 * The same for a browser: subject, html and text, links direct and without a pixel; there is no
 * message. Whether it is transactional is read from the template.
 */
MUST enum err render_page(struct render *render, const struct claim *claim, int64_t now_ms,
                          struct arena *arena, struct rendered *out);

/* What keeps a message from going: a variable that is missing, or a fault. */
struct render_gap {
    struct str  path; /* "person.first_name"; of a fault what went wrong */
    const char *part; /* "subject", "preheader", "html", "text" */
    uint32_t    line; /* of the file */
    bool        is_fault;
};

enum { RENDER_GAPS_MAX = 64 };

struct render_gaps {
    struct render_gap items[RENDER_GAPS_MAX];
    uint32_t          count;
};

/* To be looked at before anything is sent. */
struct render_draft {
    const struct claim *claim; /* engine_claim_draft's */
    struct str          name;  /* the template's */
    struct str          text;  /* not saved yet; empty: the claim's */
    const struct json  *event; /* {"name", "properties"} instead of the claim's; NULL */
    struct str          journey;
};

/*
 * The message as it would be, unsigned and untracked, its own links leading nowhere; `gaps` has
 * what would hold it back, and the message is made all the same where it can be. ERR_INPUT with
 * out->reason when it cannot.
 */
MUST enum err render_preview(struct render *render, const struct render_draft *draft,
                             int64_t now_ms, struct arena *arena, struct rendered *out,
                             struct render_gaps *gaps);

/*
 * A test of it, for the draft's claim, whose address is where it goes: signed, its subject marked
 * with [Test], untracked, with a Message-ID and links that are about nobody. `out->mail.message` is
 * the caller's buf. Errors as of render_message.
 */
MUST enum err render_test(struct render *render, const struct render_draft *draft, int64_t now_ms,
                          struct arena *arena, struct rendered *out);

#endif
