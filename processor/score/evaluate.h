/* An evaluation: one customer at one instant, each metric and score computed at most once. */
#ifndef TIDEMARK_SCORE_EVALUATE_H
#define TIDEMARK_SCORE_EVALUATE_H

#include "score/customer.h"
#include "score/model_parts.h"

struct evaluation {
    const struct customer *customer;
    const struct model *model;
    int64_t now_ms;
    int32_t today;
    uint64_t slots_known[METRIC_SLOTS_MAX / 64];
    uint64_t scores_known;
    struct metric_lifetime lifetime;
    double slots[METRIC_SLOTS_MAX];
    double scores[SCORES_MAX];
    struct metric_sums sums;
};

void evaluation_init(struct evaluation *evaluation, const struct customer *customer, const struct model *model,
                     int64_t now_ms);
/* A copy to be moved: only what the model uses is copied. */
void evaluation_copy(struct evaluation *to, const struct evaluation *from);
/* The same customer at another instant with the windows as they are: keeps what does not depend on elapsed time. */
void evaluation_move(struct evaluation *evaluation, int64_t now_ms);

/* What metrics are computed from. Points into the evaluation. */
struct metric_at evaluation_at(struct evaluation *evaluation);
/* What has not been computed yet; use the two below. */
double evaluation_compute_metric(struct evaluation *evaluation, size_t slot);
double evaluation_compute_score(struct evaluation *evaluation, size_t score);

static inline double evaluation_metric(struct evaluation *evaluation, size_t slot) {
    bool known = evaluation->slots_known[slot / 64] & (UINT64_C(1) << (slot % 64));
    return known ? evaluation->slots[slot] : evaluation_compute_metric(evaluation, slot);
}

/* 1..n; a metric without a value gives 1. */
static inline double evaluation_score(struct evaluation *evaluation, size_t score) {
    bool known = evaluation->scores_known & (UINT64_C(1) << score);
    return known ? evaluation->scores[score] : evaluation_compute_score(evaluation, score);
}

/* The bucket in which the customer is counted for a ranked score; RANK_NONE: it has no value. */
int32_t evaluation_rank(struct evaluation *evaluation, const struct score *score);
/* Whether cut points decide the score at present, and not its steps. */
bool score_is_cut(const struct model *model, const struct score *score);
/* The score of a value by the score's steps: 1..n. */
int score_of(const struct score *score, double value);
/* Whether the rule holds. */
bool evaluation_rule(struct evaluation *evaluation, const struct rule *rule);
/* One side of a comparison: ops first..end-1 of its rule. NO_VALUE: none. */
double evaluation_side(struct evaluation *evaluation, const struct rule *rule, size_t first, size_t end);
/* Whether a comparison holds, given its sides. */
bool compare(enum op_code code, double left, double right);

#endif
