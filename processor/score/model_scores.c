/* Scores, as the config says them: compiled and checked. */
#include "score/model_parts.h"

#include <stdio.h>

enum { WHERE_BYTES_MAX = 160 };

static const double *copy_numbers(struct arena *arena, const double *numbers, size_t count) {
    double *copy = arena_alloc(arena, (count + 1) * sizeof *copy);
    if (copy && count) {
        memcpy(copy, numbers, count * sizeof *copy);
    }
    return copy;
}

static int check_ascending(const struct score_spec *spec, const char *what, const double *numbers, size_t count,
                           struct model_error *error) {
    for (size_t i = 1; i < count; i++) {
        if (!(numbers[i] > numbers[i - 1])) {
            return model_fail(error, &spec->name, "the %s of score '%.*s' do not ascend", what,
                              TEXT_ARGS(spec->name.text));
        }
    }
    return 0;
}

/* How a score is cut: by steps, quantiles or shares; steps may stand beside one of the others. */
static int check_cuts(const struct score_spec *spec, struct model_error *error) {
    const struct bytes name = spec->name.text;
    bool ranked = spec->quantiles != 0 || spec->shares_count != 0;
    if ((spec->steps_count == 0 && !ranked) || spec->steps_count > STEPS_MAX) {
        return model_fail(error, &spec->name, "score '%.*s' needs 1 to %d steps", TEXT_ARGS(name), STEPS_MAX);
    }
    if (spec->quantiles && spec->shares_count) {
        return model_fail(error, &spec->name, "score '%.*s' has both quantiles and shares", TEXT_ARGS(name));
    }
    if (spec->quantiles && (spec->quantiles < 2 || spec->quantiles > CUTS_MAX + 1)) {
        return model_fail(error, &spec->name, "score '%.*s' needs 2 to %d quantiles", TEXT_ARGS(name), CUTS_MAX + 1);
    }
    if (spec->shares_count > CUTS_MAX) {
        return model_fail(error, &spec->name, "score '%.*s' has more than %d shares", TEXT_ARGS(name), CUTS_MAX);
    }
    for (size_t i = 0; i < spec->shares_count; i++) {
        if (!(spec->shares[i] > 0 && spec->shares[i] < 100)) {
            return model_fail(error, &spec->name, "the shares of score '%.*s' are per cent, between 0 and 100",
                              TEXT_ARGS(name));
        }
    }
    if (spec->shares_count && spec->best_low) {
        return model_fail(error, &spec->name,
                          "score '%.*s': shares go from the greatest value down, so best: low has no meaning",
                          TEXT_ARGS(name));
    }
    int result = check_ascending(spec, "steps", spec->steps, spec->steps_count, error);
    return result ? result : check_ascending(spec, "shares", spec->shares, spec->shares_count, error);
}

static int compile_score(const struct rule_scope *scope, const struct score_spec *spec, struct score *out,
                         struct model_error *error) {
    int result = model_check_name(&spec->name, "score", error);
    if (result) {
        return result;
    }
    /* Scores stand alone in rules, where these words mean something; tiers and sets stand behind `tier`. */
    for (int kind = 0; kind < METRIC_KINDS; kind++) {
        if (bytes_equal_text(spec->name.text, metric_rows[kind].name)) {
            return model_fail(error, &spec->name, "score '%s' has the name of a metric", metric_rows[kind].name);
        }
    }
    struct constant constant;
    if (rule_constant(spec->name.text, &constant)) {
        return model_fail(error, &spec->name, "score '%s' has the name of a value of %s", constant.name,
                          constant.kind == CONSTANT_STAGE ? "stage" : "frequency");
    }
    if (bytes_equal_text(spec->name.text, "trend") || bytes_equal_text(spec->name.text, "rising")) {
        return model_fail(error, &spec->name, "score '%.*s' is a word of the rule language",
                          TEXT_ARGS(spec->name.text));
    }
    result = check_cuts(spec, error);
    struct rule metric;
    result = result ? result : rule_compile(scope, &spec->metric, &metric, error);
    if (result) {
        return result;
    }
    bool elapsed = metric_rows[scope->slots->slots[metric.ops[0].index].kind].elapsed;
    if (elapsed && spec->shares_count) {
        return model_fail(error, &spec->metric,
                          "elapsed time has no sum that customers could have shares of: use quantiles");
    }
    *out = (struct score){
        .name = arena_copy(scope->arena, spec->name.text),
        .slot = metric.ops[0].index,
        .steps = copy_numbers(scope->arena, spec->steps, spec->steps_count),
        .steps_count = spec->steps_count,
        .ranked = -1,
        .rank_rule = {.quantiles = spec->quantiles,
                      .best_low = spec->best_low,
                      .shares = copy_numbers(scope->arena, spec->shares, spec->shares_count),
                      .shares_count = spec->shares_count},
        .tag = model_tag_of(spec->name.text),
        .best_low = spec->best_low,
        .elapsed = metric_moves(scope->slots->slots[metric.ops[0].index].kind),
    };
    return out->name.data && out->steps && out->rank_rule.shares ? 0 : model_out_of_memory(error);
}

/* Gives a score that is cut by the customers its place among those. */
static int rank_score(struct model *model, size_t index, const struct score_spec *spec, struct model_error *error) {
    struct score *score = &model->scores[index];
    if (!spec->quantiles && !spec->shares_count) {
        return 0;
    }
    for (size_t i = 0; i < model->ranked_count; i++) {
        if (model->scores[model->ranked[i]].tag == score->tag) {
            return model_fail(error, &spec->name,
                              "scores '%.*s' and '%.*s' cannot be told apart in the stored state: rename one",
                              TEXT_ARGS(score->name), TEXT_ARGS(model->scores[model->ranked[i]].name));
        }
    }
    if (model->ranked_count == RANKED_SCORES_MAX) {
        return model_fail(error, &spec->name, "more than %d scores with quantiles or shares", RANKED_SCORES_MAX);
    }
    score->ranked = (int)model->ranked_count;
    model->ranked[model->ranked_count++] = (uint16_t)index;
    return 0;
}

int model_compile_scores(struct arena *arena, const struct model_spec *spec, struct model *model,
                         struct model_error *error) {
    if (spec->scores_count > SCORES_MAX) {
        return model_fail(error, &spec->scores[SCORES_MAX].name, "more than %d scores", SCORES_MAX);
    }
    model->scores = arena_alloc_zero(arena, spec->scores_count * sizeof *model->scores);
    if (!model->scores) {
        return model_out_of_memory(error);
    }
    for (size_t i = 0; i < spec->scores_count; i++) {
        char where[WHERE_BYTES_MAX];
        snprintf(where, sizeof where, "scores.%.*s.metric", TEXT_ARGS(spec->scores[i].name.text));
        struct rule_scope scope = {.arena = arena, .slots = &model->slots, .where = where, .metric_only = true};
        for (size_t j = 0; j < i; j++) {
            if (bytes_equal(spec->scores[i].name.text, spec->scores[j].name.text)) {
                return model_fail(error, &spec->scores[i].name, "score '%.*s' stands twice",
                                  TEXT_ARGS(spec->scores[i].name.text));
            }
        }
        int result = compile_score(&scope, &spec->scores[i], &model->scores[i], error);
        result = result ? result : rank_score(model, i, &spec->scores[i], error);
        if (result) {
            return result;
        }
        model->scores_count++;
    }
    return 0;
}
