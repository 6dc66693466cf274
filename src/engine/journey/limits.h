/*
 * limits: when people are left in peace, and how much one person gets.
 *
 *     {"quiet":  [{"from": "21:00", "to": "08:00"},
 *                 {"from": "sunday 00:00", "to": "00:00", "channels": ["sms"]}],
 *      "limits": [{"most": 3, "in": "7 days", "channel": "email"},
 *                 {"most": 1, "in": "1 day", "topic": "offers", "wait": "2 days"}]}
 *
 *      from      a time of day, with days of the week before it where it is not each day's
 * (until.h) to        a time of day: the first after `from`, so the same time is a day later
 *      channels  left out: email, sms and push
 *      most, in  so many messages in any stretch of that length
 *      channel   left out: all by which a message goes to the person, together
 *      topic     left out: all of them together
 *      wait      one too many waits so long at the most for its turn; left out: it is held back at
 *                once, and its journey goes on
 *
 * All of it is about what goes to the person and is no receipt (a template's `transactional`).
 *
 * Quiet hours are those of the person's clock, else the workspace's; what is due in them waits for
 * their end. Of those who wait at the same time the highest priority goes first (`priority` of a
 * journey or broadcast), for what is above a message in the queue counts against it as if it had
 * been sent. What is on its way, and what may have arrived, counts as sent.
 *
 * Bounds        LIMITS_QUIET_MAX quiet hours, LIMITS_MAX limits of LIMITS_MOST_MAX messages.
 * Knows not     the person: zone, times and the time are handed in.
 */
#ifndef DULT_ENGINE_LIMITS_H
#define DULT_ENGINE_LIMITS_H

#include "base/json.h"
#include "base/zone.h"
#include "engine/channel.h"

enum {
    LIMITS_QUIET_MAX = 16,
    LIMITS_MAX = 16,
    LIMITS_MOST_MAX = 100,
    LIMITS_TOPIC_BYTES_MAX = 128,
    LIMITS_WHY_BYTES_MAX = 320,
    PRIORITY_DEFAULT = 5, /* of 1 to PRIORITY_MAX; more goes first */
    PRIORITY_MAX = 9,
};

#define LIMITS_IN_MS_MIN TIME_MINUTE_MS
#define LIMITS_IN_MS_MAX (366 * TIME_DAY_MS)
#define LIMITS_WAIT_MS_MAX (30 * TIME_DAY_MS)

struct limits_quiet {
    uint8_t channels;       /* a bit for each enum consent_channel */
    uint8_t days;           /* on which it begins: bit 0 Monday .. bit 6 Sunday */
    int32_t from_ms, to_ms; /* of the day; to_ms is not above from_ms where it ends a day later */
};

struct limits_most {
    enum consent_channel channel; /* CHANNEL_ALL */
    uint32_t             topic;   /* 0: every one */
    uint32_t             most;
    int64_t              in_ms, wait_ms; /* wait_ms 0: none */
};

struct limits_def {
    struct limits_quiet quiet[LIMITS_QUIET_MAX];
    struct limits_most  most[LIMITS_MAX];
    uint32_t            quiet_count, most_count;
    uint32_t            version; /* the defining record's seq; 0: never told */
};

/* The number of a topic by its name; ERR_ABSENT or what interning it gives. */
struct limits_topics {
    enum err (*number_of)(void *context, struct str name, uint32_t *number);
    void *context;
};

/* Reads the document. ERR_INPUT, ERR_LIMIT with the place, what is wrong and the remedy. */
MUST enum err limits_parse(struct str text, const struct limits_topics *topics,
                           struct limits_def *out, struct problem *problem);

/* When the quiet hours that hold then end by those clocks, also where others follow at once; now_ms
 * where none holds. */
int64_t limits_quiet_until_ms(const struct limits_def *def, enum consent_channel channel,
                              const struct zone *zone, int64_t now_ms);

/* "priority" of an object, else PRIORITY_DEFAULT; false: it is no number from 1 to PRIORITY_MAX. */
bool limits_priority_read(const struct json *object, uint8_t *out);

/* Is the message, of a topic by a channel, one of those that the limit counts? */
bool limits_counts(const struct limits_most *most, enum consent_channel channel, uint32_t topic);

/* "at most 3 by email in 7 days"; `topic` is the name of the limit's. */
struct str limits_say(const struct limits_most *most, struct str topic,
                      char bytes[LIMITS_WHY_BYTES_MAX]);

#endif
