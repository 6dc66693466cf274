/*
 * lane: the lines in which messages wait, so that none waits behind what is none of its business.
 *
 *      receipts          |=>     taken first, whoever else waits
 *      topics (4 lines)  |====>  a topic has one line by its name; the line that waits longest
 *      ...               |=>     goes first
 *      texts, webhooks, the staff, post: a line each
 *
 * Whoever has room says which lanes it has room for (RECORD_CLAIM, `lanes`). So a receipt never
 * waits behind a newsletter, and a topic whose way out is slow does not hold up the others'.
 *
 * Always true   a lane is a matter of the template and the topic's name alone: the engine and the
 *               sender find the same one. Two topics may share a line, two channels never.
 * Cost          a calendar a lane.
 */
#ifndef DULT_ENGINE_LANE_H
#define DULT_ENGINE_LANE_H

#include "engine/channel.h"

enum {
    LANE_RECEIPTS = 0, /* transactional e-mail */
    LANE_TOPICS = 1,   /* of other e-mail; the first of LANE_TOPICS_COUNT */
    LANE_TOPICS_COUNT = 4,
    LANE_SMS_RECEIPTS = 5,
    LANE_SMS = 6,
    LANE_WEBHOOK = 7,
    LANE_STAFF = 8, /* chats and e-mail */
    LANE_POST = 9,
    LANES = 10,
};

#define LANES_ALL ((1u << LANES) - 1)
#define LANES_URGENT (1u << LANE_RECEIPTS | 1u << LANE_SMS_RECEIPTS)

/* What a lane is chosen by. */
struct lane_of {
    enum consent_channel channel;
    bool                 transactional;
    struct str           topic; /* empty: none */
};

uint32_t lane_of(struct lane_of message);

#endif
