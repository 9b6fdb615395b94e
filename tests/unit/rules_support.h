/* What the tests of wrong rules and wrong models share. */
#ifndef TIDEMARK_TESTS_UNIT_RULES_SUPPORT_H
#define TIDEMARK_TESTS_UNIT_RULES_SUPPORT_H

#include "support/model_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LARGE = 8192 };

static inline void assert_error(const char *text, int line, int column, const char *message) {
    struct model *model;
    int result = model_builder_compile(&builder, text, &model);
    if (result == 0) {
        fail_msg("%s\nis a model, but expected: %s", text, message);
    }
    assert_int_equal(result, ERR_INVALID);
    assert_null(model);
    if (builder.error.line != line || builder.error.column != column || strcmp(builder.error.message, message) != 0) {
        fail_msg("%s\n%d:%d: %s\nbut expected\n%d:%d: %s", text, builder.error.line, builder.error.column,
                 builder.error.message, line, column, message);
    }
    arena_reset(&builder.arena);
}

/* `start`, then `repeated` so often, then `end`. */
static inline const char *repeated(const char *start, const char *repeated_text, int times, const char *end) {
    static char text[LARGE];
    size_t size = (size_t)snprintf(text, sizeof text, "%s", start);
    for (int i = 0; i < times; i++) {
        size += (size_t)snprintf(text + size, sizeof text - size, "%s", repeated_text);
    }
    size += (size_t)snprintf(text + size, sizeof text - size, "%s", end);
    assert_true(size < sizeof text);
    return text;
}

#endif
