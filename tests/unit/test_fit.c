/* tidemark fit without Redis: the published parameters of CDNOW, and those that made-up customers were made with. */
#include "run/fit.h"

#include "run/config.h"
#include "run/fit_sample.h"
#include "support/cdnow.h"
#include "support/model_builder.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void close_to(double value, double wanted, double within) {
    if (!(fabs(value - wanted) <= within)) {
        fail_msg("%.12g is not %.12g to %g", value, wanted, within);
    }
}

static struct fit_result fitted(const struct ltv_history *histories, size_t count, enum ltv_model model) {
    struct fit_result result;
    assert_int_equal(fit_models(histories, count, model, &result), 0);
    return result;
}

/* ---- CDNOW ---- */

static void cdnow_fits_as_published(void **state) {
    (void)state;
    struct ltv_history *histories = cdnow_read(CDNOW_SUMMARY);
    struct fit_result bg = fitted(histories, CDNOW_CUSTOMERS, LTV_BG_NBD);
    assert_int_equal(bg.params.model, LTV_BG_NBD);
    close_to(bg.params.r, 0.243, 0.0005);
    close_to(bg.params.alpha, 4.414, 0.0005);
    close_to(bg.params.a, 0.793, 0.0005);
    close_to(bg.params.b, 2.426, 0.0005);
    close_to(bg.params.r, 0.2425945, 5e-6);
    close_to(bg.params.alpha, 4.4136019, 1e-4);
    close_to(bg.purchases_log_likelihood, -9582.42556, 1e-5);
    struct fit_result mbg = fitted(histories, CDNOW_CUSTOMERS, LTV_MBG_NBD);
    assert_int_equal(mbg.params.model, LTV_MBG_NBD);
    close_to(mbg.params.r, 0.525, 0.0005);
    close_to(mbg.params.alpha, 6.183, 0.0005);
    close_to(mbg.params.a, 0.891, 0.0005);
    close_to(mbg.params.b, 1.614, 0.0005);
    close_to(mbg.purchases_log_likelihood, -9582.1328, 1e-3);
    const struct fit_result *const both[] = {&bg, &mbg};
    for (size_t i = 0; i < COUNT(both); i++) {
        close_to(both[i]->params.p, 6.25, 0.005);
        close_to(both[i]->params.q, 3.74, 0.005);
        close_to(both[i]->params.v, 15.44, 0.01);
        close_to(both[i]->spend_log_likelihood, -4055.92, 0.005);
        assert_int_equal(both[i]->customers, CDNOW_CUSTOMERS);
        assert_int_equal(both[i]->repeat_buyers, CDNOW_REPEAT_BUYERS);
        assert_int_equal(both[i]->spenders, CDNOW_REPEAT_BUYERS);
        assert_true(both[i]->spend_fitted);
        assert_false(both[i]->purchases_at_edge || both[i]->spend_at_edge);
        close_to(both[i]->spend_correlation, 0.1138, 0.0005);
    }
    free(histories);
}

/* In seconds and cents, alpha and v change as their units do, and nothing else. */
static void units_do_not_matter(void **state) {
    (void)state;
    struct ltv_history *histories = cdnow_read(CDNOW_SUMMARY);
    for (size_t i = 0; i < CDNOW_CUSTOMERS; i++) {
        histories[i].t_x *= 604800;
        histories[i].t *= 604800;
        histories[i].mean_spend *= 100;
    }
    struct fit_result result = fitted(histories, CDNOW_CUSTOMERS, LTV_MBG_NBD);
    close_to(result.params.r, 0.525, 0.0005);
    close_to(result.params.alpha / 604800, 6.183, 0.0005);
    close_to(result.params.a, 0.891, 0.0005);
    close_to(result.params.v / 100, 15.44, 0.01);
    free(histories);
}

/* ---- made-up customers ---- */

static double uniform(struct test_random *random) { /* between 0 and 1, neither */
    return ((double)(test_random_next(random) >> 11) + 0.5) / 9007199254740992.0;
}

static double exponential(struct test_random *random, double rate) {
    return -log(uniform(random)) / rate;
}

