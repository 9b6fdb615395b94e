/* Options of scoring that stand beside scores and tier sets: what counts as frequent, what earns points, how fast engagement
 * fades, how long customers stay. Fixed when the model is compiled. */
#ifndef TIDEMARK_SCORE_OPTIONS_H
#define TIDEMARK_SCORE_OPTIONS_H

#include "score/activity.h"
#include "score/lifetime_value.h"

/* Text from the config and where it stands, for error messages. line 0: not from a file. */
struct spec_text {
    struct bytes text;
    int line;   /* of the file, from 1 */
    int column; /* of the text's first character, from 1 */
};

enum ces_kind { CES_MEAN, CES_SHARE };

struct multiplier_spec {
    struct spec_text set;
    struct spec_text tier;
    double factor;
};

/* The kinds of events, numbered through: purchase, refund, cancellation, then interactions, then surveys. */
enum { ACTIVITY_KINDS = PURCHASE_KINDS + INTERACTION_KINDS + SURVEYS };

struct points_options {
    bool kept;                     /* even if no rule uses them yet */
    double per_unit;               /* for each major unit of money of a purchase */
    double events[ACTIVITY_KINDS]; /* by activity_kind */
    const struct multiplier_spec *multipliers;
    size_t multipliers_count;
};

struct engagement_options {
    bool kept; /* even if no rule uses it yet */
    int64_t half_life_ms;
    double weights[INTERACTION_KINDS + 1]; /* by enum interaction_kind */
};

struct scoring_options {
    enum ces_kind ces;
    double frequent_interval_days; /* mean interval up to which a customer is frequent */
    double rising_below;           /* revenue in the window, in major units, up to which a rising customer is small */
    struct points_options points;
    struct engagement_options engagement;
    struct ltv_params lifetime_value; /* its money_scale is the model's */
};

/* The defaults of config/sample.yaml. */
struct scoring_options scoring_options_default(void);

/* 0..ACTIVITY_KINDS-1 */
int activity_kind(const struct activity *activity);
/* The kind as the config writes it: "page_view", "nps", "purchase"; NULL beyond the last. */
const char *activity_kind_name(int kind);

/* The name of an interaction kind as rules write it ("page_view"), NULL beyond the last; and back, 0: unknown. */
const char *interaction_name(int kind);
int interaction_by_name(struct bytes name);

#endif
