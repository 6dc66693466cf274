/* The integrals beside closed forms: sums for whole numbers, and rates of which nothing is known.
 */
#include "engine/experiment/odds.h"

#include <math.h>

#include "base/test.h"

static void near(double is, double wanted, double by)
{
    if (!(fabs(is - wanted) <= by))
        print_error("%.12g is not %.12g\n", is, wanted);
    assert_true(fabs(is - wanted) <= by);
}

/* P(B > A) for Beta(a1, b1) and Beta(a2, b2), as Miller sums it. */
static double naive_above(struct odds_count b, struct odds_count a)
{
    double a1 = 1 + (double)a.successes, b1 = 1 + (double)(a.of - a.successes);
    double a2 = 1 + (double)b.successes, b2 = 1 + (double)(b.of - b.successes), sum = 0;
    for (double i = 0; i < a2; i++)
        sum += exp(lgamma(a1 + i) + lgamma(b1 + b2) - lgamma(a1 + i + b1 + b2) - log(b2 + i) -
                   (lgamma(1 + i) + lgamma(b2) - lgamma(1 + i + b2)) -
                   (lgamma(a1) + lgamma(b1) - lgamma(a1 + b1)));
    return sum;
}

/* P(rate <= x) for whole numbers: at least a of a + b - 1 throws at x. */
static double naive_below(struct odds_count c, double x)
{
    double a = 1 + (double)c.successes, n = 1 + (double)c.of, sum = 0;
    for (double k = a; k <= n; k++)
        sum += exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(x) +
                   (n - k) * log1p(-x));
    return sum;
}

TEST(odds, which_of_two_is_above_is_what_the_closed_form_says)
{
    static const struct odds_count counts[] = { { 0, 0 },      { 1, 0 },       { 1, 1 },
                                                { 10, 3 },     { 10, 10 },     { 50, 1 },
                                                { 400, 31 },   { 400, 45 },    { 3000, 2900 },
                                                { 20000, 41 }, { 20000, 9000 } };
    enum { COUNTS = sizeof counts / sizeof counts[0] };
    for (int i = 0; i < COUNTS; i++)
        for (int k = 0; k < COUNTS; k++)
            near(odds_above(counts[i], counts[k]), naive_above(counts[i], counts[k]), 1e-8);
}

TEST(odds, one_known_by_heart)
{
    /* 1 of 1 beside 0 of 1: Beta(2,1) and Beta(1,2): 1 - P = integral 2x(1-x)^2... = 5/6. */
    near(odds_above((struct odds_count){ 1, 1 }, (struct odds_count){ 1, 0 }), 5.0 / 6, 1e-10);
    near(odds_rate((struct odds_count){ 8, 3 }), 0.4, 1e-15);
}

TEST(odds, of_those_that_are_alike_none_is_best)
{
    struct odds_count same[8];
    double            best[8];
    for (uint32_t n = 2; n <= 8; n++) {
        for (uint32_t i = 0; i < n; i++)
            same[i] = (struct odds_count){ 100 * n, 7 * n };
        odds_best(same, n, best);
        for (uint32_t i = 0; i < n; i++)
            near(best[i], 1.0 / n, 1e-9);
    }
}

/* Three rates, of two nothing is known but one throw: P(third highest) as a sum of simple parts. */
TEST(odds, the_best_of_three_is_what_a_polynomial_says)
{
    /* F of 0/0 is x, of 1/1 x^2, of 0/1 1-(1-x)^2; f their derivatives. */
    const struct odds_count counts[3] = { { 0, 0 }, { 1, 1 }, { 1, 0 } };
    double                  best[3];
    odds_best(counts, 3, best);
    near(best[0], 2.0 / 4 - 1.0 / 5, 1e-10);       /* int x^2 (2x - x^2) */
    near(best[1], 2 * (2.0 / 4 - 1.0 / 5), 1e-10); /* int 2x x (2x - x^2) */
    near(best[2], 2 * (1.0 / 4 - 1.0 / 5), 1e-10); /* int (2 - 2x) x x^2 */
    near(best[0] + best[1] + best[2], 1, 1e-12);
}

