#include "score/lifetime_value.h"

#include "score/ltv_expected.h"

#include <math.h>

#define YEAR_MS (365.0 * MS_PER_DAY)
#define FALL_MS_MAX INT64_C(1000000000000000) /* 31,700 years: further on one ms does not move P(alive) any more */
enum { TAIL_TERMS_MAX = 100000 };             /* a millisecond; more come only where t is thousands of times alpha */
#define HORIZON_MAX 1e12                      /* units: stands for "for ever" */

bool ltv_params_are_valid(const struct ltv_params *params) {
    const double positive[] = {params->r, params->alpha, params->a, params->b, params->p, params->v, params->unit_ms};
    for (unsigned i = 0; i < sizeof positive / sizeof *positive; i++) {
        if (!isfinite(positive[i]) || positive[i] <= 0) {
            return false;
        }
    }
    return isfinite(params->q) && params->q > 1;
}

/* How many times the customer may have left: after each purchase; with BG/NBD not after the first. */
static double chances_to_leave(const struct ltv_params *params, double x) {
    return params->model == LTV_BG_NBD ? x : x + 1;
}

/* The odds, at the last purchase, of having left with it. */
static double leaving_odds(const struct ltv_params *params, double x) {
    return params->a / (params->b + chances_to_leave(params, x) - 1);
}

static bool surely_alive(const struct ltv_params *params, double x) {
    return params->model == LTV_BG_NBD && x <= 0;
}

double ltv_p_alive(const struct ltv_params *params, const struct ltv_history *history) {
    if (surely_alive(params, history->x)) {
        return 1;
    }
    double silence = (params->alpha + history->t) / (params->alpha + history->t_x);
    return 1 / (1 + leaving_odds(params, history->x) * pow(silence, params->r + history->x));
}

/* ---- when P(alive) falls ---- */

struct fall {
    const struct ltv_params *params;
    struct ltv_history history;
    double level;
    bool or_equal;
};

static bool fallen(struct fall *fall, int64_t after_ms) {
    fall->history.t = ltv_units(fall->params, 0, after_ms);
    double p_alive = ltv_p_alive(fall->params, &fall->history);
    return fall->or_equal ? p_alive <= fall->level : p_alive < fall->level;
}

/* The closed form; may be off by its rounding. Beyond every limit: HUGE_VAL. */
static double fall_estimate_ms(const struct fall *fall) {
    const struct ltv_params *params = fall->params;
    double odds = (1 / fall->level - 1) / leaving_odds(params, fall->history.x);
    double silence = odds > 0 ? pow(odds, 1 / (params->r + fall->history.x)) : 0;
    return ((params->alpha + fall->history.t_x) * silence - params->alpha) * params->unit_ms;
}

int64_t ltv_p_alive_falls_ms(const struct ltv_params *params, const struct ltv_history *history,
                             int64_t first_purchase_ms, double level, bool or_equal) {
    struct fall fall = {params, *history, level, or_equal};
    if (!(history->t_x * params->unit_ms < (double)FALL_MS_MAX)) {
        return TIME_NEVER;
    }
    int64_t not_yet = llround(history->t_x * params->unit_ms);
    if (fallen(&fall, not_yet)) {
        return first_purchase_ms + not_yet;
    }
    if (!(level > 0) || surely_alive(params, history->x)) {
        return TIME_NEVER;
    }
    double estimate_ms = ceil(fall_estimate_ms(&fall));
    if (!(estimate_ms < (double)FALL_MS_MAX)) {
        return TIME_NEVER;
    }
    int64_t at = estimate_ms > (double)not_yet ? (int64_t)estimate_ms : not_yet + 1;
    int64_t step = 1;
    if (fallen(&fall, at)) { /* strides back to one where it has not */
        while (at - step > not_yet && fallen(&fall, at - step)) {
            at -= step;
            step *= 2;
        }
        not_yet = at - step > not_yet ? at - step : not_yet;
    } else { /* or on to one where it has */
        while (!fallen(&fall, at + step)) {
            at += step;
            step *= 2;
            if (at > FALL_MS_MAX) {
                return TIME_NEVER;
            }
        }
        not_yet = at;
        at += step;
    }
    while (at - not_yet > 1) {
        int64_t middle = not_yet + (at - not_yet) / 2;
        if (fallen(&fall, middle)) {
            at = middle;
        } else {
            not_yet = middle;
        }
    }
    return first_purchase_ms + at;
}

