/* Open alerts of one task: customers who stand in a tier whose treatment has the label `alert`, with what is at risk of being
 * lost with them: what they have spent so far. The store keeps them in an order, worst first, so that telling the worst is no
 * more work when there are many; each is there exactly while the customer stands in the tier, by the same batch.
 *
 * What is at risk changes only with events, never with time; so what is kept is always right. */
#ifndef TIDEMARK_RUN_ALERTS_H
#define TIDEMARK_RUN_ALERTS_H

#include "run/population.h"
#include "score/customer.h"
#include "state/store.h"

struct alerts; /* which tiers of a model alert */

/* NULL without memory. The model is borrowed. */
struct alerts *alerts_create(const struct model *model);
/* Accepts NULL. */
void alerts_destroy(struct alerts *alerts);

/* Whether a tier (-1: none) of a set alerts. */
bool alerts_has(const struct alerts *alerts, size_t set, int tier);
/* The customer has moved from there to where it stands now: alerts that it has left are closed. */
void alerts_move(const struct alerts *alerts, struct store *store, struct bytes id, const struct standing *from,
                 const struct customer *customer);
/* The customer, which is counted (population.h), is written: its open alerts are, too. */
void alerts_put(const struct alerts *alerts, struct store *store, struct bytes id, const struct customer *customer);

#endif
