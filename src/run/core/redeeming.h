/*
 * redeeming: which order used which discount code.
 *
 *      "Order Completed" of somebody, {"coupon": "SPRING-7KQ2", "order_id": "881"}
 *           |  which pools are redeemed by this event, and by which properties?
 *           v
 *      the store: was SPRING-7KQ2 given, to whom, with which message?
 *           |  not by this order before
 *           v
 *      "Code Redeemed" of the one who was given it, in the same transaction as the order
 *
 * It is looked for on the engine's thread, as soon as the order stands on its person's timeline, so
 * journeys that wait for it go on at once and nothing is lost between the two. A code of a pool is
 * its owner's wherever it is used: the event stands on the owner's timeline, and by_owner says
 * whether it was them who ordered. A fixed code is everyone's: the event is of who ordered, and
 * by_owner says whether it was given to them.
 *
 *      {"code", "pool", "order_id", "by_owner", "expired", "journey"?, "template"?, "message"?,
 *       "value"?, "currency"?}
 *
 * Always true   one event an order and code, however often the order is told, for ever.
 * Fixed codes   are known by what they are called now, and by what they were called when they were
 *               given to who orders. An order that is told again is looked for under each time they
 *               were given; what was given after the order is no part of it.
 * Cost          nothing for an event that redeems nothing; else two look-ups a code that it names,
 *               and one a fixed pool.
 * Knows not     codes that were not given yet: who uses one of those redeems nothing.
 */
#ifndef DULT_RUN_REDEEMING_H
#define DULT_RUN_REDEEMING_H

#include "engine/engine.h"
#include "store/store.h"

enum {
    REDEEMING_CODES_MAX = 20, /* that one order names */
    REDEEMING_ORDER_BYTES_MAX = 128,
};

/* An order as it stands on its person's timeline. */
struct redeeming_order {
    struct str         event, message_id;
    const struct json *properties;
    uint32_t           profile; /* who ordered */
    uint64_t           seq;
    int64_t            at_ms;
};

struct redemption {
    uint32_t   pool, profile; /* profile: on whose timeline it is told */
    uint64_t   key, message;
    struct str order_id, message_id; /* message_id: the same for the same order and code */
    struct str properties;           /* JSON */
};

/* All of `out` lies in the arena. ERR_WAIT, ERR_IO, ERR_CORRUPT of the store, ERR_MEMORY. */
MUST enum err redeeming_find(struct store_reader *reader, const struct engine *engine,
                             const struct redeeming_order *order, struct arena *arena,
                             struct redemption out[REDEEMING_CODES_MAX], uint32_t *count);

#endif