TEST(odds, an_interval_of_one_rate_leaves_out_as_much_at_either_end)
{
    static const struct odds_count counts[] = { { 0, 0 }, { 5, 0 }, { 40, 13 }, { 900, 899 } };
    for (int i = 0; i < 4; i++) {
        struct odds_range range = odds_of(counts[i], 0.9);
        near(naive_below(counts[i], range.low), 0.05, 1e-9);
        near(naive_below(counts[i], range.middle), 0.5, 1e-9);
        near(naive_below(counts[i], range.high), 0.95, 1e-9);
    }
}

TEST(odds, the_difference_of_two_unknown_rates_is_a_triangle)
{
    struct odds_count none = { 0, 0 };
    struct odds_range range = odds_difference(none, none, 0.95);
    near(range.middle, 0, 1e-7);
    near(range.high, 1 - sqrt(0.05), 1e-7);
    near(range.low, sqrt(0.05) - 1, 1e-7);
}

TEST(odds, the_ratio_of_two_unknown_rates_is_known)
{
    /* P(a <= r b) is r / 2 up to 1, and 1 - 1 / (2 r) from there on. */
    struct odds_count none = { 0, 0 };
    struct odds_range range = odds_lift(none, none, 0.9);
    near(range.low, 0.1 - 1, 1e-6);
    near(range.middle, 0, 1e-6);
    near(range.high, 10 - 1, 1e-5);
}

TEST(odds, much_is_known_of_large_counts)
{
    /* As the normal distribution has it: 0.11 - 0.10, deviation sqrt(.11*.89/1e5 + .10*.90/1e5). */
    struct odds_count a = { 100000, 11000 }, b = { 100000, 10000 };
    struct odds_range range = odds_difference(a, b, 0.95);
    double            deviation = sqrt(0.11 * 0.89 / 1e5 + 0.10 * 0.90 / 1e5);
    near(range.middle, 0.01, 1e-5);
    near(range.low, 0.01 - 1.959964 * deviation, 1e-5);
    near(range.high, 0.01 + 1.959964 * deviation, 1e-5);
    range = odds_lift(a, b, 0.95);
    near(range.middle, 0.1, 1e-3);
    assert_true(range.low > 0.05 && range.high < 0.15);
    near(odds_above(a, b), 1, 1e-9);
}

TEST(odds, where_nothing_is_known_of_either_nothing_is_said)
{
    struct odds_count few = { 3, 0 }, none = { 0, 0 };
    struct odds_range range = odds_lift(few, none, 0.95);
    assert_true(range.low < -0.9 && range.high > 1);
    near(odds_above(none, none), 0.5, 1e-12);
    range = odds_lift((struct odds_count){ 1000, 900 }, (struct odds_count){ 1000000, 0 }, 0.95);
    assert_true(range.low > 1000 && range.high <= ODDS_LIFT_MAX);
}

TEST(odds, a_million_of_each_is_no_trouble)
{
    struct odds_count counts[3] = { { 1000000, 200000 }, { 1000000, 200300 }, { 1000000, 0 } };
    double            best[3];
    odds_best(counts, 3, best);
    near(best[2], 0, 1e-12);
    /* 0.0003 is 0.53 deviations of the difference: 0.702 of the normal distribution. */
    near(best[1], 0.7020, 2e-3);
}

TEST(odds, the_largest_counts_have_a_middle)
{
    const uint64_t    most = UINT64_C(1) << 30;
    struct odds_range range = odds_of((struct odds_count){ most, most / 2 }, 0.9);
    double            deviation = 0.5 / sqrt((double)most);
    near(range.middle, 0.5, deviation / 1000);
    near(range.low, 0.5 - 1.644854 * deviation, deviation / 1000);
    near(range.high, 0.5 + 1.644854 * deviation, deviation / 1000);
}
