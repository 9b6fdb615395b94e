#include "decode_support.h"
#include "ingest/decode_raw.h"

#include <feedback.pb-c.h>
#include <interaction.pb-c.h>
#include <purchase.pb-c.h>

typedef Tidemark__V1__Purchase purchase_message;
typedef Tidemark__V1__Purchase__Item item_message;
typedef Tidemark__V1__Interaction interaction_message;
typedef Tidemark__V1__Feedback feedback_message;

#define SAME(ours, theirs) _Static_assert((int)(ours) == (int)TIDEMARK__V1__##theirs, #theirs)
SAME(PURCHASE_KIND_PURCHASE, PURCHASE__KIND__PURCHASE);
SAME(PURCHASE_KIND_REFUND, PURCHASE__KIND__REFUND);
SAME(PURCHASE_KIND_CANCELLATION, PURCHASE__KIND__CANCELLATION);
SAME(INTERACTION_PAGE_VIEW, INTERACTION__KIND__PAGE_VIEW);
SAME(INTERACTION_SEARCH, INTERACTION__KIND__SEARCH);
SAME(INTERACTION_CART_ADD, INTERACTION__KIND__CART_ADD);
SAME(INTERACTION_CHECKOUT, INTERACTION__KIND__CHECKOUT);
SAME(INTERACTION_EMAIL_OPEN, INTERACTION__KIND__EMAIL_OPEN);
SAME(INTERACTION_EMAIL_CLICK, INTERACTION__KIND__EMAIL_CLICK);
SAME(INTERACTION_LOGIN, INTERACTION__KIND__LOGIN);
SAME(INTERACTION_SUPPORT_CONTACT, INTERACTION__KIND__SUPPORT_CONTACT);
SAME(INTERACTION_REFERRAL, INTERACTION__KIND__REFERRAL);
SAME(INTERACTION_SOCIAL, INTERACTION__KIND__SOCIAL);
SAME(INTERACTION_STORE_VISIT, INTERACTION__KIND__STORE_VISIT);
SAME(INTERACTION_OTHER, INTERACTION__KIND__OTHER);
SAME(STAGE_NONE, INTERACTION__STAGE__STAGE_UNSPECIFIED);
SAME(STAGE_AWARENESS, INTERACTION__STAGE__AWARENESS);
SAME(STAGE_INTEREST, INTERACTION__STAGE__INTEREST);
SAME(STAGE_DECISION, INTERACTION__STAGE__DECISION);
SAME(STAGE_PURCHASE, INTERACTION__STAGE__PURCHASE);
SAME(STAGE_AFTER_SALES, INTERACTION__STAGE__AFTER_SALES);
SAME(SURVEY_NPS, FEEDBACK__SURVEY__NPS);
SAME(SURVEY_CSAT, FEEDBACK__SURVEY__CSAT);
SAME(SURVEY_CES, FEEDBACK__SURVEY__CES);
SAME(SURVEY_COMPLAINT, FEEDBACK__SURVEY__COMPLAINT);
SAME(SURVEY_REVIEW, FEEDBACK__SURVEY__REVIEW);

/* protobuf-c's messages want char *, and only read it. */
static char *text(const char *constant) {
    union {
        const char *constant;
        char *any;
    } both = {constant};
    return both.any;
}

static void decode_message(struct decoded *decoded, enum input input, const ProtobufCMessage *message) {
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = malloc(size + 1);
    assert_int_equal(protobuf_c_message_pack(message, packed), size);
    decode_value(decoded, FORMAT_PROTOBUF, input, "c1", bytes_of((const char *)packed, size), NULL, 0);
    free(packed);
}

static enum dead_reason decode_wire(enum input input, const char *wire, size_t size) {
    struct decoded decoded;
    decode_value(&decoded, FORMAT_PROTOBUF, input, "c1", bytes_of(wire, size), NULL, 0);
    decoded_finish(&decoded);
    return decoded.reason;
}

