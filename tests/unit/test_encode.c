#include "encode_support.h"
#include "publish/encode_parts.h"

#include <tier_change.pb-c.h>
#include <time.h>
#include <yyjson.h>

static void assert_bytes(struct bytes actual, const char *expected) {
    if (!bytes_equal_text(actual, expected)) {
        fail_msg("\n%.*s\nis not\n%s", (int)actual.size, actual.data, expected);
    }
}

static const char *header_of(const struct output *output, const char *name) {
    static char value[200];
    const char *found = NULL;
    for (size_t i = 0; i < output->headers_count; i++) {
        if (bytes_equal_text(output->headers[i].name, name)) {
            (void)snprintf(value, sizeof value, "%.*s", (int)output->headers[i].value.size,
                           output->headers[i].value.data);
            found = value;
        }
    }
    return found ? found : "(none)";
}

static void a_tier_change_is_the_json_of_the_interface(void **state) {
    struct fixture *fixture = *state;
    struct output output = encode(fixture);
    struct bytes version = model_version(fixture->encoder.model);
    char expected[2000];
    (void)snprintf(expected, sizeof expected,
                   "{\"id\":\"tidemark/value/c1/3\",\"customer_id\":\"c1\",\"tier_set\":\"value\","
                   "\"from\":\"ordinary\",\"to\":\"vip\",\"direction\":\"UP\",\"sequence\":3,"
                   "\"effective_time_ms\":1735689600000,\"cause\":\"PURCHASE\",\"cause_event_id\":\"e1\","
                   "\"conditions\":[{\"rule\":\"r + f + m >= 13\",\"value\":13.0,\"threshold\":13.0,"
                   "\"met\":true},{\"rule\":\"nps(90d) >= 50\",\"value\":null,\"threshold\":50.0,"
                   "\"met\":false}],\"metrics\":{\"r\":5.0,\"revenue(90d)\":5200.25,\"nps(90d)\":null},"
                   "\"forecast\":{\"tier\":\"potential\",\"time_ms\":1743465600000},"
                   "\"treatment\":{\"service\":\"dedicated\"},\"rules_version\":\"%.*s\","
                   "\"cut_points_version\":0}",
                   (int)version.size, version.data);
    assert_bytes(output.value, expected);
    assert_bytes(output.topic, "tier-changes");
    assert_bytes(output.key, "c1");
    assert_int_equal(output.caused_ms, NOW_MS + 7);
}

static void a_first_tier_by_time_has_nulls(void **state) {
    struct fixture *fixture = *state;
    fixture->change.set = 1;
    fixture->change.from = (struct bytes){NULL, 0};
    fixture->change.to = bytes_of_text("ordinary");
    fixture->change.from_tier = -1;
    fixture->change.to_tier = 1;
    fixture->change.direction = DIRECTION_FIRST;
    fixture->change.cause = CAUSE_TIME;
    fixture->change.cause_event_id = (struct bytes){NULL, 0};
    fixture->change.sequence = 1;
    fixture->change.conditions_count = 0;
    fixture->change.metrics_count = 0;
    fixture->change.forecast_tier = (struct bytes){NULL, 0};
    struct output output = encode(fixture);
    struct bytes version = model_version(fixture->encoder.model);
    char expected[1000];
    (void)snprintf(expected, sizeof expected,
                   "{\"id\":\"tidemark/churn_risk/c1/1\",\"customer_id\":\"c1\",\"tier_set\":\"churn_risk\","
                   "\"from\":null,\"to\":\"ordinary\",\"direction\":\"FIRST\",\"sequence\":1,"
                   "\"effective_time_ms\":1735689600000,\"cause\":\"TIME\",\"cause_event_id\":null,"
                   "\"conditions\":[],\"metrics\":{},\"forecast\":null,\"treatment\":{},"
                   "\"rules_version\":\"%.*s\",\"cut_points_version\":0}",
                   (int)version.size, version.data);
    assert_bytes(output.value, expected);
    assert_bytes(output.topic, "churn-alerts");
}

static void times_have_the_form_of_rfc_3339(void **state) {
    struct fixture *fixture = *state;
    static const struct {
        int64_t time_ms;
        const char *text;
    } times[] = {{0, "1970-01-01T00:00:00.000Z"},
                 {-1, "1969-12-31T23:59:59.999Z"},
                 {INT64_C(1735689600120), "2025-01-01T00:00:00.120Z"},
                 {INT64_C(253402300799999), "9999-12-31T23:59:59.999Z"},
                 {INT64_C(253402300800000), "10000-01-01T00:00:00.000Z"}, /* no four digits, but the instant */
                 {-INT64_C(62198755200000), "-001-01-01T00:00:00.000Z"}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        fixture->change.effective_ms = times[i].time_ms;
        struct output output = encode(fixture);
        assert_string_equal(header_of(&output, "ce_time"), times[i].text);
    }
}

