/* The model: everything the config says about scoring, compiled once, then shared read-only by all threads.
 *
 * The config layer fills a model_spec (plain text from the file) and calls model_compile, which parses the rules, resolves
 * names, finds the longest window, and refuses what makes no sense with the line, the column and what was expected. */
#ifndef TIDEMARK_SCORE_MODEL_H
#define TIDEMARK_SCORE_MODEL_H

#include "base/arena.h"
#include "score/options.h"
#include "score/rank.h"
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
    int64_t notice_ms; /* how long before a fall it is announced; 0: it is not */
    bool one_step;     /* demote: one_step */
    const struct tier_spec *tiers;
    size_t tiers_count;
};

/* Cut by fixed steps, by quantiles of all customers, or by shares of the sum; steps may stand in while customers are few. */
struct score_spec {
    struct spec_text name;
    struct spec_text metric;
    const double *steps; /* ascending */
    size_t steps_count;
    int quantiles;        /* 0: none */
    const double *shares; /* ascending, in per cent */
    size_t shares_count;
    bool best_low;
};

struct model_spec {
    const struct zone *zone;
    int money_decimals;                    /* of the base currency: 2 for EUR */
    size_t dedupe;                         /* event ids remembered per customer */
    size_t tiles_max;                      /* distinct days kept per customer inside the windows */
    int64_t ranked_minimum;                /* customers below whom quantiles and shares are not cut */
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
/* Of all sets together: the size of an array by tier, sets one after the other. */
size_t model_all_tiers_count(const struct model *model);
struct bytes model_tier_name(const struct model *model, size_t set, size_t tier);
uint16_t model_tier_tag(const struct model *model, size_t set, size_t tier);
const struct label_spec *model_treatment(const struct model *model, size_t set, size_t tier, size_t *count);
/* Whether its treatment has the label `alert`. */
bool model_tier_alerts(const struct model *model, size_t set, size_t tier);
size_t model_dedupe(const struct model *model);
int model_money_decimals(const struct model *model);
/* Minor units in a major one: 100 for EUR. */
double model_money_scale(const struct model *model);
const struct zone *model_zone(const struct model *model);
/* 16 hex digits over everything that decides: changes when the rules do. */
struct bytes model_version(const struct model *model);
/* The longest look-back of any window (window + ago), in days; 0 if no rule uses a window. */
int model_span_days(const struct model *model);

/* ---- scores that are cut by the customers themselves (score/rank.h) ---- */

size_t model_ranked_count(const struct model *model);
struct bytes model_ranked_name(const struct model *model, size_t ranked);
uint16_t model_ranked_tag(const struct model *model, size_t ranked);
/* The cut points of one ranked score from its histogram. */
struct score_cuts model_cut(const struct model *model, size_t ranked, const struct rank_count *counts,
                            size_t counts_count);

/* An edition of a model: the model as one task uses it, with the cut points in force. A customer remembers the edition by which it
 * was evaluated last; one of an older edition is evaluated anew, with CAUSE_RULES, before anything else happens to it. */
struct edition {
    uint32_t number;  /* counts up with every change of rules or cut points */
    int64_t since_ms; /* task clock at which it came into force */
    struct cut_points cuts;
};

/* A copy of the model that can be given editions; edition 0 without cut points to begin with. NULL without memory. The model
 * must outlive it. */
struct model *model_copy_for_task(const struct model *model);
void model_copy_destroy(struct model *copy);
/* The edition must outlive the copy, or be replaced. */
void model_set_edition(struct model *copy, const struct edition *edition);
const struct edition *model_edition(const struct model *model);

#endif
