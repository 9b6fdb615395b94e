#include "decode_support.h"

static void every_field_of_a_purchase_is_read(void **state) {
    (void)state;
    struct decoded decoded;
    decode_json_text(&decoded, INPUT_PURCHASES,
                     "{\"event_id\":\"e1\",\"customer_id\":\"c1\",\"event_time_ms\":1735689600000,"
                     "\"kind\":\"PURCHASE\",\"order_id\":\"o1\",\"amount_minor\":12345,\"currency\":\"EUR\","
                     "\"channel\":\"web\",\"items\":[{\"sku\":\"s\",\"category\":\"books\",\"quantity\":2,"
                     "\"amount_minor\":12300},{}],\"referrer_id\":\"c9\"}");
    const struct activity *activity = &decoded.activity;
    assert_int_equal(decoded.reason, DEAD_NOT);
    assert_int_equal(activity->type, ACTIVITY_PURCHASE);
    assert_text(activity->customer_id, "c1");
    assert_text(activity->event_id, "e1");
    assert_int_equal(activity->time_ms, NOW_MS);
    assert_int_equal(activity->event_hash, bytes_hash(bytes_of_text("e1")) & ((UINT64_C(1) << 48) - 1));
    assert_int_equal(activity->purchase.kind, PURCHASE_KIND_PURCHASE);
    assert_int_equal(activity->purchase.amount_minor, 12345);
    assert_int_equal(activity->purchase.order_time_ms, NOW_MS);
    assert_text(activity->purchase.order_id, "o1");
    assert_text(activity->purchase.channel, "web");
    assert_text(activity->purchase.referrer_id, "c9");
    assert_int_equal(activity->purchase.items_count, 2);
    assert_text(activity->purchase.items[0].sku, "s");
    assert_text(activity->purchase.items[0].category, "books");
    assert_int_equal(activity->purchase.items[0].quantity, 2);
    assert_int_equal(activity->purchase.items[0].amount_minor, 12300);
    assert_text(activity->purchase.items[1].sku, NULL);
    assert_int_equal(activity->purchase.items[1].quantity, 1);
    assert_int_equal(activity->purchase.items[1].amount_minor, 0);
    decoded_finish(&decoded);
}

static void a_refund_is_taken_from_the_day_of_its_order(void **state) {
    (void)state;
    struct decoded decoded;
    decode_json_text(&decoded, INPUT_PURCHASES,
                     "{\"customer_id\":\"c1\",\"event_time_ms\":1735689500000,\"kind\":\"REFUND\","
                     "\"amount_minor\":5,\"currency\":\"EUR\",\"order_time_ms\":1735600000000}");
    assert_int_equal(decoded.reason, DEAD_NOT);
    assert_int_equal(decoded.activity.purchase.kind, PURCHASE_KIND_REFUND);
    assert_int_equal(decoded.activity.purchase.order_time_ms, INT64_C(1735600000000));
    assert_int_equal(decoded.activity.event_hash, 0);
    assert_text(decoded.activity.event_id, NULL);
    decoded_finish(&decoded);
}

static void a_purchase_counts_on_its_own_day_whatever_its_order_time(void **state) {
    (void)state;
    struct decoded decoded;
    decode_json_text(&decoded, INPUT_PURCHASES,
                     "{\"customer_id\":\"c1\",\"event_time_ms\":1735689500000,"
                     "\"amount_minor\":5,\"currency\":\"EUR\",\"order_time_ms\":1735600000000}");
    assert_int_equal(decoded.reason, DEAD_NOT);
    assert_int_equal(decoded.activity.purchase.kind, PURCHASE_KIND_PURCHASE);
    assert_int_equal(decoded.activity.purchase.order_time_ms, INT64_C(1735689500000));
    decoded_finish(&decoded);
}

