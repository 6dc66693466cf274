/*
 * visitor: somebody at a page of ours, by a token of theirs: what they read, what they said so far.
 *
 * All of it is one or two looks at the engine. What may be said yes or no to are lines, a topic by
 * a channel each, in the order of the topics' document; without one every topic that was ever
 * named, by e-mail.
 */
#ifndef DULT_RUN_API_VISITOR_H
#define DULT_RUN_API_VISITOR_H

#include "run/api/page.h"
#include "run/api/saying.h"
#include "run/returned/trail.h"

enum { VISITOR_LANGUAGES = 2, VISITOR_LINES_MAX = 1000 };

/* A word in force: of all that was said about this topic and channel the last. */
struct visitor_said {
    struct str           topic; /* empty: every topic */
    enum consent_channel channel;
    enum consent_state   state;
};

struct visitor_line {
    struct str           topic;
    enum consent_channel channel;
    bool                 is_on;      /* they would be written to */
    bool                 is_pending; /* or will be, once confirmed */
};

struct visitor {
    struct call         *call;
    struct trail         trail;
    bool                 is_known, is_erased;
    struct str           topic;                        /* of the message; empty: none of its own */
    struct str           languages[VISITOR_LANGUAGES]; /* theirs, the house's */
    struct str           house;
    struct str           document; /* the topics' text */
    struct json          topics;
    uint32_t             version;      /* of the topics; 0: there is none */
    uint32_t             confirm_days; /* how long a link to confirm leads to its page */
    struct visitor_said *said;
    uint32_t             said_count;
    struct visitor_line *lines; /* visitor_lines */
    uint32_t             lines_count;
};

/* ERR_DENIED: it is no token of ours for this purpose, or of nobody. */
MUST enum err visitor_open(struct call *call, enum token_purpose purpose, struct visitor *out);
/* The same of a link with something sealed beside its token. */
MUST enum err visitor_open_sealed(struct call *call, enum token_purpose purpose, struct str sealed,
                                  struct visitor *out);
MUST enum err visitor_lines(struct visitor *visitor);
/* Their page, in their language. */
MUST enum err visitor_page(struct visitor *visitor, struct page *out);
/* A link to their preference page, where topics are described. */
void visitor_more_link(struct visitor *visitor, struct page *page);
/* The topic's name and description as they read it. */
struct str visitor_topic(const struct visitor *visitor, const struct page *page, struct str topic,
                         struct str *description);

/* What was said about this very topic and channel; CONSENT_UNKNOWN: nothing. */
enum consent_state visitor_state(const struct visitor *visitor, struct str topic,
                                 enum consent_channel channel);
/* A word of theirs, at this page. */
struct saying visitor_saying(const struct visitor *visitor, const struct page *page,
                             const char *how);

/*
 * A form's field: "state channel topic", such as "unknown email news"; the channel is "all" for
 * every one, the topic empty for every one.
 */
struct str    visitor_field(struct arena *arena, const struct visitor_said *said);
bool          visitor_field_read(struct arena *arena, struct str text, struct visitor_said *out);
MUST enum err visitor_undo(struct visitor *visitor, struct page *page);
/* Hands in the words and, with the first, that somebody unsubscribed when `is_leaving`. */
MUST enum err visitor_submit(struct visitor *visitor, const struct saying *words, uint32_t count,
                             bool is_leaving);

#endif
