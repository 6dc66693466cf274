#include "engine/experiment/odds.h"

#include <assert.h>
#include <math.h>

enum { RATES_MAX = 8, POINTS = 8, TURNS_MAX = 8000, HALVINGS = 60 };
#define OF_MAX (UINT64_C(1) << 30) /* beyond it the logarithms' last digits would show */

/* Beta(a, b), a and b at least 1. */
struct beta {
    double a, b, log_scale; /* of the density: -log B(a, b) */
};

static double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

static struct beta beta_of(struct odds_count count)
{
    assert(count.successes <= count.of && count.of <= OF_MAX);
    struct beta beta = { 1 + (double)count.successes, 1 + (double)(count.of - count.successes), 0 };
    beta.log_scale = log_gamma(beta.a + beta.b) - log_gamma(beta.a) - log_gamma(beta.b);
    return beta;
}

static double density(const struct beta *beta, double x)
{
    double from_a = beta->a == 1 ? 0 : (beta->a - 1) * log(x);
    double from_b = beta->b == 1 ? 0 : (beta->b - 1) * log1p(-x);
    return exp(beta->log_scale + from_a + from_b);
}

/* The continued fraction of the incomplete beta function; for x below the mean it is
 * there after some sqrt(a + b) / 8 turns: 3876 at OF_MAX. */
static double fraction(double a, double b, double x)
{
    const double least = 1e-300;
    double       c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < least ? least : d);
    double value = d;
    for (int m = 1; m <= TURNS_MAX; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 + even * d;
        c = 1 + even / c;
        d = 1 / (fabs(d) < least ? least : d);
        c = fabs(c) < least ? least : c;
        value *= d * c;
        d = 1 + odd * d;
        c = 1 + odd / c;
        d = 1 / (fabs(d) < least ? least : d);
        c = fabs(c) < least ? least : c;
        value *= d * c;
        if (fabs(d * c - 1) < 1e-14)
            break;
    }
    return value;
}

/* P(rate <= x) */
static double below(const struct beta *beta, double x)
{
    double a = beta->a, b = beta->b;
    if (x <= 0)
        return 0;
    if (x >= 1)
        return 1;
    double front = exp(beta->log_scale + a * log(x) + b * log1p(-x));
    if (front == 0)
        return x > a / (a + b) ? 1 : 0;
    double is = x < (a + 1) / (a + b + 2) ? front * fraction(a, b, x) / a
                                          : 1 - front * fraction(b, a, 1 - x) / b;
    return is < 0 ? 0 : is > 1 ? 1 : is;
}

/* ---- integrals of the density times something else ---- */

typedef double factor(const void *context, double x);

static const double NODES[POINTS / 2] = { 0.1834346424956498, 0.5255324099163290,
                                          0.7966664774136267, 0.9602898564975363 };
static const double WEIGHTS[POINTS / 2] = { 0.3626837833783620, 0.3137066458778873,
                                            0.2223810344533745, 0.1012285362903763 };

/* Where a rate's density and distribution bend, in deviations of its middle: the panels end there,
 * also for what is far sharper than the density itself. Beyond the last lies less than 1e-13. */
static const double BENDS[] = { -30,   -20,  -12,   -8, -6.5, -5.5, -4.5, -3.75, -3,
                                -2.25, -1.5, -0.75, 0,  0.75, 1.5,  2.25, 3,     3.75,
                                4.5,   5.5,  6.5,   8,  10,   13,   17,   22,    30 };
enum { BENDS_COUNT = sizeof BENDS / sizeof BENDS[0], ENDS_MAX = RATES_MAX * (BENDS_COUNT + 2) };

struct ends {
    double   at[ENDS_MAX]; /* ascending */
    uint32_t count;
};

static void end_add(struct ends *ends, double at)
{
    uint32_t i = ends->count++;
    for (; i > 0 && ends->at[i - 1] > at; i--)
        ends->at[i] = ends->at[i - 1];
    ends->at[i] = at;
}

/* Those of (rate - shift) / scale; also where there are no such rates any more. */
static void ends_add(struct ends *ends, const struct beta *beta, double shift, double scale)
{
    double all = beta->a + beta->b, mean = beta->a / all;
    double deviation = sqrt(mean * (1 - mean) / (all + 1));
    for (int i = 0; i < BENDS_COUNT; i++)
        end_add(ends, fmin(1, fmax(0, (mean + BENDS[i] * deviation - shift) / scale)));
    end_add(ends, fmin(1, fmax(0, -shift / scale)));
    end_add(ends, fmin(1, fmax(0, (1 - shift) / scale)));
}

