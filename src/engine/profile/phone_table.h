/*
 * phone_table: how telephone numbers are written in each country. Made by scripts/phones.mjs, which
 * names the source.
 */
#ifndef DULT_ENGINE_PHONE_TABLE_H
#define DULT_ENGINE_PHONE_TABLE_H

#include <stdint.h>

struct phone_plan {
    const char *country; /* ISO 3166, two letters; the table is sorted by it */
    const char *calling; /* the digits after the plus */
    const char *abroad;  /* what is dialled for the plus */
    const char *trunk;   /* what stands before a number within the country; may be empty */
    uint32_t    lengths; /* bit n: a number of n digits after the calling code is possible */
};

extern const struct phone_plan phone_plans[];
extern const uint32_t          phone_plans_count;

#endif
