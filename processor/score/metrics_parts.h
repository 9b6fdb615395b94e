/* The functions behind the table of metrics: metrics.c (sums, time), metrics_feedback.c (surveys),
 * metrics_behaviour.c (habits), metrics_lifetime.c (lifetime value). */
#ifndef TIDEMARK_SCORE_METRICS_PARTS_H
#define TIDEMARK_SCORE_METRICS_PARTS_H

#include "score/customer.h"
#include "score/model_parts.h"

/* The sum of a tile field over the slot's window. */
double metric_sum(const struct metric_slot *slot, const struct metric_at *at, int field);

/* metrics_feedback.c */
double metric_nps(const struct metric_slot *slot, const struct metric_at *at);
double metric_nps_margin(const struct metric_slot *slot, const struct metric_at *at);
double metric_nps_low(const struct metric_slot *slot, const struct metric_at *at);
double metric_nps_high(const struct metric_slot *slot, const struct metric_at *at);
double metric_csat(const struct metric_slot *slot, const struct metric_at *at);
double metric_csat_mean(const struct metric_slot *slot, const struct metric_at *at);
double metric_ces(const struct metric_slot *slot, const struct metric_at *at);
double metric_complaints(const struct metric_slot *slot, const struct metric_at *at);
double metric_reviews(const struct metric_slot *slot, const struct metric_at *at);
double metric_review_mean(const struct metric_slot *slot, const struct metric_at *at);

/* metrics_behaviour.c */
double metric_purchase_days(const struct metric_slot *slot, const struct metric_at *at);
double metric_mean_interval(const struct metric_slot *slot, const struct metric_at *at);
double metric_interval_spread(const struct metric_slot *slot, const struct metric_at *at);
double metric_frequency(const struct metric_slot *slot, const struct metric_at *at);
double metric_stage(const struct metric_slot *slot, const struct metric_at *at);
double metric_furthest_stage(const struct metric_slot *slot, const struct metric_at *at);
double metric_engagement(const struct metric_slot *slot, const struct metric_at *at);
int64_t metric_engagement_reaches_ms(const struct metric_slot *slot, const struct metric_at *at, double value);

/* metrics_lifetime.c; config/README.md, "Lifetime value" */
double metric_p_alive(const struct metric_slot *slot, const struct metric_at *at);
int64_t metric_p_alive_reaches_ms(const struct metric_slot *slot, const struct metric_at *at, double value);
double metric_expected_purchases(const struct metric_slot *slot, const struct metric_at *at);
double metric_mean_spend(const struct metric_slot *slot, const struct metric_at *at);
double metric_clv(const struct metric_slot *slot, const struct metric_at *at);

#endif
