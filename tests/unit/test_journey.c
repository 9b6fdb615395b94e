/* The journey: stages, first times, and time spent in each, in any order of arrival. */
#include "support/model_fixture.h"
#include "support/scoring.h"

#include "state/customer_codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { SEEDS = 300, EVENTS_MAX = 30 };

static const struct model *model;

static int set_up(void **state) {
    (void)state;
    model_builder_init(&builder);
    model = model_of(&builder, "set any\ntier yes = revenue(200d, ago 100d) > 0\ntier no\n");
    return 0;
}

#define assert_value(customer, expression, expected) assert_near(test_value(&builder, customer, expression), expected)
#define assert_none(customer, expression) assert_true(isnan(test_value(&builder, customer, expression)))

static struct activity staged(int64_t time_ms, enum journey_stage stage) {
    struct activity activity = test_interaction(NULL, time_ms, INTERACTION_OTHER);
    activity.interaction.stage = stage;
    return activity;
}

static void at_stage(struct customer *customer, int64_t time_ms, enum journey_stage stage) {
    test_apply(&builder, customer, model, staged(time_ms, stage));
}

static void the_stage_is_that_of_the_latest_event_with_one(void **state) {
    (void)state;
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(0, 0), INTERACTION_LOGIN));
    assert_none(customer, "stage");
    assert_none(customer, "furthest_stage");
    at_stage(customer, TEST_AT(1, 0), STAGE_DECISION);
    assert_value(customer, "stage", 3);
    at_stage(customer, TEST_AT(2, 0), STAGE_AWARENESS);
    assert_value(customer, "stage", 1);
    assert_value(customer, "furthest_stage", 3);
    at_stage(customer, TEST_AT(0, 0), STAGE_AFTER_SALES); /* late */
    assert_value(customer, "stage", 1);
    assert_value(customer, "furthest_stage", 5);
    at_stage(customer, TEST_AT(2, 0), STAGE_INTEREST); /* at the same instant the furthest */
    at_stage(customer, TEST_AT(2, 0), STAGE_AWARENESS);
    assert_value(customer, "stage", 2);
    test_apply(&builder, customer, model, test_feedback(NULL, TEST_AT(3, 0), SURVEY_NPS, 1));
    assert_value(customer, "stage", 2);
    customer_destroy(customer);
}

static void a_purchase_has_its_stage(void **state) {
    (void)state;
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_reversal(PURCHASE_KIND_REFUND, NULL, TEST_AT(0, 0), 5, TEST_AT(0, 0)));
    assert_none(customer, "stage");
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(1, 0), 5));
    assert_value(customer, "stage", 4);
    assert_value(customer, "furthest_stage", 4);
    customer_destroy(customer);
}

static void a_stage_lasts_until_a_further_one(void **state) {
    (void)state;
    struct journey journey;
    journey_init(&journey);
    assert_int_equal(journey_spent_ms(&journey, STAGE_INTEREST, 100), -1);
    journey_add(&journey, STAGE_AWARENESS, 10);
    assert_int_equal(journey_spent_ms(&journey, STAGE_AWARENESS, 100), 90);
    journey_add(&journey, STAGE_DECISION, 30);
    journey_add(&journey, STAGE_INTEREST, 40); /* after a further one */
    journey_add(&journey, STAGE_AWARENESS, 50);
    journey_add(&journey, STAGE_AFTER_SALES, 60);
    journey_add(&journey, STAGE_PURCHASE, 60);
    assert_int_equal(journey_spent_ms(&journey, STAGE_AWARENESS, 100), 20);
    assert_int_equal(journey_spent_ms(&journey, STAGE_INTEREST, 100), 20);
    assert_int_equal(journey_spent_ms(&journey, STAGE_DECISION, 100), 30);
    assert_int_equal(journey_spent_ms(&journey, STAGE_PURCHASE, 100), 0); /* both at once */
    assert_int_equal(journey_spent_ms(&journey, STAGE_AFTER_SALES, 100), 40);
    assert_int_equal(journey_furthest(&journey), STAGE_AFTER_SALES);
}

