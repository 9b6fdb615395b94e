/* The likelihoods on CDNOW: what was published, and that the published parameters are their top. */
#include "score/ltv_likelihood.h"

#include "support/cdnow.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct ltv_history *histories;

static int read_cdnow(void **state) {
    (void)state;
    histories = cdnow_read(CDNOW_SUMMARY);
    return 0;
}

static int forget_cdnow(void **state) {
    (void)state;
    free(histories);
    return 0;
}

static const struct ltv_params mbg = {LTV_MBG_NBD,         0.525, 6.183, 0.891, 1.614, .p = 6.25, .q = 3.74, .v = 15.44,
                                      .unit_ms = 604800000};
static const struct ltv_params bg = {LTV_BG_NBD, 0.2425945, 4.4136019,  0.7929199,           2.4258881,
                                     .p = 6.25,  .q = 3.74, .v = 15.44, .unit_ms = 604800000};

static double of_purchases(const struct ltv_params *params) {
    return ltv_purchases_log_likelihood(params, histories, CDNOW_CUSTOMERS);
}

static double of_spend(const struct ltv_params *params) {
    return ltv_spend_log_likelihood(params, histories, CDNOW_CUSTOMERS);
}

static void close_to(double value, double wanted, double within) {
    if (!(fabs(value - wanted) <= within)) {
        fail_msg("%.12g is not %.12g", value, wanted);
    }
}

/* The second figures: the same sums written down once more in Python. */
static void likelihoods_are_as_published(void **state) {
    (void)state;
    close_to(of_purchases(&bg), -9582.4, 0.05);
    close_to(of_purchases(&bg), -9582.425560603042, 1e-8);
    close_to(of_purchases(&mbg), -9582.132795287207, 1e-8);
    close_to(of_spend(&bg), -4055.9247127301633, 1e-8);
}

/* A step of 1 % up or down from the top costs about as much; from a slope it would cost on one side and gain on the other.
 * `slack`: what rounding the published figures to three digits may have cost. */
static void check_top(double (*likelihood)(const struct ltv_params *), struct ltv_params *params, double *parameter,
                      double slack) {
    double kept = *parameter;
    double top = likelihood(params);
    *parameter = kept * 1.01;
    double up = likelihood(params);
    *parameter = kept / 1.01;
    double down = likelihood(params);
    *parameter = kept;
    assert_true(up < top && down < top);
    close_to(up, down, slack);
}

static void published_parameters_are_the_top(void **state) {
    (void)state;
    struct ltv_params models[] = {mbg, bg};
    for (int i = 0; i < 2; i++) {
        double slack = i == 0 ? 0.02 : 0.0005;
        check_top(of_purchases, &models[i], &models[i].r, slack);
        check_top(of_purchases, &models[i], &models[i].alpha, slack);
        check_top(of_purchases, &models[i], &models[i].a, slack);
        check_top(of_purchases, &models[i], &models[i].b, slack);
    }
    check_top(of_spend, &models[1], &models[1].p, 0.06);
    check_top(of_spend, &models[1], &models[1].q, 0.06);
    check_top(of_spend, &models[1], &models[1].v, 0.06);
}

static void the_order_of_histories_does_not_matter(void **state) {
    (void)state;
    double purchases = of_purchases(&mbg), spend = of_spend(&mbg), singly = 0, spend_singly = 0;
    for (size_t i = CDNOW_CUSTOMERS; i-- > 0;) {
        singly += ltv_purchases_log_likelihood(&mbg, &histories[i], 1);
        spend_singly += ltv_spend_log_likelihood(&mbg, &histories[i], 1);
    }
    close_to(singly, purchases, 1e-8);
    close_to(spend_singly, spend, 1e-8);
}

/* Hundreds of purchases in thousands of units: (alpha + t)^-(r + x) alone is less than any double. */
static void long_histories_do_not_underflow(void **state) {
    (void)state;
    struct ltv_history faithful = {900, 5000, 5001, 20}, gone = {900, 5000, 50000, 20};
    double alive = ltv_purchases_log_likelihood(&mbg, &faithful, 1);
    double left = ltv_purchases_log_likelihood(&mbg, &gone, 1);
    assert_true(isfinite(alive) && isfinite(left));
    /* It is all but sure which of the two ways it was, so the likelihood is that of one way. */
    double odds = log(mbg.a / (mbg.b + 900));
    double both = log1p(exp(odds + (mbg.r + 900) * log((mbg.alpha + 5001) / (mbg.alpha + 5000))));
    close_to(alive - left, both - odds + (mbg.r + 900) * log((mbg.alpha + 5000) / (mbg.alpha + 5001)), 1e-9);
}

static void only_who_spends_tells_of_spending(void **state) {
    (void)state;
    struct ltv_history others[] = {{0, 0, 30, 0}, {3, 10, 30, 0}, {3, 10, 30, -20}};
    for (size_t i = 0; i < 3; i++) {
        assert_false(ltv_history_spends(&others[i]));
    }
    assert_true(ltv_spend_log_likelihood(&mbg, others, 3) == 0);
    struct ltv_history spends = {3, 10, 30, 0.01};
    assert_true(ltv_history_spends(&spends));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(likelihoods_are_as_published),           cmocka_unit_test(published_parameters_are_the_top),
        cmocka_unit_test(the_order_of_histories_does_not_matter), cmocka_unit_test(long_histories_do_not_underflow),
        cmocka_unit_test(only_who_spends_tells_of_spending),
    };
    return cmocka_run_group_tests(tests, read_cdnow, forget_cdnow);
}
