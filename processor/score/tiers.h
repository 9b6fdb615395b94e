/* Tiers: which tier of a set fits a customer now, and when a change takes effect (hold, grace, one step). */
#ifndef TIDEMARK_SCORE_TIERS_H
#define TIDEMARK_SCORE_TIERS_H

#include "score/evaluate.h"

/* The first tier, best first, whose rule holds: `enter`, but `stay` for the tier `present` (-1: none). */
int tier_fitting(struct evaluation *evaluation, const struct tier_set *set, int present);

/* Applies the rules of one set at the evaluation's instant: moves the state's pending fall, and returns the tier the customer
 * is in from now on. The caller records the change if it differs from state->tier. */
int tier_decide(struct evaluation *evaluation, const struct tier_set *set, struct tier_state *state);

/* Enters a tier now: since, sequence, tag; after a fall by one step that does not fit yet, the next fall is pending. */
void tier_enter(struct evaluation *evaluation, const struct tier_set *set, struct tier_state *state, int tier);

#endif
