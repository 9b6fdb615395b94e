/* How a customer stands, as a record of the compacted topic. */
#include "publish/encode.h"
#include "support/model_fixture.h"
#include "support/scoring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <customer_score.pb-c.h>

static const struct model *model;
static struct customer *customer;
static struct changes changes;
static struct encoder encoder;
static struct arena arena;

static void buy(const char *id, int64_t time_ms) {
    struct activity activity = test_purchase(id, time_ms, 100);
    assert_int_equal(customer_apply(customer, model, &activity, TIME_NONE, &changes), APPLIED);
}

static int set_up(void **state) {
    (void)state;
    model = model_of(&builder, "score f high 2 3 = purchases(30d)\n"
                               "set value\ntier vip = f >= 2\ntier rest\n"
                               "set mood\ntier happy = nps(30d) > 0\ntier quiet\n");
    customer = customer_create(model);
    arena_init(&arena, 1 << 20);
    changes_init(&changes, &arena);
    changes.standings = true;
    buy("e1", TEST_AT(0, 0));
    buy("e2", TEST_AT(1, 5));
    encoder = (struct encoder){
        .format = OUTPUT_JSON, .group = bytes_of_text("g"), .customer_scores = bytes_of_text("scores"), .model = model};
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    customer_destroy(customer);
    arena_finish(&arena);
    return 0;
}

static struct output encode(void) {
    struct output output;
    assert_int_equal(encode_customer_score(&encoder, bytes_of_text("c1"), changes.last, &arena, &output), 0);
    return output;
}

PRINTF_LIKE(1, 2)
static const char *text(const char *format, ...) {
    static char out[1000];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(out, sizeof out, format, arguments);
    va_end(arguments);
    return out;
}

static void assert_text(struct bytes actual, const char *expected) {
    if (!bytes_equal_text(actual, expected)) {
        fail_msg("\n%.*s\nis not\n%s", (int)actual.size, actual.data, expected);
    }
}

static void a_standing_is_told_in_json(void **state) {
    (void)state;
    struct output output = encode();
    struct bytes version = model_version(model);
    long long then = TEST_AT(0, 0);
    long long now = TEST_AT(1, 5);
    assert_text(output.value, text("{\"customer_id\":\"c1\",\"as_of_ms\":%lld,\"tiers\":{"
                                   "\"value\":{\"tier\":\"vip\",\"since_ms\":%lld,\"sequence\":2},"
                                   "\"mood\":{\"tier\":\"quiet\",\"since_ms\":%lld,\"sequence\":1}},"
                                   "\"scores\":{\"f\":2.0},\"metrics\":{\"purchases(30d)\":2.0,\"nps(30d)\":null},"
                                   "\"rules_version\":\"%.*s\",\"cut_points_version\":0}",
                                   now, now, then, (int)version.size, version.data));
    assert_text(output.topic, "scores");
    assert_text(output.key, "c1");
    assert_int_equal(output.caused_ms, TIME_NONE); /* the tier change before it tells of latency */
    assert_int_equal(output.headers_count, 7);
    assert_text(output.headers[1].value, "io.tidemark.customer_score.v1");
    assert_text(output.headers[3].name, "ce_id");
    assert_text(output.headers[3].value, text("g/customer-score/c1/%lld/3", now));
    assert_text(output.headers[5].value, "c1");
}

/* A set that the customer has no tier in is not named. */
static void what_is_not_known_is_absent(void **state) {
    (void)state;
    ((struct tier_state *)(uintptr_t)changes.last->standing->tiers)[0].tier = -1;
    const char *json = text("%.*s", (int)encode().value.size, encode().value.data);
    assert_null(strstr(json, "vip"));
    assert_non_null(strstr(json, "\"tiers\":{\"mood\""));
}

static void protobuf_says_the_same(void **state) {
    (void)state;
    encoder.format = OUTPUT_PROTOBUF;
    changes.last->cuts_version = 7;
    struct output output = encode();
    Tidemark__V1__CustomerScore *score =
        tidemark__v1__customer_score__unpack(NULL, output.value.size, (const uint8_t *)output.value.data);
    assert_non_null(score);
    assert_string_equal(score->customer_id, "c1");
    assert_int_equal(score->as_of_ms, TEST_AT(1, 5));
    assert_int_equal(score->n_tiers, 2);
    assert_string_equal(score->tiers[0]->tier_set, "value");
    assert_string_equal(score->tiers[0]->tier, "vip");
    assert_int_equal(score->tiers[0]->since_ms, TEST_AT(1, 5));
    assert_int_equal(score->tiers[0]->sequence, 2);
    assert_string_equal(score->tiers[1]->tier, "quiet");
    assert_int_equal(score->n_scores, 1);
    assert_string_equal(score->scores[0]->name, "f");
    assert_near(score->scores[0]->value, 2);
    assert_int_equal(score->n_metrics, 2);
    assert_string_equal(score->metrics[0]->name, "purchases(30d)");
    assert_false(score->metrics[1]->has_value);
    assert_true(bytes_equal_text(model_version(model), score->rules_version));
    assert_int_equal(score->cut_points_version, 7);
    tidemark__v1__customer_score__free_unpacked(score, NULL);
}

static void without_memory_it_says_so(void **state) {
    (void)state;
    for (int format = OUTPUT_JSON; format <= OUTPUT_PROTOBUF; format++) {
        int failed = 0;
        encoder.format = (enum output_format)format;
        for (int error = ERR_NO_MEMORY; error; failed++) {
            struct arena small;
            struct output output;
            arena_init(&small, 1 << 20);
            assert_non_null(arena_alloc(&small, 1));
            small.bytes_max = small.bytes_used; /* no more blocks */
            small.left = (size_t)failed * 16;
            error = encode_customer_score(&encoder, bytes_of_text("c1"), changes.last, &small, &output);
            assert_true(error == 0 || error == ERR_NO_MEMORY);
            arena_finish(&small);
        }
        assert_true(failed > 20);
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_standing_is_told_in_json),
        TEST(what_is_not_known_is_absent),
        TEST(protobuf_says_the_same),
        TEST(without_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, builder_set_up, builder_tear_down);
}