static void every_field_of_a_purchase_is_read(void **state) {
    (void)state;
    item_message items[2] = {TIDEMARK__V1__PURCHASE__ITEM__INIT, TIDEMARK__V1__PURCHASE__ITEM__INIT};
    items[0].sku = text("s");
    items[0].category = text("books");
    items[0].has_quantity = 1;
    items[0].quantity = 2;
    items[0].has_amount_minor = 1;
    items[0].amount_minor = 100;
    item_message *list[2] = {&items[0], &items[1]};
    purchase_message message = TIDEMARK__V1__PURCHASE__INIT;
    message.event_id = text("e1");
    message.customer_id = text("c1");
    message.has_event_time_ms = 1;
    message.event_time_ms = NOW_MS;
    message.has_kind = 1;
    message.kind = TIDEMARK__V1__PURCHASE__KIND__CANCELLATION;
    message.order_id = text("o1");
    message.has_amount_minor = 1;
    message.amount_minor = 200;
    message.currency = text("USD");
    message.channel = text("web");
    message.n_items = 2;
    message.items = list;
    message.referrer_id = text("c9");
    message.has_order_time_ms = 1;
    message.order_time_ms = NOW_MS - 5;

    struct decoded decoded;
    decode_message(&decoded, INPUT_PURCHASES, &message.base);
    const struct purchase *purchase = &decoded.activity.purchase;
    assert_int_equal(decoded.reason, DEAD_NOT);
    assert_int_equal(decoded.activity.type, ACTIVITY_PURCHASE);
    assert_text(decoded.activity.event_id, "e1");
    assert_text(decoded.activity.customer_id, "c1");
    assert_int_equal(decoded.activity.time_ms, NOW_MS);
    assert_int_equal(purchase->kind, PURCHASE_KIND_CANCELLATION);
    assert_text(purchase->order_id, "o1");
    assert_int_equal(purchase->amount_minor, 184);
    assert_text(purchase->channel, "web");
    assert_text(purchase->referrer_id, "c9");
    assert_int_equal(purchase->order_time_ms, NOW_MS - 5);
    assert_int_equal(purchase->items_count, 2);
    assert_text(purchase->items[0].sku, "s");
    assert_text(purchase->items[0].category, "books");
    assert_int_equal(purchase->items[0].quantity, 2);
    assert_int_equal(purchase->items[0].amount_minor, 92);
    assert_text(purchase->items[1].sku, NULL);
    assert_int_equal(purchase->items[1].quantity, 1);
    decoded_finish(&decoded);
}

static void an_interaction_and_a_feedback_are_read(void **state) {
    (void)state;
    interaction_message interaction = TIDEMARK__V1__INTERACTION__INIT;
    interaction.customer_id = text("c1");
    interaction.has_event_time_ms = 1;
    interaction.event_time_ms = 1;
    interaction.has_kind = 1;
    interaction.kind = TIDEMARK__V1__INTERACTION__KIND__STORE_VISIT;
    interaction.has_stage = 1;
    interaction.stage = TIDEMARK__V1__INTERACTION__STAGE__AFTER_SALES;
    interaction.channel = text("store");
    interaction.campaign = text("spring");
    struct decoded decoded;
    decode_message(&decoded, INPUT_INTERACTIONS, &interaction.base);
    assert_int_equal(decoded.reason, DEAD_NOT);
    assert_int_equal(decoded.activity.interaction.kind, INTERACTION_STORE_VISIT);
    assert_int_equal(decoded.activity.interaction.stage, STAGE_AFTER_SALES);
    assert_text(decoded.activity.interaction.channel, "store");
    assert_text(decoded.activity.interaction.campaign, "spring");
    assert_int_equal(decoded.activity.event_hash, 0);
    decoded_finish(&decoded);

    feedback_message feedback = TIDEMARK__V1__FEEDBACK__INIT;
    feedback.customer_id = text("c1");
    feedback.has_event_time_ms = 1;
    feedback.event_time_ms = 1;
    feedback.has_survey = 1;
    feedback.survey = TIDEMARK__V1__FEEDBACK__SURVEY__NPS;
    feedback.touchpoint = text("delivery");
    feedback.comment = text("never kept");
    feedback.channel = text("store");
    decode_message(&decoded, INPUT_FEEDBACK, &feedback.base);
    assert_int_equal(decoded.reason, DEAD_BAD_SCORE); /* a missing score is no answer ... */
    decoded_finish(&decoded);
    feedback.has_score = 1;
    decode_message(&decoded, INPUT_FEEDBACK, &feedback.base);
    assert_int_equal(decoded.reason, DEAD_NOT); /* ... but an NPS of 0 is */
    assert_int_equal(decoded.activity.feedback.score, 0);
    assert_text(decoded.activity.feedback.touchpoint, "delivery");
    assert_text(decoded.activity.feedback.channel, "store");
    decoded_finish(&decoded);
    feedback.score = -1;
    decode_message(&decoded, INPUT_FEEDBACK, &feedback.base);
    assert_int_equal(decoded.reason, DEAD_BAD_SCORE);
    decoded_finish(&decoded);
}

