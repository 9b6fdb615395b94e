/* Values of expressions. The customer: three purchases, a refund, some interactions and answers. */
#include "support/model_builder.h"

#include "score/evaluate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct model_builder builder;
static struct customer *regular; /* has done everything, at NOW */
static struct customer *visitor; /* has only looked once, at NOW */

#define NOW TEST_AT(100, 12 * (int64_t)MS_PER_HOUR) /* noon of day 100 */

static const char *const base_text = "score low low 7 14 30 = days_since_purchase\n"
                                     "score high high 2 3 5.5 = purchases(90d)\n"
                                     "score asked high 0 50 = nps(90d)\n"
                                     "set other\n"
                                     "tier top = purchases >= 1000\n"
                                     "tier middle = interactions >= 1\n"
                                     "tier bottom\n";

/* The base model and a set `it` with one rule. */
static struct model *model_with(const char *rule) {
    char text[4096];
    int size = snprintf(text, sizeof text, "%sset it\ntier yes = %s\ntier no\n", base_text, rule);
    assert_true(size > 0 && size < (int)sizeof text);
    return model_of(&builder, text);
}

static void evaluation_of(struct evaluation *evaluation, const char *rule, const struct customer *customer) {
    evaluation_init(evaluation, customer, model_with(rule), NOW);
}

static bool truth_for(const struct customer *customer, const char *rule) {
    struct evaluation evaluation;
    evaluation_of(&evaluation, rule, customer);
    return evaluation_rule(&evaluation, &evaluation.model->sets[1].tiers[0].enter);
}

static bool truth(const char *rule) {
    return truth_for(regular, rule);
}

static double value_for(const struct customer *customer, const char *expression) {
    char rule[2048];
    struct evaluation evaluation;
    snprintf(rule, sizeof rule, "%s >= 0", expression);
    evaluation_of(&evaluation, rule, customer);
    const struct rule *enter = &evaluation.model->sets[1].tiers[0].enter;
    const struct comparison *last = &enter->comparisons[enter->comparisons_count - 1];
    return evaluation_side(&evaluation, enter, last->left, last->right);
}

/* cmocka's assert_float_equal knows floats only. */
static void assert_near(double actual, double expected) {
    if (!(fabs(actual - expected) <= 1e-12 * fmax(1, fabs(expected)))) {
        fail_msg("%.17g is not %.17g", actual, expected);
    }
}

#define assert_value(expression, expected) assert_near(value_for(regular, expression), expected)
#define assert_no_value(expression) assert_true(isnan(value_for(regular, expression)))

static void apply(struct customer *customer, const struct model *model, struct activity activity) {
    struct changes changes;
    changes_init(&changes, &builder.arena);
    assert_int_not_equal(customer_apply(customer, model, &activity, TIME_NONE, &changes), APPLIED_DUPLICATE);
    assert_int_equal(changes.error, 0);
}

static int set_up(void **state) {
    (void)state;
    model_builder_init(&builder);
    /* A long window, so that every day stays a tile of its own. */
    const struct model *model = model_with("revenue(200d, ago 100d) > 0");
    regular = customer_create(model);
    visitor = customer_create(model);
    struct activity activities[] = {
        test_purchase(NULL, TEST_AT(5, 0), 10000),
        test_purchase(NULL, TEST_AT(50, 0), 2000),
        test_reversal(PURCHASE_KIND_REFUND, NULL, TEST_AT(60, 0), 550, TEST_AT(50, 0)),
        test_purchase(NULL, TEST_AT(71, 1), 3000),
        test_purchase(NULL, TEST_AT(80, 0), 700),
        test_reversal(PURCHASE_KIND_CANCELLATION, NULL, TEST_AT(81, 0), 700, TEST_AT(80, 0)),
        test_purchase(NULL, TEST_AT(90, 0), 4000),
        test_interaction(NULL, TEST_AT(90, 5), INTERACTION_PAGE_VIEW),
        test_interaction(NULL, TEST_AT(91, 5), INTERACTION_PAGE_VIEW),
        test_interaction(NULL, TEST_AT(91, 9), INTERACTION_OTHER),
        test_feedback(NULL, TEST_AT(10, 0), SURVEY_NPS, 0),
        test_feedback(NULL, TEST_AT(95, 0), SURVEY_NPS, 10),
        test_feedback(NULL, TEST_AT(95, 0), SURVEY_NPS, 9),
        test_feedback(NULL, TEST_AT(96, 0), SURVEY_NPS, 8),
        test_feedback(NULL, TEST_AT(96, 0), SURVEY_NPS, 6),
        test_feedback(NULL, TEST_AT(96, 1), SURVEY_COMPLAINT, 0),
        test_feedback(NULL, TEST_AT(97, 0), SURVEY_CSAT, 5),
        test_interaction(NULL, NOW, INTERACTION_LOGIN),
    };
    for (size_t i = 0; i < sizeof activities / sizeof *activities; i++) {
        apply(regular, model, activities[i]);
    }
    apply(visitor, model, test_interaction(NULL, NOW, INTERACTION_SEARCH));
    assert_true(customer_is_valid(regular, model));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    customer_destroy(regular);
    customer_destroy(visitor);
    model_builder_finish(&builder);
    return 0;
}

