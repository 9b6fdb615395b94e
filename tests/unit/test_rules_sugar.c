/* trend, rising and the named values of frequency and stage. */
#include "score/evaluate.h"
#include "score/explain.h"
#include "support/model_fixture.h"
#include "support/scoring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct scoring_options options;
static struct customer *grower; /* at day 60: more and more often, still small */

#define NOW TEST_AT(60, 0)

static bool truth(const struct customer *customer, const char *rule) {
    struct evaluation evaluation;
    const struct model *model = with_rule(rule);
    evaluation_init(&evaluation, customer, model, customer->now_ms);
    return evaluation_rule(&evaluation, &model->sets[0].tiers[0].enter);
}

static int set_up(void **state) {
    (void)state;
    model_builder_init(&builder);
    options = scoring_options_default();
    builder.options = &options;
    const struct model *model = with_rule("revenue(60d, ago 60d) > 0");
    grower = customer_create(model);
    test_apply(&builder, grower, model, test_purchase(NULL, TEST_AT(20, 0), 4000));
    test_apply(&builder, grower, model, test_purchase(NULL, TEST_AT(40, 0), 7000));
    test_apply(&builder, grower, model, test_purchase(NULL, TEST_AT(50, 0), 5000));
    test_apply(&builder, grower, model, test_interaction(NULL, TEST_AT(20, 0), INTERACTION_LOGIN));
    test_apply(&builder, grower, model, test_interaction(NULL, TEST_AT(20, 0), INTERACTION_SEARCH));
    test_apply(&builder, grower, model, test_feedback(NULL, TEST_AT(20, 0), SURVEY_NPS, 0));
    test_apply(&builder, grower, model, test_feedback(NULL, NOW, SURVEY_NPS, 10));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    customer_destroy(grower);
    model_builder_finish(&builder);
    return 0;
}

#define assert_value(expression, expected) assert_near(test_value(&builder, grower, expression), expected)
#define assert_none(expression) assert_true(isnan(test_value(&builder, grower, expression)))

/* ---- trend ---- */

static void a_trend_is_this_window_over_the_one_before(void **state) {
    (void)state;
    assert_value("trend(revenue, 30d)", 3);
    assert_value("trend(purchases, 30d)", 2);
    assert_value("trend(revenue, 30d) * 2 - 1", 5);
    assert_value("-trend(aov, 30d)", -1.5);
    assert_value("trend(interactions, 30d)", 0);
    assert_value("max(trend( revenue ,30d ), 4)", 4);
    assert_near(test_value(&builder, grower, "trend(revenue, 30d)"),
                test_value(&builder, grower, "revenue(30d) / revenue(30d, ago 30d)"));
}

static void a_trend_from_nothing_has_no_value(void **state) {
    (void)state;
    assert_none("trend(revenue, 41d)");   /* 0 before */
    assert_none("trend(aov, 41d)");       /* no value before */
    assert_none("trend(nps, 30d)");       /* below 0 before */
    assert_none("trend(csat, 30d)");      /* none at all */
    assert_none("trend(complaints, 1d)"); /* 0 / 0 */
    assert_false(truth(grower, "trend(revenue, 41d) > 0 or trend(revenue, 41d) <= 0"));
    assert_true(truth(grower, "not known(trend(revenue, 41d)) and known(trend(revenue, 30d))"));
}

static void a_trend_uses_two_metrics(void **state) {
    (void)state;
    const struct model *model = with_rule("trend(revenue, 30d) >= 2 and revenue(30d) > 1");
    assert_int_equal(model->slots.count, 2);
    assert_true(bytes_equal_text(model->slots.slots[0].text, "revenue(30d)"));
    assert_true(bytes_equal_text(model->slots.slots[1].text, "revenue(30d, ago 30d)"));
    assert_int_equal(model_span_days(model), 60);
    const struct rule *rule = &model->sets[0].tiers[0].enter;
    assert_int_equal(rule->comparisons_count, 2);
    assert_true(bytes_equal_text(rule->comparisons[0].text, "trend(revenue, 30d) >= 2"));
}