/* The tables of event_fields.c against the schemas' descriptors. */
static void check_table(const struct field_table *table, const ProtobufCMessageDescriptor *schema) {
    assert_int_equal(table->count, schema->n_fields);
    for (unsigned i = 0; i < schema->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &schema->fields[i];
        const struct field_spec *spec = &table->fields[i];
        assert_int_equal(field->id, i + 1);
        assert_string_equal(spec->name, field->name);
        assert_int_equal(spec->name_size, strlen(spec->name));
        assert_int_equal(spec->camel_name_size, strlen(spec->camel_name));
        switch ((enum field_type)spec->type) {
        case FIELD_TEXT:
        case FIELD_IGNORED_TEXT:
            assert_int_equal(field->type, PROTOBUF_C_TYPE_STRING);
            break;
        case FIELD_INT64:
            assert_int_equal(field->type, PROTOBUF_C_TYPE_INT64);
            break;
        case FIELD_INT32:
            assert_int_equal(field->type, PROTOBUF_C_TYPE_INT32);
            break;
        case FIELD_ITEMS:
            assert_int_equal(field->type, PROTOBUF_C_TYPE_MESSAGE);
            break;
        case FIELD_ENUM: {
            const ProtobufCEnumDescriptor *values = field->descriptor;
            assert_int_equal(field->type, PROTOBUF_C_TYPE_ENUM);
            assert_int_equal(spec->enum_names_count, values->n_values);
            for (unsigned j = 0; j < values->n_values; j++) {
                assert_int_equal(values->values[j].value, j);
                assert_string_equal(spec->enum_names[j], values->values[j].name);
            }
            break;
        }
        }
    }
}

static void the_tables_of_fields_are_those_of_the_schemas(void **state) {
    (void)state;
    check_table(&activity_fields[ACTIVITY_PURCHASE], &tidemark__v1__purchase__descriptor);
    check_table(&activity_fields[ACTIVITY_INTERACTION], &tidemark__v1__interaction__descriptor);
    check_table(&activity_fields[ACTIVITY_FEEDBACK], &tidemark__v1__feedback__descriptor);
    check_table(&item_fields, &tidemark__v1__purchase__item__descriptor);
}

#define C1                                                                                                             \
    "\x12\x02"                                                                                                         \
    "c1"
#define LOGIN "\x18\x01\x20\x07"
#define WIRE(text) (text), sizeof(text) - 1

static void fields_from_the_future_are_ignored(void **state) {
    (void)state;
    enum input input = INPUT_INTERACTIONS;
    assert_int_equal(decode_wire(input, WIRE(C1 LOGIN "\x40\x05")), DEAD_NOT); /* 8: varint */
    assert_int_equal(decode_wire(input, WIRE("\x49"
                                             "12345678" C1 LOGIN)),
                     DEAD_NOT); /* 9: fixed64 */
    assert_int_equal(decode_wire(input, WIRE(C1 "\x52\x03"
                                                "abc" LOGIN)),
                     DEAD_NOT); /* 10: sized */
    assert_int_equal(decode_wire(input, WIRE(C1 LOGIN "\x5d"
                                                      "1234")),
                     DEAD_NOT); /* 11: fixed32 */
    assert_int_equal(decode_wire(input, WIRE(C1 LOGIN "\xf8\xff\xff\xff\x0f\x01")), DEAD_NOT);
}

static void the_last_of_a_repeated_field_counts(void **state) {
    (void)state;
    assert_int_equal(decode_wire(INPUT_INTERACTIONS, WIRE("\x12\x01"
                                                          "x" C1 "\x20\x63" LOGIN)),
                     DEAD_NOT);
}

