/* The options beside scores and tier sets, as the model keeps them. */
#include "score/model_parts.h"
#include "score/rules_lexer.h"

/* "unknown tier 'vipp' in points.multipliers; did you mean 'vip'?" */
static int fail_unknown(struct model_error *error, const char *kind, const struct spec_text *name,
                        const struct nearest *nearest) {
    if (nearest->best.data) {
        return model_fail(error, name, "unknown %s '%.*s' in points.multipliers; did you mean '%.*s'?", kind,
                          TEXT_ARGS(name->text), TEXT_ARGS(nearest->best));
    }
    return model_fail(error, name, "unknown %s '%.*s' in points.multipliers", kind, TEXT_ARGS(name->text));
}

static int find_set(const struct model *model, const struct spec_text *name, size_t *set, struct model_error *error) {
    struct nearest nearest;
    nearest_init(&nearest, name->text);
    for (*set = 0; *set < model->sets_count; ++*set) {
        if (bytes_equal(model->sets[*set].name, name->text)) {
            return 0;
        }
        nearest_offer(&nearest, model->sets[*set].name);
    }
    return fail_unknown(error, "tier set", name, &nearest);
}

static int find_tier(const struct tier_set *set, const struct spec_text *name, size_t *tier,
                     struct model_error *error) {
    struct nearest nearest;
    nearest_init(&nearest, name->text);
    for (*tier = 0; *tier < set->tiers_count; ++*tier) {
        if (bytes_equal(set->tiers[*tier].name, name->text)) {
            return 0;
        }
        nearest_offer(&nearest, set->tiers[*tier].name);
    }
    return fail_unknown(error, "tier", name, &nearest);
}

/* The factors of one set's tiers, 1 where nothing else is said. */
static double *factors_of(struct arena *arena, struct model *model, double **factors, size_t set) {
    if (!factors[set]) {
        factors[set] = arena_alloc(arena, model->sets[set].tiers_count * sizeof(double));
        for (size_t tier = 0; factors[set] && tier < model->sets[set].tiers_count; tier++) {
            factors[set][tier] = 1;
        }
    }
    return factors[set];
}

static int resolve_multipliers(struct arena *arena, const struct points_options *points, struct model *model,
                               struct model_error *error) {
    double **factors = arena_alloc_zero(arena, (model->sets_count + 1) * sizeof *factors);
    if (!factors) {
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < points->multipliers_count; i++) {
        const struct multiplier_spec *spec = &points->multipliers[i];
        size_t set;
        size_t tier;
        int result = find_set(model, &spec->set, &set, error);
        result = result ? result : find_tier(&model->sets[set], &spec->tier, &tier, error);
        if (result) {
            return result;
        }
        if (!factors_of(arena, model, factors, set)) {
            return ERR_NO_MEMORY;
        }
        factors[set][tier] = spec->factor;
    }
    model->multipliers = factors;
    return 0;
}

static bool uses(const struct model *model, enum metric_kind kind) {
    for (size_t i = 0; i < model->slots.count; i++) {
        if (model->slots.slots[i].kind == kind) {
            return true;
        }
    }
    return false;
}

int model_resolve_options(struct arena *arena, struct model *model, struct model_error *error) {
    struct scoring_options *options = &model->options;
    ASSERT(options->engagement.half_life_ms > 0);
    ASSERT(ltv_params_are_valid(&options->lifetime_value) && options->lifetime_value.discount >= 0);
    model->keeps_points = options->points.kept || uses(model, METRIC_POINTS);
    model->keeps_engagement = options->engagement.kept || uses(model, METRIC_ENGAGEMENT);
    int result = resolve_multipliers(arena, &options->points, model, error);
    options->points.multipliers = NULL;
    if (result == ERR_NO_MEMORY) {
        static const struct spec_text nowhere = {{"", 0}, 0, 0};
        model_fail(error, &nowhere, "the rules need more memory than they may have");
    }
    return result;
}

/* Only what the rules use: else new parameters of what is merely shown would have everybody evaluated anew. */
static void digest_lifetime_value(const struct model *model, struct buffer *out) {
    const struct ltv_params *params = &model->options.lifetime_value;
    bool clv = uses(model, METRIC_CLV);
    if (clv || uses(model, METRIC_P_ALIVE) || uses(model, METRIC_EXPECTED_PURCHASES)) {
        const double purchases[] = {params->r, params->alpha, params->a, params->b, params->unit_ms};
        buffer_printf(out, "purchases %d;", (int)params->model);
        buffer_put(out, purchases, sizeof purchases);
    }
    if (clv || uses(model, METRIC_MEAN_SPEND)) {
        const double spend[] = {params->p, params->q, params->v};
        buffer_put_text(out, "spend;");
        buffer_put(out, spend, sizeof spend);
    }
    if (clv) {
        buffer_put_text(out, "discount;");
        buffer_put(out, &params->discount, sizeof params->discount);
    }
}

void model_options_digest(const struct model *model, struct buffer *out) {
    const struct scoring_options *options = &model->options;
    buffer_printf(out, "options %d;", (int)options->ces);
    buffer_put(out, &options->frequent_interval_days, sizeof options->frequent_interval_days);
    buffer_put(out, &options->rising_below, sizeof options->rising_below);
    buffer_put(out, &options->points.per_unit, sizeof options->points.per_unit);
    buffer_put(out, options->points.events, sizeof options->points.events);
    for (size_t set = 0; set < model->sets_count; set++) {
        if (model->multipliers[set]) {
            buffer_printf(out, "x%zu;", set);
            buffer_put(out, model->multipliers[set], model->sets[set].tiers_count * sizeof(double));
        }
    }
    buffer_put_signed(out, options->engagement.half_life_ms);
    buffer_put(out, options->engagement.weights, sizeof options->engagement.weights);
    digest_lifetime_value(model, out);
}
