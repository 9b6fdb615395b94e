/* The model: everything the config says about scoring, compiled once, then shared read-only by all threads.
 *
 * The config layer fills a model_spec (plain text from the file) and calls model_compile, which parses the rules, resolves
 * names, finds the longest window, and refuses what makes no sense with the line, the column and what was expected. */
#ifndef TIDEMARK_SCORE_MODEL_H
#define TIDEMARK_SCORE_MODEL_H

#include "base/arena.h"
#include "score/options.h"
#include "score/zone.h"

struct model;

struct label_spec { /* one treatment label */
    struct bytes name;
    struct bytes value;
};

struct tier_spec {
    struct spec_text name;
    struct spec_text enter; /* text.data NULL: takes everyone else (last tier only) */
    struct spec_text stay;  /* text.data NULL: as enter */
    const struct label_spec *treatment;
    size_t treatment_count;
};

struct tier_set_spec {
    struct spec_text name;
    struct bytes topic; /* data NULL: the default topic */
    int64_t hold_ms;
    int64_t grace_ms;
    bool one_step; /* demote: one_step */
    const struct tier_spec *tiers;
    size_t tiers_count;
};

struct score_spec {
    struct spec_text name;
    struct spec_text metric;
    const double *steps; /* ascending */
    size_t steps_count;
    bool best_low;
};

struct model_spec {
    const struct zone *zone;
    int money_decimals;                    /* of the base currency: 2 for EUR */
    size_t dedupe;                         /* event ids remembered per customer */
    size_t tiles_max;                      /* distinct days kept per customer inside the windows */
    const struct scoring_options *options; /* NULL: the defaults */
    const struct score_spec *scores;
    size_t scores_count;
    const struct tier_set_spec *sets;
    size_t sets_count;
};

/* What is wrong, where. message is complete English, e.g.
 * "unknown metric 'revenu' in tier_sets.value.tiers[0].enter; did you mean 'revenue'?" */
struct model_error {
    int line;
    int column;
    char message[400];
};

/* Compiles into the arena, which must outlive the model; the spec need not. On failure the error is filled. */
int model_compile(struct arena *arena, const struct model_spec *spec, struct model **out,
                  struct model_error *error) MUST_CHECK;

size_t model_sets_count(const struct model *model);
struct bytes model_set_name(const struct model *model, size_t set);
struct bytes model_set_topic(const struct model *model, size_t set); /* data NULL: the default */
uint16_t model_set_tag(const struct model *model, size_t set);
size_t model_tiers_count(const struct model *model, size_t set);
struct bytes model_tier_name(const struct model *model, size_t set, size_t tier);
uint16_t model_tier_tag(const struct model *model, size_t set, size_t tier);
const struct label_spec *model_treatment(const struct model *model, size_t set, size_t tier, size_t *count);
size_t model_dedupe(const struct model *model);
int model_money_decimals(const struct model *model);
const struct zone *model_zone(const struct model *model);
/* 16 hex digits over everything that decides: changes when the rules do. */
struct bytes model_version(const struct model *model);
/* The longest look-back of any window (window + ago), in days; 0 if no rule uses a window. */
int model_span_days(const struct model *model);

#endif
