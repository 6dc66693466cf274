/*
 * attribution: what counts as an order, and to which messages it is put, from workspace.json.
 *
 *     "attribution": {"event": "Order Completed", "value": ["revenue", "total"],
 *                     "order": "order_id", "currency": "currency",       properties of the event
 *                     "refund": "Order Refunded", "cancel": "Order Cancelled",
 *                     "model": "last",                                   first, linear
 *                     "within": {"clicked": "5 days", "opened": "1 day", "received": "1 day"},
 *                     "report": "NOK"}
 *
 * These are the defaults, but for `report`: the currency that sums are told in is the workspace's.
 * A length of "none" means that such a touch never counts.
 */
#ifndef DULT_RUN_ATTRIBUTION_H
#define DULT_RUN_ATTRIBUTION_H

#include "engine/report/credit.h"
#include "engine/report/orders.h"

#define ATTRIBUTION_WITHIN_MAX_MS (400 * INT64_C(86400000))

struct attribution {
    struct str         event, refund, cancel; /* empty: there is none */
    struct str         id, currency;          /* properties */
    struct str         values[ORDERS_VALUES_MAX];
    uint32_t           values_count;
    struct credit_rule rule;
    struct str         report; /* empty: not said */
};

/* The `attribution` of a workspace; its texts are borrowed. NULL: the defaults. ERR_INPUT. */
MUST enum err attribution_parse(const struct json *root, struct attribution *out,
                                struct problem *problem);
/* "last", "first" or "linear" in `text`, empty for what is so already; likewise in a report. */
MUST enum err attribution_model(struct str text, const char *where, enum credit_model *out,
                                struct problem *problem);

#endif
