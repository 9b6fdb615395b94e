/* What customers are worth, counted one by one: what they have spent so far, by tier, and of those who do not alert yet by the
 * day on which they will, if nothing happens: the value at risk of the coming weeks.
 *
 * Tiers are counted as they are stored, as populations are; nobody is moved ahead of the clock of its task. */
#ifndef TIDEMARK_RUN_VALUE_COUNT_H
#define TIDEMARK_RUN_VALUE_COUNT_H

#include "run/overview.h"
#include "score/customer.h"

struct value_count {
    const struct zone *zone;
    int64_t as_of_ms;
    int32_t today;
    int64_t until_ms; /* the end of the last day */
    struct valued all;
    struct valued alerting;
    struct valued days[VALUE_DAYS_MAX];
    struct valued tiers[]; /* by the model's tiers, sets one after the other */
};

/* NULL without memory. The zone is borrowed. */
struct value_count *value_count_create(const struct model *model, const struct zone *zone, int64_t as_of_ms);
/* Counts a customer, who is brought to the model's edition. */
int value_count_add(struct value_count *count, const struct model *model, struct customer *customer) MUST_CHECK;
void value_count_destroy(struct value_count *count);

#endif
