#include "run/value_count.h"

#include "score/explain.h"
#include "score/saturate.h"

#include <stdlib.h>

struct value_count *value_count_create(const struct model *model, const struct zone *zone, int64_t as_of_ms) {
    struct value_count *count = calloc(1, sizeof *count + model_all_tiers_count(model) * sizeof count->tiers[0]);
    if (count) {
        count->zone = zone;
        count->as_of_ms = as_of_ms;
        count->today = zone_day(zone, as_of_ms);
        count->until_ms = zone_day_start_ms(zone, count->today + VALUE_DAYS_MAX) - 1;
    }
    return count;
}

void value_count_destroy(struct value_count *count) {
    free(count);
}

static void add(struct valued *valued, int64_t revenue_minor) {
    valued->customers++;
    valued->revenue_minor = saturating_add(valued->revenue_minor, revenue_minor);
}

int value_count_add(struct value_count *count, const struct model *model, struct customer *customer) {
    int64_t alert_ms;
    if (customer->now_ms == TIME_NONE) {
        return 0;
    }
    customer_advance(customer, model, customer->now_ms, NULL);
    int error = explain_alert(customer, model, count->until_ms, &alert_ms);
    if (error) {
        return error;
    }
    int64_t revenue_minor = tiles_total(&customer->tiles, TILE_REVENUE);
    struct valued *tiers = count->tiers;
    add(&count->all, revenue_minor);
    for (size_t set = 0; set < model_sets_count(model); set++) {
        if (customer->tiers[set].tier >= 0) {
            add(&tiers[customer->tiers[set].tier], revenue_minor);
        }
        tiers += model_tiers_count(model, set);
    }
    if (alert_ms == customer->now_ms) {
        add(&count->alerting, revenue_minor);
    } else if (alert_ms != TIME_NEVER) {
        int32_t day = zone_day(count->zone, alert_ms) - count->today;
        add(&count->days[day > 0 ? day : 0], revenue_minor); /* who is due already will be moved today */
    }
    return 0;
}
