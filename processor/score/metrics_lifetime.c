#include "score/customer_value.h"
#include "score/metrics_parts.h"

static const struct ltv_params *params_of(const struct metric_at *at) {
    return &at->model->options.lifetime_value;
}

/* The history at at->now_ms without what was spent; NULL: never bought. */
static struct ltv_history *history_of(const struct metric_at *at) {
    struct metric_lifetime *lifetime = at->lifetime;
    if (at->customer->first_purchase_ms == TIME_NONE) {
        return NULL;
    }
    if (!lifetime->purchases_known) {
        customer_ltv_purchases(at->customer, params_of(at), &lifetime->history);
        lifetime->purchases_known = true;
    }
    lifetime->history.t = customer_ltv_age(at->customer, params_of(at), at->now_ms);
    return &lifetime->history;
}

static struct ltv_history *history_with_spend_of(const struct metric_at *at) {
    struct ltv_history *history = history_of(at);
    if (history && !at->lifetime->spend_known) {
        history->mean_spend = customer_ltv_mean_spend(at->customer, params_of(at));
        at->lifetime->spend_known = true;
    }
    return history;
}

static double horizon_of(const struct metric_slot *slot, const struct metric_at *at) {
    return slot->horizon_days * (double)MS_PER_DAY / params_of(at)->unit_ms;
}

double metric_p_alive(const struct metric_slot *slot, const struct metric_at *at) {
    (void)slot;
    const struct ltv_history *history = history_of(at);
    return history ? ltv_p_alive(params_of(at), history) : NO_VALUE;
}

int64_t metric_p_alive_reaches_ms(const struct metric_slot *slot, const struct metric_at *at, double value) {
    (void)slot;
    const struct ltv_history *history = history_of(at);
    return history ? ltv_p_alive_falls_ms(params_of(at), history, at->customer->first_purchase_ms, value, true)
                   : TIME_NEVER;
}

double metric_expected_purchases(const struct metric_slot *slot, const struct metric_at *at) {
    const struct ltv_history *history = history_of(at);
    return history ? ltv_expected_purchases(params_of(at), history, horizon_of(slot, at)) : NO_VALUE;
}

double metric_mean_spend(const struct metric_slot *slot, const struct metric_at *at) {
    (void)slot;
    const struct ltv_history *history = history_with_spend_of(at);
    return history ? ltv_mean_spend(params_of(at), history) : NO_VALUE;
}

double metric_clv(const struct metric_slot *slot, const struct metric_at *at) {
    const struct ltv_params *params = params_of(at);
    const struct ltv_history *history = history_with_spend_of(at);
    return history ? ltv_clv(params, history, horizon_of(slot, at), params->discount) : NO_VALUE;
}
