/* The history of a customer for lifetime value, as it comes from the state; what a view tells by it; and what of the parameters
 * belongs to the rules. */
#include "score/customer_value.h"
#include "score/model_parts.h"
#include "support/model_fixture.h"
#include "support/scoring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SEEDS = 150, EVENTS_MAX = 60 };

static struct scoring_options options;
static const struct model *model;
static struct ltv_params days; /* with a day for unit */

static int set_up(void **state) {
    (void)state;
    model_builder_init(&builder);
    options = scoring_options_default();
    builder.options = &options;
    model = model_of(&builder, "set it\ntier yes = revenue(1000d) > 0\ntier no\n");
    days = options.lifetime_value;
    days.unit_ms = MS_PER_DAY;
    return 0;
}

static void assert_history(const struct customer *customer, int64_t now_ms, double x, double t_x, double t,
                           double mean_spend) {
    struct ltv_history history;
    customer_ltv_history(customer, &days, now_ms, &history);
    assert_near(history.x, x);
    assert_near(history.t_x, t_x);
    assert_near(history.t, t);
    assert_near(history.mean_spend, mean_spend);
}

static void buy(struct customer *customer, int day, double amount) {
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(day, 0), (int64_t)(amount * 100)));
}

/* ---- histories ---- */

/* Six customers from 2015-01-01 to 2015-02-07: the example by which the Python package lifetimes tests its summary. */
static void histories_are_those_of_the_summary_convention(void **state) {
    (void)state;
    static const struct {
        int purchases[3][2]; /* day, amount; amount 0: none */
        double x, t_x, t, mean_spend;
    } customers[] = {
        {{{0, 1}, {36, 2}}, 1, 36, 37, 2},
        {{{0, 2}}, 0, 0, 37, 0},
        {{{0, 3}, {1, 1}, {4, 5}}, 2, 4, 37, 3},
        {{{15, 6}, {32, 3}, {35, 3}}, 2, 20, 22, 3},
        {{{15, 3}, {16, 1}, {17, 8}}, 2, 2, 22, 4.5},
        {{{32, 5}}, 0, 0, 5, 0},
    };
    for (size_t i = 0; i < sizeof customers / sizeof *customers; i++) {
        struct customer *customer = customer_create(model);
        for (int j = 0; j < 3 && customers[i].purchases[j][1]; j++) {
            buy(customer, customers[i].purchases[j][0], customers[i].purchases[j][1]);
        }
        assert_history(customer, TEST_AT(37, 0), customers[i].x, customers[i].t_x, customers[i].t,
                       customers[i].mean_spend);
        customer_destroy(customer);
    }
}

static void purchases_of_one_day_are_one(void **state) {
    (void)state;
    struct customer *customer = customer_create(model);
    buy(customer, 0, 10);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(0, MS_PER_DAY / 2), 700));
    assert_history(customer, TEST_AT(2, 0), 0, 0.5, 2, 0); /* the first day has no mean */
    buy(customer, 3, 20);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(3, MS_PER_DAY / 4), 500));
    assert_history(customer, TEST_AT(4, 0), 1, 3.25, 4, 25);
    customer_destroy(customer);
}

static void the_three_orders_of_arrival_have_one_mean(void **state) {
    (void)state;
    static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static const double amounts[] = {10, 20, 25};
    for (size_t i = 0; i < 6; i++) {
        struct customer *customer = customer_create(model);
        for (int j = 0; j < 3; j++) {
            buy(customer, 10 * orders[i][j], amounts[orders[i][j]]);
        }
        assert_history(customer, TEST_AT(20, 0), 2, 20, 20, 22.5);
        customer_destroy(customer);
    }
}

static void take_back(struct customer *customer, enum purchase_kind kind, int day, int order_day, double amount) {
    test_apply(&builder, customer, model,
               test_reversal(kind, NULL, TEST_AT(day, 0), (int64_t)(amount * 100), TEST_AT(order_day, 0)));
}

/* What is given back was not spent, on whatever day it was bought; that it was bought stays. */
static void refunds_lower_the_mean_of_their_days(void **state) {
    (void)state;
    struct customer *customer = customer_create(model);
    buy(customer, 0, 100);
    buy(customer, 10, 30);
    buy(customer, 20, 50);
    assert_history(customer, TEST_AT(21, 0), 2, 20, 21, 40);
    take_back(customer, PURCHASE_KIND_REFUND, 21, 0, 99); /* of the first day: no repeat's */
    assert_history(customer, TEST_AT(21, 0), 2, 20, 21, 40);
    take_back(customer, PURCHASE_KIND_REFUND, 22, 10, 20);
    assert_history(customer, TEST_AT(22, 0), 2, 20, 22, 30);
    take_back(customer, PURCHASE_KIND_CANCELLATION, 23, 20, 50);
    assert_history(customer, TEST_AT(23, 0), 2, 20, 23, 5);
    take_back(customer, PURCHASE_KIND_REFUND, 24, 10, 1000); /* more than there was */
    assert_history(customer, TEST_AT(24, 0), 2, 20, 24, 0);
    assert_near(test_value(&builder, customer, "days_since_purchase"), 4);
    customer_destroy(customer);
}

