#include "score/explain.h"

#include "score/customer_value.h"
#include "score/step.h"

#include <stdlib.h>

enum {
    AHEAD_MAX = 64, /* changes of one set told of the coming year */
    AHEAD_DAYS = 366,
};

static struct condition condition_of(struct evaluation *evaluation, const struct rule *rule,
                                     const struct comparison *comparison) {
    enum op_code code = rule->ops[comparison->end].code;
    if (code == OP_TIER_IS || code == OP_TIER_IS_NOT) {
        bool met = evaluation_side(evaluation, rule, comparison->end, comparison->end + 1U) != 0.0;
        return (struct condition){comparison->text, NO_VALUE, NO_VALUE, met};
    }
    double left = evaluation_side(evaluation, rule, comparison->left, comparison->right);
    double right = evaluation_side(evaluation, rule, comparison->right, comparison->end);
    return (struct condition){comparison->text, left, right, compare(code, left, right)};
}

int explain_rules(struct evaluation *evaluation, const struct rule *const *rules, size_t rules_count,
                  struct arena *arena, const struct condition **out, size_t *count) {
    size_t total = 0;
    for (size_t i = 0; i < rules_count; i++) {
        total += rules[i] ? rules[i]->comparisons_count : 0;
    }
    struct condition *conditions = arena_alloc(arena, total * sizeof *conditions);
    if (!conditions) {
        return ERR_NO_MEMORY;
    }
    size_t at = 0;
    for (size_t i = 0; i < rules_count; i++) {
        for (size_t j = 0; rules[i] && j < rules[i]->comparisons_count; j++) {
            conditions[at++] = condition_of(evaluation, rules[i], &rules[i]->comparisons[j]);
        }
    }
    *out = conditions;
    *count = at;
    return 0;
}

int explain_metrics(struct evaluation *evaluation, const struct tier_set *set, struct arena *arena,
                    const struct named_value **out, size_t *count) {
    const struct model *model = evaluation->model;
    struct named_value *values = arena_alloc(arena, (set->scores_count + set->slots_count) * sizeof *values);
    if (!values) {
        return ERR_NO_MEMORY;
    }
    size_t at = 0;
    for (size_t i = 0; i < set->scores_count; i++) {
        size_t score = set->scores[i];
        values[at++] = (struct named_value){model->scores[score].name, evaluation_score(evaluation, score)};
    }
    for (size_t i = 0; i < set->slots_count; i++) {
        size_t slot = set->slots[i];
        values[at++] = (struct named_value){model->slots.slots[slot].text, evaluation_metric(evaluation, slot)};
    }
    *out = values;
    *count = at;
    return 0;
}

int explain_change(struct evaluation *evaluation, const struct tier_set *set, int from, int to, struct arena *arena,
                   const struct condition **out, size_t *count) {
    const struct rule *rules[2];
    size_t rules_count = 0;
    if (from >= 0 && to > from) { /* not from the last one, which has no rule */
        rules[rules_count++] = &set->tiers[from].stay;
    }
    if (!set->tiers[to].everyone) {
        rules[rules_count++] = &set->tiers[to].enter;
    }
    return explain_rules(evaluation, rules, rules_count, arena, out, count);
}

/* ---- looking ahead ---- */

/* A copy to step ahead with. What no step changes stays borrowed from the customer. */
static int ahead_init(struct customer *ahead, const struct customer *customer) {
    struct tiles tiles = {0};
    struct tier_state *tiers = malloc((customer->tiers_count + 1U) * sizeof *tiers);
    if (!tiers || tiles_reserve(&tiles, customer->tiles.count)) {
        free(tiers);
        return ERR_NO_MEMORY;
    }
    memcpy(tiers, customer->tiers, customer->tiers_count * sizeof *tiers);
    if (customer->tiles.count > 0) {
        memcpy(tiles.cells, customer->tiles.cells, customer->tiles.count * sizeof *tiles.cells);
    }
    tiles.count = customer->tiles.count;
    *ahead = *customer;
    ahead->tiles = tiles;
    ahead->tiers = tiers;
    return 0;
}

static void ahead_finish(struct customer *ahead) {
    tiles_finish(&ahead->tiles);
    free(ahead->tiers);
}

/* Takes note of a change that a step ahead has brought. */
static int note_forecast(const struct customer *ahead, const struct model *model, size_t set, int from,
                         struct arena *arena, struct forecast *forecast) {
    *forecast = (struct forecast){.tier = ahead->tiers[set].tier, .time_ms = ahead->now_ms};
    if (!arena) {
        return 0;
    }
    struct evaluation evaluation;
    evaluation_init(&evaluation, ahead, model, ahead->now_ms);
    return explain_change(&evaluation, &model->sets[set], from, forecast->tier, arena, &forecast->conditions,
                          &forecast->conditions_count);
}