/* Windows stand still within a day, so beside a trend it is elapsed time alone that turns a comparison. */
static void elapsed_time_overtakes_a_trend(void **state) {
    (void)state;
    const struct model *model = with_rule("days_since_purchase > trend(revenue, 30d)");
    struct customer *customer = customer_create(model);
    struct changes changes;
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(0, 0), 1000));
    changes_init(&changes, &builder.arena);
    customer_advance(customer, model, TEST_AT(29, 0), &changes); /* nothing before: no trend */
    assert_int_equal(changes.count, 0);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(31, 0), 1500));
    customer_advance(customer, model, TEST_AT(40, 0), &changes);
    assert_string_equal(changes_text(&builder, model, &changes), "it UP no -> yes #4 at 32d+43200001 by TIME\n");
    customer_destroy(customer);
}

/* The day on which the older window empties is a due instant like any other. */
static void a_trend_ends_by_time_alone(void **state) {
    (void)state;
    const struct model *model = with_rule("trend(revenue, 30d) >= 1");
    struct customer *customer = customer_create(model);
    struct changes changes;
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(0, 5), 100));
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(40, 5), 100));
    assert_int_equal(customer->tiers[0].tier, 0);
    changes_init(&changes, &builder.arena);
    customer_advance(customer, model, TEST_AT(200, 0), &changes);
    assert_string_equal(changes_text(&builder, model, &changes), "it DOWN yes -> no #3 at 60d+0 by TIME\n");
    customer_destroy(customer);
}

/* ---- rising ---- */

static void rising_is_more_often_and_more_but_still_small(void **state) {
    (void)state;
    assert_true(truth(grower, "rising(30d)"));
    assert_true(truth(grower, "rising(30d) and 1 = 1"));
    assert_false(truth(grower, "not rising(30d)"));
    assert_true(truth(grower, "1 = 2 or rising(30d)"));
    assert_false(truth(grower, "rising(30d) and 1 = 2"));
    assert_true(truth(grower, "(rising( 30d ))"));
    assert_true(truth(grower, "rising(60d)"));
    assert_false(truth(grower, "rising(5d)"));
    options.rising_below = 119.99;
    assert_false(truth(grower, "rising(30d)")); /* not small */
    assert_true(truth(grower, "rising(30d) or 1 = 1"));
    options.rising_below = 120;
    assert_true(truth(grower, "rising(30d)"));
    options.rising_below = 500;
    /* As often as before, then for no more than before. */
    const struct model *model = with_rule("rising(30d)");
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(0, 0), 100));
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(30, 0), 200));
    assert_int_equal(customer->tiers[0].tier, 1);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(30, 0), 0));
    assert_int_equal(customer->tiers[0].tier, 0);
    test_apply(&builder, customer, model,
               test_reversal(PURCHASE_KIND_REFUND, NULL, TEST_AT(30, 0), 100, TEST_AT(30, 0)));
    assert_int_equal(customer->tiers[0].tier, 1);
    customer_destroy(customer);
}

static void rising_shows_what_it_stands_for(void **state) {
    (void)state;
    static const char *const texts[] = {"1 < 2", "purchases(30d) > purchases(30d, ago 30d)",
                                        "revenue(30d) > revenue(30d, ago 30d)", "revenue(30d) <= 250.5", "tenure > 3"};
    options.rising_below = 250.5;
    const struct model *model = with_rule("1 < 2 and  rising(30d) and tenure > 3");
    const struct rule *rule = &model->sets[0].tiers[0].enter;
    assert_int_equal(rule->comparisons_count, 5);
    struct evaluation evaluation;
    const struct condition *conditions;
    size_t count;
    evaluation_init(&evaluation, grower, model, NOW);
    assert_int_equal(explain_rules(&evaluation, &rule, 1, &builder.arena, &conditions, &count), 0);
    assert_int_equal(count, 5);
    for (size_t i = 0; i < count; i++) {
        assert_true(bytes_equal_text(conditions[i].rule, texts[i]));
        assert_true(conditions[i].met);
    }
    assert_near(conditions[1].value, 2);
    assert_near(conditions[1].threshold, 1);
    assert_near(conditions[2].value, 120);
    assert_near(conditions[2].threshold, 40);
    assert_near(conditions[3].value, 120);
    assert_near(conditions[3].threshold, 250.5);
    struct bytes version = model_version(model);
    options.rising_below = 500;
    assert_false(bytes_equal(version, model_version(with_rule("1 < 2 and  rising(30d) and tenure > 3"))));
}

