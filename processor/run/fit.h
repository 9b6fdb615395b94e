/* tidemark fit: the parameters of lifetime value that make the customers' histories most likely.
 *
 * fit_read collects the histories from Redis, fit_models finds the parameters, fit_write tells them as a fragment of the
 * configuration:
 *
 *     # 2357 customers (946 repeat buyers) until 1997-09-30T00:00:00Z
 *     # mbg_nbd: log-likelihood -9582.13
 *     lifetime_value: {model: mbg_nbd, unit: 7d, r: 0.52479, alpha: 6.18295, a: 0.891083, b: 1.61398,
 *                      gamma_gamma: {p: 6.25, q: 3.744, v: 15.4435},
 *                      discount: 0.1} */
#ifndef TIDEMARK_RUN_FIT_H
#define TIDEMARK_RUN_FIT_H

#include "base/bytes.h"
#include "score/ltv_likelihood.h"

struct config;

enum {
    FIT_CUSTOMERS_MIN = 100,    /* four parameters of fewer would be mostly chance */
    FIT_REPEAT_BUYERS_MIN = 30, /* likewise; also of those who spend, for Gamma-Gamma */
    FIT_CUSTOMERS_MAX = 500000, /* of more, a sample: it errs by a thousandth, and 16 MiB hold it */
};

struct fit_result {
    struct ltv_params params; /* model, r, alpha, a, b; and p, q, v (0 unless spend_fitted) */
    size_t customers;
    size_t repeat_buyers;
    size_t spenders; /* of them, those who have paid something for it */
    double purchases_log_likelihood;
    double spend_log_likelihood;
    double spend_correlation; /* of x and mean spend, among spenders: Gamma-Gamma takes it for 0 */
    bool spend_fitted;        /* enough spenders */
    /* The best is at the edge of what was searched: these customers do not tell every parameter. */
    bool purchases_at_edge;
    bool spend_at_edge;
};

/* Maximum likelihood. ERR_INVALID: too few customers or repeat buyers (the counts are filled in); ERR_NO_MEMORY. */
int fit_models(const struct ltv_history *histories, size_t count, enum ltv_model model,
               struct fit_result *out) MUST_CHECK;

/* What fit_read has found. Zeroed to start; fit_histories_finish frees. */
struct fit_histories {
    struct ltv_history *items;
    size_t count;
    size_t buyers; /* found in all: more than count where it is a sample */
    int64_t at_ms; /* the end of the observation */
};
void fit_histories_finish(struct fit_histories *histories);

/* Reads every customer of the group as of at_ms (TIME_NONE: the newest task clock); never-buyers are left out. 0, or a line in
 * `problem` (256 bytes): ERR_UNAVAILABLE; ERR_NOT_FOUND: no state; ERR_INVALID: unreadable; ERR_REFUSED: somebody has bought
 * after at_ms. */
int fit_read(const struct config *config, int64_t at_ms, struct fit_histories *out, char *problem) MUST_CHECK;

/* Appends the fragment; unit and discount are as configured. */
void fit_write(const struct fit_result *result, const struct fit_histories *histories,
               const struct ltv_params *configured, struct buffer *out);

#endif
