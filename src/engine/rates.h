/*
 * rates: what a currency was worth on a day, so that sums in several can be told in one.
 *
 *      {"base": "NOK",
 *       "rates": [{"date": "2026-01-02", "currency": "EUR", "rate": 11.75},      1 EUR = 11.75 NOK
 *                 {"date": "2026-01-05", "currency": "EUR", "rate": 11.81}, ...]}
 *
 * The rate of a day is that day's, or the newest before it. Before the first there is none: a sum
 * that needs it is left out and named, never taken for nothing.
 *
 * Money is counted in ten-thousandths of a currency's unit (MONEY_UNIT), which holds the minor
 * units of every currency exactly. What is converted is rounded once, half away from zero.
 *
 * Bounds        RATES_MAX rates; sums of up to MONEY_MAX units each.
 */
#ifndef DULT_ENGINE_RATES_H
#define DULT_ENGINE_RATES_H

#include "base/json.h"

enum { RATES_MAX = 20000, RATES_CURRENCY_BYTES = 4, MONEY_UNIT = 10000 };
#define MONEY_MAX INT64_C(1000000000000) /* of units; nine hundred such sums add up */

struct rate {
    char    currency[RATES_CURRENCY_BYTES]; /* three capitals */
    int32_t day;                            /* since 1970 */
    double  rate;                           /* how many of the base one is worth */
};

struct rates {
    char               base[RATES_CURRENCY_BYTES]; /* empty: there are none */
    const struct rate *items;                      /* by currency, then day */
    uint32_t           count;
};

/* Into the arena; an empty text is none. ERR_INPUT, ERR_LIMIT with a problem. */
MUST enum err rates_parse(struct arena *arena, struct str text, struct rates *out,
                          struct problem *problem);
/* Three letters, made capitals. False: it is no code of a currency. */
bool rates_code(struct str text, char out[RATES_CURRENCY_BYTES]);
/* False: there is no rate for one of the two. */
bool rates_convert(const struct rates *rates, int64_t money, const char *from, const char *to,
                   int64_t day, int64_t *out);
/* A number, or a text of one, as money. False: it is none, is below 0 or above MONEY_MAX. */
bool money_read(const struct json *value, int64_t *out);
/* A sum that stops at the ends of what an int64_t holds. */
int64_t money_add(int64_t a, int64_t b);

#endif
