/* What customer_explain tells of a customer's whole life. */
#include "support/model_fixture.h"
#include "support/scoring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct model *model;

static int set_up(void **state) {
    (void)state;
    model_builder_init(&builder);
    model = model_of(&builder, "set any\ntier yes = revenue(30d) > 0\ntier no\n");
    return 0;
}

static struct customer_view view_of(const struct customer *customer, int64_t at_ms) {
    struct customer_view view;
    assert_int_equal(customer_explain(customer, model, at_ms, &builder.arena, &view), 0);
    return view;
}

static void one_who_only_looked(void **state) {
    (void)state;
    struct customer *customer = customer_create(model);
    struct activity look = test_interaction(NULL, TEST_AT(0, 0), INTERACTION_REFERRAL);
    look.interaction.stage = STAGE_INTEREST;
    test_apply(&builder, customer, model, look);
    struct customer_view view = view_of(customer, TEST_AT(3, MS_PER_DAY / 2));
    customer_destroy(customer);
    assert_true(view.first_purchase_ms == TIME_NONE);
    assert_int_equal(view.top_categories_count, 0);
    assert_int_equal(view.top_channels_count, 0);
    assert_true(view.stages[0].first_ms == TIME_NONE);
    assert_true(isnan(view.stages[0].days));
    assert_true(view.stages[1].first_ms == TEST_AT(0, 0));
    assert_near(view.stages[1].days, 3.5);
    assert_true(isnan(view.mean_interval_days));
    assert_int_equal(view.frequency, FREQUENCY_NONE);
    assert_int_equal(view.referrals, 1);
}

static void one_who_has_bought(void **state) {
    (void)state;
    static const struct purchase_item items[] = {{.category = {"books", 5}, .quantity = 1},
                                                 {.category = {"art", 3}, .quantity = 3}};
    struct customer *customer = customer_create(model);
    for (int i = 0; i < 3; i++) {
        struct activity purchase = test_purchase(NULL, TEST_AT(100 * i, 0), 1000);
        purchase.purchase.items = items;
        purchase.purchase.items_count = 2;
        purchase.purchase.channel = bytes_of_text(i == 0 ? "web" : "store");
        test_apply(&builder, customer, model, purchase);
    }
    struct customer_view view = view_of(customer, TEST_AT(200, 0));
    customer_destroy(customer); /* the view stands alone */
    assert_int_equal(view.orders, 3);
    assert_near(view.revenue, 30);
    assert_int_equal(view.top_categories_count, 2);
    assert_true(bytes_equal_text(view.top_categories[0].name, "art"));
    assert_near(view.top_categories[0].share, 0.75);
    assert_int_equal(view.top_categories[0].weight, 9);
    assert_true(bytes_equal_text(view.top_channels[0].name, "store"));
    assert_near(view.top_channels[1].share, 1.0 / 3);
    assert_near(view.stages[3].days, 200);
    assert_near(view.mean_interval_days, 100);
    assert_int_equal(view.frequency, FREQUENCY_INFREQUENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_who_only_looked),
        cmocka_unit_test(one_who_has_bought),
    };
    return cmocka_run_group_tests(tests, set_up, builder_tear_down);
}