/* Sum of exponentials: whole shapes only. */
static double gamma_of(struct test_random *random, int shape, double rate) {
    double sum = 0;
    for (int i = 0; i < shape; i++) {
        sum += exponential(random, rate);
    }
    return sum;
}

/* Lives one customer through: buys, and may leave after each purchase (MBG/NBD: also after the first). */
static struct ltv_history made_up(struct test_random *random, const struct ltv_params *params, double t) {
    double rate = gamma_of(random, (int)params->r, params->alpha);
    double leaves = gamma_of(random, (int)params->a, 1), stays = gamma_of(random, (int)params->b, 1);
    double leaving = leaves / (leaves + stays);
    struct ltv_history history = {.t = t};
    bool alive = params->model == LTV_BG_NBD || uniform(random) >= leaving;
    for (double at = exponential(random, rate); alive && at < t; at += exponential(random, rate)) {
        history.x++;
        history.t_x = at;
        alive = uniform(random) >= leaving;
    }
    if (history.x > 0) {
        double scale = gamma_of(random, (int)params->q, params->v);
        history.mean_spend = gamma_of(random, (int)(params->p * history.x), scale) / history.x;
    }
    return history;
}

static void parameters_of_made_up_customers_are_found(void **state) {
    (void)state;
    enum { CUSTOMERS = 25000 }; /* more than the starts look at */
    const struct ltv_params truths[] = {
        {LTV_MBG_NBD, 1, 12, 1, 3, .p = 4, .q = 3, .v = 20, .unit_ms = 1},
        {LTV_BG_NBD, 2, 5, 1, 2, .p = 2, .q = 5, .v = 3000, .unit_ms = 1},
        {LTV_MBG_NBD, 3, 200, 2, 4, .p = 1, .q = 4, .v = 0.5, .unit_ms = 1},
    };
    struct ltv_history *histories = calloc(CUSTOMERS, sizeof *histories);
    assert_non_null(histories);
    for (size_t i = 0; i < COUNT(truths); i++) {
        const struct ltv_params *truth = &truths[i];
        struct test_random random = test_random_of(11 + i);
        for (size_t c = 0; c < CUSTOMERS; c++) {
            histories[c] = made_up(&random, truth, truth->alpha * (2 + 6 * uniform(&random)));
        }
        struct fit_result result = fitted(histories, CUSTOMERS, truth->model);
        close_to(result.params.r / truth->r, 1, 0.06);
        close_to(result.params.alpha / truth->alpha, 1, 0.06);
        close_to(result.params.a / truth->a, 1, 0.1);
        close_to(result.params.b / truth->b, 1, 0.1);
        close_to(result.params.p / truth->p, 1, 0.05);
        close_to(result.params.q / truth->q, 1, 0.05);
        close_to(result.params.v / truth->v, 1, 0.08);
        /* Nothing is likelier than what was found; above all not the truth. */
        assert_true(result.purchases_log_likelihood >= ltv_purchases_log_likelihood(truth, histories, CUSTOMERS));
        assert_true(result.spend_log_likelihood >= ltv_spend_log_likelihood(truth, histories, CUSTOMERS));
        assert_false(result.purchases_at_edge || result.spend_at_edge);
    }
    free(histories);
}

/* ---- what cannot be told ---- */

static void too_few_customers_are_refused(void **state) {
    (void)state;
    struct ltv_history *histories = cdnow_read(CDNOW_SUMMARY);
    struct fit_result result;
    assert_int_equal(fit_models(histories, 0, LTV_MBG_NBD, &result), ERR_INVALID);
    assert_int_equal(fit_models(histories, FIT_CUSTOMERS_MIN - 1, LTV_MBG_NBD, &result), ERR_INVALID);
    assert_int_equal(result.customers, FIT_CUSTOMERS_MIN - 1);
    assert_int_equal(fit_models(histories, FIT_CUSTOMERS_MIN, LTV_MBG_NBD, &result), 0);
    size_t repeat_buyers = 0;
    for (size_t i = 0; i < CDNOW_CUSTOMERS; i++) {
        bool too_many = histories[i].x > 0 && ++repeat_buyers >= FIT_REPEAT_BUYERS_MIN;
        histories[i] = too_many ? (struct ltv_history){.t = histories[i].t} : histories[i];
    }
    assert_int_equal(fit_models(histories, CDNOW_CUSTOMERS, LTV_MBG_NBD, &result), ERR_INVALID);
    assert_int_equal(result.repeat_buyers, FIT_REPEAT_BUYERS_MIN - 1);
    free(histories);
}

