#include "engine/lane.h"

#include "base/hash.h"

uint32_t lane_of(struct lane_of message)
{
    switch (message.channel) {
    case CHANNEL_EMAIL:
        return message.transactional
                   ? (uint32_t)LANE_RECEIPTS
                   : LANE_TOPICS + (uint32_t)(hash_str(message.topic, 0) % LANE_TOPICS_COUNT);
    case CHANNEL_SMS:
        return message.transactional ? LANE_SMS_RECEIPTS : LANE_SMS;
    case CHANNEL_STAFF:
        return LANE_STAFF;
    case CHANNEL_POST:
        return LANE_POST;
    default:
        return LANE_WEBHOOK;
    }
}
