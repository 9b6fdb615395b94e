/* What an activity adds to a customer's state: sums of its day, first and last times. The rules are not looked at here. */
#ifndef TIDEMARK_SCORE_ADD_ACTIVITY_H
#define TIDEMARK_SCORE_ADD_ACTIVITY_H

#include "score/customer.h"

/* Adds the activity to its day (a refund: to its order's), with now_ms as it already stands. True when that day is before
 * every window. */
bool add_activity(struct customer *customer, const struct model *model, const struct activity *activity);

#endif