int explain_forecast(const struct customer *customer, const struct model *model, uint64_t wanted, struct arena *arena,
                     struct forecast *forecasts) {
    struct customer ahead;
    int error = ahead_init(&ahead, customer);
    if (error) {
        return error;
    }
    for (size_t set = 0; set < model->sets_count; set++) {
        forecasts[set] = (struct forecast){.tier = -1, .time_ms = TIME_NEVER};
    }
    for (int step = 0; step < FORECAST_STEPS_MAX && ahead.wake_ms != TIME_NEVER && wanted && !error; step++) {
        step_to(&ahead, model, ahead.wake_ms);
        for (size_t set = 0; set < model->sets_count && !error; set++) {
            if (wanted & bit(set) && ahead.tiers[set].sequence != customer->tiers[set].sequence) {
                error = note_forecast(&ahead, model, set, customer->tiers[set].tier, arena, &forecasts[set]);
                wanted &= ~bit(set);
            }
        }
    }
    ahead_finish(&ahead);
    return error;
}

static bool alerts(const struct customer *customer, const struct model *model) {
    for (size_t set = 0; set < model->sets_count; set++) {
        int tier = customer->tiers[set].tier;
        if (tier >= 0 && model_tier_alerts(model, set, (size_t)tier)) {
            return true;
        }
    }
    return false;
}

int explain_alert(const struct customer *customer, const struct model *model, int64_t until_ms, int64_t *alert_ms) {
    struct customer ahead;
    int error = ahead_init(&ahead, customer);
    if (error) {
        return error;
    }
    bool alerting = alerts(&ahead, model);
    for (int step = 0; step < FORECAST_STEPS_MAX && !alerting && ahead.wake_ms <= until_ms; step++) {
        step_to(&ahead, model, ahead.wake_ms);
        alerting = alerts(&ahead, model);
    }
    *alert_ms = alerting ? ahead.now_ms : TIME_NEVER;
    ahead_finish(&ahead);
    return 0;
}

/* Every change of each set from now to until_ms. */
static int look_ahead(const struct customer *customer, const struct model *model, int64_t until_ms, struct arena *arena,
                      struct tier_view *views) {
    struct customer ahead;
    struct tier_step *steps = arena_alloc(arena, model->sets_count * AHEAD_MAX * sizeof *steps);
    if (!steps || ahead_init(&ahead, customer)) {
        return ERR_NO_MEMORY;
    }
    uint32_t sequences[SETS_MAX];
    for (size_t set = 0; set < model->sets_count; set++) {
        views[set].ahead = steps + set * AHEAD_MAX;
        sequences[set] = customer->tiers[set].sequence;
    }
    for (int step = 0; step < FORECAST_STEPS_MAX && ahead.wake_ms <= until_ms; step++) {
        step_to(&ahead, model, ahead.wake_ms);
        for (size_t set = 0; set < model->sets_count; set++) {
            const struct tier_state *state = &ahead.tiers[set];
            if (state->sequence != sequences[set] && views[set].ahead_count < AHEAD_MAX) {
                sequences[set] = state->sequence;
                steps[set * AHEAD_MAX + views[set].ahead_count++] =
                    (struct tier_step){model->sets[set].tiers[state->tier].name, ahead.now_ms};
            }
        }
    }
    ahead_finish(&ahead);
    return 0;
}

/* ---- the whole customer ---- */

static int view_tier(struct evaluation *evaluation, size_t index, const struct forecast *forecast, struct arena *arena,
                     struct tier_view *view) {
    const struct tier_set *set = &evaluation->model->sets[index];
    const struct tier_state *state = &evaluation->customer->tiers[index];
    *view = (struct tier_view){.set = set->name, .since_ms = state->since_ms, .sequence = state->sequence};
    if (state->tier < 0) {
        return 0;
    }
    const struct tier *tier = &set->tiers[state->tier];
    const struct rule *keeps = tier->everyone ? NULL : &tier->stay;
    view->tier = tier->name;
    int error = explain_rules(evaluation, &keeps, 1, arena, &view->conditions, &view->conditions_count);
    if (!error && state->tier > 0) {
        const struct rule *enter = &set->tiers[state->tier - 1].enter;
        view->next_tier = set->tiers[state->tier - 1].name;
        error = explain_rules(evaluation, &enter, 1, arena, &view->to_next, &view->to_next_count);
    }
    if (!error && forecast->tier >= 0) {
        view->forecast_tier = set->tiers[forecast->tier].name;
        view->forecast_ms = forecast->time_ms;
        view->forecast_conditions = forecast->conditions;
        view->forecast_conditions_count = forecast->conditions_count;
    }
    return error;
}

int explain_values(struct evaluation *evaluation, struct arena *arena, struct customer_values *out) {
    const struct model *model = evaluation->model;
    struct named_value *scores = arena_alloc(arena, model->scores_count * sizeof *scores);
    struct named_value *metrics = arena_alloc(arena, model->slots.count * sizeof *metrics);
    if (!scores || !metrics) {
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < model->scores_count; i++) {
        scores[i] = (struct named_value){model->scores[i].name, evaluation_score(evaluation, i)};
    }
    for (size_t i = 0; i < model->slots.count; i++) {
        metrics[i] = (struct named_value){model->slots.slots[i].text, evaluation_metric(evaluation, i)};
    }
    *out = (struct customer_values){scores, model->scores_count, metrics, model->slots.count};
    return 0;
}

