/* Populations: how many customers stand in each tier, and in each bucket of a ranked score's histogram, kept exactly by taking a
 * customer out of where it stood and putting it where it stands. Changes are added up within a batch. */
#ifndef TIDEMARK_RUN_POPULATION_H
#define TIDEMARK_RUN_POPULATION_H

#include "score/customer.h"
#include "state/store.h"

enum { POPULATION_SETS_MAX = 64 };

/* Where a customer stands. */
struct standing {
    bool counted; /* false: a new customer, or one from before the populations were begun anew */
    int16_t tiers[POPULATION_SETS_MAX];
    int32_t ranks[RANKED_SCORES_MAX];
};

struct rank_delta {
    int32_t bucket;
    uint16_t ranked;
    int64_t delta;
};

struct population { /* of one batch */
    int64_t *tiers; /* deltas by model tier, sets one after the other */
    size_t tiers_count;
    struct rank_delta *ranks;
    size_t ranks_count;
    size_t ranks_capacity;
};

int population_init(struct population *population, const struct model *model) MUST_CHECK;
void population_finish(struct population *population);
void population_clear(struct population *population);

/* Whether the tiers that the customer has are of the rules by which the populations are counted, not of former ones;
 * counted_edition: of the task (store_meta). */
bool is_counted(const struct customer *customer, uint32_t counted_edition);
/* Notes where the customer stands. */
void standing_of(const struct customer *customer, const struct model *model, uint32_t counted_edition,
                 struct standing *out);
/* The customer has moved from there to where it stands now. */
void population_move(struct population *population, const struct model *model, const struct standing *from,
                     const struct customer *customer);
/* Puts all deltas into the store's next batch. scratch: any buffer. */
void population_put(struct population *population, const struct model *model, struct store *store,
                    struct buffer *scratch);

#endif
