#include "score/metrics_parts.h"

/* ---- purchase days ---- */

double metric_purchase_days(const struct metric_slot *slot, const struct metric_at *at) {
    (void)slot;
    return (double)purchase_days_count(&at->customer->purchase_days);
}

double metric_mean_interval(const struct metric_slot *slot, const struct metric_at *at) {
    (void)slot;
    return purchase_days_mean_interval(&at->customer->purchase_days);
}

double metric_interval_spread(const struct metric_slot *slot, const struct metric_at *at) {
    (void)slot;
    return purchase_days_interval_spread(&at->customer->purchase_days);
}

double metric_frequency(const struct metric_slot *slot, const struct metric_at *at) {
    (void)slot;
    enum frequency frequency = customer_frequency(at->customer, at->model);
    return frequency == FREQUENCY_NONE ? NO_VALUE : (double)frequency;
}

enum frequency customer_frequency(const struct customer *customer, const struct model *model) {
    const struct purchase_days *days = &customer->purchase_days;
    uint64_t count = purchase_days_count(days);
    if (count < 2) {
        return count == 0 ? FREQUENCY_NONE : FREQUENCY_ONE_OFF;
    }
    bool often = purchase_days_mean_interval(days) <= model->options.frequent_interval_days;
    return often ? FREQUENCY_FREQUENT : FREQUENCY_INFREQUENT;
}

const char *frequency_name(int frequency) {
    static const char *const names[] = {
        [FREQUENCY_ONE_OFF] = "one_off", [FREQUENCY_INFREQUENT] = "infrequent", [FREQUENCY_FREQUENT] = "frequent"};
    return frequency >= FREQUENCY_ONE_OFF && frequency <= FREQUENCY_FREQUENT ? names[frequency] : NULL;
}

/* ---- journey ---- */

static double stage_value(enum journey_stage stage) {
    return stage == STAGE_NONE ? NO_VALUE : (double)stage;
}

double metric_stage(const struct metric_slot *slot, const struct metric_at *at) {
    (void)slot;
    return stage_value(at->customer->journey.latest);
}

double metric_furthest_stage(const struct metric_slot *slot, const struct metric_at *at) {
    (void)slot;
    return stage_value(journey_furthest(&at->customer->journey));
}

/* ---- engagement ---- */

double metric_engagement(const struct metric_slot *slot, const struct metric_at *at) {
    (void)slot;
    return engagement_at(&at->customer->engagement, at->model->options.engagement.half_life_ms, at->now_ms);
}

int64_t metric_engagement_reaches_ms(const struct metric_slot *slot, const struct metric_at *at, double value) {
    (void)slot;
    return engagement_reaches_ms(&at->customer->engagement, at->model->options.engagement.half_life_ms, value);
}