/* ---- named values ---- */

static void values_of_frequency_and_stage_have_names(void **state) {
    (void)state;
    assert_true(truth(grower, "frequency = frequent and not frequency = one_off"));
    assert_true(truth(grower, "frequency > infrequent"));
    assert_true(truth(grower, "stage = purchase"));
    assert_true(truth(grower, "purchase = stage"));
    assert_true(truth(grower, "furthest_stage < after_sales"));
    assert_true(truth(grower, "stage > awareness and stage > interest and stage > decision"));
    assert_true(truth(grower, "min(stage, after_sales) = purchase"));
    static const struct {
        const char *name;
        enum constant_kind kind;
        double value;
    } constants[] = {{"awareness", CONSTANT_STAGE, 1},      {"interest", CONSTANT_STAGE, 2},
                     {"decision", CONSTANT_STAGE, 3},       {"purchase", CONSTANT_STAGE, 4},
                     {"after_sales", CONSTANT_STAGE, 5},    {"one_off", CONSTANT_FREQUENCY, 1},
                     {"infrequent", CONSTANT_FREQUENCY, 2}, {"frequent", CONSTANT_FREQUENCY, 3}};
    struct constant constant;
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
        assert_true(rule_constant(bytes_of_text(constants[i].name), &constant));
        assert_int_equal(constant.kind, constants[i].kind);
        assert_near(constant.value, constants[i].value);
        assert_true(rule_constant_at((int)i, &constant));
        assert_string_equal(constant.name, constants[i].name);
    }
    assert_false(rule_constant_at(8, &constant));
    assert_false(rule_constant(bytes_of_text("purchases"), &constant));
}

static void tiers_and_sets_may_be_called_so(void **state) {
    (void)state;
    static const char *const text = "set frequency\ntier frequent = frequency = frequent\ntier one_off\n"
                                    "set stage\ntier rising = rising(30d)\ntier purchase\n"
                                    "set trend\ntier interest = tier(frequency) = frequent and tier(stage) = rising\n"
                                    "tier rest\n";
    const struct model *model = model_of(&builder, text);
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(0, 0), 1));
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(1, 0), 1));
    assert_int_equal(customer->tiers[2].tier, 0);
    customer_destroy(customer);
}

/* ---- what is wrong ---- */

