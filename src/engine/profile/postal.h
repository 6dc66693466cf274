/*
 * postal: what an address of post must be in its country, and how its envelope is written.
 *
 *      "0155"      in NO    good               "A\nZ C"     Storgata 1 / 0155 Oslo
 *      "155"       in NO    refused: Norwegian postal codes have 4 digits: 0150
 *      "ls1 1aa"   in GB    good               "A\nC\nZ"    1 High St / Leeds / LS1 1AA
 *
 * Looked at is the shape of the code, with or without its spaces and dashes, and with the sign of
 * the country before it ("N-0155", "SE-123 45"). Whether somebody lives there, the post knows, or
 * the provider that is asked (docs/channels.md). A country without a rule has postal codes of any
 * shape, or none where the Universal Postal Union knows of none.
 *
 * Shapes and lines are as the posts write them (each row has an example of its own); the notation
 * of lines follows the Universal Postal Union's S42 in kind. Of 502 codes drawn from the shapes of
 * npm's postcode-validator 3.10.22, those of the row's own country are taken, but for Argentina
 * without its three letters, Israel with 6 digits, Malta, Jersey, Guernsey and Man with another
 * count of signs, and Portugal with 4 digits.
 *
 * Pure; no allocation. A look is one pass over the table, 80 rows.
 */
#ifndef DULT_ENGINE_POSTAL_H
#define DULT_ENGINE_POSTAL_H

#include "base/str.h"

struct postal_address {
    struct str street, city, code, state, country; /* the country as two capitals */
};

/* Why nothing can be posted there, with its remedy, or the empty text; it lives for ever. */
struct str postal_why(const struct postal_address *address);

/* The lines below the name: A street, Z postal code, C city, S state; all else stands as it is
 * where there is something on both sides of it. */
const char *postal_lines(struct str country);

/* The table: postal_table.c, by country. */
struct postal_rule {
    char        country[3];
    const char *shape; /* N digit, A letter, X either, small letters and digits themselves, | or */
    const char *lines;
    const char *why; /* where the code is of another shape */
};

extern const struct postal_rule postal_rules[];
extern const unsigned           postal_rules_count;

#endif
