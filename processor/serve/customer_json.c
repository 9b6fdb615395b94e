#include "serve/customer_json.h"

#include <math.h>
#include <stdlib.h>
#include <yyjson.h>

/* Numbers and conditions are written as in tier changes (publish/encode_json.c), so that a reader
 * needs one parser: a metric or score is always a real ("5.0"), and one without a value is null,
 * never left out. */

/* Adding returns NULL or false without memory, and yyjson refuses to go on with NULL; so one check
 * at the end is enough, kept in `whole`. */
struct tree {
    yyjson_mut_doc *document;
    bool whole;
};

static void add(struct tree *tree, yyjson_mut_val *object, struct bytes name, yyjson_mut_val *value) {
    tree->whole =
        yyjson_mut_obj_add(object, yyjson_mut_strn(tree->document, name.data, name.size), value) && tree->whole;
}

static void add_named(struct tree *tree, yyjson_mut_val *object, const char *name, yyjson_mut_val *value) {
    add(tree, object, bytes_of_text(name), value);
}

static yyjson_mut_val *text_value(const struct tree *tree, struct bytes text) {
    return text.data ? yyjson_mut_strn(tree->document, text.data, text.size) : yyjson_mut_null(tree->document);
}

static yyjson_mut_val *number_value(const struct tree *tree, double number) {
    return isfinite(number) ? yyjson_mut_real(tree->document, number) : yyjson_mut_null(tree->document);
}

static yyjson_mut_val *integer_value(const struct tree *tree, int64_t number) {
    return yyjson_mut_sint(tree->document, number);
}

/* An instant that has not been, or will not be, is null. */
static yyjson_mut_val *time_value(const struct tree *tree, int64_t time_ms) {
    return time_ms == TIME_NONE || time_ms == TIME_NEVER ? yyjson_mut_null(tree->document)
                                                         : integer_value(tree, time_ms);
}

static yyjson_mut_val *conditions_value(struct tree *tree, const struct condition *conditions, size_t count) {
    yyjson_mut_val *array = yyjson_mut_arr(tree->document);
    for (size_t i = 0; i < count; i++) {
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(tree->document, array);
        add_named(tree, object, "rule", text_value(tree, conditions[i].rule));
        add_named(tree, object, "value", number_value(tree, conditions[i].value));
        add_named(tree, object, "threshold", number_value(tree, conditions[i].threshold));
        add_named(tree, object, "met", yyjson_mut_bool(tree->document, conditions[i].met));
    }
    return array;
}

/* What would have to be more (or less), for a comparison that does not hold. */
static void add_missing(struct tree *tree, yyjson_mut_val *array, const struct condition *conditions, size_t count) {
    for (size_t i = 0; i < count; i++) {
        double missing = conditions[i].met ? 0.0 : conditions[i].threshold - conditions[i].value;
        add_named(tree, yyjson_mut_arr_get(array, i), "missing", number_value(tree, missing));
    }
}

/* The next better tier and how its enter rule stands; null at the top and while in no tier. */
static yyjson_mut_val *to_next_value(struct tree *tree, const struct tier_view *tier) {
    if (!tier->next_tier.data) {
        return yyjson_mut_null(tree->document);
    }
    yyjson_mut_val *object = yyjson_mut_obj(tree->document);
    add_named(tree, object, "tier", text_value(tree, tier->next_tier));
    yyjson_mut_val *conditions = conditions_value(tree, tier->to_next, tier->to_next_count);
    add_missing(tree, conditions, tier->to_next, tier->to_next_count);
    add_named(tree, object, "conditions", conditions);
    return object;
}

static yyjson_mut_val *forecast_value(struct tree *tree, const struct tier_view *tier) {
    if (!tier->forecast_tier.data) {
        return yyjson_mut_null(tree->document);
    }
    yyjson_mut_val *object = yyjson_mut_obj(tree->document);
    add_named(tree, object, "tier", text_value(tree, tier->forecast_tier));
    add_named(tree, object, "time_ms", integer_value(tree, tier->forecast_ms));
    return object;
}

/* Every change of the coming year if nothing happens. */
static yyjson_mut_val *ahead_value(struct tree *tree, const struct tier_view *tier) {
    yyjson_mut_val *array = yyjson_mut_arr(tree->document);
    for (size_t i = 0; i < tier->ahead_count; i++) {
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(tree->document, array);
        add_named(tree, object, "tier", text_value(tree, tier->ahead[i].tier));
        add_named(tree, object, "time_ms", integer_value(tree, tier->ahead[i].time_ms));
    }
    return array;
}

static yyjson_mut_val *tier_value(struct tree *tree, const struct tier_view *tier) {
    yyjson_mut_val *object = yyjson_mut_obj(tree->document);
    bool placed = tier->tier.data != NULL;
    add_named(tree, object, "tier", text_value(tree, tier->tier));
    add_named(tree, object, "since_ms", time_value(tree, placed ? tier->since_ms : TIME_NONE));
    add_named(tree, object, "sequence", integer_value(tree, tier->sequence));
    add_named(tree, object, "conditions", conditions_value(tree, tier->conditions, tier->conditions_count));
    add_named(tree, object, "to_next", to_next_value(tree, tier));
    add_named(tree, object, "forecast", forecast_value(tree, tier));
    add_named(tree, object, "forecast_conditions",
              conditions_value(tree, tier->forecast_conditions, tier->forecast_conditions_count));
    add_named(tree, object, "ahead", ahead_value(tree, tier));
    return object;
}

