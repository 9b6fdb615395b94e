/* Purchase days: intervals, frequency, and the revenue of the first day, in any order of arrival. */
#include "support/model_fixture.h"
#include "support/scoring.h"

#include "state/customer_codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { SEEDS = 300, EVENTS_MAX = 40 };

static const struct model *model; /* windows of 300 days */

static int set_up(void **state) {
    (void)state;
    model_builder_init(&builder);
    builder.tiles_max = 4096;
    model = model_of(&builder, "set any\ntier yes = revenue(200d, ago 100d) > 0\ntier no\n");
    return 0;
}

#define assert_value(customer, expression, expected) assert_near(test_value(&builder, customer, expression), expected)
#define assert_none(customer, expression) assert_true(isnan(test_value(&builder, customer, expression)))

static void buy(struct customer *customer, int day, int64_t amount_minor) {
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(day, 0), amount_minor));
}

static void give_back(struct customer *customer, int day, int order_day, int64_t amount_minor) {
    test_apply(
        &builder, customer, model,
        test_reversal(PURCHASE_KIND_REFUND, NULL, TEST_AT(day, 0), amount_minor, TEST_AT(order_day, MS_PER_HOUR)));
}

static void intervals_have_a_mean_and_a_spread(void **state) {
    (void)state;
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(0, 0), INTERACTION_LOGIN));
    assert_value(customer, "purchase_days", 0);
    assert_none(customer, "mean_interval");
    assert_none(customer, "interval_spread");
    assert_none(customer, "frequency");
    buy(customer, 10, 100);
    buy(customer, 10, 100);
    assert_value(customer, "purchase_days", 1);
    assert_none(customer, "mean_interval");
    assert_none(customer, "interval_spread");
    assert_value(customer, "frequency", 1);
    buy(customer, 12, 100);
    assert_value(customer, "mean_interval", 2);
    assert_value(customer, "interval_spread", 0);
    buy(customer, 20, 100); /* gaps 2 and 8 */
    give_back(customer, 22, 20, 50);
    assert_value(customer, "purchase_days", 3);
    assert_value(customer, "mean_interval", 5);
    assert_value(customer, "interval_spread", 3);
    buy(customer, 15, 100); /* late: gaps 2, 3 and 5 */
    assert_value(customer, "mean_interval", 10.0 / 3);
    assert_value(customer, "interval_spread", sqrt(38.0 / 3 - 100.0 / 9));
    customer_destroy(customer);
}

static void frequency_is_by_the_mean_interval(void **state) {
    (void)state;
    struct scoring_options options = scoring_options_default();
    struct customer *customer = customer_create(model);
    buy(customer, 0, 100);
    buy(customer, 45, 100);
    assert_value(customer, "frequency", 3); /* up to and including 45 days */
    buy(customer, 91, 100);
    assert_value(customer, "frequency", 2);
    options.frequent_interval_days = 45.5;
    builder.options = &options;
    assert_value(customer, "frequency", 3);
    builder.options = NULL;
    customer_destroy(customer);
}

/* Against all days in a list, bought in order and seven times as long as anyone is remembered. */
static void years_of_days_keep_mean_and_spread(void **state) {
    (void)state;
    struct test_random random = test_random_of(1);
    struct customer *customer = customer_create(model);
    double squares = 0;
    int day = 0;
    int last_gap = 0;
    for (int count = 1; count <= 7 * PURCHASE_DAYS_MAX; count++) {
        buy(customer, day, 100);
        if (count % 97 == 0 || count == PURCHASE_DAYS_MAX || count == PURCHASE_DAYS_MAX + 1) {
            test_store(&customer, model);
            double gaps = count - 1;
            double mean = (day) / gaps;
            assert_value(customer, "purchase_days", count);
            assert_value(customer, "mean_interval", mean);
            assert_within(test_value(&builder, customer, "interval_spread"), sqrt(squares / gaps - mean * mean), 1e-9);
        }
        last_gap = 1 + (int)test_random_below(&random, 5);
        squares += last_gap * last_gap;
        day += last_gap;
    }
    assert_int_equal(customer->purchase_days.count, PURCHASE_DAYS_MAX);
    assert_int_equal(customer->purchase_days.forgotten, 6 * PURCHASE_DAYS_MAX);
    customer_destroy(customer);
}

