/* The configuration of the specification, word for word: it loads, and means what it says. */
#include "run/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct config *load(const char *const *overrides, size_t count) {
    struct config_problems problems = {.count = 0};
    struct config *config = config_load(TIDEMARK_SOURCE_DIR "/tests/data/interface.yaml", overrides, count, &problems);
    if (!config) {
        fail_msg("%d:%d: %s", problems.items[0].line, problems.items[0].column, problems.items[0].message);
    }
    return config;
}

static void it_loads(void **state) {
    (void)state;
    struct config *config = load(NULL, 0);
    const struct model *model = config->model;
    assert_string_equal(config->group, "tidemark");
    assert_int_equal(config->workers, 1);
    assert_int_equal(config->format, FORMAT_PROTOBUF);
    assert_true(config->exactly_once);
    assert_int_equal(config->currencies_count, 2);
    assert_int_equal(config->scoring.lifetime_value.model, LTV_MBG_NBD);
    assert_int_equal(model_sets_count(model), 2);
    assert_true(bytes_equal_text(model_set_name(model, 0), "value"));
    assert_int_equal(model_tiers_count(model, 0), 4);
    assert_true(bytes_equal_text(model_set_name(model, 1), "churn_risk"));
    assert_true(bytes_equal_text(model_set_topic(model, 1), "churn-alerts"));
    assert_int_equal(model_tiers_count(model, 1), 3);
    assert_int_equal(model_ranked_count(model), 1);
    assert_int_equal(model_span_days(model), 90);
    config_destroy(config);
}

/* Its churn_risk is by p_alive: other parameters are other rules. */
static void its_parameters_decide(void **state) {
    (void)state;
    static const char *const overrides[] = {"lifetime_value.alpha=7"};
    struct config *config = load(NULL, 0);
    struct config *other = load(overrides, 1);
    assert_false(bytes_equal(model_version(config->model), model_version(other->model)));
    config_destroy(config);
    config_destroy(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_loads),
        cmocka_unit_test(its_parameters_decide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
