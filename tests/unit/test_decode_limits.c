#include "decode_support.h"

/* Every reason for a dead letter, and the order in which they are looked for. */

#define HEAD "{\"event_id\":\"e1\",\"customer_id\":\"c1\",\"event_time_ms\":1735689600000"
#define MONEY ",\"amount_minor\":100,\"currency\":\"EUR\""
#define ID_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID_256 ID_64 ID_64 ID_64 ID_64

struct limit_case {
    enum input input;
    const char *key;
    const char *json;
    enum dead_reason reason;
};

static void check_cases(const struct limit_case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct decoded decoded;
        decode_value(&decoded, FORMAT_JSON, cases[i].input, cases[i].key, bytes_of_text(cases[i].json), NULL, 0);
        if (decoded.reason != cases[i].reason) {
            fail_msg("%s: %s (%s), not %s", cases[i].json, dead_reason_text(decoded.reason), decoded.detail,
                     dead_reason_text(cases[i].reason));
        }
        decoded_finish(&decoded);
    }
}

#define CHECK(cases) check_cases((cases), sizeof(cases) / sizeof *(cases))

static void ids_are_checked(void **state) {
    (void)state;
    static const struct limit_case cases[] = {
        {INPUT_PURCHASES, "c1", HEAD MONEY "}", DEAD_NOT},
        {INPUT_PURCHASES, "c1", "{\"event_time_ms\":1" MONEY "}", DEAD_BAD_ID},
        {INPUT_PURCHASES, "", "{\"customer_id\":\"\",\"event_time_ms\":1" MONEY "}", DEAD_BAD_ID},
        {INPUT_PURCHASES, "c1", "{\"customer_id\":null,\"event_time_ms\":1" MONEY "}", DEAD_BAD_ID},
        {INPUT_PURCHASES, ID_256, "{\"customer_id\":\"" ID_256 "\",\"event_time_ms\":1" MONEY "}", DEAD_NOT},
        {INPUT_PURCHASES, ID_256 "x", "{\"customer_id\":\"" ID_256 "x\",\"event_time_ms\":1" MONEY "}", DEAD_BAD_ID},
        {INPUT_PURCHASES, "c1", "{\"customer_id\":\"c1\\u0000\",\"event_time_ms\":1" MONEY "}", DEAD_BAD_ID},
        {INPUT_PURCHASES, "c1", "{\"customer_id\":\"c1\",\"event_id\":\"a\\u0000b\",\"event_time_ms\":1" MONEY "}",
         DEAD_BAD_ID},
        {INPUT_PURCHASES, "c1", "{\"customer_id\":\"c1\",\"event_id\":\"" ID_256 "x\",\"event_time_ms\":1" MONEY "}",
         DEAD_BAD_ID},
        {INPUT_PURCHASES, "c1", "{\"customer_id\":\"c1\",\"event_id\":\"\",\"event_time_ms\":1" MONEY "}", DEAD_NOT},
        {INPUT_PURCHASES, "c1", HEAD MONEY ",\"order_id\":\"" ID_256 "x\"}", DEAD_BAD_ID},
        {INPUT_PURCHASES, "c1", HEAD MONEY ",\"referrer_id\":\"\\u0000\"}", DEAD_BAD_ID},
        {INPUT_PURCHASES, "\xc3\xa9", "{\"customer_id\":\"\xc3\xa9\",\"event_time_ms\":1" MONEY "}", DEAD_NOT},
        {INPUT_PURCHASES, NULL, HEAD MONEY "}", DEAD_KEY_MISMATCH},
        {INPUT_PURCHASES, "", HEAD MONEY "}", DEAD_KEY_MISMATCH},
        {INPUT_PURCHASES, "c2", HEAD MONEY "}", DEAD_KEY_MISMATCH},
        {INPUT_PURCHASES, "c11", HEAD MONEY "}", DEAD_KEY_MISMATCH},
        {INPUT_PURCHASES, "c1", HEAD MONEY ",\"channel\":\"\\u0000\"}", DEAD_UNDECODABLE},
        {INPUT_PURCHASES, "c1", HEAD MONEY ",\"items\":[{\"sku\":\"a\\u0000\"}]}", DEAD_UNDECODABLE},
    };
    CHECK(cases);
}

