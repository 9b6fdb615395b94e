/* Metrics of surveys, baskets and referrals. */
#include "support/model_fixture.h"
#include "support/scoring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* A window so long that every day stays a tile of its own. */
static const struct model *long_model(void) {
    return model_of(&builder, "set any\ntier yes = revenue(200d, ago 100d) > 0\ntier no\n");
}

static struct customer *asked(const struct model *model, enum survey survey, const int *scores, size_t count) {
    struct customer *customer = customer_create(model);
    assert_non_null(customer);
    for (size_t i = 0; i < count; i++) {
        test_apply(&builder, customer, model, test_feedback(NULL, TEST_AT(0, i), survey, scores[i]));
    }
    return customer;
}

#define assert_value(customer, expression, expected) assert_near(test_value(&builder, customer, expression), expected)
#define assert_none(customer, expression) assert_true(isnan(test_value(&builder, customer, expression)))

static struct customer *nps_of(int promoters, int passives, int detractors) {
    int scores[128];
    size_t count = 0;
    for (int i = 0; i < promoters; i++) {
        scores[count++] = 9 + i % 2;
    }
    for (int i = 0; i < passives; i++) {
        scores[count++] = 7 + i % 2;
    }
    for (int i = 0; i < detractors; i++) {
        scores[count++] = i % 7;
    }
    return asked(long_model(), SURVEY_NPS, scores, count);
}

/* The published example (measuringu.com/nps-three-confidence-intervals), computed with 30 digits. */
static void the_interval_of_nps_is_the_published_one(void **state) {
    (void)state;
    struct customer *customer = nps_of(50, 30, 20);
    assert_value(customer, "nps", 30);
    assert_within(test_value(&builder, customer, "nps_margin"), 15.3078, 1e-5);
    assert_within(test_value(&builder, customer, "nps_low"), 29.1262 - 15.0751, 1e-5);
    assert_within(test_value(&builder, customer, "nps_high"), 29.1262 + 15.0751, 1e-5);
    customer_destroy(customer);
    customer = nps_of(3, 2, 1); /* a half, a third, a sixth: 1/3, variance 5/9 */
    assert_value(customer, "nps", 100.0 / 3);
    assert_value(customer, "nps_margin", 100 * 1.959963984540054 * sqrt(5.0 / 9 / 6));
    customer_destroy(customer);
}

static void bounds_of_nps_stay_on_its_scale(void **state) {
    (void)state;
    struct customer *customer = nps_of(1, 0, 0);
    assert_value(customer, "nps", 100);
    assert_value(customer, "nps_margin", 0);
    double promoters = 1.75 / 4;
    double detractors = 0.75 / 4;
    double net = promoters - detractors;
    double margin = 1.959963984540054 * sqrt((promoters + detractors - net * net) / 4);
    assert_value(customer, "nps_low", 100 * (net - margin));
    assert_value(customer, "nps_high", 100 * (net + margin));
    customer_destroy(customer);
    customer = nps_of(2, 0, 0); /* the formula says 104 */
    assert_value(customer, "nps_high", 100);
    customer_destroy(customer);
    customer = nps_of(0, 0, 2);
    assert_value(customer, "nps_low", -100);
    customer_destroy(customer);
}

static void nobody_asked_has_no_values(void **state) {
    (void)state;
    static const char *const missing[] = {
        "nps",         "nps_margin",  "nps_low",      "nps_high",          "csat", "csat_mean", "ces",
        "review_mean", "basket_size", "nps_low(30d)", "csat(30d, ago 30d)"};
    const struct model *model = long_model();
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_feedback(NULL, TEST_AT(0, 0), SURVEY_COMPLAINT, 0));
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        assert_none(customer, missing[i]);
    }
    assert_value(customer, "complaints", 1);
    assert_value(customer, "reviews", 0);
    assert_value(customer, "items", 0);
    assert_value(customer, "referrals", 0);
    customer_destroy(customer);
}

static void csat_is_the_share_of_fours_and_fives(void **state) {
    (void)state;
    static const int scores[] = {1, 2, 3, 4, 5, 5, 5};
    struct customer *customer = asked(long_model(), SURVEY_CSAT, scores, 7);
    assert_value(customer, "csat", 400.0 / 7);
    assert_value(customer, "csat_mean", 25.0 / 7);
    assert_none(customer, "nps");
    customer_destroy(customer);
}

