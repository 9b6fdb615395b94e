#include "serve/customer_json.h"

#include "serve/json_tree.h"

static yyjson_mut_val *conditions_value(struct tree *tree, const struct condition *conditions, size_t count) {
    yyjson_mut_val *array = tree_array(tree);
    for (size_t i = 0; i < count; i++) {
        yyjson_mut_val *object = tree_element(tree, array);
        tree_add(tree, object, "rule", tree_text(tree, conditions[i].rule));
        tree_add(tree, object, "value", tree_number(tree, conditions[i].value));
        tree_add(tree, object, "threshold", tree_number(tree, conditions[i].threshold));
        tree_add(tree, object, "met", tree_bool(tree, conditions[i].met));
    }
    return array;
}

/* What would have to be more (or less), for a comparison that does not hold. */
static void add_missing(struct tree *tree, yyjson_mut_val *array, const struct condition *conditions, size_t count) {
    for (size_t i = 0; i < count; i++) {
        double missing = conditions[i].met ? 0.0 : conditions[i].threshold - conditions[i].value;
        tree_add(tree, yyjson_mut_arr_get(array, i), "missing", tree_number(tree, missing));
    }
}

/* The next better tier and how its enter rule stands; null at the top and while in no tier. */
static yyjson_mut_val *to_next_value(struct tree *tree, const struct tier_view *tier) {
    if (!tier->next_tier.data) {
        return tree_null(tree);
    }
    yyjson_mut_val *object = tree_object(tree);
    tree_add(tree, object, "tier", tree_text(tree, tier->next_tier));
    yyjson_mut_val *conditions = conditions_value(tree, tier->to_next, tier->to_next_count);
    add_missing(tree, conditions, tier->to_next, tier->to_next_count);
    tree_add(tree, object, "conditions", conditions);
    return object;
}

static yyjson_mut_val *forecast_value(struct tree *tree, const struct tier_view *tier) {
    if (!tier->forecast_tier.data) {
        return tree_null(tree);
    }
    yyjson_mut_val *object = tree_object(tree);
    tree_add(tree, object, "tier", tree_text(tree, tier->forecast_tier));
    tree_add(tree, object, "time_ms", tree_integer(tree, tier->forecast_ms));
    return object;
}

/* Every change of the coming year if nothing happens. */
static yyjson_mut_val *ahead_value(struct tree *tree, const struct tier_view *tier) {
    yyjson_mut_val *array = tree_array(tree);
    for (size_t i = 0; i < tier->ahead_count; i++) {
        yyjson_mut_val *object = tree_element(tree, array);
        tree_add(tree, object, "tier", tree_text(tree, tier->ahead[i].tier));
        tree_add(tree, object, "time_ms", tree_integer(tree, tier->ahead[i].time_ms));
    }
    return array;
}

static yyjson_mut_val *tier_value(struct tree *tree, const struct tier_view *tier) {
    yyjson_mut_val *object = tree_object(tree);
    bool placed = tier->tier.data != NULL;
    tree_add(tree, object, "tier", tree_text(tree, tier->tier));
    tree_add(tree, object, "since_ms", tree_time(tree, placed ? tier->since_ms : TIME_NONE));
    tree_add(tree, object, "sequence", tree_integer(tree, tier->sequence));
    tree_add(tree, object, "conditions", conditions_value(tree, tier->conditions, tier->conditions_count));
    tree_add(tree, object, "to_next", to_next_value(tree, tier));
    tree_add(tree, object, "forecast", forecast_value(tree, tier));
    tree_add(tree, object, "forecast_conditions",
             conditions_value(tree, tier->forecast_conditions, tier->forecast_conditions_count));
    tree_add(tree, object, "ahead", ahead_value(tree, tier));
    return object;
}

static yyjson_mut_val *tiers_value(struct tree *tree, const struct customer_view *view) {
    yyjson_mut_val *object = tree_object(tree);
    for (size_t i = 0; i < view->tiers_count; i++) {
        tree_add_named(tree, object, view->tiers[i].set, tier_value(tree, &view->tiers[i]));
    }
    return object;
}