static void times_are_those_of_the_calendar(void **state) {
    (void)state;
    const int64_t step_ms = INT64_C(86399997) * 13; /* some two weeks, at another time of day each */
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (int64_t time_ms = -INT64_C(62135596800000); time_ms < INT64_C(253402300800000); time_ms += step_ms) {
        char expected[40];
        time_t seconds = (time_t)(time_ms / 1000 - (time_ms % 1000 < 0));
        struct tm utc;
        assert_non_null(gmtime_r(&seconds, &utc));
        size_t size = strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S", &utc);
        unsigned ms = (unsigned)(time_ms - (int64_t)seconds * 1000) % 1000;
        size_t zeros = utc.tm_year < 100 - 1900 ? 2 : utc.tm_year < 1000 - 1900 ? 1 : 0; /* %Y pads nothing */
        zeros += utc.tm_year < 10 - 1900;
        memmove(expected + zeros, expected, size);
        memset(expected, '0', zeros);
        (void)snprintf(expected + zeros + size, sizeof expected - zeros - size, ".%03uZ", ms);
        assert_string_equal(encode_time(&arena, time_ms).data, expected);
        arena_reset(&arena);
    }
    arena_finish(&arena);
}

static void headers_follow_the_cloud_events_binding(void **state) {
    struct fixture *fixture = *state;
    fixture->change.effective_ms = INT64_C(951782399007); /* 2000-02-28T23:59:59.007 */
    struct output output = encode(fixture);
    assert_int_equal(output.headers_count, 7);
    assert_string_equal(header_of(&output, "ce_specversion"), "1.0");
    assert_string_equal(header_of(&output, "ce_type"), "io.tidemark.tier_change.v1");
    assert_string_equal(header_of(&output, "ce_source"), "/tidemark/tidemark");
    assert_string_equal(header_of(&output, "ce_id"), "tidemark/value/c1/3");
    assert_string_equal(header_of(&output, "ce_time"), "2000-02-28T23:59:59.007Z");
    assert_string_equal(header_of(&output, "ce_subject"), "c1");
    assert_string_equal(header_of(&output, "content-type"), "application/json");
    fixture->encoder.format = OUTPUT_PROTOBUF;
    output = encode(fixture);
    assert_string_equal(header_of(&output, "content-type"), "application/x-protobuf");
}

static void texts_are_escaped(void **state) {
    struct fixture *fixture = *state;
    struct output output;
    fixture->change.cause_event_id = bytes_of_text("\"\\\n\x01\xc3\xa9");
    assert_int_equal(encode_tier_change(&fixture->encoder, bytes_of_text("a\"b/\xe2\x82\xac"), &fixture->change, NOW_MS,
                                        &fixture->arena, &output),
                     0);
    yyjson_doc *document = yyjson_read(output.value.data, output.value.size, 0);
    assert_non_null(document);
    yyjson_val *root = yyjson_doc_get_root(document);
    assert_string_equal(yyjson_get_str(yyjson_obj_get(root, "customer_id")), "a\"b/\xe2\x82\xac");
    assert_string_equal(yyjson_get_str(yyjson_obj_get(root, "cause_event_id")), "\"\\\n\x01\xc3\xa9");
    yyjson_doc_free(document);
}

/* Far more than the scratch on the stack holds. */
static void a_large_tier_change_is_built_in_the_arena(void **state) {
    struct fixture *fixture = *state;
    enum { COUNT = 1000 };
    struct named_value *metrics = calloc(COUNT, sizeof *metrics);
    char(*names)[24] = calloc(COUNT, sizeof *names);
    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(names[i], sizeof names[i], "metric%d", i);
        metrics[i] = (struct named_value){bytes_of_text(names[i]), i};
    }
    fixture->change.metrics = metrics;
    fixture->change.metrics_count = COUNT;
    struct output output = encode(fixture);
    yyjson_doc *document = yyjson_read(output.value.data, output.value.size, 0);
    assert_non_null(document);
    yyjson_val *all = yyjson_obj_get(yyjson_doc_get_root(document), "metrics");
    assert_int_equal(yyjson_obj_size(all), COUNT);
    assert_true(yyjson_get_real(yyjson_obj_get(all, "metric999")) >= 999);
    yyjson_doc_free(document);
    free(metrics);
    free(names);
}

