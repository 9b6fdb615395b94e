#include "score/customer_value.h"

#include <math.h>

static double repeats_of(const struct customer *customer) {
    uint64_t days = purchase_days_count(&customer->purchase_days);
    return days > 1 ? (double)(days - 1) : 0;
}

void customer_ltv_purchases(const struct customer *customer, const struct ltv_params *params, struct ltv_history *out) {
    *out = (struct ltv_history){
        .x = repeats_of(customer),
        .t_x = ltv_units(params, customer->first_purchase_ms, customer->last_purchase_ms),
    };
}

double customer_ltv_age(const struct customer *customer, const struct ltv_params *params, int64_t now_ms) {
    int64_t end_ms = now_ms > customer->last_purchase_ms ? now_ms : customer->last_purchase_ms;
    return ltv_units(params, customer->first_purchase_ms, end_ms);
}

double customer_ltv_mean_spend(const struct customer *customer, const struct ltv_params *params) {
    double repeats = repeats_of(customer);
    if (repeats <= 0) {
        return 0;
    }
    double minor = (double)tiles_total(&customer->tiles, TILE_REVENUE);
    return fmax((minor - (double)customer->purchase_days.first_day_minor) / repeats / params->money_scale, 0);
}

void customer_ltv_history(const struct customer *customer, const struct ltv_params *params, int64_t now_ms,
                          struct ltv_history *out) {
    customer_ltv_purchases(customer, params, out);
    out->t = customer_ltv_age(customer, params, now_ms);
    out->mean_spend = customer_ltv_mean_spend(customer, params);
}
