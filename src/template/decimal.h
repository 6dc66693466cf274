/*
 * decimal: arithmetic as people do it on paper.
 *
 * 10.1 minus 2.2 is 7.9, not 7.8999999999999995. A number is an integer of up to 38 digits and a
 * power of ten; what does not fit is worked out in binary floating point instead.
 *
 * Always true   a result is exact, or what the nearest doubles give (is_real).
 */
#ifndef DULT_TEMPLATE_DECIMAL_H
#define DULT_TEMPLATE_DECIMAL_H

#include "base/str.h"

struct decimal {
    __int128 digits;
    int      places;   /* digits after the point */
    bool     is_whole; /* an integer, not a number that happens to end in .0 */
    bool     is_real;  /* beyond 38 digits: `real` holds it */
    double   real;
};

struct decimal decimal_of_int(int64_t integer);
struct decimal decimal_of_real(double real);
/* Leading number of a text: "10.1" is a decimal, "10 apples" is 10, "x" is 0. */
struct decimal decimal_of_text(struct str text);
double         decimal_to_real(const struct decimal *d);
bool           decimal_is_zero(const struct decimal *d);

/* op is one of + - * / %; the divisor is not zero. Whole numbers divide downwards. */
struct decimal decimal_apply(const struct decimal *a, char op, const struct decimal *b);
int            decimal_cmp(const struct decimal *a, const struct decimal *b);
/* To `places` after the point; mode '<' down, '>' up, '=' to the nearest, halves away from 0. */
struct decimal decimal_round(const struct decimal *d, int places, char mode);

#endif