/* ---- purchases to come ---- */

/* Given that the customer is alive: every chance to leave so far was one to stay. */
static struct ltv_alive alive_of(const struct ltv_params *params, double x) {
    return (struct ltv_alive){params->r + x, params->a, params->b + chances_to_leave(params, x)};
}

static double in_lanes(const struct ltv_alive *alive, double w) {
    double lanes[LTV_LANES] = {0}, purchases[LTV_LANES];
    lanes[LTV_LANES - 1] = w;
    ltv_alive_purchases(alive, lanes, purchases);
    return purchases[LTV_LANES - 1];
}

static double bounded(double horizon) {
    return horizon > 0 ? fmin(horizon, HORIZON_MAX) : 0; /* a NAN: 0 */
}

double ltv_expected_purchases(const struct ltv_params *params, const struct ltv_history *history, double horizon) {
    struct ltv_alive alive = alive_of(params, history->x);
    double w = bounded(horizon) / (params->alpha + history->t);
    return w > 0 ? ltv_p_alive(params, history) * in_lanes(&alive, w) : 0;
}

double ltv_expected_repeats(const struct ltv_params *params, double t) {
    struct ltv_history history = {0};
    return ltv_expected_purchases(params, &history, t);
}

/* P(N >= n), N negative binomial: `term` is P(N = n), `below` the sum of those before. Summed from above where 1 - below
 * would lose digits, unless that takes too long. */
static double at_least(double r, double z, uint32_t n, double term, double below) {
    double above = 0;
    for (int i = 0; below >= 0.5 && i < TAIL_TERMS_MAX; i++) {
        if (term <= 1e-17 * above) { /* or 0 */
            return above;
        }
        above += term;
        term *= z * (r + n + i) / ((double)n + i + 1);
    }
    return fmax(1 - below, 0);
}

/* Either all n purchases were followed by staying, and there were no more; or the last of them was the end, and had there been
 * more, nobody knows: Fader, Hardie, Lee 2005, equation 8. MBG/NBD has one chance to leave more. */
double ltv_repeats_probability(const struct ltv_params *params, double t, uint32_t n) {
    double z = bounded(t) / (params->alpha + bounded(t));
    double term = exp(-params->r * log1p(bounded(t) / params->alpha)); /* P(N = j) */
    double below = 0;
    for (uint32_t j = 0; j < n; j++) {
        below += term;
        term *= z * (params->r + j) / (j + 1);
    }
    double chances = chances_to_leave(params, n);
    double before = 1; /* the chance to stay after each of them but the last */
    for (double k = 0; k + 1 < chances; k++) {
        before *= (params->b + k) / (params->a + params->b + k);
    }
    if (chances < 1) {
        return term;
    }
    double both = params->a + params->b + chances - 1;
    double stays = before * (params->b + chances - 1) / both;
    double leaves = before * params->a / both;
    return stays * term + leaves * at_least(params->r, z, n, term, below);
}

/* ---- money ---- */

double ltv_mean_spend(const struct ltv_params *params, const struct ltv_history *history) {
    double x = fmax(history->x, 0);
    double mean = fmax(history->mean_spend, 0);
    return params->p * (params->v + x * mean) / (params->p * x + params->q - 1);
}

double ltv_clv(const struct ltv_params *params, const struct ltv_history *history, double horizon,
               double yearly_discount) {
    struct ltv_alive alive = alive_of(params, history->x);
    double end = bounded(horizon);
    double periods = fmin(ceil(end), LTV_PERIODS_MAX);
    double length = end > LTV_PERIODS_MAX ? end / LTV_PERIODS_MAX : 1;
    double years_of_period = length * params->unit_ms / YEAR_MS;
    double sum = 0, before = 0;
    for (int block = 0; block < (int)periods; block += LTV_LANES) {
        double ends[LTV_LANES], w[LTV_LANES], purchases[LTV_LANES];
        for (int lane = 0; lane < LTV_LANES; lane++) {
            ends[lane] = fmin((block + lane + 1) * length, end);
            w[lane] = ends[lane] / (params->alpha + history->t);
        }
        ltv_alive_purchases(&alive, w, purchases);
        for (int lane = 0; lane < LTV_LANES; lane++) {
            sum += (purchases[lane] - before) * pow(1 + yearly_discount, -(block + lane + 1) * years_of_period);
            before = purchases[lane];
        }
    }
    return ltv_mean_spend(params, history) * ltv_p_alive(params, history) * sum;
}
