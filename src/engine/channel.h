/*
 * channel: by which way a person is spoken to, as a word of consent names it.
 *
 * The numbers stand in checkpoint rows; the words in details, on timelines and in the API.
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
    CHANNELS,
};

struct str channel_name(enum consent_channel channel); /* empty for CHANNEL_ALL */
/* The empty text is CHANNEL_ALL; false for an unknown word. */
bool channel_of(struct str word, enum consent_channel *out);

#endif
