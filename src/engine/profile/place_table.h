/*
 * place_table: what a country tells of a person who lives there, and what a telephone number tells
 * of the country. Made by scripts/places.mjs, which names the sources.
 */
#ifndef DULT_ENGINE_PLACE_TABLE_H
#define DULT_ENGINE_PLACE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

struct place_country {
    const char *code;     /* ISO 3166, two letters; the table is sorted by it */
    const char *name;     /* in English */
    const char *zone;     /* where nearly all live in one, else empty */
    const char *language; /* the likeliest: ISO 639, two or three letters */
    bool        is_south; /* below the equator */
};

/* The digits after the plus; of several that fit the longest counts. */
struct place_call {
    const char *digits, *code;
};

enum { PLACE_CALL_DIGITS_MAX = 4 };

extern const struct place_country place_countries[];
extern const uint32_t             place_countries_count;
extern const struct place_call    place_calls[];
extern const uint32_t             place_calls_count;

#endif
