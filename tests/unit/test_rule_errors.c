/* What is no rule: every message of the rule language, with the place that it blames. */
#include "rules_support.h"

enum { RULE_COLUMN = 12 };

/* A rule that is refused at its byte `at`. */
static void assert_rule_error(const char *rule, int at, const char *message) {
    char text[LARGE];
    char full[400];
    snprintf(text, sizeof text,
             "score low low 7 14 = days_since_purchase\n"
             "set it\n"
             "tier yes = %s\n"
             "tier no\n"
             "set value\n"
             "tier vip = low = 1\n"
             "tier rest\n",
             rule);
    snprintf(full, sizeof full, "tier_sets.it.tiers[0].enter: %s", message);
    assert_error(text, 3, RULE_COLUMN + at, full);
}

static void what_cannot_be_read(void **state) {
    (void)state;
    assert_rule_error("revenue > $5", 10, "'$' cannot be read here");
    assert_rule_error("revenue ! 5", 8, "'!' cannot be read here");
    assert_rule_error("revenue & 5 > 1", 8, "'&' cannot be read here");
    assert_rule_error("revenue > \"5\"", 10, "'\"' cannot be read here");
    assert_rule_error("revenue > 5days", 10, "'5days' cannot be read here");
    assert_rule_error("revenue > 1e3", 10, "'1e3' cannot be read here");
    assert_rule_error("revenue > 90d_", 10, "'90d_' cannot be read here");
    assert_rule_error("revenue(90D) > 1", 8, "'90D' cannot be read here");
    assert_rule_error("revenue > .", 10, "'.' cannot be read here");
    assert_rule_error("revenue > .x", 10, "'.' cannot be read here");
    assert_rule_error("revenue > {5}", 10, "'{' cannot be read here");
    assert_rule_error("revenue(90d5) > 1", 8, "'90d5' cannot be read here");
    assert_rule_error("revenue > 1.2.3", 13, "expected an operator or the end, found '.3'");
    assert_rule_error("1 < 0000000000000000000000000000000000000000000000000000000000000001", 4,
                      "'0000000000000000000000000000000000000000' cannot be read here");
}

static void operators(void **state) {
    (void)state;
    assert_rule_error("revenue >", 9, "expected a number, a metric, a score or '(', found the end");
    assert_rule_error("> 5", 0, "expected a number, a metric, a score or '(', found '>'");
    assert_rule_error("revenue > 5 and", 15, "expected a number, a metric, a score or '(', found the end");
    assert_rule_error("revenue > 5 + * 2", 14, "expected a number, a metric, a score or '(', found '*'");
    assert_rule_error("revenue > 5 revenue", 12, "expected an operator or the end, found 'revenue'");
    assert_rule_error("revenue > 5)", 11, "expected an operator or the end, found ')'");
    assert_rule_error("(revenue > 5", 12, "expected ')', found the end");
    assert_rule_error("(revenue > 5 revenue", 13, "expected ')', found 'revenue'");
    assert_rule_error("1 < revenue < 5", 12, "a comparison does not chain: join two with 'and'");
    assert_rule_error("1 = revenue != 5", 12, "a comparison does not chain: join two with 'and'");
    assert_rule_error("revenue > 90d", 10, "a window stands in the parentheses of a metric: revenue(90d)");
    assert_rule_error("90d", 0, "a window stands in the parentheses of a metric: revenue(90d)");
}

static void numbers_are_no_truths(void **state) {
    (void)state;
    static const char *const truth_wanted = "expected a truth value such as a comparison, but this is a number";
    static const char *const number_wanted = "expected a number, but this is a truth value";
    assert_rule_error("revenue", 0, truth_wanted);
    assert_rule_error("1 + 2", 0, truth_wanted);
    assert_rule_error("revenue and 1 = 1", 0, truth_wanted);
    assert_rule_error("1 = 1 and revenue", 10, truth_wanted);
    assert_rule_error("1 = 1 or low or 1 = 1", 9, truth_wanted);
    assert_rule_error("low or 1 = 1", 0, truth_wanted);
    assert_rule_error("not revenue", 4, truth_wanted);
    assert_rule_error("not not (1 + 2)", 8, truth_wanted);
    assert_rule_error("(1 = 1) > 2", 0, number_wanted);
    assert_rule_error("2 > (1 = 1)", 4, number_wanted);
    assert_rule_error("2 > known(revenue)", 4, number_wanted);
    assert_rule_error("(1 = 1) + 2 > 3", 0, number_wanted);
    assert_rule_error("2 - (1 = 1) > 3", 4, number_wanted);
    assert_rule_error("(1 = 1) * 2 > 3", 0, number_wanted);
    assert_rule_error("2 / (1 = 1) > 3", 4, number_wanted);
    assert_rule_error("-(1 = 1) > 3", 1, number_wanted);
    assert_rule_error("min(1 = 1, 2) > 3", 4, number_wanted);
    assert_rule_error("max(1, 1 = 1) > 3", 7, number_wanted);
    assert_rule_error("known(1 = 1)", 6, number_wanted);
    assert_rule_error("tier(value) = vip + 1", 0, number_wanted);
}

