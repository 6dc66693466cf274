#include "template/filters.h"

#include <limits.h>
#include <math.h>

#include "template/decimal.h"

static struct decimal number_of(const struct value *v)
{
    switch (v->kind) {
    case VALUE_INT:
        return decimal_of_int(v->integer);
    case VALUE_REAL:
        return decimal_of_real(v->real);
    case VALUE_STRING:
        return decimal_of_text(v->string);
    default:
        return decimal_of_int(0);
    }
}

static struct value number_value(const struct decimal *d)
{
    if (d->is_whole && !d->is_real && d->digits >= INT64_MIN && d->digits <= INT64_MAX)
        return value_of_int((int64_t)d->digits);
    return value_of_real(decimal_to_real(d));
}

static bool is_negative(const struct decimal *d)
{
    return d->is_real ? signbit(d->real) != 0 : d->digits < 0;
}

static struct value apply(const struct value *a, char op, const struct value *b)
{
    struct decimal x = number_of(a), y = number_of(b);
    struct decimal made = decimal_apply(&x, op, &y);
    bool           product = op == '*' || op == '/';
    if (product && !made.is_whole && decimal_is_zero(&made) && is_negative(&x) != is_negative(&y))
        return value_of_real(-0.0); /* a zero of Ruby's decimals has a sign */
    if (op == '%' && !made.is_whole && decimal_is_zero(&made))
        return value_of_real(0.0); /* but what a division leaves over has none */
    return number_value(&made);
}

static struct value plus(struct render *r, const struct value *input, const struct value *args,
                         uint32_t count)
{
    (void)r, (void)count;
    return apply(input, '+', &args[0]);
}

static struct value minus(struct render *r, const struct value *input, const struct value *args,
                          uint32_t count)
{
    (void)r, (void)count;
    return apply(input, '-', &args[0]);
}

static struct value times(struct render *r, const struct value *input, const struct value *args,
                          uint32_t count)
{
    (void)r, (void)count;
    return apply(input, '*', &args[0]);
}

static struct value divide(struct render *r, const struct value *input, const struct value *by,
                           char op)
{
    struct decimal divisor = number_of(by);
    if (decimal_is_zero(&divisor))
        return render_fault(r, "divided by 0");
    return apply(input, op, by);
}

static struct value divided_by(struct render *r, const struct value *input,
                               const struct value *args, uint32_t count)
{
    (void)count;
    return divide(r, input, &args[0], '/');
}

static struct value modulo(struct render *r, const struct value *input, const struct value *args,
                           uint32_t count)
{
    (void)count;
    return divide(r, input, &args[0], '%');
}

static struct value absolute(struct render *r, const struct value *input, const struct value *args,
                             uint32_t count)
{
    (void)r, (void)args, (void)count;
    struct decimal d = number_of(input);
    if (d.is_real)
        d.real = fabs(d.real);
    else if (d.digits < 0)
        d.digits = -d.digits;
    return number_value(&d);
}

static struct value rounded(struct render *r, const struct value *input, int places, char mode)
{
    struct decimal d = number_of(input);
    if (d.is_real && !isfinite(d.real))
        return render_fault(r, "the number is infinite");
    if (d.is_real && places <= 0)
        d.real = mode == '<' ? floor(d.real) : mode == '>' ? ceil(d.real) : round(d.real);
    d = decimal_round(&d, places, mode);
    d.is_whole = d.is_whole || places <= 0;
    if (d.is_real && places <= 0 && fabs(d.real) < 9e18)
        return value_of_int((int64_t)d.real);
    return number_value(&d);
}

static struct value round_filter(struct render *r, const struct value *input,
                                 const struct value *args, uint32_t count)
{
    struct decimal places = count == 0 ? decimal_of_int(0) : number_of(&args[0]);
    double         wanted = decimal_to_real(&places);
    if (!(wanted >= -40 && wanted <= 40))
        wanted = wanted < 0 ? -40 : 40;
    return rounded(r, input, (int)wanted, '=');
}

static struct value ceil_filter(struct render *r, const struct value *input,
                                const struct value *args, uint32_t count)
{
    (void)args, (void)count;
    return rounded(r, input, 0, '>');
}

static struct value floor_filter(struct render *r, const struct value *input,
                                 const struct value *args, uint32_t count)
{
    (void)args, (void)count;
    return rounded(r, input, 0, '<');
}

static struct value nearer(const struct value *input, const struct value *bound, int wanted)
{
    struct decimal d = number_of(input), limit = number_of(bound);
    return number_value(decimal_cmp(&limit, &d) == wanted ? &limit : &d);
}

static struct value at_least(struct render *r, const struct value *input, const struct value *args,
                             uint32_t count)
{
    (void)r, (void)count;
    return nearer(input, &args[0], 1);
}

static struct value at_most(struct render *r, const struct value *input, const struct value *args,
                            uint32_t count)
{
    (void)r, (void)count;
    return nearer(input, &args[0], -1);
}

static struct value sum(struct render *r, const struct value *input, const struct value *args,
                        uint32_t count)
{
    struct value   list = list_of(r, input);
    struct decimal total = decimal_of_int(0);
    for (uint32_t i = 0; i < list.count && r->err == OK; i++) {
        struct value item = list.items[i];
        if (count > 0 && args[0].kind != VALUE_NIL &&
            list_pick(r, &list.items[i], &args[0], &item) == LIST_NO_PROPERTY)
            return list_property_fault(r, &args[0]);
        struct value parts = list_of(r, &item);
        for (uint32_t j = 0; j < parts.count; j++) {
            struct decimal d = number_of(&parts.items[j]);
            total = decimal_apply(&total, '+', &d);
        }
    }
    return number_value(&total);
}

const struct filter FILTERS_MATH[] = {
    { "plus", plus, 1, 1, NULL, false },
    { "minus", minus, 1, 1, NULL, false },
    { "times", times, 1, 1, NULL, false },
    { "divided_by", divided_by, 1, 1, NULL, false },
    { "modulo", modulo, 1, 1, NULL, false },
    { "abs", absolute, 0, 0, NULL, false },
    { "round", round_filter, 0, 1, NULL, false },
    { "ceil", ceil_filter, 0, 0, NULL, false },
    { "floor", floor_filter, 0, 0, NULL, false },
    { "at_least", at_least, 1, 1, NULL, false },
    { "at_most", at_most, 1, 1, NULL, false },
    { "sum", sum, 0, 1, NULL, false },
    { NULL, NULL, 0, 0, NULL, false },
};