static void an_interaction_and_a_feedback_are_read(void **state) {
    (void)state;
    struct decoded decoded;
    decode_json_text(&decoded, INPUT_INTERACTIONS,
                     "{\"event_id\":\"e3\",\"customer_id\":\"c1\",\"event_time_ms\":1735689600000,"
                     "\"kind\":\"PAGE_VIEW\",\"stage\":\"INTEREST\",\"channel\":\"web\","
                     "\"campaign\":\"spring\"}");
    assert_int_equal(decoded.reason, DEAD_NOT);
    assert_int_equal(decoded.activity.interaction.kind, INTERACTION_PAGE_VIEW);
    assert_int_equal(decoded.activity.interaction.stage, STAGE_INTEREST);
    assert_text(decoded.activity.interaction.channel, "web");
    assert_text(decoded.activity.interaction.campaign, "spring");
    decoded_finish(&decoded);

    decode_json_text(&decoded, INPUT_FEEDBACK,
                     "{\"event_id\":\"e4\",\"customer_id\":\"c1\",\"event_time_ms\":1735689600000,"
                     "\"survey\":\"NPS\",\"score\":0,\"touchpoint\":\"delivery\",\"channel\":\"app\","
                     "\"comment\":\"late!\"}");
    assert_int_equal(decoded.reason, DEAD_NOT);
    assert_int_equal(decoded.activity.feedback.survey, SURVEY_NPS);
    assert_int_equal(decoded.activity.feedback.score, 0);
    assert_text(decoded.activity.feedback.touchpoint, "delivery");
    assert_text(decoded.activity.feedback.channel, "app");
    decoded_finish(&decoded);
}

static void camel_case_strings_for_integers_and_numbers_for_enums_are_accepted(void **state) {
    (void)state;
    struct decoded decoded;
    decode_json_text(&decoded, INPUT_PURCHASES,
                     " {\"eventId\":\"e\\u00e9\",\"customerId\":\"c1\",\"eventTimeMs\":\"1735689600000\","
                     "\"kind\":3,\"orderId\":null,\"amountMinor\":1.2345e4,\"currency\":\"EUR\","
                     "\"orderTimeMs\":1735689599999.0,\"items\":[{\"amountMinor\":\"007\"}],"
                     "\"new_in_2031\":{\"a\":[1,{}]},\"new_in_2031\":2} ");
    assert_int_equal(decoded.reason, DEAD_NOT);
    assert_text(decoded.activity.event_id, "e\xc3\xa9");
    assert_int_equal(decoded.activity.purchase.kind, PURCHASE_KIND_CANCELLATION);
    assert_int_equal(decoded.activity.purchase.amount_minor, 12345);
    assert_int_equal(decoded.activity.purchase.order_time_ms, INT64_C(1735689599999));
    assert_text(decoded.activity.purchase.order_id, NULL);
    assert_int_equal(decoded.activity.purchase.items[0].amount_minor, 7);
    decoded_finish(&decoded);
}

static void every_enum_name_has_its_number(void **state) {
    (void)state;
    static const char *const kinds[] = {"PAGE_VIEW",  "SEARCH",      "CART_ADD",    "CHECKOUT",
                                        "EMAIL_OPEN", "EMAIL_CLICK", "LOGIN",       "SUPPORT_CONTACT",
                                        "REFERRAL",   "SOCIAL",      "STORE_VISIT", "OTHER"};
    static const char *const stages[] = {"STAGE_UNSPECIFIED", "AWARENESS", "INTEREST",
                                         "DECISION",          "PURCHASE",  "AFTER_SALES"};
    for (int i = 0; i < 12; i++) {
        char json[200];
        struct decoded decoded;
        int stage = i % 6;
        (void)snprintf(json, sizeof json,
                       "{\"customer_id\":\"c1\",\"event_time_ms\":1,\"kind\":\"%s\",\"stage\":\"%s\"}", kinds[i],
                       stages[stage]);
        decode_json_text(&decoded, INPUT_INTERACTIONS, json);
        assert_int_equal(decoded.reason, DEAD_NOT);
        assert_int_equal(decoded.activity.interaction.kind, i + 1);
        assert_int_equal(decoded.activity.interaction.stage, stage);
        decoded_finish(&decoded);
    }
}