struct deal {
    struct activity activity;
    int day; /* of the order */
    int64_t minor;
};

static int make_deals(struct test_random *random, struct deal *deals) {
    int count = 1 + (int)test_random_below(random, EVENTS_MAX / 2);
    for (int i = 0; i < count; i++) {
        int64_t time_ms = TEST_AT(0, test_random_below(random, 90 * (int64_t)MS_PER_DAY));
        int64_t minor = test_random_below(random, 10000);
        deals[i] = (struct deal){test_purchase(NULL, time_ms, minor), 0, minor};
    }
    for (int refunded = count, i = 0; i < refunded; i++) {
        if (test_random_below(random, 4) == 0) {
            int64_t order_ms = deals[i].activity.time_ms;
            int64_t minor = test_random_below(random, deals[i].minor + 1);
            deals[count++] = (struct deal){
                test_reversal(PURCHASE_KIND_REFUND, NULL, order_ms + MS_PER_DAY, minor, order_ms), 0, -minor};
        }
    }
    for (int i = 0; i < count; i++) {
        deals[i].day = zone_day(&zone_utc, deals[i].activity.purchase.order_time_ms);
    }
    return count;
}

/* From the list, as a spreadsheet would. */
static struct ltv_history expected_history(const struct deal *deals, int count, int64_t now_ms) {
    int64_t first_ms = INT64_MAX, last_ms = INT64_MIN, repeat_minor = 0;
    int distinct = 0;
    for (int i = 0; i < count; i++) {
        bool known = deals[i].activity.purchase.kind != PURCHASE_KIND_PURCHASE;
        for (int j = 0; j < i && !known; j++) {
            known = deals[j].day == deals[i].day && deals[j].activity.purchase.kind == PURCHASE_KIND_PURCHASE;
        }
        distinct += !known;
        if (deals[i].activity.purchase.kind == PURCHASE_KIND_PURCHASE) {
            first_ms = deals[i].activity.time_ms < first_ms ? deals[i].activity.time_ms : first_ms;
            last_ms = deals[i].activity.time_ms > last_ms ? deals[i].activity.time_ms : last_ms;
        }
    }
    for (int i = 0; i < count; i++) {
        repeat_minor += deals[i].day == zone_day(&zone_utc, first_ms) ? 0 : deals[i].minor;
    }
    return (struct ltv_history){
        .x = distinct - 1,
        .t_x = (double)(last_ms - first_ms) / MS_PER_DAY,
        .t = (double)(now_ms - first_ms) / MS_PER_DAY,
        .mean_spend = distinct > 1 ? fmax((double)repeat_minor / (distinct - 1) / 100, 0) : 0,
    };
}

static void the_order_of_arrival_does_not_matter(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct test_random random = test_random_of(seed);
        struct deal deals[EVENTS_MAX];
        int order[EVENTS_MAX];
        int count = make_deals(&random, deals);
        struct ltv_history wanted = expected_history(deals, count, TEST_AT(100, 0));
        for (int run = 0; run < 3; run++) {
            struct customer *customer = customer_create(model);
            test_shuffle(&random, order, count);
            for (int i = 0; i < count; i++) {
                test_apply(&builder, customer, model, deals[order[i]].activity);
            }
            test_store(&customer, model);
            assert_history(customer, TEST_AT(100, 0), wanted.x, wanted.t_x, wanted.t, wanted.mean_spend);
            customer_destroy(customer);
        }
    }
}

/* More days than are known one by one, most of them past every window. */
static void a_long_life_counts_as_a_whole(void **state) {
    (void)state;
    const struct model *short_sighted = model_of(&builder, "set it\ntier yes = revenue(7d) > 0\ntier no\n");
    struct customer *customer = customer_create(short_sighted);
    for (int day = 0; day < 1000; day++) {
        test_apply(&builder, customer, short_sighted,
                   test_purchase(NULL, TEST_AT(day, 0), day == 0 ? 999900 : 1000 + day));
    }
    assert_history(customer, TEST_AT(1000, 0), 999, 999, 1000, (1000 + 500.0) / 100);
    test_apply(&builder, customer, short_sighted,
               test_reversal(PURCHASE_KIND_REFUND, NULL, TEST_AT(1000, 0), 999900, TEST_AT(0, 0)));
    test_store(&customer, short_sighted);
    assert_history(customer, TEST_AT(1000, 0), 999, 999, 1000, (1000 + 500.0) / 100);
    customer_destroy(customer);
}

/* ---- views ---- */