static void arithmetic_binds_as_in_school(void **state) {
    (void)state;
    assert_value("1 + 2 * 3", 7);
    assert_value("(1 + 2) * 3", 9);
    assert_value("2 * 3 + 1", 7);
    assert_value("10 - 3 - 2", 5);
    assert_value("10 - (3 - 2)", 9);
    assert_value("24 / 4 / 2", 3);
    assert_value("24 / (4 / 2)", 12);
    assert_value("2 * 6 / 4", 3);
    assert_value("1 - 2 * 3 - 4", -9);
    assert_value("-2 * 3", -6);
    assert_value("2 * -3", -6);
    assert_value("2 - -3", 5);
    assert_value("--3", 3);
    assert_value("---3", -3);
    assert_value("-(1 + 2)", -3);
    assert_value("- 2 + 5", 3);
    assert_value("((((7))))", 7);
}

static void numbers(void **state) {
    (void)state;
    assert_value("0", 0);
    assert_value("1.5", 1.5);
    assert_value(".5", 0.5);
    assert_value("5.", 5);
    assert_value("007", 7);
    assert_value("0.92", 0.92);
    assert_value("123456789012345", 123456789012345.0);
    assert_value("1\t+\r2", 3);
}

static void comparisons(void **state) {
    (void)state;
    static const char *const signs[] = {"<", "<=", ">", ">=", "=", "==", "!="};
    static const bool expected[3][7] = {{true, true, false, false, false, false, true},  /* 1 ? 2 */
                                        {false, true, false, true, true, true, false},   /* 2 ? 2 */
                                        {false, false, true, true, false, false, true}}; /* 3 ? 2 */
    for (int left = 1; left <= 3; left++) {
        for (size_t i = 0; i < 7; i++) {
            char rule[32];
            snprintf(rule, sizeof rule, "%d %s 2", left, signs[i]);
            assert_int_equal(truth(rule), expected[left - 1][i]);
            snprintf(rule, sizeof rule, "%d%s2", left, signs[i]);
            assert_int_equal(truth(rule), expected[left - 1][i]);
        }
    }
    assert_true(truth("1 + 1 < 2 * 2"));
    assert_true(truth("-1 < 0"));
}

/* T and F stand for a true and a false comparison. */
static bool logic(const char *pattern) {
    char rule[512];
    size_t size = 0;
    for (const char *c = pattern; *c; c++) {
        size += (size_t)snprintf(rule + size, sizeof rule - size, "%.*s", *c == 'T' || *c == 'F' ? 5 : 1,
                                 *c == 'T'   ? "1 = 1"
                                 : *c == 'F' ? "1 = 2"
                                             : c);
    }
    return truth(rule);
}

static void and_binds_tighter_than_or(void **state) {
    (void)state;
    assert_true(logic("T"));
    assert_false(logic("F"));
    assert_true(logic("T and T"));
    assert_false(logic("T and F"));
    assert_false(logic("F and T"));
    assert_false(logic("F and F"));
    assert_true(logic("T or F"));
    assert_true(logic("F or T"));
    assert_true(logic("T or T"));
    assert_false(logic("F or F"));
    assert_true(logic("T or F and F"));
    assert_false(logic("(T or F) and F"));
    assert_true(logic("F and F or T"));
    assert_false(logic("F and (F or T)"));
    assert_true(logic("T and T and T"));
    assert_false(logic("T and T and F"));
    assert_true(logic("F or F or T"));
    assert_true(logic("F and T or F and T or T and T"));
    assert_false(logic("(F or T) and (F or T) and (F or F)"));
}

