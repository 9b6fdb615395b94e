#include "score/answer.h"
#include "score/metrics_parts.h"

static struct recommendations answers_of(const struct metric_slot *slot, const struct metric_at *at) {
    return (struct recommendations){.promoters = metric_sum(slot, at, TILE_PROMOTERS),
                                    .passives = metric_sum(slot, at, TILE_PASSIVES),
                                    .detractors = metric_sum(slot, at, TILE_DETRACTORS)};
}

double metric_nps(const struct metric_slot *slot, const struct metric_at *at) {
    return answer_nps(answers_of(slot, at));
}

double metric_nps_margin(const struct metric_slot *slot, const struct metric_at *at) {
    return answer_nps_margin(answers_of(slot, at));
}

double metric_nps_low(const struct metric_slot *slot, const struct metric_at *at) {
    return answer_nps_bound(answers_of(slot, at), -1);
}

double metric_nps_high(const struct metric_slot *slot, const struct metric_at *at) {
    return answer_nps_bound(answers_of(slot, at), 1);
}

static double ratio(const struct metric_slot *slot, const struct metric_at *at, double of, int count_field) {
    return answer_mean(of, metric_sum(slot, at, count_field));
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
