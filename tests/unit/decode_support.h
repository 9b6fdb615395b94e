/* What the tests of decode share: a decoder, an arena, and records made of texts. */
#ifndef TIDEMARK_TESTS_UNIT_DECODE_SUPPORT_H
#define TIDEMARK_TESTS_UNIT_DECODE_SUPPORT_H

#include "ingest/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define NOW_MS INT64_C(1735689600000) /* 2025-01-01 */
#define MAX_FUTURE_MS INT64_C(300000)

static const struct currency_rate test_currencies[] = {
    {"EUR", 1000000000, 0},
    {"USD", 920000000, 0},
    {"JPY", 6100000, 2},
    {"KWD", 3000000000, -1},
};

/* Everything that one decoded record leaves behind. */
struct decoded {
    struct arena arena;
    struct activity activity;
    enum dead_reason reason;
    char detail[DEAD_DETAIL_BYTES_MAX];
};

static inline struct decoder test_decoder(enum decode_format format) {
    return (struct decoder){.format = format,
                            .currencies = test_currencies,
                            .currencies_count = sizeof test_currencies / sizeof *test_currencies,
                            .max_future_ms = MAX_FUTURE_MS};
}

/* Decodes a copy of the value that is freed before anyone looks at the activity, so that a slice
 * that still points into the record is found by the sanitizer. */
static inline void decode_value(struct decoded *decoded, enum decode_format format, enum input input, const char *key,
                                struct bytes value, const struct header *headers, size_t headers_count) {
    struct decoder decoder = test_decoder(format);
    char *copy = value.data ? malloc(value.size + 1) : NULL;
    if (copy && value.size > 0) {
        memcpy(copy, value.data, value.size);
    }
    struct record record = {
        .input = input, .timestamp_ms = NOW_MS, .key = bytes_of_text(key), .value = bytes_of(copy, value.size)};
    memset(&decoded->activity, 0, sizeof decoded->activity);
    arena_init(&decoded->arena, 64 * 1024 * 1024);
    decoded->reason = decode_record(&decoder, &record, headers, headers_count, NOW_MS, &decoded->arena,
                                    &decoded->activity, decoded->detail);
    assert_true(memchr(decoded->detail, '\0', sizeof decoded->detail) != NULL);
    assert_int_equal(decoded->reason != DEAD_NOT, decoded->detail[0] != '\0');
    free(copy);
}

static inline void decoded_finish(struct decoded *decoded) {
    arena_finish(&decoded->arena);
}

static inline void decode_json_text(struct decoded *decoded, enum input input, const char *json) {
    decode_value(decoded, FORMAT_JSON, input, "c1", bytes_of_text(json), NULL, 0);
}

static inline void assert_text(struct bytes actual, const char *expected) {
    if (!expected) {
        assert_null(actual.data);
        return;
    }
    assert_non_null(actual.data);
    assert_int_equal(actual.size, strlen(expected));
    assert_memory_equal(actual.data, expected, actual.size + 1); /* a NUL stands behind it */
}

#endif
