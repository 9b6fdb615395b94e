#include "score/points.h"

#include "score/model_parts.h"
#include "score/saturate.h"

#include <float.h>

/* ISO C has no 128 bits; gcc and clang have, and say so. */
__extension__ typedef __int128 wide_number;

static void add(struct customer *customer, int32_t day, enum tile_field field, int64_t thousandths) {
    int error = tiles_add(&customer->tiles, day, (uint16_t)field, thousandths);
    ASSERT(!error);
}

/* The nearest thousandth, halves away from zero. Options have few decimals, so whatever is a half on paper is within a few
 * roundings of one here; those few are made good first. */
static int64_t thousandths_of(double points) {
    double value = points * POINTS_SCALE;
    value += value * (4 * DBL_EPSILON);
    return value >= 9e18 ? INT64_MAX : value <= -9e18 ? INT64_MIN : llround(value);
}

/* The factors of the tiers that the customer is in, one after the other. */
static double multiplied(const struct customer *customer, const struct model *model, double points) {
    for (size_t set = 0; set < model->sets_count; set++) {
        const double *factors = model->multipliers[set];
        int tier = customer->tiers[set].tier;
        if (factors && tier >= 0) {
            points *= factors[tier];
        }
    }
    return points;
}

/* What the day's purchases earned for their money goes back in proportion; of a day that nobody knows, at the plain rate. */
static int64_t taken(const struct customer *customer, const struct model *model, int64_t amount_minor, int32_t day) {
    const struct tiles *tiles = &customer->tiles;
    int64_t money = 0;
    if (day != DAY_RESIDUE) {
        money = saturating_add(tiles_sum(tiles, TILE_REVENUE, day, day), tiles_sum(tiles, TILE_REFUNDS, day, day));
    }
    if (money <= 0) {
        return thousandths_of(model->options.points.per_unit * ((double)amount_minor / model->money_scale));
    }
    int64_t earned = tiles_sum(tiles, TILE_POINTS_OF_MONEY, day, day);
    if (amount_minor >= money) {
        return earned;
    }
    wide_number twice = (wide_number)earned * (wide_number)amount_minor * 2;
    return (int64_t)((twice + (wide_number)money) / ((wide_number)money * 2));
}

void points_add(struct customer *customer, const struct model *model, const struct activity *activity,
                int32_t event_day, int32_t order_day) {
    const struct points_options *options = &model->options.points;
    double for_event = options->events[activity_kind(activity)];
    double for_money = 0;
    if (activity->type == ACTIVITY_PURCHASE) {
        int64_t amount_minor = activity->purchase.amount_minor;
        if (activity->purchase.kind != PURCHASE_KIND_PURCHASE) {
            add(customer, order_day, TILE_POINTS, -taken(customer, model, amount_minor, order_day));
        } else {
            for_money = options->per_unit * ((double)amount_minor / model->money_scale);
        }
    }
    if (for_event == 0.0 && for_money == 0.0) {
        return;
    }
    add(customer, event_day, TILE_POINTS, thousandths_of(multiplied(customer, model, for_event + for_money)));
    add(customer, event_day, TILE_POINTS_OF_MONEY, thousandths_of(multiplied(customer, model, for_money)));
}
