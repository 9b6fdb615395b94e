/* Maximum likelihood by nlopt, without derivatives. Everything is searched in the logarithm of the parameters, so that they stay
 * positive, with times and money divided by their means, so that the starts fit whatever the units are. Several starts by
 * Nelder and Mead's simplex on a part of the customers, then the best of them on all, by Rowan's Subplex and once more by the
 * simplex: either method alone may stall. */
#include "run/fit.h"

#include <nlopt.h>

#include <math.h>
#include <stdlib.h>

enum {
    PARAMETERS_MAX = 4,
    EVALUATIONS_MAX = 4000, /* of one search; a few hundred are usual */
    STARTS_CUSTOMERS = 20000,
};

#define EDGE 12.0 /* logarithms are searched from -EDGE to EDGE: factors of 160,000 about the means */
#define STEP_FAR 0.5
#define STEP_NEAR 0.02

typedef double likelihood_fn(const struct ltv_params *params, const struct ltv_history *histories, size_t count);

/* What is searched: how a point of the search becomes parameters, and what they are worth. */
struct search {
    struct ltv_params params;
    unsigned dimensions;
    void (*put)(struct ltv_params *params, const double *point);
    likelihood_fn *likelihood;
    const struct ltv_history *histories;
    size_t count;
};

static void put_purchases(struct ltv_params *params, const double *point) {
    params->r = exp(point[0]);
    params->alpha = exp(point[1]);
    params->a = exp(point[2]);
    params->b = exp(point[3]);
}

/* q above 1: below, the mean spend would be infinite. */
static void put_spend(struct ltv_params *params, const double *point) {
    params->p = exp(point[0]);
    params->q = 1 + exp(point[1]);
    params->v = exp(point[2]);
}

static double value_at(unsigned dimensions, const double *point, double *gradient, void *arg) {
    struct search *search = arg;
    (void)dimensions;
    (void)gradient; /* NULL: neither method asks */
    search->put(&search->params, point);
    double value = search->likelihood(&search->params, search->histories, search->count);
    return isfinite(value) ? value : -1e300;
}

/* Climbs from `point`, which becomes the top found; returns its value. */
static double climb(struct search *search, nlopt_algorithm algorithm, double step, double *point) {
    double value = -HUGE_VAL;
    nlopt_opt opt = nlopt_create(algorithm, search->dimensions);
    ASSERT(opt);
    nlopt_set_max_objective(opt, value_at, search);
    nlopt_set_lower_bounds1(opt, -EDGE);
    nlopt_set_upper_bounds1(opt, EDGE);
    nlopt_set_initial_step1(opt, step);
    nlopt_set_xtol_abs1(opt, 1e-8);
    nlopt_set_maxeval(opt, EVALUATIONS_MAX);
    /* A negative result (rounding stops the progress) leaves the best point so far, which is as good. */
    if (nlopt_optimize(opt, point, &value) < 0) {
        value = value_at(search->dimensions, point, NULL, search);
    }
    nlopt_destroy(opt);
    return value;
}

/* The best of all starts; true if it lies at the edge. The parameters are in search->params. */
static bool find_top(struct search *search, const double (*starts)[PARAMETERS_MAX], size_t starts_count,
                     const struct search *some) {
    double best[PARAMETERS_MAX] = {0};
    double best_value = -HUGE_VAL;
    for (size_t i = 0; i < starts_count; i++) {
        double point[PARAMETERS_MAX] = {0};
        struct search trial = *some;
        for (unsigned d = 0; d < search->dimensions; d++) {
            point[d] = fmin(fmax(log(starts[i][d]), -EDGE), EDGE);
        }
        double value = climb(&trial, NLOPT_LN_NELDERMEAD, STEP_FAR, point);
        if (value > best_value) {
            best_value = value;
            memcpy(best, point, sizeof best);
        }
    }
    climb(search, NLOPT_LN_SBPLX, STEP_NEAR, best);
    climb(search, NLOPT_LN_NELDERMEAD, STEP_NEAR, best);
    search->put(&search->params, best);
    bool at_edge = false;
    for (unsigned d = 0; d < search->dimensions; d++) {
        at_edge |= fabs(best[d]) > EDGE - 0.01;
    }
    return at_edge;
}

/* ---- the two models ---- */

static void fit_purchases(struct search *search, struct search *some, double repeats_mean, struct fit_result *out) {
    double rate = repeats_mean + 0.1; /* per mean time: those who left bought at a higher one */
    const double starts[][PARAMETERS_MAX] = {
        {0.3, 0.3 / rate, 0.7, 2}, {1, 1 / rate, 1, 1}, {0.5, 0.5 / rate, 0.1, 1}, {4, 4 / rate, 2, 10}};
    search->dimensions = some->dimensions = 4;
    search->put = some->put = put_purchases;
    search->likelihood = some->likelihood = ltv_purchases_log_likelihood;
    out->purchases_at_edge = find_top(search, starts, sizeof starts / sizeof *starts, some);
}

