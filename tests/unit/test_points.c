/* Points: what events earn, multiplied by tiers, and what refunds take back. */
#include "support/model_fixture.h"
#include "support/scoring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { SEEDS = 200, EVENTS_MAX = 30 };

static struct scoring_options options;

static int fresh_options(void **state) {
    (void)state;
    options = scoring_options_default();
    builder.options = &options;
    return 0;
}

static const char *const plain = "set it\ntier yes = points(200d, ago 100d) > 0\ntier no\n";

#define assert_value(customer, expression, expected) assert_near(test_value(&builder, customer, expression), expected)

static void set_event(const char *name, double points) {
    for (int kind = 0; activity_kind_name(kind); kind++) {
        if (strcmp(activity_kind_name(kind), name) == 0) {
            options.points.events[kind] = points;
            return;
        }
    }
    fail_msg("no kind %s", name);
}

static void money_earns_by_the_unit(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, plain);
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(0, 0), 1234));
    assert_value(customer, "points", 12.34);
    options.points.per_unit = 0.5;
    test_apply(&builder, customer, model_of(&builder, plain), test_purchase(NULL, TEST_AT(1, 0), 1001));
    assert_value(customer, "points(1d)", 5.005);
    assert_value(customer, "points", 17.345);
    customer_destroy(customer);
}

static void each_kind_of_event_earns_its_own(void **state) {
    (void)state;
    set_event("purchase", 100);
    set_event("refund", 3);
    set_event("page_view", 0.25);
    set_event("nps", 20);
    set_event("complaint", -5);
    set_event("review", 7);
    const struct model *model = model_of(&builder, plain);
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(0, 0), 500));
    assert_value(customer, "points", 105);
    test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(1, 0), INTERACTION_PAGE_VIEW));
    assert_value(customer, "points(1d)", 0.25);
    test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(1, 0), INTERACTION_LOGIN));
    assert_value(customer, "points(1d)", 0.25);
    test_apply(&builder, customer, model, test_feedback(NULL, TEST_AT(2, 0), SURVEY_NPS, 0));
    test_apply(&builder, customer, model, test_feedback(NULL, TEST_AT(3, 0), SURVEY_COMPLAINT, 0));
    test_apply(&builder, customer, model, test_feedback(NULL, TEST_AT(4, 0), SURVEY_REVIEW, 2));
    assert_value(customer, "points(3d)", 22);
    /* What the refund itself earns counts on its own day, what it takes on its order's. */
    test_apply(&builder, customer, model, test_reversal(PURCHASE_KIND_REFUND, NULL, TEST_AT(5, 0), 100, TEST_AT(0, 0)));
    assert_value(customer, "points(1d)", 3);
    assert_value(customer, "points(1d, ago 5d)", 104);
    customer_destroy(customer);
}

static void what_is_earned_is_rounded_half_away(void **state) {
    (void)state;
    /* 0.01 x 0.05 is 0.0005; 0.07 x 0.15 is 0.0105; of 0.70 x 0.005 and 1.45 x 0.01 doubles make a little less. */
    static const struct {
        double per_unit;
        int64_t amount_minor;
        double event;
        double points;
    } cases[] = {{0.05, 1, 0, 0.001},    {0.049, 1, 0, 0},       {0.15, 7, 0, 0.011},     {0.15, 29, 0, 0.044},
                 {0.005, 70, 0, 0.004},  {0.01, 145, 0, 0.015},  {0, 0, -0.0005, -0.001}, {0, 0, 0.0004, 0},
                 {1.005, 100, 0, 1.005}, {0.35, 1, 0.001, 0.005}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        options.points.per_unit = cases[i].per_unit;
        set_event("purchase", cases[i].event);
        const struct model *model = model_of(&builder, plain);
        struct customer *customer = customer_create(model);
        test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(0, 0), cases[i].amount_minor));
        assert_value(customer, "points", cases[i].points);
        customer_destroy(customer);
    }
}

static const char *const tiered = "set value\ntier vip = purchases(100d) >= 2\ntier rest\n"
                                  "set mood\ntier fine = interactions >= 1\ntier none\n"
                                  "set any\ntier yes = points(100d) > 100000\ntier no\n";

static struct spec_text words(const char *text) {
    return (struct spec_text){bytes_of_text(text), 3, 14};
}

static void tiers_multiply(void **state) {
    (void)state;
    const struct multiplier_spec multipliers[] = {{words("value"), words("vip"), 2},
                                                  {words("mood"), words("fine"), 1.5}};
    options.points.multipliers = multipliers;
    options.points.multipliers_count = 2;
    const struct model *model = model_of(&builder, tiered);
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(0, 0), 1000)); /* in no tier yet */
    assert_value(customer, "points(1d)", 10);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(1, 0), 1000)); /* becomes vip by it */
    assert_value(customer, "points(1d)", 10);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(2, 0), 1000));
    assert_value(customer, "points(1d)", 20);
    test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(2, 0), INTERACTION_LOGIN));
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(3, 0), 1001));
    assert_value(customer, "points(1d)", 30.03);
    customer_destroy(customer);
}

