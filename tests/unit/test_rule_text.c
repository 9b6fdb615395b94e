/* A rule as it is written: over several lines, in any alphabet, with bytes that no text has. */
#include "rules_support.h"

#include "score/rules.h"
#include "score/rules_lexer.h"

static struct metric_slots slots;
static const struct tier_spec tiers[] = {{.name = {{"yes", 3}, 1, 1}}};
static const struct tier_set_spec set = {.name = {{"it", 2}, 1, 1}, .tiers = tiers, .tiers_count = 1};
static const struct score_spec score = {.name = {{"gr\xc3\xb6\xc3\x9f\x65", 7}, 1, 1}};

static int compile(struct bytes text, struct rule *out) {
    struct rule_scope scope = {.arena = &builder.arena,
                               .slots = &slots,
                               .scores = &score,
                               .scores_count = 1,
                               .sets = &set,
                               .sets_count = 1,
                               .where = "here"};
    const struct spec_text spec = {text, 10, 5};
    slots.count = 0;
    return rule_compile(&scope, &spec, out, &builder.error);
}

static void assert_refused(struct bytes text, int column, const char *message) {
    struct rule rule;
    assert_int_equal(compile(text, &rule), ERR_INVALID);
    assert_string_equal(builder.error.message, message);
    assert_int_equal(builder.error.line, 10);
    assert_int_equal(builder.error.column, column);
}

static void white_space_is_one_space_where_it_is_shown(void **state) {
    (void)state;
    struct rule rule;
    assert_int_equal(
        compile(bytes_of_text("\n revenue(30d,\r\n\tago 5d)  \t>\n\n 5\n\tand\ntier(it)\n=\nyes \r\n"), &rule), 0);
    assert_int_equal(rule.comparisons_count, 2);
    assert_true(bytes_equal_text(rule.comparisons[0].text, "revenue(30d, ago 5d) > 5"));
    assert_true(bytes_equal_text(rule.comparisons[1].text, "tier(it) = yes"));
}

static void names_may_be_of_any_alphabet(void **state) {
    (void)state;
    struct rule rule;
    assert_int_equal(compile(bytes_of_text("gr\xc3\xb6\xc3\x9f\x65 > 1"), &rule), 0);
    assert_int_equal(rule.ops[0].code, OP_SCORE);
    assert_refused(bytes_of_text("gr\xc3\xb6sse > 1"), 5,
                   "here: unknown metric or score 'gr\xc3\xb6sse'; did you mean 'gr\xc3\xb6\xc3\x9f\x65'?");
}

static void what_is_no_text_is_refused(void **state) {
    (void)state;
    static const char nul[] = "1 = 1 \0 or 1 = 2";
    assert_refused(bytes_of(nul, sizeof nul - 1), 5 + 6, "here: '' cannot be read here");
    assert_refused(bytes_of("", 0), 5, "here: the rule is empty");
    assert_refused(bytes_of(" \n\t\r", 4), 5 + 4, "here: the rule is empty");
}

static void the_first_mistake_is_told(void **state) {
    (void)state;
    assert_refused(bytes_of_text("tier nowhere = yes"), 5 + 5,
                   "here: expected '(' and the name of a tier set, found 'nowhere'");
    assert_refused(bytes_of_text("tier it = yes"), 5 + 5, "here: expected '(' and the name of a tier set, found 'it'");
    assert_refused(bytes_of_text("tenure(ago 3d) > 1"), 5 + 7, "here: 'tenure' takes no window and no arguments");
}

/* Nobody means a name that is longer than any name may be. */
static void names_too_long_are_not_compared(void **state) {
    (void)state;
    char name[66];
    memset(name, 'n', sizeof name);
    struct nearest nearest;
    nearest_init(&nearest, bytes_of(name, 64));
    nearest_offer(&nearest, bytes_of(name, 65));
    assert_null(nearest.best.data);
    nearest_offer(&nearest, bytes_of(name, 63));
    assert_int_equal(nearest.best.size, 63);
    nearest_init(&nearest, bytes_of(name, 65));
    nearest_offer(&nearest, bytes_of(name, 64));
    assert_null(nearest.best.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(white_space_is_one_space_where_it_is_shown),
        cmocka_unit_test(names_may_be_of_any_alphabet),
        cmocka_unit_test(what_is_no_text_is_refused),
        cmocka_unit_test(the_first_mistake_is_told),
        cmocka_unit_test(names_too_long_are_not_compared),
    };
    return cmocka_run_group_tests(tests, builder_set_up, builder_tear_down);
}