/* protobuf-c, which wrote none of it, writes the same bytes of what it has read. */
static void assert_packed_the_same(const Tidemark__V1__TierChange *message, struct bytes value) {
    uint8_t packed[4096];
    size_t size = tidemark__v1__tier_change__get_packed_size(message);
    assert_true(size <= sizeof packed);
    assert_int_equal(tidemark__v1__tier_change__pack(message, packed), value.size);
    assert_memory_equal(packed, value.data, size);
}

static void protobuf_says_the_same(void **state) {
    struct fixture *fixture = *state;
    fixture->encoder.format = OUTPUT_PROTOBUF;
    struct output output = encode(fixture);
    Tidemark__V1__TierChange *message =
        tidemark__v1__tier_change__unpack(NULL, output.value.size, (const uint8_t *)output.value.data);
    assert_non_null(message);
    assert_string_equal(message->id, "tidemark/value/c1/3");
    assert_string_equal(message->customer_id, "c1");
    assert_string_equal(message->tier_set, "value");
    assert_string_equal(message->from, "ordinary");
    assert_string_equal(message->to, "vip");
    assert_int_equal(message->direction, TIDEMARK__V1__TIER_CHANGE__DIRECTION__UP);
    assert_int_equal(message->sequence, 3);
    assert_int_equal(message->effective_time_ms, NOW_MS);
    assert_int_equal(message->cause, TIDEMARK__V1__TIER_CHANGE__CAUSE__PURCHASE);
    assert_string_equal(message->cause_event_id, "e1");
    assert_int_equal(message->n_conditions, 2);
    assert_string_equal(message->conditions[0]->rule, "r + f + m >= 13");
    assert_true(message->conditions[0]->has_value && message->conditions[0]->met);
    assert_true(message->conditions[0]->threshold >= 13 && message->conditions[0]->threshold <= 13);
    assert_false(message->conditions[1]->has_value);
    assert_true(message->conditions[1]->has_met && !message->conditions[1]->met);
    assert_int_equal(message->n_metrics, 3);
    assert_string_equal(message->metrics[1]->name, "revenue(90d)");
    assert_true(message->metrics[1]->value >= 5200.25 && message->metrics[1]->value <= 5200.25);
    assert_false(message->metrics[2]->has_value);
    assert_string_equal(message->forecast->tier, "potential");
    assert_int_equal(message->forecast->time_ms, INT64_C(1743465600000));
    assert_int_equal(message->n_treatment, 1);
    assert_string_equal(message->treatment[0]->key, "service");
    assert_string_equal(message->treatment[0]->value, "dedicated");
    assert_true(bytes_equal_text(model_version(fixture->encoder.model), message->rules_version));
    assert_packed_the_same(message, output.value);
    tidemark__v1__tier_change__free_unpacked(message, NULL);

    fixture->change.from = (struct bytes){NULL, 0};
    fixture->change.forecast_tier = (struct bytes){NULL, 0};
    fixture->change.cause_event_id = (struct bytes){NULL, 0};
    fixture->change.effective_ms = -1; /* ten bytes */
    output = encode(fixture);
    message = tidemark__v1__tier_change__unpack(NULL, output.value.size, (const uint8_t *)output.value.data);
    assert_non_null(message);
    assert_null(message->from);
    assert_null(message->forecast);
    assert_null(message->cause_event_id);
    assert_packed_the_same(message, output.value);
    tidemark__v1__tier_change__free_unpacked(message, NULL);
}

static void protobuf_can_be_told_as_the_json_it_would_have_been(void **state) {
    struct fixture *fixture = *state;
    for (int i = 0; i < 2; i++) {
        struct buffer told = {0};
        fixture->encoder.format = OUTPUT_JSON;
        struct output json = encode(fixture);
        fixture->encoder.format = OUTPUT_PROTOBUF;
        struct output protobuf = encode(fixture);
        assert_int_equal(encode_json_of_protobuf(protobuf.value, &told), 0);
        assert_int_equal(told.size, json.value.size);
        assert_memory_equal(told.data, json.value.data, told.size);
        buffer_finish(&told);
        fixture->change.from = (struct bytes){NULL, 0}; /* then with nothing that may be absent */
        fixture->change.forecast_tier = (struct bytes){NULL, 0};
        fixture->change.cause_event_id = (struct bytes){NULL, 0};
        fixture->change.conditions_count = fixture->change.metrics_count = 0;
        fixture->change.direction = DIRECTION_FIRST;
        fixture->change.to_tier = 1; /* without treatment */
    }
    struct buffer told = {0};
    assert_int_equal(encode_json_of_protobuf(bytes_of_text("\xFF\xFF"), &told), ERR_INVALID);
    assert_int_equal(told.size, 0);
}