static void without_spenders_only_purchases_are_fitted(void **state) {
    (void)state;
    struct ltv_history *histories = cdnow_read(CDNOW_SUMMARY);
    for (size_t i = 0; i < CDNOW_CUSTOMERS; i++) {
        histories[i].mean_spend = i % 2 ? 0 : -5;
    }
    struct fit_result result = fitted(histories, CDNOW_CUSTOMERS, LTV_MBG_NBD);
    assert_false(result.spend_fitted);
    assert_int_equal(result.spenders, 0);
    assert_true(result.params.p == 0 && result.params.q == 0 && result.params.v == 0);
    close_to(result.params.r, 0.525, 0.0005);
    free(histories);
}

/* Everybody pays the same: p may grow for ever. Everybody bought the day before yesterday and again yesterday: nobody leaves. */
static void what_the_customers_do_not_tell_is_told(void **state) {
    (void)state;
    struct ltv_history histories[200];
    for (size_t i = 0; i < COUNT(histories); i++) {
        histories[i] = (struct ltv_history){.x = (double)(i % 4), .t_x = i % 4 ? 10 : 0, .t = 11, .mean_spend = 20};
        histories[i].mean_spend = i % 4 ? 20 : 0;
    }
    struct fit_result result = fitted(histories, COUNT(histories), LTV_BG_NBD);
    assert_true(result.spend_at_edge);
    assert_true(result.purchases_at_edge);
    result.params.unit_ms = 1;
    assert_true(ltv_params_are_valid(&result.params));
}

/* ---- the sample ---- */

/* Shuffles 0 .. CUSTOMERS - 1, everyone twice; hash and history tell who it is. */
static void sample_in_some_order(struct fit_sample *sample, size_t most, uint64_t seed, int64_t customers) {
    struct test_random random = test_random_of(seed);
    int64_t *order = calloc((size_t)customers * 2, sizeof *order);
    assert_non_null(order);
    for (int64_t i = 0; i < customers * 2; i++) {
        int64_t other = test_random_below(&random, i + 1);
        order[i] = order[other];
        order[other] = i % customers;
    }
    fit_sample_init(sample, most);
    for (int64_t i = 0; i < customers * 2; i++) {
        struct ltv_history history = {.x = (double)order[i]};
        assert_int_equal(fit_sample_add(sample, (uint64_t)order[i] * 1000, &history), 0);
    }
    fit_sample_settle(sample);
    free(order);
}

static void a_sample_keeps_the_smallest_hashes_once(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 7, 500, 2000, 9999, 10000, 20000};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        for (uint64_t seed = 1; seed < 4; seed++) {
            struct fit_sample sample;
            sample_in_some_order(&sample, sizes[i], seed, 10000);
            size_t wanted = sizes[i] < 10000 ? sizes[i] : 10000;
            assert_int_equal(sample.count, wanted);
            assert_int_equal(sample.seen, 20000);
            assert_true(sample.thinned == (sizes[i] < 10000));
            assert_true(sample.capacity <= 2 * sizes[i]);
            for (size_t c = 0; c < wanted; c++) {
                assert_true(sample.items[c].hash == c * 1000 && sample.items[c].history.x == (double)c);
            }
            fit_sample_finish(&sample);
        }
    }
}

/* ---- the fragment ---- */

