/*
 * topics: what people may say yes or no to, and how they are asked.
 *
 *     {"topics": [{"id": "news", "channels": ["email", "sms"], "opt_in": true,
 *                  "confirm": ["form", "import"],
 *                  "texts": {"en": {"name": "News", "description": "Once a month."},
 *                            "nb": {"name": "Nyheter"}}}],
 *      "confirm": {"template": "confirm", "days": 7, "mails": 3}}
 *
 *      opt_in     only who said yes is written to; else all but who said no
 *      confirm    who says yes by one of these ways is asked to confirm it by e-mail first
 *      days       how long the link of that mail leads to its page; mails: how many in that time
 *
 * The whole document is one definition, whose version a proof names: what stood in it then is what
 * people read. A topic that is not in it has no text, asks for no confirmation, and takes silence
 * for a yes.
 */
#ifndef DULT_ENGINE_TOPICS_H
#define DULT_ENGINE_TOPICS_H

#include <stdint.h>

#include "base/str.h"
#include "engine/channel.h"
#include "engine/consent.h"

enum {
    TOPICS_MAX = 200,
    TOPIC_LANGUAGES_MAX = 50,
    TOPIC_NAME_BYTES_MAX = 200,
    TOPIC_TEXT_BYTES_MAX = 2000,
    TOPICS_CONFIRM_DAYS = 7,  /* where the document says nothing */
    TOPICS_CONFIRM_MAILS = 3, /* likewise */
    TOPICS_CONFIRM_DAYS_MAX = 90,
    TOPICS_CONFIRM_MAILS_MAX = 20,
    TOPICS_TEMPLATE_BYTES_MAX = 128,
};

struct topic_def {
    bool    opt_in;
    uint8_t confirm; /* a bit for each enum consent_source */
};

/* All of them, as far as decisions need it; their texts are read by who shows them. */
struct topics_def {
    struct topic_def *items; /* by number of topic */
    uint32_t          count, room;
    uint32_t          version; /* the defining record's seq; 0: never told */
    uint32_t          days, mails;
    char              confirm_template[TOPICS_TEMPLATE_BYTES_MAX + 1];
    char             *text; /* the document, for who shows it */
    size_t            text_bytes;
};

/* What a page that people see says of the house. */
struct house_words {
    char name[TOPIC_NAME_BYTES_MAX + 1], language[36];
};

/* Of a number that is in no document: neither opt-in nor confirmed. */
struct topic_def topics_at(const struct topics_def *topics, uint32_t topic);
bool             topics_confirm_any(const struct topics_def *topics);
void             topics_done(struct topics_def *topics);

#endif
