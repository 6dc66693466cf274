/*
 * alerting: what the staff is told, not about anybody but about the house: sending has stopped,
 * codes run out.
 *
 *      core_tell(core, level, &problem) --+--> the log, at once
 *                                         +--> alerting: a message to each of alert_to
 *
 * The setting `alert_to` is a list of e-mail addresses, and "slack" for the way of ways.json to the
 * staff. They go by the same ways as all messages (sender_try), on trial into the outbox unless
 * allowed, and also while sending is stopped: they are in no queue. What a way does not take is
 * tried again after a minute, five and thirty (or `smtp_retry_first`), as long as the process
 * lives; then the log says so.
 *
 * Always true   telling never waits: beyond ALERTS_MAX that wait the rest is left to the log.
 * Threads       alerting_tell from any; one of its own sends.
 */
#ifndef DULT_RUN_ALERTING_H
#define DULT_RUN_ALERTING_H

#include "run/send/sender.h"
#include "store/store.h"

enum { ALERTS_MAX = 32, ALERTS_TO_MAX = 8, ALERT_TO_BYTES_MAX = 256 };

struct alerting_conf {
    struct store            *store; /* whose workspace says who writes */
    struct sender           *sender;
    const struct secrets    *secrets;
    const struct token_keys *tokens;
    const char              *to;       /* "ops@shop.example, slack" */
    int64_t                  retry_ms; /* the pause before each next try; 0: as above */
};

struct alerting;

/* ERR_INPUT with a problem: who is told cannot be. All of conf outlives it. */
MUST enum err alerting_open(struct alerting **out, const struct alerting_conf *conf,
                            struct problem *problem);
/* Before the sender; waits for what is under way, SENDER_TRY_MS at most. NULL is nothing. */
void alerting_close(struct alerting *alerting);

/* For struct core_alarm. */
void alerting_tell(void *alerting, const struct problem *problem);

#endif
