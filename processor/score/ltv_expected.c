#include "score/ltv_expected.h"

#include <math.h>

enum {
    TERMS_MAX = 4096,         /* beyond it the quadrature is quicker */
    NODES_MAX = 4096,         /* of one side of the quadrature; 400 are usual */
    NODES_PER_UNIT = 64,      /* their density: the error is beyond 14 digits for w up to 1e12 */
    LOG_SUM_MAX = 600,        /* the series' terms stay below e^600: no overflow */
    TERMS_BETWEEN_CHECKS = 8, /* of whether the rest still matters */
};

/* Let N be the number of purchases in the time if the customer never left: negative binomial with this shape and
 * z = w / (1 + w). Purchase k + 1 really happens if they stayed after each of the k before it, with chance
 * E[(1 - p)^k] = (stay)_k / (leave + stay)_k. So
 *     M = sum over n of P(N = n) * S_n,   S_n = sum for k < n of (stay)_k / (leave + stay)_k,
 * all terms positive. The P(N = n) are summed, too, and divided by: so their common factor (1 - z)^shape is never needed, and
 * rounding errors of the terms cancel. */
bool ltv_alive_series(const struct ltv_alive *alive, const double w[LTV_LANES], double purchases[LTV_LANES]) {
    double z[LTV_LANES], term[LTV_LANES], total[LTV_LANES], sum[LTV_LANES];
    double z_last = w[LTV_LANES - 1] / (1 + w[LTV_LANES - 1]);
    double stayed = 1, made = 0;
    /* The last terms fall by z each: e^-40 takes 40 (1 + w) of them. */
    if (!(40 * w[LTV_LANES - 1] < TERMS_MAX) || alive->shape * log1p(w[LTV_LANES - 1]) > LOG_SUM_MAX) {
        return false;
    }
    for (int lane = 0; lane < LTV_LANES; lane++) {
        z[lane] = w[lane] / (1 + w[lane]);
        term[lane] = 1;
        total[lane] = 1;
        sum[lane] = 0;
    }
    for (int n = 0; n < TERMS_MAX; n++) {
        double ratio = (alive->shape + n) / (n + 1);
        made += stayed;
        stayed *= (alive->stay + n) / (alive->leave + alive->stay + n);
        for (int lane = 0; lane < LTV_LANES; lane++) {
            term[lane] *= z[lane] * ratio;
            total[lane] += term[lane];
            sum[lane] += term[lane] * made;
        }
        if (n % TERMS_BETWEEN_CHECKS == 0) {
            /* The largest w converges last; behind here its terms fall at least as fast as a geometric series. */
            double falls = z_last * fmax((alive->shape + n + 1) / (n + 2), 1);
            double rest = falls < 1 ? falls / (1 - falls) * (made + 1 / (1 - falls)) : HUGE_VAL;
            if (term[LTV_LANES - 1] * rest <= 1e-17 * sum[LTV_LANES - 1]) {
                for (int lane = 0; lane < LTV_LANES; lane++) {
                    purchases[lane] = sum[lane] / total[lane];
                }
                return true;
            }
        }
    }
    return false;
}

/* (1 - (1 + p w)^-shape) / p */
static double purchases_given(double shape, double p, double w) {
    double y = p * w;
    return y > 1e-300 ? w * (-expm1(-shape * log1p(y)) / y) : w * shape;
}

/* The integral over p by the trapezoidal rule in v, where logit(p) = logit(mode) + scale * sinh(v): smooth, and falling doubly
 * exponentially at both ends whatever leave and stay are, so that the rule converges exponentially (Takahasi, Mori 1974).
 * Divided by the same sum of the weights alone, which is the Beta function. */
double ltv_alive_quadrature(const struct ltv_alive *alive, double w) {
    double both = alive->leave + alive->stay;
    double centre = log(alive->leave / alive->stay);
    double scale = fmin(sqrt(1 / alive->leave + 1 / alive->stay), 1);
    double top = alive->leave * log(alive->leave / both) + alive->stay * log(alive->stay / both);
    double weights = 0, sum = 0;
    for (int side = 1; side >= -1; side -= 2) {
        for (int node = side > 0 ? 0 : 1; node < NODES_MAX; node++) {
            double v = (double)(side * node) / NODES_PER_UNIT;
            double logit = centre + scale * sinh(v);
            double log_p = logit > 0 ? -log1p(exp(-logit)) : logit - log1p(exp(logit));
            double log_not_p = log_p - logit;
            double weight = exp(alive->leave * log_p + alive->stay * log_not_p - top) * cosh(v);
            double part = weight * purchases_given(alive->shape, exp(log_p), w);
            weights += weight;
            sum += part;
            if (weight <= 1e-20 * weights && part <= 1e-20 * sum) {
                break;
            }
        }
    }
    return sum / weights;
}

void ltv_alive_purchases(const struct ltv_alive *alive, const double w[LTV_LANES], double purchases[LTV_LANES]) {
    if (!ltv_alive_series(alive, w, purchases)) {
        for (int lane = 0; lane < LTV_LANES; lane++) {
            purchases[lane] = ltv_alive_quadrature(alive, w[lane]);
        }
    }
}