/* What nobody knows any more counts as new. */
static void a_day_before_the_oldest_known_counts_as_new(void **state) {
    (void)state;
    struct customer *customer = customer_create(model);
    for (int i = 0; i < PURCHASE_DAYS_MAX + 3; i++) {
        buy(customer, 10 + 2 * i, 100);
    }
    assert_value(customer, "purchase_days", PURCHASE_DAYS_MAX + 3);
    buy(customer, 16, 100); /* the oldest known */
    buy(customer, 17, 100); /* behind it: pushes it out */
    assert_value(customer, "purchase_days", PURCHASE_DAYS_MAX + 4);
    buy(customer, 12, 100); /* was there */
    assert_value(customer, "purchase_days", PURCHASE_DAYS_MAX + 5);
    assert_value(customer, "interval_spread * 0", 0);
    buy(customer, 0, 100); /* before the first of all, ten days */
    assert_value(customer, "purchase_days", PURCHASE_DAYS_MAX + 6);
    double gaps = PURCHASE_DAYS_MAX + 5;
    double span = 10 + 2 * (PURCHASE_DAYS_MAX + 2);
    double squares = 100 + 1 + 1 + 4 * (PURCHASE_DAYS_MAX + 1);
    assert_value(customer, "mean_interval", span / gaps);
    assert_within(test_value(&builder, customer, "interval_spread"),
                  sqrt(squares / gaps - (span / gaps) * (span / gaps)), 1e-9);
    test_store(&customer, model);
    assert_value(customer, "mean_interval", span / gaps);
    customer_destroy(customer);
}

static void a_full_list_forgets_an_earlier_day_itself(void **state) {
    (void)state;
    struct customer *late = customer_create(model);
    struct customer *early = customer_create(model);
    buy(early, 3, 100);
    for (int i = 0; i < PURCHASE_DAYS_MAX; i++) {
        buy(late, 10 + i, 100);
        buy(early, 10 + i, 100);
    }
    buy(late, 3, 100);
    assert_same_state(late, early, model);
    customer_destroy(late);
    customer_destroy(early);
}

static void the_first_days_revenue_follows_its_refunds(void **state) {
    (void)state;
    struct customer *customer = customer_create(model);
    give_back(customer, 5, 4, 30); /* before the order is known */
    assert_int_equal(customer->purchase_days.first_day_minor, 0);
    buy(customer, 6, 1000);
    buy(customer, 6, 500);
    buy(customer, 8, 70);
    give_back(customer, 9, 6, 200);
    give_back(customer, 9, 8, 20);
    assert_int_equal(customer->purchase_days.first_day_minor, 1300);
    buy(customer, 4, 400); /* late, and its refund came before it */
    assert_int_equal(customer->purchase_days.first_day_minor, 370);
    give_back(customer, 10, 6, 100); /* not the first day any more */
    give_back(customer, 10, 4, 100);
    assert_int_equal(customer->purchase_days.first_day_minor, 270);
    test_store(&customer, model);
    assert_int_equal(customer->purchase_days.first_day_minor, 270);
    buy(customer, 400, 1);
    buy(customer, 2, 77); /* before every window */
    assert_int_equal(customer->purchase_days.first_day_minor, 77);
    give_back(customer, 401, 2, 7);
    assert_int_equal(customer->purchase_days.first_day_minor, 70);
    customer_destroy(customer);
}

/* Purchases and refunds in any order: the same state, and the first day's revenue as added up afterwards. */
static void the_order_of_arrival_does_not_matter(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct test_random random = test_random_of(seed);
        struct activity activities[EVENTS_MAX];
        int order[EVENTS_MAX];
        int count = 2 + (int)test_random_below(&random, EVENTS_MAX - 2);
        int first_day = 1000;
        int64_t money[100] = {0};
        for (int i = 0; i < count; i++) {
            int day = (int)test_random_below(&random, 100);
            int64_t amount = test_random_below(&random, 1000);
            bool back = i > 0 && test_random_below(&random, 3) == 0;
            activities[i] = back ? test_reversal(PURCHASE_KIND_REFUND, NULL, TEST_AT(99, 0), amount, TEST_AT(day, 7))
                                 : test_purchase(NULL, TEST_AT(day, test_random_below(&random, MS_PER_DAY)), amount);
            money[day] += back ? -amount : amount;
            first_day = !back && day < first_day ? day : first_day;
        }
        struct customer *customers[2];
        for (int run = 0; run < 2; run++) {
            customers[run] = customer_create(model);
            test_shuffle(&random, order, count);
            for (int i = 0; i < count; i++) {
                test_apply(&builder, customers[run], model, activities[order[i]]);
            }
            assert_int_equal(customers[run]->purchase_days.first_day_minor, money[first_day]);
        }
        assert_same_state(customers[0], customers[1], model);
        customer_destroy(customers[0]);
        customer_destroy(customers[1]);
    }
}

