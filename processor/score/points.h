/* Points: what events earn, and what refunds take back. Kept in thousandths in the tiles, so that they have windows. */
#ifndef TIDEMARK_SCORE_POINTS_H
#define TIDEMARK_SCORE_POINTS_H

#include "score/customer.h"

enum { POINTS_SCALE = 1000 };

/* Adds what the activity earns to event_day, and takes what a reversal takes from order_day; both are days of tiles, or
 * DAY_RESIDUE. The customer is in the tiers it had before, and the activity is not in the tiles yet. */
void points_add(struct customer *customer, const struct model *model, const struct activity *activity,
                int32_t event_day, int32_t order_day);

#endif
