#include "score/metrics_parts.h"
#include "score/points.h"

/* ---- sums ---- */

/* Over the slot's window, from what is known of an earlier one. */
static int64_t sum_kept(const struct metric_slot *slot, const struct metric_at *at, int32_t last_day) {
    const struct tiles *tiles = &at->customer->tiles;
    size_t index = (size_t)(slot - at->model->slots.slots);
    int64_t *sum = &at->sums->of[index].sum;
    if (at->sums->known[index / 64] & bit(index % 64)) {
        int32_t known_day = at->sums->of[index].last_day;
        *sum =
            tiles_slide(tiles, slot->field, *sum, known_day - slot->window_days + 1, known_day, last_day - known_day);
    } else {
        *sum = tiles_sum(tiles, slot->field, last_day - slot->window_days + 1, last_day);
    }
    at->sums->known[index / 64] |= bit(index % 64);
    at->sums->of[index].last_day = last_day;
    return *sum;
}

double metric_sum(const struct metric_slot *slot, const struct metric_at *at, int field) {
    const struct tiles *tiles = &at->customer->tiles;
    if (slot->window_days == 0) {
        return (double)tiles_total(tiles, (uint16_t)field);
    }
    int32_t last_day = at->today - slot->ago_days;
    return field == slot->field ? (double)sum_kept(slot, at, last_day)
                                : (double)tiles_sum(tiles, (uint16_t)field, last_day - slot->window_days + 1, last_day);
}

static double money_sum(const struct metric_slot *slot, const struct metric_at *at, int field) {
    return metric_sum(slot, at, field) / at->model->money_scale;
}

static double purchases(const struct metric_slot *slot, const struct metric_at *at) {
    return metric_sum(slot, at, TILE_PURCHASES);
}

static double revenue(const struct metric_slot *slot, const struct metric_at *at) {
    return money_sum(slot, at, TILE_REVENUE);
}

static double refunds(const struct metric_slot *slot, const struct metric_at *at) {
    return money_sum(slot, at, TILE_REFUNDS);
}

static double aov(const struct metric_slot *slot, const struct metric_at *at) {
    double orders = purchases(slot, at);
    return orders > 0 ? revenue(slot, at) / orders : NO_VALUE;
}

static double items(const struct metric_slot *slot, const struct metric_at *at) {
    return metric_sum(slot, at, TILE_ITEMS);
}

static double basket_size(const struct metric_slot *slot, const struct metric_at *at) {
    double orders = purchases(slot, at);
    return orders > 0 ? items(slot, at) / orders : NO_VALUE;
}

static double interactions(const struct metric_slot *slot, const struct metric_at *at) {
    if (slot->interaction) {
        return metric_sum(slot, at, TILE_INTERACTIONS + slot->interaction);
    }
    double total = 0;
    int32_t last_day = at->today - slot->ago_days;
    int32_t first_day = last_day - slot->window_days + 1;
    const struct tiles *tiles = &at->customer->tiles;
    for (uint32_t i = tiles->count; i-- > 0;) {
        const struct cell *cell = &tiles->cells[i];
        bool inside = slot->window_days == 0 || (cell->day >= first_day && cell->day <= last_day);
        if (inside && cell->field > TILE_INTERACTIONS && cell->field <= TILE_INTERACTIONS + INTERACTION_KINDS) {
            total += (double)cell->value;
        }
    }
    return total;
}

static double referrals(const struct metric_slot *slot, const struct metric_at *at) {
    return metric_sum(slot, at, TILE_INTERACTIONS + INTERACTION_REFERRAL);
}

static double points(const struct metric_slot *slot, const struct metric_at *at) {
    return metric_sum(slot, at, TILE_POINTS) / POINTS_SCALE;
}

/* ---- time ---- */

int64_t metric_base_ms(const struct metric_slot *slot, const struct customer *customer) {
    if (slot->kind == METRIC_DAYS_SINCE_PURCHASE) {
        return customer->last_purchase_ms;
    }
    return slot->kind == METRIC_DAYS_SINCE_SEEN ? customer->last_seen_ms : customer->first_seen_ms;
}

