/* Steps: moving a customer through its due instants. Shared by apply.c (live) and explain.c (looking ahead). */
#ifndef TIDEMARK_SCORE_STEP_H
#define TIDEMARK_SCORE_STEP_H

#include "score/customer.h"

/* Evaluates the customer at one instant (not before now_ms) without recording changes, and finds its next due instant. */
void step_to(struct customer *customer, const struct model *model, int64_t at_ms);
/* Evaluates every due instant up to until_ms, in order; changes may be NULL. */
void step_through(struct customer *customer, const struct model *model, int64_t until_ms, struct changes *changes);

#endif
