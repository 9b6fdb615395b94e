/* The inside of a model, for the files of score/. */
#ifndef TIDEMARK_SCORE_MODEL_PARTS_H
#define TIDEMARK_SCORE_MODEL_PARTS_H

#include "score/model.h"
#include "score/rules.h"

enum { SCORES_MAX = 64, SETS_MAX = 64, TIERS_MAX = 64, STEPS_MAX = 32, WINDOWS_MAX = METRIC_SLOTS_MAX };

struct score {
    struct bytes name;
    uint16_t slot;
    const double *steps; /* ascending */
    size_t steps_count;
    bool best_low;
    bool elapsed; /* its metric grows with time */
};

struct tier {
    struct bytes name;
    uint16_t tag;
    bool everyone; /* no rule: the last tier */
    struct rule enter;
    struct rule stay; /* equal to enter when none is given */
    const struct label_spec *treatment;
    size_t treatment_count;
};

struct tier_set {
    struct bytes name;
    struct bytes topic;
    uint16_t tag;
    int64_t hold_ms;
    int64_t grace_ms;
    bool one_step;
    struct tier *tiers;
    size_t tiers_count;
    /* What its rules use, directly or through a score, in order of first use: for the snapshot in a tier change. */
    const uint16_t *scores;
    size_t scores_count;
    const uint16_t *slots;
    size_t slots_count;
};

/* One look-back used by some rule: a day enters it `ago` days after itself, and leaves it `window + ago` days after. */
struct window {
    int32_t leaves_after;
    int32_t enters_after; /* 0: on its own day, so by time alone only where a refund names an order to come */
};

struct model {
    const struct zone *zone;
    int money_decimals;
    double money_scale;
    size_t dedupe;
    size_t tiles_max;
    struct metric_slots slots;
    struct score *scores;
    size_t scores_count;
    struct tier_set *sets;
    size_t sets_count;
    struct window *windows;
    size_t windows_count;
    int32_t span_days;
    /* Every comparison that elapsed time can turn, with the rule it stands in. */
    const struct comparison **elapsed;
    const struct rule **elapsed_rules;
    size_t elapsed_count;
    struct bytes version;
};

#endif
