/* A step: moving a customer to one of its due instants. Shared by apply.c (live) and explain.c (looking ahead). */
#ifndef TIDEMARK_SCORE_STEP_H
#define TIDEMARK_SCORE_STEP_H

#include "score/customer.h"

/* Evaluates the customer at one instant (not before now_ms) without recording changes, and finds its next due instant. */
void step_to(struct customer *customer, const struct model *model, int64_t at_ms);

#endif