static void the_order_of_arrival_does_not_matter(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct test_random random = test_random_of(seed);
        struct activity activities[EVENTS_MAX];
        int order[EVENTS_MAX];
        int count = 2 + (int)test_random_below(&random, EVENTS_MAX - 2);
        for (int i = 0; i < count; i++) {
            int64_t time_ms = TEST_AT(0, test_random_below(&random, 20)); /* many at one instant */
            activities[i] = test_random_below(&random, 5) == 0
                                ? test_purchase(NULL, time_ms, 1)
                                : staged(time_ms, (enum journey_stage)test_random_below(&random, STAGES + 1));
        }
        struct customer *customers[2];
        for (int run = 0; run < 2; run++) {
            customers[run] = customer_create(model);
            test_shuffle(&random, order, count);
            for (int i = 0; i < count; i++) {
                test_apply(&builder, customers[run], model, activities[order[i]]);
            }
        }
        assert_same_state(customers[0], customers[1], model);
        test_store(&customers[0], model);
        assert_memory_equal(customers[0]->journey.first_ms, customers[1]->journey.first_ms,
                            sizeof customers[0]->journey.first_ms);
        assert_int_equal(customers[0]->journey.latest, customers[1]->journey.latest);
        assert_int_equal(customers[0]->journey.latest_ms, customers[1]->journey.latest_ms);
        customer_destroy(customers[0]);
        customer_destroy(customers[1]);
    }
}

static void a_journey_is_valid_if_its_parts_agree(void **state) {
    (void)state;
    struct journey journey;
    journey_init(&journey);
    assert_true(journey_is_valid(&journey));
    struct journey broken = journey;
    broken.latest_ms = TEST_AT(0, 0); /* of no stage */
    assert_false(journey_is_valid(&broken));
    broken = journey;
    broken.latest = STAGE_INTEREST; /* never reached, and no other either */
    assert_false(journey_is_valid(&broken));
    journey_add(&journey, STAGE_INTEREST, TEST_AT(0, 0));
    assert_true(journey_is_valid(&journey));
    static const enum journey_stage wrong[] = {STAGE_NONE, STAGE_PURCHASE, STAGES + 1};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        broken = journey;
        broken.latest = wrong[i];
        assert_false(journey_is_valid(&broken));
    }
    broken = journey;
    broken.latest_ms--;
    assert_false(journey_is_valid(&broken));
}

static void stages_have_names(void **state) {
    (void)state;
    assert_null(journey_stage_name(STAGE_NONE));
    assert_string_equal(journey_stage_name(STAGE_AWARENESS), "awareness");
    assert_string_equal(journey_stage_name(STAGE_AFTER_SALES), "after_sales");
    assert_null(journey_stage_name(STAGES + 1));
}

static void a_broken_journey_is_refused(void **state) {
    (void)state;
    /* now 5, first seen 3, then: no bytes; none reached; latest not reached; a latest that there is not; one time too few;
     * latest before its first time */
    static const char *const bodies[] = {"\x00",         "\x01\x00",        "\x03\x41\x00\x00", "\x03\xC1\x00\x00",
                                         "\x02\x21\x00", "\x03\x21\x00\x08"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct customer *customer = NULL;
        char text[32] = {1 << 3, 10, 5 << 3, 4, 6 << 3, 4, 13 << 3 | 2};
        size_t size = 1 + (size_t)bodies[i][0];
        memcpy(text + 7, bodies[i], size);
        assert_int_not_equal(customer_decode(bytes_of(text, 7 + size), model, &customer), 0);
    }
    static const char whole[] = {1 << 3, 10, 5 << 3, 4, 6 << 3, 4, 13 << 3 | 2, 3, 0x21, 0, 4};
    struct customer *customer = NULL;
    assert_int_equal(customer_decode(bytes_of(whole, sizeof whole), model, &customer), 0);
    assert_int_equal(customer->journey.first_ms[0], 3);
    assert_int_equal(customer->journey.latest_ms, 3);
    customer_destroy(customer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stage_is_that_of_the_latest_event_with_one),
        cmocka_unit_test(a_purchase_has_its_stage),
        cmocka_unit_test(a_stage_lasts_until_a_further_one),
        cmocka_unit_test(the_order_of_arrival_does_not_matter),
        cmocka_unit_test(a_journey_is_valid_if_its_parts_agree),
        cmocka_unit_test(stages_have_names),
        cmocka_unit_test(a_broken_journey_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, builder_tear_down);
}
