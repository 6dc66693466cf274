/*
 * odds: what counts of successes let us believe, and how sure that is.
 *
 * A rate that nobody knows beforehand is as likely any as another; after s successes of n it is
 * Beta(1 + s, 1 + n - s) (Laplace's rule; Gelman et al., Bayesian Data Analysis, 3rd ed., 2.4).
 * From that follow, for two rates or several,
 *
 *      odds_best        how likely each is the highest      integral of f_i times all other F
 *      odds_difference  a - b, with an interval             P(a - b <= d): integral of f_b F_a(y+d)
 *      odds_lift        a / b - 1, likewise                 P(a <= r b):   integral of f_b F_a(r y)
 *
 * f is the density, F the distribution: the incomplete beta function by its continued fraction
 * (DLMF 8.17.22, by Lentz's method). The integrals are sums over panels of eight points each
 * (Gauss and Legendre) that end where any of the functions bends; ends of intervals are found by
 * halving. No random numbers: the same counts give the same answer. As Stucchio, "Bayesian A/B
 * Testing at VWO" (2015), computes it; the tests compare with the closed forms for whole numbers
 * (Miller, "Formulas for Bayesian A/B Testing").
 *
 * Always true   odds_best adds up to 1 (to 1e-6). An interval of 0.95 leaves 2.5 percent out at
 *               either end.
 * Knows not     when it is asked. Who looks every hour and stops at the first good answer is wrong
 *               more often than it says: ask once, at a time that was settled before.
 * Cost          some ms for each pair and for eight rates.
 */
#ifndef DULT_ENGINE_ODDS_H
#define DULT_ENGINE_ODDS_H

#include <stdbool.h>
#include <stdint.h>

struct odds_count {
    uint64_t of, successes; /* successes <= of <= 2^30 */
};

struct odds_range {
    double middle, low, high; /* middle: the median */
};

double odds_rate(struct odds_count count); /* the mean of what is believed: (1 + s) / (2 + n) */
/* Of 2..8 rates. */
void odds_best(const struct odds_count *counts, uint32_t count, double *best);
/* How likely is a above b? */
double odds_above(struct odds_count a, struct odds_count b);
/* `sure`: 0.95 for an interval that holds with so much. */
struct odds_range odds_of(struct odds_count count, double sure);
struct odds_range odds_difference(struct odds_count a, struct odds_count b, double sure);
/* a / b - 1; low and high are at most ODDS_LIFT_MAX, where b may be nothing. */
struct odds_range odds_lift(struct odds_count a, struct odds_count b, double sure);

#define ODDS_LIFT_MAX 1e6

#endif
