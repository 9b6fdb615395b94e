/* How many purchases will a customer make who is alive now? The hard part of ltv_expected_purchases.
 *
 * Such a customer buys with a rate lambda ~ Gamma(shape, alpha + t) and leaves after each purchase with a chance
 * p ~ Beta(leave, stay). Within a time h, and with w = h / (alpha + t), they make on average
 *     M(w) = E[(1 - (1 + p w)^-shape) / p] = c / (leave - 1) * (1 - 2F1(shape, leave - 1; c; -w)),  c = leave + stay - 1
 * (the papers' formula after Pfaff's transformation). As it is written, it is 0/0 at leave = 1 and loses every digit beside it
 * and for small w. Here it is a sum without subtractions instead, good to 12 digits or more for every w. */
#ifndef TIDEMARK_SCORE_LTV_EXPECTED_H
#define TIDEMARK_SCORE_LTV_EXPECTED_H

#include <stdbool.h>

struct ltv_alive {
    double shape;
    double leave;
    double stay;
};

enum { LTV_LANES = 8 };

/* M for LTV_LANES ascending values of w >= 0: eight cost about as much as two. */
void ltv_alive_purchases(const struct ltv_alive *alive, const double w[LTV_LANES], double purchases[LTV_LANES]);

/* The two ways to M, for tests. The series answers false where it would take too long; the quadrature always ends. */
bool ltv_alive_series(const struct ltv_alive *alive, const double w[LTV_LANES], double purchases[LTV_LANES]);
double ltv_alive_quadrature(const struct ltv_alive *alive, double w);

#endif
