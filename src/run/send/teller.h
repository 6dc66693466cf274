/*
 * teller: a program that asked for messages is told what became of them.
 *
 *      store --rows after the cursor--> teller --POST, signed--> status_url
 *                                          +---- 2xx: the cursor moves on, durably
 *                                          +---- else: the same, after 1 s, 2 s ... 10 min
 *
 * Told are messages that programs asked for (send.h), and no others: sent, failed, unknown, held,
 * waiting, delivered, bounced, complained, unsubscribed, replied; opened and clicked by people.
 *
 *      {"events": [{"id": "d918", "type": "sent", "message": 917, "at": "...", "profile": "p12",
 *                   "template": "receipt", "key": "order-1001", "reason"?, "url"?, "class"? ...}]}
 *      Dult-Timestamp: 1795301148
 *      Dult-Signature: v1=hex of HMAC-SHA256(status_secret, timestamp "." body)
 *
 * Always true   in order, each at least once, over restarts and kill -9: an `id` that was told
 *               twice is the same event. What is older than TELLER_AGE_MS is left out.
 * Cost          nothing is kept in memory but one batch; one thread, which looks twice a second.
 */
#ifndef DULT_RUN_TELLER_H
#define DULT_RUN_TELLER_H

#include "store/store.h"

#define TELLER_AGE_MS (3 * TIME_DAY_MS)

enum { TELLER_EVENTS_MAX = 100 }; /* of one request */

struct teller_conf {
    struct store *store;
    const char   *url, *secret; /* outlive the teller */
};

struct teller;

/* Begins where it ended; the first time with what comes from now on. ERR_INPUT with a problem. */
MUST enum err teller_open(struct teller **out, const struct teller_conf *conf,
                          struct problem *problem);
void          teller_close(struct teller *teller); /* before the store; NULL is nothing */

/* What came of a message, by the number of Dult's own event: "opened" ..., one word for the API and
 * for whom the teller tells; NULL: it is none of these. */
const char *message_event_word(uint32_t name);

#endif
