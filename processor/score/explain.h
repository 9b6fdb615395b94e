/* Explaining: the conditions behind a tier, the values behind the conditions, and what will happen if nothing happens. */
#ifndef TIDEMARK_SCORE_EXPLAIN_H
#define TIDEMARK_SCORE_EXPLAIN_H

#include "score/evaluate.h"

/* Appends the comparisons of a rule as they stand, in the arena. NULL rules and rules without comparisons add nothing. */
int explain_rules(struct evaluation *evaluation, const struct rule *const *rules, size_t rules_count,
                  struct arena *arena, const struct condition **out, size_t *count) MUST_CHECK;

/* Values of every score and metric that the set's rules use. */
int explain_metrics(struct evaluation *evaluation, const struct tier_set *set, struct arena *arena,
                    const struct named_value **out, size_t *count) MUST_CHECK;

/* Values of every score and every metric of the model. */
int explain_values(struct evaluation *evaluation, struct arena *arena, struct customer_values *out) MUST_CHECK;

/* The comparisons that decide a change from one tier (-1: none) to another, as they stand: for a fall first what the left tier
 * asked, then what the entered tier asks. */
int explain_change(struct evaluation *evaluation, const struct tier_set *set, int from, int to, struct arena *arena,
                   const struct condition **out, size_t *count) MUST_CHECK;

struct forecast {
    int tier; /* -1: none */
    int64_t time_ms;
    const struct condition *conditions; /* that will decide, as they will stand */
    size_t conditions_count;
};

enum { FORECAST_STEPS_MAX = 4096 /* steps looked ahead; days leaving windows are a few hundred at most */ };

/* The next change of each set wanted (as bits) if nothing happens any more: forecasts[0..sets-1], of others tier -1. By whole
 * evaluations, so it is right for any customer, and slow: see outlook.h. The customer must have been evaluated at now_ms.
 * Conditions only with an arena. */
int explain_forecast(const struct customer *customer, const struct model *model, uint64_t wanted, struct arena *arena,
                     struct forecast *forecasts) MUST_CHECK;

/* When the customer, if nothing happens any more, first stands in a tier that alerts, of any set: now_ms if it does so already;
 * TIME_NEVER: not up to until_ms, or not within FORECAST_STEPS_MAX. Every change on the way there counts, not only the next. By
 * whole evaluations, as above. */
int explain_alert(const struct customer *customer, const struct model *model, int64_t until_ms,
                  int64_t *alert_ms) MUST_CHECK;

#endif