static void a_view_tells_what_is_to_come(void **state) {
    (void)state;
    struct customer *customer = customer_create(model);
    struct customer_view view;
    struct ltv_history history;
    const struct ltv_params *params = &model->options.lifetime_value;
    test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(0, 0), INTERACTION_LOGIN));
    assert_int_equal(customer_explain(customer, model, TEST_AT(5, 0), &builder.arena, &view), 0);
    assert_true(isnan(view.p_alive) && isnan(view.expected_purchases) && isnan(view.clv));
    buy(customer, 5, 10);
    buy(customer, 25, 30);
    assert_int_equal(customer_explain(customer, model, TEST_AT(75, 0), &builder.arena, &view), 0);
    customer_ltv_history(customer, params, TEST_AT(75, 0), &history);
    assert_near(history.t, 10);
    assert_near(view.p_alive, ltv_p_alive(params, &history));
    assert_near(view.expected_purchases, ltv_expected_purchases(params, &history, 90.0 / 7));
    assert_near(view.clv, ltv_clv(params, &history, 365.0 / 7, 0.1));
    assert_near(view.p_alive, test_value_at(&builder, customer, "p_alive", TEST_AT(75, 0)));
    assert_near(view.expected_purchases, test_value_at(&builder, customer, "expected_purchases(90d)", TEST_AT(75, 0)));
    assert_near(view.clv, test_value_at(&builder, customer, "clv(365d)", TEST_AT(75, 0)));
    customer_destroy(customer);
}

/* Money is in the currency's own decimals, whatever the parameters say of them. */
static void money_is_in_major_units(void **state) {
    (void)state;
    builder.money_decimals = 0;
    const struct model *yen = model_of(&builder, "set it\ntier yes = revenue > 0\ntier no\n");
    struct customer *customer = customer_create(yen);
    for (int day = 0; day < 3; day++) {
        test_apply(&builder, customer, yen, test_purchase(NULL, TEST_AT(day, 0), 100));
    }
    const struct ltv_history history = {.x = 2, .mean_spend = 100};
    assert_near(test_value(&builder, customer, "mean_spend"), ltv_mean_spend(&options.lifetime_value, &history));
    builder.money_decimals = 2;
    customer_destroy(customer);
}

/* ---- the version of the rules ---- */

/* True if the change of one parameter gives rules with this comparison another version. */
static bool decides(const char *comparison, double *parameter) {
    char text[128];
    snprintf(text, sizeof text, "set it\ntier yes = %s > 1\ntier no\n", comparison);
    struct bytes before = model_version(model_of(&builder, text));
    double kept = *parameter;
    *parameter += 1;
    struct bytes after = model_version(model_of(&builder, text));
    *parameter = kept;
    return !bytes_equal(before, after);
}

static void parameters_are_rules_only_where_rules_use_them(void **state) {
    (void)state;
    struct ltv_params *params = &options.lifetime_value;
    double *const purchases[] = {&params->r, &params->alpha, &params->a, &params->b, &params->unit_ms};
    double *const spend[] = {&params->p, &params->q, &params->v};
    for (int i = 0; i < 5; i++) {
        assert_true(decides("p_alive", purchases[i]));
        assert_true(decides("expected_purchases(9d)", purchases[i]));
        assert_true(decides("clv(9d)", purchases[i]));
        assert_false(decides("mean_spend", purchases[i]));
        assert_false(decides("revenue(9d)", purchases[i]));
    }
    for (int i = 0; i < 3; i++) {
        assert_true(decides("mean_spend", spend[i]));
        assert_true(decides("clv(9d)", spend[i]));
        assert_false(decides("p_alive", spend[i]));
        assert_false(decides("tenure", spend[i]));
    }
    assert_true(decides("clv(9d)", &params->discount));
    assert_false(decides("mean_spend + expected_purchases(9d)", &params->discount));
    struct bytes before = model_version(model_of(&builder, "set it\ntier yes = p_alive > 1\ntier no\n"));
    params->model = LTV_BG_NBD;
    assert_false(bytes_equal(before, model_version(model_of(&builder, "set it\ntier yes = p_alive > 1\ntier no\n"))));
    params->model = LTV_MBG_NBD;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(histories_are_those_of_the_summary_convention),
        cmocka_unit_test(purchases_of_one_day_are_one),
        cmocka_unit_test(the_three_orders_of_arrival_have_one_mean),
        cmocka_unit_test(refunds_lower_the_mean_of_their_days),
        cmocka_unit_test(the_order_of_arrival_does_not_matter),
        cmocka_unit_test(a_long_life_counts_as_a_whole),
        cmocka_unit_test(a_view_tells_what_is_to_come),
        cmocka_unit_test(money_is_in_major_units),
        cmocka_unit_test(parameters_are_rules_only_where_rules_use_them),
    };
    return cmocka_run_group_tests(tests, set_up, builder_tear_down);
}
