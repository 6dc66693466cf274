/*
 * phone: a telephone number as people write it, as one that can be dialled from anywhere (E.164).
 *
 *      "0412 345 678"        in AU       +61412345678
 *      "+44 (0)7911 123456"  anywhere    +447911123456
 *      "00 47 912 34 567"    anywhere    +4791234567
 *      "912 34 567"          nowhere     refused: a country is needed
 *
 * What is looked at is the shape: signs, prefixes, and how many digits a number of that country
 * can have. Whether anybody answers, the network says. libphonenumber also knows which ranges were
 * given out, for 18 MB of C++ and a table that is old after a month; what that buys, a delivery
 * receipt tells for certain. test/phone_test.mjs holds both side by side for every country.
 *
 * Pure; no allocation.
 */
#ifndef DULT_ENGINE_PHONE_H
#define DULT_ENGINE_PHONE_H

#include "base/err.h"
#include "base/str.h"

enum {
    PHONE_BYTES_MAX = 17, /* the plus, 15 digits (E.164 6.1) and the end */
    PHONE_WRITTEN_BYTES_MAX = 40,
};

/* `country`: two letters, of the person; may be empty. ERR_INPUT: it is no number, or a national
 * one of an unknown country. `out` ends with a null. */
MUST enum err phone_e164(struct str written, struct str country, char out[PHONE_BYTES_MAX]);

/* The country of a number in E.164, by its calling code and area; empty when there is none. */
struct str phone_country(struct str e164);

#endif
