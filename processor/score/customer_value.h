/* A customer as lifetime value sees them. */
#ifndef TIDEMARK_SCORE_CUSTOMER_VALUE_H
#define TIDEMARK_SCORE_CUSTOMER_VALUE_H

#include "score/customer.h"
#include "score/lifetime_value.h"

/* The history of a customer who has bought (first_purchase_ms is not TIME_NONE) as of now_ms, not before the last purchase.
 * Uses unit_ms and money_scale of the parameters. */
void customer_ltv_history(const struct customer *customer, const struct ltv_params *params, int64_t now_ms,
                          struct ltv_history *out);

#endif
