/* libFuzzer target: decode_record, in every format and for every input.
 *
 * Whatever comes in, it must neither crash nor read or write where it should not; what it accepts
 * must be valid; and the protobuf reader must agree with protobuf-c on what is a message and on
 * what it says. The first byte chooses format, input and headers, the rest is the record's value.
 */
#include "ingest/decode_raw.h"

#include <feedback.pb-c.h>
#include <interaction.pb-c.h>
#include <purchase.pb-c.h>

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FORMATS = 3, HEADER_MODES = 4 };

#define NOW_MS INT64_C(1735689600000)

static const struct currency_rate currencies[] = {{"EUR", 1000000000, 0}, {"USD", 920000000, 0}, {"JPY", 6100000, 2}};

static void check_text(struct bytes text) {
    if (text.data) {
        ASSERT(text.size > 0 && text.data[text.size] == '\0' && bytes_are_text(text));
    }
}

static void check_activity(const struct activity *activity) {
    ASSERT(bytes_equal_text(activity->customer_id, "c1"));
    ASSERT(activity->event_id.size <= CUSTOMER_ID_BYTES_MAX);
    ASSERT((activity->event_hash != 0) == (activity->event_id.data != NULL));
    ASSERT(activity->event_hash >> 48 == 0);
    ASSERT(activity->time_ms > 0 && activity->time_ms <= NOW_MS);
    check_text(activity->event_id);
    if (activity->type == ACTIVITY_INTERACTION) {
        ASSERT(activity->interaction.kind >= 1 && activity->interaction.kind <= INTERACTION_KINDS);
        ASSERT(activity->interaction.stage <= STAGES);
        check_text(activity->interaction.channel);
        check_text(activity->interaction.campaign);
    } else if (activity->type == ACTIVITY_FEEDBACK) {
        ASSERT(activity->feedback.survey >= 1 && activity->feedback.survey <= SURVEY_REVIEW);
        ASSERT(activity->feedback.score >= 0 && activity->feedback.score <= 10);
        check_text(activity->feedback.touchpoint);
        check_text(activity->feedback.channel);
    } else {
        const struct purchase *purchase = &activity->purchase;
        ASSERT(purchase->kind >= 1 && purchase->kind <= PURCHASE_KIND_CANCELLATION);
        ASSERT(purchase->amount_minor >= 0 && purchase->amount_minor <= AMOUNT_MINOR_MAX);
        ASSERT(purchase->order_time_ms > 0 && purchase->order_time_ms <= NOW_MS);
        ASSERT(purchase->items_count <= ITEMS_MAX);
        check_text(purchase->order_id);
        check_text(purchase->channel);
        check_text(purchase->referrer_id);
        for (size_t i = 0; i < purchase->items_count; i++) {
            ASSERT(purchase->items[i].amount_minor >= 0 && purchase->items[i].quantity >= 0);
            ASSERT(!purchase->items[i].sku.data || bytes_are_text(purchase->items[i].sku));
        }
    }
}

/* protobuf-c's member for a field: the same text up to its first NUL, the same number. */
static void check_field(const struct field_spec *spec, const struct raw_activity *raw, const ProtobufCMessage *message,
                        const ProtobufCFieldDescriptor *field) {
    const char *base = (const char *)message;
    bool seen = raw_has(raw, (enum raw_field)spec->field);
    if (spec->type == FIELD_TEXT) {
        const char *text;
        memcpy(&text, base + field->offset, sizeof text);
        ASSERT(seen == (text != NULL));
        ASSERT(!text || strlen(text) <= raw->values[spec->field].text.size);
        ASSERT(!text || memcmp(text, raw->values[spec->field].text.data, strlen(text)) == 0);
        return;
    }
    protobuf_c_boolean has;
    memcpy(&has, base + field->quantifier_offset, sizeof has);
    ASSERT(seen == (has != 0));
    int64_t wide;
    int32_t narrow;
    memcpy(&wide, base + field->offset, spec->type == FIELD_INT64 ? sizeof wide : 0);
    memcpy(&narrow, base + field->offset, sizeof narrow);
    ASSERT(!seen || raw->values[spec->field].number == (spec->type == FIELD_INT64 ? wide : narrow));
}

static void compare_with_protobuf_c(enum input input, struct bytes value, struct arena *arena) {
    static const ProtobufCMessageDescriptor *const schemas[INPUTS] = {&tidemark__v1__purchase__descriptor,
                                                                      &tidemark__v1__interaction__descriptor,
                                                                      &tidemark__v1__feedback__descriptor};
    char detail[DEAD_DETAIL_BYTES_MAX];
    struct raw_activity raw = {.type = (enum activity_type)input};
    enum dead_reason reason = decode_protobuf(value, &raw, arena, detail);
    ProtobufCMessage *message =
        protobuf_c_message_unpack(schemas[input], NULL, value.size, (const uint8_t *)value.data);
    if (!reason && message) {
        const struct field_table *table = &activity_fields[input];
        for (size_t i = 0; i < table->count; i++) {
            if (table->fields[i].type != FIELD_ITEMS && table->fields[i].type != FIELD_IGNORED_TEXT) {
                check_field(&table->fields[i], &raw, message, &schemas[input]->fields[i]);
            }
        }
        ASSERT(input != INPUT_PURCHASES || ((const Tidemark__V1__Purchase *)message)->n_items == raw.items_count);
    } else if (!message) {
        /* With too many items ours does not look into them; that is refused later. */
        ASSERT(reason || raw.items_count > ITEMS_MAX);
    } else {
        /* protobuf-c takes impossible field numbers for unknown fields. */
        ASSERT(strstr(detail, "impossible field number"));
    }
    if (message) {
        protobuf_c_message_free_unpacked(message, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct header modes[HEADER_MODES] = {
        {{NULL, 0}, {NULL, 0}},
        {{"__value_schema_id", 17},
         {"\x01"
          "0123456789abcdef\0",
          18}},
        {{"content-type", 12}, {"application/json", 16}},
        {{"content-type", 12}, {"application/x-protobuf", 22}},
    };
    if (size == 0) {
        return 0;
    }
    unsigned choice = data[0];
    struct decoder decoder = {.format = (enum decode_format)(choice % FORMATS),
                              .currencies = currencies,
                              .currencies_count = sizeof currencies / sizeof *currencies};
    struct record record = {.input = (enum input)(choice / FORMATS % INPUTS),
                            .key = {"c1", 2},
                            .value = {(const char *)data + 1, size - 1}};
    unsigned mode = choice / (FORMATS * INPUTS) % HEADER_MODES;
    char detail[DEAD_DETAIL_BYTES_MAX];
    struct activity activity;
    struct arena arena;
    arena_init(&arena, 4 * 1024 * 1024);
    enum dead_reason reason =
        decode_record(&decoder, &record, mode ? &modes[mode] : NULL, mode ? 1 : 0, NOW_MS, &arena, &activity, detail);
    ASSERT(memchr(detail, '\0', sizeof detail));
    ASSERT((reason != DEAD_NOT) == (detail[0] != '\0'));
    if (!reason) {
        check_activity(&activity);
    }
    arena_reset(&arena);
    compare_with_protobuf_c(record.input, record.value, &arena);
    arena_finish(&arena);
    return 0;
}
