/* A customer as lifetime value sees them.
 *
 * x counts purchase days over the whole life, also those that are only counted any more; the money of the repeat days is all
 * revenue less that of the first day of all. So refunds lower the mean, of whatever day their orders were, and the order in which
 * events arrive does not matter. */
#ifndef TIDEMARK_SCORE_CUSTOMER_VALUE_H
#define TIDEMARK_SCORE_CUSTOMER_VALUE_H

#include "score/customer.h"
#include "score/lifetime_value.h"

/* The history of a customer who has bought (first_purchase_ms is not TIME_NONE) as of now_ms, not before the last purchase.
 * Uses unit_ms and money_scale of the parameters. */
void customer_ltv_history(const struct customer *customer, const struct ltv_params *params, int64_t now_ms,
                          struct ltv_history *out);

/* Its parts, for who does not need all of them or has them already: x and t_x (the rest becomes 0); t alone; and mean_spend
 * alone, the dearest, as it sums up the tiles. */
void customer_ltv_purchases(const struct customer *customer, const struct ltv_params *params, struct ltv_history *out);
double customer_ltv_age(const struct customer *customer, const struct ltv_params *params, int64_t now_ms);
double customer_ltv_mean_spend(const struct customer *customer, const struct ltv_params *params);

#endif
