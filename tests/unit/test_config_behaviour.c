/* The options beside scores and tier sets: feedback, behaviour, points, engagement. */
#include "run/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const tiers = "tier_sets:\n"
                                 "  value:\n"
                                 "    tiers: [{name: vip, enter: \"points(90d) >= 100\"}, {name: rest}]\n";

static struct config *parsed(const char *yaml, struct config_problems *problems) {
    char text[2048];
    snprintf(text, sizeof text, "%s%s", yaml, tiers);
    *problems = (struct config_problems){.count = 0};
    return config_parse("test.yaml", bytes_of_text(text), NULL, 0, problems);
}

static struct config *valid(const char *yaml) {
    struct config_problems problems;
    struct config *config = parsed(yaml, &problems);
    if (!config) {
        fail_msg("%s", problems.items[0].message);
    }
    return config;
}

static int kind_of(const char *name) {
    for (int kind = 0; activity_kind_name(kind); kind++) {
        if (strcmp(activity_kind_name(kind), name) == 0) {
            return kind;
        }
    }
    fail_msg("no kind %s", name);
    return 0;
}

#define assert_number(actual, expected) assert_true((actual) >= (expected) && (actual) <= (expected))

static void assert_defaults(const struct scoring_options *options) {
    struct scoring_options defaults = scoring_options_default();
    assert_int_equal(options->ces, defaults.ces);
    assert_number(options->frequent_interval_days, defaults.frequent_interval_days);
    assert_number(options->rising_below, defaults.rising_below);
    assert_number(options->points.per_unit, defaults.points.per_unit);
    assert_memory_equal(options->points.events, defaults.points.events, sizeof defaults.points.events);
    assert_int_equal(options->points.multipliers_count, 0);
    assert_true(options->engagement.half_life_ms == defaults.engagement.half_life_ms);
    assert_memory_equal(options->engagement.weights, defaults.engagement.weights, sizeof defaults.engagement.weights);
}

static void nothing_said_is_the_defaults(void **state) {
    (void)state;
    struct config *config = valid("");
    assert_defaults(&config->scoring);
    assert_false(config->scoring.points.kept);
    assert_false(config->scoring.engagement.kept);
    config_destroy(config);
}

/* The sample shows the defaults; its sections keep points and engagement. */
static void the_sample_shows_the_defaults(void **state) {
    (void)state;
    struct config_problems problems = {.count = 0};
    struct config *config = config_load(TIDEMARK_SOURCE_DIR "/config/sample.yaml", NULL, 0, &problems);
    assert_non_null(config);
    assert_defaults(&config->scoring);
    assert_true(config->scoring.points.kept);
    assert_true(config->scoring.engagement.kept);
    config_destroy(config);
}

static void every_option_is_taken(void **state) {
    (void)state;
    struct config *config = valid("feedback: {ces: share}\n"
                                  "behaviour: {frequent_interval: 36h, rising_below: 99.5}\n"
                                  "points:\n"
                                  "  per_unit: 0.5\n"
                                  "  events: {login: 5, nps: 20, purchase: 7, complaint: -3}\n"
                                  "  multipliers: {value: {vip: 2, rest: 0.5}}\n"
                                  "engagement: {half_life: 7d, weights: {page_view: 0.2, other: 0}}\n");
    const struct scoring_options *options = &config->scoring;
    assert_int_equal(options->ces, CES_SHARE);
    assert_number(options->frequent_interval_days, 1.5);
    assert_number(options->rising_below, 99.5);
    assert_number(options->points.per_unit, 0.5);
    assert_number(options->points.events[kind_of("login")], 5.0);
    assert_number(options->points.events[kind_of("nps")], 20.0);
    assert_number(options->points.events[kind_of("purchase")], 7.0);
    assert_number(options->points.events[kind_of("complaint")], -3.0);
    assert_number(options->points.events[kind_of("refund")], 0.0);
    assert_int_equal(options->points.multipliers_count, 2);
    assert_true(options->points.kept);
    assert_true(options->engagement.kept);
    assert_true(options->engagement.half_life_ms == 7 * (int64_t)86400000);
    assert_number(options->engagement.weights[INTERACTION_PAGE_VIEW], 0.2);
    assert_number(options->engagement.weights[INTERACTION_OTHER], 0.0);
    assert_number(options->engagement.weights[INTERACTION_LOGIN], 1.0);
    config_destroy(config);
}

