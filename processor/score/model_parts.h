/* The inside of a model, for the files of score/. */
#ifndef TIDEMARK_SCORE_MODEL_PARTS_H
#define TIDEMARK_SCORE_MODEL_PARTS_H

#include "score/activity.h"
#include "score/model.h"
#include "score/rules.h"

enum { SCORES_MAX = 64, SETS_MAX = 64, TIERS_MAX = 64, STEPS_MAX = 32, WINDOWS_MAX = METRIC_SLOTS_MAX };

struct score {
    struct bytes name;
    uint16_t slot;
    const double *steps; /* ascending */
    size_t steps_count;
    int ranked; /* index among the ranked scores; -1: cut by steps only */
    struct rank_rule rank_rule;
    uint16_t tag;
    bool best_low;
    bool elapsed;  /* its metric depends on elapsed time */
    uint64_t sets; /* whose rules use it, as bits */
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
    int64_t notice_ms;
    bool one_step;
    struct tier *tiers;
    size_t tiers_count;
    /* What its rules use, directly or through a score, in order of first use: for the snapshot in a tier change. */
    const uint16_t *scores;
    size_t scores_count;
    const uint16_t *slots;
    size_t slots_count;
    /* Sets as bits: this one and those that its rules refer to, and theirs; those whose rules refer to this one. */
    uint64_t needs;
    uint64_t referrers;
    bool
        calm; /* once decided it stays so until something moves: a tier is kept as it is entered, and no step waits for the next */
};

/* One look-back used by some rule: a day enters it `ago` days after itself, and leaves it `window + ago` days after. */
struct window {
    int32_t leaves_after;
    int32_t enters_after; /* 0: on its own day, so by time alone only where a refund names an order to come */
    /* What a day that comes or goes can change, if it has any of these tile fields: metrics, scores and sets as bits. */
    uint64_t fields;
    uint64_t slots[METRIC_SLOTS_MAX / 64];
    uint64_t scores;
    uint64_t sets;   /* directly or by a score */
    uint64_t direct; /* directly */
    bool ranked;     /* a score that is cut by all customers */
};

/* What elapsed time turns by itself: a score's step, or a comparison. */
struct turn {
    const struct score *score; /* NULL: a comparison */
    const struct rule *rule;
    const struct comparison *comparison;
    int slot; /* of the one metric that is compared with a number; -1: anything else */
    double number;
    bool flipped;  /* the number stands on the left */
    uint64_t sets; /* that it concerns, as bits */
};

struct model {
    const struct zone *zone;
    struct scoring_options options; /* once compiled without the multipliers' spec */
    double **multipliers;           /* of points: by set, then by tier; NULL for a set that multiplies nothing */
    bool keeps_points;              /* a rule uses them, or the options say so */
    bool keeps_engagement;
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
    struct turn *turns; /* scores first */
    size_t turns_count;
    uint64_t activity_sets[ACTIVITY_TYPES];       /* that an activity of the type can move, as bits */
    bool activity_ranks[ACTIVITY_TYPES];          /* whether it can move a rank */
    bool ranks_fall;                              /* some rank moves with elapsed time */
    uint64_t slots_moving[METRIC_SLOTS_MAX / 64]; /* bits of the metrics that time alone changes */
    uint64_t scores_moving;                       /* and of the scores by them */
    struct bytes version;
    uint16_t ranked[RANKED_SCORES_MAX]; /* indexes of scores */
    size_t ranked_count;
    int64_t ranked_minimum;
    uint64_t notices; /* sets that announce falls, as bits */
    const struct edition *edition;
};

/* The bit of a set, a score or a tile field. */
static inline uint64_t bit(size_t index) {
    return UINT64_C(1) << index;
}

/* A name for "%.*s" in a message, cut where it would be too long. */
#define TEXT_ARGS(bytes) text_width(bytes), (bytes).data
static inline int text_width(struct bytes text) {
    return text.size < 80 ? (int)text.size : 80;
}

/* Fills the error; always ERR_INVALID. */
int model_fail(struct model_error *error, const struct spec_text *at, const char *format, ...) PRINTF_LIKE(3, 4);

/* The same for want of memory; always ERR_NO_MEMORY. */
int model_out_of_memory(struct model_error *error);
/* Names stand in rules and in JSON, and some have a meaning of their own. */
int model_check_name(const struct spec_text *name, const char *kind, struct model_error *error) MUST_CHECK;
/* The stored mark of a name: never 0, which means none. */
uint16_t model_tag_of(struct bytes name);

/* model_scores.c */
int model_compile_scores(struct arena *arena, const struct model_spec *spec, struct model *model,
                         struct model_error *error) MUST_CHECK;

/* model_reach.c */
/* Once everything is compiled: what can be moved by what. */
int model_collect_reach(struct arena *arena, struct model *model) MUST_CHECK;

/* model_options.c */
/* Resolves the options, which stand in the model as they were given, against its sets and metrics. */
int model_resolve_options(struct arena *arena, struct model *model, struct model_error *error) MUST_CHECK;
/* Adds what of the options decides to the text that the version is made from. */
void model_options_digest(const struct model *model, struct buffer *out);

#endif