/* Two conventions, so it is said which. */
static void ces_is_a_mean_or_a_net_share(void **state) {
    (void)state;
    static const int scores[] = {1, 3, 4, 5, 6, 7, 7, 7};
    struct customer *customer = asked(long_model(), SURVEY_CES, scores, 8);
    assert_value(customer, "ces", 5);
    struct scoring_options options = scoring_options_default();
    struct bytes by_mean = model_version(long_model());
    options.ces = CES_SHARE;
    builder.options = &options;
    assert_value(customer, "ces", 100.0 * (5 - 2) / 8);
    assert_false(bytes_equal(model_version(long_model()), by_mean)); /* it decides */
    builder.options = NULL;
    customer_destroy(customer);
}

static void reviews_are_counted_and_averaged(void **state) {
    (void)state;
    static const int scores[] = {1, 5, 5};
    struct customer *customer = asked(long_model(), SURVEY_REVIEW, scores, 3);
    assert_value(customer, "reviews", 3);
    assert_value(customer, "review_mean", 11.0 / 3);
    customer_destroy(customer);
}

static void baskets_are_items_per_order(void **state) {
    (void)state;
    static const struct purchase_item items[] = {{.quantity = 3}, {.quantity = 0}, {.quantity = 2}};
    const struct model *model = long_model();
    struct customer *customer = customer_create(model);
    struct activity purchase = test_purchase(NULL, TEST_AT(0, 0), 1000);
    purchase.purchase.items = items;
    purchase.purchase.items_count = 3;
    test_apply(&builder, customer, model, purchase);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(1, 0), 1000));
    assert_value(customer, "items", 5);
    assert_value(customer, "basket_size", 2.5);
    assert_value(customer, "basket_size(1d)", 0);
    assert_none(customer, "basket_size(1d, ago 2d)");
    struct activity back = test_reversal(PURCHASE_KIND_CANCELLATION, NULL, TEST_AT(2, 0), 1000, TEST_AT(1, 0));
    back.purchase.items = items;
    back.purchase.items_count = 3;
    test_apply(&builder, customer, model, back);
    assert_value(customer, "items", 5); /* of PURCHASE events */
    assert_value(customer, "basket_size", 5);
    customer_destroy(customer);
}

static void referrals_are_interactions(void **state) {
    (void)state;
    const struct model *model = long_model();
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(0, 0), INTERACTION_REFERRAL));
    test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(1, 0), INTERACTION_REFERRAL));
    test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(1, 0), INTERACTION_SOCIAL));
    assert_value(customer, "referrals", 2);
    assert_value(customer, "referrals(1d)", 1);
    assert_value(customer, "referrals(1d, ago 1d) + 10 * interactions(referral, 2d)", 21);
    customer_destroy(customer);
}

static void answers_leave_their_window(void **state) {
    (void)state;
    const struct model *model = long_model();
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_feedback(NULL, TEST_AT(0, 0), SURVEY_CSAT, 1));
    test_apply(&builder, customer, model, test_feedback(NULL, TEST_AT(9, 0), SURVEY_CSAT, 5));
    test_apply(&builder, customer, model, test_feedback(NULL, TEST_AT(9, 0), SURVEY_NPS, 10));
    assert_value(customer, "csat(10d)", 50);
    assert_value(customer, "csat(9d)", 100);
    assert_value(customer, "csat_mean(1d, ago 9d)", 1);
    assert_none(customer, "nps_low(9d, ago 1d)");
    customer_destroy(customer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_interval_of_nps_is_the_published_one),
        cmocka_unit_test(bounds_of_nps_stay_on_its_scale),
        cmocka_unit_test(nobody_asked_has_no_values),
        cmocka_unit_test(csat_is_the_share_of_fours_and_fives),
        cmocka_unit_test(ces_is_a_mean_or_a_net_share),
        cmocka_unit_test(reviews_are_counted_and_averaged),
        cmocka_unit_test(baskets_are_items_per_order),
        cmocka_unit_test(referrals_are_interactions),
        cmocka_unit_test(answers_leave_their_window),
    };
    return cmocka_run_group_tests(tests, builder_set_up, builder_tear_down);
}