static void fit_spend(struct search *search, struct search *some, struct fit_result *out) {
    static const double starts[][PARAMETERS_MAX] = {{6, 3, 0.5}, {1, 1, 1}, {0.5, 8, 16}, {30, 0.5, 0.02}};
    search->dimensions = some->dimensions = 3;
    search->put = some->put = put_spend;
    search->likelihood = some->likelihood = ltv_spend_log_likelihood;
    out->spend_at_edge = find_top(search, starts, sizeof starts / sizeof *starts, some);
}

/* ---- the customers ---- */

static int by_repeats(const void *a, const void *b) {
    double left = ((const struct ltv_history *)a)->x, right = ((const struct ltv_history *)b)->x;
    return (left > right) - (left < right);
}

struct means {
    double t;
    double x;
    double spend;
};

static struct means count_customers(const struct ltv_history *histories, size_t count, struct fit_result *out) {
    struct means sums = {0};
    double x = 0, xx = 0, xz = 0, zz = 0; /* of spenders; z is mean spend */
    for (size_t i = 0; i < count; i++) {
        const struct ltv_history *history = &histories[i];
        sums.t += history->t;
        sums.x += history->x;
        out->repeat_buyers += history->x > 0;
        if (ltv_history_spends(history)) {
            out->spenders++;
            sums.spend += history->mean_spend;
            x += history->x;
            xx += history->x * history->x;
            xz += history->x * history->mean_spend;
            zz += history->mean_spend * history->mean_spend;
        }
    }
    double n = (double)out->spenders, spread = (n * xx - x * x) * (n * zz - sums.spend * sums.spend);
    out->customers = count;
    out->spend_correlation = spread > 0 ? (n * xz - x * sums.spend) / sqrt(spread) : 0;
    return (struct means){sums.t / fmax((double)count, 1), sums.x / fmax((double)count, 1), sums.spend / fmax(n, 1)};
}

/* A copy in units of the means, sorted by x. */
static struct ltv_history *scaled_copy(const struct ltv_history *histories, size_t count, const struct means *means) {
    struct ltv_history *copy = calloc(count, sizeof *copy);
    for (size_t i = 0; copy && i < count; i++) {
        copy[i] = (struct ltv_history){
            .x = histories[i].x,
            .t_x = histories[i].t_x / means->t,
            .t = histories[i].t / means->t,
            .mean_spend = histories[i].mean_spend / (means->spend > 0 ? means->spend : 1),
        };
    }
    if (copy) {
        qsort(copy, count, sizeof *copy, by_repeats);
    }
    return copy;
}

/* Every so-many-th customer for the starts: of every x its share. */
static struct ltv_history *thin_out(const struct ltv_history *sorted, size_t count, size_t *thin_count) {
    size_t stride = 1 + (count - 1) / STARTS_CUSTOMERS;
    struct ltv_history *thin = calloc(count / stride + 1, sizeof *thin);
    *thin_count = 0;
    for (size_t i = stride / 2; thin && i < count; i += stride) {
        thin[(*thin_count)++] = sorted[i];
    }
    return thin;
}

int fit_models(const struct ltv_history *histories, size_t count, enum ltv_model model, struct fit_result *out) {
    *out = (struct fit_result){.params = {.model = model}};
    struct means means = count_customers(histories, count, out);
    if (count < FIT_CUSTOMERS_MIN || out->repeat_buyers < FIT_REPEAT_BUYERS_MIN || !(means.t > 0)) {
        return ERR_INVALID;
    }
    size_t thin_count = 0;
    struct ltv_history *all = scaled_copy(histories, count, &means);
    struct ltv_history *thin = all ? thin_out(all, count, &thin_count) : NULL;
    if (!thin) {
        free(all);
        return ERR_NO_MEMORY;
    }
    struct search search = {.params = out->params, .histories = all, .count = count};
    struct search some = {.params = out->params, .histories = thin, .count = thin_count};
    fit_purchases(&search, &some, means.x, out);
    out->spend_fitted = out->spenders >= FIT_REPEAT_BUYERS_MIN;
    if (out->spend_fitted) {
        fit_spend(&search, &some, out);
    }
    out->params = search.params;
    out->params.alpha *= means.t;
    out->params.v *= means.spend;
    out->purchases_log_likelihood = ltv_purchases_log_likelihood(&out->params, histories, count);
    if (out->spend_fitted) {
        out->spend_log_likelihood = ltv_spend_log_likelihood(&out->params, histories, count);
    }
    free(thin);
    free(all);
    return 0;
}
