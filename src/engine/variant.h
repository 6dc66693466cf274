/*
 * variant: which of a template's variants is for whom?
 *
 * A variant is a template named as its base, with what it is for behind it:
 *
 *     welcome            the base: for whoever no variant fits
 *     welcome.nb         language nb, and so nb-NO
 *     welcome.pt-BR      language pt-BR alone
 *     welcome.NO         whoever lives in Norway
 *     welcome.EUR        whoever pays in euros
 *     welcome.de.AT.EUR  all three; the order is language, place, currency
 *
 * The language counts first: the person's, whole, then without its last part (pt-BR, pt), then the
 * workspace's in the same way, then none at all. Among those of one language the one that names the
 * person's country wins, then the one that names the currency.
 *
 * Always true   a variant that names another country or currency than the reader's fits nobody
 * else; the same reader and names give the same choice. Knows not     where language, country and
 * currency come from.
 */
#ifndef DULT_ENGINE_VARIANT_H
#define DULT_ENGINE_VARIANT_H

#include "base/str.h"

struct variant_tags {
    struct str language, country, currency; /* slices of the name; empty: for any */
};

struct variant_reader {
    struct str language; /* "pt-BR"; empty: not known */
    struct str house;    /* the workspace's */
    struct str country;  /* "BR" */
    struct str currency; /* "EUR" */
};

/* "welcome.pt-BR": base "welcome" and its tags. False for a name without tags. */
bool variant_split(struct str name, struct str *base, struct variant_tags *tags);

/* How well it fits, the more the better; 0: not at all. */
uint32_t variant_fit(const struct variant_tags *tags, const struct variant_reader *reader);
/* The same of a base that says which language it is in (empty: it does not); at least 1. */
uint32_t variant_base_fit(struct str language, const struct variant_reader *reader);

#endif