static void times_are_checked(void **state) {
    (void)state;
    static const struct limit_case cases[] = {
        {INPUT_PURCHASES, "c1", "{\"customer_id\":\"c1\"" MONEY "}", DEAD_BAD_TIME},
        {INPUT_PURCHASES, "c1", "{\"customer_id\":\"c1\",\"event_time_ms\":0" MONEY "}", DEAD_BAD_TIME},
        {INPUT_PURCHASES, "c1", "{\"customer_id\":\"c1\",\"event_time_ms\":-1" MONEY "}", DEAD_BAD_TIME},
        {INPUT_PURCHASES, "c1", "{\"customer_id\":\"c1\",\"event_time_ms\":1" MONEY "}", DEAD_NOT},
        {INPUT_PURCHASES, "c1", "{\"customer_id\":\"c1\",\"event_time_ms\":1735689900000" MONEY "}",
         DEAD_NOT}, /* just max_future ahead */
        {INPUT_PURCHASES, "c1", "{\"customer_id\":\"c1\",\"event_time_ms\":1735689900001" MONEY "}", DEAD_FUTURE_TIME},
        {INPUT_PURCHASES, "c1", "{\"customer_id\":\"c1\",\"event_time_ms\":\"99999999999999999999\"" MONEY "}",
         DEAD_FUTURE_TIME},
        {INPUT_PURCHASES, "c1", "{\"customer_id\":\"c1\",\"event_time_ms\":-99999999999999999999" MONEY "}",
         DEAD_BAD_TIME},
        {INPUT_PURCHASES, "c1", HEAD MONEY ",\"kind\":\"REFUND\",\"order_time_ms\":-1}", DEAD_BAD_TIME},
        {INPUT_PURCHASES, "c1", HEAD MONEY ",\"kind\":\"REFUND\",\"order_time_ms\":0}", DEAD_NOT},
        {INPUT_PURCHASES, "c1", HEAD MONEY ",\"kind\":\"REFUND\",\"order_time_ms\":1735689900001}", DEAD_FUTURE_TIME},
    };
    CHECK(cases);
}

static void enums_are_checked(void **state) {
    (void)state;
    static const struct limit_case cases[] = {
        {INPUT_PURCHASES, "c1", HEAD MONEY ",\"kind\":\"GIFT\"}", DEAD_UNKNOWN_ENUM},
        {INPUT_PURCHASES, "c1", HEAD MONEY ",\"kind\":\"purchase\"}", DEAD_UNKNOWN_ENUM},
        {INPUT_PURCHASES, "c1", HEAD MONEY ",\"kind\":0}", DEAD_UNKNOWN_ENUM},
        {INPUT_PURCHASES, "c1", HEAD MONEY ",\"kind\":\"KIND_UNSPECIFIED\"}", DEAD_UNKNOWN_ENUM},
        {INPUT_PURCHASES, "c1", HEAD MONEY ",\"kind\":4}", DEAD_UNKNOWN_ENUM},
        {INPUT_PURCHASES, "c1", HEAD MONEY ",\"kind\":-1}", DEAD_UNKNOWN_ENUM},
        {INPUT_PURCHASES, "c1", HEAD MONEY ",\"kind\":null}", DEAD_NOT},
        {INPUT_INTERACTIONS, "c1", HEAD "}", DEAD_UNKNOWN_ENUM},
        {INPUT_INTERACTIONS, "c1", HEAD ",\"kind\":0}", DEAD_UNKNOWN_ENUM},
        {INPUT_INTERACTIONS, "c1", HEAD ",\"kind\":12}", DEAD_NOT},
        {INPUT_INTERACTIONS, "c1", HEAD ",\"kind\":13}", DEAD_UNKNOWN_ENUM},
        {INPUT_INTERACTIONS, "c1", HEAD ",\"kind\":\"LOGIN\",\"stage\":0}", DEAD_NOT},
        {INPUT_INTERACTIONS, "c1", HEAD ",\"kind\":\"LOGIN\",\"stage\":5}", DEAD_NOT},
        {INPUT_INTERACTIONS, "c1", HEAD ",\"kind\":\"LOGIN\",\"stage\":6}", DEAD_UNKNOWN_ENUM},
        {INPUT_INTERACTIONS, "c1", HEAD ",\"kind\":\"LOGIN\",\"stage\":\"LATER\"}", DEAD_UNKNOWN_ENUM},
        {INPUT_FEEDBACK, "c1", HEAD ",\"score\":1}", DEAD_UNKNOWN_ENUM},
        {INPUT_FEEDBACK, "c1", HEAD ",\"survey\":\"SUS\",\"score\":1}", DEAD_UNKNOWN_ENUM},
        {INPUT_FEEDBACK, "c1", HEAD ",\"survey\":6,\"score\":1}", DEAD_UNKNOWN_ENUM},
        {INPUT_FEEDBACK, "c1", HEAD ",\"survey\":4294967297,\"score\":1}", DEAD_UNKNOWN_ENUM},
    };
    CHECK(cases);
}