static void names(void **state) {
    (void)state;
    assert_rule_error("revenu > 5", 0, "unknown metric or score 'revenu'; did you mean 'revenue'?");
    assert_rule_error("1 = 1 and Low > 5", 10, "unknown metric or score 'Low'; did you mean 'low'?");
    assert_rule_error("lifetime_value_of_everything > 5", 0, "unknown metric or score 'lifetime_value_of_everything'");
    assert_rule_error("and > 5", 0, "unknown metric or score 'and'; did you mean 'aov'?");
    assert_rule_error("interactions(page_views) > 5", 13,
                      "unknown interaction kind 'page_views'; did you mean 'page_view'?");
    assert_rule_error("interactions(something) > 5", 13, "unknown interaction kind 'something'");
    assert_rule_error("tier(valu) = vip", 5, "unknown tier set 'valu'; did you mean 'value'?");
    assert_rule_error("tier(elsewhere) = vip", 5, "unknown tier set 'elsewhere'");
    assert_rule_error("tier(value) = vipp", 14, "unknown tier 'vipp'; did you mean 'vip'?");
    assert_rule_error("tier(value) = platinum", 14, "unknown tier 'platinum'");
    /* Names of any length are told in part, and suggested only where they can be compared. */
    char name[200];
    char message[200];
    memset(name, 'n', 100);
    snprintf(name + 100, 20, " > 5");
    snprintf(message, sizeof message, "unknown metric or score '%.60s'", name);
    assert_rule_error(name, 0, message);
}

static void metrics_with_their_arguments(void **state) {
    (void)state;
    static const char *const whole_days = "a window is a whole number of days from 1d to 3660d";
    assert_rule_error("revenue(0d) > 1", 8, whole_days);
    assert_rule_error("revenue(1.5d) > 1", 8, whole_days);
    assert_rule_error("revenue(3661d) > 1", 8, whole_days);
    assert_rule_error("revenue(99999999999999999999d) > 1", 8, whole_days);
    assert_rule_error("revenue(90d, ago 0.5d) > 1", 17, whole_days);
    assert_rule_error("revenue(90d, ago 30) > 1", 17, "expected a number of days such as 30d after 'ago', found '30'");
    assert_rule_error("revenue(90d, ago) > 1", 16, "expected a number of days such as 30d after 'ago', found ')'");
    assert_rule_error("revenue(ago 30d) > 1", 0, "'ago' needs a window: revenue(90d, ago 30d)");
    assert_rule_error("1 < interactions(login, ago 30d)", 4, "'ago' needs a window: interactions(90d, ago 30d)");
    assert_rule_error("tenure(90d) > 1", 7, "'tenure' takes no window and no arguments");
    assert_rule_error("tenure() > 1", 7, "'tenure' takes no window and no arguments");
    assert_rule_error("revenue() > 1", 8, "expected a window such as 90d, or 'ago 30d' behind one, found ')'");
    assert_rule_error("revenue(90) > 1", 8, "expected a window such as 90d, or 'ago 30d' behind one, found '90'");
    assert_rule_error("revenue(90d, 30d) > 1", 13,
                      "expected a window such as 90d, or 'ago 30d' behind one, found '30d'");
    assert_rule_error("revenue(90d, ago 1d, ago 2d) > 1", 21,
                      "expected a window such as 90d, or 'ago 30d' behind one, found 'ago'");
    assert_rule_error("revenue(page_view) > 1", 8,
                      "expected a window such as 90d, or 'ago 30d' behind one, found 'page_view'");
    assert_rule_error("interactions(90d, 30d) > 1", 18,
                      "expected a window such as 90d, 'ago 30d' or an interaction kind, found '30d'");
    assert_rule_error("interactions(login, search) > 1", 20,
                      "expected a window such as 90d, 'ago 30d' or an interaction kind, found 'search'");
    assert_rule_error("revenue(90d > 1", 12, "expected ',' or ')', found '>'");
    assert_rule_error("revenue(90d ago 30d) > 1", 12, "expected ',' or ')', found 'ago'");
    assert_rule_error("revenue(90d", 11, "expected ',' or ')', found the end");
    assert_rule_error("revenue(", 8, "expected a window such as 90d, or 'ago 30d' behind one, found the end");
    assert_rule_error("low(90d) > 1", 3, "expected an operator or the end, found '('"); /* a score has no window */
}

static void metrics_that_look_ahead(void **state) {
    (void)state;
    assert_rule_error("clv > 1", 0, "'clv' needs a horizon: clv(365d)");
    assert_rule_error("1 < expected_purchases", 4, "'expected_purchases' needs a horizon: expected_purchases(365d)");
    assert_rule_error("clv(90) > 1", 4, "expected a horizon such as 365d, found '90'");
    assert_rule_error("clv(revenue) > 1", 4, "expected a horizon such as 365d, found 'revenue'");
    assert_rule_error("clv(ago 90d) > 1", 4, "'clv' looks ahead, so 'ago' has no meaning: clv(365d)");
    assert_rule_error("clv(365d, ago 90d) > 1", 10, "'clv' looks ahead, so 'ago' has no meaning: clv(365d)");
    assert_rule_error("clv(365d, 90d) > 1", 10, "'clv' takes one horizon");
    assert_rule_error("clv(0d) > 1", 4, "a window is a whole number of days from 1d to 3660d");
    assert_rule_error("p_alive(90d) > 0.5", 8, "'p_alive' takes no window and no arguments");
}

