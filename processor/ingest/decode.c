#include "ingest/decode.h"

#include "ingest/decode_raw.h"

#include <strings.h>

#define EVENT_HASH_MASK ((UINT64_C(1) << 48) - 1)

_Static_assert((int)INPUT_PURCHASES == (int)ACTIVITY_PURCHASE && (int)INPUT_INTERACTIONS == (int)ACTIVITY_INTERACTION &&
                   (int)INPUT_FEEDBACK == (int)ACTIVITY_FEEDBACK,
               "an input's number is its activities'");

const char *dead_reason_text(enum dead_reason reason) {
    static const char *const texts[DEAD_REASONS] = {
        [DEAD_NOT] = "none",
        [DEAD_UNDECODABLE] = "undecodable",
        [DEAD_KEY_MISMATCH] = "key_mismatch",
        [DEAD_BAD_ID] = "bad_id",
        [DEAD_BAD_TIME] = "bad_time",
        [DEAD_FUTURE_TIME] = "future_time",
        [DEAD_BAD_SCORE] = "bad_score",
        [DEAD_NEGATIVE_AMOUNT] = "negative_amount",
        [DEAD_OVERFLOW] = "overflow",
        [DEAD_UNKNOWN_CURRENCY] = "unknown_currency",
        [DEAD_UNKNOWN_ENUM] = "unknown_enum",
        [DEAD_TOO_LARGE] = "too_large",
        [DEAD_MISROUTED] = "misrouted",
    };
    ASSERT(reason < DEAD_REASONS);
    return texts[reason];
}

static bool is_media_type(struct bytes value, const char *type) {
    size_t size = strlen(type);
    return value.size >= size && strncasecmp(value.data, type, size) == 0 &&
           (value.size == size || value.data[size] == ';' || value.data[size] == ' ');
}

static enum decode_format format_of(const struct decoder *decoder, const struct record *record,
                                    const struct header *headers, size_t headers_count) {
    for (size_t i = 0; i < headers_count; i++) {
        struct bytes name = headers[i].name;
        struct bytes value = headers[i].value;
        if (name.size != strlen("content-type") || !value.data ||
            strncasecmp(name.data, "content-type", name.size) != 0) {
            continue;
        }
        if (is_media_type(value, "application/json")) {
            return FORMAT_JSON;
        }
        if (is_media_type(value, "application/x-protobuf") || is_media_type(value, "application/protobuf")) {
            /* Both kinds of protobuf have this type, but a bare message never begins with 0. */
            bool framed = record->value.size > 0 && record->value.data[0] == 0;
            return framed && decoder->format == FORMAT_CONFLUENT_PROTOBUF ? FORMAT_CONFLUENT_PROTOBUF : FORMAT_PROTOBUF;
        }
    }
    return decoder->format;
}

/* The texts of an activity that must outlive its record. */
enum { TEXTS_MAX = 6 };

static size_t list_texts(struct activity *activity, struct bytes *texts[TEXTS_MAX]) {
    size_t count = 0;
    texts[count++] = &activity->customer_id;
    texts[count++] = &activity->event_id;
    switch (activity->type) {
    case ACTIVITY_PURCHASE:
        texts[count++] = &activity->purchase.order_id;
        texts[count++] = &activity->purchase.channel;
        texts[count++] = &activity->purchase.referrer_id;
        break;
    case ACTIVITY_INTERACTION:
        texts[count++] = &activity->interaction.channel;
        texts[count++] = &activity->interaction.campaign;
        break;
    case ACTIVITY_FEEDBACK:
        texts[count++] = &activity->feedback.touchpoint;
        texts[count++] = &activity->feedback.channel;
        break;
    case ACTIVITY_TYPES:
        break;
    }
    return count;
}

static void keep_text(struct bytes *text, char **at) {
    if (!text->data) {
        return;
    }
    memcpy(*at, text->data, text->size);
    (*at)[text->size] = '\0';
    text->data = *at;
    *at += text->size + 1;
}

/* Copies all texts into one piece of the arena, each with a NUL behind it. */
static bool keep_texts(struct activity *activity, struct purchase_item *items, size_t items_count,
                       struct arena *arena) {
    struct bytes *texts[TEXTS_MAX];
    size_t count = list_texts(activity, texts);
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += texts[i]->size + 1;
    }
    for (size_t i = 0; i < items_count; i++) {
        size += items[i].sku.size + items[i].category.size + 2;
    }
    char *at = arena_alloc(arena, size);
    if (!at) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        keep_text(texts[i], &at);
    }
    for (size_t i = 0; i < items_count; i++) {
        keep_text(&items[i].sku, &at);
        keep_text(&items[i].category, &at);
    }
    return true;
}

/* From the fields as they came to an activity that stands on its own. */
static enum dead_reason finish(const struct decoder *decoder, const struct record *record,
                               const struct raw_activity *raw, int64_t reference_ms, struct arena *arena,
                               struct activity *out, char *detail) {
    enum dead_reason reason = validate_activity(decoder, record, raw, reference_ms, out, detail);
    if (reason) {
        return reason;
    }
    out->event_hash = 0;
    if (out->event_id.data) {
        uint64_t hash = bytes_hash(out->event_id) & EVENT_HASH_MASK;
        out->event_hash = hash ? hash : 1;
    }
    return keep_texts(out, raw->items, raw->items_count, arena)
               ? DEAD_NOT
               : dead_detail(detail, DEAD_TOO_LARGE, "no memory is left in the batch");
}

static enum dead_reason decode_json_record(const struct decoder *decoder, const struct record *record,
                                           struct raw_activity *raw, int64_t reference_ms, struct arena *arena,
                                           struct activity *out, char *detail) {
    struct json_document json;
    enum dead_reason reason = json_open(&json, record->value, detail);
    reason = reason ? reason : json_read(&json, raw, arena, detail);
    if (!reason) {
        reason = finish(decoder, record, raw, reference_ms, arena, out, detail);
    }
    json_close(&json);
    return reason;
}

enum dead_reason decode_record(const struct decoder *decoder, const struct record *record, const struct header *headers,
                               size_t headers_count, int64_t reference_ms, struct arena *arena, struct activity *out,
                               char *detail) {
    detail[0] = '\0';
    if (!record->value.data) {
        return dead_detail(detail, DEAD_UNDECODABLE, "the value is null");
    }
    if (record->value.size > RECORD_BYTES_MAX) {
        return dead_detail(detail, DEAD_TOO_LARGE, "the value is larger than %d bytes", RECORD_BYTES_MAX);
    }
    struct raw_activity raw = {.type = (enum activity_type)record->input};
    struct bytes message = record->value;
    enum decode_format format = format_of(decoder, record, headers, headers_count);
    if (format == FORMAT_JSON) {
        return decode_json_record(decoder, record, &raw, reference_ms, arena, out, detail);
    }
    enum dead_reason reason = DEAD_NOT;
    if (format == FORMAT_CONFLUENT_PROTOBUF) {
        reason = decode_confluent(record->value, headers, headers_count, &message, detail);
    }
    reason = reason ? reason : decode_protobuf(message, &raw, arena, detail);
    return reason ? reason : finish(decoder, record, &raw, reference_ms, arena, out, detail);
}

size_t decode_arena_bytes_max(const struct record *record) {
    size_t size = record->value.size;
    /* An item takes at least two bytes of the value, one comma or tag and one more. */
    size_t items = size / 2 < ITEMS_MAX ? size / 2 : ITEMS_MAX;
    size_t texts = size + TEXTS_MAX + 2 * items;
    return items * sizeof(struct purchase_item) + texts + 2 * 16; /* two pieces, rounded up */
}