static void amounts_are_checked(void **state) {
    (void)state;
    static const struct limit_case cases[] = {
        {INPUT_PURCHASES, "c1", HEAD ",\"amount_minor\":1}", DEAD_UNKNOWN_CURRENCY},
        {INPUT_PURCHASES, "c1", HEAD ",\"amount_minor\":1,\"currency\":\"GBP\"}", DEAD_UNKNOWN_CURRENCY},
        {INPUT_PURCHASES, "c1", HEAD ",\"amount_minor\":1,\"currency\":\"eur\"}", DEAD_UNKNOWN_CURRENCY},
        {INPUT_PURCHASES, "c1", HEAD ",\"amount_minor\":1,\"currency\":\"EUR \"}", DEAD_UNKNOWN_CURRENCY},
        {INPUT_PURCHASES, "c1", HEAD ",\"currency\":\"EUR\"}", DEAD_NOT},
        {INPUT_PURCHASES, "c1", HEAD ",\"amount_minor\":-1,\"currency\":\"EUR\"}", DEAD_NEGATIVE_AMOUNT},
        {INPUT_PURCHASES, "c1", HEAD MONEY ",\"items\":[{},{\"amount_minor\":-1}]}", DEAD_NEGATIVE_AMOUNT},
        {INPUT_PURCHASES, "c1", HEAD MONEY ",\"items\":[{\"quantity\":-1}]}", DEAD_NEGATIVE_AMOUNT},
        {INPUT_PURCHASES, "c1", HEAD ",\"amount_minor\":1000000000000000,\"currency\":\"EUR\"}", DEAD_NOT},
        {INPUT_PURCHASES, "c1", HEAD ",\"amount_minor\":1000000000000001,\"currency\":\"EUR\"}", DEAD_OVERFLOW},
        {INPUT_PURCHASES, "c1", HEAD ",\"amount_minor\":1086956521739130,\"currency\":\"USD\"}",
         DEAD_NOT}, /* 10^15 after conversion */
        {INPUT_PURCHASES, "c1", HEAD ",\"amount_minor\":1086956521739131,\"currency\":\"USD\"}", DEAD_OVERFLOW},
        {INPUT_PURCHASES, "c1", HEAD ",\"amount_minor\":9223372036854775807,\"currency\":\"JPY\"}", DEAD_OVERFLOW},
        {INPUT_PURCHASES, "c1", HEAD ",\"amount_minor\":1e300,\"currency\":\"JPY\"}", DEAD_OVERFLOW},
        {INPUT_PURCHASES, "c1", HEAD ",\"amount_minor\":-1e300,\"currency\":\"JPY\"}", DEAD_NEGATIVE_AMOUNT},
        {INPUT_PURCHASES, "c1", HEAD MONEY ",\"items\":[{\"amount_minor\":1000000000000001}]}", DEAD_OVERFLOW},
        {INPUT_PURCHASES, "c1", HEAD MONEY ",\"items\":[{\"quantity\":1000000000}]}", DEAD_NOT},
        {INPUT_PURCHASES, "c1", HEAD MONEY ",\"items\":[{\"quantity\":1000000001}]}", DEAD_OVERFLOW},
    };
    CHECK(cases);
}

static void scores_are_checked(void **state) {
    (void)state;
    static const struct {
        const char *survey;
        int least;
        int most;
    } scales[] = {{"NPS", 0, 10}, {"CSAT", 1, 5}, {"CES", 1, 7}, {"REVIEW", 1, 5}};
    char json[200];
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        for (int score = -2; score < 14; score++) {
            (void)snprintf(json, sizeof json, HEAD ",\"survey\":\"%s\",\"score\":%d}", scales[i].survey, score);
            struct limit_case one = {INPUT_FEEDBACK, "c1", json,
                                     score >= scales[i].least && score <= scales[i].most ? DEAD_NOT : DEAD_BAD_SCORE};
            check_cases(&one, 1);
        }
        (void)snprintf(json, sizeof json, HEAD ",\"survey\":\"%s\"}", scales[i].survey);
        struct limit_case missing = {INPUT_FEEDBACK, "c1", json, DEAD_BAD_SCORE};
        check_cases(&missing, 1);
    }
    static const struct limit_case cases[] = {
        {INPUT_FEEDBACK, "c1", HEAD ",\"survey\":\"COMPLAINT\"}", DEAD_NOT},
        {INPUT_FEEDBACK, "c1", HEAD ",\"survey\":\"COMPLAINT\",\"score\":99}", DEAD_NOT},
        {INPUT_FEEDBACK, "c1", HEAD ",\"survey\":\"NPS\",\"score\":4294967296}", DEAD_BAD_SCORE},
        {INPUT_FEEDBACK, "c1", HEAD ",\"survey\":\"NPS\",\"score\":null}", DEAD_BAD_SCORE},
        {INPUT_FEEDBACK, "c1", HEAD ",\"survey\":\"NPS\",\"score\":\"9\"}", DEAD_NOT},
    };
    CHECK(cases);
}

