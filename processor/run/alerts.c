#include "run/alerts.h"

#include <stdlib.h>

struct alerts {
    const struct model *model;
    bool any;
    bool of[POPULATION_SETS_MAX][POPULATION_SETS_MAX]; /* by set and tier */
};

_Static_assert((int)POPULATION_SETS_MAX == 64, "as many tiers in a set as sets in a model");

struct alerts *alerts_create(const struct model *model) {
    struct alerts *alerts = calloc(1, sizeof *alerts);
    for (size_t set = 0; alerts && set < model_sets_count(model); set++) {
        for (size_t tier = 0; tier < model_tiers_count(model, set); tier++) {
            alerts->of[set][tier] = model_tier_alerts(model, set, tier);
            alerts->any |= alerts->of[set][tier];
        }
    }
    if (alerts) {
        alerts->model = model;
    }
    return alerts;
}

void alerts_destroy(struct alerts *alerts) {
    free(alerts);
}

bool alerts_has(const struct alerts *alerts, size_t set, int tier) {
    return tier >= 0 && alerts->of[set][tier];
}

void alerts_move(const struct alerts *alerts, struct store *store, struct bytes id, const struct standing *from,
                 const struct customer *customer) {
    for (size_t set = 0; alerts->any && set < model_sets_count(alerts->model); set++) {
        if (alerts_has(alerts, set, from->tiers[set]) && !alerts_has(alerts, set, customer->tiers[set].tier)) {
            store->ops->drop_alert(store->context, model_set_name(alerts->model, set), id);
        }
    }
}

void alerts_put(const struct alerts *alerts, struct store *store, struct bytes id, const struct customer *customer) {
    for (size_t set = 0; alerts->any && set < model_sets_count(alerts->model); set++) {
        if (alerts_has(alerts, set, customer->tiers[set].tier)) {
            store->ops->put_alert(store->context, model_set_name(alerts->model, set), id,
                                  tiles_total(&customer->tiles, TILE_REVENUE));
        }
    }
}
