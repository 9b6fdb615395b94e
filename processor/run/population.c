#include "run/population.h"

#include "base/array.h"

#include <inttypes.h>
#include <stdlib.h>

enum { RANKS_FIRST = 256 };

int population_init(struct population *population, const struct model *model) {
    *population = (struct population){0};
    population->tiers_count = model_all_tiers_count(model);
    population->tiers = calloc(population->tiers_count + 1, sizeof *population->tiers);
    return population->tiers ? 0 : ERR_NO_MEMORY;
}

void population_finish(struct population *population) {
    free(population->tiers);
    free(population->ranks);
    *population = (struct population){0};
}

void population_clear(struct population *population) {
    memset(population->tiers, 0, population->tiers_count * sizeof *population->tiers);
    population->ranks_count = 0;
}

bool is_counted(const struct customer *customer, uint32_t counted_edition) {
    return customer->now_ms != TIME_NONE && customer->edition >= counted_edition;
}

void standing_of(const struct customer *customer, const struct model *model, uint32_t counted_edition,
                 struct standing *out) {
    size_t sets = model_sets_count(model);
    ASSERT(sets <= POPULATION_SETS_MAX);
    out->counted = is_counted(customer, counted_edition);
    for (size_t set = 0; set < sets; set++) {
        out->tiers[set] = out->counted ? customer->tiers[set].tier : (int16_t)-1;
    }
    for (size_t i = 0; i < customer->ranks_count; i++) {
        out->ranks[i] = out->counted ? customer->ranks[i] : RANK_NONE;
    }
}

static void add_rank(struct population *population, size_t ranked, int32_t bucket, int64_t delta) {
    if (bucket == RANK_NONE) {
        return;
    }
    population->ranks = array_grown(population->ranks, &population->ranks_capacity, population->ranks_count,
                                    sizeof *population->ranks, RANKS_FIRST);
    population->ranks[population->ranks_count++] = (struct rank_delta){bucket, (uint16_t)ranked, delta};
}

void population_move(struct population *population, const struct model *model, const struct standing *from,
                     const struct customer *customer) {
    int64_t *tiers = population->tiers;
    for (size_t set = 0; set < model_sets_count(model); set++) {
        int16_t to = customer->tiers[set].tier;
        if (to != from->tiers[set]) {
            if (from->tiers[set] >= 0) {
                tiers[from->tiers[set]]--;
            }
            if (to >= 0) {
                tiers[to]++;
            }
        }
        tiers += model_tiers_count(model, set);
    }
    for (size_t i = 0; i < customer->ranks_count; i++) {
        if (customer->ranks[i] != from->ranks[i]) {
            add_rank(population, i, from->ranks[i], -1);
            add_rank(population, i, customer->ranks[i], 1);
        }
    }
}

static int by_bucket(const void *a, const void *b) {
    const struct rank_delta *first = a;
    const struct rank_delta *second = b;
    return first->ranked != second->ranked ? (int)first->ranked - (int)second->ranked
                                           : (first->bucket > second->bucket) - (first->bucket < second->bucket);
}

static void put_ranks(struct population *population, const struct model *model, struct store *store,
                      struct buffer *scratch) {
    if (population->ranks_count == 0) {
        return;
    }
    qsort(population->ranks, population->ranks_count, sizeof *population->ranks, by_bucket);
    for (size_t i = 0; i < population->ranks_count;) {
        const struct rank_delta *first = &population->ranks[i];
        int64_t delta = 0;
        for (; i < population->ranks_count && by_bucket(first, &population->ranks[i]) == 0; i++) {
            delta += population->ranks[i].delta;
        }
        if (delta != 0) {
            buffer_reset(scratch);
            buffer_put_bytes(scratch, model_ranked_name(model, first->ranked));
            buffer_printf(scratch, "/%" PRId32, first->bucket);
            store->ops->add_histogram(store->context, buffer_bytes(scratch), delta);
        }
    }
}

void population_put(struct population *population, const struct model *model, struct store *store,
                    struct buffer *scratch) {
    const int64_t *deltas = population->tiers;
    for (size_t set = 0; set < model_sets_count(model); set++) {
        for (size_t tier = 0; tier < model_tiers_count(model, set); tier++, deltas++) {
            if (*deltas == 0) {
                continue;
            }
            buffer_reset(scratch);
            buffer_put_text(scratch, "tier/");
            buffer_put_bytes(scratch, model_set_name(model, set));
            buffer_put_byte(scratch, '/');
            buffer_put_bytes(scratch, model_tier_name(model, set, tier));
            store->ops->add_population(store->context, buffer_bytes(scratch), *deltas);
        }
    }
    put_ranks(population, model, store, scratch);
    ASSERT(!scratch->error);
}