/* Half of the money takes half of what the money earned then; the purchase's own points stay. */
static void no_more_is_earned_or_taken_than_there_are_numbers(void **state) {
    (void)state;
    set_event("login", 1e17);
    set_event("search", -1e17);
    const struct model *model = model_of(&builder, plain);
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(0, 0), INTERACTION_LOGIN));
    assert_true(tiles_total(&customer->tiles, TILE_POINTS) == INT64_MAX);
    test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(0, 1), INTERACTION_LOGIN));
    assert_true(tiles_total(&customer->tiles, TILE_POINTS) == INT64_MAX);
    test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(0, 2), INTERACTION_SEARCH));
    assert_int_equal(tiles_total(&customer->tiles, TILE_POINTS), -1);
    test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(0, 3), INTERACTION_SEARCH));
    assert_true(tiles_total(&customer->tiles, TILE_POINTS) == INT64_MIN);
    customer_destroy(customer);
}

static void a_refund_takes_in_proportion(void **state) {
    (void)state;
    const struct multiplier_spec multipliers[] = {{words("value"), words("vip"), 3}};
    set_event("purchase", 100);
    options.points.multipliers = multipliers;
    options.points.multipliers_count = 1;
    const struct model *model = model_of(&builder, tiered);
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(0, 0), 1000));
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(0, 0), 1000));
    assert_value(customer, "points", 220);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(1, 0), 1000));
    assert_value(customer, "points(1d)", 330); /* (100 + 10) x 3 */
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(1, 0), 500));
    assert_value(customer, "points(1d)", 645); /* + (100 + 5) x 3 */
    test_apply(&builder, customer, model, test_reversal(PURCHASE_KIND_REFUND, NULL, TEST_AT(2, 0), 100, TEST_AT(1, 0)));
    assert_value(customer, "points(1d, ago 1d)", 642); /* 45 x 100 / 1500 */
    test_apply(&builder, customer, model,
               test_reversal(PURCHASE_KIND_CANCELLATION, NULL, TEST_AT(2, 0), 500, TEST_AT(1, 0)));
    assert_value(customer, "points(1d, ago 1d)", 627); /* of the same 1500 */
    test_apply(&builder, customer, model,
               test_reversal(PURCHASE_KIND_REFUND, NULL, TEST_AT(2, 0), 999999, TEST_AT(1, 0)));
    assert_value(customer, "points(1d, ago 1d)", 582); /* all 45, not more */
    customer_destroy(customer);
}

static void a_refund_of_an_unknown_day_takes_the_plain_rate(void **state) {
    (void)state;
    options.points.per_unit = 2;
    const struct model *model = model_of(&builder, tiered);
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_reversal(PURCHASE_KIND_REFUND, NULL, TEST_AT(5, 0), 150, TEST_AT(4, 0)));
    assert_value(customer, "points", -3);
    assert_value(customer, "points(1d, ago 1d)", -3);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(4, 0), 1000)); /* late */
    assert_value(customer, "points(2d)", 17);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(200, 0), 1000));
    test_apply(&builder, customer, model, /* before every window */
               test_reversal(PURCHASE_KIND_REFUND, NULL, TEST_AT(200, 0), 500, TEST_AT(4, 0)));
    assert_value(customer, "points", -3 + 20 + 20 - 10);
    assert_value(customer, "points(100d)", 20);
    customer_destroy(customer);
}

static void a_third_is_rounded(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, plain);
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(0, 0), 300));
    options.points.per_unit = 0.333; /* 0.333 points for a unit */
    test_apply(&builder, customer, model_of(&builder, plain), test_purchase(NULL, TEST_AT(1, 0), 300));
    test_apply(&builder, customer, model, test_reversal(PURCHASE_KIND_REFUND, NULL, TEST_AT(1, 0), 50, TEST_AT(1, 0)));
    assert_value(customer, "points(1d)", 0.832); /* 0.999 - 0.1665 */
    customer_destroy(customer);
}

static void they_are_kept_only_where_they_are_used(void **state) {
    (void)state;
    const char *text = "set it\ntier yes = revenue(30d) > 0\ntier no\n";
    const struct model *model = model_of(&builder, text);
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(0, 0), 100));
    assert_value(customer, "points", 0);
    options.points.kept = true; /* the section stands in the config */
    test_apply(&builder, customer, model_of(&builder, text), test_purchase(NULL, TEST_AT(0, 0), 100));
    assert_value(customer, "points", 1);
    customer_destroy(customer);
}