static yyjson_mut_val *tiers_value(struct tree *tree, const struct customer_view *view) {
    yyjson_mut_val *object = yyjson_mut_obj(tree->document);
    for (size_t i = 0; i < view->tiers_count; i++) {
        add(tree, object, view->tiers[i].set, tier_value(tree, &view->tiers[i]));
    }
    return object;
}

static yyjson_mut_val *values_value(struct tree *tree, const struct named_value *values, size_t count) {
    yyjson_mut_val *object = yyjson_mut_obj(tree->document);
    for (size_t i = 0; i < count; i++) {
        add(tree, object, values[i].name, number_value(tree, values[i].value));
    }
    return object;
}

static yyjson_mut_val *favourites_value(struct tree *tree, const struct favourite_view *favourites, size_t count) {
    yyjson_mut_val *array = yyjson_mut_arr(tree->document);
    for (size_t i = 0; i < count; i++) {
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(tree->document, array);
        add_named(tree, object, "name", text_value(tree, favourites[i].name));
        add_named(tree, object, "share", number_value(tree, favourites[i].share));
        add_named(tree, object, "weight", integer_value(tree, favourites[i].weight));
    }
    return array;
}

static yyjson_mut_val *stages_value(struct tree *tree, const struct customer_view *view) {
    yyjson_mut_val *object = yyjson_mut_obj(tree->document);
    for (int stage = 1; stage <= STAGES; stage++) {
        const struct stage_view *of = &view->stages[stage - 1];
        yyjson_mut_val *value = yyjson_mut_obj(tree->document);
        add_named(tree, value, "first_ms", time_value(tree, of->first_ms));
        add_named(tree, value, "days", number_value(tree, of->days));
        add_named(tree, object, journey_stage_name(stage), value);
    }
    return object;
}

static yyjson_mut_val *lifetime_value(struct tree *tree, const struct customer_view *view) {
    yyjson_mut_val *object = yyjson_mut_obj(tree->document);
    add_named(tree, object, "first_purchase_ms", time_value(tree, view->first_purchase_ms));
    add_named(tree, object, "last_purchase_ms", time_value(tree, view->last_purchase_ms));
    add_named(tree, object, "orders", integer_value(tree, view->orders));
    add_named(tree, object, "revenue", number_value(tree, view->revenue));
    add_named(tree, object, "top_categories", favourites_value(tree, view->top_categories, view->top_categories_count));
    add_named(tree, object, "top_channels", favourites_value(tree, view->top_channels, view->top_channels_count));
    add_named(tree, object, "stages", stages_value(tree, view));
    add_named(tree, object, "mean_interval_days", number_value(tree, view->mean_interval_days));
    add_named(tree, object, "frequency", text_value(tree, bytes_of_text(frequency_name((int)view->frequency))));
    add_named(tree, object, "referrals", integer_value(tree, view->referrals));
    add_named(tree, object, "referred_customers", integer_value(tree, view->referred_customers));
    add_named(tree, object, "referred_revenue",
              number_value(tree, (double)view->referred_revenue_minor / view->money_scale));
    add_named(tree, object, "p_alive", number_value(tree, view->p_alive));
    add_named(tree, object, "expected_purchases", number_value(tree, view->expected_purchases));
    add_named(tree, object, "clv", number_value(tree, view->clv));
    return object;
}

static void build(struct tree *tree, struct bytes customer_id, const struct customer_view *view) {
    yyjson_mut_val *root = yyjson_mut_obj(tree->document);
    yyjson_mut_doc_set_root(tree->document, root);
    add_named(tree, root, "customer_id", text_value(tree, customer_id));
    add_named(tree, root, "as_of_ms", time_value(tree, view->as_of_ms));
    add_named(tree, root, "tiers", tiers_value(tree, view));
    add_named(tree, root, "scores", values_value(tree, view->scores, view->scores_count));
    add_named(tree, root, "metrics", values_value(tree, view->metrics, view->metrics_count));
    add_named(tree, root, "lifetime", lifetime_value(tree, view));
}

/* An id that is not UTF-8 cannot be JSON. */
static int write(const yyjson_mut_doc *document, struct buffer *out) {
    yyjson_write_err error = {0};
    size_t size = 0;
    char *json = yyjson_mut_write_opts(document, YYJSON_WRITE_NOFLAG, NULL, &size, &error);
    if (!json) {
        return error.code == YYJSON_WRITE_ERROR_MEMORY_ALLOCATION ? ERR_NO_MEMORY : ERR_INVALID;
    }
    buffer_put(out, json, size);
    free(json);
    return out->error;
}

int customer_json_write(struct bytes customer_id, const struct customer_view *view, struct buffer *out) {
    struct tree tree = {.document = yyjson_mut_doc_new(NULL), .whole = true};
    if (!tree.document) {
        return ERR_NO_MEMORY;
    }
    build(&tree, customer_id, view);
    int err = tree.whole ? write(tree.document, out) : ERR_NO_MEMORY;
    yyjson_mut_doc_free(tree.document);
    return err;
}
