/* The value at risk: who is counted for which day, by rules whose days can be told by hand. */
#include "run/value_count.h"

#include "support/history.h"
#include "support/model_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* Ten days after the last purchase a customer cools, twenty days after it is lost: the first change is not the one that alerts.
 * Whoever has not logged in for 40 days is out of sight, which alerts, too. */
static const char RULES[] = "set churn\n"
                            "tier warm = days_since_purchase < 10\n"
                            "tier cool = days_since_purchase < 20\n"
                            "tier lost\nlabel alert us\n"
                            "set sight\n"
                            "tier seen = interactions(40d) >= 1\n"
                            "tier unseen\nlabel alert us\n";

static struct customer *customer_of(const struct model *model, int64_t bought_ms, int64_t seen_ms, int64_t amount) {
    struct customer *customer = customer_create(model);
    struct changes changes;
    assert_non_null(customer);
    changes_init(&changes, &builder.arena);
    struct activity login = test_interaction(NULL, seen_ms, INTERACTION_LOGIN);
    struct activity purchase = test_purchase(NULL, bought_ms, amount);
    bool first = seen_ms <= bought_ms;
    assert_int_equal(customer_apply(customer, model, first ? &login : &purchase, TIME_NONE, &changes), APPLIED);
    assert_int_equal(customer_apply(customer, model, first ? &purchase : &login, TIME_NONE, &changes), APPLIED);
    return customer;
}

static struct value_count *count_of(const struct model *model, const struct zone *zone, int64_t as_of_ms,
                                    struct customer *customer) {
    struct value_count *count = value_count_create(model, zone, as_of_ms);
    assert_non_null(count);
    assert_int_equal(value_count_add(count, model, customer), 0);
    customer_destroy(customer);
    return count;
}

static void assert_valued(struct valued valued, int64_t customers, int64_t revenue_minor) {
    assert_int_equal(valued.customers, customers);
    assert_int_equal(valued.revenue_minor, revenue_minor);
}

/* Nobody on any day but this one (-1: on none). */
static void assert_days(const struct value_count *count, int day, int64_t revenue_minor) {
    for (int i = 0; i < VALUE_DAYS_MAX; i++) {
        assert_valued(count->days[i], i == day ? 1 : 0, i == day ? revenue_minor : 0);
    }
}

static void the_day_is_that_of_the_change_that_alerts(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, RULES);
    struct value_count *count =
        count_of(model, &zone_utc, TEST_AT(1, 0), customer_of(model, TEST_AT(0, 5), TEST_AT(0, 5), 250));
    assert_valued(count->all, 1, 250);
    assert_valued(count->alerting, 0, 0);
    assert_days(count, 19, 250); /* of day 20, as of day 1 */
    assert_valued(count->tiers[0], 1, 250);
    assert_valued(count->tiers[3], 1, 250);
    value_count_destroy(count);
}

static void a_day_is_one_of_the_zone(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, RULES);
    static const struct zone_offset offsets[] = {{TIME_NONE, -3600000}};
    const struct zone west = {offsets, 1};
    int64_t bought_ms = TEST_AT(0, 30 * 60000); /* half past eleven of the day before, there */
    struct value_count *here = count_of(model, &zone_utc, TEST_AT(1, 0), customer_of(model, bought_ms, bought_ms, 250));
    struct value_count *there =
        count_of(model, &west, TEST_AT(1, 2 * 3600000), customer_of(model, bought_ms, bought_ms, 250));
    assert_days(here, 19, 250);
    assert_days(there, 18, 250);
    value_count_destroy(here);
    value_count_destroy(there);
}

static void who_alerts_already_is_at_risk_now(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, RULES);
    struct customer *customer = customer_of(model, TEST_AT(0, 0), TEST_AT(30, 0), 250);
    struct value_count *count = count_of(model, &zone_utc, TEST_AT(31, 0), customer);
    assert_valued(count->alerting, 1, 250);
    assert_days(count, -1, 0); /* also not for the day on which the second set will alert */
    assert_valued(count->tiers[2], 1, 250);
    value_count_destroy(count);
}

/* The task's clock has not got there: nobody is moved by a question. */
static void who_is_due_already_is_at_risk_today(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, RULES);
    struct value_count *count =
        count_of(model, &zone_utc, TEST_AT(25, 0), customer_of(model, TEST_AT(0, 0), TEST_AT(0, 0), 250));
    assert_days(count, 0, 250);
    assert_valued(count->tiers[0], 1, 250);
    value_count_destroy(count);
}

static void what_lies_beyond_the_days_is_not_counted(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, "set it\ntier seen = interactions(200d) >= 1\n"
                                                   "tier unseen\nlabel alert us\n");
    /* Seen on day 0, it leaves on day 200. */
    for (int ahead = VALUE_DAYS_MAX - 1; ahead <= VALUE_DAYS_MAX; ahead++) {
        struct value_count *count =
            count_of(model, &zone_utc, TEST_AT(200 - ahead, 0), customer_of(model, TEST_AT(0, 0), TEST_AT(0, 0), 250));
        assert_days(count, ahead < VALUE_DAYS_MAX ? ahead : -1, 250);
        value_count_destroy(count);
    }
}

static void without_alerts_nothing_is_at_risk(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, "set it\ntier seen = interactions(2d) >= 1\ntier unseen\n");
    struct value_count *count =
        count_of(model, &zone_utc, TEST_AT(1, 0), customer_of(model, TEST_AT(0, 0), TEST_AT(0, 0), 250));
    assert_valued(count->all, 1, 250);
    assert_days(count, -1, 0);
    value_count_destroy(count);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_day_is_that_of_the_change_that_alerts),
        cmocka_unit_test(a_day_is_one_of_the_zone),
        cmocka_unit_test(who_alerts_already_is_at_risk_now),
        cmocka_unit_test(who_is_due_already_is_at_risk_today),
        cmocka_unit_test(what_lies_beyond_the_days_is_not_counted),
        cmocka_unit_test(without_alerts_nothing_is_at_risk),
    };
    return cmocka_run_group_tests(tests, builder_set_up, builder_tear_down);
}
