/* A customer evaluated by other rules than before. */
#include "support/model_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* The rules of a set: vip is who bought so often in so many days. */
static const struct model *rules(int purchases, int days) {
    char text[128];
    snprintf(text, sizeof text, "set value\ntier vip = purchases(%dd) >= %d\ntier rest\n", days, purchases);
    return model_of(&builder, text);
}

static void assert_changes(const struct model *model, struct changes *found, const char *lines) {
    assert_string_equal(changes_text(&builder, model, found), lines);
    changes_init(found, &builder.arena);
}

static void buys(struct customer *customer, const struct model *model, const char *id, int day, struct changes *found) {
    struct activity activity = test_purchase(id, TEST_AT(day, 0), 100);
    assert_int_equal(customer_apply(customer, model, &activity, TIME_NONE, found), APPLIED);
    assert_true(customer_is_valid(customer, model));
}

/* Who has bought once, on day 0, by the rules of one purchase in ten days. */
static struct customer *buyer(struct changes *found) {
    const struct model *model = rules(1, 10);
    struct customer *customer = customer_create(model);
    changes_init(found, &builder.arena);
    buys(customer, model, "e1", 0, found);
    assert_changes(model, found, "value FIRST -> vip #1 at 0d+0 by PURCHASE e1\n");
    return customer;
}

static void new_rules_are_a_cause(void **state) {
    (void)state;
    struct changes found;
    struct customer *customer = buyer(&found);
    const struct model *shorter = rules(1, 5);
    const struct model *stricter = rules(2, 5);
    test_reevaluate(customer, shorter, TEST_AT(4, 0), &found);
    assert_changes(shorter, &found, "");
    assert_int_equal(customer_due_ms(customer, shorter), TEST_AT(5, 0)); /* no more day 10 */
    test_reevaluate(customer, stricter, TEST_AT(3, 0), &found);          /* its time does not go back */
    assert_changes(stricter, &found, "value DOWN vip -> rest #2 at 4d+0 by RULES\n");
    customer_destroy(customer);
}

/* By the former rules the instant was none, and the clock may have passed it before the customer was met by a sweep. */
static void what_new_rules_find_in_the_past_was_not_met_by_the_wheel(void **state) {
    (void)state;
    struct changes found;
    struct customer *customer = buyer(&found);
    struct model *renewed = model_copy_for_task(rules(1, 5));
    struct edition edition = {.number = 1, .since_ms = TEST_AT(1, 0)};
    assert_non_null(renewed);
    model_set_edition(renewed, &edition);
    customer_advance(customer, renewed, TEST_AT(6, 0), &found);
    assert_false(found.first->before_activity);
    assert_changes(renewed, &found, "value DOWN vip -> rest #2 at 5d+0 by TIME\n");
    buys(customer, renewed, "e2", 7, &found);
    assert_changes(renewed, &found, "value UP rest -> vip #3 at 7d+0 by PURCHASE e2\n");
    customer_advance(customer, renewed, TEST_AT(13, 0), &found);
    assert_true(found.first->before_activity);
    assert_changes(renewed, &found, "value DOWN vip -> rest #4 at 12d+0 by TIME\n");
    model_copy_destroy(renewed);
    customer_destroy(customer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_rules_are_a_cause),
        cmocka_unit_test(what_new_rules_find_in_the_past_was_not_met_by_the_wheel),
    };
    return cmocka_run_group_tests(tests, builder_set_up, builder_tear_down);
}
