/*
 * attributing: what a report of messages and orders is asked with, from the workspace.
 *
 *      workspace.json      what an order is, the model, the windows    (run/send/attribution.h)
 *      engine's thread     numbers of names, nodes of journeys, variants, rates: copied
 *      the call's body     another model, event or currency
 */
#ifndef DULT_RUN_ATTRIBUTING_H
#define DULT_RUN_ATTRIBUTING_H

#include "engine/report/results.h"
#include "run/api/api_inside.h"
#include "run/send/attribution.h"

struct attributing {
    struct attribution     conf;
    struct orders_question orders;
    struct stood_question  stood;
    struct results_arm    *arms;
    uint32_t               arms_count;
    struct letters_keys    keys;
    bool                   is_event_asked;                  /* not the workspace's */
    char                   workspace[RATES_CURRENCY_BYTES]; /* its currency; empty: none */
    struct call           *call;
    enum err               err;
};

/* `body` may be NULL. ERR_INPUT with a problem, ERR_MEMORY. */
MUST enum err attributing_load(struct call *call, const struct json *body, struct attributing *out);
/* Into a question: orders, nodes and variants. */
void attributing_put(const struct attributing *from, struct results_question *question);
/* Where nobody says a currency, and all sums that could not be told are in one: that one. */
bool attributing_retry(struct attributing *attributing, const struct results *results);

/* "orders", "people", "revenue". */
void attributing_worth_write(struct buf *out, bool *first, const struct results_worth *worth);
/* What one message brought on average, with the interval that holds it with 95% (that of a mean).
 */
void attributing_mean_write(struct buf *out, bool *first, const struct results_worth *worth,
                            uint64_t sent);
/* "model", "within", "event", "currency", and what could not be told. */
void attributing_rule_write(const struct attributing *attributing, const struct results *results,
                            struct buf *out, bool *first);

#endif