static double elapsed(const struct metric_slot *slot, const struct metric_at *at) {
    int64_t base_ms = metric_base_ms(slot, at->customer);
    return base_ms == TIME_NONE ? NO_VALUE : (double)(at->now_ms - base_ms) / (double)MS_PER_DAY;
}

/* ---- the table ---- */

#define FIELD(field) (UINT64_C(1) << (field))
#define NPS_FIELDS (FIELD(TILE_PROMOTERS) | FIELD(TILE_PASSIVES) | FIELD(TILE_DETRACTORS))
#define CES_FIELDS (FIELD(TILE_CES_COUNT) | FIELD(TILE_CES_SUM) | FIELD(TILE_CES_EASY) | FIELD(TILE_CES_HARD))
#define INTERACTION_FIELDS ((FIELD(INTERACTION_KINDS) - 1) << (TILE_INTERACTIONS + 1))

enum {
    BY_PURCHASE = 1 << ACTIVITY_PURCHASE,
    BY_INTERACTION = 1 << ACTIVITY_INTERACTION,
    BY_FEEDBACK = 1 << ACTIVITY_FEEDBACK,
    BY_ANY = BY_PURCHASE | BY_INTERACTION | BY_FEEDBACK,
};

uint64_t metric_fields(const struct metric_slot *slot) {
    return slot->interaction ? FIELD(TILE_INTERACTIONS + slot->interaction) : metric_rows[slot->kind].fields;
}

