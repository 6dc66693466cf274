/*
 * orders: one person's conversions, each with what it was worth, less what was given back.
 *
 *      Order Completed {order_id: 7, revenue: 100}   100
 *      Order Refunded  {order_id: 7, revenue: 30}     70    a part
 *      Order Cancelled {order_id: 7}                   0    the rest
 *
 * An order is told apart by its id: told twice it counts once, by the first. A return belongs to
 * the order of the same person with its id, whenever it is told; without an amount it is of all
 * that is left, and never of more. Amounts are in the order's currency, and in the reported one at
 * the rate of the day of the order (rates.h), also what was given back: so all of it given back is
 * nothing.
 *
 * Knows not     which message did it.
 */
#ifndef DULT_ENGINE_REPORT_ORDERS_H
#define DULT_ENGINE_REPORT_ORDERS_H

#include "engine/rates.h"
#include "engine/report/letters.h"

enum { ORDERS_VALUES_MAX = 4, ORDERS_MISSING_MAX = 32 };

struct orders_question {
    uint16_t     event, refund, cancel;     /* names; DICT_NONE: there is none */
    uint16_t     values[ORDERS_VALUES_MAX]; /* properties; the first that is there counts */
    uint32_t     values_count;
    uint16_t     id, currency;
    char         home[RATES_CURRENCY_BYTES];   /* where an event names no currency */
    char         report[RATES_CURRENCY_BYTES]; /* in which it is told */
    struct rates rates;
};

struct order {
    int64_t    at_ms;
    uint32_t   seq;
    struct str id; /* as text; empty: it has none */
    int64_t    number;
    bool       is_number;                 /* the id is one: 7 and "7" are the same */
    bool       has_amount, is_unreadable; /* neither: it says none */
    bool       has_currency;
    char       currency[RATES_CURRENCY_BYTES];
    int64_t    gross, back;   /* in its currency */
    int64_t    back_other;    /* in the reported one: of returns in another currency */
    int64_t    net, returned; /* in the reported one; with is_told */
    bool       is_told;       /* false: a rate is missing */
};

/* Sums that could not be told in the reported currency. */
struct orders_missing {
    char     currency[RATES_CURRENCY_BYTES];
    uint64_t orders;
    int64_t  amount, first_ms; /* in that currency; the oldest of them */
};

struct orders {
    const struct orders_question *question;
    struct {
        struct order *items;
        uint32_t      count, room;
    } all;
    uint32_t *places;      /* by the hash of an id: 1 + the order's number; 0: none */
    uint32_t  places_room; /* a power of two, at least twice as many as there are orders */
    uint64_t  strays;      /* returns of no order of that person */
    uint64_t  unreadable;  /* amounts that are none, or currencies that are no code */
};

void orders_done(struct orders *orders);
/* Of what was gathered of the person with these letters; strays and unreadable add up. */
MUST enum err orders_read(struct orders *orders, const struct letters *letters);

#endif
