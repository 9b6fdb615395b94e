#include "score/add_activity.h"

#include "score/answer.h"
#include "score/model_parts.h"
#include "score/points.h"
#include "score/saturate.h"

struct when { /* the day on which an activity counts */
    int32_t real_day;
    int32_t day; /* of the tiles: DAY_RESIDUE where that is before every window */
};

static void add(struct customer *customer, int32_t day, int field, int64_t value) {
    int error = tiles_add(&customer->tiles, day, (uint16_t)field, value);
    ASSERT(!error);
}

/* Money of a day, the purchase that makes it the first one included already. */
static void add_first_day_money(struct customer *customer, int32_t day, int64_t amount_minor) {
    struct purchase_days *days = &customer->purchase_days;
    if (days->count > 0 && purchase_days_first(days) == day) {
        days->first_day_minor = saturating_add(days->first_day_minor, amount_minor);
    }
}

/* A new first day takes over what is known of it: refunds of its orders may have come before them. */
static void add_purchase_day(struct customer *customer, const struct when *when, int64_t amount_minor) {
    struct purchase_days *days = &customer->purchase_days;
    bool first = days->count == 0 || when->real_day < purchase_days_first(days);
    int error = purchase_days_add(days, when->real_day);
    ASSERT(!error);
    if (!first) {
        add_first_day_money(customer, when->real_day, amount_minor);
        return;
    }
    days->first_day_minor =
        when->day == DAY_RESIDUE ? amount_minor : tiles_sum(&customer->tiles, TILE_REVENUE, when->day, when->day);
}

static void add_favourite(struct favourites *favourites, struct bytes name, int64_t weight) {
    int error = favourites_add(favourites, name, weight);
    ASSERT(!error);
}

static void add_purchase(struct customer *customer, const struct when *when, const struct activity *activity) {
    const struct purchase *purchase = &activity->purchase;
    int32_t day = when->day;
    if (purchase->kind != PURCHASE_KIND_PURCHASE) {
        add_first_day_money(customer, when->real_day, -purchase->amount_minor);
        add(customer, day, TILE_REVENUE, -purchase->amount_minor);
        add(customer, day, TILE_REFUNDS, purchase->amount_minor);
        add(customer, day, TILE_PURCHASES, purchase->kind == PURCHASE_KIND_CANCELLATION ? -1 : 0);
        return;
    }
    int64_t quantity = 0;
    for (size_t i = 0; i < purchase->items_count; i++) {
        quantity += purchase->items[i].quantity;
        add_favourite(&customer->categories, purchase->items[i].category, purchase->items[i].quantity);
    }
    add_favourite(&customer->channels, purchase->channel, 1);
    if (!bytes_equal(purchase->referrer_id, activity->customer_id)) { /* nobody refers themselves */
        int error = customer_set_referrer(customer, purchase->referrer_id);
        ASSERT(!error);
    }
    journey_add(&customer->journey, STAGE_PURCHASE, activity->time_ms);
    add(customer, day, TILE_PURCHASES, 1);
    add(customer, day, TILE_REVENUE, purchase->amount_minor);
    add(customer, day, TILE_ITEMS, quantity);
    add_purchase_day(customer, when, purchase->amount_minor);
    bool first = customer->first_purchase_ms == TIME_NONE;
    if (first || activity->time_ms < customer->first_purchase_ms) {
        customer->first_purchase_ms = activity->time_ms;
    }
    if (first || activity->time_ms > customer->last_purchase_ms) {
        customer->last_purchase_ms = activity->time_ms;
    }
}

static void add_interaction(struct customer *customer, const struct model *model, int32_t day,
                            const struct activity *activity) {
    const struct interaction *interaction = &activity->interaction;
    add(customer, day, TILE_INTERACTIONS + (int)interaction->kind, 1);
    add_favourite(&customer->channels, interaction->channel, 1);
    journey_add(&customer->journey, interaction->stage, activity->time_ms);
    if (model->keeps_engagement) {
        const struct engagement_options *options = &model->options.engagement;
        engagement_add(&customer->engagement, options->half_life_ms, options->weights[interaction->kind],
                       activity->time_ms);
    }
}

static void add_feedback(struct customer *customer, int32_t day, const struct feedback *feedback) {
    struct answer_sum sums[ANSWER_SUMS_MAX];
    size_t count = answer_sums(feedback, sums);
    for (size_t i = 0; i < count; i++) {
        add(customer, day, (int)sums[i].field, sums[i].amount);
    }
}

static struct when when_of(const struct model *model, int32_t today, int64_t time_ms) {
    int32_t day = zone_day(model->zone, time_ms);
    return (struct when){day, day <= today - model->span_days ? DAY_RESIDUE : day};
}

bool add_activity(struct customer *customer, const struct model *model, const struct activity *activity) {
    bool reversal = activity->type == ACTIVITY_PURCHASE && activity->purchase.kind != PURCHASE_KIND_PURCHASE;
    int32_t today = zone_day(model->zone, customer->now_ms);
    struct when when = when_of(model, today, reversal ? activity->purchase.order_time_ms : activity->time_ms);
    if (model->keeps_points) {
        int32_t event_day = reversal ? when_of(model, today, activity->time_ms).day : when.day;
        points_add(customer, model, activity, event_day, when.day);
    }
    if (activity->type == ACTIVITY_PURCHASE) {
        add_purchase(customer, &when, activity);
    } else if (activity->type == ACTIVITY_INTERACTION) {
        add_interaction(customer, model, when.day, activity);
    } else {
        ASSERT(activity->type == ACTIVITY_FEEDBACK);
        add_feedback(customer, when.day, &activity->feedback);
    }
    if (customer->first_seen_ms == TIME_NONE || activity->time_ms < customer->first_seen_ms) {
        customer->first_seen_ms = activity->time_ms;
    }
    if (activity->time_ms > customer->last_seen_ms) {
        customer->last_seen_ms = activity->time_ms;
    }
    return when.day == DAY_RESIDUE && model->span_days > 0;
}