static int view_favourites(const struct favourites *favourites, struct arena *arena, const struct favourite_view **out,
                           size_t *count) {
    struct favourite top[FAVOURITES_MAX];
    *count = favourites_top(favourites, top);
    double total = (double)favourites_total(favourites);
    struct favourite_view *views = arena_alloc(arena, *count * sizeof *views);
    if (!views) {
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < *count; i++) {
        views[i] =
            (struct favourite_view){arena_copy(arena, top[i].name), (double)top[i].weight / total, top[i].weight};
        if (!views[i].name.data) {
            return ERR_NO_MEMORY;
        }
    }
    *out = views;
    return 0;
}

static void view_value(const struct customer *customer, const struct model *model, struct customer_view *out) {
    const struct ltv_params *params = &model->options.lifetime_value;
    const double days = (double)MS_PER_DAY / params->unit_ms;
    struct ltv_history history;
    out->p_alive = out->expected_purchases = out->clv = NO_VALUE;
    if (customer->first_purchase_ms != TIME_NONE) {
        customer_ltv_history(customer, params, out->as_of_ms, &history);
        out->p_alive = ltv_p_alive(params, &history);
        out->expected_purchases = ltv_expected_purchases(params, &history, VIEW_PURCHASES_DAYS * days);
        out->clv = ltv_clv(params, &history, VIEW_CLV_DAYS * days, params->discount);
    }
}

static int view_lifetime(const struct customer *customer, const struct model *model, struct arena *arena,
                         struct customer_view *out) {
    out->first_purchase_ms = customer->first_purchase_ms;
    out->last_purchase_ms = customer->last_purchase_ms;
    out->orders = tiles_total(&customer->tiles, TILE_PURCHASES);
    out->revenue = (double)tiles_total(&customer->tiles, TILE_REVENUE) / model->money_scale;
    out->mean_interval_days = purchase_days_mean_interval(&customer->purchase_days);
    out->frequency = customer_frequency(customer, model);
    out->money_scale = model->money_scale;
    view_value(customer, model, out);
    out->referrals = tiles_total(&customer->tiles, TILE_INTERACTIONS + INTERACTION_REFERRAL);
    for (int stage = 1; stage <= STAGES; stage++) {
        int64_t spent_ms = journey_spent_ms(&customer->journey, (enum journey_stage)stage, out->as_of_ms);
        out->stages[stage - 1] = (struct stage_view){
            .first_ms = customer->journey.first_ms[stage - 1],
            .days = spent_ms < 0 ? NO_VALUE : (double)spent_ms / (double)MS_PER_DAY,
        };
    }
    int error = view_favourites(&customer->categories, arena, &out->top_categories, &out->top_categories_count);
    return error ? error : view_favourites(&customer->channels, arena, &out->top_channels, &out->top_channels_count);
}

static int view_all(struct customer *customer, const struct model *model, int64_t at_ms, struct arena *arena,
                    struct customer_view *out) {
    struct forecast forecasts[SETS_MAX];
    struct tier_view *tiers = arena_alloc(arena, model->sets_count * sizeof *tiers);
    if (!tiers) {
        return ERR_NO_MEMORY;
    }
    int64_t as_of_ms = at_ms > customer->now_ms ? at_ms : customer->now_ms;
    customer_advance(customer, model, as_of_ms, NULL);
    as_of_ms = as_of_ms > customer->now_ms ? as_of_ms : customer->now_ms; /* brought to an edition that began later */
    int error = explain_forecast(customer, model, UINT64_MAX, arena, forecasts);
    struct evaluation evaluation;
    evaluation_init(&evaluation, customer, model, as_of_ms);
    for (size_t set = 0; set < model->sets_count && !error; set++) {
        error = view_tier(&evaluation, set, &forecasts[set], arena, &tiers[set]);
    }
    error = error ? error : look_ahead(customer, model, as_of_ms + (int64_t)AHEAD_DAYS * MS_PER_DAY, arena, tiers);
    *out = (struct customer_view){
        .as_of_ms = as_of_ms,
        .tiers = tiers,
        .tiers_count = model->sets_count,
    };
    error = error ? error : view_lifetime(customer, model, arena, out);
    return error ? error : explain_values(&evaluation, arena, &out->values);
}

int customer_explain(const struct customer *customer, const struct model *model, int64_t at_ms, struct arena *arena,
                     struct customer_view *out) {
    struct customer *then = customer_copy(customer, model);
    if (!then) {
        return ERR_NO_MEMORY;
    }
    int error = view_all(then, model, at_ms, arena, out);
    customer_destroy(then);
    return error;
}