static void sizes_are_checked(void **state) {
    (void)state;
    struct decoded decoded;
    decode_value(&decoded, FORMAT_JSON, INPUT_PURCHASES, "c1", bytes_of(NULL, 0), NULL, 0);
    assert_int_equal(decoded.reason, DEAD_UNDECODABLE); /* a tombstone */
    decoded_finish(&decoded);

    size_t size = RECORD_BYTES_MAX + 1;
    char *json = malloc(size);
    memset(json, ' ', size);
    memcpy(json, HEAD MONEY "}", sizeof(HEAD MONEY "}") - 1);
    decode_value(&decoded, FORMAT_JSON, INPUT_PURCHASES, "c1", bytes_of(json, size), NULL, 0);
    assert_int_equal(decoded.reason, DEAD_TOO_LARGE);
    decoded_finish(&decoded);
    decode_value(&decoded, FORMAT_JSON, INPUT_PURCHASES, "c1", bytes_of(json, size - 1), NULL, 0);
    assert_int_equal(decoded.reason, DEAD_NOT);
    decoded_finish(&decoded);

    for (int items = ITEMS_MAX; items <= ITEMS_MAX + 1; items++) {
        size_t at = (size_t)snprintf(json, size, HEAD MONEY ",\"items\":[{}");
        for (int i = 1; i < items; i++) {
            at += (size_t)snprintf(json + at, size - at, ",{}");
        }
        (void)snprintf(json + at, size - at, "]}");
        struct limit_case one = {INPUT_PURCHASES, "c1", json, items > ITEMS_MAX ? DEAD_TOO_LARGE : DEAD_NOT};
        check_cases(&one, 1);
    }
    free(json);
}

/* An event with every fault; they are mended one by one, from the first that is looked for. */
static void the_first_fault_names_the_reason(void **state) {
    (void)state;
    static const struct limit_case cases[] = {
        {INPUT_PURCHASES, "c2",
         "{\"channel\":\"\\u0000\",\"event_time_ms\":-1,\"order_time_ms\":1e15,\"kind\":9,"
         "\"items\":[{\"amount_minor\":-1}],\"amount_minor\":1e17}",
         DEAD_UNDECODABLE},
        {INPUT_PURCHASES, "c2",
         "{\"event_time_ms\":-1,\"order_time_ms\":1e15,\"kind\":9,"
         "\"items\":[{\"amount_minor\":-1}],\"amount_minor\":1e17}",
         DEAD_BAD_ID},
        {INPUT_PURCHASES, "c2",
         "{\"customer_id\":\"c1\",\"event_time_ms\":-1,\"order_time_ms\":1e15,\"kind\":9,"
         "\"items\":[{\"amount_minor\":-1}],\"amount_minor\":1e17}",
         DEAD_KEY_MISMATCH},
        {INPUT_PURCHASES, "c1",
         "{\"customer_id\":\"c1\",\"event_time_ms\":-1,\"order_time_ms\":1e15,\"kind\":9,"
         "\"items\":[{\"amount_minor\":-1}],\"amount_minor\":1e17}",
         DEAD_BAD_TIME},
        {INPUT_PURCHASES, "c1",
         "{\"customer_id\":\"c1\",\"event_time_ms\":1,\"order_time_ms\":1e15,\"kind\":9,"
         "\"items\":[{\"amount_minor\":-1}],\"amount_minor\":1e17}",
         DEAD_FUTURE_TIME},
        {INPUT_PURCHASES, "c1",
         "{\"customer_id\":\"c1\",\"event_time_ms\":1,\"kind\":9,"
         "\"items\":[{\"amount_minor\":-1}],\"amount_minor\":1e17}",
         DEAD_UNKNOWN_ENUM},
        {INPUT_PURCHASES, "c1",
         "{\"customer_id\":\"c1\",\"event_time_ms\":1,"
         "\"items\":[{\"amount_minor\":-1}],\"amount_minor\":1e17}",
         DEAD_UNKNOWN_CURRENCY},
        {INPUT_PURCHASES, "c1",
         "{\"customer_id\":\"c1\",\"event_time_ms\":1,\"currency\":\"EUR\","
         "\"items\":[{\"amount_minor\":-1}],\"amount_minor\":1e17}",
         DEAD_NEGATIVE_AMOUNT},
        {INPUT_PURCHASES, "c1",
         "{\"customer_id\":\"c1\",\"event_time_ms\":1,\"currency\":\"EUR\",\"amount_minor\":1e17}", DEAD_OVERFLOW},
        {INPUT_PURCHASES, "c1",
         "{\"customer_id\":\"c1\",\"event_time_ms\":1,\"currency\":\"EUR\",\"amount_minor\":1e15}", DEAD_NOT},
    };
    CHECK(cases);
}

