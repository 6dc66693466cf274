/*
 * channel: by which way a person is spoken to.
 *
 * The numbers stand in checkpoint rows; the words in details, on timelines, in templates and in the
 * API. A word of consent names one of the first; what goes to a webhook or to the staff is about a
 * person and not to them, so that nobody consents to it.
 */
#ifndef DULT_ENGINE_CHANNEL_H
#define DULT_ENGINE_CHANNEL_H

#include "base/str.h"

enum consent_channel {
    CHANNEL_ALL = 0, /* no word */
    CHANNEL_EMAIL = 1,
    CHANNEL_SMS = 2,
    CHANNEL_PUSH = 3,
    CHANNEL_POST = 4,
    CHANNELS,                   /* of consent */
    CHANNEL_WEBHOOK = CHANNELS, /* only templates have these */
    CHANNEL_STAFF,
    CHANNELS_ALL,
};

struct str channel_name(enum consent_channel channel); /* empty for CHANNEL_ALL */
/* A channel of consent. The empty text is CHANNEL_ALL; false for an unknown word. */
bool channel_of(struct str word, enum consent_channel *out);
/* A template's: email, sms, webhook, staff or post. The empty text is CHANNEL_EMAIL. */
bool channel_of_template(struct str word, enum consent_channel *out);

/* Does it speak to the person, who may refuse it? */
static inline bool channel_is_to_person(enum consent_channel channel)
{
    return channel < CHANNELS;
}

#endif
