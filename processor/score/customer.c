#include "score/customer.h"

#include "score/model_parts.h"

#include <stdlib.h>

struct customer *customer_create(const struct model *model) {
    struct customer *customer =
        calloc(1, sizeof *customer + model->sets_count * sizeof *customer->tiers +
                      model->dedupe * sizeof *customer->recent + model->ranked_count * sizeof *customer->ranks);
    if (!customer) {
        return NULL;
    }
    customer->now_ms = TIME_NONE;
    customer->wake_ms = customer->armed_ms = TIME_NEVER;
    customer->first_seen_ms = customer->last_seen_ms = TIME_NONE;
    customer->first_purchase_ms = customer->last_purchase_ms = TIME_NONE;
    journey_init(&customer->journey);
    customer->tiers = (struct tier_state *)(customer + 1);
    customer->recent = (uint64_t *)(customer->tiers + model->sets_count);
    customer->ranks = (int32_t *)(customer->recent + model->dedupe);
    customer->tiers_count = (uint16_t)model->sets_count;
    for (size_t i = 0; i < model->sets_count; i++) {
        customer->tiers[i] = (struct tier_state){.set_tag = model->sets[i].tag,
                                                 .tier = -1,
                                                 .since_ms = TIME_NONE,
                                                 .pending_ms = TIME_NEVER,
                                                 .noticed_ms = TIME_NEVER};
    }
    customer->ranks_count = (uint16_t)model->ranked_count;
    for (size_t i = 0; i < model->ranked_count; i++) {
        customer->ranks[i] = RANK_NONE;
    }
    return customer;
}

void customer_destroy(struct customer *customer) {
    if (customer) {
        tiles_finish(&customer->tiles);
        purchase_days_finish(&customer->purchase_days);
        favourites_finish(&customer->categories);
        free(customer->referrer);
        favourites_finish(&customer->channels);
        if (customer->tiers_apart) {
            free(customer->tiers);
        }
        free(customer);
    }
}

int customer_reserve_tiers(struct customer *customer, size_t count) {
    if (count <= customer->tiers_count) {
        return 0;
    }
    struct tier_state *tiers = calloc(count, sizeof *tiers);
    if (!tiers) {
        return ERR_NO_MEMORY;
    }
    memcpy(tiers, customer->tiers, customer->tiers_count * sizeof *tiers);
    if (customer->tiers_apart) {
        free(customer->tiers);
    }
    customer->tiers = tiers;
    customer->tiers_apart = true;
    customer->tiers_count = (uint16_t)count;
    return 0;
}

int customer_set_referrer(struct customer *customer, struct bytes referrer) {
    if (customer->referrer || referrer.size == 0) {
        return 0;
    }
    ASSERT(referrer.size <= UINT16_MAX);
    customer->referrer = malloc(referrer.size);
    if (!customer->referrer) {
        return ERR_NO_MEMORY;
    }
    memcpy(customer->referrer, referrer.data, referrer.size);
    customer->referrer_size = (uint16_t)referrer.size;
    return 0;
}

struct customer *customer_copy(const struct customer *customer, const struct model *model) {
    struct customer *copy = customer_create(model);
    if (!copy || customer_reserve_tiers(copy, customer->tiers_count) ||
        tiles_reserve(&copy->tiles, customer->tiles.count) ||
        purchase_days_copy(&copy->purchase_days, &customer->purchase_days) ||
        favourites_copy(&copy->categories, &customer->categories) ||
        customer_set_referrer(copy, customer_referrer(customer)) ||
        favourites_copy(&copy->channels, &customer->channels)) {
        customer_destroy(copy);
        return NULL;
    }
    struct customer own = *copy; /* what it has memory of its own for */
    memcpy(own.recent, customer->recent, customer->recent_count * sizeof *own.recent);
    memcpy(own.tiers, customer->tiers, customer->tiers_count * sizeof *own.tiers);
    memcpy(own.ranks, customer->ranks, model->ranked_count * sizeof *own.ranks);
    if (customer->tiles.count > 0) {
        memcpy(own.tiles.cells, customer->tiles.cells, customer->tiles.count * sizeof *own.tiles.cells);
    }
    own.tiles.count = customer->tiles.count;
    *copy = *customer;
    copy->recent = own.recent;
    copy->tiles = own.tiles;
    copy->tiers = own.tiers;
    copy->tiers_apart = own.tiers_apart;
    copy->ranks = own.ranks;
    copy->purchase_days = own.purchase_days;
    copy->categories = own.categories;
    copy->referrer = own.referrer;
    copy->channels = own.channels;
    return copy;
}

size_t customer_bytes(const struct customer *customer) {
    enum { MALLOC_OVERHEAD = 16, PIECES = 6 };
    size_t own = (size_t)((const char *)(customer->ranks + customer->ranks_count) - (const char *)customer);
    return own + customer->tiles.capacity * sizeof *customer->tiles.cells +
           (customer->tiers_apart ? customer->tiers_count * sizeof *customer->tiers : 0) + customer->referrer_size +
           customer->purchase_days.capacity * sizeof *customer->purchase_days.known + customer->categories.capacity +
           customer->channels.capacity + (size_t)PIECES * MALLOC_OVERHEAD;
}

bool customer_is_valid(const struct customer *customer, const struct model *model) {
    for (uint32_t i = 0; i < customer->tiles.count; i++) {
        const struct cell *cell = &customer->tiles.cells[i];
        if (cell->value == 0 ||
            (i > 0 && (cell[-1].day > cell->day || (cell[-1].day == cell->day && cell[-1].field >= cell->field)))) {
            return false;
        }
    }
    for (size_t i = 0; i < model->sets_count; i++) {
        const struct tier_state *state = &customer->tiers[i];
        if (i >= customer->tiers_count || state->set_tag != model->sets[i].tag ||
            state->tier >= (int)model->sets[i].tiers_count ||
            (state->tier >= 0 && state->tier_tag != model->sets[i].tiers[state->tier].tag)) {
            return false;
        }
    }
    bool seen = customer->now_ms != TIME_NONE;
    return customer->recent_count <= model->dedupe && customer->first_seen_ms <= customer->last_seen_ms &&
           customer->first_purchase_ms <= customer->last_purchase_ms &&
           purchase_days_are_valid(&customer->purchase_days) && journey_is_valid(&customer->journey) &&
           (seen || customer->tiles.count == 0) && (!seen || customer->wake_ms > customer->now_ms);
}