static void a_far_reference_does_not_overflow(void **state) {
    (void)state;
    static const char json[] = HEAD MONEY "}";
    struct decoder decoder = test_decoder(FORMAT_JSON);
    struct record record = {.input = INPUT_PURCHASES, .key = bytes_of_text("c1"), .value = bytes_of_text(json)};
    struct arena arena;
    struct activity activity;
    char detail[DEAD_DETAIL_BYTES_MAX];
    arena_init(&arena, 1 << 20);
    assert_int_equal(decode_record(&decoder, &record, NULL, 0, INT64_MAX, &arena, &activity, detail), DEAD_NOT);
    assert_int_equal(decode_record(&decoder, &record, NULL, 0, INT64_MIN, &arena, &activity, detail), DEAD_FUTURE_TIME);
    /* Nothing is dated beyond the calendar, even where a record's own timestamp is. */
    static const char latest[] = "{\"customer_id\":\"c1\",\"event_time_ms\":8640000000000000" MONEY "}";
    static const char beyond[] = "{\"customer_id\":\"c1\",\"event_time_ms\":8640000000000001" MONEY "}";
    record.value = bytes_of_text(latest);
    assert_int_equal(decode_record(&decoder, &record, NULL, 0, INT64_MAX, &arena, &activity, detail), DEAD_NOT);
    record.value = bytes_of_text(beyond);
    assert_int_equal(decode_record(&decoder, &record, NULL, 0, INT64_MAX, &arena, &activity, detail), DEAD_FUTURE_TIME);
    arena_finish(&arena);
}

/* However small the arena: a reason, never a crash; and what is promised suffices. */
static void the_arena_is_the_limit(void **state) {
    (void)state;
    static const char json[] = HEAD MONEY ",\"items\":[{\"sku\":\"s\",\"category\":\"c\"},{},{},{}]}";
    struct decoder decoder = test_decoder(FORMAT_JSON);
    struct record record = {.input = INPUT_PURCHASES, .key = bytes_of_text("c1"), .value = bytes_of_text(json)};
    char detail[DEAD_DETAIL_BYTES_MAX];
    struct activity activity;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    size_t enough = decode_arena_bytes_max(&record);
    int refused = 0;
    for (size_t left = 0; left <= enough; left += 16) {
        arena_reset(&arena);
        assert_non_null(arena_alloc(&arena, 1));
        arena.bytes_max = arena.bytes_used; /* no further block */
        arena.left = left;
        enum dead_reason reason = decode_record(&decoder, &record, NULL, 0, NOW_MS, &arena, &activity, detail);
        assert_true(reason == DEAD_TOO_LARGE || reason == DEAD_NOT);
        assert_true(left < enough - 16 || reason == DEAD_NOT);
        refused += reason == DEAD_TOO_LARGE;
        arena.bytes_max = 1 << 20;
    }
    assert_true(refused > 10);
    arena_finish(&arena);
}

static void every_reason_has_its_word(void **state) {
    (void)state;
    static const char *const words[DEAD_REASONS] = {"none",     "undecodable",      "key_mismatch", "bad_id",
                                                    "bad_time", "future_time",      "bad_score",    "negative_amount",
                                                    "overflow", "unknown_currency", "unknown_enum", "too_large",
                                                    "misrouted"};
    for (int i = 0; i < DEAD_REASONS; i++) {
        assert_string_equal(dead_reason_text((enum dead_reason)i), words[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_checked),
        cmocka_unit_test(times_are_checked),
        cmocka_unit_test(enums_are_checked),
        cmocka_unit_test(amounts_are_checked),
        cmocka_unit_test(scores_are_checked),
        cmocka_unit_test(sizes_are_checked),
        cmocka_unit_test(the_first_fault_names_the_reason),
        cmocka_unit_test(a_far_reference_does_not_overflow),
        cmocka_unit_test(the_arena_is_the_limit),
        cmocka_unit_test(every_reason_has_its_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
