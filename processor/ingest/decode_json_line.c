#include "ingest/decode_json_line.h"

#include "ingest/decode_raw.h"

enum wire_type { WIRE_VARINT = 0, WIRE_SIZED = 2 };

static bool find_input(struct bytes topic, const struct bytes topics[INPUTS], enum input *out) {
    static const char *const words[INPUTS] = {"purchases", "interactions", "feedback"};
    for (int i = 0; i < INPUTS; i++) {
        if (bytes_equal(topic, topics[i]) || bytes_equal_text(topic, words[i])) {
            *out = (enum input)i;
            return true;
        }
    }
    return false;
}

static void put_fields(struct buffer *out, const struct field_table *table, const union raw_value *values,
                       uint32_t seen) {
    for (size_t i = 0; i < table->count; i++) {
        const struct field_spec *spec = &table->fields[i];
        if (spec->type == FIELD_ITEMS || spec->type == FIELD_IGNORED_TEXT || !(seen >> spec->field & 1)) {
            continue;
        }
        unsigned number = (unsigned)i + 1;
        if (spec->type == FIELD_TEXT) {
            buffer_put_varint(out, number << 3 | WIRE_SIZED);
            buffer_put_sized(out, values[spec->field].text);
        } else {
            buffer_put_varint(out, number << 3 | WIRE_VARINT);
            buffer_put_varint(out, (uint64_t)values[spec->field].number);
        }
    }
}

static void put_items(struct buffer *out, unsigned number, const struct raw_activity *raw) {
    struct buffer message = {0};
    for (size_t i = 0; raw->items && i < raw->items_count; i++) {
        const struct purchase_item *item = &raw->items[i];
        union raw_value values[RAW_ITEM_FIELDS];
        values[RAW_SKU].text = item->sku;
        values[RAW_CATEGORY].text = item->category;
        values[RAW_QUANTITY].number = item->quantity;
        values[RAW_ITEM_AMOUNT].number = item->amount_minor;
        uint32_t seen = 1u << RAW_QUANTITY | 1u << RAW_ITEM_AMOUNT;
        seen |= item->sku.data ? 1u << RAW_SKU : 0;
        seen |= item->category.data ? 1u << RAW_CATEGORY : 0;
        buffer_reset(&message);
        put_fields(&message, &item_fields, values, seen);
        buffer_put_varint(out, number << 3 | WIRE_SIZED);
        buffer_put_sized(out, buffer_bytes(&message));
        out->error = message.error ? message.error : out->error;
    }
    buffer_finish(&message);
}

static unsigned items_number(enum activity_type type) {
    const struct field_table *table = &activity_fields[type];
    unsigned number = 1;
    while (number <= table->count && table->fields[number - 1].type != FIELD_ITEMS) {
        number++;
    }
    return number;
}

/* The event as a protobuf message, framed where the format says so, in the arena. */
static int build_protobuf(const struct raw_activity *raw, enum decode_format format, struct arena *arena,
                          struct bytes *out) {
    static const char framing[] = {0, 0, 0, 0, 1, 0}; /* magic, schema id 1, message [0] */
    struct buffer message = {0};
    if (format == FORMAT_CONFLUENT_PROTOBUF) {
        buffer_put(&message, framing, sizeof framing);
    }
    put_fields(&message, &activity_fields[raw->type], raw->values, raw->seen);
    put_items(&message, items_number(raw->type), raw);
    *out = message.error ? (struct bytes){NULL, 0} : arena_copy(arena, buffer_bytes(&message));
    buffer_finish(&message);
    return out->data ? 0 : ERR_NO_MEMORY;
}

static int fill(struct bytes line, enum decode_format format, const struct raw_activity *raw, struct arena *arena,
                struct json_line *out, char *detail) {
    if (raw->items_count > ITEMS_MAX) {
        (void)dead_detail(detail, DEAD_TOO_LARGE, "more than %d items", ITEMS_MAX);
        return ERR_INVALID;
    }
    int64_t time_ms = raw_has(raw, RAW_TIME) ? raw->values[RAW_TIME].number : -1;
    out->input = (enum input)raw->type;
    out->time_ms = time_ms >= 0 ? time_ms : -1;
    out->key = (struct bytes){NULL, 0};
    out->value = line;
    int err = 0;
    if (raw_has(raw, RAW_CUSTOMER_ID)) {
        out->key = arena_copy(arena, raw->values[RAW_CUSTOMER_ID].text);
        err = out->key.data ? 0 : ERR_NO_MEMORY;
    }
    if (!err && format != FORMAT_JSON) {
        err = build_protobuf(raw, format, arena, &out->value);
    }
    if (err) {
        (void)dead_detail(detail, DEAD_TOO_LARGE, "no memory");
    }
    return err;
}

int decode_json_line(struct bytes line, enum decode_format format, const struct bytes topics[INPUTS],
                     struct arena *arena, struct json_line *out, char *detail) {
    struct json_document json;
    struct raw_activity raw = {0};
    struct bytes topic = {NULL, 0};
    enum dead_reason reason = json_open(&json, line, detail);
    if (!reason) {
        topic = json_text(&json, "topic");
        enum input input;
        if (!topic.data || !find_input(topic, topics, &input)) {
            reason = dead_detail(detail, DEAD_UNDECODABLE,
                                 topic.data ? "\"topic\" is not an input topic" : "there is no \"topic\"");
        } else {
            raw.type = (enum activity_type)input;
            reason = json_read(&json, &raw, arena, detail);
        }
    }
    int err = reason ? ERR_INVALID : fill(line, format, &raw, arena, out, detail);
    json_close(&json);
    return err;
}