static void an_empty_section_is_kept(void **state) {
    (void)state;
    struct config *config = valid("points:\n  events:\nengagement:\n");
    assert_defaults(&config->scoring);
    assert_true(config->scoring.points.kept);
    assert_true(config->scoring.engagement.kept);
    config_destroy(config);
}

static void mistakes_name_the_nearest(void **state) {
    (void)state;
    static const struct {
        const char *yaml;
        int line;
        int column;
        const char *message;
    } mistakes[] = {
        {"feedback: {ces: median}\n", 1, 17, "feedback.ces: expected one of mean|share, not 'median'"},
        {"behavior: {rising_below: 1}\n", 1, 1, "unknown key 'behavior'; did you mean 'behaviour'?"},
        {"behaviour: {rising_below: many}\n", 1, 27,
         "behaviour.rising_below: expected a number from 0 to 1000000000000000, not 'many'"},
        {"behaviour: {frequent_interval: 45}\n", 1, 32,
         "behaviour.frequent_interval: expected a duration like 250ms, 5s, 10m, 2h or 14d, not '45'"},
        {"points: {events: {logn: 5}}\n", 1, 19, "unknown key 'logn' in points.events; did you mean 'login'?"},
        {"points: {events: {login: much}}\n", 1, 26,
         "points.events.login: expected a number from -1000000 to 1000000, not 'much'"},
        {"points: {events: 5}\n", 1, 18, "points.events: expected a map like {login: 5, nps: 20}"},
        {"points: {per_unit: -1}\n", 1, 20, "points.per_unit: expected a number from 0 to 1000000, not '-1'"},
        {"points:\n  multipliers: {valeu: {vip: 2}}\n", 2, 17,
         "unknown tier set 'valeu' in points.multipliers; did you mean 'value'?"},
        {"points:\n  multipliers: {value: {vpi: 2}}\n", 2, 25,
         "unknown tier 'vpi' in points.multipliers; did you mean 'vip'?"},
        {"points:\n  multipliers: {value: 2}\n", 2, 24, "points.multipliers.value: expected a map like {vip: 2}"},
        {"points:\n  multipliers: {value: {vip: -2}}\n", 2, 30,
         "points.multipliers.value.vip: expected a number from 0 to 1000000, not '-2'"},
        {"engagement: {weights: {page_views: 1}}\n", 1, 24,
         "unknown key 'page_views' in engagement.weights; did you mean 'page_view'?"},
        {"engagement: {weights: {login: -1}}\n", 1, 31,
         "engagement.weights.login: expected a number from 0 to 1000000, not '-1'"},
        {"engagement: {weights: {login: {a: 1}}}\n", 1, 31,
         "engagement.weights.login: expected a number from 0 to 1000000, not 'a map'"},
        {"engagement: {half_life: 0d}\n", 1, 25,
         "engagement.half_life: expected at least 60000ms and at most 1000000000000ms, not '0d'"},
        {"engagement: {half_live: 1d}\n", 1, 14, "unknown key 'half_live' in engagement; did you mean 'half_life'?"},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct config_problems problems;
        struct config *config = parsed(mistakes[i].yaml, &problems);
        if (config) {
            fail_msg("taken: %s", mistakes[i].yaml);
        }
        assert_int_equal(problems.count, 1);
        assert_string_equal(problems.items[0].message, mistakes[i].message);
        assert_int_equal(problems.items[0].line, mistakes[i].line);
        assert_int_equal(problems.items[0].column, mistakes[i].column);
    }
}

static void an_override_reaches_them(void **state) {
    (void)state;
    static const char *const overrides[] = {"engagement.weights.login=3", "behaviour.rising_below=7"};
    struct config_problems problems = {.count = 0};
    struct config *config = config_parse("test.yaml", bytes_of_text(tiers), overrides, 2, &problems);
    assert_non_null(config);
    assert_number(config->scoring.engagement.weights[INTERACTION_LOGIN], 3.0);
    assert_number(config->scoring.rising_below, 7.0);
    config_destroy(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_said_is_the_defaults), cmocka_unit_test(the_sample_shows_the_defaults),
        cmocka_unit_test(every_option_is_taken),        cmocka_unit_test(an_empty_section_is_kept),
        cmocka_unit_test(mistakes_name_the_nearest),    cmocka_unit_test(an_override_reaches_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
