#include "support/scoring.h"

#include "score/evaluate.h"
#include "state/customer_codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

void assert_within(double actual, double expected, double relative) {
    bool same = isnan(expected) ? isnan(actual) : fabs(actual - expected) <= relative * fmax(1e-300, fabs(expected));
    if (!same) {
        fail_msg("%.17g is not %.17g", actual, expected);
    }
}

void assert_near(double actual, double expected) {
    if (!(fabs(actual - expected) <= 1e-12 * fmax(1, fabs(expected)))) {
        fail_msg("%.17g is not %.17g", actual, expected);
    }
}

void test_apply(struct model_builder *builder, struct customer *customer, const struct model *model,
                struct activity activity) {
    struct changes changes;
    changes_init(&changes, &builder->arena);
    assert_int_not_equal(customer_apply(customer, model, &activity, TIME_NONE, &changes), APPLIED_DUPLICATE);
    assert_int_equal(changes.error, 0);
    assert_true(customer_is_valid(customer, model));
}

double test_value_at(struct model_builder *builder, const struct customer *customer, const char *expression,
                     int64_t now_ms) {
    char text[1024];
    struct evaluation evaluation;
    snprintf(text, sizeof text, "set it\ntier yes = %s >= 0\ntier no\n", expression);
    const struct scoring_options *kept = builder->options;
    struct scoring_options options = kept ? *kept : scoring_options_default();
    options.points.multipliers_count = 0; /* this model has other sets */
    builder->options = &options;
    const struct model *model = model_of(builder, text);
    builder->options = kept;
    const struct rule *rule = &model->sets[0].tiers[0].enter;
    const struct comparison *last = &rule->comparisons[rule->comparisons_count - 1];
    evaluation_init(&evaluation, customer, model, now_ms);
    return evaluation_side(&evaluation, rule, last->left, last->right);
}

double test_value(struct model_builder *builder, const struct customer *customer, const char *expression) {
    return test_value_at(builder, customer, expression, customer->now_ms);
}

void test_state(const struct customer *customer, const struct model *model, struct buffer *out) {
    struct customer *copy = customer_copy(customer, model);
    assert_non_null(copy);
    copy->wake_ms = copy->armed_ms = TIME_NEVER;
    for (uint16_t i = 0; i < copy->tiers_count; i++) {
        copy->tiers[i].sequence = 0;
    }
    customer_encode(copy, out);
    assert_int_equal(out->error, 0);
    customer_destroy(copy);
}

void assert_same_state(const struct customer *a, const struct customer *b, const struct model *model) {
    struct buffer one = {0};
    struct buffer other = {0};
    test_state(a, model, &one);
    test_state(b, model, &other);
    assert_int_equal(one.size, other.size);
    assert_memory_equal(one.data, other.data, one.size);
    buffer_finish(&one);
    buffer_finish(&other);
}

void test_store(struct customer **customer, const struct model *model) {
    struct buffer packed = {0};
    struct buffer again = {0};
    struct customer *decoded;
    customer_encode(*customer, &packed);
    assert_int_equal(customer_decode(buffer_bytes(&packed), model, &decoded), 0);
    assert_true(customer_is_valid(decoded, model));
    customer_encode(decoded, &again);
    assert_true(bytes_equal(buffer_bytes(&packed), buffer_bytes(&again)));
    customer_destroy(*customer);
    *customer = decoded;
    buffer_finish(&packed);
    buffer_finish(&again);
}

void test_shuffle(struct test_random *random, int *order, int count) {
    for (int i = 0; i < count; i++) {
        int64_t at = test_random_below(random, i + 1);
        order[i] = order[at];
        order[at] = i;
    }
}