static void not_binds_tighter_than_and(void **state) {
    (void)state;
    assert_false(logic("not T"));
    assert_true(logic("not F"));
    assert_true(logic("not not T"));
    assert_false(logic("not not not T"));
    assert_false(logic("not T and F"));
    assert_true(logic("not (T and F)"));
    assert_true(logic("not T or T"));
    assert_false(logic("not (T or T)"));
    assert_true(logic("T and not F"));
    assert_true(truth("not 1 + 1 = 3"));
}

static void min_and_max(void **state) {
    (void)state;
    assert_value("min(3)", 3);
    assert_value("min(3, 2)", 2);
    assert_value("min(2, 3)", 2);
    assert_value("max(2, 3)", 3);
    assert_value("max(3, 2)", 3);
    assert_value("max(1, 5, 3, 4)", 5);
    assert_value("min(4, 5, 3, 4)", 3);
    assert_value("max(min(1, 2), min(4, 3)) * 2", 6);
    assert_value("min(1 + 1, 2 * 3)", 2);
    assert_value("-max(-1, -2)", 1);
    assert_value("max(1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16)", 16);
}

static void metrics_of_the_whole_life(void **state) {
    (void)state;
    assert_value("purchases", 4);
    assert_value("revenue", 184.5);
    assert_value("refunds", 12.5);
    assert_value("aov", 184.5 / 4);
    assert_value("interactions", 4);
    assert_value("interactions(page_view)", 2);
    assert_value("interactions(support_contact)", 0);
    assert_value("nps", 0);
    assert_value("complaints", 1);
    assert_value("tenure", 95.5);
    assert_value("days_since_purchase", 10.5);
    assert_value("days_since_seen", 0);
}

static void a_window_covers_today_and_the_days_before(void **state) {
    (void)state;
    assert_value("purchases(10d)", 0); /* days 91..100 */
    assert_value("purchases(11d)", 1);
    assert_value("revenue(11d)", 40);
    assert_value("revenue(30d)", 70); /* days 71..100; the cancelled one counts nothing */
    assert_value("revenue(29d)", 40);
    assert_value("purchases(30d)", 2);
    assert_value("revenue(51d)", 84.5); /* day 50, less its refund */
    assert_value("revenue(50d)", 70);
    assert_value("refunds(51d)", 12.5);
    assert_value("refunds(41d)", 7); /* of the day of the order, not of the refund */
    assert_value("aov(30d)", 35);
    assert_value("interactions(10d)", 3);
    assert_value("interactions(page_view, 10d)", 1);
    assert_value("interactions(10d, page_view)", 1);
    assert_value("interactions(login, 1d)", 1);
    assert_value("nps(6d)", 25);
    assert_value("nps(5d)", -50);
    assert_value("complaints(4d)", 0);
    assert_value("complaints(5d)", 1);
}

static void ago_shifts_a_window_back(void **state) {
    (void)state;
    assert_value("revenue(1d, ago 10d)", 40); /* day 90 alone */
    assert_value("revenue(1d, ago 9d)", 0);
    assert_value("revenue(1d, ago 11d)", 0);
    assert_value("revenue(20d, ago 10d)", 70); /* days 71..90 */
    assert_value("revenue(19d, ago 10d)", 40);
    assert_value("revenue(20d, ago 11d)", 30); /* days 70..89 */
    assert_value("interactions(page_view, 1d, ago 9d)", 1);
    assert_value("interactions(ago 9d, page_view, 1d)", 1);
    assert_value("interactions(1d, ago 9d)", 2);
    assert_value("nps(10d, ago 85d)", -100);
    assert_value("revenue(30d) - revenue(30d, ago 30d)", 70 - 14.5);
}