/* A state written before purchase days were kept. */
static void an_old_state_has_none(void **state) {
    (void)state;
    static const char old[] = {1 << 3, 10, 5 << 3, 4, 6 << 3, 4, 7 << 3, 4, 8 << 3, 4};
    struct customer *customer;
    assert_int_equal(customer_decode(bytes_of(old, sizeof old), model, &customer), 0);
    assert_int_equal(customer->now_ms, 5);
    assert_int_equal(purchase_days_count(&customer->purchase_days), 0);
    customer_destroy(customer);
}

static void days_are_valid_if_they_ascend(void **state) {
    (void)state;
    int32_t known[PURCHASE_DAYS_MAX + 1];
    for (int i = 0; i <= PURCHASE_DAYS_MAX; i++) {
        known[i] = 10 + i;
    }
    struct purchase_days days = {.known = known, .count = PURCHASE_DAYS_MAX, .forgotten = 1, .first_day = 9};
    assert_true(purchase_days_are_valid(&days));
    days.first_day = 10; /* known one by one, too */
    assert_false(purchase_days_are_valid(&days));
    days.forgotten = 0;
    assert_true(purchase_days_are_valid(&days));
    days.count++;
    assert_false(purchase_days_are_valid(&days));
    days.count = 0;
    assert_true(purchase_days_are_valid(&days));
    days.forgotten = 1; /* while none is known */
    assert_false(purchase_days_are_valid(&days));
    days = (struct purchase_days){.known = known, .count = 3};
    known[2] = known[1];
    assert_false(purchase_days_are_valid(&days));
}

/* As far apart as days can be: the sum of the squares holds it. */
static void the_longest_gap_is_told_exactly(void **state) {
    (void)state;
    struct purchase_days days = {0};
    for (int i = 0; i < PURCHASE_DAYS_MAX; i++) {
        assert_int_equal(purchase_days_add(&days, INT32_MAX - i), 0);
    }
    assert_int_equal(purchase_days_add(&days, INT32_MIN + 1), 0);
    assert_int_equal(days.forgotten, 1);
    uint64_t gap = (uint64_t)UINT32_MAX - PURCHASE_DAYS_MAX;
    assert_true(days.gap_squares == gap * gap);
    assert_true(purchase_days_are_valid(&days));
    purchase_days_finish(&days);
}

static void broken_days_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } bodies[] = {{"\x62\x00", 2},                                   /* nothing */
                  {"\x62\x01\x02", 3},                               /* no day */
                  {"\x62\x03\x02\x04\x00", 5},                       /* a day twice */
                  {"\x62\x08\x02\x04\xFF\xFF\xFF\xFF\xFF\x01", 10},  /* beyond any calendar */
                  {"\x62\x03\x02\x04\x80", 5},                       /* half a number */
                  {"\x82\x01\x03\x01\x01\x01", 6},                   /* forgotten, but none known */
                  {"\x62\x02\x02\x04\x82\x01\x03\x01\x01\x00", 10},  /* forgotten on the oldest known day */
                  {"\x62\x02\x02\x04\x82\x01\x03\x00\x01\x01", 10}}; /* none forgotten */
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct customer *customer = NULL;
        char text[32] = {1 << 3, 10};
        memcpy(text + 2, bodies[i].bytes, bodies[i].size);
        assert_int_not_equal(customer_decode(bytes_of(text, bodies[i].size + 2), model, &customer), 0);
        assert_null(customer);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_have_a_mean_and_a_spread),
        cmocka_unit_test(frequency_is_by_the_mean_interval),
        cmocka_unit_test(years_of_days_keep_mean_and_spread),
        cmocka_unit_test(a_day_before_the_oldest_known_counts_as_new),
        cmocka_unit_test(a_full_list_forgets_an_earlier_day_itself),
        cmocka_unit_test(the_first_days_revenue_follows_its_refunds),
        cmocka_unit_test(the_order_of_arrival_does_not_matter),
        cmocka_unit_test(an_old_state_has_none),
        cmocka_unit_test(days_are_valid_if_they_ascend),
        cmocka_unit_test(the_longest_gap_is_told_exactly),
        cmocka_unit_test(broken_days_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, builder_tear_down);
}
