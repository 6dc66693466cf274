#include "template/decimal.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "template/lexer.h"
#include "template/value.h"

/* Doubles need 17 digits; beyond 300 places nothing that people calculate is left. */
enum { PLACES_MAX = 300, QUOTIENT_DIGITS = 20 };

static struct decimal real_result(double real)
{
    return (struct decimal){ .is_real = true, .real = real };
}

struct decimal decimal_of_int(int64_t integer)
{
    return (struct decimal){ .digits = integer, .is_whole = true };
}

/* "-12.50" and no exponent; false when there are too many digits. */
static bool plain_read(struct str text, struct decimal *out)
{
    *out = (struct decimal){ 0 };
    size_t i = text.len > 0 && text.ptr[0] == '-';
    bool   point = false;
    for (; i < text.len; i++) {
        if (text.ptr[i] == '.') {
            point = true;
            continue;
        }
        if (__builtin_mul_overflow(out->digits, 10, &out->digits) ||
            __builtin_add_overflow(out->digits, text.ptr[i] - '0', &out->digits))
            return false;
        out->places += point;
    }
    if (text.len > 0 && text.ptr[0] == '-')
        out->digits = -out->digits;
    return out->places <= PLACES_MAX;
}

static bool scale_up(struct decimal *d, int places)
{
    for (; d->places < places; d->places++)
        if (__builtin_mul_overflow(d->digits, 10, &d->digits))
            return false;
    return true;
}

/* "e-05", "e+16" or nothing. */
static bool exponent_read(struct str text, int64_t *out)
{
    struct str digits = str_slice(text, 2, text.len);
    if (text.len == 0)
        return true;
    if (str_to_int(digits, out) != OK)
        return false;
    *out = text.ptr[1] == '-' ? -*out : *out;
    return true;
}

struct decimal decimal_of_real(double real)
{
    char           text[VALUE_REAL_BYTES];
    struct decimal d;
    int64_t        exponent = 0;
    struct str     written = value_real_text(real, text);
    size_t         e = str_find_char(written, 0, 'e');
    if (!isfinite(real) || (real == 0 && signbit(real)) ||
        !plain_read(str_slice(written, 0, e), &d) ||
        !exponent_read(str_slice(written, e, written.len), &exponent))
        return real_result(real);
    d.places -= (int)exponent;
    return d.places <= PLACES_MAX && scale_up(&d, 0) ? d : real_result(real);
}

