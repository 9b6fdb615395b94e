/* What the tests of the configuration share: texts that must be read, and texts that must not. */
#ifndef TIDEMARK_TESTS_UNIT_CONFIG_SUPPORT_H
#define TIDEMARK_TESTS_UNIT_CONFIG_SUPPORT_H

#include "run/config_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* The least that is a configuration: line 1 of every text below. */
#define LEAST "tier_sets: {it: {tiers: [{name: yes, enter: \"purchases >= 1\"}, {name: no}]}}\n"

static inline struct config *parsed(const char *text, const char *const *overrides, size_t overrides_count) {
    struct config_problems problems = {.count = 0};
    struct config *config = config_parse("test.yaml", bytes_of_text(text), overrides, overrides_count, &problems);
    if (!config) {
        fail_msg("%d:%d: %s", problems.items[0].line, problems.items[0].column, problems.items[0].message);
    }
    assert_int_equal(problems.count, 0);
    return config;
}

/* All problems as "LINE:COLUMN: message\n". */
static inline void assert_problems_of(const char *text, const char *const *overrides, size_t overrides_count,
                                      const char *expected) {
    static struct config_problems problems;
    problems.count = 0;
    struct config *config = config_parse("test.yaml", bytes_of_text(text), overrides, overrides_count, &problems);
    struct buffer found = {0};
    for (size_t i = 0; i < problems.count; i++) {
        buffer_printf(&found, "%d:%d: %s\n", problems.items[i].line, problems.items[i].column,
                      problems.items[i].message);
    }
    buffer_put_byte(&found, '\0');
    assert_int_equal(config == NULL, problems.count > 0);
    if (strcmp(found.data, expected) != 0) {
        fail_msg("%s\ngives\n%s\nbut expected\n%s", text, found.data, expected);
    }
    buffer_finish(&found);
    config_destroy(config);
}

static inline void assert_problem(const char *text, const char *expected) {
    char line[600];
    snprintf(line, sizeof line, "%s\n", expected);
    assert_problems_of(text, NULL, 0, line);
}

#endif
