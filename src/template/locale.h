/*
 * locale: money, numbers and dates as they are written where the reader lives (by ICU).
 *
 *     149.5 EUR     "de" 149,50 €        "en-US" €149.50      "nb-NO" 149,50 €
 *     1234567.891   "de" 1.234.567,891   "en-IN" 12,34,567.891
 *     2026-03-14    "de" 14. März 2026   "fr" 14 mars 2026    "en-US" March 14, 2026
 *
 * Formatters take up to a millisecond to make, so the LOCALES_KEPT_MAX used last are kept.
 *
 * Always true   an unknown language is written as English, never as a fault.
 * Cost          about 1 us with a kept formatter, and a few kilobytes for each.
 * Threads       one at a time.
 * Knows not     time zones: local time is handed in. (ICU's rules of zones are as old as its
 * package.)
 */
#ifndef DULT_TEMPLATE_LOCALE_H
#define DULT_TEMPLATE_LOCALE_H

#include "base/buf.h"

enum { LOCALES_KEPT_MAX = 64, LOCALE_NAME_BYTES_MAX = 40, LOCALE_FORM_BYTES_MAX = 32 };

struct locales;

MUST enum err locales_open(struct locales **out);
void          locales_close(struct locales *locales); /* NULL is nothing */
void          locales_closep(struct locales **locales);

enum locale_kind { LOCALE_NUMBER, LOCALE_PERCENT, LOCALE_MONEY, LOCALE_DATE, LOCALE_TIME };

struct locale_as {
    enum locale_kind kind;
    struct str       language; /* "nb-NO", "pt_BR", "en"; empty: English */
    struct str       form; /* MONEY: the currency's code. DATE, TIME: short, medium, long, full or
                              a skeleton of ICU ("yMMMEd"). Empty for numbers. */
    int places;            /* after the point, -1 as usual; of NUMBER, PERCENT and MONEY */
};

/* Appends a number given in decimal digits, "-1234.5". ERR_INPUT: no such currency. */
MUST enum err locale_number(struct locales *locales, const struct locale_as *as, struct str digits,
                            struct buf *out);
/* `local_ms`: milliseconds since 1970 as the reader's clock shows them. ERR_INPUT: no such form. */
MUST enum err locale_date(struct locales *locales, const struct locale_as *as, int64_t local_ms,
                          struct buf *out);

/* A country of two letters by its name in that language (`en`, `pt-BR`; empty or none that is
 * known: English) in capitals, as envelopes have it; its code where there is none. */
void locale_country_write(struct str code, struct str language, struct buf *out);

#endif
