/* include: several files as one configuration, and every mistake with its file and line. */
#include "run/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { FILES_MAX = 32, PATH_BYTES = 256 };

/* A folder of files, gone after each test. */
static char folder[64];
static char files[FILES_MAX][PATH_BYTES];
static size_t files_count;
static struct config_problems problems;

static int set_up(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/tidemark-include-XXXXXX");
    files_count = 0;
    problems.count = 0;
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    while (files_count > 0) {
        remove(files[--files_count]);
    }
    return rmdir(folder);
}

static const char *path_of(const char *name) {
    static char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void keep(const char *name) {
    assert_true(files_count < FILES_MAX);
    snprintf(files[files_count++], PATH_BYTES, "%s", path_of(name));
}

static void write_file(const char *name, const char *text) {
    keep(name);
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static struct config *load_with(const char *override) {
    return config_load(path_of("main.yaml"), &override, override ? 1 : 0, &problems);
}

static struct config *loaded(void) {
    struct config *config = load_with(NULL);
    for (size_t i = 0; i < problems.count; i++) {
        print_error("%s:%d: %s\n", problems.items[i].file, problems.items[i].line, problems.items[i].message);
    }
    assert_non_null(config);
    assert_int_equal(problems.count, 0);
    return config;
}

/* The i-th problem: in the file (of the folder; "": the main one), at the place, with the words. */
static void assert_problem(size_t i, const char *file, int line, int column, const char *words) {
    assert_true(i < problems.count);
    const struct config_problem *problem = &problems.items[i];
    assert_string_equal(problem->file, file[0] ? path_of(file) : "");
    assert_string_equal(problem->message, words);
    assert_int_equal(problem->line, line);
    assert_int_equal(problem->column, column);
}

static void assert_refused(const char *file, int line, int column, const char *words) {
    assert_null(load_with(NULL));
    assert_problem(0, file, line, column, words);
    assert_int_equal(problems.count, 1);
    problems.count = 0;
}

static void assert_set(const struct config *config, size_t set, const char *name) {
    assert_true(set < model_sets_count(config->model));
    assert_true(bytes_equal_text(model_set_name(config->model, set), name));
}

#define VALUE "tier_sets:\n  value:\n    tiers: [{name: vip, enter: \"revenue >= 100\"}, {name: rest}]\n"
#define RISK "tier_sets:\n  risk:\n    tiers: [{name: low, enter: \"days_since_purchase <= 60\"}, {name: high}]\n"
#define OWN "tier_sets:\n  own:\n    tiers: [{name: dear, enter: \"tier(value) = vip\"}, {name: rest}]\n"

static void what_is_included_stands_before_the_file_s_own(void **state) {
    (void)state;
    write_file("value.yaml", VALUE "behaviour: {rising_below: 100, frequent_interval: 30d}\n");
    write_file("risk.yaml", RISK "points:\n");
    write_file("main.yaml", "group: shop\n" OWN "include: [value.yaml, risk.yaml]\nbehaviour: {rising_below: 50}\n");
    struct config *config = loaded();
    assert_int_equal(model_sets_count(config->model), 3);
    assert_set(config, 0, "value");
    assert_set(config, 1, "risk");
    assert_set(config, 2, "own");
    assert_string_equal(config->group, "shop");
    assert_true(config->scoring.rising_below == 50.0);           /* said here */
    assert_true(config->scoring.frequent_interval_days == 30.0); /* said there */
    assert_true(config->scoring.points.kept);
    config_destroy(config);
}

static void paths_are_relative_to_the_including_file(void **state) {
    (void)state;
    char text[1024];
    assert_int_equal(mkdir(path_of("sets"), 0700), 0);
    keep("sets");
    write_file("sets/value.yaml", VALUE "include: ../risk.yaml\n");
    write_file("risk.yaml", RISK);
    write_file("own.yaml", OWN);
    snprintf(text, sizeof text, "include: [sets/value.yaml, %s]\n", path_of("own.yaml"));
    write_file("main.yaml", text);
    struct config *config = loaded();
    assert_int_equal(model_sets_count(config->model), 3);
    assert_set(config, 0, "risk");
    assert_set(config, 1, "value");
    assert_set(config, 2, "own");
    config_destroy(config);
}

static void one_file_needs_no_list(void **state) {
    (void)state;
    write_file("value.yaml", VALUE);
    write_file("main.yaml", "include: value.yaml\npoints:\n");
    config_destroy(loaded());
}

static void overrides_win_over_what_is_included(void **state) {
    (void)state;
    write_file("value.yaml", "scores:\n  m: {metric: revenue, steps: [10]}\n"
                             "tier_sets:\n  value:\n    tiers: [{name: vip, enter: \"m >= 3\"}, {name: rest}]\n");
    write_file("main.yaml", "include: [value.yaml]\n");
    struct config *config = load_with("tier_sets.value.topic=vips");
    assert_non_null(config);
    assert_true(bytes_equal_text(model_set_topic(config->model, 0), "vips"));
    config_destroy(config);
    assert_null(load_with("tier_sets.value.tiers=[{name: vip, enter: \"m >\"}, {name: rest}]"));
    assert_int_equal(problems.items[0].line, 0); /* not in any file */
    assert_string_equal(problems.items[0].file, "");
}

static void an_override_says_what_is_included(void **state) {
    (void)state;
    write_file("value.yaml", VALUE);
    write_file("risk.yaml", RISK);
    write_file("main.yaml", "include: [missing.yaml]\n");
    struct config *config = load_with("include=[value.yaml, risk.yaml]");
    assert_non_null(config);
    assert_set(config, 1, "risk");
    config_destroy(config);
}

static void names_twice_are_allowed_only_where_identical(void **state) {
    (void)state;
    write_file("value.yaml", "scores:\n  m: {metric: revenue, steps: [10, 20]}\n" VALUE);
    write_file("risk.yaml", "# the same, laid out otherwise\nscores:\n  m:\n    metric: \"revenue\"\n"
                            "    steps: [ 10, 20 ]\n" RISK);
    write_file("main.yaml", "include: [value.yaml, risk.yaml, value.yaml]\n");
    struct config *config = loaded();
    assert_int_equal(model_sets_count(config->model), 2);
    config_destroy(config);

    char words[512];
    write_file("risk.yaml", "\nscores:\n  m: {metric: revenue, steps: [10, 20, 30]}\n" RISK);
    snprintf(words, sizeof words, "scores.m is written otherwise in %s:2", path_of("value.yaml"));
    assert_refused("risk.yaml", 3, 3, words);

    write_file("risk.yaml", RISK);
    write_file("main.yaml", "include: [value.yaml, risk.yaml]\n\ntier_sets:\n  value: {tiers: [{name: rest}]}\n");
    snprintf(words, sizeof words, "tier_sets.value is written otherwise in %s:4", path_of("main.yaml"));
    assert_refused("value.yaml", 4, 3, words);
}

static void options_of_two_files_must_agree_or_be_decided(void **state) {
    (void)state;
    char words[512];
    write_file("value.yaml", VALUE "points:\n  per_unit: 2\n  multipliers: {value: {vip: 3}}\n");
    write_file("risk.yaml", RISK "points:\n  multipliers: {risk: {low: 4}}\n  per_unit: 2\n");
    write_file("main.yaml", "include: [value.yaml, risk.yaml]\n");
    struct config *config = loaded();
    assert_int_equal(config->scoring.points.multipliers_count, 2);
    config_destroy(config);

    write_file("risk.yaml", RISK "points: {per_unit: 5}\n");
    snprintf(words, sizeof words,
             "points.per_unit is written otherwise in %s:5: the file that includes both can say which",
             path_of("value.yaml"));
    assert_refused("risk.yaml", 4, 20, words);

    write_file("main.yaml", "include: [value.yaml, risk.yaml]\npoints: {per_unit: 7}\n");
    config = loaded();
    assert_true(config->scoring.points.per_unit == 7.0);
    config_destroy(config);
}

static void connections_stay_with_the_including_file(void **state) {
    (void)state;
    write_file("value.yaml", VALUE "redis: {url: \"redis://elsewhere\"}\n");
    write_file("main.yaml", "include: [value.yaml]\n");
    assert_refused(
        "value.yaml", 4, 1,
        "'redis' cannot stand in an included file, which says only how customers are scored: it belongs into "
        "the file that includes it");
    write_file("value.yaml", VALUE "behavior: {rising_below: 5}\n");
    assert_null(load_with(NULL));
    assert_problem(0, "value.yaml", 4, 1, "unknown key 'behavior' in an included file; did you mean 'behaviour'?");
    problems.count = 0;
}

static void mistakes_are_told_where_they_stand(void **state) {
    (void)state;
    write_file("value.yaml", VALUE);
    write_file("risk.yaml", "scores:\n  r: {metric: revenu, steps: [1]}\n" RISK);
    write_file("main.yaml", "include: [value.yaml, risk.yaml]\n");
    assert_refused("risk.yaml", 2, 15, "scores.r.metric: unknown metric 'revenu'; did you mean 'revenue'?");
    write_file("risk.yaml", "tier_sets:\n  risk:\n    hold: long\n    tiers: [{name: rest}]\n");
    assert_refused("risk.yaml", 3, 11, "tier_sets.risk.hold: expected a duration like 0d, 12h or 30d, not 'long'");
    write_file("risk.yaml", RISK "engagement: {half_life: 0d}\n");
    assert_refused("risk.yaml", 4, 25,
                   "engagement.half_life: expected at least 60000ms and at most 1000000000000ms, not '0d'");
    write_file("risk.yaml", "tier_sets: {\n");
    assert_null(load_with(NULL));
    assert_string_equal(problems.items[0].file, path_of("risk.yaml"));
    assert_non_null(strstr(problems.items[0].message, "not YAML"));
    assert_in_range(problems.items[0].line, 1, 2);
    problems.count = 0;
    write_file("risk.yaml", RISK);
    write_file("main.yaml", "include: [value.yaml, risk.yaml]\nworkers: many\n");
    assert_refused("", 2, 10, "workers: expected a whole number, not 'many'");
}

static void what_cannot_be_read_is_told_at_the_include(void **state) {
    (void)state;
    char words[512];
    write_file("value.yaml", VALUE "include: [missing.yaml]\n");
    write_file("main.yaml", "include: [value.yaml]\n");
    snprintf(words, sizeof words, "include: cannot read %s: No such file or directory", path_of("missing.yaml"));
    assert_refused("value.yaml", 4, 11, words);
    write_file("main.yaml", VALUE "include: {a: b}\n");
    assert_refused("", 4, 10, "include: expected a list of files like [value.yaml, churn.yaml]");
}

static void cycles_and_depths_are_refused(void **state) {
    (void)state;
    write_file("value.yaml", VALUE "include: [risk.yaml]\n");
    write_file("risk.yaml", RISK "include: [value.yaml]\n");
    write_file("main.yaml", "include: [value.yaml]\n");
    assert_refused("risk.yaml", 4, 11, "include: this file is being read already: it would include itself");
    write_file("main.yaml", VALUE "include: [main.yaml]\n");
    assert_refused("", 4, 11, "include: this file is being read already: it would include itself");
    write_file("main.yaml", VALUE "include: [1.yaml]\n");
    for (int i = 1; i <= 9; i++) {
        char name[32];
        char text[64];
        snprintf(name, sizeof name, "%d.yaml", i);
        snprintf(text, sizeof text, i < 8 ? "include: [%d.yaml]\n" : "\n", i + 1);
        write_file(name, text);
    }
    config_destroy(loaded());
    write_file("8.yaml", "include: [9.yaml]\n");
    assert_refused("8.yaml", 1, 11, "include: files that include files that include files: nested too deeply");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_included_stands_before_the_file_s_own),
        TEST(paths_are_relative_to_the_including_file),
        TEST(one_file_needs_no_list),
        TEST(overrides_win_over_what_is_included),
        TEST(an_override_says_what_is_included),
        TEST(names_twice_are_allowed_only_where_identical),
        TEST(options_of_two_files_must_agree_or_be_decided),
        TEST(connections_stay_with_the_including_file),
        TEST(mistakes_are_told_where_they_stand),
        TEST(what_cannot_be_read_is_told_at_the_include),
        TEST(cycles_and_depths_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
