#include "score/metrics_parts.h"

/* The standard normal's 97.5 % point: intervals are of 95 %. */
#define Z_95 1.959963984540054

struct answers { /* to the question whether one would recommend us; counts, or counts with something added */
    double promoters;
    double detractors;
    double all;
};

static struct answers answers_of(const struct metric_slot *slot, const struct metric_at *at) {
    struct answers answers = {.promoters = metric_sum(slot, at, TILE_PROMOTERS),
                              .detractors = metric_sum(slot, at, TILE_DETRACTORS)};
    answers.all = answers.promoters + answers.detractors + metric_sum(slot, at, TILE_PASSIVES);
    return answers;
}

/* Net promoter score: per cent promoters less per cent detractors, -100..100 (Reichheld 2003). */
static double nps_of(struct answers answers) {
    return 100.0 * (answers.promoters - answers.detractors) / answers.all;
}

/* Half the interval's width, an answer counting as 1, 0 or -1: trinomial variance. */
static double margin_of(struct answers answers) {
    double promoters = answers.promoters / answers.all;
    double detractors = answers.detractors / answers.all;
    double net = promoters - detractors;
    double variance = promoters + detractors - net * net;
    return 100.0 * Z_95 * sqrt((variance > 0 ? variance : 0) / answers.all);
}

double metric_nps(const struct metric_slot *slot, const struct metric_at *at) {
    struct answers answers = answers_of(slot, at);
    return answers.all > 0 ? nps_of(answers) : NO_VALUE;
}

double metric_nps_margin(const struct metric_slot *slot, const struct metric_at *at) {
    struct answers answers = answers_of(slot, at);
    return answers.all > 0 ? margin_of(answers) : NO_VALUE;
}

/* Adjusted Wald: three answers more, three quarters of them promoters and as many detractors, keep the interval honest where
 * there are few (measuringu.com/nps-three-confidence-intervals). side: -1 the lower bound, 1 the upper. */
static double nps_bound(const struct metric_slot *slot, const struct metric_at *at, double side) {
    struct answers answers = answers_of(slot, at);
    if (!(answers.all > 0)) {
        return NO_VALUE;
    }
    answers.promoters += 0.75;
    answers.detractors += 0.75;
    answers.all += 3;
    double bound = nps_of(answers) + side * margin_of(answers);
    return bound < -100 ? -100 : bound > 100 ? 100 : bound;
}

double metric_nps_low(const struct metric_slot *slot, const struct metric_at *at) {
    return nps_bound(slot, at, -1);
}

double metric_nps_high(const struct metric_slot *slot, const struct metric_at *at) {
    return nps_bound(slot, at, 1);
}

static double ratio(const struct metric_slot *slot, const struct metric_at *at, double of, int count_field) {
    double count = metric_sum(slot, at, count_field);
    return count > 0 ? of / count : NO_VALUE;
}

double metric_csat(const struct metric_slot *slot, const struct metric_at *at) {
    return ratio(slot, at, 100.0 * metric_sum(slot, at, TILE_CSAT_TOP), TILE_CSAT_COUNT);
}

double metric_csat_mean(const struct metric_slot *slot, const struct metric_at *at) {
    return ratio(slot, at, metric_sum(slot, at, TILE_CSAT_SUM), TILE_CSAT_COUNT);
}

double metric_ces(const struct metric_slot *slot, const struct metric_at *at) {
    if (at->model->options.ces == CES_MEAN) {
        return ratio(slot, at, metric_sum(slot, at, TILE_CES_SUM), TILE_CES_COUNT);
    }
    double net = metric_sum(slot, at, TILE_CES_EASY) - metric_sum(slot, at, TILE_CES_HARD);
    return ratio(slot, at, 100.0 * net, TILE_CES_COUNT);
}

double metric_complaints(const struct metric_slot *slot, const struct metric_at *at) {
    return metric_sum(slot, at, TILE_COMPLAINTS);
}

double metric_reviews(const struct metric_slot *slot, const struct metric_at *at) {
    return metric_sum(slot, at, TILE_REVIEW_COUNT);
}

double metric_review_mean(const struct metric_slot *slot, const struct metric_at *at) {
    return ratio(slot, at, metric_sum(slot, at, TILE_REVIEW_SUM), TILE_REVIEW_COUNT);
}
