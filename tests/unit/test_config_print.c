#include "run/config_print.h"

#include "config_support.h"

#include <unistd.h>

/* What is printed of a configuration, with a NUL behind it; the caller frees. */
static char *printed(const struct config *config) {
    struct buffer out = {0};
    config_print(config, &out);
    buffer_put_byte(&out, '\0');
    assert_false(out.error);
    return out.data;
}

static struct config *loaded(const char *path) {
    static struct config_problems problems;
    problems.count = 0;
    struct config *config = config_load(path, NULL, 0, &problems);
    if (!config) {
        fail_msg("%s:%d: %s", path, problems.items[0].line, problems.items[0].message);
    }
    return config;
}

static void without(char *text, const char *what) {
    for (char *at = strstr(text, what); at; at = strstr(at, what)) {
        memmove(at, at + strlen(what), strlen(at + strlen(what)) + 1);
    }
}

/* Read again, it is the same configuration: the same rules, and the same text but for what it then knows to be no default. */
static void assert_comes_back(const char *path) {
    struct config *config = loaded(path);
    char *first = printed(config);
    static struct config_problems problems;
    problems.count = 0;
    struct config *again = config_parse("again.yaml", bytes_of_text(first), NULL, 0, &problems);
    if (!again) {
        fail_msg("%s, printed: %d:%d: %s", path, problems.items[0].line, problems.items[0].column,
                 problems.items[0].message);
    }
    assert_true(bytes_equal(model_version(config->model), model_version(again->model)));
    char *second = printed(again);
    without(first, "   # default");
    assert_null(strstr(second, "# default"));
    assert_string_equal(first, second);
    free(first);
    free(second);
    config_destroy(config);
    config_destroy(again);
}

static void what_is_printed_is_the_same_configuration(void **state) {
    (void)state;
    static const char *const names[] = {"sample",  "value",    "churn", "lifecycle", "rfm-segments",
                                        "loyalty", "feedback", "abc",   "rising"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[400];
        snprintf(path, sizeof path, TIDEMARK_SOURCE_DIR "/config/%s.yaml", names[i]);
        assert_comes_back(path);
    }
}

static void text_that_yaml_or_the_environment_would_take_for_something_else_comes_back(void **state) {
    (void)state;
    struct config *config = parsed(
        "scores:\n  r: {metric: revenue, steps: [1]}\n"
        "tier_sets:\n  one:\n    tiers:\n"
        "      - {name: a, enter: r = 2, treatment: {x: 'say \"no\": #1, {or} \\ yes', y: \"tab\\there\", z: '$x'}}\n"
        "      - {name: b}\n",
        NULL, 0);
    char *first = printed(config);
    static struct config_problems problems;
    problems.count = 0;
    struct config *again = config_parse("again.yaml", bytes_of_text(first), NULL, 0, &problems);
    assert_non_null(again);
    size_t count;
    const struct label_spec *labels = model_treatment(again->model, 0, 0, &count);
    assert_int_equal(count, 3);
    assert_true(bytes_equal_text(labels[0].value, "say \"no\": #1, {or} \\ yes"));
    assert_true(bytes_equal_text(labels[1].value, "tab\there"));
    assert_true(bytes_equal_text(labels[2].value, "$x"));
    free(first);
    config_destroy(config);
    config_destroy(again);
}

static void no_secret_is_printed(void **state) {
    (void)state;
    setenv("TIDEMARK_TEST_SECRET", "s3cret-5", 1);
    struct config *config =
        parsed("kafka: {sasl.password: s3cret-1, ssl.key.pem: s3cret-2, sasl.oauthbearer.client.secret: s3cret-3,\n"
               "        sasl.username: shown-1, ssl.key.location: /shown-2}\n"
               "redis: {url: 'redis://shown-3:s3cret-4@host:6379/0', password: '${TIDEMARK_TEST_SECRET}'}\n"
               "http: {token: s3cret-6}\nlog: {customer_key: s3cret-7}\n" LEAST,
               NULL, 0);
    char *text = printed(config);
    assert_null(strstr(text, "s3cret"));
    static const char *const shown[] = {"shown-1", "/shown-2", "redis://shown-3:********@host:6379/0",
                                        "token: \"********\""};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        assert_non_null(strstr(text, shown[i]));
    }
    free(text);
    config_destroy(config);
    /* A password may have an at sign, and an address none at all. */
    config = parsed("redis: {url: 'redis://:s3cr@t@host'}\n" LEAST, NULL, 0);
    text = printed(config);
    assert_non_null(strstr(text, "url: \"redis://:********@host\""));
    free(text);
    config_destroy(config);
}

static void tiers_are_told_in_words(void **state) {
    (void)state;
    struct config *config =
        parsed("scores:\n  r: {metric: days_since_purchase, steps: [7, 30], best: low}\n"
               "  m: {metric: revenue(90d), quantiles: 5, steps: [50]}\n"
               "tier_sets:\n  value:\n    hold: 7d\n    grace: 0d\n    demote: one_step\n    tiers:\n"
               "      - {name: vip, enter: r + m >= 7, stay: r + m >= 6, treatment: {service: own}}\n"
               "      - {name: rest}\n",
               NULL, 0);
    char *text = printed(config);
    const char *words = strstr(text, "#\n# Scores:\n");
    assert_non_null(words);
    assert_string_equal(
        words,
        "#\n# Scores:\n"
        "#   r: by days since the last purchase: up to 7 gives 3, up to 30 gives 2, more, or no value, gives 1\n"
        "#   m: by revenue in the last 90 days; the customers in 5 equal parts, the highest have 5; while they are "
        "few: "
        "below 50 gives 1, from there gives 2\n"
        "#\n# Tier set value, told on tier-changes; a customer is in the first that fits:\n"
        "#   vip: r + m is at least 7; who is in it stays as long as r + m is at least 6; treatment: service own\n"
        "#   rest: everyone else\n"
        "#   nobody falls within 7d of entering a tier\n"
        "#   a fall goes down one tier at a time\n");
    free(text);
    config_destroy(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_printed_is_the_same_configuration),
        cmocka_unit_test(text_that_yaml_or_the_environment_would_take_for_something_else_comes_back),
        cmocka_unit_test(no_secret_is_printed),
        cmocka_unit_test(tiers_are_told_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
