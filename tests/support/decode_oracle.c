#include "support/decode_oracle.h"

#include <feedback.pb-c.h>
#include <interaction.pb-c.h>
#include <purchase.pb-c.h>

/* The same text up to its first NUL. */
static void check_text(struct bytes ours, const char *theirs) {
    ASSERT((ours.data != NULL) == (theirs != NULL));
    ASSERT(!theirs || (strlen(theirs) <= ours.size && memcmp(theirs, ours.data, strlen(theirs)) == 0));
}

/* protobuf-c's member for a field: the same text, the same number. */
static void check_field(const struct field_spec *spec, const struct raw_activity *raw, const ProtobufCMessage *message,
                        const ProtobufCFieldDescriptor *field) {
    const char *base = (const char *)message;
    bool seen = raw_has(raw, (enum raw_field)spec->field);
    if (spec->type == FIELD_TEXT) {
        const char *text;
        memcpy(&text, base + field->offset, sizeof text);
        check_text(seen ? raw->values[spec->field].text : (struct bytes){NULL, 0}, text);
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

static void check_items(const struct raw_activity *raw, const Tidemark__V1__Purchase *purchase) {
    ASSERT(purchase->n_items == raw->items_count);
    for (size_t i = 0; raw->items && i < raw->items_count; i++) {
        const Tidemark__V1__Purchase__Item *item = purchase->items[i];
        check_text(raw->items[i].sku, item->sku);
        check_text(raw->items[i].category, item->category);
        ASSERT(raw->items[i].quantity == (item->has_quantity ? item->quantity : 1));
        ASSERT(raw->items[i].amount_minor == (item->has_amount_minor ? item->amount_minor : 0));
    }
}

static void check_message(const struct raw_activity *raw, const ProtobufCMessage *message) {
    const struct field_table *table = &activity_fields[raw->type];
    for (size_t i = 0; i < table->count; i++) {
        if (table->fields[i].type != FIELD_ITEMS && table->fields[i].type != FIELD_IGNORED_TEXT) {
            check_field(&table->fields[i], raw, message, &message->descriptor->fields[i]);
        }
    }
    if (raw->type == ACTIVITY_PURCHASE) {
        check_items(raw, (const Tidemark__V1__Purchase *)message);
    }
}

bool decode_oracle_compare(enum input input, struct bytes value, struct arena *arena) {
    static const ProtobufCMessageDescriptor *const schemas[INPUTS] = {&tidemark__v1__purchase__descriptor,
                                                                      &tidemark__v1__interaction__descriptor,
                                                                      &tidemark__v1__feedback__descriptor};
    char detail[DEAD_DETAIL_BYTES_MAX];
    struct raw_activity raw = {.type = (enum activity_type)input};
    enum dead_reason reason = decode_protobuf(value, &raw, arena, detail);
    ProtobufCMessage *message =
        protobuf_c_message_unpack(schemas[input], NULL, value.size, (const uint8_t *)value.data);
    bool both = !reason && message;
    if (both) {
        check_message(&raw, message);
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
    return both;
}