/* Each is undecodable, and the detail names what it must. */
static void ill_formed_documents_say_what_is_wrong(void **state) {
    (void)state;
    static const struct {
        const char *json;
        const char *detail;
    } cases[] = {
        {"", "empty"},
        {" ", "not JSON"},
        {"{", "not JSON"},
        {"null", "not an object"},
        {"[]", "not an object"},
        {"{\"customer_id\":\"c1\"} x", "not JSON"},
        {"{\"customer_id\":\"\xff\"}", "not JSON"},
        {"{\"customer_id\":\"\\ud800\"}", "not JSON"},
        {"{\"customer_id\":1}", "customer_id is not a string"},
        {"{\"customer_id\":\"c1\",\"customer_id\":\"c1\"}", "customer_id is given twice"},
        {"{\"customer_id\":\"c1\",\"customerId\":\"c1\"}", "customer_id is given twice"},
        {"{\"comment\":1}", NULL}, /* no field of a purchase */
        {"{\"order_id\":null,\"order_id\":\"x\"}", "order_id is given twice"},
        {"{\"event_time_ms\":\"\"}", "event_time_ms is not an integer"},
        {"{\"event_time_ms\":\"-\"}", "event_time_ms is not an integer"},
        {"{\"event_time_ms\":\"12x\"}", "event_time_ms is not an integer"},
        {"{\"event_time_ms\":1.5}", "event_time_ms is not an integer"},
        {"{\"event_time_ms\":true}", "event_time_ms is not an integer"},
        {"{\"amount_minor\":[]}", "amount_minor is not an integer"},
        {"{\"kind\":{}}", "kind is not a name or a number"},
        {"{\"items\":{}}", "items is not an array"},
        {"{\"items\":[1]}", "an item is not an object"},
        {"{\"items\":[{\"sku\":\"a\",\"sku\":\"a\"}]}", "sku is given twice"},
        {"{\"items\":[{\"quantity\":\"many\"}]}", "quantity is not an integer"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct decoded decoded;
        decode_json_text(&decoded, INPUT_PURCHASES, cases[i].json);
        if (cases[i].detail) {
            assert_int_equal(decoded.reason, DEAD_UNDECODABLE);
            assert_non_null(strstr(decoded.detail, cases[i].detail));
        } else {
            assert_int_equal(decoded.reason, DEAD_BAD_ID);
        }
        decoded_finish(&decoded);
    }
}

static void a_document_larger_than_the_scratch_is_read(void **state) {
    (void)state;
    enum { ITEMS = 1000, BYTES_MAX = 64 * 1024 };
    char *json = malloc(BYTES_MAX);
    size_t size = (size_t)snprintf(json, BYTES_MAX,
                                   "{\"customer_id\":\"c1\",\"event_time_ms\":1,"
                                   "\"currency\":\"USD\",\"amount_minor\":100,\"items\":[{}");
    for (int i = 1; i < ITEMS; i++) {
        size += (size_t)snprintf(json + size, BYTES_MAX - size, ",{\"sku\":\"s%d\"}", i);
    }
    (void)snprintf(json + size, BYTES_MAX - size, "]}");
    struct decoded decoded;
    decode_json_text(&decoded, INPUT_PURCHASES, json);
    assert_int_equal(decoded.reason, DEAD_NOT);
    assert_int_equal(decoded.activity.purchase.items_count, ITEMS);
    assert_int_equal(decoded.activity.purchase.amount_minor, 92);
    assert_text(decoded.activity.purchase.items[999].sku, "s999");
    decoded_finish(&decoded);
    free(json);
}

static void deep_nesting_is_harmless(void **state) {
    (void)state;
    enum { DEPTH = 500000 };
    char *json = malloc(DEPTH);
    memset(json, '[', DEPTH);
    struct decoded decoded;
    decode_value(&decoded, FORMAT_JSON, INPUT_FEEDBACK, "c1", bytes_of(json, DEPTH), NULL, 0);
    assert_int_equal(decoded.reason, DEAD_UNDECODABLE);
    assert_true(decoded.arena.bytes_used == 0); /* not at the batch's expense */
    decoded_finish(&decoded);
    free(json);
}

static void a_content_type_header_overrides_the_format(void **state) {
    (void)state;
    const char *json = "{\"customer_id\":\"c1\",\"event_time_ms\":1,\"kind\":\"LOGIN\"}";
    const char *const types[] = {"application/json", "application/json; charset=utf-8", "Application/JSON"};
    for (size_t i = 0; i < 3; i++) {
        struct header headers[] = {{bytes_of_text("other"), {NULL, 0}},
                                   {bytes_of_text("content-type"), bytes_of_text(types[i])}};
        struct decoded decoded;
        decode_value(&decoded, FORMAT_PROTOBUF, INPUT_INTERACTIONS, "c1", bytes_of_text(json), headers, 2);
        assert_int_equal(decoded.reason, DEAD_NOT);
        decoded_finish(&decoded);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_a_purchase_is_read),
        cmocka_unit_test(a_refund_is_taken_from_the_day_of_its_order),
        cmocka_unit_test(a_purchase_counts_on_its_own_day_whatever_its_order_time),
        cmocka_unit_test(an_interaction_and_a_feedback_are_read),
        cmocka_unit_test(camel_case_strings_for_integers_and_numbers_for_enums_are_accepted),
        cmocka_unit_test(every_enum_name_has_its_number),
        cmocka_unit_test(ill_formed_documents_say_what_is_wrong),
        cmocka_unit_test(a_document_larger_than_the_scratch_is_read),
        cmocka_unit_test(deep_nesting_is_harmless),
        cmocka_unit_test(a_content_type_header_overrides_the_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