static void without_memory_it_says_so(void **state) {
    struct fixture *fixture = *state;
    for (int format = OUTPUT_JSON; format <= OUTPUT_PROTOBUF; format++) {
        fixture->encoder.format = (enum output_format)format;
        int err = ERR_NO_MEMORY;
        size_t left = 0;
        for (; err; left += 16) {
            struct arena arena;
            struct output output;
            arena_init(&arena, 1 << 20);
            assert_non_null(arena_alloc(&arena, 1));
            arena.bytes_max = arena.bytes_used; /* no more blocks */
            arena.left = left;
            err = encode_tier_change(&fixture->encoder, bytes_of_text("c1"), &fixture->change, 0, &arena, &output);
            assert_true(err == 0 || err == ERR_NO_MEMORY);
            arena_finish(&arena);
        }
        assert_true(left > 500);
    }
}

static void a_dead_letter_is_the_original_and_why(void **state) {
    struct fixture *fixture = *state;
    const struct header headers[] = {{bytes_of_text("trace"), bytes_of_text("t1")},
                                     {bytes_of_text("tidemark-reason"), bytes_of_text("old")}};
    struct record record = {.input = INPUT_FEEDBACK,
                            .partition = 7,
                            .offset = INT64_C(12345678901),
                            .timestamp_ms = NOW_MS,
                            .key = bytes_of("k\0", 2),
                            .value = bytes_of("\xff\0", 2)};
    struct output output;
    assert_int_equal(encode_dead_letter(&fixture->encoder, &record, bytes_of_text("feedback"), headers, 2, "bad_score",
                                        "score is missing", &fixture->arena, &output),
                     0);
    assert_bytes(output.topic, "dead-letters");
    assert_true(bytes_equal(output.key, record.key));
    assert_true(bytes_equal(output.value, record.value));
    assert_int_equal(output.caused_ms, NOW_MS);
    assert_int_equal(output.headers_count, 7);
    assert_string_equal(header_of(&output, "trace"), "t1");
    assert_string_equal(header_of(&output, "tidemark-reason"), "bad_score");
    assert_string_equal(header_of(&output, "tidemark-detail"), "score is missing");
    assert_string_equal(header_of(&output, "tidemark-topic"), "feedback");
    assert_string_equal(header_of(&output, "tidemark-partition"), "7");
    assert_string_equal(header_of(&output, "tidemark-offset"), "12345678901");
    assert_string_equal(header_of(&output, "tidemark-truncated"), "(none)");

    record.key = (struct bytes){NULL, 0};
    record.value = (struct bytes){NULL, 0};
    record.timestamp_ms = -1;
    assert_int_equal(encode_dead_letter(&fixture->encoder, &record, bytes_of_text("feedback"), NULL, 0, "undecodable",
                                        "the value is null", &fixture->arena, &output),
                     0);
    assert_null(output.key.data);
    assert_null(output.value.data);
    assert_int_equal(output.caused_ms, TIME_NONE);
    assert_int_equal(output.headers_count, 5);
}

static void a_dead_letter_too_large_for_the_broker_is_cut(void **state) {
    struct fixture *fixture = *state;
    char *value = calloc(1, DEAD_VALUE_BYTES_MAX + 1);
    struct record record = {.value = bytes_of(value, DEAD_VALUE_BYTES_MAX + 1)};
    struct output output;
    assert_int_equal(encode_dead_letter(&fixture->encoder, &record, bytes_of_text("t"), NULL, 0, "too_large", "x",
                                        &fixture->arena, &output),
                     0);
    assert_int_equal(output.value.size, DEAD_VALUE_BYTES_MAX);
    assert_string_equal(header_of(&output, "tidemark-truncated"), "921601");
    free(value);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_those_of_the_calendar),
        TEST(a_tier_change_is_the_json_of_the_interface),
        TEST(a_first_tier_by_time_has_nulls),
        TEST(times_have_the_form_of_rfc_3339),
        TEST(headers_follow_the_cloud_events_binding),
        TEST(texts_are_escaped),
        TEST(a_large_tier_change_is_built_in_the_arena),
        TEST(protobuf_says_the_same),
        TEST(protobuf_can_be_told_as_the_json_it_would_have_been),
        TEST(without_memory_it_says_so),
        TEST(a_dead_letter_is_the_original_and_why),
        TEST(a_dead_letter_too_large_for_the_broker_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
