/* What programs that test rules have in common: one builder for all their tests. */
#ifndef TIDEMARK_TESTS_MODEL_FIXTURE_H
#define TIDEMARK_TESTS_MODEL_FIXTURE_H

#include "support/model_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct model_builder builder;

/* Before the first test, and after the last one. */
static inline int builder_set_up(void **state) {
    (void)state;
    model_builder_init(&builder);
    return 0;
}

static inline int builder_tear_down(void **state) {
    (void)state;
    model_builder_finish(&builder);
    return 0;
}

/* One set, whose upper tier has this rule. */
static inline const struct model *with_rule(const char *rule) {
    char text[1024];
    int size = snprintf(text, sizeof text, "set it\ntier yes = %s\ntier no\n", rule);
    assert_true(size > 0 && size < (int)sizeof text);
    return model_of(&builder, text);
}

#endif
