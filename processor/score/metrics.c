#include "score/metrics.h"

#include "score/customer.h"

const struct metric_row metric_rows[METRIC_KINDS] = {
    [METRIC_PURCHASES] = {"purchases", true, false, false},
    [METRIC_REVENUE] = {"revenue", true, false, false},
    [METRIC_REFUNDS] = {"refunds", true, false, false},
    [METRIC_AOV] = {"aov", true, false, false},
    [METRIC_INTERACTIONS] = {"interactions", true, true, false},
    [METRIC_NPS] = {"nps", true, false, false},
    [METRIC_COMPLAINTS] = {"complaints", true, false, false},
    [METRIC_DAYS_SINCE_PURCHASE] = {"days_since_purchase", false, false, true},
    [METRIC_DAYS_SINCE_SEEN] = {"days_since_seen", false, false, true},
    [METRIC_TENURE] = {"tenure", false, false, true},
};

static const char *const interaction_names[] = {
    [INTERACTION_PAGE_VIEW] = "page_view",
    [INTERACTION_SEARCH] = "search",
    [INTERACTION_CART_ADD] = "cart_add",
    [INTERACTION_CHECKOUT] = "checkout",
    [INTERACTION_EMAIL_OPEN] = "email_open",
    [INTERACTION_EMAIL_CLICK] = "email_click",
    [INTERACTION_LOGIN] = "login",
    [INTERACTION_SUPPORT_CONTACT] = "support_contact",
    [INTERACTION_REFERRAL] = "referral",
    [INTERACTION_SOCIAL] = "social",
    [INTERACTION_STORE_VISIT] = "store_visit",
    [INTERACTION_OTHER] = "other",
};

const char *interaction_name(int kind) {
    return kind >= INTERACTION_PAGE_VIEW && kind <= INTERACTION_KINDS ? interaction_names[kind] : NULL;
}

int interaction_by_name(struct bytes name) {
    for (int kind = INTERACTION_PAGE_VIEW; kind <= INTERACTION_KINDS; kind++) {
        if (bytes_equal_text(name, interaction_names[kind])) {
            return kind;
        }
    }
    return 0;
}

int64_t metric_base_ms(const struct metric_slot *slot, const struct customer *customer) {
    switch (slot->kind) {
    case METRIC_DAYS_SINCE_PURCHASE:
        return customer->last_purchase_ms;
    case METRIC_DAYS_SINCE_SEEN:
        return customer->last_seen_ms;
    case METRIC_TENURE:
        return customer->first_seen_ms;
    case METRIC_PURCHASES:
    case METRIC_REVENUE:
    case METRIC_REFUNDS:
    case METRIC_AOV:
    case METRIC_INTERACTIONS:
    case METRIC_NPS:
    case METRIC_COMPLAINTS:
    case METRIC_KINDS:
        break;
    }
    return TIME_NONE;
}

/* The sum of a field over the slot's window. */
static double sum(const struct metric_slot *slot, const struct customer *customer, int32_t today, int field) {
    if (slot->window_days == 0) {
        return (double)tiles_total(&customer->tiles, (uint16_t)field);
    }
    int32_t last_day = today - slot->ago_days;
    return (double)tiles_sum(&customer->tiles, (uint16_t)field, last_day - slot->window_days + 1, last_day);
}

static double interactions(const struct metric_slot *slot, const struct customer *customer, int32_t today) {
    if (slot->interaction) {
        return sum(slot, customer, today, TILE_INTERACTIONS + slot->interaction);
    }
    double total = 0;
    int32_t last_day = today - slot->ago_days;
    int32_t first_day = last_day - slot->window_days + 1;
    for (uint32_t i = customer->tiles.count; i-- > 0;) {
        const struct cell *cell = &customer->tiles.cells[i];
        bool inside = slot->window_days == 0 || (cell->day >= first_day && cell->day <= last_day);
        if (inside && cell->field > TILE_INTERACTIONS && cell->field <= TILE_INTERACTIONS + INTERACTION_KINDS) {
            total += (double)cell->value;
        }
    }
    return total;
}

/* Net promoter score: per cent promoters less per cent detractors, -100..100 (Reichheld 2003). */
static double nps(const struct metric_slot *slot, const struct customer *customer, int32_t today) {
    double promoters = sum(slot, customer, today, TILE_PROMOTERS);
    double passives = sum(slot, customer, today, TILE_PASSIVES);
    double detractors = sum(slot, customer, today, TILE_DETRACTORS);
    double answers = promoters + passives + detractors;
    return answers > 0 ? 100.0 * (promoters - detractors) / answers : NO_VALUE;
}

double metric_value(const struct metric_slot *slot, const struct customer *customer, int64_t now_ms, int32_t today,
                    double money_scale) {
    double purchases;
    int64_t base_ms;
    switch (slot->kind) {
    case METRIC_PURCHASES:
        return sum(slot, customer, today, TILE_PURCHASES);
    case METRIC_REVENUE:
        return sum(slot, customer, today, TILE_REVENUE) / money_scale;
    case METRIC_REFUNDS:
        return sum(slot, customer, today, TILE_REFUNDS) / money_scale;
    case METRIC_AOV:
        purchases = sum(slot, customer, today, TILE_PURCHASES);
        return purchases > 0 ? sum(slot, customer, today, TILE_REVENUE) / money_scale / purchases : NO_VALUE;
    case METRIC_INTERACTIONS:
        return interactions(slot, customer, today);
    case METRIC_NPS:
        return nps(slot, customer, today);
    case METRIC_COMPLAINTS:
        return sum(slot, customer, today, TILE_COMPLAINTS);
    case METRIC_DAYS_SINCE_PURCHASE:
    case METRIC_DAYS_SINCE_SEEN:
    case METRIC_TENURE:
        base_ms = metric_base_ms(slot, customer);
        return base_ms == TIME_NONE ? NO_VALUE : (double)(now_ms - base_ms) / (double)MS_PER_DAY;
    case METRIC_KINDS:
        break;
    }
    ASSERT(false && "unknown metric kind");
    return NO_VALUE;
}