static bool is_plain_decimal(struct str text)
{
    size_t i = text.len > 0 && text.ptr[0] == '-', digits = 0, places = 0;
    for (; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
        digits++;
    if (i >= text.len || text.ptr[i++] != '.')
        return false;
    for (; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
        places++;
    return i == text.len && digits > 0 && places > 0;
}

struct decimal decimal_of_text(struct str text)
{
    struct decimal d;
    double         real = 0;
    struct str     trimmed = text_trim_right(text_trim_left(text));
    if (!is_plain_decimal(trimmed))
        return decimal_of_int(value_leading_int(trimmed));
    if (plain_read(trimmed, &d))
        return d;
    return real_result(str_to_real(trimmed, &real) == OK ? real : 0);
}

double decimal_to_real(const struct decimal *d)
{
    if (d->is_real)
        return d->real;
    if (d->places == 0 && d->digits > -((__int128)1 << 53) && d->digits < ((__int128)1 << 53))
        return (double)d->digits;
    /* Both are exact doubles up to here, so one division rounds once, as reading the text would. */
    static const double powers[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10 };
    if (d->places > 0 && d->places <= 10 && d->digits > -((__int128)1 << 53) &&
        d->digits < ((__int128)1 << 53))
        return (double)d->digits / powers[d->places];
    char              text[64], *at = text + sizeof text - 1;
    unsigned __int128 left =
        d->digits < 0 ? -(unsigned __int128)d->digits : (unsigned __int128)d->digits;
    char tail[16];
    int  tail_len = snprintf(tail, sizeof tail, "e-%d", d->places);
    *at = '\0';
    at -= tail_len;
    memcpy(at, tail, (size_t)tail_len);
    do {
        *--at = (char)('0' + (int)(left % 10));
        left /= 10;
    } while (left > 0);
    if (d->digits < 0)
        *--at = '-';
    return strtod(at, NULL);
}

bool decimal_is_zero(const struct decimal *d)
{
    return d->is_real ? d->real == 0 : d->digits == 0;
}

static bool align(struct decimal *a, struct decimal *b)
{
    if (a->is_real || b->is_real)
        return false;
    return scale_up(a, b->places) && scale_up(b, a->places);
}

static __int128 divide_down(__int128 a, __int128 b)
{
    __int128 quotient = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

static double real_apply(double a, char op, double b)
{
    double rest;
    switch (op) {
    case '+':
        return a + b;
    case '-':
        return a - b;
    case '*':
        return a * b;
    case '/':
        return a / b;
    default:
        rest = fmod(a, b);
        return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
    }
}

/* Enough digits of the quotient for the nearest double. */
static bool divide(struct decimal *a, const struct decimal *b, bool whole)
{
    if (whole) {
        a->digits = divide_down(a->digits, b->digits);
        return true;
    }
    __int128 limit = 1;
    for (int i = 0; i < QUOTIENT_DIGITS; i++)
        limit *= 10;
    while ((a->digits > 0 ? a->digits : -a->digits) / limit <
               (b->digits > 0 ? b->digits : -b->digits) &&
           a->digits != 0) {
        if (__builtin_mul_overflow(a->digits, 10, &a->digits) || a->places >= PLACES_MAX)
            return false;
        a->places++;
    }
    a->digits /= b->digits;
    return true;
}

static bool exact_apply(struct decimal *a, char op, struct decimal *b, bool whole)
{
    if (op == '*') {
        a->places += b->places;
        return a->places <= PLACES_MAX && !__builtin_mul_overflow(a->digits, b->digits, &a->digits);
    }
    if (!align(a, b))
        return false;
    if (op == '+')
        return !__builtin_add_overflow(a->digits, b->digits, &a->digits);
    if (op == '-')
        return !__builtin_sub_overflow(a->digits, b->digits, &a->digits);
    if (op == '/') {
        a->places = 0;
        return divide(a, b, whole);
    }
    a->digits -= divide_down(a->digits, b->digits) * b->digits;
    return true;
}

struct decimal decimal_apply(const struct decimal *a, char op, const struct decimal *b)
{
    struct decimal x = *a, y = *b;
    bool           whole = a->is_whole && b->is_whole;
    assert((op != '/' && op != '%') || !decimal_is_zero(b));
    if (x.is_real || y.is_real || !exact_apply(&x, op, &y, whole))
        return real_result(real_apply(decimal_to_real(a), op, decimal_to_real(b)));
    x.is_whole = whole;
    return x;
}

int decimal_cmp(const struct decimal *a, const struct decimal *b)
{
    struct decimal x = *a, y = *b;
    if (align(&x, &y))
        return x.digits < y.digits ? -1 : x.digits > y.digits;
    double p = decimal_to_real(a), q = decimal_to_real(b);
    return p < q ? -1 : p > q;
}

struct decimal decimal_round(const struct decimal *d, int places, char mode)
{
    struct decimal rounded = *d;
    __int128       unit = 1;
    if (d->is_real || places >= d->places)
        return rounded;
    for (int i = places; i < d->places; i++)
        if (__builtin_mul_overflow(unit, 10, &unit)) {
            unit = 0;
            break;
        }
    __int128 down = unit == 0 ? 0 : divide_down(d->digits, unit);
    __int128 rest = unit == 0 ? 0 : d->digits - down * unit;
    bool     half = rest == unit - rest;
    if (rest != 0 && (mode == '>' || (mode == '=' && (half ? d->digits > 0 : rest > unit - rest))))
        down++;
    rounded.digits = down;
    rounded.places = places;
    for (; rounded.places < 0; rounded.places++)
        rounded.digits *= 10;
    return rounded;
}
