/*
 * letterbox: places for what the courier carries.
 *
 * Each message is claimed on a place, and the places of a way for mail are not those of text
 * messages: a mail server that is down holds no text up, and a slow webhook no mail. So there are
 * ways whose channel offers places and is given nothing; the courier takes what is claimed on them
 * (sender_letters.c).
 */
#ifndef DULT_RUN_LETTERBOX_H
#define DULT_RUN_LETTERBOX_H

#include "delivery/delivery.h"
#include "run/send/way.h"

enum { LETTERBOXES = 2, LETTERBOX_PLACES = 32 };

/* One for text messages, one for the other channels. */
extern const struct way_conf letterbox_ways[LETTERBOXES];

/* Offers its places at once. ERR_MEMORY. */
MUST enum err letterbox_open(const struct channel_calls *calls, struct channel **out);

#endif