static void scores_count_passed_steps(void **state) {
    (void)state;
    assert_value("low", 3);  /* 10.5 days: up to 14 */
    assert_value("high", 3); /* days 50, 71 and 90 */
    assert_value("asked", 2);
    assert_value("low + high * 10", 33);
    const double steps[] = {2, 3, 5.5};
    struct score score = {.steps = steps, .steps_count = 3};
    const double at[] = {-1, 1.99, 2, 2.5, 3, 5.4, 5.5, 1e9};
    const int best_high[] = {1, 1, 2, 2, 3, 3, 4, 4};
    const int best_low[] = {4, 4, 4, 3, 3, 2, 2, 1};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        score.best_low = false;
        assert_int_equal(score_of(&score, at[i]), best_high[i]);
        score.best_low = true;
        assert_int_equal(score_of(&score, at[i]), best_low[i]);
    }
    assert_int_equal(score_of(&score, NO_VALUE), 1);
    score.best_low = false;
    assert_int_equal(score_of(&score, NO_VALUE), 1);
}

static void a_missing_value_goes_through_arithmetic(void **state) {
    (void)state;
    static const char *const missing[] = {"days_since_purchase",
                                          "nps",
                                          "nps(90d)",
                                          "aov",
                                          "aov(1d)",
                                          "1 / 0",
                                          "0 / 0",
                                          "1 / purchases",
                                          "1 + aov",
                                          "aov - 1",
                                          "0 * aov",
                                          "aov / 2",
                                          "-aov",
                                          "min(1, aov)",
                                          "min(aov, 1)",
                                          "max(1, aov)",
                                          "max(aov, 1)",
                                          "min(aov)",
                                          "1 / (1 - 1)",
                                          "min(1, 2, 1 / 0)",
                                          "max(1 / 0, 1, 2)",
                                          "(1 / 0) * 0",
                                          "5 - max(nps, 7)"};
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        assert_true(isnan(value_for(visitor, missing[i])));
    }
    assert_no_value("aov(9d)");
    assert_no_value("nps(1d)");
    assert_near(value_for(visitor, "low"), 1); /* a score always has a value */
    assert_near(value_for(visitor, "asked"), 1);
    assert_near(value_for(visitor, "revenue"), 0);
    assert_near(value_for(visitor, "days_since_seen"), 0);
}

static void a_comparison_with_a_missing_value_is_false(void **state) {
    (void)state;
    static const char *const signs[] = {"<", "<=", ">", ">=", "=", "!="};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        char rule[64];
        snprintf(rule, sizeof rule, "nps(90d) %s 0", signs[i]);
        assert_false(truth_for(visitor, rule));
        snprintf(rule, sizeof rule, "0 %s nps(90d)", signs[i]);
        assert_false(truth_for(visitor, rule));
        snprintf(rule, sizeof rule, "nps(90d) %s nps(90d)", signs[i]);
        assert_false(truth_for(visitor, rule));
        snprintf(rule, sizeof rule, "not nps(90d) %s 0", signs[i]);
        assert_true(truth_for(visitor, rule));
    }
    assert_true(truth_for(visitor, "nps(90d) < 0 or interactions = 1"));
    assert_false(truth_for(visitor, "nps(90d) < 0 and interactions = 1"));
}

static void known_tells_whether_there_is_a_value(void **state) {
    (void)state;
    assert_true(truth("known(nps(90d))"));
    assert_true(truth("known(revenue)"));
    assert_false(truth("known(1 / 0)"));
    assert_false(truth("known(nps(90d) + aov(1d))"));
    assert_false(truth_for(visitor, "known(nps(90d))"));
    assert_false(truth_for(visitor, "known(days_since_purchase)"));
    assert_true(truth_for(visitor, "not known(nps(90d))"));
    assert_true(truth_for(visitor, "known(low)"));
    assert_true(truth_for(visitor, "not known(nps) or nps >= 0"));
    assert_false(truth_for(visitor, "known(nps) and nps >= 0"));
}

static void a_tier_is_that_of_another_set(void **state) {
    (void)state;
    assert_int_equal(regular->tiers[0].tier, 1);
    assert_true(truth("tier(other) = middle"));
    assert_true(truth("tier(other) == middle"));
    assert_false(truth("tier(other) != middle"));
    assert_false(truth("tier(other) = top"));
    assert_true(truth("tier(other) != bottom"));
    assert_true(truth("tier( other )=middle and purchases = 4"));
    assert_false(truth("not tier(other) = middle"));
    assert_true(truth("tier(it) = no or tier(it) = yes")); /* its own, too */
    struct customer *nobody = customer_create(model_with("1 = 1"));
    assert_false(truth_for(nobody, "tier(other) = bottom"));
    assert_true(truth_for(nobody, "tier(other) != bottom"));
    customer_destroy(nobody);
}

