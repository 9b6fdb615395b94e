#include "score/ltv_likelihood.h"

#include <math.h>

/* lgamma would also write the global signgam. */
static double log_gamma(double value) {
    int sign;
    return lgamma_r(value, &sign);
}

/* The part that depends on x alone: Gamma(r + x) / Gamma(r) alpha^r * B(a, b + chances) / B(a, b), chances being how many times
 * the customer stayed after a purchase if they are still alive. */
static double log_of_count(const struct ltv_params *params, double x, double chances) {
    double both = params->a + params->b;
    return log_gamma(params->r + x) - log_gamma(params->r) + params->r * log(params->alpha) + log_gamma(both) -
           log_gamma(both + chances) + log_gamma(params->b + chances) - log_gamma(params->b);
}

/* Times a sum over both ways in which it may have come: alive until t, (alpha + t)^-(r + x), or gone with the last purchase,
 * a / (b + chances - 1) * (alpha + t_x)^-(r + x). */
double ltv_purchases_log_likelihood(const struct ltv_params *params, const struct ltv_history *histories,
                                    size_t count) {
    double sum = 0, x = -1, of_count = 0, log_odds = 0;
    for (size_t i = 0; i < count; i++) {
        const struct ltv_history *history = &histories[i];
        if (history->x != x) {
            x = history->x;
            double chances = params->model == LTV_BG_NBD ? x : x + 1;
            of_count = log_of_count(params, x, chances);
            log_odds = chances > 0 ? log(params->a / (params->b + chances - 1)) : -HUGE_VAL;
        }
        double alive = -(params->r + x) * log(params->alpha + history->t);
        double gone = log_odds - (params->r + x) * log(params->alpha + history->t_x);
        sum += of_count + fmax(alive, gone) + log1p(exp(-fabs(alive - gone)));
    }
    return sum;
}

bool ltv_history_spends(const struct ltv_history *history) {
    return history->x > 0 && history->mean_spend > 0;
}

double ltv_spend_log_likelihood(const struct ltv_params *params, const struct ltv_history *histories, size_t count) {
    double sum = 0, x = -1, of_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct ltv_history *history = &histories[i];
        if (!ltv_history_spends(history)) {
            continue;
        }
        double shape = params->p * history->x;
        if (history->x != x) {
            x = history->x;
            of_count = log_gamma(shape + params->q) - log_gamma(shape) - log_gamma(params->q) +
                       params->q * log(params->v) + shape * log(x);
        }
        sum += of_count + (shape - 1) * log(history->mean_spend) -
               (shape + params->q) * log(params->v + x * history->mean_spend);
    }
    return sum;
}
