/* lifetime_value in the configuration: what is left out, what is read, and what is refused with which words. */
#include "run/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct config_problems problems;

static struct config *read_config(const char *section) {
    char text[1024];
    snprintf(text, sizeof text, "%s\ntier_sets: {value: {tiers: [{name: all}]}}\n", section);
    problems.count = 0;
    return config_parse("test", bytes_of_text(text), NULL, 0, &problems);
}

static void check(const char *section, struct ltv_params wanted) {
    struct config *config = read_config(section);
    if (!config) {
        fail_msg("%s", problems.items[0].message);
    }
    const struct ltv_params *read = &config->scoring.lifetime_value;
    assert_int_equal(read->model, wanted.model);
    assert_true(read->r == wanted.r && read->alpha == wanted.alpha && read->a == wanted.a && read->b == wanted.b);
    assert_true(read->p == wanted.p && read->q == wanted.q && read->v == wanted.v);
    assert_true(read->unit_ms == wanted.unit_ms && read->money_scale == wanted.money_scale &&
                read->discount == wanted.discount);
    assert_true(ltv_params_are_valid(read));
    config_destroy(config);
}

static void what_is_left_out_is_cdnow(void **state) {
    (void)state;
    struct ltv_params wanted = {LTV_MBG_NBD, 0.525,      6.183,     0.891, 1.614, .p = 6.25,
                                .q = 3.74,   .v = 15.44, 604800000, 100.0, 0.1};
    check("group: a", wanted);
    check("lifetime_value: {}", wanted);
    wanted.r = 2;
    check("lifetime_value: {r: 2}", wanted);
    wanted.q = 1.25;
    check("lifetime_value: {r: 2, gamma_gamma: {q: 1.25}}", wanted);
}

static void everything_is_read(void **state) {
    (void)state;
    struct ltv_params wanted = {LTV_BG_NBD, 0.5, 12.25, 1, 2, .p = 3, .q = 4, .v = 5000, 86400000, 1, 0};
    check("currency: {base: JPY}\n"
          "lifetime_value: {model: bg_nbd, unit: 1d, r: 0.5, alpha: 12.25, a: 1, b: 2, discount: 0,\n"
          "                 gamma_gamma: {p: 3, q: 4, v: 5e3}}",
          wanted);
}

static void refuse(const char *section, const char *message) {
    struct config *config = read_config(section);
    if (config) {
        fail_msg("%s is taken", section);
    }
    assert_true(problems.count > 0);
    if (!strstr(problems.items[0].message, message)) {
        fail_msg("\"%s\" does not say \"%s\"", problems.items[0].message, message);
    }
    assert_int_equal(problems.items[0].line, 1);
}

static void nonsense_is_refused(void **state) {
    (void)state;
    refuse("lifetime_value: {model: pareto}", "model: expected mbg_nbd or bg_nbd, not 'pareto'");
    refuse("lifetime_value: {model: [mbg_nbd]}", "model: expected mbg_nbd or bg_nbd");
    refuse("lifetime_value: {unit: 7}", "unit: expected a duration of at least 1m");
    refuse("lifetime_value: {unit: 59s}", "unit: expected a duration of at least 1m");
    refuse("lifetime_value: {unit: {d: 7}}", "unit: expected a duration");
    refuse("lifetime_value: {r: 0}", "lifetime_value.r: expected a number above 0, not '0'");
    refuse("lifetime_value: {alpha: -1}", "lifetime_value.alpha: expected a number above 0");
    refuse("lifetime_value: {b: [2]}", "lifetime_value.b: expected a number above 0");
    refuse("lifetime_value: {discount: -0.1}", "lifetime_value.discount: expected a number from 0, not '-0.1'");
    refuse("lifetime_value: {a: much}", "not 'much'");
    refuse("lifetime_value: {gamma_gamma: {q: 1}}", "lifetime_value.gamma_gamma.q: expected a number above 1, not '1'");
    refuse("lifetime_value: {gamma_gamma: {v: 0}}", "lifetime_value.gamma_gamma.v: expected a number above 0");
    refuse("lifetime_value: {gamma_gamma: 3}", "gamma_gamma: expected a map");
    refuse("lifetime_value: {gamma_gamma: {w: 3}}", "unknown key 'w'");
    refuse("lifetime_value: {alfa: 3}", "did you mean 'alpha'?");
    refuse("lifetime_value: 7d", "lifetime_value: expected a map");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_out_is_cdnow),
        cmocka_unit_test(everything_is_read),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