static void what_is_not_the_message_is_undecodable(void **state) {
    (void)state;
    static const struct {
        const char *wire;
        size_t size;
    } cases[] = {
        {WIRE("\x12")}, /* no length */
        {WIRE("\x12\x03"
              "c1")},                                           /* too short */
        {WIRE("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")}, /* a huge length */
        {WIRE(C1 "\x18")},                                      /* no number */
        {WIRE(C1 "\x18\x80")},
        {WIRE(C1 "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")}, /* eleven bytes */
        {WIRE(C1 LOGIN "\x49"
                       "1234567")},
        {WIRE(C1 LOGIN "\x5d"
                       "123")},
        {WIRE(C1 LOGIN "\x43\x44")},                     /* a group */
        {WIRE(C1 LOGIN "\x46")},                         /* wire type 6 */
        {WIRE("\x02\x00" C1 LOGIN)},                     /* field 0 */
        {WIRE(C1 LOGIN "\x80\x80\x80\x80\x80\x01\x01")}, /* a tag of six bytes */
        {WIRE(C1 LOGIN "\xf8\xff\xff\xff\x1f\x01")},     /* a tag beyond 32 bits */
        {WIRE("\x10\x05" LOGIN)},                        /* customer_id as a number */
        {WIRE(C1 "\x1a\x01"
                 "x")}, /* event_time_ms as a text */
        {WIRE(C1 "\x19"
                 "12345678")}, /* event_time_ms as fixed64 */
        {WIRE("{\"customer_id\":\"c1\"}")},
        {WIRE("plain text")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(decode_wire(INPUT_INTERACTIONS, cases[i].wire, cases[i].size), DEAD_UNDECODABLE);
    }
    assert_int_equal(decode_wire(INPUT_INTERACTIONS, "", 0), DEAD_BAD_ID);
    /* Within an item. */
    assert_int_equal(decode_wire(INPUT_PURCHASES, WIRE(C1 "\x18\x01\x3a\x03"
                                                          "EUR"
                                                          "\x4a\x02\x0a\x05")),
                     DEAD_UNDECODABLE);
    assert_int_equal(decode_wire(INPUT_PURCHASES, WIRE(C1 "\x18\x01\x3a\x03"
                                                          "EUR"
                                                          "\x4a\x02\x08\x05")),
                     DEAD_UNDECODABLE);
    assert_int_equal(decode_wire(INPUT_PURCHASES, WIRE(C1 "\x18\x01\x3a\x03"
                                                          "EUR"
                                                          "\x4a\x00")),
                     DEAD_NOT);
}

static void ids_and_texts_are_utf8_without_nul(void **state) {
    (void)state;
    static const struct {
        const char *wire;
        size_t size;
        enum dead_reason reason;
    } cases[] = {
        {WIRE("\x12\x03"
              "c1\0" LOGIN),
         DEAD_BAD_ID}, /* protobuf-c alone would read "c1" */
        {WIRE("\x12\x02"
              "\xc3\x28" LOGIN),
         DEAD_BAD_ID},
        {WIRE("\x12\x02"
              "\xc0\x80" LOGIN),
         DEAD_BAD_ID}, /* an overlong NUL */
        {WIRE("\x12\x03"
              "\xed\xa0\x80" LOGIN),
         DEAD_BAD_ID},                              /* a surrogate */
        {WIRE("\x0a\x01\0" C1 LOGIN), DEAD_BAD_ID}, /* event_id */
        {WIRE("\x0a\x09"
              "12345678\xff" C1 LOGIN),
         DEAD_BAD_ID},
        {WIRE("\x0a\x09"
              "1234\xc3\xa9"
              "678" C1 LOGIN),
         DEAD_NOT},
        {WIRE(C1 LOGIN "\x32\x01\xff"), DEAD_UNDECODABLE}, /* channel */
        {WIRE(C1 LOGIN "\x32\x0a"
                       "123456789\0"),
         DEAD_UNDECODABLE},
        {WIRE(C1 LOGIN "\x3a\x01\xff"), DEAD_UNDECODABLE}, /* campaign */
        {WIRE(C1 LOGIN "\x32\x00"), DEAD_NOT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(decode_wire(INPUT_INTERACTIONS, cases[i].wire, cases[i].size), cases[i].reason);
    }
}

static void every_beginning_of_a_message_is_harmless(void **state) {
    (void)state;
    static const char wire[] = "\x0a\x02"
                               "e1" C1 "\x18\x80\x01\x20\x02\x2a\x02"
                               "o1"
                               "\x30\x64"
                               "\x3a\x03"
                               "EUR"
                               "\x42\x03"
                               "web"
                               "\x4a\x05\x0a\x01s\x18\x02\x58\x07";
    for (size_t size = 0; size < sizeof wire; size++) {
        char *cut = malloc(size ? size : 1); /* so that a read past the end is found */
        memcpy(cut, wire, size);
        (void)decode_wire(INPUT_PURCHASES, cut, size);
        free(cut);
    }
    assert_int_equal(decode_wire(INPUT_PURCHASES, WIRE(wire)), DEAD_NOT);
}

static void too_many_items_are_too_large(void **state) {
    (void)state;
    char wire[16 + 2 * (ITEMS_MAX + 1)];
    static const char head[] = C1 "\x18\x01\x3a\x03"
                                  "EUR";
    memcpy(wire, head, sizeof head - 1);
    for (size_t i = 0; i <= ITEMS_MAX; i++) {
        memcpy(wire + sizeof head - 1 + 2 * i, "\x4a\x00", 2);
    }
    size_t size = sizeof head - 1 + 2 * (size_t)ITEMS_MAX;
    assert_int_equal(decode_wire(INPUT_PURCHASES, wire, size), DEAD_NOT);
    assert_int_equal(decode_wire(INPUT_PURCHASES, wire, size + 2), DEAD_TOO_LARGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_a_purchase_is_read),
        cmocka_unit_test(an_interaction_and_a_feedback_are_read),
        cmocka_unit_test(the_tables_of_fields_are_those_of_the_schemas),
        cmocka_unit_test(fields_from_the_future_are_ignored),
        cmocka_unit_test(the_last_of_a_repeated_field_counts),
        cmocka_unit_test(what_is_not_the_message_is_undecodable),
        cmocka_unit_test(ids_and_texts_are_utf8_without_nul),
        cmocka_unit_test(every_beginning_of_a_message_is_harmless),
        cmocka_unit_test(too_many_items_are_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
