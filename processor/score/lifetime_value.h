/* Lifetime value: is this customer still one, how often will they buy again, and what is that worth?
 *
 *     struct ltv_history history = {.x = 2, .t_x = 30.43, .t = 38.86, .mean_spend = 22.35};
 *     ltv_p_alive(&params, &history)                    0.7062: the chance that they will ever come back
 *     ltv_expected_purchases(&params, &history, 52)     in the next 52 units
 *     ltv_clv(&params, &history, 52, 0.1)               the same in money, discounted by 10 % a year
 *
 * Two models of "buy till you die". Alive, a customer buys at random with a rate lambda of their own, Gamma(r, alpha)
 * distributed among customers, and after a purchase leaves for ever with a chance p of their own, Beta(a, b) distributed.
 *   BG/NBD: may leave after each repeat purchase. P. Fader, B. Hardie, K. L. Lee, "Counting Your Customers" the Easy Way,
 *       Marketing Science 24 (2005). A customer who has bought once is alive with chance 1, however long ago that was.
 *   MBG/NBD: may leave after the first purchase, too. E. Batislam, M. Denizel, A. Filiztekin, Int. J. of Research in
 *       Marketing 24 (2007); U. Wagner, D. Hoppe, Int. J. of Research in Marketing 25 (2008). The one for churn risk.
 * What a purchase is worth: Gamma-Gamma, P. Fader, B. Hardie, "The Gamma-Gamma Model of Monetary Value", note 025 (2013).
 *
 * Time is counted in units of params.unit_ms from the first purchase. Purchases of one day count as one: x is the number of
 * distinct purchase days less one. Nothing here allocates, and with valid parameters no result is a NAN. */
#ifndef TIDEMARK_SCORE_LIFETIME_VALUE_H
#define TIDEMARK_SCORE_LIFETIME_VALUE_H

#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

enum ltv_model { LTV_MBG_NBD, LTV_BG_NBD };

struct ltv_params {
    enum ltv_model model;
    double r, alpha;    /* Gamma of the purchase rates: shape, and rate in units */
    double a, b;        /* Beta of the chances to leave */
    double p, q, v;     /* Gamma-Gamma; v in major units of the base currency; q > 1, else the mean is infinite */
    double unit_ms;     /* one unit of time: 604800000 for weeks */
    double money_scale; /* minor units per major unit: 100 for EUR. For whoever makes a history of a customer */
    double discount;    /* a year; what to give to ltv_clv */
};

/* All that the models want to know of a customer. 0 <= t_x <= t. */
struct ltv_history {
    double x;          /* repeat purchases: distinct purchase days less one */
    double t_x;        /* first to last purchase, in units */
    double t;          /* first purchase to now, in units */
    double mean_spend; /* mean of the repeat days' money, major units; 0 where there is none */
};

enum {
    /* The longest sum of discounted periods: ten years of days, 2 ms. A horizon of more units is cut in so many equal periods. */
    LTV_PERIODS_MAX = 3660,
};

/* True if every function below is defined: r, alpha, a, b, p, v and unit_ms positive and q above 1, all finite. */
bool ltv_params_are_valid(const struct ltv_params *params);

/* The time between two instants in units. Histories are made with it, so that everybody computes the same number. */
static inline double ltv_units(const struct ltv_params *params, int64_t from_ms, int64_t to_ms) {
    return (double)(to_ms - from_ms) / params->unit_ms;
}

/* The chance that the customer has not left: 0..1. With weight = a / (b + x) for MBG/NBD, a / (b + x - 1) for BG/NBD:
 *     1 / (1 + weight * ((alpha + t) / (alpha + t_x)) ^ (r + x));    BG/NBD and x = 0: 1 */
double ltv_p_alive(const struct ltv_params *params, const struct ltv_history *history);

/* When P(alive) falls if nothing is bought: the first millisecond, from the last purchase on, at which ltv_p_alive with
 * t = ltv_units(params, first_purchase_ms, millisecond) is less than `level` (or_equal: at most `level`). Exact: the
 * millisecond before, the very same function is not. TIME_NEVER if that does not happen within 30,000 years. history->t is
 * not looked at. */
int64_t ltv_p_alive_falls_ms(const struct ltv_params *params, const struct ltv_history *history,
                             int64_t first_purchase_ms, double level, bool or_equal);

/* Purchases (days with one) expected within `horizon` units from now; 0 for a horizon that is not positive. */
double ltv_expected_purchases(const struct ltv_params *params, const struct ltv_history *history, double horizon);

/* Repeat purchases expected of a new customer, of whom nothing is known, within t units of the first. */
double ltv_expected_repeats(const struct ltv_params *params, double t);

/* The chance that a new customer makes exactly n repeat purchases within t units of the first. */
double ltv_repeats_probability(const struct ltv_params *params, double t, uint32_t n);

/* The money expected of each further purchase (Gamma-Gamma): p (v + x m) / (p x + q - 1), m being mean_spend (at least 0:
 * refunds may outweigh). Without repeat purchases: the mean of all customers, p v / (q - 1). */
double ltv_mean_spend(const struct ltv_params *params, const struct ltv_history *history);

/* Revenue expected within `horizon` units from now, as it is worth today, at `yearly_discount` (0.1: 10 % a year):
 *     mean_spend * sum for k = 1 .. n of (E(min(k, horizon)) - E(k - 1)) * (1 + yearly_discount) ^ -(k * unit_ms / 365 d)
 * E is ltv_expected_purchases, n = ceil(horizon): periods of one unit, each discounted for its whole length (the last one, too,
 * where it is a part of one), as `lifetimes` does by months. For more than LTV_PERIODS_MAX units the unit in this formula is
 * horizon / LTV_PERIODS_MAX. Revenue, not profit: nothing is known of margins. */
double ltv_clv(const struct ltv_params *params, const struct ltv_history *history, double horizon,
               double yearly_discount);

#endif
