/*
 * place: where a person lives, which language they read, how old they are.
 *
 * Six traits are known of people who never told them. Each comes from the first of a chain that
 * has something to say, and says from which:
 *
 *      timezone     the trait, the address, the telephone number, the network
 *      country      the same
 *      language     the trait or `locale`, the address, the telephone number, the network
 *      hemisphere   the trait, the country               "north" or "south"
 *      season       the trait, hemisphere and date       "spring" "summer" "autumn" "winter"
 *      age          the trait, `birthday`                whole years
 *
 * The address is `address.country`, a code or an English name; the telephone number is `phone` in
 * international form (E.164); the network is what $context keeps: the country of the IP address,
 * the zone and locale that a browser tells. A country tells a zone only where nearly everyone lives
 * in one. Seasons are those of meteorology: spring begins on March 1 in the north.
 *
 * Always true   a trait that was told is given as it was told; the answer stays until `until_ms`.
 * Cost          a look at the person's traits for each link of the chain.
 */
#ifndef DULT_ENGINE_PLACE_H
#define DULT_ENGINE_PLACE_H

#include "engine/segment/facts.h"

/* The traits' numbers: program_open interns their names first, in this order. */
enum place_trait {
    PLACE_TIMEZONE,
    PLACE_COUNTRY,
    PLACE_LANGUAGE,
    PLACE_HEMISPHERE,
    PLACE_SEASON,
    PLACE_AGE,
    PLACE_DERIVED, /* the ones above may be derived; those below are what they come from */
    PLACE_LOCALE = PLACE_DERIVED,
    PLACE_ADDRESS_COUNTRY,
    PLACE_PHONE,
    PLACE_BIRTHDAY,
    PLACE_TRAITS,
};

enum place_origin {
    PLACE_UNKNOWN,
    PLACE_FROM_TRAIT,
    PLACE_FROM_ADDRESS,
    PLACE_FROM_PHONE,
    PLACE_FROM_NETWORK,
    PLACE_FROM_BIRTHDAY,
};

const char *place_trait_name(enum place_trait trait);
const char *place_origin_word(enum place_origin origin); /* "trait", "address", ... */

/* How the chain asks: for a trait as it was told, and for what the network told. */
struct place_sources {
    bool (*told)(const struct facts *facts, uint16_t trait, struct facts_trait *out);
    /* `key` is one of the traits above: TIMEZONE, COUNTRY or LOCALE. */
    bool (*network)(const struct facts *facts, enum place_trait key, struct facts_trait *out);
};

/*
 * One of the derived traits. PLACE_UNKNOWN when nothing tells it: out->value is then null, and
 * until_ms filled all the same.
 */
enum place_origin place_derive(const struct place_sources *sources, const struct facts *facts,
                               enum place_trait trait, struct facts_trait *out);

/* The country's code of a code or an English name, or of a number such as "+47 912 34 567"; NULL.
 */
const char *place_country_code(struct str text);
const char *place_phone_code(struct str phone);

/* The traits that `trait` may come from; how many were put into `out`. */
uint32_t place_comes_from(enum place_trait trait, uint16_t out[PLACE_TRAITS]);

#endif