static void functions(void **state) {
    (void)state;
    assert_rule_error("min 1 > 1", 4, "expected '(', found '1'");
    assert_rule_error("max > 1", 4, "expected '(', found '>'");
    assert_rule_error("known revenue", 6, "expected '(', found 'revenue'");
    assert_rule_error("min() > 1", 4, "expected a number, a metric, a score or '(', found ')'");
    assert_rule_error("min(1, ) > 1", 7, "expected a number, a metric, a score or '(', found ')'");
    assert_rule_error("min(1 2) > 1", 6, "expected ',' or ')', found '2'");
    assert_rule_error("max(1, 2", 8, "expected ',' or ')', found the end");
    assert_rule_error("known(revenue, aov)", 13, "expected ')', found ','");
    assert_rule_error("known()", 6, "expected a number, a metric, a score or '(', found ')'");
    assert_rule_error("min(1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17) > 1", 43, "more than 16 arguments");
    assert_rule_error("tier = vip", 5, "expected '(' and the name of a tier set, found '='");
    assert_rule_error("tier(value = vip", 11, "expected ')', found '='");
    assert_rule_error("tier(value) vip", 12, "expected '=' or '!=' and the name of a tier, found 'vip'");
    assert_rule_error("tier(value) < vip", 12, "expected '=' or '!=' and the name of a tier, found '<'");
    assert_rule_error("tier(value)", 11, "expected '=' or '!=' and the name of a tier, found the end");
    assert_rule_error("tier(value) =", 13, "expected the name of a tier, found the end");
    assert_rule_error("tier(value) = 1", 14, "expected the name of a tier, found '1'");
    assert_rule_error("tier() = vip", 5, "expected the name of a tier set, found ')'");
}

/* ---- limits: as much as may be, and one more ---- */

static void assert_rule(const char *rule) {
    char text[2 * LARGE];
    snprintf(text, sizeof text, "set it\ntier yes = %s\ntier no\n", rule);
    (void)model_of(&builder, text);
    arena_reset(&builder.arena);
}

static void rules_have_limits(void **state) {
    (void)state;
    /* 1, 127 times + 1, 1, =: 257 steps */
    assert_rule(repeated("1", " + 1", 126, " = 1"));
    assert_rule_error(repeated("1", " + 1", 127, " = 1"), 513, "the rule is too long (more than 256 steps)");
    assert_rule(repeated("1 = 1", " or 1 = 1", 31, ""));
    assert_rule_error(repeated("1 = 1", " or 1 = 1", 32, ""), 5 + 31 * 9 + 4, "more than 32 comparisons in one rule");
    assert_rule(repeated("1 = 1", " or tier(it) = no", 31, ""));
    assert_rule_error(repeated("1 = 1", " or tier(it) = no", 32, ""), 5 + 31 * 17 + 4,
                      "more than 32 comparisons in one rule");
    assert_rule_error(repeated("", "(", 33, "1"), 32, "more than 32 levels of parentheses");
    assert_rule_error(repeated("", "min(", 33, "1"), 128, "more than 32 levels of parentheses");
    assert_rule_error(repeated("", "known(", 33, "1"), 6 * 32, "more than 32 levels of parentheses");
    assert_rule_error(repeated("", "(max(1, ", 17, "1"), 8 * 16, "more than 32 levels of parentheses");
    /* not, 1, 126 times + 1, 0, >: 256 steps, so the very next one is too many */
    assert_rule(repeated("not 1", " + 1", 126, " > 0"));
    assert_rule_error(repeated("not 1", " + 1", 126, " > 0 and 1 = 1"), 514,
                      "the rule is too long (more than 256 steps)");
    assert_rule_error(repeated("not 1", " + 1", 126, " > 0 or 1 = 1"), 514,
                      "the rule is too long (more than 256 steps)");
    assert_rule_error(repeated("1", " + 1", 123, " > 0 and rising(30d)"), 513,
                      "the rule is too long (more than 256 steps)");
    assert_rule(repeated("", "not ", 500, "1 = 1"));
    assert_rule(repeated("1 = ", "-", 500, "1"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_read),
        cmocka_unit_test(operators),
        cmocka_unit_test(numbers_are_no_truths),
        cmocka_unit_test(names),
        cmocka_unit_test(metrics_with_their_arguments),
        cmocka_unit_test(metrics_that_look_ahead),
        cmocka_unit_test(functions),
        cmocka_unit_test(rules_have_limits),
    };
    return cmocka_run_group_tests(tests, builder_set_up, builder_tear_down);
}
