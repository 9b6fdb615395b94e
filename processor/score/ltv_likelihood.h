/* How likely are these histories under these parameters? What `tidemark fit` maximises. */
#ifndef TIDEMARK_SCORE_LTV_LIKELIHOOD_H
#define TIDEMARK_SCORE_LTV_LIKELIHOOD_H

#include "score/lifetime_value.h"

#include <stddef.h>

/* The log-likelihood of x, t_x and t under the model's r, alpha, a, b (Fader, Hardie, Lee 2005, equation 6; MBG/NBD: Batislam
 * et al. 2007). Quickest when the histories are sorted by x. */
double ltv_purchases_log_likelihood(const struct ltv_params *params, const struct ltv_history *histories, size_t count);

/* True if the history says something of what a customer spends: repeat purchases, and more than nothing paid for them. */
bool ltv_history_spends(const struct ltv_history *history);

/* The log-likelihood of mean_spend, given x, under p, q, v (note 025, equation 1a), of the histories that spend. */
double ltv_spend_log_likelihood(const struct ltv_params *params, const struct ltv_history *histories, size_t count);

#endif
