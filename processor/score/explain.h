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

struct forecast {
    int tier; /* -1: none */
    int64_t time_ms;
};

/* The next change of each set if nothing happens any more: forecasts[0..sets-1]. The customer must be settled (due_ms right). */
int explain_forecast(const struct customer *customer, const struct model *model, struct forecast *forecasts) MUST_CHECK;

#endif