static void mistakes_are_told_with_their_place(void **state) {
    (void)state;
    static const struct {
        const char *rule;
        int column;
        const char *message;
    } mistakes[] = {
        {"trend(tenure, 30d) > 1", 18, "'tenure' has no window: a trend is of one that has, like revenue"},
        {"trend(revenu, 30d) > 1", 18, "unknown metric 'revenu'; did you mean 'revenue'?"},
        {"trend(wxyz, 30d) > 1", 18, "unknown metric 'wxyz'"},
        {"trend(7, 30d) > 1", 18, "expected a metric: trend(revenue, 30d), found '7'"},
        {"trend(revenue) > 1", 25, "expected ',' and a window: trend(revenue, 30d), found ')'"},
        {"trend(revenue(30d), 30d) > 1", 25, "expected ',' and a window: trend(revenue, 30d), found '('"},
        {"trend(interactions, login, 30d) > 1", 32, "expected a window: trend(revenue, 30d), found 'login'"},
        {"trend(revenue, 30d, 30d) > 1", 30, "expected ')', found ','"},
        {"trend(revenue, 0d) > 1", 27, "a window is a whole number of days from 1d to 3660d"},
        {"trend > 1", 18, "expected '(', found '>'"},
        {"trend(revenue, 30d)", 12, "expected a truth value such as a comparison, but this is a number"},
        {"rising(revenue, 30d)", 19, "expected a window: rising(30d), found 'revenue'"},
        {"rising", 18, "expected '(', found the end"},
        {"rising(30d, 60d)", 22, "expected ')', found ','"},
        {"rising(30d) > 1", 12, "expected a number, but this is a truth value"},
        {"purchase(90d) > 1", 12, "unknown metric 'purchase'; did you mean 'purchases'?"},
        {"purchase > 3", 12, "'purchase' is a value of stage and furthest_stage; neither stands in this comparison"},
        {"stage = frequent", 12, "'frequent' is a value of frequency, which does not stand in this comparison"},
        {"tenure > 1 and 5 < one_off", 27,
         "'one_off' is a value of frequency, which does not stand in this comparison"},
        {"stage = descision", 20, "unknown metric or score 'descision'; did you mean 'decision'?"},
        {"revenue(30d) > interest", 12,
         "'interest' is a value of stage and furthest_stage; neither stands in this comparison"},
        {"risng(30d)", 12, "unknown metric or score 'risng'; did you mean 'rising'?"},
        {"engagement(30d) > 1", 23, "'engagement' takes no window and no arguments"},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        char text[256];
        char message[256];
        struct model *model;
        snprintf(text, sizeof text, "set it\ntier yes = %s\ntier no\n", mistakes[i].rule);
        snprintf(message, sizeof message, "tier_sets.it.tiers[0].enter: %s", mistakes[i].message);
        assert_int_equal(model_builder_compile(&builder, text, &model), ERR_INVALID);
        assert_string_equal(builder.error.message, message);
        assert_int_equal(builder.error.line, 2);
        assert_int_equal(builder.error.column, mistakes[i].column);
    }
}

static void scores_may_not_take_these_names(void **state) {
    (void)state;
    static const char *const names[][2] = {{"frequent", "has the name of a value of frequency"},
                                           {"purchase", "has the name of a value of stage"},
                                           {"trend", "is a word of the rule language"},
                                           {"rising", "is a word of the rule language"},
                                           {"engagement", "has the name of a metric"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char text[256];
        char message[256];
        struct model *model;
        snprintf(text, sizeof text, "score %s high 1 = purchases\nset it\ntier no\n", names[i][0]);
        snprintf(message, sizeof message, "score '%s' %s", names[i][0], names[i][1]);
        assert_int_equal(model_builder_compile(&builder, text, &model), ERR_INVALID);
        assert_string_equal(builder.error.message, message);
    }
    struct model *model;
    assert_int_equal(model_builder_compile(&builder, "score s high 1 = trend(revenue, 30d)\nset it\ntier no\n", &model),
                     ERR_INVALID);
    assert_non_null(strstr(builder.error.message, "expected one metric such as revenue(90d)"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trend_is_this_window_over_the_one_before),
        cmocka_unit_test(a_trend_from_nothing_has_no_value),
        cmocka_unit_test(a_trend_uses_two_metrics),
        cmocka_unit_test(elapsed_time_overtakes_a_trend),
        cmocka_unit_test(a_trend_ends_by_time_alone),
        cmocka_unit_test(rising_is_more_often_and_more_but_still_small),
        cmocka_unit_test(rising_shows_what_it_stands_for),
        cmocka_unit_test(values_of_frequency_and_stage_have_names),
        cmocka_unit_test(tiers_and_sets_may_be_called_so),
        cmocka_unit_test(mistakes_are_told_with_their_place),
        cmocka_unit_test(scores_may_not_take_these_names),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