static void the_fragment_is_configuration(void **state) {
    (void)state;
    struct fit_result result = {
        .params = {LTV_MBG_NBD, 0.5247912, 6.182951, 0.8910829, 1.613984, .p = 6.249563, .q = 3.744, .v = 15.44348},
        .customers = 2357,
        .repeat_buyers = 946,
        .spenders = 940,
        .purchases_log_likelihood = -9582.132,
        .spend_log_likelihood = -4055.924,
        .spend_correlation = 0.11384,
        .spend_fitted = true,
    };
    struct fit_histories histories = {.count = 2357, .buyers = 2357, .at_ms = INT64_C(875577600000)};
    struct buffer out = {0};
    struct ltv_params configured = {.unit_ms = 604800000, .discount = 0.1};
    fit_write(&result, &histories, &configured, &out);
    buffer_put(&out, "", 1);
    assert_int_equal(out.error, 0);
    assert_string_equal(out.data,
                        "# 2357 customers, 946 repeat buyers; observed until 1997-09-30T00:00:00Z\n"
                        "# mbg_nbd: log-likelihood -9582.132\n"
                        "# Gamma-Gamma: 940 repeat buyers who paid, log-likelihood -4055.924; correlation of purchases "
                        "and spend 0.11 (taken for 0)\n"
                        "lifetime_value: {model: mbg_nbd, unit: 7d, r: 0.5247912, alpha: 6.182951, a: 0.8910829, "
                        "b: 1.613984,\n"
                        "                 gamma_gamma: {p: 6.249563, q: 3.744, v: 15.44348},\n"
                        "                 discount: 0.1}\n");
    buffer_reset(&out);
    result.params.model = LTV_BG_NBD;
    result.spend_fitted = false;
    histories.buyers = 9000000;
    histories.at_ms += 1500;
    configured = (struct ltv_params){.unit_ms = 90 * MS_PER_MINUTE, .discount = 0.125};
    fit_write(&result, &histories, &configured, &out);
    buffer_put(&out, "", 1);
    assert_string_equal(out.data,
                        "# 2357 of 9000000 customers, 946 repeat buyers; observed until 1997-09-30T00:00:01Z\n"
                        "# bg_nbd: log-likelihood -9582.132\n"
                        "# Gamma-Gamma: 940 repeat buyers who paid are too few to tell\n"
                        "lifetime_value: {model: bg_nbd, unit: 90m, r: 0.5247912, alpha: 6.182951, a: 0.8910829, "
                        "b: 1.613984,\n"
                        "                 discount: 0.125}\n");
    buffer_finish(&out);
}

/* Digits enough, and names as the configuration has them. */
static void the_configuration_reads_the_fragment(void **state) {
    (void)state;
    static struct config_problems problems;
    struct fit_result result = {.params = {LTV_BG_NBD, 0.25, 6.5, 0.875, 1.5, .p = 6.125, .q = 3.75, .v = 1544.348},
                                .spend_fitted = true};
    struct fit_histories histories = {.at_ms = TEST_START_MS};
    struct buffer out = {0};
    struct ltv_params configured = {.unit_ms = 3.0 * MS_PER_DAY, .discount = 0.25};
    fit_write(&result, &histories, &configured, &out);
    buffer_put_text(&out, "tier_sets: {value: {tiers: [{name: all}]}}\n");
    struct config *config = config_parse("fragment", buffer_bytes(&out), NULL, 0, &problems);
    if (!config) {
        fail_msg("%d: %s", problems.items[0].line, problems.items[0].message);
    }
    result.params.unit_ms = 3.0 * MS_PER_DAY;
    result.params.money_scale = 100;
    const struct ltv_params *read = &config->scoring.lifetime_value;
    assert_int_equal(read->model, LTV_BG_NBD);
    close_to(read->r, result.params.r, 0);
    close_to(read->alpha, result.params.alpha, 0);
    close_to(read->a, result.params.a, 0);
    close_to(read->b, result.params.b, 0);
    close_to(read->p, result.params.p, 0);
    close_to(read->q, result.params.q, 0);
    close_to(read->v, result.params.v, 0);
    close_to(read->unit_ms, result.params.unit_ms, 0);
    close_to(read->money_scale, result.params.money_scale, 0);
    close_to(read->discount, 0.25, 0);
    config_destroy(config);
    buffer_finish(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cdnow_fits_as_published),
        cmocka_unit_test(units_do_not_matter),
        cmocka_unit_test(parameters_of_made_up_customers_are_found),
        cmocka_unit_test(too_few_customers_are_refused),
        cmocka_unit_test(without_spenders_only_purchases_are_fitted),
        cmocka_unit_test(what_the_customers_do_not_tell_is_told),
        cmocka_unit_test(a_sample_keeps_the_smallest_hashes_once),
        cmocka_unit_test(the_fragment_is_configuration),
        cmocka_unit_test(the_configuration_reads_the_fragment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