static yyjson_mut_val *values_value(struct tree *tree, const struct named_value *values, size_t count) {
    yyjson_mut_val *object = tree_object(tree);
    for (size_t i = 0; i < count; i++) {
        tree_add_named(tree, object, values[i].name, tree_number(tree, values[i].value));
    }
    return object;
}

static yyjson_mut_val *favourites_value(struct tree *tree, const struct favourite_view *favourites, size_t count) {
    yyjson_mut_val *array = tree_array(tree);
    for (size_t i = 0; i < count; i++) {
        yyjson_mut_val *object = tree_element(tree, array);
        tree_add(tree, object, "name", tree_text(tree, favourites[i].name));
        tree_add(tree, object, "share", tree_number(tree, favourites[i].share));
        tree_add(tree, object, "weight", tree_integer(tree, favourites[i].weight));
    }
    return array;
}

static yyjson_mut_val *stages_value(struct tree *tree, const struct customer_view *view) {
    yyjson_mut_val *object = tree_object(tree);
    for (int stage = 1; stage <= STAGES; stage++) {
        const struct stage_view *of = &view->stages[stage - 1];
        yyjson_mut_val *value = tree_object(tree);
        tree_add(tree, value, "first_ms", tree_time(tree, of->first_ms));
        tree_add(tree, value, "days", tree_number(tree, of->days));
        tree_add(tree, object, journey_stage_name(stage), value);
    }
    return object;
}

static yyjson_mut_val *lifetime_value(struct tree *tree, const struct customer_view *view) {
    yyjson_mut_val *object = tree_object(tree);
    tree_add(tree, object, "first_purchase_ms", tree_time(tree, view->first_purchase_ms));
    tree_add(tree, object, "last_purchase_ms", tree_time(tree, view->last_purchase_ms));
    tree_add(tree, object, "orders", tree_integer(tree, view->orders));
    tree_add(tree, object, "revenue", tree_number(tree, view->revenue));
    tree_add(tree, object, "top_categories", favourites_value(tree, view->top_categories, view->top_categories_count));
    tree_add(tree, object, "top_channels", favourites_value(tree, view->top_channels, view->top_channels_count));
    tree_add(tree, object, "stages", stages_value(tree, view));
    tree_add(tree, object, "mean_interval_days", tree_number(tree, view->mean_interval_days));
    tree_add(tree, object, "frequency", tree_text(tree, bytes_of_text(frequency_name((int)view->frequency))));
    tree_add(tree, object, "referrals", tree_integer(tree, view->referrals));
    tree_add(tree, object, "referred_customers", tree_integer(tree, view->referred_customers));
    tree_add(tree, object, "referred_revenue",
             tree_number(tree, (double)view->referred_revenue_minor / view->money_scale));
    tree_add(tree, object, "p_alive", tree_number(tree, view->p_alive));
    tree_add(tree, object, "expected_purchases", tree_number(tree, view->expected_purchases));
    tree_add(tree, object, "clv", tree_number(tree, view->clv));
    return object;
}

int customer_json_write(struct bytes customer_id, const struct customer_view *view, struct buffer *out) {
    struct tree tree;
    yyjson_mut_val *root = tree_begin(&tree);
    tree_add(&tree, root, "customer_id", tree_text(&tree, customer_id));
    tree_add(&tree, root, "as_of_ms", tree_time(&tree, view->as_of_ms));
    tree_add(&tree, root, "tiers", tiers_value(&tree, view));
    tree_add(&tree, root, "scores", values_value(&tree, view->values.scores, view->values.scores_count));
    tree_add(&tree, root, "metrics", values_value(&tree, view->values.metrics, view->values.metrics_count));
    tree_add(&tree, root, "lifetime", lifetime_value(&tree, view));
    return tree_finish(&tree, out);
}