/* Without refunds and multipliers sums commute. */
static void the_order_of_what_is_earned_does_not_matter(void **state) {
    (void)state;
    set_event("login", 1.5);
    set_event("csat", 0.75);
    const struct model *model = model_of(&builder, plain);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct test_random random = test_random_of(seed);
        struct activity activities[EVENTS_MAX];
        int order[EVENTS_MAX];
        for (int i = 0; i < EVENTS_MAX; i++) {
            int64_t time_ms = TEST_AT(test_random_below(&random, 100), 0);
            int64_t kind = test_random_below(&random, 3);
            activities[i] = kind == 0   ? test_purchase(NULL, time_ms, test_random_below(&random, 10000))
                            : kind == 1 ? test_interaction(NULL, time_ms, INTERACTION_LOGIN)
                                        : test_feedback(NULL, time_ms, SURVEY_CSAT, 3);
        }
        struct customer *customers[2];
        for (int run = 0; run < 2; run++) {
            customers[run] = customer_create(model);
            test_shuffle(&random, order, EVENTS_MAX);
            for (int i = 0; i < EVENTS_MAX; i++) {
                test_apply(&builder, customers[run], model, activities[order[i]]);
            }
        }
        assert_same_state(customers[0], customers[1], model);
        test_store(&customers[0], model);
        assert_same_state(customers[0], customers[1], model);
        customer_destroy(customers[0]);
        customer_destroy(customers[1]);
    }
}

static void assert_refused(struct multiplier_spec multiplier, int column, const char *message) {
    struct model *model;
    options.points.multipliers = &multiplier;
    options.points.multipliers_count = 1;
    assert_int_equal(model_builder_compile(&builder, tiered, &model), ERR_INVALID);
    assert_int_equal(builder.error.line, 3);
    assert_int_equal(builder.error.column, column);
    assert_string_equal(builder.error.message, message);
}

static void multipliers_name_what_there_is(void **state) {
    (void)state;
    struct spec_text tier = {bytes_of_text("vpi"), 3, 20};
    struct spec_text other = {bytes_of_text("somewhere"), 3, 20};
    assert_refused((struct multiplier_spec){words("valeu"), words("vip"), 2}, 14,
                   "unknown tier set 'valeu' in points.multipliers; did you mean 'value'?");
    assert_refused((struct multiplier_spec){words("value"), tier, 2}, 20,
                   "unknown tier 'vpi' in points.multipliers; did you mean 'vip'?");
    assert_refused((struct multiplier_spec){words("value"), other, 2}, 20,
                   "unknown tier 'somewhere' in points.multipliers");
}

static void what_decides_is_in_the_version(void **state) {
    (void)state;
    const struct multiplier_spec multipliers[] = {{words("value"), words("vip"), 2}};
    struct bytes versions[5];
    versions[0] = model_version(model_of(&builder, tiered));
    options.points.per_unit = 2;
    versions[1] = model_version(model_of(&builder, tiered));
    set_event("social", 1);
    versions[2] = model_version(model_of(&builder, tiered));
    options.points.multipliers = multipliers;
    options.points.multipliers_count = 1;
    versions[3] = model_version(model_of(&builder, tiered));
    options.engagement.half_life_ms++;
    versions[4] = model_version(model_of(&builder, tiered));
    for (size_t i = 0; i < 5; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_false(bytes_equal(versions[i], versions[j]));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(money_earns_by_the_unit, fresh_options),
        cmocka_unit_test_setup(each_kind_of_event_earns_its_own, fresh_options),
        cmocka_unit_test_setup(what_is_earned_is_rounded_half_away, fresh_options),
        cmocka_unit_test_setup(tiers_multiply, fresh_options),
        cmocka_unit_test_setup(no_more_is_earned_or_taken_than_there_are_numbers, fresh_options),
        cmocka_unit_test_setup(a_refund_takes_in_proportion, fresh_options),
        cmocka_unit_test_setup(a_refund_of_an_unknown_day_takes_the_plain_rate, fresh_options),
        cmocka_unit_test_setup(a_third_is_rounded, fresh_options),
        cmocka_unit_test_setup(they_are_kept_only_where_they_are_used, fresh_options),
        cmocka_unit_test_setup(the_order_of_what_is_earned_does_not_matter, fresh_options),
        cmocka_unit_test_setup(multipliers_name_what_there_is, fresh_options),
        cmocka_unit_test_setup(what_decides_is_in_the_version, fresh_options),
    };
    return cmocka_run_group_tests(tests, builder_set_up, builder_tear_down);
}