const struct metric_row metric_rows[METRIC_KINDS] = {
    [METRIC_PURCHASES] = {.name = "purchases",
                          .value = purchases,
                          .fields = FIELD(TILE_PURCHASES),
                          .moved_by = BY_PURCHASE,
                          .window = true},
    [METRIC_REVENUE] =
        {.name = "revenue", .value = revenue, .fields = FIELD(TILE_REVENUE), .moved_by = BY_PURCHASE, .window = true},
    [METRIC_REFUNDS] =
        {.name = "refunds", .value = refunds, .fields = FIELD(TILE_REFUNDS), .moved_by = BY_PURCHASE, .window = true},
    [METRIC_AOV] = {.name = "aov",
                    .value = aov,
                    .fields = FIELD(TILE_PURCHASES) | FIELD(TILE_REVENUE),
                    .moved_by = BY_PURCHASE,
                    .window = true},
    [METRIC_ITEMS] =
        {.name = "items", .value = items, .fields = FIELD(TILE_ITEMS), .moved_by = BY_PURCHASE, .window = true},
    [METRIC_BASKET_SIZE] = {.name = "basket_size",
                            .value = basket_size,
                            .fields = FIELD(TILE_PURCHASES) | FIELD(TILE_ITEMS),
                            .moved_by = BY_PURCHASE,
                            .window = true},
    [METRIC_INTERACTIONS] = {.name = "interactions",
                             .value = interactions,
                             .fields = INTERACTION_FIELDS,
                             .moved_by = BY_INTERACTION,
                             .window = true,
                             .interaction = true},
    [METRIC_REFERRALS] = {.name = "referrals",
                          .value = referrals,
                          .fields = FIELD(TILE_INTERACTIONS + INTERACTION_REFERRAL),
                          .moved_by = BY_INTERACTION,
                          .window = true},
    [METRIC_POINTS] =
        {.name = "points", .value = points, .fields = FIELD(TILE_POINTS), .moved_by = BY_ANY, .window = true},
    [METRIC_NPS] = {.name = "nps", .value = metric_nps, .fields = NPS_FIELDS, .moved_by = BY_FEEDBACK, .window = true},
    [METRIC_NPS_MARGIN] = {.name = "nps_margin",
                           .value = metric_nps_margin,
                           .fields = NPS_FIELDS,
                           .moved_by = BY_FEEDBACK,
                           .window = true},
    [METRIC_NPS_LOW] =
        {.name = "nps_low", .value = metric_nps_low, .fields = NPS_FIELDS, .moved_by = BY_FEEDBACK, .window = true},
    [METRIC_NPS_HIGH] =
        {.name = "nps_high", .value = metric_nps_high, .fields = NPS_FIELDS, .moved_by = BY_FEEDBACK, .window = true},
    [METRIC_CSAT] = {.name = "csat",
                     .value = metric_csat,
                     .fields = FIELD(TILE_CSAT_COUNT) | FIELD(TILE_CSAT_TOP),
                     .moved_by = BY_FEEDBACK,
                     .window = true},
    [METRIC_CSAT_MEAN] = {.name = "csat_mean",
                          .value = metric_csat_mean,
                          .fields = FIELD(TILE_CSAT_COUNT) | FIELD(TILE_CSAT_SUM),
                          .moved_by = BY_FEEDBACK,
                          .window = true},
    [METRIC_CES] = {.name = "ces", .value = metric_ces, .fields = CES_FIELDS, .moved_by = BY_FEEDBACK, .window = true},
    [METRIC_COMPLAINTS] = {.name = "complaints",
                           .value = metric_complaints,
                           .fields = FIELD(TILE_COMPLAINTS),
                           .moved_by = BY_FEEDBACK,
                           .window = true},
    [METRIC_REVIEWS] = {.name = "reviews",
                        .value = metric_reviews,
                        .fields = FIELD(TILE_REVIEW_COUNT),
                        .moved_by = BY_FEEDBACK,
                        .window = true},
    [METRIC_REVIEW_MEAN] = {.name = "review_mean",
                            .value = metric_review_mean,
                            .fields = FIELD(TILE_REVIEW_COUNT) | FIELD(TILE_REVIEW_SUM),
                            .moved_by = BY_FEEDBACK,
                            .window = true},
    [METRIC_DAYS_SINCE_PURCHASE] = {.name = "days_since_purchase",
                                    .value = elapsed,
                                    .moved_by = BY_PURCHASE,
                                    .elapsed = true},
    [METRIC_DAYS_SINCE_SEEN] = {.name = "days_since_seen", .value = elapsed, .moved_by = BY_ANY, .elapsed = true},
    [METRIC_TENURE] = {.name = "tenure", .value = elapsed, .moved_by = BY_ANY, .elapsed = true},
    [METRIC_PURCHASE_DAYS] = {.name = "purchase_days", .value = metric_purchase_days, .moved_by = BY_PURCHASE},
    [METRIC_MEAN_INTERVAL] = {.name = "mean_interval", .value = metric_mean_interval, .moved_by = BY_PURCHASE},
    [METRIC_INTERVAL_SPREAD] = {.name = "interval_spread", .value = metric_interval_spread, .moved_by = BY_PURCHASE},
    [METRIC_FREQUENCY] = {.name = "frequency", .value = metric_frequency, .moved_by = BY_PURCHASE},
    [METRIC_STAGE] = {.name = "stage", .value = metric_stage, .moved_by = BY_PURCHASE | BY_INTERACTION},
    [METRIC_FURTHEST_STAGE] = {.name = "furthest_stage",
                               .value = metric_furthest_stage,
                               .moved_by = BY_PURCHASE | BY_INTERACTION},
    [METRIC_ENGAGEMENT] = {.name = "engagement",
                           .value = metric_engagement,
                           .moved_by = BY_INTERACTION,
                           .falls = true,
                           .reaches_ms = metric_engagement_reaches_ms},
    [METRIC_P_ALIVE] = {.name = "p_alive",
                        .value = metric_p_alive,
                        .moved_by = BY_PURCHASE,
                        .falls = true,
                        .reaches_ms = metric_p_alive_reaches_ms},
    [METRIC_EXPECTED_PURCHASES] = {.name = "expected_purchases",
                                   .value = metric_expected_purchases,
                                   .moved_by = BY_PURCHASE,
                                   .horizon = true,
                                   .falls = true},
    [METRIC_MEAN_SPEND] = {.name = "mean_spend", .value = metric_mean_spend, .moved_by = BY_PURCHASE},
    [METRIC_CLV] = {.name = "clv", .value = metric_clv, .moved_by = BY_PURCHASE, .horizon = true, .falls = true},
};