/* What is told of a comparison is its own text, with single spaces. */
static void comparisons_know_their_text(void **state) {
    (void)state;
    const struct model *model =
        model_with("  low+high  >=   4 and ( (revenue( 90d ,ago 1d)) < 3*(2+1) or\ttier(other) =  top)");
    const struct rule *rule = &model->sets[1].tiers[0].enter;
    assert_int_equal(rule->comparisons_count, 3);
    assert_true(bytes_equal_text(rule->comparisons[0].text, "low+high >= 4"));
    assert_true(bytes_equal_text(rule->comparisons[1].text, "(revenue( 90d ,ago 1d)) < 3*(2+1)"));
    assert_true(bytes_equal_text(rule->comparisons[2].text, "tier(other) = top"));
    assert_false(rule->comparisons[0].elapsed);
    rule = &model_with("tenure - 1 > 2 and 3 > max(1, days_since_seen)")->sets[1].tiers[0].enter;
    assert_true(rule->comparisons[0].elapsed);
    assert_true(rule->comparisons[1].elapsed);
}

/* Each distinct metric has one slot, named as people would write it. */
static void metrics_have_one_name(void **state) {
    (void)state;
    const struct model *model =
        model_of(&builder, "set it\n"
                           "tier yes = revenue(90d) > revenue( 90d ) and revenue > revenue(90d,ago 30d) and "
                           "interactions(7d, page_view) > interactions(page_view,7d) and "
                           "interactions(ago 2d, other, 3d) > interactions(other) and tenure > 1\n"
                           "tier no\n");
    static const char *const names[] = {"revenue(90d)",
                                        "revenue",
                                        "revenue(90d, ago 30d)",
                                        "interactions(page_view, 7d)",
                                        "interactions(other, 3d, ago 2d)",
                                        "interactions(other)",
                                        "tenure"};
    assert_int_equal(model->slots.count, sizeof names / sizeof *names);
    for (size_t i = 0; i < model->slots.count; i++) {
        assert_true(bytes_equal_text(model->slots.slots[i].text, names[i]));
    }
    assert_int_equal(model_span_days(model), 120);
}

/* Everything that may wait at once: at each level an argument, a sum and a product. */
static void the_deepest_rule_can_be_evaluated(void **state) {
    (void)state;
    static const char *const levels[][2] = {{"(", ")"}, {"1+1*(", ")"}, {"min(100,1+1*", ")"}, {"max(0,0+1*", ")"}};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        char rule[2048] = "1 < 1 + 1 * ";
        for (int depth = 0; depth < RULE_NESTING_MAX; depth++) {
            strcat(rule, levels[i][0]);
        }
        strcat(rule, "tenure+1*2");
        for (int depth = 0; depth < RULE_NESTING_MAX; depth++) {
            strcat(rule, levels[i][1]);
        }
        assert_true(truth(rule));
        struct model *model = model_with(rule);
        struct customer *customer = customer_create(model);
        apply(customer, model, test_purchase(NULL, NOW, 100)); /* and solved for time */
        assert_int_equal(customer->tiers[1].tier, 0);
        customer_destroy(customer);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic_binds_as_in_school),
        cmocka_unit_test(numbers),
        cmocka_unit_test(comparisons),
        cmocka_unit_test(and_binds_tighter_than_or),
        cmocka_unit_test(not_binds_tighter_than_and),
        cmocka_unit_test(min_and_max),
        cmocka_unit_test(metrics_of_the_whole_life),
        cmocka_unit_test(a_window_covers_today_and_the_days_before),
        cmocka_unit_test(ago_shifts_a_window_back),
        cmocka_unit_test(scores_count_passed_steps),
        cmocka_unit_test(a_missing_value_goes_through_arithmetic),
        cmocka_unit_test(a_comparison_with_a_missing_value_is_false),
        cmocka_unit_test(known_tells_whether_there_is_a_value),
        cmocka_unit_test(a_tier_is_that_of_another_set),
        cmocka_unit_test(comparisons_know_their_text),
        cmocka_unit_test(metrics_have_one_name),
        cmocka_unit_test(the_deepest_rule_can_be_evaluated),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