static double integral(const struct beta *beta, const struct ends *ends, factor *of,
                       const void *context)
{
    double sum = 0;
    for (uint32_t panel = 1; panel < ends->count; panel++) {
        double half = (ends->at[panel] - ends->at[panel - 1]) / 2;
        double middle = ends->at[panel - 1] + half;
        for (int i = 0; i < POINTS && half > 0; i++) {
            double x = middle + (i % 2 == 0 ? NODES[i / 2] : -NODES[i / 2]) * half;
            sum += WEIGHTS[i / 2] * half * density(beta, x) * of(context, x);
        }
    }
    return sum < 0 ? 0 : sum > 1 ? 1 : sum;
}

struct others {
    const struct beta *betas;
    uint32_t           count, but;
};

static double all_below(const void *context, double x)
{
    const struct others *others = context;
    double               product = 1;
    for (uint32_t i = 0; i < others->count && product > 0; i++)
        product *= i == others->but ? 1 : below(&others->betas[i], x);
    return product;
}

double odds_rate(struct odds_count count)
{
    return (1 + (double)count.successes) / (2 + (double)count.of);
}

void odds_best(const struct odds_count *counts, uint32_t count, double *best)
{
    struct beta betas[RATES_MAX];
    struct ends ends = { .count = 0 };
    double      sum = 0;
    assert(count >= 1 && count <= RATES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        betas[i] = beta_of(counts[i]);
        ends_add(&ends, &betas[i], 0, 1);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct others others = { betas, count, i };
        best[i] = integral(&betas[i], &ends, all_below, &others);
        sum += best[i];
    }
    for (uint32_t i = 0; i < count; i++) /* what the sums leave over is rounding */
        best[i] /= sum;
}

double odds_above(struct odds_count a, struct odds_count b)
{
    double best[2];
    odds_best((struct odds_count[]){ a, b }, 2, best);
    return best[0];
}

/* ---- intervals ---- */

/* Two rates, and a bound of what is made of them. */
struct pair {
    struct beta a, b;
    double      bound;
    bool        is_ratio;
};

static double a_within(const void *context, double y)
{
    const struct pair *pair = context;
    return below(&pair->a, pair->is_ratio ? pair->bound * y : y + pair->bound);
}

static double pair_within(struct pair *pair, double bound)
{
    struct ends ends = { .count = 0 };
    pair->bound = bound;
    ends_add(&ends, &pair->b, 0, 1);
    if (!pair->is_ratio)
        ends_add(&ends, &pair->a, bound, 1);
    else
        ends_add(&ends, &pair->a, 0, bound);
    return integral(&pair->b, &ends, a_within, pair);
}

/* Where the distribution comes to `share`; it rises with the bound. */
static double pair_at(struct pair *pair, double share, double low, double high)
{
    for (int i = 0; i < HALVINGS && high - low > 1e-9 * fmax(1, fabs(high)); i++) {
        double middle = (low + high) / 2;
        if (pair_within(pair, middle) < share)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

struct odds_range odds_difference(struct odds_count a, struct odds_count b, double sure)
{
    struct pair pair = { beta_of(a), beta_of(b), 0, false };
    return (struct odds_range){ pair_at(&pair, 0.5, -1, 1), pair_at(&pair, (1 - sure) / 2, -1, 1),
                                pair_at(&pair, (1 + sure) / 2, -1, 1) };
}

/* The highest ratio worth halving from: by doubling, so that small ones are found exactly. */
static double ratio_at(struct pair *pair, double share)
{
    double high = 1;
    while (high < ODDS_LIFT_MAX && pair_within(pair, high) < share)
        high *= 2;
    return high >= ODDS_LIFT_MAX ? ODDS_LIFT_MAX : pair_at(pair, share, 0, high) - 1;
}

struct odds_range odds_lift(struct odds_count a, struct odds_count b, double sure)
{
    struct pair pair = { beta_of(a), beta_of(b), 0, true };
    return (struct odds_range){ ratio_at(&pair, 0.5), ratio_at(&pair, (1 - sure) / 2),
                                ratio_at(&pair, (1 + sure) / 2) };
}

static double beta_at(const struct beta *beta, double share)
{
    double low = 0, high = 1;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (low + high) / 2;
        if (below(beta, middle) < share)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

struct odds_range odds_of(struct odds_count count, double sure)
{
    struct beta beta = beta_of(count);
    return (struct odds_range){ beta_at(&beta, 0.5), beta_at(&beta, (1 - sure) / 2),
                                beta_at(&beta, (1 + sure) / 2) };
}
